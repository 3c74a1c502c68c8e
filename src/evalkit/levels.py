"""Levels of a characteristic: in words, and joined where few people have one (a number would speak of those few)."""

from __future__ import annotations

__all__ = ["fewest", "in_sentence", "in_words", "joined", "outcome_in_words"]

import re
from collections.abc import Sequence

import pandas as pd

_OUTCOMES = {"order_violation": "broken protection order", "survivor_reported_harm": "survivor-reported harm"}
_PLACES = frozenset({"Community area", "Site"})  # their levels are names
_BETWEEN = re.compile(r"(?<=[^\W_])_(?=[^\W_])")  # of a code word; elsewhere it is part of a name


def fewest(levels: pd.Series, *by: pd.Series) -> pd.Series:
    """Count the people of each level in every cell of other characteristics, and return the fewest by level.

    People whose level is missing are not counted; of what is true or false both are cells, and an empty cell is 0.

    Examples
    --------
    >>> fewest(pd.Series(list("aaab")), pd.Series([True, True, False, True])).to_dict()
    {'a': 1, 'b': 0}
    """
    values = [[False, True] if one.dtype == bool else sorted(one.unique()) for one in by]
    cells = {f"by {k}": pd.Categorical(one, v) for k, (one, v) in enumerate(zip(by, values, strict=True))}
    people = pd.DataFrame({"level": levels.astype(object).to_numpy(), **cells}).dropna(subset=["level"])
    return people.groupby(["level", *cells], observed=False).size().groupby("level").min()


def in_sentence(level: str, variable: str) -> str:
    """Return a level's label as it stands inside a sentence: in small letters, but for a place's name.

    Examples
    --------
    >>> in_sentence("Man", "Gender"), in_sentence("South Chicago", "Community area")
    ('man', 'South Chicago')
    """
    return level if variable in _PLACES else level.lower()


def in_words(level: str) -> str:
    """Return a level as a report writes it.

    Examples
    --------
    >>> in_words("community_outreach"), in_words("West Englewood")
    ('Community outreach', 'West Englewood')
    >>> in_words("_b_"), in_words("https://example.org")
    ('_b_', 'https://example.org')
    """
    words = _BETWEEN.sub(" ", level)
    return words if "://" in words else words[:1].upper() + words[1:]


def outcome_in_words(kind: str) -> str:
    """Return a kind of outcome as a sentence has it.

    Examples
    --------
    >>> outcome_in_words("dv_arrest"), outcome_in_words("order_violation")
    ('domestic-violence arrest', 'broken protection order')
    """
    return _OUTCOMES.get(kind) or kind.replace("_", " ").replace("dv ", "domestic-violence ")


def joined(values: pd.Series, by: Sequence[pd.Series], smallest: float, order: Sequence[str] = ()) -> pd.Series:
    """Join the level of fewest people with the one of the next fewest, until each has as many as asked or one is left.

    Fewest in any cell that `by` divides its people into (empty: as they are). Levels stand in `order`, others after
    them by the alphabet; joined ones, named ``first or second``, at the place of their first. Missing stay missing.

    Examples
    --------
    >>> found = joined(pd.Series(["a"] * 9 + ["b"] + ["c"] * 2), (), 3)
    >>> found.value_counts().to_dict()
    {'a': 9, 'b or c': 3}
    """
    found = values.astype(object)
    found = found.where(found.isna(), found.astype(str))
    known = [*(level for level in order if (found == level).any()), *sorted(set(found.dropna()) - set(order))]
    place = {level: i for i, level in enumerate(known)}
    parts = {level: [level] for level in known}
    while len(parts) > 1:
        # A stable sort: of two levels with as many people the earlier one goes,
        # so that the same people give the same levels.
        least = fewest(found, *by).reindex(list(parts)).sort_values(kind="stable")
        if least.iloc[0] >= smallest:
            break
        pair = [str(least.index[0]), str(least.index[1])]
        both = sorted(parts.pop(pair[0]) + parts.pop(pair[1]), key=place.__getitem__)
        name = " or ".join(both)
        found, parts[name] = found.replace(dict.fromkeys(pair, name)), both
    in_order = sorted(parts, key=lambda name: place[parts[name][0]])
    return pd.Series(pd.Categorical(found, categories=in_order), index=values.index)
