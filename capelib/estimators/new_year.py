"""Yearly shares as draws around a long-run level: how far apart years lie, and a new year."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.estimators.shares import Estimate
from capelib.vocabulary.numbers import percent

__all__ = [
    "LEAST_YEARS",
    "YearlyLevel",
    "yearly_level",
]

LEAST_YEARS = 4  # with three, one degree of freedom is left and every share is possible


@dataclass(frozen=True, repr=False)
class YearlyLevel(Result):
    """The long-run level of yearly shares.

    Attributes
    ----------
    level : Estimate
        The share of a typical year, a fraction.
    new_year : Estimate
        The same share, with the interval in which the recorded share of a new year with as many
        incidents as the middle one of these would lie.
    between : float
        Standard deviation of the years' true shares, on the logit scale.
    years : int
        Years with cases.
    heterogeneity : float
        p-value of Cochran's test that all years have one share.
    """

    level: Estimate
    new_year: Estimate
    between: float
    years: int
    heterogeneity: float

    def summary(self) -> str:
        """The answer in words."""
        low, high = 100 * self.new_year.low, 100 * self.new_year.high
        return f"a typical year {percent(*self.level)}, a new one {low:.0f} to {high:.0f} %"


def yearly_level(years: pd.DataFrame, level: float = 0.95) -> YearlyLevel:
    """What is the share of a typical year, and where would that of a new year lie?

    Parameters
    ----------
    years
        One row a year: `k`, `n` and `design_effect` (see `cape.periods.by_year`); years with
        n = 0 are left out.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    YearlyLevel

    Raises
    ------
    TooFewCases
        With fewer than four years.

    Notes
    -----
    The logit of each year's share (with half a case added on both sides) is a draw from a normal
    law around one level; its variance within the year is that of its effective number of cases
    (n / design effect; the years together give the design effect, since few cases show it badly).
    The variance between years is Paule and Mandel's, the interval of the level Hartung's and
    Knapp's (both from statsmodels), that of a new year

        level +- t(years - 2) * sqrt(between^2 + error^2 + within^2),

    where within^2 is the median of the years' own variances: without it the interval would be that
    of the new year's true share, which no year shows.

    Assumes that years are alike and independent but for chance: no trend, no turn. Where there is
    one, the new year's interval is too wide before it and in the wrong place after it.

    References
    ----------
    Higgins, Thompson and Spiegelhalter 2009, Journal of the Royal Statistical Society A 172,
    137-159 (interval for a new unit). Hartung and Knapp 2001, Statistics in Medicine 20, 3875-3889.
    Paule and Mandel 1982, Journal of Research of the National Bureau of Standards 87, 377-385.

    Examples
    --------
    >>> rows = pd.DataFrame({"k": [20, 30, 20, 30], "n": 50, "design_effect": 1.0})
    >>> typical = yearly_level(rows)
    >>> [round(number, 2) for number in (*typical.level, *typical.new_year[1:])]
    [0.5, 0.33, 0.67, 0.1, 0.9]
    """
    from statsmodels.stats.meta_analysis import combine_effects

    some = years[years["n"] > 0]
    if len(some) < LEAST_YEARS:
        raise TooFewCases(
            f"a typical year needs {LEAST_YEARS} years with cases, here are {len(some)}"
        )
    k, n = some["k"].to_numpy(dtype=float), some["n"].to_numpy(dtype=float)
    effect = np.average(some["design_effect"].fillna(1).to_numpy(dtype=float), weights=n)
    logit = np.log((k + 0.5) / (n - k + 0.5))
    variance = effect * (1 / (k + 0.5) + 1 / (n - k + 0.5))
    fit = combine_effects(logit, variance, method_re="iterated", use_t=True, alpha=1 - level)
    centre, error = float(fit.mean_effect_re), float(fit.sd_eff_w_re_hksj)
    low, high = (float(bound) for bound in fit.conf_int(alpha=1 - level)[3])
    t = special.stdtrit(len(some) - 2, (1 + level) / 2)
    half = float(t * np.sqrt(fit.tau2 + error**2 + np.median(variance)))
    typical = float(special.expit(centre))
    return YearlyLevel(
        level=Estimate(typical, float(special.expit(low)), float(special.expit(high))),
        new_year=Estimate(
            typical, float(special.expit(centre - half)), float(special.expit(centre + half))
        ),
        between=float(np.sqrt(fit.tau2)),
        years=len(some),
        heterogeneity=float(fit.test_homogeneity().pvalue),
    )
