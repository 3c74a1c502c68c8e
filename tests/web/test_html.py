"""The HTML edition as its readers meet it: in a browser, by keyboard, on a narrow screen, in print."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pypdf
import pytest

from evalkit.bench import COLOURS
from evalkit.publish.rendering._document import resources
from evalkit.publish.rendering._pieces import wrap_tables
from evalkit.views.style import INK, MUTED
from web.browser import assert_accessible, look_at, needs_browser
from web.pages import PHONE, document, page_of


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page_of(tmp_path_factory.mktemp("page"), document())


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("print") / "printed.pdf"


@pytest.fixture(scope="module")
def seen(page: Path, printed: Path) -> dict[str, Any]:
    return look_at(page, printed)


class TestInABrowser:
    pytestmark = needs_browser

    def test_no_accessibility_fault_at_two_widths(self, seen: dict[str, Any]) -> None:
        assert_accessible(seen)
        assert seen["structure"]["lang"] == "en-US"
        assert seen["structure"]["landmarks"] == [1, 1, 1]

    def test_contrast_was_judged_for_the_whole_page(self, seen: dict[str, Any]) -> None:
        unsure = [rule for rule in seen["widths"]["1280"]["axe"]["unsure"] if rule["rule"] == "color-contrast"]
        assert sum(len(rule["places"]) for rule in unsure) <= 3

    def test_skip_link_leads_past_the_contents(self, seen: dict[str, Any]) -> None:
        for found in seen["widths"].values():
            assert found["skip"]["first"]["classes"] == "skip"
            assert found["skip"]["first"]["inside"]
            assert found["skip"]["landed"] == "report"
            assert found["skip"]["next"]

    def test_tab_reaches_everything_in_reading_order(self, seen: dict[str, Any]) -> None:
        for width, found in seen["widths"].items():
            path = found["path"]
            kinds = ["contents" if p["contents"] else p["classes"] or p["tag"] for p in path]
            # On a phone the contents are folded: a toggle before them. Beside a wide page they are open, and have none.
            assert kinds == [
                "skip", *["contents"] * (4 if width == "320" else 3), "a", "reference", "reference",
                "summary", "table-wrap", "a", "a", "a", "summary", "table-wrap", "a", "a", "a",
                "table-wrap", "table-wrap", "a",
            ]  # fmt: skip

    def test_focus_is_seen_wherever_it_is(self, seen: dict[str, Any]) -> None:
        for found in seen["widths"].values():
            for place in found["path"]:
                assert place["ring"], place
                assert place["inside"], place
                assert not place["hidden"], place

    def test_toggles_open_and_close_by_enter_and_space(self, seen: dict[str, Any]) -> None:
        for width, found in seen["widths"].items():
            toggles = [place["states"] for place in found["path"] if place["tag"] == "summary"]
            assert toggles == [[False, True, False, True]] * (3 if width == "320" else 2)

    def test_wide_tables_scroll_by_arrow_keys(self, seen: dict[str, Any]) -> None:
        narrow = [place for place in seen["widths"]["320"]["path"] if place["classes"] == "table-wrap"]
        wide = [place for place in narrow if place["scrolls"]]
        assert [place["name"] for place in wide][-1] == "Table 1. A wide table"
        assert all(place["moved"] > 0 for place in wide)

    def test_links_and_toggles_are_named_apart(self, seen: dict[str, Any]) -> None:
        names = [p["name"] for p in seen["widths"]["1280"]["path"] if p["tag"] in {"summary", "div"}]
        assert len(names) == len(set(names))
        assert "Show the numbers as a table: Another figure & more" in names

    def test_print_has_a_running_header_and_no_screen_furniture(self, seen: dict[str, Any], printed: Path) -> None:
        assert seen["print"] == [
            [".running", True],
            [".skip", True],
            [".contents", True],
            [".beside", True],
            ["header nav", True],
        ]
        reader = pypdf.PdfReader(printed)
        assert [float(side) for side in reader.pages[0].mediabox[2:]] == [612.0, 792.0]
        for number, sheet in enumerate(reader.pages, start=1):
            text = " ".join(sheet.extract_text().split())
            assert "Quarterly report, fourth quarter of 2023" in text
            assert "Data cut: December 31, 2023. Synthetic data: no real person is described" in text
            assert f"{number} / {len(reader.pages)}" in text

    def test_nothing_is_complained_of(self, seen: dict[str, Any]) -> None:
        assert seen["console"] == []

    def test_faults_would_be_found(self, page: Path, tmp_path: Path) -> None:
        worse = page.read_text(encoding="utf-8").replace("--muted: #55606b", "--muted: #a5b0bb")
        worse = re.sub(r' (?:alt|aria-label)="[^"]*"', "", worse)
        worse = worse.replace(' role="region" tabindex="0"', "").replace("overflow-x: auto", "overflow-x: visible")
        broken = tmp_path / "worse.html"
        broken.write_text(worse, encoding="utf-8")
        found = look_at(broken, tmp_path / "worse.pdf")
        rules = {rule["rule"] for rule in found["widths"]["1280"]["axe"]["violations"]}
        assert {"image-alt", "color-contrast"} <= rules
        assert found["widths"]["320"]["sideways"] > 0
        with pytest.raises(AssertionError):
            assert_accessible(found)


def test_texts_of_the_study_stand_as_they_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<h1>A study &lt;/style&gt; of two words</h1>" in text
    assert '@top-left { content: "Quarterly report, fourth quarter of 2023"; }' in text
    assert '<a href="data/fig-a.csv">' in text
    assert '<a href="figures/fig-a.png">' in text
    assert "<script" not in text


def test_a_phone_gets_a_drawing_of_its_own_with_the_same_words(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    found = re.findall(
        r'<picture>\s*<source media="\(max-width: 30rem\)" srcset="data:image/svg\+xml;base64,([^"]*)">', text
    )
    assert [base64.b64decode(one).decode() for one in found] == [PHONE]
    assert text.count('alt="A blue bar. It is blue."') == 1
    assert re.search(r'<picture>[^<]*<source[^>]*>\s*<img[^>]*alt="A blue bar. It is blue."[^>]*>\s*</picture>', text)


def test_a_page_in_spanish_says_so_throughout(tmp_path: Path) -> None:
    text = page_of(tmp_path, document("es-US")).read_text(encoding="utf-8")
    assert '<html lang="es-US">' in text
    assert "Mostrar los números en una tabla" in text
    assert "Figura\u00a01" in text
    assert "Tabla\u00a01" in text
    assert "Datos sintéticos" in text
    for word in ("Data cut", "Contents", "Synthetic", "Published", "Skip", "Show", "Figure\u00a0", "Table\u00a0"):
        assert word not in text, word


def test_a_real_study_shows_no_synthetic_mark(tmp_path: Path) -> None:
    text = page_of(tmp_path, document(synthetic=False)).read_text(encoding="utf-8")
    assert "ynthetic data" not in text
    assert "no real person" not in text


def test_tables_are_wrapped_once_and_named() -> None:
    plain = '<h3>Names &amp; <em>more</em></h3><table><tr><td scope="colgroup" colspan="2">x</td><th></th></tr></table>'
    once = wrap_tables(plain)
    assert 'aria-label="Names &amp; more"><table><tr><th scope="colgroup" colspan="2">x</th>' in once
    assert "<td></td></tr>" in once
    assert wrap_tables(once) == once


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [INK, MUTED, *COLOURS])
def test_colours_of_figures_can_be_read_as_text(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 4.5


def test_colours_of_the_pdf_can_be_read_as_text() -> None:
    template = (resources() / "typst-template.typ").read_text(encoding="utf-8")
    named = dict(re.findall(r'#let ek-(\w+) = rgb\("(#\w{6})"\)', template))
    for ground in ("#ffffff", named["wash"], "#fbf3ec"):
        for name in ("ink", "muted", "accent", "warn"):
            assert contrast(named[name], ground) >= 4.5, (name, ground)
