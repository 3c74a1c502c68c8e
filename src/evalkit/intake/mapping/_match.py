"""Which column of an export is which of ours: by its name, held against what stands in it."""

from __future__ import annotations

__all__ = ["Match", "match"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from evalkit.intake._convert import Reading, convert
from evalkit.intake._spec import ColumnSpec, TableSpec
from evalkit.intake.mapping._dates import forms_of, is_day
from evalkit.intake.mapping._names import nearness, usual_names
from evalkit.intake.mapping._shapes import texts, words_in
from evalkit.intake.mapping._words import Vocabulary
from evalkit.protocol import Study

NONE = "-"
"""Answer that no column is meant."""
_LEAST, _ALIKE = 0.5, 0.06  # below: no likeness; nearer to one another than this: it cannot be said which
# An export has words among its numbers ("n/a", "unknown"); the gate names them later, row by row.
_NEARLY_ALL = 0.95
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Match:
    """What was found for one column of ours."""

    raw: str | None  # their name; None: there is none, or it cannot be said
    why: str
    several: tuple[str, ...] = ()  # where it cannot be said: the names that it may be


def match(
    study: Study, spec: TableSpec, columns: Mapping[str, Sequence[object]], answers: Mapping[str, str]
) -> dict[str, Match]:
    """Match our columns with theirs, by name and cells; ``answers`` has what somebody said, or `NONE`."""
    found = {
        name: Match(None, "said: none") if raw == NONE else Match(raw, "as you said")
        for name, raw in answers.items()
        if name in spec.names and raw in {*columns, NONE}
    }
    taken = {m.raw for m in found.values() if m.raw}
    open_columns = [c for c in spec.columns if c.name not in found]
    scores = {
        (c.name, raw): _score(study, c, raw, cells)
        for c in open_columns
        for raw, cells in columns.items()
        if raw not in taken
    }
    # The surest first: a column that is taken by it is no rival of the others any more.
    ordered = sorted((pair for pair in scores if scores[pair] >= _LEAST), key=lambda pair: -scores[pair])
    for name, raw in ordered:
        if name in found or raw in taken:
            continue
        rivals = [
            other
            for (mine, other), score in scores.items()
            if mine == name and other != raw and other not in taken and score > scores[name, raw] - _ALIKE
        ]
        # The same name as ours is no likeness, but an answer.
        if rivals and raw != name:
            found[name] = Match(None, "several may be meant", (raw, *rivals))
            continue
        found[name] = Match(raw, "the same name" if raw == name else "its name says so")
        taken.add(raw)
    return {c.name: found.get(c.name, Match(None, "no column has such a name")) for c in spec.columns}


def _score(study: Study, column: ColumnSpec, raw: str, cells: Sequence[object]) -> float:
    near = nearness(raw, usual_names(study, column))
    if near < _LEAST or near == 1.0:
        return near
    # Cells that speak against it leave only the surest names above `_LEAST`.
    return near if fits(study, column, cells) else near - 0.4


def fits(study: Study, column: ColumnSpec, cells: Sequence[object]) -> bool:
    """Say whether cells can be what a column of ours holds."""
    held = texts(cells)
    if not held:
        return not column.filled
    days = any(map(is_day, cells))
    if column.kind == "date":
        return days or bool(forms_of(cells))
    if column.kind == "number":
        _, wrong = convert(held, Reading("number", {}, _UTC))
        return not days and len(wrong) <= (1 - _NEARLY_ALL) * len(held)
    vocabulary = Vocabulary.of(study, column)
    if vocabulary is None:
        return not days and not forms_of(cells)
    return not days and vocabulary.share(words_in(cells)) >= 0.5
