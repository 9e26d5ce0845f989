"""A change of a share taken apart: other groups than before, or the same groups otherwise."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from capelib.display import Result
from capelib.estimators.clusters import clustered_difference
from capelib.estimators.shares import Estimate
from capelib.vocabulary.numbers import points

__all__ = [
    "Decomposition",
    "kitagawa",
]

_PERIODS = ("early", "late")


@dataclass(frozen=True, repr=False)
class Decomposition(Result):
    """A change of a share in two parts that add up to it.

    Attributes
    ----------
    total : Estimate
        The later share minus the earlier one, a fraction.
    composition : Estimate
        The part that comes from other weights of the groups (who acts).
    within : Estimate
        The part that comes from other shares of the same groups (the same states act elsewhere).
    groups : DataFrame
        One row a group, the largest part first: the group's name, `early_n`, `early` (its share),
        `late_n`, `late`, `composition`, `within` (its parts; those of all groups add up).
    orders : DataFrame
        Index "weights of the earlier period", "... later period", "their mean" (the estimates
        above): `composition`, `within`. Which change is thought to come first is a choice.
    why : str
        Why there is no interval, in words; "" where there is one.
    """

    total: Estimate
    composition: Estimate
    within: Estimate
    groups: pd.DataFrame
    orders: pd.DataFrame
    why: str

    CAVEAT = "It describes a change; it explains none."

    def summary(self) -> str:
        """The answer in words."""
        return (
            f"{points(*self.total)}: {points(*self.composition)} from who acts, "
            f"{points(*self.within)} from the same groups"
        )


def kitagawa(
    hits: pd.Series,
    late: pd.Series,
    group: pd.Series,
    cluster: pd.Series,
    level: float = 0.95,
) -> Decomposition:
    """How much of a change comes from other groups, how much from the same groups?

    Parameters
    ----------
    hits
        True or False, one a case.
    late
        True for cases of the later period, False for the earlier one, same index.
    group
        The group of each case, for example the pursuing state, same index.
    cluster
        Which cases belong together, same index; a cluster may lie in both periods.
    level
        Confidence level, between 0 and 1.

    Returns
    -------
    Decomposition
        Without intervals (and with `why`) where a period has too few clusters, see
        `cape.clusters.clustered`.

    Raises
    ------
    TooFewCases
        Where a period has no case.

    Notes
    -----
    With weights w (of a group among the cases of a period) and shares p, in the periods 0 and 1,

        composition = sum of (w1 - w0) (p0 + p1) / 2,   within = sum of (w0 + w1) / 2 (p1 - p0).

    A group without cases in one period has no share there: it is taken as in the other one, so that
    it adds to the composition only. Instead of the mean of both periods one can hold the weights of
    the earlier or of the later period for the part within: the two differ, and the mean lies
    between them (`orders`). Standard errors leave each cluster out in turn (jackknife);
    degrees of freedom are those of the change itself (`cape.clusters.clustered_difference`).

    Assumes that clusters are independent, and that both periods report a group's cases alike. It
    describes a change; it explains none.

    References
    ----------
    Kitagawa 1955, Journal of the American Statistical Association 50, 1168-1194.

    Examples
    --------
    Of 10 cases each, A has a share of 1/2 in both periods and B of 0 and 1/4; A falls from 8 to 6
    cases: composition -0.2 * 1/2 + 0.2 * 1/8 = -0.075, within (0.2 + 0.4) / 2 * 1/4 = 0.075.

    >>> cases = pd.DataFrame(
    ...     [(0, "A", 1)] * 4 + [(0, "A", 0)] * 4 + [(0, "B", 0)] * 2
    ...     + [(1, "A", 1)] * 3 + [(1, "A", 0)] * 3 + [(1, "B", 1)] + [(1, "B", 0)] * 3,
    ...     columns=["late", "group", "hit"],
    ... ).assign(cluster=range(20))
    >>> parts = kitagawa(
    ...     cases["hit"] == 1, cases["late"] == 1, cases["group"], cases["cluster"]
    ... )
    >>> [round(part.value, 3) for part in (parts.total, parts.composition, parts.within)]
    [0.0, -0.075, 0.075]
    """
    gap = clustered_difference(hits, late, cluster, level)
    of_group, names = pd.factorize(group, sort=True)
    of_cluster, clusters = pd.factorize(cluster)
    shape = (len(clusters), 2, len(names))
    cell = np.ravel_multi_index((of_cluster, late.astype(int), of_group), shape)
    size = int(np.prod(shape))
    n = np.bincount(cell, minlength=size).reshape(shape).astype(float)
    k = np.bincount(cell, hits.to_numpy("float64"), size).reshape(shape)
    parts = _parts(k.sum(axis=0), n.sum(axis=0))
    without = _parts(k.sum(axis=0) - k, n.sum(axis=0) - n)
    if gap.why or np.isnan(without).any():
        why = gap.why or "one cluster is a whole period: no interval"
        half = np.full(3, np.nan)
    else:
        why, count = "", len(clusters)
        sums = np.concatenate(
            [without.sum(axis=-1), without.sum(axis=(-2, -1))[..., None]], axis=-1
        )
        error = np.sqrt((count - 1) / count * ((sums - sums.mean(axis=0)) ** 2).sum(axis=0))
        half = special.stdtrit(gap.df, (1 + level) / 2) * error
    composition, within = (float(part) for part in parts.sum(axis=-1))
    values = (composition, within, composition + within)
    first, second, total = (
        Estimate(value, value - wide, value + wide)
        for value, wide in zip(values, half, strict=True)
    )
    if not gap.why:
        total = Estimate(gap.value, gap.low, gap.high)
    table = _groups(names, k, n, parts, group.name)
    return Decomposition(total, first, second, table, _orders(table), why)


def _parts(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Composition and within of each group (last axis). k, n: ... x period x group."""
    with np.errstate(invalid="ignore"):
        share = k / n
        weight = n / n.sum(axis=-1, keepdims=True)
    other = share[..., ::-1, :]
    share = np.where(n > 0, share, other)
    share = np.where(np.isnan(share) & ~np.isnan(weight), 0.0, share)  # in neither period
    composition = (weight[..., 1, :] - weight[..., 0, :]) * share.mean(axis=-2)
    within = weight.mean(axis=-2) * (share[..., 1, :] - share[..., 0, :])
    return np.stack([composition, within], axis=-2)


def _orders(groups: pd.DataFrame) -> pd.DataFrame:
    """The part within under the weights of one period, or of both; the rest is composition."""
    share = {period: groups[period].to_numpy() for period in _PERIODS}
    n = {period: groups[f"{period}_n"].to_numpy() for period in _PERIODS}
    weight = {period: n[period] / n[period].sum() for period in _PERIODS}
    gap = np.nan_to_num(share["late"] - share["early"])
    total = np.nansum(weight["late"] * share["late"]) - np.nansum(weight["early"] * share["early"])
    within = {
        "weights of the earlier period": (weight["early"] * gap).sum(),
        "weights of the later period": (weight["late"] * gap).sum(),
        "their mean": np.nansum(groups["within"].to_numpy()),
    }
    parts = np.array(list(within.values()))
    return pd.DataFrame({"composition": total - parts, "within": parts}, index=list(within))


def _groups(
    names: pd.Index, k: np.ndarray, n: np.ndarray, parts: np.ndarray, title: object
) -> pd.DataFrame:
    k, n = k.sum(axis=0), n.sum(axis=0)
    with np.errstate(invalid="ignore"):
        share = k / n
    order = (-abs(parts[0] + parts[1])).argsort(kind="stable")
    return pd.DataFrame(
        {
            str(title or "group"): names[order],
            "early_n": n[0, order].astype("int64"),
            "early": share[0, order],
            "late_n": n[1, order].astype("int64"),
            "late": share[1, order],
            "composition": parts[0, order],
            "within": parts[1, order],
        }
    )
