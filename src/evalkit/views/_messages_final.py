"""Messages of the final report: participants, overlap, sensitivity, subgroups, precision, conclusions."""

from __future__ import annotations

__all__ = ["FINAL"]

FINAL: dict[str, str] = {
    # -- participants
    "base.most": "The groups differ most in {first}{second}.",
    "base.one": "“{name}” ({one} in {group}, {two} in {other}; standardized difference {smd})",
    "base.two": ", then in {name}",
    "base.only": "The only characteristic that can be compared differs by more than {limit} standard deviations.",
    "base.single": "Of {all} characteristics that can be compared, one differs by more than {limit} standard "
    "deviations.",
    "base.many": "Of {all} characteristics that can be compared, {n} differ by more than {limit} standard deviations.",
    "base.none": "No characteristic that can be compared differs by more than {limit} standard deviations.",
    "base.absent": "Too few people have been referred to describe both groups.",
    "base.note": "Standardized difference: the difference between the groups in standard deviations (pooled). Shares "
    "are of everybody referred; means are of people with a value.",
    "base.left": "Left out, because fewer than {minimum} people of either group are in them, or could be worked out: "
    "{levels}.",
    # -- overlap
    "pref.axis": "Preference score (half: characteristics speak for neither group)",
    "pref.share": "Share of the group\n(areas, not heights)",
    "pref.band": "both groups are common",
    "pref.alt": "{group}: {values}.",
    "pref.value": "{share} from {low} to {high}",
    # -- sensitivity
    "sens.same": "All other choices give the same answer as the main analysis: {answer}. The estimates run from "
    "{low} to {high} points.",
    "sens.same.none": "Under no other choice do the limits exclude zero, but the estimates run from {low} to {high} "
    "points. Rows with another target or another day estimate something else.",
    "sens.differ": "These other choices give another answer than the main analysis ({answer}): {names}. The "
    "estimates run from {low} to {high} points.",
    "sens.none": "No other choice could be computed.",
    "sens.clear": "a clear difference",
    "head.sens": "Under other choices, from {low} to {high} points",
    "head.imputed": "With missing values imputed, {value} points ({low} to {high}); without, {before}",
    "imputed.said": "Among people with every value the weighted difference is {before} points ({before_low} to "
    "{before_high}); with missing values imputed it is {value} points ({low} to {high}).",
    "imputed.same": "Leaving people out does not change the answer.",
    "imputed.other": "The answer depends on how missing values are treated, so it is not a firm one.",
    "imputed.none": "Nobody who can be compared lacks a value, or too few do for imputation.",
    # -- E-values
    "e.holds": "The weighted hazard ratio of {event} is {ratio} ({low} to {high}), and its limits include no "
    "difference: there is nothing to explain away, but something unmeasured could also hide a difference. To make up "
    "the estimate itself, something unmeasured would have to be linked to both the group and the event by a risk "
    "ratio of {value} (its E-value).",
    "e.clear": "The weighted hazard ratio of {event} is {ratio} ({low} to {high}), an average over time. To explain "
    "it away, something unmeasured would have to be linked to both the group and the event by a risk ratio of {value} "
    "(its E-value); to make its limits include no difference, {limit}.",
    "e.strongest": "Of what was measured, the strongest reaches {value} ({name}).",
    "e.fragile": "An unmeasured characteristic no stronger than that could explain the result.",
    "e.enough": "Something unmeasured that is as strong as that would be enough.",
    "e.axis": "E-value: risk ratio with the group and with the event",
    "e.estimate": "estimate",
    "e.limit": "limit",
    "e.row.estimate": "Weighted hazard ratio",
    "e.row.limit": "Its limit nearest to no difference",
    "head.e": "Needed to explain the estimate away: {value}; strongest measured: {strongest}",
    # -- subgroups
    "sub.none": "No characteristic has two groups large enough to be compared.",
    "sub.quiet": "The difference between the groups was compared across the levels of {n} characteristics. In none is "
    "there a clear sign that it depends on the characteristic (smallest p {p}, {name}).",
    "sub.some": "The difference between the groups may depend on {names}. {n} characteristics were tested: with "
    "several tests a small p value can be chance alone.",
    "sub.some.one": "{name} (p {p})",
    "sub.axis": "Difference in the share engaged, points\n(left of the line: lower in {group})",
    "sub.p": "interaction p {p}",
    "sub.row": "{variable}, {label}: {value} points ({low} to {high}).",
    "head.sub": "Everybody: {value} points ({low} to {high})",
    "sub.note": "Differences are in whole percentage points, not adjusted for other characteristics. Levels at which "
    "few people engaged, or few did not, are joined with others; joining can hide a difference.",
    # -- repeated harm
    "count.day": "By day {day}, harm had been recorded {values}.",
    "count.value": "{value} times per hundred people in {group} ({low} to {high})",
    "count.gap.none": "There is no clear difference. These figures are not adjusted.",
    "count.gap.higher": "That is clearly more often in {group}. These figures are not adjusted.",
    "count.gap.lower": "That is clearly less often in {group}. These figures are not adjusted.",
    "count.none": "Too few harms have been recorded to say how often they are repeated.",
    "count.axis": "{event}\nper hundred people",
    "count.x": "Days of follow-up",
    "count.alt": "{group}: {values}.",
    "count.alt.one": "{value} per hundred by day {day}",
    "head.count": "By day {day}: {values}",
    # -- precision
    "prec.said": "{label}: with about {events} events among {n} people, a hazard ratio of {least} or more, or of "
    "{largest} or less, would have been found in four of five such studies. A ratio of {ratio} would have been found "
    "in {power} of them; for four of five, about {needed} events are needed.",
    "prec.none": "There are too few events to say what could have been detected.",
    "prec.note": "Schoenfeld's formula, unadjusted, two-sided at the five percent level. Weighting costs precision: "
    "what an adjusted figure can detect is larger than this.",
    # -- proportional hazards
    "gate.hazards.pass": "The test found no sign that hazard ratios change over time (p {value}); with few events "
    "it finds little.",
    "gate.hazards.fail": "Hazard ratios change over time (p {value}): one hazard ratio is an average that depends on "
    "the length of follow-up. Read the shares at given days instead.",
    # -- conclusions and limitations
    "end.absent": "**{event}.** The groups cannot be compared with adjustment, so nothing is concluded.",
    "end.early": "**{event}.** Too few people have been followed for long enough: nothing is concluded yet.",
    "end.failed": "**{event}.** No conclusion is drawn from adjusted figures: {reasons}. They are shown so that "
    "readers can see what was tried.",
    "end.balance": "the groups still differ after weighting",
    "end.equipoise": "too few people could have been in either group",
    "end.sample": "after weighting, one group counts for too few people",
    "end.balance.unknown": "balance could not be judged",
    "end.equipoise.unknown": "overlap could not be judged",
    "end.sample.unknown": "the size of the groups after weighting could not be judged",
    "end.none": "**{event}.** After adjustment for what was measured, no clear difference was found by day {day} (by "
    "weighting, {low} to {high} points). This does not show that the groups are alike: any difference in that range "
    "fits the data.",
    "end.mixed": "**{event}.** The three ways of adjusting do not agree whether there is a difference by day {day} (by "
    "weighting, {low} to {high} points). Nothing firm is concluded.",
    "end.higher": "**{event}.** After adjustment for what was measured, the share by day {day} is clearly higher in "
    "{group} (by weighting, {low} to {high} points). All three ways of adjusting agree.",
    "end.lower": "**{event}.** After adjustment for what was measured, the share by day {day} is clearly lower in "
    "{group} (by weighting, {low} to {high} points). All three ways of adjusting agree.",
    "end.fragile": "The finding is fragile: something unmeasured as weak as a risk ratio of {value} could explain it.",
    "end.sturdy": "Something unmeasured would need a risk ratio of {value} with both group and event to explain it.",
    "end.power": "Even large differences may have been missed: without adjustment, a hazard ratio of {least} "
    "or more, or {largest} or less, would be found in four of five such studies, and after adjustment in fewer.",
    "limit.exchange.mandate": "The groups are not exchangeable: the mandate itself is what differs. Adjustment "
    "removes differences in what was measured, and nothing else.",
    "limit.exchange.random": "The groups were made by lot, but who was lost or left out later was not drawn by lot. "
    "Adjustment removes differences in what was measured, and nothing else.",
    "limit.exchange.other": "The groups are not exchangeable: nobody drew lots who belongs to which. Adjustment "
    "removes differences in what was measured, and nothing else.",
    "limit.start.intake": "Follow-up begins at a first session or an intake, not at referral. Who gets so far may "
    "differ between the groups, and no weighting for what was measured is sure to mend that.",
    "limit.start.referral": "Harm is followed from referral, but leaving from a first session. Who gets so far may "
    "differ between the groups, and no weighting for what was measured is sure to mend that.",
    "limit.failed": "The comparison of {event} fails a diagnostic: {reasons}.",
    "limit.passed": "The diagnostics of the comparison of {event} are met. That holds for what was measured only.",
    "limit.hazards": "Hazard ratios of the model of harm change over time; they are averages.",
    "limit.missing": "{shares} lack a value for at least one characteristic. They are left out of adjusted figures; "
    "imputation assumes that what is missing can be told from what is not.",
    "limit.e": "Something unmeasured could explain the difference in {event} (E-value of its limit: {value}).",
    "limit.watched": "Recorded harm is less than harm. People who are watched more closely have more of it recorded.",
    "limit.small": "Counts below {minimum} are not shown and others are a little off on purpose, so that nobody can be "
    "recognized. Differences within small groups stay unknown.",
    "limit.published": "Published figures counted other people in other years.",
}
