"""Sentences from safe numbers: standard sentences for each analysis, so that no number is typed by hand."""

from __future__ import annotations

__all__ = ["Gap", "gap_words", "sentences"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.disclosure import Safe
from evalkit.display._kinds import CURVES, INCIDENCES
from evalkit.display._numbers import count, decimal, p_value, percent
from evalkit.display._panels import cause_in_words
from evalkit.display._words import listed, numbered, words


@dataclass(frozen=True, slots=True)
class Gap:
    """A difference between the two groups, the focus less the other, with its limits.

    Attributes
    ----------
    estimate, low, high : float
    day : float
        The day it holds for; nan where it holds for none.
    """

    estimate: float
    low: float
    high: float
    day: float = float("nan")

    @property
    def direction(self) -> str:
        """``higher``, ``lower``, or ``none`` where the limits hold 0."""
        if self.low > 0:
            return "higher"
        return "lower" if self.high < 0 else "none"


Gaps = Mapping[str, Gap]


def gap_words(gap: Gap, group: str, key: str = "gap", **more: str) -> str:
    """Say in a sentence whether two shares differ, and by how much they could.

    Parameters
    ----------
    gap : Gap
        Of shares.
    group : str
        The focus.
    key : {"gap", "change"}, default "gap"
        Whether the two are groups, or one group at two times.
    **more
        What else stands in the sentence.

    Returns
    -------
    str

    Examples
    --------
    >>> gap_words(Gap(0.04, -0.05, 0.13), "the pilot")
    'There is no clear difference: the share could be anything from 5 points lower to 13 points higher.'
    >>> gap_words(Gap(-0.11, -0.2, -0.02), "the pilot")
    'The share is clearly lower in the pilot: by 2 to 20 points.'
    """
    if gap.direction == "none":
        low, high = (amount(100 * limit, "points") for limit in (gap.low, gap.high))
        return words(f"{key}.none", low=low, high=high, **more)
    sizes = sorted((abs(100 * gap.low), abs(100 * gap.high)))
    low, high = (decimal(size, 0) if size >= 1 else decimal(size, 1) for size in sizes)
    return words(f"{key}.{gap.direction}", group=group, low=low, high=high, **more)


def amount(value: float, unit: str) -> str:
    """Write a signed difference in words: 5 points lower.

    Parameters
    ----------
    value : float
    unit : {"points", "days"}

    Returns
    -------
    str
    """
    size = decimal(abs(value), 0)
    if size == "0":
        return words(f"{unit}.same")
    number = "one" if size == "1" else "many"
    return words(f"{unit}.{'lower' if value < 0 else 'higher'}.{number}", n=size)


def sentences(safe: Safe, groups: Sequence[str], reference: str = "", event: str = "", gaps: Gaps | None = None) -> str:
    """Write an estimate as sentences.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
        Groups in order, the focus first.
    reference : str
        Label of the figure or table that shows it, as ``fig-retention``; it is named when given.
    event : str
        For curves: what holds of those who have not had the event, as ``still in the program``.
    gaps : mapping of str to Gap, optional
        Differences between the two groups, by label or cause; '' where there is only one.

    Returns
    -------
    str
        Markdown; empty when there is no standard sentence for the analysis.
    """
    if safe.verdict == "withheld":
        return words("absent.small", minimum=safe.policy.minimum_count)
    found = gaps or {}
    if safe.estimates.kind in CURVES:
        text = _survival(safe, groups, event or "without the event", found)
    elif safe.estimates.kind in INCIDENCES:
        text = _incidence(safe, groups, found)
    else:
        writer = _WRITERS.get(safe.estimates.kind)
        text = writer(safe, groups, event, found) if writer else ""
    told = text and text not in {words("curve.none"), words("funnel.none")}
    return words("see", text=text, label=reference) if reference and told else text


def share_of(row: pd.Series, group: str, *, people: bool = False) -> str:
    """Write one group's share with its limits, and of how many people.

    Parameters
    ----------
    row : pandas.Series
        estimate, conf_low, conf_high, and n_event and n for ``people``.
    group : str
    people : bool, default False

    Returns
    -------
    str
    """
    said = {"share": percent(row["estimate"]), "group": group}
    limits = {"low": percent(row["conf_low"]), "high": percent(row["conf_high"])}
    if people:
        return words("group.share.of", **said, **limits, x=count(row["n_event"]), people=numbered("people", row["n"]))
    return words("group.share.limits", **said, **limits)


def common_day(rows: pd.DataFrame, groups: Sequence[str]) -> float:
    """Return the last day that may be quoted of every group shown, or of any where there is none; nan if there is none.

    Parameters
    ----------
    rows : pandas.DataFrame
        Landmark rows of one curve per group.
    groups : sequence of str

    Returns
    -------
    float
    """
    days = [set(rows.loc[rows["group"] == g, "time"]) for g in groups if (rows["group"] == g).any()]
    shared = set.intersection(*days) if days else set()
    known = shared or set().union(*days)
    return float(max(known)) if known else float("nan")


def _at_day(rows: pd.DataFrame, groups: Sequence[str]) -> tuple[float, list[str]]:
    day = common_day(rows, groups)
    own = {str(row["group"]): row for _, row in rows[rows["time"] == day].iterrows()}
    return day, [share_of(own[g], g) for g in groups if g in own]


def _with_gap(text: str, gap: Gap | None, day: float, group: str) -> str:
    if gap is None or not (np.isnan(gap.day) or gap.day == day):
        return text
    return f"{text} {gap_words(gap, group)}"


def _survival(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:
    day, said = _at_day(safe.landmark_rows(), groups)
    if not said:
        return words("curve.none")
    text = words("curve.day", day=int(day), shares=listed(said), event=event)
    return _with_gap(text, gaps.get(""), day, groups[0])


def _incidence(safe: Safe, groups: Sequence[str], gaps: Gaps) -> str:
    rows, parts = safe.landmark_rows(), []
    for cause in dict.fromkeys(safe.estimates.data["cause"].astype(str)):
        own = rows[(rows["cause"] == cause) & rows["estimate"].gt(0)]  # before the first event there is nothing to say
        day, said = _at_day(own, groups)
        if said:
            text = words("cif.day", day=int(day), cause=cause_in_words(cause), shares=listed(said))
            parts.append(_with_gap(text, gaps.get(cause), day, groups[0]))
    return " ".join(parts) or words("curve.none")


def _labelled(rows: pd.DataFrame, groups: Sequence[str], gaps: Gaps) -> str:
    """Say of every label how large the share is in each group."""
    found = []
    for label in dict.fromkeys(rows["label"].astype(str)):
        own = {str(row["group"]): row for _, row in rows[rows["label"] == label].iterrows()}
        people = {"n_event", "n"} <= set(rows.columns)
        said = [share_of(own[g], g, people=people) for g in groups if g in own]
        if said:
            text = words("each", label=label, shares=listed(said))
            found.append(_with_gap(text, gaps.get(label), float("nan"), groups[0]))
    return " ".join(found)


def _funnel(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001 - one signature for all
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    told = rows[rows["term"].isin(["engaged", "completed"])]
    return _labelled(told, groups, gaps) if len(told) else words("funnel.none")


def _each(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    if "label" not in rows:
        rows = rows.assign(label=rows["term"])
    return _labelled(rows, groups, gaps)


def _cox(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    row = safe.estimates.tidy().iloc[0]
    low, high = float(row["hr_low"]), float(row["hr_high"])
    direction = Gap(float(row["estimate"]), float(np.log(low)), float(np.log(high))).direction
    return words(
        f"cox.{direction}",
        name=str(row.get("label", row["term"])),
        ratio=decimal(row["hazard_ratio"]),
        low=decimal(low),
        high=decimal(high),
        p=relation(row["p_value"]),
    )


def relation(value: float) -> str:
    """Write a p value after its letter: '= 0.047', '< 0.001'.

    Parameters
    ----------
    value : float

    Returns
    -------
    str
    """
    text = p_value(value)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"


def _mean_gap(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy()
    own = rows[rows["measure"] == "rmst_difference"].dropna(subset=["estimate"])
    if own.empty:
        return words("curve.none")
    row = own.iloc[0]
    gap = Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))
    said = {"tau": count(row["tau"]), "event": event, "group": groups[0], "other": groups[1]}
    if gap.direction == "none":
        return words("rmst.gap.none", **said, low=amount(gap.low, "days"), high=amount(gap.high, "days"))
    low, high = (decimal(size, 0) for size in sorted((abs(gap.low), abs(gap.high))))
    return words(f"rmst.gap.{gap.direction}", **said, low=low, high=high)


def _gray(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy().dropna(subset=["p_value"])
    tests = [
        words("test.gray.one", cause=cause_in_words(str(cause)), p=relation(p))
        for cause, p in zip(rows["cause"], rows["p_value"], strict=True)
    ]
    return words("test.gray", tests=listed(tests)) if tests else ""


def _effects(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    parts = []
    for _, row in safe.estimates.tidy().iterrows():
        gap = Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))
        said = {"label": row["label"], "group": groups[0], "other": groups[1]}
        if gap.direction == "none":
            ends = {"low": amount(100 * gap.low, "points"), "high": amount(100 * gap.high, "points")}
        else:
            sizes = sorted((abs(100 * gap.low), abs(100 * gap.high)))
            ends = {"low": decimal(sizes[0], 0), "high": decimal(sizes[1], 0)}
        parts.append(words(f"effect.{gap.direction}", **said, **ends))
    return " ".join(parts)


def _gate(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    names = {"balance": "balance", "equipoise": "equipoise", "effective sample size": "sample"}
    base, parts = safe.policy.rounding_base, []
    for _, row in safe.estimates.tidy().iterrows():
        name = names.get(str(row["term"]))
        if name is None or row["verdict"] == "unknown":
            parts.append(words("gate.unknown"))
            continue
        value, limit = decimal(row["estimate"]), decimal(row["baseline"], 1)
        if name == "equipoise":
            value, limit = percent(row["estimate"]), percent(row["baseline"])
        elif name == "sample":
            value, limit = count(round(float(row["estimate"]) / base) * base), count(row["baseline"])
        parts.append(words(f"gate.{name}.{row['verdict']}", value=value, limit=limit))
    return " ".join([*parts, words("gate.measured")])


_WRITERS: dict[str, Callable[[Safe, Sequence[str], str, Gaps], str]] = {
    "funnel": _funnel,
    "cox": _cox,
    "rmst_contrast": _mean_gap,
    "gray_test": _gray,
    "adjusted_effects": _effects,
    "diagnose": _gate,
    **dict.fromkeys(
        ("attendance_rate", "dose_reached", "returns", "lost_to_follow_up", "completion", "proportion"), _each
    ),
}
