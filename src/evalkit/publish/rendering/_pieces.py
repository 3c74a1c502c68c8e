"""A document's pieces as files: Markdown and pictures for pandoc, and what a release holds beside the report.

Below a figure or table of the page stand its numbers. The files beside the report are ``data/<label>.csv``, a
dictionary of their columns (``data/datapackage.json`` for programs, ``data/README.md`` for people),
``figures/<label>.svg`` and ``figures/<label>.png``. All of it comes from the marked outputs of the notebook.
"""

from __future__ import annotations

__all__ = [
    "beside",
    "column_headings",
    "css_string",
    "finished",
    "frame_of",
    "markdown_parts",
    "wrap_tables",
    "write_data",
    "write_markdown",
]

import calendar
import html
import json
import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd

from evalkit.errors import PublicationError
from evalkit.glossary import COLUMNS
from evalkit.markup import escaped, title
from evalkit.publish.rendering._document import Document, Item
from evalkit.publish.rendering._machine import run_child
from evalkit.publish.rendering._typst import COMMAND
from evalkit.spreadsheet import csv_text
from evalkit.words import Messages, messages_for

_WIDTH = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)pt"')
_PHONE = 400.0  # points of letters as large as a figure's that a phone shows without making them too small
_FENCE = re.compile(r"^(`{3,})", re.MULTILINE)
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_CAPTION = re.compile(r"<caption\b[^>]*>(.*?)</caption>", re.DOTALL)
_OUTSIDE = re.compile(r"<figcaption\b[^>]*>((?:(?!<figcaption\b|</figure>).)*?)</figcaption>(?!.*</figure>)", re.DOTALL)
_HEADING = re.compile(r"<h[1-6]\b[^>]*>(.*?)</h[1-6]>", re.DOTALL)
_HEADING_CELL = re.compile(r'<td\b([^>]*\bscope="(?:col|row)group"[^>]*)>(.*?)</td>', re.DOTALL)
_EMPTY_HEADING = re.compile(r"<th\b[^>]*>\s*</th>")
_WRAPPED = re.compile(r'<div[^>]*class="table-wrap"[^>]*>\s*$')
_CONTENTS = re.compile(r'<nav class="contents".*?</nav>\s*', re.DOTALL)
_PLACE = re.compile(r'<div class="contents">\s*</div>')
# Significant digits below a figure: what it shows. The file beside it holds all that is published.
_DECIMALS = 4


def write_markdown(document: Document, folder: Path) -> Path:
    """Write ``report.md`` and its pictures into the render's scratch folder, and return the file."""
    file = folder / "report.md"
    file.write_text("\n\n".join(markdown_parts(document, folder)) + "\n", encoding="utf-8")
    return file


def markdown_parts(document: Document, folder: Path) -> list[str]:
    """Return a document's pieces as Markdown, and write ``media/*.svg`` into the render's scratch folder."""
    media = folder / "media"
    media.mkdir(exist_ok=True)
    say = messages_for(document.locale)
    return [_part(item, media) + files_of(item, say, linked=not document.draft) for item in document.items]


def _part(item: Item, media: Path) -> str:
    if item.kind == "figure":
        (media / f"{item.label}.svg").write_text(item.text, encoding="utf-8")
        said = f"#{item.label} fig-alt={quoted(item.alt)}"
        if item.phone:
            (media / f"{item.label}-phone.svg").write_text(item.phone, encoding="utf-8")
            said += f' phone="media/{item.label}-phone.svg"'
        elif _is_wide(item.text):
            said += " .wide"
        return f"![{item.caption}](media/{item.label}.svg){{{said}}}"
    if item.kind == "table":
        return f"::: {{#{item.label}}}\n{_fenced('{=html}', item.text)}\n\n{item.caption}\n:::"
    if item.kind == "code":
        return _fenced("python", item.text)
    return item.text


def _is_wide(svg: str) -> bool:
    """Say whether a picture is too wide to be read when it is squeezed to a phone: panels side by side."""
    found = _WIDTH.search(svg)
    return found is not None and float(found[1]) > _PHONE


def files_of(item: Item, say: Messages, *, linked: bool = True) -> str:
    """Return what stands below a figure or table in the HTML edition, as Markdown that other formats pass over.

    Empty when nothing does. `linked`: its files lie beside the page.
    """
    text = beside(item, say, linked=linked)
    return f"\n\n{_fenced('{=html}', text)}" if text else ""


def quoted(text: str) -> str:
    """Return a text as the value of a pandoc attribute: entities are read there, and nothing else is.

    >>> print(quoted('a "b" & c'))
    "a &quot;b&quot; &amp; c"
    """
    flat = " ".join(text.split())
    return f'"{html.escape(flat).replace(chr(92), "&#92;")}"'


def _fenced(info: str, text: str) -> str:
    # Longer than any in the text, which would end its own block.
    longest = max((len(found) for found in _FENCE.findall(text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{text.strip()}\n{fence}"


def beside(item: Item, say: Messages, *, linked: bool = True) -> str:
    """Return the numbers and files of a figure or table as raw HTML: a toggle (no script) and links; or nothing.

    `linked`: its files lie beside the page; a draft has none.
    """
    links = [(f"data/{item.label}.csv", say("Numbers (CSV)"))] if item.numbers else []
    if item.kind == "figure":
        links += [
            (f"figures/{item.label}.{form}", say("Picture ({form})", form=form.upper())) for form in ("svg", "png")
        ]
    if not linked:
        links = []
    toggled = item.kind == "figure" and item.numbers
    if not (links or toggled):
        return ""
    caption = html.escape(item.title)
    unseen = f'<span class="unseen">: {caption}</span>'
    anchors = "".join(f'<a href="{target}">{text}{unseen}</a>' for target, text in links)
    toggle = ""
    if toggled:
        words = say("Show the numbers as a table")
        summary = f"<summary>{words}{unseen}</summary>"
        name = html.escape(say("Numbers: {caption}", caption=item.title))
        wrap = f'<div class="table-wrap" role="region" tabindex="0" aria-label="{name}">'
        toggle = f"<details>{summary}{wrap}{_table(frame_of(item), say)}</div></details>"
    return f'<div class="beside">{toggle}{f"<p>{anchors}</p>" if links else ""}</div>'


def _table(frame: pd.DataFrame, say: Messages) -> str:
    # a share of all referred, also of those too recently referred to have taken a step, is no rate to be quoted
    frame = frame.drop(columns="share", errors="ignore")
    if "label" in frame:  # says in words what these say in names
        frame = frame.drop(columns=["term", "variable"], errors="ignore")
    names = [str(name) for name in frame]
    numeric = {name for name in names if not frame[name].map(lambda v: isinstance(v, str)).any()}
    mark = {name: ' class="figure-number"' if name in numeric else "" for name in names}
    named = column_headings(say)
    head = "".join(
        f'<th scope="col"{mark[n]}>{html.escape(named.get(n, say(n.replace("_", " "))))}</th>' for n in names
    )
    rows = (
        "".join(f"<td{mark[n]}>{html.escape(_written(v))}</td>" for n, v in zip(names, row, strict=True))
        for row in frame.astype(object).itertuples(index=False)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


def _written(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
        return ""
    return f"{value:.{_DECIMALS}g}".replace("-", "−") if isinstance(value, float) else str(value)


def column_headings(say: Messages) -> dict[str, str]:
    """Return the headings of columns of numbers, by their names in the data files."""
    return {
        "group": say("Group"),
        "label": say("What"),
        "term": say("Term"),
        "time": say("Day"),
        "time_from": say("From day"),
        "n": say("Out of"),
        "n_risk": say("At risk"),
        "n_event": say("Number"),
        "estimate": say("Estimate"),
        "conf_low": say("Lower limit"),
        "conf_high": say("Upper limit"),
        "measure": say("Measure"),
        "period": say("Period"),
    }


def finished(page: str) -> str:
    """Return a page (HTML) as it is published: tables that scroll, and the contents after what is to be read first.

    >>> finished('<nav class="contents">C</nav><h2>Found</h2><div class="contents"></div>')
    '<h2>Found</h2><nav class="contents">C</nav>'
    """
    found = _CONTENTS.search(page)
    if found and _PLACE.search(page):
        page = _PLACE.sub(lambda _: found[0].strip(), page.replace(found[0], "", 1), count=1)
    return wrap_tables(page)


def wrap_tables(page: str) -> str:
    """Put each table that can be wider than a screen into a box that scrolls, by keyboard too; mark its headings.

    Tables that stand in such a box already keep it.

    >>> wrap_tables("<h2>T <b>1</b></h2><table></table>").removeprefix("<h2>T <b>1</b></h2>")
    '<div class="table-wrap" role="region" tabindex="0" aria-label="T 1"><table></table></div>'
    """
    parts: list[str] = []
    end = 0
    for found in _TABLE.finditer(page):
        before = page[end : found.start()]
        table = _EMPTY_HEADING.sub("<td></td>", _HEADING_CELL.sub(r"<th\1>\2</th>", found[0]))
        end = found.end()
        if _WRAPPED.search(before):
            parts += [before, table]
            continue
        # A box that the keyboard reaches has to say what it is: by its caption, or else by the heading above.
        named = _CAPTION.search(table) or _OUTSIDE.search(before)
        title = named or next(iter(reversed([*_HEADING.finditer(page, 0, found.start())])), None)
        name = html.escape(html.unescape(" ".join(re.sub(r"<[^>]+>", "", title[1]).split()))) if title else "-"
        opened = f'<div class="table-wrap" role="region" tabindex="0" aria-label="{name}">'
        parts += [before, f"{opened}{table}</div>"]
    return "".join([*parts, page[end:]])


def css_string(text: str) -> str:
    r"""Return a text as what stands between quotes in a style sheet inside a page.

    >>> css_string('a "b" </style>')
    'a \\22 b\\22  \\3c /style\\3e '
    """
    return "".join(f"\\{ord(c):x} " if c in "\"\\'<>&\n\r" else c for c in " ".join(text.split()))


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
