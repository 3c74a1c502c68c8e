"""The programs and packages a render uses: what is there, in which version, and how to get what is not."""

from __future__ import annotations

__all__ = ["Tool", "publisher_of", "survey", "tools_of"]

import platform
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.publish._quarto import find_quarto, quarto_version


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
    """Choose the publisher.

    Parameters
    ----------
    wanted : {"auto", "quarto", "embedded"}

    Returns
    -------
    str
        ``quarto`` or ``embedded``.
    """
    if wanted != "auto":
        return wanted
    return "quarto" if find_quarto() is not None else "embedded"


def tools_of(publisher: str, folder: Path) -> dict[str, str]:
    """Return the versions of a publisher's tools.

    Parameters
    ----------
    publisher : {"quarto", "embedded"}
    folder : pathlib.Path
        Where they may work.

    Returns
    -------
    dict
        Tool: version; empty where Quarto is wanted and not there.
    """
    if publisher == "quarto":
        program = find_quarto()
        return {} if program is None else {"quarto": quarto_version(program, folder)}
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
    try:
        with tempfile.TemporaryDirectory() as folder:
            return Tool("quarto", quarto_version(program, Path(folder)), needed=False, remark=str(program))
    except EvalkitError as error:
        return Tool("quarto", "", needed=False, remark=str(error))


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
