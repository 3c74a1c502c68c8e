"""``evalkit approve`` and ``evalkit withdraw``: what somebody writes of a release, searched before it is published."""

from __future__ import annotations

__all__ = ["run_approve", "run_withdraw"]

from pathlib import Path

from evalkit.cli._records import approved_record, logged
from evalkit.errors import DataError
from evalkit.intake import open_gate, secrets_of
from evalkit.protocol import Study, load_study
from evalkit.publish import UNTOLD, approve, destination, is_waiting, withdraw


def run_approve(release: Path, study: Path, name: str, reason: str, key: Path | None) -> str:
    """Approve a release, publish it where it waits, and say so; ``key`` is the approver's, where it lies elsewhere.

    An `EvalkitError` where it may not be approved.
    """
    protocol = load_study(study)
    # Asked before: once it is approved nothing waits there any more.
    goes = destination(release).target if is_waiting(release, protocol) else None
    identifiers, secrets = _looked_for(protocol)
    done = approve(release, protocol, name=name, reason=reason, key=key, identifiers=identifiers, secrets=secrets)
    if goes is not None:
        logged(protocol, [approved_record(protocol, goes, f"approved by {done.name}")])
    return f"{done.release}: approved by {done.name} on {done.date} (manifest {done.manifest_sha256[:16]})"


def run_withdraw(release: Path, study: Path, why: str | None) -> str:
    """Withdraw a release and say so; an `EvalkitError` where it was not published there.

    Without a reason no tables are opened, and a sentence that holds nothing stands for it.
    """
    protocol = load_study(study)
    # A release that has to go cannot wait for tables to be mended.
    otherwise = "; without a reason the release can be withdrawn now: leave it out"
    identifiers, secrets = _looked_for(protocol, otherwise) if why is not None else ((), ())
    done = withdraw(release, protocol, UNTOLD if why is None else why, identifiers=identifiers, secrets=secrets)
    return f"{done.release}, revision {done.revision}: withdrawn on {done.date}: {done.reason}"


def _looked_for(study: Study, otherwise: str = "") -> tuple[frozenset[str], frozenset[str]]:
    """Return what a text that is published must not hold: identifiers, and secrets of the database.

    A cell that cannot be read, in tables newer than the release, is no reason to leave it published.
    """
    try:
        with open_gate(study).data as data:
            closed = [one for one in data.findings if one.rule == "unreadable_table"]
            if not closed:
                return data.identifiers, secrets_of(study)
            error = f"{closed[0].table}: {closed[0].text}"
    except DataError as failed:
        error = str(failed)
    msg = f"{error}; what is published is searched for identifiers, and without the tables it cannot be{otherwise}"
    raise DataError(msg)
