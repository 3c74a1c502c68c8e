"""Spanish sentences as a reader would write them: articles before shares, conditions of groups, who caused the harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.protocol import load_study
from evalkit.report._open import _of_conditions
from evalkit.words import Messages, catalogue, percent, speaking, translated, words

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.05, "El 5% tenía registro de haber causado daño hasta el día 182"),
        (0.004, "Menos del 1% tenía registro de haber causado daño hasta el día 182"),
        (0.996, "Más del 99% tenía registro de haber causado daño hasta el día 182"),
    ],
)
def test_a_share_has_its_article(share: float, said: str) -> None:
    with speaking("es-US", {"recorded harm": "registro de haber causado daño"}):
        text = words("find.harm", share=percent(share), event="recorded harm", day="182", origin="harm.origin.referral",
                     group="Piloto", low="1%", high="9%")  # fmt: skip
        assert said in text
        assert words("find.other", group="Piloto", share=percent(share)).endswith(
            {0.05: "fue del 5%.", 0.004: "fue de menos del 1%.", 0.996: "fue de más del 99%."}[share]
        )


def test_messages_of_other_locales_join_their_shares_too() -> None:
    said = Messages("es-US")("In the {group} group it was {share} ({low} to {high}).", group="A", share="menos del 1%",
                             low="0%", high="3%")  # fmt: skip
    assert said == "En el grupo «A» el porcentaje fue de menos del 1% (0% a 3%)."


def test_conditions_of_groups_are_not_put_word_by_word() -> None:
    own = {"Court": "Tribunal", "site": "site", "North": "North"}
    with speaking("es-US", own):
        assert translated("mandate is court") == "mandato de un tribunal"
        assert translated("mandate is court or other_order") == "mandato «tribunal o bien otra orden»"
        assert translated("mandate is none") == "mandato «ninguno»"
        assert translated("site is North") == "site «North»"


def test_columns_and_values_that_nothing_translates_stand_as_they_are() -> None:
    study = load_study(ROOT / "params" / "study.yaml")
    assert _of_conditions(study) == []  # mandate and court have a translation
    focus = study.arms.focus.model_copy(update={"where": {"ward": ["Third", "court"]}})
    assert _of_conditions(study.model_copy(update={"arms": study.arms.model_copy(update={"focus": focus})})) == [
        "ward",
        "Third",
    ]


def test_no_word_says_income_or_makes_victims_of_those_who_caused_harm() -> None:
    texts = [str(message.string) for message in catalogue("es")]
    for file in ("quarterly", "final"):
        texts.append((ROOT / "notebooks" / f"{file}.es.po").read_text(encoding="utf-8"))
    texts.append((ROOT / "params" / "study.yaml").read_text(encoding="utf-8"))
    for wrong in ("ingreso", "tenía algún daño", "algún daño registrado", "registre más de su daño", "abandono"):
        assert [text for text in texts if wrong in text.lower()] == [], wrong
