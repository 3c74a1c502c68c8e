"""Page one, for a minute's reading: the bottom line, a grid of indicators, a few sentences, and what is not known.

Shares with an event are quoted as the brief quotes them: by the same day, with whether the groups differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import analyses
from evalkit.analyses import first_harm
from evalkit.cohort import Cohort
from evalkit.disclosure import Safe
from evalkit.estimates import Estimates
from evalkit.levels import outcome_in_words
from evalkit.markup import box, heading, paragraphs, sign
from evalkit.report._contrast import gap_before
from evalkit.report._mark import emit
from evalkit.report._standing import a_year_earlier, by_court
from evalkit.views import (
    Gap,
    Indicator,
    common_day,
    count,
    indicator_numbers,
    indicator_table,
    last_day,
    listed,
    numbered,
    words,
)
from evalkit.words import long_date, percent, span, translated, within

if TYPE_CHECKING:
    from evalkit.report._report import Report

__all__ = ["EventShare", "Finding", "PageOne", "left_by", "page_one", "share_harmed", "share_left", "show_findings"]


_HALF_A_YEAR = 182  # in which a weekly dose can be reached


@dataclass(frozen=True, eq=False)
class EventShare:
    """The share with an event on the days that may be quoted."""

    safe: Safe  # the curves they are read from
    rows: pd.DataFrame = field(repr=False)  # group, time, estimate, limits, and n: with whom the curve begins
    gap: Gap | None  # on the last day quoted of both groups
    last: float  # day up to the horizon that all curves reach, quoted or not; nan: none
    cause: str  # the event

    def on_a_day(self, groups: tuple[str, str]) -> tuple[pd.Series | None, pd.Series | None]:
        """Return the rows of the focus and the comparison on the last day quoted of both, or else of the focus."""
        day = common_day(self.rows, groups)
        own, other = (self.row(group, day) for group in groups)
        # Of the focus alone, then: page one is about it.
        if own is None:
            day = common_day(self.rows[self.rows["group"] == groups[0]], groups)
            own, other = (self.row(group, day) for group in groups)
        return own, other

    def gap_on(self, day: float) -> Gap | None:
        """Return the difference between the groups if it is that of a day."""
        return self.gap if self.gap is not None and self.gap.day == day else None

    def gap_told(self, groups: tuple[str, str]) -> Gap | None:
        """Return the difference between the groups on the day that page one quotes."""
        own, other = self.on_a_day(groups)
        return None if own is None or other is None else self.gap_on(float(own["time"]))

    def row(self, group: str, day: float) -> pd.Series | None:
        """Return what is quoted of a group on a day."""
        found = self.rows[(self.rows["group"] == group) & (self.rows["time"] == day)]
        return found.iloc[0] if len(found) else None

    def withheld(self, groups: tuple[str, str]) -> bool:
        """Whether the curve of the focus reaches a day of which nothing may be quoted, and none before it can be."""
        return self.last > 0 and self.on_a_day(groups)[0] is None


def left_by(report: Report) -> int:
    """Return the day by which page one and the brief say who had left: half a year, or an earlier landmark."""
    return min(report.cohort.rules.landmark_day, _HALF_A_YEAR)


def share_left(report: Report, cohort: Cohort) -> EventShare | None:
    """Return the share of starters who had left, of the report's cohort or one known before; None: not to be shown."""
    return _share(report, _known(report, cohort, analyses.leaving(cohort)), str(cohort.causes[1]), left_by(report))


def share_harmed(report: Report, cohort: Cohort) -> EventShare | None:
    """Return the share with recorded harm, of the report's cohort or one known before; None: not to be shown."""
    exact = _known(report, cohort, first_harm(cohort, report.policy.minimum_count))
    return _share(report, exact, report.study.harm.label, max(report.study.harm.horizons, default=0))


def _known(report: Report, cohort: Cohort, exact: Estimates) -> Estimates:
    """Name a question that is asked of what was known before: it is another one than today's."""
    # Under today's name a number of then would be followed from release to release as today's.
    return exact if cohort is report.cohort else exact.about(asked={**exact.asked, "known": "before"})


def _share(report: Report, exact: Estimates, cause: str, horizon: float) -> EventShare | None:
    safe = report.safe(exact).until(horizon)
    if safe.smooth is None:
        return None
    rows, every = safe.landmark_rows(), safe.estimates.tidy()
    rows = rows[rows["cause"] == cause]
    people = every.groupby("group")["n_risk"].max()  # at risk when the curve begins: everybody
    rows = rows.assign(n=rows["group"].map(people))
    return EventShare(safe, rows, report.gaps(safe).get(cause), min(_last(safe, report, cause), horizon), cause)


def _last(safe: Safe, report: Report, cause: str) -> float:
    """Return the last landmark that both curves reach, or that of the focus where there is no other."""
    own = last_day(safe, report.groups[:1], cause)
    return last_day(safe, report.groups, cause) if own > 0 else own


_GOOD = {"engaged": "higher", "left": "lower", "completed": "higher"}
"""Indicators of staying, and the direction that is more of it."""
_CLEAR = ("higher", "lower")


@dataclass(frozen=True)
class Finding:
    """One line of the grid, and the estimates that its numbers come from."""

    line: Indicator
    safe: tuple[Safe, ...]
    changed: Gap | None = None
    was: Gap | None = None
    """The gap between the groups as it was known a quarter ago."""

    @property
    def key(self) -> str:
        """What it is about: ``engaged``."""
        return self.line.term


@dataclass(frozen=True)
class PageOne:
    """What page one says.

    Of the `whole` period no other report follows: nothing is said to be known later, and changes are since a year ago.
    """

    report: Report = field(repr=False)
    found: Sequence[Finding]
    whole: bool = False

    def _words(self, key: str, **values: object) -> str:
        """Return a message as this report says it: of the whole period nothing is unknown 'yet'."""
        return words(f"{key}.whole" if self.whole else key, **values)

    @property
    def bottom_line(self) -> str:
        """The finding of findings: what can and what cannot be told of staying, and of harm."""
        gaps = {one.key: one.line.gap for one in self.found if one.line.gap is not None}
        both = _both(self.report)
        clear = [f"{key}.{gap.direction}" for key, gap in gaps.items() if key in _GOOD and gap.direction != "none"]
        said = [words(f"line.{key}", **both) for key in clear]
        known = [key for key in gaps if key in _GOOD]
        asked = any(one.key in _GOOD for one in self.found)
        unclear = bool(known) and not clear
        if not known and asked:
            said.append(self._words("line.stay.early", **both))
        elif unclear:
            said.append(self._words("line.stay.none", **both))
        # A first line that tells the clear findings alone would hide that the others are unclear.
        elif len(clear) < len(known):
            said.append(words("line.stay.rest"))
        if any(one.key == "harm" for one in self.found):
            harm = gaps["harm"].direction if "harm" in gaps else "early"
            # "Nor" goes on from a sentence that cannot tell either.
            key = f"line.harm.{'nor' if unclear and harm == 'none' else harm}"
            said.append(words(key, **both) if harm in _CLEAR else self._words(key))
        return " ".join(said) or self._words("line.early", **both)

    @property
    def sentences(self) -> list[str]:
        """At most five sentences: what a first line said before, what changed, the target, what harm holds."""
        said = [*self._taken_back(), *self._changes(), self._targets()]
        if any(one.key == "harm" for one in self.found):
            kinds = listed([translated(outcome_in_words(kind)) for kind in self.report.study.harm.kinds])
            said.append(words("find.harm.holds", kinds=kinds))
        return said

    def _targets(self) -> str:
        """Say what the indicators are meant to reach, or that nothing is set."""
        set_ = [(one.key, self.report.study.target(one.key)) for one in self.found]
        named = [words(f"find.target.{key}", share=percent(goal.value)) for key, goal in set_ if goal is not None]
        return words("find.target.set", targets=listed(named)) if named else words("find.target.none")

    def _changes(self) -> list[str]:
        """Say how the focus changed, with its range: beside today's share an earlier one alone reads as a change."""
        own, when = within(self.report.groups[0]), words("find.when.year" if self.whole else "find.when.quarter")
        clear: list[str] = []
        unclear: list[str] = []
        for one in self.found:
            if one.changed is not None:
                way = one.changed.direction
                told = {"within": own, "when": when, "share": percent(one.line.before), **_ends(one.changed)}
                (unclear if way == "none" else clear).append(words(f"find.changed.{one.key}.{way}", **told))
        # Most people of a year's harm are in both figures, and no range of their change is known.
        harm = any(one.key == "harm" and one.line.sides[0] is not None for one in self.found)
        if clear:
            return [_one_sentence(clear), *([words("find.changed.harm")] if harm else [])]
        if not unclear:
            return []
        # A reader of the quarterly has seen both: one that is left out looks hidden.
        done = [one for one in self.found if one.key == "completed" and one.line.sides[0] is not None]
        shares = listed(unclear)
        if self.whole and any(one.changed is None for one in done):
            shares = words("find.changed.few", shares=shares)
        key = "find.changed.none.harm" if harm else "find.changed.none"
        return [words(key, within=own, when=when, shares=shares)]

    def _taken_back(self) -> list[str]:
        """Say which first lines of a quarter ago hold no more: who read them would take them for today's."""
        both = _both(self.report)
        said = [
            words(f"line.{one.key}.{one.was.direction}", **both)
            for one in self.found
            if one.was is not None and one.was.direction in _CLEAR
        ]
        return [words("find.was", said=_inside(_one_sentence(said)))] if said else []

    @property
    def help(self) -> str:
        """Where help is, in a line of its own: whoever needs it does not read five sentences first."""
        line = self.report.study.harm.helpline if any(one.key == "harm" for one in self.found) else ""
        return box("help", words("find.help", help=translated(line))) if line else ""

    @property
    def unknown(self) -> str:
        """What is not known, said once."""
        if not any(one.line.sides[0] is not None for one in self.found[1:]):
            return self._words("find.unknown.early")
        how = self.report.study.comparison.assignment
        # Who is watched more has more on record: that is no difference in what they do.
        harm = any(one.key == "harm" for one in self.found)
        return words(f"find.unknown.{how}", recorded=words(f"find.recorded.{how}") if harm else "")

    @property
    def note(self) -> str:
        """Who the groups are."""
        arms = (self.report.study.arms.focus, self.report.study.arms.comparison)
        named = [words("ind.note.group", label=arm.label, definition=arm.definition) for arm in arms if arm.definition]
        return " ".join(named)


def _both(report: Report) -> dict[str, str]:
    """Return how sentences say that something holds in the groups: ``focus`` in the pilot, ``other`` in PAIP."""
    return dict(zip(("focus", "other"), map(within, report.groups), strict=True))


def _inside(sentence: str) -> str:
    """Return a sentence as it stands inside another."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _one_sentence(said: Sequence[str]) -> str:
    """Join sentences into one."""
    first, *more = said
    return "; ".join([first.rstrip("."), *map(_inside, more)]) + "." if more else first


def page_one(report: Report, *, whole: bool = False) -> PageOne:
    """Return what page one of a report says; `whole` is of the whole period, its changes since a year ago."""
    asked = _Asked(report, a_year_earlier(report) if whole else report.earlier, whole)
    found = [_referred(report, whole=whole)]
    if report.cohort.has("outcomes"):
        found.append(_event(asked, share_harmed, "harm"))
    if report.cohort.has("sessions"):
        found.append(_step(asked, "engaged"))
        found.append(_event(asked, share_left, "left"))
        found.append(_step(asked, "completed"))
    return PageOne(report, found, whole)


@dataclass(frozen=True)
class _Asked:
    """What the lines are asked of: the report, the cohort known a while ago, and whether it is of the whole period."""

    report: Report
    before: Cohort | None
    whole: bool


def show_findings(report: Report, *, whole: bool = False, label: str = "") -> None:
    """Show page one; see `Report.findings`."""
    page = page_one(report, whole=whole)
    safe = [one for finding in page.found for one in finding.safe]
    also = {one.estimates.id: one.estimates.kind for one in safe}
    # One mark for all three, with every estimate's name: page one is one thing (ADR 23).
    put = partial(emit, estimate=safe[0].estimates.id, kind="findings", verdict="released", also=also)
    lines = [finding.line for finding in page.found]
    put("markdown", heading(page.bottom_line) + (sign(f" {{#{label}}}") if label else ""))
    put(
        "table",
        indicator_table(lines, report.groups, page.note, by_court=by_court(report)),
        data=indicator_numbers(lines, report.groups),
        words={"caption": words("ind.caption")},
    )
    put("markdown", paragraphs(" ".join(page.sentences), page.unknown, page.help))


def _referred(report: Report, *, whole: bool) -> Finding:
    safe = report.safe(analyses.referred(report.cohort, report.period.first))
    rows = safe.estimates.tidy()
    known = rows[(rows["term"] == "all") & rows["n"].notna()].set_index("group")["n"]
    sides = [pd.Series({"n": float(known[g])}) if g in known.index else None for g in report.groups]
    new = rows.loc[(rows["term"] == "new") & (rows["group"] == report.groups[0]), "n_event"].tolist()
    minimum = report.policy.minimum_count
    if sides[0] is None:
        says = words("says.small.whole" if whole else "says.small", minimum=minimum)
    elif whole or not sides[0]["n"]:
        says = ""
    elif not new or not np.isfinite(new[0]):
        says = words("says.new.few", minimum=minimum, within=within(report.groups[0]))
    else:
        says = numbered("says.new", float(new[0]), within=within(report.groups[0]))
    series, also = _cohorts(report, "referred")
    whom = words("ind.referred.whom", start=long_date(report.study.starts))
    # Its estimate asks for the new people of this quarter, too: it has another name in the next.
    line = Indicator("referred", words("ind.referred"), whom, says, sides=(sides[0], sides[1]), series=series)
    return Finding(line, (safe, *also))


def _cohorts(report: Report, step: str) -> tuple[pd.DataFrame, tuple[Safe, ...]]:
    """Return a step of the focus by quarter of referral; every quarter has a row, what is not shown is missing."""
    if not report.cohort.has("sessions"):
        return pd.DataFrame(), ()
    exact = analyses.by_quarter_of_referral(report.cohort)
    safe, asked = report.safe(exact), exact.tidy()
    rows = safe.estimates.tidy()
    if "period" not in rows:
        return pd.DataFrame(), (safe,)
    periods = asked.loc[asked["variable"] == step, "period"].drop_duplicates()  # the calendar's, not the data's
    own = rows[(rows["variable"] == step) & (rows["group"] == report.groups[0])].set_index("period")
    return own[["n", "estimate"]].reindex(periods).reset_index(names="period"), (safe,)


def _sides(rows: pd.DataFrame, report: Report) -> tuple[pd.Series | None, pd.Series | None]:
    """Return the row of the focus and that of the comparison, where they may be shown."""
    known = rows.dropna(subset=["estimate"])
    found = [known[known["group"] == g] for g in report.groups]
    return tuple(own.iloc[0] if len(own) else None for own in found)  # type: ignore[return-value]


def _step(asked: _Asked, step: str) -> Finding:
    report = asked.report
    safe = report.safe(analyses.funnel(report.cohort))
    rows, rules = safe.estimates.tidy(), report.cohort.rules
    sides = _sides(rows[(rows["term"] == step) & (rows["n"] > 0)], report)
    gap = None
    if sides[0] is not None and sides[1] is not None:
        gap = report.gaps(safe).get(str(sides[0]["label"]))
    # Withheld and too early look alike in the rows; readers are told which (ADR 23).
    withheld = f"{report.groups[0]}: {step}" in safe.withheld
    before, changed, was, also = _changed(asked, step)
    series, cohorts = _cohorts(report, step)
    time = span(rules.funnel.completion_days)
    name, whom = (
        words(f"ind.{step}{part}", sessions=rules.engaged.sessions, days=rules.engaged.days, time=time)
        for part in ("", ".whom")
    )
    said = _says(asked, sides, gap, withheld=withheld)
    when = "a year ago" if asked.whole else "a quarter ago"
    line = Indicator(step, name, whom, *said, sides, gap, series, before, safe.estimates.id, when)
    return Finding(line, (safe, *also, *cohorts), changed, was if _is_unclear(gap) else None)


def _is_unclear(gap: Gap | None) -> bool:
    """Say whether a gap is told, and is unclear: of one that is not told nobody can say that it holds no more."""
    return gap is not None and gap.direction not in _CLEAR


def _changed(asked: _Asked, step: str) -> tuple[float, Gap | None, Gap | None, tuple[Safe, ...]]:
    """Return the share a while ago, how it changed, the gap a quarter ago, and what they come from.

    Missing where there was no then, or too little is new.
    """
    report = asked.report

    def since(before: Cohort | None) -> tuple[Safe, ...]:
        if before is None:
            return ()
        noise = report.policy.noise_variance
        return (report.safe(analyses.change(report.cohort, before, step, noise_variance=noise)),)

    last = since(report.earlier)
    was = gap_before(last[0], report.groups) if last else None
    # A quarterly compares with the quarter that it takes first lines back of: the same numbers, asked once.
    found = last if asked.before is report.earlier else since(asked.before)
    also = tuple(dict.fromkeys((*found, *last)))
    rows = found[0].estimates.tidy() if found else pd.DataFrame()
    own = rows[rows["group"] == report.groups[0]].dropna(subset=["estimate"]) if found else rows
    if own.empty:
        return float("nan"), None, was, also
    row = own.iloc[0]
    gap = Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))
    return float(row["baseline"]), gap, was, also


def _event(asked: _Asked, share: Callable[[Report, Cohort], EventShare | None], key: str) -> Finding:
    """Return the share with an event by the day that may be quoted."""
    report, harm = asked.report, asked.report.study.harm
    found = share(report, report.cohort)
    asked_for = max(harm.horizons, default=0) if key == "harm" else left_by(report)
    own, other = (None, None) if found is None else found.on_a_day(report.groups)
    withheld = found is not None and found.withheld(report.groups)
    day = float(asked_for) if own is None else float(own["time"])
    if found is not None and own is None and other is None:
        other = found.row(report.groups[1], day)
    gap = None if found is None or own is None or other is None else found.gap_on(day)
    said = {"time": span(day), "event": harm.label}
    whom = words(f"ind.harm.whom.{harm.origin}" if key == "harm" else "ind.left.whom", **said)
    name, says = words(f"ind.{key}", **said), _says(asked, (own, other), gap, withheld=withheld)
    question = "" if found is None else found.safe.estimates.id
    title = name[:1].upper() + name[1:]
    line = Indicator(key, title, whom, *says, (own, other), gap, estimate_id=question, estimated=True)
    # Asked after today's: a number that would make one look too many is one of a quarter ago.
    then = share(report, report.earlier) if report.earlier is not None and _is_unclear(gap) else None
    safe = tuple(one.safe for one in (found, then) if one is not None)
    return Finding(line, safe, was=None if then is None else then.gap_told(report.groups))


def _says(asked: _Asked, sides: Sequence[pd.Series | None], gap: Gap | None, *, withheld: bool) -> tuple[str, str]:
    """Say in a few words what may be concluded, with its direction and range; and the verdict of it."""
    missing = "withheld" if withheld else "early"
    key = missing if sides[0] is None else "alone" if gap is None else gap.direction
    ends = {} if gap is None else _ends(gap)
    whole = ".whole" if asked.whole else ""
    says, verdict = (whole if key == own else "" for own in ("alone", "early"))
    return words(f"says.{key}{says}", **_both(asked.report), **ends), words(f"verdict.{key}{verdict}")


def _ends(gap: Gap) -> dict[str, str]:
    """Write the limits of a gap as people of every hundred."""
    low, high = sorted((abs(gap.low), abs(gap.high))) if gap.direction != "none" else (abs(gap.low), abs(gap.high))
    return {"low": count(100 * low), "high": count(100 * high)}
