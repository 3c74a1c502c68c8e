"""Figures, tables and sentences. Takes only what disclosure control passed, and estimates nothing."""

from evalkit.views._families import FAMILIES, view_of
from evalkit.views._methods import (
    definitions,
    deviations_text,
    frozen_words,
    programme_text,
    provenance_table,
    re_aim_text,
    restatement_numbers,
    restatement_table,
)
from evalkit.views._phrases import Gap, amount, common_day, gap_words, in_people
from evalkit.views._tables import html_table
from evalkit.views._view import CurveText, Look, View
from evalkit.views.benchmarks import benchmark_numbers, benchmark_table
from evalkit.views.curves import difference_table, last_day
from evalkit.views.indicators import Indicator, indicator_numbers, indicator_table
from evalkit.views.means import mean_gap
from evalkit.views.participants import baseline_table
from evalkit.views.shares import dots_figure
from evalkit.views.style import figure_size, svg_of, themed
from evalkit.words import count, decimal, listed, numbered, percent, points, words

__all__ = [
    "FAMILIES",
    "CurveText",
    "Gap",
    "Indicator",
    "Look",
    "View",
    "amount",
    "baseline_table",
    "benchmark_numbers",
    "benchmark_table",
    "common_day",
    "count",
    "decimal",
    "definitions",
    "deviations_text",
    "difference_table",
    "dots_figure",
    "figure_size",
    "frozen_words",
    "gap_words",
    "html_table",
    "in_people",
    "indicator_numbers",
    "indicator_table",
    "last_day",
    "listed",
    "mean_gap",
    "numbered",
    "percent",
    "points",
    "programme_text",
    "provenance_table",
    "re_aim_text",
    "restatement_numbers",
    "restatement_table",
    "svg_of",
    "themed",
    "view_of",
    "words",
]
