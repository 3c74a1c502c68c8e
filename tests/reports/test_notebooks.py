"""The project's own notebooks on the demo study: as researchers run them, and as automation does."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

from evalkit.glossary import COLUMNS
from evalkit.protocol import Secret, load_disclosure, load_study
from evalkit.publish.audit import guard_for
from evalkit.publish.audit._notebook import _unknown_number
from evalkit.publish.release._ingredients import digest
from evalkit.publish.rendering._document import document_of, with_bibliography
from evalkit.publish.rendering._embedded import publish_embedded
from evalkit.publish.rendering._quarto import write_input
from evalkit.seal import MARK
from evalkit.simulate import simulate
from publish import forked
from publish.emptiness import emptiness, parted
from publish.standin import environment, pdf_pages
from publish.texts import REPORT, given_to_quarto, text_of
from reports.agreement import RULES, WITH_LIMITS, Ran, astray, numbers_of, plain, run, told, unlike_any_row
from reports.claims import rounded, swapped
from reports.reading import words_and_sentences
from web.browser import MISSING, assert_accessible, look_at

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("quarterly", "final")
RULES_BY_DEFAULT = {"4", "11", "12", "24", "30", "36", "60", "90", "120", "182", "270"}  # of studies and policies


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a fresh machine has after `make report` has made the demo study."""
    place = tmp_path_factory.mktemp("world")
    for part in ("params", "notebooks"):
        (place / part).symlink_to(ROOT / part)
    # params is a link: the study's ../data is looked for beside the real folder, so the protocol is copied.
    (place / "params").unlink()
    (place / "params").mkdir()
    for file in (ROOT / "params").glob("*.yaml"):
        (place / "params" / file.name).write_bytes(file.read_bytes())
    # As readers of the demo see it: with the frozen protocol, and so with deviations, and planned and added results.
    (place / "params/protocol").mkdir()
    for file in (ROOT / "params/protocol").glob("*.yaml"):
        (place / "params/protocol" / file.name).write_bytes(file.read_bytes())
    (place / "notebooks").unlink()
    (place / "notebooks").mkdir()
    for file in (p for part in ("*.ipynb", "*.es.po", "references.json") for p in (ROOT / "notebooks").glob(part)):
        (place / "notebooks" / file.name).write_bytes(file.read_bytes())
    simulate("benefit", seed=20211118).write(place / "data" / "demo")
    return place


def evalkit(world: Path, *arguments: str, **around: str) -> subprocess.CompletedProcess[str]:
    return forked.evalkit(arguments, environment(world, **around), world)


@pytest.fixture(scope="module", params=NAMES)
def ran(request: pytest.FixtureRequest, world: Path) -> Ran:
    """A notebook run top to bottom as in JupyterLab: every output carries the mark that lets it leave."""
    return run(world / "notebooks" / f"{request.param}.ipynb")


def test_every_number_said_is_a_safe_number_of_its_estimate(ran: Ran, world: Path) -> None:
    protocol = " ".join(file.read_text(encoding="utf-8") for file in (world / "params").glob("*.yaml"))
    rules = {number for number, _ in numbers_of(protocol)} | RULES_BY_DEFAULT
    kinds: Counter[str] = Counter()
    for shown in ran.outputs:
        if shown.mark["kind"] in RULES and shown.data is None:
            continue
        assert shown.ids or shown.mark["kind"] in RULES, (shown.cell, shown.text[:80])
        text, rows = told(shown), ran.rows(shown)
        rest = shown.mark["kind"] == "findings"  # page one says with how many something happened
        assert astray(text, rows, ran.between(shown), rules, rest=rest) == [], (shown.cell, text)
        assert unlike_any_row(text, rows) == [], (shown.cell, text)
        assert ran.astray(shown) == [], (shown.cell, text)
        kinds[shown.shows] += len(numbers_of(text))
    assert len(ran.outputs) > 10
    assert min(kinds[shape] for shape in ("figure", "table", "markdown")) > 80, kinds


def test_numbers_in_words_of_an_author_are_typed_in_the_cell_or_the_protocol(ran: Ran, world: Path) -> None:
    """As the audit of a render asks: a report whose words fail here would not be published."""
    protocol = "\n".join(
        (world / "params" / name).read_text(encoding="utf-8")
        for name in ("study.yaml", "baselines.yaml", "disclosure.yaml")
    )
    nothing: dict[str, Any] = dict.fromkeys(("identifiers", "secrets", "paths", "days"), ())
    policy = load_disclosure(load_study(world / "params" / "study.yaml")).model_dump_json()
    guard = guard_for("", **nothing, protocol=protocol, authored=policy)
    given = [
        (cell, o["metadata"][MARK].get("typed", [])) for cell in ran.executed.cells for o in cell.get("outputs", [])
    ]
    assert _unknown_number(["about 65 people"], ran.executed.cells[0], guard)
    assert [typed for cell, typed in given if _unknown_number(typed, cell, guard)] == []


def test_a_group_has_its_article_inside_every_sentence(ran: Ran) -> None:
    """A label is a name of columns and lines; what stands in a sentence is what the protocol says (`label_in`)."""
    pasted = re.compile(rf"\b(?:in|of|to|than|for|from|with|and|by|those) (?:the )?{re.escape(ran.groups[0])}\b")
    prose = [
        (one, t) for one in ran.outputs if one.shows != "table" and one.mark["kind"] not in RULES for t in [told(one)]
    ]
    assert sum("in the pilot" in text for _, text in prose) > 10
    assert [(one.cell, found[0]) for one, text in prose if (found := pasted.search(text))] == []
    notes = [re.findall(r"<tfoot>.*?</tfoot>", one.text, re.DOTALL) for one in ran.outputs if one.shows == "table"]
    assert [note for own in notes for note in own if pasted.search(plain(note))] == []


def test_page_one_has_at_most_five_sentences_below_its_grid(ran: Ran) -> None:
    found = [one for one in ran.outputs if one.mark["kind"] == "findings" and one.shows == "markdown"]
    first, sure, *more = found[-1].text.strip().split("\n\n")
    assert sure.startswith("**How sure we are.**")
    assert [one.splitlines()[0] for one in more] == ["::: {.help}"]
    assert 2 <= words_and_sentences(first)[1] <= 4  # of the whole period nothing is said of a change; and where help is
    whole = " ".join(told(one) for one in ran.outputs).lower()
    assert len(re.findall(r"unclear (?:does not mean|is not)", whole)) == 1  # it is said once
    assert "no clear difference" not in whole


def test_a_number_from_elsewhere_would_be_noticed(ran: Ran) -> None:
    shown = next(one for one in ran.outputs if one.shows == "markdown" and WITH_LIMITS.search(one.text))
    rows, share = ran.rows(shown), WITH_LIMITS.search(shown.text)
    assert unlike_any_row(shown.text, rows) == []
    assert "1%" in astray(shown.text.replace(f"{share[1]}%", "1%", 1), rows, ran.between(shown), set())
    turned = shown.text.replace(f"({share[3]}% to {share[4]}%", f"({share[4]}% to {share[3]}%", 1)
    assert len(unlike_any_row(turned, rows)) == 1


def test_a_number_under_another_name_would_be_noticed(ran: Ran) -> None:
    groups = (ran.groups[0], ran.groups[1])
    seen = noticed = 0
    for shown in ran.outputs:
        if shown.mark["kind"] in RULES or not shown.ids or len(ran.rows(shown)) == 0:
            continue
        if shown.shows == "table":  # no sentence: cells are held to their groups where tables are tested
            continue
        text = swapped(shown.text, groups)
        if shown.shows == "figure":
            alt, head = (shown.mark.get(name, "") for name in ("alt", "headline"))
            mark = {**shown.mark, "alt": swapped(alt, groups), "headline": swapped(head, groups)}
            changed = replace(shown, mark=mark)
        else:
            mark, changed = shown.mark, replace(shown, text=text)
        if (text, mark) != (shown.text, shown.mark) and re.search(r"\d", told(shown)):
            seen += 1
            noticed += bool(ran.astray(changed))
    assert seen > 15
    assert noticed >= 0.85 * seen, (noticed, seen)  # a few say the same of both groups, or name them without a number


def test_both_publishers_are_given_the_same_text_and_numbers(ran: Ran, tmp_path: Path) -> None:
    made = document_of(ran.executed, toc=True, pdf_standard="ua-1")
    page = publish_embedded(made, ("html",), tmp_path, 120)["html"]
    words, cells = text_of(page.read_text(encoding="utf-8").partition(REPORT)[2])
    (tmp_path / "quarto").mkdir()
    quarto_words, quarto_cells = given_to_quarto(write_input(made, ("html",), tmp_path / "quarto"))
    assert len(cells) > 150
    assert quarto_cells == cells
    assert quarto_words == words


def test_estimates_of_the_text_stand_in_the_manifest(world: Path, quarterly: Path) -> None:
    package = json.loads((quarterly / "data" / "datapackage.json").read_text(encoding="utf-8"))
    manifest = json.loads((quarterly / "manifest.json").read_text(encoding="utf-8"))
    known = {one for one, _ in manifest["estimates"]}
    assert {one["estimate"] for one in package["resources"] if one.get("estimate")} <= known
    kept = nbformat.read(
        next((world / "params/.evalkit").glob(f"*/review/{digest(quarterly / 'manifest.json')[:16]}/executed.ipynb")),
        as_version=4,
    )
    marks = [
        (output.metadata[MARK], output.data)
        for cell in kept.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert len(marks) > 30
    for mark, data in marks:
        assert mark["kind"] in RULES or mark["estimate"] in known, (mark, data)


@pytest.mark.parametrize("name", NAMES)
def test_is_stripped_and_names_no_kernel(name: str) -> None:
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert "kernelspec" not in notebook["metadata"]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@pytest.mark.parametrize("name", NAMES)
def test_no_number_is_typed_in_prose(name: str) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"\d", re.sub(r"\[[^\]]*@[^\]]*\]", "", cell.source)), cell.source
        for option in re.findall(r'^#\| (?:fig-cap|fig-alt|tbl-cap): "(.*)"$', cell.source, re.MULTILINE):
            assert not re.search(r"\d", option.replace("95%", "")), option  # the level of the limits is no result


@pytest.fixture(scope="module")
def quarterly(world: Path) -> Path:
    done = evalkit(world, "render", "quarterly", "--out", str(world / "reports"))
    assert done.returncode == 0, done.stderr
    return world / "reports" / "chicago-nonmandated" / "quarterly" / "2023Q4"


def test_every_page_says_synthetic_data(quarterly: Path) -> None:
    sheets = pdf_pages(quarterly / "report.pdf")
    assert len(sheets) >= 4
    for number, sheet in enumerate(sheets, start=1):
        assert "Synthetic data" in sheet
        assert f"Page {number} of {len(sheets)}" in sheet
    assert json.loads((quarterly / "manifest.json").read_text())["synthetic"] is True
    assert "Synthetic data" in (quarterly / "report.html").read_text(encoding="utf-8")


def test_no_page_is_left_a_quarter_empty(quarterly: Path) -> None:
    empty = emptiness(quarterly / "report.pdf")
    assert 6 <= len(empty) <= 10
    assert max(empty[:-1]) <= 0.25, empty  # the last page ends where the report ends
    assert parted(quarterly / "report.pdf") == []


@pytest.mark.parametrize("ran", ["final"], indirect=True)
def test_no_page_of_the_final_is_left_a_quarter_empty(ran: Ran, world: Path, tmp_path: Path) -> None:
    made = document_of(ran.executed, toc=True, pdf_standard="ua-1")
    printed = publish_embedded(with_bibliography(made, world / "notebooks/final.ipynb"), ("pdf",), tmp_path, 120)["pdf"]
    empty = emptiness(printed)
    assert len(empty) <= 36
    assert max(empty[:-1]) <= 0.25, empty
    assert parted(printed) == []  # no heading from what it heads, no table's head from its rows


def test_pages_show_no_code_and_no_raw_row(quarterly: Path, world: Path) -> None:
    page = (quarterly / "report.html").read_text(encoding="utf-8")
    assert "open_report" not in page
    assert "kaplan_meier(" not in page
    ids = {line.split(",")[0] for line in (world / "data/demo/participants.csv").read_text().splitlines()[1:]}
    assert not any(one in page for one in ids)


def test_figures_and_tables_are_numbered_and_referred_to(quarterly: Path) -> None:
    page = (quarterly / "report.html").read_text(encoding="utf-8")
    labels = set(re.findall(r'id="((?:fig|tbl)-[\w-]+)"', page))
    assert {
        "fig-funnel",
        "fig-retention",
        "fig-areas",
        "fig-sources",
        "fig-starting",
        "fig-leaving",
        "fig-equity",
        "fig-trend",
        "fig-harm",
        "fig-completion",
        "tbl-funnel",
        "tbl-retention",
        "tbl-provenance",
    } <= labels
    assert set(re.findall(r'href="#((?:fig|tbl)-[\w-]+)"', page)) <= labels
    for image in re.findall(r"<img[^>]*>", page):
        alt = re.search(r'alt="([^"]*)"', image)
        assert alt
        assert re.search(r"\d%|\d in week", alt[1]), (
            "the alternative text says what is shown, not only what kind of figure it is"
        )


def rendered(world: Path, period: str, out: str) -> Path:
    """Render into a folder with a private folder, and so a ledger, of its own; the secret is the same everywhere."""
    private, secret = world / f"{out}-private" / "chicago-nonmandated", Secret(bytes(range(1, 33)))
    private.mkdir(parents=True, mode=0o700)
    for name, content in (("secret", secret.key), ("secret.id", secret.id.encode())):
        (private / name).write_bytes(content)
        (private / name).chmod(0o600)
    around = {"EVALKIT_PRIVATE": str(private.parent)}
    done = evalkit(world, "render", "quarterly", "--period", period, "--out", str(world / out), **around)
    assert done.returncode == 0, done.stderr
    return world / out / "chicago-nonmandated" / "quarterly" / period


@pytest.fixture(scope="module")
def early(world: Path) -> Path:
    """The report of the quarter with fewest people, which costs least to make; with a ledger of its own."""
    return rendered(world, "2021Q4", "early")


def test_a_quarter_with_almost_nobody_is_published_too(early: Path) -> None:
    page = (early / "report.html").read_text(encoding="utf-8")
    assert "Not shown" in page
    assert "nan" not in re.sub(r'"data:[^"]*"', "", page).lower().replace("provenance", "")


def assert_same(one: Path, other: Path) -> None:
    for name in ("report.html", "report.pdf"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_an_older_quarter_from_the_same_tables_is_the_same_again(world: Path, early: Path) -> None:
    assert_same(early, rendered(world, "2021Q4", "again"))


@pytest.mark.slow
def test_a_fuller_quarter_is_the_same_again(world: Path) -> None:
    assert_same(rendered(world, "2022Q3", "first"), rendered(world, "2022Q3", "second"))


def test_every_figure_and_table_has_its_numbers_as_a_file(quarterly: Path) -> None:
    page = (quarterly / "report.html").read_text(encoding="utf-8")
    labels = {one for one in re.findall(r'id="((?:fig|tbl)-[\w-]+)"', page) if not one.endswith("-caption")}
    labels -= {"tbl-provenance"}
    assert {file.stem for file in (quarterly / "data").glob("*.csv")} == labels
    for figure in labels & set(re.findall(r'<figure[^>]*id="([\w-]+)"', page)):
        assert (quarterly / "figures" / f"{figure}.svg").is_file()
        assert (quarterly / "figures" / f"{figure}.png").is_file()
    for file in (quarterly / "data").glob("*.csv"):
        assert set(pd.read_csv(file).columns) <= set(COLUMNS), file.name


def test_alternative_texts_say_numbers_of_the_files(quarterly: Path) -> None:
    package = json.loads((quarterly / "data" / "datapackage.json").read_text(encoding="utf-8"))
    assert package["resources"]
    for file in (quarterly / "figures").glob("*.svg"):
        said = re.search(r"<desc>(.*?)</desc>", file.read_text(encoding="utf-8"), re.DOTALL)[1]
        said = said.partition(". ")[2]  # after what kind of figure it is come the numbers
        rows = pd.read_csv(quarterly / "data" / f"{file.stem}.csv")
        told = {f"{rounded(100 * value)}%" for value in rows["estimate"].dropna()}
        told |= {f"{value:.2f}" for value in rows["estimate"].dropna()}
        found = re.findall(r"\d+%", said) or re.findall(r"\d+\.\d\d", said)
        assert found, file.name
        assert set(found) <= told, file.name


def known(rows: pd.DataFrame) -> set[str]:
    """Every way in which a report may write a number of a table: as it is, with a decimal, as a percentage, in points."""
    numbers = rows.select_dtypes("number").to_numpy().ravel()
    told = {
        form.format(v, 100 * v)
        for v in numbers[~pd.isna(numbers)]
        for form in ("{0:,.0f}", "{0:.1f}", "{1:+.1f}", "{1:.1f}")
    }
    told |= {f"{rounded(100 * v)}%" for v in numbers[~pd.isna(numbers)]}
    text = " ".join(rows.select_dtypes(exclude="number").astype(str).to_numpy().ravel())
    return {one.replace("-", "\u2212") for one in told} | set(re.findall(r"[\d.]+", text)) | {"0.0"}


LIMITS = re.compile(r"(\d+)% \((\d+)% to (\d+)%\)(?:[;,] ([\d,]+) of ([\d,]+))?")


def test_numbers_of_tables_are_numbers_of_the_files(quarterly: Path) -> None:
    page = (quarterly / "report.html").read_text(encoding="utf-8")
    seen = 0
    for label, body in re.findall(r'id="(tbl-[\w-]+)">.*?<tbody>(.*?)</tbody>', page, re.DOTALL):
        if label == "tbl-provenance":
            continue
        rows = pd.read_csv(quarterly / "data" / f"{label}.csv")
        told = known(rows)
        if label == "tbl-indicators":  # page one says gaps in whole points
            numbers = rows[["estimate", "conf_low", "conf_high"]].to_numpy().ravel()
            whole = [float(rounded(100 * v)) for v in numbers[~pd.isna(numbers)]]
            told |= {f"{v:+.0f}".replace("-", "\u2212") for v in whole} | {f"{abs(v):.0f}" for v in whole}
        for cell in re.findall(r"<td[^>]*>(.*?)</td>", body, re.DOTALL):
            text = plain(cell)
            numbers = re.findall(r"[+\u2212]?\d[\d,.]*%?", re.sub(r"\d{4}-\d\d-\d\d", "", text))
            wrong = [n for n in numbers if n.rstrip(",.") not in told]
            assert not wrong, (label, text, wrong)
            seen += len(numbers)
            for share in LIMITS.findall(text):  # an estimate, its limits and its people stand in one row
                assert share in rows_as_written(rows, counts=bool(share[4])), (label, text)
    assert seen > 150


def rows_as_written(rows: pd.DataFrame, *, counts: bool) -> set[tuple[str, ...]]:
    shares = [[rounded(100 * v) for v in rows[name]] for name in ("estimate", "conf_low", "conf_high")]
    people = [[f"{v:,.0f}" if counts else "" for v in rows.get(name, rows["estimate"])] for name in ("n_event", "n")]
    return set(zip(*shares, *people, strict=True))


def test_shares_of_page_one_are_shares_of_the_files(quarterly: Path) -> None:
    page = (quarterly / "report.html").read_text(encoding="utf-8")
    box = plain(re.search(r'id="tbl-indicators">(.*?)</table>', page, re.DOTALL)[1])
    files = [pd.read_csv(file) for file in (quarterly / "data").glob("*.csv")]
    shares = {
        v
        for rows in files
        for name in ("estimate", "conf_low", "conf_high")
        if name in rows
        for v in rows[name].dropna()
    }
    told = {f"{rounded(100 * v)}%" for share in shares if 0 <= share <= 1 for v in (share, 1 - share)}
    found = re.findall(r"\d+%", box)
    assert len(found) >= 12
    assert set(found) <= told


def test_page_one_reads_at_grade_nine_or_lower(quarterly: Path) -> None:
    page = (quarterly / "report.html").read_text(encoding="utf-8")
    start = page.index('<div id="report"')
    parts = re.findall(r"<(?:p|li)>(.*?)</(?:p|li)>", page[start : page.index('class="newpage"', start)], re.DOTALL)
    sentences = [one for part in parts for one in re.split(r"(?<=[.:])\s+", plain(part)) if re.search("[a-z]", one)]
    assert len(sentences) >= 15
    assert grade(sentences) <= 9
    assert (
        grade(["Comparability considerations notwithstanding, unadjusted heterogeneity precludes interpretation."]) > 15
    )


def grade(sentences: list[str]) -> float:
    """The Flesch-Kincaid grade: 0.39 words per sentence + 11.8 syllables per word - 15.59 (Kincaid et al. 1975)."""
    spoken = [word for one in sentences for word in re.findall(r"[A-Za-z]+|\d+", one)]
    return 0.39 * len(spoken) / len(sentences) + 11.8 * sum(map(syllables, spoken)) / len(spoken) - 15.59


def syllables(word: str) -> int:
    """Groups of vowels, without a silent e; a number counts as three, about what a share of two figures takes to say."""
    if word.isdigit():
        return 3
    silent = re.search(r"[^aeiouyl]e$", word.lower()) is not None
    return max(1, len(re.findall(r"[aeiouy]+", word.lower())) - silent)


def test_a_subgroup_takes_the_lines_of_the_documentation(world: Path) -> None:
    lines = re.search(
        r"```python\n(.*?)```", (ROOT / "docs/how-to-add-a-subgroup.md").read_text(encoding="utf-8"), re.DOTALL
    )[1]
    assert len(lines.splitlines()) <= 10
    notebook = nbformat.read(ROOT / "notebooks/quarterly.ipynb", as_version=4)
    opening = next(i for i, cell in enumerate(notebook.cells) if "evalkit.open_report" in cell.source) + 1
    notebook.cells = [*notebook.cells[:opening], nbformat.v4.new_code_cell(lines, id="work")]
    nbformat.write(notebook, world / "notebooks/work.ipynb")
    parameters = (world / "params/quarterly.yaml").read_text(encoding="utf-8")
    edited = parameters.replace("report: quarterly", "report: work").replace("quarterly.ipynb", "work.ipynb")
    (world / "params/work.yaml").write_text(edited, encoding="utf-8")
    done = evalkit(
        world, "render", "work", "--study", "params/study.yaml", "--to", "html", "--out", str(world / "reports")
    )
    assert done.returncode == 0, done.stderr
    release = world / "reports/chicago-nonmandated/work/2023Q4"
    assert 'id="fig-work"' in (release / "report.html").read_text(encoding="utf-8")
    rows = pd.read_csv(release / "data/fig-work.csv")
    assert {"Everybody", "Employed at referral"} == set(rows["variable"])
    assert rows["estimate"].notna().any()


@pytest.mark.browser
@pytest.mark.skipif(bool(MISSING), reason=MISSING or "everything is here")
def test_the_page_has_no_accessibility_fault(quarterly: Path, tmp_path: Path) -> None:
    assert_accessible(look_at(quarterly / "report.html", tmp_path / "printed.pdf"))


def test_the_spanish_brief_is_published_with_the_numbers_of_the_quarterly_report(world: Path, quarterly: Path) -> None:
    done = evalkit(world, "render", "brief-es", "--to", "html", "--out", str(world / "reports"))
    assert done.returncode == 0, done.stderr
    release = world / "reports" / "chicago-nonmandated" / "brief-es" / "2023Q4"
    page = (release / "report.html").read_text(encoding="utf-8")
    assert '<html lang="es-US">' in page
    assert "Datos sintéticos" in page
    brief = pd.read_csv(release / "data" / "fig-steps.csv")
    full = pd.read_csv(quarterly / "data" / "fig-funnel.csv")
    keys = ["n", "n_event", "estimate", "conf_low", "conf_high"]
    shown = {tuple(row) for row in full[keys].itertuples(index=False)}
    assert len(brief) >= 10
    assert {tuple(row) for row in brief[keys].itertuples(index=False)} <= shown
    ours, theirs = (json.loads((r / "manifest.json").read_text())["estimates"] for r in (release, quarterly))
    assert [one for one in ours if one[1] == "funnel"] == [one for one in theirs if one[1] == "funnel"]
