"""Every public analysis can be shown and said: its family's view makes a table, numbers, a sentence, and a figure where it has one."""

from __future__ import annotations

import re

import pytest

from evalkit.disclosure import Safe, make_safe
from evalkit.errors import AnalysisError, DisclosureError
from evalkit.estimates import Estimates
from evalkit.views import FAMILIES, CurveText, Look, View, _families, view_of
from golden.cases import CASES
from protected.frames import SMALL
from views.drawn import cells

FIRST = {name.partition(":")[0]: name for name in reversed(CASES)}
NO_SENTENCE = {"analyses.caseload"}
"""What a report shows in a table of its own, or in none."""


def safe_of_case(name: str) -> tuple[Safe, ...]:
    found = CASES[name]()
    found = found if isinstance(found, tuple | list) else (found,)
    safe = []
    for one in (one for one in found if isinstance(one, Estimates) and one.counts is not None):
        try:
            safe.append(make_safe(one, SMALL))
        except DisclosureError as refused:  # of some counts there is no safe form, and the reason is said
            assert re.match(r"(weighted states|states with delayed entry) cannot be shown: ", str(refused))
    return tuple(safe)


def view_of_safe(safe: Safe) -> View:
    rows = safe.estimates.tidy()
    groups = list(dict.fromkeys(rows["group"].astype(str))) if "group" in rows else []
    return view_of(
        safe, [*groups, "one", "other"][: max(2, len(groups))], Look(CurveText("y", "x", "well"), 400, "share")
    )


@pytest.mark.parametrize("analysis", sorted(FIRST))
def test_it_can_be_shown_and_said(analysis: str) -> None:
    for safe in safe_of_case(FIRST[analysis]):
        view = view_of_safe(safe)
        if safe.verdict == "withheld" or view.is_empty:
            assert view.absent().startswith(
                (
                    *("Not shown", "Withheld", "Difference in the mean", "People who came back", "No values"),
                    *("Checks of the comparison", "Preference score 0.3 to 0.7. Withheld"),
                )
            )
            continue
        rows = cells(view.table("A note below."))
        assert len(rows) >= 2
        assert "A note below." in rows[-1][0]
        assert len(view.numbers())
        if analysis not in NO_SENTENCE:
            said = view.sentence("fig-x")
            assert re.search(r"\d", said) or "Not" in said or "No " in said, said
            assert "nan" not in said
        if view.has_figure and not view.undrawable:
            figure, alt = view.figure()
            assert figure.axes
            assert alt
            assert len(view.drawn_numbers())


def test_every_family_is_that_of_an_analysis_or_of_a_part_of_a_report() -> None:
    found = {safe.estimates.view for name in FIRST.values() for safe in safe_of_case(name)}
    assert {
        "survival",
        "incidence",
        "funnel",
        "model",
        "gate",
        "mean_gap",
        "pathway",
        "state_days",
        "risks",
        "foretold",
        "plain",
        "trend",
        "weeks",
    } <= found


def test_a_family_that_is_not_there_is_named() -> None:
    made = Estimates(CASES[FIRST["analyses.funnel"]]().data, "mine", "e", view="funel", counts=None)
    safe = Safe(made, "released", (), SMALL)
    with pytest.raises(Exception, match=r"mine: there is no view 'funel'; did you mean 'funnel'\?"):
        view_of(safe)


def test_no_family_takes_the_name_of_another() -> None:
    class Second(View):
        name = "funnel"

    with pytest.raises(AnalysisError, match=r"^views: two families are called 'funnel'$"):
        _families._by_name([FAMILIES["funnel"], Second])
    funnel = FAMILIES["funnel"]
    assert _families._by_name([funnel, funnel]) == {"funnel": funnel}  # met twice, by two of its bases


def test_a_class_without_a_name_of_its_own_is_no_family() -> None:
    class Base(View):
        """What others build on."""

    assert _families._by_name([View, Base]) == {"plain": View}
    assert FAMILIES["plain"] is View
