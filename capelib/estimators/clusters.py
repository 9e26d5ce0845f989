"""Exiles who are reported together are not independent: who belongs together, and what that does to the interval of a share."""

from math import sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from capelib.dataset import NO_SOURCE
from capelib.errors import TooFewCases
from capelib.estimators.shares import Estimate, Share, score_interval


class ClusteredShare(NamedTuple):
    """k of n in so many clusters: the share and its interval (fractions), and the factor by which clustering raises its variance."""

    k: int
    n: int
    share: float
    low: float
    high: float
    clusters: int
    design_effect: float


def linked(incidents: pd.DataFrame) -> pd.Series:
    """Which exiles were reported together? By exile_id (index) the number of a cluster.

    incidents: a frame with `exile_id`, `episode_id`, `source_id`. Two exiles are in one cluster when they share an episode or a
    source, directly or through others (connected components). Incidents without a source link nobody by it.

    >>> rows = pd.DataFrame({"exile_id": ["A", "B", "B", "C"], "episode_id": [None] * 4, "source_id": ["S0001", "S0001", "S0002", "S0003"]})
    >>> linked(rows).tolist()
    [0, 0, 1]
    """
    exile, exiles = pd.factorize(incidents["exile_id"])
    sources = incidents["source_id"].mask(incidents["source_id"] == NO_SOURCE)
    links, size = [], len(exiles)
    for key in (sources, incidents["episode_id"]):
        code, values = pd.factorize(key)
        links.append(np.column_stack([exile, size + code])[code >= 0])
        size += len(values)
    pairs = np.concatenate(links)
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    number = connected_components(graph, directed=False)[1][: len(exiles)]
    return pd.Series(
        pd.factorize(number)[0], index=pd.Index(exiles, name="exile_id"), name="cluster"
    )


def clustered(hits: pd.Series, cluster: pd.Series, level: float = 0.95) -> ClusteredShare:
    """What share are hits, and how sure is it when cases come in clusters? Wilson's interval with the effective number of cases.

    hits: True or False, one a case. cluster: the cluster of each case, same index. level: confidence level, between 0 and 1.
    The variance of the share is taken between clusters (linearised, G/(G-1)); its ratio to the variance of independent cases is
    the design effect (not below 1); n is divided by it, and made smaller by (z/t)^2 with G-1 degrees of freedom for few clusters.
    Where all or none are hits, the data cannot show a design effect and 1 is taken.
    Raises TooFewCases with fewer than two clusters.
    Source: Korn and Graubard 1998, Survey Methodology 24, 193-201 (effective sample size); with Wilson's interval in Franco, Little,
    Louis and Slud 2019, Journal of Survey Statistics and Methodology 7, 334-364.

    >>> found = clustered(pd.Series([True, True, False, False] * 10), pd.Series(range(40)) // 2)
    >>> round(found.share, 2), round(found.low, 2), round(found.high, 2), round(found.design_effect, 2)
    (0.5, 0.28, 0.72, 2.11)
    """
    n, groups = len(hits), int(cluster.nunique())
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
    few = float(special.ndtri((1 + level) / 2) / special.stdtrit(groups - 1, (1 + level) / 2)) ** 2
    effective = n / effect * few
    return ClusteredShare(
        int(hits.sum()),
        n,
        share,
        *score_interval(share * effective, effective, level),
        groups,
        effect,
    )


def difference_of(a: Share | ClusteredShare, b: Share | ClusteredShare) -> Estimate:
    """By how much does share a exceed share b, put together from the intervals of both (with Wilson's: Newcombe's interval).

    The two shares are taken as independent of each other. Source: Zou and Donner 2008, Statistics in Medicine 27, 1693-1702 (MOVER).

    >>> from capelib.estimators.shares import wilson
    >>> [round(value, 4) for value in difference_of(wilson(56, 70), wilson(48, 80))]
    [0.2, 0.0524, 0.3339]
    """
    gap = a.share - b.share
    below = sqrt((a.share - a.low) ** 2 + (b.high - b.share) ** 2)
    above = sqrt((a.high - a.share) ** 2 + (b.share - b.low) ** 2)
    return Estimate(gap, gap - below, gap + above)
