"""What may be concluded, and what limits it: sentences that the diagnostics choose."""

from __future__ import annotations

__all__ = ["conclusions", "limitations"]

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.analyses import Outcome, harm_hazards, incomplete, precision
from evalkit.disclosure import Safe
from evalkit.markup import box, bullets, paragraphs
from evalkit.report._mark import emit
from evalkit.views import Gap, decimal, in_people, listed, percent, points, words
from evalkit.words import horizon, within

if TYPE_CHECKING:
    from evalkit.report._report import Report

_REASONS = {"balance": "balance", "equipoise": "equipoise", "effective sample size": "sample"}


def conclusions(report: Report, outcomes: Sequence[Outcome | None], *, brief: bool = False) -> None:
    """Show what may be concluded of each outcome: never more than its diagnostics allow.

    Parameters
    ----------
    report : Report
    outcomes : sequence of Outcome or None
        None where the study lacks the outcome's table.
    brief : bool, default False
        Leave out how firm each is: for a summary.

    Examples
    --------
    >>> from evalkit.analyses import outcome
    >>> from evalkit.report import conclusions
    >>> lapse = outcome(report.cohort, "retention", 182)
    >>> conclusions(report, [lapse], brief=True)  # doctest: +ELLIPSIS
    {'text/markdown': '::: {.finding}...it is unclear whether the share by six months differs...
    """
    safe: list[Safe] = []
    said = [_conclusion(report, one, safe, brief=brief) for one in outcomes if one is not None and not one.missing]
    _show(report, "conclusions", said, safe, "" if brief else words(f"find.cause.{report.study.comparison.assignment}"))


def _conclusion(report: Report, one: Outcome, safe: list[Safe], *, brief: bool) -> str:
    event = one.event[:1].upper() + one.event[1:]
    if one.compared is None:
        return words("end.absent", event=event)
    gate, effects, e = (report.safe(found) for found in (one.compared.diagnose(), one.effects, one.e_values))
    safe += [gate, effects, e]
    rows = effects.estimates.tidy()
    adjusted = rows[rows["method"] != "unadjusted"] if len(rows) else rows
    if adjusted.empty:
        return words("end.withheld" if effects.withheld else "end.early", event=event)
    reasons = _reasons(gate)
    # Before the difference is looked at: where a diagnostic fails no conclusion is drawn, whatever it would be.
    if reasons:
        return words("end.failed", event=event, reasons=listed(reasons))
    gaps = [Gap(*(float(row[c]) for c in ("estimate", "conf_low", "conf_high"))) for _, row in adjusted.iterrows()]
    directions = {gap.direction for gap in gaps}
    # All three methods have to agree: one that is clear beside two that are not is no conclusion.
    key = directions.pop() if len(directions) == 1 else "mixed"
    limits = (gaps[0].low, gaps[0].high)
    ends = {
        **(in_people(gaps[0]) if key == "none" else dict(zip(("low", "high"), map(points, limits), strict=True))),
        "when": horizon(one.days),
        **dict(zip(("within", "other"), map(within, report.groups), strict=True)),
    }
    text = words(f"end.{key}", event=event, **ends)
    return text if brief else f"{text} {_how_firm(report, one, key, e, safe)}".strip()


def _how_firm(report: Report, one: Outcome, key: str, e: Safe, safe: list[Safe]) -> str:
    """Say what could explain a difference, or which difference could not have been found."""
    if key in {"higher", "lower"}:
        limit = _limit(e)
        if limit is None:
            return ""
        weak = limit < report.study.comparison.max_e_value_note
        return words("end.fragile" if weak else "end.sturdy", value=decimal(limit))
    able = report.safe(precision([one.compared]))
    rows = able.estimates.tidy().dropna(subset=["estimate"])
    value = dict(zip(rows["measure"], rows["estimate"], strict=True))
    if not {"least ratio", "largest ratio"} <= set(value):
        return ""
    safe.append(able)
    return words("end.power", least=decimal(value["least ratio"]), largest=decimal(value["largest ratio"]))


def _reasons(gate: Safe) -> list[str]:
    rows = gate.estimates.tidy()
    if rows.empty:
        return [words("end.sample")]
    failed = rows[(rows["verdict"] != "pass") & rows["term"].isin(_REASONS)]
    return [  # what is unknown is not said to have failed
        words(f"end.{_REASONS[str(term)]}{'.unknown' if verdict == 'unknown' else ''}")
        for term, verdict in zip(failed["term"], failed["verdict"], strict=True)
    ]


def limitations(report: Report, outcomes: Sequence[Outcome | None]) -> None:
    """Show the limitations that follow from the data and the diagnostics.

    Parameters
    ----------
    report : Report
    outcomes : sequence of Outcome or None

    Examples
    --------
    >>> from evalkit.report import limitations
    >>> limitations(report, [])  # doctest: +ELLIPSIS
    {'text/markdown': '- The groups are not exchangeable: the mandate itself is what differs. Ad...
    """
    safe: list[Safe] = []
    said = [words(f"limit.exchange.{report.study.comparison.assignment}"), *_start(report)]
    for one in outcomes:
        if one is not None and one.compared is not None:
            said += _limits(report, one, safe)
    if report.cohort.has("outcomes"):
        said.append(words("limit.watched"))
        said += _hazards(report, safe)
    said += _missing(report, safe)
    said.append(words("limit.small", minimum=report.policy.minimum_count))
    if report.baselines.baselines and report.cohort.has("sessions"):  # they stand beside completion
        said.append(words("limit.published"))
    _show(report, "limitations", said, safe)


def _start(report: Report) -> list[str]:
    """Say who is not followed from referral."""
    # Without outcomes nothing is followed from referral but the way to a first session.
    origin = report.cohort.study.harm.origin if report.cohort.has("outcomes") else "intake"
    if report.cohort.has("sessions"):
        return [words(f"limit.start.{origin}")]
    return [words("limit.start.harm")] if report.cohort.has("outcomes") and origin == "intake" else []


def _limits(report: Report, one: Outcome, safe: list[Safe]) -> list[str]:
    if one.compared is None:
        return []
    gate, e = report.safe(one.compared.diagnose()), report.safe(one.e_values)
    safe += [gate, e]
    if gate.estimates.tidy().empty:  # what may not be shown is not said to have failed
        return [words("limit.withheld", event=one.event)]
    reasons = _reasons(gate)
    key = "limit.failed" if reasons else "limit.passed"
    said = [words(key, event=one.event, **({"reasons": listed(reasons)} if reasons else {}))]
    limit = _limit(e)
    return [*said, words("limit.e", event=one.event, value=decimal(limit))] if limit is not None and limit > 1 else said


def _limit(e: Safe) -> float | None:
    """Return the E-value of the limit; None where it may not be shown."""
    rows = e.estimates.tidy()
    found = rows.loc[rows["term"] == "limit", "e_value"].tolist() if len(rows) else []
    return float(found[0]) if found else None


def _hazards(report: Report, safe: list[Safe]) -> list[str]:
    found = report.safe(harm_hazards(report.cohort, report.policy.minimum_level))
    safe.append(found)
    rows = found.estimates.tidy()
    return [words("limit.hazards")] if len(rows) and (rows["verdict"] == "fail").any() else []


def _missing(report: Report, safe: list[Safe]) -> list[str]:
    found = report.safe(incomplete(report.cohort))
    safe.append(found)
    rows = found.estimates.tidy().dropna(subset=["estimate"])
    own = rows[rows["estimate"].gt(0)]
    said = [words("group.share", share=percent(r["estimate"]), within=within(r["group"])) for _, r in own.iterrows()]
    return [words("limit.missing", shares=listed(said))] if said else []


def _show(report: Report, kind: str, said: Sequence[str], safe: Sequence[Safe], after: str = "") -> None:
    if not said:
        report.absent("absent.conclusions")
        return
    text = paragraphs(box("finding", bullets(said)), after) if kind == "conclusions" else bullets(said)
    if not safe:
        # Nothing in it comes from people then: no estimate is named, and none is asked for.
        emit("markdown", text.strip(), kind="about")
        return
    also = {one.estimates.id: one.estimates.kind for one in safe}
    emit("markdown", text.strip(), estimate=safe[0].estimates.id, kind=kind, verdict="released", also=also)
