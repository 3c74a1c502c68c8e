"""What a protocol means that says only what it must: every field of it, by the study's definitions and the manual."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.protocol import Disclosure, ReportParams, Study
from evalkit.protocol import _private as private
from evalkit.protocol._report import Baseline

LEAST = {
    "id": "tiny", "title": "T", "starts": "2021-11-18", "tables": {"participants": {"path": "p.csv"}},
    "arms": {"focus": {"value": "a", "label": "A"}, "comparison": {"value": "b", "label": "B"}},
    "covariates": [{"name": "age", "label": "Age"}],
}  # fmt: skip

RULES = {
    "disengagement_gap_days": 30, "dose_sessions": 24, "dose_hours": 36, "counting_kinds": {"group": "all", "individual": 4},
    "session_kinds": ["group", "individual", "case_management"], "shortest_usual_hours": 0.1, "longest_usual_hours": 4,
    "engaged": {"sessions": 4, "days": 60}, "landmark_day": 270, "episodes": "first",
    "completion": "recorded", "closures": [], "cancelled_pauses": False,
    "funnel": {"intake_days": 30, "first_session_days": 60, "half_dose_sessions": 12, "half_dose_days": 120, "completion_days": 270},
    "exits": {"completed": "completion", "dropped_out": "disengagement", "terminated": "disengagement", "transferred": "censored",
              "moved": "censored", "deceased": "censored", "administrative": "censored"},
}  # fmt: skip
EMPTY = {"en": "", "es": ""}
PROGRAMME = dict.fromkeys(
    ("name", "why", "materials", "procedures", "provider", "how", "where", "dose", "tailoring", "modifications",
     "fidelity_planned", "fidelity_found"), EMPTY,
)  # fmt: skip
RE_AIM = dict.fromkeys(("reach", "effectiveness", "adoption", "implementation", "maintenance"), EMPTY)
USUAL = {
    "citation": {"authors": [], "licence": None, "version": "", "url": None},
    "subtitle": "", "organisation": "", "locale": "en-US", "translations": {}, "synthetic": False, "time_zone": "America/Chicago",
    "fiscal_year_start_month": 1, "sites": None, "community_areas": None, "community_area_tiles": {}, "referral_sources": None,
    "database": None, "ignore": {}, "excuses": [], "deviations": [], "targets": [], "programme": PROGRAMME,
    "re_aim": RE_AIM, "fall_of_rows": "warning", "rules": RULES, "baselines": "baselines.yaml",
    "disclosure": None, "private": None, "notify": None, "seed": 20211118,
    "harm": {"kinds": ["dv_arrest"], "known_kinds": ["dv_arrest", "any_arrest", "order_violation", "survivor_reported_harm"],
             "sources": None, "label": "domestic-violence re-arrest", "helpline": "", "model_arm": "", "horizons": [182, 365], "recurrent": True,
             "origin": "referral", "death": "competing", "custody": None},
    "comparison": {"estimand": "att", "assignment": "mandate", "max_smd": 0.1, "min_equipoise": 0.2, "preference_low": 0.3,
                   "preference_high": 0.7, "min_effective_sample_size": 30, "max_e_value_note": 1.5},
}  # fmt: skip
TABLE = {
    "path": "p.csv", "sheet": None, "table": None, "columns": {}, "values": {}, "date_format": None, "date_formats": {}, "encoding": "utf-8",
    "delimiter": None, "skip_rows": 0, "skip_footer": 0, "freshness_days": None,
}  # fmt: skip


def test_a_study_that_says_no_more_than_it_must() -> None:
    made = Study.model_validate(LEAST).model_dump()
    given = {name: made.pop(name) for name in LEAST}
    assert made == USUAL
    assert given["arms"]["column"] == "pathway" and given["arms"]["focus"]["definition"] == ""
    assert given["tables"] == {"participants": TABLE}
    assert given["covariates"] == [
        {
            "name": "age",
            "label": "Age",
            "meaning": "",
            "kind": "numeric",
            "levels": None,
            "minimum": None,
            "maximum": None,
        }
    ]
    assert Study.model_validate(LEAST).path == Path("study.yaml") and Study.model_validate(LEAST).folder == Path()
    moved = Study.model_validate(LEAST).with_path(Path("/a/b/c.yaml"))
    assert (moved.path, moved.folder) == (Path("/a/b/c.yaml"), Path("/a/b"))


def test_without_exits_completing_is_the_dose() -> None:
    tables = {"participants": {"path": "p.csv"}, "sessions": {"path": "s.csv"}}
    assert Study.model_validate({**LEAST, "tables": tables}).rules.completion == "dose"
    exits = {**tables, "exits": {"path": "e.csv"}}
    assert Study.model_validate({**LEAST, "tables": exits}).rules.completion == "recorded"


@pytest.mark.parametrize(
    ("tables", "of_participants", "due"),
    [
        ({"participants": {"path": "p.csv"}}, 92, 31),
        ({"participants": {"path": "p.csv", "freshness_days": 300}, "outcomes": {"path": "o.csv"}}, 300, 31),
        ({"participants": {"path": "p.csv"}, "outcomes": {"path": "o.csv", "freshness_days": 60}, "searches": {"path": "s.csv", "freshness_days": 0}}, 92, 60),
    ],
)  # fmt: skip
def test_a_report_is_due_when_the_slowest_table_has_come_of_which_rows_come_all_the_time(
    tables: dict[str, dict[str, object]], of_participants: int, due: int
) -> None:
    made = Study.model_validate({**LEAST, "tables": tables})
    assert (made.freshness_of("participants"), made.days_until_due) == (of_participants, due)


def test_a_part_of_the_people_limits_both_groups_whatever_a_group_asked_for() -> None:
    arms = {
        "focus": {"value": "a", "label": "A"},
        "comparison": {"value": "b", "label": "B", "where": {"site": "North"}},
    }
    made = Study.model_validate({**LEAST, "arms": arms}).arms
    part = made.limited({"site": "South"})
    assert [arm.conditions for arm in (part.focus, part.comparison)] == [{"site": ("South",)}] * 2
    assert (made.limits, part.limits) == (frozenset(), {"site"})


def test_a_policy_that_says_nothing() -> None:
    assert Disclosure().model_dump() == {
        "minimum_count": 11, "noise_variance": 2.0, "noise_most": 5, "round_for_display": 1, "minimum_at_risk": 11,
        "dominance": 0.5, "minimum_subgroup": 11,
        "minimum_level": 11, "zero": "published", "landmarks": [30, 60, 90, 182, 365, 730], "identifying": [], "approval": "none",
        "approvers": [], "may_override": [], "overrides": [],
    }  # fmt: skip


def test_a_report_and_a_baseline_that_say_no_more_than_they_must() -> None:
    needed = {name: "x" for name, field in ReportParams.model_fields.items() if field.is_required()}
    made = ReportParams.model_validate(needed).model_dump()
    assert {name: value for name, value in made.items() if name not in needed} == {
        "period": "newest", "timeout_minutes": 20, "memory_gb": 8, "output_mb": 100, "parameters": {},
        "publication": {"to": ["pdf", "html"], "publisher": "auto", "pdf_standard": "ua-1", "toc": False},
    }  # fmt: skip
    fields = {name: field.default for name, field in Baseline.model_fields.items() if not field.is_required()}
    assert fields == {"label": "", "n": None, "approximate": False}


def test_what_a_protocol_holds_stays_as_it_is_and_is_a_number() -> None:
    made = Study.model_validate(LEAST)
    with pytest.raises(ValueError, match="frozen"):
        made.title = "U"
    for bad in (float("inf"), float("nan")):
        with pytest.raises(ValueError, match="finite number"):
            Study.model_validate({**LEAST, "rules": {"dose_hours": bad}})
        with pytest.raises(ValueError, match="finite number"):
            Study.model_validate({**LEAST, "comparison": {"max_smd": bad}})
    with pytest.raises(ValueError, match="dose_hour"):
        Study.model_validate({**LEAST, "rules": {"dose_hour": 1}})


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("no list of open files here")
    before = len(list(folder.iterdir()))
    for number in range(5):
        private.write_private(tmp_path / "f", str(number).encode())
    assert len(list(folder.iterdir())) == before and (tmp_path / "f").read_bytes() == b"4"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
