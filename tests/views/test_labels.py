"""Names and numbers in figures: never on a curve, on one another, or beyond the picture."""

from __future__ import annotations

import re
from itertools import combinations, product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from evalkit.disclosure import Policy, Safe, make_safe
from evalkit.levels import in_words
from evalkit.stats import cumulative_incidence, kaplan_meier
from evalkit.views import CurveText, difference_table, dots_figure
from evalkit.views._placing import spread
from evalkit.views.across import across_figure
from evalkit.views.curves import curves_figure, incidence_figure
from evalkit.views.places import _SCALE, bars_figure, tiles_figure
from evalkit.views.style import INK, read_on, themed
from evalkit.views.trend import trend_figure
from evalkit.views.weeks import weeks_figure
from evalkit.words import span

WORDS = CurveText("Not disengaged", "Days since first session", "not disengaged")
SHORT, LONG = ("Non-mandated pilot", "PAIP"), ("Services without any mandate", "Court-ordered partner programs")
FOUR = ("Chicago Lawn", "West Englewood", "Englewood", "South Chicago")

_EDGE = 1.4  # pixels, one point: a text's box is taller than its letters


def clashes(figure: Figure) -> list[str]:
    """Say what lies on what: text on text, on a curve or an interval, or beyond the picture's edge."""
    with themed():
        figure.draw_without_rendering()
    unseen = _unseen(figure)
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip() and t not in unseen]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts]
    said = [f"{a!r} on {b!r}" for (a, one), (b, other) in combinations(boxes, 2) if _touch(one, other)]
    whole = figure.bbox
    said += [
        f"{a!r} beyond the edge"
        for a, box in boxes
        if min(box.x0, box.y0, whole.x1 - box.x1, whole.y1 - box.y1) < -_EDGE
    ]
    paths = [path for axes in figure.axes if axes.get_visible() for path in _drawn(axes)]
    said += [f"{a!r} on a curve" for (a, box), path in product(boxes, paths) if _crossed(box, path)]
    return said


def _unseen(figure: Figure) -> set[Text]:
    """Labels of ticks outside their axis' limits, which are not drawn, and all of panels that are not shown."""
    found: set[Text] = set()
    for axes in figure.axes:
        if not axes.get_visible():
            found |= set(axes.findobj(Text))
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            low, high = sorted(limits)
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low - 1e-9 <= tick.get_loc() <= high + 1e-9:
                    found |= {tick.label1, tick.label2}
    return found


def _touch(one: Bbox, other: Bbox) -> bool:
    return min(one.x1, other.x1) - max(one.x0, other.x0) > 0.6 and min(one.y1, other.y1) - max(one.y0, other.y0) > 0.6


def _drawn(axes: Any) -> list[np.ndarray]:
    """Curves and intervals in pixels; reference lines from edge to edge and lines that lead to a name are neither."""
    lines = [line.get_transform().transform(line.get_xydata()) for line in axes.lines if len(line.get_xydata()) > 2]
    for found in axes.collections:
        if isinstance(found, LineCollection):
            lines += [found.get_transform().transform(segment) for segment in found.get_segments()]
    return lines


def _crossed(box: Bbox, path: np.ndarray) -> bool:
    t = np.linspace(0, len(path) - 1, 60 * len(path))
    x, y = (np.interp(t, np.arange(len(path)), path[:, i]) for i in (0, 1))
    return bool(((x > box.x0 + 0.6) & (x < box.x1 - 0.6) & (y > box.y0 + 0.6) & (y < box.y1 - 0.6)).any())


def people(groups: tuple[str, ...], means: tuple[float, ...], ends: tuple[float, ...], seed: int) -> pd.DataFrame:
    rng, n = np.random.default_rng(seed), 300
    parts = []
    for group, mean, end in zip(groups, means, ends, strict=True):
        event, other = rng.exponential(mean, n), rng.exponential(400, n)
        time = np.floor(np.minimum(np.minimum(event, other), end))
        cause = np.where(event <= np.minimum(other, end), 1, np.where(other <= end, 2, 0))
        parts.append(pd.DataFrame({"time": time, "event": cause, "group": group}))
    return pd.concat(parts, ignore_index=True)


def safe(data: pd.DataFrame, *, competing: bool = False) -> Safe:
    if competing:
        made = cumulative_incidence(data, "time", "event", by="group", causes=["disengagement", "completion"])
    else:
        made = kaplan_meier(data.assign(event=data["event"] == 1), "time", "event", by="group")
    return make_safe(made, Policy())


WORLDS = [
    (SHORT, (250, 250), (500, 500)),  # the same curve twice
    (SHORT, (90, 900), (150, 600)),  # one ends early, low, below the other
    (SHORT, (900, 120), (120, 600)),  # one ends early, high; the other passes below its end
    (SHORT, (3000, 2500), (400, 300)),  # both at the top
    (LONG, (30, 35), (500, 400)),  # both at the foot, long names
    (FOUR, (200, 210, 220, 230), (300, 320, 340, 500)),  # four close together
]


@pytest.mark.parametrize(
    ("number", "competing"), [(0, False), (1, True), (2, False), (3, False), (4, False), (4, True), (5, True)]
)
def test_names_of_curves_stand_clear(number: int, competing: bool) -> None:
    groups, means, ends = WORLDS[number]
    shown = safe(people(groups, means, ends, number), competing=competing)
    figure, _ = (incidence_figure if competing else curves_figure)(shown, groups, 365, WORDS)
    assert clashes(figure) == []
    names = {re.sub(r"\s+", "", t.get_text()) for axes in figure.axes for t in axes.texts}
    assert {re.sub(r"\s+", "", group) for group in groups} <= names


def shares(groups: tuple[str, ...], labels: list[str], low: float, high: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(list(product(groups, labels)), columns=["group", "label"])
    rows["estimate"] = rng.uniform(low, high, len(rows))
    wide = rng.uniform(0.01, 0.3, len(rows))
    rows["conf_low"], rows["conf_high"] = (rows["estimate"] - wide).clip(0), (rows["estimate"] + wide).clip(None, 1)
    return rows.assign(variable="", n=100.0, n_event=60.0)


STEPS = ["Intake within 30 days", "Engaged: 4 sessions within 60 days of intake", "Completed within 270 days"]


@pytest.mark.parametrize(
    ("groups", "low", "high"),
    [(SHORT, 0.0, 0.1), (SHORT, 0.9, 1.0), (LONG, 0.4, 0.6), (FOUR, 0.4, 0.6), (SHORT[:1], 0.5, 1.0)],
)
def test_dots_and_their_numbers_stand_clear(groups: tuple[str, ...], low: float, high: float) -> None:
    rows = shares(groups, STEPS, low, high, 3)
    marks = pd.DataFrame(
        {"label": ["Cook County (2005)\n899 men referred"], "estimate": [0.73], "conf_low": [0.7], "conf_high": [0.76]}
    )
    given = marks if len(groups) == 2 else None
    figure, _ = dots_figure(rows, groups, "Share of those whose time for the step is over", marks=given)
    assert clashes(figure) == []
    assert set(groups) <= {t.get_text() for t in figure.findobj(Text)}  # every group is named, at its dot or above


@pytest.mark.parametrize(("groups", "low", "high"), [(SHORT, 0.0, 0.1), (LONG, 0.4, 0.8), (SHORT, 0.9, 1.0)])
def test_levels_of_several_variables_stand_clear(groups: tuple[str, ...], low: float, high: float) -> None:
    parts = {
        "Everybody": ["Everybody"], "Gender": ["Man", "Woman", "Another", "Not recorded"],
        "Race or ethnicity": ["Black", "Latino", "White", "Another", "Not recorded"], "Community area": [*FOUR],
    }  # fmt: skip
    made = [shares(groups, levels, low, high, 5).assign(variable=name) for name, levels in parts.items()]
    rows = pd.concat(made, ignore_index=True)
    hidden = rows["label"].isin(["Another", "Not recorded"]) | (
        (rows["label"] == "Woman") & (rows["group"] == groups[0])
    )
    rows.loc[hidden, ["estimate", "conf_low", "conf_high"]] = np.nan
    figure, _ = across_figure(rows, groups, "Share engaged, of those whose time for it is over")
    assert clashes(figure) == []
    only = rows[rows["variable"].isin(["Everybody", "Gender"])]
    assert clashes(across_figure(only, groups, "Share engaged")[0]) == []
    phone, _ = across_figure(rows, groups, "Share engaged, of those whose time for it is over", narrow=True)
    assert clashes(phone) == []
    assert [len(made.axes) for made in (figure, phone)] == [3, 1]
    assert drawn(phone, 0) == drawn(figure, 0)


@pytest.mark.parametrize(("groups", "periods"), [(SHORT, 2), (SHORT, 20), (LONG, 9)])
def test_trends_stand_clear(groups: tuple[str, ...], periods: int) -> None:
    named = [f"{2021 + (i + 3) // 4}Q{(i + 3) % 4 + 1}" for i in range(periods)]
    made = [
        shares(groups, [*STEPS, "First session within 60 days"], 0, 1, i).assign(period=p) for i, p in enumerate(named)
    ]
    rows = pd.concat(made, ignore_index=True)
    figure, _ = trend_figure(rows, groups)
    assert clashes(figure) == []
    phone, _ = trend_figure(rows, groups, narrow=True)
    assert clashes(phone) == []
    assert len({axes.get_position().x0 for axes in phone.axes}) == 1  # below one another
    assert drawn(phone, 1) == drawn(figure, 1)


def drawn(figure: Figure, which: int) -> list[float]:
    """Every number that dots and lines stand at, along one axis: a phone's figure draws the same ones."""
    lines = [line for axes in figure.axes for line in axes.lines if line.get_marker() not in {"None", "", None}]
    return sorted(float(value) for line in lines for value in line.get_data()[which])


def test_one_point_of_a_trend_has_its_limits_drawn() -> None:
    rows = shares(SHORT[:1], STEPS[:1], 0, 1, 1).assign(period="2021Q4", estimate=1.0, conf_low=0.74, conf_high=1.0)
    figure, _ = trend_figure(rows, SHORT)
    bars = [part for axes in figure.axes for part in axes.collections if isinstance(part, LineCollection)]
    assert [bar.get_segments()[0][:, 1].tolist() for bar in bars] == [[0.74, 1.0]]


def test_an_arm_keeps_its_mark_where_the_other_is_not_shown() -> None:
    rows = shares(SHORT[1:], STEPS, 0, 1, 1).assign(period="2021Q4")
    figure, _ = trend_figure(rows, SHORT)
    (handle,) = figure.legends[0].legend_handles
    drawn = {line.get_marker() for axes in figure.axes for line in axes.lines} - {"None", "", None}
    assert {handle.get_marker()} == drawn == {"s"}


@pytest.mark.parametrize("falling", [0.02, 0.0])
def test_means_by_week_stand_clear(falling: float) -> None:
    weeks = pd.DataFrame(list(product(SHORT, range(26))), columns=["group", "week"])
    rows = weeks.assign(time_from=7 * weeks["week"], estimate=1.2 - falling * weeks["week"])
    rows = rows.assign(conf_low=rows["estimate"] - 0.1, conf_high=rows["estimate"] + 0.1)
    rows = rows[(rows["group"] != SHORT[0]) | (rows["week"] < 15)]  # one line is shorter
    for label in ("Mean attended sessions", "Media de sesiones asistidas"):
        assert clashes(weeks_figure(rows, SHORT, label)[0]) == []


def test_places_and_sources_stand_clear() -> None:
    rows = shares(SHORT, [*FOUR, "West Garfield Park"], 0.1, 0.4, 1)
    rows.loc[2, ["estimate", "n_event"]] = np.nan
    spots = {name: (i, 0 if i < 3 else 1) for i, name in enumerate(FOUR)}
    assert clashes(tiles_figure(rows, SHORT[0], spots)[0]) == []
    assert clashes(bars_figure(rows, SHORT[0], "Share of the people referred")[0]) == []


def inside(figure: Figure) -> list[str]:
    """Return the words of a map that stand in no tile."""
    axes = figure.axes[0]
    with themed():
        figure.draw_without_rendering()
    tiles = [patch.get_window_extent() for patch in axes.patches]
    boxes = [(text.get_text(), text.get_window_extent()) for text in axes.texts]
    return [
        said
        for said, box in boxes
        if not any(t.x0 <= box.x0 and box.x1 <= t.x1 and t.y0 <= box.y0 and box.y1 <= t.y1 for t in tiles)
    ]


AREAS = [
    ["Greater Grand Crossing", "Washington Heights", "West Garfield Park", "Mount Greenwood"],
    [
        "Donaudampfschifffahrtsgesellschaft",
        "O",
        "Santa María de los Ángeles del Norte",
        "a b c d e f g h i j k l m n o p",
    ],
    ["Żoliborz Północny i Marymont", "*a* $x$ _b_ and more of it", "W" * 40, "i" * 80],
]


@pytest.mark.parametrize("names", AREAS)
@pytest.mark.parametrize("wide", [2, 4, 7, 12])
def test_a_name_longer_than_its_tile_stays_in_it(names: list[str], wide: int) -> None:
    rows = pd.DataFrame(
        {"group": "Pilot", "label": names, "n_event": [12345, 30, 35, None], "estimate": [0.6, 0.2, 0.2, None]}
    )
    spots = {name: (i % wide, i // wide) for i, name in enumerate(names)} | {"Far away East": (wide - 1, 3)}
    figure, alt = tiles_figure(rows, "Pilot", spots)
    assert inside(figure) == []
    assert clashes(figure) == []
    assert all(name in alt for name in names)  # whole, where a tile may have it cut


def test_the_demo_s_names_stand_as_large_as_they_can() -> None:
    rows = pd.DataFrame({"group": "Pilot", "label": list(FOUR), "n_event": 30, "estimate": 0.25})
    figure, _ = tiles_figure(rows, "Pilot", {name: (i, 0) for i, name in enumerate(FOUR)})
    sizes = {text.get_text(): text.get_fontsize() for text in figure.axes[0].texts}
    assert all(sizes[name] == 9 for name in FOUR)


@pytest.mark.parametrize("spots", [{"rogers_park": (0, 1)}, {"Rogers Park": (0, 1)}, {"Far South East Side": (3, 2)}])
def test_an_area_that_nobody_came_from_has_its_tile(spots: dict[str, tuple[int, int]]) -> None:
    rows = pd.DataFrame({"group": "Pilot", "label": list(FOUR), "n_event": 30, "estimate": 0.25})
    rows = pd.concat([rows, rows.assign(group="PAIP", label="Rogers Park")])  # the other group's people are not here
    where = {name: (i, 0) for i, name in enumerate(FOUR)} | spots
    figure, alt = tiles_figure(rows, "Pilot", where)
    name = in_words(next(iter(spots)))
    assert len(figure.axes[0].patches) == 5
    assert f"{name} none" in alt
    assert inside(figure) == []
    assert f"{name} not shown" in tiles_figure(rows, "Pilot", where, "not shown")[1]  # where zeros are withheld


@pytest.mark.parametrize(
    "names", [*AREAS, ["A source of referrals with a name that goes on and on and on, and on"] * 2]
)
def test_long_names_beside_bars_stand_clear(names: list[str]) -> None:
    labels = [f"{i} {name}" for i, name in enumerate(names)]
    rows = pd.DataFrame({"group": "Pilot", "label": labels, "n_event": 30, "estimate": 0.25})
    figure, alt = bars_figure(rows, "Pilot", "Share")
    assert clashes(figure) == []
    assert all(label in alt for label in labels)


def test_clashes_would_be_found() -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.plot([0, 0.4, 1], [0.5, 0.52, 0.52])
    axes.text(0.5, 0.52, "a name", va="center")
    axes.text(0.52, 0.52, "another", va="center")
    axes.text(0.99, 0.505, "a long name beyond the edge of the picture")
    said = clashes(figure)
    assert any("on a curve" in one for one in said)
    assert "'a name' on 'another'" in said
    assert any("beyond the edge" in one for one in said)


@pytest.mark.parametrize("seed", range(20))
def test_places_are_spread_in_order_within_bounds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(5, 15, 4)
    targets = np.sort(rng.uniform(0, 100, 4))
    placed = np.array(spread(list(targets), list(sizes), 0.0, 100.0))
    assert (np.diff(placed) >= (sizes[:-1] + sizes[1:]) / 2 - 1e-9).all()
    assert placed[0] - sizes[0] / 2 >= -1e-9
    assert placed[-1] + sizes[-1] / 2 <= 100 + 1e-9
    clear = (np.diff(targets) >= (sizes[:-1] + sizes[1:]) / 2).all()
    if clear and targets[0] >= sizes[0] / 2 and targets[-1] <= 100 - sizes[-1] / 2:
        assert np.allclose(placed, targets)


def test_days_of_a_table_are_in_order_when_one_group_lacks_the_first() -> None:
    shown = safe(people(SHORT, (300, 250), (400, 400), 11))
    rows = shown.landmark_rows()
    assert len(rows["time"].unique()) > 2
    late = rows[(rows["group"] != SHORT[0]) | (rows["time"] > rows["time"].min())]
    gone = SimpleNamespace(landmark_rows=lambda: late.sort_values(["group", "time"]), estimates=shown.estimates)
    nothing = SimpleNamespace(estimates=SimpleNamespace(tidy=lambda: pd.DataFrame(columns=["time", "estimate"])))
    told = [span(day) for day in sorted(rows["time"].unique())]
    table = difference_table(gone, nothing, SHORT).lower()
    places = [table.index(f">{day}<") for day in told]
    assert places == sorted(places)


def test_weeks_that_are_not_shown_are_not_bridged_and_a_week_alone_is_a_dot() -> None:
    weeks = [0, 3, 4, 5, 9]
    rows = pd.DataFrame({"group": SHORT[0], "time_from": [7 * w for w in weeks], "estimate": 1.0})
    figure, alt = weeks_figure(rows.assign(conf_low=0.8, conf_high=1.2), SHORT, "Mean attended sessions")
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata())]
    assert [[int(x) for x in line.get_xdata()] for line in lines[:3]] == [[1], [4, 5, 6], [10]]
    assert [line.get_marker() == "o" for line in lines[:3]] == [True, False, True]
    assert alt == f"{SHORT[0]}: 1.00 in week 1, 1.00 in week 10."
    _, alone = weeks_figure(rows.head(1).assign(conf_low=0.8, conf_high=1.2), SHORT, "Mean attended sessions")
    assert alone == f"{SHORT[0]}: 1.00 in week 1."


@pytest.mark.parametrize("depth", np.linspace(0, 1, 401))
def test_letters_can_be_read_on_a_tile_of_any_depth(depth: float) -> None:
    """4.5 to 1 (WCAG 2.2), by its formula written once more."""

    def light(colour: object) -> float:
        parts = np.array(to_rgb(colour))
        return float(
            np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        )

    dark, bright = sorted(light(colour) for colour in (_SCALE(depth), read_on(_SCALE(depth))))
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


def test_letters_are_the_ones_that_can_be_read() -> None:
    frame = pd.DataFrame(
        {"group": "Pilot", "label": list("ABC"), "n_event": [40, 27, 10], "estimate": [0.4, 0.27, 0.1]}
    )
    figure, _ = tiles_figure(frame, "Pilot", {name: (i, 0) for i, name in enumerate("ABC")})
    inks = {text.get_text(): text.get_color() for text in figure.axes[0].texts if text.get_text() in set("ABC")}
    assert inks == {"A": "white", "B": "black", "C": INK}


def test_the_shade_of_a_tile_is_its_share_of_the_largest() -> None:
    rows = pd.DataFrame(
        {"group": "Pilot", "label": list("ABCD"), "n_event": [40, 20, 0, None], "estimate": [0.4, 0.2, 0.0, None]}
    )
    figure, alt = tiles_figure(rows, "Pilot", {name: (i, 0) for i, name in enumerate("ABCD")})
    tiles = [(patch.get_facecolor(), patch.get_hatch()) for patch in figure.axes[0].patches]
    shades = [tuple(_SCALE(depth)) for depth in (1.0, 0.15 + 0.85 / 2, 0.15)]
    assert tiles == [*((shade, None) for shade in shades), ((1.0, 1.0, 1.0, 1.0), "////")]
    assert alt == "Pilot: A 40 people, 40%; B 20 people, 20%; C 0 people, 0%; D not shown."
    assert [text.get_color() for text in figure.axes[0].texts if text.get_text() in set("ABCD")] == [
        "white",
        INK,
        INK,
        INK,
    ]
