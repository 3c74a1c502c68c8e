"""What R does not give: the golden frames of the study again, from its raw tables, in plain Python.

The scales by the walk through the days of `tests/cohort/worlds.py`; the rest by loops over people. Nothing of evalkit
is called: a fault shared by frame and product would have to be made twice.
"""

from __future__ import annotations

import csv
import functools
import itertools
import math
from collections import Counter
from datetime import date

import numpy as np
import pytest
from scipy import stats

from cohort import worlds
from golden.cases import CUT, EARLIER
from golden.runner import HERE
from golden.test_whole import kept

ARMS = {"non_mandated": "Pilot", "paip": "PAIP"}
Z = stats.norm.ppf(0.975)


def number(text: str) -> int | None:
    return (date.fromisoformat(text) - worlds.START).days if text else None


@functools.cache
def raw() -> dict[str, list[dict]]:
    return {p.stem: list(csv.DictReader(p.read_text("utf-8").splitlines())) for p in (HERE / "study").glob("*.csv")}


@functools.cache
def rows() -> dict[str, list[worlds.Row]]:
    """The raw tables as the walk wants them: days as numbers, every kind of harm alike."""
    made = {}
    for name, day in (("participants", "referral_date"), ("sessions", "session_date"), ("exits", "exit_date"), ("outcomes", "outcome_date")):  # fmt: skip
        made[name] = []
        for row in raw()[name]:
            at = number(row[day])
            rest = {
                "participants": lambda r, at=at: (_since(r["intake_date"], at), _since(r["outcome_follow_up_end"], at), r["pathway"]),
                "sessions": lambda r: (r["kind"], r["status"], float(r["hours"] or 0)),
                "exits": lambda r: (r["reason"],),
                "outcomes": lambda r: ("dv_arrest",),
            }[name](row)  # fmt: skip
            made[name].append(
                worlds.Row(row["participant_id"], at, rest, number(row["recorded_on"]), number(row["retracted_on"]))
            )
    return made


def _since(text: str, day: int) -> int | None:
    return None if not text else number(text) - day


@functools.cache
def walked(cut: date) -> dict[str, list[tuple]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worlds, "DOSE_N", 10)
        patch.setattr(worlds, "DOSE_H", 14)
        patch.setattr(worlds, "ORIGIN", "intake")  # as the golden study's protocol says
        patch.setattr(worlds, "COMPETING", False)
        return worlds.expected(rows(), (cut - worlds.START).days, "first")


@functools.cache
def people(cut: date = CUT) -> dict[str, dict]:
    """First episodes known at a cut: arm, days of referral, intake and attended sessions, the raw row."""
    end = (cut - worlds.START).days
    seen = {name: worlds.known(found, end) for name, found in rows().items()}
    found: dict[str, dict] = {}
    for row in sorted(seen["participants"], key=lambda r: r.day):
        if row.who in found:
            found[row.who]["until"] = min(found[row.who]["until"], row.day)
            continue
        raw_row = next(
            r
            for r in raw()["participants"]
            if r["participant_id"] == row.who
            and number(r["referral_date"]) == row.day
            and number(r["recorded_on"]) == row.recorded
        )
        intake = None if row.rest[0] is None or row.day + row.rest[0] > end else row.day + row.rest[0]
        found[row.who] = {
            "arm": ARMS[row.rest[2]],
            "referral": row.day,
            "intake": intake,
            "until": 10**6,
            "raw": raw_row,
        }
    for who, one in found.items():
        own = [r for r in seen["sessions"] if r.who == who and one["referral"] <= r.day < one["until"]]
        one["sessions"] = sorted(own, key=lambda r: r.day)
        one["days"] = sorted(r.day for r in own if r.rest[1] == "attended")
    return found


@pytest.mark.parametrize("scale", ["initiation", "retention", "harm", "harm_recurrent"])
def test_scales(scale: str) -> None:
    frame = kept(f"cohort.build: {scale}")
    ours = sorted(zip(frame["participant_id"], frame["episode"], frame["time"], frame["event"], strict=True))
    assert ours == sorted(walked(EARLIER)[scale])
    arms = {who: one["arm"] for who, one in people(EARLIER).items()}
    assert frame["group"] == [arms[who] for who in frame["participant_id"]]


def counted(name: str, term: str = "term") -> dict[tuple[str, str], tuple[int, int]]:
    data = kept(name)["data"]
    return {(g, t): (x, n) for g, t, x, n in zip(data["group"], data[term], data["n_event"], data["n"], strict=True)}


def wilson(x: int, n: int) -> tuple[float, float]:
    p, q = x / n, Z**2 / n
    middle, half = (p + q / 2) / (1 + q), Z / (1 + q) * math.sqrt(p * (1 - p) / n + q / (4 * n))
    return middle - half, middle + half


def test_funnel() -> None:
    end, want = (CUT - worlds.START).days, Counter()
    completed = {who: time for who, _, time, event in walked(CUT)["retention"] if event == 2}
    for who, one in people().items():
        day, first = one["days"], one["days"][0] if one["days"] else None
        group = sorted(r.day for r in one["sessions"] if r.rest[:2] == ("group", "attended"))
        steps = {
            "referred": (True, True),
            "intake": (
                one["referral"] + 30 <= end,
                one["intake"] is not None and one["intake"] <= one["referral"] + 30,
            ),
            "first_session": (one["referral"] + 60 <= end, first is not None and first <= one["referral"] + 60),
        }
        if one["intake"] is not None:
            n = sum(one["intake"] <= d <= one["intake"] + 60 for d in day)
            steps["engaged"] = (one["intake"] + 60 <= end, n >= 4)
        if first is not None:
            steps["half_dose"] = (first + 60 <= end, sum(d <= first + 60 for d in group) >= 5)
            counting = [r for r in one["sessions"] if r.rest[:2] == ("group", "attended")]
            sums = itertools.accumulate(counting, lambda s, r: (s[0] + 1, s[1] + r.rest[2], r.day), initial=(0, 0.0, 0))
            dosed = next((day_ for n_, hours, day_ in sums if n_ >= 10 and hours >= 14 - 1e-6), None)
            steps["dose"] = (first + 270 <= end, dosed is not None and dosed <= first + 270)
        for step, (ready, did) in steps.items():
            want[one["arm"], step, "n"] += ready
            want[one["arm"], step, "x"] += ready and did
        assert who not in completed or first is not None
    table = counted("analyses.funnel: all")
    for (arm, step), (x, n) in table.items():
        if step != "completed":
            assert (x, n) == (want[arm, step, "x"], want[arm, step, "n"]), (arm, step)


@pytest.mark.parametrize("name", ["analyses.funnel: all", "analyses.returns: all", "analyses.longest_gap: all", "analyses.dose_distribution: all", "analyses.engaged_by: site", "analyses.lost_to_follow_up: all"])  # fmt: skip
def test_wilson_limits(name: str) -> None:
    data = kept(name)["data"]
    for x, n, p, low, high, term in zip(data["n_event"], data["n"], data["estimate"], data["conf_low"], data["conf_high"], data["term"], strict=True):  # fmt: skip
        if term != "referred":
            np.testing.assert_allclose([p, low, high], [x / n, *np.clip(wilson(x, n), 0, 1)], atol=1e-9)


def curves(scale: str, cut: date = CUT, causes: int = 2) -> dict[tuple[str, int], dict[int, float]]:
    """Aalen-Johansen by its definition: at each time, of those still there, so many have each event."""
    found: dict[tuple[str, int], dict[int, float]] = {}
    for arm in ARMS.values():
        ends = [(time, event) for who, _, time, event in walked(cut)[scale] if people(cut)[who]["arm"] == arm]
        free, total = 1.0, Counter()
        for time in sorted({t for t, _ in ends}):
            risk = sum(t >= time for t, _ in ends)
            for cause in range(1, causes + 1):
                total[cause] += free * sum(e == (time, cause) for e in ends) / risk
                found.setdefault((arm, cause), {})[time] = total[cause]
            free *= 1 - sum(t == time and e > 0 for t, e in ends) / risk
    return found


def test_leaving() -> None:
    data, wanted = kept("analyses.leaving: all")["data"], curves("retention")
    names = {"disengagement": 1, "completion": 2}
    assert {*data["cause"]} == {*names}
    for group, cause, time, estimate in zip(data["group"], data["cause"], data["time"], data["estimate"], strict=True):
        assert estimate == pytest.approx(wanted[group, names[cause]][int(time)]), (group, cause, time)


def test_staying_and_its_mean() -> None:
    data, means = kept("analyses.staying: all")["data"], {}
    for arm in ARMS.values():
        ends = [(t, e) for who, _, t, e in walked(CUT)["retention"] if people()[who]["arm"] == arm]
        free, curve = 1.0, {}
        for time in sorted({t for t, _ in ends}):
            free *= 1 - sum(e == (time, 1) for e in ends) / sum(t >= time for t, _ in ends)
            curve[time] = free
        ours = {t: v for g, t, v in zip(data["group"], data["time"], data["estimate"], strict=True) if g == arm}
        assert ours == pytest.approx(curve)
        means[arm] = sum(next((curve[t] for t in sorted(curve, reverse=True) if t <= day), 1.0) for day in range(90))
    frame = kept("analyses.mean_stay: 90 days")["data"]
    assert frame["contrast"][0] == "Pilot - PAIP"
    assert frame["estimate"][0] == pytest.approx(means["Pilot"] - means["PAIP"])


def test_gaps_dose_and_attendance() -> None:
    end, gaps, rates = (CUT - worlds.START).days, Counter(), {}
    distribution = Counter()
    for one in people().values():
        days = sorted(set(one["days"]))
        shown = [r for r in one["sessions"] if r.rest[1] in {"attended", "absent"}]
        if shown:
            rates.setdefault(one["arm"], []).append((len(one["days"]), len(shown)))
        if len(days) > 1:
            widest = max(b - a for a, b in itertools.pairwise(days))
            term = next(t for limit, t in ((7, "1 to 7 days"), (14, "8 to 14 days"), (30, "15 to 30 days"), (10**6, "more than 30 days")) if widest <= limit)  # fmt: skip
            gaps[one["arm"], term] += 1
        if days and days[0] + 270 <= end:
            n = len(one["days"])
            term = next(t for limit, t in ((0, "0"), (2, "1 to 2"), (4, "3 to 4"), (9, "5 to 9"), (10**6, "10 or more")) if n <= limit)  # fmt: skip
            distribution[one["arm"], term] += 1
    assert {k: x for k, (x, _) in counted("analyses.longest_gap: all").items()} == dict(gaps)
    data = kept("analyses.attendance_rate: all")["data"]
    for arm, n, rate in zip(data["group"], data["n"], data["estimate"], strict=True):
        came, all_of = (sum(v) for v in zip(*rates[arm], strict=True))
        assert (n, rate) == (len(rates[arm]), pytest.approx(came / all_of))


def test_harm_curves_and_counts() -> None:
    data, wanted = kept("analyses.without_harm: all")["data"], curves("harm", causes=1)
    for group, time, estimate in zip(data["group"], data["time"], data["estimate"], strict=True):
        assert estimate == pytest.approx(1 - wanted[group, 1][int(time)]), (group, time)
    first = kept("analyses.first_harm: all")["data"]
    for group, time, estimate in zip(first["group"], first["time"], first["estimate"], strict=True):
        assert estimate == pytest.approx(wanted[group, 1][int(time)]), (group, time)
    model = kept("analyses.harm_model: all")["counts"]["data"]
    known = {
        who for who, one in people().items() if all(one["raw"][c] for c in ("age", "employment", "prior_dv_arrests"))
    }
    ends = [(people()[who]["arm"], time, event) for who, _, time, event in walked(CUT)["harm"] if who in known]
    for i, arm in enumerate(("Pilot", "PAIP")):
        assert model["group"][i] == arm
        own = [(t, e) for a, t, e in ends if a == arm and t > 0]
        assert (model["n"][i], model["n_event"][i]) == (len(own), sum(e for _, e in own))


def test_repeated_harm_is_a_mean_over_people_still_followed() -> None:
    """Nelson's estimator: each day's events of those still followed; n is the number that gives this mean."""
    data = kept("analyses.repeated_harm: of three and more")["counts"]["data"]
    for group, time, n, x in zip(data["group"], data["time"], data["n"], data["n_event"], strict=True):
        mine = [r for r in walked(CUT)["harm_recurrent"] if people()[r[0]]["arm"] == group]
        ends = [r[2] for r in mine if r[3] == 0]
        days = [r[2] for r in mine if r[3] == 1 and r[2] <= time]
        mean = sum(1 / sum(end >= day for end in ends) for day in days)
        assert (x, n) == (len(days), round(len(days) / mean)), (group, time)


def test_baseline() -> None:
    shares, means = kept("analyses.baseline: all")
    for group, variable, label, x, n, smd in zip(*(shares["data"][c] for c in ("group", "variable", "label", "n_event", "n", "smd")), strict=True):  # fmt: skip
        column = {"Gender": "gender", "Employed": "employment", "Earlier arrests": "prior_dv_arrests", "Community area": "community_area"}[variable]  # fmt: skip
        values = {arm: [one["raw"][column] for one in people().values() if one["arm"] == arm] for arm in ARMS.values()}
        level = "" if label == "Not recorded" else label if column == "community_area" else label.lower()
        assert (x, n) == (values[group].count(level), len(values[group])), (group, variable, label)
        p, q = (values[arm].count(level) / len(values[arm]) for arm in ("Pilot", "PAIP"))
        assert smd == pytest.approx((p - q) / math.sqrt((p * (1 - p) + q * (1 - q)) / 2)), (variable, label)
    for group, term, n, mean, deviation, smd in zip(*(means["data"][c] for c in ("group", "term", "n", "estimate", "std_dev", "smd")), strict=True):  # fmt: skip
        values = {arm: np.array([float(v) for one in people().values() if one["arm"] == arm and (v := one["raw"][term])]) for arm in ARMS.values()}  # fmt: skip
        assert (n, mean, deviation) == (len(values[group]), pytest.approx(values[group].mean()), pytest.approx(values[group].std(ddof=1)))  # fmt: skip
        a, b = values["Pilot"], values["PAIP"]
        assert smd == pytest.approx((a.mean() - b.mean()) / math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))


def test_places_and_reach() -> None:
    end = (CUT - worlds.START).days
    for name, column, together in (("analyses.engaged_by: site", "site", False), ("analyses.engaged_by: source, together", "referral_source", True)):  # fmt: skip
        data = kept(name)["data"]
        for group, term, x, n in zip(data["group"], data["term"], data["n_event"], data["n"], strict=True):
            own = [o for o in people().values() if o["raw"][column] == term and (together or o["arm"] == group)]
            own = [o for o in own if o["intake"] is not None and o["intake"] + 60 <= end]
            engaged = [o for o in own if sum(o["intake"] <= d <= o["intake"] + 60 for d in o["days"]) >= 4]
            assert (x, n) == (len(engaged), len(own)), (group, term)
    data = kept("analyses.reach: community areas")["data"]
    for group, term, x, n in zip(data["group"], data["term"], data["n_event"], data["n"], strict=True):
        own = [o for o in people().values() if o["arm"] == group]
        assert (x, n) == (sum(o["raw"]["community_area"] == term for o in own), len(own)), (group, term)


def test_e_values() -> None:
    """VanderWeele & Ding 2017: of a ratio, the square root of a common odds ratio, or their approximation for hazards."""

    def of(ratio: float) -> float:
        ratio = max(ratio, 1 / ratio)
        return ratio + math.sqrt(ratio * (ratio - 1))

    hazards = (1 - 0.5 ** math.sqrt(1.8)) / (1 - 0.5 ** math.sqrt(1 / 1.8))
    for name, ratio in (("RR", 1.62), ("OR", math.sqrt(0.55)), ("HR", hazards), ("rare HR", 0.61)):
        assert kept(f"stats.e_value: {name}")["data"]["e_value"][0] == pytest.approx(of(ratio)), name
        if name != "rare HR":
            assert kept(f"stats.as_risk_ratio: {name}") == pytest.approx(ratio), name


def test_power_by_schoenfeld() -> None:
    share, z = 0.3 * 0.7, stats.norm.ppf
    log_ratio = abs(math.log(0.6))
    assert kept("stats.power: 90 events")["data"]["estimate"][0] == pytest.approx(
        stats.norm.cdf(math.sqrt(90 * share) * log_ratio - z(0.95))
    )
    assert kept("stats.schoenfeld_events: 0.6")["data"]["estimate"][0] == pytest.approx(
        (z(0.995) + z(0.9)) ** 2 / (share * log_ratio**2)
    )
    least = math.exp((z(0.95) + z(0.9)) / math.sqrt(90 * share))
    assert kept("stats.minimum_detectable_hazard_ratio: 90")["data"]["estimate"][0] == pytest.approx(least)


def test_noninferiority_is_judged_at_half_of_alpha() -> None:
    """One side of a 95 % interval: p of 0.039 is not enough. Of a fixed share p is the exact binomial's."""
    data = kept("stats.noninferiority: between the levels")["data"]
    p = stats.binom.sf(67, 90, 0.734 - 0.07)
    assert 0.025 < p < 0.05
    assert (data["p_value"], data["verdict"]) == ([pytest.approx(p)], ["fail"])
    data = kept("stats.noninferiority: lower is better")["data"]
    p = stats.binom.cdf(11, 90, 0.2 + 0.03)
    assert (data["p_value"], data["verdict"]) == ([pytest.approx(p)], ["pass"])
    assert data["std_error"] == [pytest.approx(math.sqrt(11 * 79 / 90**3))]


def test_mean_cumulative_counts() -> None:
    """At each time with an event, events of those still followed; Nelson's estimator."""
    with (HERE / "sets" / "frames_recurrent.csv").open(encoding="utf-8") as file:
        given = [(r["person"], r["arm"], int(r["time"]), int(r["event"])) for r in csv.DictReader(file)]
    data = kept("stats.mean_cumulative_count: by arm")["data"]
    for arm in ("pilot", "paip"):
        own = [r for r in given if r[1] == arm]
        ends = {who: max(t for w, _, t, _ in own if w == who) for who, *_ in own}
        total = 0.0
        for group, time, estimate in zip(data["group"], data["time"], data["estimate"], strict=True):
            if group == arm:
                total += sum(e for _, _, t, e in own if t == time) / sum(t >= time for t in ends.values())
                assert estimate == pytest.approx(total), (arm, time)
