"""docs/mutants.md: how many faults the tests notice, per package."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.mutants import trees
from tools.mutants.draw import Drawn
from tools.mutants.reviewed import Reviewed


def write(asked: argparse.Namespace, drawn: list[Drawn], verdicts: list[str], reviewed: Reviewed) -> None:
    """Write the page."""
