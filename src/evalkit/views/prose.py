"""Sentences from safe numbers: standard sentences for each analysis, so that no number is typed by hand."""

from __future__ import annotations

__all__ = ["common_day", "last_day", "mean_gap", "sentences", "share_of"]

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from evalkit import markup
from evalkit.counts import DayCounts
from evalkit.disclosure import Safe
from evalkit.views._final_words import WRITERS
from evalkit.views._gap import Gap, Gaps, amount, gap_words, ratio, relation, sized
from evalkit.views._kinds import CURVES, INCIDENCES
from evalkit.views._numbers import count, decimal, percent
from evalkit.views._panels import cause_in_words
from evalkit.views._words import listed, numbered, words


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
        With signs (`evalkit.markup`); empty when there is no standard sentence for the analysis.
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
    return words("see", text=text, label=markup.reference(reference)) if reference and told else text


def share_of(row: pd.Series, group: str, *, people: bool = False) -> str:
    """Write one group's share with its limits, and of how many people.

    Limits of a curve that are missing, or the same, are not given.

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
    if not row["conf_low"] < row["conf_high"]:  # also where there are none
        return words("group.share", **said)
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


def last_day(safe: Safe, groups: Sequence[str], cause: str = "") -> float:
    """Return the last landmark that the curves of all groups shown reach, quoted or not; nan if there is none.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
    cause : str
        For incidences: of which cause.

    Returns
    -------
    float
    """
    rows = safe.at(safe.policy.landmarks)
    if cause:
        rows = rows[rows["cause"] == cause]
    rows = rows[rows["estimate"].notna() & rows["n_risk"].ge(safe.policy.minimum_at_risk)]
    return common_day(rows, groups)


def mean_gap(safe: Safe) -> Gap | None:
    """Return the difference of restricted means.

    Parameters
    ----------
    safe : Safe
        A contrast of restricted means.

    Returns
    -------
    Gap or None
        In days, with the horizon as its day; None where it may not be told, or one group has no event: its mean would
        have no error.
    """
    counts = safe.estimates.counts
    if isinstance(counts, DayCounts) and not counts.data.groupby("group")["n_event_1"].sum().all():
        return None
    rows = safe.estimates.tidy()
    own = rows[rows["measure"] == "rmst_difference"].dropna(subset=["estimate"])
    if own.empty:
        return None
    row = own.iloc[0]
    return Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]), float(row["tau"]))


def _at_day(rows: pd.DataFrame, groups: Sequence[str]) -> tuple[float, list[str]]:
    day = common_day(rows, groups)
    own = {str(row["group"]): row for _, row in rows[rows["time"] == day].iterrows()}
    return day, [share_of(own[g], g) for g in groups if g in own]


def _with_gap(text: str, gap: Gap | None, day: float, group: str) -> str:
    if gap is None or not (np.isnan(gap.day) or gap.day == day):
        return text
    return f"{text} {gap_words(gap, group)}"


def _survival(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:
    rows = safe.landmark_rows()
    day, said = _at_day(rows, groups)
    if not said:
        return words("curve.none")
    text = words("curve.day", day=int(day), shares=listed(said), event=event)
    left = _unquoted(safe.estimates.tidy(), groups, rows[rows["time"] == day])
    return _with_gap(text, gaps.get(""), day, groups[0]) + _not_given(left)


def _unquoted(rows: pd.DataFrame, groups: Sequence[str], told: pd.DataFrame) -> list[str]:
    """Return the groups with events of which nothing is quoted though their curve may be shown."""
    events = rows.groupby("group")["n_event"].sum()
    return [group for group in groups if events.get(group, 0) and not (told["group"] == group).any()]


def _not_given(named: Sequence[str]) -> str:
    """Say whose share is not given, and why."""
    return " " + words("curve.unquoted.few", groups=listed(list(named))) if named else ""


def _incidence(safe: Safe, groups: Sequence[str], gaps: Gaps) -> str:
    landmarks, curves = safe.landmark_rows(), safe.estimates.tidy()
    parts: list[str] = []
    left: dict[str, list[str]] = {}
    for cause in dict.fromkeys(curves["cause"].astype(str)):
        # before the first event there is nothing to say
        own = landmarks[(landmarks["cause"] == cause) & landmarks["estimate"].gt(0)]
        day, said = _at_day(own, groups)
        if said:
            text = words("cif.day", day=int(day), cause=cause_in_words(cause), shares=listed(said))
            parts.append(_with_gap(text, gaps.get(cause), day, groups[0]))
            left[cause] = _unquoted(curves[curves["cause"] == cause], groups, own[own["time"] == day])
    return " ".join(parts) + _unquoted_causes(left) or words("curve.none")


def _unquoted_causes(left: dict[str, list[str]]) -> str:
    """Say of whom nothing is quoted, with the cause where it is not so of all causes told."""
    first = next(iter(left.values()), [])
    whole = [group for group in first if all(group in groups for groups in left.values())]
    named = [
        words("curve.named", group=group, cause=cause_in_words(cause))
        for cause, groups in left.items()
        for group in groups
        if group not in whole
    ]
    return _not_given([*whole, *named])


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
    of_method = safe.estimates.kind in {"equipoise", "incomplete"}  # whether the groups differ in it is no finding
    return _labelled(rows, groups, {} if of_method else gaps)


def _cox(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    row = safe.estimates.tidy().iloc[0]
    name = str(row.get("label", row["term"]))
    if not np.isfinite(row["estimate"]):
        return words("cox.infinite", name=name)
    if ":" in re.sub(r"\[[^\]]*\]", "", str(row["term"])):
        return words("cox.interaction", name=name)
    low, high = float(row["hr_low"]), float(row["hr_high"])
    with np.errstate(divide="ignore"):  # a limit that is printed as 0.00
        direction = Gap(float(row["estimate"]), float(np.log(low)), float(np.log(high))).direction
    return words(
        f"cox.{direction}",
        name=name,
        ratio=decimal(row["hazard_ratio"]),
        low=ratio(low),
        high=ratio(high),
        p=relation(row["p_value"]),
    )


def _mean_gap(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    gap = mean_gap(safe)
    if gap is None:
        return words("curve.none")
    said = {"tau": count(gap.day), "event": event, "group": groups[0], "other": groups[1]}
    if gap.direction == "none":
        return words("rmst.gap.none", **said, low=amount(gap.low, "days"), high=amount(gap.high, "days"))
    low, high = (sized(size) for size in sorted((abs(gap.low), abs(gap.high))))
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
            ends = {"low": sized(sizes[0]), "high": sized(sizes[1])}
        parts.append(words(f"effect.{gap.direction}", **said, **ends))
    return " ".join(parts)


def _gate(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    names = {"balance": "balance", "equipoise": "equipoise", "effective sample size": "sample"}
    names["proportional hazards"] = "hazards"
    own, others = (count(safe.estimates.summary.get(f"n_effective_{name}")) for name in ("focus", "comparison"))
    sample = {"group": groups[0], "own": own, "other": groups[-1], "others": others}
    parts = []
    for _, row in safe.estimates.tidy().iterrows():
        name = names.get(str(row["term"]))
        if name is None or row["verdict"] == "unknown":
            parts.append(words("gate.unknown"))
            continue
        if name == "balance" and np.isnan(row["estimate"]):
            parts.append(words("gate.balance.hidden"))
            continue
        value, limit = decimal(row["estimate"]), decimal(row["baseline"], 1)
        if name == "equipoise":
            value, limit = percent(row["estimate"]), percent(row["baseline"])
        elif name == "hazards":
            value = relation(row["estimate"])
        elif name == "sample":
            limit = count(row["baseline"])
        parts.append(words(f"gate.{name}.{row['verdict']}", value=value, limit=limit, **sample))
    weighted = (safe.estimates.tidy()["term"] != "proportional hazards").any()
    return " ".join([*parts, words("gate.measured")] if weighted else parts)


_WRITERS: dict[str, Callable[[Safe, Sequence[str], str, Gaps], str]] = {
    "funnel": _funnel,
    "cox": _cox,
    "rmst_contrast": _mean_gap,
    "gray_test": _gray,
    "adjusted_effects": _effects,
    "diagnose": _gate,
    **WRITERS,
    **dict.fromkeys(
        (
            "attendance_rate",
            "dose_reached",
            "returns",
            "lost_to_follow_up",
            "proportion",
            "equipoise",
            "incomplete",
        ),
        _each,
    ),
}
