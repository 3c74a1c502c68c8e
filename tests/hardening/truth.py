"""The truth that attacks on artefacts are scored against: exact counts of the raw tables at the cut, by label and row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import permutations

import pandas as pd

from evalkit import analyses
from evalkit.analyses import harm_after_completion, harm_model, repeated_harm
from evalkit.counts import Tally
from evalkit.estimates import Estimates
from evalkit.report import Report
from hardening.inversions import LEAST, Left

Key = tuple[str, str, str, str]


def truth_of(report: Report) -> dict[Key, int]:
    """Return exact counts by (label, group, term, what), as labels of the shipped notebooks name them."""
    cohort, found = report.cohort, dict(_balance(report))
    made = {
        "fig-areas": analyses.reach(cohort, "community_area"),
        "fig-sources": analyses.reach(cohort, "referral_source"),
        "fig-funnel": analyses.funnel(cohort),
        "tbl-dose": analyses.dose_distribution(cohort),
        "tbl-completeness": analyses.completeness(cohort),
        "tbl-lost": analyses.lost_to_follow_up(cohort),
        "fig-equity": analyses.engaged_across(cohort),
        "fig-trend": analyses.trend(report.quarters),
        "fig-dose": analyses.dose_by_week(cohort),
        "tbl-participants": analyses.baseline(cohort)[0],
    }
    for label, estimates in made.items():
        found |= _rows(label, estimates)
    followed = {"fig-retention": cohort.retention(), "fig-leaving": cohort.retention(), "fig-harm": cohort.harm()}
    for label, rows in {**followed, "fig-starting": cohort.initiation(), "fig-weighted": cohort.retention()}.items():
        found |= {(label, str(g), "first step", "n"): int(n) for g, n in rows.groupby("group").size().items()}
    harms = cohort.harm_recurrent()
    for _, row in repeated_harm(cohort).tidy().iterrows():
        own = harms[harms["group"].eq(row["group"]) & harms["event"].eq(1) & harms["time"].le(row["time"])]
        found["fig-repeated", str(row["group"]), str(row["term"]), "x"] = len(own)
    found |= {("tbl-funnel", *key[1:]): n for key, n in found.items() if key[0] == "fig-funnel"}
    for label, model in {"tbl-harm": harm_model(cohort), "tbl-landmark": harm_after_completion(cohort)[1]}.items():
        found |= _model(label, model)
    return found


def _rows(label: str, estimates: Estimates) -> dict[Key, int]:
    counts = estimates.counts
    rows = counts.frame if counts is not None else pd.DataFrame()  # type: ignore[union-attr]
    names = {"x": "n_event", "n": "n"}
    return {
        (label, str(row["group"]), str(row["term"]), what): int(row[column])
        for _, row in rows.iterrows()
        for what, column in names.items()
        if column in row
    }


def _model(label: str, model: Estimates) -> dict[Key, int]:
    """Events behind each coefficient: at its level, or in the smaller arm."""
    assert isinstance(model.counts, Tally)
    rows = model.counts.frame.set_index("term")["n_event"]
    arms, found = int(rows.loc["model"].min()), {}
    for term in model.data["term"]:
        own = str(term).replace("[T.", "[")
        found[label, "", str(term), "x"] = int(rows[own]) if own in rows.index else arms
    return found


def _balance(report: Report) -> Iterable[tuple[Key, int]]:
    """People at each level among those compared: a first session, and a value of every characteristic."""
    names = [c.name for c in report.study.covariates]
    rows = report.cohort.retention().dropna(subset=names)
    for group, own in rows.groupby("group"):
        yield ("fig-balance", str(group), "everybody", "n"), len(own)
        for covariate in report.study.covariates:
            if covariate.kind == "yes_no":
                yield ("fig-balance", str(group), covariate.name, "x"), int(own[covariate.name].sum())
            elif covariate.kind == "categorical":
                for level in _unions(sorted(own[covariate.name].astype(str).unique())):
                    term = f"{covariate.name}[{' or '.join(level)}]"
                    met = own[covariate.name].isin(level)
                    yield ("fig-balance", str(group), term, "x"), int(met.sum())


def _unions(levels: list[str]) -> Iterable[tuple[str, ...]]:
    for size in range(1, len(levels) + 1):
        yield from permutations(levels, size)


@dataclass(frozen=True)
class Score:
    """How many counts an attack knows.

    Attributes
    ----------
    exact : list of Left
        Small counts known exactly.
    narrow : list of Left
        Small counts of which fewer than three values are left.
    sharp : list of Left
        Counts that are not small, known exactly though they are published rounded at most.
    unscored : list of Left
        Fewer than three values left of something whose truth is not known here: to be looked at.
    looked_at : int
    """

    exact: list[Left]
    narrow: list[Left]
    sharp: list[Left]
    unscored: list[Left]
    looked_at: int


def score(found: Iterable[Left], truths: dict[str, dict[Key, int]]) -> Score:
    """Hold what attacks leave possible against the truth, by release."""
    exact, narrow, sharp, unscored, many = [], [], [], [], 0
    for left in found:
        many += 1
        true = _true(left, truths)
        if true is None:
            unscored += [left] if 0 < len(left.possible) < 3 else []
        elif left.possible == {true} and true:  # that there is nobody is published
            (exact if true < LEAST else sharp).append(left)
        if true is not None and 0 < true < LEAST and true in left.possible and len(left.possible) < 3:
            narrow.append(left)
    return Score(exact, narrow, sharp, unscored, many)


def _true(left: Left, truths: dict[str, dict[Key, int]]) -> int | None:
    key = (left.label, left.group, left.term, left.what)
    after, less, before = left.release.partition(" less ")
    own = truths.get(after, {}).get(key)
    if not less or own is None:
        return own
    other = truths.get(before, {}).get(key)
    return None if other is None else own - other
