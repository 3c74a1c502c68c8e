"""Page one's grid: each indicator's shares as numbers and small bars, the gap between the groups, what may be said.

A table and no figure: its numbers can be read aloud, copied and stacked on a phone; only the bars are pictures. They
are drawn in whole percent, so that they hold no digit that is not printed beside them, and differ in form, not in
colour alone.
"""

from __future__ import annotations

__all__ = ["Indicator", "indicator_numbers", "indicator_table"]

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from evalkit.views._phrases import Gap
from evalkit.views.style import COMPARISON, FOCUS, INK, MUTED, RULE
from evalkit.words import (
    NOT_SHOWN,
    between,
    count,
    interval,
    listed,
    percent,
    points,
    translated,
    whole_percent,
    within,
    words,
)

_WIDTHS = (23.5, 18.5, 16.5, 15.5, 26)
_LEFT = ' style="text-align: left"'
_FEWEST_POINTS = 3
"""Of a line over time: fewer are no line."""


@dataclass(frozen=True, eq=False)
class Indicator:
    """One line of the grid.

    Attributes
    ----------
    term : str
        Its name in data files: ``engaged``.
    name, whom : str
        What it is in plain words, and of whom.
    says : str
        What may be concluded.
    verdict : str
        The same in one or two words, to be seen before any number: "Unclear."; '' where nothing is compared.
    sides : (pandas.Series or None, pandas.Series or None)
        The focus and the comparison: n, and estimate, conf_low, conf_high where it is a share; None where not shown.
    gap : Gap or None
        Focus less comparison, of shares.
    series : pandas.DataFrame
        Of the focus by quarter of referral: period, n, estimate; missing where not shown.
    before : float
        The share of the focus a while ago; nan where there is none.
    estimate_id : str
        Name of the estimate that its numbers are of, where that is the same in the next release: empty elsewhere.
    when : str
        What data files call that while.
    estimated : bool
        Whether its shares are of a curve, so that a share times its people is no number of people.
    """

    term: str
    name: str
    whom: str
    says: str
    verdict: str = ""
    sides: tuple[pd.Series | None, pd.Series | None] = (None, None)
    gap: Gap | None = None
    series: pd.DataFrame = field(default_factory=pd.DataFrame)
    before: float = float("nan")
    estimate_id: str = ""
    when: str = "a quarter ago"
    estimated: bool = False

    @property
    def value(self) -> str:
        """The column that the series draws: of what is no share, the people."""
        return "estimate" if any(side is not None and _is_share(side) for side in self.sides) else "n"

    @property
    def drawn(self) -> pd.DataFrame:
        """The series, if there is enough of it for a line."""
        # What is not given as a whole is not drawn in parts.
        known = self.series[self.value].notna().sum() if len(self.series) and self.sides[0] is not None else 0
        return self.series if known >= _FEWEST_POINTS else self.series.iloc[:0]


def _is_share(side: pd.Series) -> bool:
    return bool(pd.notna(side.get("conf_low")))


def indicator_table(found: Sequence[Indicator], groups: tuple[str, str], note: str, *, by_court: bool = False) -> str:
    """Write the grid as an HTML table with small pictures in it.

    Parameters
    ----------
    found : sequence of Indicator
    groups : (str, str)
        The focus, the comparison.
    note : str
        A line below the table: who the groups are; how what is drawn is read is said after it.
    by_court : bool, default False
        Whether the comparison's column says that a court sent its people: its name alone tells a stranger nothing.

    Returns
    -------
    str
    """
    compared = any(one.gap is not None for one in found)
    widest = max((abs(v) for one in found if one.gap for v in (one.gap.low, one.gap.high)), default=0.0)
    # One scale for all lines, up to a whole ten; not below twenty, where a gap of two points would fill the cell.
    scale = max(10 * -(-round(100 * widest) // 10), 20)
    heads = [words("ind.what"), *map(translated, groups), words("ind.gap"), words("ind.says")]
    rows = []
    for one in found:
        own, other = one.sides
        cells = [
            _side(one, own, groups[0], focus=True, over=_over(one)),
            _side(one, other, groups[1], focus=False),
            _gap(one.gap, scale),
            _lines(_span("verdict", one.verdict), _text(one.says)),
        ]
        head = _lines(f"<strong>{_text(one.name)}</strong>", _small(one.whom))
        named = zip(heads[1:], cells, strict=True)
        # On a phone each cell is a line of its own, and its heading comes from this attribute.
        body = "".join(f'<td{_LEFT} data-head="{_text(name)}"{_none(cell)}>{cell}</td>' for name, cell in named)
        rows.append(f'<tr><th scope="row"{_LEFT}>{head}</th>{body}</tr>')
    columns = "".join(f'<col style="width: {width}%">' for width in _WIDTHS)
    if by_court:  # of the column only: a cell on a phone has no room for it
        heads[2] = words("ind.by_court", group=heads[2])
    top = "".join(f'<th scope="col"{_LEFT}>{_text(head)}</th>' for head in heads)
    shown = [one for one in found if any(side is not None and _is_share(side) for side in one.sides)]
    estimated = any(one.estimated for one in shown)
    told = (("ind.note", bool(shown)), ("ind.note.estimated", estimated), ("ind.note.gap", compared))
    # Only what is drawn is explained: of a note on bars that are not there readers look for them.
    read = [words(key, focus=within(groups[0])) for key, is_so in told if is_so]
    said = " ".join([note, *read]).strip()
    foot = f'<tfoot><tr><td colspan="{len(heads)}"{_LEFT}>{_span("legend", said)}</td></tr></tfoot>'
    return (
        f'<table class="indicators"><colgroup>{columns}</colgroup><thead><tr>{top}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody>{foot}</table>"
    )


def _none(cell: str) -> str:
    return ' class="none"' if cell == NOT_SHOWN else ""


def _text(said: str) -> str:
    return html.escape(said)


def _span(kind: str, said: str) -> str:
    return f'<span class="{kind}">{_text(said)}</span>' if said else ""


def _small(said: str) -> str:
    return _span("small", said)


def _lines(*parts: str) -> str:
    return "<br>".join(part for part in parts if part)


def _side(one: Indicator, side: pd.Series | None, group: str, *, focus: bool, over: tuple[str, str] = ("", "")) -> str:
    """Write what is known of a group, with its line over time and what that spans."""
    if side is None:
        return NOT_SHOWN
    line, spans = over
    if not _is_share(side):
        return _lines(f"{_span('big', count(side['n']))} {line}".strip(), _small(spans))
    share, limits = percent(side["estimate"]), interval(side["conf_low"], side["conf_high"])
    # A curve's share is an estimate from people, some of whom are not followed so long: it is not of them.
    people = words("ind.from" if one.estimated else "ind.of", n=count(side["n"])) if pd.notna(side.get("n")) else ""
    alt = words("ind.alt.bar", group=group, share=share, limits=limits)
    large = f"{_span('big', share)} {_small(f'({limits})')}"
    return _lines(large, _bar(side, alt, focus=focus), _small(people), f"{_small(spans)} {line}".strip())


def _gap(gap: Gap | None, scale: int) -> str:
    """Write a gap as its limits only: of rounded shares side by side the reader takes another difference."""
    if gap is None:
        return NOT_SHOWN
    low, high = (points(limit, 0) for limit in (gap.low, gap.high))
    return _lines(_gap_bar(gap, scale, words("ind.alt.gap", low=low, high=high)), _text(between(low, high)))


def _over(one: Indicator) -> tuple[str, str]:
    """Draw the focus over time for its own cell: beside both groups nobody could tell whose line it is."""
    if one.drawn.empty or (one.value == "n" and one.drawn["n"].max() == 0):  # where people are too few, no line at 0
        return "", ""
    write = percent if one.value == "estimate" else count
    pairs = zip(one.drawn["period"], one.drawn[one.value], strict=True)
    said = listed([words("ind.alt.point", period=p, value=write(v)) for p, v in pairs if pd.notna(v)])
    line = _line(one, words("ind.alt.series", values=said))
    # A line so small has no axis: its lowest and highest point say what it spans.
    ends = [write(end) for end in (one.drawn[one.value].min(), one.drawn[one.value].max())]
    spans = between(*ends) if ends[0] != ends[1] else ends[0]
    return line, words("ind.series", range=spans)


def indicator_numbers(found: Sequence[Indicator], groups: tuple[str, str]) -> pd.DataFrame:
    """Return the numbers of the grid, and of its bars and lines.

    Parameters
    ----------
    found : sequence of Indicator
    groups : (str, str)

    Returns
    -------
    pandas.DataFrame
        term, label, measure (people, share, difference, a quarter or a year ago, quarter of referral), group, period,
        n, estimate, conf_low, conf_high, estimate_id.
    """
    numbers = ["n", "estimate", "conf_low", "conf_high"]
    columns = ["term", "label", "measure", "group", "period", *numbers, "estimate_id"]
    rows: list[dict[str, object]] = []
    for one in found:
        about = {"term": one.term, "label": one.name, "group": groups[0], "estimate_id": one.estimate_id}
        kept = [(side, group) for side, group in zip(one.sides, groups, strict=True) if side is not None]
        for side, group in kept:
            own = {name: side.get(name) for name in numbers} if _is_share(side) else {"n": side["n"]}
            measure = "share" if _is_share(side) else "people"
            rows.append({**about, "measure": measure, "group": group, **own})
        if one.gap is not None:
            limits = {"estimate": one.gap.estimate, "conf_low": one.gap.low, "conf_high": one.gap.high}
            rows.append({**about, "measure": "difference", "group": f"{groups[0]} - {groups[1]}", **limits})
        if pd.notna(one.before):
            rows.append({**about, "measure": one.when, "estimate": one.before})
        for _, point in one.drawn.iterrows():
            told = {"term": f"{one.term} {point['period']}", "period": point["period"], one.value: point[one.value]}
            rows.append({**about, "measure": "quarter of referral", **told})
    return pd.DataFrame(rows, columns=columns)


# -- pictures ---------------------------------------------------------------------------------------------------------


def _svg(alt: str, box: tuple[int, int, int, int], width: int, shapes: str) -> str:
    view, height = " ".join(map(str, box)), round(width * box[3] / box[2])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{html.escape(alt)}" viewBox="{view}" '
        f'width="{width}" height="{height}">{shapes}</svg>'
    )


def _path(d: str, colour: str, width: float, more: str = "") -> str:
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width:g}"{more}/>'


def _bar(side: pd.Series, alt: str, *, focus: bool) -> str:
    """Draw a share between 0 and 100 %: a full dot for the focus, an open one for the comparison."""
    # Whole percent, as printed: coordinates of a picture hold no digit that the text does not (ADR 23).
    at, low, high = (whole_percent(float(side[name])) for name in ("estimate", "conf_low", "conf_high"))
    colour = FOCUS if focus else COMPARISON
    fill = f'fill="{colour}"' if focus else f'fill="#ffffff" stroke="{colour}" stroke-width="2.5"'
    shapes = [
        _path("M0 7H100", RULE, 1.5),
        _path("M0 3V11M50 5V9M100 3V11", MUTED, 0.8),
        _path(f"M{low} 7H{high}", colour, 3.5),
        f'<circle cx="{at}" cy="7" r="4" {fill}/>',
    ]
    return _svg(alt, (-5, 0, 110, 14), 74, "".join(shapes))


def _gap_bar(gap: Gap, scale: int, alt: str) -> str:
    """Draw a gap in points, with a tick at every ten: the dashed line of no gap is seen through what spans it."""
    at, low, high = (50 + 50 * whole_percent(v) / scale for v in (gap.estimate, gap.low, gap.high))
    ticks = "".join(f"M{50 + 50 * points / scale:g} 7V11" for points in range(-scale, scale + 1, 10) if points)
    shapes = [
        _path("M0 9H100", RULE, 1.5),
        _path(ticks, MUTED, 0.8),
        _path(f"M{low:.1f} 9H{high:.1f}", MUTED, 5),
        # White below the dashes, so that the line of no gap is seen through the bar and beside it.
        _path("M50 0V18", "#ffffff", 4),
        _path("M50 0V18", INK, 1.8, ' stroke-dasharray="3 1.5"'),
        f'<path d="M{at:.1f} 5L{at + 4:.1f} 9L{at:.1f} 13L{at - 4:.1f} 9Z" fill="{INK}" stroke="#ffffff"/>',
    ]
    return _svg(alt, (-6, 0, 112, 18), 66, "".join(shapes))


def _line(one: Indicator, alt: str) -> str:
    """Draw a line over the quarters of referral, from 0 up; a quarter that is not shown breaks it."""
    values = one.drawn[one.value].astype(float)
    # Shares on the whole of their scale: stretched to its own range a line of noise looks like a trend.
    top = 1.0 if one.value == "estimate" else max(float(values.max()), 1.0)
    step = 44 / max(len(values) - 1, 1)
    places = [(i * step, 16 - 14 * v / top) for i, v in enumerate(values)]
    d, up = "", True
    for x, y in places:
        if not math.isnan(y):
            d += f"{'M' if up else 'L'}{x:.1f} {y:.1f}"
        up = math.isnan(y)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.7" fill="{FOCUS}"/>' for x, y in places if not math.isnan(y)
    )
    return _svg(alt, (-3, 0, 50, 18), 30, _path("M0 16H44", RULE, 1) + _path(d, FOCUS, 1.2) + dots)
