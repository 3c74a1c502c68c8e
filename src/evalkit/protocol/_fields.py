"""What a protocol's keys may hold, from the kinds of fields up to the models that ``study.yaml`` is put together from.

First the kinds of fields, each with what it refuses; then the numbers of the study's definitions and its harm; how its
releases are cited and what others may do with them; and what the programme is, in words of its own people: items of
TIDieR (Hoffmann et al. 2014), dimensions of RE-AIM (Glasgow, Vogt & Boles 1999).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

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


_LONGEST = 3660  # days of a closure: they are counted one by one


class Engaged(Model):
    """When a participant counts as engaged."""

    # No published source says four sessions in 60 days, and reports say so.
    sessions: Count = 4
    """At least this many attended sessions ..."""
    days: Days = 60
    """... from intake to intake plus this many days, both included."""


class Funnel(Model):
    """Windows of the funnel's steps."""

    intake_days: Days = 30
    """Intake within this many days of referral."""
    first_session_days: Days = 60
    """First attended session within this many days of referral."""
    half_dose_sessions: Count = 12
    """Half the dose, in counting sessions ..."""
    half_dose_days: Days = 120
    """... within this many days of the first session."""
    completion_days: Days = 270
    """Completion within this many days of the first session."""


class Closure(Model):
    """Days on which a site, or every site, offered nothing."""

    model_config = ConfigDict(populate_by_name=True)

    first: Day = Field(alias="from")
    """The first of these days."""
    last: Day = Field(alias="to")
    """The last of them."""
    site: Name | None = None
    """Which site; none: all."""
    why: Text = ""
    """Why, in a few words."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            msg = "ends before it begins"
            raise ValueError(msg)
        if (self.last - self.first).days >= _LONGEST:
            msg = f"has {_LONGEST} days at most"
            raise ValueError(msg)
        return self


class Rules(Model):
    """The numbers of the study's definitions, and what each exit reason does."""

    disengagement_gap_days: Days = 30
    """No attended session for this long is disengagement, on the day it becomes known."""
    # Illinois Administrative Code, 89, 501.90: 24 weekly sessions and 36 hours, of which four may be individual.
    dose_sessions: Count = 24
    """Attended counting sessions of a full dose."""
    dose_hours: Annotated[float, Field(gt=0), NUMBER] = 36
    """Hours of a full dose."""
    counting_kinds: list[Name] | dict[Name, Literal["all"] | Count] = {"group": "all", "individual": 4}
    """Kinds of session that count towards the dose; as a mapping, how many of each count at most, or all."""
    completion: Literal["recorded", "dose", "either"] = "recorded"
    """What completing is: a recorded exit, the dose, or whichever comes first; without exits it must be dose."""
    closures: list[Closure] = []
    """Days on which sites offered nothing: they do not count toward the gap."""
    cancelled_pauses: bool = False
    """Whether days on which all of a person's sessions were cancelled do not count toward the gap either."""
    session_kinds: list[str] = ["group", "individual", "case_management"]
    """Kinds of session that may stand in the table, beside those that count: contact, but not dose."""
    # The median is asked, so that one long day, or one slip of the pen, is no other unit.
    shortest_usual_hours: Annotated[float, Field(ge=0), NUMBER] = 0.1
    """The median of a kind's attended sessions is at least this long: shorter ones are in another unit ..."""
    longest_usual_hours: Annotated[float, Field(gt=0), NUMBER] = 4
    """... and at most this long: minutes are not read as hours."""
    engaged: Engaged = Engaged()
    """When a participant counts as engaged."""
    funnel: Funnel = Funnel()
    """Windows of the funnel's steps."""
    landmark_day: Days = 270
    """Landmark of completers against non-completers, in days since harm's origin; a weekly dose takes 161."""
    exits: dict[str, Effect] = {
        "completed": "completion",
        "dropped_out": "disengagement",
        "terminated": "disengagement",
        "transferred": "censored",
        "moved": "censored",
        "deceased": "censored",
        "administrative": "censored",
    }
    """What each exit reason does to retention."""
    episodes: Literal["first", "all"] = "first"
    """Which episodes analyses use."""

    @property
    def counting_limits(self) -> dict[str, int | None]:
        """Kinds that count towards the dose, and how many sessions of each at most; None: all."""
        if isinstance(self.counting_kinds, list):
            return dict.fromkeys(self.counting_kinds)
        return {kind: None if limit == "all" else limit for kind, limit in self.counting_kinds.items()}

    @property
    def counting_words(self) -> str:
        """The same in words: ``group, individual (at most 4)``."""
        kinds = self.counting_limits.items()
        return ", ".join(kind if most is None else f"{kind} (at most {most})" for kind, most in kinds)

    @model_validator(mode="after")
    def _windows_agree(self) -> Self:
        # Else the funnel would widen from a step to the next.
        if self.funnel.half_dose_sessions >= self.dose_sessions:
            msg = "funnel.half_dose_sessions must be below dose_sessions"
            raise ValueError(msg)
        if self.shortest_usual_hours > self.longest_usual_hours:
            msg = "shortest_usual_hours must not be above longest_usual_hours"
            raise ValueError(msg)
        return self


class Harm(Model):
    """The harm outcome: which rows of `outcomes` are events."""

    kinds: list[Name] = ["dv_arrest"]
    """Kinds of outcome that are events."""
    known_kinds: list[str] = ["dv_arrest", "any_arrest", "order_violation", "survivor_reported_harm"]
    """Kinds of outcome that may stand in the table, beside the events: known, and not counted."""
    sources: list[str] | None = None
    """Sources of outcomes and searches allowed; none: any."""
    # As a target trial has it: time zero for everybody referred, not for those who came so far.
    origin: Literal["referral", "intake"] = "referral"
    """Day from which harm is counted: of everybody referred, or of those with an intake only."""
    death: Literal["competing", "censored"] = "competing"
    """What a death is to harm: another end, after which there is none, or only the end of what is known."""
    custody: Name | None = None
    """Kind of outcome that is custody: it competes with harm, as death does; none: it is not recorded."""
    label: Text = "domestic-violence re-arrest"
    """How reports name the event, in the singular."""
    helpline: Text = ""
    """Where people who are hurt find help: printed where reports first speak of harm."""
    model_arm: Text = ""
    """Name of the arm's term in model tables; empty: the arms' column."""
    horizons: list[Days] = [182, 365]
    """Days at which risk of harm is given."""
    recurrent: bool = True
    """Whether repeated events are counted too."""

    @model_validator(mode="after")
    def _custody_is_no_harm(self) -> Self:
        if self.custody in self.kinds:
            msg = f"custody '{self.custody}' is one of the kinds of harm, and cannot compete with itself"
            raise ValueError(msg)
        return self


class Author(Model):
    """A person who answers for the releases."""

    family: Annotated[Text, Field(min_length=1)]
    """Family name."""
    given: Text = ""
    """Given name."""
    orcid: Annotated[str, Field(pattern=r"^(?:\d{4}-){3}\d{3}[\dX]$")] | None = None
    """ORCID, as 0000-0002-1825-0097."""
    affiliation: Text = ""
    """Where the person works."""


class Citation(Model):
    """How releases are cited. All of it is published."""

    authors: list[Author] = []
    """People who answer for them, in order; none: the study's organisation does."""
    licence: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$")] | None = None
    """SPDX name of the licence of releases, as CC-BY-4.0; none: nothing is said, and all rights are kept."""
    version: Text = ""
    """Version of the protocol, as its owners count it."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"']+$")] | None = None
    """Address at which the release site stands."""


def _or_text(schema: dict[str, Any]) -> None:
    """Let editors take a plain text, too."""
    whole = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string"}, whole]


class Told(Model):
    """A text in each language of the reports; a plain text is English."""

    model_config = ConfigDict(json_schema_extra=_or_text)

    en: Text = ""
    """English."""
    es: Text = ""
    """Spanish."""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:  # noqa: ANN401 - as it was read
        return {"en": given} if isinstance(given, str) else given

    def __bool__(self) -> bool:
        return bool(self.en or self.es)

    def in_language(self, language: str) -> str:
        """Return the text in a language; the English one where there is none.

        Parameters
        ----------
        language : str

        Returns
        -------
        str
        """
        return (self.es if language == "es" else "") or self.en or self.es


class Programme(Model):
    """What the programme is: the items of TIDieR, as the final report prints them. What is empty is left out."""

    name: Told = Told()
    """Name, or a phrase that describes it (item 1)."""
    why: Told = Told()
    """Rationale, theory or goal of what is done (2)."""
    materials: Told = Told()
    """What is used and given out: manuals, workbooks, and where they can be had (3)."""
    procedures: Told = Told()
    """What is done, step by step, with what supports it (4)."""
    provider: Told = Told()
    """Who does it: profession, training, supervision (5)."""
    how: Told = Told()
    """In groups or alone, face to face or at a distance (6)."""
    where: Told = Told()
    """Places, and what they need to have (7)."""
    dose: Told = Told()
    """When and how much: sessions, hours, weeks (8)."""
    tailoring: Told = Told()
    """What is fitted to the person, and how (9)."""
    modifications: Told = Told()
    """What changed in the course of the study, when and why (10)."""
    fidelity_planned: Told = Told()
    """How it is made sure that it is done as meant (11)."""
    fidelity_found: Told = Told()
    """How far it was done as meant (12)."""


class ReAim(Model):
    """What is known of the programme's reach and use, by dimension of RE-AIM. What is empty is left out."""

    reach: Told = Told()
    """Whom it is for, and who comes."""
    effectiveness: Told = Told()
    """What it is meant to change, harm it may do included."""
    adoption: Told = Told()
    """Which agencies and staff take it up."""
    implementation: Told = Told()
    """Whether it is delivered as meant, and at what cost."""
    maintenance: Told = Told()
    """Whether it goes on, for people and agencies."""


class Target(Model):
    """A value that an indicator is meant to reach."""

    indicator: Literal["harm", "engaged", "left", "completed"]
    """Which indicator of page one: with harm and left a target is a most, with engaged and completed a least."""
    value: Annotated[float, Field(ge=0, le=1), NUMBER]
    """Share, 0 to 1."""
    why: Told = Told()
    """Where it comes from."""


def empty_items(texts: Programme | ReAim) -> list[str]:
    """Name the items that a protocol leaves empty.

    Parameters
    ----------
    texts : Programme or ReAim

    Returns
    -------
    list of str

    Examples
    --------
    >>> empty_items(ReAim(reach="Adults", adoption="Two agencies", maintenance="-"))
    ['effectiveness', 'implementation']
    """
    return [name for name in type(texts).model_fields if not getattr(texts, name)]
