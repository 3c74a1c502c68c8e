"""Placing a release, killed before each single step; run as a program of its own so that it can fork.

``python crash_place.py FOLDER exchange|fallback``: prints how many steps were tried, or fails.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from evalkit.publish.release import _release
from evalkit.publish.release._release import kept_folder, place_release, recover

STEPS = ((os, ("mkdir", "rename", "link", "fsync", "chmod", "rmdir", "unlink")), (shutil, ("copyfile",)))


def kill_before(step: int) -> None:
    """Let this process end at once before its step-th change of the file system."""
    count = 0

    def watched(function):
        def call(*args, **options):
            nonlocal count
            count += 1
            if count == step:
                os._exit(9)
            return function(*args, **options)

        return call

    for module, names in STEPS:
        for name in names:
            setattr(module, name, watched(getattr(module, name)))
    _release.exchange = watched(_release.exchange)


def content(release: Path) -> str:
    """Return what a release says, holding both its files to one another."""
    one, other = (release / "manifest.json").read_text(), (release / "data/x.csv").read_text()
    assert one == other, f"{release}: half a release"
    assert sorted(p.name for p in release.iterdir()) == ["data", "manifest.json"]
    return one


def sources(folder: Path, text: str) -> dict[str, Path]:
    """Write the files of a release."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("m", "x"):
        (folder / name).write_text(text)
    return {"manifest.json": folder / "m", "data/x.csv": folder / "x"}


def try_step(folder: Path, step: int, *, one_step: bool) -> bool:
    """Kill before a step, look, mend and place again; return whether there was such a step."""
    target = folder / "reports/s/r/2000Q4"
    place_release(sources(folder / "a", "first"), target)
    pid = os.fork()
    if pid == 0:
        kill_before(step)
        place_release(sources(folder / "b", "second"), target, supersedes=1)
        os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    if one_step:  # readers see a whole release at any moment, mended or not
        assert content(target) in {"first", "second"}
    recover(target)
    newest = content(target)
    assert newest in {"first", "second"}
    if newest == "second":
        assert content(kept_folder(target, 1)) == "first"
    else:
        place_release(sources(folder / "b", "second"), target, supersedes=1)
    assert (content(target), content(kept_folder(target, 1))) == ("second", "first")
    assert sorted(p.name for p in target.parent.iterdir()) == ["2000Q4", "2000Q4.r1"]
    return killed


def main(folder: Path, mode: str) -> int:
    """Try every step."""
    if mode == "fallback":
        _release.exchange = lambda one, other: False
    step = 1
    while try_step(folder / str(step), step, one_step=mode == "exchange"):
        step += 1
    return step - 1


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]), sys.argv[2])}\n")
