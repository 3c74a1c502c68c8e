"""The language in force: set once, when a report is opened, so that no call has to carry it along."""

from __future__ import annotations

__all__ = ["Speech", "speak", "speaking", "speech"]

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from evalkit.words._catalogue import language_of


@dataclass(frozen=True, eq=False)
class Speech:
    """A language, and the study's own words in it.

    Attributes
    ----------
    locale : str
        As ``es-US``; a language without messages is served in English.
    own : mapping of str to str
        Labels and titles of the protocol as they stand there: translation.
    inside : mapping of str to str
        Groups' labels: how a sentence says that something holds in the group (``in the pilot``).
    """

    locale: str = "en-US"
    own: Mapping[str, str] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    """What was looked for already."""

    @property
    def language(self) -> str:
        """Language part of the locale, where it has messages; English otherwise."""
        return language_of(self.locale)


# A plain variable, not a context variable: a kernel runs each cell in a context of its own.
_in_force = [Speech()]


def speech() -> Speech:
    """Return the language in force.

    Returns
    -------
    Speech
    """
    return _in_force[-1]


def speak(locale: str, own: Mapping[str, str] | None = None, inside: Mapping[str, str] | None = None) -> None:
    """Set the language in force.

    Parameters
    ----------
    locale : str
        As ``es-US``.
    own : mapping of str to str, optional
        The study's own words in it.
    inside : mapping of str to str, optional
        Groups' labels as sentences have them.
    """
    # The last one is replaced, not added to: a report that is opened again in the same kernel leaves nothing behind.
    _in_force[-1] = Speech(locale, own or {}, inside or {})


@contextmanager
def speaking(
    locale: str, own: Mapping[str, str] | None = None, inside: Mapping[str, str] | None = None
) -> Iterator[Speech]:
    """Set the language in force for a while.

    Parameters
    ----------
    locale : str
    own : mapping of str to str, optional
        The study's own words in it.
    inside : mapping of str to str, optional
        Groups' labels as sentences have them.

    Yields
    ------
    Speech

    Examples
    --------
    >>> from evalkit.words import words
    >>> with speaking("es-US"):
    ...     words("list.two", first="a", second="b")
    'a y b'
    """
    _in_force.append(Speech(locale, own or {}, inside or {}))
    try:
        yield _in_force[-1]
    finally:
        _in_force.pop()
