"""What a seed gives, byte by byte: who changes the generative model, its tables or its truth has to say so here.

`test_truth.py` and `test_pipeline.py` hold that it is right; this holds that it stays. After a change that is meant:
``PYTHONPATH=tests .venv/bin/python -m simulate.test_bytes`` prints the new digests.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date

import pytest

from evalkit.protocol import Rules
from evalkit.simulate import SCENARIOS, Simulated, integrate, simulate, simulate_scales
from evalkit.spreadsheet import csv_text

SIZES = {"n_focus": 60, "n_comparison": 90, "starts": date(2022, 1, 3), "ends": date(2023, 2, 15)}
OTHER = Rules.model_validate({"disengagement_gap_days": 21, "completion": "either"})
TABLES = {
    "null": {
        "searches": "16c666e94e60",
        "mandates": "0ab1d49fc1d8",
        "participants": "ba56b73cd222",
        "sessions": "e5f6dc5a85cc",
        "exits": "18c0d363e375",
        "outcomes": "e2e03e0422b4",
        "measures": "787349e5b9b6",
        "scale initiation": "1dfdec7acffc",
        "scale retention": "338d60442df6",
        "scale harm": "eba74221cb6e",
        "scale harm_recurrent": "ed4b9821f66e",
        "scale people": "de4e74edf736",
        "scale initiation, other rules": "1dfdec7acffc",
        "scale retention, other rules": "afea6b242729",
        "scale harm, other rules": "5c970dd02f83",
        "scale harm_recurrent, other rules": "8030c92ddaa5",
        "scale people, other rules": "de4e74edf736",
        "about": "743aab9f34b0",
    },
    "benefit": {
        "searches": "16c666e94e60",
        "mandates": "280db08fe6ef",
        "participants": "0ba210514ed8",
        "sessions": "679d62f5652e",
        "exits": "e604b7b34d55",
        "outcomes": "3de728b88788",
        "measures": "27b4753ce7e7",
        "scale initiation": "66e1280fbf79",
        "scale retention": "bbb89f91fac8",
        "scale harm": "fc61d6ac87be",
        "scale harm_recurrent": "c9ec0d99f2bf",
        "scale people": "de4e74edf736",
        "scale initiation, other rules": "66e1280fbf79",
        "scale retention, other rules": "2d3aad52a1e1",
        "scale harm, other rules": "27b6a877dfb7",
        "scale harm_recurrent, other rules": "81a1faeefde0",
        "scale people, other rules": "de4e74edf736",
        "about": "5ad71d28e12c",
    },
    "harm": {
        "searches": "16c666e94e60",
        "mandates": "0dabb1ef32fa",
        "participants": "cc8b69266e77",
        "sessions": "4d91cf399b3f",
        "exits": "e966f2949fc2",
        "outcomes": "e2d16240aeff",
        "measures": "1ff30027c76e",
        "scale initiation": "9578ce5a2a8b",
        "scale retention": "dd0f06e00940",
        "scale harm": "ff7ce8387d69",
        "scale harm_recurrent": "8d46c929082b",
        "scale people": "de4e74edf736",
        "scale initiation, other rules": "9578ce5a2a8b",
        "scale retention, other rules": "cb8ce49392de",
        "scale harm, other rules": "72d1886a379b",
        "scale harm_recurrent, other rules": "02e869d05a8c",
        "scale people, other rules": "de4e74edf736",
        "about": "ef5c5d393323",
    },
    "strong_confounding": {
        "searches": "0848fcbff639",
        "mandates": "db06864ef441",
        "participants": "b2a9317ac125",
        "sessions": "fbb3b27cbfc6",
        "exits": "26590847ec97",
        "outcomes": "931b1c02871a",
        "measures": "4ef1e967967a",
        "scale initiation": "d8026e7a9e1d",
        "scale retention": "c48293a0a522",
        "scale harm": "59abb40dae30",
        "scale harm_recurrent": "b92b8811741c",
        "scale people": "a0b65e52460e",
        "scale initiation, other rules": "d8026e7a9e1d",
        "scale retention, other rules": "d7f57abcee46",
        "scale harm, other rules": "783bfcc4e716",
        "scale harm_recurrent, other rules": "f5b1adcd4bb3",
        "scale people, other rules": "a0b65e52460e",
        "about": "e2711f47e926",
    },
    "sparse": {
        "searches": "16c666e94e60",
        "mandates": "58e6f4950c41",
        "participants": "30d273382c94",
        "sessions": "0a77705b75cb",
        "exits": "077c61a82ee0",
        "outcomes": "27e8594fb103",
        "measures": "a5fbfa946e83",
        "scale initiation": "66e1280fbf79",
        "scale retention": "bbb89f91fac8",
        "scale harm": "a83a97249827",
        "scale harm_recurrent": "7719a436b7e1",
        "scale people": "de4e74edf736",
        "scale initiation, other rules": "66e1280fbf79",
        "scale retention, other rules": "2d3aad52a1e1",
        "scale harm, other rules": "49e31575d6ac",
        "scale harm_recurrent, other rules": "46665c0b5049",
        "scale people, other rules": "de4e74edf736",
        "about": "1bd0e1185a9c",
    },
    "one_site": {
        "searches": "ba9cd9310773",
        "mandates": "5dbc8dc26f09",
        "participants": "1973f893e8b2",
        "sessions": "fc362c29e6cb",
        "exits": "d3affbe49990",
        "outcomes": "489a297f7cc9",
        "measures": "9eec23089c43",
        "scale initiation": "4dc08d4f6f33",
        "scale retention": "f8bed8f040c1",
        "scale harm": "dcd34a5af5a5",
        "scale harm_recurrent": "558283c5c70f",
        "scale people": "de4e74edf736",
        "scale initiation, other rules": "4dc08d4f6f33",
        "scale retention, other rules": "00fa043e175d",
        "scale harm, other rules": "30e40bc63cc6",
        "scale harm_recurrent, other rules": "330647b4db65",
        "scale people, other rules": "de4e74edf736",
        "about": "7e674cb69ec3",
    },
}


def short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def tables_of(study: Simulated) -> dict[str, str]:
    """A digest per table; mandates, which were added later with a stream of their own, apart from the people."""
    people = study.tables["participants"]
    frames = {**study.tables, "participants": people.drop(columns="mandate"), "mandates": people[["mandate"]]}
    return {table: short(csv_text(frame)) for table, frame in frames.items()}


def digests(name: str) -> dict[str, str]:
    """A digest per table, per time scale (under the protocol's rules and others), and of the integrated truth."""
    study = simulate(name, seed=8, **SIZES)
    found = tables_of(study)
    for how, more in (("", {}), (", other rules", {"rules": OTHER, "harm_kinds": ("any_arrest",)})):
        scales = simulate_scales(name, seed=8, **SIZES, **more)
        found |= {f"scale {scale}{how}": short(csv_text(frame)) for scale, frame in scales.items()}
    return found | {"about": short(json.dumps({k: v for k, v in study.about.items() if k != "version"}))}


def truth(name: str) -> dict[str, float]:
    """Some integrated values of either kind of scale, and their errors' and all values' sum."""
    found = integrate(name, n=30_000, seed=3)
    names = (
        "initiation.cif.lapse.60.comparison",
        "retention.hazard.disengagement.30-60.focus",
        "retention.rmst.182.att",
    )
    names += ("harm.mcf.365.att_comparison", "dv_arrest.risk_ratio.182.att")
    return {k: found["value"][k] for k in names} | {part: sum(found[part].values()) for part in ("value", "error")}


TRUTH = {
    "benefit": {
        "initiation.cif.lapse.60.comparison": 0.051166666666666666,
        "retention.hazard.disengagement.30-60.focus": 0.08172119173048828,
        "retention.rmst.182.att": 8.004954647957675,
        "harm.mcf.365.att_comparison": 0.2385832815620093,
        "dv_arrest.risk_ratio.182.att": 0.7124593172067203,
        "value": 4018.186312704115,
        "error": 9.593350512217533,
    },
    "one_site": {
        "initiation.cif.lapse.60.comparison": 0.0511,
        "retention.hazard.disengagement.30-60.focus": 0.0805225969870684,
        "retention.rmst.182.att": 7.999568072385557,
        "harm.mcf.365.att_comparison": 0.24958291370879507,
        "dv_arrest.risk_ratio.182.att": 0.71348884084701,
        "value": 4011.501960594289,
        "error": 10.145163822094283,
    },
}


def usual() -> dict[str, str]:
    """A study as it comes: sizes and days that nobody says, and people enough for what is rare."""
    found = tables_of(simulate(seed=1))
    return found | {f"scale {scale}": short(csv_text(frame)) for scale, frame in simulate_scales(seed=1).items()}


USUAL = {
    "searches": "fba3e4358bc3",
    "mandates": "91e4b430168b",
    "participants": "b9ae72150751",
    "sessions": "183b44fb8c18",
    "exits": "c9b072d4bf7b",
    "outcomes": "9cf965c405be",
    "measures": "826527d5582e",
    "scale initiation": "9deec174f1f7",
    "scale retention": "f3ffb846ba1e",
    "scale harm": "c1a54b45c1d7",
    "scale harm_recurrent": "30955ee10ee7",
    "scale people": "1046c2956e89",
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_tables_and_scales(name: str) -> None:
    assert digests(name) == TABLES[name]


def test_a_study_as_it_comes() -> None:
    assert usual() == USUAL


@pytest.mark.parametrize("name", ["benefit", "one_site"])
def test_truth(name: str) -> None:
    assert truth(name) == pytest.approx(TRUTH[name], rel=1e-9)


if __name__ == "__main__":
    print("TABLES =", json.dumps({name: digests(name) for name in SCENARIOS}, indent=4))
    print("USUAL =", json.dumps(usual(), indent=4))
    print("TRUTH =", json.dumps({name: truth(name) for name in ("benefit", "one_site")}, indent=4))
