"""Remarks around a date: notes of a page, "week of", "night of", "month unknown".

A date that the grammar refuses is read again without its remark.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from capelib.meaning.cells import Cell
from capelib.meaning.date_values import dated

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_FOOTNOTE = re.compile(
    r"^[*†‡§]+\s*(?=\S)"
    r"|(?<=[0-9.])\s*(?:[*†‡§]+|\[(?:[0-9]{1,3}|[a-z]|note [0-9]{1,3})\])"
    r"(?=[\s,;/\u2012-\u2015-]|$)"
    r"|(?<=[0-9]{4})\s*\([0-9]{1,2}\)$"
)
_YEAR_AND_NOTE = re.compile("^(20[0-9]{2})[1-9]$")  # day numbers of 1954 to 1957
_TIME = r"(?:early |late )?(?:night|evening|morning|afternoon|noon|midnight|dawn|hours)"
_TIME_OF_DAY = re.compile(
    rf"^(?:(?:on|in|during|over) )?(?:the )?(?:{_TIME} (?:of|from)|overnight(?: on)?) (?:the )?"
    rf"|,? \(?(?:(?:in the|at|that) )?{_TIME}\)?$"
    r"|,? (?:утром|вечером|днем|ночью)$"
)
_TO_NEXT_NIGHT = re.compile(r"^(?:в )?ночь (?:с|со) ([0-9]{1,2})(?:-?го)? на ")
_WEEK = re.compile(
    r"^(?:(?:in|during) )?(?:the )?(?:week (?:of|beginning|starting|commencing)(?: on)?|w/c) "
    r"(?:the )?|^(?:на )?недел[яеи] "
)
_NOT_KNOWN = (
    r"(?:unknown|not known|unclear|unspecified|not specified|unconfirmed|not given|n/a)"
    r"|(?:неизвест|не извест|не установлен|не указан)\w*"
)
_PART = r"day and month|month and day|days?|months?|dates?|time|день|число|месяц|дата"
_UNKNOWN_PART = re.compile(
    r"[(\[]?\b(?:the )?(?:(?:exact|precise|specific|actual|точн\w+) )?"
    rf"(?:(?:{_PART})(?: is| was|:)? (?:{_NOT_KNOWN})"
    rf"|(?:{_NOT_KNOWN})(?: (?:exact |precise )?(?:{_PART}))?)(?!\w)[)\]]?"
)
_TWO_DAYS = re.compile(
    r"(?<![0-9.:/-])([0-9]{1,2})(?:st|nd|rd|th)? ?(?:&|and|и) ?([0-9]{1,2})"
    r"(?:st|nd|rd|th)?(?![0-9.:/-])"
)
_SHORT_END = re.compile(
    r"^([0-9]{4})-([0-9]{2})-([0-9]{2}) ?(?:to|until|through|/| - ) ?(?:([0-9]{2})-)?([0-9]{2})$"
)


class Remark(NamedTuple):
    """What is left of a text without its remark?

    Attributes
    ----------
    text
        The text without it.
    rule
        Which kind it was, one of `capelib.meaning.date_values.RULES`.
    part
        Which part of the date it names, such as "day".
    """

    text: str
    rule: str
    part: str = ""


def without_remark(text: str) -> Remark | None:
    """A `plain` text without the remark that stands beside its date; None where there is none.

    Examples
    --------
    >>> without_remark("2013 (month unknown)")
    Remark(text='2013', rule='date.rest-unknown', part='month unknown')
    """
    for remark in _REMARKS:
        rest = remark(text)
        if rest and rest.text and rest.text != text:
            return rest
    return None


def is_year_with_note(number: str) -> bool:
    """Is this number of five digits a year with the number of a note, rather than a day?

    Examples
    --------
    >>> is_year_with_note("20123"), is_year_with_note("42068")
    (True, False)
    """
    return _YEAR_AND_NOTE.match(number) is not None


def with_remark(cell: Cell, remark: Remark) -> Cell:
    """The date that was read without the remark, as exact as the remark lets it be."""
    value = cell.value or ""
    if remark.rule == "date.week" and re.fullmatch(_DAY, value):
        value += "~"
    if remark.rule == "date.rest-unknown" and re.fullmatch(_DAY, value):
        value = _without_part(value, remark.part)
    return dated(value, remark.rule, at_most=cell.certainty)


def _without_part(day: str, part: str) -> str:
    """A day that is only a stand-in: somebody wrote a full date and that it is not known."""
    if re.search("month|месяц", part):
        return day[:4]
    if re.search("day|день|число", part):
        return day[:7]
    return day if "time" in part else f"{day}~"


# ---------------------------------------------------------------- the remarks


def _footnote(text: str) -> Remark | None:
    if match := _YEAR_AND_NOTE.match(text):
        return Remark(match[1], "date.footnote.digit")
    return Remark(_FOOTNOTE.sub("", text).strip(), "date.footnote")


def _unknown_part(text: str) -> Remark | None:
    match = _UNKNOWN_PART.search(text)
    if not match or not re.search("[0-9]{4}", text):
        return None
    rest = f"{text[: match.start()]} {text[match.end() :]}".strip(" ,;:.()[]-")
    return Remark(rest.removeprefix("but ").strip(), "date.rest-unknown", match[0].strip(" ([])"))


def _time_of_day(text: str) -> Remark | None:
    text = _TO_NEXT_NIGHT.sub(r"\1-", text)
    return Remark(_TIME_OF_DAY.sub("", text).strip(), "date.time")


def _week(text: str) -> Remark | None:
    return Remark(_WEEK.sub("", text), "date.week")


def _two_days(text: str) -> Remark | None:
    """5 & 6 March: two days in a row are the time of one incident."""

    def range_of_days(match: re.Match[str]) -> str:
        return f"{match[1]}-{match[2]}" if int(match[2]) == int(match[1]) + 1 else match[0]

    return Remark(_TWO_DAYS.sub(range_of_days, text), "date.range.days")


def _short_end(text: str) -> Remark | None:
    match = _SHORT_END.match(text)
    if not match:
        return None
    year, month, day, last_month, last_day = match.groups()
    end = f"{year}-{last_month or month}-{last_day}"
    return Remark(f"{year}-{month}-{day}/{end}", "date.range.short-end")


_REMARKS: tuple[Callable[[str], Remark | None], ...] = (
    _footnote,
    _unknown_part,
    _time_of_day,
    _week,
    _two_days,
    _short_end,
)
