"""Every limit of the protocol's files on both sides, and the whole line that refuses what lies beyond."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from evalkit.errors import ProtocolError
from evalkit.protocol import Disclosure, Study, load_study, parse_yaml
from evalkit.protocol import _yaml as yaml_module
from evalkit.protocol._fields import Model
from evalkit.protocol._files import validate
from evalkit.protocol._report import Baseline, Override, ReportParams

STUDY = {
    "id": "small", "title": "Small", "starts": "2021-11-18",
    "arms": {"focus": {"value": "a", "label": "A"}, "comparison": {"value": "b", "label": "B"}},
    "covariates": [{"name": "age", "label": "Age"}], "tables": {"participants": {"path": "p.csv"}},
    "excuses": [{"table": "sessions", "rule": "duplicate_row", "reason": "Mended on Monday.", "by": "B", "until": "2022-01-31"}],
}  # fmt: skip
BASELINE = {
    "id": "cook", "what": "Completion", "measure": "completion", "value": 0.7, "unit": "share", "denominator": "men",
    "citation": "Bennett (2005).",
}  # fmt: skip
REPORT = {"report": "tiny", "notebook": "tiny.ipynb", "title": "Tiny"}
CONTENT: dict[type[Model], dict[str, object]] = {Study: STUDY, Disclosure: {}, Baseline: BASELINE, ReportParams: REPORT}


def changed(content: object, place: str, value: object) -> object:
    """Return content with a value at a place such as ``excuses.0.by``."""
    step, _, rest = place.partition(".")
    if isinstance(content, list):
        return [changed(part, rest, value) if rest else value for part in content]
    within = dict(content)  # type: ignore[call-overload]
    within[step] = changed(within.get(step, {}), rest, value) if rest else value
    return within


def refusal(model: type[Model], content: object) -> str:
    try:
        validate(model, content, "file.yaml")  # type: ignore[arg-type]
    except ProtocolError as error:
        return str(error).removeprefix("file.yaml: ")
    return ""


AT_LEAST, MORE, LESS, AT_MOST = (
    f"input should be {words} {{}}"
    for words in ("greater than or equal to", "greater than", "less than", "less than or equal to")
)
ID = "string should match pattern '^[a-z0-9][a-z0-9_-]{{0,63}}$'"
WORD = "string should match pattern '^[A-Za-z][A-Za-z0-9_]*$'"
RULE = "string should match pattern '^[a-z_]{{1,40}}$'"
SEEN = "holds characters that are not seen (control, zero-width or direction characters); take them out"
FONT = "holds letters that the reports' fonts do not have; write it in others (Latin, Greek, Cyrillic)"
SIGN = "must be one sign, such as ; or |, or the word tab"
DAYS = [(AT_LEAST.format(1), 1, 0), (AT_MOST.format(36500), 36500, 36501)]
COUNT = [(AT_LEAST.format(1), 1, 0)]
SHARE = [(MORE.format(0), 0.0001, 0), (LESS.format(1), 0.9999, 1)]
LIMITS: list[tuple[type[Model], str, list[tuple[str, object, object]]]] = [
    *[(Study, f"rules.{name}", DAYS) for name in (
        "disengagement_gap_days", "engaged.days", "funnel.intake_days", "funnel.first_session_days", "funnel.half_dose_days",
        "funnel.completion_days", "landmark_day")],
    (Study, "rules.engaged.sessions", COUNT), (Study, "rules.funnel.half_dose_sessions", COUNT),
    (Study, "rules.dose_sessions", [("", 13, 13), (AT_LEAST.format(1), 13, 0)]),
    (Study, "rules.dose_hours", [(MORE.format(0), 0.1, 0)]),
    (Study, "rules.shortest_usual_hours", [(AT_LEAST.format(0), 0, -0.1)]),
    (Study, "rules.longest_usual_hours", [(MORE.format(0), 0.1, 0)]),
    (Study, "harm.horizons", [("", [1, 36500], [1])]),
    (Study, "comparison.max_smd", [(MORE.format(0), 0.001, 0)]),
    (Study, "comparison.min_equipoise", SHARE),
    (Study, "comparison.preference_low", [(MORE.format(0), 0.0001, 0)]),
    (Study, "comparison.preference_high", [(LESS.format(1), 0.9999, 1)]),
    (Study, "comparison.min_effective_sample_size", COUNT),
    (Study, "comparison.max_e_value_note", [(AT_LEAST.format(1), 1, 0.9)]),
    (Study, "fiscal_year_start_month", [(AT_LEAST.format(1), 1, 0), (AT_MOST.format(12), 12, 13)]),
    (Study, "seed", [(AT_LEAST.format(0), 0, -1)]),
    (Study, "id", [(ID.format(), "a" * 64, "a" * 65), (ID.format(), "0-b_c", "-b"), (ID.format(), "a", ""), (ID.format(), "a", "A")]),
    (Study, "id", [(ID.format(), "a", "../a"), (ID.format(), "a", "a.b"), (ID.format(), "a", "_a")]),
    (Study, "arms.column", [(WORD, "a_1", "1a"), (WORD, "Z", "a-b")]),
    (Study, "arms.column", [("string should have at least 1 character", "a", "")]),
    (Study, "title", [(SEEN, "Ünïted", "a\u200bb"), (SEEN, "x", "a\x07"), (SEEN, "x", "a\u202eb"), (FONT, "Привет", "名前")]),
    (Study, "arms.focus.label", [(SEEN, "A", "A\u00ad"), (FONT, "A", "名")]),
    (Study, "tables.participants.delimiter", [(SIGN, "^", "ab"), (SIGN, "\t", "a"), (SIGN, "tab", "7"), (SIGN, "\\t", '"'),
                                              (SIGN, ";", ""), (SIGN, ";", "\n"), (SIGN, ";", "\r"), (SIGN, "TAB", "comma")]),
    (Study, "tables.participants.skip_rows", [(AT_LEAST.format(0), 0, -1), (AT_MOST.format(1000), 1000, 1001)]),
    (Study, "tables.participants.skip_footer", [(AT_LEAST.format(0), 0, -1), (AT_MOST.format(1000), 1000, 1001)]),
    (Study, "tables.participants.freshness_days", [(AT_LEAST.format(0), 0, -1), (AT_MOST.format(36500), 36500, 36501)]),
    (Study, "excuses.0.rule", [(RULE.format(), "a" * 40, "a" * 41), (RULE.format(), "_", ""), (RULE.format(), "a", "a1")]),
    (Study, "excuses.0.reason", [("needs at least 15 character(s)", "x" * 15, "x" * 14)]),
    (Study, "excuses.0.by", [("needs at least 1 character(s)", "x", "")]),
    (Disclosure, "minimum_at_risk", [("", 11, 11), (AT_LEAST.format(1), 12, 0)]),
    (Disclosure, "dominance", [(MORE.format(0), 0.001, 0)]),
    (Disclosure, "noise_variance", [(AT_MOST.format(5), 5, 5.1)]),
    (Disclosure, "noise_most", [(AT_MOST.format(10), 10, 11)]),
    (Disclosure, "round_for_display", [(AT_LEAST.format(1), 1, 0), (AT_MOST.format(50), 50, 51)]),
    (Disclosure, "landmarks", [("", [1, 36500], [1])]),
    (Baseline, "n", [(AT_LEAST.format(1), 1, 0)]), (Baseline, "id", [(WORD, "a1", "1a")]),
    (ReportParams, "timeout_minutes", [(MORE.format(0), 0.001, 0), (AT_MOST.format(1440), 1440, 1440.1)]),
    (ReportParams, "memory_gb", [(MORE.format(0), 0.001, 0), (AT_MOST.format(4096), 4096, 4096.1)]),
    (ReportParams, "output_mb", [(MORE.format(0), 0.001, 0), (AT_MOST.format(4096), 4096, 4096.1)]),
    (ReportParams, "report", [(ID.format(), "a" * 64, "a" * 65), (ID.format(), "x", "a/b")]),
]  # fmt: skip
CASES = [(model, place, *pair) for model, place, pairs in LIMITS for pair in pairs]


@pytest.mark.parametrize(("model", "place", "words", "good", "bad"), CASES)
def test_limit(model: type[Model], place: str, words: str, good: object, bad: object) -> None:
    assert refusal(model, changed(CONTENT[model], place, good)) == ""
    assert refusal(model, changed(CONTENT[model], place, bad)) == (f"key '{place}': {words}" if words else "")


def _where(column: str) -> dict[str, object]:
    return {"focus": {"value": "a", "label": "A"}, "comparison": {"value": "b", "label": "B", "where": {column: "yes"}}}


ORDERED = [
    ({"rules": {"dose_sessions": 13, "funnel": {"half_dose_sessions": 12}}}, ""),
    ({"rules": {"dose_sessions": 12, "funnel": {"half_dose_sessions": 12}}}, "key 'rules': funnel.half_dose_sessions must be below dose_sessions"),
    ({"rules": {"shortest_usual_hours": 2, "longest_usual_hours": 2}}, ""),
    ({"rules": {"shortest_usual_hours": 2.1, "longest_usual_hours": 2}}, "key 'rules': shortest_usual_hours must not be above longest_usual_hours"),
    ({"sites": ["North"], "rules": {"closures": [{"from": "2022-01-01", "to": "2022-01-01", "site": "North"}]}}, ""),
    ({"sites": ["North"], "rules": {"closures": [{"from": "2022-01-01", "to": "2022-01-01", "site": "South"}]}}, "key 'top level': rules.closures: 'South' is none of the sites"),
    ({"rules": {"closures": [{"from": "2022-01-01", "to": "2022-01-01", "site": "Any"}]}}, ""),
    ({"rules": {"closures": [{"from": "2022-01-02", "to": "2022-01-01"}]}}, "key 'rules.closures.0': ends before it begins"),
    ({"rules": {"closures": [{"from": "2022-01-01", "to": "2032-01-08"}]}}, ""),  # 3660 days
    ({"rules": {"closures": [{"from": "2022-01-01", "to": "2032-01-09"}]}}, "key 'rules.closures.0': has 3660 days at most"),
    ({"covariates": [{"name": "past", "label": "Past", "kind": "categorical"}], "arms": _where("past")}, ""),
    ({"covariates": [{"name": "past", "label": "Past", "kind": "yes_no"}], "arms": _where("past")}, "key 'top level': arms: where names 'past', which is no column of words"),
    ({"covariates": [{"name": "past", "label": "Past"}], "arms": _where("past")}, "key 'top level': arms: where names 'past', which is no column of words"),
    ({"comparison": {"preference_low": 0.499, "preference_high": 0.5}}, ""),
    ({"comparison": {"preference_low": 0.5, "preference_high": 0.5}}, "key 'comparison': comparison.preference_low must be below preference_high"),
    ({"arms": {"focus": {"value": "a", "label": "A"}, "comparison": {"value": "a", "label": "B"}}}, "key 'arms': focus and comparison must have different values"),
    ({"covariates": [{"name": "a", "label": "A"}, {"name": "b", "label": "A"}]}, ""),
    ({"covariates": [{"name": "a", "label": "A"}, {"name": "a", "label": "B"}]}, "key 'top level': covariates: a name stands twice"),
    ({"tables": {"sessions": {"path": "s.csv"}}}, "key 'top level': tables.participants is required"),
    ({"time_zone": "Europe/Madrid"}, ""),
    ({"translations": {"es": {"A": "Á"}}}, ""),
    ({"translations": {"fr": {"A": "Á"}}}, "key 'translations.fr': input should be 'es'"),
    ({"rules": {"episodes": "al"}}, "key 'rules.episodes': input should be 'first' or 'all'; did you mean 'all'?"),
    ({"fall_of_rows": "errors"}, "key 'fall_of_rows': input should be 'warning' or 'error'; did you mean 'error'?"),
    ({"harm": {"horizons": [182, 0]}}, "key 'harm.horizons.1': input should be greater than or equal to 1"),
    ({"title": 7}, "key 'title': input should be a valid string; put it in quotes"),
    ({"title": ["a"]}, "key 'title': input should be a valid string"),
    ({"rules": {"engagd": 1}}, "unknown key 'rules.engagd'; did you mean 'engaged'?"),
    ({"excuses": [{"tabel": "sessions"}]}, "key 'excuses.0.table' is missing; and key 'excuses.0.rule' is missing; and key "
     "'excuses.0.reason' is missing; and key 'excuses.0.by' is missing; and key 'excuses.0.until' is missing; and unknown key "
     "'excuses.0.tabel'; did you mean 'table'?"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "words"), ORDERED)
def test_what_stands_together(change: dict[str, object], words: str) -> None:
    found = refusal(Study, {**STUDY, **change})
    assert found == words


def test_texts_are_one_line_and_names_stay_as_they_are() -> None:
    study = Study.model_validate({**STUDY, "title": " A\n title  ", "sites": [" North  side "]})
    assert (study.title, study.sites) == ("A title", [" North  side "])


# -- the disclosure policy -------------------------------------------------------------------------------------------
BOARD = {"may_override": ["Board"]}


def decided(rule: str, value: float, by: str = "Board", reason: str = "Public already.") -> dict[str, object]:
    return {**BOARD, "overrides": [{"rule": rule, "value": value, "by": by, "reason": reason}]}


USUAL = {
    "minimum_count": 11,
    "minimum_at_risk": 11,
    "minimum_subgroup": 11,
    "minimum_level": 11,
    "noise_variance": 2,
    "noise_most": 5,
}
LAXER = "protects less than {} does; write it under overrides, with who decided it (one of may_override) and why"


@pytest.mark.parametrize("rule", USUAL)
def test_a_rule_of_a_policy_may_be_stricter_and_is_not_laxer(rule: str) -> None:
    usual = USUAL[rule]
    assert refusal(Disclosure, {rule: usual}) == refusal(Disclosure, {rule: usual + 1}) == ""
    assert refusal(Disclosure, {rule: usual - 1}) == f"key 'top level': {rule} {usual - 1}: {LAXER.format(usual)}"
    assert getattr(Disclosure.model_validate(decided(rule, usual - 1)), rule) == usual - 1


def test_the_largest_share_of_one_person_may_be_smaller_and_is_not_larger() -> None:
    assert refusal(Disclosure, {"dominance": 0.5}) == refusal(Disclosure, {"dominance": 0.49}) == ""
    assert refusal(Disclosure, {"dominance": 0.51}) == f"key 'top level': dominance 0.51: {LAXER.format('0.5')}"
    assert Disclosure.model_validate(decided("dominance", 1)).dominance == 1
    assert refusal(Disclosure, decided("dominance", 1.01)) == "key 'dominance': input should be less than or equal to 1"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (decided("minimum_count", 5, by="Somebody"), "key 'top level': override of minimum_count: whoever decided it is not among may_override"),
        (decided("minimum_count", 5, reason="Public already"), "key 'overrides.0.reason': needs at least 15 character(s)"),
        ({**decided("minimum_count", 5), "may_override": []}, "key 'top level': override of minimum_count: whoever decided it is not among may_override"),
        ({"approval": "required"}, "key 'top level': approval is required, and nobody is named under approvers"),
        ({"approval": "required", "approvers": ["Ann"]}, ""), ({"approvers": ["Ann"]}, ""),
        ({"overrides": "none"}, "key 'overrides': input should be a valid list"),
    ],
)  # fmt: skip
def test_what_a_policy_cannot_say(policy: dict[str, object], words: str) -> None:
    assert refusal(Disclosure, policy) == words


def test_an_exception_in_words() -> None:
    made = Override(rule="minimum_count", value=7, by="Board", reason="Public already, says the law.")
    assert made.words == "minimum count is 7: Public already, says the law (decided by Board)"


# -- YAML ------------------------------------------------------------------------------------------------------------
def test_how_long_a_file_may_be() -> None:
    assert parse_yaml("#" * 999_990 + "\na: [1]", "x") == {"a": [1]}
    assert len(parse_yaml("a" * 1_000_000, "x")) == 1_000_000
    with pytest.raises(ProtocolError) as refused:
        parse_yaml("a" * 1_000_001, "x")
    assert str(refused.value) == "x: is too long for a protocol file (1,000,001 characters)"


def test_how_many_values_aliases_may_stand_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_module, "_MOST_VALUES", 9)  # [[1, 2], [1, 2], 3]: three lists and five values
    assert parse_yaml("[&a [1, 2], *a, 3]", "x") == [[1, 2], [1, 2], 3]
    assert parse_yaml("[&a [1, 2], *a, 3, 4]", "x") == [[1, 2], [1, 2], 3, 4]
    with pytest.raises(ProtocolError) as refused:
        parse_yaml("[&a [1, 2], *a, 3, 4, 5]", "x")
    assert str(refused.value) == "x, line 1: is not valid YAML (its aliases stand for too many values)"
    with pytest.raises(ProtocolError, match="too many values"):
        parse_yaml("{a: &a {b: 1, c: 2}, d: *a, e: 3}", "x")
    with pytest.raises(ProtocolError, match="too many values"):
        parse_yaml("&a [*a]", "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\n? [b]\n: 2", "x, line 2: is not valid YAML (a key must be one word or one text)"),
        ("a: 1\n'not; shown': 1\n'not; shown': 2", "x, line 3: is not valid YAML (key '…' stands twice)"),
        ("a:\n  b: 1\n  b: 2", "x, line 3: is not valid YAML (key 'b' stands twice)"),
        ("a: !!int 0x10", "x, line 1: is not valid YAML (!!int stands before something else)"),
        ("a: 1\nb: !!set {a}", "x, line 2: is not valid YAML (the tag !!set is not read here)"),
        ("a: !own b", "x, line 1: is not valid YAML (the tag !own is not read here)"),
        ("a: 2022-02-29", "x, line 1: is not valid YAML (no calendar has this day)"),
        ("a: {b: [1, 010]}", "x, line 1: key 'a.b.1': a number written like this is read in different ways (leading zeros, colons, "
         "0x, underscores); write it plainly, as in 20 or 2160, or in quotes where it is text"),
        ("010", "x: a number written like this is read in different ways (leading zeros, colons, 0x, underscores); write it "
         "plainly, as in 20 or 2160, or in quotes where it is text"),
        ("'a; b':\n  - 1\n  - 0o7", "x, line 3: key '….1': a number written like this is read in different ways (leading zeros, "
         "colons, 0x, underscores); write it plainly, as in 20 or 2160, or in quotes where it is text"),
    ],
)  # fmt: skip
def test_what_yaml_says(text: str, words: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        parse_yaml(text, "x")
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: '2022-02-30'", {"a": "2022-02-30"}), ("a: 2024-02-29", {"a": "2024-02-29"}), ("a: 2022-2-30", {"a": "2022-2-30"}),
        ("base: &b {x: 1, y: 2}\nown: {<<: *b, y: 3}", {"base": {"x": 1, "y": 2}, "own": {"x": 1, "y": 3}}),
        ("a: !!int 16", {"a": 16}), ("a: !!float 1", {"a": 1.0}), ("a: !!str 1", {"a": "1"}), ("a: !!bool TRUE", {"a": True}),
        ("a: !!null ''", {"a": None}), ("a: FALSE", {"a": False}), ("a: Null", {"a": None}), ("", None), ("1_000_000", 1_000_000),
        ("1000_000", None), ("1_0000", None),
    ],
)  # fmt: skip
def test_what_yaml_is_read_as(text: str, value: object) -> None:
    if value is None and text:
        with pytest.raises(ProtocolError, match="read in different ways"):
            parse_yaml(text, "x")
        return
    found = parse_yaml(text, "x")
    assert found == value
    assert (
        [type(part) for part in found.values()] == [type(part) for part in value.values()]
        if text.startswith("a")
        else True
    )


@pytest.mark.parametrize(
    ("key", "shown"),
    [("a" * 64, "a" * 64), ("a" * 65, "…"), ("a.b-c d_1", "a.b-c d_1"), ("a/b", "…"), ("", "…"), (7, "7")],
)
def test_a_key_that_may_be_a_value_is_not_shown(key: object, shown: str) -> None:
    assert yaml_module.named(key) == shown


def test_lines_of_what_is_wrong_in_a_file(tmp_path: Path) -> None:
    content = yaml.safe_dump(STUDY, sort_keys=False)
    file = tmp_path / "study.yaml"
    file.write_text(content.replace("label: Age", "label: Age\n  kind: numerical\n  lowest: 5"), encoding="utf-8")
    with pytest.raises(ProtocolError) as refused:
        load_study(file)
    line = next(n for n, row in enumerate(file.read_text().splitlines(), start=1) if "kind:" in row)
    assert str(refused.value) == (
        f"{file}: key 'covariates.0.kind': input should be 'numeric', 'categorical' or 'yes_no'; did you mean 'numeric'? "
        f"(line {line}); and unknown key 'covariates.0.lowest' (line {line + 1})"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"- 1\n", "the top level must be a mapping of keys to values"), (b"", "the top level must be a mapping of keys to values"),
     (b"a: \xff\n", "is not UTF-8 text"), (None, "is no file"), (b"\xef\xbb\xbfa: 1\n", "key 'id' is missing")],
)  # fmt: skip
def test_files_that_are_no_protocol(content: bytes | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(ProtocolError) as refused:
        load_study(file)
    assert str(refused.value).startswith(f"{file}: {words}")
