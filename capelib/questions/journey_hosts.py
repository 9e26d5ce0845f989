"""Of the exiles on record in a host, what share was held, returned or attacked there?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.estimators.clusters import clustered, linked
from capelib.estimators.pooled_shares import LEAST_GROUPS, pooled_shares
from capelib.questions.host_order import abroad
from capelib.vocabulary.groups import group

FORMER_SOVIET = group("former_soviet")
OTHER = "other"
LEAST_EXILES = 10  # hosts with fewer exiles are pooled
POOLED = ["pooled", "pooled_low", "pooled_high"]


@takes_dataset
def reached(incidents: pd.DataFrame) -> pd.DataFrame:
    """What is the highest stage that was recorded for each exile in each host?

    Parameters
    ----------
    incidents
        As for `stays`; needs no dates and no order.

    Returns
    -------
    DataFrame
        One row a pair: `exile_id`, `host`, `stage` (int64), `origin`, `corridor` (the pursuing
        state and the first of the exile's hosts by code), `cluster` (of the exile, see
        `capelib.estimators.clusters.linked`).

    Examples
    --------
    >>> import capelib as cape
    >>> sorted(reached(cape.load().where(origin="KGZ", host="RUS").incidents)["corridor"].unique())
    ['KGZ to RUS']
    """
    rows = abroad(incidents[["exile_id", "origin", "host", "stage"]]).astype({"stage": "int64"})
    pairs = rows.groupby(["exile_id", "host"]).agg(
        stage=("stage", "max"), origin=("origin", "first")
    )
    pairs = pairs.reset_index().join(linked(incidents), on="exile_id")
    first_host = pairs.groupby("exile_id")["host"].transform("first")
    return pairs.assign(corridor=pairs["origin"] + " to " + first_host)


@takes_dataset
def by_host(incidents: pd.DataFrame, least: int = LEAST_EXILES) -> pd.DataFrame:
    """Where are exiles caught? The exiles on record in each host by the highest stage there.

    Parameters
    ----------
    incidents
        As for `stays`.
    least
        Hosts with fewer exiles are pooled as "other" (last row).

    Returns
    -------
    DataFrame
        `host`, `hosts` (1, or how many are pooled), `exiles`, `stage_1`, `stage_2`, `stage_3`
        (exiles by highest stage there), `caught` (held, returned or attacked: stages 2 and 3),
        `share` (of the exiles on record there), `low`, `high`, `clusters` (of exiles reported
        together), `why` (there is no interval, in words: too few clusters; "" where there is one).
        An exile with two hosts counts in both.

    Notes
    -----
    The share is one of recorded exiles, not a risk: an exile to whom nothing happened is not on
    record at all.

    Pooled are all hosts, also those in the last row. Cases count divided by the design effect of
    the host's share, or by the mean one of all hosts where that is larger: few cases do not show
    how alike they are.

    Examples
    --------
    >>> import capelib as cape
    >>> hosts = by_host(cape.load().where(origin="TJK").incidents)
    >>> hosts[["host", "exiles", "caught"]].values.tolist()
    [['RUS', 68, 60], ['DEU', 13, 3], ['POL', 10, 4], ['other', 42, 35]]
    """
    pairs = reached(incidents)
    common = pairs["host"].map(pairs["host"].value_counts()) >= least
    table = _by(pairs, pairs["host"].where(common, OTHER).rename("host"))
    table = table.sort_values("host", key=lambda host: host == OTHER, kind="stable")
    return table.reset_index(drop=True).join(_pooled(pairs), on="host")


def _pooled(pairs: pd.DataFrame) -> pd.DataFrame:
    """The share of exiles caught in each host, partially pooled. pairs: from `reached`."""
    columns = dict(zip(("share", "low", "high"), POOLED, strict=True))
    if pairs["host"].nunique() < LEAST_GROUPS:
        return pd.DataFrame(columns=POOLED, dtype="float64")
    shares = {
        host: clustered(part["stage"] >= 2, part["cluster"]) for host, part in pairs.groupby("host")
    }
    n = pd.Series({host: share.n for host, share in shares.items()}, dtype="float64")
    effect = pd.Series({host: share.design_effect for host, share in shares.items()})
    effect = effect.clip(lower=float(np.average(effect, weights=n)))
    cases = n / np.minimum(effect, n)
    hits = cases * pd.Series({host: share.share for host, share in shares.items()})
    return pooled_shares(hits, cases).rename(columns=columns)[POOLED]


@takes_dataset
def by_space(incidents: pd.DataFrame, space: Sequence[str] = FORMER_SOVIET) -> pd.DataFrame:
    """Are exiles caught inside the former Soviet space or beyond it?

    Parameters
    ----------
    incidents
        As for `stays`.
    space
        The states inside.

    Returns
    -------
    DataFrame
        The columns of `by_host` with `space` ("inside", "beyond"; only those that occur) for
        `host`, and `ended`, `ended_low`, `ended_high` (share at stage 3, with clusters). Counted
        are pairs of exile and host.
    """
    return _spaces(reached(incidents), space)


def _spaces(pairs: pd.DataFrame, space: Sequence[str]) -> pd.DataFrame:
    where = pairs["host"].isin(space).map({True: "inside", False: "beyond"}).rename("space")
    table = _by(pairs, where)
    ended = {
        space: clustered(part["stage"] == 3, part["corridor"])[2:5]
        for space, part in pairs.groupby(where)
    }
    columns = ["ended", "ended_low", "ended_high"]
    return table.join(pd.DataFrame(ended, index=columns, dtype="float64").T, on="space")


def _by(pairs: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    rows = []
    for name, part in pairs.groupby(key):
        _, *stages = np.bincount(part["stage"], minlength=4).tolist()
        caught = clustered(part["stage"] >= 2, part["cluster"])
        share = (caught.k, *caught[2:6], caught.why)
        rows.append([name, part["host"].nunique(), len(part), *stages, *share])
    columns = [
        *(key.name, "hosts", "exiles", "stage_1", "stage_2", "stage_3"),
        *("caught", "share", "low", "high", "clusters", "why"),
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["exiles", key.name], ascending=[False, True]).reset_index(drop=True)
