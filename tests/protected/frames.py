"""What disclosure control makes of fixed results, whole: every published number, limit, day and verdict.

``PYTHONPATH=tests .venv/bin/python -m protected.frames`` says what is another; ``--write`` takes it over. The noise is that of a fixed
secret, so that the same people have the same numbers for ever: a number that differs here differs in every release.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from evalkit.disclosure import Policy, Safe, make_safe
from evalkit.estimates import Estimates
from golden.cases import CASES
from golden.frames import differences, plain, text_of

HERE = Path(__file__).parent / "whole"
# The golden study is small, and so are these limits; `tests/disclosure` holds the rules at theirs.
SMALL = Policy(
    secret=bytes(range(32)), minimum_count=4, minimum_at_risk=4, minimum_subgroup=4, minimum_level=4, noise_most=2, noise_variance=0.8,
    landmarks=(30, 60, 90, 182, 365),
)  # fmt: skip
POLICIES = {
    "small": SMALL,
    "rounded": replace(SMALL, round_for_display=5, zero=False, dominance=0.2),
    "without noise": replace(SMALL, noise_variance=0.0, minimum_subgroup=12),
}
BOTH = (
    "analyses.funnel: all", "analyses.leaving: all", "analyses.time_to_first_session: all", "analyses.attendance_rate: all",
    "analyses.harm_model: all", "analyses.dose_by_week: hours",
)  # fmt: skip
ONE = (
    "stats.kaplan_meier: at times", "stats.cumulative_incidence: odd, greenwood", "stats.kaplan_meier: odd, weeks",
    "stats.survival_difference: arm", "stats.cox: odd, formula, late", "stats.proportion_difference: newcombe", "analyses.caseload: all",
    "analyses.completeness: all", "analyses.dose_distribution: all", "analyses.dose_reached: all", "analyses.engaged_across: all",
    "analyses.longest_gap: all", "analyses.lost_to_follow_up: all", "analyses.staying: other rules", "analyses.engaged_by: site",
    "analyses.reach: community areas", "analyses.referred: since July", "analyses.mean_stay: 90 days", "analyses.change: noised",
    "analyses.trend: one step", "analyses.first_harm: all", "analyses.harm_hazards: all", "analyses.repeated_harm: of three and more",
    "analyses.mean_without_harm: 120 days", "analyses.compare_arms: ate, balance", "analyses.compare_arms: ate, diagnose",
    "analyses.compare_arms: harm, weighted",
)  # fmt: skip
NAMES = [(name, policy) for name in BOTH for policy in POLICIES] + [(name, "small") for name in ONE]


def shown(name: str, policy: str) -> object:
    """What may be shown of a golden result, as what JSON can hold."""
    exact = CASES[name]()
    assert isinstance(exact, Estimates)
    return told(make_safe(exact, POLICIES[policy]))


def told(safe: Safe) -> object:
    found = {
        "verdict": safe.verdict, "withheld": list(safe.withheld), "note": safe.note, "estimates": plain(safe.estimates),
        "quoted": sorted([place, day] for place, day in safe.quoted),
        "at_risk": {group: plain(numbers[:: 30]) for group, numbers in safe.at_risk.items()},
    }  # fmt: skip
    if safe.smooth is None or safe.estimates.data.empty:
        return found
    rows = safe.smooth.data
    curves = rows[[c for c in ("group", "cause") if c in rows]].drop_duplicates().astype(str).to_numpy().tolist()
    found["landmarks"] = plain(safe.landmark_rows())
    found["read"] = plain(safe.at([0, 15, 45, 100, 400, 900]))
    found["drawn"] = plain(safe.drawn([0, 15, 45, 100, 400]))
    found["knots"] = {" ".join(one): plain(safe.knots(*one)) for one in curves}
    return found


def file_of(name: str, policy: str) -> Path:
    """Where what is shown is kept."""
    return HERE / (f"{name}--{policy}".replace(": ", "--").replace(", ", "-").replace(" ", "_") + ".json")


def main(*, write: bool) -> None:
    """Say what is another, or take it over."""
    HERE.mkdir(exist_ok=True)
    for name, policy in NAMES:
        found, file = shown(name, policy), file_of(name, policy)
        other = differences(found, json.loads(file.read_text(encoding="utf-8"))) if file.exists() else ["new"]
        if other:
            sys.stdout.write(f"{name} ({policy}): {'; '.join(other[:3])}\n")
        if other and write:
            file.write_text(text_of(found), encoding="utf-8")


if __name__ == "__main__":
    main(write="--write" in sys.argv)
