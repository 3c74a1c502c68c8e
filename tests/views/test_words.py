"""The catalogue of messages, and the sentences written from numbers."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.disclosure import Policy, make_safe
from evalkit.errors import AnalysisError
from evalkit.stats import cumulative_incidence
from evalkit.views import Gap, gap_words, listed, numbered, words
from evalkit.views._phrases import share_of
from evalkit.words import count, decimal, interval, p_value, percent, points
from evalkit.words._catalogue import messages
from views.seen import headline, sentences

GROUPS = ("Pilot", "PAIP")


def test_messages_are_whole_and_hold_no_number() -> None:
    for key, text in messages("en").items():
        places = [name for _, name, form, _ in string.Formatter().parse(text) if name is not None and not form]
        assert all(place.isidentifier() for place in places), key
        plain = re.sub(r"\{\w+\}", "", text).replace("95%", "")
        assert not re.search(r"\d", plain), key


# Keys that are put together of three parts or with a stem that is handed on: _gap.amount, _gap.gap_words, _headlines._tiles.
BUILT = re.compile(
    r"horizon\.\d+|(points|days|people)\.(lower|higher|same)|gap(\.days)?\.\w+|change\.\w+|head\.(tiles|reach)\.\w+"
)


def literals() -> tuple[set[str], list[re.Pattern[str]]]:
    """Return the texts in the sources, and what texts with places could be; those that begin with a place say nothing."""
    texts: set[str] = set()
    shapes = []
    for file in Path(evalkit.__file__).parent.rglob("*.py"):
        if file.name.startswith("_messages"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                pieces = list(ast.iter_child_nodes(node))
                parts = [re.escape(p.value) if isinstance(p, ast.Constant) else r"[\w ]*(\.\w+)?" for p in pieces]
                if isinstance(pieces[0], ast.Constant) and "." in pieces[0].value:
                    shapes.append(re.compile("".join(parts)))
    for file in (Path(__file__).parents[2] / "notebooks").glob("*.ipynb"):
        texts |= set(re.findall(r'\\"([\w.]+)\\"', file.read_text(encoding="utf-8")))
    return texts, shapes


def unsaid(messages: Iterable[str]) -> list[str]:
    texts, shapes = literals()
    found = []
    for key in messages:
        stem = re.sub(r"\.(zero|one|many|none)$", "", key)
        said = {key, stem} & texts or any(shape.fullmatch(k) for shape in shapes for k in (key, stem))
        found += [] if said or BUILT.fullmatch(stem) or BUILT.fullmatch(key) else [key]
    return found


def test_every_message_is_said_somewhere() -> None:
    assert unsaid(messages("en")) == []
    assert unsaid(["gap.none", "e.limit", "gate.balance.fail", "rmst.mean", "people.many"]) == ["rmst.mean"]


def test_a_missing_message_or_place_is_an_error() -> None:
    with pytest.raises(AnalysisError, match="no message"):
        words("gap.nowhere")
    with pytest.raises(AnalysisError, match="needs 'within'"):
        words("group.share", share="1%")


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.4, 0.6, "50% in the pilot (40% to 60%)"), (np.nan, np.nan, "50% in the pilot"), (0.5, 0.5, "50% in the pilot")],
)
def test_limits_that_are_missing_are_not_written(low: float, high: float, said: str) -> None:
    assert share_of(pd.Series({"estimate": 0.5, "conf_low": low, "conf_high": high}), "Pilot") == said


@pytest.mark.parametrize(("n", "said"), [(0, "no people"), (1, "1 person"), (2, "2 people"), (1060, "1,060 people")])
def test_grammar_of_counts(n: int, said: str) -> None:
    assert numbered("people", n) == said


def test_lists() -> None:
    assert [listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (
            -0.06,
            0.1,
            "Unclear: 6 fewer to 10 more of every hundred people in the pilot than in PAIP.",
        ),
        (0.02, 0.2, "The share is clearly higher in the pilot: by 2 to 20 points."),
        (-0.2, -0.02, "The share is clearly lower in the pilot: by 2 to 20 points."),
        (
            0.0,
            0.3,
            "Unclear: no fewer to 30 more of every hundred people in the pilot than in PAIP.",
        ),
        (0.004, 0.2, "The share is clearly higher in the pilot: by 0.4 to 20 points."),
    ],
)
def test_differences_in_words(low: float, high: float, said: str) -> None:
    assert gap_words(Gap((low + high) / 2, low, high), ("Pilot", "PAIP")) == said


def test_sentence_headline_and_rows_of_incidences_agree() -> None:
    rng = np.random.default_rng(2)
    n = 1200
    data = pd.DataFrame({
        "time": rng.integers(1, 400, n), "cause": rng.integers(0, 3, n), "group": np.where(np.arange(n) % 3, *GROUPS[::-1]),
    })  # fmt: skip
    found = cumulative_incidence(data, "time", "cause", by="group", causes=["disengagement", "completion"])
    safe = make_safe(found, Policy())
    text, head = sentences(safe, GROUPS), headline(safe, GROUPS)
    rows = safe.landmark_rows().set_index(["cause", "group", "time"])["estimate"]
    days = {"three months": 90, "six months": 182, "one year": 365}
    for when, cause, one, two in re.findall(r"By (.+?), (\w+): (\d+)% in the pilot .*? and (\d+)% in PAIP", text):
        name = {"disengaged": "disengagement", "completed": "completion"}[cause]
        assert round(100 * rows[name, "Pilot", days[when]]) == int(one)
        assert round(100 * rows[name, "PAIP", days[when]]) == int(two)
    assert len(re.findall("By (?:three months|six months|one year), ", text)) == 2
    when = re.match(r"By (.+?),", text)[1]
    one, two = (round(100 * rows["disengagement", group, days[when]]) for group in GROUPS)
    assert head == f"By {when}, disengaged: {one}% in the pilot and {two}% in PAIP"


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("write", "given", "said"),
    [
        (percent, (0.0,), "0%"), (percent, (-0.0,), "0%"), (percent, (-1e-17,), "0%"), (percent, (-0.004, 1), "-0.4%"), (percent, (0.0049,), "under 1%"), (percent, (0.0051,), "1%"),
        (percent, (0.1149,), "11%"), (percent, (0.9951,), "over 99%"), (percent, (0.9949,), "99%"), (percent, (1.0,), "100%"),
        (percent, (0.7345, 1), "73.5%"), (percent, (0.0004, 1), "under 1%"), (percent, (None,), "–"), (percent, (NAN,), "–"),
        (points, (-0.0,), "0.0"), (points, (-0.0004,), "0.0"), (points, (0.0004,), "0.0"), (points, (0.0006,), "+0.1"),
        (points, (-0.1249,), "−12.5"), (points, (NAN,), "–"), (points, (None,), "–"),
        (decimal, (-0.0,), "0.00"), (decimal, (-0.004,), "0.00"), (decimal, (-0.006,), "−0.01"), (decimal, (12.345, 1), "12.3"),
        (decimal, (-2.0, 0), "−2"), (decimal, (INF,), "∞"), (decimal, (-INF,), "−∞"), (decimal, (NAN,), "–"), (decimal, (None,), "–"),
        (count, (1060.4,), "1,060"), (count, (999,), "999"), (count, (0,), "0"), (count, (NAN,), "–"), (count, (None,), "–"),
        (points, (0.004, 0), "0"), (points, (-0.004, 0), "0"), (points, (0.006, 0), "+1"), (points, (-0.1249, 0), "−12"),
        (interval, (0.42, 0.58), "42%\xa0to\xa058%"), (interval, (NAN, 0.58), "–"), (interval, (0.42, None), "–"),
        (p_value, (0.05,), "0.050"), (p_value, (0.00099,), "<0.001"), (p_value, (0.001,), "0.001"), (p_value, (NAN,), "–"),
    ],
)  # fmt: skip
def test_how_numbers_are_written(write: Callable[..., str], given: tuple[float, ...], said: str) -> None:
    assert write(*given) == said


@pytest.mark.parametrize(("value", "said"), [(0.0149, "≤0.01"), (0.015, "0.02"), (0.0001, "≤0.01"), (0.145, "0.15")])
def test_a_coarse_p_value_has_two_digits(value: float, said: str) -> None:
    assert p_value(value, coarse=True) == said
