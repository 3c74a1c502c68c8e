"""``evalkit init``: what it writes, that it opens and renders without more, and that it writes over nothing."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from evalkit.cli import _init
from evalkit.errors import ReleaseError
from evalkit.examples import SIMULATED, Group, Starter, starter_files, write_new
from evalkit.intake import open_gate
from evalkit.protocol import load_report, load_study
from evalkit.publish import find_notebook

WRITTEN = {
    ".gitignore",
    ".pre-commit-config.yaml",
    "Makefile",
    "README.md",
    "data/.gitignore",
    "notebooks/brief.es.po",
    "notebooks/brief.ipynb",
    "notebooks/final.es.po",
    "notebooks/final.ipynb",
    "notebooks/quarterly.es.po",
    "notebooks/quarterly.ipynb",
    "notebooks/references.json",
    "params/baselines.yaml",
    "params/brief.yaml",
    "params/disclosure.yaml",
    "params/final.yaml",
    "params/quarterly.yaml",
    "params/schema/baselines.schema.json",
    "params/schema/disclosure.schema.json",
    "params/schema/report.schema.json",
    "params/schema/study.schema.json",
    "params/study.yaml",
}
TABLES = ("participants", "sessions", "exits", "outcomes", "measures", "searches")


def files_in(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_a_demo_opens_and_holds_to_its_own_rules(called: Any, tmp_path: Path) -> None:
    assert called("init", "mine", "--demo") == (
        0,
        f"wrote the study mine to {tmp_path / 'mine'}\nnext: cd mine && evalkit render quarterly\n",
        "",
    )
    tables = {f"data/{name}.csv" for name in TABLES} | {"data/simulation.json"}
    assert files_in(tmp_path / "mine") == WRITTEN | tables
    study = load_study(tmp_path / "mine/params/study.yaml")
    assert (study.id, study.locale, str(study.starts)) == ("mine", "en-US", "2021-11-18")
    assert list(study.tables) == list(TABLES)
    gate = open_gate(study)
    with gate.data:
        assert list(gate.findings) == [] and gate.data.synthetic
    report = load_report(tmp_path / "mine/params/quarterly.yaml")
    assert find_notebook(report.notebook, study) == tmp_path / "mine/notebooks/quarterly.ipynb"
    assert called("validate", "mine/params/study.yaml")[0] == 0


def test_the_demo_is_the_projects_own_study(called: Any, tmp_path: Path) -> None:
    """What a demo counts and compares is what the project's own protocol says: two texts, one meaning."""
    called("init", "mine", "--demo", "--id", "chicago-nonmandated")
    ours = yaml.safe_load((Path(__file__).parents[2] / "params/study.yaml").read_text(encoding="utf-8"))
    theirs = yaml.safe_load((tmp_path / "mine/params/study.yaml").read_text(encoding="utf-8"))
    for key in ("tables", "subtitle", "organisation", "translations"):
        ours.pop(key), theirs.pop(key, None)
    for key in ("programme", "re_aim", "deviations"):  # of the programme itself a new study says nothing yet
        assert ours.pop(key)
        assert key not in theirs
    assert theirs == ours


def test_every_choice_has_a_comment(called: Any, tmp_path: Path) -> None:
    called("init", "mine", "--starts", "2022-01-01")
    lines = (tmp_path / "mine/params/study.yaml").read_text(encoding="utf-8").splitlines()
    for key in ("arms", "covariates", "tables", "rules", "harm", "comparison", "translations"):
        assert lines[lines.index(f"{key}:") - 1].startswith("# "), key
    assert max(map(len, lines)) <= 120


def test_answers_by_flags(called: Any, tmp_path: Path) -> None:
    for name in ("participants.xlsx", "sessions.csv"):
        (tmp_path / "raw").mkdir(exist_ok=True)
        (tmp_path / "raw" / name).write_text("x", encoding="utf-8")
    code, out, _ = called(
        "init", "new", "--id", "north", "--title", 'A "plain": study', "--starts", "2022-03-01", "--focus",
        "v=Volunteers", "--comparison", "w=Waiting list", "--assignment", "random", "--tables", "raw",
    )  # fmt: skip
    assert code == 0 and out.endswith("next: cd new && evalkit validate && evalkit render quarterly\n")
    study = load_study(tmp_path / "new/params/study.yaml")
    assert (study.id, study.title, str(study.starts)) == ("north", 'A "plain": study', "2022-03-01")
    assert (study.arms.focus.value, study.arms.comparison.label) == ("v", "Waiting list")
    assert study.comparison.assignment == "random" and study.arms.comparison.where == {}
    assert study.baselines is None  # figures of court-ordered programmes are nothing to hold volunteers against
    assert {name: table.path for name, table in study.tables.items()} == {
        "participants": "../../raw/participants.xlsx",
        "sessions": "../../raw/sessions.csv",
    }
    assert study.rules.completion == "dose"  # sessions without exits: the protocol leaves it to the default


def test_other_names_of_the_groups_are_mapped_in_a_demo(called: Any, tmp_path: Path) -> None:
    assert called("init", "mine", "--demo", "--focus", "pilot=Our pilot")[0] == 0
    study = load_study(tmp_path / "mine/params/study.yaml")
    assert study.tables["participants"].values == {"pathway": {"non_mandated": "pilot", "paip": "paip"}}
    gate = open_gate(study)
    with gate.data:
        assert gate.findings.ok


def test_spanish(called: Any, tmp_path: Path) -> None:
    code, out, _ = called("init", "estudio", "--demo", "--language", "es", "--title", "Servicios en la ciudad")
    assert code == 0 and out.endswith("evalkit render quarterly-es\n")
    folder = tmp_path / "estudio"
    assert {f"params/{name}-es.yaml" for name in ("quarterly", "final", "brief")} <= files_in(folder)
    assert "params/quarterly.yaml" not in files_in(folder)
    assert load_study(folder / "params/study.yaml").locale == "es-US"
    assert "Un estudio hecho con evalkit" in (folder / "README.md").read_text(encoding="utf-8")
    assert "evalkit render quarterly-es" in (folder / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("there", ["params/study.yaml", "notebooks/final.ipynb", "data/sessions.csv"])
def test_nothing_is_overwritten(called: Any, tmp_path: Path, there: str) -> None:
    file = tmp_path / "mine" / there
    file.parent.mkdir(parents=True)
    file.write_text("mine", encoding="utf-8")
    code, out, err = called("init", "mine", "--demo")
    assert (code, out) == (10, "")
    assert err == (
        f"evalkit: {tmp_path / 'mine'}: {there} is there already; nothing was written: "
        "name another folder, or move it away\n"
    )
    assert files_in(tmp_path / "mine") == {there} and file.read_text(encoding="utf-8") == "mine"


def test_a_second_time_says_how_many(called: Any, tmp_path: Path) -> None:
    called("init", "mine", "--starts", "2022-01-01")
    before = {name: (tmp_path / "mine" / name).stat().st_mtime_ns for name in WRITTEN}
    code, _, err = called("init", "mine", "--starts", "2022-01-01")
    n = len(WRITTEN) - 4 - 1
    assert code == 10 and f"params/study.yaml and {n} more of its files are there already" in err
    assert {name: (tmp_path / "mine" / name).stat().st_mtime_ns for name in WRITTEN} == before


def test_what_a_folder_of_git_has_stays(called: Any, tmp_path: Path) -> None:
    for name in ("README.md", ".gitignore"):
        (tmp_path / name).write_text("ours", encoding="utf-8")
    code, out, _ = called("init", ".", "--id", "x", "--starts", "2022-01-01")
    assert code == 0 and (tmp_path / "README.md").read_text(encoding="utf-8") == "ours"
    assert out.splitlines()[1:] == [
        "  kept as they were: .gitignore, README.md",
        "  the .gitignore that was there should name .evalkit/, data/ and exports/",
        "next: evalkit map participants YOUR-EXPORT.xlsx   (or put the table where params/study.yaml says)",
    ]
    assert (tmp_path / "data/.gitignore").read_text(encoding="utf-8") == "*\n"  # whatever the other says


def test_half_a_study_is_none(called: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real, opened = Path.open, []

    def full(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if mode == "xb":
            opened.append(self)
            if len(opened) == 5:
                raise OSError(28, "No space left on device", str(self))
        return real(self, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", full)
    code, _, err = called("init", "mine", "--starts", "2022-01-01")
    assert code == 10 and "no space left" in err
    assert files_in(tmp_path / "mine") == set()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "say --starts"),
        (["--starts", "1/2/2022"], 2, "'1/2/2022' is no day"),
        (["--starts", "20220102"], 2, "'20220102' is no day"),
        (["--demo", "--id", "A study"], 2, "'A study' is no short name: a to z, 0 to 9, - and _, such as a-study"),
        (["--demo", "--focus", "=Pilot"], 2, "'=Pilot' is no group"),
        (["--demo", "--focus", "pilot="], 2, "'pilot=' is no group"),
        (["--demo", "--focus", "paip=Pilot"], 2, "have the same value 'paip'"),
        (["--demo", "--assignment", "randm"], 2, "did you mean 'random'?"),
        (["--demo", "--language", "fr"], 2, "--language 'fr': there are en, es"),
        (["--demo", "--tables", "x"], 2, "--demo has tables of its own"),
        (["--demo", "--title", "A \u200bstudy"], 3, "key 'title': holds characters that are not seen"),
    ],
)
def test_a_wrong_answer_is_one_line_and_writes_nothing(
    called: Any, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    got, out, err = called("init", "mine", *arguments)
    assert (got, out) == (code, "") and words in err and err.count("\n") == 1
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("name", "id"),
    [("My Study 2022", "my-study-2022"), ("Programa Niñez", "programa-ninez"), ("学习", "study"), ("--", "study")],
)
def test_the_folders_name_is_the_studys(name: str, id: str) -> None:
    assert _init._starter(_init.Answers(demo=True), Path("/x") / name).id == id


def test_a_terminal_is_asked_until_the_answer_is_one(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "evalkit", "init", "mine", "--title", "Ours"],
        stdin=terminal, stdout=terminal, stderr=terminal, cwd=tmp_path, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    os.close(terminal)
    answers = [b"Mine", b"", b"v=Volunteers", b"", b"lot", b"other", b"2022-02-30", b"2022-02-28", b""]
    said = b""
    while select.select([controller], [], [], 120)[0]:
        try:
            said += os.read(controller, 4096)
        except OSError:
            break
        if said.rstrip(b" ").endswith(b":") and answers:
            os.write(controller, answers.pop(0) + b"\n")
            said += b"|"
    os.close(controller)
    text = re.sub(r"\x1b\[[0-9;]*m", "", said.decode())
    assert process.wait(timeout=120) == 0, text
    assert answers == []
    assert "'Mine' is no short name" in text and "'lot'" in text and "'2022-02-30' is no day" in text
    assert "Title" not in text  # it was said already
    study = load_study(tmp_path / "mine/params/study.yaml")
    assert (study.id, study.title, study.arms.focus.label) == ("mine", "Ours", "Volunteers")
    assert (study.comparison.assignment, str(study.starts)) == ("other", "2022-02-28")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("evalkit render quar", {"quarterly"}),
        ("evalkit draft ", {"quarterly", "final", "brief"}),
        ("evalkit map s", {"sessions", "searches"}),
    ],
)
def test_a_shell_is_offered_reports_and_tables(
    called: Any, monkeypatch: pytest.MonkeyPatch, words: str, offered: set[str]
) -> None:
    assert called("init", ".", "--demo")[0] == 0
    asked = {"_EVALKIT_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "evalkit"], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert set(done.stdout.split()) == offered


def test_completion_is_on(called: Any) -> None:
    code, out, _ = called("--help")
    assert code == 0 and "--install-completion" in out and "--show-completion" in out
    done = subprocess.run(
        [sys.executable, "-m", "evalkit"], capture_output=True, text=True, check=False,
        env={**os.environ, "_EVALKIT_COMPLETE": "complete_bash", "COMP_WORDS": "evalkit va", "COMP_CWORD": "1"},
    )  # fmt: skip
    assert done.stdout.split() == ["validate"], done.stderr


def test_the_wheel_alone_begins_a_study(tmp_path: Path) -> None:
    """What `init` copies is in the wheel: whoever installs it has no checkout."""
    root = Path(__file__).parents[2]
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(built, cwd=root, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    alone = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path / "installed")}
    where = "import evalkit; print(evalkit.__file__)"
    found = subprocess.run([sys.executable, "-c", where], env=alone, cwd=tmp_path, check=True, capture_output=True)
    assert Path(found.stdout.decode().strip()).is_relative_to(tmp_path / "installed")
    for language, more in (("en", set()), ("es", {f"params/{n}-es.yaml" for n in ("quarterly", "final", "brief")})):
        asked = ["-m", "evalkit", "init", language, "--starts", "2022-01-01", "--language", language]
        done = subprocess.run([sys.executable, *asked], env=alone, cwd=tmp_path, check=False, capture_output=True)
        assert done.returncode == 0, done.stderr
        english = {f"params/{n}.yaml" for n in ("quarterly", "final", "brief")}
        assert files_in(tmp_path / language) == (WRITTEN - english | more if more else WRITTEN)


@pytest.mark.parametrize("name", ["2022", "1e5", "no", "2022-01-01", "0x1f"])
def test_a_short_name_that_looks_like_a_number_is_a_name(called: Any, tmp_path: Path, name: str) -> None:
    assert called("init", name, "--starts", "2021-11-18")[0] == 0
    assert load_study(tmp_path / name / "params/study.yaml").id == name


def test_the_next_command_can_be_typed_where_a_folder_has_a_space(called: Any) -> None:
    _, out, _ = called("init", "my study", "--starts", "2021-11-18")
    assert "next: cd 'my study' && evalkit map participants" in out


def test_git_does_not_see_an_export(called: Any, tmp_path: Path) -> None:
    called("init", ".", "--starts", "2021-11-18")
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports/people.xlsx").touch()  # where the README says it would lie
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    seen = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain", "-uall"], check=True, capture_output=True
    )
    assert b"README.md" in seen.stdout and b"exports/" not in seen.stdout


def test_nothing_is_written_through_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone")
    with pytest.raises(ReleaseError, match=r"a\.txt is there already; nothing was written"):
        write_new(tmp_path, {"a.txt": b"x"})
    assert write_new(tmp_path, {"a.txt": b"x", "b.txt": b"y"}, ["a.txt", "c.txt"]) == ["a.txt"]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.txt", "b.txt"]


def test_an_interrupt_leaves_no_half_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{n}.txt": b"x" for n in range(3)}
    seen, opened = [], Path.open

    def interrupted(self: Path, *args: Any, **more: Any) -> Any:
        seen.append(self.name)
        if len(seen) == 3:
            (tmp_path / "0.txt").unlink()  # somebody else was quicker
            raise KeyboardInterrupt
        return opened(self, *args, **more)

    monkeypatch.setattr(Path, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path, files)
    assert list(tmp_path.iterdir()) == []


def test_tables_that_are_there_are_not_offered_once_more(called: Any, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/sessions.csv").touch()
    called("init", "mine", "--starts", "2021-11-18", "--tables", "raw")
    lines = (tmp_path / "mine/params/study.yaml").read_text(encoding="utf-8").splitlines()
    first = lines.index("tables:") + 1
    assert lines[first : first + len(TABLES) + 1] == [
        '  participants: {path: "../../raw/participants.csv"}',
        '  sessions: {path: "../../raw/sessions.csv"}',
        '  # exits: {path: "../data/exits.csv"}',
        '  # outcomes: {path: "../data/outcomes.csv"}',
        '  # measures: {path: "../data/measures.csv"}',
        '  # searches: {path: "../data/searches.csv"}',
        "",
    ]


def test_a_study_of_which_little_is_said_compares_the_groups_of_the_definitions_and_is_not_simulated() -> None:
    starter = Starter("mine", "Mine", date(2021, 11, 18))
    assert starter.is_pilot
    files = starter_files(starter)
    assert b"These are simulated" not in files["params/study.yaml"]
    assert [name for name, content in files.items() if not content.endswith(b"\n")] == []


def test_a_title_is_written_in_its_own_letters() -> None:
    title = 'Prórroga: "Ánimo"'
    text = starter_files(Starter("mine", title, date(2021, 11, 18)))["params/study.yaml"].decode("utf-8")
    assert yaml.safe_load(text)["title"] == title
    assert "Prórroga" in text


@pytest.mark.parametrize("demo", [True, False])
def test_groups_of_simulated_tables_are_read_as_the_studys_only_in_a_demo(demo: bool) -> None:
    groups = {"focus": Group("new", "New"), "comparison": SIMULATED[1]}
    named = {SIMULATED[0].value: "new", SIMULATED[1].value: SIMULATED[1].value}
    starts = date(2021, 11, 18)
    assert Starter("mine", "Mine", starts, demo=demo, **groups).demo_values == (named if demo else {})
    assert Starter("mine", "Mine", starts, demo=demo).demo_values == {}
