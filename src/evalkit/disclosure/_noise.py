"""Keyed noise: every published count is a little off, and the same people give the same number everywhere.

Each person has a secret key; a group's key is the sum of its people's keys, whatever order or engine adds them up; and
a group's key decides by how much its published count is off. So nothing is gained by asking again, in another table or
another release: the same people, the same number. And nothing is gained by subtracting: two groups that differ by one
person have unrelated keys, so the difference of their counts is off by both. This is the cell-key method of official
statistics (Fraser and Wooton 2005; Thompson, Broadfoot and Elazar 2013, Proceedings of the UNECE work session on
statistical data confidentiality), with a bell of the largest entropy for its bounds, mean and variance (Giessing 2016).
"""

from __future__ import annotations

__all__ = ["MODULUS", "UNIT_VARIANCE", "Noise", "bell"]

import bisect
import functools
import hashlib
import hmac
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.counts import Codes

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
        """Return the keys of people.

        Parameters
        ----------
        people : numpy.ndarray of uint64, shape (n,)

        Returns
        -------
        numpy.ndarray of uint64, shape (n,)
        """
        told = self._known
        places = told.index.get_indexer(pd.Index(people))
        if (places < 0).any():
            new = np.unique(people[places < 0])
            own = np.fromiter((self._key_of(code) for code in new.tolist()), dtype=np.uint64, count=len(new))
            told = pd.concat([told, pd.Series(own, index=pd.Index(new))])
            # A person's hash is asked for in hundreds of groups; hashing each once is what makes keys cheap.
            object.__setattr__(self, "_known", told)
            places = told.index.get_indexer(pd.Index(people))
        return np.asarray(told.to_numpy()[places])

    def _key_of(self, code: int) -> int:
        """Return one person's key."""
        told = hashlib.blake2b(code.to_bytes(8, "little"), key=self.secret, digest_size=8, person=b"person").digest()
        return int.from_bytes(told, "little")

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

        Returns
        -------
        int
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
        told = self._told(str(key).encode(), b"noise", 4)
        return values[bisect.bisect_right(below, int.from_bytes(told, "little"))]

    def unit(self, key: int | str) -> float:
        """Return a number in (-1, 1) with mean 0, the same for the same key: noise of sums, in units of a person's."""
        told = self._told(str(key).encode(), b"sum", 16)
        # The sum of two uniform numbers: bounded, and more often near 0 than near its ends.
        first, second = (int.from_bytes(told[k : k + 8], "little") / MODULUS for k in (0, 8))
        return first + second - 1.0

    def _told(self, what: bytes, role: bytes, size: int) -> bytes:
        """Return bytes that only who has the secret can foretell."""
        return hashlib.blake2b(what, key=self.secret, digest_size=size, person=role).digest()
