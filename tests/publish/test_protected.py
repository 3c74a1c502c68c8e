"""Renders held against themselves and against what was published before: rows withheld, or one clear line."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.cli._render import Request, plan
from evalkit.counts import Tally, codes_of
from evalkit.disclosure import Cell, Ledger, Policy, Record, make_safe
from evalkit.engagement._analyses import ShareOf
from evalkit.errors import DisclosureError, UsageError
from evalkit.protocol import load_study, private_folder
from evalkit.publish import RenderJob, write_pack
from evalkit.publish._held import ledger_for, release_name
from evalkit.publish._manifest import _VERSION, MANIFEST
from evalkit.publish._protected import Protected, _sealed_by_identifiers, run_protected
from evalkit.publish._standing import Standing
from publish import standin
from publish.shows import recorded
from publish.standin import give_secret, write_world
from publish.test_render import run
from publish.test_verify import verify

PLACE = Path("reports/tiny/tiny/2000Q4")

NESTED = "show(twelve=range(12), eleven=range(11))"


def write(folder: Path, shows: str) -> None:
    """Write a world whose notebook shows made-up groups."""
    shown = new_code_cell(f'#| label: tbl-one\n#| tbl-cap: "One table"\nfrom door import show\n{shows}')
    write_world(folder, [*standin.cells()[:3], shown])
    shutil.copyfile(Path(__file__).with_name("shows.py"), folder / "notebooks" / "door.py")


def entries(folder: Path) -> list[Path]:
    return sorted((folder / ".evalkit" / "tiny" / "ledger").glob("*/[0-9]*-*.json"))


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose notebook shows two groups that differ by one person."""
    folder = tmp_path_factory.mktemp("nested")
    write(folder, NESTED)
    done = run(folder, "--to", "html")
    assert done.returncode == 0, done.stderr
    assert "1 rows are withheld so that nobody is singled out; running the notebook again" in done.stderr
    return folder


def test_the_notebook_runs_again_with_a_row_withheld(nested: Path) -> None:
    rows = pd.read_csv(nested / PLACE / "data" / "tbl-one.csv")
    assert rows["n"].isna().tolist() == [False, True]
    manifest = json.loads((nested / PLACE / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["disclosure"]["rows_withheld_for_others"] == 1
    assert manifest["ledger"] == []
    assert manifest["disclosure"].keys() == {"rows_withheld_for_others", "withheld", "counts_without_people"}
    assert [file.name for file in entries(nested)] == ["00001-tiny-2000Q4-r1.json"]
    (kept,) = (nested / ".evalkit" / "tiny" / "review").glob("*/record.jsonl")
    (line,) = [json.loads(text) for text in kept.read_text(encoding="utf-8").splitlines()]
    shown = {(cell["count"], cell["shown"]) for cell in line["cells"] if cell["column"] == "n"}
    assert shown == {(12, True), (11, False)}  # of the last run, not of the first


def test_the_review_says_why_the_row_is_gone(nested: Path) -> None:
    pack = write_pack(nested / PLACE, load_study(nested / "study.yaml"))
    counts = pd.read_csv(pack / "counts.csv")
    ours = counts[counts["column"] == "n"].set_index("exact")["rule"].to_dict()
    assert ours == {12: "rounded", 11: "withheld so that another cannot be worked out"}


def test_a_first_release_is_verified_where_there_is_no_ledger(nested: Path, tmp_path: Path) -> None:
    """Which rows were withheld for others' sake, only the study's secret tells."""
    write(tmp_path, NESTED)
    shutil.copytree(nested / PLACE, tmp_path / "sent" / "tiny" / "release")
    lost = verify(tmp_path, tmp_path / "sent" / "tiny" / "release")
    assert lost.returncode == 12
    assert "not checked: whether the tables are the same files and rows: the study's secret is not here" in lost.stdout
    assert "it cannot be made again: rows were withheld so that others cannot be worked out, and only" in lost.stderr
    give_secret(nested, tmp_path)
    done = verify(tmp_path, tmp_path / "sent" / "tiny" / "release")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every file has the same bytes" in done.stdout
    assert not list((tmp_path / "sent").rglob(".ledger"))


# -- The same without kernels: a run is a function that records what a notebook would show --------------------------


def job_in(folder: Path, period: str = "2000Q4") -> RenderJob:
    if not (folder / "study.yaml").is_file():
        write_world(folder)
    request = Request(report="tiny", periods=(period,), studies=(folder / "study.yaml",), out=folder / "reports")
    return plan(request, folder / "study.yaml")[0]


def showing(**groups: Sequence[int]) -> Callable[[Mapping[str, str]], NotebookNode]:
    """Return a run that shows groups of people."""

    def ran(variables: Mapping[str, str]) -> NotebookNode:
        _, safe = recorded(groups, Record.of_run(variables))
        table = safe.estimates.tidy()
        return said(" ".join(table.loc[table["n"].notna(), "group"]))

    return ran


def said(words: str) -> NotebookNode:
    return new_notebook(cells=[new_markdown_cell(words, id="said")])


def protected(
    job: RenderJob, ran: Callable[[Mapping[str, str]], NotebookNode], standing: Standing | None = None
) -> Protected:
    scratch = job.out.parent / f"scratch-{len(list(job.out.parent.glob('scratch-*')))}"
    scratch.mkdir()
    return run_protected(job, standing or Standing(job.target), scratch, ran, lambda _: None)


def publish(job: RenderJob, ran: Callable[[Mapping[str, str]], NotebookNode]) -> Protected:
    """Do what a render does with a run, with a manifest that says no more than the ledger needs."""
    done = protected(job, ran)
    facts = {
        "manifest": _VERSION,
        "study": "tiny",
        "report": "tiny",
        "period": job.period.name,
        "revision": 1,
        **done.facts(),
    }
    content = json.dumps(facts).encode()
    with done.ledger.adding(release_name("tiny", job.period.name, 1), done.cells, hashlib.sha256(content).hexdigest()):
        job.target.mkdir(parents=True)
        (job.target / MANIFEST).write_bytes(content)
    return done


def test_what_another_policy_made_stops_the_release(tmp_path: Path) -> None:
    def ran(variables: Mapping[str, str]) -> NotebookNode:
        recorded({"all": range(40)}, Record.of_run(variables), Policy(minimum_count=1, rounding_base=1))
        return said("")

    with pytest.raises(DisclosureError, match="made by another policy than the study's"):
        protected(job_in(tmp_path), ran)


def test_what_left_no_record_stops_the_release(tmp_path: Path) -> None:
    mark = {"shows": "table", "kind": "proportion", "estimate": "0123456789ab", "verdict": "released"}
    cell = new_code_cell("x", outputs=[new_output("display_data", data={}, metadata={"evalkit": mark})])
    with pytest.raises(DisclosureError, match="cell 1: shows an estimate of which there is no record"):
        protected(job_in(tmp_path), lambda _: new_notebook(cells=[cell]))


def test_counts_that_do_not_say_whose_they_are_are_counted(tmp_path: Path) -> None:
    def ran(variables: Mapping[str, str]) -> NotebookNode:
        rows = pd.DataFrame({"group": ["a", "b"], "term": "t", "n_event": [20, 4], "n": [40, 40]})
        exact = ShareOf(kind="proportion", estimand="e").estimate(Tally(rows))
        record = Record.of_run(variables)
        record.add(exact, make_safe(exact, Policy(), record.withhold))
        return said("")

    found = protected(job_in(tmp_path), ran).facts()["disclosure"]
    assert found["counts_without_people"] == 2  # n and n_event of the row that is shown
    assert protected(job_in(tmp_path), showing(all=range(40))).facts()["disclosure"]["counts_without_people"] == 0


def test_what_is_not_shown_has_a_record_too(tmp_path: Path) -> None:
    """An estimate of which nothing is left has another id: there is no analysis that could be asked again."""

    def ran(variables: Mapping[str, str]) -> NotebookNode:
        exact, safe = recorded({"few": range(4)}, Record.of_run(variables))
        assert safe.verdict == "withheld"
        assert safe.estimates.id != exact.id
        mark = {"shows": "markdown", "kind": "proportion", "estimate": safe.estimates.id, "verdict": "withheld"}
        cell = new_code_cell("x", outputs=[new_output("display_data", data={}, metadata={"evalkit": mark})])
        return new_notebook(cells=[cell])

    assert protected(job_in(tmp_path), ran).facts()["disclosure"]["rows_withheld_for_others"] == 0


def test_a_later_release_is_held_against_the_first(tmp_path: Path) -> None:
    first = publish(job_in(tmp_path, "2000Q3"), showing(twelve=range(12), others=range(40, 60)))
    assert (first.executed, first.earlier) == (said("twelve others"), ())
    second = protected(job_in(tmp_path), showing(eleven=range(11), others=range(40, 60)))
    assert second.executed == said("others")  # twelve then and eleven now: the one who is missing would be known
    assert second.facts()["ledger"] == ["tiny-2000Q3-r1"]
    assert second.facts()["disclosure"]["rows_withheld_for_others"] == 1
    alone = protected(job_in(tmp_path / "alone"), showing(eleven=range(11), others=range(40, 60)))
    assert alone.executed == said("eleven others")


def test_a_release_made_again_is_held_against_the_same_ones(tmp_path: Path) -> None:
    publish(job_in(tmp_path, "2000Q3"), showing(others=range(40, 60)))
    job = job_in(tmp_path)
    done = publish(job, showing(twelve=range(12)))
    publish(job_in(tmp_path, "2000Q2"), showing(all=range(60, 90)))
    again = Standing(job.target, True, done.facts())
    assert protected(job, showing(twelve=range(12)), again).earlier == ("tiny-2000Q3-r1",)
    superseding = protected(replace(job, supersede="why"), showing(eleven=range(11)), again)
    assert superseding.earlier == ("tiny-2000Q3-r1", "tiny-2000Q4-r1", "tiny-2000Q2-r1")
    assert superseding.executed == said("")


def test_what_was_given_away_already_stops_the_release(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    everybody = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(12)]}))
    past = [Cell(f"row {k}", "n", "n", k, True, k, k, np.sort(everybody[:k])) for k in (12, 11)]  # once, unrounded
    ledger = Ledger.of(private_folder(job.study), job.target.parent.parent)
    with ledger.adding("tiny-2000Q3-r1", ledger.keyed(past), ""):
        pass
    with pytest.raises(DisclosureError, match=r"1 small counts would be known exactly \(proportion: one") as error:
        protected(job, showing(one=[11], others=range(40, 60)))
    assert "tiny 2000Q4: " in str(error.value)


def test_a_ledger_that_is_gone_stops_the_next_release(tmp_path: Path) -> None:
    publish(job_in(tmp_path, "2000Q3"), showing(twelve=range(12)))
    shutil.rmtree(tmp_path / ".evalkit" / "tiny" / "ledger")
    with pytest.raises(
        DisclosureError, match=r"\.ledger: the ledger that it names is not in .*ledger; name the private"
    ):
        protected(job_in(tmp_path), showing(eleven=range(11)))


def test_a_second_release_is_made_again_without_its_ledger(tmp_path: Path) -> None:
    publish(job_in(tmp_path, "2000Q3"), showing(twelve=range(12)))
    job = job_in(tmp_path)
    done = publish(job, showing(eleven=range(11), others=range(40, 60)))
    elsewhere = Standing(tmp_path / "sent" / "tiny" / "2000Q4", True, done.facts() | {"secret": "named"})
    again = protected(job, showing(eleven=range(11), others=range(40, 60)), elsewhere)
    assert (again.executed, again.facts()) == (done.executed, done.facts())
    assert done.executed == said("others")  # eleven of the first release's twelve
    assert not (tmp_path / "sent").exists()
    rows = sorted(_sealed_by_identifiers(job, done.plan.withheld))  # as releases named them before there was a secret
    assert rows != done.facts()["disclosure"]["withheld"]
    of_before = done.facts() | {"disclosure": {"rows_withheld_for_others": 1, "withheld": rows}}
    before = protected(job, showing(eleven=range(11), others=range(40, 60)), Standing(elsewhere.place, True, of_before))
    assert before.executed == said("others")
    unknown = {**done.facts(), "disclosure": {**done.facts()["disclosure"], "withheld": []}}
    with pytest.raises(DisclosureError, match="its ledger is not in this study's private folder"):
        protected(job, showing(twelve=range(12)), Standing(elsewhere.place, True, unknown))


def test_another_ledger_is_begun_with_a_reason_only(tmp_path: Path) -> None:
    publish(job_in(tmp_path, "2000Q3"), showing(twelve=range(12)))
    job, said = job_in(tmp_path), []
    other = replace(job, out=tmp_path / "elsewhere")
    (tmp_path / "one").mkdir()
    with pytest.raises(
        DisclosureError, match=r"were published in .*reports/tiny, and what is published here would not"
    ):
        run_protected(other, Standing(other.target), tmp_path / "one", showing(twelve=range(12)), said.append)
    anew = replace(other, new_ledger="A trial for the board")
    done = run_protected(anew, Standing(other.target), tmp_path / "one", showing(twelve=range(12)), said.append)
    assert said == ["releases of this study lie in 1 other folders; what is published here is not held against them"]
    assert done.facts()["new_ledger"] == "A trial for the board"
    publish(anew, showing(twelve=range(12)))
    assert ledger_for(anew).names == ledger_for(other).names == ("tiny-2000Q4-r1",)  # once begun it is the folder's own
    with pytest.raises(UsageError, match=r"is whole and holds every release of .*; leave out --new-ledger"):
        ledger_for(replace(other, new_ledger="Another one"))


def test_a_mark_that_is_gone_is_found_again(tmp_path: Path) -> None:
    publish(job_in(tmp_path, "2000Q3"), showing(twelve=range(12)))
    (tmp_path / "reports" / "tiny" / ".ledger").unlink()
    assert protected(job_in(tmp_path), showing(eleven=range(11))).earlier == ("tiny-2000Q3-r1",)
    shutil.move(tmp_path / "reports", tmp_path / "moved")  # without the mark nobody can say whose ledger it is
    moved = replace(job_in(tmp_path), out=tmp_path / "moved")
    with pytest.raises(DisclosureError, match="releases of this study were published in"):
        protected(moved, showing(eleven=range(11)))
