"""Precision and power of comparisons of hazards (Schoenfeld)."""

from __future__ import annotations

__all__ = ["Number", "minimum_detectable_hazard_ratio", "power", "schoenfeld_events"]

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates


@dataclass(frozen=True, eq=False)
class Number(Estimates):
    """Estimates of one row that read as a number: ``float(found)``."""

    def __float__(self) -> float:
        return float(self.data["estimate"].iloc[0])


def _inside(value: float, name: str) -> float:
    if not 0 < value < 1:
        msg = f"{name} must lie between 0 and 1, it is {value:g}"
        raise AnalysisError(msg)
    return float(value)


def _ratio(hazard_ratio: float) -> float:
    # to detect no difference would take events without end
    if not (np.isfinite(hazard_ratio) and hazard_ratio > 0 and hazard_ratio != 1):
        msg = f"hazard_ratio must be above 0 and not 1, it is {hazard_ratio:g}"
        raise AnalysisError(msg)
    return float(np.log(hazard_ratio))


def _events(n_event: float) -> float:
    if not (np.isfinite(n_event) and n_event > 0):
        msg = f"n_event must be a number above 0, it is {n_event:g}"
        raise AnalysisError(msg)
    return float(n_event)


def _number(value: float, kind: str, estimand: str, n_event: float | None) -> Number:
    frame = pd.DataFrame({"term": [kind], "estimate": [value]})
    counts = None
    if n_event is not None:
        # events are people: with their count the result passes through disclosure as any other
        totals = {"group": ["all"], "term": [kind], "n_event": [round(n_event)], "n": [round(n_event)]}
        counts = Tally(pd.DataFrame(totals))
    return Number(frame, kind, estimand, counts=counts)


def schoenfeld_events(
    hazard_ratio: float, *, power: float = 0.8, alpha: float = 0.05, allocation: float = 0.5
) -> Number:
    r"""Return the number of events needed to detect a hazard ratio.

    :math:`(z_{1-\alpha/2} + z_{power})^2 / (p (1-p) \log^2 HR)`, two-sided. [1]_

    Parameters
    ----------
    hazard_ratio : float
    power, alpha : float
    allocation : float
        Share p of people in the first arm.

    Returns
    -------
    Number
        One row: term, estimate (events, not rounded up); ``float()`` gives it.

    Raises
    ------
    AnalysisError
        If an argument is out of its range.

    References
    ----------
    .. [1] Schoenfeld (1983), Biometrics 39:499-503.

    Examples
    --------
    >>> round(float(schoenfeld_events(0.5)), 1)
    65.3
    """
    z = scipy.special.ndtri(1 - _inside(alpha, "alpha") / 2) + scipy.special.ndtri(_inside(power, "power"))
    p = _inside(allocation, "allocation")
    value = float(z**2 / (p * (1 - p) * _ratio(hazard_ratio) ** 2))
    return _number(value, "schoenfeld_events", "events needed to detect the hazard ratio", None)


def power(n_event: float, hazard_ratio: float, *, alpha: float = 0.05, allocation: float = 0.5) -> Number:
    r"""Return the power to detect a hazard ratio with a number of events.

    :math:`\Phi(\sqrt{d p (1-p)} |\log HR| - z_{1-\alpha/2})` (Schoenfeld), the other tail left out. [1]_

    Parameters
    ----------
    n_event : float
        Events in both arms together.
    hazard_ratio : float
    alpha : float
    allocation : float
        Share of people in the first arm.

    Returns
    -------
    Number
        One row: term, estimate (0 to 1); ``float()`` gives it.

    Raises
    ------
    AnalysisError
        If an argument is out of its range.

    References
    ----------
    .. [1] Schoenfeld (1983), Biometrics 39:499-503.

    Examples
    --------
    >>> round(float(power(65.3, 0.5)), 2)
    0.8
    """
    p, z = _inside(allocation, "allocation"), scipy.special.ndtri(1 - _inside(alpha, "alpha") / 2)
    shift = np.sqrt(_events(n_event) * p * (1 - p)) * abs(_ratio(hazard_ratio))
    return _number(float(scipy.special.ndtr(shift - z)), "power", "power to detect the hazard ratio", n_event)


def minimum_detectable_hazard_ratio(
    n_event: float, *, power: float = 0.8, alpha: float = 0.05, allocation: float = 0.5
) -> Number:
    r"""Return the hazard ratio above 1 that a number of events can detect; its inverse likewise below 1.

    :math:`\exp[(z_{1-\alpha/2} + z_{power}) / \sqrt{d p (1-p)}]` (Schoenfeld). [1]_

    Parameters
    ----------
    n_event : float
        Events in both arms together.
    power, alpha : float
    allocation : float
        Share of people in the first arm.

    Returns
    -------
    Number
        One row: term, estimate (hazard ratio above 1); ``float()`` gives it.

    Raises
    ------
    AnalysisError
        If an argument is out of its range.

    References
    ----------
    .. [1] Schoenfeld (1983), Biometrics 39:499-503.

    Examples
    --------
    >>> round(float(minimum_detectable_hazard_ratio(65.3)), 2)
    2.0
    """
    z = scipy.special.ndtri(1 - _inside(alpha, "alpha") / 2) + scipy.special.ndtri(_inside(power, "power"))
    p = _inside(allocation, "allocation")
    value = float(np.exp(z / np.sqrt(_events(n_event) * p * (1 - p))))
    return _number(value, "minimum_detectable_hazard_ratio", "least hazard ratio that can be detected", n_event)
