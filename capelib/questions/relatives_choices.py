"""What would change the share of exiles with relatives reported, and the gap between hosts?"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.display import as_html, in_words
from capelib.estimators.clusters import (
    ClusteredDifference,
    ClusteredShare,
    clustered,
    clustered_difference,
    linked,
)
from capelib.estimators.counts import collapse
from capelib.estimators.shares import Share, difference, wilson
from capelib.questions.relatives_by_exile import (
    FREE,
    NOT_FREE,
    host_of_each,
    of_exiles,
    rated_hosts,
    targeted,
)
from capelib.questions.selections import CORRIDOR, INDEPENDENT, ORIGIN, kept
from capelib.reference import regimes
from capelib.vocabulary.tables import states

FEWEST = 5  # exiles that each side of a comparison needs
OTHERWISE = "known for something else as well"
WORST_CASE = "unknown hosts placed against the gap"
BEST_CASE = "unknown hosts placed for the gap"
NEVER_HELD = "never held, sent back or attacked"
EVER_HELD = "held, sent back or attacked"
# Who is in these rows hangs on what happened after, and because of, the host.
DESCRIPTIVE = (OTHERWISE, NEVER_HELD, EVER_HELD)
PARTS = ("relatives targeted", "other stage 1", "stage 2", "stage 3")
ALONE = "only relatives as the measure, marks left out"
GAP = [
    *("free_k", "free_n", "free", "other_k", "other_n", "other"),
    *("difference", "difference_low", "difference_high"),
]
_RULE_NAMES = {
    "first": "first rated host",
    "last": "last rated host",
    "one only": "hosts of one side only",
}


class HostGap(NamedTuple):
    """The shares of exiles with relatives reported on both sides, and their difference.

    Attributes
    ----------
    free, other
        The shares in free hosts and in others, with intervals that allow for clusters; None without
        exiles.
    gap
        Free minus other, fractions; None with fewer than 5 exiles on a side.
    why
        Why there is no difference, or none with an interval, in words; "" where there is one.
    """

    free: ClusteredShare | None
    other: ClusteredShare | None
    gap: ClusteredDifference | None
    why: str

    __repr__ = in_words
    _repr_html_ = as_html

    def summary(self) -> str:
        """The difference in words, or why there is none."""
        return self.gap.summary() if self.gap else self.why


def host_gap(exiles: pd.DataFrame) -> HostGap:
    """What are the shares in free hosts and in others, and their difference?

    Parameters
    ----------
    exiles
        With `relatives`, `side` and `cluster`, as `of_exiles` gives.

    Notes
    -----
    Exiles who were reported together are not independent, and some clusters reach into both sides:
    see `capelib.estimators.clusters.clustered_difference`.
    """
    sides = [exiles[exiles["side"] == name] for name in (FREE, NOT_FREE)]
    free, other = (
        clustered(part["relatives"], part["cluster"]) if len(part) else None for part in sides
    )
    if free is None or other is None or min(free.n, other.n) < FEWEST:
        few = f"{len(sides[0])} in {FREE} and {len(sides[1])} in {NOT_FREE}"
        return HostGap(free, other, None, f"{few}; each side needs {FEWEST} exiles")
    known = pd.concat(sides)
    gap = clustered_difference(known["relatives"], known["side"] == FREE, known["cluster"])
    return HostGap(free, other, gap, gap.why)


def _gap_row(exiles: pd.DataFrame) -> dict[str, object]:
    """`host_gap` under the names in `GAP`."""
    result = host_gap(exiles)
    row: dict[str, object] = {}
    for name, share in (("free", result.free), ("other", result.other)):
        k, n, fraction = share[:3] if share else (0, 0, np.nan)
        row |= {f"{name}_k": k, f"{name}_n": n, name: fraction}
    gap = result.gap[:3] if result.gap else [np.nan] * 3
    return row | dict(zip(GAP[-3:], gap, strict=True))


def once(joined: pd.DataFrame) -> pd.DataFrame:
    """Which incidents are left when exiles of one episode count once?

    Exiles who are known only through an episode that an earlier exile already stands for are left
    out. An exile with any incident outside of such episodes stays, with all of its incidents.
    """
    return joined[_of_exiles_once(joined)].reset_index(drop=True)


def _of_exiles_once(joined: pd.DataFrame) -> pd.Series:
    return joined["exile_id"].isin(collapse(joined)["exile_id"])


def choices(
    joined: pd.DataFrame, measure: str = "fiw", cutoff: str | int = "PF", rule: str = "first"
) -> pd.DataFrame:
    """What would change the share, and the gap between free and other hosts?

    Parameters
    ----------
    joined, measure, cutoff, rule
        As for `relatives`.

    Returns
    -------
    DataFrame
        One row a choice of the data: `choice`, `k`, `n`, `share`, `low`, `high` and the columns in
        `GAP` (fractions); missing where there are no cases, intervals where there are too few
        clusters (see `capelib.estimators.clusters.clustered`). Three rows have the shares as chosen
        with other clusters: every exile alone (Wilson, Newcombe), all of one corridor, all of one
        pursuing state.
    """
    reported, alone = targeted(joined), joined["measure"] == "relatives_targeted"
    rated, clusters = rated_hosts(joined, measure, cutoff), linked(joined)
    origin = joined.groupby("exile_id")["origin"].first()
    one_each = clusters[~clusters.duplicated()].index
    everything = pd.Series(True, index=joined.index)
    parts = {
        "as chosen": everything,
        CORRIDOR: everything,
        ORIGIN: everything,
        INDEPENDENT: everything,
        "exiles of one episode once": _of_exiles_once(joined),
        "one exile of each cluster": joined["exile_id"].isin(one_each),
        ALONE: everything,
        **kept(joined, "doubtful", "alleged", "cape"),
        "without unnamed groups": ~joined["is_group"],
    }
    rows = []
    for choice, remains in parts.items():
        row: dict[str, object] = {"choice": choice}
        if remains.any():
            hits = (alone if choice == ALONE else reported)[remains]
            exiles = pd.DataFrame({"relatives": hits.groupby(joined["exile_id"]).max()})
            hosts = host_of_each(rated[remains[rated.index]], rule)[["host", "side"]]
            exiles = exiles.join(hosts).join(clusters).join(origin)
            exiles["cluster"] = _cluster(exiles, choice)
            row |= clustered(exiles["relatives"], exiles["cluster"])._asdict() | _gap_row(exiles)
            if choice == INDEPENDENT:
                row |= _as_if_independent(exiles)
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=["choice", *Share._fields, *GAP])


def _cluster(exiles: pd.DataFrame, choice: str) -> pd.Series:
    """Which exiles are taken as reported together under a choice?"""
    if choice == ORIGIN:
        return exiles["origin"]
    if choice == CORRIDOR:
        return exiles["origin"] + " to " + exiles["host"].astype("object").fillna("unknown")
    return exiles["cluster"]


def _as_if_independent(exiles: pd.DataFrame) -> dict[str, float]:
    """Wilson's interval of the share, and Newcombe's of the gap."""
    share = wilson(int(exiles["relatives"].sum()), len(exiles))
    row = {"low": share.low, "high": share.high}
    gap = host_gap(exiles)
    if gap.gap and gap.free and gap.other:
        free, other = wilson(*gap.free[:2]), wilson(*gap.other[:2])
        row |= dict(zip(GAP[-2:], difference(free, other)[1:], strict=True))
    return row


def comparisons(
    joined: pd.DataFrame, measure: str = "fiw", cutoff: str | int = "PF", rule: str = "first"
) -> pd.DataFrame:
    """Does the gap between hosts come from who gets into the collection?

    Parameters
    ----------
    joined, measure, cutoff, rule
        As for `relatives`.

    Returns
    -------
    DataFrame
        `comparison`, the columns in `GAP` (fractions, with intervals that allow for clusters;
        missing where a side is empty) and `descriptive` (bool: the row keeps exiles by what
        happened after they came to the host, so that it describes and compares nothing fairly).

    Notes
    -----
    Exiles in other hosts often get into the collection because they were held or sent back, which
    cannot happen where they are out of reach; exiles in free hosts because of their relatives. So
    the gap is also shown among exiles known for something else as well, among exiles never held,
    sent back or attacked (whatever the host): both are descriptive, since what else is known of an
    exile follows from the host. It is shown under other rules for the host, other definitions of
    "free", with each origin left out, and in the worst case for exiles whose host is not known
    (those with relatives reported are put on the side that makes the gap smaller, those without on
    the other; the opposite is shown too, and the truth lies between these two).
    """
    exiles = of_exiles(joined, measure=measure, cutoff=cutoff, rule=rule)
    who = exiles[["exile_id", "relatives", "cluster"]]
    parts = {
        "all exiles with a rated host": exiles,
        OTHERWISE: exiles[exiles["otherwise"]],
        NEVER_HELD: exiles[exiles["stage"] == 1],
        EVER_HELD: exiles[exiles["stage"] >= 2],
        **_other_readings(joined, who, measure, cutoff, rule),
        WORST_CASE: _placed(exiles, against=True),
        BEST_CASE: _placed(exiles, against=False),
    }
    origins = sorted(exiles["origin"].unique())
    if len(origins) > 1:
        for origin in origins:
            parts[f"without {states()[origin]}"] = exiles[exiles["origin"] != origin]
    rows = [{"comparison": name, **_gap_row(part)} for name, part in parts.items()]
    table = pd.DataFrame(rows, columns=["comparison", *GAP])
    return table.assign(descriptive=table["comparison"].isin(DESCRIPTIVE))


def _other_readings(
    joined: pd.DataFrame, exiles: pd.DataFrame, measure: str, cutoff: str | int, rule: str
) -> dict[str, pd.DataFrame]:
    """The exiles with the side of their host by other rules and other definitions of "free"."""
    hosts = {}
    rated = rated_hosts(joined, measure, cutoff)
    for other_rule, name in _RULE_NAMES.items():
        if other_rule != rule:
            hosts[name] = host_of_each(rated, other_rule)
    for (other_measure, other_cutoff), name in regimes.splits().items():
        if (other_measure, other_cutoff) != (measure, str(cutoff)):
            hosts[name] = host_of_each(rated_hosts(joined, other_measure, other_cutoff), rule)
    return {name: exiles.join(host, on="exile_id") for name, host in hosts.items()}


def _placed(exiles: pd.DataFrame, against: bool) -> pd.DataFrame:
    """The exiles with unknown hosts placed so that the gap is as small, or large, as it can be."""
    gap = host_gap(exiles).gap
    negative = gap is not None and gap.value < 0
    with_relatives, without = (NOT_FREE, FREE) if against != negative else (FREE, NOT_FREE)
    placed = np.where(exiles["relatives"], with_relatives, without)
    return exiles.assign(side=exiles["side"].where(exiles["side"].notna(), placed))


def hosts_missing(joined: pd.DataFrame) -> pd.DataFrame:
    """How often is the host of an incident not on record, by what was done?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.

    Returns
    -------
    DataFrame
        One row a part (relatives targeted as the measure, other incidents at stage 1, stage 2,
        stage 3): `what`, `k` (without a host), `n`, `share`, `low`, `high` (fractions, 95 %),
        `clusters`. Where the shares differ, exiles with a known host are no fair sample of all.

    Examples
    --------
    >>> import capelib as cape
    >>> table = hosts_missing(cape.load().where(origin="TJK").joined())
    >>> table[["k", "n"]].values.tolist()
    [[37, 57], [19, 91], [0, 69], [0, 70]]
    """
    alone, stage = joined["measure"] == "relatives_targeted", joined["stage"].astype("int64")
    parts = [alone, ~alone & (stage == 1), ~alone & (stage == 2), ~alone & (stage == 3)]
    cluster = joined["exile_id"].map(linked(joined))
    rows = []
    for what, part in zip(PARTS, parts, strict=True):
        if part.any():
            share = clustered(joined.loc[part, "host"].isna(), cluster[part])
            rows.append({"what": what, **share._asdict()})
    return pd.DataFrame(rows, columns=["what", *Share._fields, "clusters"])
