"""Reproducible evaluation reports of human-service programmes.

Folders and modules are the stages of the data's journey; each knows only those before it:
``protocol`` and raw tables go through ``intake`` and ``cohort`` to ``stats`` and ``analyses``, then through
``disclosure`` and ``views`` to ``report`` and ``publish``.

Importing this package imports nothing heavy; ask for the stage you need, or use `open_report` in a notebook.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from evalkit._version import __version__

if TYPE_CHECKING:
    from evalkit.report import open_report

__all__ = ["__version__", "open_report"]

_ROOMS = ("analyses", "errors", "report", "stats", "views", "words")  # what a notebook uses


def __getattr__(name: str) -> object:
    # Lazy, so that `evalkit --help` does not import pandas or matplotlib.
    if name == "open_report":
        from evalkit.report import open_report  # noqa: PLC0415

        return open_report
    if name in _ROOMS:
        return importlib.import_module(f"evalkit.{name}")
    msg = f"module 'evalkit' has no attribute '{name}'"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    # What `evalkit.<Tab>` offers, whether it was loaded or not.
    return sorted({*__all__, *_ROOMS})
