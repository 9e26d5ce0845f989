"""The hosts in which each exile is on record, in their order. Counts are of persons."""

import numpy as np
import pandas as pd

from capelib.estimators.clusters import clustered
from capelib.estimators.shares import NO_SHARE, Share

STAY = [
    *("exile_id", "step", "host", "first", "last", "year", "stage", "incidents"),
    *("came_from", "certain"),
]


def of_period(incidents: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """Which incidents may have happened in these years? Those without a date too name a host.

    Parameters
    ----------
    incidents
        A frame with `date_start` and `date_end`.
    first_year, last_year
        Both included.

    Returns
    -------
    DataFrame
        The incidents whose date allows a year of the period, and those without a date.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(origin="TJK").incidents
    >>> len(rows), len(of_period(rows, 2001, 2018)), int(rows["date_start"].isna().sum())
    (287, 181, 32)
    """
    start, end = incidents["date_start"], incidents["date_end"]
    possible = (start.dt.year <= last_year) & (end.dt.year >= first_year)
    return incidents[possible | start.isna()].reset_index(drop=True)


def abroad(incidents: pd.DataFrame) -> pd.DataFrame:
    """Which incidents have a host on record that is not the pursuing state itself?

    A forced landing in the pursuing state is no host.
    """
    host = incidents["host"]
    return incidents[host.notna() & (host != incidents["origin"])].reset_index(drop=True)


def stays(incidents: pd.DataFrame) -> pd.DataFrame:
    """In which hosts is each exile on record, and in which order?

    Parameters
    ----------
    incidents
        A frame with `exile_id`, `incident_id`, `origin`, `host`, `date_start`, `date_end`, `stage`,
        `year`; incidents without a host, or in the pursuing state itself, are left out.

    Returns
    -------
    DataFrame
        One row a stay (consecutive incidents in one host): `exile_id`, `step` (Int64; missing where
        the order cannot be told), `host`, `first`, `last` (datetime64: first and last day that the
        dates allow), `year` (Int64, of arrival on record), `stage` (highest, ordered), `incidents`,
        `came_from` (the host before; missing at the first step) and `certain` (nullable boolean,
        missing at the first step).

    Notes
    -----
    Incidents are put in order by the first day that their date allows, then by the last. An undated
    incident joins the exile's first stay in that host; where the host is on record only without a
    date, the stay has no step.

    `certain` is True where every order of the incidents that the dates allow has this same move,
    from that host straight to this one. It is False where dates of the two sides overlap ("2013"
    and "March 2013"), and where the exile has a host without any date, which may lie between.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = stays(cape.load().where(origin="UZB", host=["NOR", "CZE"]).incidents)
    >>> moved = rows[rows["exile_id"].duplicated(keep=False)]
    >>> moved[["step", "host", "certain"]].values.tolist()
    [[1, 'NOR', <NA>], [2, 'CZE', True]]
    """
    rows = _in_order(incidents)
    groups = rows.groupby(["exile_id", "step", "host"], dropna=False)  # missing steps come last
    table = groups.agg(
        first=("date_start", "min"),
        last=("date_end", "max"),
        stage=("stage", "max"),
        incidents=("incident_id", "size"),
    ).reset_index()
    only_host = ~table["exile_id"].duplicated(keep=False)
    table["step"] = table["step"].mask(only_host, 1)  # even where it has no date
    first = (table["step"] == 1).fillna(False).astype(bool)
    later = (table["step"] > 1).fillna(False).astype(bool)
    certain_moves = _certain(rows)
    keys = zip(table["exile_id"], table["step"], strict=True)
    certain = pd.Series([key in certain_moves for key in keys], index=table.index, dtype="boolean")
    return table.assign(
        year=table["first"].dt.year.astype("Int64"),
        came_from=table.groupby("exile_id")["host"].shift().where(later),
        certain=certain.mask(first),
    )[STAY]


def _in_order(incidents: pd.DataFrame) -> pd.DataFrame:
    """Incidents abroad in their order, with the `step` of their stay; missing where not told."""
    names = ["exile_id", "incident_id", "origin", "host", "date_start", "date_end", "stage"]
    order = ["exile_id", "date_start", "date_end", "incident_id"]
    rows = abroad(incidents[names]).sort_values(order)
    dated = rows[rows["date_start"].notna()]
    exile, host = dated["exile_id"], dated["host"]
    new = (exile != exile.shift()) | (host != host.shift())
    step = new.groupby(exile).cumsum()
    first_there = step.groupby([exile, host]).min()
    place = pd.MultiIndex.from_frame(rows[["exile_id", "host"]])
    undated = pd.Series(first_there.reindex(place).to_numpy(), index=rows.index)
    return rows.assign(step=step.reindex(rows.index).fillna(undated).astype("Int64"))


def _certain(rows: pd.DataFrame) -> set[tuple[str, int]]:
    """The moves, as (exile, step arrived at), that every order of the incidents has.

    rows: from `_in_order`.
    """
    certain = set()
    host, start, end = (rows[name].to_numpy() for name in ("host", "date_start", "date_end"))
    unplaced = rows["step"].isna().to_numpy()
    steps = rows["step"].to_numpy("int64", na_value=0)
    for exile, places in rows.groupby("exile_id").indices.items():
        if unplaced[places].any() or steps[places].max() == 1:
            continue
        dated = places[~np.isnat(start[places])]
        step = steps[dated]
        for arrival in range(2, step.max() + 1):
            if _is_certain(step, host[dated], start[dated], end[dated], arrival):
                certain.add((exile, arrival))
    return certain


def _is_certain(
    step: np.ndarray, host: np.ndarray, start: np.ndarray, end: np.ndarray, arrival: int
) -> bool:
    """Does every order of one exile's incidents have the move to this step?

    It does where all incidents before it end before any after it begins, where the last before is
    surely in the host left, and the first after surely in the host reached.
    """
    before, after = step < arrival, step >= arrival
    left, reached = host[step == arrival - 1][0], host[step == arrival][0]
    elsewhere = end[before & (host != left)]
    beyond = start[after & (host != reached)]
    apart = end[before].max() < start[after].min()
    surely_left = (elsewhere < start[before].max()).all()
    surely_reached = (beyond > end[after].min()).all()
    return bool(apart and surely_left and surely_reached)


def hosts_on_record(incidents: pd.DataFrame, cluster: pd.Series) -> pd.DataFrame:
    """How many exiles have one, two, three or more hosts on record, whatever their order?

    Parameters
    ----------
    incidents
        From `stays`.
    cluster
        By exile_id, who was reported together: see `capelib.estimators.clusters.linked`.

    Returns
    -------
    DataFrame
        `hosts` ("1", "2", "3 or more"), `exiles`, `n`, `share`, `low`, `high` (of the exiles with a
        host on record; missing where there are none, the interval where there are too few
        clusters). A lower bound for the hosts that they really had: unreported ones are not in it.

    Examples
    --------
    >>> import capelib as cape
    >>> from capelib.estimators.clusters import linked
    >>> rows = cape.load().where(origin="TJK").incidents
    >>> hosts_on_record(stays(rows), linked(rows))["exiles"].tolist()
    [111, 11, 0]
    """
    number = incidents.groupby("exile_id")["host"].nunique().clip(upper=3)
    rows = [
        {"hosts": words, **share_or_none(number == hosts, number.index.map(cluster))}
        for hosts, words in ((1, "1"), (2, "2"), (3, "3 or more"))
    ]
    return pd.DataFrame(rows).rename(columns={"k": "exiles"})


def share_or_none(hits: pd.Series, cluster: pd.Series | pd.Index) -> dict[str, float]:
    """k, n, share, low, high with clusters; shares are missing without cases."""
    if not len(hits):
        return NO_SHARE._asdict()
    return Share(*clustered(hits, pd.Series(cluster))[:5])._asdict()
