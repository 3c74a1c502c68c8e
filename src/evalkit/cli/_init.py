"""``evalkit init``: from a few answers to a study that renders."""

from __future__ import annotations

__all__ = ["Answers", "run", "slug"]

import os
import re
import shlex
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import typer

from evalkit.errors import UsageError, did_you_mean
from evalkit.examples import SIMULATED, Group, Starter, starter_files, write_new
from evalkit.protocol import TABLE_NAMES, Study, parse_yaml, schema_files, validate

_KEPT = (".gitignore", ".pre-commit-config.yaml", "Makefile", "README.md")  # a folder of git has some of them already
# In the order in which they are preferred, where a table lies there twice.
_SUFFIXES = (".csv", ".xlsx", ".parquet", ".tsv", ".xlsm", ".duckdb", ".db", ".txt")
_ASSIGNMENTS = ("mandate", "random", "other")
_LANGUAGES = ("en", "es")
_DEMO_TITLE = "Non-mandated services for people who cause harm in intimate-partner relationships"
_DEMO_STARTS = "2021-11-18"  # the pilot's announcement, from which the simulated referrals come


@dataclass(frozen=True, slots=True)
class Answers:
    """What was said on the command line; None: nothing."""

    id: str | None = None
    title: str | None = None
    starts: str | None = None
    focus: str | None = None
    comparison: str | None = None
    assignment: str | None = None
    tables: Path | None = None
    demo: bool = False
    language: str = "en"


def run(folder: Path, said: Answers) -> None:
    """Write a study, and say what to do next.

    What was not said is asked for on a terminal; elsewhere it has a default, or the message names the option. A
    `UsageError` where an answer is none, a `ReleaseError` where a file of the study lies there already.
    """
    folder = folder.expanduser().resolve()
    answers = said if said.demo or not _terminal() else _asked(said, folder)
    study = _starter(answers, folder)
    files = starter_files(study)
    files |= {f"params/schema/{name}": content for name, content in schema_files().items()}
    if study.demo:
        files |= _simulated()
    validate(Study, parse_yaml(files["params/study.yaml"].decode(), "study.yaml"), "the study")  # a title may be none
    kept = write_new(folder, files, _KEPT)
    _tell(folder, study, kept)


def _terminal() -> bool:
    # Both: a question that goes into a file is never answered.
    return sys.stdin.isatty() and sys.stdout.isatty()


def _asked(said: Answers, folder: Path) -> Answers:
    """Ask for what was not said; each question has an answer that Enter gives, where one can be given."""
    name = said.id or _prompt("Short name of the study (a to z, 0 to 9, -)", slug(folder.name), _good_id)
    title = said.title or _prompt("Title, as reports print it", name.replace("-", " ").capitalize())
    focus = said.focus or _prompt("The group the study is about (value=label)", _shown(SIMULATED[0]), _group)
    other = said.comparison or _prompt("The group it is compared with", _shown(SIMULATED[1]), _group)
    apart = said.assignment or _prompt("What sets them apart (mandate, random, other)", "mandate", _assignment)
    starts = said.starts or _prompt("First day on which a referral belongs to it (2021-11-18)", None, _day)
    tables = said.tables or Path(_prompt("Folder of its tables", os.path.relpath(folder / "data")))
    return replace(
        said, id=name, title=title, focus=focus, comparison=other, assignment=apart, starts=starts, tables=tables
    )


def _prompt(question: str, default: str | None, check: Callable[[str], Any] = str) -> str:
    """Ask until the answer is one."""
    while True:
        answer = str(typer.prompt(question, default=default)).strip()
        try:
            check(answer)
        except UsageError as error:
            typer.echo(f"  {error}")
        else:
            return answer


def _starter(answers: Answers, folder: Path) -> Starter:
    """Turn answers into a study; what was not said has a default where one cannot be wrong."""
    name = _good_id(answers.id or slug(folder.name) or "study")
    title = answers.title or (_DEMO_TITLE if answers.demo else name.replace("-", " ").capitalize())
    starts = answers.starts or (_DEMO_STARTS if answers.demo else None)
    if starts is None:
        msg = "say --starts: the first day on which a referral belongs to the study (2021-11-18); or --demo"
        raise UsageError(msg)
    if answers.demo and answers.tables is not None:
        msg = "--demo has tables of its own; leave --tables out, or --demo"
        raise UsageError(msg)
    tables = {n: f"../data/{n}.csv" for n in TABLE_NAMES} if answers.demo else _found(answers.tables, folder)
    focus, comparison = (
        _group(answers.focus or _shown(SIMULATED[0])),
        _group(answers.comparison or _shown(SIMULATED[1])),
    )
    if focus.value == comparison.value:
        msg = f"--focus and --comparison have the same value '{focus.value}'; it is what tells the groups apart"
        raise UsageError(msg)
    return Starter(
        id=name,
        title=" ".join(title.split()),
        starts=_day(starts),
        focus=focus,
        comparison=comparison,
        assignment=_assignment(answers.assignment or "mandate"),
        tables=tables,
        demo=answers.demo,
        language=_one_of(answers.language, _LANGUAGES, "--language"),
    )


def _found(tables: Path | None, folder: Path) -> dict[str, str]:
    """Return where the tables lie, from the protocol's folder: files that have our names; participants in any case."""
    place = (folder / "data" if tables is None else tables.expanduser()).absolute()
    found = {}
    for name in TABLE_NAMES:
        files = [place / f"{name}{suffix}" for suffix in _SUFFIXES if (place / f"{name}{suffix}").is_file()]
        # Without participants there is no study: their table is named where it will have to lie.
        if files or name == "participants":
            file = files[0] if files else place / f"{name}.csv"
            found[name] = Path(os.path.relpath(file, folder / "params")).as_posix()
    return found


def _simulated() -> dict[str, bytes]:
    from evalkit.simulate import simulate  # noqa: PLC0415 - pandas, for the demo only

    # As `evalkit simulate` without a seed: all demos are one study.
    tables = simulate("benefit", seed=20211118).files()
    return {f"data/{name}": content for name, content in tables.items()}


def slug(text: str) -> str:
    """Return a text as the name of a folder: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")


def _good_id(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", text):
        msg = f"'{text}' is no short name: a to z, 0 to 9, - and _, such as {slug(text) or 'my-study'}"
        raise UsageError(msg)
    return text


def _shown(group: Group) -> str:
    return f"{group.value}={group.label}"


def _group(text: str) -> Group:
    value, sign, label = (part.strip() for part in text.partition("="))
    if not value or (sign and not label):
        msg = f"'{text}' is no group: write what stands in the column, =, and how reports name it: paip=PAIP"
        raise UsageError(msg)
    return Group(value, label or value.replace("_", " ").capitalize())


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # Python reads other forms, too
        msg = f"'{text}' is no day; write it as 2021-11-18"
        raise UsageError(msg)
    return day


def _assignment(text: str) -> Any:  # noqa: ANN401 - one of three words
    return _one_of(text, _ASSIGNMENTS, "--assignment")


def _one_of(text: str, words: tuple[str, ...], option: str) -> Any:  # noqa: ANN401
    if text not in words:
        msg = f"{option} '{text}': there are {', '.join(words)}{did_you_mean(text, words)}"
        raise UsageError(msg)
    return text


def _tell(folder: Path, study: Starter, kept: list[str]) -> None:
    """Say what was written, and the next command as it is to be typed."""
    typer.echo(f"wrote the study {study.id} to {folder}")
    if kept:
        typer.echo(f"  kept as they were: {', '.join(kept)}")
    # It is the one file whose words the study needs: without them tables could be committed.
    if ".gitignore" in kept:
        typer.echo("  the .gitignore that was there should name .evalkit/, data/ and exports/")
    there = "" if folder == Path.cwd() else f"cd {shlex.quote(os.path.relpath(folder))} && "
    report = "quarterly-es" if study.language == "es" else "quarterly"
    missing = [n for n, path in study.tables.items() if not (folder / "params" / path).is_file()]
    if missing:
        typer.echo(
            f"next: {there}evalkit map participants YOUR-EXPORT.xlsx   (or put the table where params/study.yaml says)"
        )
    elif study.demo:
        typer.echo(f"next: {there}evalkit render {report}")
    else:
        typer.echo(f"next: {there}evalkit validate && evalkit render {report}")
