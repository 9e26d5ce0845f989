"""Who stands in a row: a name, which only tells persons apart, a number of persons, or nobody."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS
from capelib.clean.distinct import DistinctColumn
from capelib.clean.matching import Match
from capelib.clean.rows import RowLog
from capelib.meaning.counts import counts_persons
from capelib.meaning.nobody import nobody
from capelib.meaning.persons import is_name_column
from capelib.vocabulary.text import bare

RULES = {
    "group.number": "a number of persons stands in the row: more than one are a group",
    "group.words": "words for several persons, and no name",
    "persons.number": "numbers are no names: they tell no persons apart",
}
_NAME_PARTS = {
    "name", "surname", "last name", "lastname", "family name", "first name", "firstname",
    "forename", "given name", "middle name", "patronymic", "имя", "фамилия", "отчество",
}  # fmt: skip
_MOSTLY = 0.9  # of the filled cells: the rest may be remarks
_LOOKED_AT = 200  # cells, of which one at least must be a number
_NUMBER = r"\s*(?:[0-9]{1,6}(?:\.0+)?|[0-9]{1,3}(?:[, \u00a0\u202f'][0-9]{3})+)\s*"


@dataclass(frozen=True)
class Persons:
    """The persons of one sheet.

    Attributes
    ----------
    names
        A name for each row, or blank.
    group
        For each row: is it about several persons, as its words or its number say?
    """

    names: DistinctColumn
    group: np.ndarray


def whole_numbers(cells: pd.Series) -> pd.Series | None:
    """The numbers of a column of whole numbers, missing where it has none; None for another one."""
    filled = cells.dropna()
    first = filled.iloc[:_LOOKED_AT].str.fullmatch(_NUMBER).fillna(False).astype(bool)
    if not first.any():  # soon, since columns of names can have a million cells
        return None
    words = pd.Series(filled.unique(), dtype="str")
    numbers = words[words.str.fullmatch(_NUMBER).fillna(False).astype(bool)]
    if filled.isin(numbers).mean() < _MOSTLY:
        return None
    values = numbers.str.replace(r"[\s,']", "", regex=True).astype("float64")
    return cells.map(dict(zip(numbers, values, strict=True)))


def number_columns(frame: pd.DataFrame) -> list[str]:
    """Columns called like those of names that hold numbers, and so no names."""
    names = [str(name) for name in frame.columns if is_name_column(str(name))]
    return [name for name in names if whole_numbers(frame[name]) is not None]


def persons_of(frame: pd.DataFrame, match: Match, rows: RowLog, start: int) -> Persons:
    """Who stands in each row, by the first column of names, or the parts of a name put together.

    Numbers of persons, and words that name nobody, are told: they tell no persons apart.
    """
    columns = [str(name) for name in frame.columns if name not in match.certainty]
    of_numbers = set(number_columns(frame))
    headers = [name for name in columns if is_name_column(name) and name not in of_numbers]
    names = _named(DistinctColumn.from_cells(_whole_names(frame, headers)), rows, start)
    group = names.group
    for name in columns:
        if name in of_numbers or counts_persons(name):
            group |= _group_by_number(frame[name], name, rows, start)
    return Persons(names.names, group)


def named_keys(keys: DistinctColumn, rows: RowLog, start: int) -> Persons:
    """The keys of exiles, blank where words that name nobody stand in their place."""
    return _named(keys, rows, start, numbers=True)


def with_groups(answers: DistinctColumn | None, group: np.ndarray) -> DistinctColumn:
    """The column is_group, with yes where it is blank and the row is about several persons."""
    if answers is None:
        answers = DistinctColumn.blank(len(group))
    return DistinctColumn.from_cells(answers.cells().mask(group & ~answers.filled, "yes"))


def _whole_names(frame: pd.DataFrame, headers: list[str]) -> pd.Series:
    parts = [name for name in headers if bare(name.rpartition(" / ")[2]) in _NAME_PARTS]
    if not headers:
        return pd.Series(None, index=frame.index, dtype="str")
    if len(parts) < 2:
        return frame[headers[0]]
    whole = frame[parts[0]].fillna("")
    for part in parts[1:]:
        whole = whole + " " + frame[part].fillna("")
    return whole.mask(whole.str.strip() == "")


def _named(names: DistinctColumn, rows: RowLog, start: int, *, numbers: bool = False) -> Persons:
    """Names without the words that name nobody. numbers: may a number stand for a person?"""
    words = names.words
    without_name = nobody(words)
    group = names.flags(without_name.several)
    places = np.flatnonzero(group & ~rows.untrusted[start : start + len(group)]) + start
    remedy = "leave is_group blank, or write no, where it is one person"
    rows.log("is_group", places, "group.words", "a group", GUESS, remedy, 0.8)
    nameless = without_name.nameless
    if not numbers:
        nameless = nameless | ~words.str.contains(r"[^\W\d_]").fillna(False).to_numpy(dtype=bool)
    return Persons(names.map(words.mask(nameless)), group)


def _group_by_number(cells: pd.Series, name: str, rows: RowLog, start: int) -> np.ndarray:
    """The rows with a number of persons above one; that it is a number is told for each row."""
    numbers = whole_numbers(cells)
    if numbers is None:
        return np.zeros(len(cells), dtype=bool)
    trusted = ~rows.untrusted[start : start + len(cells)]
    filled = cells.notna().to_numpy() & trusted
    if not counts_persons(name):
        remedy = "name the column exile_id if they are keys"
        made = "no name: each row counts as one person or group"
        places = np.flatnonzero(filled) + start
        rows.log("exile_id", places, "persons.number", made, GUESS, remedy, 0.5)
        return np.zeros(len(cells), dtype=bool)
    several = (numbers > 1).fillna(False).to_numpy(dtype=bool) & trusted
    remedy = "give one row to each person where they are known apart"
    for flags, made in ((several, "a group"), (filled & ~several, "one person")):
        rows.log(
            "is_group", np.flatnonzero(flags) + start, "group.number", made, GUESS, remedy, 0.7
        )
    return several
