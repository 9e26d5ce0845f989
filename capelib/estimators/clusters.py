"""Exiles reported together are not independent: who belongs together, and how sure a share is."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from capelib.dataset import NO_SOURCE
from capelib.errors import TooFewCases
from capelib.estimators.shares import Estimate, Share, gap_between, score_interval


class ClusteredShare(NamedTuple):
    """k of n as a share, with an interval that allows for clusters.

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
    clusters : int
        Groups of cases that belong together.
    design_effect : float
        The factor by which clustering raises the variance of the share; 1 or more.
    """

    k: int
    n: int
    share: float
    low: float
    high: float
    clusters: int
    design_effect: float


def linked(incidents: pd.DataFrame) -> pd.Series:
    """Which exiles were reported together?

    Parameters
    ----------
    incidents
        A frame with `exile_id`, `episode_id`, `source_id`.

    Returns
    -------
    Series
        By exile_id (index) the number of a cluster. Two exiles are in one cluster when they share
        an episode or a source, directly or through others. Incidents without a source link nobody
        by it.

    Examples
    --------
    >>> rows = pd.DataFrame({"exile_id": ["A", "B", "B", "C"], "episode_id": [None] * 4})
    >>> linked(rows.assign(source_id=["S0001", "S0001", "S0002", "S0003"])).tolist()
    [0, 0, 1]
    """
    exile, exiles = pd.factorize(incidents["exile_id"])
    sources = incidents["source_id"].mask(incidents["source_id"] == NO_SOURCE)
    # a graph of exiles, sources and episodes, numbered in a row; a cluster is a component
    links = []
    size = len(exiles)
    for key in (sources, incidents["episode_id"]):
        code, values = pd.factorize(key)
        links.append(np.column_stack([exile, size + code])[code >= 0])
        size += len(values)
    pairs = np.concatenate(links)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    component = connected_components(graph, directed=False)[1][: len(exiles)]
    index = pd.Index(exiles, name="exile_id")
    return pd.Series(pd.factorize(component)[0], index=index, name="cluster")


def clustered(hits: pd.Series, cluster: pd.Series, level: float = 0.95) -> ClusteredShare:
    """What share are hits, and how sure is it when cases come in clusters?

    Parameters
    ----------
    hits
        True or False, one a case.
    cluster
        The cluster of each case, same index.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    ClusteredShare
        Wilson's interval with the effective number of cases.

    Raises
    ------
    TooFewCases
        With fewer than two clusters.

    Notes
    -----
    The variance of the share is taken between clusters (linearised, G/(G-1)). Its ratio to the
    variance of independent cases is the design effect (not below 1); n is divided by it, and made
    smaller by (z/t)^2 with G-1 degrees of freedom for few clusters. Where all or none are hits,
    the data cannot show a design effect and 1 is taken.

    References
    ----------
    Korn and Graubard 1998, Survey Methodology 24, 193-201 (effective sample size); with Wilson's
    interval in Franco, Little, Louis and Slud 2019, Journal of Survey Statistics and Methodology
    7, 334-364.

    Examples
    --------
    >>> share = clustered(pd.Series([True, True, False, False] * 10), pd.Series(range(40)) // 2)
    >>> [round(number, 2) for number in (share.share, share.low, share.high, share.design_effect)]
    [0.5, 0.28, 0.72, 2.11]
    """
    n = len(hits)
    groups = int(cluster.nunique())
    if groups < 2:
        raise TooFewCases(
            f"an interval that allows for clusters needs two of them, here are {groups}"
        )
    share = float(hits.mean())
    effect = 1.0
    if 0 < share < 1:
        sums = np.bincount(pd.factorize(cluster)[0], weights=hits.to_numpy("float64") - share)
        between = groups / (groups - 1) * float(sums @ sums) / n**2
        effect = max(1.0, between / (share * (1 - share) / n))
    z = special.ndtri((1 + level) / 2)
    t = special.stdtrit(groups - 1, (1 + level) / 2)
    effective = n / effect * float(z / t) ** 2
    low, high = score_interval(share * effective, effective, level)
    return ClusteredShare(int(hits.sum()), n, share, low, high, groups, effect)


def difference_of(a: Share | ClusteredShare, b: Share | ClusteredShare) -> Estimate:
    """By how much does share a exceed share b, put together from the intervals of both?

    Parameters
    ----------
    a, b
        Two shares that are independent of each other.

    Returns
    -------
    Estimate
        a minus b, with an interval; see `capelib.estimators.shares.gap_between`.

    Examples
    --------
    >>> from capelib.estimators.shares import wilson
    >>> [round(value, 4) for value in difference_of(wilson(56, 70), wilson(48, 80))]
    [0.2, 0.0524, 0.3339]
    """
    return gap_between(Estimate(a.share, a.low, a.high), Estimate(b.share, b.low, b.high))
