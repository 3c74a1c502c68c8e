"""Old import paths work for one release, say where to go, and give the very things."""

from __future__ import annotations

import importlib

import pytest

from evalkit import analyses, stats

OLD = {
    "survival": (stats, "kaplan_meier"),
    "compare": (stats, "propensity"),
    "engagement": (analyses, "funnel"),
    "harm": (analyses, "first_harm"),
    "comparison": (analyses, "outcome"),
}


@pytest.mark.parametrize("old", OLD)
def test_an_old_path_leads_to_the_new_room(old: str) -> None:
    room, name = OLD[old]
    new = room.__name__.removeprefix("evalkit.")
    with pytest.warns(DeprecationWarning, match=rf"^evalkit\.{old} is evalkit\.{new} now; the old name goes$"):
        found = getattr(importlib.import_module(f"evalkit.{old}"), name)
    assert found is getattr(room, name)


@pytest.mark.parametrize("old", OLD)
def test_what_was_never_there_is_not_found(old: str) -> None:
    with pytest.raises(AttributeError, match="nosuch"):
        importlib.import_module(f"evalkit.{old}").nosuch  # noqa: B018
