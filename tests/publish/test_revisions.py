"""Releases over time: never overwritten, superseded with a reason, and not made again when nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from evalkit.publish.release._changes import FIRST, Revision
from evalkit.words import messages_for
from publish import standin
from publish.standin import pdf_pages, published, write_world
from publish.test_render import BESIDE, GOOD, last_line, run

PLACE = "reports/tiny/tiny/2000Q4"
ALL = [*BESIDE, "tiny/tiny/2000Q4/data/tbl-one.csv", *GOOD]


def numbered(value: float) -> list:
    """Return a notebook whose table shows a number."""
    cells = standin.cells()
    cells[5] = new_code_cell(
        '#| label: tbl-one\n#| tbl-cap: "One table"\n'
        'html = "<table><tr><th>A</th></tr><tr><td>x</td></tr></table>"\n'
        'rows = pd.DataFrame({"group": ["a", "b"], "estimate": [VALUE, 0.5]})\n'
        'emit("table", html, estimate="e1e1e1e1e1e1", kind="made", verdict="released", data=rows)'.replace(
            "VALUE", str(value)
        )
    )
    return cells


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A release and the one that supersedes it."""
    folder = tmp_path_factory.mktemp("two")
    write_world(folder, numbered(0.25))
    assert run(folder).returncode == 0
    before = {name: (folder / "reports" / name).read_bytes() for name in ALL}
    write_world(folder, numbered(0.125))
    refused = run(folder)
    assert refused.returncode == 10
    assert "(notebook changed); --supersede 'why' publishes a new revision" in last_line(refused)
    assert {name: (folder / "reports" / name).read_bytes() for name in ALL} == before
    done = run(folder, "--supersede", "The share was typed wrongly: <b> & #1.")
    assert done.returncode == 0, done.stderr
    return folder, before


def test_a_superseded_release_is_kept_as_it_was(two: tuple[Path, dict[str, bytes]]) -> None:
    folder, before = two
    kept = {name: (folder / "reports" / name.replace("2000Q4", "2000Q4.r1")).read_bytes() for name in before}
    assert kept == before
    assert len(published(folder)) == 2 * len(ALL)


def test_the_manifest_says_what_it_supersedes_and_which_numbers_changed(two: tuple[Path, dict[str, bytes]]) -> None:
    folder, before = two
    manifest = json.loads((folder / PLACE / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["revision"] == 2
    assert manifest["supersedes"] == {"revision": 1, "manifest_sha256": hashlib.sha256(before[GOOD[0]]).hexdigest()}
    assert manifest["change_note"] == "The share was typed wrongly: <b> & #1."
    assert [reason["kind"] for reason in manifest["changes"]["reasons"]] == ["notebook"]
    assert manifest["changes"]["numbers"] == [
        {"output": "tbl-one", "where": "group a", "column": "estimate", "old": 0.25, "new": 0.125}
    ]


def test_readers_see_revision_note_and_changes(two: tuple[Path, dict[str, bytes]]) -> None:
    folder, _ = two
    sheets = [" ".join(sheet.split()) for sheet in pdf_pages(folder / PLACE / "report.pdf")]
    assert "Revision 2, supersedes revision 1. The share was typed wrongly: <b> & #1." in sheets[0]
    text = " ".join(sheets)
    assert "Changes since revision 1" in text
    assert "Table 1: group a, estimate: 0.25 before, 0.125 now." in text
    page = (folder / PLACE / "report.html").read_text(encoding="utf-8")
    assert (
        "<dt>Revision</dt><dd>2, supersedes revision 1. The share was typed wrongly: &lt;b&gt; &amp; #1.</dd>" in page
    )


def test_a_revision_speaks_the_language_of_its_report() -> None:
    say, was = messages_for("es-US"), {"revision": 1, "manifest_sha256": "0"}
    reasons = (
        {"kind": "parameter", "name": "tau", "old": "30", "new": "45"},
        {"kind": "style", "name": "", "old": "sha256:a", "new": "sha256:b"},
    )
    changed = {"output": "tbl-one", "where": "a", "column": "n", "old": None, "new": 0.5}
    again = Revision(2, was, "Otra vez", reasons, (changed,))
    assert again.words(say) == "2, sustituye a la revisión 1. Otra vez"
    text = again.items(["tbl-one"], say)[0].text.replace("\\", "")  # as Markdown is read
    assert "# Cambios desde la revisión 1" in text
    assert "parámetro tau: cambió de 30 a 45" in text
    assert "style: cambió" in text
    assert "- @tbl-one: a, n: antes sin dato, ahora 0.5." in text
    assert not re.search(r"\b(the|before|changed|now)\b", text)
    assert FIRST.words(say) == ""


def test_a_third_one_keeps_both(two: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    folder, before = two
    done = run(folder, "--force", "--to", "html", "--supersede", "Once more")
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / PLACE / "manifest.json").read_text())["revision"] == 3
    assert json.loads((folder / f"{PLACE}.r2" / "manifest.json").read_text())["revision"] == 2
    assert (folder / f"{PLACE}.r1" / "manifest.json").read_bytes() == before[GOOD[0]]


def test_what_did_not_change_is_not_rendered_again(tmp_path: Path) -> None:
    write_world(tmp_path)
    assert "would be rendered: there is no release yet" in run(tmp_path, "--explain").stdout
    assert published(tmp_path) == []
    assert run(tmp_path, "--to", "html").returncode == 0
    first = (tmp_path / PLACE / "manifest.json").stat()
    again = run(tmp_path, "--to", "html")
    assert again.returncode == 0, again.stderr
    assert "up to date" in last_line(again)
    assert "cell 1" not in again.stderr
    assert again.stdout.split() == [str(tmp_path / PLACE / "report.html")]
    assert "up to date: data, parameters" in run(tmp_path, "--to", "html", "--explain").stdout
    told = run(tmp_path, "--to", "html", "--explain", "-P", "horizon_days=30").stdout
    assert "parameter horizon_days changed from 364 to 30" in told
    forced = run(tmp_path, "--to", "html", "--force")
    assert forced.returncode == 0, forced.stderr
    assert "made again, the same bytes" in last_line(forced)
    assert (tmp_path / PLACE / "manifest.json").stat().st_mtime_ns == first.st_mtime_ns
    table = tmp_path / "participants.csv"
    with table.open("a", encoding="utf-8") as rows:
        rows.write("QX73,b,2001-03-03,self,2001-03-10,one,north,2001-12-31\n")  # a newer extract
    newer = run(tmp_path, "--to", "html", "--period", "2000Q4")
    assert newer.returncode == 0, newer.stderr
    assert last_line(newer).endswith(
        "table participants changed, and what they say of the time up to the data cut did not"
    )
    table.write_text(table.read_text(encoding="utf-8").replace("2000-02-10", "2000-02-11"), encoding="utf-8")
    other = run(tmp_path, "--to", "html", "--period", "2000Q4")
    assert other.returncode == 10
    assert "differs from what would be made now (table participants changed)" in last_line(other)


def test_a_release_that_was_touched_is_not_up_to_date(tmp_path: Path) -> None:
    write_world(tmp_path)
    assert run(tmp_path, "--to", "html").returncode == 0
    page = tmp_path / PLACE / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("A sentence", "Another sentence"), encoding="utf-8")
    done = run(tmp_path, "--to", "html")
    assert done.returncode == 10
    assert "report.html is not what was published" in last_line(done)


@pytest.mark.parametrize("reason", ["  ", "123"])
def test_a_reason_must_be_written(tmp_path: Path, reason: str) -> None:
    write_world(tmp_path)
    done = run(tmp_path, "--supersede", reason)
    assert done.returncode == 2
    assert "--supersede: write why" in last_line(done)


def test_the_private_folder_is_private(tmp_path: Path) -> None:
    from evalkit.protocol import load_study, private_folder

    mask = os.umask(0)
    try:
        folder = private_folder(load_study(write_world(tmp_path)))
    finally:
        os.umask(mask)
    assert folder == tmp_path / ".evalkit" / "tiny"
    assert [p.stat().st_mode & 0o777 for p in (folder, folder.parent)] == [0o700, 0o700]


def test_a_protocol_in_a_read_only_folder_has_its_private_folder_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalkit.protocol import load_study, private_folder

    study = load_study(write_world(tmp_path / "world"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    (tmp_path / "world" / ".evalkit").write_text("a file where the folder would be", encoding="utf-8")
    folder = private_folder(study)
    assert folder.parent == tmp_path / "home" / "evalkit"
    assert folder.stat().st_mode & 0o777 == 0o700
