"""What was made of a table: every change and problem, kept by distinct cell so that a million of them stay small."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

CHANGE_COLUMNS = [
    "file",
    "sheet",
    "row",
    "column",
    "value",
    "made",
    "rule",
    "severity",
    "certainty",
    "remedy",
]
_OF_CELL = ["value", "made", "rule", "severity", "certainty", "remedy"]
LOOK = 0.9  # below this certainty a change is a guess that somebody should look at
INFO, GUESS, DROPPED, ASIDE, WITHDRAWN = "info", "guess", "dropped", "set aside", "withdrawn"
HIDDEN = "(not shown)"  # stands for a cell that may hold a name


@dataclass(frozen=True)
class _Part:
    """Changes in one column of one sheet. rows: numbers in the file, 0 for the whole table. places: the line of `table` for each."""

    file: str
    sheet: str
    column: str
    rows: np.ndarray
    places: np.ndarray
    table: pd.DataFrame


class Changes:
    """Collects changes while a table is cleaned; afterwards gives them as a frame, or added up."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []

    def cells(
        self,
        file: str,
        sheet: str,
        column: str,
        rows: np.ndarray,
        places: np.ndarray,
        table: pd.DataFrame,
    ) -> None:
        """Many cells of a column. table: one line a distinct cell, with value, made, rule, severity, certainty and remedy."""
        if len(rows):
            numbers, lines = np.asarray(rows, dtype="int32"), np.asarray(places, dtype="int32")
            text = {name: "str" for name in _OF_CELL if name != "certainty"}
            self._parts.append(
                _Part(
                    file,
                    sheet,
                    column,
                    numbers,
                    lines,
                    table[_OF_CELL].reset_index(drop=True).astype(text),
                )
            )

    def add(
        self, file: str, sheet: str, rows: Any, column: str, rule: str, made: str, **also: Any
    ) -> None:
        """The same change in some rows, 0 for the whole table. also: value, severity, certainty, remedy."""
        rows = np.atleast_1d(np.asarray(rows))
        line = {
            "value": None,
            "made": made,
            "rule": rule,
            "severity": INFO,
            "certainty": 1.0,
            "remedy": None,
        } | also
        self.cells(file, sheet, column, rows, np.zeros(len(rows)), pd.DataFrame([line]))

    def __len__(self) -> int:
        return sum(len(part.rows) for part in self._parts)

    def frames(self, only: tuple[str, ...] = ()) -> Iterator[pd.DataFrame]:
        """Every change, a frame for each part: written one by one they never stand in memory all at once. only: severities."""
        for part in self._parts:
            if only:
                wanted = part.table["severity"].isin(only).to_numpy()[part.places]
                part = replace(part, rows=part.rows[wanted], places=part.places[wanted])
            if len(part.rows):
                yield self._frame(part)

    def frame(self, only: tuple[str, ...] = ()) -> pd.DataFrame:
        """Every change in the order of the file: CHANGE_COLUMNS; row is missing where it concerns the whole table. only: severities."""
        parts = list(self.frames(only))
        if not parts:
            return pd.DataFrame(columns=CHANGE_COLUMNS)
        frame = pd.concat(parts, ignore_index=True)
        sheets = {
            name: number
            for number, name in enumerate(
                dict.fromkeys((part.file, part.sheet) for part in self._parts)
            )
        }
        sheet = np.repeat(
            [sheets[part["file"].iloc[0], part["sheet"].iloc[0]] for part in parts],
            [len(part) for part in parts],
        )
        order = np.lexsort((frame["row"].fillna(0).to_numpy(dtype="int64"), sheet))
        return frame.take(order).reset_index(drop=True)

    def _frame(self, part: _Part) -> pd.DataFrame:
        frame = part.table.take(part.places).reset_index(drop=True)
        rows = pd.Series(part.rows, dtype="Int64")
        frame = frame.assign(
            file=part.file, sheet=part.sheet, row=rows.where(rows > 0), column=part.column
        )
        return frame[CHANGE_COLUMNS]

    def summary(self) -> pd.DataFrame:
        """The same, added up: one line a column, rule and distinct cell, with `rows` (how many) and `first` (the first row)."""
        lines = []
        for part in self._parts:
            count = np.bincount(part.places, minlength=len(part.table))
            first = np.full(len(part.table), np.iinfo("int64").max)
            np.minimum.at(first, part.places, part.rows)
            lines.append(
                part.table.assign(
                    file=part.file, sheet=part.sheet, column=part.column, rows=count, first=first
                )[count > 0]
            )
        empty = pd.DataFrame(columns=["file", "sheet", "column", *_OF_CELL, "rows", "first"])
        return pd.concat(lines, ignore_index=True)[list(empty.columns)] if lines else empty
