"""Outcomes that a scheduler understands: JSON, exit codes, the log of runs, whom to tell, and files for schedulers."""

from __future__ import annotations

import json
import shlex
import shutil
import stat
import subprocess
import threading
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from evalkit import errors
from evalkit.cli import _records
from evalkit.cli._records import LOG, logged, message_for, next_period, record_of, stopped_before
from evalkit.cli._render import exit_code
from evalkit.cli._schedule import KINDS, files_for
from evalkit.errors import DataError, DisclosureError, UsageError
from evalkit.intake import open_gate
from evalkit.periods import Period
from evalkit.protocol import Study, private_folder
from evalkit.publish import Outcome, digest
from publish.made import publish, study_in
from publish.test_ingredients import job_of

WAITS = Outcome("waiting_for_approval", Path("w"))
DONE = Outcome("published", Path("p"))
SAME = Outcome("up_to_date", Path("p"))


@pytest.mark.parametrize(
    ("results", "code"),
    [([DONE, SAME], 0), ([SAME, WAITS], 13), ([WAITS, DataError("x"), DisclosureError("y")], 4), ([DisclosureError("y"), DONE], 6), ([], 0)],
)  # fmt: skip
def test_exit_codes_say_what_became_of_several(results: list[Any], code: int) -> None:
    assert exit_code(results) == code


def test_a_record_says_all_that_a_scheduler_asks(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    release = publish(study)
    job = job_of(tmp_path)
    after = {"period": "2001Q1", "from": "2001-04-01", "tables": {"participants": "2000-12-29"}}
    found = record_of(job, Outcome("published", release, "why"))
    assert found.pop("manifest_sha256") == digest(release / "manifest.json")
    assert found == {
        "study": "tiny", "report": "tiny", "period": "2000Q4", "status": "published", "exit_code": 0, "message": "why", "what_to_do": "",
        "folder": str(release), "files": {"report.html": str(release / "report.html")}, "revision": 1, "newest_days": {}, "next": after,
    }  # fmt: skip
    waits = record_of(job, Outcome("waiting_for_approval", release))
    assert (waits["exit_code"], waits["what_to_do"]) == (13, f"evalkit review {release}; evalkit approve {release}")
    failed = DataError("two rules are broken")
    failed.lines = ("one", "two")
    assert record_of(job, failed) == {
        "study": "tiny", "report": "tiny", "period": "2000Q4", "status": "stopped", "exit_class": "DataError", "exit_code": 4,
        "message": "one\ntwo", "what_to_do": "evalkit validate", "newest_days": {}, "next": after,
    }  # fmt: skip
    assert stopped_before("tiny", UsageError("no"), None)["period"] is None


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("UsageError", "evalkit render --help"),
        ("ProtocolError", "mend the file and key that the message names"),
        ("DataError", "evalkit validate"),
        ("AnalysisError", "the message names the column"),
        ("DisclosureError", "show it with report.show, or bring the backup that the message names"),
        ("ExecutionError", "open the notebook at that cell; the message names the log"),
        ("ExecutionTimeoutError", "raise timeout_minutes in the report's file"),
        ("PublicationError", "the message names cell or tool"),
        ("ReleaseError", "evalkit render --explain, then --supersede 'why'"),
        ("MissingToolError", "evalkit doctor"),
    ],
)
def test_a_record_of_what_stopped_says_what_to_do(kind: str, what: str) -> None:
    assert stopped_before("tiny", getattr(errors, kind)("no"), None)["what_to_do"] == what


@pytest.mark.parametrize(
    ("fiscal", "period", "following", "first"),
    [
        (1, "2022Q3", "2022Q4", "2023-01-01"),
        (7, "2022Q4", "2023Q1", "2022-10-01"),
        (1, "2022-01-01..2022-02-01", None, None),
    ],
)
def test_the_next_quarter_and_from_when_it_can_be_rendered(
    tmp_path: Path, fiscal: int, period: str, following: str | None, first: str | None
) -> None:
    study = study_in(tmp_path).model_copy(update={"fiscal_year_start_month": fiscal})
    found = next_period(study, Period.parse(period, fiscal))
    assert (None if found is None else (found["period"], found["from"])) == (following and (following, first))


def test_a_quarter_is_due_once_its_tables_may_be_there(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    for day, expected in (("2001-01-30", "2000Q3"), ("2001-01-31", "2000Q4"), ("2001-02-01", "2000Q4")):
        gate = open_gate(study, today=date.fromisoformat(day))
        assert [period.name for period in gate.periods(["due"])] == [expected], day


# -- the log, and whom to tell ---------------------------------------------------------------------------------------
def lines(study: Study) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (private_folder(study) / LOG).read_text(encoding="utf-8").splitlines()]


def record(status: str, **more: Any) -> dict[str, Any]:
    return {
        "study": "tiny",
        "report": "tiny",
        "period": "2000Q4",
        "status": status,
        "exit_code": 0,
        "message": "",
        **more,
    }


def test_each_run_is_one_line_that_is_never_written_over(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    now = datetime(2001, 2, 1, 3, 17, tzinfo=UTC)
    logged(study, [record("published")], now)
    file = private_folder(study) / LOG
    first = file.read_bytes()
    with file.open("ab") as stream:
        stream.write(b'{"half')  # the machine died while it was written
    logged(study, [record("up_to_date"), record("stopped", message="no")], now)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes().startswith(first + b'{"half\n{')
    said = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if not line.endswith("half")]
    assert [line["status"] for line in said] == ["published", "up_to_date", "stopped"]
    assert all(line["at"] == "2001-02-01T03:17:00+00:00" and "notified" not in line for line in said)


def test_only_news_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)
    told = tmp_path / "told.jsonl"
    monkeypatch.setenv("EVALKIT_NOTIFY", f"sh -c 'cat >> {told}; echo >> {told}'")
    late = record("stopped", message="sessions [stale_table]: late", exit_class="DataError")
    for one in (late, late, record("stopped", message="another"), record("waiting_for_approval", manifest_sha256="a"),
                record("waiting_for_approval", manifest_sha256="a"), record("published", manifest_sha256="a"), record("up_to_date"),
                record("stopped", message="another", period="2001Q1")):  # fmt: skip
        logged(study, [one])
    said = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    assert [(one["status"], one["message"]) for one in said] == [
        ("stopped", "sessions [stale_table]: late"), ("stopped", "another"), ("waiting_for_approval", ""), ("published", ""), ("stopped", "another"),
    ]  # fmt: skip
    assert [line.get("notified") for line in lines(study)] == [True, None, True, True, None, True, None, True]


def test_what_leaves_holds_no_day_and_no_folder() -> None:
    text = "sessions [stale_table]: its newest day is 2022-08-14, see '/srv/private/x.csv' and ~/y; period ends\nrow 3"
    full = record("stopped", message=text, newest_days={"sessions": "2022-08-14"}, folder="/srv/r", files={"a": "/srv/a"},
                  what_to_do="evalkit review /srv/w; evalkit approve /srv/w", next={"tables": {}}, exit_class="DataError")  # fmt: skip
    assert message_for(full) == {
        "study": "tiny", "report": "tiny", "period": "2000Q4", "status": "stopped", "exit_code": 0, "exit_class": "DataError",
        "message": "sessions [stale_table]: its newest day is …, see '…' and …; period ends",
        "what_to_do": "evalkit review …; evalkit approve …",
    }  # fmt: skip


@pytest.mark.parametrize(
    "place",
    ["/srv/a:b/ann:secret@host/db", "postgresql://ann:secret@host/db", "~/x,y;secret(1)/z", "https://ann:secret@host"],
)
def test_a_sign_in_a_folder_or_an_address_ends_nothing(place: str) -> None:
    text = message_for(record("stopped", message=f"sessions: file {place} is not there; see ('{place}'), {place}."))
    assert text["message"] == "sessions: file … is not there; see ('…'), …."


def test_an_address_is_sent_the_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    got: list[tuple[str, str, dict[str, Any]]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append((self.path, self.headers["Content-Type"], body))
            self.send_response(204 if self.path == "/good" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        study = study_in(tmp_path).model_copy(update={"notify": f"http://127.0.0.1:{server.server_port}/${{WHERE}}"})
        study = study.with_path(tmp_path / "study.yaml")
        for where in ("good", "bad", None):
            monkeypatch.delenv("WHERE", raising=False)
            if where:
                monkeypatch.setenv("WHERE", where)
            logged(study, [record("stopped", message=str(where))])
    finally:
        server.shutdown()
        server.server_close()
    assert [(path, kind, body["message"]) for path, kind, body in got] == [
        ("/good", "application/json", "good"), ("/bad", "application/json", "bad"),
    ]  # fmt: skip
    assert [line["notified"] for line in lines(study)] == [True, False, False]
    assert capsys.readouterr().err.splitlines() == [
        "evalkit: nobody could be told (HTTPError); see 'notify' in study.yaml",
        "evalkit: nobody could be told (environment variable WHERE is not set); see 'notify' in study.yaml",
    ]


# -- schedulers ------------------------------------------------------------------------------------------------------
@pytest.fixture
def files(tmp_path: Path) -> dict[str, dict[str, str]]:
    study = study_in(tmp_path)
    return {kind: files_for(kind, study, "tiny", Path("/srv/reports"), "/opt/bin/evalkit") for kind in KINDS}


def test_every_scheduler_asks_for_what_is_due(files: dict[str, dict[str, str]], tmp_path: Path) -> None:
    command = f"/opt/bin/evalkit render tiny --period due --json --study {tmp_path / 'study.yaml'} --out /srv/reports"
    for kind, made in files.items():
        text = "\n".join(made.values())
        assert command in text, kind
        assert "January 31, May 1, July 31, October 31" in text, kind
        assert "13" in text, kind
    service = files["systemd"]["evalkit-tiny-tiny.service"]
    assert "OnFailure=evalkit-tiny-tiny-failed.service\n" in service
    assert "SuccessExitStatus=13\n" in service
    assert "OnCalendar=*-*-* 03:17:00 America/Chicago\n" in files["systemd"]["evalkit-tiny-tiny.timer"]
    assert "evalkit-tiny-tiny-failed.service" in files["systemd"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_reads_its_files(tmp_path: Path) -> None:
    for name, text in files_for(
        "systemd", study_in(tmp_path), "tiny", Path("/srv"), shutil.which("true") or ""
    ).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    units = [str(file) for end in ("service", "timer") for file in tmp_path.glob(f"*.{end}")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if "evalkit-" in line and "logger" not in line] == []


def test_crons_line_runs_and_keeps_quiet_but_where_something_failed(
    files: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    line = files["cron"]["evalkit-tiny-tiny.cron"].splitlines()[-1]
    minute, hour, *_ = line.split()
    assert (minute, hour) == ("17", "3")
    program = tmp_path / "program"
    for code, said in (
        (0, ""),
        (13, ""),
        (4, f"evalkit-tiny-tiny: exit code 4; see {tmp_path}/evalkit-tiny-tiny.log\n"),
    ):
        program.write_text(f"#!/bin/sh\necho out; echo err >&2; exit {code}\n", encoding="utf-8")
        program.chmod(0o700)
        run = line.split("* * * ", 1)[1].replace("/opt/bin/evalkit", str(program))
        done = subprocess.run(["sh", "-c", run], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr, done.returncode) == (said, "", 0), code
    assert (tmp_path / "evalkit-tiny-tiny.log").read_text(encoding="utf-8") == "out\nerr\n" * 3


def test_githubs_job_is_one_at_a_time_and_keeps_what_is_said(files: dict[str, dict[str, str]], tmp_path: Path) -> None:
    ((name, text),) = files["github"].items()
    job = yaml.safe_load(text)
    assert name == "evalkit-tiny-tiny.yml"
    assert job[True]["schedule"] == [{"cron": "17 3 * * *"}]  # YAML 1.1 reads `on` so
    assert job["concurrency"] == {"group": "evalkit-tiny-tiny", "cancel-in-progress": False}
    program = tmp_path / "program"
    for code, expected in ((0, 0), (13, 0), (4, 4)):
        program.write_text(f"#!/bin/sh\necho 2022-08-14; exit {code}\n", encoding="utf-8")
        program.chmod(0o700)
        script = job["jobs"]["render"]["steps"][0]["run"].replace("/opt/bin/evalkit", str(program))
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", script], env={"RUNNER_TEMP": str(tmp_path), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == expected, done.stderr
        assert "2022-08-14" not in done.stdout + done.stderr  # logs leave the machine


def test_airflows_file_is_python(files: dict[str, dict[str, str]]) -> None:
    ((name, text),) = files["airflow"].items()
    compile(text, name, "exec")
    assert name == "evalkit_tiny_tiny.py"
    assert "max_active_runs=1" in text
    assert "skip_on_exit_code=[13]" in text


def test_a_title_and_a_folder_of_any_letters_do_no_harm(tmp_path: Path) -> None:
    folder = tmp_path / "a $b 100% it's # c: d"
    folder.mkdir()
    study = study_in(folder).model_copy(update={"title": 'A "$title" of 100 % \\ """'}).with_path(folder / "study.yaml")
    made = {kind: files_for(kind, study, "tiny", Path("/srv"), "/opt/evalkit") for kind in KINDS}
    compile(next(iter(made["airflow"].values())), "x", "exec")
    step = yaml.safe_load(next(iter(made["github"].values())))["jobs"]["render"]["steps"][0]
    assert str(folder / "study.yaml") in shlex.split(step["run"].splitlines()[0])
    assert step["working-directory"] == str(folder)
    run = next(iter(made["cron"].values())).splitlines()[-1].split("* * * ", 1)[1].replace(r"\%", "%")
    done = subprocess.run(
        ["sh", "-c", run.replace("/opt/evalkit", "false")], capture_output=True, text=True, check=False
    )
    log = folder / "evalkit-tiny-tiny.log"
    assert log.exists()
    assert (done.stdout, done.stderr) == (f"evalkit-tiny-tiny: exit code 1; see {log}\n", "")
    assert "a $$b 100%% it" in made["systemd"]["evalkit-tiny-tiny.service"]
    assert "100% " not in made["systemd"]["evalkit-tiny-tiny.service"].replace("100%% ", "")


def test_schedules_for_each_site_stand_beside_the_reports_own(files: dict[str, dict[str, str]], tmp_path: Path) -> None:
    study = study_in(tmp_path)
    for kind, own in files.items():
        each = files_for(kind, study, "tiny", Path("/srv/reports"), "/opt/bin/evalkit", "community_area")
        text = "\n".join(each.values())
        assert "/opt/bin/evalkit render tiny --period due --json --for-each community_area --study" in text, kind
        assert not set(each) & set(own), kind  # both can be installed: names of units, files, locks and logs differ
        assert "evalkit-tiny-tiny-each-community-area" in text.replace("_", "-"), kind
        assert "tiny report for each community area of A study" in text, kind
    compile(text, "airflow", "exec")
    with pytest.raises(UsageError, match=r"--for-each sit: the column may be .*; did you mean 'site'"):
        files_for("cron", study, "tiny", Path("/srv"), "/opt/bin/evalkit", "sit")


def test_there_is_no_other_scheduler(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no scheduler 'systmd'; did you mean 'systemd'"):
        files_for("systmd", study_in(tmp_path), "tiny", Path("r"), "evalkit")


def test_a_command_that_tells_gets_the_record_and_its_words_are_not_ours(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study = SimpleNamespace(folder=tmp_path)
    _records._call("sh -c 'cat > told; echo sent'", b"{}", study)  # type: ignore[arg-type]
    assert (tmp_path / "told").read_bytes() == b"{}"
    assert capfd.readouterr().out == ""
    with pytest.raises(subprocess.CalledProcessError):
        _records._call("false", b"{}", study)  # type: ignore[arg-type]
