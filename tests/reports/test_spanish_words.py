"""Spanish sentences as a reader would write them: articles before shares, conditions of groups, who caused the harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.protocol import load_study
from evalkit.report._open import _of_conditions
from evalkit.words import catalogue, percent, speaking, translated, words

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.05, "El 5% de las"), (0.004, "Menos del 1% de las"), (0.996, "Más del 99% de las")],
)
def test_a_share_has_its_article(share: float, said: str) -> None:
    with speaking("es-US"):
        assert words("gate.equipoise.pass", value=percent(share)).startswith(said)
        failed = words("gate.equipoise.fail", value=percent(share), limit="20%")
        assert failed.startswith(
            {0.05: "Solo el 5% de", 0.004: "Solo menos del 1% de", 0.996: "Solo más del 99% de"}[share]
        )


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
    files = (*(ROOT / "notebooks").glob("*.es.po"), ROOT / "params" / "study.yaml")
    texts += [file.read_text(encoding="utf-8") for file in files]
    for wrong in ("ingreso", "tenía algún daño", "algún daño registrado", "registre más de su daño", "abandono"):
        assert [text for text in texts if wrong in text.lower()] == [], wrong
