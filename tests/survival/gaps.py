"""Which gaps which note explains: a note about limits does not excuse a missing estimate."""

from __future__ import annotations

import numpy as np

from evalkit.estimates import Estimates

ERROR = {"std_error", "statistic", "p_value"}
LIMITS = {"conf_low", "conf_high", "sim_low", "sim_high", "hr_low", "hr_high"}
EXPLAINED = {
    "Standard error and limits are not defined where the curve is 0": {"std_error", *LIMITS},
    "Nothing is estimated after the last day of follow-up.": {"estimate", "n_risk", "w_risk", *ERROR, *LIMITS},
    "Nothing is estimated after the last day anyone was followed.": {"estimate", "std_error", *LIMITS},
    "A group whose weights are all 0 has no curve.": {"estimate", *ERROR, *LIMITS},
    "Limits are not defined where the incidence is 0 or 1.": LIMITS,
    "No events while two groups were at risk": {"statistic", "p_value"},
    "A cause without events in two groups at risk has no test.": {"statistic", "p_value"},
    "Where the score residuals are all 0": ERROR | LIMITS,
    "A ratio or limit beyond the largest number is given as infinite.": {"hazard_ratio", *LIMITS},
    "Separation: ": {"estimate", "hazard_ratio", *ERROR, *LIMITS},
    "Firth's penalised likelihood": LIMITS,
    "Without events before the horizon there is no standard error": {"estimate", *ERROR, *LIMITS},
    "A quantile that the curve (or its limit) does not reach": {"estimate", *LIMITS},
    "Where neither curve has come down, or both are at 0": ERROR | LIMITS,
    "Hybrid limits are not defined": LIMITS,
    "A covariate that does not vary has no standardised difference.": {"smd", "smd_weighted"},
    "Variance ratios are given for quantities only": {"variance_ratio", "variance_ratio_weighted"},
    "All bootstrap replicates are the same": ERROR | LIMITS,
    "Balance could not be judged": {"estimate"},
}


def unexplained(found: Estimates) -> set[str]:
    """Return the columns of numbers with a gap that no note of the result is about."""
    rows = found.tidy().select_dtypes("number")
    gaps = {name for name in rows if not np.isfinite(rows[name].to_numpy(dtype=float)).all()}
    said = [columns for words, columns in EXPLAINED.items() if any(note.startswith(words) for note in found.notes)]
    return gaps - set().union(*said)
