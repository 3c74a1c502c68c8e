"""One render: under the study's lock, parameters checked, notebook run, document published, release placed.

All of it or nothing; and nothing at all when the release that is there was made from the same. Of several renders those
of one study come one after the other, in the order of time, and those of different studies side by side. What a render
would do can be asked for without one.
"""

from __future__ import annotations

__all__ = ["explain", "foreseen", "render", "render_all"]

import contextlib
import errno
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, ReleaseError, UsageError
from evalkit.protocol import Secret, find_private_folder, find_secret, load_disclosure, study_secret
from evalkit.publish._job import LineProgress, Outcome, Progress, RenderJob, parameters_of, read_notebook
from evalkit.publish._make import Made, make
from evalkit.publish.release._ingredients import because, digest, unused
from evalkit.publish.release._keys import SIGNATURE
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import MANIFEST, as_keyed, went_in
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
from evalkit.publish.rendering._machine import private_files, scratch_folder, swept_up

# The disk is full, or the user's share of it: all else that a system refuses is told where it is met.
_FULL = (errno.ENOSPC, errno.EDQUOT)


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


def render_all(jobs: Sequence[RenderJob], workers: int, progress: Progress) -> list[Outcome | EvalkitError]:
    """Render several reports; one that fails does not stop the others.

    Parameters
    ----------
    jobs : sequence of RenderJob
        No two for the same release. Those of one study are done in the order of their data cuts, because each
        release is held against the ones before it.
    workers : int
        How many studies at once; each has a process of its own.
    progress : Progress
        Used when one works at a time.

    Returns
    -------
    list of (Outcome or EvalkitError)
        In the order of the jobs.

    Raises
    ------
    UsageError
        If two jobs would make the same release.
    """
    if len({job.target for job in jobs}) < len(jobs):
        msg = "the same report and period is asked for twice"
        raise UsageError(msg)
    studies: dict[Path, list[int]] = {}
    for number, job in enumerate(jobs):
        studies.setdefault(job.study.path, []).append(number)
    # A quarter that is rendered before an earlier one would not be held against it.
    lines = [sorted(numbers, key=lambda n: (jobs[n].period.last, jobs[n].name)) for numbers in studies.values()]
    if workers <= 1 or len(lines) == 1:
        done = [_in_line([jobs[n] for n in numbers], progress) for numbers in lines]
    else:
        import joblib  # noqa: PLC0415 - only for batches

        # A process for each study, not a thread: a render sets the process's file mask (`private_files`). Each writes
        # plain lines, as bars of several processes would overwrite one another.
        done = joblib.Parallel(n_jobs=min(workers, len(lines)))(
            joblib.delayed(_in_line)([jobs[n] for n in numbers]) for numbers in lines
        )
    found = {
        n: result
        for numbers, results in zip(lines, done, strict=True)
        for n, result in zip(numbers, results, strict=True)
    }
    return [found[n] for n in range(len(jobs))]


def _in_line(jobs: Sequence[RenderJob], progress: Progress | None = None) -> list[Outcome | EvalkitError]:
    told = progress or LineProgress()
    found: list[Outcome | EvalkitError] = []
    for job in jobs:
        try:
            found.append(render(job, told))
        except EvalkitError as error:
            found.append(error)
    return found


def explain(job: RenderJob) -> str:
    """Say whether a report would be rendered, and why.

    Parameters
    ----------
    job : RenderJob

    Returns
    -------
    str
        One line.
    """
    return f"{job.name}: {foreseen(job).remark}"


def foreseen(job: RenderJob) -> Outcome:
    """Say what a render would do, without one.

    Parameters
    ----------
    job : RenderJob

    Returns
    -------
    Outcome
        ``stopped`` where what is published differs: it takes a reason to supersede it.
    """
    # A look makes nothing: `study_secret` would write a secret, `private_folder` make the folder.
    job = replace(job, secret=find_secret(job.study) or Secret.fresh())
    with private_files(), scratch_folder() as scratch:
        notebook = read_notebook(job.notebook)
        parts = went_in(job, notebook, parameters_of(job, notebook), scratch)
        standing = standing_at(job, parts)
        private = find_private_folder(job.study)
        ledger = Ledger.known(private, job.target.resolve().parent.parent) if private is not None else None
        standing = replace(standing, gone=newest_gone(job, standing, ledger))
        gated = load_disclosure(job.study).approval == "required" and private is not None
        waits = waiting_at(job.study, job.target, parts) if gated else None
        # Only what was compared before is known to be the same: comparing takes a render.
        same = standing.only_open and came_out_the_same(job.study, standing)
    if standing.older:
        return Outcome("stopped", job.target, standing.older)
    if standing.up_to_date or same:
        return Outcome("up_to_date", job.target, f"up to date: {standing.why}")
    if waits is not None:
        return Outcome("waiting_for_approval", waits, f"waits for approval in {waits}")
    verdict = "would be rendered"
    if standing.only_open:
        verdict = "would be made again and compared"
    elif standing.there:
        now, then = standing.revision, standing.revision + 1
        verdict = f"differs from revision {now}; --supersede 'why' would publish revision {then}{beside(job, standing)}"
        return Outcome("stopped", job.target, f"{verdict}: {standing.why}")
    return Outcome("would_render", job.target, f"{verdict}: {standing.why}")
