"""The cohort: one row per analysed episode, and its time scales as frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evalkit.cohort import _episodes, _harm, _retention
from evalkit.cohort._episodes import Setting, owned, sessions
from evalkit.cohort._join import joined
from evalkit.cohort._retention import Since, Window
from evalkit.errors import UsageError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.intake import MissingTableError, fetch
from evalkit.protocol import Rules, Study

Scale = Literal["initiation", "retention", "harm"]
SCALES: tuple[Scale, ...] = ("initiation", "retention", "harm")
_ORDER = ["participant_id", "episode"]
_OWN_DATES = {"sessions": "session_date", "exits": "exit_date", "measures": "measure_date"}


@dataclass(frozen=True, eq=False)
class Cohort:
    """The analysed episodes of a study at a cut.

    Attributes
    ----------
    people : pandas.DataFrame
        One row per analysed episode, sorted by participant and episode; see `evalkit.cohort` for its columns.
    attrition : Estimates
        Counts at each step of eligibility, with the reason.
    study : Study
        With the harm outcome in force.
    rules : Rules
        The rules in force (the protocol's, unless others were given).
    episodes : {"first", "all"}
    cut : datetime.date
    synthetic : bool
    notes : tuple of str
        What is not part of the study, each a sentence.
    """

    people: pd.DataFrame = field(repr=False)
    attrition: Estimates = field(repr=False)
    study: Study = field(repr=False)
    rules: Rules = field(repr=False)
    episodes: Literal["first", "all"]
    cut: date
    synthetic: bool
    notes: tuple[str, ...]
    _setting: Setting = field(repr=False)
    _frames: dict[str, pd.DataFrame] = field(repr=False, default_factory=dict)

    def has(self, name: str) -> bool:
        """Return whether a raw table is part of the study.

        Parameters
        ----------
        name : str
            participants, sessions, exits, outcomes, measures or searches.

        Returns
        -------
        bool
        """
        return self._setting.has(name)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of the covariates' columns."""
        return tuple(c.name for c in self.study.covariates)

    @property
    def groups(self) -> tuple[str, str]:
        """Labels of the two arms, the focus first."""
        return self.study.arms.focus.label, self.study.arms.comparison.label

    @property
    def causes(self) -> Mapping[int, str]:
        """Causes of `retention`: 1 disengagement, 2 completion."""
        return self.causes_of("retention")

    def causes_of(self, scale: Scale) -> Mapping[int, str]:
        """Return the names of a time scale's causes.

        Parameters
        ----------
        scale : {"initiation", "retention", "harm"}

        Returns
        -------
        mapping of int to str
        """
        names: dict[Scale, dict[int, str]] = {
            "initiation": {1: "first session", 2: "exit before a session"},
            "retention": {1: "disengagement", 2: "completion"},
            "harm": {1: self.study.harm.label, **{n: name for name, n in _harm.competing(self._setting).items()}},
        }
        return MappingProxyType(names[_known_scale(scale)])

    def initiation(self) -> pd.DataFrame:
        """Return time from referral to the first attended session.

        Returns
        -------
        pandas.DataFrame
            One row per analysed episode: participant_id, episode, group, the arm's column, time (whole
            days), event (0 censored, 1 first session, 2 exit before it), reason, referral_source, site,
            community_area and the covariates.

        Raises
        ------
        MissingTableError
            If sessions are not part of the study.
        """
        return self._scale("initiation", "referral_date")

    def retention(self) -> pd.DataFrame:
        """Return time from the first attended session to disengagement or completion.

        Returns
        -------
        pandas.DataFrame
            As `initiation`, only episodes with an attended session; event 1 disengagement, 2 completion.

        Raises
        ------
        MissingTableError
            If sessions are not part of the study.
        """
        return self._scale("retention", "first_session_date")

    def harm(self, source: str | None = None) -> pd.DataFrame:
        """Return time from the study's origin of harm (the referral, or the intake) to the first outcome of its kinds.

        Parameters
        ----------
        source : str, optional
            Outcomes of one source only, with that source's follow-up. By default of every source: where searches are
            part of the study, of people whom every source followed, to the earliest end.

        Returns
        -------
        pandas.DataFrame
            As `initiation`, only episodes with an origin and an end of follow-up not before it; event 1 harm, then
            death and custody where they compete with it (see `causes_of`).

        Raises
        ------
        MissingTableError
            If outcomes are not part of the study.
        UsageError
            If the source is known neither from outcomes nor from searches.
        """
        return self._scale("harm", self._origin, source)

    def harm_recurrent(self, source: str | None = None) -> pd.DataFrame:
        """Return every outcome of the kinds named after the origin of harm, at most one a day.

        Parameters
        ----------
        source : str, optional
            As in `harm`.

        Returns
        -------
        pandas.DataFrame
            As `harm` and a column ``time_from``. A row with event 1 per event, and one last row with event 0
            at the end of follow-up for every episode; rows are intervals (time_from, time].

        Raises
        ------
        MissingTableError
            If outcomes are not part of the study.
        UsageError
            As in `harm`.
        """
        name = _named("harm_recurrent", source)
        if name not in self._frames:
            self._check_source(source)
            self._frames[name] = self._recurrent(source)
        return self._frames[name].copy()

    def pathway(self) -> pd.DataFrame:
        """Return in which state each person is on each day since referral: one row per stay in a state.

        A later referral continues a person's pathway; who it is about, their arm and characteristics are those of the
        first analysed episode. The state of a day is that at its end: 'waiting' (no attended session yet), 'active',
        'lapsed', 'returned', 'completed' or 'left'.

        Returns
        -------
        pandas.DataFrame
            participant_id, episode, group, the arm's column, time_from and time (whole days since referral: observed in
            this state, at risk of leaving it, on the days after time_from up to time; -1: from the origin), state, to
            (the state into which the person moves on the last of these days; empty: observed up to the cut, and still
            in it), referral_source, site, community_area and the covariates. A state entered on the day of the cut has
            no row of its own.

        Raises
        ------
        MissingTableError
            If sessions are not part of the study.
        """
        if "pathway" not in self._frames:
            self.require("sessions")
            self._frames["pathway"] = self._pathway()
        return self._frames["pathway"].copy()

    def person_period(self, scale: Scale = "retention", width: int = 7) -> pd.DataFrame:
        """Return a time scale cut into periods, for discrete-time models.

        Parameters
        ----------
        scale : {"initiation", "retention", "harm"}, default "retention"
        width : int, default 7
            Days per period. Period k holds days (k - 1) * width < t <= k * width; day 0 is in period 1.

        Returns
        -------
        pandas.DataFrame
            One row per episode and period at risk: the scale's columns, with ``period_number`` (1, 2, ...),
            ``time_from`` and ``time`` (the period's observed days) and event, which is 0 in all but the
            last row.

        Raises
        ------
        UsageError
            If the scale is unknown or the width is not a positive whole number.
        MissingTableError
            If a table the scale needs is not part of the study.
        """
        if width < 1 or int(width) != width:
            msg = "person_period: width must be a whole number of days, 1 or more"
            raise UsageError(msg)
        frame: pd.DataFrame = getattr(self, _known_scale(scale))()
        # rounded up in whole numbers; day 0 is in the first period
        n_periods = np.maximum(1, -(-frame["time"].to_numpy() // width))
        rows = frame.loc[frame.index.repeat(n_periods)].reset_index(drop=True)
        number = rows.groupby(_ORDER, sort=False).cumcount() + 1
        last = (number == np.repeat(n_periods, n_periods)).to_numpy()
        rows["event"] = rows["event"].where(last, 0)
        rows["reason"] = rows["reason"].where(last, "")
        rows["time"] = np.minimum(rows["time"], number * width)
        place = list(rows.columns).index("time")
        rows.insert(place, "time_from", ((number - 1) * width).astype("int64"))
        rows.insert(place, "period_number", number.astype("int64"))
        return rows

    def sessions(self) -> pd.DataFrame:
        """Return the sessions that analysed episodes own, known at the cut.

        Returns
        -------
        pandas.DataFrame
            participant_id, episode, group, session_date, kind, status, hours, attended and counting (bool:
            attended, and of a counting kind), day_from_referral, day_from_intake and day_from_first_session
            (whole days; NaN where there is no such day).

        Raises
        ------
        MissingTableError
            If sessions are not part of the study.
        """
        rows, flags = self._owned("sessions"), ["attended", "counting"]
        return rows[[c for c in rows.columns if c not in flags] + flags].astype(dict.fromkeys(flags, "bool"))

    def attended(self, since: Since, windows: Sequence[Window], *, counting: bool = False) -> list[pd.DataFrame]:
        """Return how many sessions everybody attended in each of several windows of days, and their hours.

        Parameters
        ----------
        since : {"intake", "first_session"}
            What days are counted from.
        windows : sequence of (int, int)
            First and last day of each, both in it.
        counting : bool, default False
            Whether only sessions of counting kinds are counted.

        Returns
        -------
        list of pandas.DataFrame
            One of each window: sessions and hours, a row for each of ``people``; 0 where there are none.

        Raises
        ------
        MissingTableError
            If sessions are not part of the study.
        """
        self.require("sessions")
        role = f"attended since {since}, {list(windows)}, {counting}"
        if role not in self._frames:
            make = partial(_retention.within, since=since, windows=windows, counting=counting)
            found = self._fetch(role, make, ["referral_date"])
            self._frames[role] = joined(self.people[[*_ORDER, "referral_date"]], found).drop(columns="referral_date")
        sums = self._frames[role].fillna(0)
        return [
            pd.DataFrame({what: sums[f"{what}_{place}"] for what in ("sessions", "hours")})
            for place in range(len(windows))
        ]

    def due(self) -> pd.DataFrame:
        """Return how many sessions people attended, of how many attended or missed without excuse.

        Returns
        -------
        pandas.DataFrame
            participant_id, episode, group, numerator, denominator; those with such a session.

        Raises
        ------
        MissingTableError
            If sessions are not part of the study.
        """
        self.require("sessions")
        found = self._fetch("due", _retention.due, ["referral_date"])
        return joined(self.people[[*_ORDER, "referral_date", "group"]], found, "inner").drop(columns="referral_date")

    def exits(self) -> pd.DataFrame:
        """Return the exits that analysed episodes own, known at the cut.

        Returns
        -------
        pandas.DataFrame
            participant_id, episode, group, exit_date, reason, and days as in `sessions`.

        Raises
        ------
        MissingTableError
            If exits are not part of the study.
        """
        return self._owned("exits")

    def measures(self) -> pd.DataFrame:
        """Return the measurements that analysed episodes own, known at the cut.

        Returns
        -------
        pandas.DataFrame
            participant_id, episode, group, measure_date, instrument, score, and days as in `sessions`.

        Raises
        ------
        MissingTableError
            If measures are not part of the study.
        """
        return self._owned("measures")

    def require(self, table: str) -> None:
        """Raise an error where a raw table is not part of the study.

        Parameters
        ----------
        table : str

        Raises
        ------
        MissingTableError
        """
        if not self.has(table):
            raise MissingTableError(table)

    def release(self) -> None:
        """Give back the memory of what was computed for this cohort; what is asked of it later is computed again."""
        self._setting.release()

    @property
    def _origin(self) -> str:
        return f"{self.study.harm.origin}_date"

    def _check_source(self, source: str | None) -> None:
        """Refuse a source that no outcome has and nobody searched: it would be a follow-up without any harm."""
        if source is None:
            return
        table = self._setting.cut.table("searches" if self.has("searches") else "outcomes")
        known = {*fetch(table.select("source").distinct(), [], "sources")["source"].dropna()}
        if source not in known:
            named = self.study.harm.sources or []
            where = "searched by the cut" if self.has("searches") else "the source of an outcome known at the cut"
            msg = f"harm: '{source}' is not {where}{did_you_mean(source, named)}"
            raise UsageError(msg)

    def _scale(self, scale: Scale, origin: str, source: str | None = None) -> pd.DataFrame:
        name = _named(scale, source)
        if name not in self._frames:
            self.require("outcomes" if scale == "harm" else "sessions")
            self._check_source(source)
            made: dict[Scale, Callable[[Setting], ir.Table]] = {
                "initiation": _episodes.initiation,
                "retention": _retention.retention,
                "harm": partial(_harm.harm, source=source),
            }
            ended = self._fetch(name, made[scale], ["referral_date", "day"])
            self._frames[name] = self._with_people(ended, origin)
        # a copy: what a notebook does to its frame must not reach the next question
        return self._frames[name].copy()

    def _fetch(self, role: str, make: Callable[[Setting], ir.Table], dates: list[str]) -> pd.DataFrame:
        return fetch(self._setting.kept(f"{role}, rows", partial(make, self._setting)), dates, role)

    def _with_people(self, ended: pd.DataFrame, origin: str) -> pd.DataFrame:
        """Join the end of each episode's time to the person, and turn days into times."""
        about = self._about()
        own = [*_ORDER, "group", self.study.arms.column, *about]
        people = self.people[list(dict.fromkeys([*own, "referral_date", origin]))]
        rows = joined(people.assign(_place=np.arange(len(people))), ended, "inner")  # sooner sorted than names
        days = (rows["day"] - rows[origin]).dt.days
        # whose follow-up ends before the origin was never at risk
        rows = rows[days >= 0]
        time, event = days[days >= 0].astype("int64"), rows["cause"].astype("int64")
        rows = rows.assign(time=time, event=event, reason=self._words(rows["rank"]))
        columns = [*_ORDER, "group", self.study.arms.column, "time", "event", "reason", *about]
        return rows.sort_values(["_place", "time", "event"], kind="stable")[columns].reset_index(drop=True)

    def _words(self, ranks: pd.Series[Any]) -> pd.Series[Any]:
        words = dict(enumerate(_episodes.reasons(self._setting)))
        return ranks.astype("int64").map(words).astype(object)

    def _recurrent(self, source: str | None) -> pd.DataFrame:
        dates = ["referral_date", "day"]
        days = self._fetch(_named("harm_days", source), partial(_harm.harm_days, source=source), dates)
        ends = fetch(_harm.harm_ends(self._setting, source), dates, "harm_ends").assign(cause=0)
        events = self._with_people(days, self._origin)
        last = self._with_people(ends, self._origin)
        # The end's own row comes after an event on that day.
        rows = pd.concat([events.assign(last_=0), last.assign(last_=1)], ignore_index=True)
        rows = rows.sort_values([*_ORDER, "time", "last_"], kind="stable").reset_index(drop=True)
        before = rows.groupby(_ORDER, sort=False)["time"].shift().fillna(0).astype("int64")
        rows.insert(list(rows.columns).index("time"), "time_from", before)
        return rows.drop(columns="last_")

    def _pathway(self) -> pd.DataFrame:
        people = self.people.drop_duplicates("participant_id")  # in order of episodes
        moved = joined(people, self._fetch("pathway", _retention.moves, ["referral_date", "day"]), "inner")
        moved["time"] = (moved["day"] - moved["referral_date"]).dt.days
        moved["to"] = moved["state"].astype("int64").map(dict(enumerate(_retention.STATES))).astype(object)
        # the cut ends everybody's last stay, in no other state
        last = people.assign(time=people["days_from_referral"], to="")
        rows = pd.concat([moved, last], ignore_index=True).sort_values(["participant_id", "time"], kind="stable")
        whose = rows.groupby("participant_id", sort=False)
        rows["time_from"] = whose["time"].shift().fillna(-1).astype("int64")
        rows["state"] = whose["to"].shift().fillna(_retention.STATES[0])
        rows["time"] = rows["time"].astype("int64")
        columns = [*_ORDER, "group", self.study.arms.column, "time_from", "time", "state", "to", *self._about()]
        return rows.loc[rows["time"] > rows["time_from"], columns].reset_index(drop=True)

    def _about(self) -> list[str]:
        """Return the columns that say of what kind each person is."""
        about = ["referral_source", "site", "community_area", *self.covariates]
        return [c for c in dict.fromkeys(about) if c not in {*_ORDER, self.study.arms.column}]

    def _owned(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            self.require(name)
            day = _OWN_DATES[name]
            own = sessions(self._setting) if name == "sessions" else owned(self._setting, name, day)
            rows = fetch(own, ["referral_date", day], name)
            origins = {"referral": "referral_date", "intake": "intake_date", "first_session": "first_session_date"}
            about = [*_ORDER, "referral_date", "group", "intake_date", "first_session_date"]
            rows = joined(self.people[about], rows, "inner")
            more = [c for c in rows.columns if c not in {*about, day}]
            for origin, column in origins.items():
                rows[f"day_from_{origin}"] = (rows[day] - rows[column]).dt.days.astype("float64")
            columns = [*_ORDER, "group", day, *more, *(f"day_from_{o}" for o in origins)]
            self._frames[name] = rows.sort_values([*_ORDER, day, *more])[columns].reset_index(drop=True)
        return self._frames[name].copy()


def _named(frame: str, source: str | None) -> str:
    return frame if source is None else f"{frame}, {source}"


def _known_scale(scale: str) -> Scale:
    for known in SCALES:
        if scale == known:
            return known
    msg = f"there is no time scale '{scale}'{did_you_mean(scale, SCALES)}"
    raise UsageError(msg)
