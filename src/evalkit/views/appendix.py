"""The final report's appendix: what a trial would do, methods, glossary and reporting checklist.

First its messages, then what puts them together, with signs (`evalkit.markup`).
"""

from __future__ import annotations

from collections.abc import Mapping

from evalkit.markup import bold, bullets, link, table
from evalkit.words import translated, words

__all__ = [
    "ASSIGNED",
    "CHECKLIST",
    "SECTIONS",
    "STATISTICS",
    "TARGET_TRIAL",
    "TERMS",
    "TRIAL_WITHOUT",
    "TRIAL_WITHOUT_MANDATE",
    "checklist",
    "glossary_of_terms",
    "statistics",
    "target_trial",
]


TARGET_TRIAL: tuple[tuple[str, str, str], ...] = (
    (
        "Who is eligible",
        "Adults who cause harm in an intimate-partner relationship and could take either path",
        "Everybody referred since {start}, as recorded; nobody could take the other path",
    ),
    (
        "What is compared",
        "Services without a mandate, against the same services by court order",
        "{focus}, against {comparison}",
    ),
    ("Assignment", "By lot", "{assigned}; {covariates} are adjusted for"),
    (
        "Start of follow-up",
        "The day of assignment",
        "Referral, first session or intake, as each section says; the same in both groups",
    ),
    (
        "Outcomes",
        "Engagement, disengagement, completion and harm, measured alike",
        "The same, as recorded; harm may be recorded more often of people under court supervision",
    ),
    (
        "Causal contrast",
        "Effect of being assigned",
        "None is claimed: differences between groups made alike in what was measured, for {target}",
    ),
    (
        "Analysis",
        "Cumulative incidence by group",
        "Disengagement and harm: the same, weighted, standardized and both, with E-values. Engagement and completion: "
        "unadjusted only",
    ),
)
"""Component, what a trial would do, what this study does."""

TRIAL_WITHOUT_MANDATE: dict[str, tuple[str, str]] = {
    "Who is eligible": ("Everybody who could be in either group", "Everybody referred since {start}, as recorded"),
    "What is compared": ("The same", "{focus}, against {comparison}"),
    "Assignment": ("By lot", "{assigned}; {covariates} are adjusted for"),
    "Outcomes": ("Measured alike in both groups", "As recorded"),
}
"""What stands in place of some of these where no mandate sets the groups apart."""

TRIAL_WITHOUT: dict[str, dict[str, tuple[str, str]]] = {
    "sessions": {
        "Start of follow-up": (
            "The day of assignment",
            "Referral or intake, as each section says; the same in both groups",
        ),
        "Outcomes": (
            "Harm, measured alike",
            "The same, as recorded; harm may be recorded more often of people under court supervision",
        ),
        "Analysis": (
            "Cumulative incidence by group",
            "Harm: the same, weighted, standardized and both, with E-values",
        ),
    },
    "outcomes": {
        "Outcomes": ("Engagement, disengagement and completion, measured alike", "The same, as recorded"),
        "Analysis": (
            "Cumulative incidence by group",
            "Disengagement: the same, weighted, standardized and both, with E-values. Engagement and completion: "
            "unadjusted only",
        ),
    },
}
"""The same where a table is not part of the study: of what is not measured nothing is claimed."""

ASSIGNED = {"mandate": "By whether a court sent somebody", "random": "By lot", "other": "Not by lot"}
"""How people came to be in one group or the other."""

STATISTICS: tuple[tuple[str, str, str], ...] = (
    (
        "",
        "Propensity scores",
        "Logistic regression of the group on {covariates}. Levels with fewer than {minimum} people in a group are "
        "joined. Target of the weights: {target}. People without a value for one of these are left out.",
    ),
    (
        "",
        "Three methods",
        "Weighting by the propensity score; standardization of a regression on pseudo-observations; and the doubly "
        "robust combination of both, which is right when either model is.{competing}",
    ),
    (
        "",
        "Limits",
        "{boot} bootstrap replicates drawn within groups, {imputed} in each data set with missing values filled in; in "
        "each the propensity score is fitted anew. Percentile limits at the {level} level. Random numbers start from "
        "{seed}.",
    ),
    (
        "sessions",
        "Who leaves",
        "{leaving} bootstrap replicates of people for differences, {foretold} to correct for optimism how well leaving "
        "can be foretold; in each the models are fitted anew.",
    ),
    (
        "",
        "Diagnostics",
        "Fixed in the protocol: after weighting, no standardized difference above {smd}; at least {equipoise} of "
        "people with a preference score from {low} to {high}; an effective sample size of at least {sample}. "
        "Where one fails, no conclusion is drawn.",
    ),
    (
        "sessions",
        "Change since last quarter",
        "People counted a quarter ago are counted again. So the change is the difference between those counted since "
        "and those counted before, times the share of the former; its limits are Newcombe's, times that share.",
    ),
    (
        "",
        "Missing values",
        "Chained equations with predictive mean matching, the group, the event and its cumulative hazard among the "
        "predictors; categories are given numbers by their first canonical variate. Rubin's rules pool estimates and "
        "bootstrap variances.",
    ),
    (
        "",
        "E-values",
        "From the weighted hazard ratio, turned into a risk ratio where the event is common. A measured characteristic "
        "counts by its risk ratios with the group and with the event; quantities are split at their median.",
    ),
    (
        "sessions",
        "Interaction",
        "Cochran's Q of the differences among the levels of a characteristic; differences have Newcombe's limits. "
        "Levels that few people have are joined. No correction is made for several tests.",
    ),
    (
        "outcomes recurrent",
        "Repeated harm",
        "Lawless and Nadeau's mean cumulative count with its robust variance, limits on the log scale.",
    ),
    (
        "outcomes sessions",
        "Harm after completing",
        "A landmark analysis on day {landmark} after {origin}; the Cox model holds the pathway equal.",
    ),
    ("", "Precision", "Schoenfeld's formula for the events seen, two-sided at the five percent level."),
    (
        "outcomes",
        "Models",
        "Cox models with Efron's handling of ties; the test of proportional hazards is Grambsch and Therneau's.",
    ),
)
"""What a method needs (tables and the like; empty: none), heading and text; places are filled from the protocol."""

TERMS: tuple[tuple[str, str, str], ...] = (
    ("", "Adjusted figure", "A figure after the groups were made alike in what was measured."),
    ("", "ATT", "Average over people like those whom the study is about: what adjusted figures here speak of."),
    ("", "Balance", "How alike the groups are in a characteristic, before or after weighting."),
    (
        "sessions",
        "Competing events",
        "Events of which only one can come first: people who complete can no longer drop out.",
    ),
    (
        "",
        "Confidence interval (95%)",
        "A range made so that it holds the true value in 95 of 100 studies like this one, as far as chance goes.",
    ),
    ("", "Cumulative incidence", "The share of people who have had an event by a day, with other events allowed for."),
    (
        "sessions",
        "Disengaged",
        "No attended session for {gap} days{left}; returning later is counted apart.",
    ),
    ("", "E-value", "How strong something unmeasured would have to be to explain a result away."),
    ("sessions", "Engaged", "At least {sessions} attended sessions within {days} days of intake."),
    ("", "Equipoise", "When a person's characteristics speak for neither group."),
    ("", "Hazard ratio", "How many times as often an event happens in one group as in the other, at any moment."),
    ("", "Imputation", "Filling in a missing value with one that fits the rest, several times, so that doubt is kept."),
    ("sessions", "Interaction", "When a difference between two groups depends on another characteristic."),
    (
        "outcomes sessions",
        "Immortal time",
        "Time that only those who have a later event can have; it makes them look better.",
    ),
    ("", "Kaplan-Meier estimate", "The share without an event by a day, counting each person as long as followed."),
    ("outcomes sessions", "Landmark", "A fixed day from which people are compared by what had happened by then."),
    (
        "outcomes recurrent",
        "Mean cumulative count",
        "How many events people have had by a day on average, repeated ones too.",
    ),
    ("PAIP", "PAIP", "Partner Abuse Intervention Program: services that a judge orders under Illinois law."),
    ("", "Preference score", "The propensity score with the sizes of the groups taken out."),
    (
        "",
        "Propensity score",
        "The chance of being in the group that the study is about, told from measured characteristics.",
    ),
    ("", "Standardized difference", "A difference between groups in standard deviations, whatever the unit."),
    ("", "Weighting", "Counting people of one group more or less, so that the group looks like the other."),
)
"""What a term needs (as above), term, what it means; places are filled from the protocol."""

CHECKLIST: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("STROBE 1", "Title and summary name the design and the findings", ("summary",)),
    ("STROBE 2, 3", "Background and questions", ("background", "summary")),
    ("STROBE 4, 5", "Design, setting, dates", ("design", "provenance")),
    ("STROBE 6", "Who is eligible, how they are followed", ("participants", "methods", "quality")),
    ("STROBE 7, 8", "Definitions of outcomes, exposures and characteristics; sources", ("methods", "provenance")),
    ("STROBE 9", "How bias was dealt with", ("comparison", "landmark", "limitations")),
    ("STROBE 10", "Study size", ("precision",)),
    ("STROBE 11, 12", "Quantities, statistical methods, missing data, sensitivity", ("statistics", "sensitivity")),
    ("STROBE 13", "Numbers at each stage", ("quality", "engagement")),
    ("STROBE 14", "Characteristics, missing values, follow-up", ("participants", "missing", "quality")),
    ("STROBE 15", "Outcome events over time", ("retention", "first-harm", "repeated")),
    ("STROBE 16", "Unadjusted and adjusted estimates with limits", ("adjusted", "harm-adjusted")),
    ("STROBE 17", "Subgroups, interactions, sensitivity", ("subgroups", "sensitivity", "unmeasured")),
    ("STROBE 18, 20", "Key results and careful interpretation", ("conclusions", "not-shown")),
    ("STROBE 19", "Limitations", ("limitations",)),
    ("STROBE 21", "How far results carry over", ("published", "limitations")),
    ("STROBE 22", "Who made the report (who paid for it, its publisher has to say)", ("provenance",)),
    ("TARGET", "The target trial and how it is emulated, part by part", ("design",)),
    ("TARGET", "Assumptions, and what was done about confounding", ("overlap", "balance", "unmeasured")),
    ("TARGET", "Time zero, and no use of later information at it", ("design", "landmark")),
    ("TARGET", "Estimates for the stated target, with uncertainty", ("adjusted", "harm-adjusted")),
    ("TARGET", "Where emulation falls short of the trial", ("design", "not-shown", "limitations")),
)
"""Statement and items, what they ask for, sections that deal with it."""

SECTIONS: dict[str, str] = {
    "summary": "Page one",
    "background": "Background",
    "design": "Design",
    "participants": "Participants",
    "engagement": "From referral to completion",
    "retention": "Staying in the program",
    "pathway": "What becomes of people",
    "dose": "Attendance and dose",
    "published": "Completion beside published figures",
    "comparison": "Comparison of the groups",
    "overlap": "Overlap",
    "balance": "Balance",
    "adjusted": "Disengagement, adjusted",
    "sensitivity": "Sensitivity",
    "unmeasured": "What something unmeasured could do",
    "missing": "Missing characteristics",
    "subgroups": "Subgroups",
    "not-shown": "What is not shown",
    "first-harm": "First recorded harm",
    "repeated": "Repeated harm",
    "landmark": "Harm after completing",
    "harm-adjusted": "Harm, adjusted",
    "precision": "Precision",
    "conclusions": "Conclusions",
    "limitations": "Limitations",
    "quality": "Data quality",
    "methods": "Definitions",
    "statistics": "Statistical methods",
    "provenance": "Provenance",
}
"""Sections by the end of their label."""


def target_trial(said: Mapping[str, str], tables: frozenset[str], assignment: str = "mandate") -> str:
    """Write as a table what a trial would do beside what this study does; of tables that it lacks nothing is claimed.

    `said` fills the places start, focus, comparison, covariates and target.
    """
    told = {**said, "assigned": ASSIGNED[assignment]}
    missing = [parts for name, parts in TRIAL_WITHOUT.items() if name not in tables]
    own = {part: texts for parts in missing for part, texts in parts.items()}
    own |= {} if assignment == "mandate" else TRIAL_WITHOUT_MANDATE
    nothing = {"Outcomes", "Analysis"} if len(missing) == len(TRIAL_WITHOUT) else set()
    pairs = [(part, *own.get(part, texts)) for part, *texts in TARGET_TRIAL if part not in nothing]
    rows = [(translated(part), words(trial), words(study, **told)) for part, trial, study in pairs]
    return table(_in_words("Part", "A trial that could answer the question", "This study"), rows, (18, 38, 44))


def statistics(said: Mapping[str, str], there: frozenset[str]) -> str:
    """Write the statistical methods as a list, with the protocol's numbers; what the study has no use for is not."""
    said = {**said, "competing": words(" Completion competes with disengagement.") if "sessions" in there else ""}
    lines = [
        f"{bold(f'{translated(head)}.')} {words(text, **said)}"
        for needed, head, text in STATISTICS
        if there.issuperset(needed.split())
    ]
    return bullets(lines)


def glossary_of_terms(said: Mapping[str, str], there: frozenset[str]) -> str:
    """Write the glossary as a table, in alphabetical order; terms of what the study lacks are left out."""
    said = {**said, "left": words(", or leaving before that") if "exits" in there else ""}
    known = [
        (translated(term), words(text, **said)) for needed, term, text in TERMS if there.issuperset(needed.split())
    ]
    # Sorted after translation: the order of English terms is none in Spanish.
    return table(_in_words("Term", "What it means here"), sorted(known, key=lambda row: row[0].lower()), (28, 72))


def checklist() -> str:
    """Write the items of the reporting statements as a table, with links (in print: page numbers) to sections."""
    rows = [
        (items, words(asked), ", ".join(link(translated(SECTIONS[name]), f"#sec-{name}") for name in where))
        for items, asked, where in CHECKLIST
    ]
    return table(_in_words("Items", "What they ask for", "Where"), rows, (15, 41, 44))


def _in_words(*headings: str) -> tuple[str, ...]:
    return tuple(map(translated, headings))
