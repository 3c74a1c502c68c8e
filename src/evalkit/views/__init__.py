"""Figures, tables and sentences. Takes only what disclosure control passed, and estimates nothing."""

from evalkit.views._brief import curves_of_brief, shares_of_brief
from evalkit.views._data import (
    benchmark_numbers,
    curve_numbers,
    drawn_numbers,
    restatement_numbers,
    safe_numbers,
)
from evalkit.views._draw import Look, draw
from evalkit.views._figures import CurveText, curves_figure, dots_figure, weeks_figure
from evalkit.views._final_tables import baseline_table
from evalkit.views._gap import Gap, gap_words
from evalkit.views._headlines import headline
from evalkit.views._layouts import benchmark_table, difference_table, table_of
from evalkit.views._methods import definitions, provenance_table, restatement_table
from evalkit.views._numbers import count, decimal, percent, points
from evalkit.views._style import svg_of
from evalkit.views._tables import html_table
from evalkit.views._words import listed, numbered, words
from evalkit.views.prose import common_day, last_day, mean_gap, sentences

__all__ = [
    "CurveText",
    "Gap",
    "Look",
    "baseline_table",
    "benchmark_numbers",
    "benchmark_table",
    "common_day",
    "count",
    "curve_numbers",
    "curves_figure",
    "curves_of_brief",
    "decimal",
    "definitions",
    "difference_table",
    "dots_figure",
    "draw",
    "drawn_numbers",
    "gap_words",
    "headline",
    "html_table",
    "last_day",
    "listed",
    "mean_gap",
    "numbered",
    "percent",
    "points",
    "provenance_table",
    "restatement_numbers",
    "restatement_table",
    "safe_numbers",
    "sentences",
    "shares_of_brief",
    "svg_of",
    "table_of",
    "weeks_figure",
    "words",
]
