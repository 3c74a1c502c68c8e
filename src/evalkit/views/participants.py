"""Who the participants are: a line per level, a column per group, and the standardised difference."""

from __future__ import annotations

__all__ = ["baseline_table"]

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evalkit.disclosure import Safe
from evalkit.levels import in_sentence
from evalkit.views._tables import html_table
from evalkit.words import NOT_SHOWN, count, decimal, percent, translated, words


def baseline_table(shares: Safe, means: Safe, groups: Sequence[str], order: Sequence[str]) -> str:
    """Write baseline characteristics: a line per level, a column per group, and the standardised difference.

    Parameters
    ----------
    shares, means : Safe
        From `evalkit.analyses.baseline`.
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
                # Named below the table instead: a line of dashes takes a line's room and tells its name only.
                if set(cells) == {NOT_SHOWN}:
                    left.append(f"{translated(variable)}, {translated(in_sentence(name, str(variable)))}")
                    continue
                # The same in both groups, and missing in the one that is hidden.
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
    if pd.isna(row["estimate"]):
        return NOT_SHOWN
    return words("base.mean", mean=decimal(row["estimate"], 1), sd=decimal(row["std_dev"], 1))


def _share(row: pd.Series) -> str:
    return NOT_SHOWN if pd.isna(row["estimate"]) else f"{count(row['n_event'])}; {percent(row['estimate'])}"
