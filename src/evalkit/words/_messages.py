"""The messages of a locale that need not be the one in force: for publishers, which serve reports of several languages.

A message's English words are its key. Numbers and dates follow the locale.
"""

from __future__ import annotations

__all__ = ["Messages", "marked", "messages_for"]

from dataclasses import dataclass
from datetime import date

from evalkit.markup import template
from evalkit.words import _numbers as numbers
from evalkit.words._catalogue import language_of, messages


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
        return language_of(self.locale)

    def __call__(self, message: str, **values: object) -> str:
        """Say a message, English with named places in braces; without values its places stay."""
        text = template(messages(self.language).get(message, message))
        return numbers.joined(text.format(**values), self.language) if values else text

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
        return numbers.count(value, locale=self.locale)

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
        return numbers.percent(value, locale=self.locale)

    def day(self, value: date) -> str:
        """Write a date in words.

        Parameters
        ----------
        value : datetime.date

        Returns
        -------
        str
        """
        return numbers.long_date(value, locale=self.locale)


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
