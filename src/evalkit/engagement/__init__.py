"""Engagement: who comes, how much, how it ends, and how good the records of it are.

Every function takes a `evalkit.cohort.Cohort` (`late_entry`: the cut's tables) and gives `Estimates` that
remember their counts and analysis, or a frame of times for `evalkit.survival`.

====================== ==========  ==================================================================
function               counts      what
====================== ==========  ==================================================================
`funnel`               Tally       referral to completion, each step with its denominator
`completion`           Tally       the funnel's last step alone
`engaged_by`           Tally       share engaged by site, community area, referral source
`engaged_across`       Tally       share engaged by the levels of several columns
`leaving_model`        Tally       Cox model of each stage: before intake, before a session, after it
`leaving_risks`        Tally       difference that each characteristic makes by a day, the others as they are
`leaving_foretold`     Tally       how much of it can be foretold, corrected for optimism
`starting_by_wait`     DayCounts   share with a first session since intake, by days waited for it
`waiting`              Tally       share with an intake, a first session within so many days
`stage`                (frame)     times of a stage
`leaving`              DayCounts   disengaged and completed by day since the first session
`staying`              DayCounts   not disengaged by day, completion censored
`pathway`              Transition  probability of each state by day since referral
`pathway_days`         Transition  mean days in each state
`completing_after_lapse` Transition  states of people who were lapsed on an earlier day
`mean_stay`            DayCounts   difference in mean days without disengagement
`reach`                Tally       people referred by the levels of a column
`referred`             Tally       people referred, and since a day
`trend`                Tally       the funnel's shares at the end of each period
`change`               Tally       how a share changed since an earlier cut
`time_to_first_session`DayCounts  share with a first session by day since referral
`attendance_rate`      Moments     attended / (attended + absent), clustered in people
`dose_by_week`         Moments     mean sessions or hours by week since the first session
`dose_distribution`    Tally       classes of sessions attended
`dose_reached`         Moments     mean share of the dose's sessions and hours
`longest_gap`          Tally       classes of the longest gap between sessions
`returns`              Tally       attending again after disengagement
`baseline`             both        baseline characteristics and standardised differences
`incomplete`           Tally       people without a value of some characteristic
`caseload`             Tally       referred, started, active by month
`completeness`         Tally       share with a value, by field
`late_entry`           DayCounts   days from event to entry, by table
`lost_to_follow_up`    Tally       follow-up ended early
`first_session_times`  (frame)     referral to first session
`return_times`         (frame)     disengagement to return
====================== ==========  ==================================================================
"""

from evalkit.engagement._analyses import Caseload, LateEntry, MeanOf, RatioOf, ShareOf, wilson
from evalkit.engagement._baseline import BaselineMeans, BaselineShares, baseline, incomplete
from evalkit.engagement._caseload import caseload
from evalkit.engagement._dose import (
    attendance_rate,
    dose_by_week,
    dose_distribution,
    dose_reached,
    first_session_times,
    time_to_first_session,
)
from evalkit.engagement._funnel import completion, engaged_by, funnel, steps
from evalkit.engagement._gaps import longest_gap, return_times, returns
from evalkit.engagement._leaving import leaving_foretold, leaving_model, leaving_risks, stage
from evalkit.engagement._pathway import completing_after_lapse, pathway, pathway_days
from evalkit.engagement._quality import completeness, late_entry, lost_to_follow_up
from evalkit.engagement._reach import engaged_across, reach, referred
from evalkit.engagement._stay import leaving, mean_stay, staying
from evalkit.engagement._trend import ChangeOf, change, trend
from evalkit.engagement._waiting import starting_by_wait, waiting

__all__ = [
    "BaselineMeans",
    "BaselineShares",
    "Caseload",
    "ChangeOf",
    "LateEntry",
    "MeanOf",
    "RatioOf",
    "ShareOf",
    "attendance_rate",
    "baseline",
    "caseload",
    "change",
    "completeness",
    "completing_after_lapse",
    "completion",
    "dose_by_week",
    "dose_distribution",
    "dose_reached",
    "engaged_across",
    "engaged_by",
    "first_session_times",
    "funnel",
    "incomplete",
    "late_entry",
    "leaving",
    "leaving_foretold",
    "leaving_model",
    "leaving_risks",
    "longest_gap",
    "lost_to_follow_up",
    "mean_stay",
    "pathway",
    "pathway_days",
    "reach",
    "referred",
    "return_times",
    "returns",
    "stage",
    "starting_by_wait",
    "staying",
    "steps",
    "time_to_first_session",
    "trend",
    "waiting",
    "wilson",
]
