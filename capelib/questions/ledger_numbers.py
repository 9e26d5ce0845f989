"""One number from a table of incidents, as publications state it: a count, a place, a share.

Each function takes incidents and returns a `Tally`; the ledger names functions with their arguments
(data/published/checks.toml).
"""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from capelib.dataset import takes_dataset
from capelib.display import as_html, in_words
from capelib.errors import ParameterError, TooFewCases
from capelib.estimators import counts, periods, shares
from capelib.estimators.clusters import (
    ClusteredShare,
    cluster_of,
    clustered,
    linked,
)
from capelib.vocabulary.codebook import codes, require
from capelib.vocabulary.tables import states

__all__ = [
    "UNITS",
    "Period",
    "Tally",
    "authoritarian_change",
    "authoritarian_mean",
    "authoritarian_share",
    "newcomers",
    "number",
    "rank",
    "share",
]

UNITS = codes("unit") | {
    "exile": "persons",
    "origin": "pursuing states",
    "host": "host states",
    "corridor": "pairs of a pursuing state and a host state",
}
Period = Sequence[int]


class Tally(NamedTuple):
    """A number and the cases behind it.

    Attributes
    ----------
    value : float
        The number; shares and differences are fractions.
    low, high : float or None
        Its 95 % interval, which allows for cases reported together (see
        `capelib.estimators.clusters.clustered`); None for a plain count, and where there are too
        few clusters.
    n : int or None
        The cases behind it.
    why : str
        Why a share or difference has no interval, in words; "" where it has one.
    """

    value: float
    low: float | None
    high: float | None
    n: int | None
    why: str = ""

    __repr__ = in_words
    _repr_html_ = as_html
    CAVEAT = "A collection of what was reported: a count is no rate."

    def summary(self) -> str:
        """The number, its interval where it has one, and n."""
        if self.value is None:
            return "no number"
        interval = "" if self.low is None else f" [{self.low:.3g}, {self.high:.3g}]"
        because = f" (no interval: {self.why})" if self.why else ""
        value = f"{self.value:,}" if isinstance(self.value, int) else f"{self.value:.3g}"
        return f"{value}{interval}{because}, n = {self.n:,}"


@takes_dataset
def number(incidents: pd.DataFrame, of: str = "incident") -> Tally:
    """How many are there? Blanks are not counted.

    Parameters
    ----------
    incidents
        As `Dataset.incidents`.
    of
        "incident", "episode", "exile", "origin", "host" or "corridor".

    Raises
    ------
    ParameterError
        For another unit, naming the nearest.

    Examples
    --------
    >>> import capelib as cape
    >>> number(cape.load().incidents, of="corridor").value
    291
    """
    require("unit", of, UNITS)
    if of == "incident":
        count = len(incidents)
    elif of == "episode":
        count = len(counts.collapse(incidents))
    elif of == "corridor":
        count = len(incidents[["origin", "host"]].dropna().drop_duplicates())
    else:
        count = incidents["exile_id" if of == "exile" else of].nunique()
    return Tally(int(count), None, None, int(count))


@takes_dataset
def newcomers(incidents: pd.DataFrame, year: int) -> Tally:
    """How many states pursue someone for the first time in this year?

    Examples
    --------
    >>> import capelib as cape
    >>> newcomers(cape.load().incidents, 1993).value
    1
    """
    first = incidents.groupby("origin")["year"].min()
    count = int((first == year).sum())
    return Tally(count, None, None, count)


@takes_dataset
def rank(incidents: pd.DataFrame, origin: str) -> Tally:
    """Which place has this state among the pursuing states, by incidents?

    Parameters
    ----------
    incidents
        As `Dataset.incidents`.
    origin
        Code of a state.

    Returns
    -------
    Tally
        1 is the state with most. Equal counts share places: low and high are the best and the worst
        place that the state can be given.

    Raises
    ------
    TooFewCases
        Where the state has no incident.

    Examples
    --------
    >>> import capelib as cape
    >>> rank(cape.load().incidents, "TJK")[:3]
    (2, 2, 2)
    """
    require("state", origin, states())
    number_of = incidents["origin"].value_counts()
    if origin not in number_of:
        raise TooFewCases(f"no incident by {states()[origin]}")
    best = int((number_of > number_of[origin]).sum()) + 1
    worst = int((number_of >= number_of[origin]).sum())
    return Tally(best, best, worst, int(number_of[origin]))


@takes_dataset
def share(
    incidents: pd.DataFrame,
    of: str = "incident",
    origin: Sequence[str] | None = None,
    host: Sequence[str] | None = None,
) -> Tally:
    """What share of incidents (or exiles) meets all conditions?

    Parameters
    ----------
    incidents
        As `Dataset.incidents`. Rows in which a column that is asked for is blank are left out.
    of
        "incident", or "exile" (who counts where at least one incident meets the conditions).
    origin, host
        Codes of states; at least one of the two conditions is given.

    Raises
    ------
    ParameterError
        Without a condition, or for an unknown unit.
    TooFewCases
        Where no row is left.

    Examples
    --------
    >>> import capelib as cape
    >>> share(cape.load().incidents, of="exile", origin=["TJK", "UZB"]).n
    1096
    """
    require("unit", of, ("incident", "exile"))
    conditions = {"origin": origin, "host": host}
    asked = {name: values for name, values in conditions.items() if values is not None}
    if not asked:
        raise ParameterError("a share needs a condition: give origin or host")
    rows = incidents.dropna(subset=list(asked))
    if rows.empty:
        raise TooFewCases(f"no incident with a known {' and '.join(asked)}")
    meets = pd.Series(True, index=rows.index)
    for name, values in asked.items():
        meets &= rows[name].isin(list(values))
    cluster = cluster_of(rows)
    if of == "exile":
        meets = meets.groupby(rows["exile_id"]).any()
        cluster = linked(rows)[meets.index]
    return _tally(clustered(meets, cluster))


@takes_dataset
def authoritarian_share(
    incidents: pd.DataFrame, years: Period, measure: str = "fiw", cutoff: str | int = "NF"
) -> Tally:
    """What share of a period's incidents did authoritarian states commit on each other's soil?

    Parameters
    ----------
    incidents
        As `Dataset.incidents`.
    years
        First and last year, both included; the years are pooled.
    measure, cutoff
        Who counts as authoritarian, see `cape.regimes.at_or_below`.

    Returns
    -------
    Tally
        A fraction.

    Raises
    ------
    TooFewCases
        Where no incident of the period has a known host, year and rating.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(stage=(2, 3)).incidents
    >>> round(authoritarian_share(rows, (2021, 2021)).value, 2)
    0.59
    """
    return _tally(periods.of_period(_marked(incidents, measure, cutoff), (years[0], years[-1])))


@takes_dataset
def authoritarian_mean(
    incidents: pd.DataFrame, years: Period, measure: str = "fiw", cutoff: str | int = "NF"
) -> Tally:
    """What is the same share as the unweighted mean of the yearly shares of a period?

    Takes and raises the same as `authoritarian_share`; see `cape.clusters.clustered_mean`.
    """
    marked, span = _marked(incidents, measure, cutoff), (years[0], years[-1])
    pooled, mean = periods.of_period(marked, span), periods.mean_of_years(marked, span)
    bounds = (None, None) if pooled.why else (mean.low, mean.high)
    return Tally(mean.value, *bounds, pooled.n, pooled.why)


@takes_dataset
def authoritarian_change(
    incidents: pd.DataFrame,
    early: Period,
    late: Period,
    measure: str = "fiw",
    cutoff: str | int = "NF",
    rounded: bool = False,
) -> Tally:
    """By how much does the same share change from one period to the next?

    Parameters
    ----------
    incidents, measure, cutoff
        As for `authoritarian_share`.
    early, late
        First and last year of each period, both included.
    rounded
        The difference of the two shares after each is rounded to a whole percent, as printed shares
        are often subtracted.

    Returns
    -------
    Tally
        A fraction.

    Raises
    ------
    TooFewCases
        Where a period is empty.
    """
    marked = _marked(incidents, measure, cutoff)
    gap = periods.change(marked, (early[0], early[-1]), (late[0], late[-1]))
    value = gap.value
    if rounded:
        value = round(gap.group.share, 2) - round(gap.others.share, 2)
    bounds = (None, None) if gap.why else (gap.low, gap.high)
    return Tally(value, *bounds, gap.n, gap.why)


def _marked(incidents: pd.DataFrame, measure: str, cutoff: str | int) -> pd.DataFrame:
    """The incidents with their marks and clusters."""
    marked = shares.authoritarian_hosts(incidents, measure, cutoff)
    return marked.assign(cluster=cluster_of(marked))


def _tally(share: ClusteredShare) -> Tally:
    bounds = (None, None) if share.why else (share.low, share.high)
    return Tally(share.share, *bounds, share.n, share.why)
