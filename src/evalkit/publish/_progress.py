"""What a render tells of itself: a bar on a terminal, plain lines in automation; and at its end what became of it."""

from __future__ import annotations

__all__ = ["WAITING", "LineProgress", "Outcome", "Progress", "Status", "progress_for"]

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TextIO

Status = Literal["published", "up_to_date", "waiting_for_approval", "would_render", "stopped"]

WAITING = 13
"""Exit code where a release waits for somebody's approval: nothing failed, and nothing new is public."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one render that did not fail.

    Attributes
    ----------
    status : {"published", "up_to_date", "waiting_for_approval", "would_render", "stopped"}
        The last two only of a render that was not tried.
    place : pathlib.Path
        The release folder, or the private one in which it waits.
    remark : str
        One clause; empty where there is nothing to say.
    """

    status: Status
    place: Path
    remark: str = ""


class Progress(Protocol):
    """What a render tells while it works."""

    def cell(self, name: str, done: int, total: int) -> None:
        """Say that a cell begins."""
        ...

    def step(self, name: str, text: str) -> None:
        """Say what is done now."""
        ...


class LineProgress:
    """Plain lines with the seconds since the start.

    Parameters
    ----------
    stream : text stream, optional
        stderr when not given.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._start = time.monotonic()

    def cell(self, name: str, done: int, total: int) -> None:
        """Say that a cell begins.

        Parameters
        ----------
        name : str
            The render.
        done, total : int
            Cells begun before it, cells in all.
        """
        self.step(name, f"cell {done + 1} of {total}")

    def step(self, name: str, text: str) -> None:
        """Say what is done now.

        Parameters
        ----------
        name : str
            The render.
        text : str
        """
        with contextlib.suppress(OSError):  # a render does not end because nobody listens any more
            self._stream.write(f"[{time.monotonic() - self._start:6.1f} s] {name}: {text}\n")
            self._stream.flush()


class _BarProgress:
    """A rich progress bar."""

    def __init__(self, bars: object) -> None:
        self._bars = bars
        self._tasks: dict[str, object] = {}

    def _task(self, name: str) -> object:
        if name not in self._tasks:
            # How many cells there are is known only when the first one begins.
            self._tasks[name] = self._bars.add_task(name, total=None)  # type: ignore[attr-defined]
        return self._tasks[name]

    def cell(self, name: str, done: int, total: int) -> None:
        self._bars.update(  # type: ignore[attr-defined]
            self._task(name), completed=done, total=total, description=f"{name}: cell {done + 1} of {total}"
        )

    def step(self, name: str, text: str) -> None:
        self._bars.update(self._task(name), description=f"{name}: {text}")  # type: ignore[attr-defined]


@contextlib.contextmanager
def progress_for(stream: TextIO | None = None) -> Iterator[Progress]:
    """Give the progress that suits where the output goes.

    Parameters
    ----------
    stream : text stream, optional
        stderr when not given.

    Yields
    ------
    Progress
        Bars on a terminal, lines elsewhere.
    """
    target = stream or sys.stderr
    if not target.isatty():
        yield LineProgress(target)
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(file=target), transient=True) as bars:
        yield _BarProgress(bars)
