"""Before, after, or cannot be told: the order of events with exact, vague or no dates."""

from math import isnan
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.display import as_html, in_words
from capelib.errors import TooFewCases
from capelib.estimators.clusters import clustered
from capelib.estimators.shares import wilson

FIRST, NOT_FIRST, UNKNOWN = "first", "not first", "cannot be told"
SAME, AFTER, BEFORE, NONE = "same incident", "after", "before only", "not recorded"
THEN = [SAME, AFTER, UNKNOWN, BEFORE, NONE]


class Bounds(NamedTuple):
    """A share of n cases of which some cannot be told.

    Attributes
    ----------
    k : int
        Cases that certainly count.
    unknown : int
        Cases that cannot be told.
    n : int
        All cases.
    lower, upper : float
        The share with none and with all of the unknown counted, fractions.
    low, high : float
        95 % limits outside of both, fractions; missing where there are too few clusters.
    """

    k: int
    unknown: int
    n: int
    lower: float
    upper: float
    low: float
    high: float

    __repr__ = in_words
    _repr_html_ = as_html
    CAVEAT = "Bounds: where the order cannot be told, nothing is assumed."

    def summary(self) -> str:
        """The bounds in words."""
        ends = f"{100 * self.lower:.0f} to {100 * self.upper:.0f} %"
        limits = f"95 % limits {100 * self.low:.0f} to {100 * self.high:.0f} %"
        known = "no limits" if isnan(self.low) else limits
        return f"{ends} ({known}), {self.k} of {self.n} certainly, {self.unknown} cannot be told"


def bounds(k: int, unknown: int, n: int) -> Bounds:
    """Between which shares does the truth lie, if `unknown` of the n cases cannot be told?

    Parameters
    ----------
    k, unknown, n
        Cases that count, cases that cannot be told, all cases.

    Returns
    -------
    Bounds
        For cases that are independent; see `clustered_bounds` for others. The share among these n
        cases lies between lower and upper whatever the truth is. low is
        Wilson's lower limit of the lower share, high Wilson's upper limit of the upper one: they
        hold the true share of a population from which the n cases are independent draws in at
        least 95 of 100 samples, however the unknown came about.

    Raises
    ------
    TooFewCases
        For n = 0.

    References
    ----------
    Horowitz and Manski 2000, Journal of the American Statistical Association 95, 77-84.

    Examples
    --------
    >>> share = bounds(5, 3, 10)
    >>> share.lower, share.upper, round(share.low, 2), round(share.high, 2)
    (0.5, 0.8, 0.24, 0.94)
    """
    least, most = wilson(k, n), wilson(k + unknown, n)
    return Bounds(int(k), int(unknown), int(n), least.share, most.share, least.low, most.high)


def clustered_bounds(order: pd.Series, cluster: pd.Series) -> Bounds:
    """The same bounds for cases that were reported together.

    Parameters
    ----------
    order
        "first", "not first" or "cannot be told", one a case, see `comes_first`.
    cluster
        The cluster of each case, same index.

    Returns
    -------
    Bounds
        low is the lower limit of the lower share, high the upper limit of the upper share, both
        with clusters, see `capelib.estimators.clusters.clustered`, which says what is assumed and
        where it fails.

    Raises
    ------
    TooFewCases
        Without any case.

    References
    ----------
    Horowitz and Manski 2000, Journal of the American Statistical Association 95, 77-84.

    Examples
    --------
    >>> order = pd.Series(["first"] * 5 + ["cannot be told"] * 3 + ["not first"] * 2)
    >>> share = clustered_bounds(order, pd.Series(range(10)))
    >>> share.lower, share.upper, round(share.low, 2), round(share.high, 2)
    (0.5, 0.8, 0.2, 0.96)
    """
    if order.empty:
        raise TooFewCases("no cases: a share needs at least one")
    certain, unknown = order == FIRST, order == UNKNOWN
    least, most = clustered(certain, cluster), clustered(certain | unknown, cluster)
    counts = (least.k, int(unknown.sum()), least.n)
    return Bounds(*counts, least.share, most.share, least.low, most.high)


def comes_first(incidents: pd.DataFrame, step: pd.Series) -> pd.DataFrame:
    """Is the first of the marked steps the first thing recorded against each exile?

    Parameters
    ----------
    incidents
        A frame with `exile_id`, `date_start`, `date_end`.
    step
        True for the incidents that are the step, same index.

    Returns
    -------
    DataFrame
        One row an exile with such a step, by exile_id (index): `order` (categorical: "first", "not
        first", "cannot be told") and `alone` (bool: nothing else is recorded, so that the step is
        first for want of others).

    Notes
    -----
    "First": the last day on which the first step can have happened lies before the first day of
    everything else. "Not first": something else certainly lies before. Two dates that overlap, the
    same day too, cannot be told; a blank date can be any day.

    Examples
    --------
    >>> start = pd.to_datetime(["2015-01-01", "2015-03-01", "2016-05-02"])
    >>> end = pd.to_datetime(["2015-12-31", "2015-03-31", "2016-05-02"])
    >>> rows = pd.DataFrame({"exile_id": ["A", "A", "A"], "date_start": start, "date_end": end})
    >>> comes_first(rows, pd.Series([False, True, False]))["order"].tolist()
    ['cannot be told']
    """
    days = _days(incidents)
    steps = days.loc[step].groupby("exile_id").min()
    others = days.loc[~step].groupby("exile_id").min()
    others = others.reindex(steps.index)
    alone = others["earliest"].isna()
    first = (steps["latest"] < others["earliest"]) | alone
    later = others["latest"] < steps["earliest"]
    order = np.select([first, later], [FIRST, NOT_FIRST], UNKNOWN)
    columns = {"order": pd.Categorical(order, [FIRST, NOT_FIRST, UNKNOWN]), "alone": alone}
    return pd.DataFrame(columns, index=steps.index)


def then(incidents: pd.DataFrame, step: pd.Series, later: pd.Series) -> pd.Series:
    """Is something of another kind recorded at or after the first step of each exile?

    Parameters
    ----------
    incidents
        As for `comes_first`.
    step, later
        True for the incidents that are the step, and that are of the other kind; an incident can
        be both.

    Returns
    -------
    Series
        By exile_id (index), for each exile with a step, a categorical: "same incident" (one
        incident is both), "after" (one of the other kind certainly lies after the first step),
        "before only" (all of them certainly lie before it), "cannot be told" (dates overlap or are
        blank), "not recorded" (none of the other kind).

    Examples
    --------
    >>> days = pd.to_datetime(["2015-01-01", "2016-03-01"])
    >>> rows = pd.DataFrame({"exile_id": ["A", "A"], "date_start": days, "date_end": days})
    >>> then(rows, pd.Series([True, False]), pd.Series([False, True]))["A"]
    'after'
    """
    days = _days(incidents)
    steps = days.loc[step].groupby("exile_id").min()
    last = days.loc[later & ~step].groupby("exile_id").max().reindex(steps.index)
    both = incidents["exile_id"][step & later].unique()
    states = {
        SAME: steps.index.isin(both),
        AFTER: last["earliest"] > steps["latest"],
        BEFORE: last["latest"] < steps["earliest"],
        NONE: last["latest"].isna(),
    }
    order = np.select(list(states.values()), list(states), UNKNOWN)
    return pd.Series(pd.Categorical(order, THEN), index=steps.index, name="then")


def _days(incidents: pd.DataFrame) -> pd.DataFrame:
    """First and last possible day of each incident as numbers; a blank date can be any day."""
    first, last = (incidents[name].to_numpy("datetime64[D]") for name in ("date_start", "date_end"))
    earliest = np.where(np.isnat(first), -np.inf, first.astype("float64"))
    latest = np.where(np.isnat(last), np.inf, last.astype("float64"))
    return pd.DataFrame({"exile_id": incidents["exile_id"], "earliest": earliest, "latest": latest})
