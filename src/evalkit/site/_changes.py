"""What a revision says of the one before it, as its manifest has it: what went in, which published numbers differ."""

from __future__ import annotations

__all__ = ["changes_of", "items_of"]

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evalkit.publish.release import Change
from evalkit.publish.rendering import column_headings
from evalkit.site._gather import Release
from evalkit.site._series import Question, Row
from evalkit.site._words import Reader, Told, label_of, plain
from evalkit.words import keys

_REPEATED = re.compile(r" \(\d+\)$")  # of rows that have the same name


def items_of(release: Release) -> list[dict[str, Any]]:
    """List the figures and tables of a release with their files, as its data package names them.

    ``label``, ``title``, ``columns``, and ``files`` as pairs of a form and a name.
    """
    names = set(release.outputs)
    # A release without figures and numbers, or of before they had a package.
    if "data/datapackage.json" not in names:
        return []
    package = json.loads((release.folder / "data" / "datapackage.json").read_text(encoding="utf-8"))
    return [
        {
            "label": one["path"].removesuffix(".csv"),
            "title": one.get("caption", one["title"]).removesuffix("."),
            "columns": [field["name"] for field in one["schema"]["fields"]],
            "files": [
                (form, name)
                for form, name in (
                    ("CSV", f"data/{one['path']}"),
                    *((f.upper(), f"figures/{one['path'].removesuffix('.csv')}.{f}") for f in ("svg", "png")),
                )
                if name in names
            ],
        }
        for one in package["resources"]
    ]


def changes_of(release: Release, reader: Reader) -> dict[str, Any] | None:
    """Return what a revision says of the one before it, for its page; None for a first revision."""
    manifest, before = release.manifest, release.manifest.get("supersedes")
    if not before:
        return None
    changes = manifest.get("changes") or {}
    # A row that came or went lists its empty cells, too: they are no numbers.
    numbers = [n for n in changes.get("numbers", ()) if (n["old"], n["new"]) != (None, None)]
    items = {item["label"]: item for item in items_of(release)}
    return {
        "revision": manifest["revision"],
        "before": before["revision"],
        "gone": bool(before.get("gone")),
        "note": manifest.get("change_note", ""),
        "reasons": [Change(**reason).said(reader.say) for reason in changes.get("reasons", ())],
        "outputs": [
            _output(name, [n for n in numbers if n["output"] == name], items.get(name), release.language, reader)
            for name in dict.fromkeys(n["output"] for n in numbers)
        ],
    }


def _output(
    name: str, numbers: Sequence[Mapping[str, Any]], item: Mapping[str, Any] | None, language: str, reader: Reader
) -> dict[str, Any]:
    """Return the numbers of one figure or table that differ, each with words for where it stands."""
    title = item["title"] if item else name
    rows = [_row(str(n["where"]), item["columns"] if item else ()) for n in numbers]
    question = Question(name, title, tuple(rows), (), 1)
    columns, shown = column_headings(reader.say), []
    for row, n in zip(rows, numbers, strict=True):
        plainly = str(n["column"]).replace("_", " ")
        shown.append({
            "what": label_of(row, question, reader, language) if n["where"] else "",
            "more": _more(row, language, reader),
            "group": reader.told(row.group, language) if row.group else "",
            "column": columns.get(n["column"]) or (reader.told(plainly) if plainly else ""),
            "old": _value(n["old"], reader),
            "new": _value(n["new"], reader),
            "came": "" if n["column"] else "old" if n["old"] is None else "new",
        })  # fmt: skip
    return {"title": reader.told(title, language) if item else Told(title), "rows": shown}


def _more(row: Row, language: str, reader: Reader) -> list[Told]:
    """Return what names a row beside its label: a state, which data files have as a key, and a quarter."""
    state, period = row.about.get("state", ""), row.about.get("period", "")
    key = f"state.{state}"
    said = Told(reader.say(key)) if key in keys() else reader.told(state, language)
    return [*([said] if state else []), *([Told(period)] if period else [])]


def _row(where: str, columns: Iterable[str]) -> Row:
    """Take apart what a manifest calls a row, as ``group Pilot, time 90``."""
    # By the names of columns only: a label may hold a comma and a word like one.
    names = "|".join(map(re.escape, columns))
    marks = [*re.finditer(rf"(?:^|, )({names}) ", where)] if names else []
    if not marks:
        return Row({"label": where}, "", {})
    ends = [mark.start() for mark in marks[1:]] + [len(where)]
    about = {mark[1]: where[mark.end() : end] for mark, end in zip(marks, ends, strict=True)}
    last = marks[-1][1]
    about[last] = _REPEATED.sub("", about[last])
    return Row(about, about.get("group") or about.get("contrast", ""), {})


def _value(value: object, reader: Reader) -> str:
    if value is None:
        return reader.say("missing")
    return plain(reader.say, value, 4) if isinstance(value, float) else str(value)
