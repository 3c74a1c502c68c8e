"""Page one's grid held to safe rows: numbers, bars, lines and their alternative texts say the same."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

import pandas as pd

from evalkit.views import Gap
from reports.claims import rounded

_COLUMNS = ("group", "n", "estimate", "conf_low", "conf_high", "period")
_SHARE = re.compile(
    r"((?:under |over )?\d+)% ?\(((?:under |over )?\d+)%\sto\s((?:under |over )?\d+)%\)(?: (of|estimate from) ([\d,]+)(?: people)?)?"
)
_GAP = re.compile(r"([+−]?\d+)\sto\s([+−]?\d+)")
_SAID = re.compile(r"(\d+) (?:(fewer|more) )?to (\d+) (fewer|more) (?:per hundred )?than")
_ROW = re.compile(r'<tr><th scope="row".*?</tr>', re.DOTALL)
_CELL = re.compile(r'<td\b[^>]*data-head="([^"]*)"[^>]*>(.*?)</td>', re.DOTALL)
_ALT = re.compile(r'aria-label="([^"]*)"')
_SPAN = re.compile(r" (?:([\d,]+)%? to )?([\d,]+)%? each quarter$")
_POINT = re.compile(r"(\d[\d,]*)(%?) in (\d{4}Q\d)")


def _plain(cell: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell)).split())


def _whole(value: float) -> str:
    text = rounded(100 * value)
    return "under 1" if value > 0 and text == "0" else "over 99" if value < 1 and text == "100" else text


def _signed(value: float) -> str:
    text = f"{float(rounded(100 * value)):+.0f}".replace("-", "−")
    return text if text.strip("+−0") else "0"


def _number(said: str) -> float:
    return float(said.replace("−", "-").replace(",", "").replace("under 1", "0").replace("over 99", "100"))


def wrong_in_grid(table: str, rows: pd.DataFrame, gaps: Sequence[Gap], groups: tuple[str, str]) -> list[str]:
    """Return what the grid says or draws and no safe row, or gap, bears out.

    Parameters
    ----------
    table : str
        HTML.
    rows : pandas.DataFrame
        Safe rows of the estimates behind it: group, estimate, limits, n or n_risk, period, baseline.
    gaps : sequence of Gap
    groups : (str, str)

    Returns
    -------
    list of str
    """
    rows = rows.reindex(columns=[*dict.fromkeys([*rows.columns, *_COLUMNS])])  # of nobody there are no rows at all
    scales: set[float] = set()
    wrong = []
    for line in _ROW.findall(table):
        cells = _CELL.findall(line)
        for i, (head, cell) in enumerate(cells):
            if i < 2:
                own = rows[rows["group"] == groups[i]]
                found = [*_side(cell, own, groups[i]), *_over(cell, own)]
            else:
                found = [*(_gap(cell, gaps, scales) if i == 2 else _said(cell, cells[2][1]))]
            wrong += [f"{head}: {problem}: {_plain(cell)}" for problem in found]
    return wrong + (["gaps are drawn on scales of their own"] if len(scales) > 1 else [])


def _side(cell: str, rows: pd.DataFrame, group: str) -> Iterator[str]:
    text = _SPAN.sub("", _plain(cell))
    if found := _SHARE.fullmatch(text):
        share, low, high, said, people = found.groups()
        known = rows.dropna(subset=["estimate", "conf_low", "conf_high"])
        held = [
            r
            for _, r in known.iterrows()
            if (_whole(r["estimate"]), _whole(r["conf_low"]), _whole(r["conf_high"])) == (share, low, high)
        ]
        if not held:
            yield "no such row"
        at_risk = {f"{v:,.0f}" for name in ("n", "n_risk") if name in rows for v in rows[name].dropna()}
        if people and people not in at_risk:
            yield "no such number of people"
        if said and {pd.notna(r.get("n_risk")) for r in held} == {said == "of"}:
            yield "a share of a curve said as one of people counted, or the other way round"
        alt = html.unescape(_ALT.findall(cell)[0]).replace("\xa0", " ")
        if alt != f"{group}: {share}%, range {low}% to {high}%":
            yield f"another alternative text ({alt})"
        drawn = re.findall(r'd="M(\d+) 7H(\d+)" fill="none" stroke="[^"]*" stroke-width="3.5"', cell) + re.findall(
            r'cx="(\d+)"', cell
        )
        if drawn != [(f"{_number(low):.0f}", f"{_number(high):.0f}"), f"{_number(share):.0f}"]:
            yield f"another bar ({drawn})"
    elif text == "0":  # an estimate of nobody has no rows
        if rows["n"].dropna().gt(0).any():
            yield "somebody is counted"
    elif text != "–" and text not in {f"{v:,.0f}" for v in rows["n"].dropna()}:
        yield "no such row"


def _gap(cell: str, gaps: Sequence[Gap], scales: set[float]) -> Iterator[str]:
    text = _plain(cell)
    if text == "–":
        return
    found = _GAP.fullmatch(text)
    known = [g for g in gaps if found is not None and found.groups() == (_signed(g.low), _signed(g.high))]
    if found is None or not known:
        yield "no such gap"
        return
    low, high = found.groups()
    if [html.unescape(alt) for alt in _ALT.findall(cell)] != [f"Gap in points: from {low} to {high}"]:
        yield "another alternative text"
    (left, right), (at,) = (
        re.findall(r'd="M([\d.-]+) 9H([\d.-]+)" [^>]*width="5"', cell)[0],
        re.findall(r'd="M([\d.-]+) 5L', cell),
    )
    for said, x in ((low, left), (high, right)):
        value, place = _number(said), float(x) - 50
        if (value == 0) != (place == 0) or value * place < 0:
            yield "drawn on another side"
        elif value:
            scales.add(float(round(50 * value / place / 10)))
    if scales:  # the diamond is drawn where no number stands: the whole points of the gap
        drawn = f"{(float(at) - 50) * 10 * min(scales) / 50:.0f}"
        if drawn.replace("-0", "0") not in {rounded(100 * g.estimate).replace("-0", "0") for g in known}:
            yield "another diamond"


def _said(cell: str, gap: str) -> Iterator[str]:
    """Hold the words of a line to the limits that stand beside them: no gap, no words of one."""
    said, limits = _SAID.search(_plain(cell)), _GAP.fullmatch(_plain(gap))
    if said is None or limits is None:
        if (said is None) != (limits is None):
            yield "words without a gap, or a gap without words"
        return
    first, way, last, other = said.groups()
    ends = [_number(one) * (-1 if name == "fewer" else 1) for one, name in ((first, way or other), (last, other))]
    if sorted(ends) != sorted(map(_number, limits.groups())):
        yield "other limits than the gap's"


def _over(cell: str, rows: pd.DataFrame) -> Iterator[str]:
    for alt in (one for one in _ALT.findall(cell) if one.startswith("By quarter of referral")):
        said = _POINT.findall(html.unescape(alt))
        known = rows.dropna(subset=["period"]) if "period" in rows else rows.iloc[:0]
        for value, sign, period in said:
            own = known[known["period"] == period]
            ways = {_whole(v) for v in own["estimate"].dropna()} if sign else {f"{v:,.0f}" for v in own["n"].dropna()}
            if value not in ways:
                yield f"no such quarter ({value}{sign} in {period})"
        spans = _SPAN.search(_plain(cell))
        known = sorted((_number(value) for value, *_ in said))
        if spans is None or [_number(end) for end in spans.groups() if end] != list(
            dict.fromkeys(known[:1] + known[-1:])
        ):
            yield f"another span ({_plain(cell)})"
        heights = [float(y) for y in re.findall(r'cy="([\d.]+)" r="1.7"', cell)]
        values = [_number(value) for value, *_ in said]
        top = 100.0 if said and said[0][1] else max([*values, 1.0])
        if len(heights) != len(values) or any(
            abs(16 - 14 * v / top - y) > 0.12 for v, y in zip(values, heights, strict=False)
        ):
            yield "another line"
