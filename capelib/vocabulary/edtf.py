"""Dates as reports give them: EDTF strings turned into first day, last day and year, and kept as written."""

import re

import pandas as pd

_LEVEL_0 = {
    "year": (r"\d{4}", "%Y", "Y"),
    "month": (r"\d{4}-(0\d|1[0-2])", "%Y-%m", "M"),
    "day": (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d", "D"),
}


def bounds(dates: pd.Series) -> pd.DataFrame:
    """First and last day that each EDTF date allows, and its precision.

    Each distinct date is read once. Dates of level 0 (2015, 2015-03, 2015-03-05) are read by pandas at once, approximate ones,
    seasons and intervals of these (2015~, 2015-21, 2014/2016) by themselves, and every other form (201X) by the edtf library.

    dates: EDTF strings; missing where not stated.
    Returns a frame on the same index: `date_start`, `date_end` (datetime64, missing where blank or invalid),
    `precision` ("day", "month", "year", "other" or missing), `valid` (False where a date is written but cannot be read).
    Source: Extended Date/Time Format, ISO 8601-2:2019.

    >>> bounds(pd.Series(["2015-02", "soon"]))["date_end"].dt.strftime("%d %B %Y").tolist()
    ['28 February 2015', nan]
    """
    places, distinct = pd.factorize(dates.astype("str").array)
    found = _bounds(
        pd.Series([*distinct, None], dtype="str")
    )  # the place of a missing date is the last one
    return found.take(places).set_axis(dates.index)


def _bounds(dates: pd.Series) -> pd.DataFrame:
    text = dates.str.strip()
    start = pd.Series(pd.NaT, index=dates.index, dtype="datetime64[s]")
    end = start.copy()
    precision = pd.Series(None, index=dates.index, dtype="str")
    for name, (pattern, written, period) in _LEVEL_0.items():
        rows = text.str.fullmatch(pattern).fillna(False).astype(bool)
        first = pd.to_datetime(text[rows], format=written, errors="coerce")
        precision[rows] = name
        start[rows] = first.astype("datetime64[s]")
        end[rows] = first.dt.to_period(period).dt.end_time.dt.floor("D").astype("datetime64[s]")
    other = text.notna() & (text != "") & precision.isna()
    precision[other] = "other"
    if other.any():
        both = pd.DataFrame(
            [_parse(value) or (pd.NaT, pd.NaT) for value in text[other]], dtype="datetime64[s]"
        )
        start[other], end[other] = (both[side].to_numpy() for side in (0, 1))
    written_down = text.notna() & (text != "")
    return pd.DataFrame(
        {
            "date_start": start,
            "date_end": end,
            "precision": precision,
            "valid": ~written_down | start.notna(),
        }
    )


_POINT = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?[?~%]?")


def _point(text: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """First and last day of a year, month, season or day, which may be approximate or uncertain; None for any other form."""
    found = _POINT.fullmatch(text)
    if not found or not 1700 <= int(found[1]) <= 2200:
        return None
    year, month, day = (int(part or 0) for part in found.groups())
    if 21 <= month <= 24 and not day and text[-1].isdigit():
        month, months = (
            3 * (month - 20),
            3 if month < 24 else 1,
        )  # for the library, too, a winter ends with the year
    else:
        months = 1 if month else 12
    try:
        first = pd.Timestamp(year, month or 1, day or 1)
    except ValueError:
        return None
    return first, first if day else first + pd.DateOffset(months=months) - pd.Timedelta(days=1)


def _parse(value: str) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """What the edtf library makes of a date; the forms that occur most are read without it, since it takes 4 to 170 ms for one."""
    parts = value.split("/")
    ends = [end for end in map(_point, parts) if end]
    if len(ends) == len(parts) <= 2:
        return (ends[0][0], ends[-1][1]) if ends[0][0] <= ends[-1][1] else None
    import edtf

    if value.startswith("/") or value.endswith("/"):
        return None  # an interval with an unknown end: the library would put ten years in its place
    try:
        parsed = edtf.parse_edtf(value)
        first, last = (
            pd.Timestamp(*day[:3]) for day in (parsed.lower_strict(), parsed.upper_strict())
        )
    except (edtf.EDTFParseException, TypeError, ValueError, AttributeError, OverflowError):
        return None  # unreadable, or an open interval: no last day can be given
    return (first, last) if first <= last else None


def year(start: pd.Series, end: pd.Series) -> pd.Series:
    """The year of a date, missing where its first and last day lie in different years (whole numbers, nullable).

    >>> days = pd.Series(pd.to_datetime(["2015-01-01", "2014-01-01"]))
    >>> year(days, pd.Series(pd.to_datetime(["2015-12-31", "2016-12-31"]))).tolist()
    [2015, <NA>]
    """
    return start.dt.year.where(start.dt.year == end.dt.year).astype("Int64")
