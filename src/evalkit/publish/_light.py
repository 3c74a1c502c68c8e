"""Loads jsonschema without its grammar of international addresses: making it takes two seconds of every command.

nbformat loads jsonschema, but checks notebooks with fastjsonschema and asks neither about addresses.
"""

from __future__ import annotations

__all__: list[str] = []

import importlib
import sys

_GRAMMAR = "rfc3987_syntax"

if "jsonschema" not in sys.modules and _GRAMMAR not in sys.modules:
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # to jsonschema it is not installed then
    try:
        importlib.import_module("jsonschema")
    finally:
        del sys.modules[_GRAMMAR]
