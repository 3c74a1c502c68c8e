"""Several renders: of one study one after the other, in the order of time; of different studies side by side."""

from __future__ import annotations

__all__ = ["render_all"]

from collections.abc import Sequence
from pathlib import Path

from evalkit.errors import EvalkitError, UsageError
from evalkit.publish._job import RenderJob
from evalkit.publish._progress import LineProgress, Outcome, Progress
from evalkit.publish._render import render


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
