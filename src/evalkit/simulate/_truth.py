"""The truth: what the estimands are, found by large-sample integration of the same model.

Completing is the dose of groups or a recorded exit, whichever is first, and harm is counted from the intake: that is
how people are drawn. A protocol with other rules (the defaults) has other estimands, which are not integrated.
Censoring here tells nothing (end of data, moves and the like come independently of everything), so the
estimators aim at what would be seen without it; that is what is integrated, under the same definitions.
Retention and initiation are counted in large samples; the harm scale is a mean of closed forms.

``truth.json`` holds the values for the scenarios as they come; `write_known` makes it again. ATT values give
the pilot's own people (their covariates and trait) to PAIP.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.protocol import Rules
from evalkit.simulate._course import AS_SIMULATED, draw_attendance, put_together, time_scales
from evalkit.simulate._harm import REPORTED, harm_level, relative_rate
from evalkit.simulate._people import SCENARIOS, Floats, Scenario, draw_people, get_scenario

RETENTION_DAYS = (90, 182, 270, 365)
INITIATION_DAYS = (30, 60, 90)
HARM_DAYS = (182, 365)
HAZARD_STEPS = ((0, 30), (30, 60), (60, 90), (90, 182), (182, 365))
_HARMS = {"harm": REPORTED, "dv_arrest": ("dv_arrest",)}
_CAUSES = {"initiation": ("start", "lapse"), "retention": ("disengagement", "completion")}
# covariates like the pilot's, in the pilot, random stream: ATT's two sides share their random numbers
_POPULATIONS = {
    "focus": (True, True, 0),
    "comparison": (False, False, 1),
    "att_comparison": (True, False, 0),
}
# Days: of weekly groups neither 24 nor the 22 of a waived dose fit into less, and a share of 0 tests no estimator.
_EARLIEST_COMPLETION = 100
# Days: beyond every landmark; later events are counted on it, as they count for none.
_LONG = 800
# People drawn at once, so that millions fit into memory.
_CHUNK = 25_000
# So many that the error of a share is below 0.0004, too little to show as bias in 1,000 simulated studies.
_SAMPLES = 2_500_000
_SEED = 7


def integrate(
    scenario: Scenario | str, *, n: int = 200_000, seed: int = _SEED, rules: Rules | None = None
) -> dict[str, dict[str, float]]:
    """Integrate the model over a large sample.

    Parameters
    ----------
    scenario : Scenario or str
    n : int, default 200000
        People in each of three populations: the pilot, PAIP, and the pilot's people in PAIP.
    seed : int
    rules : Rules, optional
        The study's definitions; `AS_SIMULATED` when not given.

    Returns
    -------
    dict with keys ``value`` and ``error``
        Each maps a name such as ``retention.cif.disengagement.182.focus`` to a number: the value, and its
        Monte Carlo standard error (for ATT contrasts an upper bound). Names are listed in `evalkit.simulate`.

    Raises
    ------
    UsageError
        If there is no such scenario.
    """
    model = get_scenario(scenario) if isinstance(scenario, str) else scenario
    used = rules or AS_SIMULATED
    value: dict[str, float] = {}
    error: dict[str, float] = {}
    for group, (like, focus, stream) in _POPULATIONS.items():
        days: dict[str, Floats] = {}
        harm: list[Floats] = []
        for k, size in enumerate(_sizes(n)):
            rng = np.random.default_rng([seed, stream, k])
            for scale, tally in _count(rng, model, size, like, focus, used, harm).items():
                days[scale] = days.get(scale, np.zeros_like(tally)) + tally
        for name, v, e in (*_incidence(days), *_harm(harm)):
            value[f"{name}.{group}"], error[f"{name}.{group}"] = v, e
    _contrasts(model, value, error)
    return {"value": value, "error": error}


def _sizes(n: int) -> list[int]:
    return [_CHUNK] * (n // _CHUNK) + ([n % _CHUNK] if n % _CHUNK else [])


def _count(
    rng: np.random.Generator, model: Scenario, n: int, like: bool, focus: bool, rules: Rules, harm: list[Floats]
) -> dict[str, Floats]:
    """Events by (cause, day) of each scale in one chunk; harm's curves are appended to ``harm``."""
    starts = date(2021, 11, 18)
    people = draw_people(rng, model, np.full(n, like), np.full(n, focus), starts, date(2023, 12, 31))
    course = put_together(people, draw_attendance(rng, model, people), other_exits=False)
    found = {}
    # a cut after everything: nothing is censored
    for scale, frame in time_scales(course, rules, date(2040, 1, 1)).items():
        day = np.minimum(frame["time"].to_numpy(), _LONG)
        cause = frame["cause"].to_numpy()
        found[scale] = np.stack([np.bincount(day[cause == c], minlength=_LONG + 1) for c in (0, 1, 2)]).astype(float)
    # means of closed forms vary far less than shares: a twenty-fifth of the people is enough
    level = harm_level(model, people)[: max(n // 25, 1)]
    rows = [_harm_curves(level * relative_rate(kinds), model.harm_shape) for kinds in _HARMS.values()]
    harm.append(np.concatenate(rows, axis=1))
    return found


def _harm_curves(level: Floats, shape: float) -> Floats:
    """Risk, restricted mean and mean count at `HARM_DAYS`, in a row per person."""
    t, at = np.arange(max(HARM_DAYS) + 1) / 365, list(HARM_DAYS)
    steps = np.outer(level, t**shape)
    survival = np.exp(-steps)
    expected = np.cumsum(-np.expm1(-np.diff(steps, axis=1, prepend=0.0)), axis=1)
    rmst = np.cumsum(survival, axis=1) - survival  # column t: sum of S over days 0 ... t - 1
    return np.concatenate([(1 - survival)[:, at], rmst[:, at], expected[:, at]], axis=1)


def _incidence(days: dict[str, Floats]) -> Iterator[tuple[str, float, float]]:
    """CIF, interval hazards and RMST of the counted scales."""
    for scale, landmarks in (("initiation", INITIATION_DAYS), ("retention", RETENTION_DAYS)):
        counts = days[scale]
        n = counts.sum()
        cif = np.cumsum(counts[1:], axis=1) / n
        free = 1 - cif.sum(axis=0)
        for k, cause in enumerate(_CAUSES[scale]):
            for t in landmarks:
                if cause == "completion" and t < _EARLIEST_COMPLETION:
                    continue
                p = cif[k, t]
                yield f"{scale}.cif.{cause}.{t}", p, float(np.sqrt(p * (1 - p) / n))
        if scale == "initiation":
            continue
        for k, cause in enumerate(_CAUSES[scale]):
            for a, b in HAZARD_STEPS:
                if cause == "completion" and b <= _EARLIEST_COMPLETION:
                    continue
                p = (cif[k, b] - cif[k, a]) / free[a]
                yield f"{scale}.hazard.{cause}.{a}-{b}", p, float(np.sqrt(p * (1 - p) / (n * free[a])))
        for tau in (182, 365):
            mean = free[:tau].sum()
            square = (2 * np.arange(tau) + 1) @ free[:tau]
            yield f"{scale}.rmst.{tau}", float(mean), float(np.sqrt((square - mean**2) / n))


def _harm(rows: list[Floats]) -> Iterator[tuple[str, float, float]]:
    table = np.concatenate(rows)
    mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / np.sqrt(len(table))
    names = [f"{harm}.{what}.{t}" for harm in _HARMS for what in ("risk", "rmst", "mcf") for t in HARM_DAYS]
    yield from zip(names, mean.tolist(), error.tolist(), strict=True)


def _contrasts(model: Scenario, value: dict[str, float], error: dict[str, float]) -> None:
    """ATT differences, the ATT risk ratio, and the hazard ratio given everything."""
    for name in [k.removesuffix(".att_comparison") for k in value if k.endswith(".att_comparison")]:
        a, b = f"{name}.focus", f"{name}.att_comparison"
        value[f"{name}.att"] = value[a] - value[b]
        error[f"{name}.att"] = float(np.hypot(error[a], error[b]))
    for harm, t in itertools.product(_HARMS, HARM_DAYS):
        a, b = f"{harm}.risk.{t}.focus", f"{harm}.risk.{t}.att_comparison"
        ratio, name = value[a] / value[b], f"{harm}.risk_ratio.{t}.att"
        value[name] = ratio
        error[name] = ratio * float(np.hypot(error[a] / value[a], error[b] / value[b]))
    value["harm.hazard_ratio.conditional"] = float(np.exp(model.harm_effect))
    error["harm.hazard_ratio.conditional"] = 0.0


@cache
def _known() -> dict[str, Any]:
    text = resources.files("evalkit.simulate").joinpath("truth.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


def known_truth(name: str) -> dict[str, dict[str, float]]:
    """Return the truth of a scenario as it comes, from ``truth.json``, as `integrate` gives it."""
    found: dict[str, dict[str, float]] = _known()["scenarios"][get_scenario(name).name]
    return {part: dict(found[part]) for part in ("value", "error")}


def write_known(file: Path, n: int = _SAMPLES) -> None:
    """Integrate every scenario over n people in each population, and write ``truth.json``."""
    found = {}
    for name in SCENARIOS:
        result = integrate(name, n=n)
        found[name] = {part: {k: float(f"{v:.7g}") for k, v in rows.items()} for part, rows in result.items()}
    content = {"n": n, "seed": _SEED, "scenarios": found}
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
