"""Who has an event, and who has not: what each characteristic is linked to, and how much can be foretold."""

from __future__ import annotations

__all__ = ["Foretold", "Risks"]

from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from evalkit.levels import in_words
from evalkit.views._phrases import sized
from evalkit.views._tables import html_table
from evalkit.views._view import View, gap_of, joined
from evalkit.views.effects import Effects, effects_figure
from evalkit.words import between, count, decimal, horizon, points, words

# Below 0.7 a model is no use for telling people apart, from 0.8 on a good one (Hosmer, Lemeshow and Sturdivant 2013,
# Applied Logistic Regression, 3rd edition, section 5.2.4); a little above a coin is hardly anything.
_PARTLY, _WELL = 0.6, 0.8


class _OfStage(View):
    """What both say of: an event of a stage, by a day."""

    @property
    def stage(self) -> str:
        """The stage; empty for what is not of a study."""
        return str(self.safe.estimates.asked.get("stage", ""))

    @property
    def when(self) -> str:
        """The horizon as a sentence has it."""
        return horizon(float(self.rows["tau"].iloc[0]))

    @property
    def happens(self) -> str:
        """What happens by that day."""
        return words(f"stage.{self.stage or 'event'}")

    def _why(self) -> str:
        return super()._why() if self.safe.withheld else words("risk.undefined")


class Risks(_OfStage, Effects):
    """What difference each characteristic makes to the share with the event, all else as it is."""

    name = "risks"
    whom = False  # its own note says it

    @cached_property
    def compared(self) -> pd.DataFrame:
        """The rows with characteristic, what is set against what, and both as one label."""
        rows = self.rows
        named = [_named(row) for _, row in rows.iterrows()]
        told = [_against(row) for _, row in rows.iterrows()]
        labels = [
            words("risk.label", name=n, one=one, other=other) for n, (one, other) in zip(named, told, strict=True)
        ]
        against = [words("risk.against", one=one, other=other) for one, other in told]
        return rows.assign(variable=named, against=against, label=labels)

    def numbers(self) -> pd.DataFrame:
        """Return the differences under the labels of figure and table."""
        return self.compared.drop(columns=["variable", "against"])

    def figure(self) -> tuple[Figure, str]:
        """Draw dots with their intervals around a line of no difference."""
        axis = words("risk.axis", event=self.happens, when=self.when)
        return effects_figure(self.compared, axis, narrow=self.look.narrow)

    def _table(self, note: str) -> str:
        rows = self.compared
        ends = zip(rows["conf_low"], rows["conf_high"], strict=True)
        texts = pd.DataFrame(
            {
                "name": rows["variable"],
                "against": rows["against"],
                "value": rows["estimate"].map(points),
                "limits": [between(points(a), points(b)) for a, b in ends],
            }
        )
        headings = {"name": "Characteristic", "against": "Compared", "value": "Difference, points", "limits": "95% CI"}
        said = joined(words("risk.note", whom=self.safe.estimates.population or "everybody"), self.footnotes, note)
        return html_table(texts, headings, numbers=["value", "limits"], note=said)

    def _sentence(self) -> str:
        said, values = {"event": self.happens, "when": self.when, "n": count(len(self.rows))}, []
        for _, row in self.compared.iterrows():
            gap = gap_of(row)
            # Only what is clear is said of each: a dozen characteristics that are unclear read as a dozen findings.
            if gap.direction != "none":
                low, high = sorted((abs(100 * gap.low), abs(100 * gap.high)))
                ends = {"low": sized(low), "high": sized(high)}
                values.append(words(f"risk.{gap.direction}", label=row["label"], **ends))
        return words("risk.some", **said, values="; ".join(values)) if values else words("risk.none", **said)

    def _headline(self) -> str:
        row = self.compared.iloc[int(self.rows["estimate"].abs().to_numpy().argmax())]
        ends = {"value": points(row["estimate"]), "low": points(row["conf_low"]), "high": points(row["conf_high"])}
        return words("head.risk", event=self.happens, when=self.when, label=row["label"], **ends)


class Foretold(_OfStage):
    """How well an event can be foretold, corrected for optimism."""

    name = "foretold"

    def _table(self, note: str) -> str:
        rows = self.rows.pivot_table(index="measure", columns="method", values="estimate", sort=False)
        texts = rows.map(decimal).assign(measure=[words(f"told.{measure}") for measure in rows.index])
        headings = {name: words(f"told.{name}") for name in ("measure", "apparent", "corrected")}
        said = joined(words("told.note", when=self.when), self.footnotes, note)
        return html_table(texts, headings, numbers=["apparent", "corrected"], note=said)

    def _sentence(self) -> str:
        own = self.rows[(self.rows["measure"] == "auc") & (self.rows["method"] == "corrected")]
        # The corrected one: in its own data every model foretells better than in the next.
        right = float(own["estimate"].iloc[0])
        how = "well" if right >= _WELL else "partly" if right >= _PARTLY else "hardly"
        who = words(f"stage.who.{self.stage}" if self.stage else "stage.who")
        return joined(words(f"told.{how}", who=who, when=self.when), words("told.pairs", n=decimal(100 * right, 0)))


def _level(row: pd.Series) -> str:
    """Return the level that a term is an indicator of; empty where it is none."""
    term = str(row["term"])
    return term.partition("[")[2].removesuffix("]") if term.endswith("]") else ""


def _sides(row: pd.Series) -> tuple[str, str]:
    """Return the two values compared; a level may hold a dash itself."""
    contrast, level = str(row["contrast"]), _level(row)
    if level:
        return level, contrast.removeprefix(f"{level} - ")
    one, _, other = contrast.rpartition(" - ")
    return one, other


def _labelled(row: pd.Series) -> str:
    return str(row["label"]) if "label" in row else str(row["term"]).partition("[")[0]


def _named(row: pd.Series) -> str:
    """Return the characteristic alone: what is compared stands beside it."""
    if row["term"] == "arm" and "label" in row:
        return words("risk.group")
    level, reference = _sides(row)
    return _labelled(row).removesuffix(f" (reference: {in_words(reference)})").removesuffix(f": {in_words(level)}")


def _against(row: pd.Series) -> tuple[str, str]:
    one, other = _sides(row)
    if row["term"] == "arm" and "label" in row:
        focus, _, reference = _labelled(row).partition(" (reference: ")
        return focus, reference.removesuffix(")")
    if _level(row):
        return in_words(one), in_words(other)
    return (words("risk.yes"), words("risk.no")) if (one, other) == ("1", "0") else (one, other)
