"""Phrases that the families share: a group's share, the day on which both may be quoted, a difference.

A difference is told by its direction, its size and how sure it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.words import count, decimal, horizon, listed, numbered, p_value, percent, translated, within, words

__all__ = [
    "Gap",
    "Gaps",
    "amount",
    "capital",
    "cause_in_words",
    "common_day",
    "each_label",
    "first_label",
    "gap_words",
    "in_people",
    "ratio",
    "relation",
    "share_of",
    "shares_of",
    "sized",
    "times",
    "told_by",
    "with_gap",
]


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


def gap_words(gap: Gap, groups: Sequence[str], key: str = "gap", **more: str) -> str:
    """Say in a sentence whether two shares differ, and by how much they could.

    Parameters
    ----------
    gap : Gap
        Of shares.
    groups : sequence of str
        The focus, the comparison.
    key : {"gap", "change"}, default "gap"
        Whether the two are groups, or one group at two times.
    **more
        What else stands in the sentence.

    Returns
    -------
    str

    Examples
    --------
    >>> gap_words(Gap(0.04, -0.05, 0.13), ("Aid", "None"))
    'Unclear: 5 fewer to 13 more of every hundred people in the group “Aid” than in the group “None”.'
    >>> gap_words(Gap(-0.11, -0.2, -0.02), ("Aid", "None"))
    'The share is clearly lower in the group “Aid”: by 2 to 20 points.'
    """
    names = {"within": within(groups[0]), "other": within(groups[1])}
    if gap.direction == "none":
        points = {end: amount(100 * limit, "points") for end, limit in (("low", gap.low), ("high", gap.high))}
        return words(f"{key}.none", **names, **(in_people(gap) if key == "gap" else points), **more)
    # The nearer end first: "2 to 20 points lower" is read from small to large, whatever the signs.
    sizes = sorted((abs(100 * gap.low), abs(100 * gap.high)))
    low, high = (sized(size) for size in sizes)
    return words(f"{key}.{gap.direction}", **names, low=low, high=high, **more)


def in_people(gap: Gap) -> dict[str, str]:
    """Write the limits of a difference that is not clear as people of every hundred: ``low`` and ``high``.

    Parameters
    ----------
    gap : Gap
        Of shares; its limits hold 0.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> in_people(Gap(0.04, -0.05, 0.13)), in_people(Gap(0.1, -0.001, 0.2))["low"]
    ({'low': '5 fewer', 'high': '13 more'}, 'no fewer')
    """
    told = {}
    for end, way, limit in (("low", "lower", gap.low), ("high", "higher", gap.high)):
        size = decimal(abs(100 * limit), 0)
        number = {"0": "zero", "1": "one"}.get(size, "many")
        told[end] = words(f"people.{way}.{number}", n=size)
    return told


def sized(size: float) -> str:
    """Write the size of a clear difference (points, days): below 1 with a decimal, as 0 would say there is none.

    Examples
    --------
    >>> sized(3.4), sized(0.4)
    ('3', '0.4')
    """
    return decimal(size, 0 if size >= 1 else 1)


def ratio(limit: float) -> str:
    """Write a limit of a ratio: with a third decimal where two would say 1, and it is not.

    Examples
    --------
    >>> ratio(1.26), ratio(1.004), ratio(1.0)
    ('1.26', '1.004', '1.00')
    """
    text = decimal(limit)
    return decimal(limit, 3) if text == "1.00" and limit != 1 else text


def amount(value: float, unit: str) -> str:
    """Write a signed difference in words: 5 points lower.

    Parameters
    ----------
    unit : {"points", "days"}
    """
    size = decimal(abs(value), 0)
    if size == "0":
        return words(f"{unit}.same")
    number = "one" if size == "1" else "many"
    return words(f"{unit}.{'lower' if value < 0 else 'higher'}.{number}", n=size)


def times(limit: float) -> str:
    """Write a limit of a ratio as people picture it: how much lower or higher.

    Examples
    --------
    >>> times(0.78), times(1.0), times(1.45), times(3.21)
    ('22% lower', 'the same', '45% higher', '3.2 times as high')
    """
    # "120% higher" is taken for 1.2 times as high.
    if limit >= 2:
        return words("ratio.times", n=decimal(limit, 1))
    if decimal(limit) == decimal(1):
        return words("ratio.same")
    return words("ratio.lower" if limit < 1 else "ratio.higher", share=percent(abs(limit - 1)))


def relation(value: float, *, coarse: bool = False) -> str:
    r"""Write a p value after its letter, on one line: '=\xa00.047', '<\xa00.001'; coarse as in `p_value`."""
    text = p_value(value, coarse=coarse)
    return f"{text[0]}\u00a0{text[1:]}" if text[0] in "<≤" else f"=\u00a0{text}"


def capital(text: str) -> str:
    """Begin with a capital."""
    return text[:1].upper() + text[1:]


def cause_in_words(cause: str) -> str:
    """Return a cause as a report writes it."""
    # The definitions' own causes have verbs in the catalogue; a study's label for harm is put into words as it is.
    known = {"disengagement", "completion", "first session"}
    return words(f"cause.{cause}") if cause in known else translated(cause)


def share_of(row: pd.Series, group: str, *, people: bool = False, alone: bool = False) -> str:
    """Write one group's share with its limits (not where they are missing or the same), and of how many `people`.

    Alone, with no other group beside it, everybody needs no name.
    """
    nameless = alone and group == "all"
    named = ("group.share", "group.share.limits", "group.share.of")
    short, limited, counted = ("all.share", "all.share.limits", "all.share.of") if nameless else named
    said = {"share": percent(row["estimate"]), **({} if nameless else {"within": within(group)})}
    limits = {"low": percent(row["conf_low"]), "high": percent(row["conf_high"])}
    if people:
        return words(counted, **said, **limits, x=count(row["n_event"]), people=numbered("people", row["n"]))
    if not row["conf_low"] < row["conf_high"]:  # also where there are none
        return words(short, **said)
    return words(limited, **said, **limits)


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
    # Shares of two days side by side are taken for a difference: one day, or one group alone.
    known = shared or set().union(*days)
    return float(max(known)) if known else float("nan")


def shares_of(rows: pd.DataFrame, groups: Sequence[str]) -> str:
    """Write the first share of each group, without limits."""
    own = rows.dropna(subset=["estimate"]).drop_duplicates("group").set_index("group")["estimate"]
    return listed(
        [
            percent(own[g])
            if list(own.index) == ["all"]
            else words("group.share", share=percent(own[g]), within=within(g))
            for g in groups
            if g in own.index
        ]
    )


def first_label(rows: pd.DataFrame, groups: Sequence[str]) -> str:
    """Write the shares of rows of one label as a headline."""
    said = shares_of(rows, groups)
    return words("head.shares", label=str(rows["label"].iloc[0]), shares=said) if said else ""


def told_by(key: str, day: float, /, **values: str) -> str:
    """Say what holds by a day, by a message with a place ``when``; the day may begin the sentence."""
    return capital(words(key, when=horizon(day), **values))


def with_gap(text: str, gap: Gap | None, day: float, groups: Sequence[str]) -> str:
    """Add a difference of the groups (the focus first) to a sentence, where it is of the same day."""
    # Shares of one day and a difference of another would not subtract to each other.
    if gap is None or not (np.isnan(gap.day) or gap.day == day):
        return text
    return f"{text} {gap_words(gap, groups)}"


def each_label(rows: pd.DataFrame, groups: Sequence[str], gaps: Gaps) -> str:
    """Say of every label how large the share is in each group, n_event of n where of people; gaps by label."""
    found = []
    for label in dict.fromkeys(rows["label"].astype(str)):
        own = {str(row["group"]): row for _, row in rows[rows["label"] == label].iterrows()}
        people = {"n_event", "n"} <= set(rows.columns)
        said = [share_of(own[g], g, people=people, alone=len(own) == 1) for g in groups if g in own]
        if said:
            text = words("each", label=label, shares=listed(said))
            found.append(with_gap(text, gaps.get(label), float("nan"), groups))
    return " ".join(found)
