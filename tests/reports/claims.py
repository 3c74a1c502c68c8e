"""Who is said to have what: each number in a sentence is held to a safe row of its group and of its role.

The sentences are found by their own templates, so that a message that is worded anew is found anew. A number under another
group's name, a limit in the estimate's place or a direction that the numbers do not bear out has no row, and is returned.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd

from evalkit.views import Gap
from evalkit.words import within
from evalkit.words._catalogue import messages


def rounded(value: float, digits: int = 0) -> str:
    """Write a number as readers round: a half goes away from zero."""
    exact = Decimal(str(round(float(value), digits + 9)))
    return str(exact.quantize(Decimal(10) ** -digits, ROUND_HALF_UP))


_NUMBER = r"(?:(?:under|over) )?[+−]?\d+(?:,\d{3})*(?:\.\d+)?%?"
_AMOUNT = r"no points apart|as many days|no fewer|no more|\d+ (?:(?:points?|days?) )?(?:lower|higher|fewer|more)"
_WORD = r"clearly higher|clearly lower|difference unclear(?: by then)?"
_CAUSES = {"disengaged": "disengagement", "completed": "completion", "attended a first session": "first session"}
_LIMITS = {"low": "conf_low", "high": "conf_high"}
_WITH_LIMITS = {"share": "estimate", **_LIMITS}
_FROM_TO = {
    f"{side}.{kind}" for side in ("gap", "change", "rmst.gap", "effect") for kind in ("none", "higher", "lower")
} | {
    "effect.unclear",
    *(f"find.changed.{step}.{way}" for step in ("engaged", "completed") for way in ("higher", "lower")),
}
_UNCHANGED = ("find.changed.engaged.none", "find.changed.completed.none")


@dataclass(frozen=True)
class Spec:
    """Which column of a row each place of a message holds, and which items stand in its list."""

    roles: Mapping[str, str]
    where: Mapping[str, str] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    listed: str = ""


_SHARES = ("group.share.of", "group.share.limits", "group.share")
_WHEN = {"when": "time"}
_DAYS = {"three months": (90, 91), "six months": (182, 183), "nine months": (270,), "one year": (365,)}


def _months(days: int) -> str:
    return next((said for said, known in _DAYS.items() if days in known), "")


def _told(label: str) -> str:
    """Name the length of time of a step as readers are told it: its rule's days are told as they are."""
    return re.sub(r"(?<=within )(\d+) days(?=$|,)", lambda day: _months(int(day[1])) or day[0], label)


_STATES = ("completed", "active", "returned", "waiting", "lapsed", "left")
SPECS: dict[str, Spec] = {
    # items of lists
    "group.share.of": Spec({**_WITH_LIMITS, "x": "n_event", "people": "n"}),
    "group.share.limits": Spec(_WITH_LIMITS),
    "group.share": Spec({"share": "estimate"}),
    "count.value": Spec({"value": "estimate", **_LIMITS}),
    "alt.day": Spec({"share": "estimate", **_WHEN}),
    "alt.value": Spec({"value": "estimate"}),
    "alt.trend.value": Spec({"share": "estimate", "period": "period"}),
    "pref.value": Spec({"share": "estimate", "low": "score_from", "high": "score_to"}),
    "count.alt.one": Spec({"value": "estimate", **_WHEN}),
    "head.trend.one": Spec(_WITH_LIMITS),
    "path.alt.one": Spec({"share": "estimate", "state": "state"}),
    "days.one": Spec({"days": "estimate", **_LIMITS, "state": "state"}),
    **{f"path.in.{state}": Spec({"n": "estimate"}, {"state": state}) for state in _STATES},
    # sentences with lists
    "path.said": Spec(_WHEN, items=tuple(f"path.in.{state}" for state in _STATES), listed="values"),
    "path.from": Spec(_WHEN, items=tuple(f"path.in.{state}" for state in _STATES), listed="values"),
    "path.alt": Spec(_WHEN, items=("path.alt.one",), listed="values"),
    "head.path": Spec({**_WHEN, "state": "state"}, items=_SHARES, listed="shares"),
    "days.said": Spec({"tau": "tau"}, items=("days.one",), listed="values"),
    "curve.day": Spec(_WHEN, items=_SHARES, listed="shares"),
    "cif.day": Spec({**_WHEN, "cause": "cause"}, items=_SHARES, listed="shares"),
    "each": Spec({"label": "label"}, items=_SHARES, listed="shares"),
    "limit.missing": Spec({}, items=_SHARES, listed="shares"),
    **dict.fromkeys(_UNCHANGED, Spec({})),
    "find.changed.few": Spec({}, items=_UNCHANGED, listed="shares"),
    "find.changed.none": Spec({}, items=(*_UNCHANGED, "find.changed.few"), listed="shares"),
    "find.changed.none.harm": Spec({}, items=(*_UNCHANGED, "find.changed.few"), listed="shares"),
    "count.day": Spec(_WHEN, items=("count.value",), listed="values"),
    "head.count": Spec(_WHEN, items=("count.value",), listed="values"),
    "head.shares": Spec({"label": "label"}, items=_SHARES, listed="shares"),
    "head.curve": Spec(_WHEN, items=_SHARES, listed="shares"),
    "head.curve.one": Spec(_WHEN, items=_SHARES, listed="shares"),
    "head.cif": Spec({**_WHEN, "cause": "cause"}, items=_SHARES, listed="shares"),
    "head.cif.one": Spec({**_WHEN, "cause": "cause"}, items=_SHARES, listed="shares"),
    "head.published": Spec({}, items=_SHARES, listed="shares"),
    "head.published.completion": Spec({}, items=_SHARES, listed="shares"),
    "head.trend": Spec({}, items=("head.trend.one",), listed="measures"),
    "alt.curve": Spec({"event": "cause"}, items=("alt.day",), listed="values"),
    "alt.values": Spec({}, items=("alt.value",), listed="values"),
    "alt.trend": Spec({"label": "label"}, items=("alt.trend.value",), listed="values"),
    "pref.alt": Spec({}, items=("pref.value",), listed="values"),
    "count.alt": Spec({}, items=("count.alt.one",), listed="values"),
    "quantile.said": Spec({}, items=("quantile.one", "quantile.open", "quantile.none"), listed="values"),
    "quantile.one": Spec({"share": "q", "day": "estimate", "low": "conf_low", "high": "conf_high"}),
    "quantile.open": Spec({"share": "q", "day": "estimate", "low": "conf_low"}),
    "quantile.none": Spec({"share": "q"}),
    # sentences
    "head.weeks": Spec({"first": "estimate", "from_week": "time_from"}),
    "head.weeks.one": Spec({"first": "estimate", "from_week": "time_from"}),
    "alt.week.one": Spec({"first": "estimate", "from_week": "time_from"}),
    "head.tiles.all": Spec({"n": "n_event", "level": "label"}),
    "alt.week": Spec({"first": "estimate", "from_week": "time_from"}),
    "head.tiles.one": Spec({"share": "estimate", "n": "n_event", "level": "label"}),
    "head.reach.one": Spec({"share": "estimate", "level": "label"}),
    "head.tiles.near": Spec({"low": "estimate"}),
    "head.reach.near": Spec({"low": "estimate"}),
    "head.across.range": Spec({"low": "estimate", "low_label": "label"}),
    "head.across.same": Spec({"low": "estimate", "low_label": "label"}),
    "base.one": Spec({"one": "estimate", "smd": "smd"}),
    "gate.sample.pass": Spec({"own": "n_effective_focus", "others": "n_effective_comparison"}),
    "gate.sample.fail": Spec({"own": "n_effective_focus", "others": "n_effective_comparison"}),
    "end.none": Spec({**_LIMITS, "when": "tau"}, {"method": "iptw"}),
    "end.mixed": Spec({**_LIMITS, "when": "tau"}, {"method": "iptw"}),
    "end.higher": Spec({**_LIMITS, "when": "tau"}, {"method": "iptw"}),
    "end.lower": Spec({**_LIMITS, "when": "tau"}, {"method": "iptw"}),
    **{key: Spec({}) for key in sorted(_FROM_TO)},
}  # fmt: skip
_SECOND = {  # what else a sentence says of the same group, or of the other one
    "head.weeks": {"last": "estimate", "to_week": "time_from"}, "alt.week": {"last": "estimate", "to_week": "time_from"},
    "head.tiles.near": {"high": "estimate"}, "head.reach.near": {"high": "estimate"},
    "head.across.range": {"high": "estimate", "high_label": "label"},
    "head.across.same": {"high": "estimate", "high_label": "label"},
    "base.one": {"two": "estimate", "smd": "smd"}, "head.trend.one": {"share": "estimate"},
}  # fmt: skip
_ITEMS = {item for spec in SPECS.values() for item in spec.items}


@dataclass(frozen=True)
class Claims:
    """The claims of a text, held to safe rows.

    Attributes
    ----------
    rows : pandas.DataFrame
        Every safe row behind the text.
    gaps : sequence of Gap
        Differences that may be told.
    groups : (str, str)
        The focus, the comparison.
    """

    rows: pd.DataFrame
    gaps: Sequence[Gap]
    groups: tuple[str, str]

    def wrong(self, text: str) -> list[str]:
        """Return what is said of a group and is in no safe row, and numbers beside a group's name that nothing explains."""
        found, covered = [], np.zeros(len(text), dtype=bool)
        latest: dict[str, float] = {}
        row: pd.Series | None = None
        for key, match in self._sentences(text):
            covered[match.start() : match.end()] = True
            for places, item in ((self._named(found), item) for found, item in self._claims(key, match)):
                if item in _FROM_TO or item in _UNCHANGED:
                    right = self._differs(item, places, latest, row)
                else:
                    held = self._row(item, places, row)
                    right, row = held is not None, row if held is None else held
                    right = right and self._second(item, places, held)
                    if "group" in places and (share := _percent(places)) is not None:
                        latest = {**latest, places["group"]: share}
                if not right:
                    found.append(f"{item}: {match[0]}")
            if (word := match.groupdict().get("gap", "")) in {"clearly higher", "clearly lower"}:
                one, two = (latest.get(group, np.nan) for group in self.groups)
                if not (one >= two if word == "clearly higher" else one <= two):
                    found.append(f"{key}: {match[0]}")
        return found + self._uncovered(text, covered)

    def _sentences(self, text: str) -> list[tuple[str, re.Match[str]]]:
        """Return the messages in a text in their order; where two fit, the longer one."""
        hits = [(m.start(), -m.end(), key, m) for key in self._likely(text) for m in self._pattern(key).finditer(text)]
        taken, end = [], -1
        for start, stop, key, match in sorted(hits, key=lambda hit: hit[:3]):
            if start >= end:
                taken.append((key, match))
                end = -stop
        return taken

    def _likely(self, text: str) -> list[str]:
        """Return the messages of which every word between the places stands in a text."""
        parsed = {key: string.Formatter().parse(messages("en")[key]) for key in SPECS}
        words = {key: [one[i == 0 :] for i, (one, *_) in enumerate(parts)] for key, parts in parsed.items()}
        return [key for key in SPECS if key not in _ITEMS and all(literal in text for literal in words[key])]

    def _claims(self, key: str, match: re.Match[str]) -> Iterator[tuple[dict[str, str], str]]:
        spec, context = SPECS[key], {k: v for k, v in match.groupdict().items() if v is not None}
        if not spec.items:
            yield context, key
            return
        about = {place: context[place] for place in ("group", "within", *spec.roles) if place in context}
        rest, at = context[spec.listed], 0
        while at < len(rest):
            fits = [(m, item) for item in spec.items if (m := self._pattern(item).match(rest, at))]
            if fits:
                longest, item = max(fits, key=lambda fit: fit[0].end())
                inner = self._claims(item, longest) if SPECS[item].items else [(longest.groupdict(), item)]
                yield from (({**about, **places, "_key": key}, one) for places, one in inner)
                at = longest.end()
            else:
                at += 1

    def _named(self, places: Mapping[str, str]) -> dict[str, str]:
        """Put the labels of groups in the place of what sentences call them."""
        labels = {within(label): label for label in self._words("group")}
        return {
            ("group" if place == "within" else place): labels[said] if place in {"within", "other"} else said
            for place, said in places.items()
        }

    def _row(self, key: str, places: Mapping[str, str], before: pd.Series | None) -> pd.Series | None:
        """Return a safe row that bears a claim out."""
        outer = SPECS[places["_key"]] if "_key" in places else Spec({})
        roles = {**outer.roles, **SPECS[key].roles}
        wanted = {column: places[place] for place, column in roles.items() if place in places}
        about = dict(SPECS[key].where)
        if "group" in places and key.partition(".")[0] not in {"gate", "end"}:
            about["group"] = places["group"]
        if key == "find.reach.new":
            about["group"] = self.groups[0]
        if key == "find.reach.small":
            return pd.Series(dtype=object) if places["group"] == self.groups[0] else None
        if key in {"find.staying.none", "find.harm.none"}:  # what is said of the other group is of that day
            cause = _CAUSES.get(places.get("event", ""), places.get("event", "disengagement"))
            right = places["group"] == self.groups[0]
            return pd.Series({"time": float(places["wanted"]), "cause": cause}) if right else None
        if key.startswith("end.") and "group" in places and places["group"] != self.groups[0]:
            return None
        if key.startswith("gate.") and (places["group"], places["other"]) != self.groups:
            return None
        if key == "alt.value":
            return next(
                (
                    r
                    for r in self._of(about)
                    if self._labelled(r, places["label"]) and fits(places["value"], r["estimate"])
                ),
                None,
            )
        if "low" in wanted and "label" in wanted:
            wanted.pop("low")
        for row in self._of(about):
            if key == "find.other" and before is not None and not _alike(row, before):
                continue
            if all(self._says(row, column, said) for column, said in wanted.items()):
                sides = {"end.higher": row.get("conf_low", 0) > 0, "end.lower": row.get("conf_high", 0) < 0}
                return row if sides.get(key, True) else None
        return None

    def _of(self, about: Mapping[str, str]) -> Iterator[pd.Series]:
        rows = self.rows
        for column, value in about.items():
            rows = rows[rows[column].astype(str) == value] if column in rows else rows.iloc[:0]
        return (row for _, row in rows.iterrows())

    def _says(self, row: pd.Series, column: str, said: str) -> bool:
        if column not in row or pd.isna(row[column]):
            return column == "cause" and not ({*self.rows.get("cause", pd.Series(dtype=object)).dropna()})
        if re.fullmatch(_AMOUNT, said):  # as people of every hundred
            return abs(_amount(said) - 100 * float(row[column])) <= 0.501
        if said in _DAYS:
            return float(row[column]) in _DAYS[said]
        if said.startswith("day "):
            return fits(said.removeprefix("day "), float(row[column]))
        if column == "cause":
            return row["cause"] == _CAUSES.get(said, said)
        if column == "state":
            return messages("en")[f"state.{row['state']}"] == said
        if column == "label":
            return self._labelled(row, said)
        if column == "period":
            return str(row["period"]) == said
        if column == "time_from":
            return said == f"{row[column] / 7 + 1:.0f}"
        return fits(said, float(row[column]))

    def _labelled(self, row: pd.Series, said: str) -> bool:
        known = [_told(row[name]) for name in ("label", "term") if isinstance(row.get(name), str)]
        return any(said.lower() == one.partition("\n")[0].lower() for one in known) or said.lower().startswith(
            ("this study", "dose reached within")
        )

    def _second(self, key: str, places: Mapping[str, str], first: pd.Series | None) -> bool:
        """Whether what else is said of the group, or of the other one, has its row too."""
        if key not in _SECOND:
            return True
        about = {"group": places["other"] if key == "base.one" else places["group"]}
        if key == "base.one" and (places["group"], places["other"]) != self.groups:
            return False
        wanted = {column: places[place] for place, column in _SECOND[key].items()}
        if key == "head.trend.one":
            return self._trend(places)
        return any(all(self._says(row, c, said) for c, said in wanted.items())
                   and (key != "base.one" or first is None or row["term"] == first["term"]) for row in self._of(about))  # fmt: skip

    def _trend(self, places: Mapping[str, str]) -> bool:
        """Whether the share is that of the last quarter."""
        last = str(self.rows["period"].dropna().iloc[-1])
        own = [r for r in self._of({"group": places["group"]}) if self._labelled(r, places["label"])]
        share = {str(r["period"]): float(r["estimate"]) for r in own}
        return fits(places["share"], share.get(last, np.nan))

    def _differs(self, key: str, places: Mapping[str, str], latest: Mapping[str, float], row: pd.Series | None) -> bool:
        """Whether a difference in words is one that may be told, of the focus, and goes with the shares before it."""
        kind, _, direction = key.rpartition(".")
        direction = "none" if direction == "unclear" else direction
        if (
            places.get("group", self.groups[0]) != self.groups[0]
            or places.get("other", self.groups[1]) != self.groups[1]
        ):
            return False
        if kind == "gap":
            shares = [latest.get(group, np.nan) for group in self.groups]
            near = [g for g in self.gaps if abs(100 * g.estimate - (shares[0] - shares[1])) <= 1.01]
            return any(_ends(g.low, g.high, 100, places, direction) for g in near)
        if kind == "change":
            own = [
                r
                for r in self._of({"group": self.groups[0]})
                if fits(places["before"], float(r.get("baseline", np.nan)))
            ]
            moved = latest.get(self.groups[0], np.nan) - float(_plain(places["before"]))
            own = [r for r in own if abs(100 * r["estimate"] - moved) <= 1.01]
            return any(_ends(r["conf_low"], r["conf_high"], 100, places, direction) for r in own)
        if kind.startswith("find.changed"):
            own = [r for r in self._of({"group": self.groups[0]}) if pd.notna(r.get("baseline"))]
            if direction == "none":
                places = {"low": f"{places['low']} fewer", "high": f"{places['high']} more"}
            else:
                own = [r for r in own if fits(places["share"], float(r["baseline"]))]
            return any(_ends(r["conf_low"], r["conf_high"], 100, places, direction) for r in own)
        about = {"measure": "rmst_difference"} if kind == "rmst.gap" else {}
        own = [r for r in self._of(about) if kind == "rmst.gap" or self._labelled(r, places["label"])]
        own = [
            r for r in own if kind != "rmst.gap" or places["tau"] in {_months(int(r["tau"])), f"{r['tau']:.0f} days"}
        ]
        return any(
            _ends(r["conf_low"], r["conf_high"], 1 if kind == "rmst.gap" else 100, places, direction) for r in own
        )

    def _uncovered(self, text: str, covered: np.ndarray) -> list[str]:
        """Return sentences with a group's name and a number that no message explains."""
        left, start = [], 0
        for sentence in re.split(r"(?<=[.;])\s|\n|\|", text):
            start = text.index(sentence, start)
            bare = re.sub("|".join(map(re.escape, self._words("label"))) or "$^", " ", sentence)
            outside = "".join(
                c for c, done in zip(sentence, covered[start : start + len(sentence)], strict=True) if not done
            )
            bare = (
                " ".join(part for part in [outside] if part) if covered[start : start + len(sentence)].any() else bare
            )
            if any(name in bare for g in self.groups for name in (g, within(g))) and re.search(
                r"(?<!@)\d", re.sub(r"95%", "", bare)
            ):
                left.append(f"unexplained: {sentence}")
        return left

    def _pattern(self, key: str) -> re.Pattern[str]:
        parts, seen = [], set()
        for literal, place, _, _ in string.Formatter().parse(messages("en")[key]):
            small = literal[:1].lower() if not parts and key in _FROM_TO else ""  # as it stands inside another sentence
            parts.append(f"[{literal[0]}{small}]{re.escape(literal[1:])}" if small.isalpha() else re.escape(literal))
            if place:
                parts.append(f"(?P={place})" if place in seen else f"(?P<{place}>{self._domain(key, place)})")
                seen.add(place)
        whole = "".join(parts)
        return re.compile(f"{whole[:-2]}[.;]" if key in _FROM_TO and whole.endswith(r"\.") else whole)

    def _domain(self, key: str, place: str) -> str:
        if place == "group":
            return "|".join(map(re.escape, self._words("group")))
        if place in {"within", "other"}:
            return "|".join(re.escape(within(label)) for label in self._words("group"))
        if place in {"label", "low_label", "high_label"} or (place == "level" and key.endswith((".one", ".all"))):
            return (
                "|".join(
                    [
                        "[Tt]his study, nearest to published",
                        "[Tt]his study",
                        r"dose reached within \d+ days of the first session",
                        *map(re.escape, self._words("label")),
                    ]
                )
                or "$^"
            )
        if place == "gap" and key.startswith("head."):
            return _WORD
        if place in {"low", "high"} and key.endswith((".none", ".unclear")) and (key in _FROM_TO or key == "end.none"):
            return _AMOUNT
        if place == SPECS[key].listed:
            items = "|".join(re.sub(r"\?P<\w+>", "?:", self._pattern(item).pattern) for item in SPECS[key].items)
            items += r"|[^;:|.\d]+? none" if key == "alt.values" else ""  # places that nobody came from are in no row
            return f"(?:{items})(?:(?:, | and |; |, and )(?:{items}))*"
        if place == "when" and key.startswith("find.changed"):
            return "a quarter ago|a year ago"
        if place == "tau" and key.startswith("rmst.gap"):
            return "|".join([r"\d+ days", *_DAYS])
        if place == "when":
            return "|".join([r"day \d+(?:,\d{3})*", *_DAYS])
        if place == "people":
            return r"\d[\d,]* people|1 person|no people"
        if place == "value" and key == "alt.value":
            return rf"[\d,]+ people, {_NUMBER}|{_NUMBER}(?:, [\d,]+ people)?|not shown"
        if place in {"one", "two"}:
            return rf"(?:mean )?{_NUMBER}"
        if place == "share" and key == "pref.value":
            return rf"{_NUMBER}|not shown"
        if place == "period":
            return r"\S+?(?=[,.])"
        if place == "level" and key.endswith(".near"):
            return r"[^:|]+?"
        if place == "why":
            return r"[^.|]+\."
        if place == "state":
            return "|".join(messages("en")[f"state.{state}"] for state in (*_STATES, "other"))
        if place in {"cause", "event", "name", "start", "whom", "measure", "origin"}:
            return r"[^.|:]+?"
        return _NUMBER

    def _words(self, column: str) -> list[str]:
        known = set(self.groups) if column == "group" else set()
        for name in ("label", "term") if column == "label" else (column,):
            if name in self.rows:
                known |= {_told(v) for v in self.rows[name].dropna() if isinstance(v, str) and v}
        if column == "label":
            known |= {one.partition("\n")[0].lower() for one in known}
        return sorted(known, key=len, reverse=True)


def swapped(text: str, groups: tuple[str, str]) -> str:
    """Give each group the other one's name, as a label and inside sentences."""
    one, other = groups
    names = {one: other, other: one, within(one): within(other), within(other): within(one)}
    longest = sorted(names, key=len, reverse=True)  # 'in PAIP' is looked for before 'PAIP'
    return re.sub("|".join(map(re.escape, longest)), lambda m: names[m[0]], text)


def fits(said: str, value: float) -> bool:
    """Whether a number as it is written is that value: a share, a count, a difference in points, a mean, per hundred.

    Parameters
    ----------
    said : str
    value : float

    Returns
    -------
    bool
    """
    if not np.isfinite(value):
        return said == "not shown"
    if "people" in said and "%" in said:  # '30%, 60 people', '60 people, 30%'
        said = next(part for part in re.findall(_NUMBER, said) if part.endswith("%"))
    said = said.removeprefix("mean ").removesuffix(" people").removesuffix(" person")
    if said == "under 1%":
        return 0 < value < 0.0051
    if said == "over 99%":
        return 0.9949 < value < 1
    plain = _plain(said)
    ways = {rounded(100 * value), rounded(100 * value, 1)} if said.endswith("%") else {
        form.format(float(rounded(v, digits))).replace("-", "−")
        for v in (value, 100 * value) for form, digits in (("{:,.0f}", 0), ("{:.1f}", 1), ("{:.2f}", 2), ("{:+.1f}", 1))
    }  # fmt: skip
    ways |= {way.removeprefix("−") for way in ways if not way.strip("−0.")} | (
        {f"{5 * round(value / 5):,}"} if value > 20 else set()
    )
    return plain in {way.removeprefix("+") for way in ways} or said in ways


def _plain(said: str) -> str:
    return said.removeprefix("under ").removeprefix("over ").removeprefix("+").removesuffix("%")


def _percent(places: Mapping[str, str]) -> float | None:
    said = places.get("share", "")
    return None if not said.endswith("%") else float(_plain(said))


def _alike(row: pd.Series, before: pd.Series) -> bool:
    """Whether two rows are of the same step, cause and day."""
    known = [name for name in ("term", "cause", "time") if pd.notna(row.get(name)) and pd.notna(before.get(name))]
    return bool(known) and all(str(row[name]) == str(before[name]) for name in known)


def _ends(low: Any, high: Any, scale: float, places: Mapping[str, str], direction: str) -> bool:
    """Whether both limits are as they are said, and on the side that is said."""
    low, high = scale * float(low), scale * float(high)
    if direction == "none":
        return low <= 0 <= high and all(_amount(places[name]) == round(v) or abs(_amount(places[name]) - v) <= 0.501
                                        for name, v in (("low", low), ("high", high)))  # fmt: skip
    if not (low > 0 if direction == "higher" else high < 0):
        return False
    sizes = sorted((abs(low), abs(high)))
    return all(abs(float(places[name].replace(",", "")) - size) <= (0.501 if size >= 1 else 0.0501)
               for name, size in zip(("low", "high"), sizes, strict=True))  # fmt: skip


def _amount(said: str) -> float:
    if said.startswith("no ") or said.startswith("as many"):
        return 0.0
    size = float(said.split(maxsplit=1)[0])
    return -size if said.endswith(("lower", "fewer")) else size


_SHARE_CELL = re.compile(r"(\d+)% \((\d+)% to (\d+)%\)(?:; ([\d,]+) of ([\d,]+))?")


def under_another_name(cells: Sequence[Sequence[str]], rows: pd.DataFrame, groups: Sequence[str]) -> list[str]:
    """Return the shares of a table that stand in the column, or the line, of a group that has no such row.

    Parameters
    ----------
    cells : sequence of sequence of str
        The texts of the table, the headings first.
    rows : pandas.DataFrame
    groups : sequence of str

    Returns
    -------
    list of str
    """
    named = ["group", "estimate", "conf_low", "conf_high"]
    known = {
        (str(row["group"]), *(rounded(100 * row[name]) for name in ("estimate", "conf_low", "conf_high")))
        for row in rows.reindex(columns=named).dropna().to_dict("records")
    }
    wrong, heads = [], cells[0] if cells else []
    for line in cells[1:]:
        named = next((cell for cell in line if cell in groups), "")
        for head, cell in zip(heads, line, strict=False):
            owner = named or next((g for g in groups if head == g or head.startswith(f"{g} (")), "")
            found = _SHARE_CELL.findall(cell) if owner else []
            wrong += [f"{owner}: {cell}" for share in found if (owner, *share[:3]) not in known]
    return wrong
