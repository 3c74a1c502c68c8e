"""Model of ``params/disclosure.yaml``: what may be published, and who may make exceptions."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from evalkit.protocol._study import NUMBER, Count, Days, Model, Number, Text


class Override(Model):
    """One exception to the policy: it is said in the manifest, in the report's methods and in the review pack."""

    rule: Literal[
        "minimum_count",
        "rounding_base",
        "minimum_at_risk",
        "minimum_subgroup",
        "minimum_level",
        "dominance",
        "ambiguity",
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
    rounding_base: Count = 5
    """Published counts are multiples of this; 1: not rounded."""
    minimum_at_risk: Count = 11
    """A curve ends where fewer than this are at risk."""
    dominance: Annotated[float, Field(gt=0, le=1), NUMBER] = 0.5
    """Largest share of a total that one person may contribute."""
    ambiguity: Annotated[int, Field(ge=2, le=20), NUMBER] = 3
    """Of a count below the minimum at least so many values stay possible, whatever is subtracted from what."""
    minimum_subgroup: Count = 11
    """Smallest number of people in a group (a site, an area, a level of a covariate) of which anything is shown."""
    minimum_level: Count = 11
    """Fewest people with the event, and without it, at each level of a term of a model that is shown."""
    zero: Literal["published", "withheld"] = "published"
    """Whether a count of nobody is published; withheld: neither is that it is everybody (12 of 12)."""
    landmarks: list[Days] = [30, 60, 90, 182, 365, 730]
    """Days at which safe curves keep their value as nearly as rounding lets them."""
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
        if self.minimum_count + self.rounding_base // 2 < self.rounding_base:
            msg = (
                f"rounding_base {self.rounding_base}: the smallest published count, {self.minimum_count}, would be "
                "printed as 0, which says that there is nobody; take a smaller base or a larger minimum_count"
            )
            raise ValueError(msg)
        if self.approval == "required" and not self.approvers:
            msg = "approval is required, and nobody is named under approvers"
            raise ValueError(msg)
        return self
