"""The main number of each notebook, under each exclusion: what would move it?"""

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.dataset import Dataset
from capelib.errors import TooFewCases
from capelib.estimators import periods
from capelib.estimators.clusters import cluster_of, clustered, clustered_difference
from capelib.estimators.counts import per_year
from capelib.estimators.shares import authoritarian_hosts
from capelib.estimators.trend_shapes import course
from capelib.questions.exiles import people, within
from capelib.questions.host_acts import acts_of_both_kinds, fellow_odds
from capelib.questions.host_order import abroad, of_period
from capelib.questions.interpol import compare_kinds
from capelib.questions.journey_hosts import reached
from capelib.questions.journeys import FORMER_SOVIET
from capelib.questions.relatives_by_exile import of_exiles
from capelib.questions.relatives_choices import host_gap
from capelib.questions.selections import kept

AS_IT_STANDS = "as it stands"
LEFT_OUT = ("doubtful", "alleged", "interested", "cape", "court", "groups", "relatives", "undated")


class Headline(NamedTuple):
    """One number of a notebook.

    Attributes
    ----------
    notebook
        Its number and name.
    words
        What the number is.
    unit
        "share", "difference" or "ratio".
    origins
        Does it speak of "TJK", of the five Central Asian states ("region"), or of "all"?
    estimate
        From incidents to value, low, high and n.
    """

    notebook: str
    words: str
    unit: str
    origins: str
    estimate: Callable[[pd.DataFrame], tuple[float, float, float, int]]


def _since_the_turn(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    counts = per_year(rows, 2001, 2024, "episode")
    return *map(float, course(counts).terms.loc["since the turn"]), int(counts["n"].sum())


def _change_of_hosts(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    chosen = rows[rows["stage"].isin([2, 3])]
    marked = authoritarian_hosts(chosen.assign(cluster=cluster_of(chosen)), "fiw", "NF")
    gap = periods.change(marked, (2014, 2020), (2021, 2021))
    return *gap[:3], gap.n


def _stage_3(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    exiles = people(within(rows, 1990, 2024))
    exiles = exiles[~exiles["is_group"]]
    share = clustered(exiles["stage"] == 3, exiles["cluster"])
    return share.share, share.low, share.high, share.n


def _relatives(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    gap = host_gap(of_exiles(rows)).gap
    if gap is None:
        raise TooFewCases("too few exiles on a side")
    return *gap[:3], gap.n


def _fellow_members(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    fit = fellow_odds(acts_of_both_kinds(rows, (2001, 2024)))
    row = fit.terms.iloc[0]
    return float(row["ratio"]), float(row["low"]), float(row["high"]), fit.n


def _interpol(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    table = compare_kinds(rows, ["held"])
    row = table.iloc[0]
    numbers = row[["difference", "difference_low", "difference_high"]]
    return *map(float, numbers), int(table["n"].iloc[[0, 2]].sum())


def _former_soviet(rows: pd.DataFrame) -> tuple[float, float, float, int]:
    pairs = reached(abroad(of_period(rows, 1990, 2024)))
    inside = pairs["host"].isin(FORMER_SOVIET)
    gap = clustered_difference(pairs["stage"] == 3, inside, pairs["corridor"])
    return *gap[:3], gap.n


HEADLINES = (
    Headline(
        "03 Targeting of Tajik exiles",
        "factor a year since growth seems to end",
        "ratio",
        "TJK",
        _since_the_turn,
    ),
    Headline(
        "04 Authoritarian hosts", "change of the share in 2021", "difference", "all",
        _change_of_hosts,
    ),
    Headline("05 Stages", "share of exiles at stage 3", "share", "region", _stage_3),
    Headline(
        "06 Relatives", "share in free hosts minus others", "difference", "region", _relatives
    ),
    Headline(
        "07 Corridors",
        "odds of an act that needs the host, fellow members",
        "ratio",
        "region",
        _fellow_members,
    ),
    Headline(
        "08 Interpol", "held, Interpol named minus not", "difference", "region", _interpol
    ),
    Headline(
        "09 Journeys",
        "returned or attacked, former Soviet space minus beyond",
        "difference",
        "region",
        _former_soviet,
    ),
)  # fmt: skip


def headlines(ds: Dataset, region: tuple[str, ...]) -> pd.DataFrame:
    """What does each notebook's main number become when a kind of incident is left out?

    Parameters
    ----------
    ds
        All that is loaded.
    region
        The states of the notebooks that speak of a region.

    Returns
    -------
    DataFrame
        `notebook`, `number`, `unit`, `choice`, `value`, `low`, `high` (95 %), `n`, and `turned`:
        True where the interval tells the number from none (0; of ratios 1) and that as it stands
        does not, or the other way round; of a share, where the intervals do not meet. Value and
        interval are missing with too few cases.

    Notes
    -----
    Each number is that of the notebook with its defaults, by the same estimator. The choices are
    those of `capelib.questions.selections`. Leaving something out is not always more right: court
    judgments are the best sources that there are, but of one kind of host.
    """
    joined = ds.joined()
    of_region = joined[joined["origin"].isin(region)]
    parts = {"all": joined, "region": of_region, "TJK": joined[joined["origin"] == "TJK"]}
    rows = []
    for headline in HEADLINES:
        part = parts[headline.origins]
        remaining = {AS_IT_STANDS: pd.Series(True, part.index), **kept(part, *LEFT_OUT)}
        for choice, remains in remaining.items():
            numbers: tuple = (np.nan, np.nan, np.nan, 0)
            with suppress(TooFewCases):
                numbers = headline.estimate(part[remains].reset_index(drop=True))
            rows.append((headline.notebook, headline.words, headline.unit, choice, *numbers))
    columns = ["notebook", "number", "unit", "choice", "value", "low", "high", "n"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(turned=_turned(table))


def _turned(table: pd.DataFrame) -> pd.Series:
    """The column `turned` of `headlines`."""
    none = table["unit"].map({"ratio": 1.0, "difference": 0.0})
    side = (table["low"] > none).astype(int) - (table["high"] < none).astype(int)
    stands = table["choice"] == AS_IT_STANDS
    first = side.where(stands).groupby(table["notebook"]).transform("first")
    low, high = (
        table[end].where(stands).groupby(table["notebook"]).transform("first")
        for end in ("low", "high")
    )
    apart = (table["low"] > high) | (table["high"] < low)
    turned = np.where(none.isna(), apart, side != first)
    return pd.Series(turned & table["low"].notna(), table.index)
