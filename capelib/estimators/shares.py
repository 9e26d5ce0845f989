"""Shares with Wilson intervals, differences with Newcombe intervals, and what one corridor does to them."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from capelib.errors import ParameterError, TooFewCases
from capelib.reference import regimes

CHANGE = [
    f"{name}{part}" for name in ("early", "late") for part in ("_k", "_n", "", "_low", "_high")
] + ["difference", "low", "high"]


class Share(NamedTuple):
    """k of n, the share as a fraction, and its interval."""

    k: int
    n: int
    share: float
    low: float
    high: float


class Estimate(NamedTuple):
    """A value with its interval, as fractions."""

    value: float
    low: float
    high: float


def wilson(k: int, n: int, level: float = 0.95) -> Share:
    """What share is k of n, and how sure is it? Wilson's score interval.

    k, n: whole numbers, 0 <= k <= n, n > 0. level: confidence level, between 0 and 1.
    Assumes that the n cases are independent draws; cases that belong together (one action against many) are not.
    Raises TooFewCases for n = 0, ParameterError for k outside 0..n.
    Source: Wilson 1927; the interval that Newcombe 1998 (Statistics in Medicine 17, 857-872) recommends.

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
    """Between which shares does the truth lie where k of n cases are hits? Wilson's interval, also for numbers that are not whole.

    The same numbers as `proportion_confint` of statsmodels, which for one share takes a hundred times as long.

    >>> [round(bound, 4) for bound in score_interval(40.5, 131.5)]
    [0.2355, 0.3914]
    """
    share, z = k / n, -float(special.ndtri((1 - level) / 2))
    centre, below = share + z**2 / (2 * n), 1 + z**2 / n
    half = z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / below
    return max(0.0, centre / below - half), min(1.0, centre / below + half)


def difference(a: Share, b: Share, level: float = 0.95) -> Estimate:
    """By how much does share a exceed share b? Newcombe's hybrid score interval, as a fraction.

    Assumes independent cases within and between the two. Source: Newcombe 1998, Statistics in Medicine 17, 873-890,
    method 10.

    >>> gap = difference(wilson(56, 70), wilson(48, 80))
    >>> round(gap.value, 4), round(gap.low, 4), round(gap.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    (low_a, high_a), (low_b, high_b) = (
        score_interval(a.k, a.n, level),
        score_interval(b.k, b.n, level),
    )
    gap = a.share - b.share
    below, above = (
        sqrt((a.share - low_a) ** 2 + (high_b - b.share) ** 2),
        sqrt((b.share - low_b) ** 2 + (high_a - a.share) ** 2),
    )
    return Estimate(gap, gap - below, gap + above)


def mean_of_shares(shares: Sequence[Share]) -> Estimate:
    """The unweighted mean of several shares (for example of years), with a 95 % interval.

    Method: Price and Bonett 2004 (Computational Statistics & Data Analysis 45, 449-456): with m shares, 2/m cases that meet the
    condition and 2/m that do not are added to each before a normal interval is taken; one share keeps its own interval. Assumes
    independent cases. In simulations it holds the true mean in 93 to 96 % also for many years of few cases, where an interval put
    together from Wilson's (MOVER) holds it in as few as 87 %.

    >>> mean = mean_of_shares([wilson(5, 10), wilson(5, 10)])
    >>> round(mean.value, 3), round(mean.low, 3), round(mean.high, 3)
    (0.5, 0.3, 0.7)
    """
    if not shares:
        raise TooFewCases("no shares to average")
    if len(shares) == 1:
        return Estimate(*shares[0][2:])
    k, n = (np.array([getattr(item, name) for item in shares], dtype=float) for name in ("k", "n"))
    added = 2 / len(shares)
    adjusted = (k + added) / (n + 2 * added)
    centre = float(adjusted.mean())
    half = 1.959964 * sqrt((adjusted * (1 - adjusted) / (n + 2 * added)).sum()) / len(shares)
    return Estimate(float((k / n).mean()), max(0.0, centre - half), min(1.0, centre + half))


def authoritarian_hosts(
    incidents: pd.DataFrame, measure: str = "fiw", cutoff: str | int = "NF"
) -> pd.DataFrame:
    """The incidents, each marked: did an authoritarian state act on the soil of another authoritarian state?

    measure, cutoff: which states count as authoritarian, see `cape.regimes.at_or_below`.
    Returns a new frame with the columns of `add_regime` for host and origin, `on_authoritarian_soil` (nullable boolean:
    True where origin and host both count, and differ; missing where host, year or rating is missing) and `corridor`
    ("TJK to RUS"; missing where the host is).

    >>> import capelib as cape
    >>> marked = authoritarian_hosts(cape.load().where(years=(2021, 2021), stage=(2, 3)).incidents)
    >>> of_period(marked, (2021, 2021))[:2]
    (49, 63)
    """
    rated = regimes.add_regime(regimes.add_regime(incidents, measure, "host"), measure, "origin")
    host = regimes.is_authoritarian(rated[f"host_{measure}"], measure, cutoff)
    origin = regimes.is_authoritarian(rated[f"origin_{measure}"], measure, cutoff)
    known = host.notna() & origin.notna()
    marked = (host & origin & (rated["host"] != rated["origin"])).where(known)
    corridor = rated["origin"] + " to " + rated["host"]
    return rated.assign(on_authoritarian_soil=marked.astype("boolean"), corridor=corridor)


def of_period(
    marked: pd.DataFrame, years: tuple[int, int], column: str = "on_authoritarian_soil"
) -> Share:
    """The share of marked incidents among those of a period (both years included) that could be marked at all.

    Raises TooFewCases where the period holds none.
    """
    rows = marked.loc[marked["year"].between(*years).fillna(False).astype(bool), column].dropna()
    if rows.empty:
        raise TooFewCases(f"no incident of {years[0]}-{years[1]} has a known host, year and rating")
    return wilson(int(rows.sum()), len(rows))


def by_year(
    marked: pd.DataFrame, first_year: int, last_year: int, column: str = "on_authoritarian_soil"
) -> pd.DataFrame:
    """The share in each year: `year`, `k`, `n`, `share`, `low`, `high` (fractions; missing where n is 0).

    >>> import capelib as cape
    >>> by_year(authoritarian_hosts(cape.load().incidents), 2021, 2021)[["k", "n"]].values.tolist()
    [[63, 79]]
    """
    counts = (
        marked.dropna(subset=["year", column])
        .groupby("year")[column]
        .agg(["sum", "size"])
        .astype("int64")
    )
    rows = []
    for year, k, n in counts.reindex(range(first_year, last_year + 1), fill_value=0).itertuples():
        share = wilson(k, n) if n else Share(0, 0, np.nan, np.nan, np.nan)
        rows.append({"year": year, **share._asdict()})
    return pd.DataFrame(rows)


def leave_one_corridor_out(
    marked: pd.DataFrame,
    early: tuple[int, int],
    late: tuple[int, int],
    column: str = "on_authoritarian_soil",
) -> pd.DataFrame:
    """Does the change between two periods rest on one corridor? The same difference with each corridor left out.

    early, late: first and last year of each period, both included.
    Returns one row a corridor, the largest effect on the difference first: `corridor`, `left_out` (incidents),
    `early`, `late` (shares), `difference`, `low`, `high` (late minus early, Newcombe 95 %, fractions), `shift`
    (the difference with the corridor minus the difference without it). The first row, "none", leaves nothing out.
    Corridors without which a period is empty are listed with missing values.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    whole, known = change(marked, early, late, column), marked.dropna(subset=["year", column])
    counts = {}
    for name, period in (("early", early), ("late", late)):
        rows = known[known["year"].between(*period).astype(bool)]
        counts |= {
            f"{name}_k": rows.groupby("corridor")[column].sum(),
            f"{name}_n": rows.groupby("corridor").size(),
        }
    own = pd.DataFrame(counts).fillna(0).astype("int64")
    rest = pd.Series(whole)[own.columns].astype("int64") - own
    rest = rest.where((rest["early_n"] > 0) & (rest["late_n"] > 0)).astype("float64")
    low, high = confint_proportions_2indep(
        rest["late_k"],
        rest["late_n"],
        rest["early_k"],
        rest["early_n"],
        method="newcomb",
        compare="diff",
    )
    shares = {name: rest[f"{name}_k"] / rest[f"{name}_n"] for name in ("early", "late")}
    table = pd.DataFrame(
        {
            "left_out": own["early_n"] + own["late_n"],
            **shares,
            "difference": shares["late"] - shares["early"],
        }
    )
    table = table.assign(low=low, high=high, shift=whole["difference"] - table["difference"])
    table = (
        table.rename_axis("corridor")
        .reset_index()
        .sort_values("shift", key=lambda shift: -shift.abs(), kind="stable")
    )
    first = {
        "corridor": "none",
        "left_out": 0,
        **{name: whole[name] for name in table.columns[2:-1]},
        "shift": 0.0,
    }
    return pd.concat([pd.DataFrame([first]), table], ignore_index=True)


def change(
    marked: pd.DataFrame,
    early: tuple[int, int],
    late: tuple[int, int],
    column: str = "on_authoritarian_soil",
) -> dict[str, float]:
    """How did the share change from one period to the next? One row of numbers.

    Returns early_k, early_n, early, early_low, early_high, the same for late, and difference, low, high (late minus early,
    Newcombe 95 %), all shares as fractions. Raises TooFewCases where a period is empty.
    """
    before, after = of_period(marked, early, column), of_period(marked, late, column)
    row: dict[str, float] = {}
    for name, share in (("early", before), ("late", after)):
        row |= {
            f"{name}_k": share.k,
            f"{name}_n": share.n,
            name: share.share,
            f"{name}_low": share.low,
            f"{name}_high": share.high,
        }
    return row | dict(zip(("difference", "low", "high"), difference(after, before), strict=True))
