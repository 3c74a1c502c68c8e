"""The ledger is whole or nothing is published: damage of any kind is told, with the backup to bring."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.errors import DisclosureError
from evalkit.publish.release._ledger import ANOTHER, Ledger, _fingerprint

NAMES = ("quarterly-2022Q2-r1", "quarterly-2022Q3-r1", "quarterly-2022Q3-r2")


def add(ledger: Ledger, name: str, sha256: str = "0" * 64) -> None:
    with ledger.adding(name, sha256):
        pass


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    (tmp_path / "private").mkdir(mode=0o700)
    made = Ledger.of(tmp_path / "private", tmp_path / "reports")
    for number, name in enumerate(NAMES):
        add(made, name, sha256=str(number) * 64)
    return made


def again(tmp_path: Path) -> Ledger:
    return Ledger.of(tmp_path / "private", tmp_path / "reports")


def entry(ledger: Ledger, number: int) -> Path:
    return sorted(ledger.folder.glob("[0-9]*.json"))[number]


def test_a_whole_ledger_opens(ledger: Ledger, tmp_path: Path) -> None:
    found = again(tmp_path)
    assert found.names == NAMES
    assert [found.manifest_of(name) for name in NAMES] == ["0" * 64, "1" * 64, "2" * 64]
    assert found.newest("quarterly", "2022Q3") == (2, "2" * 64)
    assert found.newest("quarterly", "2022Q2") == (1, "0" * 64)
    assert found.newest("quarterly", "2022Q4") == found.newest("quarter", "2022Q3") == (0, "")
    assert {f.name for f in found.folder.iterdir()} == {"key", "index.json", *(f"0000{i + 1}-{n}.json" for i, n in enumerate(NAMES))}  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: f.write_bytes(b""), "the key of the ledger is damaged"),
        (lambda f: f.write_bytes(f.read_bytes()[:16]), "the key of the ledger is damaged"),
        (lambda f: f.write_bytes(f.read_bytes()[:31]), "the key of the ledger is damaged"),
        (lambda f: f.write_bytes(f.read_bytes() + b"\n"), "the key of the ledger is damaged"),
        (lambda f: f.write_bytes(bytes(32)), "the key of the ledger is damaged"),
        (lambda f: f.write_bytes(os.urandom(32)), "is not the key that this ledger was written with"),
        (lambda f: f.write_bytes(f.read_bytes()[::-1]), "is not the key that this ledger was written with"),
        (lambda f: f.write_bytes(f.read_bytes().hex().encode()[:32]), "is not the key that this ledger was written with"),
        (lambda f: f.unlink(), "the key of the ledger is gone"),
    ],
)  # fmt: skip
def test_a_damaged_key_stops_and_says_which_backup(
    ledger: Ledger, tmp_path: Path, damage: Callable[[Path], object], words: str
) -> None:
    good = (ledger.folder / "key").read_bytes()
    damage(ledger.folder / "key")
    with pytest.raises(DisclosureError, match=words) as said:
        again(tmp_path)
    assert f"from any backup of {ledger.folder}, it never changes, or begin another with --new-ledger" in str(
        said.value
    )
    assert "\n" not in str(said.value)
    if "written with" in words:
        assert f"{ledger.folder / 'key'}: {words} ({_fingerprint(good)}); put it back" in str(said.value)
    (ledger.folder / "key").write_bytes(good)
    (ledger.folder / "key").chmod(0o600)
    assert again(tmp_path).names == NAMES


def test_a_key_that_everybody_can_read_stops(ledger: Ledger, tmp_path: Path) -> None:
    for mode in (0o604, 0o644, 0o602):
        (ledger.folder / "key").chmod(mode)
        with pytest.raises(
            DisclosureError, match="everybody on this machine can read the key of the ledger; chmod o-rwx"
        ):
            again(tmp_path)


def hollow(file: Path) -> None:
    file.write_text(json.dumps({"release": file.stem.partition("-")[2], "manifest_sha256": ""}))


def less(file: Path) -> None:
    """Take one digit out of a sound entry."""
    content = json.loads(file.read_text())
    content["manifest_sha256"] = content["manifest_sha256"][1:]
    file.write_text(json.dumps(content, sort_keys=True))


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "damage",
    [
        lambda f: f.write_bytes(b""),
        lambda f: f.write_bytes(f.read_bytes()[: f.stat().st_size // 2]),
        lambda f: f.write_bytes(bytes(f.stat().st_size)),
        lambda f: f.write_text("{}"),
        lambda f: f.write_text("[]"),
        lambda f: f.write_text("null"),
        lambda f: f.write_text('{"people": 3, "cells": [1]}'),
        hollow,
        less,
        lambda f: f.write_bytes(f.read_bytes() + b" "),
    ],
)
def test_a_damaged_entry_stops(ledger: Ledger, tmp_path: Path, damage: Callable[[Path], object], number: int) -> None:
    file = entry(ledger, number)
    damage(file)
    with pytest.raises(DisclosureError, match="this entry of the ledger is not what was written") as said:
        again(tmp_path)
    assert f"{file}: " in str(said.value)
    assert f"put it back from a backup of {ledger.folder} made after {NAMES[number]} was published" in str(said.value)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_entry_that_is_gone_stops(ledger: Ledger, tmp_path: Path, number: int) -> None:
    file = entry(ledger, number)
    file.unlink()
    with pytest.raises(DisclosureError, match=f"{file.name}: this entry of the ledger is gone"):
        again(tmp_path)


def test_entries_of_others_and_under_other_names_stop(ledger: Ledger, tmp_path: Path) -> None:
    one, two, three = (entry(ledger, number) for number in range(3))
    kept = [file.read_bytes() for file in (one, two, three)]
    one.write_bytes(kept[1]), two.write_bytes(kept[0])  # exchanged
    with pytest.raises(DisclosureError, match=r"00001-quarterly-2022Q2-r1.json: this entry of the ledger is not what"):
        again(tmp_path)
    one.write_bytes(kept[0]), two.write_bytes(kept[1])
    two.rename(two.with_name("00002-quarterly-2022Q4-r1.json"))
    with pytest.raises(DisclosureError, match=r"00002-quarterly-2022Q3-r1.json: this entry of the ledger is gone"):
        again(tmp_path)
    two.with_name("00002-quarterly-2022Q4-r1.json").rename(two)
    for name in ("00004-quarterly-2022Q4-r1.json", "00001-final-2022Q4-r1.json", "more.json"):
        shutil.copyfile(three, ledger.folder / name)
        with pytest.raises(DisclosureError, match=f"{name}: the ledger's index does not name it; put back index.json"):
            again(tmp_path)
        (ledger.folder / name).unlink()
    (tmp_path / "other").mkdir()
    other = Ledger.of(tmp_path / "other", tmp_path / "reports2")  # of another study, under the same name
    add(other, NAMES[0], "9" * 64)
    shutil.copyfile(entry(other, 0), one)
    with pytest.raises(DisclosureError, match=r"00001-quarterly-2022Q2-r1.json: this entry of the ledger is not what"):
        again(tmp_path)
    one.write_bytes(kept[0])
    outside = tmp_path / "elsewhere.json"
    shutil.move(three, outside)
    three.symlink_to(outside)
    with pytest.raises(DisclosureError, match="this entry of the ledger is not what was written"):
        again(tmp_path)


def without_first(file: Path) -> None:
    content = json.loads(file.read_text())
    content["entries"] = content["entries"][1:]
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: f.write_bytes(b""), "the ledger's index is damaged"),
        (lambda f: f.write_bytes(f.read_bytes()[:100]), "the ledger's index is damaged"),
        (lambda f: f.write_bytes(bytes(300)), "the ledger's index is damaged"),
        (lambda f: f.write_text("{}"), "the ledger's index is damaged"),
        (lambda f: f.write_text("[]"), "the ledger's index is damaged"),
        (without_first, "the ledger's index is damaged"),
        (lambda f: f.write_text(f.read_text().replace('"lost": []', '"lost": ["a"]')), "the ledger's index is damaged"),
        (lambda f: f.unlink(), "the ledger's index is gone"),
    ],
)
def test_a_damaged_index_stops(ledger: Ledger, tmp_path: Path, damage: Callable[[Path], object], words: str) -> None:
    damage(ledger.folder / "index.json")
    with pytest.raises(DisclosureError) as said:
        again(tmp_path)
    back = f"put it back from the newest backup of {ledger.folder}, {ANOTHER}"
    assert str(said.value) == f"{ledger.folder / 'index.json'}: {words}; {back}"


def test_an_index_of_another_ledger_or_of_before_stops(ledger: Ledger, tmp_path: Path) -> None:
    before = (ledger.folder / "index.json").read_bytes()
    (tmp_path / "other").mkdir()
    other = Ledger.of(tmp_path / "other", tmp_path / "reports2")
    add(other, NAMES[0])
    shutil.copyfile(other.folder / "index.json", ledger.folder / "index.json")
    with pytest.raises(DisclosureError, match="the ledger's index is damaged"):
        again(tmp_path)
    (ledger.folder / "index.json").write_bytes(before)
    add(ledger, "quarterly-2022Q4-r1")
    (ledger.folder / "index.json").write_bytes(before)  # from yesterday's backup
    with pytest.raises(DisclosureError, match=r"00004-quarterly-2022Q4-r1.json: the ledger's index does not name it"):
        again(tmp_path)


def test_a_ledger_from_an_older_backup_lacks_what_was_published_since(ledger: Ledger, tmp_path: Path) -> None:
    shutil.copytree(ledger.folder, tmp_path / "backup")
    add(ledger, "quarterly-2022Q4-r1")
    shutil.rmtree(ledger.folder)
    shutil.copytree(tmp_path / "backup", ledger.folder)
    back = again(tmp_path)
    back.require(NAMES)
    with pytest.raises(DisclosureError, match=r"does not hold quarterly-2022Q4-r1 \(1 releases are missing\)") as said:
        back.require([*NAMES, "quarterly-2022Q4-r1"])
    assert "from a backup made after quarterly-2022Q4-r1 was published" in str(said.value)


@pytest.mark.parametrize("content", [b"", b"../x", b"\x00\x00", b"no such name", b"\xff\xfe"])
def test_a_damaged_mark_stops(ledger: Ledger, tmp_path: Path, content: bytes) -> None:
    ledger.mark.write_bytes(content)
    with pytest.raises(DisclosureError, match=r"\.ledger: does not name a ledger; put back the file"):
        again(tmp_path)


def test_a_ledger_that_is_elsewhere_is_asked_for(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match=r"is not in .*; name the private folder that holds it \(EVALKIT_PRIVATE"):
        Ledger.of(tmp_path / "another", tmp_path / "reports")
    ledger.mark.write_text("0123456789abcdef")
    with pytest.raises(DisclosureError, match="the ledger that it names is not in"):
        again(tmp_path)
    assert sorted(p.name for p in (tmp_path / "private" / "ledger").iterdir()) == [ledger.folder.name]


def test_nothing_is_written_over(ledger: Ledger) -> None:
    kept = {file.name: file.read_bytes() for file in ledger.folder.glob("[0-9]*")}
    with pytest.raises(DisclosureError, match="holds quarterly-2022Q3-r1 already; an entry is never written over"):
        add(ledger, "quarterly-2022Q3-r1")
    add(ledger, "quarterly-2022Q3-r3")
    assert {name: (ledger.folder / name).read_bytes() for name in kept} == kept


def test_what_dies_while_it_is_placed_is_finished_or_forgotten(ledger: Ledger, tmp_path: Path) -> None:
    def dies(name: str, sha256: str) -> None:
        with pytest.raises(KeyboardInterrupt), ledger.adding(name, sha256):
            raise KeyboardInterrupt

    dies("quarterly-2022Q4-r1", "a" * 64)
    assert again(tmp_path).names == NAMES  # not yet
    assert ledger.is_pending("a" * 64)
    again(tmp_path).recover(lambda sha256: False)
    assert not (ledger.folder / "pending.json").exists()
    dies("quarterly-2022Q4-r1", "b" * 64)
    again(tmp_path).recover(lambda sha256: sha256 == "b" * 64)  # it lies among the releases
    assert again(tmp_path).names == (*NAMES, "quarterly-2022Q4-r1")
    (ledger.folder / "00004-quarterly-2022Q4-r1.json").rename(ledger.folder / "pending.json")  # died after the index
    assert again(tmp_path).manifest_of("quarterly-2022Q4-r1") == "b" * 64
    again(tmp_path).recover(lambda sha256: False)
    assert (ledger.folder / "00004-quarterly-2022Q4-r1.json").is_file()
    for content in (b"", b"{}", bytes(40)):
        (ledger.folder / "pending.json").write_bytes(content)
        with pytest.raises(DisclosureError, match=r"pending.json: is damaged; put it back from the newest backup"):
            again(tmp_path).recover(lambda sha256: False)


def test_a_ledger_of_before_indices_is_held_to_its_files(ledger: Ledger, tmp_path: Path) -> None:
    (ledger.folder / "index.json").unlink()
    for file in ledger.folder.glob("[0-9]*"):
        about = json.loads(file.read_bytes())
        file.write_text(json.dumps({"release": about["release"], "people": ["00"], "cells": []}))
    assert again(tmp_path).names == NAMES
    one, two, _ = (entry(ledger, number) for number in range(3))
    kept = two.read_bytes()
    two.unlink()
    with pytest.raises(DisclosureError) as said:
        again(tmp_path)
    assert str(said.value) == (
        f"{ledger.folder / '00003-quarterly-2022Q3-r2.json'}: this entry of the ledger is not what was written, or one "
        f"before it is gone; put it back from a backup of {ledger.folder}, {ANOTHER}"
    )
    for content in (b"", bytes(100), kept[:50], one.read_bytes()):
        two.write_bytes(content)
        with pytest.raises(DisclosureError, match=r"00002-quarterly-2022Q3-r1.json: this entry of the ledger is not"):
            again(tmp_path)
    two.write_bytes(kept)
    add(again(tmp_path), "quarterly-2022Q4-r1")  # from now on it has an index
    assert again(tmp_path).names == (*NAMES, "quarterly-2022Q4-r1")
    two.write_bytes(kept + b" ")
    with pytest.raises(DisclosureError, match=r"00002-quarterly-2022Q3-r1.json: this entry of the ledger is not"):
        again(tmp_path)


def test_a_second_ledger_of_a_study_needs_a_reason(ledger: Ledger, tmp_path: Path) -> None:
    private = tmp_path / "private"
    with pytest.raises(DisclosureError, match="releases of this study were published in") as said:
        Ledger.of(private, tmp_path / "other")
    assert f"published in {tmp_path / 'reports'}, " in str(said.value)
    assert "render into the same --out, or begin another with --new-ledger 'why'" in str(said.value)
    other = Ledger.another(private, tmp_path / "other", "For a trial", ["final-2022Q4-r1"])
    other.begin()
    found = Ledger.of(private, tmp_path / "other")
    assert (found.names, found.why) == ((), "For a trial")
    found.require(["final-2022Q4-r1"])  # given up with open eyes
    assert again(tmp_path).names == NAMES


def test_an_emptied_folder_of_releases_goes_on_with_its_ledger(ledger: Ledger, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "reports")
    assert again(tmp_path).names == NAMES
    (tmp_path / "reports").mkdir()
    found = again(tmp_path)
    found.begin()
    assert found.mark.read_text() == ledger.folder.name
    assert found.mark.stat().st_mode & 0o777 == 0o644  # another user of the releases has to read it
    shutil.move(tmp_path / "reports", tmp_path / "moved")  # with its mark it may be moved
    moved = Ledger.of(tmp_path / "private", tmp_path / "moved")
    add(moved, "quarterly-2022Q4-r1")
    (tmp_path / "moved" / ".ledger").unlink()
    assert Ledger.of(tmp_path / "private", tmp_path / "moved").names == moved.names


@pytest.mark.parametrize("newer_is", ["first", "last"])
def test_of_two_ledgers_of_an_emptied_folder_the_newer_goes_on(ledger: Ledger, tmp_path: Path, newer_is: str) -> None:
    """By the day on which it was begun, whatever its random name."""
    shutil.rmtree(tmp_path / "reports")
    for why, name in (("Older", "0" * 16), ("Newer", "f" * 16)):
        made = Ledger.another(tmp_path / "private", tmp_path / "reports", why, ())
        place = made.folder.with_name(name if newer_is == "last" else name.translate(str.maketrans("0f", "f0")))
        made = dataclasses.replace(made, folder=place, fresh=dataclasses.replace(made.fresh, ledger=place.name))
        made.begin()
        made.mark.unlink()
        os.utime(place / "key", (1, 1) if why == "Older" else None)
    os.utime(ledger.folder / "key", (1, 1))
    assert again(tmp_path).why == "Newer"


def test_the_ledger_keeps_releases_and_nobody(tmp_path: Path) -> None:
    releases, private = tmp_path / "reports", tmp_path / "private"
    ledger = Ledger.of(private, releases)
    with ledger.adding("quarterly-2022Q3-r1", "0" * 64):
        pass
    again = Ledger.of(private, releases)
    assert again.names == ("quarterly-2022Q3-r1",)
    assert again.manifest_of("quarterly-2022Q3-r1") == "0" * 64
    for file in ledger.folder.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
    (entry,) = ledger.folder.glob("0*.json")
    assert set(json.loads(entry.read_text(encoding="utf-8"))) == {"release", "manifest_sha256", "published"}
