"""Over time: shares at the end of each quarter, what changed since the one before, and the people of each quarter."""

from __future__ import annotations

__all__ = ["ChangeOf", "by_quarter_of_referral", "change", "trend"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np
import pandas as pd

from evalkit.analyses._analyses import ShareOf, count_true, groups_of, tally
from evalkit.analyses._funnel import STEPS as FUNNEL
from evalkit.analyses._funnel import labels_of, steps
from evalkit.cohort import Cohort, needs
from evalkit.counts import Tally
from evalkit.errors import AnalysisError, did_you_mean
from evalkit.estimates import Estimates, nothing
from evalkit.periods import quarters_between
from evalkit.wilson import normal_quantile, wilson

STEPS = ("intake", "first_session", "engaged", "completed")
_ENDS = ("before", "now")
MEASURES = ("referred", "engaged", "completed")


def trend(
    cohorts: Sequence[tuple[str, Cohort]], measures: Sequence[str] = STEPS, *, conf_level: float = 0.95
) -> Estimates:
    """Return shares of the funnel as they were known at the end of each of several periods, by arm.

    Each share is of everybody whose time for the step was over by then, so that successive shares are of mostly the
    same people.

    Parameters
    ----------
    cohorts : sequence of (str, Cohort)
        Name of the period, and the cohort known at its end, in order.
    measures : sequence of str
        Steps of the funnel.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; term is step and period, label the step, period the period's name.

    Raises
    ------
    AnalysisError
        If there is no cohort.

    Examples
    --------
    >>> from evalkit.analyses import trend
    >>> trend([("2023Q4", cohort)]).tidy()[["group", "period", "term", "estimate"]].head(2).round(3)
                    group  period           term  estimate
    0  Non-mandated pilot  2023Q4  intake 2023Q4     0.830
    1                PAIP  2023Q4  intake 2023Q4     0.812
    """
    if not cohorts:
        msg = "trend needs the cohort of at least one period"
        raise AnalysisError(msg)
    if not all(cohort.has("sessions") for _, cohort in cohorts):
        return nothing("absent.table", "trends", table="sessions")
    rows: list[dict[str, object]] = []
    for period, cohort in cohorts:
        people, labels = steps(cohort), labels_of(cohort)
        for step in measures:
            label, term = labels[_known_step(step)], f"{step} {period}"
            found = count_true(people, groups_of(cohort), term, label, f"did_{step}", f"can_{step}")
            rows += [{**row, "period": period, "variable": step} for row in found]
    last = cohorts[-1][1]
    analysis = ShareOf(
        kind="trend",
        view="trend",
        estimand="share reaching a step in time, as known at the end of each period",
        population="all whose time for the step was over by then",
        conf_level=conf_level,
        notes=("Most people counted at the end of one period are counted again at the end of the next.",),
    )
    return analysis.estimate(tally(rows)).about(cut=last.cut, asked={"measures": measures})


def _known_step(step: str) -> str:
    if step not in FUNNEL:
        msg = f"'{step}' is not a step of the funnel: {', '.join(FUNNEL)}{did_you_mean(step, FUNNEL)}"
        raise AnalysisError(msg)
    return step


@dataclass(frozen=True)
class ChangeOf:
    """How a share of accumulating people changed; see `change`.

    Attributes
    ----------
    estimand, population : str
        As `Estimates` has them.
    noise_variance : float
        Of each of the four counts: the limits are wider by what that makes of the change.
    conf_level : float

    Examples
    --------
    >>> import pandas as pd
    >>> from evalkit.counts import Tally
    >>> rows = pd.DataFrame({"group": "pilot", "term": ["before", "now"], "label": "Engaged"})
    >>> counts = Tally(rows.assign(n_event=[60, 84], n=[100, 130]))
    >>> found = ChangeOf("change of the share engaged").estimate(counts)
    >>> found.tidy()[["baseline", "estimate", "conf_low", "conf_high"]].round(3)
       baseline  estimate  conf_low  conf_high
    0       0.6     0.046     0.001      0.079
    """

    key: ClassVar[str] = "change"
    estimand: str
    population: str = ""
    noise_variance: float = 0.0
    conf_level: float = 0.95

    @property
    def holds_noise(self) -> bool:
        """Whether the limits hold the noise of published counts."""
        return self.noise_variance > 0

    def estimate(self, counts: Tally) -> Estimates:
        """Return the change of these counts.

        Parameters
        ----------
        counts : Tally
            Rows by group and term, 'before' and 'now'; those of 'before' are among those of 'now'.

        Returns
        -------
        Estimates
            Columns as `change` says. A group that lacks one of its rows, or has no new people, is left out.
        """
        rows = []
        for group, own in counts.frame.groupby("group", sort=False):
            part = own.set_index("term").reindex(list(_ENDS))[["n_event", "n"]].to_numpy(dtype=np.float64)
            # With nobody new there is no change, and w would be 0: limits of no width beside a number with noise.
            if part[1, 1] > part[0, 1] > 0:
                rows.append((str(group), *self._row(*part[0], *part[1])))
        columns = ["group", "n", "n_event", "estimate", "baseline", "conf_low", "conf_high"]
        return Estimates(
            pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "float64")),
            kind="change",
            estimand=self.estimand,
            population=self.population,
            conf_level=self.conf_level,
            counts=counts,
            analysis=self,
        )

    def _row(self, x0: float, n0: float, x1: float, n1: float) -> tuple[float, ...]:
        new, share = (x1 - x0) / (n1 - n0), (n1 - n0) / n1
        # Differences of noised counts can leave 0 to 1, which Wilson's formula does not know.
        old, inside = x0 / n0, min(max(new, 0.0), 1.0)
        (l1, u1), (l0, u0) = (self._limits(x, n) for x, n in ((inside * (n1 - n0), n1 - n0), (x0, n0)))
        difference = inside - old
        below, above = share * np.hypot(inside - l1, u0 - old), share * np.hypot(u1 - inside, old - l0)
        # Most people are counted both times, so that noise is much beside what chance makes of the new ones.
        each = (1 + (x1 / n1) ** 2) / n1**2 + (1 + old**2) / n0**2
        noise = normal_quantile(self.conf_level) * np.sqrt(self.noise_variance * each)
        low, high = (share * difference + side for side in (-np.hypot(below, noise), np.hypot(above, noise)))
        change = x1 / n1 - old
        # Limits are made of a clipped share: the printed change, which is of both printed ones, could lie outside them.
        return n1, x1, change, old, min(low, change), max(high, change)

    def _limits(self, x: float, n: float) -> tuple[float, float]:
        low, high = wilson(np.array([x]), np.array([n]), self.conf_level)
        return float(low[0]), float(high[0])


def change(
    now: Cohort, before: Cohort, step: str, *, noise_variance: float = 0.0, conf_level: float = 0.95
) -> Estimates:
    r"""Return how the share that reaches a step changed since an earlier cut, by arm.

    The people counted before are counted again, so the share moves by :math:`w (p_{new} - p_{old})`, with w the share
    of the new people among all counted now; the limits are w times Newcombe's of the difference between new and old.

    Parameters
    ----------
    now, before : Cohort
        The study at two cuts.
    step : str
        A step of the funnel.
    noise_variance : float, default 0
        Of published counts.
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; one row per arm: group, n and n_event (now), estimate (the change), baseline (the share
        before), conf_low, conf_high.

    Raises
    ------
    AnalysisError
        If the step is not one of the funnel.
    MissingTableError
        If sessions are not part of the study.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine 17:873-890.

    Examples
    --------
    >>> from evalkit.analyses import change
    >>> change(cohort, earlier, "engaged").tidy()[["group", "baseline", "estimate"]].round(3)
                    group  baseline  estimate
    0  Non-mandated pilot     0.835    -0.027
    1                PAIP     0.741     0.010
    """
    label = labels_of(now)[_known_step(step)]
    rows: list[dict[str, object]] = []
    for end, cohort in zip(_ENDS, (before, now), strict=True):
        rows += count_true(steps(cohort), groups_of(cohort), end, label, f"did_{step}", f"can_{step}")
    analysis = ChangeOf(
        f"change of the share: {label.lower()}", f"people counted by {now.cut}", noise_variance, conf_level
    )
    return analysis.estimate(tally(rows)).about(cut=now.cut, asked={"step": step})


@needs("sessions", "shares by quarter of referral")
def by_quarter_of_referral(cohort: Cohort, *, conf_level: float = 0.95) -> Estimates:
    """Return how many people were referred in each quarter, and which shares of them engaged and completed, by arm.

    Unlike shares as known at the end of each quarter (`trend`), nobody is counted in two quarters: these are a series.

    Parameters
    ----------
    cohort : Cohort
    conf_level : float, default 0.95

    Returns
    -------
    Estimates
        Made from a `Tally`; term is step and quarter, label the step, period the quarter of referral. A quarter has a
        row only when every window of the step is over at the cut.

    Examples
    --------
    >>> from evalkit.analyses import by_quarter_of_referral
    >>> by_quarter_of_referral(cohort).tidy()[["group", "term", "n", "estimate"]].tail(2).round(3)
                     group             term    n  estimate
    42  Non-mandated pilot  referred 2023Q4   21       1.0
    43                PAIP  referred 2023Q4  111       1.0
    """
    people, labels, rules = steps(cohort), labels_of(cohort), cohort.rules.funnel
    # A first session may come late; whose own window is still open then is left out of the share, as in the funnel.
    last = {
        "referred": 0,
        "engaged": rules.intake_days + cohort.rules.engaged.days,
        "completed": rules.first_session_days + rules.completion_days,
    }
    study, rows = cohort.study, []
    for quarter in quarters_between(study.starts, cohort.cut, study.fiscal_year_start_month):
        dates = people["referral_date"].dt.date
        own = people[(dates >= quarter.first) & (dates <= quarter.last)]
        for step in MEASURES:
            if quarter.last + timedelta(days=last[step]) <= cohort.cut:
                term = f"{step} {quarter.name}"
                found = count_true(own, groups_of(cohort), term, labels[step], f"did_{step}", f"can_{step}")
                rows += [{**row, "period": quarter.name, "variable": step} for row in found]
    analysis = ShareOf(
        kind="referral_cohorts",
        view="referral_cohorts",
        estimand="share reaching a step in time, by quarter of referral",
        population="all whose time for the step is over, in quarters in which everybody's is",
        conf_level=conf_level,
    )
    return analysis.estimate(tally(rows)).about(cut=cohort.cut, asked={"by": "quarter of referral"})
