"""Standardised risks: what difference each characteristic makes, over everybody, and how much can be foretold.

Both stand on absolute risks from cause-specific Cox models: each person's, and how well they tell people apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._arms import NO_SPREAD, NOISE, answered, check_boot
from evalkit.stats._columns import Floats, Groups, Ints, Rows, check_level, read_rows
from evalkit.stats._cox import fit_cox
from evalkit.stats._curve import safe_divide
from evalkit.stats._limits import percentile_limits, two_sided
from evalkit.stats._rmst import check_tau
from evalkit.stats.design import Design, design_matrix

__all__ = ["fit_risks", "foretold", "scores", "standardised_risks"]


_LARGEST = 50.0  # of the logarithm of a hazard beside the largest seen: whoever has it is gone at once


@dataclass(frozen=True, eq=False)
class CauseRisks:
    """Cox models of every cause, with their baseline hazards."""

    beta: Floats  # (K, p)
    time: Floats  # (m,) times of events of any cause
    base: Floats  # (K, m) increments of the hazard at the largest linear predictor seen
    offset: Floats  # (K,) that predictor

    def predictor(self, x: Floats, cause: int = 0) -> Floats:
        """Return the linear predictor of a cause (n,)."""
        return np.asarray(x @ self.beta[cause])

    def risk(self, x: Floats, tau: float, cause: int = 0) -> Floats:
        r"""Return :math:`\sum_{u \le \tau} S(u- \mid x) d\Lambda(u \mid x)` of a cause (n,); S of all causes."""
        base = self.base[:, self.time <= tau]
        rate = np.exp(np.minimum(x @ self.beta.T - self.offset, _LARGEST))
        # one product of all causes' hazards: one for each cause took three times as long
        total = rate @ base
        own = rate[:, [cause]] * base[cause]
        beyond = total > 1.0  # nobody is more than gone; the causes keep their proportions
        if beyond.any():
            own[beyond] /= total[beyond]
            total[beyond] = 1.0
        stay = np.cumprod(1.0 - total, axis=1)
        return np.asarray(own[:, :1].sum(axis=1) + np.einsum("ij,ij->i", stay[:, :-1], own[:, 1:]))


def fit_risks(time: Floats, cause: Ints, design: Design, causes: int) -> CauseRisks:
    """Fit Cox models (Efron's ties) of causes 1 ... K, the others censored; AnalysisError where one has no fit."""
    grid = np.unique(time[cause > 0])
    beta, base = np.zeros((causes, design.matrix.shape[1])), np.zeros((causes, len(grid)))
    offset = np.zeros(causes)
    everybody = Groups(np.zeros(len(time), dtype=np.int64), ("all",))
    for k in range(causes):
        had = cause == k + 1
        # in a bootstrap's draw nobody may have had it: its hazard is 0, and the others still have an answer
        if not had.any():
            continue
        rows = Rows(time, had.astype(np.int64), None, None, everybody)
        model, _ = fit_cox(rows, design, strata=None, cluster=None, ties="efron", robust=False)
        beta[k] = model.beta  # of a term that tells completely, how far it had walked when nothing more was gained
        predictor = design.matrix @ beta[k]
        # taken out before exponentials are added up, which an outlier's predictor would overflow
        offset[k] = predictor.max()
        base[k] = _efron_hazard(time, had, predictor - offset[k], grid)
    if not np.isfinite(base).all():
        msg = "a cause has no baseline hazard: characteristics tell who had it from who had not completely"
        raise AnalysisError(msg)
    return CauseRisks(beta, grid, base, offset)


def _efron_hazard(time: Floats, had: np.ndarray, predictor: Floats, grid: Floats) -> Floats:
    """Return the increments of the baseline hazard on the grid (m,)."""
    mass, m = np.exp(predictor), len(grid)
    place = np.searchsorted(grid, time, side="right")  # at risk at the grid's first so many times
    at_risk = np.cumsum(np.bincount(place, weights=mass, minlength=m + 1)[::-1])[::-1][1:]
    when = np.searchsorted(grid, time[had])
    count = np.bincount(when, minlength=m)
    dying = np.bincount(when, weights=mass[had], minlength=m)
    found = np.zeros(m)
    # Efron: the j-th of d tied events sees a risk set that lacks j/d of all of them
    for earlier in range(int(count.max(initial=0))):
        some = count > earlier
        # where nothing, or hardly anything, is left to divide by the hazard is infinite, which `fit_risks` refuses
        with np.errstate(over="ignore"):
            found[some] += safe_divide(
                np.ones(int(some.sum())), at_risk[some] - earlier / count[some] * dying[some], np.inf
            )
    return found


@dataclass(frozen=True)
class Scores:
    """How well predicted risks fit: the area under the ROC curve and the Brier score at a horizon."""

    auc: float
    brier: float


def scores(time: Floats, cause: Ints, risk: Floats, tau: float) -> Scores:
    """Return AUC and Brier score of predicted risks of cause 1 at a horizon, by inverse probability of censoring.

    Another cause by then is a control, ties count one half (Blanche, Dartigues, Jacqmin-Gadda 2013).
    """
    gone = time <= tau
    case, other = gone & (cause == 1), gone & (cause > 1)
    weight = np.zeros(len(time))
    # 1/G just before the event, and at the horizon for who is followed beyond it; censored before it: 0
    weight[gone & (cause > 0)] = safe_divide(
        np.ones(int((case | other).sum())), _censoring(time, cause, time[case | other], False)
    )
    weight[~gone] = safe_divide(np.ones(1), _censoring(time, cause, np.array([tau]), True))[0]
    brier = float((weight * (case - risk) ** 2).sum() / len(time))
    # whoever was censored before the horizon may have been either
    control = ~case & (weight > 0)
    if not case.any() or not control.any():
        msg = f"day {tau:g}: somebody must have had the event by then, and somebody not"
        raise AnalysisError(msg)
    order = np.argsort(risk[control], kind="stable")
    values, mass = risk[control][order], np.concatenate([[0.0], np.cumsum(weight[control][order])])
    below, up_to = (mass[np.searchsorted(values, risk[case], side=side)] for side in ("left", "right"))
    auc = float((weight[case] * (below + up_to) / 2).sum() / (weight[case].sum() * mass[-1]))
    return Scores(auc, brier)


def _censoring(time: Floats, cause: Ints, at: Floats, after: bool) -> Floats:
    """Return the Kaplan-Meier curve of censoring just before times, or after them; events go first."""
    grid = np.unique(time[cause == 0])
    if not len(grid):
        return np.ones(len(at))
    censored = np.bincount(np.searchsorted(grid, time[cause == 0]), minlength=len(grid))
    left = np.sort(time)
    risk = len(time) - np.searchsorted(left, grid, side="left")
    events = np.sort(time[cause > 0])
    # who had an event that day is no longer there to be censored
    risk = risk - (np.searchsorted(events, grid, side="right") - np.searchsorted(events, grid, side="left"))
    curve = np.concatenate([[1.0], np.cumprod(1.0 - censored / risk)])
    return np.asarray(curve[np.searchsorted(grid, at, side="right" if after else "left")])


# A covariate in many values is compared at its quartiles: one unit of age and one of arrests are no like steps.
_QUARTILES = (0.25, 0.75)


@dataclass(frozen=True, eq=False)
class _Question:
    """The data, read once."""

    time: Floats
    cause: Ints
    design: Design
    data: pd.DataFrame
    tau: float

    @property
    def size(self) -> int:
        """How many people."""
        return len(self.time)

    @cached_property
    def causes(self) -> int:
        """How many causes."""
        return int(self.cause.max(initial=1))

    def fit(self, chosen: Ints | None = None) -> CauseRisks:
        """Fit the models, of these rows (with repetition) or of all."""
        rows = np.arange(self.size) if chosen is None else chosen
        design = Design(self.design.matrix[rows], self.design.terms, self.design.parts, self.design.levels)
        return fit_risks(self.time[rows], self.cause[rows], design, self.causes)


def _question(data: pd.DataFrame, time: str, cause: str, covariates: str | Sequence[str], tau: float) -> _Question:
    rows = read_rows(data, time, cause, causes=None)
    until = check_tau(tau)
    if not ((rows.cause == 1) & (rows.time <= until)).any():
        msg = f"column '{cause}' has no event of cause 1 up to day {until:g}"
        raise AnalysisError(msg)
    # the risks would end at the last event, and be told as those of a day nobody has reached
    if rows.time.max() < until:
        msg = f"day {until:g} lies beyond the last day of follow-up ({rows.time.max():g})"
        raise AnalysisError(msg)
    return _Question(rows.time, rows.cause, design_matrix(data, covariates), data, until)


@dataclass(frozen=True)
class _Contrast:
    """One characteristic's two values: the columns of the design, and what they are set to."""

    term: str
    contrast: str
    columns: tuple[int, ...]
    one: tuple[float, ...]
    two: tuple[float, ...]


def _contrasts(asked: _Question) -> list[_Contrast]:
    found = []
    for name, places in asked.design.parts:
        if name in asked.design.levels:
            levels = asked.design.levels[name]
            none = tuple(0.0 for _ in places)
            for k, level in enumerate(levels[1:]):
                own = tuple(float(j == k) for j in range(len(places)))
                found.append(_Contrast(f"{name}[{level}]", f"{level} - {levels[0]}", places, own, none))
            continue
        values = asked.design.matrix[:, places[0]]
        if len(places) > 1:
            msg = "standardised_risks: give covariates as columns; a formula's terms cannot be set one by one"
            raise AnalysisError(msg)
        two_valued = np.unique(values)
        low, high = two_valued if len(two_valued) == 2 else np.quantile(values, _QUARTILES)
        found.append(_Contrast(name, f"{high:g} - {low:g}", places, (float(high),), (float(low),)))
    return found


def _differences(model: CauseRisks, x: Floats, asked: list[_Contrast], tau: float) -> Floats:
    """Return mean risks with each contrast's two values given to everybody (contrasts, 2)."""
    found = np.empty((len(asked), 2))
    for k, contrast in enumerate(asked):
        for side, values in enumerate((contrast.one, contrast.two)):
            given = x.copy()
            given[:, list(contrast.columns)] = values
            found[k, side] = model.risk(given, tau).mean()
    return found


def _resampled(
    asked: _Question, n_boot: int, seed: int, what: Callable[[Ints], Floats], shape: tuple[int, ...]
) -> tuple[Floats, tuple[str, ...]]:
    """Return a statistic of people drawn again, where a model could be fitted, and the note on the other draws."""
    rng = np.random.default_rng(seed)
    found = np.full((check_boot(n_boot), *shape), np.nan)
    for k in range(n_boot):
        chosen = rng.integers(0, asked.size, asked.size)
        try:
            # a draw may lack a level or an event
            found[k] = what(chosen)
        except (AnalysisError, np.linalg.LinAlgError):
            continue
    return answered(found)


def _counts(asked: _Question) -> Tally:
    events = int((asked.cause == 1).sum())
    return Tally(pd.DataFrame({"group": ["all"], "term": ["model"], "n_event": [events], "n": [asked.size]}))


def standardised_risks(
    data: pd.DataFrame,
    time: str,
    cause: str,
    covariates: str | Sequence[str],
    *,
    tau: float,
    n_boot: int = 400,
    seed: int = 0,
    conf_level: float = 0.95,
) -> Estimates:
    r"""Estimate what difference each characteristic makes to the risk of an event by a day, the others as they are.

    The g-formula over cause-specific Cox models [1]_: everybody is given the one value and then the other, and the
    mean of the risks :math:`\sum_{u \le \tau} S(u- \mid x) d\Lambda_1(u \mid x)` is compared [2]_. Intervals are
    percentiles of a bootstrap of people that refits every model.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        One row per person.
    time, cause : str
        Columns: days since the origin; 0 censored, 1 the event of interest, 2 ... others.
    covariates : str or sequence of str
        Columns: of text, each level against the first; of two values, the higher against the lower; other numbers, the
        upper quartile against the lower.
    tau : float
        Horizon in days.
    n_boot, seed, conf_level
        Bootstrap replicates (20 or more), their seed, level of the limits.

    Returns
    -------
    Estimates
        A row per contrast: term, contrast, method ('g-formula'), tau, estimate (difference of risks), std_error,
        statistic, p_value, conf_low, conf_high, share (the risk with the second value).

    Raises
    ------
    AnalysisError
        If there is no event up to the horizon, follow-up is shorter, a covariate is not identified, or a column is
        missing or wrong.

    References
    ----------
    .. [1] Benichou, Gail (1990), Biometrics 46:813-826.
    .. [2] Ozenne, Scheike, Staerk, Gerds (2020), Biom. J. 62:751-763.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> young = rng.integers(0, 2, 200)
    >>> people = pd.DataFrame({"young": young, "left": 1, "day": rng.integers(1, 90, 200) // (1 + young) + 1})
    >>> found = standardised_risks(people, "day", "left", ["young"], tau=30, n_boot=40, seed=2).tidy()
    >>> found["contrast"].item(), bool(found["conf_low"].item() > 0)
    ('1 - 0', True)
    """
    asked = _question(data, time, cause, covariates, tau)
    check_level(conf_level)
    contrasts, x = _contrasts(asked), asked.design.matrix
    point = _differences(asked.fit(), x, contrasts, asked.tau)

    def again(chosen: Ints) -> Floats:
        # averaged over those drawn, since the mix of people is uncertain, too
        return _differences(asked.fit(chosen), x[chosen], contrasts, asked.tau)

    drawn, notes = _resampled(asked, n_boot, seed, again, point.shape)
    gaps = drawn[:, :, 0] - drawn[:, :, 1]
    low, high = percentile_limits(gaps, conf_level)
    value, error = point[:, 0] - point[:, 1], gaps.std(axis=0, ddof=1)
    varies = error > NOISE
    error, low, high = (np.where(varies, v, np.nan) for v in (error, low, high))
    statistic = value / error
    if not varies.all():
        notes = (*notes, NO_SPREAD)
    frame = pd.DataFrame(
        {
            "term": [c.term for c in contrasts],
            "contrast": [c.contrast for c in contrasts],
            "method": "g-formula",
            "tau": asked.tau,
            "estimate": value,
            "std_error": error,
            "statistic": statistic,
            "p_value": two_sided(statistic),
            "conf_low": low,
            "conf_high": high,
            "share": point[:, 1],
        }
    )
    return Estimates(
        frame,
        kind="standardised_risks",
        view="risks",
        estimand=f"difference in the risk of the event by day {asked.tau:g}, everybody given one value and the other",
        conf_level=conf_level,
        summary={"n": asked.size, "n_event": int((asked.cause == 1).sum()), "n_boot": n_boot, "seed": seed},
        notes=notes,
        counts=_counts(asked),
        asked={"terms": asked.design.terms, "tau": asked.tau},
    )


def foretold(
    data: pd.DataFrame,
    time: str,
    cause: str,
    covariates: str | Sequence[str],
    *,
    tau: float,
    n_boot: int = 200,
    seed: int = 0,
) -> Estimates:
    r"""Say how much of an event can be foretold: discrimination and calibration, corrected for optimism.

    A model fits the people it was made from better than others. How much better, the optimism, is found by making the
    model again of people drawn again, and trying it on all [1]_. Measures at the horizon, weighted for censoring [2]_:
    the area under the ROC curve ('auc', 0.5: none), the share of the Brier score that knowing nothing has and this does
    not ('scaled_brier', 0: none), and the slope of the event's Cox model on the predictor ('calibration_slope',
    below 1: too extreme).

    There are no limits: those of a bootstrap shifted by the optimism [3]_ take the corrected value to be right, but
    where next to nothing can be foretold from many terms it is still a little too high, and they cover far less than
    they say.

    Parameters
    ----------
    data, time, cause, covariates, tau, n_boot, seed
        As in `standardised_risks`; tau in days.

    Returns
    -------
    Estimates
        A row per measure and method ('apparent', 'corrected'): measure, method, tau, estimate.

    Raises
    ------
    AnalysisError
        As `standardised_risks`.

    References
    ----------
    .. [1] Harrell, Lee, Mark (1996), Stat. Med. 15:361-387.
    .. [2] Blanche, Dartigues, Jacqmin-Gadda (2013), Stat. Med. 32:5381-5397; Kattan, Gerds (2018), Diagn. Progn.
       Res. 2:7.
    .. [3] Noma, Shinozaki, Iba, Teramukai, Furukawa (2021), Stat. Med. 40:5691-5701.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> young = rng.integers(0, 2, 200)
    >>> people = pd.DataFrame({"young": young, "left": 1, "day": rng.integers(1, 90, 200) // (1 + young) + 1})
    >>> found = foretold(people, "day", "left", ["young"], tau=30, n_boot=40, seed=2).tidy()
    >>> bool(found.loc[found["method"] == "corrected", "estimate"].iloc[0] > 0.6)
    True
    """
    asked = _question(data, time, cause, covariates, tau)
    everybody = np.arange(asked.size)
    apparent = _performance(asked, asked.fit(), everybody)

    def optimism(chosen: Ints) -> Floats:
        model = asked.fit(chosen)
        return _performance(asked, model, chosen) - _performance(asked, model, everybody)

    drawn, notes = _resampled(asked, n_boot, seed, optimism, apparent.shape)
    corrected = apparent - drawn.mean(axis=0)
    measures = ("auc", "scaled_brier", "calibration_slope")
    rows = [
        (measure, method, asked.tau, float(values[k]))
        for k, measure in enumerate(measures)
        for method, values in (("apparent", apparent), ("corrected", corrected))
    ]
    return Estimates(
        pd.DataFrame(rows, columns=["measure", "method", "tau", "estimate"]),
        kind="foretold",
        view="foretold",
        estimand=f"how well the event by day {asked.tau:g} can be foretold",
        summary={"n": asked.size, "n_event": int((asked.cause == 1).sum()), "n_boot": n_boot, "seed": seed},
        notes=notes,
        counts=_counts(asked),
        asked={"terms": asked.design.terms, "tau": asked.tau},
    )


def _performance(asked: _Question, model: CauseRisks, chosen: Ints) -> Floats:
    """Return AUC, scaled Brier score and calibration slope of a model on some people (3,)."""
    time, cause, x = asked.time[chosen], asked.cause[chosen], asked.design.matrix[chosen]
    told = scores(time, cause, model.risk(x, asked.tau), asked.tau)
    crude = _crude(time, cause, asked.causes)
    none = CauseRisks(np.zeros((asked.causes, 1)), *crude, np.zeros(asked.causes))
    nothing = scores(time, cause, none.risk(np.zeros((len(time), 1)), asked.tau), asked.tau)
    return np.array([told.auc, 1.0 - told.brier / nothing.brier, _slope(time, cause == 1, model.predictor(x))])


def _crude(time: Floats, cause: Ints, causes: int) -> tuple[Floats, Floats]:
    """Return the times of events, and the hazards of every cause of all people alike: Aalen-Johansen's."""
    grid = np.unique(time[cause > 0])
    risk = len(time) - np.searchsorted(np.sort(time), grid, side="left")
    own = [np.bincount(np.searchsorted(grid, time[cause == k + 1]), minlength=len(grid)) / risk for k in range(causes)]
    return grid, np.array(own)


def _slope(time: Floats, had: np.ndarray, predictor: Floats) -> float:
    rows = Rows(time, had.astype(np.int64), None, None, Groups(np.zeros(len(time), dtype=np.int64), ("all",)))
    design = Design(predictor[:, None], ("predictor",), (("predictor", (0,)),))
    model, _ = fit_cox(rows, design, strata=None, cluster=None, ties="efron", robust=False)
    return float(model.beta[0])
