"""Memberships of states in organisations, by year."""

from functools import cache
from math import inf

from capelib.meaning.arguments import codes_meant, states_meant
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.shipped import table

__all__ = [
    "members",
    "of",
]


def of(state: str, year: int) -> list[str]:
    """Of which organisations was this state a member in this year?

    Parameters
    ----------
    state
        ISO 3166-1 alpha-3.
    year
        Any; the first and the last year of a membership are included.

    Returns
    -------
    list of str
        Codes, in the codebook's order.

    Raises
    ------
    ParameterError
        For an unknown state, naming the nearest.

    Examples
    --------
    >>> of("UZB", 2005), of("UZB", 2010)
    (['CIS', 'SCO'], ['CIS', 'CSTO', 'SCO'])
    """
    state = states_meant("state", state)[0]
    return [code for code in codes("organisation") if state in members(code, year)]


def members(organisation: str, year: int) -> list[str]:
    """Which states were members of this organisation in this year?

    Parameters
    ----------
    organisation
        "CIS", "CSTO", "SCO", "EAEU", "OTS", "CoE" or "EU".
    year
        Any; the first and the last year of a membership are included.

    Returns
    -------
    list of str
        ISO 3166-1 alpha-3, sorted.

    Raises
    ------
    ParameterError
        For an unknown organisation, naming the nearest.

    Examples
    --------
    >>> members("EAEU", 2020)
    ['ARM', 'BLR', 'KAZ', 'KGZ', 'RUS']
    """
    organisation = codes_meant("organisation", organisation, "organisation")[0]
    return sorted({state for state, first, last in _spells(organisation) if first <= year <= last})


@cache
def _spells(organisation: str) -> list[tuple[str, int, float]]:
    """State, first and last year of each membership; infinity where it goes on."""
    rows = table("memberships")
    rows = rows[rows["organisation"] == organisation]
    first = rows["first_year"].astype("int64")
    last = rows["last_year"].astype("float64").fillna(inf)
    return list(zip(rows["iso3"], first, last, strict=True))
