"""Words: a message of the catalogue with its places filled in, and the small grammar of lists and counts."""

from __future__ import annotations

__all__ = ["listed", "numbered", "within", "words"]

from collections.abc import Sequence

from babel import Locale

from evalkit.errors import AnalysisError, did_you_mean
from evalkit.markup import template as with_signs
from evalkit.words._catalogue import messages
from evalkit.words._numbers import count, joined
from evalkit.words._speech import speech
from evalkit.words._translated import translated


def words(key: str, /, **values: object) -> str:
    """Return a message of the catalogue in the language in force.

    Parameters
    ----------
    key : str
        Its name: a dotted key, or its English words.
    **values
        What stands in its places, already written out; words of analyses and protocol are translated.

    Returns
    -------
    str

    Raises
    ------
    AnalysisError
        If there is no such message, or one of its places is not filled.

    Examples
    --------
    >>> words("group.share", share="77%", within="in the pilot")
    '77% in the pilot'
    >>> words("With {event}", event="recorded harm")
    'With recorded harm'
    """
    english, language = messages("en"), speech().language
    # A misspelt dotted key would else be printed as if it were English words.
    if key not in english and " " not in key and not key[:1].isupper():  # not English words either
        msg = f"there is no message '{key}'{did_you_mean(key, english)}"
        raise AnalysisError(msg)
    template = messages(language).get(key) or english.get(key, key)
    # Here, at the one place where values enter sentences: a label that was translated earlier has no entry, and stays.
    said = {name: translated(value) if isinstance(value, str) else value for name, value in values.items()}
    try:
        return joined(with_signs(template).format(**said), language)
    except KeyError as error:
        msg = f"message '{key}' needs {error}"
        raise AnalysisError(msg) from None


def numbered(key: str, n: float, /, **values: object) -> str:
    """Return a message in the form that a number asks for: zero, or a plural form of the language.

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
    known, whole = messages("en"), round(n)
    # Spanish has a third form, of millions: no report counts so many.
    form = "one" if Locale(speech().language).plural_form(whole) == "one" else "many"
    if not whole and f"{key}.zero" in known:
        form = "zero"
    if f"{key}.{form}" not in known:
        form = "many"
    return words(f"{key}.{form}", n=count(n), **values)


def within(group: str) -> str:
    """Return how a sentence says that something holds in a group.

    Parameters
    ----------
    group : str
        Its label.

    Returns
    -------
    str
        As the protocol gives it (`arms.focus.label_in`). A label alone has no article, and no sentence can guess it:
        it is quoted where the protocol gives nothing. One that names people ("people who waited 7 days") needs none.

    Examples
    --------
    >>> from evalkit.words import speaking
    >>> with speaking("en-US", inside={"Non-mandated pilot": "in the pilot"}):
    ...     within("Non-mandated pilot"), within("PAIP")
    ('in the pilot', 'in the group “PAIP”')
    >>> within("people who waited 0 to 7 days")
    'among people who waited 0 to 7 days'
    """
    inside = speech().inside
    arm, comma, rest = group.partition(", ")  # some of the people of a group: "PAIP, lapsed on day 90"
    if group not in inside and arm in inside and comma:
        return f"{translated(inside[arm])}, {translated(rest)}"
    if group == "all":
        return words("group.all")
    if group not in inside and group.startswith("people "):
        return words("among {group}", group=group)
    return translated(inside.get(group, "")) or words("in the group “{group}”", group=group)


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
    said = [translated(item) for item in items]
    if len(said) < 2:
        return "".join(said)
    if len(said) == 2:
        return words("list.two", first=said[0], second=said[1])
    return words("list.last", most=", ".join(said[:-1]), last=said[-1])
