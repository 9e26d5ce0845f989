"""Did one part of a whole grow against the rest, year by year?

Own code for two terms, since statsmodels takes a second to import, and its errors know no
correlation of years.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from capelib.display import Result
from capelib.errors import TooFewCases
from capelib.estimators.change_points import line
from capelib.estimators.correlated_years import Correlated, correlated, ratios
from capelib.vocabulary.numbers import times


@dataclass(frozen=True, repr=False)
class OddsTrend(Result):
    """The odds of one part against the rest, by year.

    Attributes
    ----------
    ratio, low, high : float
        The factor by which the odds change each year, with its 95 % interval.
    fitted : DataFrame
        `year`, `part`, `rest`, `share`, and of the expected share `fitted`, `low`, `high` (95 %).
    correlation : Correlated
        Dispersion, and correlation of neighbouring years.
    """

    ratio: float
    low: float
    high: float
    fitted: pd.DataFrame
    correlation: Correlated

    def summary(self) -> str:
        """The answer in words."""
        return f"the odds change by {times(self.ratio, self.low, self.high)} a year"


def odds_trend(counts: pd.DataFrame) -> OddsTrend:
    """By what factor do the odds of one part against the rest change each year?

    Parameters
    ----------
    counts
        `year`, `part`, `rest`: one row a year, in order.

    Returns
    -------
    OddsTrend

    Raises
    ------
    TooFewCases
        For fewer than 5 years with cases, or fewer than 3 with cases on each side.

    Notes
    -----
    The logarithm of part / rest is linear in the year; the variance is that of a binomial share
    times a dispersion. What changes both sides by the same factor, as more reporting from the
    whole region would, leaves the odds as they are. Intervals allow for correlated years (see
    `correlated_years.correlated`); they assume one dispersion. In simulations (24 years, levels
    that scatter with alpha 0.15 and 0.22) they hold in 99 % where years are independent, in
    97 % with a correlation of 0.3 and in 96 to 97 % with 0.6.

    It fails where reporting grew on one side only: then the odds show the reporting.

    References
    ----------
    McCullagh and Nelder 1989, Generalized Linear Models, 4.5 (overdispersed shares).

    Examples
    --------
    >>> years = range(2001, 2009)
    >>> parts = pd.DataFrame({"year": years, "part": [2, 2, 4, 4, 8, 9, 15, 17], "rest": 20})
    >>> round(odds_trend(parts).ratio, 2)
    1.39
    """
    part = counts["part"].to_numpy(float)
    rest = counts["rest"].to_numpy(float)
    whole = part + rest
    if (whole > 0).sum() < 5 or (part > 0).sum() < 3 or (rest > 0).sum() < 3:
        raise TooFewCases(
            "a trend of odds needs 5 years with cases, 3 of them with cases on each side; "
            f"here are {(whole > 0).sum()}, {(part > 0).sum()} and {(rest > 0).sum()}"
        )
    terms = line(len(counts))
    estimate = np.array([np.log(part.sum() / rest.sum()), 0.0])
    for _ in range(100):
        share = expit(terms @ estimate)
        weight = whole * share * (1 - share)
        step = np.linalg.solve(
            (terms * weight[:, None]).T @ terms, terms.T @ (part - whole * share)
        )
        estimate = estimate + step / max(1.0, np.abs(terms @ step).max() / 2)
        if np.abs(step).max() < 1e-10:
            break
    weight = np.maximum(weight, 1e-12)
    scatter = correlated((part - whole * share) / np.sqrt(weight), terms, weight)
    covariance = scatter.covariance(terms, weight)
    half = scatter.quantile * np.sqrt(np.einsum("ij,jk,ik->i", terms, covariance, terms))
    fitted = counts.assign(
        share=part / np.where(whole > 0, whole, np.nan),
        fitted=share,
        low=expit(terms @ estimate - half),
        high=expit(terms @ estimate + half),
    )
    row = ratios(["per year"], estimate[1:], covariance[1:, 1:], scatter.quantile).iloc[0]
    return OddsTrend(*map(float, row), fitted, scatter)
