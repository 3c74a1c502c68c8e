"""The final report's appendix, with signs (`evalkit.markup`): what a trial would do, methods, glossary, checklist."""

from __future__ import annotations

__all__ = ["checklist", "glossary_of_terms", "statistics", "target_trial"]

from collections.abc import Mapping

from evalkit.markup import bold, bullets, link, table
from evalkit.views._appendix_texts import (
    ASSIGNED,
    CHECKLIST,
    SECTIONS,
    STATISTICS,
    TARGET_TRIAL,
    TERMS,
    TRIAL_WITHOUT,
    TRIAL_WITHOUT_MANDATE,
)
from evalkit.words import translated, words


def target_trial(said: Mapping[str, str], tables: frozenset[str], assignment: str = "mandate") -> str:
    """Write what a trial would do beside what this study does.

    Parameters
    ----------
    said : mapping of str to str
        start, focus, comparison, covariates, target.
    tables : frozenset of str
        Tables that are part of the study: what others would tell is no outcome of it.
    assignment : {"mandate", "random", "other"}, default "mandate"
        How people came to be in one group or the other.

    Returns
    -------
    str
        A table.
    """
    told = {**said, "assigned": ASSIGNED[assignment]}
    missing = [parts for name, parts in TRIAL_WITHOUT.items() if name not in tables]
    own = {part: texts for parts in missing for part, texts in parts.items()}
    own |= {} if assignment == "mandate" else TRIAL_WITHOUT_MANDATE
    nothing = {"Outcomes", "Analysis"} if len(missing) == len(TRIAL_WITHOUT) else set()
    pairs = [(part, *own.get(part, texts)) for part, *texts in TARGET_TRIAL if part not in nothing]
    rows = [(translated(part), words(trial), words(study, **told)) for part, trial, study in pairs]
    return table(_in_words("Part", "A trial that could answer the question", "This study"), rows, (18, 38, 44))


def statistics(said: Mapping[str, str], tables: frozenset[str]) -> str:
    """Write the statistical methods as a list, with the protocol's own numbers.

    Parameters
    ----------
    said : mapping of str to str
        What stands in the places of the texts.
    tables : frozenset of str
        Tables that are part of the study: methods for others are left out.
    """
    needs = {"Repeated harm": "outcomes", "Harm after completing": "outcomes", "Models": "outcomes"}
    lines = [
        f"{bold(f'{translated(head)}.')} {words(text, **said)}"
        for head, text in STATISTICS
        if needs.get(head, "") in {"", *tables}
    ]
    return bullets(lines)


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
        A table.
    """
    known = [(translated(term), words(text, **said)) for needed, term, text in TERMS if needed in {"", *tables}]
    return table(_in_words("Term", "What it means here"), sorted(known, key=lambda row: row[0].lower()), (28, 72))


def checklist() -> str:
    """Write the items of the reporting statements, each with links to the sections that deal with it.

    Returns
    -------
    str
        A table; in print the links carry page numbers.
    """
    rows = [
        (items, words(asked), ", ".join(link(translated(SECTIONS[name]), f"#sec-{name}") for name in where))
        for items, asked, where in CHECKLIST
    ]
    return table(_in_words("Items", "What they ask for", "Where"), rows, (15, 41, 44))


def _in_words(*headings: str) -> tuple[str, ...]:
    return tuple(map(translated, headings))
