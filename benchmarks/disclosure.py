"""What an attacker finds in simulated releases, and what protection costs; ``python -m benchmarks.disclosure``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.disclosure_page import page
from joblib import Parallel, delayed

import evalkit
from evalkit import analyses
from evalkit.analyses import without_harm
from evalkit.analyses._analyses import ShareOf
from evalkit.counts import Tally, codes_of
from evalkit.disclosure import Policy, Told, make_safe
from evalkit.estimates import Estimates
from evalkit.simulate import simulate
from evalkit.stats import kaplan_meier

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the attacker is part of the tests, and knows nothing of the library's secret

from disclosure.attacker import observed, printed, recovered, sureness, targets  # noqa: E402
from disclosure.quarters import QUARTERS, publish, study  # noqa: E402
from disclosure.test_questions import published, reports  # noqa: E402

STUDIES, OFF_STUDIES, COST_STUDIES, LOOKS, SAMPLES, PEOPLE = 200, 20, 40, 16, 2000, (160, 900)
REPORT_STUDIES = (1, 2, 5)
SECRET = bytes(range(32))
POLICY = Policy(secret=SECRET)
OFF = {
    "threshold": Policy(minimum_count=1, minimum_subgroup=1, secret=SECRET),
    "safe curves": Policy(safe_curves=False, secret=SECRET),
    "noise": Policy(noise_variance=0, secret=SECRET),
}
DAYS = POLICY.landmarks[:5]
Row = dict[str, Any]


def attack(seed: int) -> Row:
    """Publish one study in all its quarters, and attack the releases together."""
    releases = publish(study(seed), POLICY)
    known = observed(releases)
    pairs = [len(found) for found in targets(releases, known).values()]
    sure = sureness(releases, POLICY)
    return {
        "seed": seed,
        "published": len(known),
        "targets": len(pairs),
        "printed": len(printed(releases)),
        "narrow": len(recovered(releases, POLICY, 2)),
        "surest": max(sure),
        "over": sum(chance > 0.5 for chance in sure),
        "pairs": pairs,
    }


def attack_reports(seed: int) -> list[Row]:
    """Attack whole reports of eight quarters, with the look for differences that return and without it."""
    with tempfile.TemporaryDirectory() as folder:
        exact = reports(Path(folder), seed)
    found = []
    for told in (Told(), None):
        releases = published(exact, dataclasses.replace(POLICY, told=told))
        known = observed(releases)
        pairs = [len(looks) for looks in targets(releases, known).values() if looks]
        sure = sureness(releases, POLICY)
        asked, left_out = (told.asked, told.left_out) if told else (len(known), 0)
        row = {"seed": seed, "on": told is not None, "asked": asked, "left_out": left_out, "differences": len(pairs)}
        found.append({**row, "pairs": max(pairs), "over": sum(s > 0.5 for s in sure), "surest": max(sure)})
    return found


def attack_without(seed: int, name: str) -> Row:
    """Attack one study of four quarters with a protection off, of which he knows: what is printed, or worked out."""
    policy = OFF[name]
    releases = publish(study(seed), policy, quarters=QUARTERS // 2)
    row = {"off": name, "printed": len(printed(releases, same=False)), "narrow": 0}
    if name == "noise":  # nothing small is printed, and all that is printed is exact
        row["narrow"] = len(recovered(releases, dataclasses.replace(policy, noise_most=0), 2))
    return row


def attack_looks(seed: int, *, keyed: bool) -> Row:
    """Look at the same four quarters many times, and take the mean: with keys it is the same each time."""
    policies = [Policy(secret=SECRET if keyed else bytes([look]) * 32) for look in range(LOOKS)]
    looks = [publish(study(seed), policy, quarters=QUARTERS // 2) for policy in policies]
    told = [observed(releases) for releases in looks]
    mean = {group: np.mean([numbers[group] for numbers in told]) for group in told[0] if all(group in n for n in told)}
    differences = [
        (len(small), round(float(np.mean([mean[big] - mean[little] for big, little in pairs]))))
        for small, pairs in targets(looks[0], mean).items()
        if pairs
    ]
    return {"keyed": keyed, "targets": len(differences), "right": sum(exact == found for exact, found in differences)}


def covered_shares(n: int, share: float) -> Row:
    """Return how often the published interval of a share holds the truth, among those that are published."""
    rng, hits, told = np.random.default_rng(n), 0, 0
    for sample in range(SAMPLES):
        x = int(rng.binomial(n, share))
        who = codes_of(pd.DataFrame({"participant_id": [f"{sample}/{i}" for i in range(n)]}))
        frame = pd.DataFrame({"group": ["a"], "term": "t", "n_event": [x], "n": [n]})
        exact = ShareOf(kind="proportion", estimand="e").estimate(
            Tally(frame, people=({"n": who, "n_event": who[:x]},))
        )
        rows = make_safe(exact, POLICY).estimates.tidy()
        if len(rows) and pd.notna(rows["estimate"].iloc[0]):
            told += 1
            hits += bool(rows["conf_low"].iloc[0] <= share <= rows["conf_high"].iloc[0])
    return {"what": f"share of {100 * share:.0f} % of {n} people", "samples": SAMPLES, "told": told, "hits": hits}


def covered_curve(n: int, share: float, samples: int = SAMPLES // 8) -> Row:
    """Return the same of the share with an event by day 365, of people of whom a third are censored before it."""
    rng, hits, told = np.random.default_rng(n), 0, 0
    for sample in range(samples):
        event, censored = rng.exponential(-365 / np.log1p(-share), n), rng.uniform(100, 800, n)
        frame = pd.DataFrame({
            "participant_id": [f"{sample}/{i}" for i in range(n)],
            "time": np.ceil(np.minimum(event, censored)),
            "event": event <= censored,
            "all": "a",
        })  # fmt: skip
        rows = make_safe(kaplan_meier(frame, "time", "event", by="all"), POLICY).landmark_rows()
        rows = rows[rows["time"].eq(365)] if len(rows) else rows
        if len(rows):
            told += 1
            hits += bool(rows["conf_low"].iloc[0] <= 1 - share <= rows["conf_high"].iloc[0])
    what = f"curve at day 365, {100 * share:.0f} % of {n} people"
    return {"what": what, "samples": samples, "told": told, "hits": hits}


def cost(seed: int) -> list[Row]:
    """Return headline estimates of one study of 160 and 900 people, exact and as published."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "params", Path(folder) / "params")
        simulate(seed=seed, n_focus=PEOPLE[0], n_comparison=PEOPLE[1]).write(Path(folder) / "data" / "demo")
        report = evalkit.open_report(Path(folder) / "params" / "study.yaml", "2023Q4", title="Cost")
    found = _shares(report, analyses.funnel(report.cohort))
    curves = {"not disengaged": analyses.staying(report.cohort), "no recorded harm": without_harm(report.cohort)}
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


def measured(asked: argparse.Namespace, save: Callable[[Row], None]) -> None:
    """Measure coverage and cost, and attack the studies; what is done is saved at once."""
    off = range(asked.off_studies)

    def run(jobs: Iterable[Any]) -> list[Any]:
        return list(Parallel(n_jobs=asked.jobs, verbose=5)(jobs))

    found: Row = {"people": 160, "quarters": QUARTERS, "looks": LOOKS}
    found["without"] = run(delayed(attack_without)(seed, name) for name in OFF for seed in off)
    found["averaged"] = run(delayed(attack_looks)(seed, keyed=keyed) for keyed in (True, False) for seed in off)
    found["covered"] = [
        *run(delayed(covered_shares)(n, share) for n, share in ((80, 0.3), (150, 0.2), (150, 0.6), (900, 0.7))),
        *run(delayed(covered_curve)(n, share) for n, share in ((150, 0.2), (150, 0.5), (900, 0.2))),
    ]
    found["reports"] = [row for rows in run(delayed(attack_reports)(seed) for seed in REPORT_STUDIES) for row in rows]
    found["cost"] = [row for rows in run(delayed(cost)(seed) for seed in range(asked.cost_studies)) for row in rows]
    found["attacks"] = []
    for first in range(0, asked.studies, 10):
        found["attacks"] += run(delayed(attack)(seed) for seed in range(first, min(first + 10, asked.studies)))
        save(found)


def main(words: list[str] | None = None) -> int:
    """Attack the studies, measure the cost, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disclosure", description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--off-studies", type=int, default=OFF_STUDIES)
    parser.add_argument("--cost-studies", type=int, default=COST_STUDIES)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--from-json", action="store_true", help="only write the page again, from disclosure.json")
    parser.add_argument(
        "--reports", action="store_true", help="only attack whole reports again; the rest stays as it is"
    )
    parser.add_argument("--out", type=Path, default=ROOT, help="folder of benchmarks and docs")
    asked = parser.parse_args(words)
    file = asked.out / "benchmarks" / "disclosure.json"
    if asked.reports:
        known = json.loads(file.read_text(encoding="utf-8"))
        rows = Parallel(n_jobs=asked.jobs)(delayed(attack_reports)(seed) for seed in REPORT_STUDIES)
        known["reports"] = [row for two in rows for row in two]
        file.write_text(json.dumps(known, indent=0) + "\n", encoding="utf-8")
    elif not asked.from_json:
        file.parent.mkdir(parents=True, exist_ok=True)
        measured(asked, lambda found: file.write_text(json.dumps(found, indent=0) + "\n", encoding="utf-8"))
    (asked.out / "docs").mkdir(parents=True, exist_ok=True)
    (asked.out / "docs" / "disclosure.md").write_text(page(json.loads(file.read_text())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
