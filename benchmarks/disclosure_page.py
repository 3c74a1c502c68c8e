"""``docs/disclosure.md``, from the numbers of a finished run of `benchmarks.disclosure`."""

from __future__ import annotations

from statistics import median
from typing import Any

Row = dict[str, Any]
PAGE = """\
# What disclosure control prevents, and what it costs

`python -m benchmarks.disclosure` writes this page (three quarters of an hour of one core); with `--from-json` it is
written again from the numbers of the last run (`benchmarks/disclosure.json`), and with `--reports` only whole reports
are attacked again. How the protection works, and half a page for a data board: [ADR
15](decisions/0015-keyed-noise.md).

## The attacker

The attacker (`tests/disclosure/attacker.py`) is written apart from the library. He reads every published number of
all releases, knows the rules and the table of the noise, everything but the study's secret, and, more than any
reader, which groups of people lie within which. He goes three ways: which sizes of a small group are possible at all
(linear and integer programming over all releases), how likely each is (Bayes, with no opinion beforehand), and
averaging over all pairs of published groups whose difference is the same people. The finished files (PDF, HTML,
coordinates of drawings, CSV, manifest) are attacked in `tests/hardening/test_artefacts.py`, standard errors of models
in `tests/disclosure/test_fits.py`.

{on}

## Differences that return

Whole reports of eight quarters (waiting, completing, funnel, curves with numbers at risk, models of who leaves) of
{reports} simulated studies of 130 and 420 people. Where the same few people are what many pairs of published groups
differ by, each pair is one more look at them; a sixth look is not told. He knows of every group who is in it, but for
these few.

{returns}

## One protection off at a time

The same attacker, who knows that it is off, on the first studies with four quarters.

{off}

## Asking again and again

The same four quarters are looked at {looks} times, and the mean of what is told is taken of each small group that is
the difference of two published ones. Keys make all looks the same; with a new secret each time the mean gives the
size away.

{averaged}

## Do the published intervals hold?

Samples are drawn, protected, and the interval that is published is held against the truth. It should hold in 95 of
100.

{covered}

## What it costs

{studies} simulated studies of 160 people in the pilot and 900 in PAIP, all quarters to 2023Q4 known, by the default
policy (minimum 11, noise of a variance of 2 and at most 5). *Published in*: of how many studies the number may be
quoted.

{cost}
"""


def attacks(found: dict[str, Any]) -> list[str]:
    """Return what the attacker found with every protection on."""
    on = found["attacks"]
    total = {key: sum(row[key] for row in on) for key in ("published", "targets", "printed", "narrow", "over")}
    pairs = [number for row in on for number in row["pairs"]]
    several = [number for number in pairs if number > 1]
    return [
        f"{len(on)} studies of {found['people']} people, each published in {found['quarters']} quarters (shares by "
        "area, by gender and in all, means, and a curve), were attacked together: "
        f"{total['targets']:,} small groups (cells below the minimum, and differences of groups that lie within one "
        f"another) from {total['published']:,} groups of which a number is published. {len(several):,} small groups "
        f"are the difference of two pairs or more, {sum(n > 3 for n in several):,} of four or more, one of "
        f"{max(pairs)}.",
        "",
        "| | found |",
        "|---|--:|",
        f"| small counts printed | {total['printed']} |",
        f"| small counts with fewer than 3 possible values | {total['narrow']} |",
        f"| small counts of which he is more than 50 % sure | {total['over']} |",
        f"| how sure he is of the likeliest value of the one that he knows best | "
        f"{100 * max(row['surest'] for row in on):.0f} % |",
    ]


def returns(found: dict[str, Any]) -> list[str]:
    """Return what he found in whole reports, with the look for differences that return and without it."""
    lines = [
        "| Differences that return are | Numbers left out | Small differences | Most pairs of one "
        "| More than 50 % sure of | How sure of the best known |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for on, name in ((True, "looked for"), (False, "not looked for")):
        rows = [row for row in found["reports"] if row["on"] == on]
        left_out, of, differences, over = (
            sum(row[k] for row in rows) for k in ("left_out", "asked", "differences", "over")
        )
        most, surest = max(row["pairs"] for row in rows), 100 * max(row["surest"] for row in rows)
        lines.append(f"| {name} | {left_out} of {of:,} | {differences:,} | {most} | {over} | {surest:.0f} % |")
    return lines


def without(found: dict[str, Any]) -> list[str]:
    """Return what the same attacker found with one protection off."""
    lines = [
        "| Protection that is off | Studies | Small counts printed | Small counts with fewer than 3 values | Studies |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in dict.fromkeys(row["off"] for row in found["without"]):
        rows = [row for row in found["without"] if row["off"] == name]
        numbers = [sum(row[key] for row in rows) for key in ("printed", "narrow")]
        hit = sum(bool(row["printed"] or row["narrow"]) for row in rows)
        lines.append(f"| {name} | {len(rows)} | {' | '.join(map(str, numbers))} | {hit} |")
    return lines


def averaged(found: dict[str, Any]) -> list[str]:
    """Return how many small groups' sizes the mean of many looks gives."""
    lines = ["| | Small groups | Mean is the size | |", "|---|--:|--:|--:|"]
    for keyed, name in ((True, "keyed by the people"), (False, "drawn anew each time")):
        rows = [row for row in found["averaged"] if row["keyed"] == keyed]
        right, many = (sum(row[key] for row in rows) for key in ("right", "targets"))
        lines.append(f"| {name} | {many:,} | {right:,} | {100 * right / many:.0f} % |")
    return lines


def covered(found: dict[str, Any]) -> list[str]:
    """Return how often published intervals hold the truth."""
    lines = ["| Estimate | Samples | Published | Interval holds the truth |", "|---|--:|--:|--:|"]
    return lines + [
        f"| {row['what']} | {row['samples']:,} | {row['told']:,} | {100 * row['hits'] / row['told']:.1f} % |"
        for row in found["covered"]
    ]


def costs(found: dict[str, Any]) -> list[str]:
    """Return how far what is published lies from what is exact."""
    lines = [
        "| Estimate | Group | Published in | Change, points: median | largest | in standard errors: median | largest |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for what, group in dict.fromkeys((row["what"], row["group"]) for row in found["cost"]):
        rows = [row for row in found["cost"] if (row["what"], row["group"]) == (what, group)]
        told = [row for row in rows if row["told"] is not None and row["exact"] is not None]
        off = [abs(row["told"] - row["exact"]) for row in told]
        errors = [o / row["error"] for o, row in zip(off, told, strict=True) if row["error"]]
        numbers = [_two(off, 100), _two(errors, 1)]
        lines.append(f"| {what} | {group} | {len(told)} of {len(rows)} | {' | '.join(numbers)} |")
    return lines


def _two(values: list[float], unit: int) -> str:
    return f"{unit * median(values):.2f} | {unit * max(values):.2f}" if values else "- | -"


def page(found: dict[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    found : dict
        Content of ``disclosure.json``.

    Returns
    -------
    str
    """
    studies = len({row["seed"] for row in found["cost"]})
    made = {"on": attacks, "returns": returns, "off": without, "averaged": averaged, "covered": covered, "cost": costs}
    parts = {name: "\n".join(make(found)) for name, make in made.items()}
    reports = len({row["seed"] for row in found["reports"]})
    return PAGE.format(reports=reports, studies=studies, looks=found["looks"], **parts)
