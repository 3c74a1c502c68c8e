"""Whether there is enough to analyse: the study's table, the cohort's people, those whom a competing end takes.

Without table or people an analysis returns an answer of its own. What competes with harm is told apart from it only
where enough people had it.
"""

from __future__ import annotations

__all__ = ["needs", "nobody", "told_apart"]

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


def told_apart(cohort: Cohort, rows: pd.DataFrame, smallest: int = 11) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return harm with the competing ends that may be told apart; rarer ones end what is known, as a cut does.

    A cause that few had is small in some group: disclosure control would have to withhold the group's whole curve. To
    censor a few deaths moves a share of harm by less than their own share.

    Parameters
    ----------
    cohort : Cohort
    rows : pandas.DataFrame
        Of `Cohort.harm`, or with its columns group and event.
    smallest : int, default 11
        Fewest people of each group who had it.

    Returns
    -------
    rows : pandas.DataFrame
        With event 0, 1 ... without gaps.
    causes : list of str
        Their names, harm first.
    notes : list of str
        Which ends are not told apart.
    """
    codes, names, few = {0: 0, 1: 1}, [cohort.study.harm.label], []
    for code, name in list(cohort.causes_of("harm").items())[1:]:
        had = [int(rows["event"].eq(code)[rows["group"].eq(group)].sum()) for group in cohort.groups]
        if min(had) >= max(smallest, 1):
            names.append(name)
            codes[code] = len(names)
        else:
            codes[code] = 0
            few.append(name)
    notes = [f"Of {name}, few or none in a group, only the end of follow-up is counted." for name in few]
    return rows.assign(event=rows["event"].map(codes).astype("int64")), names, notes
