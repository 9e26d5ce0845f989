"""One number from a table of incidents, as publications state them: how many, which place, what share, by how much more.

Each function takes incidents and returns a `Tally`; the ledger names them with their arguments (data/published/checks.toml).
"""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from capelib.errors import ParameterError, TooFewCases
from capelib.estimators import counts, shares
from capelib.vocabulary.codebook import codes, require
from capelib.vocabulary.tables import states

UNITS = codes("unit") | {
    "exile": "persons",
    "origin": "pursuing states",
    "host": "host states",
    "corridor": "pairs of a pursuing state and a host state",
}
Period = Sequence[int]


class Tally(NamedTuple):
    """A number, its 95 % interval (None for a plain count) and the cases behind it. Shares and differences are fractions."""

    value: float
    low: float | None
    high: float | None
    n: int | None


def number(incidents: pd.DataFrame, of: str = "incident") -> Tally:
    """How many are there? Incidents, episodes, exiles, origins, hosts or corridors; blanks are not counted.

    >>> import capelib as cape
    >>> number(cape.load().incidents, of="corridor").value
    198
    """
    require("unit", of, UNITS)
    if of in ("incident", "episode"):
        count = len(incidents if of == "incident" else counts.collapse(incidents))
    elif of == "corridor":
        count = len(incidents[["origin", "host"]].dropna().drop_duplicates())
    else:
        count = incidents["exile_id" if of == "exile" else of].nunique()
    return Tally(int(count), None, None, int(count))


def newcomers(incidents: pd.DataFrame, year: int) -> Tally:
    """How many states pursue someone for the first time in this year?

    >>> import capelib as cape
    >>> newcomers(cape.load().incidents, 1993).value
    1
    """
    first = incidents.groupby("origin")["year"].min()
    count = int((first == year).sum())
    return Tally(count, None, None, count)


def rank(incidents: pd.DataFrame, origin: str) -> Tally:
    """Which place has this state among the pursuing states, by incidents? 1 is the state with most.

    Equal counts share places: low and high are the best and the worst place that the state can be given.
    Raises TooFewCases where the state has none.

    >>> import capelib as cape
    >>> rank(cape.load().incidents, "TJK")[:3]
    (2, 2, 2)
    """
    require("state", origin, states())
    counted = incidents["origin"].value_counts()
    if origin not in counted:
        raise TooFewCases(f"no incident by {states()[origin]}")
    best = int((counted > counted[origin]).sum()) + 1
    return Tally(best, best, int((counted >= counted[origin]).sum()), int(counted[origin]))


def share(
    incidents: pd.DataFrame,
    of: str = "incident",
    origin: Sequence[str] | None = None,
    host: Sequence[str] | None = None,
) -> Tally:
    """What share of incidents (or exiles) meets all conditions? With Wilson's interval.

    of: "incident" or "exile" (an exile counts where at least one incident meets them). origin, host: codes of states.
    Rows in which a column that is asked for is blank are left out. Raises TooFewCases where no row is left.

    >>> import capelib as cape
    >>> share(cape.load().incidents, of="exile", origin=["TJK", "UZB"]).n
    694
    """
    require("unit", of, ("incident", "exile"))
    asked = {
        name: codes for name, codes in (("origin", origin), ("host", host)) if codes is not None
    }
    if not asked:
        raise ParameterError("a share needs a condition: give origin or host")
    rows = incidents.dropna(subset=list(asked))
    if rows.empty:
        raise TooFewCases(f"no incident with a known {' and '.join(asked)}")
    meets = pd.Series(True, index=rows.index)
    for name, values in asked.items():
        meets &= rows[name].isin(list(values))
    if of == "exile":
        meets = meets.groupby(rows["exile_id"]).any()
    return _tally(shares.wilson(int(meets.sum()), len(meets)))


def authoritarian_share(
    incidents: pd.DataFrame, years: Period, measure: str = "fiw", cutoff: str | int = "NF"
) -> Tally:
    """What share of the incidents of a period did an authoritarian state commit on the soil of another one? Pooled over years.

    measure, cutoff: who counts as authoritarian, see `cape.regimes.at_or_below`. Wilson's interval.

    >>> import capelib as cape
    >>> round(authoritarian_share(cape.load().where(stage=(2, 3)).incidents, (2021, 2021)).value, 2)
    0.78
    """
    return _tally(
        shares.of_period(
            shares.authoritarian_hosts(incidents, measure, cutoff), (years[0], years[-1])
        )
    )


def authoritarian_mean(
    incidents: pd.DataFrame, years: Period, measure: str = "fiw", cutoff: str | int = "NF"
) -> Tally:
    """The same share as the unweighted mean of the yearly shares of a period, see `cape.shares.mean_of_shares`."""
    rows = shares.by_year(
        shares.authoritarian_hosts(incidents, measure, cutoff), years[0], years[-1]
    )
    rows = rows[rows["n"] > 0]
    if rows.empty:
        raise TooFewCases(
            f"no incident of {years[0]}-{years[-1]} has a known host, year and rating"
        )
    found = [
        shares.Share(*row)
        for row in rows[["k", "n", "share", "low", "high"]].itertuples(index=False)
    ]
    return Tally(*shares.mean_of_shares(found), n=int(rows["n"].sum()))


def authoritarian_change(
    incidents: pd.DataFrame,
    early: Period,
    late: Period,
    measure: str = "fiw",
    cutoff: str | int = "NF",
    rounded: bool = False,
) -> Tally:
    """By how much does the same share change from one period to the next? A fraction, with Newcombe's interval.

    rounded: the difference of the two shares after each is rounded to a whole percent, as printed shares are often subtracted.
    """
    found = shares.change(
        shares.authoritarian_hosts(incidents, measure, cutoff),
        (early[0], early[-1]),
        (late[0], late[-1]),
    )
    value = round(found["late"], 2) - round(found["early"], 2) if rounded else found["difference"]
    return Tally(value, found["low"], found["high"], int(found["early_n"] + found["late_n"]))


def _tally(found: shares.Share) -> Tally:
    return Tally(found.share, found.low, found.high, found.n)
