"""How one result is seen: its numbers, figure, table, sentence and headline, all from what disclosure control passed.

A result names its family (`Estimates.view`); each family is one class here. Nothing else chooses an output. What a
family says no more of is plain: the columns as they are, and one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Literal

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from evalkit import markup
from evalkit.disclosure import Safe
from evalkit.errors import DisclosureError
from evalkit.estimates import Estimates
from evalkit.glossary import COLUMNS
from evalkit.views._phrases import Gap, Gaps
from evalkit.views._tables import html_table
from evalkit.views.style import NARROW, PHONE, on_phone, svg_of
from evalkit.words import count, decimal, interval, listed, p_value, translated, translated_names, words, wrapped

__all__ = ["CurveText", "Look", "View", "gap_of", "joined", "plain_numbers", "plain_sentence", "plain_table"]


_DIGITS = 3
_NAMED = ("label", "term", "contrast", "measure", "cause", "method", "period", "group")
_HEADED = (*_NAMED, "time", "tau", "q", "n", "n_event", "estimate", "hazard_ratio", "statistic", "df", "p_value", "aic")
_LIMITS = (("conf_low", "conf_high", "estimate"), ("hr_low", "hr_high", "hazard_ratio"))


def plain_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the digits that the plain table writes."""
    numbers = [name for name in rows.columns if COLUMNS[str(name)].kind == "number"]
    # The file beside a table holds no digit more than the table.
    return rows.round(dict.fromkeys(numbers, _DIGITS))


def plain_table(rows: pd.DataFrame, note: str = "") -> str:
    """Write rows as a table, a line below it: names, numbers and limits, in the order of the glossary."""
    shown = [name for name in _HEADED if name in rows and rows[name].notna().any()]
    # A label says what its term is; the term is for programs, and stays in the data file.
    if "label" in shown and "term" in shown:
        shown.remove("term")
    limits = {value: (low, high) for low, high, value in _LIMITS if value in shown and {low, high} <= {*rows.columns}}
    texts, headings = {}, {}
    for name in shown:
        texts[name] = [_cell(name, value) for value in rows[name]]
        headings[name] = words(f"column.{name}")
        if name in limits:
            ends = zip(*(rows[end] for end in limits[name]), strict=True)
            texts[f"{name}_ci"] = [interval(a, b, share=False, digits=_DIGITS) for a, b in ends]
            headings[f"{name}_ci"] = words("column.ci")
    numbers = [name for name in headings if name not in _NAMED]
    return html_table(pd.DataFrame(texts, dtype=object), headings, numbers=numbers, note=note)


def _cell(name: str, value: object) -> str:
    if COLUMNS[name].kind == "text":
        return "" if pd.isna(value) else str(value)  # type: ignore[call-overload]
    number = float(value)  # type: ignore[arg-type]
    if name == "p_value":
        return p_value(number)
    whole = COLUMNS[name].kind == "count" or name in {"time", "tau", "df"}
    return count(number) if whole else decimal(number, _DIGITS)


def plain_sentence(estimates: Estimates, groups: Sequence[str]) -> str:
    """Say each row (in the order of the groups, others after them): of what, how large, with its limits or its p value.

    Empty where no row has a number.
    """
    rows = estimates.tidy()
    value = next((name for name in ("estimate", "statistic", "aic") if name in rows), None)
    if value is None:
        return ""
    rows = rows.dropna(subset=[value])
    place = {group: i for i, group in enumerate(groups)}
    if "group" in rows:
        rows = rows.sort_values("group", key=lambda own: own.map(lambda g: place.get(g, len(place))), kind="stable")
    said = [_said(row, value) for _, row in rows.iterrows()]
    what = estimates.estimand[:1].upper() + estimates.estimand[1:]
    return words("plain.said", what=what, values=listed(said)) if said else ""


def _said(row: pd.Series, value: str) -> str:
    told = {
        name: translated(str(row[name]))
        for name in _NAMED
        if name in row and pd.notna(row[name]) and row[name] not in {"", "all"}
    }
    if "label" in told:  # it says what the term is
        told.pop("term", None)
    text = f"{', '.join(told.values())}: {decimal(row[value], _DIGITS)}" if told else decimal(row[value], _DIGITS)
    if value == "estimate" and {"conf_low", "conf_high"} <= set(row.index) and pd.notna(row["conf_low"]):
        return f"{text} ({interval(row['conf_low'], row['conf_high'], share=False, digits=_DIGITS)})"
    return f"{text} (p {p_value(row['p_value'])})" if "p_value" in row and pd.notna(row["p_value"]) else text


_UNSEEN = ["std_dev"]  # no figure or table shows it
_LABEL = 30  # letters of an axis' label in one line on a phone


@dataclass(frozen=True)
class CurveText:
    """Words of a curve's figure.

    Attributes
    ----------
    y_label, x_label : str
        What the axes show.
    event : str
        Probability of what, for the alt text: ``still engaged``.
    cause : str
        Of incidences of several causes: the only one shown, where the others are told by another estimate.
    """

    y_label: str
    x_label: str
    event: str
    cause: str = ""


@dataclass(frozen=True)
class Look:
    """What a view needs beside its numbers.

    Attributes
    ----------
    words : CurveText or None
        Words of a curve.
    horizon : float
        Longest day of a curve.
    x_label : str
        What the axis of a chart of shares, or of means by week, shows.
    places : mapping of str to (column, row)
        Where places lie on a map of tiles; without them shares by level are bars.
    narrow : bool
        Whether it is drawn for a phone: what would be wider has its panels below one another.
    """

    words: CurveText | None = None
    horizon: float = 365
    x_label: str = "Share"
    places: Mapping[str, Sequence[int]] = field(default_factory=dict)
    narrow: bool = False

    def translated(self) -> Look:
        """Return it with its words in the language in force."""
        said = self.words and replace(
            self.words,
            y_label=translated(self.words.y_label),
            x_label=translated(self.words.x_label),
            event=translated(self.words.event),
        )
        return replace(self, words=said, x_label=translated(self.x_label))


@dataclass(frozen=True, eq=False)
class View:
    """A result as readers see it; this one shows any result plainly, families know better.

    Attributes
    ----------
    safe : Safe
    groups : sequence of str
        In the order of colours, the focus first.
    look : Look
    gaps : mapping of str to Gap
        Differences between the two groups, by label or cause; '' where there is only one.
    """

    safe: Safe
    groups: Sequence[str] = ()
    look: Look = Look()
    gaps: Gaps = field(default_factory=dict)

    name: ClassVar[str] = "plain"
    """What an analysis calls the family."""
    has_figure: ClassVar[bool] = False
    """Whether it is drawn unless a table is asked for."""
    squeezes: ClassVar[bool] = True
    """Whether a figure of one panel is drawn again for a phone."""
    whom: ClassVar[bool] = False
    """Whether its table says of whom: of fewer people than the ones before it."""
    untitled: ClassVar[str] = ""
    """Message that names what is missing where no caption does: what is only said in a sentence."""
    contrast: ClassVar[Literal["curves", "counts", "shares"]] = "shares"
    """What the difference between the two groups is a difference of."""

    def __post_init__(self) -> None:
        """Let a family narrow what it was given."""

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The rows that may be shown."""
        return self.safe.estimates.tidy()

    @property
    def event(self) -> str:
        """What holds of those without the event; empty where nobody said it."""
        return self.look.words.event if self.look.words else ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it may be, or can be, shown."""
        return bool(self.rows["estimate"].isna().all()) if "estimate" in self.rows else self.rows.empty

    @property
    def undrawable(self) -> bool:
        """Whether a figure would be empty though a table is not."""
        return False

    @property
    def untold(self) -> bool:
        """Whether a table would tell no more than a sentence does: all else in it is withheld."""
        return False

    @property
    def unrecorded(self) -> bool:
        """Whether what it is about was recorded of nobody."""
        return not getattr(self.safe.estimates.analysis, "recorded", True)

    def absent(self, *, recorded: bool = True) -> str:
        """Return the sentence that says why nothing of it is shown.

        Parameters
        ----------
        recorded : bool, default True
            Whether the exact estimate says that what it is about was recorded at all.

        Returns
        -------
        str
        """
        # Asked of the exact estimate as well: of one that is withheld nothing is left to tell why.
        if self.unrecorded or not recorded:
            return words("absent.unrecorded")
        return f"{words(self.untitled)} {self._why()}" if self.untitled else self._why()

    def _why(self) -> str:
        if self.safe.withheld:
            return words("absent.small", minimum=self.safe.policy.minimum_count)
        return words("absent.early")

    def numbers(self) -> pd.DataFrame:
        """Return the numbers of the table, with the digits that disclosure control left.

        Returns
        -------
        pandas.DataFrame
        """
        rows = self.rows.drop(columns=_UNSEEN, errors="ignore")
        return plain_numbers(rows) if type(self) is View else rows

    def drawn_numbers(self) -> pd.DataFrame:
        """Return the numbers that the figure draws.

        Returns
        -------
        pandas.DataFrame
        """
        return self.numbers()

    def own_numbers(self) -> pd.DataFrame:
        """Return the numbers that a function of one's own may draw: those of the figure or table, as they are printed.

        Returns
        -------
        pandas.DataFrame
            Its words in the language in force.
        """
        rows = self.drawn_numbers() if self.has_figure and not self.undrawable else self.numbers()
        return translated_names(plain_numbers(rows)).reset_index(drop=True)

    def figure(self) -> tuple[Figure, str]:
        """Draw it.

        Returns
        -------
        figure : matplotlib.figure.Figure
        alt : str
            What the figure shows, for readers who do not see it.

        Raises
        ------
        DisclosureError
            If the family has no figure.
        """
        msg = f"report.show: '{self.safe.estimates.kind}' has no figure; show it as a table"
        raise DisclosureError(msg)

    def for_phone(self, figure: Figure) -> str:
        """Draw the same numbers again for a phone, where a figure squeezed to one could not be read.

        Parameters
        ----------
        figure : matplotlib.figure.Figure
            As it stands on a page.

        Returns
        -------
        str
            SVG; empty where the figure is narrow enough.
        """
        if figure.get_figwidth() <= (PHONE if self.squeezes else NARROW):
            return ""
        with on_phone():
            drawn, _ = replace(self, look=replace(self.look, narrow=True)).figure()
        # Beside long names the axis is short, and its label would pass the picture's edge; where the layout is fixed
        # names stand at the right, the axis is long, and below one line of a label is no room.
        if isinstance(drawn.get_layout_engine(), ConstrainedLayoutEngine):
            for axes in drawn.axes:
                axes.set_xlabel(wrapped(axes.get_xlabel(), _LABEL))
        return svg_of(drawn)

    def table(self, note: str = "") -> str:
        """Write it as an HTML table.

        Parameters
        ----------
        note : str
            A line below the table, before the note on what is not shown.

        Returns
        -------
        str
        """
        whom = words("note.whom", whom=self.safe.estimates.population) if self.whom else ""
        return self._table(joined(whom, note, translated(self.safe.note)))

    def _table(self, note: str) -> str:
        return plain_table(self.rows, note)

    @property
    def footnotes(self) -> str:
        """What has to be said of how it was made: notes of the question and of its analysis."""
        return " ".join(map(translated, self.safe.estimates.notes))

    def sentence(self, reference: str = "") -> str:
        """Write it as sentences.

        Parameters
        ----------
        reference : str
            Label of the figure or table that shows it, as ``fig-retention``; it is named when given.

        Returns
        -------
        str
            With signs (`evalkit.markup`); empty where there is nothing to say.
        """
        if self.safe.verdict == "withheld":
            return words("absent.small", minimum=self.safe.policy.minimum_count)
        text = self._sentence()
        # "There is nothing to tell" shows no figure to look at.
        told = text and text not in {words("curve.none"), words("funnel.none")}
        return words("see", text=text, label=markup.reference(reference)) if reference and told else text

    def _sentence(self) -> str:
        return plain_sentence(self.safe.estimates, self.groups)

    def headline(self) -> str:
        """Write the finding of its figure in one line.

        Returns
        -------
        str
            Without a full stop; empty where there is none, and of weighted curves: what is to be said of the groups
            after weighting, adjusted effects say with better limits.
        """
        return "" if self.safe.weighted else self._headline()

    def _headline(self) -> str:
        return ""

    def remarks(self) -> list[str]:
        """Return what has to be said below its figure: how it was made, and what is not in it.

        Returns
        -------
        list of str
        """
        said = [words("note.weighted")] if self.safe.weighted else []
        return [*said, translated(self.safe.note)] if self.safe.note else said


def joined(*texts: str) -> str:
    """Join the texts that say something."""
    return " ".join(text for text in texts if text)


def gap_of(row: pd.Series) -> Gap:
    """Return a row's estimate with its limits."""
    return Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))
