"""What the programme is, in words of its own people: items of TIDieR, dimensions of RE-AIM. Part of ``study.yaml``.

Hoffmann et al. 2014 (TIDieR), Glasgow, Vogt & Boles 1999 (RE-AIM).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from evalkit.protocol._fields import NUMBER, Model, Text


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
