"""What a report says of how it was made: the rules of the protocol, whole, and what is left out where tables are missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.analyses import IMPUTED_BOOT, LEAVING_BOOT, N_BOOT
from evalkit.markup import markdown
from evalkit.protocol import Closure, Disclosure, Override, Study
from evalkit.report import checklist, statistics, target_trial, terms
from evalkit.views import definitions, provenance_table
from evalkit.views.appendix import SECTIONS
from evalkit.words import speaking
from reports.made import points, small, told
from reports.made import shown as _shown
from views.drawn import cells

shown = _shown
ALL = frozenset({"sessions", "exits", "outcomes"})
WHO = (
    "**Who is counted.** Referrals from November 18, 2021 on, one row per referral; analyses use each participant’s first "
    "one. Groups: Pilot and PAIP."
)
CUT = (
    "**Data cut.** Only what was known on the day of the cut is used: later events, later entries and withdrawn entries are "
    "left out, so that the same quarter rendered again gives the same numbers."
)
VIOLENCE = (
    "A program may ask for more before it lets anybody complete, no current violence among it: later harm of people who "
    "completed and of others then differs partly by definition."
)
SESSIONS = [
    "**Disengaged.** No attended session for 21 days; it happens on day 21 after the last session, when it becomes known, and "
    "is never dated back. Leaving or being dismissed before that counts on its own day.",
    f"**Completed.** 24 attended sessions of the counting kinds (group) and 36 hours, or a recorded completion. {VIOLENCE}",
    "**Engaged.** At least 3 attended sessions within 45 days of intake. A step’s share is taken of those whose time window "
    "for that step is over. The threshold is this study’s own; no published source gives one.",
]
HARM = "**Harm.** The first recorded harm after the day of intake{}, until the cut or the last day on which outcomes were searched."
DIED = HARM + " With a death follow-up ends."
ESTIMATES = (
    "**Estimates.** Shares over time are Kaplan-Meier estimates, or cumulative incidences where outcomes compete, with log-log "
    "limits; shares of people have Wilson limits; hazard ratios come from Cox models with Efron’s handling of ties. Limits are "
    "at the 95% level."
)
PROTECTING = (
    "**Protecting people.** Counts of {} to 10 are not published. Every other count is changed at random by at most {}: a group "
    "of people gives the same number in each table, figure and report, and two groups that differ by one person are off by "
    "different amounts, so that subtracting singles nobody out. Shares, means and curves are computed from such numbers, "
    "their ranges include what the change may do, and parts may not add up to a whole, or one may be larger than it; models use exact records{}."
)
WIDER = ", and their limits are a little wider than these would give"
CAUSE = {
    "mandate": "The mandate itself is what differs between the groups, so they differ from the start; a difference between them "
    "does not show what the program caused.",
    "random": "The groups were made by lot. A difference between them is chance, an effect of what was offered, or comes from who "
    "was lost to follow-up; which of them, no single figure shows.",
    "other": "The groups may differ from the start; a difference between them does not show what the program caused.",
}


def study(**changes: Any) -> Study:
    return small().study.model_copy(update=changes)


def said(of: Study, rules: Disclosure, tables: frozenset[str] = ALL) -> list[str]:
    return points(markdown(definitions(of, rules, tables)))


def test_the_rules_of_a_study() -> None:
    cause = f"**What a comparison cannot show.** {CAUSE['mandate']}"
    protecting = PROTECTING.format(1, 5, WIDER)
    assert said(study(), Disclosure()) == [WHO, CUT, *SESSIONS, DIED.format(""), ESTIMATES, protecting, cause]
    both = frozenset({"sessions", "exits"})
    assert said(study(), Disclosure(), both) == [WHO, CUT, *SESSIONS, ESTIMATES, protecting, cause]
    assert said(study(), Disclosure(), frozenset({"outcomes"})) == [
        WHO,
        CUT,
        HARM.format(""),
        ESTIMATES,
        protecting,
        cause,
    ]


def test_all_referrals_and_several_kinds_of_harm() -> None:
    rules = small().study.rules.model_copy(
        update={"episodes": "all", "counting_kinds": ["group", "individual"], "dose_hours": 13.5}
    )
    harm = small().study.harm.model_copy(update={"kinds": ["dv_arrest", "order_violation", "survivor_reported_harm"]})
    lines = said(study(rules=rules, harm=harm), Disclosure())
    assert lines[0] == WHO.replace("each participant’s first one", "all of them")
    assert lines[3] == (
        "**Completed.** 24 attended sessions of the counting kinds (group, individual) and 13.5 hours, or a recorded completion. "
        f"{VIOLENCE}"
    )
    assert lines[5] == DIED.format(
        " (domestic-violence arrest, broken protection order and survivor-reported harm count)"
    )


MORE = (
    "A program may ask for more before it lets anybody complete, no current violence among it: later harm of people who "
    "completed and of others then differs partly by definition."
)
DOSE = "24 attended sessions of the counting kinds (group, individual (at most 4)) and 36 hours"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("either", f"{DOSE}, or a recorded completion. {MORE}"),
        ("dose", f"{DOSE}. Who is recorded to have completed without them is not followed any longer."),
        ("recorded", f"A recorded completion. The dose ({DOSE}) is another thing, and is counted apart. {MORE}"),
    ],
)
def test_what_completing_is(rule: str, words: str) -> None:
    rules = {"completion": rule, "counting_kinds": {"group": "all", "individual": 4}}
    lines = said(study(rules=small().study.rules.model_copy(update=rules)), Disclosure())
    assert lines[3] == f"**Completed.** {words}"


def test_without_exits_nothing_is_said_of_them() -> None:
    of = study(rules=small().study.rules.model_copy(update={"completion": "dose", "counting_kinds": ["group"]}))
    lines = said(of, Disclosure(), ALL - {"exits"})
    assert lines[2].endswith("when it becomes known, and is never dated back.")
    assert lines[3] == "**Completed.** 24 attended sessions of the counting kinds (group) and 36 hours."


FEW = "Where few people of a group had such an end, it ends follow-up only."


@pytest.mark.parametrize(
    ("harm", "tables", "more"),
    [
        ({"death": "competing"}, ALL, f" A death before it is another end, after which there is none. {FEW}"),
        ({"death": "competing"}, ALL - {"exits"}, ""),
        ({"custody": "custody"}, ALL, f" With a death follow-up ends. Custody is another end, too. {FEW}"),
        ({}, ALL | {"searches"}, " People count whom every source was searched for, from that day on to the earliest end of a search. With a death follow-up ends."),
    ],
)  # fmt: skip
def test_what_else_ends_the_time_of_harm(harm: dict, tables: frozenset[str], more: str) -> None:
    of = study(harm=small().study.harm.model_copy(update=harm))
    assert HARM.format("") + more in said(of, Disclosure(), tables)


def test_harm_from_the_referral() -> None:
    of = study(harm=small().study.harm.model_copy(update={"origin": "referral"}))
    assert DIED.format("").replace("intake", "referral") in said(of, Disclosure())


def test_who_else_is_asked_of_a_group() -> None:
    arms = small().study.arms
    limited = arms.comparison.model_copy(update={"where": {"mandate": ["court", "other_order"]}})
    lines = said(study(arms=arms.model_copy(update={"comparison": limited})), Disclosure())
    assert lines[0] == (
        f"{WHO} Counted in PAIP are only people whose recorded mandate is court or other_order; others of that program are in neither group, "
        "and are counted apart. Where a column is recorded of nobody it limits nobody."
    )


CLOSED, OFF = "days on which the site was closed", "days on which all of somebody’s sessions were cancelled"


@pytest.mark.parametrize(
    ("closures", "cancelled", "words"),
    [
        (True, False, f" Not counted among them are {CLOSED}."),
        (False, True, f" Not counted among them are {OFF}."),
        (True, True, f" Not counted among them are {CLOSED} and {OFF}."),
        (False, False, ""),
    ],
)
def test_days_that_do_not_count_toward_the_gap(closures: bool, cancelled: bool, words: str) -> None:
    one = Closure.model_validate({"from": "2022-12-24", "to": "2023-01-01"})
    rules = {"closures": [one] if closures else [], "cancelled_pauses": cancelled}
    lines = said(study(rules=small().study.rules.model_copy(update=rules)), Disclosure())
    assert lines[2] == SESSIONS[0].replace("never dated back.", f"never dated back.{words}")


@pytest.mark.parametrize(
    ("rules", "protecting"),
    [
        (Disclosure(zero="withheld"), PROTECTING.format(0, 5, WIDER)),
        (Disclosure(noise_most=7), PROTECTING.format(1, 7, WIDER)),
        (Disclosure(round_for_display=5), PROTECTING.format(1, "5 and rounded to multiples of 5", WIDER)),
    ],
)
def test_how_people_are_protected(rules: Disclosure, protecting: str) -> None:
    assert said(study(), rules)[7] == protecting


def exception(rule: str, value: float) -> Disclosure:
    override = {"rule": rule, "value": value, "by": "The board", "reason": "Public use data, released by its owner."}
    return Disclosure.model_validate({"may_override": ["The board"], "overrides": [override]})


@pytest.mark.parametrize(("rule", "limits"), [("minimum_level", ""), ("noise_variance", WIDER)])
def test_exceptions_are_said(rule: str, limits: str) -> None:
    lines = said(study(), exception(rule, 1))
    assert lines[7] == PROTECTING.format(1, 5, limits)
    name = rule.replace("_", " ").capitalize()
    assert lines[8] == (
        f"**Exception to these rules.** {name} is 1: Public use data, released by its owner (decided by The board)."
    )


@pytest.mark.parametrize("override", Override.model_fields["rule"].annotation.__args__)  # type: ignore[union-attr]
def test_exceptions_are_said_in_spanish(override: str) -> None:
    with speaking("es-US", {"Public use data, released by its owner.": "Datos públicos.", "The board": "La junta"}):
        line = said(study(), exception(override, 1))[8]
    assert line.startswith("**Excepción a estas reglas.** ")
    assert line.endswith(": 1. Datos públicos (decisión: La junta).")
    assert override.replace("_", " ") not in line.lower()


@pytest.mark.parametrize("assignment", CAUSE)
def test_what_a_comparison_cannot_show(assignment: str) -> None:
    lines = said(small(assignment=assignment).study, Disclosure())
    assert lines[-1] == f"**What a comparison cannot show.** {CAUSE[assignment]}"


def test_where_a_report_came_from() -> None:
    assert cells(provenance_table({"Study": "small", "Seed": "7"})) == [
        ["What", "Value"],
        ["Study", "small"],
        ["Seed", "7"],
    ]


# -- the appendix -----------------------------------------------------------------------------------------------------
def rows(text: str) -> list[list[str]]:
    """The lines of a Markdown table below its rule."""
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines()[2:]]


TARGET = {
    "mandate": [
        ["Who is eligible", "Adults who cause harm in an intimate-partner relationship and could take either path",
         "Everybody referred since November 18, 2021, as recorded; nobody could take the other path"],
        ["What is compared", "Services without a mandate, against the same services by court order",
         "Pilot (people without a court order), against PAIP"],
        ["Assignment", "By lot", "By whether a court sent somebody; age are adjusted for"],
    ],
    "random": [
        ["Who is eligible", "Everybody who could be in either group", "Everybody referred since November 18, 2021, as recorded"],
        ["What is compared", "The same", "Pilot (people without a court order), against PAIP"],
        ["Assignment", "By lot", "By lot; age are adjusted for"],
    ],
    "other": [
        ["Who is eligible", "Everybody who could be in either group", "Everybody referred since November 18, 2021, as recorded"],
        ["What is compared", "The same", "Pilot (people without a court order), against PAIP"],
        ["Assignment", "By lot", "Not by lot; age are adjusted for"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("assignment", TARGET)
def test_the_target_trial(assignment: str, shown: list[dict[str, Any]]) -> None:
    target_trial(told(of=small(assignment=assignment)))
    found = rows(shown[0]["text/markdown"])
    assert found[:3] == TARGET[assignment]
    assert [row[0] for row in found] == [
        "Who is eligible", "What is compared", "Assignment", "Start of follow-up", "Outcomes", "Causal contrast", "Analysis",
    ]  # fmt: skip
    assert ("court supervision" in found[4][2]) is (assignment == "mandate")
    assert found[5][2] == (
        "None is claimed: differences between groups made alike in what was measured, for people like those in the pilot (ATT)"
    )


MEASURED = {
    ("participants", "sessions", "exits"): ["Engagement, disengagement and completion, measured alike", "Disengagement: the same"],
    ("participants", "outcomes"): ["Harm, measured alike", "Harm: the same"],
    ("participants",): [],
}  # fmt: skip


@pytest.mark.parametrize("assignment", ["mandate", "random"])
@pytest.mark.parametrize("tables", MEASURED)
def test_the_target_trial_names_no_outcome_that_the_study_does_not_measure(
    tables: tuple[str, ...], assignment: str, shown: list[dict[str, Any]]
) -> None:
    target_trial(told(of=small(tables=tables, assignment=assignment)))
    text = shown[0]["text/markdown"]
    found = {row[0]: row[1:] for row in rows(text)}
    assert ("Outcomes" in found, "Analysis" in found) == (bool(MEASURED[tables]),) * 2
    if MEASURED[tables]:
        outcomes, analysis = MEASURED[tables]
        assert found["Outcomes"][0] == (outcomes if assignment == "mandate" else "Measured alike in both groups")
        assert found["Analysis"][1].startswith(analysis)
    absent = [
        word
        for word, table in {"harm,": "outcomes", "engage": "sessions", "session": "sessions"}.items()
        if table not in tables
    ]
    assert not [word for word in absent if word in text.lower().replace("who cause harm", "")]


def test_statistical_methods_hold_the_protocols_numbers(shown: list[dict[str, Any]]) -> None:
    statistics(told())
    lines = points(shown[0]["text/markdown"])
    assert (
        "**Diagnostics.** Fixed in the protocol: after weighting, no standardized difference above 0.1; at least 20% of people "
        "with a preference score from 0.3 to 0.7; an effective sample size of at least 30. Where one fails, no conclusion is drawn."
    ) in lines
    assert lines[2] == (
        f"**Limits.** {N_BOOT} bootstrap replicates drawn within groups, {IMPUTED_BOOT} in each data set with missing values filled "
        "in; in each the propensity score is fitted anew. Percentile limits at the 95% level. Random numbers start from "
        f"{small().study.seed}."
    )
    assert lines[3].startswith(
        f"**Who leaves.** {LEAVING_BOOT} bootstrap replicates of people for differences, {LEAVING_BOOT} to"
    )
    assert lines[0].startswith(
        "**Propensity scores.** Logistic regression of the group on age. Levels with fewer than 11 people"
    )
    assert (
        "**Harm after completing.** A landmark analysis on day 90 after intake; the Cox model holds the pathway equal."
        in lines
    )
    names = [re.match(r"\*\*(.*?)\.\*\*", line)[1] for line in lines]
    shown.clear()
    statistics(told(of=small(tables=("participants", "sessions", "exits"))))
    without = [re.match(r"\*\*(.*?)\.\*\*", line)[1] for line in points(shown[0]["text/markdown"])]
    assert [name for name in names if name not in without] == ["Repeated harm", "Harm after completing", "Models"]
    shown.clear()
    statistics(told(of=small(tables=("participants", "outcomes"))))
    without = [re.match(r"\*\*(.*?)\.\*\*", line)[1] for line in points(shown[0]["text/markdown"])]
    assert [name for name in names if name not in without] == [
        "Who leaves", "Change since last quarter", "Interaction", "Harm after completing",
    ]  # fmt: skip
    assert "disengagement" not in shown[0]["text/markdown"]


def test_what_is_done_to_repeated_harm_is_told_where_it_is_counted(shown: list[dict[str, Any]]) -> None:
    report = small()
    harm = report.study.harm.model_copy(update={"recurrent": False})
    cohort = replace(report.cohort, study=report.study.model_copy(update={"harm": harm}))
    once = told(of=replace(report, cohort=cohort))
    for part in (statistics, terms):
        shown.clear()
        part(once)
        assert not re.search("Repeated harm|Mean cumulative", shown[0]["text/markdown"])


def test_terms_are_those_of_the_tables_there_are(shown: list[dict[str, Any]]) -> None:
    terms(told())
    found = dict(rows(shown[0]["text/markdown"]))
    assert list(found) == sorted(found, key=str.lower)
    assert (
        found["Disengaged"]
        == "No attended session for 21 days, or leaving before that; returning later is counted apart."
    )
    assert found["Engaged"] == "At least 3 attended sessions within 45 days of intake."
    shown.clear()
    terms(told(of=small(tables=("participants", "sessions", "outcomes"))))
    without = dict(rows(shown[0]["text/markdown"]))
    assert without["Disengaged"] == "No attended session for 21 days; returning later is counted apart."
    assert {"PAIP", "Landmark", "Competing events"} <= set(found)
    shown.clear()
    terms(told(of=small(tables=("participants", "outcomes"))))
    assert set(found) - set(dict(rows(shown[0]["text/markdown"]))) == {
        "Disengaged", "Engaged", "Competing events", "Immortal time", "Interaction", "Landmark",
    }  # fmt: skip


def test_sections_of_the_checklist_are_called_as_in_the_report(shown: list[dict[str, Any]]) -> None:
    checklist(told())
    notebook = json.loads((Path(__file__).parents[2] / "notebooks" / "final.ipynb").read_text(encoding="utf-8"))
    text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    heads = {name: title.strip() for title, name in re.findall(r"^#+ (.*?) \{#sec-([\w-]+)\}", text, re.MULTILINE)}
    assert 'report.findings(whole=True, label="sec-summary")' in text  # its heading is what was found
    heads["summary"] = "Page one"
    links = re.findall(r"\[([^\]]+)\]\(#sec-([\w-]+)\)", shown[0]["text/markdown"])
    assert {name for _, name in links} <= set(SECTIONS)
    in_other_words = {
        "subgroups": "Does the difference depend on who people are?",
        "not-shown": "What this comparison does not show",
    }
    for title, name in [*links, *((title, name) for name, title in SECTIONS.items())]:
        if name in in_other_words:
            assert (heads[name], title) == (in_other_words[name], SECTIONS[name])
        else:
            assert set(re.findall(r"\w+", title.lower())) <= set(re.findall(r"\w+", heads[name].lower())), (title, name)
    assert (SECTIONS["subgroups"], SECTIONS["not-shown"]) == ("Subgroups", "What is not shown")
