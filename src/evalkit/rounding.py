"""How a number is rounded, wherever it is cut or written: a half goes away from zero, as people round."""

from __future__ import annotations

__all__ = ["half_up"]

from decimal import ROUND_HALF_UP, Context, Decimal

_HALF_DIGITS = 9  # decimals by which a half of the last one printed may be missed in binary
_EXACTLY = Context(prec=400, rounding=ROUND_HALF_UP)  # a limit of a ratio may be any float; decimal's own 28 digits end


def half_up(value: float, digits: int) -> str:
    """Write a finite number with so many decimals; 62.5 is 63 everywhere.

    Python's own formats round a half to the even digit, and see none in 28.499999999999996, which is 100 times 0.285.
    What is cut in disclosure is rounded as what is written: else a number that was cut would be printed as another.

    Examples
    --------
    >>> half_up(62.5, 0), half_up(-0.125, 2), half_up(100 * 0.285, 0)
    ('63', '-0.13', '29')
    """
    nearest = Decimal(repr(round(float(value), digits + _HALF_DIGITS)))
    return f"{nearest.quantize(Decimal(1).scaleb(-digits), context=_EXACTLY):f}"
