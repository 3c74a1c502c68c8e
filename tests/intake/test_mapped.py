"""``evalkit map``: a messy export becomes the study that it was made from, and nobody's value is shown on the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from evalkit.cli import _map
from evalkit.cohort import build
from evalkit.intake import open_data, open_gate
from evalkit.intake.mapping import propose
from evalkit.protocol import load_study
from evalkit.simulate import simulate
from intake.messy import write_messy

TABLES = ("participants", "sessions", "exits", "outcomes", "measures", "searches")
EXPORTS = {
    "participants": ["referrals.xlsx"],
    "sessions": ["sessions-*.csv"],
    "exits": ["exits.csv"],
    "outcomes": ["outcomes.csv"],
    "measures": ["measures.csv"],
    "searches": ["searches.csv"],
}


@pytest.fixture(scope="module")
def simulated() -> dict[str, pd.DataFrame]:
    return simulate("benefit", seed=7, n_focus=120, n_comparison=300).tables


@pytest.fixture
def begun(called: Any, tmp_path: Path, simulated: dict[str, pd.DataFrame]) -> Path:
    """A study that has begun, and its export beside it."""
    write_messy(simulated, tmp_path / "exports")
    assert called("init", ".", "--id", "mine", "--starts", "2021-11-18")[0] == 0
    # The words of a column that has such a list are mapped; the other lists stay remarks.
    file = tmp_path / "params/study.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("# referral_sources:", "referral_sources:"), encoding="utf-8"
    )
    return tmp_path


def protocol(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "params/study.yaml").read_text(encoding="utf-8"))


def cohort_of(file: Path) -> tuple[pd.DataFrame, ...]:
    with open_data(load_study(file)) as data:
        cohort = build(data.at(pd.Timestamp("2023-12-31").date()))
        return cohort.retention(), cohort.harm(), cohort.sessions(), cohort.pathway()


def test_a_messy_export_is_the_same_cohort_after_one_run_for_each_table(
    called: Any, begun: Path, simulated: dict[str, pd.DataFrame]
) -> None:
    for name, files in EXPORTS.items():
        code, out, err = called("map", name, *(f"exports/{file}" for file in files), "--yes")
        assert (code, err) == (0, ""), out + err
        assert out.endswith(f"wrote tables.{name} into params/study.yaml; next: evalkit validate params/study.yaml\n")
    for name, table in simulated.items():
        (begun / "clean").mkdir(exist_ok=True)
        table.to_csv(begun / "clean" / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    mapped = begun / "params/study.yaml"
    content = yaml.safe_load(mapped.read_text(encoding="utf-8"))
    content["tables"] = {name: {"path": f"../clean/{name}.csv"} for name in TABLES}
    clean = begun / "params/clean.yaml"
    clean.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    for ours, theirs in zip(cohort_of(clean), cohort_of(mapped), strict=True):
        assert len(ours) > 100
        pd.testing.assert_frame_equal(ours, theirs)
    gate = open_gate(load_study(mapped))
    with gate.data:
        assert gate.findings.errors == ()


def test_what_is_written(called: Any, begun: Path) -> None:
    before = (begun / "params/study.yaml").read_text(encoding="utf-8")
    called("map", "participants", "exports/referrals.xlsx", "--yes")
    called("map", "sessions", "exports/sessions-2022.csv", "exports/sessions-2023.csv", "--yes")
    after = (begun / "params/study.yaml").read_text(encoding="utf-8")
    people, sessions = protocol(begun)["tables"]["participants"], protocol(begun)["tables"]["sessions"]
    assert people["path"] == "../exports/referrals.xlsx"
    assert people["sheet"] == ["2021-2022", "2023"]
    assert (people["skip_rows"], people["skip_footer"], people["date_format"]) == (3, 1, "%m/%d/%Y")
    assert "date_formats" not in people
    assert people["columns"]["age"] == {"column": "Birthdate", "years_to": "referral_date"}
    assert people["columns"]["participant_id"] == "Contact_ID__c"
    assert people["values"]["gender"] == {"Male": "man", "Female": "woman", "Other": "another"}
    assert people["values"]["employment"] == {"Employed": "yes", "Unemployed": "no"}
    assert "alcohol_use" not in people["values"]  # Yes and No are read as they stand
    assert sessions["path"] == ["../exports/sessions-2022.csv", "../exports/sessions-2023.csv"]
    assert sessions["columns"]["hours"] == {"column": "Duration_Minutes__c", "divide": 60}
    assert sessions["values"]["status"]["No Show"] == "absent"
    # Every line outside the two tables is as it was, remarks too.
    kept = [line for line in before.splitlines() if not re.match(r"  (# )?(participants|sessions): \{", line)]
    position = 0
    lines = after.splitlines()
    for line in kept:
        position = lines.index(line, position) + 1


def test_nobodys_value_is_shown(called: Any, begun: Path, simulated: dict[str, pd.DataFrame]) -> None:
    said = "".join(called("map", name, *(f"exports/{f}" for f in files))[1] for name, files in EXPORTS.items())
    people = simulated["participants"]
    for value in people["participant_id"]:
        assert value not in said
    assert not re.search(r"\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2}|312-555", said)
    assert "dd/dd/dddd, " in said


def test_rare_words_are_not_shown_but_written(called: Any, begun: Path, simulated: dict[str, pd.DataFrame]) -> None:
    tables = {name: table.copy() for name, table in simulated.items()}
    rows = tables["participants"].index
    tables["participants"]["gender"] = ["another" if row in rows[:3] else "man" for row in rows]
    write_messy(tables, begun / "exports")
    _, out, _ = called("map", "participants", "exports/referrals.xlsx", "--yes")
    assert "  gender: another word in 3 rows is another (a usual word for it)\n" in out
    assert "'Other' in 3 rows" not in out
    assert protocol(begun)["tables"]["participants"]["values"]["gender"]["Other"] == "another"


def test_nothing_is_written_without_a_yes(called: Any, begun: Path) -> None:
    before = (begun / "params/study.yaml").read_bytes()
    code, out, _ = called("map", "participants", "exports/referrals.xlsx")
    assert code == 0 and out.endswith("nothing was written; --yes writes it into params/study.yaml\n")
    assert (begun / "params/study.yaml").read_bytes() == before


# -- what cannot be said is asked ------------------------------------------------------------------------------------
def some(folder: Path, days: list[str], minutes: list[int] | None = None, name: str = "Length") -> Path:
    n = len(days)
    file = folder / "s.csv"
    frame = pd.DataFrame(
        {
            "Client ID": [f"C{k}" for k in range(n)],
            "Session Date": days,
            "Type": ["Group"] * (n - 12) + ["Yoga"] * 12,
            "Attendance": ["Present"] * n,
            name: minutes or [1.5] * n,
        }
    )
    frame.to_csv(file, index=False)
    return file


AMBIGUOUS = [f"{m:02d}/{d:02d}/2022" for m in range(1, 6) for d in range(1, 11)]


def test_day_or_month_first_is_asked_and_answered_in_the_second_run(called: Any, begun: Path) -> None:
    some(begun, AMBIGUOUS)
    code, out, err = called("map", "sessions", "s.csv", "--yes")
    assert code == 2 and err.startswith("evalkit: 2 questions are open and nothing was written")
    assert "are the days of Session Date month/day/year or day/month/year? All can be read in each way" in out
    assert "--answer 'session_date.form=...': %m/%d/%Y, %d/%m/%Y" in out
    assert "what is 'Yoga' of kind, in 12 rows?" in out
    answers = ["--answer", "session_date.form=%d/%m/%Y", "--answer", "kind.Yoga=case_management"]
    assert called("map", "sessions", "s.csv", "--yes", *answers)[0] == 0
    written = protocol(begun)["tables"]["sessions"]
    assert written["date_format"] == "%d/%m/%Y"
    assert written["values"]["kind"] == {"Group": "group", "Yoga": "case_management"}


@pytest.mark.parametrize("agreed", [True, False])
def test_a_terminal_is_asked_by_number_or_in_words(
    called: Any, begun: Path, monkeypatch: pytest.MonkeyPatch, agreed: bool
) -> None:
    some(begun, AMBIGUOUS)
    before = (begun / "params/study.yaml").read_bytes()
    answers = iter(["2", "7", "yoga", "case_management"])
    monkeypatch.setattr(_map, "_terminal", lambda: True)
    monkeypatch.setattr(_map.typer, "prompt", lambda *_, **__: next(answers))
    monkeypatch.setattr(_map.typer, "confirm", lambda *_, **__: agreed)
    code, out, _ = called("map", "sessions", "s.csv")
    assert code == 0 and list(answers) == []  # neither 7 nor yoga is an answer
    if not agreed:
        assert out.endswith("nothing was written\n") and (begun / "params/study.yaml").read_bytes() == before
        return
    written = protocol(begun)["tables"]["sessions"]
    assert written["date_format"] == "%d/%m/%Y" and written["values"]["kind"]["Yoga"] == "case_management"


def test_other_columns_settle_day_or_month_first(called: Any, begun: Path) -> None:
    file = some(begun, AMBIGUOUS)
    frame = pd.read_csv(file).assign(CreatedDate=["01/31/2022"] * len(AMBIGUOUS))
    frame.to_csv(file, index=False)
    _, out, _ = called("map", "sessions", "s.csv", "--answer", "kind.Yoga=group")
    assert (
        "session_date: days are month/day/year (as other columns of this table, where only so all can be read)" in out
    )


def test_one_day_above_twelve_settles_it(called: Any, begun: Path) -> None:
    some(begun, [*AMBIGUOUS, "01/13/2022"])
    _, out, _ = called("map", "sessions", "s.csv", "--answer", "kind.Yoga=")
    assert "session_date: days are month/day/year (only so can all 51 be read)" in out


@pytest.mark.parametrize(
    ("name", "numbers", "asked"),
    [("Length", 90, True), ("Session Minutes", 2, True), ("Session Minutes", 90, False), ("Length", 2, False)],
)
def test_minutes_are_proposed_where_name_and_numbers_agree(
    called: Any, begun: Path, name: str, numbers: int, asked: bool
) -> None:
    some(begun, [f"2022-01-{d:02d}" for d in range(1, 31)], [numbers] * 30, name)
    code, out, _ = called("map", "sessions", "s.csv", "--yes", "--answer", "kind.Yoga=group")
    assert ("minutes or hours?" in out) == asked and (code == 2) == asked
    if asked:
        answer = ["--answer", "hours.unit=minutes"]
        assert called("map", "sessions", "s.csv", "--yes", "--answer", "kind.Yoga=group", *answer)[0] == 0
    hours = protocol(begun)["tables"]["sessions"]["columns"]["hours"]
    assert hours == (name if numbers == 2 and not asked else {"column": name, "divide": 60})


def test_two_columns_that_may_be_meant_are_asked(called: Any, begun: Path) -> None:
    pd.DataFrame(
        {
            "Client ID": ["C1"] * 20,
            "Exit Date": ["2022-01-01"] * 20,
            "Date of Exit": ["2022-01-02"] * 20,
            "Reason": ["Moved"] * 20,
        }
    ).to_csv(begun / "e.csv", index=False)
    code, out, _ = called("map", "exits", "e.csv", "--yes")
    assert code == 2 and "which column is exit_date (day of the exit)?" in out
    code, out, _ = called("map", "exits", "e.csv", "--yes", "--answer", "exit_date=Date of Exit")
    assert code == 0 and "exit_date: Date of Exit (as you said" in out
    assert protocol(begun)["tables"]["exits"]["columns"]["exit_date"] == "Date of Exit"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["map", "sesions", "s.csv"], 2, "did you mean 'sessions'?"),
        (["map", "sessions", "t.csv"], 4, "sessions: file t.csv is not there; did you mean 's.csv'?"),
        (["map", "sessions", "x-*.csv"], 4, "no file is like x-*.csv"),
        (["map", "sessions"], 2, "name the files of sessions"),
        (["map", "sessions", "s.csv", "--answer", "kind"], 2, "write key=answer"),
        (["map", "sessions", "s.csv", "--answer", "kind.Yogi=group"], 2, "there is no such question"),
        (["map", "sessions", "s.csv", "--answer", "kind.Yoga=grup"], 2, "did you mean 'group'?"),
        (["map", "sessions", "s.csv", "--answer", "kind=Typ"], 2, "there is no column 'Typ'; did you mean 'Type'?"),
        (["map", "sessions", "s.csv", "--sheet", "x"], 2, "evalkit: --sheet 'x': there is no such sheet\n"),
        (["map", "measures", "s.csv", "--yes"], 2, "3 questions are open and nothing was written"),
        (
            ["map", "exits", "nothing.csv"],
            4,
            "exits: no file or sheet has columns like exit_date, participant_id, reason\n",
        ),
    ],
)
def test_mistakes_are_one_line(called: Any, begun: Path, arguments: list[str], code: int, words: str) -> None:
    some(begun, ["2022-01-01"] * 30)
    (begun / "nothing.csv").write_text("colour,size\nred,1\nblue,2\n", encoding="utf-8")
    before = (begun / "params/study.yaml").read_bytes()
    got, _, err = called(*arguments)
    assert got == code and words in err and err.count("\n") == 1, err
    assert (begun / "params/study.yaml").read_bytes() == before


def test_a_footer_of_one_sheet_only_is_said_for_it(
    called: Any, begun: Path, simulated: dict[str, pd.DataFrame]
) -> None:
    file = begun / "exports/sessions-2022.csv"
    file.write_text(file.read_text(encoding="utf-8").removesuffix("Total,"), encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines()
    assert lines[-1].startswith("Total")
    file.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    assert called("map", "sessions", "exports/sessions-*.csv", "--yes")[0] == 0
    written = protocol(begun)["tables"]["sessions"]
    assert written["skip_footer"] == {"sessions-2023.csv": 1} and written["path"] == "../exports/sessions-*.csv"
    assert called("map", "participants", "exports/referrals.xlsx", "--yes")[0] == 0
    with open_data(load_study(begun / "params/study.yaml")) as data:
        assert data.inputs[1].n_rows == len(simulated["sessions"])


def test_a_proposal_says_why_in_every_line(begun: Path) -> None:
    study = load_study(begun / "params/study.yaml")
    made = propose(study, "exits", [begun / "exports/exits.csv"], "../exports/exits.csv", smallest=11)
    said = [line for line in made.lines if line.startswith("  ")]
    assert said and all(line.endswith(")") for line in said)
