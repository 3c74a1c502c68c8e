"""Differences between two arms in states: as they are, or weighted, by a bootstrap of people."""

from __future__ import annotations

__all__ = ["state_difference"]

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import Tally, TransitionCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._arms import (
    ESTIMANDS,
    NOISE,
    Arms,
    answered,
    bootstrap,
    check_boot,
    check_estimand,
    read_arms,
    target_weights,
)
from evalkit.stats._columns import Floats, Ints, check_level
from evalkit.stats._curve import RESIDUE, safe_divide
from evalkit.stats._kaplan_meier import asked_days
from evalkit.stats._limits import percentile_limits, two_sided
from evalkit.stats._logistic import fit_logistic, predicted, require
from evalkit.stats._rmst import check_tau
from evalkit.stats._transition_counts import CENSORED, goes_on, transition_counts

_BLOCK = 25  # replicates at once: their moves on every day are in memory


@dataclass(frozen=True, eq=False)
class _Paths:
    """One arm's stays, ready to be weighted anew: which cell of moves, and of entries and ends, each stay counts in."""

    people: Ints
    times: Floats
    moved: scipy.sparse.csr_matrix
    stock: scipy.sparse.csr_matrix
    states: int

    def values(self, weights: Floats, at: Floats, tau: float) -> Floats:
        """Return probabilities at times, then days up to tau (b, times + 1, S), of weights of the people (b, n)."""
        s, m = self.states, len(self.times)
        found = np.empty((len(weights), len(at) + 1, s))
        for first in range(0, len(weights), _BLOCK):
            mass = weights[first : first + _BLOCK].T
            moved = (self.moved @ mass).T.reshape(-1, m, s, s)
            stock = (self.stock @ mass).T.reshape(-1, m, s)
            after = np.cumsum(stock + moved.sum(axis=2) - moved.sum(axis=3), axis=1)
            risk = np.concatenate([np.zeros((len(moved), 1, s)), after[:, :-1]], axis=1)
            found[first : first + _BLOCK] = self._product(moved, risk, at, tau)
        return found

    def _product(self, moved: Floats, risk: Floats, at: Floats, tau: float) -> Floats:
        # weights that came and went leave a residue where nobody is
        risk = np.where(risk > RESIDUE * np.abs(risk).max(axis=(1, 2), keepdims=True, initial=1.0), risk, 0.0)
        share = np.minimum(safe_divide(moved, risk[..., None]), 1.0)
        # from the first move on; where nobody moves, from the first day on which anybody is observed
        moving = moved.sum(axis=(2, 3)) > 0
        begun = np.where(moving.sum(axis=1) > 0, moving.argmax(axis=1), (risk.sum(axis=2) > 0).argmax(axis=1))
        p = risk[np.arange(len(risk)), begun]
        p = safe_divide(p, p.sum(axis=1, keepdims=True))
        found = np.zeros((len(risk), len(at) + 1, p.shape[1]))
        found[:, :-1] = p[:, None, :]
        before = 0.0
        for k, day in enumerate(self.times):
            if np.isfinite(day):
                found[:, -1] += p * max(min(day, tau) - before, 0.0)
                before = max(before, min(day, tau))
                p = p + (p[:, None, :] @ share[:, k])[:, 0] - p * share[:, k].sum(axis=2)
                found[:, :-1][:, at >= day] = p[:, None, :]
        found[:, -1] += p * max(tau - before, 0.0)
        return found


def _laid(counts: TransitionCounts, rows: pd.DataFrame) -> _Paths:
    """Lay one arm's stays on their days."""
    people, unique = pd.factorize(rows["person"])
    s = len(counts.states)
    times = np.unique(np.concatenate([rows["time_from"], rows["time"]]))
    start, end = (np.searchsorted(times, rows[name]) for name in ("time_from", "time"))
    state, to = rows["state"].to_numpy(dtype=int), rows["to"].to_numpy(dtype=int)
    on = goes_on(rows)
    new = ~on.to_numpy()
    gone = ~on.shift(-1, fill_value=False).to_numpy()  # from the state moved to, where a move is the last thing seen
    moves = to != CENSORED
    shape = (len(times) * s * s, len(unique))
    ones = np.ones(int(moves.sum()))
    cells = (end[moves] * s + state[moves]) * s + to[moves]
    # sparse, so that one product weights everybody's moves anew for a whole block of replicates
    moved = scipy.sparse.csr_matrix((ones, (cells, people[moves])), shape=shape)
    where = np.concatenate([start[new] * s + state[new], end[gone] * s + np.where(moves, to, state)[gone]])
    signs = np.concatenate([np.ones(int(new.sum())), -np.ones(int(gone.sum()))])
    whose = np.concatenate([people[new], people[gone]])
    stock = scipy.sparse.csr_matrix((signs, (where, whose)), shape=(len(times) * s, len(unique)))
    return _Paths(unique.to_numpy(dtype=np.int64), times, moved, stock, s)


def state_difference(
    data: pd.DataFrame,
    treatment: str,
    covariates: str | Sequence[str] | None = None,
    *,
    states: Sequence[str],
    times: Iterable[float] | float,
    tau: float,
    person: str = "participant_id",
    estimand: str = "att",
    focus: object = None,
    n_boot: int = 1000,
    seed: int = 0,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate how much more probable each state is in one arm than in the other, and the days more spent in it.

    The difference of two Aalen-Johansen estimates; with covariates, of people weighted to the target by a logistic
    propensity score. Intervals are percentiles of a bootstrap of people within arms, which refits the score [1]_.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        One row per stay with the columns time_from, time, state, to, as `evalkit.stats.transition_counts` takes
        them, and the arm and covariates of the person on each of them.
    treatment : str
        Column with two levels.
    covariates : str or sequence of str, optional
        Columns or a formula; without them the arms are compared as they are.
    states : sequence of str
    times : number or iterable of numbers
        Days on which probabilities are compared.
    tau : float
        Horizon of the days.
    person : str
        Column.
    estimand : {"att", "ate", "overlap"}
        With covariates: for whom.
    focus : object, optional
        The focus level; default the higher of the two.
    n_boot, seed, conf_level
        As in `adjusted_effect`.

    Returns
    -------
    Estimates
        contrast, measure ('probability_difference' or 'days_difference'), method ('unadjusted' or 'iptw'), state, tau
        (the day, or the horizon), estimate, std_error, conf_low, conf_high.

    Raises
    ------
    AnalysisError
        If a day is negative or not finite, an arm is not followed so long, the arms are told apart completely, or a
        column is missing or wrong.

    References
    ----------
    .. [1] Davison, Hinkley (1997), Bootstrap Methods and their Application, chapter 5.

    Examples
    --------
    >>> stays = pd.DataFrame({"participant_id": [f"p{i}" for i in range(60)], "time_from": -1, "state": "in"})
    >>> stays = stays.assign(time=[10 + i % 9 for i in range(60)], arm=[i % 2 for i in range(60)])
    >>> stays["to"] = ["out" if i % 4 == 1 else "" for i in range(60)]
    >>> found = state_difference(stays, "arm", states=["in", "out"], times=[15], tau=15, n_boot=50, seed=1).tidy()
    >>> found.loc[found["measure"] == "probability_difference", "estimate"].round(3).tolist()
    [-0.449, 0.449]
    """
    at, until = np.array(asked_days(times)), check_tau(tau)
    check_level(conf_level)
    check_estimand(estimand)
    counts = transition_counts(data, states=states, person=person)
    first = data.drop_duplicates(person).reset_index(drop=True)
    arms = _arms(first, treatment, covariates, focus)
    sides = _sides(counts, arms, max(until, *at))
    start = _score(arms, np.ones((1, arms.size)), None)[2] if covariates is not None else None

    def differences(resampled: Floats) -> Floats:
        weights, converged = resampled, np.ones(len(resampled), dtype=bool)
        if start is not None:
            score, converged, _ = _score(arms, resampled, start)
            weights = resampled * target_weights(score, arms.treated, estimand)
        one, two = (side.values(weights[:, side.people], at, until) for side in sides)
        return np.where(converged[:, None, None], one - two, np.nan)

    point = differences(np.ones((1, arms.size)))[0]
    drawn, notes = answered(bootstrap(arms, None, check_boot(n_boot), seed, differences))
    method = "unadjusted" if covariates is None else "iptw"
    whom = "" if covariates is None else f" {ESTIMANDS[estimand]}"
    model = {"group": ["all"], "term": ["model"], "n_event": [_moved(counts)], "n": [arms.size]}
    return Estimates(
        _rows(point, drawn, at, until, counts.states, conf_level).assign(
            contrast=f"{arms.names[0]} - {arms.names[1]}", method=method
        ),
        kind="state_difference",
        estimand=f"difference in the probability of, and the days in, each state{whom}",
        conf_level=conf_level,
        summary={"n": arms.size, "n_boot": n_boot, "seed": seed},
        notes=notes,
        counts=Tally(pd.DataFrame(model)),
        asked={
            "times": at.tolist(),
            "tau": until,
            "method": method,
            "target": estimand if covariates is not None else "",
        },
    )


def _moved(counts: TransitionCounts) -> int:
    """Return how many people ever moved."""
    return 0 if counts.paths is None else int(counts.paths.loc[counts.paths["to"] != CENSORED, "person"].nunique())


def _arms(first: pd.DataFrame, treatment: str, covariates: str | Sequence[str] | None, focus: object) -> Arms:
    if covariates is not None:
        return read_arms(first, treatment, covariates, focus)
    # arms are read with a covariate: this one varies, as it has to, and nothing is weighted by it
    return read_arms(first.assign(no_covariate_=np.arange(len(first)) % 2), treatment, ["no_covariate_"], focus)


def _sides(counts: TransitionCounts, arms: Arms, until: float) -> tuple[_Paths, _Paths]:
    """Return the stays of the focus and of the comparison; people are numbered as they first stand in the data."""
    found, paths = [], counts.paths if counts.paths is not None else pd.DataFrame()
    for side, arm in ((1.0, "focus"), (0.0, "comparison")):
        rows = paths[arms.treated[paths["person"]] == side]
        if rows["time"].max() < until:
            msg = f"day {until:g} lies beyond the last day of follow-up of the {arm} arm ({rows['time'].max():g})"
            raise AnalysisError(msg)
        found.append(_laid(counts, rows))
    return found[0], found[1]


def _score(arms: Arms, counts: Floats, start: Floats | None) -> tuple[Floats, np.ndarray, Floats]:
    beta, converged = fit_logistic(arms.x, arms.treated, counts, *(() if start is None else (start,)))
    if start is None:
        require(converged)
    return predicted(arms.x, beta), converged, beta[0]


def _rows(
    point: Floats, drawn: Floats, at: Floats, tau: float, states: tuple[str, ...], conf_level: float
) -> pd.DataFrame:
    low, high = percentile_limits(drawn, conf_level)
    error = drawn.std(axis=0, ddof=1)
    largest = np.append(np.ones(len(at)), tau)[:, None]  # what a probability, or days, can be at most
    varies = error > NOISE * largest
    statistic = safe_divide(point, np.where(varies, error, 0.0), np.nan)
    asked = [*(("probability_difference", float(day)) for day in at), ("days_difference", tau)]
    rows = pd.DataFrame([(m, state, day) for m, day in asked for state in states], columns=["measure", "state", "tau"])
    told = {"estimate": point, "std_error": error, "conf_low": low, "conf_high": high}
    for name, values in told.items():
        rows[name] = np.where(varies | (name == "estimate"), values, np.nan).ravel()
    rows["statistic"] = statistic.ravel()
    rows["p_value"] = two_sided(rows["statistic"].to_numpy(dtype=float))
    return rows
