"""The one result type.

An analysis takes a frame (or counts) in and gives `Estimates` out: a tidy frame together with what it is,
of whom, at which cut and with which estimand. It remembers the counts it was made from and the analysis that
made it, so that disclosure control can make the counts safe and ask the same analysis again without knowing
any statistics.
"""

from __future__ import annotations

__all__ = ["Analysis", "Estimates", "nothing"]

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import pandas as pd

from evalkit import bench, glossary
from evalkit.counts import Counts, Tie
from evalkit.errors import AnalysisError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PROSE = frozenset({"estimand", "population", "label", "notes", "view", "of_shares"})
"""Parameters of analyses that describe what is estimated, or how it is seen: reworded, the question is the same."""


@runtime_checkable
class Analysis(Protocol):
    """A frozen set of parameters with one method: counts in, estimates out.

    Attributes
    ----------
    key : str
        What names the analysis for ever, whatever its class is called: see `Estimates.id`.

    A class, or a parameter, ``view`` names the family that shows the result: ``view: ClassVar[str] = "survival"``.
    Disclosure control makes limits wider by what the noise of published counts adds: ``of_shares = True`` keeps them
    within 0 and 1, and ``holds_noise = True`` says that they hold the noise without that.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import pandas as pd
    >>> from evalkit.counts import Tally
    >>> from evalkit.estimates import Analysis, Estimates
    >>> @dataclass(frozen=True)
    ... class CountOf:
    ...     key: ClassVar[str] = "count_of"
    ...
    ...     def estimate(self, counts: Tally) -> Estimates:
    ...         rows = counts.frame[["group", "term", "n"]]
    ...         return Estimates(rows, kind="count_of", estimand="people", counts=counts, analysis=self)
    ...
    >>> one: Analysis = CountOf()
    >>> rows = pd.DataFrame({"group": ["pilot"], "term": ["all"], "n_event": [4], "n": [9]})
    >>> one.estimate(Tally(rows)).tidy()
       group term  n
    0  pilot  all  9
    """

    key: ClassVar[str]

    def estimate(self, counts: Any) -> Estimates:  # noqa: ANN401 - each analysis names its own counts
        """Return the estimates for these counts."""
        ...


@dataclass(frozen=True, eq=False)
class Estimates:
    """A tidy result and what must be known to read it.

    Attributes
    ----------
    data : pandas.DataFrame
        The rows. Every column is in `evalkit.glossary`.
    kind : str
        The analysis, as a name: ``"kaplan_meier"``, ``"cox"``, ``"funnel"``.
    estimand : str
        What is estimated, in one clause.
    population : str
        Of whom, in one clause.
    cut : datetime.date or None
        The day up to which anything was known.
    conf_level : float
        Level of ``conf_low`` and ``conf_high``.
    summary : mapping
        One-row facts about the whole (broom's *glance*): n, n_event, log_likelihood ...
    notes : tuple of str
        Caveats, each a sentence for the reader.
    counts : DayCounts, Tally, Moments, TransitionCounts or None
        What it was made from.
    analysis : Analysis or None
        What made it, so that it can be asked again.
    asked : mapping
        The question by value, so far as neither kind nor analysis say it: ``{"question": "staying"}``.
    view : str
        The family of views that shows it (`evalkit.views`); where it is not said, the analysis' own.
    tied : tuple of Tie
        Shares of the same event: of a day of which one of them may not be told, nothing of this is.
    absence : mapping
        Why there is nothing: ``key`` of the sentence that says so, and what stands in it; see `nothing`.

    Examples
    --------
    >>> from evalkit.stats import proportion
    >>> share = proportion(9, 20)
    >>> share.tidy()[["estimate", "conf_low", "conf_high"]].round(3)
       estimate  conf_low  conf_high
    0      0.45     0.258      0.658
    >>> share.kind
    'proportion'
    """

    data: pd.DataFrame = field(repr=False)
    kind: str
    estimand: str
    population: str = ""
    cut: date | None = None
    conf_level: float = 0.95
    summary: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    counts: Counts | None = field(default=None, repr=False)
    analysis: Analysis | None = field(default=None, repr=False)
    asked: Mapping[str, Any] = field(default_factory=dict)
    view: str = ""
    absence: Mapping[str, str] = field(default_factory=dict)
    tied: tuple[Tie, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.kind or not self.estimand:
            msg = "Estimates: kind and estimand must be said"
            raise AnalysisError(msg)
        glossary.check(self.data, self.kind)
        object.__setattr__(self, "data", self.data.reset_index(drop=True).copy())
        object.__setattr__(self, "summary", MappingProxyType(dict(self.summary)))
        object.__setattr__(self, "asked", MappingProxyType(dict(self.asked)))
        object.__setattr__(self, "absence", MappingProxyType(dict(self.absence)))
        object.__setattr__(self, "view", self.view or getattr(self.analysis, "view", "plain"))

    def tidy(self) -> pd.DataFrame:
        """Return the rows.

        Returns
        -------
        pandas.DataFrame
            A copy: changing it changes nothing here.
        """
        return self.data.copy()

    def glance(self) -> pd.DataFrame:
        """Return what is known of the whole as a frame of one row.

        Returns
        -------
        pandas.DataFrame
            One row: kind, estimand, and population and cut where they are said; then a column per fact of `summary`.

        Examples
        --------
        >>> from evalkit.stats import proportion
        >>> proportion(9, 20).glance().iloc[0].to_dict()
        {'kind': 'proportion', 'estimand': 'share of people with the event', 'n': 20, 'n_event': 9}
        """
        said = {"kind": self.kind, "estimand": self.estimand, "population": self.population, "cut": self.cut}
        return pd.DataFrame([{name: fact for name, fact in said.items() if fact} | dict(self.summary)])

    def about(self, **changes: Any) -> Estimates:  # noqa: ANN401 - fields have their own types
        """Return the same estimates with some of their description replaced.

        Parameters
        ----------
        **changes
            Fields of `Estimates`, for example ``population=...`` or ``cut=...``.

        Returns
        -------
        Estimates
            A new object.
        """
        return dataclasses.replace(self, **changes)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that name this estimate: the same question has the same id.

        The analysis' declared key, its parameters by value and what was `asked` go in; of a model, which nobody can ask
        again, its kind. Words for readers, names of classes, data and cut do not, so that the same figure can be
        followed from release to release.
        """
        key = self.kind if self.analysis is None else getattr(self.analysis, "key", self.kind)
        said = [key, _by_value(self.asked), _parameters(self.analysis)]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def noise_name(self) -> str:
        """What the noise of counts without people follows from.

        The wording, as in every release made before there were keys: named otherwise, the noise of the same count would
        be drawn a second time, and two draws tell more of it than one.
        """
        asked = "|".join([self.kind, self.estimand, self.population, repr(self.analysis)])
        return hashlib.sha256(asked.encode()).hexdigest()[:12]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the exact numbers, for work outside of reports; the plot's corner says that it is not for publication.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where; default a new figure's.

        Returns
        -------
        matplotlib.axes.Axes
            Curves with the numbers at risk below them, ratios as a forest on a logarithmic axis, other values as dots
            with their limits.

        Raises
        ------
        AnalysisError
            If there is no number that could be plotted.
        """
        if self.absence:
            msg = f"{self.kind}: there is nothing to plot ({self.estimand})"
            raise AnalysisError(msg)
        return bench.plot(self.data, self.counts, self.kind, self.estimand, ax)

    def _repr_html_(self) -> str:
        known = "" if self.cut is None else f"known on {self.cut:%Y-%m-%d}"
        said = (self.estimand, self.population, known)
        return bench.html(self.data, self.kind, said, self.summary, self.notes)


def nothing(key: str, what: str, **more: str) -> Estimates:
    """Return the answer to a question that cannot be asked: a value like any other, so that nobody needs to look first.

    Parameters
    ----------
    key : str
        Sentence of the catalogue that says why: ``absent.table``.
    what : str
        What there is none of.
    **more
        What else stands in the sentence.

    Returns
    -------
    Estimates
        Without rows and counts; its ``absence`` holds the reason, which `report.show` and `report.say` print.

    Examples
    --------
    >>> dict(nothing("absent.table", "retention", table="sessions").absence)
    {'key': 'absent.table', 'what': 'retention', 'table': 'sessions'}
    """
    return Estimates(pd.DataFrame(), "nothing", what, absence={"key": key, "what": what, **more})


def _parameters(analysis: Analysis | None) -> object:
    if analysis is None:
        return None
    fields: tuple[dataclasses.Field[Any], ...] = (
        dataclasses.fields(analysis) if dataclasses.is_dataclass(analysis) else ()
    )
    return {f.name: _by_value(getattr(analysis, f.name)) for f in fields if f.name not in _PROSE}


def _by_value(value: object) -> object:
    """Return a value as JSON has it, so that 182 and 182.0, a list and a tuple ask the same."""
    if isinstance(value, Mapping):
        return {str(name): _by_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_by_value(one) for one in value]
    if hasattr(value, "item"):  # a number of numpy's
        return _by_value(value.item())
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
