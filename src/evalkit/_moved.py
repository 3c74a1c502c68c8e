"""Old import paths: they work for one release, and say where to go."""

from __future__ import annotations

__all__ = ["moved"]

import importlib
import warnings
from collections.abc import Callable


def moved(old: str, new: str) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a package that has another name now, both below ``evalkit``."""

    def get(name: str) -> object:
        found: object = getattr(importlib.import_module(f"evalkit.{new}"), name)
        # At the caller's line, not here: the level is that of who asks for the attribute.
        warnings.warn(f"evalkit.{old} is evalkit.{new} now; the old name goes", DeprecationWarning, stacklevel=2)
        return found

    return get
