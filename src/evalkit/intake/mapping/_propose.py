"""What `evalkit map` proposes for a table: each line with its reason, and what cannot be said as a question."""

from __future__ import annotations

__all__ = ["Proposal", "Question", "propose"]

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import DataError, ProtocolError, UsageError, did_you_mean
from evalkit.intake._raw import MISSING, check_date_format
from evalkit.intake._read import PLAIN_NAME
from evalkit.intake._spec import ColumnSpec, TableSpec, table_spec
from evalkit.intake.mapping._names import BIRTH, MINUTES, NONE, Match, Vocabulary, match, nearness, tokens
from evalkit.intake.mapping._parts import (
    ISO,
    MOST_WORDS,
    Part,
    forms_of,
    is_day,
    n_unread,
    read_parts,
    shape_of,
    spoken,
    texts,
    words_in,
)
from evalkit.protocol import Study

_AGE = "age"


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the export does not say.

    Attributes
    ----------
    key : str
        What an answer is given to: ``--answer KEY=ANSWER``.
    text : str
    options : tuple of str
        The answers there are.
    """

    key: str
    text: str
    options: tuple[str, ...]


@dataclass
class Proposal:
    """What would be written into the protocol, and why. No participant's value is in ``lines`` or ``questions``.

    Attributes
    ----------
    table : str
    entry : dict
        The table's keys. Its ``values`` hold words of the export.
    lines : list of str
        For a person, a line each.
    questions : list of Question
        What has to be answered before it can be written.
    """

    table: str
    entry: dict[str, Any] = field(default_factory=dict, repr=False)
    lines: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def propose(
    study: Study,
    table: str,
    files: Sequence[Path],
    path: str | list[str],
    *,
    smallest: int,
    sheets: Sequence[str] = (),
    answers: Mapping[str, str] | None = None,
) -> Proposal:
    """Look through an export, and propose how a table is read from it.

    Parameters
    ----------
    study : Study
    table : str
        Our name of it.
    files : sequence of pathlib.Path
    path : str or list of str
        How the protocol will name them.
    smallest : int
        A word that fewer rows hold is not shown.
    sheets : sequence of str
        Sheets that are meant; all with the table's columns where none is named.
    answers : mapping of str to str, optional
        By the questions' keys.

    Returns
    -------
    Proposal

    Raises
    ------
    DataError
        If a file cannot be read, or none of its sheets holds such a table.
    UsageError
        If an answer is to no question, or none of its options.
    """
    return _Proposing(study, table_spec(study, table), smallest, dict(answers or {})).run(files, path, sheets)


class _Proposing:
    """A proposal that is made."""

    def __init__(self, study: Study, spec: TableSpec, smallest: int, answers: dict[str, str]) -> None:
        self.study, self.spec, self.smallest, self.answers = study, spec, smallest, answers
        self.made = Proposal(spec.name)
        self.used_answers: set[str] = set()
        self.parts: list[Part] = []
        self.columns: dict[str, list[Any]] = {}

    def run(self, files: Sequence[Path], path: str | list[str], sheets: Sequence[str]) -> Proposal:
        """Make it."""
        found = self._matched(read_parts(files, self.spec.name), sheets)
        entry = self.made.entry
        entry["path"] = path
        self._where()
        self.made.lines.append("columns:")
        raw_of = {name: m.raw for name, m in found.items() if m.raw}
        entry["columns"] = {name: raw for name, raw in raw_of.items() if raw != name}
        for column in self.spec.columns:
            self._column_line(column, found[column.name])
        derived = self._age(found, raw_of)
        self._dates(raw_of, derived)
        self._hours(raw_of)
        self._all_words(raw_of)
        self._rest(raw_of, derived)
        self._missing(found, derived)
        self._check_answers()
        self.made.entry = {key: value for key, value in entry.items() if value}
        return self.made

    # -- which files and sheets --------------------------------------------------------------------------------------
    def _matched(self, parts: list[Part], sheets: Sequence[str]) -> dict[str, Match]:
        """Choose the parts that hold the table, and match their columns."""
        known = [part.sheet for part in parts if part.sheet]
        for sheet in sheets:
            if sheet not in known:
                msg = f"--sheet '{sheet}': there is no such sheet{did_you_mean(sheet, known)}"
                raise UsageError(msg)
        asked = [part for part in parts if not sheets or part.sheet in sheets]
        tried = [(part, self._match([part])) for part in asked]
        required = {c.name for c in self.spec.columns if c.required}
        # Whichever has most of what there must be says what the others are held to.
        main, first = max(
            tried, key=lambda pair: sum(bool(m.raw or m.several) for n, m in pair[1].items() if n in required)
        )
        if not any(m.raw for n, m in first.items() if n in required):
            msg = f"{self.spec.name}: no file or sheet has columns like {', '.join(sorted(required))}"
            raise DataError(msg)
        self.parts = [part for part in asked if set(part.names) >= {m.raw for m in first.values() if m.raw}]
        self.columns = self._cells(self.parts)
        rows = ", ".join(f"{part.label}: {len(part.lines):,} rows" for part in self.parts)
        self.made.lines.append(f"{self.spec.name} from {rows}")
        read = {part.file for part in self.parts}
        for part in parts:
            # Nobody would miss the rows of a file that was named and is not read.
            if part.file not in read and part in asked:
                lacks = ", ".join(_shown(m.raw) for m in first.values() if m.raw and m.raw not in part.names)
                msg = f"{self.spec.name}: {part.label} lacks columns that {main.label} has: {lacks}; name it apart"
                raise DataError(msg)
            if part not in self.parts:
                why = f"it lacks columns that {main.label} has" if part in asked else "you named others"
                self.made.lines.append(f"  left out: {part.label} ({why})")
        return self._match(self.parts)

    @staticmethod
    def _cells(parts: Sequence[Part]) -> dict[str, list[Any]]:
        names = [name for name in parts[0].names if name and all(name in part.names for part in parts)]
        return {name: [cell for part in parts for cell in part.column(name)] for name in names}

    def _match(self, parts: Sequence[Part]) -> dict[str, Match]:
        return match(self.study, self.spec, self._cells(parts), self.answers)

    def _where(self) -> None:
        """Propose sheets, lines to skip, and an encoding."""
        entry, parts = self.made.entry, self.parts
        named = list(dict.fromkeys(part.sheet for part in parts if part.sheet))
        if named:
            entry["sheet"] = named[0] if len(named) == 1 else named
        for key, what in (
            ("skip_rows", "above the header line"),
            ("skip_footer", "below the last row (totals, notes)"),
        ):
            lengths = [getattr(part, key) for part in parts]
            if not any(lengths):
                continue
            alike = len(set(lengths)) == 1
            names = [p.sheet if len(named) == len(parts) else p.file.name for p in parts]
            by_part = dict(zip(names, lengths, strict=True))
            if not alike and len({*zip(names, lengths, strict=True)}) > len(by_part):
                msg = (
                    f"{self.spec.name}: {key} differs from sheet to sheet of one of several files; map each file apart"
                )
                raise DataError(msg)
            entry[key] = lengths[0] if alike else {part: n for part, n in by_part.items() if n}
            each = str(lengths[0]) if alike else ", ".join(f"{part} {n}" for part, n in by_part.items())
            self.made.lines.append(f"  {key}: {each} line(s) {what}")
        encodings = {part.encoding for part in parts} - {""}
        if len(encodings) > 1:
            several = ", ".join(sorted(encodings))
            msg = f"{self.spec.name}: its files are in several encodings ({several}); save all as UTF-8"
            raise DataError(msg)
        if encodings - {"utf-8"}:
            entry["encoding"] = encodings.pop()
            self.made.lines.append(f"  encoding: {entry['encoding']}, as its letters are no UTF-8")

    # -- columns -----------------------------------------------------------------------------------------------------
    def _column_line(self, column: ColumnSpec, found: Match) -> None:
        if found.several:
            options = (*found.several, NONE)
            self._ask(Question(column.name, f"which column is {column.name} ({column.meaning})?", options))
        elif found.raw:
            # Words are said one by one further down, those of enough rows.
            shape = f"; {self._seen(column, self.columns[found.raw])}" if column.kind != "text" else ""
            self.made.lines.append(f"  {column.name}: {_shown(found.raw)} ({found.why}{shape})")

    def _seen(self, column: ColumnSpec, cells: Sequence[object]) -> str:
        """Say what a column looks like; of identifiers only how many there are: their shapes tell nobody anything."""
        if column.kind == "identifier":
            return f"{len(words_in(cells)):,} different in {len(cells):,} rows"
        return shape_of(cells, self.smallest)

    def _age(self, found: Mapping[str, Match], raw_of: Mapping[str, str]) -> dict[str, str]:
        """Propose an age from a day of birth; return the columns that are derived, and from what."""
        asked = any(c.name == _AGE and c.kind == "number" for c in self.spec.columns)
        if not asked or found[_AGE].raw or found[_AGE].several or found[_AGE].why.startswith("said"):
            return {}
        free = [raw for raw in self.columns if raw not in raw_of.values()]
        births = [
            raw
            for raw in free
            if nearness(raw, BIRTH) >= 0.6 and (any(map(is_day, self.columns[raw])) or forms_of(self.columns[raw]))
        ]
        # Of two nobody can say whose they are.
        if len(births) != 1:
            return {}
        self.made.entry["columns"][_AGE] = {"column": births[0], "years_to": "referral_date"}
        why = "whole years from the day of birth to the referral; the day of birth is not kept"
        self.made.lines.append(f"  {_AGE}: {_shown(births[0])}, years to referral_date ({why})")
        return {_AGE: births[0]}

    def _dates(self, raw_of: Mapping[str, str], derived: Mapping[str, str]) -> None:
        """Propose the form of days."""
        columns = {c.name: raw_of[c.name] for c in self.spec.columns if c.kind == "date" and c.name in raw_of} | dict(
            derived
        )
        read = {name: forms_of(self.columns[raw]) for name, raw in columns.items()}
        certain = {forms[0] for forms in read.values() if len(forms) == 1}
        chosen: dict[str, str] = {}
        for name, raw in columns.items():
            form = self._form(name, raw, read[name], certain)
            if form is not None:
                chosen[name] = form
        texts_ = [form for form in chosen.values() if form != ISO]
        if not texts_:
            return
        usual = max(texts_, key=texts_.count)
        self.made.entry["date_format"] = usual
        # A column in the plain form has to be named, where the others are not in it.
        self.made.entry["date_formats"] = {n: form or "%Y-%m-%d" for n, form in chosen.items() if form != usual}

    def _form(self, name: str, raw: str, forms: list[str], certain: set[str]) -> str | None:
        key, held = f"{name}.form", [c for c in self.columns[raw] if isinstance(c, str) and c.strip() not in MISSING]
        if not held:
            return None
        if key in self.answers:
            self.used_answers.add(key)
            said = self.answers[key]
            if forms and said not in forms:
                msg = f"--answer {key}: '{said}' does not read the column; there are {', '.join(forms)}"
                raise UsageError(msg)
            if said:
                self._check_form(key, said)
            unread = n_unread(held, said)
            but = f"; {unread:,} of {len(held):,} cannot be read so" if unread else ""
            self.made.lines.append(f"  {name}: days are {spoken(said)} (as you said{but})")
            return said
        if not forms:
            self._ask(
                Question(
                    key,
                    f"in which form are the days of {_shown(raw)}? (none that is known reads all)",
                    ("a strptime form",),
                )
            )
            return None
        if len(forms) == 1:
            if forms[0] != ISO:
                self.made.lines.append(f"  {name}: days are {spoken(forms[0])} (only so can all {len(held):,} be read)")
            return forms[0]
        # A system writes all its days in one form; where other columns settle on several, it is asked.
        settled = [form for form in forms if form in certain]
        if len(settled) == 1:
            why = "as other columns of this table, where only so all can be read"
            self.made.lines.append(f"  {name}: days are {spoken(settled[0])} ({why})")
            return settled[0]
        ways = " or ".join(spoken(form) for form in forms)
        self._ask(Question(key, f"are the days of {_shown(raw)} {ways}? All can be read in each way", tuple(forms)))
        return None

    @staticmethod
    def _check_form(key: str, said: str) -> None:
        try:
            check_date_format(said, f"--answer {key}")
        except ProtocolError as error:
            raise UsageError(str(error)) from None

    def _hours(self, raw_of: Mapping[str, str]) -> None:
        """Propose a unit of the length of sessions."""
        raw, rules = raw_of.get("hours"), self.study.rules
        if raw is None:
            return
        numbers = [float(t) for t in texts(self.columns[raw]) if re.fullmatch(r"\d+(\.\d+)?", t) and float(t) > 0]
        median = statistics.median(numbers) if numbers else 0.0
        named, long = bool(MINUTES & set(tokens(raw))), median > rules.longest_usual_hours
        fits = rules.shortest_usual_hours <= median / 60 <= rules.longest_usual_hours
        # Name and numbers have to agree (ADR 25): a unit that is guessed changes every dose.
        unit = "minutes" if named and long and fits else "hours" if not named and not long else None
        key = "hours.unit"
        if key in self.answers:
            self.used_answers.add(key)
            unit = self._option(key, ("minutes", "hours"))
        if unit is None and numbers:
            because = (
                f"half of its numbers are above {rules.longest_usual_hours:g}" if long else "its numbers are short"
            )
            because = f"its name says minutes, {because}" if named else because
            self._ask(Question(key, f"is {_shown(raw)} minutes or hours? ({because})", ("minutes", "hours")))
        if unit == "minutes":
            self.made.entry["columns"]["hours"] = {"column": raw, "divide": 60}
            why = (
                "as you said"
                if key in self.answers
                else "its name says minutes, and half are longer than any session in hours"
            )
            self.made.lines.append(f"  hours: {_shown(raw)} divided by 60 ({why})")

    # -- words -------------------------------------------------------------------------------------------------------
    def _all_words(self, raw_of: Mapping[str, str]) -> None:
        values: dict[str, dict[str, str]] = {}
        for column in self.spec.columns:
            vocabulary = Vocabulary.of(self.study, column)
            if vocabulary is None or column.name not in raw_of:
                continue
            mapped = self._words(column, vocabulary, raw_of[column.name])
            if mapped:
                values[column.name] = mapped
        self.made.entry["values"] = values

    def _words(self, column: ColumnSpec, vocabulary: Vocabulary, raw: str) -> dict[str, str]:
        words = words_in(self.columns[raw])
        # So many different texts may be names or notes: none is to be shown, or to stand in the protocol.
        if len(words) > MOST_WORDS:
            text = f"holds {len(words):,} different texts, so no list of words; none is shown or mapped"
            self.made.lines.append(f"  {column.name}: {text}")
            return {}
        mapped: dict[str, str] = {}
        for word, n in words.most_common():
            if vocabulary.reads(word, column.kind):
                continue
            key = f"{column.name}.{word}"
            found = vocabulary.word_for(word)
            if key in self.answers:
                self.used_answers.add(key)
                found = self._option(key, (*vocabulary.named, "")), "as you said"
            shown = f"'{word}'" if n >= self.smallest else "another word"
            rows = f"in {n:,} row{'s' if n > 1 else ''}"
            if found is not None:
                mapped[word] = found[0]
                self.made.lines.append(f"  {column.name}: {shown} {rows} is {found[0] or 'missing'} ({found[1]})")
            elif n >= self.smallest:
                self._ask(Question(key, f"what is {shown} of {column.name}, {rows}?", (*vocabulary.named, "")))
            else:
                how = "evalkit validate --codes shows it when this is written"
                self.made.lines.append(f"  {column.name}: {shown} {rows} is none that is known ({how})")
        return mapped

    # -- the rest ----------------------------------------------------------------------------------------------------
    def _rest(self, raw_of: Mapping[str, str], derived: Mapping[str, str]) -> None:
        unread = [_shown(raw) for raw in self.columns if raw not in {*raw_of.values(), *derived.values()}]
        if unread:
            self.made.lines.append(f"not read: {', '.join(unread)}")

    def _missing(self, found: Mapping[str, Match], derived: Mapping[str, str]) -> None:
        lacking = [
            c
            for c in self.spec.columns
            if not found[c.name].raw and not found[c.name].several and c.name not in derived
        ]
        covariates = {c.name for c in self.study.covariates}
        taken = {*(m.raw for m in found.values()), *derived.values()}
        free = [raw for raw in self.columns if raw not in taken and _is_plain(raw)]
        for column in (c for c in lacking if c.required):
            if column.name in covariates:
                how = f"take it out of covariates, or say which it is: --answer {column.name}=COLUMN"
                self.made.lines.append(f"missing: {column.name}; {how}")
            elif column.name in self.answers:
                self.made.lines.append(f"missing: {column.name} (as you said); the table cannot be read without it")
            else:
                text = f"which column is {column.name} ({column.meaning})? None has such a name"
                self._ask(Question(column.name, text, (*free, NONE)))
        # Nobody would be left out for it: the groups would be larger than the protocol says.
        limits = [c.name for c in lacking if not c.required and c.name in self.study.arms.conditions]
        for name in limits:
            how = f"take it out of where:, or say which it is: --answer {name}=COLUMN"
            self.made.lines.append(f"missing: {name}, by which the protocol says who is in a group; {how}")
        others = [c.name for c in lacking if not c.required and c.name not in limits]
        if others:
            self.made.lines.append(f"not there, and not needed: {', '.join(others)}")

    def _ask(self, question: Question) -> None:
        self.made.questions.append(question)

    def _option(self, key: str, options: Sequence[str]) -> str:
        said = self.answers[key]
        if said not in options:
            named = ", ".join(option or "(nothing)" for option in options)
            msg = f"--answer {key}: '{said}' is none of {named}{did_you_mean(said, options)}"
            raise UsageError(msg)
        return said

    def _check_answers(self) -> None:
        """Refuse answers to nothing: a slip in one would leave a question to be guessed."""
        names = set(self.spec.names)
        for key, said in self.answers.items():
            if key in names and said not in {*self.columns, NONE}:
                msg = f"--answer {key}: there is no column '{said}'{did_you_mean(said, self.columns)}"
                raise UsageError(msg)
            if key not in names and key not in self.used_answers:
                msg = f"--answer {key}: there is no such question{did_you_mean(key, names)}"
                raise UsageError(msg)


def _is_plain(name: str) -> bool:
    """Say whether a header may be shown: a plain name, asked or counted as people do ("Working?", "# of arrests")."""
    return PLAIN_NAME.fullmatch(re.sub(r"^# ?|[?:]$", "", name)) is not None


def _shown(name: str) -> str:
    """Return a header's name; what does not look like one may be somebody's value."""
    return name if _is_plain(name) else "a column without a plain name"
