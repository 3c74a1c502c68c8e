"""Every analysis answers as its golden frame says, in every column, note and fact; and the frames are what R gives.

A frame by itself only says that something changed. What holds its numbers: R where R has them (`r/frames.R`), else
`test_by_hand.py`, the drawings of `tests/cohort` and the published figures; `tests/golden/README.md` says which.
"""

from __future__ import annotations

import importlib
import inspect
import json

import numpy as np
import pytest

from golden.cases import CASES
from golden.frames import differences, file_of, plain
from golden.runner import HERE

R = json.loads((HERE / "values" / "frames.json").read_text(encoding="utf-8"))["cases"]
PACKAGES = ("survival", "compare", "engagement", "harm", "comparison", "cohort")
ELSEWHERE = {
    "comparison.outcome": "puts compare_arms, effects and e_values together; tests/reports",
    "cohort.restatements_since": "needs a release; tests/cohort/test_restatements_since.py",
}


def kept(name: str) -> dict:
    return json.loads(file_of(name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_answers_as_ever(name: str) -> None:
    assert differences(plain(CASES[name]()), kept(name)) == []


def test_no_frame_is_left_of_a_case_that_is_gone() -> None:
    assert {file.name for file in (HERE / "whole").iterdir()} == {file_of(name).name for name in CASES}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_function_has_a_frame(package: str) -> None:
    module = importlib.import_module(f"evalkit.{package}")
    functions = {f"{package}.{n}" for n in module.__all__ if inspect.isfunction(getattr(module, n))}
    assert functions - {name.split(":")[0] for name in CASES} - set(ELSEWHERE) == set()


@pytest.mark.parametrize("name", R)
def test_the_frame_is_what_r_gives(name: str) -> None:
    frame, theirs = kept(name), R[name]
    for column, values in (theirs.get("plain") or {}).items():
        _close(frame[column], values, column)
    for column, values in (theirs.get("columns") or {}).items():
        ours = frame["data"][column]
        if "rows" in theirs:
            ours = [ours[frame["data"]["term"].index(row)] for row in theirs["rows"]]
        if column == "group":
            assert ours == values
        else:
            _close(ours, values, column)
    for fact, value in (theirs.get("summary") or {}).items():
        _close(frame["summary"][fact], value, fact)


def _close(ours: object, theirs: object, where: str) -> None:
    ours, theirs = (
        np.array([np.nan if v in (None, "NA") else v for v in np.atleast_1d(x)], float) for x in (ours, theirs)
    )
    # R gives limits of 0 or 1, or a standard error, where a curve is 0 or 1; here they are not defined, and a note says so.
    known = ~np.isnan(ours)
    assert known.any(), where
    np.testing.assert_allclose(ours[known], theirs[known], rtol=1e-6, atol=1e-9, err_msg=where)
