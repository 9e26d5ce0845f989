"""A break whose year is not known: is there one, and in which years can it lie?"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from capelib.display import Result
from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.correlated_years import correlated
from capelib.estimators.many_counts import (
    deviances,
    draw,
    extra_variance,
    fit_many,
    level_correlation,
)
from capelib.vocabulary.codebook import break_margin

DRAWS = 999
SEED = 20150929


@dataclass(frozen=True, repr=False)
class ChangePoint(Result):
    """The search for a break over all years.

    Attributes
    ----------
    scan : DataFrame
        `break_year` (first year after a break), `statistic` (F), `p` (this year alone).
    statistic, break_year : float, int
        The largest F and its year.
    p : float
        Of the largest F, as the largest of all years: the whole search without a break.
    line : float
        The F that the largest of all years passes in 5 % of series without a break.
    correlation : float
        Of neighbouring years in the series drawn.
    """

    scan: pd.DataFrame
    statistic: float
    break_year: int
    p: float
    line: float
    correlation: float
    _n: np.ndarray
    _broken: list[np.ndarray]

    def summary(self) -> str:
        """The answer in words."""
        return f"the likeliest break is at {self.break_year}; p = {self.p:.2g} for the whole search"

    @cached_property
    def years(self) -> tuple[int, int]:
        """The first and the last year in which the break can lie, if there is one (95 %)."""
        inside = possible(self._n, self._broken, np.random.default_rng(SEED))
        break_year = self.scan.loc[inside, "break_year"]
        return int(break_year.min()), int(break_year.max())

    def p_of(self, break_year: int) -> float:
        """The p of one year looked at alone; missing where it is not tested."""
        p = self.scan.loc[self.scan["break_year"] == break_year, "p"]
        return float(p.iloc[0]) if len(p) else np.nan


def change_point(
    counts: pd.DataFrame,
    correlation: float | None = None,
    slopes: bool = True,
    draws: int = DRAWS,
) -> ChangePoint:
    """Did level or slope of yearly counts change in a year that is not known beforehand?

    Parameters
    ----------
    counts
        `year`, `n`, one row a year without gaps.
    correlation
        Of neighbouring years in the series drawn; None for what the series shows, its bias
        corrected, 0 at least.
    slopes
        False for two levels without slopes, against one level.
    draws
        Series drawn without a break; the p values go in steps of 1 / (draws + 1).

    Returns
    -------
    ChangePoint

    Raises
    ------
    TooFewCases
        For fewer years than twice `break_margin`, or counts in fewer than 5 of them.
    ParameterError
        For years that do not follow each other.

    Notes
    -----
    F = ((D0 - D1) / q) / (D1 / (T - p)): D0 is the Poisson deviance of a straight line in the
    logarithm, D1 that of two lines (p = 4 terms, q = 2 more). Its largest value over the years
    with `break_margin` years on both sides has no table, so series are drawn from the fitted
    line, as overdispersed and as correlated as this one, and searched in the same way. Seeded: the
    same series gives the same p.

    The years in which a break can lie: those whose deviance exceeds the smallest by no more than
    it does for the true year in 95 % of series drawn from the best two lines.

    It assumes one break, and a level that wanders as an AR(1). In simulations of 24 years (160
    counts, alpha 0.2) a series without a break passes in 2 to 4 % where the correlation is
    estimated (true 0 to 0.6), and in 5 % where it is 0 and given as 0; taken as 0 where it is 0.6,
    in 21 %. It sees few breaks (`break_power.power`, docs/power.md), since a step looks like
    scatter and correlation around one line. A slow bend is taken for a break as well.

    References
    ----------
    Andrews 1993, Econometrica 61, 821-856 (the largest F). Davies 1987, Biometrika 74, 33-43.
    Hansen 1996, Econometrica 64, 413-430 (drawing its law).
    """
    year, n = series(counts)
    return _searched(int(year[0]), tuple(map(float, n)), correlation, slopes, draws)


@lru_cache(maxsize=64)
def _searched(
    first: int, counts: tuple[float, ...], correlation: float | None, slopes: bool, draws: int
) -> ChangePoint:
    """The search; kept, since the answer and the table of choices ask for the same series."""
    n = np.array(counts)
    ks = candidates(len(n))
    if len(ks) == 0 or (n > 0).sum() < 5:
        raise TooFewCases(
            f"a search for a break needs {2 * break_margin()} years, 5 of them with cases; "
            f"here are {len(n)} and {(n > 0).sum()}"
        )
    unbroken = line(len(n), slopes)
    expected = fit_many(n[None], unbroken)[1][0]
    alpha, shown = scatter(n, unbroken)
    if correlation is None:
        correlation = shown
    rng = np.random.default_rng(SEED)
    broken = [two_lines(len(n), k, slopes) for k in ks]
    statistic = f_statistics(n[None], unbroken, broken)[0]
    drawn = f_statistics(draw(expected, alpha, correlation, draws, rng), unbroken, broken)
    largest = drawn.max(axis=1)
    best = int(statistic.argmax())
    scan = pd.DataFrame(
        {
            "break_year": (first + ks).astype(int),
            "statistic": statistic,
            "p": _share_reached(drawn, statistic),
        }
    )
    p = float(_share_reached(largest[:, None], statistic[[best]])[0])
    threshold = float(np.quantile(largest, 0.95))
    break_year = int(scan["break_year"][best])
    return ChangePoint(
        scan, float(statistic[best]), break_year, p, threshold, correlation, n, broken
    )


def scatter(n: np.ndarray, terms: np.ndarray) -> tuple[float, float]:
    """How far do the counts scatter around a model, and how far does their level carry over?

    Parameters
    ----------
    n
        The series.
    terms
        The terms of the model: one row a year, one column a term.

    Returns
    -------
    tuple of float
        The alpha of `many_counts.extra_variance`, and the correlation of the level with that of the
        year before, its bias corrected (0 to 0.8).
    """
    return scatter_around(n, fit_many(n[None], terms)[1][0], terms)


def scatter_around(n: np.ndarray, expected: np.ndarray, terms: np.ndarray) -> tuple[float, float]:
    """`scatter` of a series whose expected counts under the model are known."""
    alpha = extra_variance(n, expected, terms.shape[1])
    residual = (n - expected) / np.sqrt(expected)
    corrected = correlated(residual, terms, expected).corrected
    return alpha, level_correlation(corrected, expected, alpha)


def _share_reached(drawn: np.ndarray, statistic: np.ndarray) -> np.ndarray:
    """p values: how often is a statistic as large without a break? Never 0."""
    return (1 + (drawn >= statistic).sum(axis=0)) / (1 + len(drawn))


def possible(n: np.ndarray, models: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Under which of these models, one for each year of a change, can the series have arisen?

    Parameters
    ----------
    n
        The series.
    models
        The terms of each.
    rng
        Where chance comes from.

    Returns
    -------
    array
        True where the deviance exceeds the smallest by a factor no larger than that of the true
        model in 95 % of series drawn from the best, as overdispersed and as correlated as this.
    """
    deviance = scanned(n[None], models)
    best = int(deviance[0].argmin())
    expected = fit_many(n[None], models[best])[1][0]
    alpha, correlation = scatter(n, models[best])
    drawn = draw(expected, alpha, correlation, DRAWS // 3, rng)
    allowed = np.quantile(_beyond_best(scanned(drawn, models))[:, best], 0.95)
    return _beyond_best(deviance)[0] <= allowed


def _beyond_best(deviance: np.ndarray) -> np.ndarray:
    """By what factor is each deviance larger than the smallest of its row, less 1?"""
    smallest = np.maximum(deviance.min(axis=1, keepdims=True), 1e-9)
    return deviance / smallest - 1


def series(counts: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Years and counts as arrays of numbers; years must follow each other."""
    year = counts["year"].to_numpy(float)
    if (np.diff(year) != 1).any():
        raise ParameterError(
            "the counts must hold each year once, in order, without gaps: see cape.counts.per_year"
        )
    return year, counts["n"].to_numpy(float)


def line(years: int, slopes: bool = True) -> np.ndarray:
    """The terms of a line without a break: a level and, with slopes, a slope."""
    level = np.ones(years)
    return np.column_stack([level, np.arange(years) - (years - 1) / 2] if slopes else [level])


def two_lines(years: int, k: int, slopes: bool = True) -> np.ndarray:
    """The terms of two lines (without slopes: two levels), the second from place `k` on."""
    after = (np.arange(years) >= k).astype(float)
    before, step = 1 - after, np.arange(years) - k
    return np.column_stack([before, before * step, after, after * step][:: 1 if slopes else 2])


def candidates(years: int) -> np.ndarray:
    """The places at which a break leaves enough years on both sides."""
    return np.arange(break_margin(), years - break_margin() + 1)


def scanned(counts: np.ndarray, models: list[np.ndarray]) -> np.ndarray:
    """Deviances: one row a series, one column a model."""
    if len(counts) == 1:  # the models at once: four times as fast
        each = np.repeat(counts, len(models), axis=0)
        return deviances(each, fit_many(each, np.stack(models))[1])[None]
    return np.column_stack([deviances(counts, fit_many(counts, terms)[1]) for terms in models])


def f_statistics(counts: np.ndarray, unbroken: np.ndarray, broken: list[np.ndarray]) -> np.ndarray:
    """The F of a break at each possible year: one row a series, one column a year."""
    without, within = scanned(counts, [unbroken]), scanned(counts, broken)
    width = broken[0].shape[1]
    return f_statistic(without, within, width - unbroken.shape[1], counts.shape[1] - width)


def f_statistic(without: np.ndarray, within: np.ndarray, more: int, free: int) -> np.ndarray:
    """F from deviances, or sums of squares, without and with `more` further terms."""
    return ((without - within) / more) / (np.maximum(within, 1e-9) / free)
