"""The quarterly report of studies that lack something: people, tables, sites. It says so, and says nothing wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml

from evalkit.publish.rendering._document import document_of
from evalkit.simulate import simulate
from reports.agreement import RULES, Ran, astray, numbers_of, run, told, unlike_any_row

ROOT = Path(__file__).resolve().parents[2]
People = Callable[[pd.DataFrame], pd.DataFrame]


def later(people: pd.DataFrame) -> pd.DataFrame:
    return people[people["referral_date"].astype(str) >= "2022-01-01"]


def three(people: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([own.head(2 if arm == "non_mandated" else 1) for arm, own in people.groupby("pathway")])


def together(people: pd.DataFrame) -> pd.DataFrame:
    return people.assign(site="one", community_area="Englewood")


WORLDS: dict[str, tuple[str, tuple[str, ...], People | None, str]] = {
    "nobody in the first quarter": ("2021Q4", (), later, "No people have been referred|Not shown: too few"),
    "three people": ("2023Q4", (), three, "Fewer than 11 people"),
    "no sessions": ("2023Q4", ("sessions",), None, "The sessions table is not part of this study"),
    "no outcomes": ("2023Q4", ("outcomes", "searches"), None, "The outcomes table is not part of this study"),
    "one site": ("2023Q4", (), together, "Englewood"),
}


def study(folder: Path, without: tuple[str, ...], edit: People | None) -> Path:
    """Write a small study that lacks tables or people; return its protocol."""
    simulate("benefit", seed=7, n_focus=60, n_comparison=90).write(folder / "data")
    protocol = yaml.safe_load((ROOT / "params/study.yaml").read_text(encoding="utf-8"))
    protocol["tables"] = {
        name: {"path": f"data/{name}.csv", "freshness_days": 1000} for name in protocol["tables"] if name not in without
    }  # few people: their last days may lie long before the cut
    for file in ("baselines.yaml", "disclosure.yaml"):
        (folder / file).write_bytes((ROOT / "params" / file).read_bytes())
    if edit is not None:
        people = edit(pd.read_csv(folder / "data/participants.csv", dtype=str))
        people.to_csv(folder / "data/participants.csv", index=False)
        for name in set(protocol["tables"]) - {"participants"}:
            rows = pd.read_csv(folder / f"data/{name}.csv", dtype=str)
            rows[rows["participant_id"].isin(people["participant_id"])].to_csv(folder / f"data/{name}.csv", index=False)
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(protocol, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", WORLDS)
def test_a_study_that_lacks_something_is_reported(name: str, tmp_path: Path) -> None:
    period, without, edit, words = WORLDS[name]
    protocol = study(tmp_path, without, edit)
    ran = run(ROOT / "notebooks/quarterly.ipynb", study=str(protocol), period=period)
    text = "\n".join(told(shown) for shown in ran.outputs)
    assert re.search(words, text)
    assert not re.search(r"\b(?:nan|inf|None|NaT)\b", text)
    hold_to_numbers(ran)
    assert document_of(ran.executed, toc=False, pdf_standard="ua-1").items


@pytest.mark.parametrize("name", ["nobody in the first quarter", "three people"])
def test_a_final_report_of_nearly_nobody_leads_nowhere_astray(name: str, tmp_path: Path) -> None:
    """Sections, references and words hold where hardly a figure or table is shown."""
    period, without, edit, _ = WORLDS[name]
    protocol = study(tmp_path, without, edit)
    ran = run(ROOT / "notebooks/final.ipynb", study=str(protocol), period=period)
    # "None is claimed" is English here.
    assert not re.search(r"\b(?:nan|inf|NaT)\b", "\n".join(told(shown) for shown in ran.outputs))
    hold_to_numbers(ran)
    assert document_of(ran.executed, toc=True, pdf_standard="ua-1").items  # fails where a reference leads nowhere


def test_prose_refers_to_no_figure_or_table_that_may_be_absent() -> None:
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(file, as_version=4).cells
        assert not [
            cell.id for cell in cells if cell.cell_type == "markdown" and re.search(r"@(?:fig|tbl)-", cell.source)
        ]


def hold_to_numbers(ran: Ran) -> None:
    protocol = " ".join(file.read_text(encoding="utf-8") for file in (ROOT / "params").glob("*.yaml"))
    rules = {number for number, _ in numbers_of(protocol)} | {
        "4",
        "11",
        "12",
        "24",
        "30",
        "36",
        "60",
        "90",
        "120",
        "182",
        "270",
    }
    for shown in ran.outputs:
        if shown.mark["kind"] not in RULES:
            rest = shown.mark["kind"] == "findings"
            assert astray(told(shown), ran.rows(shown), ran.between(shown), rules, rest=rest) == [], told(shown)
            assert unlike_any_row(told(shown), ran.rows(shown)) == [], told(shown)
            assert ran.astray(shown) == [], told(shown)
