"""Counts, who stands behind them, and the result type: what goes in comes out, and nothing else."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from evalkit import errors, stats
from evalkit.counts import DayCounts, Moments, Tally, codes_of, totals_of, who
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Analysis, Estimates
from evalkit.glossary import COLUMNS, Column, check, describe


def test_a_person_has_one_code_in_every_frame_and_each_episode_its_own() -> None:
    plain = codes_of(pd.DataFrame({"participant_id": ["a", "b", "a"]}))
    assert plain.dtype == np.uint64 and plain[0] == plain[2] != plain[1]
    first = codes_of(pd.DataFrame({"participant_id": ["a", "b"], "episode": [1, 1]}))
    assert first.tolist() == plain[:2].tolist()
    many = codes_of(pd.DataFrame({"participant_id": ["a", "a", "a", "b"], "episode": [1, 2, 3, 2]}))
    assert many[0] == plain[0] and len({*many.tolist(), int(plain[1])}) == 5
    assert (
        codes_of(pd.DataFrame({"participant_id": [7, 8]})).tolist()
        == codes_of(pd.DataFrame({"participant_id": ["7", "8"]})).tolist()
    )
    assert codes_of(pd.DataFrame({"episode": [1]})) is None


def test_who_stands_behind_each_count() -> None:
    people = pd.DataFrame({"participant_id": list("abc")})
    codes = codes_of(people)
    found = who(people, n=np.array([True, True, False]), n_event=np.array([False, True, False]))
    assert {name: own.tolist() for name, own in found.items()} == {
        "n": codes[:2].tolist(),
        "n_event": codes[1:2].tolist(),
    }
    assert who(people.drop(columns="participant_id"), n=np.ones(3, dtype=bool)) == {}


ROWS = {"group": ["b", "a", "b"], "time": [1.0, 2, 3], "n_entry": [3, 2, 0], "n_event_1": 1, "n_censor": 0}
KINDS = [
    (DayCounts, tuple(ROWS)),
    (Tally, ("group", "term", "n_event", "n")),
    (Moments, ("group", "term", "n", "total", "total_sq", "largest")),
]


@pytest.mark.parametrize(("kind", "columns"), KINDS)
def test_counts_lack_no_column_and_are_copies(kind: type, columns: tuple[str, ...]) -> None:
    frame = pd.DataFrame({name: [1, 2] for name in columns}, index=[5, 9])
    made = kind(frame)
    assert made.data.index.tolist() == [0, 1]
    frame[columns[0]] = 0
    made.frame[columns[0]] = 0
    assert made.data[columns[0]].tolist() == [1, 2]
    for column in columns:
        with pytest.raises(AnalysisError) as caught:
            kind(pd.DataFrame({name: [1] for name in columns}).drop(columns=column))
        assert str(caught.value) == f"{kind.__name__}: column '{column}' is missing"


def test_what_counts_say_of_themselves() -> None:
    plain, mass = DayCounts(pd.DataFrame(ROWS)), DayCounts(pd.DataFrame(ROWS | {"w_entry": 1.0}), ("left", "done"))
    assert (plain.groups, plain.causes, plain.event_columns, plain.weighted) == (
        ("b", "a"),
        ("event",),
        ("n_event_1",),
        False,
    )
    assert (mass.event_columns, mass.weighted) == (("n_event_1", "n_event_2"), True)
    rows = pd.DataFrame({"group": "a", "term": ["x", "y"], "n_event": 1, "n": 2})
    assert Tally(rows).quantities.tolist() == [False, False]
    assert Tally(rows.assign(total=[np.nan, 0.0])).quantities.tolist() == [False, True]


def test_totals_by_group_and_level() -> None:
    people = pd.DataFrame(
        {"participant_id": list("abcde"), "group": ["x", "x", "x", "y", "y"], "event": [1, 2, 0, 1, 1]}
    )
    codes = codes_of(people)
    plain = totals_of(people, ("y", "x"))
    assert plain.frame.to_dict("list") == {"group": ["y", "x"], "term": ["model"] * 2, "n_event": [2, 1], "n": [2, 3]}
    assert plain.people == ()
    levels = {"work": pd.Series(["no", "yes", "no", "no", "yes"])}
    named = totals_of(people, ("y", "x"), named=True, levels=levels)
    assert named.frame["group"].tolist() == ["y", "x", "everybody", "everybody"]
    assert named.frame["term"].tolist() == ["model", "model", "work[no]", "work[yes]"]
    assert named.frame[["n_event", "n"]].to_numpy().tolist() == [[2, 2], [1, 3], [2, 3], [1, 2]]
    assert [{k: v.tolist() for k, v in one.items()} for one in named.people] == [
        {"n": codes[3:].tolist(), "n_event": codes[3:].tolist()}, {"n": codes[:3].tolist(), "n_event": codes[:1].tolist()}, {}, {},
    ]  # fmt: skip
    assert list(totals_of(people, ()).frame.columns) == ["group", "term", "n_event", "n"]


# -- the result type ---------------------------------------------------------------------------------------------------
def made(**changes: object) -> Estimates:
    rows = pd.DataFrame({"term": ["x", "y"], "estimate": [1.0, 2.0]}, index=[3, 4])
    return Estimates(**({"data": rows, "kind": "funnel", "estimand": "a share"} | changes))


def test_a_result_is_a_copy_and_stays_as_it_is() -> None:
    rows, facts = pd.DataFrame({"estimate": [1.0, 2.0]}, index=[3, 4]), {"n": 2}
    found = made(data=rows, summary=facts)
    rows["estimate"], facts["n"] = 0.0, 9
    found.tidy()["estimate"] = 0.0
    assert found.tidy()["estimate"].tolist() == [1.0, 2.0]
    assert found.data.index.tolist() == [0, 1]
    said = {"kind": "funnel", "estimand": "a share"}
    assert found.glance().to_dict("records") == [{**said, "n": 2}]
    with pytest.raises(TypeError):
        found.summary["n"] = 3
    with pytest.raises(TypeError):
        made(absence={"key": "absent.table"}).absence["key"] = "absent.recurrent"
    assert made().glance().to_dict("records") == [said]
    of = {"population": "everybody", "cut": date(2022, 1, 1)}
    assert made(**of).glance().to_dict("records") == [said | of]
    assert made().conf_level == 0.95


@pytest.mark.parametrize("changes", [{"kind": ""}, {"estimand": ""}])
def test_a_result_says_what_it_is(changes: dict[str, str]) -> None:
    with pytest.raises(AnalysisError) as caught:
        made(**changes)
    assert str(caught.value) == "Estimates: kind and estimand must be said"


def test_the_id_is_of_the_question_and_not_of_the_answer() -> None:
    one = made()
    assert len(one.id) == 12 and int(one.id, 16) >= 0
    words = {"estimand": "b", "population": "c", "notes": ("x",)}
    same = made(data=pd.DataFrame({"estimate": [5.0]}), summary={"n": 1}, conf_level=0.9, **words)
    assert same.id == one.id
    others = [made(kind="trend"), made(asked={"days": 3}), made(asked={"days": 4}), made(analysis=stats.Proportion()), made(analysis=stats.Proportion(conf_level=0.9))]  # fmt: skip
    assert len({one.id, *(other.id for other in others)}) == 6
    assert one.about(asked={"days": 3}).id == made(asked={"days": 3}).id != one.id
    assert one.about(asked={"days": 3}).tidy().equals(one.tidy())
    with pytest.raises(TypeError):
        one.asked["days"] = 3
    assert isinstance(stats.Proportion(), Analysis) and not isinstance(one, Analysis)


def test_in_a_notebook_it_says_what_it_is() -> None:
    text = made(data=pd.DataFrame({"estimate": np.arange(50.0)}))._repr_html_()
    assert text.startswith("<p><strong>funnel</strong>: a share</p><table") and "dataframe" in text
    assert text.count("<tr>") == 25 and "<th>0</th>" not in text  # no index
    assert "... and 25 more rows" in text


# -- the glossary ------------------------------------------------------------------------------------------------------
def test_every_count_is_called_one() -> None:
    kinds = {kind: [c.name for c in COLUMNS.values() if c.kind == kind] for kind in ("count", "text", "date")}
    assert kinds["count"] == [
        "n",
        "n_risk",
        "n_event",
        "n_censor",
        "n_entry",
        "n_excluded",
        "n_missing",
        "n_session",
        "baseline_n",
    ]
    assert kinds["text"] == [
        "group",
        "contrast",
        "term",
        "label",
        "variable",
        "cause",
        "state",
        "method",
        "measure",
        "verdict",
        "sentence",
        "source",
        "estimate_id",
        "period",
    ]
    assert kinds["date"] == []
    assert {c.kind for c in COLUMNS.values()} == {"count", "text", "number"}
    assert {name: c.name for name, c in COLUMNS.items()} == {name: name for name in COLUMNS}


def test_columns_are_held_to_the_glossary() -> None:
    check(pd.DataFrame({"group": [1], "n": [1.5], "estimate": [2]}), "funnel")
    said = [
        ({"conf_lo": [1.0]}, "funnel: result column 'conf_lo' is not in evalkit.glossary; did you mean 'conf_low'?"),
        ({"zz": [1.0]}, "funnel: result column 'zz' is not in evalkit.glossary"),
        ({"estimate": ["1"]}, "funnel: result column 'estimate' must be numeric, it is object"),
        ({"n": ["1"]}, "funnel: result column 'n' must be numeric, it is object"),
    ]
    for columns, words in said:
        with pytest.raises(AnalysisError) as caught:
            check(pd.DataFrame(columns), "funnel")
        assert str(caught.value) == words


def test_lines_of_the_glossary() -> None:
    assert COLUMNS["time"] == Column("time", "number", "days", "time since the origin of the scale")
    assert describe(["n", "time"]).to_dict("list") == {
        "name": ["n", "time"],
        "kind": ["count", "number"],
        "unit": ["people", "days"],
        "meaning": ["people (or rows) the estimate is about: the denominator", "time since the origin of the scale"],
    }


# -- errors ------------------------------------------------------------------------------------------------------------
def test_exit_codes() -> None:
    codes = {name: getattr(errors, name).exit_code for name in errors.__all__ if name.endswith("Error")}
    assert codes == {
        "EvalkitError": 1, "UsageError": 2, "ProtocolError": 3, "DataError": 4, "AnalysisError": 5, "DisclosureError": 6,
        "ExecutionError": 7, "ExecutionTimeoutError": 8, "PublicationError": 9, "ReleaseError": 10, "MissingToolError": 11,
        "VerificationError": 12,
    }  # fmt: skip
    assert all(issubclass(getattr(errors, name), errors.EvalkitError) for name in codes)
    assert issubclass(errors.ExecutionTimeoutError, errors.ExecutionError)
    assert errors.DataError("x").lines == ()


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("perod", "; did you mean 'period'?"),
        ("study", "; did you mean 'study'?"),
        ("abx", "; did you mean 'abc'?"),
        ("axx", ""),
        ("", ""),
    ],
)
def test_a_hint_only_where_a_word_is_near(word: str, near: str) -> None:
    assert did_you_mean(word, ["abd1", "period", "study", "abc"]) == near


def test_of_words_that_differ_in_letter_case_alone_the_first_is_meant() -> None:
    assert did_you_mean("Period", ["periods", "PERIOD", "period"]) == "; did you mean 'PERIOD'?"
