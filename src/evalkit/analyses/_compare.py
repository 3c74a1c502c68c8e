"""The two arms on one time scale: unadjusted, balance, and adjusted by three methods."""

from __future__ import annotations

__all__ = ["N_BOOT", "TARGETS", "Comparison", "compare_arms", "fitted", "on_scale", "target_of"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from evalkit.analyses._balance import BalanceOf, balance_counts, fewest_of
from evalkit.analyses._model import first_harm
from evalkit.analyses._stay import leaving
from evalkit.cohort import Cohort, told_apart
from evalkit.counts import DayCounts, Tally, Tie, totals_of
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.levels import joined
from evalkit.protocol import Study
from evalkit.stats import Propensity, adjusted_effect, cumulative_incidence, diagnose, propensity
from evalkit.wilson import normal_quantile

# Enough that a 95 % limit rests on the tenth replicate from its end, not on the last one or two.
N_BOOT = 400
"""Bootstrap replicates of each adjusted figure; each refits the propensity score."""

_METHODS = {
    "iptw": "Weighted",
    "standardised": "Standardized by regression",
    "doubly_robust": "Doubly robust",
}
TARGETS = {
    "att": "people like those {focus} (ATT)",
    "ate": "both groups' people (ATE)",
    "overlap": "overlap (ATO)",
}


def target_of(study: Study, estimand: str | None = None) -> str:
    """Return for whom adjusted figures are, in words.

    Parameters
    ----------
    study : Study
    estimand : {"att", "ate", "overlap"}, optional
        The protocol's by default.

    Returns
    -------
    str

    Examples
    --------
    >>> from evalkit.analyses import target_of
    >>> target_of(cohort.study)
    'people like those in the pilot (ATT)'
    """
    focus = study.arms.focus
    where = focus.label_in or f"in the group “{focus.label}”"
    return TARGETS[estimand or study.comparison.estimand].format(focus=where)


@dataclass(frozen=True, eq=False)
class Comparison:
    """The two arms on one time scale, ready to be compared.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per person with a value for every covariate: focus (1 in the focus arm), time, event, covariates.
    covariates : tuple of str
    groups : (str, str)
        The focus, the comparison.
    fit : Propensity
    event : str
        What cause 1 is called.
    totals : Tally
        Events of cause 1 and people of each arm: what decides whether a model may be shown.
    left_out : int
        People without a value for every covariate.
    cohort : Cohort
    scale : {"retention", "harm"}
    smallest : int
        Nothing is told of a level with fewer people than this in an arm, or without it.

    Examples
    --------
    >>> from evalkit.analyses import compare_arms
    >>> compared = compare_arms(cohort, "retention")
    >>> compared.event, compared.population
    ('disengagement', 'people with a first session and a value for every characteristic')
    >>> compared.diagnose().tidy()[["term", "verdict"]].head(3)
                        term verdict
    0                balance    pass
    1              equipoise    pass
    2  effective sample size    pass
    """

    data: pd.DataFrame = field(repr=False)
    covariates: tuple[str, ...]
    groups: tuple[str, str]
    fit: Propensity = field(repr=False)
    event: str
    totals: Tally = field(repr=False)
    left_out: int
    cohort: Cohort = field(repr=False)
    scale: str = "retention"
    smallest: int = 11

    @property
    def population(self) -> str:
        """Of whom the comparison speaks."""
        if self.scale == "harm" and self.cohort.study.harm.origin == "referral":
            return "people followed since referral with a value for every characteristic"
        entry = "an intake" if self.scale == "harm" else "a first session"
        return f"people with {entry} and a value for every characteristic"

    @cached_property
    def tied(self) -> tuple[Tie, ...]:
        """The share with the event, of these people and of everybody: of a day of which it is not told, nothing is."""
        everybody = first_harm(self.cohort, self.smallest) if self.scale == "harm" else leaving(self.cohort)
        # With causes told apart as the published curve tells them: a tie to a share that nobody shows holds nothing.
        rows = told_apart(self.cohort, self.data, self.smallest)[0] if self.scale == "harm" else self.data
        # Held to both: what may not be told of everybody is not told of those with every value.
        own = cumulative_incidence(rows, "time", "event", by="group")
        return tuple(Tie(one.counts) for one in (everybody, own) if isinstance(one.counts, DayCounts))

    @property
    def asked(self) -> dict[str, object]:
        """What every question about the comparison has in common, by value: its time scale and its target."""
        return {"scale": self.scale, "target": self.fit.estimand}

    def balance(self) -> Estimates:
        """Return standardised mean differences of the covariates before and after weighting.

        Returns
        -------
        Estimates
            Made from a `Tally`, a row per arm and level, as Table 1 is.
        """
        labels = {c.name: c.label for c in self.cohort.study.covariates}
        found = self.fit.balance()
        att = self.fit.estimand == "att"
        asked = BalanceOf(self.groups, found.estimand, self.population, att=att, notes=found.notes)
        counts = balance_counts(self.fit, self.data, self.groups, labels)
        return asked.estimate(counts).about(cut=self.cohort.cut, summary=found.summary, asked=self.asked)

    def diagnose(self) -> Estimates:
        """Return the diagnostics that change what may be said, by the protocol's thresholds.

        Returns
        -------
        Estimates
        """
        rules = self.cohort.study.comparison
        fewest = fewest_of(balance_counts(self.fit, self.data, self.groups, {}))
        found = diagnose(
            self.fit,
            told=tuple(fewest.index[fewest >= self.smallest]),
            smd=rules.max_smd,
            equipoise=rules.min_equipoise,
            preference=(rules.preference_low, rules.preference_high),
            effective_sample_size=rules.min_effective_sample_size,
        )
        return found.about(population=self.population, cut=self.cohort.cut, counts=self.totals, asked=self.asked)

    def weighted(self) -> Estimates:
        """Return the share with each event by each day when the groups are weighted to the same target.

        Returns
        -------
        Estimates
            Cumulative incidences of each arm. Their limits take the weights as known (infinitesimal jackknife); those
            of `effects` do not.
        """
        rows = self.data.assign(weight=self.fit.weights)
        causes = [str(name) for name in self.cohort.causes_of("retention").values()]
        if self.scale == "harm":
            rows, causes, _ = told_apart(self.cohort, rows, self.smallest)
        found = cumulative_incidence(rows, "time", "event", by="group", weights="weight", causes=causes)
        target = target_of(self.cohort.study)
        return found.about(
            estimand=f"{found.estimand}, weighted; target: {target}", population=self.population, cut=self.cohort.cut,
            asked={"question": "weighted", **self.asked}, tied=self.tied,
        )  # fmt: skip

    def effects(self, days: int, *, n_boot: int = N_BOOT) -> Estimates:
        """Return the difference in the share with the event by a day: unadjusted, and adjusted by three methods.

        Parameters
        ----------
        days : int
            Horizon.
        n_boot : int
            Bootstrap replicates, 400 unless said otherwise.

        Returns
        -------
        Estimates
            A row per method: label, method, contrast, tau, estimate, std_error, conf_low, conf_high; no rows where the
            horizon lies beyond an arm's follow-up.
        """
        rows = []
        try:
            rows.append(self._crude(days))
            rows += [self.adjusted(days, method, n_boot=n_boot) for method in _METHODS]
        except AnalysisError:
            # All or none: a table with the methods that happened to be defined would look like a choice of methods.
            rows = []
        return self.rows(rows, f"difference in the share with {self.event} by day {days}", {"days": days})

    def adjusted(
        self, days: int, method: str = "iptw", *, estimand: str | None = None, n_boot: int = N_BOOT, label: str = ""
    ) -> dict[str, object]:
        """Return one adjusted difference as a row.

        Parameters
        ----------
        days : int
        method : {"iptw", "standardised", "doubly_robust"}
        estimand : {"att", "ate", "overlap"}, optional
            The protocol's by default.
        n_boot : int
        label : str
            How the row is called; the method by default.

        Returns
        -------
        dict

        Raises
        ------
        AnalysisError
            If it is not defined: the day lies beyond a group's follow-up, or the data are too thin.
        """
        study, followed = self.cohort.study, self.data.groupby("focus")["time"].max().min()
        # Beyond the shorter follow-up the curve of one arm would have to be drawn on as it was last.
        if days > followed:
            msg = f"day {days} lies beyond the last day on which both groups are followed ({followed})"
            raise AnalysisError(msg)
        found = adjusted_effect(
            self.data, "time", "event", "focus", list(self.covariates), measure="cif_difference", method=method,
            # The protocol's seed: a report made again draws the same replicates, and has the same limits.
            tau=days, estimand=estimand or study.comparison.estimand, n_boot=n_boot, seed=study.seed,
        )  # fmt: skip
        row = {str(name): value for name, value in found.tidy().iloc[0].items()}
        return {**row, "label": label or _METHODS[method], "contrast": f"{self.groups[0]} - {self.groups[1]}"}

    def _crude(self, days: int) -> dict[str, object]:
        found = cumulative_incidence(self.data, "time", "event", by="focus", times=[days]).tidy()
        own = found[found["cause"] == found["cause"].iloc[0]].set_index("group")
        one, two = own.loc["1"], own.loc["0"]
        # the arms are different people, so that their variances add
        value, error = float(one["estimate"] - two["estimate"]), float(np.hypot(one["std_error"], two["std_error"]))
        z = normal_quantile(0.95)
        return {
            "label": "Unadjusted", "contrast": f"{self.groups[0]} - {self.groups[1]}", "method": "unadjusted",
            "tau": float(days), "estimate": value, "std_error": error, "conf_low": value - z * error,
            "conf_high": value + z * error,
        }  # fmt: skip

    def rows(
        self,
        rows: list[dict[str, object]],
        estimand: str,
        asked: Mapping[str, object],
        kind: str = "adjusted_effects",
    ) -> Estimates:
        """Return adjusted differences as estimates.

        Parameters
        ----------
        rows : list of dict
            From `adjusted`.
        estimand : str
        asked : mapping
            The question by value, time scale and target aside.
        kind : str

        Returns
        -------
        Estimates
        """
        columns = ["label", "contrast", "method", "tau", "estimate", "std_error", "conf_low", "conf_high"]
        target = target_of(self.cohort.study)
        where = "" if kind == "adjusted_effects" else ", where a row names no other"
        numbers = dict.fromkeys(columns[3:], "float64")
        return Estimates(
            pd.DataFrame(rows, columns=columns).astype(numbers),
            kind=kind,
            view="effects" if kind == "adjusted_effects" else kind,
            estimand=f"{estimand}; target of adjusted figures{where}: {target}",
            population=self.population,
            cut=self.cohort.cut,
            counts=self.totals,
            asked={**self.asked, **asked},
            tied=self.tied,
        )


def compare_arms(cohort: Cohort, scale: str = "retention", *, smallest: int = 11) -> Comparison | None:
    """Set the two arms against each other on a time scale.

    Parameters
    ----------
    cohort : Cohort
    scale : {"retention", "harm"}
    smallest : int, default 11
        Levels with fewer people than this in an arm are joined.

    Returns
    -------
    Comparison or None
        None where the arms cannot be compared: nobody in one, no covariate that varies, or arms told apart completely.

    Raises
    ------
    MissingTableError
        If a table the scale needs is not part of the study.

    Examples
    --------
    >>> from evalkit.analyses import compare_arms
    >>> compare_arms(cohort).balance().tidy()[["term", "smd"]].head(2).round(2)
              term   smd
    0          age  0.16
    1  gender[man] -0.05
    """
    frame = on_scale(cohort, scale)
    names = [c.name for c in cohort.study.covariates]
    # complete cases; what that changes `imputed` says
    known = frame.dropna(subset=names).reset_index(drop=True)
    return fitted(cohort, scale, known, len(frame) - len(known), smallest=smallest)


def on_scale(cohort: Cohort, scale: str) -> pd.DataFrame:
    """Return a time scale ("retention" or "harm") with the column ``focus``: 1 in the focus arm, else 0.

    MissingTableError if a table the scale needs is not part of the study.
    """
    frame = cohort.harm() if scale == "harm" else cohort.retention()
    return frame.assign(focus=frame["group"].eq(cohort.study.arms.focus.label).astype("int64"))


def fitted(cohort: Cohort, scale: str, known: pd.DataFrame, left_out: int, *, smallest: int = 11) -> Comparison | None:
    """Fit the propensity of the focus arm on rows of `on_scale` with every covariate; None as in `compare_arms`.

    `left_out` people are not among them; levels with fewer than `smallest` people in an arm are joined.
    """
    known = known.copy()
    for covariate in cohort.study.covariates:
        if covariate.kind == "categorical":
            # the coefficient of a level that few people of an arm have would speak of those few
            levels = joined(known[covariate.name], (known["focus"],), smallest, covariate.levels or ())
            known[covariate.name] = levels.astype(object)
    # What everybody has in common tells nothing of the arms, and leaves the design without full rank.
    used = tuple(c.name for c in cohort.study.covariates if len({*known[c.name]}) > 1)
    try:
        fit = propensity(known, "focus", list(used), estimand=cohort.study.comparison.estimand)
    except (AnalysisError, ValueError):
        # Arms told apart completely have no overlap: that is an answer, and the report says it.
        return None
    event = str(cohort.causes_of("harm" if scale == "harm" else "retention")[1])
    totals = totals_of(known, cohort.groups)
    return Comparison(known, used, cohort.groups, fit, event, totals, left_out, cohort, scale, smallest)
