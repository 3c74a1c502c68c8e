"""Notebooks and studies small enough to render in a few seconds, and a stand-in for the Quarto program."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pikepdf
import psutil
import pypdf
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evalkit.disclosure import Policy
from evalkit.protocol import Disclosure, Study, noise_secret

REAL = shutil.which("quarto")
PARAMETERS = 'study: str = "study.yaml"\nperiod: str = "newest"\nhorizon_days: int = 364'

# Shows one figure, one table and one sentence without reading any data: publishing knows nothing of statistics.
# `door.py` lies beside the notebook: a cell itself may not reach into evalkit's private modules. It loads the one module
# that marks outputs, without what the rest of its package draws with: that takes two seconds of every kernel.
DOOR = """
import sys, types
from collections.abc import Iterator
from pathlib import Path
import evalkit
room = types.ModuleType("evalkit.report")
room.__path__ = [str(Path(evalkit.__file__).parent / "report")]
sys.modules.setdefault("evalkit.report", room)
from evalkit.report._mark import emit as put_out
from evalkit.markup import sign
__all__ = ["emit"]
def emit(shows, text, **mark):
    record(mark)
    put_out(shows, sign(text) if shows == "markdown" else text, **mark)  # what tests write is Markdown
"""
# What a report leaves in the record of the run for each estimate that it shows.
STUDY = """
id: tiny
title: A study
starts: 2000-01-01
arms: {column: pathway, focus: {value: a, label: A}, comparison: {value: b, label: B}}
tables: {participants: {path: participants.csv}}
baselines: null
"""
# The noise of a study of nobody real follows from its protocol, wherever that lies.
POLICY = Policy.of(Disclosure(), noise_secret(Study.model_validate(yaml.safe_load(STUDY)), synthetic=True))
RECORDING = f"""
import json, os
POLICY = "{POLICY.fingerprint}"
def record(mark):
    if mark.get("estimate") and os.environ.get("EVALKIT_RECORD"):
        line = dict(estimate=mark["estimate"], told=mark["estimate"], kind=mark["kind"], estimand="e", verdict=mark["verdict"], withheld=[],
                    cells=[], policy=POLICY, line=1)
        with open(os.environ["EVALKIT_RECORD"], "a") as file:
            print(json.dumps(line), file=file)
"""
SETUP = """
import pandas as pd
from door import emit
facts = dict(title="Test report", subtitle="", study="A study", organisation="A team", period="fourth quarter of 2000",
             cut="December 31, 2000", cut_date="2000-12-31", synthetic=SYNTHETIC, locale="en-US")
emit("cover", "cover", document=facts)
"""
# The noise of real people's counts follows from the study's secret.
OF_REAL_PEOPLE = """
import door
from evalkit.disclosure import Policy
from evalkit.protocol import Disclosure, load_study, noise_secret
door.POLICY = Policy.of(Disclosure(), noise_secret(load_study(study), synthetic=False)).fingerprint
"""
FIGURE = """#| label: fig-one
#| fig-cap: "One figure"
#| fig-alt: "A blue square"
svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><rect width="60" height="60" fill="blue"/></svg>'
data = pd.DataFrame({"group": ["=A", "B"], "n": [20.0, None], "estimate": [1 / 3, 0.5]})
emit("figure", svg, data=data, estimate="abc123abc123", kind="drawn", verdict="released", alt="It is blue.")"""
TABLE = """#| label: tbl-one
#| tbl-cap: "One table"
html = "<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>x</td><td>1</td></tr></tbody></table>"
emit("table", html, kind="provenance")"""
SENTENCE = 'emit("markdown", "A sentence about @fig-one and @tbl-one.", kind="groups")'

PARTICIPANTS = """participant_id,pathway,referral_date,referral_source,intake_date,site,community_area,outcome_follow_up_end
QX71,a,2000-01-03,self,2000-01-10,one,north,2000-12-31
QX72,b,2000-02-03,self,2000-02-10,one,north,2000-12-31
"""


def cells(*, synthetic: bool = True) -> list:
    """Return the cells of the notebook; tests change one of them."""
    return [
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        new_code_cell(SETUP.replace("SYNTHETIC", str(synthetic)) + ("" if synthetic else OF_REAL_PEOPLE)),
        new_markdown_cell("# A heading\n\nProse with *emphasis*."),
        new_code_cell(SENTENCE),
        new_code_cell(FIGURE),
        new_code_cell(TABLE),
    ]


def write_world(folder: Path, notebook_cells: list | None = None, *, timeout_minutes: float = 6) -> Path:
    """Write a study, a report and its notebook; return the study's file."""
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "participants.csv").write_text(PARTICIPANTS, encoding="utf-8")
    (folder / "tiny.yaml").write_text(
        "report: tiny\nnotebook: tiny.ipynb\ntitle: Test report\nperiod: 2000Q4\n"
        f"timeout_minutes: {timeout_minutes}\nparameters: {{horizon_days: 364}}\n",
        encoding="utf-8",
    )
    notebook = new_notebook(cells=cells() if notebook_cells is None else notebook_cells)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(notebook, folder / "notebooks" / "tiny.ipynb")
    (folder / "notebooks" / "door.py").write_text(RECORDING + DOOR, encoding="utf-8")
    return folder / "study.yaml"


def give_secret(folder: Path, other: Path) -> None:
    """Put a study's secret, and nothing else of its private folder, where another checkout has it."""
    (other / ".evalkit" / "tiny").mkdir(parents=True, exist_ok=True)
    for name in ("secret", "secret.id"):
        shutil.copyfile(folder / ".evalkit" / "tiny" / name, other / ".evalkit" / "tiny" / name)
        (other / ".evalkit" / "tiny" / name).chmod(0o600)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which logs and temporary files go to the test's own folder, without Quarto."""
    for name in ("state", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if not (Path(p) / "quarto").exists())
    ours = {"XDG_STATE_HOME": str(folder / "state"), "TMPDIR": str(folder / "tmp"), "PATH": path, "COLUMNS": "200"}
    return {**{k: v for k, v in os.environ.items() if not k.startswith("EVALKIT_")}, **ours, **more}


def command(folder: Path, *arguments: str) -> list[str]:
    """Return the command line that renders the test's report."""
    study = ("--study", str(folder / "study.yaml"))
    return [sys.executable, "-m", "evalkit", "render", "tiny", *study, "--out", str(folder / "reports"), *arguments]


def living(folder: Path) -> list[str]:
    """Return the command lines of living processes that mention a folder."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        said = " ".join(process.info["cmdline"] or []) + f" {process.info['cwd'] or ''}"
        if str(folder) in said and process.info["pid"] != os.getpid():
            found.append(said)
    return found


def pdf_pages(file: Path) -> list[str]:
    """Return the words of each page of a PDF."""
    return [page.extract_text() for page in pypdf.PdfReader(file).pages]


def published(folder: Path) -> list[str]:
    """Return everything under the reports folder, hidden or not; beside releases, without the word for their ledger."""
    reports = folder / "reports"
    found = sorted(str(p.relative_to(reports)) for p in reports.rglob("*") if p.is_file()) if reports.exists() else []
    return [name for name in found if name != "tiny/.ledger" or len(found) == 1]


def _empty_page(*, accessible: bool) -> bytes:
    """Return a PDF of one empty page, the same bytes each time."""
    made = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(612, 792))
        if accessible:
            with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as said:
                said["pdfuaid:part"] = "1"
        pdf.save(made, static_id=True)
    return made.getvalue()


PDF = _empty_page(accessible=True)
"""What the stand-in makes where it is asked for PDF/UA-1, and knows it."""
PLAIN_PDF = _empty_page(accessible=False)
"""What it makes elsewhere."""

# What the real program was seen to do (1.10.18 on Linux), as a program: it writes doc.typ and doc.pdf beside its
# input, says "Output created" on stderr, needs a writable HOME, keeps its input's text below TMPDIR, runs filters that
# are entered `at: pre-ast` before it reads tables, starts a helper for each table that it then has to read for a PDF, and
# fails in the recorded ways when told to. One of conda-forge finds its parts by variables only.
_QUARTO = r"""#!{python}
import base64, json, os, subprocess, sys, time
from collections.abc import Iterator
from pathlib import Path

args = sys.argv[1:]
mode = os.environ.get("STANDIN_MODE", "good")
version = os.environ.get("STANDIN_VERSION", "1.10.18")
if args == ["--version"]:
    print(version); sys.exit(0)  # answered by the launcher, whatever is wrong with the rest
def fail(text):
    sys.stderr.write(text); sys.exit(1)
if mode == "conda" and not os.environ.get("QUARTO_DENO"):
    fail("ERROR: deno: not found\n")
if args == ["check", "versions"]:
    sys.stderr.write("Quarto 1.10.18\n[>] Checking versions of quarto binary dependencies...\n      Pandoc version 3.8.3: OK\n"
        "      Dart Sass version 1.87.0: OK\n      Deno version 2.4.5: OK\n      Typst version 0.14.2: OK\n"); sys.exit(0)
record = Path(os.environ["STANDIN_RECORD"])
session = Path(os.environ.get("TMPDIR", "/tmp")) / f"quarto-session{os.getpid()}"
session.mkdir()
(session / "text.md").write_text(Path(args[1]).read_text())
def helpers():
    # One for each table that is still HTML, once the filters `at: pre-ast` are through; nothing is read where told so.
    import pypandoc, yaml
    first, *rest = json.loads(Path(args[1]).read_text())["cells"]
    front = yaml.safe_load("".join(first["source"]).strip("-\n "))
    front["format"] = None
    text = "\n\n".join("".join(cell["source"]) for cell in rest if cell["cell_type"] == "markdown")
    filters = [f"--lua-filter={each['path']}" for each in front["filters"] if isinstance(each, dict) and each["at"] == "pre-ast"]
    Path("front.yml").write_text(yaml.safe_dump(front))
    done = subprocess.run([pypandoc.get_pandoc_path(), f"--from={front['from']}", "--to=typst", *filters,
        "--metadata-file=front.yml"], input=text, capture_output=True, text=True)
    if done.returncode:
        fail(done.stderr)
    Path("front.yml").unlink()
    tables = 0
    for cell in rest:
        tables += sum("<table" in "".join(output.get("data", {}).get("text/html", "")) for output in cell.get("outputs", []))
    if not filters:
        tables += text.count("<table")
    return tables
started = helpers()
record.write_text(json.dumps(dict(args=args, cwd=os.getcwd(), home=os.environ.get("HOME"),
    no_color=os.environ.get("NO_COLOR"), helpers=started, session=str(session),
    places=dict((k, v) for k, v in os.environ.items() if k == "TMPDIR" or k.startswith("XDG_")),
    settings=dict((k, v) for k, v in os.environ.items() if k.startswith(("QUARTO_", "TYPST_"))), sid=os.getsid(0), pid=os.getpid(), beside=sorted(os.listdir(".")))))
if mode == "typst":
    fail("ERROR: error: file not found (searched at {somewhere})\n\nERROR: Typst compilation failed\n")
if mode == "yaml":
    fail("ERROR: YAMLException: bad indentation of a mapping entry (3:1)\n")
if mode == "ansi":
    fail("\x1b[91mERROR: Validation of YAML front matter failed.\x1b[39m\n")
if mode == "leftover":
    Path("report.pdf").write_bytes(b"%PDF-old"); fail("ERROR: Unknown format nosuchformat\n")
if mode == "filter":
    fail("pandoc \n  to: typst\n  output-file: report.typ\n\nError running filter evalkit.lua:\nevalkit.lua:3: nothing\n")
if mode == "hang":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.environ["STANDIN_RECORD"]])
    time.sleep(600)
source = Path(args[1])
to = args[args.index("--to") + 1].split(",")
Path("report_files").mkdir(exist_ok=True)
if mode != "nothing":
    if "typst" in to:
        knows = tuple(map(int, version.split(".")[:2])) >= (1, 9) and mode != "plain"
        asked = "pdf-standard: ua-1" in source.read_text()
        pdf = "{pdf}" if knows and asked else "{plain}"
        Path("report.typ").write_text("typ"); Path("report.pdf").write_bytes(b"%PDF-1.7 cut" if mode == "cut" else base64.b64decode(pdf))
    if "html" in to:
        cdn = '<script src="https://cdn.example.org/require.min.js" integrity="x"></script><style>/*' + 2000 * "x" + "*/</style>"
        cdn += "<script>\nlet ours = 1 < 2;\n</script>" + '<meta charset="utf-8">'  # put before what the template says
        figure = '<div id="fig-a" class="quarto-float" alt="seen twice"><img src="data:image/png;base64,x" alt="seen"></div>'
        image = '<img src="https://cdn.example.org/x.png">' if mode == "remote" else ""
        Path("report.html").write_text("<html><head>" + cdn + "</head><body>" + image + figure + "ok</body></html>")
said = {
    "crossref": "WARNING (/opt/quarto/share/filters/main.lua:1) Unable to resolve crossref @fig-nowhere",
    "table": "WARNING (/opt/quarto/share/filters/main.lua:9) Unable to parse table from raw html block: skipping.",
    "lua": "\x1b[31mERROR (evalkit.lua:1) a filter called error()\x1b[39m",
    "citation": "[WARNING] Citeproc: citation nobody not found",
    "font": "[typst]: Compiling report.typ to report.pdf...warning: unknown font family: nowhere",
    "standard": "WARNING: PDF standard 'x-9' is not supported by Typst and will be ignored",
    "good": "WARNING: PDF standard validation requested but verapdf is not installed.\nInstall with: quarto install verapdf",
}
sys.stderr.write(said.get(mode, "") + "\n")
sys.stderr.write("\nOutput created: report.pdf\n\n")
import shutil
shutil.rmtree(session)
"""


def with_quarto(test: Any) -> Any:
    """Mark a test, or a value of one, that needs the real program."""
    absent = pytest.mark.skipif(REAL is None, reason="the Quarto executable is not installed here")
    return (
        pytest.mark.quarto(absent(test)) if callable(test) else pytest.param(test, marks=[pytest.mark.quarto, absent])
    )


def real_quarto() -> dict[str, str]:
    """Return the variables by which evalkit finds the real program, and it its own parts."""
    return {"EVALKIT_QUARTO": str(REAL), "PATH": os.environ["PATH"]}


def write_standin(folder: Path) -> Path:
    """Write the stand-in program and return it."""
    program = folder / "bin" / "quarto"
    program.parent.mkdir(parents=True, exist_ok=True)
    text = _QUARTO.replace("{python}", sys.executable)
    for name, made in (("{pdf}", PDF), ("{plain}", PLAIN_PDF)):
        text = text.replace(name, base64.b64encode(made).decode())
    program.write_text(text, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount a file system in memory; the test is passed over where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    call = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(call, check=False, capture_output=True).returncode:
        pytest.skip("no mounting in this place")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)
