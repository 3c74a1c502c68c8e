"""``evalkit render``: from options to jobs, and what is said of them.

Releases of one report may lie beside each other: ``--as NAME``, and one for each value of a column. Such a release is
of the report ``quarterly.NAME``: folder, chain of revisions and names in the ledger are its own. No report's file can
have a point in its name, so that the two parts are always told apart.
"""

from __future__ import annotations

__all__ = [
    "Request",
    "as_published",
    "check_column",
    "log_folder",
    "one_for_each",
    "params_of",
    "plan",
    "report_name",
    "run",
    "told_apart",
]

import contextlib
import functools
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TextIO

import platformdirs

from evalkit.cli._groups import report_names
from evalkit.cli._init import slug
from evalkit.cli._records import few_record, logged, record_of, stopped_before, write_json
from evalkit.cli._surroundings import HOMELESS
from evalkit.cohort import build
from evalkit.errors import EvalkitError, ProtocolError, ReleaseError, UsageError, did_you_mean
from evalkit.intake import KnownDigests, StudyData, open_gate, secrets_of, table_digests
from evalkit.protocol import (
    Excuse,
    ReportParams,
    Study,
    YamlMapping,
    load_disclosure,
    load_study,
    private_folder,
    read_yaml,
    validate,
)
from evalkit.publish import WAITING, Outcome, RenderJob, explain, find_notebook, foreseen, progress_for, render_all
from evalkit.publish.rendering import parse_override

# No point: it parts the report from the name (`told_apart`).
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def report_name(report: str, name: str) -> str:
    """Return what a report is called whose releases lie beside its own; a `UsageError` for what is no folder's name.

    >>> report_name("quarterly", "north"), report_name("quarterly", "")
    ('quarterly.north', 'quarterly')
    """
    if name and not _NAME.fullmatch(name):
        msg = f"--as '{name}': a name has letters a to z, digits and '-', such as {slug(name) or 'north'}"
        raise UsageError(msg)
    return f"{report}.{name}" if name else report


def told_apart(report: str) -> tuple[str, str]:
    """Return the report and the name that `report_name` made one of.

    >>> told_apart("quarterly.north"), told_apart("quarterly")
    (('quarterly', 'north'), ('quarterly', ''))
    """
    base, _, name = report.partition(".")
    return base, name


def one_for_each(job: RenderJob, column: str, data: StudyData) -> tuple[list[RenderJob], list[RenderJob]]:
    """Return a render for each value of a column of words: the parameter of the column's name is set to the value.

    Also those of values with fewer people in the two groups than the policy's minimum, which are neither rendered nor
    named in public. Values come in the protocol's order, else by name. A `UsageError` where there is no such column, or
    its values cannot be told apart in names of folders.
    """
    columns = check_column(column, job.study)
    if column in job.overrides:
        msg = f"-P {column} and --for-each {column} both say the {column}; leave one out"
        raise UsageError(msg)
    # At the cut: who came later gives an old period no further report.
    people, least = build(data.at(job.period.cut)).people, load_disclosure(job.study).minimum_count
    counts = people[column].dropna().astype(str).value_counts()
    ordered = [value for value in columns[column] if value in counts]
    renders, few, names = [], [], dict[str, str]()
    for value in [*ordered, *sorted(set(counts.index) - set(ordered))]:
        name = slug(value)
        each = replace(
            job,
            params=job.params.model_copy(update={"report": report_name(job.params.report, name or "other")}),
            overrides={**job.overrides, column: value},
        )
        if counts[value] < least:
            few.append(each)
            continue
        # A folder's name is public: a value that is also an identifier would name somebody.
        if not name or name in names or value in job.identifiers:
            msg = f"--for-each {column}: its values give no names of folders; render them one by one with --as NAME"
            raise UsageError(msg)
        names[name] = value
        renders.append(each)
    if not renders:
        msg = f"--for-each {column}: no {column} has enough people for a report of its own"
        raise UsageError(msg)
    return renders, few


def as_published(job: RenderJob, manifest: Mapping[str, Any]) -> RenderJob:
    """Return a render with what was set on the command line for the release of a manifest."""
    set_then = {name: manifest["parameters"][name] for name in manifest.get("overridden", ())}
    parameters = {**job.params.parameters, **set_then}
    return replace(job, params=job.params.model_copy(update={"parameters": parameters}))


def check_column(column: str, study: Study) -> dict[str, list[str]]:
    """Return the columns of words, with the values that the protocol names; a `UsageError` for another column."""
    columns = _columns(study)
    if column not in columns:
        msg = f"--for-each {column}: the column may be {', '.join(columns)}{did_you_mean(column, columns)}"
        raise UsageError(msg)
    return columns


def _columns(study: Study) -> dict[str, list[str]]:
    """Return the columns of words, each with its values where the protocol names them."""
    places = {"site": study.sites, "community_area": study.community_areas, "referral_source": study.referral_sources}
    found = {column: list(values or ()) for column, values in places.items()}
    return found | {c.name: list(c.levels or ()) for c in study.covariates if c.kind == "categorical"}


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line; see ``evalkit render --help``."""

    report: str
    periods: tuple[str, ...] = ()
    studies: tuple[Path, ...] = ()
    params: Path | None = None
    parameters: tuple[str, ...] = ()
    publisher: str | None = None
    to: str | None = None
    out: Path = Path("reports")
    jobs: int = 1
    supersede: str = ""
    force: bool = False
    explain: bool = False
    new_ledger: str = ""
    json: bool = False
    verbose: bool = False
    name: str = ""
    for_each: str = ""


def run(request: Request) -> int:
    """Render what was asked for, and return the exit code; an `EvalkitError` of what is common to all renders."""
    jobs: list[RenderJob] = []
    for file in request.studies:
        try:
            jobs += plan(request, file) if not request.for_each else _plan_each(request, file)
        except EvalkitError as error:
            return _stopped(request, file, error)
    for job in jobs:
        for warning in job.passed.warnings:
            sys.stderr.write(f"evalkit: {job.name}: {warning}\n")
    if request.explain:
        if request.json:
            write_json([record_of(job, foreseen(job)) for job in jobs], 0)
            return 0
        for job in jobs:
            sys.stdout.write(f"{explain(job)}\n")
        return 0
    with progress_for() as progress:
        results = render_all(jobs, request.jobs, progress)
    code = exit_code(results)
    records = [record_of(job, result) for job, result in zip(jobs, results, strict=True)]
    for job, result, record in zip(jobs, results, records, strict=True):
        _log(job.study, record)
        if isinstance(result, EvalkitError):
            _tell(sys.stderr, f"evalkit: {' '.join(str(result).split())}\n")
        elif not request.json:
            for name in job.params.publication.to:
                _tell(sys.stdout, f"{result.place / f'report.{name}'}\n")
    if request.json:
        write_json(records, code)
    return code


def _stopped(request: Request, file: Path, error: EvalkitError) -> int:
    """Write down that nothing could be rendered, where there is a study to write it down for; and say it."""
    study = None
    with contextlib.suppress(EvalkitError):
        # Read again: the error may be that it cannot be.
        study = load_study(file)
    record = stopped_before(request.report, error, study)
    if study is not None and not request.explain:
        _log(study, record)
    if not request.json:
        raise error
    write_json([record], error.exit_code)
    return error.exit_code


def _log(study: Study, record: Mapping[str, Any]) -> None:
    """Write a line into the log of runs; what was done stays done where that cannot be."""
    try:
        logged(study, [record])
    except (EvalkitError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        _tell(sys.stderr, f"evalkit: this run is not in the log of runs ({why})\n")


def exit_code(results: Sequence[Outcome | EvalkitError]) -> int:
    """Return the exit code of several renders: that of the first that failed; else 13 where one waits; else 0."""
    failed = [result.exit_code for result in results if isinstance(result, EvalkitError)]
    waits = any(isinstance(result, Outcome) and result.status == "waiting_for_approval" for result in results)
    return failed[0] if failed else WAITING if waits else 0


def _tell(stream: TextIO, text: str) -> None:
    """Say how a render ended; that nobody listens any more takes nothing from what was published."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        # Or Python would try again when it ends, and fail with a code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def plan(request: Request, file: Path, held: Sequence[Excuse] = ()) -> list[RenderJob]:
    """Turn a request into jobs; everything that can be wrong is found before a kernel starts.

    ``held`` are excuses of a release that is verified: they hold whatever the day.
    """
    return _planned(request, file, held)[0]


def _plan_each(request: Request, file: Path) -> list[RenderJob]:
    """Turn a request into jobs, one for each value of a column; which has too few people only the log says."""
    if request.name:
        msg = "--as names one release, and --for-each several; leave one out"
        raise UsageError(msg)
    jobs, data = _planned(request, file)
    found = [one_for_each(job, request.for_each, data) for job in jobs]
    if not request.explain:
        for job in (job for _, few in found for job in few):
            _log(job.study, few_record(job))
    return [job for renders, _ in found for job in renders]


def _planned(request: Request, file: Path, held: Sequence[Excuse] = ()) -> tuple[list[RenderJob], StudyData]:
    study = load_study(file)
    params_file, params = params_of(request, study)
    overrides = dict(parse_override(text) for text in request.parameters)
    notebook = find_notebook(params.notebook, study)
    gate = open_gate(study, held=held)
    periods = gate.periods(request.periods or (params.period,))
    passed = [gate.check(period) for period in periods]
    identifiers, secrets = gate.data.identifiers, secrets_of(study)
    jobs = [
        RenderJob(
            study=study,
            params=params,
            params_file=str(params_file),
            period=period,
            notebook=notebook,
            out=request.out.expanduser().resolve(),
            log_folder=log_folder(study),
            overrides=overrides,
            tables=functools.partial(table_digests, study),
            known=KnownDigests(study, period.cut, gate.data),
            supersede=request.supersede,
            verbose=request.verbose,
            force=request.force,
            identifiers=identifiers,
            secrets=secrets,
            new_ledger=request.new_ledger,
            passed=through,
            newest_days={name: day.isoformat() if day else None for name, day in gate.newest_days.items()},
        )
        for period, through in zip(periods, passed, strict=True)
    ]
    for job in jobs:
        _stays_inside(job)
    return jobs, gate.data


def params_of(request: Request, study: Study) -> tuple[Path, ReportParams]:
    """Return the report's file, and what it says under the options of the command line."""
    file = _params_file(request, study)
    params = _with_options(file, request)
    return file, params.model_copy(update={"report": report_name(params.report, request.name)})


def log_folder(study: Study) -> Path:
    """Return where logs of failed cells go: the user's folder of logs, or the study's private one."""
    usual = Path(platformdirs.user_log_dir("evalkit"))
    above = next(folder for folder in (usual, *usual.parents) if folder.exists())
    lasts = HOMELESS not in os.environ and os.access(above, os.W_OK | os.X_OK)
    return usual if lasts else private_folder(study) / "logs"


def _stays_inside(job: RenderJob) -> None:
    """Refuse a release folder that is, or lies in, a link: what is published must lie where it seems to lie."""
    for folder in (job.target, *job.target.parents):
        if folder == job.out:
            return
        if folder.is_symlink():
            msg = f"{folder}: is a link; a release is only written to a real folder below {job.out}"
            raise ReleaseError(msg)


def _params_file(request: Request, study: Study) -> Path:
    if request.params is not None:
        return request.params
    # A slash or points in it would lead to a file outside of these folders.
    if not request.report.replace("-", "").replace("_", "").isalnum():
        msg = f"'{request.report}' is no report's name; a report is named as in params/quarterly.yaml: quarterly"
        raise UsageError(msg)
    name = f"{request.report}.yaml"
    checkout = Path(__file__).resolve().parents[3] / "params"
    shipped = Path(str(files("evalkit"))) / "_templates" / "params"
    # The study's own goes first; what the package brings is for who has begun none.
    for folder in (study.folder, Path.cwd() / "params", checkout, shipped):
        if (folder / name).is_file():
            return folder / name
    near = did_you_mean(
        request.report, [n for folder in (study.folder, checkout, shipped) for n in report_names(folder)]
    )
    msg = f"there is no report '{request.report}': no {name} beside {study.path.name}; name it with --params{near}"
    raise UsageError(msg)


def _with_options(file: Path, request: Request) -> ReportParams:
    """Put command-line choices over the file's, and hold the result to the same schema."""
    content = read_yaml(file)
    given = content.get("publication") or {}
    if not isinstance(given, dict):
        validate(ReportParams, content, str(file))  # says what is wrong with it
    publication: dict[str, Any] = dict(given)
    if request.publisher is not None:
        publication["publisher"] = request.publisher
    if request.to is not None:
        publication["to"] = [part.strip() for part in request.to.split(",") if part.strip()]
    # With the lines of the file, so that a message still names them.
    chosen = YamlMapping({**content, "publication": publication}, content.lines)
    params = validate(ReportParams, chosen, str(file))
    # The name inside decides where releases lie: they would go among those of another report.
    if request.params is None and params.report != request.report:
        msg = f"{file}: is of report '{params.report}', not '{request.report}'"
        raise ProtocolError(msg)
    return params
