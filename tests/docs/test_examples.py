"""Every public name that a researcher calls has an example in its docstring; doctest runs it."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

# Modules whose names researchers and programs call.
MODULES = ("evalkit", "evalkit.analyses", "evalkit.stats", "evalkit.report", "evalkit.estimates", "evalkit.periods")


def without_example(module: str) -> set[str]:
    """Return the names without one; parameters of an analysis ("see `cox`") have that of the function they belong to."""
    found = importlib.import_module(module)
    names = {name: getattr(found, name) for name in found.__all__}
    called = {name: one.__doc__ or "" for name, one in names.items() if inspect.isfunction(one) or inspect.isclass(one)}
    shown = {name for name, text in called.items() if ">>> " in text}
    see = {name: re.search(r"; see `(\w+)`\.", text.partition("\n")[0]) for name, text in called.items()}
    return {name for name in called if name not in shown and not (see[name] and see[name][1] in shown)}


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_an_example(module: str) -> None:
    assert without_example(module) == set()
