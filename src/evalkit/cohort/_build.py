"""Building a cohort: eligibility step by step, who is left after each and why others are not; the rows of who is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import ClassVar

import ibis.expr.types as ir
import pandas as pd

from evalkit.cohort import _harm, _retention
from evalkit.cohort._cohort import Cohort
from evalkit.cohort._episodes import KEY, Episodes, Setting, analysed, referrals
from evalkit.cohort._join import refuse_twice
from evalkit.counts import Codes, Tally, codes_of
from evalkit.estimates import Estimates
from evalkit.intake import CutData, fetch
from evalkit.protocol import Harm, Rules


@dataclass(frozen=True)
class Attrition:
    """Counts of episodes at each step of eligibility.

    Attributes
    ----------
    population : str
        Of whom, in one clause.
    """

    key: ClassVar[str] = "attrition"
    view: ClassVar[str] = "attrition"
    population: str = "all referrals known at the cut"

    def estimate(self, counts: Tally) -> Estimates:
        """Return the steps.

        Parameters
        ----------
        counts : Tally
            One row per group and step: ``n`` before it, ``n_event`` left after it, ``label`` (the step in
            words), ``variable`` (cohort, or the time scale the step leads to).

        Returns
        -------
        Estimates
            Columns group, variable, term, label, n, n_event, n_excluded, estimate (share left).
        """
        data = counts.frame
        data["n_excluded"] = data["n"] - data["n_event"]
        data["estimate"] = (data["n_event"] / data["n"].where(data["n"] > 0)).astype("float64")
        columns = ["group", "variable", "term", "label", "n", "n_event", "n_excluded", "estimate"]
        return Estimates(
            data[columns],
            kind="attrition",
            estimand="referrals left after each step of eligibility",
            population=self.population,
            notes=("Counts are referrals (episodes); a participant may have several.",),
            counts=counts,
            analysis=self,
        )


@dataclass(frozen=True)
class Step:
    """One step of eligibility in one group."""

    group: str
    variable: str
    term: str
    label: str
    n: int  # before it
    n_event: int  # left after it
    people: Mapping[str, Codes] = field(default_factory=dict)  # codes behind n and n_event, where known


def attrition(steps: Sequence[Step], cut: date) -> Estimates:
    """Return the attrition of a cohort."""
    columns = ["group", "variable", "term", "label", "n", "n_event"]
    data = pd.DataFrame([[getattr(step, c) for c in columns] for step in steps], columns=columns)
    counts = Tally(data.astype({"n": "int64", "n_event": "int64"}), people=tuple(step.people for step in steps))
    return Attrition().estimate(counts).about(cut=cut)


_DATES = ["referral_date", "intake_date", "outcome_follow_up_end"]
_SESSION_DATES = ["first_session_date", "last_session_date"]
_DERIVED_DATES = [
    *(*_SESSION_DATES, "completion_date", "dose_date"),
    *("disengagement_date", "return_date", "harm_end_date"),
]
_COUNTS = ["n_attended", "n_counting", "n_returns"]
_HOURS = ["hours_attended", "hours_counting"]


def build(
    cut: CutData, *, rules: Rules | None = None, harm: Harm | None = None, episodes: Episodes | None = None
) -> Cohort:
    """Build the cohort that was known at a cut.

    Parameters
    ----------
    cut : CutData
        From ``evalkit.intake.open_data(study).at(day)``.
    rules : Rules, optional
        Other rules than the protocol's, for a sensitivity analysis.
    harm : Harm, optional
        Another harm outcome than the protocol's, such as the same one from another origin.
    episodes : {"first", "all"}, optional
        Each participant's first referral of the study, or all of them; the rules' choice by default.

    Returns
    -------
    Cohort

    Raises
    ------
    DataError
        If the data engine refuses a query.
    """
    in_force = rules or cut.study.rules
    outcome = harm or cut.study.harm
    setting = Setting(cut, in_force, outcome, episodes or in_force.episodes)
    known = fetch(referrals(setting), _DATES, "cohort")
    parts = _parts(setting)
    dates = [name for names in parts.values() for name in names if name in _DERIVED_DATES]
    people = fetch(setting.kept("people", partial(_people, setting, parts)), [*_DATES, *dates], "cohort")
    labels = {a.value: a.label for a in (cut.study.arms.focus, cut.study.arms.comparison)}
    people["group"] = people[cut.study.arms.column].map(labels).astype(object)
    people = _potential(setting, _with_all(setting, people))
    # an engine gives rows in any order it likes (ADR 11)
    people = people[_columns(setting)].sort_values(["participant_id", "episode"]).reset_index(drop=True)
    return Cohort(
        people=people,
        attrition=_steps(setting, known, people),
        study=cut.study if harm is None else cut.study.model_copy(update={"harm": harm}),
        rules=in_force,
        episodes=setting.episodes,
        cut=cut.day,
        synthetic=cut.synthetic,
        notes=_notes(setting, known),
        _setting=setting,
    )


def _columns(setting: Setting) -> list[str]:
    study = setting.cut.study
    fixed = ["participant_id", "episode", "referral_date", "group", study.arms.column, "intake_date"]
    places = ["mandate", "site", "community_area", "referral_source"]
    conditions = study.arms.conditions
    covariates = [c.name for c in study.covariates]
    derived = ["n_attended", "hours_attended", "n_counting", "hours_counting", "n_returns"]
    potential = ["days_from_referral", "days_from_intake", "days_from_first_session"]
    columns = [
        *fixed,
        *places,
        *conditions,
        *covariates,
        "outcome_follow_up_end",
        *_DERIVED_DATES,
        *derived,
        *potential,
    ]
    return list(dict.fromkeys(columns))


def _completed(setting: Setting) -> ir.Table:
    rows = _retention.completions(setting)
    return rows.group_by(*KEY).aggregate(completion_date=rows.day.min())


def _dosed(setting: Setting) -> ir.Table:
    return _retention.doses(setting).select(*KEY, dose_date="day")


def _left(setting: Setting) -> ir.Table:
    rows = _retention.retention(setting)
    return rows.filter(rows.cause == 1).select(*KEY, disengagement_date="day")


def _followed(setting: Setting) -> ir.Table:
    return _harm.harm_ends(setting).select(*KEY, harm_end_date="day")


_Parts = dict[Callable[[Setting], ir.Table], list[str]]


def _parts(setting: Setting) -> _Parts:
    """Return what attended sessions, exits and outcomes add up to, each with its columns; nothing of absent tables."""
    parts: _Parts = {}
    if setting.has("outcomes"):
        parts[_followed] = ["harm_end_date"]
    if setting.has("sessions"):
        parts |= {
            _retention.summary: [*_SESSION_DATES, "n_attended", "hours_attended", "n_counting", "hours_counting"],
            _completed: ["completion_date"],
            _dosed: ["dose_date"],
            _left: ["disengagement_date"],
            _retention.returns: ["return_date", "n_returns"],
        }
    return parts


def _people(setting: Setting, parts: _Parts) -> ir.Table:
    """Return the analysed episodes with their parts: one question, since each costs more than what it joins."""
    rows = analysed(setting)
    for part, names in parts.items():
        found = part(setting)
        rows = rows.left_join(found, list(KEY)).select(rows, *(found[name] for name in names))
    return rows


def _with_all(setting: Setting, people: pd.DataFrame) -> pd.DataFrame:
    """Fill what no session adds up to: nothing, or unknown where sessions are no part of the study."""
    refuse_twice(people)
    # who attended nothing has no row to be joined: 0, where sessions are known at all
    missing = 0 if setting.has("sessions") else float("nan")
    for name in (*_COUNTS, *_HOURS):
        values = people[name] if name in people else pd.Series(float("nan"), index=people.index)
        people[name] = values.astype("float64").fillna(missing)
    if setting.has("sessions"):
        # whole numbers again: the join's gaps had made them floats
        people = people.astype(dict.fromkeys(_COUNTS, "int64"))
    for name in _DERIVED_DATES:
        if name not in people:
            people[name] = pd.Series(pd.NaT, index=people.index, dtype="datetime64[ns]")
    return people


def _potential(setting: Setting, people: pd.DataFrame) -> pd.DataFrame:
    """Add the days from each origin to the cut: how long each episode could have been followed."""
    cut = pd.Timestamp(setting.day)
    for origin in ("referral", "intake", "first_session"):
        people[f"days_from_{origin}"] = (cut - people[f"{origin}_date"]).dt.days.astype("float64")
    return people


def _steps(setting: Setting, known: pd.DataFrame, people: pd.DataFrame) -> Estimates:
    study = setting.cut.study
    rows = setting.cut.table("participants")
    total = int(fetch(rows.aggregate(n=rows.count()), [], "cohort")["n"].iloc[0])
    in_study = known["in_study"].astype(bool)
    first = in_study & (known["episode"].eq(1) if setting.episodes == "first" else True)
    in_arm = first & known["in_arm"].astype(bool)
    everybody = pd.Series(True, index=known.index)
    codes = codes_of(known)
    # codes are of one row per day of referral: where rows share a day they do not stand for all rows
    rows_of_all = {} if codes is None or total != len(known) else {"n": codes, "n_event": codes}
    steps = [
        Step("all", "cohort", "unique", "one row per participant and day of referral", total, len(known), rows_of_all),
        _step(
            "all", "cohort", "in_study", f"referred on or after {study.starts.isoformat()}", known, everybody, in_study
        ),
    ]
    if setting.episodes == "first":
        steps.append(_step("all", "cohort", "first", "the participant's first referral", known, in_study, first))
    steps.append(_step("all", "cohort", "in_arm", "in one of the two groups", known, first, in_arm))
    if _recorded(setting, known):
        # Of the same people both times: a step that counts on from the other would tell how few had a blank.
        sure, met = in_arm & known["where_known"].astype(bool), in_arm & known["where_met"].astype(bool)
        steps.append(_step("all", "cohort", "where_known", _asked(setting, known, "known"), known, in_arm, sure))
        steps.append(_step("all", "cohort", "where_met", _asked(setting, known, ""), known, in_arm, met))
    for group, rows_of in [("all", people), *((g, people[people["group"] == g]) for g in _labels(setting))]:
        steps += _sets(setting, group, rows_of)
    return attrition(steps, setting.day)


def _step(
    group: str, variable: str, term: str, label: str, rows: pd.DataFrame, before: pd.Series[bool], left: pd.Series[bool]
) -> Step:
    codes = codes_of(rows)
    people = {} if codes is None else {"n": codes[before.to_numpy()], "n_event": codes[left.to_numpy()]}
    return Step(group, variable, term, label, int(before.sum()), int(left.sum()), people)


def _labels(setting: Setting) -> tuple[str, str]:
    arms = setting.cut.study.arms
    return arms.focus.label, arms.comparison.label


def _sets(setting: Setting, group: str, people: pd.DataFrame) -> list[Step]:
    everybody = pd.Series(True, index=people.index)
    steps = []
    if setting.has("sessions"):
        started = people["first_session_date"].notna()
        steps.append(_step(group, "retention", "first_session", "has attended a session", people, everybody, started))
    if setting.has("outcomes"):
        origin = setting.harm.origin
        # a day that is missing compares as false: without an end of follow-up nobody is followed
        begun, followed = everybody, people["harm_end_date"] >= people[f"{origin}_date"]
        if origin == "intake":
            begun = people["intake_date"].notna()
            steps.append(_step(group, "harm", "intake", "has an intake", people, everybody, begun))
        label = f"follow-up does not end before the {origin}"
        if setting.has("searches"):
            label = f"every source was searched from the {origin} on, and follow-up does not end before it"
        steps.append(_step(group, "harm", "followed", label, people, begun, followed))
    return steps


def _recorded(setting: Setting, known: pd.DataFrame) -> list[str]:
    """Return the columns on which being in a group depends, and in which somebody has a value."""
    arms = setting.cut.study.arms
    return [column for column in arms.conditions if column in arms.limits or known[column].notna().any()]


def _asked(setting: Setting, known: pd.DataFrame, what: str) -> str:
    """Say what the groups ask for beside their own column: that it is known, or that it holds."""
    arms, recorded = setting.cut.study.arms, _recorded(setting, known)
    said = []
    for arm in (arms.focus, arms.comparison):
        for column, values in arm.conditions.items():
            if column in recorded:
                holds = "is known" if what else f"is {' or '.join(values)}"
                said.append(f"{arm.label}: {column} {holds}")
    return "; ".join(said)


def _notes(setting: Setting, known: pd.DataFrame) -> tuple[str, ...]:
    consequence = {
        "sessions": "initiation, retention and dose are not known",
        "exits": "recorded exits and deaths are not known",
        "outcomes": "harm is not known",
        "measures": "scores are not known",
    }
    absent = [
        f"The {name} table is not part of this study: {what}."
        for name, what in consequence.items()
        if not setting.has(name)
    ]
    recorded, arms = _recorded(setting, known), setting.cut.study.arms
    unasked = [
        f"The column {column} is not recorded: {arm.label} is not limited to people for whom it is "
        f"{' or '.join(values)}."
        for arm in (arms.focus, arms.comparison)
        for column, values in arm.conditions.items()
        if column not in recorded
    ]
    return (*absent, *unasked)
