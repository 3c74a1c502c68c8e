"""Page one: what was found, in plain sentences, each with its uncertainty and what changed since last quarter."""

from __future__ import annotations

__all__ = ["Finding", "findings", "show_findings"]

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import analyses
from evalkit.analyses import mean_without_harm
from evalkit.disclosure import Safe
from evalkit.estimates import Estimates
from evalkit.markup import box, bullets, paragraphs
from evalkit.report._event_share import EventShare, left_by, share_harmed, share_left
from evalkit.views import CurveText, Gap, Look, count, gap_words, numbered, percent, words
from evalkit.views._mark import emit
from evalkit.words import long_date

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
        found += _harm(report, alone=len(found) == 1)
    return found


def show_findings(report: Report) -> None:
    """Show the headline findings of page one; see `Report.findings`."""
    found = findings(report)
    safe = [one for finding in found for one in finding.safe]
    cause = f"find.cause.{report.study.comparison.assignment}"
    tail = ["find.range", cause] if len(found) > 1 else ["find.nothing"]
    points = bullets(finding.text for finding in found)
    text = paragraphs(box("finding", points), " ".join(words(key) for key in tail))
    also = {one.estimates.id: one.estimates.kind for one in safe}
    emit("markdown", text, estimate=safe[0].estimates.id, kind="findings", verdict="released", also=also)


def _reached(report: Report) -> Finding:
    focus = report.groups[0]
    safe = report.safe(analyses.referred(report.cohort, report.period.first))
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
    noise = report.policy.noise_variance
    safe = report.safe(analyses.change(report.cohort, report.earlier, step, noise_variance=noise))
    rows = safe.estimates.tidy()
    own = rows[rows["group"] == report.groups[0]].dropna(subset=["estimate"])
    if own.empty:
        return [], (safe,)
    row = own.iloc[0]
    gap = Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))
    return [gap_words(gap, report.groups[0], "change", before=percent(row["baseline"]))], (safe,)


def _step(report: Report, step: str, text: str, beside: str = "", **values: object) -> list[Finding]:
    safe = report.safe(analyses.funnel(report.cohort))
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
        words("find.published", n=count(b.n), label=b.label or b.id, share=percent(b.value), whom=b.denominator)
        for b in exact[:1]
    ]
    days = report.cohort.rules.funnel.completion_days
    return _step(report, "completed", "find.completed", "".join(published), days=days)


def _share(report: Report, found: EventShare | None, text: str, horizon: float, **values: object) -> list[str]:
    """Say the share with an event on the last day that may be quoted, and where that is not the day asked for."""
    if found is None:
        return []
    own, other = found.on_a_day(report.groups)
    wanted = found.sooner(report.groups, horizon)
    said = []
    if own is not None:
        told = words(text, group=report.groups[0], day=int(own["time"]), **_said(own), **values)
        said = [told, *_beside(report, other, found.gap_on(own["time"]))]
    if not wanted > 0:
        return said
    why = words("find.why.few")
    if said:
        return [*said, words("find.sooner", wanted=int(wanted), why=why)]
    if wanted != horizon:  # before that day nobody looks for a figure
        return []
    none = words(f"{text}.none", group=report.groups[0], wanted=int(wanted), why=why, **values)
    return [none, *_beside(report, found.row(report.groups[1], wanted), None)]


def _with_mean(report: Report, said: list[str], found: EventShare, exact: Estimates, event: str) -> list[Finding]:
    """Add the difference of means over all days, for what no single day can say."""
    mean = report.view(report.safe(exact), Look(CurveText("", "", event)))
    also = () if mean.is_empty else (mean.safe,)
    told = [mean.sentence()] if also else []
    return [Finding(" ".join([*said, *told]), (found.safe, *also))]


def _staying(report: Report) -> list[Finding]:
    found, horizon = share_left(report), left_by(report)
    gap = report.cohort.rules.disengagement_gap_days
    said = _share(report, found, "find.staying", horizon, gap=gap)
    if found is None or not said:
        return []
    wanted = found.sooner(report.groups, horizon)
    if not wanted > 0:
        return [Finding(" ".join(said), (found.safe,))]
    mean = analyses.mean_stay(report.cohort, int(wanted))
    return _with_mean(report, said, found, mean, words("find.disengaging"))


def _harm(report: Report, *, alone: bool) -> list[Finding]:
    """Say what is known of harm; where other things are told, also that nothing is: silence would be misread."""
    found, label = share_harmed(report), report.study.harm.label
    horizon = max(report.study.harm.horizons, default=0)
    origin = words(f"harm.origin.{report.cohort.study.harm.origin}")
    said = _share(report, found, "find.harm", horizon, event=label, origin=origin)
    if found is None or not said:
        early = words("find.harm.early", event=label, group=report.groups[0])
        return [] if alone else [Finding(early, (found.safe,) if found else ())]
    said = [*said, words("find.harm.recorded")]
    wanted = found.sooner(report.groups, horizon)
    if not wanted > 0:
        return [Finding(" ".join(said), (found.safe,))]
    return _with_mean(report, said, found, mean_without_harm(report.cohort, int(wanted)), label)
