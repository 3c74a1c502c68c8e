"""What changed since a release, found from the release's manifest."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from evalkit.cohort import restatements, restatements_since
from evalkit.errors import DataError
from evalkit.intake import open_data
from evalkit.protocol import load_study
from evalkit.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def study(tmp_path: Path):
    """The project's own protocol over a small synthetic study."""
    (tmp_path / "params").mkdir()
    for name in ("study", "baselines", "disclosure"):
        (tmp_path / "params" / f"{name}.yaml").write_bytes((ROOT / "params" / f"{name}.yaml").read_bytes())
    simulate("benefit", seed=3, n_focus=60, n_comparison=120).write(tmp_path / "data" / "demo")
    return load_study(tmp_path / "params" / "study.yaml")


def manifest(folder: Path, content: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_since_a_release_is_since_its_cut(study, tmp_path: Path) -> None:
    release = manifest(tmp_path / "r", {"study": study.id, "data_cut": "2023-03-31"})
    found = restatements_since(study, release)
    pd.testing.assert_frame_equal(found, restatements(open_data(study), date(2023, 3, 31)))
    assert set(found["reason"].str.split(", ").explode()) <= {"late entry", "correction", "retraction"}
    assert len(found)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"study": "another", "data_cut": "2023-03-31"}, "is of study 'another'"),
        ({"study": "chicago-nonmandated"}, "is no release's manifest"),
        ({"study": "chicago-nonmandated", "data_cut": "soon"}, "is no release's manifest"),
        ([], "is no release's manifest"),
    ],
)
def test_what_is_no_release_is_refused(study, tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(DataError, match=r"manifest\.json") as error:
        restatements_since(study, manifest(tmp_path / "r", content))
    assert words in str(error.value)
