"""Propensity scores: weights, balance, overlap."""

from __future__ import annotations

__all__ = ["Propensity", "propensity"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from evalkit.counts import Tally
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._arms import ESTIMANDS, Arms, read_arms, target_weights
from evalkit.stats._columns import Floats, group_column
from evalkit.stats._logistic import fit_logistic, predicted, require
from evalkit.stats._proportion import Proportion

NAN = float("nan")
# Walker et al. 2013: within it either program could have been the person's, the arms' sizes apart.
PREFERENCE = (0.3, 0.7)
# A weight e/(1-e) beyond 39 rests on one person standing for that many.
POSITIVITY = 0.025


def in_equipoise(preference: Floats, between: tuple[float, float] = PREFERENCE) -> npt.NDArray[np.bool_]:
    """Return who has a preference score in a range, both ends included (n,)."""
    low, high = between
    if not 0 <= low < high <= 1:
        msg = f"the preference scores of equipoise must rise within 0 and 1, they are {low:g} and {high:g}"
        raise AnalysisError(msg)
    return (preference >= low) & (preference <= high)


def weighted_moments(x: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Return weighted means and unbiased weighted variances of columns (p,), (p,)."""
    share = w / w.sum()
    mean = share @ x
    # (n - 1)/n under equal weights; 0 where one person has all the weight, of whom no spread is known
    scale = 1.0 - float(share @ share)
    if scale <= 0:
        return mean, np.full(x.shape[1], NAN)
    return mean, (share @ (x - mean) ** 2) / scale


@dataclass(frozen=True)
class Overlap:
    """The shares that `Propensity.overlap` gives, from their counts."""

    key: ClassVar[str] = "overlap"
    conf_level: float = 0.95

    def estimate(self, counts: Tally) -> Estimates:
        """Return the shares of these counts; columns as `Propensity.overlap` says."""
        what = "share of people whose covariates are compatible with either arm, or with one only"
        found = Proportion(conf_level=self.conf_level).estimate(counts)
        return found.about(kind="overlap", estimand=what, analysis=self)


@dataclass(frozen=True, eq=False)
class Propensity:
    """Fitted propensity scores; see `propensity`.

    Attributes
    ----------
    scores : (n,)
        Probability of the focus arm given the covariates.
    weights : (n,)
        Balancing weights; 0 where trimmed.
    treated : (n,)
        1 in the focus arm.
    names : (str, str)
        Focus and comparison arm.
    estimand : str
    levels : pandas.DataFrame
        The covariates of the balance table.
    """

    scores: Floats = field(repr=False)
    weights: Floats = field(repr=False)
    treated: Floats = field(repr=False)
    names: tuple[str, str]
    estimand: str
    levels: pd.DataFrame = field(repr=False)

    @property
    def kept(self) -> int:
        """Rows with a positive weight."""
        return int((self.weights > 0).sum())

    def _about(self, data: pd.DataFrame, kind: str, what: str, notes: tuple[str, ...] = ()) -> Estimates:
        n, focus = len(self.scores), int(self.treated.sum())
        totals = pd.DataFrame({"group": ["all"], "term": ["arms"], "n_event": [focus], "n": [n]})
        return Estimates(
            data=data,
            kind=kind,
            estimand=f"{what} {ESTIMANDS[self.estimand]}",
            summary={"n": n},
            notes=notes,
            counts=Tally(totals),
            asked={"target": self.estimand},
        )

    def balance(self) -> Estimates:
        r"""Return standardised mean differences and variance ratios before and after weighting.

        :math:`(\bar x_1 - \bar x_0)/s` with s from the unweighted data: the focus arm's standard deviation
        for ATT, :math:`\sqrt{(s_1^2 + s_0^2)/2}` otherwise; :math:`s^2 = p(1-p)` for an indicator. [1]_

        Returns
        -------
        Estimates
            A row per covariate or level: term, variable, smd, smd_weighted, variance_ratio,
            variance_ratio_weighted (focus over comparison; nan for indicators).

        References
        ----------
        .. [1] Austin (2009), Stat. Med. 28:3083-3107.

        Examples
        --------
        >>> data = pd.DataFrame({"arm": [1, 1, 1, 0, 0, 0, 0], "age": [30, 41, 35, 30, 25, 45, 38]})
        >>> balance = propensity(data, "arm", ["age"]).balance().tidy()
        >>> bool(abs(balance["smd_weighted"].item()) < abs(balance["smd"].item()))
        True
        """
        focus = self.treated > 0
        x = self.levels.to_numpy(dtype=np.float64)
        one, m1, v1 = x[focus], *weighted_moments(x[focus], np.ones(int(focus.sum())))
        base, m0, v0 = x[~focus], *weighted_moments(x[~focus], np.ones(int((~focus).sum())))
        w1, u1 = weighted_moments(one, self.weights[focus])
        w0, u0 = weighted_moments(base, self.weights[~focus])
        binary = np.array([set(np.unique(c)) <= {0.0, 1.0} for c in x.T])
        s1, s0 = np.where(binary, m1 * (1 - m1), v1), np.where(binary, m0 * (1 - m0), v0)
        # the same before and after weighting, so that a wider spread cannot pass for balance (Austin 2009)
        scale = np.sqrt(s1 if self.estimand == "att" else (s1 + s0) / 2)

        def ratio(top: Floats, bottom: Floats) -> Floats:
            # an indicator's variance follows from its mean, which the difference tells already
            ok = (bottom > 0) & ~binary
            return np.asarray(np.divide(top, bottom, out=np.full(len(top), NAN), where=ok))

        def standard(difference: Floats) -> Floats:
            return np.asarray(np.divide(difference, scale, out=np.full(len(scale), NAN), where=scale > 0))

        frame = pd.DataFrame(
            {
                "term": list(self.levels.columns),
                "variable": [str(c).split("[")[0] for c in self.levels.columns],
                "smd": standard(m1 - m0),
                "smd_weighted": standard(w1 - w0),
                "variance_ratio": ratio(v1, v0),
                "variance_ratio_weighted": ratio(u1, u0),
            }
        )
        notes = []
        if frame["smd"].isna().any():
            notes.append("A covariate that does not vary has no standardised difference.")
        if frame["variance_ratio_weighted"].isna().any():
            notes.append("Variance ratios are given for quantities only, not for indicators or a single person.")
        return self._about(frame, "balance", "balance of the arms", tuple(notes))

    def effective_sample_size(self) -> Estimates:
        r"""Return Kish's effective sample size of each arm, :math:`(\sum w)^2 / \sum w^2`.

        Returns
        -------
        Estimates
            A row per arm: group, effective_sample_size.

        Examples
        --------
        >>> data = pd.DataFrame({"arm": [1, 1, 1, 0, 0, 0, 0], "age": [30, 41, 35, 30, 25, 45, 38]})
        >>> propensity(data, "arm", ["age"]).effective_sample_size().tidy()["group"].tolist()
        ['1', '0']
        """
        rows = []
        for name, inside in zip(self.names, (self.treated > 0, self.treated == 0), strict=True):
            w = self.weights[inside]
            rows.append((name, float(w.sum() ** 2 / (w**2).sum())))
        frame = pd.DataFrame(rows, columns=["group", "effective_sample_size"])
        return self._about(frame, "effective_sample_size", "effective sample size")

    @property
    def preference(self) -> Floats:
        """Preference scores (n,): propensity with the arms' sizes taken out."""
        share = self.treated.mean()
        return np.asarray(scipy.special.expit(scipy.special.logit(self.scores) - scipy.special.logit(share)))

    def overlap(self, between: tuple[float, float] = PREFERENCE) -> Estimates:
        r"""Return how far the arms overlap.

        Equipoise is the share with a preference score in a range, where
        :math:`logit F = logit e - logit P(focus)` [1]_. Positivity violations are scores below 0.025 or
        above 0.975, or outside the other arm's range.

        Parameters
        ----------
        between : (float, float)
            Lowest and highest preference score in equipoise.

        Returns
        -------
        Estimates
            Rows by arm and for all: group, term ('equipoise', 'extreme score', 'outside common support'),
            n_event, n, estimate (share), std_error, conf_low, conf_high.

        References
        ----------
        .. [1] Walker et al. (2013), Comparative Effectiveness Research 3:11-20.

        Examples
        --------
        >>> data = pd.DataFrame({"arm": [1, 1, 1, 0, 0, 0, 0], "age": [30, 41, 35, 30, 25, 45, 38]})
        >>> propensity(data, "arm", ["age"]).overlap().tidy()["term"].unique().tolist()
        ['equipoise', 'extreme score', 'outside common support']
        """
        focus, e = self.treated > 0, self.scores
        low, high = max(e[focus].min(), e[~focus].min()), min(e[focus].max(), e[~focus].max())
        flags = {
            "equipoise": in_equipoise(self.preference, between),
            "extreme score": (e < POSITIVITY) | (e > 1 - POSITIVITY),
            "outside common support": (e < low) | (e > high),
        }
        rows = [
            (name, term, int(flag[inside].sum()), int(inside.sum()))
            for term, flag in flags.items()
            for name, inside in (
                ("all", np.ones(len(e), dtype=bool)),
                (self.names[0], focus),
                (self.names[1], ~focus),
            )
        ]
        totals = Tally(pd.DataFrame(rows, columns=["group", "term", "n_event", "n"]))
        return Overlap().estimate(totals)


def _levels(data: pd.DataFrame, covariates: str | Sequence[str], arms: Arms) -> pd.DataFrame:
    """Return covariates with every level of text ones, for the balance table."""
    names = [covariates] if isinstance(covariates, str) else list(covariates)
    if not all(name in data.columns for name in names):
        return pd.DataFrame(arms.design.matrix, columns=list(arms.design.terms))
    columns: dict[str, Floats] = {}
    for name in names:
        if pd.api.types.is_numeric_dtype(data[name].dtype):
            columns[name] = data[name].to_numpy(dtype=np.float64)
        else:
            groups = group_column(data, name)
            # the first level, too: the design leaves it out, and nobody would see that it is not balanced
            for k, level in enumerate(groups.labels):
                columns[f"{name}[{level}]"] = (groups.codes == k).astype(np.float64)
    return pd.DataFrame(columns)


def propensity(
    data: pd.DataFrame,
    treatment: str,
    covariates: str | Sequence[str],
    *,
    estimand: str = "att",
    focus: object = None,
    stabilized: bool = False,
    trim: float | None = None,
) -> Propensity:
    r"""Fit propensity scores by logistic regression and make balancing weights.

    :math:`e(x) = P(focus | x)`; weights for the focus and comparison arm: ATT 1 and e/(1-e), ATE 1/e and
    1/(1-e), overlap 1-e and e. [1]_ [2]_

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    treatment : str
        Column with two levels.
    covariates : str or sequence of str
        Columns or a formula, as in `evalkit.stats.cox`.
    estimand : {"att", "ate", "overlap"}
    focus : object, optional
        The level that is the focus (for ATT, the target); default the higher of the two.
    stabilized : bool
        Scale each arm's weights to its own size.
    trim : float, optional
        Rows with a score below trim or above 1 - trim get weight 0; the target is then another one.

    Returns
    -------
    Propensity
        ``.scores``, ``.weights`` (n,), ``.balance()``, ``.effective_sample_size()``, ``.overlap()``.

    Raises
    ------
    AnalysisError
        If the treatment does not have two levels, the covariates tell the arms apart completely, or a
        column is missing or wrong.

    References
    ----------
    .. [1] Rosenbaum, Rubin (1983), Biometrika 70:41-55.
    .. [2] Li, Morgan, Zaslavsky (2018), J. Am. Stat. Assoc. 113:390-400.

    Examples
    --------
    >>> data = pd.DataFrame({"arm": [1, 1, 1, 0, 0, 0, 0], "age": [30, 41, 35, 30, 25, 45, 38]})
    >>> propensity(data, "arm", ["age"]).scores.round(3).tolist()
    [0.405, 0.458, 0.429, 0.405, 0.381, 0.478, 0.444]
    """
    arms = read_arms(data, treatment, covariates, focus)
    beta, converged = fit_logistic(arms.x, arms.treated, np.ones((1, arms.size)))
    require(converged)
    score = predicted(arms.x, beta)[0]
    weights = target_weights(score, arms.treated, estimand)
    if trim is not None:
        if not 0 < trim < 0.5:
            msg = f"trim must lie between 0 and 0.5, it is {trim:g}"
            raise AnalysisError(msg)
        weights = np.where((score >= trim) & (score <= 1 - trim), weights, 0.0)
    for inside in (arms.treated > 0, arms.treated == 0):
        if not weights[inside].any():
            msg = f"trim = {trim} leaves nobody in an arm of column '{treatment}'"
            raise AnalysisError(msg)
        if stabilized:
            weights[inside] *= (weights[inside] > 0).sum() / weights[inside].sum()
    return Propensity(score, weights, arms.treated, arms.names, estimand, _levels(data, covariates, arms))
