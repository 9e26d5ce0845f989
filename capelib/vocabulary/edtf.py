"""Dates in EDTF: taken apart, and turned into first day, last day and year."""

# One reader for every form that our tables hold or that cleaning makes. The edtf library reads the
# same forms alike (a test compares them), but takes 4 to 170 ms for one and prints to the screen on
# some; it is asked for the forms that occur nowhere in the data, such as [2014..2016].

import calendar
import re
from typing import NamedTuple

import numpy as np
import pandas as pd

FIRST_YEAR, LAST_YEAR = 1900, 2100  # that a table of incidents may hold
Point = tuple[int, int, int]  # year, month (0: the whole year), day (0: the whole month)

_LEVEL_0 = {
    "year": (r"\d{4}", "%Y", "Y"),
    "month": (r"\d{4}-(0\d|1[0-2])", "%Y-%m", "M"),
    "day": (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d", "D"),
}
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?[?~%]?")
_DECADE = re.compile(r"([0-9]{2}[0-9X]X)[?~%]?")
_SEASON = re.compile(r"([0-9]{4})-(2[1-4])")
_UNSPECIFIED = re.compile(r"([0-9]{4})-(?:XX|([0-9]{2}|XX)-XX)[?~%]?")
_LARGEST_SET = 10


class Edtf(NamedTuple):
    """An EDTF text taken apart.

    Attributes
    ----------
    form
        "date", "season", "interval" or "set" (one of several dates, or all of them).
    spans
        For each date in the text, the first and the last point that it allows. The points are as
        written: whether there is such a month or day is not asked.
    """

    form: str
    spans: list[tuple[Point, Point]]


def parse(text: str) -> Edtf | None:
    """What does an EDTF text consist of?

    Parameters
    ----------
    text
        Level 0, and of levels 1 and 2 what tables of incidents use: approximate and uncertain
        dates (2015~), seasons (2015-21), decades (201X), unknown months and days (2015-XX),
        intervals (2014/2016~), and sets of at most 10 dates ([2014,2016]).

    Returns
    -------
    Edtf or None
        None for any other text.

    Notes
    -----
    Source: Extended Date/Time Format, ISO 8601-2:2019.

    Examples
    --------
    >>> parse("2015-03~/201X")
    Edtf(form='interval', spans=[((2015, 3, 0), (2015, 3, 0)), ((2010, 0, 0), (2019, 0, 0))])
    """
    if span := span_of(text):
        return Edtf("season" if _SEASON.fullmatch(text) else "date", [span])
    if match := _UNSPECIFIED.fullmatch(text):
        year, month = match.groups()
        point = (int(year), 0 if month in (None, "XX") else int(month), 0)
        return None if month == "00" else Edtf("date", [(point, point)])
    parts = parts_of(text)
    form = "set" if _is_set(text) else "interval"
    if not 2 <= len(parts) <= (_LARGEST_SET if form == "set" else 2):
        return None
    spans = []
    for part in parts:
        span = span_of(part)
        if span is None or (form == "set" and _SEASON.fullmatch(part)):
            return None  # the edtf library reads no season in a set
        spans.append(span)
    return Edtf(form, spans)


def parts_of(text: str) -> list[str]:
    """Which texts stand in a set, or at the ends of an interval?

    Examples
    --------
    >>> parts_of("[2014,2016~]"), parts_of("2014/2016"), parts_of("2015")
    (['2014', '2016~'], ['2014', '2016'], ['2015'])
    """
    return text[1:-1].split(",") if _is_set(text) else text.split("/")


def _is_set(text: str) -> bool:
    return text[:1] + text[-1:] in ("[]", "{}")


def span_of(text: str) -> tuple[Point, Point] | None:
    """Which first and last point has one year, month, day, season or decade?

    Returns
    -------
    (Point, Point) or None
        None for another text.

    Examples
    --------
    >>> span_of("2015-22"), span_of("2015-03?")
    (((2015, 6, 0), (2015, 8, 0)), ((2015, 3, 0), (2015, 3, 0)))
    """
    if match := _SEASON.fullmatch(text):
        year = int(match[1])
        month = 3 * (int(match[2]) - 20)
        return (year, month, 0), (year, min(month + 2, 12), 0)  # a winter ends with the year
    if match := _DATE.fullmatch(text):
        year, month, day = (int(part or 0) for part in match.groups())
        if "00" in match.groups() or (month > 12 and not day):
            return None  # 2015-00 has an unknown part, and 2014-16 may be years
        return (year, month, day), (year, month, day)
    if match := _DECADE.fullmatch(text):
        first, last = (int(match[1].replace("X", digit)) for digit in "09")
        return (first, 0, 0), (last, 0, 0)
    return None


def days_in_month(year: int, month: int) -> int:
    """How many days has a month?

    Examples
    --------
    >>> days_in_month(2016, 2)
    29
    """
    return calendar.monthrange(year, month)[1]


def first_day(point: Point) -> Point:
    """On which day does a year or month begin?

    Examples
    --------
    >>> first_day((2015, 0, 0))
    (2015, 1, 1)
    """
    return point[0], point[1] or 1, point[2] or 1


def last_day(point: Point) -> Point:
    """On which day does a year or month end?

    Examples
    --------
    >>> last_day((2015, 2, 0))
    (2015, 2, 28)
    """
    year, month, day = point
    month = month or 12
    return year, month, day or days_in_month(year, month)


def bounds(dates: pd.Series) -> pd.DataFrame:
    """Which first and last day does each EDTF date allow, and how precise is it?

    Parameters
    ----------
    dates
        EDTF strings; missing where not stated.

    Returns
    -------
    DataFrame
        On the same index. `date_start`, `date_end`: datetime64, missing where blank or invalid.
        `precision`: "day", "month", "year", "other" or missing. `valid`: False where a date is
        written but cannot be read.

    Notes
    -----
    Each distinct date is read once, years, months and days (level 0) by pandas all together.
    Source: Extended Date/Time Format, ISO 8601-2:2019.

    Examples
    --------
    >>> bounds(pd.Series(["2015-02", "soon"]))["date_end"].dt.strftime("%d %B %Y").tolist()
    ['28 February 2015', nan]
    """
    places, distinct = pd.factorize(dates.astype("str").array)
    with_missing = pd.Series([*distinct, None], dtype="str")  # -1, its place, is the last one
    return _bounds(with_missing).take(places).set_axis(dates.index)


def _bounds(dates: pd.Series) -> pd.DataFrame:
    text = dates.str.strip()
    start = pd.Series(pd.NaT, index=dates.index, dtype="datetime64[s]")
    end = start.copy()
    precision = pd.Series(None, index=dates.index, dtype="str")
    for name, (pattern, written, unit) in _LEVEL_0.items():
        rows = text.str.fullmatch(pattern).fillna(False).astype(bool)
        if not rows.any():
            continue
        first = pd.to_datetime(text[rows], format=written, errors="coerce").to_numpy()
        precision[rows] = name
        start[rows] = first.astype("datetime64[s]")
        after = first.astype(f"datetime64[{unit}]") + 1
        last = after.astype("datetime64[D]") - np.timedelta64(1, "D")
        end[rows] = last.astype("datetime64[s]")
    stated = text.notna() & (text != "")
    other = stated & precision.isna()
    precision[other] = "other"
    if other.any():
        days = [_days(value) for value in text[other]]
        start[other] = pd.Series([first for first, _ in days], dtype="datetime64[s]").to_numpy()
        end[other] = pd.Series([last for _, last in days], dtype="datetime64[s]").to_numpy()
    valid = ~stated | start.notna()
    columns = {"date_start": start, "date_end": end, "precision": precision, "valid": valid}
    return pd.DataFrame(columns)


_NO_DAYS = (pd.NaT, pd.NaT)


def _days(text: str) -> tuple:
    """First and last day of an EDTF text; missing where it is none, or has no last day."""
    date = parse(text)
    if date is None:
        return _days_by_library(text)
    try:
        firsts = [pd.Timestamp(*first_day(low)) for low, _ in date.spans]
        lasts = [pd.Timestamp(*last_day(high)) for _, high in date.spans]
    except ValueError:  # 30 February, month 13, year 0
        return _NO_DAYS
    if date.form == "set":
        return min(firsts), max(lasts)
    return (firsts[0], lasts[-1]) if firsts[0] <= lasts[-1] else _NO_DAYS


def _days_by_library(text: str) -> tuple:
    if text.startswith("/") or text.endswith("/"):
        return _NO_DAYS  # an interval with an unknown end, in whose place it would put ten years
    import edtf

    try:
        date = edtf.parse_edtf(text)
        first = pd.Timestamp(*date.lower_strict()[:3])
        last = pd.Timestamp(*date.upper_strict()[:3])
    except (edtf.EDTFParseException, TypeError, ValueError, AttributeError, OverflowError):
        return _NO_DAYS  # unreadable, or an open interval: no last day can be given
    return (first, last) if first <= last else _NO_DAYS


def year(start: pd.Series, end: pd.Series) -> pd.Series:
    """In which year does each date lie?

    Parameters
    ----------
    start, end
        First and last day, as of `bounds`.

    Returns
    -------
    Series
        Whole numbers (Int64), missing where first and last day lie in different years.

    Examples
    --------
    >>> days = pd.Series(pd.to_datetime(["2015-01-01", "2014-01-01"]))
    >>> year(days, pd.Series(pd.to_datetime(["2015-12-31", "2016-12-31"]))).tolist()
    [2015, <NA>]
    """
    return start.dt.year.where(start.dt.year == end.dt.year).astype("Int64")
