"""Text of a user's table that a spreadsheet program would run as a formula."""

import re

import pandas as pd

# What a program may pass over before it sees a formula.
_BEFORE = r"[\s\x00-\x20'\"`\u00a0\u2018-\u201f\u200b-\u200f\u2060\ufeff]*"
_FORMULA = re.compile(rf"[\t\r\n]|{_BEFORE}[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?%?")


def defused(cells: pd.Series) -> pd.Series:
    """How is text written so that a spreadsheet program only shows it?

    Parameters
    ----------
    cells
        Text that goes into a file, column names too.

    Returns
    -------
    Series
        On the same index: with an apostrophe in front of cells whose first sign is = + - @ (also
        full-width, also after spaces and quotation marks), a tab or a line end. Numbers such as -5
        stay.

    Notes
    -----
    Write the result with all cells quoted, or a cell "a;=1+1" is split by programs that expect
    semicolons. Source: OWASP, CSV injection.

    Examples
    --------
    >>> defused(pd.Series(["=1+1", "-5", "@SUM(A1)", "TJK"])).tolist()
    ["'=1+1", '-5', "'@SUM(A1)", 'TJK']
    """
    places, distinct = pd.factorize(cells.astype("str"))
    safe = [f"'{text}" if _is_formula(text) else text for text in distinct]
    by_place = pd.Series([*safe, None], dtype="str")  # -1, a missing cell, is the last one
    return by_place.take(places).set_axis(cells.index).rename(cells.name)


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
