"""The Quarto publisher, the ``quarto`` program as a child process; and which programs and packages a render can use.

What was observed of the real program is built in: it sees only a fresh scratch folder (it overwrites and deletes what
lies beside its input, and keeps its own files, with the report's text, wherever TMPDIR says), executes nothing
(papermill did), runs in a session of its own (its children outlive it otherwise), and its stderr is read as well as its
exit code (to it a reference that leads nowhere is only a warning, and so is a filter that fails).

Of every other program and package, too, it is said here which version is there, and how to get what is not: the choice
of a publisher is the question whether Quarto is there, and whether it works only a trial of it tells.
"""

from __future__ import annotations

__all__ = [
    "Tool",
    "find_quarto",
    "needed_quarto",
    "parts_of",
    "publish_quarto",
    "publisher_of",
    "quarto_version",
    "survey",
    "tools_of",
]

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import nbformat
import pikepdf
import yaml
from nbformat.v4 import new_markdown_cell, new_notebook, new_raw_cell

from evalkit.errors import EvalkitError, MissingToolError, PublicationError
from evalkit.publish.rendering._document import ATTACHMENT, BIBLIOGRAPHY, Document, Item, resources
from evalkit.publish.rendering._embedded import DIALECT, FITS, font_folder, metadata, publish_embedded, write_style
from evalkit.publish.rendering._machine import Finished, run_child, scratch_folder
from evalkit.publish.rendering._pieces import finished, markdown_parts
from evalkit.publish.rendering._web import check_self_contained, embedded, strip_scripts

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# What Quarto only warns of, with exit code 0: text or a table that is missing, a reference that leads nowhere, a PDF of
# another kind than asked for. Pandoc and the Typst compiler have nothing to warn of in a sound document.
_SILENT_FAILURES = (
    re.compile(r"\bERROR\b.*"),
    re.compile(r"Unable to (?:resolve crossref|parse table).*"),
    re.compile(r"WARNING.*?(?:file not found|could not (?:fetch|find|open|load)|unknown profile).*", re.IGNORECASE),
    re.compile(r"\[WARNING\].*"),
    re.compile(r"\bwarning: .*"),
    re.compile(r"The following string was found in the document: .*"),
    re.compile(r"PDF standard '.*is not supported.*|PDF validation failed.*|Running juice failed.*"),
)
_FAILED = re.compile(r"(?:error|fatal)\b[: ]*(?:error: )?(?P<why>.*)", re.IGNORECASE)
_PAGE = "report.html5"
_CHARSET = '<meta charset="utf-8">'
_HEAD = re.compile(r"(<head\b[^>]*>)", re.IGNORECASE)
_PICTURELESS = re.compile(r'(<div\b[^>]*?)\s+alt="[^"]*"')
_PARTIALS = ("typst-template.typ", "typst-show.typ")
_OLDEST = (1, 9)  # an older one makes no PDF/UA-1, and says nothing of it
_HERE = (
    "TMPDIR",
    "TMP",
    "TEMP",
    "HOME",
    *(f"XDG_{name}" for name in ("CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR")),
)
# Where an installation has its parts (that of conda-forge is nowhere else); all others of Quarto's are settings.
_PLACES = frozenset(
    f"QUARTO_{name}"
    for name in (
        "BIN_PATH", "CONDA_PREFIX", "DART_SASS", "DENO", "DENO_DOM", "ESBUILD", "PANDOC", "ROOT", "SHARE_PATH", "TYPST",
        "TYPST_GATHER", "VERAPDF",
    )
)  # fmt: skip
_PART = re.compile(r"^\s*(Pandoc|Deno|Typst) version:? (\d[\w.+-]*)", re.MULTILINE)


def find_quarto() -> Path | None:
    """Return the Quarto program: ``$EVALKIT_QUARTO``, else the one on PATH."""
    named = os.environ.get("EVALKIT_QUARTO")
    found = shutil.which(named) if named else shutil.which("quarto")
    return Path(found) if found else None


def needed_quarto() -> Path:
    """Return the Quarto program; `MissingToolError` if there is none, or it could not run."""
    program = find_quarto()
    if program is None:
        msg = "quarto: not found; install it from its site, set EVALKIT_QUARTO, or use --publisher embedded"
        raise MissingToolError(msg)
    if shutil.which("which") is None:  # it finds its own parts with it
        msg = "quarto: needs the program 'which'; install it, or use --publisher embedded"
        raise MissingToolError(msg)
    return program


def quarto_version(program: Path, folder: Path) -> str:
    """Ask Quarto for its version.

    `PublicationError` if it does not answer with one, `MissingToolError` if it is too old.
    """
    done = run_child([str(program), "--version"], folder=folder, timeout=30, env=_environment(folder))
    version = done.out.strip()
    found = re.fullmatch(r"(\d+)\.(\d+)[\w.+-]*", version)
    if done.code != 0 or found is None:
        msg = f"{program}: 'quarto --version' answers with no version; see 'evalkit doctor'"
        raise PublicationError(msg)
    # As numbers: 1.10 is newer than 1.9.
    if (int(found[1]), int(found[2])) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        msg = f"quarto: {version} is too old; install {oldest} or newer, or use --publisher embedded"
        raise MissingToolError(msg)
    return version


def parts_of(program: Path, folder: Path) -> dict[str, str]:
    """Ask Quarto for the versions of the programs it brings.

    ``deno``, ``pandoc``, ``typst``: version, as far as ``quarto check versions`` names it.
    """
    done = run_child([str(program), "check", "versions"], folder=folder, timeout=60, env=_environment(folder))
    found = {name.lower(): version for name, version in _PART.findall(_ANSI.sub("", f"{done.out}\n{done.err}"))}
    return dict(sorted(found.items()))


def publish_quarto(
    document: Document, formats: tuple[str, ...], scratch: Path, timeout: float, memory_gb: float = 8.0
) -> dict[str, Path]:
    """Make the document's files with Quarto (as `publish_embedded`); it sees only a fresh folder inside `scratch`.

    `MissingToolError` if there is no ``quarto``. `PublicationError` if it fails, warns of something that makes the
    document wrong, leaves no file, or would take a project's file for its own that lies above the scratch folder.
    """
    program = needed_quarto()
    folder = scratch / "quarto"
    folder.mkdir()
    _refuse_project_above(folder)
    write_input(document, formats, folder)
    if "pdf" in formats:  # which figures are smaller is found out by printing, and is the same for both publishers
        printed = scratch / "printed"
        printed.mkdir()
        publish_embedded(document, ("pdf",), printed, timeout, memory_gb)
        shutil.copyfile(printed / "embedded" / FITS, folder / FITS)
    environment = _environment(folder)
    done = run_child(command(program, formats), folder=folder, timeout=timeout, env=environment, memory_gb=memory_gb)
    _raise_for(done)
    made = {name: folder / f"report.{name}" for name in formats}
    for file in made.values():
        if not file.is_file() or file.stat().st_size == 0:
            msg = f"quarto: ended without an error but left no {file.name}"
            raise PublicationError(msg)
    if "pdf" in made and document.pdf_standard != "none":
        _check_standard(made["pdf"])
    if "html" in made:
        page = made["html"]
        page.write_text(finished(embedded(cleaned(page.read_text(encoding="utf-8")), folder)), encoding="utf-8")
        check_self_contained(page)
    return made


def _check_standard(file: Path) -> None:
    """Ask the finished PDF whether it is PDF/UA-1: Quarto passes over a standard that it does not know."""
    try:
        with pikepdf.open(file) as pdf, pdf.open_metadata() as said:
            part = str(said.get("pdfuaid:part", ""))
    except pikepdf.PdfError:
        return  # the audit of finished files says so
    if part != "1":
        msg = f"quarto: {file.name} is no PDF/UA-1; see 'evalkit doctor', or use --publisher embedded"
        raise PublicationError(msg)


def command(program: Path, formats: tuple[str, ...]) -> list[str]:
    """Return Quarto's command line."""
    to = ",".join("typst" if name == "pdf" else name for name in formats)
    return [str(program), "render", "report.ipynb", "--to", to, "--no-execute"]


def _environment(folder: Path) -> dict[str, str]:
    """Plain text on stderr, its own files in the scratch folder, none of the caller's settings, the report's fonts."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    theirs = {
        name: value
        for name, value in os.environ.items()
        if name in _PLACES or not name.startswith(("QUARTO_", "TYPST_"))
    }
    ours = {**dict.fromkeys(_HERE, str(home)), "NO_COLOR": "1", "TYPST_IGNORE_SYSTEM_FONTS": "true"}
    return {"PATH": os.defpath, **theirs, **ours}


def _refuse_project_above(folder: Path) -> None:
    """Quarto would take its settings from a project in any folder above; on a shared machine anybody's."""
    for above in folder.resolve().parents:
        for name in ("_quarto.yml", "_quarto.yaml"):
            if (above / name).is_file():
                msg = f"quarto: {above / name} would change the report; remove it, or set TMPDIR to another folder"
                raise PublicationError(msg)


def write_input(document: Document, formats: tuple[str, ...], folder: Path) -> Path:
    """Write ``report.ipynb`` and the shared template, filter and style sheet for Quarto: the embedded publisher's text.

    `folder` is fresh; the notebook is returned.
    """
    for name in (*_PARTIALS, _PAGE, "evalkit.lua"):
        shutil.copyfile(resources() / name, folder / name)
    write_style(folder)
    if "pdf" in formats:
        font_folder(folder)
        (folder / ATTACHMENT).write_bytes(document.attachment)
    if document.bibliography:
        (folder / BIBLIOGRAPHY).write_bytes(document.bibliography)
    front = yaml.safe_dump(front_matter(document, formats), sort_keys=False, allow_unicode=True)
    cells = [new_raw_cell(f"---\n{front}---"), *map(new_markdown_cell, markdown_parts(document, folder))]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:03d}"  # nbformat's own ids are random
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    file = folder / "report.ipynb"
    nbformat.write(notebook, file)
    return file


def front_matter(document: Document, formats: tuple[str, ...]) -> dict[str, Any]:
    """Return the YAML that leads the notebook."""
    per_format: dict[str, Any] = {}
    if "pdf" in formats:
        per_format["typst"] = {
            "template-partials": list(_PARTIALS),
            "font-paths": ["fonts"],
            "toc": False,  # the template draws its own
            "shift-heading-level-by": 0,
            **({"pdf-standard": document.pdf_standard} if document.pdf_standard != "none" else {}),
        }
    if "html" in formats:
        per_format["html"] = {
            "embed-resources": True,
            "minimal": True,  # no scripts or styles of Quarto's own
            "theme": "none",
            "css": "report.css",
            "template": _PAGE,
            "toc": True,
            "toc-depth": 3,
            "shift-heading-level-by": 1,
            "section-divs": True,
            "html-math-method": "plain",
            "code-copy": False,
            "anchor-sections": False,
        }
    return {
        # Printed by none of our templates. Without it Quarto takes a notebook's first heading away, to be the title.
        "title": document.title,
        "lang": document.locale,
        "date": document.cut_date.isoformat(),
        "from": DIALECT,
        "execute": {"enabled": False, "echo": False},
        # Before Quarto reads anything: figures and tables are those of the embedded publisher, and each table that it
        # reads itself costs a process.
        "filters": [{"at": "pre-ast", "path": "evalkit.lua"}],
        "html-table-processing": "none",
        **({"bibliography": BIBLIOGRAPHY, "citeproc": True} if document.bibliography else {}),
        **metadata(document),
        "format": per_format,
    }


def cleaned(page: str) -> str:
    """Take out of Quarto's page what ours does not have: scripts, and alternative texts of what is no picture.

    Its encoding is named first: a browser looks for it in the first 1024 bytes only.

    >>> cleaned('<head><script>1</script><meta charset="utf-8"></head><div id="fig-a" alt="x"></div>')
    '<head><meta charset="utf-8"></head><div id="fig-a"></div>'
    """
    without = _PICTURELESS.sub(r"\1", strip_scripts(page))
    return _HEAD.sub(rf"\1{_CHARSET}", without.replace(_CHARSET, "", 1), count=1)


def _raise_for(done: Finished) -> None:
    """Read exit code and stderr; the file that may lie there from before says nothing."""
    said = _ANSI.sub("", done.err)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if done.code != 0:
        errors = [found["why"] for line in lines if (found := _FAILED.match(line)) and found["why"]]
        reason = errors[0] if errors else (lines or [f"exit code {done.code}"])[-1]  # it begins with its own settings
        msg = f"quarto: {reason}"
        raise PublicationError(msg)
    for line in lines:
        for pattern in _SILENT_FAILURES:
            match = pattern.search(line)
            if match:
                msg = f"quarto: {match.group(0).strip()}"
                raise PublicationError(msg)


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

    return {"pandoc": str(pypandoc.get_pandoc_version()), "typst": importlib.metadata.version("typst")}


def _package(name: str, purpose: str) -> Tool:
    try:
        return Tool(name, importlib.metadata.version(name), needed=True, remark=purpose)
    except importlib.metadata.PackageNotFoundError:
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
    except (OSError, ImportError, importlib.metadata.PackageNotFoundError):
        tools.append(Tool("pandoc", "", needed=True, remark="missing: run 'make install'"))
    tools.append(_package("typst", "embedded publisher's PDF compiler"))
    tools.append(_quarto())
    return tools
