"""Letters that no font of the reports has are found where they come from, before anything runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evalkit.errors import AnalysisError, DataError, ProtocolError, PublicationError, UsageError
from evalkit.intake import open_data, validate
from evalkit.letters import unshown
from evalkit.protocol import load_baselines, load_study
from evalkit.publish.audit._notebook import check_notebook
from evalkit.report import open_report
from evalkit.report._mark import check_letters as check_words
from evalkit.views.style import new_figure, svg_of, themed
from publish import standin

FOREIGN = ["社区外展", "한국어", "ไทย", "हिन्दी", "العربية", "עברית", "\U0001f600", "\U000f002a", "\ue000", "ꙮ", "a社b"]
KNOWN = ["Łódź", "Ελλάδα", "Москва", "Việt Nam", "São Tomé – 5 € “x” …", "≤ ≥ → ×", "e\u0301", "naïve\u00a0x", "ﬁ"]


def study_of(folder: Path, **more: Any) -> Path:
    standin.write_world(folder)
    content = {**yaml.safe_load(standin.STUDY), **more}
    (folder / "study.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder / "study.yaml"


@pytest.mark.parametrize("text", FOREIGN)
def test_a_letter_without_a_font_is_known_as_such(text: str) -> None:
    assert unshown([text])


@pytest.mark.parametrize("text", KNOWN)
def test_what_the_fonts_have_is_drawn_without_a_warning(text: str) -> None:
    assert not unshown([text, None, 5])
    figure = new_figure(1)
    with themed():  # a letter without a shape is a warning, and warnings are errors here
        figure.add_subplot().text(0.5, 0.5, text, weight="semibold")
        assert "<svg" in svg_of(figure)


@pytest.mark.parametrize("text", FOREIGN[:5])
@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("title", "title"), ("organisation", "organisation"), ("focus", "arms.focus.label"), ("harm", "harm.label"),
        ("levels", "covariates.0.levels"), ("areas", "community_areas"), ("sources", "referral_sources"),
        ("translation", "translations.es"), ("tiles", "community_area_tiles"),
    ],
)  # fmt: skip
def test_a_protocol_s_key_is_named(tmp_path: Path, text: str, key: str, place: str) -> None:
    arms = {"focus": {"value": "a", "label": text}, "comparison": {"value": "b", "label": "B"}}
    more: dict[str, Any] = {
        "focus": {"arms": arms},
        "harm": {"harm": {"label": text}},
        "levels": {"covariates": [{"name": "x", "label": "X", "kind": "categorical", "levels": ["a", text]}]},
        "areas": {"community_areas": ["north", text]},
        "sources": {"referral_sources": [text]},
        "translation": {"translations": {"es": {"A study": text}}},
        "tiles": {"community_area_tiles": {text: [0, 0]}},
    }.get(key, {key: text})
    with pytest.raises(ProtocolError, match=r"letters that the reports' fonts do not have") as refused:
        load_study(study_of(tmp_path, **more))
    assert place in str(refused.value)
    assert key == "tiles" or text not in str(refused.value)  # there the name is the key


def test_a_published_figure_s_file_is_named(tmp_path: Path) -> None:
    file = study_of(tmp_path, baselines="b.yaml")
    one = {
        "id": "x",
        "what": "社区",
        "measure": "completion",
        "value": 0.5,
        "unit": "share",
        "denominator": "d",
        "citation": "c",
    }
    (tmp_path / "b.yaml").write_text(yaml.safe_dump({"baselines": [one]}, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ProtocolError, match=r"b\.yaml: key 'baselines\.0\.what'.*fonts"):
        load_baselines(load_study(file))


@pytest.mark.parametrize(
    ("column", "value"),
    [("referral_source", "社区外展"), ("community_area", "한국"), ("site", "מרכז"), ("race_ethnicity", "ไทย")],
)
def test_a_table_s_column_is_named_and_no_value(tmp_path: Path, column: str, value: str) -> None:
    covariates = [{"name": "race_ethnicity", "label": "Background", "kind": "categorical"}]
    file = study_of(tmp_path, covariates=covariates)
    people = pd.DataFrame([line.split(",") for line in standin.PARTICIPANTS.splitlines()])
    people = people.set_axis(list(people.iloc[0]), axis=1).iloc[1:].assign(race_ethnicity="black")
    people.loc[2, column] = value
    people.to_csv(tmp_path / "participants.csv", index=False)
    study = load_study(file)
    found = [f for f in validate(study) if f.rule == "letters_without_a_font"]
    assert [(f.table, f.column, f.severity, f.n_rows, f.rows) for f in found] == [
        ("participants", column, "error", 1, (3,))
    ]
    assert f"tables.participants.values.{column}" in str(found[0])
    for opened in (open_data, lambda study: open_report(str(study.path), "2000Q4")):
        with pytest.raises(DataError, match=rf"participants\.{column}: holds letters") as refused:
            opened(study)
        assert value not in str(refused.value)
    spelt = {"participants": {"path": "participants.csv", "values": {column: {value: "other"}}}}
    (tmp_path / "study.yaml").write_text(
        yaml.safe_dump({**yaml.safe_load(file.read_text(encoding="utf-8")), "tables": spelt}), encoding="utf-8"
    )
    with open_data(load_study(file)) as data:
        assert "other" in set(data.frame("participants")[column])


def test_an_author_s_words_are_looked_at_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="title holds letters"):
        open_report(str(study_of(tmp_path)), "2000Q4", title="季度报告")
    with pytest.raises(AnalysisError, match="a label or note"):
        check_words(("Days", "天"))


@pytest.mark.parametrize(
    "cell",
    [new_markdown_cell("# 标题"), new_code_cell('#| fig-cap: "图"\nx = 1'), new_markdown_cell("All well \U0001f600")],
)
def test_a_cell_of_a_notebook_is_named(cell: Any) -> None:
    fine = [new_markdown_cell("Ça va – très bien…"), new_code_cell("x = '社'  # shown nowhere")]
    check_notebook(new_notebook(cells=fine), ["pdf"])
    with pytest.raises(PublicationError, match=r"^cell 3: holds letters .* --to html"):
        check_notebook(new_notebook(cells=[*fine, cell]), ["pdf", "html"])


def test_identifiers_and_dates_are_never_held_to_it(tmp_path: Path) -> None:
    file = study_of(tmp_path)
    text = re.sub("QX71", "社七一", standin.PARTICIPANTS)
    (tmp_path / "participants.csv").write_text(text, encoding="utf-8")
    with open_data(load_study(file)) as data:
        assert len(data.frame("participants")) == 2
