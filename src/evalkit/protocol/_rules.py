"""The numbers of the study's definitions."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from evalkit.protocol._fields import NUMBER, Count, Day, Days, Effect, Model, Name, Text

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
