"""Multiple imputation by chained equations, and Rubin's rules."""

from __future__ import annotations

__all__ = ["impute", "pool"]

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from evalkit.errors import AnalysisError
from evalkit.estimates import Estimates
from evalkit.stats._columns import Floats, any_column, check_level
from evalkit.stats._day_counts import day_counts


def _coded(data: pd.DataFrame, name: str) -> tuple[Floats, list[object] | None]:
    """Return a column as numbers with nan where missing, and its levels if it is a text of two."""
    values = any_column(data, name)
    if values.isna().all():
        msg = f"column '{name}' has no values: nothing can be imputed from"
        raise AnalysisError(msg)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan), None
    codes, levels = pd.factorize(values, sort=True)
    if len(levels) > 2:
        msg = f"column '{name}' has {len(levels)} levels; make indicators of it before imputing"
        raise AnalysisError(msg)
    return np.where(codes < 0, np.nan, codes.astype(np.float64)), list(levels)


def _hazard(data: pd.DataFrame, time: str, event: str) -> Floats:
    """Return the Nelson-Aalen cumulative hazard at each row's time (n,)."""
    frame = day_counts(data, time, event).frame
    risk = frame["n_entry"].sum() - (frame["n_event_1"] + frame["n_censor"]).cumsum().shift(fill_value=0)
    total = (frame["n_event_1"] / risk).cumsum().to_numpy(dtype=np.float64)
    at = frame["time"].to_numpy(dtype=np.float64)
    return np.asarray(total[np.searchsorted(at, data[time].to_numpy(dtype=np.float64), side="right") - 1])


def impute(
    data: pd.DataFrame,
    columns: Sequence[str],
    *,
    time: str | None = None,
    event: str | None = None,
    m: int = 20,
    burn_in: int = 10,
    seed: int = 0,
) -> tuple[pd.DataFrame, ...]:
    """Fill in missing values several times by chained equations.

    Predictive mean matching by statsmodels' `MICEData`, so that imputed values are values seen [1]_. With
    ``time`` and ``event`` the event and the Nelson-Aalen hazard help to predict, as they should where a
    Cox model follows [2]_. Analyse each frame, then `pool`.

    Parameters
    ----------
    data : pandas.DataFrame, n rows
        Not changed.
    columns : sequence of str
        Columns to fill in and to predict from: numeric, or text of two levels.
    time, event : str, optional
        Columns of the outcome, complete: days since the origin; bool or 0/1.
    m : int
        Number of frames.
    burn_in : int
        Cycles before each frame is taken.
    seed : int

    Returns
    -------
    tuple of pandas.DataFrame
        `m` copies of the data with the columns filled in.

    Raises
    ------
    AnalysisError
        If a column is missing, empty, or a text of more than two levels; if a row has no value in any column
        and there is no outcome; if only one of time and event is named.

    References
    ----------
    .. [1] van Buuren, Groothuis-Oudshoorn (2011), J. Stat. Softw. 45(3).
    .. [2] White, Royston (2009), Stat. Med. 28:1982-1998.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame({"age": rng.normal(40, 9, 60), "prior": rng.integers(0, 3, 60).astype(float)})
    >>> data.loc[:9, "prior"] = np.nan
    >>> [int(frame["prior"].isna().sum()) for frame in impute(data, ["age", "prior"], m=2)]
    [0, 0]
    """
    if m < 1 or burn_in < 1 or len(columns) < 1:
        msg = "impute: m and burn_in must be at least 1, and columns must name at least one column"
        raise AnalysisError(msg)
    if (time is None) != (event is None):
        msg = "impute: time and event go together; name both or neither"
        raise AnalysisError(msg)
    coded = {name: _coded(data, name) for name in columns}
    # statsmodels reads names in formulas, in which a column's own may mean something else
    working = pd.DataFrame({f"c{i}": coded[name][0] for i, name in enumerate(columns)})
    if time is not None and event is not None:
        working["hazard"] = _hazard(data, time, event)
        working["event"] = (data[event].to_numpy() > 0).astype(np.float64)
    empty = int(working.isna().all(axis=1).sum())
    if empty:
        msg = f"impute: {empty} rows have no value in any of the columns to tell by; leave these rows out"
        raise AnalysisError(msg)
    if not working.isna().to_numpy().any():
        return tuple(data.copy() for _ in range(m))
    from statsmodels.imputation.mice import MICEData  # noqa: PLC0415 - slow to import

    frames, chain = [], MICEData(working, rng=np.random.default_rng(seed))
    for _ in range(m):
        chain.update_all(burn_in)
        frames.append(_filled(data, list(columns), coded, chain.data))
    return tuple(frames)


def _filled(
    data: pd.DataFrame,
    columns: list[str],
    coded: dict[str, tuple[Floats, list[object] | None]],
    values: pd.DataFrame,
) -> pd.DataFrame:
    out = data.copy()
    for i, name in enumerate(columns):
        number, levels = values[f"c{i}"].to_numpy(dtype=np.float64), coded[name][1]
        missing = data[name].isna().to_numpy()
        # a complete column keeps its type
        if not missing.any():
            continue
        if levels is None:
            out[name] = number
        else:
            text = np.array(levels, dtype=object)[number.round().astype(int)]
            out[name] = np.where(missing, text, data[name].to_numpy(dtype=object))
    return out


def pool(results: Sequence[Estimates], *, n: int | None = None, conf_level: float = 0.95) -> Estimates:
    r"""Pool the same analysis of several imputed frames by Rubin's rules.

    Row by row: :math:`\bar Q`, total variance :math:`T = \bar U + (1 + 1/m) B`, and t limits with
    :math:`(m-1)(1 + \bar U/((1+1/m)B))^2` degrees of freedom [1]_, with ``n`` those of Barnard and Rubin
    for small samples [2]_. Estimates are pooled on the scale they have, a ratio by its logarithm; where
    there is a hazard ratio it is the exponential of the pooled log.

    Parameters
    ----------
    results : sequence of Estimates
        Two or more with the same rows, with columns estimate and std_error.
    n : int, optional
        Complete-data degrees of freedom (people less parameters).
    conf_level : float

    Returns
    -------
    Estimates
        The first result's rows with estimate, std_error, statistic (of the log for a ratio), df, p_value, conf_low,
        conf_high (and hazard_ratio, hr_low, hr_high).

    Raises
    ------
    AnalysisError
        If there are fewer than two results, or their rows differ.

    References
    ----------
    .. [1] Rubin (1987), Multiple Imputation for Nonresponse in Surveys.
    .. [2] Barnard, Rubin (1999), Biometrika 86:948-955.

    Examples
    --------
    >>> from evalkit.stats import proportion
    >>> pool([proportion(10, 50), proportion(12, 50)]).tidy()["estimate"].round(2).item()
    0.22
    """
    if len(results) < 2:
        msg = "pool needs two results or more"
        raise AnalysisError(msg)
    frames = [result.tidy() for result in results]
    keys = [c for c in ("group", "cause", "contrast", "term", "measure", "time", "tau", "q") if c in frames[0]]
    if not all({"estimate", "std_error"} <= set(f.columns) and f[keys].equals(frames[0][keys]) for f in frames):
        msg = "pool needs results with the same rows, each with columns estimate and std_error"
        raise AnalysisError(msg)
    estimates = np.stack([f["estimate"].to_numpy(dtype=np.float64) for f in frames])
    variances = np.stack([f["std_error"].to_numpy(dtype=np.float64) ** 2 for f in frames])
    # A ratio is asked whether it is 1, and is skewed: its estimate and error are turned into those of its logarithm.
    ratio = _ratios(results[0])
    logs = ratio & (estimates > 0).all(axis=0)
    variances = np.where(logs, variances / np.where(logs, estimates, 1.0) ** 2, np.where(ratio, np.nan, variances))
    estimates = np.where(logs, np.log(np.where(logs, estimates, 1.0)), np.where(ratio, np.nan, estimates))
    pooled, error, df = rubin(estimates, variances, n)
    statistic = np.divide(pooled, error, out=np.full(len(pooled), np.nan), where=error > 0)
    width = scipy.special.stdtrit(df, 0.5 + check_level(conf_level) / 2) * error
    low, high = pooled - width, pooled + width
    p_value = 2 * scipy.special.stdtr(df, -np.abs(statistic))
    with np.errstate(over="ignore"):  # beyond the largest number a ratio is infinite
        back = [np.where(ratio, np.exp(v), v) for v in (pooled, low, high)]
        values = {"estimate": back[0], "std_error": np.where(ratio, error * back[0], error), "statistic": statistic}
        values |= {"df": df, "p_value": p_value, "conf_low": back[1], "conf_high": back[2]}
        if "hazard_ratio" in frames[0]:
            values |= {"hazard_ratio": np.exp(pooled), "hr_low": np.exp(low), "hr_high": np.exp(high)}
    kept = frames[0][[c for c in (*keys, "method", "n", "n_event") if c in frames[0]]]
    first = results[0]
    return Estimates(
        data=kept.assign(**values),
        kind=first.kind,
        estimand=first.estimand,
        population=first.population,
        cut=first.cut,
        conf_level=conf_level,
        summary={"m": len(results)},
        notes=(f"Pooled over {len(results)} imputed data sets.",),
        counts=first.counts,
        asked=first.asked,
    )


def _ratios(result: Estimates) -> npt.NDArray[np.bool_]:
    """Return which rows are of a ratio (n,), by what is measured: in a contrast a group's label may hold a slash."""
    frame = result.tidy()
    measured = frame.get("measure", pd.Series(result.kind, index=frame.index))
    return measured.astype(str).str.endswith("_ratio").to_numpy(dtype=bool)


def rubin(estimates: Floats, variances: Floats, n: float | None) -> tuple[Floats, Floats, Floats]:
    """Return pooled estimates, standard errors and degrees of freedom from (m, r) arrays."""
    m = len(estimates)
    within, between = variances.mean(axis=0), estimates.var(axis=0, ddof=1)
    total = within + (1 + 1 / m) * between
    share = np.divide((1 + 1 / m) * between, total, out=np.zeros_like(total), where=total > 0)
    # data sets that agree in all leave degrees of freedom without end, which are a number then
    share = np.maximum(share, 1e-10)
    df = (m - 1) / share**2
    if n is not None:
        # Barnard, Rubin (1999): no more than complete data of this size would have
        observed = (n + 1) / (n + 3) * n * (1 - share)
        df = df * observed / (df + observed)
    return estimates.mean(axis=0), np.sqrt(total), df
