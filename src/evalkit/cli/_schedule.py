"""``evalkit schedule``: ready files with which a scheduler renders what is due, every night, and tells where it cannot.

All of them do the same: ``evalkit render REPORT --period due``. A quarter is due once it has been over for as many days
as its tables may be late; before that day the one before is up to date and nothing happens, and after it each night is
another try until every table reaches its end. So a night that was missed, or a machine that was off, costs a day.
"""

from __future__ import annotations

__all__ = ["KINDS", "files_for", "run"]

import contextlib
import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from string import Template

from evalkit.cli._render import check_column
from evalkit.errors import ReleaseError, UsageError, did_you_mean
from evalkit.levels import in_words
from evalkit.periods import quarters_between
from evalkit.protocol import Study, load_study
from evalkit.publish import WAITING

# At night; off the full hour, at which everybody else's jobs start.
_HOUR, _MINUTE = 3, 17


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the files are filled with."""

    study: Study
    report: str
    out: Path
    program: str
    for_each: str = ""

    @property
    def name(self) -> str:
        each = f"-each-{self.for_each.replace('_', '-')}" if self.for_each else ""
        return f"evalkit-{self.study.id}-{self.report}{each}"

    @property
    def command(self) -> str:
        words = ["render", self.report, "--period", "due", "--json"]
        words += ["--for-each", self.for_each] if self.for_each else []
        words += ["--study", str(self.study.path), "--out", str(self.out)]
        return shlex.join([self.program, *words])

    @property
    def due(self) -> str:
        """The days of a year from which its quarters are due, as people write them."""
        fiscal, wait = self.study.fiscal_year_start_month, timedelta(days=self.study.days_until_due)
        # Of a year without 29 February; four quarters, whichever month the fiscal year begins in.
        quarters = quarters_between(date(2000, 12, 31), date(2001, 12, 30), fiscal)[:4]
        days = sorted((quarter.last + wait for quarter in quarters), key=lambda day: (day.month, day.day))
        return ", ".join(f"{day:%B} {day.day}" for day in days)

    def fill(self, template: str) -> str:
        return Template(template).substitute(
            name=self.name,
            module=self.name.replace("-", "_"),
            command=self.command,
            unit_command=self.command.replace("$", "$$"),  # systemd fills variables in, in quotes too
            due=self.due,
            folder=self.study.folder,
            quoted_folder=shlex.quote(str(self.study.folder)),
            quoted_log=shlex.quote(str(self.study.folder / f"{self.name}.log")),
            yaml_folder=json.dumps(str(self.study.folder), ensure_ascii=False),  # a text in quotes, for YAML too
            hour=_HOUR,
            minute=_MINUTE,
            clock=f"{_HOUR:02}:{_MINUTE:02}",
            zone=self.study.time_zone,
            waiting=WAITING,
            title=self.study.title.replace("\n", " "),
            report=f"{self.report} report for each {in_words(self.for_each).lower()}"
            if self.for_each
            else f"{self.report} report",
        )


_SERVICE = """\
[Unit]
Description=$report of $title
OnFailure=$name-failed.service

[Service]
Type=oneshot
WorkingDirectory=$folder
ExecStart=$unit_command
# $waiting: it waits for somebody's approval, and nothing failed.
SuccessExitStatus=$waiting
TimeoutStartSec=6h
UMask=0027
NoNewPrivileges=true
PrivateTmp=true
"""
_TIMER = """\
# Quarters of this study are due from $due on. On other nights nothing is rendered.
[Unit]
Description=Each night: $report of $title

[Timer]
OnCalendar=*-*-* $clock:00 $zone
Persistent=true

[Install]
WantedBy=timers.target
"""
_FAILED = """\
[Unit]
Description=Says that $name failed

[Service]
Type=oneshot
ExecStart=/usr/bin/logger --priority user.err --tag evalkit "$name failed: journalctl --unit $name"
"""
_CRON = """\
# $report of $title, each night. Quarters are due from $due on; on other nights nothing is rendered.
# cron mails what is said here; $waiting: it waits for somebody's approval, and nothing failed.
CRON_TZ=$zone
$minute $hour * * * cd $quoted_folder && flock --nonblock .$name.lock $command >>$name.log 2>&1 \
|| { code=$$?; [ $$code -eq $waiting ] || echo "$name: exit code $$code; see" $quoted_log; }
"""
_GITHUB = """\
# $report of $title, each night. Quarters are due from $due on; on other nights nothing is rendered.
# On a runner of the study's own: tables, secret and ledger stay there, and so does what evalkit says of them.
name: $name
on:
  schedule:
    - cron: "$minute $hour * * *"
  workflow_dispatch:
permissions:
  contents: read
concurrency:
  group: $name
  cancel-in-progress: false
jobs:
  render:
    runs-on: [self-hosted, evalkit]
    timeout-minutes: 360
    steps:
      - name: Render what is due
        shell: bash
        working-directory: $yaml_folder
        run: |
          $command >"$$RUNNER_TEMP/$name.log" 2>&1 || code=$$?
          if [ "$${code:-0}" -eq $waiting ]; then echo "::notice::$name waits for approval"; exit 0; fi
          exit "$${code:-0}"
      - name: Say that it failed
        if: failure()
        run: echo "::error::$name failed; its log names what to do"
"""
_AIRFLOW = """\
# $report of $title, each night. Quarters are due from $due on; on other nights nothing is rendered.
from datetime import timedelta

import pendulum
from airflow import DAG
from airflow.operators.bash import BashOperator


def failed(context):
    print("$name failed; the log of the task names what to do")


with DAG(
    dag_id="$module",
    schedule="$minute $hour * * *",
    start_date=pendulum.datetime(2020, 1, 1, tz="$zone"),
    catchup=False,
    max_active_runs=1,  # one at a time; evalkit's own lock holds besides
    default_args={"retries": 2, "retry_delay": timedelta(hours=2), "execution_timeout": timedelta(hours=6)},
    on_failure_callback=failed,
) as dag:
    BashOperator(
        task_id="render",
        bash_command=$quoted,
        skip_on_exit_code=[$waiting],  # it waits for somebody's approval, and nothing failed
    )
"""


def _systemd(plan: _Plan) -> dict[str, str]:
    templates = {".service": _SERVICE, ".timer": _TIMER, "-failed.service": _FAILED}
    # systemd reads a percent sign as one of its own variables.
    return {f"{plan.name}{end}": plan.fill(text).replace("%", "%%") for end, text in templates.items()}


def _airflow(plan: _Plan) -> dict[str, str]:
    # Doubled: in a path of somebody's a $ is no place to fill in.
    text = _AIRFLOW.replace("$quoted", repr(plan.command).replace("$", "$$"))
    return {f"{plan.name.replace('-', '_')}.py": plan.fill(text)}


KINDS: dict[str, Callable[[_Plan], dict[str, str]]] = {
    "systemd": _systemd,
    # A percent sign ends the line for cron.
    "cron": lambda plan: {f"{plan.name}.cron": plan.fill(_CRON).replace("%", r"\%")},
    "github": lambda plan: {f"{plan.name}.yml": plan.fill(_GITHUB)},
    "airflow": _airflow,
}
"""Scheduler: how its files are made."""


def files_for(kind: str, study: Study, report: str, out: Path, program: str, for_each: str = "") -> dict[str, str]:
    """Return the files, by name, with which a scheduler renders a report, or one for each value of a column.

    ``program`` is how evalkit is called there. A `UsageError` where there is no such scheduler or column.
    """
    if kind not in KINDS:
        msg = f"there is no scheduler '{kind}'{did_you_mean(kind, KINDS)}; there are: {', '.join(KINDS)}"
        raise UsageError(msg)
    if for_each:
        check_column(for_each, study)
    return KINDS[kind](_Plan(study, report, out, program, for_each))


def run(kind: str, report: str, study: Path, out: Path, to: Path | None, for_each: str = "") -> None:
    """Print the files of a scheduler, or write them to a folder; see `files_for`."""
    program = Path(sys.executable).with_name("evalkit")
    files = files_for(kind, load_study(study), report, out.expanduser().resolve(), str(program), for_each)
    if to is not None:
        for name, content in files.items():
            _write(to / name, content)
    for name, content in files.items():  # once all are there: nobody may read it
        sys.stdout.write(f"# ---- {name}\n{content}\n" if to is None else f"wrote {to / name}\n")


def _write(file: Path, content: str) -> None:
    """Write a file whole or not at all: half a unit would be run."""
    made = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(content, encoding="utf-8")
        made.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)
        msg = f"{file}: cannot be written ({error.strerror or 'unknown reason'})"
        raise ReleaseError(msg) from None
