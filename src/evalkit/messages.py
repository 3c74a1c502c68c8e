"""What a report says, in the reader's language: one catalogue for every generated sentence and label.

A message's English words are its key; ``catalogue/es.po`` holds the Spanish. Numbers and dates follow the locale.
"""

from __future__ import annotations

__all__ = ["LANGUAGES", "Messages", "marked", "messages_for"]

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from evalkit.markup import template

LANGUAGES = ("en", "es")
"""Languages that have messages."""


def marked(message: str) -> str:
    """Mark a text as a message that is said later, so that it is looked for in the source.

    Parameters
    ----------
    message : str

    Returns
    -------
    str
        As given.
    """
    return message


@dataclass(frozen=True)
class Messages:
    """The messages of one language; call it with a message to have it said.

    Attributes
    ----------
    locale : str
        As ``es-US``.

    Examples
    --------
    >>> say = Messages("es-US")
    >>> say("Data cut"), say.day(date(2023, 12, 31)), say.count(1060), say.percent(0.624)
    ('Corte de datos', '31 de diciembre de 2023', '1,060', '62%')
    """

    locale: str

    @property
    def language(self) -> str:
        """Language part of the locale, where it has messages; English otherwise."""
        language = self.locale.partition("-")[0]
        return language if language in LANGUAGES else "en"

    def __call__(self, message: str, **values: object) -> str:
        """Say a message.

        Parameters
        ----------
        message : str
            English, with named places in braces.
        **values
            What stands in the places; without any the places stay.

        Returns
        -------
        str
        """
        text = template(_translated(self.language).get(message, message))
        return text.format(**values) if values else text

    def counted(self, one: str, many: str, number: float, **values: object) -> str:
        """Say a message about a number of things.

        Parameters
        ----------
        one, many : str
            English, for one and for any other number; ``{n}`` is the number.
        number : float
        **values
            What stands in the other places.

        Returns
        -------
        str
        """
        return self(one if round(number) == 1 else many, n=self.count(number), **values)

    def count(self, value: float) -> str:
        """Write a whole number.

        Parameters
        ----------
        value : float

        Returns
        -------
        str
        """
        return str(format_decimal(round(value), locale=self._babel))

    def percent(self, value: float) -> str:
        """Write a share as whole percent; what is not quite all or nothing says so.

        Parameters
        ----------
        value : float
            0 to 1.

        Returns
        -------
        str
        """
        whole = round(100 * value)
        if (whole == 100 and value < 1) or (whole == 0 and value > 0):
            edge = format_percent(0.99 if whole else 0.01, locale=self._babel)
            say = self  # the name under which messages are looked for in the source
            return say("over {share}", share=edge) if whole else say("under {share}", share=edge)
        return str(format_percent(whole / 100, locale=self._babel))

    def day(self, value: date) -> str:
        """Write a date in words.

        Parameters
        ----------
        value : datetime.date

        Returns
        -------
        str
        """
        return str(format_date(value, format="long", locale=self._babel))

    @property
    def _babel(self) -> str:
        known = self.locale.partition("-")[0] == self.language
        return (self.locale if known else "en-US").replace("-", "_")


@cache
def _translated(language: str) -> dict[str, str]:
    if language == "en":
        return {}
    return {str(m.id): str(m.string) for m in catalogue(language) if m.id and m.string}


def catalogue(language: str) -> Catalog:
    """Return the catalogue of a language.

    Parameters
    ----------
    language : str
        Not English: its words are the messages themselves.

    Returns
    -------
    babel.messages.catalog.Catalog
    """
    with (files("evalkit") / "catalogue" / f"{language}.po").open("rb") as stream:
        return read_po(stream, locale=language)


def messages_for(locale: str) -> Messages:
    """Return the messages of a locale.

    Parameters
    ----------
    locale : str
        As ``es-US``; a language without messages is served in English.

    Returns
    -------
    Messages
    """
    return Messages(locale)
