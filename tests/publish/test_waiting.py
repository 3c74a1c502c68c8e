"""Releases that have to be approved: private until then, published by the approval, never against an older ledger."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.cli._app import app
from evalkit.errors import DataError, DisclosureError, ProtocolError, ReleaseError, UsageError
from evalkit.intake import open_data
from evalkit.protocol import Study, load_disclosure, load_study, private_folder
from evalkit.publish import approvals_of, approve, withdraw, write_pack
from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import _VERSION
from evalkit.publish.release._place import Waiting, hold
from publish import standin
from publish.made import publish
from publish.test_render import last_line, run

TARGET = Path("reports/tiny/tiny/2000Q4")
POLICY = "approval: required\napprovers: [Ann Lee, Bo]\n"


def world(folder: Path, policy: str = POLICY) -> Study:
    file = standin.write_world(folder)
    (folder / "disclosure.yaml").write_text(policy, encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8") + "disclosure: disclosure.yaml\n", encoding="utf-8")
    return load_study(file)


def waiting_folder(study: Study) -> Path:
    return private_folder(study) / "waiting" / "tiny" / "2000Q4"


def test_a_release_waits_and_its_approval_publishes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = world(tmp_path)
    done = run(tmp_path, "--to", "html")
    assert done.returncode == 13, done.stderr
    waits = waiting_folder(study)
    assert done.stdout.split() == [str(waits / "report.html")]
    assert "waits for approval" in done.stderr
    assert not (tmp_path / TARGET).exists()
    for place in [waits, *waits.rglob("*")]:
        assert stat.S_IMODE(place.stat().st_mode) == (0o700 if place.is_dir() else 0o600)
    made = {str(f.relative_to(waits)): digest(f) for f in waits.rglob("*") if f.is_file()}
    again = run(tmp_path, "--to", "html")
    assert "waits for approval already" in last_line(again)
    told = last_line(run(tmp_path, "--to", "html", "--supersede", "Another reason"))
    assert told.endswith("; its reason stays the one it was made with: --force makes it again")
    assert "Another reason" not in (waits / "report.html").read_text(encoding="utf-8")
    assert write_pack(waits, study).is_dir()
    with pytest.raises(UsageError, match="not among the approvers"):
        approve(waits, study, name="Eve", reason="I want it out")
    words = ["approve", str(waits), "--study", str(study.path), "--name", "Ann Lee", "--reason", "checked"]
    app(words, standalone_mode=False)
    assert "approved by Ann Lee" in capsys.readouterr().out
    release = tmp_path / TARGET
    assert {str(f.relative_to(release)): digest(f) for f in release.rglob("*") if f.is_file()} == made
    assert not waits.exists()
    assert [a.name for a in approvals_of(release)] == ["Ann Lee"]
    assert Ledger.of(private_folder(study), release.parent.parent).names == ("tiny-2000Q4-r1",)
    assert "up to date" in last_line(run(tmp_path, "--to", "html"))


def held(study: Study, folder: Path, supersedes: tuple[int, str] | None = None, **facts: object) -> Path:
    """Hold a release that was made of nothing."""
    (folder / "made").mkdir(exist_ok=True)
    page, manifest = folder / "made" / "report.html", folder / "made" / "manifest.json"
    page.write_text("<p>1</p>", encoding="utf-8")
    told = {
        "manifest": _VERSION,
        "study": "tiny",
        "report": "tiny",
        "period": "2000Q4",
        "key": "k",
        "ledger": [],
        "revision": 1,
    }
    outputs = {"report.html": {"sha256": digest(page), "bytes": 8}}
    manifest.write_text(json.dumps({**told, "outputs": outputs, **facts}), encoding="utf-8")
    waiting = Waiting(folder / TARGET, None, "tiny-2000Q4-r1")
    if supersedes is not None:
        waiting = Waiting(folder / TARGET, supersedes[0], f"tiny-2000Q4-r{supersedes[0] + 1}", supersedes[1])
    return hold(study, {"report.html": page, "manifest.json": manifest}, waiting)


def test_a_revision_of_what_was_withdrawn_since_is_not_let_out(tmp_path: Path) -> None:
    """The ledger still holds the release: only its folder says that it went."""
    study = world(tmp_path)
    release = publish(study)
    sha256 = digest(release / "manifest.json")
    waits = held(study, tmp_path, (1, sha256), ledger=["tiny-2000Q4-r1"], revision=2)
    withdraw(release, study, "A late file came.")
    with pytest.raises(ReleaseError, match="was not held against what was published since it was made; render it"):
        approve(waits, study, name="Bo", reason="fine")
    assert not (tmp_path / TARGET).exists()


def test_what_was_made_before_another_release_was_published_is_not_let_out(tmp_path: Path) -> None:
    study = world(tmp_path)
    waits = held(study, tmp_path)
    ledger = Ledger.of(private_folder(study), tmp_path / "reports" / "tiny")
    with ledger.adding("tiny-2000Q3-r1", ""):
        pass
    with pytest.raises(ReleaseError, match="published since it was made"):
        approve(waits, study, name="Bo", reason="fine")
    assert not (tmp_path / TARGET).exists()
    assert not list((tmp_path / "reports").rglob("*approvals*"))  # what does not go out was not approved
    assert not (private_folder(study) / "approvals.jsonl").exists()
    assert ledger.names == ("tiny-2000Q3-r1",)
    again = held(study, tmp_path, ledger=["tiny-2000Q3-r1"])  # rendered again, held against what is published
    approve(again, study, name="Bo", reason="fine")
    assert ledger.names == ("tiny-2000Q3-r1", "tiny-2000Q4-r1")


def test_a_release_that_appeared_at_its_place_is_not_replaced(tmp_path: Path) -> None:
    study = world(tmp_path)
    waits = held(study, tmp_path)
    (tmp_path / TARGET).mkdir(parents=True)
    (tmp_path / TARGET / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ReleaseError, match="is damaged, so nobody can say what was published there"):
        approve(waits, study, name="Bo", reason="fine")
    assert (tmp_path / TARGET / "manifest.json").read_text(encoding="utf-8") == "{}"
    foreign = (waits / "manifest.json").read_bytes()
    (tmp_path / TARGET / "manifest.json").write_bytes(foreign)  # laid there by somebody
    with pytest.raises(DisclosureError, match="the ledger does not hold tiny-2000Q4-r1"):
        approve(waits, study, name="Bo", reason="fine")
    assert (tmp_path / TARGET / "manifest.json").read_bytes() == foreign
    assert waits.is_dir()
    assert not (private_folder(study) / "approvals.jsonl").exists()


def test_a_waiting_release_that_was_changed_or_is_not_known_is_refused(tmp_path: Path) -> None:
    study = world(tmp_path)
    waits = held(study, tmp_path)
    (waits / "report.html").write_text("<p>2</p>", encoding="utf-8")
    with pytest.raises(ReleaseError, match="not what its manifest says"):
        approve(waits, study, name="Bo", reason="fine")
    waits = held(study, tmp_path)
    (waits.with_name(".2000Q4") / "about.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReleaseError, match="render it again"):
        approve(waits, study, name="Bo", reason="fine")
    assert not (tmp_path / TARGET).exists()


def test_a_policy_that_asks_for_approval_names_who_may_give_it(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="nobody is named under approvers"):
        load_disclosure(world(tmp_path, "approval: required\n"))


def test_values_of_identifying_columns_are_looked_for(tmp_path: Path) -> None:
    study = world(tmp_path, "identifying: [case_number]\n")
    table = tmp_path / "participants.csv"
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    lines = [f"{header},case_number", *(f"{row},DV-{i}-77341" for i, row in enumerate(rows))]
    with pytest.raises(DataError, match="case_number"):
        open_data(study)
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert {"DV-0-77341", "DV-1-77341", "QX71", "QX72"} <= open_data(study).identifiers
    assert "77341" not in repr(replace(open_data(study)))
