"""Results written by hand: small tables of text in, what sentences, headlines, tables and figures are given out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evalkit.analyses import ShareOf
from evalkit.counts import Tally
from evalkit.disclosure import Policy, Safe
from evalkit.estimates import Estimates
from evalkit.glossary import COLUMNS
from evalkit.views import FAMILIES, Gap

POLICY = Policy(secret=bytes(32))
GROUPS = ("Pilot", "PAIP")
NONE, HIGHER, LOWER = Gap(-0.03, -0.12, 0.06), Gap(0.2, 0.08, 0.32), Gap(-0.2, -0.29, -0.11)
"""A difference that is unclear, one clearly above 0, one clearly below."""


VIEWS = {
    "kaplan_meier": "survival", "cumulative_incidence": "incidence", "sessions_by_week": "weeks", "cox": "model",
    "hours_by_week": "hours_by_week", "engaged_across": "across", "adjusted_effects": "effects", "rmst": "means",
    "rmst_contrast": "mean_gap", "diagnose": "gate", "equipoise": "of_method", "incomplete": "of_method",
    "engaged_by": "shares",
    "survival_quantile": "quantiles", "referred": "shares", "state_occupation": "pathway", "standardised_risks": "risks",
}  # fmt: skip
"""Which family shows a kind of result, where it is not called the same."""


def view_for(kind: str) -> str:
    """The family of a kind, as its analysis names it."""
    name = VIEWS.get(kind, kind)
    return name if name in FAMILIES else "plain"


def table(text: str) -> pd.DataFrame:
    """Read ``a | b`` tables: the first line names columns of the glossary; ``-`` is a missing number."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines() if line.strip()]
    frame = pd.DataFrame(lines[1:], columns=lines[0])
    for name in frame.columns:
        if COLUMNS[name].kind in {"number", "count"}:
            frame[name] = [float("nan") if cell == "-" else float(cell) for cell in frame[name]]
    return frame


def safe_of(kind: str, rows: str | pd.DataFrame, **about: Any) -> Safe:
    """Return a result of a kind with these rows; ``about`` holds fields of `Estimates` or `Safe`."""
    own = {name: about.pop(name) for name in ("verdict", "withheld", "policy", "short") if name in about}
    frame = table(rows) if isinstance(rows, str) else rows
    what = about.pop("estimand", "what is asked")
    made = Estimates(frame, kind=kind, estimand=what, view=about.pop("view", view_for(kind)), **about)
    return Safe(made, own.get("verdict", "released"), own.get("withheld", ()), own.get("policy", POLICY))


def shares(kind: str, rows: str, policy: Policy = POLICY, **about: Any) -> Safe:
    """Return shares of counts: group, term, label, n_event, n; limits are Wilson's."""
    frame = table(rows)
    frame = frame.astype(dict.fromkeys(["n_event", "n"], "int64"))
    return Safe(ShareOf(kind, "share", view=view_for(kind), **about).estimate(Tally(frame)), "released", (), policy)


@dataclass(frozen=True, eq=False)
class Curve(Safe):
    """A curve read by hand: what is known of it stands in a table; the rest is `Safe`'s own."""

    points: pd.DataFrame = field(default_factory=pd.DataFrame)

    def at(self, times: Any) -> pd.DataFrame:
        return self.points[self.points["time"].isin(list(times))].reset_index(drop=True)

    def knots(self, group: str, cause: str = "") -> pd.DataFrame:
        rows = self.points[(self.points["group"] == group) & (self.points["time"] <= self._drawn_until(group, cause))]
        rows = rows[rows["cause"] == cause] if cause else rows
        return rows[["time", "estimate", "std_error", "conf_low", "conf_high"]].reset_index(drop=True)


def curve(rows: str, cause: bool = False, events: Mapping[str, float] | None = None, **more: Any) -> Curve:
    """Return survival curves (or incidences): group, (cause,) time, n_risk, estimate, conf_low, conf_high, verdict.

    The verdict says what may be done with a point: pass (quoted) or fail (too few people). ``events`` are those of each group, 20 where it says nothing.
    """
    points = table(rows)
    points = points.assign(std_error=(points["conf_high"] - points["conf_low"]) / 3.92)
    places = points["group"] + (": " + points["cause"] if cause else "")
    quoted = frozenset((p, t) for p, t, v in zip(places, points["time"], points["verdict"], strict=True) if v == "pass")
    points = points.drop(columns="verdict")
    happened = points.assign(n_event=[(events or {}).get(group, 20.0) for group in points["group"]])
    kind = "cumulative_incidence" if cause else "kaplan_meier"
    about = {"view": view_for(kind), "counts": more.pop("counts", None)}
    made = Estimates(happened, kind=kind, estimand="a curve", **about)
    policy = more.pop("policy", POLICY)
    return Curve(made, "released", (), policy, quoted=quoted, smooth=made, points=points, **more)
