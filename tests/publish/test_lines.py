"""Lines that are only added: whole, in all their files or in none, and never a half one that reads as damage."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from evalkit.publish import Withdrawal, append_line
from evalkit.publish.release._lines import kept_withdrawals
from publish.standin import mounted


def test_a_line_is_added_to_each_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for line in ("first\n", "second\n"):
        append_line(line, (one, 0o600), (two, 0o644))
    assert one.read_text(encoding="utf-8") == two.read_text(encoding="utf-8") == "first\nsecond\n"
    assert [file.stat().st_mode & 0o777 for file in (one, two)] == [0o600, 0o644]
    one.write_text("died in mid-li", encoding="utf-8")
    append_line("third\n", (one, 0o600))
    assert one.read_text(encoding="utf-8") == "died in mid-li\nthird\n"  # damage stays to be seen, and damages no more


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\r", "\x0c"])
def test_a_reason_with_a_sign_that_ends_lines_elsewhere_is_one_line(tmp_path: Path, sign: str) -> None:
    one = Withdrawal("r", 1, "0" * 64, "2024-01-01T00:00:00+00:00", f"wrong{sign}table")
    for _ in range(2):
        append_line(one.line(), (tmp_path / "w", 0o600))
    assert kept_withdrawals(tmp_path / "w") == [one, one]


@pytest.mark.parametrize("before", [None, "kept\n"])
def test_what_fails_in_the_second_file_is_taken_back_from_the_first(tmp_path: Path, before: str | None) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    if before is not None:
        one.write_text(before, encoding="utf-8")
    two.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        append_line("line\n", (one, 0o600), (two, 0o600))
    assert (one.read_text(encoding="utf-8") if one.exists() else None) == before
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("before", [None, "kept\n"])
def test_a_disk_that_takes_half_a_line_keeps_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    file = tmp_path / "one"
    if before is not None:
        file.write_text(before, encoding="utf-8")
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda number, content: write(number, content[:3]))
        with pytest.raises(OSError) as failed:
            append_line("a whole line\n", (file, 0o600))
    assert failed.value.errno == errno.ENOSPC
    assert (file.read_text(encoding="utf-8") if file.exists() else None) == before


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "small", "size=8k") as folder:
        yield folder


def test_a_disk_that_is_really_full(small: Path) -> None:
    (small / "one").write_text("kept\n", encoding="utf-8")
    (small / "rest").write_bytes(b"x" * 4096)
    with pytest.raises(OSError, match="No space left"):
        append_line("x" * 5000 + "\n", (small / "one", 0o600))
    assert (small / "one").read_text(encoding="utf-8") == "kept\n"
    append_line("fits\n", (small / "one", 0o600))
    assert (small / "one").read_text(encoding="utf-8") == "kept\nfits\n"
