"""Model of ``params/baselines.yaml``: published figures, each with its citation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evalkit.protocol._fields import NUMBER, Model, Number, Text, Word


class Baseline(Model):
    """One published figure."""

    id: Word
    """Short name used in notebooks."""
    label: Text = ""
    """How figures name it; empty: the id."""
    what: Text
    """What was measured, of whom."""
    measure: Literal["completion", "harm", "sessions", "dose"]
    """Which of our measures it can stand beside."""
    value: Number
    """The published value; shares as 0 to 1."""
    unit: Literal["share", "sessions", "hours"]
    """Unit of the value."""
    n: Annotated[int, Field(ge=1), NUMBER] | None = None
    """The published denominator; none: not published."""
    denominator: Text
    """Who is in the denominator, in words."""
    approximate: bool = False
    """True where the source itself says 'about'."""
    citation: Text
    """Full citation."""


class Baselines(Model):
    """Published figures: ``params/baselines.yaml``."""

    baselines: list[Baseline]
    """The figures."""

    def get(self, name: str) -> Baseline | None:
        """Return the baseline of that id, or None.

        Parameters
        ----------
        name : str

        Returns
        -------
        Baseline or None
        """
        return next((b for b in self.baselines if b.id == name), None)
