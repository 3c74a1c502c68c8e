"""A figure of one's own: a researcher's function draws safe numbers, and nothing else.

The function gets the numbers that are published beside the figure, with the digits that are printed. It is looked at
before it runs: it may use its one argument, drawing and counting libraries, and other functions like it; a variable of
the notebook could hold exact numbers, and is refused by name. That guards against mistakes, as the other doors do; who
means to carry numbers out can type them into a text.
"""

from __future__ import annotations

__all__ = ["Draws", "drawn", "safe_function"]

import builtins
import contextlib
import dis
import random
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotParams
from matplotlib.text import Text

from evalkit.bench import COLOURS
from evalkit.errors import AnalysisError, DisclosureError
from evalkit.report._mark import check_letters
from evalkit.views import figure_size, svg_of, themed

Draws = Callable[[pd.DataFrame], object]

# What draws or counts. What reads files, and evalkit itself, would give exact rows (ADR 27).
_LIBRARIES = frozenset(
    {"matplotlib", "mpl_toolkits", "seaborn", "numpy", "pandas", "scipy", "math", "textwrap", "itertools", "functools"}
    | {"collections", "operator", "statistics", "string", "re", "datetime", "calendar", "colorsys", "cycler", "typing"}
    | {"__future__", "builtins"}
)
_BUILTINS = frozenset(
    {"open", "exec", "eval", "compile", "globals", "locals", "vars", "input", "breakpoint", "getattr"}
    | {"__import__", "print"}
)
_READERS = ("read_", "load", "fromfile", "genfromtxt", "memmap", "imread", "open", "ExcelFile", "HDFStore", "__")
"""Beginnings of names that fetch what the function was not given."""
_SHAPES = "pcolormesh, bar"
_LONGEST = 8.0  # inches of height: a page less its caption


def drawn(frame: pd.DataFrame, function: Draws) -> str:
    """Let a function draw a frame of safe numbers (return axes or a figure, or draw on pyplot's), and return the SVG.

    DisclosureError if it uses what it was not given, or gives back what it did not draw; AnalysisError if it draws
    nothing, or letters that the reports' fonts do not have.
    """
    draw, name = safe_function(function), function.__name__
    before = plt.get_fignums()
    current = plt.gcf().number if before else None
    try:
        with themed(), _same_draws(), mpl.rc_context({"axes.prop_cycle": f"cycler(color={list(COLOURS)})"}):
            # A figure of ours, before it runs: else pyplot would draw onto what an earlier cell left open.
            plt.figure(figsize=figure_size(), layout="constrained")
            with _columns_said(frame):
                made = draw(frame.copy())
            figure = _figure_of(made, name)
            # A figure of before may be drawn from exact numbers.
            if getattr(figure, "number", None) in before:
                msg = f"report.draw: '{name}' gives back a figure that was there before; let it draw a new one"
                raise DisclosureError(msg)
            _check(figure, name)
            _fit(figure)
            _lay_out(figure)
            svg = svg_of(figure)
            if "<image" in svg:  # whatever made it: a picture, or shapes that were asked to be one
                msg = f"report.draw: '{name}' draws a picture of pixels, which nobody can check; use shapes ({_SHAPES})"
                raise DisclosureError(msg)
            return svg
    finally:
        # Also those that the function opened beside its own: an open figure is shown by the notebook, without a mark.
        for number in set(plt.get_fignums()) - {*before}:
            plt.close(number)
        if current in plt.get_fignums():
            plt.figure(current)


@contextlib.contextmanager
def _same_draws() -> Iterator[None]:
    """Let what is scattered by lot lie where it lay before: the same numbers are the same bytes."""
    state, known = random.getstate(), np.random.get_state()  # noqa: NPY002 - what seaborn draws from
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(known)  # noqa: NPY002


@contextlib.contextmanager
def _columns_said(frame: pd.DataFrame) -> Iterator[None]:
    """Say which columns there are where somebody's function asks for another: its author does not see the frame."""
    try:
        yield
    except (KeyError, ValueError, AttributeError) as error:
        # The error stays what it is, and where: the line of the function is looked up in its traceback.
        error.args = (f"{error}; the frame has the columns {', '.join(map(str, frame.columns))}",)
        raise


def _figure_of(made: object, name: str) -> Figure:
    figure = plt.gcf() if made is None else getattr(made, "figure", made)
    if isinstance(figure, Figure):
        return figure
    msg = f"report.draw: '{name}' gave back no axes and no figure ({type(made).__name__}); return what it drew on"
    raise AnalysisError(msg)


def _check(figure: Figure, name: str) -> None:
    if not figure.axes:
        msg = f"report.draw: '{name}' drew nothing"
        raise AnalysisError(msg)
    check_letters((text.get_text() for text in figure.findobj(Text)), "report.draw")


def _fit(figure: Figure) -> None:
    """Make a figure no wider than the text and no higher than a page, in its own proportions."""
    width, height = figure.get_size_inches()
    smaller = min(1.0, figure_size()[0] / width, _LONGEST / height)
    if smaller < 1:
        figure.set_size_inches(width * smaller, height * smaller)


def _lay_out(figure: Figure) -> None:
    """Make room for labels in a figure whose author left that to us: else long ones are cut off at its edges."""
    if figure.get_layout_engine() is not None or vars(figure.subplotpars) != vars(SubplotParams()):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some axes stand where they were put: those stay
        figure.tight_layout()


def safe_function(function: object) -> Draws:
    """Return a function that can reach nothing but its argument, drawing libraries and functions like it.

    DisclosureError names what it uses beside.
    """
    if not isinstance(function, types.FunctionType):
        msg = (
            f"report.draw: give it a function of your own that takes one frame (def draw(frame): ...), "
            f"not a {type(function).__name__}"
        )
        raise DisclosureError(msg)
    # Its code and not its signature, which a decorator can make say anything.
    code = function.__code__
    if code.co_argcount != 1 or code.co_kwonlyargcount or code.co_flags & 0x0C:  # *args, **kwargs
        msg = f"report.draw: '{function.__name__}' has to take one thing, the frame of safe numbers"
        raise DisclosureError(msg)
    return _rebuilt(function, {})


def _rebuilt(function: types.FunctionType, done: dict[types.FunctionType, types.FunctionType]) -> types.FunctionType:
    """Make a function again, with those names of the notebook that cannot hold a number of anybody."""
    if function in done:
        return done[function]
    name = function.__name__
    if function.__defaults__ or function.__kwdefaults__:
        msg = f"report.draw: '{name}' has default values, which may hold exact numbers; write them inside of it"
        raise DisclosureError(msg)
    if function.__closure__:
        msg = f"report.draw: '{name}' uses '{function.__code__.co_freevars[0]}' from around it; {_INSTEAD}"
        raise DisclosureError(msg)
    # Globals of its own, with the allowed names only: a name that the check overlooked is not there.
    known: dict[str, Any] = {"__builtins__": builtins, "__name__": "evalkit_drawing"}
    made = types.FunctionType(function.__code__, known, name)
    # Before its names are looked at: functions that call each other would go round for ever.
    done[function] = made
    for used in _names(function.__code__, name):
        if used in function.__globals__:
            known[used] = _allowed(used, function.__globals__, name, done)
        elif used in _BUILTINS:
            msg = f"report.draw: '{name}' may not use '{used}'"
            raise DisclosureError(msg)
    return made


_INSTEAD = "it may hold exact numbers: take them from the frame, or write them inside of the function"


def _allowed(
    used: str, names: Mapping[str, Any], function: str, done: dict[types.FunctionType, types.FunctionType]
) -> object:
    value = names[used]
    if isinstance(value, types.ModuleType):
        if value.__name__.partition(".")[0] in _LIBRARIES:
            return value
        msg = f"report.draw: '{function}' may not use the module '{value.__name__}': it draws what it was given"
        raise DisclosureError(msg)
    # Where a function's code is, not where it says that it is: `functools.wraps` gives one's own another's module.
    own = (
        value.__globals__.get("__name__") if isinstance(value, types.FunctionType) else getattr(value, "__module__", "")
    )
    where = str(own or "").partition(".")[0]
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType) and where in _LIBRARIES:
        return value
    if isinstance(value, types.FunctionType):
        return _rebuilt(value, done)
    msg = f"report.draw: '{function}' uses '{used}' of the notebook; {_INSTEAD}"
    raise DisclosureError(msg)


def _names(code: types.CodeType, function: str) -> Iterator[str]:
    """Yield the names that code takes from outside, its inner functions' too; refuse those that fetch something."""
    for step in dis.get_instructions(code):
        used = str(step.argval)
        if step.opname == "IMPORT_NAME" and used.partition(".")[0] not in _LIBRARIES:
            msg = f"report.draw: '{function}' may not use the module '{used}': it draws what it was given"
            raise DisclosureError(msg)
        if step.opname in {"LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM", "LOAD_GLOBAL"} and used.startswith(_READERS):
            msg = f"report.draw: '{function}' may not use '{used}': it draws what it was given"
            raise DisclosureError(msg)
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield used
    # Comprehensions, lambdas and inner functions are code of their own, and see the same globals.
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner, function)
