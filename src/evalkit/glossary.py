"""The columns a result may have: name, type, unit, one line each.

One glossary for every result (the idea is broom's, in R): a reader who knows what ``conf_low`` means in
one table knows it in all. `check` holds a result to it.
"""

from __future__ import annotations

__all__ = ["COLUMNS", "NOT_RECORDED", "Column", "check", "describe"]

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from evalkit.errors import AnalysisError, did_you_mean

NOT_RECORDED = "not recorded"
"""The level, in ``term``, of people of whom a characteristic is not known."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the glossary.

    Attributes
    ----------
    name : str
        As it stands in the frame.
    kind : {"text", "number", "count", "date"}
        What its values are. A ``count`` is a number of people, events or sessions: disclosure
        control acts on counts, so a column of them must be called one.
    unit : str
        Unit of its values, empty when there is none.
    meaning : str
        One line.
    """

    name: str
    kind: str
    unit: str
    meaning: str


_ROWS = (
    ("group", "text", "", "the group the row speaks of (an arm, a site); “all” when there is one"),
    ("contrast", "text", "", "the comparison, as 'A - B' or 'A / B', the reference last"),
    ("term", "text", "", "a model's term, a step of the funnel, or the level of a variable"),
    ("label", "text", "", "the term in the words of the report"),
    ("variable", "text", "", "the variable a level belongs to"),
    ("cause", "text", "", "the cause of the event, where several compete"),
    ("state", "text", "", "the state in which people are, of those between which they move"),
    ("method", "text", "", "the method that made the row"),
    ("measure", "text", "", "what is measured, where a table holds several measures"),
    ("verdict", "text", "", "a diagnostic's answer: pass, warn, fail or unknown"),
    ("sentence", "text", "", "the sentence a report prints for the row"),
    ("source", "text", "", "where a published figure comes from"),
    ("estimate_id", "text", "", "name of the row's estimate, as in the manifest: another name is another question"),
    ("period", "text", "", "a quarter or month the row speaks of"),
    ("time", "number", "days", "time since the origin of the scale"),
    ("time_from", "number", "days", "start of an interval of time, excluded"),
    ("tau", "number", "days", "horizon of a restricted mean"),
    ("q", "number", "", "the quantile's level"),
    ("n", "count", "people", "people (or rows) the estimate is about: the denominator"),
    ("n_risk", "count", "people", "at risk just before the time: entry < time <= end"),
    ("n_event", "count", "events", "events (of the cause) at the time, or in all"),
    ("n_censor", "count", "people", "censored at the time"),
    ("n_entry", "count", "people", "entering after the time"),
    ("expected", "number", "events", "events expected if the groups were equal"),
    ("n_excluded", "count", "people", "left out at a step of eligibility"),
    ("n_missing", "count", "people", "without a value"),
    ("n_session", "count", "sessions", "sessions"),
    ("w_risk", "number", "", "weighted number at risk"),
    ("w_event", "number", "", "weighted number of events"),
    ("w_censor", "number", "", "weighted number censored"),
    ("estimate", "number", "", "the estimate, on the scale the estimand names"),
    ("std_error", "number", "", "standard error of the estimate"),
    ("statistic", "number", "", "test statistic"),
    ("df", "number", "", "degrees of freedom"),
    ("p_value", "number", "", "two-sided p value unless the method says otherwise; published: 0 if below 0.001"),
    ("conf_low", "number", "", "lower confidence limit"),
    ("conf_high", "number", "", "upper confidence limit"),
    ("sim_low", "number", "", "lower simultaneous (whole-curve) confidence limit"),
    ("sim_high", "number", "", "upper simultaneous (whole-curve) confidence limit"),
    ("share", "number", "", "share of all referred, or with the value that others are compared with (0 to 1)"),
    ("mean", "number", "", "mean"),
    ("std_dev", "number", "", "standard deviation"),
    ("median", "number", "", "median"),
    ("lower_quartile", "number", "", "first quartile"),
    ("upper_quartile", "number", "", "third quartile"),
    ("hazard_ratio", "number", "", "exp of a log hazard ratio"),
    ("hr_low", "number", "", "lower limit of the hazard ratio"),
    ("hr_high", "number", "", "upper limit of the hazard ratio"),
    ("odds_ratio", "number", "", "exp of a log odds ratio"),
    ("or_low", "number", "", "lower limit of the odds ratio"),
    ("or_high", "number", "", "upper limit of the odds ratio"),
    ("baseline", "number", "", "the published value the estimate is set beside"),
    ("baseline_n", "count", "people", "the published value's denominator"),
    ("aic", "number", "", "Akaike's information criterion"),
    ("log_likelihood", "number", "", "log-likelihood (partial, for Cox)"),
    ("concordance", "number", "", "Harrell's concordance"),
    ("smd", "number", "SD", "standardised mean difference"),
    ("smd_weighted", "number", "SD", "standardised mean difference after weighting"),
    ("variance_ratio", "number", "", "ratio of variances, focus over comparison"),
    ("variance_ratio_weighted", "number", "", "ratio of variances after weighting"),
    ("effective_sample_size", "number", "people", "Kish's effective sample size of the weights"),
    ("score_from", "number", "", "lower end of a class of preference scores"),
    ("score_to", "number", "", "upper end of a class of preference scores"),
    ("e_value", "number", "", "VanderWeele and Ding's E-value"),
)

COLUMNS: dict[str, Column] = {row[0]: Column(*row) for row in _ROWS}


def check(frame: pd.DataFrame, where: str) -> None:
    """Hold a result's columns to the glossary.

    Parameters
    ----------
    frame : pandas.DataFrame
        The result.
    where : str
        The analysis, for the message.

    Raises
    ------
    AnalysisError
        If a column is not in the glossary, or its values are of another type than it says.
    """
    for name in frame.columns:
        column = COLUMNS.get(str(name))
        if column is None:
            msg = f"{where}: result column '{name}' is not in evalkit.glossary{did_you_mean(str(name), COLUMNS)}"
            raise AnalysisError(msg)
        numeric = pd.api.types.is_numeric_dtype(frame[name].dtype)
        if column.kind in {"number", "count"} and not numeric:
            msg = f"{where}: result column '{name}' must be numeric, it is {frame[name].dtype}"
            raise AnalysisError(msg)


def describe(names: Iterable[str]) -> pd.DataFrame:
    """Return the glossary's lines for some columns.

    Parameters
    ----------
    names : iterable of str
        Column names, each in the glossary.

    Returns
    -------
    pandas.DataFrame
        Columns name, kind, unit, meaning; one row per name.

    Examples
    --------
    >>> describe(["n_risk"])["unit"].item()
    'people'
    """
    chosen = [COLUMNS[name] for name in names]
    return pd.DataFrame(
        [(c.name, c.kind, c.unit, c.meaning) for c in chosen], columns=["name", "kind", "unit", "meaning"]
    )
