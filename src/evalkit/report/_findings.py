"""Page one: what was found, in plain sentences, each with its uncertainty and what changed since last quarter."""

from __future__ import annotations

__all__ = ["Finding", "findings"]

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import engagement, survival
from evalkit.disclosure import Safe
from evalkit.display import Gap, common_day, count, gap_words, last_day, numbered, percent, sentences, words
from evalkit.display._kinds import is_empty
from evalkit.periods import long_date

if TYPE_CHECKING:
    from evalkit.report._report import Report


@dataclass(frozen=True)
class Finding:
    """One finding: its words, and the estimates its numbers come from."""

    text: str
    safe: tuple[Safe, ...]


def findings(report: Report) -> list[Finding]:
    """Return the headline findings of a report that may be shown.

    Parameters
    ----------
    report : Report

    Returns
    -------
    list of Finding
    """
    found = [_reached(report)]
    if report.cohort.has("sessions"):
        found += [*_engaged(report), *_staying(report), *_completed(report)]
    if report.cohort.has("outcomes"):
        found += _harm(report)
    return found


def _reached(report: Report) -> Finding:
    focus = report.groups[0]
    safe = report.safe(engagement.referred(report.cohort, report.period.first))
    rows = safe.estimates.tidy()
    own = rows[rows["group"] == focus].set_index("term")
    people = float(own["n"].get("all", np.nan))
    minimum = report.policy.minimum_count
    if not np.isfinite(people):
        return Finding(words("find.reach.small", group=focus, minimum=minimum), (safe,))
    text = numbered("find.reach", people, group=focus, start=long_date(report.study.starts))
    new = float(own["n_event"].get("new", np.nan))
    if not people:
        tail = ""
    elif not np.isfinite(new):
        tail = words("find.reach.few", minimum=minimum)
    else:
        tail = words("find.reach.new", n=count(new)) if new else words("find.reach.none")
    return Finding(f"{text} {tail}".strip(), (safe,))


def _sides(rows: pd.DataFrame, report: Report) -> tuple[pd.Series | None, pd.Series | None]:
    """Return the row of the focus and that of the comparison, where they may be shown."""
    known = rows.dropna(subset=["estimate"])
    found = [known[known["group"] == g] for g in report.groups]
    return tuple(own.iloc[0] if len(own) else None for own in found)  # type: ignore[return-value]


def _said(row: pd.Series) -> dict[str, str]:
    return {"share": percent(row["estimate"]), "low": percent(row["conf_low"]), "high": percent(row["conf_high"])}


def _beside(report: Report, other: pd.Series | None, gap: Gap | None) -> Iterator[str]:
    """Say what was found in the other group, and whether the two differ."""
    if other is not None:
        yield words("find.other", group=report.groups[1], share=percent(other["estimate"]))
    if other is not None and gap is not None:
        yield gap_words(gap, report.groups[0])


def _changed(report: Report, step: str) -> tuple[list[str], tuple[Safe, ...]]:
    """Say how a share changed since the quarter before, where there was one and enough is new."""
    if report.earlier is None:
        return [], ()
    base = report.policy.rounding_base
    safe = report.safe(engagement.change(report.cohort, report.earlier, step, rounding=base))
    rows = safe.estimates.tidy()
    own = rows[rows["group"] == report.groups[0]].dropna(subset=["estimate"])
    if own.empty:
        return [], (safe,)
    row = own.iloc[0]
    gap = Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))
    return [gap_words(gap, report.groups[0], "change", before=percent(row["baseline"]))], (safe,)


def _step(report: Report, step: str, text: str, beside: str = "", **values: object) -> list[Finding]:
    safe = report.safe(engagement.funnel(report.cohort))
    rows = safe.estimates.tidy()
    own, other = _sides(rows[(rows["term"] == step) & (rows["n"] > 0)], report)
    if own is None:
        return []
    gap = report.gaps(safe).get(str(own["label"]))
    changed, also = _changed(report, step)
    told = words(text, group=report.groups[0], n=count(own["n"]), **_said(own), **values)
    said = [told, *_beside(report, other, gap), *changed]
    return [Finding(" ".join([*said, beside]).strip(), (safe, *also))]


def _engaged(report: Report) -> list[Finding]:
    rule = report.cohort.rules.engaged
    return _step(report, "engaged", "find.engaged", sessions=rule.sessions, days=rule.days)


def _completed(report: Report) -> list[Finding]:
    exact = [b for b in report.baselines.baselines if b.measure == "completion" and b.n and not b.approximate]
    published = [
        words("find.published", n=count(b.n), label=b.label or b.id, share=percent(b.value)) for b in exact[:1]
    ]
    days = report.cohort.rules.funnel.completion_days
    return _step(report, "completed", "find.completed", "".join(published), days=days)


def _curve(report: Report, exact: object, text: str, horizon: float, **values: object) -> tuple[list[str], Safe, float]:
    """Read a curve on the last day that may be quoted, at most the horizon; say so where the curve goes on.

    Returns
    -------
    sentences : list of str
        No sentence where no day can be quoted.
    safe : Safe
    sooner : float
        The day that could not be quoted; nan where the one that was quoted is it.
    """
    safe = report.safe(exact)  # type: ignore[arg-type]
    if safe.verdict == "withheld" or is_empty(safe):
        return [], safe, np.nan
    rows = safe.landmark_rows()
    cause = str(safe.estimates.data["cause"].iloc[0])
    rows = rows[rows["cause"] == cause]
    day = common_day(rows, report.groups)
    own, other = _sides(rows[rows["time"] == day], report)
    if own is None:
        return [], safe, np.nan
    gap = report.gaps(safe, exact).get(cause)  # type: ignore[arg-type]
    gap = gap if gap is not None and gap.day == day else None
    said = [
        words(text, group=report.groups[0], day=int(day), **_said(own), **values),
        *_beside(report, other, gap),
    ]
    last = min(horizon, last_day(safe, report.groups, cause))
    wanted = max((landmark for landmark in report.policy.landmarks if landmark <= last), default=0)
    if day >= wanted:
        return said, safe, np.nan
    return [*said, words("find.sooner", wanted=wanted)], safe, wanted


def _staying(report: Report) -> list[Finding]:
    horizon = report.cohort.rules.landmark_day
    said, safe, sooner = _curve(report, engagement.leaving(report.cohort), "find.staying", horizon)
    also: tuple[Safe, ...] = ()
    if sooner > 0:  # what no single day can say, the mean over all of them can
        mean = report.safe(engagement.mean_stay(report.cohort, int(sooner)))
        if not is_empty(mean):
            said, also = [*said, sentences(mean, report.groups, event=words("find.disengaging"))], (mean,)
    return [Finding(" ".join(said), (safe, *also))] if said else []


def _harm(report: Report) -> list[Finding]:
    times, label = report.cohort.harm(), report.study.harm.label
    if times.empty:
        return []
    found = survival.cumulative_incidence(times, "time", "event", by="group", causes=[label])
    said, safe, _ = _curve(report, found, "find.harm", max(report.study.harm.horizons, default=0), event=label)
    return [Finding(" ".join(said), (safe,))] if said else []
