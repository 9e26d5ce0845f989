"""Dates of workbooks, as exact as they were typed: what the sheet shows of each decides it.

Whoever types "Mar 2015" into a spreadsheet program gets 1 March 2015, shown as Mar-15.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd

from capelib.read.sheet import Notes

MONTH, YEAR, NO_YEAR = "year and month", "year", "no year"  # what is shown of a date
_BUILT_IN = {"16": NO_YEAR, "17": MONTH}  # formats d-mmm and mmm-yy, which have no code in the file
_NO_CODE = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]|am/pm|a/p', re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+")
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
# Day numbers of the first year; 0 is read as a time, and 60 is a 29 February that never was.
_ZEROS, _ZEROS_FROM_1904 = r"00:00:00$|1899-|1900-", r"00:00:00$|1904-01-0[12]"
_DAYS_OF_YEARS = "1905-0[3-9]-"  # day numbers 1900 to 2100, which somebody typed as years
_FIRST_1904, _TYPED_YEARS = date(1904, 1, 1), (1900, 2100)
_SLASHED = r"([0-9]{1,2})([/-])([0-9]{1,2})\2[0-9]{4}(?:[ ,].*)?"
# how sure it is that ...
_SURE_ZERO = 0.8  # the date of an empty cell is none
_SURE_YEAR = 0.6  # a day number from 1900 to 2100 is a year
_SURE_HIDDEN = 0.8  # a day that the sheet hides was not meant
_SURE_NO_YEAR = 0.6  # a year that the sheet hides was meant
_SURE_TURNED = 0.7  # day and month were exchanged
_SURE_NOT_TURNED = 0.8  # they were not, though some texts have another order


def part_shown_by_format(number: str, code: str | None) -> str:
    """Which part of a date does a number format show?

    Returns
    -------
    str
        MONTH, YEAR or NO_YEAR; "" where it shows the whole date, a time, or no date at all.

    Examples
    --------
    >>> part_shown_by_format("17", None), part_shown_by_format("165", "dd/mm/yyyy")
    ('year and month', '')
    """
    if code is None:
        return _BUILT_IN.get(number, "")
    letters = _NO_CODE.sub("", code.partition(";")[0]).lower()
    if set(letters) & set("hs0#?@e"):
        return ""
    return _part("y" in letters, "m" in letters, "d" in letters)


def _part(year: bool, month: bool, day: bool) -> str:
    if not year:
        return NO_YEAR if month or day else ""
    if day:
        return ""
    return MONTH if month else YEAR


def part_shown(day: str, text: str) -> str:
    """Which part of a date does this text of it show, in any language?

    Returns
    -------
    str
        As `part_shown_by_format`.

    Examples
    --------
    >>> part_shown("2015-03-01", "Mar 15"), part_shown("2015-03-01", "01.03.15")
    ('year and month', '')
    """
    if not re.fullmatch(_DAY, day) or ":" in text:
        return ""
    year, month, of_month = map(int, day.split("-"))
    numbers = [int(number) for number in _NUMBER.findall(text)]
    named = re.search(r"[^\W\d_]", text) is not None
    years = (year, year % 100)
    match numbers:
        case [number] if number in years and number != of_month:
            return MONTH if named else YEAR
        case [number] if number == of_month and number not in years and named:
            return NO_YEAR
        case [first, second] if not named and of_month not in (first, second):
            pair = (first in years and second == month) or (second in years and first == month)
            return MONTH if pair else ""
    return ""


def dates_as_typed(
    cells: pd.DataFrame,
    dated: list[int],
    shown: Mapping[tuple[int, str], Sequence[int]],
    from_1904: bool,
    notes: Notes,
) -> pd.DataFrame:
    """The cells of a sheet with its dates as they were typed.

    Parameters
    ----------
    cells
        Text; columns numbered from 0, the index the row numbers of the file.
    dated
        The columns in which at least one cell is a date.
    shown
        The rows of cells that show a part of their date, by column and part.
    from_1904
        Does the workbook count days from 1904?
    notes
        Gets a line for each cell that is changed or doubted.
    """
    if not dated:
        return cells
    cells = cells.copy()
    for column in dated:
        texts = _without_zeros(cells[column], column, from_1904, notes)
        if from_1904:
            texts = _typed_years(texts, column, notes)
        for (place, part), rows in shown.items():
            if place == column:
                texts = _as_shown(texts, np.asarray(rows), part, column, notes)
        cells[column] = _turned_back(texts, column, notes)
    return cells


def _flags(texts: pd.Series, pattern: str) -> pd.Series:
    """Which texts begin with this pattern?"""
    return texts.str.match(pattern).fillna(False).astype(bool)


def _without_zeros(texts: pd.Series, column: int, from_1904: bool, notes: Notes) -> pd.Series:
    """The numbers 0, 1 and 60 in date cells, and what else lies in the first year, left blank."""
    zero = _flags(texts, _ZEROS_FROM_1904 if from_1904 else _ZEROS)
    made = "left blank: the mark of an empty cell, which the sheet shows as a date"
    doubt = {"column": column, "severity": "guess", "certainty": _SURE_ZERO}
    notes.add_rows("read.zero_date", made, texts[zero].items(), **doubt)
    return texts.mask(zero) if zero.any() else texts


def _typed_years(texts: pd.Series, column: int, notes: Notes) -> pd.Series:
    """Years typed into date cells of a workbook that counts from 1904.

    For other workbooks, `capelib.meaning.free_text_dates` knows them by their dates of 1905.
    """
    first, last = (_FIRST_1904 + timedelta(days=year) for year in _TYPED_YEARS)
    likely = texts.where(_flags(texts, rf"{_DAY}$")).dropna()
    likely = likely[(likely >= first.isoformat()) & (likely <= last.isoformat())]
    made = "read as the year that was typed into a date cell"
    doubt = {"column": column, "severity": "guess", "certainty": _SURE_YEAR}
    notes.add_rows("read.typed_year", made, likely.items(), **doubt)
    years = [str((date.fromisoformat(text) - _FIRST_1904).days) for text in likely]
    return _replaced(texts, pd.Series(years, index=likely.index, dtype="str"))


def _as_shown(
    texts: pd.Series, rows: np.ndarray, part: str, column: int, notes: Notes
) -> pd.Series:
    """Dates as exact as the sheet shows them; a date whose year is not shown is doubted."""
    days = texts[texts.index.isin(rows) & _flags(texts, _DAY)]
    days = days[~_flags(days, _DAYS_OF_YEARS)]
    doubt = {"column": column, "severity": "guess"}
    if part == NO_YEAR:
        made = "kept: the sheet does not show its year, which may be that of the typing"
        notes.add_rows("read.hidden_year", made, days.items(), certainty=_SURE_NO_YEAR, **doubt)
        return texts
    length, usual = (7, "-01") if part == MONTH else (4, "-01-01")
    exact = days.str.slice(length) != usual
    made = f"as exact as the sheet shows it: the {part}"
    notes.add_rows("read.shown_date", made, days[~exact].items(), column=column, severity="info")
    notes.add_rows("read.shown_date", made, days[exact].items(), certainty=_SURE_HIDDEN, **doubt)
    return _replaced(texts, days.str.slice(0, length))


def _turned_back(texts: pd.Series, column: int, notes: Notes) -> pd.Series:
    """Dates that a program of another country took for dates, with day and month turned back.

    "3/15/2015" stays a text where the day is expected first, since there is no month 15; but
    "3/5/2015", which means 5 March, becomes 3 May. So of the texts each has a number above 12 in
    the same place, and no date has a day above 12. Where the texts show no one order, or a date has
    a day above 12, dates that can be turned stay as they are, as a guess.
    """
    is_day = _flags(texts, _DAY)
    written = texts[~is_day].drop_duplicates().str.extract(f"^{_SLASHED}$").dropna()
    numbers = written[[0, 2]].astype("int64")
    above = (numbers > 12).to_numpy()
    one_order = (above[:, 0] != above[:, 1]).all() and len(set(above[:, 0])) == 1
    days = texts[is_day]
    of_month, month = days.str.slice(8, 10), days.str.slice(5, 7)
    turnable = (of_month != month) & (of_month <= "12")
    if not above.any() or not len(days):
        return texts
    if not one_order or (of_month > "12").any():
        made = "kept: texts of this column do not show whether its dates were turned round"
        doubt = {"column": column, "severity": "guess", "certainty": _SURE_NOT_TURNED}
        notes.add_rows("read.turned_date", made, days[turnable].items(), **doubt)
        return texts
    first = "day" if above[0, 0] else "month"
    turned = days.str.slice(0, 5) + of_month + "-" + month + days.str.slice(10)
    made = f"day and month turned back: the texts of this column have the {first} first"
    doubt = {"column": column, "severity": "guess", "certainty": _SURE_TURNED}
    notes.add_rows("read.turned_date", made, days[turnable].items(), **doubt)
    return _replaced(texts, turned)


def _replaced(texts: pd.Series, other: pd.Series) -> pd.Series:
    """The column with other texts in some rows."""
    if not len(other):
        return texts
    texts = texts.copy()
    texts.loc[other.index] = other
    return texts
