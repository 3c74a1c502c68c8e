"""One's own questions of people: right values, the same noise as everywhere, and few people never shown."""

from __future__ import annotations

import functools
import shutil
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evalkit import analyses, cohort, intake
from evalkit.analyses._own_models import _columns
from evalkit.disclosure import Policy, make_safe
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.glossary import NOT_RECORDED
from evalkit.protocol import load_study
from evalkit.report._model_words import in_study_words
from evalkit.simulate import simulate
from evalkit.stats.design import Design
from golden.cases import known
from golden.cases import with_harms as harms

POLICY = Policy(secret=bytes(range(32)))
PARAMS = Path(__file__).parents[2] / "params"


@functools.cache
def large() -> cohort.Cohort:
    """A study of 300 and 500 people, in which models may be shown."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        simulate("benefit", seed=4, n_focus=300, n_comparison=500).write(place / "data" / "demo")
        (place / "params").mkdir()
        for file in PARAMS.glob("*.yaml"):
            shutil.copy(file, place / "params")
        found = cohort.build(intake.open_data(load_study(place / "params" / "study.yaml")).at(date(2023, 12, 31)))
        found.retention(), found.sessions(), analyses.steps(found)  # read while the tables are there
        return found


def people(n: int = 60) -> pd.DataFrame:
    rows = pd.DataFrame({"participant_id": [f"p{i}" for i in range(n)], "episode": 1})
    return rows.assign(
        group=["Pilot", "PAIP"] * (n // 2),
        site=["North"] * 20 + ["South"] * 15 + [None] * (n - 35),
        stayed=[True] * 24 + [False] * (n - 24),
        visits=[float(i % 7) for i in range(n)],
    )


# -- right values -----------------------------------------------------------------------------------------------------


def test_shares_by_level_and_arm() -> None:
    rows = analyses.shares(people(), ["group", "site"], "stayed").tidy()
    found = [tuple(row) for row in rows[["group", "label", "n_event", "n"]].itertuples(index=False)]
    assert found == [
        ("PAIP", "North", 10, 10), ("Pilot", "North", 10, 10), ("PAIP", "South", 2, 7), ("Pilot", "South", 2, 8),
        ("PAIP", "not recorded", 0, 13), ("Pilot", "not recorded", 0, 12),
    ]  # fmt: skip
    assert list(rows["estimate"]) == list(rows["n_event"] / rows["n"])
    assert set(rows["variable"]) == {"Site"}


def test_shares_of_levels_add_up_to_everybody_with_one() -> None:
    found = analyses.shares(people(), None, "site")
    rows = found.tidy()
    assert list(rows["label"]) == ["North", "South"]
    assert list(rows["n_event"]) == [20, 15]
    assert list(rows["n"]) == [35, 35]  # the others have no value, and the note says so
    assert found.notes == ("People without a value are left out.",)


@pytest.mark.parametrize("values", [[1, 0], [1.0, 0.0], [True, False]])
def test_what_holds_or_not_is_one_line_whatever_its_type(values: list[object]) -> None:
    frame = people().head(4).assign(had=[values[0], values[1], values[0], values[0]])
    rows = analyses.shares(frame, None, "had", label="Had it").tidy()
    assert rows[["label", "n_event", "n"]].to_numpy().tolist() == [["Had it", 3, 4]]


def test_lines_of_yes_and_no_say_of_what_and_classes_keep_their_order() -> None:
    classes = pd.Categorical(["low", "high"] * 30, categories=["low", "high", "nobody"], ordered=True)
    rows = analyses.shares(people().assign(work=[0, 1] * 30, size=classes), ["work", "size"], "stayed").tidy()
    assert list(rows["label"]) == ["Work: No", "Work: Yes", "Size: Low", "Size: High"]


def test_means_by_arm() -> None:
    frame = people()
    rows = analyses.means(frame, "visits", "group").tidy().set_index("group")
    for group, own in frame.groupby("group")["visits"]:
        assert rows.loc[group, "estimate"] == pytest.approx(own.mean())
        assert rows.loc[group, "std_error"] == pytest.approx(own.std() / np.sqrt(len(own)))


@pytest.mark.parametrize("values", [[3, 8], [0, 1], [False, True]])
def test_the_mean_of_two_values_is_a_mean(values: list) -> None:
    frame = people().assign(had=values * 15 + values[:1] * 30)
    rows = analyses.means(frame, "had", "site").tidy().set_index("label")
    parts = {"North": slice(20), "South": slice(20, 35), NOT_RECORDED: slice(35, None)}
    for label, part in parts.items():
        said, own = rows.loc[label], frame["had"].iloc[part].astype(float)
        assert said["estimate"] == pytest.approx(own.mean())
        assert said["std_dev"] == pytest.approx(own.std())
        half = stats.t.ppf(0.975, len(own) - 1) * own.std() / np.sqrt(len(own))
        assert [said["conf_low"], said["conf_high"]] == pytest.approx([own.mean() - half, own.mean() + half])


def test_rates_are_events_over_time_and_know_who_had_several() -> None:
    frame = people().assign(days=365.25, calls=[3] * 10 + [0] * 50)
    once = people().assign(days=365.25, calls=[1] * 30 + [0] * 30)
    several, single = (analyses.rates(f, "calls", "days").tidy().iloc[0] for f in (frame, once))
    assert several["estimate"] == single["estimate"] == pytest.approx(50.0)
    assert several["std_error"] > 1.9 * single["std_error"]  # thirty events of ten people are no thirty people's
    none = analyses.rates(people().assign(days=10, calls=0), "calls", "days").tidy().iloc[0]
    assert none["estimate"] == 0
    assert np.isnan(none["conf_low"])


def test_a_rate_is_per_as_many_years_as_asked() -> None:
    frame = people().assign(days=[100.0, 300.0] * 30, calls=[1, 0, 0, 2] * 15)
    one, ten = (analyses.rates(frame, "calls", "days", years=years).tidy() for years in (1, 10))
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        np.testing.assert_allclose(ten[name], 10 * one[name])


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda f: analyses.shares(f.drop(columns="participant_id"), None, "stayed"), "shares: column 'participant_id' is not in the frame"),
        (lambda f: analyses.shares(f, None, "staid"), "column 'staid' is not in the frame; did you mean 'stayed'"),
        (lambda f: analyses.shares(f, "sight", "stayed"), "shares: column 'sight' is not in the frame; did you mean 'site'"),
        (lambda f: analyses.means(pd.concat([f, f.head(1)]), "visits"), "means: the frame has several rows of one person"),
        (lambda f: analyses.shares(f, "participant_id", "stayed"), "the levels of column 'participant_id' would name people"),
        (lambda f: analyses.shares(f.head(5), "participant_id", "stayed"), "the levels of column 'participant_id' would name people"),
        (lambda f: analyses.shares(f.assign(day=pd.Timestamp("2023-01-01")), "day", "stayed"), "the levels of column 'day' would name people"),
        (lambda f: analyses.shares(f.assign(code=range(60)), "code", "stayed"), "column 'code' has more than 30 levels"),
        (lambda f: analyses.means(f, "site"), "means: column 'site' must hold finite numbers"),
        (lambda f: analyses.means(f.assign(visits=np.inf), "visits"), "means: column 'visits' must hold finite numbers"),
        (lambda f: analyses.rates(f.assign(t=10, x=0.5), "x", "t"), "rates: column 'x' must hold whole numbers of events"),
        (lambda f: analyses.rates(f.assign(t=10, x=-1), "x", "t"), "rates: column 'x' must hold whole numbers of events"),
        (lambda f: analyses.rates(f.assign(t=0, x=1), "x", "t"), "rates: column 't' must hold days"),
        (lambda f: analyses.shares(f.assign(participant_id=None), None, "stayed"), "column 'participant_id' has missing values"),
    ],
)  # fmt: skip
def test_what_cannot_be_counted_is_refused(ask, said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        ask(people())


def test_several_referrals_of_one_person_are_several_rows() -> None:
    frame = people().head(4).assign(participant_id=["a", "a", "b", "c"], episode=[1, 2, 1, 1])
    assert analyses.shares(frame, None, "stayed").tidy()["n"].tolist() == [4]


# -- disclosure -------------------------------------------------------------------------------------------------------


def shown(found: Estimates) -> pd.DataFrame:
    return make_safe(found, POLICY).estimates.tidy()


def test_the_same_people_have_the_same_number_as_in_the_studys_own_analyses() -> None:
    people_ = analyses.steps(large())
    able = people_[people_["can_engaged"].to_numpy(dtype=bool)]
    own = shown(analyses.shares(able, "group", "did_engaged")).set_index("group")
    funnel = shown(analyses.funnel(large()))
    funnel = funnel[funnel["term"] == "engaged"].set_index("group")
    for group in large().groups:
        assert own.loc[group, ["n", "n_event"]].tolist() == funnel.loc[group, ["n", "n_event"]].tolist()
    means = shown(analyses.means(able, "n_attended", "group")).set_index("group")
    assert means["n"].to_dict() == own["n"].to_dict()


def test_small_groups_and_small_counts_do_not_leave() -> None:
    frame = people(200).assign(
        stayed=[True] * 96 + [False] * 104, site=["North"] * 100 + ["South"] * 90 + ["East"] * 10
    )
    rows = shown(analyses.shares(frame, "site", "stayed")).set_index("label")
    assert rows.loc["East", ["n", "n_event", "estimate"]].isna().all()  # ten people
    assert rows.loc["North", ["n", "n_event"]].isna().all()  # four without it
    assert rows.loc["South", "n_event"] == 0  # nobody: may be said
    assert rows.loc["South", "n"] != pytest.approx(0)
    means = shown(analyses.means(frame, "visits", "site")).set_index("label")
    assert np.isnan(means.loc["East", "estimate"])
    few = frame.assign(calls=[1] * 8 + [0] * 192, days=100.0)
    safe = make_safe(analyses.rates(few, "calls", "days"), POLICY)
    assert safe.verdict == "withheld" or safe.estimates.tidy()["estimate"].isna().all()


def test_the_mean_of_two_values_says_no_more_than_their_share() -> None:
    frame = people(300).assign(site=["North"] * 100 + ["South"] * 90 + ["East"] * 10 + ["West"] * 100)
    frame = frame.assign(had=[8] * 96 + [3] * 4 + [3] * 90 + [8] * 10 + [3, 8] * 50)
    means = shown(analyses.means(frame, "had", "site")).set_index("label")
    shares = shown(analyses.shares(frame.assign(had=frame["had"] == 8), "site", "had")).set_index("label")
    assert means.loc[["North", "East"], "estimate"].isna().all()  # four have the other value; ten people
    assert means["n"].to_dict() == pytest.approx(shares["n"].to_dict(), nan_ok=True)
    west = shares.loc["West", "n_event"] / shares.loc["West", "n"]
    assert means.loc["West", "estimate"] == pytest.approx(3 + 5 * west, abs=0.06)
    assert means.loc["West", "conf_low"] < 5.5 < means.loc["West", "conf_high"]


def test_one_persons_large_value_does_not_leave() -> None:
    frame = people().assign(visits=[1000.0] + [1.0, 2.0] * 29 + [1.0])
    assert make_safe(analyses.means(frame, "visits"), POLICY).verdict == "withheld"


def test_subtracting_two_tables_does_not_give_a_person_away() -> None:
    """Without the person, and with: the difference of the published counts is hardly ever what the person is."""
    frame, right = people(400).assign(stayed=[True, False] * 200), 0
    for i in range(0, 60, 2):
        both = [frame, frame.drop(index=i)]
        one, other = (int(shown(analyses.shares(f, None, "stayed"))["n_event"].iloc[0]) for f in both)
        right += one - other == 1
    assert right < 15  # of 30; always, if counts were exact


def test_an_average_over_many_tables_does_not_take_the_noise_off() -> None:
    frame = people(400).assign(stayed=[True, False] * 200)
    asked = [frame.assign(**{f"c{k}": frame["stayed"]}) for k in range(20)]
    numbers = {int(shown(analyses.shares(f, None, f"c{k}", label=f"Other words {k}"))["n_event"].iloc[0]) for k, f in enumerate(asked)}  # fmt: skip
    assert len(numbers) == 1


# -- models -----------------------------------------------------------------------------------------------------------


def labels(found: Estimates) -> list[str]:
    return list(in_study_words(found, known().study).tidy()["label"])


def test_terms_have_the_protocols_labels_and_interactions_are_said() -> None:
    focus, other = known().groups
    assert labels(analyses.cox(known(), "retention ~ group * age", smallest=1)) == [
        f"{focus} (reference: {other}), at Age (years) = 0",
        f"Age (years), at Group = {other}",
        f"{focus} (reference: {other}) × Age (years)",
    ]
    assert labels(analyses.logistic(known(), "engaged ~ group + employment", smallest=1)) == [
        f"{focus} (reference: {other})",
        "Employed",
    ]


def test_a_model_is_that_of_the_scale_with_other_ends_censored() -> None:
    from evalkit.stats import cox, logistic

    rows = known().retention().dropna(subset=["age"])
    rows = rows.assign(left=rows["event"].eq(1), focus=rows["group"].eq(known().groups[0]).astype(float))
    found = analyses.cox(known(), "retention ~ group + age").tidy()
    same = cox(rows, "time", "left", ["focus", "age"]).tidy()
    np.testing.assert_allclose(found["estimate"], same["estimate"], rtol=1e-9)
    steps = analyses.steps(known()).dropna(subset=["age"])
    able = steps[steps["can_engaged"].to_numpy(dtype=bool)]
    able = able.assign(had=able["did_engaged"].astype(int), focus=able["group"].eq(known().groups[0]).astype(float))
    found = analyses.logistic(known(), "engaged ~ group + age").tidy()
    np.testing.assert_allclose(found["estimate"], logistic(able, "had", ["focus", "age"]).tidy()["estimate"], rtol=1e-9)


def test_the_same_share_of_others_is_another_question() -> None:
    people = pd.DataFrame({"participant_id": list("abcdef"), "sex": list("wwwmmm"), "had": [1, 0, 1] * 2, "days": 9.0})
    women, men = people[people["sex"] == "w"], people[people["sex"] == "m"]
    for ask in (
        lambda frame, whom: analyses.shares(frame, None, "had", population=whom),
        lambda frame, whom: analyses.means(frame.assign(n=[1, 5, 7]), "n", population=whom),
        lambda frame, whom: analyses.rates(frame, "had", "days", population=whom),
    ):
        assert ask(women, "women").id != ask(men, "men").id
        assert ask(women, "women").id == ask(women, "women").id


def test_spaces_ask_no_other_question_and_other_terms_do() -> None:
    one, same, other = (
        analyses.cox(known(), f).id for f in ("retention ~ group+age", "retention~group + age", "retention ~ group")
    )
    assert one == same
    assert one != other


@pytest.mark.parametrize(
    ("model", "formula", "said"),
    [
        (analyses.cox, "retntion ~ group", "left side one of initiation, retention, harm; did you mean 'retention'"),
        (analyses.cox, "group + age", "a formula is 'left ~ terms'"),
        (analyses.cox, "retention ~ agee", "'agee' is none of group, .*did you mean 'age'"),
        (analyses.cox, "retention ~ participant_id", "'participant_id' is none of"),
        (analyses.cox, "retention ~ event", "'event' is none of"),
        (analyses.logistic, "stayed ~ group", "left side one of intake, first_session, engaged"),
        (analyses.logistic, "engaged ~ group +* age", "formula 'group \\+\\* age' cannot be read"),
    ],
)  # fmt: skip
def test_a_formula_that_asks_for_what_there_is_not(model, formula: str, said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        model(known(), formula)


def test_a_term_that_hangs_on_one_person_is_refused() -> None:
    one = np.array([[0.0]] * 40 + [[1.0]] * 10 + [[100.0]])
    design = Design(one, ("I(x ** 9)",), (("I(x ** 9)", (0,)),))
    with pytest.raises(AnalysisError, match=r"the term 'I\(x \*\* 9\)' hangs on one person"):
        list(_columns(design))
    even = Design(one[:50], design.terms, design.parts)
    assert [(term, int(rows.sum())) for term, rows in _columns(even)] == [
        ("I(x ** 9)[other]", 10),
        ("I(x ** 9)[usual]", 40),
    ]


@pytest.mark.parametrize("split", ["I(age > {age})", "I(1 * (age > {age}))", "group:I(1 * (age > {age}))"])
def test_a_formula_that_singles_few_out_is_withheld(split: str) -> None:
    """Of people older than this there are three to ten: no coefficient speaks of them, however they are asked for."""
    steps = analyses.steps(large())
    ages = steps.loc[steps["can_engaged"].to_numpy(dtype=bool), "age"].dropna().sort_values()
    found = analyses.logistic(large(), f"engaged ~ group + {split.format(age=int(ages.iloc[-9]))}")
    assert make_safe(found, POLICY).verdict == "withheld"
    assert make_safe(analyses.logistic(large(), "engaged ~ group + age"), POLICY).verdict == "released"


def test_a_shown_model_says_published_numbers_and_no_digits_beyond_print() -> None:
    found = analyses.logistic(large(), "engaged ~ group + age")
    safe = make_safe(found, POLICY)
    for name in ("estimate", "std_error", "odds_ratio", "or_low", "or_high"):
        value = safe.estimates.tidy()[name]
        np.testing.assert_allclose(value, value.round(3), atol=1e-9)
    assert (
        safe.estimates.tidy()["std_error"].round(3) != found.tidy()["std_error"].round(3)
    ).any()  # of published events
    assert found.summary["n"] == int(found.counts.data.loc[found.counts.data["term"] == "model", "n"].sum())


def test_people_of_the_recurrent_scale_have_rates() -> None:
    found = analyses.rates(harms(), "harms", "days", "group")
    assert list(found.tidy()["group"]) == sorted(known().groups)
    assert found.estimand == "Harms, per 100 years of observation"


def test_a_glance_says_of_how_many_in_how_many_groups_and_none_of_it_is_published() -> None:
    people = pd.DataFrame(
        {
            "participant_id": [f"p{k}" for k in range(60)],
            "site": ["x", "y"] * 30,
            "stayed": [1.0, 0.0, 1.0] * 19 + [None] * 3,
            "kind": ["a", "b", "c"] * 20,
            "calls": [k % 4 for k in range(60)],
            "days": [100.0] * 60,
        }
    )
    asked = {
        analyses.shares(people, "site", "stayed"): {"n": 57, "n_event": 38, "n_missing": 3, "n_group": 2},
        analyses.shares(people, "site", "kind"): {"n": 60, "n_missing": 0, "n_group": 2},
        analyses.means(people, "calls"): {"n": 60, "n_missing": 0, "n_group": 1},
        analyses.rates(people, "calls", "days", by="site"): {"n": 60, "n_event": 90, "n_missing": 0, "n_group": 2},
    }
    for found, facts in asked.items():
        assert found.glance().drop(columns=["kind", "estimand", "population"], errors="ignore").to_dict("records") == [
            facts
        ]
        assert dict(make_safe(found, Policy()).estimates.summary) == {}
