"""What examples in docstrings may use without making it: the cohort of a simulated study, for `evalkit.analyses`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evalkit.cohort import Cohort

_ROOT = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def simulated_cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Return the cohort at the end of 2023 of 160 people in the pilot and 900 in PAIP."""
    # Imported where it is used: every run of a single test would else wait for it.
    from evalkit.cohort import build  # noqa: PLC0415
    from evalkit.intake import open_data  # noqa: PLC0415
    from evalkit.protocol import load_study  # noqa: PLC0415
    from evalkit.simulate import simulate  # noqa: PLC0415

    place = tmp_path_factory.mktemp("examples")
    (place / "params").mkdir()
    for file in (_ROOT / "params").glob("*.yaml"):
        (place / "params" / file.name).write_bytes(file.read_bytes())
    simulate("benefit", seed=7, n_focus=160, n_comparison=900).write(place / "data" / "demo")
    return build(open_data(load_study(place / "params" / "study.yaml")).at(date(2023, 12, 31)))


@pytest.fixture(autouse=True)
def _names_of_examples(request: pytest.FixtureRequest, doctest_namespace: dict[str, Any]) -> None:
    if request.path.parent == _ROOT / "src/evalkit/analyses":
        doctest_namespace["cohort"] = request.getfixturevalue("simulated_cohort")
