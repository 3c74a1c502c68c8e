"""What the brief says where no day of a curve can be quoted, or only an early one."""

from __future__ import annotations

__all__ = ["later", "mean", "other", "unquoted"]

from collections.abc import Mapping

from evalkit.words import Messages, marked


def unquoted(say: Messages, what: str) -> str:
    """Say that no day is quoted, and why.

    Parameters
    ----------
    say : Messages
    what : {"Staying", "Harm"}

    Returns
    -------
    str
    """
    told = {
        "Staying": marked("**Staying.** No share is given: too few people would stand behind it."),
        "Harm": marked("**Harm.** No share is given: too few people would stand behind it."),
    }
    return say(told[what])


def later(say: Messages) -> str:
    """Say that no later day is quoted, and why.

    Parameters
    ----------
    say : Messages

    Returns
    -------
    str
    """
    return say("No figure for a later day is given: too few people would stand behind it.")


def other(say: Messages, what: str, group: str, limits: Mapping[str, str], day: float, event: str) -> str:
    """Say the share of the other group on a day, where that of the focus is not given.

    Parameters
    ----------
    say : Messages
    what : {"Staying", "Harm, referral", "Harm, intake"}
    group : str
        The other group.
    limits : mapping
        share, low, high, written out.
    day : float
    event : str
        What counts as harm.

    Returns
    -------
    str
    """
    told = {
        "Staying": marked(
            "In the {group} group, {share} ({low} to {high}) had left without completing {day} days after their first "
            "session."
        ),
        "Harm, referral": marked(
            "In the {group} group, {share} ({low} to {high}) of people had {event} {day} days after referral."
        ),
        "Harm, intake": marked(
            "In the {group} group, {share} ({low} to {high}) of people had {event} {day} days after intake."
        ),
    }
    return say(told[what], group=group, day=say.count(day), event=event, **limits)


def mean(say: Messages, what: str, direction: str, group: str, days: float) -> str:
    """Say how the mean time without an event compares.

    Parameters
    ----------
    say : Messages
    what : {"Staying", "Harm"}
    direction : {"none", "higher", "lower"}
    group : str
        The focus.
    days : float
        Horizon.

    Returns
    -------
    str
    """
    told = {
        "Staying none": marked(
            "Over the first {days} days, the groups do not clearly differ in how long people stayed."
        ),
        "Staying higher": marked("Over the first {days} days, people in the {group} group clearly stayed longer."),
        "Staying lower": marked("Over the first {days} days, people in the {group} group clearly stayed less long."),
        "Harm none": marked(
            "Over the first {days} days, the groups do not clearly differ in the time before harm was recorded."
        ),
        "Harm higher": marked(
            "Over the first {days} days, harm was recorded clearly later or less often in the {group} group."
        ),
        "Harm lower": marked(
            "Over the first {days} days, harm was recorded clearly sooner or more often in the {group} group."
        ),
    }
    return say(told[f"{what} {direction}"], days=say.count(days), group=group)
