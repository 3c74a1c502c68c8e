"""Releases made without a notebook: whole, signed and in the ledger, in a hundredth of a render's time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit.protocol import Study, load_study, private_folder, study_secret
from evalkit.publish.release._ingredients import digest, key
from evalkit.publish.release._keys import SIGNATURE, key_name, sign, signing_key
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import _VERSION, MANIFEST, write_manifest
from evalkit.publish.release._release import kept_folder, place_release
from evalkit.publish.release._standing import release_name
from publish import standin

PLACE = Path("reports/tiny/tiny/2000Q4")


def study_in(folder: Path, policy: str = "") -> Study:
    """Write a study, and a policy for it."""
    file = standin.write_world(folder)
    if policy:
        (folder / "disclosure.yaml").write_text(policy, encoding="utf-8")
        file.write_text(file.read_text(encoding="utf-8") + "disclosure: disclosure.yaml\n", encoding="utf-8")
    return load_study(file)


def facts_of(study: Study, period: str, revision: int, supersedes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a manifest says."""
    signer = signing_key(study)
    facts = {
        "manifest": _VERSION, "study": study.id, "report": "tiny", "period": period, "revision": revision,
        "supersedes": supersedes, "ledger": [], "secret": study_secret(study).id, "approval": "none",
        "signed_by": key_name(signer) if signer else "", "published": [], "parameters": {}, "inputs": {}, "known": {},
        "publication": {"publisher": "embedded", "to": ["html"]},
    }  # fmt: skip
    return {**facts, "key": key(facts)}


def publish(
    study: Study,
    period: str = "2000Q4",
    report: str = "tiny",
    out: str = "reports",
    contents: Mapping[str, str] | None = None,
    **more: Any,
) -> Path:
    """Publish a release, or the next revision of the one that is there."""
    target = study.folder / out / study.id / report / period.replace("..", "_to_")
    there = target / MANIFEST
    old = json.loads(there.read_text(encoding="utf-8")) if there.is_file() else None
    number = old["revision"] + 1 if old else 1
    supersedes = {"revision": number - 1, "manifest_sha256": digest(there)} if old else None
    facts = {**facts_of(study, period, number, supersedes), "report": report, **more}
    made = study.folder / f"made-{report}-{period}-{number}"
    texts = contents or {"report.html": f"<p>{period} {number}</p>", "data/one.csv": "a\n1\n"}
    files = {name: made / name for name in texts}
    for name, text in texts.items():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(text, encoding="utf-8")
    files[MANIFEST] = write_manifest({**facts, "key": key(facts)}, files, made / MANIFEST)
    signer = signing_key(study)
    if signer is not None:
        files[SIGNATURE] = sign(files[MANIFEST], signer, made / SIGNATURE)
    ledger = Ledger.of(private_folder(study), target.parent.parent)
    name = release_name(report, period, number)
    with ledger.adding(name, digest(files[MANIFEST])):
        place_release(files, target, supersedes=number - 1 if old else None)
    return target


def kept(release: Path, revision: int) -> Path:
    """Return where a superseded revision lies."""
    return kept_folder(release, revision)
