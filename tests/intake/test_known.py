"""Digests of what was known at a cut: a newer extract that changes nothing before it has the same ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.intake import known_digests
from evalkit.periods import Period
from intake.test_sources import HEAD, small

CUT = Period.parse("2022Q1").cut
HEADER = HEAD.strip() + ",recorded_on,retracted_on\n"
ROWS = [
    "a,paip,2022-01-03,2022-01-10,one,2022-01-11,\n",
    "b,paip,2022-02-03,2022-05-01,one,2022-02-04,2022-06-01\n",
    "c,paip,2022-03-03,,one,2022-03-04,2022-03-20\n",
]


def digest(folder: Path, rows: list[str]) -> dict[str, str]:
    return known_digests(small(folder, HEADER + "".join(rows)), CUT)


def test_what_came_after_the_cut_is_no_part_of_it(tmp_path: Path) -> None:
    first = digest(tmp_path, ROWS)
    later = ["d,paip,2022-04-03,,one,2022-04-04,\n", "e,paip,2022-03-03,,one,2022-04-04,\n"]
    assert digest(tmp_path, [*later, *reversed(ROWS)]) == first  # newer people, a late entry, another order
    assert digest(tmp_path, [ROWS[0], ROWS[1].replace(",2022-06-01", ","), ROWS[2]]) == first  # retracted afterwards
    assert digest(tmp_path, [ROWS[0], ROWS[1].replace("2022-05-01", "2022-04-01"), ROWS[2]]) == first  # came afterwards


@pytest.mark.parametrize(
    ("row", "old", "new"),
    [
        (0, "2022-01-10", "2022-01-11"),
        (0, ",one,", ",two,"),
        (0, "2022-01-11,", "2022-01-12,"),
        (1, "2022-05-01", "2022-03-01"),
        (2, "2022-03-20", "2022-03-21"),  # restatements look at it
        (2, "2022-03-20", "2022-04-20"),
    ],
)
def test_what_was_known_then_is(tmp_path: Path, row: int, old: str, new: str) -> None:
    rows = [*ROWS]
    rows[row] = rows[row].replace(old, new, 1)
    assert rows != ROWS
    assert digest(tmp_path, rows) != digest(tmp_path, ROWS)
