"""What was made of a table, kept by distinct cell so that a million changes stay small."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from capelib.vocabulary.tables import PROBLEM_COLUMNS
from capelib.vocabulary.withdrawal import REMEDY, RULE

PLACE_COLUMNS = ["file", "sheet", "row", "column"]
CELL_COLUMNS = ["value", "made", "rule", "severity", "certainty", "remedy"]
CHANGE_COLUMNS = PLACE_COLUMNS + CELL_COLUMNS
LOOK = 0.9  # below this certainty a change is a guess that somebody should look at
INFO, GUESS, DROPPED, SET_ASIDE, WITHDRAWN = "info", "guess", "dropped", "set aside", "withdrawn"
HIDDEN = "(not shown)"  # stands for a cell that may hold a name


class Mask(Protocol):
    """What may be shown: see `capelib.clean.shown.Shown`."""

    def text(self, text: str) -> str: ...

    def lines(self, cells: dict[str, np.ndarray]) -> dict[str, np.ndarray]: ...


@dataclass(frozen=True)
class _Part:
    """Changes in one column of one sheet.

    rows: numbers in the file, 0 for the whole table. places: for each row, the line of `cells`.
    cells: a line for each distinct cell, in CELL_COLUMNS.
    """

    file: str
    sheet: str
    column: str
    rows: np.ndarray
    places: np.ndarray
    cells: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        rows = pd.Series(self.rows, dtype="Int64")
        frame = self.cells.take(self.places).reset_index(drop=True)
        frame = frame.assign(file=self.file, sheet=self.sheet, column=self.column)
        return frame.assign(row=rows.where(rows > 0))[CHANGE_COLUMNS]


class ChangeLog:
    """Collects changes while a table is cleaned; afterwards gives them as a frame, or added up.

    shown: what of the cells may enter; without it all does.
    """

    def __init__(self, logs: Sequence["ChangeLog"] = (), shown: Mask | None = None) -> None:
        self.shown = shown
        self._parts = [part for log in logs for part in log._parts]

    def cells(
        self,
        file: str,
        sheet: str,
        column: str,
        rows: np.ndarray,
        places: np.ndarray,
        cells: pd.DataFrame,
    ) -> None:
        """Many cells of a column. places: for each row the line of `cells` (CELL_COLUMNS)."""
        if not len(rows):
            return
        numbers, lines = np.asarray(rows, dtype="int32"), np.asarray(places, dtype="int32")
        columns = {name: cells[name].to_numpy(dtype=object) for name in CELL_COLUMNS}
        if self.shown:
            columns = self.shown.lines(columns)
            file, sheet = self.shown.text(file), self.shown.text(sheet)
        typed = {
            name: pd.array(column, dtype="float64" if name == "certainty" else "str")
            for name, column in columns.items()
        }
        self._parts.append(_Part(file, sheet, column, numbers, lines, pd.DataFrame(typed)))

    def add(
        self, file: str, sheet: str, rows: Any, column: str, rule: str, made: str, **also: Any
    ) -> None:
        """The same change in some rows, 0 for the whole table.

        also: value, severity, certainty, remedy.
        """
        rows = np.atleast_1d(np.asarray(rows))
        usual = {"value": None, "severity": INFO, "certainty": 1.0, "remedy": None}
        line = usual | {"made": made, "rule": rule} | also
        self.cells(file, sheet, column, rows, np.zeros(len(rows)), pd.DataFrame([line]))

    def withdrawn(self, file: str, sheet: str, rows: Any) -> None:
        """Rows that were removed on request; nothing of them is shown."""
        also = {"value": HIDDEN, "severity": WITHDRAWN, "remedy": REMEDY}
        self.add(file, sheet, rows, "", RULE, "removed", **also)

    def holds(self, severity: str) -> bool:
        """Is there a change of this severity? Sooner known than `summary` adds all up."""
        return any(part.cells["severity"].eq(severity).any() for part in self._parts)

    def __len__(self) -> int:
        return sum(len(part.rows) for part in self._parts)

    def frames(self, only: tuple[str, ...] = ()) -> Iterator[pd.DataFrame]:
        """Every change, a frame for each part: so they never stand in memory together.

        only: severities.
        """
        for part in self._parts:
            if only:
                wanted = part.cells["severity"].isin(only).to_numpy()[part.places]
                part = replace(part, rows=part.rows[wanted], places=part.places[wanted])
            if len(part.rows):
                yield part.frame()

    def frame(self, only: tuple[str, ...] = ()) -> pd.DataFrame:
        """Every change in the order of the file, in CHANGE_COLUMNS. only: severities.

        `row` is missing where a change concerns the whole table.
        """
        parts = list(self.frames(only))
        if not parts:
            return pd.DataFrame(columns=CHANGE_COLUMNS)
        frame = pd.concat(parts, ignore_index=True)
        sheets = dict.fromkeys((part.file, part.sheet) for part in self._parts)
        place = {sheet: number for number, sheet in enumerate(sheets)}
        first_cells = [(part["file"].iloc[0], part["sheet"].iloc[0]) for part in parts]
        sheet = np.repeat([place[cell] for cell in first_cells], [len(part) for part in parts])
        order = np.lexsort((frame["row"].fillna(0).to_numpy(dtype="int64"), sheet))
        return frame.take(order).reset_index(drop=True)

    def problems(self) -> pd.DataFrame:
        """What was set aside, dropped or withdrawn (PROBLEM_COLUMNS); row 1 is the whole table."""
        bad = self.frame(only=(SET_ASIDE, DROPPED, WITHDRAWN))
        if bad.empty:
            return pd.DataFrame(columns=PROBLEM_COLUMNS)
        bad = bad.assign(problem=bad["rule"], action=bad["severity"])
        bad["value"] = bad["value"].fillna(HIDDEN)
        bad["row"] = bad["row"].fillna(1).astype("int64")
        return bad[PROBLEM_COLUMNS]

    def summary(self) -> pd.DataFrame:
        """The changes added up: one line a column, rule and distinct cell.

        `rows` is how many there are, `first` the first row.
        """
        lines = []
        for part in self._parts:
            count = np.bincount(part.places, minlength=len(part.cells))
            first = np.full(len(part.cells), np.iinfo("int64").max)
            np.minimum.at(first, part.places, part.rows)
            counted = part.cells.assign(file=part.file, sheet=part.sheet, column=part.column)
            lines.append(counted.assign(rows=count, first=first)[count > 0])
        names = ["file", "sheet", "column", *CELL_COLUMNS, "rows", "first"]
        return pd.concat(lines, ignore_index=True)[names] if lines else pd.DataFrame(columns=names)
