"""Page one from hand-made results: every line of the grid whole, one row of the table for each branch."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from evalkit.cohort import Cohort
from evalkit.disclosure import Safe
from evalkit.estimates import Estimates
from evalkit.markup import markdown
from evalkit.protocol import Target
from evalkit.report import _findings
from evalkit.report._contrast import gap_before
from evalkit.report._findings import PageOne, left_by, page_one, share_left
from evalkit.views import Gap, Indicator
from evalkit.words import speaking
from reports.made import Told, small, told
from reports.made import shown as _shown
from reports.reading import words_and_sentences
from views.made import HIGHER, LOWER, NONE, curve, safe_of, shares

shown = _shown
EVERY = ("participants", "sessions", "exits", "outcomes")


@dataclass(frozen=True)
class Case:
    """What a line of the grid says: its name, the focus, the comparison, the gap, and what may be concluded."""

    key: str
    line: tuple[str, str, str, str, str]
    results: Mapping[str, Safe] = field(default_factory=dict)
    gaps: Mapping[str, Mapping[str, Gap]] = field(default_factory=dict)


def on(day: float, gap: Gap) -> Gap:
    return Gap(gap.estimate, gap.low, gap.high, day)


def referred(everybody: object, new: object) -> dict[str, Safe]:
    return {"referred": safe_of("referred", f"""
group | term | n           | n_event
PAIP  | all  | 777         | 777
PAIP  | new  | 777         | 66
Pilot | all  | {everybody} | {everybody}
Pilot | new  | {everybody} | {new}
""")}  # fmt: skip


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


ON_90 = left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass")
SOONER = left(
    "Pilot | 30 | 80 | 0.11 | 0.08 | 0.15 | pass", "Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | fail",
    "PAIP | 30 | 180 | 0.24 | 0.18 | 0.3 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass",
)  # fmt: skip
UNQUOTED = left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | unknown", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass")
BEHIND = "too few would stand behind it."
ON_182 = harmed("Pilot | 182 | 60 | 0.12 | 0.08 | 0.17 | pass", "PAIP | 182 | 150 | 0.31 | 0.26 | 0.37 | pass")
BOTH, DONE = steps((90, 120), (150, 300)), steps((10, 40), (90, 120), "completed")


def grid(report: Told, out: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The cells of each line, by its key; small print and numbers as they stand there."""
    report.findings()
    (table,) = [one["text/html"] for one in out if "text/html" in one]
    keys = [one.key for one in page_one(report).found]
    lines = re.findall(r'<tr><th scope="row".*?</tr>', table)
    return {
        key: [words_of(cell) for cell in re.split(r"<t[dh]\b[^>]*>", line)[1:]]
        for key, line in zip(keys, lines, strict=True)
    }


def words_of(cell: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell)).split())


NO_TARGET = "**The protocol sets no target.**"
NO, WHOLE = "\u2013", "Unclear. Could be 12 fewer to 6 more per hundred than in PAIP."
ENGAGED = (
    "Engaged 3 sessions in 45 days; intake at least 45 days ago",
    "75% (67% to 82%) of 120 people",
    "50% (44% to 56%) of 300 people",
)
COMPLETED = (
    "Completed within 250 days of people who first came at least 250 days ago",
    "25% (14% to 40%) of 40 people",
    "75% (67% to 82%) of 120 people",
)
LEFT = (
    "Left within three months of people who came at least once, followed for up to three months",
    "27% (21% to 34%) estimate from 90",
    "44% (38% to 50%) estimate from 290",
)
HARMED = (
    "Recorded harm within six months of people with an intake, followed for up to six months",
    "12% (8% to 17%) estimate from 60",
    "31% (26% to 37%) estimate from 150",
)
REFERRED = "People referred since November 18, 2021"
ALONE, EARLY = "Nothing to compare. No figure in PAIP yet.", "Too early. Too few people, or too short a time."
WITHHELD = "Withheld. This protects people. Withheld is not zero."
GAPS = {"higher": "+8 to +32", "lower": "\u221229 to \u221211", "none": "\u221212 to +6"}
CLEAR = {
    "higher": "Clearly more. Of every hundred people, 8 to 32 more than in PAIP.",
    "lower": "Clearly fewer. Of every hundred people, 11 to 29 fewer than in PAIP.",
    "none": WHOLE,
}
DIRECTIONS = {"higher": HIGHER, "lower": LOWER, "none": NONE}
CASES = {
    "many people, some of them new": Case("referred", (REFERRED, "1,240", "777", NO, "About 35 were new in the pilot in the newest period."), referred(1240, 35)),
    "few of them new": Case("referred", (REFERRED, "120", "777", NO, "Fewer than 11 in the pilot came in the newest period."), referred(120, "-")),
    "none of them new": Case("referred", (REFERRED, "120", "777", NO, "Nobody in the pilot came in the newest period."), referred(120, 0)),
    "nobody": Case("referred", (REFERRED, "0", "777", NO, ""), referred(0, 0)),
    "too few": Case("referred", (REFERRED, NO, "777", NO, "Fewer than 11 people so far."), referred("-", "-")),
    **{
        f"engaged, {way}": Case("engaged", (*ENGAGED, GAPS[way], CLEAR[way]), BOTH, {"funnel": {"Engaged": gap, "Completed": HIGHER}})
        for way, gap in DIRECTIONS.items()
    },
    "engaged, no difference may be told": Case("engaged", (*ENGAGED, NO, ALONE), BOTH),
    "engaged, the other group not shown": Case("engaged", (ENGAGED[0], ENGAGED[1], NO, NO, ALONE), steps((90, 120), (0, 0)), {"funnel": {"Engaged": HIGHER}}),
    "engaged, the focus not shown": Case("engaged", (ENGAGED[0], NO, ENGAGED[2], NO, EARLY), steps((0, 0), (150, 300))),
    "engaged, the focus withheld": Case("engaged", (ENGAGED[0], NO, ENGAGED[2], NO, WITHHELD),
        {"funnel": replace(steps((0, 0), (150, 300))["funnel"], withheld=("Pilot: engaged", "PAIP: completed"))}),
    "engaged, the focus not shown, another step and the other group withheld": Case("engaged", (ENGAGED[0], NO, ENGAGED[2], NO, EARLY),
        {"funnel": replace(steps((0, 0), (150, 300))["funnel"], withheld=("PAIP: engaged", "Pilot: completed"))}),
    "nearly nobody, nearly everybody": Case("engaged", (ENGAGED[0], "under 1% (under 1% to 2%) of 250 people", "over 99% (over 99% to over 99%) of 1,250 people", NO, ALONE),
        steps((1, 250), (1249, 1250))),
    "completed": Case("completed", (*COMPLETED, GAPS["lower"], CLEAR["lower"]), DONE, {"funnel": {"Completed": LOWER, "Engaged": HIGHER}}),
    "left": Case("left", (*LEFT, GAPS["lower"], CLEAR["lower"]), ON_90,
        {"cumulative_incidence left": {"disengagement": on(90, LOWER), "completion": on(90, HIGHER)}}),
    "left, with a difference of another day": Case("left", (*LEFT, NO, ALONE), ON_90, {"cumulative_incidence left": {"disengagement": on(30, LOWER)}}),
    "left, the other group not quoted": Case("left", (LEFT[0], LEFT[1], NO, NO, ALONE),
        left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | fail")),
    "left, only an earlier day": Case("left", ("Left within 30 days of people who came at least once, followed for up to 30 days", "11% (8% to 15%) estimate from 90", "24% (18% to 30%) estimate from 290", NO, ALONE), SOONER),
    "left, no later day than asked for": Case("left", ("Left within three months of people who came at least once, followed for up to three months", "20% (10% to 30%) estimate from 90", "40% (30% to 50%) estimate from 290", NO, ALONE),
        left("Pilot | 90 | 90 | 0.2 | 0.1 | 0.3 | pass", "PAIP | 90 | 190 | 0.4 | 0.3 | 0.5 | pass",
             "Pilot | 182 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 182 | 150 | 0.44 | 0.38 | 0.50 | pass")),
    "left, withheld": Case("left", (LEFT[0], NO, LEFT[2], NO, WITHHELD), UNQUOTED),
    "harm": Case("harm", (*HARMED, GAPS["lower"], CLEAR["lower"]), ON_182, {"cumulative_incidence harmed": {"recorded harm": on(182, LOWER)}}),
    "harm, withheld": Case("harm", (HARMED[0], NO, HARMED[2], NO, WITHHELD),
        harmed("Pilot | 182 | 60 | 0.12 | 0.08 | 0.17 | fail", "PAIP | 182 | 150 | 0.31 | 0.26 | 0.37 | pass")),
    "harm, too early": Case("harm", (HARMED[0], NO, NO, NO, EARLY)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_line_of_the_grid(name: str, shown: list[dict[str, Any]]) -> None:
    case = CASES[name]
    assert tuple(grid(told(case.results, case.gaps, before=False), shown)[case.key]) == case.line


def all_of(engaged: Gap | None, left_: Gap | None, completed: Gap | None, harm: Gap | None) -> Told:
    funnel = shares("funnel", """
group | term      | label     | n_event | n
PAIP  | engaged   | Engaged   | 150     | 300
Pilot | engaged   | Engaged   | 90      | 120
PAIP  | completed | Completed | 90      | 120
Pilot | completed | Completed | 10      | 40
""")  # fmt: skip
    found = {
        "funnel": {k: v for k, v in (("Engaged", engaged), ("Completed", completed)) if v},
        "cumulative_incidence left": {"disengagement": on(90, left_)} if left_ else {},
        "cumulative_incidence harmed": {"recorded harm": on(182, harm)} if harm else {},
    }
    return told({"funnel": funnel} | ON_90 | ON_182, found)


UNCLEAR = "We cannot yet tell whether people stay more, or less, in the pilot than in PAIP."
LINES: dict[str, tuple[tuple[Gap | None, ...], str]] = {
    "nothing clear": ((NONE, NONE, NONE, NONE), f"{UNCLEAR} Nor whether there is more or less harm."),
    "one known and unclear": ((NONE, None, None, None), f"{UNCLEAR} Harm cannot be compared yet."),
    "nothing to compare": ((None, None, None, None), "We cannot yet compare how people stay in the pilot and in PAIP. Harm cannot be compared yet."),
    "one clear": ((HIGHER, NONE, None, LOWER), "A larger share engages in the pilot than in PAIP. Other gaps are unclear. Harm is on record for a smaller share in the pilot than in PAIP; much is never recorded."),
    "the only one is clear": ((None, LOWER, None, HIGHER), "A smaller share leaves early in the pilot than in PAIP. Harm is on record for a larger share in the pilot than in PAIP."),
    "all clear": ((LOWER, HIGHER, LOWER, NONE), "A smaller share engages in the pilot than in PAIP. A larger share leaves early in the pilot than in PAIP. A smaller share completes in the pilot than in PAIP. We cannot yet tell whether there is more or less harm."),
    "completing": ((NONE, NONE, HIGHER, NONE), "A larger share completes in the pilot than in PAIP. Other gaps are unclear. We cannot yet tell whether there is more or less harm."),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_the_bottom_line_is_the_heading(name: str, shown: list[dict[str, Any]]) -> None:
    gaps, line = LINES[name]
    report = all_of(*gaps)
    report.findings(label="sec-summary")
    assert shown[0]["text/markdown"] == f"# {line} {{#sec-summary}}"


@pytest.mark.parametrize(
    ("tables", "keys", "line"),
    [
        (("participants", "outcomes"), ["referred", "harm"], "Harm cannot be compared yet."),
        (("participants", "sessions", "exits"), ["referred", "engaged", "left", "completed"], UNCLEAR),
        (("participants",), ["referred"], "It is too early to tell how people fare in the pilot."),
    ],
)
def test_a_table_that_the_study_lacks_has_no_line(tables: tuple[str, ...], keys: list[str], line: str) -> None:
    page = page_one(told(BOTH | ON_90 | ON_182, {"funnel": {"Engaged": NONE}}, of=small(tables=tables)))
    assert [one.key for one in page.found] == keys
    assert page.bottom_line == line
    assert any("only recorded harm" in said for said in page.sentences) == ("harm" in keys)


CHANGES = {
    "a rise": (
        HIGHER,
        "The share engaged in the pilot clearly rose from 41% a quarter ago, by 8 to 32 points; the share that completed in "
        "the pilot clearly rose from 41% a quarter ago, by 8 to 32 points.",
    ),
    "a fall": (
        LOWER,
        "The share engaged in the pilot clearly fell from 41% a quarter ago, by 11 to 29 points; the share that completed in "
        "the pilot clearly fell from 41% a quarter ago, by 11 to 29 points.",
    ),
    "none": (
        NONE,
        "Compared with a quarter ago, it is unclear whether anything changed in the pilot: of every hundred people, 12 fewer to 6 more may engage and 12 fewer to 6 more may complete.",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changed_since_last_quarter(name: str, shown: list[dict[str, Any]]) -> None:
    gap, sentence = CHANGES[name]
    # Every step is told this change: the sentences name the step.
    report = told(steps((90, 120), (150, 300)) | change(gap, 0.41))
    assert page_one(report).sentences[0] == sentence
    # An earlier share stands where it is said whose it is, and whether it is a change: never alone beside a number.
    assert not any("41%" in cell for line in grid(report, shown).values() for cell in line)
    # Of the whole period the change is since a year ago.
    assert page_one(report, whole=True).sentences[0] == sentence.replace("a quarter ago", "a year ago")
    # Of harm no change can be told, and that is said: who finds nothing takes it for none.
    harm = told(steps((90, 120), (150, 300)) | change(gap, 0.41) | ON_182)
    said = [markdown(one) for one in page_one(harm).sentences]
    unclear = sentence.replace("may complete.", "may complete; for harm it is unclear, too.")
    assert said[:2] == ([unclear, NO_TARGET] if gap is NONE else [sentence, "Whether harm changed cannot be told."])
    assert not any("quarter" in said for said in page_one(replace(report, before=False)).sentences)
    other = told(steps((90, 120), (150, 300)) | change(gap, 0.41, "PAIP"))
    assert not any("quarter" in said for said in page_one(other).sentences)


def test_beside_a_clear_change_an_unclear_one_is_not_told() -> None:
    """Nor does it take the clear one away."""
    clear, unclear = change(LOWER, 0.41)["change"], change(NONE, 0.33)["change"]
    of = "change of the share: {}"
    moves = {of.format("engaged: 3 sessions within 45 days of intake"): unclear, "change": clear}
    said = "The share that completed in the pilot clearly fell from 41% a quarter ago, by 11 to 29 points."
    assert [one for one in page_one(told(BOTH | moves)).sentences if "quarter ago" in one] == [said]


def test_a_final_says_that_too_little_was_known_of_completing_a_year_ago() -> None:
    """Who has read the quarterly, which tells that change, takes its absence for hiding."""
    moves = {"change of the share: engaged: 3 sessions within 45 days of intake": change(NONE, 0.33)["change"]}
    since = "Compared with {} ago, it is unclear whether anything changed in the pilot: of every hundred people, 12 fewer to 6 more may engage"
    page = partial(page_one, told(BOTH | DONE | moves))
    assert page().sentences[0] == f"{since.format('a quarter')}."
    assert page(whole=True).sentences[0] == f"{since.format('a year')}; completing has no figure from a year ago."


BEFORE = """
group | term   | label   | n_event | n
PAIP  | before | Engaged | 100     | 280
Pilot | before | Engaged | {before}      | 100
PAIP  | now    | Engaged | 110     | 300
Pilot | now    | Engaged | {now}      | 120
"""


@dataclass(frozen=True, eq=False)
class Earlier(Told):
    """A report that is told other results of the cohort that was known before."""

    then: Mapping[str, Safe] = field(default_factory=dict)

    def safe(self, estimates: Estimates) -> Safe:
        known = estimates.asked.get("known") == "before"
        return (self._found(estimates, self.then) if known else None) or super().safe(estimates)

    def gaps(self, safe: Safe) -> Mapping[str, Gap]:
        if any(safe.estimates is one.estimates for one in self.then.values()):
            return {"disengagement": on(90, LOWER), "recorded harm": on(182, LOWER)}
        return super().gaps(safe)

    @property
    def earlier(self) -> Cohort | None:
        return replace(self.cohort) if self.before else None


def moved(engaged_before: int) -> dict[str, Safe]:
    """A change that is not clear, with the counts behind it."""
    ends = change(NONE, engaged_before / 100)["change"]
    counts = shares("change", BEFORE.format(before=engaged_before, now=engaged_before)).estimates.counts
    return {"change": replace(ends, estimates=ends.estimates.about(counts=counts))}


LEFT_THEN = left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass")
HARMED_THEN = harmed("Pilot | 182 | 60 | 0.12 | 0.08 | 0.17 | pass", "PAIP | 182 | 150 | 0.31 | 0.26 | 0.37 | pass")
TAKEN_BACK = {
    "a step that was clearly more": (
        75, {}, "Last quarter’s figures said “a larger share engages in the pilot than in PAIP; a larger share completes in the "
        "pilot than in PAIP”; now that is unclear, not reversed.",
    ),
    "nothing was clear": (36, {}, ""),
    "leaving was clearly less": (
        36, LEFT_THEN, "Last quarter’s figures said “a smaller share leaves early in the pilot than in PAIP”; "
        "now that is unclear, not reversed.",
    ),
    "harm was clearly less": (
        36, HARMED_THEN, "Last quarter’s figures said “harm is on record for a smaller share in the pilot than in PAIP; much is never "
        "recorded”; now that is unclear, not reversed.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN_BACK)
def test_a_first_line_of_before_that_holds_no_more_is_taken_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalkit.report._findings.a_year_earlier", lambda report: report.earlier)
    engaged, then, sentence = TAKEN_BACK[name]
    now = all_of(NONE, NONE, NONE, NONE)
    own = {one.name: getattr(now, one.name) for one in fields(Told) if one.init} | {"then": then}
    made = Earlier(**own | {"results": {**now.results, **moved(engaged)}})
    said = page_one(made).sentences
    assert [one for one in said if "s figures said" in one] == ([sentence] if sentence else [])
    whole = [one for one in page_one(made, whole=True).sentences if "s figures said" in one]
    assert whole == ([sentence] if sentence else [])  # who read the quarter before has read its first line
    monkeypatch.setattr("evalkit.report._findings.a_year_earlier", lambda report: None)  # there was none yet
    assert [one for one in page_one(made, whole=True).sentences if "s figures said" in one] == whole
    # What is clear today is not taken back: the first line says it. Nor is what is not told today: it may still hold.
    for today in (all_of(HIGHER, LOWER, HIGHER, LOWER), all_of(None, None, None, None)):
        own = {one.name: getattr(today, one.name) for one in fields(Told) if one.init} | {"then": then}
        still = Earlier(**own | {"results": {**today.results, **moved(engaged)}})
        assert not any("figures of" in one for one in page_one(still).sentences)


YET = {
    "en-US": re.compile(r"\b(?:yet|so far|early to|too early)\b", re.I),
    "es-US": re.compile(r"\b(?:aún|todavía|hasta ahora|es pronto)\b", re.I),
}


@pytest.mark.parametrize("language", YET)
@pytest.mark.parametrize("results", [{}, BOTH, BOTH | ON_90 | ON_182, referred("-", "-")])
@pytest.mark.parametrize("tables", [EVERY, ("participants",)])
def test_of_the_whole_period_nothing_is_unknown_yet(
    tables: tuple[str, ...], results: dict[str, Safe], language: str
) -> None:
    """After a final report no other comes."""
    made = told(results, of=small(tables=tables))

    def words_in(page: PageOne) -> str:
        lines = [f"{one.line.verdict} {one.line.says}" for one in page.found]
        return " ".join([page.bottom_line, *page.sentences, page.unknown, *lines])

    with speaking(language):
        assert YET[language].search(words_in(page_one(made)))
        assert not YET[language].search(words_in(page_one(made, whole=True)))


def test_what_harm_holds_and_where_help_is(shown: list[dict[str, Any]]) -> None:
    report = small()
    harm = report.study.harm.model_copy(update={"helpline": "a line, 1-800", "kinds": ["dv_arrest", "order_violation"]})
    made = told(ON_182, of=replace(report, study=report.study.model_copy(update={"harm": harm})))
    assert [markdown(one) for one in page_one(made).sentences] == [
        NO_TARGET,
        "We see only recorded harm: domestic-violence arrest and broken protection order; much harm is never recorded.",
    ]
    # In a box of its own, the last thing on the page: who needs it does not look for it among sentences.
    made.findings()
    line = "::: {.help}\n**If someone hurts you, there is help:** a line, 1-800.\n:::"
    assert (
        shown[-1]["text/markdown"]
        == f"{markdown(' '.join(page_one(made).sentences))}\n\n{CAUSES['mandate']}{RECORDED['mandate']}\n\n{line}"
    )
    assert page_one(told(ON_182)).help == ""


def test_targets_are_said_with_their_direction() -> None:
    report = small()
    goals = [
        Target(indicator="left", value=0.3),
        Target(indicator="engaged", value=0.7),
        Target(indicator="harm", value=0.1),
    ]
    study = report.study.model_copy(update={"targets": goals})
    page = page_one(told(BOTH | ON_90 | ON_182, of=replace(report, study=study)))
    said = "Targets for the program: recorded harm of at most 10%, at least 70% engaged and at most 30% left."
    assert [one for one in page.sentences if "arget" in one] == [said]


SURE = "Numbers are small, so the ranges are wide. Unclear does not mean equal: the groups may still differ."
CAUSES = {
    "mandate": "**How sure we are.** People sent by a court differ from others",
    "random": f"**How sure we are.** {SURE} They were made by lot, so at the start only chance set them apart",
    "other": f"**How sure we are.** {SURE} These figures do not show whether the program works. The groups may differ in "
    "more than the program",
}
WORKS = f"So these figures do not show whether the program works. {SURE}"
MORE = {"mandate": f" {WORKS}", "random": "", "other": ""}
RECORDED = {
    "mandate": f", and are supervised more: more of the harm they do may be on record. {WORKS}",
    "random": "; how harm is recorded may still differ.",
    "other": ", and in how harm is recorded.",
}


@pytest.mark.parametrize("assignment", CAUSES)
def test_what_is_not_known(assignment: str) -> None:
    said = CAUSES[assignment]
    assert markdown(page_one(told(BOTH, of=small(assignment=assignment))).unknown) == said + RECORDED[assignment]
    quiet = small(("participants", "sessions", "exits"), assignment)
    assert markdown(page_one(told(BOTH, of=quiet)).unknown) == f"{said}.{MORE[assignment]}"  # where no harm is told of


def test_where_nothing_was_found_yet() -> None:
    assert markdown(page_one(told()).unknown) == (
        "**What we do not know.** Too few people have come, or been followed for long enough, to say more. The pages "
        "below say what is known so far."
    )


def test_who_was_referred_says_nothing_yet_of_how_they_fare() -> None:
    assert page_one(told(referred(120, 35))).unknown == page_one(told()).unknown
    assert page_one(told(referred(120, 35) | ON_182)).unknown != page_one(told()).unknown


def test_what_is_known_of_the_other_group_alone_says_nothing_of_the_focus() -> None:
    other = told(steps((0, 0), (150, 300)) | harmed("PAIP | 182 | 150 | 0.31 | 0.26 | 0.37 | pass"))
    assert page_one(other).unknown == page_one(told()).unknown


def test_below_the_grid_stands_who_a_group_is_where_the_protocol_says_it(shown: list[dict[str, Any]]) -> None:
    made = told(referred(120, 35))
    assert page_one(made).note == "Pilot: people without a court order."
    made.findings()
    (table,) = [one["text/html"] for one in shown if "text/html" in one]
    assert '<span class="legend">Pilot: people without a court order.</span>' in table


def test_of_the_whole_period_nothing_is_said_of_its_last_quarter(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalkit.report._findings.a_year_earlier", lambda report: report.earlier)
    made = told(referred(120, 35) | BOTH | change(HIGHER, 0.41))
    made.findings(whole=True)
    made.findings()
    tables = [one["text/html"] for one in shown if "text/html" in one]
    below = [one.get("text/markdown", "") for one in shown[2::3]]
    assert ["About 35 were new in the pilot in the newest period." in table for table in tables] == [False, True]
    for i, when in enumerate(["a year ago", "a quarter ago"]):
        assert [f"from 41% {when}" in text for text in below] == [i == 0, i == 1]
    numbers = [one["mark"]["data"]["rows"] for one in shown if "data" in one["mark"]]
    for i, when in enumerate(["a year ago", "a quarter ago"]):  # of both steps
        assert [sum(row[2] == when for row in rows) for rows in numbers] == [2 * (i == 0), 2 * (i == 1)]


@pytest.mark.parametrize(
    ("days", "time"),
    [(182, "six months"), (270, "nine months"), (365, "one year"), (730, "two years"), (1250, "1,250 days")],
)
def test_a_time_is_written_as_people_say_it(days: int, time: str) -> None:
    report = small()
    funnel = report.cohort.rules.funnel.model_copy(update={"completion_days": days})
    rules = report.cohort.rules.model_copy(update={"funnel": funnel})
    page = page_one(told(of=replace(report, cohort=replace(report.cohort, rules=rules))))
    assert {one.key: one.line.name for one in page.found}["completed"] == f"Completed within {time}"


@pytest.mark.parametrize(
    ("origin", "whom"),
    [
        ("intake", "of people with an intake, followed for up to six months"),
        ("referral", "of everybody referred, followed for up to six months"),
    ],
)
def test_of_whom_harm_is_told(origin: str, whom: str) -> None:
    report = small()
    study = report.study.model_copy(update={"harm": report.study.harm.model_copy(update={"origin": origin})})
    page = page_one(told(of=replace(report, study=study)))
    assert {one.key: one.line.whom for one in page.found}["harm"] == whom


def test_the_line_over_time_is_of_the_focus_and_has_a_place_for_each_quarter() -> None:
    """What is not shown, or was of nobody, leaves its quarter empty: the line does not close up."""
    given = safe_of("referral_cohorts", """
group | variable | period | n  | estimate
PAIP  | referred | 2022Q1 | 90 | 1
PAIP  | referred | 2022Q2 | 95 | 1
PAIP  | engaged  | 2022Q1 | 80 | 0.9
Pilot | referred | 2022Q1 | 30 | 1
Pilot | engaged  | 2022Q1 | 25 | 0.4
Pilot | referred | 2022Q3 | 20 | 1
Pilot | engaged  | 2022Q3 | 15 | 0.6
""")  # fmt: skip
    lines = {one.key: one.line.series for one in page_one(told({"referral_cohorts": given})).found}
    quarters = ["2021Q4", *(f"{year}Q{n}" for year in (2022, 2023) for n in (1, 2, 3, 4))]
    assert lines["referred"]["period"].tolist() == quarters
    assert lines["referred"]["n"].fillna(-1).tolist() == [-1, 30, -1, 20, *[-1] * 5]
    shares = lines["engaged"].set_index("period")["estimate"]
    assert shares.index.tolist() == quarters[: len(shares)] != quarters  # of the last ones not everybody's time is over
    assert shares.dropna().to_dict() == {"2022Q1": 0.4, "2022Q3": 0.6}
    assert lines["completed"]["estimate"].isna().all() and len(lines["left"]) == 0


def test_a_group_has_its_article_in_each_language() -> None:
    made, said = told({}), {"Pilot": "in the pilot", "PAIP": "in PAIP"}
    assert page_one(made).bottom_line.startswith("We cannot yet compare how people stay in the pilot and in PAIP.")
    with speaking("es-US", {"in the pilot": "en el piloto", "in PAIP": "en PAIP"}, said):
        line = "Aún no se puede comparar cuánto permanecen las personas en el piloto y en PAIP."
        assert page_one(made).bottom_line.startswith(line)
    with speaking("en-US"):  # a protocol of before: no label is pasted into a sentence
        line = "We cannot yet compare how people stay in the group “Pilot” and in the group “PAIP”."
        assert page_one(made).bottom_line.startswith(line)


@pytest.mark.parametrize("language", ["en-US", "es-US"])
@pytest.mark.parametrize("moved", [NONE, HIGHER, LOWER, None])
@pytest.mark.parametrize("gaps", [gaps for gaps, _ in LINES.values()])
def test_page_one_has_at_most_five_sentences(gaps: tuple[Gap | None, ...], moved: Gap | None, language: str) -> None:
    made = all_of(*gaps)
    harm = made.study.harm.model_copy(update={"helpline": "a helpline, free and confidential"})
    goals = [Target(indicator=key, value=0.5) for key in ("harm", "engaged", "left", "completed")]
    study = made.study.model_copy(update={"harm": harm, "targets": goals})
    results = {**made.results, **(change(moved, 0.41) if moved else {})}
    with speaking(language):
        page = page_one(replace(made, study=study, results=results))
        said = " ".join(page.sentences)
        assert 2 <= words_and_sentences(said)[1] <= 4, said  # and where help is: the fifth, in its own box
        assert words_and_sentences(page.bottom_line)[1] <= 4
        assert words_and_sentences(page.unknown)[1] <= 5


def test_a_curve_is_followed_up_to_the_day_asked_for_and_no_further() -> None:
    later = left(
        "Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | fail", "Pilot | 182 | 60 | 0.3 | 0.2 | 0.4 | pass",
        "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass", "PAIP | 182 | 150 | 0.5 | 0.4 | 0.6 | pass",
    )  # fmt: skip
    report = told(later)
    found = share_left(report, report.cohort)
    assert found is not None
    assert (found.last, found.on_a_day(report.groups)[0], found.withheld(report.groups)) == (90, None, True)
    short = told(left("Pilot | 30 | 9 | 0.27 | 0.21 | 0.34 | fail", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass"))
    found = share_left(short, short.cohort)
    assert found is not None
    assert not found.withheld(short.groups)  # it ends before: that is early, and nothing is withheld


def test_of_the_whole_period_what_changed_is_told_since_a_year_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was clear a quarter ago is asked of a quarter ago."""
    report = told(BOTH, {"funnel": {"Engaged": NONE, "Completed": NONE}})
    year = replace(report.cohort)
    ask = {id(report.earlier): change(HIGHER, 0.41)["change"], id(year): change(LOWER, 0.66)["change"]}

    def since(_: Cohort, before: Cohort, *__: object, **___: object) -> Estimates:
        return ask[id(before)].estimates.about(estimand=f"since {id(before)}")

    monkeypatch.setattr("evalkit.report._findings.analyses.change", since)
    monkeypatch.setattr("evalkit.report._findings.a_year_earlier", lambda _: year)
    made = replace(report, results={**report.results, **{f"since {k}": safe for k, safe in ask.items()}})
    assert "clearly fell from 66% a year ago" in page_one(made, whole=True).sentences[0]
    assert "clearly rose from 41% a quarter ago" in page_one(made).sentences[0]


def test_harm_is_asked_for_by_the_policys_own_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    """An end that fewer people came to is no competing one of its own."""
    asked: list[int] = []
    first = _findings.first_harm
    monkeypatch.setattr(_findings, "first_harm", lambda cohort, least: (asked.append(least), first(cohort, least))[1])
    report = told(ON_182)
    page_one(replace(report, policy=replace(report.policy, minimum_count=20, minimum_level=30)))
    assert set(asked) == {20}


def test_a_difference_is_told_on_the_day_that_is_quoted_or_not_at_all() -> None:
    report = told(ON_90)
    found = share_left(report, report.cohort)
    assert found is not None
    for day, gap in ((90, on(90, LOWER)), (182, None)):
        share = replace(found, gap=on(day, LOWER))
        assert (share.gap_told(report.groups), share.gap_on(90)) == (gap, gap)
    assert replace(found, gap=None).gap_told(report.groups) is None


def test_the_gap_of_before_is_that_of_the_shares_of_before() -> None:
    counts = shares("change", BEFORE.format(before=75, now=20)).estimates.counts
    gap = gap_before(safe_of("change", "estimate\n0.1", counts=counts), ("Pilot", "PAIP"))
    assert gap is not None
    assert gap.estimate == pytest.approx(75 / 100 - 100 / 280, abs=0.001)


def test_every_estimate_told_is_named_in_the_mark(shown: list[dict[str, Any]]) -> None:
    told(referred(120, 35) | BOTH | change(HIGHER, 0.41) | SOONER | ON_182).findings()
    for one in shown:
        kinds = set(one["mark"]["also"].values())
        assert kinds == {"referred", "funnel", "change", "cumulative_incidence", "referral_cohorts"}


@pytest.mark.parametrize("locale", ["en-US", "es-US"])
def test_each_row_of_page_one_names_its_estimate_in_either_language(shown: list[dict[str, Any]], locale: str) -> None:
    with speaking(locale):
        told(referred(120, 35) | BOTH | change(HIGHER, 0.41) | SOONER | ON_182).findings()
    (mark,) = [one["mark"] for one in shown if "data" in one["mark"]]
    rows = [dict(zip(mark["data"]["columns"], row, strict=True)) for row in mark["data"]["rows"]]
    kinds = {(row["term"], mark["also"].get(row["estimate_id"], "")) for row in rows if not row["period"]}
    risks = {("harm", "cumulative_incidence"), ("left", "cumulative_incidence")}
    assert kinds == {("referred", ""), ("engaged", "funnel"), ("completed", "funnel"), *risks}
    assert {row["measure"] for row in rows} == {"people", "share", "a quarter ago"}


def test_the_change_since_the_quarter_before_is_asked_with_the_noise_of_published_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its limits hold the noise: without it they would be too narrow, and small changes clear."""
    asked, answer = [], Told.safe
    monkeypatch.setattr(Told, "safe", lambda report, found: (asked.append(found), answer(report, found))[1])
    report = told(BOTH)
    page_one(replace(report, policy=replace(report.policy, noise_variance=3.5)))
    changes = [found for found in asked if found.kind == "change"]
    assert [found.analysis.noise_variance for found in changes] == [3.5, 3.5]


def test_what_may_be_concluded_is_said_in_at_most_fourteen_words(shown: list[dict[str, Any]]) -> None:
    for case in CASES.values():
        assert len(re.findall(r"\S+", case.line[-1])) <= 14


def test_what_is_not_given_as_a_whole_is_not_drawn_in_parts() -> None:
    series = pd.DataFrame(
        {"period": ["2022Q1", "2022Q2", "2022Q3"], "n": [0.0, 0.0, 12.0], "estimate": [1.0, 1.0, 1.0]}
    )
    side = pd.Series({"n": 40.0})
    assert len(Indicator("referred", "a", "b", "c", sides=(side, None), series=series).drawn) == 3
    assert Indicator("referred", "a", "b", "c", sides=(None, side), series=series).drawn.empty
    assert Indicator("referred", "a", "b", "c", sides=(side, None), series=series.iloc[:2]).drawn.empty


@pytest.mark.parametrize(("landmark", "by"), [(90, 90), (181, 181), (182, 182), (183, 182), (270, 182)])
def test_leaving_is_told_by_half_a_year_or_an_earlier_landmark(landmark: int, by: int) -> None:
    rules = small().study.rules.model_copy(update={"landmark_day": landmark})
    assert left_by(SimpleNamespace(cohort=SimpleNamespace(rules=rules))) == by
