"""A study's time scales straight from the arrays: the fast path of simulation studies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from evalkit.protocol import Rules
from evalkit.simulate._course import AS_SIMULATED, Course, time_scales
from evalkit.simulate._harm import REPORTED, draw_harm, together
from evalkit.simulate._people import GENDERS, RACES, Ints
from evalkit.simulate._scenario import Scenario, get_scenario
from evalkit.simulate._study import draw_course


def simulate_scales(
    scenario: str = "benefit",
    *,
    seed: int,
    n_focus: int | None = None,
    n_comparison: int | None = None,
    starts: date = date(2021, 11, 18),
    ends: date = date(2023, 12, 31),
    rules: Rules | None = None,
    harm_kinds: Sequence[str] = REPORTED,
) -> dict[str, pd.DataFrame]:
    """Return the time scales of `simulate`'s study at its last day, without making its tables.

    The fast path of simulation studies. Tests hold it to the cohort built from the written tables.

    Parameters
    ----------
    scenario, seed, n_focus, n_comparison, starts, ends
        As for `simulate`.
    rules : Rules, optional
        The study's definitions; `AS_SIMULATED` when not given.
    harm_kinds : sequence of str
        Kinds of outcome that are events; by default those of ``params/study.yaml``.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``initiation``, ``retention``, ``harm``: columns person (a position), focus (bool), time (days),
        cause (0: censored); one row per person in the set. ``harm_recurrent``: a row per day with an event
        (cause 1) and a last one at the end of follow-up (cause 0). ``people``: person, focus and the
        covariates, none missing.

    Raises
    ------
    UsageError
        As `simulate`.
    """
    model = get_scenario(scenario)
    course, searched = draw_course(model, seed, n_focus, n_comparison, starts, ends)
    scales = time_scales(course, rules or AS_SIMULATED, ends)
    first, recurrent = _harm_scales(model, course, searched, seed, harm_kinds)
    return {**scales, "harm": first, "harm_recurrent": recurrent, "people": _covariates(course)}


def _harm_scales(
    model: Scenario, course: Course, searched: Ints, seed: int, kinds: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Days of harm since intake, deaths censored: the first, and every one."""
    p = course.people
    end = np.minimum(searched, course.death)
    # the stream from which the tables' outcomes come: both find the same events
    drawn = draw_harm(np.random.default_rng([seed, 4]), model, p, course.intake, end)
    who, day = together(drawn, kinds)
    base = pd.DataFrame({"person": np.arange(p.n), "focus": p.focus, "time": end - course.intake, "cause": 0})
    base = base[course.intake <= end]
    after = day > course.intake[who]
    events = pd.DataFrame({"person": who, "focus": p.focus[who], "time": day - course.intake[who], "cause": 1})
    events = events[after].drop_duplicates().sort_values(["person", "time"], kind="stable")
    recurrent = pd.concat([events, base]).sort_values(["person", "time", "cause"], ascending=[True, True, False])
    first = recurrent.drop_duplicates("person")
    return first.reset_index(drop=True), recurrent.reset_index(drop=True)


def _covariates(course: Course) -> pd.DataFrame:
    p = course.people
    return pd.DataFrame(
        {
            "person": np.arange(p.n),
            "focus": p.focus,
            "age": p.age,
            "gender": np.array(GENDERS, dtype=object)[p.gender],
            "race_ethnicity": np.array(RACES, dtype=object)[p.race],
            "employment": p.employed,
            "prior_dv_arrests": p.prior,
            "alcohol_use": p.alcohol,
        }
    )
