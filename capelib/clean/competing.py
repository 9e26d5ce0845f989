"""Which of several headers for one of our columns is the one: judged by their words and cells."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from capelib.meaning.codes import coded
from capelib.meaning.free_text_dates import written_dates
from capelib.meaning.state_names import states
from capelib.meaning.yes_no import yes
from capelib.vocabulary import edtf
from capelib.vocabulary.text import bare

MOST = 100  # distinct cells of a column that are looked at
CODED = ("measure", "category", "attribution", "kind")
STATES = ("origin", "host")
YES = ("relatives_targeted", "interpol", "doubtful", "is_group")
LIES_FAR_BEHIND = 0.5  # of the share of readable cells of the best: then a header is out
AGREE = 0.9  # share of rows in which two columns of dates do not contradict each other
BY_WORDS, BY_PLACE = 0.8, 0.6  # how sure a choice by the words of headers is, or by their place
IS_DATES = 0.85  # that a column of a stage which holds dates is the date of that stage


def readable(cells: pd.Series, column: str) -> float:
    """The share of the distinct cells that one of our columns could hold; 0 where all are blank."""
    distinct = cells.dropna().drop_duplicates().iloc[:MOST].astype("str").reset_index(drop=True)
    if distinct.empty:
        return 0.0
    if column == "date":
        read = written_dates(distinct)
    elif column in STATES:
        read = states(distinct)
    elif column in CODED:
        read = coded(distinct, column)
    elif column in YES:
        read = yes(distinct)
    else:
        return 1.0
    return float((read["problem"].isna() & read["value"].notna()).mean())


def holds_dates(cells: pd.Series) -> bool:
    """Does a column that should hold the measures of a stage hold its dates?"""
    dates = readable(cells, "date")
    return dates >= LIES_FAR_BEHIND and dates > max(
        readable(cells, "measure"), readable(cells, "is_group")
    )


def chosen(
    headers: Sequence[str], column: str, frame: pd.DataFrame | None, general: Collection[str]
) -> tuple[str, float]:
    """Which of several headers stands for a column, and how sure is that?

    Parameters
    ----------
    headers
        As they stand in the table, from left to right.
    column
        One of our columns.
    frame
        The cells; None where they are not known: then the first header is taken.
    general
        Headers, as `bare` gives them, that say less than others: "year" or "country".

    Returns
    -------
    (str, float)
        First of all its cells must be readable. Then the header that says more is taken, then the
        leftmost. Of two columns of dates that agree it is the more exact one.
    """
    if len(headers) == 1 or frame is None:
        return headers[0], 1.0
    shares = {header: readable(frame[header], column) for header in headers}
    least = LIES_FAR_BEHIND * max(shares.values())
    left = [header for header in headers if shares[header] >= least]
    if len(left) == 1:
        return left[0], 1.0
    special = [header for header in left if bare(header.rpartition(" / ")[2]) not in general]
    best = (special or left)[0]
    if column != "date":
        return best, BY_WORDS if len(special) == 1 else BY_PLACE
    agreeing = True
    for other in left:
        if other != best:
            agree, finer = _compared(frame[best], frame[other])
            if agree and finer:
                best = other
            agreeing &= agree
    if agreeing:
        return best, 1.0
    return best, BY_WORDS if len(special) == 1 else BY_PLACE


def _compared(dates: pd.Series, others: pd.Series) -> tuple[bool, bool]:
    """Do two columns of dates agree, and is the other one more exact?"""
    both = pd.DataFrame({"dates": dates, "others": others}).dropna().drop_duplicates().iloc[:MOST]
    if both.empty:
        return False, False
    spans = {}
    for name in both:
        read = written_dates(both[name].reset_index(drop=True))
        spans[name] = edtf.bounds(read["value"].mask(read["problem"].notna()))
    one, other = spans["dates"], spans["others"]
    known = (one["date_start"].notna() & other["date_start"].notna()).to_numpy()
    if not known.any():
        return False, False
    meet = (one["date_start"] <= other["date_end"]) & (other["date_start"] <= one["date_end"])
    lengths = [(each["date_end"] - each["date_start"])[known].mean() for each in (one, other)]
    agree = float(np.mean(meet.to_numpy()[known])) >= AGREE
    return agree, bool(lengths[1] < lengths[0])
