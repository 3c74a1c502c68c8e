"""How each analysis' rows stand in a table: which columns, under which headings, written how."""

from __future__ import annotations

__all__ = ["benchmark_table", "difference_table", "table_of"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.disclosure import Safe
from evalkit.display._final_tables import TABLES
from evalkit.display._kinds import CURVES, DRAWN, INCIDENCES
from evalkit.display._numbers import NOT_SHOWN, between, count, decimal, interval, p_value, percent, points
from evalkit.display._panels import cause_in_words
from evalkit.display._tables import html_table
from evalkit.display._words import listed, words
from evalkit.errors import DisclosureError

Write = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: heading, and how a row is written in it."""

    heading: str
    write: Callable[[pd.Series], str]
    number: bool = True


def _text(name: str, heading: str) -> Column:
    return Column(heading, lambda row: str(row[name]), number=False)


def _number(name: str, heading: str, write: Write) -> Column:
    return Column(heading, lambda row: write(row[name]))


def _limits(low: str, high: str, *, share: bool, digits: int) -> Column:
    def write(row: pd.Series) -> str:
        return "" if row[low] == row[high] else interval(row[low], row[high], share=share, digits=digits)

    return Column("95% CI", write)


_SHARE = (
    _number("n_event", "People", count),
    _number("n", "Out of", count),
    _number("estimate", "Share", percent),
    _limits("conf_low", "conf_high", share=True, digits=0),
)
_MODEL = (
    Column("Term", lambda row: str(row["label"] if row.get("label") else row["term"]), number=False),
    _number("estimate", "Coefficient", lambda v: decimal(v, 3)),
    _number("hazard_ratio", "Hazard ratio", lambda v: decimal(v, 3)),
    _limits("hr_low", "hr_high", share=False, digits=3),
    _number("p_value", "p", p_value),
)
_AT_TIMES = (
    _text("group", "Group"),
    _number("time", "Day", count),
    _number("n_risk", "At risk", count),
    _number("estimate", "Share", percent),
    _limits("conf_low", "conf_high", share=True, digits=0),
)
_LAYOUTS: Mapping[str, tuple[Column, ...]] = {
    "attrition": (
        _text("label", "Step"),
        Column("Group", lambda row: "everyone" if row["group"] == "all" else str(row["group"]), number=False),
        _number("n", "Before", count),
        _number("n_event", "Remaining", count),
    ),
    "late_entry": (
        Column("Table", lambda row: str(row["group"]).capitalize(), number=False),
        _number("n", "Rows", count),
        _number("median", "Median days", count),
        Column("Middle half", lambda row: f"{count(row['lower_quartile'])} to {count(row['upper_quartile'])}"),
    ),
    "cox": _MODEL,
    "kaplan_meier": _AT_TIMES,
    "cumulative_incidence": (
        Column("Event", lambda row: _capital(cause_in_words(str(row["cause"]))), number=False),
        *_AT_TIMES,
    ),
    "balance": (
        _text("label", "Characteristic"),
        _number("smd", "Before weighting", decimal),
        _number("smd_weighted", "After weighting", decimal),
        _number("variance_ratio", "Variance ratio before", decimal),
        _number("variance_ratio_weighted", "Variance ratio after", decimal),
    ),
    "rmst": (
        _text("group", "Group"),
        _number("n", "People", count),
        _number("estimate", "Mean days", lambda v: decimal(v, 0)),
        _limits("conf_low", "conf_high", share=False, digits=0),
    ),
    "gray_test": (
        Column("Event", lambda row: _capital(cause_in_words(str(row["cause"]))), number=False),
        _number("statistic", "Chi-squared", decimal),
        _number("df", "Degrees of freedom", count),
        _number("p_value", "p", p_value),
    ),
    "proportion": (_text("label", "Measure"), _text("group", "Group"), *_SHARE),
}


_PUBLISHED = (
    _text("label", "Published figure"),
    Column("Published", lambda row: f"{row['about']}{percent(row['baseline'], 0 if row['about'] else 1)}"),
    _text("denominator", "Of whom"),
    _text("group", "Group here"),
    Column("Here", lambda row: f"{percent(row['here'], 1)} of\u00a0{count(row['n'])}"),
    Column("Difference, points (95% CI)", lambda row: _difference(row)),  # noqa: PLW0108 - defined below
)


def _difference(row: pd.Series) -> str:
    if row.get("about"):
        return "not computed"  # a difference from a figure that is itself 'about' would be false precision
    return f"{points(row['estimate'])} ({between(points(row['conf_low']), points(row['conf_high']))})"


def benchmark_table(rows: pd.DataFrame, note: str = "") -> str:
    """Return shares beside published ones as an HTML table.

    Parameters
    ----------
    rows : pandas.DataFrame
        From safe estimates: label, baseline, denominator, group, here, n, estimate (the difference), limits.
    note : str
        A line below the table.

    Returns
    -------
    str
    """
    return _written(rows, _PUBLISHED, note)


def _written(rows: pd.DataFrame, columns: Sequence[Column], note: str, groups: pd.Series[str] | None = None) -> str:
    texts = pd.DataFrame(
        {f"c{i}": [c.write(row) for _, row in rows.iterrows()] for i, c in enumerate(columns)}, dtype=object
    )
    if groups is not None:
        texts = texts.assign(part=groups.to_numpy())
    return html_table(
        texts,
        {f"c{i}": c.heading for i, c in enumerate(columns)},
        numbers=[f"c{i}" for i, c in enumerate(columns) if c.number],
        note=note,
        groups=None if groups is None else "part",
    )


_BY_LABEL = frozenset(
    {"funnel", "dose_distribution", "longest_gap", "returns", "completeness", "lost_to_follow_up", "engaged_by"}
    | {"attendance_rate", "dose_reached", "reach", "engaged_across", "trend"}
)
"""Analyses with a line for each label and a column for each group."""

_HEADED = frozenset({"engaged_across", "trend"})
"""Of these, those whose lines stand under the name of their variable."""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cell(row: pd.Series | None) -> str:
    """Write a share with its limits, and of how many people."""
    if row is None or not np.isfinite(row["estimate"]):
        return NOT_SHOWN
    limits = _in_brackets(row)
    if "n_event" in row:
        return f"{percent(row['estimate'])}{limits}; {count(row['n_event'])}\u00a0of\u00a0{count(row['n'])}"
    return f"{percent(row['estimate'])}{limits}; n\u00a0{count(row['n'])}"


def _in_brackets(row: pd.Series) -> str:
    return "" if row["conf_low"] == row["conf_high"] else f" ({interval(row['conf_low'], row['conf_high'])})"


def _wide(rows: pd.DataFrame, first: str, note: str, part: str = "") -> str:
    """Write one line for each label, one column for each group."""
    groups = list(dict.fromkeys(rows["group"].astype(str)))
    everybody = "share" in rows
    lines, parts = [], []
    for (head, label), own in rows.groupby([part or "label", "label"], sort=False):
        by_group = {str(row["group"]): row for _, row in own.iterrows()}
        texts = {"label": str(label)}
        for i, group in enumerate(groups):
            row = by_group.get(group)
            texts[f"c{i}"] = _cell(row)
            if everybody:
                texts[f"s{i}"] = percent(row["share"]) if row is not None else NOT_SHOWN
        lines.append(texts)
        parts.append(str(head))
    headings = {"label": first}
    for i, group in enumerate(groups):
        headings[f"c{i}"] = "All" if group == "all" else group
        headings |= {f"s{i}": "Of all referred"} if everybody else {}
    frame = pd.DataFrame(lines, dtype=object)
    frame = frame.assign(part=parts) if part else frame
    numbers = [name for name in headings if name.startswith("s")]
    note = " ".join(text for text in (words("note.referred") if everybody else "", note) if text)
    return html_table(frame, headings, numbers=numbers, note=note, groups="part" if part else None)


def _incomplete(rows: pd.DataFrame, note: str) -> tuple[pd.DataFrame, str]:
    """Leave out fields that everybody has, and name them in the note."""
    whole = rows.groupby("label", sort=False)["estimate"].transform("min").eq(1) & rows["estimate"].notna()
    whole &= ~rows.groupby("label", sort=False)["estimate"].transform(lambda values: values.isna().any())
    names = list(dict.fromkeys(rows.loc[whole, "label"]))
    said = words("table.complete", fields=listed(names)) if names else ""
    return (rows if whole.all() else rows[~whole]), " ".join(text for text in (said, note) if text)


_FIRST = {
    "funnel": "Step", "completeness": "Field", "reach": "From", "trend": "End of", "engaged_across": "People",
    "dose_distribution": "Sessions attended", "dose_reached": "Dose", "lost_to_follow_up": "What ended early",
    "longest_gap": "Longest gap", "returns": "Return",
}  # fmt: skip
"""What the first column says; for all others, what is measured."""


def difference_table(curve: Safe, differences: Safe, groups: Sequence[str], note: str = "") -> str:
    """Write a curve's values at given days in both groups, with their difference.

    Parameters
    ----------
    curve : Safe
        Survival curves or cumulative incidences.
    differences : Safe
        Their differences: (cause,) time, estimate, conf_low, conf_high.
    groups : sequence of str
        The focus, the comparison.
    note : str
        A line below the table.

    Returns
    -------
    str
    """
    rows, gaps = curve.landmark_rows(), differences.estimates.tidy()
    told = rows[~rows["estimate"].isin([0.0, 1.0])]  # before the first event there is nothing to compare
    rows = told if len(told) else rows
    keys = ["cause", "time"] if "cause" in rows else ["time"]
    lines, parts = [], []
    for key, own in rows.sort_values("time", kind="stable").groupby(keys, sort=False):
        by_group = {str(row["group"]): row for _, row in own.iterrows()}
        gap: pd.DataFrame = gaps.loc[(gaps[keys] == list(key)).all(axis=1)]
        texts = {"day": f"Day {count(own['time'].iloc[0])}"}
        for i, group in enumerate(groups):
            row = by_group.get(group)
            texts[f"c{i}"] = NOT_SHOWN if row is None else f"{percent(row['estimate'])}{_in_brackets(row)}"
        texts["gap"] = next((_difference(row) for _, row in gap.iterrows()), NOT_SHOWN)
        lines.append(texts)
        parts.append(_capital(cause_in_words(str(key[0]))) if "cause" in rows else "")
    frame = pd.DataFrame(lines, dtype=object).assign(part=parts)
    causes = dict.fromkeys(rows["cause"]) if "cause" in rows else []
    order = frame["part"].map({_capital(cause_in_words(str(cause))): i for i, cause in enumerate(causes)})
    frame = frame.assign(order=order).sort_values("order", kind="stable").drop(columns="order")
    headings = {"day": "When", **{f"c{i}": f"{g} (95% CI)" for i, g in enumerate(groups)}}
    headings["gap"] = "Difference, points (95% CI)"
    return html_table(frame, headings, numbers=["gap"], note=note, groups="part" if "cause" in rows else None)


_SAYS_WHOM = {"adjusted_effects", "balance", "e_value", "sensitivity"}
"""Tables of fewer people than the ones before them: the same word there is another number here."""
_SCALES = {
    "cohort": "Who is in the study",
    "initiation": "Who is followed from referral to a first session",
    "retention": "Who is followed from a first session on",
    "harm": "Who is followed for harm",
}


def _attrition(rows: pd.DataFrame, columns: Sequence[Column], note: str) -> str:
    """Write the steps of the cohort for everybody, those of each time scale by group."""
    own = rows[(rows["variable"] == "cohort") | (rows["group"] != "all")]
    return _written(own, columns, note, groups=own["variable"].map(lambda name: _SCALES.get(name, name)))


def _model_note(safe: Safe) -> str:
    facts = safe.estimates.summary
    said = f"The model describes {count(facts.get('n'))} people with {count(facts.get('n_event'))} events (rounded)."
    return " ".join([said, *safe.estimates.notes])


def table_of(safe: Safe, note: str = "") -> str:
    """Return an estimate as an HTML table.

    Parameters
    ----------
    safe : Safe
    note : str
        A line below the table, before the note on what is not shown.

    Returns
    -------
    str

    Raises
    ------
    AnalysisError
        If there is no layout for the analysis.
    """
    kind = safe.estimates.kind
    whom = words("note.whom", whom=safe.estimates.population) if kind in _SAYS_WHOM else ""
    said = " ".join(text for text in (whom, note, safe.note) if text)
    if kind in TABLES:
        return TABLES[kind](safe, said)
    if kind in _BY_LABEL:
        rows = safe.estimates.tidy()
        rows = rows[rows["n"] != 0]  # a step whose time is over for nobody
        if kind == "completeness":
            rows, said = _incomplete(rows, said)
        if kind == "trend":
            return _wide(rows.assign(variable=rows["label"], label=rows["period"]), _FIRST[kind], said, "variable")
        return _wide(rows, _FIRST.get(kind, "Measure"), said, "variable" if kind in _HEADED else "")
    layout = _LAYOUTS.get(kind)
    if layout is None:
        instead = "show it as a figure" if kind in DRAWN else "say it with report.say, or show another analysis"
        msg = f"report.show: there is no table layout for '{kind}'; {instead}"
        raise DisclosureError(msg)
    rows = safe.landmark_rows() if kind in CURVES | INCIDENCES else safe.estimates.tidy()
    if kind == "attrition":
        return _attrition(rows, layout, note)
    if kind == "balance":
        said = f"{words('note.balance')} {said}".strip()
    if kind == "cox":
        said = " ".join(text for text in (note, _model_note(safe), safe.note) if text)
    return _written(rows, layout, said)
