"""JSON Schemas of the protocol's files, so that editors complete and check the YAML."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from evalkit.protocol._disclosure import Disclosure
from evalkit.protocol._report import Baselines, ReportParams
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
