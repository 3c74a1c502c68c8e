"""``evalkit status``: what is published, waits, is due or stopped, of each report and period; nothing is rendered."""

from __future__ import annotations

__all__ = ["run"]

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalkit.cli._records import record_of, stopped_before, write_json
from evalkit.cli._render import Request, as_published, plan, report_name, told_apart
from evalkit.errors import EvalkitError, UsageError
from evalkit.protocol import Study, find_private_folder, load_report, load_study
from evalkit.publish import WAITING, Outcome, RenderJob, foreseen, read_manifest

DUE = 14
"""Exit code where nothing failed or waits, and something would be rendered."""


def run(reports: Sequence[str], studies: Sequence[Path], out: Path, *, as_json: bool) -> int:
    """Say how the reports of studies stand; without names those with a file beside the protocol.

    The exit code is that of the first that would stop; else 13 where one waits; else 14 where one is due; else 0.
    """
    records: list[dict[str, Any]] = []
    for file in studies:
        study = load_study(file)
        for report in reports or _reports_of(study):
            asked = Request(report=report, studies=(file,), out=out)
            apart = _apart(asked, study)
            # A report that is only made for each site has no release of its own to be due.
            if not apart or _released(asked, study):
                records += _standing(asked, study)
            for name, manifest in apart.items():
                records += _standing(replace(asked, name=name), study, manifest)
    failed = [record["exit_code"] for record in records if record["status"] == "stopped"]
    states = {record["status"] for record in records}
    code = (
        failed[0] if failed else WAITING if "waiting_for_approval" in states else DUE if "would_render" in states else 0
    )
    if as_json:
        write_json(records, code)
    else:
        for record in records:
            name = f"{record['study']} {record['report']} {record['period'] or '-'}"
            message = str(record["message"]).split("\n", 1)[0]
            sys.stdout.write(f"{name}: {record['status'].replace('_', ' ')}{f': {message}' if message else ''}\n")
    return code


def _reports_of(study: Study) -> list[str]:
    """Name the reports whose files lie beside the protocol."""
    files = sorted(study.folder.glob("*.yaml"))
    # By its text: other files of the protocol lie there, and a wrong report's file is to be named as one.
    texts = {file: file.read_text(encoding="utf-8", errors="replace") for file in files}
    found = [load_report(file).report for file, text in texts.items() if re.search(r"^notebook:", text, re.MULTILINE)]
    if not found:
        msg = f"there is no report's file beside {study.path.name}; name the reports: evalkit status quarterly"
        raise UsageError(msg)
    return found


def _standing(request: Request, study: Study, manifest: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Look at every period that is published or waits, and at the newest one."""

    def planned(period: str) -> list[RenderJob]:
        jobs = plan(replace(request, periods=(period,)), study.path)
        return [as_published(job, manifest) for job in jobs] if manifest else jobs

    report = report_name(request.report, request.name)
    try:
        newest = planned("newest")
    except EvalkitError as error:
        return [stopped_before(report, error, study)]
    there = {place.name.replace("_to_", "..") for place in _released(request, study)}
    # Old ones too: tables that changed can make each of them stale.
    others = sorted(there - {job.period.name for job in newest})
    records = []
    for period in [*others, None]:
        try:
            jobs = newest if period is None else planned(period)
            records += [record_of(job, _foreseen(job)) for job in jobs]
        except EvalkitError as error:
            records.append({**stopped_before(report, error, study), "period": period})
    return records


def _folders(request: Request, study: Study) -> list[Path]:
    """Return the folders of a study's reports: published, and waiting."""
    private = find_private_folder(study)
    return [request.out.expanduser().resolve() / study.id, *([private / "waiting"] if private is not None else [])]


def _released(request: Request, study: Study) -> list[Path]:
    """Return the places of a report's releases."""
    report = report_name(request.report, request.name)
    return [p for folder in _folders(request, study) for p in (folder / report).glob("[0-9]*") if _is_period(p)]


def _apart(request: Request, study: Study) -> dict[str, dict[str, Any]]:
    """Return the names of releases beside a report's own, with the newest manifest of each: it says what was asked."""
    found = {}
    for folder in _folders(request, study):
        for place in sorted(folder.glob(f"{request.report}.*/[0-9]*/manifest.json")):
            name = told_apart(place.parent.parent.name)[1]
            if _is_period(place.parent):
                found[name] = read_manifest(place.parent)
    return found


def _is_period(place: Path) -> bool:
    return place.is_dir() and ".r" not in place.name


def _foreseen(job: RenderJob) -> Outcome | EvalkitError:
    try:
        return foreseen(job)
    except EvalkitError as error:
        return error
