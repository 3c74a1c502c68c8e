"""Looking for participants' identifiers in a text.

An identifier can only be looked for where it cannot be mistaken for something else. Of folded identifiers (see
`fold`) are looked for:

======================  =======================================================
letters and digits      from 6 characters: anywhere, inside other words too;
                        of 4 or 5: as whole words
digits only             from 5: as whole numbers (``12,345`` and ``1.12345`` are
                        other numbers than ``12345``)
letters only            from 5: as whole words
shorter, or standing    not at all: ``12`` stands in every report
in the protocol itself
======================  =======================================================
"""

from __future__ import annotations

__all__ = ["Identifiers"]

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from evalkit.publish.audit._fold import fold

# Least lengths at which an identifier is no accident: inside other words, as a word of letters and digits, as a number
# (years have four digits), as a word of letters.
_ANYWHERE, _MIXED, _DIGITS, _LETTERS = 6, 4, 5, 5
_WORD = re.compile(r"[^\W_]+(?:[._/:@-]+[^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?![\w]|[.,]\d)")
# Digests, and the names that matplotlib gives to clips and markers: an identifier inside them stands there by chance.
_DIGEST = re.compile(r"\b(?:[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64}|[a-z][0-9a-f]{10})\b")
_MARKUP = re.compile(r"[*`\\\[\]{}]+")


@dataclass(frozen=True)
class Identifiers:
    """What is looked for, folded."""

    anywhere: frozenset[str] = field(default=frozenset(), repr=False)  # found inside other words too
    words: frozenset[str] = field(default=frozenset(), repr=False)  # found as whole words
    unsearched: int = 0  # too short, or words of the protocol

    @classmethod
    def of(cls, identifiers: Iterable[str], own_text: str = "") -> Identifiers:
        """Sort identifiers by how they can be looked for; a word of the protocol (`own_text`) cannot be told from one.

        >>> found = Identifiers.of(["P81f2aa03", "R001", "12", "PAIP1"], own_text="PAIP1 and others")
        >>> len(found.anywhere), len(found.words), found.unsearched
        (1, 1, 2)
        """
        own = _words(fold(own_text))
        anywhere: set[str] = set()
        words: set[str] = set()
        unsearched = 0
        for identifier in identifiers:
            text = fold(str(identifier)).strip()
            place = None if text in own else _place(text)
            if place is None:
                unsearched += 1
            else:
                (anywhere if place == "anywhere" else words).add(text)
        return cls(frozenset(anywhere), frozenset(words), unsearched)

    def stand_in(self, text: str) -> bool:
        """Say whether any identifier stands in a text as it is published; Markdown's signs may split one.

        >>> people = Identifiers.of(["P81f2aa03", "R001", "10234"])
        >>> [people.stand_in(t) for t in ("xp81F2aa03x", "P81**f2**aa03", "R0012", "see R001.", "10,234", "10234")]
        [True, True, False, True, False, True]
        """
        if not self.anywhere and not self.words:
            return False
        folded = fold(text)
        joined = _MARKUP.sub("", folded)
        return any(self._stand_in(version) for version in {folded, joined})

    def _stand_in(self, folded: str) -> bool:
        if not self.words.isdisjoint(_words(folded)) or not self.anywhere.isdisjoint(_words(folded)):
            return True
        if not self.anywhere:
            return False
        lengths, likely = self._shape
        for run in likely.findall(_DIGEST.sub(" ", folded)):
            for length in lengths:
                # A look-up for each window, not a search for each identifier: of a state there are 100,000.
                windows = (run[i : i + length] for i in range(len(run) - length + 1))
                if not self.anywhere.isdisjoint(windows):
                    return True
        return False

    @cached_property
    def _shape(self) -> tuple[frozenset[int], re.Pattern[str]]:
        """Lengths of those found anywhere, and runs of their characters: found once, as 100,000 people take long."""
        lengths, characters = frozenset(map(len, self.anywhere)), set("".join(self.anywhere))
        return lengths, re.compile(f"[{''.join(map(re.escape, sorted(characters)))}]{{{min(lengths)},}}")


def _place(text: str) -> str | None:
    """Say how a folded identifier can be looked for."""
    letters, digits = any(c.isalpha() for c in text), any(c.isdigit() for c in text)
    if letters and digits:
        return "anywhere" if len(text) >= _ANYWHERE else "words" if len(text) >= _MIXED else None
    if digits and len(text) >= _DIGITS:
        # Digits with signs between them, as case numbers have, are mistaken for nothing.
        return "words" if text.isdigit() else "anywhere"
    if letters and len(text) >= _LETTERS:
        return "words"
    return None


def _words(folded: str) -> set[str]:
    """Return whole words, their parts, and whole numbers."""
    whole = {word for word in _WORD.findall(folded) if not word.isdigit()}
    parts = {part for part in _PART.findall(folded) if not part.isdigit()}
    return whole | parts | set(_NUMBER.findall(folded))
