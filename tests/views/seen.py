"""A safe result as readers see it, one output at a time, with what it needs given by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.views import CurveText, Gap, Look, view_of

CURVES, INCIDENCES = frozenset({"kaplan_meier"}), frozenset({"cumulative_incidence"})


def draw(safe: Safe, groups: Sequence[str], look: Look) -> tuple[Figure, str]:
    """The figure, and its alternative text."""
    return view_of(safe, groups, look).figure()


def table_of(safe: Safe, note: str = "") -> str:
    """The table."""
    return view_of(safe).table(note)


def sentences(
    safe: Safe, groups: Sequence[str], reference: str = "", event: str = "", gaps: Mapping[str, Gap] | None = None
) -> str:
    """The sentences; of curves without a longest day."""
    return view_of(safe, groups, _saying(event), gaps).sentence(reference)


def headline(safe: Safe, groups: Sequence[str], event: str = "", gaps: Mapping[str, Gap] | None = None) -> str:
    """What stands above the figure; of curves without a longest day."""
    return view_of(safe, groups, _saying(event), gaps).headline()


def _saying(event: str) -> Look:
    if event == "tiles":
        return Look(places={"somewhere": (0, 0)})
    return Look(CurveText("", "", event) if event else None, float("inf"))


def safe_numbers(safe: Safe) -> pd.DataFrame:
    """The numbers of the table."""
    return view_of(safe).numbers()


def drawn_numbers(safe: Safe, groups: Sequence[str], horizon: float) -> pd.DataFrame:
    """The numbers of the figure."""
    return view_of(safe, groups, Look(horizon=horizon)).drawn_numbers()


def is_empty(safe: Safe) -> bool:
    """Whether there is nothing to show."""
    return view_of(safe).is_empty


def nothing_to_draw(safe: Safe, group: str) -> bool:
    """Whether a figure would be empty."""
    return view_of(safe, (group,)).undrawable


def is_unrecorded(safe: Safe) -> bool:
    """Whether what it is about is recorded of nobody."""
    return view_of(safe).unrecorded


def uncertain(safe: Safe) -> pd.DataFrame:
    """The shares that were estimated."""
    return view_of(safe).uncertain  # type: ignore[attr-defined]


def with_events(safe: Safe) -> tuple[Safe, list[str]]:
    """Curves without the groups in which nothing has happened yet."""
    return view_of(safe).with_events  # type: ignore[attr-defined]
