"""The tests that stand nearest to each package: what `--near` tries a package's faults against.

All tests take half an hour to be measured and longer to be run; these take minutes. A fault that only a farther test
notices counts as not noticed, so that a figure made with them is never too high.
"""

from __future__ import annotations

FRAMES = ("tests/golden/test_whole.py", "tests/golden/test_by_hand.py")
DOCTESTS = tuple(
    f"src/evalkit/{name}.py"
    for name in [
        "counts",
        "errors",
        "estimates",
        "glossary",
        "letters",
        "levels",
        "markup",
        "periods",
        "rounding",
        "seal",
        "spreadsheet",
        "wilson",
        "zones",
    ]
)
# Whole renders, processes and browsers: a minute of work for a handful of tests.
DEAR = tuple(
    f"tests/{name}.py"
    for name in (
        "cli/test_apart", "cli/test_night", "cohort/test_backends", "hardening/test_artefacts", "publish/test_both_publishers",
        "publish/test_crash", "publish/test_process", "publish/test_quarto", "publish/test_render", "publish/test_scratch",
        "publish/test_verify", "reports/test_brief", "reports/test_notebooks", "reports/test_rossi", "reports/test_spanish",
    )
)  # fmt: skip
NEAR = {
    "analyses": (*FRAMES, "tests/engagement", "tests/harm", "tests/comparison", "src/evalkit/analyses"),
    "cells": (
        "tests/publish/test_memory.py",
        "tests/publish/test_static.py",
        "tests/reports/test_lab.py",
        "src/evalkit/cells",
    ),
    "cli": ("tests/cli",),
    "cohort": (*FRAMES, "tests/cohort", "tests/engagement/test_boundaries.py"),
    "disclosure": ("tests/disclosure", "tests/protected", "src/evalkit/disclosure"),
    "evalkit": ("tests/basics", "tests/survival/test_parts.py", "tests/compare/test_compare_parts.py", *DOCTESTS),
    "examples": ("tests/examples", "tests/cli/test_init.py"),
    "intake": ("tests/intake",),
    "intake.mapping": ("tests/intake",),
    "protocol": ("tests/protocol", "src/evalkit/protocol"),
    "publish": ("tests/publish", "tests/cli/test_in_process.py"),
    "publish.audit": ("tests/publish", "tests/hardening"),
    "publish.release": ("tests/publish",),
    "publish.rendering": ("tests/publish", "tests/hardening"),
    "report": ("tests/reports", "src/evalkit/report"),
    "simulate": ("tests/simulate", "src/evalkit/simulate"),
    "site": ("tests/release_site", "tests/cli/test_site.py"),
    "stats": (*FRAMES, "tests/survival", "tests/compare", "src/evalkit/stats"),
    "views": ("tests/views", "tests/looks", "src/evalkit/views"),
    "words": ("tests/messages", "tests/basics", "tests/views/test_words.py", "src/evalkit/words"),
}


def near(names: list[str], package: str) -> set[str]:
    """Return those files of tests that stand near to a package."""
    return {name for name in names if name.startswith(NEAR[package]) and name not in DEAR}
