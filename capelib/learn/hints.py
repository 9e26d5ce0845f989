"""Where to look again: the hint for a usual wrong way, else for the kind of error.

A hint never holds the answer.
"""

from typing import Any

from capelib.dataset import Dataset
from capelib.learn.answers import read, same
from capelib.learn.exercise import Exercise
from capelib.loading import load

_MANY = 20  # cases from which on "one too many" gives no answer away
_FIRST_YEAR = 1900
_TABLES = ("incidents", "exiles", "sources")


def where_to_look(exercise: Exercise, given: Any, right: Any, ds: Dataset) -> str:
    """What is to be looked at again?

    Parameters
    ----------
    exercise
    given, right
        As `capelib.learn.answers.read` gives them; they differ.
    ds
        The data to which the question is put.
    """
    by_kind = {
        "fraction": _of_fraction,
        "number": _of_count,
        "series": _of_series,
        "states": _of_states,
    }
    hint = _of_slip(exercise, given, ds) or _of_edition(exercise, given)
    if not hint and exercise.wanted in by_kind:
        hint = by_kind[exercise.wanted](exercise, given, right, ds)
    return hint or f"Read the question again: {exercise.asks}"


def _of_slip(exercise: Exercise, given: Any, ds: Dataset) -> str:
    for slip in exercise.slips:
        if same(given, read(exercise.wanted, slip.way(ds)), exercise.within):
            return slip.look
    return ""


def _of_edition(exercise: Exercise, given: Any) -> str:
    """The answer of the current edition, where an earlier one is asked."""
    if not exercise.edition or exercise.wanted not in ("number", "fraction"):
        return ""
    current = read(exercise.wanted, exercise.right(load()))
    if not same(given, current, exercise.within):
        return ""
    return f"That is the current edition. Edition {exercise.edition} is asked."


def _of_fraction(exercise: Exercise, given: float, right: float, ds: Dataset) -> str:
    if abs(given) > 1:
        slip = _of_slip(exercise, given / 100, ds)
        if slip or same(given / 100, right, exercise.within):
            return f"A fraction of 1, such as 0.25, is wanted: divide by 100. {slip}".strip()
        if given == int(given) and given > 100:
            return "That is a count. A fraction of 1 is wanted: divide it by the number of all."
        return "A fraction of 1 is at most 1. Is it a percentage, or divided the wrong way round?"
    if given in (0, 1) or given == round(right, 1):
        return "Two decimals are wanted. Was it rounded, or divided with `//`?"
    if "fraction" in exercise.asks and same(1 - given, right, exercise.within):
        return "That is the share of the others."
    if same(-given, right, exercise.within) or _of_slip(exercise, -given, ds):
        return "The sign: which of the two is taken from which?"
    return ""


def _of_count(exercise: Exercise, given: float, right: float, ds: Dataset) -> str:
    if exercise.asks.startswith("In which year"):
        return "A year is asked, and such a number is none." if given < _FIRST_YEAR else ""
    if given < 0:
        return "A number of cases is never below 0."
    if given != int(given):
        return "Cases are counted: a whole number is wanted, neither a share nor a mean."
    for table in _TABLES:
        if given == len(getattr(ds, table)):
            return f"That is the number of rows of `ds.{table}`. Which of them are asked?"
    if abs(given - right) == 1 and right > _MANY:
        return "Is one too many or too few in it, such as a header, the first or the last row?"
    return ""


def _of_series(
    exercise: Exercise, given: dict[int, float], right: dict[int, float], ds: Dataset
) -> str:
    del exercise, ds
    if given.keys() == right.keys():
        return "The years are those asked for, the counts are not. Which incidents have you kept?"
    years = f"Yours are {min(given)} to {max(given)}. " if given else ""
    return (
        f"The years are others than those asked for. {years}Years without an incident count too, "
        "and `range` ends before its last number."
    )


def _of_states(exercise: Exercise, given: frozenset, right: frozenset, ds: Dataset) -> str:
    del exercise, ds
    if len(given) == len(right):
        return ""
    return f"The question asks for {len(right)} states, and yours are {len(given)}."
