"""The same notebook through both publishers, and through both formats: the same text and the same numbers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from evalkit.publish._embedded import publish_embedded
from evalkit.publish._quarto import write_input
from publish.standin import command, environment, pdf_pages, write_world
from publish.texts import NUMBER, REPORT, given_to_quarto, text_of
from web.pages import document

REAL = shutil.which("quarto")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return publish_embedded(document(), ("pdf", "html"), tmp_path_factory.mktemp("embedded"), 120)


def test_quarto_is_given_the_text_and_numbers_of_the_embedded_page(embedded: dict[str, Path], tmp_path: Path) -> None:
    words, cells = text_of(embedded["html"].read_text(encoding="utf-8").partition(REPORT)[2])
    quarto_words, quarto_cells = given_to_quarto(write_input(document(), ("html",), tmp_path))
    assert len(cells) > 20
    assert quarto_cells == cells
    assert quarto_words == words


def test_pdf_and_page_say_the_same_numbers(embedded: dict[str, Path]) -> None:
    words, cells = text_of(embedded["html"].read_text(encoding="utf-8").partition(REPORT)[2])
    printed = " ".join(" ".join(pdf_pages(embedded["pdf"])).split())
    for cell in cells:
        assert cell in printed, cell
    said = Counter(NUMBER.findall(printed))
    assert not Counter(n for word in words for n in NUMBER.findall(word)) - said


@pytest.mark.quarto
@pytest.mark.skipif(REAL is None, reason="the Quarto executable is not installed here")
def test_the_real_quarto_publishes_the_same_text_and_numbers(tmp_path: Path) -> None:
    pages = {}
    for publisher in ("embedded", "quarto"):
        folder = tmp_path / publisher
        write_world(folder)
        env = environment(folder) | {"EVALKIT_QUARTO": str(REAL), "PATH": os.environ["PATH"]}
        done = subprocess.run(
            command(folder, "--publisher", publisher), env=env, capture_output=True, text=True, cwd=folder, check=False
        )
        assert done.returncode == 0, done.stderr
        release = folder / "reports/tiny/tiny/2000Q4"
        page = (release / "report.html").read_text(encoding="utf-8")
        pages[publisher] = (
            *text_of(page.partition('<main id="content">')[2]),
            Counter(NUMBER.findall(" ".join(pdf_pages(release / "report.pdf")))),
            {file.name: file.read_bytes() for file in sorted([*release.glob("data/*"), *release.glob("figures/*")])},
        )
    assert pages["quarto"] == pages["embedded"]
