"""What a report does at each `show`, with made-up groups of people; copied beside notebooks as their `door.py`."""

from collections.abc import Mapping, Sequence

import pandas as pd

from evalkit.analyses._analyses import ShareOf
from evalkit.counts import Tally, codes_of
from evalkit.disclosure import Policy, Record, Safe, make_safe
from evalkit.estimates import Estimates
from evalkit.report._mark import emit

__all__ = ["emit", "recorded", "show"]
SECRET = ""  # where this is copied beside a notebook, the secret of the study's noise is written here
OURS = Policy(secret=bytes.fromhex(SECRET)) if SECRET else None


def recorded(
    groups: Mapping[str, Sequence[int]], record: Record, policy: Policy | None = None
) -> tuple[Estimates, Safe]:
    """Count groups of people, each given by the numbers of its members, as a report does."""
    everybody = codes_of(pd.DataFrame({"participant_id": [f"p{i}" for i in range(99)]}))
    sizes = [len(group) for group in groups.values()]
    frame = pd.DataFrame({"group": list(groups), "term": "t", "n_event": 0, "n": sizes})
    who = tuple({"n": everybody[list(group)], "n_event": everybody[:0]} for group in groups.values())
    exact = ShareOf(kind="proportion", estimand="e").estimate(Tally(frame, people=who))
    safe = make_safe(exact, policy or OURS)
    record.add(exact, safe)
    return exact, safe


def show(**groups: Sequence[int]) -> None:
    """Show groups in a table."""
    exact, safe = recorded(groups, Record.of_run())
    rows = safe.estimates.tidy()[["group", "n"]]
    emit("table", rows.to_html(index=False), estimate=exact.id, kind="proportion", verdict=safe.verdict, data=rows)
