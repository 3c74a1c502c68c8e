"""Words in the language in force: messages with their places filled in, lists and counts, what is written in English.

Analyses stay English whatever the report's language: the noise of a count follows from the wording of its question, and
an edition in another language must show the same numbers. So their labels, and those of protocols and notebooks, are
put into the language where they are printed: a label is looked for as it stands, then as a message with places
("Intake within {days} days").
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from babel import Locale

from evalkit.errors import AnalysisError, did_you_mean
from evalkit.markup import template as with_signs
from evalkit.words._catalogue import Speech, messages, speech
from evalkit.words._numbers import count, joined, long_date, months_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["listed", "numbered", "translated", "translated_names", "translation", "within", "words", "wrapped"]


# What readers are shown. Terms and measures are keys: programs look for them, in reports of either language.
_NAMED = ("group", "label", "variable", "cause", "contrast", "sentence")
_PLACE = re.compile(r"\{(\w+)\}")
_TIMES = " × "
"""Between the terms of an interaction: each is translated by itself."""
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAY = re.compile(rf"({'|'.join(_MONTHS)}) (\d{{1,2}}), (\d{{4}})")
"""A day as English captions write it."""
_ISO_DAY = re.compile(r"(?:^|(?<=\bon or after ))\d{4}-\d{2}-\d{2}$")
"""A day as labels of analyses write it, by itself or at the end of one."""
_WHOM, _TIMES_SAID, _HORIZON = ".whom", "time.", "horizon."
"""Keys of what the rows of page one are of, of the times in their names, and of up to when something is told."""
_PAGE_ONE = "ind.caption"
_LONE = 3  # letters: a shorter last line is read as no part of the name
_BY_DAY = re.compile(r"(?<=\b[Bb]y )day (\d+)\b|(?<=, )day (\d+)$")
"""A day as labels of analyses name it."""
_WITHIN = re.compile(r"\b[Ww]ithin (\d+) days(?=$|,)")
"""A length of time as they name it; "within 60 days of intake" is a rule, and keeps its days."""
_FEW = 8
"""Letters: a message with fewer of its own would match nearly anything."""
_LETTERS = re.compile(r"[^\W\d_]{2}")


def translated(text: str) -> str:
    """Return a text in the language in force; as it stands where it has no translation.

    Labels name days ("by day 182"), as keys of data do; readers are told months where the days are commonly called so.

    Parameters
    ----------
    text : str
        A label, level, heading or clause in English.

    Returns
    -------
    str

    Examples
    --------
    >>> from evalkit.words import speaking
    >>> with speaking("es-US", {"PAIP": "PAIP", "Gender": "Género"}):
    ...     [translated(text) for text in ("Gender", "gender", "Intake within 30 days", "2023Q4")]
    ['Género', 'género', 'Entrevista inicial en 30 días', '2023Q4']
    """
    spoken = speech()
    if text not in spoken.found:
        plain = text if text in spoken.own else _in_months(text)
        english = spoken.language == "en" and not spoken.own
        said = _dated(plain, spoken.locale) if english else _found(plain, spoken) or plain
        # Of the study's own words nothing is rephrased: days in its labels are as its authors wrote them.
        spoken.found[text] = said if text in spoken.own else _spanned(plain, said, spoken.language)
    return spoken.found[text]


def translation(text: str) -> str | None:
    """Return a text in the language in force; None where it has no translation, unless it has no words.

    Parameters
    ----------
    text : str
        As for `translated`.

    Returns
    -------
    str or None

    Examples
    --------
    >>> from evalkit.words import speaking
    >>> with speaking("es-US", {"PAIP": "PAIP"}):
    ...     [translation(text) for text in ("PAIP", "Left within six months", "2023Q4", "A shopping list")]
    ['PAIP', 'Dejaron el programa antes de seis meses', '2023Q4', None]
    """
    spoken = speech()
    if text in spoken.own:
        return _found(text, spoken)
    plain = _in_months(text)
    said = _found(plain, spoken)
    return None if said is None else _spanned(plain, said, spoken.language)


def translated_names(data: pd.DataFrame) -> pd.DataFrame:
    """Return rows of numbers with their names in the language in force.

    Parameters
    ----------
    data : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
    """
    names = [name for name in _NAMED if name in data]
    return data.assign(**{name: data[name].map(lambda v: translated(v) if isinstance(v, str) else v) for name in names})


def wrapped(text: str, width: int) -> str:
    """Return a name of a figure in the language in force, broken into lines.

    Parameters
    ----------
    text : str
        Lines that it has already stay apart.
    width : int
        Letters in a line.

    Returns
    -------
    str
    """
    return "\n".join(line for part in text.split("\n") for line in _lines(translated(part), width))


def _lines(text: str, width: int) -> list[str]:
    """Break a text; no "0" or "no" is left alone on the last line where a word can join it in as many lines."""
    lines = textwrap.wrap(text, width)
    longest = max(map(len, text.split()), default=0)  # no word is parted for it
    for narrower in range(width - 1, longest - 1, -1):
        if len(lines) < 2 or len(lines[-1]) > _LONE:
            break
        tried = textwrap.wrap(text, narrower)
        if len(tried) > len(lines):
            break
        lines = tried
    return lines


def _in_months(text: str) -> str:
    """Name the days of an English label in months, where they are commonly called so: "by six months"."""

    def said(day: re.Match[str]) -> str:
        months = months_of(float(day[1] or day[2]))
        told = messages("en")[f"horizon.{months}"] if months else ""
        return day[0] if not told else told if day[1] else f"by {told}"

    return _BY_DAY.sub(said, text)


def _spanned(label: str, said: str, language: str) -> str:
    """Name the lengths of time of a label in months, in what it became in a language: "within nine months"."""
    told = messages(language)
    for days in _WITHIN.findall(label):
        if months := months_of(float(days)):
            said = said.replace(told["time.days"].format(n=days), told[f"time.{months}"])
    return said


def _found(text: str, spoken: Speech) -> str | None:
    """Return a translation; None where there is none."""
    day = _DAY.fullmatch(text)
    if day or not _LETTERS.search(text):
        return _day(day, spoken.locale) if day else _dated(text, spoken.locale)
    own = {**_plain(spoken.language), **spoken.own}
    turned = f"{text[:1].swapcase()}{text[1:]}"  # the same words at the start of a sentence, or inside one
    if text in own or turned in own:
        return own.get(text) or _as_begun(own[turned], text)
    if ". " in text:  # sentences are no label: a citation, a remark of the study's own
        return None
    # Labels are put together by analyses ("PAIP, lapsed on day 90"): known when each part is.
    for mark in (_TIMES, ", "):
        parts = [_found(part, spoken) for part in text.split(mark)] if mark in text else [None]
        if None not in parts:
            return mark.join(filter(None, parts))
    for pattern, said, loose in _patterns(spoken.language):
        if match := pattern.fullmatch(text) or pattern.fullmatch(turned):
            values = {name: _found(value, spoken) for name, value in match.groupdict().items()}
            if loose and None in values.values():
                continue
            whole = said.format(**{name: values[name] or value for name, value in match.groupdict().items()})
            return whole if match.string == text else _as_begun(whole, text)
    return None


def _dated(text: str, locale: str) -> str:
    """Write the day of a label as readers are told days."""
    try:
        return _ISO_DAY.sub(lambda day: long_date(date.fromisoformat(day[0]), locale=locale), text)
    except ValueError:  # no day, but looks like one
        return text


def _day(day: re.Match[str], locale: str) -> str:
    return long_date(date(int(day[3]), _MONTHS.index(day[1]) + 1, int(day[2])), locale=locale)


def _as_begun(said: str, text: str) -> str:
    """Begin with a capital where the other text does."""
    return f"{said[:1].upper() if text[:1].isupper() else said[:1].lower()}{said[1:]}"


@cache
def _plain(language: str) -> dict[str, str]:
    """Return the messages by their English words: those that are named so, and page one's caption and rows."""
    if language == "en":
        return {}
    keyed, said = messages("en"), messages(language)
    rows = {key for key in keyed if key.startswith(_TIMES_SAID) or any(k.startswith(f"{key}{_WHOM}") for k in keyed)}
    rows.add(_PAGE_ONE)
    by = {f"by {keyed[key]}": said[key] for key in keyed if key.startswith(_HORIZON)}
    # What a message is named by goes before what another one says in English.
    return {**by, **{keyed[key]: said[key] for key in rows}, **{m: text for m, text in said.items() if m not in keyed}}


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str, bool], ...]:
    """Return the messages with places as patterns: with the most words of its own first, of equals the later one.

    One with hardly a word of its own, as "{first} or {second}", holds only where all that stands in it is known.
    """
    found = []
    for message, said in reversed(_plain(language).items()):
        parts = _PLACE.split(message)
        # A place that comes twice cannot be one group of a pattern; text with bold in it is a sentence, and no label.
        if len(parts) > 1 and len(set(parts[1::2])) == len(parts) // 2 and "*" not in message:
            texts = [re.escape(part) if i % 2 == 0 else f"(?P<{part}>.+?)" for i, part in enumerate(parts)]
            own = sum(map(str.isalpha, "".join(parts[::2])))
            found.append((own, re.compile("".join(texts), re.DOTALL), said, own < _FEW))
    found.sort(key=lambda one: -one[0])
    return tuple((pattern, said, loose) for _, pattern, said, loose in found)


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
