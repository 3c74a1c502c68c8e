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
    """Write as a table what a trial would do beside what this study does; of tables that it lacks nothing is claimed.

    `said` fills the places start, focus, comparison, covariates and target.
    """
    told = {**said, "assigned": ASSIGNED[assignment]}
    missing = [parts for name, parts in TRIAL_WITHOUT.items() if name not in tables]
    own = {part: texts for parts in missing for part, texts in parts.items()}
    own |= {} if assignment == "mandate" else TRIAL_WITHOUT_MANDATE
    nothing = {"Outcomes", "Analysis"} if len(missing) == len(TRIAL_WITHOUT) else set()
    pairs = [(part, *own.get(part, texts)) for part, *texts in TARGET_TRIAL if part not in nothing]
    rows = [(translated(part), words(trial), words(study, **told)) for part, trial, study in pairs]
    return table(_in_words("Part", "A trial that could answer the question", "This study"), rows, (18, 38, 44))


def statistics(said: Mapping[str, str], there: frozenset[str]) -> str:
    """Write the statistical methods as a list, with the protocol's numbers; what the study has no use for is not."""
    said = {**said, "competing": words(" Completion competes with disengagement.") if "sessions" in there else ""}
    lines = [
        f"{bold(f'{translated(head)}.')} {words(text, **said)}"
        for needed, head, text in STATISTICS
        if there.issuperset(needed.split())
    ]
    return bullets(lines)


def glossary_of_terms(said: Mapping[str, str], there: frozenset[str]) -> str:
    """Write the glossary as a table, in alphabetical order; terms of what the study lacks are left out."""
    said = {**said, "left": words(", or leaving before that") if "exits" in there else ""}
    known = [
        (translated(term), words(text, **said)) for needed, term, text in TERMS if there.issuperset(needed.split())
    ]
    # Sorted after translation: the order of English terms is none in Spanish.
    return table(_in_words("Term", "What it means here"), sorted(known, key=lambda row: row[0].lower()), (28, 72))


def checklist() -> str:
    """Write the items of the reporting statements as a table, with links (in print: page numbers) to sections."""
    rows = [
        (items, words(asked), ", ".join(link(translated(SECTIONS[name]), f"#sec-{name}") for name in where))
        for items, asked, where in CHECKLIST
    ]
    return table(_in_words("Items", "What they ask for", "Where"), rows, (15, 41, 44))


def _in_words(*headings: str) -> tuple[str, ...]:
    return tuple(map(translated, headings))
