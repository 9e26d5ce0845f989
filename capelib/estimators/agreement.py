"""How well do coders agree, beyond what chance would give?"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.display import as_html, in_words
from capelib.errors import ParameterError, TooFewCases

__all__ = ["Agreement", "agreement", "alpha"]

DRAWS = 1999
SEED = 1960
METRICS = ("nominal", "ordinal", "interval", "ratio")


class Agreement(NamedTuple):
    """Agreement of two coders on cases that both coded.

    Attributes
    ----------
    n, clusters
        Cases, and groups of them that were drawn together.
    agree
        Share with the same value.
    kappa, kappa_low, kappa_high
        Cohen's kappa, with its 95 % interval.
    alpha, alpha_low, alpha_high
        Krippendorff's alpha for codes without an order, with its 95 % interval.
    """

    n: int
    clusters: int
    agree: float
    kappa: float
    kappa_low: float
    kappa_high: float
    alpha: float
    alpha_low: float
    alpha_high: float

    __repr__ = in_words
    _repr_html_ = as_html


def agreement(first: pd.Series, second: pd.Series, cluster: pd.Series | None = None) -> Agreement:
    """How well do two coders agree on a code?

    Parameters
    ----------
    first, second
        The code of each case by either coder, same index. A missing value is a value: "blank".
    cluster
        Cases with the same value are drawn together; None draws each alone.

    Returns
    -------
    Agreement
        `kappa` and `alpha` are missing where both coders have one and the same value throughout.

    Raises
    ------
    TooFewCases
        Without a case.

    Notes
    -----
    With o the share of equal codes, kappa = (o - e) / (1 - e), where e is the sum over codes of the
    product of both coders' shares; alpha = 1 - (1 - o) / (1 - e'), where e' is the chance that two
    of all 2n codes, drawn without replacement, are equal. Intervals: 2.5 % and 97.5 % points of
    1,999 drawings of whole clusters, with replacement (seeded).

    Assumes that the double-coded clusters are a random part of all. Both measures say how far
    coders agree; neither says who is right, nor in which code they differ.

    Own code, since statsmodels' `cohens_kappa` has the point and an interval for independent cases
    only, and no package that is required here has alpha.

    References
    ----------
    Cohen 1960, Educational and Psychological Measurement 20, 37-46. Hayes and Krippendorff 2007,
    Communication Methods and Measures 1, 77-89 (alpha, and its interval by drawing again).

    Examples
    --------
    >>> first = pd.Series(["a"] * 25 + ["b"] * 25)
    >>> second = pd.Series(["a"] * 20 + ["b"] * 5 + ["a"] * 10 + ["b"] * 15)
    >>> round(agreement(first, second).kappa, 3)
    0.4
    """
    n = len(first)
    if not n:
        raise TooFewCases("no case was coded twice")
    filled = [codes.astype("object").fillna("blank") for codes in (first, second)]
    levels = pd.Index(pd.unique(pd.concat(filled)))
    places = levels.get_indexer(filled[0]), levels.get_indexer(filled[1])
    groups = np.arange(n) if cluster is None else pd.factorize(cluster)[0]
    clusters = groups.max() + 1
    # of each cluster: the first coder's codes, the second's, and how many are equal
    counts = np.zeros((clusters, 2 * len(levels) + 1))
    np.add.at(counts, (groups, places[0]), 1)
    np.add.at(counts, (groups, len(levels) + places[1]), 1)
    np.add.at(counts, (groups, -1), places[0] == places[1])
    rng = np.random.default_rng(SEED)
    times_drawn = rng.multinomial(clusters, np.full(clusters, 1 / clusters), DRAWS)
    drawn = times_drawn.astype(float) @ counts
    whole = counts.sum(axis=0, keepdims=True)
    numbers: list[float] = []
    for measure in (_kappas, _alphas):
        values = measure(drawn)
        known = values[~np.isnan(values)]
        ends = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
        numbers += [float(measure(whole)[0]), *map(float, ends)]
    return Agreement(n, int(clusters), float(whole[0, -1] / n), *numbers)


def _kappas(counts: np.ndarray) -> np.ndarray:
    """Cohen's kappa of each row: the first coder's codes, the second's, how many are equal."""
    first, second = np.split(counts[:, :-1], 2, axis=1)
    n = first.sum(axis=1)
    observed = counts[:, -1] / n
    expected = (first * second).sum(axis=1) / n**2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)


def _alphas(counts: np.ndarray) -> np.ndarray:
    """Krippendorff's alpha, nominal, of each row as for `_kappas`."""
    first, second = np.split(counts[:, :-1], 2, axis=1)
    n, values = first.sum(axis=1), first + second
    observed = counts[:, -1] / n
    expected = (values * (values - 1)).sum(axis=1) / (2 * n * (2 * n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected < 1, 1 - (1 - observed) / (1 - expected), np.nan)


def alpha(ratings: pd.DataFrame, metric: str = "nominal") -> float:
    """How well do any number of coders agree on numbers? Krippendorff's alpha.

    Parameters
    ----------
    ratings
        One row a unit, one column a coder, numbers (for "nominal" any codes in numbers); missing
        where a coder left the unit out.
    metric
        "nominal", "ordinal", "interval" or "ratio": how the distance of two values counts.

    Returns
    -------
    float
        1 for perfect agreement, 0 for that of chance, below 0 for less. Missing where all values
        are the same.

    Raises
    ------
    ParameterError
        For an unknown metric.
    TooFewCases
        Where no unit was coded by two coders.

    Notes
    -----
    alpha = 1 - D_o / D_e. The coincidence matrix o counts the pairs of values within a unit, each
    unit of m values with weight 1 / (m - 1). D_o is the mean squared distance of paired values, D_e
    that of any two of all values. Units with one value do not enter. For two coders and codes
    without an order `agreement` gives the same, with an interval.

    References
    ----------
    Krippendorff 2011, Computing Krippendorff's Alpha-Reliability (four coders, twelve units).

    Examples
    --------
    >>> alpha(pd.DataFrame({"one": [1, 2, 3, 3], "two": [1, 2, 3, 3]}))
    1.0
    """
    if metric not in METRICS:
        raise ParameterError(f"metric must be {', '.join(METRICS)}, not {metric!r}")
    table = ratings.to_numpy(float)
    table = table[(~np.isnan(table)).sum(axis=1) > 1]
    if not len(table):
        raise TooFewCases("no unit was coded by two coders")
    values = np.unique(table[~np.isnan(table)])
    counts = (table[:, :, None] == values).sum(axis=1).astype(float)  # units by values
    size = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs -= counts[:, :, None] * np.eye(len(values))  # a value is no pair with itself
    coincidence = (pairs / (size - 1)[:, None, None]).sum(axis=0)
    total = coincidence.sum(axis=1)
    n = total.sum()
    distance = _squared_distance(values, total, metric)
    expected = (np.outer(total, total) * distance).sum() / (n * (n - 1))
    observed = (coincidence * distance).sum() / n
    return float(1 - observed / expected) if expected > 0 else np.nan


def _squared_distance(values: np.ndarray, total: np.ndarray, metric: str) -> np.ndarray:
    """Of each pair of values; total: how often each occurs."""
    if metric == "nominal":
        return 1.0 - np.eye(len(values))
    if metric == "ordinal":
        middle = total.cumsum() - total / 2
        return np.subtract.outer(middle, middle) ** 2
    difference = np.subtract.outer(values, values)
    if metric == "interval":
        return difference**2
    return (difference / np.add.outer(values, values)) ** 2
