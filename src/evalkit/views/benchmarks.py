"""Shares of a study beside published ones."""

from __future__ import annotations

__all__ = ["benchmark_numbers", "benchmark_table"]

import pandas as pd

from evalkit.views._tables import Column, text, written
from evalkit.words import between, count, percent, translated, words

_LIMITS = ["estimate", "conf_low", "conf_high"]
_HERE = (
    text("group", "Group here"),
    # no difference: with its limits it would be read as one between people who can be compared
    Column("Here (95% CI)", lambda row: words("share.of", share=_here(row), n=count(row["n"]))),
)


def _published(row: pd.Series) -> str:
    """Write a published figure, and of whom it is, above this study's: beside each of them it took four lines."""
    value = f"{row['about']}{percent(row['baseline'], 0 if row['about'] else 1)}"
    label, whom = (translated(str(text)) for text in (row["label"], row["denominator"]))
    return words("published.of", label=label, value=value, whom=whom)


def _here(row: pd.Series) -> str:
    """Write this study's share with its limits."""
    return f"{percent(row['here'])} ({between(percent(row['here_low']), percent(row['here_high']))})"


def benchmark_table(rows: pd.DataFrame, note: str = "") -> str:
    """Return shares beside published ones as an HTML table.

    Parameters
    ----------
    rows : pandas.DataFrame
        From safe estimates: label, baseline, denominator, group, here, here_low, here_high, n.
    note : str
        A line below the table.

    Returns
    -------
    str
    """
    return written(rows, _HERE, note, rows.apply(_published, axis=1) if len(rows) else None)


def benchmark_numbers(rows: pd.DataFrame, marks: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return shares of this study and published ones, one number per row.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `benchmark_table` takes them.
    marks : pandas.DataFrame, optional
        Published values with their limits, as a figure draws them.

    Returns
    -------
    pandas.DataFrame
        label, group, measure (here, published), n, estimate, conf_low, conf_high.
    """
    here = rows.drop_duplicates(["group", "name"] if "name" in rows else "group")
    named = here.get("name", "This study")
    own = here.assign(label=named, measure="here", estimate=here["here"])
    own = own.assign(conf_low=here["here_low"], conf_high=here["here_high"])
    if marks is not None:
        parts = [own, marks.assign(group="published", measure="published")]
    else:
        published = rows.drop_duplicates("label").assign(group="published", measure="published")
        published = published.assign(estimate=published["baseline"], n=published.get("baseline_n"))
        # A table gives published figures as they were printed; only the figure computes limits for them.
        published[["conf_low", "conf_high"]] = float("nan")
        parts = [own, published]
    columns = ["label", "group", "measure", "n", *_LIMITS]
    return pd.concat([part.reindex(columns=columns) for part in parts], ignore_index=True)
