"""What the brief says of hand-made results, whole, in English and Spanish: one row of the table for each branch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from matplotlib.figure import Figure

from evalkit.disclosure import Safe
from evalkit.periods import Period
from evalkit.protocol import Baseline
from evalkit.report import Brief, _brief
from evalkit.report._brief_words import Words
from evalkit.views import Gap
from evalkit.words import messages_for
from reports.made import COOK, RULE, points, small, told
from reports.made import shown as _shown
from reports.test_findings import contrast, harmed, left, on
from views.drawn import labels, laid_out, lines, said
from views.made import HIGHER, LOWER, NONE, safe_of, shares

shown = _shown
REACH, PART, STAY, DONE, HARM = range(5)


@dataclass(frozen=True)
class Case:
    """One line of the brief, in both languages."""

    line: int
    english: str
    spanish: str
    results: Mapping[str, Safe] = field(default_factory=dict)
    gaps: Mapping[str, Mapping[str, Gap]] = field(default_factory=dict)
    baselines: tuple[Baseline, ...] = ()
    tables: tuple[str, ...] = ("participants", "sessions", "exits", "outcomes")

    def brief(self, language: str, origin: str = "intake") -> Brief:
        report = told(self.results, self.gaps, of=small(tables=self.tables), baselines=self.baselines)
        return brief(language, report, origin)


def brief(language: str, report: Any, origin: str = "intake") -> Brief:
    own = report.study.translations.get(language, {})
    return Brief(report, Words(messages_for(f"{language}-US"), own, origin))


def funnel(*rows: str) -> dict[str, Safe]:
    return {"funnel": shares("funnel", "\n".join(["group | term | label | n_event | n", *rows]))}


def reached(n: object) -> dict[str, Safe]:
    return {"funnel": safe_of("funnel", f"group | term | n | estimate\nPAIP | referred | 777 | 1\nPilot | intake | 99 | 1\n"
                                        f"Pilot | referred | {n} | 1")}  # fmt: skip


TOO_FEW = "Too few people have been followed for long enough to tell."
MUY_POCAS = "Muy pocas personas han tenido un seguimiento suficientemente largo para saberlo."
CLEAR = {"none": "There is no clear difference.", "higher": "It is clearly higher in the Pilot group.",
         "lower": "It is clearly lower in the Pilot group."}  # fmt: skip
CLARA = {"none": "No hay una diferencia clara.", "higher": "Es claramente mayor en el grupo «Piloto».",
         "lower": "Es claramente menor en el grupo «Piloto»."}  # fmt: skip
ENGAGED = funnel("PAIP | engaged | Engaged | 150 | 300", "Pilot | engaged | Engaged | 90 | 120")
COMPLETED = funnel("Pilot | completed | Completed | 10 | 40", "PAIP | completed | Completed | 90 | 120")
PART_EN = "**Taking part.** In the Pilot group, 75% (67% to 82%) of people came to 3 or more sessions within 45 days of intake."
PART_ES = (
    "**Participación.** En el grupo «Piloto», 75% (67% a 82%) de las personas asistió a 3 o más sesiones en los 45 días "
    "posteriores a su ingreso al programa (entrevista inicial)."
)
DONE_EN = (
    "**Completing.** In the Pilot group, 25% (14% to 40%) of those who started completed the program within 250 days of "
    "their first session. In the PAIP group it was 75% (67% to 82%)."
)
DONE_ES = (
    "**Finalización.** En el grupo «Piloto», 25% (14% a 40%) de las personas que empezaron completó el programa en los 250 "
    "días posteriores a su primera sesión. En el grupo «PAIP» el porcentaje fue de 75% (67% a 82%)."
)
PUBLISHED_EN = (
    "In a published study, Cook County, 73% of 1,899 men assessed completed the program. These are other people in other "
    "years: that share is no target."
)
PUBLISHED_ES = (
    "En un estudio publicado, Cook County, completó el programa el 73% de 1,899 hombres evaluados. Son otras personas en "
    "otros años: ese porcentaje no es una meta."
)
STAY_EN = (
    "**Staying.** 90 days after their first session, 27% (21% to 34%) of those who started in the Pilot group had left "
    "without completing."
)
STAY_ES = (
    "**Permanencia.** A los 90 días de su primera sesión, 27% (21% a 34%) de las personas que empezaron en el grupo «Piloto» "
    "había dejado el programa sin completarlo."
)
BESIDE_EN, BESIDE_ES = (
    "In the PAIP group it was 44% (38% to 50%).",
    "En el grupo «PAIP» el porcentaje fue de 44% (38% a 50%).",
)
ON_90 = left("Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | pass",
             "Pilot | 182 | 60 | 0.9 | 0.8 | 1 | pass", "PAIP | 182 | 150 | 0.9 | 0.8 | 1 | pass")  # fmt: skip
HARM_EN = "**Harm.** {day} days after intake, 12% (8% to 17%) of people in the Pilot group had recorded harm."
HARM_ES = "**Daño.** A los {day} días de su ingreso, 12% (8% a 17%) de las personas del grupo «Piloto» tenía algún daño registrado."
OTHER_EN, OTHER_ES = (
    "In the PAIP group it was 31% (26% to 37%).",
    "En el grupo «PAIP» el porcentaje fue de 31% (26% a 37%).",
)
MUCH_EN, MUCH_ES = "Much harm is never recorded.", "Gran parte del daño nunca se registra."
FEW_EN = "No figure for a later day is given: too few people would stand behind it."
FEW_ES = "No se publica ninguna cifra para un día posterior: se basaría en muy pocas personas."
UNTIL_EN = "Over the first 90 days, "
UNTIL_ES = "En los primeros 90 días, "


def staying(pilot: str, paip: str = "pass") -> dict[str, Safe]:
    """Of the day asked for the focus is not quoted."""
    return left(f"Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | {pilot}", f"PAIP | 90 | 150 | 0.44 | 0.38 | 0.50 | {paip}")


def harming(pilot: str, paip: str = "pass") -> dict[str, Safe]:
    return harmed(f"Pilot | 182 | 60 | 0.12 | 0.08 | 0.17 | {pilot}", f"PAIP | 182 | 150 | 0.31 | 0.26 | 0.37 | {paip}")


CASES = {
    "reach: many": Case(REACH, "**Reach.** 1,240 people have been referred to the Pilot since November 18, 2021.",
        "**Alcance.** 1,240 personas han sido referidas al programa «Piloto» desde el 18 de noviembre de 2021.", reached(1240)),
    "reach: one": Case(REACH, "**Reach.** 1 person has been referred to the Pilot since November 18, 2021.",
        "**Alcance.** 1 persona ha sido referida al programa «Piloto» desde el 18 de noviembre de 2021.", reached(1)),
    "reach: nobody": Case(REACH, "**Reach.** Nobody has been referred to the Pilot since November 18, 2021.",
        "**Alcance.** Nadie ha sido referido al programa «Piloto» desde el 18 de noviembre de 2021.", reached(0)),
    "reach: too few": Case(REACH, "**Reach.** Fewer than 11 people have been referred to the Pilot since November 18, 2021.",
        "**Alcance.** Menos de 11 personas han sido referidas al programa «Piloto» desde el 18 de noviembre de 2021.", reached("-")),
    "reach: without sessions": Case(REACH, "**Reach.** 120 people have been referred to the Pilot since November 18, 2021.",
        "**Alcance.** 120 personas han sido referidas al programa «Piloto» desde el 18 de noviembre de 2021.",
        {"attrition": safe_of("attrition", "group | n\nPAIP | 777\nPilot | 120\nPilot | 90\nall | 897")},
        tables=("participants", "outcomes")),
    "reach: without sessions, too few": Case(REACH,
        "**Reach.** Fewer than 11 people have been referred to the Pilot since November 18, 2021.",
        "**Alcance.** Menos de 11 personas han sido referidas al programa «Piloto» desde el 18 de noviembre de 2021.",
        {"attrition": safe_of("attrition", "group | n\nPAIP | 777\nPilot | -")}, tables=("participants", "outcomes")),
    "part: nothing": Case(PART, f"**Taking part.** {TOO_FEW}", f"**Participación.** {MUY_POCAS}"),
    "part: time over for nobody": Case(PART, f"**Taking part.** {TOO_FEW}", f"**Participación.** {MUY_POCAS}",
        funnel("PAIP | engaged | Engaged | 150 | 300", "Pilot | engaged | Engaged | 0 | 0")),
    "part: alone": Case(PART, PART_EN, PART_ES, funnel("Pilot | engaged | Engaged | 90 | 120"), {"funnel": {"Engaged": HIGHER}}),
    "part: both": Case(PART, f"{PART_EN} In the PAIP group it was 50% (44% to 56%).",
        f"{PART_ES} En el grupo «PAIP» el porcentaje fue de 50% (44% a 56%).", ENGAGED),
    **{f"part: {d}": Case(PART, f"{PART_EN} In the PAIP group it was 50% (44% to 56%). {CLEAR[d]}",
        f"{PART_ES} En el grupo «PAIP» el porcentaje fue de 50% (44% a 56%). {CLARA[d]}", ENGAGED,
        {"funnel": {"Engaged": gap, "Completed": HIGHER}}) for d, gap in {"none": NONE, "higher": HIGHER, "lower": LOWER}.items()},
    "part: hardly anybody, and nearly everybody": Case(PART,
        "**Taking part.** In the Pilot group, under 1% (under 1% to 2%) of people came to 3 or more sessions within 45 days of "
        "intake. In the PAIP group it was over 99% (over 99% to over 99%).",
        "**Participación.** En el grupo «Piloto», menos del 1% (menos del 1% a 2%) de las personas asistió a 3 o más sesiones en "
        "los 45 días posteriores a su ingreso al programa (entrevista inicial). En el grupo «PAIP» el porcentaje fue de más del "
        "99% (más del 99% a más del 99%).",
        funnel("Pilot | engaged | Engaged | 1 | 250", "PAIP | engaged | Engaged | 12499 | 12500")),
    "done: nothing": Case(DONE, f"**Completing.** {TOO_FEW}", f"**Finalización.** {MUY_POCAS}", baselines=(COOK,)),
    "done: both": Case(DONE, DONE_EN, DONE_ES, COMPLETED),
    "done: beside the first published share that is exact": Case(DONE, f"{DONE_EN} {CLEAR['lower']} {PUBLISHED_EN}",
        f"{DONE_ES} {CLARA['lower']} {PUBLISHED_ES}", COMPLETED, {"funnel": {"Completed": LOWER}},
        (RULE, COOK.model_copy(update={"n": None, "value": 0.3}), RULE.model_copy(update={"n": 9}), COOK.model_copy(update={"measure": "harm", "value": 0.1}), COOK, COOK.model_copy(update={"value": 0.2}))),
    "stay: nothing": Case(STAY, f"**Staying.** {TOO_FEW}", f"**Permanencia.** {MUY_POCAS}"),
    "stay: both": Case(STAY, f"{STAY_EN} {BESIDE_EN}", f"{STAY_ES} {BESIDE_ES}", ON_90),
    "stay: a difference of a later day is not told": Case(STAY, f"{STAY_EN} {BESIDE_EN}", f"{STAY_ES} {BESIDE_ES}", ON_90,
        {"cumulative_incidence left": {"disengagement": on(182, HIGHER)}}),
    **{f"stay: {d}": Case(STAY, f"{STAY_EN} {BESIDE_EN} {CLEAR[d]}", f"{STAY_ES} {BESIDE_ES} {CLARA[d]}", ON_90,
        {"cumulative_incidence left": {"disengagement": on(90, gap)}})
       for d, gap in {"none": NONE, "higher": HIGHER, "lower": LOWER}.items()},
    "stay: the other not quoted": Case(STAY, STAY_EN, STAY_ES, staying("pass", "fail")),
    "stay: only an earlier day": Case(STAY,
        f"{STAY_EN.replace('90 days', '30 days')} {BESIDE_EN} {FEW_EN} {UNTIL_EN}people in the Pilot group clearly stayed longer.",
        f"{STAY_ES.replace('90 días', '30 días')} {BESIDE_ES} {FEW_ES} {UNTIL_ES}las personas del grupo «Piloto» permanecieron "
        "claramente más tiempo.",
        left("Pilot | 30 | 60 | 0.27 | 0.21 | 0.34 | pass", "PAIP | 30 | 150 | 0.44 | 0.38 | 0.50 | pass",
             "Pilot | 90 | 60 | 0.5 | 0.4 | 0.6 | fail", "PAIP | 90 | 150 | 0.6 | 0.5 | 0.7 | pass")
        | {"rmst_contrast left": contrast(HIGHER), "rmst_contrast harmed": contrast(LOWER)}),
    "stay: no day, and of the other one": Case(STAY,
        "**Staying.** No share is given: too few people would stand behind it. In the PAIP "
        f"group, 44% (38% to 50%) had left without completing 90 days after their first session. {UNTIL_EN}people in the Pilot "
        "group clearly stayed less long.",
        "**Permanencia.** No se publica el porcentaje: se basaría en muy pocas personas. "
        "En el grupo «PAIP», 44% (38% a 50%) había dejado el programa sin completarlo a los 90 días de su primera sesión. "
        f"{UNTIL_ES}las personas del grupo «Piloto» permanecieron claramente menos tiempo.",
        staying("fail") | {"rmst_contrast left": contrast(LOWER)}),
    "stay: no day of either": Case(STAY,
        f"**Staying.** No share is given: too few people would stand behind it. {UNTIL_EN}the groups do not clearly differ in how "
        "long people stayed.",
        f"**Permanencia.** No se publica el porcentaje: se basaría en muy pocas personas. {UNTIL_ES}no hay una diferencia clara "
        "entre los grupos en el tiempo que las personas permanecieron.",
        staying("unknown", "fail") | {"rmst_contrast left": contrast(NONE)}),
    "stay: before the day asked for": Case(STAY, f"**Staying.** {TOO_FEW}", f"**Permanencia.** {MUY_POCAS}",
        left("Pilot | 30 | 60 | 0.27 | 0.21 | 0.34 | fail", "PAIP | 30 | 150 | 0.44 | 0.38 | 0.50 | pass")),
    "harm: nothing": Case(HARM, f"**Harm.** {TOO_FEW}", f"**Daño.** {MUY_POCAS}"),
    "harm: both": Case(HARM, f"{HARM_EN.format(day=182)} {OTHER_EN} {MUCH_EN}", f"{HARM_ES.format(day=182)} {OTHER_ES} {MUCH_ES}",
        harming("pass")),
    **{f"harm: {d}": Case(HARM, f"{HARM_EN.format(day=182)} {OTHER_EN} {CLEAR[d]} {MUCH_EN}",
        f"{HARM_ES.format(day=182)} {OTHER_ES} {CLARA[d]} {MUCH_ES}", harming("pass"),
        {"cumulative_incidence harmed": {"recorded harm": on(182, gap)}})
       for d, gap in {"none": NONE, "higher": HIGHER, "lower": LOWER}.items()},
    "harm: alone": Case(HARM, f"{HARM_EN.format(day=182)} {MUCH_EN}", f"{HARM_ES.format(day=182)} {MUCH_ES}",
        harming("pass", "unknown")),
    "harm: only an earlier day": Case(HARM,
        f"{HARM_EN.format(day=90)} {OTHER_EN} {MUCH_EN} {FEW_EN} Over the first 182 days, harm was recorded clearly sooner or more "
        "often in the Pilot group.",
        f"{HARM_ES.format(day=90)} {OTHER_ES} {MUCH_ES} {FEW_ES} En los primeros 182 días, en el grupo «Piloto» el daño se registró "
        "claramente antes o con más frecuencia.",
        harmed("Pilot | 90 | 60 | 0.12 | 0.08 | 0.17 | pass", "PAIP | 90 | 150 | 0.31 | 0.26 | 0.37 | pass",
               "Pilot | 182 | 60 | 0.5 | 0.4 | 0.6 | unknown", "PAIP | 182 | 150 | 0.6 | 0.5 | 0.7 | pass")
        | {"rmst_contrast harmed": contrast(LOWER), "rmst_contrast left": contrast(HIGHER)}),
    "harm: no day, and of the other one": Case(HARM,
        "**Harm.** No share is given: too few people would stand behind it. "
        "In the PAIP group, 31% (26% to 37%) of people had recorded harm 182 days after intake. "
        f"{MUCH_EN} Over the first 182 days, harm was recorded clearly later or less often in the Pilot group.",
        "**Daño.** No se publica el porcentaje: se basaría en muy pocas personas. "
        "En el grupo «PAIP», 31% (26% a 37%) de las personas tenía algún daño "
        f"registrado a los 182 días de su ingreso. {MUCH_ES} En los primeros 182 días, en el grupo «Piloto» el daño se registró "
        "claramente más tarde o con menos frecuencia.",
        harming("fail") | {"rmst_contrast harmed": contrast(HIGHER)}),
    "harm: no day of either": Case(HARM,
        f"**Harm.** No share is given: too few people would stand behind it. {MUCH_EN} Over the first 182 days, the groups do not "
        "clearly differ in the time before harm was recorded.",
        f"**Daño.** No se publica el porcentaje: se basaría en muy pocas personas. {MUCH_ES} En los primeros 182 días, no hay una "
        "diferencia clara entre los grupos en el tiempo hasta que se registró un daño.",
        harming("unknown", "unknown") | {"rmst_contrast harmed": contrast(NONE)}),
    "harm: no day, and no mean": Case(HARM,
        f"**Harm.** No share is given: too few people would stand behind it. {MUCH_EN}",
        f"**Daño.** No se publica el porcentaje: se basaría en muy pocas personas. {MUCH_ES}",
        harming("unknown", "unknown")),
    "harm: before the day asked for": Case(HARM, f"**Harm.** {TOO_FEW}", f"**Daño.** {MUY_POCAS}",
        harmed("Pilot | 90 | 60 | 0.12 | 0.08 | 0.17 | fail", "PAIP | 90 | 150 | 0.31 | 0.26 | 0.37 | pass")),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("name", CASES)
def test_finding(name: str, language: str, shown: list[dict[str, Any]]) -> None:
    case = CASES[name]
    case.brief(language).findings()
    found = points(shown[0]["text/markdown"])
    assert found[case.line] == (case.english if language == "en" else case.spanish)
    assert len(found) == (5 if "sessions" in case.tables else 2)


@pytest.mark.parametrize(
    ("language", "intake", "referral"),
    [("en", "days after intake", "days after referral"), ("es", "días de su ingreso", "días de haber sido referidas")],
)
@pytest.mark.parametrize("name", ["harm: both", "harm: no day, and of the other one"])
def test_harm_of_everybody_referred(
    name: str, language: str, intake: str, referral: str, shown: list[dict[str, Any]]
) -> None:
    case = CASES[name]
    case.brief(language, "referral").findings()
    said = case.english if language == "en" else case.spanish
    assert intake in said
    assert points(shown[0]["text/markdown"])[case.line] == said.replace(intake, referral)


@pytest.mark.parametrize(
    ("language", "heading", "alike"),
    [
        ("en", "What was found", "“No clear difference” does not mean that the groups are alike."),
        ("es", "Qué se encontró", "«No hay una diferencia clara» no significa que los grupos sean iguales."),
    ],
)
def test_around_the_findings(language: str, heading: str, alike: str, shown: list[dict[str, Any]]) -> None:
    brief(language, told(ENGAGED | ON_90 | harming("pass"))).findings()
    text = shown[0]["text/markdown"]
    assert text.startswith(f"# {heading}\n\n::: {{.finding}}\n- ")
    assert text.endswith(f"\n:::\n\n{alike}")
    assert set(shown[0]["mark"]["also"].values()) == {"funnel", "cumulative_incidence"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "# Who this brief is about\n\nIt describes two groups of people.\n\n- **Pilot**: people without a court order.\n"
               "- **PAIP**."),
        ("es", "# De quiénes trata este resumen\n\nDescribe a dos grupos de personas.\n\n- **Piloto**: people without a court "
               "order.\n- **PAIP**."),
    ],
)  # fmt: skip
def test_whom_it_is_about(language: str, text: str, shown: list[dict[str, Any]]) -> None:
    brief(language, told()).about()
    assert shown[0]["text/markdown"] == text


NOT_SHOWN = {
    "en": ["They do not show what the program caused. People sent by a court differ from people who come without a court order.",
           "Survivors do not report everything, and people under court supervision may be watched more closely. Recorded harm is "
           "less than all harm."],
    "random": ["The groups were made by lot: at the start only chance set them apart.", "Recorded harm is less than all harm."],
    "other": ["They do not show what the program caused. The groups may differ in more than the program.",
              "Recorded harm is less than all harm."],
}  # fmt: skip


@pytest.mark.parametrize("assignment", ["mandate", "random", "other"])
def test_how_to_read_it(assignment: str, shown: list[dict[str, Any]]) -> None:
    brief("en", told(of=small(assignment=assignment))).reading()
    text = shown[0]["text/markdown"]
    assert points(text) == [
        "A range in parentheses is a 95% confidence interval: how far chance alone could move a figure.",
        "To protect people, counts below 11 are not published, and other counts are up to 5 off, on purpose and at random.",
        "Only what was known on December 31, 2023 is used. Shares that reached a step are of people whose time for it is over.",
        *NOT_SHOWN["en" if assignment == "mandate" else assignment],
        "Completing a program does not by itself mean that someone has stopped causing harm.",
    ]
    assert [line for line in text.splitlines() if line.startswith("# ")] == [
        "# How to read the figures", "# What these figures do not show", "# Where to find more",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("language", "period", "named"),
    [
        ("en", "2022Q1", "first quarter of 2022"), ("en", "2022Q2", "second quarter of 2022"),
        ("en", "2022Q3", "third quarter of 2022"), ("en", "2022Q4", "fourth quarter of 2022"),
        ("es", "2022Q1", "primer trimestre de 2022"), ("es", "2022Q2", "segundo trimestre de 2022"),
        ("es", "2022Q3", "tercer trimestre de 2022"), ("es", "2022Q4", "cuarto trimestre de 2022"),
        ("en", "2022-01-01..2022-06-30", "January 1, 2022 to June 30, 2022"),
        ("es", "2022-01-01..2022-06-30", "del 1 de enero de 2022 al 30 de junio de 2022"),
    ],
)  # fmt: skip
def test_the_period(language: str, period: str, named: str) -> None:
    assert Words(messages_for(f"{language}-US"), {}).period(Period.parse(period)) == named


# -- figures ----------------------------------------------------------------------------------------------------------
STEPS = funnel(
    "Pilot | referred | Referred | 200 | 200", "Pilot | intake | Intake | 150 | 200", "Pilot | engaged | Engaged | 90 | 120",
    "Pilot | completed | Completed | 0 | 0", "PAIP | half_dose | Half | 30 | 120", "PAIP | engaged | Engaged | 150 | 300",
    "PAIP | completed | Completed | 90 | 120", "PAIP | first_session | First | 100 | 400",
)  # fmt: skip
NAMES = {
    "en": ["Intake within 30 days", "3 sessions within 45 days of intake", "12 sessions within 120 days",
           "Completed within 250 days", "First session within 60 days"],
    "es": ["Ingreso al programa en 30 días", "3 sesiones en 45 días desde el ingreso", "12 sesiones en 120 días",
           "Completado en 250 días", "Primera sesión en 60 días"],
}  # fmt: skip


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    drawn: list[Figure] = []
    monkeypatch.setattr(_brief, "svg_of", lambda figure: drawn.append(laid_out(figure)) or "<svg/>")
    return drawn


@pytest.mark.parametrize(("language", "pilot"), [("en", "Pilot"), ("es", "Piloto")])
def test_the_figure_of_steps(language: str, pilot: str, shown: list[dict[str, Any]], figures: list[Figure]) -> None:
    brief(language, told(STEPS)).steps()
    (axes,) = figures[0].axes
    assert labels(axes) == NAMES[language]
    assert [(hue, [x for x, _ in dots]) for hue, dots in lines(axes)] == [
        ("focus", [0.75, 0.75]), ("other", [0.25, 0.5, 0.75, 0.25]),
    ]  # fmt: skip
    intake, engaged, half, completed, first = NAMES[language]
    assert shown[0]["mark"]["words"]["alt"] == (
        f"{pilot}: {intake} 75%, {engaged} 75%. PAIP: {half} 25%, {engaged} 50%, {completed} 75%, {first} 25%."
    )
    assert [row[:4] for row in shown[0]["mark"]["data"]["rows"]] == [
        [pilot, intake, 200, 150], [pilot, engaged, 120, 90], ["PAIP", half, 120, 30], ["PAIP", engaged, 300, 150],
        ["PAIP", completed, 120, 90], ["PAIP", first, 400, 100],
    ]  # fmt: skip
    assert shown[0]["mark"]["data"]["columns"] == [
        "group",
        "label",
        "n",
        "n_event",
        "estimate",
        "conf_low",
        "conf_high",
    ]


LEFT = left(
    "Pilot | 0 | 60 | 0 | 0 | 0 | pass", "Pilot | 30 | 60 | 0.1 | 0.05 | 0.2 | pass", "Pilot | 90 | 60 | 0.27 | 0.21 | 0.34 | pass",
    "Pilot | 730 | 60 | 0.8 | 0.7 | 0.9 | pass", "PAIP | 0 | 150 | 0 | 0 | 0 | pass", "PAIP | 90 | 150 | 0.44 | 0.38 | 0.5 | pass",
)  # fmt: skip


@pytest.mark.parametrize(
    ("language", "pilot", "alt", "axis"),
    [
        ("en", "Pilot", "Pilot: 10% by day 30, 27% by day 90. PAIP: 44% by day 90.", "Days since first session"),
        ("es", "Piloto", "Piloto: 10% hasta el día 30, 27% hasta el día 90. PAIP: 44% hasta el día 90.",
         "Días desde la primera sesión"),
    ],
)  # fmt: skip
def test_the_figure_of_staying(
    language: str, pilot: str, alt: str, axis: str, shown: list[dict[str, Any]], figures: list[Figure]
) -> None:
    brief(language, told(LEFT)).staying()
    (axes,) = figures[0].axes
    assert lines(axes) == [("focus", [(0, 0), (30, 0.1), (90, 0.27)]), ("other", [(0, 0), (90, 0.44)])]
    assert {("focus", pilot), ("other", "PAIP")} <= set(said(axes))
    assert axes.get_xlabel() == axis
    assert shown[0]["mark"]["words"]["alt"] == alt
    assert [row[:3] for row in shown[0]["mark"]["data"]["rows"]] == [
        ["PAIP", 0, 0], ["PAIP", 90, 0.44], [pilot, 0, 0], [pilot, 30, 0.1], [pilot, 90, 0.27],
    ]  # fmt: skip


ABSENT = {
    "en": ("Steps from referral to completion", "Share of people who had left without completing",
           "Not shown yet: too few people have been followed for long enough.",
           "Not shown: records of sessions are not part of this study."),
    "es": ("Pasos desde que la persona es referida hasta que completa el programa",
           "Porcentaje de personas que habían dejado el programa sin completarlo",
           "Todavía no se muestra: muy pocas personas han tenido un seguimiento suficientemente largo.",
           "No se muestra: los registros de sesiones no forman parte de este estudio."),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "es"])
def test_figures_that_are_not_there(language: str, shown: list[dict[str, Any]]) -> None:
    steps, staying_, early, never = ABSENT[language]
    for report, why in ((told(), early), (told(of=small(tables=("participants", "outcomes"))), never)):
        shown.clear()
        made = brief(language, report)
        made.steps()
        made.staying()
        assert [one["text/markdown"] for one in shown] == [
            f"::: {{.absent}}\n{title}. {why}\n:::" for title in (steps, staying_)
        ]
