"""A draft's kernel: kept alive from one edit to the next; only cells that an edit touches run again (ADR 26)."""

from __future__ import annotations

__all__ = ["Session"]

import copy
import functools
import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import papermill.parameterize
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

from evalkit.cells import options_of
from evalkit.publish.rendering._execute import (
    DraftClient,
    IpcKernelManager,
    Limits,
    Run,
    before_injected,
    end_kernel,
    explained,
    kernel_environment,
)
from evalkit.publish.rendering._machine import SOCKETS, scratch_folder, socket_parent

_LOOKS = 0.2  # seconds between looks at the kernel's memory and the clock
_MEMORY = (
    "__import__('evalkit.cells._memory', fromlist=['the_memory']).the_memory(get_ipython().user_ns)"  # leaves no name
)
# What every report loads: while the study's tables are looked at, the kernel does this.
_WARM = "__import__('evalkit.report'); __import__('evalkit.analyses'); __import__('matplotlib.pyplot')"


class _FreshKernelNeeded(Exception):  # noqa: N818 - no error, but an answer
    """The memory says that this kernel cannot run what an edit asks for."""


@dataclass
class Session:
    """One kernel, and the outputs of the cells that it ran."""

    name: str  # of the draft, for messages
    scratch: Path  # the kernel's working folder
    source_folder: Path  # of the notebook; importable from it
    log_file: Path  # written when a cell fails
    variables: Mapping[str, str]  # environment of the kernel beside the usual one
    _outputs: dict[str, list[Any]] = field(default_factory=dict, init=False, repr=False)
    _client: Any = field(default=None, init=False, repr=False)
    _sockets: ExitStack = field(default_factory=ExitStack, init=False, repr=False)
    _run: Run = field(default_factory=Run, init=False, repr=False)
    _limits: Limits = field(default=Limits(seconds=math.inf), init=False, repr=False)  # of the pass

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start a kernel, and let it load what every report needs."""
        self.close()
        sockets = self._sockets.enter_context(scratch_folder(socket_parent(), SOCKETS))
        manager = IpcKernelManager(kernel_name="python3", connection_file=str(sockets / "kernel.json"))
        client: Any = DraftClient(new_notebook(cells=[new_code_cell()]), km=manager, timeout=None, startup_timeout=60)
        self._run = Run(manager=manager)
        client.owns_km = True
        client.on_output = self._put_out
        environment = {**kernel_environment(self.scratch, self.source_folder), **self.variables}
        client.reset_execution_trackers()
        client.start_new_kernel(env=environment, cwd=str(self.scratch))
        client.start_new_kernel_client()
        client.kc.execute(_WARM, silent=True)  # nobody waits for it here
        self._client = client

    def close(self) -> None:
        """End the kernel."""
        end_kernel(self._run.manager)
        if self._client is not None:
            self._client.kc.stop_channels()
            self._client = None
        if self._run.manager is not None:  # what is left of it: sockets, and the process to be waited for
            run_sync(self._run.manager.shutdown_kernel)(now=True)
            self._run.manager = None
        self._sockets.close()

    def run(
        self,
        notebook: Any,  # noqa: ANN401 - nbformat has no types
        parameters: Mapping[str, Any],
        *,
        limits: Limits,
        variables: Mapping[str, str],
        scrub: Callable[[str], str],
        on_cell: Callable[[int, int], None],
        on_outputs: Callable[[Any], object] = lambda _: None,
    ) -> Any:  # noqa: ANN401
        """Run what is not known of a notebook (not changed) yet, and return it with all outputs.

        `limits` are of this pass; `variables` are put into the kernel's environment before its first cell. `on_cell` is
        called with (cells begun, cells in all) before each cell that runs, `on_outputs` with the outputs of each cell
        that ran. `ExecutionError` as of a render.
        """
        given = copy.deepcopy(notebook)
        for cell in given.cells:
            cell.metadata.setdefault("tags", [])
        given.metadata.setdefault("papermill", {})
        given = papermill.parameterize.parameterize_notebook(
            given, dict(parameters), kernel_name="python3", language="python"
        )
        extra = before_injected(notebook)
        self._limits, self._run.output = limits, 0
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(limits, over), daemon=True)
        watcher.start()
        try:
            # Once: what a fresh kernel cannot run, another one cannot either.
            for attempt in (1, 2):
                try:
                    if self._client is None:
                        self.start()
                    began = functools.partial(self._began, extra=extra, total=len(notebook.cells), on_cell=on_cell)
                    self._pass(given, variables, began, on_outputs)
                    break
                except _FreshKernelNeeded:
                    if attempt == 2:
                        raise
                    self.close()
        except (PapermillExecutionError, DeadKernelError) as failure:
            self._run.failure = failure
            if isinstance(failure, DeadKernelError):
                self.close()
            late = limits.seconds if self._run.over == "late" else None
            self._run.over = "" if late else self._run.over
            raise explained(self._run, notebook, self.name, self.log_file, late, scrub, lines=True) from None
        finally:
            over.set()
            watcher.join()
        return given

    def _began(self, index: int, extra: int, total: int, on_cell: Callable[[int, int], None]) -> None:
        self._run.cell = index - (1 if index > extra else 0)
        if index != extra + 1:
            on_cell(self._run.cell, total)

    def _watch(self, limits: Limits, over: threading.Event) -> None:
        """End the kernel where it passes a limit."""
        deadline = time.monotonic() + limits.seconds
        self._run.over = ""
        while not over.wait(_LOOKS):
            passed = "late" if time.monotonic() > deadline else limits.passed(self._run)
            if passed:
                self._run.over = passed
                end_kernel(self._run.manager)
                return

    def _pass(
        self,
        given: Any,  # noqa: ANN401
        variables: Mapping[str, str],
        began: Callable[[int], None],
        on_outputs: Callable[[Any], object],
    ) -> None:
        code = [(i, cell) for i, cell in enumerate(given.cells) if cell.cell_type == "code"]
        sources = [options_of(cell.source, i)[1] for i, cell in code]
        keys: list[str] = []
        says = self._ask(f"begin({json.dumps(sources)!r}, {json.dumps(dict(variables))!r})")
        while True:
            if "restart" in says:
                raise _FreshKernelNeeded
            keys += says["reused"]
            if says["run"] is None:
                break
            index, cell = code[says["run"]]
            began(index)
            self._execute(index, cell)
            keys.append(says["key"])
            self._outputs[says["key"]] = copy.deepcopy(cell.outputs)
            on_outputs(self._outputs[says["key"]])
            says = self._ask("done()")
        for (_, cell), key in zip(code, keys, strict=True):
            cell.outputs = copy.deepcopy(self._outputs[key])
        # What is no cell of the notebook any more is forgotten: a day of edits would fill the memory.
        self._outputs = {key: self._outputs[key] for key in keys}

    def _execute(self, index: int, cell: Any) -> None:  # noqa: ANN401
        try:
            self._client.execute_cell(cell, 0)
        except CellExecutionError as error:
            self._ask("failed()")
            lines = str(error.traceback).splitlines()
            raise PapermillExecutionError(index, 0, cell.source, error.ename, error.evalue, lines) from None
        if over := self._limits.passed(self._run):  # a short cell ends between two looks
            self._run.over = over
            raise DeadKernelError(over)

    def _put_out(self, length: int) -> bool:
        self._run.output += length
        return self._run.output <= self._limits.output_mb * 1e6

    def _ask(self, what: str) -> dict[str, Any]:
        """Ask the kernel's memory."""
        cell = new_code_cell(f"print(__import__('json').dumps({_MEMORY}.{what}))")
        # Asked aside: In, Out and their numbers stay the author's.
        self._client.execute_cell(cell, 0, store_history=False)
        said = "".join(
            output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"
        )
        answer: dict[str, Any] = json.loads(said)
        return answer
