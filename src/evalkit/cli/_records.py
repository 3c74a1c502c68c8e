"""What became of renders, as JSON: for the terminal, the study's log of runs, and whoever the protocol wants told.

Somebody is told by a command or an address that the protocol names.
"""

from __future__ import annotations

__all__ = [
    "approved_record",
    "few_record",
    "logged",
    "message_for",
    "next_period",
    "notify",
    "record_of",
    "stopped_before",
    "write_json",
]

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from evalkit._version import __version__
from evalkit.errors import EvalkitError, ReleaseError
from evalkit.periods import Period
from evalkit.protocol import Study, private_folder, private_modes
from evalkit.publish import WAITING, Outcome, RenderJob, append_line, digest, read_manifest

LOG = "runs.jsonl"
_NEXT = {
    "UsageError": "evalkit render --help",
    "ProtocolError": "mend the file and key that the message names",
    "DataError": "evalkit validate",
    "AnalysisError": "the message names the column",
    "DisclosureError": "show it with report.show, or bring the backup that the message names",
    "ExecutionError": "open the notebook at that cell; the message names the log",
    "ExecutionTimeoutError": "raise timeout_minutes in the report's file",
    "PublicationError": "the message names cell or tool",
    "ReleaseError": "evalkit render --explain, then --supersede 'why'",
    "MissingToolError": "evalkit doctor",
}
_QUARTER = re.compile(r"\d{4}Q[1-4]")


def record_of(job: RenderJob, result: Outcome | EvalkitError) -> dict[str, Any]:
    """Write what became of a render as plain values: see ``docs/unattended.md``."""
    found = {"study": job.study.id, "report": job.params.report, "period": job.period.name}
    reach = {"newest_days": dict(job.newest_days), "next": next_period(job.study, job.period)}
    if isinstance(result, EvalkitError):
        return {**found, **_stopped(result), **reach}
    if result.status == "stopped":
        return {**found, **_stopped(ReleaseError(result.remark)), **reach}
    place, waits = result.place, result.status == "waiting_for_approval"
    there = (place / "manifest.json").is_file()
    manifest = read_manifest(place) if there else {}
    return {
        **found,
        "status": result.status,
        "exit_code": WAITING if waits else 0,
        "message": result.remark,
        "what_to_do": f"evalkit review {place}; evalkit approve {place}" if waits else "",
        "folder": str(place),
        "files": {name: str(place / name) for name in manifest.get("outputs", ()) if name.startswith("report.")},
        "revision": manifest.get("revision"),
        "manifest_sha256": digest(place / "manifest.json") if there else None,
        **reach,
    }


def stopped_before(report: str, error: EvalkitError, study: Study | None) -> dict[str, Any]:
    """Write as plain values that nothing could be rendered; without a study its protocol could not be read."""
    return {"study": study.id if study else None, "report": report, "period": None, **_stopped(error)}


def few_record(job: RenderJob) -> dict[str, Any]:
    """Write as plain values that a report was left out for want of people: for the private log only."""
    found = {"study": job.study.id, "report": job.params.report, "period": job.period.name, "status": "left_out"}
    return {**found, "exit_code": 0, "message": "fewer people than minimum_count", "what_to_do": ""}


def approved_record(study: Study, release: Path, message: str) -> dict[str, Any]:
    """Write as plain values that an approval published a release."""
    manifest = read_manifest(release)
    found = {"study": study.id, "report": manifest["report"], "period": manifest["period"], "status": "published"}
    facts = {"revision": manifest.get("revision"), "manifest_sha256": digest(release / "manifest.json")}
    return {**found, "exit_code": 0, "message": message, "what_to_do": "", "folder": str(release), **facts}


def _stopped(error: EvalkitError) -> dict[str, Any]:
    kind = type(error).__name__
    # Broken rules are a line each, as `evalkit validate` writes them.
    lines = getattr(error, "lines", ()) or (" ".join(str(error).split()),)
    facts = {"exit_class": kind, "exit_code": error.exit_code, "message": "\n".join(lines)}
    return {"status": "stopped", **facts, "what_to_do": _NEXT.get(kind, "evalkit doctor")}


def next_period(study: Study, period: Period) -> dict[str, Any] | None:
    """Say which quarter comes after a period, from which day, and the least newest day of each table by then.

    ``period``, ``from`` (the day after its end) and ``tables``; None where the period is no quarter.
    """
    if not _QUARTER.fullmatch(period.name):
        return None
    following = period.next(study.fiscal_year_start_month)
    tables = {name: _iso(following.last - timedelta(days=study.freshness_of(name))) for name in study.tables}
    return {"period": following.name, "from": _iso(following.last + timedelta(days=1)), "tables": tables}


def _iso(day: date) -> str:
    return day.isoformat()


def logged(study: Study, records: Iterable[Mapping[str, Any]], now: datetime | None = None) -> None:
    """Append records to the study's log of runs, and tell of what is news whom the protocol names."""
    at = (now or datetime.now(UTC)).isoformat(timespec="seconds")
    file = private_folder(study) / LOG
    for record in records:
        # Before the line is added: it would be its own predecessor.
        told = notify(study, record) if _is_news(file, record) else None
        line = {"at": at, "evalkit": __version__, **record, **({"notified": told} if told is not None else {})}
        append_line(f"{json.dumps(line, ensure_ascii=False, sort_keys=True)}\n", (file, private_modes(file.parent)[0]))


def _is_news(file: Path, record: Mapping[str, Any]) -> bool:
    """Say whether somebody should be told: what was published, and what waits or stopped unless it did so before."""
    if record["status"] not in {"published", "waiting_for_approval", "stopped"}:
        return False
    same = [line for line in _lines(file) if all(line.get(k) == record[k] for k in ("report", "period"))]
    # A stop is news again where the reason is another one, a release where its manifest is.
    what = "message" if record["status"] == "stopped" else "manifest_sha256"
    return not same or any(same[-1].get(name) != record.get(name) for name in ("status", what))


def _lines(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # the machine died while it was written
            continue
    return [line for line in found if isinstance(line, dict)]


def write_json(records: list[dict[str, Any]], code: int) -> None:
    """Write records, and the exit code, to the standard output as one JSON document."""
    document = {"evalkit": __version__, "exit_code": code, "outcomes": records}
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


_TOLD = ("study", "report", "period", "status", "exit_class", "exit_code", "revision", "manifest_sha256", "what_to_do")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# A mailbox or chat that does not answer must not hold up the night: the report is published already.
_SECONDS = 30


def message_for(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what leaves of a record: it may reach a mailbox or a chat, so no day of any table and no path is in it."""
    told = {name: record[name] for name in _TOLD if record.get(name) is not None}
    return {**told, "what_to_do": _without_paths(record.get("what_to_do")), "message": _safe(record.get("message"))}


def _safe(message: object) -> str:
    """Leave out days, of which a table's newest is somebody's, and folders of this machine: the log has both."""
    return _without_paths(_DAY.sub("…", str(message or "").split("\n", 1)[0]))


def _without_paths(text: object) -> str:
    """Leave out folders and addresses, up to the next blank: a sign such as : or @ may stand within one."""
    return re.sub(r"(?:^|(?<=[\s(']))(?:[~/]|[A-Za-z][\w+.-]+:/)\S*?(?=[,;:)'.]*(?:\s|$))", "…", str(text or ""))


def notify(study: Study, record: Mapping[str, Any]) -> bool | None:
    """Tell whom the protocol names; None where nobody is, False where they could not be told.

    That they could not changes nothing of what was done.
    """
    whom = os.environ.get("EVALKIT_NOTIFY") or study.notify
    if whom is None:
        return None
    content = json.dumps(message_for(record), ensure_ascii=False, sort_keys=True).encode()
    try:
        # Filled in here and not kept: the address stands in no file and no message with its password.
        named = re.sub(r"\$\{(\w+)\}", lambda match: os.environ[match[1]], whom)
        if re.match(r"https?://", named):
            _post(named, content)
        else:
            _call(named, content, study)
    except KeyError as missing:
        why = f"environment variable {missing.args[0]} is not set"
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        why = type(error).__name__  # its text may hold the address, and with it a password
    else:
        return True
    sys.stderr.write(f"evalkit: nobody could be told ({why}); see 'notify' in {study.path.name}\n")
    return False


def _post(address: str, content: bytes) -> None:
    asked = Request(  # noqa: S310 - http and https only
        address, data=content, headers={"Content-Type": "application/json"}, method="POST"
    )
    with urlopen(asked, timeout=_SECONDS):  # noqa: S310
        return


def _call(command: str, content: bytes, study: Study) -> None:
    subprocess.run(  # noqa: S603 - the study's own command, without a shell
        shlex.split(command), input=content, cwd=study.folder, timeout=_SECONDS, check=True, stdout=subprocess.DEVNULL
    )
