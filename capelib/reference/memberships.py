"""Memberships of states in organisations, by year."""

from functools import cache
from math import inf

from capelib.vocabulary.codebook import codes, require
from capelib.vocabulary.tables import states, table


def of(state: str, year: int) -> list[str]:
    """Of which organisations was this state a member in this year? Codes in the codebook's order.

    state: ISO 3166-1 alpha-3. year: any; the tables name the first and the last year, both included.
    Raises ParameterError for an unknown state, naming the nearest.

    >>> of("UZB", 2005), of("UZB", 2010)
    (['CIS', 'SCO'], ['CIS', 'CSTO', 'SCO'])
    """
    require("state", state, states())
    return [code for code in codes("organisation") if state in members(code, year)]


def members(organisation: str, year: int) -> list[str]:
    """Which states were members of this organisation in this year? ISO codes, sorted.

    organisation: "CIS", "CSTO", "SCO", "EAEU", "OTS", "CoE" or "EU".

    >>> members("EAEU", 2020)
    ['ARM', 'BLR', 'KAZ', 'KGZ', 'RUS']
    """
    require("organisation", organisation, codes("organisation"))
    return sorted({state for state, first, last in _spells(organisation) if first <= year <= last})


@cache
def _spells(organisation: str) -> list[tuple[str, int, float]]:
    """State, first and last year of each membership; infinity where it goes on."""
    rows = table("memberships")
    rows = rows[rows["organisation"] == organisation]
    return list(
        zip(
            rows["iso3"],
            rows["first_year"].astype("int64"),
            rows["last_year"].astype("float64").fillna(inf),
            strict=True,
        )
    )
