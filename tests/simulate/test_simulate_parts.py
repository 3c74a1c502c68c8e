"""Parts of the simulation by hand or one person at a time: gaps, completed doses, curves of harm, records, weekdays."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evalkit import simulate as package
from evalkit.errors import UsageError
from evalkit.simulate import SCENARIOS, _tables, integrate
from evalkit.simulate import _truth as truth
from evalkit.simulate._course import WEEKS, _completion_week, gap_day, session_days
from evalkit.simulate._people import NEVER, _pick, _referrals, _roll, _shifted, get_scenario, weekday
from evalkit.simulate._tables import finish, lag, to_dates, with_errors


def test_days_of_sessions() -> None:
    assert session_days()[:7].tolist() == [0, 1, 2, 7, 8, 9, 14] and session_days().shape == (3 * WEEKS,)


@pytest.mark.parametrize("gap", [7, 14, 21, 30])
def test_the_rule_of_the_gap_is_met_after_the_first_session_without_another_within_it(gap: int) -> None:
    rng = np.random.default_rng(gap)
    attended = rng.random((60, 3 * WEEKS)) < rng.choice([0.02, 0.1, 0.3], 60)[:, None]
    attended[:, 0] = True
    days = session_days()
    for row, found in zip(attended, gap_day(attended, gap), strict=True):
        own = days[row].tolist()
        wanted = next(
            d + gap for d, after in zip(own, [*own[1:], None], strict=True) if after is None or after > d + gap
        )
        assert found == wanted


@pytest.mark.parametrize(
    ("present", "length", "waived", "week"),
    [
        (24, 1.5, False, 23), (23, 1.5, False, WEEKS), (35, 1.0, False, WEEKS), (36, 1.0, False, 35), (24, 2.0, False, 23),
        (22, 1.5, True, 21), (21, 1.5, True, WEEKS), (60, 0.5, False, WEEKS), (60, 0.5, True, 21),
    ],
)  # fmt: skip
def test_the_week_of_a_completed_dose(present: int, length: float, waived: bool, week: int) -> None:
    group = np.arange(WEEKS) < present
    hours = np.full(WEEKS, length, dtype=np.float32)
    assert _completion_week(group[None, :], hours[None, :], np.array([waived])).tolist() == [week]


def test_hours_of_weeks_that_were_missed_do_not_count() -> None:
    group = np.arange(WEEKS) % 2 == 0  # the 24th in week 46
    found = _completion_week(group[None, :], np.full((1, WEEKS), 1.5, dtype=np.float32), np.array([False]))
    assert found.tolist() == [46]


def test_weekdays_and_moved_days() -> None:
    monday = date(2022, 1, 3).toordinal()
    week = monday + np.arange(7)
    assert weekday(week).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert (_roll(week, 4) - monday).tolist() == [0, 1, 2, 3, 4, 7, 7]
    assert (_roll(week, 3) - monday).tolist() == [0, 1, 2, 3, 7, 7, 7]


def test_shares_and_choices() -> None:
    assert _shifted(0.2, np.array([0.0, np.log(4)])) == pytest.approx([0.2, 0.5])
    drawn = _pick(np.random.default_rng(0), 40_000, (0.5, 0.2, 0.3))
    assert np.bincount(drawn) / 40_000 == pytest.approx([0.5, 0.2, 0.3], abs=0.01)


# -- records -----------------------------------------------------------------------------------------------------------
def test_days_as_dates() -> None:
    found = to_dates(np.array([date(1970, 1, 1).toordinal(), date(2022, 2, 28).toordinal(), NEVER]))
    assert found.tolist()[:2] == [pd.Timestamp(1970, 1, 1), pd.Timestamp(2022, 2, 28)] and pd.isna(found[2])
    assert str(found.dtype) == "datetime64[ns]"


def test_entries_are_late_and_never_after_the_extract() -> None:
    day = np.full(20_000, 1000)
    entered = lag(np.random.default_rng(1), "exits", day, 10**6)
    assert entered.min() == 1000
    # Floors of an exponential of mean m have mean 1 / (exp(1 / m) - 1); six in a hundred wait five times as long.
    wanted = 0.94 / (np.expm1(1 / 8)) + 0.06 / (np.expm1(1 / 40))
    assert (entered - 1000).mean() == pytest.approx(wanted, rel=0.05)
    assert lag(np.random.default_rng(1), "exits", day, 1010).max() == 1010


def test_corrections_and_rows_entered_in_error() -> None:
    rows = pd.DataFrame({"who": range(400), "reason": ["a", "b"] * 200, "recorded_on": 100})
    false = pd.DataFrame({"who": [900, 901], "reason": "z", "recorded_on": 100})
    made = with_errors(
        np.random.default_rng(2), rows, 130, share=0.25, spoil={"reason": ("a", "b", "c")}, phantoms=false
    )
    wrong = made[(made["retracted_on"] < NEVER) & (made["who"] < 900)]
    right = made[(made["retracted_on"] == NEVER)]
    assert len(right) == 400 and 60 < len(wrong) < 140 and len(made) == 402 + len(wrong)
    both = wrong.merge(right, on="who", suffixes=("", "_right"))
    assert (both["reason"] != both["reason_right"]).all() and set(wrong["reason"]) == {"a", "b", "c"}
    assert (both["retracted_on"] == both["recorded_on_right"]).all()  # the right row comes when the wrong one goes
    assert both["retracted_on"].between(101, 130).all() and (wrong["recorded_on"] == 100).all()
    kept = right[~right["who"].isin(wrong["who"])]
    assert (kept["recorded_on"] == 100).all()
    gone = made[made["who"] >= 900]
    assert gone["retracted_on"].between(101, 130).all() and gone["reason"].tolist() == ["z", "z"]
    none = with_errors(np.random.default_rng(2), rows, 130, share=0.0, spoil={})
    assert none["retracted_on"].eq(NEVER).all() and len(none) == 400
    assert len(with_errors(np.random.default_rng(2), rows.iloc[:0], 130, share=0.5, spoil={})) == 0


def test_tables_are_put_in_order() -> None:
    day = date(2022, 1, 3).toordinal()
    rows = pd.DataFrame({"b": [2, 1, 1, 1], "d": [day, day, day + 1, day], "recorded_on": [day, day + 5, day, day + 1], "retracted_on": [NEVER, day + 9, NEVER, NEVER], "x": list("pqrs")})  # fmt: skip
    found = finish(rows, ("d",), ["d", "b"], ["x", "d"])
    assert found["x"].tolist() == ["s", "q", "p", "r"]
    assert list(found) == ["x", "d", "recorded_on", "retracted_on", "synthetic"] and found["synthetic"].all()
    assert found["retracted_on"].tolist()[1] == pd.Timestamp(2022, 1, 12) and found["retracted_on"].isna().sum() == 3


# -- the truth ---------------------------------------------------------------------------------------------------------
def test_harm_in_closed_form() -> None:
    level, shape = np.array([0.1, 2.0]), 0.8
    found = truth._harm_curves(level, shape)
    for row, own in zip(found, level, strict=True):

        def survival(t: float, own: float = own) -> float:
            return float(np.exp(-own * (t / 365) ** shape))

        daily = [1 - survival_between(own, shape, t) for t in range(1, 366)]
        wanted = [1 - survival(182), 1 - survival(365), sum(survival(t) for t in range(182)), sum(survival(t) for t in range(365)), sum(daily[:182]), sum(daily)]  # fmt: skip
        assert row == pytest.approx(wanted)


def survival_between(level: float, shape: float, t: int) -> float:
    """No harm on day t alone."""
    return float(np.exp(-level * ((t / 365) ** shape - ((t - 1) / 365) ** shape)))


def test_incidences_of_counted_days() -> None:
    counts = np.zeros((3, truth._LONG + 1))
    counts[1, 20], counts[2, 150], counts[1, 100], counts[0, 700] = 10, 20, 30, 40
    found = {
        name: (value, error) for name, value, error in truth._incidence({"initiation": counts, "retention": counts})
    }
    n = 100
    assert found["retention.cif.disengagement.90"] == pytest.approx((0.1, np.sqrt(0.1 * 0.9 / n)))
    assert found["retention.cif.disengagement.182"][0] == pytest.approx(0.4) and found["retention.cif.completion.182"][
        0
    ] == pytest.approx(0.2)
    assert "retention.cif.completion.90" not in found and found["initiation.cif.lapse.90"][0] == 0
    assert found["initiation.cif.start.30"][0] == pytest.approx(0.1)
    hazard = 0.3 / 0.9
    assert found["retention.hazard.disengagement.90-182"] == pytest.approx(
        (hazard, np.sqrt(hazard * (1 - hazard) / (n * 0.9)))
    )
    assert found["retention.hazard.disengagement.0-30"][0] == pytest.approx(0.1)
    assert "retention.hazard.completion.60-90" not in found and found["retention.hazard.completion.90-182"][
        0
    ] == pytest.approx(0.2 / 0.9)
    days = np.repeat([20, 100, 150, 182], [10, 30, 20, 40])
    assert found["retention.rmst.182"] == pytest.approx((days.mean(), days.std() / np.sqrt(n)))
    assert not any(name.startswith("initiation.hazard") or name.startswith("initiation.rmst") for name in found)


@pytest.mark.parametrize(
    ("n", "sizes"), [(10, [10]), (25_000, [25_000]), (25_001, [25_000, 1]), (60_000, [25_000, 25_000, 10_000])]
)
def test_samples_are_drawn_in_chunks(n: int, sizes: list[int]) -> None:
    assert truth._sizes(n) == sizes


def test_a_few_people_have_a_truth_too() -> None:
    with np.errstate(all="ignore"):
        found = integrate("benefit", n=60, seed=1)
    assert 0 < found["value"]["harm.risk.365.focus"] < 1
    assert found["value"]["harm.hazard_ratio.conditional"] == pytest.approx(np.exp(SCENARIOS["benefit"].harm_effect))
    assert found["error"]["harm.hazard_ratio.conditional"] == 0
    value, error = found["value"], found["error"]
    assert value["harm.risk.182.att"] == value["harm.risk.182.focus"] - value["harm.risk.182.att_comparison"]
    assert error["harm.risk.182.att"] == pytest.approx(
        np.hypot(error["harm.risk.182.focus"], error["harm.risk.182.att_comparison"]), nan_ok=True
    )


def test_the_stated_truth_is_written_for_every_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def small(name: str, n: int) -> dict[str, dict[str, float]]:
        asked.append((name, n))
        return {"value": {"x": 1 / 3}, "error": {"x": 0.0}}

    monkeypatch.setattr(truth, "integrate", small)
    truth.write_known(tmp_path / "t.json", n=7)
    assert json.loads((tmp_path / "t.json").read_text()) == {
        "n": 7, "seed": 7, "scenarios": {name: {"value": {"x": 0.3333333}, "error": {"x": 0.0}} for name in SCENARIOS},
    }  # fmt: skip
    assert asked == [(name, 7) for name in SCENARIOS]
    stated = json.loads((Path(package.__file__).parent / "truth.json").read_text())
    assert (stated["n"], stated["seed"]) == (truth._SAMPLES, truth._SEED) == (2_500_000, 7)


def test_scenarios_by_name() -> None:
    assert get_scenario("null") is SCENARIOS["null"] and get_scenario("null").name == "null"
    with pytest.raises(UsageError, match=r"^scenario 'nul' is not one of .*; did you mean 'null'\?$"):
        get_scenario("nul")


def test_referrals_of_the_pilot_rise_for_half_a_year_and_those_of_the_other_arm_do_not() -> None:
    focus = np.repeat([True, False], 200_000)
    days = (
        _referrals(np.random.default_rng(3), focus, date(2022, 1, 3), date(2022, 12, 30)) - date(2022, 1, 3).toordinal()
    )
    assert set(days % 7) == {0, 1, 2, 3, 4}
    weekdays = np.arange(362)[np.arange(362) % 7 < 5]
    for arm, weight in ((True, np.minimum((weekdays + 30) / 180, 1)), (False, np.ones(len(weekdays)))):
        expected = np.add.reduceat(weight / weight.sum(), np.flatnonzero(np.diff(weekdays // 28, prepend=-1)))
        own = np.bincount(days[focus == arm] // 28, minlength=len(expected)) / 200_000
        assert own == pytest.approx(expected, abs=0.003)
    assert expected[0] == pytest.approx(20 / len(weekdays))


class Rolls:
    """A generator of which every draw is known: waits by their mean, everybody chosen, weeks of two."""

    def __init__(self, waits: dict[float, list[float]]) -> None:
        self.waits = waits

    def exponential(self, mean: float, size: int) -> np.ndarray:
        return np.array(self.waits.get(mean, [0.0] * size), dtype=float)

    def random(self, size: int) -> np.ndarray:
        return np.zeros(size)

    def geometric(self, _: float, size: int) -> np.ndarray:
        return np.full(size, 2)


def test_a_second_episode_is_dated_up_to_the_day_of_the_extract(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five people one is referred again too late; intakes are a day before, on and after the last day, and long before."""
    monkeypatch.setattr(_tables, "_over", lambda _: np.array([900, 900, 900, 901, 100]))
    rolls = Rolls({90: [10.9, 10, 10, 10, 0], 8: [27, 28.9, 29, 0]})
    maker = SimpleNamespace(
        rng=rolls, last=1000, ids=np.array(list("abcde")), searched=np.array([1000, 990, 1000, 1, 100])
    )
    first = pd.DataFrame({"participant_id": list("abcde"), "site": "x"})
    rows, sessions = _tables.second_episodes(maker, first)
    assert rows.to_dict("list") == {
        "participant_id": ["a", "b", "c", "e"], "site": ["x"] * 4, "referral_date": [970, 970, 970, 160],
        "intake_date": [999, 1000, NEVER, 162], "outcome_follow_up_end": [1000, 1000, 1000, 162], "recorded_on": [970, 970, 970, 160],
    }  # fmt: skip
    assert sessions.to_dict("list") == {
        "participant_id": ["e", "e"], "session_date": [167, 174], "kind": ["group"] * 2, "status": ["attended"] * 2,
        "hours": [1.5] * 2, "recorded_on": [167, 174],
    }  # fmt: skip


def test_the_truth_is_of_200000_people_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert truth._sizes(60_000) == [25_000, 25_000, 10_000] and truth._sizes(50_000) == [25_000] * 2
    asked: list[int] = []
    monkeypatch.setattr(truth, "_sizes", lambda n: asked.append(n) or [100])
    integrate("null")
    assert asked == [200_000] * 3
