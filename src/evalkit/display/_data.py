"""The safe numbers of an output, as rows: what is drawn or written, and nothing else."""

from __future__ import annotations

__all__ = [
    "as_mark",
    "benchmark_numbers",
    "curve_numbers",
    "drawn_numbers",
    "restatement_numbers",
    "safe_numbers",
    "ticks",
]

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.display._kinds import CURVES, INCIDENCES

if TYPE_CHECKING:
    from evalkit.disclosure import Safe

_DIGITS = 6  # significant; fewer than a figure's own coordinates hold
_STEPS = (30, 60, 91, 182, 365, 730)
_UNSEEN = ["std_dev"]  # no figure or table shows it
_LIMITS = ["estimate", "conf_low", "conf_high"]


def as_mark(frame: pd.DataFrame) -> dict[str, Any]:
    """Return rows as plain values that a notebook's metadata can hold, the same for the same rows.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    dict
        ``columns``: names; ``rows``: one list per row, numbers to six significant digits, None where missing.

    Examples
    --------
    >>> as_mark(pd.DataFrame({"group": ["a", "b"], "estimate": [1 / 3, float("nan")], "n": [120.0, 5.0]}))["rows"]
    [['a', 0.333333, 120], ['b', None, 5]]
    """
    rows = frame.astype(object).to_numpy().tolist()
    return {"columns": [str(name) for name in frame.columns], "rows": [[_plain(v) for v in row] for row in rows]}


def _plain(value: Any) -> str | float | int | None:  # noqa: ANN401 - whatever a cell holds
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, str):
        return value
    number = float(value)
    if not math.isfinite(number):
        return None
    number = float(f"{number:.{_DIGITS}g}")
    return int(number) if number.is_integer() else number


def safe_numbers(safe: Safe) -> pd.DataFrame:
    """Return the numbers of a table, or of a figure of shares.

    Parameters
    ----------
    safe : Safe

    Returns
    -------
    pandas.DataFrame
        Curves: the landmarks that are quoted. Everything else: all rows, with the digits that disclosure control left.
    """
    if safe.estimates.kind in CURVES | INCIDENCES:
        return safe.landmark_rows().drop(columns="std_error")
    return safe.estimates.tidy().drop(columns=_UNSEEN, errors="ignore")


def drawn_numbers(safe: Safe, groups: Sequence[str], horizon: float) -> pd.DataFrame:
    """Return what a figure draws.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
        In the order of the figure.
    horizon : float
        Longest day of a curve.

    Returns
    -------
    pandas.DataFrame
        Of curves as `curve_numbers`; else as `safe_numbers`, of balance without levels that may not be shown.
    """
    if safe.estimates.kind in CURVES | INCIDENCES:
        return curve_numbers(safe, groups, horizon)
    rows = safe_numbers(safe)
    return rows.dropna(subset=["smd", "smd_weighted"]) if safe.estimates.kind == "balance" else rows


def ticks(horizon: float, most: int = 5) -> list[int]:
    """Return evenly spaced days, a handful of them, at lengths people know.

    Parameters
    ----------
    horizon : float
        Longest day.
    most : int, default 5
        Steps at most.

    Returns
    -------
    list of int

    Examples
    --------
    >>> ticks(365)
    [0, 91, 182, 273, 364]
    """
    whole = [s for s in _STEPS if horizon % s == 0 and 2 <= horizon / s < most]  # the last day is worth a tick
    step = next((s for s in whole or _STEPS if horizon / s < most), 365)
    return [int(day) for day in np.arange(0, horizon + 0.5, step)]


def curve_numbers(safe: Safe, groups: Sequence[str], horizon: float) -> pd.DataFrame:
    """Return what a figure of curves draws: the corners of its lines, and the numbers at risk below it.

    Parameters
    ----------
    safe : Safe
    groups : sequence of str
        In the order of the figure; groups that are not in the estimates are passed over.
    horizon : float
        Longest day drawn.

    Returns
    -------
    pandas.DataFrame
        group (and cause), time, n_risk (only at the days where it is written), estimate, conf_low, conf_high.
    """
    rows = safe.estimates.tidy()
    keys = ["group", "cause"] if "cause" in rows else ["group"]
    named = [key for g in groups for key in dict.fromkeys(rows.loc[rows["group"] == g, keys].itertuples(index=False))]
    knots = {tuple(key): safe.knots(*key) for key in named}
    drawn = {key[0] for key, own in knots.items() if len(own)}  # of a group, perhaps one cause only
    knots = {key: own for key, own in knots.items() if key[0] in drawn}
    end = min(horizon, max(float(own["time"].iloc[-1]) for own in knots.values() if len(own)))
    written = ticks(end, 4 if "cause" in rows and len({*rows["cause"]}) > 1 else 5)
    read = safe.drawn(sorted({*written, end}))
    read["n_risk"] = read["n_risk"].where(read["time"].isin(written))
    parts = []
    for key, own in knots.items():
        names = dict(zip(keys, key, strict=True))
        between = own[(own["time"] < end) & ~own["time"].isin(written)].assign(**names)
        same = (read[keys] == list(key)).all(axis=1) & (read["estimate"].notna() | read["n_risk"].notna())
        parts.append(pd.concat([between, read[same]]).sort_values("time", kind="stable"))
    return pd.concat(parts, ignore_index=True)[[*keys, "time", "n_risk", *_LIMITS]]


def benchmark_numbers(rows: pd.DataFrame, marks: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return shares of this study and published ones, one number per row.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `benchmark_table` takes them.
    marks : pandas.DataFrame, optional
        Published values with their limits, as a figure draws them.

    Returns
    -------
    pandas.DataFrame
        label, group, measure (here, published, difference), n, estimate, conf_low, conf_high.
    """
    here = rows.drop_duplicates(["group", "name"] if "name" in rows else "group")
    named = here.get("name", "This study")
    own = here.assign(label=named, measure="here", estimate=here["here"])
    own = own.assign(conf_low=here["here_low"], conf_high=here["here_high"])
    if marks is not None:
        parts = [own, marks.assign(group="published", measure="published")]
    else:
        published = rows.drop_duplicates("label").assign(group="published", measure="published")
        published = published.assign(estimate=published["baseline"], n=published.get("baseline_n"))
        published[["conf_low", "conf_high"]] = float("nan")
        exact = rows[rows["about"] == ""]  # no difference is given from a figure that is itself 'about'
        parts = [own, published, exact.assign(measure="difference")]
    columns = ["label", "group", "measure", "n", *_LIMITS]
    return pd.concat([part.reindex(columns=columns) for part in parts], ignore_index=True)


def restatement_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return figures of an earlier period that changed since.

    Parameters
    ----------
    rows : pandas.DataFrame
        From disclosure control: figure, group, old, new, reason.

    Returns
    -------
    pandas.DataFrame
        label, group, baseline (as known then), estimate (as known now), sentence; as the table, without those that
        changed slightly unless all did.
    """
    slight = rows["new"].isna()
    rows = rows if slight.all() else rows[~slight]
    names = {"figure": "label", "old": "baseline", "new": "estimate", "reason": "sentence"}
    return rows.rename(columns=names)[["label", "group", "baseline", "estimate", "sentence"]]
