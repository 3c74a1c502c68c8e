"""What stops a publication before or while it is made: each refusal in its whole words, and what just passes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.errors import EvalkitError
from evalkit.publish._job import parameters_of, release_folder
from evalkit.publish.audit._notebook import check_notebook, notebook_problems
from evalkit.publish.release._keys import check_signature, key_name, new_key, public_name, sign
from evalkit.publish.release._lines import Approval, beside, kept_approvals
from evalkit.publish.release._manifest import (
    MANIFEST,
    damaged,
    is_of_another_version,
    is_of_before_ledgers,
    read_manifest,
    strangers,
)
from evalkit.publish.release._release import check_place, kept_folder, place_release, recover
from evalkit.publish.rendering._document import prepare
from evalkit.publish.rendering._execute import redact
from evalkit.publish.rendering._notebook import declared, parse_override, validated
from evalkit.seal import MARK


def refusal(call: Any) -> str:
    with pytest.raises(EvalkitError) as refused:
        call()
    return str(refused.value)


# -- cells and their options -----------------------------------------------------------------------------------------
FIG = '#| label: fig-a\n#| fig-cap: "A curve"\n#| fig-alt: "Two lines."'
TBL = '#| label: tbl-a\n#| tbl-cap: "A table"'
CONTENT = {
    "figure": {"image/svg+xml": "<svg/>"},
    "table": {"text/html": "<table/>"},
    "markdown": {"text/markdown": "Words."},
}


def output(shows: str = "figure", **mark: Any) -> Any:
    return new_output("display_data", data=CONTENT[shows], metadata={MARK: {"shows": shows, **mark}})


def cell(options: str, *outputs: Any, tags: tuple[str, ...] = ()) -> Any:
    return new_code_cell(f"{options}\nreport.show(x)", outputs=list(outputs), metadata={"tags": list(tags)})


def items(*cells: Any) -> list[Any]:
    return prepare(new_notebook(cells=list(cells)))


DOORS = "only what report.show, report.say, report.draw and report.cover put out may leave"
REFUSED: dict[str, tuple[Any, str]] = {
    "no label": (cell(FIG.replace("label: fig-a", "label: ''"), output()),
                 "cell 2: the figure has no label; add '#| label: fig-name' (letters, digits, '-' and '_')"),
    "a label of a table for a figure": (cell(FIG.replace("label: fig-a", "label: tbl-a"), output()),
                 "cell 2: the figure has no label; add '#| label: fig-name' (letters, digits, '-' and '_')"),
    "a label that is none": (cell(TBL.replace("tbl-a", "tbl-a/../b"), output("table")),
                 "cell 2: the table has no label; add '#| label: tbl-name' (letters, digits, '-' and '_')"),
    "no caption": (cell("#| label: fig-a", output()), "cell 2 (fig-a): the figure has no caption; add '#| fig-cap: ...'"),
    "the caption of a table for a figure": (cell(FIG.replace("fig-cap", "tbl-cap"), output()),
                 "cell 2 (fig-a): the figure has no caption; add '#| fig-cap: ...'"),
    "no caption of a table": (cell("#| label: tbl-a", output("table")),
                 "cell 2 (tbl-a): the table has no caption; add '#| tbl-cap: ...'"),
    "no alternative text": (cell(FIG.partition("\n#| fig-alt")[0], output()),
                 "cell 2 (fig-a): the figure has no alternative text for blind readers; add '#| fig-alt: ...'"),
    "two at once": (cell(FIG, output(), output("table")),
                 "cell 2: shows 2 figures or tables; one cell shows one, so that each has its own label"),
    "an unknown option": (cell("#| labels: fig-a"), "cell 2: unknown option '#| labels'; did you mean 'label'?"),
    "no options": (cell("#| just words"), "cell 2: its '#|' lines are not 'key: value' lines"),
    "neither true nor false": (cell("#| echo: yes"), "cell 2: '#| echo' is neither true nor false; write one of these two words"),
    "printed": (cell("", new_output("stream", name="stdout", text="x")), f"cell 2: puts out printed text; {DOORS}"),
    "a warning": (cell("", new_output("stream", name="stderr", text="x")), f"cell 2: puts out a warning or error text; {DOORS}"),
    "no mark": (cell("", new_output("display_data", data={"text/plain": "x"})),
                 "cell 2: puts out something that did not pass disclosure control; use report.show"),
    "a mark of another kind": (cell("", new_output("display_data", data=CONTENT["table"], metadata={MARK: {"shows": "figure"}})),
                 "cell 2: its output cannot be published (mark without its content)"),
    "a hidden cell is looked at, too": (cell("#| include: false", new_output("stream", name="stdout", text="x")),
                 f"cell 2: puts out printed text; {DOORS}"),
    "nowhere": (new_markdown_cell("See @fig-b."), "cell 2: reference '@fig-b' leads nowhere"),
    "nearly": (new_markdown_cell("See @tbl-firs."), "cell 2: reference '@tbl-firs' leads nowhere; did you mean 'tbl-first'?"),
    "the same label": (cell(TBL.replace("tbl-a", "tbl-first"), output("table")), "cell 2: label 'tbl-first' stands in cell 1 already"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_cell_that_cannot_be_published(name: str) -> None:
    wrong, said = REFUSED[name]
    first = cell(TBL.replace("tbl-a", "tbl-first"), output("table"))
    injected = new_code_cell("study = 1", metadata={"tags": ["injected-parameters"]})
    assert refusal(lambda: items(injected, first, wrong)) == said


def test_what_is_taken_from_a_cell() -> None:
    made = items(
        cell(FIG, output(headline="A *finding*", alt="Pilot: 3%.", estimate="e1", kind="funnel", data={"columns": []})),
        cell(TBL, output("table", alt="not read")),
        cell("#| echo: true", output("markdown")),
        cell("", output("markdown"), tags=("remove",)), cell("", output("markdown"), tags=("parameters",)),
        cell("#| include: false", output("markdown")), cell("#| output: false", output("markdown")),
        new_markdown_cell("# A {#sec-part}\n\nSee @fig-a, @tbl-a- and @sec-part; ann@fig-none.org, `@fig-none`."),
    )  # fmt: skip
    assert [(i.kind, i.cell, i.label, i.estimate, i.analysis) for i in made] == [
        ("figure", 1, "fig-a", "e1", "funnel"), ("table", 2, "tbl-a", "", ""), ("code", 3, "", "", ""),
        ("markdown", 3, "", "", ""), ("markdown", 8, "", "", ""),
    ]  # fmt: skip
    figure, table, code, *_ = made
    assert (figure.caption, figure.alt, figure.numbers) == (
        "**A \\*finding\\*.** A curve",
        "Two lines. Pilot: 3%.",
        {"columns": []},
    )
    assert (table.caption, table.alt, table.numbers) == ("A table", "", {})
    assert code.text == "report.show(x)"


def test_words_that_come_with_the_figure_go_before_those_of_the_cell() -> None:
    (made,) = items(cell(FIG, output(words={"caption": "Una *curva*", "alt": "Dos líneas."})))
    assert (made.caption, made.alt, made.title) == ("Una \\*curva\\*", "Dos líneas.", "Una *curva*")


def test_letters_that_the_pdf_has_not() -> None:
    notebook = new_notebook(
        cells=[new_markdown_cell("fine"), new_code_cell("x = '名'"), new_code_cell("#| fig-cap: 名")]
    )
    check_notebook(notebook, ["html"])
    said = "cell {}: holds letters that the PDF's fonts do not have; write it in others, or with --to html"
    assert refusal(lambda: check_notebook(notebook, ["html", "pdf"])) == said.format(3)
    assert refusal(lambda: check_notebook(new_notebook(cells=[new_markdown_cell("名")]), ["pdf"])) == said.format(1)


# What cannot be published whatever the cells put out.
BEFORE = [
    (new_markdown_cell("::: {.callout-tip}\nx\n:::"),
     "cell 2: uses the class 'callout-tip', which the publishers do not treat alike; take it out"),
    (new_markdown_cell("::: {#thm-a}\nx\n:::"), "cell 2: has the label 'thm-a', which Quarto would number; use another name"),
    (new_markdown_cell("```{mermaid}\nx\n```"), "cell 2: holds code that Quarto would run ('mermaid'); write it without braces"),
    (new_markdown_cell("<b>x</b>"), "cell 2: holds raw html; Markdown's own signs are enough"),
    (new_code_cell("#| label: tbl-b\n#| tbl-cap: '[x]{.aside}'\nx"),
     "cell 2 (tbl-b): its caption uses the class 'aside', which the publishers do not treat alike; take it out"),
    (new_code_cell("#| labels: fig-a"), "cell 2: unknown option '#| labels'; did you mean 'label'?"),
    (new_markdown_cell("As @sec-nown says"), "cell 2: reference '@sec-nown' leads nowhere; did you mean 'sec-known'?"),
    (new_markdown_cell("As @fig-b says"), "cell 2: reference '@fig-b' leads nowhere; did you mean 'fig-a'?"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "said"), BEFORE)
def test_what_cannot_be_published_is_found_before_anything_runs(wrong: Any, said: str) -> None:
    fine = new_code_cell(f"{FIG}\nreport.show(x)  # ::: {{.callout-tip}}")
    last = new_markdown_cell("# Known {#sec-known}\n\nSee @fig-a and @sec-known.")
    injected = new_code_cell("#| nothing: 1", metadata={"tags": ["injected-parameters"]})
    check_notebook(new_notebook(cells=[injected, fine, last]), ["html", "pdf"])
    notebook = new_notebook(cells=[fine, wrong, last])
    assert refusal(lambda: check_notebook(notebook, ["html"])) == said
    assert [str(problem) for problem in notebook_problems(notebook, ["html"])] == [said]


# -- parameters ------------------------------------------------------------------------------------------------------
SIMPLE = "str, int, float, bool, list[...], dict[str, ...], or one of these with '| None'"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a: int = 3", {"a": (int, 3)}), ("a = 3", {"a": (int, 3)}), ("a = True", {"a": (bool, True)}), ("a = ['x']", {"a": (list[str], ["x"])}),
        ("a: list[int] = []", {"a": (list[int], [])}), ("a: dict[str, float] = {}", {"a": (dict[str, float], {})}),
        ("a: str | None = None", {"a": (str | None, None)}), ("a: None | int = 1", {"a": (int | None, 1)}), ("'words'\na = 1.5", {"a": (float, 1.5)}),
        ("a = -3", {"a": (int, -3)}),
    ],
)  # fmt: skip
def test_what_a_parameters_cell_declares(source: str, expected: dict[str, Any]) -> None:
    assert declared(source, "x.ipynb") == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a = 1\na = (", ", line 2: '(' was never closed"), ("import os", ", line 1: only 'name: type = value' may stand here"),
        ("a = b = 1", ", line 1: only 'name: type = value' may stand here"), ("a: int", ", line 1: only 'name: type = value' may stand here"),
        ("a.b = 1", ", line 1: only 'name: type = value' may stand here"), ("a = f()", ", 'a': the default must be a plain value"),
        ("a: set = {1}", f", 'a': type 'set' is not one of {SIMPLE}"), ("a: list[int, str] = []", f", 'a': type 'list[int, str]' is not one of {SIMPLE}"),
        ("a: dict[str] = {}", f", 'a': type 'dict[str]' is not one of {SIMPLE}"), ("a: int & str = 1", f", 'a': type 'int & str' is not one of {SIMPLE}"),
        ("a = None", ", 'a': give it a type, as in 'name: str | None = None'"), ("a = []", ", 'a': give it a type, as in 'name: str | None = None'"),
        ("a = {1}", f", 'a': give it a type; it may be {SIMPLE}"), ("a = \0", ": is not Python"),
    ],
)  # fmt: skip
def test_what_is_no_parameters_cell(source: str, said: str) -> None:
    found = refusal(lambda: declared(source, "x.ipynb"))
    assert found == f"x.ipynb, parameters cell{said}" or (said == ": is not Python" and "null bytes" in found)


def test_lines_of_a_parameters_cell_are_counted_as_its_author_sees_them() -> None:
    cell = new_code_cell("#| label: x\na = 1\nimport os", metadata={"tags": ["parameters"]})
    job = SimpleNamespace(notebook=Path("x.ipynb"))
    assert ", line 3: only 'name:" in refusal(lambda: parameters_of(job, new_notebook(cells=[cell])))


SCHEMA = {"days": (int, 1), "words": (str, ""), "quick": (bool, False), "study": (str, ""), "many": (list[int], [])}


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ({"days": "3"}, {}, "tiny.yaml, parameters.days: input should be a valid integer"),
        ({"days": 3.0}, {}, "tiny.yaml, parameters.days: input should be a valid integer"),
        ({"words": 3}, {}, "tiny.yaml, parameters.words: input should be a valid string; put it in quotes"),
        ({}, {"quick": "1"}, "-P quick: input should be a valid boolean; write true or false"),
        ({"study": "x"}, {}, "tiny.yaml, parameters.study: 'study' is set with --study"),
        ({}, {"period": "x"}, "-P period: 'period' is set with --period"),
        ({"day": 1}, {}, "tiny.yaml, parameters.day: the notebook has no parameter 'day'; did you mean 'days'?"),
        ({}, {"studi": "1"}, "-P studi: the notebook has no parameter 'studi'"),
        ({}, {"many": "[1, x]"}, "-P many: input should be a valid integer"),
    ],
)  # fmt: skip
def test_values_of_another_type(file: dict[str, Any], line: dict[str, str], said: str) -> None:
    assert refusal(lambda: validated(SCHEMA, file, line, "tiny.yaml")) == said


def test_values_of_the_command_line_go_before_those_of_the_file() -> None:
    found = validated(SCHEMA, {"days": 2, "words": "a"}, {"days": "7", "many": "[1, 2]", "words": "020"}, "tiny.yaml")
    assert found == {"days": 7, "words": "020", "many": [1, 2]}
    assert parse_override(" days = 7=8") == ("days", " 7=8")
    for text in ("days", "=7", " =7"):
        assert refusal(lambda text=text: parse_override(text)) == f"-P {text}: write it as key=value"


# -- error messages --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("message", "source", "kept"),
    [
        ("KeyError: 'age'", "people['age']", "KeyError: 'age'"), ("KeyError: 'age'", "people", "KeyError: '…'"),
        ("'age, Q7'", "age", "'…'"), ("'age, sex'", "age = sex", "'age, sex'"), ('"age"', "age", '"age"'), ('"x1"', "", '"…"'),
        ("[age]", "age", "[age]"), ("[31, 44]", "31", "[…]"), ("of 12 rows", "12", "of … rows"), ("Q81f2", "", "…"), ("Q81f2", "Q81f2 = 1", "Q81f2"),
        ("\x1b[31mred\x1b[0m", "", "red"), ("2022-02-03", "", "…"), ("no digits", "", "no digits"), ("'print'", "", "'print'"),
    ],
)  # fmt: skip
def test_nothing_of_the_data_stays_in_a_message(message: str, source: str, kept: str) -> None:
    assert redact(message, source) == kept


# -- places ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("name", ["..", ".", ".hidden", "-a", "_a", "a/b", "", "a b", "ä", "a\n"])
def test_names_that_lead_out_of_the_reports_folder(name: str, place: int) -> None:
    names = ["a", "b", "c"]
    names[place] = name
    said = refusal(lambda: release_folder(Path("reports"), *names))
    assert said == f"'{name}' cannot be a folder's name; use letters, digits, '-', '_' and '.'"


@pytest.mark.parametrize("name", ["a", "2022Q3", "a.b-c_d", "2022-01-01_to_2022-06-30", "a..b"])
def test_names_of_folders(name: str) -> None:
    assert release_folder(Path("r"), name, name, name) == Path("r") / name / name / name


@pytest.mark.parametrize("name", ["../a", "a/../b", "a/b/c", ".a", "/a", "a/.b", "", "-a", "a/"])
def test_names_of_files_that_a_release_cannot_hold(name: str, tmp_path: Path) -> None:
    assert refusal(lambda: place_release({name: tmp_path}, tmp_path / "r")) == f"'{name}' cannot be a file of a release"
    assert not (tmp_path / "r").exists()


def placed(target: Path, content: str, **more: Any) -> Path:
    source = target.parents[1] / "made.txt"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(content, encoding="utf-8")
    return place_release({"a.txt": source, "data/b.csv": source}, target, **more)


def content(release: Path) -> list[tuple[str, str]]:
    return [(f.relative_to(release).as_posix(), f.read_text()) for f in sorted(release.rglob("*")) if f.is_file()]


def both(text: str) -> list[tuple[str, str]]:
    return [("a.txt", text), ("data/b.csv", text)]


def test_nothing_is_overwritten_and_what_is_superseded_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "reports" / "2000Q4"
    placed(target, "one")
    assert refusal(lambda: placed(target, "two")) == f"{target}: is published already; nothing is ever overwritten"
    placed(target, "two", supersedes=1)
    placed(target, "three", supersedes=2)
    assert [content(f) for f in (kept_folder(target, 1), kept_folder(target, 2), target)] == [
        both("one"),
        both("two"),
        both("three"),
    ]
    assert sorted(f.name for f in target.parent.iterdir()) == ["2000Q4", "2000Q4.r1", "2000Q4.r2"]
    assert {f.stat().st_mode & 0o777 for f in target.rglob("*")} == {0o755, 0o644}


@pytest.mark.parametrize("another", ["content", "one more", "one less", "a file"])
def test_another_release_where_the_superseded_one_is_to_be_kept(another: str, tmp_path: Path) -> None:
    target = tmp_path / "reports" / "2000Q4"
    placed(target, "one")
    kept = kept_folder(target, 1)
    if another == "a file":
        kept.write_text("")
    else:
        placed(kept, "ten" if another == "content" else "one")
    if another == "one more":
        (kept / "c.txt").write_text("")
    if another == "one less":
        (kept / "a.txt").unlink()
    there = content(kept) if kept.is_dir() else []
    assert (
        refusal(lambda: placed(target, "two", supersedes=1))
        == f"{kept}: another release is kept there; move it away by hand"
    )
    assert content(target) == both("one")
    assert (content(kept) if kept.is_dir() else []) == there


def test_the_same_release_may_be_kept_already(tmp_path: Path) -> None:
    target = tmp_path / "reports" / "2000Q4"
    placed(target, "one"), placed(kept_folder(target, 1), "one")
    assert content(placed(target, "two", supersedes=1)) == both("two")


def test_what_a_render_that_died_left_is_mended(tmp_path: Path) -> None:
    target = tmp_path / "reports" / "2000Q4"
    recover(target)
    assert not target.parent.exists()
    placed(target, "one")
    aside = target.with_name(".aside-2000Q4")
    target.rename(aside)
    recover(target)
    assert (content(target), aside.exists()) == (both("one"), False)
    placed(aside, "old")
    recover(target)
    assert (content(target), aside.exists()) == (both("one"), False)


def test_a_place_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    said = refusal(lambda: placed(tmp_path / "reports" / "2000Q4", "one"))
    assert said == f"{tmp_path / 'reports'}: cannot be written (File exists); nothing was published"


# -- manifests -------------------------------------------------------------------------------------------------------
GOOD = {
    "manifest": 3,
    "study": "s",
    "report": "r",
    "period": "2000Q4",
    "revision": 1,
    "outputs": {"a": {"sha256": "0"}},
}
NONE, OTHER = (
    "is no manifest that evalkit wrote (something is missing from it, or of another kind)",
    "was written by another version of evalkit (manifest {}, not 3)",
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""), ({"manifest": 2}, ""), ({"revision": 2}, ""), ({"outputs": {}}, ""), ({"inputs": None}, ""), ({"outputs": {"a..b/c": {"sha256": ""}}}, ""),
        ({"manifest": 1}, OTHER.format(1)), ({"manifest": 4}, OTHER.format(4)), ({"manifest": "3"}, NONE), ({"manifest": None}, NONE),
        ({"study": None}, NONE), ({"report": 3}, NONE), ({"period": ["x"]}, NONE), ({"revision": 0}, NONE), ({"revision": -1}, NONE),
        ({"revision": "1"}, NONE), ({"revision": None}, NONE), ({"outputs": None}, NONE), ({"outputs": []}, NONE), ({"ledger": {}}, NONE),
        ({"published": {}}, NONE), ({"inputs": []}, NONE), ({"known": []}, NONE), ({"parameters": []}, NONE), ({"publication": "x"}, NONE),
        ({"disclosure": []}, NONE), ({"supersedes": "x"}, NONE), ({"overridden": {}}, NONE), ({"outputs": {"/a": {"sha256": ""}}}, NONE),
        ({"outputs": {"../a": {"sha256": ""}}}, NONE), ({"outputs": {"a/../b": {"sha256": ""}}}, NONE), ({"outputs": {"a": "x"}}, NONE),
        ({"outputs": {"a": {}}}, NONE), ({"outputs": {"a": {"sha256": 3}}}, NONE),
    ],
)  # fmt: skip
def test_what_is_no_manifest(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    file = tmp_path / MANIFEST
    file.write_text(json.dumps({**GOOD, **change}), encoding="utf-8")
    if said:
        assert refusal(lambda: read_manifest(tmp_path)) == f"{file}: {said}"
    else:
        assert read_manifest(tmp_path) == {**GOOD, **change}
    version = {**GOOD, **change}["manifest"]
    assert is_of_another_version(tmp_path) is (version in {1, 4})
    assert is_of_before_ledgers(tmp_path) is (version == 1)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '"x"', "[" * 9999])
def test_a_file_that_is_no_manifest(text: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
    said = f"{tmp_path / MANIFEST}: there is no readable manifest; name the folder of a release"
    assert refusal(lambda: read_manifest(tmp_path)) == said
    (tmp_path / MANIFEST).unlink()
    assert refusal(lambda: read_manifest(tmp_path)) == said
    (tmp_path / "elsewhere").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / MANIFEST).symlink_to(tmp_path / "elsewhere")
    assert refusal(lambda: read_manifest(tmp_path)) == said


def test_files_that_are_damaged_or_strangers(tmp_path: Path) -> None:
    target = placed(tmp_path / "reports" / "2000Q4", "one")
    from evalkit.publish.release._ingredients import digest

    facts = {"outputs": {name: {"sha256": digest(target / name)} for name in ("a.txt", "data/b.csv")}}
    (target / MANIFEST).write_text("")
    assert (damaged(target, facts), strangers(target, facts)) == ([], [])
    (target / "a.txt").write_text("two")
    (target / "data" / "c.csv").write_text("")
    (target / "more").mkdir()
    assert (damaged(target, facts), strangers(target, facts)) == (["a.txt"], ["data/c.csv", "more"])
    (target / "data").rename(tmp_path / "data")
    (target / "data").symlink_to(tmp_path / "data")
    assert damaged(target, facts) == ["a.txt", "data/b.csv"]
    (target / MANIFEST).unlink()
    (target / MANIFEST).symlink_to(tmp_path / "made.txt")
    assert strangers(target, facts) == [MANIFEST, "more"]


# -- keys and approvals ----------------------------------------------------------------------------------------------
def test_keys_are_their_users_own_and_signatures_are_of_the_manifest(tmp_path: Path) -> None:
    private, public = tmp_path / "k" / "a.pem", tmp_path / "k" / "a.pub"
    name = new_key(private, public)
    assert len(name) == 16 and name == key_name(private) == public_name(public)
    assert (private.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o600, 0o644)
    assert (
        refusal(lambda: new_key(private, tmp_path / "b.pub"))
        == f"{private}: is there already; a key is never overwritten"
    )
    assert (
        refusal(lambda: new_key(tmp_path / "b.pem", public))
        == f"{public}: is there already; a key is never overwritten"
    )
    assert not (tmp_path / "b.pem").exists() and not (tmp_path / "b.pub").exists()
    (tmp_path / MANIFEST).write_text("{}")
    assert check_signature(tmp_path, MANIFEST, public) == "there is no signature"
    sign(tmp_path / MANIFEST, private, tmp_path / "manifest.sig")
    assert check_signature(tmp_path, MANIFEST, public) == ""
    (tmp_path / MANIFEST).write_text("{} ")
    assert check_signature(tmp_path, MANIFEST, public) == "the signature is wrong: the manifest is not what was signed"
    other = new_key(tmp_path / "o.pem", tmp_path / "o.pub")
    assert (
        check_signature(tmp_path, MANIFEST, tmp_path / "o.pub")
        == f"it is signed with another key ({name}, not {other})"
    )
    for words in ("ed25519 a", f"rsa {name} AAAA", f"ed25519 {name} !!", f"ed25519 {name} AAAA more", ""):
        (tmp_path / "manifest.sig").write_text(words)
        assert check_signature(tmp_path, MANIFEST, public) == "manifest.sig is damaged"
    for mode in (0o640, 0o604, 0o610):
        private.chmod(mode)
        assert refusal(lambda: key_name(private)) == (
            f"{private}: others can read this key; chmod 600 it, or make a new one with 'evalkit key new'"
        )
    private.chmod(0o400)
    assert key_name(private) == name
    assert refusal(lambda: key_name(tmp_path / "none")) == (
        f"{tmp_path / 'none'}: is no ed25519 private key without a passphrase; 'evalkit key new' makes one"
    )


def test_approvals_as_they_are_kept(tmp_path: Path) -> None:
    one = Approval("Ann", "Looked, “all” of it", "2022-10-03T00:00:00Z", "s/r/2000Q4", "0" * 64)
    signed = Approval("Bo", "x", "2022-10-04T00:00:00Z", "s/r/2000Q4", "0" * 64, "k", "s")
    assert "key" not in one.line() and "“all”" in one.line()
    assert one.signed_bytes().startswith(b"evalkit approval\n{") and b'"key"' not in signed.signed_bytes()
    file = tmp_path / "approvals.jsonl"
    assert kept_approvals(file) == []
    file.write_text(one.line() + signed.line(), encoding="utf-8")
    assert kept_approvals(file) == [one, signed]
    for text, wrong in (
        (one.line() + "{}\n" + signed.line(), "line 2 is no approval"), ("", "holds no approval"), ("[]\n", "line 1 is no approval"),
        (one.line().replace('"Ann"', "3"), "line 1 is no approval"), (one.line().replace('"name"', '"nom"'), "line 1 is no approval"),
    ):  # fmt: skip
        file.write_text(text, encoding="utf-8")
        assert refusal(lambda: kept_approvals(file)) == f"{file}: {wrong}; put the file back from a backup"
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    assert refusal(lambda: kept_approvals(file)) == f"{file}: holds no approval; put the file back from a backup"


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("2000Q4", "2000Q4"),
        ("2000Q4.r1", "2000Q4"),
        ("2000Q4.r12", "2000Q4"),
        ("2000Q4.r0", "2000Q4.r0"),
        ("2000Q4.r1x", "2000Q4.r1x"),
    ],
)
def test_one_file_of_approvals_for_all_revisions(name: str, of: str) -> None:
    assert beside(Path("reports") / name) == Path("reports") / f"{of}.approvals.jsonl"


def test_a_look_whether_a_release_can_be_placed_leaves_nothing(tmp_path: Path) -> None:
    """A render that fails afterwards would leave an empty folder among the releases."""
    check_place(tmp_path / "reports" / "tiny" / "monthly" / "2022Q3")
    # Another study may be about to make a folder of its own in the one of all reports: that stays.
    assert [place.name for place in tmp_path.rglob("*")] == ["reports"]
    (tmp_path / "reports" / "tiny").mkdir()
    check_place(tmp_path / "reports" / "tiny" / "monthly" / "2022Q3")
    assert [place.name for place in tmp_path.rglob("*")] == ["reports", "tiny"]
