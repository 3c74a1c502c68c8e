"""What is shown of fixed results is what was shown of them before, in every number, limit, day, verdict and withheld row."""

from __future__ import annotations

import json

import pytest

from golden.frames import differences
from protected.frames import HERE, NAMES, file_of, shown


@pytest.mark.parametrize(("name", "policy"), NAMES)
def test_what_is_shown_is_what_was(name: str, policy: str) -> None:
    assert differences(shown(name, policy), json.loads(file_of(name, policy).read_text(encoding="utf-8"))) == []


def test_no_frame_is_left_of_a_case_that_is_gone() -> None:
    assert {file.name for file in HERE.iterdir()} == {file_of(*one).name for one in NAMES}
