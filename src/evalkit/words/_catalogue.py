"""The catalogue: ``en.po`` gives each dotted key its English words, ``es.po`` both kinds of message their Spanish."""

from __future__ import annotations

__all__ = ["LANGUAGES", "catalogue", "keys", "language_of", "messages", "read_catalogue"]

from functools import cache
from importlib.resources import files
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

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
