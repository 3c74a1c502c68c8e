"""Which word of ours a word of theirs stands for: by spelling, or as what others call it; never by likeness."""

from __future__ import annotations

__all__ = ["Vocabulary"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evalkit.intake._codes import folded
from evalkit.intake._convert import NO, YES
from evalkit.intake._spec import ColumnSpec
from evalkit.intake.mapping._names import NO_ANSWER, WORDS
from evalkit.protocol import Study


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that a column of ours may hold, and what they are called elsewhere."""

    named: tuple[str, ...]
    # Whether a row may be without any: a refusal is no answer of who was asked, but may be a reason to leave.
    empty: bool
    _known: Mapping[str, str] = field(repr=False)
    _spelt: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, study: Study, column: ColumnSpec) -> Vocabulary | None:
        """Return a column's words; None where any may stand in it."""
        if column.kind == "yes_no":
            named: Sequence[str] = ("yes", "no")
        elif column.kind == "text" and column.allowed is not None:
            named = column.allowed
        else:
            return None
        known = {folded(other): ours for ours in named for other in WORDS.get(ours, ())}
        if column.name == study.arms.column:
            known |= {folded(arm.label): arm.value for arm in (study.arms.focus, study.arms.comparison)}
        return cls(tuple(named), not column.filled, known, {folded(ours): ours for ours in named})

    def word_for(self, text: str) -> tuple[str, str] | None:
        """Return which of ours a text stands for, and why; None where it cannot be said."""
        if text in self.named:
            return text, "the same word"
        key = folded(text)
        if key in self._spelt:
            return self._spelt[key], "the same word, spelt otherwise"
        if key in self._known:
            return self._known[key], "a usual word for it"
        no_answer = self.empty and key.replace("_", " ") in NO_ANSWER
        return ("", "no answer: it is missing") if no_answer else None

    def reads(self, text: str, kind: str) -> bool:
        """Whether a text needs no line in the protocol."""
        return text in self.named or (kind == "yes_no" and text.lower() in YES | NO)

    def share(self, words: Mapping[str, int]) -> float:
        """Return which share of the rows holds words that are known."""
        total = sum(words.values())
        return sum(n for text, n in words.items() if self.word_for(text)) / total if total else 0.0
