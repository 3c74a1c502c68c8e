"""The probability of being in each state, and the days spent in it (Aalen-Johansen), from counts of moves by day.

First array programs over the moves: the product integral, its area, and each person's influence on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.counts import TransitionCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, Ints
from evalkit.stats._curve import RESIDUE, safe_divide
from evalkit.stats._kaplan_meier import BEYOND, as_times
from evalkit.stats._limits import check_conf_type, limits, normal_quantile
from evalkit.stats._rmst import check_tau
from evalkit.stats._transition_counts import transition_counts

__all__ = [
    "StateDays",
    "StateOccupation",
    "state_days",
    "state_occupation",
]


@dataclass(frozen=True, eq=False)
class Moves:
    """One group's moves on its times."""

    group: str
    time: Floats  # (m,) ascending, finite
    risk: Floats  # (m, S) in each state just before each time, weighted where there are weights
    moved: Floats  # (m, S, S) from state to state
    people: Floats  # (m,) under observation just before each time
    size: int  # how many came under observation
    last: float  # of which the counts speak: whoever is observed leaves on one

    def observed(self, at: Floats) -> Floats:
        """Return how many are under observation just before each time."""
        place = np.searchsorted(self.time, at, side="left")
        return np.append(self.people, 0.0)[place]

    @property
    def steps(self) -> Ints:
        """Places of the times with a move."""
        return np.flatnonzero(self.moved.any(axis=(1, 2)))

    def start(self) -> Floats:
        """Return the distribution over states (S,) of those at risk at the first move; where none is, at first."""
        observed = np.flatnonzero(self.risk.sum(axis=1) > 0)
        first = self.risk[self.steps[0] if len(self.steps) else observed[0]] if len(observed) else self.risk.sum(axis=0)
        return np.asarray(safe_divide(first, first.sum()))


def moves_of(counts: TransitionCounts, group: str) -> Moves:
    """Return one group's moves as arrays."""
    rows, states = counts.data[counts.data["group"] == group], list(counts.states)
    time = np.unique(rows["time"].to_numpy(dtype=np.float64))
    place = np.searchsorted(time, rows["time"].to_numpy(dtype=np.float64))
    state = rows["state"].map({name: k for k, name in enumerate(states)}).to_numpy(dtype=int)
    m, s = len(time), len(states)

    def laid(kind: str) -> tuple[Floats, Floats]:
        moved, stock = np.zeros((m, s, s)), np.zeros((m, s))
        np.add.at(moved, (place, state), rows[[f"{kind}_to_{k + 1}" for k in range(s)]].to_numpy(dtype=np.float64))
        came, left = (rows[f"{kind}_{name}"].to_numpy(dtype=np.float64) for name in ("entry", "censor"))
        np.add.at(stock, (place, state), came - left)
        after = np.cumsum(stock + moved.sum(axis=1) - moved.sum(axis=2), axis=0)
        before = np.concatenate([np.zeros((1, s)), after[:-1]])
        largest = np.abs(before).max(initial=1.0)
        return np.where(before > RESIDUE * largest, before, 0.0), moved

    raw, _ = laid("n")
    risk, moved = laid("w" if counts.weighted else "n")
    finite = np.isfinite(time)
    return Moves(
        group,
        time[finite],
        risk[finite],
        moved[finite],
        raw[finite].sum(axis=1),
        int(rows["n_entry"].sum()),
        float(time[finite].max(initial=-np.inf)),
    )


@dataclass(frozen=True, eq=False)
class Occupation:
    """Probabilities of states as steps."""

    time: Floats  # (k,) of the steps
    value: Floats  # (k + 1, S)

    def at(self, when: Floats) -> Floats:
        """Return the probabilities at times (times, S)."""
        found = self.value[np.searchsorted(self.time, when, side="right")]
        return np.where(found > RESIDUE, found, 0.0)

    def area(self, until: Floats) -> Floats:
        """Return the areas from 0 to times (times, S)."""
        return np.stack([_weights(self.time, u) @ self.value for u in until])


def _weights(time: Floats, until: float) -> Floats:
    """Return how long each value of a step function holds between 0 and a time (k + 1,)."""
    edges = np.concatenate([[0.0], np.clip(time, 0.0, until), [until]])
    return np.asarray(np.diff(edges))


def hazards(moves: Moves) -> Floats:
    """Return the matrices I + dA at the steps (k, S, S)."""
    k = moves.steps
    share = safe_divide(moves.moved[k], moves.risk[k][:, :, None])
    share = share / np.maximum(share.sum(axis=2, keepdims=True), 1.0)  # safe counts may let more leave than there are
    stay = 1.0 - share.sum(axis=2)
    stay = np.where(stay > RESIDUE, stay, 0.0)  # where all leave, a sum of weights would leave a rounding error
    return np.asarray(share + stay[:, :, None] * np.eye(share.shape[1]))


def occupation(moves: Moves) -> Occupation:
    """Return the product integral."""
    value = [moves.start()]
    for matrix in hazards(moves):
        value.append(value[-1] @ matrix)
    return Occupation(moves.time[moves.steps], np.array(value))


def person_errors(counts: TransitionCounts, moves: Moves, at: Floats) -> tuple[Floats, Floats]:
    """Return standard errors of probabilities at times, and of areas up to them (times, S): infinitesimal jackknife.

    With :math:`H = I + dA` person i's influence is :math:`U_i(t) = U_i(t-) H(t) + p(t-) dH_i(t)`; of who is at risk in
    state h row h of :math:`dH_i` is (the move made - dA_h) / Y_h. Squares of weight times influence add up.
    """
    if counts.paths is None or not len(moves.steps):
        zero = np.zeros((len(at), len(counts.states)))
        return zero, zero
    paths = counts.paths[counts.paths["group"] == moves.group]
    whose, people = pd.factorize(paths["person"])
    steps, s = moves.time[moves.steps], len(counts.states)
    begin = np.searchsorted(steps, paths["time_from"].to_numpy(dtype=np.float64), side="right")
    stop = np.searchsorted(steps, paths["time"].to_numpy(dtype=np.float64), side="right")
    states, to = paths["state"].to_numpy(dtype=int), paths["to"].to_numpy(dtype=int)
    mass = paths["weight"].to_numpy(dtype=np.float64)
    ends = np.isin(paths["time"].to_numpy(dtype=np.float64), steps) & (to >= 0)
    # by where they begin: each step then adds those who come to it, and looks at nobody later
    order = np.argsort(begin, kind="stable")
    curve, matrices = occupation(moves), hazards(moves)
    influence, area = np.zeros((len(people), s)), np.zeros((len(people), s))
    risk = moves.risk[moves.steps]
    now = np.flatnonzero((begin == 0) & (stop > 0))  # at risk at the first move
    np.add.at(influence, (whose[now], states[now]), mass[now] / risk[0].sum())
    np.add.at(influence, whose[now], -(mass[now] / risk[0].sum())[:, None] * curve.value[0])
    found, areas = np.zeros((len(at), s)), np.zeros((len(at), s))
    held = np.clip(np.concatenate([[0.0], steps, [np.inf]]), 0.0, None)
    active, coming = np.zeros(0, dtype=int), 0
    for k in range(len(steps) + 1):  # between step k - 1 and step k the influence is as it is now
        until, after = held[k + 1], -np.inf if k == 0 else steps[k - 1]
        for place in np.flatnonzero((at >= after) & (at < (steps[k] if k < len(steps) else np.inf))):
            found[place] = np.sqrt((influence**2).sum(axis=0))
            areas[place] = np.sqrt(((area + influence * max(at[place] - held[k], 0.0)) ** 2).sum(axis=0))
        if k == len(steps):
            break
        area += influence * (until - held[k])
        while coming < len(order) and begin[order[coming]] <= k:
            coming += 1
        active = order[:coming][stop[order[:coming]] > k]
        influence = influence @ matrices[k]
        own, weight = states[active], mass[active]
        scale = weight * safe_divide(curve.value[k], risk[k])[own]
        change = -scale[:, None] * (matrices[k] - np.eye(s))[own]
        moving = ends[active] & (stop[active] == k + 1)
        change[moving, own[moving]] -= scale[moving]
        change[moving, to[active][moving]] += scale[moving]
        np.add.at(influence, whose[active], change)
    return found, areas


@dataclass(frozen=True)
class StateOccupation:
    """Parameters of an analysis of state occupation; see `state_occupation`."""

    key: ClassVar[str] = "state_occupation"
    view: ClassVar[str] = "pathway"
    times: tuple[float, ...] | None = None
    conf_type: str = "log-log"
    conf_level: float = 0.95

    def __post_init__(self) -> None:
        check_conf_type(self.conf_type)
        normal_quantile(self.conf_level)

    def estimate(self, counts: TransitionCounts) -> Estimates:
        """Return the probability of being in each state at the end of each day.

        Parameters
        ----------
        counts : TransitionCounts

        Returns
        -------
        Estimates
            Columns as `state_occupation` says.
        """
        parts = [self._rows(counts, moves_of(counts, group)) for group in counts.groups]
        columns = ["group", "state", "time", "n_risk", "estimate", "std_error", "conf_low", "conf_high"]
        frame = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
        return Estimates(
            data=frame,
            kind="state_occupation",
            estimand="probability of being in each state at the end of each day",
            conf_level=self.conf_level,
            summary={"n": sum(moves_of(counts, g).size for g in counts.groups)},
            notes=(BEYOND,) if len(frame) and frame["estimate"].isna().any() else (),
            counts=counts,
            analysis=self,
        )

    def _rows(self, counts: TransitionCounts, moves: Moves) -> pd.DataFrame:
        at = moves.time if self.times is None else np.array(self.times, dtype=np.float64)
        seen = at <= moves.last
        value = np.where(seen[:, None], occupation(moves).at(at), np.nan)
        error = errors_of(counts, moves, lambda: person_errors(counts, moves, at)[0], at)
        error = np.where(seen[:, None], error, np.nan)
        low, high = limits(value, error, self.conf_type, self.conf_level)
        return by_state(counts, moves, "time", at, value, error, low, high).assign(
            n_risk=np.repeat(np.where(seen, moves.observed(at), 0).astype("int64"), len(counts.states))
        )


@dataclass(frozen=True)
class StateDays:
    """Parameters of an analysis of the days spent in each state; see `state_days`."""

    key: ClassVar[str] = "state_days"
    view: ClassVar[str] = "state_days"
    tau: float = 182
    conf_level: float = 0.95

    def __post_init__(self) -> None:
        check_tau(self.tau)
        normal_quantile(self.conf_level)

    def estimate(self, counts: TransitionCounts) -> Estimates:
        """Return the mean days in each state up to the horizon.

        Parameters
        ----------
        counts : TransitionCounts

        Returns
        -------
        Estimates
            Columns as `state_days` says.

        Raises
        ------
        AnalysisError
            If no group is followed for so long.
        """
        parts, at = [], np.array([self.tau])
        every = [moves_of(counts, group) for group in counts.groups]
        # a group followed for less is missing beside one that was long enough; with none there is no answer
        if every and max(moves.last for moves in every) < self.tau:
            msg = f"state_days: tau of {self.tau:g} days lies beyond the follow-up of every group"
            raise AnalysisError(msg)
        for moves in every:
            seen = moves.last >= self.tau
            value = _days(counts, moves, at) if seen else np.full((1, len(counts.states)), np.nan)
            error = self._errors(counts, moves, at) if seen else value
            low, high = _between(value, error, self.tau, self.conf_level)
            parts.append(by_state(counts, moves, "tau", at, value, error, low, high))
        columns = ["group", "state", "tau", "estimate", "std_error", "conf_low", "conf_high"]
        return Estimates(
            data=pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns),
            kind="state_days",
            estimand=f"mean days in each state in the first {self.tau:g} days",
            conf_level=self.conf_level,
            summary={"n": sum(moves.size for moves in every), "tau": self.tau},
            notes=(BEYOND,) if any(moves.last < self.tau for moves in every) else (),
            counts=counts,
            analysis=self,
        )

    def _errors(self, counts: TransitionCounts, moves: Moves, at: Floats) -> Floats:
        return errors_of(counts, moves, lambda: person_errors(counts, moves, at)[1], at)


def _between(value: Floats, error: Floats, tau: float, conf_level: float) -> tuple[Floats, Floats]:
    """Return limits of mean days between 0 and the horizon, symmetric on the logit scale of their share."""
    # days in a rare state are skewed: as far below as above, 4.7 % of intervals lay wholly below the truth
    reach = normal_quantile(conf_level) * error
    inside = (value > 0) & (value < tau) & np.isfinite(error)
    within = np.where(inside, value, tau / 2)
    odds, spread = within / (tau - within), np.where(inside, reach, 0.0) * tau / (within * (tau - within))
    wide = np.exp(np.minimum(spread, 700.0))
    low, high = (tau * odds / (odds + w) for w in (wide, 1 / wide))
    # at 0 and at the horizon there is no logit
    return np.where(inside, low, np.maximum(value - reach, 0)), np.where(inside, high, np.minimum(value + reach, tau))


def errors_of(counts: TransitionCounts, moves: Moves, exact: Callable[[], Floats], at: Floats) -> Floats:
    """Return standard errors (times, states): from who moved, or those that safe counts carry; else unknown."""
    if counts.paths is not None:
        return exact()
    return _carried(counts, moves, "std_error", at)


def _days(counts: TransitionCounts, moves: Moves, at: Floats) -> Floats:
    """Return mean days (times, states): the areas, or those that safe counts carry."""
    # areas under safe counts, told every thirtieth day, had people wait 4.7 days too long (ADR 21)
    if counts.errors is not None and "days" in counts.errors:
        return _carried(counts, moves, "days", at)
    return occupation(moves).area(at)


def _carried(counts: TransitionCounts, moves: Moves, what: str, at: Floats) -> Floats:
    """Return what safe counts carry (times, states); unknown where they carry nothing."""
    found = np.full((len(at), len(counts.states)), np.nan)
    if counts.errors is None:
        return found
    own = counts.errors[counts.errors["group"] == moves.group]
    for k, state in enumerate(counts.states):
        rows = own[own["state"] == state].drop_duplicates("time").set_index("time")[what]
        found[:, k] = rows.reindex(at).to_numpy(dtype=np.float64)
    return found


def by_state(
    counts: TransitionCounts,
    moves: Moves,
    name: str,
    at: Floats,
    value: Floats,
    error: Floats,
    low: Floats,
    high: Floats,
) -> pd.DataFrame:
    """Return one row per time and state."""
    states = len(counts.states)
    return pd.DataFrame(
        {
            "group": moves.group,
            "state": np.tile(np.array(counts.states, dtype=object), len(at)),
            name: np.repeat(at, states),
            "estimate": value.ravel(),
            "std_error": error.ravel(),
            "conf_low": low.ravel(),
            "conf_high": high.ravel(),
        }
    )


def state_occupation(
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
    times: Iterable[float] | float | None = None,
    conf_type: str = "log-log",
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate the probability of being in each state at the end of each day (Aalen-Johansen).

    :math:`\hat p(t) = \hat p(0) \prod_{u \le t} (I + d\hat A(u))`, with
    :math:`d\hat A_{hj}(u) = dN_{hj}(u) / Y_h(u)` and :math:`\hat p(0)` the distribution over states of those at risk
    at the first move [1]_. It is consistent without the Markov property, where censoring does not depend on the
    path [2]_. Standard errors are the infinitesimal jackknife's, clustered in people, as in R's ``survfit`` [3]_;
    weights are taken as known.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        One row per stay; as `transition_counts` takes them.
    states : sequence of str
    person, time_from, time, state, to : str
        Columns.
    by, weights : str, optional
        Columns of groups and weights.
    times : number or iterable of numbers, optional
        Days at which to give the probabilities; default every day on which anything happens.
    conf_type : {"log-log", "log", "plain"}
    conf_level : float

    Returns
    -------
    Estimates
        Columns group, state, time (days), n_risk (under observation in any state, just before the time), estimate,
        std_error, conf_low, conf_high; missing after the group's last day. Made from `TransitionCounts`.

    Raises
    ------
    AnalysisError
        If a column is missing or holds what it may not.

    References
    ----------
    .. [1] Aalen, Johansen (1978), Scand. J. Stat. 5:141-150.
    .. [2] Datta, Satten (2001), Stat. Probab. Lett. 55:403-411.
    .. [3] Therneau, Crowson, Atkinson, Multi-state models and competing risks, vignette of R's survival.

    Examples
    --------
    >>> stays = pd.DataFrame({"participant_id": ["a", "a", "b"], "time_from": [-1, 5, -1], "time": [5, 9, 9]})
    >>> stays = stays.assign(state=["in", "out", "in"], to=["out", "", ""])
    >>> state_occupation(stays, states=["in", "out"], times=[6]).tidy()[["state", "time", "n_risk", "estimate"]]
      state  time  n_risk  estimate
    0    in   6.0       2       0.5
    1   out   6.0       2       0.5
    """
    counts = transition_counts(
        data, states=states, person=person, time_from=time_from, time=time, state=state, to=to, by=by, weights=weights
    )
    return StateOccupation(as_times(times), conf_type, conf_level).estimate(counts)


def state_days(
    data: pd.DataFrame,
    *,
    states: Sequence[str],
    tau: float,
    person: str = "participant_id",
    time_from: str = "time_from",
    time: str = "time",
    state: str = "state",
    to: str = "to",
    by: str | None = None,
    weights: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Estimate the mean days spent in each state up to a horizon: the area under each state's probability [1]_.

    Parameters
    ----------
    data, states, person, time_from, time, state, to, by, weights, conf_level
        As `state_occupation` takes them.
    tau : float
        Horizon in days.

    Returns
    -------
    Estimates
        Columns group, state, tau, estimate (days; they sum to tau in each group; missing
        where it is not followed so long), std_error, conf_low, conf_high (on the logit scale of the share of tau).

    Raises
    ------
    AnalysisError
        As `state_occupation`; or if no group is followed up to the horizon.

    References
    ----------
    .. [1] Andersen, Keiding (2002), Stat. Methods Med. Res. 11:91-115.

    Examples
    --------
    >>> stays = pd.DataFrame({"participant_id": ["a", "a", "b"], "time_from": [-1, 5, -1], "time": [5, 9, 9]})
    >>> stays = stays.assign(state=["in", "out", "in"], to=["out", "", ""])
    >>> state_days(stays, states=["in", "out"], tau=9).tidy()[["state", "tau", "estimate"]]
      state  tau  estimate
    0    in  9.0       7.0
    1   out  9.0       2.0
    """
    counts = transition_counts(
        data, states=states, person=person, time_from=time_from, time=time, state=state, to=to, by=by, weights=weights
    )
    return StateDays(float(tau), conf_level).estimate(counts)
