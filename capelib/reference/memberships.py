"""Memberships of states in organisations, by year."""

import pandas as pd

from capelib.dataset.codebook import codes, require
from capelib.dataset.tables import states, table


def of(state: str, year: int) -> list[str]:
    """Of which organisations was this state a member in this year? Codes in the codebook's order.

    state: ISO 3166-1 alpha-3. year: any; the tables name the first and the last year, both included.
    Raises ParameterError for an unknown state, naming the nearest.

    >>> of("UZB", 2005), of("UZB", 2010)
    (['CIS', 'SCO'], ['CIS', 'CSTO', 'SCO'])
    """
    require("state", state, states())
    spells = table("memberships")
    held = (spells["iso3"] == state) & _covers(spells, year)
    return [code for code in codes("organisation") if code in set(spells.loc[held, "organisation"])]


def members(organisation: str, year: int) -> list[str]:
    """Which states were members of this organisation in this year? ISO codes, sorted.

    organisation: "CIS", "CSTO", "SCO", "EAEU", "OTS", "CoE" or "EU".

    >>> members("EAEU", 2020)
    ['ARM', 'BLR', 'KAZ', 'KGZ', 'RUS']
    """
    require("organisation", organisation, codes("organisation"))
    spells = table("memberships")
    return sorted(spells.loc[(spells["organisation"] == organisation) & _covers(spells, year), "iso3"])


def _covers(spells: pd.DataFrame, year: int) -> pd.Series:
    return (spells["first_year"] <= year) & (spells["last_year"].isna() | (spells["last_year"] >= year))
