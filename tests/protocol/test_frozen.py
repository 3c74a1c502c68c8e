"""The protocol that was registered: what is kept, what is refused, and what changed since."""

from __future__ import annotations

import contextlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from evalkit.errors import ProtocolError
from evalkit.protocol import (
    Disclosure,
    Harm,
    Planned,
    Programme,
    ReAim,
    Study,
    _frozen,
    changes_since,
    decisive,
    differences,
    empty_items,
    first_plan,
    freeze,
    load_frozen,
    load_study,
    unexplained,
    version_file,
)
from evalkit.protocol._fields import Rules, Told
from evalkit.protocol._frozen import flat
from evalkit.protocol._study import Comparison

PARAMS = Path(__file__).resolve().parents[2] / "params"
DAY = date(2022, 1, 3)
PLAN = [Planned(name="0123456789ab", kind="funnel", shown=["final fig-funnel"])]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for file in PARAMS.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def changed(place: Path, old: str, new: str) -> Study:
    """Change the study's file, and read it."""
    file = place / "study.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_study(file)


def test_what_decides_analyses_is_kept_by_value(place: Path) -> None:
    study = load_study(place / "study.yaml")
    frozen = freeze(study, "v1", "Before any result", DAY, PLAN)
    kept = flat(frozen.values)
    assert kept["rules.disengagement_gap_days"] == "30"
    assert kept["rules.counting_kinds.individual"] == "4"
    assert kept["harm.horizons"] == "182, 365"
    assert kept["comparison.max_smd"] == "0.1"
    assert kept["disclosure.minimum_count"] == "11"
    assert kept["baselines.cook_completion.value"] == "0.734"
    assert kept["arms.comparison.where.mandate"] == "court"
    assert kept["covariates.gender.levels"] == "man, woman, another"
    assert not {name for name in kept if name.endswith((".label", ".definition", ".citation", ".approvers", ".path"))}
    assert (frozen.name, frozen.day, frozen.why, frozen.planned) == ("v1", DAY, "Before any result", {"0123456789ab"})
    assert load_frozen(study) == (frozen,)
    assert first_plan([frozen]) is frozen
    assert changes_since(study, [frozen]) == []


DECIDING = {
    "starts", "time_zone", "fiscal_year_start_month", "rules", "harm", "comparison", "ignore", "seed", "targets", "arms",
    "covariates", "tables", "disclosure", "baselines",
}  # fmt: skip
READERS = {
    "harm": {"label", "model_arm", "helpline"},
    "disclosure": {"identifying", "approval", "approvers", "may_override", "overrides"},
}


def test_every_key_that_decides_an_analysis_is_kept_and_words_for_readers_are_not(place: Path) -> None:
    values = decisive(load_study(place / "study.yaml"))
    assert set(values) == DECIDING
    for part, model in {"rules": Rules, "harm": Harm, "comparison": Comparison, "disclosure": Disclosure}.items():
        assert set(values[part]) == set(model.model_fields) - READERS.get(part, set())


@pytest.mark.parametrize(("old", "new"), [(0.1234567, 0.1234568), (1234567.0, 1234568.0), (0.1, 0.1 + 1e-12)])
def test_a_change_in_a_late_digit_is_a_change(old: float, new: float) -> None:
    assert len(differences({"rules": {"a": old}}, {"rules": {"a": new}})) == 1


def test_a_number_is_written_as_it_is_typed() -> None:
    assert differences({"rules": {"a": 0.1}}, {"rules": {"a": 36.0}}) == [("rules.a", "0.1", "36")]


def test_words_change_nothing(place: Path) -> None:
    versions = (freeze(load_study(place / "study.yaml"), "v1", "Before any result", DAY),)
    study = changed(place, "label: Non-mandated pilot", "label: Another name")
    assert changes_since(study, versions) == []
    assert first_plan(versions) is None


def test_a_helplines_new_number_and_why_a_site_was_closed_are_no_changes(place: Path) -> None:
    closed = "rules:\n  closures: [{from: 2022-12-24, to: 2023-01-02, why: Holidays}]"
    versions = (freeze(changed(place, "rules:", closed), "v1", "Before any result", DAY),)
    study = changed(
        changed(place, "helpline: Illinois", "helpline: The Illinois").path.parent, "why: Holidays", "why: Snow"
    )
    assert changes_since(study, versions) == []
    (longer,) = changes_since(changed(place, "to: 2023-01-02", "to: 2023-01-03"), versions)
    assert (longer.key, longer.old, longer.new) == ("rules.closures.1.to", "2023-01-02", "2023-01-03")
    before = {
        "harm": {"helpline": "877", "death": "censored"},
        "rules": {"closures": [{"why": "Snow"}]},
    }  # as they were kept
    assert differences(before, {"harm": {"death": "censored"}}) == []


def test_a_change_is_told_from_what_to_what_when_and_why(place: Path) -> None:
    freeze(load_study(place / "study.yaml"), "v1", "Before any result", DAY)
    study = changed(place, "disengagement_gap_days: 30", "disengagement_gap_days: 28")
    (silent,) = changes_since(study, load_frozen(study))
    assert (silent.key, silent.old, silent.new, silent.since) == ("rules.disengagement_gap_days", "30", "28", None)
    assert unexplained(study, load_frozen(study)) == ["rules.disengagement_gap_days (30, now 28)"]

    entry = "deviations:\n  - {key: rules.disengagement_gap_days, since: 2022-05-01, why: {en: Groups pause, es: Hay pausas}}"
    study = changed(place, "deviations:", entry)
    (told,) = changes_since(study, load_frozen(study))
    assert (told.since, told.why.in_language("es"), told.version) == (date(2022, 5, 1), "Hay pausas", "")
    assert unexplained(study, load_frozen(study)) == []


def test_a_second_freeze_says_what_changed_and_all_changes_since_the_first_stay_told(place: Path) -> None:
    freeze(load_study(place / "study.yaml"), "v1", "Before any result", DAY)
    study = changed(place, "death: competing", "death: censored")
    second = freeze(study, "v2", "Deaths are rare", date(2022, 6, 1))
    (kept,) = second.changes
    assert (kept.key, kept.old, kept.new, kept.since) == ("harm.death", "competing", "censored", date(2022, 6, 1))
    assert kept.why.en == "Deaths are rare"
    study = changed(place, "  max_smd: 0.1", "  max_smd: 0.2")
    found = changes_since(study, load_frozen(study))
    assert [(c.key, c.old, c.new, c.version) for c in found] == [
        ("harm.death", "competing", "censored", "v2"),
        ("comparison.max_smd", "0.1", "0.2", ""),
    ]
    first = load_frozen(study)[0]
    assert differences(first.values, decisive(study)) == [
        ("comparison.max_smd", "0.1", "0.2"),
        ("harm.death", "competing", "censored"),
    ]


def test_an_old_reason_does_not_explain_another_change_of_the_same_value(place: Path) -> None:
    freeze(load_study(place / "study.yaml"), "v1", "Before any result", DAY)
    changed(place, "max_smd: 0.1", "max_smd: 0.2")
    study = changed(
        place, "deviations:", "deviations:\n  - {key: comparison.max_smd, since: 2022-05-01, why: Too few are alike}"
    )
    (kept,) = freeze(study, "v2", "Wider", date(2022, 6, 1)).changes
    assert (kept.since, kept.why.en) == (date(2022, 5, 1), "Too few are alike")
    study = changed(place, "max_smd: 0.2", "max_smd: 0.3")
    versions = load_frozen(study)
    _, later = changes_since(study, versions)
    assert (later.old, later.new, later.since, later.why.en) == ("0.2", "0.3", None, "")
    assert unexplained(study, versions) == ["comparison.max_smd (0.2, now 0.3)"]


@pytest.mark.parametrize(
    ("reasons", "why"),
    [
        (["{key: comparison.max_smd, since: 2022-01-03, why: On the day}"], "On the day"),
        (["{key: comparison.max_smd, since: 2022-01-02, why: The day before}"], ""),
        (["{key: comparison, since: 2022-05-01, why: All of it}"], "All of it"),
        (["{key: comparison.max, since: 2022-05-01, why: Of a key that begins alike}"], ""),
        (["{key: comparison.max_smd, since: 2022-05-01, why: First}", "{key: comparison, since: 2022-06-01, why: Then}"], "Then"),
        (["{key: comparison, since: 2022-06-01, why: Then}", "{key: comparison.max_smd, since: 2022-05-01, why: First}"], "Then"),
    ],
)  # fmt: skip
def test_the_newest_reason_since_the_freeze_explains_a_change(place: Path, reasons: list[str], why: str) -> None:
    freeze(load_study(place / "study.yaml"), "v1", "Before any result", DAY)
    changed(place, "max_smd: 0.1", "max_smd: 0.2")
    study = changed(place, "deviations:", "\n  - ".join(["deviations:", *reasons]))
    (found,) = changes_since(study, load_frozen(study))
    assert (found.key, found.why.en) == ("comparison.max_smd", why)


def test_more_results_are_a_reason_to_freeze_again(place: Path) -> None:
    study = load_study(place / "study.yaml")
    freeze(study, "v1", "Before any result", DAY, PLAN)
    with pytest.raises(ProtocolError, match=r"^protocol v2: nothing has changed since v1 was frozen on 2022-01-03$"):
        freeze(study, "v2", "Again", DAY, PLAN)
    more = freeze(study, "v2", "One more question", DAY, [*PLAN, Planned(name="ba9876543210")])
    assert (more.changes, len(more.planned)) == ([], 2)
    assert first_plan(load_frozen(study)).name == "v1"  # type: ignore[union-attr]


def test_a_name_is_used_once(place: Path) -> None:
    study = load_study(place / "study.yaml")
    freeze(study, "v1", "Before any result", DAY)
    before = version_file(study, "v1").read_bytes()
    with pytest.raises(
        ProtocolError, match=r"^protocol v1: was frozen on 2022-01-03 already, and is never written over"
    ):
        freeze(changed(place, "death: competing", "death: censored"), "v1", "Again", DAY)
    assert version_file(study, "v1").read_bytes() == before
    assert [file.name for file in (place / "protocol").iterdir()] == ["v1.yaml"]


def test_of_two_freezes_at_once_the_second_follows_the_first(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, both, read = load_study(place / "study.yaml"), threading.Barrier(2), load_frozen

    def read_at_once(of: Study) -> tuple[object, ...]:
        found = read(of)
        with contextlib.suppress(threading.BrokenBarrierError):  # the other one waits for this one to end
            both.wait(1)
        return found

    monkeypatch.setattr(_frozen, "load_frozen", read_at_once)
    plans = {"v1": [Planned(name="0123456789ab")], "v2": [Planned(name="ba9876543210")]}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda name: freeze(study, name, "At once", DAY, plans[name]), plans))
    first, second = read(study)
    assert ({first.name, second.name}, second.follows) == ({"v1", "v2"}, {first.name: first.sha256})
    assert sorted(file.name for file in (place / "protocol").iterdir()) == ["v1.yaml", "v2.yaml"]


@pytest.mark.parametrize("name", ["", "V1", "../v1", "v 1", "v1.yaml"])
def test_a_name_is_a_short_word(name: str, place: Path) -> None:
    with pytest.raises(ProtocolError, match="a name has small letters, digits, - and _, as v1"):
        freeze(load_study(place / "study.yaml"), name, "Before any result", DAY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("disengagement_gap_days: 30", "disengagement_gap_days: 45"),
        ("day: '2022-01-03'", "day: '2021-01-03'"),
        ("Before any result", "Before any other result"),
        ("name: v1", "name: v2"),
        ("0123456789ab", "0123456789ac"),
    ],
)
def test_what_was_edited_is_refused(place: Path, old: str, new: str) -> None:
    study = load_study(place / "study.yaml")
    freeze(study, "v1", "Before any result", DAY, PLAN)
    file = version_file(study, "v1")
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"v1\.yaml: was edited after it was frozen; bring it back as it was"):
        load_frozen(study)


def test_a_version_under_another_name_is_refused(place: Path) -> None:
    study = load_study(place / "study.yaml")
    freeze(study, "v1", "Before any result", DAY, PLAN)
    version_file(study, "v1").rename(version_file(study, "v0"))
    with pytest.raises(ProtocolError, match=r"v0\.yaml: was edited after it was frozen"):
        load_frozen(study)


def test_a_file_that_another_freeze_wrote_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "v1.yaml"
    file.write_text("theirs", encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"v1\.yaml: is there already; take another name"):
        _frozen._write(file, {"name": "v1"})
    assert [f.name for f in tmp_path.iterdir()] == ["v1.yaml"] and file.read_text(encoding="utf-8") == "theirs"


def test_a_comment_or_another_layout_is_no_edit(place: Path) -> None:
    study = load_study(place / "study.yaml")
    frozen = freeze(study, "v1", "Before any result", DAY)
    file = version_file(study, "v1")
    file.write_text(f"# registered\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    assert load_frozen(study) == (frozen,)


def test_a_version_that_went_missing_is_named(place: Path) -> None:
    freeze(load_study(place / "study.yaml"), "v1", "Before any result", DAY)
    study = changed(place, "death: competing", "death: censored")
    freeze(study, "v2", "Deaths are rare", DAY)
    version_file(study, "v1").unlink()
    with pytest.raises(ProtocolError, match="v2 does not follow from one frozen protocol; bring the missing file back"):
        load_frozen(study)


def test_a_key_that_is_younger_than_the_frozen_protocol_has_changed_nothing_while_it_is_left_out() -> None:
    old = {"rules": {"dose_sessions": 24}}
    assert differences(old, {"rules": {"dose_sessions": 24, "landmark_day": 270}, "targets": []}) == []
    assert differences(old, {"rules": {"dose_sessions": 24, "landmark_day": 271}}) == [
        ("rules.landmark_day", "270", "271")
    ]


def test_a_target_is_part_of_it_and_is_found_by_indicator(place: Path) -> None:
    freeze(load_study(place / "study.yaml"), "v1", "Before any result", DAY)
    study = changed(place, "\nseed:", "\ntargets: [{indicator: engaged, value: 0.8, why: The contract}]\nseed:")
    assert study.target("engaged").value == 0.8  # type: ignore[union-attr]
    assert study.target("completion") is None
    assert [(c.key, c.old, c.new) for c in changes_since(study, load_frozen(study))] == [
        ("targets.engaged.value", "-", "0.8")
    ]


def test_a_deviation_needs_a_reason(place: Path) -> None:
    with pytest.raises(ProtocolError, match="write why, in a sentence"):
        changed(place, "deviations:", "deviations:\n  - {key: harm.death, since: 2022-05-01, why: {es: Porque}}")


def test_empty_items_are_named() -> None:
    assert empty_items(Programme()) == list(Programme.model_fields)
    assert empty_items(ReAim.model_validate({"reach": "Adults", "adoption": {"es": "Dos"}})) == [
        "effectiveness",
        "implementation",
        "maintenance",
    ]


def test_a_text_in_one_language_alone_is_told_in_both() -> None:
    both, english, spanish = Told(en="Groups", es="Grupos"), Told(en="Groups"), Told(es="Grupos")
    found = [[text.in_language(language) for language in ("en", "es")] for text in (both, english, spanish)]
    assert found == [["Groups", "Grupos"], ["Groups", "Groups"], ["Grupos", "Grupos"]]
