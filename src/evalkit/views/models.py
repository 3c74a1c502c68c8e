"""Models and tests: coefficients with their limits, p values."""

from __future__ import annotations

__all__ = ["GrayTest", "Model"]

import re

import numpy as np

from evalkit.views._gap import Gap, ratio, relation
from evalkit.views._lines import Column, limits, number, written
from evalkit.views._said import capital, cause_in_words
from evalkit.views._view import View, joined
from evalkit.words import count, decimal, listed, p_value, translated, words

_COEFFICIENTS = (
    Column("Term", lambda row: str(row["label"] if row.get("label") else row["term"]), number=False),
    number("estimate", "Coefficient", lambda v: decimal(v, 3)),
    number("hazard_ratio", "Hazard ratio", lambda v: decimal(v, 3)),
    limits("hr_low", "hr_high", share=False, digits=3),
    Column("p", lambda row: p_value(row["p_value"]) if row["asked"] else ""),
)
_TESTS = (
    Column("Event", lambda row: capital(cause_in_words(str(row["cause"]))), number=False),
    number("statistic", "Chi-squared", decimal),
    number("df", "Degrees of freedom", count),
    number("p_value", "p", p_value),
)


class Model(View):
    """A model of hazards."""

    name = "model"

    def table(self, note: str = "") -> str:
        """Write the coefficients; of how many people and events stands below them."""
        facts, notes = self.safe.estimates.summary, self.safe.estimates.notes
        said = words("model.of", n=count(facts.get("n")), events=count(facts.get("n_event")))
        # the model asks of its first term; the others are in it to make people alike, and a p of theirs tests nothing
        rows = self.rows.assign(asked=[place == 0 for place in range(len(self.rows))])
        return written(rows, _COEFFICIENTS, joined(note, said, *map(translated, [*notes, self.safe.note])))

    def _sentence(self) -> str:
        row = self.rows.iloc[0]
        name = str(row.get("label", row["term"]))
        if not np.isfinite(row["estimate"]):
            return words("cox.infinite", name=name)
        if ":" in re.sub(r"\[[^\]]*\]", "", str(row["term"])):
            return words("cox.interaction", name=name)
        low, high = float(row["hr_low"]), float(row["hr_high"])
        with np.errstate(divide="ignore"):  # a limit that is printed as 0.00
            direction = Gap(float(row["estimate"]), float(np.log(low)), float(np.log(high))).direction
        said = {"ratio": decimal(row["hazard_ratio"]), "low": ratio(low), "high": ratio(high)}
        return words(f"cox.{direction}", name=name, p=relation(row["p_value"]), **said)


class GrayTest(View):
    """Gray's tests, one for each cause."""

    name = "gray_test"

    def _table(self, note: str) -> str:
        return written(self.rows, _TESTS, note)

    def _sentence(self) -> str:
        rows = self.rows.dropna(subset=["p_value"])
        tests = [
            words("test.gray.one", cause=cause_in_words(str(cause)), p=relation(p))
            for cause, p in zip(rows["cause"], rows["p_value"], strict=True)
        ]
        return words("test.gray", tests=listed(tests)) if tests else ""
