"""Any result in plain columns and one plain sentence: what a family that says more does not need."""

from __future__ import annotations

__all__ = ["plain_numbers", "plain_sentence", "plain_table"]

from collections.abc import Sequence

import pandas as pd

from evalkit.estimates import Estimates
from evalkit.glossary import COLUMNS
from evalkit.views._tables import html_table
from evalkit.words import count, decimal, interval, listed, p_value, translated, words

_DIGITS = 3
_NAMED = ("label", "term", "contrast", "measure", "cause", "method", "period", "group")
_HEADED = (*_NAMED, "time", "tau", "q", "n", "n_event", "estimate", "hazard_ratio", "statistic", "df", "p_value", "aic")
_LIMITS = (("conf_low", "conf_high", "estimate"), ("hr_low", "hr_high", "hazard_ratio"))


def plain_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the digits that the plain table writes."""
    numbers = [name for name in rows.columns if COLUMNS[str(name)].kind == "number"]
    # The file beside a table holds no digit more than the table.
    return rows.round(dict.fromkeys(numbers, _DIGITS))


def plain_table(rows: pd.DataFrame, note: str = "") -> str:
    """Write rows as a table, a line below it: names, numbers and limits, in the order of the glossary."""
    shown = [name for name in _HEADED if name in rows and rows[name].notna().any()]
    # A label says what its term is; the term is for programs, and stays in the data file.
    if "label" in shown and "term" in shown:
        shown.remove("term")
    limits = {value: (low, high) for low, high, value in _LIMITS if value in shown and {low, high} <= {*rows.columns}}
    texts, headings = {}, {}
    for name in shown:
        texts[name] = [_cell(name, value) for value in rows[name]]
        headings[name] = words(f"column.{name}")
        if name in limits:
            ends = zip(*(rows[end] for end in limits[name]), strict=True)
            texts[f"{name}_ci"] = [interval(a, b, share=False, digits=_DIGITS) for a, b in ends]
            headings[f"{name}_ci"] = words("column.ci")
    numbers = [name for name in headings if name not in _NAMED]
    return html_table(pd.DataFrame(texts, dtype=object), headings, numbers=numbers, note=note)


def _cell(name: str, value: object) -> str:
    if COLUMNS[name].kind == "text":
        return "" if pd.isna(value) else str(value)  # type: ignore[call-overload]
    number = float(value)  # type: ignore[arg-type]
    if name == "p_value":
        return p_value(number)
    whole = COLUMNS[name].kind == "count" or name in {"time", "tau", "df"}
    return count(number) if whole else decimal(number, _DIGITS)


def plain_sentence(estimates: Estimates, groups: Sequence[str]) -> str:
    """Say each row (in the order of the groups, others after them): of what, how large, with its limits or its p value.

    Empty where no row has a number.
    """
    rows = estimates.tidy()
    value = next((name for name in ("estimate", "statistic", "aic") if name in rows), None)
    if value is None:
        return ""
    rows = rows.dropna(subset=[value])
    place = {group: i for i, group in enumerate(groups)}
    if "group" in rows:
        rows = rows.sort_values("group", key=lambda own: own.map(lambda g: place.get(g, len(place))), kind="stable")
    said = [_said(row, value) for _, row in rows.iterrows()]
    what = estimates.estimand[:1].upper() + estimates.estimand[1:]
    return words("plain.said", what=what, values=listed(said)) if said else ""


def _said(row: pd.Series, value: str) -> str:
    told = {
        name: translated(str(row[name]))
        for name in _NAMED
        if name in row and pd.notna(row[name]) and row[name] not in {"", "all"}
    }
    if "label" in told:  # it says what the term is
        told.pop("term", None)
    text = f"{', '.join(told.values())}: {decimal(row[value], _DIGITS)}" if told else decimal(row[value], _DIGITS)
    if value == "estimate" and {"conf_low", "conf_high"} <= set(row.index) and pd.notna(row["conf_low"]):
        return f"{text} ({interval(row['conf_low'], row['conf_high'], share=False, digits=_DIGITS)})"
    return f"{text} (p {p_value(row['p_value'])})" if "p_value" in row and pd.notna(row["p_value"]) else text
