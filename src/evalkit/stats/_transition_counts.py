"""Counts of moves between states by day, made once from one row per stay; and what is asked from a landmark day on.

A landmark analysis takes those still at risk on that day, grouped by what was known then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.counts import TransitionCounts, codes_of
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.stats._columns import Floats, any_column, column, group_column, number_column

__all__ = ["CENSORED", "counted", "from_landmark", "goes_on", "landmark", "transition_counts"]


# No state has a negative number, so that a path's end cannot be taken for a move.
CENSORED = -1


def transition_counts(
    data: pd.DataFrame,
    *,
    states: Sequence[str],
    person: str = "participant_id",
    time_from: str = "time_from",
    time: str = "time",
    state: str = "state",
    to: str = "to",
    by: str | None = None,
    weights: str | None = None,
) -> TransitionCounts:
    """Count entries, moves and censorings by day, state and group: what multi-state estimators are made from [1]_.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        One row per stay of a person in a state. Not changed.
    states : sequence of str
        Names of all states.
    person : str
        Column: whose stay.
    time_from, time : str
        Columns: observed in the state on the times after time_from up to time. Whoever has no row that ends where this
        one begins comes under observation there (in days); below 0, or -inf: from the origin.
    state, to : str
        Columns: the state, and the one moved to at ``time``; missing or empty: censored.
    by, weights : str, optional
        Columns: group, case weights (>= 0).

    Returns
    -------
    TransitionCounts

    Raises
    ------
    AnalysisError
        Naming the column that is missing or wrong; a state that is none of the names; stays of one person that overlap,
        or whose state is not the one moved to.

    References
    ----------
    .. [1] Aalen, Johansen (1978), Scand. J. Stat. 5:141-150.

    Examples
    --------
    >>> stays = pd.DataFrame({"participant_id": ["a", "a", "b"], "time_from": [-1, 5, -1], "time": [5, 9, 9]})
    >>> stays = stays.assign(state=["in", "out", "in"], to=["out", "", ""])
    >>> transition_counts(stays, states=["in", "out"]).frame[["state", "time", "n_entry", "n_to_2", "n_censor"]]
      state  time  n_entry  n_to_2  n_censor
    0    in  -inf        2       0         0
    1    in   5.0        0       1         0
    2    in   9.0        0       0         1
    3   out   9.0        0       0         1
    """
    names = tuple(states)
    groups = group_column(data, by)
    # codes are of participants: another column may be of somebody else
    codes = codes_of(data) if person == "participant_id" else None
    paths = pd.DataFrame(
        {
            "group": np.array(groups.labels, dtype=object)[groups.codes],
            "person": pd.factorize(column(data, person))[0],
            "code": np.zeros(len(data), dtype=np.uint64) if codes is None else codes,
            "time_from": number_column(data, time_from, origin=True),
            "time": number_column(data, time),
            "state": _places(column(data, state), names, state),
            "to": _places(any_column(data, to), names, to, censored=True),
            "weight": np.ones(len(data)) if weights is None else number_column(data, weights, low=0),
        }
    )
    paths.loc[paths["time_from"] < 0, "time_from"] = -np.inf
    paths = paths.sort_values(["person", "time"], kind="stable").reset_index(drop=True)
    _check(paths, time_from, time)
    return counted(paths, names, groups.labels, weighted=weights is not None)


def counted(paths: pd.DataFrame, states: tuple[str, ...], groups: Sequence[str], *, weighted: bool) -> TransitionCounts:
    """Return the counts of paths (sorted by person and time)."""
    ends = paths.groupby(["group", "state", "time", "to"], as_index=False).agg(
        n=("weight", "size"), w=("weight", "sum")
    )
    on = goes_on(paths)
    new = paths[~on]
    begins = new.groupby(["group", "state", "time_from"], as_index=False).agg(n=("weight", "size"), w=("weight", "sum"))
    # entries as one more way of moving, below every state and the censored: one table holds all counts
    begins = begins.rename(columns={"time_from": "time"}).assign(to=-2)
    # Whoever moves on the last day of being observed is not at risk in the new state: censored in it that day.
    last = paths[paths["to"].ne(CENSORED) & ~on.shift(-1, fill_value=False)]
    gone = last.groupby(["group", "to", "time"], as_index=False).agg(n=("weight", "size"), w=("weight", "sum"))
    gone = gone.rename(columns={"to": "state"}).assign(to=CENSORED)
    every = pd.concat([begins, ends, gone], ignore_index=True)
    names = {-2: "entry", **{k: f"to_{k + 1}" for k in range(len(states))}, CENSORED: "censor"}
    frame = every[["group", "state", "time"]].drop_duplicates()
    keys, parts = ["group", "state", "time"], []
    for kind in ("n", "w") if weighted else ("n",):
        wide = every.pivot_table(index=keys, columns="to", values=kind, aggfunc="sum", fill_value=0)
        wide = wide.reindex(columns=list(names), fill_value=0).rename(
            columns={k: f"{kind}_{v}" for k, v in names.items()}
        )
        parts.append(wide.astype("int64" if kind == "n" else "float64"))
    frame = pd.concat(parts, axis=1).reset_index()
    order = {name: place for place, name in enumerate(groups)}
    frame = frame.assign(place=frame["group"].map(order)).sort_values(["place", "state", "time"]).drop(columns="place")
    frame["state"] = np.array(states, dtype=object)[frame["state"].to_numpy(dtype=int)]
    frame.columns.name = None
    return TransitionCounts(frame, states=states, paths=paths)


def from_landmark(counts: TransitionCounts, state: str, day: float) -> TransitionCounts:
    """Return the counts, after a day, of the people who were in a state at its end and were observed after it.

    The state occupation of these counts estimates the probability of moving from that state, without the Markov
    property: landmark Aalen-Johansen [1]_.

    Parameters
    ----------
    counts : TransitionCounts
        With paths.
    state : str
    day : float

    Returns
    -------
    TransitionCounts
        Times are still since the origin; without rows where nobody was in the state.

    Raises
    ------
    AnalysisError
        If there is no such state, or it is not known who moved.

    References
    ----------
    .. [1] Putter, Spitoni (2018), Stat. Methods Med. Res. 27:2081-2092.

    Examples
    --------
    >>> stays = pd.DataFrame({"participant_id": ["a", "a", "b"], "time_from": [-1, 5, -1], "time": [5, 9, 9]})
    >>> stays = stays.assign(state=["in", "out", "in"], to=["out", "", ""])
    >>> later = from_landmark(transition_counts(stays, states=["in", "out"]), "out", 6)
    >>> later.frame[["state", "time", "n_entry", "n_censor"]]
      state  time  n_entry  n_censor
    0   out   6.0        1         0
    1   out   9.0        0         1
    """
    if state not in counts.states:
        msg = f"from_landmark: there is no state '{state}'{did_you_mean(state, counts.states)}"
        raise AnalysisError(msg)
    if counts.paths is None:
        msg = "from_landmark: the counts do not say who moved"
        raise AnalysisError(msg)
    paths = counts.paths
    there = paths["time_from"].le(day) & paths["time"].gt(day) & paths["state"].eq(counts.states.index(state))
    later = paths[paths["person"].isin(paths.loc[there, "person"]) & paths["time"].gt(day)].reset_index(drop=True)
    later["time_from"] = later["time_from"].clip(lower=day)
    if later.empty:
        return TransitionCounts(counts.data.iloc[:0], states=counts.states, paths=later)
    return counted(later, counts.states, counts.groups, weighted=counts.weighted)


def goes_on(paths: pd.DataFrame) -> pd.Series:
    """Say which stays begin where the person's stay before ended."""
    same = paths["person"].eq(paths["person"].shift())
    return same & paths["time_from"].eq(paths["time"].shift()) & paths["to"].shift().ne(CENSORED)


def _places(values: pd.Series, names: tuple[str, ...], where: str, *, censored: bool = False) -> np.ndarray:
    texts = values.astype(object).where(values.notna(), "").astype(str)
    known = {name: place for place, name in enumerate(names)} | ({"": CENSORED} if censored else {})
    places = texts.map(known)
    if places.isna().any():
        msg = f"column '{where}' has {int(places.isna().sum())} values that are none of the states: {', '.join(names)}"
        raise AnalysisError(msg)
    return places.to_numpy(dtype=np.int64)


def _check(paths: pd.DataFrame, time_from: str, time: str) -> None:
    wrong = int((paths["time_from"] >= paths["time"]).sum())
    if wrong:
        msg = f"column '{time_from}' must be before column '{time}': {wrong} rows are not"
        raise AnalysisError(msg)
    same = paths["person"].eq(paths["person"].shift())
    overlap = int((same & paths["time_from"].lt(paths["time"].shift())).sum())
    if overlap:
        msg = f"stays of one person overlap: {overlap} begin (column '{time_from}') before the one before has ended"
        raise AnalysisError(msg)
    torn = int((goes_on(paths) & paths["state"].ne(paths["to"].shift())).sum())
    if torn:
        msg = f"{torn} stays begin in another state than the person moved to"
        raise AnalysisError(msg)


def _days_or_missing(data: pd.DataFrame, name: str) -> Floats:
    """Return a column of days, nan where missing; what is not a number is refused, as it would read as never."""
    values = any_column(data, name)
    present = values[values.notna()]
    kind = pd.api.types
    # true and false are numbers to numpy, and would read as days 1 and 0
    numbers = kind.is_numeric_dtype(values.dtype) and not kind.is_bool_dtype(values.dtype)
    numbers = numbers and not kind.is_complex_dtype(values.dtype)
    if values.dtype == object:
        numbers = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in present)
    if len(present) and not numbers:
        msg = f"column '{name}' must hold days since the origin as numbers, it is {values.dtype}"
        raise AnalysisError(msg)
    days = np.full(len(values), np.nan)
    if len(present):
        days[values.notna().to_numpy()] = present.to_numpy(dtype=np.float64)
    return days


def landmark(
    data: pd.DataFrame,
    time: str,
    *,
    at: float,
    known: str | None = None,
    label: str = "by_landmark",
    yes: str = "yes",
    no: str = "no",
) -> pd.DataFrame:
    """Return the rows still at risk after a landmark day, with time counted from it.

    Comparing people by something that happens during follow-up (completing a programme) from its start is
    immortal-time biased; from the landmark on, grouped by what had happened by then, it is not. [1]_

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        Not changed.
    time : str
        Column: days since the origin.
    at : float
        The landmark day. Those whose time is at or before it are left out.
    known : str, optional
        Column: day of what is grouped by, as a number of days since the origin; missing where it never happened.
    label, yes, no : str
        Name and levels of the new column: `yes` where ``known`` is at or before the landmark.

    Returns
    -------
    pandas.DataFrame
        The rows with time > at, their time less at, and the new column.

    Raises
    ------
    AnalysisError
        If nobody is at risk after the landmark, or a column is missing or wrong: dates, text or yes and no in
        ``known`` are no days.

    References
    ----------
    .. [1] Anderson, Cain, Gelber (1983), J. Clin. Oncol. 1:710-719.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [100, 300, 400], "completed_on": [None, 150.0, 200.0]})
    >>> landmark(people, "day", at=182, known="completed_on")["by_landmark"].tolist()
    ['yes', 'no']
    """
    days = number_column(data, time, low=0)
    if not (np.isfinite(at) and at >= 0):
        msg = f"at must be a day, 0 or later, it is {at}"
        raise AnalysisError(msg)
    # whoever leaves on the landmark's day is not at risk after it
    kept = days > at
    if not kept.any():
        msg = f"column '{time}': nobody is at risk after day {at:g}"
        raise AnalysisError(msg)
    out = data.loc[kept].copy()
    out[time] = days[kept] - at
    if known is not None:
        if label in data.columns:
            msg = f"there is a column '{label}' already; choose another label"
            raise AnalysisError(msg)
        when = _days_or_missing(data, known)[kept]
        out[label] = np.where(np.nan_to_num(when, nan=np.inf) <= at, yes, no)
    return out
