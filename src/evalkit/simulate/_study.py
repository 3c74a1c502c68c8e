"""A simulated study: what happens to its people, its tables, the truth, and what is written to disk.

Simulation studies need none of the tables: `simulate_scales` takes the time scales straight from the arrays.
"""

from __future__ import annotations

__all__: list[str] = []

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from evalkit._version import __version__
from evalkit.errors import UsageError
from evalkit.protocol import Rules
from evalkit.simulate import _tables
from evalkit.simulate._course import AS_SIMULATED, Course, draw_attendance, put_together, time_scales
from evalkit.simulate._harm import REPORTED, draw_harm, together
from evalkit.simulate._people import GENDERS, NEVER, RACES, SOURCES, Ints, Scenario, draw_people, get_scenario
from evalkit.simulate._tables import STATUSES, Maker, second_episodes
from evalkit.simulate._truth import known_truth
from evalkit.spreadsheet import csv_text

_SHORTEST_DAYS = 90
_SEARCH_BEFORE_END = 14
_COLUMNS = {
    "participants": (["referral_date", "intake_date", "outcome_follow_up_end"], ["referral_date"]),
    "sessions": (["session_date"], ["session_date", "participant_id", "kind"]),
    "exits": (["exit_date"], ["exit_date", "participant_id"]),
    "outcomes": (["outcome_date"], ["outcome_date", "participant_id", "kind"]),
    "measures": (["measure_date"], ["measure_date", "participant_id"]),
    "searches": (["searched_from", "searched_to"], ["searched_from", "participant_id", "source"]),
}


def draw_course(
    model: Scenario, seed: int, n_focus: int | None, n_comparison: int | None, starts: date, ends: date
) -> tuple[Course, Ints]:
    """Draw what happens to the people of a study, and when each was last searched for outcomes (n,)."""
    sizes = (
        model.n_focus if n_focus is None else n_focus,
        model.n_comparison if n_comparison is None else n_comparison,
    )
    if min(sizes) < 1:
        msg = "simulate: n_focus and n_comparison must be at least 1"
        raise UsageError(msg)
    if (ends - starts).days < _SHORTEST_DAYS:
        msg = f"simulate: from starts to ends must be at least {_SHORTEST_DAYS} days"
        raise UsageError(msg)
    focus = np.repeat([True, False], sizes)
    # a stream for each part: whoever draws more in one leaves the others as they are
    rng = np.random.default_rng([seed, 0])
    # so that neither place nor identifier tells the arm
    focus = rng.permutation(focus)
    people = draw_people(rng, model, focus, focus, starts, ends)
    attendance = draw_attendance(np.random.default_rng([seed, 1]), model, people)
    course = put_together(people, attendance)
    return course, _searched(np.random.default_rng([seed, 2]), course, ends.toordinal())


def _searched(rng: np.random.Generator, course: Course, last: int) -> Ints:
    """Last day searched: two weeks before the extract, or about when somebody moved away."""
    p = course.people
    known = np.where(course.intake <= last, course.intake, p.referral)
    end = np.maximum(last - _SEARCH_BEFORE_END, known)
    # 4: moved away, where nobody searches any more
    moved = (course.exit_reason == 4) & (rng.random(p.n) < 0.5)
    away = np.maximum(course.exit_day + rng.integers(0, 30, p.n), known)
    return np.where(moved, np.minimum(end, away), end)


@dataclass(frozen=True, eq=False)
class Simulated:
    """A synthetic study whose truth is known.

    Attributes
    ----------
    tables : dict of str to pandas.DataFrame
        ``participants``, ``sessions``, ``exits``, ``outcomes``, ``measures``, ``searches`` with the columns that
        ``evalkit dictionary`` lists, dates as datetime64, with ``recorded_on``, ``retracted_on`` and ``synthetic``
        (True).
    truth : mapping of str to float
        True values by name, for example ``retention.cif.completion.182.focus``.
    truth_error : mapping of str to float
        Monte Carlo standard error of each true value.
    about : mapping
        seed, scenario, n_focus, n_comparison, starts, ends, version.
    """

    tables: dict[str, pd.DataFrame] = field(repr=False)
    truth: Mapping[str, float] = field(repr=False)
    truth_error: Mapping[str, float] = field(repr=False)
    about: Mapping[str, Any]

    def write(self, folder: Path) -> list[Path]:
        """Write the tables as CSV, and ``simulation.json``; the same seed gives the same bytes.

        Parameters
        ----------
        folder : pathlib.Path
            Made when it is not there.

        Returns
        -------
        list of pathlib.Path
            The files written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name, content in self.files().items():
            written.append(folder / name)
            written[-1].write_bytes(content)
        return written

    def files(self) -> dict[str, bytes]:
        """Return what `write` writes.

        Returns
        -------
        dict of str to bytes
            Name of a file: its content.
        """
        found = {
            f"{name}.csv": csv_text(table.assign(synthetic="true")).encode("utf-8")
            for name, table in self.tables.items()
        }
        about = {**self.about, "truth": dict(self.truth), "truth_error": dict(self.truth_error)}
        found["simulation.json"] = (json.dumps(about, indent=2, sort_keys=True) + "\n").encode("utf-8")
        return found


def simulate(
    scenario: str = "benefit",
    *,
    seed: int,
    n_focus: int | None = None,
    n_comparison: int | None = None,
    starts: date = date(2021, 11, 18),
    ends: date = date(2023, 12, 31),
) -> Simulated:
    """Make a synthetic study.

    Parameters
    ----------
    scenario : {"benefit", "null", "harm", "strong_confounding", "sparse", "one_site"}
    seed : int
        Seed of everything random.
    n_focus, n_comparison : int, optional
        People in the pilot and in PAIP; by default the scenario's (160 and 900; sparse: 24 and 70).
    starts, ends : datetime.date
        Referrals come between them; the tables are an extract taken on ``ends``.

    Returns
    -------
    Simulated

    Raises
    ------
    UsageError
        If there is no such scenario, nobody is in an arm, or the study is shorter than 90 days.

    Examples
    --------
    >>> study = simulate("null", seed=1, n_focus=20, n_comparison=30)
    >>> study.tables["participants"]["participant_id"].nunique()
    50
    >>> study.truth["harm.hazard_ratio.conditional"]
    1.0
    """
    model = get_scenario(scenario)
    course, searched = draw_course(model, seed, n_focus, n_comparison, starts, ends)
    rng = np.random.default_rng([seed, 3])
    ids = _identifiers(rng, course.people.n)
    maker = Maker(
        rng,
        np.random.default_rng([seed, 4]),
        model,
        course,
        ids,
        ends.toordinal(),
        searched,
        np.random.default_rng([seed, 5]),
    )
    tables = _with_records(maker, _raw(maker))
    truth = known_truth(scenario)
    about = {
        "seed": seed,
        "scenario": scenario,
        "n_focus": int(course.people.focus.sum()),
        "n_comparison": int((~course.people.focus).sum()),
        "starts": starts.isoformat(),
        "ends": ends.isoformat(),
        "version": __version__,
    }
    return Simulated(
        tables,
        MappingProxyType(truth["value"]),
        MappingProxyType(truth["error"]),
        MappingProxyType(about),
    )


def _identifiers(rng: np.random.Generator, n: int) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    # a dictionary keeps the order of draws, which the seed decides; a set's is its own
    found: dict[int, None] = {}
    while len(found) < n:
        found.update(dict.fromkeys(rng.integers(0, 2**32, n - len(found)).tolist()))
    return np.array([f"P{k:08x}" for k in found], dtype=object)


def _raw(maker: Maker) -> dict[str, pd.DataFrame]:
    people = maker.participants()
    again, more = second_episodes(maker, people)
    return {
        "participants": pd.concat([people, again]),
        "sessions": pd.concat([maker.sessions(), more]),
        "exits": maker.exits(),
        "outcomes": maker.outcomes(),
        "measures": maker.measures(),
        "searches": maker.searches(),
    }


def _with_records(maker: Maker, raw: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Add corrections and rows entered in error, and finish."""
    rng = maker.rng
    # in this order, as each table draws on from where the one before left the stream: a seed's bytes depend on it
    plan: dict[str, tuple[float, dict[str, tuple[str, ...]]]] = {
        "participants": (0.01, {"referral_source": SOURCES[:4]}),
        "sessions": (0.008, {"status": STATUSES}),
        "exits": (0.01, {"reason": ("completed", "dropped_out", "administrative")}),
        "outcomes": (0.0, {}),
        "measures": (0.0, {}),
    }
    outcomes = raw["outcomes"]
    phantoms = outcomes[rng.random(len(outcomes)) < 0.02].assign(kind="order_violation", source="court_records")
    done = {}
    for name, (share, spoil) in plan.items():
        dates, by = _COLUMNS[name]
        extra = phantoms if name == "outcomes" else None
        table = _tables.with_errors(rng, raw[name], maker.last, share=share, spoil=spoil, phantoms=extra)
        columns = [c for c in raw[name].columns if c != "recorded_on"]
        done[name] = _tables.finish(table, tuple(dates), by, columns)
    dates, by = _COLUMNS["searches"]
    searches = raw["searches"].assign(retracted_on=NEVER)
    columns = [c for c in raw["searches"].columns if c != "recorded_on"]
    done["searches"] = _tables.finish(searches, tuple(dates), by, columns)
    return done


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
