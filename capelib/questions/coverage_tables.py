"""What is on record, by year, state and kind of source: how exactly dated, and where blank?"""

import numpy as np
import pandas as pd

from capelib.dataset import takes_dataset
from capelib.estimators.clusters import cluster_of, clustered, clustered_difference, linked
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.shipped import table
from capelib.vocabulary.tables import states

PRECISION = {
    "day": "a day",
    "month": "a month",
    "year": "a year",
    "other": "an interval",
    "undated": "no date",
}
BLANKS = ("host", "date", "attribution", "relatives_targeted", "interpol")


def _precision(rows: pd.DataFrame) -> pd.Series:
    """How exact is each date? A key of `PRECISION`."""
    exact = rows["precision"].astype("object").where(rows["date_start"].notna(), "undated")
    return exact.rename("precision")


@takes_dataset
def by_year(joined: pd.DataFrame, first_year: int, last_year: int) -> pd.DataFrame:
    """How many incidents of each year are on record, and how exactly are they dated?

    Parameters
    ----------
    joined
        Incidents.
    first_year, last_year
        Both included.

    Returns
    -------
    DataFrame
        `year`, and incidents dated to "a day", "a month", "a year", "an interval" within it.
    """
    counts = pd.crosstab(joined["year"], _precision(joined).map(PRECISION))
    years = pd.RangeIndex(first_year, last_year + 1, name="year")
    words = [word for key, word in PRECISION.items() if key != "undated"]
    return counts.reindex(index=years, columns=words, fill_value=0).reset_index()


@takes_dataset
def by_state(joined: pd.DataFrame, fewest: int = 15) -> pd.DataFrame:
    """What is known of each pursuing state's incidents?

    Parameters
    ----------
    joined
        Incidents.
    fewest
        States with fewer incidents are one row, "other states".

    Returns
    -------
    DataFrame
        By state (name): `incidents`, `exiles`, `sources`, `dated`, `to the day`, `host known`,
        `alleged`, `doubtful`, `interested` (shares of incidents; the last is of incidents from
        interested parties).
    """
    counts = joined["origin"].value_counts()
    large = counts.index[counts >= fewest]
    group = joined["origin"].where(joined["origin"].isin(large), "other")
    marks = pd.DataFrame(
        {
            "dated": joined["date_start"].notna(),
            "to the day": _precision(joined) == "day",
            "host known": joined["host"].notna(),
            "alleged": joined["attribution"].notna(),
            "doubtful": joined["doubtful"],
            "interested": joined["source_kind"] == "interested_party",
        }
    ).astype(float)
    sizes = joined.groupby(group).agg(
        incidents=("exile_id", "size"), exiles=("exile_id", "nunique"),
        sources=("source_id", "nunique"),
    )  # fmt: skip
    result = sizes.join(marks.groupby(group).mean())
    order = [*(state for state in counts.index if state in set(large)), "other"]
    result = result.reindex([state for state in order if state in result.index])
    return result.rename(index={**states(), "other": "other states"}).rename_axis("pursuing state")


@takes_dataset
def by_kind(joined: pd.DataFrame) -> pd.DataFrame:
    """Which kinds of source do incidents come from, and what do they know?

    Returns
    -------
    DataFrame
        By kind of source (in words): `incidents`, `sources`, `share`, `to the day`, `undated`,
        `host known`, `stage 3` (shares of the incidents of the kind).
    """
    kind = joined["source_kind"].astype("object").fillna("unknown")
    marks = pd.DataFrame(
        {
            "to the day": _precision(joined) == "day",
            "undated": joined["date_start"].isna(),
            "host known": joined["host"].notna(),
            "stage 3": joined["stage"].astype("int64") == 3,
        }
    ).astype(float)
    sizes = joined.groupby(kind).agg(
        incidents=("exile_id", "size"), sources=("source_id", "nunique")
    )
    result = sizes.assign(share=sizes["incidents"] / len(joined)).join(marks.groupby(kind).mean())
    result = result.sort_values("incidents", ascending=False)
    return result.rename(index=codes("kind")).rename_axis("kind of source")


def search_effort() -> pd.DataFrame:
    """How hard was each state of the comparison sample searched, and with which yield?

    Returns
    -------
    DataFrame
        One row a state (name): `queries` (rounds 1 and 2, and extra ones), `results` read, `new`
        incidents, `per_100` results. Of the states searched with the same questions only.
    """
    rows = table("search_effort")
    queries = ["queries_round1", "queries_round2", "queries_extra"]
    result = pd.DataFrame(
        {
            "state": rows["origin"].map(states()),
            "queries": rows[queries].sum(axis=1).astype(int),
            "results": rows["results_read"].astype(int),
            "new": rows["new_all"].astype(int),
        }
    )
    result = result.assign(
        per_100=100 * result["new"] / result["results"].where(result["results"] > 0)
    )
    return result.sort_values("per_100", ascending=False).set_index("state")


@takes_dataset
def blanks(joined: pd.DataFrame) -> pd.DataFrame:
    """Where is the table blank, and is a blank chance? One row a column, shares by stage.

    Returns
    -------
    DataFrame
        By column: `blank` (share), `stage 1`, `stage 2`, `stage 3` (share blank at each), and
        `gap`, `low`, `high`: how much more often it is blank at stage 1 than at stages 2 and 3,
        with its 95 % interval (clusters). A blank is "not reported", never no.
    """
    stage = joined["stage"].astype("int64")
    cluster = cluster_of(joined)
    rows = {}
    for column in BLANKS:
        name = "date_start" if column == "date" else column
        blank = joined[name].isna()
        shares = {f"stage {number}": blank[stage == number].mean() for number in (1, 2, 3)}
        numbers = (np.nan, np.nan, np.nan)
        if stage.eq(1).any() and stage.gt(1).any():
            numbers = clustered_difference(blank, stage == 1, cluster)[:3]
        ends = dict(zip(("gap", "low", "high"), numbers, strict=True))
        rows[column] = {"blank": blank.mean(), **shares, **ends}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("column")


@takes_dataset
def marks(joined: pd.DataFrame) -> pd.DataFrame:
    """How many incidents are doubtful, alleged or told by interested parties; how do they differ?

    Returns
    -------
    DataFrame
        One row a mark: `incidents`, `exiles`, `share` of all incidents with `low`, `high` (95 %,
        clusters), `stage 3` (share among them), `stage 3, others`.
    """
    cluster = joined["exile_id"].map(linked(joined))
    third = joined["stage"].astype("int64") == 3
    kinds = {
        "doubtful": joined["doubtful"].astype(bool),
        "alleged": joined["attribution"].notna(),
        "interested party as source": joined["source_kind"].eq("interested_party").fillna(False),
        "CAPE's own page as source": joined["source_kind"].eq("cape").fillna(False),
    }
    rows = {}
    for words, marked in kinds.items():
        share = clustered(marked.astype(bool), cluster)
        rows[words] = {
            "incidents": int(marked.sum()),
            "exiles": joined.loc[marked, "exile_id"].nunique(),
            "share": share.share,
            "low": share.low,
            "high": share.high,
            "stage 3": third[marked].mean(),
            "stage 3, others": third[~marked].mean(),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("mark")
