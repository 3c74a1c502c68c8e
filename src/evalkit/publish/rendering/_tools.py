"""The programs and packages a render uses: what is there, in which version, and how to get what is not."""

from __future__ import annotations

__all__ = ["Tool", "publisher_of", "survey", "tools_of"]

import platform
import sys
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.publish.rendering._document import Document
from evalkit.publish.rendering._prepare import Item
from evalkit.publish.rendering._quarto import find_quarto, needed_quarto, parts_of, publish_quarto, quarto_version
from evalkit.publish.rendering._scratch import scratch_folder

_TRIAL = 120.0
"""Seconds that a trial of Quarto may take: the first one copies its library."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One line of ``evalkit doctor``.

    Attributes
    ----------
    name : str
    version : str
        Empty when it is not there.
    needed : bool
        Whether a render fails without it.
    remark : str
        Where it is, or how to get it.
    """

    name: str
    version: str
    needed: bool
    remark: str


def publisher_of(wanted: str) -> str:
    """Choose the publisher: ``quarto`` or ``embedded``; of ``auto`` Quarto, where it is there."""
    if wanted != "auto":
        return wanted
    return "quarto" if find_quarto() is not None else "embedded"


def tools_of(publisher: str, folder: Path) -> dict[str, str]:
    """Return the versions of a publisher's tools, which may work in `folder`.

    `MissingToolError` if Quarto is wanted, and not there or too old.
    """
    if publisher == "quarto":
        return {"quarto": quarto_version(needed_quarto(), folder)}
    import pypandoc  # noqa: PLC0415

    return {"pandoc": str(pypandoc.get_pandoc_version()), "typst": metadata.version("typst")}


def _package(name: str, purpose: str) -> Tool:
    try:
        return Tool(name, metadata.version(name), needed=True, remark=purpose)
    except metadata.PackageNotFoundError:
        return Tool(name, "", needed=True, remark=f"{purpose}; missing: run 'make install'")


def _quarto() -> Tool:
    program = find_quarto()
    if program is None:
        remark = "not found: optional, from quarto.org; the embedded publisher is used without it"
        return Tool("quarto", "", needed=False, remark=remark)
    # Its version is answered by a launcher, and says nothing of the rest: a line is published.
    line = Document(
        "Trial", "", "Trial", "", "now", "now", date(2000, 1, 1), False, "en-US", (Item("markdown", 1, "One line."),)
    )
    try:
        with scratch_folder() as folder:
            version = quarto_version(program, folder)
            parts = parts_of(program, folder)
            publish_quarto(line, ("pdf", "html"), folder, _TRIAL)
    except EvalkitError as error:
        return Tool("quarto", "", needed=False, remark=f"{program}: {error}")
    brings = ", ".join(f"{name} {parts.get(name, '(version unknown)')}" for name in ("deno", "pandoc", "typst"))
    return Tool("quarto", version, needed=False, remark=f"{program}: publishes a line; {brings}")


def survey() -> list[Tool]:
    """List what a render uses.

    Returns
    -------
    list of Tool
    """
    tools = [Tool("python", platform.python_version(), needed=True, remark=sys.executable)]
    tools += [_package("ipykernel", "the kernel"), _package("papermill", "runs notebooks")]
    tools += [_package("duckdb", "reads the tables")]
    try:
        pandoc = tools_of("embedded", Path())["pandoc"]
        tools.append(Tool("pandoc", pandoc, needed=True, remark="from the pypandoc-binary package"))
    except (OSError, ImportError, metadata.PackageNotFoundError):
        tools.append(Tool("pandoc", "", needed=True, remark="missing: run 'make install'"))
    tools.append(_package("typst", "embedded publisher's PDF compiler"))
    tools.append(_quarto())
    return tools
