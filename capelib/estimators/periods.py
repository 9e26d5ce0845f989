"""Shares of marked incidents by period and year, and their change: intervals allow for clusters."""

from contextlib import suppress

import numpy as np
import pandas as pd

from capelib.errors import TooFewCases
from capelib.estimators.clusters import (
    ClusteredDifference,
    ClusteredShare,
    clustered,
    clustered_difference,
    clustered_mean,
)
from capelib.estimators.counts import years as in_words
from capelib.estimators.shares import MARK, Estimate, Period
from capelib.vocabulary.codebook import require

__all__ = [
    "CHANGE",
    "LEFT_OUT",
    "by_year",
    "change",
    "leave_one_out",
    "mean_of_years",
    "numbers",
    "of_period",
]

LEFT_OUT = ("corridor", "origin", "host")
CHANGE = [
    *("early_k", "early_n", "early", "early_low", "early_high"),
    *("late_k", "late_n", "late", "late_low", "late_high"),
    *("difference", "low", "high", "clusters", "why"),
]


def of_period(marked: pd.DataFrame, years: Period, column: str = MARK) -> ClusteredShare:
    """What share of the incidents of a period is marked, among those that could be marked at all?

    Parameters
    ----------
    marked
        Incidents with `year`, `cluster` (see `cape.clusters.cluster_of`) and the column of marks,
        see `cape.shares.authoritarian_hosts`.
    years
        First and last year, both included.
    column
        Marks: True, False, or missing where it cannot be told.

    Returns
    -------
    ClusteredShare

    Raises
    ------
    TooFewCases
        Where the period holds none.

    Examples
    --------
    >>> rows = pd.DataFrame({"year": [2021] * 4, "cluster": range(4)})
    >>> of_period(rows.assign(**{MARK: [True, True, False, None]}), (2021, 2021))[:2]
    (2, 3)
    """
    known = _within(marked[["year", column, "cluster"]], years).dropna(subset=column)
    if known.empty:
        raise TooFewCases(f"no incident of {in_words(years)} has a known host, year and rating")
    return clustered(known[column].astype(bool), known["cluster"])


def mean_of_years(marked: pd.DataFrame, years: Period, column: str = MARK) -> Estimate:
    """What is the unweighted mean of a period's yearly shares?

    Takes and raises the same as `of_period`; see `cape.clusters.clustered_mean`.
    """
    known = _within(marked[["year", column, "cluster"]], years).dropna(subset=column)
    if known.empty:
        raise TooFewCases(f"no incident of {in_words(years)} has a known host, year and rating")
    return clustered_mean(known[column].astype(bool), known["year"], known["cluster"])


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
        `year`, `k`, `n`, `share`, `low`, `high` (fractions; missing where n is 0, the interval
        where there are too few clusters too), `clusters`, `design_effect`, `why` (there is no
        interval).
    """
    marked = marked[["year", "cluster", column]]  # each year is chosen from fewer columns
    rows = []
    for year in range(first_year, last_year + 1):
        row = {"year": year, "k": 0, "n": 0, "clusters": 0, "why": "no cases"}
        with suppress(TooFewCases):
            row |= of_period(marked, (year, year), column)._asdict()
        rows.append(row)
    columns = ["year", *ClusteredShare._fields]
    return pd.DataFrame(rows).reindex(columns=columns).drop(columns="df")


def change(
    marked: pd.DataFrame, early: Period, late: Period, column: str = MARK, cluster: str = "cluster"
) -> ClusteredDifference:
    """How did the share change from one period to the next?

    Parameters
    ----------
    marked, column
        As for `of_period`.
    early, late
        First and last year of each period, both included.
    cluster
        The column that says which incidents belong together.

    Returns
    -------
    ClusteredDifference
        Late minus early; a cluster may have incidents in both periods.

    Raises
    ------
    TooFewCases
        Where a period is empty.
    """
    known, is_late = _both(marked[["year", column, cluster]], early, late, column)
    return clustered_difference(known[column].astype(bool), is_late, known[cluster])


def numbers(gap: ClusteredDifference) -> dict:
    """A change and both its shares under the names `CHANGE`, as a row of a table."""
    late, early = gap.group, gap.others
    cells = [*early[:5], *late[:5], gap.value, gap.low, gap.high, gap.clusters, gap.why]
    return dict(zip(CHANGE, cells, strict=True))


def leave_one_out(
    marked: pd.DataFrame,
    early: Period,
    late: Period,
    kind: str = "corridor",
    column: str = MARK,
    most: int = 10,
) -> pd.DataFrame:
    """Does the change between two periods rest on one corridor, origin or host?

    Each is left out in turn, of both periods.

    Parameters
    ----------
    marked, column
        As for `of_period`, with the column `kind`.
    early, late
        First and last year of each period, both included.
    kind
        "corridor", "origin" or "host".
    most
        How many are listed: those that move the change most.

    Returns
    -------
    DataFrame
        One row for each that is left out, the largest effect first: `left_out` (its code),
        `incidents` (left out), `early`, `late` (shares), `difference`, `low`, `high` (late minus
        early, fractions), `shift` (the difference with it minus the one without it). The first
        row, "none", leaves nothing out. Those without which a period is empty come last, with
        missing values.

    Raises
    ------
    TooFewCases
        Where a period is empty.
    ParameterError
        For an unknown kind.
    """
    require("kind of what is left out", kind, LEFT_OUT)
    known, is_late = _both(marked[["year", column, "cluster", kind]], early, late, column)
    hits, cluster, codes = known[column].astype(bool), known["cluster"], known[kind]
    whole = numbers(clustered_difference(hits, is_late, cluster))
    rows = [{"left_out": "none", "incidents": 0} | whole]
    for code, count in _by_shift(hits, is_late, codes).head(most).items():
        row = {"left_out": code, "incidents": count}
        rest = codes != code
        if is_late[rest].any() and not is_late[rest].all():
            row |= numbers(clustered_difference(hits[rest], is_late[rest], cluster[rest]))
        rows.append(row)
    table = pd.DataFrame(rows)
    table["shift"] = whole["difference"] - table["difference"]
    names = ["left_out", "incidents", "early", "late", "difference", "low", "high", "shift"]
    return table[names]


def _by_shift(hits: pd.Series, is_late: pd.Series, codes: pd.Series) -> pd.Series:
    """How many incidents each code has, that first without which the change moves most."""
    number, names = pd.factorize(codes, sort=True)
    coded = number >= 0
    cell = 2 * number[coded] + is_late[coded].to_numpy(int)
    n = np.bincount(cell, minlength=2 * len(names)).reshape(-1, 2)  # earlier and later period
    k = np.bincount(cell, hits[coded].to_numpy(float), 2 * len(names)).reshape(-1, 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (k.sum(axis=0) - k) / (n.sum(axis=0) - n)
    whole = hits[is_late].mean() - hits[~is_late].mean()
    shift = pd.Series(abs(whole - (share[:, 1] - share[:, 0])), names)
    shift = shift.sort_values(ascending=False, kind="stable", na_position="last")
    return pd.Series(n.sum(axis=1), names).reindex(shift.index)


def _both(
    marked: pd.DataFrame, early: Period, late: Period, column: str
) -> tuple[pd.DataFrame, pd.Series]:
    """The marked incidents of both periods, and which of them are of the later one."""
    known = marked.dropna(subset=["year", column])
    is_early, is_late = (known["year"].between(*years).astype(bool) for years in (early, late))
    for years, there in ((early, is_early), (late, is_late)):
        if not there.any():
            raise TooFewCases(f"no incident of {in_words(years)} has a known host, year and rating")
    either = is_early | is_late
    return known[either], is_late[either]


def _within(known: pd.DataFrame, years: Period) -> pd.DataFrame:
    return known[known["year"].between(*years).fillna(False).astype(bool)]
