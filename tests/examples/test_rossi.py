"""The released-prisoners study opens like any other and gives the published coefficients."""

import hashlib
from datetime import date

import pytest
from lifelines import CoxPHFitter

from evalkit import cohort, intake
from evalkit.examples import write_rossi
from evalkit.protocol import load_disclosure, load_study

# R 4.2, survival 3.4: coxph(Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio, rossi),
# as printed in Fox (2002), table 1.
PUBLISHED = {
    "fin": -0.37942,
    "age": -0.05744,
    "race": 0.31390,
    "wexp": -0.14980,
    "mar": -0.43370,
    "paro": -0.08487,
    "prio": 0.09150,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return load_study(write_rossi(tmp_path_factory.mktemp("rossi")))


def test_writes_the_same_bytes_and_says_that_dates_are_nominal(tmp_path):
    write_rossi(tmp_path / "a")
    write_rossi(tmp_path / "b")
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == ["README.md", "disclosure.yaml", "outcomes.csv", "participants.csv", "study.yaml"]
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)
    assert "Dates are nominal" in (tmp_path / "a" / "README.md").read_text()


def test_writes_these_tables_into_a_folder_that_it_makes(tmp_path):
    folder = tmp_path / "not" / "yet"
    assert write_rossi(folder) == folder / "study.yaml"
    digests = {
        n: hashlib.sha256((folder / f"{n}.csv").read_bytes()).hexdigest()[:12] for n in ("participants", "outcomes")
    }
    assert digests == {"participants": "60a46d013056", "outcomes": "8d0a95d7df37"}
    people, outcomes = ((folder / f"{n}.csv").read_text().splitlines() for n in ("participants", "outcomes"))
    assert people[:2] == [
        "participant_id,fin,referral_date,intake_date,age,race,wexp,mar,paro,prio,outcome_follow_up_end",
        "R001,0,1972-01-02,1972-01-02,27,1,0,0,1,3,1972-12-31",
    ]
    assert outcomes[1] == 'R001,1972-05-21,arrest,"Rossi, Berk and Lenihan (1980)"'
    assert (len(people), len(outcomes)) == (433, 115)


def test_its_own_words_are_there_in_spanish(study):
    own = study.translations["es"]
    arms = [text for arm in (study.arms.focus, study.arms.comparison) for text in (arm.label, arm.label_in)]
    texts = [study.title, study.subtitle, study.organisation, study.harm.label, *arms]
    reasons = [text for one in load_disclosure(study).overrides for text in (one.by, one.reason)]
    assert [text for text in [*texts, *(c.label for c in study.covariates), *reasons] if text not in own] == []


def test_no_problem_is_found(study):
    assert intake.validate(study).ok


def test_harm_scale_gives_the_published_cox_model(study):
    known = cohort.build(intake.open_data(study).at(date(1972, 12, 31)))
    harm = known.harm()
    assert (len(harm), int(harm["event"].sum()), int(harm["time"].max())) == (432, 114, 364)
    assert not known.synthetic
    assert not known.has("sessions")
    model = harm[["time", "event", "fin", *known.covariates]].astype({"fin": float})
    fitted = CoxPHFitter().fit(model, "time", "event").params_
    for name, value in PUBLISHED.items():
        assert fitted[name] == pytest.approx(value, abs=6e-5), name
