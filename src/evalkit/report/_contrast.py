"""The two groups set against each other: differences of what may be shown of each."""

from __future__ import annotations

__all__ = [
    "count_gaps",
    "curve_differences",
    "curve_gaps",
    "difference_numbers",
    "gap_before",
    "gaps_of",
    "share_gaps",
    "show_differences",
]

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.counts import Tally
from evalkit.disclosure import POINTS, Safe, cut
from evalkit.estimates import Estimates
from evalkit.stats import ProportionDifference
from evalkit.views import FAMILIES, CurveText, Gap, Look, difference_table
from evalkit.views.counts import common_count_day
from evalkit.wilson import normal_quantile
from evalkit.words import translated

if TYPE_CHECKING:
    from evalkit.report._report import Report


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
