"""What `evalkit map` proposes of exports that are not quite as one would have them: right, or a question, or one line."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from evalkit.errors import DataError, UsageError
from evalkit.examples import SIMULATED, Starter, starter_files, write_new
from evalkit.intake import open_data, validate
from evalkit.intake._rules import folded
from evalkit.intake.mapping import Proposal, files_like, propose
from evalkit.intake.mapping._names import _NAMES, WORDS, Vocabulary, nearness
from evalkit.intake.mapping._parts import read_parts
from evalkit.protocol import Study, load_study, write_table

HEAD = "Client ID,Exit Date,Reason\n"
EXITS = "".join(f"P{i},2022-01-{i:02d},completed\n" for i in range(1, 20))
NAMES = "Client ID,Referral Date,Pathway,Referral Source,Intake Date,Mandate,Site,Age,Gender,Race,Employed,DV Arrests,Alcohol\n"


def people(n: int = 19, day: str = "2022-01-{:02d}", age: str = "33") -> str:
    rows = ((f"P{i}", day.format(i), age.format(i)) for i in range(1, n + 1))
    return "".join(f"{who},{on},paip,court,{on},court,North,{old},man,black,yes,2,no\n" for who, on, old in rows)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    begun = Starter(
        id="mine", title="Mine", starts=date(2021, 11, 18), focus=SIMULATED[0], comparison=SIMULATED[1],
        tables={"participants": "../data/participants.csv"},
    )  # fmt: skip
    write_new(tmp_path, starter_files(begun))
    (tmp_path / "data/participants.csv").write_text(NAMES + people(), encoding="utf-8")
    return load_study(tmp_path / "params/study.yaml")


def proposed(study: Study, table: str, *texts: str, encodings: tuple[str, ...] = (), **more: Any) -> Proposal:
    files = [study.folder.parent / f"data/{table}-{n}.csv" for n in range(len(texts))]
    for n, (file, text) in enumerate(zip(files, texts, strict=True)):
        file.write_bytes(text.encode(encodings[n] if encodings else "utf-8"))
    return propose(study, table, files, f"../data/{table}-*.csv", smallest=2, **more)


def read(study: Study, table: str, made: Proposal) -> pd.DataFrame:
    assert made.questions == []
    write_table(study.path, table, made.entry)
    with open_data(load_study(study.path)) as data:
        return data.tables[table].to_pandas()


def test_a_header_of_two_lines_below_a_title_is_found_where_it_begins(study: Study) -> None:
    people_ = proposed(study, "participants", 'Referrals,,\n"Client\nID"' + NAMES.removeprefix("Client ID") + people())
    assert people_.entry["skip_rows"] == 1
    assert len(read(study, "participants", people_)) == 19


def test_somebody_of_whom_little_is_known_yet_is_no_footer(study: Study) -> None:
    made = proposed(
        study, "participants", NAMES + people() + "P20,2022-02-01,paip,court,,,,,,,,,\nTotal,20,,,,,,,,,,,\n"
    )
    assert made.entry["skip_footer"] == 1
    assert len(read(study, "participants", made)) == 20


DAYS = [date(2022, 1 + n % 12, 1 + n * 7 % 28) for n in range(40)]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (lambda day: date(day.year, day.day, day.month) if day.day <= 12 else f"{day:%d/%m/%Y}", True),
        (lambda day: date(day.year, day.day, day.month) if day.day <= 12 else f"{day:%m/%d/%Y}", True),
        (lambda day: day if day.month <= 6 else f"{day:%d/%m/%Y}", False),  # two people's habits
        (lambda day: day if day.day <= 12 else None, False),
        (lambda day: f"{day:%d/%m/%Y}", False),
    ],
)
def test_days_that_a_spreadsheet_took_for_months_stop_a_report(study: Study, typed: Any, found: bool) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Client ID", "Exit Date", "Reason"])
    for n, day in enumerate(DAYS):
        book.active.append([f"P{n}", typed(day), "moved"])
    file = study.folder.parent / "data/exits.xlsx"
    book.save(file)
    made = propose(study, "exits", [file], "../data/exits.xlsx", smallest=2, answers={})
    form = {"exit_date.form": made.questions[0].options[0]} if made.questions else {}
    made = propose(study, "exits", [file], "../data/exits.xlsx", smallest=2, answers=form)
    write_table(study.path, "exits", made.entry)
    rules = [one.rule for one in validate(load_study(study.path)).errors if one.table == "exits"]
    assert ("swapped_days" in rules) == found


@pytest.mark.parametrize("footer", ["Printed by,A. Clerk\n", "Total,19\n", "Source: case system\n", "19,,\n"])
def test_what_does_not_look_like_the_rows_above_is_a_footer(study: Study, footer: str) -> None:
    assert proposed(study, "exits", HEAD + EXITS + footer).entry["skip_footer"] == 1


def test_a_note_of_several_lines_is_left_out_whole(study: Study) -> None:
    made = proposed(study, "participants", NAMES + people() + 'Total,19\n"Note: as of today,\n\nwithout drafts"\n')
    assert made.entry["skip_footer"] == 3
    assert len(read(study, "participants", made)) == 19


def test_a_file_that_lacks_columns_is_refused_and_not_left_out_in_words_only(study: Study) -> None:
    with pytest.raises(
        DataError, match=r"exits-1\.csv lacks columns that exits-0\.csv has: Created Date; name it apart"
    ):
        proposed(
            study, "exits", "Client ID,Exit Date,Reason,Created Date\nP1,2022-01-01,moved,2022-01-01\n", HEAD + EXITS
        )


def test_a_year_of_birth_in_two_digits_makes_the_age_that_somebody_can_have(study: Study) -> None:
    born = NAMES.replace("Age", "DOB")
    made = proposed(study, "participants", born + people(19, "01/{:02d}/2022", "03/15/65"))
    assert made.entry["date_formats"] == {"age": "%m/%d/%y"}
    assert read(study, "participants", made)["age"].tolist() == [56.0] * 19  # 2022 - 1965, the birthday still to come


def test_a_word_that_may_mean_several_reasons_is_asked(study: Study) -> None:
    text = HEAD + "".join(f"P{i},2022-01-{i:02d},{'Discharged' if i % 2 else 'Refused'}\n" for i in range(1, 20))
    assert {one.key for one in proposed(study, "exits", text).questions} == {"reason.Discharged", "reason.Refused"}


def test_a_refusal_to_say_is_no_answer(study: Study) -> None:
    made = proposed(study, "participants", NAMES + people().replace(",man,", ",Refused,"))
    assert made.entry["values"]["gender"] == {"Refused": ""}


def test_of_days_that_are_nowhere_no_form_is_asked(study: Study) -> None:
    text = "Client ID,Exit Date,Reason,Created Date\n" + EXITS.replace("completed", "completed,N/A")
    assert proposed(study, "exits", text).questions == []


def test_a_form_that_somebody_says_is_one_and_what_it_does_not_read_is_told(study: Study) -> None:
    text = HEAD + EXITS.replace("2022-01-", "W").replace("W01", "someday")
    assert proposed(study, "exits", text).questions[0].key == "exit_date.form"
    with pytest.raises(UsageError, match=r"--answer exit_date.form: 'abc' is not a date format"):
        proposed(study, "exits", text, answers={"exit_date.form": "abc"})
    text = HEAD + EXITS.replace("2022-01-01", "someday")
    made = proposed(study, "exits", text, answers={"exit_date.form": "%Y-%m-%d"})
    assert "  exit_date: days are year-month-day (as you said; 1 of 19 cannot be read so)" in made.lines
    assert made.entry["date_format"] == "%Y-%m-%d"


ACCENT = HEAD + EXITS.replace("P1,", "José,")


def test_plain_letters_are_of_any_encoding(study: Study) -> None:
    made = proposed(study, "exits", HEAD + EXITS, ACCENT, encodings=("ascii", "windows-1252"))
    assert made.entry["encoding"] == "windows-1252"
    assert "encoding" not in proposed(study, "exits", ACCENT, HEAD + EXITS, encodings=("utf-8-sig", "ascii")).entry


def test_a_text_that_is_nearly_all_utf8_is_not_taken_for_another_encoding(study: Study) -> None:
    file = study.folder.parent / "data/exits.csv"
    file.write_bytes((HEAD + EXITS.replace("P", "Ñ")).encode() + "ñ,2022-01-20,moved\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"exits.csv is UTF-8 text but for some letters \(line 21\)"):
        propose(study, "exits", [file], "../data/exits.csv", smallest=2)
    file.write_bytes((HEAD + EXITS.replace("P", "Ñ")).encode("latin-1"))
    assert propose(study, "exits", [file], "../data/exits.csv", smallest=2).entry["encoding"] == "windows-1252"


def test_files_of_two_encodings_are_refused(study: Study) -> None:
    with pytest.raises(DataError, match=r"in several encodings \(utf-8, windows-1252\); save all as UTF-8"):
        proposed(study, "exits", ACCENT, ACCENT, encodings=("utf-8", "windows-1252"))


def test_what_excel_leaves_beside_an_open_file_is_no_export(tmp_path: Path) -> None:
    for name in ("b.xlsx", "~$b.xlsx", ".c.xlsx", "a.xlsx"):
        (tmp_path / name).touch()
    assert [file.name for file in files_like(tmp_path / "*.xlsx")] == ["a.xlsx", "b.xlsx"]


def test_headers_as_people_type_them_are_known(study: Study) -> None:
    text = "Client No.,Closed,Why closed\n" + EXITS.removeprefix(HEAD)
    made = proposed(study, "exits", text)
    assert made.entry["columns"] == {"participant_id": "Client No.", "exit_date": "Closed", "reason": "Why closed"}
    sessions = (
        "Client No.,Date,Activity type,Came?,Length (hrs)\n" + "P1,2022-01-03,Grp,Yes,1.5\nP2,2022-01-04,1:1,No,1\n"
    )
    made = proposed(study, "sessions", sessions, answers={"kind": "Activity type"})
    assert made.questions == []
    assert made.entry["columns"]["status"] == "Came?"
    assert made.entry["columns"]["hours"] == "Length (hrs)"
    assert made.entry["values"]["kind"] == {"Grp": "group", "1:1": "individual"}
    assert "  status: Came? (its name says so)" in made.lines
    outcomes = "Client No.,Date of offense,Incident type,Reported by\nP1,2022-01-03,Arrest DV,police\n"
    made = proposed(study, "outcomes", outcomes, answers={"kind.Arrest DV": "dv_arrest"})
    names = {"participant_id": "Client No.", "outcome_date": "Date of offense", "kind": "Incident type"}
    assert made.entry["columns"] == names | {"source": "Reported by"}


def test_a_column_that_the_groups_are_told_by_is_missed(study: Study) -> None:
    names = NAMES.replace("Mandate", "Column")
    made = proposed(study, "participants", names + people())
    how = "take it out of where:, or say which it is: --answer mandate=COLUMN"
    assert f"missing: mandate, by which the protocol says who is in a group; {how}" in made.lines
    assert "mandate" not in made.lines[-1]


def test_a_number_of_rows_below_a_column_of_days_is_no_day(study: Study) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Client ID", "Exit Date", "Reason", "By", "Note"])
    for n in range(1, 20):
        sheet.append([f"P{n}", date(2022, 1, n), "completed", "AB", "x"])
    sheet.append(["Records:", 3530])
    file = study.folder.parent / "data/exits.xlsx"
    book.save(file)
    made = propose(study, "exits", [file], "../data/exits.xlsx", smallest=2)
    assert made.entry["skip_footer"] == 1
    write_table(study.path, "participants", proposed(study, "participants", NAMES + people()).entry)
    assert len(read(study, "exits", made)) == 19


def test_somebody_whose_identifier_begins_like_a_total_is_no_footer(study: Study) -> None:
    made = proposed(study, "exits", HEAD + EXITS.replace("P", "Record-"))
    assert "skip_footer" not in made.entry


def test_a_proposal_in_full(study: Study) -> None:
    """Every line: what is left out or not read is told, and a column that speaks of two of ours is taken for one."""
    names = {"Age": "DOB", "Site": "Our Site Code", "Referral Date": "Referred", "Referral Source": "Colour"}
    header = ",".join(names.get(name, name) for name in NAMES.strip().split(","))
    rows = people(19, "2022-01-{:02d}", "1965-03-15").splitlines()
    rows[2] = rows[2].replace(",court,North", ",tribal,North").replace("court,2022-01-03", "court,")
    made = proposed(study, "participants", "\n".join(["Referrals,,,,,,,,,,,,", header, *rows, "Total,19"]) + "\n")
    assert made.questions == []
    assert made.lines == [
        "participants from participants-0.csv: 19 rows",
        "  skip_rows: 1 line(s) above the header line",
        "  skip_footer: 1 line(s) below the last row (totals, notes)",
        "columns:",
        "  participant_id: Client ID (its name says so; 19 different in 19 rows)",
        "  pathway: Pathway (its name says so)",
        "  mandate: Mandate (its name says so)",
        "  referral_date: Referred (its name says so; dddd-dd-dd, 19 of 19)",
        "  intake_date: Intake Date (its name says so; dddd-dd-dd, 18 of 19; empty, 1)",
        "  site: Our Site Code (its name says so)",
        "  gender: Gender (its name says so)",
        "  race_ethnicity: Race (its name says so)",
        "  employment: Employed (its name says so; a, 19 of 19)",
        "  prior_dv_arrests: DV Arrests (its name says so; d, 19 of 19)",
        "  alcohol_use: Alcohol (its name says so; a, 19 of 19)",
        "  age: DOB, years to referral_date "
        "(whole years from the day of birth to the referral; the day of birth is not kept)",
        "  mandate: another word in 1 row is none that is known (evalkit validate --codes shows it when this is written)",
        "not read: Colour",
        "not there, and not needed: referral_source, community_area, outcome_follow_up_end, recorded_on, retracted_on",
    ]


@pytest.mark.parametrize(
    ("theirs", "usual", "near"),
    [
        ("referral_date", ("referral_date",), 1.0), ("Referral Date", ("referral_date",), 0.95), ("referraldate", ("referral_date",), 0.95),
        ("Referred", ("referral_date", "referred"), 0.94), ("Referred", (*"abcdefghijklmnop", "referred"), 0.83), ("Date Referral", ("referral_date",), 0.9),
        ("Our referral date", ("referral_date",), 0.75), ("Referred person", ("referral_date", "referred"), 0.54), ("Refered", ("a", "referred"), 0.69),
        ("Date person", ("date",), 0.0), ("Inmate", ("intake",), 0.0),
    ],
)  # fmt: skip
def test_how_near_a_name_is(theirs: str, usual: tuple[str, ...], near: float) -> None:
    assert nearness(theirs, usual) == pytest.approx(near)


# Of each column and each word of ours one name that others have for it, and that does not hold ours.
CALLED = """
participant_id=Client Number referral_date=Referred referral_source=Lead Source intake_date=Enrolled mandate=Legal Status
site=Office community_area=Neighborhood outcome_follow_up_end=Records searched through recorded_on=Created Date
retracted_on=Voided session_date=Visit Date kind=Incident Type status=Attendance hours=Duration exit_date=Discharged
reason=Disposition outcome_date=Arrest Date source=Information Source measure_date=Survey Date instrument=Scale
score=Result searched_from=Start Date searched_to=End Date age=Age Years gender=Sex race_ethnicity=Ethnicity
employment=Currently Employed prior_dv_arrests=DV Arrests alcohol_use=Drinking synthetic=Synthetic
"""
MEANT = """
attended=Showed absent=No Show excused=Absent excused cancelled=Canceled group=Grp individual=1:1 case_management=CM
completed=Graduated dropped_out=Lost contact terminated=Expelled transferred=Transfer moved=Relocated deceased=Died
administrative=Admin close dv_arrest=Domestic violence arrest any_arrest=Other arrest order_violation=Violation of order
survivor_reported_harm=Partner report court=Judge other_order=Probation none=Voluntary man=Male woman=Female
another=Nonbinary black=African American latino=Hispanic white=Caucasian self=Walk in yes=Y no=N
"""


def pairs(text: str) -> list[tuple[str, str]]:
    return re.findall(r"(\w+)=([^=]+?)(?=\s\w+=|\s*$)", text)


def test_what_others_call_our_columns_and_words() -> None:
    assert [ours for ours, _ in pairs(CALLED)] == [*_NAMES]
    far = [(ours, theirs) for ours, theirs in pairs(CALLED) if nearness(theirs, (ours, *_NAMES[ours])) < 0.8]
    assert far == []
    assert [ours for ours, _ in pairs(MEANT)] == [*WORDS]
    assert [(ours, theirs) for ours, theirs in pairs(MEANT) if folded(theirs) not in map(folded, WORDS[ours])] == []


def test_a_yes_as_exports_write_it_needs_no_line() -> None:
    words = Vocabulary(("yes", "no"), False, {}, {})
    assert [words.reads(text, kind) for text, kind in (("Y", "yes_no"), ("Y", "text"), ("yes", "text"))] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_file_without_lines_holds_no_table(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as refused:
        read_parts([tmp_path / "a.csv"], "exits")
    assert str(refused.value) == "exits: none of the files holds a table with a header line"
