"""What a student gives as an answer: read kindly, and compared with the right one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from math import isclose, isnan
from typing import Any

import numpy as np
import pandas as pd

from capelib.errors import ParameterError
from capelib.findings.ledger import ledger
from capelib.findings.verdicts import Verdict
from capelib.meaning.arguments import states_meant

# What an exercise asks for, in words.
WANTED = {
    "number": "one number",
    "fraction": "a fraction of 1 (such as 0.25)",
    "states": "states, by their codes or names",
    "series": "a number for each year, as `cape.counts.per_year` gives them",
    "letter": "one letter in quotes",
    "yes": "True or False",
    "verdict": "the verdict that `cape.findings.judge` gives",
}


class NotAnAnswer(Exception):
    """What was given cannot be an answer to the question; the message says what is wanted."""


@dataclass(frozen=True, repr=False)
class Feedback:
    """What is to be said to an answer?

    Attributes
    ----------
    number : str
        Of the exercise.
    right : bool
    sentence : str
        "2.2: right.", or what to look at again.
    """

    number: str
    right: bool
    sentence: str

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        colour = "#009E73" if self.right else "#D55E00"
        style = f"border-left: 4px solid {colour}; padding-left: 8px"
        return f'<p style="{style}">{escape(self.sentence)}</p>'


def read(wanted: str, given: Any) -> Any:
    """What does an answer amount to?

    Parameters
    ----------
    wanted
        A key of `WANTED`.
    given
        Whatever the student has.

    Returns
    -------
    object
        A float, a set of codes, a dictionary by year, a letter, True or False.

    Raises
    ------
    NotAnAnswer
        With a sentence for the student.

    Examples
    --------
    >>> read("number", pd.Series([3])), sorted(read("states", "Russia"))
    (3.0, ['RUS'])
    """
    if given is None or given is ...:
        raise NotAnAnswer("no answer yet.")
    readers = {
        "number": _number,
        "fraction": _number,
        "states": _states,
        "series": _series,
        "letter": _letter,
        "yes": _yes,
        "verdict": _verdict,
    }
    try:
        return readers[wanted](given)
    except ParameterError as error:  # an unknown state: the message names the nearest one
        stop = "" if str(error).endswith("?") else "."
        raise NotAnAnswer(f"{error}{stop}") from None
    except (TypeError, ValueError):
        kind = type(given).__name__
        article = "an" if kind[0] in "aeiou" else "a"
        remedy = _remedy(wanted, given)
        raise NotAnAnswer(f"{WANTED[wanted]} is wanted, not {article} {kind}{remedy}.") from None


def _remedy(wanted: str, given: Any) -> str:
    """What makes an answer of what was given, where that can be said."""
    if isinstance(given, str) and wanted == "letter":
        return " of several letters"
    if isinstance(given, str) and wanted in ("number", "fraction") and not _has_digit(given):
        return ": write it in digits, without quotes"
    if isinstance(given, str) and wanted in ("number", "fraction", "yes"):
        return ": leave the quotes out"
    if isinstance(given, pd.DataFrame) and wanted == "number":
        return ", of which `len` counts the rows"
    if isinstance(given, pd.Series) and wanted == "states":
        return " of all rows: `value_counts` counts each"
    parts = getattr(given, "_fields", None) or getattr(given, "__dataclass_fields__", ())
    if parts and wanted in ("number", "fraction"):
        return f". Which of its parts is asked: {listed(parts)}"
    return ""


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _number(given: Any) -> float:
    if isinstance(given, pd.Series | pd.DataFrame | pd.Index | np.ndarray):
        given = np.asarray(given).item()  # a ValueError where there are several
    if given is pd.NA or isinstance(given, str | bool | np.bool_):
        raise TypeError
    number = float(given)
    if isnan(number):
        raise NotAnAnswer("the answer is a missing value. Which rows did you take?")
    return number


def _states(given: Any) -> frozenset[str]:
    if isinstance(given, pd.DataFrame):
        raise TypeError
    if isinstance(given, pd.Series) and pd.api.types.is_numeric_dtype(given):
        given = given.index  # counts by state
    values = given.split(",") if isinstance(given, str) else list(given)
    if not all(isinstance(value, str) for value in values):
        raise TypeError
    return frozenset(states_meant("state", values))


def _series(given: Any) -> dict[int, float]:
    if isinstance(given, pd.DataFrame):
        first, last = given.columns[0], given.columns[-1]
        given = given[last] if len(given.columns) == 1 else given.set_index(first)[last]
    if not isinstance(given, pd.Series | Mapping):
        raise TypeError
    return {int(year): float(value) for year, value in given.items()}


def _letter(given: Any) -> str:
    letter = given.strip(" .:()").upper() if isinstance(given, str) else ""
    if len(letter) != 1:
        raise TypeError
    return letter


def _yes(given: Any) -> bool:
    if not isinstance(given, bool | np.bool_):
        raise TypeError
    return bool(given)


def _verdict(given: Any) -> bool:
    """Is it a verdict on a number that the ledger lacks, reached with an interval?"""
    if not isinstance(given, Verdict):
        raise TypeError
    statements = {row.statement.casefold() for row in ledger().values()}
    if given.finding_id in ledger() or given.statement.casefold() in statements:
        raise NotAnAnswer("that number is in the ledger already. Choose one that is not.")
    if not given.made_by:
        raise NotAnAnswer("say how the number was computed: made_by of `cape.findings.judge`.")
    return True


def same(given: Any, right: Any, within: float) -> bool:
    """Is an answer the right one? Numbers may differ by `within`.

    Examples
    --------
    >>> same({2014: 3.0}, {2014: 3.0}, 1e-9), same(0.4712, 0.4716, 0.005)
    (True, True)
    """
    if isinstance(given, dict) and isinstance(right, dict):
        both = given.keys() == right.keys()
        return both and all(same(given[key], right[key], within) for key in right)
    if isinstance(given, float) and isinstance(right, float):
        return isclose(given, right, rel_tol=1e-9, abs_tol=within)
    return type(given) is type(right) and given == right


def listed(values: Iterable[str]) -> str:
    """Values in a line; "none" where there are none.

    Examples
    --------
    >>> listed([]), listed(["1.1", "1.2"])
    ('none', '1.1, 1.2')
    """
    return ", ".join(values) or "none"
