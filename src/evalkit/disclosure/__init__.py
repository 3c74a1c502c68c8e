"""Disclosure control: what may leave the study.

A policy is data (`Policy`); `make_safe` makes an estimate's counts safe and asks the same analysis again, so that
every percentage, curve, table and sentence comes from numbers that may be seen. The exact number never goes further.
"""

from evalkit.disclosure._policy import Policy
from evalkit.disclosure._restated import safe_restatements
from evalkit.disclosure._safe import TOLERANCE, Safe, make_safe, safe_counts

__all__ = ["TOLERANCE", "Policy", "Safe", "make_safe", "safe_counts", "safe_restatements"]
