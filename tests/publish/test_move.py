"""The private folder on another machine, and releases whose ledger is gone."""

from __future__ import annotations

import io
import json
import shutil
import stat
import tarfile
from pathlib import Path

import pytest

from evalkit.errors import DisclosureError, ReleaseError, UsageError
from evalkit.protocol import Study, find_secret, load_study, private_folder
from evalkit.publish.release._move import adopt_releases, export_private, import_private
from evalkit.publish.release._standing import opened_ledger
from publish.made import PLACE, publish, study_in


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = study_in(tmp_path / "here")
    publish(made)
    publish(made)
    return made


def moved(study: Study, tmp_path: Path) -> Study:
    """The checkout and the releases on another machine: what lies in the private folder was left behind."""
    there = tmp_path / "there"
    shutil.copytree(study.folder, there, ignore=shutil.ignore_patterns(".evalkit"))
    return load_study(there / "study.yaml")


def content(study: Study) -> dict[str, bytes]:
    private = private_folder(study)
    files = (f for f in sorted(private.rglob("*")) if f.is_file() and f.name != "render.lock")
    return {f.relative_to(private).as_posix(): f.read_bytes() for f in files}


def test_what_was_exported_is_imported_elsewhere(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "private.tar"
    number = export_private(study, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    there = moved(study, tmp_path)
    assert import_private(there, file) == number == len(content(study))
    assert content(there) == content(study)
    assert all(stat.S_IMODE(f.stat().st_mode) == 0o600 for f in private_folder(there).rglob("*") if f.is_file())
    releases = there.folder / PLACE.parent.parent
    names = ("tiny-2000Q4-r1", "tiny-2000Q4-r2")
    assert opened_ledger(private_folder(there), releases).names == names
    assert import_private(there, file) == number  # once more is nothing new
    publish(there)  # goes on where the other machine ended
    assert opened_ledger(private_folder(there), releases).names == (*names, "tiny-2000Q4-r3")
    with pytest.raises(DisclosureError, match=r"index\.json: is there already, and another one"):
        import_private(there, file)


def test_an_export_is_never_written_over_and_needs_something(study: Study, tmp_path: Path) -> None:
    (tmp_path / "private.tar").write_bytes(b"mine")
    with pytest.raises(ReleaseError, match=r"private\.tar: cannot be written \(File exists\); nothing was exported"):
        export_private(study, tmp_path / "private.tar")
    assert (tmp_path / "private.tar").read_bytes() == b"mine"
    with pytest.raises(UsageError, match="holds no secret; there is nothing to export"):
        export_private(study_in(tmp_path / "fresh"), tmp_path / "other.tar")
    next(private_folder(study).glob("ledger/*/0*.json")).write_text("{}", encoding="utf-8")
    with pytest.raises(DisclosureError, match="this entry of the ledger is not what was written"):
        export_private(study, tmp_path / "damaged.tar")
    assert not (tmp_path / "damaged.tar").exists()


@pytest.mark.parametrize("how", ["cut", "changed", "else", "escape", "other study"])
def test_what_is_no_export_is_refused_and_leaves_nothing(study: Study, tmp_path: Path, how: str) -> None:
    file, there = tmp_path / "private.tar", moved(study, tmp_path)
    export_private(study, file)
    whole = file.read_bytes()
    said = "is not what 'evalkit ledger export' wrote, or was damaged since; nothing was imported"
    if how == "cut":
        file.write_bytes(whole[:3000])
    elif how == "changed":
        secret = (private_folder(study) / "secret").read_bytes()
        assert secret in whole
        file.write_bytes(whole.replace(secret, bytes(len(secret))))
    elif how == "else":
        file.write_bytes(b"PK")
    elif how == "escape":
        with tarfile.open(file, "w") as archive:
            entry = tarfile.TarInfo("../outside")
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"x"))
    else:
        there.path.write_text(there.path.read_text(encoding="utf-8").replace("id: tiny", "id: other"), encoding="utf-8")
        there, said = load_study(there.path), "is of study 'tiny', not 'other'; nothing was imported"
    with pytest.raises(ReleaseError) as refused:
        import_private(there, file)
    assert str(refused.value) == f"{file}: {said}"
    assert content(there) == {}
    assert not (tmp_path / "outside").exists()


def lose_ledger(study: Study) -> None:
    shutil.rmtree(private_folder(study) / "ledger")


def test_releases_whose_ledger_is_gone_are_adopted(study: Study, tmp_path: Path) -> None:
    releases = study.folder / PLACE.parent.parent
    with pytest.raises(UsageError, match="its ledger is whole and holds every release there; nothing to adopt"):
        adopt_releases(study, study.folder / "reports", "Lost")
    lose_ledger(study)
    with pytest.raises(DisclosureError):
        opened_ledger(private_folder(study), releases)
    names = ["tiny-2000Q4-r1", "tiny-2000Q4-r2"]
    assert adopt_releases(study, study.folder / "reports", "The disk died") == names
    ledger = opened_ledger(private_folder(study), releases)
    assert (list(ledger.names), ledger.why) == (names, "The disk died")
    publish(study)
    assert opened_ledger(private_folder(study), releases).newest("tiny", "2000Q4")[0] == 3
    with pytest.raises(UsageError, match="no release lies there; nothing to adopt"):
        adopt_releases(study, tmp_path / "nowhere", "Lost")


def test_a_release_from_before_manifests_named_their_ledger_is_adopted_first(study: Study) -> None:
    manifest = study.folder / PLACE / "manifest.json"
    made = json.loads(manifest.read_text(encoding="utf-8"))
    del made["ledger"]
    manifest.write_text(json.dumps(made), encoding="utf-8")
    lose_ledger(study)
    assert adopt_releases(study, study.folder / "reports", "Lost") == ["tiny-2000Q4-r1", "tiny-2000Q4-r2"]


@pytest.mark.parametrize("how", ["changed", "stranger", "secret"])
def test_only_what_was_published_is_adopted(study: Study, how: str) -> None:
    lose_ledger(study)
    release = study.folder / PLACE
    if how == "changed":
        (release / "report.html").write_text("another", encoding="utf-8")
        kind, said = ReleaseError, "report.html is not what was published; nothing was adopted"
    elif how == "stranger":
        (release / "more.txt").write_text("x", encoding="utf-8")
        kind, said = ReleaseError, "more.txt is not what was published; nothing was adopted"
    else:
        lost = find_secret(study)
        assert lost is not None
        shutil.rmtree(private_folder(study))
        kind, said = DisclosureError, f"was made with the secret {lost.id}, which is not here; bring it back"
    with pytest.raises(kind) as refused:
        adopt_releases(study, study.folder / "reports", "Lost")
    assert said in str(refused.value)
    assert not (private_folder(study) / "ledger").exists()
