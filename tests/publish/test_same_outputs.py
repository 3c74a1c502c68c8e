"""Other packages or programs than then, and the same outputs: a remark, and nothing is stale."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from publish.crash import write_light_world
from publish.standin import environment, published, real_quarto, with_quarto, write_standin
from publish.test_ingredients import other_version
from publish.test_render import last_line, run
from publish.test_verify import verify

PLACE = Path("reports/tiny/tiny/2000Q4")


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A published report of which a number depends on a package, where the test says so."""
    write_light_world(tmp_path)
    door = tmp_path / "notebooks/door.py"
    text = door.read_text(encoding="utf-8")
    door.write_text(f"import seaborn.palettes\nfrom importlib.metadata import version\n{text}", encoding="utf-8")
    notebook = tmp_path / "notebooks/tiny.ipynb"
    text = notebook.read_text(encoding="utf-8").replace(
        "{horizon_days}</td>", "{horizon_days * (1 + (door.version('seaborn') == '9.9.9'))}</td>"
    )
    assert "door.version" in text
    notebook.write_text(
        text.replace("from door import emit\\n", "import door\\nfrom door import emit\\n", 1), encoding="utf-8"
    )
    assert run(tmp_path, "--to", "html").returncode == 0
    return tmp_path


def other(world: Path, name: str, version: str) -> dict[str, str]:
    other_version(world / "site", name, version)
    return {"PYTHONPATH": str(world / "site")}


def test_a_package_that_was_not_loaded_makes_nothing_stale(world: Path) -> None:
    manifest = json.loads((world / PLACE / "manifest.json").read_text(encoding="utf-8"))
    assert {"seaborn", "numpy", "pikepdf", "typst", "font-source-sans-pro"} <= set(manifest["loaded"])
    assert "certifi" in set(manifest["environment"]["packages"]) - set(manifest["loaded"])
    more = other(world, "certifi", "9.9.9")
    done = run(world, "--to", "html", **more)
    assert done.returncode == 0, done.stderr
    assert last_line(done).endswith(f"up to date ({world / PLACE})")
    assert "cell 1" not in done.stderr
    checked = verify(world, world / PLACE, **more)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    said = [line for line in checked.stdout.splitlines() if "surroundings" in line]
    assert [line.split(" from ")[0] for line in said] == ["  same outputs, other surroundings: package certifi changed"]
    assert "DIFFERS" not in checked.stdout
    forced = run(world, "--to", "html", "--force", **more)  # made again: other bytes, as the PDF would name the package
    assert forced.returncode == 0, forced.stderr


def test_a_package_that_was_loaded_is_tried_once(world: Path) -> None:
    before = {name: (world / "reports" / name).read_bytes() for name in published(world)}
    more = other(world, "seaborn", "9.9.8")
    for tried in (True, False):
        done = run(world, "--to", "html", **more)
        assert done.returncode == 0, done.stderr
        assert ("cell 1" in done.stderr) is tried
        assert "same outputs, other surroundings: package seaborn changed from" in last_line(done)
        assert last_line(done).endswith("to 9.9.8)") or last_line(done).endswith("to 9.9.8")
    assert {name: (world / "reports" / name).read_bytes() for name in published(world)} == before
    with (world / "participants.csv").open("a", encoding="utf-8") as table:  # known after the cut: no reason, either
        table.write("QX73,a,2001-01-03,self,2001-01-10,one,north,2001-12-31\n")
    done = run(world, "--to", "html", **more)
    assert (done.returncode, "cell 1" in done.stderr) == (0, False), done.stderr


def test_other_numbers_in_other_surroundings_stop_and_are_named(world: Path) -> None:
    more = other(world, "seaborn", "9.9.9")
    before = published(world)
    done = run(world, "--to", "html", **more)
    assert done.returncode == 10, done.stderr
    assert "the same inputs gave another tbl-one in other surroundings (package seaborn changed from" in last_line(done)
    assert "--supersede 'why' publishes it as a new revision" in last_line(done)
    assert published(world) == before
    checked = verify(world, world / PLACE, **more)
    assert checked.returncode == 12
    assert "DIFFERS: package seaborn changed from" in checked.stdout
    assert run(world, "--to", "html", "--supersede", "A newer seaborn", **more).returncode == 0


@pytest.mark.parametrize("program", ["standin", with_quarto("real")])
def test_a_release_of_quartos_is_verified_without_it(tmp_path: Path, program: str) -> None:
    write_light_world(tmp_path)
    there = {"EVALKIT_QUARTO": str(write_standin(tmp_path)), "STANDIN_RECORD": str(tmp_path / "record.json")}
    there = real_quarto() if program == "real" else there
    assert run(tmp_path, **there).returncode == 0
    if program == "real":  # and with it
        assert verify(tmp_path, tmp_path / PLACE, **there).returncode == 0
    ran = tmp_path / "ran"
    door = tmp_path / "notebooks/door.py"
    door.write_text(door.read_text(encoding="utf-8") + f"open({str(ran)!r}, 'w').close()\n", encoding="utf-8")
    missing = verify(tmp_path, tmp_path / PLACE)
    assert missing.returncode == 11
    assert (
        last_line(missing)
        == "evalkit: quarto: not found; install it from its site, set EVALKIT_QUARTO, or use --publisher embedded"
    )
    assert not ran.exists()  # found before anything ran
    door.write_text(door.read_text(encoding="utf-8").rsplit("open(", 1)[0], encoding="utf-8")
    checked = verify(tmp_path, tmp_path / PLACE, "--publisher", "embedded")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (said,) = [line for line in checked.stdout.splitlines() if "surroundings" in line]
    assert 'publication publisher changed from "quarto" to "embedded"' in said
    assert "tool quarto is not there any more" in said


def test_a_missing_quarto_is_found_before_the_notebook_runs(tmp_path: Path) -> None:
    write_light_world(tmp_path)
    done = run(tmp_path, "--publisher", "quarto")
    assert done.returncode == 11
    assert "cell 1" not in done.stderr
    assert environment(tmp_path)["TMPDIR"]
    assert published(tmp_path) == []
