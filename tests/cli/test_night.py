"""Two years of nights in fast motion: what is due is rendered once, whatever happens, and everybody hears of it once."""

from __future__ import annotations

import contextlib
import io
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from evalkit import zones
from evalkit.cli import _run
from evalkit.periods import Period, quarters_between
from evalkit.protocol import load_study, private_folder
from evalkit.publish.release._standing import opened_ledger
from publish.crash import write_light_world
from publish.standin import environment, living
from publish.test_ingredients import other_version

PROGRAM = Path(__file__).with_name("night.py")
QUARTERS = quarters_between(date(2000, 1, 1), date(2001, 12, 31))
HEADER = "participant_id,pathway,referral_date,referral_source,intake_date,site,community_area,outcome_follow_up_end\n"
POLICY = "approval: required\napprovers: [Ann Lee]\n"


def row(quarter: Period, number: int, intake: date | None = None) -> str:
    """Return a participant of a quarter; their newest day is its last."""
    referred = quarter.first + timedelta(days=2)
    return f"QX7{number},{'ab'[number % 2]},{referred},self,{intake or referred},one,north,{quarter.last}\n"


@dataclass
class Server:
    """A machine on which evalkit runs every night."""

    folder: Path
    more: dict[str, str] = field(default_factory=dict)

    def call(self, day: date, *arguments: str) -> list[str]:
        return [sys.executable, str(PROGRAM), str(day), *arguments, "--study", str(self.folder / "study.yaml")]

    @property
    def env(self) -> dict[str, str]:
        told = self.folder / "told.jsonl"
        notify = f"sh -c 'cat >> {told}; echo >> {told}'"
        return environment(self.folder, EVALKIT_NOTIFY=notify, **self.more)

    def say(self, day: date, *arguments: str) -> tuple[int, dict[str, Any], str]:
        done = subprocess.run(
            self.call(day, *arguments), env=self.env, capture_output=True, text=True, cwd=self.folder, check=False
        )
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout) if done.stdout.startswith("{") else {}, done.stdout

    def run(self, day: date, *arguments: str) -> tuple[int, dict[str, Any]]:
        return self.say(day, *arguments)[:2]

    def run_here(self, day: date, *arguments: str) -> tuple[int, str]:
        """Run in this process what makes nothing of the tables: a program's start costs more than its work."""
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
            for name, value in self.env.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            patch.setattr(zones, "today", lambda _: day)
            patch.setattr(sys, "argv", ["evalkit", *arguments, "--study", str(self.folder / "study.yaml")])
            return _run(), said.getvalue()

    def night(self, day: date) -> tuple[int, str, str | None]:
        """Render what is due; return exit code, status and period."""
        out = str(self.folder / "reports")
        code, said = self.run(day, "render", "tiny", "--period", "due", "--json", "--out", out)
        (one,) = said["outcomes"]
        assert said["exit_code"] == code
        return code, one["status"], one["period"]

    def killed(self, day: date, once: Callable[[str], bool]) -> None:
        """Render what is due, and lose the machine at a moment."""
        words = self.call(day, "render", "tiny", "--period", "due", "--out", str(self.folder / "reports"))
        child = subprocess.Popen(
            words, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=self.folder
        )
        assert child.stderr is not None
        assert any(once(line) for line in child.stderr), "it ended before"
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=30)
        child.stderr.close()

    def site(self, day: date) -> list[str]:
        """Build the stakeholders' site; return the periods on its first page, newest first, each once."""
        code, _ = self.run_here(
            day, "site", "--out", str(self.folder / "public"), "--reports", str(self.folder / "reports")
        )
        assert code == 0
        page = (self.folder / "public/index.html").read_text(encoding="utf-8")
        assert "QX7" not in page
        linked = re.findall(r'href="tiny/([^/"]+)/index\.html"', page)
        assert sorted(set(linked)) == sorted(place.name for place in (self.folder / "public/tiny").iterdir())
        return list(dict.fromkeys(linked))

    def approve(self, day: date, period: str) -> int:
        waits = private_folder(load_study(self.folder / "study.yaml")) / "waiting" / "tiny" / period
        return self.run_here(day, "approve", str(waits), "--name", "Ann Lee", "--reason", "checked")[0]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return a folder's files."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def server(tmp_path: Path) -> Server:
    write_light_world(tmp_path)
    study = tmp_path / "study.yaml"
    text = study.read_text(encoding="utf-8").replace(
        "{path: participants.csv}", "{path: participants.csv, freshness_days: 31}"
    )
    study.write_text(text + "disclosure: disclosure.yaml\n", encoding="utf-8")
    (tmp_path / "disclosure.yaml").write_text(POLICY, encoding="utf-8")
    with (tmp_path / "tiny.yaml").open("a", encoding="utf-8") as report:
        report.write("publication: {to: [html]}\n")
    door = tmp_path / "notebooks/door.py"
    count = f"print(os.environ.get('EVALKIT_RECORD', ''), file=open({str(tmp_path / 'ran.txt')!r}, 'a'))\n"
    door.write_text(door.read_text(encoding="utf-8") + count, encoding="utf-8")
    (tmp_path / "participants.csv").write_text(HEADER, encoding="utf-8")
    return Server(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_eight_quarters_come_due_one_after_another(server: Server) -> None:
    table, rows = server.folder / "participants.csv", [HEADER]
    expected: list[tuple[str, str]] = []
    previous: Period | None = None
    for number, quarter in enumerate(QUARTERS):
        due = quarter.last + timedelta(days=31)
        if number == 7:
            other_version(server.folder / "site", "certifi", "9.9.9")
            server.more = {"PYTHONPATH": str(server.folder / "site")}
        if previous is not None:  # the night before: nothing to do, also with another certifi
            assert server.night(due - timedelta(days=1)) == (0, "up_to_date", previous.name)
        if number == 2:  # the table comes two nights late
            for _ in range(2):
                assert server.night(due) == (4, "stopped", None)
                due += timedelta(days=1)
            expected.append(("stopped", ""))
        if number == 3:  # it comes broken
            table.write_text(
                "".join([*rows, row(quarter, number, quarter.first - timedelta(days=30))]), encoding="utf-8"
            )
            assert server.night(due) == (4, "stopped", None)
            due += timedelta(days=1)
            expected.append(("stopped", ""))
        rows.append(row(quarter, number))
        table.write_text("".join(rows), encoding="utf-8")
        if number == 5:
            server.killed(due, lambda line: "cell 3" in line)
        if number == 6:
            server.killed(due, lambda line: "publishing with" in line)
        assert server.night(due) == (13, "waiting_for_approval", quarter.name)
        expected.append(("waiting_for_approval", quarter.name))
        published = [one.name for one in QUARTERS[:number]]
        if published:
            assert server.site(due) == published[::-1]  # what waits is not on it
        for _ in range(2 if number == 4 else 0):  # the approver is away
            due += timedelta(days=1)
            assert server.night(due) == (13, "waiting_for_approval", quarter.name)
        assert server.approve(due, quarter.name) == 0
        expected.append(("published", quarter.name))
        assert server.site(due) == [quarter.name, *published[::-1]]
        assert server.night(due + timedelta(days=1)) == (0, "up_to_date", quarter.name)
        previous = quarter
    _check_the_end(server, expected)


def _check_the_end(server: Server, expected: list[tuple[str, str]]) -> None:
    told = [json.loads(line) for line in (server.folder / "told.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(one["status"], one.get("period", "")) for one in told] == expected
    assert "QX7" not in (server.folder / "told.jsonl").read_text(encoding="utf-8")
    study = load_study(server.folder / "study.yaml")
    private = private_folder(study)
    log = [json.loads(line) for line in (private / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    counted = Counter(line["status"] for line in log)
    assert counted == {"published": 8, "waiting_for_approval": 10, "up_to_date": 15, "stopped": 3}
    ledger = opened_ledger(private, server.folder / "reports/tiny")
    assert ledger.names == tuple(f"tiny-{quarter.name}-r1" for quarter in QUARTERS)
    runs = (server.folder / "ran.txt").read_text(encoding="utf-8").splitlines()
    assert len(runs) == len(set(runs)) == 8 + 2  # once each, and twice where the machine died
    code, said = server.run(date(2002, 2, 2), "status", "tiny", "--json", "--out", str(server.folder / "reports"))
    assert {one["period"]: one["status"] for one in said["outcomes"]} == {q.name: "up_to_date" for q in QUARTERS}
    assert code == 0
    for quarter in QUARTERS:
        release = server.folder / "reports/tiny/tiny" / quarter.name
        assert server.run_here(date(2002, 2, 2), "verify", str(release), "--quick")[0] == 0
        copy = server.folder / "public/tiny" / quarter.name / "r1"
        assert [(copy / name).read_bytes() for name in files_of(release)] == list(files_of(release).values())
        assert set(files_of(copy)) == set(files_of(release))
    around, later = (
        "same outputs, other surroundings: package certifi changed",
        "same outputs, rows of after the data cut: participants",
    )
    for quarter, remarks in ((QUARTERS[0], [around, later]), (QUARTERS[7], [])):  # certifi changed before the last
        release = server.folder / "reports/tiny/tiny" / quarter.name
        code, _, said = server.say(date(2002, 2, 2), "verify", str(release))
        found = [line.strip().split(" from ")[0] for line in said.splitlines() if "same outputs" in line]
        assert (code, found) == (0, remarks)
    assert list((server.folder / "tmp").iterdir()) == []
    assert living(server.folder) == []
