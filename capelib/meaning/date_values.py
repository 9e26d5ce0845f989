"""The dates that free text is turned into: points in time that exist, as EDTF, or a refusal."""

import calendar

from capelib.meaning.cells import Cell, refused
from capelib.vocabulary.edtf import FIRST_YEAR, LAST_YEAR, Point, days_in_month, first_day, last_day

# By rule: the certainty, and what was done in words.
RULES = {
    "date.unknown": (1.0, "a word for an unknown date: left blank"),
    "date.edtf": (1.0, "the same date in the exact form of EDTF"),
    "date.season": (0.85, "EDTF's season, which some write for years (2014-21 for 2014 to 2021)"),
    "date.time": (1.0, "the time of day left out"),
    "date.number": (1.0, "a year that was kept as a number"),
    "date.serial": (0.85, "a spreadsheet's number of a day, counted from 1900"),
    "date.compact": (0.95, "eight digits: year, month, day"),
    "date.words": (1.0, "year, month or day written in words or without zeros"),
    "date.misspelt": (0.75, "the name of a month with a typing error"),
    "date.year-month": (0.85, "year and month, written with a point or a dash"),
    "date.day-first": (1.0, "day, month, year: no other order is possible"),
    "date.month-first": (1.0, "month, day, year: no other order is possible"),
    "date.day-first.column": (0.85, "day first, as other dates of the column"),
    "date.month-first.column": (0.85, "month first, as other dates of the column"),
    "date.day-first.points": (0.85, "day first, as is usual with points"),
    "date.day-first.assumed": (0.7, "day first, though nothing in the column shows it"),
    "date.either-order": (0.8, "one of two dates: the column has days first and months first"),
    "date.unknown-part": (0.95, "a day or month that is marked as unknown left out"),
    "date.season.words": (1.0, "the name of a season, as on the northern half of the earth"),
    "date.winter": (0.6, "a winter lies in two years: only about the year is kept"),
    "date.winter.years": (0.95, "the winter between two years"),
    "date.part": (0.8, "early, mid or late: a third of the time, with approximate ends"),
    "date.months": (0.95, "a quarter or half of a year"),
    "date.decade": (1.0, "a decade"),
    "date.decade.century": (0.7, "a decade, though it could be a century"),
    "date.about": (1.0, "an approximate (~) or uncertain (?) date"),
    "date.range": (0.95, "from one date to another"),
    "date.range.short": (0.8, "years, of which the second is written with two digits"),
    "date.range.slash": (0.85, "from one date to another, written with a slash"),
    "date.range.arrow": (0.8, "from one date to another, written with an arrow"),
    "date.range.days": (0.7, "two days in a row, taken for the time of one incident"),
    "date.range.short-end": (0.85, "a range whose end is written without its year"),
    "date.footnote": (0.8, "a year or date with the sign of a footnote, which is left out"),
    "date.footnote.digit": (
        0.6,
        "a year with the number of a footnote, as in texts copied from PDF",
    ),
    "date.rest-unknown": (0.8, "the part that is known, beside words that the rest is not"),
    "date.week": (0.8, "the week of a day: kept as about this day"),
    "date.typed-year": (
        0.6,
        "a day of 1905, which spreadsheets make of a year typed into a date cell: this year",
    ),
    "date.zero": (0.8, "1 January 1900, which spreadsheets show for an empty cell: left blank"),
    "date.one-of": (0.95, "one of several dates"),
    "date.one-of.span": (0.8, "one of several times, kept as the span from the first to the last"),
}

EXAMPLE = "write 2015, 2015-03 or 2015-03-05 (EDTF)"
NO_YEAR = ("no year with four digits", "write the year with four digits, such as 5 March 2015")
OPEN = (
    "an interval with an open end",
    "give both ends, such as 2013/2015, or leave the cell blank",
)
BACKWARDS = ("ends before it begins", "write the earlier date first, each with its year")
WINTER = ("a winter, which lies in two years", "write the months, such as 2014-12/2015-02")
SEVERAL = ("several dates in one cell", "one date a row, or a range such as 2014/2016")


class Refused(Exception):
    """What free text cannot be turned into a date for.

    Attributes
    ----------
    cell
        Without a value, with the problem and its remedy.
    """

    def __init__(self, problem: str = "not a date", remedy: str = EXAMPLE) -> None:
        super().__init__(problem)
        self.cell = refused(problem, remedy)


def dated(value: str | None, rule: str, at_most: float = 1.0) -> Cell:
    """A cell with this date and the certainty of its rule, or a lower one.

    Examples
    --------
    >>> dated("2014/2016", "date.range", at_most=0.8).certainty
    0.8
    """
    return Cell(value, rule, min(RULES[rule][0], at_most) if rule else at_most)


def existing(year: int, month: int = 0, day: int = 0) -> Point:
    """A year, month or day that exists and that a table may hold.

    Raises
    ------
    Refused
        Saying what is wrong with any other.

    Examples
    --------
    >>> existing(2015, 3)
    (2015, 3, 0)
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused(
            f"a year before {FIRST_YEAR} or after {LAST_YEAR}",
            "write the year of the common era with four digits",
        )
    if month > 12:
        raise Refused(f"there is no month {month}")
    if day and not month:
        raise Refused("a day without a month")
    if day and day > days_in_month(year, month):
        named = f"{calendar.month_name[month]} {year}"
        remedy = (
            f"{named} has {days_in_month(year, month)} days; "
            f"correct the day, or write {year}-{month:02d}"
        )
        raise Refused(f"{named} has no day {day}", remedy)
    return year, month, day


def text_of(point: Point, mark: str = "") -> str:
    """A point in time as EDTF, with a mark such as "~".

    Examples
    --------
    >>> text_of((2015, 3, 0), "~")
    '2015-03~'
    """
    year, month, day = point
    text = f"{year:04d}"
    if month:
        text += f"-{month:02d}"
    if day:
        text += f"-{day:02d}"
    return text + mark


def text_of_span(low: Point, high: Point, mark: str) -> str:
    """The time from one point to another as EDTF.

    Raises
    ------
    Refused
        When it ends before it begins.

    Examples
    --------
    >>> text_of_span((2014, 0, 0), (2016, 3, 0), "")
    '2014/2016-03'
    """
    if low == high:
        return text_of(low, mark)
    if first_day(low) > last_day(high):
        raise Refused(*BACKWARDS)
    return f"{text_of(low, mark)}/{text_of(high, mark)}"
