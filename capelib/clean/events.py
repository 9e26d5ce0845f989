"""Rows that hold several incidents side by side, as the stages of an exile: a line for each."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS, INFO
from capelib.clean.distinct import DistinctColumn
from capelib.clean.matching import Match
from capelib.clean.rows import RowLog
from capelib.clean.several import IncidentRows, numbered
from capelib.meaning.yes_no import yes

RULES = {
    "layout.date": "a date or host without a measure: the measure that the layout names for it",
    "layout.yes": "a mere yes: the measure that the layout names for it",
    "event.denied": "an incident denied, though a date or host of it is filled: no incident",
    "event.unnamed": "which measure does it stand for? No incident is made of it; write the "
    "measure in the cell, or say it in a layout (yes = ... under its [[events]])",
}
_YES_SURE = 0.6  # that a "yes" under the name of a stage stands for its usual measure
_DATE_SURE = 0.5  # that a mere date or host of a stage does
UNNAMED = "an incident without its measure"
_REMEDY = "write its measure, or say it in a layout (yes = ... under its [[events]])"


@dataclass(frozen=True)
class _Event:
    """The columns of one event of all rows; blank where the table has none."""

    measure: DistinctColumn
    date: DistinctColumn
    host: DistinctColumn
    headers: dict[str, str]
    usual: str


def lines_of_events(
    frame: pd.DataFrame, cells: dict[str, DistinctColumn], match: Match, rows: RowLog, start: int
) -> IncidentRows:
    """A line for each event of each row; a row without an event is set aside.

    A measure that says no, or not known, is no event where the event has neither date nor host. An
    event whose measure nobody said is not made; the row says so, or is set aside where it has no
    other.
    """
    row, measures = [], []
    details: dict[str, list[DistinctColumn]] = {"date": [], "host": []}
    unnamed: list[tuple[_Event, np.ndarray]] = []
    for spec, columns in zip(match.layout.events, match.events, strict=True):
        if not columns:
            continue
        event = _event(frame, columns, spec.get("yes", ""))
        measure, asked = _measures(event, rows, start)
        unnamed.append((event, asked))
        happened = np.flatnonzero(measure.filled)
        row.append(happened)
        measures.append(measure.take(happened))
        for name, of_events in details.items():
            detail = cells.get(name) or DistinctColumn.blank(len(frame))
            if name in event.headers:
                detail = getattr(event, name)
            of_events.append(detail.take(happened))
    if not row:  # a part of the sheet that no layout understands: its rows are set aside
        row, measures = [np.array([], dtype=int)], [DistinctColumn.blank(0)]
        details = {name: [DistinctColumn.blank(0)] for name in details}
    unsorted = np.concatenate(row)
    order = np.argsort(unsorted, kind="stable")
    line = unsorted[order]
    _set_aside(np.setdiff1d(np.arange(len(frame)), line), unnamed, rows, start)
    lines = {name: column.take(line) for name, column in cells.items()}
    lines["measure"] = DistinctColumn.stacked(measures).take(order)
    known = {name for event in match.events for name in event.values()} | set(cells)
    for name, of_events in details.items():
        if name in known:
            lines[name] = DistinctColumn.stacked(of_events).take(order)
    shared = frozenset(name for name in details if name in cells)
    return IncidentRows((line + start).astype("int32"), numbered(line), lines, shared)


def _event(frame: pd.DataFrame, columns: dict[str, str], usual: str) -> _Event:
    headers = {column: header for header, column in columns.items()}
    cells = {}
    for name in ("measure", "date", "host"):
        cells[name] = DistinctColumn.blank(len(frame))
        if name in headers:
            cells[name] = DistinctColumn.from_cells(frame[headers[name]])
    return _Event(**cells, headers=headers, usual=usual)


def _nothing(column: DistinctColumn) -> np.ndarray:
    """For each word of a column: does it only say no, or not known?"""
    answers = yes(column.words)
    return answers["rule"].isin(["yes.no", "yes.unknown"]).to_numpy() & (
        answers["problem"].isna().to_numpy()
    )


def _measures(event: _Event, rows: RowLog, start: int) -> tuple[DistinctColumn, np.ndarray]:
    """The measures of an event, and in which rows it has one that nobody said.

    Where the cell only says yes, or is blank beside a date or host, it is the usual measure.
    """
    column, usual = event.measure, event.usual
    answers = yes(column.words)
    nothing = _nothing(column)
    denied = nothing & (answers["rule"] == "yes.no").to_numpy()
    only_yes = (answers["value"] == "yes").fillna(False).to_numpy(dtype=bool)
    beside = np.zeros(len(column.places), dtype=bool)
    for detail in (event.date, event.host):
        beside |= detail.filled & ~detail.flags(_nothing(detail))
    said_no = column.flags(denied)
    silent = ~column.filled | (column.flags(nothing) & ~said_no)

    logged = pd.DataFrame({"value": column.words, "remedy": None})
    logged["rule"] = np.where(nothing, answers["rule"], "layout.yes")
    logged["made"] = np.where(nothing, "no incident", usual)
    logged["severity"] = np.where(nothing, INFO, GUESS)
    logged["certainty"] = np.where(nothing, answers["certainty"], _YES_SURE)
    plain = column.flags(nothing | (only_yes & bool(usual))) & ~(beside & column.flags(nothing))
    lines = _trusted(plain, rows, start)
    rows.log_cells("measure", lines + start, column.places[lines], logged)
    _log(event, _trusted(said_no & beside, rows, start), rows, start, "event.denied")

    of_date = silent & beside
    if not usual:
        asked = column.flags(only_yes) | of_date
        return column.map(column.words.mask(only_yes).mask(nothing)), asked
    guessed = _trusted(of_date, rows, start)
    _log(event, guessed, rows, start, "layout.date", usual)
    words = pd.concat([column.words.mask(only_yes, usual).mask(nothing), pd.Series([usual])])
    places = column.places.copy()
    places[of_date] = len(words) - 1
    measures = DistinctColumn.from_words(places, words.reset_index(drop=True).astype("str"))
    return measures, np.zeros(len(places), dtype=bool)


def _trusted(flags: np.ndarray, rows: RowLog, start: int) -> np.ndarray:
    """The rows that are flagged, without those whose cells are not read."""
    lines = np.flatnonzero(flags)
    return lines[~rows.untrusted[lines + start]]


def _log(
    event: _Event, lines: np.ndarray, rows: RowLog, start: int, rule: str, made: str = "no incident"
) -> None:
    """One guess for each of these rows of an event; the column is named by its header."""
    if made == "no incident":
        for name in event.headers:
            rows.unread[lines + start] += getattr(event, name).filled[lines]
    header = next(
        event.headers[name] for name in ("measure", "date", "host") if name in event.headers
    )
    column = "measure" if made != "no incident" else rows.shown.header(header, 0, True)
    remedy = _REMEDY if rule != "event.denied" else "mend the measure, or clear its date and host"
    rows.log(column, lines + start, rule, made, GUESS, remedy, _DATE_SURE)


def _set_aside(
    without: np.ndarray, unnamed: list[tuple[_Event, np.ndarray]], rows: RowLog, start: int
) -> None:
    """Sets rows aside that have no line, and logs the events without a measure of the others."""
    alone = np.zeros(rows.total - start, dtype=bool)
    alone[without] = True
    asked_alone = np.zeros(len(alone), dtype=bool)
    for event, asked in unnamed:
        asked_alone[: len(asked)] |= asked
        beside_others = asked & ~alone[: len(asked)]
        _log(event, _trusted(beside_others, rows, start), rows, start, "event.unnamed")
    places = without[~rows.untrusted[without + start]]
    asks = asked_alone[places]
    rows.refuse(places[asks] + start, "measure", UNNAMED, _REMEDY)
    remedy = "fill one of its measures"
    rows.refuse(places[~asks] + start, "measure", "no incident in this row", remedy)
