"""Tables as CSV that a spreadsheet only reads: no cell in it can become a formula."""

from __future__ import annotations

__all__ = ["csv_text", "harmless", "unseen"]

import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# After blanks and quotes, too: some programs trim them before they look. Full-width signs count as the plain ones.
_FORMULA = re.compile(r"^[\s'\"\u00a0]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?")
_UNSEEN = {"Cc", "Cf"}


def unseen(text: str) -> bool:
    r"""Say whether a text holds characters that are not seen: control, zero-width, direction; breaks and tabs aside.

    Examples
    --------
    >>> unseen("two\nlines"), unseen("left\u202eright"), unseen("a\x00b")
    (False, True, True)
    """
    return any(unicodedata.category(c) in _UNSEEN and c not in "\t\r\n" for c in text)


def harmless(text: str) -> str:
    r"""Return a text that no spreadsheet takes for a formula: led by an apostrophe where it begins like one.

    Without control and direction characters (breaks and tabs become blanks). A plain number stays as it is.

    Examples
    --------
    >>> harmless('=HYPERLINK("https://example.org")')
    '\'=HYPERLINK("https://example.org")'
    >>> harmless("-5"), harmless("-5+A1"), harmless("a = b"), harmless("1 to 10")
    ('-5', "'-5+A1", 'a = b', '1 to 10')
    """
    risky = _FORMULA.match(text) is not None
    blanks = re.sub(r"[\t\r\n\u2028\u2029]+", " ", text)
    seen = "".join(c for c in blanks if unicodedata.category(c) not in _UNSEEN)
    # Both before and after: taking an unseen letter off can lay a formula bare, and a leading break is a sign itself.
    if not (risky or _FORMULA.match(seen)) or _NUMBER.fullmatch(seen):
        return seen
    return f"'{seen}"


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a frame may hold
    return harmless(value) if isinstance(value, str) else value


def csv_text(frame: pd.DataFrame) -> str:
    """Return a table as CSV (RFC 4180 quoting, one line per row, no index, ISO dates, empty where missing).

    The same frame, which is not changed, gives the same text.

    Examples
    --------
    >>> import pandas as pd
    >>> print(csv_text(pd.DataFrame({"=who": ["@a", "b,c"], "n": [1, 20]})), end="")
    '=who,n
    '@a,1
    "b,c",20
    """
    import pandas as pd  # noqa: PLC0415 - this module is imported by light ones

    columns = [_texts(frame.iloc[:, place], pd) for place in range(frame.shape[1])]
    plain = pd.concat(columns, axis=1) if columns else frame.copy()
    plain.columns = pd.Index([harmless(str(name)) for name in frame.columns])
    return str(plain.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n"))


def _texts(column: pd.Series[Any], pd: Any) -> pd.Series[Any]:  # noqa: ANN401 - the module, imported late
    """Make a column's texts harmless; numbers and dates are none."""
    plain = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
    return column if plain else column.astype(object).map(_cell)
