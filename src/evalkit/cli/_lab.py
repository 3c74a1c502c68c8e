"""``evalkit lab``: JupyterLab at a study's notebooks, which says at a cell what publishing would refuse of it."""

from __future__ import annotations

__all__ = ["command", "run"]

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from evalkit.cli._render import Request, params_of
from evalkit.errors import UsageError
from evalkit.protocol import Study, load_study

_EXTENSIONS = Path(__file__).resolve().parent / "labextensions"


def run(words: Sequence[str], study: Path) -> None:
    """Become JupyterLab, at the notebook of the report that is named first, else at the folder; then come its options.

    A `UsageError` where the study has no notebooks of its own.
    """
    line, surroundings = command(words, load_study(study)), dict(os.environ)
    if not sys.warnoptions:
        # Put there for schedulers (`made_ready`); who edits a notebook is told which of evalkit's names are old.
        surroundings.pop("PYTHONWARNINGS", None)
    sys.stdout.flush()
    # In place of this process, so that Ctrl-C is JupyterLab's, which asks before it ends kernels.
    os.execve(line[0], line, surroundings)  # noqa: S606 - nothing of it goes through a shell


def command(words: Sequence[str], study: Study) -> list[str]:
    """Return the command that opens JupyterLab at a study's notebooks; see `run`."""
    report = words[0] if words and not words[0].startswith("-") else ""
    name = params_of(Request(report), study)[1].notebook if report else "*.ipynb"
    places = list(dict.fromkeys(place.resolve() for place in (Path.cwd(), study.folder, study.folder.parent)))
    found = next((place / "notebooks" for place in places if any((place / "notebooks").glob(name))), None)
    if found is None:
        said = ", ".join(str(place / "notebooks") for place in places)
        msg = f"there is no {name} in any of: {said}; evalkit init writes the notebooks of a study"
        raise UsageError(msg)
    return [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={found.parent}",  # the protocol lies beside the notebooks, and is edited, too
        f"--FileContentsManager.preferred_dir={found}",
        f"--LabApp.extra_labextensions_path={_EXTENSIONS}",
        # A study's machine may have no network; and a newer JupyterLab is no news for who edits a report.
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.news_url=None",
        "--LabApp.extension_manager=readonly",
        *([f"--LabApp.default_url=/lab/tree/{found.name}/{name}"] if report else []),
        *words[bool(report) :],
    ]
