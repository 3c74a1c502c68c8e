"""Keys that a protocol leaves out, and whose default has changed: each named once, with what changes."""

from __future__ import annotations

import pytest

from cohort.spec import ARMS, START
from evalkit.protocol import Study, changed_defaults

ALL = ("participants", "sessions", "exits", "outcomes")
LINES = {
    "rules.completion": "rules.completion is not in the protocol; its default is recorded now and was either: completing is a recorded exit and no longer also the dose, which is reported beside it",
    "rules.counting_kinds": "rules.counting_kinds is not in the protocol; its default is group, individual (at most 4) now and was [group]: up to four individual sessions count towards the dose",
    "rules.landmark_day": "rules.landmark_day is not in the protocol; its default is 270 now and was 182: a weekly dose takes at least 161 days from the first session",
    "harm.origin": "harm.origin is not in the protocol; its default is referral now and was intake: people who never came to an intake are followed for harm too, and earlier harm counts",
    "harm.death": "harm.death is not in the protocol; its default is competing now and was censored: whoever dies can have no harm any more, so that shares with harm are a little lower",
}  # fmt: skip


def study(tables: tuple[str, ...] = ALL, **changes: object) -> Study:
    content = {"id": "s", "title": "S", "starts": START, "arms": ARMS, "tables": {name: {} for name in tables}}
    return Study.model_validate({**content, **changes})


def test_an_old_protocol_loads_and_every_key_is_named_once() -> None:
    assert changed_defaults(study()) == list(LINES.values())


@pytest.mark.parametrize(
    ("tables", "changes", "left"),
    [
        (
            ALL,
            {"rules": {"completion": "either"}},
            ["rules.counting_kinds", "rules.landmark_day", "harm.origin", "harm.death"],
        ),
        (
            ALL,
            {"rules": {"completion": "recorded", "landmark_day": 270, "counting_kinds": ["group"]}},
            ["harm.origin", "harm.death"],
        ),
        (
            ALL,
            {"harm": {"origin": "referral"}},
            ["rules.completion", "rules.counting_kinds", "rules.landmark_day", "harm.death"],
        ),
        (("participants", "outcomes"), {}, ["harm.origin"]),
        (("participants", "sessions", "exits"), {}, ["rules.completion", "rules.counting_kinds"]),
        (("participants",), {}, []),
        (("participants", "sessions"), {"rules": {"completion": "dose"}}, ["rules.counting_kinds"]),
    ],
)
def test_what_stands_in_the_protocol_or_does_not_matter_is_not_named(
    tables: tuple[str, ...], changes: dict[str, object], left: list[str]
) -> None:
    assert changed_defaults(study(tables, **changes)) == [LINES[key] for key in left]
