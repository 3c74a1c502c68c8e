"""The reviewed list: mutants that change nothing anybody can see, each with its reason.

An entry names the file, the function and the lines as they are before and after, without indentation: it survives that
lines move, and goes stale when the line itself changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tools.mutants import trees
from tools.mutants.mutators import Mutant, mutants

FILE = Path(__file__).with_name("equivalent.yaml")


@dataclass
class Reviewed:
    """The entries of the list."""

    reasons: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    used: set[tuple[str, str, str, str]] = field(default_factory=set)

    @classmethod
    def read(cls, file: Path = FILE) -> Reviewed:
        """Read the list."""
        entries = yaml.safe_load(file.read_text(encoding="utf-8")) or []
        return cls({(e["file"], e["function"], e["before"].strip(), e["after"].strip()): e["reason"] for e in entries})

    def holds(self, mutant: Mutant, text: str) -> bool:
        """Say whether a mutant of a source's text is in the list."""
        if not any(key[0] == mutant.path and key[1] == mutant.function for key in self.reasons):
            return False
        key = (mutant.path, mutant.function, *mutant.change(text))
        if key in self.reasons:
            self.used.add(key)
            return True
        return False

    def stale(self) -> list[tuple[str, str, str, str]]:
        """Return entries that no mutant of today's sources is."""
        for path in sorted({key[0] for key in self.reasons}):
            if (trees.ROOT / path).exists():
                text = (trees.ROOT / path).read_text(encoding="utf-8")
                for mutant in mutants(text, path):
                    self.holds(mutant, text)
        return sorted(set(self.reasons) - self.used)


def entry(mutant: Mutant, change: tuple[str, str]) -> str:
    """Return a survivor as an entry of the list, its reason to be written."""
    made = {"file": mutant.path, "function": mutant.function, "before": change[0], "after": change[1], "reason": ""}
    return yaml.safe_dump([made], sort_keys=False, width=1000, allow_unicode=True)
