"""What a report says of its protocol: what changed since it was frozen, what the programme is, and RE-AIM."""

from __future__ import annotations

__all__ = ["deviations_text", "frozen_words", "programme_text", "re_aim_text"]

from collections.abc import Sequence
from datetime import date

from evalkit.markup import bold, code, heading, link, paragraphs, table
from evalkit.protocol import Change, Frozen, Programme, ReAim, Told, first_plan
from evalkit.views._appendix_texts import SECTIONS
from evalkit.words import long_date, marked, numbered, speech, translated, words

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
