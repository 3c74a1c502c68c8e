"""Opens a published page in headless Chromium; says where that cannot be done."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parent
CHROMIUM = shutil.which("chromium")
NODE = shutil.which("node")


def _missing() -> str:
    if CHROMIUM is None or NODE is None:
        return "Chromium or Node.js is not installed here"
    lacking = [name for name in ("axe-core", "playwright-core") if not (FOLDER / "node_modules" / name).is_dir()]
    return f"npm ci in tests/web has not installed {', '.join(lacking)}" if lacking else ""


MISSING = _missing()
needs_browser = [pytest.mark.browser, pytest.mark.skipif(bool(MISSING), reason=MISSING or "everything is here")]


def look_at(page: Path, printed: Path, landing: str = "report") -> dict[str, Any]:
    """Return what a reader meets on a page; write its printed pages."""
    done = subprocess.run(
        [str(NODE), str(FOLDER / "inspect.mjs"), str(CHROMIUM), str(page), str(printed), landing],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def assert_accessible(seen: dict[str, Any]) -> None:
    """Hold a page to WCAG 2.2 A and AA as far as axe-core can tell, at both widths, and to reflow at 320 px."""
    assert set(seen["widths"]) == {"320", "1280"}
    for width, found in seen["widths"].items():
        faults = [(rule["rule"], rule["places"][:3]) for rule in found["axe"]["violations"]]
        assert faults == [], f"{width} px: {faults}"
        assert {"color-contrast", "html-has-lang", "image-alt"} <= set(found["axe"]["passes"])
        assert (found["sideways"], found["sidewaysOpen"]) == (0, 0), f"{width} px: the page scrolls sideways"
    levels = seen["structure"]["headings"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert seen["loaded"] == []
    assert seen["structure"]["scripts"] == 0
    assert all(picture["drawn"] and picture["alt"] for picture in seen["structure"]["pictures"])
