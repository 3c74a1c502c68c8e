"""Sentences from safe numbers: one standard sentence per analysis, so that no number is typed by hand."""

from __future__ import annotations

__all__ = ["sentences"]

from collections.abc import Callable, Sequence

import pandas as pd

from evalkit.disclosure import Safe
from evalkit.display._kinds import CURVES
from evalkit.display._numbers import count, decimal, interval, p_value, people, percent


def sentences(safe: Safe, groups: Sequence[str], reference: str = "", event: str = "") -> str:
    """Write an estimate as sentences.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
        Groups in order, the focus first.
    reference : str
        Label of the figure or table that shows it, as ``fig-retention``; it is named when given.

    event : str
        For curves: what holds of those who have not had the event, as ``still in the programme``.

    Returns
    -------
    str
        Markdown; empty when there is no standard sentence for the analysis.
    """
    if safe.verdict == "withheld":
        return f"This is not shown: fewer than {safe.policy.minimum_count} people or events would be described."
    if safe.estimates.kind in CURVES:
        text = _survival(safe, groups, event or "without the event")
    else:
        writer = _WRITERS.get(safe.estimates.kind)
        text = writer(safe, groups) if writer else ""
    return f"{text} See @{reference}." if reference and text else text


def _survival(safe: Safe, groups: Sequence[str], event: str) -> str:
    rows = safe.landmark_rows()
    said: dict[int, list[str]] = {}
    shown = [g for g in groups if (rows["group"] == g).any()]
    days = {g: set(rows.loc[rows["group"] == g, "time"].astype(int)) for g in shown}
    common = set.intersection(*days.values()) if days else set()
    for group in shown:
        day = max(common or days[group])  # the same day for all, where there is one
        row = rows[(rows["group"] == group) & (rows["time"] == day)].iloc[0]
        limits = interval(float(row["conf_low"]), float(row["conf_high"]))
        said.setdefault(day, []).append(f"{percent(float(row['estimate']))} of {group} participants ({limits})")
    if not said:
        return "Too few people were observed long enough to say anything about a given day."
    text = _listed([f"at day {day}, {_listed(found)} were {event}" for day, found in said.items()])
    return f"{text[:1].upper()}{text[1:]}."


def _proportion(safe: Safe, groups: Sequence[str]) -> str:
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    last = str(rows["term"].iloc[-1]) if len(rows) else ""
    return _shares(rows[rows["term"] == last], groups)


def _funnel(safe: Safe, groups: Sequence[str]) -> str:
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    told = [term for term in ("engaged", "completed") if (rows["term"] == term).any()]
    if not told:
        return "For no step is there a group whose time is over and that is large enough to be described."
    parts = [rows[rows["term"] == term] for term in told]
    return " ".join(f"{own['label'].iloc[0]}: {_shares(own, groups)}" for own in parts)


def _shares(rows: pd.DataFrame, groups: Sequence[str]) -> str:
    said = []
    for group in groups:
        for _, row in rows[rows["group"] == group].iterrows():
            limits = interval(row["conf_low"], row["conf_high"])
            of = f"{count(row['n_event'])} of {people(row['n'])}"
            said.append(f"{percent(row['estimate'])} of {group} participants ({limits}; {of})")
    return f"{_listed(said)}." if said else ""


def _cox(safe: Safe, groups: Sequence[str]) -> str:  # noqa: ARG001 - one signature for all writers
    row = safe.estimates.tidy().iloc[0]
    name = str(row.get("label", row["term"]))
    low, high = row["hr_low"], row["hr_high"]
    if low > 1 or high < 1:
        direction = "higher" if row["hazard_ratio"] > 1 else "lower"
        finding = f"the rate of the event was {direction}"
    else:
        finding = "there is no clear difference in the rate of the event"
    return (
        f"{name}: {finding} (hazard ratio {decimal(row['hazard_ratio'], 3)}, 95% confidence interval "
        f"{interval(low, high, share=False, digits=3)}, p {_relation(row['p_value'])}), "
        "other terms of the model held equal."
    )


def _relation(value: float) -> str:
    text = p_value(value)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"


def _listed(items: Sequence[str]) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def _each(safe: Safe, groups: Sequence[str]) -> str:
    """Every label with its value in each group."""
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    found = []
    for label in dict.fromkeys(rows["label"]):
        own = rows[rows["label"] == label].set_index("group")
        said = [
            f"{percent(own.loc[g, 'estimate'])} ({interval(own.loc[g, 'conf_low'], own.loc[g, 'conf_high'])}) in {g}"
            for g in groups
            if g in own.index
        ]
        found.append(f"{label}: {_listed(said)}.")
    return " ".join(found)


_WRITERS: dict[str, Callable[[Safe, Sequence[str]], str]] = {
    "funnel": _funnel,
    "proportion": _proportion,
    "cox": _cox,
    **dict.fromkeys(("attendance_rate", "dose_reached", "returns", "lost_to_follow_up", "completion"), _each),
}
