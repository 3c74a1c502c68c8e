"""Time zones, the same on every machine: the tables of the locked package ``tzdata``, never the system's own."""

from __future__ import annotations

__all__ = ["known_zone", "today", "zone"]

from datetime import date, datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from evalkit.errors import did_you_mean


@cache
def _names() -> frozenset[str]:
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """Return a time zone of a name that `known_zone` lets pass.

    Examples
    --------
    >>> moment = datetime.fromisoformat("2023-03-12T08:30:00+00:00")  # the night clocks go forward
    >>> moment.astimezone(zone("America/Chicago")).isoformat()
    '2023-03-12T03:30:00-05:00'
    """
    # ZoneInfo(name) would look at the machine first (PYTHONTZPATH, /usr/share/zoneinfo): old there, absent elsewhere.
    with (files("tzdata") / "zoneinfo").joinpath(*name.split("/")).open("rb") as stream:
        return ZoneInfo.from_file(stream, key=name)


def known_zone(name: str) -> str:
    """Return the name of a time zone (Area/City, or UTC); ValueError with a did-you-mean for anything else.

    Abbreviations such as EST name an offset without summer time, or several.

    Examples
    --------
    >>> known_zone("America/Chicago")
    'America/Chicago'
    >>> known_zone("America/Chigaco")
    Traceback (most recent call last):
    ValueError: is no time zone; did you mean 'America/Chicago'?
    """
    names = {each for each in _names() if "/" in each and not each.startswith("Etc/")} | {"UTC"}
    if name in names:
        return name
    cities = {each.rpartition("/")[2].lower(): each for each in sorted(names)}
    city = cities.get(name.strip().rpartition("/")[2].lower().replace(" ", "_"))
    # By the city first: by its letters `Europe/Chicago` is nearest to Chisinau.
    near = f"; did you mean '{city}'?" if city else did_you_mean(name, sorted(names))
    msg = f"is no time zone{near or ', which is named as in America/Chicago'}"
    raise ValueError(msg)


def today(name: str) -> date:
    """Return the day it is in a time zone of a name that `known_zone` lets pass."""
    return datetime.now(zone(name)).date()
