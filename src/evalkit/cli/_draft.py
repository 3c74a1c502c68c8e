"""``evalkit draft``: checks, a run, a page; and again after each edit."""

from __future__ import annotations

__all__ = ["run"]

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from evalkit.cli._render import Request, log_folder, params_of, plan
from evalkit.errors import EvalkitError, PublicationError
from evalkit.intake.mapping import files_like
from evalkit.protocol import Study, load_study, version_file, write_private
from evalkit.publish import Drafted, Drafter, RenderJob, find_notebook, progress_for
from evalkit.publish.rendering import scratch_folder, swept_up

_LOOKS = 0.15  # seconds between looks at the files: an edit is to be seen within two
_SETTLES = 0.05  # seconds for which a file has to stay as it is: editors write in two steps


def run(request: Request, *, pdf: bool, watch: bool, port: int, browser: bool) -> int:
    """Make a draft, with a PDF beside the page if asked; with ``watch`` serve it, and make it again after each change.

    0, or 9 where the notebook has problems. An `EvalkitError` as of a render; with ``watch`` only of what is wrong
    before the first page. Port 0 is any free one.
    """
    swept_up()
    formats = ("html", "pdf") if pdf else ("html",)
    with progress_for() as progress, scratch_folder() as scratch:
        bench = _Bench(request, scratch, formats, progress)
        try:
            if not watch:
                return _told(bench.draft(), sys.stdout)
            from evalkit.cli._serve import Served  # noqa: PLC0415

            with Served(port) as served:
                sys.stdout.write(f"{served.address}\n")
                sys.stdout.flush()
                _watch(bench, served, browser=browser)
        finally:
            bench.close()
    return 0


@dataclass
class _Bench:
    """One report on the bench: its kernel, and what it is made of."""

    request: Request
    scratch: Path
    formats: tuple[str, ...]
    progress: Any
    _drafter: Drafter | None = None
    _job: RenderJob | None = None
    _made_of: dict[Path, tuple[int, int] | None] | None = None
    _notebook: dict[Path, tuple[int, int] | None] | None = None  # as it was when the kernel began

    def draft(self) -> Drafted:
        """Make a draft of what is there now."""
        file = self.request.studies[0]
        if self._job is None or self._drafter is None or _stats(self._made_of or {}) != self._made_of:
            self._begin(file)
        if self._job is None or self._drafter is None:
            msg = "the draft could not begin"
            raise PublicationError(msg)
        return self._drafter.draft(self._job, self.formats, self.progress)

    def _begin(self, file: Path) -> None:
        """Start a kernel, and look at the tables meanwhile."""
        self.close()
        study = load_study(file)
        params_file, params = params_of(self.request, study)
        notebook = find_notebook(params.notebook, study)
        self._made_of, self._notebook = _stats(_inputs(study, params_file, notebook)), _stats([notebook])
        planned: list[RenderJob | EvalkitError] = []

        def work() -> None:
            try:
                planned.extend(plan(self.request, file))
            except EvalkitError as error:
                planned.append(error)

        # A kernel takes seconds to begin, and so do the tables: at the same time.
        thread = threading.Thread(target=work, name="plan", daemon=True)
        thread.start()
        log = log_folder(study) / f"{study.id}-{params.report}-draft.log"
        self._drafter = Drafter.prepared(f"{params.report} draft", notebook, log, self.scratch)
        thread.join()
        job = planned[0] if planned else PublicationError("the study could not be opened")
        if isinstance(job, EvalkitError):
            self.close()
            raise job
        self._job = job
        for warning in self._job.passed.warnings:
            sys.stderr.write(f"evalkit: {self._job.name}: {warning}\n")

    def watched(self) -> dict[Path, tuple[int, int] | None]:
        """Return the state of everything that a draft is made of."""
        return _stats([*(self._made_of or {}), *(self._notebook or {}), self.request.studies[0]])

    @property
    def begun_with(self) -> dict[Path, tuple[int, int] | None]:
        """The state of what was there when the kernel began."""
        return {**(self._made_of or {}), **(self._notebook or {})}

    def close(self) -> None:
        """End the kernel."""
        if self._drafter is not None:
            self._drafter.session.close()
        self._drafter = self._job = None


def _inputs(study: Study, params_file: Path, notebook: Path) -> list[Path]:
    """Return the files for which a kernel has to begin anew: all but the notebook."""
    named = [study.folder / name for name in (study.baselines, study.disclosure) if name]
    paths = [study.folder / path for table in study.tables.values() for path in table.paths]
    # A file more that a pattern names, or one frozen protocol more, changes the folder.
    frozen = version_file(study, "*")
    tables = [found for path in (*paths, frozen) for found in (path, *files_like(path))]
    folders = [frozen.parent, *(path.parent for path in paths if has_magic(path.name))]
    beside = [f for f in notebook.parent.iterdir() if f.suffix in {".py", ".po", ".json"}]
    return [study.path, params_file, *named, *tables, *folders, *beside]


def _stats(files: Any) -> dict[Path, tuple[int, int] | None]:  # noqa: ANN401 - any iterable of paths
    found: dict[Path, tuple[int, int] | None] = {}
    for file in files:
        found[file] = None
        with contextlib.suppress(OSError):
            about = file.stat()
            found[file] = (about.st_size, about.st_mtime_ns)
    return found


def _told(drafted: Drafted, stream: Any) -> int:  # noqa: ANN401
    """Say what became of a draft."""
    for problem in drafted.problems:
        sys.stderr.write(f"evalkit: {problem}\n")
    for file in drafted.files.values():
        stream.write(f"{file}\n")
    stream.flush()
    return PublicationError.exit_code if drafted.problems else 0


def _watch(bench: _Bench, served: Any, *, browser: bool) -> None:  # noqa: ANN401
    """Make the draft again whenever something changes, until somebody ends it."""
    for number, _ in enumerate(_changes(bench)):
        try:
            drafted = bench.draft()
        except EvalkitError as error:
            sys.stderr.write(f"evalkit: {' '.join(str(error).split())}\n")
            served.trouble([str(error)])
            continue
        _told(drafted, sys.stderr)
        if drafted.problems:
            served.trouble([str(problem) for problem in drafted.problems])
            continue
        served.show(drafted.files)
        cells = "no cell ran" if not drafted.ran else f"{drafted.ran} cells ran"
        bench.progress.step("draft", f"{cells}, {drafted.seconds:.1f} s; Ctrl-C ends it")
        if number == 0 and browser:
            import webbrowser  # noqa: PLC0415

            webbrowser.open(_door(bench.scratch, served.address))


def _door(folder: Path, address: str) -> str:
    """Write a page that leads on to a draft, and return its address.

    What a browser is called with every user of the machine sees (``ps``): the draft's own address has the token in it.
    """
    file = folder / "open.html"
    head = f'<meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url={address}">'
    page = f'<!DOCTYPE html><html lang="en"><head><title>Draft</title>{head}</head><body></body></html>'
    write_private(file, page.encode())
    return file.as_uri()


def _changes(bench: _Bench) -> Iterator[None]:
    """Yield once, and then after each change of what a draft is made of."""
    yield
    before = {**bench.watched(), **bench.begun_with}  # an edit made during the first pass is seen
    while True:
        now = bench.watched()
        if now == before:
            time.sleep(_LOOKS)
            continue
        time.sleep(_SETTLES)
        if bench.watched() != now:
            continue
        before = now
        yield
