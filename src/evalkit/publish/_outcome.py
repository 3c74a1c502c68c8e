"""What became of one render, for people, schedulers and logs."""

from __future__ import annotations

__all__ = ["WAITING", "Outcome", "Status"]

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["published", "up_to_date", "waiting_for_approval", "would_render", "stopped"]

WAITING = 13
"""Exit code where a release waits for somebody's approval: nothing failed, and nothing new is public."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one render that did not fail.

    Attributes
    ----------
    status : {"published", "up_to_date", "waiting_for_approval", "would_render", "stopped"}
        The last one only of a render that was not tried.
    place : pathlib.Path
        The release folder, or the private one in which it waits.
    remark : str
        One clause; empty where there is nothing to say.
    """

    status: Status
    place: Path
    remark: str = ""
