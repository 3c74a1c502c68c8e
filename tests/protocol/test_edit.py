"""Writing one table's entry into a protocol: all else stays, byte by byte."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from evalkit.errors import ProtocolError
from evalkit.protocol import _files, parse_yaml, write_table
from evalkit.protocol._files import with_table

ENTRY = {"path": ["a.csv", "b.csv"], "columns": {"participant_id": "Id", "hours": {"column": "Min", "divide": 60}}}
WRITTEN = """\
  exits:
    path: [a.csv, b.csv]
    columns:
      participant_id: Id
      hours: {column: Min, divide: 60}
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # a new table comes after the others, before what is said of the next key
        (
            "tables:\n  participants: {path: p.csv}   # here\n\n# next\nrules: {}\n",
            f"tables:\n  participants: {{path: p.csv}}   # here\n{WRITTEN}\n# next\nrules: {{}}\n",
        ),
        # one that is there is replaced; its remarks stay
        (
            "tables:\n  exits: {path: e.csv}  # by hand\n  sessions: {path: s.csv}\n",
            f"tables:\n{WRITTEN.replace('exits:', 'exits:' + chr(10) + '    # by hand')}  sessions: {{path: s.csv}}\n",
        ),
        (
            "tables:\n  exits:\n    path: e.csv\n    values: {reason: {A: moved}}\n# of sessions\n  sessions: {path: s.csv}\n",
            f"tables:\n{WRITTEN}# of sessions\n  sessions: {{path: s.csv}}\n",
        ),
        # the line that `evalkit init` left for it goes
        (
            "tables:\n  sessions: {path: s.csv}\n  # exits: {path: ../data/exits.csv}\n  # mine\nid: x\n",
            f"tables:\n  sessions: {{path: s.csv}}\n{WRITTEN}  # mine\nid: x\n",
        ),
        ("tables: {exits: {path: e.csv}}\nid: x\n", f"tables:\n{WRITTEN}id: x\n"),
        # a remark may hold the key's own word
        (
            "tables:  # tables of ours\n  {exits: {path: e.csv}}\nid: x\n",
            f"tables:\n  # tables of ours\n{WRITTEN}id: x\n",
        ),
        ("tables:\n  exits: {path: e.csv}", f"tables:\n{WRITTEN}"),
        ("id: x\n", f"id: x\ntables:\n{WRITTEN}"),
    ],
)
def test_only_that_entry_changes(before: str, after: str) -> None:
    assert with_table(before, "exits", ENTRY) == after


@pytest.mark.parametrize(
    ("before", "remarks"),
    [
        ("  exits:\n    path: \"e.csv\"  # the clerk's\n    values:\n      reason: {'A # 1': moved}  # not died\n",
         ["# the clerk's", "# not died"]),
        ("  exits:\n    # of the case system\n    path: e.csv\n    values:\n      reason: {\"A #1\": moved, B#2: moved}\n",
         ["# of the case system"]),
        ("  exits:\n    path: >-\n      # none\n    columns: {reason: Why}  # one\n", ["# one"]),
    ],
)  # fmt: skip
def test_remarks_stay_whatever_stands_before_them(before: str, remarks: list[str]) -> None:
    text = with_table(f"tables:\n{before}  sessions: {{path: s.csv}}\n", "exits", {"path": "f.csv"})
    said = "".join(f"    {remark}\n" for remark in remarks)
    assert text == f"tables:\n  exits:\n{said}    path: f.csv\n  sessions: {{path: s.csv}}\n"


def test_remarks_of_tables_in_braces_stay() -> None:
    text = with_table(
        "id: x\ntables: {  # ours\n  sessions: {path: s.csv},  # weekly\n}\nseed: 1\n", "exits", {"path": "f.csv"}
    )
    assert text == (
        "id: x\ntables:\n  # ours\n  # weekly\n  sessions:\n    path: s.csv\n  exits:\n    path: f.csv\nseed: 1\n"
    )


def test_what_a_link_leads_to_is_written_and_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("kept", "here"):
        (tmp_path / name).mkdir()
    file, link = tmp_path / "kept/study.yaml", tmp_path / "here/study.yaml"
    file.write_text(STUDY, encoding="utf-8")
    link.symlink_to(file)
    folders, make = [], _files.tempfile.mkstemp
    monkeypatch.setattr(
        _files.tempfile, "mkstemp", lambda dir, prefix: (folders.append(dir), make(dir=dir, prefix=prefix))[1]
    )
    write_table(link, "exits", {"path": "f.csv"})
    assert folders == [tmp_path / "kept"]  # a link may lead to another disk, and nothing is moved across in one step
    assert link.is_symlink() and "  exits:\n    path: f.csv\n" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", ["yes", "No", "on", "null", "~", "", " x", "a: b", "#", "1", "020", "2022-01-01", "é"])
def test_a_word_is_read_as_the_text_it_was(word: str) -> None:
    text = with_table(
        "tables:\n  exits: {path: e.csv}\n", "exits", {"path": "e.csv", "values": {"reason": {word: word}}}
    )
    assert parse_yaml(text, "x")["tables"]["exits"]["values"] == {"reason": {word: word}}


def test_a_long_list_of_words_is_written_in_lines() -> None:
    words = {f"A long reason number {n}": "moved" for n in range(6)}
    text = with_table("tables:\n  exits: {path: e.csv}\n", "exits", {"path": "e.csv", "values": {"reason": words}})
    assert max(map(len, text.splitlines())) <= 120
    assert parse_yaml(text, "x")["tables"]["exits"]["values"]["reason"] == words


@pytest.mark.parametrize(("more", "lines"), [(0, 1), (1, 2)])
def test_a_line_is_as_long_as_it_may_be(more: int, lines: int) -> None:
    # six signs of indent, "reason: {", ": moved}" and the line's end make 120 with these
    word = "x" * (120 - len("      reason: {: moved}\n") + more)
    text = with_table(
        "tables:\n  exits: {path: e.csv}\n", "exits", {"path": "e.csv", "values": {"reason": {word: "moved"}}}
    )
    assert [line.lstrip() for line in text.splitlines()][-lines:] == (
        [f"reason: {{{word}: moved}}"] if lines == 1 else ["reason:", f"{word}: moved"]
    )


def test_an_alias_that_would_break_is_refused() -> None:
    text = "tables:\n  exits: &e {path: e.csv}\n  sessions: *e\n"
    with pytest.raises(ProtocolError):
        with_table(text, "exits", ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        "tables:\n  sessions: {path: s.csv}\nnote: |\n   # exits: {path: x}\n   kept\n",  # a text's line, like one of init's
        "note: |+\n  ends with lines\n\n\n",
    ],
)
def test_an_entry_that_would_change_the_rest_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="cannot be written into it without changing the rest; write it by hand"):
        with_table(text, "exits", ENTRY)


STUDY = """\
id: small  # mine
title: Small
starts: 2022-01-01
arms: {focus: {value: a, label: A}, comparison: {value: b, label: B}}
rules: {completion: recorded}
tables:
  participants: {path: p.csv}
"""


def test_line_ends_marks_and_modes_stay(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + STUDY.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    write_table(file, "exits", {"path": "f.csv"})
    assert file.read_bytes() == b"\xef\xbb\xbf" + f"{STUDY}  exits:\n    path: f.csv\n".replace("\n", "\r\n").encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [found.name for found in tmp_path.iterdir()] == ["study.yaml"]


@pytest.mark.parametrize("last", ["", "# the end", "# the end\n", "# the end\r\n"])
@pytest.mark.parametrize("windows", [(), (1,), (0, 1, 2, 3, 5), tuple(range(7))])
def test_lines_of_two_kinds_of_ends_keep_them(tmp_path: Path, windows: tuple[int, ...], last: str) -> None:
    """Somebody edited a file of Windows elsewhere: each line ends as it did, and new ones as most do."""
    file, lines = tmp_path / "study.yaml", STUDY.splitlines()
    ended = [line + ("\r\n" if k in windows else "\n") for k, line in enumerate(lines)]
    file.write_bytes("".join([*ended, last]).encode())
    write_table(file, "participants", {"path": "other.csv"})
    end = "\r\n" if len(windows) > 3 else "\n"
    expected = [*ended[:-1], f"  participants:{end}", f"    path: other.csv{end}", last]
    if last == "# the end":
        expected.append(end)
    assert file.read_bytes() == "".join(expected).encode()


def test_a_protocol_that_would_be_none_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY, encoding="utf-8")
    with pytest.raises(ProtocolError, match="recorded needs the table exits"):
        write_table(file, "sessions", {"path": "s.csv"})
    assert file.read_text(encoding="utf-8") == STUDY
