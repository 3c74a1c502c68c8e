"""Harm from the referral on, deaths and custody that compete, and searches by source, as the definitions draw them."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import product

import pandas as pd
import pytest
from pydantic import ValidationError

from cohort.spec import ARMS, SHORT, START, Case, Together, day, ends, open_frames, spec_cohort
from cohort.test_harm import FROM_INTAKE
from evalkit.cohort import Cohort, build
from evalkit.errors import UsageError
from evalkit.protocol import Harm, Study

P = "participant_id | referral_date | intake_date | outcome_follow_up_end\n"
O = "participant_id | outcome_date | kind | source\n"  # noqa: E741
X = "participant_id | exit_date | reason\n"
S = "participant_id | source | searched_from | searched_to\n"
LATER = P + "a | +0 | +10 | -"
AGAIN = P + "a | +0 | +0 | -\na | +30 | +31 | -"


def arrest(*days: int, kind: str = "dv_arrest", source: str = "police") -> str:
    return O + "\n".join(f"a | +{n} | {kind} | {source}" for n in days)


def died(n: int) -> str:
    return X + f"a | +{n} | deceased"


def searched(*spans: tuple[int, int], source: str = "police") -> str:
    return "\n".join(f"a | {source} | {'+' if a >= 0 else ''}{a} | +{b}" for a, b in spans)


ORIGIN = [
    Case("from the referral on", "a 50 1 dv_arrest", participants=LATER, outcomes=arrest(50)),
    Case("before the intake it counts", "a 9 1 dv_arrest", participants=LATER, outcomes=arrest(9)),
    Case("the day after the referral", "a 1 1 dv_arrest", participants=LATER, outcomes=arrest(1)),
    Case("on the day of the referral: not after it", "a 200 0 cut", participants=LATER, outcomes=arrest(0)),
    Case("without an intake, too", "a 50 1 dv_arrest", participants=P + "a | +0 | - | -", outcomes=arrest(50)),
    Case("searched up to the referral: time 0", "a 0 0 follow_up_end", participants=P + "a | +5 | - | +5"),
    Case("up to the day before: not in this set", "", participants=P + "a | +5 | - | +4"),
    Case("a death before the referral: not in this set", "", participants=P + "a | +5 | - | -", exits=died(4)),
    Case("on the cut", "a 0 0 cut", "+5", participants=P + "a | +5 | - | -"),
]
DEATH = [
    Case("a death is another end", "a 60 2 deceased", exits=died(60)),
    Case("harm on the day before", "a 59 1 dv_arrest", exits=died(60), outcomes=arrest(59)),
    Case("harm on the day of death is harm", "a 60 1 dv_arrest", exits=died(60), outcomes=arrest(60)),
    Case("and not the day after", "a 60 2 deceased", exits=died(60), outcomes=arrest(61)),
    Case("on the referral", "a 0 2 deceased", exits=died(0)),
    Case("on the cut", "a 60 2 deceased", "+60", exits=died(60)),
    Case("after the cut: unseen", "a 59 0 cut", "+59", exits=died(60)),
    Case("on the last day searched", "a 80 2 deceased", participants=P + "a | +0 | +0 | +80", exits=died(80)),
    Case("after it: unseen", "a 80 0 follow_up_end", participants=P + "a | +0 | +0 | +80", exits=died(81)),
    Case("of a later episode counts", "a 60 2 deceased", participants=AGAIN, exits=died(60)),
    Case("censored where the protocol says so", "a 60 0 deceased", exits=died(60), harm={"death": "censored"}),
    Case("before the intake, from the intake", "", participants=LATER, exits=died(9), harm={"origin": "intake"}),
    Case("on the intake, from it", "a 0 2 deceased", participants=LATER, exits=died(10), harm={"origin": "intake"}),
    Case("other exits end nothing", "a 200 0 cut", exits=X + "a | +60 | moved\na | +70 | completed"),
]
JAIL = {"custody": "custody"}
HELD = "\na | +40 | custody | jail"
CUSTODY = [
    Case("custody is another end", "a 40 3 custody", outcomes=arrest(50) + HELD, harm=JAIL),
    Case("harm the day before", "a 39 1 dv_arrest", outcomes=arrest(39) + HELD, harm=JAIL),
    Case("harm on its day is harm", "a 40 1 dv_arrest", outcomes=arrest(40) + HELD, harm=JAIL),
    Case("a death on its day is a death", "a 40 2 deceased", outcomes=O + HELD[1:], exits=died(40), harm=JAIL),
    Case("where the protocol names none", "a 50 1 dv_arrest", outcomes=arrest(50) + HELD),
    Case("on the referral it is before the time", "a 200 0 cut", outcomes=O + "a | +0 | custody | jail", harm=JAIL),
    Case("after the search: unseen", "a 39 0 follow_up_end", participants=P + "a | +0 | - | +39", outcomes=O + HELD[1:], harm=JAIL),
]  # fmt: skip
SEARCHES = [
    Case("to the end of the search", "a 80 0 follow_up_end", searches=S + searched((0, 80))),
    Case("an outcome on its last day", "a 80 1 dv_arrest", searches=S + searched((0, 80)), outcomes=arrest(80)),
    Case("and not the day after", "a 80 0 follow_up_end", searches=S + searched((0, 80)), outcomes=arrest(81)),
    Case("from before the referral on", "a 80 0 follow_up_end", searches=S + searched((-30, 80))),
    Case("from the day after the referral on", "a 80 0 follow_up_end", searches=S + searched((1, 80))),
    Case("two days after: not followed", "", searches=S + searched((2, 80))),
    Case("up to the referral", "a 0 0 follow_up_end", searches=S + searched((-9, 0))),
    Case("up to the day before: not followed", "", searches=S + searched((-9, -1)).replace("+-", "-")),
    Case("runs that meet are one", "a 80 0 follow_up_end", searches=S + searched((0, 40), (41, 80))),
    Case("a day between breaks the run", "a 40 0 follow_up_end", searches=S + searched((0, 40), (42, 80))),
    Case("runs that overlap are one", "a 80 0 follow_up_end", searches=S + searched((30, 80), (0, 40))),
    Case("one inside another", "a 80 0 follow_up_end", searches=S + searched((0, 80), (10, 20))),
    Case("and a further one after both", "a 90 0 follow_up_end", searches=S + searched((0, 80), (10, 20), (81, 90))),
    Case("the same twice", "a 80 0 follow_up_end", searches=S + searched((0, 80), (0, 80))),
    Case("up to the referral, and on from the day after", "a 80 0 follow_up_end", searches=S + searched((-9, 0), (1, 80))),
    Case("beyond the cut", "a 200 0 cut", searches=S + searched((0, 300))),
    Case("the old column says nothing any more", "a 80 0 follow_up_end", participants=P + "a | +0 | +0 | +20", searches=S + searched((0, 80))),
    Case("to the earliest end of all sources", "a 60 0 follow_up_end", searches=S + searched((0, 80)) + "\n" + searched((0, 60), source="court")),
    Case("of people whom every source follows", "", searches=S + searched((0, 80)) + "\n" + searched((2, 90), source="court")),
    Case("another source's outcome is none of theirs", "a 80 0 follow_up_end", searches=S + searched((0, 80)), outcomes=arrest(50, source="self")),
    Case("nor one of no source", "a 80 0 follow_up_end", searches=S + searched((0, 80)), outcomes=arrest(50, source="-")),
    Case("any source's among them is", "a 50 1 dv_arrest", searches=S + searched((0, 80)) + "\n" + searched((0, 60), source="court"), outcomes=arrest(50, source="court")),
    Case("a death ends it", "a 70 2 deceased", searches=S + searched((0, 80)), exits=died(70)),
    Case("after the search it is unseen", "a 80 0 follow_up_end", searches=S + searched((0, 80)), exits=died(81)),
    Case("from the intake: a run that covers it", "a 70 0 follow_up_end", participants=LATER, searches=S + searched((5, 80)), harm=FROM_INTAKE),
    Case("from the intake: from the day after it on", "a 70 0 follow_up_end", participants=LATER, searches=S + searched((11, 80)), harm=FROM_INTAKE),
    Case("from the intake: two days after", "", participants=LATER, searches=S + searched((12, 80)), harm=FROM_INTAKE),
    Case("custody by whoever reports it", "a 40 3 custody", searches=S + searched((0, 80)), outcomes=arrest(50) + HELD, harm=JAIL),
]  # fmt: skip
CASES = [*ORIGIN, *DEATH, *CUSTODY]
TOGETHER, SEARCHED = Together(CASES), Together(SEARCHES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_harm(case: Case) -> None:
    assert ends(TOGETHER.rows(case, "harm")) == case.expect


@pytest.mark.parametrize("case", SEARCHES, ids=lambda case: case.name)
def test_searches(case: Case) -> None:
    assert ends(SEARCHED.rows(case, "harm")) == case.expect


def test_the_recurrent_version_has_the_same_follow_up() -> None:
    case = Case("", "", outcomes=arrest(10, 10, 50, 80, 81) + HELD, searches=S + searched((0, 80)), harm=JAIL)
    assert ends(case.cohort().harm_recurrent()) == (
        "a 10 1 dv_arrest; a 50 1 dv_arrest; a 80 1 dv_arrest; a 80 0 follow_up_end"
    )
    dead = Case("", "", outcomes=arrest(10, 61), exits=died(60))
    assert ends(dead.cohort().harm_recurrent()) == "a 10 1 dv_arrest; a 60 0 deceased"


def test_custody_competes_with_the_harm_of_each_source_whoever_reports_it() -> None:
    cohort = Case("", "", outcomes=arrest(50) + HELD, searches=S + searched((0, 80)), harm=JAIL).cohort()
    assert ends(cohort.harm(source="police")) == "a 40 3 custody"


BOTH = S + searched((0, 80)) + "\n" + searched((2, 90), source="court") + "\n" + searched((0, 95), source="self")


def test_each_source_has_its_own_follow_up() -> None:
    """The court is not followed, so nobody is by all; police and self-reports are, each to its own end."""
    told = O + "a | +50 | dv_arrest | self\na | +90 | dv_arrest | self\na | +85 | dv_arrest | police"
    cohort = Case("", "", searches=BOTH, outcomes=told).cohort()
    assert ends(cohort.harm()) == ""
    assert ends(cohort.harm(source="police")) == "a 80 0 follow_up_end"
    assert ends(cohort.harm(source="self")) == "a 50 1 dv_arrest"
    assert ends(cohort.harm_recurrent(source="self")) == "a 50 1 dv_arrest; a 90 1 dv_arrest; a 95 0 follow_up_end"
    assert ends(cohort.harm(source="court")) == ""
    with pytest.raises(UsageError, match=r"^harm: 'pollice' is not searched by the cut$"):
        cohort.harm(source="pollice")


def test_without_searches_the_old_column_holds_for_every_source() -> None:
    told = O + "a | +50 | dv_arrest | self\na | +30 | dv_arrest | police\na | +81 | dv_arrest | police"
    cohort = Case(
        "", "", participants=P + "a | +0 | - | +80", outcomes=told, harm={"sources": ["self", "police"]}
    ).cohort()
    assert ends(cohort.harm()) == "a 30 1 dv_arrest"
    assert ends(cohort.harm(source="self")) == "a 50 1 dv_arrest"
    with pytest.raises(
        UsageError, match="'pollice' is not the source of an outcome known at the cut; did you mean 'police'"
    ):
        cohort.harm(source="pollice")


def test_a_search_recorded_after_the_cut_is_not_known() -> None:
    rows = "participant_id | source | searched_from | searched_to | recorded_on | retracted_on\n"
    rows += "a | police | +0 | +40 | +40 | -\na | police | +41 | +90 | +150 | -\na | police | +91 | +95 | +95 | +120"
    tables = {"participants": P + "a | +0 | - | -", "searches": rows}
    assert [ends(spec_cohort(tables, cut).harm()) for cut in ("+100", "+149", "+150")] == [
        "a 40 0 follow_up_end", "a 40 0 follow_up_end", "a 90 0 follow_up_end",
    ]  # fmt: skip


def test_whom_no_source_followed_is_counted() -> None:
    tables = {
        "participants": P + "a | +0 | - | -\nb | +0 | - | -",
        "searches": S + searched((0, 80)) + "\n" + searched((0, 60)).replace("a |", "b |") + "\n" + searched((0, 60), source="court"),
    }  # fmt: skip
    cohort = spec_cohort(tables, "+200")
    assert ends(cohort.harm()) == "a 60 0 follow_up_end"
    steps = cohort.attrition.tidy().query("variable == 'harm' and group == 'all'")
    assert steps[["label", "n", "n_event"]].to_numpy().tolist() == [
        ["every source was searched from the referral on, and follow-up does not end before it", 2, 1]
    ]


def test_the_other_origin_is_asked_of_the_same_cut() -> None:
    case = Case("", "", participants=LATER, outcomes=arrest(9, 50))
    cohort = case.cohort()
    other = build(
        cohort._setting.cut, rules=cohort.rules, harm=cohort.study.harm.model_copy(update={"origin": "intake"})
    )
    assert (ends(cohort.harm()), ends(other.harm())) == ("a 9 1 dv_arrest", "a 40 1 dv_arrest")
    assert other.study.harm.origin == "intake" and cohort.study.harm.origin == "referral"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"harm": {"custody": "dv_arrest"}}, "custody 'dv_arrest' is one of the kinds of harm"),
        ({"harm": {"origin": "first_session"}}, "'referral' or 'intake'"),
        ({"tables": {"participants": {}, "searches": {}}}, "tables.searches .* needs the table outcomes"),
        (
            {"tables": {"participants": {}, "sessions": {}}, "rules": {"completion": "recorded"}},
            "recorded needs the table exits",
        ),
    ],
)
def test_harm_that_cannot_be_meant(changes: dict[str, object], said: str) -> None:
    study = {"id": "s", "title": "S", "starts": START, "arms": ARMS, "tables": {"participants": {}}}
    with pytest.raises(ValidationError, match=said):
        Study.model_validate({**study, **changes})


@pytest.mark.parametrize(
    ("tables", "rules", "meant"),
    [
        (("sessions",), {}, "dose"),  # a protocol of before: nothing else can be meant
        (("sessions",), {"dose_sessions": 20}, "dose"),
        (("sessions",), {"completion": "either"}, "either"),
        (("sessions", "exits"), {}, "recorded"),
        ((), {}, "recorded"),
    ],
)
def test_what_completing_is_where_nobody_says_it(tables: tuple[str, ...], rules: dict[str, object], meant: str) -> None:
    study = {"id": "s", "title": "S", "starts": START, "arms": ARMS, "rules": rules}
    study["tables"] = {name: {} for name in ("participants", *tables)}
    assert Study.model_validate(study).rules.completion == meant


# -- the same once more, by walking through the days -------------------------------------------------------------------

SOURCES = ("police", "court")


def drawn(seed: int, n: int = 80) -> dict[str, pd.DataFrame]:
    """Many people with searches that overlap, meet and break, deaths, custody and outcomes of three sources."""
    dice = random.Random(seed)  # noqa: S311 - dice
    rows: dict[str, list[list[str]]] = {name: [] for name in ("participants", "exits", "outcomes", "searches")}
    for number in range(n):
        who, start = f"p{number:02d}", dice.randrange(40)
        for first in [start] if dice.random() < 0.8 else [start, start + dice.randrange(1, 40)]:
            intake = "" if dice.random() < 0.3 else f"+{first + dice.randrange(20)}"
            rows["participants"].append([who, dice.choice(["non_mandated", "paip"]), f"+{first}", intake, ""])
        if dice.random() < 0.2:
            rows["exits"].append([who, f"+{start + dice.randrange(80)}", "deceased"])
        for _ in range(dice.randrange(4)):
            kind = dice.choice(["dv_arrest", "dv_arrest", "any_arrest", "custody"])
            rows["outcomes"].append(
                [who, f"+{start + dice.randrange(-3, 80)}".replace("+-", "-"), kind, dice.choice([*SOURCES, "self"])]
            )
        for source in SOURCES:
            begin = start + dice.choice([-10, -1, 0, 0, 0, 1, 2, 5])
            for _ in range(dice.randrange(1, 4)):
                end = begin + dice.choice([0, 1, 5, 20, 60])
                rows["searches"].append([who, source, f"+{begin}".replace("+-", "-"), f"+{end}".replace("+-", "-")])
                begin = end + dice.choice([-3, 1, 1, 1, 2])
    columns = {
        "participants": ["participant_id", "pathway", "referral_date", "intake_date", "outcome_follow_up_end"],
        "exits": ["participant_id", "exit_date", "reason"],
        "outcomes": ["participant_id", "outcome_date", "kind", "source"],
        "searches": ["participant_id", "source", "searched_from", "searched_to"],
    }
    return {name: pd.DataFrame(found, columns=columns[name]).map(day) for name, found in rows.items()}


def number(text: str) -> int | None:
    return (date.fromisoformat(text) - START).days if text else None


def walk(frames: dict[str, pd.DataFrame], harm: Harm, cut: int, source: str | None) -> list[tuple]:
    """Everybody's first harm, day by day."""
    of = {name: [[r[0], *r[1:]] for r in frame.itertuples(index=False)] for name, frame in frames.items()}
    answer = []
    for who in sorted({r[0] for r in of["participants"] if number(r[2]) <= cut}):
        first = min((number(r[2]), number(r[3])) for r in of["participants"] if r[0] == who)
        start = first[0] if harm.origin == "referral" else first[1]
        if start is None or start > cut:
            continue
        followed = [source] if source else SOURCES
        looked = {
            s: {
                n
                for w, t, a, b in of["searches"]
                if (w, t) == (who, s) and number(a) <= cut
                for n in range(number(a), number(b) + 1)
            }
            for s in followed
        }
        deaths = {number(r[1]) for r in of["exits"] if r[0] == who}
        happened = {(number(r[1]), r[2]) for r in of["outcomes"] if r[0] == who and r[3] in followed}
        held = {number(r[1]) for r in of["outcomes"] if r[0] == who and r[2] == harm.custody}
        if any(n < start for n in deaths) or not all(days & {start, start + 1} for days in looked.values()):
            continue
        for now in range(start, cut + 1):
            if now > start and any((now, kind) in happened for kind in harm.kinds):
                answer.append((who, 1, now - start, 1))
            elif now in deaths:
                answer.append((who, 1, now - start, 2 if harm.death == "competing" else 0))
            elif now > start and now in held:
                answer.append((who, 1, now - start, 3 if harm.death == "competing" else 2))
            elif now == cut or any(now + 1 not in days for days in looked.values()):
                answer.append((who, 1, now - start, 0))
            else:
                continue
            break
    return answer


def rows_of(cohort: Cohort, source: str | None) -> list[tuple]:
    frame = cohort.harm(source=source)
    return [tuple(row) for row in frame[["participant_id", "episode", "time", "event"]].itertuples(index=False)]


@pytest.mark.parametrize(("origin", "death"), list(product(["referral", "intake"], ["competing", "censored"])))
def test_harm_is_that_of_a_walk_through_the_days(origin: str, death: str) -> None:
    frames, cut = drawn(len(origin + death)), 70
    harm = Harm.model_validate({"origin": origin, "death": death, "custody": "custody"})
    data = open_frames(frames, harm=harm.model_dump(), rules=SHORT)
    cohort = build(data.at(START + timedelta(days=cut)))
    events = set()
    for source in (None, *SOURCES):
        expected = walk(frames, harm, cut, source)
        assert rows_of(cohort, source) == expected, source
        events |= {event for *_, event in expected}
    assert events == ({0, 1, 2, 3} if death == "competing" else {0, 1, 2})
    assert list(cohort.causes_of("harm").values())[1:] == (
        ["death", "custody"] if death == "competing" else ["custody"]
    )
