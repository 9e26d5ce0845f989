"""Dates as people write them, turned into EDTF with their uncertainty kept, or refused with a remedy."""

# Own grammar, and neither dateparser nor dateutil: both fill in what is not written (today's day, this year, a century) and read
# "2014-16" or "05.03.15" without a word. A date that was guessed silently is worse here than a row set aside. The edtf library is
# not asked either: it takes 15 to 170 ms for a value, and prints to the screen on some of them.

import calendar
import re
from dataclasses import dataclass
from functools import cache, lru_cache

import pandas as pd

from capelib.meaning.cells import Cell, by_distinct
from capelib.meaning.yes_no import is_unknown
from capelib.vocabulary.text import LONGEST, plain as plain_text, plain_cells as plain
from capelib.paths import room
from capelib.vocabulary.tables import read_text

FIRST_YEAR, LAST_YEAR = 1900, 2100  # the same as in tables.problems_of

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
    "date.one-of": (0.95, "one of several dates"),
    "date.one-of.span": (0.8, "one of several times, kept as the span from the first to the last"),
}

Point = tuple[int, int, int]  # year, month (0: the whole year), day (0: the whole month)
_EXAMPLE = "write 2015, 2015-03 or 2015-03-05 (EDTF)"
_MARK = " @"  # stands at the end of a form whose time of day was left out


class _Refused(Exception):
    def __init__(self, problem: str = "not a date", remedy: str = _EXAMPLE) -> None:
        super().__init__(problem)
        self.cell = Cell(None, "", 0.0, problem, remedy)


_NO_YEAR = ("no year with four digits", "write the year with four digits, such as 5 March 2015")
_OPEN = (
    "an interval with an open end",
    "give both ends, such as 2013/2015, or leave the cell blank",
)
_BACKWARDS = ("ends before it begins", "write the earlier date first, each with its year")


def written_dates(cells: pd.Series) -> pd.DataFrame:
    """Which EDTF date does each cell of a column of dates mean?

    Read are ISO and EDTF dates, numbers with the day first, names of months and seasons in English and Russian, a spreadsheet's
    numbers of days, times of day (left out), parts of years, decades, ranges, "2015 or 2016", approximate and uncertain dates.
    Where 5/3/2015 could be read in two ways the column decides, for each of the signs . / - by itself: the order that at least 95 % of
    its dates with a number above 12 show; where both orders occur it becomes one of two dates, and where none is shown the day is
    first. Refused with a remedy: years of two digits, open intervals, impossible days, years before 1900 or after 2100, and all else.

    Decided: a winter with one year is about that year ("2015~"), since it lies in two; "early 2015" is January to April with
    approximate ends; "2014-16" is 2014 to 2016, but "2014-12" is December, and "2010–12" with a dash is refused; EDTF's seasons are
    kept, but below 0.9, since "2014-21" may be meant as years.

    cells: text, missing where blank. Returns a frame on the same index: value (EDTF that `dates.bounds` reads, or missing), rule (see
    RULES), certainty (0 to 1, below 0.9 a guess), problem, remedy.
    Source: Extended Date/Time Format, ISO 8601-2:2019.

    >>> written_dates(pd.Series(["5 марта 2015 г.", "summer 2015", "c. 2014-2016", "05.03.15"]))["value"].tolist()
    ['2015-03-05', '2015-22', '2014~/2016~', nan]
    """
    return by_distinct(cells, read_all, _form)


def several_dates(cell: str) -> list[str]:
    """The dates that a cell holds, in its order; one where it holds one. A range, or "2015 or 2016", is one.

    >>> several_dates("2014-2016"), several_dates("March 5, 2015; May 2015"), several_dates("2014, 2015 and 2017")
    (['2014-2016'], ['March 5, 2015', 'May 2015'], ['2014', '2015', '2017'])
    """
    if len(cell) > LONGEST or not _BETWEEN.search(cell) or _readable(cell):
        return [cell]
    numbered = re.sub(r"(?:^|(?<=[\s;,]))\(?[1-9][.)]\s+(?=\S)", ";", cell)
    hard = [
        part.strip(" ,.")
        for part in re.split(r";|\r?\n|\r|\||→|->|=>|\bthen\b|\bзатем\b", numbered)
    ]
    hard = [part for part in hard if part]
    found = [date for part in hard for date in ([part] if _readable(part) else _listed(part))]
    return found if len(found) > 1 else [cell]


_BETWEEN = re.compile(
    r"[;,/&+|\r\n→>)]|[0-9]\. | (?:and|then|и|затем) ", re.IGNORECASE
)  # some sign that a cell holds more than one


def _listed(text: str) -> list[str]:
    """Dates between commas, "and" or "/", if all of the text is made of dates; a comma within a date is no end of it."""
    pieces = re.split(r"(\s*,\s*(?:and\s+|и\s+)?|\s+and\s+|\s+и\s+|\s*&\s*|\s*/\s*|\s*\+\s*)", text)
    found, held = [], ""
    for place in range(0, len(pieces), 2):
        held += pieces[place]
        if _readable(held):
            found.append(held)
            held = ""
        elif place + 1 < len(pieces):
            held += pieces[place + 1]
    return found if found and not held else [text]


def _readable(text: str) -> bool:
    form = re.sub(_TIMED, rf"\1{_MARK}", plain_text(text))
    return form == "" or _read(form, {}).problem is None


_TIMED = (
    r"^([^:]*[0-9][^:]*?)"
    r"(?:t|,? (?:at |в )?|, ?)[0-2]?[0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?"
    r"(?: ?(?:am|pm|a\.m\.|p\.m\.))?(?: ?(?:z|utc|gmt|msk|[+-][0-9]{2}:?[0-9]{2}))?$"
)


def _form(cells: pd.Series) -> pd.Series:
    """Plain text; the time of day is taken off here, for the whole column, since with it each of a million cells may differ."""
    return plain(cells).str.replace(_TIMED, rf"\1{_MARK}", regex=True)


def read_all(forms: list[str]) -> list[Cell]:
    orders = _orders(forms)
    return [_read(form, orders) for form in forms]


def _orders(forms: list[str]) -> dict[str, str]:
    """For each of the signs . / - the order that the column shows: "day", "month", "both", or nothing."""
    seen: dict[str, list[int]] = {}
    for form in forms:
        if len(form) < 14 and (found := _NUMERIC.match(form)):
            first, sign, second = int(found[1]), found[2], int(found[3])
            if (first > 12) != (second > 12):
                seen.setdefault(sign, [0, 0])[first <= 12] += 1
    shown = {}
    for sign, (days, months) in seen.items():
        rare = min(days, months) < 0.05 * (days + months) or not min(days, months)
        shown[sign] = ("day" if days > months else "month") if rare else "both"
    return shown


_NUMERIC = re.compile(r"([0-9]{1,2}) ?([./-]) ?([0-9]{1,2}) ?\2 ?[0-9]{4}\b")


def _read(form: str, orders: dict[str, str]) -> Cell:
    text, timed = form.removesuffix(_MARK), form.endswith(_MARK)
    try:
        cell = _meaning(text, orders)
    except _Refused as refused:
        return refused.cell
    return cell._replace(rule="date.time") if timed and cell.rule in ("", "date.edtf") else cell


def _meaning(text: str, orders: dict[str, str]) -> Cell:
    if is_unknown(text):
        return _cell(None, "date.unknown")
    if len(text) > 100:
        raise _Refused("too long to be a date")
    if text.startswith(("1", "2", "[", "{")) and (cell := _edtf(text.upper())):
        return cell
    if _HALF_KNOWN.fullmatch(text) and (cell := _edtf(re.sub("[?_]", "X", text))):
        return cell._replace(rule="date.edtf")
    if _PLAIN_NUMBER.fullmatch(text) and (cell := _number(text)):
        return cell
    words, _ = _vocabulary()
    strange = [
        word for word in _LETTERS.findall(text) if word not in words and word not in _ENDINGS
    ]
    if len(strange) > 1 or (strange and not _misspelt_month(strange[0])):
        raise _Refused
    return _Grammar(text, orders).read()


_PLAIN_NUMBER = re.compile(r"[0-9]{4,8}(?:\.[0-9]{1,12})?")
_HALF_KNOWN = re.compile(r"[0-9]{2}(?:[0-9][?_]|\?\?|__)")  # 201?
_LETTERS = re.compile(r"[^\W\d_]+")
_ENDINGS = {
    "st",
    "nd",
    "rd",
    "th",
    "s",
    "го",
    "ое",
    "ого",
    "й",
    "е",
    "ые",
    "х",
    "ых",
    "x",
    "xx",
    "хх",
}  # of 5th, 1990s, 5-го; unknown parts


def _cell(value: str | None, rule: str, *, at_most: float = 1.0) -> Cell:
    return Cell(value, rule, min(RULES[rule][0], at_most) if rule else at_most)


# ---------------------------------------------------------------- points in time


def _point(year: int, month: int = 0, day: int = 0) -> Point:
    """A year, month or day that exists and that a table may hold."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _Refused(
            f"a year before {FIRST_YEAR} or after {LAST_YEAR}",
            "write the year of the common era with four digits",
        )
    if month > 12:
        raise _Refused(f"there is no month {month}", _EXAMPLE)
    if day and not month:
        raise _Refused("a day without a month")
    if day and day > _length(year, month):
        named = f"{calendar.month_name[month]} {year}"
        raise _Refused(
            f"{named} has no day {day}",
            f"{named} has {_length(year, month)} days; correct the day, or write {year}-{month:02d}",
        )
    return year, month, day


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _first(point: Point) -> Point:
    return point[0], point[1] or 1, point[2] or 1


def _last(point: Point) -> Point:
    year, month, day = point
    return year, month or 12, day or _length(year, month or 12)


def _text(point: Point, mark: str = "") -> str:
    year, month, day = point
    return (
        f"{year:04d}" + (f"-{month:02d}" if month else "") + (f"-{day:02d}" if day else "") + mark
    )


def _span(low: Point, high: Point, mark: str) -> str:
    if low == high:
        return _text(low, mark)
    if _first(low) > _last(high):
        raise _Refused(*_BACKWARDS)
    return f"{_text(low, mark)}/{_text(high, mark)}"


# ---------------------------------------------------------------- dates that are EDTF already

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?[?~%]?")
_DECADE = re.compile(r"([0-9]{2}[0-9X]X)[?~%]?")
_UNSPECIFIED = re.compile(r"([0-9]{4})-(?:XX|([0-9]{2}|XX)-XX)[?~%]?")
_SEASON = re.compile(r"[0-9]{4}-2[1-4](?![0-9-])")


def _edtf(text: str) -> Cell | None:
    """The cell of a text that is EDTF of level 0, or of level 1 or 2 as far as tables of incidents use it; None where it is not."""
    if _ends(text):
        may_be_years = _SEASON.fullmatch(text) and int(text[2:4]) < int(text[5:])
        return _cell(text, "date.season" if may_be_years else "")
    if found := _UNSPECIFIED.fullmatch(text):
        month = int(found[2]) if found[2] not in (None, "XX") else 0
        return _cell(text, "") if _point(int(found[1]), month) and found[2] != "00" else None
    one_of = text[:1] + text[-1:] in ("[]", "{}")
    parts = text[1:-1].split(",") if one_of else text.split("/")
    ends = [end for part in parts if (end := _ends(part))]
    if (
        not 2 <= len(parts) <= (10 if one_of else 2)
        or len(ends) < len(parts)
        or (one_of and _SEASON.search(text))
    ):
        return None  # (the edtf library reads no season in a set)
    if not one_of and _first(ends[0][0]) > _last(ends[1][1]):
        raise _Refused(*_BACKWARDS)
    return _cell(text, "")


def _ends(text: str) -> tuple[Point, Point] | None:
    """The first and last point of one EDTF date; None where it is not one."""
    if _SEASON.fullmatch(text):
        year, start = int(text[:4]), 3 * (int(text[5:]) - 20)
        return _point(year, start), _point(
            year, min(start + 2, 12)
        )  # (for EDTF a winter ends with the year)
    if found := _DATE.fullmatch(text):
        year, month, day = (int(part or 0) for part in found.groups())
        if (month > 12 and not day) or "00" in found.groups():
            return None  # 2014-16 may be years, and 2015-00-00 has unknown parts
        return (_point(year, month, day),) * 2
    if found := _DECADE.fullmatch(text):
        return _point(int(found[1].replace("X", "0"))), _point(int(found[1].replace("X", "9")))
    return None


def _number(text: str) -> Cell | None:
    """2015.0, 42068 (a spreadsheet's day) and 20150305."""
    whole, _, decimals = text.partition(".")
    if len(whole) == 4 and decimals.strip("0") == "" and decimals:
        return _cell(_text(_point(int(whole))), "date.number")
    if len(whole) == 5 and 20000 <= int(whole) <= 60000:
        day = pd.Timestamp(1899, 12, 30) + pd.Timedelta(
            days=int(whole)
        )  # a day early: spreadsheets count a 29 February 1900
        return _cell(day.strftime("%Y-%m-%d"), "date.serial")
    if len(whole) == 8 and not decimals:
        year, month, day = int(whole[:4]), int(whole[4:6]), int(whole[6:])
        return _cell(_text(_point(year, month, day)), "date.compact") if month and day else None
    return None


# ---------------------------------------------------------------- a small grammar for the rest


@dataclass
class _Side:
    """A date, or one end of a range: what is written of it."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    part: int = 0  # 1 early, 2 mid, 3 late
    season: int = 0
    months: tuple[int, int] | None = None
    decade: int | None = None
    rule: str = "date.words"
    other: Point | None = None  # the same numbers in the other order of day and month

    @property
    def bare_year(self) -> bool:
        return self.month is None and not (self.part or self.season or self.months or self.decade)


def _shapes() -> dict[str, str]:
    """What each number or name of a date stands for, by its shape: N number, Y year, M month; n: day or month."""
    known = {"Y": "y", "MY": "my", "YM": "ym", "NMY": "dmy", "MNY": "mdy", "YMN": "ymd", "": ""}
    known |= {"N": "d", "M": "m", "NM": "dm", "MN": "md", "NY": "dy"}  # one end of a range
    for sign in "-./":
        known |= {
            f"Y{sign}N{sign}N": "ymd",
            f"N{sign}N{sign}Y": "nny",
            f"N{sign}Y": "my",
            f"Y{sign}N": "ym",
            f"N{sign}N": "nn",
        }
    return known


_SHAPES = _shapes()
_TOKEN = re.compile(
    r"(?P<decade>[0-9]{3}0(?:['’]?s|-?(?:е|ые|х|ых)))(?![^\W_])"
    r"|(?P<number>[0-9]+)(?:(?:st|nd|rd|th|-?(?:го|ое|ого|й|е))(?![^\W_]))?"
    r"|(?P<word>[^\W\d_]+)\.?|(?P<sign>\S)"
)
_KINDS = {
    "month": "M",
    "season": "S",
    "part": "P",
    "months": "Q",
    "about": "~",
    "perhaps": "?",
    "weekday": "",
    "filler": "",
} | {
    "to": ":",
    "until": "T",
    "or": "|",
    "and": "+",
    "from": "F",
    "between": "B",
    "open": "O",
}
_SIGNS = {
    "-": "-",
    "/": "/",
    ".": ".",
    ",": ",",
    ";": ",",
    "&": "+",
    "~": "~",
    "≈": "~",
    "?": "?",
    "(": "",
    ")": "",
    "<": "O",
    ">": "O",
} | {
    "≤": "O",
    "≥": "O",
}


@cache
def _vocabulary() -> tuple[dict[str, tuple[str, str]], set[str]]:
    """Words and phrases of dates with kind and value (data/words/dates.csv), and the words that begin a phrase.

    A word that only occurs within phrases has the kind "!", which no date has.
    """
    frame = read_text(room("data") / "words" / "dates.csv").fillna("")
    spaced = [
        re.sub("(?<=[a-z])(?=[0-9])", " ", word) for word in frame["written"]
    ]  # q1 is a word and a number
    words = {
        word: (_KINDS[kind], value)
        for word, kind, value in zip(spaced, frame["kind"], frame["value"], strict=True)
    }
    parts = {part for word in words for part in word.split()}
    return {part: ("!", "") for part in parts if part.isalpha()} | words, {
        word.split()[0] for word in words if " " in word
    }


@lru_cache(maxsize=4096)
def _misspelt_month(word: str) -> str | None:
    """The month whose name differs by one letter (two in long names) and begins with the same one, where only one does."""
    from rapidfuzz.distance import OSA

    allowed = 2 if len(word) >= 8 else 1
    months = (
        (name, value)
        for name, (kind, value) in _vocabulary()[0].items()
        if kind == "M" and len(name) >= 5
    )
    near = {
        value
        for name, value in months
        if name[0] == word[0] and OSA.distance(name, word, score_cutoff=allowed) <= allowed
    }
    return near.pop() if len(near) == 1 and 5 <= len(word) <= 12 else None


_PART = r"(?:xx?|хх|\?\?|__)"  # (a single Cyrillic letter is an ending: 1990-х)
_UNKNOWN_PART = re.compile(
    rf"(?<![^\W_]){_PART}(?=[./-])|(?<=[./-]){_PART}(?![^\W_])"
)  # xx.03.2015
_DASHED_DATE = re.compile(
    r"^([0-9]{1,4})([\u2012-\u2015\u2212])([0-9]{1,2})\2(?=[0-9]{1,4}$)"
)  # 2015–03–05
_DASH = re.compile(r"\s*(?:[\u2012-\u2015\u2212]|\.\.+)\s*|\s+-\s+")
_LAST_POINT = re.compile(r"\.(?=[-:/+|]|$)")  # 5.3.-7.3.2015
_NO_SHAPE = re.compile("[~?,]")


class _Grammar:
    """Reads one text: words and numbers become a shape such as "NMY" (5 March 2015), and the shape says what each stands for."""

    def __init__(self, text: str, orders: dict[str, str]) -> None:
        self.orders, self.values, self.misspelt = orders, [], False
        text = _UNKNOWN_PART.sub("00", text.replace("\u2010", "-"))
        text = _DASH.sub(" to ", _DASHED_DATE.sub(r"\1-\3-", text))
        shape = _LAST_POINT.sub("", self._shape(text))
        marks = {sign for sign in shape if sign in "~?"}
        self.mark = marks.pop() if len(marks) == 1 else "%" if marks else ""
        self.shape = self._joined(_NO_SHAPE.sub("", shape))

    def _shape(self, text: str) -> str:
        words, starts = _vocabulary()
        tokens = list(_TOKEN.finditer(text))
        shape, place = "", 0
        while place < len(tokens):
            token, size = tokens[place], 1
            name = token[0].rstrip(".") or token[0]
            if name in starts:
                for more in (4, 3, 2):
                    phrase = " ".join(each[0].rstrip(".") for each in tokens[place : place + more])
                    if phrase in words and place + more <= len(tokens):
                        name, size = phrase, more
                        break
            shape += self._kind(name, token, words)
            place += size
        return shape

    def _kind(self, name: str, token: re.Match[str], words: dict[str, tuple[str, str]]) -> str:
        if name in words:
            kind, value = words[name]
        elif token["decade"]:
            kind, value = "D", token["decade"][:3]
        elif token["number"]:
            kind, value = {1: "N", 2: "N", 4: "Y"}.get(len(token["number"]), ""), token["number"]
            if not kind:
                raise _Refused
        elif token["word"]:
            value = _misspelt_month(name)
            if value is None:
                raise _Refused
            kind, self.misspelt = "M", True
        elif token["sign"] == "+" and token.end() == len(token.string):
            kind, value = "O", ""
        elif token["sign"] in _SIGNS:
            kind, value = _SIGNS[token["sign"]], ""
        else:
            raise _Refused
        if kind and kind in "NYMSPQD":
            self.values.append(value)
        return kind

    def _joined(self, shape: str) -> str:
        """The shape with "from ... to", "between ... and" and "until" as a range; open intervals are refused here."""
        self.two_ends = "F" in shape or "B" in shape  # "from 2015" alone is open
        if "B" in shape:
            shape = shape.replace("B", "").replace("+", ":", 1)
        shape = re.sub("(?<=[NYMSPQD.])T", ":", shape.replace("F", "", 1))
        shape = shape.removeprefix("|")
        if re.search("[YD]", shape) and (
            set("OTF") & set(shape) or shape[:1] in (":", "-", "/") or shape[-1:] in (":", "-", "/")
        ):
            raise _Refused(*_OPEN)
        return shape

    def read(self) -> Cell:
        shape = self.shape
        if not re.search("[YD]", shape):
            raise _Refused(*(_NO_YEAR if re.search("[NMS]", shape) else ()))
        if re.fullmatch("SY[-/:][NY]", shape) and self.values[0] == "24":
            return self._winter()
        if "|" in shape:
            cell = self._one_of()
        elif ":" in shape:
            cell = self._range(shape.index(":")) if shape.count(":") == 1 else None
        else:
            side = self._side(shape, self.values)
            years = (
                shape == "Y/N" and int(self.values[0]) % 100 < int(self.values[1]) <= 12
            )  # 2009/10
            if side and self.two_ends:
                raise _Refused(*_OPEN)
            cell = self._dashed() if years else self._single(side) if side else self._split()
        if cell is None:
            several = "+" in shape or len(re.findall("[YD]", shape)) > 1
            raise _Refused(
                *(
                    ("several dates in one cell", "one date a row, or a range such as 2014/2016")
                    if several
                    else ()
                )
            )
        if self.mark and cell.rule == "date.words":
            cell = cell._replace(rule="date.about")
        return (
            cell._replace(rule="date.misspelt", certainty=min(0.75, cell.certainty))
            if self.misspelt
            else cell
        )

    # ---- one date

    def _side(self, shape: str, values: list[str], after: bool = False) -> _Side | None:
        """What a shape says of a date; after: it is the end of a range, and "7, 2015" may rest on a month before."""
        if re.search(r"[^NYMSPQD./-]", shape) or any(shape.count(kind) > 1 for kind in "MSPQD"):
            return None
        side, rest, numbers = _Side(), "", []
        left = iter(values)
        for kind in shape:
            value = next(left) if kind.isalpha() else ""
            match kind:
                case "P":
                    side.part = int(value)
                case "S":
                    side.season = int(value)
                case "Q":
                    side.months = (int(value[:2]), int(value[3:]))
                case "D":
                    side.decade = int(value)
                case _:
                    rest += kind
                    numbers += [int(value)] if value else []
        if side.part or side.season or side.months:
            rest = rest.strip("./-")  # mid-2015
        rest = re.sub(r"[./-](?=M)|(?<=M)[./-]", "", rest)
        roles = _SHAPES.get(rest)
        if (
            roles is None
            or (roles == "dy" and not after)
            or (not roles and not (side.part or side.season or side.decade))
        ):
            return None
        if roles.startswith("nn"):
            return self._ordered(side, numbers, rest[1])
        if rest == "Y.N":
            if len(values[-1]) == 1:
                return None  # 2015.1 may have been 2015.10 before a program took it for a number
            side.rule = "date.year-month"
        for role, number in zip(roles, numbers, strict=True):
            setattr(side, {"y": "year", "m": "month", "d": "day"}[role], number)
        if 0 in numbers:
            side.rule = "date.unknown-part"
        return side

    def _ordered(self, side: _Side, numbers: list[int], sign: str) -> _Side:
        """Day and month as numbers: in the only possible order, else as the column has them, else the day first."""
        first, second = numbers[:2]
        side.year = numbers[2] if len(numbers) == 3 else None
        order = self.orders.get(sign, "")
        if 0 in (first, second):
            side.day, side.month, side.rule = 0, first or second, "date.unknown-part"
        elif first > 12 or second > 12 or first == second:
            days_first = first > 12 or first == second
            side.day, side.month = (first, second) if days_first else (second, first)
            side.rule = "date.day-first" if days_first else "date.month-first"
        elif order == "month":
            side.day, side.month, side.rule = second, first, "date.month-first.column"
        else:
            side.day, side.month = first, second
            side.rule = (
                f"date.day-first.{'column' if order else 'points' if sign == '.' else 'assumed'}"
            )
            if order == "both":
                side.rule, side.other = "date.either-order", (side.year or 0, first, second)
        return side

    def _single(self, side: _Side) -> Cell | None:
        if side.year is None and side.decade is None:
            raise _Refused(*_NO_YEAR)
        if side.year is None or side.decade is not None:
            return self._decade(side)
        if side.season == 24 and not side.part and side.month is None:
            return _cell(
                _text(_point(side.year), "%" if "?" in self.mark or "%" in self.mark else "~"),
                "date.winter",
            )
        if side.month is not None and side.month > 12 and side.day is None:
            return self._years(side.year, side.month)
        low, high, rule = self._bounds(side)
        if rule == "date.season.words" and not self.mark:
            return _cell(f"{side.year}-{side.season}", rule)
        if side.other:
            pair = sorted((low, _point(*side.other)))
            return _cell(f"[{','.join(_text(each, self.mark) for each in pair)}]", rule)
        return _cell(_span(low, high, self._marked(side)), rule)

    def _decade(self, side: _Side) -> Cell:
        low, high, _ = self._bounds(side)
        if side.part:
            return _cell(_span(low, high, self._marked(side)), "date.part")
        return _cell(
            f"{side.decade}X{self.mark}", "date.decade" if low[0] % 100 else "date.decade.century"
        )

    def _years(self, first: int, second: int) -> Cell:
        """2014-16: no month has this number."""
        later = first - first % 100 + second
        if self.shape not in ("Y-N", "Y/N") or not 0 < later - first <= 25:
            _point(first, second)  # refused: there is no such month
        if self.shape == "Y-N" and 20 < second <= 41:
            raise _Refused(
                "years or one of EDTF's numbers of seasons",
                f"write {first}/{later} for the years {first} to {later}",
            )
        return _cell(_span(_point(first), _point(later), self.mark), "date.range.short")

    def _marked(self, *sides: _Side) -> str:
        """The mark of the cell; ends of early, mid and late are approximate."""
        return (
            ("%" if self.mark in ("?", "%") else "~")
            if any(side.part for side in sides)
            else self.mark
        )

    def _bounds(self, side: _Side) -> tuple[Point, Point, str]:
        """First and last point of a date, and its rule."""
        year, month, day, part = side.year, side.month, side.day, side.part
        if (
            side.decade is not None
            and year is month is day is None
            and not (side.season or side.months)
        ):
            first = side.decade * 10
            low, high = ((0, 3), (4, 6), (7, 9))[part - 1] if part else (0, 9)
            return _point(first + low), _point(first + high), "date.part" if part else "date.decade"
        if (
            year is None
            or side.decade is not None
            or (day and (part or side.season or side.months))
        ):
            raise _Refused(*(_NO_YEAR if year is None else ()))
        if (
            ((side.season or side.months) and month is not None)
            or (side.season and side.months)
            or (part and side.months)
        ):
            raise _Refused
        if side.season == 24:
            raise _Refused(
                "a winter, which lies in two years", "write the months, such as 2014-12/2015-02"
            )
        if side.season:
            start = 3 * (side.season - 20)
            months = (start + part - 1,) * 2 if part else (start, start + 2)
            return (
                _point(year, months[0]),
                _point(year, months[1]),
                "date.part" if part else "date.season.words",
            )
        if side.months:
            return _point(year, side.months[0]), _point(year, side.months[1]), "date.months"
        if part and month:
            _point(year, month)
            days = ((1, 10), (11, 20), (21, _length(year, month)))[part - 1]
            return _point(year, month, days[0]), _point(year, month, days[1]), "date.part"
        if part:
            return _point(year, 4 * part - 3), _point(year, 4 * part), "date.part"
        point = _point(year, month or 0, day or 0)
        return point, point, side.rule

    # ---- several

    def _winter(self) -> Cell:
        first, second = int(self.values[1]), self.values[2]
        if int(second) not in (first + 1, (first + 1) % 100):
            raise _Refused(
                "a winter, which lies in two years", "write the months, such as 2014-12/2015-02"
            )
        return _cell(_span(_point(first, 12), _point(first + 1, 2), self.mark), "date.winter.years")

    def _split(self) -> Cell | None:
        """A range with a hyphen or slash, where each side of it is a date or the part of one."""
        for sign in "-/":
            places = [place for place, each in enumerate(self.shape) if each == sign]
            if len(places) % 2:  # the one in the middle: 2015-03-05-2015-03-07
                cell = self._range(places[len(places) // 2])
                if cell:
                    slash = cell.rule == "date.range" and sign == "/"
                    return (
                        _cell(cell.value, "date.range.slash", at_most=cell.certainty)
                        if slash
                        else cell
                    )
        return None

    def _ends_at(self, *places: int) -> list[_Side] | None:
        """The sides between the given places, each completed from the one beside it."""
        sides, start = [], 0
        for place in (*places, len(self.shape)):
            shape, before = (
                self.shape[start:place],
                sum(kind.isalpha() for kind in self.shape[:start]),
            )
            values = self.values[before : before + sum(kind.isalpha() for kind in shape)]
            side = self._side(shape, values, after=start > 0)
            if side is None or side.other:
                return None
            sides.append(side)
            start = place + 1
        last = sides[-1]
        if last.day is not None and last.month is None:
            last.month = sides[0].month
        for side in reversed(sides[:-1]):
            side.year = last.year if side.year is None and side.decade is None else side.year
            if side.month is None and side.day is not None:
                side.month = last.month
            if (
                side.part
                and side.month is None
                and not (side.season or side.decade)
                and last.month
                and side.year == last.year
            ):
                side.month = last.month
        return sides

    def _range(self, place: int) -> Cell | None:
        if self.shape == "Y:N":
            return self._dashed()
        sides = self._ends_at(place)
        if sides is None:
            return None
        left, right = sides
        if right.year is None and right.decade is None:
            return None
        if right.bare_year and (left.season or left.part or left.months):
            return None  # "summer 2014-2015": one summer or two?
        low, _, low_rule = self._bounds(left)
        _, high, high_rule = self._bounds(right)
        sure = min(RULES[rule][0] for rule in (low_rule, high_rule, "date.range"))
        return _cell(_span(low, high, self._marked(left, right)), "date.range", at_most=sure)

    def _dashed(self) -> Cell:
        """2014–16 with a dash or slash: years, unless the second number could be a month."""
        first, second = int(self.values[0]), int(self.values[1])
        if 0 < second <= min(12, first % 100):
            return _cell(_text(_point(first, second), self.mark), "date.year-month")
        if second <= 12:
            later = first - first % 100 + second
            raise _Refused(
                "a month or a range of years",
                f"write {first}-{second:02d} for the month, {first}/{later} for the years",
            )
        if second <= first % 100:
            raise _Refused(*_BACKWARDS)
        return _cell(
            _span(_point(first), _point(first - first % 100 + second), self.mark),
            "date.range.short",
        )

    def _one_of(self) -> Cell | None:
        places = [place for place, kind in enumerate(self.shape) if kind == "|"]
        sides = self._ends_at(*places) if len(places) < 6 else None
        if sides is None or (sides[-1].year is None and sides[-1].decade is None):
            return None
        spans = [self._bounds(side) for side in sides]
        sure = min(RULES[rule][0] for _, _, rule in spans)
        if all(low == high for low, high, _ in spans):
            points = sorted({low for low, _, _ in spans})
            listed = ",".join(_text(point, self.mark) for point in points)
            return _cell(f"[{listed}]" if len(points) > 1 else listed, "date.one-of", at_most=sure)
        low, high = min(low for low, _, _ in spans), max((high for _, high, _ in spans), key=_last)
        return _cell(_span(low, high, self._marked(*sides)), "date.one-of.span", at_most=sure)
