"""Every error evalkit raises on purpose: one tree, one exit code per class.

::

    EvalkitError ................ 1   anything of ours not named below
    ├── UsageError .............. 2   the command or a function was called wrongly
    ├── ProtocolError ........... 3   study.yaml, baselines.yaml, a params file or -P
    ├── DataError ............... 4   a raw table cannot be read, or breaks the study's rules
    ├── AnalysisError ........... 5   an estimate is not defined for these data
    ├── DisclosureError ......... 6   an output that may not leave
    ├── ExecutionError .......... 7   a notebook's cell failed, or its kernel died
    │   └── ExecutionTimeoutError  8   a render took longer than it may
    ├── PublicationError ........ 9   a publisher refused the document
    ├── ReleaseError ............ 10  the release folder exists, or cannot be written
    ├── MissingToolError ........ 11  a program or package that is needed is not there
    └── VerificationError ....... 12  a release is not what was published, or does not come out again

A message is one line: what is wrong, where, and how to mend it. It never holds a participant's
identifier or value: messages reach logs, terminals and continuous integration.
An interrupt (Ctrl-C) exits with 130, as shells do. No errors are 13 (a release waits for approval) and 14 (``evalkit
status``: a render is due).
"""

from __future__ import annotations

__all__ = [
    "AnalysisError",
    "DataError",
    "DisclosureError",
    "EvalkitError",
    "ExecutionError",
    "ExecutionTimeoutError",
    "MissingToolError",
    "ProtocolError",
    "PublicationError",
    "ReleaseError",
    "UsageError",
    "VerificationError",
    "did_you_mean",
]

import difflib
import os
import sys
import traceback
from collections.abc import Iterable


class EvalkitError(Exception):
    """Base of every error that evalkit raises on purpose."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows of it (IPython asks by this name); a render's log keeps all of it."""
        shell = sys.modules["IPython"].get_ipython()
        if any(name in os.environ for name in ("EVALKIT_RENDER", "EVALKIT_DEBUG")):
            whole: list[str] = shell.InteractiveTB.structured_traceback(type(self), self, self.__traceback__)
            return whole
        # Only lines of the author's cell: the way through evalkit's rooms tells nobody how to mend it.
        frames = traceback.walk_tb(self.__traceback__)
        lines = [line for frame, line in frames if shell is not None and frame.f_globals is shell.user_ns]
        return [f"evalkit: {self}{f' (line {lines[0]} of the cell)' if lines else ''}"]


class UsageError(EvalkitError, ValueError):
    """A command or a function was called with arguments that make no sense."""

    exit_code = 2


class ProtocolError(EvalkitError):
    """A protocol or parameter file says something it cannot mean."""

    exit_code = 3


class DataError(EvalkitError):
    """A raw table cannot be read, or its rows break the study's rules."""

    exit_code = 4
    lines: tuple[str, ...] = ()
    """Each broken rule as `evalkit validate` writes it; empty where the message is about one thing."""


class AnalysisError(EvalkitError, ValueError):
    """An estimate is not defined for the data it was asked of."""

    exit_code = 5


class DisclosureError(EvalkitError):
    """An output that may not leave the study was about to."""

    exit_code = 6


class ExecutionError(EvalkitError):
    """A notebook did not run to its end."""

    exit_code = 7


class ExecutionTimeoutError(ExecutionError):
    """A notebook took longer than it may."""

    exit_code = 8


class PublicationError(EvalkitError):
    """A publisher could not make the document."""

    exit_code = 9


class ReleaseError(EvalkitError):
    """A release folder exists already, or cannot be written."""

    exit_code = 10


class MissingToolError(EvalkitError):
    """A program or package that this work needs is not installed."""

    exit_code = 11


class VerificationError(EvalkitError):
    """A release is not what was published, or another one comes out when it is made again."""

    exit_code = 12


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt word, or an empty string.

    Parameters
    ----------
    word : str
        What was written.
    known : iterable of str
        What could have been meant.

    Returns
    -------
    str
        ``"; did you mean 'x'?"`` for the nearest known word, ``""`` when none is near.

    Examples
    --------
    >>> did_you_mean("perod", ["period", "study"])
    "; did you mean 'period'?"
    >>> did_you_mean("zzz", ["period", "study"])
    ''
    """
    words = list(known)
    # What differs in letter case alone is nearest: by letters alone participants has nothing of PARTICIPANTS.
    same = [each for each in words if each.casefold() == word.casefold()]
    near = same or difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
