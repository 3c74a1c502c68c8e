"""Withdrawing a release: written down first, gone in one step, kept in private, and remembered."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evalkit.errors import DisclosureError, ReleaseError, VerificationError
from evalkit.protocol import Study, private_folder
from evalkit.publish import archive, checked, withdraw
from evalkit.publish.release import _decisions as act
from evalkit.publish.release._ingredients import digest
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._standing import opened_ledger
from publish import made

WHEN = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return made.study_in(tmp_path)


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_when_and_why_stay_and_the_release_lies_in_private(study: Study) -> None:
    release = made.publish(study)
    sha256, files = (
        digest(release / "manifest.json"),
        {f.name: f.read_bytes() for f in release.rglob("*") if f.is_file()},
    )
    done = withdraw(release, study, "A late file came.", WHEN)
    said = {"release": "tiny/tiny/2000Q4", "revision": 1, "manifest_sha256": sha256, "date": "2001-02-03T04:05:06Z", "reason": "A late file came."}  # fmt: skip
    assert asdict(done) == said
    assert names(release.parent) == ["2000Q4.withdrawals.jsonl"]
    beside, private = release.parent / "2000Q4.withdrawals.jsonl", private_folder(study)
    assert [json.loads(line) for line in beside.read_text(encoding="utf-8").splitlines()] == [said]
    assert beside.read_bytes() == (private / "withdrawals.jsonl").read_bytes()
    assert (beside.stat().st_mode & 0o777, (private / "withdrawals.jsonl").stat().st_mode & 0o777) == (0o644, 0o600)
    kept = private / "withdrawn/tiny/2000Q4.r1"
    assert {f.name: f.read_bytes() for f in kept.rglob("*") if f.is_file()} == files
    assert {p.stat().st_mode & 0o777 for p in [kept, *kept.rglob("*")]} == {0o700, 0o600}
    ledger = opened_ledger(private, release.parent.parent)
    assert ledger.names == ("tiny-2000Q4-r1",)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ledger.published_on("tiny-2000Q4-r1"))


def test_a_copy_that_somebody_still_has_is_refused(study: Study, tmp_path: Path) -> None:
    release = made.publish(study)
    shutil.copytree(release, tmp_path / "sent")
    assert checked(tmp_path / "sent", None, study).good
    withdraw(release, study, "Wrong.", WHEN)
    assert checked(tmp_path / "sent", None, study).why == "it was withdrawn on 2001-02-03: Wrong."
    with pytest.raises(VerificationError, match="it was withdrawn on 2001-02-03: Wrong"):
        archive(tmp_path / "sent", tmp_path / "a", study)


def test_an_earlier_revision_can_go_and_the_newest_stays(study: Study) -> None:
    made.publish(study)
    release = made.publish(study)
    withdraw(made.kept(release, 1), study, "Wrong.", WHEN)
    assert names(release.parent) == ["2000Q4", "2000Q4.withdrawals.jsonl"]
    found = checked(release, None, study)
    assert found.good
    assert "revision 1, which is not kept beside it" in found.unchecked


@pytest.mark.parametrize("step", ["_take_away", "append_line"])
def test_what_dies_on_the_way_is_finished_by_the_next_try(
    study: Study, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    release = made.publish(study)
    with monkeypatch.context() as patched:
        patched.setattr(act, step, _dies)
        with pytest.raises(KeyboardInterrupt):
            withdraw(release, study, "First reason.", WHEN)
    assert (release / "manifest.json").is_file()
    done = withdraw(release, study, "Second reason.", WHEN)
    assert done.reason == ("First reason." if step == "_take_away" else "Second reason.")
    lines = (release.parent / "2000Q4.withdrawals.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    assert names(release.parent) == ["2000Q4.withdrawals.jsonl"]


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_release_that_was_changed_can_be_withdrawn(study: Study) -> None:
    release = made.publish(study)
    (release / "report.html").write_text("other", encoding="utf-8")
    assert withdraw(release, study, "Somebody changed it.", WHEN).revision == 1


def test_what_was_never_published_there_is_refused(study: Study, tmp_path: Path) -> None:
    release = made.publish(study)
    shutil.copytree(release, tmp_path / "reports/tiny/tiny/2000Q3")
    with pytest.raises(
        ReleaseError, match=r"lies at tiny/tiny/2000Q3, and is revision 1 of tiny/tiny/2000Q4; it cannot"
    ):
        withdraw(tmp_path / "reports/tiny/tiny/2000Q3", study, "Wrong.", WHEN)
    with pytest.raises(ReleaseError, match="there is no readable manifest; name the folder of a release"):
        withdraw(tmp_path / "reports/tiny", study, "Wrong.", WHEN)
    assert not (private_folder(study) / "withdrawals.jsonl").exists()


@pytest.mark.parametrize("more", [False, True])
def test_a_release_whose_ledger_was_given_up_can_go(study: Study, *, more: bool) -> None:
    release, private = made.publish(study), private_folder(study)
    shutil.rmtree(private / "ledger")
    (release.parent.parent / ".ledger").unlink()
    Ledger.another(private, release.parent.parent, "The disk broke", ["tiny-2000Q4-r1"]).begin()
    if more:
        made.publish(study, "2001Q1")
    assert withdraw(release, study, "A late file came.", WHEN).release == "tiny/tiny/2000Q4"
    assert not release.exists()
    assert (private / "withdrawn/tiny/2000Q4.r1/manifest.json").is_file()


def test_a_release_that_neither_ledger_knows_stays(study: Study) -> None:
    release, private = made.publish(study), private_folder(study)
    shutil.rmtree(private / "ledger")
    (release.parent.parent / ".ledger").unlink()
    another = Ledger.another(private, release.parent.parent, "The disk broke", ["tiny-2000Q3-r1"])
    another.begin()
    with pytest.raises(DisclosureError, match="the ledger does not hold tiny-2000Q4-r1"):
        withdraw(release, study, "A late file came.", WHEN)
    assert release.is_dir()


@pytest.mark.parametrize("content", ["", "x\n", "[]\n", '{"release": "a"}\n', "link"])
def test_a_damaged_list_of_withdrawals_is_no_absence(study: Study, tmp_path: Path, content: str) -> None:
    release = made.publish(study)
    file = release.parent / "2000Q4.withdrawals.jsonl"
    if content == "link":
        file.symlink_to(tmp_path / "nowhere")
    else:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(ReleaseError, match=r"(holds|line 1 is) no withdrawal; put the file back from a backup"):
        withdraw(release, study, "Wrong.", WHEN)
    assert "nobody can say whether it was withdrawn" in checked(release, None, study).why


@pytest.mark.parametrize("why", ["Wrong for qx71-0042.", "See QX71**-00**42", "PX1 0042: postgresql://u:geheim77@h/d"])
def test_a_reason_that_names_somebody_is_refused_without_repeating_it(study: Study, why: str) -> None:
    release = made.publish(study)
    with pytest.raises(DisclosureError) as refused:
        withdraw(release, study, why, WHEN, identifiers=["QX71-0042"], secrets=["geheim77"])
    what = "the address of a database, or its password" if "geheim" in why else "a participant's identifier"
    assert str(refused.value) == f"why: holds {what}; it is published, so say it without"
    assert names(release.parent) == ["2000Q4"]
    assert not (private_folder(study) / "withdrawals.jsonl").exists()
    done = withdraw(release, study, "Wrong since 2000-03-04.", WHEN, identifiers=["QX71-0042"])
    assert done.reason == "Wrong since 2000-03-04."
