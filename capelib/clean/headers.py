"""The sheets as lines, one an incident, with their columns under our names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from capelib.clean.changes import (
    CELL_COLUMNS,
    DROPPED,
    GUESS,
    HIDDEN,
    INFO,
    LOOK,
    SET_ASIDE,
)
from capelib.clean.competing import readable
from capelib.clean.date_columns import dates_joined
from capelib.clean.distinct import DistinctColumn, at_places
from capelib.clean.events import lines_of_events
from capelib.clean.layouts import FREE_TEXT
from capelib.clean.matching import Match
from capelib.clean.persons import named_keys, number_columns, persons_of, with_groups
from capelib.clean.rows import RowLog
from capelib.clean.several import IncidentRows, numbered
from capelib.errors import DataError
from capelib.meaning.persons import is_name_column
from capelib.read.sheet import EXTRA, Sheet, where
from capelib.vocabulary.text import bare

RULES = {
    "host.further": "a second host stands in another column: the first is used for all",
    "host.only": "only the column of the second host is filled: used",
    "column.lacking": "no column stands for it, and one that is not read could hold it",
    "column.other": "stands for the same as another column, which is used",
    "column.text": "free text, which may name anybody",
    "correction": "an error of the source, corrected by the layout",
    "layout.fixed": "what the layout says of every row",
    "layout.value": "a word that the layout explains",
    "read.another_table": "another table in the same sheet, which is not read",
    "read.header_again": "the names of columns again",
    "read.footer": "looks like a note under the table",
    "read.total": "looks like a total",
}
_REMEDIES = {
    "read.header_again": "take the row out of the table",
    "read.another_table": "make it a table of its own",
    "read.long_row": "put a cell that holds a comma between quotation marks",
    "read.rows_in_cell": "close the quotation mark",
    "read.merged_sideways": "take the heading out of the table, or undo the merging",
}
_READABLE = 0.9  # of the cells of a column that is dropped: then it could be date or host
_ELSE_REMEDY = "take the row out of the table if it is no incident"
_NAMING_HEADERS = ("read.twice", "read.unnamed")  # notes that name the header of their column


@dataclass(frozen=True)
class Gathered:
    """What stands in the sheets.

    Attributes
    ----------
    lines
        Of all sheets.
    persons
        A name for each row, or blank.
    frames
        The sheets, corrected.
    not_read
        For each sheet the headers that are not read, each with its line in the log, as they may be
        shown.
    """

    lines: IncidentRows
    persons: DistinctColumn
    frames: list[pd.DataFrame]
    not_read: list[dict[str, str]]


def gathered(sheets: Sequence[Sheet], matches: Sequence[Match], rows: RowLog) -> Gathered:
    """All sheets under each other, one line an incident, known errors of their source corrected."""
    frames = _corrected(sheets, matches, rows)
    parts, persons, not_read = [], [], []
    for sheet, match, frame in zip(sheets, matches, frames, strict=True):
        start = int(rows.starts[len(parts)])
        not_read.append(log_headers(sheet, match, rows))
        log_reading(sheet, match, rows, start)
        cells = {
            name: DistinctColumn.from_cells(frame[header]) for header, name in match.columns.items()
        }
        every_row = np.zeros(len(frame), dtype=int)
        for column, value in match.layout.fixed.items():
            cells[column] = DistinctColumn.from_words(every_row, pd.Series([value]))
        _refuse_headers(cells, match, rows, start)
        persons.append(_persons(frame, cells, match, rows, start))
        _add_further(cells, frame, match, rows, start)
        cells = dates_joined(cells, match.layout, rows, start, sheet.days_from_1904)
        read_lines = lines_of_events if match.layout.events else _line_a_row
        parts.append(read_lines(frame, cells, match, rows, start))
    lines = _stacked(parts)
    untrusted = rows.untrusted[lines.row]
    if untrusted.any():
        cells = {name: column.without(untrusted) for name, column in lines.cells.items()}
        lines = replace(lines, cells=cells)
    return Gathered(
        lines, DistinctColumn.stacked(persons).without(rows.untrusted), frames, not_read
    )


def _persons(
    frame: pd.DataFrame, cells: dict[str, DistinctColumn], match: Match, rows: RowLog, start: int
) -> DistinctColumn:
    """The name in each row; keys that name nobody are taken out, groups are marked."""
    persons = persons_of(frame, match, rows, start)
    group = persons.group
    if "exile_id" in cells:
        keys = named_keys(cells["exile_id"], rows, start)
        cells["exile_id"] = keys.names
        group = group | keys.group
    if group.any():
        cells["is_group"] = with_groups(cells.get("is_group"), group)
    return persons.names


def _line_a_row(
    frame: pd.DataFrame, cells: dict[str, DistinctColumn], _match: Match, _rows: RowLog, start: int
) -> IncidentRows:
    row = np.arange(start, start + len(frame), dtype="int32")
    return IncidentRows(row, np.zeros(len(frame), dtype="int32"), cells)


def _stacked(parts: list[IncidentRows]) -> IncidentRows:
    names = dict.fromkeys(name for part in parts for name in part.cells)
    cells = {name: DistinctColumn.stacked([part.column(name) for part in parts]) for name in names}
    row = np.concatenate([part.row for part in parts])
    shared = frozenset().union(*(part.shared for part in parts))
    return IncidentRows(row, numbered(row), cells, shared)


def _refuse_headers(
    cells: dict[str, DistinctColumn], match: Match, rows: RowLog, start: int
) -> None:
    """Sets aside rows that name the columns again, as long lists do on each page."""
    equal, different = np.zeros(rows.total, dtype=bool), np.zeros(rows.total, dtype=bool)
    for header, name in match.columns.items():
        column = cells[name]
        place = slice(start, start + len(column.places))
        names = [header, header.rpartition(" / ")[2]]
        is_name = column.flags(column.words.isin(names).to_numpy())
        equal[place] |= is_name
        different[place] |= column.filled & ~is_name
    again = np.flatnonzero(equal & ~different & ~rows.untrusted)
    rows.refuse(again, "row", "the names of the columns again", "take the row out of the table")
    rows.untrusted[again] = True


def _add_further(
    cells: dict[str, DistinctColumn], frame: pd.DataFrame, match: Match, rows: RowLog, start: int
) -> None:
    """Second values, such as a second host in a column of its own.

    Where a layout of the user's names both columns, both are read, as if they stood in one cell.
    Else the first is used where it is filled, which is a guess, and the other one is told.
    """
    for header, column in match.further.items():
        second = DistinctColumn.from_cells(frame[header])
        first = cells.get(column) or DistinctColumn.blank(len(frame))
        one, other = first.cells(), second.cells()
        differs = second.filled & (one != other).fillna(True).to_numpy(dtype=bool)
        differs &= ~rows.untrusted[start : start + len(frame)]
        both = np.flatnonzero(differs & first.filled)
        if match.layout.shipped:
            whole = one.fillna(other)
            remedy = f"write one row for each {column}, or name both columns in a layout"
            made = "the first one is used"
            rows.unread[both + start] += 1
            rows.log(column, both + start, f"{column}.further", made, GUESS, remedy, 0.5)
        else:
            whole = one.fillna(other).mask(differs & first.filled, one + "; " + other)
        alone = np.flatnonzero(differs & ~first.filled)
        remedy = f"write it as the first {column}"
        rows.log(column, alone + start, f"{column}.only", "used", GUESS, remedy, 0.7)
        cells[column] = DistinctColumn.from_cells(whole)


# ---------------------------------------------------------------- headers and notes of reading


def log_headers(sheet: Sheet, match: Match, rows: RowLog) -> dict[str, str]:
    """Logs which header was taken for which column, what was dropped, and what the layout adds.

    Gives the headers of the columns that were dropped, as they may be shown.
    """
    not_read = {}

    def log(row: int, column: str, rule: str, made: str, **also: object) -> None:
        rows.changes.add(sheet.file, sheet.sheet, row, column, rule, made, **also)

    header = sheet.header_rows[-1] if sheet.header_rows else 0
    shown = rows.shown.headers(sheet, list(match.certainty))
    of_numbers = number_columns(sheet.frame)
    for name, column in match.every_column:
        sure = match.certainty[name]
        if name != column or sure < LOOK:
            severity, remedy = INFO, None
            if sure < LOOK:
                severity, remedy = GUESS, "name the column in a layout if this is wrong"
            also = {"value": shown[name], "certainty": sure, "severity": severity, "remedy": remedy}
            log(header, column, "column.name", column, **also)
    for name in map(str, sheet.frame.columns):
        filled = int(sheet.frame[name].notna().sum())
        empty = name == FREE_TEXT and not filled
        used = name in match.certainty or name in match.further or name == match.highest
        if not used and not empty:
            made = f"dropped: {filled:,} filled cell{'' if filled == 1 else 's'}"
            rule, remedy = "column.unknown", "name it in a layout if it is one of the codebook's"
            if name in match.others:
                column, instead = match.others[name]
                rule, remedy = "column.other", "name the right one in a layout if this is wrong"
                made += f"; also a {column}, but {shown[instead]} is used"
            if bare(name) == FREE_TEXT:
                rule, remedy = "column.text", "free text may name anybody: name it in a layout"
            if is_name_column(name) and name not in of_numbers:
                rule, remedy = "column.person", "names of persons never enter"
            if name in match.persons:
                rule, remedy = "column.person", "if these are kinds of persons, say so in a layout"
            also = {"value": HIDDEN, "severity": DROPPED, "remedy": remedy}
            log(header, shown[name], rule, made, **also)
            not_read[name] = shown[name]
    for column, name in _would_fit(sheet.frame, match, not_read):
        made = "blank in every row"
        remedy = "name the column in a layout if it is the one"
        also = {"value": shown[name], "severity": GUESS, "certainty": 0.5, "remedy": remedy}
        log(header, column, "column.lacking", made, **also)
    for column, value in match.layout.fixed.items():
        log(0, column, "layout.fixed", value)
    return not_read


def _would_fit(frame: pd.DataFrame, match: Match, not_read: Sequence[str]) -> list[tuple[str, str]]:
    """Where no column stands for date or host: those that are dropped and could, by their cells."""
    there = {column for _, column in match.every_column} | set(match.layout.fixed)
    there |= {"date"} if there & {"year", "start", "end"} else set()
    fitting = []
    for column in ("date", "host"):
        names = [] if column in there else [name for name in not_read if not is_name_column(name)]
        fits = [name for name in names if readable(frame[name], column) >= _READABLE]
        fitting += [(column, name) for name in fits]
    return fitting


def log_reading(sheet: Sheet, match: Match, rows: RowLog, start: int) -> None:
    """The notes of reading become changes.

    A row that reading doubts is set aside, and none of its cells is trusted.
    """
    notes = sheet.notes
    if notes.empty:
        return
    place = sheet.frame.index.get_indexer(notes["row"].fillna(-1).astype("int64"))
    doubted = (notes["severity"] == "problem").to_numpy()
    aside = doubted & (place >= 0)
    shown_headers = rows.shown.headers(sheet, list(match.certainty)) | {"": "", EXTRA: EXTRA}
    header = notes["column"].fillna("")
    column = header.map(lambda name: shown_headers.get(name, rows.shown.header(name, 0)))
    made = [
        text.replace(name, shown) if rule in _NAMING_HEADERS else text
        for text, rule, name, shown in zip(
            notes["made"], notes["rule"], header, column, strict=True
        )
    ]
    notes = notes.assign(made=pd.Series(made, index=notes.index, dtype="str"))
    reason = column.replace("", "row") + ": " + notes["made"]
    rows.untrusted[start + place[aside]] = True
    which, reasons = pd.factorize(reason[aside])
    rows.set_aside(start + place[aside], which, list(reasons))

    trusted = ~at_places(rows.untrusted[start : start + len(sheet.frame)], place, False)
    known = notes["column"].isin(list(match.certainty))
    shown = (known & trusted) | notes["row"].isna() | notes["value"].isna()
    remedies = notes["rule"].map(_REMEDIES).fillna(_ELSE_REMEDY)
    severity = np.where(doubted, GUESS, notes["severity"])
    logged = notes.assign(
        column=column,
        value=notes["value"].where(shown, HIDDEN),
        severity=np.where(aside, SET_ASIDE, severity),
        remedy=np.where(aside, remedies, None),
    )
    for name, cells in logged.groupby("column", sort=False):
        numbers = cells["row"].fillna(0).to_numpy(dtype="int64")
        cells = cells[CELL_COLUMNS]
        which = cells.groupby(CELL_COLUMNS, dropna=False, sort=False).ngroup().to_numpy()
        distinct = cells.drop_duplicates()
        rows.changes.cells(sheet.file, sheet.sheet, str(name), numbers, which, distinct)


# ---------------------------------------------------------------- known errors of a source


def _corrected(
    sheets: Sequence[Sheet], matches: Sequence[Match], rows: RowLog
) -> list[pd.DataFrame]:
    """The sheets with the known errors of their source corrected.

    Raises DataError where a correction finds nothing, unless its row may have been withdrawn, or
    something else.
    """
    frames = [sheet.frame for sheet in sheets]
    layouts = {match.layout.name: match.layout for match in reversed(matches)}
    for layout in dict.fromkeys(match.layout.name for match in matches):
        for correction in layouts[layout].corrections:
            corrected = 0
            for number, (sheet, match) in enumerate(zip(sheets, matches, strict=True)):
                if match.layout is layouts[layout]:
                    frames[number], times = _correct(frames[number], sheet, match, correction, rows)
                    corrected += times
            if not corrected and not rows.some_removed:
                raise DataError(
                    f"{_named(layout, correction)}: no such row; "
                    "was the source mended? then remove the correction"
                )
    return frames


def _named(layout: str, correction: dict) -> str:
    """The correction as a message names it."""
    conditions = []
    for column, value in correction["where"].items():
        conditions.append(f"{column} is {HIDDEN if is_name_column(column) else value}")
    return f"layout {layout}, correction of {correction['column']} where {', '.join(conditions)}"


def _correct(
    frame: pd.DataFrame, sheet: Sheet, match: Match, correction: dict, rows: RowLog
) -> tuple[pd.DataFrame, int]:
    """The frame with one correction made, and in how many rows."""
    name, column = _named(match.layout.name, correction), correction["column"]
    wanted = pd.Series(True, index=frame.index)
    for each in [*correction["where"], column]:
        if each != "row" and each not in frame:
            place = rows.shown.text(where(sheet.file, sheet.sheet))
            raise DataError(f"{name}: {place} has no column {each}")
    for each, value in correction["where"].items():
        if each == "row":
            wanted &= frame.index == value
        else:
            wanted &= (frame[each] == str(value)).fillna(False).astype(bool)
    cells = frame.loc[wanted, column]
    other = cells[cells.fillna("") != str(correction["expect"])]
    shown = column in match.certainty and not is_name_column(column)
    if len(other):
        row, cell = other.index[0], other.iloc[0]
        message = f"row {row} holds something else"
        if shown:
            known = isinstance(cell, str) and rows.shown.cell(cell)
            cell = repr(cell) if known else "something else"
            message = f"row {row} holds {cell}, not {correction['expect']!r}"
        raise DataError(f"{name}: {message}; was the source mended? then remove the correction")
    if len(cells):
        frame = frame.copy()
        frame.loc[wanted, column] = str(correction["value"]) or None
        value = str(correction["expect"]) if shown else HIDDEN
        made = str(correction["value"]) if shown else HIDDEN
        also = {"value": value, "remedy": str(correction["reason"])}
        place = (sheet.file, sheet.sheet, cells.index.to_numpy())
        rows.changes.add(*place, match.columns.get(column, column), "correction", made, **also)
    return frame, len(cells)
