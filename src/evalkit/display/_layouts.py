"""How each analysis' rows stand in a table: which columns, under which headings, written how."""

from __future__ import annotations

__all__ = ["benchmark_table", "table_of"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from evalkit.disclosure import Safe
from evalkit.display._kinds import CURVES
from evalkit.display._numbers import count, decimal, interval, p_value, percent, points
from evalkit.display._tables import html_table
from evalkit.errors import AnalysisError

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
        _number("n_event", "Left", count),
    ),
    "funnel": (_text("group", "Group"), *_SHARE, _number("share", "Of all referred", percent)),
    **dict.fromkeys(
        (
            "completion",
            "dose_distribution",
            "longest_gap",
            "returns",
            "completeness",
            "lost_to_follow_up",
            "engaged_by",
        ),
        (_text("group", "Group"), *_SHARE),
    ),
    **dict.fromkeys(
        ("attendance_rate", "dose_reached"),
        (
            _text("group", "Group"),
            _number("n", "People", count),
            _number("estimate", "Mean", percent),
            _limits("conf_low", "conf_high", share=True, digits=0),
        ),
    ),
    "late_entry": (
        Column("Table", lambda row: str(row["group"]).capitalize(), number=False),
        _number("n", "Rows", count),
        _number("median", "Median days", count),
        Column("Middle half", lambda row: f"{count(row['lower_quartile'])} to {count(row['upper_quartile'])}"),
    ),
    "cox": _MODEL,
    "kaplan_meier": _AT_TIMES,
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
    if row["about"]:
        return "not computed"  # a difference from a figure that is itself 'about' would be false precision
    return f"{points(row['estimate'])} ({points(row['conf_low'])}\u00a0to\u00a0{points(row['conf_high'])})"


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
    | {"completion", "attendance_rate", "dose_reached"}
)
"""Analyses whose rows are headed by what they say, with a line for each group."""

_SCALES = {
    "cohort": "Who is in the study",
    "initiation": "Who is followed from referral to a first session",
    "retention": "Who is followed from a first session on",
    "harm": "Who is followed for harm from intake on",
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
    layout = _LAYOUTS.get(safe.estimates.kind)
    if layout is None:
        msg = f"there is no table layout for '{safe.estimates.kind}'; there are: {', '.join(sorted(_LAYOUTS))}"
        raise AnalysisError(msg)
    rows = safe.landmark_rows() if safe.estimates.kind in CURVES else safe.estimates.tidy()
    if safe.estimates.kind == "attrition":
        return _attrition(rows, layout, note)
    if safe.estimates.kind in _BY_LABEL:
        rows = rows[rows["n"] != 0]  # a step whose time is over for nobody
        return _written(rows, layout, " ".join(s for s in (note, safe.note) if s), groups=rows["label"])
    if safe.estimates.kind == "cox":
        note = " ".join([note, _model_note(safe)]).strip()
    columns = [c for c in layout if c.heading != "Of all referred" or "share" in rows]
    return _written(rows, columns, " ".join(said for said in (note, safe.note) if said))
