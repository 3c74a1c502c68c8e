"""Values that a report would name but cannot show: found when the tables are opened, not after a whole run."""

from __future__ import annotations

__all__ = ["letters"]

from dataclasses import replace

from evalkit.intake._cut import fetch
from evalkit.intake._data import StudyData, kept_in
from evalkit.intake._findings import Finding, finding
from evalkit.intake._read import ROW
from evalkit.intake._spec import table_spec
from evalkit.letters import unshown


def letters(data: StudyData) -> list[Finding]:
    """Find values that hold letters which the reports' fonts do not have.

    Returns
    -------
    list of Finding
        About the columns whose values reports name: those of participants that divide people, but for the arms', which
        have labels.
    """
    if not data.has("participants"):
        return []
    table, found = kept_in(data.study, "participants", data.table("participants")), []
    for column in table_spec(data.study, "participants").columns:
        name = column.name
        if column.kind != "text" or name == data.study.arms.column:
            continue
        values = fetch(table.select(name).distinct(), [], "participants")[name]
        bad = [value for value in values if unshown([value])]
        if bad:
            kept = [name, ROW] if ROW in table.columns else [name]
            rows = fetch(table.filter(table[name].isin(bad)).select(*kept), [], "participants")
            numbers = rows[ROW].tolist() if ROW in rows else []
            text = (
                "holds letters that the reports' fonts do not have; give such values another spelling in the "
                f"protocol, under tables.participants.values.{name}"
            )
            made = finding("participants", name, "letters_without_a_font", "error", numbers, text)
            found.append(replace(made, n_rows=len(rows)))
    return found
