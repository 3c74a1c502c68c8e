"""``evalkit lab``: which JupyterLab is started, where, and with what around it. A browser drives it in tests/web."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from evalkit.cli import _lab
from evalkit.errors import UsageError
from evalkit.protocol import load_study
from publish import standin


def test_it_starts_at_the_notebooks_beside_the_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study(standin.write_world(tmp_path / "study"))
    monkeypatch.chdir(tmp_path)
    line = _lab.command(["tiny", "--port", "8899"], study)
    assert line[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path / 'study'}" in line
    assert f"--FileContentsManager.preferred_dir={tmp_path / 'study' / 'notebooks'}" in line
    assert line[-3:] == ["--LabApp.default_url=/lab/tree/notebooks/tiny.ipynb", "--port", "8899"]
    assert _lab.command(["--no-browser"], study)[-1] == "--no-browser"
    assert not any("default_url" in word for word in _lab.command((), study))
    extensions = next(word.partition("=")[2] for word in line if "extra_labextensions_path" in word)
    assert (Path(extensions) / "evalkit" / "package.json").is_file()


def test_without_notebooks_of_its_own_there_is_nothing_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study(standin.write_world(tmp_path / "study"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study" / "notebooks" / "tiny.ipynb").unlink()
    with pytest.raises(UsageError, match=r"^there is no tiny.ipynb in any of: .*; evalkit init writes the notebooks"):
        _lab.command(["tiny"], study)


@pytest.mark.parametrize(("options", "kept"), [([], False), (["error"], True)])
def test_kernels_say_what_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], kept: bool
) -> None:
    """The command line quiets warnings for schedulers; what the user asked of Python stays."""
    file, begun = standin.write_world(tmp_path), []
    monkeypatch.setattr(os, "execve", lambda *call: begun.append(call))
    monkeypatch.setattr(sys, "warnoptions", options)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    _lab.run(["tiny"], file)
    assert ("PYTHONWARNINGS" in begun[0][2]) is kept
