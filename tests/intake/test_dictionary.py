"""The data dictionary says every column and every number."""

from __future__ import annotations

from pathlib import Path

from evalkit.intake import dictionary
from evalkit.protocol import Study, load_study
from evalkit.words import speaking
from intake.corrupted import good, study_of

ROOT = Path(__file__).parents[2]


def rows(text: str) -> list[list[str]]:
    return [[c.strip() for c in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("|")]


def test_every_column_stands_in_it(tmp_path: Path) -> None:
    tables = good()
    text = dictionary(study_of(tmp_path, tables))
    for name, frame in tables.items():
        assert f"## {name}\n" in text
        for column in frame.columns:
            assert f"| `{column}` |" in text
    assert all(len(row) in {3, 6} for row in rows(text))


def test_what_it_says(tmp_path: Path) -> None:
    study = study_of(tmp_path, good())
    mapped = {
        "participants": {"path": "p.csv", "columns": {"site": "Office|No"}, "values": {"pathway": {"C": "paip"}}},
        "sessions": {"table": "visits", "path": "a.xlsx", "date_format": "%m/%d/%Y"},
    }
    ignore = {"sessions": {"kind": ["orientation"]}}
    rules = {**study.rules.model_dump(), "completion": "dose"}
    text = dictionary(Study.model_validate({**study.model_dump(), "tables": mapped, "ignore": ignore, "rules": rules}))
    assert "`group`, `individual`, `case_management`; kept out: `orientation` |" in text
    assert "None" not in text
    assert "| `age` | `age` | number | column | 16 to 100 | Age |" in text
    assert "| `site` | Office\\|No | text | no | `southside`, `westside` |" in text
    assert "read as: `C` is `paip`" in text
    assert "file `a.xlsx`, table or sheet `visits`, dates as `%m/%d/%Y`" in text
    assert "## exits" in text and "This table is not part of this study." in text
    assert "| `disengagement_gap_days` | 30 | No attended session for this long is disengagement" in text
    assert "| `engaged.sessions` | 4 |" in text
    assert "dropped_out: disengagement, " in text
    assert "| `kinds` | `dv_arrest` |" in text


def test_what_stands_in_files_is_not_translated() -> None:
    study = load_study(ROOT / "params" / "study.yaml")
    with speaking("es-US", {**study.translations["es"], "dv_arrest": "arresto"}):
        text = dictionary(study)
    assert "| `counting_kinds` | `group: all, individual: 4` | Tipos de sesión" in text
    assert "| `origin` | `referral` |" in text
    assert "| `kinds` | `dv_arrest, order_violation, survivor_reported_harm` |" in text
    assert "| `label` | registro de haber causado daño |" in text


def test_of_the_study_itself() -> None:
    text = dictionary(load_study(ROOT / "params" / "study.yaml"))
    assert text.startswith("# Data dictionary of Non-mandated services")
    assert "Of PAIP only people for whom mandate is court; where nobody has a value" in text
    assert "| `mandate` | `mandate` | text | no | `court`, `other_order`, `none` |" in text
    assert "without the one that led to an order" in text
    assert "| `counting_kinds` | `group: all, individual: 4` |" in text
    assert "| `searched_to` | `searched_to` | date | every row |" in text
    assert "West Englewood" in text
