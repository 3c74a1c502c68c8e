"""Every word a report prints, in the language in force: one catalogue, one writer of numbers, dates and lists.

``en.po`` and ``es.po`` hold the messages. A message is named by a dotted key (``find.engaged``), or by its English
words where these are plain enough to be the name. Reports speak the language that `speak` has set; the publishers,
which serve reports of several languages, take the `Messages` of a locale.
"""

from evalkit.words._catalogue import (
    LANGUAGES,
    Speech,
    catalogue,
    keys,
    language_of,
    read_catalogue,
    speak,
    speaking,
    speech,
)
from evalkit.words._messages import Messages, marked, messages_for
from evalkit.words._numbers import (
    NOT_SHOWN,
    between,
    count,
    decimal,
    horizon,
    interval,
    long_date,
    p_value,
    percent,
    percent_sign,
    points,
    span,
    whole_percent,
)
from evalkit.words._words import listed, numbered, translated, translated_names, translation, within, words, wrapped

__all__ = [
    "LANGUAGES",
    "NOT_SHOWN",
    "Messages",
    "Speech",
    "between",
    "catalogue",
    "count",
    "decimal",
    "horizon",
    "interval",
    "keys",
    "language_of",
    "listed",
    "long_date",
    "marked",
    "messages_for",
    "numbered",
    "p_value",
    "percent",
    "percent_sign",
    "points",
    "read_catalogue",
    "span",
    "speak",
    "speaking",
    "speech",
    "translated",
    "translated_names",
    "translation",
    "whole_percent",
    "within",
    "words",
    "wrapped",
]
