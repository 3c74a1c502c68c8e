"""What a shell may complete, and what a slip in it may have meant: names of reports and tables."""

from __future__ import annotations

__all__ = ["report_names", "reports_like", "tables_like"]

import re
from pathlib import Path


def report_names(folder: Path) -> list[str]:
    """Return the names of the reports whose files lie in a folder: YAML that names a notebook.

    Parameters
    ----------
    folder : pathlib.Path

    Returns
    -------
    list of str
    """
    texts = {file.stem: file.read_text(encoding="utf-8", errors="replace") for file in sorted(folder.glob("*.yaml"))}
    return [name for name, text in texts.items() if re.search(r"^notebook:", text, re.MULTILINE)]


def reports_like(incomplete: str) -> list[str]:
    """Return the reports here whose names begin so; the shell asks it at each Tab."""
    return [name for name in report_names(Path("params")) if name.startswith(incomplete)]


def tables_like(incomplete: str) -> list[str]:
    """Return the tables whose names begin so."""
    from evalkit.protocol import TABLE_NAMES  # noqa: PLC0415 - a quarter of a second, at a Tab only

    return [name for name in TABLE_NAMES if name.startswith(incomplete)]
