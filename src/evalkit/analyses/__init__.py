"""The questions that a report asks, one file each: who comes, how much, how it ends, harm, and the arms compared.

Most take a `evalkit.cohort.Cohort` (`late_entry`: the cut's tables; `trend`: several) and give `Estimates` that
remember their counts and analysis, or a frame for `evalkit.stats`. Those of a comparison take what `compare_arms` gives
(`precision`: several), and `shares`, `means` and `rates` any frame of people.

========================== ================  ===================================================================
function                   counts            what
========================== ================  ===================================================================
`steps`                    (frame)           who is eligible for each step of the funnel, and who reached it
`funnel`                   Tally             referral to completion, each step with its denominator
`completion`               Tally             the funnel's last step alone
`completion_of_intakes`    Tally             the same of people with an intake, counted from it
`reached_dose`             Tally             starters who reach the dose in time
`dose_and_completion`      Tally             both of the same starters, side by side
`engaged_by`               Tally             share engaged by site, community area, referral source
`engaged_across`           Tally             share engaged by the levels of several columns
`leaving`                  DayCounts         disengaged and completed by day since the first session
`staying`                  DayCounts         not disengaged by day, completion censored
`mean_stay`                DayCounts         difference in mean days without disengagement
`pathway`                  TransitionCounts  share in each state by day since referral
`pathway_days`             TransitionCounts  mean days in each state
`pathway_difference`       Tally             what both differ by between the arms
`completing_after_lapse`   TransitionCounts  where those are who were lapsed on an earlier day
`stage`                    (frame)           the time to an intake, a first session, disengagement
`leaving_model`            Tally             Cox model of a stage's event
`leaving_risks`            Tally             what difference each characteristic makes to its share
`leaving_foretold`         Tally             how well it can be foretold
`reach`                    Tally             people referred by the levels of a column
`referred`                 Tally             people referred, and since a day
`by_quarter_of_referral`   Tally             shares of the people of each quarter of referral
`trend`                    Tally             the funnel's shares at the end of each period
`change`                   Tally             how a share changed since an earlier cut
`time_to_first_session`    DayCounts         share with a first session by day since referral
`waiting_days`             DayCounts         days by which a quarter, a half, three quarters had one
`waiting`                  Tally             first session within two weeks, by referral source
`starting_by_wait`         DayCounts         share with a first session by day since intake, by the wait for it
`attendance_rate`          Moments           attended / (attended + absent), clustered in people
`dose_by_week`             Moments           mean sessions or hours by week since the first session
`dose_distribution`        Tally             classes of sessions attended
`dose_reached`             Moments           mean share of the dose's sessions and hours
`longest_gap`              Tally             classes of the longest gap between sessions
`returns`                  Tally             attending again after disengagement
`baseline`                 both              baseline characteristics and standardised differences
`incomplete`               Tally             people without a value of some characteristic
`caseload`                 Tally             referred, started, active by month
`completeness`             Tally             share with a value, by field
`late_entry`               DayCounts         days from event to entry, by table
`lost_to_follow_up`        Tally             follow-up ended early
`first_session_times`      (frame)           referral to first session
`return_times`             (frame)           disengagement to return
`first_harm`               DayCounts         share with recorded harm by day since intake
`without_harm`             DayCounts         without it
`mean_without_harm`        DayCounts         difference in mean days without it
`repeated_harm`            Tally             mean cumulative counts
`completed_by`             (frame)           people without harm at the landmark, by completion
`harm_after_completion`    both              harm after the landmark by completion: curves, and a Cox model
`harm_model`               Tally             Cox model of the first recorded harm
`harm_hazards`             Tally             whether its hazards stay proportional
`outcome`                  (answers)         the arms compared on a scale: overlap, balance, effects ...
`compare_arms`             (comparison)      the same, ready for the functions that take a `Comparison`
`target_of`                (words)           for whom adjusted figures are
`preference`               Tally             how propensity scores are spread (takes a `Comparison`)
`equipoise`                Tally             share with a score in the protocol's range (takes a `Comparison`)
`e_values`                 Tally             what could explain the difference (takes a `Comparison`)
`imputed`                  Tally             the difference with missing values filled in (takes a `Comparison`)
`sensitivity`              Tally             the difference under other choices (takes a `Comparison`)
`precision`                Tally             what the events seen could have detected
`subgroups`                Tally             the difference in engagement by level, with tests of interaction
`differences_of`           (frame)           the same of counts
`shares`                   Tally             one's own: of any frame of people, the share with something
`means`                    Moments           one's own: the mean of a quantity
`rates`                    Moments           one's own: events per time of observation
`cox`                      Tally             one's own formula: the time to disengagement, harm, a first session
`logistic`                 Tally             one's own formula: a step of the funnel
`wilson`                   (limits)          limits of shares
========================== ================  ===================================================================
"""

from __future__ import annotations

from evalkit.analyses._analyses import MeanOf, RatioOf, ShareOf, wilson
from evalkit.analyses._balance import BalanceOf
from evalkit.analyses._baseline import BaselineMeans, BaselineShares, baseline, incomplete
from evalkit.analyses._caseload import Caseload, caseload
from evalkit.analyses._comparable import e_values, equipoise, preference
from evalkit.analyses._compare import N_BOOT, TARGETS, Comparison, compare_arms, target_of
from evalkit.analyses._dose import (
    attendance_rate,
    dose_by_week,
    dose_distribution,
    dose_reached,
    first_session_times,
    time_to_first_session,
)
from evalkit.analyses._funnel import (
    completion,
    completion_of_intakes,
    dose_and_completion,
    engaged_by,
    funnel,
    reached_dose,
    steps,
)
from evalkit.analyses._gaps import longest_gap, return_times, returns
from evalkit.analyses._landmark import completed_by, harm_after_completion
from evalkit.analyses._leaving import LEAVING_BOOT, leaving_foretold, leaving_model, leaving_risks, stage
from evalkit.analyses._model import (
    EVENTS_PER_TERM,
    first_harm,
    harm_hazards,
    harm_model,
    mean_without_harm,
    without_harm,
)
from evalkit.analyses._outcome import Outcome, outcome
from evalkit.analyses._own import RateOf, means, rates, shares
from evalkit.analyses._own_models import cox, logistic
from evalkit.analyses._pathway import completing_after_lapse, pathway, pathway_days, pathway_difference
from evalkit.analyses._precision import PrecisionOf, precision
from evalkit.analyses._quality import LateEntry, completeness, late_entry, lost_to_follow_up
from evalkit.analyses._reach import engaged_across, reach, referred
from evalkit.analyses._recurrent import MeanCountOf, repeated_harm
from evalkit.analyses._sensitivity import IMPUTED_BOOT, imputed, sensitivity
from evalkit.analyses._stay import leaving, mean_stay, staying
from evalkit.analyses._subgroups import differences_of, subgroups
from evalkit.analyses._trend import ChangeOf, by_quarter_of_referral, change, trend
from evalkit.analyses._waiting import starting_by_wait, waiting, waiting_days

__all__ = [
    "EVENTS_PER_TERM",
    "IMPUTED_BOOT",
    "LEAVING_BOOT",
    "N_BOOT",
    "TARGETS",
    "BalanceOf",
    "BaselineMeans",
    "BaselineShares",
    "Caseload",
    "ChangeOf",
    "Comparison",
    "LateEntry",
    "MeanCountOf",
    "MeanOf",
    "Outcome",
    "PrecisionOf",
    "RateOf",
    "RatioOf",
    "ShareOf",
    "attendance_rate",
    "baseline",
    "by_quarter_of_referral",
    "caseload",
    "change",
    "compare_arms",
    "completed_by",
    "completeness",
    "completing_after_lapse",
    "completion",
    "completion_of_intakes",
    "cox",
    "differences_of",
    "dose_and_completion",
    "dose_by_week",
    "dose_distribution",
    "dose_reached",
    "e_values",
    "engaged_across",
    "engaged_by",
    "equipoise",
    "first_harm",
    "first_session_times",
    "funnel",
    "harm_after_completion",
    "harm_hazards",
    "harm_model",
    "imputed",
    "incomplete",
    "late_entry",
    "leaving",
    "leaving_foretold",
    "leaving_model",
    "leaving_risks",
    "logistic",
    "longest_gap",
    "lost_to_follow_up",
    "mean_stay",
    "mean_without_harm",
    "means",
    "outcome",
    "pathway",
    "pathway_days",
    "pathway_difference",
    "precision",
    "preference",
    "rates",
    "reach",
    "reached_dose",
    "referred",
    "repeated_harm",
    "return_times",
    "returns",
    "sensitivity",
    "shares",
    "stage",
    "starting_by_wait",
    "staying",
    "steps",
    "subgroups",
    "target_of",
    "time_to_first_session",
    "trend",
    "waiting",
    "waiting_days",
    "wilson",
    "without_harm",
]
