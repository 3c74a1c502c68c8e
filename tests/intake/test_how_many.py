"""From how many rows on a rule of many rows holds: one fewer, and just so many."""

from __future__ import annotations

import pandas as pd
import pytest

from evalkit.intake import _table_rules as rules
from evalkit.intake import _validate
from evalkit.intake._spec import table_spec
from evalkit.intake._validate import _expected_values
from evalkit.protocol import Rules
from intake.test_boundaries import STUDY, P, S


def sessions(*parts: tuple[int, float | None, str], kind: str = "group") -> pd.DataFrame:
    """So many sessions of some hours and a status."""
    rows = [(kind, hours, status) for n, hours, status in parts for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["kind", "hours", "status"])
    frame["hours"] = frame["hours"].astype("float64")
    days = pd.Timestamp("2022-03-01") + pd.to_timedelta(range(len(frame)), unit="D")
    return frame.assign(participant_id="p", session_date=days)


def broken(name: str, frame: pd.DataFrame) -> int:
    (rule,) = [rule for rule in rules.session_rules(STUDY) if rule.name == name]
    return int(rule.broken(frame).astype(bool).sum())


@pytest.mark.parametrize(
    ("odd", "whole", "many"), [(4, 10, False), (5, 10, True), (5, 49, True), (5, 50, False), (6, 50, True), (10, 100, False)]
)  # fmt: skip
def test_many_are_several_and_more_than_a_tenth_of_their_kind(odd: int, whole: int, many: bool) -> None:
    flags = pd.Series([True] * odd + [False] * (whole - odd) + [False] * 200)
    kinds = pd.Series(["group"] * whole + ["individual"] * 200)
    found = rules._many(flags, pd.Series(True, index=flags.index), kinds)
    assert found.tolist() == [many] * whole + [False] * 200


@pytest.mark.parametrize(
    ("without", "with_", "stops"), [(4, 0, 0), (5, 0, 5), (5, 5, 0), (6, 5, 6), (50, 50, 0), (51, 50, 51)]
)
def test_hours_are_missing_where_most_lack_them(without: int, with_: int, stops: int) -> None:
    for none in (None, 0.0):
        rows = sessions((without, none, "attended"), (with_, 1.5, "attended"), (90, None, "absent"))
        assert broken("hours_missing", rows) == stops
    other = sessions((without, None, "attended"), (with_, 1.5, "attended"), kind="case_management")
    assert broken("hours_missing", other) == 0  # they add nothing to the dose


@pytest.mark.parametrize(
    ("hours", "odd"), [(4.0, 0), (4.1, 30), (8.0, 30), (0.1, 0), (0.09, 30), (24.0, 30), (24.1, 0)]
)
def test_a_kind_is_in_another_unit_by_its_median(hours: float, odd: int) -> None:
    """What no day can hold has a rule of its own."""
    assert (Rules().shortest_usual_hours, Rules().longest_usual_hours) == (0.1, 4)
    assert broken("unlikely_hours", sessions((30, hours, "attended"), (80, 60.0, "absent"))) == odd


@pytest.mark.parametrize(("hours", "odd"), [(4.1, 3), (4.0, 0), (0.09, 3), (0.1, 0)])
def test_a_kind_of_few_sessions_has_a_unit_too(hours: float, odd: int) -> None:
    """No many are needed where half of a kind lie outside."""
    assert broken("unlikely_hours", sessions((3, hours, "attended"), (2, 1.5, "attended"))) == odd


@pytest.mark.parametrize(("n", "hours", "odd"), [(5, 8.1, 5), (5, 8.0, 0), (5, 0.09, 5), (5, 0.1, 0), (4, 8.1, 0)])
def test_many_far_from_the_usual_length_are_in_another_unit(n: int, hours: float, odd: int) -> None:
    assert broken("unlikely_hours", sessions((n, hours, "attended"), (20, 1.5, "attended"))) == odd


@pytest.mark.parametrize(("n", "said"), [(9, []), (10, ["error"])])
def test_so_many_sessions_to_which_nobody_came(n: int, said: list[str]) -> None:
    found = _expected_values(STUDY, table_spec(STUDY, S), sessions((n, None, "absent")))
    assert [one.severity for one in found] == said
    one_came = _expected_values(STUDY, table_spec(STUDY, S), sessions((n, None, "absent"), (1, 1.0, "attended")))
    assert one_came == []
    assert _validate._SOME_ROWS == 10


@pytest.mark.parametrize(
    ("values", "missing"),
    [(["paip", "non_mandated"], False), (["paip", "paip"], True), (["non_mandated"], True), (["x", "y"], True)],
)
def test_either_arm_may_be_missing(values: list[str], missing: bool) -> None:
    found = _expected_values(STUDY, table_spec(STUDY, P), pd.DataFrame({"pathway": values}))
    assert [one.text for one in found] == ["no row has one of the two arms the protocol names"] * missing
