"""The pages of a site in one language, from templates; Jinja writes every text as text.

Of a revision they say what its manifest has: what went in, and which published numbers differ from the one before it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from evalkit.publish.release import CITATION, CRATE, MANIFEST, Change, cited
from evalkit.publish.rendering import column_headings
from evalkit.site._gather import Place, Published, Release, Stone
from evalkit.site._series import Question, Row, chart, questions
from evalkit.site._words import Reader, Told, label_of, page_words, plain, written
from evalkit.words import keys, language_of

__all__ = ["Writer", "changes_of", "items_of"]


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


CHECKSUMS = "checksums.txt"
_FIRST = ("report.html", "report.pdf")


def _style() -> str:
    return (Path(__file__).parent / "templates" / "site.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Writer:
    """Writes the pages of one language."""

    published: Published
    reader: Reader
    folder: str  # of the language's pages in the site, with a slash at its end; empty for English

    @cached_property
    def _templates(self) -> Environment:
        made = Environment(
            # Escaped by default, and a name that is not there stops the build: a blank would look like "none".
            loader=PackageLoader("evalkit.site"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, keep_trailing_newline=True,
        )  # fmt: skip
        made.filters["day"] = self.reader.moment
        made.filters["upfirst"] = lambda text: text[:1].upper() + text[1:]
        return made

    def pages(self) -> dict[str, bytes]:
        """Return the pages and figures of this language: name in the site, and content."""
        made: dict[str, str] = {}
        followed = [self._followed(name, places) for name, places in self.published.reports.items()]
        shown = [one for one in followed if one["ours"]]
        headlines = {one["report"]: one["headline"] for one in shown if one["headline"]}
        front = {"shelves": self._shelves(), "newest": self._newest(), "headlines": headlines}
        made["index.html"] = self._page("index.html", "index.html", **front)
        made["methods.html"] = self._page("methods.html", "methods.html", newest=self._newest())
        made["indicators.html"] = self._page("indicators.html", "indicators.html", reports=shown)
        for one in shown:
            for question in [*one["questions"], *([one["headline"]] if one["headline"] else [])]:
                made[question["file"]] = question["svg"]
        for places in self.published.reports.values():
            for number, place in enumerate(places):
                beside = {"newer": places[number - 1] if number else None, "earlier": (*places, None)[number + 1]}
                name = f"{place.folder}/index.html"
                made[name] = self._page("place.html", name, **self._place(place), **beside)
        return {f"{self.folder}{name}": text.encode() for name, text in made.items()}

    def _page(self, template: str, name: str, **values: Any) -> str:  # noqa: ANN401 - whatever the template takes
        study, say, depth = self.published.study, self.reader.say, name.count("/")
        style = _style()
        # The page's policy lets this one style in, by its digest: it is in the page, so that a saved one looks the
        # same.
        sealed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        up = "../" * depth
        outside = up + ("../" if self.folder else "")
        return self._templates.get_template(template).render(
            w=page_words(say), reader=self.reader, study=study, study_words=self._study_words(),
            language=say.language, locale=say.locale, here=name,
            up=up, files=outside, other=f"{outside}{'' if self.folder else 'es/'}{name}", style=style, sealed=sealed,
            synthetic=self.published.synthetic, held=self.published.held, **values,
        )  # fmt: skip

    def _study_words(self) -> dict[str, Told]:
        """Return what the pages say of the study itself."""
        study, language = self.published.study, language_of(self.published.study.locale)
        named = {"title": study.title, "subtitle": study.subtitle, "organisation": study.organisation}
        return {name: self.reader.told(text or "", language) for name, text in named.items()}

    # -- the index -------------------------------------------------------------------------------------------------

    def _newest(self) -> list[dict[str, Any]]:
        """Return the newest release of each report; those in the reader's language first, then the latest data cut."""
        ours = [places for name, places in self.published.reports.items() if self._is_ours(name, places)]
        found = (next(((place, place.current) for place in places if place.current), None) for places in ours)
        newest = sorted(filter(None, found), key=lambda one: str(one[1].manifest.get("data_cut", "")), reverse=True)
        newest.sort(key=lambda one: one[1].language != self.reader.say.language)
        return [{"place": place, "release": release, "title": self._title(place)} for place, release in newest]

    def _shelves(self) -> list[dict[str, Any]]:
        shelves = [
            {"title": self._title(places[0]), "places": places, "language": self._language(places)}
            for places in self.published.reports.values()
        ]
        return sorted(shelves, key=lambda shelf: shelf["language"] != self.reader.say.language)

    def _language(self, places: Sequence[Place]) -> str:
        return next((release.language for place in places for release in place.releases), "en")

    def _title(self, place: Place) -> Told:
        return self.reader.told(self.published.title(place), self._language(self.published.reports[place.report]))

    def _is_ours(self, report: str, places: Sequence[Place]) -> bool:
        """Say whether a report is this reader's: of the language, or there is none such in it."""
        return self._language(places) == self.reader.say.language or not self._has_twin(report)

    # -- one period of one report ----------------------------------------------------------------------------------

    def _place(self, place: Place) -> dict[str, Any]:
        every: list[Release | Stone] = [*place.releases, *place.stones]
        every.sort(key=lambda one: -one.revision)
        return {
            "place": place,
            "title": self._title(place),
            "report_language": self._language(self.published.reports[place.report]),
            "current": self._about(place.current) if place.current else None,
            "revisions": [
                {"number": one.revision, **({"stone": one} if isinstance(one, Stone) else self._about(one))}
                for one in every
                if one is not place.current
            ],
        }

    def _about(self, release: Release) -> dict[str, Any]:
        manifest, names = release.manifest, release.outputs
        return {
            "release": release,
            "stone": None,
            "to": f"r{release.revision}/",
            "cite": cited(manifest, self.reader.say) if "document" in manifest and "citation" in manifest else "",
            "licence": (manifest.get("citation") or {}).get("licence"),
            "items": [{**one, "title": self.reader.told(one["title"], release.language)} for one in items_of(release)],
            "main": [(name, manifest["outputs"][name]["sha256"]) for name in _FIRST if name in names],
            "others": [name for name in (CITATION, CRATE) if name in names],
            "dictionary": [n for n in ("data/README.md", "data/datapackage.json") if n in names],
            "changes": changes_of(release, self.reader),
            "manifest": MANIFEST,
            "checksums": f"{CHECKSUMS.removesuffix('.txt')}-r{release.revision}.txt",
        }

    # -- numbers over time -----------------------------------------------------------------------------------------

    def _followed(self, report: str, places: Sequence[Place]) -> dict[str, Any]:
        """Return the questions of a report as the page shows them."""
        pages = {place.period.name: f"{place.folder}/index.html" for place in places}
        ours = questions(places) if self._is_ours(report, places) else ()
        language = self._language(places)
        # Of one release there is nothing to follow yet.
        made = [self._question(report, q, pages, language) for q in ours if q.releases > 1]
        first = next((q for q in made if q["headline"]), None)
        return {"report": report, "title": self._title(places[0]), "questions": [q for q in made if q is not first],
                "headline": first, "ours": bool(ours)}  # fmt: skip

    def _has_twin(self, report: str) -> bool:
        """Say whether the same report is published in this language: ``brief`` and ``brief-es``."""

        def base(name: str) -> tuple[str, str]:
            kind, _, apart = name.partition(".")  # of one site
            return kind.partition("-")[0], apart

        return any(
            other != report and base(other) == base(report) and self._language(p) == self.reader.say.language
            for other, p in self.published.reports.items()
        )

    def _question(self, report: str, question: Question, pages: Mapping[str, str], language: str) -> dict[str, Any]:
        title = Told(self.reader.say("Headline indicators")) if question.headline else None
        lines: dict[Told, list[Row]] = {}
        for row in question.rows:
            lines.setdefault(label_of(row, question, self.reader, language), []).append(row)
        newest_first = tuple(reversed(question.periods))
        names = {group: self.reader.told(group, language).text for group in self._groups(question)}
        return {
            "id": f"{report}-{question.label}",
            "title": title or self.reader.told(question.title, language),
            "headline": question.headline,
            "first": question.periods[0],
            "last": question.periods[-1],
            "file": f"indicators/{report}-{question.label}.svg",
            "svg": chart(question, [(label.text, rows) for label, rows in lines.items()], names),
            "periods": [(period, pages[period]) for period in newest_first],
            # A difference is found beside what it is a difference of.
            "named": [label for label, rows in lines.items() if rows[0].about.get("measure") != "difference"],
            "lines": [
                (label, [self._line(row, newest_first, language) for row in rows]) for label, rows in lines.items()
            ],
        }  # fmt: skip

    def _groups(self, question: Question) -> list[str]:
        """Return the groups of a question's lines: the study's arms first, whatever row comes first."""
        arms = self.published.study.arms
        known = [
            form
            for label in (arms.focus.label, arms.comparison.label)
            for form in (label, *(words.get(label) for words in self.published.study.translations.values()))
        ]
        groups = dict.fromkeys(row.group for row in question.rows if row.about.get("measure") != "difference")
        return sorted(groups, key=lambda group: known.index(group) if group in known else len(known))

    def _line(self, row: Row, periods: Sequence[str], language: str) -> dict[str, Any]:
        cells = [written(row.numbers.get(period), row, self.reader) for period in periods]
        return {"group": self.reader.told(row.group, language), "cells": cells}
