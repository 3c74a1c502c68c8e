"""Joining rows to episodes in pandas, at the end of a roll-up."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from evalkit.cohort._episodes import KEY
from evalkit.errors import DataError


def joined(people: pd.DataFrame, found: pd.DataFrame, how: Literal["left", "inner"] = "left") -> pd.DataFrame:
    """Join rows with participant_id and referral_date to episodes; a DataError where an episode stands twice."""
    refuse_twice(people)
    return people.merge(found, on=list(KEY), how=how)


def refuse_twice(people: pd.DataFrame) -> None:
    """Refuse rows in which an episode stands twice; pandas would name it."""
    if people.duplicated(list(KEY)).any():
        msg = "cohort: an episode stands twice, which the study's key does not allow"
        raise DataError(msg)
