"""Errors of other libraries, re-raised without what they quote."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Self

from evalkit.errors import DataError, EvalkitError


class clean_errors:  # noqa: N801 - used as a function
    """Re-raise any foreign error as one clear line without a value in it.

    Database engines and pandas quote the value they could not convert; that value may be a participant's.
    The new error has neither cause nor context, so that no traceback can show the old one. What engines and
    drivers deprecate among themselves is no news for a reader of reports, and is not shown.

    Parameters
    ----------
    where : str
        What was being done, for the message.

    Raises
    ------
    DataError
        In place of any error that is not ours.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._warnings = warnings.catch_warnings()

    def __enter__(self) -> Self:
        self._warnings.__enter__()
        warnings.simplefilter("ignore", DeprecationWarning)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._warnings.__exit__(kind, error, trace)
        if kind is None or not issubclass(kind, Exception) or issubclass(kind, EvalkitError):
            return
        advice = "`evalkit validate` says more about the tables"
        clean = DataError(f"{self._where}: the data engine refused ({kind.__name__}); {advice}")
        try:
            raise clean
        finally:
            clean.__context__ = None
