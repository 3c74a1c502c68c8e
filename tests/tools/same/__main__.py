"""Renders the reports before and now, and lists what differs; 1 where anything does."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tools.same import editions as made
from tools.same.compare import Difference, differences
from tools.same.read import read

SHOWN = 40  # differences of one report that are listed: who changed a word of every table wants no thousand lines


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    asked = argparse.ArgumentParser(prog="same", description=__doc__)
    asked.add_argument("reports", nargs="*", help=f"{', '.join(e.name for e in made.EDITIONS)}; all")
    asked.add_argument("--before", default="", help="a commit; the newest tag of a release")
    asked.add_argument("--jobs", type=int, default=2, help="renders at once")
    asked.add_argument("--all", action="store_true", help=f"list more than {SHOWN} differences of a report")
    given = asked.parse_args(arguments)
    unknown = set(given.reports) - {e.name for e in made.EDITIONS}
    if unknown:
        asked.error(f"no such report: {', '.join(sorted(unknown))}")
    return given


def main() -> int:
    """Do it."""
    asked = options()
    chosen = tuple(e for e in made.EDITIONS if not asked.reports or e.name in asked.reports)
    commit = made.commit_of(asked.before or made.newest_release())
    kept = render_before(commit, chosen, asked.jobs)
    with tempfile.TemporaryDirectory(prefix="same-") as folder:
        where = Path(folder)
        python = made.copy_of_tree(where)
        shutil.copytree(kept / "demo", where / "data" / "demo")
        made.render(python, where, chosen, asked.jobs, kept)
        found, left_out = [], Counter[str]()
        for edition in chosen:
            sides = [read(place / edition.name / "release") for place in (kept, where / "same")]
            found += differences(edition.name, *sides, left_out)
    told = report(found, left_out, most=None if asked.all else SHOWN)
    sys.stdout.write(told + f"before: {commit[:12]}; reports: {', '.join(e.name for e in chosen)}\n")
    return 1 if found else 0


def render_before(commit: str, chosen: tuple[made.Edition, ...], jobs: int) -> Path:
    """Return the folder of a commit's kept renders, those that are missing made."""
    kept = made.KEPT / commit
    missing = tuple(e for e in chosen if not (kept / e.name / "release").is_dir())
    if missing:
        with tempfile.TemporaryDirectory(prefix="same-") as folder:
            where = Path(folder)
            python = made.copy_of_commit(commit, where)
            if not (kept / "demo").is_dir():
                made.make_tables(python, where)
                shutil.copytree(where / "data" / "demo", kept / "demo")
            shutil.copytree(kept / "demo", where / "data" / "demo", dirs_exist_ok=True)
            made.render(python, where, missing, jobs, None)
            made.keep(where, commit, missing)
    return kept


def report(found: list[Difference], left_out: Counter[str], most: int | None) -> str:
    """Return what was found, a line each, and what was left out."""
    lines = []
    for name in dict.fromkeys(difference.report for difference in found):
        own = [str(difference) for difference in found if difference.report == name]
        lines += own[:most] + ([f"{name}: and {len(own) - most} more: --all"] if most and len(own) > most else [])
    lines += [f"not compared: {why} ({times})" for why, times in left_out.items() if times]
    lines.append(f"{len(found)} differences" if found else "the same numbers, words, alternative texts and cells")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
