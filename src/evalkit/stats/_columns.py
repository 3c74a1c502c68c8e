"""Reading columns: checked once, here, with errors that name the column and never a value."""

from __future__ import annotations

__all__ = [
    "LARGEST_DAY",
    "Floats",
    "Groups",
    "Ints",
    "Rows",
    "any_column",
    "check_level",
    "check_reference",
    "coincide",
    "column",
    "group_column",
    "label",
    "number_column",
    "read_rows",
    "whole_column",
    "whole_days",
]

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.errors import AnalysisError, did_you_mean

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Whole numbers in so small a range are ranked by counting them, which needs no sort.
SMALL_RANGE = 10_000
# Days are held as int32 where they can be, half of a float's memory; half its range is three million years.
LARGEST_DAY = 2**30
LARGEST_WHOLE = 2**53  # beyond it float64 does not hold every whole number, and beyond 2**63 int64 none
# R's own (`survival::aeqSurv`): years made from days by a division tie as the days did.
TIE_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))
# Causes are numbered 1, 2, ..., and each has a place on every day: a year or an identifier in their column, taken for
# the number of causes, would take the memory.
MOST_CAUSES = 100


def any_column(data: pd.DataFrame, name: str) -> pd.Series:
    """Return a column that is there once; its values may be missing."""
    if name not in data.columns:
        near = did_you_mean(str(name), [str(c) for c in data.columns])
        msg = f"there is no column '{name}'{near}"
        raise AnalysisError(msg)
    if not isinstance(data.columns.get_loc(name), int):
        msg = f"column '{name}' stands more than once in the data; keep one of them"
        raise AnalysisError(msg)
    return data[name]


def column(data: pd.DataFrame, name: str) -> pd.Series:
    """Return a column that is there once, has rows and has no missing values."""
    values = any_column(data, name)
    if len(data) == 0:
        msg = f"column '{name}' has no rows: nothing can be estimated"
        raise AnalysisError(msg)
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iub":
        return values  # numbers of these types cannot be missing
    if values.isna().any():
        msg = f"column '{name}' has missing values; drop or impute these rows first"
        raise AnalysisError(msg)
    return values


def number_column(data: pd.DataFrame, name: str, *, low: float | None = None, origin: bool = False) -> Floats:
    """Return a numeric column as float64; `low` bounds it below, `origin` allows minus infinity."""
    values = any_column(data, name)
    if len(values) and values.dtype == np.float64:
        array = values.to_numpy()
        if np.isfinite(array.min()) and np.isfinite(array.max()):  # nothing is missing, in two passes
            _check_low(array, name, low)
            return array
    values = column(data, name)
    numeric = pd.api.types.is_numeric_dtype(values.dtype)
    if not numeric:
        msg = f"column '{name}' must be numeric, it is {values.dtype}"
        raise AnalysisError(msg)
    array = values.to_numpy(dtype=np.float64)
    real = np.isfinite(array) | (np.isneginf(array) if origin else False)
    if not real.all():
        msg = f"column '{name}' has values that are not finite"
        raise AnalysisError(msg)
    _check_low(array[np.isfinite(array)], name, low)
    return array


def _check_low(array: Floats, name: str, low: float | None) -> None:
    if low is not None and len(array) and array.min() < low:
        msg = f"column '{name}' has values below {low:g}"
        raise AnalysisError(msg)


def whole_column(data: pd.DataFrame, name: str, *, high: int | None = None) -> Ints:
    """Return a column of whole numbers 0, 1, ... (``high`` at most) or booleans as int64."""
    values = column(data, name)
    integral = isinstance(values.dtype, np.dtype) and values.dtype.kind in "iub"
    numbers = values.to_numpy() if integral else number_column(data, name)
    if numbers.min() < 0:
        msg = f"column '{name}' has values below 0"
        raise AnalysisError(msg)
    if numbers.max() > LARGEST_WHOLE:
        msg = f"column '{name}' has numbers too large to be counts or codes"
        raise AnalysisError(msg)
    array = numbers.astype(np.int64, copy=False)
    if not integral:
        wrong = int((array != numbers).sum())
        if wrong:
            msg = f"column '{name}' must hold whole numbers, {wrong} values are not"
            raise AnalysisError(msg)
    if high is not None and array.max() > high:
        msg = f"column '{name}' must hold 0 to {high} only; some values are above"
        raise AnalysisError(msg)
    return array


def label(value: object) -> str:
    """Return a level as the text a result shows; 1.0 and 1 are the same level."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


@dataclass(frozen=True)
class Groups:
    """Group membership: codes (n,) into labels, labels in categorical or sorted order."""

    codes: Ints
    labels: tuple[str, ...]

    def code(self, name: object, what: str = "reference") -> int:
        """Return the code of a group named by the caller."""
        wanted = label(name)
        if wanted not in self.labels:
            # not which there are: they may be names of people
            msg = f"{what} '{wanted}' is not one of the {len(self.labels)} groups"
            raise AnalysisError(msg)
        return self.labels.index(wanted)


def group_column(data: pd.DataFrame, by: str | None) -> Groups:
    """Return group codes; one group 'all' when `by` is None. Unused categories are left out."""
    if by is None:
        return Groups(np.zeros(len(data), dtype=np.int64), ("all",))
    values = column(data, by)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
        codes, levels = values.cat.codes.to_numpy(), list(values.cat.categories)
    else:
        codes, levels = _factorize(values)
    labels = tuple(label(level) for level in levels)
    if len(set(labels)) != len(labels):
        msg = f"column '{by}' has levels of different types that read the same as text"
        raise AnalysisError(msg)
    return Groups(codes.astype(np.int64, copy=False), labels)


def _factorize(values: pd.Series) -> tuple[npt.NDArray[Any], list[object]]:
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu" and values.dtype != np.uint64:
        numbers = values.to_numpy().astype(np.int64, copy=False)
        low, high = int(numbers.min()), int(numbers.max())
        if high - low <= 1:  # both are there
            return numbers - low if low else numbers, list(range(low, high + 1))
        if high - low < SMALL_RANGE:
            used = np.flatnonzero(np.bincount(numbers - low))
            place = np.zeros(high - low + 1, dtype=np.int64)
            place[used] = np.arange(len(used))
            return place[numbers - low], [int(v) + low for v in used]
    codes, levels = pd.factorize(values)
    names = list(levels)
    try:
        order = sorted(range(len(names)), key=lambda i: names[i])
    except TypeError:  # levels of several types have no order of their own
        order = sorted(range(len(names)), key=lambda i: str(names[i]))
    rank = np.empty(len(names), dtype=np.intp)
    rank[order] = np.arange(len(names))
    return rank[codes], [names[i] for i in order]


def whole_days(time: Floats) -> npt.NDArray[np.int32] | None:
    """Return times as whole numbers, if that is what all of them are and they are not enormous."""
    if not (time.min() > -LARGEST_DAY and time.max() < LARGEST_DAY):
        return None
    days = time.astype(np.int32)
    return days if bool((days == time).all()) else None


def coincide(*arrays: Floats | None) -> tuple[Floats | None, ...]:
    """Make times that differ by rounding error only the earliest of them, by the rule of R's ``survival::aeqSurv``."""
    given = [a for a in arrays if a is not None]
    # whole numbers carry no rounding error, and most studies' days are that: no sort
    if all(whole_days(a) is not None or bool((np.trunc(a) == a).all()) for a in given):
        return arrays
    distinct = np.unique(np.concatenate(given))
    distinct = distinct[np.isfinite(distinct)]
    # R's rule has an absolute 1.5e-8 beside the share: without it a curve does not depend on the unit of time
    scale = float(np.mean(np.abs(distinct)))
    first = np.concatenate([[True], np.diff(distinct) > TIE_TOLERANCE * scale])
    if first.all():
        return arrays
    stands = distinct[first][np.cumsum(first) - 1]

    def snap(a: Floats | None) -> Floats | None:
        if a is None:
            return None
        place = np.clip(np.searchsorted(distinct, a), 0, len(distinct) - 1)
        return np.where(np.isfinite(a), stands[place], a)

    return tuple(snap(a) for a in arrays)


@dataclass(frozen=True)
class Rows:
    """Checked columns of a time-to-event frame, each (n,)."""

    time: Floats
    cause: Ints
    entry: Floats | None  # None: everybody is observed from the origin
    weights: Floats | None  # None: there are none
    groups: Groups
    days: npt.NDArray[np.int32] | None = None  # the time in whole days, where it is that


def _representable(mass: Floats) -> bool:
    """Return whether sums of squared weights, and quotients of them, stay numbers: the largest weights decide."""
    return bool(1e-50 <= mass.max() <= 1e50)


def read_rows(
    data: pd.DataFrame,
    time: str,
    event: str,
    *,
    by: str | None = None,
    entry: str | None = None,
    weights: str | None = None,
    causes: int | None = 1,
) -> Rows:
    """Read and check columns of a time-to-event analysis; an AnalysisError names the column, never a value."""
    end = number_column(data, time, low=0)
    cause = whole_column(data, event, high=causes)
    if causes is None and cause.max() > MOST_CAUSES:
        msg = f"column '{event}' has codes above {MOST_CAUSES}: number the causes 1, 2, ... (0: censored)"
        raise AnalysisError(msg)
    start = None if entry is None else number_column(data, entry, low=0, origin=True)
    mass = None if weights is None else number_column(data, weights, low=0)
    if mass is not None and not mass.any():
        msg = f"column '{weights}' has no positive weight"
        raise AnalysisError(msg)
    if mass is not None and not _representable(mass):
        msg = f"column '{weights}' has weights of a size whose squares no number holds; divide all by the largest"
        raise AnalysisError(msg)
    days = whole_days(end)
    # both at once: an entry and an end that differ by rounding only are one time
    end_, start_ = (end, None) if start is None and days is not None else coincide(end, start)
    if start_ is not None and end_ is not None and (start_ >= end_).any():
        late = int((start_ >= end_).sum())
        msg = f"column '{entry}' must be before column '{time}': {late} rows enter at or after their time"
        raise AnalysisError(msg)
    return Rows(end if end_ is None else end_, cause, start_, mass, group_column(data, by), days)


def check_reference(reference: str, groups: Collection[str]) -> None:
    """Refuse a reference that is not among two groups or more; which there are stays unsaid: they may be people."""
    if len(groups) < 2:
        msg = "a contrast needs two groups or more"
        raise AnalysisError(msg)
    if reference not in groups:
        msg = f"reference '{reference}' is not one of the {len(groups)} groups"
        raise AnalysisError(msg)


def check_level(conf_level: float) -> float:
    """Return the level if it lies strictly between 0 and 1."""
    if not 0 < conf_level < 1:
        msg = f"conf_level must lie between 0 and 1, it is {conf_level:g}"
        raise AnalysisError(msg)
    return float(conf_level)
