"""Running a notebook with papermill: one scratch folder, one kernel, one deadline, no process left behind.

The kernel is this Python, over IPC sockets in the render's own folder, in its own process group. TCP ports collide when
renders run side by side and are open to every user of the machine; IPC sockets in a private folder are neither. The
kernel specification is made here, so that a user's own ``python3`` kernel, which may be another Python altogether, is
never picked up by accident.

What goes wrong is said without data. An exception that Python or a library raises may quote the data it choked on.
Whatever the author of the notebook typed is no participant's value; so quoted words are kept when they stand in the
notebook's own source (or are plain Python words), and are replaced by an ellipsis when they do not. A number may have
been counted, and small ones stand in every notebook somewhere: none is kept.
"""

from __future__ import annotations

__all__ = [
    "LOADED",
    "MODULES",
    "DraftClient",
    "IpcKernelManager",
    "Limits",
    "ReportClient",
    "ReportEngine",
    "Run",
    "before_injected",
    "end_kernel",
    "execute",
    "explained",
    "kernel_environment",
    "redact",
]

import builtins
import contextlib
import errno
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import nbformat
import papermill
import psutil
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from traitlets import Type, default

from evalkit import errors
from evalkit.errors import DisclosureError, ExecutionError, ExecutionTimeoutError
from evalkit.publish.rendering._machine import ENVIRONMENT as SCRATCH
from evalkit.publish.rendering._machine import SOCKETS, memory_of, scratch_folder, socket_parent
from evalkit.seal import DRAFTED

LOADED = "EVALKIT_LOADED"
"""Names the file into which the kernel writes, after each cell, which modules it has loaded."""

MODULES = "modules.txt"
"""That file's name, in the render's scratch folder."""

_NOTE_LOADED = (
    "get_ipython().events.register('post_run_cell', lambda *_: __import__('pathlib').Path(__import__('os').environ"
    f"['{LOADED}']).write_text('\\n'.join(__import__('sys').modules)))"
)  # one expression: it leaves no name in the notebook
# Looking through a million objects of libraries for rubbish, again and again, took a kernel a twentieth of its time.
_SELDOM = "__import__('gc').set_threshold(50_000, 20, 20)"


class IpcKernelManager(AsyncKernelManager):
    """Starts this Python's ipykernel over IPC."""

    @default("transport")
    def _ipc(self) -> str:
        return "ipc"

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel: the Python that runs evalkit, without the user's start-up files' surprises."""
        return KernelSpec(
            argv=[
                sys.executable,
                # Else the kernel's debugger warns of frozen modules, each time.
                "-Xfrozen_modules=off",
                "-m",
                "ipykernel_launcher",
                "-f",
                "{connection_file}",
                f"--IPKernelApp.exec_lines={_SELDOM}",
                f"--IPKernelApp.exec_lines={_NOTE_LOADED}",
                "--log-level=CRITICAL",  # an interrupt that meets the end of a kernel is no news
            ],
            display_name="evalkit",
            language="python",
        )


class _Weighed(NotebookClient):
    """A client with our kernel manager; it tells how much a cell puts out, and can let it go."""

    kernel_manager_class = Type(klass=IpcKernelManager, default_value=IpcKernelManager)
    on_output: Callable[[int], bool] = staticmethod(lambda _: True)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:  # noqa: ANN401
        """Take one message of the kernel, unless it has put out more than it may."""
        content = msg.get("content", {})
        data = content.get("data", {})
        texts = [content.get("text", ""), *(data.values() if isinstance(data, dict) else ())]
        if not self.on_output(sum(len(text) for text in texts if isinstance(text, str))):
            return None
        return super().process_message(msg, cell, cell_index)


class ReportClient(_Weighed, PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client, as a render uses it."""


class DraftClient(_Weighed):
    """nbclient's own, whose kernel lives from one edit to the next."""


class ReportEngine(NBClientEngine):  # type: ignore[misc]
    """papermill's engine: tells of each cell, and of the kernel manager so that it can be stopped."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,  # noqa: ANN401 - papermill's NotebookExecutionManager
        kernel_name: str,
        *,
        on_cell: Callable[[int, int], None],
        on_manager: Callable[[AsyncKernelManager], None],
        on_output: Callable[[int], bool],
        connection_file: str,
        env: Mapping[str, str],
        folder: str,
        start_timeout: int = 60,
        **_: object,
    ) -> Any:  # noqa: ANN401
        """Run the notebook; ``on_cell(done, total)`` before each cell, ``on_manager`` once.

        `kernel_name` is ignored: the kernel is always this Python. `on_output` is called with the length of each
        output; false lets it go. `connection_file` and the sockets beside it want a short path in a private folder;
        `env` and `folder` are the kernel's; it may take `start_timeout` seconds to start.
        """
        total = len(nb_man.nb.cells)
        started = nb_man.cell_start

        def cell_start(cell: Any, cell_index: int | None = None, **more: object) -> Any:  # noqa: ANN401
            on_cell(cell_index or 0, total)
            return started(cell, cell_index, **more)

        nb_man.cell_start = cell_start
        manager = IpcKernelManager(kernel_name=kernel_name, connection_file=connection_file)
        on_manager(manager)
        # No limit for one cell: the deadline is of the whole run, and kept by the thread that waits.
        client = ReportClient(nb_man, km=manager, kernel_name=kernel_name, timeout=None, startup_timeout=start_timeout)
        # A client that is given a manager leaves its kernel alone; this one is to end it.
        client.owns_km = True
        client.on_output = on_output
        # What a kernel itself says when it cannot start (a full disk, say) is a traceback, and no user's business.
        unsaid = {} if os.environ.get("EVALKIT_DEBUG") else {"stdout": DEVNULL, "stderr": DEVNULL}
        return client.execute(env=dict(env), cwd=folder, **unsaid)


papermill_engines.register("evalkit", ReportEngine)
_ROOM = 2**16  # bytes; with less left a kernel cannot write its connection file and its socket
_LOOKS = 0.5  # seconds between looks at the kernel's memory: each walks through all processes
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# What would make Python say or do more than a report's cells do, or draw elsewhere.
_NOT_THEIRS = frozenset(
    {DRAFTED, "MPLBACKEND", "PYTHONDEVMODE", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONVERBOSE", "PYTHONWARNINGS"}
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_OUR_ERRORS = frozenset(errors.__all__)
_TOKENS = re.compile(
    r"""'[^'\n]*'|"[^"\n]*"|\[[^\]\n]*\]|[A-Za-z_]*\d[\w.:-]*""",
)
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass
class Run:
    """What the waiting thread and the running thread tell one another."""

    manager: AsyncKernelManager | None = None
    cell: int = 0
    notebook: Any = None
    failure: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)
    output: int = 0
    over: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a render may use."""

    seconds: float  # for the whole run
    memory_gb: float = 8.0  # of the kernel and everything it starts
    output_mb: float = 100.0  # of all that the cells put out

    def passed(self, run: Run) -> str:
        """Say which limit a run has passed, and where to raise it; empty while there is none."""
        if run.output > self.output_mb * 1e6:
            return f"it put out more than {self.output_mb:g} MB; raise output_mb in the report's file"
        pid = getattr(getattr(run.manager, "provisioner", None), "pid", None)
        if pid is not None and memory_of(pid) > self.memory_gb * 1e9:
            return f"it used more than {self.memory_gb:g} GB of memory; raise memory_gb in the report's file"
        return ""


def execute(
    notebook: Any,  # noqa: ANN401 - nbformat.NotebookNode has no types
    parameters: Mapping[str, Any],
    *,
    name: str,
    scratch: Path,
    source_folder: Path,
    log_file: Path,
    limits: Limits,
    on_cell: Callable[[int, int], None],
    variables: Mapping[str, str] | None = None,
    scrub: Callable[[str], str] = str,
    lines: bool = False,
) -> Any:  # noqa: ANN401
    """Run a notebook (not changed) to its end, and return the executed one.

    `parameters` are validated; `scratch`, private, is the kernel's working folder; from `source_folder`, the
    notebook's, it imports; `log_file` is written when a cell fails. `on_cell` is called with (cells begun, cells in
    all), `scrub` takes out of an error's text what must not be shown of anybody, and with `lines` an error names the
    line of its cell. `ExecutionError` if a cell fails, the kernel dies or uses more than it may: report, cell number,
    last line of the error, log; `ExecutionTimeoutError` if the deadline passes.
    """
    source = scratch / "notebook.ipynb"
    nbformat.write(notebook, source)
    run = Run()
    extra = before_injected(notebook)

    def began(index: int, total: int) -> None:
        run.cell = index - (1 if index > extra else 0)
        if index != extra + 1:
            on_cell(run.cell, total - (extra < len(notebook.cells)))

    def put_out(length: int) -> bool:
        run.output += length
        return run.output <= limits.output_mb * 1e6

    def work() -> None:
        # Sockets want a short path, in a folder that only this user can open.
        with scratch_folder(socket_parent(), SOCKETS) as sockets:
            try:
                run.notebook = papermill.execute_notebook(
                    str(source),
                    str(scratch / "executed.ipynb"),
                    parameters=dict(parameters),
                    engine_name="evalkit",
                    kernel_name="python3",
                    language="python",
                    progress_bar=False,
                    request_save_on_cell_execute=False,  # twice a cell: the notebook with all its drawings, seconds
                    connection_file=str(sockets / "kernel.json"),
                    env={**kernel_environment(scratch, source_folder), **(variables or {})},
                    folder=str(scratch),
                    on_cell=began,
                    on_manager=lambda manager: setattr(run, "manager", manager),
                    on_output=put_out,
                )
            except BaseException as error:  # whatever it is: what ends this thread is told the one that waits
                run.failure = error
        ensure_event_loop().close()  # this thread's own, made by nbclient
        run.done.set()

    thread = threading.Thread(target=work, name=f"render-{name}", daemon=True)
    in_time = _run_until(thread, run, limits)
    if run.notebook is None or run.failure is not None or run.over:
        raise explained(
            run, notebook, name, log_file, None if in_time else limits.seconds, scrub, lines=lines
        ) from None
    return run.notebook


def before_injected(notebook: Any) -> int:  # noqa: ANN401
    """Return the place of the parameters cell: papermill puts one of its own after it, and people count theirs.

    How many cells there are, where none is tagged.
    """
    tagged = [i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", [])]
    return tagged[0] if tagged else len(notebook.cells)


def _run_until(thread: threading.Thread, run: Run, limits: Limits) -> bool:
    """Wait for the run and say whether it ended in time; however the wait ends, no kernel outlives it."""
    deadline = time.monotonic() + limits.seconds
    papermill_log, level = logging.getLogger("papermill"), logging.getLogger("papermill").level
    papermill_log.setLevel(logging.CRITICAL)
    thread.start()
    in_time = False
    try:
        while not (in_time := run.done.wait(_LOOKS)) and time.monotonic() < deadline and not run.over:
            run.over = limits.passed(run)
        run.over = run.over or limits.passed(run)
    finally:
        if not in_time or run.failure is not None:
            end_kernel(run.manager)
        # Its kernel is gone, so it ends; if it does not, it is a daemon and ends with the process.
        thread.join(timeout=10)
        papermill_log.setLevel(level)
    return in_time


def end_kernel(manager: AsyncKernelManager | None) -> None:
    """End the kernel and everything it started."""
    provisioner = getattr(manager, "provisioner", None)
    pid = getattr(provisioner, "pid", None)
    if pid is None:
        return
    with contextlib.suppress(psutil.Error):
        kernel = psutil.Process(pid)
        # Before the first is killed: then nobody can say any more whose children the others were.
        family = [*kernel.children(recursive=True), kernel]
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(family, timeout=5)


def kernel_environment(scratch: Path, source_folder: Path) -> dict[str, str]:
    """Environment of the kernel: the same on every machine, whoever runs it; the notebook's folder importable."""
    settings = scratch / "matplotlibrc"
    settings.touch()  # an empty one: the user's own is not read
    paths = (str(source_folder), os.environ.get("PYTHONPATH", ""))
    theirs = {name: value for name, value in os.environ.items() if name not in _NOT_THEIRS}
    return {
        **theirs,
        SCRATCH: str(scratch),
        LOADED: str(scratch / MODULES),
        "IPYTHONDIR": str(scratch / "ipython"),
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
        # Sets of texts come in the same order, so that what a notebook makes of one is the same.
        "PYTHONHASHSEED": "0",
        # An old import path works for one release: JupyterLab says where to go, and a render is not refused for it.
        "PYTHONWARNINGS": "ignore:evalkit.:DeprecationWarning",
        "MATPLOTLIBRC": str(settings),
        # No result depends on the machine (ADR 11), nor on the language that its user reads.
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "",
        **dict.fromkeys(_THREADS, "1"),  # sums in another order have other last digits
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "EVALKIT_RENDER": "1",
    }


def explained(
    run: Run,
    notebook: Any,  # noqa: ANN401
    name: str,
    log_file: Path,
    timeout: float | None,
    scrub: Callable[[str], str],
    *,
    lines: bool = False,
) -> ExecutionError | DisclosureError | OSError:
    """Turn what went wrong into one line, and write the log it names; a full disk is told where the scratch is made."""
    source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    number = run.cell + 1
    if run.over:
        return ExecutionError(f"{name}: stopped in cell {number}: {run.over}")
    if timeout is not None:
        return ExecutionTimeoutError(
            f"{name}: stopped in cell {number} after {timeout:g} seconds; raise timeout_minutes in the report's file"
        )
    failure = run.failure
    if isinstance(failure, PapermillExecutionError):
        ours = failure.ename in _OUR_ERRORS
        last = scrub(failure.evalue if ours else redact(f"{failure.ename}: {failure.evalue}", source))
        trace = "\n".join(failure.traceback)
        _write_log(log_file, scrub(redact(trace, source)))
        last = last.strip().splitlines()[-1] if last.strip() else failure.ename
        # What was to be shown may not leave: the cell did not fail.
        refused = failure.ename == DisclosureError.__name__
        kind_of = DisclosureError if refused else ExecutionError
        where = f"cell {number}{_line_of(trace) if lines else ''}"
        return kind_of(f"{name}, {where}: {last}{'' if refused else f' (log: {log_file})'}")
    if isinstance(failure, DeadKernelError):
        _write_log(log_file, "The kernel ended before the cell did. Memory may have run out.\n")
        return ExecutionError(f"{name}, cell {number}: the kernel died (log: {log_file})")
    full = isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or shutil.disk_usage(tempfile.gettempdir()).free < _ROOM:  # a kernel that could not begin does not say why
        return failure if isinstance(failure, OSError) else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    kind = type(failure).__name__
    _write_log(log_file, scrub(redact(f"{kind}: {failure}", source)))
    return ExecutionError(f"{name}, cell {number}: could not be run, {kind} (log: {log_file})")


def _line_of(trace: str) -> str:
    """Return the line of the cell at which an error came up, from IPython's traceback; empty where it does not say."""
    match = re.search(r"Cell In\s*\[\d+\], line (\d+)", _ANSI.sub("", trace))
    return f", line {match[1]}" if match else ""


def _write_log(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # A new file, with a mode of its own: one that lies there may be open to others, or be a link.
    with contextlib.suppress(FileNotFoundError):
        file.unlink()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


def redact(message: str, source: str) -> str:
    """Return a message without anything that could come from the data.

    `message` is of an exception that is not evalkit's own; words in `source`, the notebook's, are the author's, not the
    data's.

    >>> redact("name 'kohort' is not defined", "kohort.people")
    "name 'kohort' is not defined"
    >>> redact("KeyError: 'P81f2aa03'", "people.loc[first]")
    "KeyError: '…'"
    >>> redact("ValueError: only 2 of 40", "x = [1, 2]")
    'ValueError: only … of …'
    """
    words = set(_WORD.findall(source)) | set(dir(builtins))

    def keep(match: re.Match[str]) -> str:
        token = match.group()
        if token[0] in "'\"[":
            inner = token[1:-1]
            known = all(part in words for part in re.findall(r"[^\s.,()]+", inner))
            return token if known else f"{token[0]}…{token[-1]}"
        return token if token in words else "…"

    return _TOKENS.sub(keep, _ANSI.sub("", message))
