"""``evalkit map``: an export looked through, what it seems to be, and the protocol's lines that read it."""

from __future__ import annotations

__all__ = ["run"]

import os
import shlex
import sys
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path

import typer

from evalkit.errors import DataError, UsageError, did_you_mean
from evalkit.intake.mapping import Proposal, Question, files_like, propose
from evalkit.protocol import TABLE_NAMES, Study, load_disclosure, load_study, write_table


def run(table: str, given: Sequence[str], file: Path, sheets: Sequence[str], said: Sequence[str], *, yes: bool) -> None:
    """Propose how a table is read from an export, the protocol's files if none is given, and write it after a yes.

    A `UsageError` where there is no such table or answer, or questions are open and nobody is there to answer them.
    """
    if table not in TABLE_NAMES:
        msg = f"'{table}' is no table; there are {', '.join(TABLE_NAMES)}{did_you_mean(table, TABLE_NAMES)}"
        raise UsageError(msg)
    study = load_study(file)
    files, path = _files(study, table, given)
    answers = dict(_answer(text) for text in said)
    # A word of fewer rows may be one person's; what is published is held to the same (ADR 25).
    smallest, terminal = load_disclosure(study).minimum_count, _terminal()
    # An answer can lead to further questions: which column it is, then the form of its days.
    while True:
        made = propose(study, table, files, path, smallest=smallest, sheets=sheets, answers=answers)
        _show(made)
        if not made.questions:
            break
        if not terminal:
            _leave_open(made.questions)
        answers |= {question.key: _asked(question) for question in made.questions}
    if not yes and not terminal:
        typer.echo(f"nothing was written; --yes writes it into {file}")
        return
    if yes or typer.confirm(f"Write this into {file}?", default=True):
        write_table(study.path, table, made.entry)
        typer.echo(f"wrote tables.{table} into {file}; next: evalkit validate {shlex.quote(str(file))}")
    else:
        typer.echo("nothing was written")


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _files(study: Study, table: str, given: Sequence[str]) -> tuple[list[Path], str | list[str]]:
    """Return the files that are meant, and how the protocol names them: from its folder, patterns as they are."""
    if not given:
        known = study.tables[table].paths if table in study.tables else ()
        given = [os.path.relpath(study.folder / path) for path in known]
    if not given:
        msg = f"name the files of {table}, or a pattern in quotes: evalkit map {table} 'exports/{table}-*.csv'"
        raise UsageError(msg)
    files: list[Path] = []
    for text in given:
        place = Path(text).expanduser()
        found = files_like(place) if has_magic(place.name) and not place.exists() else [place]
        if not found:
            msg = f"{table}: no file is like {text}"
            raise DataError(msg)
        files += [f for f in found if f not in files]
    missing = next((f for f in files if not f.is_file()), None)
    if missing is not None:
        near = did_you_mean(missing.name, (p.name for p in missing.parent.glob("*"))) if missing.parent.is_dir() else ""
        msg = f"{table}: file {missing} is not there{near}"
        raise DataError(msg)
    # Patterns stay patterns: the export of next month is to be read, too.
    paths = [Path(os.path.relpath(Path(text).expanduser().absolute(), study.folder)).as_posix() for text in given]
    return files, paths[0] if len(paths) == 1 else paths


def _answer(text: str) -> tuple[str, str]:
    # From the right: the key may hold a word of the export, and that a sign like this.
    key, sign, answer = text.rpartition("=")
    if not sign or not key:
        msg = f"--answer '{text}': write key=answer, as the question says"
        raise UsageError(msg)
    return key.strip(), answer.strip()


def _show(made: Proposal) -> None:
    for line in made.lines:
        typer.echo(line)


def _leave_open(questions: Sequence[Question]) -> None:
    """Say what has to be answered; the same command with the answers is the second run."""
    for question in questions:
        typer.echo(f"?  {question.text}")
        options = ", ".join(option or "(nothing: missing)" for option in question.options)
        typer.echo(f"   --answer '{question.key}=...': {options}")
    n = len(questions)
    msg = f"{n} question{'s are' if n > 1 else ' is'} open and nothing was written: run it again with the answers above"
    raise UsageError(msg)


def _asked(question: Question) -> str:
    """Ask on the terminal: by number, or in words."""
    typer.echo(f"?  {question.text}")
    for number, option in enumerate(question.options, start=1):
        typer.echo(f"   {number}  {option or '(missing)'}")
    while True:
        answer = str(typer.prompt("  ")).strip()
        if answer.isdecimal() and 1 <= int(answer) <= len(question.options):
            return question.options[int(answer) - 1]
        if answer in question.options or question.key.endswith(".form"):
            return answer
