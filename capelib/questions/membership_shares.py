"""Where incidents happen: which hosts are fellow members of CIS, CSTO and SCO, and what share."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import pandas as pd

from capelib.estimators.clusters import ClusteredShare, cluster_of, clustered, clustered_difference
from capelib.estimators.counts import collapse
from capelib.estimators.counts import years as in_words
from capelib.meaning.arguments import codes_meant
from capelib.reference import memberships
from capelib.vocabulary.codebook import codebook

ORGANISATIONS = tuple(
    code for code, entry in codebook()["codes"]["organisation"].items() if entry.get("cooperation")
)
ANY = "any of the three"
Period = tuple[int, int]  # first and last year, both included
_SHARE = ("share", "low", "high")


@cache
def _members(organisation: str, year: int) -> frozenset[str]:
    return frozenset(memberships.members(organisation, year))


def counted(incidents: pd.DataFrame, unit: str = "episode") -> pd.DataFrame:
    """Which rows count: abroad, with a known host and year, by the unit of counting?

    Parameters
    ----------
    incidents
        Those in the pursuing state itself (forced landings) are left out.
    unit
        "incident", "exile" (a person once a year in a host state) or "episode" (several
        persons in one action once).

    Raises
    ------
    ParameterError
        For an unknown unit.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(origin=cape.CENTRAL_ASIA, stage=[2, 3]).incidents
    >>> len(rows), len(counted(rows, "incident")), len(counted(rows))
    (544, 513, 432)
    """
    known = incidents["host"].notna() & incidents["year"].notna()
    abroad = incidents["host"] != incidents["origin"]
    rows = incidents[known & abroad].astype({"year": "int64"})
    return by_unit(rows, unit, ["exile_id", "origin", "host", "year"])


def by_unit(rows: pd.DataFrame, unit: str, exile_once_in: list[str]) -> pd.DataFrame:
    """The rows, each unit kept once, by its first row.

    Parameters
    ----------
    rows
        Incidents.
    unit
        As for `counted`.
    exile_once_in
        Columns within which a person counts once, for the unit "exile".
    """
    unit = codes_meant("unit", unit, "unit")[0]
    if unit == "episode":
        return collapse(rows)
    if unit == "exile":
        rows = rows.drop_duplicates(exile_once_in)
    return rows.reset_index(drop=True)


def matrix(incidents: pd.DataFrame, unit: str = "episode", most: int = 12) -> pd.DataFrame:
    """In which host states does each state reach its exiles?

    Parameters
    ----------
    incidents
        Of the states and stages asked about.
    unit
        As for `counted`.
    most
        Hosts shown by name, those with the largest totals; the rest are added up.

    Returns
    -------
    DataFrame
        Counts (int64); index `origin`, columns the hosts' codes by total, then "other hosts".

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(origin=cape.CENTRAL_ASIA, stage=[2, 3]).incidents
    >>> matrix(rows, most=3).loc["UZB"].to_dict()
    {'RUS': 92, 'TUR': 12, 'KAZ': 33, 'other hosts': 52}
    """
    rows = counted(incidents, unit)
    totals = rows["host"].value_counts().reset_index()
    order = totals.sort_values(["count", "host"], ascending=[False, True])["host"].tolist()
    columns = order[:most]
    hosts = rows["host"].where(rows["host"].isin(columns), "other hosts")
    if len(order) > most:
        columns = [*columns, "other hosts"]
    origins = pd.Index(sorted(incidents["origin"].unique()), name="origin")
    table = pd.crosstab(rows["origin"], hosts)
    return table.reindex(index=origins, columns=columns, fill_value=0).rename_axis(columns=None)


def fellow(rows: pd.DataFrame) -> pd.DataFrame:
    """Were origin and host both members of an organisation in that year?

    Parameters
    ----------
    rows
        A frame with `origin`, `host`, `year`.

    Returns
    -------
    DataFrame
        A new frame with boolean columns more: CIS, CSTO, SCO and "any of the three". False where
        the host or the year is not known or the host is the origin, so pass `counted` rows.

    Notes
    -----
    Memberships are of whole years, first and last included: see `cape.memberships`.

    Examples
    --------
    >>> rows = pd.DataFrame({"origin": "UZB", "host": "KAZ", "year": [2005, 2006, 2012, 2013]})
    >>> fellow(rows)["CSTO"].tolist()
    [False, True, True, False]
    """
    numbers, states = pd.factorize(pd.concat([rows["origin"], rows["host"]]))
    states = states.tolist()
    origin, host = numbers[: len(rows)], numbers[len(rows) :]
    year, years = pd.factorize(rows["year"])
    marked = rows.copy()
    for organisation in ORGANISATIONS:
        # one row and column more, False throughout: the number of what is not known is -1
        member = np.zeros((len(states) + 1, len(years) + 1), dtype=bool)
        for place, member_year in enumerate(years):
            members = _members(organisation, int(member_year))
            member[:-1, place] = [state in members for state in states]
        marked[organisation] = member[origin, year] & member[host, year] & (origin != host)
    return marked.assign(**{ANY: marked[list(ORGANISATIONS)].any(axis=1).astype(bool)})


def without_member(rows: pd.DataFrame, organisation: str, state: str) -> pd.DataFrame:
    """The same rows, with one state no member of an organisation.

    Parameters
    ----------
    rows
        With the columns of `fellow`.
    organisation, state
        Codes.

    Examples
    --------
    >>> rows = fellow(pd.DataFrame({"origin": ["UZB"], "host": ["UKR"], "year": [2010]}))
    >>> rows[ANY].tolist(), without_member(rows, "CIS", "UKR")[ANY].tolist()
    ([True], [False])
    """
    shared = rows[organisation] & (rows["origin"] != state) & (rows["host"] != state)
    marked = rows.assign(**{organisation: shared})
    return marked.assign(**{ANY: marked[list(ORGANISATIONS)].any(axis=1).astype(bool)})


def fellow_shares(
    incidents: pd.DataFrame, periods: Sequence[Period], hosts: Iterable[str], unit: str = "episode"
) -> pd.DataFrame:
    """What share of incidents happens in fellow-member states, by organisation and period?

    Parameters
    ----------
    incidents
        Of the states and stages asked about.
    periods
        First and last years, both included.
    hosts
        The possible host states, for the yardstick (see `possible_hosts`).
    unit
        As for `counted`.

    Returns
    -------
    DataFrame
        One row an organisation ("CIS", "CSTO", "SCO", "any of the three") and period:
        `organisation`, `period`, `k`, `n`, `share`, `low`, `high` (fractions; incidents of one
        source or episode are not independent, see `capelib.estimators.clusters.clustered`),
        `clusters`,
        `if_equal` (the share if every possible host were as likely as every other, given origins
        and years of the incidents), `hosts` (how many of the hosts on record are fellow members, of
        how many, in words). Missing values where a period holds no incident.

    Notes
    -----
    The yardstick is weak: exiles are not spread equally over states, and how many of them live
    where is not in the data that ships.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(origin="UZB", stage=[2, 3]).incidents
    >>> table = fellow_shares(rows, [(2006, 2012)], possible_hosts(rows, 2006, 2012))
    >>> table[["organisation", "k", "n"]].values.tolist()
    [['CIS', 85, 88], ['CSTO', 74, 88], ['SCO', 74, 88], ['any of the three', 85, 88]]
    """
    rows = fellow(counted(incidents, unit))
    cluster = cluster_of(rows)
    equal = _shares_if_equal(rows, sorted(hosts))
    inside = {period: rows["year"].between(*period) for period in periods}
    table = []
    for organisation in (*ORGANISATIONS, ANY):
        for (first, last), of_period in inside.items():
            part = rows[of_period]
            members = part[organisation]
            row: dict[str, object] = {
                "organisation": organisation,
                "period": in_words((first, last)),
            }
            row |= _columns(share_of(members, cluster[of_period]))
            row["if_equal"] = float(equal.loc[of_period, organisation].mean())
            row["hosts"] = f"{part.loc[members, 'host'].nunique()} of {part['host'].nunique()}"
            table.append(row)
    names = ["organisation", "period", "k", "n", *_SHARE, "clusters", "if_equal", "hosts"]
    return pd.DataFrame(table, columns=names)


def _shares_if_equal(rows: pd.DataFrame, hosts: list[str]) -> pd.DataFrame:
    """For each row, the share of possible hosts that are fellow members of its origin that year."""
    pairs = rows[["origin", "year"]].drop_duplicates()
    pairs = pairs.merge(pd.DataFrame({"host": hosts}, dtype="str"), how="cross")
    pairs = fellow(pairs[pairs["origin"] != pairs["host"]])
    shares = pairs.groupby(["origin", "year"])[[*ORGANISATIONS, ANY]].mean()
    return shares.reindex(pd.MultiIndex.from_frame(rows[["origin", "year"]])).set_axis(rows.index)


def share_of(marks: pd.Series, cluster: pd.Series) -> ClusteredShare | None:
    """Which share of the rows is marked, allowing for clusters? None without rows.

    Examples
    --------
    >>> share_of(pd.Series([True, False]), pd.Series([1, 2])).share
    0.5
    """
    return clustered(marks, cluster) if len(marks) else None


def _columns(share: ClusteredShare | None) -> dict[str, object]:
    """k, n, share, low, high, clusters."""
    if share is None:
        return {"k": 0, "n": 0, **dict.fromkeys(_SHARE, np.nan), "clusters": 0}
    return {name: getattr(share, name) for name in ("k", "n", *_SHARE, "clusters")}


def by_stage(
    incidents: pd.DataFrame, stages: Sequence[int] = (2, 3), unit: str = "episode"
) -> pd.DataFrame:
    """Are acts that need the host found more often in fellow-member states than others?

    Parameters
    ----------
    incidents
        Of all stages.
    stages
        Those that need the host.
    unit
        As for `counted`.

    Returns
    -------
    DataFrame
        Three rows, index `incidents` ("stages 2, 3", "other stages", "difference"): `k`, `n`,
        `share`, `low`, `high`, `clusters`: shares in states that were fellow members in any of the
        three, and their difference; missing where there are none. Incidents of one source or
        episode are not independent, nor are those of one exile at several stages: see
        `capelib.estimators.clusters.clustered_difference`.

    Notes
    -----
    The other stages are a yardstick made of exiles who were pursued, wherever they were; but a host
    is on record for few of them.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(origin="TJK", years=(2001, 2024)).incidents
    >>> by_stage(rows)["n"].tolist()[:2]
    [107, 73]
    """
    needs_host = incidents["stage"].isin(stages)
    sides = {
        side: fellow(counted(incidents[needs_host == side], unit)).assign(acts=side)
        for side in (True, False)
    }
    both = pd.concat(sides.values(), ignore_index=True)
    marks, acts, cluster = both[ANY], both["acts"].astype(bool), cluster_of(both)
    rows = [_columns(share_of(marks[side], cluster[side])) for side in (acts, ~acts)]
    gap = dict.fromkeys(_SHARE, np.nan)
    if acts.any() and not acts.all():
        gap = dict(zip(_SHARE, clustered_difference(marks, acts, cluster)[:3], strict=True))
    rows.append({"n": len(both), **gap, "clusters": cluster.nunique()})
    plural = "s" if len(stages) > 1 else ""
    names = [f"stage{plural} {', '.join(map(str, sorted(stages)))}", "other stages", "difference"]
    table = pd.DataFrame(rows, index=pd.Index(names, name="incidents"))
    whole = {"k": "Int64", "n": "int64", "clusters": "int64"}
    return table[["k", "n", *_SHARE, "clusters"]].astype(whole)


def possible_hosts(incidents: pd.DataFrame, first_year: int, last_year: int) -> list[str]:
    """Which states could be a host?

    Parameters
    ----------
    incidents
        Pass all incidents of a dataset, of every origin and stage: then a host need not have
        cooperated with the states asked about to be in the list.
    first_year, last_year
        Both included.

    Returns
    -------
    list
        Codes of the states that host any of the incidents, and of all members of CIS, CSTO and SCO
        in these years.

    Notes
    -----
    A ratio of fellow members to others depends on how many others there are.

    Examples
    --------
    >>> import capelib as cape
    >>> len(possible_hosts(cape.load().incidents, 2001, 2024))
    97
    """
    hosts = set(incidents["host"].dropna())
    for organisation in ORGANISATIONS:
        for year in range(first_year, last_year + 1):
            hosts |= _members(organisation, year)
    return sorted(hosts)
