"""Page one from hand-made results: every finding whole, one row of the table for each branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from evalkit.disclosure import Safe
from evalkit.protocol import Baseline
from evalkit.views import Gap
from reports.made import COOK, RULE, Told, points, small, told
from reports.made import shown as _shown
from views.made import HIGHER, LOWER, NONE, curve, safe_of, shares

shown = _shown


@dataclass(frozen=True)
class Case:
    """The lines of page one that results lead to, and what stands below them."""

    lines: tuple[str, ...]
    results: Mapping[str, Safe]
    gaps: Mapping[str, Mapping[str, Gap]] = field(default_factory=dict)
    baselines: tuple[Baseline, ...] = ()
    before: bool = True
    without: tuple[str, ...] = ()

    def report(self) -> Told:
        tables = tuple(name for name in ("participants", "sessions", "exits", "outcomes") if name not in self.without)
        return told(self.results, self.gaps, of=small(tables=tables), baselines=self.baselines, before=self.before)


def on(day: float, gap: Gap) -> Gap:
    return Gap(gap.estimate, gap.low, gap.high, day)


START = "November 18, 2021"
FEW = "**Fewer than 11 people** have been referred to the Pilot so far."
EARLY = (
    "**How many had recorded harm** in the Pilot cannot be told yet: too few people have been followed for long enough."
)


def referred(everybody: object, new: object) -> dict[str, Safe]:
    return {"referred": safe_of("referred", f"""
group | term | n           | n_event
PAIP  | all  | 777         | 777
PAIP  | new  | 777         | 66
Pilot | all  | {everybody} | {everybody}
Pilot | new  | {everybody} | {new}
""")}  # fmt: skip


REACHED = {
    "many, with new people": Case(
        (f"**1,240 people** have been referred to the Pilot since {START}. About 35 of them were referred in this period.",),
        referred(1240, 35),
    ),
    "few of them new": Case(
        (f"**120 people** have been referred to the Pilot since {START}. Fewer than 11 of them were referred in this "
         "period.",), referred(120, "-"),
    ),
    "none of them new": Case(
        (f"**120 people** have been referred to the Pilot since {START}. None of them were referred in this period.",),
        referred(120, 0),
    ),
    "one person": Case(
        (f"**1 person** has been referred to the Pilot since {START}. None of them were referred in this period.",),
        referred(1, 0),
    ),
    "nobody": Case(("**Nobody** has been referred to the Pilot yet.",), referred(0, 0)),
    "too few": Case((FEW,), referred("-", "-")),
}  # fmt: skip


def steps(pilot: tuple[int, int], paip: tuple[int, int], term: str = "engaged") -> dict[str, Safe]:
    label = {"engaged": "Engaged", "completed": "Completed"}[term]
    return {"funnel": shares("funnel", f"""
group | term   | label   | n_event    | n
PAIP  | {term} | {label} | {paip[0]}  | {paip[1]}
PAIP  | intake | Intake  | 200        | 800
Pilot | {term} | {label} | {pilot[0]} | {pilot[1]}
""")}  # fmt: skip


def change(gap: Gap, baseline: float, group: str = "Pilot") -> dict[str, Safe]:
    return {"change": safe_of("change", f"""
group   | baseline   | estimate       | conf_low  | conf_high
Other   | 0.99       | 0.5            | 0.4       | 0.6
{group} | {baseline} | {gap.estimate} | {gap.low} | {gap.high}
""")}  # fmt: skip


ENGAGED = (
    "**75% engaged in the Pilot** (67% to 82%, of 120 people whose intake was 45 days ago or more). They came to 3 or more "
    "sessions within 45 days."
)
COMPLETED = (
    "**25% of starters completed the Pilot** within 250 days (14% to 40%, of 40 people who started that long ago)."
)
PUBLISHED = (
    "A published study, Cook County, found 73% of 1,899 men assessed. These are other people in other years: that share "
    "is no target."
)
BOTH, DONE = steps((90, 120), (150, 300)), steps((10, 40), (90, 120), "completed")
STEPS = {
    "engaged": Case((FEW, f"{ENGAGED} In PAIP it was 50%.", EARLY), BOTH),
    "engaged, clearly higher": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%. The share is clearly higher in Pilot: by 8 to 32 points.", EARLY),
        BOTH, {"funnel": {"Engaged": HIGHER}},
    ),
    "engaged, clearly lower": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%. The share is clearly lower in Pilot: by 11 to 29 points.", EARLY),
        BOTH, {"funnel": {"Engaged": LOWER, "Completed": HIGHER}},
    ),
    "engaged, unclear": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%. There is no clear difference: in Pilot the share could be anything from 12 "
              "points lower to 6 points higher.", EARLY),
        BOTH, {"funnel": {"Engaged": NONE}},
    ),
    "engaged, and a quarter ago it was less": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%. A quarter ago it was 41%: a clear rise (by 8 to 32 points).", EARLY),
        BOTH | change(HIGHER, 0.41),
    ),
    "engaged, and a quarter ago it was more": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%. A quarter ago it was 88%: a clear fall (by 11 to 29 points).", EARLY),
        BOTH | change(LOWER, 0.88),
    ),
    "engaged, about as a quarter ago": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%. A quarter ago it was 76%: no clear change (from 12 points lower to 6 points "
              "higher).", EARLY),
        BOTH | change(NONE, 0.76),
    ),
    "the change of another group is not told": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%.", EARLY), BOTH | change(HIGHER, 0.41, "PAIP")
    ),
    "there was no quarter before": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%.", EARLY), BOTH | change(HIGHER, 0.41), before=False
    ),
    "engaged, the other group not shown": Case(
        (FEW, ENGAGED, EARLY), steps((90, 120), (0, 0)), {"funnel": {"Engaged": HIGHER}}
    ),
    "engaged, the focus not shown": Case((FEW,), steps((0, 0), (150, 300))),
    "everybody, and nobody": Case(
        (FEW, "**100% engaged in the Pilot** (97% to 100%, of 120 people whose intake was 45 days ago or more). They came to "
              "3 or more sessions within 45 days. In PAIP it was 0%.", EARLY),
        steps((120, 120), (0, 300)),
    ),
    "nearly nobody": Case(
        (FEW, "**under 1% engaged in the Pilot** (under 1% to 2%, of 250 people whose intake was 45 days ago or more). They "
              "came to 3 or more sessions within 45 days. In PAIP it was over 99%.", EARLY),
        steps((1, 250), (1249, 1250)),
    ),
    "completed": Case((FEW, f"{COMPLETED} In PAIP it was 75%.", EARLY), DONE),
    "completed, with the first published figure that is exact": Case(
        (FEW, f"{COMPLETED} In PAIP it was 75%. The share is clearly lower in Pilot: by 11 to 29 points. {PUBLISHED}", EARLY),
        DONE, {"funnel": {"Completed": LOWER, "Engaged": HIGHER}},
        (RULE, COOK.model_copy(update={"n": None}), RULE.model_copy(update={"n": 9}), COOK.model_copy(update={"measure": "harm", "n": 5}), COOK, COOK.model_copy(update={"label": "Another"})),
    ),
    "completed, after a quarter": Case(
        (FEW, f"{COMPLETED} In PAIP it was 75%. A quarter ago it was 20%: a clear rise (by 8 to 32 points). {PUBLISHED}", EARLY),
        DONE | change(HIGHER, 0.2), baselines=(COOK,),
    ),
    "a published figure that has no label": Case(
        (FEW, f"{COMPLETED} In PAIP it was 75%. {PUBLISHED.replace('Cook County', 'cook')}", EARLY),
        DONE, baselines=(COOK.model_copy(update={"label": ""}),),
    ),
}  # fmt: skip

# -- shares with an event by a day ------------------------------------------------------------------------------------


def left(*lines: str) -> dict[str, Safe]:
    """Incidences of leaving, with those of completing and numbers at risk that must not be told."""
    head = "group | cause | time | n_risk | estimate | conf_low | conf_high | verdict"
    own = [f"{g} | {c} | {rest}" for line in lines for g, rest in [line.split(" | ", 1)] for c in ["disengagement"]]
    done = [
        "Pilot | completion | 30 | 90 | 0.07 | 0.06 | 0.08 | pass", "Pilot | completion | 90 | 90 | 0.97 | 0.96 | 0.98 | pass",
        "PAIP | completion | 90 | 290 | 0.87 | 0.86 | 0.88 | pass",
    ]  # fmt: skip
    return {"cumulative_incidence left": curve("\n".join([head, *done, *own]), cause=True)}


def harmed(*lines: str) -> dict[str, Safe]:
    head = "group | cause | time | n_risk | estimate | conf_low | conf_high | verdict"
    own = [f"{g} | recorded harm | {rest}" for line in lines for g, rest in [line.split(" | ", 1)]]
    return {"cumulative_incidence harmed": curve("\n".join([head, *own]), cause=True)}


def contrast(gap: Gap) -> Safe:
    return safe_of("rmst_contrast", f"""
measure         | tau | estimate             | conf_low        | conf_high
rmst_difference | 90  | {100 * gap.estimate} | {100 * gap.low} | {100 * gap.high}
""")  # fmt: skip


LEFT = (
    "**27% of starters had left the Pilot by day 90** without completing (21% to 34%). Left means 21 days without a "
    "session."
)
AT_30 = "**11% of starters had left the Pilot by day 30** without completing (8% to 15%). Left means 21 days without a session."
ON_90 = left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass")
SOONER = left(
    "Pilot | 30 | 80 | 0.11 | 0.08 | 0.15 | pass", "Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | fail",
    "PAIP | 30 | 180 | 0.24 | 0.18 | 0.3 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass",
)  # fmt: skip
UNQUOTED = left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | unknown", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass")
BEHIND = "too few people would stand behind it."
STAYING = {
    "left": Case((FEW, f"{LEFT} In PAIP it was 44%.", EARLY), ON_90),
    "left, clearly lower": Case(
        (FEW, f"{LEFT} In PAIP it was 44%. The share is clearly lower in Pilot: by 11 to 29 points.", EARLY),
        ON_90, {"cumulative_incidence left": {"disengagement": on(90, LOWER), "completion": on(90, HIGHER)}},
    ),
    "left, clearly higher": Case(
        (FEW, f"{LEFT} In PAIP it was 44%. The share is clearly higher in Pilot: by 8 to 32 points.", EARLY),
        ON_90, {"cumulative_incidence left": {"completion": on(90, LOWER), "disengagement": on(90, HIGHER)}},
    ),
    "left, with a difference of another day": Case(
        (FEW, f"{LEFT} In PAIP it was 44%.", EARLY), ON_90,
        {"cumulative_incidence left": {"disengagement": on(30, LOWER)}},
    ),
    "left, the other group not quoted": Case(
        (FEW, LEFT, EARLY),
        left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | fail"),
    ),
    "left, a later day than asked for": Case(
        (FEW, f"{LEFT.replace('day 90', 'day 182')} In PAIP it was 44%.", EARLY),
        left("Pilot | 90 | 90 | 0.2 | 0.1 | 0.3 | pass", "PAIP | 90 | 190 | 0.4 | 0.3 | 0.5 | pass",
             "Pilot | 182 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 182 | 150 | 0.44 | 0.38 | 0.50 | pass"),
    ),
    "left, a later day, and the day asked for cannot be quoted": Case(
        (FEW, f"{LEFT.replace('day 90', 'day 182')} In PAIP it was 44%. No figure for day 90 is given: {BEHIND}", EARLY),
        left("Pilot | 90 | 90 | 0.2 | 0.1 | 0.3 | fail", "PAIP | 90 | 190 | 0.4 | 0.3 | 0.5 | pass",
             "Pilot | 182 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 182 | 150 | 0.44 | 0.38 | 0.50 | pass"),
    ),
    "left, only an earlier day, with the mean": Case(
        (FEW, f"{AT_30} In PAIP it was 24%. No figure for day 90 is given: {BEHIND} Over the first 90 days, people in Pilot "
              "spent clearly fewer days without disengaging than people in PAIP: 11 to 29 days fewer.", EARLY),
        SOONER | {"rmst_contrast left": contrast(LOWER), "rmst_contrast harmed": contrast(HIGHER)},
    ),
    "left, only an earlier day, without a mean": Case(
        (FEW, f"{AT_30} In PAIP it was 24%. No figure for day 90 is given: {BEHIND}", EARLY), SOONER
    ),
    "left, no day": Case(
        (FEW, "**How many starters had left** the Pilot by day 90 is not given: too few people would stand behind it. In PAIP "
              "it was 44%. Over the first 90 days, people in Pilot spent clearly more days without disengaging than people "
              "in PAIP: 8 to 32 days more.", EARLY),
        UNQUOTED | {"rmst_contrast left": contrast(HIGHER)},
        {"cumulative_incidence left": {"disengagement": on(90, HIGHER)}},
    ),
    "left, no day of either": Case(
        (FEW, f"**How many starters had left** the Pilot by day 90 is not given: {BEHIND}", EARLY),
        left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | fail", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | fail"),
    ),
    "left, before the day asked for": Case(
        (FEW,), left("Pilot | 30 | 60 | 0.27 | 0.21 | 0.34 | fail", "PAIP | 30 | 150 | 0.44 | 0.38 | 0.50 | fail")
    ),
}  # fmt: skip

HARMED = "**12% had recorded harm by day 182** after intake in the Pilot (8% to 17%)."
MUCH = "Much harm is never recorded."
ON_182 = harmed("Pilot | 182 | 60 | 0.12 | 0.08 | 0.17 | pass", "PAIP | 182 | 150 | 0.31 | 0.26 | 0.37 | pass")
HARM = {
    "harm": Case((FEW, f"{HARMED} In PAIP it was 31%. {MUCH}"), ON_182),
    "harm, clearly lower": Case(
        (FEW, f"{HARMED} In PAIP it was 31%. The share is clearly lower in Pilot: by 11 to 29 points. {MUCH}"),
        ON_182, {"cumulative_incidence harmed": {"recorded harm": on(182, LOWER)}},
    ),
    "harm, clearly higher": Case(
        (FEW, f"{HARMED} In PAIP it was 31%. The share is clearly higher in Pilot: by 8 to 32 points. {MUCH}"),
        ON_182, {"cumulative_incidence harmed": {"recorded harm": on(182, HIGHER)}},
    ),
    "harm, only an earlier day": Case(
        (FEW, f"{HARMED.replace('day 182', 'day 90')} In PAIP it was 31%. No figure for day 182 is given: too few people would "
              f"stand behind it. {MUCH} Over the first 90 days there is no clear difference in the mean time without recorded "
              "harm: compared with PAIP, Pilot could lie anywhere from 12 days fewer to 6 days more."),
        harmed("Pilot | 90 | 60 | 0.12 | 0.08 | 0.17 | pass", "PAIP | 90 | 150 | 0.31 | 0.26 | 0.37 | pass",
               "Pilot | 182 | 60 | 0.2 | 0.1 | 0.3 | unknown", "PAIP | 182 | 150 | 0.4 | 0.35 | 0.45 | pass")
        | {"rmst_contrast harmed": contrast(NONE)},
    ),
    "harm, no day": Case(
        (FEW, f"**How many had recorded harm** by day 182 in the Pilot is not given: {BEHIND} In PAIP it was 31%. {MUCH} Over "
              "the first 90 days, people in Pilot spent clearly more days without recorded harm than people in PAIP: 8 to 32 "
              "days more."),
        harmed("Pilot | 182 | 60 | 0.12 | 0.08 | 0.17 | fail", "PAIP | 182 | 150 | 0.31 | 0.26 | 0.37 | pass")
        | {"rmst_contrast harmed": contrast(HIGHER), "rmst_contrast left": contrast(LOWER)},
    ),
    "harm, before the day asked for": Case(
        (FEW, ENGAGED, EARLY), steps((90, 120), (0, 0)) | harmed("Pilot | 90 | 60 | 0.12 | 0.08 | 0.17 | fail")
    ),
    "harm alone, too early": Case((FEW,), harmed("Pilot | 90 | 60 | 0.12 | 0.08 | 0.17 | fail")),
}  # fmt: skip
WITHOUT = {
    "no sessions: steps and leaving are not asked for": Case(
        (FEW, f"{HARMED} In PAIP it was 31%. {MUCH}"), BOTH | ON_90 | ON_182, without=("sessions", "exits")
    ),
    "no outcomes: harm is not asked for": Case(
        (FEW, f"{ENGAGED} In PAIP it was 50%.", f"{LEFT} In PAIP it was 44%."),
        BOTH | ON_90 | ON_182,
        without=("outcomes",),
    ),
}

CASES = {
    f"{family}: {name}": case
    for family, cases in {"reach": REACHED, "steps": STEPS, "staying": STAYING, "harm": HARM, "tables": WITHOUT}.items()
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str, shown: list[dict[str, Any]]) -> None:
    CASES[name].report().findings()
    assert tuple(points(shown[0]["text/markdown"])) == CASES[name].lines


RANGE = (
    "Ranges in parentheses are 95% confidence intervals: how far chance alone could move a figure. “No clear difference” "
    "does not mean that the groups are alike."
)
SENT = "People sent by a court differ from people who come without a court order."
CAUSES = {
    "mandate": f"These figures do not show what the program caused. {SENT}",
    "random": "The groups were made by lot: at the start only chance set them apart.",
    "other": "These figures do not show what the program caused. The groups may differ in more than the program.",
}


@pytest.mark.parametrize("assignment", CAUSES)
def test_what_the_figures_do_not_show(assignment: str, shown: list[dict[str, Any]]) -> None:
    told(BOTH, of=small(assignment=assignment)).findings()
    assert shown[0]["text/markdown"].partition(":::\n\n")[2] == f"{RANGE} {CAUSES[assignment]}"


def test_where_nothing_was_found_yet(shown: list[dict[str, Any]]) -> None:
    told().findings()
    assert shown[0]["text/markdown"] == (
        f"::: {{.finding}}\n- {FEW}\n:::\n\nToo few people have been followed for long enough to report findings. The "
        "sections below say what is known so far."
    )


def test_every_estimate_told_is_named_in_the_mark(shown: list[dict[str, Any]]) -> None:
    results = (
        referred(120, 35) | BOTH | change(HIGHER, 0.41) | SOONER | {"rmst_contrast left": contrast(LOWER)} | ON_182
    )
    told(results).findings()
    kinds = shown[0]["mark"]["also"].values()
    assert set(kinds) == {"referred", "funnel", "change", "cumulative_incidence", "rmst_contrast"}


def test_the_change_since_the_quarter_before_is_asked_with_the_noise_of_published_counts(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its limits hold the noise: without it they would be too narrow, and small changes clear."""
    asked, answer = [], Told.safe
    monkeypatch.setattr(Told, "safe", lambda report, found: (asked.append(found), answer(report, found))[1])
    report = told(BOTH)
    loud = replace(report, policy=replace(report.policy, noise_variance=3.5))
    loud.findings()
    changes = [found for found in asked if found.kind == "change"]
    assert [found.analysis.noise_variance for found in changes] == [3.5]
