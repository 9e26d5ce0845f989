"""Counts per year. They count a collection and are no rates: who is not reported is not in them."""

import pandas as pd

from capelib.dataset import takes_dataset

__all__ = [
    "actions",
    "collapse",
    "per_year",
    "years",
]


def years(period: tuple[int, int]) -> str:
    """A period in words: its first and last year, or its only year.

    Examples
    --------
    >>> years((2014, 2020)), years((2021, 2021))
    ('2014-2020', '2021')
    """
    first, last = period
    return str(first) if first == last else f"{first}-{last}"


@takes_dataset
def collapse(incidents: pd.DataFrame) -> pd.DataFrame:
    """Which incidents remain when each episode counts once?

    Parameters
    ----------
    incidents
        A frame with `episode_id`.

    Returns
    -------
    DataFrame
        The incidents; of each episode (several persons in one action) only the first row.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().incidents
    >>> len(rows), len(collapse(rows))
    (1815, 1501)
    """
    repeated = incidents["episode_id"].notna() & incidents.duplicated("episode_id")
    return incidents[~repeated].reset_index(drop=True)


@takes_dataset
def actions(incidents: pd.DataFrame) -> pd.DataFrame:
    """Which incidents remain when each action counts once, whatever the source?

    Parameters
    ----------
    incidents
        A frame with `origin`, `host`, `measure`, `date`, `episode_id`.

    Returns
    -------
    DataFrame
        The incidents; of each episode, and of incidents of the same origin, host, measure and date
        (as exactly as it is known; pairs and several sources too), only the first row. Incidents
        without a date all remain.

    Notes
    -----
    Dates that give only a year put different actions together: too few remain rather than too many.

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().incidents
    >>> len(actions(rows)) < len(collapse(rows))
    True
    """
    once = collapse(incidents)
    repeated = once.duplicated(["origin", "host", "measure", "date"]) & once["date"].notna()
    return once[~repeated].reset_index(drop=True)


@takes_dataset
def per_year(
    incidents: pd.DataFrame,
    first_year: int,
    last_year: int,
    unit: str = "incident",
    by: str | None = None,
) -> pd.DataFrame:
    """How many were recorded in each year?

    Parameters
    ----------
    incidents
        A frame with `year`, `exile_id`, `episode_id`; incidents without a year are left out.
    first_year, last_year
        Both included.
    unit
        "incident", "exile" (persons with at least one incident in the year) or "episode" (one
        action against several persons counts once).
    by
        A column to count within, for example "origin" or "stage". Every value that occurs gets
        every year, and incidents in which it is blank are left out.

    Returns
    -------
    DataFrame
        `year` (int64), the `by` column where given, `n` (int64); years without any have 0.

    Raises
    ------
    ParameterError
        For an unknown unit.

    Examples
    --------
    >>> import capelib as cape
    >>> tajik = cape.load().where(origin="TJK").incidents
    >>> per_year(tajik, 2014, 2016, "episode").to_dict("list")
    {'year': [2014, 2015, 2016], 'n': [12, 21, 7]}
    """
    keys = ["year"] if by is None else ["year", by]
    rows = incidents[incidents["year"].between(first_year, last_year).fillna(False).astype(bool)]
    if unit == "episode":
        rows = collapse(rows)
    if unit == "exile":
        rows = rows.drop_duplicates(["exile_id", *keys])
    every: pd.Index = pd.RangeIndex(first_year, last_year + 1, name="year")
    if by is not None:
        groups = pd.Index(sorted(incidents[by].dropna().unique()), name=by)
        every = pd.MultiIndex.from_product([every, groups])
    counts = rows.groupby(keys if by else "year", observed=True).size()
    return counts.reindex(every, fill_value=0).rename("n").reset_index()
