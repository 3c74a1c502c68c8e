"""Phrases that the families share: a group's share, several groups' shares, the day on which both may be quoted."""

from __future__ import annotations

__all__ = [
    "capital",
    "cause_in_words",
    "common_day",
    "each_label",
    "first_label",
    "share_of",
    "shares_of",
    "told_by",
    "with_gap",
]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.views._gap import Gap, Gaps, gap_words
from evalkit.words import count, horizon, listed, numbered, percent, translated, within, words


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
