"""What reading gives: a table of text cells, its row numbers, and notes on all decisions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from capelib.errors import DataError

MAX_ROWS = 20_000_000  # twice the largest table that the benchmark reads
# what a spreadsheet program can hold; the widest table of the field, V-Dem's, has 4,600
MAX_COLUMNS = 16_384
MAX_CELLS = 300_000_000  # 8 bytes a cell beside its text: 2.4 GB
# characters; a spreadsheet program holds 32,767: a longer cell is a quotation mark that was lost
MAX_CELL = 100_000
HEAD = 60  # rows in which the header is looked for

NOTE_COLUMNS = ["row", "column", "value", "made", "rule", "severity", "certainty"]
EXTRA = "(extra cells)"  # column for the cells that a row has beyond the last column
# merged cells: first row, first column, last row, last column; rows from 1, columns from 0
Area = tuple[int, int, int, int]
# gives for the headers of a table the name of the layout that understands them, "" for none
LayoutOf = Callable[[list[str]], str]


class Notes:
    """What did reading do to a table? One line a change or doubt: nothing is changed silently.

    Severities: "info" (nothing to do), "guess" (look at it), "problem" (the row, where one is
    named, should be set aside). A column is a name, or its number from 0 until the name is known.
    """

    def __init__(self) -> None:
        self._lines: list[tuple[int | None, str | int, str | None, str, str, str, float]] = []

    def add(
        self,
        rule: str,
        made: str,
        *,
        row: int | None = None,
        column: str | int = "",
        value: str | None = None,
        severity: str = "info",
        certainty: float = 1.0,
    ) -> None:
        """Adds a line; see the fields of `Sheet.notes`."""
        self._lines.append((row, column, value, made, rule, severity, certainty))

    def add_rows(
        self,
        rule: str,
        made: str,
        values: Iterable[tuple[int, str | None]],
        *,
        column: str | int = "",
        severity: str,
        certainty: float = 1.0,
    ) -> None:
        """Adds the same line for many rows, each with its number and value."""
        for row, value in values:
            self._lines.append((row, column, value, made, rule, severity, certainty))

    def made(self, rule: str) -> str:
        """What was made by a rule first; "" where it has no line."""
        return next((line[3] for line in self._lines if line[4] == rule), "")

    def before(self, sheet: "Sheet") -> "Sheet":
        """The sheet with these notes before those that it has."""
        if not self._lines:
            return sheet
        notes = pd.concat([self.frame({}), sheet.notes], ignore_index=True)
        return replace(sheet, notes=notes)

    def frame(self, names: dict[int, str]) -> pd.DataFrame:
        """All notes, those of the whole table first; `names` of columns known by number."""
        frame = pd.DataFrame(self._lines, columns=NOTE_COLUMNS)
        frame["column"] = [
            names.get(column, f"column {column + 1}") if isinstance(column, int) else column
            for column in frame["column"]
        ]
        text = dict.fromkeys(["column", "value", "made", "rule", "severity"], "str")
        frame = frame.astype(text | {"row": "Int64", "certainty": "float64"})
        return frame.sort_values("row", kind="stable", na_position="first", ignore_index=True)


@dataclass(frozen=True)
class Sheet:
    """One table as it was read, before any cleaning.

    Attributes
    ----------
    file : str
        Name of the file.
    sheet : str
        Name of the workbook's sheet; "" where the file has only one table.
    header_rows : tuple of int
        Rows of the file that name the columns; empty where the format itself names them (JSON,
        Parquet, a DataFrame).
    frame : DataFrame
        Every cell text, blank cells missing. The index is the number of the row as a person sees
        it in the file, header counted.
    notes : DataFrame
        `row` (missing: the whole table), `column`, `value` (as it stands in the file), `made`
        (what was made of it), `rule`, `severity` (info, guess or problem), `certainty` (0 to 1).
    days_from_1904 : bool
        Whether numbers of days count from 1904, as some workbooks do, and not from 1900.
    assumed : str
        What reading took for granted, such as the delimiter, for a message where no column is
        understood; "" where the format itself says it.
    """

    file: str
    sheet: str
    header_rows: tuple[int, ...]
    frame: pd.DataFrame
    notes: pd.DataFrame
    days_from_1904: bool = False
    assumed: str = ""


@dataclass
class Grid:
    """Cells before the header is known.

    Attributes
    ----------
    file, sheet : str
        As in `Sheet`.
    cells : DataFrame
        Text, blanks missing; columns numbered from 0, the index the row numbers of the file.
    merged : list of Area
        Merged cells of a workbook.
    notes : Notes
        What reading has noted so far.
    visible : bool
        Whether the workbook shows the sheet.
    extra : int
        Number of the column of cells beyond the last column; -1 where there are none.
    days_from_1904 : bool
        As in `Sheet`.
    """

    file: str
    sheet: str
    cells: pd.DataFrame
    merged: list[Area] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    visible: bool = True
    extra: int = -1
    days_from_1904: bool = False

    @cached_property
    def head(self) -> pd.DataFrame:
        """The first rows that are not blank."""
        return self.cells.iloc[: HEAD * 20].dropna(how="all").iloc[:HEAD]


def where(file: str, sheet: str) -> str:
    """How do messages name a table?

    Examples
    --------
    >>> where("mine.xlsx", "Data")
    'mine.xlsx, sheet Data'
    """
    return " ".join((f"{file}, sheet {sheet}" if sheet else file).split())


def bounded(rows: int, columns: int, place: str) -> None:
    """Can a table of this size be held in memory?

    Raises
    ------
    DataError
        Where it cannot.
    """
    if rows > MAX_ROWS:
        raise DataError(
            f"{place} has {rows:,} rows, more than {MAX_ROWS:,}: split it into smaller files"
        )
    if columns > MAX_COLUMNS:
        raise DataError(
            f"{place} has {columns:,} columns, more than {MAX_COLUMNS:,}: "
            "is it a table with one row a case?"
        )
    if rows * columns > MAX_CELLS:
        raise DataError(
            f"{place} has {rows:,} rows of {columns:,} columns, more than {MAX_CELLS:,} cells: "
            "keep only the columns you need"
        )


def text_frame(columns: dict[int, Any], rows: Any) -> pd.DataFrame:
    """Which frame do these columns of texts give?

    Parameters
    ----------
    columns
        Arrow arrays, or sequences of texts and None, by number. Letters that are none (halves of
        a pair) become U+FFFD.
    rows
        The index: numbers of the rows.
    """
    import pyarrow as pa

    def array(values: Any) -> Any:
        if isinstance(values, pa.Array | pa.ChunkedArray):
            return values
        try:
            return pa.array(values, pa.large_string())
        except UnicodeEncodeError:
            whole = [value and value.encode("utf-8", "replace").decode() for value in values]
            return pa.array(whole, pa.large_string())

    table = pa.table({str(number): array(values) for number, values in columns.items()})
    return table.to_pandas().set_axis(list(columns), axis=1).set_axis(rows, axis=0)


def text_rows(rows: Sequence[Sequence[str | None]], numbers: Any) -> pd.DataFrame:
    """Which frame do these rows of texts, all of one length, give? `numbers` are the index."""
    return text_frame(dict(enumerate(zip(*rows, strict=True))), numbers)
