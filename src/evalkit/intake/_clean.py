"""Errors of other libraries, re-raised without what they quote."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from evalkit.errors import DataError, EvalkitError


@contextmanager
def clean_errors(where: str) -> Iterator[None]:
    """Re-raise any foreign error as one clear line without a value in it.

    Database engines quote the value they could not convert; that value may be a participant's.

    Parameters
    ----------
    where : str
        What was being done, for the message.

    Yields
    ------
    None

    Raises
    ------
    DataError
        In place of any error that is not ours; its cause and context are dropped.
    """
    try:
        with warnings.catch_warnings():
            # What engines and their drivers deprecate among themselves is no news for a reader of reports.
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    except EvalkitError:
        raise
    except Exception as error:
        kind = type(error).__name__
    else:
        return
    msg = f"{where}: the data engine refused ({kind}); `evalkit validate` says more about the tables"
    raise DataError(msg)
