"""Errors of engines quote the value they could not convert: ours never do, and nothing hangs on them."""

from __future__ import annotations

import traceback
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest

from evalkit.errors import DataError, UsageError
from evalkit.intake import fetch, open_data
from evalkit.intake._findings import clean_errors
from intake.corrupted import good, study_of

BORN = "ZQX7003-born-1984"


def chain(error: BaseException | None) -> str:
    """Everything an exception drags along, printed or not."""
    said = ""
    while error is not None:
        said += "".join(traceback.format_exception(error)) + repr(error.args)
        error = error.__cause__ or error.__context__
    return said


def test_an_engine_that_quotes_the_value() -> None:
    backend = ibis.duckdb.connect()
    backend.con.register("raw", pd.DataFrame({"born": ["1984-02-03", BORN]}))
    expression = backend.table("raw").mutate(born=ibis._.born.cast("date"))
    with pytest.raises(Exception, match=BORN):
        expression.to_pandas()
    with pytest.raises(DataError) as refused:
        fetch(expression, ["born"], "participants")
    assert str(refused.value).startswith("participants: the data engine refused (ConversionException)")
    assert BORN not in chain(refused.value)


def test_pandas_that_quotes_the_value() -> None:
    with pytest.raises(DataError) as refused, clean_errors("cohort"):
        pd.to_datetime(pd.Series([BORN]))
    assert BORN not in chain(refused.value)


def test_our_own_errors_pass() -> None:
    with pytest.raises(UsageError, match=r"^as it was$"), clean_errors("cohort"):
        msg = "as it was"
        raise UsageError(msg)


def test_interrupts_pass() -> None:
    with pytest.raises(KeyboardInterrupt), clean_errors("cohort"):
        raise KeyboardInterrupt


def test_reprs_hold_no_rows_and_no_address(tmp_path: Path) -> None:
    study = study_of(tmp_path, good(), title="A study")
    data = open_data(study)
    cut = data.at(date(2022, 6, 30))
    for shown in (repr(data), repr(cut), repr(data.inputs)):
        assert "ZQX" not in shown
        assert "database" not in shown


def test_unreadable_bytes_are_not_dragged_along(tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    (tmp_path / "exits.csv").write_bytes(
        f"participant_id,exit_date,reason\n{BORN},2022-02-03,Pe".encode() + b"\xf1asco\n"
    )
    with pytest.raises(DataError) as refused:
        open_data(study)
    assert "exits: file exits.csv is not utf-8 text (line 2)" in str(refused.value)
    assert BORN not in chain(refused.value)
