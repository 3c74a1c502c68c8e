"""One render: under the study's lock, parameters checked, notebook run, document published, release placed.

All of it or nothing; and nothing at all when the release that is there was made from the same.
"""

from __future__ import annotations

__all__ = ["Made", "document_from", "guard_of", "make", "render"]

import contextlib
import errno
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalkit.errors import ExecutionError, ExecutionTimeoutError, PublicationError, ReleaseError
from evalkit.excuses import ENVIRONMENT as GATE
from evalkit.periods import quarters_between
from evalkit.protocol import load_disclosure, load_frozen, private_folder, study_secret, version_file
from evalkit.publish._job import RenderJob, language_in, parameters_of, read_notebook
from evalkit.publish._progress import LineProgress, Outcome, Progress
from evalkit.publish._protected import Protected, run_protected
from evalkit.publish.audit import Guard, audit_cells, audit_document, audit_files, guard_for
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
from evalkit.publish.release._ingredients import because, differences, digest, key, loaded_packages, unused
from evalkit.publish.release._keys import SIGNATURE, key_name, sign, signing_key
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
from evalkit.publish.release._place import Waiting, hold, waiting_at
from evalkit.publish.release._release import check_place, place_release, recover, study_lock
from evalkit.publish.release._review import TOLD, keep_for_review
from evalkit.publish.release._standing import (
    Standing,
    beside,
    came_out_the_same,
    ledger_for,
    newest_gone,
    outputs_changed,
    release_name,
    remember_same,
    same_outputs,
    standing_at,
)
from evalkit.publish.rendering._document import Document, document_of, with_bibliography, with_excuses, works_beside
from evalkit.publish.rendering._embedded import publish_embedded
from evalkit.publish.rendering._execute import MODULES, Limits, execute
from evalkit.publish.rendering._machine import private_files, scratch_folder, swept_up
from evalkit.publish.rendering._notebook import in_language
from evalkit.publish.rendering._pieces import write_data
from evalkit.publish.rendering._quarto import publish_quarto
from evalkit.publish.rendering._web import FONTS
from evalkit.seal import ENVIRONMENT, new_key
from evalkit.words import messages_for

# The disk is full, or the user's share of it: all else that a system refuses is told where it is met.
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Made:
    """What a render made, in its scratch folder."""

    facts: Mapping[str, Any]  # the manifest
    files: Mapping[str, Path]  # name in the release: finished file
    ran: Protected


def render(job: RenderJob, progress: Progress | None = None) -> Outcome:
    """Render one report and place its release.

    Parameters
    ----------
    job : RenderJob
    progress : Progress, optional
        Plain lines on stderr when not given.

    Returns
    -------
    Outcome
        Its place is the release folder, untouched when it is up to date; or the private one in which it waits.

    Raises
    ------
    EvalkitError
        Of the class that says what went wrong; nothing is published then.
    """
    told = progress or LineProgress()
    waiting = "waiting for another render of this study"
    with private_files(), study_lock(job.study, lambda: told.step(job.name, waiting)):
        # what was being placed, or made, when a machine or a render died
        recover(job.target)
        swept_up()
        with _room(job), scratch_folder() as scratch:
            return _render(replace(job, secret=study_secret(job.study)), told, scratch)


def _render(job: RenderJob, told: Progress, scratch: Path) -> Outcome:
    notebook = read_notebook(job.notebook)
    parameters = parameters_of(job, notebook)
    check_place(job.target)
    parts = went_in(job, notebook, parameters, scratch)
    ledger = ledger_for(job)  # what is damaged is found before anything runs
    standing = standing_at(job, parts)
    standing = replace(standing, gone=newest_gone(job, standing, ledger))
    _refuse_older(job, standing)
    # Forced where tables grew, the manifest would name other digests of them: not the same release again.
    settled = standing.up_to_date and not (job.force and standing.added)
    if settled and not job.force:
        return _up_to_date(job, told, standing.why if standing.added else "")
    compared = standing.only_open and not job.supersede
    if compared and not job.force and came_out_the_same(job.study, standing):
        return _up_to_date(job, told, same_outputs(standing.open))
    if standing.there and not job.supersede and not settled and not compared:
        msg = (
            f"{job.target}: is published already, and differs from what would be made now ({standing.why}); "
            f"--supersede 'why' publishes a new revision and keeps this one{beside(job, standing)}"
        )
        raise ReleaseError(msg)
    gate = load_disclosure(job.study).approval == "required"
    waits = waiting_at(job.study, job.target, parts) if gate else None
    if waits is not None and not job.force:
        dropped = "; its reason stays the one it was made with: --force makes it again" if job.supersede else ""
        told.step(job.name, f"waits for approval already ({waits}){dropped}")
        return Outcome("waiting_for_approval", waits, f"waits already{dropped}")
    made = make(job, told, scratch, standing, parts)
    if standing.there and not job.supersede:
        return _made_again(job, made, standing, parts, told)
    return _place(job, made, standing, told, gate=gate)


def _up_to_date(job: RenderJob, told: Progress, why: str) -> Outcome:
    told.step(job.name, f"up to date ({job.target}){f': {why}' if why else ''}")
    return Outcome("up_to_date", job.target, why)


def _refuse_older(job: RenderJob, standing: Standing) -> None:
    """Refuse to take an older release, put back from a backup, for the newest one."""
    if standing.older and not job.supersede:
        msg = f"{job.target}: {standing.older}"
        raise ReleaseError(msg)


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


def document_from(job: RenderJob, executed: Any) -> Document:  # noqa: ANN401 - nbformat has no types
    """Return the document of a notebook that ran, with references, excuses and which results were not planned."""
    shape = job.params.publication
    document = document_of(executed, toc=shape.toc, pdf_standard=shape.pdf_standard)
    document = with_excuses(with_bibliography(document, job.notebook), job.passed.excused)
    return with_added(document, load_frozen(job.study))


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


def _made_again(job: RenderJob, made: Made, standing: Standing, parts: Mapping[str, Any], told: Progress) -> Outcome:
    """Hold what was made again to what is published: by bytes, or by outputs where it was made with something else."""
    then = as_keyed(standing.manifest, job)
    changed = [*standing.open, *unused(then, parts)]
    if changed:
        numbers, other = outputs_changed(standing.place, standing.manifest, made.facts, made.files)
        differing = list(dict.fromkeys([*(change.output for change in numbers), *other]))
        how = f"the same inputs gave another {', '.join(differing)} in other surroundings ({because(changed)})"
        if not all(change.is_around for change in changed):
            how = f"is published already, and would have another {', '.join(differing)} now ({because(changed)})"
    else:
        own = (MANIFEST, SIGNATURE)  # the commit may be another one, with the same code
        differing = [n for n, f in made.files.items() if n not in own and digest(f) != _digest_at(job.target / n)]
        how = f"the same inputs gave another {', '.join(differing)}"
    if differing:
        msg = f"{job.target}: {how}; nothing was published (--supersede 'why' publishes it as a new revision)"
        raise ReleaseError(msg)
    if changed:
        remember_same(job.study, standing)
        return _up_to_date(job, told, same_outputs(changed))
    told.step(job.name, f"made again, the same bytes as in {job.target}")
    return Outcome("up_to_date", job.target, "made again, the same bytes")


def _place(job: RenderJob, made: Made, standing: Standing, told: Progress, *, gate: bool) -> Outcome:
    """Place a release, or hold it where it has to be approved first."""
    manifest, revision = made.files[MANIFEST], int(made.facts["revision"])
    if made.ran.unknown:
        told.step(
            job.name, f"{made.ran.unknown} earlier releases: whom they told of is not kept here, and not looked at"
        )
    kept = made.ran.file.with_name(TOLD)
    # before it is placed: nothing is published that nobody could check any more
    keep_for_review(job.study, manifest, made.ran.executed, made.ran.file, made.ran.looked(), kept)
    supersedes = standing.revision if standing.there else None
    name, ledger = release_name(job.params.report, job.period.name, revision), made.ran.ledger
    if ledger is None:
        msg = f"{job.name}: was made without a ledger; render it again"
        raise ReleaseError(msg)
    if gate:
        waiting = Waiting(job.target, supersedes, name, standing.manifest_sha256)
        place = hold(job.study, made.files, waiting)
        told.step(job.name, f"waits for approval in {place}; evalkit review and evalkit approve take this folder")
        return Outcome("waiting_for_approval", place)
    # the ledger first: a release of which it knows nothing would be taken for a strange one
    with ledger.adding(name, digest(manifest)):
        place_release(made.files, job.target, supersedes=supersedes)
    told.step(job.name, f"published in {job.target}")
    return Outcome("published", job.target)


def _digest_at(file: Path) -> str:
    return digest(file) if file.is_file() else ""


@contextlib.contextmanager
def _room(job: RenderJob) -> Iterator[None]:
    """Say in one line that the disk is full; whatever was being written was scratch."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        msg = f"{job.name}: no room left on the disk ({tempfile.gettempdir()}); nothing was published"
        raise ReleaseError(msg) from None
