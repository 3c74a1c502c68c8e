"""What is no estimate does not go through the report's doors, and one line says what to do instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell

from evalkit.counts import Tally
from evalkit.errors import DisclosureError, EvalkitError, UsageError
from evalkit.estimates import Estimates
from evalkit.report import Report, open_report
from publish import standin
from publish.test_render import last_line, run


def of_library(name: str) -> Any:
    """Something that a drawing library might return."""
    return type("Chart", (), {"__module__": f"{name}.objects"})()


SECRET = "QX71"  # noqa: S105 - a made-up participant
GIVEN = [
    (None, r"got nothing \(None\)"),
    (Figure(), r"got a figure, in which nobody can see what is counted; give report\.draw"),
    (Figure().add_subplot(), "got a figure"),
    *((of_library(name), "got a figure") for name in ("seaborn", "plotly", "altair", "bokeh", "plotnine", "PIL")),
    (of_library("tables"), r"got a value \(Chart\)"),
    (pd.DataFrame({"participant_id": [SECRET]}), "got a frame, whose rows may be people"),
    (pd.Series([SECRET]), "got a frame"),
    (SECRET, "got a text; write it in a Markdown cell"),
    (5, r"got a value \(int\)"),
    ([None], "got several things"),
    ({"a": SECRET}, "got several things"),
    (print, "got a function"),
    (plt, r"got a value \(module\)"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return open_report(str(standin.write_world(tmp_path_factory.mktemp("given"))), "2000Q4")


@pytest.mark.parametrize(("given", "said"), GIVEN, ids=[f"{type(given).__module__}: {said}" for given, said in GIVEN])
@pytest.mark.parametrize("door", ["show", "say", "safe", "draw", "show_differences", "show_benchmarks"])
def test_what_is_no_estimate_is_answered_in_a_line(report: Report, door: str, given: Any, said: str) -> None:
    with pytest.raises(DisclosureError, match=said) as refused:
        getattr(report, door)(given, *((print,) if door == "draw" else ()))
    text = str(refused.value)
    assert "\n" not in text
    assert SECRET not in text
    assert "Markdown cell" in text or "analyses.funnel(report.cohort)" in text
    assert refused.value.exit_code == 6


def unknown() -> Estimates:
    rows = pd.DataFrame({"group": ["a"], "term": ["model"], "n_event": [40], "n": [90]})
    return Estimates(
        data=pd.DataFrame({"term": ["x"], "estimate": [1.0]}), kind="mine", estimand="e", counts=Tally(rows)
    )


@pytest.mark.parametrize(
    ("door", "more", "said"),
    [
        ("show", ("figure",), "report.show: 'mine' has no figure; show it as a table"),
    ],
)
def test_a_kind_without_a_figure_says_what_to_do(report: Report, door: str, more: tuple[str, ...], said: str) -> None:
    with pytest.raises(EvalkitError, match=said) as refused:
        getattr(report, door)(unknown(), *more)
    assert refused.value.exit_code == 6


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (SECRET, "report.show: there is no such shape; there are: auto, figure, table"),
        (5, "report.show: there is no such shape; there are: auto, figure, table"),
        (
            "tabel",
            "report.show: there is no shape 'tabel'; there are: auto, figure, table; did you mean 'table'?",
        ),
    ],
)
def test_of_a_choice_that_there_is_not_only_a_slip_of_the_pen_is_quoted(
    report: Report, shape: object, said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        report.show(unknown(), shape)  # type: ignore[arg-type]
    assert str(refused.value) == said


def test_the_command_line_says_it_with_its_own_exit_code(tmp_path: Path) -> None:
    refused = 'from evalkit.errors import DisclosureError\nraise DisclosureError("report.show: got a frame; give it estimates")'
    standin.write_world(tmp_path, [*standin.cells(), new_code_cell(refused)])
    done = run(tmp_path, "--to", "html")
    assert done.returncode == 6
    assert "cell 7: report.show: got a frame" in last_line(done)
    assert "Traceback" not in done.stderr
