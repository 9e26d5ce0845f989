"""Counts per year. They are counts of a collection, not rates: who is not reported is not in them."""

import pandas as pd

from capelib.vocabulary.codebook import codes, require


def collapse(incidents: pd.DataFrame) -> pd.DataFrame:
    """The incidents with each episode (three or more persons in one action) kept once, by its first row.

    >>> import capelib as cape
    >>> rows = cape.load().incidents
    >>> len(rows), len(collapse(rows))
    (1074, 882)
    """
    return incidents[
        ~(incidents["episode_id"].notna() & incidents.duplicated("episode_id"))
    ].reset_index(drop=True)


def per_year(
    incidents: pd.DataFrame,
    first_year: int,
    last_year: int,
    unit: str = "incident",
    by: str | None = None,
) -> pd.DataFrame:
    """How many were recorded in each year? Years without any are kept, as zero; incidents without a year are left out.

    incidents: a frame with `year`, `exile_id`, `episode_id`. first_year, last_year: both included.
    unit: "incident", "exile" (persons with at least one incident in the year) or "episode" (clusters collapsed).
    by: a column to count within, for example "origin" or "stage"; every value that occurs gets every year, and incidents in which
        it is blank are left out.
    Returns `year` (int64), the `by` column where given, `n` (int64). Raises ParameterError for an unknown unit.

    >>> import capelib as cape
    >>> per_year(cape.load().where(origin="TJK").incidents, 2014, 2016, "episode").to_dict("list")
    {'year': [2014, 2015, 2016], 'n': [12, 20, 5]}
    """
    require("unit", unit, codes("unit"))
    rows = incidents[incidents["year"].between(first_year, last_year).fillna(False).astype(bool)]
    if unit == "episode":
        rows = collapse(rows)
    keys = ["year", *([by] if by else [])]
    if unit == "exile":
        rows = rows.drop_duplicates(["exile_id", *keys])
    years = pd.RangeIndex(first_year, last_year + 1, name="year")
    if by is None:
        return rows.groupby("year").size().reindex(years, fill_value=0).rename("n").reset_index()
    groups = pd.Index(sorted(incidents[by].dropna().unique()), name=by)
    every = pd.MultiIndex.from_product([years, groups])
    return (
        rows.groupby(keys, observed=True)
        .size()
        .reindex(every, fill_value=0)
        .rename("n")
        .reset_index()
    )
