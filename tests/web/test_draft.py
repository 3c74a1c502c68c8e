"""A watched draft in a browser: a newer page comes by itself, what stands in its way is said, nothing else runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from evalkit.cli._draft import Served
from web.browser import CHROMIUM, FOLDER, NODE, needs_browser

pytestmark = needs_browser


def page(folder: Path, text: str) -> dict[str, Path]:
    file = folder / "report.html"
    # A script that stands in a page would be refused, and so would one from elsewhere.
    file.write_text(
        f"<!DOCTYPE html><html><head><title>x</title></head><body><main>{text}</main></body></html>", encoding="utf-8"
    )
    return {"html": file}


def test_a_browser_shows_the_newest_draft_and_what_stands_in_its_way(tmp_path: Path) -> None:
    with Served(0) as served:
        served.show(page(tmp_path, "one"))
        reader = subprocess.Popen(
            [str(NODE), str(FOLDER / "watch.mjs"), str(CHROMIUM), served.address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        assert reader.stdin is not None
        assert reader.stdout is not None
        with reader:
            assert json.loads(reader.stdout.readline()) == {"text": "one", "trouble": False}
            served.show(page(tmp_path, "two"))
            reader.stdin.write('["page", "two"]\n')
            assert json.loads(reader.stdout.readline()) == {"text": "two", "trouble": False}
            served.trouble(["cell 3: the figure has no label", "cell 4: <b>no</b>"])
            said = "cell 3: the figure has no label\ncell 4: <b>no</b>"
            reader.stdin.write(json.dumps(["trouble", said]) + "\n")
            assert json.loads(reader.stdout.readline()) == {"text": "two", "trouble": said}
            served.show(page(tmp_path, "three"))
            reader.stdin.write('["page", "three"]\n')
            assert json.loads(reader.stdout.readline()) == {"text": "three", "trouble": False}
            reader.stdin.close()
            assert json.loads(reader.stdout.readline()) == []  # nothing was refused, and nothing is missing
