"""The catalogue: every sentence and label that reports print, whole, with named places for what comes from the data.

Keys name the use. ``.one`` and ``.zero`` stand beside ``.many`` where grammar asks for it. A translation gives the same
keys; no sentence is put together from fragments of grammar.
"""

from __future__ import annotations

from evalkit.views._messages_final import FINAL

__all__ = ["ENGLISH"]

ENGLISH: dict[str, str] = {
    # -- lists and small forms
    "list.two": "{first} and {second}",
    "list.last": "{most} and {last}",
    "people.zero": "no people",
    "people.one": "{n} person",
    "people.many": "{n} people",
    "see": "{text} See {label}.",
    "points.lower.one": "{n} point lower",
    "points.lower.many": "{n} points lower",
    "points.higher.one": "{n} point higher",
    "points.higher.many": "{n} points higher",
    "points.same": "no points apart",
    "days.lower.one": "{n} day fewer",
    "days.lower.many": "{n} days fewer",
    "days.higher.one": "{n} day more",
    "days.higher.many": "{n} days more",
    "days.same": "no days apart",
    "group.share": "{share} in {group}",
    "group.share.limits": "{share} in {group} ({low} to {high})",
    "group.share.of": "{share} in {group} ({low} to {high}; {x} of {people})",
    "model.of": "The model describes {n} people with {events} events (rounded).",
    "attrition.said": "Of {first} referrals, {last} are counted after the last step.",
    "late.said": "Half of the rows are entered within so many days of the event, or fewer: {tables}.",
    "late.said.one": "{days} ({table})",
    # -- any result
    "plain.said": "{what}: {values}.",
    "column.label": "Result",
    "column.term": "Term",
    "column.contrast": "Comparison",
    "column.measure": "Measure",
    "column.cause": "Event",
    "column.method": "Method",
    "column.period": "Period",
    "column.group": "Group",
    "column.time": "Day",
    "column.tau": "Horizon, days",
    "column.q": "Quantile",
    "column.n": "People",
    "column.n_event": "Events",
    "column.estimate": "Estimate",
    "column.ci": "95% CI",
    "column.hazard_ratio": "Hazard ratio",
    "column.statistic": "Statistic",
    "column.df": "Degrees of freedom",
    "column.p_value": "p",
    "column.aic": "AIC",
    # -- what cannot be shown
    "absent.small": "Not shown: fewer than {minimum} people or events would be described.",
    "absent.size": "Not shown side by side: in one group ({hidden}) fewer than {minimum} people have had the event, or "
    "have not. A comparison needs at least as many of both in each group.",
    "absent.early": "Not shown yet: too few people have been observed for long enough.",
    "absent.unrecorded": "Not shown: it is not recorded.",
    "named.rmst_contrast": "Difference in the mean time without the event.",
    "named.attendance_rate": "Attendance rate.",
    "named.dose_reached": "Mean share of the full dose.",
    "named.returns": "People who came back after disengaging.",
    "absent.table": "The {table} table is not part of this study, so {what} cannot be reported.",
    "absent.benchmark": "The study names no published figure on {measure}, so there is nothing to compare with.",
    "absent.quarter": "There is no earlier quarter to compare with.",
    "note.curve": "To protect participants, curves are smoothed over blocks of at least {minimum} events, and numbers "
    "at risk are a little off on purpose.",
    "note.quiet": "No event is known in {groups} so far, which is not to say that there is none: no curve is drawn.",
    "note.undrawn": "No line is drawn of {groups}: there is no day for which a share can be given.",
    "note.weeks": "Counts are a little off on purpose: small steps from week to week can be that alone.",
    "note.weighted": "These curves are only roughly those that the adjusted differences come from: where the two are "
    "apart, believe the table. Numbers at risk are people, not weights.",
    # -- differences between the two groups
    "gap.none": "There is no clear difference: in {group} the share could be anything from {low} to {high}.",
    "gap.higher": "The share is clearly higher in {group}: by {low} to {high} points.",
    "gap.lower": "The share is clearly lower in {group}: by {low} to {high} points.",
    "gap.days.none": "There is no clear difference: it could be anything from {low} to {high}.",
    "gap.days.higher": "That is clearly more in {group}: by {low} to {high} days.",
    "gap.days.lower": "That is clearly fewer in {group}: by {low} to {high} days.",
    "gap.word.none": "no clear difference",
    "gap.word.none.early": "no clear difference by then",
    "gap.word.higher": "clearly higher",
    "gap.word.lower": "clearly lower",
    "change.none": "A quarter ago it was {before}: no clear change (from {low} to {high}).",
    "change.higher": "A quarter ago it was {before}: a clear rise (by {low} to {high} points).",
    "change.lower": "A quarter ago it was {before}: a clear fall (by {low} to {high} points).",
    "groups": "This report compares two groups: {groups}.",
    "groups.defined": "**{label}** ({definition})",
    "groups.named": "**{label}**",
    "groups.limited": "Of {label} only people are counted whose records say: {condition}. Others of that program are "
    "in neither group; the table of who is counted says how many.",
    "groups.unlimited": "The records do not say whether {condition}: what is said here of who comes to {label} is what "
    "is publicly said of it, not what these data show.",
    # -- page one
    "find.reach.zero": "**Nobody** has been referred to the {group} yet.",
    "find.reach.one": "**{n} person** has been referred to the {group} since {start}.",
    "find.reach.many": "**{n} people** have been referred to the {group} since {start}.",
    "find.reach.small": "**Fewer than {minimum} people** have been referred to the {group} so far.",
    "find.reach.new": "About {n} of them were referred in this period.",
    "find.reach.few": "Fewer than {minimum} of them were referred in this period.",
    "find.reach.none": "None of them were referred in this period.",
    "find.engaged": "**{share} engaged in the {group}** ({low} to {high}, of {n} people whose intake was {days} days "
    "ago or more). They came to {sessions} or more sessions within {days} days.",
    "find.staying": "**{share} of starters had left the {group} by day {day}** without completing ({low} to {high}). "
    "Left means {gap} days without a session.",
    "find.staying.none": "**How many starters had left** the {group} by day {wanted} is not given: {why}",
    "find.completed": "**{share} of starters completed the {group}** within {days} days ({low} to {high}, of {n} "
    "people who started that long ago).",
    "find.harm": "**{share} had {event} by day {day}** after {origin} in the {group} ({low} to {high}).",
    "harm.origin.referral": "referral",
    "harm.origin.intake": "intake",
    "find.harm.none": "**How many had {event}** by day {wanted} in the {group} is not given: {why}",
    "find.harm.early": "**How many had {event}** in the {group} cannot be told yet: too few people have been followed "
    "for long enough.",
    "find.why.few": "too few people would stand behind it.",
    "find.harm.recorded": "Much harm is never recorded.",
    "find.sooner": "No figure for day {wanted} is given: {why}",
    "find.disengaging": "disengaging",
    "find.other": "In {group} it was {share}.",
    "find.published": "A published study, {label}, found {share} of {n} {whom}. These are other people in other years: "
    "that share is no target.",
    "find.cause.mandate": "These figures do not show what the program caused. People sent by a court differ from "
    "people who come without a court order.",
    "find.cause.random": "The groups were made by lot: at the start only chance set them apart.",
    "find.cause.other": "These figures do not show what the program caused. The groups may differ in more than the "
    "program.",
    "methods.where": "Of {group} only people for whom {condition}; others of that program are in neither group, and "
    "are counted apart. Where a column is recorded of nobody it limits nobody.",
    "methods.searches": "People count whom every source was searched for, from that day on to the earliest end of a "
    "search.",
    "methods.death.competing": "A death before it is another end, after which there is none.",
    "methods.death.censored": "With a death follow-up ends.",
    "methods.custody": "Custody is another end, too.",
    "methods.pauses": "Not counted among them are {days}.",
    "methods.pauses.closed": "days on which the site was closed",
    "methods.pauses.cancelled": "days on which all of somebody’s sessions were cancelled",
    "methods.dose": "{sessions} attended sessions of the counting kinds ({kinds}) and {hours} hours",
    "methods.completed.either": "{dose}, or a recorded completion.",
    "methods.completed.dose": "{dose}; who is recorded to have completed without them is not followed any longer.",
    "methods.completed.recorded": "A recorded completion. The dose ({dose}) is another thing, and is counted "
    "apart. A program may ask for more before it lets anybody complete, no current violence among it: later harm of "
    "people who completed and of others then differs partly by definition.",
    "methods.cause.mandate": "The mandate itself is what differs between the groups, so they differ from the start; a "
    "difference between them does not show what the program caused.",
    "methods.cause.random": "The groups were made by lot. A difference between them is chance, an effect of what was "
    "offered, or comes from who was lost to follow-up; which of them, no single figure shows.",
    "methods.cause.other": "The groups may differ from the start; a difference between them does not show what the "
    "program caused.",
    "find.range": "Ranges in parentheses are 95% confidence intervals: how far chance alone could move a figure. “No "
    "clear difference” does not mean that the groups are alike.",
    "find.nothing": "Too few people have been followed for long enough to report findings. The sections below say "
    "what is known so far.",
    # -- standard sentences
    "curve.day": "At day {day}, {shares} were {event}.",
    "curve.unquoted.few": "No share is given for {groups}: too few people would stand behind it.",
    "curve.named": "{group} ({cause})",
    "curve.none": "Too few people were observed long enough to say anything about a given day.",
    "cif.day": "By day {day}, {cause}: {shares}.",
    "each": "{label}: {shares}.",
    "funnel.none": "For no step is there a group whose time is over and that is large enough to be described.",
    "rmst": "In the first {tau} days, participants stayed {days} days longer or shorter on average.",
    "rmst.gap.none": "Over the first {tau} days there is no clear difference in the mean time without {event}: "
    "compared with {other}, {group} could lie anywhere from {low} to {high}.",
    "rmst.gap.higher": "Over the first {tau} days, people in {group} spent clearly more days without {event} than "
    "people in {other}: {low} to {high} days more.",
    "rmst.gap.lower": "Over the first {tau} days, people in {group} spent clearly fewer days without {event} than "
    "people in {other}: {low} to {high} days fewer.",
    "test.gray": "Gray's test of equal incidence: {tests}.",
    "test.gray.one": "{cause} p {p}",
    "cox.none": "{name}: there is no clear difference in the rate of the event (hazard ratio {ratio}, 95% confidence "
    "interval {low} to {high}, p {p}), other terms of the model held equal.",
    "cox.higher": "{name}: the rate of the event was higher (hazard ratio {ratio}, 95% confidence interval {low} to "
    "{high}, p {p}), other terms of the model held equal.",
    "cox.lower": "{name}: the rate of the event was lower (hazard ratio {ratio}, 95% confidence interval {low} to "
    "{high}, p {p}), other terms of the model held equal.",
    "cox.infinite": "{name}: no finite hazard ratio can be given, because it tells those with the event from those "
    "without completely.",
    "cox.interaction": "{name}: how much one changes the effect of the other is in the table of the model.",
    "model.reference": "{name} (reference: {reference})",
    "model.level": "{name}: {level}",
    "model.both": "{first} × {second}",
    "model.at": "{name}, at {fixed}",
    "model.fixed": "{name} = {value}",
    # -- headlines of figures and tables
    "head.shares": "{label}: {shares}",
    "head.curve": "By day {day}, {shares} were {event}: {gap}",
    "head.curve.one": "By day {day}, {shares} were {event}",
    "head.cif": "By day {day}, {cause}: {shares}; {gap}",
    "head.cif.one": "By day {day}, {cause}: {shares}",
    "head.weeks": "Weekly sessions in {group}: {first} in week {from_week}, {last} in week {to_week}",
    "head.weeks.one": "Weekly sessions in {group}: {first} in week {from_week}",
    "head.hours": "Weekly hours in {group}: {first} in week {from_week}, {last} in week {to_week}",
    "head.hours.one": "Weekly hours in {group}: {first} in week {from_week}",
    "head.tiles.all": "Everybody in the {group} came from {level}: {n} people",
    "head.reach.all": "{level} is the source of all referrals to the {group}",
    "head.tiles.near": "People of the {group} came in similar numbers from {level}: {low} to {high}",
    "head.reach.near": "The most common sources of the {group} are {level}: {low} to {high}",
    "head.tiles.one": "The largest share of the {group} came from {level}: {n} people, or {share}",
    "head.tiles.many": "The largest shares of the {group} came from {level}: {n} people, or {share}, from each",
    "head.reach.one": "{level} is the most common source: {share} of the {group}",
    "head.reach.many": "{level} are the most common sources: {share} of the {group} each",
    "head.trend": "{group}, now and a quarter ago: {measures}",
    "head.trend.one": "{label} {now} ({before})",
    "head.across.range": "{what} in the {group} differs by {name}: {low} ({low_label}) to {high} ({high_label})",
    "head.across.same": "{what} in the {group} does not clearly differ by {name}: {low} ({low_label}) to {high} "
    "({high_label})",
    "head.across.hidden.engaged": "Too few groups of the {group} can be shown to say whether it engages some people "
    "better",
    "head.across.hidden.waiting": "Too few groups of the {group} can be shown to say whether some people wait longer",
    "across.engaged": "Engagement",
    "across.waiting": "A prompt first session",
    "quantile.one": "{share} by day {day} ({low} to {high})",
    "quantile.open": "{share} by day {day} (from {low})",
    "quantile.none": "{share} by no day so far",
    "quantile.said": "In {group}, so many {event}: {values}.",
    "quantile.event": "had the event",
    "head.published": "{measure}: {shares}. Published shares are of other people",
    "head.published.completion": "Completed: {shares}. Published shares are of other people",
    # -- published figures
    "benchmark.note": "Here: {whom}. Who is counted differs from figure to figure: read a difference beside both "
    "denominators. Sources: {sources}",
    "benchmark.like": "{group}, of {whom}",
    "benchmark.sources": "Sources: {sources}",
    "benchmark.axis": "Share ({measure})",
    "table.complete": "Known for everybody: {fields}.",
    "restated.slight": "Changed too slightly for both numbers to be shown, in one group or more: {figures}.",
    "restated.none": "No figure of {period} changed.",
    # -- comparison of the groups
    "effect": "{label}: {value} points ({low} to {high}).",
    "effect.none": "{label}: there is no clear difference. Compared with {other}, {group} could lie anywhere from "
    "{low} to {high}.",
    "effect.higher": "{label}: the share is clearly higher in {group}, by {low} to {high} points.",
    "effect.lower": "{label}: the share is clearly lower in {group}, by {low} to {high} points.",
    "note.referred": "Of all referred: also of people referred too recently to have taken a step. These shares still "
    "rise, and are no completion rates.",
    "note.whom": "Counted are {whom}, so figures can differ from those above.",
    "effect.note": "Differences are {contrast}, in percentage points. What is estimated: {estimand}.",
    "effect.axis": "Difference, percentage points\n(left of the line: lower in {group})",
    "head.effects": "After adjustment, {value} points ({low} to {high}): {gap}",
    "note.balance": "Differences before weighting are those of published numbers of people, as in the table of "
    "participants.",
    "balance.said": "{what}.",
    "balance.row": "{label}: {before} before, {after} after weighting.",
    "balance.axis": "Standardized mean difference",
    "balance.before": "square: before",
    "balance.after": "dot: after",
    "head.balance": "Largest difference {before} before weighting, {after} after",
    "gate.balance.pass": "After weighting, every measured characteristic is balanced: the largest standardized "
    "difference is {value}.",
    "gate.balance.fail": "After weighting, the groups still differ: the largest standardized difference is {value}, "
    "above {limit}. The adjusted figure may carry that difference and is not a fair comparison.",
    "gate.balance.hidden": "After weighting, the groups still differ in a characteristic of which no number is shown, "
    "as too few people have it. The adjusted figure may carry that difference and is not a fair comparison.",
    "gate.equipoise.pass": "{value} of people have a preference score at which both groups are common.",
    "gate.equipoise.fail": "Only {value} of people have a preference score at which both groups are common (less than "
    "{limit}): the comparison rests on a model more than on comparable people.",
    "gate.sample.pass": "After weighting, {group} counts for about {own} people and {other} for about {others}.",
    "gate.sample.fail": "After weighting, {group} counts for about {own} people and {other} for about {others}: less "
    "than {limit} in a group is too little to rest a conclusion on.",
    "gate.unknown": "Balance could not be judged for every characteristic.",
    "gate.measured": "This holds for what was measured: no weighting removes a difference in what was not.",
    "absent.comparison": "Not shown: {what}. The groups cannot be compared: one of them has too few people, or their "
    "characteristics tell them apart completely.",
    "absent.conclusions": "Nothing can be concluded: neither sessions nor outcomes are part of this study.",
    # -- words of figures
    "cause.disengagement": "disengaged",
    "cause.completion": "completed",
    "cause.first session": "attended a first session",
    "figure.risk": "Number at risk",
    "figure.here": "This study",
    "figure.nearest": "This study, nearest to published",
    "figure.not_shown": "not shown",
    "figure.none": "none",
    "alt.day": "{share} at day {day}",
    "alt.curve": "{group}, {event}: {values}.",
    "alt.curve.few": "{group}: too few people to show.",
    "alt.week": "{group}: {first} in week {from_week}, {last} in week {to_week}.",
    "alt.week.one": "{group}: {first} in week {from_week}.",
    "alt.values": "{group}: {values}.",
    "alt.value": "{label} {value}",
    "alt.published": "Published: {values}.",
    "alt.trend": "{label}, {group}: {values}.",
    "alt.trend.value": "{share} at the end of {period}",
    # -- what becomes of people
    "state.waiting": "waiting",
    "state.active": "active",
    "state.lapsed": "lapsed",
    "state.returned": "returned",
    "state.completed": "completed",
    "state.left": "left",
    "state.other": "not told apart",
    "state.head.waiting": "Waiting",
    "state.head.active": "Active",
    "state.head.lapsed": "Lapsed",
    "state.head.returned": "Returned",
    "state.head.completed": "Completed",
    "state.head.left": "Left",
    "state.head.other": "Not told apart",
    "path.day": "Day",
    "path.x": "Days since referral",
    "path.y": "Share of the people referred",
    "path.note": "Days since referral. Not told apart: several states together, each with few people in it.",
    "path.said": "Of every hundred people referred to {group}, on day {day} about {values}.",
    "path.from": "Of every hundred people of {group}, on day {day} about {values}.",
    "path.in.waiting": "{n} were waiting for a first session",
    "path.in.active": "{n} were active",
    "path.in.lapsed": "{n} had lapsed",
    "path.in.returned": "{n} had returned",
    "path.in.completed": "{n} had completed",
    "path.in.left": "{n} had left",
    "path.grey": "Grey: people in states with few people in them, who are not told apart. An area that begins or ends "
    "at nothing begins or ends with few people, not with nobody.",
    "path.completed": "Completed is counted since referral, by the rule of the protocol.",
    "path.alt": "{group}, day {day}: {values}.",
    "path.alt.one": "{state} {share}",
    "head.path": "On day {day} after referral, {shares} were {state}",
    "days.state": "State",
    "days.note": "Mean days of the first {tau} after referral, with 95% limits. Days in all states, with those not "
    "shown, add up to {tau}.",
    "days.said": "Mean days of the first {tau} after referral, in {group}: {values}.",
    "days.one": "{state} {days} ({low} to {high})",
    # -- who leaves
    "stage.event": "the event",
    "stage.before_intake": "an intake",
    "stage.before_session": "a first session",
    "stage.after_session": "disengagement",
    "stage.who": "Who will have the event",
    "stage.who.before_intake": "Who will come to an intake",
    "stage.who.before_session": "Who will come to a first session",
    "stage.who.after_session": "Who will disengage",
    "risk.group": "Group",
    "risk.against": "{one} against {other}",
    "risk.yes": "yes",
    "risk.no": "no",
    "risk.label": "{name}, {one} against {other}",
    "risk.axis": "Difference in the share with {event}\nby day {day}, percentage points",
    "risk.note": "Of {whom}. Everybody is given the one value and then the other, all else as it is. What is compared "
    "is linked to the event; it need not be its cause.",
    "risk.none": "Of {n} comparisons, none is clearly linked to the share with {event} by day {day}, all else as it "
    "is.",
    "risk.some": "Clearly linked to the share with {event} by day {day}, all else as it is: {values}. Of {n} "
    "comparisons, one can look clear by chance alone.",
    "risk.higher": "{label} ({low} to {high} points higher)",
    "risk.lower": "{label} ({low} to {high} points lower)",
    "risk.undefined": "Not shown: there are too few events for a model, or nothing in which people differ.",
    "head.risk": "Largest difference in the share with {event} by day {day}: {value} points ({low} to {high}), {label}",
    "told.hardly": "{who} by day {day} can hardly be foretold from what is recorded.",
    "told.partly": "{who} by day {day} can be foretold to some degree from what is recorded.",
    "told.well": "{who} by day {day} can be foretold rather well from what is recorded.",
    "told.pairs": "Of two people, one with the event and one without, the model puts the right one first in about {n} "
    "of a hundred pairs; fifty would be a coin.",
    "told.auc": "Pairs put in the right order (area under the curve)",
    "told.scaled_brier": "Share of the error of knowing nothing that is taken away (scaled Brier score)",
    "told.calibration_slope": "Calibration: slope of what happened on what was foretold",
    "told.measure": "Measure",
    "told.apparent": "In the people the model was made of",
    "told.corrected": "In other people like them",
    "told.note": "Order: a half is a coin, one is certainty. Error: zero is no use, below zero is worse. Calibration: "
    "one is right, less is too extreme. By day {day}; nobody is given a score.",
    **FINAL,
}
