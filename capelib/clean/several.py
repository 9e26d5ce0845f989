"""Several values in one cell: several hosts, measures or dates of a row become lines of their own, linked by the row."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS, INFO
from capelib.clean.distinct import Column, once
from capelib.clean.rows import Rows
from capelib.clean.values import Reader
from capelib.meaning.codes import several_values
from capelib.meaning.free_text_dates import several_dates
from capelib.meaning.state_names import several_states

MOST = 20  # values in one cell; a cell with more is no list of hosts or measures
TRIED = 20_000  # distinct cells of a column that are looked at: one with more unreadable cells is no list either
_BETWEEN = (  # what can stand between two values, so that the other cells need not be looked at
    r"(?i)[;,/|&+→⇒>\n\r•·▪*()]|[0-9][.)]\s|\s[-–—]\s|\s(?:and|then|followed by|und|и|затем|ва|va|we|және|жана)\s"
)
_TWO_YEARS = re.compile(r"[0-9]{4}(?![0-9]).*?[0-9]{4}", re.DOTALL)
_INTERVAL = re.compile(
    r"[^/;,]+/[^/;,]+"
)  # 2016/2014 is an interval that ends before it begins, not two dates
CUT: dict[str, Callable[[str], list[str]]] = {
    "host": several_states,
    "measure": partial(several_values, column="measure"),
    "date": lambda cell: (
        [cell] if _INTERVAL.fullmatch(cell) or not _TWO_YEARS.search(cell) else several_dates(cell)
    ),
}
_UNSAID = {"host": "several hosts, not said which", "date": "several dates, not said which"}


@dataclass(frozen=True)
class Lines:
    """One line an incident. of: the row it comes from. part: its number among the lines of this row. cells: by our columns.

    shared: columns of which a row has one cell for all its incidents, as where each stage of an exile is an incident.
    """

    of: np.ndarray
    part: np.ndarray
    cells: dict[str, Column]
    shared: frozenset[str] = frozenset()

    def take(self, lines: np.ndarray) -> "Lines":
        """These lines, a line as often as it is named."""
        of = self.of[lines]
        return replace(
            self,
            of=of,
            part=numbered(of),
            cells={name: column.take(lines) for name, column in self.cells.items()},
        )


def numbered(of: np.ndarray) -> np.ndarray:
    """The number of each line among the lines of its row, from 0; lines of a row stand together.

    >>> numbered(np.array([4, 4, 7, 9, 9, 9])).tolist()
    [0, 1, 0, 0, 1, 2]
    """
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    sizes = np.diff(np.append(starts, len(of)))
    return (np.arange(len(of)) - np.repeat(starts, sizes)).astype("int32")


@dataclass(frozen=True)
class _Lists:
    """The parts of the cells of a column that hold several values, by the place of the cell; counts: of each line, 0 where blank."""

    parts: dict[int, list[str]]
    counts: np.ndarray


def split(lines: Lines, rows: Rows, readers: dict[str, Reader]) -> Lines:
    """A line for each value of a cell that holds several, as far as it cannot be read as one.

    Several values in two columns of a row are paired in their order where they are as many (certainty 0.5), else the row is set
    aside. Where the row's one cell (see `Lines.shared`) holds several and the row has as many incidents, they are paired in order
    (0.5); with another number nobody said which belongs to which, and the cell is left blank.
    """
    lists = {
        column: _lists(lines.cells[column], readers[column], cut)
        for column, cut in CUT.items()
        if column in lines.cells
    }
    lists = {column: found for column, found in lists.items() if found.parts}
    own = {column: found for column, found in lists.items() if column not in lines.shared}
    if own:
        lines = _apart(lines, rows, own)
    for column in lists.keys() - own.keys():
        lines = _dealt(lines, rows, column, lists[column].parts)
    return lines


def _lists(column: Column, reader: Reader, cut: Callable[[str], list[str]]) -> _Lists:
    apart = np.flatnonzero(column.words.str.contains(_BETWEEN).fillna(False).to_numpy(dtype=bool))
    if not len(apart):
        return _Lists({}, np.zeros(0, dtype="int32"))
    unread = apart[reader.read(column.words.iloc[apart])["problem"].notna().to_numpy()]
    found = {int(place): cut(str(column.words.iloc[place])) for place in unread[:TRIED]}
    parts = {place: values for place, values in found.items() if len(values) > 1}
    counts = np.ones(len(column.words) + 1, dtype="int32")
    counts[[*parts, -1]] = [*map(len, parts.values()), 0]
    return _Lists(parts, counts[column.places])


def _apart(lines: Lines, rows: Rows, lists: dict[str, _Lists]) -> Lines:
    counts = np.column_stack([found.counts for found in lists.values()])
    most = counts.max(axis=1, initial=1)
    uneven = ((counts > 1) & (counts != most[:, None])).any(axis=1)
    remedy = "write one row for each incident"
    rows.refuse(once(lines.of[uneven]), "measure", "cells hold different numbers of values", remedy)
    rows.refuse(
        once(lines.of[most > MOST]), "measure", f"a cell holds more than {MOST} values", remedy
    )
    refused = uneven | (most > MOST)
    rows.untrusted[lines.of[refused]] = True
    most[refused] = 1
    paired = (counts > 1).sum(axis=1) > 1
    line = np.repeat(np.arange(len(most)), most)
    inside = (np.arange(len(line)) - np.repeat(np.cumsum(most) - most, most)).astype("int32")
    parted = lines.take(line)
    for column, found in lists.items():
        many = (found.counts > 1) & (most > 1)
        for both in (False, True):
            these = np.flatnonzero(many & (paired == both))
            _tell(rows, column, lines.of[these], lines.cells[column], these, found.parts, both)
        parted.cells[column] = _picked(
            parted.cells[column], found.parts, np.flatnonzero(many[line]), inside
        ).without(refused[line])
    return parted


def _dealt(lines: Lines, rows: Rows, column: str, parts: dict[int, list[str]]) -> Lines:
    """The parts of the one cell of each row dealt out to its lines in order, or the cell left blank where their numbers differ."""
    cells = lines.cells[column]
    counts = np.zeros(len(cells.words) + 1, dtype="int32")
    counts[list(parts)] = [len(values) for values in parts.values()]
    held = counts[cells.places]
    size = np.bincount(lines.of, minlength=rows.total)[lines.of]
    fits, lost = (
        np.flatnonzero((held > 1) & (held == size)),
        np.flatnonzero((held > 1) & (held != size)),
    )
    _tell(rows, column, lines.of[fits], cells, fits, parts, True)
    if len(lost):
        table = pd.DataFrame(
            {
                "value": cells.words,
                "made": "left blank",
                "rule": _UNSAID[column],
                "severity": GUESS,
                "certainty": 0.5,
            }
        )
        table["remedy"] = f"give each incident its own {column}"
        rows.tell(column, lines.of[lost], cells.places[lost], table)
    dealt = _picked(cells, parts, fits, lines.part).without(lost)
    return replace(lines, cells=lines.cells | {column: dealt})


def _picked(
    column: Column, parts: dict[int, list[str]], which: np.ndarray, number: np.ndarray
) -> Column:
    """The column with one of the parts of its cell, by number, in each of these lines."""
    flat = [value for values in parts.values() for value in values]
    start = np.zeros(len(column.words), dtype="int64")
    start[list(parts)] = (
        len(column.words) + np.cumsum([0, *(len(values) for values in parts.values())])[:-1]
    )
    places = column.places.copy()
    places[which] = start[column.places[which]] + number[which]
    words = pd.concat([column.words, pd.Series(flat, dtype="str")], ignore_index=True)
    return Column.at(places, words)


def _tell(
    rows: Rows,
    column: str,
    of: np.ndarray,
    cells: Column,
    lines: np.ndarray,
    parts: dict[int, list[str]],
    paired: bool,
) -> None:
    used, which = np.unique(cells.places[lines], return_inverse=True)
    if not len(used):
        return
    made = ["; ".join(parts[int(place)]) for place in used]
    rule, severity, sure = (
        ("cell.several_paired", GUESS, 0.5) if paired else ("cell.several", INFO, 1.0)
    )
    table = pd.DataFrame(
        {
            "value": cells.words.iloc[used].to_numpy(),
            "made": made,
            "rule": rule,
            "severity": severity,
            "certainty": sure,
        }
    )
    once = ~pd.Series(of).duplicated().to_numpy()
    rows.tell(column, of[once], which[once], table.assign(remedy=None))
