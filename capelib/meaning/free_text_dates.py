"""Dates as people write them, turned into EDTF with their uncertainty kept, or refused."""

# Own grammar, and none of the libraries: they fill in what is not written (today's day, this year,
# a century), and a date that was guessed in silence is worse here than a row set aside. Of our 487
# golden dates dateparser 1.5 reads 186 as reviewed, 72 as another date (2014-16 as 16 November
# 2014) and refuses 208; dateutil 3.0 reads 156 as reviewed and invents years (05.03.15); edtf's
# own text_to_edtf reads 157, 251 as another date, and 83 that are none.

import re
from datetime import date

import pandas as pd

from capelib.meaning.cells import Cell, by_distinct
from capelib.meaning.date_grammar import read_phrase
from capelib.meaning.date_remarks import is_year_with_note, with_remark, without_remark
from capelib.meaning.date_values import (
    BACKWARDS,
    RULES,
    SEVERAL,
    Refused,
    dated,
    existing,
    text_of,
)
from capelib.meaning.date_words import phrase_of
from capelib.meaning.yes_no import is_unknown
from capelib.vocabulary import edtf
from capelib.vocabulary.text import LONGEST, plain, plain_cells

__all__ = ["ARROW", "RULES", "dates_between_arrows", "read_all", "several_dates", "written_dates"]

_LONGEST_DATE = 100
_RARE = 0.05  # the share of dates in the other order that are taken for slips
_TIME_LEFT_OUT = " @"  # stands at the end of a form whose time of day was left out
_TIME = (
    r"^([^:]*[0-9][^:]*?)"
    r"(?:t|,? (?:at |в )?|, ?)[0-2]?[0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?"
    r"(?: ?(?:am|pm|a\.m\.|p\.m\.))?"
    r"(?: ?(?:z|\(?(?:utc|gmt|msk)?[+-][0-9]{1,2}(?::?[0-9]{2})?\)?|\(?(?:utc|gmt|msk)\)?))?$"
)
_RAISED = re.compile("(?<=[0-9])[\u00b9\u00b2\u00b3\u2070\u2074-\u2079]+")
ARROW = r"\s*(?:[\u2192\u27f6\u279c\u279d\u21d2\u2794]|[-=]+>)\s*"
_TYPED_YEAR = re.compile("1905-0[3-9]-[0-3][0-9]")
_DAY_ZERO = date(1899, 12, 30)  # from which spreadsheets count days after February 1900
_EMPTY_CELL = "1900-01-01"
_ONLY_TIME = re.compile(r"[0-2]?[0-9]:[0-5][0-9](?: ?[ap]m)?(?: ?\(?(?:utc|gmt)[^ ]*\)?)?")
_NUMERIC = re.compile(r"([0-9]{1,2}) ?([./-]) ?([0-9]{1,2}) ?\2 ?[0-9]{4}\b")
_PLAIN_NUMBER = re.compile(r"[0-9]{4,8}(?:\.[0-9]{1,12})?")
_HALF_KNOWN = re.compile(r"[0-9]{2}(?:[0-9][?_]|\?\?|__)")  # 201?
_SIGN_OF_SEVERAL = re.compile(r"[;,/&+|\r\n→>)]|[0-9]\. | (?:and|then|и|затем) ", re.IGNORECASE)
_STRONG_SEPARATOR = re.compile(r";|\r?\n|\r|\||→|->|=>|\bthen\b|\bзатем\b")
_WEAK_SEPARATOR = re.compile(
    r"(\s*,\s*(?:and\s+|и\s+)?|\s+and\s+|\s+и\s+|\s*&\s*|\s*/\s*|\s*\+\s*)"
)


def written_dates(cells: pd.Series) -> pd.DataFrame:
    """Which EDTF date does each cell of a column of dates mean?

    Parameters
    ----------
    cells
        Text, missing where blank.

    Returns
    -------
    DataFrame
        On the same index, with the columns of `capelib.meaning.cells.Cell`; value is EDTF that
        `capelib.vocabulary.edtf.bounds` reads.

    Notes
    -----
    Read are ISO and EDTF dates, numbers with the day first, names of months and seasons in English
    and Russian, a spreadsheet's numbers of days, times of day (left out), parts of years, decades,
    ranges, "2015 or 2016", approximate and uncertain dates.

    Where 5/3/2015 could be read in two ways the column decides, for each of the signs . / - by
    itself: the order that at least 95 % of its dates with a number above 12 show; where both orders
    occur it becomes one of two dates, and where none is shown the day is first.

    Refused with a remedy: years of two digits, open intervals, impossible days, years before 1900
    or after 2100, and all else.

    Decided: a winter with one year is about that year ("2015~"), since it lies in two; "early 2015"
    is January to April with approximate ends; "2014-16" is 2014 to 2016, but "2014-12" is December,
    and "2010–12" with a dash is refused; EDTF's seasons are kept, but below 0.9, since "2014-21"
    may be meant as years.

    References
    ----------
    Extended Date/Time Format, ISO 8601-2:2019.

    Examples
    --------
    >>> cells = pd.Series(["5 марта 2015 г.", "summer 2015", "c. 2014-2016", "05.03.15"])
    >>> written_dates(cells)["value"].tolist()
    ['2015-03-05', '2015-22', '2014~/2016~', nan]
    """
    return by_distinct(cells, read_all, _without_times)


def several_dates(cell: str) -> list[str]:
    """Which dates does a cell hold?

    Parameters
    ----------
    cell
        As it stands in the table.

    Returns
    -------
    list of str
        The dates in the cell's order; the cell itself where it holds one. A range, or "2015 or
        2016", is one.

    Examples
    --------
    >>> several_dates("2014-2016"), several_dates("March 5, 2015; May 2015")
    (['2014-2016'], ['March 5, 2015', 'May 2015'])
    >>> several_dates("2014, 2015 and 2017")
    ['2014', '2015', '2017']
    """
    if len(cell) > LONGEST or not _SIGN_OF_SEVERAL.search(cell) or _is_date(cell):
        return [cell]
    without_numbers = re.sub(r"(?:^|(?<=[\s;,]))\(?[1-9][.)]\s+(?=\S)", ";", cell)
    dates: list[str] = []
    for part in _STRONG_SEPARATOR.split(without_numbers):
        if text := part.strip(" ,."):
            dates += [text] if _is_date(text) else _listed(text)
    return dates if len(dates) > 1 else [cell]


def dates_between_arrows(cell: str) -> list[str]:
    """The dates between the arrows of a cell; the cell itself where not all of them are dates.

    By itself such a cell is a range; beside two measures, "2015 → 2016" is a date for each.

    Examples
    --------
    >>> dates_between_arrows("2015 → May 2016")
    ['2015', 'May 2016']
    """
    dates = re.split(ARROW, cell) if len(cell) <= LONGEST else [cell]
    return dates if all(_is_date(text) for text in dates) else [cell]


def _listed(text: str) -> list[str]:
    """Dates between commas, "and" or "/", if all of the text is dates; one may hold a comma."""
    pieces = _WEAK_SEPARATOR.split(text)
    dates, pending = [], ""
    for place in range(0, len(pieces), 2):
        pending += pieces[place]
        if _is_date(pending):
            dates.append(pending)
            pending = ""
        elif place + 1 < len(pieces):
            pending += pieces[place + 1]
    return dates if dates and not pending else [text]


def _is_date(text: str) -> bool:
    form = re.sub(_TIME, rf"\1{_TIME_LEFT_OUT}", plain(text))
    return form == "" or _read(form, {}).problem is None


def _without_times(cells: pd.Series) -> pd.Series:
    """Plain text without the time of day, with which each of a million cells may differ.

    A raised number behind another one is a note: as plain text it would be one of its digits.
    """
    cells = cells.astype("str")
    raised = cells.str.contains(_RAISED).fillna(False).astype(bool)
    if raised.any():
        cells = cells.mask(raised, cells[raised].str.replace(_RAISED, "*", regex=True))
    return plain_cells(cells).str.replace(_TIME, rf"\1{_TIME_LEFT_OUT}", regex=True)


def read_all(forms: list[str]) -> list[Cell]:
    """Which date does each of a column's distinct `plain` texts mean?"""
    orders = _orders(forms)
    cells = [_read(form, orders) for form in forms]
    values = [cell.value or "" for cell in cells]
    strange = [bool(value == _EMPTY_CELL or _TYPED_YEAR.fullmatch(value)) for value in values]
    if any(strange) and not _is_history(values, strange):
        cells = [_typed(cell) if odd else cell for cell, odd in zip(cells, strange, strict=True)]
    return cells


def _is_history(values: list[str], strange: list[bool]) -> bool:
    """Does a column hold other dates of those years?"""
    years = ("190", "191", "192", "193")
    pairs = zip(values, strange, strict=True)
    return any(value.startswith(years) and not odd for value, odd in pairs)


def _typed(cell: Cell) -> Cell:
    """What was typed into a date cell that shows a day of 1905, or the first day of 1900."""
    if cell.value == _EMPTY_CELL:
        return dated(None, "date.zero")
    year = (date.fromisoformat(str(cell.value)) - _DAY_ZERO).days
    is_year = edtf.FIRST_YEAR <= year <= edtf.LAST_YEAR
    return dated(str(year), "date.typed-year", cell.certainty) if is_year else cell


def _orders(forms: list[str]) -> dict[str, str]:
    """For each of the signs . / - the order that the column shows: "day", "month" or "both"."""
    days_first: dict[str, list[bool]] = {}
    for form in forms:
        match = _NUMERIC.match(form) if len(form) < 14 else None
        if match and (int(match[1]) > 12) != (int(match[3]) > 12):
            days_first.setdefault(match[2], []).append(int(match[1]) > 12)
    orders = {}
    for sign, shown in days_first.items():
        days = sum(shown)
        months = len(shown) - days
        if min(days, months) == 0 or min(days, months) < _RARE * len(shown):
            orders[sign] = "day" if days > months else "month"
        else:
            orders[sign] = "both"
    return orders


def _read(form: str, orders: dict[str, str]) -> Cell:
    text = form.removesuffix(_TIME_LEFT_OUT)
    try:
        cell = _read_text(text, orders)
    except Refused as refused:
        cell = _read_without_remark(text, orders) or refused.cell
    if text != form and cell.rule in ("", "date.edtf"):
        return cell._replace(rule="date.time")
    return cell


def _read_without_remark(text: str, orders: dict[str, str]) -> Cell | None:
    """The date beside "month unknown", a footnote and the like; None where there is none."""
    remark = without_remark(text) if len(text) <= _LONGEST_DATE else None
    if remark is None:
        return None
    cell = _read(remark.text, orders)
    return with_remark(cell, remark) if cell.value else None


def _read_text(text: str, orders: dict[str, str]) -> Cell:
    if is_unknown(text):
        return dated(None, "date.unknown")
    if len(text) > _LONGEST_DATE:
        raise Refused("too long to be a date")
    if re.search(ARROW, text):
        return _read_arrow(text, orders)
    if text.startswith(("1", "2", "[", "{")) and (cell := _read_edtf(text.upper())):
        return cell
    if _HALF_KNOWN.fullmatch(text) and (cell := _read_edtf(re.sub("[?_]", "X", text))):
        return cell._replace(rule="date.edtf")
    if _PLAIN_NUMBER.fullmatch(text) and (cell := _read_number(text)):
        return cell
    return read_phrase(phrase_of(text, orders))


def _read_arrow(text: str, orders: dict[str, str]) -> Cell:
    """5 March 2015 → 7 March 2015, of which each may have a time of day."""
    # "3:00 pm (gmt+3) → 5:00 pm": the second end is only a time of the same day
    ends = [re.sub(_TIME, r"\1", end) for end in re.split(ARROW, text)]
    ends = [end for end in ends if not _ONLY_TIME.fullmatch(end)]
    if len(ends) > 2:
        raise Refused(*SEVERAL)
    cell = read_phrase(phrase_of(" to ".join(ends), orders))
    return cell._replace(rule="date.range.arrow", certainty=min(0.8, cell.certainty))


def _read_edtf(text: str) -> Cell | None:
    date = edtf.parse(text)
    # An impossible day is named even where what stands beside it is no date.
    spans = date.spans if date else map(edtf.span_of, edtf.parts_of(text))
    for low, high in filter(None, spans):
        existing(*low)
        existing(*high)
    if date is None:
        return None
    if date.form == "interval":
        (first, _), (_, last) = date.spans
        if edtf.first_day(first) > edtf.last_day(last):
            raise Refused(*BACKWARDS)
    may_be_years = date.form == "season" and int(text[2:4]) < int(text[5:])  # 2014-21
    return dated(text, "date.season" if may_be_years else "")


def _read_number(text: str) -> Cell | None:
    """2015.0, 42068 (a spreadsheet's day) and 20150305."""
    whole, _, decimals = text.partition(".")
    if len(whole) == 4 and decimals and not decimals.strip("0"):
        return dated(text_of(existing(int(whole))), "date.number")
    if len(whole) == 5 and not decimals and is_year_with_note(whole):
        return None
    if len(whole) == 5 and 20000 <= int(whole) <= 60000:
        # Counted from a day early, since spreadsheets count a 29 February 1900.
        day = pd.Timestamp(1899, 12, 30) + pd.Timedelta(days=int(whole))
        return dated(day.strftime("%Y-%m-%d"), "date.serial")
    if len(whole) == 8 and not decimals:
        year, month, day = int(whole[:4]), int(whole[4:6]), int(whole[6:])
        if month and day:
            return dated(text_of(existing(year, month, day)), "date.compact")
    return None
