"""One's own questions of people: shares, means and rates of any frame with one row a person.

The frame says who its rows are (`participant_id`, and `episode` where a person may have several), as every frame of a
cohort does. So their counts get the same noise as the same people's counts anywhere else, and few are not shown.
"""

from __future__ import annotations

__all__ = ["RateOf", "means", "rates", "shares"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.analyses._analyses import MeanOf, MeanOfTwo, ShareOf, ratio_error, sums_of
from evalkit.counts import Codes, Moments, Tally, who
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates
from evalkit.glossary import NOT_RECORDED
from evalkit.levels import in_words
from evalkit.wilson import normal_quantile

Mask = npt.NDArray[np.bool_]
MOST_LEVELS = 30
"""More levels than this are no groups: it is a quantity, or something that names people."""
# With leap days: over several years a rate would else be a little too high.
YEAR = 365.25
_LEFT_OUT = "People without a value are left out."


@dataclass(frozen=True)
class _Cell:
    """People of one line of a table: their group, what the line is called, and who they are."""

    group: str
    variable: str
    label: str
    rows: Mask

    def named(self, what: str, level: str) -> dict[str, object]:
        """Return the columns that name the line: of a level of what is asked, where it has several."""
        said = [part for part in (self.label, level) if part]
        about = {"group": self.group, "variable": self.variable or what}
        label = ": ".join(said) or what
        return {**about, "term": _term(self.variable or what, label), "label": label}


def shares(
    frame: pd.DataFrame,
    by: str | Sequence[str] | None,
    of: str,
    *,
    label: str = "",
    population: str = "",
    conf_level: float = 0.95,
) -> Estimates:
    """Return the share of people with something, or with each of its levels, by group.

    Parameters
    ----------
    frame : pandas.DataFrame, n rows
        One row per person, with ``participant_id`` (and ``episode`` where there are several).
    by : str or sequence of str, or None
        Columns: ``group`` divides people into the arms (the colours of a figure); each other one into its levels (its
        lines). None: everybody together.
    of : str
        Column of bool or 0/1 (has it, or not), or of levels. Who has no value is left out.
    label : str
        What it is called; default the column's name in words.
    population : str
        Of whom, in one clause. What is asked of others than everybody needs one: a release's numbers are followed, and
        planned ones told from later ones, by what is asked and of whom.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Kind ``shares``, made from a `Tally`: group, variable, term, label, n, n_event, estimate, conf_low, conf_high
        (Wilson's).

    Raises
    ------
    AnalysisError
        If a column is missing, has more than 30 levels, or the frame does not have one row per person.

    Examples
    --------
    >>> people = pd.DataFrame({"participant_id": list("abcd"), "site": list("xxyy"), "stayed": [1, 0, 1, 1]})
    >>> shares(people, "site", "stayed").tidy()[["label", "n_event", "n", "estimate"]]
      label  n_event  n  estimate
    0     X        1  2       0.5
    1     Y        2  2       1.0
    """
    people = _people(frame, "shares", [of])
    told = label or in_words(of)
    known = people[of].notna()
    counted, binary = people[known].reset_index(drop=True), _is_binary(people[of])
    levels: list[Any] = [1] if binary else _levels(counted[of], of, "shares")
    rows: list[dict[str, object]] = []
    codes: list[dict[str, Codes]] = []
    for cell in _cells(counted, by, "shares"):
        for level in levels:
            met = cell.rows & counted[of].eq(level).to_numpy(dtype=bool)
            names = cell.named(told, "" if binary else _said(level))
            rows.append({**names, "n_event": int(met.sum()), "n": int(cell.rows.sum())})
            codes.append(who(counted, n=cell.rows, n_event=met))
    counts = _tally(rows, codes)
    analysis = ShareOf(
        "shares", f"share: {told}", population, conf_level=conf_level, notes=() if known.all() else (_LEFT_OUT,)
    )
    events = {"n_event": int(counted[of].sum())} if binary else {}
    facts = _whole(known, len(rows) // max(len(levels), 1), **events)
    return analysis.estimate(counts).about(asked=_asked("shares", population, by=_named(by), of=of), summary=facts)


def means(
    frame: pd.DataFrame,
    value: str,
    by: str | Sequence[str] | None = None,
    *,
    label: str = "",
    population: str = "",
    conf_level: float = 0.95,
) -> Estimates:
    """Return the mean of a quantity over people, by group.

    Parameters
    ----------
    frame : pandas.DataFrame, n rows
        As in `shares`.
    value : str
        Column of numbers. Who has none is left out.
    by : str or sequence of str, or None
        As in `shares`.
    label, population : str
        As in `shares`.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Kind ``means``, made from `Moments`: group, variable, term, label, n, estimate, std_dev, std_error, conf_low,
        conf_high (Student's).

    Raises
    ------
    AnalysisError
        As in `shares`; and if the column holds no numbers.

    Examples
    --------
    >>> people = pd.DataFrame({"participant_id": list("abc"), "sessions": [4, 6, 11]})
    >>> means(people, "sessions").tidy()[["label", "n", "estimate"]]
          label  n  estimate
    0  Sessions  3       7.0
    """
    people = _people(frame, "means", [value])
    _check_quantity(people[value], value, "means")
    told = label or in_words(value)
    known = people[value].notna()
    counted = people[known].reset_index(drop=True)
    about = (population, conf_level, () if known.all() else (_LEFT_OUT,), "amounts")
    rows: list[dict[str, object]] = []
    codes: list[dict[str, Codes]] = []
    found = [float(each) for each in sorted(counted[value].unique())]
    if len(found) == 2:  # two kinds of people: few of either are a small count
        for cell in _cells(counted, by, "means"):
            met = cell.rows & counted[value].eq(found[1]).to_numpy(dtype=bool)
            rows.append({**cell.named(told, ""), "n_event": int(met.sum()), "n": int(cell.rows.sum())})
            codes.append(who(counted, n=cell.rows, n_event=met))
        two = MeanOfTwo("means", f"mean: {told}", *about, low=found[0], high=found[1])
        estimates = two.estimate(_tally(rows, codes))
    else:
        for cell in _cells(counted, by, "means"):
            rows.append({**cell.named(told, ""), **_sums(counted.loc[cell.rows, value])})
            codes.append(who(counted, n=cell.rows))
        estimates = MeanOf("means", f"mean: {told}", *about).estimate(_moments(rows, codes))
    return estimates.about(asked=_asked("means", population, by=_named(by), of=value), summary=_whole(known, len(rows)))


def rates(
    frame: pd.DataFrame,
    events: str,
    time: str,
    by: str | Sequence[str] | None = None,
    *,
    years: float = 100,
    label: str = "",
    population: str = "",
    conf_level: float = 0.95,
) -> Estimates:
    r"""Return how many events there are in so many years of observation, by group.

    :math:`r = \sum x_i / \sum t_i`, with the linearised variance of a ratio,
    :math:`\frac{n}{n-1} \sum (x_i - r t_i)^2 / (\sum t_i)^2`, and limits on the logarithmic scale. It does not take
    events for independent of each other: one person's several events count as one person's.

    Parameters
    ----------
    frame : pandas.DataFrame, n rows
        As in `shares`.
    events : str
        Column: how many events the person had while observed; bool or whole numbers.
    time : str
        Column: days for which the person was observed, 0 or more. Who has no value in either is left out.
    by : str or sequence of str, or None
        As in `shares`.
    years : float, default 100
        The rate is per so many years of observation.
    label, population : str
        As in `shares`.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Kind ``rates``, made from `Moments`: group, variable, term, label, n (people), estimate, std_error, conf_low,
        conf_high.

    Raises
    ------
    AnalysisError
        As in `shares`; and if events are no whole numbers of 0 or more, or a person had one without any time.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed., section 6.4 (variance of a ratio). Wiley.

    Examples
    --------
    >>> people = pd.DataFrame({"participant_id": list("abcd"), "calls": [1, 0, 2, 1], "days": [365.25] * 4})
    >>> rates(people, "calls", "days").tidy()[["label", "n", "estimate"]]
       label  n  estimate
    0  Calls  4     100.0
    """
    people = _people(frame, "rates", [events, time])
    known = people[events].notna() & people[time].notna()
    counted = people[known].reset_index(drop=True)
    _check_events(counted, events, time)
    both = pd.DataFrame({"numerator": counted[events].astype(float), "denominator": counted[time].astype(float)})
    # As in `RatioOf`: the sum's square is how a covariance travels in sums alone.
    both["both"] = both["numerator"] + both["denominator"]
    told = label or in_words(events)
    rows: list[dict[str, object]] = []
    codes: list[dict[str, Codes]] = []
    for cell in _cells(counted, by, "rates"):
        for part in ("numerator", "denominator", "both"):
            rows.append({**cell.named(told, ""), "term": part, **_sums(both[part][cell.rows])})
            codes.append(who(counted, n=cell.rows))
    analysis = RateOf(
        f"{told}, per {years:g} years of observation",
        population,
        per=years * YEAR,
        conf_level=conf_level,
        notes=() if known.all() else (_LEFT_OUT,),
    )
    return analysis.estimate(_moments(rows, codes)).about(
        asked=_asked("rates", population, by=_named(by), of=events, time=time),
        summary=_whole(known, len(rows) // 3, n_event=int(counted[events].sum())),
    )


@dataclass(frozen=True)
class RateOf:
    """Events per time of observation, from their sums over people; see `rates`.

    Attributes
    ----------
    estimand, population : str
    per : float
        Days of observation that the rate is for.
    conf_level : float
    notes : tuple of str
    """

    key: ClassVar[str] = "rate"
    view: ClassVar[str] = "amounts"
    estimand: str
    population: str = ""
    per: float = 100 * YEAR
    conf_level: float = 0.95
    notes: tuple[str, ...] = ()

    def estimate(self, counts: Moments) -> Estimates:
        """Return the rate of each line.

        Parameters
        ----------
        counts : Moments
            Of each group and label the terms ``numerator`` (events), ``denominator`` (days) and ``both`` (their sum a
            person); a line that lacks one of them is left out.

        Returns
        -------
        Estimates
            group, variable, term, label, n, estimate, std_error, conf_low, conf_high; limits are missing where there
            is no event, or one person.
        """
        z, rows = normal_quantile(self.conf_level), []
        for (group, variable, label), own in counts.frame.groupby(["group", "variable", "label"], sort=False):
            part = own.set_index("term")
            if {"numerator", "denominator", "both"} <= set(part.index):
                rows.append((group, variable, _term(str(variable), str(label)), label, *self._row(part, z)))
        texts, numbers = ["group", "variable", "term", "label"], ["n", "estimate", "std_error", "conf_low", "conf_high"]
        data = pd.DataFrame(rows, columns=texts + numbers).astype(dict.fromkeys(numbers, "float64"))
        return Estimates(
            data.astype({"n": "int64"}),
            kind="rates",
            estimand=self.estimand,
            population=self.population,
            conf_level=self.conf_level,
            notes=self.notes,
            counts=counts,
            analysis=self,
        )

    def _row(self, part: pd.DataFrame, z: float) -> tuple[float, float, float, float, float]:
        n, x, d = sums_of(part)
        if d <= 0:
            return n, np.nan, np.nan, np.nan, np.nan
        # Noise can take a published sum of events below 0.
        rate = max(x, 0.0) / d
        if n < 2 or rate == 0:
            return n, self.per * rate, np.nan, np.nan, np.nan
        error = ratio_error(part, rate)
        # On the log scale no lower limit falls below 0, and a rate of few events has its longer side above.
        wide = float(np.exp(z * error / rate))
        return n, self.per * rate, self.per * error, self.per * rate / wide, self.per * rate * wide


def _term(variable: str, label: str) -> str:
    """Return a line's term: its variable and label, the variable once."""
    return label if label.startswith(f"{variable}: ") else f"{variable}: {label}"


def _whole(known: pd.Series[bool], n_group: int, **more: int) -> dict[str, int]:
    """Return facts about everybody, for `Estimates.glance`; what is published is asked again, and has none of them."""
    return {"n": int(known.sum()), **more, "n_missing": int((~known).sum()), "n_group": n_group}


def _asked(question: str, population: str, **more: object) -> dict[str, object]:
    """Return what is asked, and of whom: a frame can be of anybody, and the same share of others is another number."""
    return {"question": question, **more, **({"population": population} if population else {})}


def _named(by: str | Sequence[str] | None) -> list[str]:
    return [by] if isinstance(by, str) else list(by or ())


def _people(frame: pd.DataFrame, what: str, columns: Sequence[str]) -> pd.DataFrame:
    """Return the frame, if it has the columns, and one row for each person."""
    for name in ("participant_id", *columns):
        _check_column(frame, name, what)
    keys = ["participant_id", *(["episode"] if "episode" in frame.columns else [])]
    # Missing ones would share one code, and so one key of the noise, with everybody else who lacks one.
    if frame["participant_id"].isna().any():
        msg = f"{what}: column 'participant_id' has missing values; counts must know whose they are"
        raise AnalysisError(msg)
    if frame.duplicated(keys).any():
        msg = f"{what}: the frame has several rows of one person; make one row of them first (groupby 'participant_id')"
        raise AnalysisError(msg)
    return frame.reset_index(drop=True)


def _check_column(frame: pd.DataFrame, name: str, what: str) -> None:
    # A name that stands twice gives a frame where a column is meant.
    if list(frame.columns).count(name) == 1:
        return
    near = did_you_mean(str(name), [str(column) for column in frame.columns])
    problem = "stands more than once in the frame" if name in frame.columns else f"is not in the frame{near}"
    msg = f"{what}: column '{name}' {problem}"
    raise AnalysisError(msg)


def _is_binary(values: pd.Series) -> bool:
    """Say whether a column says of everybody whether something holds: bool, or numbers that are all 0 or 1."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return True
    known = values.dropna()
    if known.map(lambda value: isinstance(value, bool | np.bool_)).all():
        return True
    return pd.api.types.is_numeric_dtype(values.dtype) and bool(known.isin([0, 1]).all())


def _levels(values: pd.Series, name: str, what: str) -> list[Any]:
    """Return a column's levels in their order: that of its categories, else of their texts or numbers."""
    if name == "participant_id" or pd.api.types.is_datetime64_any_dtype(values.dtype):
        msg = f"{what}: the levels of column '{name}' would name people, or days; make classes of it first"
        raise AnalysisError(msg)
    if isinstance(values.dtype, pd.CategoricalDtype):
        there = set(values.dropna())
        found: list[Any] = [level for level in values.cat.categories if level in there]
    else:
        there = set(values.dropna())
        try:
            found = sorted(there)
        except TypeError:  # of several kinds
            # Somehow, but always the same: the order of the rows must not follow from that of the data.
            found = sorted(there, key=str)
    if len(found) > MOST_LEVELS:
        msg = f"{what}: column '{name}' has more than {MOST_LEVELS} levels; make classes of it first (pandas.cut)"
        raise AnalysisError(msg)
    return found


def _said(level: object) -> str:
    """Return a level in words."""
    if isinstance(level, bool | np.bool_):
        return "Yes" if level else "No"
    if isinstance(level, int | float | np.number):
        return f"{level:g}"
    return in_words(str(level))


def _cells(people: pd.DataFrame, by: str | Sequence[str] | None, what: str) -> Iterator[_Cell]:
    """Yield the lines of a table: the levels of each column, in each arm where people are divided into arms."""
    names = _named(by)
    for name in names:
        _check_column(people, name, what)
    everybody = np.ones(len(people), dtype=bool)
    arms = [("all", everybody)]
    if "group" in names:
        labels = _levels(people["group"], "group", what)
        arms = [(str(label), people["group"].eq(label).to_numpy(dtype=bool)) for label in labels]
    others = [name for name in names if name != "group"]
    lines = [line for name in others for line in _lines(people, name, what, prefixed=len(others) > 1)]
    lines = lines or [("", "", everybody)]
    for variable, label, own in lines:
        for arm, rows in arms:
            if (rows & own).any():
                yield _Cell(arm, variable, label, rows & own)


def _lines(people: pd.DataFrame, name: str, what: str, *, prefixed: bool) -> Iterator[tuple[str, str, Mask]]:
    """Yield a column's levels: its name, what each is called (yes and no with the name), and who has it."""
    values, yes_no, variable = people[name], _is_binary(people[name]), in_words(name)
    head = f"{variable}: " if yes_no or prefixed else ""
    for level in _levels(values, name, what):
        label = _said(bool(level)) if yes_no else _said(level)
        yield variable, f"{head}{label}", values.eq(level).fillna(value=False).to_numpy(dtype=bool)
    if values.isna().any():
        yield variable, f"{head}{NOT_RECORDED}", values.isna().to_numpy(dtype=bool)


def _sums(values: pd.Series) -> dict[str, object]:
    numbers = values.to_numpy(dtype=np.float64)
    return {
        "n": len(numbers),
        "total": float(numbers.sum()),
        "total_sq": float((numbers**2).sum()),
        "largest": float(np.abs(numbers).max()) if len(numbers) else 0.0,
        "n_nonzero": int((numbers != 0).sum()),
    }


def _tally(rows: Sequence[dict[str, object]], codes: Sequence[dict[str, Codes]]) -> Tally:
    columns = ["group", "variable", "term", "label", "n_event", "n"]
    return Tally(pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[4:], "int64")), people=tuple(codes))


def _moments(rows: Sequence[dict[str, object]], codes: Sequence[dict[str, Codes]]) -> Moments:
    texts, numbers = ["group", "variable", "term", "label"], ["n", "total", "total_sq", "largest", "n_nonzero"]
    kinds = {"n": "int64", "total": "float64", "total_sq": "float64", "largest": "float64", "n_nonzero": "int64"}
    return Moments(pd.DataFrame(rows, columns=texts + numbers).astype(kinds), people=tuple(codes))


def _check_quantity(values: pd.Series, name: str, what: str) -> None:
    if not pd.api.types.is_numeric_dtype(values.dtype) or np.isinf(values.to_numpy(dtype=float, na_value=np.nan)).any():
        msg = f"{what}: column '{name}' must hold finite numbers"
        raise AnalysisError(msg)


def _check_events(people: pd.DataFrame, events: str, time: str) -> None:
    for name in (events, time):
        _check_quantity(people[name], name, "rates")
    x, t = people[events].astype(float), people[time].astype(float)
    if ((x < 0) | (x % 1 != 0)).any():
        msg = f"rates: column '{events}' must hold whole numbers of events, none below 0"
        raise AnalysisError(msg)
    # An event without time of observation was seen by nobody: the rate would be too high.
    if (t < 0).any() or ((x > 0) & (t == 0)).any():
        msg = f"rates: column '{time}' must hold days, 0 or more, and more than 0 for whoever had an event"
        raise AnalysisError(msg)
