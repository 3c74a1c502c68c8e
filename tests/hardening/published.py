"""What an outsider has of a release: data files, drawings with their coordinates, words, facts. Nothing else is read.

Written apart from the library. A release is a published folder, or the outputs of a notebook that was run in this
process, as the publishers would write them.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pikepdf
import pypdf

_NUMBER = r"-?\d+(?:\.\d+)?(?:e([-+]?\d+))?"
_PLACE = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
_TICK = re.compile(r'<g id="([xy])tick_\d+">.*?<use xlink:href="#\w+" x="([\d.-]+)" y="([\d.-]+)"', re.DOTALL)
_TICKS = re.compile(
    r'<g id="[xy]tick_\d+">.*?(?=<g id="(?:[xy]tick|matplotlib|line2d|patch|text|LineC|FillB|PolyC))', re.S
)
_IN_PAGE = re.compile(
    r'id="(fig-[\w-]+)"(?:(?!id="fig-).)*?src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)"', re.DOTALL
)
_STEPS = tuple(m * 10.0**e for e in range(-3, 4) for m in (1, 2, 2.5, 5))


@dataclass(frozen=True)
class Release:
    """Everything published of one report and period.

    Attributes
    ----------
    name : str
    tables : mapping of str to pandas.DataFrame
        By label of the figure or table: its numbers as text.
    drawings : mapping of str to list of str
        By label: every drawing of it, as SVG.
    words : str
        Of pages, alternative texts and sentences.
    facts : tuple of mapping
        Manifest, and what is attached to the PDF.
    """

    name: str
    tables: Mapping[str, pd.DataFrame]
    drawings: Mapping[str, list[str]]
    words: str = ""
    facts: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def read_release(folder: Path) -> Release:
    """Read a published folder."""
    tables = {f.stem: pd.read_csv(f, dtype=str, keep_default_na=False) for f in sorted(folder.glob("data/*.csv"))}
    drawings = {f.stem: [f.read_text(encoding="utf-8")] for f in sorted(folder.glob("figures/*.svg"))}
    page = (folder / "report.html").read_text(encoding="utf-8") if (folder / "report.html").is_file() else ""
    for label, drawn in _IN_PAGE.findall(page):  # under its own name: another figure's axes would fit anything
        drawings[label] = [*drawings.get(label, []), base64.b64decode(drawn).decode()]
    words, facts = [re.sub(r"<style.*?</style>|base64,[A-Za-z0-9+/=]+", " ", page, flags=re.DOTALL)], []
    facts.append(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
    pdf = folder / "report.pdf"
    if pdf.is_file():
        words += [one.extract_text() for one in pypdf.PdfReader(pdf).pages]
        with pikepdf.open(pdf) as opened:
            facts += [json.loads(opened.attachments[name].get_file().read_bytes()) for name in opened.attachments]
    return Release(f"{folder.parent.name} {folder.name}", tables, drawings, "\n".join(words), tuple(facts))


def of_outputs(name: str, outputs: Iterable[tuple[str, dict[str, Any], dict[str, Any]]]) -> Release:
    """Return what would be published of a notebook's outputs: (label, bundle, mark)."""
    tables: dict[str, pd.DataFrame] = {}
    drawings: dict[str, list[str]] = {}
    words = []
    for label, bundle, mark in outputs:
        if "data" in mark:
            rows = pd.DataFrame(mark["data"]["rows"], columns=mark["data"]["columns"], dtype=object)
            text = io.StringIO(rows.to_csv(index=False))
            tables[label] = pd.read_csv(text, dtype=str, keep_default_na=False)
        if "image/svg+xml" in bundle:
            drawings[label] = [*drawings.get(label, []), bundle["image/svg+xml"]]
        words += [str(mark.get(key, "")) for key in ("alt", "headline")]
        words += [str(text) for mime, text in bundle.items() if mime in {"text/html", "text/markdown"}]
    return Release(name, tables, drawings, "\n".join(words))


def known(texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return written numbers, and half of what their last digits stand for: they lie no further away.

    Files leave zeros at the end out: a number has as many decimals as the column's longest, of six significant digits.
    """
    found = [re.fullmatch(_NUMBER, text) for text in texts]
    values = np.array([float(one[0]) if one else np.nan for one in found])
    decimals = [len(one[0].partition("e")[0].partition(".")[2]) - int(one[1] or 0) if one else 0 for one in found]
    size = [5 - int(np.floor(np.log10(abs(v)))) if np.isfinite(v) and v else 6 for v in values]
    longest = max(decimals, default=0)
    halves = [0.5 * 10.0 ** -max(own, min(longest, able)) for own, able in zip(decimals, size, strict=True)]
    return values, np.where(np.isfinite(values), halves, np.nan)


def numbers_of(release: Release, label: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a column of a published table, each number with its half-width, as sharp as any drawing of it makes it."""
    values, halves = known(release.tables[label][column].tolist())
    for svg in release.drawings.get(label, ()):
        for drawn, width in _scales(svg, values, halves):
            far = np.abs(drawn[None, :] - values[:, None])
            nearest, off = drawn[far.argmin(axis=1)], far.min(axis=1)
            near = far <= (halves * 1.01 + width)[:, None]
            hit = near.any(axis=1) & (np.where(near, drawn, -np.inf).max(axis=1) == nearest)  # only one that it can be
            hit &= np.where(near, drawn, np.inf).min(axis=1) == nearest
            if (hit & (off > 3 * width)).any():  # else it was drawn from the numbers in the file, and says no more
                values, halves = np.where(hit, nearest, values), np.where(hit, width, halves)
    return values, halves


def _scales(svg: str, values: np.ndarray, halves: np.ndarray) -> Iterable[tuple[np.ndarray, float]]:
    """Yield the coordinates of each axis of each panel in the units of the numbers, where these are found in them."""
    sought = np.isfinite(values)
    if sought.sum() < 3:  # fewer can be found anywhere
        return
    for panel in re.split(r'(?=<g id="axes_\d+">)', svg)[1:]:
        ticks: dict[str, list[float]] = {"x": [], "y": []}
        for axis, x, y in _TICK.findall(panel):
            ticks[axis].append(float(x if axis == "x" else y))
        marks = _marks(_TICKS.sub("", panel))
        for k, axis in enumerate("xy"):
            own, places = np.unique(np.round(marks[:, k], 6)), sorted(set(ticks[axis]))
            if len(places) < 2 or not len(own):
                continue
            found = _fitted(own, np.array(places), values[sought], halves[sought], falling=axis == "y")
            if found is not None:
                yield found


def _marks(panel: str) -> np.ndarray:
    """Return the points of everything drawn in a panel: markers, ends of lines, corners of curves and bands."""
    pairs = re.findall(rf'<use xlink:href="#m\w+" x="({_PLACE})" y="({_PLACE})"', panel)
    for path in re.findall(r'<path d="([^"]*)" clip-path', panel):
        pairs += re.findall(rf"[ML] ({_PLACE}) ({_PLACE})", path)
    return np.array(pairs, dtype=float).reshape(-1, 2)


def _fitted(
    own: np.ndarray, places: np.ndarray, values: np.ndarray, halves: np.ndarray, *, falling: bool
) -> tuple[np.ndarray, float] | None:
    """Find the round numbers at the ticks with which most of the published numbers lie where something is drawn."""
    apart = float(np.diff(places).min())
    best: tuple[float, np.ndarray, float] | None = None
    for scale in (1.0, 0.01):  # percentage points are drawn a hundredfold
        for step in _STEPS:
            size = (-1 if falling else 1) * step / apart
            width = 4e-6 * abs(size) * scale
            if np.ptp(own) * abs(size) * scale < 40 * np.median(halves):  # so short an axis would hold anything
                continue
            for first in range(-len(places) - 6, len(places) + 6):
                drawn = (size * (own - (places[-1] if falling else places[0])) + first * step) * scale
                off = np.abs(drawn[None, :] - values[:, None]).min(axis=1)
                score = float((off <= halves * 1.01 + width).mean())
                if best is None or score >= best[0]:  # of those that fit alike the one with the longest axis
                    best = (score, drawn, width)
    return (best[1], best[2]) if best is not None and best[0] > 0.95 else None
