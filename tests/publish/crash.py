"""Renders killed at random moments; run as a program of its own, with one thread, so that it can fork.

``python crash.py FOLDER KILLS SEED``: prints one JSON line of what was seen.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell

from evalkit.cli import main
from evalkit.publish.release._manifest import damaged, read_manifest
from publish import standin

# As light as a notebook can be: what display would put out, without loading it.
DOOR = """
from IPython.display import display
from evalkit.seal import MARK, Sealer
MIME = {"table": "text/html", "cover": "text/markdown"}
SEALER = Sealer()
__all__ = ["emit"]
def emit(shows, text, **mark):
    record(mark)
    bundle = {MIME[shows]: text, "text/plain": f"<{shows}>"}
    display(bundle, raw=True, metadata={MARK: SEALER.sealed({"shows": shows, **mark}, bundle)})
"""
LIGHT = """
from door import emit
facts = dict(title="Test report", subtitle="", study="A study", organisation="A team", period="fourth quarter of 2000",
             cut="December 31, 2000", cut_date="2000-12-31", synthetic=True, locale="en-US")
emit("cover", "cover", kind="cover", document=facts)
"""
TABLE = """#| label: tbl-one
#| tbl-cap: "One table"
rows = {"columns": ["group", "n"], "rows": [["a", horizon_days]]}
emit("table", f"<table><tr><th>n</th></tr><tr><td>{horizon_days}</td></tr></table>", estimate="e1e1e1e1e1e1", kind="made", verdict="released", data=rows)"""


def light_cells() -> list:
    """Return the cells of a notebook that needs a second."""
    return [
        new_code_cell(standin.PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell(LIGHT),
        new_markdown_cell("# A heading"),
        new_code_cell(TABLE),
    ]


def write_light_world(folder: Path) -> None:
    """Write a study whose report needs a second."""
    standin.write_world(folder, light_cells())
    (folder / "notebooks" / "door.py").write_text(standin.RECORDING + DOOR, encoding="utf-8")


def begin(folder: Path, number: int) -> int:
    """Start a render that publishes the next revision; return its process."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    with (folder / "said.txt").open("a") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    given = standin.command(folder, "--to", "html", "-P", f"horizon_days={number}", "--supersede", "Made again")
    sys.argv = ["evalkit", *given[3:]]
    code = 1
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    os._exit(code)


def problems(folder: Path, at_least: int) -> tuple[list[str], int]:
    """Return what is wrong with what can be seen, and the newest revision's number."""
    found, numbers = [], []
    place = folder / "reports/tiny/tiny"
    seen = [p for p in place.iterdir() if not p.name.startswith(".")] if place.exists() else []
    for release in seen:
        try:
            manifest = read_manifest(release)
        except Exception as error:
            found.append(f"{release.name}: {error}")
            continue
        found += [f"{release.name}: {name} is half written" for name in damaged(release, manifest)]
        numbers.append(manifest["revision"])
        kept = release.name.endswith(f".r{manifest['revision']}")
        if not kept and release.name != "2000Q4":
            found.append(f"{release.name}: holds revision {manifest['revision']}")
    newest = max(numbers, default=0)
    if newest and not (place / "2000Q4").is_dir():
        found.append("there is no release at its place")
    if newest and read_manifest(place / "2000Q4")["revision"] != newest:
        found.append("the newest release is not at its place")
    if newest < at_least or sorted({*numbers}) != list(range(1, newest + 1)):
        found.append(f"revisions {sorted(numbers)}: one of {max(newest, at_least)} is lost")
    return found, newest


def main_loop(folder: Path, kills: int, seed: int) -> dict:
    """Render once, kill renders at random moments, and render once more."""
    chance = random.Random(seed)  # noqa: S311
    write_light_world(folder)
    os.environ.update(standin.environment(folder))
    started = time.monotonic()
    assert os.waitstatus_to_exitcode(os.waitpid(begin(folder, 1), 0)[1]) == 0, (folder / "said.txt").read_text()
    whole = time.monotonic() - started
    wrong, newest, ended, moments = [], 1, 0, []
    for number in range(2, kills + 2):
        pid = begin(folder, number)
        moment = chance.uniform(0, whole * 1.05)
        time.sleep(moment)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        ended += os.WIFEXITED(os.waitpid(pid, 0)[1])
        moments.append(round(moment / whole, 2))
        found, newest = problems(folder, newest)
        wrong += [f"after kill {number - 1} at {moment:.2f} s: {text}" for text in found]
    last = os.waitstatus_to_exitcode(os.waitpid(begin(folder, 0), 0)[1])
    found, final = problems(folder, newest + 1)
    left = [str(p.relative_to(folder)) for p in folder.rglob(".making-*")] + [
        p.name for p in (folder / "tmp").iterdir()
    ]
    deadline = time.monotonic() + 20
    while (living := [c for c in standin.living(folder) if "crash.py" not in c]) and time.monotonic() < deadline:
        time.sleep(0.5)
    return {"wrong": wrong + found, "last": last, "final": final, "left": left, "living": living, "moments": moments,
            "ended": ended, "whole": whole}  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main_loop(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))) + "\n")
