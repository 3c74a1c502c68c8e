"""A draft: the report as it would be published, without publishing it.

It runs what a render runs, shows only what passed disclosure control and the audit, says on every page that it is a
draft, and lies in the study's private folder. It is in no ledger and has no manifest: nothing takes it for a release.
"""

from __future__ import annotations

__all__ = ["DRAFTS", "Drafted", "Drafter", "draft_folder"]

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evalkit.cells import Problem
from evalkit.disclosure import Policy, read_record
from evalkit.errors import ReleaseError
from evalkit.excuses import ENVIRONMENT as GATE
from evalkit.protocol import load_disclosure, noise_secret, private_folder
from evalkit.publish._job import Progress, RenderJob, language_in, parameters_of, read_notebook
from evalkit.publish._make import document_from, guard_of, refuse_other_doors, says_synthetic
from evalkit.publish.audit import Guard, audit_cells, audit_document, audit_files
from evalkit.publish.audit._guard import pieces
from evalkit.publish.audit._notebook import problems_before
from evalkit.publish.release._manifest import DRAFT
from evalkit.publish.release._review import TOLD, told_before
from evalkit.publish.rendering._document import works_beside
from evalkit.publish.rendering._embedded import publish_embedded
from evalkit.publish.rendering._execute import Limits
from evalkit.publish.rendering._machine import private_files
from evalkit.publish.rendering._notebook import in_language
from evalkit.publish.rendering._session import Session
from evalkit.seal import DRAFTED, ENVIRONMENT, new_key

DRAFTS = "drafts"
"""Folder of drafts, in the study's private one."""


@dataclass(frozen=True)
class Drafted:
    """What became of one pass.

    Attributes
    ----------
    files : mapping of str to pathlib.Path
        Format: file; empty where the cells have problems.
    problems : tuple of Problem
        Found before anything ran.
    ran : int
        How many cells ran.
    seconds : float
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    ran: int = 0
    seconds: float = 0.0


def draft_folder(job: RenderJob) -> Path:
    """Return where a draft lies.

    Parameters
    ----------
    job : RenderJob

    Returns
    -------
    pathlib.Path
    """
    return private_folder(job.study) / DRAFTS / job.params.report / job.target.name


@dataclass
class Drafter:
    """Makes drafts of one report, one after the other, with one kernel.

    Attributes
    ----------
    session : Session
        Its kernel may have been started before the job was known.
    scratch : pathlib.Path
    key : str
        Of the seals of this kernel's outputs.
    """

    session: Session
    scratch: Path
    key: str
    _passes: int = field(default=0, init=False)
    _guard: Guard | None = field(default=None, init=False, repr=False)

    @classmethod
    def prepared(cls, name: str, notebook: Path, log_file: Path, scratch: Path) -> Drafter:
        """Return a drafter whose kernel starts, and loads what every report needs.

        Parameters
        ----------
        name : str
            For messages.
        notebook : pathlib.Path
        log_file, scratch : pathlib.Path

        Returns
        -------
        Drafter
        """
        key = new_key()
        variables = {ENVIRONMENT: key, DRAFTED: "1", "EVALKIT_RECORD": str(scratch / "record.jsonl")}
        variables["EVALKIT_TOLD"] = str(scratch)
        session = Session(name, scratch, notebook.parent, log_file, variables)
        session.start()
        return cls(session, scratch, key)

    def draft(self, job: RenderJob, formats: Sequence[str], told: Progress) -> Drafted:
        """Make a draft of what the notebook holds now.

        Parameters
        ----------
        job : RenderJob
        formats : sequence of {"html", "pdf"}
        told : Progress

        Returns
        -------
        Drafted

        Raises
        ------
        EvalkitError
            As a render.
        """
        started = time.monotonic()
        deadline = started + job.params.timeout_minutes * 60
        notebook = read_notebook(job.notebook)
        parameters = parameters_of(job, notebook)
        spoken = in_language(notebook, job.notebook, language_in(job, parameters))
        problems = problems_before(spoken, tuple(formats), works_beside(job.notebook))
        if problems:
            return Drafted(problems=tuple(problems), seconds=time.monotonic() - started)
        ran: list[int] = []

        def began(cell: int, total: int) -> None:
            ran.append(cell)
            told.cell(job.name, cell, total)

        # The kernel lives from one edit to the next, and seals with the key that it was started with.
        guard = replace(guard_of(job, spoken, self.scratch), key=self.key)
        if guard == self._guard:
            guard = self._guard  # it knows which texts it let pass: most are those of the draft before
        self._guard = guard
        with private_files(), ThreadPoolExecutor(1) as meanwhile:
            told_before(job.study, self.scratch / "before.bin")
            (self.scratch / TOLD).unlink(missing_ok=True)  # what cells of before an edit told is not published
            executed = self.session.run(
                spoken,
                parameters,
                limits=Limits(deadline - time.monotonic(), job.params.memory_gb, job.params.output_mb),
                variables={GATE: job.passed.to_kernel()},
                scrub=guard.scrub,
                on_cell=began,
                on_outputs=lambda outputs: meanwhile.submit(_read, outputs, guard),
            )
            audit_cells(executed, guard)
            self._hold(job, executed)
            document = replace(document_from(job, executed), draft=True)
            audit_document(document, guard)
            files = self._published(document, formats, job, deadline)
            audit_files({f"report.{name}": file for name, file in files.items()}, guard)
            return Drafted(_placed(files, draft_folder(job), job), (), len(ran), time.monotonic() - started)

    def _hold(self, job: RenderJob, executed: Any) -> None:  # noqa: ANN401 - nbformat has no types
        """Hold what was shown to the study's policy, as a render does."""
        file = self.scratch / "record.jsonl"
        record = read_record(file) if file.is_file() else []
        secret = noise_secret(job.study, synthetic=says_synthetic(executed))
        refuse_other_doors(job, executed, record, Policy.of(load_disclosure(job.study), secret))

    def _published(self, document: Any, formats: Sequence[str], job: RenderJob, deadline: float) -> dict[str, Path]:  # noqa: ANN401
        self._passes += 1
        # A fresh room: the publisher makes its folder itself, and nothing of an older pass may be printed.
        room = self.scratch / f"pass-{self._passes}"
        shutil.rmtree(self.scratch / f"pass-{self._passes - 1}", ignore_errors=True)
        room.mkdir()
        left = max(deadline - time.monotonic(), 1.0)
        return publish_embedded(document, tuple(formats), room, left, job.params.memory_gb)


def _read(outputs: Any, guard: Guard) -> None:  # noqa: ANN401 - nbformat has no types
    """Read what a cell put out while the next one runs: the audit remembers which texts it let pass."""
    for output in outputs:
        for text in output.get("data", {}).values():
            guard.objection(pieces("".join(text)))


def _placed(files: Mapping[str, Path], folder: Path, job: RenderJob) -> dict[str, Path]:
    """Put a draft's files where they stay: all are there before the first takes its place."""
    about = {"draft": 1, "study": job.study.id, "report": job.params.report, "period": job.period.name}
    # The word that it is a draft takes its place first: no report lies there of which nothing says so.
    placed = {DRAFT: folder / DRAFT, **{name: folder / f"report.{name}" for name in files}}
    parts = {name: folder / f".{file.name}.part" for name, file in placed.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        parts[DRAFT].write_text(json.dumps(about), encoding="utf-8")
        for name, file in files.items():
            shutil.copyfile(file, parts[name])
    except OSError as error:
        for part in parts.values():
            part.unlink(missing_ok=True)
        msg = f"{folder}: cannot be written ({error.strerror}); the draft is as it was"
        raise ReleaseError(msg) from None
    for old in folder.glob("report.*"):
        if old not in placed.values():
            old.unlink()  # of another pass: it would not fit
    for name, part in parts.items():
        part.replace(placed[name])
    return {name: placed[name] for name in files}
