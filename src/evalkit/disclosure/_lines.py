"""Reading a safe curve between its steps.

A step of a safe curve stands for at least the policy's minimum of events, on their mean day. Read as a step, it would
put all of them on that day: a group with twenty events would seem to lose nobody and then twenty people at once. So
each block's events (and censorings) are spread over the days the block stands for, so that their mean stays where it
was; the same analysis is asked of these counts, and read. A block ends at the landmark it was made to end at, else
half-way to the next one. Spreading adds nothing to what the safe counts tell.
"""

from __future__ import annotations

__all__ = ["VALUES", "corners", "ends_at", "read_at", "spread"]

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.counts import DayCounts
from evalkit.disclosure._curves import MASSES
from evalkit.disclosure._policy import Policy

Floats = NDArray[np.float64]
VALUES = ["estimate", "std_error", "conf_low", "conf_high"]
_CORNERS = (0.0, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Shares of a block at which a curve's drawing has corners: close to its start, where most of it leaves late."""


def spread(counts: DayCounts, policy: Policy) -> DayCounts:
    """Spread the blocks of safe counts over the days they stand for; totals stay as they are."""
    frame, parts = counts.frame, []
    flows = [*counts.event_columns, "n_censor"]
    for group, rows in frame.groupby("group", sort=False):
        columns = {name: _by_day(blocks_of(rows, name, policy)) for name in flows}
        for kind in MASSES if counts.weighted else ():
            for name in flows:
                columns[f"{kind}_{name[2:]}"] = _by_day(blocks_of(rows, name, policy), kind)
        days = pd.DataFrame(columns).fillna(0).rename_axis("time").reset_index()
        entries = [c for c in rows.columns if str(c).endswith("_entry")]
        start = pd.DataFrame({"time": [-np.inf], **{c: [rows[c].sum()] for c in entries}})
        end = pd.DataFrame({"time": [last_day(rows)]})  # known up to here, whether anybody leaves then or not
        whole = pd.concat([start, days, end], ignore_index=True).groupby("time", as_index=False).sum()
        parts.append(whole.assign(group=group))
    made = pd.concat(parts, ignore_index=True).fillna(0)
    made[["n_entry", *flows]] = made[["n_entry", *flows]].astype("int64")
    return DayCounts(made[[c for c in frame.columns if not str(c).startswith("end_")]], causes=counts.causes)


def last_day(rows: pd.DataFrame) -> float:
    """Return the last day on which one group's safe counts say anything."""
    ends = rows[[c for c in rows.columns if str(c).startswith("end_")]].to_numpy(dtype=float)
    return float(np.nanmax(np.append(ends.ravel(), rows["time"].max())))


@dataclass(frozen=True, slots=True)
class Block:
    """People of one block: how many, and the days around their mean day that they stand for; what each weighs."""

    size: int
    begin: float
    mean: float
    end: float
    w: float = 1.0
    w2: float = 1.0

    def days(self, shares: Floats) -> Floats:
        """Return the days by which these shares of the block have left.

        :math:`begin + (end - begin) u^p` with p such that the mean of the days is the block's.
        """
        width = self.end - self.begin
        if width <= 0:
            return np.full(len(shares), self.end)
        # Mean days at the very start or end of a block would ask for a power without bound, or for all on one day.
        power = width / min(max(self.mean - self.begin, width / 50), width) - 1
        return self.begin + width * shares ** max(power, 0.02)


def blocks_of(rows: pd.DataFrame, name: str, policy: Policy) -> list[Block]:
    """Return one flow's blocks (``n_event_1``, ``n_censor``) of one group, in order.

    A day that surely carries two blocks or more is a jump: many left on that very day. As a published number is the
    difference of two, each with its noise, up to twice the noise more may still be a single block over many days.
    """
    own = rows[rows[name] > 0]
    days, sizes = own["time"].to_numpy(dtype=np.float64), own[name].to_numpy(dtype=np.int64)
    ends, last = own[f"end_{name}"].to_numpy(dtype=np.float64), last_day(rows)
    masses = [f"{kind}_{name[2:]}" for kind in MASSES]
    each = own[masses].to_numpy(dtype=np.float64) / sizes[:, None] if masses[0] in own else np.ones((len(own), 2))
    found: list[Block] = []
    before, surely_two = 0.0, 2 * (policy.minimum_count + policy.noise_most)
    for k, day in enumerate(days):
        if sizes[k] >= surely_two:
            found.append(Block(int(sizes[k]), max(before, day - 1), day, day, *each[k]))
        else:
            if np.isfinite(ends[k]):
                end = ends[k]
            elif k + 1 < len(days):
                # Nothing is known of where this block stops: half-way tells no more than the two mean days do.
                end = (day + days[k + 1]) / 2
            else:
                # As far behind its mean day as it begins before it, within what the group's counts speak of.
                end = min(max(2 * day - before, day), max(last, day))
            found.append(Block(int(sizes[k]), before, day, max(before, end), *each[k]))
        before = found[-1].end
    return found


def _by_day(blocks: list[Block], kind: str = "") -> pd.Series:
    """Return how many leave on which day, or what they weigh."""
    # The middle of each person's part of the block: its ends would move the mean day.
    days = [np.ceil(b.days((np.arange(b.size) + 0.5) / b.size)) for b in blocks]
    whole = pd.Series(np.concatenate(days) if days else [], dtype="float64")
    if not kind:
        return whole.value_counts()
    each = [np.full(b.size, getattr(b, kind)) for b in blocks]
    return pd.Series(np.concatenate(each) if each else [], dtype="float64").groupby(whole).sum()


def corners(rows: pd.DataFrame, name: str, policy: Policy) -> Floats:
    """Return the days (k,) between which a group's safe curve of a flow is drawn as straight lines, 0 to its end."""
    parts = [block.days(np.array(_CORNERS)) for block in blocks_of(rows, name, policy)]
    days, end = np.ceil(np.concatenate([[0.0], *parts])), ends_at(rows, name)
    return np.unique(np.append(days[days <= end], end))


def ends_at(rows: pd.DataFrame, name: str) -> float:
    """Return the day at which a cause's curve ends: the landmark its last block was made to end at, or the last day."""
    last = rows.loc[rows[name] > 0, f"end_{name}"]
    return float(last.iloc[-1]) if len(last) and np.isfinite(last.iloc[-1]) else last_day(rows)


def read_at(smooth: pd.DataFrame, flows: pd.DataFrame, end: float, times: Sequence[float] | Floats) -> pd.DataFrame:
    """Read one group's safe curve (of one cause) at some days; missing after its end.

    n_risk is just before the day. `smooth` and `flows` are the curve and the counts of the spread blocks.
    """
    at = np.asarray(times, dtype=float)
    beyond = at > end
    start = 0.0 if "cause" in smooth else 1.0
    first = {"estimate": start, "std_error": 0.0, "conf_low": start, "conf_high": start}
    place = np.searchsorted(smooth["time"].to_numpy(dtype=float), at, side="right")
    found = {}
    for name in VALUES:
        values = smooth[name].to_numpy(dtype=float)
        if name.startswith("conf"):  # before the first event limits are not defined: the value itself
            values = np.where(np.isnan(values), smooth["estimate"], values)
        found[name] = np.where(beyond, np.nan, np.concatenate([[first[name]], values])[place])
    leaving = flows[[c for c in flows.columns if c == "n_censor" or str(c).startswith("n_event")]].sum(axis=1)
    gone = np.concatenate([[0.0], leaving.cumsum()])[np.searchsorted(flows["time"], at, side="left")]
    risk = np.where(beyond, np.nan, float(flows["n_entry"].sum()) - gone)
    names = {name: smooth[name].iloc[0] for name in ("group", "cause") if name in smooth}
    return pd.DataFrame({**names, "time": at, "n_risk": risk, **found})
