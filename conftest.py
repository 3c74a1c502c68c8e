"""What examples in docstrings may use without making it: a simulated study, for `evalkit.analyses` and `.report`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def simulated_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the protocol of a study of 160 people in the pilot and 900 in PAIP."""
    # Imported where it is used: every run of a single test would else wait for it.
    from evalkit.simulate import simulate  # noqa: PLC0415

    place = tmp_path_factory.mktemp("examples")
    (place / "params").mkdir()
    for file in (_ROOT / "params").glob("*.yaml"):
        (place / "params" / file.name).write_bytes(file.read_bytes())
    simulate("benefit", seed=7, n_focus=160, n_comparison=900).write(place / "data" / "demo")
    return place / "params" / "study.yaml"


@pytest.fixture(scope="session")
def names_of_analyses(simulated_study: Path) -> dict[str, Any]:
    """Return the cohort at the end of 2023, what was known then, and the cohort a quarter earlier."""
    from evalkit.cohort import build  # noqa: PLC0415
    from evalkit.intake import open_data  # noqa: PLC0415
    from evalkit.protocol import load_study  # noqa: PLC0415

    data = open_data(load_study(simulated_study))
    cut = data.at(date(2023, 12, 31))
    return {"cohort": build(cut), "cut": cut, "earlier": build(data.at(date(2023, 9, 30)))}


@pytest.fixture(scope="session")
def names_of_reports(simulated_study: Path) -> dict[str, Any]:
    """Return the study's file, and its report at the end of 2023."""
    from evalkit.report import open_report  # noqa: PLC0415

    return {"study": str(simulated_study), "report": open_report(str(simulated_study), "2023Q4")}


@pytest.fixture(autouse=True)
def _names_of_examples(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> Iterator[None]:
    rooms = {_ROOT / "src/evalkit/analyses": "names_of_analyses", _ROOT / "src/evalkit/report": "names_of_reports"}
    if room := rooms.get(request.path.parent):
        doctest_namespace.update(request.getfixturevalue(room))
    yield
    doctest_namespace.clear()  # a name must not stand in the place of another module's
