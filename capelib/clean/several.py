"""Several values in one cell: each host, measure or date gets a line, linked by the row."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS, INFO
from capelib.clean.distinct import DistinctColumn, at_places, once
from capelib.clean.rows import RowLog
from capelib.clean.values import Reader
from capelib.meaning.codes import several_values
from capelib.meaning.free_text_dates import ARROW, dates_between_arrows, several_dates
from capelib.meaning.state_names import several_states

RULES = {
    "cell.several": "several in one cell: made one row each",
    "cell.several_paired": "as many as another cell of the row: taken in pairs",
}
APART, PAIRED = ("cell.several", INFO, 1.0), ("cell.several_paired", GUESS, 0.5)
MOST = 20  # values in one cell; a cell with more is no list of hosts or measures
TRIED = 20_000  # unreadable distinct cells of a column that are tried; one with more holds no lists
_BETWEEN_VALUES = (  # what can stand between two values; cells without it need not be tried
    r"(?i)[;,/|&+→⇒>\n\r•·▪*()]|[0-9][.)]\s|\s[-–—]\s"
    r"|\s(?:and|then|followed by|und|и|затем|ва|va|we|және|жана)\s"
)
_TWO_YEARS = re.compile(r"[0-9]{4}(?![0-9]).*?[0-9]{4}", re.DOTALL)
_INTERVAL = re.compile(r"[^/;,]+/[^/;,]+")  # 2016/2014 ends before it begins: not two dates
# Russia → Tajikistan, for an extradition, is one incident: the second state is no host.
_ARROW = re.compile(r"[→⇒>]")
_UNCLEAR = {"host": "several hosts, not said which", "date": "several dates, not said which"}


def _cut_dates(cell: str) -> list[str]:
    if _INTERVAL.fullmatch(cell) or not _TWO_YEARS.search(cell):
        return [cell]
    return several_dates(cell)


def _cut_hosts(cell: str) -> list[str]:
    """The states of a cell; those of a way from one to the next are left together."""
    return [cell] if _ARROW.search(cell) else several_states(cell)


CUT: dict[str, Callable[[str], list[str]]] = {
    "host": _cut_hosts,
    "measure": partial(several_values, column="measure"),
    "date": _cut_dates,
}


@dataclass(frozen=True)
class IncidentRows:
    """One line an incident.

    Attributes
    ----------
    row
        The row that each line comes from; lines of a row stand together.
    part
        The number of each line among those of its row, from 0.
    cells
        The cells by our columns.
    shared
        Columns of which a row has one cell for all its incidents, as where each stage of an exile
        is an incident.
    """

    row: np.ndarray
    part: np.ndarray
    cells: dict[str, DistinctColumn]
    shared: frozenset[str] = frozenset()

    def take(self, lines: np.ndarray) -> "IncidentRows":
        """These lines, a line as often as it is named."""
        row = self.row[lines]
        cells = {name: column.take(lines) for name, column in self.cells.items()}
        return replace(self, row=row, part=numbered(row), cells=cells)

    def column(self, name: str) -> DistinctColumn:
        """A column, blank where the table has none."""
        return self.cells.get(name) or DistinctColumn.blank(len(self.row))


def numbered(row: np.ndarray) -> np.ndarray:
    """The number of each line among the lines of its row, from 0; lines of a row stand together.

    >>> numbered(np.array([4, 4, 7, 9, 9, 9])).tolist()
    [0, 1, 0, 0, 1, 2]
    """
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    sizes = np.diff(np.append(starts, len(row)))
    return (np.arange(len(row)) - np.repeat(starts, sizes)).astype("int32")


@dataclass(frozen=True)
class _Lists:
    """The cells of a column that hold several values.

    parts: the values, by the place of the cell. sizes: how many each line holds; 0 where blank.
    """

    parts: dict[int, list[str]]
    sizes: np.ndarray

    def picked(
        self, column: DistinctColumn, lines: np.ndarray, number: np.ndarray
    ) -> DistinctColumn:
        """The column with one value of its cell, by number, in each of these lines."""
        first = np.zeros(len(column.words), dtype="int64")  # the place of a cell's first value
        values: list[str] = []
        for place, part in self.parts.items():
            first[place] = len(column.words) + len(values)
            values.extend(part)
        places = column.places.copy()
        places[lines] = first[column.places[lines]] + number[lines]
        words = pd.concat([column.words, pd.Series(values, dtype="str")], ignore_index=True)
        return DistinctColumn.from_words(places, words)


def split(lines: IncidentRows, rows: RowLog, readers: dict[str, Reader]) -> IncidentRows:
    """A line for each value of a cell that holds several, where it cannot be read as one.

    Several values in two columns of a row are paired in their order where they are as many
    (certainty 0.5), else the row is set aside. Where a shared cell (see `IncidentRows.shared`)
    holds several and the row has as many incidents, they are paired in order (0.5); with another
    number nobody said which belongs to which, and the cell is left blank.
    """
    lists = {}
    for column, cut in CUT.items():
        if column in lines.cells:
            several = _lists(lines.cells[column], readers[column], cut)
            if several.parts:
                lists[column] = several
    if lists and "date" in lines.cells and "date" not in lines.shared:
        lists |= _dates_with_arrows(lines, lists)
    unshared = {name: several for name, several in lists.items() if name not in lines.shared}
    if unshared:
        lines = _one_line_a_value(lines, rows, unshared)
    for column in lists.keys() - unshared.keys():
        lines = _spread_shared(lines, rows, column, lists[column])
    return lines


def _lists(column: DistinctColumn, reader: Reader, cut: Callable[[str], list[str]]) -> _Lists:
    """Which cells cannot be read as one value, but as several?"""
    likely = column.words.str.contains(_BETWEEN_VALUES).fillna(False).to_numpy(dtype=bool)
    words = column.words[likely]
    parts = {}
    if len(words):
        unread = words[reader.read(words)["problem"].notna().to_numpy()]
        for place, cell in unread.iloc[:TRIED].items():
            values = cut(str(cell))
            if len(values) > 1:
                parts[int(place)] = values
    return _Lists(parts, _sizes(column, parts, usual=1))


def _dates_with_arrows(lines: IncidentRows, lists: dict[str, _Lists]) -> dict[str, _Lists]:
    """An arrow between dates is a range, unless another cell of the row holds as many values."""
    column = lines.cells["date"]
    parts = {}
    for place, cell in column.words[column.words.str.contains(ARROW).fillna(False)].items():
        ends = dates_between_arrows(str(cell))
        if 1 < len(ends) <= MOST:
            parts[int(place)] = ends
    if not parts:
        return {}
    listed = lists.get("date", _Lists({}, _sizes(column, {}, usual=1)))
    others = [several.sizes for name, several in lists.items() if name != "date"]
    sizes = _sizes(column, parts, usual=1)
    paired = (sizes > 1) & np.any([other == sizes for other in others], axis=0)
    if not paired.any():
        return {}
    return {"date": _Lists(listed.parts | parts, np.where(paired, sizes, listed.sizes))}


def _sizes(column: DistinctColumn, parts: dict[int, list[str]], usual: int) -> np.ndarray:
    """How many values each line holds: `usual` where the cell is no list, 0 where blank."""
    sizes = np.full(len(column.words), usual, dtype="int32")
    for place, values in parts.items():
        sizes[place] = len(values)
    return at_places(sizes, column.places, 0)


def _one_line_a_value(lines: IncidentRows, rows: RowLog, lists: dict[str, _Lists]) -> IncidentRows:
    sizes = np.column_stack([several.sizes for several in lists.values()])
    most = sizes.max(axis=1, initial=1)
    uneven = ((sizes > 1) & (sizes != most[:, None])).any(axis=1)
    too_many = most > MOST
    remedy = "write one row for each incident"
    problems = {
        "cells hold different numbers of values": uneven,
        f"a cell holds more than {MOST} values": too_many,
    }
    for problem, which in problems.items():
        rows.refuse(once(lines.row[which]), "measure", problem, remedy)
    refused = uneven | too_many
    rows.untrusted[lines.row[refused]] = True
    most[refused] = 1
    paired = (sizes > 1).sum(axis=1) > 1
    old_line = np.repeat(np.arange(len(most)), most)
    number = numbered(old_line)  # of the value that each new line takes
    parted = lines.take(old_line)
    for column, several in lists.items():
        many = (several.sizes > 1) & (most > 1)
        _log(rows, lines, column, several, np.flatnonzero(many & ~paired), False)
        _log(rows, lines, column, several, np.flatnonzero(many & paired), True)
        chosen = several.picked(parted.cells[column], np.flatnonzero(many[old_line]), number)
        parted.cells[column] = chosen.without(refused[old_line])
    return parted


def _spread_shared(lines: IncidentRows, rows: RowLog, column: str, several: _Lists) -> IncidentRows:
    """The values of a row's one cell, one to each of its lines; blank where the numbers differ.

    The sizes are counted anew: other columns may have made more lines since.
    """
    cells = lines.cells[column]
    sizes = _sizes(cells, several.parts, usual=0)
    incidents = np.bincount(lines.row, minlength=rows.total)[lines.row]
    fits = np.flatnonzero((sizes > 1) & (sizes == incidents))
    unclear = np.flatnonzero((sizes > 1) & (sizes != incidents))
    _log(rows, lines, column, several, fits, True)
    if len(unclear):
        logged = {"value": cells.words, "made": "left blank", "rule": _UNCLEAR[column]}
        logged |= {
            "severity": GUESS,
            "certainty": 0.5,
            "remedy": f"give each incident its own {column}",
        }
        rows.log_cells(column, lines.row[unclear], cells.places[unclear], pd.DataFrame(logged))
    spread = several.picked(cells, fits, lines.part).without(unclear)
    return replace(lines, cells=lines.cells | {column: spread})


def _log(
    rows: RowLog,
    lines: IncidentRows,
    column: str,
    several: _Lists,
    which: np.ndarray,
    paired: bool,
) -> None:
    """Logs the lists of these lines, once a row."""
    cells, row = lines.cells[column], lines.row[which]
    places, place = np.unique(cells.places[which], return_inverse=True)
    if not len(places):
        return
    logged = pd.DataFrame({"value": cells.words.iloc[places].to_numpy()})
    logged["made"] = ["; ".join(several.parts[int(place)]) for place in places]
    rule, severity, certainty = PAIRED if paired else APART
    logged = logged.assign(rule=rule, severity=severity, certainty=certainty, remedy=None)
    first = ~pd.Series(row).duplicated().to_numpy()
    rows.log_cells(column, row[first], place[first], logged)
