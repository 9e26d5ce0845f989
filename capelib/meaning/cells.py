"""What is made of one cell, and the reading of a column by its distinct values."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

RULES = {"text.form": "the same but for capitals, spaces or signs that do not show"}
HEDGED = 0.6  # certainty of what is written with doubt

_DOUBT = re.compile(
    r"\?|\b(?:probabl[ey]|possibl[ey]|presumabl[ey]|presumed|perhaps|maybe|likely|apparent(?:ly)?"
    r"|alleged(?:ly)?|reported(?:ly)?|suspected|unconfirmed|unverified"
    r"|вероятно|возможно|предположительно|видимо)\b",
    re.I,
)
_BLANKS = re.compile(r"\s+")


class Cell(NamedTuple):
    """What was a cell made into?

    Attributes
    ----------
    value
        The codebook's value; None where the cell is blank, says that nothing is known, or could
        not be read.
    rule
        By which rule ("code.word", "date.range" ...); "" where the cell held the value itself.
    certainty
        From 0 to 1; below 0.9 a guess to look at, 0 where there is a problem.
    problem, remedy
        What is wrong and what to do; None where nothing is.
    """

    value: str | None = None
    rule: str = ""
    certainty: float = 1.0
    problem: str | None = None
    remedy: str | None = None


_TYPES = {"value": "str", "rule": "str", "certainty": "float64", "problem": "str", "remedy": "str"}


def refused(problem: str, remedy: str, rule: str = "") -> Cell:
    """A cell that could not be read.

    Examples
    --------
    >>> refused("not a date", "write 2015")
    Cell(value=None, rule='', certainty=0.0, problem='not a date', remedy='write 2015')
    """
    return Cell(None, rule, 0.0, problem, remedy)


def without_doubt(text: str) -> str | None:
    """What is written with doubt, without the signs and words of doubt; None where there are none.

    Examples
    --------
    >>> without_doubt("detention (?)"), without_doubt("probably detained"), without_doubt("?")
    ('detention', 'detained', None)
    """
    if not _DOUBT.search(text):
        return None
    sure = re.sub(r"[(\[]\s*[)\]]", " ", _DOUBT.sub(" ", text))
    sure = " ".join(sure.split())
    return sure if re.search(r"\w", sure) and sure != text else None


def doubted(reading: "Cell | None", rule: str) -> "Cell | None":
    """The same value as a guess, by a rule for what is written with doubt; a problem stays."""
    if reading is None or reading.problem:
        return reading
    return reading._replace(rule=rule, certainty=min(reading.certainty, HEDGED))


def single_blanks(cell: str) -> str:
    r"""A cell in which each run of blanks is one blank, or one line end where the run holds one.

    Patterns that begin with optional blanks would look at a long run again from each of its blanks.

    Examples
    --------
    >>> single_blanks("arrest   and \r\n  trial")
    'arrest and\ntrial'
    """
    return _BLANKS.sub(lambda run: "\n" if {"\n", "\r"} & set(run[0]) else " ", cell)


def frame_of(readings: Iterable[Cell]) -> pd.DataFrame:
    """Cells as a frame: a row each, the fields of `Cell` as columns.

    Examples
    --------
    >>> frame_of([Cell("TJK"), Cell()])["value"].tolist()
    ['TJK', nan]
    """
    return pd.DataFrame(list(readings), columns=list(Cell._fields)).astype(_TYPES)


def by_distinct(
    cells: pd.Series,
    read: Callable[[list[str]], Iterable[Cell]],
    fold: Callable[[pd.Series], pd.Series],
) -> pd.DataFrame:
    """What does each cell of a column mean, when each distinct value is read once?

    A million rows then cost little more than what differs in them.

    Parameters
    ----------
    cells
        Text, missing where blank.
    read
        Gives a `Cell` for each distinct folded text that is not blank, in order; it sees the whole
        column at once.
    fold
        Turns a column of text into the form in which values are compared.

    Returns
    -------
    DataFrame
        On the same index, with the columns of `Cell`. Where the value is not what the cell held,
        though no rule is named, the rule is "text.form".
    """
    places, distinct = pd.factorize(cells.astype("str"))
    texts = pd.Series(distinct, dtype="str")
    places_of_forms, forms = pd.factorize(fold(texts))
    filled = np.asarray(forms != "", dtype=bool)
    readings = frame_of([*read(list(forms[filled])), Cell()])
    blank = len(readings) - 1
    row = np.full(len(forms), blank)  # "" is read as blank, whatever spaces it was made of
    row[filled] = np.arange(blank)
    by_text = readings.take(row[places_of_forms]).reset_index(drop=True)
    same = by_text["value"].fillna("") == texts
    by_text.loc[same & (by_text["certainty"] == 1), "rule"] = ""
    other_form = ~same & by_text["problem"].isna() & (by_text["rule"] == "")
    by_text.loc[other_form, "rule"] = "text.form"
    with_blank = pd.concat([by_text, readings.tail(1)], ignore_index=True)
    return with_blank.take(places).set_axis(cells.index)  # -1, a missing cell, is the last row
