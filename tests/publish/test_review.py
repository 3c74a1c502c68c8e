"""The output-check pack and approvals: what a person checks, kept in private; who said yes, kept for ever."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.cli._app import app
from evalkit.errors import ReleaseError, UsageError
from evalkit.protocol import Study, load_study, private_folder
from evalkit.publish import approvals_of, approve, write_pack
from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._manifest import _VERSION
from evalkit.publish.release._review import _COLUMNS, _rule, _section, cleaned, keep_for_review
from evalkit.seal import MARK
from publish import standin

ESTIMATE = "abc123abc123"


def cell(name: str, count: int, public: int, shown: bool, linked: bool = True) -> dict[str, Any]:
    return {"name": name, "column": "n", "count": count, "public": public, "shown": shown, "linked": linked}


RECORD = {
    "estimate": ESTIMATE, "kind": "funnel", "estimand": "e", "verdict": "partly", "withheld": ["north"],
    "cells": [cell("all", 43, 45, True), cell("=north", 7, 8, False), cell("south", 14, 13, False), cell("some", 30, 31, True, False)],
}  # fmt: skip


def executed() -> Any:
    mark = {
        "shows": "table",
        "kind": "funnel",
        "estimate": ESTIMATE,
        "verdict": "partly",
        "seal": "s" * 64,
        "number": 1,
        "data": {},
    }
    table = new_output("display_data", data={"text/html": "<table><tr><td>45</td></tr></table>"}, metadata={MARK: mark})
    injected = new_code_cell("study = '/srv/secret/study.yaml'", metadata={"tags": ["injected-parameters"]})
    stream = new_output("stream", name="stdout", text="never")
    cells = [new_code_cell("x: int = 1", metadata={"tags": ["parameters"]}), injected, new_markdown_cell("words", metadata={"note": "n"}),
             new_code_cell("report.show(funnel)", outputs=[table, stream], execution_count=7, metadata={"papermill": {"duration": 1}})]  # fmt: skip
    return new_notebook(cells=cells, metadata={"papermill": {"parameters": {"study": "/srv/secret/study.yaml"}}})


@pytest.fixture
def released(tmp_path: Path) -> tuple[Path, Study]:
    study = load_study(standin.write_world(tmp_path))
    release = tmp_path / "reports" / "tiny" / "tiny" / "2000Q4"
    release.mkdir(parents=True)
    (release / "report.html").write_text("<p>a</p>", encoding="utf-8")
    facts = {
        "manifest": _VERSION,
        "study": "tiny",
        "report": "tiny",
        "period": "2000Q4",
        "outputs": {"report.html": {"sha256": digest(release / "report.html")}},
    }
    (release / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    (tmp_path / "record.jsonl").write_text(json.dumps(RECORD) + "\n", encoding="utf-8")
    keep_for_review(study, release / "manifest.json", executed(), tmp_path / "record.jsonl")
    return release, study


def test_the_kept_notebook_holds_cells_and_sealed_outputs_only() -> None:
    kept = cleaned(executed())
    text = nbformat.writes(kept)
    assert [c.source for c in kept.cells] == ["x: int = 1", "words", "report.show(funnel)"]
    assert len(kept.cells[2].outputs) == 1
    for word in ("/srv/secret", "papermill", "never", "note", "s" * 64, "injected"):
        assert word not in text
    nbformat.validate(kept)


def test_the_pack_says_what_stands_underneath_and_why(released: tuple[Path, Study]) -> None:
    pack = write_pack(*released)
    counts = pd.read_csv(pack / "counts.csv")
    assert list(counts["exact"]) == [43, 7, 14, 30]
    assert list(counts["cell"]) == [3, 3, 3, 3]
    assert list(counts["rule"]) == [
        "noise of the people",
        "withheld: fewer than 11",
        "withheld with its row",
        "noise of the question: who they are is not known",
    ]
    assert counts["published"].fillna(-1).tolist() == [45, -1, -1, 31]
    assert counts["what"].iloc[1] == "'=north"
    page = (pack / "index.html").read_text(encoding="utf-8")
    assert "<td>45</td>" in page
    assert "minimum_count" in page
    assert "Private" in page


def test_the_pack_is_private_and_can_be_written_again(released: tuple[Path, Study]) -> None:
    first = write_pack(*released)
    again = write_pack(*released)
    assert first == again
    assert first.is_relative_to(private_folder(released[1]))
    for place in (again, again.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert all(stat.S_IMODE(f.stat().st_mode) == 0o600 for f in place.iterdir() if f.is_file())
    assert not [f for f in again.iterdir() if f.name.startswith(".")]


def test_another_release_has_no_pack(released: tuple[Path, Study], tmp_path: Path) -> None:
    release, study = released
    (release / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReleaseError, match="nothing was kept"):
        write_pack(release, study)
    with pytest.raises(ReleaseError, match="is no release"):
        write_pack(tmp_path, study)


def test_an_approval_is_kept_twice_and_never_changed(released: tuple[Path, Study]) -> None:
    release, study = released
    first = approve(release, study, name="Ann Lee", reason="checked\nall", now=datetime(2022, 10, 3, tzinfo=UTC))
    second = approve(release, study, name="Bo", reason="=agree")
    assert (first.date, first.reason, first.release) == ("2022-10-03T00:00:00Z", "checked all", "tiny/tiny/2000Q4")
    assert first.manifest_sha256 == digest(release / "manifest.json")
    assert second.reason == "'=agree"
    assert approvals_of(release) == [first, second]
    private = private_folder(study) / "approvals.jsonl"
    beside = release.with_name("2000Q4.approvals.jsonl")
    assert private.read_text(encoding="utf-8") == beside.read_text(encoding="utf-8")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    (release / "manifest.json").write_text((release / "manifest.json").read_text() + " ", encoding="utf-8")
    assert approvals_of(release) == []  # another manifest is another release


def test_what_was_changed_cannot_be_approved(released: tuple[Path, Study], tmp_path: Path) -> None:
    release, study = released
    for name, reason in (("", "r"), ("n", " \n")):
        with pytest.raises(UsageError):
            approve(release, study, name=name, reason=reason)
    link = tmp_path / "link"
    link.symlink_to(release)
    with pytest.raises(ReleaseError, match="is no release"):
        approve(link, study, name="n", reason="r")
    (release / "report.html").write_text("<p>b</p>", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"report\.html is not what its manifest says"):
        approve(release, study, name="n", reason="r")
    other = json.loads((release / "manifest.json").read_text()) | {"study": "other"}
    (release / "manifest.json").write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(ReleaseError, match="another study"):
        approve(release, study, name="n", reason="r")
    assert not (private_folder(study) / "approvals.jsonl").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"{", b"[]", b'"a"', b"\xff\xfe", b"{}", b'{"manifest": 2}',
        b'{"manifest": 2, "study": "tiny", "report": "tiny", "period": 5, "outputs": [], "parameters": 3}',
        b'{"manifest": 2, "study": "tiny", "report": "tiny", "period": "2000Q4"}',
        b'{"manifest": 2, "study": "tiny", "report": "tiny", "period": "2000Q4", "outputs": {}}',
        b'{"manifest": 2, "study": "tiny", "report": "tiny", "period": "2000Q4", "outputs": {"../x": {"sha256": "a"}}}',
        b'{"manifest": 2, "study": "tiny", "report": "tiny", "period": "2000Q4", "outputs": {"report.html": 3}}',
    ],
)  # fmt: skip
def test_an_invented_manifest_is_not_approved(released: tuple[Path, Study], content: bytes) -> None:
    release, study = released
    (release / "manifest.json").write_bytes(content.replace(b'"manifest": 2', f'"manifest": {_VERSION}'.encode()))
    with pytest.raises(ReleaseError):
        approve(release, study, name="n", reason="r")
    assert not (private_folder(study) / "approvals.jsonl").exists()


def test_a_file_that_the_manifest_does_not_name_is_not_approved(released: tuple[Path, Study]) -> None:
    release, study = released
    (release / "more.csv").write_text("a", encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"more\.csv is not what its manifest says"):
        approve(release, study, name="n", reason="r")


def test_two_outputs_of_one_question_are_told_apart(released: tuple[Path, Study]) -> None:
    """Women and men are asked the same: what stands under each is found by the record's line, not by the question."""
    release, study = released
    notebook = executed()
    first = notebook.cells[-1]
    first.outputs[0].metadata[MARK]["line"] = 1
    second = new_code_cell("report.show(other)", outputs=[new_output("display_data", data=dict(first.outputs[0].data), metadata={MARK: {**first.outputs[0].metadata[MARK], "line": 2}})])  # fmt: skip
    third = new_code_cell("x", outputs=[new_output("display_data", data=dict(first.outputs[0].data), metadata={MARK: {**first.outputs[0].metadata[MARK], "line": 9}})])  # fmt: skip
    notebook.cells += [second, third]
    record = release.parent / "record.jsonl"
    lines = [{**RECORD, "line": 1}, {**RECORD, "line": 2, "cells": [cell("men", 60, True, 58, 62)]}]
    record.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    kept = keep_for_review(study, release / "manifest.json", notebook, record)
    assert kept.is_dir()
    pack = write_pack(release, study)
    counts = pd.read_csv(pack / "counts.csv")
    assert counts.groupby("line")["cell"].unique().map(list).to_dict() == {1: [3], 2: [4]}
    page = (pack / "index.html").read_text(encoding="utf-8")
    sections = page.split("<section>")[1:]
    assert ["men" in section for section in sections] == [False, True, False]
    assert "Nothing is recorded of what is shown here" in sections[2]


def test_why_a_count_is_not_shown() -> None:
    rules = [_rule({"shown": False, "linked": True, "count": count}, 11) for count in (0, 1, 10, 11)]
    assert rules == ["withheld with its row", *["withheld: fewer than 11"] * 2, "withheld with its row"]


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        ({"text/markdown": "**45** & <5", "text/plain": "x"}, "<pre>**45** &amp; &lt;5</pre>"),
        ({"text/markdown": "a", "text/html": "<b>h</b>"}, "<b>h</b>"),
        ({"text/markdown": "a", "text/html": "<b>h</b>", "image/svg+xml": "<svg/>"}, "<svg/>"),
        ({}, "<pre></pre>"),
    ],
)
def test_what_is_seen_of_an_output(data: dict[str, str], seen: str) -> None:
    output = {"cell": 4, "line": 0, "estimate": "", "kind": "methods", "verdict": "", "alt": "A <b>", "data": data}
    assert _section(output, pd.DataFrame(columns=_COLUMNS)) == (
        f"<section><h3>Cell 4: methods, from the protocol </h3>{seen}<p><em>Alternative text:</em> A &lt;b&gt;</p>"
        '<div class="secret"><h4>Underneath</h4><p>No counts of people underneath.</p></div></section>'
    )


def test_both_commands(released: tuple[Path, Study], capsys: pytest.CaptureFixture[str]) -> None:
    release, study = released
    app(["review", str(release), "--study", str(study.path)], standalone_mode=False)
    app(
        ["approve", str(release), "--study", str(study.path), "--name", "Ann", "--reason", "checked"],
        standalone_mode=False,
    )
    said = capsys.readouterr().out
    assert "index.html" in said
    assert "tiny/tiny/2000Q4: approved by Ann" in said
