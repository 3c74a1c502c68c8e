"""``docs/validation.md`` and its picture, from the numbers of a finished run."""

from __future__ import annotations

from math import sqrt
from pathlib import Path
from typing import Any

from evalkit.views.style import COMPARISON, FOCUS, INK, MUTED, RULE, new_figure, svg_of, themed

Row = dict[str, Any]
# label, what a number is multiplied by, decimals
LABELS = {
    "harm.rmst.365.crude": ("RMST difference, harm, day 365: arms as they are (days)", 1, 2),
    "retention.rmst.182.crude": ("RMST difference, retention, day 182: arms as they are (days)", 1, 2),
    "harm.rmst.365.att": ("RMST difference, harm, day 365: ATT (days)", 1, 2),
    "harm.risk.365.crude": ("Risk difference, harm, day 365: arms as they are (points)", 100, 2),
    "harm.risk.365.att": ("Risk difference, harm, day 365: ATT (points)", 100, 2),
    "retention.cif.disengagement.182.att": ("CIF difference, disengagement, day 182: ATT (points)", 100, 2),
    "retention.cif.completion.182.att": ("CIF difference, completion, day 182: ATT (points)", 100, 2),
    "benefit.cox": ("Cox log hazard ratio, harm, benefit", 1, 3),
    "benefit.cox.limit": ("Cox log hazard ratio, harm, benefit, its large-sample value", 1, 3),
    "null.cox": ("Cox log hazard ratio, harm, null", 1, 3),
}
METHODS = {
    "plain": "normal limits",
    "log-log": "hybrid log-log limits",
    "iptw": "iptw",
    "standardised": "standardised",
    "doubly_robust": "doubly robust",
    "everything": "given covariates, site, trait",
    "measured": "given measured covariates",
}
TESTS = {"logrank": "Log-rank", "gray": "Gray"}
ON = {
    "harm": "first harm",
    "retention": "leaving for any cause",
    "disengagement": "disengagement",
    "completion": "completion",
}
LOW, HIGH, TEST_LOW, TEST_HIGH = 0.93, 0.97, 0.04, 0.06


def share(k: int, n: int) -> tuple[float, float]:
    """Return a proportion and its Monte Carlo standard error.

    Parameters
    ----------
    k, n : int

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> share(95, 100)[0]
    0.95
    """
    p = k / n
    return p, sqrt(p * (1 - p) / n)


def in_order(found: dict[str, Any]) -> list[Row]:
    """Return the rows of estimates in the page's order."""
    order, methods = list(LABELS), list(METHODS)
    return sorted(found["estimates"], key=lambda r: (order.index(r["estimand"]), methods.index(r["method"])))


def omits_something(row: Row) -> bool:
    """Return whether a row's model leaves out what its truth is conditional on: not a test of the interval."""
    return bool(row["estimand"] == "benefit.cox" and row["method"] == "measured")


def _estimates(rows: list[Row]) -> list[str]:
    lines = [
        "| Estimand | Method | Truth (error) | Studies | Coverage, % (MCSE) | Truth above / below, % "
        "| Bias (MCSE) | SD of estimates | Mean SE |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for r in rows:
        label, unit, digits = LABELS[r["estimand"]]
        p, e = share(r["covered"], r["n"])
        n, (sd, se) = r["n"], (f"{r[k] * unit:.{digits}f}" for k in ("sd", "std_error"))
        bias = f"{r['bias'] * unit:+.{digits}f} ({r['sd'] * unit / sqrt(n):.{digits}f})"
        true = f"{r['truth'] * unit:.{digits}f} ({r['truth_error'] * unit:.{digits}f})"
        sides = f"{100 * r['too_low'] / n:.1f} / {100 * r['too_high'] / n:.1f}"
        cover = f"{100 * p:.1f} ({100 * e:.1f})"
        lines.append(f"| {label} | {METHODS[r['method']]} | {true} | {n} | {cover} | {sides} | {bias} | {sd} | {se} |")
    return lines


def _tests(rows: list[Row]) -> list[str]:
    lines = ["| Test | Of | Studies | Rejected at 5 %, % (MCSE) |", "|---|---|--:|--:|"]
    for r in rows:
        p, e = share(r["rejected"], r["n"])
        lines.append(f"| {TESTS[r['test']]} | {ON[r['on']]} | {r['n']} | {100 * p:.1f} ({100 * e:.1f}) |")
    return lines


def _name(row: Row) -> str:
    return f"{LABELS[row['estimand']][0]}, {METHODS[row['method']]}"


def _near(p: float, e: float, low: float, high: float) -> str:
    return ", by less than two Monte Carlo errors" if low - 2 * e < p < high + 2 * e else ""


def shortfalls(found: dict[str, Any]) -> list[str]:
    """Return a sentence for everything outside the goals, for biases that are no chance, for studies without result."""
    said, studies = [], found["settings"]["studies"]
    for r in in_order(found):
        p, e = share(r["covered"], r["n"])
        if not omits_something(r) and not LOW <= p <= HIGH:
            said.append(
                f"{_name(r)}: covers {100 * p:.1f} % (MCSE {100 * e:.1f}), outside 93 to 97 %{_near(p, e, LOW, HIGH)}."
            )
        spread = sqrt(r["sd"] ** 2 / r["n"] + r["truth_error"] ** 2)
        if abs(r["bias"]) > 3 * spread and not omits_something(r):
            said.append(
                f"{_name(r)}: the mean bias is {r['bias'] / r['sd']:+.2f} standard deviations of the estimate, "
                f"{abs(r['bias']) / spread:.1f} times its Monte Carlo error."
            )
        if r["n"] < studies:
            said.append(f"{_name(r)}: {studies - r['n']} of {studies} studies gave no result and are left out.")
    for r in found["tests"]:
        p, e = share(r["rejected"], r["n"])
        if not TEST_LOW <= p <= TEST_HIGH:
            said.append(
                f"{TESTS[r['test']]} of {ON[r['on']]}: rejects {100 * p:.1f} % (MCSE {100 * e:.1f}), outside 4 to 6 %."
            )
    return said


def _summary(found: dict[str, Any]) -> str:
    rows = [r for r in found["estimates"] if not omits_something(r)]
    cover = [r["covered"] / r["n"] for r in rows]
    inside = sum(LOW <= p <= HIGH for p in cover)
    errors = [r["rejected"] / r["n"] for r in found["tests"]]
    good = sum(TEST_LOW <= p <= TEST_HIGH for p in errors)
    return (
        f"{inside} of {len(rows)} intervals cover within 93 to 97 % (lowest {100 * min(cover):.1f} %, highest "
        f"{100 * max(cover):.1f} %); {good} of {len(errors)} tests reject within 4 to 6 % ({100 * min(errors):.1f} to "
        f"{100 * max(errors):.1f} %)."
    )


def page(found: dict[str, Any]) -> str:
    """Return the text of ``docs/validation.md``.

    Parameters
    ----------
    found : dict
        Content of ``benchmarks/validation.json``.

    Returns
    -------
    str
    """
    s = found["settings"]
    short = [f"- {line}" for line in shortfalls(found)] or ["- Nothing measured lies outside the goals."]
    lines = [
        "# Do the intervals and tests hold?",
        "",
        "`make validation` writes this page; `python -m benchmarks.validation --from-json` writes it again from the "
        "numbers of the last run (`benchmarks/validation.json`). Whether the tests notice faults is measured apart: "
        "`make mutants` ([ADR 14](decisions/0014-mutants.md)).",
        "",
        f"{s['studies']:,} studies of {s['n_focus']} people in the pilot and {s['n_comparison']} in PAIP, from the "
        f"project's own simulator (`evalkit.simulate`), each with a true effect (scenario *{s['scenario']}*) and "
        f"without one (*{s['null']}*); {s['crude_studies']:,} for the arms as they are, which cost little. "
        f"{_summary(found)}",
        "",
        "![Coverage of 95 % intervals, and rejections of true hypotheses](images/validation.svg)",
        "",
        "## Coverage and bias of 95 % intervals",
        "",
        *_estimates(in_order(found)),
        "",
        "*Truth above / below*: the whole interval lies below / above the truth. *MCSE*: Monte Carlo standard error. "
        "*Points*: percentage points. The error of the truth is its integration's; for the ATT it is an upper bound.",
        "",
        "## Type I error",
        "",
        *_tests(found["tests"]),
        "",
        *_leaving(found),
        *_pathway(found),
        *_text(s),
        "## What falls short",
        "",
        *short,
        *_pattern(found),
        *_standing(found),
        "",
    ]
    return "\n".join(lines)


LEAVING = {
    "yes": "Risk difference by day 60, a yes/no that matters",
    "number": "Risk difference by day 60, a number that matters",
    "noise": "Risk difference by day 60, three numbers that do nothing",
    "cox": "Cox model of a stage, numbers that do nothing",
    "g_formula": "Standardised difference over its standard error, numbers that do nothing",
}
PATHWAY = {
    "probability": "State probabilities, day 90, 182 and 365",
    "days": "Days in states up to day 365",
    "after a lapse": "State probabilities on day 365 of people lapsed on day 120",
    "probability, published": "State probabilities as published",
    "days, published": "Days in states as published",
    "probability_difference": "Differences of state probabilities",
    "days_difference": "Differences of days in states",
}


def _leaving(found: dict[str, Any]) -> list[str]:
    """Return the part on who leaves, where it was measured."""
    part = found.get("leaving")
    if not part:
        return []
    intervals, tests = (
        [(r, *share(r[key], r["n"])) for r in part[rows]]
        for rows, key in (("intervals", "covered"), ("tests", "rejected"))
    )
    lines = [
        "## Who leaves",
        "",
        f"`python -m benchmarks.leaving`: {part['studies']} studies of {part['people']} people, two causes, a yes/no "
        f"and a number that matter, three numbers that do not; limits of {part['n_boot']} bootstrap replicates.",
        "",
        "| 95 % interval | Intervals | Coverage, % (MCSE) |",
        "|---|--:|--:|",
        *(f"| {LEAVING[r['what']]} | {r['n']} | {100 * p:.1f} ({100 * e:.1f}) |" for r, p, e in intervals),
        "",
        "| Test | Tests | Rejected at 5 %, % (MCSE) |",
        "|---|--:|--:|",
        *(f"| {LEAVING[r['what']]} | {r['n']} | {100 * p:.1f} ({100 * e:.1f}) |" for r, p, e in tests),
        "",
    ]
    for r in part["foretold"]:
        what = "the yes/no and the number matter" if r["effect"] else "nothing can be foretold"
        lines.append(
            f"- Pairs put in the right order where {what} ({r['n']} studies, means): {100 * r['apparent']:.1f} of a "
            f"hundred in the people the model was made of, {100 * r['corrected']:.1f} corrected for optimism, "
            f"{100 * r['fresh']:.1f} in people it has not seen."
        )
    return [*lines, *([""] if part["foretold"] else [])]


def _pathway(found: dict[str, Any]) -> list[str]:
    """Return the part on the pathway, where it was measured."""
    part = found.get("pathway")
    if not part:
        return []
    lines = [
        "## The pathway",
        "",
        "`python -m benchmarks.pathway`: simulated stays that are not Markov. Of what nearly every study can show, "
        "and of shares from 3 to 97 %.",
        "",
        "| 95 % intervals | People | Studies | Intervals | Coverage, % | Lowest to highest |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for r in part["intervals"]:
        p, _ = share(r["covered"], r["n"])
        ends = f"{100 * r['least']:.1f} to {100 * r['most']:.1f}"
        lines.append(f"| {PATHWAY[r['what']]} | {r['people']} | {r['studies']} | {r['n']} | {100 * p:.1f} | {ends} |")
    few = min(r["studies"] for r in part["intervals"])
    said = f"With {few} studies chance alone moves a row by some points: intervals of one study go together."
    return [*lines, "", said, ""]


def _text(s: dict[str, Any]) -> list[str]:
    joined = ", ".join(s["covariates"])
    return [
        "## What is measured",
        "",
        f"- **Settings.** Seeds {s['seed']} to {s['seed'] + s['studies'] - 1}, referrals from {s['starts']} to "
        f"{s['ends']}, the study's data cut on that last day, {s['n_boot']} bootstrap replicates; "
        f"{s['crude_studies'] - s['studies']:,} more seeds after these for the arms as they are.",
        "- **Truth.** `truth.json` of the simulator: the model integrated over 2.5 million people in each population "
        "(harm: the mean of 100,000 people's closed forms), without censoring.",
        "- **Arms as they are.** The difference between the two populations, confounding included: "
        "`rmst_contrast` and `survival_difference`.",
        "- **ATT.** The pilot's people, had they gone to PAIP: `adjusted_effect` by its three methods, adjusted for "
        f"{joined}. Gender and race/ethnicity have two levels, because rarer ones tell the arms apart in some studies. "
        "The propensity score is then exactly logistic; the outcome regression is not the simulator's.",
        "- **Cox.** The simulator's hazards of harm are proportional given the covariates, the site and an unseen "
        "trait; the log hazard ratio of the arm given all of these is -0.35 exactly. *Given covariates, site, trait* "
        "fits that model, with the trait a real study does not see, and is the test of the interval. *Given measured "
        "covariates* is what a study can fit. In the null scenario its truth is 0 exactly, because trait and site do "
        "not depend on the arm. In the other its hazards are not proportional, and what it aims at lies nearer 0 "
        "(hazard ratios do not collapse): it is held to its *large-sample value*, found from "
        f"{s['large_people']:,} people under the same follow-up. Its row against -0.35 shows the distance and is not "
        "counted.",
        "- **Type I error.** The arms of the null scenario have different covariates, so a test between them as they "
        f"come should reject. Instead {s['n_focus']} of each study's {s['n_focus'] + s['n_comparison']:,} people, "
        "drawn at random whatever their arm, are one group and the rest the other: there the hypothesis is true.",
        "",
    ]


def _pattern(found: dict[str, Any]) -> list[str]:
    """Return what the rows say together."""
    rows = [r for r in in_order(found) if not omits_something(r)]
    clear = [r for r in rows if sum(share(r["covered"], r["n"])) + share(r["covered"], r["n"])[1] < 0.95]
    ratio = [r["std_error"] / r["sd"] for r in rows]
    most = max(rows, key=lambda r: abs(r["bias"] / r["sd"]))
    z = abs(most["bias"]) / sqrt(most["sd"] ** 2 / most["n"] + most["truth_error"] ** 2)
    return [
        f"- {sum(r['covered'] < 0.95 * r['n'] for r in rows)} of {len(rows)} intervals cover less than 95 %, "
        f"{len(clear)} of them by more than two Monte Carlo errors. The rows come from the same studies, so their "
        "errors go together. Standard errors are "
        f"{min(ratio):.2f} to {max(ratio):.2f} times the spread of the estimates.",
        f"- The largest mean bias is {most['bias'] / most['sd']:+.2f} standard deviations of the estimate "
        f"({_name(most)}), {z:.1f} times its Monte Carlo error. Biases above three times that error are listed above.",
    ]


def _luck(found: dict[str, Any]) -> list[str]:
    """Return how rows with more studies stood after the first ones."""
    rows = [r for r in in_order(found) if "first" in r]
    if not rows:
        return []
    said = [
        f"{_name(r)} {100 * r['covered_first'] / r['first']:.1f} % and {100 * r['covered'] / r['n']:.1f} %"
        for r in rows
    ]
    return [
        f"- What {rows[0]['first']:,} studies leave to chance: coverage in these and in all {rows[0]['n']:,} was, for "
        + "; ".join(said)
        + "."
    ]


def _standing(found: dict[str, Any]) -> list[str]:
    s = found["settings"]
    return [
        *_luck(found),
        f"- Limits of the bootstrap stand at the order statistics (B + 1) x 2.5 % and 97.5 % of its B = {s['n_boot']} "
        "replicates (R's `boot.ci` does the same). With the 1,000 replicates that are the default they vary less.",
        "- One scenario with an effect, one size of study and one model of the covariates are measured. Few events, "
        "strong confounding and covariates missing are not.",
        "- The weighted marginal hazard ratio of `adjusted_effect` is not measured: hazards are not proportional "
        "marginally, and the simulator states no truth for it.",
    ]


def draw(found: dict[str, Any], file: Path) -> None:
    """Draw coverage and type I errors with their Monte Carlo limits.

    Parameters
    ----------
    found : dict
    file : pathlib.Path
        SVG to write.
    """
    rows, tests = in_order(found), found["tests"]
    with themed():
        figure = new_figure(6.4)
        heights = [len(rows), len(tests) + 1]
        top, bottom = figure.subplots(2, 1, height_ratios=heights)
        names = [
            _name(r).replace(" (days)", "").replace(" (points)", "").replace("log hazard ratio", "log HR") for r in rows
        ]
        covered = [share(r["covered"], r["n"]) for r in rows]
        hollow = [omits_something(r) for r in rows]
        _dots(top, names, covered, hollow, (LOW, HIGH), 0.95)
        top.set_title("Coverage of 95 % intervals")
        names = [f"{TESTS[r['test']]}, {ON[r['on']]}" for r in tests]
        _dots(
            bottom,
            names,
            [share(r["rejected"], r["n"]) for r in tests],
            [False] * len(tests),
            (TEST_LOW, TEST_HIGH),
            0.05,
        )
        bottom.set_title("True hypotheses rejected at 5 %")
        figure.supxlabel(
            "% of studies; lines: 95 % Monte Carlo limits; band: the goal; hollow: not counted", fontsize=8.5
        )
        file.write_text(svg_of(figure), encoding="utf-8")


def _dots(
    axes: Any,
    names: list[str],
    shares: list[tuple[float, float]],
    hollow: list[bool],
    goal: tuple[float, ...],
    aim: float,
) -> None:
    axes.axvspan(100 * goal[0], 100 * goal[1], color=RULE, alpha=0.45, linewidth=0)
    axes.axvline(100 * aim, color=MUTED, linewidth=0.8)
    for y, ((p, e), empty) in enumerate(zip(shares, hollow, strict=True)):
        colour = COMPARISON if not goal[0] <= p <= goal[1] else FOCUS
        axes.plot([100 * (p - 1.96 * e), 100 * (p + 1.96 * e)], [y, y], color=colour, linewidth=1.4)
        axes.plot([100 * p], [y], "o", markersize=4.5, color=colour, markerfacecolor="white" if empty else colour)
    axes.set_yticks(range(len(names)), names, fontsize=7.5, color=INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
