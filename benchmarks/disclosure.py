"""What an attacker finds in simulated releases, and what protection costs; ``python -m benchmarks.disclosure``."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
from benchmarks.disclosure_page import page
from joblib import Parallel, delayed

import evalkit
from evalkit import engagement
from evalkit.disclosure import Policy, _safe
from evalkit.estimates import Estimates
from evalkit.harm import without_harm
from evalkit.simulate import simulate

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the attacker is part of the tests, and knows nothing of the library's search

from disclosure.attacker import printed, readings, recovered, targets  # noqa: E402
from disclosure.quarters import QUARTERS, Published, exact_means, publish, study  # noqa: E402

STUDIES, OFF_STUDIES, UNROUNDED_STUDIES, COST_STUDIES, PEOPLE = 200, 20, 40, 40, (160, 900)
POLICY = Policy()
# policy that protects, policy that prints: a protection is off, and the others do not make up for it
OFF = {
    "threshold": (Policy(minimum_count=1), Policy(minimum_count=1)),
    "safe curves": (Policy(safe_curves=False), Policy(safe_curves=False)),
    "rounding": (POLICY, Policy(rounding_base=1)),
    "rounded sums under means": (POLICY, POLICY),
    "complementary suppression": (Policy(complementary=False), POLICY),
    "ledger": (Policy(ledger=False), POLICY),
}
MEANS = "rounded sums under means"
LINKING = ("complementary suppression", "ledger")
# a policy that prints exact counts: only suppression and the ledger stand between a reader and what is left
EXACT = Policy(rounding_base=1)
UNROUNDED = {
    "nothing": EXACT,
    "complementary suppression": Policy(rounding_base=1, complementary=False),
    "ledger": Policy(rounding_base=1, ledger=False),
}
DAYS = POLICY.landmarks[:5]
Row = dict[str, Any]


def look(releases: list[Published], policy: Policy) -> Row:
    """Return what the attacker finds in all releases of one study together."""
    narrow = len(recovered(releases, policy, POLICY.ambiguity - 1))
    return {
        "known": len(recovered(releases, policy, 1)) if narrow else 0,
        "narrow": narrow,
        "printed": len(printed(releases, policy)),
        "targets": len(targets(releases)),
        "readings": len(readings(releases, policy)),
    }


def attack(seed: int) -> Row:
    """Publish and attack one study; where rows were withheld for others' sake, also without that protection."""
    releases = publish(study(seed), POLICY)
    rows = sum(len({cell.row for cell in release.cells}) for release in releases)
    withheld = sum(release.complementary for release in releases)
    on = look(releases, POLICY) | {
        "rows": rows + withheld, "withheld": withheld, "short": sum(r.tight + r.exposed for r in releases),
    }  # fmt: skip
    off = {name: look(publish(study(seed), OFF[name][0]), POLICY) for name in LINKING if withheld}
    return {"seed": seed, "on": on, "off": off}


def attack_without(seed: int, name: str) -> Row:
    """Publish and attack one study with a protection off."""
    guard, shown = OFF[name]
    exact = mock.patch.object(_safe, "rounded_sums", exact_means) if name == MEANS else contextlib.nullcontext()
    with exact:
        releases = publish(study(seed), guard, quarters=QUARTERS // 2, printed=shown)
    return {"seed": seed, "off": {name: look(releases, shown)}}


def attack_unrounded(seed: int) -> Row:
    """Publish one study under a policy that does not round, with and without suppression and ledger, and attack it."""
    off = {}
    for name, policy in UNROUNDED.items():
        releases = publish(study(seed), policy)
        off[name] = look(releases, EXACT) | {"withheld": sum(release.complementary for release in releases)}
    return {"seed": seed, "off": off}


def cost(seed: int) -> list[Row]:
    """Return headline estimates of one study of 160 and 900 people, exact and as published."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "params", Path(folder) / "params")
        simulate(seed=seed, n_focus=PEOPLE[0], n_comparison=PEOPLE[1]).write(Path(folder) / "data" / "demo")
        report = evalkit.open_report(Path(folder) / "params" / "study.yaml", "2023Q4", title="Cost")
    found = _shares(report, engagement.funnel(report.cohort))
    curves = {"not disengaged": engagement.staying(report.cohort), "no recorded harm": without_harm(report.cohort)}
    for name, exact in curves.items():
        found += _curve(report, name, exact, [d for d in DAYS if d <= 182 or name != "not disengaged"])
    return [{"seed": seed, **row} for row in found]


def _shares(report: evalkit.Report, exact: Estimates) -> list[Row]:
    keys = ["group", "term"]
    true = exact.tidy().set_index(keys)
    told = report.safe(exact).estimates.tidy().set_index(keys)["estimate"].reindex(true.index)
    rows = []
    for place, row in true.iterrows():
        error = float(np.sqrt(row["estimate"] * (1 - row["estimate"]) / row["n"])) if row["n"] else np.nan
        rows.append(_row(f"funnel: {row['label']}", place[0], row["estimate"], told[place], error))
    return rows


def _curve(report: evalkit.Report, name: str, exact: Estimates, days: list[int]) -> list[Row]:
    again: Any = dataclasses.replace(exact.analysis, times=tuple(days))  # type: ignore[type-var]
    true = again.estimate(exact.counts).tidy().set_index(["group", "time"])
    told = report.safe(exact).landmark_rows().set_index(["group", "time"])["estimate"].reindex(true.index)
    return [
        _row(f"{name}, day {place[1]:.0f}", place[0], row["estimate"], told[place], row["std_error"])
        for place, row in true.iterrows()
    ]


def _row(what: str, group: str, exact: float, told: float, error: float) -> Row:
    number: Callable[[float], float | None] = lambda v: None if pd.isna(v) else float(v)  # noqa: E731
    return {"what": what, "group": group, "exact": number(exact), "told": number(told), "error": number(error)}


def main(words: list[str] | None = None) -> int:
    """Attack the studies, measure the cost, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disclosure", description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--off-studies", type=int, default=OFF_STUDIES)
    parser.add_argument("--unrounded-studies", type=int, default=UNROUNDED_STUDIES)
    parser.add_argument("--cost-studies", type=int, default=COST_STUDIES)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--from-json", action="store_true", help="only write the page again, from disclosure.json")
    parser.add_argument("--out", type=Path, default=ROOT, help="folder of benchmarks and docs")
    asked = parser.parse_args(words)
    file = asked.out / "benchmarks" / "disclosure.json"
    if not asked.from_json:
        run = Parallel(n_jobs=asked.jobs, verbose=5)
        found = {
            "people": 160,
            "quarters": QUARTERS,
            "attacks": run(delayed(attack)(seed) for seed in range(asked.studies)),
            "without": run(
                delayed(attack_without)(seed, name)
                for name in OFF
                if name not in LINKING
                for seed in range(asked.off_studies)
            ),
            "unrounded": run(delayed(attack_unrounded)(seed) for seed in range(asked.unrounded_studies)),
            "cost": [row for rows in run(delayed(cost)(seed) for seed in range(asked.cost_studies)) for row in rows],
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8")
    (asked.out / "docs").mkdir(parents=True, exist_ok=True)
    (asked.out / "docs" / "disclosure.md").write_text(page(json.loads(file.read_text())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
