"""What a notebook works with: the study opened at a data cut, and the one door through which anything is shown."""

from __future__ import annotations

__all__ = ["Report"]

import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

import pandas as pd

from evalkit.cohort import Cohort
from evalkit.disclosure import Policy, Record, Safe, make_safe
from evalkit.errors import AnalysisError, DisclosureError
from evalkit.estimates import Estimates
from evalkit.intake import CutData, StudyData
from evalkit.markup import box
from evalkit.periods import Period, quarters_between
from evalkit.protocol import Baselines, Excuse, Frozen, Study, load_disclosure
from evalkit.report import _standing as standing
from evalkit.report._contrast import gaps_of, show_benchmarks, show_differences
from evalkit.report._draw import Draws, drawn
from evalkit.report._findings import show_findings
from evalkit.report._mark import check_choice, check_letters, emit, estimates_in, typed_numbers
from evalkit.report._model_words import in_study_words
from evalkit.seal import DRAFTED
from evalkit.views import CurveText, Gap, Look, View, definitions, svg_of, view_of
from evalkit.words import speaking, translated

Shown = Literal["figure", "table", "markdown"]
_TABLES = ("sessions", "exits", "outcomes", "measures", "searches")


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
    record : Record
        What is shown, for the render that asks for it.
    excused : tuple of Excuse
        Rules that the tables break with the protocol's leave.
    frozen : tuple of Frozen
        The protocol as it was registered, the first version first; empty where it never was.
    registered : Study, optional
        The whole study, where ``study`` is of a part of its people; changes of the protocol are told of it.
    only : mapping of str to str
        Column and value of the people that it is about; empty: of everybody.

    Examples
    --------
    >>> from evalkit import analyses
    >>> report.groups, report.cut
    (('Non-mandated pilot', 'PAIP'), datetime.date(2023, 12, 31))
    >>> report.say(analyses.funnel(report.cohort), lead="From referral to completion.")  # doctest: +ELLIPSIS
    {'text/markdown': 'From referral to completion. Engaged: 4 sessions within 60 days of intake...
    >>> report.show(analyses.funnel(report.cohort), "tabel")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    evalkit.errors.UsageError: report.show: there is no shape 'tabel'; ... did you mean 'table'?
    """

    title: str
    study: Study
    period: Period
    data: CutData = field(repr=False)
    cohort: Cohort = field(repr=False)
    baselines: Baselines = field(repr=False)
    policy: Policy
    raw: StudyData = field(repr=False)
    record: Record = field(default_factory=Record.of_run, repr=False)
    excused: tuple[Excuse, ...] = ()
    frozen: tuple[Frozen, ...] = ()
    registered: Study | None = None
    only: Mapping[str, str] = field(default_factory=dict)
    _made: list[tuple[Estimates, Safe]] = field(default_factory=list, init=False, repr=False)

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
        standing.cover(self)

    def groups_compared(self) -> None:
        """Say once what the two groups are."""
        standing.groups_compared(self)

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
        self.absent("absent.table", table=table, what=what)
        return False

    def absent(self, key: str, **values: object) -> None:
        """Say in a sentence that something is not there.

        Parameters
        ----------
        key : str
            Message of the catalogue.
        **values
            What stands in its places.
        """
        standing.show_absent(key, **values)

    def methods(self) -> None:
        """Show the study's rules in words, with the protocol's own numbers."""
        tables = frozenset(name for name in _TABLES if self.cohort.has(name))
        emit("markdown", definitions(self.study, load_disclosure(self.study), tables), kind="methods")

    def deviations(self) -> None:
        """Show what has changed since the protocol was frozen: from what to what, when and why."""
        standing.deviations(self)

    def excuses(self) -> None:
        """Show which rules the tables break with the protocol's leave, and why; nothing where there are none."""
        standing.show_excuses(self)

    def dictionary(self) -> None:
        """Show the data dictionary: in the HTML edition only, where wide tables can be scrolled."""
        standing.show_dictionary(self)

    @cached_property
    def quarters(self) -> tuple[tuple[str, Cohort], ...]:
        """Each quarter of the study up to this period, with the cohort as it was known at the quarter's end."""
        before = quarters_between(self.study.starts, self.period.first, self.study.fiscal_year_start_month)
        earlier = [(p.name, standing.known_at(self, p)) for p in before if p.last < self.period.first]
        return (*earlier, (self.period.name, self.cohort))

    @property
    def earlier(self) -> Cohort | None:
        """The cohort as it was known at the end of the quarter before; None where there was none."""
        return self.quarters[-2][1] if len(self.quarters) > 1 else None

    def restatements(self) -> None:
        """Show which figures of the quarter before are others now."""
        standing.show_restatements(self)

    def provenance(self) -> None:
        """Show where the report came from: data, protocol and code, so that it can be made again."""
        standing.provenance(self)

    def safe(self, estimates: Estimates) -> Safe:
        """Pass an estimate through disclosure control.

        Parameters
        ----------
        estimates : Estimates

        Returns
        -------
        Safe
        """
        known = estimates_in(estimates, "report.safe")
        if not isinstance(known, Estimates):
            return self._both(known, "report.safe")[0]
        # once for each estimate: all that shows it has the same numbers, and one line of the record
        for before, safe in self._made:
            if before is known:
                return safe
        with speaking("en-US"):  # what is asked, and so the noise, is the same in every language
            exact = in_study_words(known, self.study).about(cut=self.cut)
        safe = make_safe(exact, self.policy)
        self.record.add(exact, safe)
        self._made.append((known, safe))
        return safe

    def gaps(self, safe: Safe) -> Mapping[str, Gap]:
        """Return the differences between the two groups that may be told of an estimate.

        Parameters
        ----------
        safe : Safe

        Returns
        -------
        mapping of str to Gap
            By label or cause; '' where there is only one; of weighted curves none, as a bootstrap says more of them.
        """
        return gaps_of(safe, self.groups)

    def findings(self, *, whole: bool = False, label: str = "") -> None:
        """Show page one: the bottom line as a heading, a grid of indicators, a few sentences, what is not known.

        Parameters
        ----------
        whole : bool, default False
            Whether it is of the whole period: what changed is told since a year ago, not since the last quarter.
        label : str
            Of the heading, as ``sec-summary``: what links lead to.
        """
        show_findings(self, whole=whole, label=label)

    def say(
        self,
        estimates: Estimates | Safe,
        see: str = "",
        *,
        words: CurveText | None = None,
        lead: str = "",
        horizon: float = float("inf"),
    ) -> None:
        """Show an estimate as its standard sentences.

        Parameters
        ----------
        estimates : Estimates or Safe
        see : str
            Label of the figure or table that shows it, as ``fig-retention``.
        words : CurveText, optional
            Words of a curve.
        lead : str
            Words before the sentences, without numbers.
        horizon : float, default infinity
            Longest day of a curve's figure: no later day is told.

        Raises
        ------
        AnalysisError
            If the lead holds a digit.
        DisclosureError
            If there is nothing to say of it in a sentence, or what is given is no estimate.
        """
        if any(character.isdigit() for character in lead):
            msg = "report.say: numbers come from estimates; the lead must hold none"
            raise AnalysisError(msg)
        if self._without(estimates):
            return
        safe, exact = self._both(estimates, "report.say")
        view = self.view(safe, Look(words, horizon))
        if self._refused(view, exact):
            return
        # A sentence does not point to a figure that is not drawn.
        said = view.sentence("" if see.startswith("fig-") and view.undrawable else see)
        if not said:
            msg = f"report.say: '{safe.estimates.kind}' has no sentence; use report.show"
            raise DisclosureError(msg)
        self._emit("markdown", f"{translated(lead)} {said}".strip(), safe, typed=(view.event,))

    def show(
        self,
        estimates: Estimates | Safe,
        shape: Literal["auto", "figure", "table"] = "auto",
        *,
        words: CurveText | None = None,
        horizon: float = 365,
        x_label: str = "Share",
        places: Mapping[str, Sequence[int]] | None = None,
        note: str = "",
    ) -> None:
        """Show an estimate as a figure or a table, after disclosure control.

        Parameters
        ----------
        estimates : Estimates or Safe
        shape : {"auto", "figure", "table"}, default "auto"
            auto: curves and shares as figures, everything else as a table.
        words : CurveText, optional
            Words of a curve's figure.
        horizon : float, default 365
            Longest day of a curve.
        x_label : str
            What a chart of shares, or of means by week, shows.
        places : mapping of str to (column, row), optional
            Where places lie on a schematic map.
        note : str
            A line below a table.

        Raises
        ------
        UsageError
            If there is no such shape.
        AnalysisError
            If a label holds letters that figures cannot show.
        DisclosureError
            If the estimate has no safe form or no figure, or what is given is no estimate.
        """
        check_choice("report.show", "shape", shape, ("auto", "figure", "table"))
        if self._without(estimates):
            return
        safe, exact = self._both(estimates, "report.show")
        typed = (x_label, *(astuple(words) if words else ()))
        check_letters((note, *typed))
        view = self.view(safe, Look(words, horizon, x_label, places or {}))
        if self._refused(view, exact):
            return
        tabled = shape == "table" or (shape == "auto" and not view.has_figure)
        if view.untold if tabled else view.undrawable:
            self._say_absent(view)
        elif tabled:
            self._emit("table", view.table(translated(note)), safe, data=view.numbers(), typed=(note,))
        else:
            figure, alt = view.figure()
            data, head = view.drawn_numbers(), view.headline()
            phone = "" if os.environ.get(DRAFTED) else view.for_phone(figure)
            self._emit("figure", svg_of(figure), safe, alt=alt, data=data, headline=head, typed=typed, phone=phone)
            if remarks := view.remarks():
                self._emit("markdown", box("note", " ".join(remarks)), safe)

    def draw(
        self,
        estimates: Estimates | Safe,
        function: Draws,
        *,
        caption: str = "",
        alt: str = "",
        words: CurveText | None = None,
        horizon: float = 365,
    ) -> None:
        """Show a figure that a function of one's own draws from an estimate's safe numbers.

        Parameters
        ----------
        estimates : Estimates or Safe
        function : callable
            Takes a frame, draws it with matplotlib or seaborn, and returns its axes or figure. The frame is what is
            published beside the figure: rows and columns of the estimate after disclosure control, with the digits that
            are printed. The function may use nothing else of the notebook.
        caption, alt : str
            What the figure shows, and the same for readers who do not see it; or ``#| fig-cap`` and ``#| fig-alt``.
        words : CurveText, optional
            Words of a curve, for the sentence where nothing may be shown.
        horizon : float, default 365
            Longest day of a curve.

        Raises
        ------
        DisclosureError
            If the function uses what it was not given, or the estimate has no safe form.
        AnalysisError
            If nothing was drawn, or with letters that the reports' fonts do not have.
        """
        if self._without(estimates):
            return
        safe, exact = self._both(estimates, "report.draw")
        view = self.view(safe, Look(words, horizon))
        if self._refused(view, exact):
            return
        frame = view.own_numbers()
        said = {name: translated(text) for name, text in (("caption", caption), ("alt", alt)) if text}
        self._emit("figure", drawn(frame, function), safe, data=frame, typed=(caption, alt), words=said)
        if safe.note:
            self._emit("markdown", box("note", translated(safe.note)), safe)

    def show_differences(self, estimates: Estimates, note: str = "", *, cause: str = "") -> None:
        """Show a curve at given days as a table: both groups, and the difference between them.

        Parameters
        ----------
        estimates : Estimates
            Survival curves or cumulative incidences of the two groups.
        note : str
            A line below the table.
        cause : str
            Of incidences of several causes: the only one shown.
        """
        show_differences(self, estimates, note, cause)

    def show_benchmarks(
        self,
        estimates: Estimates,
        measure: str = "completion",
        shape: Literal["figure", "table"] = "table",
        *,
        nearest: Estimates | None = None,
        also: Estimates | None = None,
    ) -> None:
        """Set shares of this study beside the published ones of the same measure.

        Parameters
        ----------
        estimates : Estimates
            Made from a `Tally`, one row per group: who reached it, out of whom.
        measure : str, default "completion"
            Measure of the baselines in the study's file.
        shape : {"figure", "table"}, default "table"
        nearest : Estimates, optional
            The same of the people who are most like those of the published figures.
        also : Estimates, optional
            Another share of this study, for the figure: the dose reached beside completion.

        Raises
        ------
        AnalysisError
            If the estimates were not made from a tally.
        """
        check_choice("report.show_benchmarks", "shape", shape, ("figure", "table"))
        show_benchmarks(self, estimates, measure, shape, nearest, also)

    def _both(self, given: Estimates | Safe, door: str) -> tuple[Safe, Estimates | None]:
        known = estimates_in(given, door)
        if isinstance(known, Estimates):
            return self.safe(known), known
        # what another report made safe was held to another policy, cut or study
        if not self.record.line_of(known):
            msg = f"{known.estimates.kind}: was not made safe by this report; give report.show the estimates"
            raise DisclosureError(msg)
        return known, None

    def view(self, safe: Safe, look: Look | None = None) -> View:
        """Return how a result is seen in this report.

        Parameters
        ----------
        safe : Safe
        look : Look, optional
            Words, horizon and places.

        Returns
        -------
        View
        """
        seen = (look or Look()).translated()
        # Gaps up to the view's horizon: that of a later day would be told beside a figure that does not reach it.
        return view_of(safe, standing.order_of(self.groups, safe), seen, self.gaps(safe.until(seen.horizon)))

    def _without(self, given: object) -> bool:
        """Say of a question that cannot be asked why not; what is published says it once in a section."""
        if not (isinstance(given, Estimates) and given.absence):
            return False
        reason = dict(given.absence)
        self.absent(reason["key"], **{name: value for name, value in reason.items() if name != "key"})
        return True

    def _refused(self, view: View, exact: Estimates | None = None) -> bool:
        """Say in a sentence why there is nothing to show, where that is so."""
        if refused := view.safe.verdict == "withheld" or view.is_empty:
            self._say_absent(view, exact)
        return refused

    def _say_absent(self, view: View, exact: Estimates | None = None) -> None:
        recorded = getattr(exact and exact.analysis, "recorded", True)
        self._emit("markdown", box("absent", view.absent(recorded=recorded)), view.safe, absent="yes")

    def _emit(
        self,
        shows: Shown,
        text: str,
        safe: Safe,
        *,
        data: pd.DataFrame | None = None,
        also: Mapping[str, str] | None = None,
        typed: Sequence[str] = (),
        **said: object,
    ) -> None:
        mark = {"estimate": safe.estimates.id, "kind": safe.estimates.kind, "verdict": safe.verdict}
        emit(
            shows,
            text,
            data=data,
            **mark,
            line=self.record.line_of(safe),
            **({"also": dict(also)} if also else {}),
            **typed_numbers(typed),
            **{k: v for k, v in said.items() if v},
        )
