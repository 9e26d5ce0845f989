"""Trends in yearly counts: Poisson and negative binomial models, and breaks at a chosen year.

Own code, since statsmodels' `GLM(...).fit(cov_type="HC3")` gives the errors of HC0 without a word
(0.01411 where true HC3 is 0.01669): the intervals would be too narrow.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats

from capelib.display import Result, terms_in_words
from capelib.errors import TooFewCases
from capelib.estimators.change_points import series
from capelib.estimators.correlated_years import Correlated, correlated, ratios
from capelib.meaning.arguments import codes_meant
from capelib.vocabulary.codebook import break_margin

__all__ = [
    "BREAK_TERMS",
    "Estimated",
    "Fit",
    "estimated",
    "interrupted",
    "trend",
]

BREAK_TERMS = ["per year before", "level at the break", "slope change"]


class Estimated(NamedTuple):
    """The terms' estimates, expected counts, dispersion, and the covariance of the estimates."""

    estimate: np.ndarray
    mean: np.ndarray
    alpha: float
    covariance: np.ndarray


@dataclass(frozen=True, repr=False)
class Fit(Result):
    """A fitted model of yearly counts.

    Attributes
    ----------
    model : str
        "poisson" or "negative_binomial".
    n_years : int
        Years that entered.
    n : int
        Counts that entered.
    terms : DataFrame
        `term` (str), `ratio`, `low`, `high` (multiplicative, 95 %), `p` (two-sided).
    fitted : DataFrame
        `year`, `n`, `fitted`, `low`, `high` (95 % for the expected count) and, with a break,
        `without_break` (the line before the break, went on).
    alpha : float
        The variance is mean + alpha * mean^2.
    autocorrelation : float
        Of the Pearson residuals at a lag of one year, as it comes out: too low in short series,
        see `correlation`.
    """

    model: str
    n_years: int
    n: int
    terms: pd.DataFrame
    fitted: pd.DataFrame
    alpha: float
    autocorrelation: float
    _y: np.ndarray
    _x: np.ndarray

    def summary(self) -> str:
        """The ratios in words."""
        return f"{terms_in_words(self.terms)}; n = {self.n:,}"

    def term(self, name: str) -> pd.Series:
        """One row of `terms`, by name."""
        return self.terms.set_index("term").loc[name]

    @cached_property
    def correlation(self) -> Correlated:
        """How much do neighbouring years have in common? See `cape.correlated_years`."""
        return correlated(self._residual, self._x, self._weight)

    @property
    def with_correlation(self) -> pd.DataFrame:
        """The terms (index) again, with intervals that allow for correlated years.

        Returns
        -------
        DataFrame
            `ratio`, `low`, `high` (95 %); see `capelib.estimators.correlated_years.correlated`.
        """
        covariance = self.correlation.covariance(self._x, self._weight)[1:, 1:]
        estimate = np.log(self.terms["ratio"].to_numpy())
        names = self.terms["term"].tolist()
        return ratios(names, estimate, covariance, self.correlation.quantile)

    @property
    def band(self) -> pd.DataFrame:
        """The fitted counts with a band of 95 % that allows for correlated years.

        Returns
        -------
        DataFrame
            `year`, `n`, `fitted`, `low`, `high`.
        """
        covariance = self.correlation.covariance(self._x, self._weight)
        spread = np.sqrt(np.einsum("ij,jk,ik->i", self._x, covariance, self._x))
        half = self.correlation.quantile * spread
        table = self.fitted[["year", "n", "fitted"]]
        low, high = (table["fitted"] * np.exp(sign * half) for sign in (-1, 1))
        return table.assign(low=low, high=high)

    @property
    def _weight(self) -> np.ndarray:
        mean = self.fitted["fitted"].to_numpy()
        return mean / (1 + self.alpha * mean)

    @property
    def _residual(self) -> np.ndarray:
        mean = self.fitted["fitted"].to_numpy()
        return (self._y - mean) / np.sqrt(mean + self.alpha * mean**2)

    @cached_property
    def dispersion(self) -> dict[str, float]:
        """Is the variance larger than the mean (overdispersion)?

        Returns
        -------
        dict
            Tests of the Poisson model with the same terms. "pearson": Pearson's chi-squared by its
            degrees of freedom (1 under Poisson); "statistic" and "p" of the score test against
            variance = mean + alpha * mean^2 (one-sided: only more variance counts).

        Notes
        -----
        With 18 to 24 years the test keeps its 5 % (3 to 4 % in simulations); Cameron and Trivedi's
        regression test falls to 1 to 2 % there and misses more.

        References
        ----------
        Dean 1992, Journal of the American Statistical Association 87, 451-457 (his P_B).
        """
        y = self._y
        mean = _most_likely(y, self._x, 0.0)[1]
        pearson = float(((y - mean) ** 2 / mean).sum() / (len(y) - self._x.shape[1]))
        statistic = float(((y - mean) ** 2 - y).sum() / np.sqrt(2 * (mean**2).sum()))
        return {"pearson": pearson, "statistic": statistic, "p": float(stats.norm.sf(statistic))}


def trend(counts: pd.DataFrame, model: str = "poisson") -> Fit:
    """Did the counts rise or fall, and by what factor a year?

    Parameters
    ----------
    counts
        `year`, `n`, one row a year without gaps (as `cape.counts.per_year` gives).
    model
        "poisson" or "negative_binomial".

    Returns
    -------
    Fit
        With the one term "per year": 1.10 is 10 % more each year.

    Raises
    ------
    TooFewCases
        For fewer than 5 years, or counts in fewer than 3 of them.
    ParameterError
        For an unknown model, or years that do not follow each other.

    Notes
    -----
    The logarithm of the expected count is linear in the year. Errors are robust to a wrong variance
    (HC3), with Student's t for few years; they assume that, given the model, years do not depend on
    each other. In simulations of 18 to 24 years the 95 % intervals hold in 93 to 96 % of cases;
    those of HC1 in as few as 71 %.

    References
    ----------
    McCullagh and Nelder 1989, Generalized Linear Models, ch. 6. MacKinnon and White 1985, Journal
    of Econometrics 29, 305-325 (HC3).

    Examples
    --------
    >>> counts = pd.DataFrame({"year": range(2001, 2009), "n": [2, 4, 4, 8, 9, 16, 17, 32]})
    >>> round(float(trend(counts).term("per year")["ratio"]), 2)
    1.44
    """
    year, n = series(counts)
    with_cases = (n > 0).sum()
    if with_cases < 3 or len(n) < 5:
        raise TooFewCases(
            "a trend needs 5 years or more, 3 of them with cases; "
            f"here are {len(n)} and {with_cases}"
        )
    x = np.column_stack([np.ones(len(n)), year - year.mean()])
    return _fit(year, n, x, ["per year"], _model(model))


def interrupted(counts: pd.DataFrame, break_year: int, model: str = "poisson") -> Fit:
    """Did level or slope change at a chosen year? An interrupted time series.

    Parameters
    ----------
    counts
        `year`, `n`, one row a year without gaps.
    break_year
        The first year that counts as after.
    model
        "poisson" or "negative_binomial".

    Returns
    -------
    Fit
        With three terms: "per year before" (yearly factor before the break), "level at the break"
        (the count of `break_year` against what the earlier line leads one to expect) and "slope
        change" (yearly factor after, over before).

    Raises
    ------
    TooFewCases
        With fewer than 4 years, or 2 years with cases, on either side.
    ParameterError
        For an unknown model, or years that do not follow each other.

    References
    ----------
    Bernal, Cummins and Gasparrini 2017, International Journal of Epidemiology 46, 348-355.

    Examples
    --------
    >>> counts = pd.DataFrame({"year": range(2001, 2011), "n": [4, 5, 4, 5, 4, 9, 8, 9, 8, 9]})
    >>> round(float(interrupted(counts, break_year=2006).term("level at the break")["ratio"]), 1)
    2.0
    """
    year, n = series(counts)
    return _fit(year, n, _broken(year, n, break_year), BREAK_TERMS, _model(model))


def _broken(year: np.ndarray, n: np.ndarray, break_year: int) -> np.ndarray:
    """The terms of a series that breaks at a year: level, slope, and the change of both."""
    after = year >= break_year
    for side, name in ((~after, "before"), (after, "from")):
        with_cases = (n[side] > 0).sum()
        if side.sum() < break_margin() or with_cases < 2:
            raise TooFewCases(
                f"a break at {break_year} needs {break_margin()} years, 2 of them with cases, "
                f"{name} {break_year}; here are {side.sum()} and {with_cases}"
            )
    return np.column_stack([np.ones(len(n)), year - break_year, after, after * (year - break_year)])


def _model(model: str) -> str:
    return codes_meant("model", model, "model")[0]


def _fit(year: np.ndarray, n: np.ndarray, x: np.ndarray, names: list[str], model: str) -> Fit:
    estimate, mean, alpha, covariance = estimated(n, x, model)
    free = len(n) - x.shape[1]
    t = stats.t.ppf(0.975, free)
    slopes, error = estimate[1:], np.sqrt(np.diag(covariance))[1:]
    terms = pd.DataFrame(
        {
            "term": names,
            "ratio": np.exp(slopes),
            "low": np.exp(slopes - t * error),
            "high": np.exp(slopes + t * error),
            "p": 2 * stats.t.sf(np.abs(slopes / error), free),
        }
    )
    line = x @ estimate
    spread = np.sqrt(np.einsum("ij,jk,ik->i", x, covariance, x))
    table = pd.DataFrame(
        {
            "year": year.astype(int),
            "n": n.astype(int),
            "fitted": np.exp(line),
            "low": np.exp(line - t * spread),
            "high": np.exp(line + t * spread),
        }
    )
    if names == BREAK_TERMS:
        table["without_break"] = np.exp(x[:, :2] @ estimate[:2])
    residual = (n - mean) / np.sqrt(mean + alpha * mean**2)
    lagged = float(np.corrcoef(residual[:-1], residual[1:])[0, 1]) if residual.std() > 0 else 0.0
    return Fit(model, len(n), int(n.sum()), terms, table, alpha, lagged, n, x)


def estimated(y: np.ndarray, x: np.ndarray, model: str) -> Estimated:
    """Fit these terms to a series: estimates, expected counts, alpha, HC3 covariance."""
    alpha = _dispersion(y, x) if _model(model) == "negative_binomial" else 0.0
    estimate, mean = _most_likely(y, x, alpha)
    return Estimated(estimate, mean, alpha, _covariance(y, x, mean, alpha))


def _most_likely(y: np.ndarray, x: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and expected counts that are most likely if the variance is mean + alpha * mean^2.

    Newton's method, with steps that are not too long: the likelihood has one top, which a full step
    can miss.
    """
    estimate = np.zeros(x.shape[1])
    # the first term is the level: start from the same count in every year
    estimate[0] = np.log(y.mean())
    for _ in range(100):
        mean = np.exp(x @ estimate)
        more = 1 + alpha * mean
        information = (x * (mean * (1 + alpha * y) / more**2)[:, None]).T @ x
        step = np.linalg.solve(information, x.T @ ((y - mean) / more))
        if abs(step).max() < 1e-9:
            return estimate, mean
        estimate = estimate + step / max(1.0, abs(x @ step).max() / 3)
    raise TooFewCases("the model of yearly counts finds no best fit here")


def _dispersion(y: np.ndarray, x: np.ndarray) -> float:
    """The alpha at which Pearson's chi-squared equals its degrees of freedom.

    Corrected for few years, which maximum likelihood is not. Source: Breslow 1984, Applied
    Statistics 33, 38-44.
    """
    free = len(y) - x.shape[1]
    alpha = 0.0
    for _ in range(50):
        mean = _most_likely(y, x, alpha)[1]

        def excess(value: float, mean: np.ndarray = mean) -> float:
            return float(((y - mean) ** 2 / (mean + value * mean**2)).sum() - free)

        if excess(0.0) <= 0:
            return 0.0
        top = 1.0
        while excess(top) > 0:
            top *= 10
        before = alpha
        alpha = float(optimize.brentq(excess, 0.0, top))
        if abs(alpha - before) < 1e-8:
            break
    return alpha


def _covariance(y: np.ndarray, x: np.ndarray, mean: np.ndarray, alpha: float) -> np.ndarray:
    """HC3: each residual is enlarged by its leverage.

    Where a few years are fitted almost exactly, their residuals show no variance. There the model's
    own covariance stands in, times Pearson's chi-squared over its degrees of freedom where this is
    above 1.
    """
    weight = mean / (1 + alpha * mean)
    residual = (y - mean) / mean  # on the scale of the line
    bread = np.linalg.inv((x * weight[:, None]).T @ x)
    leverage = np.einsum("ij,jk,ik->i", x, bread, x) * weight
    score = weight * residual / np.clip(1 - leverage, 1e-6, None)
    robust = bread @ ((x * (score**2)[:, None]).T @ x) @ bread
    model = bread * max(1.0, float((weight * residual**2).sum()) / (len(y) - x.shape[1]))
    return robust if (np.diag(robust) >= np.diag(model) / 4).all() else model
