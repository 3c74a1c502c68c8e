"""The gate: what stops a report, what does not, and whose leave it takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from evalkit.errors import DataError, ProtocolError, UsageError
from evalkit.intake import Findings, Gate, open_data, validate
from evalkit.intake._open import read_all
from evalkit.periods import Period
from evalkit.protocol import Study
from intake.corrupted import TODAY, Frames, again, good, put, study_of

CUT = Period.parse("2022Q4")
Way = Callable[[Frames], object]
EXCUSE = {"table": "sessions", "rule": "duplicate_row", "by": "The data board", "until": "2023-01-31",
          "reason": "The provider exported one week twice and will mend it."}  # fmt: skip


def spoilt(*ways: Way) -> Frames:
    tables = good()
    for way in ways:
        way(tables)
    return tables


def gate_of(folder: Path, tables: Frames, today: date = TODAY, /, **changes: object) -> Gate:
    return Gate(read_all(study_of(folder, tables, **changes)), today=today)


def told(findings: Findings) -> set[tuple[str, str, str, int]]:
    """All that was found, so that one more fails a test."""
    return {(f.severity, f"{f.table}.{f.column}" if f.column else f.table, f.rule, f.n_rows) for f in findings}


# -- at the cut of a period ------------------------------------------------------------------------------------------


def test_good_tables_are_let_through(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, good())
    passed = gate.check(CUT)
    assert (passed.excused, passed.warnings) == ((), ("warning: sessions.session_date: 2022-10 and 2 more: fewer than "
        "half of the sessions that were usual in the 6 months before [fall_of_rows]",))  # fmt: skip
    assert told(gate.findings) == set()


STOPPED: dict[str, tuple[Way, set[tuple[str, str, str, int]]]] = {
    "sessions exported twice": (
        lambda tables: tables.update(sessions=pd.concat([tables["sessions"]] * 2)),
        {("error", "sessions", "duplicate_row", 20)},
    ),
    "a week exported twice": (
        lambda tables: tables.update(sessions=pd.concat([tables["sessions"], tables["sessions"].iloc[3:7]])),
        {("error", "sessions", "duplicate_row", 4)},
    ),
    "attended recoded": (
        put("sessions", "status", "Present", *range(20)),
        {("error", "sessions.status", "not_allowed", 20)},
    ),
    "identifiers without zeros": (
        put("sessions", "participant_id", "7003", 2, 3),
        {("error", "sessions.participant_id", "unknown_participant", 2)},
    ),
    "minutes for hours": (
        put("sessions", "hours", "20", *range(12)),
        {("error", "sessions.hours", "unlikely_hours", 12), ("warning", "sessions.hours", "unusual_hours", 12)},
    ),
    "parts of a day for hours": (
        put("sessions", "hours", "0.0729", *range(20)),
        {("error", "sessions.hours", "unlikely_hours", 20)},
    ),
    "an exit of nobody": (
        put("exits", "participant_id", "ZQX007001", 1),
        {("error", "exits.participant_id", "unknown_participant", 1)},
    ),
}


@pytest.mark.parametrize("name", STOPPED)
def test_what_validate_refuses_is_not_let_through_and_says_the_same_lines(name: str, tmp_path: Path) -> None:
    way, expected = STOPPED[name]
    gate = gate_of(tmp_path, spoilt(way))
    assert told(gate.findings) == expected
    with pytest.raises(DataError) as refused:
        gate.check(CUT)
    assert refused.value.lines == tuple(str(f) for f in gate.findings.errors)
    assert set(str(gate.findings).split("\n  ")) >= set(refused.value.lines)


@pytest.mark.parametrize(
    ("identifier", "said"), [("ZQX007001", "; 1 of them is there in another spelling"), ("ZQX9999", "")]
)
def test_somebody_who_is_there_in_another_spelling_is_said(identifier: str, said: str, tmp_path: Path) -> None:
    (found,) = gate_of(tmp_path, spoilt(put("exits", "participant_id", identifier, 1))).findings.errors
    assert found.text.removeprefix("is not in participants").partition(" (")[0] == said


def test_unreadable_tables_are_said_with_all_else(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, spoilt(put("sessions", "hours", "ninety", 3), put("exits", "reason", "jailed", 2)))
    for ask in (lambda: gate.check(CUT), lambda: gate.periods(["newest"])):
        with pytest.raises(DataError) as refused:
            ask()
        assert [re.search(r"\[(\w+)\]", line)[1] for line in refused.value.lines] == [
            "unreadable_number",
            "not_allowed",
        ]


@pytest.mark.parametrize(
    ("way", "stops"),
    [
        (put("sessions", "status", "Present", 19), {"2022Q2": False, "2022Q3": True}),  # row 19: 2022-06-28, late entry
        (put("sessions", "session_date", "2023-02-01", 0), {"2022Q2": True}),  # a day to come may be a slip of the pen
        (put("sessions", "status", "", 4), {"2022Q1": True}),
        (again("sessions", 2, recorded_on="2022-09-30"), {"2022Q2": False, "2022Q3": True}),
    ],
    ids=["entered after the cut", "a day to come", "without a status", "the second copy entered later"],
)
def test_only_rows_known_at_the_cut_stop_a_period(way: Way, stops: dict[str, bool], tmp_path: Path) -> None:
    tables = good()
    for frame in tables.values():
        frame["recorded_on"] = ""
    tables["sessions"].loc[19, "recorded_on"] = "2022-07-01"
    way(tables)
    fresh = {name: {"path": f"{name}.csv", "freshness_days": 365} for name in tables}
    gate = gate_of(tmp_path, tables, tables=fresh)
    assert not gate.findings.ok
    for period, stopped in stops.items():
        assert bool(gate.at(Period.parse(period)).errors) is stopped, period


def test_a_row_that_was_withdrawn_since_stops_nothing(tmp_path: Path) -> None:
    tables = spoilt(put("sessions", "status", "Present", 2), put("sessions", "retracted_on", "2023-01-05", 2))
    gate_of(tmp_path, tables).check(CUT)


# -- values that the protocol does not name --------------------------------------------------------------------------

OTHER_SPELLINGS = {
    "letter case": str.upper,
    "capital": str.capitalize,
    "zero-width": lambda word: word[:2] + "\u200b" + word[2:],
    "zero-width at the end": lambda word: f"{word}\u200d",
    "soft hyphen": lambda word: f"{word[:1]}\u00ad{word[1:]}",
    "no-break blank within": lambda word: f"{word[:2]}\u00a0{word[2:]}",
}
NAMED = [
    ("participants", "pathway"), ("participants", "gender"), ("participants", "site"), ("participants", "community_area"),
    ("participants", "referral_source"), ("sessions", "kind"), ("sessions", "status"), ("exits", "reason"),
    ("outcomes", "kind"),
]  # fmt: skip


@pytest.mark.parametrize("how", OTHER_SPELLINGS)
def test_another_spelling_is_an_error_in_every_column_that_decides(how: str, tmp_path: Path) -> None:
    tables = good()
    for table, column in NAMED:
        value = tables[table].loc[1, column]
        spelt = OTHER_SPELLINGS[how](value)
        tables[table].loc[1, column] = spelt if spelt != value else value.swapcase()
    found = validate(study_of(tmp_path, tables), today=TODAY)
    assert told(found) == {("error", f"{table}.{column}", "not_allowed", 1) for table, column in NAMED}
    assert "\u200b" not in str(found)


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u2003"])
def test_blanks_around_a_value_are_not_read_and_said(blank: str, tmp_path: Path) -> None:
    tables = good()
    tables["sessions"].loc[[1, 2], "kind"] = f"{blank}group"
    tables["exits"].loc[0, "reason"] = f"completed{blank}"
    study = study_of(tmp_path, tables)
    assert told(validate(study, today=TODAY)) == {
        ("warning", "sessions.kind", "outer_blanks", 2), ("warning", "exits.reason", "outer_blanks", 1),
    }  # fmt: skip
    assert open_data(study).frame("sessions")["kind"].eq("group").all()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("sessions", "kind", "individual"), ("sessions", "kind", "case_management"), ("outcomes", "kind", "any_arrest"),
        ("outcomes", "kind", "survivor_reported_harm"), ("outcomes", "source", "neighbour"),
    ],
)  # fmt: skip
def test_a_known_value_that_is_not_counted_is_no_finding(table: str, column: str, value: str, tmp_path: Path) -> None:
    assert told(validate(study_of(tmp_path, spoilt(put(table, column, value, 2))), today=TODAY)) == set()


def test_lists_of_the_protocol_replace_the_usual_ones(tmp_path: Path) -> None:
    tables = spoilt(put("sessions", "kind", "orientation", 1), put("sessions", "kind", "individual", 2),
                    put("outcomes", "source", "aunt", 2), put("outcomes", "kind", "custody", 1))  # fmt: skip
    changes = {
        "rules": {"session_kinds": ["orientation"], "counting_kinds": ["group"]},
        "harm": {"known_kinds": ["custody"], "sources": ["police_department"]},
    }
    assert told(validate(study_of(tmp_path, tables, **changes), today=TODAY)) == {
        ("error", "sessions.kind", "not_allowed", 1), ("warning", "outcomes.source", "not_allowed", 1),
    }  # fmt: skip


def test_messages_list_what_is_named(tmp_path: Path) -> None:
    found = validate(study_of(tmp_path, spoilt(put("sessions", "kind", "grp-77", 2, 5))), today=TODAY)
    assert [str(f) for f in found] == [
        "error: sessions.kind: is none of the values that the protocol names: group, individual, case_management "
        "[not_allowed]: 2 rows (rows 4, 7)"
    ]


@pytest.mark.parametrize(
    ("table", "column", "severity"),
    [("participants", "site", "error"), ("participants", "community_area", "error"), ("outcomes", "source", "warning"),
     ("measures", "instrument", "warning"), ("participants", "referral_source", "error")],
)  # fmt: skip
def test_without_a_list_spellings_of_one_value_are_found(
    table: str, column: str, severity: str, tmp_path: Path
) -> None:
    changes = {"sites": None, "community_areas": None, "referral_sources": None}
    tables = good()
    value = str(tables[table].loc[0, column])
    tables[table].loc[[1, 3], column] = value.upper().replace("_", " ")
    tables[table].loc[2, column] = "Quite another"
    found = validate(study_of(tmp_path, tables, **changes), today=TODAY)
    assert told(found) == {(severity, f"{table}.{column}", "spelt_alike", 2)}


LISTED = ["NA", "None", "null", "nan", "N/A", "woman"]


def listed_people() -> pd.DataFrame:
    people = good()["participants"]
    people["gender"] = [*LISTED, "", *["woman"] * 13]
    return people


def as_parquet(people: pd.DataFrame, folder: Path) -> dict[str, str]:
    people.to_parquet(folder / "p.parquet")
    return {"path": "p.parquet"}


def as_excel(people: pd.DataFrame, folder: Path) -> dict[str, str]:
    people.to_excel(folder / "p.xlsx", index=False)
    return {"path": "p.xlsx"}


def as_duckdb(people: pd.DataFrame, folder: Path) -> dict[str, str]:
    import duckdb

    with duckdb.connect(str(folder / "p.duckdb")) as connection:
        connection.register("incoming", people)
        connection.execute("CREATE TABLE participants AS SELECT * FROM incoming")
    return {"path": "p.duckdb"}


def as_csv(people: pd.DataFrame, folder: Path) -> dict[str, str]:
    people.to_csv(folder / "p.csv", index=False)
    return {"path": "p.csv"}


@pytest.mark.parametrize("write", [as_csv, as_excel, as_parquet, as_duckdb])
def test_a_level_that_is_listed_is_a_value_however_it_is_spelt(
    write: Callable[[pd.DataFrame, Path], dict[str, str]], tmp_path: Path
) -> None:
    levels = [{"name": "gender", "label": "Gender", "kind": "categorical", "levels": LISTED}]
    where = write(listed_people(), tmp_path)
    study = study_of(tmp_path, good(), tables={"participants": where}, covariates=levels)
    gate = Gate(read_all(study), today=TODAY)
    assert told(gate.findings) == set()
    people = gate.data.at(CUT.cut).frame("participants").sort_values("participant_id")
    assert people["gender"].tolist() == [*LISTED, None, *["woman"] * 13]


def test_what_is_not_listed_stays_missing(tmp_path: Path) -> None:
    people = open_data(study_of(tmp_path, {**good(), "participants": listed_people()}, covariates=[
        {"name": "gender", "label": "Gender", "kind": "categorical"}])).frame("participants")  # fmt: skip
    assert people["gender"].isna().sum() == 6


def test_a_database_has_the_same_levels_and_blanks(tmp_path: Path) -> None:
    import duckdb

    people = listed_people()
    people.loc[7, "gender"] = "woman "
    with duckdb.connect(str(tmp_path / "s.duckdb")) as connection:
        connection.register("incoming", people)
        connection.execute("CREATE TABLE participants AS SELECT * FROM incoming")
    levels = [{"name": "gender", "label": "Gender", "kind": "categorical", "levels": LISTED}]
    study = study_of(tmp_path, {}, database=f"duckdb://{tmp_path / 's.duckdb'}?read_only=true", covariates=levels,
                     tables={"participants": {"table": "participants"}})  # fmt: skip
    # A database's text columns of days are ISO texts; empty ones are missing.
    gate = Gate(read_all(study), today=TODAY)
    with gate.data:
        assert told(gate.findings) == {("warning", "participants.gender", "outer_blanks", 1)}
        assert sorted(gate.data.frame("participants")["gender"].dropna().unique()) == sorted(LISTED)


# -- values to keep out ----------------------------------------------------------------------------------------------


def test_what_is_ignored_is_kept_out_and_no_finding(tmp_path: Path) -> None:
    tables = spoilt(
        put("sessions", "kind", "orientation", 0, 1), put("exits", "reason", "test entry", 0),
        put("outcomes", "kind", "traffic", 0), put("participants", "gender", "M", 0), put("participants", "site", "HQ", 1),
    )  # fmt: skip
    ignore = {"sessions": {"kind": ["orientation"]}, "exits": {"reason": ["test entry"]},
              "outcomes": {"kind": ["traffic"]}, "participants": {"gender": ["M"], "site": ["HQ"]}}  # fmt: skip
    gate = gate_of(tmp_path, tables, ignore=ignore)
    assert told(gate.findings) == set()
    cut = gate.data.at(CUT.cut)
    rows = {name: len(cut.frame(name)) for name in tables}
    assert rows == {"participants": 20, "sessions": 18, "exits": 5, "outcomes": 4, "measures": 20}
    people = cut.frame("participants")
    assert (people["gender"].isna().sum(), people["site"].isna().sum()) == (1, 1)


def test_an_ignored_pathway_belongs_to_neither_arm(tmp_path: Path) -> None:
    from evalkit.cohort import build

    tables = spoilt(put("participants", "pathway", "walk_in", 0, 1, 2))
    gate = gate_of(tmp_path, tables, ignore={"participants": {"pathway": ["walk_in"]}})
    assert gate.findings.ok and not gate.codes
    assert len(build(gate.data.at(CUT.cut)).people) == 17


@pytest.mark.parametrize(
    ("ignore", "said"),
    [
        ({"sessions": {"kinds": ["x"]}}, "ignore.sessions: 'kinds' is none of its columns of words; did you mean 'kind'?"),
        ({"sessions": {"hours": ["2"]}}, "ignore.sessions: 'hours' is none of its columns of words"),
        ({"sessions": {"kind": ["group"]}}, "ignore.sessions.kind: 'group' is counted by this protocol"),
        ({"outcomes": {"kind": ["dv_arrest"]}}, "ignore.outcomes.kind: 'dv_arrest' is counted by this protocol"),
        ({"participants": {"gender": ["woman"]}}, "ignore.participants.gender: 'woman' is counted by this protocol"),
    ],
)  # fmt: skip
def test_an_ignore_that_makes_no_sense(ignore: dict, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=re.escape(said)):
        validate(study_of(tmp_path, good(), ignore=ignore), today=TODAY)


# -- hours -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "rules", "flagged"),
    [
        (["4"] * 20, {}, 0),
        (["4.01"] * 20, {}, 20),
        (["0.1"] * 20, {}, 0),
        (["0.09"] * 20, {}, 20),
        (["1.5"] * 10 + ["6"] * 10, {}, 0),  # half of them: the median is not above
        (["1.5"] * 9 + ["6"] * 11, {}, 11),
        (["6"] * 20, {"longest_usual_hours": 6}, 0),
        (["6.5"] * 20, {"longest_usual_hours": 6}, 20),
    ],
)
def test_hours_in_another_unit(hours: list[str], rules: dict, flagged: int, tmp_path: Path) -> None:
    tables = good()
    tables["sessions"]["hours"] = hours
    found = told(validate(study_of(tmp_path, tables, rules=rules), today=TODAY))
    assert found == ({("error", "sessions.hours", "unlikely_hours", flagged)} if flagged else set())


def test_hours_are_judged_kind_by_kind_and_of_what_was_attended(tmp_path: Path) -> None:
    tables = good()
    tables["sessions"].loc[:2, ["kind", "hours"]] = ["individual", "5"]
    tables["sessions"].loc[5:19, ["status", "hours"]] = ["absent", "7.5"]
    found = validate(study_of(tmp_path, tables), today=TODAY)
    assert told(found) == {("error", "sessions.hours", "unlikely_hours", 3)}


# -- excuses ---------------------------------------------------------------------------------------------------------

TWICE = again("sessions", 2)


@pytest.mark.parametrize(("today", "stops"), [(date(2023, 1, 31), False), (date(2023, 2, 1), True)])
def test_an_excuse_ends_on_its_day(today: date, stops: bool, tmp_path: Path) -> None:
    gate = gate_of(tmp_path, spoilt(TWICE), today, excuses=[EXCUSE])
    severity = "error" if stops else "excused"
    assert told(gate.findings) == {(severity, "sessions", "duplicate_row", 1)}
    if stops:
        with pytest.raises(DataError, match="its excuse ended on 2023-01-31"):
            gate.check(CUT)
        held = Gate(gate.data, today=today, held=gate.study.excuses)  # a release that was published while it held
        assert held.check(CUT).excused == tuple(gate.study.excuses)
    else:
        assert [e.rule for e in gate.check(CUT).excused] == ["duplicate_row"]
        assert "excused by The data board until 2023-01-31: The provider exported" in str(gate.findings)
        assert gate.findings.to_json().count('"excused"') == 1


def test_an_excuse_is_for_its_table_rule_and_column_only(tmp_path: Path) -> None:
    tables = spoilt(TWICE, put("sessions", "status", "Present", 4), put("sessions", "kind", "grp", 5),
                    put("exits", "reason", "jailed", 1))  # fmt: skip
    excuses = [EXCUSE, {**EXCUSE, "rule": "not_allowed", "column": "status"}]
    assert told(gate_of(tmp_path, tables, excuses=excuses).findings) == {
        ("excused", "sessions", "duplicate_row", 1), ("excused", "sessions.status", "not_allowed", 1),
        ("error", "sessions.kind", "not_allowed", 1), ("error", "exits.reason", "not_allowed", 1),
    }  # fmt: skip


def test_an_excuse_that_excuses_nothing_is_said(tmp_path: Path) -> None:
    excuses = [EXCUSE, {**EXCUSE, "rule": "same_day_session"}, {**EXCUSE, "rule": "stale_table"}]
    gate = gate_of(tmp_path, good(), excuses=excuses)
    assert [str(f) for f in gate.findings] == [
        f"warning: sessions: the protocol excuses '{rule}', and no such error is there: take the excuse out [idle_excuse]"
        for rule in ("duplicate_row", "same_day_session")
    ]
    assert gate.check(CUT).excused == ()


def test_an_excuse_of_rows_after_the_cut_is_not_published(tmp_path: Path) -> None:
    tables = spoilt(again("sessions", 2, recorded_on="2023-01-10"))
    gate = gate_of(tmp_path, tables, excuses=[EXCUSE])
    assert told(gate.findings) == {("excused", "sessions", "duplicate_row", 1)}
    assert gate.check(CUT).excused == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule": "duplicate_rows"}, "there is no rule 'duplicate_rows' about sessions; did you mean 'duplicate_row'?"),
        ({"table": "measures", "rule": "several_exits"}, "there is no rule 'several_exits' about measures"),
        ({"rule": "unreadable_date"}, "'unreadable_date' cannot be excused"),
        ({"rule": "missing_column"}, "'missing_column' cannot be excused"),
        ({"rule": "swapped_days"}, "'swapped_days' cannot be excused"),
        ({"rule": "letters_without_a_font"}, "'letters_without_a_font' cannot be excused"),
        ({"rule": "not_allowed", "column": "state"}, "sessions has no column 'state'; did you mean 'status'?"),
    ],
)
def test_an_excuse_of_what_is_not_there(changes: dict, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=re.escape(said)):
        validate(study_of(tmp_path, good(), excuses=[{**EXCUSE, **changes}]), today=TODAY)


def test_an_excuse_of_a_table_that_is_not_part_of_the_study(tmp_path: Path) -> None:
    tables = {name: table for name, table in good().items() if name != "measures"}
    with pytest.raises(ProtocolError, match="table 'measures' is not part of this study"):
        validate(study_of(tmp_path, tables, excuses=[{**EXCUSE, "table": "measures"}]), today=TODAY)


# -- freshness -------------------------------------------------------------------------------------------------------


def dated(**newest: str) -> Frames:
    """Tables whose newest entries are these; else the last day of 2022."""
    tables = good()
    tables["participants"]["outcome_follow_up_end"] = ""  # somebody looked then, whoever was entered when
    for name, frame in tables.items():
        frame["recorded_on"] = ""  # entered on its own day, but for the last
        frame.loc[frame.index[-1], "recorded_on"] = newest.get(name, "2022-12-31")
    return tables


@pytest.mark.parametrize(
    ("table", "days"),
    [("sessions", 31), ("exits", 31), ("outcomes", 31), ("measures", 31), ("participants", 92)],
)
@pytest.mark.parametrize("asked", [None, 0, 45])
@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_each_table_reaches_the_cut(table: str, days: int, asked: int | None, beyond: int, tmp_path: Path) -> None:
    limit = days if asked is None else asked
    newest = CUT.cut - timedelta(days=limit + beyond)
    tables = dated(**{table: newest.isoformat()})
    files = {name: {"path": f"{name}.csv", **({} if asked is None else {"freshness_days": asked})} for name in tables}
    gate = gate_of(tmp_path, tables, tables=files)
    found = {finding for finding in told(gate.at(CUT)) if finding[0] == "error"}
    assert found == ({("error", table, "stale_table", 0)} if beyond > 0 else set())
    if beyond > 0:
        with pytest.raises(
            DataError, match=f"^{table}: its newest day is {newest}, and period 2022Q4 ends on 2022-12-31"
        ):
            gate.check(CUT)
    assert gate.periods(["newest"])[0].name == ("2022Q3" if beyond > 0 else "2022Q4")


def test_without_days_of_entry_the_newest_event_counts(tmp_path: Path) -> None:
    tables = good()
    for frame in tables.values():
        frame["recorded_on"] = ""
    gate = gate_of(tmp_path, tables)
    assert gate.data.newest_days(TODAY) == {
        "participants": date(2022, 12, 29), "sessions": date(2022, 6, 28), "exits": date(2022, 5, 9),
        "outcomes": date(2022, 6, 22), "measures": date(2022, 6, 28),
    }  # fmt: skip
    assert {f.table for f in gate.at(CUT).errors} == {"sessions", "exits", "outcomes", "measures"}
    assert gate.newest().name == "2022Q1"  # exits reach 2022-06-09


def test_a_row_without_a_day_of_entry_counts_by_its_own_day(tmp_path: Path) -> None:
    tables = good()
    tables["sessions"]["recorded_on"] = ["2022-03-01", *[""] * 19]  # a correction
    gate = gate_of(tmp_path, tables)
    assert gate.data.newest_days(TODAY)["sessions"] == date(2022, 6, 28)


def test_a_session_planned_ahead_makes_no_table_fresh(tmp_path: Path) -> None:
    tables = spoilt(put("sessions", "session_date", "2023-03-01", 3))
    tables["sessions"]["recorded_on"] = "2022-07-01"
    gate = gate_of(tmp_path, tables)
    assert gate.data.newest_days(TODAY)["sessions"] == date(2022, 7, 1)


def test_an_empty_table_reaches_as_far_as_the_studys_first_day_allows(tmp_path: Path) -> None:
    tables = good()
    tables["outcomes"] = tables["outcomes"].iloc[:0]
    files = {name: {"path": f"{name}.csv"} for name in tables}
    gate = gate_of(tmp_path, tables, tables=files)
    assert [str(f) for f in gate.at(CUT).errors] == [
        "error: outcomes: it has no day up to today, and period 2022Q4 ends on 2022-12-31: more than 31 days later "
        "(tables.outcomes.freshness_days) [stale_table]"
    ]
    with pytest.raises(
        DataError, match=r"no quarter since 2022-01-01 is over .* \(the newest day of outcomes is not there\)"
    ):
        gate.newest()
    files["outcomes"]["freshness_days"] = 364  # from 2022-01-01 to 2022-12-31
    assert gate_of(tmp_path, tables, tables=files).at(CUT).ok
    files["outcomes"]["freshness_days"] = 363
    assert not gate_of(tmp_path, tables, tables=files).at(CUT).ok


@pytest.mark.parametrize("days", [-1, 0, 1, 30])
def test_a_period_that_is_not_over_is_refused(days: int, tmp_path: Path) -> None:
    gate = gate_of(tmp_path, good(), CUT.cut - timedelta(days=days))
    if days <= 0:
        gate.check(CUT)
        assert gate.newest() == CUT
    else:
        with pytest.raises(DataError, match="has not come yet" if days == 1 else "stale_table"):
            gate.check(CUT)
        assert gate.newest().last < CUT.first


def test_a_quarter_that_has_not_begun_is_refused_however_patient_the_protocol(tmp_path: Path) -> None:
    tables = good()
    files = {name: {"path": f"{name}.csv", "freshness_days": 3000} for name in tables}
    gate = gate_of(tmp_path, tables, tables=files)
    for name in ("2023Q1", "2024Q1", "2023-01-01..2023-02-01"):
        with pytest.raises(DataError, match=r"is not over: its last day, .* has not come yet"):
            gate.check(Period.parse(name))
    assert gate.periods(["newest"])[0].name == "2022Q4"
    assert [p.name for p in gate.periods(["all"])] == ["2022Q1", "2022Q2", "2022Q3", "2022Q4"]
    with pytest.raises(UsageError, match="ends before the study starts"):
        gate.periods(["2021Q4"])


def test_an_old_table_can_be_excused(tmp_path: Path) -> None:
    excuse = {**EXCUSE, "rule": "stale_table"}
    gate = gate_of(tmp_path, dated(sessions="2022-08-01"), excuses=[excuse])
    assert [e.rule for e in gate.check(CUT).excused] == ["stale_table"]


# -- months with too few rows ----------------------------------------------------------------------------------------


def monthly(counts: list[int]) -> Frames:
    """Sessions of months from 2022-03 on, one a day and person."""
    tables = good()
    rows = [
        tables["sessions"].iloc[[person]].assign(session_date=f"2022-{month:02d}-{15 + person // 2:02d}")
        for month, n in enumerate(counts, start=3)
        for person in range(n)
    ]
    tables["sessions"] = pd.concat(rows)
    days = pd.to_datetime(tables["sessions"]["session_date"])
    tables["sessions"]["recorded_on"] = (days + pd.offsets.MonthEnd(0)).dt.strftime("%Y-%m-%d")
    tables["participants"]["recorded_on"] = "2022-02-10"
    tables["participants"]["referral_date"] = "2022-02-03"
    tables["participants"]["intake_date"] = "2022-02-08"
    tables["exits"] = tables["exits"].iloc[:0]
    return {name: tables[name] for name in ("participants", "sessions")}


@pytest.mark.parametrize(
    ("counts", "fallen"),
    [
        ([10, 10, 10, 10, 10, 10, 5], ""),
        ([10, 10, 10, 10, 10, 10, 4], "2022-09"),
        ([8, 12, 10, 10, 9, 11, 5], ""),
        ([8, 12, 10, 10, 9, 11, 4], "2022-09"),
        ([9, 9, 9, 9, 9, 9, 4, 9, 9, 2], "2022-12 and 1 more"),
        ([10, 10, 10, 10, 10, 1], ""),  # five months before it
        ([10, 10, 10, 10, 10, 10, 0, 10], "2022-09"),
    ],
)
@pytest.mark.parametrize("level", ["warning", "error"])
def test_a_fall_of_rows(counts: list[int], fallen: str, level: str, tmp_path: Path) -> None:
    gate = gate_of(tmp_path, monthly(counts), fall_of_rows=level)
    assert told(gate.findings) == ({(level, "sessions.session_date", "fall_of_rows", 0)} if fallen else set())
    assert not fallen or f"{fallen}: fewer than half" in str(gate.findings)
    end = pd.Period(f"2022-{2 + len(counts):02d}", "M").end_time.date()
    at_the_cut = gate.at(Period.parse(f"2022-01-01..{end}"))
    assert [f.severity for f in at_the_cut if f.rule == "fall_of_rows"] == ([level] if fallen else [])


def test_a_month_that_is_not_over_is_no_fall(tmp_path: Path) -> None:
    tables = monthly([10, 10, 10, 10, 10, 10, 2])
    tables["sessions"]["recorded_on"] = "2022-09-20"
    gate = gate_of(tmp_path, tables)
    assert told(gate.findings) == set()
    assert not gate.at(Period.parse("2022-01-01..2022-09-20")).warnings
    assert [f.rule for f in gate.at(Period.parse("2022Q3")).warnings] == ["fall_of_rows"]


def test_months_after_the_last_session_are_a_fall_for_a_report(tmp_path: Path) -> None:
    gate = gate_of(tmp_path, monthly([10] * 7))
    assert told(gate.findings) == set()
    assert "2022-12 and 2 more" in str(gate.at(CUT))


def test_a_study_that_says_nothing_new(tmp_path: Path) -> None:
    study = Study.model_validate({**study_of(tmp_path, good()).model_dump()})
    assert (study.excuses, study.ignore, study.fall_of_rows) == ([], {}, "warning")
    assert study.tables["sessions"].freshness_days is None
