"""The disclosure policy: what may be published, and with which noise.

Every published count is a little off, and the same people give the same number everywhere. Each
person has a secret key; a group's key is the sum of its people's keys, whatever order or engine adds them up; and
a group's key decides by how much its published count is off. So nothing is gained by asking again, in another table or
another release: the same people, the same number. And nothing is gained by subtracting: two groups that differ by one
person have unrelated keys, so the difference of their counts is off by both. This is the cell-key method of official
statistics (Fraser and Wooton 2005; Thompson, Broadfoot and Elazar 2013, Proceedings of the UNECE work session on
statistical data confidentiality), with a bell of the largest entropy for its bounds, mean and variance (Giessing 2016).
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.counts import Codes
from evalkit.disclosure._told import Told
from evalkit.errors import ProtocolError
from evalkit.protocol import Disclosure

__all__ = ["MODULUS", "UNIT_VARIANCE", "Noise", "Policy", "bell"]


Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Sums of keys wrap in 64 bits by themselves in every engine, whatever the order in which people are added.
MODULUS = 2**64
UNIT_VARIANCE = 1 / 6  # of `Noise.unit`, a sum of two uniform numbers
_STEPS = 2**32  # probabilities are whole multiples of 1 in so many, the same on every machine


@functools.cache
def bell(low: int, high: int, variance: float) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the noise that says least beyond its bounds, its mean of 0 and its variance.

    Parameters
    ----------
    low, high : int
        Least (0 or less) and largest noise.
    variance : float
        Made smaller where the bounds leave no room for it.

    Returns
    -------
    values : tuple of int
    below : tuple of int
        Of each value: how many in 2**32 draws are it or less.

    Notes
    -----
    The probabilities are proportional to :math:`exp(a d + b d^2)` (Marley and Leaver 2011).

    Examples
    --------
    >>> values, below = bell(-5, 5, 2.0)
    >>> share = np.diff([0, *below]) / 2**32
    >>> round(float(share @ np.array(values)), 6), round(float(share @ np.array(values) ** 2), 6)
    (0.0, 2.0)
    """
    if low >= 0:
        return (0,), (_STEPS,)
    d = np.arange(low, high + 1, dtype=np.float64)
    # Bounds allow -low * high at most, by a coin with two sides; near it the bell has no inside left to find.
    wanted = min(variance, 0.8 * -low * high)

    def shares(at: Floats) -> Floats:
        power = at[0] * d + at[1] * d**2
        mass = np.exp(power - power.max())
        return np.asarray(mass / mass.sum(), dtype=np.float64)

    def off(at: Floats) -> Floats:
        p = shares(at)
        return np.array([p @ d, p @ d**2 - wanted])

    from scipy import optimize  # noqa: PLC0415 - slow to import

    found = optimize.root(off, np.array([0.0, -0.5 / wanted]), tol=1e-13)
    whole = np.rint(np.cumsum(shares(found.x)) * _STEPS).astype(np.int64)
    # The last is all of them by itself, so that no rounding leaves a draw without a value.
    return tuple(int(v) for v in d), (*(int(v) for v in whole[:-1]), _STEPS)


def _nobody() -> pd.Series[int]:
    return pd.Series(dtype=np.uint64, index=pd.Index([], dtype=np.uint64))


@dataclass(frozen=True, eq=False)
class Noise:
    """The noise of one study's counts.

    Attributes
    ----------
    secret : bytes
        Of the study; for ever the same.
    least : int
        A count of so many or more stays so.
    most : int
        Largest noise.
    variance : float
    """

    secret: bytes = field(repr=False)
    least: int = 11
    most: int = 5
    variance: float = 2.0
    _known: pd.Series[int] = field(default_factory=_nobody, repr=False)

    @property
    def id(self) -> str:
        """Twelve digits that name the secret and tell nothing of it."""
        return hmac.new(self.secret, b"evalkit noise", hashlib.sha256).hexdigest()[:12]

    def keys(self, people: Codes) -> npt.NDArray[np.uint64]:
        """Return the keys of people."""
        told = self._known
        places = told.index.get_indexer(pd.Index(people))
        if (places < 0).any():
            new = np.unique(people[places < 0])
            own = np.fromiter(
                (self._drawn(code.to_bytes(8, "little"), b"person", 8) for code in new.tolist()),
                dtype=np.uint64,
                count=len(new),
            )
            told = pd.concat([told, pd.Series(own, index=pd.Index(new))])
            # A person's hash is asked for in hundreds of groups; hashing each once is what makes keys cheap.
            object.__setattr__(self, "_known", told)
            places = told.index.get_indexer(pd.Index(people))
        return np.asarray(told.to_numpy()[places])

    def key(self, people: Codes) -> int:
        """Return the key of a group: the sum of its people's, modulo 2**64."""
        return int(self.keys(people).sum(dtype=np.uint64))

    def count(self, exact: int, people: Codes | None, asked: str = "") -> int:
        """Return the count that may be published in place of an exact one.

        Parameters
        ----------
        exact : int
            How many; 0 stays 0. Counts of 1 to below `least` have no public form: what is returned of them is for
            sums only, and never below 0.
        people : numpy.ndarray of uint64, or None
            Who; where it is not known, the noise follows from what is asked and the count itself.
        asked : str
            What is counted, of whom.
        """
        return self.keyed(exact, None if people is None else self.key(people), asked)

    def keyed(self, exact: int, key: int | None, asked: str = "") -> int:
        """Return the same as `count`, of a group whose key is known."""
        if exact == 0:
            return 0
        return exact + self.of(f"{asked}\x1f{exact}" if key is None else key, exact)

    def of(self, key: int | str, exact: int) -> int:
        """Return the noise of a group with this key and so many people."""
        if self.variance == 0:
            return 0
        low = -min(self.most, exact - self.least if exact >= self.least else exact)
        values, below = bell(low, self.most, self.variance)
        return values[bisect.bisect_right(below, self._drawn(str(key).encode(), b"noise", 4))]

    def unit(self, key: int | str) -> float:
        """Return a number in (-1, 1) with mean 0, the same for the same key: noise of sums, in units of a person's."""
        # The sum of two uniform numbers: bounded, and more often near 0 than near its ends.
        first, second = divmod(self._drawn(str(key).encode(), b"sum", 16), MODULUS)
        return first / MODULUS + second / MODULUS - 1.0

    def _drawn(self, what: bytes, role: bytes, size: int) -> int:
        """Return a number of so many bytes that only who has the secret can foretell."""
        told = hashlib.blake2b(what, key=self.secret, digest_size=size, person=role).digest()
        return int.from_bytes(told, "little")


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
        """Return the policy that a study's file states; the secret is of the study's noise."""
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

        Examples
        --------
        >>> [Policy().hides(n) for n in (0, 1, 10, 11)], Policy(zero=False).hides(0)
        ([False, True, True, False], True)
        """
        return self.is_small(count) or (int(count) == 0 and not self.zero)

    def gives(self, had: int, others: int) -> bool:
        """Whether a share of people with an event by a day may be given: enough had it, enough others are followed."""
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
        """
        # Zero and small counts are decided elsewhere; without noise there is nothing that looks could average out.
        if self.told is None or key is None or self.noise_variance == 0 or count < self.minimum_count:
            return True
        return self.told.may(key, int(count), self.minimum_count, self.noise_variance, spare=spare)

    def is_small(self, count: int | np.integer) -> bool:
        """Whether a count is of somebody, but of fewer than the minimum."""
        return 0 < int(count) < self.minimum_count

    @property
    def least(self) -> int:
        """The smallest count that a reader has to think of where one is not shown because it is small."""
        return 1 if self.zero else 0

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that name this policy: what was shown under another one is found by them."""
        # What is not compared is left out: the secret stands in it as the noise's id, what was told changes with looks.
        rules = {one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.compare}
        told = json.dumps({**rules, "noise": self.noise.id}, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:12]
