"""Keeping data out of error messages.

An exception that Python or a library raises may quote the data it choked on. Whatever the author of the notebook
typed is no participant's value; so quoted words are kept when they stand in the notebook's own source (or are plain
Python words), and are replaced by an ellipsis when they do not. A number may have been counted, and small ones stand in
every notebook somewhere: none is kept.
"""

from __future__ import annotations

__all__ = ["redact"]

import builtins
import re

_TOKENS = re.compile(
    r"""'[^'\n]*'|"[^"\n]*"|\[[^\]\n]*\]|[A-Za-z_]*\d[\w.:-]*""",
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_WORD = re.compile(r"[A-Za-z_]\w*")


def redact(message: str, source: str) -> str:
    """Return a message without anything that could come from the data.

    Parameters
    ----------
    message : str
        The message of an exception that is not evalkit's own.
    source : str
        The notebook's source: words standing in it are the author's, not the data's.

    Returns
    -------
    str

    Examples
    --------
    >>> redact("name 'kohort' is not defined", "kohort.people")
    "name 'kohort' is not defined"
    >>> redact("KeyError: 'P81f2aa03'", "people.loc[first]")
    "KeyError: '…'"
    >>> redact("ValueError: only 2 of 40", "x = [1, 2]")
    'ValueError: only … of …'
    """
    words = set(_WORD.findall(source)) | set(dir(builtins))

    def keep(match: re.Match[str]) -> str:
        token = match.group()
        if token[0] in "'\"[":
            inner = token[1:-1]
            known = all(part in words for part in re.findall(r"[^\s.,()]+", inner))
            return token if known else f"{token[0]}…{token[-1]}"
        return token if token in words else "…"

    return _TOKENS.sub(keep, _ANSI.sub("", message))
