"""What providers call our columns and words, and which of theirs is which of ours.

A column is matched by its name, how near it comes to one of ours, held against what stands in it. A word of theirs
stands for one of ours by spelling, or as what others call it; never by likeness.
"""

from __future__ import annotations

__all__ = [
    "BIRTH",
    "MINUTES",
    "NO_ANSWER",
    "WORDS",
    "Match",
    "Vocabulary",
    "match",
    "nearness",
    "tokens",
    "usual_names",
]

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from zoneinfo import ZoneInfo

from evalkit.intake._raw import NO, YES, Reading, convert
from evalkit.intake._rules import folded
from evalkit.intake._spec import ColumnSpec, TableSpec
from evalkit.intake.mapping._parts import forms_of, is_day, texts, words_in
from evalkit.protocol import Study

BIRTH = ("birthdate", "birth date", "date of birth", "dob", "born")
MINUTES = frozenset({"minutes", "minute", "min"})
_SUFFIXES = re.compile(r"__(?:c|r|pc)$", re.IGNORECASE)  # of a Salesforce field that somebody added
_ALIKE = 0.86  # as spelt: "recieved" is "received", "intake" is not "inmate"
# Words that half of all fields have: alone they say which column it is, beside others they say nothing.
_GENERAL = frozenset(
    {
        "date",
        "type",
        "from",
        "value",
        "result",
        "source",
        "search",
        "through",
        "group",
        "id",
        "measure",
        "reported",
        "name",
    }
)
# Some systems write "Date of Referral", others "Referral Date".
_SMALL = frozenset({"of", "the", "a", "an", "at", "on", "in", "for", "by", "to"})
# What people who type a header cut short. "No" is a number in a name of a field, whatever it is in a cell.
_SHORT = {
    **{"no": "number", "nr": "number", "num": "number", "hr": "hours", "hrs": "hours", "mins": "minutes"},
    **{"prog": "program", "ref": "referral", "dt": "date", "hx": "history", "nbhd": "neighborhood"},
}

# In the order of strength: the first is the surest. Names of fields, as case-management systems have them.
_NAMES: dict[str, tuple[str, ...]] = {
    "participant_id": (
        *("participant id", "client id", "person id", "contact id", "case id", "case number", "client number"),
        *("participant number", "participant", "client", "contact", "record id", "id"),
    ),
    "referral_date": (
        "referral date",
        "date referral",
        "date referred",
        "referred date",
        "referral received",
        "referred",
    ),
    "referral_source": ("referral source", "source referral", "referred", "lead source", "source"),
    "intake_date": ("intake date", "date intake", "enrollment date", "intake completed", "intake", "enrolled"),
    "mandate": ("mandate", "mandate type", "court mandate", "legal status", "court order", "ordered", "mandated"),
    "site": ("site", "site name", "service site", "location", "office", "agency"),
    "community_area": ("community area", "neighborhood", "neighbourhood", "community"),
    "outcome_follow_up_end": ("outcome follow up end", "follow up end", "records searched through", "searched through"),
    "recorded_on": ("recorded", "created date", "date entered", "entered", "entry date", "date created"),
    "retracted_on": ("retracted", "deleted date", "withdrawn", "voided", "date deleted"),
    "session_date": (
        "session date",
        "date session",
        "service date",
        "date service",
        "activity date",
        "visit date",
        "date",
    ),
    "kind": (
        "kind",
        "session type",
        "type session",
        "service type",
        "event type",
        "outcome type",
        "incident type",
        "record type",
        "type",
    ),
    "status": ("status", "attendance status", "attendance", "session status", "attended", "came", "present"),
    "hours": (
        *(
            "hours",
            "duration hours",
            "session hours",
            "minutes",
            "duration minutes",
            "session minutes",
            "length minutes",
            "length hours",
        ),
        *("duration", "length"),
    ),
    "exit_date": (
        *("exit date", "date exit", "discharge date", "end date", "close date", "closed date", "date closed"),
        *("closed", "discharged", "exited"),
    ),
    "reason": (
        *("reason", "exit reason", "discharge reason", "close reason", "reason exit", "disposition"),
        *("why closed", "why left"),
    ),
    "outcome_date": (
        "outcome date",
        "event date",
        "arrest date",
        "incident date",
        "date outcome",
        "offense date",
        "date",
    ),
    "source": ("source", "data source", "reported", "information source", "system"),
    "measure_date": ("measure date", "assessment date", "date assessment", "survey date", "completed date", "date"),
    "instrument": ("instrument", "assessment", "scale", "measure", "survey", "assessment type"),
    "score": ("score", "total score", "result", "value"),
    "searched_from": ("searched from", "search from", "search start", "start date", "from"),
    "searched_to": ("searched", "search", "searched through", "search end", "end date", "through"),
    "age": ("age", "age years", "age referral"),
    "gender": ("gender", "gender identity", "sex"),
    "race_ethnicity": ("race ethnicity", "race or ethnicity", "race", "ethnicity"),
    "employment": ("employment", "employed", "employment status", "currently employed", "working"),
    "prior_dv_arrests": (
        "prior dv arrests",
        "previous dv arrests",
        "earlier dv arrests",
        "dv arrests",
        "prior arrests",
    ),
    "alcohol_use": ("alcohol use", "problem alcohol use", "alcohol problem", "alcohol", "problem drinking", "drinking"),
    "synthetic": ("synthetic",),
}
_OF_ARMS = ("pathway", "program", "programme", "program type", "program name", "arm", "group", "cohort")

WORDS: dict[str, tuple[str, ...]] = {
    "attended": ("attended", "present", "showed", "show", "attended full", "attended partial", "completed", "yes"),
    "absent": ("absent", "no show", "noshow", "missed", "unexcused", "did not attend", "unexcused absence", "no"),
    "excused": ("excused", "excused absence", "absent excused"),
    "cancelled": ("cancelled", "canceled", "cancelled by program", "canceled by program", "program cancelled"),
    "group": ("group", "group session", "group meeting", "grp"),
    "individual": ("individual", "individual session", "one on one", "1 on 1", "1 1", "1:1"),
    "case_management": ("case management", "case mgmt", "cm", "case manager meeting"),
    "completed": ("completed", "complete", "successful", "completed program", "graduated", "successful completion"),
    "dropped_out": ("dropped out", "drop out", "dropout", "dropped", "left", "lost contact"),
    "terminated": ("terminated", "unsuccessful", "removed", "terminated by program", "expelled"),
    "transferred": ("transferred", "transfer", "transferred out"),
    "moved": ("moved", "moved away", "relocated"),
    "deceased": ("deceased", "died", "death"),
    "administrative": ("administrative", "admin", "administrative closure", "admin close", "closed administratively"),
    "dv_arrest": ("dv arrest", "domestic violence arrest", "arrest dv", "arrest domestic violence"),
    "any_arrest": ("any arrest", "arrest", "other arrest", "arrest other"),
    "order_violation": (
        "order violation",
        "violation of order",
        "violation of protective order",
        "protective order violation",
    ),
    "survivor_reported_harm": (
        "survivor reported harm",
        "survivor report",
        "harm reported by survivor",
        "partner report",
    ),
    "court": ("court", "court ordered", "court order", "court mandated", "judge"),
    "other_order": ("other order", "other mandate", "probation", "parole"),
    "none": ("none", "no mandate", "voluntary", "not mandated"),
    "man": ("man", "male", "m", "cisgender man", "hombre"),
    "woman": ("woman", "female", "f", "w", "cisgender woman", "mujer"),
    "another": ("another", "other", "nonbinary", "non binary", "another gender", "another race", "otro"),
    "black": ("black", "black or african american", "african american", "black african american"),
    "latino": ("latino", "latina", "latinx", "hispanic", "hispanic or latino", "hispanic latino"),
    "white": ("white", "caucasian", "white not hispanic", "non hispanic white"),
    "self": ("self", "self referral", "self referred", "walk in"),
    "yes": ("yes", "y", "true", "employed", "employed full time", "employed part time", "si", "sí"),
    "no": ("no", "n", "false", "unemployed", "not employed"),
}
"""Our word: what it may be called elsewhere."""

NO_ANSWER = frozenset(
    {
        "unknown",
        "not known",
        "not recorded",
        "missing",
        "unspecified",
        "prefer not to say",
        "declined",
        "refused",
        "no answer",
    }
)


def tokens(name: str) -> tuple[str, ...]:
    """Return the words in a name of a field, without what a system adds to it.

    >>> tokens("Referral_Date__c"), tokens("DateOfBirth"), tokens("DOB"), tokens("Client No.")
    (('referral', 'date'), ('date', 'birth'), ('dob',), ('client', 'number'))
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", _SUFFIXES.sub("", name.strip()))
    found = re.sub(r"[\W_]+", " ", apart).casefold().split()
    found = [_SHORT.get(word, word) for word in found]
    return tuple(word for word in found if word not in _SMALL) or tuple(found)


def usual_names(study: Study, column: ColumnSpec) -> tuple[str, ...]:
    """Return what a column of ours may be called, the surest first."""
    label = next((c.label for c in study.covariates if c.name == column.name), "")
    of_arms = _OF_ARMS if column.name == study.arms.column else ()
    return (column.name, *_NAMES.get(column.name, ()), *of_arms, *([label] if label else []))


def nearness(name: str, usual: tuple[str, ...]) -> float:
    """Say how near a name of theirs comes to what a column of ours may be called, the surest first.

    1: the same name; 0.9 and less: the words of a usual one; below 0.5: hardly.
    """
    if name.strip() == usual[0]:
        return 1.0
    theirs, best = tokens(name), 0.0
    for place, phrase in enumerate(usual):
        ours, less = tokens(phrase), 0.01 * min(place, 12)
        # Some systems write a name without blanks: "followupend".
        if theirs == ours or "".join(theirs) == "".join(ours):
            best = max(best, 0.95 - less)
        elif set(theirs) == set(ours):
            best = max(best, 0.9 - less)
        elif set(ours) <= set(theirs) and len(ours) > 1:
            best = max(best, 0.8 - 0.05 * (len(theirs) - len(ours)) - less)
        elif set(ours) <= set(theirs) and not _GENERAL.issuperset(ours):
            best = max(best, 0.6 - 0.05 * (len(theirs) - 1) - less)
        elif SequenceMatcher(None, " ".join(theirs), " ".join(ours)).ratio() >= _ALIKE:
            best = max(best, 0.7 - less)
    return best


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that a column of ours may hold, and what they are called elsewhere."""

    named: tuple[str, ...]
    # Whether a row may be without any: a refusal is no answer of who was asked, but may be a reason to leave.
    empty: bool
    _known: Mapping[str, str] = field(repr=False)
    _spelt: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, study: Study, column: ColumnSpec) -> Vocabulary | None:
        """Return a column's words; None where any may stand in it."""
        if column.kind == "yes_no":
            named: Sequence[str] = ("yes", "no")
        elif column.kind == "text" and column.allowed is not None:
            named = column.allowed
        else:
            return None
        known = {folded(other): ours for ours in named for other in WORDS.get(ours, ())}
        if column.name == study.arms.column:
            known |= {folded(arm.label): arm.value for arm in (study.arms.focus, study.arms.comparison)}
        return cls(tuple(named), not column.filled, known, {folded(ours): ours for ours in named})

    def word_for(self, text: str) -> tuple[str, str] | None:
        """Return which of ours a text stands for, and why; None where it cannot be said."""
        if text in self.named:
            return text, "the same word"
        key = folded(text)
        if key in self._spelt:
            return self._spelt[key], "the same word, spelt otherwise"
        if key in self._known:
            return self._known[key], "a usual word for it"
        no_answer = self.empty and key.replace("_", " ") in NO_ANSWER
        return ("", "no answer: it is missing") if no_answer else None

    def reads(self, text: str, kind: str) -> bool:
        """Whether a text needs no line in the protocol."""
        return text in self.named or (kind == "yes_no" and text.lower() in YES | NO)

    def share(self, words: Mapping[str, int]) -> float:
        """Return which share of the rows holds words that are known."""
        total = sum(words.values())
        return sum(n for text, n in words.items() if self.word_for(text)) / total if total else 0.0


NONE = "-"
"""Answer that no column is meant."""
_LEAST, _NEARER = 0.5, 0.06  # below: no likeness; nearer to one another than this: it cannot be said which
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
            if mine == name and other != raw and other not in taken and score > scores[name, raw] - _NEARER
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
