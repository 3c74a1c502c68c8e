"""Several releases of one report: a collision names the way out, and ``--for-each`` makes one for each value."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from evalkit.cli._render import Request, _planned, one_for_each, report_name, told_apart
from evalkit.errors import UsageError
from publish import forked, standin

SITES = {"North": 12, "South side": 11, "Old mill": 10}
HEAD = "participant_id,pathway,referral_date,referral_source,intake_date,site,community_area,outcome_follow_up_end"


def world(folder: Path, sites: dict[str, int]) -> Path:
    """Write a study with so many people at each site, and a report that says its site on the cover."""
    cells = standin.cells()
    cells[0] = new_code_cell(f'{standin.PARAMETERS}\nsite: str = ""', metadata={"tags": ["parameters"]})
    cells[1] = new_code_cell(
        cells[1].source.replace('"Test report"', '(f"Test report: {site}" if site else "Test report")')
    )
    # A number of the table is one of the site's own rows.
    late = (
        f"sum(pd.read_csv({str(folder / 'participants.csv')!r}).query('site == @site')['intake_date'] > '2000-02-10')"
    )
    assert "<td>1</td>" in cells[5].source
    cells[5] = new_code_cell(
        cells[5].source.replace('"<table>', 'f"<table>').replace("<td>1</td>", f"<td>{{364 + {late}}}</td>")
    )
    file = standin.write_world(folder, cells)
    rows = [f"{site}-{k}" for site, n in sites.items() for k in range(n)]
    lines = [
        f"QX{100 + k},{'ab'[k % 2]},2000-01-{k % 28 + 1:02},self,2000-02-10,{who.rpartition('-')[0]},north,2000-12-31"
        for k, who in enumerate(rows)
    ]
    (folder / "participants.csv").write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")
    return file


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.evalkit(arguments[3:], standin.environment(folder), folder)


def evalkit(folder: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, sys.executable, "-m", "evalkit", verb, *arguments, "--study", str(folder / "study.yaml"))


def test_a_report_for_each_site(tmp_path: Path) -> None:
    world(tmp_path, SITES)
    each = standin.command(tmp_path, "--to", "html", "--for-each", "site", "--json")
    done = run(tmp_path, *each)
    found = json.loads(done.stdout)["outcomes"]
    assert [(one["report"], one["status"], one["revision"]) for one in found] == [
        ("tiny.north", "published", 1), ("tiny.south-side", "published", 1),
    ]  # fmt: skip
    assert done.returncode == 0
    # Of a site with ten people nothing is said but in the private log.
    assert "mill" not in (done.stdout + done.stderr).lower()
    assert not list((tmp_path / "reports").rglob("*mill*"))
    log = [json.loads(line) for line in (tmp_path / ".evalkit/tiny/runs.jsonl").read_text("utf-8").splitlines()]
    assert [(one["report"], one["status"]) for one in log] == [
        ("tiny.old-mill", "left_out"), ("tiny.north", "published"), ("tiny.south-side", "published"),
    ]  # fmt: skip
    north = tmp_path / "reports/tiny/tiny.north/2000Q4"
    manifest = json.loads((north / "manifest.json").read_text("utf-8"))
    assert (manifest["report"], manifest["parameters"]["site"], manifest["overridden"]) == (
        "tiny.north",
        "North",
        ["site"],
    )
    assert "Test report: North" in (north / "report.html").read_text("utf-8")
    # The second run makes nothing; so does the same asked for by hand.
    again = run(tmp_path, *each)
    assert [one["status"] for one in json.loads(again.stdout)["outcomes"]] == ["up_to_date", "up_to_date"]
    same = run(tmp_path, *standin.command(tmp_path, "--to", "html", "-P", "site=North", "--as", "north"))
    assert (same.returncode, "up to date" in same.stderr) == (0, True)
    # Another site under the same name is another thing.
    other = run(tmp_path, *standin.command(tmp_path, "--to", "html", "-P", "site=South side", "--as", "north"))
    assert other.returncode == 10
    assert 'parameter site changed from "North" to "South side"' in other.stderr
    assert "--as NAME publishes it beside this one" in other.stderr
    seen = json.loads(evalkit(tmp_path, "status", "tiny", "--out", "reports", "--json").stdout)["outcomes"]
    # Published as HTML only, and the report's file asks for more: so status says; but of both, and of nothing else.
    assert {one["report"] for one in seen} == {"tiny.north", "tiny.south-side"}
    assert [one["report"] for one in seen if one["period"] == "2000Q4"] == ["tiny.north", "tiny.south-side"]
    assert all("parameter" not in one["message"] for one in seen)
    verified = evalkit(tmp_path, "verify", str(north))
    assert verified.returncode == 0, verified.stderr
    # Another row of one site: only that site's release is another one. The others are made again once, and stay.
    table = tmp_path / "participants.csv"
    text = table.read_text("utf-8")
    table.write_text(text.replace("2000-02-10,South side", "2000-02-11,South side", 1), "utf-8")
    foreseen = run(tmp_path, *each, "--explain")
    assert "would be made again and compared: table participants changed" in foreseen.stdout
    for tried in (True, False):
        other = run(tmp_path, *each)
        assert ("tiny.north 2000Q4: cell 1" in other.stderr) is tried
        kept, stale = json.loads(other.stdout)["outcomes"]
        assert (kept["status"], kept["exit_code"]) == ("up_to_date", 0)
        assert kept["message"] == "same outputs, rows that it does not tell of: table participants changed"
        assert (stale["status"], stale["exit_code"], other.returncode) == ("stopped", 10, 10)
        assert (
            "is published already, and would have another tbl-one now (table participants changed)" in stale["message"]
        )
        assert "--supersede 'why' publishes it as a new revision" in stale["message"]
    verified = evalkit(tmp_path, "verify", str(north))
    assert verified.returncode == 0, verified.stdout
    assert "  same outputs, rows that it does not tell of: table participants changed" in verified.stdout
    assert evalkit(tmp_path, "verify", str(north.parents[1] / "tiny.south-side/2000Q4")).returncode == 12
    table.write_text(text, "utf-8")
    site = evalkit(tmp_path, "site", "--out", "site")
    assert site.returncode == 0, site.stderr
    assert (tmp_path / "site/tiny.north/2000Q4/index.html").is_file()
    assert "Test report: South side" in (tmp_path / "site/index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("sites", "column", "parameters", "said"),
    [
        ({"North": 12}, "sit", (), "--for-each sit: the column may be site, community_area, referral_source; did you mean 'site'?"),
        ({"North": 12}, "site", ("site=North",), "-P site and --for-each site both say the site; leave one out"),
        ({"North": 10}, "site", (), "--for-each site: no site has enough people for a report of its own"),
        ({"A+B": 12, "A/B": 12}, "site", (), "--for-each site: its values give no names of folders; render them one by one with --as NAME"),
        ({"+": 12}, "site", (), "--for-each site: its values give no names of folders; render them one by one with --as NAME"),
    ],
)  # fmt: skip
def test_what_cannot_be_fanned_out(
    tmp_path: Path, sites: dict[str, int], column: str, parameters: tuple[str, ...], said: str
) -> None:
    file = world(tmp_path, sites)
    jobs, data = _planned(Request("tiny", parameters=parameters, out=tmp_path / "reports"), file)
    with pytest.raises(UsageError) as refused:
        one_for_each(jobs[0], column, data)
    assert str(refused.value) == said


def test_a_name_is_one_of_folders_and_is_told_apart_again() -> None:
    for name in ("north", "a-1", ""):
        assert told_apart(report_name("quarterly-es", name)) == ("quarterly-es", name)
    for name in ("North", "a.b", "../a", "-a", "a" * 65):
        with pytest.raises(UsageError, match=r"^--as .*: a name has letters a to z, digits and '-', such as "):
            report_name("quarterly", name)


def test_one_name_for_several_is_refused(tmp_path: Path) -> None:
    world(tmp_path, {"North": 12})
    done = run(tmp_path, *standin.command(tmp_path, "--for-each", "site", "--as", "north"))
    assert done.returncode == 2
    assert done.stderr == "evalkit: --as names one release, and --for-each several; leave one out\n"
