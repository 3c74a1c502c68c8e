"""How records come to be: entry lags, corrections, rows entered in error, missing values.

The tables are an extract taken on the last day of the study, for which all entry was brought up to date:
nothing is recorded after it, so a cut on that day misses nothing, while an earlier cut misses what was still
to be entered, as in life.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from evalkit.simulate._people import NEVER, Ints

LAGS = {"participants": 3.0, "sessions": 2.0, "exits": 8.0, "outcomes": 20.0, "measures": 4.0}
"""Mean days from an event to its entry."""
# A few rows are entered much later, as in real offices: without them every old quarter would come out the same again.
_SLOW_SHARE, _SLOW_FACTOR = 0.06, 5.0
MISSING = {"age": 0.005, "gender": 0.005, "race_ethnicity": 0.03, "employment": 0.04,
           "prior_dv_arrests": 0.02, "alcohol_use": 0.06}  # fmt: skip
"""Share of people without a value, at random."""


def to_dates(days: Ints) -> pd.Series[pd.Timestamp]:
    """Return ordinals as dates, missing where they are `NEVER` (n,)."""
    epoch = 719163  # date(1970, 1, 1).toordinal()
    known = days < NEVER
    stamps = np.where(known, days - epoch, 0).astype("datetime64[D]").astype("datetime64[ns]")
    return pd.Series(stamps).where(known)


def lag(rng: np.random.Generator, table: str, day: Ints, last: int) -> Ints:
    """Return days of entry of a table's events (n,), none after the day of the extract (`last`)."""
    slow = np.where(rng.random(day.size) < _SLOW_SHARE, _SLOW_FACTOR, 1.0)
    wait = np.floor(rng.exponential(LAGS[table], day.size) * slow).astype(np.int64)
    entered: Ints = np.minimum(day + wait, last)
    return entered


def with_errors(
    rng: np.random.Generator,
    table: pd.DataFrame,
    last: int,
    *,
    share: float,
    spoil: dict[str, tuple[str, ...]],
    phantoms: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return a table with rows first entered wrong, and rows entered in error (`phantoms`), all of them retracted.

    ``share`` of rows are corrections; ``spoil`` has by column the values that wrong rows have. Days are ordinals.
    """
    right = table.reset_index(drop=True).assign(retracted_on=NEVER)
    wrong = right[rng.random(len(right)) < share].copy()
    found = _noticed(rng, wrong["recorded_on"].to_numpy(), last)
    right.loc[wrong.index, "recorded_on"] = found
    wrong["retracted_on"] = found
    for column, values in spoil.items():
        pick = rng.integers(0, len(values), len(wrong))
        other = np.array(values, dtype=object)
        # a wrong row that says the right thing would be no error: it takes the next value
        same = other[pick] == wrong[column].to_numpy(dtype=object)
        wrong[column] = other[np.where(same, (pick + 1) % len(values), pick)]
    parts = [right, wrong]
    if phantoms is not None:
        gone = _noticed(rng, phantoms["recorded_on"].to_numpy(), last)
        parts.append(phantoms.assign(retracted_on=gone))
    return pd.concat([p for p in parts if len(p)] or [right], ignore_index=True)


def _noticed(rng: np.random.Generator, recorded: Ints, last: int) -> Ints:
    return np.minimum(recorded + 1 + np.floor(rng.exponential(25, recorded.size)).astype(np.int64), last)


def finish(table: pd.DataFrame, dates: tuple[str, ...], by: list[str], columns: list[str]) -> pd.DataFrame:
    """Turn columns of ordinals into dates, mark the rows as synthetic, and put rows and columns in order."""
    ordered = table.sort_values([*by, "recorded_on"], kind="stable").reset_index(drop=True)
    for name in (*dates, "recorded_on", "retracted_on"):
        ordered[name] = to_dates(ordered[name].to_numpy(dtype=np.int64))
    ordered["synthetic"] = True
    return ordered[[*columns, "recorded_on", "retracted_on", "synthetic"]]
