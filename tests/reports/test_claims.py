"""The agreement test has teeth: a number under another name, in another role or with another direction is noticed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from evalkit.disclosure import Safe
from evalkit.report import conclusions
from evalkit.report._findings import page_one
from evalkit.views import Gap, Look
from evalkit.words import within, words
from reports.claims import Claims, fits, swapped, under_another_name
from reports.grid import wrong_in_grid
from reports.made import shown as _shown
from reports.made import told
from reports.test_conclusions import outcome, results
from reports.test_findings import BOTH, ON_90, ON_182, change, on, referred
from views.made import GROUPS, HIGHER, LOWER, NONE, shares
from views.seen import CURVES, INCIDENCES, draw, headline, safe_numbers, sentences

shown = _shown
PILOT, PAIP = GROUPS


def rows_of(given: Mapping[str, Safe]) -> pd.DataFrame:
    """Every safe row of these results, as the agreement test sees them."""
    parts = []
    for safe in given.values():
        parts.append(safe_numbers(safe))
        if safe.estimates.kind not in CURVES | INCIDENCES:
            parts.append(safe.estimates.tidy())
    return pd.concat(parts, ignore_index=True)


def swap(one: str, other: str) -> Callable[[str], str]:
    def swapped(text: str) -> str:
        return re.sub(f"{re.escape(one)}|{re.escape(other)}", lambda m: other if m[0] == one else one, text)

    return swapped


N = r"[+−]?(?:under |over )?\d[\d,.]*%?"
FAULTS: dict[str, Callable[[str], str]] = {
    "names": lambda t: swapped(t, GROUPS),
    "limits": lambda t: re.sub(rf"\(({N}) to ({N})", r"(\2 to \1", t, count=1),
    "estimate and limit": lambda t: re.sub(rf"({N})( [^%(]*)\(({N}) to", r"\3\2(\1 to", t, count=1),
    "direction": lambda t: swap("clearly higher", "clearly lower")(swap("a clear rise", "a clear fall")(t)),
    "signs": lambda t: swap("fewer", "more")(t) if "of every hundred" in t.lower() else t,
    "more and fewer": lambda t: swap("clearly more days", "clearly fewer days")(swap("days more", "days fewer")(t)),
    "of a quarter ago": swap("Engaged, 55%", "Engaged, 33%"),
    "day": lambda t: re.sub(
        r"day (\d+)|(?:three|six) months", lambda m: f"day {int(m[1]) - 7}" if m[1] else "nine months", t, count=1
    ),
    "people": lambda t: re.sub(r"of (\d+) (people)", lambda m: f"of {int(m[1]) + 5} {m[2]}", t, count=1),
    "causes": swap("disengaged:", "completed:"),
    "a third number": lambda t: re.sub(rf"(?<=was )({N})", "61%", t, count=1),
    "everybody is new": lambda t: re.sub(r"About \d+ of them", "About 1240 of them", t),
    "much more": lambda t: re.sub(r"by (\d+) to (\d+) points", r"by \1 to 9\2 points", t, count=1),
}


GAPS = {
    "funnel": {"Engaged": Gap(0.25, 0.15, 0.34)},
    "cumulative_incidence left": {"disengagement": on(90, Gap(-0.17, -0.29, -0.05))},
    "cumulative_incidence harmed": {"recorded harm": on(182, Gap(-0.19, -0.26, -0.12))},
}
COHORTS = """
group | term | label    | period | variable | n  | n_event
Pilot | a    | Referred | 2022Q1 | referred | 90 | 90
Pilot | b    | Referred | 2022Q2 | referred | 60 | 60
Pilot | c    | Referred | 2022Q3 | referred | 30 | 30
"""
GIVEN = referred(1240, 35) | BOTH | ON_90 | ON_182 | change(Gap(0.34, 0.2, 0.4), 0.41) | {
    "referral_cohorts": shares("referral_cohorts", COHORTS)
}  # fmt: skip
GRID_FAULTS: dict[str, Callable[[str], str]] = {
    "columns": lambda t: re.sub(r"(<td[^>]*>(?:(?!</td>).)*67%(?:(?!</td>).)*</td>)(<td.*?</td>)", r"\2\1", t, count=1),
    "a share": swap("75%</span>", "74%</span>"),
    "a limit": swap("(67%\xa0to\xa082%)", "(66%\xa0to\xa082%)"),
    "people": swap("of 120 people<", "of 125 people<"),
    "counted for estimated": swap("estimate from\xa0", "of "),
    "estimated for counted": swap("of 120 people<", "estimate from\xa0120<"),
    "an alternative text": swap("Pilot: 75%, range", "Pilot: 76%, range"),
    "a dot": swap('cx="75"', 'cx="76"'),
    "the line of a bar": swap("M67 7H82", "M66 7H82"),
    "a gap": swap("+15\xa0to\xa0+34", "+14\xa0to\xa0+34"),
    "a gap's diamond": lambda t: re.sub(r'd="M([\d.]+) 5L', lambda m: f'd="M{float(m[1]) + 3:.1f} 5L', t, count=1),
    "the words of a gap": swap("people, 15 to 34 more", "people, 25 to 34 more"),
    "the direction of a gap's words": swap("people, 15 to 34 more", "people, 15 to 34 fewer"),
    "words of no gap": lambda t: re.sub(r"<svg(?:(?!</td>).)*\+15\xa0to\xa0\+34", "–", t, count=1),
    "the sides of a gap": lambda t: re.sub(r'd="M([\d.]+) 9H([\d.]+)" fill="none" stroke="#55606b"', r'd="M\2 9H\1" fill="none" stroke="#55606b"', t, count=1),
    "a gap's alternative text": swap("Gap in points: from +15", "Gap in points: from −15"),
    "people of a quarter": swap("60 in 2022Q2", "61 in 2022Q2"),
    "another quarter": swap("60 in 2022Q2", "60 in 2022Q3"),
    "a dot of the line": lambda t: re.sub(r'cy="6\.\d"', 'cy="9.9"', t),
}  # fmt: skip


def grid(shown: list[dict[str, Any]]) -> Callable[[str], list[str]]:
    told(GIVEN, GAPS).findings()
    gaps = [gap for own in GAPS.values() for gap in own.values()]
    return lambda text: wrong_in_grid(text, rows_of(GIVEN), gaps, GROUPS)


def test_the_grid_says_what_its_rows_bear_out(shown: list[dict[str, Any]]) -> None:
    wrong = grid(shown)
    assert wrong(shown[1]["text/html"]) == []


@pytest.mark.parametrize("fault", GRID_FAULTS)
def test_faults_in_the_grid(fault: str, shown: list[dict[str, Any]]) -> None:
    wrong = grid(shown)
    text = shown[1]["text/html"]
    assert GRID_FAULTS[fault](text) != text
    assert wrong(GRID_FAULTS[fault](text))


LEFT, STEPS = ON_90["cumulative_incidence left"], BOTH["funnel"]
TREND = """
group | term | label   | period | variable | n   | n_event
Pilot | a    | Engaged | 2022Q1 | engaged  | 90  | 30
Pilot | b    | Engaged | 2022Q2 | engaged  | 120 | 66
PAIP  | a    | Engaged | 2022Q1 | engaged  | 300 | 240
PAIP  | b    | Engaged | 2022Q2 | engaged  | 400 | 360
"""
RESULTS = {
    "incidences": (LEFT, {"disengagement": on(90, Gap(-0.17, -0.29, -0.05))}, {"names", "limits", "day", "causes", "direction"}),
    "shares": (STEPS, {"Engaged": Gap(0.25, 0.15, 0.34)}, {"names", "limits", "people", "direction", "much more"}),
    "trend": (shares("trend", TREND), {}, {"names", "limits", "of a quarter ago"}),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_faults_in_sentences_headlines_and_alternative_texts(name: str) -> None:
    safe, gaps, faults = RESULTS[name]
    claims = Claims(rows_of({"": safe}), list(gaps.values()), GROUPS)
    texts = [sentences(safe, GROUPS, gaps=gaps), headline(safe, GROUPS, gaps=gaps)]
    if name != "incidences":
        texts.append(draw(safe, GROUPS, Look())[1])
    assert [claims.wrong(text) for text in texts] == [[]] * len(texts)
    for fault in faults:
        changed = [(text, FAULTS[fault](text)) for text in texts if FAULTS[fault](text) != text]
        assert changed, fault
        assert all(claims.wrong(new) for _, new in changed), (fault, changed)


@pytest.mark.parametrize("low", [-0.12, -0.11])
@pytest.mark.parametrize("more", ["", "; completing has no figure from a year ago"])
def test_a_change_that_is_unclear_has_its_own_range(low: float, more: str) -> None:
    row = {"group": PILOT, "baseline": 0.4, "estimate": -0.03, "conf_low": low, "conf_high": 0.06, "n": 100.0}
    key, harm = "find.changed.none.harm", "; for harm it is unclear, too."
    text = words(key, within=within(PILOT), when="a year ago", shares=f"12 fewer to 6 more may engage{more}")
    assert text.endswith(harm)
    wrong = Claims(pd.DataFrame([row]), [], GROUPS).wrong(text)
    assert [one.partition(":")[0] for one in wrong] == ([] if low == -0.12 else ["find.changed.engaged.none"])


def test_faults_in_conclusions(shown: list[dict[str, Any]]) -> None:

    given = results()
    conclusions(told(given), [outcome()])
    text = shown[0]["text/markdown"].splitlines()[1]
    rows = rows_of(given).assign(tau=182.0)
    claims = Claims(rows, [], GROUPS)
    assert claims.wrong(text) == []
    for fault in ("names", "day"):
        assert claims.wrong(FAULTS[fault](text)), fault
    assert claims.wrong(text.replace("+8.0 to +32.0", "+32.0 to +8.0"))
    assert claims.wrong(text.replace("clearly higher", "clearly lower"))


def test_a_number_beside_a_name_that_no_message_explains() -> None:
    claims = Claims(rows_of({"": STEPS}), [], GROUPS)
    assert claims.wrong("In Pilot, 75 were engaged.") == ["unexplained: In Pilot, 75 were engaged."]
    assert claims.wrong("In Pilot, many were engaged. See @fig-2.") == []


def test_columns_of_tables_are_those_of_their_group() -> None:
    rows = rows_of({"": STEPS})
    table = [["Step", "Pilot", "PAIP"], ["Engaged", "75% (67% to 82%); 90 of 120", "50% (44% to 56%); 150 of 300"]]
    assert under_another_name(table, rows, GROUPS) == []
    swapped = [[table[0][0], *table[0][:0:-1]], table[1]]
    assert len(under_another_name(swapped, rows, GROUPS)) == 2
    lines = [["Event", "Group", "Share"], ["A", "PAIP", "75% (67% to 82%)"]]
    assert under_another_name(lines, rows, GROUPS) == ["PAIP: 75% (67% to 82%)"]


@pytest.mark.parametrize(
    ("said", "value", "right"),
    [
        ("75%", 0.7512, True), ("75%", 0.757, False), ("under 1%", 0.004, True), ("under 1%", 0.0, False),
        ("over 99%", 0.996, True), ("over 99%", 1.0, False), ("1,240", 1240, True), ("1,240", 1250, False),
        ("+13.5", 0.1351, True), ("−13.5", 0.1351, False), ("−13.5", -0.1351, True), ("mean 31.2", 31.24, True),
        ("30%, 60 people", 0.3, True), ("60 people, 30%", 0.3, True), ("60 people, 31%", 0.3, False),
        ("42", 0.42, True), ("not shown", float("nan"), True), ("5%", float("nan"), False), ("0.0", -0.0001, True),
    ],
)  # fmt: skip
def test_how_a_number_may_be_written(said: str, value: float, right: bool) -> None:
    assert fits(said, value) is right


def test_the_gaps_used_here_are_what_they_are_called() -> None:
    assert [gap.direction for gap in (HIGHER, LOWER, NONE)] == ["higher", "lower", "none"]


@pytest.mark.parametrize("moved", [Gap(0.34, 0.2, 0.4), Gap(-0.2, -0.3, -0.1), Gap(0.02, -0.1, 0.1)])
def test_faults_in_what_changed_since_last_quarter(moved: Gap) -> None:
    given = BOTH | change(moved, 0.41)
    (said, *_) = page_one(told(given)).sentences
    claims = Claims(rows_of(given), [], GROUPS)
    assert claims.wrong(said) == []
    assert "in the pilot" in said
    faults = [swapped(said, GROUPS)]
    if "clearly" in said:
        faults += [FAULTS["much more"](said), swap("clearly rose", "clearly fell")(said), said.replace("41%", "42%")]
    else:
        faults += [said.replace("10 fewer", "9 fewer"), said.replace("10 more", "11 more")]
    assert all(claims.wrong(one) for one in faults)
