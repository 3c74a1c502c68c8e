"""Figures printed in textbooks and papers, to the digits printed there."""

import numpy as np
import pandas as pd
import pytest

from evalkit import stats
from golden import runner


def printed(found, expected, digits):
    np.testing.assert_array_equal(np.round(np.asarray(found, dtype=float), digits), expected)


LEUKAEMIA = runner.data_set("leukemia6mp")
BRESLOW = {"ties": "breslow"}


def test_remission_curve():
    """Freireich et al. (1963), Blood 21:699-716; Kleinbaum, Klein, Survival Analysis, 2nd ed., table 2.1 (ordered failure times)."""
    curve = stats.kaplan_meier(LEUKAEMIA, "time", "status", by="arm").tidy()
    steps = curve[(curve["group"] == "6mp") & (curve["n_event"] > 0)]
    assert steps["time"].tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert steps["n_risk"].tolist() == [21, 17, 15, 12, 11, 7, 6]
    printed(steps["estimate"], [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], 4)
    medians = stats.survival_quantile(LEUKAEMIA, "time", "status", by="arm").tidy()
    assert medians["estimate"].tolist() == [23, 8]


def test_remission_logrank():
    """The same, section 2.IV: expected 19.26 and 10.74, statistic 16.79."""
    test = stats.logrank(LEUKAEMIA, "time", "status", "arm").tidy()
    assert test["n_event"].tolist() == [9, 21]
    printed(test["expected"], [19.25, 10.75], 2)
    printed(test["statistic"], [16.79, 16.79], 2)


def test_remission_hazard_ratios():
    """The same, section 3.I (Stata, Breslow's ties): models with treatment alone, with log WBC, with their product."""
    one = stats.cox(LEUKAEMIA, "time", "status", ["arm"], **BRESLOW)
    printed(one.tidy()[["estimate", "std_error", "hazard_ratio"]], [[1.509, 0.410, 4.523]], 3)
    two = stats.cox(LEUKAEMIA, "time", "status", ["arm", "logwbc"], **BRESLOW)
    printed(two.tidy()[["estimate", "std_error", "hazard_ratio"]], [[1.294, 0.422, 3.648], [1.604, 0.329, 4.975]], 3)
    three = stats.cox(LEUKAEMIA, "time", "status", "arm * logwbc", **BRESLOW)
    printed(three.tidy()[["estimate", "std_error"]], [[2.355, 1.681], [1.803, 0.447], [-0.342, 0.520]], 3)


DEVICE = pd.DataFrame(
    {
        "week": [10, 13, 18, 19, 23, 30, 36, 38, 54, 56, 59, 75, 93, 97, 104, 107, 107, 107],
        "stopped": [1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 0],
    }
)


def test_intrauterine_device():
    """Collett, Modelling Survival Data in Medical Research, 2nd ed., examples 2.3 and 2.5 (data: table 1.1)."""
    curve = stats.kaplan_meier(DEVICE, "week", "stopped").tidy()
    steps = curve[curve["n_event"] > 0]
    printed(steps["estimate"], [0.9444, 0.8815, 0.8137, 0.7459, 0.6526, 0.5594, 0.4662, 0.3729, 0.2486], 4)
    printed(steps["std_error"], [0.0540, 0.0790, 0.0978, 0.1107, 0.1303, 0.1412, 0.1452, 0.1430, 0.1392], 4)
    assert stats.survival_quantile(DEVICE, "week", "stopped").tidy()["estimate"].item() == 93


NEGATIVE = "23 47 69 70+ 71+ 100+ 101+ 148 181 198+ 208+ 212+ 224+"
POSITIVE = "5 8 10 13 18 24 26 26 31 35 40 41 48 50 59 61 68 71 76+ 105+ 107+ 109+ 113 116+ 118 143 154+ 162+ 188+ 212+ 217+ 225+"
TUMOURS = pd.DataFrame(
    [
        (int(month.rstrip("+")), int("+" not in month), stained)
        for stained, months in enumerate((NEGATIVE, POSITIVE))
        for month in months.split()
    ],
    columns=["month", "died", "stained"],
)


def test_breast_tumours():
    """Collett, the same, examples 2.12 (log-rank 3.515) and 3.3 (Cox's model; data: table 1.2, Leathem and Brooks 1987)."""
    test = stats.logrank(TUMOURS, "month", "died", "stained").tidy()
    printed(test["expected"][0], 9.565, 3)
    printed(test["statistic"], [3.515, 3.515], 3)
    fit = stats.cox(TUMOURS, "month", "died", ["stained"], **BRESLOW)
    printed(fit.tidy()[["estimate", "std_error"]], [[0.908, 0.501]], 3)
    printed(-2 * fit.glance()[["log_likelihood_null", "log_likelihood"]], [[173.968, 170.096]], 3)


def test_cirrhosis_restricted_means():
    """Uno et al., survRM2's vignette: Mayo Clinic's trial, ten years, D-penicillamine (arm 1) against placebo."""
    data = runner.data_set("pbc").assign(year=lambda d: d["time"] / 365.25)
    means = stats.rmst(data, "year", "dead", by="trt", tau=10).tidy()
    printed(
        means[["estimate", "std_error", "conf_low", "conf_high"]],
        [[7.146, 0.283, 6.592, 7.701], [7.283, 0.295, 6.704, 7.863]],
        3,
    )
    found = stats.rmst_contrast(data, "year", "dead", by="trt", tau=10, reference=2).tidy()
    wanted = [[-0.137, -0.939, 0.665, 0.738], [0.981, 0.878, 1.096, 0.738]]
    printed(found[["estimate", "conf_low", "conf_high", "p_value"]], wanted, 3)


@pytest.mark.parametrize(
    ("term", "estimate", "std_error"),
    [("fin", -0.379, 0.191), ("age", -0.057, 0.022), ("race", 0.314, 0.308), ("wexp", -0.150, 0.212),
     ("mar", -0.434, 0.382), ("paro", -0.085, 0.196), ("prio", 0.091, 0.029)],
)  # fmt: skip
def test_recidivism(term, estimate, std_error):
    """Rossi et al. (1980); Fox, Weisberg, Cox Regression for Survival Data in R (appendix to An R Companion), section 2."""
    from lifelines.datasets import load_rossi

    fit = stats.cox(load_rossi(), "week", "arrest", ["fin", "age", "race", "wexp", "mar", "paro", "prio"])
    row = fit.tidy().set_index("term").loc[term]
    printed(row[["estimate", "std_error"]], [estimate, std_error], 3)
    printed(fit.glance()[["lr_statistic", "wald_statistic", "score_statistic"]], [[33.27, 32.11, 33.53]], 2)
