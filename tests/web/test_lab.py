"""JupyterLab, as a researcher sees it: the study's notebooks, all cells run, what is wrong said below its cell, a plot."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from urllib.request import urlopen

import nbformat
import pytest

from evalkit.examples import Starter, starter_files, write_new
from evalkit.simulate import simulate
from web.browser import CHROMIUM, FOLDER, NODE, needs_browser

pytestmark = [*needs_browser, pytest.mark.slow]

PROSE = """## A part {#sec-part}

See @fig-areas and [@austin], or write to a@b.org. [Only so.]{.content-visible when-meta="ek-mandate"}

::: note
In a **box**.
:::
"""
OLD = "from evalkit.survival import kaplan_meier"
UNLABELLED = 'report.show(analyses.reach(cohort, "site"))'
WRONG = 'report.show(analyses.reach(cohort, "site"), "tabel")'


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Write a study of few people, whose quarterly notebook has cells at its end that publishing would refuse."""
    place = tmp_path / "study"
    tables = {
        f"data/{n}": content
        for n, content in simulate("benefit", seed=7, n_focus=250, n_comparison=250).files().items()
    }
    names = ("participants", "sessions", "exits", "outcomes", "measures", "searches")
    starter = Starter(
        "small", "A small study", date(2021, 11, 18), tables={n: f"../data/{n}.csv" for n in names}, demo=True
    )
    write_new(place, {**starter_files(starter), **tables}, ())
    file = place / "notebooks" / "quarterly.ipynb"
    notebook = nbformat.read(file, as_version=4)
    code, markdown = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    notebook.cells += [markdown(PROSE), code(OLD), code(UNLABELLED), code(WRONG)]
    nbformat.write(notebook, file)
    return place


def test_a_notebook_is_opened_run_and_warned_of(study: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Nothing of the user's own JupyterLab: its settings, its open tabs, its kernels.
    surroundings = {**os.environ, "HOME": str(tmp_path), "JUPYTER_TOKEN": secrets.token_hex(16)}
    own = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--allow-root", "--no-browser"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "evalkit", "lab", "quarterly", *own],
            cwd=study, env=surroundings, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api", server)
        page = f"{address}/lab/tree/notebooks/quarterly.ipynb?token={surroundings['JUPYTER_TOKEN']}"
        done = subprocess.run(
            [str(NODE), str(FOLDER / "lab.mjs"), str(CHROMIUM), page, str(tmp_path / "lab.png")],
            capture_output=True, text=True, timeout=550, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    seen = json.loads(done.stdout)
    assert seen["elsewhere"] == []  # no network is asked
    assert {"quarterly.ipynb", "final.ipynb", "brief.ipynb"} <= set(seen["folder"])
    assert seen["drawn"] > 100
    said = "\n".join(seen["warnings"])
    assert "evalkit.survival is evalkit.stats now; the old name goes" in said
    assert said.count("evalkit: this cell: the figure or table has no label; add '#| label: fig-name'") == 2
    assert "evalkit: this cell, line 1: there is no shape 'tabel': auto, figure, table; did you mean 'table'?" in said
    assert "report.show: there is no shape 'tabel'; there are: auto, figure, table; did you mean 'table'?" in said
    shown = [" ".join(text.split()) for text in seen["prose"]]
    assert "A part See fig-areas and austin, or write to a@b.org. Only so. note In a box." in shown
    cells = nbformat.read(study / "notebooks" / "quarterly.ipynb", as_version=4).cells
    failed = [c.source for c in cells for o in c.get("outputs", ()) if o.output_type == "error"]
    assert failed == [WRONG]
    warned = [c.source for c in cells for o in c.get("outputs", ()) if o.get("name") == "stderr"]
    assert set(warned) == {OLD, UNLABELLED, WRONG}  # of a notebook as it comes, nothing is said


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        assert server.poll() is None
        with suppress(OSError), urlopen(address, timeout=5):  # noqa: S310 - this machine's own
            return
        time.sleep(0.5)
    raise AssertionError(address)
