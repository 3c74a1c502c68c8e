"""Releases of one report beside each other: ``--as NAME``, and one for each value of a column.

Such a release is of the report ``quarterly.NAME``: folder, chain of revisions and names in the ledger are its own.
No report's file can have a point in its name, so that the two parts are always told apart.
"""

from __future__ import annotations

__all__ = ["as_published", "check_column", "one_for_each", "report_name", "told_apart"]

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from evalkit.cli._init import slug
from evalkit.cohort import build
from evalkit.errors import UsageError, did_you_mean
from evalkit.intake import StudyData
from evalkit.protocol import Study, load_disclosure
from evalkit.publish import RenderJob

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
