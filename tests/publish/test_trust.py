"""What somebody may do to a release after it was published, and how `verify` refuses it: exit 12, one line each."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evalkit.cli import _run
from evalkit.cli._app import app
from evalkit.errors import ProtocolError, ReleaseError, UsageError
from evalkit.protocol import Study, private_folder
from evalkit.publish import approvals_of, approve, checked, new_approver, new_key
from evalkit.publish.release import _keys
from evalkit.publish.release._ingredients import key
from evalkit.publish.release._manifest import MANIFEST, attachment
from publish.made import kept, publish, study_in
from publish.standin import environment

REQUIRED = "approval: required\napprovers: [Ann Lee, Bo]\n"


def quick(release: Path, study: Study | Path, *more: str) -> tuple[int, str, str]:
    """Run `evalkit verify --quick` in this process; return its code, what it said, and its last line on stderr."""
    file = study if isinstance(study, Path) else study.path
    said, wrong = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
        for name in [name for name in os.environ if name.startswith("EVALKIT_")]:
            patch.delenv(name)
        for name, value in environment(file.parent).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["evalkit", "verify", str(release), "--quick", "--study", str(file), *more])
        code = _run()
    return code, said.getvalue(), (wrong.getvalue().strip().splitlines() or [""])[-1]


def signed_study(folder: Path) -> Study:
    study = study_in(folder)
    new_key(private_folder(study) / "signing-key.pem", private_folder(study) / "signing-key.pub")
    return study


def rewrite(release: Path, **changed: object) -> None:
    """Change a manifest and mend all that it says of itself, as somebody who knows how would."""
    facts = json.loads((release / MANIFEST).read_text(encoding="utf-8")) | changed
    facts["key"] = key(facts)
    facts["attachment"]["sha256"] = hashlib.sha256(attachment(facts)).hexdigest()
    (release / MANIFEST).write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def test_a_release_as_it_was_published(tmp_path: Path) -> None:
    study = signed_study(tmp_path)
    release = publish(study)
    code, said, wrong = quick(release, study)
    assert (code, wrong) == (0, "")
    assert said.splitlines()[1:] == [
        "  ok: 2 files are as the manifest says",
        "  ok: the manifest is the one it was made with",
        "  ok: it lies where it belongs",
        "  ok: the revisions beside it are those that it followed",
        "  ok: it is what was published as tiny-2000Q4-r1",
        "  ok: the signature is good",
    ]
    code, said, _ = quick(release, tmp_path / "nowhere.yaml")
    assert code == 0
    assert [line.strip() for line in said.splitlines() if "not checked" in line] == [
        "not checked: whether it is what was published: the study's private folder is not here",
        "not checked: its signature: name the public key with --public-key",
    ]


# -- Signatures ---------------------------------------------------------------------------------------------------


def test_a_stripped_signature_is_refused(tmp_path: Path) -> None:
    study = signed_study(tmp_path)
    release = publish(study)
    (release / "manifest.sig").unlink()
    for file in (study.path, tmp_path / "nowhere.yaml"):  # the manifest itself says that it was signed
        code, _, line = quick(release, file)
        assert code == 12
        assert "and there is no signature" in line
    rewrite(release, signed_by="")
    code, _, line = quick(release, study)  # and who mends that, too, is still held to the study's own key and ledger
    assert code == 12
    assert "manifest.json is not the one that was published as tiny-2000Q4-r1; there is no signature" in line
    shutil.rmtree(private_folder(study) / "ledger")
    assert "there is no signature" in quick(release, study)[2]


def test_a_signature_by_somebody_else_is_refused(tmp_path: Path) -> None:
    study = signed_study(tmp_path)
    release = publish(study)
    new_key(tmp_path / "other.pem", tmp_path / "other.pub")
    from evalkit.publish.release._keys import sign

    sign(release / MANIFEST, tmp_path / "other.pem", release / "manifest.sig")
    code, _, line = quick(release, study)
    assert code == 12
    assert "it is signed with another key" in line
    for content in (b"", b"ed25519 x", b"\x00" * 90, b"ed25519 " + b"0" * 16 + b" !!!"):
        (release / "manifest.sig").write_bytes(content)
        assert "manifest.sig is damaged" in quick(release, study)[2]


def test_what_was_published_before_the_study_had_a_key_stays_good(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    new_key(private_folder(study) / "signing-key.pem", private_folder(study) / "signing-key.pub")
    code, said, _ = quick(release, study)
    assert code == 0
    assert "ok: there is no signature: it was published before this study had a key" in said


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"])
def test_a_damaged_public_key_is_told(tmp_path: Path, content: bytes) -> None:
    study = signed_study(tmp_path)
    release = publish(study)
    (private_folder(study) / "signing-key.pub").write_bytes(content)
    code, _, line = quick(release, study)
    assert code == 3
    assert "signing-key.pub: is no ed25519 public key" in line


# -- Place and revisions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "mark"),
    [
        ("tiny/tiny/2000Q3", True),
        ("tiny/tiny/2001Q1", False),
        ("tiny/final/2000Q4", True),
        ("tiny/final/2000Q4", False),
        ("other/tiny/2000Q4", False),
        ("other/tiny/2000Q4", True),
        ("tiny/tiny/2000Q4.r1x", True),
        ("tiny/tiny/2000Q4.r2", True),
        ("tiny/tiny/2000-10-01_to_2000-12-31", False),
        ("tiny/tiny/copy", True),
    ],
)
def test_a_release_copied_to_another_place_is_refused(tmp_path: Path, to: str, mark: bool) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    other = tmp_path / "site" / to
    shutil.copytree(release, other)
    if mark:
        shutil.copyfile(tmp_path / "reports/tiny/.ledger", other.parent.parent / ".ledger")
    for file in (study.path, tmp_path / "nowhere.yaml"):
        code, _, line = quick(other, file)
        assert code == 12
        assert f"it lies at {to}, and is revision 1 of tiny/tiny/2000Q4" in line
    with pytest.raises(ReleaseError, match=r"it lies at .*; it cannot be approved"):
        approve(other, study, name="Ann Lee", reason="checked")


def test_a_link_to_a_release_is_refused(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    release.with_name("2000Q3").symlink_to(release)
    assert "it is a link to another folder" in quick(release.with_name("2000Q3"), study)[2]


def test_a_release_that_was_sent_somewhere_has_no_place(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    for name in ("release", "2000Q4"):
        shutil.copytree(release, tmp_path / "post" / name)
        code, said, _ = quick(tmp_path / "post" / name, study)
        assert code == 0
        assert "not checked: whether it lies where it belongs: it is not among releases" in said
        assert "ok: it is what was published as tiny-2000Q4-r1" in said


def three(folder: Path) -> tuple[Study, Path]:
    """Return a study and its release in the third revision."""
    study = study_in(folder)
    publish(study), publish(study)
    return study, publish(study)


def test_a_chain_of_revisions(tmp_path: Path) -> None:
    study, release = three(tmp_path)
    for folder in (release, kept(release, 1), kept(release, 2)):
        code, said, line = quick(folder, study)
        assert code == 0, line
        assert "ok: the revisions beside it are those that it followed" in said


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("revision", [1, 2])
def test_a_rolled_back_revision_is_refused(tmp_path: Path, revision: int, gone: bool) -> None:
    study, release = three(tmp_path)
    shutil.rmtree(release)
    shutil.copytree(kept(release, revision), release)
    if gone:  # and what could tell it from the newest is taken away
        for number in (1, 2):
            shutil.rmtree(kept(release, number))
        code, _, line = quick(release, study)
        assert f"revision {revision} lies where revision 3 was published" in line
    else:
        code, _, line = quick(release, tmp_path / "nowhere.yaml")  # nothing but the folder is needed
        assert f"revision {revision} lies where revision 3 was published" in line
    assert code == 12


def test_other_releases_among_the_revisions_are_refused(tmp_path: Path) -> None:
    study, release = three(tmp_path)
    nowhere = tmp_path / "nowhere.yaml"
    one, two = kept(release, 1), kept(release, 2)
    shutil.move(two, tmp_path / "two")
    shutil.copytree(one, two)
    assert "2000Q4.r2 is not the revision 2 that revision 3 superseded" in quick(release, nowhere)[2]
    assert "it lies at tiny/tiny/2000Q4.r2, and is revision 1 of" in quick(two, nowhere)[2]
    shutil.rmtree(two)
    shutil.move(tmp_path / "two", two)
    rewrite(two, change_note="no reason")
    assert "2000Q4.r2 is not the revision 2 that revision 3 superseded" in quick(release, nowhere)[2]
    assert "it is not the revision 2 that 2000Q4 superseded" in quick(two, nowhere)[2]
    assert "manifest.json is not the one that was published as tiny-2000Q4-r2" in quick(two, study)[2]
    (two / MANIFEST).unlink()
    assert "2000Q4.r2 is not the revision 2" in quick(release, nowhere)[2]
    shutil.rmtree(two)
    code, said, _ = quick(release, nowhere)  # withdrawn, perhaps for a reason
    assert code == 0
    assert "not checked: revision 2, which is not kept beside it" in said


def test_a_manifest_that_lies_of_its_revision_is_refused(tmp_path: Path) -> None:
    study, release = three(tmp_path)
    good = (release / MANIFEST).read_bytes()
    for changed, words in (
        ({"supersedes": None}, "revision 3 does not say which one it supersedes"),
        ({"supersedes": {"revision": 3, "manifest_sha256": ""}}, "revision 3 does not say which one it supersedes"),
        ({"supersedes": {"revision": 2, "manifest_sha256": "0" * 64}}, "2000Q4.r2 is not the revision 2"),
        ({"revision": 1, "supersedes": None}, "revision 1 lies where revision 3 was published"),
    ):
        rewrite(release, **changed)
        code, _, line = quick(release, study)
        assert code == 12
        assert words in line
        (release / MANIFEST).write_bytes(good)


def test_what_was_never_published_there_is_refused(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    publish(study)
    elsewhere = study_in(tmp_path / "elsewhere")  # the same protocol, on somebody else's machine
    made = publish(elsewhere, "2000Q3")
    shutil.copytree(made, tmp_path / "reports/tiny/tiny/2000Q3")
    code, _, line = quick(tmp_path / "reports/tiny/tiny/2000Q3", study)
    assert code == 12
    assert "tiny-2000Q3-r1 was never published here: the ledger does not hold it" in line
    code, _, line = quick(tmp_path / "reports/tiny/tiny/2000Q3", elsewhere)
    assert code == 0


@pytest.mark.parametrize("damage", [b"", b"{}", b"null", b"\0" * 60, None])
@pytest.mark.parametrize("which", ["key", "index.json", "00001-tiny-2000Q4-r1.json"])
def test_a_damaged_ledger_is_no_leave_to_change_releases(tmp_path: Path, which: str, damage: bytes | None) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    (file,) = (private_folder(study) / "ledger").glob(f"*/{which}")
    file.unlink() if damage is None else file.write_bytes(damage)
    code, _, line = quick(release, study)
    assert code == 12
    assert "nobody can say whether it is what was published: " in line and "backup of" in line


def test_a_release_that_was_renamed_as_if_it_were_superseded(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    shutil.move(release, kept(release, 1))
    assert "not checked: whether it was superseded: there is no release at 2000Q4" in quick(kept(release, 1), study)[1]


@pytest.mark.parametrize(
    "named", [{"period": "../x"}, {"period": "2000/Q4"}, {"study": "../../x"}, {"report": ""}, {"report": ".."}]
)
def test_a_manifest_names_no_folder_elsewhere(tmp_path: Path, named: dict[str, str]) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    rewrite(release, **named)
    code, _, line = quick(release, tmp_path / "nowhere.yaml")
    assert code == 10 and "is no manifest that evalkit wrote" in line


# -- Files --------------------------------------------------------------------------------------------------------


def linked(name: str) -> Callable[[Path], None]:
    def change(release: Path) -> None:
        outside = release.parents[3] / "outside"
        shutil.move(release / name, outside)
        (release / name).symlink_to(outside)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (linked("report.html"), "report.html is not what was published"),
        (linked("data"), "data/one.csv is not what was published"),
        (lambda r: (r / "data" / "two.csv").symlink_to(r / "data" / "one.csv"), "data/two.csv was not published"),
        (lambda r: (r / "more").mkdir(), "more was not published"),
        (lambda r: (r / "more").symlink_to("/"), "more was not published"),
        (lambda r: os.mkfifo(r / "pipe"), "pipe was not published"),
        (lambda r: (r / ".hidden").write_text(""), ".hidden was not published"),
        (lambda r: (r / "report.html").write_text(""), "report.html is not what was published"),
        (lambda r: (r / "data" / "one.csv").unlink(), "data/one.csv is not what was published"),
    ],
)
def test_links_and_strangers_in_a_release_are_refused(
    tmp_path: Path, change: Callable[[Path], None], words: str
) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    change(release)
    code, _, line = quick(release, study)
    assert code == 12
    assert words in line
    with pytest.raises(ReleaseError, match="is not what its manifest says; it cannot be approved"):
        approve(release, study, name="Ann Lee", reason="checked")


def test_a_manifest_that_is_a_link_is_none(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    linked(MANIFEST)(release)
    code, _, line = quick(release, study)
    assert code == 10
    assert "there is no readable manifest" in line


# -- Approvals ----------------------------------------------------------------------------------------------------


def approved(folder: Path, *, keys: bool) -> tuple[Study, Path, Path]:
    study = study_in(folder, REQUIRED)
    if keys:
        new_approver(study, "Ann Lee", None)
    release = publish(study, approval="required")
    approve(release, study, name="Ann Lee", reason="looked at every output")
    return study, release, release.with_name("2000Q4.approvals.jsonl")


@pytest.mark.parametrize("keys", [False, True])
def test_an_approval_is_checked(tmp_path: Path, keys: bool) -> None:
    study, release, beside = approved(tmp_path, keys=keys)
    (one,) = approvals_of(release)
    assert bool(one.signature) == bool(one.key) == keys
    assert "ok: approved by Ann Lee" in quick(release, study)[1]
    assert "signatures not checked" in quick(release, tmp_path / "nowhere.yaml")[1]
    line = beside.read_text(encoding="utf-8")
    for changed in (
        line.replace("looked at every output", "looked at some output"),
        line.replace("Ann Lee", "Bo"),
        line.replace(one.date, "2000-01-01T00:00:00Z"),
        json.dumps({n: v for n, v in json.loads(line).items() if n not in {"key", "signature"}} | {"reason": "x"})
        + "\n",
    ):
        beside.write_text(changed, encoding="utf-8")
        code, _, last = quick(release, study)
        assert code == 12
        assert f"the approval by Ann Lee of {one.date} was taken away or changed" in last
    beside.write_text(line.replace(one.manifest_sha256, "0" * 64), encoding="utf-8")  # of another digest
    for file in (study.path, tmp_path / "nowhere.yaml"):
        code, _, last = quick(release, file)
        assert code == 12
    assert "it has to be approved, and no approval in 2000Q4.approvals.jsonl names its manifest" in last
    beside.unlink()
    assert quick(release, tmp_path / "nowhere.yaml")[2] == last
    beside.write_text(line.replace("tiny/tiny/2000Q4", "tiny/tiny/2000Q3"), encoding="utf-8")
    assert "an approval beside it is of another release than tiny/tiny/2000Q4" in quick(release, study)[2]


@pytest.mark.parametrize("content", ["", "{", "[]\n", '{"name": 1}\n', '{"name": "Ann Lee"}\n', "\x00\x00", "null\n"])
def test_a_damaged_file_of_approvals_is_told(tmp_path: Path, content: str) -> None:
    study, release, beside = approved(tmp_path, keys=False)
    beside.write_text(content, encoding="utf-8")
    code, _, line = quick(release, study)
    assert code == 12
    assert "2000Q4.approvals.jsonl: " in line
    assert "put the file back from a backup" in line


def test_a_forged_approval_is_refused(tmp_path: Path) -> None:
    study, release, beside = approved(tmp_path, keys=False)
    line = json.loads(beside.read_text(encoding="utf-8"))
    with beside.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | {"name": "Bo"}) + "\n")
    assert "the approval by Bo was never given in this study" in quick(release, study)[2]


def test_a_forged_signature_is_refused(tmp_path: Path) -> None:
    study, release, beside = approved(tmp_path, keys=True)
    both = (beside, private_folder(study) / "approvals.jsonl")
    line = json.loads(beside.read_text(encoding="utf-8"))
    other = study_in(tmp_path / "other", REQUIRED)
    new_approver(other, "Ann Lee", None)
    theirs = publish(other, approval="required")
    approve(theirs, other, name="Ann Lee", reason="mine")
    foreign = json.loads(theirs.with_name("2000Q4.approvals.jsonl").read_text(encoding="utf-8"))
    for changed, words in (
        (line | {"reason": "another"}, "the signature of the approval by Ann Lee is wrong"),
        (line | {"signature": foreign["signature"]}, "the signature of the approval by Ann Lee is wrong"),
        (line | {"signature": "AAAA"}, "the signature of the approval by Ann Lee is wrong"),
        (line | {"signature": "?"}, "the signature of the approval by Ann Lee is wrong"),
        (line | {"key": foreign["key"]}, "signed with a key that the study does not know"),
        (line | {"name": "Bo"}, "the approval by Bo is signed with a key that the study does not know"),
        ({n: v for n, v in line.items() if n != "signature"}, "is not signed, and approvals of this study are"),
    ):
        for file in both:  # even where the private file is forged with it
            file.write_text(json.dumps(changed) + "\n", encoding="utf-8")
        code, _, last = quick(release, study)
        assert code == 12
        assert words in last


def test_who_approves_needs_his_own_key_once_there_is_one(tmp_path: Path) -> None:
    study = study_in(tmp_path, REQUIRED)
    release = publish(study, approval="required")
    old = approve(release, study, name="Bo", reason="before", now=datetime(2022, 10, 3, tzinfo=UTC))
    assert old.signature == ""
    ann, private = new_approver(study, "  Ann   Lee ", tmp_path / "hers" / "ann.pem", datetime(2022, 10, 4, tzinfo=UTC))
    assert ann.name == "Ann Lee"
    assert private.stat().st_mode & 0o777 == 0o600
    with pytest.raises(
        UsageError, match="--name Bo: has no key yet, and approvals of this study are signed; evalkit key"
    ):
        approve(release, study, name="Bo", reason="again")
    with pytest.raises(UsageError, match="the private key of Ann Lee is not there; name it with --key"):
        approve(release, study, name="Ann Lee", reason="again")
    approve(release, study, name="Ann Lee", reason="again", key=private)
    code, said, line = quick(release, study)
    assert code == 0, line
    assert "ok: approved by Bo, Ann Lee" in said  # the one of before needs no signature
    with pytest.raises(ReleaseError, match="Ann Lee has a key already; a key is never overwritten"):
        new_approver(study, "Ann Lee", None)
    for name in ("Eve", " "):
        with pytest.raises(UsageError, match=r"is not among the approvers of disclosure.yaml"):
            new_approver(study, name, None)
    new_approver(study, "Bo", tmp_path / "bo.pem")
    private.chmod(0o644)
    with pytest.raises(ProtocolError, match="others can read this key"):
        approve(release, study, name="Ann Lee", reason="again", key=private)
    private.chmod(0o600)
    with pytest.raises(UsageError, match=r"is not the key of Ann Lee; everybody approves with his own"):
        approve(release, study, name="Ann Lee", reason="again", key=tmp_path / "bo.pem")
    assert [a.name for a in approvals_of(release)] == ["Bo", "Ann Lee"]


@pytest.mark.parametrize("at", ["private", "public", "record"])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_key_whose_making_was_killed_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, elsewhere: bool
) -> None:
    study, release, _ = approved(tmp_path, keys=False)
    out = tmp_path / "ann.pem" if elsewhere else None
    with monkeypatch.context() as patch:
        if at == "record":
            patch.setattr(Path, "replace", killed)
        else:
            write = _keys._write
            patch.setattr(
                _keys,
                "_write",
                lambda file, *rest: write(file, *rest) if (file.suffix == ".pem") == (at == "public") else killed(),
            )
        with pytest.raises(KeyboardInterrupt):
            new_approver(study, "Ann Lee", out)
    approve(release, study, name="Ann Lee", reason="nobody has a key yet")
    if elsewhere and at != "private":  # it lies outside of what is ours: nobody but its owner takes it away
        with pytest.raises(ReleaseError, match=r"ann\.pem: is there already; a key is never overwritten"):
            new_approver(study, "Ann Lee", out)
        out.unlink()
    new_approver(study, "Ann Lee", out)
    approve(release, study, name="Ann Lee", reason="now with one", key=out)
    folder = private_folder(study) / "approvers"
    assert {file.suffix for file in folder.iterdir()} == {".json", ".pub", *([] if elsewhere else [".pem"])}
    (record,) = folder.glob("*.json")
    record.unlink()  # gone, and not in the making
    with pytest.raises(ReleaseError, match=r"\.pub: is there already"):
        new_approver(study, "Ann Lee", tmp_path / "another.pem")


def killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("damage", ["record", "hollow", "public", "gone", "other"])
def test_damaged_keys_of_approvers_are_told(tmp_path: Path, damage: str) -> None:
    study, release, _ = approved(tmp_path, keys=True)
    folder = private_folder(study) / "approvers"
    (record,) = folder.glob("*.json")
    if damage == "record":
        record.write_bytes(b"")
    elif damage == "hollow":
        record.write_text("{}")
    elif damage == "public":
        record.with_suffix(".pub").write_bytes(b"x" * 31)
    elif damage == "gone":
        record.unlink()
    else:
        new_key(tmp_path / "eve.pem", tmp_path / "eve.pub")
        shutil.copyfile(tmp_path / "eve.pub", record.with_suffix(".pub"))
    with pytest.raises(ProtocolError, match="put both back from a backup of"):
        approve(release, study, name="Ann Lee", reason="again")
    code, _, line = quick(release, study)
    assert code == 12
    assert "does not belong to the public key beside it, or one of the two is damaged" in line


def test_what_is_not_what_was_published_is_not_approved(tmp_path: Path) -> None:
    study, release = three(tmp_path)
    good = (release / MANIFEST).read_bytes()
    rewrite(release, change_note="another")
    with pytest.raises(
        ReleaseError, match=r"is not the one that was published as tiny-2000Q4-r3; it cannot be approved"
    ):
        approve(release, study, name="Ann Lee", reason="checked")
    (release / MANIFEST).write_bytes(good)
    approve(release, study, name="Ann Lee", reason="checked")
    shutil.rmtree(release)
    shutil.copytree(kept(release, 1), release)
    with pytest.raises(ReleaseError, match="revision 1 lies where revision 3 was published; it cannot be approved"):
        approve(release, study, name="Ann Lee", reason="checked")


def test_keys_and_approvals_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = study_in(tmp_path, REQUIRED)
    release = publish(study, approval="required")
    at = ["--study", str(study.path)]
    app(["key", "new", *at, "--approver", "Ann Lee", "--out", str(tmp_path / "ann.pem")], standalone_mode=False)
    assert f"private: {tmp_path / 'ann.pem'} (keep it; EVALKIT_APPROVER_KEY may name it)" in capsys.readouterr().out
    words = ["approve", str(release), *at, "--name", "Ann Lee", "--reason", "checked"]
    app([*words, "--key", str(tmp_path / "ann.pem")], standalone_mode=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALKIT_APPROVER_KEY", str(tmp_path / "ann.pem"))
        app(words, standalone_mode=False)
    assert [bool(approval.signature) for approval in approvals_of(release)] == [True, True]
    secret = (tmp_path / "ann.pem").read_text(encoding="ascii").splitlines()[1]
    assert secret not in capsys.readouterr().out
    assert not [
        f for f in tmp_path.rglob("*") if f.is_file() and f.name != "ann.pem" and secret.encode() in f.read_bytes()
    ]
    with pytest.raises(UsageError, match="--new-ledger: write why, in a few words"):
        app(["render", "tiny", *at, "--new-ledger", "123"], standalone_mode=False)


def test_checked_without_a_study_needs_no_private_folder(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    shutil.rmtree(tmp_path / ".evalkit")
    assert checked(release, None).good
    assert checked(release, None, study).good
    assert not (tmp_path / ".evalkit").exists()  # to look makes nothing
