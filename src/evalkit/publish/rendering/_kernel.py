"""The kernel a report runs in: this Python, over IPC sockets in the render's own folder, in its own process group.

TCP ports collide when renders run side by side and are open to every user of the machine; IPC sockets in a private
folder are neither. The kernel specification is made here, so that a user's own ``python3`` kernel, which may be
another Python altogether, is never picked up by accident.
"""

from __future__ import annotations

__all__ = ["LOADED", "MODULES", "DraftClient", "IpcKernelManager", "ReportClient", "ReportEngine"]

import os
import sys
from collections.abc import Callable, Mapping
from subprocess import DEVNULL
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from traitlets import Type, default

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
