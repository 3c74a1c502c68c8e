"""What is said of the protocol's keys to those who write them: JSON Schemas, and defaults that have changed.

By the schemas editors complete and check the YAML. Where a default is another than it was, a protocol that leaves the
key out means something else now.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from evalkit.protocol._report import Baselines, Disclosure, ReportParams
from evalkit.protocol._study import Study

SCHEMAS: dict[str, type[BaseModel]] = {
    "study.schema.json": Study,
    "baselines.schema.json": Baselines,
    "disclosure.schema.json": Disclosure,
    "report.schema.json": ReportParams,
}


def write_schemas(folder: Path) -> list[Path]:
    """Write the JSON Schemas of the protocol's files.

    Parameters
    ----------
    folder : pathlib.Path
        Made when it is not there.

    Returns
    -------
    list of pathlib.Path
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in schema_files().items():
        written.append(folder / name)
        written[-1].write_bytes(content)
    return written


def schema_files() -> dict[str, bytes]:
    """Return the JSON Schemas of the protocol's files.

    Returns
    -------
    dict of str to bytes
        Name of a file: its content.
    """
    found = {}
    for name, model in SCHEMAS.items():
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
        found[name] = (json.dumps(schema, indent=2) + "\n").encode()
    return found


# Before "the words made right" (CHANGELOG): the value that was, and what the new one changes.
_CHANGED = {
    "rules.completion": (
        "either",
        "completing is a recorded exit and no longer also the dose, which is reported beside it",
    ),
    "rules.counting_kinds": ("[group]", "up to four individual sessions count towards the dose"),
    "rules.landmark_day": ("182", "a weekly dose takes at least 161 days from the first session"),
    "harm.origin": ("intake", "people who never came to an intake are followed for harm too, and earlier harm counts"),
    "harm.death": ("censored", "whoever dies can have no harm any more, so that shares with harm are a little lower"),
}


def changed_defaults(study: Study) -> list[str]:
    """Name each key that a protocol leaves to a default that has changed, and what changes.

    Parameters
    ----------
    study : Study

    Returns
    -------
    list of str
        A line each. Completion matters only where there are sessions, harm only where there are outcomes.
    """
    said = []
    for key, (before, why) in _CHANGED.items():
        part, name = key.split(".")
        model = study.rules if part == "rules" else study.harm
        if name not in model.model_fields_set and _matters(study, part, name):
            now = study.rules.counting_words if name == "counting_kinds" else getattr(model, name)
            said.append(f"{key} is not in the protocol; its default is {now} now and was {before}: {why}")
    return said


def _matters(study: Study, part: str, name: str) -> bool:
    """Whether anything of a study depends on a key."""
    if part == "rules":
        return "sessions" in study.tables and (name != "landmark_day" or "outcomes" in study.tables)
    return "outcomes" in study.tables and (name != "death" or "exits" in study.tables)
