"""What a release holds beside the report: the safe numbers of each figure and table, and each figure as a picture.

``data/<label>.csv``, a dictionary of their columns (``data/datapackage.json`` for programs, ``data/README.md`` for
people), ``figures/<label>.svg`` and ``figures/<label>.png``. All of it comes from the marked outputs of the notebook.
"""

from __future__ import annotations

__all__ = ["frame_of", "write_data"]

import calendar
import json
import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd

from evalkit.errors import PublicationError
from evalkit.glossary import COLUMNS
from evalkit.markup import escaped, title
from evalkit.publish.rendering._document import Document
from evalkit.publish.rendering._prepare import Item
from evalkit.publish.rendering._process import run_child
from evalkit.publish.rendering._typst import COMMAND
from evalkit.spreadsheet import csv_text
from evalkit.words import Messages, messages_for

_PICTURES = "#set page(width: auto, height: auto, margin: 6pt, fill: white)\n"
_TYPES = {"text": "string", "number": "number", "count": "integer", "date": "date"}
_SVG = re.compile(r"<svg\b[^>]*>")
# The finding in strong letters that begins a caption, and is another one each quarter.
_HEADLINE = re.compile(r"^\*\*.*?[^\\]\*\* (?=\S)")


def frame_of(item: Item) -> pd.DataFrame:
    """Return the safe numbers of an item that has some.

    `PublicationError` if the mark of the output does not hold a table of plain values.
    """
    columns, rows = item.numbers.get("columns"), item.numbers.get("rows")
    plain = (str, int, float, type(None))
    if (
        not (isinstance(columns, list) and isinstance(rows, list))
        or not all(isinstance(name, str) for name in columns)
        or not all(isinstance(row, list) and all(isinstance(value, plain) for value in row) for row in rows)
    ):
        msg = f"cell {item.cell} ({item.label}): its numbers are no table of plain values"
        raise PublicationError(msg)
    if any(len(row) != len(columns) for row in rows):
        msg = f"cell {item.cell} ({item.label}): its rows of numbers are not as long as their heading"
        raise PublicationError(msg)
    # As objects: pandas would make 20 people 20.0 where a row has none.
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return pd.DataFrame({name: _typed(frame[name]) for name in columns})


def _typed(values: pd.Series[Any]) -> pd.Series[Any]:
    """Whole numbers stay whole where some are missing."""
    known = values.dropna()
    whole = len(known) > 0 and known.map(lambda v: isinstance(v, int)).all()
    return values.astype("Int64") if whole else values


def write_data(document: Document, scratch: Path, timeout: float, memory_gb: float = 8.0) -> dict[str, Path]:
    """Write numbers and pictures of a document into the render's private `scratch` folder.

    Name in the release (``data/fig-harm.csv``): file; empty without figures and numbers. The pictures have `timeout`
    seconds and `memory_gb`. `PublicationError` if a picture cannot be made, or the numbers of an output are no table;
    `ExecutionTimeoutError` if it takes too long.
    """
    folder = scratch / "files"
    folder.mkdir()
    figures = [item for item in document.items if item.kind == "figure"]
    counted = [item for item in document.items if item.numbers]
    made = _pictures(figures, folder, document, timeout, memory_gb) if figures else {}
    texts = {f"data/{item.label}.csv": csv_text(frame_of(item)) for item in counted}
    if counted:
        texts["data/datapackage.json"] = json.dumps(_package(document, counted), indent=2, ensure_ascii=False) + "\n"
        texts["data/README.md"] = _readme(document, counted)
    for name, text in texts.items():
        made[name] = folder / name.replace("/", "-")
        made[name].write_text(text, encoding="utf-8")
    return made


def _pictures(
    figures: list[Item], folder: Path, document: Document, timeout: float, memory_gb: float
) -> dict[str, Path]:
    """Write each figure as SVG, and as PNG by the Typst compiler, which puts no metadata into pictures."""
    made: dict[str, Path] = {}
    source = folder / "pictures.typ"
    # All in one document: the compiler starts once, not for each figure.
    pages = "#pagebreak()\n".join(f'#image("{item.label}.svg")\n' for item in figures)
    source.write_text(_PICTURES + pages, encoding="utf-8")
    for item in figures:
        made[f"figures/{item.label}.svg"] = folder / f"{item.label}.svg"
        (folder / f"{item.label}.svg").write_text(described(item), encoding="utf-8")
    # The data cut, not the clock: the same figures give the same bytes.
    stamp = str(calendar.timegm(document.cut_date.timetuple()))
    command = [*COMMAND, source.name, "picture-{p}.png", str(folder), "none", stamp]
    done = run_child(command, folder=folder, timeout=max(timeout, 1.0), memory_gb=memory_gb)
    if done.code != 0 or done.err.strip():
        said = (done.err.strip().splitlines() or [f"exit code {done.code}"])[0]
        msg = f"a figure cannot be made into a picture: {said}"
        raise PublicationError(msg)
    for number, item in enumerate(figures, start=1):
        made[f"figures/{item.label}.png"] = folder / f"picture-{number}.png"
    return made


def described(item: Item) -> str:
    """Return a figure's SVG with its caption as title and its alternative text as description."""
    said = f"<title>{escape(item.title)}</title><desc>{escape(item.alt)}</desc>"
    return _SVG.sub(lambda found: found[0] + said, item.text, count=1)


def _package(document: Document, items: list[Item]) -> dict[str, Any]:
    """Describe the files as a Data Package (Frictionless Standards, tabular resources)."""
    say = messages_for(document.locale)
    resources = [
        {
            "name": item.label.lower(),
            "path": f"{item.label}.csv",
            "profile": "tabular-data-resource",
            "title": item.title,
            "caption": title(_HEADLINE.sub("", item.caption)),  # what stays from release to release
            "estimate": item.estimate,
            "analysis": item.analysis,
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": {"fields": [_field(name, say) for name in item.numbers["columns"]], "missingValues": [""]},
        }
        for item in items
    ]
    return {
        "name": "report-data",
        "title": f"{document.title}: {document.study}, {document.period}",
        "description": " ".join(_origin(document, say)),
        "resources": resources,
    }


def _origin(document: Document, say: Messages) -> list[str]:
    cut = say("Data cut {cut}.", cut=document.cut)
    return [cut, say("Synthetic data: no real person is described") + "."] if document.synthetic else [cut]


def _field(name: str, say: Messages) -> dict[str, str]:
    column = COLUMNS.get(name)
    if column is None:
        return {"name": name, "type": "any"}
    unit = {"unit": column.unit} if column.unit else {}
    return {"name": name, "type": _TYPES[column.kind], **unit, "description": say(column.meaning)}


def _readme(document: Document, items: list[Item]) -> str:
    say = messages_for(document.locale)
    names = list(dict.fromkeys(name for item in items for name in item.numbers["columns"]))
    known = [COLUMNS[name] for name in names if name in COLUMNS]
    about = say(
        "Each file holds the numbers of one figure or table of the report, as they passed disclosure control: counts "
        "are a little off on purpose, shares come from such counts, and what may not be shown is empty."
    )
    estimates = say("Estimates are named as in `manifest.json`; the same question has the same name in every release.")
    files, columns = say("file | figure or table | analysis | estimate"), say("column | type | unit | meaning")
    heading = say("Data")
    lines = [
        f"# {escaped(f'{heading}: {document.title}, {document.period}')}",
        "",
        f"{escaped(document.study)}. {' '.join(_origin(document, say))}",
        "",
        about,
        "",
        f"| {files} |",
        "|---|---|---|---|",
        *(f"| {i.label}.csv | {escaped(i.title)} | {i.analysis} | {i.estimate} |" for i in items),
        "",
        estimates,
        "",
        f"| {columns} |",
        "|---|---|---|---|",
        *(f"| {c.name} | {c.kind} | {c.unit} | {say(c.meaning)} |" for c in known),
    ]
    return "\n".join(lines) + "\n"
