"""What a render would do, without one."""

from __future__ import annotations

__all__ = ["explain", "foreseen"]

from dataclasses import replace

from evalkit.protocol import Secret, find_private_folder, find_secret, load_disclosure
from evalkit.publish._job import RenderJob, parameters_of, read_notebook
from evalkit.publish._progress import Outcome
from evalkit.publish.release._ledger import Ledger
from evalkit.publish.release._manifest import went_in
from evalkit.publish.release._place import waiting_at
from evalkit.publish.release._standing import beside, came_out_the_same, newest_gone, standing_at
from evalkit.publish.rendering._machine import private_files, scratch_folder


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
