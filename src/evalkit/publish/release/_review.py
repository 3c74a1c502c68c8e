"""The output-check pack: what a person needs to decide whether a release may go out.

Each output as readers will see it, and beside it the exact counts underneath, what the policy did to each of them and
why. It holds exact counts, so it stays in the study's private folder.
"""

from __future__ import annotations

__all__ = ["TOLD", "cleaned", "keep_for_review", "kept_folder_of", "told_before", "write_pack"]

import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.disclosure import read_told
from evalkit.errors import ReleaseError
from evalkit.protocol import Study, load_disclosure, make_private, private_folder
from evalkit.protocol import write_private as write_private_bytes
from evalkit.publish.audit import counted
from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._manifest import MANIFEST, refuse_draft
from evalkit.seal import MARK
from evalkit.spreadsheet import csv_text

TOLD = "told.bin"
"""Of whom a release told numbers: keys and sizes of groups."""
# Of a mark, what a reviewer is told; its numbers stand beside the release, its seal is of no use any more.
_TOLD = ("shows", "kind", "estimate", "verdict", "alt", "line")
_COLUMNS = [
    "cell",
    "line",
    "estimate",
    "kind",
    "verdict",
    "what",
    "column",
    "exact",
    "shown",
    "published",
    "rule",
]
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2530}"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{border:1px solid #c9d1d8;padding:.2rem .5rem;text-align:left}"
    "section{border-top:2px solid #0b5a7a;margin-top:2rem}svg{max-width:100%;height:auto}"
    ".secret{background:#fdf1e7;padding:.5rem 1rem}"
)
_SHOWN = ["cell", "shows", "kind", "estimate", "verdict"]


def kept_folder_of(study: Study, manifest: Path) -> Path:
    """Return the private folder of one release: named by the digest of its manifest, whatever the release is called."""
    return private_folder(study) / "review" / digest(manifest)[:16]


def cleaned(executed: Any) -> Any:  # noqa: ANN401 - nbformat has no types
    """Return an executed notebook that passed the audit with its author's cells and sealed outputs, and nothing else.

    Injected parameters, metadata, execution records, seals and numbers of data files are left out.
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
    told: Path | None = None,
) -> Path:
    """Keep in private what the output-check pack of a release about to be placed is made from, and return the folder.

    `record` is what the report wrote of its counts, one JSON line per output; `looked`, how many counts stand behind
    what is shown and how many of them are small; `told`, of whom the report told numbers, with which later releases
    look for differences (`told_before`).
    """
    folder = make_private(kept_folder_of(study, manifest))
    lines = record.read_text(encoding="utf-8").splitlines() if record is not None and record.is_file() else []
    write_private(folder / "executed.ipynb", nbformat.writes(cleaned(executed)))
    write_private(folder / "record.jsonl", "".join(f"{line}\n" for line in lines))
    # Empty, too: the folder with this file says that it is known whom the release told of (`told_before`).
    write_private_bytes(folder / TOLD, told.read_bytes() if told is not None and told.is_file() else b"")
    write_private(folder / "looked.json", json.dumps(dict(looked or {}), sort_keys=True) + "\n")
    return folder


def told_before(study: Study, file: Path) -> set[str]:
    """Write of whom all releases of a study told numbers, whatever folder they went to, into one file for a run.

    Returns the digests of their manifests, as far as folders are named by them; of others nothing is known here.
    `DisclosureError` if what was kept of a release is damaged.
    """
    found = {kept.parent.name: read_told(kept) for kept in (private_folder(study) / "review").glob(f"*/{TOLD}")}
    write_private_bytes(file, np.concatenate(list(found.values())).tobytes() if found else b"")
    return set(found)


def write_private(file: Path, text: str) -> None:
    """Write a text that only the study's users can read, whole or not at all."""
    write_private_bytes(file, text.encode("utf-8"))


def write_pack(release: Path, study: Study) -> Path:
    """Write the output-check pack of a release.

    Parameters
    ----------
    release : pathlib.Path
        The release folder, published or waiting.
    study : Study

    Returns
    -------
    pathlib.Path
        A private folder with ``index.html``, ``outputs.csv`` and ``counts.csv``.

    Raises
    ------
    ReleaseError
        If the folder is no release, or nothing was kept for its review on this machine.
    """
    refuse_draft(release)
    manifest = release / MANIFEST
    if not manifest.is_file():
        msg = f"{release}: is no release (it has no {MANIFEST})"
        raise ReleaseError(msg)
    kept = kept_folder_of(study, manifest)
    if not (kept / "executed.ipynb").is_file():
        msg = f"{release}: nothing was kept for its review here; it was rendered elsewhere, or its manifest was changed"
        raise ReleaseError(msg)
    notebook = nbformat.read(kept / "executed.ipynb", as_version=4)
    lines = [json.loads(line) for line in (kept / "record.jsonl").read_text(encoding="utf-8").splitlines()]
    outputs = list(_outputs(notebook))
    counts = _counts(lines, outputs, study)
    pack = kept / "pack"
    pack.mkdir(mode=0o700, exist_ok=True)
    facts = json.loads(manifest.read_text(encoding="utf-8")) | {"looked": _looked(kept / "looked.json")}
    write_private(pack / "counts.csv", csv_text(counts))
    write_private(
        pack / "outputs.csv", csv_text(pd.DataFrame([{k: o[k] for k in _SHOWN} for o in outputs], columns=_SHOWN))
    )
    write_private(pack / "index.html", _page(facts, outputs, counts, study, release.name))
    return pack


def _looked(file: Path) -> dict[str, int]:
    """Return how much disclosure control looked at; nothing for releases whose manifests said it themselves."""
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _outputs(notebook: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - nbformat has no types
    for number, cell in counted(notebook):
        for output in cell.get("outputs", []):
            mark = output["metadata"][MARK]
            told = {name: str(mark.get(name, "")) for name in _SHOWN}
            yield {
                **told,
                "cell": number,
                "line": int(mark.get("line", 0)),
                "alt": str(mark.get("alt", "")),
                "data": dict(output["data"]),
            }


def _counts(lines: list[dict[str, Any]], outputs: list[dict[str, Any]], study: Study) -> pd.DataFrame:
    """One row per count underneath: exact, as published, and the rule that decided."""
    minimum = load_disclosure(study).minimum_count
    # From the last on, so that of several outputs the first keeps the place.
    by_line = {o["line"]: o["cell"] for o in reversed(outputs) if o["line"]}
    place = {o["estimate"]: o["cell"] for o in reversed(outputs) if o["estimate"]}
    rows = [
        {
            "cell": by_line.get(line.get("line"), place.get(line["estimate"])), "line": line.get("line", 0),
            "estimate": line["estimate"], "kind": line["kind"], "verdict": line["verdict"],
            "what": cell["name"], "column": cell["column"],
            "exact": cell["count"], "shown": "yes" if cell["shown"] else "no",
            "published": cell["public"] if cell["shown"] else None, "rule": _rule(cell, minimum),
        }
        for line in lines
        for cell in line["cells"]
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


def _rule(cell: dict[str, Any], minimum: int) -> str:
    if cell["shown"]:
        return "noise of the people" if cell["linked"] else "noise of the question: who they are is not known"
    return f"withheld: fewer than {minimum}" if 0 < cell["count"] < minimum else "withheld with its row"


def _page(facts: dict[str, Any], outputs: list[dict[str, Any]], counts: pd.DataFrame, study: Study, name: str) -> str:
    policy = load_disclosure(study).model_dump()
    rules = "".join(f"<tr><th>{_text(k)}</th><td>{_text(v)}</td></tr>" for k, v in sorted(policy.items()))
    asked = facts.get("overrides") or facts.get("exceptions") or []
    exceptions = "".join(f"<li>{_text(a)}</li>" for a in asked) or "<li>None.</li>"
    looked = ", ".join(f"{n.replace('_', ' ')} {v}" for n, v in sorted(facts["looked"].items())) or "nothing kept"
    excused = "".join(
        f"<li>{_text(e['table'])}: {_text(e['rule'])}, until {_text(e['until'])} ({_text(e['by'])}): "
        f"{_text(e['reason'])}</li>"
        for e in facts.get("excused") or []
    )
    hidden = int((counts["shown"] == "no").sum())
    parts = [_section(output, counts) for output in outputs]
    title = f"Output check: {facts.get('report', '')} {name}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{_text(title)}</h1>"
        '<p class="secret"><strong>Private.</strong> This page holds exact counts. It must not leave the team.</p>'
        f"<p>{len(outputs)} outputs, {len(counts)} counts underneath, {hidden} of them not shown. "
        "Files: <a href='outputs.csv'>outputs.csv</a>, <a href='counts.csv'>counts.csv</a>.</p>"
        f"<p>Disclosure control: {_text(looked)}.</p>"
        f"<h2>Policy applied</h2><table>{rules}</table><h2>Exceptions asked for</h2><ul>{exceptions}</ul>"
        f"<h2>Rules that the tables break, excused</h2><ul>{excused or '<li>None.</li>'}</ul>"
        f"<h2>Outputs</h2>{''.join(parts)}</body></html>\n"
    )


def _section(output: dict[str, Any], counts: pd.DataFrame) -> str:
    key = "line" if output["line"] else "estimate"
    own = counts[counts[key] == output[key]] if output["estimate"] else counts.iloc[:0]
    data = output["data"]
    seen = data.get("image/svg+xml") or data.get("text/html") or f"<pre>{_text(data.get('text/markdown', ''))}</pre>"
    shown = own[["what", "column", "exact", "shown", "published", "rule"]]
    # A reviewer has to tell an output of no counts (methods) from one whose counts nobody recorded.
    nothing = "<p>No counts of people underneath.</p>"
    if output["estimate"] and own.empty:
        nothing = "<p><strong>Nothing is recorded of what is shown here.</strong></p>"
    table = shown.to_html(index=False, border=0, escape=True) if len(own) else nothing
    alt = f"<p><em>Alternative text:</em> {_text(output['alt'])}</p>" if output["alt"] else ""
    about = f"{output['kind']}, {output['verdict'] or 'from the protocol'}"
    return (
        f"<section><h3>Cell {output['cell']}: {_text(about)} {_text(output['estimate'])}</h3>{seen}{alt}"
        f'<div class="secret"><h4>Underneath</h4>{table}</div></section>'
    )


def _text(value: object) -> str:
    return html.escape(str(value))
