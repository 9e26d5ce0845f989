"""Refugees and asylum-seekers abroad, by state of origin and year."""

import pandas as pd

from capelib.errors import ParameterError
from capelib.vocabulary.codebook import require
from capelib.vocabulary.tables import table


def of(origin: str, year: int) -> int:
    """How many refugees and asylum-seekers from this state were abroad at the end of this year? Persons.

    UNHCR does not publish counts of 1 to 4 for a host state, so small sums are inexact. Raises ParameterError for an
    origin or year that does not ship.

    >>> of("TJK", 2016)
    4130
    """
    frame = series(origin)
    row = frame[frame["year"] == year]
    if row.empty:
        raise ParameterError(
            f"no count for {origin} in {year}: the table runs {frame['year'].min()}-{frame['year'].max()}"
        )
    return int(row["displaced"].iloc[0])


def series(origin: str) -> pd.DataFrame:
    """Displaced people of one origin by year: year, refugees, asylum_seekers, displaced (their sum), all Int64, persons.

    origin: one of the five Central Asian states. Source: UNHCR Refugee Data Finder, CC BY 4.0.

    >>> list(series("TKM").columns)
    ['year', 'refugees', 'asylum_seekers', 'displaced']
    """
    frame = table("displaced")
    require("origin with displaced people", origin, sorted(frame["origin"].unique()))
    frame = frame[frame["origin"] == origin].reset_index(drop=True)
    return frame.assign(displaced=frame["refugees"] + frame["asylum_seekers"])[
        ["year", "refugees", "asylum_seekers", "displaced"]
    ]
