"""One row an exile: the highest stage on record, and the levels of origin and category."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.estimators.clusters import linked
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import states

FEWEST = 5  # exiles that a level needs to be shown, and a level or a stage to enter the model
SOURCES = 3  # clusters that a level needs


@takes_dataset
def within(joined: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """The incidents that lie in a period, and those without any date.

    Nothing says that an incident without a date lies outside.

    Parameters
    ----------
    joined
        Incidents with `date_start` and `date_end`.
    first_year, last_year
        Both included.
    """
    starts_after = joined["date_start"].dt.year >= first_year
    ends_before = joined["date_end"].dt.year <= last_year
    inside = (starts_after & ends_before) | joined["date_start"].isna()
    return joined[inside].reset_index(drop=True)


@takes_dataset
def people(joined: pd.DataFrame) -> pd.DataFrame:
    """What is the highest stage on record of each exile?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives. Groups are exiles too here (`is_group`); leave them out
        where persons are meant.

    Returns
    -------
    DataFrame
        One row an exile, in the order of the data: `exile_id`, `origin` (of the first row),
        `category`, `is_group` (bool), `stage` (int64, the highest), `incidents` (int64), `decade`
        (str: of the first dated incident, "1990s" or "unknown"), `cluster` (int64: exiles that
        share a source or an episode, directly or through others, have the same number; they are
        not independent).

    Examples
    --------
    >>> import capelib as cape
    >>> exiles = people(cape.load().where(origin="TJK").joined())
    >>> len(exiles), int((exiles["stage"] == 3).sum()), int(exiles["cluster"].nunique())
    (148, 69, 90)
    """
    number, exile_ids = pd.factorize(joined["exile_id"])
    about = joined.loc[~joined["exile_id"].duplicated(), ["origin", "category", "is_group"]]
    about = about.reset_index(drop=True).astype({"origin": "str", "category": "str"})
    stage = np.zeros(len(exile_ids), "int64")
    np.maximum.at(stage, number, joined["stage"].to_numpy("int64"))
    year = np.full(len(exile_ids), np.inf)
    np.minimum.at(year, number, joined["date_start"].dt.year.fillna(np.inf).to_numpy())
    decade = [f"{first // 10 * 10:.0f}s" if np.isfinite(first) else "unknown" for first in year]
    exiles = {
        "exile_id": exile_ids,
        "origin": about["origin"],
        "category": about["category"],
        "is_group": about["is_group"].astype(bool),
        "stage": stage,
        "incidents": np.bincount(number, minlength=len(exile_ids)),
        "decade": pd.Series(decade, dtype="str"),
        "cluster": linked(joined).to_numpy("int64"),
    }
    return pd.DataFrame(exiles)


def enough(cluster: pd.Series | np.ndarray) -> bool:
    """Do exiles with these clusters, one an exile, suffice for a share or a term of their own?

    Examples
    --------
    >>> enough(np.array([1, 1, 2, 3, 3])), enough(np.array([1, 1, 2, 2, 2]))
    (True, False)
    """
    return len(cluster) >= FEWEST and len(pd.unique(cluster)) >= SOURCES


def levels(exiles: pd.DataFrame | Mapping[str, np.ndarray], factor: str) -> dict[str, np.ndarray]:
    """Which levels of a factor occur, and which exiles are in each?

    Parameters
    ----------
    exiles
        One row an exile, with the column `factor`; or such columns by name.
    factor
        "category" (levels in the order of the codebook), or another column (in sorted order).

    Returns
    -------
    dict
        For each level, True for the exiles in it.

    Examples
    --------
    >>> exiles = pd.DataFrame({"origin": ["UZB", "TJK", "UZB"]})
    >>> {level: members.tolist() for level, members in levels(exiles, "origin").items()}
    {'TJK': [False, True, False], 'UZB': [True, False, True]}
    """
    values = np.asarray(exiles[factor], object)
    order = list(codes("category")) if factor == "category" else sorted(set(values))
    members = {level: values == level for level in order}
    return {level: inside for level, inside in members.items() if inside.any()}


def label(factor: str | None, level: str) -> str:
    """What is a level called in figures and tables?

    Examples
    --------
    >>> label("origin", "TJK"), label("category", "religious"), label("decade", "1990s")
    ('Tajikistan', 'Religious', '1990s')
    """
    if factor == "origin":
        return states().get(level, level)
    if factor == "category":
        return codes("category").get(level, level)
    return level
