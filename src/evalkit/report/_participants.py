"""Who the participants are: Table 1, and where the groups differ most."""

from __future__ import annotations

__all__ = ["say_participants", "show_participants"]

from typing import TYPE_CHECKING

import pandas as pd

from evalkit.analyses import baseline
from evalkit.disclosure import Safe
from evalkit.levels import in_sentence
from evalkit.markup import box, reference
from evalkit.report._mark import emit
from evalkit.views import baseline_table, count, decimal, percent, words
from evalkit.words import translated, within

if TYPE_CHECKING:
    from evalkit.report._report import Report


def _both(report: Report) -> tuple[Safe, Safe]:
    shares, means = baseline(report.cohort)
    return report.safe(shares), report.safe(means)


def _rows(safe: Safe) -> pd.DataFrame:
    rows = safe.estimates.tidy()
    return rows if "variable" in rows else rows.iloc[:0].assign(variable="")


def say_participants(report: Report) -> None:
    """Show in sentences in which baseline characteristics the groups differ most.

    Parameters
    ----------
    report : Report

    Examples
    --------
    >>> from evalkit.report import say_participants
    >>> say_participants(report)  # doctest: +ELLIPSIS
    {'text/markdown': 'The groups differ most in “earlier domestic-violence arrests” (mean 0.9 i...
    """
    shares, means = _both(report)
    rows = pd.concat([_rows(shares), _rows(means).assign(mean=True)], ignore_index=True)
    # That a value is missing more often in one group is no characteristic of its people.
    rows = rows[~rows["label"].eq("Not recorded")].dropna(subset=["smd"])
    if rows.empty:
        _put(shares, means, box("absent", words("base.absent")))
        return
    limit = report.study.comparison.max_smd
    largest = rows.assign(size=rows["smd"].abs()).drop_duplicates(["variable", "term", "group"])
    worst = largest.groupby("variable")["size"].max().sort_values(ascending=False, kind="stable")
    named = [_named(report, largest[largest["variable"] == name]) for name in worst.index[:2]]
    second = words("base.two", name=named[1]) if len(named) > 1 else ""
    many = int((worst > limit).sum())
    key = {0: "base.none", 1: "base.only" if len(worst) == 1 else "base.single"}.get(many, "base.many")
    tail = words(key, all=count(len(worst)), n=count(many), limit=decimal(limit, 1))
    first = f"{words('base.most', first=named[0], second=second)} " if many else ""
    _put(shares, means, words("see", text=f"{first}{tail}", label=reference("tbl-participants")))


def _put(shares: Safe, means: Safe, text: str, data: pd.DataFrame | None = None) -> None:
    also = {means.estimates.id: means.estimates.kind}
    emit(
        "markdown" if data is None else "table", text, data=data, estimate=shares.estimates.id, kind="baseline",
        verdict=shares.verdict, also=also,
    )  # fmt: skip


def _named(report: Report, rows: pd.DataFrame) -> str:
    """Write the level in which the groups differ most, with both groups' values."""
    term = rows.sort_values("size", kind="stable")["term"].iloc[-1]
    own = rows[rows["term"] == term]
    one, two = (own[own["group"] == group].iloc[0] for group in report.groups)
    mean = "mean" in own and own["mean"].eq(True).any()
    values = [
        words("mean {value}", value=decimal(r["estimate"], 1)) if mean else percent(r["estimate"]) for r in (one, two)
    ]
    name = translated(str(one["variable"]))
    if not mean and one["label"] != "Yes":
        name = f"{name} ({translated(in_sentence(str(one['label']), str(one['variable'])))})"
    return words(
        "base.one", name=name[:1].lower() + name[1:], one=values[0], within=within(report.groups[0]), two=values[1],
        other=within(report.groups[1]), smd=decimal(one["smd"]),
    )  # fmt: skip


def show_participants(report: Report) -> None:
    """Show baseline characteristics of both groups as a table.

    Parameters
    ----------
    report : Report

    Examples
    --------
    >>> from evalkit.report import show_participants
    >>> show_participants(report)  # doctest: +ELLIPSIS
    {'text/html': '<table>...
    """
    shares, means = _both(report)
    order = [*(c.label for c in report.study.covariates), "Community area"]
    rows = pd.concat([_rows(shares), _rows(means)], ignore_index=True)
    if rows["estimate"].isna().all():
        _put(shares, means, box("absent", words("base.absent")))
        return
    columns = ["group", "variable", "term", "label", "n", "n_event", "estimate", "std_dev", "smd"]
    _put(shares, means, baseline_table(shares, means, report.groups, order), rows.reindex(columns=columns))
