"""What a notebook works with: the study opened at a data cut, and the doors through which anything is shown.

::

    report = evalkit.open_report(study, period, title="Quarterly report")
    report.cover()
    curve = stats.kaplan_meier(report.cohort.retention(), "time", "event", by="group")
    report.show(curve)
"""

from evalkit.report._appendix import checklist, programme, re_aim, show_pair, statistics, target_trial, terms
from evalkit.report._conclusions import conclusions, limitations
from evalkit.report._open import open_report
from evalkit.report._participants import say_participants, show_participants
from evalkit.report._report import Report

__all__ = [
    "Report",
    "checklist",
    "conclusions",
    "limitations",
    "open_report",
    "programme",
    "re_aim",
    "say_participants",
    "show_pair",
    "show_participants",
    "statistics",
    "target_trial",
    "terms",
]
