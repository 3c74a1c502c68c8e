"""The only reader of raw data: sources, the study's rules about them, and the cut.

`open_data` reads a study's tables; `StudyData.at` gives what was known on a day.
"""

from __future__ import annotations

from datetime import date

from evalkit.intake._data import CutData, Input, StudyData, fetch
from evalkit.intake._database import secrets_of
from evalkit.intake._dictionary import dictionary
from evalkit.intake._findings import Finding, Findings
from evalkit.intake._gate import Gate, open_gate
from evalkit.intake._open import KnownDigests, known_digests, open_data, table_digests
from evalkit.intake._rules import Codes
from evalkit.intake._spec import MissingTableError, exit_effects
from evalkit.protocol import Study

__all__ = [
    "Codes",
    "CutData",
    "Finding",
    "Findings",
    "Gate",
    "Input",
    "KnownDigests",
    "MissingTableError",
    "StudyData",
    "dictionary",
    "exit_effects",
    "fetch",
    "known_digests",
    "open_data",
    "open_gate",
    "secrets_of",
    "table_digests",
    "validate",
]


def validate(study: Study, *, today: date | None = None) -> Findings:
    """Check a study's tables, whatever state they are in.

    Parameters
    ----------
    study : Study
    today : datetime.date, optional
        Days after it have not come yet; by default the day it is in the study's ``time_zone``.

    Returns
    -------
    Findings
        Everything that is wrong, in one run: files that cannot be read, missing columns, values that cannot
        be what their column says, and every broken rule. Never a value or an identifier.

    Raises
    ------
    ProtocolError
        If the protocol's mapping names a column we do not know, or an excuse a rule that is none.
    DataError
        If the database cannot be reached.
    """
    gate = open_gate(study, today=today)
    with gate.data:
        return gate.findings
