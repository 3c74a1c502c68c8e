"""One restrained look for every figure: type, colours that colour-blind readers and grey print keep apart."""

from __future__ import annotations

__all__ = [
    "COMPARISON",
    "FOCUS",
    "INK",
    "MUTED",
    "NARROW",
    "PHONE",
    "RULE",
    "SHAPES",
    "TALL",
    "WIDE",
    "arm_style",
    "draw_line",
    "figure_size",
    "lay_out",
    "new_figure",
    "on_phone",
    "read_on",
    "svg_of",
]

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import font_source_sans_pro
import matplotlib as mpl
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.typing import ColorType

from evalkit.bench import COLOURS, LINES, SHAPES

INK, MUTED, RULE = "#1b2530", "#55606b", "#c9d1d8"
FOCUS, COMPARISON = COLOURS[:2]
READABLE = 4.5  # to 1: contrast of letters that WCAG 2.2 asks for
WIDE = 6.5  # inches: the text width of US letter with one-inch margins
NARROW = 5.4  # inches, of figures of one panel on a page
PHONE = 4.1  # inches, of a figure drawn again for a phone: panels below one another, letters as large as its text
TALL = 24  # letters of a line beside an axis: more do not fit beside the lowest figure
_ON_PHONE = ContextVar("on a phone", default=False)


def read_on(colour: ColorType) -> str:
    """Return the colour of letters that can be read on a colour: ink, or where it stands out too little white or black.

    WCAG 2.2 asks for 4.5:1; the better one of white and black has 4.58:1 or more on any colour.
    """
    return next((ink for ink in (INK, "white") if _contrast(ink, colour) >= READABLE), "black")


def _contrast(one: ColorType, other: ColorType) -> float:
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: ColorType) -> float:
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@cache
def _theme() -> Any:  # noqa: ANN401 - matplotlib types its keys one by one
    folder = Path(str(font_source_sans_pro.__file__)).parent / "files"
    # From the locked package, not from the machine: the same letters, and so the same bytes, everywhere.
    for face in ("Regular", "It", "Semibold", "Bold"):
        font_manager.fontManager.addfont(folder / f"SourceSansPro-{face}.ttf")
    import seaborn as sns  # noqa: PLC0415 - as in draw_line

    base = dict(sns.axes_style("ticks"))
    ours = {
        "font.family": "sans-serif",
        "font.sans-serif": ["Source Sans Pro", "DejaVu Sans"],
        "font.size": 9.5,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.7,
        "axes.titlesize": 11.5,
        "axes.titleweight": "semibold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "grid.color": "#e6eaee",
        "grid.linewidth": 0.6,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "text.parse_math": False,  # a label may hold a dollar sign
        # Outlines: a reader's machine need not have the font.
        "svg.fonttype": "path",
        # Without a salt matplotlib draws ids at random, and no two renders are the same bytes.
        "svg.hashsalt": "evalkit",
        "figure.dpi": 100,
    }
    return base | ours


def arm_style(groups: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return colour and line style of each group, as keywords of lines; the focus arm comes first."""
    return {
        group: {"color": COLOURS[i % len(COLOURS)], "linestyle": LINES[i % len(LINES)], "linewidth": 1.8}
        for i, group in enumerate(groups)
    }


def figure_size() -> tuple[float, float]:
    """Return width and height of a figure, in inches: as wide as the text."""
    return WIDE, 2.8


@contextmanager
def on_phone() -> Iterator[None]:
    """Return the context in which no figure is wider than `PHONE`."""
    before = _ON_PHONE.set(True)
    try:
        yield
    finally:
        _ON_PHONE.reset(before)


def new_figure(height: float, width: float = WIDE) -> Figure:
    """Return an empty figure, in inches: `WIDE`, or `NARROW`; `on_phone` no wider than fits there."""
    with mpl.rc_context(_theme()):
        # Not pyplot's: a figure that pyplot knows is shown by the notebook once more, without a mark.
        return Figure(figsize=(min(width, PHONE) if _ON_PHONE.get() else width, height), layout="constrained")


def draw_line(axes: Axes, rows: pd.DataFrame, style: Mapping[str, Any], x: str = "time") -> None:
    """Draw estimates as one line."""
    import seaborn as sns  # noqa: PLC0415 - loads scipy.stats: who draws nothing need not wait for it

    sns.lineplot(rows, x=x, y="estimate", estimator=None, ax=axes, legend=False, **style)


def svg_of(figure: Figure) -> str:
    """Return a figure as SVG with letters as outlines: the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    str
    """
    text = io.StringIO()
    with mpl.rc_context(_theme()):
        # `savefig` draws twice, the first time for the layout alone, which drawing makes anyway.
        draw: Any = FigureCanvasSVG(figure).print_svg
        # A date, or a version of matplotlib, would make other bytes of the same numbers.
        draw(text, metadata={"Date": None, "Creator": None})
    return text.getvalue()


def lay_out(figure: Figure) -> None:
    """Place the panels of a `new_figure` for good: what is put beside them moves them no more."""
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")


def themed() -> Any:  # noqa: ANN401 - matplotlib's own context manager
    """Return the context in which figures are drawn."""
    return mpl.rc_context(_theme())
