"""What is slow to import is imported when it is used: a first `import evalkit.stats` costs little more than pandas."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SLOW = {
    "lifelines", "statsmodels", "scipy.stats", "scipy.optimize", "scipy.special", "scipy.sparse", "matplotlib", "seaborn",
    "babel", "joblib", "formulaic", "IPython", "duckdb", "ibis",
}  # fmt: skip


def loaded(code: str) -> set[str]:
    told = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(("module", "also"), [("evalkit", {"pandas", "numpy"}), ("evalkit.stats", set())])
def test_an_import_brings_nothing_slow(module: str, also: set[str]) -> None:
    found = loaded(f"import {module}")
    assert found & (SLOW | also) == set()
    assert module in found


def test_what_is_used_is_loaded_then() -> None:
    curve = "import pandas as pd\nfrom evalkit.stats import kaplan_meier, proportion\n"
    assert "scipy.stats" not in loaded(curve + "kaplan_meier(pd.DataFrame({'t': [1, 2], 'e': [1, 0]}), 't', 'e')")
    assert "scipy.special" in loaded(curve + "proportion(3, 9)")
