"""What the brief says: whole sentences of the catalogue, with places for what comes from safe estimates."""

from __future__ import annotations

__all__ = ["Words"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.markup import bold, bullets, heading, paragraphs
from evalkit.periods import Period
from evalkit.protocol import Study
from evalkit.words import Messages, marked

if TYPE_CHECKING:
    from evalkit.report._report import Report


@dataclass(frozen=True)
class Words:
    """The brief's sentences in one language.

    Attributes
    ----------
    say : Messages
        The catalogue.
    study : mapping of str to str
        The study's own words (labels, titles) in that language, from its protocol.
    origin : {"referral", "intake"}
        Day from which harm is counted.
    """

    say: Messages
    study: Mapping[str, str]
    origin: str = "referral"

    def own(self, text: str) -> str:
        """Return a word of the study in the brief's language; as it stands where the protocol has no translation.

        Parameters
        ----------
        text : str

        Returns
        -------
        str
        """
        return self.study.get(text, text)

    def period(self, period: Period) -> str:
        """Return a period in words.

        Parameters
        ----------
        period : Period

        Returns
        -------
        str
        """
        say = self.say
        year, _, quarter = period.name.partition("Q")
        if not (quarter and year.isdigit()):
            return say("{first} to {last}", first=say.day(period.first), last=say.day(period.last))
        names = {
            "1": marked("first quarter of {year}"),
            "2": marked("second quarter of {year}"),
            "3": marked("third quarter of {year}"),
            "4": marked("fourth quarter of {year}"),
        }
        return say(names[quarter], year=year)

    def too_few(self) -> str:
        """Say that nothing can be shown yet."""
        say = self.say
        return say("Not shown yet: too few people have been followed for long enough.")

    def no_sessions(self) -> str:
        """Say that the study has no sessions."""
        say = self.say
        return say("Not shown: records of sessions are not part of this study.")

    def about(self, study: Study, groups: tuple[str, str]) -> str:
        """Say whom the brief is about.

        Parameters
        ----------
        study : Study
        groups : (str, str)

        Returns
        -------
        str
            With signs (`evalkit.markup`).
        """
        say = self.say
        arms = zip(groups, (study.arms.focus, study.arms.comparison), strict=True)
        named = [
            say("**{group}**: {definition}.", group=group, definition=self.own(arm.definition))
            if arm.definition
            else f"{bold(group)}."
            for group, arm in arms
        ]
        head, lead = say("Who this brief is about"), say("It describes two groups of people.")
        return paragraphs(heading(head), lead, bullets(named))

    def reached(self, group: str, number: float | None, report: Report) -> str:
        """Say how many people were referred.

        Parameters
        ----------
        group : str
        number : float or None
            Safe; None where it may not be shown.
        report : Report

        Returns
        -------
        str
        """
        say = self.say
        start = say.day(report.study.starts)
        if number is None:
            minimum = report.policy.minimum_count
            told = marked("**Reach.** Fewer than {minimum} people have been referred to the {group} since {start}.")
            return say(told, minimum=minimum, group=group, start=start)
        if not number:
            return say("**Reach.** Nobody has been referred to the {group} since {start}.", group=group, start=start)
        one = marked("**Reach.** {n} person has been referred to the {group} since {start}.")
        many = marked("**Reach.** {n} people have been referred to the {group} since {start}.")
        return say.counted(one, many, number, group=group, start=start)

    def _sides(
        self, sentence: str, own: pd.Series, other: pd.Series | None, groups: Sequence[str], gap: str, **more: object
    ) -> str:
        """Say a sentence of the focus group, its share in the other group, and whether the two differ."""
        say = self.say
        told = say(sentence, group=groups[0], **self.limits(own), **more)
        if other is None:
            return told
        beside = say("In the {group} group it was {share} ({low} to {high}).", group=groups[1], **self.limits(other))
        return f"{told} {beside} {self.gap(gap, groups[0])}".strip()

    def gap(self, direction: str, group: str) -> str:
        """Say whether the two groups differ.

        Parameters
        ----------
        direction : {"none", "higher", "lower", ""}
            Empty where no difference may be told.
        group : str
            The focus group.

        Returns
        -------
        str
        """
        say = self.say
        told = {
            "none": marked("There is no clear difference."),
            "higher": marked("It is clearly higher in the {group} group."),
            "lower": marked("It is clearly lower in the {group} group."),
        }
        return say(told[direction], group=group) if direction else ""

    def limits(self, row: pd.Series) -> dict[str, str]:
        """Write a row's share with its limits: share, low, high."""
        named = {"share": "estimate", "low": "conf_low", "high": "conf_high"}
        return {name: self.say.percent(float(row[column])) for name, column in named.items()}

    def step(
        self,
        step: str,
        own: pd.Series | None,
        other: pd.Series | None,
        groups: Sequence[str],
        report: Report,
        gap: str = "",
    ) -> str:
        """Say how many reached a step of the funnel.

        Parameters
        ----------
        step : {"engaged", "completed"}
        own, other : pandas.Series or None
            Rows of the safe funnel: the focus group and the other one.
        groups : sequence of str
        report : Report
        gap : str
            As `gap` takes it.

        Returns
        -------
        str
        """
        say, rules = self.say, report.study.rules
        if step == "engaged":
            if own is None:
                return say("**Taking part.** Too few people have been followed for long enough to tell.")
            told = marked(
                "**Taking part.** In the {group} group, {share} ({low} to {high}) of people came to {sessions} or more "
                "sessions within {days} days of intake."
            )
            more = {"sessions": say.count(rules.engaged.sessions), "days": say.count(rules.engaged.days)}
            return self._sides(told, own, other, groups, gap, **more)
        if own is None:
            return say("**Completing.** Too few people have been followed for long enough to tell.")
        told = marked(
            "**Completing.** In the {group} group, {share} ({low} to {high}) of those who started completed the "
            "program within {days} days of their first session."
        )
        said = self._sides(told, own, other, groups, gap, days=say.count(rules.funnel.completion_days))
        return f"{said} {self._published(report)}".strip()

    def _published(self, report: Report) -> str:
        say = self.say
        exact = [b for b in report.baselines.baselines if b.measure == "completion" and b.n and not b.approximate]
        if not exact:
            return ""
        first = exact[0]
        told = marked(
            "In a published study, {label}, {share} of {n} {whom} completed the program. These are other people in "
            "other years: that share is no target."
        )
        named = {"label": self.own(first.label or first.id), "whom": self.own(first.denominator)}
        return say(told, n=say.count(first.n or 0), share=say.percent(first.value), **named)

    def left(self, own: pd.Series | None, other: pd.Series | None, groups: Sequence[str], gap: str = "") -> str:
        """Say how many had left by a day.

        Parameters
        ----------
        own, other : pandas.Series or None
            Rows of the safe incidence at one day.
        groups : sequence of str
        gap : str
            As `gap` takes it.

        Returns
        -------
        str
        """
        say = self.say
        if own is None:
            return say("**Staying.** Too few people have been followed for long enough to tell.")
        told = marked(
            "**Staying.** {day} days after their first session, {share} ({low} to {high}) of those who started in the "
            "{group} group had left without completing."
        )
        return self._sides(told, own, other, groups, gap, day=say.count(float(own["time"])))

    def harm(
        self, own: pd.Series | None, other: pd.Series | None, groups: Sequence[str], event: str, gap: str = ""
    ) -> str:
        """Say how many had caused recorded harm by a day.

        Parameters
        ----------
        own, other : pandas.Series or None
            Rows of the safe incidence at one day.
        groups : sequence of str
        event : str
            What counts as harm, in the study's words.
        gap : str
            As `gap` takes it.

        Returns
        -------
        str
        """
        say = self.say
        if own is None:
            return say("**Harm.** Too few people have been followed for long enough to tell.")
        told = {
            "referral": marked(
                "**Harm.** {day} days after referral, {share} ({low} to {high}) of people in the {group} group had "
                "{event}."
            ),
            "intake": marked(
                "**Harm.** {day} days after intake, {share} ({low} to {high}) of people in the {group} group had "
                "{event}."
            ),
        }[self.origin]
        said = self._sides(told, own, other, groups, gap, day=say.count(float(own["time"])), event=self.own(event))
        return f"{said} {self.unrecorded()}"

    def unrecorded(self) -> str:
        """Say that recorded harm is not all harm."""
        return self.say("Much harm is never recorded.")

    def steps(self, study: Study) -> dict[str, str]:
        """Return the labels of the funnel's steps.

        Parameters
        ----------
        study : Study

        Returns
        -------
        dict
            Term: label.
        """
        say, rules = self.say, study.rules
        windows = rules.funnel
        return {
            "intake": say("Intake within {days} days", days=windows.intake_days),
            "first_session": say("First session within {days} days", days=windows.first_session_days),
            "engaged": say(
                "{n} sessions within {days} days of intake", n=rules.engaged.sessions, days=rules.engaged.days
            ),
            "half_dose": say(
                "{n} sessions within {days} days", n=windows.half_dose_sessions, days=windows.half_dose_days
            ),
            "completed": say("Completed within {days} days", days=windows.completion_days),
        }

    def by_day(self, share: float, day: float) -> str:
        """Return a share at a day in words.

        Parameters
        ----------
        share, day : float

        Returns
        -------
        str
        """
        say = self.say
        return say("{share} by day {day}", share=say.percent(share), day=say.count(day))

    def alt(self, values: Sequence[tuple[str, Sequence[str]]]) -> str:
        """Return what a figure shows, for readers who do not see it.

        Parameters
        ----------
        values : sequence of (str, sequence of str)
            Group and its values in words.

        Returns
        -------
        str
        """
        say = self.say
        parts = [say("{group}: {values}.", group=group, values=", ".join(said)) for group, said in values if said]
        return " ".join(parts)

    def reading(self, report: Report) -> str:
        """Say how to read the brief, and what it does not show.

        Parameters
        ----------
        report : Report

        Returns
        -------
        str
            With signs (`evalkit.markup`).
        """
        say = self.say
        read = [
            say("A range in parentheses is a 95% confidence interval: how far chance alone could move a figure."),
            say(
                "To protect people, counts below {minimum} are not published, and other counts are up to {most} off, "
                "on purpose and at random.",
                minimum=report.policy.minimum_count,
                most=report.policy.noise_most,
            ),
            say(
                "Only what was known on {cut} is used. Shares that reached a step are of people whose time for it is "
                "over.",
                cut=say.day(report.cut),
            ),
        ]
        limits = [
            *self._cannot_show(report.study.comparison.assignment),
            say("Completing a program does not by itself mean that someone has stopped causing harm."),
        ]
        more = say(
            "The quarterly report of the same period has all tables, methods and data quality. The numbers behind each "
            "figure are in the folder “data” of this release."
        )
        heads = say("How to read the figures"), say("What these figures do not show"), say("Where to find more")
        first, second, third = map(heading, heads)
        return paragraphs(first, bullets(read), second, bullets(limits), third, more)

    def _cannot_show(self, assignment: str) -> list[str]:
        """Say what the figures do not show: it depends on how people came to be in one group or the other."""
        say = self.say
        if assignment == "mandate":
            return [
                say(
                    "They do not show what the program caused. People sent by a court differ from people who come "
                    "without a court order."
                ),
                say(
                    "Survivors do not report everything, and people under court supervision may be watched more "
                    "closely. Recorded harm is less than all harm."
                ),
            ]
        by_lot = say("The groups were made by lot: at the start only chance set them apart.")
        other = say("They do not show what the program caused. The groups may differ in more than the program.")
        return [by_lot if assignment == "random" else other, say("Recorded harm is less than all harm.")]
