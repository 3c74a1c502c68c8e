"""The gate in the main path: nothing is published of tables that validate refuses, and an excuse is told everywhere."""

from __future__ import annotations

import json
import re
import stat
import subprocess
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml
from nbformat.v4 import new_code_cell

from evalkit import cli, open_report, zones
from evalkit.cli._releases import run_verify
from evalkit.errors import DataError
from evalkit.excuses import Passed, excuse_text
from evalkit.protocol import Excuse, load_study, private_folder
from evalkit.publish import write_pack
from evalkit.publish.rendering._document import Document, with_excuses
from evalkit.simulate import simulate
from evalkit.words import messages_for
from publish import forked, standin

PROTOCOL = """
id: case
title: A small programme
starts: 2021-11-18
baselines: null
arms: {column: pathway, focus: {value: non_mandated, label: Pilot}, comparison: {value: paip, label: Court}}
covariates:
  - {name: race_ethnicity, label: Background, kind: categorical, levels: [black, latino, white, another]}
rules: {completion: either, counting_kinds: [group], landmark_day: 182}
harm: {kinds: [dv_arrest, order_violation, survivor_reported_harm], label: recorded harm, origin: intake, death: censored}
tables:
  participants: {path: participants.csv}
  sessions: {path: sessions.csv}
  exits: {path: exits.csv}
  outcomes: {path: outcomes.csv}
"""

Frames = dict[str, pd.DataFrame]
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    folder = tmp_path_factory.mktemp("simulated")
    simulate("benefit", seed=5, n_focus=60, n_comparison=80).write(folder)
    return {file.stem: pd.read_csv(file, dtype=str, keep_default_na=False) for file in folder.glob("*.csv")}


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run the command line in this process: exit code, what it says, what it complains of."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["evalkit", *arguments])
        code = cli._run()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def study_of(folder: Path, tables: Frames, protocol: str = PROTOCOL) -> Path:
    for name in ("participants", "sessions", "exits", "outcomes"):
        tables[name].to_csv(folder / f"{name}.csv", index=False)
    (folder / "study.yaml").write_text(protocol, encoding="utf-8")
    return folder / "study.yaml"


def twice(tables: Frames) -> Frames:
    return tables | {"sessions": pd.concat([tables["sessions"]] * 2)}


def recoded(tables: Frames) -> Frames:
    sessions = tables["sessions"]
    return tables | {"sessions": sessions.assign(status=sessions["status"].replace("attended", "Present"))}


def in_minutes(tables: Frames) -> Frames:
    hours = (pd.to_numeric(tables["sessions"]["hours"]) * 60).astype(str)
    return tables | {"sessions": tables["sessions"].assign(hours=hours)}


def in_quarters_of_an_hour(tables: Frames) -> Frames:
    hours = (pd.to_numeric(tables["sessions"]["hours"]) * 4).astype(str)
    return tables | {"sessions": tables["sessions"].assign(hours=hours)}


def numbered(tables: Frames) -> Frames:
    """Twelve digits in every table, and in one of them numbers."""
    full = {
        n: f.assign(participant_id=[f"{int(i[1:], 16):012d}" for i in f["participant_id"]]) for n, f in tables.items()
    }
    return full | {
        "sessions": full["sessions"].assign(participant_id=full["sessions"]["participant_id"].str.lstrip("0"))
    }


def spelt_otherwise(tables: Frames) -> Frames:
    kinds = tables["outcomes"]["kind"].replace({"dv_arrest": "DV Arrest"})
    return tables | {"outcomes": tables["outcomes"].assign(kind=kinds)}


def old_sessions(tables: Frames) -> Frames:
    sessions = tables["sessions"]
    return tables | {"sessions": sessions[sessions["recorded_on"] <= "2023-03-31"]}


FALSE: dict[str, tuple[Callable[[Frames], Frames], str, set[tuple[str, str]]]] = {
    "sessions exported twice": (twice, "2023Q2", {("sessions", "duplicate_row")}),
    "attended recoded to Present": (recoded, "2023Q2", {("sessions.status", "not_allowed")}),
    "minutes in hours": (in_minutes, "2023Q2", {("sessions.hours", "impossible_hours")}),
    "quarters of an hour in hours": (in_quarters_of_an_hour, "2023Q2", {("sessions.hours", "unlikely_hours")}),
    "numbers without their zeros": (numbered, "2023Q2", {("sessions.participant_id", "unknown_participant")}),
    "another office's words": (spelt_otherwise, "2023Q2", {("outcomes.kind", "not_allowed")}),
    "an old file of sessions": (old_sessions, "2023Q2", {("sessions", "stale_table")}),
    "a quarter that has not begun": (dict, "2199Q1", {(t, "stale_table") for t in ("participants", "sessions", "exits", "outcomes")}),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_what_was_published_falsely_stops(name: str, simulated: Frames, tmp_path: Path, call: Call) -> None:
    spoil, period, expected = FALSE[name]
    study = study_of(tmp_path, spoil(simulated))
    out = tmp_path / "out"
    request = ("render", "brief", "--study", str(study), "--period", period, "--to", "html", "--out", str(out))
    code, said, complained = call(*request)
    lines = [line.removeprefix("evalkit: ") for line in complained.splitlines()]
    assert (code, said, out.exists()) == (4, "", False)
    assert {(line.split(": ")[1], line.rpartition("[")[2].split("]")[0]) for line in lines} == expected
    assert not any(word in complained for word in ("Present", "DV Arrest", "0000"))
    # The same lines as validate, of the period where it is about one.
    about = ("--period", period) if "stale_table" in str(expected) else ()
    code, said, _ = call("validate", str(study), *about)
    assert code == 4
    assert set(lines) <= {line.strip() for line in said.splitlines()}
    with pytest.raises(DataError) as refused:
        open_report(str(study), period)
    assert list(refused.value.lines) == lines


def test_several_studies_and_explain_stop_too(simulated: Frames, tmp_path: Path, call: Call) -> None:
    study = study_of(tmp_path, twice(simulated))
    code, said, _ = call("render", "brief", "--study", str(study), "--period", "all", "--explain")
    assert (code, said) == (4, "")


def test_a_sound_study_is_let_through_and_falls_are_said(simulated: Frames, tmp_path: Path, call: Call) -> None:
    sessions = simulated["sessions"]
    few = sessions[~sessions["session_date"].str.startswith("2023-06") | (sessions.index % 9 == 0)]
    study = study_of(tmp_path, simulated | {"sessions": few})
    code, _, complained = call("render", "brief", "--study", str(study), "--period", "2023Q2", "--explain")
    assert code == 0
    study_of(tmp_path, simulated | {"sessions": few}, PROTOCOL + "fall_of_rows: error\n")
    code, _, complained = call("render", "brief", "--study", str(study), "--period", "2023Q2", "--explain")
    assert code == 4
    assert complained.startswith("evalkit: error: sessions.session_date: 2023-06: fewer than half of the sessions")


# -- validate leaves nothing behind, but in private ------------------------------------------------------------------


def files_of(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


REMARKS = (
    "the protocol was never frozen; evalkit protocol freeze --as v1 'why' keeps it before results are seen\n"
    "programme says nothing of name, why, materials, procedures, provider, how, where, dose, tailoring, modifications, "
    "fidelity_planned, fidelity_found; the final report leaves that out\n"
    "re_aim says nothing of reach, effectiveness, adoption, implementation, maintenance; the final report leaves that out\n"
)


def test_validate_leaves_no_file(
    simulated: Frames, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(tmp_path, simulated)
    monkeypatch.chdir(tmp_path)
    before = files_of(tmp_path)
    assert call("validate", str(study))[:2] == (0, f"No problem found.\n{REMARKS}")
    assert not list(tmp_path.glob(".evalkit"))
    assert files_of(tmp_path) == before


def test_codes_are_private_and_shown_when_asked_for(simulated: Frames, tmp_path: Path, call: Call) -> None:
    sessions = simulated["sessions"].copy()
    sessions.loc[sessions.index[:5], "kind"] = "Group\u200b"
    sessions.loc[sessions.index[5:8], "kind"] = "orientation"
    sessions["status"] = sessions["status"].replace("attended", "Attended")
    study = study_of(tmp_path, simulated | {"sessions": sessions})
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    code, said, complained = call("validate", str(study))
    assert code == 4 and "orientation" not in said + complained and "evalkit validate --codes" in said
    file = private_folder(load_study(study)) / "codes.json"
    n = int((sessions["status"] == "Attended").sum())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = json.loads(file.read_text(encoding="utf-8"))
    standing = kept["sessions"]["status"]["Attended"]
    assert kept == {"sessions": {"kind": {"Group\u200b": 5, "orientation": 3}, "status": {"Attended": standing}}}
    assert 0 < standing <= n  # rows that were withdrawn are not counted
    listed = subprocess.run(["git", "-C", str(tmp_path), "status", "--porcelain", "-uall"], check=True,
                            capture_output=True, text=True).stdout  # fmt: skip
    assert ".evalkit" not in listed
    code, said, _ = call("validate", str(study), "--codes")
    assert code == 4
    proposed = yaml.safe_load(said[said.index("# Proposed") :])
    values = {"kind": {"Group\u200b": "group"}, "status": {"Attended": "attended"}}
    assert proposed == {"tables": {"sessions": {"values": values}}}
    assert '# "orientation": ?  # 3 rows, like none of them' in said
    # What is proposed, put into the protocol with what is to be kept out, is understood; the codes are gone.
    text = PROTOCOL.replace(
        "sessions: {path: sessions.csv}", f"sessions: {json.dumps({'path': 'sessions.csv', 'values': values})}"
    )
    study.write_text(text + "ignore: {sessions: {kind: [orientation]}}\n", encoding="utf-8")
    assert call("validate", str(study), "--codes")[:2] == (
        0,
        f"No problem found.\n{REMARKS}Every value is one that the protocol names.\n",
    )
    assert not file.exists()


def test_codes_that_cannot_be_kept_are_said(
    simulated: Frames, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(tmp_path, recoded(simulated))
    (tmp_path / "nobody").write_text("a file", encoding="utf-8")
    monkeypatch.setenv("EVALKIT_PRIVATE", str(tmp_path / "nobody"))
    code, said, _ = call("validate", str(study))
    assert code == 4 and "could not be kept" in said
    assert '"Present"' in call("validate", str(study), "--codes")[1]


# -- an excuse is told in the report, its manifest and the review pack -----------------------------------------------

REASON = "The provider exported *one* week <twice>."
TINY = standin.STUDY.replace(
    "tables: {participants: {path: participants.csv}}",
    "tables: {participants: {path: participants.csv}, sessions: {path: sessions.csv}}\n"
    f"excuses: [{{table: sessions, rule: duplicate_row, by: The data board, until: 2198-12-31, reason: '{REASON}'}}]",
)
SESSIONS = "participant_id,session_date,kind,status,hours\n" + "QX71,2000-12-01,group,attended,1.5\n" * 2


def tiny(folder: Path) -> Path:
    opened = new_code_cell("import evalkit\nreport = evalkit.open_report(study, period)")
    cells = standin.cells()
    study = standin.write_world(folder, [cells[0], opened, *cells[1:], new_code_cell("report.excuses()")])
    study.write_text(TINY, encoding="utf-8")
    (folder / "sessions.csv").write_text(SESSIONS, encoding="utf-8")
    return study


@pytest.fixture(scope="module")
def excused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("excused")
    tiny(folder)
    done = forked.evalkit(standin.command(folder, "--to", "html")[3:], standin.environment(folder), folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_an_excuse_is_published(excused: Path) -> None:
    release = excused / "reports" / "tiny" / "tiny" / "2000Q4"
    page = (release / "report.html").read_text(encoding="utf-8")
    assert page.count("The data board") == 1
    assert "exported *one* week &lt;twice&gt;" in page and "December 31, 2198" in page and "duplicate row" in page
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["excused"] == [
        {"table": "sessions", "rule": "duplicate_row", "column": "", "reason": REASON, "by": "The data board",
         "until": "2198-12-31"}
    ]  # fmt: skip
    pack = write_pack(release, load_study(excused / "study.yaml")) / "index.html"
    assert "sessions: duplicate_row, until 2198-12-31 (The data board)" in pack.read_text(encoding="utf-8")


def test_a_release_is_verified_when_its_excuse_has_ended(excused: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = excused / "reports" / "tiny" / "tiny" / "2000Q4"
    for name, value in standin.environment(excused).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(zones, "today", lambda _: date(2198, 12, 31) + timedelta(days=1))
    with pytest.raises(DataError, match="its excuse ended on 2198-12-31"):
        open_report(str(excused / "study.yaml"), "2000Q4")
    assert run_verify(release, excused / "study.yaml", None, quick=False) == 0


def test_tables_that_break_more_than_was_excused_are_not_verified(
    excused: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    release = excused / "reports" / "tiny" / "tiny" / "2000Q4"
    study = tiny(tmp_path)
    standin.give_secret(excused, tmp_path)
    for name, value in standin.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "sessions.csv").write_text(f"{SESSIONS}QX99,2000-12-01,group,attended,1.5\n", encoding="utf-8")
    with pytest.raises(DataError, match="unknown_participant"):
        run_verify(release, study, None, quick=False)
    # A row that came after the cut, however wrong, is no reason to refuse: the table says the same of the time before.
    (tmp_path / "sessions.csv").write_text(f"{SESSIONS}QX99,2001-01-01,group,attended,1.5\n", encoding="utf-8")
    capsys.readouterr()
    assert run_verify(release, study, None, quick=False) == 0
    assert "  same outputs, rows of after the data cut: sessions" in capsys.readouterr().out.splitlines()


def test_a_notebook_without_a_place_for_excuses_says_them_at_its_end() -> None:
    excuse = Excuse(
        table="exits", rule="not_allowed", reason="The new words come in May.", by="A & B", until=date(2024, 5, 31)
    )
    facts = dict.fromkeys(("title", "subtitle", "study", "organisation", "period", "cut"), "x")
    document = Document(**facts, cut_date=date(2024, 3, 31), synthetic=True, locale="es-US", items=())
    assert with_excuses(document, ()) is document
    (item,) = with_excuses(document, [excuse]).items
    assert item.text.startswith("# Calidad de los datos\n\n::: {.note}\n")
    assert (
        "Tabla exits, regla «not allowed»: The new words come in May. (decidido por A \\& B, hasta el 31 de mayo de 2024)"
        in item.text
    )
    assert "was excused for a time" in excuse_text([excuse], messages_for("en-US"))


# -- the kernel takes the render's word for these tables only --------------------------------------------------------


def test_a_kernel_checks_other_tables_than_the_renders(
    simulated: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalkit.intake import open_gate
    from evalkit.intake._gate import Gate

    study = study_of(tmp_path, simulated)
    gate = open_gate(load_study(study))
    (period,) = gate.periods(["2023Q2"])
    monkeypatch.setenv("EVALKIT_GATE", gate.check(period).to_kernel())
    with monkeypatch.context() as patched:
        patched.setattr(Gate, "check", lambda *_: pytest.fail("the same tables are checked twice"))
        assert open_report(str(study), "2023Q2").excused == ()
    with pytest.raises(DataError):  # another period
        open_report(str(study), "2199Q1")
    study_of(tmp_path, twice(simulated))
    with pytest.raises(DataError, match="duplicate_row"):
        open_report(str(study), "2023Q2")
    assert Passed.from_render().excused == ()


def test_a_kernel_that_checks_again_keeps_the_excuses_of_its_render(
    simulated: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a database, which has no digest, when an excuse ends between the render's look and the kernel's.
    study = str(study_of(tmp_path, twice(simulated)))
    excuse = Excuse(
        table="sessions",
        rule="duplicate_row",
        reason="The provider exported one week twice.",
        by="The board",
        until=date(2000, 1, 1),
    )
    with pytest.raises(DataError, match="duplicate_row"):
        open_report(study, "2023Q2")
    monkeypatch.setenv("EVALKIT_GATE", Passed((excuse,)).to_kernel())
    assert open_report(study, "2023Q2").excused == (excuse,)


def test_notebooks_have_a_place_for_excuses() -> None:
    for name in ("quarterly", "final"):
        cells = nbformat.read(Path(__file__).parents[2] / "notebooks" / f"{name}.ipynb", as_version=4).cells
        place = next(i for i, cell in enumerate(cells) if re.match("#+ Data quality", cell.source))
        assert "report.excuses()" in cells[place + 1].source
