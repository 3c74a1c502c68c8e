"""``evalkit ledger``: the private folder on another machine, and a ledger for releases whose own one is gone."""

from __future__ import annotations

__all__ = ["DEFAULT_STUDY", "StudyOption", "ledgers", "written_reason"]

from pathlib import Path
from typing import Annotated

import typer

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
