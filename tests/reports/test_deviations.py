"""What a report says of its protocol: deviations, the program's items, RE-AIM."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from evalkit.markup import markdown, plain
from evalkit.protocol import Change, Frozen, Programme, ReAim
from evalkit.report import programme, re_aim
from evalkit.views import deviations_text, frozen_words, programme_text, re_aim_text
from evalkit.words import speaking
from reports.made import shown, small  # noqa: F401 - a fixture

V1 = Frozen.model_validate(
    {"name": "v1", "day": "2022-01-03", "why": "Before any result.", "values": {}, "sha256": "f" * 64,
     "analyses": [{"name": "aaa"}]}
)  # fmt: skip
CUT = date(2023, 12, 31)
TOLD = Change.model_validate(
    {"key": "rules.landmark_day", "old": "182", "new": "270", "since": "2022-05-01",
     "what": {"en": "The landmark", "es": "El día de referencia"},
     "why": {"en": "Sessions are weekly.", "es": "Las sesiones son semanales."}}
)  # fmt: skip
SILENT = Change(key="seed", old="1", new="2", version="v2")


def said(*args: Any) -> list[str]:
    return [part for part in plain(markdown(deviations_text(*args))).replace("\\", "").split("\n") if part]


def test_no_change_is_one_line_and_so_is_a_protocol_that_was_never_frozen() -> None:
    assert said([], [], CUT) == [
        "This protocol was never frozen: what was planned and what was added later cannot be told apart."
    ]
    assert said([V1], [], CUT) == [
        "The protocol (rules, outcomes, what is estimated, thresholds) was frozen as v1 on January 3, 2022: "
        "Before any result. Nothing has changed since.",
        "Results were planned in v1, unless their caption says that they were added later.",
    ]
    assert said([V1.model_copy(update={"analyses": []})], [], CUT)[-1].startswith(
        "The frozen protocol names no results"
    )


@pytest.mark.parametrize(("cut", "late"), [(date(2022, 1, 2), True), (date(2022, 1, 3), False)])
def test_a_protocol_frozen_after_the_cut_was_not_registered_beforehand(cut: date, late: bool) -> None:
    sentence = "That is after the last day of this report’s data, so that it was not registered beforehand."
    assert (sentence in said([V1], [], cut)[0]) is late


def test_changes_are_told_from_what_to_what_when_and_why() -> None:
    lead, *rows, _ = said([V1], [TOLD, SILENT], CUT)
    assert lead.endswith("2 values have changed since.")
    assert rows[2:] == [
        "| The landmark `rules.landmark_day` | `182` | `270` | May 1, 2022: Sessions are weekly. |",
        "| `seed` | `1` | `2` | No day and no reason were written down. (frozen as v2) |",
    ]
    with speaking("es-US"):
        lead, *rows, _ = said([V1], [TOLD], CUT)
        assert lead.endswith("Desde entonces ha cambiado un valor.")
        assert rows[2:] == [
            "| El día de referencia `rules.landmark_day` | `182` | `270` | 1 de mayo de 2022: Las sesiones son semanales. |"
        ]


def test_the_provenance_names_the_newest_version_and_its_digest() -> None:
    v2 = V1.model_copy(update={"name": "v2", "day": date(2022, 6, 1), "sha256": "e" * 64})
    assert frozen_words([], []) == "never frozen"
    assert frozen_words([V1, v2], [TOLD]) == f"v2, frozen on June 1, 2022 (digest {'e' * 16}); one deviation"
    with speaking("es-US"):
        assert frozen_words([V1], []) == f"v1, fijado el 3 de enero de 2022 (huella {'f' * 16}); ningún cambio"


def test_items_without_words_are_left_out() -> None:
    told = Programme.model_validate({"dose": {"en": "24 sessions", "es": "24 sesiones"}, "why": "To stop harm"})
    rows = [row for row in plain(markdown(programme_text(told))).split("\n") if row.startswith("|")]
    assert rows == [
        "| Item | In this program |",
        rows[1],
        "| **Why** | To stop harm |",
        "| **When and how much** | 24 sessions |",
    ]
    with speaking("es-US"):
        assert "| **Cuándo y cuánto** | 24 sesiones |" in plain(markdown(programme_text(told)))
    assert programme_text(Programme()) == re_aim_text(ReAim()) == ""


def test_dimensions_lead_to_the_sections_with_their_numbers() -> None:
    told = ReAim.model_validate({"adoption": "Two agencies", "reach": "Adults"})
    rows = [row for row in markdown(re_aim_text(told)).split("\n") if row.startswith("|")][2:]
    assert rows == [
        "| **Reach** | Adults | [Participants](#sec-participants), [From referral to completion](#sec-engagement) |",
        "| **Adoption** | Two agencies | none here |",
    ]


def test_a_report_shows_them_only_where_something_is_told(shown: list[dict[str, Any]]) -> None:  # noqa: F811
    report = small()
    programme(report)
    re_aim(report)
    assert shown == []
    study = report.study.model_copy(
        update={
            "programme": Programme.model_validate({"why": "To stop harm"}),
            "re_aim": ReAim.model_validate({"reach": "x"}),
        }
    )
    programme(replace(report, study=study))
    re_aim(replace(report, study=study))
    report.deviations()
    assert [one["mark"]["kind"] for one in shown] == ["about", "about", "deviations"]
    assert shown[2]["text/markdown"].startswith("This protocol was never frozen")
