"""Models of one's own formula: of the time to an event, or of a step of the funnel.

Before a model may be shown, disclosure control looks at how many people stand behind it: in each arm, at each level,
and at each column of its design, so that neither ``I(age > 63)`` nor a product of two levels speaks of few.
"""

from __future__ import annotations

__all__ = ["cox", "logistic"]

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.analyses._funnel import STEPS, steps
from evalkit.analyses._model import EVENTS_PER_TERM, followed
from evalkit.cohort import SCALES, Cohort, Scale
from evalkit.counts import Tally, totals_of
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates, nothing
from evalkit.levels import joined
from evalkit.stats import cox as fit_cox
from evalkit.stats import logistic as fit_logistic
from evalkit.stats.design import Design, design_matrix

_PLACES = ("site", "community_area", "referral_source")
_TABLE: dict[Scale, str] = {"initiation": "sessions", "retention": "sessions", "harm": "outcomes"}
_ONE_PERSON = 0.5  # of a term's sum of squares; as `dominance` of sums
_FEW = f"There are fewer than {EVENTS_PER_TERM} events for each term: ratios may be too far from 1."
_LEFT_OUT = "People without a value for every term are left out of the model."


def cox(cohort: Cohort, formula: str, *, smallest: int = 11, conf_level: float = 0.95) -> Estimates:
    """Fit a Cox model of one's own formula to one of the study's time scales.

    Parameters
    ----------
    cohort : Cohort
    formula : str
        ``scale ~ terms``, as formulaic reads it: ``"retention ~ group * age + employment"``. The scale is
        ``initiation`` (first session), ``retention`` (disengagement) or ``harm``, other ends censored; terms are of
        ``group`` (the focus against the comparison), the protocol's covariates, and places. An interaction ``a:b``
        stands beside its main effects.
    smallest : int, default 11
        Levels at which fewer people had the event, or did not, are joined with the next smallest one (where there is
        an interaction: in either arm).
    conf_level : float, default 0.95

    Returns
    -------
    CoxFit
        As `evalkit.stats.cox`, Efron's ties, with counts that say whether it may be shown; nothing where its table is
        missing.

    Raises
    ------
    AnalysisError
        If the formula names what there is not, a term is not identified or hangs on one person, or there is no event.

    Examples
    --------
    >>> from evalkit.analyses import cox
    >>> cox(cohort, "retention ~ group + age").tidy()[["term", "hazard_ratio"]].round(3)
                              term  hazard_ratio
    0  group[T.Non-mandated pilot]         0.749
    1                          age         0.986
    """
    scale, right = _sides(formula, SCALES, "cox")
    known_scale: Scale = scale  # type: ignore[assignment]  # one of SCALES
    if not cohort.has(_TABLE[known_scale]):
        return nothing("absent.table", "a model of one's own", table=_TABLE[known_scale])
    frame: pd.DataFrame = getattr(cohort, scale)()
    frame = frame.assign(event=frame["event"].eq(1).astype("int64"))
    known, left_out = _complete(cohort, frame, right, smallest, "cox")
    design = design_matrix(known, right)
    counts = _counts(known, cohort.groups, design)
    fit = fit_cox(known, "time", "event", right, conf_level=conf_level)
    event = cohort.causes_of(known_scale)[1]
    population = {"initiation": "all referred", "retention": "people with a first session"}.get(scale, "")
    return replace(
        fit,
        view="own_model",
        estimand=f"log hazard ratio of {event}, given the other terms",
        population=population or followed(cohort),
        cut=cohort.cut,
        notes=(*fit.notes, *_notes(known, design, left_out=left_out)),
        counts=counts,
        asked={"question": "cox", "formula": _plain(formula)},
    )


def logistic(cohort: Cohort, formula: str, *, smallest: int = 11, conf_level: float = 0.95) -> Estimates:
    """Fit a logistic model of one's own formula to a step of the funnel.

    Parameters
    ----------
    cohort : Cohort
    formula : str
        ``step ~ terms``: ``"engaged ~ group + age + group:age"``. The step is intake, first_session, engaged,
        half_dose, dose or completed, of everybody whose time for it is over; terms as in `cox`.
    smallest, conf_level
        As in `cox`.

    Returns
    -------
    LogisticFit
        As `evalkit.stats.logistic`; see `cox`.

    Raises
    ------
    AnalysisError
        As `cox`.

    Examples
    --------
    >>> from evalkit.analyses import logistic
    >>> logistic(cohort, "engaged ~ group + age").tidy()[["term", "odds_ratio"]].round(3)
                              term  odds_ratio
    0  group[T.Non-mandated pilot]       1.318
    1                          age       1.046
    """
    step, right = _sides(formula, STEPS, "logistic")
    if not cohort.has("sessions"):
        return nothing("absent.table", "a model of one's own", table="sessions")
    people = steps(cohort)
    able = people[f"can_{step}"].to_numpy(dtype=bool)
    frame = people.assign(event=people[f"did_{step}"].astype("int64"))[able].reset_index(drop=True)
    known, left_out = _complete(cohort, frame, right, smallest, "logistic")
    design = design_matrix(known, right)
    counts = _counts(known, cohort.groups, design)
    fit = fit_logistic(known, "event", right, conf_level=conf_level)
    return replace(
        fit,
        estimand=f"log odds ratio of the step '{step.replace('_', ' ')}', given the other terms",
        population="people whose time for the step is over",
        cut=cohort.cut,
        notes=(*fit.notes, *_notes(known, design, left_out=left_out)),
        counts=counts,
        asked={"question": "logistic", "formula": _plain(formula)},
    )


def _sides(formula: str, lefts: Sequence[str], what: str) -> tuple[str, str]:
    """Split a formula at its tilde; the left side is one of a few words."""
    left, tilde, right = (part.strip() for part in formula.partition("~"))
    if not tilde or not right or left not in lefts:
        near = did_you_mean(left, lefts) if tilde else ""
        msg = f"{what}: a formula is 'left ~ terms', its left side one of {', '.join(lefts)}{near}"
        raise AnalysisError(msg)
    return left, right


def _plain(formula: str) -> str:
    """Return a formula without spaces: how it is typed asks no other question."""
    return "".join(formula.split())


def _complete(cohort: Cohort, frame: pd.DataFrame, right: str, smallest: int, what: str) -> tuple[pd.DataFrame, bool]:
    """Return the people who have a value for every term, levels joined; and whether that leaves anybody out."""
    names = _variables(right, what)
    arms, study = cohort.study.arms, cohort.study
    allowed = ["group", arms.column, *cohort.covariates, *_PLACES]
    for name in names:
        if name not in allowed or name not in frame.columns:
            msg = f"{what}: '{name}' is none of {', '.join(dict.fromkeys(allowed))}{did_you_mean(name, allowed)}"
            raise AnalysisError(msg)
    known = frame.dropna(subset=list(names)).reset_index(drop=True)
    had = known["event"].eq(1)
    # Of an interaction each level is asked in each arm, so in each it needs its people.
    by = (had, known["group"]) if {"*", ":"} & set(right) else (had,)
    ordered = {c.name: c.levels or () for c in study.covariates}
    focus = {"group": (arms.comparison.label, arms.focus.label), arms.column: (arms.comparison.value, arms.focus.value)}
    for name in names:
        if name in focus:
            known[name] = pd.Categorical(known[name], categories=list(focus[name]))
        elif not pd.api.types.is_numeric_dtype(known[name].dtype):
            known[name] = joined(known[name], by, max(smallest, 1), ordered.get(name, ()))
    # Once more: an arm's column may hold values that belong to neither arm.
    return known.dropna(subset=list(names)).reset_index(drop=True), len(known) < len(frame)


def _variables(right: str, what: str) -> tuple[str, ...]:
    """Return the columns that the right side of a formula uses."""
    from formulaic import Formula  # noqa: PLC0415 - slow to import
    from formulaic.errors import FormulaicError  # noqa: PLC0415

    try:
        return tuple(sorted(str(name) for name in Formula(right).required_variables))
    except (FormulaicError, TypeError, ValueError, SyntaxError) as error:
        msg = f"{what}: formula '{right}' cannot be read: check its operators, brackets and functions"
        raise AnalysisError(msg) from error


def _notes(known: pd.DataFrame, design: Design, *, left_out: bool) -> list[str]:
    events = int(known["event"].sum())
    # The scarcer side decides: of a frequent step those without it carry the information.
    fewer = min(events, len(known) - events) < EVENTS_PER_TERM * len(design.terms)
    return [*([_FEW] if fewer else []), *([_LEFT_OUT] if left_out else [])]


def _counts(known: pd.DataFrame, groups: tuple[str, str], design: Design) -> Tally:
    """Count people and events in each arm, at each level, and at each column of the design."""
    arms = totals_of(known, groups, named=True)
    had = known["event"].eq(1).to_numpy()
    rows = [
        {"group": "everybody", "term": term, "n_event": int((had & own).sum()), "n": int(own.sum())}
        for term, own in (*_levels(known, design), *_columns(design))
    ]
    frame = pd.concat([arms.data, pd.DataFrame(rows)], ignore_index=True)
    return Tally(frame, people=(*arms.people, *({} for _ in rows)))


def _levels(known: pd.DataFrame, design: Design) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    for name, levels in design.levels.items():
        for level in levels:
            yield f"{name}[{level}]", known[name].astype(str).eq(level).to_numpy(dtype=bool)


def _columns(design: Design) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """Yield the people whom a column of the design tells apart: those off its usual value, and of two values both.

    Of a quantity nearly everybody is off the usual value; of an indicator, or of a product with one, those who have it.
    """
    for column, term in zip(design.matrix.T, design.terms, strict=True):
        values, counts = np.unique(column, return_counts=True)
        usual = column == values[counts.argmax()]
        square = (column - column.mean()) ** 2
        if square.max() > _ONE_PERSON * square.sum():
            msg = f"the term '{term}' hangs on one person; leave it out, or make classes of it"
            raise AnalysisError(msg)
        # The bracket makes `any_small` hold it to the minimum of levels.
        named = term.replace("[T.", "[", 1) if "[" in term else f"{term}[other]"
        yield named, ~usual
        if len(values) == 2:
            yield f"{term}[usual]", usual
