"""The files beside a report: its numbers, and its figures as pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from evalkit.errors import PublicationError, ReleaseError
from evalkit.publish.release._release import place_release
from evalkit.publish.rendering._document import Document, Item
from evalkit.publish.rendering._pieces import frame_of, write_data
from evalkit.report._mark import as_mark

SVG = '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><rect width="60" height="60"/></svg>'
ROWS = pd.DataFrame(
    {"group": ["=A", "b, c"], "n": [20.0, float("nan")], "estimate": [1 / 3, 0.5], "mine": ["<x>", None]}
)


def document(*items: Item) -> Document:
    return Document("T", "", "S", "O", "p", "c", date(2022, 9, 30), synthetic=True, locale="en-US", items=items)


def figure(label: str = "fig-a", **more: object) -> Item:
    return Item(
        "figure", 2, SVG, label, "**Head.** A <b>caption</b> | x", "Alt & text", "abc", "drawn", as_mark(ROWS), **more
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_data(document(figure(), figure("fig-b")), tmp_path_factory.mktemp("data"), 60)


def test_every_figure_has_numbers_and_two_pictures(made: dict[str, Path]) -> None:
    assert sorted(made) == [
        "data/README.md", "data/datapackage.json", "data/fig-a.csv", "data/fig-b.csv",
        "figures/fig-a.png", "figures/fig-a.svg", "figures/fig-b.png", "figures/fig-b.svg",
    ]  # fmt: skip


def test_numbers_are_plain_and_no_formula(made: dict[str, Path]) -> None:
    assert made["data/fig-a.csv"].read_text(encoding="utf-8") == (
        'group,n,estimate,mine\n\'=A,20,0.333333,<x>\n"b, c",,0.5,\n'
    )


def test_columns_are_described_from_the_glossary(made: dict[str, Path]) -> None:
    package = json.loads(made["data/datapackage.json"].read_text(encoding="utf-8"))
    first = package["resources"][0]
    assert (first["path"], first["title"], first["estimate"]) == ("fig-a.csv", "Head. A <b>caption</b> | x", "abc")
    assert first["caption"] == "A <b>caption</b> | x"
    assert first["schema"]["fields"][1] == {
        "name": "n", "type": "integer", "unit": "people",
        "description": "people (or rows) the estimate is about: the denominator",
    }  # fmt: skip
    assert "Synthetic" in package["description"]
    readme = made["data/README.md"].read_text(encoding="utf-8")
    assert r"| fig-a.csv | Head. A \<b\>caption\</b\> \| x | drawn | abc |" in readme
    assert "| n | count | people |" in readme
    assert "Data cut c. Synthetic data: no real person is described." in readme


def test_pictures_say_what_they_show_and_nothing_of_this_machine(made: dict[str, Path]) -> None:
    svg = made["figures/fig-a.svg"].read_text(encoding="utf-8")
    assert "<title>Head. A &lt;b&gt;caption&lt;/b&gt; | x</title><desc>Alt &amp; text</desc>" in svg
    data = made["figures/fig-a.png"].read_bytes()
    with Image.open(made["figures/fig-a.png"]) as picture:
        assert picture.size[0] > 150
        assert picture.info.keys() <= {"dpi", "srgb", "gamma"}
    assert not [name for name in (b"tEXt", b"iTXt", b"zTXt", b"tIME", b"eXIf") if name in data]


def test_each_picture_is_of_its_own_figure(tmp_path: Path) -> None:
    wide = [replace(figure(f"fig-{n}"), text=SVG.replace('width="90"', f'width="{90 + 9 * n}"')) for n in range(11)]
    made = write_data(document(*wide), tmp_path, 60)
    widths = []
    for number in range(11):
        with Image.open(made[f"figures/fig-{number}.png"]) as picture:
            widths.append(picture.size[0])
    assert widths == sorted(set(widths))


def test_the_same_document_gives_the_same_bytes(made: dict[str, Path], tmp_path: Path) -> None:
    again = write_data(document(figure(), figure("fig-b")), tmp_path, 60)
    assert {n: f.read_bytes() for n, f in again.items()} == {n: f.read_bytes() for n, f in made.items()}


@pytest.mark.parametrize(
    "numbers",
    [
        {"columns": ["a"]},
        {"columns": ["a"], "rows": [[1, 2]]},
        {"columns": ["a"], "rows": [[{"b": 1}]]},
        {"columns": [1], "rows": [[1]]},
        {"columns": "a", "rows": "b"},
    ],
)
def test_a_mark_that_holds_no_table_is_refused(numbers: dict) -> None:
    with pytest.raises(PublicationError, match=r"cell 2 \(fig-a\)"):
        frame_of(Item("figure", 2, SVG, "fig-a", numbers=numbers))


def test_a_figure_that_is_no_picture_stops_the_release(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="cannot be made into a picture"):
        write_data(document(Item("figure", 2, "<svg", "fig-a", "c", "a")), tmp_path, 60)


@pytest.mark.parametrize("name", ["../x.csv", "/etc/x", "a/b/c.csv", "data/../x", ".hidden", "data/.x", "", "data/"])
def test_no_file_leaves_the_release(tmp_path: Path, name: str) -> None:
    source = tmp_path / "source"
    source.write_text("x", encoding="utf-8")
    with pytest.raises(ReleaseError, match="cannot be a file of a release"):
        place_release({name: source}, tmp_path / "out" / "release")
    assert not (tmp_path / "out").exists()


def test_folders_of_a_release_can_be_read_by_everybody(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("x", encoding="utf-8")
    release = place_release({"data/a.csv": source, "b.txt": source}, tmp_path / "release")
    assert {p.relative_to(release).as_posix(): p.stat().st_mode & 0o777 for p in release.rglob("*")} == {
        "data": 0o755, "data/a.csv": 0o644, "b.txt": 0o644,
    }  # fmt: skip
