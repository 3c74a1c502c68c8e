"""Conclusions and limitations from hand-made diagnostics: each sentence whole, one row of the table for each branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from evalkit.analyses import Outcome
from evalkit.disclosure import Safe
from evalkit.report import conclusions, limitations
from reports.made import COOK, nothing, points, small, told
from reports.made import shown as _shown
from views.made import safe_of

shown = _shown
Results = Mapping[str, Safe]
HIGH, LOW, UNCLEAR = (0.2, 0.08, 0.32), (-0.2, -0.29, -0.11), (-0.0001, -0.12, 0.06)
PASS = ("pass", "pass", "pass")


def outcome(event: str = "recorded harm", *, compared: bool = True) -> Any:
    """A comparison whose results the report is told."""
    people = pd.DataFrame({"group": ["Pilot"] * 20 + ["PAIP"] * 30, "event": [1] * 50})
    named = {"event": event, "groups": ("Pilot", "PAIP"), "scale": "harm", "population": "p", "data": people}
    own = SimpleNamespace(
        **named,
        cohort=small().cohort,
        diagnose=lambda: safe_of("diagnose", "term\n", estimand=f"gate {event}").estimates,
    )
    made = Outcome(event, 182, own if compared else None)  # type: ignore[arg-type]
    for kind, name in (("adjusted_effects", "effects"), ("e_value", "e_values")):
        made.__dict__[name] = safe_of(kind, "term\n", estimand=f"{kind} {event}").estimates if compared else None
    return made


def results(
    verdicts: tuple[str, ...] = PASS,
    effects: tuple[tuple[float, ...], ...] = (HIGH, HIGH, HIGH),
    limit: object = 1.56,
    event: str = "recorded harm",
) -> dict[str, Safe]:
    """Diagnostics, effects by three methods beside an unadjusted one that says another thing, and the limit's E-value."""
    names = ("balance", "equipoise", "effective sample size")
    gate = "\n".join(f"{name} | {verdict}" for name, verdict in zip(names, verdicts, strict=False))
    rows = ["unadjusted | -0.5 | -0.6 | -0.4", *(" | ".join(map(str, ("iptw", *one))) for one in effects)]
    return {
        f"gate {event}": safe_of("diagnose", f"term | verdict\n{gate}\nproportional hazards | fail\n"),
        f"adjusted_effects {event}": safe_of("adjusted_effects", "\n".join(["method | estimate | conf_low | conf_high", *rows])),
        f"e_value {event}": safe_of("e_value", f"term | e_value\nestimate | 9.9\nlimit | {limit}\nx | 8.8"),
    }  # fmt: skip


POWER = {"precision": safe_of("precision", "measure | estimate\nleast ratio | 1.63\nlargest ratio | 0.61\npower | 0.7")}
ONE_MEASURE = {"precision": safe_of("precision", "measure | estimate\nleast ratio | 1.63\nlargest ratio | -")}
HIGHER = (
    "**Recorded harm.** After adjustment for what was measured, the share by six months is clearly higher in the pilot (by "
    "weighting, +8.0 to +32.0 points). All three ways of adjusting agree."
)
LOWER = (
    "**Recorded harm.** After adjustment for what was measured, the share by six months is clearly lower in the pilot (by "
    "weighting, −29.0 to −11.0 points). All three ways of adjusting agree."
)
NEITHER = (
    "**Recorded harm.** After adjustment for what was measured, it is unclear whether the share by six months differs: 12 "
    "fewer to 6 more of every hundred people in the pilot than in PAIP, by weighting. Any difference in that range fits the data."
)
MIXED = (
    "**Recorded harm.** The three ways of adjusting do not agree whether there is a difference by six months (by weighting, "
    "{low} to {high} points). Nothing firm is concluded."
)
STURDY = "Something unmeasured would need a risk ratio of 1.56 with both group and event to explain it."
FRAGILE = "The finding is fragile: something unmeasured as weak as a risk ratio of {} could explain it."
MISSED = (
    "Even large differences may have been missed: without adjustment, a hazard ratio of 1.63 or more, or 0.61 or less, "
    "would be found in four of five such studies, and after adjustment in fewer."
)
REFUSED = (
    "**Recorded harm.** No conclusion is drawn from adjusted figures: {}. They are shown so that readers can see what was "
    "tried."
)
DIFFER, APART, SMALL = (
    "the groups still differ after weighting", "too few people could have been in either group",
    "after weighting, one group counts for too few people",
)  # fmt: skip
CONCLUSIONS: dict[str, tuple[Results, str]] = {
    "higher, sturdy": (results(), f"{HIGHER} {STURDY}"),
    "higher, fragile": (results(limit=1.31), f"{HIGHER} {FRAGILE.format('1.31')}"),
    "at the bound of what is fragile": (
        results(limit=1.5), f"{HIGHER} Something unmeasured would need a risk ratio of 1.50 with both group and event to "
                            "explain it.",
    ),
    "higher, without an E-value": (
        {**results(), "e_value recorded harm": safe_of("e_value", "term | e_value\nestimate | 9.9")}, HIGHER,
    ),
    "higher, whatever could have been missed": (results() | POWER, f"{HIGHER} {STURDY}"),
    "lower, sturdy": (results(effects=(LOW, LOW, LOW)), f"{LOWER} {STURDY}"),
    "lower, fragile": (results(effects=(LOW, LOW, LOW), limit=1.49), f"{LOWER} {FRAGILE.format('1.49')}"),
    "no difference": (results(effects=(UNCLEAR,) * 3) | POWER, f"{NEITHER} {MISSED}"),
    "no difference, and nothing known of what was missed": (results(effects=(UNCLEAR,) * 3), NEITHER),
    "no difference, and half known of what was missed": (results(effects=(UNCLEAR,) * 3) | ONE_MEASURE, NEITHER),
    "mixed: only weighting finds one": (
        results(effects=(HIGH, UNCLEAR, HIGH)) | POWER, f"{MIXED.format(low='+8.0', high='+32.0')} {MISSED}",
    ),
    "mixed: the methods contradict one another": (
        results(effects=(LOW, HIGH, HIGH)), MIXED.format(low="−29.0", high="−11.0"),
    ),
    "unbalanced": (results(("fail", "pass", "pass")), REFUSED.format(DIFFER)),
    "unlike one another": (results(("pass", "fail", "pass")), REFUSED.format(APART)),
    "too small": (results(("pass", "pass", "fail")), REFUSED.format(SMALL)),
    "everything fails": (results(("fail", "fail", "fail")), REFUSED.format(f"{DIFFER}, {APART} and {SMALL}")),
    "what cannot be judged is not said to have failed": (
        results(("unknown", "pass", "fail")), REFUSED.format(f"balance could not be judged and {SMALL}"),
    ),
    "no overlap could be judged": (results(("pass", "unknown", "pass")), REFUSED.format("overlap could not be judged")),
    "no size could be judged": (
        results(("pass", "pass", "unknown")), REFUSED.format("the size of the groups after weighting could not be judged"),
    ),
    "diagnostics that may not be shown": (results(()) | {"gate recorded harm": safe_of("diagnose", "term | verdict\n")},
                                          REFUSED.format(SMALL)),
    "too early": (results(effects=()), "**Recorded harm.** Too few people have been followed for long enough: nothing is "
                                       "concluded yet."),
    "what is withheld of a group is concluded nowhere": (
        {**results(), "adjusted_effects recorded harm": nothing("adjusted_effects", withheld=("Pilot",))},
        "**Recorded harm.** The comparison is withheld to protect people, as the share of a group is. Withheld is not zero: "
        "nothing is concluded.",
    ),
    "nothing estimated": (
        {**results(), "adjusted_effects recorded harm": safe_of("adjusted_effects", "method | estimate\n")},
        "**Recorded harm.** Too few people have been followed for long enough: nothing is concluded yet.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONCLUSIONS)
def test_conclusion(name: str, shown: list[dict[str, Any]]) -> None:
    given, said = CONCLUSIONS[name]
    conclusions(told(given), [outcome()])
    assert points(shown[0]["text/markdown"]) == [said]


def test_groups_that_cannot_be_compared(shown: list[dict[str, Any]]) -> None:
    conclusions(told(), [outcome(compared=False)])
    said = "**Recorded harm.** The groups cannot be compared with adjustment, so nothing is concluded."
    assert points(shown[0]["text/markdown"]) == [said]


def test_a_summary_says_the_finding_and_not_how_firm_it_is(shown: list[dict[str, Any]]) -> None:
    both = results() | results(effects=(LOW, LOW, LOW), event="disengagement")
    conclusions(told(both), [outcome(), None, outcome("disengagement")], brief=True)
    lower = LOWER.replace("Recorded harm", "Disengagement")
    assert shown[0]["text/markdown"] == f"::: {{.finding}}\n- {HIGHER}\n- {lower}\n:::"
    assert set(shown[0]["mark"]["also"].values()) == {"diagnose", "adjusted_effects", "e_value"}


def test_nothing_to_compare(shown: list[dict[str, Any]]) -> None:
    conclusions(told(), [None, None])
    assert shown[0]["text/markdown"] == (
        "::: {.absent}\nNothing can be concluded: neither sessions nor outcomes are part of this study.\n:::"
    )


CAUSES = {
    "mandate": "These figures do not show what the program caused. People sent by a court differ from people who come "
    "without a court order.",
    "random": "The groups were made by lot: at the start only chance set them apart.",
    "other": "These figures do not show what the program caused. The groups may differ in more than the program.",
}
EXCHANGE = {
    "mandate": "The groups are not exchangeable: the mandate itself is what differs.",
    "random": "The groups were made by lot, but who was lost or left out later was not drawn by lot.",
    "other": "The groups are not exchangeable: nobody drew lots who belongs to which.",
}


@pytest.mark.parametrize("assignment", CAUSES)
def test_below_conclusions_stands_what_no_figure_shows(assignment: str, shown: list[dict[str, Any]]) -> None:
    conclusions(told(results(), of=small(assignment=assignment)), [outcome()])
    assert shown[0]["text/markdown"].partition(":::\n\n")[2] == CAUSES[assignment]


START = (
    "Follow-up begins at a first session or an intake, not at referral. Who gets so far may differ between the groups, and "
    "no weighting for what was measured is sure to mend that."
)
WATCHED = "Recorded harm is less than harm. People who are watched more closely have more of it recorded."
COUNTS = (
    "Counts below 11 are not shown and others are a little off on purpose, so that nobody can be recognized. Differences "
    "within small groups stay unknown."
)
ADJUSTED = "Adjustment removes differences in what was measured, and nothing else."
MET = "The diagnostics of the comparison of recorded harm are met. That holds for what was measured only."
COULD = "Something unmeasured could explain the difference in recorded harm (E-value of its limit: {})."
MISSING = (
    "{} lack a value for at least one characteristic. They are left out of adjusted figures; imputation assumes that what is "
    "missing can be told from what is not."
)
CHANGE = "Hazard ratios of the model of harm change over time; they are averages."
HAZARDS = "whether hazard ratios stay the same over time"


def lacking(*rows: str) -> dict[str, Safe]:
    return {"incomplete": safe_of("incomplete", "\n".join(["group | estimate", *rows]))}


@pytest.mark.parametrize(
    ("tables", "origin", "begins"),
    [
        (("participants", "sessions", "outcomes"), "intake", START[:30]),
        (("participants", "sessions", "outcomes"), "referral", "Harm is followed from referral"),
        (("participants", "sessions"), "referral", START[:30]),
        (("participants", "outcomes"), "intake", "Harm is followed from an intake, not from referral"),
        (("participants", "outcomes"), "referral", ""),
        (("participants",), "intake", ""),
    ],
)
def test_who_is_followed_from_later_than_referral(
    tables: tuple[str, ...], origin: str, begins: str, shown: list[dict[str, Any]]
) -> None:
    report = small(tables)
    harm = report.cohort.study.harm.model_copy(update={"origin": origin})
    cohort = replace(report.cohort, study=report.cohort.study.model_copy(update={"harm": harm}))
    limitations(told(of=replace(report, cohort=cohort)), [])
    said = [text for text in points(shown[0]["text/markdown"]) if "Who gets so far may differ" in text]
    assert [text.startswith(begins) for text in said] == [True] * bool(begins)


LIMITS: dict[str, tuple[Results, list[str]]] = {
    "all is well": (results(), [MET, COULD.format("1.56"), WATCHED]),
    "nothing to explain": (results(limit=1.0), [MET, WATCHED]),
    "a diagnostic fails": (
        results(("fail", "pass", "fail")),
        [f"The comparison of recorded harm fails a diagnostic: {DIFFER} and {SMALL}.", COULD.format("1.56"), WATCHED],
    ),
    "an E-value that may not be shown": ({**results(), "e_value recorded harm": safe_of("e_value", "term | e_value\n")}, [MET, WATCHED]),
    "diagnostics that may not be shown": (
        results(()) | {"gate recorded harm": safe_of("diagnose", "term | verdict\n")},
        ["Whether the comparison of recorded harm meets its diagnostics is withheld to protect people.", WATCHED],
    ),
    "hazards change": (
        results() | {HAZARDS: safe_of("diagnose", "term | verdict\nproportional hazards | fail")},
        [MET, COULD.format("1.56"), WATCHED, CHANGE],
    ),
    "hazards do not change": (
        results() | {HAZARDS: safe_of("diagnose", "term | verdict\nproportional hazards | pass")},
        [MET, COULD.format("1.56"), WATCHED],
    ),
    "hazards of one of two groups change": (
        results() | {HAZARDS: safe_of("diagnose", "term | verdict\nproportional hazards | pass\nproportional hazards | fail")},
        [MET, COULD.format("1.56"), WATCHED, CHANGE],
    ),
    "values are missing in both groups": (
        results() | lacking("Pilot | 0.11", "PAIP | 0.004"),
        [MET, COULD.format("1.56"), WATCHED, MISSING.format("11% in the pilot and under 1% in PAIP")],
    ),
    "values are missing in one group": (
        results() | lacking("Pilot | 0", "PAIP | 0.23", "Third | -"),
        [MET, COULD.format("1.56"), WATCHED, MISSING.format("23% in PAIP")],
    ),
    "no value is missing": (results() | lacking("Pilot | 0", "PAIP | 0"), [MET, COULD.format("1.56"), WATCHED]),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_limitations(name: str, shown: list[dict[str, Any]]) -> None:
    given, said = LIMITS[name]
    limitations(told(given), [None, outcome(), outcome("disengagement", compared=False)])
    first, rest = points(shown[0]["text/markdown"])[:2], points(shown[0]["text/markdown"])[2:]
    assert first == [f"{EXCHANGE['mandate']} {ADJUSTED}", START]
    assert rest == [*said, COUNTS]


@pytest.mark.parametrize("assignment", EXCHANGE)
def test_whether_groups_are_exchangeable(assignment: str, shown: list[dict[str, Any]]) -> None:
    limitations(told(of=small(assignment=assignment)), [])
    assert points(shown[0]["text/markdown"]) == [f"{EXCHANGE[assignment]} {ADJUSTED}", START, WATCHED, COUNTS]


def test_without_outcomes_and_with_published_figures(shown: list[dict[str, Any]]) -> None:
    limitations(told(of=small(tables=("participants", "sessions", "exits")), baselines=(COOK,)), [])
    assert points(shown[0]["text/markdown"])[2:] == [COUNTS, "Published figures counted other people in other years."]


def test_published_figures_stand_beside_completion_only(shown: list[dict[str, Any]]) -> None:
    limitations(told(of=small(tables=("participants", "outcomes")), baselines=(COOK,)), [])
    assert points(shown[0]["text/markdown"])[-1] == COUNTS


def test_below_which_number_counts_are_not_shown(shown: list[dict[str, Any]]) -> None:
    report = small()
    policy = replace(report.policy, minimum_count=20, minimum_level=30, minimum_subgroup=40)
    limitations(told(of=replace(report, policy=policy)), [])
    assert points(shown[0]["text/markdown"])[-1] == COUNTS.replace("below 11", "below 20")
