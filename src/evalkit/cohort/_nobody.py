"""What an analysis returns where there is nothing to analyse: a study without its table, a cohort without people."""

from __future__ import annotations

__all__ = ["needs", "nobody"]

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import pandas as pd

from evalkit.cohort._cohort import Cohort
from evalkit.counts import Tally
from evalkit.estimates import Estimates, nothing

Question = TypeVar("Question", bound=Callable[..., Estimates])


def needs(table: str, what: str) -> Callable[[Question], Question]:
    """Let a question be answered with `evalkit.estimates.nothing` where the study lacks a table.

    Parameters
    ----------
    table : str
        The table it needs.
    what : str
        What cannot be reported without it: ``retention``.

    Returns
    -------
    callable
        A decorator.
    """

    def decorate(question: Question) -> Question:
        @functools.wraps(question)
        def asked(cohort: Cohort, *args: Any, **kwargs: Any) -> Estimates:  # noqa: ANN401 - the question's own
            if not cohort.has(table):
                return nothing("absent.table", what, table=table)
            return question(cohort, *args, **kwargs)

        return cast("Question", asked)

    return decorate


def nobody(
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
    data = pd.DataFrame(columns=columns).astype(dict.fromkeys(set(columns) & {"estimate", "q"}, "float64"))
    counts = Tally(pd.DataFrame(columns=["group", "term", "n_event", "n"]))
    made = Estimates(data, kind, estimand, population=population, cut=cohort.cut, counts=counts, view=view)
    return made.about(asked={"question": question})
