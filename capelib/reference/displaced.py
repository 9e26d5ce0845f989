"""Refugees and asylum-seekers abroad, by state of origin and year."""

import pandas as pd

from capelib.errors import ParameterError
from capelib.meaning.arguments import states_meant
from capelib.vocabulary.codebook import require
from capelib.vocabulary.shipped import table

__all__ = [
    "of",
    "series",
]


def of(origin: str, year: int) -> int:
    """How many refugees and asylum-seekers from this state were abroad at the end of this year?

    Parameters
    ----------
    origin
        ISO 3166-1 alpha-3 of a state that `series` knows.
    year
        A year of the table.

    Returns
    -------
    int
        Persons. UNHCR does not publish counts of 1 to 4 for a host state: small sums are inexact.

    Raises
    ------
    ParameterError
        For an origin or year that does not ship.

    Examples
    --------
    >>> of("TJK", 2016)
    4130
    """
    years = series(origin)
    row = years[years["year"] == year]
    if row.empty:
        raise ParameterError(
            f"no count for {origin} in {year}: "
            f"the table runs {years['year'].min()}-{years['year'].max()}"
        )
    return int(row["displaced"].iloc[0])


def series(origin: str) -> pd.DataFrame:
    """How many people of one origin were displaced abroad, year by year?

    Parameters
    ----------
    origin
        A state of the table: one of those that `cape.pursuers("all")` names.

    Returns
    -------
    DataFrame
        `year`, `refugees`, `asylum_seekers`, `displaced` (their sum), all Int64, persons.

    References
    ----------
    UNHCR Refugee Data Finder, CC BY 4.0.

    Examples
    --------
    >>> list(series("TKM").columns)
    ['year', 'refugees', 'asylum_seekers', 'displaced']
    """
    counts = table("displaced")
    origin = states_meant("state", origin)[0]
    require("origin with displaced people", origin, sorted(counts["origin"].unique()))
    counts = counts[counts["origin"] == origin].reset_index(drop=True)
    counts["displaced"] = counts["refugees"] + counts["asylum_seekers"]
    return counts[["year", "refugees", "asylum_seekers", "displaced"]]
