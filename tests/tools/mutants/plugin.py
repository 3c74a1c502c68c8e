"""Loaded into pytest while the map is made: which test, and which shared fixture, runs which lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import coverage
import pytest

CONTEXT = "EVALKIT_MUTANTS_CONTEXT"  # what processes started by a test are measured under
FOLDER = "EVALKIT_MUTANTS_MAP"
IMPORTS = "imports"


def _worked() -> float:
    """Return the processor's seconds, of ended children too: the clock's would say how busy the machine is."""
    return sum(os.times()[:4])


class _Watch:
    """What runs now, and how long it took."""

    def __init__(self) -> None:
        self.stack, self.tests, self.shared = [IMPORTS], {}, {}
        self.inner = 0.0

    def enter(self, name: str) -> None:
        self.stack.append(name)
        self._switch()

    def leave(self) -> None:
        self.stack.pop()
        self._switch()

    def _switch(self) -> None:
        os.environ[CONTEXT] = self.stack[-1]
        measured = coverage.Coverage.current()
        if measured is not None:
            measured.switch_context(self.stack[-1])


WATCH = _Watch()


def _key(definition: Any) -> str:
    return f"fixture {definition.baseid}::{definition.argname}"


def _wide(definition: Any) -> bool:
    return definition.scope != "function"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure a test by its name."""
    WATCH.enter(item.nodeid)
    begun, WATCH.inner = _worked(), 0.0
    try:
        return (yield)
    finally:
        WATCH.leave()
        known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
        shared = sorted({_key(d) for all_of in known.values() for d in all_of if _wide(d)})
        entry = WATCH.tests.setdefault(item.nodeid, {"bad": False})
        entry |= {"seconds": round(_worked() - begun - WATCH.inner, 3), "shared": shared}


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any) -> Iterator[object]:
    """Measure a fixture that several tests share by its own name: all of them stand on the lines it ran."""
    if not _wide(fixturedef):
        return (yield)
    WATCH.enter(_key(fixturedef))
    begun, before = _worked(), WATCH.inner
    try:
        return (yield)
    finally:
        WATCH.leave()
        took = _worked() - begun
        WATCH.inner = before + took
        WATCH.shared[_key(fixturedef)] = round(took, 3)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Note tests that fail or are skipped without any fault: they can say nothing of one."""
    report = yield
    if report.outcome != "passed":
        WATCH.tests.setdefault(item.nodeid, {"bad": False})["bad"] = True
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Write what was seen."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.save()
    if WATCH.tests:
        where = Path(os.environ[FOLDER]) / f"tests-{os.getpid()}.json"
        where.write_text(json.dumps({"tests": WATCH.tests, "shared": WATCH.shared}))
