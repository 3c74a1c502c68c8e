"""Which figures are printed smaller, or on the next page, so that they leave no page half empty; and which tables.

A figure that does not fit goes to the next page whole. A table goes on there; but where its first or last part would be
a row or two, or a figure would stand between its parts, it is set tighter, or goes there whole, too. Typst cannot tell
beforehand how much room there is: so the document is compiled, looked at, and compiled again, one figure or table at a
time from the front.
"""

from __future__ import annotations

__all__ = ["FITS", "PLAIN", "Fit", "better_fits"]

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pypdfium2 as pdfium

FITS = "fits.json"
"""Beside the template: label of a figure, and its fit."""

Fit = float | Literal["tight", "next", "whole"]
"""The part of its full size that a figure has; of a table: with less room between its rows; or at the top of the next
page, below what follows it in its section; 1 where all was tried in vain; of a table, too, in one piece where it is
told of."""

PLAIN = "ek-plain-"
"""What the labels of tables without a caption begin with."""

_TOP, _FOOT = 72.0, 0.95 * 72  # points: the template's margins
_EMPTY = 0.2  # of a page: less than this at its foot is nobody's loss
_SMALLEST = 0.72  # of a figure's size: letters of 9.5 points come to 6.8, those of a footnote
_APART = 16.0  # points that a block keeps from what is above it
_LEADS = 110.0  # points that a heading and the line below it may take, which stay with their figure
_TAIL = 90.0  # points: less of a table on its last page is its headings, a note and a row or two
_HEAD = 72.0  # points: less of a table on its first page is its caption, its headings and a row
_WHOLE = 0.6  # of a page: a larger table cannot be kept in one piece


def better_fits(printed: Path, places: Sequence[Mapping[str, Any]], fits: Mapping[str, Fit]) -> dict[str, Fit]:
    """Return what to try next; what is given where nothing is left to be tried. In `fits`, 1 was tried in vain.

    `printed` is the PDF with the given fits. `places` is what the template tells, in the order of the text. Of each
    figure: label, size, page, and in points top, height, and height of the picture. Of each table, where it begins
    (part: from) and ends (to): label, page, and in points top and height of the whole. Of what goes to the next page,
    where it was left (part: left): label, page, top.
    """
    figures = [place for place in places if "picture" in place]
    tables = [place for place in places if place.get("part") == "from"]
    for one, after in (*pairwise(figures), *pairwise(tables)):  # they stay in the order of their numbers
        if fits.get(one["label"]) == "next" and (after["page"], after["top"]) < (one["page"], one["top"]):
            return {**fits, one["label"]: 1}
    begins = {place["label"]: (place["page"], place["top"]) for place in (*figures, *tables)}
    for left in (place for place in places if place.get("part") == "left"):
        # What stands before it has changed, and there is room for it now: it would stand above its own heading.
        page, top = begins[left["label"]]
        if (page, top) < (left["page"], left["top"] - _APART):
            return {**fits, left["label"]: "whole" if any(one["label"] == left["label"] for one in tables) else 1}
    rooms = _rooms(printed)
    for page, (room, height) in enumerate(rooms[:-1], start=1):
        own = [place for place in figures if place["page"] == page + 1]
        first = min(own, key=lambda place: place["top"], default=None)
        if first is None or room <= _EMPTY * height or first["top"] - _TOP > _LEADS:
            continue
        label, known = first["label"], fits.get(first["label"])
        lacking = first["top"] - _TOP + first["height"] + _APART - room
        size = first["size"] * (1 - lacking / first["picture"])
        if known is None and _SMALLEST <= size < first["size"]:
            return {**fits, label: int(100 * size) / 100}
        if known is None and first["top"] - _TOP < _APART:  # else a heading would stay behind without it
            return {**fits, label: "next"}
        if known not in {None, 1, "next"}:  # smaller, and still it did not fit
            return {**fits, label: 1}
    return _whole_tables(places, fits, rooms)


def _whole_tables(
    places: Sequence[Mapping[str, Any]], fits: Mapping[str, Fit], rooms: Sequence[tuple[float, float]]
) -> dict[str, Fit]:
    """Return the same with one table more that is not parted, or one that is, as the page before it stayed empty."""
    figures = [place for place in places if "picture" in place]
    tables = [[place for place in places if place.get("part") == part] for part in ("from", "to")]
    for start, end in zip(*tables, strict=True):
        label, known = start["label"], fits.get(start["label"])
        room, height = rooms[start["page"] - 2] if start["page"] > 1 else (0.0, 1.0)
        if known == "next" and room > _EMPTY * height:
            return {**fits, label: 1}
        if known not in {None, "tight"}:
            continue
        page = rooms[0][1]
        if start["page"] < end["page"] and page - (start["top"] - _TOP) < _HEAD and start["height"] <= page:
            return {**fits, label: "whole"}  # with hardly any room left behind
        between = any(
            place["page"] == end["page"] and fits.get(place["label"]) == "next" and place["top"] < end["top"]
            for place in figures
        )
        parted = start["page"] < end["page"] and (between or end["top"] - _TOP < _TAIL)
        moved = start["page"] == end["page"] and start["top"] - _TOP < _LEADS and room > _EMPTY * height
        if parted or moved:
            # without a number nobody would find it behind what follows it
            small = start["height"] <= _WHOLE * page and not label.startswith(PLAIN)
            return {**fits, label: "tight" if known is None else "next" if small else 1}
    return dict(fits)


def _rooms(printed: Path) -> list[tuple[float, float]]:
    """Return how much of each page is empty at its foot, and how high the page's text is, in points."""
    document = pdfium.PdfDocument(printed)
    try:
        rooms = []
        for page in document:
            marks = [thing.get_bounds() for thing in page.get_objects(max_depth=1)]
            high = page.get_height() - _TOP
            lowest = min((low for _, low, _, up in marks if low >= _FOOT - 1 and up <= high + 1), default=high)
            rooms.append((lowest - _FOOT, high - _FOOT))
        return rooms
    finally:
        document.close()
