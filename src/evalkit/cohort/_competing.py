"""What competes with harm, told apart from it where enough people had it."""

from __future__ import annotations

__all__ = ["told_apart"]

import pandas as pd

from evalkit.cohort._cohort import Cohort


def told_apart(cohort: Cohort, rows: pd.DataFrame, smallest: int = 11) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return harm with the competing ends that may be told apart; rarer ones end what is known, as a cut does.

    A cause that few had is small in some group: disclosure control would have to withhold the group's whole curve. To
    censor a few deaths moves a share of harm by less than their own share.

    Parameters
    ----------
    cohort : Cohort
    rows : pandas.DataFrame
        Of `Cohort.harm`, or with its columns group and event.
    smallest : int, default 11
        Fewest people of each group who had it.

    Returns
    -------
    rows : pandas.DataFrame
        With event 0, 1 ... without gaps.
    causes : list of str
        Their names, harm first.
    notes : list of str
        Which ends are not told apart.
    """
    codes, names, few = {0: 0, 1: 1}, [cohort.study.harm.label], []
    for code, name in list(cohort.causes_of("harm").items())[1:]:
        had = [int(rows["event"].eq(code)[rows["group"].eq(group)].sum()) for group in cohort.groups]
        if min(had) >= max(smallest, 1):
            names.append(name)
            codes[code] = len(names)
        else:
            codes[code] = 0
            few.append(name)
    notes = [f"Of {name}, few or none in a group, only the end of follow-up is counted." for name in few]
    return rows.assign(event=rows["event"].map(codes).astype("int64")), names, notes
