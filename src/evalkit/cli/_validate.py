"""``evalkit validate``: what is wrong with a study's tables, and which of their values the protocol does not name."""

from __future__ import annotations

__all__ = ["run"]

from pathlib import Path

import typer

from evalkit.errors import EvalkitError
from evalkit.intake import Codes, Findings, open_gate
from evalkit.protocol import (
    Study,
    changed_defaults,
    empty_items,
    find_private_folder,
    load_frozen,
    load_study,
    private_folder,
    unexplained,
    write_private,
)
from evalkit.publish.rendering import private_files

_CODES, _FINDINGS = "codes.json", "findings.json"


def run(file: Path, period: str | None, out: Path | None, *, codes: bool) -> int:
    """Check a study's tables, or what a period's report would use of them; say what was found, and return 0.

    ``out`` is where the findings go as JSON; ``codes`` shows values that the protocol does not name. A `DataError`
    where there is an error among the findings.
    """
    study = load_study(file)
    gate = open_gate(study)
    findings = gate.findings if period is None else gate.at(gate.periods([period])[0])
    if out is not None:
        with private_files():
            out.write_text(findings.to_json() + "\n", encoding="utf-8")
    typer.echo(str(findings))
    for line in (*changed_defaults(study), *_of_the_protocol(study)):
        typer.echo(line)
    if out is not None:
        typer.echo(f"written to {out}")
    kept = _keep(study, gate.codes, findings)
    if codes:
        typer.echo(gate.codes.proposal())
    elif gate.codes:
        typer.echo(f"{kept}; evalkit validate --codes shows them with what they may stand for")
    # Last: whatever is wrong, findings and codes are kept and said.
    findings.raise_for_errors()
    return 0


def _of_the_protocol(study: Study) -> list[str]:
    """Say what is missing from a protocol that reports would print: reasons of changes, words on the programme."""
    said, versions = [], load_frozen(study)
    if not versions:
        said.append(
            "the protocol was never frozen; evalkit protocol freeze --as v1 'why' keeps it before results are seen"
        )
    said += [f"{one}: nobody wrote down when and why; say it under deviations" for one in unexplained(study, versions)]
    for name, texts in (("programme", study.programme), ("re_aim", study.re_aim)):
        empty = empty_items(texts)
        if empty:
            said.append(f"{name} says nothing of {', '.join(empty)}; the final report leaves that out")
    return said


def _keep(study: Study, codes: Codes, findings: Findings) -> str:
    """Keep codes and findings in the study's private folder, or take away those of an earlier day; say where."""
    files = {_CODES: codes.to_json() if codes else "", _FINDINGS: f"{findings.to_json()}\n" if len(findings) else ""}
    try:
        earlier = find_private_folder(study)  # no folder is made for nothing
        if earlier is not None:
            for name in (name for name, text in files.items() if not text):
                (earlier / name).unlink(missing_ok=True)
        if not any(files.values()):
            return ""
        folder = private_folder(study)
        # The folder lies in the checkout of whoever works on the study: what is in it is never to be committed.
        write_private(folder / ".gitignore", b"*\n")
        for name, text in files.items():
            if text:
                write_private(folder / name, text.encode())
    except (EvalkitError, OSError):
        return "the values that the protocol does not name could not be kept (no private folder can be written)"
    return f"the values that the protocol does not name are in {folder / _CODES}"
