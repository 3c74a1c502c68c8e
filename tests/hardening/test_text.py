"""Names from data and protocol are text, whatever letters they are made of: in every place of a report, letter by letter."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pypandoc
import pytest
import yaml
from matplotlib.text import Text
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from evalkit import analyses
from evalkit.levels import in_words
from evalkit.markup import bold, escaped, markdown, paragraphs, sign, table, template, title
from evalkit.publish.audit import _guard
from evalkit.publish.audit._document import audit_markdown
from evalkit.publish.rendering._document import Document, document_of
from evalkit.publish.rendering._embedded import DIALECT, publish_embedded
from evalkit.publish.rendering._pieces import quoted
from evalkit.publish.rendering._quarto import write_input
from evalkit.report import Report, _report, open_report
from evalkit.report import _mark as marks
from evalkit.simulate import simulate
from evalkit.views import CurveText, html_table
from publish.standin import pdf_pages

NAMES = [
    "<unknown>", "*a*", "_b_", "[x](http://y.org)", "# heading", "::: {.finding}", "@fig-sources", "$x$ and $y$", "`code`",
    "{.class #id}", "&amp; &lt;", "~~~", "this | that", r"C:\new\x", '"quoted" \'words\'', "and so on ...", "a -- b --- c",
    "<script>alert(1)</script>", "#let x = 1", "1. first", "a) second", "^up^ ~down~", r"\newpage", "http://example.org/a?b=c&d",
    ":smile: :+1:", "- dash", "+ plus", "= sum", "% part", "Table: caption", ": definition", "![p](q.png)", "<!-- c -->",
    "{{< include x >}}", "**bold** __too__", "H~2~O x^2^", "[ ] task", "[x]: http://a.org", "[^1] ^[note]", "---", "===",
    "O'Neil & Søn", "-5", "a-?b", "kind: table", "a] b", "[c", "/ term: x", "// no comment", "it's {not} a place",
    "==mark==", "<u>under</u>", "#5", "(1) one", "www.example.org", "a@b.example", "\\", "x\\", "~", "...", "$", "!", "R&D",
]  # fmt: skip
PLAIN = [f"Zz{letter}zz" for letter in "ABCDEFGHIJ"]
CHUNK = 10


# -- One name, in Markdown --------------------------------------------------------------------------------------------


def read(text: str, dialect: str = DIALECT) -> str:
    """Return the words that pandoc reads in a text, and the kinds of everything that is no word."""
    call = [str(pypandoc.get_pandoc_path()), f"--from={dialect}", "--to=json"]
    done = subprocess.run(call, input=text, capture_output=True, text=True, encoding="utf-8", check=True)
    return _said(json.loads(done.stdout)["blocks"])


def _said(node: Any) -> str:
    if isinstance(node, list):
        return "".join(map(_said, node))
    if not isinstance(node, dict) or "t" not in node:
        return ""
    kind, content = node["t"], node.get("c", [])
    if kind == "Str":
        return str(content).replace("\u00a0", " ")  # pandoc's own blank after abbreviations
    if kind in {"Space", "SoftBreak"}:
        return " "
    return _said(content) + "\n" if kind in {"Para", "Plain"} else f"<{kind}>{_said(content)}"


SENTENCES: list[Callable[[str], str]] = [
    lambda name: name,
    lambda name: f"Most came from {name}, and some from {name}.",
    lambda name: template("In **{group}** it was 5%.").format(group=name),
    lambda name: f"{name}: 5% in {name} ({name}).",
]


@pytest.mark.parametrize(
    "dialect", [DIALECT, f"{DIALECT}+emoji+autolink_bare_uris+mark+hard_line_breaks", "commonmark_x"]
)
def test_a_sentence_with_a_name_is_read_as_it_stands(dialect: str) -> None:
    said = [write(name) for name in NAMES for write in SENTENCES]
    found = read("\n\n".join(markdown(text) for text in said), dialect).replace("<Strong>", "").splitlines()
    wanted = [markdown_free(text) for text in said]
    assert found == wanted


def markdown_free(text: str) -> str:
    return re.sub("[\U000f0000-\U000f007f]", "", text)


@pytest.mark.parametrize("name", ["a\nb", "a\n\n# b", "a\r\n- b", "a\u2028b", "   four blanks", "a\x0bb"])
def test_a_name_stays_on_its_line(name: str) -> None:
    assert read(markdown(f"From {name}.")).count("\n") == 1
    assert "<Header>" not in read(markdown(name))
    assert "<CodeBlock>" not in read(markdown(f"    {name}"))


def test_our_own_marks_stay_marks() -> None:
    text = paragraphs(f"{bold('*a*')} and {sign('@fig-x')}", table(("A|B",), [("x | y",)]))
    assert markdown(text) == "**\\*a\\*** and @fig-x\n\n| A\\|B |\n| --- |\n| x \\| y |"


@pytest.mark.parametrize("name", NAMES)
def test_a_caption_s_title_and_an_alternative_text_are_the_name(name: str) -> None:
    assert title(f"**{escaped(name)}.** {escaped(name)}") == f"{name}. {name}"
    assert html.unescape(quoted(name)[1:-1]) == name
    assert not re.search(r'["\\]', quoted(name)[1:-1])


def test_no_identifier_hides_behind_a_backslash() -> None:
    for identifier in ("P_81*2a03", "QX-71--2", "A#1@2$3"):
        assert _guard.fold(identifier) in _guard.fold(markdown(f"See {identifier}."))


@pytest.mark.parametrize("name", NAMES)
def test_a_table_holds_the_name(name: str) -> None:
    page = html_table(pd.DataFrame({"a": [name], "g": [name]}), {"a": name}, note=name, groups="g")
    cells = [html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(?:<span>)?(.*?)(?:</span>)?</t[hd]>", page)]
    assert cells == [name] * 4


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("community_outreach", "Community outreach"),
        ("_b_", "_b_"),
        ("a_b_c", "A b c"),
        ("http://x.org", "http://x.org"),
    ],
)
def test_only_the_blanks_of_a_code_word_become_blanks(level: str, words: str) -> None:
    assert in_words(level) == words


# -- A whole report of such names -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("names")
    # So many that each level of a characteristic may be shown: a characteristic is shown whole, or not at all.
    simulate("benefit", seed=5, n_focus=500, n_comparison=500).write(place)
    return place


def study_of(folder: Path, tables: Path, names: list[str]) -> Path:
    """Write a study in which every kind of name is one of ten."""
    people = pd.read_csv(tables / "participants.csv", dtype=str, keep_default_na=False)
    for column, first in (("referral_source", 0), ("community_area", 5), ("race_ethnicity", 4)):
        levels = sorted(set(people[column]) - {""})
        people[column] = people[column].replace({old: names[(first + i) % CHUNK] for i, old in enumerate(levels)})
    people.to_csv(folder / "participants.csv", index=False)
    # No blank around a label: that is how a protocol's texts are kept.
    content = {
        "id": "names", "title": names[0], "subtitle": names[1], "organisation": names[2], "starts": "2021-11-18",
        "baselines": None,
        "arms": {
            "column": "pathway",
            "focus": {"value": "non_mandated", "label": names[3], "definition": names[4]},
            "comparison": {"value": "paip", "label": names[5], "definition": names[6]},
        },
        "covariates": [
            {"name": "age", "label": names[7], "kind": "numeric"},
            {"name": "race_ethnicity", "label": names[8], "kind": "categorical"},
        ],
        "community_area_tiles": {names[5 + i]: [i, 0] for i in range(5)},
        "harm": {"kinds": ["dv_arrest", "order_violation"], "label": names[9]},
        "tables": {"participants": {"path": "participants.csv"}}
        | {name: {"path": str(tables / f"{name}.csv")} for name in ("sessions", "exits", "outcomes")},
    }  # fmt: skip
    (folder / "study.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder / "study.yaml"


def cells_of(report: Report, names: list[str]) -> dict[str, Callable[[], None]]:
    cohort = report.cohort
    funnel = analyses.funnel(cohort)
    words = CurveText(names[0], names[1], names[2])
    curve = analyses.staying(cohort)
    return {
        "": report.cover,
        "groups": report.groups_compared,
        "say": lambda: report.say(funnel, "tbl-funnel"),
        "curve": lambda: report.say(curve, words=words),
        "tbl-funnel": lambda: report.show(funnel, "table", note="A note"),
        "fig-sources": lambda: report.show(analyses.reach(cohort, "referral_source"), x_label=names[3]),
        "fig-areas": lambda: report.show(
            analyses.reach(cohort, "community_area"), places=report.study.community_area_tiles
        ),
        "fig-curve": lambda: report.show(curve, words=words),
        "fig-across": lambda: report.show(analyses.engaged_across(cohort, ["race_ethnicity"])),
        "tbl-across": lambda: report.show(analyses.engaged_across(cohort, ["race_ethnicity"]), "table"),
        "tbl-differences": lambda: report.show_differences(curve),
        "methods": report.methods,
        "dictionary": report.dictionary,
    }


def documented(study: Path, names: list[str], patch: pytest.MonkeyPatch) -> tuple[Document, list[str]]:
    """Show everything; return the document, and what the figures say."""
    drawn: list[str] = []
    original = _report.svg_of

    def svg(figure: Any) -> str:
        drawn.extend(text.get_text() for text in figure.findobj(Text))
        return original(figure)

    shown: list[tuple[dict[str, Any], dict[str, Any]]] = []
    patch.setattr(marks, "display", lambda bundle, raw, metadata: shown.append((bundle, metadata)))
    patch.setattr(_report, "svg_of", svg)
    cells = [new_markdown_cell("# The author's own heading")]
    for label, show in cells_of(open_report(str(study), "2023Q4", title="Names"), names).items():
        shown.clear()
        show()
        outputs = [new_output("display_data", data=bundle, metadata=metadata) for bundle, metadata in shown]
        kind = label.partition("-")[0]
        options = f'#| label: {label}\n#| {kind}-cap: "Caption"\n#| fig-alt: "Alt"\n' if "-" in label else ""
        cells.append(new_code_cell(options, outputs=outputs))
    executed = nbformat.from_dict(new_notebook(cells=cells))
    return document_of(executed, toc=True, pdf_standard="ua-1"), drawn


class _Page(HTMLParser):
    """A page's elements, without their attributes, and its words, alternative texts and titles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"col", "colgroup"}:  # a table with a long line says how wide its columns are
            self.elements.append(tag)
        self.words += [str(value) for name, value in attrs if name in {"alt", "aria-label"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text).casefold()


@pytest.fixture(scope="module")
def harmless(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> _Page:
    with pytest.MonkeyPatch.context() as patch:
        return published(tables, tmp_path_factory.mktemp("plain"), PLAIN, patch)[0]


def published(
    tables: Path, folder: Path, names: list[str], patch: pytest.MonkeyPatch, *formats: str
) -> tuple[_Page, Document, list[str], dict[str, Path]]:
    document, drawn = documented(study_of(folder, tables, names), names, patch)
    made = publish_embedded(document, ("html", *formats), folder, 120)
    return _Page(made["html"].read_text(encoding="utf-8")), document, drawn, made


@pytest.mark.parametrize("first", range(0, len(NAMES), CHUNK))
def test_a_report_shows_every_name_as_it_stands(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harmless: _Page, first: int
) -> None:
    names = (NAMES[first:] + NAMES)[:CHUNK]
    in_print = first in {0, CHUNK, 4 * CHUNK}
    page, document, drawn, made = published(tables, tmp_path, names, monkeypatch, *(["pdf"] if in_print else []))
    assert page.elements == harmless.elements, "a name made or broke an element of the page"
    words, figures = squeezed(page.text), squeezed(" ".join(drawn))
    for name, plain in zip(names, PLAIN, strict=True):
        assert words.count(squeezed(name)) >= squeezed(harmless.text).count(squeezed(plain)) > 0, name
    for name in (*names[:4], names[5]):
        assert squeezed(name) in figures, name
    for item in document.items:
        assert audit_markdown(item.text) == "" if item.kind == "markdown" else audit_markdown(item.caption) == ""
        for text in (item.alt, item.title):
            assert "\\<" not in text and "\U000f002a" not in text
    if in_print:
        printed = squeezed(" ".join(pdf_pages(made["pdf"])))
        for name in names:
            assert squeezed(name) in printed, name


def test_quarto_is_given_no_more_than_that(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["{{< include x >}}", "<unknown>", "*a*", r"C:\new", '"q"', "&amp;", "@cite", "# h", "::: x", "[x](y)"]
    document, _ = documented(study_of(tmp_path, tables, names), names, monkeypatch)
    (tmp_path / "quarto").mkdir()
    file = write_input(document, ("html", "pdf"), tmp_path / "quarto")
    cells = nbformat.read(file, as_version=4).cells
    given = "\n".join(cell.source for cell in cells)
    assert "{{<" not in given
    alts = re.findall(r'\{#fig-[\w-]+ fig-alt="([^"]*)"(?: phone="[^"]*")?\}$', given, re.MULTILINE)
    assert alts
    for text in alts:
        assert not re.search(r"[\\<]", text)


def test_page_one_shows_every_name_as_it_stands(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["_b_", "<i>t</i>", "*a*", "# h", "{.x}", "$y$", "1. x", "a | b", "@c", "it's ..."]
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(marks, "display", lambda bundle, raw, metadata: shown.append(bundle))
    report = open_report(str(study_of(tmp_path, tables, names)), "2023Q4", title="A report")
    for part in (report.cover, report.findings, report.groups_compared):
        part()
    words = read("\n\n".join(bundle["text/markdown"] for bundle in shown if "text/markdown" in bundle))
    (table,) = [bundle["text/html"] for bundle in shown if "text/html" in bundle]
    cells = html.unescape(re.sub(r"<[^>]*>", " ", table))
    for name in (names[3], names[5]):
        assert name in words, name
        assert name in cells, name
    assert "<Raw" not in words
    assert "<Emph>" not in words
