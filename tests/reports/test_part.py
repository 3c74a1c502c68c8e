"""A report on a part of the people: of one site, say."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evalkit.errors import DataError, UsageError
from evalkit.excuses import ENVIRONMENT, Passed
from evalkit.intake import open_gate
from evalkit.protocol import freeze, load_study
from evalkit.report import open_report
from evalkit.simulate import simulate
from evalkit.words import speak
from reports.made import STUDY, TABLES, shown  # noqa: F401 - a fixture


@pytest.fixture
def study(tmp_path: Path) -> Path:
    simulate("benefit", seed=5, n_focus=40, n_comparison=60).write(tmp_path / "data")
    paths = "".join(f"  {name}: {{path: data/{name}.csv}}\n" for name in TABLES)
    (tmp_path / "study.yaml").write_text(f"{STUDY}{paths}", encoding="utf-8")
    return tmp_path / "study.yaml"


def test_each_person_is_in_the_report_of_one_site(study: Path) -> None:
    whole = open_report(str(study), "2023Q4").cohort.people
    sites = sorted(whole["site"].unique())
    parts = [open_report(str(study), "2023Q4", where={"site": site}) for site in sites]
    assert len(sites) == 4
    for site, part in zip(sites, parts, strict=True):
        same = whole[whole["site"] == site].reset_index(drop=True)
        pd.testing.assert_frame_equal(part.cohort.people, same, check_dtype=False)
        earlier = part.earlier
        assert earlier is not None
        assert set(earlier.people["site"]) == {site}
    assert open_report(str(study), "2023Q4", where={"site": ""}).only == {}


@pytest.mark.parametrize("same", [True, False])
def test_only_the_very_tables_that_a_render_checked_are_not_checked_again(
    study: Path, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = study.parent / "data" / "participants.csv"
    head, first, *rest = people.read_text(encoding="utf-8").splitlines()
    people.write_text("\n".join([head, first, first, *rest]), encoding="utf-8")  # somebody twice
    gate = open_gate(load_study(study))
    (period,) = gate.periods(["2023Q4"])
    monkeypatch.setenv(ENVIRONMENT, Passed(key=gate.key(period) if same else "other tables").to_kernel())
    if same:
        assert open_report(str(study), "2023Q4").period == period
        return
    with pytest.raises(DataError, match="repeats a participant_id and referral_date"):
        open_report(str(study), "2023Q4")


def test_it_says_whom_it_is_about_and_tells_changes_of_the_whole_protocol(
    study: Path,
    shown: list[dict[str, Any]],  # noqa: F811
) -> None:
    freeze(load_study(study), "v1", "Registered.", date(2022, 1, 1))
    report = open_report(str(study), "2023Q4", title="Quarterly report", where={"site": "Site 2"})
    report.cover()
    report.groups_compared()
    report.deviations()
    assert shown[0]["mark"]["document"]["title"] == "Quarterly report: Site 2"
    assert "Counted in the pilot are only people whose recorded site is Site 2." in shown[1]["text/markdown"]
    assert "arms" not in shown[2]["text/markdown"]
    open_report(str(study), "2023Q4", title="Quarterly report", language="es", where={"site": "Site 2"}).cover()
    assert shown[3]["mark"]["document"]["title"].endswith(": Site 2")
    assert shown[3]["mark"]["document"]["locale"] == "es-US"  # what is asked for goes before the protocol's own
    speak("en-US", {})


def test_what_it_cannot_be_about_is_refused(study: Path) -> None:
    for where, said in (
        ({"sit": "Site 1"}, "open_report: where names 'sit'; it may be community_area, referral_source, site; did you mean 'site'?"),
        ({"site": "Site 9"}, "open_report: nobody is known whose site is 'Site 9'"),
    ):  # fmt: skip
        with pytest.raises(UsageError) as refused:
            open_report(str(study), "2023Q4", where=where)
        assert str(refused.value) == said


def test_a_column_that_is_recorded_of_nobody_yet_makes_nobody_not_everybody(study: Path) -> None:
    file = study.parent / "data" / "participants.csv"
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    rows.assign(site="").to_csv(file, index=False)
    with pytest.raises(UsageError, match=r"^open_report: nobody is known whose site is 'Site 1'$"):
        open_report(str(study), "2023Q4", where={"site": "Site 1"})


def test_the_protocols_own_condition_stays(study: Path) -> None:
    text = study.read_text(encoding="utf-8").replace(
        "label_in: in PAIP}", "label_in: in PAIP, where: {site: [Site 1, Site 2]}}"
    )
    study.write_text(text, encoding="utf-8")
    assert set(open_report(str(study), "2023Q4", where={"site": "Site 2"}).cohort.people["site"]) == {"Site 2"}
    with pytest.raises(UsageError, match=r"^open_report: where says another site than the protocol does of PAIP$"):
        open_report(str(study), "2023Q4", where={"site": "Site 3"})
