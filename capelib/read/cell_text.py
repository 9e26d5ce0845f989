"""The text of a single cell that a file gives as a number, date or list."""

import json
import math
from datetime import date, datetime, time, timedelta
from typing import Any


def text_of(value: Any) -> str | None:
    """Which text stands for a cell's value?

    Returns
    -------
    str or None
        Dates in ISO form, whole numbers without .0, yes and no, lists and records as JSON; None
        where the cell is blank.

    Examples
    --------
    >>> values = (2015.0, 0.1 + 0.2, True, datetime(2015, 3, 5), " ", float("nan"))
    >>> [text_of(value) for value in values]
    ['2015', '0.3', 'yes', '2015-03-05', None, None]
    """
    match value:
        case None:
            return None
        case str():
            return value if value and not value.isspace() else None
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            if math.isnan(value):
                return None
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
        case datetime():
            if value != value:  # pandas' NaT
                return None
            return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case bytes():
            return value.decode("utf-8", "replace")
        case list() | tuple() | dict():
            return json.dumps(value, ensure_ascii=False, default=text_of) if value else None
    return str(value)
