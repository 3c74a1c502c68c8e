"""Headlines of figures: the finding in one line, above the statistical subtitle."""

from __future__ import annotations

__all__ = ["headline"]

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from evalkit.disclosure import Safe
from evalkit.views._final_words import HEADS
from evalkit.views._gap import Gap, Gaps
from evalkit.views._numbers import count, decimal, percent, points
from evalkit.views._panels import cause_in_words
from evalkit.views._words import listed, words
from evalkit.views.prose import common_day, last_day
from evalkit.glossary import NOT_RECORDED


def headline(safe: Safe, groups: Sequence[str], event: str = "", gaps: Gaps | None = None) -> str:
    """Write the finding of a figure in one line.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
        Groups in order, the focus first.
    event : str
        For curves: what holds of those without the event.
    gaps : mapping of str to Gap, optional
        Differences between the groups.

    Returns
    -------
    str
        Without a full stop; empty where there is no standard headline, and above weighted curves: what is to be said of
        the groups after weighting, adjusted effects say with better limits.
    """
    writer = None if safe.weighted else _WRITERS.get(safe.estimates.kind)
    return writer(safe, groups, event, gaps or {}) if writer else ""


def _plain(rows: pd.DataFrame, groups: Sequence[str]) -> str:
    own = rows.dropna(subset=["estimate"]).drop_duplicates("group").set_index("group")["estimate"]
    return listed([words("group.share", share=percent(own[g]), group=g) for g in groups if g in own.index])


def _curve(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:
    rows = safe.landmark_rows()
    day = common_day(rows, groups)
    said = _plain(rows[rows["time"] == day], groups)
    gap = gaps.get("")
    if not said:
        return ""
    if gap is None or gap.day != day:
        return words("head.curve.one", day=int(day), shares=said, event=event)
    return words("head.curve", day=int(day), shares=said, event=event, gap=_told(gap, last_day(safe, groups)))


def _told(gap: Gap, last: float) -> str:
    """Say a difference in a word or two: curves that are alike on an early day may part later."""
    early = ".early" if gap.direction == "none" and gap.day < last else ""
    return words(f"gap.word.{gap.direction}{early}")


def _incidence(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001 - one signature
    rows = safe.landmark_rows()
    if rows.empty:
        return ""
    cause = str(safe.estimates.data["cause"].iloc[0])
    own = rows[rows["cause"] == cause]
    day = common_day(own, groups)
    said = _plain(own[own["time"] == day], groups)
    if not said:
        return ""
    gap, name = gaps.get(cause), cause_in_words(cause)
    if gap is None or gap.day != day:
        return words("head.cif.one", day=int(day), cause=name, shares=said)
    return words("head.cif", day=int(day), cause=name, shares=said, gap=_told(gap, last_day(safe, groups, cause)))


def _funnel(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    rows = rows[(rows["n"] > 0) & (rows["term"] != "referred")]
    last = [term for term in ("engaged", "completed") if (rows["term"] == term).any()]
    return _label(rows[rows["term"] == last[-1]], groups) if last else ""


def _label(rows: pd.DataFrame, groups: Sequence[str]) -> str:
    said = _plain(rows, groups)
    return words("head.shares", label=str(rows["label"].iloc[0]), shares=said) if said else ""


def _first_label(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    return _label(rows[rows["label"] == rows["label"].iloc[0]], groups) if len(rows) else ""


_STEADY = 50
"""Of fewer people than this a mean by week is not told: it says more of few people, and of noise, than of a group."""


def _weeks(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    group = next((g for g in groups if (rows["group"] == g).any()), "")
    own = rows[(rows["group"] == group) & (rows["n"] >= _STEADY)].sort_values("time_from")
    if own.empty:
        return ""
    weeks = [int(own["time_from"].iloc[i] // 7 + 1) for i in (0, -1)]
    first, last = (decimal(own["estimate"].iloc[i], 1) for i in (0, -1))
    key = "head.hours" if safe.estimates.kind == "hours_by_week" else "head.weeks"
    key = key if len(own) > 1 else f"{key}.one"
    return words(key, group=group, first=first, last=last, from_week=weeks[0], to_week=weeks[1])


def _reach(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy()
    levels = rows[rows["group"] == groups[0]]
    own = levels[levels["estimate"].notna() & (levels["term"] != NOT_RECORDED)]  # no place, and no source
    if own.empty:
        return ""
    first = own[own["estimate"] == own["estimate"].max()]
    kind = "head.tiles" if event == "tiles" else "head.reach"
    near = own[own["n_event"] >= own["n_event"].max() - safe.policy.noise_most]
    if len(near) > len(first):  # the lead of the first may be one person: noise alone sets them apart
        low, high = percent(near["estimate"].min()), percent(near["estimate"].max())
        return words(f"{kind}.near", group=groups[0], level=listed(list(near["label"].astype(str))), low=low, high=high)
    names, top = [str(label) for label in first["label"]], first.iloc[0]
    said = {"share": percent(top["estimate"]), "group": groups[0], "level": listed(names)}
    number = ".many" if len(names) > 1 else ".all" if len(levels) == 1 else ".one"  # 99% may look like all
    return words(kind + number, n=count(top["n_event"]), **said)


def _across(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy()
    own = rows[(rows["group"] == groups[0]) & (rows["variable"] != rows["label"])]
    known = own["estimate"].notna().groupby(own["variable"], sort=False)
    whole = own[own["variable"].isin(list(known.all()[lambda all_: all_].index))]  # of what is hidden nothing is said
    ends = [found for _, one in whole.groupby("variable", sort=False) if (found := _ends(one))]
    if not ends:
        return words("head.across.hidden", group=groups[0]) if own["estimate"].isna().any() else ""
    apart, _, low, high = max(ends, key=lambda end: end[:2])
    return words(
        "head.across.range" if apart else "head.across.same", group=groups[0], name=str(low["variable"]).lower(),
        low=percent(low["estimate"]), low_label=str(low["label"]),
        high=percent(high["estimate"]), high_label=str(high["label"]),
    )  # fmt: skip


def _ends(rows: pd.DataFrame) -> tuple[bool, float, pd.Series, pd.Series] | None:
    """Return whether the levels of a characteristic differ clearly, by how much, and the lowest and highest."""
    ordered = rows.sort_values("estimate", kind="stable")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    size = float(high["estimate"] - low["estimate"])
    return None if np.isclose(size, 0) else (bool(high["conf_low"] > low["conf_high"]), size, low, high)


def _trend(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy()
    ends = list(dict.fromkeys(rows["period"].astype(str)))[-2:]  # not the last two that are known: they may be older
    rows = rows[(rows["group"] == groups[0]) & rows["variable"].isin(["engaged", "completed"]) & (rows["n"] > 0)]
    measures = []
    for label, own in rows.dropna(subset=["estimate"]).groupby("label", sort=False):
        share = own.set_index("period")["estimate"]
        if len(ends) == 2 and set(ends) <= set(share.index):
            before, now = (percent(share[end]) for end in ends)
            measures.append(words("head.trend.one", label=label, now=now, before=before))
    return words("head.trend", group=groups[0], measures="; ".join(measures)) if measures else ""


def _effects(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy()
    rows = rows[rows["method"] != "unadjusted"]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    gap = Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))
    low, value, high = (points(v) for v in (gap.low, gap.estimate, gap.high))
    return words("head.effects", value=value, low=low, high=high, gap=words(f"gap.word.{gap.direction}"))


def _balance(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy()
    before, after = (decimal(rows[name].abs().max()) for name in ("smd", "smd_weighted"))
    return words("head.balance", before=before, after=after)


_WRITERS: dict[str, Callable[[Safe, Sequence[str], str, Gaps], str]] = {
    "kaplan_meier": _curve,
    "cumulative_incidence": _incidence,
    "funnel": _funnel,
    "sessions_by_week": _weeks,
    "hours_by_week": _weeks,
    "reach": _reach,
    "engaged_across": _across,
    "trend": _trend,
    "adjusted_effects": _effects,
    "balance": _balance,
    **HEADS,
    **dict.fromkeys(("proportion", "attendance_rate", "engaged_by", "dose_reached"), _first_label),
}
