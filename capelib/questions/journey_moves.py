"""From which host to which did exiles move, and to freer states? Counts are of persons."""

import numpy as np
import pandas as pd

from capelib.errors import ParameterError
from capelib.questions.host_order import share_or_none
from capelib.questions.journey_hosts import OTHER
from capelib.reference import regimes

LEAST_MOVES = 3  # a move that fewer exiles made is never named: it would point at a person


def moves(incidents: pd.DataFrame, least: int = LEAST_MOVES, certain: bool = True) -> pd.DataFrame:
    """From which host to which did exiles move? Counted in persons, the most frequent first.

    Parameters
    ----------
    incidents
        From `stays`.
    least
        Pairs of hosts with fewer exiles are pooled into one last row ("other", "other"); 1 or more.
    certain
        True counts only moves whose order is certain.

    Returns
    -------
    DataFrame
        `from`, `to` (state codes), `exiles` (persons; in the pooled row, persons with any of its
        moves), `pairs` (of hosts).

    Raises
    ------
    ParameterError
        For `least` below 1.
    """
    if least < 1:
        raise ParameterError(f"least must be 1 or more, not {least}")
    counted = incidents["certain"].fillna(False).astype(bool) | (not certain)
    rows = incidents[incidents["came_from"].notna() & counted].rename(
        columns={"came_from": "from", "host": "to"}
    )
    pairs = rows.groupby(["from", "to"])["exile_id"].nunique().rename("exiles").reset_index()
    pairs = pairs.sort_values(["exiles", "from", "to"], ascending=[False, True, True])
    rare = pairs["exiles"] < least
    shown = pairs[~rare].assign(pairs=1)
    if rare.any():
        persons = rows.merge(pairs.loc[rare, ["from", "to"]])["exile_id"].nunique()
        shown.loc[len(pairs)] = [OTHER, OTHER, persons, int(rare.sum())]
    return shown.reset_index(drop=True).astype({"exiles": "int64", "pairs": "int64"})


def directions(incidents: pd.DataFrame, cluster: pd.Series, measure: str = "fiw") -> pd.DataFrame:
    """Do exiles move to freer states? Certain moves by the ratings of both hosts on arrival.

    Parameters
    ----------
    incidents
        From `stays`.
    cluster
        By exile_id, who was reported together: see `capelib.estimators.clusters.linked`. Moves of
        one exile belong together too.
    measure
        A regime measure, see `cape.regimes.scale`; ratings are those of the year of arrival on
        record.

    Returns
    -------
    DataFrame
        `direction` ("to a freer state", "to one rated alike", "to a less free state"), `moves`, `n`
        (certain moves with both ratings), `share`, `low`, `high` (missing where n is 0, the
        interval where there are too few clusters).
    """
    values = regimes.scale(measure)
    certain = incidents[incidents["certain"].fillna(False).astype(bool)]
    changes, exiles = [], []
    for move in certain.itertuples():
        year = int(move.year)
        left = regimes.of(move.came_from, year, measure)
        reached = regimes.of(move.host, year, measure)
        if left and reached:
            changes.append(values.index(reached) - values.index(left))
            exiles.append(move.exile_id)
    freer = np.array(changes, dtype=int)
    kinds = {
        "to a freer state": freer > 0,
        "to one rated alike": freer == 0,
        "to a less free state": freer < 0,
    }
    rows = [
        {"direction": words, **share_or_none(pd.Series(holds), cluster.reindex(exiles).array)}
        for words, holds in kinds.items()
    ]
    return pd.DataFrame(rows).rename(columns={"k": "moves"})
