"""The two-page brief for the public, in the reader's language: each sentence and label is one of the catalogue."""

from __future__ import annotations

__all__ = ["Brief", "open_brief"]

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
from matplotlib.figure import Figure

from evalkit import analyses
from evalkit.analyses import mean_without_harm
from evalkit.disclosure import Safe
from evalkit.markup import bold, box, bullets, heading, paragraphs
from evalkit.report._brief_unquoted import later, mean, other, unquoted
from evalkit.report._brief_words import Words
from evalkit.report._event_share import EventShare, left_by, share_harmed, share_left
from evalkit.report._open import open_report
from evalkit.report._report import Report
from evalkit.views import curves_of_brief, mean_gap, shares_of_brief, svg_of
from evalkit.views._mark import emit
from evalkit.words import Messages, messages_for, speech

_LEFT = "disengagement"


@dataclass(frozen=True, eq=False)
class Brief:
    """A study at a data cut, told in two pages.

    Attributes
    ----------
    report : Report
        Where the numbers come from: the same estimates as in the quarterly report, through the same disclosure control.
    words : Words
        What is said, in the brief's language.
    """

    report: Report
    words: Words = field(repr=False)

    @property
    def say(self) -> Messages:
        """The catalogue."""
        return self.words.say

    @property
    def groups(self) -> tuple[str, str]:
        """Labels of the arms in the brief's language, the focus first."""
        first, second = (self.words.own(label) for label in self.report.groups)
        return first, second

    def cover(self) -> None:
        """Show title, programme, period and cut."""
        study, say = self.report.study, self.say
        facts = {
            "title": say("Brief"),
            "subtitle": self.words.own(study.subtitle),
            "study": self.words.own(study.title),
            "organisation": self.words.own(study.organisation),
            "period": self.words.period(self.report.period),
            "cut": say.day(self.report.cut),
            "cut_date": self.report.cut.isoformat(),
            "synthetic": self.report.cohort.synthetic,
            "locale": say.locale,
            "assignment": study.comparison.assignment,
        }
        emit("cover", bold(f"{facts['title']}: {facts['study']}"), document=facts)

    def about(self) -> None:
        """Say whom the brief is about."""
        emit("markdown", self.words.about(self.report.study, self.groups), kind="groups")

    def findings(self) -> None:
        """Show what was found, in plain sentences, each with its uncertainty."""
        reached, safe = self._reached()
        found: list[tuple[str, tuple[Safe, ...]]] = [(reached, (safe,))]
        if self.report.cohort.has("sessions"):
            found += [self._step("engaged"), self._left(), self._step("completed")]
        if self.report.cohort.has("outcomes"):
            found.append(self._harm())
        also = {one.estimates.id: one.estimates.kind for _, shown in found for one in shown}
        say = self.say
        alike = say("“No clear difference” does not mean that the groups are alike.")
        points = box("finding", bullets(text for text, _ in found))
        text = paragraphs(heading(say("What was found")), points, alike)
        emit("markdown", text, estimate=safe.estimates.id, kind="findings", verdict="released", also=also)

    def steps(self) -> None:
        """Show the steps from referral to completion as a figure."""
        title = self.say("Steps from referral to completion")
        if not self.report.cohort.has("sessions"):
            self._absent(title)
            return
        safe = self._funnel()
        rows = safe.estimates.tidy().dropna(subset=["estimate"])
        # The dose is not a step of its own for the public: a brief has two pages, and completing takes more.
        rows = rows[(rows["n"] > 0) & ~rows["term"].isin(["referred", "dose"])]
        if rows.empty:
            self._absent(title)
            return
        named, say = self.words.steps(self.report.study), self.say
        rows = rows.assign(label=rows["term"].map(named))
        rows = self._translated(rows)[["group", "label", "n", "n_event", "estimate", "conf_low", "conf_high"]]
        x_label = say("Share of people whose time for the step is over")
        figure = shares_of_brief(rows, self.groups, x_label, say)
        values = [(group, self._values(rows[rows["group"] == group])) for group in self.groups]
        caption = say("Steps from referral to completion, with 95% confidence intervals")
        self._figure(figure, rows, safe, caption, self.words.alt(values))

    def staying(self, horizon: float = 365) -> None:
        """Show by when people had left the program, as a figure.

        Parameters
        ----------
        horizon : float, default 365
            Longest day drawn.
        """
        found = share_left(self.report) if self.report.cohort.has("sessions") else None
        shown = [] if found is None else [g for g in self.report.groups if (found.rows["group"] == g).any()]
        if found is None or not shown:
            self._absent(self.say("Share of people who had left without completing"))
            return
        safe = found.safe
        curves = {self.words.own(g): safe.knots(g, _LEFT).drop(columns="std_error", errors="ignore") for g in shown}
        say = self.say
        labels = (say("Days since first session"), say("Left without completing"))
        figure = curves_of_brief(curves, self.groups, labels, horizon, say)
        own = self._translated(found.rows[found.rows["time"] <= horizon])
        values = [(group, self._days(own[own["group"] == group])) for group in self.groups]
        quoted = own[["group", "time", "estimate", "conf_low", "conf_high"]]
        data = pd.concat([quoted, *(c.assign(group=g) for g, c in curves.items())], ignore_index=True)
        data = data[data["time"] <= horizon].drop_duplicates(["group", "time", "estimate"])
        data = data.sort_values(["group", "time"], kind="stable", ignore_index=True)
        caption = say(
            "Share of people who had left without completing, by days since their first session, with 95% confidence "
            "intervals"
        )
        self._figure(figure, data, safe, caption, self.words.alt(values))

    def reading(self) -> None:
        """Say how to read the figures, and what they do not show."""
        emit("markdown", self.words.reading(self.report), kind="methods")

    def _figure(self, figure: Figure, data: pd.DataFrame, safe: Safe, caption: str, alt: str) -> None:
        emit(
            "figure", svg_of(figure), data=data, estimate=safe.estimates.id, kind=safe.estimates.kind,
            verdict=safe.verdict, words={"caption": caption, "alt": alt},
        )  # fmt: skip

    def _values(self, rows: pd.DataFrame) -> list[str]:
        pairs = zip(rows["label"], rows["estimate"], strict=True)
        return [f"{label} {self.say.percent(float(share))}" for label, share in pairs]

    def _days(self, rows: pd.DataFrame) -> list[str]:
        pairs = zip(rows["estimate"], rows["time"], strict=True)
        return [self.words.by_day(float(share), float(day)) for share, day in pairs]

    def _absent(self, title: str) -> None:
        """Say why a figure is not there."""
        why = self.words.too_few() if self.report.cohort.has("sessions") else self.words.no_sessions()
        emit("markdown", box("absent", f"{title}. {why}"), kind="absent")

    def _translated(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(group=rows["group"].map(self.words.own))

    def _funnel(self) -> Safe:
        return self.report.safe(analyses.funnel(self.report.cohort))

    def _reached(self) -> tuple[str, Safe]:
        safe = self.report.safe(self.report.cohort.attrition)
        if self.report.cohort.has("sessions"):
            safe = self._funnel()
            rows = safe.estimates.tidy()
            own = rows[(rows["group"] == self.report.groups[0]) & (rows["term"] == "referred")].dropna(subset=["n"])
            number = float(own["n"].iloc[0]) if len(own) else None
            return self.words.reached(self.groups[0], number, self.report), safe
        rows = safe.estimates.tidy()
        own = rows[rows["group"] == self.report.groups[0]].dropna(subset=["n"])
        number = float(own["n"].max()) if len(own) else None
        return self.words.reached(self.groups[0], number, self.report), safe

    def _sides(self, rows: pd.DataFrame) -> Sequence[pd.Series | None]:
        known = rows.dropna(subset=["estimate"])
        found = [known[known["group"] == group] for group in self.report.groups]
        return [own.iloc[0] if len(own) else None for own in found]

    def _step(self, step: str) -> tuple[str, tuple[Safe, ...]]:
        safe = self._funnel()
        rows = safe.estimates.tidy()
        own, other = self._sides(rows[(rows["term"] == step) & (rows["n"] > 0)])
        gap = None if own is None else self.report.gaps(safe).get(str(own["label"]))
        direction = "" if gap is None else gap.direction
        return self.words.step(step, own, other, self.groups, self.report, direction), (safe,)

    def _left(self) -> tuple[str, tuple[Safe, ...]]:
        found, horizon = share_left(self.report), left_by(self.report)
        if found is None:
            return self.words.left(None, None, self.groups), (self._funnel(),)
        own, other = found.on_a_day(self.report.groups, horizon)
        said = self.words.left(own, other, self.groups, self._direction(found, own))
        return self._told(said, "Staying", found, own, horizon)

    def _harm(self) -> tuple[str, tuple[Safe, ...]]:
        found, label = share_harmed(self.report), self.report.study.harm.label
        if found is None:
            nobody = self.report.safe(self.report.cohort.attrition)
            return self.words.harm(None, None, self.groups, label), (nobody,)
        horizon = max(self.report.study.harm.horizons, default=0)
        own, other = found.on_a_day(self.report.groups, horizon)
        said = self.words.harm(own, other, self.groups, label, self._direction(found, own))
        return self._told(said, "Harm", found, own, horizon)

    def _direction(self, found: EventShare, own: pd.Series | None) -> str:
        gap = None if own is None else found.gap_on(own["time"])
        return "" if gap is None else gap.direction

    def _told(
        self, said: str, what: str, found: EventShare, own: pd.Series | None, horizon: float
    ) -> tuple[str, tuple[Safe, ...]]:
        """Say, where no day or only an earlier one can be quoted, how the means over all days compare."""
        wanted = found.sooner(self.report.groups, horizon)
        if not wanted > 0 or (own is None and wanted < horizon):
            return said, (found.safe,)
        said = f"{said} {later(self.say)}" if own is not None else unquoted(self.say, what)
        row = found.row(self.report.groups[1], wanted)
        if own is None and row is not None:
            limits, event = self.words.limits(row), self.words.own(self.report.study.harm.label)
            kind = f"Harm, {self.words.origin}" if what == "Harm" else what
            said = f"{said} {other(self.say, kind, self.groups[1], limits, wanted, event)}"
        if own is None and what == "Harm":
            said = f"{said} {self.words.unrecorded()}"
        mean_of = analyses.mean_stay if what == "Staying" else mean_without_harm
        contrast = self.report.safe(mean_of(self.report.cohort, int(wanted)))
        gap = mean_gap(contrast)
        if gap is None:
            return said, (found.safe,)
        return f"{said} {mean(self.say, what, gap.direction, self.groups[0], wanted)}", (found.safe, contrast)


def open_brief(study: str, period: str = "newest", *, language: str = "en") -> Brief:
    """Open a study at the cut of a period, for a brief in a language.

    Parameters
    ----------
    study : str
        Path of the ``study.yaml``, from the notebook's folder.
    period : str, default "newest"
        As in `open_report`.
    language : {"en", "es"}, default "en"

    Returns
    -------
    Brief

    Raises
    ------
    ProtocolError
        If there are no messages in the language.
    EvalkitError
        As `open_report` does.
    """
    report = open_report(study, period, title="Brief", language=language)
    own = report.study.translations.get("es", {}) if language == "es" else {}
    return Brief(report, Words(messages_for(speech().locale), own, report.study.harm.origin))
