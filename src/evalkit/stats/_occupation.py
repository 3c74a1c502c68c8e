"""The probability of being in each state, and the days spent in it (Aalen-Johansen), from counts of moves by day."""

from __future__ import annotations

__all__ = ["StateDays", "StateOccupation", "state_days", "state_occupation"]

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.counts import TransitionCounts
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats
from evalkit.stats._kaplan_meier import BEYOND, as_times
from evalkit.stats._limits import check_conf_type, limits, normal_quantile
from evalkit.stats._rmst import check_tau
from evalkit.stats._states import Moves, moves_of, occupation, person_errors
from evalkit.stats._transition_counts import transition_counts


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
