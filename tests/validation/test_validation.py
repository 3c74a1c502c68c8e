"""`make validation` runs, and the committed page is what its stored numbers say."""

import importlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words):
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "benchmarks.validation", *words]
    done = subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, **threads}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("validation")
    run("--studies", "6", "--crude-studies", "9", "--n-boot", "39", "--seed", "3", "--large", "1", "--out", str(out))
    return out, json.loads((out / "benchmarks" / "validation.json").read_text(encoding="utf-8"))


def test_every_row_is_there_and_finite(made):
    _, found = made
    rows = {(r["estimand"], r["method"]): r for r in found["estimates"]}
    assert len(rows) == len(found["estimates"]) == 20
    for name in ("harm.rmst.365", "harm.risk.365", "retention.cif.disengagement.182", "retention.cif.completion.182"):
        assert {m for e, m in rows if e == f"{name}.att"} == {"iptw", "standardised", "doubly_robust"}
    for r in rows.values():
        assert all(math.isfinite(v) for v in r.values() if isinstance(v, int | float))
        n = 9 if r["estimand"].endswith(".crude") else 6
        assert r["covered"] + r["too_low"] + r["too_high"] == r["n"] == n
        assert r.get("first", 6) == 6 and r.get("covered_first", 0) <= 6
        assert abs(r["bias"]) < 6 * r["sd"]
        assert 0.2 < r["std_error"] / r["sd"] < 5
    assert {(r["test"], r["n"]) for r in found["tests"]} == {("logrank", 6), ("gray", 6)}


def test_truths_are_the_simulators(made):
    known = json.loads((ROOT / "src" / "evalkit" / "simulate" / "truth.json").read_text(encoding="utf-8"))
    value = known["scenarios"]["benefit"]["value"]
    for r in made[1]["estimates"]:
        if r["estimand"].endswith(".att"):
            assert r["truth"] == pytest.approx(value[r["estimand"]], rel=1e-5)
            assert r["truth_error"] > 0
        elif r["estimand"].endswith(".crude"):
            name = r["estimand"].removesuffix(".crude")
            assert r["truth"] == pytest.approx(value[f"{name}.focus"] - value[f"{name}.comparison"], rel=1e-5)
        elif r["estimand"].endswith(".limit"):
            assert -0.42 < r["truth"] < -0.25
            assert r["truth_error"] > 0
        else:
            assert r["truth"] == pytest.approx(-0.35 if r["estimand"].startswith("benefit") else 0.0)


def test_the_same_seed_gives_the_same_numbers(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    module = importlib.import_module("benchmarks.validation")
    assert module.one_study(3, 40) == module.one_study(3, 40) != module.one_study(4, 40)


def test_the_committed_page_is_made_from_the_stored_numbers(tmp_path):
    stored = (ROOT / "benchmarks" / "validation.json").read_text(encoding="utf-8")
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "validation.json").write_text(stored, encoding="utf-8")
    run("--from-json", "--out", str(tmp_path))
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    assert (tmp_path / "docs" / "validation.md").read_text(encoding="utf-8") == page
    assert (tmp_path / "docs" / "images" / "validation.svg").stat().st_size > 10_000
    assert json.loads(stored)["settings"]["studies"] >= 1000
