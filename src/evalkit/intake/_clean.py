"""Errors of other libraries, re-raised without what they quote."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import Self

from evalkit.errors import DataError, EvalkitError


class clean_errors:  # noqa: N801 - used as a function
    """Re-raise an error that is not ours as a `DataError` of one line: ``where`` and its kind, no value, no cause.

    Engines and pandas quote the value that they could not convert, which may be a participant's; a traceback would show
    it, too. What engines and drivers deprecate among themselves is no news for a reader of reports, and is not shown.
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
        # An interrupt ends the program as it is; errors of ours hold no value and say more.
        if kind is None or not issubclass(kind, Exception) or issubclass(kind, EvalkitError):
            return
        advice = "`evalkit validate` says more about the tables"
        clean = DataError(f"{self._where}: the data engine refused ({kind.__name__}); {advice}")
        try:
            raise clean
        finally:
            # `raise` itself puts the foreign error here, and every traceback would print it with what it quotes.
            clean.__context__ = None
