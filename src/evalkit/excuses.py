"""What a report was let through with: rules that its tables break with the protocol's leave, and what it says of them.

The gate itself stands in `evalkit.intake`. What it found travels with a render: to the kernel, which need not check the
same tables again, to the report's words, the manifest and the review pack.
"""

from __future__ import annotations

__all__ = ["ENVIRONMENT", "KIND", "Passed", "excuse_text"]

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.markup import box, bullets, paragraphs
from evalkit.protocol import Excuse
from evalkit.words import Messages

ENVIRONMENT = "EVALKIT_GATE"
"""Environment variable in which a render tells its kernel what passed the gate, and with which excuses."""

KIND = "excuses"
"""Kind of the output that says what was excused."""


@dataclass(frozen=True)
class Passed:
    """What a report was let through with."""

    excused: tuple[Excuse, ...] = ()  # without them it would have been stopped: they are published with it
    warnings: tuple[str, ...] = ()  # what somebody should look at in this period
    key: str = ""  # digest of what the gate looked at; empty where tables can change unseen: in a database

    def to_kernel(self) -> str:
        """Return the value of `ENVIRONMENT` for a render's kernel, so that the same tables are not checked twice."""
        return json.dumps({"key": self.key, "excused": [e.model_dump(mode="json") for e in self.excused]})

    @staticmethod
    def from_render() -> Passed:
        """Return what the render that started this kernel says; nothing outside of one."""
        said = json.loads(os.environ.get(ENVIRONMENT) or "{}")
        excuses = tuple(Excuse.model_validate(e) for e in said.get("excused", ()))
        return Passed(excuses, (), str(said.get("key", "")))


def excuse_text(excuses: Sequence[Excuse], say: Messages) -> str:
    """Return which rules were excused (at least one), by whom and why; with signs, see `evalkit.markup`."""
    lines = [
        say(
            "Table {table}, rule “{rule}”: {reason} (decided by {by}, until {day})",
            table=" ".join(part for part in (e.table, e.column) if part),
            rule=e.rule.replace("_", " "),
            reason=e.reason,
            by=e.by,
            day=say.day(e.until),
        )
        for e in excuses
    ]
    lead = say(
        "The tables break rules of this study, which was excused for a time. Figures that rest on them can be off."
    )
    return box("note", paragraphs(lead, bullets(lines)))
