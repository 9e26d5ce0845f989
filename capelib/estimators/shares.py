"""Shares with Wilson intervals, differences with Newcombe's, and what one corridor does to them."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from capelib.dataset import takes_dataset
from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.counts import years as in_words
from capelib.reference import regimes

Period = tuple[int, int]
MARK = "on_authoritarian_soil"
CHANGE = [
    *("early_k", "early_n", "early", "early_low", "early_high"),
    *("late_k", "late_n", "late", "late_low", "late_high"),
    *("difference", "low", "high"),
]


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
        For k outside 0..n.

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
    added = 2 / len(shares)
    adjusted = (k + added) / (n + 2 * added)
    centre = float(adjusted.mean())
    half = 1.959964 * sqrt((adjusted * (1 - adjusted) / (n + 2 * added)).sum()) / len(shares)
    return Estimate(float((k / n).mean()), max(0.0, centre - half), min(1.0, centre + half))


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
    >>> of_period(marked, (2021, 2021))[:2]
    (68, 115)
    """
    rated = regimes.add_regime(regimes.add_regime(incidents, measure, "host"), measure, "origin")
    host = regimes.is_authoritarian(rated[f"host_{measure}"], measure, cutoff)
    origin = regimes.is_authoritarian(rated[f"origin_{measure}"], measure, cutoff)
    known = host.notna() & origin.notna()
    marks = (host & origin & (rated["host"] != rated["origin"])).where(known)
    corridor = rated["origin"] + " to " + rated["host"]
    return rated.assign(**{MARK: marks.astype("boolean"), "corridor": corridor})


def of_period(marked: pd.DataFrame, years: Period, column: str = MARK) -> Share:
    """What share of the incidents of a period is marked, among those that could be marked at all?

    Parameters
    ----------
    marked
        Incidents with `year` and the column of marks, see `authoritarian_hosts`.
    years
        First and last year, both included.
    column
        Marks: True, False, or missing where it cannot be told.

    Returns
    -------
    Share
        With Wilson's interval.

    Raises
    ------
    TooFewCases
        Where the period holds none.
    """
    within = marked["year"].between(*years).fillna(False).astype(bool)
    marks = marked.loc[within, column].dropna()
    if marks.empty:
        raise TooFewCases(f"no incident of {in_words(years)} has a known host, year and rating")
    return wilson(int(marks.sum()), len(marks))


def by_year(
    marked: pd.DataFrame, first_year: int, last_year: int, column: str = MARK
) -> pd.DataFrame:
    """What is the share in each year?

    Parameters
    ----------
    marked, column
        As for `of_period`.
    first_year, last_year
        Both included.

    Returns
    -------
    DataFrame
        `year`, `k`, `n`, `share`, `low`, `high` (fractions; missing where n is 0).

    Examples
    --------
    >>> import capelib as cape
    >>> by_year(authoritarian_hosts(cape.load().incidents), 2021, 2021)[["k", "n"]].values.tolist()
    [[97, 151]]
    """
    known = marked.dropna(subset=["year", column])
    counts = known.groupby("year")[column].agg(["sum", "size"]).astype("int64")
    counts = counts.reindex(range(first_year, last_year + 1), fill_value=0)
    rows = []
    for year, k, n in counts.itertuples():
        share = wilson(k, n) if n else NO_SHARE
        rows.append({"year": year, **share._asdict()})
    return pd.DataFrame(rows)


def leave_one_corridor_out(
    marked: pd.DataFrame, early: Period, late: Period, column: str = MARK
) -> pd.DataFrame:
    """Does the change between two periods rest on one corridor? It is left out, each in turn.

    Parameters
    ----------
    marked, column
        As for `of_period`, with `corridor`.
    early, late
        First and last year of each period, both included.

    Returns
    -------
    DataFrame
        One row a corridor, the largest effect first: `corridor`, `left_out` (incidents), `early`,
        `late` (shares), `difference`, `low`, `high` (late minus early, Newcombe 95 %, fractions),
        `shift` (the difference with the corridor minus the one without it). The first row, "none",
        leaves nothing out. A corridor without which a period is empty has missing values.

    Raises
    ------
    TooFewCases
        Where a period is empty.
    """
    whole = change(marked, early, late, column)
    counts = _by_corridor(marked.dropna(subset=["year", column]), early, late, column)
    rest = pd.Series(whole)[counts.columns].astype("int64") - counts
    rest = rest.where((rest["early_n"] > 0) & (rest["late_n"] > 0)).astype("float64")
    table = _differences(rest)
    table.insert(0, "left_out", counts["early_n"] + counts["late_n"])
    table["shift"] = whole["difference"] - table["difference"]
    table = table.rename_axis("corridor").reset_index()
    table = table.sort_values("shift", key=lambda shift: -shift.abs(), kind="stable")
    numbers = {name: whole[name] for name in ("early", "late", "difference", "low", "high")}
    first = {"corridor": "none", "left_out": 0, **numbers, "shift": 0.0}
    return pd.concat([pd.DataFrame([first]), table], ignore_index=True)


def _by_corridor(known: pd.DataFrame, early: Period, late: Period, column: str) -> pd.DataFrame:
    """Marks (k) and incidents (n) of each corridor in both periods."""
    counts = {}
    for name, period in (("early", early), ("late", late)):
        rows = known[known["year"].between(*period).astype(bool)].groupby("corridor")
        counts[f"{name}_k"] = rows[column].sum()
        counts[f"{name}_n"] = rows.size()
    return pd.DataFrame(counts).fillna(0).astype("int64")


def _differences(counts: pd.DataFrame) -> pd.DataFrame:
    """Shares of both periods and their difference with Newcombe's interval, row by row."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    early = counts["early_k"] / counts["early_n"]
    late = counts["late_k"] / counts["late_n"]
    cells = [counts[name] for name in ("late_k", "late_n", "early_k", "early_n")]
    low, high = confint_proportions_2indep(*cells, method="newcomb", compare="diff")
    numbers = {"early": early, "late": late, "difference": late - early, "low": low, "high": high}
    return pd.DataFrame(numbers)


def change(
    marked: pd.DataFrame, early: Period, late: Period, column: str = MARK
) -> dict[str, float]:
    """How did the share change from one period to the next?

    Parameters
    ----------
    marked, column
        As for `of_period`.
    early, late
        First and last year of each period, both included.

    Returns
    -------
    dict
        The keys `CHANGE`: for early and for late k, n, the share and its interval (Wilson 95 %);
        difference, low, high (late minus early, Newcombe 95 %). Shares are fractions.

    Raises
    ------
    TooFewCases
        Where a period is empty.
    """
    before = of_period(marked, early, column)
    after = of_period(marked, late, column)
    numbers = [*before, *after, *difference(after, before)]
    return dict(zip(CHANGE, numbers, strict=True))
