"""Bootstrap, simultaneous limits, imputation and pooling against R's boot, mvtnorm, mice and mitools.

Random figures of either side are compared within four of their joint Monte Carlo errors; what is not random, to 1e-6.
"""

import numpy as np
import pytest

from evalkit import stats
from golden import runner


def of_kind(*functions):
    found = [case for case in runner.cases("resampling") if case["fn"] in functions]
    return pytest.mark.parametrize("case", found, ids=[case["id"] for case in found])


@of_kind("compare.adjusted_effect")
def test_bootstrap_is_boots(case):
    """R's Monte Carlo errors stand beside its figures; ours are as large, from as many replicates."""
    found = runner.call(case["fn"], case["set"], case["args"]).tidy().iloc[0]
    expect = dict(case["expect"])
    errors = expect.pop("error")
    np.testing.assert_allclose(found["estimate"], expect.pop("estimate"), rtol=1e-6)
    for name, value in expect.items():
        assert abs(found[name] - value) < 4 * np.sqrt(2) * errors[name], (name, found[name], value, errors[name])


@of_kind("survival.survival_difference")
def test_simultaneous_limits_are_the_integrals(case):
    """The factor by Genz and Bretz' integration (to 2e-4 of 95 %); ours, from 100,000 draws, has an error of about 0.006."""
    found = runner.call(case["fn"], case["set"], case["args"]).tidy()
    factor = (found["sim_high"] - found["estimate"]) / found["std_error"]
    wanted = np.repeat(runner.as_numbers(case["expect"]["factor"]), len(case["args"]["times"]))
    np.testing.assert_allclose(factor, wanted, atol=0.02)
    for name in ("sim_low", "sim_high"):
        np.testing.assert_allclose(
            found[name], runner.as_numbers(case["expect"][name]), atol=0.02 * found["std_error"].max()
        )


def imputed(case):
    frames = runner.data_set(case["set"])
    return [part.reset_index(drop=True) for _, part in frames.groupby(".imp")]


@of_kind("pool.cox")
def test_pooled_cox_models(case):
    args = dict(case["args"])
    n = args.pop("n", None)
    fits = [stats.cox(frame, **args) for frame in imputed(case)]
    found = stats.pool(fits, n=n).tidy()
    runner.columns_agree(found, case["expect"])
    np.testing.assert_allclose(found["hazard_ratio"], np.exp(found["estimate"]))


@of_kind("pool.rmst")
def test_pooled_restricted_means(case):
    args = case["args"]
    results = [
        stats.rmst(frame.assign(big=frame["wt_loss"] > args["above"]), "time", "status", by="big", tau=args["tau"])
        for frame in imputed(case)
    ]
    runner.columns_agree(stats.pool(results).tidy(), case["expect"])


@pytest.mark.parametrize(("m", "burn_in"), [(8, 3), pytest.param(40, 10, marks=pytest.mark.slow)])
@of_kind("impute")
def test_imputations_are_distributed_like_mices(case, m, burn_in):
    """Pooled coefficients, their variance within and between imputations, and the imputed means."""
    args, expect = case["args"], case["expect"]
    asked = {"time": "time", "event": "status", "m": m, "burn_in": burn_in, "seed": 3}
    frames = stats.impute(runner.data_set(case["set"]), args["columns"], **asked)
    fits = [stats.cox(frame, "time", "status", args["columns"]).tidy() for frame in frames]
    estimates, within = (np.stack([f[name] for f in fits]) for name in ("estimate", "std_error"))
    theirs = {name: runner.as_numbers(value) for name, value in expect.items() if name != "m"}
    spread = np.sqrt(theirs["between"] * (1 / m + 1 / expect["m"]))
    assert (np.abs(estimates.mean(axis=0) - theirs["estimate"]) < 4 * spread + 1e-3 * np.sqrt(theirs["within"])).all()
    np.testing.assert_allclose((within**2).mean(axis=0), theirs["within"], rtol=0.05)
    few = 4 * np.sqrt(2 / m + 2 / expect["m"])
    ratio = np.log(estimates.var(axis=0, ddof=1) / theirs["between"])[2:]  # age and sex have no values to impute
    assert (np.abs(ratio) < few).all(), ratio
    means = np.stack([frame[["ecog", "pat_karno", "wt_loss"]].mean().to_numpy() for frame in frames])
    error = theirs["spread"] * np.sqrt(1 / m + 1 / expect["m"])
    assert (np.abs(means.mean(axis=0) - theirs["means"]) < 4 * error).all()
