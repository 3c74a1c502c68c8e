"""Cox's proportional hazards model, and Harrell's concordance of its scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import scipy

from evalkit.counts import Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, Ints, Rows, group_column, read_rows
from evalkit.stats._limits import beyond_numbers, chi2_tail, coefficient_frame, crossing, normal_quantile, with_ratios
from evalkit.stats._newton import (
    SINGULAR,
    Maximum,
    firth_maximum,
    inverted,
    maximum,
    require_identified,
    scaled,
    solved,
)
from evalkit.stats._risk_sets import Likelihood, RiskSets, risk_sets
from evalkit.stats.design import Design, design_matrix

__all__ = ["CoxFit", "CoxModel", "cox", "fit_cox"]


# Equal covariates in another order of sums give risks that differ in the last digits; untied, a pair would count whole.
ROUNDING = 1e-11


def _sums_below(rank: Ints, weight: Floats, ends: Ints, wanted: Ints) -> Floats:
    """Return each query's weight of points 0 ... end-1 with a rank below the wanted one (q,): a wavelet matrix."""
    total = np.zeros(len(ends))
    low, high = np.zeros_like(ends), ends.copy()
    top = max(int(rank.max(initial=0)), int(wanted.max(initial=0)))
    # points are split by one bit of their rank at a time, from the highest: n log n, where pairs would be n squared
    for bit in reversed(range(max(top.bit_length(), 1))):
        one = (rank >> bit) & 1 == 1
        zeros = np.concatenate([[0], np.cumsum(~one)])
        mass = np.concatenate([[0.0], np.cumsum(np.where(one, 0.0, weight))])
        goes_up = (wanted >> bit) & 1 == 1
        total += np.where(goes_up, mass[high] - mass[low], 0.0)
        first_one = zeros[-1]
        low = np.where(goes_up, first_one + low - zeros[low], zeros[low])
        high = np.where(goes_up, first_one + high - zeros[high], zeros[high])
        order = np.concatenate([np.flatnonzero(~one), np.flatnonzero(one)])
        rank, weight = rank[order], weight[order]
    return total


def _comparable(later: Floats, rank: Ints, weight: Floats, query: Floats, own: Ints) -> tuple[Floats, Floats, Floats]:
    """Return the weights of points with time > query whose rank is below, above and equal to the query's."""
    order = np.argsort(-later, kind="stable")
    ends = np.searchsorted(-later[order], -query, side="left")
    ranks, weights = rank[order], weight[order]
    below = _sums_below(ranks, weights, ends, own)
    up_to = _sums_below(ranks, weights, ends, own + 1)
    every = np.concatenate([[0.0], np.cumsum(weights)])[ends]
    return below, every - up_to, up_to - below


def _ranks(risk: Floats) -> Ints:
    """Return ranks; risks that differ by rounding only, as equal covariates may give, share theirs."""
    distinct, place = np.unique(risk, return_inverse=True)
    apart = np.diff(distinct, prepend=-np.inf) > ROUNDING * max(1.0, float(np.abs(distinct).max()))
    return (np.cumsum(apart) - 1)[place].astype(np.int64)


def concordance(
    time: Floats,
    event: np.ndarray,
    risk: Floats,
    *,
    entry: Floats | None = None,
    weights: Floats | None = None,
    strata: Ints | None = None,
) -> float:
    """Return Harrell's C of pairs at risk together in one stratum, ties on risk one half; nan without such a pair."""
    mass = np.ones(len(time)) if weights is None else weights
    layers = np.zeros(len(time), dtype=np.int64) if strata is None else strata
    rank = _ranks(risk)
    concordant = discordant = tied = 0.0
    for layer in np.unique(layers):
        inside = layers == layer
        end, dead, ranks, w = time[inside], event[inside].astype(bool), rank[inside], mass[inside]
        if not dead.any():
            continue
        # whoever is censored on the day of an event outlived it
        outlives = np.nextafter(end, np.inf)
        below, above, equal = _comparable(np.where(dead, end, outlives), ranks, w, end[dead], ranks[dead])
        if entry is not None:
            # whoever had not entered by then was not at risk together with the event
            late = _comparable(np.nextafter(entry[inside], np.inf), ranks, w, end[dead], ranks[dead])
            below, above, equal = below - late[0], above - late[1], equal - late[2]
        concordant += float(w[dead] @ below)
        discordant += float(w[dead] @ above)
        tied += float(w[dead] @ equal)
    pairs = concordant + discordant + tied
    return (concordant + tied / 2) / pairs if pairs > 0 else float("nan")


NAN = float("nan")
TIES = ("efron", "breslow")
FRACTIONAL = "Weights are taken as numbers of people; for sampling or propensity weights ask for robust=True."
FEW_CLUSTERS = "There are not more clusters than terms: the joint Wald test is not given."
FIRTH = "Firth's penalised likelihood: limits and p values are those of the profile likelihood."


class Summary(Mapping[str, Any]):
    """Facts about the whole; those given as functions are computed when they are first asked for."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = dict(facts)

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - facts have their own types
        if callable(self._facts[key]):
            self._facts[key] = self._facts[key]()
        return self._facts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __repr__(self) -> str:
        return f"Summary({dict(self)!r})"


@dataclass(frozen=True)
class CoxModel:
    """What a fitted model knows, on the covariates' own scale."""

    rows: Rows
    strata: Ints | None  # (n,)
    design: Design
    ties: str
    sets: RiskSets  # of the covariates centred within strata and divided by `scale`
    beta: Floats  # (p,)
    variance: Floats  # (p, p) robust where that was asked for
    scale: Floats  # (p,)


@dataclass(frozen=True, eq=False)
class CoxFit(Estimates):
    """The estimates of a Cox model, with the fitted model beside them.

    Attributes
    ----------
    model : CoxModel or None
        For `proportional_hazards_test`.

    Examples
    --------
    >>> from evalkit.stats import cox, proportional_hazards_test
    >>> from lifelines.datasets import load_rossi
    >>> fit = cox(load_rossi(), "week", "arrest", ["fin", "age"])
    >>> fit.tidy()[["term", "estimate", "std_error"]].round(3)
      term  estimate  std_error
    0  fin    -0.328      0.190
    1  age    -0.071      0.021
    >>> fit.model is None, fit.about(notes=()).model is fit.model
    (False, True)
    """

    model: CoxModel | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # the base class copies a summary, which would compute what nobody has asked for
        facts = self.summary
        object.__setattr__(self, "summary", {})
        super().__post_init__()
        object.__setattr__(self, "summary", facts if isinstance(facts, Summary) else Summary(facts))

    def about(self, **changes: Any) -> CoxFit:  # noqa: ANN401 - fields have their own types
        """Return the same estimates with some of their description replaced.

        Parameters
        ----------
        **changes
            Fields of `Estimates`. Where the rows, the summary or the counts are replaced, the result is
            another one and the model, which holds people's rows, does not go along.

        Returns
        -------
        CoxFit
            A new object.
        """
        if {"data", "summary", "counts"} & set(changes):
            changes = {"model": None} | changes
        return replace(self, **changes)


def scaled_sets(
    rows: Rows, design: Design, strata: Ints | None, ties: str
) -> tuple[RiskSets, Floats, Floats, Likelihood]:
    """Return risk sets of scaled covariates, scale (p,), reach (p,), likelihood at 0; refuse what is not identified."""
    raw = risk_sets(
        design.matrix, rows.time, rows.cause > 0, entry=rows.entry, strata=strata, weights=rows.weights, ties=ties
    )
    x, scale, reach = scaled(design.matrix, raw.used, raw.layer)
    sets = replace(raw, x=x)
    null = sets.likelihood(np.zeros(len(scale)))
    events = np.bincount(sets.pair_time, weights=sets.pair_weight, minlength=sets.m)
    # a covariate's size about zero: information that is nothing beside it is rounding error
    squares = null.sums.at_risk(sets.weights[:, None] * x**2) / null.s[:, :1]
    require_identified(null.information, events @ squares, design.terms)
    return sets, scale, reach, null


def fit_cox(
    rows: Rows,
    design: Design,
    *,
    strata: Ints | None,
    cluster: Ints | None,
    ties: str,
    robust: bool,
) -> tuple[CoxModel, Maximum]:
    """Return the fitted model, and where its likelihood is largest."""
    sets, scale, reach, null = scaled_sets(rows, design, strata, ties)
    total = float(sets.pair_weight.sum())
    # weights may be of any size: what a step gains is measured by one event's
    best = maximum(sets.likelihood, reach, total / int((sets.when >= 0).sum()), total)
    at = sets.likelihood(best.beta)
    inverse = inverted(at.information, best.infinite, null.information)
    if robust or cluster is not None:
        moved = (sets.score_residuals(at) * sets.weights[:, None]) @ inverse
        if cluster is not None:
            # people of a cluster move the estimate together, so their parts are added before they are squared
            moved = np.stack([np.bincount(cluster, weights=column) for column in moved.T], axis=1)
        inverse = moved.T @ moved
    variance = inverse / np.outer(scale, scale)
    # rounding, where the information is all but singular: no error could be told from it
    if (np.diag(variance)[~(best.infinite | best.idle)] < 0).any():
        raise AnalysisError(SINGULAR)
    model = CoxModel(rows, strata, design, ties, sets, best.beta / scale, variance, scale)
    return model, best


def _tests(model: CoxModel, value: float, wald: float) -> dict[str, Any]:
    null = model.sets.likelihood(np.zeros(len(model.beta)))
    df = len(model.beta)
    ratio = 2 * (value - float(null.value))
    score = float(null.score @ solved(null.information, null.score))
    return {
        "log_likelihood": value,
        "log_likelihood_null": float(null.value),
        "df": df,
        "lr_statistic": ratio,
        "lr_p_value": chi2_tail(ratio, df),
        "wald_statistic": wald,
        "wald_p_value": chi2_tail(wald, df),
        "score_statistic": score,
        "score_p_value": chi2_tail(score, df),
        "aic": -2 * value + 2 * df,
    }


def _concordance_of(model: CoxModel) -> float:
    rows = model.rows
    # a separated term ranks by how far its coefficient had walked, before all others
    risk = model.design.matrix @ model.beta
    return concordance(rows.time, rows.cause > 0, risk, entry=rows.entry, weights=rows.weights, strata=model.strata)


def _separation(terms: Sequence[str], best: Maximum) -> tuple[str, ...]:
    def named(chosen: np.ndarray) -> str:
        return ", ".join(f"'{term}'" for term, is_so in zip(terms, chosen, strict=True) if is_so)

    if not best.infinite.any():
        return ()
    said = (
        f"Separation: {named(best.infinite)} tell those with events from those without completely, so no finite "
        "hazard ratio has the largest likelihood; penalizer='firth' gives a finite one."
    )
    idle = f"Beside them nothing is left to tell of {named(best.idle)}: no estimate is given."
    return (said, idle) if best.idle.any() else (said,)


def _firth(
    rows: Rows, design: Design, strata: Ints | None, ties: str, conf_level: float
) -> tuple[CoxModel, pd.DataFrame, float]:
    sets, scale, _, _ = scaled_sets(rows, design, strata, ties)
    best = firth_maximum(sets)
    inverse = np.linalg.inv(sets.likelihood(best.beta).information)
    cut = normal_quantile(conf_level) ** 2
    low, high, p_value = (np.empty(len(scale)) for _ in range(3))
    for j in range(len(scale)):
        error = float(np.sqrt(inverse[j, j]))

        def drop(value: float, j: int = j) -> float:
            try:
                return 2 * (best.value - firth_maximum(sets, (j, value), best.beta).value)
            except AnalysisError:  # so far out that nothing can be told any more
                return NAN

        p_value[j] = chi2_tail(drop(0.0), 1)
        # limits of the profile likelihood: under separation it is far from the parabola that Wald's limits take it for
        low[j] = crossing(drop, cut, best.beta[j], -error)
        high[j] = crossing(drop, cut, best.beta[j], error)
    beta, variance = best.beta / scale, inverse / np.outer(scale, scale)
    frame = coefficient_frame(design.terms, beta, np.sqrt(np.diag(variance)), conf_level)
    frame["p_value"] = p_value
    # a p value that underflows would make the statistic infinite
    frame["statistic"] = np.sign(beta) * np.abs(scipy.special.ndtri(np.maximum(p_value, 1e-300) / 2))
    frame = with_ratios(frame, low / scale, high / scale)
    model = CoxModel(rows, strata, design, ties, sets, beta, variance, scale)
    return model, frame, float(sets.likelihood(best.beta).value)


def check_ties(ties: str) -> str:
    """Return the way of handling ties if it is known."""
    if ties not in TIES:
        msg = f"ties '{ties}' is not one of {', '.join(TIES)}{did_you_mean(ties, TIES)}"
        raise AnalysisError(msg)
    return ties


def cox(
    data: pd.DataFrame,
    time: str,
    event: str,
    covariates: str | Sequence[str],
    *,
    ties: str = "efron",
    entry: str | None = None,
    strata: str | None = None,
    weights: str | None = None,
    cluster: str | None = None,
    robust: bool = False,
    penalizer: str | None = None,
    conf_level: float = 0.95,
) -> CoxFit:
    r"""Fit Cox's proportional hazards model.

    Maximises the partial likelihood :math:`\prod_i e^{x_i\beta} / \sum_{j \in R(t_i)} e^{x_j\beta}` over
    risk sets R(t) = {entry < t <= time}, ties by Efron's or Breslow's approximation [1]_. Robust standard
    errors are the sandwich of weighted score residuals, added up within clusters [2]_. With
    ``penalizer="firth"`` Jeffreys' prior keeps estimates finite under separation, with profile likelihood
    limits [3]_.

    An own kernel rather than lifelines: lifelines' robust errors are off by up to 30 %, and it knows
    neither the score test nor Firth's penalty; coefficients of both agree.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        One row per person, or per spell (entry, time] with ``cluster`` the person.
    time, event : str
        Columns: days since the origin; bool or 0/1.
    covariates : str or sequence of str
        Columns (text ones as indicators against their first level), or a formula.
    ties : {"efron", "breslow"}
    entry, strata, weights, cluster : str, optional
        Columns. Each stratum has its own baseline hazard; weights are numbers of people unless ``robust``;
        ``cluster`` implies ``robust``.
    robust : bool
    penalizer : {None, "firth"}
    conf_level : float

    Returns
    -------
    CoxFit
        Rows: term, estimate (log hazard ratio), std_error, statistic, p_value, conf_low, conf_high,
        hazard_ratio, hr_low, hr_high. ``.glance()``: n, n_event, log_likelihood, log_likelihood_null, df,
        likelihood-ratio, Wald and score statistics with p values, aic, concordance. A term without finite
        maximum has an infinite estimate and a note names it; a term of which nothing is left to tell beside it has
        none. A ratio beyond the largest number is infinite.

    Raises
    ------
    AnalysisError
        If there are no events, a covariate is not identified (it does not vary among people at risk together, or is
        a combination of others; R gives NA), or a column is missing or wrong.

    References
    ----------
    .. [1] Efron (1977), J. Am. Stat. Assoc. 72:557-565.
    .. [2] Lin, Wei (1989), J. Am. Stat. Assoc. 84:1074-1078.
    .. [3] Heinze, Schemper (2001), Biometrics 57:114-119.

    Examples
    --------
    >>> people = pd.DataFrame({"day": [2, 3, 5, 7, 9], "left": [1, 1, 1, 0, 1], "age": [40, 30, 50, 35, 20]})
    >>> cox(people, "day", "left", ["age"]).tidy()[["term", "estimate"]].round(4)
      term  estimate
    0  age    0.0456
    """
    check_ties(ties)
    if penalizer not in {None, "firth"}:
        msg = f"penalizer '{penalizer}' is not one of None, 'firth'"
        raise AnalysisError(msg)
    rows = read_rows(data, time, event, entry=entry, weights=weights)
    dead = rows.cause > 0
    # an event without weight adds nothing to the likelihood
    if not (dead if rows.weights is None else dead & (rows.weights > 0)).any():
        weighted = " with a positive weight" if dead.any() else ""
        msg = f"column '{event}' has no events{weighted}: a hazard ratio is not defined"
        raise AnalysisError(msg)
    design = design_matrix(data, covariates)
    layers = None if strata is None else group_column(data, strata).codes
    clusters = None if cluster is None else group_column(data, cluster).codes
    robust = robust or cluster is not None
    if penalizer == "firth":
        if robust:
            msg = "penalizer='firth' has no robust standard error"
            raise AnalysisError(msg)
        model, frame, value = _firth(rows, design, layers, ties, conf_level)
        notes: tuple[str, ...] = (FIRTH,)
    else:
        model, best = fit_cox(rows, design, strata=layers, cluster=clusters, ties=ties, robust=robust)
        notes, value = _separation(design.terms, best), best.value
        beta, error = model.beta.copy(), np.sqrt(np.maximum(np.diag(model.variance), 0.0))
        beta[best.infinite], error[best.infinite] = np.copysign(np.inf, beta[best.infinite]), NAN
        beta[best.idle], error[best.idle] = NAN, NAN
        frame = coefficient_frame(design.terms, beta, error, conf_level)
        if rows.weights is not None and not robust and (rows.weights != np.round(rows.weights)).any():
            notes = (*notes, FRACTIONAL)
    return _fit(model, frame, value, notes, conf_level)


def _wald(beta: Floats, variance: Floats) -> float:
    """Return the Wald statistic; nan where fewer clusters than terms leave the variance singular."""
    error = np.sqrt(np.diag(variance))
    # of correlations, so that units do not decide what is singular
    correlation = variance / np.outer(error, error)
    if np.linalg.matrix_rank(correlation, tol=1e-10, hermitian=True) < len(beta):
        return NAN
    return float((beta / error) @ np.linalg.solve(correlation, beta / error))


def _fit(model: CoxModel, frame: pd.DataFrame, value: float, notes: tuple[str, ...], conf_level: float) -> CoxFit:
    finite = np.isfinite(frame["std_error"].to_numpy())
    notes = (*notes, *beyond_numbers(frame))
    wald = NAN
    if finite.all():
        wald = _wald(model.beta, model.variance)
        notes = (*notes, *((FEW_CLUSTERS,) if np.isnan(wald) else ()))
    n, events = len(model.rows.time), int((model.rows.cause > 0).sum())
    # the concordance only when it is asked for: it ranks everybody against everybody
    facts = {"n": n, "n_event": events} | _tests(model, value, wald) | {"concordance": partial(_concordance_of, model)}
    counts = Tally(pd.DataFrame({"group": ["all"], "term": ["model"], "n_event": [events], "n": [n]}))
    return CoxFit(
        data=frame,
        kind="cox",
        view="model",
        estimand="log hazard ratio per unit of " + ", ".join(model.design.terms),
        conf_level=conf_level,
        summary=Summary(facts),
        notes=notes,
        counts=counts,
        asked={"terms": model.design.terms},
        model=model,
    )
