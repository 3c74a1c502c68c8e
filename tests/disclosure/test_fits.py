"""Models: a reader cannot count the events behind a coefficient back from its standard error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from evalkit.counts import Tally, totals_of
from evalkit.disclosure import Policy, make_safe
from evalkit.disclosure._limits import coarser
from evalkit.estimates import Estimates
from evalkit.stats import cox

POLICY = Policy(secret=bytes(range(32)))


def people(seed: int, n: int = 900, rare: float = 0.05) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    time, end = rng.exponential(900, n), rng.uniform(200, 700, n)
    return pd.DataFrame(
        {
            "participant_id": [f"p{i}" for i in range(n)],
            "group": rng.choice(["pilot", "paip"], n, p=(0.3, 0.7)),
            "level": rng.choice(["common", "other", "rare"], n, p=(0.6, 0.4 - rare, rare)),
            "time": np.ceil(np.minimum(time, end)),
            "event": (time <= end).astype(int),
        }
    ).assign(focus=lambda d: d["group"].eq("pilot").astype(float))


def model(rows: pd.DataFrame, *, counted: bool = True) -> Estimates:
    levels = {"level": rows["level"]} if counted else {}
    fit = cox(rows.assign(level=pd.Categorical(rows["level"])), "time", "event", ["focus", "level"])
    counts = totals_of(rows, ("pilot", "paip"), named=True, levels=levels)
    return Estimates(fit.tidy(), "cox", "log hazard ratio", conf_level=fit.conf_level, counts=counts)


def counted_back(rows: pd.DataFrame, told: pd.DataFrame) -> dict[str, float]:
    """What an attacker makes of standard errors, who knows how many events the reference level has."""
    known = rows.loc[rows["level"] == "common", "event"].sum()
    own = told.set_index(told["term"].str.extract(r"(\w+)\]?$")[0])["std_error"]
    return {level: 1 / (own[level] ** 2 - 1 / known) for level in ("other", "rare")}


def test_a_level_with_few_events_makes_a_model_unfit() -> None:
    rows = people(1, rare=0.02)
    assert 0 < rows.loc[rows["level"] == "rare", "event"].sum() < 11
    assert make_safe(model(rows), POLICY).verdict == "withheld"
    shown = make_safe(model(rows, counted=False), POLICY)  # the levels are what an arm's totals do not say
    assert counted_back(rows, shown.estimates.tidy())["rare"] == pytest.approx(
        rows.loc[rows["level"] == "rare", "event"].sum(), abs=1
    )


@pytest.mark.parametrize("seed", range(6))
def test_events_are_not_counted_back_from_standard_errors(seed: int) -> None:
    rows = people(seed, rare=0.12)
    exact = model(rows)
    safe = make_safe(exact, POLICY)
    assert safe.verdict == "released"
    told, true = safe.estimates.tidy(), exact.tidy()
    events = rows.groupby("level")["event"].sum()
    naive = counted_back(rows, true)
    found, public = counted_back(rows, told), safe.estimates.counts.frame.set_index("term")["n_event"]
    for level in ("other", "rare"):
        assert naive[level] == pytest.approx(events[level], rel=0.1)
        as_if = public[f"level[{level}]"] - np.sqrt(2)  # published, less what noise usually does
        assert found[level] == pytest.approx(as_if * naive[level] / events[level], rel=0.07)
    wide = coarser(true, exact.counts, safe.estimates.counts, POLICY, exact.conf_level)
    assert (wide["estimate"] == true["estimate"]).all()
    assert np.allclose(wide["conf_high"] - wide["conf_low"], 2 * 1.959964 * wide["std_error"])
    assert np.allclose(wide["hr_high"], np.exp(wide["conf_high"]))
    assert np.allclose(wide["statistic"], wide["estimate"] / wide["std_error"])
    for name in ("estimate", "std_error", "conf_low", "conf_high", "hazard_ratio", "hr_low", "hr_high"):
        assert [f"{v:.6f}" for v in told[name]] == [f"{float(f'{v:.3f}'):.6f}" for v in wide[name]], name


def test_an_exception_shows_a_model_as_it_is() -> None:
    rows = people(1, rare=0.02)
    safe = make_safe(model(rows), Policy(minimum_level=1)).estimates.tidy()
    exact = model(rows).tidy()  # but for digits that no table prints
    assert safe["term"].tolist() == exact["term"].tolist()
    assert [f"{v:.6f}" for v in safe["std_error"]] == [f"{float(f'{v:.3f}'):.6f}" for v in exact["std_error"]]


def test_levels_are_counted_but_only_arms_say_who_is_in_them() -> None:
    rows = people(2)
    counts = totals_of(rows, ("pilot", "paip"), named=True, levels={"level": rows["level"]})
    assert isinstance(counts, Tally)
    frame = counts.frame.set_index("term")
    assert frame.loc["level[rare]", "n"] == rows["level"].eq("rare").sum()
    for row, who in zip(counts.frame.itertuples(), counts.people, strict=True):
        told = (len(who["n"]), len(who["n_event"])) if who else None
        assert told == ((row.n, row.n_event) if row.term == "model" else None)
