"""The final report's appendix as Markdown: what a trial would do, methods, glossary, checklist."""

from __future__ import annotations

__all__ = ["checklist", "glossary_of_terms", "statistics", "target_trial"]

from collections.abc import Mapping, Sequence

from evalkit.display._messages_appendix import (
    ASSIGNED,
    CHECKLIST,
    SECTIONS,
    STATISTICS,
    TARGET_TRIAL,
    TERMS,
    TRIAL_WITHOUT_MANDATE,
)


def target_trial(said: Mapping[str, str], assignment: str = "mandate") -> str:
    """Write what a trial would do beside what this study does.

    Parameters
    ----------
    said : mapping of str to str
        start, focus, comparison, covariates, target.
    assignment : {"mandate", "random", "other"}, default "mandate"
        How people came to be in one group or the other.

    Returns
    -------
    str
        A Markdown table.
    """
    told, own = {**said, "assigned": ASSIGNED[assignment]}, {} if assignment == "mandate" else TRIAL_WITHOUT_MANDATE
    pairs = [(part, *own.get(part, (trial, study))) for part, trial, study in TARGET_TRIAL]
    rows = [(part, trial, study.format(**told)) for part, trial, study in pairs]
    return _table(("Part", "A trial that could answer the question", "This study"), (18, 38, 44), rows)


def statistics(said: Mapping[str, str], tables: frozenset[str]) -> str:
    """Write the statistical methods as a list, with the protocol's own numbers.

    Parameters
    ----------
    said : mapping of str to str
        What stands in the places of the texts.
    tables : frozenset of str
        Tables that are part of the study: methods for others are left out.

    Returns
    -------
    str
    """
    needs = {"Repeated harm": "outcomes", "Harm after completing": "outcomes", "Models": "outcomes"}
    lines = [
        f"- **{head}.** {text.format(**said)}" for head, text in STATISTICS if needs.get(head, "") in {"", *tables}
    ]
    return "\n".join(lines)


def glossary_of_terms(said: Mapping[str, str], tables: frozenset[str]) -> str:
    """Write the glossary, in alphabetical order.

    Parameters
    ----------
    said : mapping of str to str
        gap, sessions, days.
    tables : frozenset of str
        Tables that are part of the study: terms of others are left out.

    Returns
    -------
    str
        A Markdown table.
    """
    known = [(term, text.format(**said)) for table, term, text in TERMS if table in {"", *tables}]
    return _table(("Term", "What it means here"), (28, 72), sorted(known, key=lambda row: row[0].lower()))


def checklist() -> str:
    """Write the items of the reporting statements, each with links to the sections that deal with it.

    Returns
    -------
    str
        A Markdown table; in print the links carry page numbers.
    """
    rows = [
        (items, asked, ", ".join(f"[{SECTIONS[name]}](#sec-{name})" for name in where))
        for items, asked, where in CHECKLIST
    ]
    return _table(("Items", "What they ask for", "Where"), (15, 41, 44), rows)


def _table(heads: tuple[str, ...], widths: tuple[int, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Write a pipe table whose columns are as wide as said: relative widths count where a line is long."""
    rule = "|".join(f":{'-' * width}" for width in widths)
    lines = ["|".join(row) for row in (heads, *rows)]
    return "\n".join(f"|{line}|" for line in (lines[0], rule, *lines[1:]))
