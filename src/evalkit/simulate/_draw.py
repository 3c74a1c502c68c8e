"""Drawing a study: what happens to its people, before anything is written down."""

from __future__ import annotations

from datetime import date

import numpy as np

from evalkit.errors import UsageError
from evalkit.simulate._attendance import draw_attendance
from evalkit.simulate._course import Course, put_together
from evalkit.simulate._people import Ints, draw_people
from evalkit.simulate._scenario import Scenario

_SHORTEST_DAYS = 90
_SEARCH_BEFORE_END = 14


def draw_course(
    model: Scenario, seed: int, n_focus: int | None, n_comparison: int | None, starts: date, ends: date
) -> tuple[Course, Ints]:
    """Draw what happens to the people of a study, and when each was last searched for outcomes.

    Parameters
    ----------
    n_focus, n_comparison : int or None

    Returns
    -------
    course : Course
    searched : array of int, shape (n,)

    Raises
    ------
    UsageError
        As `simulate`.
    """
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
    rng = np.random.default_rng([seed, 0])
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
    moved = (course.exit_reason == 4) & (rng.random(p.n) < 0.5)
    away = np.maximum(course.exit_day + rng.integers(0, 30, p.n), known)
    return np.where(moved, np.minimum(end, away), end)
