"""The disclosure policy's file: exceptions have an author who may make them and a reason, and are in force."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from evalkit.counts import Tally
from evalkit.disclosure import Policy, cells_of, make_safe, safe_counts
from evalkit.errors import ProtocolError
from evalkit.protocol import Disclosure, load_baselines, load_disclosure, load_study
from evalkit.stats import Proportion
from evalkit.views import definitions

ROOT = Path(__file__).resolve().parents[2]
SECRET = bytes(range(32))


def study_with(tmp_path: Path, policy: str):
    text = (ROOT / "params" / "study.yaml").read_text(encoding="utf-8")
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "baselines.yaml").write_bytes((ROOT / "params" / "baselines.yaml").read_bytes())
    (tmp_path / "disclosure.yaml").write_text(policy, encoding="utf-8")
    return load_study(tmp_path / "study.yaml")


EXCEPTION = """
minimum_count: 11
may_override: [Data board]
overrides:
  - {rule: minimum_count, value: 20, by: Data board, reason: The provider asked for a wider margin.}
"""


def test_an_exception_is_in_force_and_is_said(tmp_path: Path) -> None:
    study = study_with(tmp_path, EXCEPTION)
    rules = load_disclosure(study)
    assert rules.minimum_count == 20
    assert Policy.of(rules, SECRET).hides(19)
    said = definitions(study, rules, frozenset({"sessions"}))
    assert "Minimum count is 20: The provider asked for a wider margin (decided by Data board)." in said


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("may_override: [Data board]", "may_override: []", "not among may_override"),
        ("reason: The provider asked for a wider margin.", "reason: because", "reason"),
        ("value: 20", "value: 0", "minimum_count"),
        ("rule: minimum_count", "rule: minimum_cout", "rule"),
    ],
)
def test_an_exception_without_author_reason_or_sense_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(ProtocolError, match=message):
        load_disclosure(study_with(tmp_path, EXCEPTION.replace(old, new)))


def test_a_small_subgroup_is_not_shown_though_its_counts_might_be() -> None:
    rows = {"group": "a", "term": ["x", "y"], "variable": "site", "n_event": [0, 0], "n": [15, 40]}
    tally = Tally(pd.DataFrame(rows))
    assert len(safe_counts(tally, Policy())[0].data) == 2
    assert safe_counts(tally, Policy(minimum_subgroup=20))[0].data["term"].tolist() == ["y"]


@pytest.mark.parametrize("rule", ["rounding_base: 5", "ambiguity: 3"])
def test_a_rule_of_rounding_says_what_became_of_it(tmp_path: Path, rule: str) -> None:
    with pytest.raises(ProtocolError, match=f"{rule.partition(':')[0]}: published counts carry keyed noise now"):
        load_disclosure(study_with(tmp_path, f"{rule}\n"))


@pytest.mark.parametrize(
    "rule",
    ["noise_variance: 6", "noise_variance: -1", "noise_most: 0", "round_for_display: 0", "round_for_display: 51"],
)
def test_noise_within_its_limits(tmp_path: Path, rule: str) -> None:
    with pytest.raises(ProtocolError, match=rule.partition(":")[0]):
        load_disclosure(study_with(tmp_path, f"{rule}\n"))


@pytest.mark.parametrize("key", ["disclosure", "baselines"])
@pytest.mark.parametrize("link", [True, False])
def test_the_studys_rules_lie_beside_its_protocol(tmp_path: Path, key: str, link: bool) -> None:
    (tmp_path / "study").mkdir()
    study = study_with(tmp_path / "study", "minimum_count: 11\n")
    name = f"{key}.yaml"
    (tmp_path / name).write_text("minimum_count: 11\n" if key == "disclosure" else "baselines: []\n", encoding="utf-8")
    if link:
        (tmp_path / "study" / "linked.yaml").symlink_to(tmp_path / name)
    named = "linked.yaml" if link else f"../{name}"
    changed = study.model_copy(update={key: named}).with_path(study.path)
    with pytest.raises(ProtocolError) as refused:
        (load_disclosure if key == "disclosure" else load_baselines)(changed)
    outside = f"{named} lies outside the protocol's folder; a study's rules stand beside its protocol"
    assert str(refused.value) == f"{study.path}: {outside}"


def test_a_policy_may_withhold_nobody_and_everybody(tmp_path: Path) -> None:
    policy = Policy.of(load_disclosure(study_with(tmp_path, "zero: withheld\n")), SECRET)
    rows = pd.DataFrame({"group": "a", "term": list("xyz"), "n_event": [0, 20, 15], "n": [30, 20, 40]})
    assert safe_counts(Tally(rows), policy)[0].data["term"].tolist() == ["z"]
    assert safe_counts(Tally(rows), Policy())[0].data["term"].tolist() == ["x", "y", "z"]
    exact = Proportion().estimate(Tally(rows))
    hidden = [c for c in cells_of(exact, make_safe(exact, policy)) if not c.shown]
    assert sorted(c.count for c in hidden) == [0, 0, 20, 20, 30]  # 0 of 30, 20 of 20 and the nobody that is left


LAXER = {
    "minimum_count": 10, "noise_variance": 1.5, "noise_most": 4, "minimum_at_risk": 5, "minimum_subgroup": 2,
    "minimum_level": 1, "dominance": 0.8,
}  # fmt: skip


@pytest.mark.parametrize("rule", list(LAXER))
def test_a_laxer_rule_needs_somebody_who_decided_it(tmp_path: Path, rule: str) -> None:
    with pytest.raises(ProtocolError, match=f"{rule} .*: protects less than .* write it under overrides"):
        load_disclosure(study_with(tmp_path, f"{rule}: {LAXER[rule]}\n"))
    decided = f"{{rule: {rule}, value: {LAXER[rule]}, by: Board, reason: These figures are public already.}}"
    study = study_with(tmp_path, f"may_override: [Board]\noverrides: [{decided}]\n")
    assert getattr(load_disclosure(study), rule) == LAXER[rule]


def test_the_usual_rules_and_stricter_ones_need_nobody(tmp_path: Path) -> None:
    load_disclosure(study_with(tmp_path, "minimum_count: 20\ndominance: 0.3\nminimum_level: 15\nnoise_variance: 3\n"))
    usual = "".join(f"{name}: {field.default}\n" for name, field in Disclosure.model_fields.items() if name in LAXER)
    load_disclosure(study_with(tmp_path, usual))
