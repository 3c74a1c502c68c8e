"""Tables of the final report's own analyses."""

from __future__ import annotations

__all__ = ["TABLES", "baseline_table"]

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from evalkit.disclosure import Safe
from evalkit.views._numbers import NOT_SHOWN, between, count, decimal, p_value, percent, points
from evalkit.views._tables import html_table
from evalkit.views._words import words


def baseline_table(shares: Safe, means: Safe, groups: Sequence[str], order: Sequence[str]) -> str:
    """Write baseline characteristics: a line per level, a column per group, and the standardised difference.

    Parameters
    ----------
    shares, means : Safe
        From `evalkit.engagement.baseline`.
    groups : sequence of str
    order : sequence of str
        Characteristics, in the order of the table.

    Returns
    -------
    str
    """
    lines: list[dict[str, str]] = []
    left: list[str] = []
    tables = [(means, _mean), (shares, _share)]
    for variable in order:
        for safe, write in tables:
            rows = safe.estimates.tidy()
            own = rows[rows["variable"] == variable] if "variable" in rows else rows.iloc[:0]
            for _, level in own.groupby("term", sort=False):
                by = level.set_index("group")
                cells = [write(_row(by, g)) if g in by.index else NOT_SHOWN for g in groups]
                name = str(level["label"].iloc[0])
                if set(cells) == {NOT_SHOWN}:
                    left.append(f"{variable}, {name.lower()}")
                    continue
                smd = decimal(level["smd"].dropna().iloc[0]) if level["smd"].notna().any() else NOT_SHOWN
                texts = {f"c{i}": text for i, text in enumerate(cells)}
                lines.append({"label": name, **texts, "smd": smd, "part": variable})
    sizes = _sizes(shares, groups)
    headings = {"label": "Characteristic", **{f"c{i}": f"{g}{sizes[i]}" for i, g in enumerate(groups)}}
    headings["smd"] = "Standardized difference"
    note = words("base.note")
    if left:
        note += " " + words("base.left", minimum=shares.policy.minimum_count, levels="; ".join(left))
    return html_table(
        pd.DataFrame(lines), headings, numbers=[n for n in headings if n != "label"], note=note, groups="part"
    )


def _row(by: pd.DataFrame, group: str) -> pd.Series:
    row: pd.Series = by.loc[[group]].iloc[0]
    return row


def _sizes(shares: Safe, groups: Sequence[str]) -> list[str]:
    rows = shares.estimates.tidy()
    if rows.empty:
        return [""] * len(groups)
    largest = rows.groupby("group")["n"].max()
    known = [largest.get(g, np.nan) for g in groups]
    return [f" (n\u00a0=\u00a0{count(n)})" if np.isfinite(n) else "" for n in known]


def _mean(row: pd.Series) -> str:
    return NOT_SHOWN if pd.isna(row["estimate"]) else f"{decimal(row['estimate'], 1)} ({decimal(row['std_dev'], 1)})"


def _share(row: pd.Series) -> str:
    return NOT_SHOWN if pd.isna(row["estimate"]) else f"{count(row['n_event'])} ({percent(row['estimate'])})"


def _effects(safe: Safe, note: str) -> str:
    rows = safe.estimates.tidy()
    texts = pd.DataFrame(
        {
            "label": rows["label"],
            "tau": rows["tau"].map(count),
            "value": rows["estimate"].map(points),
            "limits": [between(points(a), points(b)) for a, b in zip(rows["conf_low"], rows["conf_high"], strict=True)],
        }
    )
    headings = {"label": "Estimate", "tau": "By day", "value": "Difference, points", "limits": "95% CI"}
    said = words("effect.note", contrast=rows["contrast"].iloc[0], estimand=safe.estimates.estimand)
    return html_table(texts, headings, numbers=["tau", "value", "limits"], note=f"{said} {note}".strip())


def _e_value(safe: Safe, note: str) -> str:
    rows = safe.estimates.tidy()
    own = {"estimate": words("e.row.estimate"), "limit": words("e.row.limit")}
    part = ["What has to be explained" if t in own else "What measured characteristics could do" for t in rows["term"]]
    texts = pd.DataFrame(
        {
            "label": [own.get(t, label) for t, label in zip(rows["term"], rows["label"], strict=True)],
            "ratio": rows["estimate"].map(decimal),
            "e": rows["e_value"].map(decimal),
            "part": part,
        }
    )
    headings = {"label": "What", "ratio": "Ratio", "e": "E-value"}
    return html_table(
        texts, headings, numbers=["ratio", "e"], note=" ".join([*safe.estimates.notes, note]), groups="part"
    )


def _subgroups(safe: Safe, note: str) -> str:
    rows = safe.estimates.tidy()
    texts = pd.DataFrame(
        {
            "label": rows["label"],
            "value": rows["estimate"].map(partial(points, digits=0)),
            "limits": [
                between(points(a, 0), points(b, 0)) for a, b in zip(rows["conf_low"], rows["conf_high"], strict=True)
            ],
            "p": rows["p_value"].map(partial(p_value, coarse=True)).where(~rows["variable"].duplicated(), ""),
            "part": rows["variable"],
        }
    )
    headings = {"label": "People", "value": "Difference, points", "limits": "95% CI", "p": "p of interaction"}
    said = f"{words('sub.note')} {note}".strip()
    return html_table(texts, headings, numbers=["value", "limits", "p"], note=said, groups="part")


_MEASURES = {
    "least ratio": ("Hazard ratio above 1 that can be detected", decimal),
    "largest ratio": ("Hazard ratio below 1 that can be detected", decimal),
    "power": ("Probability of finding the ratio named below the table", percent),
    "events needed": ("Events needed to find it in four of five studies", count),
}


def _precision(safe: Safe, note: str) -> str:
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    lines = []
    for _, own in rows.groupby("term", sort=False):
        part = f"{own['label'].iloc[0]}: {count(own['n_event'].iloc[0])} events among {count(own['n'].iloc[0])} people"
        for _, row in own.iterrows():
            name, write = _MEASURES[str(row["measure"])]
            lines.append({"label": name, "value": write(row["estimate"]), "part": part})
    said = f"{safe.estimates.estimand[:1].upper()}{safe.estimates.estimand[1:]}. {words('prec.note')} {note}".strip()
    return html_table(
        pd.DataFrame(lines), {"label": "Measure", "value": "Value"}, numbers=["value"], note=said, groups="part"
    )


def _mean_count(safe: Safe, note: str) -> str:
    rows = safe.estimates.tidy().dropna(subset=["estimate"])
    texts = pd.DataFrame(
        {
            "label": rows["label"],
            "value": [decimal(100 * v, 1) for v in rows["estimate"]],
            "limits": [
                between(decimal(100 * a, 1), decimal(100 * b, 1))
                for a, b in zip(rows["conf_low"], rows["conf_high"], strict=True)
            ],
            "part": rows["group"],
        }
    )
    headings = {"label": "When", "value": "Per hundred people", "limits": "95% CI"}
    return html_table(texts, headings, numbers=["value", "limits"], note=note, groups="part")


TABLES: dict[str, Callable[[Safe, str], str]] = {
    "adjusted_effects": _effects,
    "sensitivity": _effects,
    "imputed": _effects,
    "e_value": _e_value,
    "subgroups": _subgroups,
    "precision": _precision,
    "mean_count": _mean_count,
}
"""By kind of analysis: how its rows are written."""
