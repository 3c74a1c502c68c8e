"""The catalogue and the language in force.

``en.po`` gives each dotted key its English words, ``es.po`` both kinds of message their Spanish. The language is set
once, when a report is opened, so that no call has to carry it along.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

__all__ = [
    "LANGUAGES",
    "Speech",
    "catalogue",
    "keys",
    "language_of",
    "messages",
    "read_catalogue",
    "speak",
    "speaking",
    "speech",
]


LANGUAGES = ("en", "es")
"""Languages that have messages."""


def language_of(locale: str) -> str:
    """Return the language part of a locale, where it has messages; English otherwise."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else "en"


def read_catalogue(stream: IO[bytes], language: str) -> Catalog:
    """Read a file of messages.

    Parameters
    ----------
    stream : binary file
    language : str

    Returns
    -------
    babel.messages.catalog.Catalog

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return read_po(stream, locale=language, abort_invalid=True)
    except PoFileError as error:
        raise ValueError(str(error)) from None


def catalogue(language: str) -> Catalog:
    """Return the catalogue of a language.

    Parameters
    ----------
    language : str

    Returns
    -------
    babel.messages.catalog.Catalog
    """
    with (files("evalkit.words") / f"{language}.po").open("rb") as stream:
        return read_catalogue(stream, language)


@cache
def messages(language: str) -> dict[str, str]:
    """Return the messages of a language: key or English words, text."""
    # The header of a .po has an empty id; an empty text is a message without translation, not one that says nothing.
    return {str(m.id): str(m.string) for m in catalogue(language) if m.id and m.string}


def keys() -> tuple[str, ...]:
    """Return the dotted keys, in the order of the catalogue.

    Returns
    -------
    tuple of str
    """
    return tuple(messages("en"))


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
