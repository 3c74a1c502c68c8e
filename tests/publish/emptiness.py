"""How much of each printed page is left empty at its foot, read from the PDF's own drawing operators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2 as pdfium
from pypdfium2.raw import FPDF_PAGEOBJ_TEXT

Matrix = tuple[float, float, float, float, float, float]
TOP, FOOT = 72.0, 0.95 * 72  # the template's margins
HEIGHT = 792.0
_UNIT: Matrix = (1, 0, 0, 1, 0, 0)
_DRAWN = {"m", "l", "c", "v", "y"}


def emptiness(file: Path) -> list[float]:
    """Return the empty share of the type area below the lowest mark of each page."""
    with pikepdf.open(file) as pdf:
        return [_empty(page) for page in pdf.pages]


def parted(file: Path) -> list[tuple[int, str]]:
    """Return the pages, but the last, whose last line is a heading or the head of a table: all of it in strong letters."""
    document = pdfium.PdfDocument(file)
    try:
        return [
            (number, text)
            for number, page in enumerate(list(document)[:-1], start=1)
            if (text := _strong_last_line(page))
        ]
    finally:
        document.close()


def _strong_last_line(page: Any) -> str:
    letters = [(thing.get_bounds(), thing) for thing in page.get_objects(filter=[FPDF_PAGEOBJ_TEXT], max_depth=1)]
    inside = [(place, thing) for place, thing in letters if place[1] > FOOT - 1]
    low = min(place[1] for place, _ in inside)
    faces = {thing.get_font().get_base_name() for place, thing in inside if place[1] < low + 5}
    strong = all(face.endswith(("Semibold", "Bold")) for face in faces)
    line = page.get_textpage().get_text_bounded(left=60, right=560, bottom=low - 2, top=low + 8)
    return " ".join(line.split()) if strong else ""


def _empty(page: Any) -> float:
    inside = [y for y in _heights(page) if FOOT < y < HEIGHT - TOP]
    return (min(inside, default=HEIGHT - TOP) - FOOT) / (HEIGHT - TOP - FOOT)


def _heights(page: Any) -> list[float]:
    """Return the heights (from the sheet's foot) of everything that a page draws."""
    found: list[float] = []
    current, kept = _UNIT, []
    line = _UNIT
    for operands, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        values = [float(v) for v in operands] if name in {"cm", "Tm", "Td", "re", *_DRAWN} else []
        if name == "q":
            kept.append(current)
        elif name == "Q":
            current = kept.pop()
        elif name == "cm":
            current = _times(values, current)
        elif name == "BT":
            line = _UNIT
        elif name == "Tm":
            line = tuple(values)
        elif name == "Td":
            line = _times((1, 0, 0, 1, *values), line)
        elif name in {"Tj", "TJ"}:
            found.append(_times(line, current)[5])
        elif name == "re":
            x, y, width, height = values
            found += [_y(x, y, current), _y(x + width, y + height, current)]
        elif name in _DRAWN:
            found += [_y(x, y, current) for x, y in zip(values[::2], values[1::2], strict=True)]
        elif name == "Do":
            found += _of_form(page.Resources.XObject[str(operands[0])], current)
    return found


def _of_form(form: Any, current: Matrix) -> list[float]:
    box = [float(v) for v in form.get("/BBox", [0, 0, 1, 1])]  # a picture fills the unit square
    own = _times([float(v) for v in form.get("/Matrix", _UNIT)], current)
    return [_y(box[0], box[1], own), _y(box[2], box[3], own)]


def _times(one: Sequence[float], other: Sequence[float]) -> Matrix:
    a, b, c, d, e, f = one
    p, q, r, s, t, u = other
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _y(x: float, y: float, matrix: Matrix) -> float:
    return x * matrix[1] + y * matrix[3] + matrix[5]
