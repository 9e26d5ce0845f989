"""The sheets as lines, one an incident, with their columns under our names; what was understood of headers and noted at reading."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.clean.changes import ASIDE, DROPPED, GUESS, HIDDEN, INFO, LOOK
from capelib.clean.distinct import Column
from capelib.clean.layouts import Match, plain, shown_header
from capelib.clean.rows import Rows
from capelib.clean.several import Lines, numbered
from capelib.errors import DataError
from capelib.meaning.codes import is_name_column, yes
from capelib.read.header import Sheet, where

_OF_A_NAME = {
    "name",
    "surname",
    "last name",
    "lastname",
    "family name",
    "first name",
    "firstname",
    "forename",
    "given name",
    "middle name",
} | {*("patronymic", "имя", "фамилия", "отчество")}
_REMEDIES = {
    "read.long_row": "put a cell that holds a comma between quotation marks",
    "read.rows_in_cell": "close the quotation mark",
    "read.merged_sideways": "take the heading out of the table, or undo the merging",
}
_YES_SURE = 0.6  # that a "yes" under the name of a stage stands for its usual measure


@dataclass(frozen=True)
class Gathered:
    """lines: of all sheets. persons: for each row a name, or blank. frames: the sheets, corrected."""

    lines: Lines
    persons: Column
    frames: list[pd.DataFrame]


def gathered(sheets: Sequence[Sheet], matches: Sequence[Match], rows: Rows) -> Gathered:
    """All sheets under each other, one line an incident, with the known errors of their source mended."""
    frames = _corrected(sheets, matches, rows)
    parts, persons = [], []
    for sheet, match, frame in zip(sheets, matches, frames, strict=True):
        start = int(rows.starts[len(parts)])
        _tell_columns(sheet, match, rows)
        _tell_reading(sheet, match, rows, start)
        cells = {column: Column.of(frame[header]) for header, column in match.columns.items()}
        cells |= {
            column: Column.at(np.zeros(len(frame), dtype=int), pd.Series([value]))
            for column, value in match.layout.fixed.items()
        }
        _refuse_names_again(cells, match, rows, start)
        parts.append(
            _events(frame, cells, match, rows, start)
            if match.layout.events
            else _plain(cells, len(frame), start)
        )
        persons.append(_persons(frame, match))
    lines = _together(parts)
    persons = Column.together(persons).without(rows.untrusted)
    doubted = rows.untrusted[lines.of]
    if doubted.any():
        lines = Lines(
            lines.of,
            lines.part,
            {name: column.without(doubted) for name, column in lines.cells.items()},
            lines.shared,
        )
    return Gathered(lines, persons, frames)


def _plain(cells: dict[str, Column], size: int, start: int) -> Lines:
    return Lines(
        np.arange(start, start + size, dtype="int32"), np.zeros(size, dtype="int32"), cells
    )


def _together(parts: list[Lines]) -> Lines:
    names = list(dict.fromkeys(name for part in parts for name in part.cells))
    cells = {
        name: Column.together(
            [part.cells.get(name) or Column.blank(len(part.of)) for part in parts]
        )
        for name in names
    }
    of = np.concatenate([part.of for part in parts])
    return Lines(of, numbered(of), cells, frozenset().union(*(part.shared for part in parts)))


def _refuse_names_again(cells: dict[str, Column], match: Match, rows: Rows, start: int) -> None:
    """Sets aside rows that name the columns again, as long lists do on each page."""
    same, differs = np.zeros(len(rows.number), dtype=bool), np.zeros(len(rows.number), dtype=bool)
    for header, column in match.columns.items():
        found = cells[column]
        here = slice(start, start + len(found.places))
        name = found.flags(found.words.isin([header, header.rpartition(" / ")[2]]).to_numpy())
        same[here] |= name
        differs[here] |= found.filled & ~name
    again = np.flatnonzero(same & ~differs & ~rows.untrusted)
    rows.refuse(again, "row", "the names of the columns again", "take the row out of the table")
    rows.untrusted[again] = True


# ---------------------------------------------------------------- rows that hold several incidents


def _events(
    frame: pd.DataFrame, cells: dict[str, Column], match: Match, rows: Rows, start: int
) -> Lines:
    """A line for each event of each row. A cell that says no, or not known, is no event; a row without an event is set aside."""
    of, measures, own = [], [], {"date": [], "host": []}
    for about, event in zip(match.layout.events, match.events, strict=True):
        headers = {column: header for header, column in event.items()}
        if "measure" not in headers:
            continue
        column = Column.of(frame[headers["measure"]])
        measure = _happened(column, about.get("yes", ""), rows, start)
        happened = np.flatnonzero(measure.filled)
        of.append(happened)
        measures.append(measure.take(happened))
        for name, found in own.items():
            shared = cells.get(name, Column.blank(len(frame)))
            found.append(
                (Column.of(frame[headers[name]]) if name in headers else shared).take(happened)
            )
    place = np.concatenate(of)
    order = np.argsort(place, kind="stable")
    lost = np.setdiff1d(np.arange(len(frame)), place) + start
    rows.refuse(
        lost[~rows.untrusted[lost]],
        "measure",
        "no incident in this row",
        "fill one of its measures",
    )
    line = place[order]
    lines = {name: column.take(line) for name, column in cells.items()} | {
        "measure": Column.together(measures).take(order)
    }
    given = {name for event in match.events for name in event.values()}
    lines |= {
        name: Column.together(found).take(order)
        for name, found in own.items()
        if name in given or name in cells
    }
    shared = frozenset(name for name in own if name in cells)
    return Lines((line + start).astype("int32"), numbered(line), lines, shared)


def _happened(column: Column, usual: str, rows: Rows, start: int) -> Column:
    """The measures of an event: blank where the cell says no or not known, the usual one where it only says yes."""
    answers = yes(column.words)
    no = (
        answers["rule"].isin(["yes.no", "yes.unknown"]).to_numpy()
        & answers["problem"].isna().to_numpy()
    )
    mere = (answers["value"] == "yes").fillna(False).to_numpy(dtype=bool) & bool(usual)
    table = pd.DataFrame({"value": column.words, "made": np.where(no, "no incident", usual)})
    table["rule"] = np.where(no, answers["rule"], "layout.yes")
    table = table.assign(
        severity=np.where(no, INFO, GUESS),
        certainty=np.where(no, answers["certainty"], _YES_SURE),
        remedy=None,
    )
    told = np.flatnonzero(column.flags(no | mere))
    told = told[~rows.untrusted[told + start]]
    rows.tell("measure", told + start, column.places[told], table)
    return column.made(column.words.mask(mere, usual).mask(no))


# ---------------------------------------------------------------- persons


def _persons(frame: pd.DataFrame, match: Match) -> Column:
    """The name in each row, which only tells persons apart: the first column of names, or the parts of a name put together."""
    headers = [
        name for name in frame.columns if name not in match.certainty and is_name_column(str(name))
    ]
    parts = [name for name in headers if plain(str(name).rpartition(" / ")[2]) in _OF_A_NAME]
    if not headers:
        return Column.blank(len(frame))
    if len(parts) < 2:
        return Column.of(frame[headers[0]])
    whole = frame[parts[0]].fillna("")
    for part in parts[1:]:
        whole = whole + " " + frame[part].fillna("")
    return Column.of(whole.mask(whole.str.strip() == ""))


# ---------------------------------------------------------------- what is told of headers and of reading


def _tell_columns(sheet: Sheet, match: Match, rows: Rows) -> None:
    header = sheet.header_rows[-1] if sheet.header_rows else 0
    for name, column in [
        *match.columns.items(),
        *(item for event in match.events for item in event.items()),
    ]:
        if name != column:
            sure = match.certainty[name]
            also = {"value": name, "certainty": sure, "severity": INFO if sure >= LOOK else GUESS}
            remedy = None if sure >= LOOK else "name the column in a layout if this is wrong"
            rows.changes.add(
                sheet.file,
                sheet.sheet,
                header,
                column,
                "column.name",
                column,
                **also,
                remedy=remedy,
            )
    for name in sheet.frame.columns:
        if name not in match.certainty:
            person = is_name_column(str(name))
            remedy = (
                "names of persons never enter"
                if person
                else "name it in a layout if it is one of the codebook's"
            )
            also = {"value": HIDDEN, "severity": DROPPED, "remedy": remedy}
            rows.changes.add(
                sheet.file,
                sheet.sheet,
                header,
                shown_header(name),
                "column.person" if person else "column.unknown",
                "dropped",
                **also,
            )
    for column, value in match.layout.fixed.items():
        rows.changes.add(sheet.file, sheet.sheet, 0, column, "layout.fixed", value)


def _tell_reading(sheet: Sheet, match: Match, rows: Rows, start: int) -> None:
    """The notes of reading become changes; a row that reading doubts is set aside, and none of its cells is trusted."""
    notes = sheet.notes
    if notes.empty:
        return
    of_row = notes["row"].notna() & notes["row"].isin(sheet.frame.index)
    doubted = (notes["severity"] == "problem").to_numpy()
    aside = doubted & of_row.to_numpy()
    places = start + sheet.frame.index.get_indexer(notes.loc[aside, "row"].astype("int64"))
    rows.untrusted[places] = True
    which, reasons = pd.factorize(
        notes.loc[aside, "column"].fillna("").map(shown_header).replace("", "row")
        + ": "
        + notes.loc[aside, "made"]
    )
    rows.set_aside(places, which, list(reasons))
    at = sheet.frame.index.get_indexer(notes["row"].fillna(-1).astype("int64"))
    trusted = ~np.append(rows.untrusted[start : start + len(sheet.frame)], False)[at]
    shown = (notes["column"].isin(list(match.certainty)) & trusted) | notes["row"].isna()
    table = pd.DataFrame(
        {
            "column": notes["column"]
            .fillna("")
            .map(lambda name: name if name in match.certainty else shown_header(name)),
            "value": notes["value"].where(notes["value"].isna() | shown, HIDDEN),
            "made": notes["made"],
            "rule": notes["rule"],
            "severity": np.where(aside, ASIDE, np.where(doubted, GUESS, notes["severity"])),
            "certainty": notes["certainty"],
            "remedy": np.where(
                aside,
                notes["rule"]
                .map(_REMEDIES)
                .fillna("take the row out of the table if it is no incident"),
                None,
            ),
        }
    )
    for column, cells in table.groupby("column", sort=False):
        numbers = notes.loc[cells.index, "row"].fillna(0).to_numpy(dtype="int64")
        distinct = cells.drop(columns="column").drop_duplicates()
        which = (
            cells.drop(columns="column")
            .groupby(list(distinct), dropna=False, sort=False)
            .ngroup()
            .to_numpy()
        )
        rows.changes.cells(sheet.file, sheet.sheet, str(column), numbers, which, distinct)


# ---------------------------------------------------------------- known errors of a source


def _corrected(sheets: Sequence[Sheet], matches: Sequence[Match], rows: Rows) -> list[pd.DataFrame]:
    """The sheets with the known errors of their source mended. Raises DataError where a correction finds nothing, or something else."""
    frames = [sheet.frame for sheet in sheets]
    for layout in dict.fromkeys(match.layout.name for match in matches):
        known = next(match.layout for match in matches if match.layout.name == layout)
        for correction in known.corrections:
            found = 0
            for number, (sheet, match) in enumerate(zip(sheets, matches, strict=True)):
                if match.layout is known:
                    frames[number], times = _mended(frames[number], sheet, match, correction, rows)
                    found += times
            if not found:
                raise DataError(
                    f"{_named(known.name, correction)}: no such row; was the source mended? then remove the correction"
                )
    return frames


def _named(layout: str, correction: dict) -> str:
    held = ", ".join(
        f"{column} is {HIDDEN if is_name_column(column) else value}"
        for column, value in correction["where"].items()
    )
    return f"layout {layout}, correction of {correction['column']} where {held}"


def _mended(
    frame: pd.DataFrame, sheet: Sheet, match: Match, correction: dict, rows: Rows
) -> tuple[pd.DataFrame, int]:
    name, column = _named(match.layout.name, correction), correction["column"]
    wanted = pd.Series(True, index=frame.index)
    for each in [*correction["where"], column]:
        if each != "row" and each not in frame:
            raise DataError(f"{name}: {where(sheet.file, sheet.sheet)} has no column {each}")
    for each, value in correction["where"].items():
        wanted &= (
            (frame.index == value)
            if each == "row"
            else (frame[each] == str(value)).fillna(False).astype(bool)
        )
    found = frame.loc[wanted, column]
    other = found[found.fillna("") != str(correction["expect"])]
    shown = column in match.certainty and not is_name_column(column)
    if len(other):
        held = repr(other.iloc[0]) if shown and isinstance(other.iloc[0], str) else "something else"
        said = (
            f"row {other.index[0]} holds {held}, not {correction['expect']!r}"
            if shown
            else f"row {other.index[0]} holds something else"
        )
        raise DataError(f"{name}: {said}; was the source mended? then remove the correction")
    if len(found):
        frame = frame.copy()
        frame.loc[wanted, column] = str(correction["value"]) or None
        value, made = (str(correction[each]) if shown else HIDDEN for each in ("expect", "value"))
        also = {"value": value, "remedy": str(correction["reason"])}
        rows.changes.add(
            sheet.file,
            sheet.sheet,
            found.index.to_numpy(),
            match.columns.get(column, column),
            "correction",
            made,
            **also,
        )
    return frame, len(found)
