"""The first files of a study of one's own: a protocol with comments, reports, notebooks, and what git is not to see."""

from __future__ import annotations

__all__ = ["SIMULATED", "Group", "Starter", "starter_files"]

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Literal

from jinja2 import Environment, StrictUndefined

from evalkit.protocol import TABLE_NAMES

_REPORTS = ("quarterly", "final", "brief")
_BESIDE = ("disclosure.yaml", "baselines.yaml")


@dataclass(frozen=True, slots=True)
class Group:
    """One of the two groups.

    Attributes
    ----------
    value : str
        What stands in the arms' column.
    label : str
        How reports name it.
    """

    value: str
    label: str


SIMULATED = (Group("non_mandated", "Non-mandated pilot"), Group("paip", "PAIP"))
"""The groups of the simulated tables."""


@dataclass(frozen=True, slots=True)
class Starter:
    """What somebody said of a study that begins.

    Attributes
    ----------
    id : str
    title : str
    starts : datetime.date
        First day on which a referral belongs to it.
    focus, comparison : Group
    assignment : {"mandate", "random", "other"}
        What sets the groups apart.
    tables : mapping of str to str
        Our name: where the table lies, from the protocol's folder.
    demo : bool
        Whether these are simulated.
    language : {"en", "es"}
    """

    id: str
    title: str
    starts: date
    focus: Group = SIMULATED[0]
    comparison: Group = SIMULATED[1]
    assignment: Literal["mandate", "random", "other"] = "mandate"
    tables: Mapping[str, str] = field(default_factory=dict)
    demo: bool = False
    language: Literal["en", "es"] = "en"

    @property
    def is_pilot(self) -> bool:
        """Whether the groups are those of the definitions, whose words are known."""
        return (self.focus, self.comparison) == SIMULATED

    @property
    def demo_values(self) -> dict[str, str]:
        """How the simulated tables' groups are read as this study's; empty where they are the same."""
        pairs = zip(SIMULATED, (self.focus, self.comparison), strict=True)
        renamed = {simulated.value: ours.value for simulated, ours in pairs}
        return renamed if self.demo and any(a != b for a, b in renamed.items()) else {}

    @property
    def absent(self) -> dict[str, str]:
        """Tables that it does not have (yet), and where they would lie."""
        return {name: f"../data/{name}.csv" for name in TABLE_NAMES if name not in self.tables}


def starter_files(study: Starter) -> dict[str, bytes]:
    """Return the files of a study that begins.

    Parameters
    ----------
    study : Starter

    Returns
    -------
    dict of str to bytes
        Path from the study's folder: content. Everything that a render needs, but the tables.

    Raises
    ------
    FileNotFoundError
        If the installation lacks the reports' notebooks.
    """
    templates, shipped = Path(str(files("evalkit.examples"))) / "starter", _shipped()
    reports = [f"{name}-es" if study.language == "es" else name for name in _REPORTS]
    made = {
        "params/study.yaml": _filled(templates / "study.yaml.j2", study, reports[0]),
        "README.md": _filled(templates / f"README.{study.language}.md.j2", study, reports[0]),
        "Makefile": _filled(templates / "Makefile.j2", study, reports[0]),
        ".gitignore": (templates / "gitignore.txt").read_bytes(),
        # Raw tables stay out of git whatever becomes of the file above, which may have been there before.
        "data/.gitignore": b"*\n",
        ".pre-commit-config.yaml": (templates / "pre-commit.yaml").read_bytes(),
    }
    copied = [f"params/{name}" for name in (*_BESIDE, *(f"{report}.yaml" for report in reports))]
    copied += [f"notebooks/{name}.ipynb" for name in _REPORTS] + ["notebooks/references.json"]
    translations = (f"notebooks/{name}.es.po" for name in _REPORTS)  # of a notebook without a paragraph there is none
    copied += [name for name in translations if (shipped / name).is_file()]
    return {**made, **{name: (shipped / name).read_bytes() for name in copied}}


def _shipped() -> Path:
    """Return the folder that holds the reports' notebooks and parameters: of the package, or of a checkout."""
    packaged = Path(str(files("evalkit"))) / "_templates"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3]


def _filled(template: Path, study: Starter, report: str) -> bytes:
    # What is made is YAML and Markdown for an editor, no page for a browser: nothing is escaped but by `yaml`.
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    # JSON's quoted text is YAML too: a title with a colon or a quote stays one value.
    environment.filters["yaml"] = lambda value: json.dumps(value, ensure_ascii=False)
    text = environment.from_string(template.read_text(encoding="utf-8")).render(study=study, report=report)
    return text.encode("utf-8")
