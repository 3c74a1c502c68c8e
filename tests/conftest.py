"""The order of the tests: files that render reports come first, so that no process ends with a long one alone."""

from __future__ import annotations

import pytest

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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort files by what they cost; the order inside each stays."""

    def place(item: pytest.Item) -> int:
        file = item.path.as_posix()
        return next((i for i, part in enumerate(FIRST) if f"/tests/{part}" in file), len(FIRST))

    items.sort(key=place)
