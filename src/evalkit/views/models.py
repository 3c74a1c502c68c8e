"""Models and tests: coefficients with their limits, p values."""

from __future__ import annotations

__all__ = ["GrayTest", "Model", "Odds", "OwnModel"]

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.views._phrases import Gap, capital, cause_in_words, ratio, relation, times
from evalkit.views._tables import Column, limits, number, written
from evalkit.views._view import View, joined
from evalkit.words import count, decimal, listed, p_value, translated, words


def _coefficients(name: str, low: str, high: str, heading: str) -> Sequence[Column]:
    return (
        Column("Term", lambda row: str(row["label"] if row.get("label") else row["term"]), number=False),
        number("estimate", "Coefficient", lambda v: decimal(v, 3)),
        number(name, heading, lambda v: decimal(v, 3)),
        limits(low, high, share=False, digits=3),
        Column("p", lambda row: p_value(row["p_value"]) if row["asked"] else ""),
    )


_TESTS = (
    Column("Event", lambda row: capital(cause_in_words(str(row["cause"]))), number=False),
    number("statistic", "Chi-squared", decimal),
    number("df", "Degrees of freedom", count),
    number("p_value", "p", p_value),
)


class Model(View):
    """A model of hazards; its first term is what it is about."""

    name = "model"
    columns: ClassVar[tuple[str, str, str]] = ("hazard_ratio", "hr_low", "hr_high")
    heading: ClassVar[str] = "Hazard ratio"
    every: ClassVar[bool] = False
    """Whether each term is asked of, not the first alone."""
    spoken: ClassVar[Mapping[str, str]] = {"none": "cox.none", "higher": "cox.higher", "lower": "cox.lower"}

    def table(self, note: str = "") -> str:
        """Write the coefficients; of how many people and events stands below them."""
        facts = self.safe.estimates.summary
        said = words("model.of", n=count(facts.get("n")), events=count(facts.get("n_event")))
        # The study's model asks of its first term; the others are in it to make people alike, and a p of theirs tests
        # nothing. One's own formula asks of each.
        rows = self.rows.assign(asked=[self.every or place == 0 for place in range(len(self.rows))])
        lines = _coefficients(*self.columns, self.heading)
        return written(rows, lines, joined(note, said, self.footnotes, translated(self.safe.note)))

    def _sentence(self) -> str:
        return self._term(self.rows.iloc[0])

    def _term(self, row: pd.Series) -> str:
        """Say a term's ratio; of an interaction only that it is one: its ratio is of two ratios."""
        name = str(row.get("label", row["term"]))
        # Where a level separates people completely there is no ratio to say.
        if not np.isfinite(row["estimate"]):
            return words("cox.infinite", name=name)
        # Colons inside of brackets are part of a level's name.
        if ":" in re.sub(r"\[[^\]]*\]", "", str(row["term"])):
            return words("cox.interaction", name=name)
        value, low, high = (float(row[column]) for column in self.columns)
        with np.errstate(divide="ignore"):  # a limit that is printed as 0.00
            # From the printed ratios, not from the coefficient: a limit that is printed as 1 is no difference (ADR 12).
            direction = Gap(float(row["estimate"]), float(np.log(low)), float(np.log(high))).direction
        said = {"ratio": decimal(value), "low": ratio(low), "high": ratio(high)}
        said |= {"least": times(low), "most": times(high), "p": relation(row["p_value"])}
        return words(self.spoken[direction], name=name, **said)


class OwnModel(Model):
    """A model of hazards of one's own formula: every term is said."""

    name = "own_model"
    every = True

    def _sentence(self) -> str:
        return " ".join(self._term(row) for _, row in self.rows.iterrows())


class Odds(OwnModel):
    """A model of odds."""

    name = "odds"
    columns = ("odds_ratio", "or_low", "or_high")
    heading = "Odds ratio"
    spoken: ClassVar[Mapping[str, str]] = {"none": "odds.none", "higher": "odds.higher", "lower": "odds.lower"}


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
