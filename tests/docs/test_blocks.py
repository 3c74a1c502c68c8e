"""Every block of code in the README and in docs/ does what a reader who copies it expects."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
import typer
import yaml
from matplotlib import pyplot as plt
from matplotlib.text import Text

from evalkit.cli._app import app
from evalkit.protocol import load_study, read_yaml
from evalkit.protocol._files import validate
from evalkit.protocol._report import Disclosure, ReportParams
from evalkit.protocol._study import Study
from evalkit.report import _mark
from evalkit.simulate import simulate

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# The notebook each block of Python is said for, and the label of the cell it comes after ("": the one that opens it).
FOLLOWS = {
    ("edit.md", "fig-longer"): ("quarterly.ipynb", ""),
    ("README.md", "fig-women"): ("quarterly.ipynb", ""),
    ("how-to-add-a-subgroup.md", "tbl-first-month"): ("quarterly.ipynb", ""),
    ("README.md", "fig-by-work"): ("quarterly.ipynb", ""),
    ("how-to-add-a-subgroup.md", "fig-drinking"): ("quarterly.ipynb", ""),
    ("how-to-add-a-subgroup.md", "fig-work"): ("quarterly.ipynb", "tbl-restatements"),
}


def found_in(page: Path) -> list[tuple[str, str]]:
    """Return language and text of each block of a page; those of Sphinx, such as `{toctree}`, are no code."""
    text = re.sub(r"^```\{.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return BLOCK.findall(text)


def blocks(language: str) -> list[Any]:
    found = []
    for page in PAGES:
        for number, (kind, text) in enumerate(found_in(page), start=1):
            if kind == language:
                found.append(pytest.param(page, text, id=f"{page.name}-{number}"))
    return found


def test_every_block_is_of_a_kind_that_is_run() -> None:
    kinds = {kind for page in PAGES for kind, _ in found_in(page)}
    assert kinds <= {"python", "sh", "yaml"}
    assert {"python", "sh"} <= kinds


# -- Python, in its notebook ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("docs")
    (place / "params").mkdir()
    for file in (ROOT / "params").glob("*.yaml"):
        (place / "params" / file.name).write_bytes(file.read_bytes())
    simulate("benefit", seed=7, n_focus=900, n_comparison=900).write(place / "data" / "demo")
    return place / "params" / "study.yaml"


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_a_block_of_python_runs(study: Path, monkeypatch: pytest.MonkeyPatch, page: Path, text: str) -> None:
    label = re.search(r"^#\| label: (\S+)", text, re.MULTILINE)
    if label is None:
        pytest.skip("stands alone: run below")
    notebook, last = FOLLOWS[page.name, label[1]]
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(_mark, "display", lambda bundle, **_: shown.append(bundle))
    names: dict[str, Any] = {}
    for source in cells_until(ROOT / "notebooks" / notebook, last):
        exec(compile(source, notebook, "exec"), names)  # noqa: S102 - the project's own notebook
        names |= {"study": str(study), "period": "2023Q4"} if "period: str" in source else {}
    shown.clear()
    exec(compile(text, page.name, "exec"), names)  # noqa: S102 - the project's own page
    figure = label[1].startswith("fig-")
    assert ("image/svg+xml" if figure else "text/html") in shown[0]
    for option in ("fig-cap", "fig-alt") if figure else ("tbl-cap",):
        assert f"#| {option}: " in text


@pytest.mark.parametrize(("page", "text"), [block for block in blocks("python") if "#| label:" not in block.values[1]])
def test_a_block_of_python_that_stands_alone_runs(page: Path, text: str) -> None:
    """It needs no notebook: what it plots is seen, and says that it is exact."""
    plt.close("all")
    exec(compile(text, page.name, "exec"), {})  # noqa: S102 - the project's own page
    if ".plot(" in text:
        (figure,) = [plt.figure(number) for number in plt.get_fignums()]
        said = {str(found.get_text()) for found in figure.findobj(Text)}
        assert {"Number at risk", "exact: not for publication"} <= said
    plt.close("all")


def cells_until(notebook: Path, label: str) -> list[str]:
    """Return the code of a notebook up to a cell, without cells that only show: names come from the others."""
    found = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            nodes = list(ast.walk(ast.parse(cell.source)))
            if label == "" and "open_report(" in cell.source:
                return [*found, cell.source]
            if any(isinstance(node, ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom) for node in nodes):
                found.append(cell.source)
        if label and f"#| label: {label}\n" in cell.source:
            return found
    raise AssertionError(label)


# -- The shell --------------------------------------------------------------------------------------------------------


def commands(text: str) -> list[list[str]]:
    return [parts for line in text.splitlines() if (parts := shlex.split(line, comments=True))]


@pytest.mark.parametrize(("page", "text"), blocks("sh"))
def test_a_block_of_shell_is_understood(page: Path, text: str) -> None:
    for program, *arguments in commands(text):
        if program == "make":
            targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            assert set(arguments) <= set(targets)
        elif program == "pip":
            assert arguments == ["install", "evalkit"]
        elif program == ".venv/bin/jupyter":
            assert arguments[0] == "lab"
            assert (ROOT / arguments[1]).is_file()
        else:
            assert program == "evalkit"
            parsed(arguments)


def parsed(arguments: list[str]) -> None:
    """Let the command line read arguments, and run nothing."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        assert arguments[0] in command.commands, arguments
        command, arguments = command.commands[arguments[0]], arguments[1:]
    command.make_context(command.name, list(arguments))


def test_commands_named_in_a_sentence_are_understood() -> None:
    said = [(page.name, code) for page in PAGES for code in re.findall(r"`(evalkit [^`\n]*)`", page.read_text("utf-8"))]
    assert len(said) > 5
    for _, code in said:
        words = shlex.split(code)[1:]
        command: Any = typer.main.get_command(app)
        while words and hasattr(command, "commands") and not words[0].startswith("-"):
            assert words[0] in command.commands, code
            command, words = command.commands[words[0]], words[1:]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("-") and word != "--help"} <= options, code


def test_the_quick_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for kind, text in found_in(ROOT / "README.md") if kind == "sh" for line in commands(text)]
    made = next(line[1:] for line in lines if line[:2] == ["evalkit", "example"])
    monkeypatch.chdir(tmp_path)
    app(made, standalone_mode=False)
    rendered = next(line for line in lines if line[:3] == ["evalkit", "render", "final"])
    assert load_study(rendered[rendered.index("--study") + 1]).id
    (tmp_path / "params").mkdir()
    for file in (ROOT / "params").glob("*.yaml"):
        (tmp_path / "params" / file.name).write_bytes(file.read_bytes())
    assert ["evalkit", "key", "new"] in lines
    app(["key", "new"], standalone_mode=False)
    for quick in (["schema"], ["dictionary", "--out", "dictionary.md"]):
        app(quick, standalone_mode=False)
    assert (tmp_path / "dictionary.md").is_file()


# Commands of the pages that a scratch copy of the demo runs in seconds, and the tests that run the others with releases.
QUICK = {"dictionary", "schema", "validate", "example", "init"}
ELSEWHERE = {
    "draft": "publish/test_draft.py",
    "lab": "web/test_lab.py",
    "render": "publish/test_render.py",
    "verify": "publish/test_verify.py",
    "review": "publish/test_review.py",
    "approve": "publish/test_waiting.py",
    "withdraw": "publish/test_withdraw.py",
    "archive": "cli/test_site.py",
    "site": "cli/test_site.py",
    "key": "publish/test_trust.py",
    "ledger": "publish/test_move.py",
    "schedule": "cli/test_unattended.py",
    "status": "cli/test_unattended.py",
    "map": "intake/test_mapped.py",
}


def test_every_command_of_the_pages_is_run_here_or_with_releases(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [line for param in blocks("sh") for line in commands(param.values[1]) if line[0] == "evalkit"]
    assert {line[1] for line in lines} <= QUICK | set(ELSEWHERE)
    assert [file for file in ELSEWHERE.values() if not (ROOT / "tests" / file).is_file()] == []
    shutil.copytree(study.parents[1], tmp_path / "study")
    for _, *arguments in lines:
        if arguments[0] in QUICK:
            (tmp_path / "study" / "new").mkdir(exist_ok=True)
            monkeypatch.chdir(tmp_path / "study" / "new" if arguments[0] == "init" else tmp_path / "study")
            if arguments[0] == "init" and any((tmp_path / "study" / "new").iterdir()):
                continue  # said on two pages
            assert app(arguments, standalone_mode=False) in {None, 0}, arguments
    assert (tmp_path / "study" / "dictionary.md").is_file()
    assert (tmp_path / "study" / "new" / "notebooks" / "quarterly.ipynb").is_file()


# -- YAML -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_a_block_of_yaml_is_read(page: Path, text: str, tmp_path: Path) -> None:
    """A block is a part of one of the protocol's files: put into it, the file is still right."""
    (tmp_path / "block.yaml").write_text(text, encoding="utf-8")
    content = read_yaml(tmp_path / "block.yaml")
    for model, name in ((Study, "study"), (Disclosure, "disclosure"), (ReportParams, "quarterly")):
        if set(content) <= set(model.model_fields):
            whole = yaml.safe_load((ROOT / "params" / f"{name}.yaml").read_text(encoding="utf-8"))
            validate(model, {**whole, **content}, f"{page.name}: {name}.yaml")
            return
    raise AssertionError(f"{page.name}: {sorted(content)} are keys of no file")
