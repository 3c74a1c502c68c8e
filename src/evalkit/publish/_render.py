"""One render: parameters checked, notebook run, document published, release placed. All of it or nothing."""

from __future__ import annotations

__all__ = ["RenderJob", "find_notebook", "render", "render_all"]

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat

from evalkit.errors import EvalkitError, ExecutionError, ExecutionTimeoutError, ProtocolError, UsageError
from evalkit.periods import Period, quarters_between
from evalkit.protocol import ReportParams, Study
from evalkit.publish._data import write_data
from evalkit.publish._document import Document, document_of
from evalkit.publish._embedded import publish_embedded
from evalkit.publish._execute import execute
from evalkit.publish._manifest import digest, write_manifest
from evalkit.publish._parameters import declared, validated
from evalkit.publish._prepare import MARK
from evalkit.publish._progress import LineProgress, Progress
from evalkit.publish._quarto import find_quarto, publish_quarto, quarto_version
from evalkit.publish._release import check_place, place_release, release_folder
from evalkit.publish._tools import tool_versions
from evalkit.publish.audit import Guard, audit_cells, audit_document, audit_files, guard_for
from evalkit.seal import ENVIRONMENT, new_key


@dataclass(frozen=True)
class RenderJob:
    """Everything one render needs.

    Attributes
    ----------
    study : Study
        With the file it was read from.
    params : ReportParams
        The report, with command-line choices already in it.
    params_file : str
        For messages.
    period : Period
    notebook : pathlib.Path
    out : pathlib.Path
        The reports folder.
    overrides : mapping of str
        Raw ``-P`` values.
    inputs : tuple of (str, pathlib.Path)
        Raw files: table and file. Their digests go into the manifest.
    replace : bool
        Whether a release that is there may be put beside.
    log_folder : pathlib.Path
        Where a failed render leaves its log.
    identifiers : frozenset of str
        Of all participants: the audit looks for them in what would be published.
    secrets : frozenset of str
        Passwords and addresses of databases; looked for, too.
    """

    study: Study
    params: ReportParams
    params_file: str
    period: Period
    notebook: Path
    out: Path
    log_folder: Path
    overrides: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[tuple[str, Path], ...] = ()
    replace: bool = False
    identifiers: frozenset[str] = field(default=frozenset(), repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def name(self) -> str:
        """How messages name this render."""
        return f"{self.params.report} {self.period.name}"

    @property
    def target(self) -> Path:
        """The release folder."""
        period = self.period.name.replace("..", "_to_")
        return release_folder(self.out, self.study.id, self.params.report, period)


def find_notebook(name: str, study: Study) -> Path:
    """Find a report's notebook.

    Parameters
    ----------
    name : str
        File name from the report's parameters.
    study : Study

    Returns
    -------
    pathlib.Path
        The first of: ``notebooks/`` in the working folder, beside or above the protocol, and the ones evalkit ships.

    Raises
    ------
    ProtocolError
        If there is none.
    """
    if Path(name).name != name or not name.endswith(".ipynb"):
        msg = f"notebook '{name}': give the bare name of an .ipynb file in a notebooks folder"
        raise ProtocolError(msg)
    checkout = Path(__file__).resolve().parents[3]
    shipped = Path(str(files("evalkit"))) / "_templates"
    places = [Path.cwd(), study.folder, study.folder.parent, checkout, shipped]
    for place in places:
        if (place / "notebooks" / name).is_file():
            return (place / "notebooks" / name).resolve()
    msg = f"notebook '{name}' is in none of: {', '.join(str(p / 'notebooks') for p in places[:3])}"
    raise ProtocolError(msg)


def _read_notebook(file: Path) -> Any:  # noqa: ANN401 - nbformat has no types
    try:
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, nbformat.ValidationError):
        msg = f"{file}: is not a readable notebook; open it in JupyterLab and save it"
        raise ProtocolError(msg) from None
    return notebook


def _parameters(job: RenderJob, notebook: Any) -> dict[str, Any]:  # noqa: ANN401
    cells = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(cells) != 1:
        msg = f"{job.notebook.name}: has {len(cells)} cells tagged 'parameters'; it needs exactly one"
        raise ProtocolError(msg)
    source = "\n".join(line for line in cells[0].source.splitlines() if not line.startswith("#|"))
    schema = declared(source, job.notebook.name)
    values = validated(schema, job.params.parameters, job.overrides, job.params_file)
    return {**values, "study": str(job.study.path), "period": job.period.name}


def render(job: RenderJob, progress: Progress | None = None) -> Path:
    """Render one report and place its release.

    Parameters
    ----------
    job : RenderJob
    progress : Progress, optional
        Plain lines on stderr when not given.

    Returns
    -------
    pathlib.Path
        The release folder.

    Raises
    ------
    EvalkitError
        Of the class that says what went wrong; nothing is published then.
    """
    told = progress or LineProgress()
    deadline = time.monotonic() + 60 * job.params.timeout_minutes
    notebook = _read_notebook(job.notebook)
    parameters = _parameters(job, notebook)
    check_place(job.target, replace=job.replace)
    publisher = _choose(job.params.publication.publisher)
    before = _digests(job)
    with tempfile.TemporaryDirectory(prefix="evalkit-") as scratch_name:
        scratch = Path(scratch_name)
        guard = _guard(job, notebook, scratch)
        if guard.identifiers.unsearched:
            told.step(job.name, f"{guard.identifiers.unsearched} identifiers are too short to be looked for")
        executed = execute(
            notebook,
            parameters,
            name=job.name,
            scratch=scratch,
            source_folder=job.notebook.parent,
            log_file=job.log_folder / f"{job.study.id}-{job.params.report}-{job.target.name}.log",
            timeout=deadline - time.monotonic(),
            on_cell=lambda done, total: told.cell(job.name, done, total),
            variables={ENVIRONMENT: guard.key},
            scrub=guard.scrub,
        )
        audit_cells(executed, guard)
        told.step(job.name, f"publishing with {publisher}")
        publication = job.params.publication
        document = document_of(executed, toc=publication.toc, pdf_standard=publication.pdf_standard)
        audit_document(document, guard)
        made = _publish(document, publisher, job, scratch, deadline)
        made |= write_data(document, scratch, deadline - time.monotonic())
        if _digests(job) != before:
            msg = f"{job.name}: an input changed while the report was made; render it again"
            raise ExecutionError(msg)
        manifest = write_manifest(
            _facts(job, parameters, document, executed, publisher, before, scratch),
            made,
            scratch / "manifest.json",
        )
        made["manifest.json"] = manifest
        audit_files(made, guard)
        place_release(made, job.target, replace=job.replace)
    told.step(job.name, f"published in {job.target}")
    return job.target


def _guard(job: RenderJob, notebook: Any, scratch: Path) -> Guard:  # noqa: ANN401 - nbformat has no types
    """Return what the audit of this render looks for, and the days that may be published."""
    named = [job.study.path, *(job.study.folder / n for n in (job.study.baselines, job.study.disclosure) if n)]
    sources = [cell.source for cell in notebook.cells]
    quarters = quarters_between(job.study.starts, job.period.last, job.study.fiscal_year_start_month)
    ends = [day for period in (*quarters, job.period) for day in (period.first, period.last, period.cut)]
    return guard_for(
        new_key(),
        identifiers=job.identifiers,
        secrets=job.secrets,
        paths=[str(scratch), str(job.study.folder), str(job.out), str(Path.home())],
        protocol="\n".join(file.read_text(encoding="utf-8", errors="replace") for file in named if file.is_file()),
        authored="\n".join([*sources, job.params.model_dump_json()]),
        days=[*ends, job.study.starts],
    )


def _choose(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    return "quarto" if find_quarto() is not None else "embedded"


def _publish(document: Document, publisher: str, job: RenderJob, scratch: Path, deadline: float) -> dict[str, Path]:
    left = deadline - time.monotonic()
    if left <= 0:
        msg = f"{job.name}: no time left to publish; raise timeout_minutes in {job.params_file}"
        raise ExecutionTimeoutError(msg)
    formats = tuple(dict.fromkeys(job.params.publication.to))
    publish = publish_quarto if publisher == "quarto" else publish_embedded
    made = publish(document, formats, scratch, left)
    return {f"report.{name}": file for name, file in made.items()}


def _digests(job: RenderJob) -> dict[str, str]:
    files_read = {"notebook": job.notebook, "study": job.study.path}
    if job.study.disclosure is not None:
        files_read["disclosure"] = job.study.folder / job.study.disclosure
    if job.study.baselines is not None:
        files_read["baselines"] = job.study.folder / job.study.baselines
    found = {}
    for name, file in [*files_read.items(), *((f"table {t}", f) for t, f in job.inputs)]:
        try:
            found[name] = digest(file)
        except OSError as error:
            msg = f"{file}: cannot be read ({error.strerror})"
            raise ProtocolError(msg) from None
    return found


def _facts(
    job: RenderJob,
    parameters: Mapping[str, Any],
    document: Document,
    executed: Any,  # noqa: ANN401 - nbformat has no types
    publisher: str,
    digests: Mapping[str, str],
    scratch: Path,
) -> dict[str, Any]:
    tools = tool_versions()
    program = find_quarto()
    if publisher == "quarto" and program is not None:
        tools["quarto"] = quarto_version(program, scratch)
    marks = [o.get("metadata", {}).get(MARK, {}) for c in executed.cells for o in c.get("outputs", [])]
    return {
        "study": job.study.id,
        "report": job.params.report,
        "period": job.period.name,
        "data_cut": document.cut_date.isoformat(),
        "synthetic": document.synthetic,
        "seed": job.study.seed,
        "parameters": {**parameters, "study": job.study.path.name},
        "publisher": publisher,
        "pdf_standard": job.params.publication.pdf_standard,
        "inputs": {name: {"sha256": value} for name, value in sorted(digests.items())},
        "tools": tools,
        "estimates": sorted(_estimates(marks).items()),
    }


def _estimates(marks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return id and kind of every estimate that something published comes from."""
    found = {str(mark["estimate"]): str(mark.get("kind", "")) for mark in marks if "estimate" in mark}
    return {str(name): str(kind) for mark in marks for name, kind in mark.get("also", {}).items()} | found


def _one(job: RenderJob) -> Path | EvalkitError:
    try:
        return render(job)
    except EvalkitError as error:
        return error


def render_all(jobs: Sequence[RenderJob], workers: int, progress: Progress) -> list[Path | EvalkitError]:
    """Render several reports; one that fails does not stop the others.

    Parameters
    ----------
    jobs : sequence of RenderJob
        No two for the same release.
    workers : int
        How many at once; each has a process of its own.
    progress : Progress
        Used when one works at a time.

    Returns
    -------
    list of (pathlib.Path or EvalkitError)
        In the order of the jobs.

    Raises
    ------
    UsageError
        If two jobs would make the same release.
    """
    if len({job.target for job in jobs}) < len(jobs):
        msg = "the same report and period is asked for twice"
        raise UsageError(msg)
    if workers <= 1 or len(jobs) == 1:
        found: list[Path | EvalkitError] = []
        for job in jobs:
            try:
                found.append(render(job, progress))
            except EvalkitError as error:
                found.append(error)
        return found
    import joblib  # noqa: PLC0415 - only for batches

    results: list[Path | EvalkitError] = joblib.Parallel(n_jobs=min(workers, len(jobs)))(
        joblib.delayed(_one)(job) for job in jobs
    )
    return results
