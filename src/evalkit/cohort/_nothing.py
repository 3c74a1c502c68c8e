"""Estimates of nobody: what an analysis returns where there is no one to analyse."""

from __future__ import annotations

__all__ = ["nothing"]

import pandas as pd

from evalkit.cohort._cohort import Cohort
from evalkit.counts import Tally
from evalkit.estimates import Estimates


def nothing(
    cohort: Cohort, kind: str, estimand: str, columns: list[str], population: str, question: str = "", view: str = ""
) -> Estimates:
    """Return an estimate of nobody.

    Parameters
    ----------
    cohort : Cohort
    kind, estimand : str
        Of the analysis.
    columns : list of str
        Of its result.
    population : str
        Of whom it would be.
    question : str
        Name of the question that has no answer; see `Estimates.asked`.
    view : str
        The family that would show it, where it is not the plain one.

    Returns
    -------
    Estimates
        Without rows.
    """
    data = pd.DataFrame(columns=columns).astype(dict.fromkeys(set(columns) & {"estimate"}, "float64"))
    nobody = Tally(pd.DataFrame(columns=["group", "term", "n_event", "n"]))
    made = Estimates(data, kind, estimand, population=population, cut=cohort.cut, counts=nobody, view=view)
    return made.about(asked={"question": question})
