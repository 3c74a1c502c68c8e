"""CSV that the project writes: read back as it was, and never a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.spreadsheet import csv_text, harmless

RISKY = [
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n@a",
    " =1",
    '"=1',
    "＝1+1",
    "\u200b=1",
    "\u202e=1",
]


@pytest.mark.parametrize("text", RISKY)
def test_a_formula_becomes_text(text: str) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_text(pd.DataFrame({"a": [text]})))))[1:]
    assert row[0].startswith("'")


@pytest.mark.parametrize("text", RISKY)
def test_a_heading_is_no_formula_either(text: str) -> None:
    assert next(csv.reader(io.StringIO(csv_text(pd.DataFrame({text: [1]})))))[0].startswith("'")


def test_numbers_dates_and_missing_values_stay_as_they_are() -> None:
    frame = pd.DataFrame(
        {
            "n": [-5, 20],
            "share": [-0.25, float("nan")],
            "day": pd.to_datetime(["2022-01-31", None]),
            "text": ["-3", None],
        }
    )
    assert csv_text(frame) == "n,share,day,text\n-5,-0.25,2022-01-31,-3\n20,,,\n"


def test_two_columns_of_one_name_both_stay() -> None:
    assert csv_text(pd.DataFrame([["x", "=y"]], columns=["a", "a"])) == "a,a\nx,'=y\n"


def test_the_frame_is_not_changed() -> None:
    frame = pd.DataFrame({"=a": ["=b"]})
    csv_text(frame)
    assert frame.columns[0] == "=a"
    assert frame.iloc[0, 0] == "=b"


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=4))
def test_whatever_the_texts_every_cell_is_read_back_and_harmless(texts: list[str]) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(pd.DataFrame({"x": [*texts, "end"]})))))[1:]
    assert [row[0] if row else "" for row in rows] == [*(harmless(t) for t in texts), "end"]
    for text in texts:
        safe = harmless(text)
        number = re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?", safe)
        assert number or not safe.lstrip('"\u00a0 ').startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


def test_no_other_csv_is_written() -> None:
    source = Path(__file__).resolve().parents[2] / "src" / "evalkit"
    writers = [f for f in source.rglob("*.py") if re.search(r"\.to_csv\(|csv\.writer\(", f.read_text(encoding="utf-8"))]
    assert [f.name for f in writers] == ["spreadsheet.py"]
