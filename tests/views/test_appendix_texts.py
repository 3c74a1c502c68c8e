"""Texts that stand beside no number are said word for word, each under its own heading, in both languages."""

from __future__ import annotations

import pytest

from evalkit.views.places import _laid_out
from views.appendix_texts import FILE, whole


@pytest.mark.parametrize("language", ["en-US", "es-US"])
def test_what_is_said_beside_no_number(language: str) -> None:
    kept = FILE.read_text(encoding="utf-8")
    spanish = kept.index("## es-US: ")
    assert whole(language) == (kept[:spanish] if language == "en-US" else kept[spanish:])


def test_places_that_are_not_named_stand_four_a_row_below_the_others() -> None:
    labels, places = (
        ["a", "North", "b", "c", "d", "e", "South"],
        {"North": (2, 0), "South": (1, 3), "elsewhere": (9, 9)},
    )
    assert _laid_out(labels, places) == {
        "North": (2, 0), "South": (1, 3), "a": (0, 4), "b": (1, 4), "c": (2, 4), "d": (3, 4), "e": (0, 5),
    }  # fmt: skip
    assert _laid_out(["a"], {}) == {"a": (0, 0)}
