"""Tables of counts, in which a row stands for several incidents, are refused."""

import numpy as np
import pandas as pd

from capelib.clean.matching import Match
from capelib.clean.persons import whole_numbers
from capelib.errors import DataError
from capelib.meaning.codes import coded
from capelib.meaning.counts import counts_incidents, is_year
from capelib.meaning.nobody import nobody
from capelib.meaning.persons import is_name_column
from capelib.meaning.state_names import states
from capelib.read.sheet import Sheet
from capelib.vocabulary.text import bare

_MOST_SHOWN = 4  # headers
_NUMBERED = 5  # so many numbers that only rise, or go on by one, are those of rows or cases


def refuse_counts(sheet: Sheet, match: Match, place: str) -> None:
    """Refuses a table whose numbers say how many incidents a row stands for.

    Such a table has a column of whole numbers called n, count, cases and the like, or two columns
    or more called by years, by states or by measures. It is none where its rows name persons, and
    where a layout drops the columns.

    Raises
    ------
    DataError
        Names the columns and the ways out.
    """
    dropped = {bare(header) for header in match.layout.drop}
    names = [str(name) for name in sheet.frame.columns]
    free = [name for name in names if name not in match.certainty and bare(name) not in dropped]
    years = [name for name in free if is_year(name) and _holds_counts(sheet.frame[name])]
    counts = [name for name in free if counts_incidents(name) and _holds_counts(sheet.frame[name])]
    if len(years) < 2:
        years = []
    columns = years or counts or _crossed(sheet.frame, [*names] if match.layout.shipped else free)
    if not columns or _names_persons(sheet.frame, match):
        return
    shown = ", ".join(" ".join(name.split()) for name in columns[:_MOST_SHOWN])
    more = f" and {len(columns) - _MOST_SHOWN} more" if len(columns) > _MOST_SHOWN else ""
    holds = "hold" if len(columns) > 1 else "holds"
    plural = "s" if len(columns) > 1 else ""
    dropping = ", ".join(f'"{name}"' for name in columns[:_MOST_SHOWN])
    raise DataError(
        f"{place}: the column{plural} {shown}{more} {holds} whole numbers: is this a table of "
        "counts, in which a row stands for several incidents? Give each incident a row of its own; "
        f"if each row is one incident, take the column{plural} out, or write drop = [{dropping}] "
        "in a layout of your own (--layout)"
    )


def _crossed(frame: pd.DataFrame, names: list[str]) -> list[str]:
    """The columns of a cross table: two or more that are called by states, or by measures."""
    of_numbers = [name for name in names if _holds_counts(frame[name])]
    if not of_numbers:
        return []
    numbers = [name for name in names if whole_numbers(frame[name]) is not None]
    if len(numbers) < 2:
        return []
    headers = pd.Series(numbers, dtype="str")
    for read in (states(headers), coded(headers, "measure")):
        known = headers[read["problem"].isna() & read["value"].notna()].tolist()
        if len(known) > 1 and not set(known).isdisjoint(of_numbers):
            return known
    return []


def _holds_counts(cells: pd.Series) -> bool:
    """Whole numbers, of which one at least is above 1, and that do not only number the rows."""
    numbers = whole_numbers(cells)
    if numbers is None:
        return False
    values = numbers.dropna().to_numpy()
    if len(values) == 0 or values.max() <= 1:
        return False
    return not _numbers_rows(values)


def _numbers_rows(values: np.ndarray) -> bool:
    """Do these only number the rows, the cases, or the rows of each group from 1 on?"""
    if len(values) > 1 and np.array_equal(values, np.arange(1, len(values) + 1)):
        return True
    if len(values) < _NUMBERED:
        return False
    steps = np.diff(values)
    goes_on = (steps == 0) | (steps == 1) | (values[1:] == 1)
    from_one = values[0] == 1 and values.max() > 2
    return bool((steps > 0).all() or (from_one and goes_on.all()))


def _names_persons(frame: pd.DataFrame, match: Match) -> bool:
    """Do most rows name the person, by a name or a key? Then each is about one case."""
    keys = [header for header, column in match.columns.items() if column == "exile_id"]
    columns = [str(name) for name in frame.columns if is_name_column(str(name))]
    for name in [*keys, *columns]:
        words = frame[name].dropna()
        distinct = pd.Series(words.unique(), dtype="str")
        of_letters = distinct.str.contains(r"[^\W\d_]").fillna(False).to_numpy(dtype=bool)
        named = distinct[~nobody(distinct).nameless & (of_letters | (name in keys))]
        if words.isin(named).sum() > len(frame) / 2:
            return True
    return False
