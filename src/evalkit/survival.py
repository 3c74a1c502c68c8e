"""The old name of `evalkit.stats`: it goes with the next release."""

from __future__ import annotations

from evalkit._moved import moved

__all__ = ["__getattr__"]

__getattr__ = moved("survival", "stats")
