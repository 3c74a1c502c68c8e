"""Who is counted, and how late what is known was entered."""

from __future__ import annotations

__all__ = ["Attrition", "LateEntry"]

from evalkit.views._tables import Column, number, text, written
from evalkit.views._view import View
from evalkit.words import count, listed, words

_STEPS = (
    text("label", "Step"),
    Column("Group", lambda row: "everyone" if row["group"] == "all" else str(row["group"]), number=False),
    number("n", "Before", count),
    number("n_event", "Remaining", count),
)
_LATE = (
    Column("Table", lambda row: str(row["group"]).capitalize(), number=False),
    number("n", "Rows", count),
    number("median", "Median days", count),
    Column(
        "Middle half",
        lambda row: words("{low} to {high}", low=count(row["lower_quartile"]), high=count(row["upper_quartile"])),
    ),
)
_SCALES = {
    "cohort": "Who is in the study",
    "initiation": "Who is followed from referral to a first session",
    "retention": "Who is followed from a first session on",
    "harm": "Who is followed for harm",
}


class Attrition(View):
    """The steps of the cohort for everybody, those of each time scale by group."""

    name = "attrition"

    def table(self, note: str = "") -> str:
        """Write the steps."""
        # Steps of the cohort come before there are groups; those of a scale for everybody are the sum of both arms.
        own = self.rows[(self.rows["variable"] == "cohort") | (self.rows["group"] != "all")]
        return written(own, _STEPS, note, groups=own["variable"].map(lambda name: _SCALES.get(name, name)))

    def _sentence(self) -> str:
        steps = self.rows[(self.rows["variable"] == "cohort") & (self.rows["group"] == "all")]
        if steps.empty:
            return ""
        return words("attrition.said", first=count(steps["n"].iloc[0]), last=count(steps["n_event"].iloc[-1]))


class LateEntry(View):
    """Days from an event to its entry, by table."""

    name = "late_entry"

    def _table(self, note: str) -> str:
        return written(self.rows, _LATE, note)

    def _sentence(self) -> str:
        known = self.rows.dropna(subset=["median"])
        said = [
            words("late.said.one", table=str(t), days=count(d))
            for t, d in zip(known["group"], known["median"], strict=True)
        ]
        return words("late.said", tables=listed(said)) if said else ""
