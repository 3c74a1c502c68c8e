"""Digits: what is printed of a number is all that leaves of it.

A model's numbers come from exact records. A standardised difference with eight digits, read off a figure's coordinates,
gives the exact counts of both groups back. So such numbers are cut here, before anything draws, writes, marks or says
them, to the decimals that tables and sentences print; nothing behind this stage ever holds more. Numbers made again
from safe counts say no more than these counts, with however many digits; of them only those are cut that decide words
(differences and their limits), so that no sentence says "clearly higher" of limits that are printed as 0.

Where one number is printed with different decimals (a table, a sentence), it keeps the most of them. Rounding twice
would then move the shorter one (0.1249, 0.125, 0.13): such a number is put a hair to the side on which the exact one
lies, which says no more than both prints do together, and is too little for a file or a figure to hold.
"""

from __future__ import annotations

__all__ = ["EFFECTIVE", "POINTS", "Digits", "cut", "printed"]

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.counts import Tally
from evalkit.estimates import Estimates
from evalkit.glossary import COLUMNS
from evalkit.rounding import half_up

# Of the number: more than `half_up` takes for a half; six digits go into files, six decimals of a point into figures.
_HAIR = 5e-11


@dataclass(frozen=True, slots=True)
class Digits:
    """How a number is printed.

    Attributes
    ----------
    decimals : tuple of int
        Of the number as printed: the most first, then fewer, where another place prints fewer.
    scale : int
        100 for shares that are printed as percentages or points.
    least : float
        Smaller numbers are printed as "below" it: they become 0.
    apart : tuple of float
        Ends that are printed only where they are exact: a share of 0.997 is "over 99%", not 100%.
    """

    decimals: tuple[int, ...]
    scale: int = 1
    least: float = 0.0
    apart: tuple[float, ...] = ()

    def cut(self, value: float) -> float:
        """Return a number with the digits that are printed of it.

        Examples
        --------
        >>> Digits((2,)).cut(0.1249), round(Digits((3, 2)).cut(0.1249), 9), f"{Digits((3, 2)).cut(0.1249):.2f}"
        (0.12, 0.125, '0.12')
        """
        if not math.isfinite(value):
            return value
        if abs(value) < self.least:
            return 0.0
        told = float(half_up(self.scale * value, self.decimals[0])) / self.scale + 0.0  # no negative zero
        if told in self.apart and value != told:
            return told + math.copysign(0.4 / self.scale, value - told)  # percent() writes "over 99%", "under 1%"
        same = all(self._short(told, d) == self._short(value, d) for d in self.decimals[1:])
        return told if same else told + math.copysign(_HAIR * max(abs(told), 1.0), value - told)

    def _short(self, value: float, decimals: int) -> float:
        """Return what fewer decimals say of a number."""
        return float(half_up(self.scale * value, decimals))


POINTS = Digits((1, 0), scale=100)
"""A difference of shares: a table says tenths of a point, a sentence whole points."""

_RATIO, _TWO, _P = Digits((3, 2)), Digits((2,)), Digits((3,), least=0.001)
_WHOLE, _PERCENT = Digits((0,)), Digits((0,), scale=100, apart=(0.0, 1.0))
_LIMITS = ("estimate", "std_error", "conf_low", "conf_high")

_MODEL: Mapping[str, Digits] = {
    **dict.fromkeys((*_LIMITS, "sim_low", "sim_high", "hazard_ratio", "hr_low", "hr_high", "share"), _RATIO),
    **dict.fromkeys(("odds_ratio", "or_low", "or_high"), _RATIO),
    **dict.fromkeys(("smd", "smd_weighted", "variance_ratio", "variance_ratio_weighted", "e_value"), _TWO),
    **dict.fromkeys(("statistic", "concordance"), _TWO),
    **dict.fromkeys(("mean", "std_dev", "median", "lower_quartile", "upper_quartile", "expected"), Digits((1,))),
    **dict.fromkeys(("w_risk", "w_event", "w_censor", "aic", "log_likelihood"), _WHOLE),
    "p_value": _P,
}
"""Of a model's numbers, unless its kind says otherwise."""

# What was asked for or chosen beforehand tells nothing of people.
_AS_GIVEN = frozenset({"time", "time_from", "tau", "q", "df", "baseline", "score_from", "score_to"})
"""What was asked for, and is known from the protocol."""

_DIFFERENCE = dict.fromkeys(_LIMITS, POINTS)
_DAYS = dict.fromkeys(_LIMITS, _WHOLE)
_SMD = {"smd": _TWO}
_KINDS: Mapping[str, Mapping[str, Digits]] = {
    **dict.fromkeys(
        (
            "adjusted_effects",
            "sensitivity",
            "imputed",
            "curve_difference",
            "change",
            "standardised_risks",
            "state_difference",
        ),
        _DIFFERENCE,
    ),
    **dict.fromkeys(("state_days", "rmst", "rmst_contrast", "survival_quantile", "follow_up"), _DAYS),
    **dict.fromkeys(("baseline", "baseline_means"), _SMD),
    "balance": {name: digits for name, digits in _MODEL.items() if digits is _TWO},
    "e_value": dict.fromkeys((*_LIMITS, "e_value"), _TWO),
}
_MEASURES: Mapping[tuple[str, str], Digits] = {
    ("rmst_contrast", "rmst_ratio"): _TWO,
    ("state_difference", "days_difference"): _WHOLE,
    ("diagnose", "balance"): _TWO,
    ("diagnose", "equipoise"): _PERCENT,
    ("diagnose", "proportional hazards"): _P,
}
"""Rows, by kind and measure or term, whose estimate is of another sort than their neighbours'."""

_SAMPLE = "effective sample size"
EFFECTIVE = "effective"
"""In the name of a fact: a size that weights leave, which is no count of people."""


def printed(estimates: Estimates) -> Estimates:
    """Cut an estimate's numbers to what is printed of them.

    Parameters
    ----------
    estimates : Estimates
        Safe, but for its digits.

    Returns
    -------
    Estimates
        A model: all its numbers, and its summary; anything else: those that its kind names. The verdicts of diagnostics
        are of the cut numbers.
    """
    named = _KINDS.get(estimates.kind, {})
    if estimates.analysis is None:
        named = {**_MODEL, **named}
    rows = cut(estimates.tidy(), named, estimates.kind)
    counts = estimates.counts
    if estimates.analysis is None:
        # Sums of weights, mostly: no counts with noise, so a round step stands in for it.
        for name in [c for c in rows if COLUMNS[str(c)].unit == "people" and COLUMNS[str(c)].kind == "number"]:
            rows[name] = [_rounded(v) for v in rows[name]]
        estimates = estimates.about(summary={k: _fact(k, v) for k, v in estimates.summary.items()})
    elif isinstance(counts, Tally):  # what goes along with counts, and was not made of them
        counts = Tally(cut(counts.frame, named, estimates.kind), people=counts.people)
    return _judged(estimates.about(data=rows, counts=counts))


def cut(rows: pd.DataFrame, named: Mapping[str, Digits], kind: str = "") -> pd.DataFrame:
    """Cut columns of some rows to what is printed of them.

    Parameters
    ----------
    rows : pandas.DataFrame
    named : mapping of str to Digits
        Columns; those that are not there are passed over.
    kind : str
        Of the estimate.

    Returns
    -------
    pandas.DataFrame
        A copy.

    Examples
    --------
    >>> cut(pd.DataFrame({"estimate": [0.03456, float("nan")]}), {"estimate": POINTS})["estimate"].round(6).tolist()
    [0.035, nan]
    """
    rows = rows.copy()
    sort = rows.get("measure", rows.get("term", pd.Series("", index=rows.index))).astype(str)
    for name, usual in named.items():
        if name in rows and name not in _AS_GIVEN:
            each = [_MEASURES.get((kind, own), usual) if name in _LIMITS else usual for own in sort]
            values = rows[name].astype("float64")
            rows[name] = np.array([d.cut(v) for d, v in zip(each, values, strict=True)], dtype="float64")
    return rows


def _rounded(value: float) -> float:
    """Round a number that is of people and is no count of them (a sum of weights, an effective size) to fives."""
    return 5.0 * math.floor(value / 5 + 0.5) if math.isfinite(value) else value


def _fact(name: str, value: object) -> object:
    """Return a fact about a whole model, cut as a column of that name; whole numbers are counts, and published ones."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return value
    if EFFECTIVE in name:
        return _rounded(float(value))
    if isinstance(value, int | np.integer) or name in _AS_GIVEN:
        return value
    sort = next((one for one in ("p_value", "log_likelihood") if one in name), name)
    return _MODEL.get(sort, _TWO).cut(float(value))


def _judged(estimates: Estimates) -> Estimates:
    """Let verdicts, and an E-value's holding, follow from the numbers that are printed beside them."""
    rows = estimates.tidy()
    if estimates.kind == "e_value" and len(rows):  # a limit that is printed as 1 is no difference
        rows.loc[rows["term"].eq("limit") & rows["estimate"].eq(1), "e_value"] = 1.0
        return estimates.about(data=rows)
    if estimates.kind != "diagnose" or rows.empty:
        return estimates
    # Decided again here: a verdict of the exact number could contradict the one that is printed beside the limit.
    sample = rows["term"].eq(_SAMPLE)
    rows.loc[sample, "estimate"] = [_rounded(v) for v in rows.loc[sample, "estimate"]]
    value, limit = rows["estimate"], rows["baseline"]
    good = value.le(limit).where(rows["term"].eq("balance"), value.ge(limit))
    known = rows["estimate"].notna() & rows["verdict"].ne("unknown")
    rows["verdict"] = rows["verdict"].where(~known, good.map({True: "pass", False: "fail"}))
    # the sentences of `diagnose` hold exact numbers; a report writes its own
    return estimates.about(data=rows.drop(columns="sentence", errors="ignore"), notes=())
