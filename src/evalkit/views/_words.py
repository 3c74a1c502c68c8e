"""Words: a message of the catalogue with its places filled in, and the small grammar of lists and counts."""

from __future__ import annotations

__all__ = ["listed", "numbered", "words"]

from collections.abc import Sequence

from evalkit.errors import AnalysisError, did_you_mean
from evalkit.markup import template as with_signs
from evalkit.views._messages import ENGLISH
from evalkit.views._numbers import count


def words(key: str, /, **values: object) -> str:
    """Return a message of the catalogue.

    Parameters
    ----------
    key : str
        Its name.
    **values
        What stands in its places, already written out.

    Returns
    -------
    str

    Raises
    ------
    AnalysisError
        If there is no such message, or one of its places is not filled.

    Examples
    --------
    >>> words("group.share", share="77%", group="the pilot")
    '77% in the pilot'
    """
    template = ENGLISH.get(key)
    if template is None:
        msg = f"there is no message '{key}'{did_you_mean(key, ENGLISH)}"
        raise AnalysisError(msg)
    try:
        return with_signs(template).format(**values)
    except KeyError as error:
        msg = f"message '{key}' needs {error}"
        raise AnalysisError(msg) from None


def numbered(key: str, n: float, /, **values: object) -> str:
    """Return a message in the form that a number asks for: zero, one or many.

    Parameters
    ----------
    key : str
        Name of the message without its form.
    n : float
    **values
        As in `words`; ``n`` is written out here.

    Returns
    -------
    str

    Examples
    --------
    >>> numbered("people", 0), numbered("people", 1), numbered("people", 1060)
    ('no people', '1 person', '1,060 people')
    """
    form = {0: "zero", 1: "one"}.get(round(n), "many")
    if f"{key}.{form}" not in ENGLISH:
        form = "many"
    return words(f"{key}.{form}", n=count(n), **values)


def listed(items: Sequence[str]) -> str:
    """Return items as a list in words.

    Parameters
    ----------
    items : sequence of str

    Returns
    -------
    str

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    if len(items) < 2:
        return "".join(items)
    if len(items) == 2:
        return words("list.two", first=items[0], second=items[1])
    return words("list.last", most=", ".join(items[:-1]), last=items[-1])
