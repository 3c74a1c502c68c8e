"""The reports that are compared, and their renders: in a copy of a commit or of the working tree, with a Python of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.mutants import trees

KEPT = trees.ROOT / ".same"  # renders of commits; never of the working tree
DEMO, ROSSI = "params/study.yaml", "data/rossi/study.yaml"


@dataclass(frozen=True)
class Edition:
    """A report that is compared: its name, and what the command line is asked."""

    name: str
    asked: tuple[str, ...]
    study: str = DEMO


EDITIONS = (
    Edition("final", ("final",)),  # the longest first, so that the others are done beside it
    Edition("quarterly-2022Q4", ("quarterly", "--period", "2022Q4")),
    Edition("quarterly-2023Q4", ("quarterly", "--period", "2023Q4")),
    Edition("brief", ("brief",)),
    Edition("brief-es", ("brief-es",)),
    Edition("rossi", ("final", "-P", "horizon_days=364", "-P", "mean_days=364"), ROSSI),
)


def newest_release() -> str:
    """Return the newest tag before the working tree; end with a line of help where there is none."""
    asked = ["git", "describe", "--tags", "--abbrev=0"]
    found = subprocess.run(asked, cwd=trees.ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        sys.exit("same: there is no tag of a release; say which commit: make same BEFORE=<commit>")
    return found.stdout.strip()


def commit_of(name: str) -> str:
    """Return a commit's full digest."""
    asked = ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    found = subprocess.run(asked, cwd=trees.ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        sys.exit(f"same: '{name}' is no commit of this repository")
    return found.stdout.strip()


def copy_of_commit(commit: str, where: Path) -> Path:
    """Write a commit's files into a folder and return the Python that runs them."""
    archive = subprocess.run(["git", "archive", commit], cwd=trees.ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x"], cwd=where, input=archive, check=True)
    return trees.python(where)


def copy_of_tree(where: Path) -> Path:
    """Write the working tree's files into a folder, as they are now, and return the Python that runs them."""
    for name in trees.files():
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(trees.ROOT / name, where / name)
    return trees.python(where)


def make_tables(python: Path, where: Path) -> None:
    """Make the synthetic tables with the commit before: both sides tell of the same people."""
    _run(python, where, "simulate", "--out", "data/demo")


def render(python: Path, where: Path, editions: tuple[Edition, ...], jobs: int, secrets: Path | None) -> None:
    """Render reports; each one's release lies in ``<where>/same/<name>/release`` then.

    The noise of counts follows from the secret of a study: the second side takes over those of the first.
    """
    if any(edition.study == ROSSI for edition in editions):
        _run(python, where, "example", "rossi", "--out", str(Path(ROSSI).parent))
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda edition: _render(python, where, edition, secrets), editions))


def _render(python: Path, where: Path, edition: Edition, secrets: Path | None) -> None:
    place = where / "same" / edition.name
    for file in (secrets / edition.name / "private").glob("*/secret*") if secrets else ():
        kept = place / "private" / file.parent.name
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy2(file, kept)
    asked = ("render", *edition.asked, "--study", edition.study, "--out", str(place / "out"))
    _run(python, where, *asked, EVALKIT_PRIVATE=str(place / "private"))
    (made,) = place.glob("out/*/*/*/report.html")
    made.parent.rename(place / "release")


def _run(python: Path, where: Path, *asked: str, **environment: str) -> None:
    sys.stderr.write(f"evalkit {' '.join(word for word in asked if not word.startswith('/'))}\n")
    own = {n: v for n, v in os.environ.items() if n != "PYTHONPATH" and not n.startswith("EVALKIT_")} | environment
    done = subprocess.run(
        [python, "-m", "evalkit", *asked], cwd=where, env=own, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"same: evalkit {' '.join(asked)} in {where}: {done.stderr.strip()}")


def keep(where: Path, commit: str, editions: tuple[Edition, ...]) -> None:
    """Take a commit's renders over into the folder of kept ones, each in one step."""
    for edition in editions:
        kept = KEPT / commit / edition.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(where / "same" / edition.name, kept.with_suffix(".new"))
        kept.with_suffix(".new").rename(kept)
