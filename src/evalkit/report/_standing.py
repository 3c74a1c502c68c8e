"""What every report says of itself: cover, groups, rules, restatements, provenance."""

from __future__ import annotations

__all__ = [
    "a_year_earlier",
    "by_court",
    "cover",
    "deviations",
    "groups_compared",
    "known_at",
    "order_of",
    "provenance",
    "show_absent",
    "show_dictionary",
    "show_excuses",
    "show_restatements",
]

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from evalkit._version import __version__
from evalkit.analyses import steps
from evalkit.cohort import Cohort, build, restatements
from evalkit.disclosure import Safe, safe_restatements
from evalkit.excuses import KIND as EXCUSES
from evalkit.excuses import excuse_text
from evalkit.intake import dictionary
from evalkit.levels import in_words
from evalkit.markup import bold, box, paragraphs, sign
from evalkit.periods import Period, quarters_between
from evalkit.protocol import changes_since
from evalkit.report._mark import emit, typed_numbers
from evalkit.views import deviations_text, frozen_words, provenance_table, restatement_numbers, restatement_table
from evalkit.words import listed, long_date, messages_for, speech, translated, within, words

if TYPE_CHECKING:
    from evalkit.report._report import Report

_A_YEAR = 365  # at least: the quarter ends then or before


def cover(report: Report) -> None:
    """Show title, programme, period and cut."""
    study = report.study
    facts = {
        "title": ": ".join([translated(report.title), *(translated(in_words(v)) for v in report.only.values())]),
        "subtitle": translated(study.subtitle),
        "study": translated(study.title),
        "organisation": translated(study.organisation),
        "period": report.period.title,
        "since": long_date(study.starts),
        "cut": long_date(report.cut),
        "cut_date": report.cut.isoformat(),
        "synthetic": report.cohort.synthetic,
        "locale": speech().locale,
        "assignment": study.comparison.assignment,
        "completion": study.rules.completion,
        "sessions": report.cohort.has("sessions"),
    }
    mark = bold(words("Synthetic data: no real person is described.")) if report.cohort.synthetic else ""
    when = words("{period}, data cut {cut}", period=report.period.title, cut=str(facts["cut"]))
    emit("cover", paragraphs(bold(f"{facts['title']}: {facts['study']}"), when, mark), document=facts)


def groups_compared(report: Report) -> None:
    """Say once what the two groups are."""
    arms = (report.study.arms.focus, report.study.arms.comparison)
    said = [
        words("groups.defined" if arm.definition else "groups.named", label=arm.label, definition=arm.definition)
        for arm in arms
    ]
    emit("markdown", paragraphs(words("groups", groups=listed(said)), *_limited(report)), kind="groups")


def _limited(report: Report) -> list[str]:
    """Say where a group is one program's people of one kind: that the others are not in it, or that nobody knows."""
    known, said = report.cohort.attrition.tidy()["term"].eq("where_met").any(), []
    for arm in (report.study.arms.focus, report.study.arms.comparison):
        if arm.where:
            key = "groups.limited" if known else "groups.unlimited"
            columns = listed([translated(column) for column in arm.conditions])
            said.append(words(key, within=within(arm.label), condition=arm.condition_words, columns=columns))
    if _mandate_unknown(report):
        other = within(report.study.arms.comparison.label)
        said.append(words("groups.unlimited", within=other, columns=translated("mandate")))
    return said


def _mandate_unknown(report: Report) -> bool:
    """Say whether a court's mandate is said to set the groups apart, and no record tells who had one."""
    arms = report.study.arms
    asked = arms.column == "mandate" or "mandate" in arms.conditions  # said above
    told = report.study.comparison.assignment == "mandate" and bool(arms.comparison.definition)
    return told and not asked and not _mandate_known(report)


def by_court(report: Report) -> bool:
    """Say whether the comparison's people are those of whom it is recorded that a court sent them."""
    arms = report.study.arms
    asked = arms.column == "mandate" or "mandate" in arms.comparison.where
    return report.study.comparison.assignment == "mandate" and asked and _mandate_known(report)


def _mandate_known(report: Report) -> bool:
    return bool(report.cohort.people["mandate"].notna().any())


def order_of(groups: tuple[str, str], safe: Safe) -> Sequence[str]:
    """Name the groups in the order of their colours: an arm keeps its colour when the other is not shown."""
    rows = safe.estimates.tidy()
    found = [str(name) for name in rows["group"].unique()] if "group" in rows else []
    others = [g for g in found if g not in groups]
    return [*groups, *others] if len(others) < len(found) or not found else others


def show_absent(key: str, **values: object) -> None:
    """Say in a sentence that something is not there."""
    titled = "yes" if key == "absent.small" else ""  # the others say themselves what is not there
    typed = typed_numbers(str(value) for value in values.values())
    # A section says once of each table that it is lacking.
    lacks: dict[str, Any] = {"table": values["table"]} if key == "absent.table" else {}
    emit("markdown", box("absent", words(key, **values)), kind="absent", absent=titled, why=key, **lacks, **typed)


def show_dictionary(report: Report) -> None:
    """Show the data dictionary in the HTML edition only."""
    html_only = sign('::: {.content-visible when-format="html"}')
    emit("markdown", paragraphs(html_only, sign(dictionary(report.study)), sign(":::")), kind="dictionary")


def show_excuses(report: Report) -> None:
    """Show which rules the tables break with the protocol's leave."""
    if report.excused:
        emit("markdown", excuse_text(report.excused, messages_for(speech().locale)), kind=EXCUSES)


def show_restatements(report: Report) -> None:
    """Show which figures of the quarter before came to be others since, and why."""
    before = Period.containing(report.period.first - timedelta(days=1), report.study.fiscal_year_start_month)
    if before.last < report.study.starts:
        report.absent("absent.quarter")
        return
    rows = safe_restatements(restatements(report.raw, before.cut, known_on=report.cut), report.policy)
    if rows.empty:
        emit("markdown", words("restated.none", period=before.title), kind="restatements")
        return
    emit("table", restatement_table(rows, before.name), data=restatement_numbers(rows), kind="restatements")


def known_at(report: Report, period: Period) -> Cohort:
    """Build the cohort as it was known at the end of an earlier period, for its shares of the funnel."""
    cohort = build(report.raw.at(period.cut))
    if cohort.has("sessions"):
        steps(cohort)  # kept with the cohort
    # Only its shares are asked again: a study of years would keep every quarter's rows in memory.
    cohort.release()
    return cohort


def a_year_earlier(report: Report) -> Cohort | None:
    """Build the cohort as it was known at the end of the quarter a year before the cut; None where there was none."""
    quarters = quarters_between(report.study.starts, report.cut, report.study.fiscal_year_start_month)
    ended = [one for one in quarters if one.cut <= report.cut - timedelta(days=_A_YEAR)]
    return known_at(report, ended[-1]) if ended else None


def deviations(report: Report) -> None:
    """Show what has changed since the protocol was frozen, from what to what, when and why."""
    changes = changes_since(report.registered or report.study, report.frozen)
    emit("markdown", deviations_text(report.frozen, changes, report.cut), kind="deviations")


def provenance(report: Report) -> None:
    """Show where the report came from: data, protocol and code, so that it can be made again."""
    # Study, period and data cut stand on the cover, and with their days in the manifest.
    facts = {
        "evalkit": __version__,
        "Seed": str(report.study.seed),
        "Protocol": frozen_words(report.frozen, changes_since(report.registered or report.study, report.frozen)),
    }
    # No digest here: one of a small table is the table. The manifest has keyed ones.
    for where, filed in (("Tables from files", True), ("Tables from a database", False)):
        if names := [translated(i.table) for i in report.raw.inputs if bool(i.sha256) == filed]:
            facts[where] = listed(names)
    emit("table", provenance_table(facts), kind="provenance")
