"""The protocol's files: what is read, and what is refused with file, key and a hint."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from evalkit.errors import ProtocolError
from evalkit.protocol import load_baselines, load_disclosure, load_report, load_study, write_schemas

ROOT = Path(__file__).resolve().parents[2]
PARAMS = ROOT / "params"


def write(folder: Path, change) -> Path:
    """Write the project's own study.yaml with a change."""
    content = yaml.safe_load((PARAMS / "study.yaml").read_text(encoding="utf-8"))
    change(content)
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def test_the_projects_own_files_are_read() -> None:
    study = load_study(PARAMS / "study.yaml")
    assert study.starts == date(2021, 11, 18)
    assert load_report(PARAMS / "quarterly.yaml").notebook == "quarterly.ipynb"
    assert load_report(PARAMS / "final.yaml").publication.toc
    assert load_disclosure(study).minimum_count == 11
    assert study.arms.focus.value == "non_mandated"


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("disengagement_gap_days", 30),
        ("dose_sessions", 24),
        ("dose_hours", 36),
        ("counting_kinds", {"group": "all", "individual": 4}),
        ("completion", "recorded"),
        ("landmark_day", 270),
        ("engaged.sessions", 4),
        ("engaged.days", 60),
        ("funnel.intake_days", 30),
        ("funnel.first_session_days", 60),
        ("funnel.half_dose_sessions", 12),
        ("funnel.half_dose_days", 120),
        ("funnel.completion_days", 270),
    ],
)
def test_defaults_are_the_studys_definitions(rule: str, value: object, tmp_path: Path) -> None:
    file = write(tmp_path, lambda c: c.pop("rules"))
    found: object = load_study(file).rules
    for part in rule.split("."):
        found = getattr(found, part)
    assert found == value


def test_comparison_defaults_are_the_studys_definitions(tmp_path: Path) -> None:
    comparison = load_study(write(tmp_path, lambda c: c.pop("comparison"))).comparison
    assert (comparison.max_smd, comparison.min_equipoise, comparison.min_effective_sample_size) == (0.1, 0.2, 30)
    assert (comparison.preference_low, comparison.preference_high, comparison.estimand) == (0.3, 0.7, "att")


def test_baselines_hold_the_published_values() -> None:
    found = {b.id: (b.value, b.n, b.unit) for b in load_baselines(load_study(PARAMS / "study.yaml")).baselines}
    assert found == {
        "cook_completion": (0.734, 899, "share"),
        "cook_dv_rearrest_completer": (0.15, None, "share"),
        "cook_dv_rearrest_dropout": (0.37, None, "share"),
        "cook_dv_rearrest_nij_completer": (0.143, None, "share"),
        "cook_dv_rearrest_nij_dropout": (0.346, None, "share"),
        "conventional_completion": (0.5, None, "share"),
        "sessions_attended_20": (11.3, 220, "sessions"),
        "paip_minimum_sessions": (24, None, "sessions"),
        "paip_minimum_hours": (36, None, "hours"),
    }
    for baseline in load_baselines(load_study(PARAMS / "study.yaml")).baselines:
        assert baseline.denominator
        assert baseline.citation


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(artms={}), ["unknown key 'artms'", "did you mean 'arms'?"]),
        (lambda c: c["rules"].update(engagd={}), ["unknown key 'rules.engagd'", "did you mean 'engaged'?"]),
        (lambda c: c["rules"]["funnel"].update(intake_day=3), ["'rules.funnel.intake_day'", "'intake_days'?"]),
        (lambda c: c["arms"]["focus"].update(label=3), ["key 'arms.focus.label'", "string"]),
        (lambda c: c["comparison"].update(estimand="atte"), ["'comparison.estimand'", "did you mean 'att'?"]),
        (lambda c: c.update(starts="soon"), ["key 'starts'", "date"]),
        (lambda c: c.pop("arms"), ["key 'arms' is missing"]),
        (lambda c: c["tables"].pop("participants"), ["tables.participants is required"]),
        (lambda c: c["tables"].update(sesions={}), ["tables", "did you mean 'sessions'?"]),
        (lambda c: c["arms"]["comparison"].update(value="non_mandated"), ["different values"]),
        (lambda c: c["rules"].update(dose_sessions=0), ["'rules.dose_sessions'", "greater than or equal to 1"]),
        (lambda c: c["rules"]["exits"].update(moved="lost"), ["'rules.exits.moved'"]),
        (lambda c: c["rules"]["funnel"].update(half_dose_sessions=24), ["below dose_sessions"]),
        (lambda c: c.update(fiscal_year_start_month=13), ["'fiscal_year_start_month'"]),
        (lambda c: c.update(id="Not A Slug/.."), ["key 'id'"]),
        (lambda c: c["covariates"].append(dict(c["covariates"][0])), ["a name stands twice"]),
    ],
)
def test_what_a_study_cannot_mean_is_refused(tmp_path: Path, change, words: list[str]) -> None:
    file = write(tmp_path, change)
    with pytest.raises(ProtocolError) as error:
        load_study(file)
    message = str(error.value)
    assert message.startswith(f"{file}: ")
    assert "\n" not in message
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "line 1"),
        ("a: 1\nb: 2\na: 3", "line 3: is not valid YAML (key 'a' stands twice)"),
        ("- 1", "must be a mapping"),
        ("!!python/object/apply:os.system ['true']", "is not valid YAML"),
    ],
)
def test_yaml_that_cannot_be_read(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"study\.yaml") as error:
        load_study(file)
    assert words in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"nowhere\.yaml: cannot be read"):
        load_study(tmp_path / "nowhere.yaml")


def test_committed_schemas_are_those_of_the_models(tmp_path: Path) -> None:
    for file in write_schemas(tmp_path):
        assert file.read_bytes() == (PARAMS / "schema" / file.name).read_bytes(), file.name


def test_every_key_is_explained_in_the_schemas(tmp_path: Path) -> None:
    def unexplained(node: object, where: str) -> list[str]:
        if not isinstance(node, dict):
            return []
        found = [
            f"{where}.{k}" for k, v in node.get("properties", {}).items() if not ({"description", "$ref"} & set(v))
        ]
        for name, part in node.get("$defs", {}).items():
            found += unexplained(part, name)
        return found

    for file in write_schemas(tmp_path):
        assert unexplained(json.loads(file.read_text()), file.stem) == []
