"""Levels that few people have, joined with others: a number of their own would speak of those few."""

from __future__ import annotations

__all__ = ["joined"]

from collections.abc import Callable, Sequence

import pandas as pd


def joined(
    values: pd.Series, weigh: Callable[[pd.Series], pd.Series], smallest: float, order: Sequence[str] = ()
) -> pd.Series:
    """Join the level of least weight with the one of the next least, until each weighs as much as asked or one is left.

    Parameters
    ----------
    values : pandas.Series
        Each person's level; missing ones stay missing.
    weigh : callable
        Takes each person's level and returns the weight of every level: how many people have it, or the fewest of them
        in any cell that will be counted.
    smallest : float
        Least weight of a level that stands alone.
    order : sequence of str
        Levels in their usual order; others come after them, in alphabetical order.

    Returns
    -------
    pandas.Series of category
        In that order, joined levels at the place of their first: named ``first or second``.

    Examples
    --------
    >>> sizes = lambda levels: levels.value_counts()
    >>> found = joined(pd.Series(["a"] * 9 + ["b"] + ["c"] * 2), sizes, 3)
    >>> found.value_counts().to_dict()
    {'a': 9, 'b or c': 3}
    """
    found = values.astype(object)
    found = found.where(found.isna(), found.astype(str))
    known = [*(level for level in order if (found == level).any()), *sorted(set(found.dropna()) - set(order))]
    place = {level: i for i, level in enumerate(known)}
    parts = {level: [level] for level in known}
    while len(parts) > 1:
        least = weigh(found).reindex(list(parts), fill_value=0).sort_values(kind="stable")
        if least.iloc[0] >= smallest:
            break
        pair = [str(least.index[0]), str(least.index[1])]
        both = sorted(parts.pop(pair[0]) + parts.pop(pair[1]), key=place.__getitem__)
        name = " or ".join(both)
        found, parts[name] = found.replace(dict.fromkeys(pair, name)), both
    in_order = sorted(parts, key=lambda name: place[parts[name][0]])
    return pd.Series(pd.Categorical(found, categories=in_order), index=values.index)
