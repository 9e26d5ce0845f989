"""The grammar of dates in words: from the shape of a phrase to an EDTF date."""

import re
from dataclasses import dataclass

from capelib.meaning.cells import Cell
from capelib.meaning.date_values import (
    BACKWARDS,
    NO_YEAR,
    OPEN,
    RULES,
    SEVERAL,
    WINTER,
    Refused,
    dated,
    existing,
    text_of,
    text_of_span,
)
from capelib.meaning.date_words import Phrase
from capelib.vocabulary.edtf import Point, days_in_month, last_day

_WINTER = 24  # EDTF's number
_MOST_ALTERNATIVES = 6


@dataclass
class _Side:
    """What is written of a date, or of one end of a range."""

    year: int | None = None
    month: int | None = None  # above 12 where the number may stand for a year: 2014-16
    day: int | None = None
    part: int = 0  # 1 early, 2 mid, 3 late
    season: int = 0  # EDTF's number: 21 spring to 24 winter
    months: tuple[int, int] | None = None  # first and last, of a quarter or half
    decade: int | None = None  # 199
    rule: str = "date.words"
    other_order: Point | None = None  # the same numbers with day and month exchanged

    @property
    def only_year(self) -> bool:
        return self.month is None and not (self.part or self.season or self.months or self.decade)


_Bounds = tuple[Point, Point, str]  # first and last point, and the rule


def read_phrase(phrase: Phrase) -> Cell:
    """Which date does a phrase mean?

    Returns
    -------
    Cell
        With an EDTF date.

    Raises
    ------
    Refused
        When the phrase means no date, or not clearly one.

    Examples
    --------
    >>> from capelib.meaning.date_words import phrase_of
    >>> read_phrase(phrase_of("summer 2015", {})).value
    '2015-22'
    """
    shape = phrase.shape
    if not re.search("[YD]", shape):
        raise Refused(*NO_YEAR) if re.search("[NMS]", shape) else Refused
    if re.fullmatch("SY[-/:][NY]", shape) and int(phrase.values[0]) == _WINTER:
        cell = _winter_of_two_years(phrase)
    elif "|" in shape:
        cell = _one_of(phrase)
    elif shape.count(":") == 1:
        cell = _range(phrase, shape.index(":"))
    else:
        cell = None if ":" in shape else _without_words_of_range(phrase)
    if cell is None:
        several = "+" in shape or len(re.findall("[YD]", shape)) > 1
        raise Refused(*SEVERAL) if several else Refused
    if phrase.mark and cell.rule == "date.words":
        cell = cell._replace(rule="date.about")
    if phrase.misspelt:
        cell = cell._replace(rule="date.misspelt", certainty=min(0.75, cell.certainty))
    return cell


def _without_words_of_range(phrase: Phrase) -> Cell | None:
    side = _side(phrase, 0, len(phrase.shape))
    if side and phrase.two_ends:
        raise Refused(*OPEN)
    if phrase.shape == "Y/N":
        year, number = map(int, phrase.values)
        if year % 100 < number <= 12:  # 2009/10
            return _years_or_month(phrase)
    return _single(phrase, side) if side else _range_by_sign(phrase)


# ---------------------------------------------------------------- one date


def _roles() -> dict[str, str]:
    """What each number or name stands for, by the shape: y year, m month, d day, n day or month."""
    roles = {"Y": "y", "MY": "my", "YM": "ym", "NMY": "dmy", "MNY": "mdy", "YMN": "ymd", "": ""}
    roles |= {"N": "d", "M": "m", "NM": "dm", "MN": "md", "NY": "dy"}  # one end of a range
    for sign in "-./":
        roles |= {f"Y{sign}N{sign}N": "ymd", f"N{sign}N{sign}Y": "nny"}
        roles |= {f"N{sign}Y": "my", f"Y{sign}N": "ym", f"N{sign}N": "nn"}
    return roles


_ROLES = _roles()


def _side(phrase: Phrase, start: int, end: int) -> _Side | None:
    """What a part of the shape says of a date; None where it is not one date."""
    shape = phrase.shape[start:end]
    if re.search(r"[^NYMSPQD./-]", shape) or any(shape.count(kind) > 1 for kind in "MSPQD"):
        return None
    side, rest, values = _Side(), "", _values(phrase, start, end)
    numbers = []
    for kind in shape:
        value = values.pop(0) if kind.isalpha() else ""
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
                numbers += [value] if value else []
    if side.part or side.season or side.months:
        rest = rest.strip("./-")  # mid-2015
    rest = re.sub(r"[./-](?=M)|(?<=M)[./-]", "", rest)
    return _with_numbers(side, rest, numbers, phrase.orders, after=start > 0)


def _values(phrase: Phrase, start: int, end: int) -> list[str]:
    """The values of the letters in a part of the shape."""
    before = sum(kind.isalpha() for kind in phrase.shape[:start])
    within = sum(kind.isalpha() for kind in phrase.shape[start:end])
    return phrase.values[before : before + within]


def _with_numbers(
    side: _Side, shape: str, texts: list[str], orders: dict[str, str], after: bool
) -> _Side | None:
    """Gives year, month and day to a side; after: "7, 2015" may rest on a month before."""
    roles = _ROLES.get(shape)
    if roles is None or (roles == "dy" and not after):
        return None
    if not roles and not (side.part or side.season or side.decade):
        return None
    numbers = [int(text) for text in texts]
    if roles.startswith("nn"):
        return _ordered(side, numbers, shape[1], orders)
    if shape == "Y.N":
        if len(texts[-1]) == 1:
            return None  # 2015.1 may have been 2015.10 before a program took it for a number
        side.rule = "date.year-month"
    for role, number in zip(roles, numbers, strict=True):
        setattr(side, {"y": "year", "m": "month", "d": "day"}[role], number)
    if 0 in numbers:
        side.rule = "date.unknown-part"
    return side


def _ordered(side: _Side, numbers: list[int], sign: str, orders: dict[str, str]) -> _Side:
    """Day and month in the only possible order, else as the column has them, else day first."""
    first, second = numbers[:2]
    side.year = numbers[2] if len(numbers) == 3 else None
    side.day, side.month = first, second
    order = orders.get(sign, "")
    if 0 in (first, second):
        side.day, side.month = 0, first or second
        side.rule = "date.unknown-part"
    elif first > 12 or first == second:
        side.rule = "date.day-first"
    elif second > 12:
        side.day, side.month = second, first
        side.rule = "date.month-first"
    elif order == "month":
        side.day, side.month = second, first
        side.rule = "date.month-first.column"
    elif order == "both":
        side.rule = "date.either-order"
        side.other_order = (side.year or 0, first, second)
    elif order:
        side.rule = "date.day-first.column"
    else:
        side.rule = "date.day-first.points" if sign == "." else "date.day-first.assumed"
    return side


def _single(phrase: Phrase, side: _Side) -> Cell:
    mark = phrase.mark
    if side.decade is not None:
        return _decade(side, mark)
    if side.year is None:
        raise Refused(*NO_YEAR)
    if side.season == _WINTER and not side.part and side.month is None:
        return dated(text_of(existing(side.year), _approximate(mark)), "date.winter")
    if side.month is not None and side.month > 12 and side.day is None:
        return _years(phrase, side.year, side.month)
    low, high, rule = _bounds(side)
    if rule == "date.season.words" and not mark:
        return dated(f"{side.year}-{side.season}", rule)
    if side.other_order:
        either = sorted((low, existing(*side.other_order)))
        return dated(f"[{','.join(text_of(point, mark) for point in either)}]", rule)
    return dated(text_of_span(low, high, _mark(mark, side)), rule)


def _decade(side: _Side, mark: str) -> Cell:
    low, high, rule = _bounds(side)
    if side.part:
        return dated(text_of_span(low, high, _mark(mark, side)), rule)
    rule = "date.decade" if low[0] % 100 else "date.decade.century"
    return dated(f"{side.decade}X{mark}", rule)


def _years(phrase: Phrase, first: int, second: int) -> Cell:
    """2014-16: no month has this number."""
    later = first - first % 100 + second
    if phrase.shape not in ("Y-N", "Y/N") or not 0 < later - first <= 25:
        existing(first, second)  # refused: there is no such month
    if phrase.shape == "Y-N" and 20 < second <= 41:
        raise Refused(
            "years or one of EDTF's numbers of seasons",
            f"write {first}/{later} for the years {first} to {later}",
        )
    span = text_of_span(existing(first), existing(later), phrase.mark)
    return dated(span, "date.range.short")


def _mark(mark: str, *sides: _Side) -> str:
    """The mark of the cell; ends of early, mid and late are approximate."""
    return _approximate(mark) if any(side.part for side in sides) else mark


def _approximate(mark: str) -> str:
    return "%" if mark in ("?", "%") else "~"


def _bounds(side: _Side) -> _Bounds:
    """First and last point of a date, and its rule."""
    of_year = bool(side.season or side.months)  # counts in a year, not in a month
    if side.decade is not None:
        if of_year or (side.year, side.month, side.day) != (None, None, None):
            raise Refused(*NO_YEAR) if side.year is None else Refused
        return _bounds_of_decade(10 * side.decade, side.part)
    if side.year is None:
        raise Refused(*NO_YEAR)
    if of_year and (side.day or side.month is not None):
        raise Refused
    if side.months and (side.season or side.part):
        raise Refused
    if side.part and side.day:
        raise Refused
    if side.season:
        return _bounds_of_season(side.year, side.season, side.part)
    if side.months:
        first, last = side.months
        return existing(side.year, first), existing(side.year, last), "date.months"
    if side.part:
        return _bounds_of_part(side.year, side.month, side.part)
    point = existing(side.year, side.month or 0, side.day or 0)
    return point, point, side.rule


def _bounds_of_decade(first: int, part: int) -> _Bounds:
    low, high = ((0, 9), (0, 3), (4, 6), (7, 9))[part]
    return existing(first + low), existing(first + high), "date.part" if part else "date.decade"


def _bounds_of_season(year: int, season: int, part: int) -> _Bounds:
    if season == _WINTER:
        raise Refused(*WINTER)
    month = 3 * (season - 20)
    if part:
        point = existing(year, month + part - 1)
        return point, point, "date.part"
    return existing(year, month), existing(year, month + 2), "date.season.words"


def _bounds_of_part(year: int, month: int | None, part: int) -> _Bounds:
    """A third of a year or month."""
    if not month:
        return existing(year, 4 * part - 3), existing(year, 4 * part), "date.part"
    existing(year, month)
    first, last = ((1, 10), (11, 20), (21, days_in_month(year, month)))[part - 1]
    return existing(year, month, first), existing(year, month, last), "date.part"


# ---------------------------------------------------------------- ranges and alternatives


def _winter_of_two_years(phrase: Phrase) -> Cell:
    first, second = int(phrase.values[1]), int(phrase.values[2])
    if second not in (first + 1, (first + 1) % 100):
        raise Refused(*WINTER)
    span = text_of_span(existing(first, 12), existing(first + 1, 2), phrase.mark)
    return dated(span, "date.winter.years")


def _range_by_sign(phrase: Phrase) -> Cell | None:
    """A range with a hyphen or slash, where each side of it is a date or the part of one."""
    for sign in "-/":
        places = [place for place, kind in enumerate(phrase.shape) if kind == sign]
        if len(places) % 2:  # the one in the middle: 2015-03-05-2015-03-07
            cell = _range(phrase, places[len(places) // 2])
            if cell and sign == "/" and cell.rule == "date.range":
                return dated(cell.value, "date.range.slash", at_most=cell.certainty)
            if cell:
                return cell
    return None


def _sides(phrase: Phrase, separators: list[int]) -> list[_Side] | None:
    """The dates between these places of the shape, each completed from the last one."""
    sides: list[_Side] = []
    start = 0
    for separator in (*separators, len(phrase.shape)):
        side = _side(phrase, start, separator)
        if side is None or side.other_order:
            return None
        sides.append(side)
        start = separator + 1
    last = sides[-1]
    if last.day is not None and last.month is None:
        last.month = sides[0].month
    for side in sides[:-1]:
        if side.year is None and side.decade is None:
            side.year = last.year
        of_month = bool(side.part and last.month and side.year == last.year)  # late to mid March
        if side.season or side.decade:
            of_month = False
        if side.month is None and (side.day is not None or of_month):
            side.month = last.month
    return sides


def _range(phrase: Phrase, separator: int) -> Cell | None:
    if phrase.shape == "Y:N":
        return _years_or_month(phrase)
    sides = _sides(phrase, [separator])
    if sides is None:
        return None
    left, right = sides
    if right.year is None and right.decade is None:
        return None
    if right.only_year and (left.season or left.part or left.months):
        return None  # "summer 2014-2015": one summer or two?
    low, _, low_rule = _bounds(left)
    _, high, high_rule = _bounds(right)
    certainty = min(RULES[low_rule][0], RULES[high_rule][0])
    span = text_of_span(low, high, _mark(phrase.mark, left, right))
    return dated(span, "date.range", at_most=certainty)


def _years_or_month(phrase: Phrase) -> Cell:
    """2014–16 with a dash or slash: years, unless the second number could be a month."""
    first, second = int(phrase.values[0]), int(phrase.values[1])
    later = first - first % 100 + second
    if 0 < second <= min(12, first % 100):
        return dated(text_of(existing(first, second), phrase.mark), "date.year-month")
    if second <= 12:
        raise Refused(
            "a month or a range of years",
            f"write {first}-{second:02d} for the month, {first}/{later} for the years",
        )
    if second <= first % 100:
        raise Refused(*BACKWARDS)
    span = text_of_span(existing(first), existing(later), phrase.mark)
    return dated(span, "date.range.short")


def _one_of(phrase: Phrase) -> Cell | None:
    separators = [place for place, kind in enumerate(phrase.shape) if kind == "|"]
    sides = _sides(phrase, separators) if len(separators) < _MOST_ALTERNATIVES else None
    if sides is None or (sides[-1].year is None and sides[-1].decade is None):
        return None
    bounds = [_bounds(side) for side in sides]
    certainty = min(RULES[rule][0] for _, _, rule in bounds)
    if all(low == high for low, high, _ in bounds):
        points = sorted({low for low, _, _ in bounds})
        listed = ",".join(text_of(point, phrase.mark) for point in points)
        value = f"[{listed}]" if len(points) > 1 else listed
        return dated(value, "date.one-of", at_most=certainty)
    low = min(low for low, _, _ in bounds)
    high = max((high for _, high, _ in bounds), key=last_day)
    span = text_of_span(low, high, _mark(phrase.mark, *sides))
    return dated(span, "date.one-of.span", at_most=certainty)
