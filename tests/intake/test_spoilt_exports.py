"""Exports as providers spoil them in practice: one person in two spellings, a table sent twice, days of the export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from evalkit.errors import DataError, ProtocolError
from evalkit.periods import Period
from intake.corrupted import Frames, good, put
from intake.test_gate import CUT, Way, gate_of, spoilt, told

Respelt = Callable[[str], str]


def numbered(tables: Frames) -> Frames:
    """The same people with plain numbers."""
    for frame in tables.values():
        frame["participant_id"] = frame["participant_id"].str.removeprefix("ZQX")
    return tables


def with_people_again(tables: Frames, respelt: Respelt, n: int, **changes: str) -> Frames:
    people = tables["participants"]
    more = people.iloc[:n].assign(participant_id=lambda f: f["participant_id"].map(respelt), **changes)
    tables["participants"] = pd.concat([people, more], ignore_index=True)
    return tables


@pytest.mark.parametrize(
    "respelt",
    [
        lambda i: f"{i}.0", lambda i: f"{i},00", lambda i: f"0{i}", lambda i: f"000{i}", lambda i: f"{i[:2]}\u200b{i[2:]}",
        lambda i: f"{i}\u2060", lambda i: f"{i[0]} {i[1:]}", lambda i: i.translate({48 + d: 0xFF10 + d for d in range(10)}),
        lambda i: f"0{i}.000",
    ],
    ids=["float", "decimal comma", "zero", "zeros", "zero-width", "word joiner", "blank within", "full width", "both"],
)  # fmt: skip
def test_one_person_in_two_spellings(respelt: Respelt, tmp_path: Path) -> None:
    gate = gate_of(tmp_path, with_people_again(numbered(good()), respelt, 3))
    assert ("error", "participants.participant_id", "identifier_spelt_twice", 3) in told(gate.findings)
    with pytest.raises(DataError, match="one person would count twice"):
        gate.check(CUT)


@pytest.mark.parametrize("respelt", [str.lower, str.capitalize, lambda i: i.replace("Q", "q")])
def test_letter_case_alone_is_the_same_person_on_the_same_day(respelt: Respelt, tmp_path: Path) -> None:
    place = "participants.participant_id"
    gate = gate_of(tmp_path, with_people_again(good(), respelt, 2))
    assert told(gate.findings) == {("error", place, "identifier_spelt_twice", 2)}
    later = {"referral_date": "2022-11-30", "intake_date": "2022-12-01"}
    gate = gate_of(tmp_path, with_people_again(good(), respelt, 2, **later))
    assert told(gate.findings) == {("warning", place, "identifier_in_another_case", 2)}


@pytest.mark.parametrize(
    "ids", [["10", "100", "1000"], ["A-01", "A-1-0", "A01"], ["1.5", "15", "1.50x"], ["a1", "b1", "0x1"]]
)
def test_other_people_are_other_people(ids: list[str], tmp_path: Path) -> None:
    tables = good()
    for frame in tables.values():
        frame["participant_id"] = frame["participant_id"].replace(
            dict(zip(["ZQX7001", "ZQX7002", "ZQX7003"], ids, strict=True))
        )
    assert told(gate_of(tmp_path, tables).findings) == set()


@pytest.mark.parametrize("short", ["1.0E+05", "1.23457E+11", "4E+15", "7,1E+09", "9e+08"])
def test_numbers_that_a_spreadsheet_shortened(short: str, tmp_path: Path) -> None:
    tables = good()
    for frame in tables.values():
        frame["participant_id"] = frame["participant_id"].replace({f"ZQX700{n}": short for n in (4, 5)})
    gate = gate_of(tmp_path, tables)
    rows = {name: int(frame["participant_id"].eq(short).sum()) for name, frame in tables.items()}
    assert {(f.table, f.n_rows) for f in gate.findings.errors if f.rule == "identifier_rounded"} == set(rows.items())
    assert short not in str(gate.findings)


SECOND: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "hours left out": lambda rows: rows.assign(hours=""),
    "hours rounded": lambda rows: rows.assign(hours="2"),
    "all absent": lambda rows: rows.assign(status="absent"),
    "half absent, a third of the rows": lambda rows: rows.iloc[:7].assign(status=["absent", "attended"] * 3 + ["absent"], hours="1.5"),
}  # fmt: skip


@pytest.mark.parametrize("second", SECOND)
def test_sessions_exported_twice_and_changed_between(second: str, tmp_path: Path) -> None:
    more = SECOND[second](good()["sessions"])
    tables = spoilt(lambda t: t.update(sessions=pd.concat([t["sessions"], more], ignore_index=True)))
    gate = gate_of(tmp_path, tables)
    assert ("error", "sessions", "doubled_sessions", len(more)) in told(gate.findings)
    with pytest.raises(DataError, match="were they exported twice"):
        gate.check(CUT)


def test_sessions_held_again_after_they_were_cancelled_are_not_doubled(tmp_path: Path) -> None:
    more = good()["sessions"].assign(status="cancelled", hours="")
    tables = spoilt(lambda t: t.update(sessions=pd.concat([more, t["sessions"]], ignore_index=True)))
    assert gate_of(tmp_path, tables).findings.ok


@pytest.mark.parametrize(("hours", "n"), [("20", 6), ("15", 9), ("0.0625", 5), ("0.07", 8)])
def test_another_unit_in_some_rows(hours: str, n: int, tmp_path: Path) -> None:
    gate = gate_of(tmp_path, spoilt(put("sessions", "hours", hours, *range(n))))
    assert ("error", "sessions.hours", "unlikely_hours", n) in told(gate.findings)


@pytest.mark.parametrize(("hours", "n"), [("20", 2), ("0.05", 2), ("7.5", 9), ("0.25", 9)])
def test_a_few_odd_sessions_stop_nothing(hours: str, n: int, tmp_path: Path) -> None:
    gate_of(tmp_path, spoilt(put("sessions", "hours", hours, *range(n)))).check(CUT)


@pytest.mark.parametrize("hours", ["", "0", "NA"])
@pytest.mark.parametrize(("n", "stops"), [(20, True), (11, True), (10, False), (4, False)])
def test_a_dose_of_no_hours(hours: str, n: int, stops: bool, tmp_path: Path) -> None:
    gate = gate_of(tmp_path, spoilt(put("sessions", "hours", hours, *range(n))))
    assert (("error", "sessions.hours", "hours_missing", n) in told(gate.findings)) is stops
    assert gate.findings.ok is not stops


@pytest.mark.parametrize(
    ("ways", "place", "rule"),
    [
        ([put("sessions", "status", "absent", *range(20))], "sessions.status", "expected_value_absent"),
        ([put("sessions", "status", "excused", *range(20))], "sessions.status", "expected_value_absent"),
        ([put("sessions", "retracted_on", "2022-12-31", *range(20))], "sessions", "empty_table"),
        ([put("exits", "retracted_on", "2023-01-02", *range(6))], "exits", "empty_table"),
        ([put("outcomes", "retracted_on", "2023-01-02", *range(5))], "outcomes", "empty_table"),
    ],
)  # fmt: skip
def test_a_table_of_which_nothing_is_left(ways: list[Way], place: str, rule: str, tmp_path: Path) -> None:
    gate = gate_of(tmp_path, spoilt(*ways))
    assert told(gate.findings) == {("error", place, rule, 0)}
    excuse = {"table": place.partition(".")[0], "rule": rule, "by": "The data board", "until": "2023-01-31",
              "reason": "It is so, and was looked at by two of us."}  # fmt: skip
    assert gate_of(tmp_path, spoilt(*ways), excuses=[excuse]).check(CUT).excused


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("sessions", "status", "attended"), ("sessions", "status", "absent"), ("exits", "reason", "completed"),
     ("exits", "reason", "deceased"), ("exits", "reason", "dropped_out")],
)  # fmt: skip
def test_what_is_counted_cannot_be_kept_out(table: str, column: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=f"ignore.{table}.{column}: '{value}' is counted by this protocol"):
        gate_of(tmp_path, good(), ignore={table: {column: [value]}})


def test_an_exit_that_does_nothing_can_be_kept_out(tmp_path: Path) -> None:
    rules = {"exits": {"moved": "ignored"}}
    assert gate_of(tmp_path, good(), rules=rules, ignore={"exits": {"reason": ["moved"]}}).findings.ok


# -- recorded_on holds the day of the export ---------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["participants", "sessions", "exits", "outcomes", "measures"])
@pytest.mark.parametrize("late", [1.0, 0.85, 0.55])
def test_a_report_that_would_know_nothing_of_a_table_is_not_made(table: str, late: float, tmp_path: Path) -> None:
    n = max(5, round(late * len(good()[table])))
    gate = gate_of(tmp_path, spoilt(put(table, "recorded_on", "2023-01-15", *range(n))))
    assert gate.findings.ok  # of the whole tables nothing is wrong
    assert {f for f in told(gate.at(CUT)) if f[0] == "error"} == {("error", f"{table}.recorded_on", "entered_late", 0)}
    with pytest.raises(DataError, match="not that of an export"):
        gate.check(CUT)
    reason = "These were entered from paper, long after they happened."
    excuse = {"table": table, "rule": "entered_late", "by": "Data board", "until": "2023-01-31", "reason": reason}
    excused = gate_of(tmp_path, spoilt(put(table, "recorded_on", "2023-01-15", *range(n))), excuses=[excuse])
    assert [e.rule for e in excused.check(CUT).excused] == ["entered_late"]


@pytest.mark.parametrize("rows", [range(4), range(9), range(10)])
def test_rows_entered_late_are_late_and_stop_nothing(rows: range, tmp_path: Path) -> None:
    gate_of(tmp_path, spoilt(put("sessions", "recorded_on", "2023-01-15", *rows))).check(CUT)


def test_what_was_corrected_since_was_known_then(tmp_path: Path) -> None:
    """All rows withdrawn and entered again: an old report used the old ones."""
    tables = good()
    old = tables["sessions"].assign(retracted_on="2023-01-10")
    tables["sessions"] = pd.concat([old, tables["sessions"].assign(recorded_on="2023-01-10", hours="1.5")])
    gate_of(tmp_path, tables).check(CUT)
    gate_of(tmp_path, tables).check(Period.parse("2022-01-01..2022-12-30"))


# -- columns of another name -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [("sessions", "retracted_on", "Retracted_On"), ("participants", "outcome_follow_up_end", "Outcome Follow-up End"),
     ("outcomes", "source", "SOURCE"), ("exits", "recorded_on", "recordedOn"), ("participants", "site", " Site:")],
)  # fmt: skip
def test_a_column_that_may_be_absent_is_not_absent_in_another_spelling(
    table: str, old: str, new: str, tmp_path: Path
) -> None:
    gate = gate_of(tmp_path, spoilt(lambda t: t.update({table: t[table].rename(columns={old: new})})))
    assert ("error", f"{table}.{old}", "missing_column", 0) in told(gate.findings)
    named = {
        **{name: {"path": f"{name}.csv"} for name in good()},
        table: {"path": f"{table}.csv", "columns": {old: new.strip()}},
    }
    tables = spoilt(lambda t: t.update({table: t[table].rename(columns={old: new})}))
    assert gate_of(tmp_path, tables, tables=named).findings.ok
