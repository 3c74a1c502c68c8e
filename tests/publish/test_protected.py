"""Renders held to the study's policy and secret, and written down in its ledger."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit.analyses._analyses import ShareOf
from evalkit.cli._render import Request, plan
from evalkit.counts import Tally, codes_of
from evalkit.disclosure import Policy, Record, Told, make_safe, read_told
from evalkit.errors import DisclosureError, UsageError
from evalkit.protocol import load_disclosure, load_study, noise_secret
from evalkit.publish import RenderJob, write_pack
from evalkit.publish._make import Protected, run_protected
from evalkit.publish.release._manifest import _VERSION, MANIFEST
from evalkit.publish.release._review import keep_for_review, kept_folder_of, told_before
from evalkit.publish.release._standing import Standing, ledger_for, release_name
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
    door = Path(__file__).with_name("shows.py").read_text(encoding="utf-8")
    door = door.replace('SECRET = ""', f'SECRET = "{standin.POLICY.secret.hex()}"')
    (folder / "notebooks" / "door.py").write_text(door, encoding="utf-8")


def entries(folder: Path) -> list[Path]:
    return sorted((folder / ".evalkit" / "tiny" / "ledger").glob("*/[0-9]*-*.json"))


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose notebook shows two groups that differ by one person."""
    folder = tmp_path_factory.mktemp("nested")
    write(folder, NESTED)
    done = run(folder, "--to", "html")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cell 1 of") == 1, done.stderr  # the notebook runs once
    return folder


def test_two_groups_that_differ_by_one_person_are_both_shown_with_their_own_noise(nested: Path) -> None:
    rows = pd.read_csv(nested / PLACE / "data" / "tbl-one.csv")
    everybody = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(99)]}))
    assert rows["n"].tolist() == [standin.POLICY.public(n, everybody[:n]) for n in (12, 11)]
    manifest = json.loads((nested / PLACE / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["ledger"] == []
    assert manifest["disclosure"] == {"method": "noise", "counts_without_people": 0}
    assert [file.name for file in entries(nested)] == ["00001-tiny-2000Q4-r1.json"]
    (kept,) = (nested / ".evalkit" / "tiny" / "review").glob("*/record.jsonl")
    (line,) = [json.loads(text) for text in kept.read_text(encoding="utf-8").splitlines()]
    shown = {(cell["count"], cell["shown"]) for cell in line["cells"] if cell["column"] == "n"}
    assert shown == {(12, True), (11, True)}


def test_the_review_says_what_was_done_to_each_count(nested: Path) -> None:
    pack = write_pack(nested / PLACE, load_study(nested / "study.yaml"))
    counts = pd.read_csv(pack / "counts.csv")
    ours = counts[counts["column"] == "n"].set_index("exact")["rule"].to_dict()
    assert ours == {12: "noise of the people", 11: "noise of the people"}


def test_a_release_of_nobody_real_is_verified_without_the_secret(nested: Path, tmp_path: Path) -> None:
    write(tmp_path, NESTED)
    shutil.copytree(nested / PLACE, tmp_path / "sent" / "tiny" / "release")
    blind = verify(tmp_path, tmp_path / "sent" / "tiny" / "release")
    assert blind.returncode == 0, blind.stdout + blind.stderr
    assert "not checked: whether the tables are the same files and rows: the study's secret is not here" in blind.stdout
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
        _, safe = recorded(groups, Record.of_run(variables), standin.POLICY)
        table = safe.estimates.tidy()
        return said(" ".join(table.loc[table["n"].notna(), "group"]))

    return ran


def said(words: str) -> NotebookNode:
    """Return a notebook that says something, and that nobody in it is real."""
    mark = {"shows": "cover", "document": {"synthetic": True}}
    cover = new_code_cell("c", id="cover", outputs=[new_output("display_data", data={}, metadata={"evalkit": mark})])
    return new_notebook(cells=[cover, new_markdown_cell(words, id="said")])


def protected(
    job: RenderJob, ran: Callable[[Mapping[str, str]], NotebookNode], standing: Standing | None = None
) -> Protected:
    scratch = job.out.parent / f"scratch-{len(list(job.out.parent.glob('scratch-*')))}"
    scratch.mkdir()
    return run_protected(job, standing or Standing(job.target), scratch, ran)


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
    with done.ledger.adding(release_name("tiny", job.period.name, 1), hashlib.sha256(content).hexdigest()):
        job.target.mkdir(parents=True)
        (job.target / MANIFEST).write_bytes(content)
    return done


def test_what_another_policy_made_stops_the_release(tmp_path: Path) -> None:
    def ran(variables: Mapping[str, str]) -> NotebookNode:
        recorded({"all": range(40)}, Record.of_run(variables), Policy(minimum_count=1))
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
        record.add(exact, make_safe(exact, standin.POLICY))
        return said("")

    found = protected(job_in(tmp_path), ran).facts()["disclosure"]
    assert found["counts_without_people"] == 2  # n and n_event of the row that is shown
    assert protected(job_in(tmp_path), showing(all=range(40))).facts()["disclosure"]["counts_without_people"] == 0


def test_what_is_not_shown_has_a_record_too(tmp_path: Path) -> None:
    """An estimate of which nothing is left has another id: there is no analysis that could be asked again."""

    def ran(variables: Mapping[str, str]) -> NotebookNode:
        exact, safe = recorded({"few": range(4)}, Record.of_run(variables), standin.POLICY)
        assert safe.verdict == "withheld"
        assert safe.estimates.id != exact.id
        mark = {"shows": "markdown", "kind": "proportion", "estimate": safe.estimates.id, "verdict": "withheld"}
        cell = new_code_cell("x", outputs=[new_output("display_data", data={}, metadata={"evalkit": mark})])
        return new_notebook(cells=[*said("").cells, cell])

    found = protected(job_in(tmp_path), ran)
    assert (found.counts, found.small, found.unlinked) == (3, 2, 0)  # four, nobody with it, four without
    assert found.looked() == {"counts": 3, "small_counts": 2}


def test_another_secret_stops_the_release(tmp_path: Path) -> None:
    """Under two secrets the same group would have two numbers, and their mean tells more than either."""

    def ran(variables: Mapping[str, str]) -> NotebookNode:
        recorded({"all": range(40)}, Record.of_run(variables), replace(standin.POLICY, secret=bytes(32)))
        return said("")

    with pytest.raises(DisclosureError, match="made by another policy than the study's"):
        protected(job_in(tmp_path), ran)


def test_what_says_that_somebody_is_real_needs_the_study_s_own_secret(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    own = Policy.of(load_disclosure(job.study), noise_secret(job.study, synthetic=False))
    assert own.fingerprint != standin.POLICY.fingerprint

    def ran(policy: Policy) -> Callable[[Mapping[str, str]], NotebookNode]:
        def shows(variables: Mapping[str, str]) -> NotebookNode:
            recorded({"all": range(40)}, Record.of_run(variables), policy)
            return new_notebook()

        return shows

    with pytest.raises(DisclosureError, match="made by another policy than the study's"):
        protected(job, ran(standin.POLICY))
    assert protected(job, ran(own)).counts == 2


def test_a_release_made_again_names_the_same_ones(tmp_path: Path) -> None:
    publish(job_in(tmp_path, "2000Q3"), showing(others=range(40, 60)))
    job = job_in(tmp_path)
    done = publish(job, showing(twelve=range(12)))
    publish(job_in(tmp_path, "2000Q2"), showing(all=range(60, 90)))
    again = Standing(job.target, True, done.facts())
    made = protected(job, showing(twelve=range(12)), again)
    assert (made.earlier, made.facts()) == (("tiny-2000Q3-r1",), done.facts())
    superseding = protected(replace(job, supersede="why"), showing(eleven=range(11)), again)
    assert superseding.earlier == ("tiny-2000Q3-r1", "tiny-2000Q4-r1", "tiny-2000Q2-r1")


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
    assert not (tmp_path / "sent").exists()


def test_another_ledger_is_begun_with_a_reason_only(tmp_path: Path) -> None:
    publish(job_in(tmp_path, "2000Q3"), showing(twelve=range(12)))
    job = job_in(tmp_path)
    other = replace(job, out=tmp_path / "elsewhere")
    (tmp_path / "one").mkdir()
    with pytest.raises(
        DisclosureError, match=r"were published in .*reports/tiny, and what is published here would not"
    ):
        run_protected(other, Standing(other.target), tmp_path / "one", showing(twelve=range(12)))
    anew = replace(other, new_ledger="A trial for the board")
    done = run_protected(anew, Standing(other.target), tmp_path / "one", showing(twelve=range(12)))
    assert done.facts()["new_ledger"] == "A trial for the board"
    publish(anew, showing(twelve=range(12)))
    assert ledger_for(anew).names == ledger_for(other).names == ("tiny-2000Q4-r1",)  # once begun it is the folder's own
    with pytest.raises(UsageError) as refused:
        ledger_for(replace(other, new_ledger="Another one"))
    whole = f"{ledger_for(anew).folder}: is whole and holds every release of {tmp_path / 'elsewhere' / 'tiny'}"
    assert str(refused.value) == f"{whole}; leave out --new-ledger"


def test_what_was_left_out_is_given_to_the_run_that_makes_a_release_again(tmp_path: Path) -> None:
    found: list[list[str] | None] = []

    def ran(variables: Mapping[str, str]) -> NotebookNode:
        assert Path(variables["EVALKIT_RECORD"]) == Path(variables["EVALKIT_TOLD"]) / "record.jsonl"
        file = Path(variables["EVALKIT_TOLD"]) / "left_out.json"
        found.append(json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None)
        return showing(all=range(40))(variables)

    job = job_in(tmp_path)
    standing = Standing(job.target, there=True, manifest={"disclosure": {"left_out": ["a", "b"]}})
    for one, there in (
        (job, standing),
        (job, replace(standing, manifest={})),
        (replace(job, supersede="why"), standing),
    ):
        protected(one, ran, there)
    assert found == [["a", "b"], [], None]  # what is published anew is asked anew


def test_a_mark_that_is_gone_is_found_again(tmp_path: Path) -> None:
    publish(job_in(tmp_path, "2000Q3"), showing(twelve=range(12)))
    (tmp_path / "reports" / "tiny" / ".ledger").unlink()
    assert protected(job_in(tmp_path), showing(eleven=range(11))).earlier == ("tiny-2000Q3-r1",)
    shutil.move(tmp_path / "reports", tmp_path / "moved")  # without the mark nobody can say whose ledger it is
    moved = replace(job_in(tmp_path), out=tmp_path / "moved")
    with pytest.raises(DisclosureError, match="releases of this study were published in"):
        protected(moved, showing(eleven=range(11)))


# -- Differences that return -------------------------------------------------------------------------------------------


def looking(**groups: Sequence[int]) -> Callable[[Mapping[str, str]], NotebookNode]:
    """Return a run that shows groups of people, and looks for differences that return."""

    def ran(variables: Mapping[str, str]) -> NotebookNode:
        _, safe = recorded(groups, Record.of_run(variables), replace(standin.POLICY, told=Told.of_run(variables)))
        table = safe.estimates.tidy()
        return said(" ".join(table.loc[table["n"].notna(), "group"]))

    return ran


def words_of(done: Protected) -> str:
    return str(done.executed.cells[-1].source)


def kept(job: RenderJob, done: Protected) -> Path:
    """Do what a render keeps of a release that it places."""
    told = done.file.with_name("told.bin")
    return keep_for_review(job.study, job.target / MANIFEST, done.executed, done.file, done.looked(), told)


def test_a_look_too_many_at_the_same_few_is_left_out_in_a_later_release(tmp_path: Path) -> None:
    """Number 98 is what two groups differ by in each of three quarters; groups of fourteen bear two such looks."""
    quarters = [("2000Q2", 0), ("2000Q3", 20), ("2000Q4", 40)]
    runs = {q: looking(one=range(k, k + 14), more=[*range(k, k + 14), 98]) for q, k in quarters}
    found, jobs = {}, {q: job_in(tmp_path, q) for q in runs}
    for quarter, ran in runs.items():
        found[quarter] = publish(jobs[quarter], ran)
        folder = kept(jobs[quarter], found[quarter])
        assert found[quarter].unknown == 0
    assert [words_of(done) for done in found.values()] == ["one more", "one more", "one"]
    left_out = found["2000Q4"].facts()["disclosure"]["left_out"]
    assert len(left_out) == 1
    assert "left_out" not in found["2000Q3"].facts()["disclosure"]
    # made again it says the same, from its manifest alone, and an older one is not held against newer ones
    for quarter in ("2000Q2", "2000Q4"):
        manifest = json.loads((jobs[quarter].target / MANIFEST).read_text(encoding="utf-8"))
        standing = Standing(jobs[quarter].target, there=True, manifest=manifest)
        again = protected(jobs[quarter], runs[quarter], standing)
        assert words_of(again) == words_of(found[quarter])
        assert again.facts() == found[quarter].facts()
    # what was kept of a release is gone: nothing stops, and it is said of how many
    shutil.rmtree(kept_folder_of(jobs["2000Q2"].study, jobs["2000Q2"].target / MANIFEST))
    shutil.rmtree(folder)
    lost = protected(jobs["2000Q4"], runs["2000Q4"])
    assert (words_of(lost), lost.unknown) == ("one more", 2)
    known = told_before(jobs["2000Q4"].study, tmp_path / "before.bin")
    assert (len(known), len(read_told(tmp_path / "before.bin"))) == (1, 2)
