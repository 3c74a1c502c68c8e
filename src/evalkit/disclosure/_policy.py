"""The disclosure policy."""

from __future__ import annotations

__all__ = ["Policy"]

import dataclasses
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from evalkit.counts import Codes
from evalkit.disclosure._noise import Noise
from evalkit.disclosure._told import Told
from evalkit.errors import ProtocolError
from evalkit.protocol import Disclosure

_STATED = (
    "minimum_count", "noise_variance", "noise_most", "round_for_display", "minimum_at_risk", "minimum_subgroup",
    "minimum_level", "dominance",
)  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """What may be published.

    Attributes
    ----------
    minimum_count : int
        Smallest count of people or events that is published; 1 to one below it are not.
    noise_variance : float
        Variance of the noise of a published count; 0 switches it off.
    noise_most : int
        Largest noise of a count.
    round_for_display : int
        Published counts are multiples of this; 1: as they are.
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
    safe_curves : bool
        Whether curves are made of blocks of events; without it their steps give people back.
    landmarks : tuple of int
        Days at which the numbers behind a safe curve are those of the very people; the same in every release.
    secret : bytes
        Of the study (see `noise`); without one a new one is drawn, and nothing can be made again.
    told : Told or None
        Of whom numbers were told; without it no difference is looked for that returns.
    """

    minimum_count: int = 11
    noise_variance: float = 2.0
    noise_most: int = 5
    round_for_display: int = 1
    minimum_at_risk: int = 11
    dominance: float = 0.5
    minimum_subgroup: int = 11
    minimum_level: int = 11
    zero: bool = True
    safe_curves: bool = True
    landmarks: tuple[int, ...] = (30, 60, 90, 182, 365, 730)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False, compare=False)
    told: Told | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.minimum_count < 1 or self.round_for_display < 1 or not 0 < self.dominance <= 1:
            msg = "disclosure policy: counts and base must be at least 1, dominance between 0 and 1"
            raise ProtocolError(msg)

    @classmethod
    def of(cls, rules: Disclosure, secret: bytes, told: Told | None = None) -> Policy:
        """Return the policy that a study's file states.

        Parameters
        ----------
        rules : Disclosure
        secret : bytes
            Of the study's noise.
        told : Told, optional
            Of whom numbers were told.

        Returns
        -------
        Policy
        """
        stated = {name: getattr(rules, name) for name in _STATED}
        zero, landmarks = rules.zero == "published", tuple(rules.landmarks)
        return cls(**stated, zero=zero, landmarks=landmarks, secret=secret, told=told)

    @cached_property
    def noise(self) -> Noise:
        """The noise of the study's counts."""
        return Noise(self.secret, self.minimum_count, self.noise_most, self.noise_variance)

    def public(self, count: int | np.integer, people: Codes | None, asked: str = "") -> int:
        """Return the count that is published in place of an exact one.

        Parameters
        ----------
        count : int
        people : numpy.ndarray of uint64, or None
            Who they are; where it is not known, what is asked and the count decide.
        asked : str

        Returns
        -------
        int

        Examples
        --------
        >>> Policy(noise_variance=0).public(163, None), Policy(noise_variance=0, round_for_display=5).public(12, None)
        (163, 15)
        """
        return self.displayed(self.noise.count(int(count), people, asked))

    def public_of_key(self, count: int, key: int | None, asked: str = "") -> int:
        """Return the same as `public`, of a group of which the key is known."""
        return self.displayed(self.noise.keyed(count, key, asked))

    def displayed(self, public: int) -> int:
        """Round a published count for the eye, halves up, never to less than the minimum where it was not less."""
        base = self.round_for_display
        found = (public + base // 2) // base * base
        # Rounded to below the minimum, a count that may be shown would read as one that may not.
        return found if found >= self.minimum_count or public < self.minimum_count else found + base

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

    def gives(self, had: int, others: int) -> bool:
        """Whether a share of people with an event by a day may be given: enough had it, and enough are left without it.

        Parameters
        ----------
        had, others : int
            With the event by then; without it and still followed.

        Returns
        -------
        bool
        """
        return had >= self.minimum_count and others >= max(self.minimum_count, self.minimum_at_risk)

    def tells(self, count: int | np.integer, key: int | None, *, spare: bool = False) -> bool:
        """Whether a number of a group may be told, beside all others that are: see `Told`.

        Parameters
        ----------
        count : int
            Not small.
        key : int or None
            Of the group; where it is not known who they are nothing is looked for.
        spare : bool, default False
            Whether a reader misses it least.

        Returns
        -------
        bool
        """
        # Zero and small counts are decided elsewhere; without noise there is nothing that looks could average out.
        if self.told is None or key is None or self.noise_variance == 0 or count < self.minimum_count:
            return True
        return self.told.may(key, int(count), self.minimum_count, self.noise_variance, spare=spare)

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

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that name this policy: what was shown under another one is found by them."""
        # What is not compared is left out: the secret stands in it as the
        # noise's id, and what was told changes with each look.
        rules = {one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.compare}
        told = json.dumps({**rules, "noise": self.noise.id}, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]
