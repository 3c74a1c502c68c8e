"""What a report says of how it was made: the study's rules in words, and where everything came from.

Also what changed in its protocol since it was frozen, and what the programme is (RE-AIM).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from evalkit.levels import outcome_in_words
from evalkit.markup import bold, bullets, code, heading, link, paragraphs, table
from evalkit.protocol import (
    Change,
    Disclosure,
    Frozen,
    Harm,
    Override,
    Programme,
    ReAim,
    Rules,
    Study,
    Told,
    first_plan,
)
from evalkit.views._tables import html_table
from evalkit.views.appendix import SECTIONS
from evalkit.words import count, listed, long_date, marked, numbered, speech, translated, within, words

__all__ = [
    "definitions",
    "deviations_text",
    "frozen_words",
    "programme_text",
    "provenance_table",
    "re_aim_text",
    "restatement_numbers",
    "restatement_table",
]


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


_TIDIER = {
    "name": marked("Name"),
    "why": marked("Why"),
    "materials": marked("What is used"),
    "procedures": marked("What is done"),
    "provider": marked("Who does it"),
    "how": marked("How"),
    "where": marked("Where"),
    "dose": marked("When and how much"),
    "tailoring": marked("What is fitted to the person"),
    "modifications": marked("What changed on the way"),
    "fidelity_planned": marked("How it is kept as meant"),
    "fidelity_found": marked("How far it was as meant"),
}
_RE_AIM = {
    "reach": (marked("Reach"), ("participants", "engagement")),
    "effectiveness": (marked("Effectiveness"), ("retention", "first-harm")),
    "adoption": (marked("Adoption"), ()),
    "implementation": (marked("Implementation"), ("dose",)),
    "maintenance": (marked("Maintenance"), ("pathway",)),
}


def deviations_text(versions: Sequence[Frozen], changes: Sequence[Change], cut: date) -> str:
    """Write what has changed since the protocol was frozen.

    Parameters
    ----------
    versions : sequence of Frozen
        The first one first.
    changes : sequence of Change
    cut : datetime.date
        The report's data cut: a protocol frozen after it was not registered beforehand.

    Returns
    -------
    str
        A paragraph, and a table where something changed; with signs (`evalkit.markup`).
    """
    if not versions:
        return words("deviations.never")
    first, plan = versions[0], first_plan(versions)
    # Who has seen the data cut could choose what to register.
    late = words("deviations.late") if first.day > cut else ""
    lead = words("deviations.frozen", version=first.name, day=long_date(first.day), why=first.why.rstrip("."))
    count = numbered("deviations.changed", len(changes))
    said = words("deviations.marked", version=plan.name) if plan else words("deviations.unmarked")
    rows = [_row(change) for change in changes]
    heads = [translated(h) for h in ("What", "As frozen", "Now", "When and why")]
    return paragraphs(
        " ".join(part for part in (lead, late, count) if part),
        table(heads, rows, (28, 18, 18, 36)) if rows else "",
        said,
    )


def _row(change: Change) -> tuple[str, str, str, str]:
    what = " ".join(part for part in (_told(change.what), code(change.key)) if part)
    why = _told(change.why) or words("deviations.unexplained")
    dated = f"{long_date(change.since)}: {why}" if change.since else why
    kept = f" ({words('deviations.kept', version=change.version)})" if change.version else ""
    return what, code(change.old), code(change.new), f"{dated}{kept}"


def _told(text: Told) -> str:
    return text.in_language(speech().language)


def frozen_words(versions: Sequence[Frozen], changes: Sequence[Change]) -> str:
    """Write in a few words which protocol a report follows, for its provenance.

    Parameters
    ----------
    versions : sequence of Frozen
    changes : sequence of Change

    Returns
    -------
    str
    """
    if not versions:
        return words("deviations.none_frozen")
    newest = versions[-1]
    said = words("deviations.version", version=newest.name, day=long_date(newest.day), digest=newest.sha256[:16])
    return f"{said}; {numbered('deviations.count', len(changes))}"


def programme_text(programme: Programme) -> str:
    """Write what the programme is, item by item.

    Parameters
    ----------
    programme : Programme

    Returns
    -------
    str
        A heading and a table; empty where no item is told.
    """
    items = {name: _told(getattr(programme, name)) for name in _TIDIER}
    rows = [(bold(translated(_TIDIER[name])), text) for name, text in items.items() if text]
    if not rows:
        return ""
    heads = (translated("Item"), translated("In this program"))
    return paragraphs(heading(words("What the program is"), 2), words("programme.lead"), table(heads, rows, (24, 76)))


def re_aim_text(texts: ReAim) -> str:
    """Write what is known of reach, effectiveness, adoption, implementation and maintenance.

    Parameters
    ----------
    texts : ReAim

    Returns
    -------
    str
        A heading and a table; empty where nothing is told.
    """
    rows = []
    for name, (title, sections) in _RE_AIM.items():
        if text := _told(getattr(texts, name)):
            where = ", ".join(link(translated(SECTIONS[one]), f"#sec-{one}") for one in sections)
            rows.append((bold(translated(title)), text, where or words("re_aim.nowhere")))
    if not rows:
        return ""
    heads = [translated(h) for h in ("Dimension", "In this program", "Numbers")]
    return paragraphs(heading(words("re_aim.title"), 2), words("re_aim.lead"), table(heads, rows, (18, 52, 30)))
