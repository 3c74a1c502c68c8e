"""Kinds of fields that the protocol's models are made of, each with what it refuses."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from evalkit.letters import unshown
from evalkit.spreadsheet import unseen
from evalkit.zones import known_zone


def _one_line(text: str) -> str:
    """Hold a text to what a reader sees of it: no control or direction characters, one blank between words."""
    if unseen(text):
        msg = "holds characters that are not seen (control, zero-width or direction characters); take them out"
        raise ValueError(msg)
    return _in_the_fonts(" ".join(text.split()))


def _in_the_fonts(text: str) -> str:
    """Hold a name to letters that reports can show; it is compared with values of tables, so it stays as it is."""
    if unshown([text]):
        msg = "holds letters that the reports' fonts do not have; write it in others (Latin, Greek, Cyrillic)"
        raise ValueError(msg)
    return text


def _one_sign(text: str) -> str:
    """Hold a delimiter to what separates fields; a tab may be said by name."""
    sign = {"tab": "\t", "\\t": "\t"}.get(text.lower(), text)
    if len(sign) != 1 or sign in '"\r\n' or sign.isalnum():
        msg = "must be one sign, such as ; or |, or the word tab"
        raise ValueError(msg)
    return sign


_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]+:/{1,2}[^/]")


def _no_address(text: str) -> str:
    """Refuse the address of a database where a file belongs: messages name files, and it may hold a password."""
    if _ADDRESS.match(text):
        msg = (
            "is an address, no file; write that of a database in the protocol's `database:`, and its table in `table:`"
        )
        raise ValueError(msg)
    return text


def _no_switch(value: object) -> object:
    """Refuse true where a number belongs: it would be read as 1."""
    if isinstance(value, bool):
        msg = "is true or false, and must be a number"
        raise ValueError(msg)  # noqa: TRY004 - what pydantic turns into a finding
    return value


def _written_out(value: object) -> object:
    """Hold a day to one form: a number would be read as seconds since 1970."""
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)):
        return value
    msg = "must be a date written as 2021-11-18"
    raise ValueError(msg)


def _one_or_more(value: object) -> str:
    """Say which of two forms a value has, so that a mistake in it is said of that form only."""
    return "[more]" if isinstance(value, list | tuple | dict | BaseModel) else "[one]"


ONE, MORE, EITHER = Tag("[one]"), Tag("[more]"), Discriminator(_one_or_more)
"""Marks of a field that is a plain value, or a list or mapping of them."""

Text = Annotated[str, AfterValidator(_one_line)]
Name = Annotated[str, AfterValidator(_in_the_fonts)]
FileName = Annotated[str, AfterValidator(_no_address)]
FolderName = Annotated[Text, AfterValidator(_no_address)]
Zone = Annotated[str, AfterValidator(known_zone)]
OneOrMore = Annotated[Annotated[str, ONE] | Annotated[list[str], Field(min_length=1), MORE], EITHER]
FileNames = Annotated[Annotated[FileName, ONE] | Annotated[list[FileName], Field(min_length=1), MORE], EITHER]
NUMBER = BeforeValidator(_no_switch)
Integer = Annotated[int, NUMBER]
Number = Annotated[float, NUMBER]
Day = Annotated[date, BeforeValidator(_written_out)]
Days = Annotated[int, Field(ge=1, le=36500), NUMBER]
Count = Annotated[int, Field(ge=1), NUMBER]
Share = Annotated[float, Field(gt=0, lt=1), NUMBER]
Word = Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Sign = Annotated[str, AfterValidator(_one_sign)]
# It names a folder; a point in it is left to releases of a part of the people (`quarterly.north`, ADR 29).
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Effect = Literal["disengagement", "completion", "censored", "ignored"]
TableName = Literal["participants", "sessions", "exits", "outcomes", "measures", "searches"]
TABLE_NAMES: tuple[str, ...] = get_args(TableName)
"""The raw tables that a study may have."""


class Model(BaseModel):
    """Base of every protocol model: unknown keys are errors, nothing changes after reading."""

    # An unknown key is a slip, which would leave a default in force without a word.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)
