"""Releases held to their word: their files, their signature, and whether the same comes out when they are made again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest

from evalkit.errors import ProtocolError, ReleaseError
from evalkit.publish import checked, new_key
from evalkit.publish._make import Made
from evalkit.publish._verify import Verification, _compared
from evalkit.publish.release._keys import check_signature, sign
from evalkit.publish.release._manifest import MANIFEST, attachment, read_manifest
from evalkit.publish.release._standing import Standing
from publish.standin import environment, give_secret, write_world
from publish.test_ingredients import other_version
from publish.test_render import last_line, run
from publish.test_revisions import PLACE, numbered


def verify(
    folder: Path, release: Path, *arguments: str, umask: int = -1, **more: str
) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "evalkit", "verify", str(release), "--study", str(folder / "study.yaml"), *arguments]
    return subprocess.run(
        call, env=environment(folder, **more), capture_output=True, text=True, cwd=folder, check=False, timeout=500,
        umask=umask,
    )  # fmt: skip


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed release, as somebody sends it."""
    folder = tmp_path_factory.mktemp("made")
    write_world(folder, numbered(0.25))
    new_key(folder / "key.pem", folder / "key.pub")
    assert run(folder, EVALKIT_SIGNING_KEY=str(folder / "key.pem")).returncode == 0
    sent = tmp_path_factory.mktemp("sent") / "release"
    shutil.copytree(folder / PLACE, sent)
    shutil.copyfile(folder / "key.pub", sent.parent / "key.pub")
    give_secret(folder, sent.parent)
    return sent


def copied(release: Path, folder: Path) -> Path:
    shutil.copytree(release, folder / "copy")
    return folder / "copy"


def test_another_checkout_gives_the_same(release: Path, tmp_path: Path) -> None:
    """In another folder, time zone and locale, with other hashing of texts and another file mask."""
    write_world(tmp_path, numbered(0.25))
    give_secret(release.parent, tmp_path)
    around = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    done = verify(tmp_path, release, "--public-key", str(release.parent / "key.pub"), umask=0o077, **around)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "files are as the manifest says",
        "the manifest is the one it was made with",
        "the signature is good",
        "tbl-one: 2 of 2 numbers the same",
        "every output is the same",
        "every file has the same bytes",
    ):
        assert line in done.stdout
    assert "DIFFERS" not in done.stdout
    assert re.findall("not checked: (.*)", done.stdout) == [
        "whether it lies where it belongs: it is not among releases",
        f"whether it is what was published: no ledger in {tmp_path}/.evalkit/tiny says so of tiny-2000Q4-r1",
        "approvals, which are not beside it",
    ]
    assert not (tmp_path / "reports").exists()  # it is made again in scratch only


def test_without_the_secret_it_says_what_it_cannot_check(release: Path, tmp_path: Path) -> None:
    """The numbers come out the same; that the tables are the same to the last byte, nobody else shall be able to tell."""
    write_world(tmp_path, numbered(0.25))
    with (tmp_path / "participants.csv").open("a", encoding="utf-8") as table:
        table.write("\n")
    done = verify(tmp_path, release)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not checked: whether the tables are the same files and rows: the study's secret is not here" in done.stdout
    assert "every file has the same bytes" in done.stdout
    assert not (tmp_path / ".evalkit" / "tiny" / "secret").exists()  # to look makes nothing


def test_what_changed_is_named_number_by_number(release: Path, tmp_path: Path) -> None:
    write_world(tmp_path, numbered(0.125))
    give_secret(release.parent, tmp_path)
    with (tmp_path / "participants.csv").open("a", encoding="utf-8") as table:
        table.write("\n")  # one byte more
    (tmp_path / "tiny.yaml").write_text((tmp_path / "tiny.yaml").read_text().replace("364", "300"), encoding="utf-8")
    other_version(tmp_path / "site", "seaborn", "9.9.9")
    done = verify(tmp_path, release, PYTHONPATH=str(tmp_path / "site"))
    assert done.returncode == 12, done.stdout + done.stderr
    for line in (
        "DIFFERS: tbl-one: 1 of 2 numbers the same",
        "DIFFERS: tbl-one, group a, estimate: 0.25 before, 0.125 now",
        "DIFFERS: table participants changed",
        "DIFFERS: notebook changed",
        "DIFFERS: parameter horizon_days changed from 364 to 300",
        "DIFFERS: package seaborn changed from",
    ):
        assert line in done.stdout
    assert "is not what was published: " in last_line(done)
    assert "to 9.9.9" in last_line(done)


def test_estimates_that_had_other_names_are_the_same_numbers(release: Path) -> None:
    """Releases made before estimates were named by declared keys: outputs are held against one another by their labels."""
    now = read_manifest(release)
    assert any(entry.get("estimate") for entry in now["published"])
    then = {
        **now,
        "estimates": [["0" * 12, "cox"]],
        "published": [entry | {"estimate": "0" * 12} for entry in now["published"]],
    }
    made = Made(now, {name: release / name for name in now["outputs"]}, None)  # type: ignore[arg-type]
    found = _compared(Verification(release, then), made, Standing(release))
    assert found.good and found.why == ""
    assert found.counts == {"fig-one": (3, 3), "tbl-one": (2, 2)}
    assert found.said == (
        "every output is the same",
        "made again, every file has the same bytes as when it was published",
    )
    other = [entry | {"content": "0" * 64} for entry in now["published"][:1]] + now["published"][1:]
    assert not _compared(Verification(release, {**then, "published": other}), made, Standing(release)).good


def test_one_byte_of_a_table_is_enough(release: Path, tmp_path: Path) -> None:
    write_world(tmp_path, numbered(0.25))
    give_secret(release.parent, tmp_path)
    with (tmp_path / "participants.csv").open("a", encoding="utf-8") as table:
        table.write("\n")
    done = verify(tmp_path, release)
    assert done.returncode == 12, done.stdout + done.stderr
    assert last_line(done).endswith("is not what was published: table participants changed")


@pytest.mark.parametrize("corrected", [False, True])
def test_a_table_that_grew_after_the_cut_is_a_remark(release: Path, tmp_path: Path, corrected: bool) -> None:
    """Else every release would be another one once the next quarter's rows are there."""
    write_world(tmp_path, numbered(0.25))
    give_secret(release.parent, tmp_path)
    table = tmp_path / "participants.csv"
    rows = table.read_text(encoding="utf-8") + "QX73,a,2001-01-03,self,2001-01-10,one,north,2001-12-31\n"
    if corrected:  # what had been known by then is another thing now
        rows = rows.replace("QX71,a,2000-01-03,self,2000-01-10", "QX71,a,2000-01-03,self,2000-01-11")
    table.write_text(rows, encoding="utf-8")
    done = verify(tmp_path, release)
    assert done.returncode == (12 if corrected else 0), done.stdout + done.stderr
    assert ("  DIFFERS: table participants changed" in done.stdout.splitlines()) is corrected
    later = "  same outputs, rows of after the data cut: participants"
    assert (later in done.stdout.splitlines()) is not corrected


def test_another_study_is_not_compared(release: Path, tmp_path: Path) -> None:
    study = write_world(tmp_path)
    study.write_text(study.read_text(encoding="utf-8").replace("id: tiny", "id: other"), encoding="utf-8")
    done = verify(tmp_path, release)
    assert done.returncode == 2
    assert "is of study 'tiny', not 'other'" in last_line(done)


def test_quick_needs_no_study(release: Path, tmp_path: Path) -> None:
    done = verify(tmp_path, release, "--quick")
    assert done.returncode == 0, done.stderr
    assert "not checked: its signature: name the public key with --public-key" in done.stdout
    assert "cell 1" not in done.stderr


def test_a_manifest_that_was_changed_is_noticed(release: Path, tmp_path: Path) -> None:
    copy = copied(release, tmp_path)
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    manifest["environment"]["packages"]["seaborn"] = "0.0.1"
    (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert "manifest.json was changed after it was made" in checked(copy, None).why
    # Somebody who mends every digest is still held to the PDF and to the signature.
    inside = attachment(manifest)
    manifest["attachment"]["sha256"] = hashlib.sha256(inside).hexdigest()
    from evalkit.publish.release._ingredients import key

    manifest["key"] = key(manifest)
    manifest["attachment"]["sha256"] = hashlib.sha256(attachment(manifest)).hexdigest()
    (copy / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    found = checked(copy, release.parent / "key.pub")
    assert found.problems == (
        "manifest.json is not the one inside report.pdf",
        "the signature is wrong: the manifest is not what was signed",
    )


def test_files_that_were_changed_added_or_lost_are_named(release: Path, tmp_path: Path) -> None:
    copy = copied(release, tmp_path)
    with (copy / "report.html").open("a", encoding="utf-8") as page:
        page.write(" ")
    (copy / "data" / "fig-one.csv").unlink()
    (copy / "extra.txt").write_text("x", encoding="utf-8")
    why = checked(copy, None).why
    assert why == "data/fig-one.csv, report.html is not what was published; extra.txt was not published"


def test_the_manifest_stands_inside_the_pdf(release: Path) -> None:
    manifest = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    with pikepdf.open(release / "report.pdf") as pdf, pdf.open_metadata() as meta:
        inside = pdf.attachments["evalkit-manifest.json"].get_file().read_bytes()
        assert str(meta["pdfuaid:part"]) == "1"
    assert hashlib.sha256(inside).hexdigest() == manifest["attachment"]["sha256"]
    assert json.loads(inside) == {n: v for n, v in manifest.items() if n not in {"attachment", "checkout", "outputs"}}


def test_signatures(release: Path, tmp_path: Path) -> None:
    copy = copied(release, tmp_path)
    own = release.parent / "key.pub"
    assert check_signature(copy, MANIFEST, own) == ""
    new_key(tmp_path / "other.pem", tmp_path / "other.pub")
    assert "it is signed with another key" in check_signature(copy, MANIFEST, tmp_path / "other.pub")
    with (copy / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.write("\n")
    assert "the signature is wrong" in check_signature(copy, MANIFEST, own)
    (copy / "manifest.sig").write_text("ed25519 x y\n", encoding="ascii")
    assert check_signature(copy, MANIFEST, own) == "manifest.sig is damaged"
    (copy / "manifest.sig").unlink()
    assert check_signature(copy, MANIFEST, own) == "there is no signature"


def test_keys_are_private(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        new_key(tmp_path / "k" / "key.pem", tmp_path / "k" / "key.pub")
    finally:
        os.umask(mask)
    private = tmp_path / "k" / "key.pem"
    assert private.stat().st_mode & 0o777 == 0o600
    (tmp_path / "m.json").write_text("{}", encoding="utf-8")
    first = sign(tmp_path / "m.json", private, tmp_path / "one").read_bytes()
    assert sign(tmp_path / "m.json", private, tmp_path / "two").read_bytes() == first
    with pytest.raises(ReleaseError, match="is there already"):
        new_key(private, tmp_path / "new.pub")
    private.chmod(0o644)
    with pytest.raises(ProtocolError, match="others can read this key; chmod 600"):
        sign(tmp_path / "m.json", private, tmp_path / "one")
    (tmp_path / "k" / "key.pub").chmod(0o600)
    with pytest.raises(ProtocolError, match="is no ed25519 private key"):
        sign(tmp_path / "m.json", tmp_path / "k" / "key.pub", tmp_path / "one")
