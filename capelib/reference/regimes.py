"""Regime of a state in a year, and "authoritarian" as a rule that the reader chooses.

The measures, their scales, cut-offs and words stand in data/codebook.toml, the ratings in
data/reference/regimes.csv and, those of V-Dem, in regimes_row.csv (CC BY-SA 4.0, which a table made
of them keeps).
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.errors import DataError, ParameterError
from capelib.meaning.arguments import codes_meant, states_meant
from capelib.vocabulary.codebook import codebook, codes, require, spelt
from capelib.vocabulary.shipped import table
from capelib.vocabulary.tables import states

__all__ = [
    "KINDS",
    "add_regime",
    "at_or_below",
    "by_year",
    "definitions",
    "is_authoritarian",
    "of",
    "scale",
    "sentence",
    "splits",
    "unmatched",
]

KINDS = MATCHED, NO_STATE, NO_YEAR, NOT_RATED = "matched", "no state", "no year", "not rated"


def scale(measure: str) -> list[str]:
    """Which values does a regime measure give, from least to most free?

    Parameters
    ----------
    measure
        A regime measure of the codebook: "fiw" (Freedom in the World status), "row" (Regimes of
        the World), "lied" (Lexical Index).

    Raises
    ------
    ParameterError
        For an unknown measure, naming the nearest.

    Examples
    --------
    >>> scale("fiw")
    ['NF', 'PF', 'F']
    """
    return _entry(measure, "scale")


def definitions() -> list[tuple[str, str]]:
    """Under which definitions of "authoritarian" is a result given?

    Returns
    -------
    list of (measure, cut-off)
        In the codebook's order.

    Examples
    --------
    >>> definitions()
    [('fiw', 'NF'), ('fiw', 'PF'), ('row', '0'), ('row', '1'), ('lied', '2'), ('lied', '3')]
    """
    return [
        (measure, cutoff)
        for measure in codes("regime_measure")
        for cutoff in _entry(measure, "definitions")
    ]


def splits() -> dict[tuple[str, str], str]:
    """Under which definitions are hosts divided into free and not free?

    Returns
    -------
    dict
        The words of each definition, by its measure and cut-off.

    Examples
    --------
    >>> splits()["row", "1"]
    'autocracies by Regimes of the World'
    """
    return {
        (measure, cutoff): words
        for measure in codes("regime_measure")
        for cutoff, words in _entry(measure, "split").items()
    }


def _entry(measure: str, field: str) -> Any:
    """A field of the codebook's entry for a measure."""
    measure = _code(measure)
    entry = codebook()["codes"]["regime_measure"][measure]
    if field not in entry:
        raise DataError(f"data/codebook.toml: [codes.regime_measure.{measure}] lacks {field!r}")
    return entry[field]


def _code(measure: str) -> str:
    """The code of a regime measure, also from a word for it such as vdem."""
    return codes_meant("regime measure", measure, "regime_measure")[0]


@cache
def by_year() -> pd.DataFrame:
    """How was each state rated in each year, on each measure?

    Returns
    -------
    DataFrame
        One row a rated state, year and measure, 1990-2024: `iso3` (str), `year` (int64),
        `measure` and `value` (str).
    """
    tables = [table("regimes"), table("regimes_row")]  # V-Dem's has a licence of its own
    spells = pd.concat([spells.astype({"measure": "str", "value": "str"}) for spells in tables])
    spells = spells[spells["iso3"].isin(set(states()))]  # not Tibet, not the Soviet Union
    spells = spells.sort_values(["iso3", "measure", "first_year"], ignore_index=True)
    years = [
        range(first, last + 1)
        for first, last in zip(spells["first_year"], spells["last_year"], strict=True)
    ]
    rated = spells.assign(year=years).explode("year").astype({"year": "int64"})
    return rated[["iso3", "year", "measure", "value"]].reset_index(drop=True)


@cache
def _ratings(measure: str) -> pd.Series:
    """The values of a measure on its ordered scale, by state and year."""
    rows = by_year()
    rows = rows[rows["measure"] == measure].set_index(["iso3", "year"])
    return rows["value"].astype(pd.CategoricalDtype(scale(measure), ordered=True))


class _RatingTable(NamedTuple):
    """The values of a measure as a table, for many states and years at once.

    One row and column more than there are states and years stand for what is not known.
    """

    states: pd.Index
    first_year: int
    codes: np.ndarray  # places on the scale, -1 where not rated
    scale: pd.CategoricalDtype

    def values(self, state: pd.Series, year: pd.Series) -> pd.Categorical:
        """The value of each state in its year, missing where not rated."""
        number, names = pd.factorize(state)  # each name is looked up once
        row = np.append(self.states.get_indexer(names), -1)[number]
        column = year.to_numpy("float64", na_value=np.nan) - self.first_year
        inside = (column >= 0) & (column < self.codes.shape[1] - 1)
        place = np.where(inside, column, -1).astype(int)
        return pd.Categorical.from_codes(self.codes[row, place], dtype=self.scale)


@cache
def _rating_table(measure: str) -> _RatingTable:
    values = _ratings(measure)
    row, rated = pd.factorize(values.index.get_level_values("iso3"))
    years = values.index.get_level_values("year").to_numpy(int)
    column = years - years.min()
    codes_by_year = np.full((len(rated) + 1, column.max() + 2), -1)
    codes_by_year[row, column] = values.cat.codes
    return _RatingTable(rated, int(years.min()), codes_by_year, values.dtype)


def of(state: str, year: int, measure: str = "fiw") -> str | None:
    """How was this state rated in this year?

    Parameters
    ----------
    state
        A code or a name, as tables are read.
    year
        The year under review (a Freedom House edition minus 1), 1990-2024.
    measure
        "fiw": NF, PF or F; "row": 0 to 3; "lied": 0 to 6.

    Returns
    -------
    str or None
        The value as text, see `scale`; None where the measure does not rate the state or the
        tables do not ship it.

    Raises
    ------
    ParameterError
        For an unknown state or measure, naming the nearest.

    Examples
    --------
    >>> of("RUS", 2021), of("KGZ", 2019), of("KGZ", 2020), of("UZB", 2013, "row")
    ('NF', 'PF', 'NF', '1')
    """
    state = states_meant("state", state)[0]
    return _ratings(_code(measure)).get((state, int(year)))


def at_or_below(measure: str, cutoff: str | int) -> list[str]:
    """Which values count as authoritarian: the cut-off and everything less free.

    Parameters
    ----------
    measure, cutoff
        "fiw" with "NF" (Not Free) or "PF" (not Free); "row" with 0, 1 or 2; "lied" with 0 to 5.

    Raises
    ------
    ParameterError
        Where the cut-off is not on the scale, or is its top (then every state would count).

    Examples
    --------
    >>> at_or_below("fiw", "PF"), at_or_below("row", 1)
    (['NF', 'PF'], ['0', '1'])
    """
    measure = _code(measure)
    values = scale(measure)
    labels = codes("regime_value")
    allowed = {value: labels[value] for value in values[:-1]}
    value = spelt(str(cutoff), allowed)
    require(f"cut-off of {measure}", value, allowed)
    return values[: values.index(value) + 1]


@takes_dataset
def add_regime(incidents: pd.DataFrame, measure: str = "fiw", of: str = "host") -> pd.DataFrame:
    """Which regime had the host (or origin) of each incident in its year?

    Parameters
    ----------
    incidents
        A frame with `year` and the state column.
    measure
        "fiw", "row" or "lied".
    of
        The state column: "host" or "origin".

    Returns
    -------
    DataFrame
        A new frame with the same rows and two columns more, named for `of` and `measure`:
        `host_fiw` (ordered categorical, least free first) and `host_fiw_note` ("matched", "no
        state", "no year", "not rated"), which `unmatched` sums up.

    Raises
    ------
    ParameterError
        For an unknown measure or state column.

    Notes
    -----
    A table with ratings by V-Dem ("row") stays under CC BY-SA 4.0 and names V-Dem where it goes on.

    Examples
    --------
    >>> import capelib as cape
    >>> rated = add_regime(cape.load().where(origin="TJK", years=(2015, 2015)).incidents)
    >>> rated["host_fiw"].value_counts().to_dict()
    {'NF': 9, 'PF': 5, 'F': 1}
    """
    require("state column", of, ("host", "origin"))
    measure = _code(measure)
    column = f"{of}_{measure}"
    state = incidents[of]
    year = incidents["year"].astype("Int64")
    values = _rating_table(measure).values(state, year)
    matched, *reasons = range(len(KINDS))
    note = np.select([state.isna(), year.isna(), values.isna()], reasons, matched)
    notes = pd.Categorical.from_codes(note, KINDS)
    return incidents.assign(**{column: values, f"{column}_note": notes})


def unmatched(rated: pd.DataFrame, measure: str = "fiw", of: str = "host") -> pd.DataFrame:
    """Which incidents got no regime, and why?

    Parameters
    ----------
    rated
        A frame from `add_regime`.
    measure, of
        As given to `add_regime`.

    Returns
    -------
    DataFrame
        One row a reason, state and year: `reason`, the state column, `year`, `incidents` (their
        number).

    Raises
    ------
    ParameterError
        Where the frame does not come from `add_regime` with this measure and state column.

    Examples
    --------
    >>> import capelib as cape
    >>> rated = add_regime(cape.load().where(origin="TJK", years=(2015, 2015)).incidents)
    >>> int(unmatched(rated)["incidents"].sum())
    6
    """
    measure = _code(measure)
    note = f"{of}_{measure}_note"
    if note not in rated:
        raise ParameterError(
            f"the frame has no column {note}: "
            f"call add_regime(incidents, measure={measure!r}, of={of!r}) first"
        )
    rows = rated[rated[note] != MATCHED].astype({note: "str"}).rename(columns={note: "reason"})
    groups = rows.groupby(["reason", of, "year"], dropna=False)
    return groups.size().rename("incidents").reset_index()


def is_authoritarian(values: pd.Series, measure: str, cutoff: str | int) -> pd.Series:
    """Does each regime value count as authoritarian?

    Parameters
    ----------
    values
        Values of the measure, missing where a state is not rated.
    measure, cutoff
        The definition, see `at_or_below`.

    Returns
    -------
    Series
        boolean: True, False, or missing where there is no value.

    Examples
    --------
    >>> is_authoritarian(pd.Series(["NF", "PF", None]), "fiw", "NF").tolist()
    [True, False, <NA>]
    """
    return values.isin(at_or_below(measure, cutoff)).astype("boolean").mask(values.isna())


def sentence(measure: str, cutoff: str | int) -> str:
    """What does a definition of "authoritarian" say, in words for titles and limits?

    Parameters
    ----------
    measure, cutoff
        The definition, see `at_or_below`.

    Examples
    --------
    >>> sentence("fiw", "NF")
    'Freedom in the World: Not Free'
    >>> sentence("row", 1)
    'Regimes of the World: autocracies (<= 1)'
    """
    counted = at_or_below(measure, cutoff)
    labels = codes("regime_value")
    values = " or ".join(labels[value] for value in counted)
    up_to = codebook()["codes"]["regime_measure"][_code(measure)].get("up_to", {})
    values = up_to.get(counted[-1], values)
    return _entry(measure, "phrase").format(values=values, cutoff=counted[-1])
