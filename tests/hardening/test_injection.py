"""Parameters, protocol and tables are data: nothing in them runs, leads out of the study or shows a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from papermill.translators import PythonTranslator

from evalkit.cli._render import Request, plan
from evalkit.errors import DataError, EvalkitError, ProtocolError, ReleaseError
from evalkit.intake import open_data, secrets_of
from evalkit.intake._database import redacted
from evalkit.protocol import load_study, read_yaml
from evalkit.publish import find_notebook
from evalkit.publish._job import release_folder
from evalkit.publish.rendering._notebook import declared, validated
from evalkit.views.style import new_figure, svg_of, themed
from hardening import worlds
from publish import standin

CODE = [
    "__import__('os').system('touch HERE')", "'; import os; os.system('touch HERE'); '", '"""\nimport os\n"""', "\\", "\\'",
    "\nimport os", "{0}", "%s", "\u2028import os", "\u202eso tropmi", "#| include: false", "$(touch HERE)", "\x00", "é\ud800"[:1],
]  # fmt: skip


def changed(folder: Path, **more: Any) -> Path:
    standin.write_world(folder)
    (folder / "study.yaml").write_text(
        yaml.safe_dump({**worlds.STUDY, "disclosure": None, "covariates": [], **more}), encoding="utf-8"
    )
    (folder / "sessions.csv").write_text(",".join(worlds.SESSIONS) + "\n", encoding="utf-8")
    return folder / "study.yaml"


@pytest.mark.parametrize("text", [*CODE, *(t for t in worlds.NASTY if "\ud7ff" not in t)])
def test_a_text_given_as_a_parameter_is_that_text_and_nothing_else(text: str) -> None:
    values = validated(declared("note: str = ''", "n"), {}, {"note": text}, "p.yaml")
    assert values == {"note": text}
    written = PythonTranslator.codify(values)  # what papermill puts into the notebook
    names: dict[str, Any] = {}
    exec(compile(written, "cell", "exec"), {"__builtins__": {}}, names)  # noqa: S102 - the point of the test: no builtins, so nothing could run
    assert names == {"note": text}


@pytest.mark.parametrize("kind", ["int", "float", "bool", "list[int]", "dict[str, int]", "int | None"])
@pytest.mark.parametrize(
    "text",
    [t for t in CODE if t.strip() and not t.startswith("#")]
    + ["!!python/object/apply:os.getcwd []", "[" * 3000, "&a [*a]"],
)
def test_code_given_for_another_type_is_refused(kind: str, text: str) -> None:
    schema = declared(
        f"x: {kind} = {'None' if 'None' in kind else {'i': '1', 'f': '1.0', 'b': 'True', 'l': '[1]', 'd': '{}'}[kind[0]]}",
        "n",
    )
    with pytest.raises(ProtocolError) as refused:
        validated(schema, {}, {"x": text}, "p.yaml")
    assert "HERE" not in str(refused.value)


@pytest.mark.parametrize(
    "source",
    ["x = __import__('os').getcwd()", "x = [].append(1)", "import os", "x: list[__import__('os')] = []", "x = f'{1}'",
     "x = (1, 2)", "x = 1j", "x = {1}", "print(1)", "x = y = 1", "x: str = open('a')", "x = b'a'", "x = [b'a']", "\x00", "[" * 3000],
)  # fmt: skip
def test_a_parameters_cell_declares_values_only(source: str) -> None:
    with pytest.raises(ProtocolError):
        declared(source, "n")


def test_yaml_makes_no_objects(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: !!python/object/apply:os.getcwd []\n", encoding="utf-8")
    with pytest.raises(ProtocolError, match="is not valid YAML"):
        read_yaml(tmp_path / "a.yaml")


def _laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text",
    [_laughs(9), "a: &a [*a]", "a: " + "[" * 5000, "a: " + "{b: " * 5000, "x" * 1_000_001, "a: 2022-13-45", "a: " + "9" * 5000,
     "? [a]\n: b", "? {a: b}\n: c", "a: !!int x", "a: !!timestamp x", "a: !!binary \u20ac", "- a", "a: *b"],
    ids=["laughs", "endless", "deep lists", "deep maps", "long", "no day", "no end", "list key", "map key", "no int", "no stamp", "no bytes", "no map", "no alias"],
)  # fmt: skip
def test_a_hostile_yaml_file_is_one_clear_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError) as refused:
        read_yaml(tmp_path / "a.yaml")
    assert len(str(refused.value)) < 400


def test_honest_aliases_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: &a {x: 1}\nb: *a\nc: [*a, *a]\n", encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml")["c"] == [{"x": 1}, {"x": 1}]


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200b", "\x07", "\ufeff", "\u00ad"])
def test_a_label_with_unseen_characters_is_refused(tmp_path: Path, mark: str) -> None:
    arms = {**worlds.STUDY["arms"], "focus": {"value": "a", "label": f"A{mark}B"}}
    with pytest.raises(ProtocolError, match=r"arms\.focus\.label.*not seen"):
        load_study(changed(tmp_path, arms=arms))


def test_a_label_is_one_line(tmp_path: Path) -> None:
    study = load_study(changed(tmp_path, title="A study\n\n# Another heading\n::: {.finding}\n"))
    assert study.title == "A study # Another heading ::: {.finding}"


@pytest.mark.parametrize(
    "label", ["$x$", "$\\frac", "a_b^c", "<b>&amp;</b>", "--><script>", "]]>", "\\input{a}", "#read()"]
)
def test_a_label_in_a_figure_is_that_label(label: str) -> None:
    figure = new_figure(1)
    with themed():
        figure.add_subplot().set_xlabel(label)
        svg = svg_of(figure)
    assert "<script" not in svg.replace("<!-- --&gt;", "")


# -- Paths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["..", ".", "../x", "a/b", "/etc", "", "a\0", "-x/..", ".hidden", "a b", "é"])
def test_no_name_leads_out_of_the_reports_folder(name: str) -> None:
    for names in ((name, "b", "c"), ("a", name, "c"), ("a", "b", name)):
        with pytest.raises(ReleaseError):
            release_folder(Path("reports"), *names)


@pytest.mark.parametrize("name", ["../x.ipynb", "/etc/x.ipynb", "a/../../x.ipynb", "x.py", "..", ""])
def test_a_notebook_is_a_bare_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProtocolError, match="bare name"):
        find_notebook(name, load_study(changed(tmp_path)))


@pytest.mark.parametrize("linked", ["reports/tiny", "reports/tiny/tiny", "reports/tiny/tiny/2000Q4"])
def test_a_release_is_not_written_through_a_link(tmp_path: Path, linked: str) -> None:
    study = changed(tmp_path / "study", tables={"participants": {"path": "participants.csv"}})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    request = Request("tiny", ("2000Q4",), out=tmp_path / "reports")
    with pytest.raises(ReleaseError, match="is a link"):
        plan(request, study)
    assert list(elsewhere.iterdir()) == []


# -- Secrets ---------------------------------------------------------------------------------------------------------

SECRET = "hunter2/?@:#"  # noqa: S105 - nobody's
URLS = [
    f"postgresql://ann:{SECRET}@127.0.0.1:1/study", "postgresql://ann:hunter2@127.0.0.1:1/study?password=hunter2",
    "postgresql://127.0.0.1:1/study?user=ann&password=hunter2", "mssql://127.0.0.1/study;pwd=hunter2", "hunter2",
    "postgresql://ann:hunter2@[127/study", "nosuch://ann:hunter2@host/db", "snowflake://ann:hunter2@account/db",
    "mysql://ann:hunter2@127.0.0.1:1/study", "duckdb:///nowhere/hunter2/x.duckdb?access_token=hunter2", "://hunter2",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS)
def test_a_database_that_cannot_be_reached_keeps_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("EVALKIT_TEST_URL", url)
    study = load_study(changed(tmp_path, database="${EVALKIT_TEST_URL}", tables={"participants": {}}))
    with pytest.raises(EvalkitError) as refused:
        open_data(study)
    assert isinstance(refused.value, DataError)
    assert "hunter2" not in str(refused.value).replace("/nowhere/hunter2/x", "")
    assert "hunter2" not in redacted(url) or "/nowhere/" in url
    assert any("hunter2" in secret for secret in secrets_of(study))
