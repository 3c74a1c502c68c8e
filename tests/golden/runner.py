"""Reads golden cases: which function on which set with which arguments, and what R said."""

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit import stats

HERE = Path(__file__).parent
RTOL = 1e-6


@functools.cache
def data_set(name):
    return pd.read_csv(HERE / "sets" / f"{name}.csv")


@functools.cache
def cases(file):
    path = HERE / "values" / f"{file}.json"
    return json.loads(path.read_text())["cases"]


def ids(file):
    return [case["id"] for case in cases(file)]


def call(name, set_name, args):
    wanted = getattr(stats, name.partition(".")[2])
    args = {k: v for k, v in args.items() if v is not None}
    positive, rows = args.pop("on_positive", None), args.pop("rows", None)
    if set_name is None and rows is None:
        return wanted(**args)
    before = data_set(set_name) if rows is None else pd.DataFrame(rows)
    if positive is not None:
        before = before[before[positive] > 0]
    copy = before.copy()
    result = wanted(before, **args)
    pd.testing.assert_frame_equal(before, copy)
    return result


def as_numbers(values):
    values = values if isinstance(values, list) else [values]
    return np.array([np.nan if v in (None, "NA", "NaN") else float(v) for v in values])


def agree(found, expected, where, rtol=RTOL, at_zero=1e-9):
    np.testing.assert_allclose(
        np.atleast_1d(np.asarray(found, dtype=float)),
        as_numbers(expected),
        rtol=rtol,
        atol=at_zero,
        err_msg=where,
        equal_nan=True,
    )


def columns_agree(frame, expected, rtol=RTOL, at_zero=1e-9):
    for column, values in expected.items():
        agree(frame[column], values, column, rtol, at_zero)
