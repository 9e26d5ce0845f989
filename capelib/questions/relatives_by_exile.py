"""One row an exile: are relatives reported as targeted, in which host was the exile, and when?"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from capelib.errors import DataError, ParameterError
from capelib.estimators.clusters import linked
from capelib.reference import regimes
from capelib.vocabulary.codebook import codebook, require

HOST_RULES = {
    "first": "the host of the exile's first dated incident with a rated host",
    "last": "the host of the exile's last dated incident with a rated host",
    "one only": "only exiles whose rated hosts are all free, or all not free",
}
KINDS = list(codebook()["analysis"]["measure_kinds"].values())
FREE, NOT_FREE = "free hosts", "other hosts"
_COLUMNS = [
    *("origin", "category", "is_group", "relatives", "period"),
    *("host", "rating", "side", "stage", "otherwise", "cluster"),
]


def targeted(incidents: pd.DataFrame) -> pd.Series:
    """Does the incident report that relatives were targeted, as its measure or by the mark?

    Returns
    -------
    Series
        True or False; False is "not reported", never "no".

    Examples
    --------
    >>> import capelib as cape
    >>> int(targeted(cape.load().where(origin="TJK").incidents).sum())
    75
    """
    marked = incidents["relatives_targeted"].fillna(False).astype(bool)
    return (incidents["measure"] == "relatives_targeted") | marked


def kind_of(incidents: pd.DataFrame) -> pd.Series:
    """What kind of measure is each incident, besides relatives?

    Returns
    -------
    Series
        Categorical, one of `KINDS` by the measure's entry in the codebook; missing for
        relatives_targeted itself.

    Raises
    ------
    DataError
        Where the codebook gives a measure no kind.

    Examples
    --------
    >>> kind_of(pd.DataFrame({"measure": ["relatives_targeted", "threat", "rendition"]})).tolist()
    [nan, 'put on notice otherwise', 'sent or taken back']
    """
    measures = incidents["measure"].astype("str")
    words = {measure: _kind_in_words(measure) for measure in measures.unique()}
    return pd.Series(pd.Categorical(measures.map(words), KINDS), index=incidents.index)


def _kind_in_words(measure: str) -> str | None:
    words = {**codebook()["analysis"]["measure_kinds"], "relatives": None}
    kind = codebook()["codes"]["measure"].get(measure, {}).get("kind")
    if kind not in words:
        raise DataError(
            f"data/codebook.toml: [codes.measure.{measure}] needs a kind: one of {', '.join(words)}"
        )
    return words[kind]


def period_of(years: pd.Series, split_years: Sequence[int]) -> pd.Series:
    """In which period does each year fall?

    Parameters
    ----------
    years
        Whole numbers; may be missing.
    split_years
        First year of each later period, rising.

    Returns
    -------
    Series
        Ordered categorical, in words; missing where the year is.

    Raises
    ------
    ParameterError
        For an empty list, or one that does not rise.

    Examples
    --------
    >>> period_of(pd.Series([2010, 2011, 2020]), [2011, 2016]).tolist()
    ['until 2010', '2011-2015', '2016 on']
    """
    starts = list(split_years)
    if not starts or starts != sorted(set(starts)):
        raise ParameterError(
            f"split_years must be years that rise, such as [2011, 2016], not {starts!r}"
        )
    middle = [
        str(start) if after - start == 1 else f"{start}-{after - 1}"
        for start, after in pairwise(starts)
    ]
    labels = [f"until {starts[0] - 1}", *middle, f"{starts[-1]} on"]
    return pd.cut(years.astype("float64"), [-np.inf, *starts, np.inf], right=False, labels=labels)


def of_exiles(
    joined: pd.DataFrame,
    split_years: Sequence[int] = (2011, 2016),
    measure: str = "fiw",
    cutoff: str | int = "PF",
    rule: str = "first",
) -> pd.DataFrame:
    """Are relatives of each exile reported as targeted, and what is known about the exile?

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    split_years
        First year of each later period.
    measure, cutoff
        Which hosts are not free, see `cape.regimes.at_or_below`.
    rule
        The host of an exile with several: "first" (of the first dated incident with a rated host),
        "last" (of the last), or "one only" (an exile whose rated hosts are not all on one side has
        no host).

    Returns
    -------
    DataFrame
        One row an exile: `exile_id`, `origin` (of the first row), `category`, `is_group`,
        `relatives` (bool), `period` (of the first dated incident), `host`, `rating` (of that host
        in the year of that incident), `side` ("free hosts", "other hosts" or missing), `stage` (the
        highest reached, 1 to 3), `otherwise` (bool: known for something else than
        relatives_targeted), `cluster` (see `capelib.estimators.clusters.linked`).

    Raises
    ------
    ParameterError
        For an unknown rule.

    Notes
    -----
    The rule looks at all incidents alike, so that the host does not depend on whether relatives are
    reported. Dates are ordered by their first possible day, then their last one, then as the rows
    stand.
    """
    marks = pd.DataFrame(
        {
            "relatives": targeted(joined),
            "stage": joined["stage"].astype("int64"),
            "otherwise": joined["measure"] != "relatives_targeted",
        }
    )
    persons = joined.groupby("exile_id")
    rows = persons[["origin", "category", "is_group"]].first()
    rows = rows.join(marks.groupby(joined["exile_id"]).max()).join(linked(joined))
    rows = rows.assign(period=period_of(persons["year"].min(), split_years))
    rows = rows.join(host_of_each(rated_hosts(joined, measure, cutoff), rule))
    return rows[_COLUMNS].reset_index()


def rated_hosts(joined: pd.DataFrame, measure: str, cutoff: str | int) -> pd.DataFrame:
    """Which incidents have a rated host, and on which side is it?

    Returns
    -------
    DataFrame
        `exile_id`, `host`, `rating`, `side`, the first dated incident first; the index is that of
        `joined`.
    """
    rows = joined[["exile_id", "host", "year", "date_start", "date_end"]]
    rows = regimes.add_regime(rows, measure, "host")
    rows = rows[rows[f"host_{measure}"].notna()]
    rows = rows.sort_values(["date_start", "date_end"], kind="stable")
    rating = rows[f"host_{measure}"].astype("str")
    side = np.where(rating.isin(regimes.at_or_below(measure, cutoff)), NOT_FREE, FREE)
    return rows[["exile_id", "host"]].assign(rating=rating, side=side)


def host_of_each(rated: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Which host counts for each exile, by a rule of `HOST_RULES`?

    Returns
    -------
    DataFrame
        `host`, `rating`, `side`, by `exile_id` (index); exiles without a host have no row.
    """
    require("host rule", rule, HOST_RULES)
    if rule == "one only":
        rated = rated[rated.groupby("exile_id")["side"].transform("nunique") == 1]
    keep = "last" if rule == "last" else "first"
    return rated.drop_duplicates("exile_id", keep=keep).set_index("exile_id")
