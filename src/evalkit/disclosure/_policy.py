"""The disclosure policy."""

from __future__ import annotations

__all__ = ["Policy"]

import dataclasses
import hashlib
import json
from dataclasses import dataclass

import numpy as np

from evalkit.errors import ProtocolError
from evalkit.protocol import Disclosure

_STATED = (
    "minimum_count", "rounding_base", "minimum_at_risk", "minimum_subgroup", "minimum_level", "dominance", "ambiguity",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be published.

    Attributes
    ----------
    minimum_count : int
        Smallest count of people or events that is published; 1 to one below it are not.
    rounding_base : int
        Published counts are multiples of this; 1 switches rounding off.
    minimum_at_risk : int
        A curve ends where fewer than this are at risk.
    dominance : float
        Largest share of a total that one person may contribute.
    minimum_subgroup : int
        Of a group with fewer people nothing is shown: no share, no mean, no curve.
    minimum_level : int
        A model is not shown when fewer people than this had the event, or did not, at a level of one of its terms: its
        standard errors would give them back. At 1 standard errors are shown as they are.
    zero : bool
        Whether a count of nobody is published, and with it that everybody is meant; it says something of each of them.
    ambiguity : int
        Of a count below the minimum at least this many values must remain possible, whatever is subtracted from what.
    complementary : bool
        Whether further rows are withheld where a small count could be worked out from others.
    ledger : bool
        Whether what earlier releases published is counted with.
    safe_curves : bool
        Whether curves are made of blocks of events; without it their steps give people back.
    landmarks : tuple of int
        Days at which a safe curve keeps its value as nearly as rounding lets it; the same in every release.
    """

    minimum_count: int = 11
    rounding_base: int = 5
    minimum_at_risk: int = 11
    dominance: float = 0.5
    minimum_subgroup: int = 11
    minimum_level: int = 11
    zero: bool = True
    ambiguity: int = 3
    complementary: bool = True
    ledger: bool = True
    safe_curves: bool = True
    landmarks: tuple[int, ...] = (30, 60, 90, 182, 365, 730)

    def __post_init__(self) -> None:
        if self.minimum_count < 1 or self.rounding_base < 1 or not 0 < self.dominance <= 1:
            msg = "disclosure policy: counts and base must be at least 1, dominance between 0 and 1"
            raise ProtocolError(msg)

    @classmethod
    def of(cls, rules: Disclosure) -> Policy:
        """Return the policy that a study's file states.

        Parameters
        ----------
        rules : Disclosure

        Returns
        -------
        Policy
        """
        stated = {name: getattr(rules, name) for name in _STATED}
        return cls(**stated, zero=rules.zero == "published", landmarks=tuple(rules.landmarks))

    def rounded(self, count: int | np.integer) -> int:
        """Round a count to the base, halves up.

        Parameters
        ----------
        count : int

        Returns
        -------
        int

        Examples
        --------
        >>> Policy().rounded(163), Policy().rounded(12), Policy(rounding_base=1).rounded(7)
        (165, 10, 7)
        """
        base = self.rounding_base
        return int((int(count) + base // 2) // base * base)

    def hides(self, count: int | np.integer) -> bool:
        """Whether a count is too small to be published; zero is not, unless the policy says so.

        Parameters
        ----------
        count : int

        Returns
        -------
        bool

        Examples
        --------
        >>> [Policy().hides(n) for n in (0, 1, 10, 11)], Policy(zero=False).hides(0)
        ([False, True, True, False], True)
        """
        return self.is_small(count) or (int(count) == 0 and not self.zero)

    def is_small(self, count: int | np.integer) -> bool:
        """Whether a count is of somebody, but of fewer than the minimum.

        Parameters
        ----------
        count : int

        Returns
        -------
        bool
        """
        return 0 < int(count) < self.minimum_count

    @property
    def least(self) -> int:
        """The smallest count that a reader has to think of where one is not shown because it is small."""
        return 1 if self.zero else 0

    def bounds(self, count: int | np.integer) -> tuple[int, int]:
        """Return what a reader knows of a count that is published: the smallest and the largest it can be.

        Parameters
        ----------
        count : int
            Exact, and not hidden.

        Returns
        -------
        tuple of int

        Examples
        --------
        >>> Policy().bounds(0), Policy().bounds(11), Policy().bounds(163)
        ((0, 0), (11, 12), (163, 167))
        """
        base, public = self.rounding_base, self.rounded(count)
        first = public - base // 2
        inside = range(max(first, 0), first + base)
        published = [c for c in inside if not self.hides(c)] or list(inside)
        return published[0], published[-1]

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that name this policy: what was shown under another one is found by them."""
        rules = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(rules.encode()).hexdigest()[:12]

    @property
    def block(self) -> int:
        """Fewest events or censorings that one step of a curve carries: the minimum, rounded up to the base."""
        base = self.rounding_base
        return -(-self.minimum_count // base) * base
