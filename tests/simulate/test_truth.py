"""The stated truth: reproducible, consistent with itself, and what the estimators aim at."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed

from evalkit.protocol import Rules
from evalkit.simulate import SCENARIOS, integrate
from evalkit.simulate._harm import REPORTED, draw_harm
from evalkit.simulate._people import draw_people
from evalkit.simulate._truth import known_truth
from simulate.proof import against_truth, estimates


@pytest.mark.parametrize("scenario", ["benefit", "null"])
def test_another_large_sample_agrees_with_the_stated_values(scenario):
    stated, found = known_truth(scenario), integrate(scenario, n=60_000, seed=99)
    names = [k for k in stated["value"] if not k.endswith((".att", ".conditional"))]
    z = [
        (found["value"][k] - stated["value"][k]) / np.hypot(found["error"][k], stated["error"][k])
        for k in names
        if found["error"][k] > 0
    ]
    assert len(z) > 60
    assert np.abs(z).max() < 4.5
    assert np.mean(np.square(z)) < 2


def test_null_has_no_effect_and_the_others_have_theirs():
    null = known_truth("null")
    for name, value in null["value"].items():
        if name.endswith(".att"):
            expected = 1.0 if "risk_ratio" in name else 0.0
            assert value == pytest.approx(expected, abs=3 * null["error"][name]), name
    risk = {s: known_truth(s)["value"]["harm.risk.365.att"] for s in SCENARIOS}
    assert risk["benefit"] < -0.02 < 0.02 < risk["harm"]
    for value in (known_truth(s)["value"] for s in ("benefit", "harm")):
        crude = value["harm.risk.365.focus"] - value["harm.risk.365.comparison"]
        assert crude < value["harm.risk.365.att"]  # the pilot's people are at lower risk anyway


def test_strong_confounding_is_stronger():
    def bias(scenario):
        v = known_truth(scenario)["value"]
        return v["harm.risk.365.att"] - (v["harm.risk.365.focus"] - v["harm.risk.365.comparison"])

    assert bias("strong_confounding") > 1.5 * bias("benefit") > 0


def test_probabilities_add_up():
    v = known_truth("benefit")["value"]
    for group in ("focus", "comparison", "att_comparison"):
        for t in (182, 270, 365):
            total = v[f"retention.cif.disengagement.{t}.{group}"] + v[f"retention.cif.completion.{t}.{group}"]
            assert 0 < total <= 1
        assert 0 < v[f"harm.risk.182.{group}"] < v[f"harm.mcf.182.{group}"] < v[f"harm.mcf.365.{group}"]
        assert v[f"dv_arrest.risk.365.{group}"] < v[f"harm.risk.365.{group}"]


def test_published_magnitudes():
    """Where the baselines say something, the default study is near it."""
    v = known_truth("benefit")["value"]
    assert 0.5 < v["retention.cif.completion.270.comparison"] < 0.734  # conventional, Cook County
    # Weibull intensity with shape 0.8: one year's dv_arrest mean grows by 3.4 ** 0.8 in 3.4 years
    late = 1 - np.exp(-v["dv_arrest.mcf.365.comparison"] * 3.4**0.8)
    assert 0.15 < late < 0.37


def test_other_rules_have_another_truth():
    strict = integrate("benefit", n=20_000, rules=Rules(disengagement_gap_days=14))["value"]
    usual = integrate("benefit", n=20_000)["value"]
    name = "retention.cif.disengagement.90.focus"
    assert strict[name] > usual[name] + 0.05


def test_closed_forms_of_harm_are_those_of_drawn_events():
    """40,000 people, all followed for 365 days: plain shares and counts, no estimator and no formula."""
    rng, n = np.random.default_rng(4), 40_000
    model, nobody = SCENARIOS["benefit"], np.zeros(n, dtype=bool)
    people = draw_people(rng, model, nobody, nobody, date(2022, 1, 3), date(2022, 6, 3))
    drawn = draw_harm(rng, model, people, people.referral, people.referral + 365)
    stated = known_truth("benefit")["value"]
    for name, kinds in (("harm", REPORTED), ("dv_arrest", ("dv_arrest",))):
        who = np.concatenate([drawn[kind][0] for kind in kinds])
        day = np.concatenate([drawn[kind][1] for kind in kinds]) - people.referral[who]
        days = np.unique(np.stack([who[day > 0], day[day > 0]]), axis=1)
        for t in (182, 365):
            until = days[:, days[1] <= t]
            p, count = np.unique(until[0]).size / n, until.shape[1] / n
            assert p == pytest.approx(stated[f"{name}.risk.{t}.comparison"], abs=4 * np.sqrt(p * (1 - p) / n))
            assert count == pytest.approx(stated[f"{name}.mcf.{t}.comparison"], rel=0.05)


@pytest.mark.parametrize("n_studies", [24])
def test_a_few_studies_are_near_the_truth(n_studies):
    stated = known_truth("benefit")
    found = against_truth(pd.DataFrame([estimates(seed) for seed in range(n_studies)]), **stated)
    assert len(found) > 70
    assert found["z"].abs().max() < 4.5, found.loc[found["z"].abs().idxmax()]
    assert (found["z"].abs() < 2).mean() > 0.75


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_five_hundred_studies_of_benefit():
    """The mean estimate of each estimand lies within 3 Monte Carlo standard errors of the stated truth."""
    rows = pd.DataFrame(Parallel(n_jobs=2)(delayed(estimates)(seed) for seed in range(10_000, 10_500)))
    # Incidence at day 270 is undefined where the last person still attending was followed for less: a few studies.
    assert rows.notna().mean().min() > 0.9
    found = against_truth(rows, **known_truth("benefit"))
    assert len(found) > 70
    wide = found[found["z_mcse"].abs() >= 3]
    assert wide.empty, wide
