"""How every figure looks: what is drawn in which order, with which mark, size, width, colour and place of its words.

``PYTHONPATH=tests python -m looks.drawn_as`` writes ``looks.json`` anew, for figures that are to look otherwise from now on; read its diff.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation, Text

from views.drawn import laid_out

FILE = Path(__file__).with_name("looks.json")
_KINDS = {PolyCollection: "band", LineCollection: "intervals", Collection: "marks"}


def look_of(figure: Figure) -> list[str]:
    """Say line by line how a figure looks; whose numbers it shows, other tests say."""
    laid_out(figure)
    width, height = (round(float(v), 2) for v in figure.get_size_inches())
    lines = [f"{width} x {height} inches"]
    for number, axes in enumerate(figure.axes, start=1):
        lines += [f"frame {number}: {line}" for line in _frame(axes)]
    for legend in figure.legends:
        lines.append(f"key: {legend._ncols} columns, in a frame: {legend.get_frame_on()}")
        lines += [f"key: {_said(one)}" for one in legend.legend_handles]
        lines += [f"key: {_text(one)}" for one in legend.texts]
    return lines


def _frame(axes: Axes) -> Iterator[str]:
    if not axes.get_visible():
        yield "empty"
        return
    yield f"title {axes.get_title(loc='left')!r} of {axes._left_title.get_fontsize():g}, spines {[n for n, s in axes.spines.items() if s.get_visible()]}"
    for name, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        ticks = [round(float(at), 3) for at in axis.get_ticklocs()], [text.get_text() for text in axis.get_ticklabels()]
        first = axis.get_major_ticks()[0] if ticks[0] else None
        about = (
            f"length {first.tick1line.get_markersize():g}, words of {first.label1.get_fontsize():g}"
            if first
            else "none"
        )
        lined = [tick.gridline.get_visible() for tick in axis.get_major_ticks()]
        yield f"{name}: {ticks}, {about}, {first.label1.get_ha() if first else ''}, lines {any(lined)}, {len(axis.get_minorticklocs())} between"  # fmt: skip
    seen: dict[str, int] = {}
    for artist in sorted((a for a in axes.get_children() if _drawn(a, axes)), key=lambda a: a.get_zorder()):
        line = _said(artist)
        seen[line] = seen.get(line, 0) + 1
    yield from (f"{n} x {line}" for line, n in seen.items())


def _drawn(artist: Artist, axes: Axes) -> bool:
    ours = isinstance(artist, Line2D | Collection | Text | Patch) and artist is not axes.patch
    empty = isinstance(artist, Text) and not artist.get_text()
    return (
        ours and artist.get_visible() and not empty and artist not in {axes.title, axes._left_title, axes._right_title}
    )


def _said(artist: Any) -> str:
    if isinstance(artist, Line2D):
        return _line(artist)
    if isinstance(artist, Text):
        return _text(artist)
    if isinstance(artist, Collection):
        faces = [f"{to_hex(c)}/{c[3]:.2f}" for c in artist.get_facecolor()[:1]]
        edges = [to_hex(c) for c in artist.get_edgecolor()[:1]]
        name = next(name for kind, name in _KINDS.items() if isinstance(artist, kind))
        return (
            f"{name} {faces} {edges}, {[round(float(w), 2) for w in artist.get_linewidth()][:1]} wide{_hatch(artist)}"
        )
    box = _rounded(artist.get_bbox().bounds) if hasattr(artist, "get_bbox") else ""
    face = f"{to_hex(artist.get_facecolor())}/{artist.get_facecolor()[3]:.2f}"
    edge = f"{to_hex(artist.get_edgecolor())} {artist.get_linewidth():g} wide, {artist.get_linestyle()}"
    return f"{type(artist).__name__} {box} {face}, {edge}, level {artist.get_zorder():g}{_hatch(artist)}"


def _hatch(artist: Any) -> str:
    return f", hatched {artist.get_hatch()}" if artist.get_hatch() else ""


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(float(value), 2) for value in values]


def _line(one: Line2D) -> str:
    mark = f"mark {one.get_marker()} of {one.get_markersize():g}, {to_hex(one.get_markerfacecolor())} {to_hex(one.get_markeredgecolor())} " \
           f"{one.get_markeredgewidth():g}"  # fmt: skip
    dashes = [round(float(v), 2) for v in one._unscaled_dash_pattern[1] or ()]
    return f"line {one.get_linestyle()} {dashes} {to_hex(one.get_color())} {one.get_linewidth():g} wide, {mark}, opaque {one.get_alpha() or 1:g}, level {one.get_zorder():g}"


def _text(one: Text) -> str:
    place = [round(float(v), 1) for v in one.xyann] if isinstance(one, Annotation) else _rounded(one.get_position())
    stroked = [effect._gc.get("linewidth") for effect in one.get_path_effects() or []]
    return (f"words of {one.get_fontsize():.3g} {one.get_weight()} {to_hex(one.get_color())}, {one.get_ha()} {one.get_va()} {place}, "
            f"turned {one.get_rotation():g}, stroked {stroked}, {len(one.get_text().splitlines())} lines")  # fmt: skip


def main() -> None:
    """Write the file anew."""
    from looks.test_looks import FIGURES

    FILE.write_text(
        json.dumps({name: look_of(make()) for name, make in FIGURES.items()}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
