"""``docs/disclosure.md``, from the numbers of a finished run of `benchmarks.disclosure`."""

from __future__ import annotations

from statistics import median
from typing import Any

Row = dict[str, Any]
PAGE = """\
# What disclosure control prevents, and what it costs

`python -m benchmarks.disclosure` writes this page (an hour and a half of one core); with `--from-json` it is written
again from the numbers of the last run (`benchmarks/disclosure.json`).

## The attacker

The attacker (`tests/disclosure/attacker.py`) is written apart from the library. He reads every published number of all
releases, knows the rules, calculates events back from the steps of curves and from the landmarks at which blocks of
them end, numbers of people back from means (of the few that are rounded alike, those with which some whole sum gives
the mean), knows, more than any reader, which groups lie within which, and finds the range of every small count by
linear and integer programming. Standard errors of models are attacked in `tests/disclosure/test_fits.py`.

{on}

## One protection off at a time

The same attacker on the same studies. Rounding is switched off where numbers are printed, while the choice of rows is
made as if it were on: chosen with exact numbers in mind, more rows would be withheld instead. Complementary
suppression and the ledger are switched off in those studies in which rows had been withheld for others' sake; the other
protections in the first studies, with four quarters.

{off}

With rounding on, subtraction seldom leaves one value only. What complementary suppression and the ledger add is the
policy's promise that three values stay possible: without either the attacker breaks it in the studies of the last
column. The promise holds for what a release adds; where earlier releases alone, and the fact that a row is small, leave
fewer values, the manifest says how many such counts there are.

## A policy that does not round

With `rounding_base: 1` large counts are printed as they are, and nothing but complementary suppression and the ledger
keeps small ones from being worked out. The same attacker on the first studies, all quarters of each:

{unrounded}

## What it costs

{studies} simulated studies of 160 people in the pilot and 900 in PAIP, all quarters to 2023Q4 known, by the default
policy (minimum 11, base 5). *Published in*: of how many studies the number may be quoted.

{cost}
"""


def attacks(found: dict[str, Any]) -> list[str]:
    """Return what the attacker found with every protection on."""
    on = [row["on"] for row in found["attacks"]]
    total = {key: sum(row[key] for row in on) for key in on[0]}
    touched = sum(row["withheld"] > 0 for row in on)
    return [
        f"{len(on)} studies of {found['people']} people, each published in {found['quarters']} quarters "
        f"(shares by area, by gender and in all, means, and a curve: {total['rows']:,} rows), were attacked together: "
        f"{total['targets']:,} small groups (cells below the minimum, differences of cells that lie within one "
        f"another, steps of curves) from {total['readings']:,} published numbers.",
        "",
        "| | found |",
        "|---|--:|",
        f"| small counts known exactly | {total['known']} |",
        f"| small counts printed | {total['printed']} |",
        f"| small counts with 2 possible values only | {total['narrow'] - total['known']} |",
        f"| small counts of which the library could not prove that 3 values stay possible | {total['short']} |",
        "",
        "The last line is what the review packs say (`small_counts_tighter_than_asked`): counts that only earlier "
        "releases and the fact that a row is not shown hold so narrowly, so that nothing can be withheld any more. In "
        f"{sum(row['narrow'] <= row['short'] for row in on)} of {len(on)} studies the attacker found no more narrow "
        "ones than they count.",
        "",
        f"For this, {total['withheld']} of {total['rows']:,} rows were withheld beside those that are small themselves "
        f"({100 * total['withheld'] / total['rows']:.2f} %), in {touched} of {len(on)} studies.",
    ]


def without(found: dict[str, Any]) -> list[str]:
    """Return what the same attacker found with one protection off."""
    lines = [
        "| Protection that is off | Studies | Printed | Known exactly | Fewer than 3 values | Studies with any |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    names = dict.fromkeys(name for row in [*found["without"], *found["attacks"]] for name in row["off"])
    for name in names:
        rows = [row["off"][name] for row in [*found["without"], *found["attacks"]] if name in row["off"]]
        numbers = [sum(row[key] for row in rows) for key in ("printed", "known", "narrow")]
        hit = sum(bool(row["printed"] or row["narrow"]) for row in rows)
        lines.append(f"| {name} | {len(rows)} | {' | '.join(map(str, numbers))} | {hit} |")
    return lines


def unrounded(found: dict[str, Any]) -> list[str]:
    """Return what the attacker found where large counts are printed as they are."""
    lines = [
        "| Protection that is off | Studies | Rows withheld for others' sake | Known exactly | Fewer than 3 values "
        "| Studies with any |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in found["unrounded"][0]["off"]:
        rows = [row["off"][name] for row in found["unrounded"]]
        numbers = [sum(row[key] for row in rows) for key in ("withheld", "known", "narrow")]
        hit = sum(bool(row["narrow"]) for row in rows)
        lines.append(f"| {name} | {len(rows)} | {' | '.join(f'{n:,}' for n in numbers)} | {hit} |")
    return lines


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
    made = {"on": attacks, "off": without, "unrounded": unrounded, "cost": costs}
    parts = {name: "\n".join(make(found)) for name, make in made.items()}
    return PAGE.format(studies=studies, **parts)
