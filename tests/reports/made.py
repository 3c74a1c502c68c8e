"""A report whose study is real and tiny, and whose results are written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest

from evalkit.cohort import Cohort
from evalkit.disclosure import Safe
from evalkit.estimates import Estimates
from evalkit.protocol import Baseline, Baselines
from evalkit.report import Report, _mark, open_report
from evalkit.simulate import simulate
from evalkit.views import Gap
from views.made import safe_of

TABLES = ("participants", "sessions", "exits", "outcomes")
STUDY = """
id: small
title: Small study
starts: 2021-11-18
arms:
  column: pathway
  focus: {value: non_mandated, label: Pilot, label_in: in the pilot, definition: people without a court order}
  comparison: {value: paip, label: PAIP, label_in: in PAIP}
covariates: [{name: age, label: Age}]
rules: {completion: either, counting_kinds: [group], disengagement_gap_days: 21, engaged: {sessions: 3, days: 45}, funnel: {completion_days: 250}, landmark_day: 90}
harm: {kinds: [dv_arrest], label: recorded harm, horizons: [90, 182], origin: intake, death: censored}
translations: {es: {Pilot: Piloto, in the pilot: en el piloto, in PAIP: en PAIP, recorded harm: algún daño registrado, men assessed: hombres evaluados}}
baselines: null
tables:
"""
COOK = Baseline(
    id="cook", label="Cook County", what="Completion", measure="completion", value=0.734, unit="share", n=1899,
    denominator="men assessed", citation="Bennett (2005).",
)  # fmt: skip
RULE = COOK.model_copy(update={"id": "rule", "label": "", "value": 0.5, "n": None, "approximate": True})
_LEFT, _HARMED = "people with a first session", "people with an intake"
_COLUMNS = {"group": "object", "term": "object", "label": "object", "cause": "object", "measure": "object",
            "verdict": "object", "variable": "object", "method": "object"}  # fmt: skip
_NUMBERS = ("n", "n_event", "n_risk", "time", "tau", "estimate", "std_error", "conf_low", "conf_high", "smd", "e_value")


def small(tables: tuple[str, ...] = TABLES, assignment: str = "mandate") -> Report:
    """Open a study of 12 and 15 people."""
    report = _opened(tables)
    comparison = report.study.comparison.model_copy(update={"assignment": assignment})
    return replace(report, study=report.study.model_copy(update={"comparison": comparison}))


@cache
def _opened(tables: tuple[str, ...]) -> Report:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        simulate("benefit", seed=5, n_focus=12, n_comparison=15).write(place / "data")
        paths = "".join(f"  {name}: {{path: data/{name}.csv}}\n" for name in tables)
        (place / "study.yaml").write_text(f"{STUDY}{paths}", encoding="utf-8")
        return open_report(str(place / "study.yaml"), "2023Q4", title="A report")


def nothing(kind: str, withheld: tuple[str, ...] = ()) -> Safe:
    """A result of which nothing may be shown, or can be."""
    types = {**_COLUMNS, **dict.fromkeys(_NUMBERS, "float64")}
    frame = pd.DataFrame({name: pd.Series(dtype=kind_) for name, kind_ in types.items()})
    return safe_of(kind, frame, verdict="withheld", withheld=withheld)


@dataclass(frozen=True, eq=False)
class Told(Report):
    """A report that is told what its results are: by what is asked, by kind and of whom, or by kind."""

    results: Mapping[str, Safe] = field(default_factory=dict)
    differences: Mapping[str, Mapping[str, Gap]] = field(default_factory=dict)
    before: bool = True

    def safe(self, estimates: Estimates) -> Safe:
        return self._found(estimates, self.results) or nothing(estimates.kind)

    def gaps(self, safe: Safe) -> Mapping[str, Gap]:
        names = [name for name, own in self.results.items() if own.estimates is safe.estimates]
        return next((self.differences[name] for name in names if name in self.differences), {})

    @property
    def earlier(self) -> Cohort | None:
        return self.cohort if self.before else None  # which people were counted then, the results say

    def _found(self, estimates: Estimates, among: Mapping[str, Any]) -> Any:
        whom = "left" if estimates.population.startswith("people with a first session") else "harmed"
        return next(
            (among[k] for k in (estimates.estimand, f"{estimates.kind} {whom}", estimates.kind) if k in among), None
        )


def told(
    results: Mapping[str, Safe] | None = None,
    differences: Mapping[str, Mapping[str, Gap]] | None = None,
    *,
    of: Report | None = None,
    baselines: tuple[Baseline, ...] = (),
    **more: Any,
) -> Told:
    """Return a report with these results; of everything else nothing may be shown."""
    report = of or small()
    own = {one.name: getattr(report, one.name) for one in fields(Report) if one.init}
    made = Told(**own, results=results or {}, differences=differences or {}, **more)
    return replace(made, baselines=Baselines(baselines=list(baselines))) if baselines else made


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is put out: each bundle, with the mark it carries under ``mark``."""
    bundles: list[dict[str, Any]] = []

    def keep(bundle: dict[str, Any], metadata: dict[str, Any], **_: object) -> None:
        bundles.append(
            {**bundle, "mark": metadata["evalkit"] if "evalkit" in metadata else next(iter(metadata.values()))}
        )

    monkeypatch.setattr(_mark, "display", keep)
    return bundles


def points(text: str) -> list[str]:
    """The items of a list in Markdown."""
    return [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]
