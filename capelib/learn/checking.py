"""Is an answer to an exercise right? If not: where to look again."""

from functools import cache
from typing import Any

from capelib.dataset import Dataset
from capelib.errors import ParameterError
from capelib.learn.answers import Feedback, NotAnAnswer, listed, read, same
from capelib.learn.exercise import Exercise
from capelib.learn.exercises import EXERCISES
from capelib.learn.hints import where_to_look
from capelib.loading import load
from capelib.vocabulary.codebook import require

_LAST: dict[str, Feedback] = {}  # the last feedback on each exercise in this session


def check(number: str, answer: Any = ..., ds: Dataset | None = None) -> Feedback:
    """Is this the answer to an exercise?

    Parameters
    ----------
    number
        Of the exercise, such as "2.2".
    answer
        Yours; `...` where you have none yet.
    ds
        The data to which the question is put; by default the public record, in the edition that
        the exercise names.

    Returns
    -------
    Feedback
        "2.2: right.", or what to look at again; never the answer. A wrong answer raises no error,
        so that "Run All Cells" goes on.

    Raises
    ------
    ParameterError
        For an unknown number.

    Notes
    -----
    The right answer and the usual wrong ones are computed from the data at hand: a new edition
    needs no new key.

    Examples
    --------
    >>> import capelib as cape
    >>> check("1.1", len(cape.load().incidents)).right
    False
    >>> check("1.1")
    1.1: no answer yet. The question: How many exiles does the public record hold?
    """
    key = str(number)
    if key not in EXERCISES:
        raise ParameterError(f"unknown exercise {key!r}: there are {listed(EXERCISES)}")
    exercise = EXERCISES[key]
    try:
        given = read(exercise.wanted, answer)
    except NotAnAnswer as reason:
        feedback = Feedback(key, False, f"{key}: {reason} The question: {exercise.asks}")
    else:
        feedback = _judged(exercise, given, ds)
    _LAST[key] = feedback
    return feedback


@cache
def _of_the_record(number: str) -> Any:
    """The right answer on the public record: computed once in a session."""
    exercise = EXERCISES[number]
    return read(exercise.wanted, exercise.right(load(edition=exercise.edition)))


def _judged(exercise: Exercise, given: Any, ds: Dataset | None) -> Feedback:
    number = exercise.number
    right = _of_the_record(number) if ds is None else read(exercise.wanted, exercise.right(ds))
    if same(given, right, exercise.within):
        return Feedback(number, True, f"{number}: right.")
    data = load(edition=exercise.edition) if ds is None else ds
    look = where_to_look(exercise, given, right, data)
    return Feedback(number, False, f"{number}: not yet. {look}")


def score(lesson: str | int) -> Feedback:
    """Which exercises of a lesson were answered in this session?

    Parameters
    ----------
    lesson
        1, 2, 3 or 4.

    Returns
    -------
    Feedback
        `right` where all are; the sentence lists those that are not.

    Raises
    ------
    ParameterError
        For an unknown lesson.

    Examples
    --------
    >>> score(3).sentence.startswith("Lesson 3: ")
    True
    """
    lessons = sorted({number.partition(".")[0] for number in EXERCISES})
    chosen = require("lesson", str(lesson), lessons)[0]
    numbers = [number for number in EXERCISES if number.startswith(f"{chosen}.")]
    right = [number for number in numbers if number in _LAST and _LAST[number].right]
    left = listed(number for number in numbers if number not in right)
    sentence = f"Lesson {chosen}: {len(right)} of {len(numbers)} right; still open: {left}."
    return Feedback(chosen, len(right) == len(numbers), sentence)
