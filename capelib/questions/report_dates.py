"""The last day on which an incident can have happened, by the date of the report that tells it."""

import pandas as pd

from capelib.vocabulary.edtf import bounds


def dated_by_reports(joined: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """The incidents, none of which can lie after the report that tells it.

    Parameters
    ----------
    joined
        Incidents as `Dataset.joined` gives.
    sources
        A frame with `source_id` and `published` (EDTF); without that column, nothing changes.

    Returns
    -------
    DataFrame
        The incidents with an earlier `date_end` where the last day on which the report can have
        been published lies before it, or where the incident has no date. A blank `date_start` stays
        blank: any day before the report is possible.

    Notes
    -----
    Assumes that a page was not changed after its date. Where the incident begins after that date,
    the page was, and nothing is taken from it.

    Examples
    --------
    >>> days = pd.to_datetime(["2015-01-01", None]), pd.to_datetime(["2015-12-31", None])
    >>> rows = pd.DataFrame({"source_id": "S1", "date_start": days[0], "date_end": days[1]})
    >>> report = pd.DataFrame({"source_id": ["S1"], "published": ["2015-03"]})
    >>> dated_by_reports(rows, report)["date_end"].astype(str).tolist()
    ['2015-03-31', '2015-03-31']
    """
    if "published" not in sources:
        return joined
    known = sources.dropna(subset="published").drop_duplicates("source_id")
    last = bounds(known["published"].astype("str"))["date_end"].to_numpy()
    published = joined["source_id"].map(pd.Series(last, known["source_id"].to_numpy()))
    published = pd.to_datetime(published).astype(joined["date_end"].dtype)
    earlier = published.notna() & ~(published < joined["date_start"])
    earlier &= joined["date_end"].isna() | (published < joined["date_end"])
    return joined.assign(date_end=joined["date_end"].mask(earlier, published))
