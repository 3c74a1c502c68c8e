"""Disclosure control: what may leave the study.

A policy is data (`Policy`); `make_safe` puts keyed noise on an estimate's counts (`Noise`) and asks the same analysis
again, so that every percentage, curve, table and sentence comes from numbers that may be seen, with the digits that are
printed of them (`printed`). The exact number never goes further. The same people give the same number in every table,
figure and release. Of whom numbers were told is remembered (`Told`): no few people are what too many pairs of published
groups differ by.
"""

from evalkit.disclosure._counts import safe_counts, safe_restatements
from evalkit.disclosure._digits import POINTS, Digits, cut, printed
from evalkit.disclosure._policy import Noise, Policy, bell
from evalkit.disclosure._record import Cell, Record, RecordLine, cells_of, read_record
from evalkit.disclosure._safe import Safe, make_safe
from evalkit.disclosure._told import LEFT_OUT, Told, name_of, read_told

__all__ = [
    "LEFT_OUT",
    "POINTS",
    "Cell",
    "Digits",
    "Noise",
    "Policy",
    "Record",
    "RecordLine",
    "Safe",
    "Told",
    "bell",
    "cells_of",
    "cut",
    "make_safe",
    "name_of",
    "printed",
    "read_record",
    "read_told",
    "safe_counts",
    "safe_restatements",
]
