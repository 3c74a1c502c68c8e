"""What a draft's kernel remembers of the cells that it ran, so that only what an edit touches runs again.

A cell is known by its code and by the cells that made what it reads, as far back as they go. Where such a cell ran
before, its names are put back and its outputs shown again; else it runs, among exactly the names that it would find in
a fresh run. That holds as long as cells make new things. What a cell changes otherwise (something in place that another
made, settings of the process, a draw of random numbers) cannot be put back: then whatever comes before the last
such cell can only be run again in a fresh kernel, and the memory says so.
"""

from __future__ import annotations

__all__ = ["Memory", "the_memory"]

import functools
import hashlib
import json
import os
import random
import re
import sys
import types
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from evalkit.cells._names import Names, names_of

# IPython sets these anew with each cell: every cell would seem to have changed something.
_IPYTHONS = re.compile(r"_+|_i+|_\d+|_i\d+|_[di]?oh|_[id]h|In|Out|exit|quit|get_ipython|open|__\w+__")
_PLAIN = (type(None), bool, int, float, complex, str, bytes, date, timedelta, range, slice, re.Pattern)
_STILL = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)
_OURS = frozenset({"evalkit"})
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class Ran:
    """A cell that ran."""

    key: str
    made: Mapping[str, Any] = field(repr=False)  # names that it set, and their values
    gone: frozenset[str]  # names that it deleted
    later: frozenset[str]  # names that whoever uses its names may read, too
    changed: bool  # whether it did what cannot be put back
    files: tuple[tuple[str, int, int], ...]  # files that it opened, as they were: size and time of change

    @property
    def version(self) -> str:
        """What its names are known by: the same cell makes other things from other files."""
        return _digest(f"{self.key}{self.files}") if self.files else self.key


@dataclass(frozen=True)
class _Before:
    """What a cell found when it began: names, fingerprints of what can change in them, settings of the process."""

    key: str
    held: Mapping[str, Any] = field(repr=False)
    prints: Mapping[str, str] = field(repr=False)
    process: str


class Memory:
    """The memory of one kernel, whose namespace is ``names``."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._base = dict(names)
        self._known: dict[str, Ran] = {}
        self._last: list[Ran] = []
        self._now: list[Ran] = []
        self._sources: list[str] = []
        self._versions: dict[str, str] = {}
        self._later: dict[str, frozenset[str]] = {}
        self._running: _Before | None = None
        self._spoilt = False
        _listen()

    def begin(self, sources: str, variables: str = "{}") -> dict[str, Any]:
        """Begin a pass over the notebook, and go as far as is known.

        Both arguments are JSON: each cell's code without its options, and what goes into the environment before the
        first cell of a kernel. What comes back has ``reused``, keys of cells that are known from here on, ``run``, the
        next one that has to run (None: none is left), and ``key``, its key; or ``restart``: the place of the cell for
        which only a fresh kernel will do.
        """
        if self._spoilt:
            return {"restart": len(self._now)}
        if not self._last:
            os.environ.update(json.loads(variables))
        self._sources = json.loads(sources)
        self._now, self._versions, self._later = [], {}, {}
        # A fresh run begins without them: a cell that was taken out must not go on giving its names.
        for name in [n for n in self._names if n not in self._base and not _IPYTHONS.fullmatch(n)]:
            del self._names[name]
        self._put(self._base)
        return self._go_on()

    def done(self) -> dict[str, Any]:
        """Take note of the cell that just ran, and go on as far as is known; returns as `begin`."""
        ran = self._noted()
        if ran.changed and self._last:
            # It may have changed something that cells which are not run again look at.
            self._spoilt = True
            return {"restart": len(self._now)}
        self._keep(ran)
        return self._go_on()

    def failed(self) -> dict[str, Any]:
        """Take note that the cell that just ran failed: what it did stays undone, or the kernel cannot go on."""
        # What half of a change has done to things of other cells cannot be put back either.
        self._spoilt = self._noted().changed
        self._last = list(self._now)
        return {}

    def _go_on(self) -> dict[str, Any]:
        reused: list[str] = []
        while len(self._now) < len(self._sources):
            place = len(self._now)
            key = self._key(place)
            ran = self._known.get(key)
            stale = ran is None or any(_stat(file) != (size, at) for file, size, at in ran.files)
            if place < self._fixed() and (stale or self._last[place].key != key):
                return {"restart": place}
            if ran is None or stale:
                self._running = _Before(key, dict(self._theirs()), self._prints(self._theirs()), self._process())
                _opened[:] = [set()]
                return {"reused": reused, "run": place, "key": key}
            self._put(ran.made)
            for name in ran.gone:
                self._names.pop(name, None)
            self._keep(ran)
            reused.append(key)
        if len(self._now) < self._fixed():
            return {"restart": len(self._now)}
        self._last = list(self._now)
        self._known = {ran.key: ran for ran in self._now}  # no more: frames are large
        return {"reused": reused, "run": None, "key": ""}

    def _fixed(self) -> int:
        """Return how many cells at the beginning cannot be run again in this kernel."""
        return max((place for place, ran in enumerate(self._last, start=1) if ran.changed), default=0)

    def _put(self, values: Mapping[str, Any]) -> None:
        self._names.update({name: value for name, value in values.items() if not _IPYTHONS.fullmatch(name)})

    def _keep(self, ran: Ran) -> None:
        self._now.append(ran)
        self._known[ran.key] = ran
        for name in (*ran.made, *ran.gone):
            self._versions[name] = ran.version
            self._later[name] = ran.later

    def _reads(self, names: Names) -> frozenset[str]:
        """Return what a cell reads, also through functions that other cells defined."""
        found: set[str] = set()
        ahead = set(names.reads | names.sets)  # what it sets under a condition may stay what it was
        while ahead:
            name = ahead.pop()
            found.add(name)
            ahead |= self._later.get(name, frozenset()) - found
        return frozenset(found)

    def _key(self, place: int) -> str:
        """Return the key of a cell: its code, and the cells that made what it reads."""
        names = _names(self._sources[place])
        of = sorted((name, self._versions[name]) for name in self._reads(names) if name in self._versions)
        # Who may change anything depends on all before it, and all depend on whoever did.
        earlier = [ran.version for ran in self._now if names.changes or ran.changed]
        told = [self._sources[place], of, earlier]
        key, used = _digest(json.dumps(told)), {ran.key for ran in self._now}
        while key in used:  # the same cell twice: each has outputs of its own
            key = _digest(key)
        return key

    def _noted(self) -> Ran:
        """Return what the cell that just ran did."""
        before, opened = self._running, _opened.pop() if _opened else set()
        if before is None:
            msg = "no cell is running"
            raise RuntimeError(msg)
        names = _names(self._sources[len(self._now)])
        reads, now = self._reads(names), self._theirs()
        made = {n: v for n, v in now.items() if n in names.sets or n not in before.held or v is not before.held[n]}
        # A thing of unknown kind may be changed by whoever reads it, and nobody sees it.
        unseen = any(before.prints.get(name) == _UNKNOWN for name in reads)
        touched = self._prints(before.held) != before.prints or self._process() != before.process
        return Ran(
            before.key,
            made,
            frozenset(before.held) - frozenset(now),
            names.later.union(*(self._later.get(name, frozenset()) for name in reads)),
            names.changes or unseen or touched,
            tuple((file, *stat) for file in sorted(opened) if (stat := _stat(file))),
        )

    def _theirs(self) -> dict[str, Any]:
        """Return the notebook's names."""
        mine = {n: v for n, v in self._names.items() if not _IPYTHONS.fullmatch(n)}
        return {n: v for n, v in mine.items() if n not in self._base or self._base[n] is not v}

    def _process(self) -> str:
        """Return a digest of the process' settings; of random numbers only where a cell speaks of them."""
        # Tables draw their ids by lot. Numbers that nobody seeds are others in a fresh run, too.
        return _process(draws=any(word in source for source in self._sources for word in ("random", "seed")))

    def _prints(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {name: _print(value) for name, value in values.items()}


_opened: list[set[str]] = []
"""Files that the cell which runs opens; empty while none does."""


@functools.cache
def _listen() -> None:
    """Hear of files that are opened; Python has no way to stop it again."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    """Note a file that a cell opens; called by Python for everything that it does."""
    if event == "open" and _opened and isinstance(arguments[0], str):
        file = arguments[0]
        # What Python, the system and evalkit read, and the scratch in which a kernel works, is no input of a cell.
        around = (sys.prefix, sys.base_prefix, "/proc", "/dev", "/usr", _HERE, str(Path.cwd()))
        if not file.startswith(tuple(os.path.join(folder, "") for folder in around)):  # noqa: PTH118 - called very often
            _opened[0].add(file)


_HERE = str(Path(__file__).resolve().parents[1])


def _names(source: str) -> Names:
    try:
        return names_of(source)
    except SyntaxError:  # it will say so itself when it runs
        return Names(frozenset(), frozenset(), frozenset(), changes=True)


def _stat(file: str) -> tuple[int, int] | None:
    try:
        about = Path(file).stat()
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns


def _print(value: Any, depth: int = 0) -> str:  # noqa: ANN401 - whatever a notebook holds
    """Return a fingerprint of what can change in a value; empty where nothing can."""
    kind = type(value)
    if isinstance(value, (*_PLAIN, *_STILL)) or kind.__module__.partition(".")[0] in _OURS:
        return ""
    if depth > 5:
        return _UNKNOWN
    if isinstance(value, list | tuple | set | frozenset):
        inner = [_print(one, depth + 1) for one in value]
        if _UNKNOWN in inner:
            return _UNKNOWN
        plain = [repr(one) if isinstance(one, _PLAIN) else str(id(one)) for one in value]
        return _digest(f"{kind}{plain}{inner}")
    if isinstance(value, dict):
        return _print([*value.keys(), *value.values()], depth + 1)
    return _frame(value, depth)


def _frame(value: Any, depth: int) -> str:  # noqa: ANN401
    import numpy as np  # noqa: PLC0415 - the kernel has them already
    import pandas as pd  # noqa: PLC0415

    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.hasobject:  # its bytes say where things lie, not what they are
            return _print(value.tolist(), depth + 1)
        return _digest(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    try:
        if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
            # What is printed above a column, and above the rows' names, is in no hash.
            names = [axis.names for axis in getattr(value, "axes", [value])]
            if isinstance(value, pd.DataFrame):
                told = f"{list(value.columns)}{list(value.dtypes)}"
            else:
                told = f"{value.dtype}{value.name}"
            hashed = pd.util.hash_pandas_object(value).to_numpy().tobytes()
            return _digest(f"{names}{told}".encode() + hashed)
        if isinstance(value, pd.Timestamp | pd.Timedelta | pd.Interval | pd.Period):
            return ""
    except TypeError:  # lists in a frame, say
        pass
    return _UNKNOWN


def _process(*, draws: bool) -> str:
    """Return a digest of settings that any cell may look at."""
    import matplotlib as mpl  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    from evalkit.words import speech  # noqa: PLC0415

    spoken = speech()
    kept: list[Any] = [
        sorted(os.environ.items()),
        str(Path.cwd()),
        list(sys.path),
        sorted((str(k), str(v)) for k, v in mpl.rcParams.items()),
        np.geterr(),
        np.get_printoptions(),
        str(pd.options.display.max_rows),
        spoken.locale,
        sorted(spoken.own.items()),
        mpl._pylab_helpers.Gcf.get_num_fig_managers(),
        [str(rule[:2]) for rule in warnings.filters if rule[0] == "error"],
    ]
    if draws:
        kept += [random.getstate(), [getattr(p, "tolist", lambda p=p: p)() for p in np.random.get_state()]]  # noqa: NPY002
    return _digest(repr(kept))


def _digest(text: str | bytes) -> str:
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode(errors="replace")).hexdigest()


_held: list[Memory] = []


def the_memory(names: dict[str, Any]) -> Memory:
    """Return this kernel's memory, which is made when it is asked for first."""
    if not _held:
        import matplotlib.pyplot  # noqa: F401, PLC0415 - what is loaded now changes no setting while a cell runs

        _held.append(Memory(names))
    return _held[0]
