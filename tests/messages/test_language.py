"""The language in force: what is said in it, how numbers look, and a notebook's prose."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import evalkit.words as words_of
from evalkit.errors import AnalysisError, ProtocolError, PublicationError
from evalkit.periods import Period
from evalkit.publish.rendering._notebook import catalogue_of, in_language, prose
from evalkit.words import (
    between,
    count,
    decimal,
    horizon,
    interval,
    listed,
    long_date,
    numbered,
    p_value,
    percent,
    points,
    speak,
    speaking,
    speech,
    translated,
    translated_names,
    translation,
    words,
    wrapped,
)
from evalkit.words._numbers import joined

OWN = {
    "Pilot": "Piloto", "PAIP": "PAIP", "Gender": "Género", "Man": "Hombre", "Woman": "Mujer", "Loop": "Loop",
    "people who came to it, or were sent": "personas que vinieron, o que fueron enviadas",
}  # fmt: skip


def test_english_stands_as_it_is() -> None:
    assert translated("Intake within 30 days") == "Intake within 30 days"
    assert translated("referred on or after 2021-11-18") == "referred on or after November 18, 2021"
    assert words("people.one", n="Yes") == "Yes person"
    assert translated("batch 2021-99-18") == "batch 2021-99-18"  # no day, though it looks like one


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("Pilot", "Piloto"),
        ("gender", "género"),  # inside a sentence
        ("Intake within 30 days", "Entrevista inicial en 30 días"),
        ("intake within 30 days", "entrevista inicial en 30 días"),
        ("Man or woman", "Hombre o bien mujer"),
        ("Gender: Man (reference: Woman)", "Género: Hombre (referencia: Mujer)"),
        ("Gender, Pilot", "Género, Piloto"),
        (
            "Target: people like those in the group “Pilot” (ATT)",
            "Población: personas como las que están en el grupo «Piloto» (ATT)",
        ),
        ("people who came to it, or were sent", "personas que vinieron, o que fueron enviadas"),
        # what holds one word of a pattern is not put together of halves
        ("to be, or not to be", "to be, or not to be"),
        ("Bennett to Hernan (2005). Title", "Bennett to Hernan (2005). Title"),
        ("Loop", "Loop"),
        ("0.3 to 0.4", "0.3 a 0.4"),
        ("2023Q4", "2023Q4"),
        ("referred on or after 2021-11-18", "personas referidas desde el 18 de noviembre de 2021"),
        ("2021-02-31", "2021-02-31"),  # no day
        ("", ""),
    ],
)
def test_words_of_analyses_and_protocol(english: str, spanish: str) -> None:
    with speaking("es-US", OWN):
        assert translated(english) == spanish


def test_keys_of_data_files_are_the_same_in_each_language() -> None:
    """Programs look for them: the release site does, in reports of both languages."""
    keys = {"term": ["left", "published"], "measure": ["difference", "published"]}
    with speaking("es-US", OWN):
        found = translated_names(
            pd.DataFrame({**keys, "group": ["Pilot", "published"], "label": ["gender", "difference"]})
        )
    assert found[["term", "measure"]].to_dict("list") == keys
    assert found["label"].tolist() == ["género", "diferencia"]


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("Earlier arrests, 2 against 0", 26, ["Earlier arrests, 2", "against 0"]),
        ("Problem alcohol use, yes or no", 28, ["Problem alcohol use, yes", "or no"]),
        ("Within thirty days", 15, ["Within thirty", "days"]),
        ("Something 0", 9, ["Something", "0"]),
    ],
)
def test_no_short_word_is_left_alone_on_the_last_line_of_a_name(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width).split("\n") == lines


def test_what_stands_in_a_message_is_translated_too() -> None:
    with speaking("es-US", OWN):
        assert words("in the group “{group}”", group="Pilot") == "en el grupo «Piloto»"
        assert listed(["Pilot", "PAIP", "gender"]) == "Piloto, PAIP y género"
        assert wrapped("Intake within 30 days", 12) == "Entrevista\ninicial en\n30 días"
        with pytest.raises(AnalysisError, match=r"no message 'gap\.nowhere'"):
            words("gap.nowhere")


@pytest.mark.parametrize(("n", "said"), [(0, "ninguna persona"), (1, "1 persona"), (2, "2 personas")])
def test_plural_forms(n: int, said: str) -> None:
    with speaking("es-US"):
        assert numbered("people", n) == said


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-US", ["62%", "over 99%", "under 1%", "73.4%", "+13.5", "−0.38", "1,060", "40%\u00a0to\u00a060%", "0.047"]),
        ("es-US", ["62%", "más del 99%", "menos del 1%", "73.4%", "+13.5", "−0.38", "1,060", "40%\u00a0a\u00a060%", "0.047"]),
        (
            "es-ES",
            ["62\u00a0%", "más del 99\u00a0%", "menos del 1\u00a0%", "73,4\u00a0%", "+13,5", "−0,38", "1.060",
             "40\u00a0%\u00a0a\u00a060\u00a0%", "0,047"],
        ),
        ("fr-FR", ["62%", "over 99%", "under 1%", "73.4%", "+13.5", "−0.38", "1,060", "40%\u00a0to\u00a060%", "0.047"]),
    ],
)  # fmt: skip
def test_numbers(locale: str, said: list[str]) -> None:
    with speaking(locale):
        found = [percent(0.624), percent(0.996), percent(0.004), percent(0.734, 1), points(0.1345), decimal(-0.38)]
        assert [*found, count(1060), interval(0.4, 0.6), p_value(0.047)] == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (lambda: percent(0.625), "63%"),  # a half goes up, also where binary lies a little below it
        (lambda: percent(0.285), "29%"),
        (lambda: percent(0.6249), "62%"),
        (lambda: points(0.0625), "+6.3"),
        (lambda: points(-0.0625), "−6.3"),
        (lambda: decimal(2.5, 0), "3"),
        (lambda: decimal(62.5, 0), "63"),
        (lambda: count(62.5), "63"),
        (lambda: interval(0.625, 0.285), "63%\u00a0to\u00a029%"),
    ],
)
def test_a_half_is_rounded_one_way_by_every_writer(number: Callable[[], str], said: str) -> None:
    assert number() == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (lambda: points(0.0004), "0.0"),  # nothing has no sign
        (lambda: points(-0.0004), "0.0"),
        (lambda: points(0.0005), "+0.1"),
        (lambda: points(-0.0005), "−0.1"),
        (lambda: points(0.004, 0), "0"),
        (lambda: decimal(-0.004), "0.00"),
        (lambda: p_value(0.001), "0.001"),
        (lambda: p_value(0.00099), "<0.001"),
        (lambda: p_value(1.0), "1.000"),
        (lambda: p_value(0.0149, coarse=True), "≤0.01"),
        (lambda: p_value(0.015, coarse=True), "0.02"),
        (lambda: interval(float("nan"), 0.4), "–"),
        (lambda: interval(0.4, float("nan")), "–"),  # half an interval is none
        (lambda: interval(None, 0.4), "–"),
        (lambda: interval(0.4, None), "–"),
        (lambda: interval(0.4, float("inf"), share=False), "0 to ∞"),
        (lambda: p_value(float("nan")), "–"),
        (lambda: count(float("inf")), "–"),
    ],
)
def test_where_a_number_is_next_to_nothing_or_not_there(number: Callable[[], str], said: str) -> None:
    assert number() == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("El menos del 1% vino", "Menos del 1% vino"), ("vino el más del 99%", "vino más del 99%"),
        ("Del menos del 1%", "De menos del 1%"), ("fue del más del 99%", "fue de más del 99%"),
        ("un menos del 1%", "menos del 1%"), ("el 5% y del 6%", "el 5% y del 6%"),
    ],
)  # fmt: skip
def test_a_share_that_begins_with_a_word_has_no_article(text: str, said: str) -> None:
    assert (joined(text, "es"), joined(text, "en")) == (said, text)


def test_no_other_module_of_reports_writes_a_share_by_itself() -> None:
    """A number written by Python's own format would round a half to the even digit: 62.5 as 62, and 63 beside it."""
    sources = Path(words_of.__file__).parents[1]
    by_itself = {
        file.relative_to(sources).as_posix()
        for part in ("views", "report", "site", "words")
        for file in (sources / part).glob("*.py")
        if re.search(r"\{[^{}]*:[+,]?\.[\d{]\w*\}?[f%]\}", file.read_text(encoding="utf-8"))
    }
    assert by_itself == {"views/indicators.py"}  # where the lines of its small pictures lie


@pytest.mark.parametrize(
    ("day", "english", "spanish"),
    [
        (90, "three months", "a los tres meses"),
        (182, "six months", "a los seis meses"),
        (183, "six months", "a los seis meses"),
        (270, "nine months", "a los nueve meses"),
        (91, "three months", "a los tres meses"),
        (365, "one year", "al año"),
        (547, "eighteen months", "a los dieciocho meses"),
        (730, "two years", "a los dos años"),
        (364, "day 364", "al día 364"),
        (90.5, "day 91", "al día 91"),
        (1060, "day 1,060", "al día 1,060"),
    ],
)
def test_horizons_are_said_in_months_where_their_days_are_called_so(day: float, english: str, spanish: str) -> None:
    assert horizon(day) == english
    with speaking("es-US"):
        assert horizon(day) == spanish


@pytest.mark.parametrize(
    ("label", "english", "spanish"),
    [
        ("Dose reached within 270 days", "Dose reached within nine months", "Dosis alcanzada en nueve meses"),
        ("Completed within 365 days", "Completed within one year", "Completado en un año"),
        ("Completed within 269 days", "Completed within 269 days", "Completado en 269 días"),
        ("Came back within 90 days, of those who had disengaged", "Came back within three months, of those who had disengaged",
         "Volvieron en tres meses, de quienes se habían desvinculado"),
        ("Engaged: 4 sessions within 90 days of intake", "Engaged: 4 sessions within 90 days of intake",
         "Participación inicial: 4 sesiones en 90 días desde la entrevista inicial"),
    ],
)  # fmt: skip
def test_lengths_of_time_of_labels_are_said_in_months_but_the_days_of_a_rule(
    label: str, english: str, spanish: str
) -> None:
    with speaking("en-US"):
        assert translated(label) == english
    with speaking("es-US"):
        assert (translated(label), translation(label)) == (spanish, spanish)
    with speaking("en-US", {label: "as the study says"}):
        assert translated(label) == "as the study says"


def test_dates_and_periods() -> None:
    with speaking("es-US"):
        assert long_date(date(2023, 12, 31)) == "31 de diciembre de 2023"
        assert Period.parse("2022Q3").title == "tercer trimestre de 2022"
        assert Period.parse("2022-01-01..2022-06-30").title == "del 1 de enero de 2022 al 30 de junio de 2022"
        assert between("1", "2") == "1\u00a0a\u00a02"
    assert Period.parse("2022-01-01..2022-06-30").title == "January 1, 2022 to June 30, 2022"


def test_a_language_that_is_set_holds_until_it_is_set_anew() -> None:
    with speaking("en-US"):
        speak("es-US", OWN)
        assert (speech().language, translated("Pilot")) == ("es", "Piloto")
        speak("en-US")
        assert translated("Pilot") == "Pilot"


NOTEBOOK = new_notebook(
    cells=[
        new_markdown_cell(
            '::: {.newpage}\n:::\n\n# Harm {#sec-harm}\n\nSaid [@one]. [If so.]{.content-visible when-meta="x"}'
        ),
        new_code_cell(
            '#| label: fig-a\n#| fig-cap: "A: caption"\n#| fig-alt: Chart of bars\nreport.show(a, x_label="Share")'
        ),
    ]
)
PO = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "Harm"
msgstr "Daño"

msgid "Said [@one]. [If so.]{.content-visible when-meta=\\"x\\"}"
msgstr "Dicho [@one]. [Si es así.]{.content-visible when-meta=\\"x\\"}"

msgid "A: caption"
msgstr "Una: \\"leyenda\\""
"""
LAST = '\nmsgid "Chart of bars"\nmsgstr "Gráfica de barras"\n'


def test_prose_of_a_notebook(tmp_path: Path) -> None:
    file = tmp_path / "own.ipynb"
    assert prose(NOTEBOOK) == [
        "Harm",
        'Said [@one]. [If so.]{.content-visible when-meta="x"}',
        "A: caption",
        "Chart of bars",
    ]
    assert in_language(NOTEBOOK, file, "es") is NOTEBOOK  # written in it, as far as anybody knows
    catalogue_of(file, "es").write_text(PO + LAST, encoding="utf-8")
    before = [cell.source for cell in NOTEBOOK.cells]
    spoken = in_language(NOTEBOOK, file, "es")
    assert [cell.source for cell in spoken.cells] == [
        '::: {.newpage}\n:::\n\n# Daño {#sec-harm}\n\nDicho [@one]. [Si es así.]{.content-visible when-meta="x"}',
        '#| label: fig-a\n#| fig-cap: "Una: \\"leyenda\\""\n#| fig-alt: "Gráfica de barras"\nreport.show(a, x_label="Share")',
    ]
    assert [cell.source for cell in NOTEBOOK.cells] == before
    assert in_language(NOTEBOOK, file, "en") is NOTEBOOK


def test_a_paragraph_without_translation_names_its_cell(tmp_path: Path) -> None:
    file = tmp_path / "own.ipynb"
    catalogue_of(file, "es").write_text(PO, encoding="utf-8")
    with pytest.raises(PublicationError, match=r"^cell 2: 'Chart of bars' has no translation; add it to own\.es\.po$"):
        in_language(NOTEBOOK, file, "es")
    long: Any = new_notebook(cells=[new_markdown_cell("A paragraph that is too long to be quoted whole in a message")])
    with pytest.raises(
        PublicationError, match=r"^cell 1: 'A paragraph that is too long to be \.\.\.' has no translation"
    ):
        in_language(long, file, "es")


def test_a_catalogue_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "own.ipynb"
    catalogue_of(file, "es").write_text("msgid nothing\n", encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"own\.es\.po: is not a readable catalogue"):
        in_language(NOTEBOOK, file, "es")


def test_a_language_inside_another_is_in_force_until_its_end() -> None:
    with speaking("es-US") as outer:
        with speaking("en-US", {"a": "b"}) as inner:
            assert (inner.locale, dict(inner.own), speech()) == ("en-US", {"a": "b"}, inner)
        assert speech() is outer
