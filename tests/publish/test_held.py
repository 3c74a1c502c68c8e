"""What was published stays known: withdrawn, put back from a backup, damaged, in a folder that several users share."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.cli._render import Request, plan
from evalkit.errors import DisclosureError, ProtocolError, ReleaseError
from evalkit.protocol import Study, find_private_folder, load_study, private_folder, study_secret, write_private
from evalkit.publish import RenderJob, approve
from evalkit.publish.release._changes import after_gone, revision_of
from evalkit.publish.release._manifest import MANIFEST
from evalkit.publish.release._release import study_lock
from evalkit.publish.release._standing import Standing, ledger_for, newest_gone, standing_at
from publish.crash import write_light_world
from publish.made import kept, publish, study_in
from publish.standin import give_secret
from publish.test_render import last_line, run
from publish.test_trust import rewrite
from publish.test_verify import verify

PLACE = Path("reports/tiny/tiny/2000Q4")


def job_of(study: Study, **changes: object) -> RenderJob:
    request = Request(report="tiny", periods=("2000Q4",), studies=(study.path,), out=study.folder / "reports")
    job = plan(request, study.path)[0]
    return replace(job, secret=study_secret(job.study), **changes)


# -- Withdrawn, put back ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def withdrawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose release was withdrawn, and whose next one was published from other rows."""
    folder = tmp_path_factory.mktemp("withdrawn")
    write_light_world(folder)
    assert run(folder, "--to", "html").returncode == 0
    shutil.move(folder / PLACE, folder / "first")
    (entry,) = (folder / ".evalkit/tiny/ledger").glob("*/[0-9]*-*.json")
    shutil.copyfile(entry, folder / "entry")
    table = folder / "participants.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("2000-02-10", "2000-02-11"), encoding="utf-8")
    done = run(folder, "--to", "html")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_release_after_a_withdrawn_one_is_its_next_revision(withdrawn: Path) -> None:
    manifest = json.loads((withdrawn / PLACE / MANIFEST).read_text(encoding="utf-8"))
    first = json.loads((withdrawn / "first" / MANIFEST).read_text(encoding="utf-8"))
    assert (manifest["revision"], manifest["ledger"]) == (2, ["tiny-2000Q4-r1"])
    assert manifest["supersedes"].keys() == {"revision", "manifest_sha256", "gone"}
    assert manifest["secret"] == first["secret"]
    page = (withdrawn / PLACE / "report.html").read_text(encoding="utf-8")
    assert "2, after revision 1, which is not kept here." in page
    assert "Revision 1 was published before and is not kept here; what differs is not known." in page
    (folder,) = (withdrawn / ".evalkit/tiny/ledger").iterdir()
    entries = sorted(file.name for file in folder.glob("[0-9]*"))
    assert entries == ["00001-tiny-2000Q4-r1.json", "00002-tiny-2000Q4-r2.json"]
    assert (folder / entries[0]).read_bytes() == (withdrawn / "entry").read_bytes()


def test_it_is_verified_and_made_again(withdrawn: Path) -> None:
    done = verify(withdrawn, withdrawn / PLACE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every file has the same bytes" in done.stdout
    assert "not checked: revision 1, which is not kept beside it" in done.stdout


def test_an_older_release_from_a_backup_is_not_taken_for_the_newest(withdrawn: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(withdrawn, folder)
    shutil.rmtree(folder / PLACE)
    shutil.copytree(withdrawn / "first", folder / PLACE)
    write_light_world(folder)  # with the first rows: to look at the folder alone, it would be up to date
    done = run(folder, "--to", "html")
    assert done.returncode == 10
    assert "revision 2 was published after it" in run(folder, "--to", "html", "--explain").stdout
    assert "holds revision 1, and revision 2 was published after it; put that one back, or --supersede" in last_line(
        done
    )
    again = run(folder, "--to", "html", "--supersede", "Put back from a backup")
    assert again.returncode == 0, again.stderr
    manifest = json.loads((folder / PLACE / MANIFEST).read_text(encoding="utf-8"))
    assert (manifest["revision"], manifest["supersedes"]["revision"]) == (3, 2)
    assert manifest["ledger"] == ["tiny-2000Q4-r1", "tiny-2000Q4-r2"]
    assert (folder / "reports/tiny/tiny/2000Q4.r1" / MANIFEST).is_file()


def test_the_next_revision_follows_whatever_is_known(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    publish(study), publish(study)
    job = job_of(study)
    assert newest_gone(job, Standing(release, True, {"revision": 3}), ledger_for(job)) == {}
    shutil.rmtree(release)
    gone = newest_gone(job, Standing(release), ledger_for(job))
    assert gone["revision"] == 3
    shutil.rmtree(kept(release, 1)), shutil.rmtree(kept(release, 2))
    assert newest_gone(job, Standing(release), ledger_for(job)) == gone
    again = after_gone(gone, "")
    assert again.number == 4
    assert revision_of(again.facts()) == again


# -- Damage -------------------------------------------------------------------------------------------------------


def hollow(file: Path) -> None:
    file.write_text('{"manifest": 3, "study": "tiny"}', encoding="utf-8")


@pytest.mark.parametrize("which", ["2000Q3", "2000Q4", "2000Q4.r1"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: f.write_bytes(b""), "is damaged"),
        (lambda f: f.write_bytes(f.read_bytes()[:200]), "is damaged"),
        (lambda f: f.write_bytes(bytes(f.stat().st_size)), "is damaged"),
        (lambda f: f.write_text("{}"), "is damaged"),
        (lambda f: f.write_text('{"manifest": 1}'), "was written by another version of evalkit"),
        (lambda f: f.write_text('{"manifest": "2"}'), "is damaged"),
        (lambda f: f.write_text('{"manifest": 99}'), "was written by another version of evalkit (manifest 99, not 3)"),
        (hollow, "is damaged"),
        (lambda f: f.unlink(), "is gone"),
    ],
)
def test_an_unreadable_manifest_is_damage(
    tmp_path: Path, damage: Callable[[Path], object], words: str, which: str
) -> None:
    study = study_in(tmp_path)
    publish(study, "2000Q3")
    publish(study), publish(study)
    damage(tmp_path / "reports/tiny/tiny" / which / MANIFEST)
    with pytest.raises(ReleaseError) as said:
        ledger_for(job_of(study, supersede="again", new_ledger="nothing helps"))
    assert f"{which}/manifest.json: {words}" in str(said.value)
    if which == "2000Q4":
        with pytest.raises(ReleaseError):
            standing_at(job_of(study), {})


def test_what_was_made_before_there_was_a_ledger_is_not_missed(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    publish(study)
    old = tmp_path / "reports/tiny/tiny/2000Q3"
    old.mkdir()
    (old / MANIFEST).write_text(json.dumps({"manifest": 1, "outputs": {"report.html": {"sha256": "0"}}}))
    assert ledger_for(job_of(study)).names == ("tiny-2000Q4-r1",)


def test_folders_that_are_no_releases_are_left_alone(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    publish(study)
    for name in ("tiny/.making-x", "tiny/notes", ".git/2000Q4", "site/css"):
        (tmp_path / "reports/tiny" / name).mkdir(parents=True)
        (tmp_path / "reports/tiny" / name / "file").write_text("x")
    assert ledger_for(job_of(study)).names == ("tiny-2000Q4-r1",)


def test_a_withdrawn_release_that_others_were_held_against_is_missed(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    gone = publish(study, "2000Q3")
    shutil.copytree(tmp_path / ".evalkit/tiny/ledger", tmp_path / "backup")
    shutil.rmtree(gone)
    publish(study, ledger=["tiny-2000Q3-r1"])
    ledger = ledger_for(job_of(study)).folder
    shutil.rmtree(ledger)  # a new one that holds only what lies there
    (tmp_path / "reports/tiny/.ledger").unlink()
    with pytest.raises(DisclosureError, match=r"the ledger does not hold tiny-2000Q3-r1 \(2 releases are missing\)"):
        ledger_for(job_of(study))
    another = ledger_for(job_of(study, new_ledger="The private folder burnt"))
    another.begin()
    assert ledger_for(job_of(study)).why == "The private folder burnt"


# -- The secret ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: f.write_bytes(b""), "secret: the study's secret is damaged"),
        (lambda f: f.write_bytes(f.read_bytes()[:16]), "secret: the study's secret is damaged"),
        (lambda f: f.write_bytes(f.read_bytes() * 2), "secret: the study's secret is damaged"),
        (lambda f: f.write_bytes(bytes(32)), "secret: the study's secret is damaged"),
        (lambda f: f.write_bytes(os.urandom(32)), "secret: is not the study's secret, or secret.id beside it"),
        (lambda f: f.unlink(), "secret: the study's secret is gone"),
        (lambda f: f.with_name("secret.id").write_bytes(b""), "secret: is not the study's secret"),
        (lambda f: f.with_name("secret.id").write_bytes(b"\xff\n"), "secret: is not the study's secret"),
        (lambda f: f.with_name("secret.id").unlink(), "secret.id: the name of the study's secret is gone"),
        (lambda f: f.chmod(0o604), "everybody on this machine can read the study's secret; chmod o-rwx it"),
    ],
)
def test_a_damaged_secret_stops_and_is_not_made_anew(
    tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    study = study_in(tmp_path)
    publish(study)
    file = private_folder(study) / "secret"
    assert (file.stat().st_mode & 0o777, len(file.read_bytes())) == (0o600, 32)
    damage(file)
    seen = {f.name: f.read_bytes() for f in (file, file.with_name("secret.id")) if f.exists()}
    with pytest.raises(DisclosureError) as said:
        study_secret(study)
    assert words in str(said.value)
    assert "put it back from any backup" in str(said.value) or "chmod" in str(said.value)
    assert {f.name: f.read_bytes() for f in (file, file.with_name("secret.id")) if f.exists()} == seen


def test_another_secret_than_that_of_the_releases_stops(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    theirs = json.loads((release / MANIFEST).read_text())["secret"]
    other = study_in(tmp_path / "other")
    assert study_secret(other).id != theirs
    give_secret(tmp_path / "other", tmp_path)
    with pytest.raises(DisclosureError) as said:
        ledger_for(job_of(study))
    assert str(said.value) == (
        f"{release}: was made with another secret than the one in {private_folder(study)}; put back the one it was made "
        f"with ({theirs}), or begin another ledger with --new-ledger 'why'"
    )


def test_a_render_that_died_between_the_two_files_of_the_secret(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    (private_folder(study) / "secret.id").write_text("0123456789abcdef\n")
    assert len(study_secret(study).key) == 32


# -- The private folder -------------------------------------------------------------------------------------------


def test_the_private_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)
    assert private_folder(study) == tmp_path / ".evalkit" / "tiny"
    study.path.write_text(study.path.read_text(encoding="utf-8") + "private: ../kept\n", encoding="utf-8")
    named = load_study(study.path)
    assert private_folder(named).resolve() == (tmp_path.parent / "kept" / "tiny").resolve()
    for value in (str(tmp_path / "server"), "server"):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("EVALKIT_PRIVATE", value)
        assert private_folder(named) == tmp_path / "server" / "tiny"
    assert (tmp_path / "server" / "tiny").stat().st_mode & 0o7777 == 0o700
    monkeypatch.setenv("EVALKIT_PRIVATE", str(tmp_path / "nowhere"))
    assert find_private_folder(named) is None
    assert not (tmp_path / "nowhere").exists()
    monkeypatch.setenv("EVALKIT_PRIVATE", str(study.path))
    with pytest.raises(
        ProtocolError, match=r"study.yaml/tiny: cannot be made .*EVALKIT_PRIVATE or the protocol's 'private'"
    ):
        private_folder(named)


@pytest.mark.parametrize("mode", [0o701, 0o755, 0o777, 0o2775])
def test_a_named_folder_that_everybody_can_open_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    study = study_in(tmp_path)
    (tmp_path / "server" / "tiny").mkdir(parents=True)
    (tmp_path / "server" / "tiny").chmod(mode)
    monkeypatch.setenv("EVALKIT_PRIVATE", str(tmp_path / "server"))
    with pytest.raises(ProtocolError, match="everybody on this machine can open it; chmod o-rwx it"):
        private_folder(study)


def test_a_group_shares_the_private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = tmp_path / "server"
    server.mkdir()
    server.chmod(0o2770)
    monkeypatch.setenv("EVALKIT_PRIVATE", str(server))
    study = study_in(tmp_path / "ann", "approvers: [Ann Lee]\n")
    mask = os.umask(0o077)
    try:
        release = publish(study)
        approve(release, study, name="Ann Lee", reason="checked")
    finally:
        os.umask(mask)
    modes = {p.relative_to(server).as_posix(): p.stat().st_mode & 0o7777 for p in server.rglob("*")}
    folders = {name for name in modes if (server / name).is_dir()}
    assert {modes[name] for name in folders} == {0o2770}
    assert {modes[name] for name in modes.keys() - folders} == {0o660}
    assert {"tiny/secret", "tiny/secret.id", "tiny/render.lock", "tiny/approvals.jsonl"} <= modes.keys()
    # The other user has a checkout of his own and publishes into the same folder, held against the same ledger.
    other = study_in(tmp_path / "bo", "approvers: [Ann Lee]\n")
    job = replace(job_of(other), out=study.folder / "reports")
    assert ledger_for(job).names == ("tiny-2000Q4-r1",)
    monkeypatch.delenv("EVALKIT_PRIVATE")
    with pytest.raises(DisclosureError, match="name the private folder that holds it"):
        ledger_for(replace(job_of(other), out=study.folder / "reports"))


def test_a_written_file_takes_the_mode_of_its_folder(tmp_path: Path) -> None:
    for mode, wanted in ((0o700, 0o600), (0o2770, 0o660), (0o750, 0o600), (0o770, 0o660)):
        tmp_path.chmod(mode)
        write_private(tmp_path / "file", b"x")
        assert (tmp_path / "file").stat().st_mode & 0o777 == wanted


def test_an_approval_finishes_what_a_render_that_died_has_placed(tmp_path: Path) -> None:
    """The entry of what that render placed must not be written over by the one of what is approved."""
    from publish.test_waiting import held, world

    study = world(tmp_path)
    done = publish(study, "2000Q3")
    ledger = ledger_for(job_of(study))
    other = done.with_name("2000Q2")
    shutil.copytree(done, other)
    rewrite(other, period="2000Q2")
    sha256 = hashlib.sha256((other / MANIFEST).read_bytes()).hexdigest()
    with pytest.raises(KeyboardInterrupt), ledger.adding("tiny-2000Q2-r1", sha256):
        raise KeyboardInterrupt
    waits = held(study, tmp_path, ledger=["tiny-2000Q3-r1"])
    with pytest.raises(ReleaseError, match="was not held against what was published since it was made"):
        approve(waits, study, name="Bo", reason="fine")
    assert ledger.names == ("tiny-2000Q3-r1", "tiny-2000Q2-r1")


# -- Approving ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def while_locked(study: Study, then: Callable[[], object]) -> Iterator[threading.Thread]:
    """Hold the study's lock, as a render does, until an approval waits for it; then do something and let it go."""
    with study_lock(study, lambda: None) as private:
        found: list[Exception] = []

        def waits() -> None:
            try:
                approve(private / "waiting/tiny/2000Q4", study, name="Bo", reason="I looked at it")
            except ReleaseError as error:
                found.append(error)

        thread = threading.Thread(target=waits)
        thread.start()
        deadline = 50
        while not _waited_for(private / "render.lock") and deadline:
            threading.Event().wait(0.1)
            deadline -= 1
        then()
    thread.join(60)
    thread.found = found  # type: ignore[attr-defined]
    yield thread


def _waited_for(file: Path) -> bool:
    """Say whether somebody waits for a lock, as the kernel tells it."""
    inode = file.stat().st_ino
    locks = Path("/proc/locks").read_text(encoding="ascii")
    return any("->" in line and f":{inode} " in line for line in locks.splitlines())


def test_an_approval_that_waited_lets_out_what_was_looked_at_only(tmp_path: Path) -> None:
    from publish.test_waiting import TARGET, held, world

    study = world(tmp_path)
    held(study, tmp_path)
    with while_locked(study, lambda: held(study, tmp_path, change_note="another one")) as thread:
        (error,) = thread.found  # type: ignore[attr-defined]
    assert "became another release while the approval waited for a render; review it, then approve again" in str(error)
    assert not (tmp_path / TARGET).exists()
    assert not (private_folder(study) / "approvals.jsonl").exists()
    with while_locked(study, lambda: None) as thread:
        assert thread.found == []  # type: ignore[attr-defined]
    assert (tmp_path / TARGET / MANIFEST).is_file()


def test_the_copy_is_what_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changes the waiting folder between the look and the publication."""
    from evalkit.publish.release import _decisions
    from publish.test_waiting import TARGET, held, world

    study = world(tmp_path)
    waits = held(study, tmp_path)
    keep = _decisions._keep

    def changed(*given: object) -> None:
        keep(*given)
        (waits / "report.html").write_text("<p>2</p>", encoding="utf-8")

    monkeypatch.setattr(_decisions, "_keep", changed)
    approve(waits, study, name="Bo", reason="fine")
    assert (tmp_path / TARGET / "report.html").read_text(encoding="utf-8") == "<p>1</p>"


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o703])
def test_a_private_folder_does_not_lie_where_everybody_can_write(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_in(tmp_path)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(mode)
    monkeypatch.setenv("EVALKIT_PRIVATE", str(tmp_path / "open"))
    with pytest.raises(ProtocolError, match="everybody on this machine can write in it; chmod o-w it"):
        private_folder(study)
    assert not list((tmp_path / "open").iterdir())
