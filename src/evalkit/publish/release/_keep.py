"""What a render keeps for the people who check it: the cleaned notebook and the counts underneath, in private."""

from __future__ import annotations

__all__ = ["cleaned", "keep_for_review", "kept_folder_of"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.protocol import Study, make_private, private_folder
from evalkit.protocol import write_private as write_private_bytes
from evalkit.publish.audit import counted
from evalkit.publish.release._environment import digest
from evalkit.seal import MARK

_TOLD = ("shows", "kind", "estimate", "verdict", "alt", "line")


def kept_folder_of(study: Study, manifest: Path) -> Path:
    """Return the private folder of one release: named by the digest of its manifest, whatever the release is called.

    Parameters
    ----------
    study : Study
    manifest : pathlib.Path
        The release's manifest.

    Returns
    -------
    pathlib.Path
    """
    return private_folder(study) / "review" / digest(manifest)[:16]


def cleaned(executed: Any) -> Any:  # noqa: ANN401 - nbformat has no types
    """Return an executed notebook with its author's cells and its sealed outputs, and nothing else.

    Parameters
    ----------
    executed : nbformat.NotebookNode
        That passed the audit; not changed.

    Returns
    -------
    nbformat.NotebookNode
        Without injected parameters, metadata, execution records, seals and numbers of data files.
    """
    cells = []
    for number, cell in counted(executed):
        if cell.cell_type == "markdown":
            cells.append(new_markdown_cell(cell.source, id=f"cell-{number:03d}"))
        elif cell.cell_type == "code":
            outputs = [_plain(output) for output in cell.outputs if MARK in output.get("metadata", {})]
            cells.append(new_code_cell(cell.source, outputs=outputs, id=f"cell-{number:03d}"))
    return new_notebook(cells=cells)


def _plain(output: Any) -> Any:  # noqa: ANN401
    mark = output["metadata"][MARK]
    told = {name: mark[name] for name in _TOLD if name in mark}
    return new_output("display_data", data=dict(output["data"]), metadata={MARK: told})


def keep_for_review(
    study: Study,
    manifest: Path,
    executed: Any,  # noqa: ANN401 - nbformat has no types
    record: Path | None,
    looked: Mapping[str, int] | None = None,
) -> Path:
    """Keep what the output-check pack is made from.

    Parameters
    ----------
    study : Study
    manifest : pathlib.Path
        Of the release about to be placed.
    executed : nbformat.NotebookNode
    record : pathlib.Path or None
        What the report wrote of its counts, one JSON line per output; None: nothing was written.
    looked : mapping of str to int, optional
        How many counts stand behind what is shown, and how many of them are small.

    Returns
    -------
    pathlib.Path
        A private folder.
    """
    folder = make_private(kept_folder_of(study, manifest))
    lines = record.read_text(encoding="utf-8").splitlines() if record is not None and record.is_file() else []
    told = "".join(f"{line}\n" for line in lines)
    write_private(folder / "executed.ipynb", nbformat.writes(cleaned(executed)))
    write_private(folder / "record.jsonl", told)
    write_private(folder / "looked.json", json.dumps(dict(looked or {}), sort_keys=True) + "\n")
    return folder


def write_private(file: Path, text: str) -> None:
    """Write a text that only the study's users can read, whole or not at all.

    Parameters
    ----------
    file : pathlib.Path
    text : str
    """
    write_private_bytes(file, text.encode("utf-8"))
