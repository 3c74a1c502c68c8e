"""Differences of the two groups, of what may be shown of each, and a study's shares beside published ones."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from evalkit import stats
from evalkit.counts import Tally
from evalkit.disclosure import POINTS, Safe, cut
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.markup import box
from evalkit.protocol import Baseline
from evalkit.report._mark import estimates_in
from evalkit.stats import ProportionDifference
from evalkit.views import (
    FAMILIES,
    CurveText,
    Gap,
    Look,
    benchmark_numbers,
    benchmark_table,
    count,
    difference_table,
    dots_figure,
    listed,
    percent,
    svg_of,
    words,
)
from evalkit.views.counts import common_count_day
from evalkit.wilson import normal_quantile
from evalkit.words import translated, within, wrapped

if TYPE_CHECKING:
    from evalkit.report._report import Report

__all__ = [
    "benchmarks",
    "count_gaps",
    "curve_differences",
    "curve_gaps",
    "difference_numbers",
    "gap_before",
    "gaps_of",
    "share_gaps",
    "show_benchmarks",
    "show_differences",
]


def curve_differences(safe: Safe, groups: tuple[str, str]) -> Safe:
    """Return the differences of two safe curves (focus less comparison) at the landmarks that may be quoted of both.

    Each is the difference of two quoted values, with their variances added; no rows where nothing may be quoted.
    """
    rows = safe.landmark_rows()
    keys = ["cause", "time"] if "cause" in rows else ["time"]
    numbers = ["estimate", "std_error", "conf_low", "conf_high"]
    made = pd.DataFrame(columns=[*keys, "contrast", *numbers]).astype(dict.fromkeys(["time", *numbers], "float64"))
    asked = safe.estimates
    if len(rows):
        both = _beside(rows, keys, groups)
        difference, error = both["one"] - both["two"], np.hypot(both["error_one"], both["error_two"])
        z = normal_quantile(asked.conf_level)
        made = both[keys].assign(
            contrast=f"{groups[0]} - {groups[1]}",
            estimate=difference,
            std_error=error,
            # A difference of shares ends at one, which normal limits of two small groups do not know.
            conf_low=np.maximum(difference - z * error, -1.0),
            conf_high=np.minimum(difference + z * error, 1.0),
        )
    about = Estimates(
        # Cut as printed: a limit that is printed as 0 is no clear difference (ADR 12).
        cut(made, dict.fromkeys(numbers, POINTS)),
        kind="curve_difference",
        estimand=f"difference between the groups: {asked.estimand}",
        population=asked.population,
        cut=asked.cut,
        conf_level=asked.conf_level,
        asked={"of": asked.id},
    )
    return Safe(about, "released" if len(made) else "withheld", safe.withheld, safe.policy)


def _beside(rows: pd.DataFrame, keys: list[str], groups: tuple[str, str]) -> pd.DataFrame:
    names = ({"estimate": "one", "std_error": "error_one"}, {"estimate": "two", "std_error": "error_two"})
    parts = [
        rows.loc[rows["group"] == group, [*keys, "estimate", "std_error"]].rename(columns=columns)
        for group, columns in zip(groups, names, strict=True)
    ]
    return parts[0].merge(parts[1], on=keys).dropna()


def difference_numbers(safe: Safe, differences: Safe) -> pd.DataFrame:
    """Return the numbers of a table of curves and their differences: measure (share, difference), value, limits."""
    shares = safe.landmark_rows().drop(columns="std_error").assign(measure="share")
    rows = differences.estimates.tidy().drop(columns="std_error").assign(measure="difference")
    return pd.concat([shares, rows.rename(columns={"contrast": "group"})], ignore_index=True)


def curve_gaps(differences: Safe) -> dict[str, Gap]:
    """Return the difference at the last day that may be quoted of both groups, by cause ('' where there is one)."""
    rows = differences.estimates.tidy()
    causes = rows["cause"].astype(str) if "cause" in rows else pd.Series("", index=rows.index)
    found = {}
    for cause, own in rows.groupby(causes, sort=False):
        row = own.loc[own["time"].astype(float).idxmax()]
        found[str(cause)] = Gap(
            float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]), float(row["time"])
        )
    return found


def count_gaps(safe: Safe, groups: tuple[str, str]) -> dict[str, Gap]:
    """Return under '' the log of the ratio of two mean counts, of independent groups, on the last day that both have.

    Limits are on the log scale. Empty where not both are shown, or a limit is 0.
    """
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    day = common_count_day(rows, groups)
    own = rows[(rows["time"] == day) & rows["conf_low"].gt(0)].drop_duplicates("group").set_index("group")
    if not set(groups) <= set(own.index):
        return {}
    logs = np.log(own.loc[list(groups), ["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float))
    # Half of a limit's distance on the log scale, where the limits are symmetric: variances of independent groups add.
    ratio, wide = float(logs[0, 0] - logs[1, 0]), float(np.hypot(*((logs[:, 2] - logs[:, 1]) / 2)))
    return {"": Gap(ratio, ratio - wide, ratio + wide, day)}


def share_gaps(safe: Safe, groups: tuple[str, str]) -> dict[str, Gap]:
    """Return the difference of two shares (focus less comparison) by label, Newcombe's limits, from their safe counts.

    Empty where the estimate is none of a `Tally`, or has not both groups.
    """
    counts = safe.estimates.counts
    if not isinstance(counts, Tally) or "label" not in counts.data:
        return {}
    rows = counts.frame
    rows = rows[rows["group"].isin(groups) & rows["n"].gt(0)]
    # Where one group is hidden its share would follow from the other's and the difference.
    both = rows.groupby("term")["group"].transform("nunique") == 2
    rows = rows[both]
    if rows.empty:
        return {}
    label = rows.drop_duplicates("term").set_index("term")["label"]
    # The focus first in each term, as the difference is taken.
    ordered = pd.concat([rows[rows["group"] == g] for g in groups])
    found = ProportionDifference(groups[1]).estimate(Tally(ordered)).tidy()
    found = cut(found, dict.fromkeys(["estimate", "conf_low", "conf_high"], POINTS))
    return {
        str(label[row["term"]]): Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))
        for _, row in found.iterrows()
    }


def gap_before(safe: Safe, groups: tuple[str, str]) -> Gap | None:
    """Return the difference of the shares of before, of a change: what was to be told of the groups then."""
    counts = safe.estimates.counts
    if not isinstance(counts, Tally):
        return None
    then = Tally(counts.data[counts.data["term"] == "before"])
    about = safe.estimates.about(counts=then)
    return next(iter(share_gaps(replace(safe, estimates=about), groups).values()), None)


def gaps_of(safe: Safe, groups: tuple[str, str]) -> dict[str, Gap]:
    """Return the differences between the two groups that may be told of an estimate; see `Report.gaps`."""
    contrast = FAMILIES[safe.estimates.view].contrast
    if contrast == "curves":
        # After weighting the bootstrap of `Comparison.effects` knows that the
        # weights are estimated; these limits do not.
        return {} if safe.weighted else curve_gaps(curve_differences(safe, groups))
    return (count_gaps if contrast == "counts" else share_gaps)(safe, groups)


def show_differences(report: Report, estimates: Estimates, note: str, cause: str) -> None:
    """Show curves at given days as a table, with the difference between the groups; see `Report.show_differences`."""
    if report._without(estimates):
        return
    safe = report.safe(estimates)
    view = report.view(safe, Look(CurveText("", "", "", cause)))
    if report._refused(view):
        return
    gaps = curve_differences(safe, report.groups)
    safe, gaps = view.safe, gaps.of_cause(cause) if cause else gaps
    said = " ".join(translated(part) for part in (note, safe.note) if part)
    table, data = difference_table(safe, gaps, report.groups, said), difference_numbers(safe, gaps)
    also = {gaps.estimates.id: gaps.estimates.kind}
    report._emit("table", table, report.safe(estimates), data=data, also=also, typed=(note,))


@dataclass(frozen=True)
class Beside:
    """What is shown: a table's HTML or a figure, with its alternative text, headline and numbers."""

    shows: Literal["figure", "table"]
    table: str
    figure: Figure | None
    data: pd.DataFrame
    alt: str = ""
    headline: str = ""


def analysis_of(baseline: Baseline) -> stats.Benchmark:
    """Return the comparison with one published figure."""
    return stats.Benchmark(baseline.value, baseline.n, source=baseline.id)


def rows_of(baseline: Baseline, safe: Safe, whom: str = "") -> pd.DataFrame:
    """Return one row per group: its share (here), the published one, and the difference with its limits."""
    rows = safe.estimates.tidy()
    own = rows[rows["measure"] == "proportion"].set_index("group")
    found = rows[rows["measure"] == "difference"].copy()
    names = {"here": "estimate", "here_low": "conf_low", "here_high": "conf_high"}
    for name, column in names.items():
        found[name] = own.loc[found["group"], column].to_numpy()
    of_whom = baseline.denominator if baseline.n is None else f"{count(baseline.n)} {translated(baseline.denominator)}"
    about = "about " if baseline.approximate else ""
    return found.assign(label=baseline.what, denominator=of_whom, about=about, whom=whom)


def mark_of(baseline: Baseline) -> dict[str, object]:
    """Return a published share with Wilson's limits where its denominator is known."""
    low = high = float("nan")
    if baseline.n is not None:
        # Published as a percentage of so many: the count behind it is the nearest whole number.
        row = stats.proportion(round(baseline.value * baseline.n), baseline.n).tidy().iloc[0]
        low, high = float(row["conf_low"]), float(row["conf_high"])
    name, whom = translated(baseline.label or baseline.id), translated(baseline.denominator)
    whom = f"{count(baseline.n)} {whom}" if baseline.n is not None else whom
    label = "\n".join([name, *textwrap.wrap(whom, 38, max_lines=3, placeholder=" ...")])
    return {"label": label, "estimate": baseline.value, "conf_low": low, "conf_high": high, "name": name}


def benchmarks(
    published: list[Baseline],
    safe: list[Safe],
    groups: tuple[str, str],
    shape: Literal["figure", "table"],
    measure: str,
    whom: str,
    nearest: Sequence[tuple[list[Safe], str]] = (),
    also: Sequence[tuple[Safe, str]] = (),
) -> Beside:
    """Set shares of this study (safe, one comparison for each published figure) beside published ones.

    `whom` says who is in this study's denominator; `nearest` are the comparisons once more of people more like the
    published ones, `also` further shares for the figure, each with who they are of or how the figure names them.
    """
    sets = [(safe, ""), *nearest]
    parts = [
        rows_of(b, s, of).assign(place=place)
        for own, of in sets
        for place, (b, s) in enumerate(zip(published, own, strict=True))
    ]
    rows = pd.concat(parts, ignore_index=True).dropna(subset=["here"])
    if shape == "table":
        # So that each published figure heads its rows once, however many of this study's shares stand below it.
        rows = rows.sort_values("place", kind="stable", ignore_index=True)
        named = zip(rows["group"], rows["whom"], strict=True)
        rows["group"] = [words("benchmark.like", group=group, whom=of) if of else group for group, of in named]
        note = words("benchmark.note", whom=whom, sources=" ".join(b.citation for b in published))
        return Beside("table", benchmark_table(rows, note), None, benchmark_numbers(rows))
    marks = pd.DataFrame([mark_of(b) for b in published])
    own = _here(rows[rows["whom"] == ""], whom, words("figure.here")).assign(name="This study")
    shown = [own, *(_here(rows[rows["whom"] == of], of, words("figure.nearest")) for _, of in nearest)]
    shown += [_here(_shares(extra), extra.estimates.population, name).assign(name=name) for extra, name in also]
    drawn = pd.concat(shown, ignore_index=True)
    figure, alt = dots_figure(drawn, groups, words("benchmark.axis", measure=measure), marks=marks)
    data = benchmark_numbers(drawn, marks.assign(label=marks["name"]))
    return Beside("figure", "", figure, data, alt, _headline(own, groups, measure))


def _shares(safe: Safe) -> pd.DataFrame:
    """Return one row per group with its share as `rows_of` has it."""
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    return rows.assign(here=rows["estimate"], here_low=rows["conf_low"], here_high=rows["conf_high"])


def _here(rows: pd.DataFrame, whom: str, lead: str) -> pd.DataFrame:
    """Return this study's shares as a line of the figure: who they are of stands in its label."""
    own = rows.drop_duplicates("group")
    sizes = [f"{translated(str(row['group']))}: {count(row['n'])}" for _, row in own.iterrows()]
    label = "\n".join([lead, *wrapped(whom, 38).split("\n"), "; ".join(sizes)])
    limits = {"conf_low": own["here_low"], "conf_high": own["here_high"]}
    return own.assign(label=label, name=whom, estimate=own["here"], **limits)


def _headline(own: pd.DataFrame, groups: tuple[str, str], measure: str) -> str:
    rows = own.dropna(subset=["estimate"]).set_index("group")["estimate"]
    said = [
        words("group.share", share=percent(rows[group]), within=within(group))
        for group in groups
        if group in rows.index
    ]
    key = "head.published.completion" if measure == "completion" else "head.published"
    return words(key, shares=listed(said), measure=measure[:1].upper() + measure[1:]) if said else ""


def show_benchmarks(
    report: Report,
    estimates: Estimates,
    measure: str,
    shape: Literal["figure", "table"],
    nearest: Estimates | None = None,
    also: Estimates | None = None,
) -> None:
    """Set shares of a study beside the published ones of the same measure; see `Report.show_benchmarks`."""
    published = [b for b in report.baselines.baselines if b.measure == measure and b.unit == "share"]
    known = estimates_in(estimates, "report.show_benchmarks")
    if report._without(known):
        return
    if not isinstance(known, Estimates) or not isinstance(known.counts, Tally):
        msg = "report.show_benchmarks: not made from x of n; give it analyses.completion(report.cohort), say"
        raise AnalysisError(msg)
    if not published:
        report.absent("absent.benchmark", measure=measure)
        return
    # Before the comparisons: what may not be shown alone is not set beside anything.
    if report._refused(report.view(report.safe(known))):
        return
    safe = [report.safe(analysis_of(b).estimate(known.counts)) for b in published]
    same = isinstance(also, Estimates) and _reached(also).equals(_reached(known))
    like, extra = _others(report, published, nearest, None if same else also)
    made = benchmarks(published, safe, report.groups, shape, measure, known.population, like, extra)
    text = made.table if made.figure is None else svg_of(made.figure)
    others = [one for more, _ in like for one in more] + [one for one, _ in extra]
    ids = {one.estimates.id: one.estimates.kind for one in [*safe[1:], *others]}
    report._emit(made.shows, text, safe[0], alt=made.alt, data=made.data, headline=made.headline, also=ids)
    if made.figure is not None:
        said = [words("benchmark.sources", sources=" ".join(b.citation for b in published))]
        if extra and report.cohort.rules.completion == "recorded":
            said.insert(0, words("benchmark.dose"))
        report._emit("markdown", box("note", " ".join(said)), safe[0])


def _reached(share: Estimates) -> pd.DataFrame:
    """Return who reached it, of whom: where completing is the dose, the dose is no other share."""
    return share.tidy().reindex(columns=["group", "n_event", "n"]).reset_index(drop=True)


def _others(
    report: Report, published: list[Baseline], nearest: Estimates | None, also: Estimates | None
) -> tuple[list[tuple[list[Safe], str]], list[tuple[Safe, str]]]:
    """Make safe what stands beside a study's own share; what may not be shown is left out."""
    like, extra = [], []
    if nearest is not None and isinstance(nearest.counts, Tally) and report.safe(nearest).verdict != "withheld":
        made = [report.safe(analysis_of(b).estimate(nearest.counts)) for b in published]
        like.append((made, nearest.population))
    if also is not None and report.safe(also).verdict != "withheld":
        extra.append((report.safe(also), f"{also.estimand[:1].upper()}{also.estimand[1:]}"))
    return like, extra
