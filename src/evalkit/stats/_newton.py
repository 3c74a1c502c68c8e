"""Maximising a partial likelihood, plain or penalised by Firth's term, with separation noticed."""

from __future__ import annotations

__all__ = ["SINGULAR", "Maximum", "firth_maximum", "inverted", "maximum", "require_identified", "scaled", "solved"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from evalkit.errors import AnalysisError
from evalkit.stats._columns import Floats, Ints
from evalkit.stats._risk_sets import RiskSets

# A fit with a maximum takes less than ten; one whose coefficient runs away moves by 1 a step, and is known long before.
ITERATIONS = 100
SINGULAR = "the covariates are not identified: they cannot be told apart within the strata at risk; leave one out"

# A covariate keeps this share of its information once those before it are known, or is not identified. (R's coxph
# draws the line at 1.8e-12 of the largest; the information itself is known to about 1e-15.)
IDENTIFIED = 1e-11
# Newton's next gain, in weights of one event, below which a step leaves an error of its square.
CLOSE = 1e-12
# A coefficient that still moves the linear predictor by this much when the likelihood gains nothing runs to infinity:
# on its way each step moves it by about 1, while one with a maximum has long come to rest.
WALKING = 1e-2
FORGOTTEN = 1e-7  # share of its information below which a covariate tells nothing any more
LOST = 1e-14  # share of a direction's information that is rounding error


class At(Protocol):
    """A likelihood at one vector of coefficients: value, score (p,), information (p, p)."""

    @property
    def value(self) -> Any:  # noqa: ANN401 - complex where derivatives are taken by complex steps
        """The log-likelihood."""
        ...

    @property
    def score(self) -> npt.NDArray[Any]:
        """Its first derivatives (p,)."""
        ...

    @property
    def information(self) -> npt.NDArray[Any]:
        """Its second derivatives, turned (p, p)."""
        ...


@dataclass(frozen=True)
class Maximum:
    """Where the likelihood is largest."""

    beta: Floats  # (p,)
    value: float
    infinite: npt.NDArray[np.bool_]  # (p,) which coefficients have no finite maximum
    idle: npt.NDArray[np.bool_]  # (p,) of which nothing is left to tell then: as likely without


def scaled(matrix: Floats, used: npt.NDArray[np.bool_], layer: Ints) -> tuple[Floats, Floats, Floats]:
    """Return covariates centred within strata and scaled (n, p), the scale, 1 where nothing varies (p,), reach (p,).

    Rows that are not used become 0; reach is the largest difference within a stratum.
    """
    # strata's levels do not count in the likelihood, and would cost digits; no outlier moves a median
    by = pd.DataFrame(matrix[used]).groupby(layer[used])
    centred = np.zeros_like(matrix)
    centred[used] = matrix[used] - by.transform("median").to_numpy()
    scale = np.sqrt(np.mean(centred[used] ** 2, axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    reach = (by.max() - by.min()).to_numpy().max(axis=0) / scale
    return centred / scale, scale, reach


def require_identified(information: Floats, size: Floats, terms: Sequence[str]) -> None:
    """Refuse the first covariate that those before it, or the strata, leave nothing to tell by; information at 0.

    ``size`` (p,) is what it would be, did the risk sets not have means of their own: the scale of rounding error.
    """
    own = np.diag(information)
    flat = own <= IDENTIFIED * size
    norm = np.sqrt(np.where(flat, 1.0, own))
    correlation = information / np.outer(norm, norm)
    for j, term in enumerate(terms):
        if not flat[j]:
            known = np.linalg.lstsq(correlation[:j, :j], correlation[:j, j], rcond=None)[0] if j else np.zeros(0)
            if 1.0 - correlation[:j, j] @ known > IDENTIFIED:
                continue
        msg = (
            f"covariate '{term}' is not identified: among people at risk together it does not vary, or cannot be told "
            "apart from the covariates before it; leave it out"
        )
        raise AnalysisError(msg)


def solved(information: Floats, score: Floats) -> Floats:
    """Return Newton's step; an information that is singular or not finite is refused."""
    if not np.isfinite(information).all():
        raise AnalysisError(SINGULAR)
    norm = np.sqrt(np.maximum(np.diag(information), 0.0))
    norm = np.where(norm > 0, norm, 1.0)  # weights may set coefficients' information worlds apart
    try:
        found = np.linalg.solve(information / np.outer(norm, norm), (score.T / norm).T)
        return np.asarray((found.T / norm).T)
    except np.linalg.LinAlgError as error:
        raise AnalysisError(SINGULAR) from error


def inverted(information: Floats, infinite: npt.NDArray[np.bool_], at_null: Floats) -> Floats:
    """Return the coefficients' variance, without the directions that have lost the information they had at 0."""
    if not infinite.any():
        return solved(information, np.eye(len(infinite)))
    if not np.isfinite(information).all():
        raise AnalysisError(SINGULAR)
    norm = np.sqrt(np.diag(at_null))
    had, basis = np.linalg.eigh(at_null / np.outer(norm, norm))
    root = basis / np.sqrt(np.maximum(had, LOST)) / norm[:, None]
    left, directions = np.linalg.eigh(root.T @ information @ root)
    kept = root @ directions[:, left > FORGOTTEN]
    return np.asarray((kept / left[left > FORGOTTEN]) @ kept.T)


def _step(at: At) -> tuple[Floats, Floats]:
    """Return Newton's step (p,), and the directions (p, k) in which no information is left to make one."""
    norm = np.sqrt(np.maximum(np.diag(at.information), 0.0))
    gone = ~(norm > 0)
    norm = np.where(gone, 1.0, norm)
    left, directions = np.linalg.eigh(at.information / np.outer(norm, norm))
    lost = left <= LOST * len(norm)
    kept = directions[:, ~lost] / norm[:, None]
    return np.asarray(kept @ ((kept.T @ at.score) / left[~lost])), directions[:, lost] / norm[:, None]


@dataclass(frozen=True)
class _Part:
    """A likelihood of some of the coefficients."""

    value: Any
    score: npt.NDArray[Any]
    information: npt.NDArray[Any]


def maximum(likelihood: Callable[[Floats], At], reach: Floats, unit: float, total: float) -> Maximum:
    """Return the maximum by Newton's steps, and which coefficients have none that is finite; identified at 0.

    ``reach`` as of `scaled`; ``unit`` and ``total``: weights of one event and of all, by which a gain is measured.
    """
    best = _climb(likelihood, reach, unit, total)
    if not best.infinite.any():
        return best
    # Where one covariate explains everything, another that walks along is no second explanation.
    before, after = (np.diag(likelihood(b).information) for b in (np.zeros(len(reach)), best.beta))
    kept = np.ones(len(reach), dtype=bool)
    # from the last: of two that explain as much the one that was named first stays
    for j in np.flatnonzero(after <= FORGOTTEN * before)[::-1]:
        rest = kept.copy()
        rest[j] = False
        if not rest.any():
            break

        def part(free: Floats, rest: npt.NDArray[np.bool_] = rest) -> _Part:
            beta = np.zeros(len(rest))
            beta[rest] = free
            at = likelihood(beta)
            return _Part(at.value, at.score[rest], at.information[np.ix_(rest, rest)])

        less = _climb(part, reach[rest], unit, total)
        if less.value >= best.value - 1e-9 * total:
            kept = rest
            beta, infinite = np.zeros(len(reach)), np.zeros(len(reach), dtype=bool)
            beta[kept], infinite[kept] = less.beta, less.infinite
            best = Maximum(beta, less.value, infinite, ~kept)
    return best


def _climb(likelihood: Callable[[Floats], At], reach: Floats, unit: float, total: float) -> Maximum:
    """Return where Newton's steps, halved when they overshoot, end; what still walks there has no finite maximum."""
    beta = np.zeros(len(reach))
    here = likelihood(beta)
    for _ in range(ITERATIONS):
        step, _ = _step(here)
        gain, shrink = float(here.score @ step), 1.0
        # so small a loss is the sum's rounding: to take it for one would halve the last steps for ever
        least = here.value - 1e-11 * (abs(here.value) + total)
        there = likelihood(beta + step)
        while not (_is_finite(there) and there.value >= least) and shrink > 1e-9:
            shrink /= 2
            there = likelihood(beta + shrink * step)
        if shrink > 1e-9:
            beta, here = beta + shrink * step, there
            if gain > CLOSE * unit or shrink < 1.0:
                continue
        elif gain > 1e-6 * unit:  # not the rounding error of a maximum reached
            break
        return Maximum(beta, float(here.value), _walking(here, reach), np.zeros(len(beta), dtype=bool))
    msg = "the model's likelihood has no maximum that could be found: leave out or coarsen a covariate"
    raise AnalysisError(msg)


def _is_finite(at: At) -> bool:
    return bool(np.isfinite(at.value) and np.isfinite(at.score).all() and np.isfinite(at.information).all())


def _walking(at: At, reach: Floats) -> npt.NDArray[np.bool_]:
    """Return which coefficients would still move the linear predictor (p,)."""
    step, lost = _step(at)
    moves = np.abs(step) * reach > WALKING
    for direction in lost.T:
        shift = np.abs(direction) * reach
        moves |= shift > WALKING * shift.max()
    return np.asarray(moves)


def _log_determinant(information: Floats) -> float:
    if not np.isfinite(information).all():
        return -np.inf
    sign, value = np.linalg.slogdet(information)
    return float(value) if sign > 0 else -np.inf


def _firth_score(sets: RiskSets, beta: Floats) -> tuple[float, Floats, Floats]:
    """Return the penalised likelihood, its score and the information; derivatives by complex steps."""
    at = sets.likelihood(beta)
    inverse = solved(at.information, np.eye(len(beta)))
    slope = np.empty(len(beta))
    for j in range(len(beta)):
        nudged = beta.astype(complex)
        # a complex step takes no difference, so that it may be as small as is exact
        nudged[j] += 1e-20j
        derivative = sets.likelihood(nudged).information.imag / 1e-20
        slope[j] = 0.5 * float(np.sum(inverse * derivative))
    value = float(at.value) + 0.5 * _log_determinant(at.information)
    return value, at.score + slope, at.information


def _firth_value(sets: RiskSets, beta: Floats) -> float:
    at = sets.likelihood(beta)
    return float(at.value) + 0.5 * _log_determinant(at.information)


def firth_maximum(sets: RiskSets, held: tuple[int, float] | None = None, start: Floats | None = None) -> Maximum:
    r"""Return the maximum of :math:`\ell(\beta) + \tfrac12 \log|I(\beta)|`, one coefficient held if asked."""
    p = sets.x.shape[1]
    beta = np.zeros(p) if start is None else start.copy()
    free = np.ones(p, dtype=bool)
    if held is not None:
        beta[held[0]], free[held[0]] = held[1], False
    value, score, information = _firth_score(sets, beta)
    for _ in range(200):
        step = np.zeros(p)
        if free.any():
            step[free] = solved(information[np.ix_(free, free)], score[free])
        if np.abs(step).max(initial=0.0) < 1e-9:
            return Maximum(beta, value, np.zeros(p, dtype=bool), np.zeros(p, dtype=bool))
        size = np.sqrt(np.maximum(np.diag(information), 0.0))  # far out it can be below 0 by rounding
        step *= min(1.0, 5.0 / max(float(np.abs(step * size).max()), 1e-300))
        while np.abs(step).max() > 1e-8 and not _firth_value(sets, beta + step) >= value - 1e-12 * abs(value):
            step /= 2
        there = _firth_score(sets, beta + step)
        ahead, behind = float(score @ step), float(there[1] @ step)
        if ahead < 0:  # so far out that the information is rounding error: a step by it leads downhill
            break
        # the information leaves the penalty out, so that steps overshoot: where the slope has turned it says how far
        if behind < -0.2 * ahead:
            step *= ahead / (ahead - behind)
            there = _firth_score(sets, beta + step)
        beta = beta + step
        value, score, information = there
    msg = "Firth's penalised likelihood did not converge"
    raise AnalysisError(msg)
