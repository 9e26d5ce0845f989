"""Every pursuing state, possible host and year: the cells of the count models of corridors."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from capelib.questions.displaced_ratios import people_of
from capelib.questions.membership_shares import ORGANISATIONS, counted, fellow
from capelib.reference import regimes


def panel(
    incidents: pd.DataFrame,
    hosts: Iterable[str],
    first_year: int,
    last_year: int,
    unit: str = "episode",
    measure: str = "fiw",
    cutoff: str | int = "NF",
) -> pd.DataFrame:
    """How many incidents lie in each cell: pursuing state, possible host and year?

    Parameters
    ----------
    incidents
        Of the states and stages asked about.
    hosts
        See `possible_hosts`.
    first_year, last_year
        Both included.
    unit
        As for `counted`.
    measure, cutoff
        Which hosts count as authoritarian, see `cape.regimes.at_or_below`.

    Returns
    -------
    DataFrame
        `origin`, `host`, `corridor` ("UZB to RUS"), `year`, `n` (int64), CIS, CSTO, SCO and "any of
        the three" (bool: both members in that year), `authoritarian` (the host; nullable boolean,
        missing where not rated), `displaced` (Float64: logarithm to base 2 of the displaced people
        of the origin, so that one more is twice as many; missing where no count ships).

    Examples
    --------
    >>> import capelib as cape
    >>> rows = cape.load().where(origin="UZB", stage=[2, 3]).incidents
    >>> cells = panel(rows, ["KAZ", "RUS", "UZB"], 2006, 2012)
    >>> len(cells), int(cells["n"].sum()), int(cells["CSTO"].sum())
    (14, 61, 14)
    """
    origins = sorted(incidents["origin"].unique())
    cells = empty_cells(origins, hosts, (first_year, last_year), measure, cutoff)
    return filled(cells, places(cells, counted(incidents, unit)))


def empty_cells(
    origins: Sequence[str],
    hosts: Iterable[str],
    period: tuple[int, int],
    measure: str,
    cutoff: str | int,
) -> pd.DataFrame:
    """The cells of a panel without their counts, indexed by origin, host and year.

    This is most of the work, and the same for every choice of incidents.
    """
    values = [origins, sorted(hosts), range(period[0], period[1] + 1)]
    keys = pd.MultiIndex.from_product(values, names=["origin", "host", "year"])
    keys = keys[keys.get_level_values("origin") != keys.get_level_values("host")]
    cells = regimes.add_regime(fellow(keys.to_frame(index=False)), measure, "host")
    people = pd.DataFrame([people_of(origin) for origin in keys.levels[0]])
    people = people.reindex(columns=keys.levels[2]).to_numpy("float64")
    logs = np.log2(people, where=people > 0, out=np.full(people.shape, np.nan))
    logs_of_cells = logs[keys.codes[0], keys.codes[2]]
    cells = cells.assign(
        corridor=cells["origin"] + " to " + cells["host"],
        authoritarian=regimes.is_authoritarian(cells[f"host_{measure}"], measure, cutoff),
        displaced=pd.Series(logs_of_cells, index=cells.index).astype("Float64"),
    )
    return cells.set_index(keys)


def places(cells: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """In which of the cells of `empty_cells` does each row lie? -1 where it lies in none."""
    return cells.index.get_indexer(pd.MultiIndex.from_frame(rows[["origin", "host", "year"]]))


def coded(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with origins and hosts as categories, which models and filters read faster."""
    return cells.astype({"origin": "category", "host": "category"})


def filled(cells: pd.DataFrame, place: np.ndarray) -> pd.DataFrame:
    """The cells of `empty_cells` with the number of rows in each, `n`; place: from `places`."""
    table = cells.reset_index(drop=True)
    table.insert(3, "n", np.bincount(place[place >= 0], minlength=len(cells)))
    return table


def overlap(cells: pd.DataFrame) -> pd.DataFrame:
    """Can the three organisations be told apart? What each combination of memberships holds.

    Parameters
    ----------
    cells
        From `panel`.

    Returns
    -------
    DataFrame
        `shared` ("CIS + CSTO", "none"), `cells`, `hosts`, `corridors`, `incidents`, the largest
        first.
    """
    shared = []
    for row in cells[list(ORGANISATIONS)].to_numpy():
        names = [name for name, held in zip(ORGANISATIONS, row, strict=True) if held]
        shared.append(" + ".join(names) or "none")
    table = (
        cells.assign(shared=pd.Series(shared, index=cells.index, dtype="str"))
        .groupby("shared")
        .agg(
            cells=("n", "size"),
            hosts=("host", "nunique"),
            corridors=("corridor", "nunique"),
            incidents=("n", "sum"),
        )
    )
    return table.sort_values("cells", ascending=False, kind="stable").reset_index()
