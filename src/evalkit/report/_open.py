"""Opening a study at the cut of a period."""

from __future__ import annotations

__all__ = ["open_report"]

from evalkit.cohort import build
from evalkit.disclosure import Policy
from evalkit.errors import UsageError
from evalkit.intake import open_data
from evalkit.letters import unshown
from evalkit.periods import Period, newest_complete
from evalkit.protocol import load_baselines, load_disclosure, load_study
from evalkit.report._report import Report


def open_report(study: str, period: str = "newest", *, title: str = "Report") -> Report:
    """Open a study at the cut of a period, for a notebook.

    Parameters
    ----------
    study : str
        Path of the ``study.yaml``, from the notebook's folder.
    period : str, default "newest"
        ``2022Q3``, a range ``2022-01-01..2022-06-30``, or ``newest``: the newest quarter that is over in the data.
    title : str
        Title of the report.

    Returns
    -------
    Report

    Raises
    ------
    ProtocolError
        If the protocol is wrong.
    DataError
        If a table cannot be read or breaks the study's rules.
    UsageError
        If the period is not one.
    """
    if unshown([title]):
        msg = "open_report: the title holds letters that the reports' fonts do not have"
        raise UsageError(msg)
    protocol = load_study(study)
    data = open_data(protocol)
    fiscal = protocol.fiscal_year_start_month
    chosen = newest_complete(data.newest_day, fiscal) if period == "newest" else Period.parse(period, fiscal)
    cut = data.at(chosen.cut)
    rules = load_disclosure(protocol)
    return Report(
        title=title,
        study=protocol,
        period=chosen,
        data=cut,
        cohort=build(cut),
        baselines=load_baselines(protocol),
        raw=data,
        policy=Policy.of(rules),
    )
