"""Regime of a state in a year, on three scales, and "authoritarian" as a rule that the reader chooses."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from capelib.errors import ParameterError
from capelib.vocabulary.codebook import codebook, codes, require
from capelib.vocabulary.tables import states, table

KINDS = MATCHED, NO_STATE, NO_YEAR, NOT_RATED = "matched", "no state", "no year", "not rated"


def scale(measure: str) -> list[str]:
    """The values of a regime measure, from least to most free.

    measure: "fiw" (Freedom in the World status), "row" (Regimes of the World), "lied" (Lexical Index).

    >>> scale("fiw")
    ['NF', 'PF', 'F']
    """
    require("regime measure", measure, codes("regime_measure"))
    return codebook()["codes"]["regime_measure"][measure]["scale"]


@cache
def by_year() -> pd.DataFrame:
    """Every rated state-year: iso3 (str), year (int), measure (str), value (str), from the shipped spells, 1990-2024."""
    spells = table("regimes").astype({"measure": "str", "value": "str"})
    years = [
        range(first, last + 1)
        for first, last in zip(spells["first_year"], spells["last_year"], strict=True)
    ]
    return (
        spells.assign(year=years)
        .explode("year")
        .astype({"year": "int64"})[["iso3", "year", "measure", "value"]]
        .reset_index(drop=True)
    )


@cache
def _ratings(measure: str) -> pd.Series:
    """The values of a measure on its ordered scale, by state and year. Raises ParameterError for an unknown measure."""
    rows = by_year()
    rows = rows[rows["measure"] == measure].set_index(["iso3", "year"])
    return rows["value"].astype(pd.CategoricalDtype(scale(measure), ordered=True))


def of(state: str, year: int, measure: str = "fiw") -> str | None:
    """How was this state rated in this year? None where the measure does not rate it or the tables do not ship it.

    state: ISO 3166-1 alpha-3. year: the year under review (a Freedom House edition minus 1), 1990-2024.
    measure: "fiw" NF, PF or F; "row" 0-3; "lied" 0-6. Values are text on an ordered scale, see `scale`.
    Raises ParameterError for an unknown state or measure, naming the nearest.

    >>> of("RUS", 2021), of("KGZ", 2019), of("KGZ", 2020), of("UZB", 2013, "row")
    ('NF', 'PF', 'NF', '1')
    """
    require("state", state, states())
    return _ratings(measure).get((state, int(year)))


def at_or_below(measure: str, cutoff: str | int) -> list[str]:
    """The values that count as authoritarian: the cut-off and everything less free.

    measure, cutoff: "fiw" with "NF" (Not Free) or "PF" (not Free); "row" with 0, 1 or 2; "lied" with 0 to 5.
    Raises ParameterError where the cut-off is not on the scale, or is its top (then every state would count).

    >>> at_or_below("fiw", "PF"), at_or_below("row", 1)
    (['NF', 'PF'], ['0', '1'])
    """
    values = scale(measure)
    require(
        f"cut-off of {measure}",
        str(cutoff),
        {value: codes("regime_value")[value] for value in values[:-1]},
    )
    return values[: values.index(str(cutoff)) + 1]


def add_regime(incidents: pd.DataFrame, measure: str = "fiw", of: str = "host") -> pd.DataFrame:
    """The incidents with the regime of their host (or origin) in the incident's year, and a word on each row without one.

    incidents: a frame with `year` and the state column. measure: "fiw", "row" or "lied". of: "host" or "origin".
    Returns a new frame, same rows, with two columns more: `host_fiw` (ordered categorical, least free first) and
    `host_fiw_note` ("matched", "no state", "no year", "not rated"); the names follow `of` and `measure`.
    `unmatched` sums the second one up. Raises ParameterError for an unknown measure or state column.

    >>> import capelib as cape
    >>> rated = add_regime(cape.load().where(origin="TJK", years=(2015, 2015)).incidents)
    >>> rated["host_fiw"].value_counts().to_dict()
    {'NF': 8, 'PF': 5, 'F': 1}
    """
    require("state column", of, ("host", "origin"))
    column, state, year = f"{of}_{measure}", incidents[of], incidents["year"].astype("Int64")
    found = (
        _ratings(measure)
        .reindex(pd.MultiIndex.from_arrays([state, year.fillna(0).astype("int64")]))
        .array
    )
    note = np.select(
        [state.isna(), year.isna(), found.isna()], [NO_STATE, NO_YEAR, NOT_RATED], MATCHED
    )
    return incidents.assign(**{column: found, f"{column}_note": pd.Categorical(note, KINDS)})


def unmatched(rated: pd.DataFrame, measure: str = "fiw", of: str = "host") -> pd.DataFrame:
    """Which incidents got no regime, and why? One row a reason, state and year, with the number of incidents.

    rated: a frame from `add_regime`. Returns `reason`, the state column, `year`, `incidents`.

    >>> import capelib as cape
    >>> rated = add_regime(cape.load().where(origin="TJK", years=(2015, 2015)).incidents)
    >>> int(unmatched(rated)["incidents"].sum())
    6
    """
    note = f"{of}_{measure}_note"
    if note not in rated:
        raise ParameterError(
            f"the frame has no column {note}: call add_regime(incidents, measure={measure!r}, of={of!r}) first"
        )
    lost = rated[rated[note] != MATCHED].astype({note: "str"}).rename(columns={note: "reason"})
    return (
        lost.groupby(["reason", of, "year"], dropna=False).size().rename("incidents").reset_index()
    )


def is_authoritarian(values: pd.Series, measure: str, cutoff: str | int) -> pd.Series:
    """Does each regime value count as authoritarian? True, False, or missing where there is no value.

    >>> is_authoritarian(pd.Series(["NF", "PF", None]), "fiw", "NF").tolist()
    [True, False, <NA>]
    """
    return values.isin(at_or_below(measure, cutoff)).astype("boolean").mask(values.isna())


def sentence(measure: str, cutoff: str | int) -> str:
    """The rule in words, for titles and limits.

    >>> sentence("fiw", "NF")
    'Freedom in the World: Not Free'
    >>> sentence("row", 1)
    'Regimes of the World <= 1'
    """
    counted = at_or_below(measure, cutoff)
    label = codes("regime_measure")[measure]
    names: dict[str, Any] = codes("regime_value")
    return (
        f"{label}: {' or '.join(names[value] for value in counted)}"
        if measure == "fiw"
        else f"{label} <= {counted[-1]}"
    )
