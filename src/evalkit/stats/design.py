"""Covariates to a design matrix: from a list of columns or a formula."""

from __future__ import annotations

__all__ = ["Design", "design_matrix"]

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalkit.errors import AnalysisError
from evalkit.stats._columns import Floats, column, group_column, number_column

# The information holds squares of covariates: above it they would overflow in silence, and the fit be called singular.
LARGEST = 1e100
COLLINEAR = 1e-11  # share of a covariate that those before it do not explain; R's coxph draws the line at 1.8e-12


@dataclass(frozen=True)
class Design:
    """A design matrix without intercept.

    Attributes
    ----------
    matrix : (n, p)
    terms : tuple of str
        Names of the columns; a level of a categorical column is 'column[level]'.
    parts : tuple of (str, tuple of int)
        Each covariate with the positions of its columns.
    levels : mapping of str to tuple of str
        Of columns that stand as indicators: their levels, in order.
    """

    matrix: Floats
    terms: tuple[str, ...]
    parts: tuple[tuple[str, tuple[int, ...]], ...]
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def design_matrix(data: pd.DataFrame, covariates: str | Sequence[str]) -> Design:
    """Return the design matrix of some covariates.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
    covariates : str or sequence of str
        Columns (text and categorical ones as indicators, the first level left out), or a formula as
        formulaic reads it, such as ``"age + C(site) + age:prior"``.

    Returns
    -------
    Design

    Raises
    ------
    AnalysisError
        Naming a column that is missing, has missing values, does not vary, or is a linear combination of
        the others, or a formula that cannot be read.
    """
    # a column may be named like a formula, 'age (years)': what stands in the data is meant
    if isinstance(covariates, str) and covariates not in data.columns and _is_formula(covariates):
        design = _from_formula(data, covariates)
    else:
        names = [covariates] if isinstance(covariates, str) else list(covariates)
        if not names:
            msg = "covariates must name at least one column"
            raise AnalysisError(msg)
        design = _from_columns(data, names)
    _check_size(design)
    _check_rank(design)
    return design


def _is_formula(text: str) -> bool:
    return any(mark in text for mark in "~+*:()")


def _from_columns(data: pd.DataFrame, names: list[str]) -> Design:
    blocks: list[Floats] = []
    terms: list[str] = []
    parts: list[tuple[str, tuple[int, ...]]] = []
    known: dict[str, tuple[str, ...]] = {}
    for name in names:
        values = column(data, name)
        if pd.api.types.is_numeric_dtype(values.dtype):
            block, labels = number_column(data, name)[:, None], [name]
        else:
            groups = group_column(data, name)
            levels = np.arange(1, len(groups.labels))
            block = (groups.codes[:, None] == levels[None, :]).astype(np.float64)
            labels = [f"{name}[{level}]" for level in groups.labels[1:]]
            known[name] = groups.labels
        if not labels:
            msg = f"column '{name}' does not vary: it cannot be a covariate"
            raise AnalysisError(msg)
        parts.append((name, tuple(range(len(terms), len(terms) + len(labels)))))
        blocks.append(block)
        terms += labels
    return Design(np.hstack(blocks), tuple(terms), tuple(parts), known)


def _from_formula(data: pd.DataFrame, text: str) -> Design:
    from formulaic import Formula  # noqa: PLC0415 - slow to import
    from formulaic.errors import FormulaicError  # noqa: PLC0415

    right = text.rsplit("~", maxsplit=1)[-1].strip()
    try:
        formula = Formula(right)
        used: dict[str, pd.Series] = {}
        for name in sorted(str(v) for v in formula.required_variables):
            own = column(data, name)
            if pd.api.types.is_float_dtype(own.dtype):
                # infinite values are refused by their column's name, before a function in the formula hides them
                number_column(data, name)
            if isinstance(own.dtype, pd.CategoricalDtype):  # a level nobody has is no term, as in a list of columns
                used[name] = own.cat.remove_unused_categories()
        # log(0) and the like come out as values that are not finite, which `_check_size` refuses by name
        with np.errstate(all="ignore"):
            matrix = formula.get_model_matrix(data.assign(**used), na_action="raise")
    except AnalysisError:
        raise
    except (FormulaicError, TypeError, ValueError) as error:
        # its own words can quote a value of the data
        msg = f"formula '{text}' cannot be read or computed: check its operators, brackets and functions"
        raise AnalysisError(msg) from error
    spec = matrix.model_spec
    kept = [i for i, name in enumerate(matrix.columns) if name != "Intercept"]
    if not kept:
        msg = f"formula '{text}' has no covariates"
        raise AnalysisError(msg)
    where = {old: new for new, old in enumerate(kept)}
    parts = tuple(
        (str(term), tuple(where[i] for i in at if i in where))
        for term, at in spec.term_indices.items()
        if any(i in where for i in at)
    )
    values = np.asarray(matrix, dtype=np.float64)[:, kept]
    terms = tuple(str(matrix.columns[i]) for i in kept)
    names = sorted(str(v) for v in formula.required_variables)
    known = {v: group_column(data, v).labels for v in names if any(_is_indicator(term, v) for term in terms)}
    return Design(values, terms, parts, known)


def _is_indicator(term: str, name: str) -> bool:
    """Say whether a column of a formula's matrix stands for a level of a variable."""
    return re.search(rf"(?:^|:)(?:C\()?{re.escape(name)}(?:\)|,[^\[]*)?\[", term) is not None


def _check_size(design: Design) -> None:
    """Refuse values whose squares are not numbers, before anything overflows."""
    largest = np.abs(design.matrix).max(axis=0)
    wrong = np.flatnonzero(~(largest < LARGEST))
    if len(wrong):
        msg = f"covariate '{design.terms[wrong[0]]}' has values that are not finite, or above {LARGEST:g}"
        raise AnalysisError(msg)


def _check_rank(design: Design) -> None:
    centred = design.matrix - design.matrix.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    scale = np.sqrt((design.matrix**2).sum(axis=0))
    # a column that varies by so small a share of its size varies by rounding error
    flat = np.flatnonzero(size <= 1e-10 * np.maximum(scale, 1e-300))
    if len(flat):
        msg = f"covariate '{design.terms[flat[0]]}' does not vary: its effect is not identified"
        raise AnalysisError(msg)
    # of standardised columns, so that the line is drawn at a share, whatever the units
    gram = (centred / size).T @ (centred / size)
    for j in range(1, len(size)):
        # in the order given: the later of two that say the same is named, which the reader can leave out
        solved = np.linalg.lstsq(gram[:j, :j], gram[:j, j], rcond=None)[0]
        if 1.0 - gram[:j, j] @ solved < COLLINEAR:
            msg = (
                f"covariate '{design.terms[j]}' is a linear combination of the covariates before it: "
                "its effect is not identified"
            )
            raise AnalysisError(msg)
