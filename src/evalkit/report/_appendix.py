"""The final report's appendix, filled from the protocol."""

from __future__ import annotations

__all__ = ["checklist", "programme", "re_aim", "show_pair", "statistics", "target_trial", "terms"]

from typing import TYPE_CHECKING

from evalkit.analyses import IMPUTED_BOOT, LEAVING_BOOT, N_BOOT, target_of
from evalkit.estimates import Estimates
from evalkit.report._mark import emit
from evalkit.views import CurveText, listed, percent, programme_text, re_aim_text
from evalkit.views import appendix as written
from evalkit.words import long_date, translated, words

if TYPE_CHECKING:
    from evalkit.report._report import Report

_TABLES = ("sessions", "exits", "outcomes", "measures")


def _there(report: Report) -> frozenset[str]:
    """Return what methods and terms may need: the tables that the study has, and whether it counts repeated harm."""
    repeated = {"recurrent"} if report.cohort.study.harm.recurrent else set()
    return frozenset(name for name in _TABLES if report.cohort.has(name)) | repeated


def _covariates(report: Report) -> str:
    names = [c.label[:1].lower() + c.label[1:] for c in report.study.covariates]
    return listed(names) or translated("no characteristic")


def target_trial(report: Report) -> None:
    """Show what a trial that could answer the question would do, and what this study does in its place.

    Parameters
    ----------
    report : Report

    Examples
    --------
    >>> from evalkit.report import target_trial
    >>> target_trial(report)  # doctest: +ELLIPSIS
    {'text/markdown': '| Part | A trial that could answer the question | This study |...
    """
    arms = report.study.arms
    said = {
        "start": long_date(report.study.starts),
        "focus": words("{label} ({definition})", label=arms.focus.label, definition=arms.focus.definition)
        if arms.focus.definition
        else arms.focus.label,
        "comparison": arms.comparison.label,
        "covariates": _covariates(report),
        "target": target_of(report.study),
    }
    emit("markdown", written.target_trial(said, _there(report), report.study.comparison.assignment), kind="about")


def statistics(report: Report, leaving: int = LEAVING_BOOT, foretold: int = LEAVING_BOOT) -> None:
    """Show the statistical methods in words, with the protocol's own numbers.

    Parameters
    ----------
    report : Report
    leaving, foretold : int
        Bootstrap replicates that the notebook has `leaving_risks` and `leaving_foretold` draw.

    Examples
    --------
    >>> from evalkit.report import statistics
    >>> statistics(report)  # doctest: +ELLIPSIS
    {'text/markdown': '- **Propensity scores.** Logistic regression of the group on age (years),...
    """
    rules = report.study.comparison
    said = {
        "covariates": _covariates(report),
        "minimum": str(report.policy.minimum_count),
        "target": target_of(report.study),
        "boot": str(N_BOOT),
        "imputed": str(IMPUTED_BOOT),
        "leaving": str(leaving),
        "foretold": str(foretold),
        "level": percent(0.95),
        "seed": str(report.study.seed),
        "smd": f"{rules.max_smd:g}",
        "equipoise": percent(rules.min_equipoise),
        "low": f"{rules.preference_low:g}",
        "high": f"{rules.preference_high:g}",
        "sample": str(rules.min_effective_sample_size),
        "landmark": str(report.cohort.rules.landmark_day),
        "origin": words(f"harm.origin.{report.cohort.study.harm.origin}"),
    }
    emit("markdown", written.statistics(said, _there(report)), kind="methods")


def terms(report: Report) -> None:
    """Show the glossary of terms.

    Parameters
    ----------
    report : Report

    Examples
    --------
    >>> from evalkit.report import terms
    >>> terms(report)  # doctest: +ELLIPSIS
    {'text/markdown': '| Term | What it means here |...
    """
    rules = report.cohort.rules
    said = {
        "gap": str(rules.disengagement_gap_days),
        "sessions": str(rules.engaged.sessions),
        "days": str(rules.engaged.days),
    }
    arms = report.study.arms
    named = {"PAIP"} if "PAIP" in f"{arms.focus.label} {arms.comparison.label}" else set()
    emit("markdown", written.glossary_of_terms(said, _there(report) | named), kind="about")


def checklist(report: Report) -> None:  # noqa: ARG001 - one signature for all parts
    """Show the items of reporting statements, and the sections that deal with them.

    Parameters
    ----------
    report : Report

    Examples
    --------
    >>> from evalkit.report import checklist
    >>> checklist(report)  # doctest: +ELLIPSIS
    {'text/markdown': '| Items | What they ask for | Where |...
    """
    emit("markdown", written.checklist(), kind="about")


def programme(report: Report) -> None:
    """Show what the program is, by the items of TIDieR; nothing where the protocol tells none.

    Parameters
    ----------
    report : Report

    Examples
    --------
    >>> from evalkit.report import programme
    >>> programme(report)  # doctest: +ELLIPSIS
    {'text/markdown': "## What the program is...
    """
    if text := programme_text(report.study.programme):
        emit("markdown", text, kind="about")


def re_aim(report: Report) -> None:
    """Show what is known by the dimensions of RE-AIM; nothing where the protocol tells none.

    Parameters
    ----------
    report : Report

    Examples
    --------
    >>> from evalkit.report import re_aim
    >>> re_aim(report)  # doctest: +ELLIPSIS
    {'text/markdown': "## Reach and use at a glance (RE-AIM)...
    """
    if text := re_aim_text(report.study.re_aim):
        emit("markdown", text, kind="about")


def show_pair(report: Report, curves: Estimates, words: CurveText, horizon: float) -> None:
    """Show curves of two groups that mean something only side by side: both, or a sentence.

    Parameters
    ----------
    report : Report
    curves : Estimates
    words : CurveText
    horizon : float
        Longest day.

    Examples
    --------
    >>> from evalkit import analyses
    >>> from evalkit.report import show_pair
    >>> from evalkit.views import CurveText
    >>> staying = CurveText("Not disengaged", "Days since first session", "not disengaged")
    >>> show_pair(report, analyses.staying(report.cohort), staying, 365)  # doctest: +ELLIPSIS
    {'image/svg+xml': '<?xml version="1.0" encoding="utf-8" standalone="no"?>...
    """
    if report._without(curves):
        return
    safe = report.safe(curves)
    # One of the two alone would be read as if it were the finding.
    if safe.verdict != "withheld" and len(safe.withheld) == 1:
        report.absent("absent.size", hidden=safe.withheld[0], minimum=safe.policy.minimum_count)
        return
    report.show(curves, words=words, horizon=horizon)
