"""The only reader of raw data: sources, the study's rules about them, and the cut.

`open_data` reads a study's tables; `StudyData.at` gives what was known on a day.
"""

from __future__ import annotations

from datetime import date

from evalkit.intake._data import CutData, Input, StudyData, fetch
from evalkit.intake._database import secrets_of
from evalkit.intake._dictionary import dictionary
from evalkit.intake._digest import known_digests, table_digests
from evalkit.intake._findings import Finding, Findings
from evalkit.intake._open import open_data
from evalkit.intake._spec import MissingTableError, exit_effects
from evalkit.protocol import Study

__all__ = [
    "CutData",
    "Finding",
    "Findings",
    "Input",
    "MissingTableError",
    "StudyData",
    "dictionary",
    "exit_effects",
    "fetch",
    "known_digests",
    "open_data",
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
        Days after it have not come yet; the computer's day by default.

    Returns
    -------
    Findings
        Everything that is wrong, in one run: files that cannot be read, missing columns, values that cannot
        be what their column says, and every broken rule. Never a value or an identifier.

    Raises
    ------
    ProtocolError
        If the protocol's mapping names a column we do not know.
    DataError
        If the database cannot be reached.
    """
    from evalkit.intake._open import read_all  # noqa: PLC0415 - pandera is slow to import
    from evalkit.intake._validate import check  # noqa: PLC0415

    with read_all(study) as data:
        return check(data, today)
