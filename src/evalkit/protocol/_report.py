"""Models of ``params/<report>.yaml`` and of ``params/baselines.yaml``: published figures, each with its citation."""

from __future__ import annotations

__all__: list[str] = []

from typing import Annotated, Any, Literal

from pydantic import Field

from evalkit.protocol._fields import NUMBER, Model, Number, Slug, Text, Word


class Publication(Model):
    """How a report is published."""

    to: list[Literal["pdf", "html"]] = ["pdf", "html"]
    """Formats of the release."""
    publisher: Literal["auto", "quarto", "embedded"] = "auto"
    """auto: Quarto where it is installed, the embedded publisher elsewhere."""
    pdf_standard: Literal["ua-1", "none"] = "ua-1"
    """Accessibility standard of the PDF."""
    toc: bool = False
    """Whether the report has a table of contents."""


class ReportParams(Model):
    """One report: ``params/<report>.yaml``."""

    report: Slug
    """Name of the report: the release folder's second part."""
    notebook: str
    """Notebook file, found in the notebooks folder."""
    title: Text
    """Title on the first page."""
    period: str = "newest"
    """2022Q3, a range 2022-01-01..2022-06-30, or newest."""
    timeout_minutes: Annotated[float, Field(gt=0, le=1440), NUMBER] = 20
    """Longest time one render may take."""
    memory_gb: Annotated[float, Field(gt=0, le=4096), NUMBER] = 8
    """Most memory the notebook, and what it starts, may use."""
    output_mb: Annotated[float, Field(gt=0, le=4096), NUMBER] = 100
    """Most that the notebook may put out, and largest release."""
    publication: Publication = Publication()
    """Formats, publisher, accessibility."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Values for the notebook's parameters cell; names and types are held to that cell."""


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
