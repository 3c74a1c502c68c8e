"""What a report says of how it was made: the study's rules in words, and where everything came from."""

from __future__ import annotations

__all__ = ["definitions", "provenance_table", "restatement_numbers", "restatement_table"]

from collections.abc import Mapping, Sequence

import pandas as pd

from evalkit.levels import outcome_in_words
from evalkit.markup import bold, bullets
from evalkit.protocol import Disclosure, Harm, Override, Rules, Study
from evalkit.views._tables import html_table
from evalkit.words import count, listed, long_date, translated, within, words

SMALL_CHANGE = "slightly changed"


def definitions(study: Study, disclosure: Disclosure, tables: frozenset[str]) -> str:
    """Write the study's rules as a list, with the protocol's own numbers.

    Parameters
    ----------
    study : Study
    disclosure : Disclosure
    tables : frozenset of str
        Tables that are part of the study: rules of others are left out.

    Returns
    -------
    str
        A list, with signs (`evalkit.markup`).
    """
    rules, harm = study.rules, study.harm
    arms = listed([study.arms.focus.label, study.arms.comparison.label])
    which = words("each participant\u2019s first one") if rules.episodes == "first" else words("all of them")
    lines = [
        (
            "Who is counted",
            words(
                "Referrals from {start} on, one row per referral; analyses use {which}. Groups: {arms}.",
                start=long_date(study.starts), which=which, arms=arms,
            )
            + _conditions(study),
        ),
        (
            "Data cut",
            words(
                "Only what was known on the day of the cut is used: later events, later entries and withdrawn entries "
                "are left out, so that the same quarter rendered again gives the same numbers."
            ),
        ),
    ]  # fmt: skip
    lines += _of_sessions(rules, tables) if "sessions" in tables else []
    if "outcomes" in tables:
        lines += [
            (
                "Harm",
                words(
                    "The first {event} after the day of {origin}{kinds}, until the cut or the last day on which "
                    "outcomes were searched.",
                    event=harm.label, origin=words(f"harm.origin.{harm.origin}"), kinds=_kinds(harm.kinds),
                )
                + _searched(tables)
                + _competing(harm, tables),
            ),
        ]  # fmt: skip
    lines += [
        (
            "Estimates",
            words(
                "Shares over time are Kaplan-Meier estimates, or cumulative incidences where outcomes compete, with "
                "log-log limits; shares of people have Wilson limits; hazard ratios come from Cox models with "
                "Efron\u2019s handling of ties. Limits are at the 95% level."
            ),
        ),
        ("Protecting people", _protection(disclosure)),
        *(("Exception to these rules", _exception(override)) for override in disclosure.overrides),
        ("What a comparison cannot show", words(f"methods.cause.{study.comparison.assignment}")),
    ]
    return bullets(f"{bold(f'{translated(head)}.')} {text}" for head, text in lines)


def _of_sessions(rules: Rules, tables: frozenset[str]) -> list[tuple[str, str]]:
    """Say what disengaging, completing and engaging are; of exits only where the study has them."""
    left = words("Leaving or being dismissed before that counts on its own day.")
    without = words("methods.completed.without")
    # A rule of exits would say of a study without them what nobody there recorded.
    exits, without = (f" {said}" if "exits" in tables else "" for said in (left, without))
    return [
        (
            "Disengaged",
            words(
                "No attended session for {gap} days; it happens on day {gap} after the last session, when it "
                "becomes known, and is never dated back.{pauses}{exits}",
                gap=rules.disengagement_gap_days, pauses=_pauses(rules), exits=exits,
            ),
        ),
        ("Completed", _completed(rules, without)),
        (
            "Engaged",
            words(
                "At least {sessions} attended sessions within {days} days of intake. A step\u2019s share is taken "
                "of those whose time window for that step is over. The threshold is this study\u2019s own; no "
                "published source gives one.",
                sessions=rules.engaged.sessions, days=rules.engaged.days,
            ),
        ),
    ]  # fmt: skip


def _conditions(study: Study) -> str:
    """Say what else holds of the people of a group."""
    arms = [arm for arm in (study.arms.focus, study.arms.comparison) if arm.where]
    said = [words("methods.where", within=within(arm.label), condition=arm.condition_words) for arm in arms]
    return "".join(f" {one}" for one in said)


def _searched(tables: frozenset[str]) -> str:
    """Say how several sources make one follow-up, where searches are recorded."""
    return " " + words("methods.searches") if "searches" in tables else ""


def _competing(harm: Harm, tables: frozenset[str]) -> str:
    """Say what other ends do to harm."""
    of_death = [f"methods.death.{harm.death}"] if "exits" in tables else []
    of_custody = ["methods.custody"] if harm.custody else []
    apart = of_custody or "methods.death.competing" in of_death
    return "".join(f" {words(key)}" for key in [*of_death, *of_custody, *(["methods.ends.few"] if apart else [])])


def _pauses(rules: Rules) -> str:
    """Say which days do not count toward the gap, where there are any."""
    named = {"closed": bool(rules.closures), "cancelled": rules.cancelled_pauses}
    days = [words(f"methods.pauses.{why}") for why, there in named.items() if there]
    return " " + words("methods.pauses", days=listed(days)) if days else ""


def _completed(rules: Rules, without: str) -> str:
    """Say what completing is, and what becomes of who is said to have completed without the dose."""
    said = {"sessions": rules.dose_sessions, "kinds": rules.counting_words, "hours": f"{rules.dose_hours:g}"}
    completed = words(f"methods.completed.{rules.completion}", dose=words("methods.dose", **said), without=without)
    # What is recorded may have asked for no violence; attended sessions ask for nothing else.
    return completed if rules.completion == "dose" else f"{completed} {words('methods.completed.violence')}"


def _protection(disclosure: Disclosure) -> str:
    multiple = disclosure.round_for_display
    return words(
        "Counts of {smallest} to {largest} are not published. Every other count is changed at random by at most "
        "{most}{rounded}: a group of people gives the same number in each table, figure and report, and two groups "
        "that differ by one person are off by different amounts, so that subtracting singles nobody out. Shares, means "
        "and curves are computed from such numbers, their ranges include what the change may do, and parts may not add "
        "up to a whole, or one may be larger than it; {models}.",
        smallest=_smallest(disclosure), largest=disclosure.minimum_count - 1, most=disclosure.noise_most,
        rounded=words(" and rounded to multiples of {n}", n=multiple) if multiple > 1 else "",
        models=_models(disclosure),
    )  # fmt: skip


def _kinds(kinds: Sequence[str]) -> str:
    """Name what counts, where it is more than one kind of outcome."""
    named = [outcome_in_words(kind) for kind in kinds]
    return words(" ({kinds} count)", kinds=listed(named)) if len(kinds) > 1 else ""


def _exception(override: Override) -> str:
    rule, reason = words(f"exception.{override.rule}"), translated(override.reason).rstrip(".")
    return words("exception.said", rule=rule, value=f"{override.value:g}", reason=reason, by=override.by)


def _smallest(disclosure: Disclosure) -> int:
    return 1 if disclosure.zero == "published" else 0


def _models(disclosure: Disclosure) -> str:
    if disclosure.minimum_level == 1 or disclosure.noise_variance == 0:
        return "models use exact records"
    return "models use exact records, and their limits are a little wider than these would give"


def provenance_table(facts: Mapping[str, str]) -> str:
    """Write where a report came from as an HTML table.

    Parameters
    ----------
    facts : mapping of str to str
        What: value.

    Returns
    -------
    str
    """
    rows = pd.DataFrame({"what": list(facts), "value": list(facts.values())})
    return html_table(rows, {"what": "What", "value": "Value"})


def _reasons(text: str) -> str:
    return ", ".join(map(translated, text.split(", ")))


def restatement_table(rows: pd.DataFrame, period: str) -> str:
    """Write figures of an earlier period that changed since as an HTML table.

    Parameters
    ----------
    rows : pandas.DataFrame
        From disclosure control: figure, group, old, new, reason.
    period : str
        Name of the earlier period.

    Returns
    -------
    str
    """
    slight = rows["new"].isna()
    names = list(dict.fromkeys(rows.loc[slight, "figure"]))
    note = words("restated.slight", figures=listed(names)) if names else ""
    told = rows if slight.all() else rows[~slight]  # what changed slightly is named in the note
    texts = pd.DataFrame(
        {
            "figure": told["figure"].str.capitalize(),
            "group": told["group"].replace({"all": "everyone"}),
            "old": told["old"].map(count),
            "new": [SMALL_CHANGE if pd.isna(value) else count(value) for value in told["new"]],
            "reason": told["reason"].map(_reasons),
        }
    )
    headings = {"figure": f"Figure of {period}", "group": "Group", "old": "As known then", "new": "As known now"}
    return html_table(texts, {**headings, "reason": "Why"}, numbers=("old", "new"), note="" if slight.all() else note)


def restatement_numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """Return figures of an earlier period that changed since.

    Parameters
    ----------
    rows : pandas.DataFrame
        From disclosure control: figure, group, old, new, reason.

    Returns
    -------
    pandas.DataFrame
        label, group, baseline (as known then), estimate (as known now), sentence; as the table, without those that
        changed slightly unless all did.
    """
    slight = rows["new"].isna()
    rows = rows if slight.all() else rows[~slight]
    names = {"figure": "label", "old": "baseline", "new": "estimate", "reason": "sentence"}
    return rows.rename(columns=names)[["label", "group", "baseline", "estimate", "sentence"]]
