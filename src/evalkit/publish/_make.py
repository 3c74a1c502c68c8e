"""What a release holds, made in a private folder: the notebook runs once, and what it showed is held to the policy.

What must not leave is refused on the way: by the audit of cells, of the document and of the finished files, and by the
study's policy, under which everything shown has to have been made. What a draft does of this, it does with the same
functions.
"""

from __future__ import annotations

__all__ = [
    "Made",
    "Protected",
    "document_from",
    "guard_of",
    "make",
    "refuse_other_doors",
    "run_protected",
    "says_synthetic",
]

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalkit.disclosure import LEFT_OUT, Policy, RecordLine, name_of, read_record, read_told
from evalkit.errors import DisclosureError, ExecutionError, ExecutionTimeoutError, PublicationError
from evalkit.excuses import ENVIRONMENT as GATE
from evalkit.periods import quarters_between
from evalkit.protocol import load_disclosure, load_frozen, noise_secret, private_folder, version_file
from evalkit.publish._job import Progress, RenderJob, language_in, parameters_of, read_notebook
from evalkit.publish.audit import Guard, audit_cells, audit_document, audit_files, counted, guard_for
from evalkit.publish.audit._notebook import check_notebook
from evalkit.publish.release._changes import (
    FIRST,
    Revision,
    after_gone,
    estimates_of,
    numbers_changed,
    published_of,
    read_numbers,
    revision_of,
    superseding,
)
from evalkit.publish.release._crate import write_crate
from evalkit.publish.release._ingredients import differences, key, loaded_packages
from evalkit.publish.release._keys import SIGNATURE, key_name, sign, signing_key
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import (
    MANIFEST,
    as_keyed,
    attachment,
    known_then,
    registered,
    went_in,
    with_added,
    write_manifest,
)
from evalkit.publish.release._review import TOLD, told_before
from evalkit.publish.release._standing import Standing, ledger_for
from evalkit.publish.rendering._document import Document, document_of, with_bibliography, with_excuses, works_beside
from evalkit.publish.rendering._embedded import publish_embedded
from evalkit.publish.rendering._execute import MODULES, Limits, execute
from evalkit.publish.rendering._notebook import in_language
from evalkit.publish.rendering._pieces import write_data
from evalkit.publish.rendering._quarto import publish_quarto
from evalkit.publish.rendering._web import FONTS
from evalkit.seal import ENVIRONMENT, MARK, new_key
from evalkit.words import messages_for

_Run = Callable[[Mapping[str, str]], Any]


@dataclass(frozen=True)
class Made:
    """What a render made, in its scratch folder."""

    facts: Mapping[str, Any]  # the manifest
    files: Mapping[str, Path]  # name in the release: finished file
    ran: Protected


def make(job: RenderJob, told: Progress, scratch: Path, standing: Standing, parts: Mapping[str, Any]) -> Made:
    """Run the notebook and make everything a release holds, in the private scratch folder.

    `standing` is the release that is superseded or made again; `parts` is what goes in (`went_in`). `EvalkitError` of
    the class that says what went wrong.
    """
    deadline = time.monotonic() + 60 * job.params.timeout_minutes
    signer, notebook = signing_key(job.study), read_notebook(job.notebook)  # what cannot be read is found at once
    parameters = parameters_of(job, notebook)
    spoken = in_language(notebook, job.notebook, language_in(job, parameters))
    check_notebook(spoken, job.params.publication.to, works_beside(job.notebook))
    guard = guard_of(job, spoken, scratch)
    if guard.identifiers.unsearched:
        told.step(job.name, f"{guard.identifiers.unsearched} identifiers are too short to be looked for")

    def run(variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - nbformat has no types
        done = execute(
            spoken,
            parameters,
            name=job.name,
            scratch=scratch,
            source_folder=job.notebook.parent,
            log_file=job.log_folder / f"{job.study.id}-{job.params.report}-{job.target.name}.log",
            limits=Limits(deadline - time.monotonic(), job.params.memory_gb, job.params.output_mb),
            on_cell=lambda done, total: told.cell(job.name, done, total),
            variables={ENVIRONMENT: guard.key, GATE: job.passed.to_kernel(), **variables},
            scrub=guard.scrub,
            lines=job.verbose,
        )
        audit_cells(done, guard)
        return done

    ran = run_protected(job, standing, scratch, run)
    told.step(job.name, f"publishing with {parts['publication']['publisher']}")
    document = document_from(job, ran.executed)
    audit_document(document, guard)  # before any file is made: what must not leave is not even printed
    files = write_data(document, scratch, deadline - time.monotonic(), job.params.memory_gb)
    published = published_of(document.items, files)
    revision = _revision(job, parts, published, files, standing)
    facts = {
        **parts,
        **_known_by(parts, scratch),
        **_trusted(job, signer, standing),
        **_described(job, document),
        "published": published,
        "estimates": estimates_of(document.items),
        "restatements": [item.numbers for item in document.items if item.numbers and item.analysis == "restatements"],
        "overridden": _overridden(job, parameters, standing),
        "excused": [excuse.model_dump(mode="json") for excuse in job.passed.excused],
        **ran.facts(),
        **revision.facts(),
    }
    document = replace(_revised(document, revision, guard), attachment=attachment(facts))  # all facts are known now
    files |= _publish(document, str(parts["publication"]["publisher"]), job, scratch, deadline)
    # no manifest may name a table, a notebook or code that this run did not read
    if key(went_in(job, notebook, parameters, scratch)) != key(parts):
        msg = f"{job.name}: an input changed while the report was made; render it again"
        raise ExecutionError(msg)
    _check_size(job, files)
    files |= write_crate(facts, files, scratch)  # crate, manifest, signature: each is of all before it
    files[MANIFEST] = write_manifest(facts, files, scratch / MANIFEST)
    if signer is not None:
        files[SIGNATURE] = sign(files[MANIFEST], signer, scratch / SIGNATURE)
    audit_files(files, guard)  # last: no file comes to the release that was not read back
    return Made(facts, files, ran)


def _known_by(parts: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    """Return the key of what went in, and the packages that took part: others may change and the same comes out."""
    file = scratch / MODULES
    names = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    loaded = loaded_packages([*names, *FONTS]) & set(parts["environment"]["packages"])
    return {"key": key(parts), "loaded": sorted(loaded)}


def _trusted(job: RenderJob, key_file: Path | None, standing: Standing) -> dict[str, Any]:
    """Return what the manifest says of secret, signature and approval, so that one that is taken away is missed."""
    signed_by = key_name(key_file) if key_file is not None else ""
    if standing.there and not job.supersede:
        signed_by = str(standing.manifest.get("signed_by", ""))  # made again elsewhere, perhaps without the key
    secret = job.secret.id if job.secret is not None else ""
    approval = load_disclosure(job.study).approval
    return {"secret": secret, "signed_by": signed_by, "approval": approval, "known": known_then(job)}


def _described(job: RenderJob, document: Document) -> dict[str, Any]:
    """Return what the manifest says of a release to those who list, cite and archive it."""
    return {
        "data_cut": document.cut_date.isoformat(),
        "synthetic": document.synthetic,
        "document": document.facts(),
        "citation": job.study.citation.model_dump(mode="json"),
        **registered(job.study, load_frozen(job.study), document.items),
    }


def _revised(document: Document, revision: Revision, guard: Guard) -> Document:
    """Say on the cover and at the end what changed since the release before."""
    say = messages_for(document.locale)
    said = revision.items([item.label for item in document.items if item.label], say)
    audit_document(replace(document, items=tuple(said)), guard)
    return replace(document, revision=revision.words(say), items=(*document.items, *said))


def _check_size(job: RenderJob, files: Mapping[str, Path]) -> None:
    size = sum(file.stat().st_size for file in files.values()) / 1e6
    if size > job.params.output_mb:
        msg = f"{job.name}: the release would have {size:.0f} MB; raise output_mb in {job.params_file}"
        raise PublicationError(msg)


def _overridden(job: RenderJob, parameters: Mapping[str, Any], standing: Standing) -> list[str]:
    """Name the parameters that were set on the command line: the report's file does not say them."""
    if standing.manifest and not job.supersede:
        return list(standing.manifest.get("overridden", ()))
    return sorted(n for n in job.overrides if parameters[n] != job.params.parameters.get(n))


def _revision(
    job: RenderJob, parts: Mapping[str, Any], published: list[dict[str, str]], files: Mapping[str, Path], old: Standing
) -> Revision:
    """Say which revision this is: the next one, or the same again."""
    if old.there and not job.supersede:
        return revision_of(old.manifest)
    # First: an older revision that was put back is not what this one follows.
    if old.gone:
        return after_gone(old.gone, job.supersede)
    if not old.there:
        return FIRST
    then = list(old.manifest.get("published", ()))
    changed = numbers_changed(then, read_numbers(then, old.place), published, read_numbers(published, files))
    reasons = differences(as_keyed(old.manifest, job), parts)
    return superseding(old.revision, old.manifest_sha256, job.supersede, reasons, changed)


def _publish(document: Document, publisher: str, job: RenderJob, scratch: Path, deadline: float) -> dict[str, Path]:
    left = deadline - time.monotonic()
    if left <= 0:
        msg = f"{job.name}: no time left to publish; raise timeout_minutes in {job.params_file}"
        raise ExecutionTimeoutError(msg)
    formats = tuple(dict.fromkeys(job.params.publication.to))
    publish = publish_quarto if publisher == "quarto" else publish_embedded
    made = publish(document, formats, scratch, left, job.params.memory_gb)
    return {f"report.{name}": file for name, file in made.items()}


def guard_of(job: RenderJob, notebook: Any, scratch: Path) -> Guard:  # noqa: ANN401 - nbformat has no types
    """Return what the audit of a render looks for, and the days that may be published."""
    named = [job.study.path, *(job.study.folder / n for n in (job.study.baselines, job.study.disclosure) if n)]
    named += [version_file(job.study, one.name) for one in load_frozen(job.study)]
    sources = [cell.source for cell in notebook.cells]
    # A report tells of earlier quarters, too (trends): their days are nobody's.
    quarters = quarters_between(job.study.starts, job.period.last, job.study.fiscal_year_start_month)
    ends = [day for period in (*quarters, job.period) for day in (period.first, period.last, period.cut)]
    return guard_for(
        new_key(),
        identifiers=job.identifiers,
        secrets=job.secrets,
        paths=[str(scratch), str(job.study.folder), str(private_folder(job.study)), str(job.out), str(Path.home())],
        protocol="\n".join(file.read_text(encoding="utf-8", errors="replace") for file in named if file.is_file()),
        authored="\n".join([*sources, job.params.model_dump_json(), load_disclosure(job.study).model_dump_json()]),
        days=[*ends, job.study.starts, *(excuse.until for excuse in job.passed.excused)],
    )


@dataclass(frozen=True)
class Protected:
    """A run whose outputs may be published."""

    executed: Any
    file: Path  # the record of what it showed
    earlier: tuple[str, ...]  # releases that were published before
    overrides: tuple[str, ...] = ()  # exceptions to the policy that were in force, in words
    ledger: Ledger | None = None  # where the release is written down; None where it is only made again
    counts: int = 0  # behind what it shows
    small: int = 0  # of these, too small to be shown
    unlinked: int = 0  # of these, without who they are: their noise is that of the question, not of the people
    anew: str = ""  # why the ledger was begun beside or after another one
    # Names of the groups of which no number is told, as it would show few people once too often (ADR 15).
    left_out: tuple[str, ...] = ()
    # Of how many earlier releases it is not kept here whom they told of: differences with them are not looked for.
    unknown: int = 0

    def facts(self) -> dict[str, Any]:
        """Return what the manifest says of it: no count of people, nor how many of the tables' counts are small."""
        return {
            "ledger": list(self.earlier),
            "new_ledger": self.anew,
            "overrides": list(self.overrides),
            "disclosure": {
                "method": "noise",
                "counts_without_people": self.unlinked,
                # so that the same numbers are left out wherever it is made again
                **({"left_out": list(self.left_out)} if self.left_out else {}),
            },
        }

    def looked(self) -> dict[str, int]:
        """Return what only the study's own people may know: it tells how many small counts there are."""
        return {"counts": self.counts, "small_counts": self.small}


def run_protected(job: RenderJob, standing: Standing, scratch: Path, run: _Run) -> Protected:
    """Run a notebook, and refuse what was shown by any other way than through the study's policy.

    `standing` is the release at the place: one that is made again says of earlier ones what it said then. `run` takes
    more environment variables, runs the notebook and audits what it put out. `DisclosureError` if the ledger lacks a
    release, or something was shown under another policy or without a record.
    """
    rules = load_disclosure(job.study)
    overrides = tuple(override.words for override in rules.overrides)
    # What is only made again stands in the ledger already, and must come out as if nothing had been published since.
    again = standing.there and not job.supersede
    ledger = None if again else ledger_for(job)
    earlier = tuple(standing.manifest.get("ledger", ())) if ledger is None else ledger.names
    anew = str(standing.manifest.get("new_ledger", "")) if ledger is None else ledger.why
    file = scratch / "record.jsonl"
    known = told_before(job.study, scratch / "before.bin")
    if ledger is None:
        left_out = standing.manifest.get("disclosure", {}).get("left_out", ())
        # Not asked anew: releases since then would leave out others, and the numbers would differ.
        (scratch / "left_out.json").write_text(json.dumps(list(left_out)), encoding="utf-8")
    executed = run({"EVALKIT_RECORD": str(file), "EVALKIT_TOLD": str(scratch)})
    record = read_record(file)
    secret = noise_secret(job.study, synthetic=says_synthetic(executed))
    refuse_other_doors(job, executed, record, Policy.of(rules, secret))
    cells = [cell for line in record for cell in line.cells]
    small = sum(0 < cell.count < rules.minimum_count for cell in cells)
    unlinked = sum(cell.shown and not cell.linked for cell in cells)
    told = read_told(scratch / TOLD)
    names = tuple(sorted({name_of(int(key)) for key in told["key"][told["size"] == LEFT_OUT]}))
    # Sixteen digits: `kept_folder_of` names the folders of what was kept so.
    unknown = 0 if ledger is None else sum(ledger.manifest_of(name)[:16] not in known for name in earlier)
    return Protected(executed, file, earlier, overrides, ledger, len(cells), small, unlinked, anew, names, unknown)


def says_synthetic(executed: Any) -> bool:  # noqa: ANN401 - nbformat has no types
    """Say whether the report says of itself that nobody in it is real."""
    marks = [
        output.get("metadata", {}).get(MARK, {}) for _, cell in counted(executed) for output in cell.get("outputs", [])
    ]
    return any(bool(mark.get("document", {}).get("synthetic")) for mark in marks)


def refuse_other_doors(job: RenderJob, executed: Any, record: list[RecordLine], policy: Policy) -> None:  # noqa: ANN401
    """Refuse what was shown under another policy than the study's, or without a record of what it shows."""
    # A notebook can make a `Safe` of its own, under a policy that hides nothing (ADR 7).
    if any(line.policy != policy.fingerprint for line in record):
        msg = f"{job.name}: an output was made by another policy than the study's; exceptions stand in its file"
        raise DisclosureError(msg)
    # Where nothing is left to be asked again an output names another id than the estimate that was asked (`told`).
    known = {name for line in record for name in (line.estimate, line.told)}
    for number, cell in counted(executed):
        for output in cell.get("outputs", []):
            shown = output.get("metadata", {}).get(MARK, {}).get("estimate")
            if shown and shown not in known:
                msg = f"cell {number}: shows an estimate of which there is no record; use report.show or report.say"
                raise DisclosureError(msg)


def document_from(job: RenderJob, executed: Any) -> Document:  # noqa: ANN401 - nbformat has no types
    """Return the document of a notebook that ran, with references, excuses and which results were not planned."""
    shape = job.params.publication
    document = document_of(executed, toc=shape.toc, pdf_standard=shape.pdf_standard)
    document = with_excuses(with_bibliography(document, job.notebook), job.passed.excused)
    return with_added(document, load_frozen(job.study))
