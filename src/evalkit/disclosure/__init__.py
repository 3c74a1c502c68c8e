"""Disclosure control: what may leave the study.

A policy is data (`Policy`); `make_safe` makes an estimate's counts safe and asks the same analysis again, so that
every percentage, curve, table and sentence comes from numbers that may be seen, with the digits that are printed of
them (`printed`). The exact number never goes further.
`protect` looks at a release as a whole, beside everything published before (`Ledger`), and finds what else must be
withheld so that no small count can be worked out.
"""

from evalkit.disclosure._cells import Cell, cells_of
from evalkit.disclosure._counts import safe_counts
from evalkit.disclosure._digits import POINTS, Digits, cut, printed
from evalkit.disclosure._ledger import Ledger
from evalkit.disclosure._ledger_entry import cells_from, cells_to
from evalkit.disclosure._policy import Policy
from evalkit.disclosure._protect import Memory, Plan, protect, without
from evalkit.disclosure._quoted import NEARNESS, TOLERANCE
from evalkit.disclosure._record import Record
from evalkit.disclosure._record_line import RecordLine, read_record
from evalkit.disclosure._restated import safe_restatements
from evalkit.disclosure._safe import Safe, make_safe

__all__ = [
    "NEARNESS",
    "POINTS",
    "TOLERANCE",
    "Cell",
    "Digits",
    "Ledger",
    "Memory",
    "Plan",
    "Policy",
    "Record",
    "RecordLine",
    "Safe",
    "cells_from",
    "cells_of",
    "cells_to",
    "cut",
    "make_safe",
    "printed",
    "protect",
    "read_record",
    "safe_counts",
    "safe_restatements",
    "without",
]
