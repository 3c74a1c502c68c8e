"""What one render is asked to do, what is found out about it before a kernel starts, and what it tells of itself.

It tells by a bar on a terminal, by plain lines in automation; and at its end what became of it.
"""

from __future__ import annotations

__all__ = [
    "WAITING",
    "Keyer",
    "LineProgress",
    "Outcome",
    "Progress",
    "Recorded",
    "RenderJob",
    "Status",
    "find_notebook",
    "language_in",
    "notebook_words",
    "parameters_of",
    "progress_for",
    "read_notebook",
    "release_folder",
]

import contextlib
import json
import logging
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO

import nbformat

from evalkit.errors import ProtocolError, ReleaseError
from evalkit.excuses import Passed
from evalkit.periods import Period
from evalkit.protocol import ReportParams, Study, study_secret
from evalkit.publish.rendering._notebook import declared, read_words, validated

_WITH_IDS = (4, 5)  # the format from which on cells have ids


def release_folder(out: Path, study: str, report: str, period: str) -> Path:
    """Return where a release goes; `ReleaseError` if a name could lead out of the reports folder.

    >>> release_folder(Path("reports"), "demo", "quarterly", "2022Q3").as_posix()
    'reports/demo/quarterly/2022Q3'
    """
    for name in (study, report, period):
        # No slash and no leading point: nothing leads out of the folder, and staging folders alone are hidden.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            msg = f"'{name}' cannot be a folder's name; use letters, digits, '-', '_' and '.'"
            raise ReleaseError(msg)
    return out / study / report / period


def _no_tables() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class RenderJob:
    """Everything one render needs.

    Attributes
    ----------
    study : Study
        With the file it was read from.
    params : ReportParams
        The report, with command-line choices already in it.
    params_file : str
        For messages.
    period : Period
    notebook : pathlib.Path
    out : pathlib.Path
        The reports folder.
    log_folder : pathlib.Path
        Where a failed render leaves its log.
    overrides : mapping of str
        Raw ``-P`` values.
    tables : callable
        Returns the digest of each raw table as it is now. They go into the manifest.
    known : callable
        Returns the digest of what each table held up to the data cut, as it is now; empty where it is not asked for.
    supersede : str
        Why a release that is there is superseded; empty: it is not.
    force : bool
        Whether to render although nothing changed.
    identifiers : frozenset of str
        Of all participants: the audit looks for them in what would be published.
    secrets : frozenset of str
        Passwords and addresses of databases; looked for, too.
    secret : Keyer or None
        Keys the digests of what is not published; None: the study's own, which is made when there is none.
    new_ledger : str
        Why another ledger is begun for the study; empty: there is one at most.
    passed : Passed
        What the tables were let through with.
    newest_days : mapping of str
        Newest day of each table, as ISO text or None; private.
    verbose : bool
        Whether an error in a cell names its line.
    """

    study: Study
    params: ReportParams
    params_file: str
    period: Period
    notebook: Path
    out: Path
    log_folder: Path
    overrides: Mapping[str, str] = field(default_factory=dict)
    tables: Callable[[], Mapping[str, str]] = _no_tables
    known: Callable[[], Mapping[str, str]] = _no_tables
    supersede: str = ""
    force: bool = False
    identifiers: frozenset[str] = field(default=frozenset(), repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    secret: Keyer | None = field(default=None, repr=False)
    new_ledger: str = ""
    passed: Passed = field(default_factory=Passed)
    newest_days: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    verbose: bool = False

    def keyed(self, what: str, name: str, value: str) -> str:
        """Return the keyed digest of something that is not published.

        Parameters
        ----------
        what : {"table", "known"}
        name : str
            Of the table.
        value : str

        Returns
        -------
        str
        """
        return (self.secret or study_secret(self.study)).keyed(what, self.period.name, name, value)

    @property
    def name(self) -> str:
        """How messages name this render."""
        return f"{self.params.report} {self.period.name}"

    @property
    def beside(self) -> bool:
        """Whether its releases lie beside the report's own, under a name after a point: a site's, say (ADR 29)."""
        return "." in self.params.report

    @property
    def target(self) -> Path:
        """The release folder."""
        period = self.period.name.replace("..", "_to_")
        return release_folder(self.out, self.study.id, self.params.report, period)


def find_notebook(name: str, study: Study) -> Path:
    """Find a report's notebook.

    Parameters
    ----------
    name : str
        File name from the report's parameters.
    study : Study

    Returns
    -------
    pathlib.Path
        The first of: ``notebooks/`` in the working folder, beside or above the protocol, and the ones evalkit ships.

    Raises
    ------
    ProtocolError
        If there is none.
    """
    if Path(name).name != name or not name.endswith(".ipynb"):
        msg = f"notebook '{name}': give the bare name of an .ipynb file in a notebooks folder"
        raise ProtocolError(msg)
    places = _notebook_folders(study)
    for place in places:
        if (place / name).is_file():
            return (place / name).resolve()
    msg = f"notebook '{name}' is in none of: {', '.join(map(str, places[:3]))}"
    raise ProtocolError(msg)


def _notebook_folders(study: Study) -> list[Path]:
    checkout = Path(__file__).resolve().parents[3]
    shipped = Path(str(files("evalkit"))) / "_templates"
    return [place / "notebooks" for place in (Path.cwd(), study.folder, study.folder.parent, checkout, shipped)]


def notebook_words(study: Study, language: str) -> dict[str, str]:
    """Return what the study's notebooks say in another language: paragraphs, headings and captions.

    Parameters
    ----------
    study : Study
    language : str

    Returns
    -------
    dict of str to str
        As it stands in a notebook: the same in the language. Of two that differ, where `find_notebook` looks first.

    Raises
    ------
    ProtocolError
        If a catalogue cannot be read.
    """
    found: dict[str, str] = {}
    for folder in _notebook_folders(study):
        for file in sorted(folder.glob(f"*.{language}.po")):
            # What stands there already goes before: its folder is looked at first for the notebook, too.
            found = {**read_words(file, language), **found}
    return found


def read_notebook(file: Path) -> Any:  # noqa: ANN401 - nbformat has no types
    """Read a notebook; `ProtocolError` if it is none."""
    try:
        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")  # what is missing in an older notebook is put in here
            # An editor may have put a byte order mark first (utf-8-sig): JSON would refuse the file.
            notebook = nbformat.reads(_with_ids(file.read_text(encoding="utf-8-sig")), as_version=4)
            nbformat.validate(notebook)
    # What a damaged file makes nbformat raise is whatever its own code stumbles over.
    except (OSError, ValueError, AttributeError, TypeError, KeyError, nbformat.ValidationError):
        msg = f"{file}: is not a readable notebook; open it in JupyterLab and save it"
        raise ProtocolError(msg) from None
    return notebook


def _with_ids(text: str) -> str:
    """Give each cell of an older notebook an id of its own: the same in every run, where libraries draw one by lot."""
    content = json.loads(text)
    if content["nbformat"] != _WITH_IDS[0]:
        return text
    content["nbformat_minor"] = max(content["nbformat_minor"], _WITH_IDS[1])
    seen: set[str] = set()
    for number, cell in enumerate(content["cells"]):
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(cell.get("id", ""))) or cell["id"] in seen:
            cell["id"] = f"cell-{number}-without-id"
        seen.add(cell["id"])
    return json.dumps(content)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep nbformat from logging what is wrong with a notebook: it is said in one line."""
    logger = logging.getLogger("traitlets")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def parameters_of(job: RenderJob, notebook: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the values for the parameters cell: those given, the study's file and the period.

    `ProtocolError` if the notebook has not one such cell, or a name or value does not fit it.
    """
    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        msg = f"{job.notebook.name}: has {len(cells)} cells tagged 'parameters'; it needs exactly one"
        raise ProtocolError(msg)
    schema = declared(cells[0].source, job.notebook.name)
    values = validated(schema, job.params.parameters, job.overrides, job.params_file)
    return {**values, "study": str(job.study.path), "period": job.period.name}


def language_in(job: RenderJob, parameters: Mapping[str, Any]) -> str:
    """Return the language a report is in: its parameter ``language`` (from `parameters_of`), or the protocol's own."""
    return str(parameters.get("language") or job.study.locale.partition("-")[0])


class Keyer(Protocol):
    """What gives keyed digests."""

    @property
    def id(self) -> str:
        """Name of the secret, which tells nothing of it."""
        ...

    def keyed(self, *parts: str) -> str:
        """Return the keyed digest of some texts."""
        ...


@dataclass(frozen=True)
class Recorded:
    """Stands where the secret is not: gives back what a manifest says, so that everything else can be checked."""

    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Name of the secret that the release was made with."""
        return str(self.manifest.get("secret", ""))

    def keyed(self, *parts: str) -> str:
        """Return what the manifest says of a table (see `Secret.keyed`); empty where it says nothing."""
        # As `RenderJob.keyed` orders them: what, period, name, value.
        what, name = parts[0], parts[2]
        if what == "table":
            return str(dict(self.manifest["inputs"].get(f"table {name}", {})).get("hmac_sha256", ""))
        if what == "known":
            return str(self.manifest.get("known", {}).get(name, ""))
        return ""


Status = Literal["published", "up_to_date", "waiting_for_approval", "would_render", "stopped"]

WAITING = 13
"""Exit code where a release waits for somebody's approval: nothing failed, and nothing new is public."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one render that did not fail.

    Attributes
    ----------
    status : {"published", "up_to_date", "waiting_for_approval", "would_render", "stopped"}
        The last two only of a render that was not tried.
    place : pathlib.Path
        The release folder, or the private one in which it waits.
    remark : str
        One clause; empty where there is nothing to say.
    """

    status: Status
    place: Path
    remark: str = ""


class Progress(Protocol):
    """What a render tells while it works."""

    def cell(self, name: str, done: int, total: int) -> None:
        """Say that a cell begins."""
        ...

    def step(self, name: str, text: str) -> None:
        """Say what is done now."""
        ...


class LineProgress:
    """Plain lines with the seconds since the start.

    Parameters
    ----------
    stream : text stream, optional
        stderr when not given.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._start = time.monotonic()

    def cell(self, name: str, done: int, total: int) -> None:
        """Say that a cell begins.

        Parameters
        ----------
        name : str
            The render.
        done, total : int
            Cells begun before it, cells in all.
        """
        self.step(name, f"cell {done + 1} of {total}")

    def step(self, name: str, text: str) -> None:
        """Say what is done now.

        Parameters
        ----------
        name : str
            The render.
        text : str
        """
        with contextlib.suppress(OSError):  # a render does not end because nobody listens any more
            self._stream.write(f"[{time.monotonic() - self._start:6.1f} s] {name}: {text}\n")
            self._stream.flush()


class _BarProgress:
    """A rich progress bar."""

    def __init__(self, bars: object) -> None:
        self._bars = bars
        self._tasks: dict[str, object] = {}

    def _task(self, name: str) -> object:
        if name not in self._tasks:
            # How many cells there are is known only when the first one begins.
            self._tasks[name] = self._bars.add_task(name, total=None)  # type: ignore[attr-defined]
        return self._tasks[name]

    def cell(self, name: str, done: int, total: int) -> None:
        self._bars.update(  # type: ignore[attr-defined]
            self._task(name), completed=done, total=total, description=f"{name}: cell {done + 1} of {total}"
        )

    def step(self, name: str, text: str) -> None:
        self._bars.update(self._task(name), description=f"{name}: {text}")  # type: ignore[attr-defined]


@contextlib.contextmanager
def progress_for(stream: TextIO | None = None) -> Iterator[Progress]:
    """Give the progress that suits where the output goes.

    Parameters
    ----------
    stream : text stream, optional
        stderr when not given.

    Yields
    ------
    Progress
        Bars on a terminal, lines elsewhere.
    """
    target = stream or sys.stderr
    if not target.isatty():
        yield LineProgress(target)
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(file=target), transient=True) as bars:
        yield _BarProgress(bars)
