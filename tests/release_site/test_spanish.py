"""A site in Spanish of releases that have no Spanish edition: whatever has Spanish words is said in them."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from evalkit.errors import ProtocolError
from evalkit.protocol import Study, load_study
from evalkit.site import build_site
from evalkit.site._series import Question, Row
from evalkit.site._words import Reader, Told, label_of
from publish.made import publish, study_in
from release_site.published import CURVE, FUNNEL, PAGE_ONE, contents, facts, resource

MORE = """
title: A study
subtitle: Its pilot
organisation: A team
translations:
  es:
    A study: Un estudio
    Its pilot: Su piloto
    A team: Un equipo
    Quarterly report: Informe trimestral
    A pilot: Un piloto
    PAIP: PAIP
    recorded harm: registro de haber causado daño
    Gender: Género
    Woman: Mujer
    Another: Otro
    Area: Zona
citation: {licence: CC-BY-4.0}
"""
PAGE = [
    f"{term},{label},{measure},{group},,{n},{estimate},,,{term}"
    for term, label in (
        ("referred", "People referred"), ("harm", "Recorded harm within one year"), ("engaged", "Engaged"),
        ("left", "Left within six months"), ("completed", "Completed within nine months"),
    )
    for measure, group, n, estimate in (
        ("people" if term == "referred" else "share", "A pilot", 20, "" if term == "referred" else 0.5),
        ("people" if term == "referred" else "share", "PAIP", 20, "" if term == "referred" else 0.4),
        *([] if term == "referred" else [("difference", "A pilot - PAIP", "", 0.1)]),
    )
]  # fmt: skip
STEPS = [
    f"A pilot,{term},{label},20,10,0.5,0.3,0.7"
    for term, label in (
        ("intake", "Intake within 30 days"), ("engaged", "Engaged: 4 sessions within 60 days of intake"),
        ("half", "12 sessions within 120 days"), ("late", "Outcomes last searched more than 90 days ago"),
    )
]  # fmt: skip
LEVELS = "group,variable,term,label,n,n_event,estimate,conf_low,conf_high"
LEVEL = [
    "all,Gender,w,Woman,20,10,0.5,0.3,0.7",
    "all,Gender,o,Another,9,3,0.3,0.1,0.6",
    "all,Area,a,Another,9,3,0.3,0.1,0.6",
]
CAUSES = ["A pilot,recorded harm,0,20,0,0,0", "A pilot,recorded harm,91,9,0.2,0.1,0.3"]
# Names and forms, which are the same in both languages.
NEUTRAL = {
    "PAIP", "PDF", "CSV", "SVG", "SHA-256", "CC-BY-4.0", "sha256sum report.html\ncertutil -hashfile report.html SHA256",
}  # fmt: skip


def files(number: int) -> dict[str, str]:
    made = contents(STEPS, page_one=PAGE)
    resources = [
        resource("tbl-page", "p", "findings", PAGE_ONE, "At a glance"),
        resource("tbl-funnel", "aaa", "funnel", FUNNEL, "The path from referral to completion, with denominators"),
        resource("tbl-own", "bbb", "shares", LEVELS, "Who came: of one's own"),
        resource("fig-path", "ddd", "pathway", "group,state,time,estimate", "Who came: of one's own"),
        resource("fig-harm", "ccc", "cumulative_incidence", CURVE, "Who came: of one's own"),
    ]
    return {
        **made, "data/datapackage.json": json.dumps({"resources": resources}),
        "data/tbl-own.csv": "\n".join([LEVELS, *LEVEL, ""]), "data/fig-harm.csv": "\n".join([CURVE, *CAUSES, ""]),
        "data/fig-path.csv": "group,state,time,estimate\n", "data/README.md": f"# {number}\n",
    }  # fmt: skip


def changed() -> dict[str, object]:
    rows = [
        ("tbl-page", "term harm, label Recorded harm within one year, measure share, group A pilot", "estimate", 0.5, 0.6),
        ("tbl-page", "term left, label Left within six months, measure difference, group A pilot - PAIP", "conf_low", 0.5, 0.6),
        ("tbl-own", "group all, variable Gender, term o, label Another", "n_event", 3, 4),
        ("tbl-own", "group all, variable Area, term a, label Another", "n", None, 4),
        ("fig-harm", "group A pilot, cause recorded harm, time 91 (2)", "n_risk", 9, 8),
        ("fig-path", "group A pilot, state lapsed, time 30", "estimate", 0.5, 0.6),
        ("tbl-funnel", "", "", None, "table"),
    ]  # fmt: skip
    names = ("output", "where", "column", "old", "new")
    return {"reasons": [], "numbers": [dict(zip(names, row, strict=True)) for row in rows]}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("world")
    study_in(folder)
    file = folder / "study.yaml"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("title:")]
    file.write_text("\n".join(lines) + MORE, encoding="utf-8")
    (folder / "notebooks" / "own.es.po").write_text(
        'msgid ""\nmsgstr "Language: es\\n"\n\nmsgid "Who came: of one\'s own"\nmsgstr "Quiénes vinieron"\n\n'
        'msgid "At a glance"\nmsgstr "De un vistazo"\n', encoding="utf-8",
    )  # fmt: skip
    made = load_study(file)
    common = facts(made, "Quarterly report")
    publish(made, "2000Q2", "quarterly", contents=files(1), **common)
    publish(made, "2000Q3", "quarterly", contents=files(2), **common)
    publish(made, "2000Q3", "quarterly", contents=files(3), change_note="2.", changes=changed(), **common)
    return made


@pytest.fixture(scope="module")
def site(study: Study) -> Path:
    return build_site(study, study.folder / "reports", study.folder / "site").folder


def pieces(page: Path) -> list[str]:
    """Return all that a page says, also to those who hear it."""
    text = page.read_text(encoding="utf-8")
    text = text[text.index("<body>") :]
    said = [*re.split(r"<[^>]+>", text), *re.findall(r'(?:aria-label|alt|title)="([^"]*)"', text)]
    return [one.strip(" \n.,:;()") for one in map(html.unescape, said)]


PAGES = ("index.html", "indicators.html", "methods.html", "quarterly/2000Q3/index.html")


@pytest.mark.parametrize("page", PAGES)
def test_no_english_words_where_there_are_spanish_ones(site: Path, page: str) -> None:
    english = {piece for piece in pieces(site / page) if re.search(r"[^\W\d_]{2}", piece)}
    both = {piece for piece in pieces(site / "es" / page) if piece in english}
    assert {piece for piece in both if not re.fullmatch(r"[0-9a-f]{64}|\S+\.\w+|2000Q\d", piece)} <= NEUTRAL


@pytest.mark.parametrize("page", PAGES)
def test_nothing_spanish_is_marked_as_english(site: Path, page: str) -> None:
    text = (site / "es" / page).read_text(encoding="utf-8")
    marked = re.findall(r'<(\w+)[^>]* lang="en"[^>]*>(.*?)</', text.partition("<main")[2])
    assert {said for _, said in marked} <= {"2."}  # what somebody wrote stays as it was written


def test_the_indicators_are_named_in_spanish(site: Path) -> None:
    text = (site / "es/indicators.html").read_text(encoding="utf-8")
    rows = [re.sub("<[^>]+>", "", said) for said in re.findall(r'<th scope="rowgroup"[^>]*>(.*?)</th>', text)]
    assert rows == [
        "Personas referidas", "Registro de haber causado daño en un año",
        "Registro de haber causado daño en un año, diferencia entre los grupos", "Participación inicial",
        "Participación inicial, diferencia entre los grupos", "Dejaron el programa antes de seis meses",
        "Dejaron el programa antes de seis meses, diferencia entre los grupos", "Completaron en nueve meses",
        "Completaron en nueve meses, diferencia entre los grupos", "Entrevista inicial en 30 días",
        "Participación inicial: 4 sesiones en 60 días desde la entrevista inicial", "12 sesiones en 120 días",
        "Resultados buscados por última vez hace más de 90 días", "Mujer", "Género: Otro", "Zona: Otro",
        "Registro de haber causado daño, al día 91",
    ]  # fmt: skip
    groups = set(re.findall(r'<th scope="row" class="group">(.*?)</th>', text))
    assert groups == {"Un piloto", "PAIP", "Un piloto - PAIP", "todas las personas"}


def test_what_changed_is_told_in_rows_that_people_can_read(site: Path) -> None:
    def rows(page: Path) -> list[list[str]]:
        text = page.read_text(encoding="utf-8")
        table = text[text.index('<table class="changes">') :].partition("</table>")[0]
        lines = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in re.findall("<tr>(.*?)</tr>", table)]
        return [[html.unescape(cell) for cell in line] for line in lines[1:]]

    assert rows(site / "quarterly/2000Q3/index.html") == [
        ["At a glance"],
        ["Recorded harm within one year", "A pilot", "Estimate", "0.5", "0.6"],
        ["Left within six months, difference between the groups", "A pilot - PAIP", "Lower limit", "0.5", "0.6"],
        ["Who came: of one's own"],
        ["Gender: Another", "all", "Number", "3", "4"],
        ["Area: Another", "all", "Out of", "missing", "4"],
        ["Who came: of one's own"],
        ["Recorded harm, by day 91", "A pilot", "At risk", "9", "8"],
        ["Who came: of one's own"],
        ["By day 30, lapsed", "A pilot", "Estimate", "0.5", "0.6"],
        ["The path from referral to completion, with denominators"],
        ["not shown before."],
    ]
    assert rows(site / "es/quarterly/2000Q3/index.html")[:3] == [
        ["De un vistazo"],
        ["Registro de haber causado daño en un año", "Un piloto", "Estimación", "0.5", "0.6"],
        [
            "Dejaron el programa antes de seis meses, diferencia entre los grupos",
            "Un piloto - PAIP",
            "Límite inferior",
            "0.5",
            "0.6",
        ],
    ]
    path = ["Al día 30, ausentes", "Un piloto", "Estimación", "0.5", "0.6"]
    assert path in rows(site / "es/quarterly/2000Q3/index.html")


@pytest.mark.parametrize(
    ("language", "of", "text", "told"),
    [
        ("es", "en", "Engaged", Told("Participación inicial")), ("es", "en", "PAIP", Told("PAIP")),
        ("es", "en", "A name", Told("A name", "en")),
        ("es", "en", "Main findings at a glance. Added after the protocol was frozen (v1, November 29, 2026)",
         Told("Resultados principales de un vistazo. Se añadió después de fijar el protocolo (v1, 29 de noviembre de 2026)")),
        ("es", "en", "Gender. A name", Told("Gender. A name", "en")), ("es", "en", "2000Q4", Told("2000Q4")),
        ("es", "es", "Mujer", Told("Mujer")), ("en", "es", "Mujer", Told("Mujer", "es")), ("en", "en", "A", Told("A")),
    ],
)  # fmt: skip
def test_what_is_in_another_language_says_so(language: str, of: str, text: str, told: Told) -> None:
    assert Reader.of(language, {"es": {"PAIP": "PAIP"}}).told(text, of) == told


def test_a_label_of_both_languages_is_marked_as_the_reports() -> None:
    row = Row({"label": "A name", "measure": "difference"}, "A", {})
    said = label_of(row, Question("t", "T", (row,), (), 1), Reader.of("es", {}), "en")
    assert said.__html__() == '<span lang="en">A name, diferencia entre los grupos</span>'
    assert Told("<b>").__html__() == "&lt;b&gt;"


def test_a_catalogue_that_is_none_stops_the_site(study: Study, tmp_path: Path) -> None:
    file = study.folder / "notebooks" / "bad.es.po"
    file.write_text("<<<", encoding="utf-8")
    try:
        with pytest.raises(ProtocolError, match=r"bad\.es\.po: is not a readable catalogue"):
            build_site(study, study.folder / "reports", tmp_path / "site")
    finally:
        file.unlink()
