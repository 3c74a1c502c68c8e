"""The release site as its readers meet it: each kind of page in a browser, by keyboard, on a narrow screen, in print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pypdf
import pytest

from evalkit.site import build_site
from release_site.published import world
from web.browser import assert_accessible, look_at, needs_browser

pytestmark = needs_browser

PAGES = (
    "index.html",
    "quarterly/2000Q3/index.html",
    "indicators.html",
    "methods.html",
    "es/index.html",
    "es/quarterly/2000Q2/index.html",
    "es/indicators.html",
)
FRAME = ["skip", "name", "nav", "nav", "nav", "nav"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    return build_site(world(folder), folder / "reports", folder / "a sub path" / "site").folder


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, site: Path) -> tuple[str, dict[str, Any], Path]:
    printed = site.parent / f"{request.param.replace('/', '-')}.pdf"
    return request.param, look_at(site / request.param, printed, "page"), printed


def test_no_accessibility_fault_at_two_widths(page: tuple[str, dict[str, Any], Path]) -> None:
    name, seen, _ = page
    found = {**seen, "widths": {w: {**f, "axe": _with_images(f["axe"])} for w, f in seen["widths"].items()}}
    assert_accessible(found if not seen["structure"]["pictures"] else seen)
    assert seen["structure"]["lang"] == ("es-US" if name.startswith("es/") else "en-US")


def _with_images(axe: dict[str, Any]) -> dict[str, Any]:
    """A page without pictures has none to judge."""
    return {**axe, "passes": [*axe["passes"], "image-alt"]}


def test_nothing_is_complained_of_and_nothing_is_loaded(page: tuple[str, dict[str, Any], Path]) -> None:
    assert (page[1]["console"], page[1]["loaded"], page[1]["structure"]["scripts"]) == ([], [], 0)


def test_contrast_was_judged_for_the_whole_page(page: tuple[str, dict[str, Any], Path]) -> None:
    unsure = [rule for rule in page[1]["widths"]["1280"]["axe"]["unsure"] if rule["rule"] == "color-contrast"]
    assert unsure == []


def test_the_keyboard_reaches_everything_in_order_and_it_is_seen(page: tuple[str, dict[str, Any], Path]) -> None:
    for found in page[1]["widths"].values():
        path = found["path"]
        kinds = [
            p["classes"] or ("nav" if p["contents"] else "name" if i == 1 else p["tag"]) for i, p in enumerate(path)
        ]
        assert kinds[: len(FRAME)] == FRAME
        assert path[-1]["href"] == "feed.xml" or path[-1]["href"].endswith("/feed.xml")
        for place in path:
            assert place["ring"], place
            assert place["inside"], place
        assert (found["skip"]["first"]["classes"], found["skip"]["landed"]) == ("skip", "page")


def test_links_are_named_apart(page: tuple[str, dict[str, Any], Path]) -> None:
    links = {(p["name"], p["href"]) for p in page[1]["widths"]["1280"]["path"] if p["tag"] == "a"}
    named = [name for name, href in links if not href.startswith("#")]
    assert sorted(named) == sorted(set(named))


def test_print_shows_no_screen_furniture(page: tuple[str, dict[str, Any], Path]) -> None:
    name, seen, printed = page
    assert seen["print"] == [[".running", True], [".skip", True], [".contents", True], [".beside", True], ["header nav", True]]  # fmt: skip
    reader = pypdf.PdfReader(printed)
    assert [float(side) for side in reader.pages[0].mediabox[2:]] == [612.0, 792.0]
    text = " ".join(" ".join(sheet.extract_text() for sheet in reader.pages).split())
    assert ("Un estudio" if name.startswith("es/") else "A study of <b>two</b> & more") in text
    assert "Ir a la página" not in text
    assert "Skip to the page" not in text


def test_a_wide_table_scrolls_inside_its_box(site: Path) -> None:
    seen = look_at(site / "quarterly/2000Q3/index.html", site.parent / "wide.pdf", "page")
    boxes = [p for p in seen["widths"]["320"]["path"] if p["classes"].startswith("table-wrap")]
    assert [box["name"] for box in boxes] == [
        "Published numbers that differ now (Revision 2)", "Numbers and figures (CSV, SVG, PNG)", "SHA-256",
    ]  # fmt: skip
