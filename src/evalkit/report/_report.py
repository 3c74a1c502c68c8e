"""What a notebook works with: the study opened at a data cut, and the one door through which anything is shown.

::

    report = evalkit.open_report(study, period, title="Quarterly report")
    report.cover()
    curve = survival.kaplan_meier(report.cohort.retention(), "time", "event", by="group")
    report.show(curve, words=...)
"""

from __future__ import annotations

__all__ = ["Report", "open_report"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

import pandas as pd

from evalkit._version import __version__
from evalkit.cohort import Cohort, build, restatements
from evalkit.counts import Tally
from evalkit.disclosure import Policy, Safe, make_safe, safe_restatements
from evalkit.display import (
    CurveText,
    benchmark_numbers,
    benchmark_table,
    curve_numbers,
    curves_figure,
    definitions,
    dots_figure,
    provenance_table,
    restatement_numbers,
    restatement_table,
    safe_numbers,
    sentences,
    svg_of,
    table_of,
    weeks_figure,
)
from evalkit.display._kinds import CURVES, DRAWN, WEEKS, is_empty, uncertain
from evalkit.display._mark import emit
from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.intake import CutData, StudyData, dictionary, open_data
from evalkit.periods import Period, long_date, newest_complete
from evalkit.protocol import Baselines, Study, load_baselines, load_disclosure, load_study
from evalkit.report._benchmarks import analysis_of, mark_of, rows_of

Shown = Literal["figure", "table", "markdown"]
_ABSENT = {
    "sessions": "The sessions table is not part of this study, so {what} cannot be reported.",
    "exits": "The exits table is not part of this study, so {what} cannot be reported.",
    "outcomes": "The outcomes table is not part of this study, so {what} cannot be reported.",
    "measures": "The measures table is not part of this study, so {what} cannot be reported.",
}


@dataclass(frozen=True, eq=False)
class Report:
    """A study opened at a data cut, and what may be shown of it.

    Attributes
    ----------
    title : str
        Title of the report.
    study : Study
    period : Period
    data : CutData
        What was known at the cut.
    cohort : Cohort
        The analysed episodes.
    baselines : Baselines
        Published figures.
    policy : Policy
        Disclosure policy.
    raw : StudyData
        The tables themselves: only for what compares one cut with another.
    """

    title: str
    study: Study
    period: Period
    data: CutData = field(repr=False)
    cohort: Cohort = field(repr=False)
    baselines: Baselines = field(repr=False)
    policy: Policy
    raw: StudyData = field(repr=False)

    @property
    def cut(self) -> date:
        """The data cut."""
        return self.period.cut

    @property
    def groups(self) -> tuple[str, str]:
        """Labels of the arms, the focus first."""
        return self.cohort.groups

    def cover(self) -> None:
        """Show title, programme, period and cut; every published page is made from what stands here."""
        facts = {
            "title": self.title,
            "subtitle": self.study.subtitle,
            "study": self.study.title,
            "organisation": self.study.organisation,
            "period": self.period.title,
            "cut": long_date(self.cut),
            "cut_date": self.cut.isoformat(),
            "synthetic": self.cohort.synthetic,
            "locale": self.study.locale,
        }
        mark = "\n\n**Synthetic data: no real person is described.**" if self.cohort.synthetic else ""
        text = f"**{self.title}: {self.study.title}**\n\n{self.period.title}, data cut {facts['cut']}{mark}"
        emit("cover", text, document=facts)

    def groups_compared(self) -> None:
        """Say once what the two groups are."""
        arms = (self.study.arms.focus, self.study.arms.comparison)
        said = [f"**{arm.label}**" + (f" ({arm.definition})" if arm.definition else "") for arm in arms]
        emit("markdown", f"This report compares two groups: {said[0]} and {said[1]}.", kind="groups")

    def has(self, table: str, what: str) -> bool:
        """Say whether a table is part of the study; where it is not, show one sentence that says so.

        Parameters
        ----------
        table : {"sessions", "exits", "outcomes", "measures"}
        what : str
            What cannot be reported without it: ``retention``.

        Returns
        -------
        bool
        """
        if self.cohort.has(table):
            return True
        emit("markdown", f"::: {{.absent}}\n{_ABSENT[table].format(what=what)}\n:::", kind="absent")
        return False

    def methods(self) -> None:
        """Show the study's rules in words, with the protocol's own numbers."""
        tables = frozenset(name for name in _ABSENT if self.cohort.has(name))
        emit("markdown", definitions(self.study, load_disclosure(self.study), tables), kind="methods")

    def dictionary(self) -> None:
        """Show the data dictionary: in the HTML edition only, where wide tables can be scrolled."""
        text = dictionary(self.study)
        emit("markdown", f'::: {{.content-visible when-format="html"}}\n\n{text}\n\n:::', kind="dictionary")

    def restatements(self) -> None:
        """Show which figures of the quarter before came to be others since, and why."""
        fiscal = self.study.fiscal_year_start_month
        before = Period.containing(self.period.first - timedelta(days=1), fiscal)
        if before.last < self.study.starts:
            emit("markdown", "::: {.absent}\nThere is no earlier quarter that could have changed.\n:::", kind="absent")
            return
        changes = restatements(self.raw, before.cut, known_on=self.cut)
        rows = safe_restatements(changes, self.policy)
        if rows.empty:
            said = f"No figure of {before.name} changed by more than rounding."
            emit("markdown", f"::: {{.absent}}\n{said}\n:::", kind="restatements")
            return
        emit("table", restatement_table(rows, before.name), data=restatement_numbers(rows), kind="restatements")

    def provenance(self) -> None:
        """Show where the report came from: data, protocol and code, so that it can be made again."""
        facts = {
            "Study": self.study.id,
            "Period": f"{self.period.name} ({self.period.first} to {self.period.last})",
            "Data cut": self.cut.isoformat(),
            "evalkit": __version__,
            "Seed": str(self.study.seed),
            **{f"Table {i.table}": f"SHA-256 {i.sha256[:16]}" if i.sha256 else "a database" for i in self.raw.inputs},
        }
        emit("table", provenance_table(facts), kind="provenance")

    def safe(self, estimates: Estimates) -> Safe:
        """Pass an estimate through disclosure control.

        Parameters
        ----------
        estimates : Estimates

        Returns
        -------
        Safe
        """
        return make_safe(estimates.about(cut=self.cut), self.policy)

    def say(self, estimates: Estimates, see: str = "", *, words: CurveText | None = None, lead: str = "") -> None:
        """Show an estimate as its standard sentences.

        Parameters
        ----------
        estimates : Estimates
        see : str
            Label of the figure or table that shows it, as ``fig-retention``.
        words : CurveText, optional
            Words of a curve.
        lead : str
            Words before the sentences, without numbers.

        Raises
        ------
        AnalysisError
            If there is no standard sentence for the analysis, or the lead holds a digit.
        """
        if any(character.isdigit() for character in lead):
            msg = "report.say: numbers come from estimates; the lead must hold none"
            raise AnalysisError(msg)
        safe = self.safe(estimates)
        if self._refused(safe):
            return
        text = sentences(safe, self._order(safe), see, words.event if words else "")
        if not text:
            msg = f"report.say: there is no standard sentence for '{estimates.kind}'; use report.show"
            raise AnalysisError(msg)
        self._emit("markdown", f"{lead} {text}".strip(), safe)

    def show(
        self,
        estimates: Estimates,
        shape: Literal["auto", "figure", "table"] = "auto",
        *,
        words: CurveText | None = None,
        horizon: float = 365,
        x_label: str = "Share",
        note: str = "",
    ) -> None:
        """Show an estimate as a figure or a table, after disclosure control.

        Parameters
        ----------
        estimates : Estimates
        shape : {"auto", "figure", "table"}, default "auto"
            auto: curves and shares as figures, everything else as a table.
        words : CurveText, optional
            Words of a curve's figure.
        horizon : float, default 365
            Longest day of a curve.
        x_label : str
            What a chart of shares, or of means by week, shows.
        note : str
            A line below a table.

        Raises
        ------
        AnalysisError
            If the analysis has no such shape.
        DisclosureError
            If the estimate has no safe form.
        """
        safe = self.safe(estimates)
        if self._refused(safe):
            return
        drawable = estimates.kind in DRAWN
        if shape == "table" or (shape == "auto" and not drawable):
            self._emit("table", table_of(safe, note), safe, data=safe_numbers(safe))
            return
        if not drawable:
            msg = f"report.show: '{estimates.kind}' has no figure; show it as a table"
            raise AnalysisError(msg)
        if estimates.kind in CURVES:
            text = words or CurveText("Share without the event", "Days", "without the event")
            figure, alt = curves_figure(safe, self._order(safe), horizon, text)
            data = curve_numbers(safe, self._order(safe), horizon)
        elif estimates.kind in WEEKS:
            figure, alt = weeks_figure(safe.estimates.tidy(), self._order(safe), x_label)
            data = safe_numbers(safe)
        else:
            data = uncertain(safe)
            figure, alt = dots_figure(data, self._order(safe), x_label)
        self._emit("figure", svg_of(figure), safe, alt=alt, data=data)
        remarks = [_STEPS.format(block=self.policy.minimum_count)] if estimates.kind in CURVES else []
        remarks += [safe.note] if safe.note else []
        if remarks:
            self._emit("markdown", f"::: {{.note}}\n{' '.join(remarks)}\n:::", safe)

    def show_benchmarks(
        self, estimates: Estimates, measure: str = "completion", shape: Literal["figure", "table"] = "table"
    ) -> None:
        """Set shares of this study beside the published ones of the same measure.

        Parameters
        ----------
        estimates : Estimates
            Made from a `Tally`, one row per group: who reached it, out of whom.
        measure : str, default "completion"
            Measure of the baselines in the study's file.
        shape : {"figure", "table"}, default "table"

        Raises
        ------
        AnalysisError
            If the estimates were not made from a tally.
        """
        published = [b for b in self.baselines.baselines if b.measure == measure and b.unit == "share"]
        if not isinstance(estimates.counts, Tally):
            msg = f"report.show_benchmarks: '{estimates.kind}' was not made from x of n"
            raise AnalysisError(msg)
        if not published:
            said = f"The study names no published figure on {measure}, so there is nothing to compare with."
            emit("markdown", f"::: {{.absent}}\n{said}\n:::", kind="absent")
            return
        safe = [self.safe(analysis_of(b).estimate(estimates.counts)) for b in published]
        if self._refused(self.safe(estimates)):
            return
        rows = pd.concat([rows_of(b, s) for b, s in zip(published, safe, strict=True)], ignore_index=True)
        rows = rows.dropna(subset=["here"])
        if shape == "table":
            text = benchmark_table(rows, _BESIDE + " ".join(b.citation for b in published))
            self._emit("table", text, safe[0], data=benchmark_numbers(rows))
            return
        marks = pd.DataFrame([mark_of(b) for b in published])
        own = rows.drop_duplicates("group").assign(label="This study")
        own = own.assign(estimate=own["here"], conf_low=own["here_low"], conf_high=own["here_high"])
        figure, alt = dots_figure(own, self._order(safe[0]), f"Share ({measure})", marks=marks)
        self._emit("figure", svg_of(figure), safe[0], alt=alt, data=benchmark_numbers(rows, marks))

    def _refused(self, safe: Safe) -> bool:
        """Say in a sentence why there is nothing to show, where that is so."""
        if safe.verdict == "withheld":
            said = f"Not shown: fewer than {self.policy.minimum_count} people or events would be described."
        elif is_empty(safe):
            said = "Not shown yet: too few people have been observed for long enough."
        else:
            return False
        self._emit("markdown", f"::: {{.absent}}\n{said}\n:::", safe)
        return True

    def _order(self, safe: Safe) -> Sequence[str]:
        """Name the groups in the order of their colours: an arm keeps its colour when the other is not shown."""
        rows = safe.estimates.tidy()
        found = [str(name) for name in pd.unique(rows["group"])] if "group" in rows else []
        others = [g for g in found if g not in self.groups]
        return [*self.groups, *others] if len(others) < len(found) or not found else others

    def _emit(self, shows: Shown, text: str, safe: Safe, alt: str = "", data: pd.DataFrame | None = None) -> None:
        mark = {"estimate": safe.estimates.id, "kind": safe.estimates.kind, "verdict": safe.verdict}
        emit(shows, text, data=data, **mark, **({"alt": alt} if alt else {}))


_STEPS = (
    "To protect participants, curves are smoothed over blocks of at least {block} events, and numbers at risk are "
    "rounded."
)
_BESIDE = (
    "Here: people who attended a first session and whose time for completion is over. Who is counted differs from "
    "figure to figure: read a difference beside both denominators. Sources: "
)


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
        policy=Policy(**{**rules.model_dump(), "landmarks": tuple(rules.landmarks)}),
    )
