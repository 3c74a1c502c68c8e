"""Models of the files beside ``study.yaml``: reports, published figures, and what may be published.

``params/<report>.yaml`` is a report, ``params/baselines.yaml`` published figures, each with its citation, and
``params/disclosure.yaml`` says what may be published and who may make exceptions.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from evalkit.protocol._fields import NUMBER, Count, Days, Model, Number, Slug, Text, Word

__all__: list[str] = []


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


_OF_ROUNDING = ("rounding_base", "ambiguity")


class Override(Model):
    """One exception to the policy: it is said in the manifest, in the report's methods and in the review pack."""

    rule: Literal[
        "minimum_count",
        "noise_variance",
        "noise_most",
        "minimum_at_risk",
        "minimum_subgroup",
        "minimum_level",
        "dominance",
    ]
    """The rule that is set aside."""
    value: Number
    """The value in its place."""
    by: Text
    """Who decided it: one of those who may."""
    reason: Annotated[Text, Field(min_length=15)]
    """Why, in a sentence."""

    @property
    def words(self) -> str:
        """The exception in one line."""
        return f"{self.rule.replace('_', ' ')} is {self.value:g}: {self.reason.rstrip('.')} (decided by {self.by})"


class Disclosure(Model):
    """What may be published: ``params/disclosure.yaml``."""

    minimum_count: Count = 11
    """Smallest count of people or events that is published; zero may be."""
    # Five looks at the same few people can be told with 2, that is 2.5 for each unit (ADR 15).
    noise_variance: Annotated[float, Field(ge=0, le=5), NUMBER] = 2.0
    """Variance of the noise of published counts: the same people give the same number everywhere, a little off."""
    noise_most: Annotated[int, Field(ge=1, le=10), NUMBER] = 5
    """Largest noise of a published count."""
    round_for_display: Annotated[int, Field(ge=1, le=50), NUMBER] = 1
    """Published counts are multiples of this, for the eye; 1: they are not rounded."""
    minimum_at_risk: Count = 11
    """A curve ends where fewer than this are at risk."""
    dominance: Annotated[float, Field(gt=0, le=1), NUMBER] = 0.5
    """Largest share of a total that one person may contribute."""
    minimum_subgroup: Count = 11
    """Smallest number of people in a group (a site, an area, a level of a covariate) of which anything is shown."""
    minimum_level: Count = 11
    """Fewest people with the event, and without it, at each level of a term of a model that is shown."""
    zero: Literal["published", "withheld"] = "published"
    """Whether a count of nobody is published; withheld: neither is that it is everybody (12 of 12)."""
    landmarks: list[Days] = [30, 60, 90, 182, 365, 730]
    """Days at which curves are quoted, and the numbers behind them are those of the very people."""
    identifying: list[Text] = []
    """Columns of participants beside the identifier whose values must not appear anywhere: a case number, a name."""
    approval: Literal["none", "required"] = "none"
    """required: a release waits in private until one of the approvers lets it out with `evalkit approve`."""
    approvers: list[Text] = []
    """Who may approve; anybody, unless named."""
    may_override: list[Text] = []
    """Who may make exceptions; nobody, unless named."""
    overrides: list[Override] = []
    """Exceptions in force; the fields above hold their values then."""

    @model_validator(mode="before")
    @classmethod
    def _no_longer(cls, given: Any) -> Any:  # noqa: ANN401 - as it was read
        """Say what became of rules that were those of rounding."""
        named = [name for name in _OF_ROUNDING if isinstance(given, dict) and name in given]
        if named:
            msg = (
                f"{named[0]}: published counts carry keyed noise now and are not rounded for protection; take the line "
                "out (round_for_display rounds them for the eye)"
            )
            raise ValueError(msg)
        return given

    @model_validator(mode="before")
    @classmethod
    def _in_force(cls, given: Any) -> Any:  # noqa: ANN401 - as it was read
        """Put the values of exceptions in place of the policy's, where they are held to the same limits."""
        if not isinstance(given, dict) or not isinstance(given.get("overrides"), list):
            return given
        found = [o for o in given["overrides"] if isinstance(o, dict) and o.get("rule") in cls.model_fields]
        return {**given, **{o["rule"]: o["value"] for o in found if "value" in o}}

    @model_validator(mode="after")
    def _decided(self) -> Self:
        decided = {override.rule for override in self.overrides}
        for rule, field in type(self).model_fields.items():
            usual, value = field.default, getattr(self, rule)
            if rule in get_args(Override.model_fields["rule"].annotation) and rule not in decided:
                # Of every other rule the smaller value protects less.
                laxer = value > usual if rule == "dominance" else value < usual
                if laxer:
                    msg = (
                        f"{rule} {value:g}: protects less than {usual:g} does; write it under overrides, with who "
                        "decided it (one of may_override) and why"
                    )
                    raise ValueError(msg)
        for override in self.overrides:
            if override.by not in self.may_override:
                msg = f"override of {override.rule}: whoever decided it is not among may_override"
                raise ValueError(msg)
        if self.approval == "required" and not self.approvers:
            msg = "approval is required, and nobody is named under approvers"
            raise ValueError(msg)
        return self
