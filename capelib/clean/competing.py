"""Which of several headers for one of our columns is the one: judged by their words and cells."""

from collections.abc import Collection, Sequence

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
HARDLY_ANY = 0.1  # of the cells of a column "who" are kinds of persons: then they may be names
AGREE = 0.9  # share of rows in which two columns of dates do not contradict each other
BY_WORDS, BY_PLACE = 0.8, 0.6  # how sure a choice by the words of headers is, or by their place
IS_DATES = 0.85  # that a column of a stage which holds dates is the date of that stage


def readable(cells: pd.Series, column: str) -> float:
    """The share of the distinct cells that one of our columns could hold; 0 where all are blank."""
    distinct = cells.dropna().drop_duplicates().iloc[:MOST].astype("str").reset_index(drop=True)
    if distinct.empty:
        return 0.0
    return float(_values(distinct, column).notna().mean())


def holds_dates(cells: pd.Series) -> bool:
    """Does a column that should hold the measures of a stage hold its dates?"""
    dates = readable(cells, "date")
    return dates >= LIES_FAR_BEHIND and dates > max(
        readable(cells, "measure"), readable(cells, "is_group")
    )


def holds_answers(cells: pd.Series) -> bool:
    """Does a column hold nothing but yes and no, as words or as 1 and 0?"""
    distinct = cells.dropna().drop_duplicates().iloc[:MOST].astype("str").reset_index(drop=True)
    return bool(len(distinct)) and bool(yes(distinct)["problem"].isna().all())


def may_name_persons(header: str, frame: pd.DataFrame, general: Collection[str]) -> bool:
    """Does a header such as "who" stand over cells that are no kinds of persons, so over names?

    general: headers that say less than others, as `bare` gives them.
    """
    cells = frame[header]
    says_little = bare(header.rpartition(" / ")[2]) in general
    return says_little and cells.notna().any() and readable(cells, "category") < HARDLY_ANY


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
        leftmost; where the columns agree that is certain, and of dates the more exact one is taken.
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
    agreeing = True
    for other in left:
        if other == best:
            continue
        agree, finer = _compared(frame[best], frame[other], column)
        agreeing &= agree
        if agree and finer:
            best = other
    if agreeing:
        return best, 1.0
    return best, BY_WORDS if len(special) == 1 else BY_PLACE


def _compared(cells: pd.Series, others: pd.Series, column: str) -> tuple[bool, bool]:
    """Do two columns agree, and is the other one more exact, as only dates can be?"""
    pairs = pd.DataFrame({"cells": cells, "others": others}).dropna().drop_duplicates().iloc[:MOST]
    one, other = (_values(pairs[name].reset_index(drop=True), column) for name in pairs)
    known = (one.notna() & other.notna()).to_numpy()
    if not known.any():
        return False, False
    one, other = one[known].reset_index(drop=True), other[known].reset_index(drop=True)
    if column != "date":
        return float((one == other).mean()) >= AGREE, False
    first, second = edtf.bounds(one), edtf.bounds(other)
    meet = (first["date_start"] <= second["date_end"]) & (second["date_start"] <= first["date_end"])
    lengths = [(days["date_end"] - days["date_start"]).mean() for days in (first, second)]
    return float(meet.mean()) >= AGREE, bool(lengths[1] < lengths[0])


def _values(cells: pd.Series, column: str) -> pd.Series:
    """What one of our columns would hold of these cells; missing where they cannot be read."""
    if column == "date":
        read = written_dates(cells)
    elif column in STATES:
        read = states(cells)
    elif column in CODED:
        read = coded(cells, column)
    elif column in YES:
        read = yes(cells)
    else:
        return cells
    return read["value"].mask(read["problem"].notna())
