"""The order of the tests, and the command line as somebody types it.

Files that render reports come first, so that no process ends with a long one alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evalkit.words import speaking

FIRST = (
    "reports/test_notebooks.py",
    "publish/test_render.py",
    "publish/test_verify.py",
    "publish/test_quarto.py",
    "publish/test_protected.py",
    "reports/test_rossi.py",
    "hardening/",
    "publish/",
    "reports/",
    "web/",
    "disclosure/",
)


SAID = {"Pilot": "in the pilot", "Non-mandated pilot": "in the pilot", "PAIP": "in PAIP"}


@pytest.fixture(autouse=True)
def _groups_have_their_article() -> Iterator[None]:
    """Groups made by hand are called as a protocol would call them, and no test speaks on for the next."""
    with speaking("en-US", inside=SAID):
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files by what they cost; the order inside each stays."""

    def place(item: pytest.Item) -> int:
        file = item.path.as_posix()
        return next((i for i, part in enumerate(FIRST) if f"/tests/{part}" in file), len(FIRST))

    items.sort(key=place)


@pytest.fixture
def called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run ``evalkit`` in this process, in a folder of its own and without its variables: code, what it said, complaints."""
    from evalkit.cli import _run

    for name in [name for name in os.environ if name.startswith("EVALKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["evalkit", *arguments])
        code = _run()
        said = capsys.readouterr()
        return code, said.out, said.err

    return call
