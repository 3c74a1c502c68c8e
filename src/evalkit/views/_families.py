"""The families of results by name: an analysis says which one shows it (`Estimates.view`)."""

from __future__ import annotations

__all__ = ["FAMILIES", "view_of"]

from collections.abc import Iterable, Sequence

from evalkit.disclosure import Safe
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.views import (  # noqa: F401 - each defines its families
    across,
    amounts,
    attrition,
    balance,
    counts,
    curves,
    e_values,
    effects,
    means,
    models,
    pathway,
    places,
    risks,
    shares,
    subgroups,
    trend,
    weeks,
)
from evalkit.views._phrases import Gaps
from evalkit.views._view import Look, View


def _all(family: type[View]) -> list[type[View]]:
    return [family, *(found for child in family.__subclasses__() for found in _all(child))]


def _by_name(families: Iterable[type[View]]) -> dict[str, type[View]]:
    """Name the families; one that shares a name would take another one's place without a word."""
    found: dict[str, type[View]] = {}
    for family in families:
        if "name" not in vars(family):  # what others build on
            continue
        if found.setdefault(family.name, family) is not family:
            msg = f"views: two families are called '{family.name}'"
            raise AnalysisError(msg)
    return found


# From the classes themselves: a list of families would have to be kept in step with them (ADR 18).
FAMILIES = _by_name(_all(View))


def view_of(safe: Safe, groups: Sequence[str] = (), look: Look | None = None, gaps: Gaps | None = None) -> View:
    """Return a result's view.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
        In the order of colours, the focus first.
    look : Look, optional
    gaps : mapping of str to Gap, optional
        Differences between the two groups.

    Returns
    -------
    View

    Raises
    ------
    AnalysisError
        If the analysis names a family that does not exist.

    Examples
    --------
    >>> sorted(FAMILIES)[:3]
    ['across', 'amounts', 'attendance_rate']
    """
    name = safe.estimates.view
    family = FAMILIES.get(name)
    if family is None:
        msg = f"{safe.estimates.kind}: there is no view '{name}'{did_you_mean(name, FAMILIES)}"
        raise AnalysisError(msg)
    return family(safe, groups, look or Look(), gaps or {})
