"""Shares of independent cases with Wilson's intervals, differences with Newcombe's."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from capelib.dataset import takes_dataset
from capelib.display import as_html, in_words
from capelib.errors import ParameterError, TooFewCases
from capelib.reference import regimes
from capelib.vocabulary.numbers import percent

__all__ = [
    "MARK",
    "NO_SHARE",
    "Estimate",
    "Period",
    "Share",
    "authoritarian_hosts",
    "difference",
    "gap_between",
    "mean_of_shares",
    "price_bonett",
    "score_interval",
    "wilson",
]

Period = tuple[int, int]
MARK = "on_authoritarian_soil"


class Share(NamedTuple):
    """k of n as a share, with its interval.

    Attributes
    ----------
    k : int
        Hits.
    n : int
        Cases.
    share : float
        k / n, a fraction.
    low, high : float
        The interval, fractions.
    """

    k: int
    n: int
    share: float
    low: float
    high: float

    __repr__ = in_words
    _repr_html_ = as_html
    CAVEAT = "Takes the cases as independent: cases reported together need `cape.clusters`."

    def summary(self) -> str:
        """The share in words."""
        return f"{percent(*self[2:5])}, {self.k:,} of {self.n:,}" if self.n else "no cases"


class Estimate(NamedTuple):
    """A value with its interval, as fractions.

    Attributes
    ----------
    value : float
        The estimate.
    low, high : float
        The interval.
    """

    value: float
    low: float
    high: float

    __repr__ = in_words
    _repr_html_ = as_html

    def summary(self) -> str:
        """The value with its interval, as fractions: it may be a share or a difference."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


NO_SHARE = Share(0, 0, np.nan, np.nan, np.nan)


def wilson(k: int, n: int, level: float = 0.95) -> Share:
    """What share is k of n, and how sure is it? Wilson's score interval.

    Parameters
    ----------
    k, n
        Hits and cases: whole numbers, 0 <= k <= n, n > 0.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    Share
        k, n, share, low, high.

    Raises
    ------
    TooFewCases
        For n = 0.
    ParameterError
        For k outside 0..n, and for parts of a case.

    Notes
    -----
    Takes the n cases as independent draws. Cases that belong together (one action against many)
    are not: see `capelib.estimators.clusters.clustered`.

    References
    ----------
    Wilson 1927, Journal of the American Statistical Association 22, 209-212; recommended by
    Newcombe 1998, Statistics in Medicine 17, 857-872.

    Examples
    --------
    >>> share = wilson(81, 263)
    >>> round(share.low, 4), round(share.high, 4)
    (0.2553, 0.3662)
    """
    if n == 0:
        raise TooFewCases("no cases: a share needs at least one")
    if k != int(k) or n != int(n):
        raise ParameterError(f"k and n must be whole numbers, not {k} of {n}: cases are counted")
    if not 0 <= k <= n:
        raise ParameterError(f"k must lie between 0 and n, not {k} of {n}")
    return Share(int(k), int(n), k / n, *score_interval(k, n, level))


def score_interval(k: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Between which shares does the truth lie where k of n cases are hits? Wilson's interval.

    Parameters
    ----------
    k, n
        Hits and cases; they need not be whole numbers.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    tuple of float
        The lower and the upper bound, fractions.

    Notes
    -----
    Own code, since `proportion_confint` of statsmodels gives the same numbers in some 200 times the
    time for one share.

    Examples
    --------
    >>> [round(bound, 4) for bound in score_interval(40.5, 131.5)]
    [0.2355, 0.3914]
    """
    share = k / n
    z = -float(special.ndtri((1 - level) / 2))
    centre = share + z**2 / (2 * n)
    scale = 1 + z**2 / n
    half = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / scale
    return max(0.0, centre / scale - half), min(1.0, centre / scale + half)


def difference(a: Share, b: Share, level: float = 0.95) -> Estimate:
    """By how much does share a exceed share b? Newcombe's hybrid score interval, as a fraction.

    Parameters
    ----------
    a, b
        Shares of independent cases, independent of each other.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    Estimate
        a minus b, with its interval.

    References
    ----------
    Newcombe 1998, Statistics in Medicine 17, 873-890, method 10.

    Examples
    --------
    >>> gap = difference(wilson(56, 70), wilson(48, 80))
    >>> round(gap.value, 4), round(gap.low, 4), round(gap.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    first, second = wilson(a.k, a.n, level), wilson(b.k, b.n, level)
    return gap_between(Estimate(*first[2:]), Estimate(*second[2:]))


def gap_between(a: Estimate, b: Estimate) -> Estimate:
    """By how much does a exceed b, put together from the intervals of both?

    Parameters
    ----------
    a, b
        Two estimates that are independent of each other.

    Returns
    -------
    Estimate
        a minus b; with Wilson's intervals, the interval is Newcombe's.

    References
    ----------
    Zou and Donner 2008, Statistics in Medicine 27, 1693-1702 (MOVER).

    Examples
    --------
    >>> [round(value, 2) for value in gap_between(Estimate(6, 3, 9), Estimate(2, -2, 6))]
    [4, -1.0, 9.0]
    """
    gap = a.value - b.value
    below = sqrt((a.value - a.low) ** 2 + (b.high - b.value) ** 2)
    above = sqrt((a.high - a.value) ** 2 + (b.value - b.low) ** 2)
    return Estimate(gap, gap - below, gap + above)


def mean_of_shares(shares: Sequence[Share]) -> Estimate:
    """What is the unweighted mean of several shares (for example of years)? With a 95 % interval.

    Parameters
    ----------
    shares
        Shares of independent cases, each with n > 0.

    Returns
    -------
    Estimate
        The mean and its interval, fractions.

    Raises
    ------
    TooFewCases
        Without any share.

    Notes
    -----
    With m shares, 2/m hits and 2/m other cases are added to each before a normal interval is
    taken; one share keeps its own interval. In simulations the interval holds the true mean in 93
    to 96 %, also for many years of few cases, where one put together from Wilson's (MOVER) holds
    it in as few as 87 %.

    References
    ----------
    Price and Bonett 2004, Computational Statistics & Data Analysis 45, 449-456.

    Examples
    --------
    >>> mean = mean_of_shares([wilson(5, 10), wilson(5, 10)])
    >>> round(mean.value, 3), round(mean.low, 3), round(mean.high, 3)
    (0.5, 0.3, 0.7)
    """
    if not shares:
        raise TooFewCases("no shares to average")
    if len(shares) == 1:
        return Estimate(*shares[0][2:])
    k = np.array([share.k for share in shares], dtype=float)
    n = np.array([share.n for share in shares], dtype=float)
    return Estimate(float((k / n).mean()), *price_bonett(k, n, 1.959964))


def price_bonett(k: np.ndarray, n: np.ndarray, deviate: float) -> tuple[float, float]:
    """Between which values does the mean of several shares lie?

    Parameters
    ----------
    k, n
        Hits and cases of each share; they need not be whole numbers.
    deviate
        How many standard errors to each side: 1.96 for 95 %.

    Returns
    -------
    tuple of float
        The lower and the upper bound, fractions; see `mean_of_shares`.

    Examples
    --------
    >>> [round(bound, 3) for bound in price_bonett(np.array([5, 5]), np.array([10, 10]), 1.96)]
    [0.3, 0.7]
    """
    added = 2 / len(k)
    adjusted = (k + added) / (n + 2 * added)
    centre = float(adjusted.mean())
    half = deviate * sqrt((adjusted * (1 - adjusted) / (n + 2 * added)).sum()) / len(k)
    return max(0.0, centre - half), min(1.0, centre + half)


@takes_dataset
def authoritarian_hosts(
    incidents: pd.DataFrame, measure: str = "fiw", cutoff: str | int = "NF"
) -> pd.DataFrame:
    """In which incidents did an authoritarian state act on the soil of another one?

    Parameters
    ----------
    incidents
        A frame with `origin`, `host` and `year`.
    measure, cutoff
        Which states count as authoritarian, see `cape.regimes.at_or_below`.

    Returns
    -------
    DataFrame
        The incidents with the columns of `add_regime` for host and origin,
        `on_authoritarian_soil` (nullable boolean: True where origin and host both count, and
        differ; missing where host, year or rating is missing) and `corridor` ("TJK to RUS";
        missing where the host is).

    Raises
    ------
    ParameterError
        For an unknown measure or cut-off.

    Examples
    --------
    >>> import capelib as cape
    >>> marked = authoritarian_hosts(cape.load().where(years=(2021, 2021), stage=(2, 3)).incidents)
    >>> int(marked[MARK].sum()), int(marked[MARK].notna().sum())
    (68, 115)
    """
    rated = regimes.add_regime(regimes.add_regime(incidents, measure, "host"), measure, "origin")
    host = regimes.is_authoritarian(rated[f"host_{measure}"], measure, cutoff)
    origin = regimes.is_authoritarian(rated[f"origin_{measure}"], measure, cutoff)
    known = host.notna() & origin.notna()
    marks = (host & origin & (rated["host"] != rated["origin"])).where(known)
    corridor = rated["origin"] + " to " + rated["host"]
    return rated.assign(**{MARK: marks.astype("boolean"), "corridor": corridor})
