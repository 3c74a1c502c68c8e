"""Models of a researcher's own, in the study's words: no term as a formula writes it, never the focus turned round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit import analyses
from evalkit.disclosure import Policy, make_safe
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.protocol import Study, load_study
from evalkit.report._model_words import _Factor, _Words, in_study_words
from evalkit.stats import cox, fine_gray
from evalkit.words import speaking, translated
from views.seen import sentences, table_of

STUDY = """
id: small
title: Small study
starts: 2021-11-18
arms: {column: pathway, focus: {value: non_mandated, label: Pilot}, comparison: {value: paip, label: "Programme: PAIP"}}
covariates:
- {name: age, label: Age at intake}
- {name: gender, label: Gender, kind: categorical}
tables: {participants: {path: people.csv}}
baselines: null
"""
GROUPS = ("Pilot", "Programme: PAIP")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    path = tmp_path_factory.mktemp("words") / "study.yaml"
    Path(path).write_text(STUDY, encoding="utf-8")
    return load_study(path)


def people(seed: int = 0, n: int = 600, harm: float = 1.0) -> pd.DataFrame:
    """Made-up people: the focus has `harm` times the hazard of the comparison."""
    rng = np.random.default_rng(seed)
    focus = rng.random(n) < 0.4
    time, end = rng.exponential(100, n) / np.where(focus, harm, 1.0), rng.uniform(50, 200, n)
    return pd.DataFrame(
        {
            "group": np.where(focus, *GROUPS),
            "pathway": np.where(focus, "non_mandated", "paip"),
            "focus": focus.astype(float),
            "age": rng.normal(40, 9, n).round(),
            "gender": rng.choice(["man", "woman"], n),
            "area_code": rng.choice(["a", "b", "c"], n),
            "time": np.ceil(np.minimum(time, end)),
            "event": (time <= end).astype(int),
        }
    )


def told(estimates: Estimates) -> str:
    return sentences(make_safe(estimates, Policy()), GROUPS)


@pytest.mark.parametrize(
    "model", ["group", "group + age", ["group", "age"], "pathway + gender", "C(group) + age", ["pathway"]]
)
@pytest.mark.parametrize(("harm", "said"), [(3.0, "higher"), (0.3, "lower")])
def test_the_focus_stands_against_the_comparison(study: Study, model: str | list[str], harm: float, said: str) -> None:
    data = people(harm=harm)
    found = in_study_words(cox(data, "time", "event", model), study)
    first = found.tidy().iloc[0]
    assert first["label"] == "Pilot (reference: Programme: PAIP)"
    assert (first["estimate"] > 0) == (harm > 1) and first["conf_low"] < first["estimate"] < first["conf_high"]
    assert first["hr_low"] < first["hazard_ratio"] < first["hr_high"]
    np.testing.assert_allclose(np.log(first["hr_low"]), first["conf_low"])
    text = told(found)
    assert f"Pilot (reference: Programme: PAIP): the rate of the event was {said}" in text
    rest = [name for name in ("age", "gender") if name in str(model)]
    plain = cox(data, "time", "event", ["focus", *rest]).tidy().iloc[0]
    for name in ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "hr_high"):
        np.testing.assert_allclose(first[name], plain[name], rtol=1e-6)


INTERACTIONS = {
    "group * age": "Pilot (reference: Programme: PAIP), at Age at intake = 0",
    "group * gender": "Pilot (reference: Programme: PAIP), at Gender = Man",
    "pathway * area_code": "Pilot (reference: Programme: PAIP), at Area code = A",
    "age * group": "Age at intake, at Group = Pilot",
    "C(gender) * age + group": "Gender: Woman (reference: Man), at Age at intake = 0",
    "focus * age": "Focus, at Age at intake = 0",
}


@pytest.mark.parametrize("formula", INTERACTIONS)
def test_an_effect_beside_an_interaction_says_where_it_holds(study: Study, formula: str) -> None:
    found = in_study_words(cox(people(1), "time", "event", formula), study)
    assert told(found).startswith(INTERACTIONS[formula] + ": ")


@pytest.mark.parametrize("formula", ["age:gender", "group:age", "gender:age"])
def test_an_interaction_alone_is_no_effect(study: Study, formula: str) -> None:
    text = told(in_study_words(cox(people(2), "time", "event", formula), study))
    assert "no clear difference" not in text


@pytest.mark.parametrize(
    "formula", ["group * age", "group * gender * age", "C(area_code) + np.log(age) + group", "area_code:group + age"]
)
def test_no_term_reaches_a_reader_as_a_formula_writes_it(study: Study, formula: str) -> None:
    found = in_study_words(cox(people(3), "time", "event", formula), study)
    safe = make_safe(found, Policy())
    for text in (sentences(safe, GROUPS), table_of(safe), found.estimand, *found.notes, *found.tidy()["label"]):
        assert "[" not in text and "T." not in text and "group" not in text and "area_code" not in text, text
    fit = cox(people(3), "time", "event", "C(group, Treatment('Pilot')) + age")
    note = f"Separation: '{fit.data['term'][0]}' tell"
    again = in_study_words(fit.about(notes=(note,)), study)
    assert again.notes == ("Separation: 'Pilot (reference: Programme: PAIP)' tell",)


def test_where_the_reference_is_not_known_no_effect_is_told(study: Study) -> None:
    fit = cox(people(4), "time", "event", "area_code * age")
    with pytest.raises(AnalysisError, match="interaction with 'area_code'"):
        in_study_words(fit.about(data=fit.tidy()), study)


def test_fine_and_gray_s_model_has_the_same_words(study: Study) -> None:
    found = in_study_words(fine_gray(people(5, harm=3.0), "time", "event", "group + age"), study).tidy()
    assert found["label"].tolist() == ["Pilot (reference: Programme: PAIP)", "Age at intake"]
    assert found["estimate"][0] > 0


def test_where_both_groups_have_their_own_term_neither_is_turned_round(study: Study) -> None:
    """Each stands against something else, not against the other."""
    fit = cox(people(6, harm=3.0), "time", "event", ["focus", "age"])
    rows = fit.tidy().assign(term=["group[Pilot]", "group[Programme: PAIP]"])
    found = in_study_words(fit.about(data=rows), study).tidy()
    assert found["label"].tolist() == list(GROUPS)
    assert found["estimate"].tolist() == rows["estimate"].tolist()


def test_odds_are_turned_round_as_hazards_are(study: Study) -> None:
    rows = pd.DataFrame({
        "term": ["group[T.Programme: PAIP]", "age"], "estimate": [-0.7, 0.1], "conf_low": [-1.2, -0.1], "conf_high": [-0.2, 0.3],
    })  # fmt: skip
    for name, of in (("odds_ratio", "estimate"), ("or_low", "conf_low"), ("or_high", "conf_high")):
        rows[name] = np.exp(rows[of])
    found = in_study_words(Estimates(rows, kind="logistic", estimand="odds"), study).tidy()
    wanted = {"estimate": [0.7, 0.1], "conf_low": [0.2, -0.1], "conf_high": [1.2, 0.3]}
    for (name, values), ratio in zip(wanted.items(), ("odds_ratio", "or_low", "or_high"), strict=True):
        np.testing.assert_allclose(found[name], values)
        np.testing.assert_allclose(found[ratio], np.exp(values))


def test_levels_that_also_are_others_than_the_groups_tell_no_groups_apart(study: Study) -> None:
    data = people(8).assign(way=lambda d: d["pathway"].where(d["age"] < 42, "walk_in"))
    found = in_study_words(cox(data, "time", "event", "way"), study).tidy()
    assert found["label"].tolist() == ["Way: Paip (reference: Non mandated)", "Way: Walk in (reference: Non mandated)"]


def test_a_reference_is_the_one_level_that_has_no_term(study: Study) -> None:
    levels = {"area": ["a", "b", "c"]}

    def reference(*used: str) -> str:
        return _Words(study, levels, [[_Factor("area", level)] for level in used]).reference("area")

    assert [reference("b", "c"), reference("a", "c"), reference("c"), reference("a", "b", "c")] == ["A", "B", "", ""]


def test_a_column_of_ones_own_for_the_groups_is_read_as_the_comparison_at_0(study: Study) -> None:
    """`group` as a number is 1 in the focus: at 0 stands the comparison."""
    said = _Words(study, {}, [[_Factor("age")], [_Factor("group")], [_Factor("age"), _Factor("group")]])
    assert said.label([_Factor("age")]) == "Age at intake, at Group = Programme: PAIP"
    assert said.label([_Factor("group")]) == "Pilot (reference: Programme: PAIP), at Age at intake = 0"
    named = study.model_copy(update={"harm": study.harm.model_copy(update={"model_arm": "treated"})})
    assert [_Words(one).is_arm("treated") for one in (named, study)] == [True, False]
    assert [_Words(study).is_arm(name) for name in ("group", "pathway", "age")] == [True, True, False]


def test_a_product_of_two_that_are_turned_round_keeps_its_sign(study: Study) -> None:
    """Minus one times minus one."""
    fit = cox(people(6, harm=3.0), "time", "event", ["focus", "age"])
    terms = ["group[T.Programme: PAIP]:pathway[T.paip]", "group[T.Programme: PAIP]:age"]
    rows = fit.tidy().assign(term=terms)
    found = in_study_words(fit.about(data=rows), study).tidy()
    np.testing.assert_allclose(found["estimate"], rows["estimate"] * [1, -1])
    np.testing.assert_allclose(found["conf_low"], [rows["conf_low"][0], -rows["conf_high"][1]])


def test_labels_that_are_there_stay(study: Study) -> None:
    fit = cox(people(6), "time", "event", "group")
    own = fit.about(data=fit.tidy().assign(label="As the researcher says"))
    assert in_study_words(own, study) is own


@pytest.mark.parametrize("formula", ["q", "q + age", ["q", "gender"]])
def test_an_infinite_ratio_is_no_sentence_about_no_difference(study: Study, formula: str | list[str]) -> None:
    data = people(7).assign(q=lambda d: ((d["event"] == 0) & (d["age"] > 38)).astype(float))
    text = told(in_study_words(cox(data, "time", "event", formula), study))
    assert "no finite hazard ratio" in text and "no clear difference" not in text


def test_a_question_of_ones_own_calls_characteristics_as_the_protocol_does() -> None:
    study = Study.model_validate(
        {
            "id": "s", "title": "S", "starts": "2022-01-01", "tables": {"participants": {"path": "p.csv"}},
            "arms": {"column": "pathway", "focus": {"value": "a", "label": "A"}, "comparison": {"value": "b", "label": "B"}},
            "covariates": [
                {"name": "employment", "label": "Employed at referral", "kind": "yes_no"},
                {"name": "age", "label": "Age (years)"},
            ],
        }
    )  # fmt: skip
    people = pd.DataFrame(
        {"participant_id": [f"p{k}" for k in range(80)], "stayed": [1, 0] * 40, "age": [30.0, 41, 52, 33] * 20}
    )
    people["employment"] = ["yes", "no", "no", "yes"] * 20
    people["employments"] = people["employment"]  # begins alike, and is another one
    exact = analyses.shares(people, ["employment", "employments"], "stayed")
    said = in_study_words(exact, study)
    names = ["Employed at referral: No", "Employed at referral: Yes", "Employments: No", "Employments: Yes"]
    assert said.data["label"].tolist() == names
    assert said.counts is not None
    assert said.counts.data["label"].tolist() == names  # which are asked again
    assert said.id == exact.id
    assert said.data["estimate"].tolist() == exact.data["estimate"].tolist()
    mean = in_study_words(analyses.means(people, "age", "employment"), study)
    assert mean.estimand == "mean: Age (years)"
    with speaking("es-US", {"Age (years)": "Edad (años)"}):
        assert translated(mean.estimand) == "media: Edad (años)"
