"""Small parts of publishing, each with all that it gives: files beside a report, places, digests, names of outputs."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit._version import __version__
from evalkit.errors import ProtocolError
from evalkit.glossary import COLUMNS
from evalkit.publish._job import read_notebook
from evalkit.publish.audit._guard import Guard, Identifiers, dates_in, pieces
from evalkit.publish.audit._notebook import _kind
from evalkit.publish.release._ingredients import code
from evalkit.publish.release._manifest import MANIFEST
from evalkit.publish.release._place import broken_chain, misplaced
from evalkit.publish.release._review import _plain
from evalkit.publish.rendering._document import Document, Item
from evalkit.publish.rendering._execute import kernel_environment
from evalkit.publish.rendering._machine import ENVIRONMENT, run_child
from evalkit.publish.rendering._pieces import _table, write_data
from evalkit.seal import DRAFTED, MARK
from evalkit.words import messages_for

EN = messages_for("en-US")

# -- the files beside a report -----------------------------------------------------------------------------------------
ITEM = Item("table", 2, "<table></table>", "Tbl-A", "**A** table | x", "", "abc", "drawn",
            numbers={"columns": ["group", "n_event", "estimate", "cut", "mine"], "rows": [["=A", 20, 1 / 3, "2022-09-30", 7], ["B", None, None, None, None]]})  # fmt: skip
DOCUMENT = Document("Title", "", "Study", "Team", "period", "the cut", date(2022, 9, 30), synthetic=True, locale="en-US", items=(ITEM,))  # fmt: skip


def test_the_whole_data_package(tmp_path: Path) -> None:
    made = write_data(DOCUMENT, tmp_path, 5)
    assert sorted(made) == ["data/README.md", "data/Tbl-A.csv", "data/datapackage.json"]
    fields = [
        {"name": "group", "type": "string", "description": EN(COLUMNS["group"].meaning)},
        {"name": "n_event", "type": "integer", "unit": COLUMNS["n_event"].unit, "description": EN(COLUMNS["n_event"].meaning)},
        {"name": "estimate", "type": "number", "description": EN(COLUMNS["estimate"].meaning)},
        {"name": "cut", "type": "any"}, {"name": "mine", "type": "any"},
    ]  # fmt: skip
    assert json.loads(made["data/datapackage.json"].read_text(encoding="utf-8")) == {
        "name": "report-data",
        "title": "Title: Study, period",
        "description": "Data cut the cut. Synthetic data: no real person is described.",
        "resources": [
            {
                "name": "tbl-a", "path": "Tbl-A.csv", "profile": "tabular-data-resource", "title": "A table | x", "caption": "table | x", "estimate": "abc",
                "analysis": "drawn", "mediatype": "text/csv", "encoding": "utf-8", "schema": {"fields": fields, "missingValues": [""]},
            }
        ],
    }  # fmt: skip


def test_the_whole_readme_beside_numbers(tmp_path: Path) -> None:
    real = replace(DOCUMENT, synthetic=False)
    lines = write_data(real, tmp_path, 5)["data/README.md"].read_text(encoding="utf-8").splitlines()
    known = [COLUMNS[name] for name in ("group", "n_event", "estimate")]
    assert lines == [
        "# Data: Title, period", "", "Study. Data cut the cut.", "",
        "Each file holds the numbers of one figure or table of the report, as they passed disclosure control: counts are a little "
        "off on purpose, shares come from such counts, and what may not be shown is empty.",
        "", "| file | figure or table | analysis | estimate |", "|---|---|---|---|", r"| Tbl-A.csv | A table \| x | drawn | abc |", "",
        "Estimates are named as in `manifest.json`; the same question has the same name in every release.",
        "", "| column | type | unit | meaning |", "|---|---|---|---|",
        *[f"| {one.name} | {one.kind} | {one.unit} | {EN(one.meaning)} |" for one in known],
    ]  # fmt: skip


def test_nothing_lies_beside_a_report_of_words(tmp_path: Path) -> None:
    assert write_data(replace(DOCUMENT, items=(Item("markdown", 1, "Words."),)), tmp_path, 5) == {}


def test_every_heading_of_numbers_below_a_figure() -> None:
    import pandas as pd

    names = {
        "group": "Group", "label": "What", "time": "Day", "time_from": "From day", "n": "Out of", "n_risk": "At risk", "n_event": "Number",
        "estimate": "Estimate", "conf_low": "Lower limit", "conf_high": "Upper limit", "measure": "Measure",
        "period": "Period", "std_error": "std error",
    }  # fmt: skip
    table = _table(pd.DataFrame([[1] * len(names)], columns=list(names)), EN)
    assert [part.partition("</th>")[0].partition(">")[2] for part in table.split("<th")[2:]] == list(names.values())
    assert '<th scope="col" class="figure-number">Term</th>' in _table(pd.DataFrame({"term": [1]}), EN)


# -- what goes into a digest -------------------------------------------------------------------------------------------
def test_the_digest_of_evalkits_code_is_of_every_name_with_its_content() -> None:
    home = Path(evalkit.__file__).parent
    left_out = {"__pycache__", "_templates", "cli", "examples", "simulate", "site"}  # they make nothing of a release
    files = {
        f.relative_to(home).as_posix(): f
        for f in home.rglob("*")
        if f.is_file() and not left_out & set(f.relative_to(home).parts)
    }
    told = "".join(f"{name}\0{hashlib.sha256(files[name].read_bytes()).hexdigest()}\n" for name in sorted(files))
    assert code() == {"evalkit": __version__, "sha256": hashlib.sha256(told.encode()).hexdigest()}


# -- notebooks that are none -------------------------------------------------------------------------------------------
GOOD = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "execution_count": None, "outputs": []}


@pytest.mark.parametrize(
    "change", [{"cell_type": "other"}, {"source": None}, {"source": 5}, {"outputs": [{"output_type": "other"}]}, {"outputs": 1}]
)  # fmt: skip
def test_a_notebook_that_is_not_as_notebooks_are(change: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    whole: dict[str, Any] = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    file.write_text(json.dumps({**whole, "cells": [GOOD]}), encoding="utf-8")
    assert read_notebook(file).cells[0].source == "1"
    file.write_text(json.dumps({**whole, "cells": [GOOD | change]}), encoding="utf-8")
    with pytest.raises(ProtocolError) as refused:
        read_notebook(file)
    assert str(refused.value) == f"{file}: is not a readable notebook; open it in JupyterLab and save it"


# -- programs that publishing starts -----------------------------------------------------------------------------------
def test_what_a_program_finds_around_it(tmp_path: Path) -> None:
    """Nothing to read, a session of its own, the folder it works for; what is no text is not lost."""
    told = (
        "import os, sys; os.write(1, b'\\xff|'); "
        f"print(repr(sys.stdin.read()), os.getsid(0) == os.getpid(), os.environ['{ENVIRONMENT}'] == os.getcwd())"
    )
    done = run_child([sys.executable, "-c", told], folder=tmp_path, timeout=30)
    assert (done.code, done.out, done.err) == (0, "\ufffd|'' True True\n", "")


# -- what an output is called -------------------------------------------------------------------------------------------
CALLED = {
    "application/vnd.jupyter.widget-view+json": "a widget", "application/javascript": "a script", "text/javascript": "a script",
    "application/pdf": "a PDF", "image/svg+xml": "a figure", "image/png": "a picture", "image/jpeg": "a picture", "image/gif": "a picture",
    "application/json": "JSON", "application/geo+json": "JSON", "text/html": "HTML (a data frame, say)", "text/latex": "LaTeX",
    "text/markdown": "Markdown", "text/plain": "a value",
}  # fmt: skip


def test_what_each_output_is_called() -> None:
    assert {mime: _kind({"text/plain": "x", mime: "x"}) for mime in CALLED} == CALLED
    assert _kind(dict.fromkeys(CALLED, "x")) == "a widget"


def test_words_of_neighbouring_elements_are_no_one_word() -> None:
    """Else two cells of a table would hold somebody's identifier; what inline tags split is one word."""
    texts = list(pieces("<td>QX81</td>f2aa03<b>QX82</b>f2aa03</stray>"))
    assert texts[0].split() == ["QX81", "f2aa03QX82f2aa03"]
    assert texts[1] == "b stray td"
    assert "".join(pieces("<style>#abc123</style><p>#def456</p>")).count("#") == 1


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("3/4/22", [{date(2022, 3, 4), date(2022, 4, 3)}]), ("3/4/2022", [{date(2022, 3, 4), date(2022, 4, 3)}]), ("3-31-2022", [{date(2022, 3, 31)}]),
        ("31.3.2022", [{date(2022, 3, 31)}]), ("3.31.2022", [{date(2022, 3, 31)}]), ("2022-3-04", [{date(2022, 3, 4)}]), ("2022/13/04", []),
        ("march 4, 2022", [{date(2022, 3, 4)}]), ("4 de marzo de 2022", [{date(2022, 3, 4)}]), ("4th of march 2022", [{date(2022, 3, 4)}]),
    ],
)  # fmt: skip
def test_readings_of_a_day(text: str, days: list[set[date]]) -> None:
    assert [set(found) for found in dates_in(text)] == days


# -- places of releases -------------------------------------------------------------------------------------------------
OF = {
    "manifest": 3, "study": "tiny", "report": "tiny", "period": "2000Q4",
    "inputs": {}, "known": {}, "outputs": {}, "parameters": {}, "publication": {"publisher": "embedded", "to": ["html"]},
}  # fmt: skip
REVISION = "and is revision {} of tiny/tiny/2000Q4"


def placed(root: Path, place: str, *, among: bool = True, **manifest: Any) -> tuple[Path, dict[str, Any]]:
    """Put a folder with a manifest somewhere; ``among`` releases, where the ledger's word stands."""
    folder = root / place
    folder.mkdir(parents=True)
    told = {**OF, **manifest}
    (folder / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    if among:
        (folder.parent.parent / ".ledger").write_text("", encoding="utf-8")
    return folder, told


@pytest.mark.parametrize(
    ("place", "manifest", "wrong"),
    [
        ("tiny/tiny/2000Q4", {}, ""), ("tiny/tiny/2000Q4", {"revision": 3}, ""), ("tiny/tiny/2000Q4.r1", {}, ""),
        ("tiny/tiny/2000Q4.r3", {"revision": 3}, ""), ("tiny/tiny/2000Q4.r1", {"revision": 2}, "it lies at tiny/tiny/2000Q4.r1, " + REVISION.format(2)),
        ("tiny/tiny/2000Q4.r2", {}, "it lies at tiny/tiny/2000Q4.r2, " + REVISION.format(1)),
        ("tiny/tiny/2000Q4.r0", {"revision": 0}, ""),
        ("tiny/tiny/2000Q3", {}, "it lies at tiny/tiny/2000Q3, " + REVISION.format(1)),
        ("tiny/other/2000Q4", {}, "it lies at tiny/other/2000Q4, " + REVISION.format(1)),
        ("other/tiny/2000Q4", {}, "it lies at other/tiny/2000Q4, " + REVISION.format(1)),
        ("tiny/tiny/2000-01-01_to_2000-06-30", {"period": "2000-01-01..2000-06-30"}, ""),
    ],
)  # fmt: skip
def test_where_a_release_belongs(place: str, manifest: dict[str, Any], wrong: str, tmp_path: Path) -> None:
    assert misplaced(*placed(tmp_path, place, **manifest)) == (wrong, "")


@pytest.mark.parametrize(
    ("place", "named"), [("post/box/copy", False), ("post/box/2000Q4", True), ("box/tiny/copy", False)]
)
def test_a_release_that_is_not_among_releases(place: str, named: bool, tmp_path: Path) -> None:
    release, manifest = placed(tmp_path, place, among=False)
    assert misplaced(release, manifest) == ("", "whether it lies where it belongs: it is not among releases")
    assert broken_chain(release, manifest) == ("", "")
    if named:  # a name that says another period says what is wrong wherever it lies
        release, manifest = placed(tmp_path / "more", "post/box/2000Q3", among=False)
        assert misplaced(release, manifest)[0].startswith("it lies at post/box/2000Q3, ")


def test_a_first_release_supersedes_none_and_is_followed_by_none(tmp_path: Path) -> None:
    """Manifests from before there were revisions say no number: they are the first."""
    first, manifest = placed(tmp_path, "tiny/tiny/2000Q4")
    assert broken_chain(first, manifest) == ("", "")
    assert broken_chain(first, {**manifest, "supersedes": {"revision": 1}}) == (
        "revision 1 says that it supersedes another",
        "",
    )
    placed(tmp_path, "tiny/tiny/2000Q4.r1")
    assert broken_chain(first, manifest)[0] == "revision 1 lies where revision 2 was published"


def test_a_kept_release_whose_follower_is_gone(tmp_path: Path) -> None:
    kept, manifest = placed(tmp_path, "tiny/tiny/2000Q4.r1")
    assert broken_chain(kept, manifest) == ("", "whether it was superseded: there is no release at 2000Q4")
    placed(tmp_path, "tiny/tiny/2000Q4", revision=1)
    assert broken_chain(kept, manifest) == ("revision 1 lies at 2000Q4, which revision 1 is kept beside", "")


@pytest.mark.parametrize(
    ("supersedes", "wrong"),
    [
        ({"revision": 0, "manifest_sha256": ""}, True), ({"revision": 2, "manifest_sha256": ""}, True), ({"revision": "1", "manifest_sha256": ""}, True),
        ({"revision": 1, "manifest_sha256": None}, True), ({"revision": 1, "manifest_sha256": ""}, False), (None, True),
    ],
)  # fmt: skip
def test_a_second_release_names_the_first(supersedes: dict[str, Any] | None, wrong: bool, tmp_path: Path) -> None:
    release, manifest = placed(tmp_path, "tiny/tiny/2000Q4", revision=2, supersedes=supersedes)
    said = (
        ("revision 2 does not say which one it supersedes", "")
        if wrong
        else ("", "revision 1, which is not kept beside it")
    )
    assert broken_chain(release, manifest) == said


def test_a_guard_does_not_show_what_it_guards() -> None:
    guard = Guard("key-k1", Identifiers.of(["P81f2aa03"]), frozenset({"pass-w0rd"}), frozenset({"/home/me"}))
    assert repr(guard) == "Guard(identifiers=Identifiers(unsearched=0), dates=frozenset(), numbers=frozenset())"
    again = Guard("key-k1", guard.identifiers, guard.secrets, guard.paths)
    guard.objection(["a text"])
    assert guard == again  # what it has read before is no part of it


def test_a_text_that_passed_undated_is_read_again_for_its_days() -> None:
    guard = Guard()
    assert guard.objection(["on 2022-03-04"], dated=False) == ""
    assert "exact day" in guard.objection(["on 2022-03-04"])
    assert "exact day" in guard.objection(["on 2022-03-04"])  # and what did not pass is not taken as passed
    assert guard.objection(["on 2022-03-04"], dated=False) == ""


def test_what_is_kept_of_a_mark_for_review() -> None:
    told = {name: f"its {name}" for name in ("shows", "kind", "estimate", "verdict", "alt", "line")}
    output = {"data": {"text/plain": "x"}, "metadata": {MARK: {**told, "seal": "s", "numbers": [1], "digest": "d"}}}
    kept = _plain(output)
    assert dict(kept.metadata[MARK]) == told
    assert dict(kept.data) == {"text/plain": "x"}
    few = _plain({"data": {}, "metadata": {MARK: {"kind": "k", "seal": "s"}}})
    assert dict(few.metadata[MARK]) == {"kind": "k"}


def test_a_release_has_its_figures_for_phones_whatever_its_surroundings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DRAFTED, "1")
    assert DRAFTED not in kernel_environment(tmp_path, tmp_path)


def test_an_old_import_path_of_evalkit_is_no_reason_to_refuse_a_notebook(tmp_path: Path) -> None:
    """As a kernel starts: a deprecated name of ours is quiet there, another package's is not."""
    told = (
        "import warnings; from evalkit import engagement; engagement.funnel; "
        "warnings.warn('other is old', DeprecationWarning)"
    )
    done = run_child(
        [sys.executable, "-c", told], folder=tmp_path, env=kernel_environment(tmp_path, tmp_path), timeout=60
    )
    assert done.code == 0
    assert "other is old" in done.err
    assert "evalkit.engagement" not in done.err
    alone = {**kernel_environment(tmp_path, tmp_path), "PYTHONWARNINGS": ""}
    assert "evalkit.engagement" in run_child([sys.executable, "-c", told], folder=tmp_path, env=alone, timeout=60).err
