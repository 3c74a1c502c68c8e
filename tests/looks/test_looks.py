"""Every figure looks as it did when this was taken: sizes, widths, marks, colours, and where words stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.views import Look, dots_figure
from looks.drawn_as import FILE, look_of
from views.made import GROUPS, safe_of, table
from views.seen import draw
from views.test_amounts import AMOUNTS, OF_ALL
from views.test_figures import FRAMES
from views.test_pathway import PATHWAY, risks

ROWS = """
group | label                                                     | estimate | conf_low | conf_high
Pilot | One                                                       | 0.6      | 0.5      | 0.7
PAIP  | One                                                       | 0.4      | 0.37     | 0.43
PAIP  | Two, with a name so long that it is broken into two lines | 0.004    | 0.001    | 0.01
"""
EFFECTS = "label | method | estimate | conf_low | conf_high\n" + "\n".join(
    f"{name} | {'unadjusted' if name == 'a' else 'iptw'} | 0.05 | -0.02 | 0.12" for name in "abcdef"
)
QUARTERS = "group | variable | label | period | n | estimate | conf_low | conf_high\n" + "\n".join(
    f"{group} | v | {label} | {year}Q{quarter} | 50 | 0.{quarter} | 0.1 | 0.6"
    for group in GROUPS for label in ("One", "Two", "Three", "Four", "Five") for year in (2021, 2022) for quarter in (1, 2, 3, 4)
)  # fmt: skip
MARKS = pd.DataFrame(
    {
        "label": ["Cook\n1,899 men", "Other"],
        "estimate": [0.73, 0.5],
        "conf_low": [0.7, np.nan],
        "conf_high": [0.76, np.nan],
    }
)
MANY = tuple(f"Group {k}" for k in range(1, 6))


def _several() -> str:
    return "group | label | estimate | conf_low | conf_high\n" + "\n".join(
        f"{group} | One | 0.{k} | 0.0{k} | 0.9" for k, group in enumerate(MANY, start=1)
    )


def _drawn(safe: Safe, look: Look) -> Figure:
    return draw(safe, GROUPS, look)[0]


def _on_a_phone(safe: Safe, look: Look) -> Figure:
    return _drawn(safe, replace(look, narrow=True))


FIGURES: dict[str, Callable[[], Figure]] = {
    **{name: partial(_drawn, case[0], case[1]) for name, case in FRAMES.items()},
    "published": lambda: dots_figure(table(ROWS), GROUPS, "Share", marks=MARKS)[0],
    "five groups": lambda: dots_figure(table(_several()), MANY, "Share")[0],
    "many effects": lambda: draw(safe_of("sensitivity", EFFECTS), GROUPS, Look())[0],
    "eight quarters": lambda: draw(safe_of("trend", QUARTERS), GROUPS, Look())[0],
    "amounts": partial(_drawn, AMOUNTS, Look()),
    "amounts of all": partial(_drawn, OF_ALL, Look()),
    "pathway": partial(_drawn, PATHWAY, Look()),
    "risks": partial(_drawn, risks(), Look()),
}
FIGURES |= {
    f"{name}, on a phone": partial(_on_a_phone, safe, look)
    for name, safe, look in [
        *((name, case[0], case[1]) for name, case in FRAMES.items()),
        ("amounts", AMOUNTS, Look()),
        ("pathway", PATHWAY, Look()),
        ("risks", risks(), Look()),
    ]
}
LOOKS = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did(name: str) -> None:
    assert look_of(FIGURES[name]()) == LOOKS[name]
