"""From frames of people to counts by group."""

from __future__ import annotations

__all__ = ["count_true", "groups_of", "moments", "moments_of", "tally"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.cohort import Cohort
from evalkit.counts import Codes, Moments, Tally, who


def groups_of(cohort: Cohort, *, by_arm: bool = True) -> tuple[str, ...]:
    """Return the groups of a table: the two arms, or 'all'."""
    return cohort.groups if by_arm else ("all",)


def _own(people: pd.DataFrame, group: str) -> pd.DataFrame:
    return people if group == "all" else people[people["group"] == group]


def count_true(
    people: pd.DataFrame, groups: Sequence[str], term: str, label: str, met: str, eligible: str
) -> list[dict[str, object]]:
    """Return one row of a `Tally` per group, with who they are: n those `eligible`, n_event who of them `met`."""
    rows: list[dict[str, object]] = []
    for group in groups:
        own = _own(people, group)
        able = own[eligible].to_numpy(dtype=bool)
        done = able & own[met].to_numpy(dtype=bool)
        row = {"group": group, "term": term, "label": label, "n_event": int(done.sum()), "n": int(able.sum())}
        rows.append({**row, _WHO: who(own, n=able, n_event=done)})
    return rows


# Who stands behind a row travels in it until `tally`, so that leaving rows out cannot part the two.
_WHO = "people"


def _split(rows: list[dict[str, object]]) -> tuple[list[dict[str, object]], tuple[dict[str, Codes], ...]]:
    people: list[dict[str, Codes]] = [row.get(_WHO, {}) for row in rows]  # type: ignore[misc]
    return [{k: v for k, v in row.items() if k != _WHO} for row in rows], tuple(people)


def moments_of(
    people: pd.DataFrame, groups: Sequence[str], term: str, label: str, column: str
) -> list[dict[str, object]]:
    """Return one row of `Moments` per group, with who they are, of a quantity that is a number for everybody."""
    rows: list[dict[str, object]] = []
    for group in groups:
        own = _own(people, group)
        values = own[column].astype("float64")
        rows.append(
            {
                "group": group,
                "term": term,
                "label": label,
                "n": len(values),
                "total": float(values.sum()),
                "total_sq": float((values**2).sum()),
                # Both only for disclosure control: a sum that one person, or few, make up most of is not shown.
                "largest": float(values.abs().max()) if len(values) else 0.0,
                "n_nonzero": int((values != 0).sum()),
                _WHO: who(own, n=np.ones(len(own), dtype=bool)),
            }
        )
    return rows


def tally(rows: list[dict[str, object]]) -> Tally:
    """Return rows of `count_true` as a `Tally`, typed even where there are none."""
    columns = ["group", "term", "label", "n_event", "n"]
    plain, people = _split(rows)
    # Whole numbers also of no rows: without a type an empty column is taken for text.
    frame = pd.DataFrame(plain, columns=None if plain else columns).astype(dict.fromkeys(columns[3:], "int64"))
    return Tally(frame, people=people)


def moments(rows: list[dict[str, object]]) -> Moments:
    """Return rows of `moments_of` as `Moments`, typed even where there are none."""
    columns = ["group", "term", "label", "n", "total", "total_sq", "largest", "n_nonzero"]
    kinds = {"n": "int64", **dict.fromkeys(columns[4:7], "float64"), "n_nonzero": "int64"}
    plain, people = _split(rows)
    return Moments(pd.DataFrame(plain, columns=None if plain else columns).astype(kinds), people=people)
