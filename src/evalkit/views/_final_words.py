"""Sentences and headlines of the final report's own analyses."""

from __future__ import annotations

__all__ = ["HEADS", "WRITERS"]

from collections.abc import Callable, Sequence

import pandas as pd

from evalkit.disclosure import Safe
from evalkit.views._gap import Gap, Gaps, relation
from evalkit.views._numbers import count, decimal, percent, points
from evalkit.views._words import listed, words

Writer = Callable[[Safe, Sequence[str], str, Gaps], str]


def gap_of(row: pd.Series) -> Gap:
    """Return a row's estimate with its limits."""
    return Gap(float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]))


def answer_of(row: pd.Series) -> str:
    """Return in words what a row says: no clear difference, clearly higher, clearly lower."""
    return words(f"gap.word.{gap_of(row).direction}")


def _limits(row: pd.Series) -> dict[str, str]:
    return {"value": points(row["estimate"]), "low": points(row["conf_low"]), "high": points(row["conf_high"])}


def _range(rows: pd.DataFrame) -> dict[str, str]:
    return {"low": points(rows["estimate"].min()), "high": points(rows["estimate"].max())}


def _sensitivity(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001 - one signature
    rows = safe.estimates.tidy()
    main, others = rows.iloc[0], rows.iloc[1:]
    if others.empty:
        return words("sens.none")
    answer = answer_of(main)
    names = [str(row["label"]) for _, row in others.iterrows() if answer_of(row) != answer]
    if not names:
        key = "sens.same.none" if gap_of(main).direction == "none" else "sens.same"
        return words(key, answer=answer, **_range(rows))
    return words("sens.differ", answer=answer, names="; ".join(names), **_range(rows))


def _imputed(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy()
    if len(rows) < 2:
        return words("imputed.none")
    before, after = rows.iloc[0], rows.iloc[1]
    ends = {f"before{k}": v for k, v in (("", points(before["estimate"])), ("_low", points(before["conf_low"])))}
    said = words("imputed.said", **ends, before_high=points(before["conf_high"]), **_limits(after))
    return f"{said} {words('imputed.same' if answer_of(before) == answer_of(after) else 'imputed.other')}"


def _e_value(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy().set_index("term")
    strength, ratios = rows["e_value"].astype(float), rows["estimate"].astype(float)
    value, limit = strength["estimate"], strength["limit"]
    ratio, name = decimal(ratios["estimate"]), event or words("sens.clear")
    key = "e.holds" if limit <= 1 else "e.clear"
    low, high = (decimal(rows[end].astype(float)["estimate"]) for end in ("conf_low", "conf_high"))
    said = [words(key, event=name, ratio=ratio, low=low, high=high, value=decimal(value), limit=decimal(limit))]
    measured = rows.drop(index=["estimate", "limit"])
    if len(measured):
        best = measured.sort_values("e_value", kind="stable").iloc[-1]
        said.append(words("e.strongest", value=decimal(best["e_value"]), name=best["label"]))
        if limit > 1 and float(best["e_value"]) >= limit:
            said.append(words("e.fragile"))
        elif limit <= 1 and float(best["e_value"]) >= value:
            said.append(words("e.enough"))
    return " ".join(said)


def _subgroups(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy().dropna(subset=["p_value"]).drop_duplicates("variable")
    notes = " ".join(safe.estimates.notes)
    if rows.empty:
        return f"{words('sub.none')} {notes}".strip()
    telling = rows[rows["p_value"] < 0.05]
    n = count(len(rows))
    if telling.empty:
        least = rows.sort_values("p_value", kind="stable").iloc[0]
        said = words("sub.quiet", n=n, p=relation(least["p_value"], coarse=True), name=least["variable"])
    else:
        found = zip(telling["variable"], telling["p_value"], strict=True)
        names = [words("sub.some.one", name=name, p=relation(p, coarse=True)) for name, p in found]
        said = words("sub.some", n=n, names=listed(names))
    return f"{said} {notes}".strip()


def common_count_day(rows: pd.DataFrame, groups: Sequence[str]) -> float:
    """Return the last day that both groups, or the one that is shown, have a mean count of."""
    days = [set(rows.loc[rows["group"] == g, "time"]) for g in groups if (rows["group"] == g).any()]
    shared = set.intersection(*days) if days else set()
    return float(max(shared)) if shared else float("nan")


def _counts(safe: Safe, groups: Sequence[str]) -> tuple[float, str]:
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    day = common_count_day(rows, groups)
    own = {str(row["group"]): row for _, row in rows[rows["time"] == day].iterrows()}
    said = [words("count.value", group=g, **per_hundred(own[g])) for g in groups if g in own]
    return day, listed(said)


def per_hundred(row: pd.Series) -> dict[str, str]:
    """Write a mean count with its limits, for a hundred people."""
    names = {"value": "estimate", "low": "conf_low", "high": "conf_high"}
    return {name: decimal(100 * float(row[column]), 0) for name, column in names.items()}


def _mean_count(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001 - one signature
    day, said = _counts(safe, groups)
    if not said:
        return words("count.none")
    gap = gaps.get("")
    told = [words("count.day", day=int(day), values=said)]
    return " ".join([*told, words(f"count.gap.{gap.direction}", group=groups[0])] if gap else told)


def _precision(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows, parts = safe.estimates.tidy().dropna(subset=["estimate"]), []
    for _, own in rows.groupby("term", sort=False):
        value = own.set_index("measure")["estimate"]
        first = own.iloc[0]
        sizes = {"events": count(first["n_event"]), "n": count(first["n"]), "needed": count(value["events needed"])}
        ratios = {"least": decimal(value["least ratio"]), "largest": decimal(value["largest ratio"])}
        ratio, power = decimal(first["hazard_ratio"], 1), percent(value["power"])
        parts.append(words("prec.said", label=first["label"], ratio=ratio, power=power, **sizes, **ratios))
    return " ".join(parts) or words("prec.none")


def _head_sensitivity(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    return words("head.sens", **_range(safe.estimates.tidy()))


def _head_imputed(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy()
    return words("head.imputed", before=points(rows["estimate"].iloc[0]), **_limits(rows.iloc[-1]))


def _head_e(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    rows = safe.estimates.tidy().set_index("term")["e_value"]
    measured = rows.drop(["estimate", "limit"])
    if measured.empty:
        return ""
    return words("head.e", value=decimal(rows["estimate"]), strongest=decimal(measured.max()))


def _head_subgroups(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    row = safe.estimates.tidy().iloc[0]
    return words("head.sub", **{k: points(row[c], 0) for k, c in _ENDS.items()})


_ENDS = {"value": "estimate", "low": "conf_low", "high": "conf_high"}


def _head_count(safe: Safe, groups: Sequence[str], event: str, gaps: Gaps) -> str:  # noqa: ARG001
    day, said = _counts(safe, groups)
    return words("head.count", day=int(day), values=said) if said else ""


WRITERS: dict[str, Writer] = {
    "sensitivity": _sensitivity,
    "imputed": _imputed,
    "e_value": _e_value,
    "subgroups": _subgroups,
    "mean_count": _mean_count,
    "precision": _precision,
}
HEADS: dict[str, Writer] = {
    "sensitivity": _head_sensitivity,
    "imputed": _head_imputed,
    "e_value": _head_e,
    "subgroups": _head_subgroups,
    "mean_count": _head_count,
}
