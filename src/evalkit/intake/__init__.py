"""The only reader of raw data: sources, the study's rules about them, and the cut.

`open_data` reads a study's tables; `StudyData.at` gives what was known on a day.
"""

from __future__ import annotations

from evalkit.intake._data import CutData, Input, StudyData, fetch
from evalkit.intake._findings import Finding, Findings
from evalkit.intake._open import open_data
from evalkit.intake._spec import MissingTableError

__all__ = [
    "CutData",
    "Finding",
    "Findings",
    "Input",
    "MissingTableError",
    "StudyData",
    "fetch",
    "open_data",
]
