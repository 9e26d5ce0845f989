"""A date that stands in several columns: year, month and day, or start and end, made one."""

import re
from calendar import month_name
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS, INFO, LOOK
from capelib.clean.distinct import DistinctColumn, at_places
from capelib.clean.layouts import DATE_PARTS, Layout
from capelib.clean.rows import RowLog
from capelib.meaning.free_text_dates import written_dates
from capelib.meaning.yes_no import is_unknown
from capelib.vocabulary.text import bare, plain

RULES = {
    "date.columns": "year, month and day of several columns put together",
    "date.columns.no-month": "a day without its month: left out",
    "date.columns.other-year": "the year beside the date is another one: the date is used",
    "date.start-end": "from the start to the end, which stand in two columns",
    "date.start-end.guess": "from the start to the end, of which one is a guess",
    "date.end-left-out": "an end that is no plain date: only the start is kept",
    "date.end-alone": "the end, since there is no start",
    "date.start-beside-date": "start and end are used, and not the date beside them",
    "date.serial-1904": "a spreadsheet's number of a day, counted from 1904 as the workbook does",
}
_SURE = {
    "date.columns": 1.0,
    "date.columns.no-month": 0.7,
    "date.columns.other-year": 0.6,
    "date.start-end": 0.95,
    "date.start-end.guess": 0.7,
    "date.end-left-out": 0.7,
    "date.end-alone": 0.6,
    "date.start-beside-date": 0.7,
    "date.serial-1904": 0.85,
}
_YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])")
_BARE_YEAR = re.compile(r"[0-9]{4}(?:\.0+)?")
_WHOLE_DATE = r"^(?!\s*[0-9]{4}(?:\.0+)?\s*$).*(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])|^[0-9]{5,8}$"
_INTEGER = re.compile(r"-?[0-9]{1,4}(?:\.0+)?")
_NOT_KNOWN = {0, -9, -99, -999, 99, 999, 9999}  # of a month or day, as coded tables have it
_TWO_NUMBERS = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}[./-]?")
_SHORT_YEAR = re.compile(r"([0-9]{1,2}[./-][0-9]{1,2}[./-])([0-9]{2})")
_SERIAL = r"^[2-5][0-9]{4}(?:\.[0-9]+)?$"
_DAY_ZERO_1904 = pd.Timestamp(1904, 1, 1)
_POINT = r"^[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-[0-9]{2})?)?[~?%]?$"  # no season
_BETWEEN = " | "  # between the cells of several columns, as the list of changes shows them


def dates_joined(
    cells: dict[str, DistinctColumn],
    layout: Layout,
    rows: RowLog,
    start: int,
    days_from_1904: bool = False,
) -> dict[str, DistinctColumn]:
    """The columns of a sheet with one column `date`, made of all that say when it was.

    Parameters
    ----------
    cells
        The columns of the sheet by our names, those of `DATE_PARTS` among them.
    layout
        Its words for dates explain cells of the start and the end too.
    rows
        Logs what is put together.
    start
        The place of the sheet's first row.
    days_from_1904
        Does the workbook count days from 1904?
    """
    parts = {name: cells[name] for name in ("date", *DATE_PARTS) if name in cells}
    if days_from_1904:
        parts = {name: _from_1904(column, rows, start) for name, column in parts.items()}
    rest = {name: column for name, column in cells.items() if name not in parts}
    if parts.keys() & {"year", "month", "day"}:
        parts["date"] = _of_year_month_day(parts, rows, start)
    if parts.keys() & {"start", "end"}:
        parts["date"] = _of_start_and_end(parts, layout, rows, start)
    return rest | {"date": parts["date"]} if parts else rest


def _log(
    rows: RowLog, start: int, lines: np.ndarray, rule: str, values: pd.Series, made: pd.Series
) -> None:
    """Logs what was made of the dates of these lines of a sheet."""
    trusted = ~rows.untrusted[start + lines]
    logged = pd.DataFrame({"value": values.to_numpy(), "made": made.to_numpy()}, dtype="str")
    which = logged.groupby(["value", "made"], dropna=False, sort=False).ngroup().to_numpy()
    logged = logged.drop_duplicates()
    severity = INFO if _SURE[rule] >= LOOK else GUESS
    logged = logged.assign(rule=rule, severity=severity, certainty=_SURE[rule], remedy=None)
    rows.log_cells("date", start + lines[trusted], which[trusted], logged)


def _from_1904(column: DistinctColumn, rows: RowLog, start: int) -> DistinctColumn:
    """The numbers of days in a column as dates."""
    is_number = column.words.str.contains(_SERIAL).fillna(False).astype(bool)
    if not is_number.any():
        return column
    days = pd.to_numeric(column.words[is_number]).astype("int64")
    dates = (_DAY_ZERO_1904 + pd.to_timedelta(days, unit="D")).dt.strftime("%Y-%m-%d")
    words = column.words.mask(is_number, dates)
    lines = np.flatnonzero(column.flags(is_number.to_numpy()))
    places = column.places[lines]
    _log(rows, start, lines, "date.serial-1904", column.words.iloc[places], words.iloc[places])
    return column.map(words)


# ---------------------------------------------------------------- year, month and day


def _of_year_month_day(
    parts: dict[str, DistinctColumn], rows: RowLog, start: int
) -> DistinctColumn:
    """The date of each line; where the column of dates has a whole one, this one."""
    lines = len(next(iter(parts.values())).places)
    columns = [
        parts.get(name, DistinctColumn.blank(lines)) for name in ("date", "year", "month", "day")
    ]
    date = columns[0]
    whole = date.flags(date.words.str.contains(_WHOLE_DATE).fillna(False).to_numpy(dtype=bool))
    _log_other_years(date, columns[1], whole, rows, start)
    lines_left = np.flatnonzero(~whole)
    combined = _combined(columns, lines_left, _joined)
    made = combined.words["made"]
    for rule in ("date.columns", "date.columns.no-month"):
        which = (combined.words["rule"] == rule).to_numpy()[combined.places]
        places = combined.places[which]
        values = combined.words["value"].iloc[places]
        _log(rows, start, lines_left[which], rule, values, made.iloc[places])
    places = date.places.copy()
    places[lines_left] = combined.places + len(date.words)
    return DistinctColumn.from_words(places, pd.concat([date.words, made], ignore_index=True))


class _Combined:
    """For each line the place of its combination of cells in `words`: value, made, rule."""

    def __init__(self, places: np.ndarray, words: pd.DataFrame) -> None:
        self.places, self.words = places, words


def _combined(
    columns: Sequence[DistinctColumn],
    lines: np.ndarray,
    join: Callable[..., tuple[str | None, str]],
) -> _Combined:
    """What is made of each combination of cells that occurs in these lines."""
    keys = pd.DataFrame({number: each.places[lines] for number, each in enumerate(columns)})
    places = keys.groupby(list(keys), sort=False).ngroup().to_numpy()
    distinct = keys.drop_duplicates()
    words = [[*column.words, ""] for column in columns]  # a blank is the last one
    joined = []
    for combination in distinct.itertuples(index=False):
        cells = [column[place] for column, place in zip(words, combination, strict=True)]
        made, rule = join(*cells)
        joined.append((_BETWEEN.join(filter(None, cells)), made, rule))
    frame = pd.DataFrame(joined, columns=["value", "made", "rule"]).astype("str")
    return _Combined(places, frame)


def _log_other_years(
    date: DistinctColumn, year: DistinctColumn, whole: np.ndarray, rows: RowLog, start: int
) -> None:
    """Logs the whole dates of another year than the one beside them."""

    def years(column: DistinctColumn) -> np.ndarray:
        numbers = column.words.str.extract(_YEAR, expand=False).fillna("0").astype("int64")
        return at_places(numbers.to_numpy(), column.places, 0)

    of_date, beside = years(date), years(year)
    lines = np.flatnonzero(whole & (of_date > 0) & (beside > 0) & (of_date != beside))
    if len(lines):
        dates = date.words.iloc[date.places[lines]].reset_index(drop=True)
        beside_words = year.words.iloc[year.places[lines]].reset_index(drop=True)
        rule = "date.columns.other-year"
        _log(rows, start, lines, rule, dates + _BETWEEN + beside_words, dates)


def _joined(date: str, year: str, month: str, day: str) -> tuple[str | None, str]:
    """The date of four cells, of which some are blank, as text; and the rule, "" where it is one.

    >>> _joined("", "2015", "3", "5"), _joined("5 March", "2015", "", "")
    (('2015-03-05', 'date.columns'), ('5 March 2015', 'date.columns'))
    >>> _joined("", "2015", "0", "0")
    ('2015', 'date.columns')
    """
    given = [date, year, month, day]
    date, year, month, day = (_known(cell) for cell in given)
    if _YEAR.search(day):
        date, day = day, ""  # a column that is called day may hold dates
    if date and _YEAR.search(date) and not _BARE_YEAR.fullmatch(date):
        return date, ""
    if _BARE_YEAR.fullmatch(date):
        date, year = "", year or date
    month, day = _part(month), _part(day)
    made, rule = _text(date, year.removesuffix(".0"), month, day)
    only = sum(map(bool, given)) < 2
    return made or None, "" if only else rule


def _known(cell: str) -> str:
    return "" if not cell or is_unknown(plain(cell)) else cell.strip()


def _part(cell: str) -> str:
    """A month or day; "" for the numbers that stand for an unknown one."""
    if not _INTEGER.fullmatch(cell):
        return cell
    number = int(float(cell))
    return "" if number in _NOT_KNOWN else str(number)


def _text(date: str, year: str, month: str, day: str) -> tuple[str, str]:
    """A date as text that `written_dates` reads, or refuses with its reason."""
    rule = "date.columns"
    if date:
        if date.isdecimal() and month and not day:
            return _text("", year, month, date)
        return _with_year(date, year), rule
    if not month:
        if day.isdecimal() and year:
            return year, "date.columns.no-month"
        return _with_year(day, year) if day else year, rule
    if month.isdecimal() and year.isdecimal() and len(year) == 4:
        if not day:
            # month 15 is none; but 2015-21 would be spring, and 2014-16 three years
            return f"{year}-{int(month):02d}" + ("" if int(month) <= 12 else "-01"), rule
        if day.isdecimal():
            return f"{year}-{int(month):02d}-{int(day):02d}", rule
    if month.isdecimal() and int(month) <= 12:
        month = month_name[int(month)]
    return " ".join(filter(None, (day, month, year))), rule


def _with_year(date: str, year: str) -> str:
    """The day and month of one column, the year of another."""
    if not year:
        return date
    if match := _TWO_NUMBERS.fullmatch(date):
        return f"{date.rstrip('./-')}{match[1]}{year}"
    match = _SHORT_YEAR.fullmatch(date)
    if match and year.endswith(match[2]) and len(year) == 4:
        return match[1] + year
    return f"{date} {year}"


# ---------------------------------------------------------------- start and end


def _of_start_and_end(
    parts: dict[str, DistinctColumn], layout: Layout, rows: RowLog, start: int
) -> DistinctColumn:
    """The time from start to end of each line; a blank end is none, not an open one.

    A table may have "Date" and "End date" alone.
    """
    date = parts.get("date")
    first = parts.get("start") or date or DistinctColumn.blank(len(parts["end"].places))
    last = parts.get("end") or DistinctColumn.blank(len(first.places))
    if "start" in parts and date:
        # the date beside them is used where they are blank
        _log_unused(date, first, rows, start)
        blank = ~first.filled & ~last.filled
        words = pd.concat([first.words, date.words], ignore_index=True)
        places = np.where(blank & date.filled, date.places + len(first.words), first.places)
        first = DistinctColumn.from_words(places, words)
    keys = pd.DataFrame({"first": first.places, "last": last.places})
    place = keys.groupby(["first", "last"], sort=False).ngroup().to_numpy()
    spans = _spans(keys.drop_duplicates(), first, last, layout)
    for rule in spans["rule"].unique():
        lines = np.flatnonzero((spans["rule"] == rule).to_numpy()[place])
        if rule:
            made = spans.iloc[place[lines]]
            _log(rows, start, lines, rule, made["value"], made["made"])
    return DistinctColumn.from_words(place, spans["made"])


def _log_unused(date: DistinctColumn, first: DistinctColumn, rows: RowLog, start: int) -> None:
    lines = np.flatnonzero(date.filled & first.filled)
    dates = date.words.iloc[date.places[lines]].reset_index(drop=True)
    starts = first.words.iloc[first.places[lines]].reset_index(drop=True)
    other = (dates != starts).to_numpy()
    if other.any():
        values = dates[other] + _BETWEEN + starts[other]
        _log(rows, start, lines[other], "date.start-beside-date", values, starts[other])


def _spans(
    pairs: pd.DataFrame, first: DistinctColumn, last: DistinctColumn, layout: Layout
) -> pd.DataFrame:
    """For each pair of start and end: `value`, `made` and `rule`, "" where only one is given."""
    words = pd.concat([first.words, last.words, pd.Series([None])], ignore_index=True)
    by_layout = layout.words.get("date", {})
    if by_layout:
        words = words.map(lambda word: by_layout.get(bare(word), word), na_action="ignore")
    meanings = written_dates(words.astype("str"))  # both at once: they share the order of numbers
    points = meanings["value"].where(meanings["value"].str.match(_POINT).fillna(False))
    blank = len(words) - 1
    left = np.where(pairs["first"] < 0, blank, pairs["first"])
    right = np.where(pairs["last"] < 0, blank, pairs["last"] + len(first.words))

    def cells_at(column: pd.Series, places: np.ndarray) -> pd.Series:
        return column.iloc[places].reset_index(drop=True)

    start, end = cells_at(points, left), cells_at(points, right)
    written_start, written_end = cells_at(words, left), cells_at(words, right)
    says_end = written_end.notna() & (
        cells_at(meanings["value"], right).notna() | cells_at(meanings["problem"], right).notna()
    )
    both = start.notna() & end.notna()
    certainty = np.minimum(
        cells_at(meanings["certainty"], left), cells_at(meanings["certainty"], right)
    )
    value = written_start.fillna("") + _BETWEEN + written_end.fillna("")
    spans = pd.DataFrame({"value": value.str.removeprefix(_BETWEEN), "made": written_start})
    spans["rule"] = ""
    alone = written_start.isna() & says_end
    cases = {
        "date.end-alone": (alone, written_end),
        "date.end-left-out": (written_start.notna() & says_end & ~both, written_start),
        "date.start-end": (both & (start != end) & (certainty >= LOOK), start + "/" + end),
        "date.start-end.guess": (both & (start != end) & (certainty < LOOK), start + "/" + end),
    }
    for rule, (which, made) in cases.items():
        spans.loc[which, "made"] = made[which]
        spans.loc[which, "rule"] = rule
    return spans
