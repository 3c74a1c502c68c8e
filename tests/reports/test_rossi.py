"""The main job on real people's data: the final report of the released-prisoners experiment."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from evalkit.analyses import harm_model
from evalkit.cohort import build
from evalkit.intake import open_data
from evalkit.periods import Period
from evalkit.protocol import load_study
from publish.standin import environment, pdf_pages

# Allison (1995), Survival Analysis Using SAS, output 5.1, and Fox and Weisberg (2018), Cox Proportional-Hazards
# Regression for Survival Data in R, appendix to An R Companion to Applied Regression: coxph(... ) of Rossi.
PUBLISHED = {
    "fin": (-0.37942, 0.68426, 0.19138, 0.0474),
    "age": (-0.05744, 0.94418, 0.02200, 0.0090),
    "race": (0.31390, 1.36875, 0.30799, 0.3081),
    "wexp": (-0.14980, 0.86088, 0.21222, 0.4803),
    "mar": (-0.43370, 0.64810, 0.38187, 0.2561),
    "paro": (-0.08487, 0.91863, 0.19576, 0.6646),
    "prio": (0.09150, 1.09581, 0.02865, 0.0014),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rossi")
    call = [sys.executable, "-m", "evalkit"]
    subprocess.run([*call, "example", "rossi", "--out", str(place / "study")], check=True, capture_output=True)
    done = subprocess.run(
        [*call, "render", "final", "--study", str(place / "study" / "study.yaml"), "--out", str(place / "reports")],
        env=environment(place),
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
    )
    assert done.returncode == 0, done.stderr
    return place


def test_model_gives_the_published_values(folder: Path) -> None:
    study = load_study(folder / "study" / "study.yaml")
    rows = harm_model(build(open_data(study).at(Period.parse("1972Q4").cut)), smallest=1).tidy().set_index("term")
    assert list(rows.index) == list(PUBLISHED)
    for term, (coefficient, ratio, error, p) in PUBLISHED.items():
        row = rows.loc[term]
        assert row["estimate"] == pytest.approx(coefficient, abs=5.1e-6)
        assert row["hazard_ratio"] == pytest.approx(ratio, abs=5.1e-6)
        assert row["std_error"] == pytest.approx(error, abs=5.1e-6)
        assert row["p_value"] == pytest.approx(p, abs=5.1e-5)


def test_report_shows_the_published_values(folder: Path) -> None:
    release = folder / "reports" / "rossi" / "final" / "1972Q4"
    page = html.unescape((release / "report.html").read_text(encoding="utf-8"))
    table = page[page.index('id="tbl-harm"') :]
    table = table[: table.index("</table>")]
    rows = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    ]
    shown = [(row[1], row[2], row[4]) for row in rows if len(row) == 5]
    wanted = [
        (
            f"{coefficient:.3f}".replace("-", "−"),
            f"{ratio:.3f}",
            f"{p:.3f}" if term == "fin" else "",
        )  # the group's alone
        for term, (coefficient, ratio, _, p) in PUBLISHED.items()
    ]
    assert shown == wanted


def test_absent_tables_are_said_in_a_sentence_each(folder: Path) -> None:
    page = (folder / "reports/rossi/final/1972Q4/report.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", page)
    for what in ("the funnel from referral to completion", "retention", "completion"):
        assert f"The sessions table is not part of this study, so {what} cannot be reported." in text


def test_real_people_are_not_called_synthetic(folder: Path) -> None:
    release = folder / "reports" / "rossi" / "final" / "1972Q4"
    assert "Synthetic data" not in (release / "report.html").read_text(encoding="utf-8")
    assert not any("ynthetic" in sheet for sheet in pdf_pages(release / "report.pdf"))
    assert json.loads((release / "manifest.json").read_text())["synthetic"] is False


def test_no_identifier_is_published(folder: Path) -> None:
    ids = pd.read_csv(folder / "study" / "participants.csv", dtype=str)["participant_id"]
    release = folder / "reports" / "rossi" / "final" / "1972Q4"
    for name in ("report.html", "manifest.json"):
        text = (release / name).read_text(encoding="utf-8")
        if name == "report.html":  # letters of the typefaces are no text
            text, n = re.subn(r'url\("data:font/woff2;base64,[^"]*"\)', "", text)
            assert n == 6
        assert not any(one in text for one in ids)


def test_people_who_no_court_sent_are_not_spoken_of_as_if_it_had(folder: Path) -> None:
    page = (folder / "reports/rossi/final/1972Q4/report.html").read_text(encoding="utf-8")
    report = page[page.index('id="report"') :]
    for word in ("mandate", "court", "pilot", "intimate"):
        assert word not in report.lower(), word
    assert "The groups were made by lot" in report


def test_what_nobody_recorded_is_called_that(folder: Path) -> None:
    page = (folder / "reports/rossi/final/1972Q4/report.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", page)
    for title in ("Home of the people referred, by community area; Who referred people to the program", "Days from an"):
        assert re.search(rf"{title}[^.]*\. Not shown: it is not recorded\.", text), title
