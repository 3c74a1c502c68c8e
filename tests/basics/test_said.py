"""What is said of numbers, excuses and limits, in whole."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit.disclosure._digits import Digits, cut
from evalkit.errors import AnalysisError
from evalkit.excuses import ENVIRONMENT, Passed, excuse_text
from evalkit.markup import plain
from evalkit.protocol import Excuse
from evalkit.rounding import half_up
from evalkit.wilson import normal_quantile, wilson
from evalkit.words import Messages, decimal, marked, messages_for

EXCUSES = (
    Excuse(table="sessions", rule="late_entry", reason="The new system came in May.", by="Ann", until=date(2023, 5, 31)),
    Excuse(table="exits", column="reason", rule="unknown_level", reason="Site 2 writes its own words.", by="Bob", until=date(2023, 6, 1)),
)  # fmt: skip


def test_a_render_tells_its_kernel_what_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert Passed.from_render() == Passed((), (), "")
    monkeypatch.setenv(ENVIRONMENT, "")
    assert Passed.from_render() == Passed()
    monkeypatch.setenv(ENVIRONMENT, Passed(EXCUSES, ("a warning",), "abc").to_kernel())
    assert Passed.from_render() == Passed(EXCUSES, (), "abc")


def test_what_was_excused_by_whom_and_why() -> None:
    text = plain(excuse_text(EXCUSES, Messages("en-US")).replace(chr(0xF000A), "\n"))
    lead = "The tables break rules of this study, which was excused for a time. Figures that rest on them can be off."
    one = "Table sessions, rule “late entry”: The new system came in May. (decided by Ann, until May 31, 2023)"
    two = "Table exits reason, rule “unknown level”: Site 2 writes its own words. (decided by Bob, until June 1, 2023)"
    assert [line for line in text.split("\n") if line] == [lead, one, two]


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (1e-9, "under 1%"), (0.00499, "under 1%"), (0.005, "1%"), (0.01, "1%"), (0.015, "2%"), (0.5, "50%"), (0.994, "99%"),
     (0.995, "over 99%"), (0.9951, "over 99%"), (1 - 1e-9, "over 99%"), (1, "100%"), (-0.0, "0%"), (1.2, "120%")],
)  # fmt: skip
def test_shares_in_whole_percent(share: float, text: str) -> None:
    assert Messages("en-US").percent(share) == text


@pytest.mark.parametrize("value", [1e17, 1.5e25, 1e200, -1e200, 1.7976931348623157e308])
def test_a_limit_that_is_as_large_as_a_number_can_be_is_written_and_cut(value: float) -> None:
    assert float(half_up(value, 3)) == value
    assert cut(pd.DataFrame({"hr_high": [value]}), {"hr_high": Digits((3, 2))})["hr_high"].tolist() == [value]
    assert decimal(value, 3).endswith(".000")


@pytest.mark.parametrize(("number", "text"), [(1, "1 day of x"), (1.4, "1 day of x"), (0, "0 days of x"), (1.6, "2 days of x"), (2, "2 days of x"), (12345.4, "12,345 days of x")])  # fmt: skip
def test_one_and_many(number: float, text: str) -> None:
    assert Messages("en-US").counted("{n} day of {what}", "{n} days of {what}", number, what="x") == text


def test_languages_and_places() -> None:
    assert [Messages(locale).language for locale in ("en-US", "es-US", "es", "fr-FR", "")] == [
        "en",
        "es",
        "es",
        "en",
        "en",
    ]
    assert messages_for("es-MX") == Messages("es-MX")
    say = Messages("en-US")
    assert say("{n} of {m}") == "{n} of {m}" and say("{n} of {m}", n=1, m=2) == "1 of 2"
    assert marked("Data cut") == "Data cut"
    assert (say.day(date(2023, 5, 1)), Messages("es-ES").day(date(2023, 5, 1))) == ("May 1, 2023", "1 de mayo de 2023")
    assert (Messages("es-ES").count(12345), Messages("fr-FR").count(12345)) == ("12.345", "12,345")


def test_limits_of_shares() -> None:
    low, high = wilson([0, 3, 9, 0], [9, 9, 9, 0], 0.9)
    assert low[[0, 3]].tolist() == [0.0, pytest.approx(np.nan, nan_ok=True)] and high[2] == 1.0 and np.isnan(high[3])
    z, p, n = normal_quantile(0.9), 1 / 3, 9
    for limit in (low[1], high[1]):
        assert (p - limit) ** 2 == pytest.approx(z**2 * limit * (1 - limit) / n)
    assert normal_quantile(0.95) == pytest.approx(1.959963984540054)
    for level in (0, 1, -0.1, 1.5):
        with pytest.raises(AnalysisError) as caught:
            normal_quantile(level)
        assert str(caught.value) == f"conf_level must lie between 0 and 1, it is {level}"


def test_the_package_hands_on_what_notebooks_ask_for() -> None:
    from evalkit import report

    assert evalkit.open_report is report.open_report
    with pytest.raises(AttributeError, match=r"^module 'evalkit' has no attribute 'open_reports'$"):
        evalkit.open_reports  # noqa: B018
