"""Which incidents name Interpol, and where are exiles held with Interpol named and without?"""

import pandas as pd

from capelib.dataset import takes_dataset
from capelib.estimators.clusters import clustered, linked
from capelib.estimators.shares import Share
from capelib.reference import regimes
from capelib.vocabulary.tables import states

LATER = {"held": 2, "ended or attacked": 3}  # stages after being on notice
GROUPS = ["Interpol reported", "Interpol reported apart from the arrest", "Interpol not reported"]
FEWEST = 3  # persons in a host that a table names
SHARE = [*Share._fields, "clusters"]


@takes_dataset
def named(incidents: pd.DataFrame) -> pd.Series:
    """Does the incident report that Interpol was used: as a notice, or beside another measure?

    Parameters
    ----------
    incidents
        A frame with `measure` and `interpol`.

    Returns
    -------
    Series
        True or False; False is "not reported", never "no".

    Examples
    --------
    >>> import capelib as cape
    >>> int(named(cape.load().where(origin=cape.CENTRAL_ASIA).incidents).sum())
    84
    """
    return (incidents["measure"] == "red_notice") | incidents["interpol"].fillna(False).astype(bool)


@takes_dataset
def held_where(joined: pd.DataFrame, measure: str = "fiw") -> pd.DataFrame:
    """Where are exiles with Interpol named held? Persons by host, with its rating in the year.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    measure
        Whose rating, see `cape.regimes.add_regime`.

    Returns
    -------
    DataFrame
        `host` (a name, "others" or "not stated"), `rating` (in the year of the arrest; "not known"
        without host, year or rating, "all" for others), `held` (persons), `interpol_named` (persons
        of whom the report on the arrest itself names Interpol). An exile counts once in each row.
        Hosts (with one rating) of fewer than 3 persons are put together, so that no row points to
        one person.
    """
    rows = regimes.add_regime(joined, measure, "host")
    marked = rows["exile_id"].isin(rows.loc[named(rows), "exile_id"])
    rows = rows[marked & (rows["stage"].astype("int64") == LATER["held"])]
    host = rows["host"].map(states()).fillna("not stated")
    rating = rows[f"host_{measure}"].astype("str").fillna("not known")
    few = rows["exile_id"].groupby([host, rating]).transform("nunique").lt(FEWEST)
    cells = pd.DataFrame(
        {
            "host": host.mask(few, "others"),
            "rating": rating.mask(few, "all"),
            "exile_id": rows["exile_id"],
            "named": named(rows),
        }
    )
    exiles = cells.groupby(["host", "rating", "exile_id"], as_index=False)["named"].max()
    table = exiles.groupby(["host", "rating"], as_index=False).agg(
        held=("exile_id", "size"), interpol_named=("named", "sum")
    )
    table = table.astype({"held": "int64", "interpol_named": "int64"})
    return table.sort_values(["held", "host"], ascending=[False, True]).reset_index(drop=True)


@takes_dataset
def held_by_regime(joined: pd.DataFrame, measure: str = "fiw") -> pd.DataFrame:
    """In what kind of state are exiles held for the first time, with Interpol named and without?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives. An exile counts once, by the first dated detention or
        conviction with a rated host; the others are left out.
    measure
        Whose rating, see `cape.regimes.scale`.

    Returns
    -------
    DataFrame
        `group`, `rating`, `k`, `n`, `share`, `low`, `high` (fractions), `clusters` (exiles reported
        together); no interval where there are too few.
    """
    rated = regimes.add_regime(joined, measure, "host")
    held = (rated["stage"].astype("int64") == LATER["held"]) & rated[f"host_{measure}"].notna()
    rated = rated[held].sort_values(["date_start", "date_end"], kind="stable")
    rated = rated.drop_duplicates("exile_id")
    marked = rated["exile_id"].isin(joined.loc[named(joined), "exile_id"])
    rated = rated.assign(cluster=rated["exile_id"].map(linked(joined)))
    rows = []
    for group, part in ((GROUPS[0], rated[marked]), (GROUPS[2], rated[~marked])):
        for value in regimes.scale(measure) if len(part) else []:
            share = clustered(part[f"host_{measure}"] == value, part["cluster"])
            rows.append({"group": group, "rating": value, **share._asdict()})
    return pd.DataFrame(rows, columns=["group", "rating", *SHARE])
