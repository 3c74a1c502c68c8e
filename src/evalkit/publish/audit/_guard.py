"""What a published text must not hold: identifiers, secrets, paths of this machine, a participant's dates.

Texts are read as a searcher sees them: without disguise (`fold`), and taken out of the markup that holds them
(`pieces`). A participant's identifier can only be looked for where it cannot be mistaken for something else. Of folded
identifiers are looked for:

======================  =======================================================
letters and digits      from 6 characters: anywhere, inside other words too;
                        of 4 or 5: as whole words
digits only             from 5: as whole numbers (``12,345`` and ``1.12345`` are
                        other numbers than ``12345``)
letters only            from 5: as whole words
shorter, or standing    not at all: ``12`` stands in every report
in the protocol itself
======================  =======================================================
"""

from __future__ import annotations

__all__ = ["NUMBER", "Guard", "Identifiers", "dates_in", "fold", "guard_for", "pieces"]

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from html.parser import HTMLParser
from urllib.parse import unquote, unquote_to_bytes

# What is there but not seen: soft hyphen, joiners, direction marks, variation selectors, tags.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
# As JSON, JavaScript and Python write them: how many digits belong to one is fixed, since others may follow.
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\x([0-9a-fA-F]{2})")
_BACKSLASHED = re.compile(r"\\([!-/:-@\[-`{-~])")  # as Markdown escapes a letter
# Escapes may lie inside escapes; the bound keeps a text that was made for it from being taken apart for ever.
_ROUNDS = 3

# Elements that do not end a word: a word with a bold middle is read as one, two cells of a table are not.
_INLINE = frozenset(
    [
        *("a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "small"),
        *("span", "strong", "sub", "sup", "textpath", "tspan", "tt", "u", "var", "wbr"),
    ]
)
# Long runs of digits, in which a number that is an identifier stands by chance.
_GEOMETRY = frozenset({"d", "points", "transform", "viewbox", "gradienttransform", "patterntransform"})
_DRAWING = re.compile(
    r"\s*(?:[Mm]\s*)?[+-.\d][\sMmZzLlHhVvCcSsQqTtAaEe\d.,+-]*"
    r"|(?:(?:matrix|translate|scale|rotate|skew[XY])\([^)]*\)\s*)+"
)
# Namespaces that drawing programs write; in one of them stands what reads as a day (1999/02/22).
_SPACES = re.compile(
    r"http://(?:www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml|1999/02/22-rdf-syntax-ns#|XML/1998/namespace)"
    r"|purl\.org/dc/(?:elements/1\.1/|dcmitype/StillImage)|creativecommons\.org/ns#)"
)
# A colour is six letters and digits, as an identifier may be.
_COLOURED = frozenset({"style", "fill", "stroke", "color", "stop-color", "flood-color", "bgcolor"})
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})\b")
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w=.+-]+)*),([^\s\"')>]*)", re.IGNORECASE)
# What else a data URI holds (fonts, pixels) is no text: base64 would match short identifiers by chance.
_TEXTUAL = ("text/", "image/svg", "application/json", "application/xml", "application/javascript")


def fold(text: str) -> str:
    r"""Return a text without what only disguises it.

    Entities, percent signs and backslash escapes are resolved, compatible characters made plain (NFKC), accents,
    zero-width and direction characters taken out, and case is dropped.

    >>> fold("Q\u200bX%37&#49;"), fold("ＱＸ７１"), fold("\\u0051x71")
    ('qx71', 'qx71', 'qx71')
    """
    for _ in range(_ROUNDS):
        plain = _ESCAPED.sub(_character, unquote(html.unescape(text), errors="replace"))
        plain = _BACKSLASHED.sub(r"\1", plain)
        if plain == text:
            break
        text = plain
    if not text.isascii():
        # First plain letters, then accents as signs of their own: a wide letter may carry one.
        text = _MARKS.sub("", unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text)))
        text = _UNSEEN.sub("", text)
    return text.casefold()


def _character(match: re.Match[str]) -> str:
    code = int(next(filter(None, match.groups())), 16)
    return chr(code) if code <= 0x10FFFF else match[0]


class _Pieces(HTMLParser):
    """Collects texts, comments, names and attributes of HTML or SVG."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._found: list[str] = []
        self._text: list[str] = []
        self._names: set[str] = set()
        self._in_style = False

    def texts(self) -> list[str]:
        # The rest that the parser did not take (a tag that is never closed) is searched, too.
        return [*self._found, "".join(self._text), " ".join(sorted(self._names)), self.rawdata]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        self._break(tag)
        for name, value in attrs:
            self._names.add(name)
            if value and not (name in _GEOMETRY and _DRAWING.fullmatch(value)) and not _SPACES.fullmatch(value):
                self._found.append(_COLOUR.sub(" ", value) if name in _COLOURED else value)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False
        self._break(tag)

    def _break(self, tag: str) -> None:
        self._names.add(tag)
        if tag not in _INLINE:
            self._text.append("\n")

    def handle_data(self, data: str) -> None:
        self._text.append(_COLOUR.sub(" ", data) if self._in_style else data)

    def handle_comment(self, data: str) -> None:
        self._found.append(data)

    def handle_decl(self, decl: str) -> None:
        self._found.append(decl)

    def handle_pi(self, data: str) -> None:
        self._found.append(data)

    def unknown_decl(self, data: str) -> None:
        self._found.append(data)


@lru_cache(maxsize=256)  # a figure stands in the document, the page and a file of its own, and in the draft before
def pieces(markup: str) -> tuple[str, ...]:
    """Take the texts out of HTML, SVG or Markdown: visible ones, comments, attributes, and what data URIs hold.

    Words split by inline tags come joined. Coordinates, colours and namespaces are left out: they are no texts;
    embedded fonts and raster pictures are, too.
    """
    embedded = [piece for match in _DATA_URI.finditer(markup) for piece in _decoded(match)]
    parser = _Pieces()
    parser.feed(_DATA_URI.sub(" ", markup))
    parser.close()
    return (*parser.texts(), *(piece for text in embedded for piece in pieces(text)))


def _decoded(match: re.Match[str]) -> Iterator[str]:
    kind = (match[1] or "text/plain").lower()
    if not kind.startswith(_TEXTUAL):
        return
    content = unquote_to_bytes(html.unescape(match[3]))
    if ";base64" in match[2].lower():
        try:
            # A URI may leave padding out, and too much of it does no harm.
            content = base64.b64decode(content + b"==")
        except (binascii.Error, ValueError):
            return
    yield content.decode("utf-8", errors="replace")


# Least lengths at which an identifier is no accident: inside other words, as a word of letters and digits, as a number
# (years have four digits), as a word of letters.
_ANYWHERE, _MIXED, _DIGITS, _LETTERS = 6, 4, 5, 5
_WORD = re.compile(r"[^\W_]+(?:[._/:@-]+[^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?![\w]|[.,]\d)")
# Digests, and the names that matplotlib gives to clips and markers: an identifier inside them stands there by chance.
_DIGEST = re.compile(r"\b(?:[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64}|[a-z][0-9a-f]{10})\b")
_MARKUP = re.compile(r"[*`\\\[\]{}]+")


@dataclass(frozen=True)
class Identifiers:
    """What is looked for, folded."""

    anywhere: frozenset[str] = field(default=frozenset(), repr=False)  # found inside other words too
    words: frozenset[str] = field(default=frozenset(), repr=False)  # found as whole words
    unsearched: int = 0  # too short, or words of the protocol

    @classmethod
    def of(cls, identifiers: Iterable[str], own_text: str = "") -> Identifiers:
        """Sort identifiers by how they can be looked for; a word of the protocol (`own_text`) cannot be told from one.

        >>> found = Identifiers.of(["P81f2aa03", "R001", "12", "PAIP1"], own_text="PAIP1 and others")
        >>> len(found.anywhere), len(found.words), found.unsearched
        (1, 1, 2)
        """
        own = _words(fold(own_text))
        anywhere: set[str] = set()
        words: set[str] = set()
        unsearched = 0
        for identifier in identifiers:
            text = fold(str(identifier)).strip()
            place = None if text in own else _place(text)
            if place is None:
                unsearched += 1
            else:
                (anywhere if place == "anywhere" else words).add(text)
        return cls(frozenset(anywhere), frozenset(words), unsearched)

    def stand_in(self, text: str) -> bool:
        """Say whether any identifier stands in a text as it is published; Markdown's signs may split one.

        >>> people = Identifiers.of(["P81f2aa03", "R001", "10234"])
        >>> [people.stand_in(t) for t in ("xp81F2aa03x", "P81**f2**aa03", "R0012", "see R001.", "10,234", "10234")]
        [True, True, False, True, False, True]
        """
        if not self.anywhere and not self.words:
            return False
        folded = fold(text)
        joined = _MARKUP.sub("", folded)
        return any(self._stand_in(version) for version in {folded, joined})

    def _stand_in(self, folded: str) -> bool:
        if not self.words.isdisjoint(_words(folded)) or not self.anywhere.isdisjoint(_words(folded)):
            return True
        if not self.anywhere:
            return False
        lengths, likely = self._shape
        for run in likely.findall(_DIGEST.sub(" ", folded)):
            for length in lengths:
                # A look-up for each window, not a search for each identifier: of a state there are 100,000.
                windows = (run[i : i + length] for i in range(len(run) - length + 1))
                if not self.anywhere.isdisjoint(windows):
                    return True
        return False

    @cached_property
    def _shape(self) -> tuple[frozenset[int], re.Pattern[str]]:
        """Lengths of those found anywhere, and runs of their characters: found once, as 100,000 people take long."""
        lengths, characters = frozenset(map(len, self.anywhere)), set("".join(self.anywhere))
        return lengths, re.compile(f"[{''.join(map(re.escape, sorted(characters)))}]{{{min(lengths)},}}")


def _place(text: str) -> str | None:
    """Say how a folded identifier can be looked for."""
    letters, digits = any(c.isalpha() for c in text), any(c.isdigit() for c in text)
    if letters and digits:
        return "anywhere" if len(text) >= _ANYWHERE else "words" if len(text) >= _MIXED else None
    if digits and len(text) >= _DIGITS:
        # Digits with signs between them, as case numbers have, are mistaken for nothing.
        return "words" if text.isdigit() else "anywhere"
    if letters and len(text) >= _LETTERS:
        return "words"
    return None


def _words(folded: str) -> set[str]:
    """Return whole words, their parts, and whole numbers."""
    whole = {word for word in _WORD.findall(folded) if not word.isdigit()}
    parts = {part for part in _PART.findall(folded) if not part.isdigit()}
    return whole | parts | set(_NUMBER.findall(folded))


# Addresses of the engines that tables may come from (Ibis' backends), and other names for them.
_DATABASE = re.compile(
    r"\b(?:postgres(?:ql)?|mysql|mariadb|mssql|oracle|snowflake|bigquery|redshift|clickhouse|trino|presto|databricks|"
    r"impala|exasol|druid|datafusion|risingwave|pyspark|spark|duckdb|motherduck|md|sqlite|polars|flink|athena)"
    r"(?:\+\w+)?://",
    re.IGNORECASE,
)
# Whatever the scheme: what stands between a colon and an @ before a host is a password.
_CREDENTIALS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/@:\"'<>]*:[^\s@\"'<>]+@", re.IGNORECASE)

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# A number below it that a protocol happens to hold would excuse a small count of people anywhere in the report.
_COUNT = 11
_BLANKS = re.compile(r"(\s+)")
# Shorter ones ("db", "/srv") stand in ordinary words, and every report would be refused.
_SHORTEST_SECRET, _SHORTEST_PATH = 4, 6

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan enero ene", "february feb febrero", "march mar marzo", "april apr abril abr", "may mayo",
            "june jun junio", "july jul julio", "august aug agosto ago", "september sep sept septiembre",
            "october oct octubre", "november nov noviembre", "december dec diciembre dic",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = rf"({'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
_ISO = re.compile(r"(?<![\d.])(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d|\.\d)")
_NUMERIC = re.compile(r"(?<![\d./-])(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})(?![\d/-])")
_DOTTED = re.compile(r"(?<![\d./-])(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d|\.\d)")
_MONTH_FIRST = re.compile(rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+|de\s+)?{_MONTH},?\s+(?:de\s+)?(\d{{4}})\b")


@dataclass(frozen=True)
class Guard:
    """Knows what must not leave. Texts of all fields but `key` and `dates` are folded (see `fold`)."""

    key: str = field(default="", repr=False)  # the run's key of seals
    identifiers: Identifiers = field(default_factory=Identifiers)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)  # passwords and addresses of databases
    paths: frozenset[str] = field(default=frozenset(), repr=False)  # folders of this machine
    dates: frozenset[date] = frozenset()  # the report's own, and those that its author typed
    numbers: frozenset[str] = frozenset()  # of protocol and parameters, from `_COUNT` on
    _passed: set[tuple[str, bool]] = field(default_factory=set, repr=False, compare=False)

    def objection(self, texts: Iterable[str], *, dated: bool = True) -> str:
        """Say why texts may not be published: the first reason, without any value; empty when there is none.

        Days are looked for only with `dated`.
        """
        for text in texts:
            if (text, dated) in self._passed:  # nine in ten of a release's: a figure stands in several files
                continue
            if reason := self._objection(text, dated=dated):
                return reason
            self._passed.add((text, dated))
        return ""

    def _objection(self, text: str, *, dated: bool) -> str:
        if self.identifiers.stand_in(text):
            return "holds a participant's identifier"
        folded = fold(text)
        if _DATABASE.search(folded) or _CREDENTIALS.search(folded) or any(s in folded for s in self.secrets):
            return "holds the address of a database, or its password"
        if any(path in folded for path in self.paths):
            return "holds the path of a folder on this machine"
        # One reading that may be published is enough: nobody can say that the other one was meant.
        if dated and any(self.dates.isdisjoint(day) for day in dates_in(folded)):
            return "holds an exact day that is none of the report's own; say the time in days, months or quarters"
        return ""

    def scrub(self, text: str) -> str:
        r"""Return a message without what must not leave: words that hold it become an ellipsis, or the line that does.

        >>> Guard(identifiers=Identifiers.of(["P81f2aa03"])).scrub("KeyError: p81f2aa03 in\nthe rows")
        'KeyError: … in\nthe rows'
        """
        if not self.objection([text], dated=False):
            return text
        # Word by word first, so that the message stays of use; a line that objects still holds it across words.
        lines = ["".join(map(self._scrubbed, _BLANKS.split(line))) for line in text.split("\n")]
        return "\n".join("…" if self.objection([line], dated=False) else line for line in lines)

    def _scrubbed(self, word: str) -> str:
        return "…" if word.strip() and self.objection([word], dated=False) else word


def guard_for(
    key: str,
    *,
    identifiers: Iterable[str],
    secrets: Iterable[str],
    paths: Iterable[str],
    protocol: str,
    authored: str,
    days: Iterable[date],
) -> Guard:
    """Return the guard of one render.

    Words of `protocol` (the study's files) are no identifiers; days that stand there or in `authored` (what the author
    typed elsewhere) may be published, as may `days`, the report's own.
    """
    typed = {day for text in (protocol, authored) for found in dates_in(fold(text)) for day in found}
    return Guard(
        key,
        Identifiers.of(identifiers, protocol),
        frozenset(fold(secret) for secret in secrets if len(secret) >= _SHORTEST_SECRET),
        frozenset(fold(path) for path in paths if len(path) >= _SHORTEST_PATH),
        frozenset(typed | set(days)),
        # A number with a decimal is no count of people.
        frozenset(n for n in NUMBER.findall(fold(f"{protocol}\n{authored}")) if not n.isdigit() or int(n) >= _COUNT),
    )


def dates_in(text: str) -> Iterator[frozenset[date]]:
    """Yield the days that a text names: one, or both readings of ``3/4/2022``. What only looks like one is left.

    >>> [sorted(map(str, days)) for days in dates_in("on 2022-03-04, March 4, 2022 or 3/4/2022; 31.02.2022; v1.10.18")]
    [['2022-03-04'], ['2022-03-04'], ['2022-03-04', '2022-04-03']]
    """
    lower = text.casefold()
    for year, _, month, day in _ISO.findall(lower):
        yield from _real((year, month, day))
    for word, day, year in _MONTH_FIRST.findall(lower):
        yield from _real((year, _MONTHS[word], day))
    for day, word, year in _DAY_FIRST.findall(lower):
        yield from _real((year, _MONTHS[word], day))
    for first, _, second, year in _NUMERIC.findall(lower):
        full = year if len(year) == 4 else f"20{year}"
        yield from _real((full, first, second), (full, second, first))
    for first, second, year in _DOTTED.findall(lower):
        yield from _real((year, first, second), (year, second, first))


def _real(*readings: tuple[str | int, str | int, str | int]) -> Iterator[frozenset[date]]:
    found = set()
    for year, month, day in readings:
        try:
            found.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    if found:
        yield frozenset(found)
