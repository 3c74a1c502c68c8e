"""The commands that are groups of others, and what several commands ask alike: a study, a reason, a name of a report.

``evalkit ledger`` is the private folder on another machine, and a ledger for releases whose own one is gone;
``evalkit protocol`` keeps the protocol under a name, lists what was kept, says what changed since. A shell may complete
names of reports and tables, and a slip in one may have meant another.
"""

from __future__ import annotations

__all__ = [
    "DEFAULT_STUDY",
    "StudyOption",
    "ledgers",
    "protocols",
    "report_names",
    "reports_like",
    "tables_like",
    "written_reason",
]

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from evalkit.protocol import Frozen, Study


def report_names(folder: Path) -> list[str]:
    """Return the names of the reports whose files lie in a folder: YAML that names a notebook.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    list of str
    """
    texts = {file.stem: file.read_text(encoding="utf-8", errors="replace") for file in sorted(folder.glob("*.yaml"))}
    return [name for name, text in texts.items() if re.search(r"^notebook:", text, re.MULTILINE)]


def reports_like(incomplete: str) -> list[str]:
    """Return the reports here whose names begin so; the shell asks it at each Tab."""
    return [name for name in report_names(Path("params")) if name.startswith(incomplete)]


def tables_like(incomplete: str) -> list[str]:
    """Return the tables whose names begin so."""
    from evalkit.protocol import TABLE_NAMES  # noqa: PLC0415 - a quarter of a second, at a Tab only

    return [name for name in TABLE_NAMES if name.startswith(incomplete)]


StudyOption = Annotated[Path, typer.Option("--study", help="The study's protocol.", show_default=True)]
DEFAULT_STUDY = Path("params/study.yaml")

ledgers = typer.Typer(
    help="The study's private folder on another machine; a ledger for releases.", no_args_is_help=True
)


@ledgers.command("export")
def ledger_export(
    file: Annotated[Path, typer.Argument(help="File to write; private, as it holds the study's secret.")],
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Write the study's private folder (secret, keys, ledgers, approvals) into one file."""
    from evalkit.protocol import load_study  # noqa: PLC0415
    from evalkit.publish import export_private  # noqa: PLC0415

    number = export_private(load_study(study), file)
    typer.echo(f"wrote {file} ({number} files; keep it as you keep the raw tables)")


@ledgers.command("import")
def ledger_import(
    file: Annotated[Path, typer.Argument(help="From 'evalkit ledger export'.")],
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Put an exported private folder where this study has none."""
    from evalkit.protocol import load_study, private_folder  # noqa: PLC0415
    from evalkit.publish import import_private  # noqa: PLC0415

    protocol = load_study(study)
    number = import_private(protocol, file)
    typer.echo(f"imported {number} files into {private_folder(protocol)}")


@ledgers.command("adopt")
def ledger_adopt(
    why: Annotated[str, typer.Option("--why", metavar="WHY", help="Why the old ledger is not there.")],
    study: StudyOption = DEFAULT_STUDY,
    out: Annotated[Path, typer.Option("--out", help="The reports folder.")] = Path("reports"),
) -> None:
    """Begin a ledger that holds the releases lying there, where their own one is gone or damaged."""
    from evalkit.errors import UsageError  # noqa: PLC0415
    from evalkit.protocol import load_study  # noqa: PLC0415
    from evalkit.publish import adopt_releases  # noqa: PLC0415

    reason = written_reason(why, "--why")
    if not reason:
        msg = "--why: write why, in a few words"
        raise UsageError(msg)
    names = adopt_releases(load_study(study), out.expanduser(), reason)
    typer.echo(f"adopted {len(names)} releases: {', '.join(names)}")


def written_reason(text: str, option: str) -> str:
    """Hold a written reason to be one: words on one line; a `UsageError` that names the option where it holds none."""
    from evalkit.errors import UsageError  # noqa: PLC0415

    flat = " ".join(text.split())
    # A dash is no reason, and this one is published. Of nothing the caller decides.
    if text and not any(character.isalpha() for character in flat):
        msg = f"{option}: write why, in a few words; the reason is published"
        raise UsageError(msg)
    return flat


protocols = typer.Typer(
    help="The protocol as it was registered: freeze it, list what was frozen, see what changed.", no_args_is_help=True
)


@protocols.command("freeze")
def protocol_freeze(
    why: Annotated[str, typer.Argument(help="Why, in a sentence; it is published.")],
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="Its name: v1, v2 ...")],
    study: StudyOption = DEFAULT_STUDY,
    out: Annotated[
        Path, typer.Option("--out", help="The reports folder: what its releases show is what was planned.")
    ] = Path("reports"),
) -> None:
    """Keep rules, outcomes, estimands, thresholds and targets, and the names of the planned results, under a name."""
    # Inside functions, here and below: `evalkit --help` is not to wait for pandas.
    from evalkit.errors import UsageError  # noqa: PLC0415
    from evalkit.protocol import freeze, load_study, version_file  # noqa: PLC0415
    from evalkit.publish import planned_in  # noqa: PLC0415
    from evalkit.zones import today  # noqa: PLC0415

    reason, protocol = written_reason(why, "why"), load_study(study)
    if not reason:
        msg = "why: write why, in a few words; the reason is published"
        raise UsageError(msg)
    # What is registered is what a rehearsal on synthetic tables shows, not a list by hand (ADR 22).
    planned = planned_in(out.expanduser(), protocol)
    frozen = freeze(protocol, name, reason, today(protocol.time_zone), planned)
    typer.echo(f"froze the protocol as {frozen.name} on {frozen.day} ({frozen.sha256[:16]})")
    for change in frozen.changes:
        typer.echo(f"  {change.key}: {change.old} before, {change.new} now")
    plan = f"{len(planned)} planned results"
    if not planned:
        plan = f"no planned results: {out} holds no release; render one of synthetic tables first"
    typer.echo(f"  {plan}\n  commit {version_file(protocol, frozen.name)}")


@protocols.command("list")
def protocol_list(study: StudyOption = DEFAULT_STUDY) -> None:
    """List the frozen protocols, and how much has changed since the newest."""
    from evalkit.protocol import decisive, differences, load_frozen, load_study  # noqa: PLC0415

    protocol = load_study(study)
    versions = load_frozen(protocol)
    for one in versions:
        typer.echo(f"{one.name}  {one.day}  {one.sha256[:16]}  {len(one.planned)} planned results  {one.why}")
    if not versions:
        typer.echo("the protocol was never frozen; evalkit protocol freeze --as v1 'why' keeps it")
        return
    found = differences(versions[-1].values, decisive(protocol))
    typer.echo(f"changed since {versions[-1].name}: {len(found) or 'nothing'}")


@protocols.command("diff")
def protocol_diff(
    first: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="Name of a frozen protocol; the newest when not given."),
    ] = None,
    second: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="Name of another; the protocol as it is now when not given."),
    ] = None,
    study: StudyOption = DEFAULT_STUDY,
) -> None:
    """Say which values differ between two frozen protocols, or between one and now."""
    from evalkit.protocol import changes_since, decisive, differences, load_frozen, load_study  # noqa: PLC0415

    protocol = load_study(study)
    versions = load_frozen(protocol)
    old = _named(versions, first, protocol)
    new = _named(versions, second, protocol) if second is not None else None
    # Reasons of what changed between the two: an earlier or a later change of the same key had its own.
    ends = sorted([versions.index(old), versions.index(new) if new else len(versions)])
    between = {*(one.name for one in versions[ends[0] + 1 : ends[1] + 1]), *([] if new else [""])}
    reasons = {c.key: c for c in changes_since(protocol, versions) if c.version in between}
    found = differences(old.values, new.values if new else decisive(protocol))
    for key, then, now in found:
        change = reasons.get(key)
        said = f"  ({change.since}: {change.why.en})" if change and change.why else "  (nobody wrote down why)"
        typer.echo(f"{key}: {then} in {old.name}, {now} {f'in {new.name}' if new else 'now'}{said}")
    if not found:
        typer.echo(f"nothing differs between {old.name} and {new.name if new else 'the protocol as it is now'}")


def _named(versions: Sequence[Frozen], name: str | None, study: Study) -> Frozen:
    from evalkit.errors import ProtocolError, did_you_mean  # noqa: PLC0415

    if not versions:
        msg = f"{study.path}: the protocol was never frozen; evalkit protocol freeze --as v1 'why' keeps it"
        raise ProtocolError(msg)
    found = next((one for one in versions if name in {None, one.name} and (name or one is versions[-1])), None)
    if found is None:
        names: Iterable[str] = [one.name for one in versions]
        msg = f"there is no frozen protocol '{name}'{did_you_mean(str(name), names)}; there are: {', '.join(names)}"
        raise ProtocolError(msg)
    return found
