"""Cells as they stand in a file in, a table with column names, row numbers and notes out: where is the header, what is no row?"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from capelib.errors import DataError

MAX_ROWS = 20_000_000  # twice the largest table that the benchmark reads
MAX_COLUMNS = (
    16_384  # what a spreadsheet program can hold; the widest table of the field, V-Dem's, has 4,600
)
MAX_CELLS = 300_000_000  # 8 bytes a cell beside its text: 2.4 GB
MAX_CELL = 100_000  # characters; a spreadsheet program holds 32,767: a longer cell is no cell but a lost quotation mark
MAX_NAME = 1_000  # characters of a column's name; longer is a text that stands where the names were looked for
MAX_FILLED = 2_000_000  # cells that merged cells fill down: a few merges over whole columns would otherwise cost hours
HEAD = 60  # rows in which the header is looked for

NOTE_COLUMNS = ["row", "column", "value", "made", "rule", "severity", "certainty"]
EXTRA = "(extra cells)"  # column for the cells that a row has beyond the last column
ERRORS = (
    "#N/A",
    "#N/A!",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#GETTING_DATA",
)
Area = tuple[
    int, int, int, int
]  # merged cells: first row, first column, last row, last column; rows from 1, columns from 0
_FOOT = re.compile(
    r"\s*(\*|©|(sources?|notes?|n\.?b|data|updated|last updated|compiled|"
    r"источники?|примечани[ея]|данные|обновлено|составлено|дереккөз|булак|манбаъ?|manba|çeşme)\b)",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"\s*((grand )?total|sum|итого|всего|барлығы|бардыгы|ҳамагӣ|жами|jami|jemi)\b[\s:.]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\s*[-+]?\d[\d\s.,%']*")


class Notes:
    """What reading did to a table: one line a change or doubt, so that nothing is changed silently.

    severity: "info" (nothing to do), "guess" (look at it), "problem" (the row, where one is named, should be set aside).
    column: a name, or the number of a column (from 0) until its name is known.
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
        self._lines.append((row, column, value, made, rule, severity, certainty))

    def add_rows(
        self,
        rule: str,
        made: str,
        found: Iterable[tuple[int, str | None]],
        *,
        column: str | int = "",
        severity: str,
        certainty: float = 1.0,
    ) -> None:
        """The same note for many rows, each with the value found there."""
        self._lines.extend(
            (row, column, value, made, rule, severity, certainty) for row, value in found
        )

    def before(self, sheet: "Sheet") -> "Sheet":
        """The sheet with these notes before its own."""
        return (
            replace(sheet, notes=pd.concat([self.frame({}), sheet.notes], ignore_index=True))
            if self._lines
            else sheet
        )

    def frame(self, names: dict[int, str]) -> pd.DataFrame:
        """All notes, those of the whole table first. names: of the columns that are known by number."""
        lines = [
            (
                row,
                names.get(column, f"column {column + 1}") if isinstance(column, int) else column,
                *rest,
            )
            for row, column, *rest in self._lines
        ]
        frame = pd.DataFrame(lines, columns=NOTE_COLUMNS).astype(
            {"row": "Int64", "certainty": "float64"}
        )
        text = dict.fromkeys(["column", "value", "made", "rule", "severity"], "str")
        return frame.astype(text).sort_values(
            "row", kind="stable", na_position="first", ignore_index=True
        )


@dataclass(frozen=True)
class Sheet:
    """One table as it was read, before any cleaning.

    file, sheet: where it stands; sheet is "" where the file has only one table.
    header_rows: rows of the file that name the columns; empty where the format itself names them (JSON, Parquet, a DataFrame).
    frame: every cell text, blank cells missing; the index is the row number as a person sees it in the file, header counted.
    notes: frame with `row` (missing: the whole table), `column`, `value` (as found), `made` (what was made of it), `rule`,
        `severity` (info, guess or problem) and `certainty` (0 to 1).
    """

    file: str
    sheet: str
    header_rows: tuple[int, ...]
    frame: pd.DataFrame
    notes: pd.DataFrame


@dataclass
class Grid:
    """Cells before the header is known. cells: text, columns numbered from 0, index the row numbers of the file, blanks missing."""

    file: str
    sheet: str
    cells: pd.DataFrame
    merged: list[Area] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    visible: bool = True
    extra: int = -1  # number of the column of cells beyond the last column, where there are any

    @cached_property
    def head(self) -> pd.DataFrame:
        """The first rows that are not blank."""
        some = self.cells.iloc[: HEAD * 20]
        return some.dropna(how="all").iloc[:HEAD]


def where(file: str, sheet: str) -> str:
    """How messages name a table."""
    return " ".join((f"{file}, sheet {sheet}" if sheet else file).split())


def bounded(rows: int, columns: int, place: str) -> None:
    """Raises DataError for a table too large to be held in memory."""
    if rows > MAX_ROWS:
        raise DataError(
            f"{place} has {rows:,} rows, more than {MAX_ROWS:,}: split it into smaller files"
        )
    if columns > MAX_COLUMNS:
        raise DataError(
            f"{place} has {columns:,} columns, more than {MAX_COLUMNS:,}: is it a table with one row a case?"
        )
    if rows * columns > MAX_CELLS:
        raise DataError(
            f"{place} has {rows:,} rows of {columns:,} columns, more than {MAX_CELLS:,} cells: keep only the columns you need"
        )


def tabulate(grid: Grid, header: int = 0) -> Sheet:
    """The table in a grid: its header found (or in row `header`), title rows, footers and merged cells noted."""
    if grid.head.empty:
        raise DataError(
            f"{where(grid.file, grid.sheet)} is empty: expected a header row and at least one row"
        )
    rows = header_rows(grid.head, grid.merged, header)
    if header and header not in grid.cells.index:
        raise DataError(
            f"{where(grid.file, grid.sheet)} has no row {header}: give the number of the row that names the columns"
        )
    names = _names(grid, rows)
    above, below = (
        int(grid.cells.index.searchsorted(row, side))
        for row, side in ((rows[0], "left"), (rows[-1], "right"))
    )
    for row, cells in grid.cells.iloc[:above].dropna(how="all").iterrows():
        found = [str(cell) for cell in cells.dropna()]
        grid.notes.add(
            "read.title",
            "kept out: it stands above the header",
            row=row,
            value=" | ".join(found)[:MAX_CELL],
        )
    if rows != (1,):
        grid.notes.add(
            "read.header",
            f"column names taken from row {' and '.join(map(str, rows))}",
            row=rows[0],
            certainty=0.95,
        )
    first = [str(name) for name in names if name]
    if first and sum(bool(_NUMBER.fullmatch(name)) for name in first) > len(first) / 2:
        advice = "taken as column names although they look like values: if they are, add a row of names above"
        grid.notes.add("read.header", advice, row=rows[0], severity="guess", certainty=0.5)
    body = _filled_down(grid.cells.iloc[below:], grid)
    _name_last_rows(body, grid.notes)
    return finish(grid, body, names, rows)


def header_rows(head: pd.DataFrame, merged: list[Area], given: int = 0) -> tuple[int, ...]:
    """Which rows name the columns: the first that fills most of the table's width, and a row of groups above or parts below it.

    head: the first rows that are not blank. merged: merged cells, [] where the format has none. given: a row that is known.
    """
    filled = head.notna().sum(axis=1)
    often = [count for count, times in Counter(filled.tolist()).items() if times > 1]
    row = given or int(filled.index[filled > 0.6 * max(often or filled)][0])
    if row not in head.index:
        return (row,)
    used = _span(head.notna())
    if row - 1 in head.index and _groups(head, row - 1, row, merged, used):
        return (row - 1, row)
    if row + 1 in head.index and _parts(head, row, row + 1, merged, used):
        return (row, row + 1)
    return (row,)


def _span(filled: pd.DataFrame) -> tuple[int, int]:
    columns = filled.columns[filled.any()]
    return int(columns[0]), int(columns[-1])


def _across(merged: list[Area], row: int, used: tuple[int, int]) -> bool:
    """Are cells of this row merged sideways, and not just one title over the whole table?"""
    return any(
        top == row and right > left and not (left <= used[0] and right >= used[1])
        for top, left, _, right in merged
    )


def _is_text(cells: pd.Series) -> bool:
    return not any(_NUMBER.match(str(cell)) for cell in cells.dropna())


def _groups(
    head: pd.DataFrame, above: int, row: int, merged: list[Area], used: tuple[int, int]
) -> bool:
    """Does the row above the header name groups of columns?"""
    cells, names = head.loc[above], head.loc[row]
    if _across(merged, above, used):
        return True
    starts = [
        column
        for column in cells.index[:-1]
        if pd.notna(cells[column]) and pd.isna(cells[column + 1]) and pd.notna(names[column + 1])
    ]
    return len(starts) > 1 and bool(cells.notna().sum() < names.notna().sum()) and _is_text(cells)


def _parts(
    head: pd.DataFrame, row: int, below: int, merged: list[Area], used: tuple[int, int]
) -> bool:
    """Does the row below the header name parts of some of its columns ("date": "from", "to")?"""
    cells, names = head.loc[below], head.loc[row]
    if not _is_text(cells):
        return False
    if _across(merged, row, used):
        return True
    inside = names.loc[used[0] : used[1]]
    gaps = inside.index[inside.isna()]
    plain = cells[names.notna() & cells.isna()]
    return bool(len(gaps) and len(plain) and cells[gaps].notna().all()) and head.index[-1] > below


def _names(grid: Grid, rows: tuple[int, ...]) -> list[str]:
    """The column names: of two rows "group / column", a group reaching over the blank cells to its right."""
    lines = [grid.cells.loc[row] if row in grid.cells.index else grid.cells.iloc[0] for row in rows]
    if len(lines) == 2:
        reach = {(top, left): right for top, left, _, right in grid.merged}
        upper, lower, last, until = lines[0].copy(), lines[1], None, -1
        for column in upper.index:
            if pd.notna(upper[column]):
                last = upper[column]
                until = reach.get((rows[0], column), column) if grid.merged else upper.index[-1]
            elif column <= until and pd.notna(lower[column]):
                upper[column] = last
        lines = [upper, lower]
        grid.notes.add(
            "read.groups",
            "two rows of names put together as group / column",
            row=rows[0],
            certainty=0.95 if grid.merged else 0.7,
        )
    parts = [
        [" ".join(str(line[column]).split()) for line in lines if pd.notna(line[column])]
        for column in grid.cells.columns
    ]
    names = [" / ".join(dict.fromkeys(part)) for part in parts]
    return [EXTRA if column == grid.extra else name for column, name in enumerate(names)]


def _filled_down(body: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The body with the value of cells merged downwards in each of their rows; cells merged sideways keep one value."""
    if body.empty:
        return body
    fill: dict[int, dict[int, str]] = {}
    last, width, filled = int(body.index[-1]), len(body.columns), 0
    for top, left, bottom, right in sorted(grid.merged):
        if top not in body.index or left >= width or pd.isna(body[left][top]):
            continue
        value, until = str(body[left][top]), min(bottom, last)
        if right > left:
            wide = right - left + 1 > max(2, width // 2)
            made, severity = (
                ("kept as a row: it looks like a heading inside the table", "problem")
                if wide
                else ("kept in its first column only", "guess")
            )
            grid.notes.add(
                "read.merged_sideways",
                made,
                row=top,
                column=left,
                value=value,
                severity=severity,
                certainty=0.8,
            )
        if until > top:
            filled += until - top
            if filled > MAX_FILLED:
                raise DataError(
                    f"{where(grid.file, grid.sheet)} has more than {MAX_FILLED:,} merged cells: undo the merging of its cells"
                )
            fill.setdefault(left, {}).update(dict.fromkeys(range(top + 1, until + 1), value))
            grid.notes.add(
                "read.merged",
                f"filled down to row {until}",
                row=top,
                column=left,
                value=value,
                certainty=0.95,
            )
    if not fill:
        return body
    new = {
        column: body[column].fillna(pd.Series(values, dtype="str"))
        for column, values in fill.items()
    }
    return pd.DataFrame(
        {column: new.get(column, body[column]) for column in body}, index=body.index
    )


def _name_last_rows(body: pd.DataFrame, notes: Notes) -> None:
    """Notes which of the last rows are footers ("Source: ...") and totals: they stay in the table, but are no cases."""
    tail = body.iloc[-HEAD:].dropna(how="all").iloc[-15:]
    if len(body.columns) < 3 or tail.empty:
        return
    cells = {
        row: [(column, str(cell)) for column, cell in line.dropna().items()]
        for row, line in tail.iterrows()
    }
    order = list(cells)
    start = len(order)
    while (
        start
        and len(cells[order[start - 1]]) == 1
        and not _NUMBER.fullmatch(cells[order[start - 1]][0][1])
    ):
        start -= 1
    alone = order[start:]
    after_gap = [
        row
        for row in alone
        if _FOOT.match(cells[row][0][1]) or (row - 1 not in cells and row != order[0])
    ]
    feet = [row for row in alone if after_gap and row >= after_gap[0]]
    for row in feet:
        column, value = cells[row][0]
        notes.add(
            "read.footer",
            "kept as a row: it looks like a footer",
            row=row,
            column=column,
            value=value,
            severity="problem",
            certainty=0.9,
        )
    for row in order:
        (column, value), *others = cells[row]
        if (
            row not in feet
            and others
            and _TOTAL.fullmatch(value)
            and all(_NUMBER.fullmatch(cell) for _, cell in others)
        ):
            notes.add(
                "read.total",
                "kept as a row: it looks like a total",
                row=row,
                column=column,
                value=value,
                severity="problem",
                certainty=0.9,
            )


def finish(grid: Grid, body: pd.DataFrame, names: list[str], rows: tuple[int, ...]) -> Sheet:
    """The sheet of a body: columns named, blank rows and nameless blank columns left out, error values blank."""
    place, notes = where(grid.file, grid.sheet), grid.notes
    bounded(len(body), len(names), place)
    if any(len(name) > MAX_NAME for name in names):
        raise DataError(
            f"{place} has a column name of more than {MAX_NAME:,} characters: name the row with the names (header), or shorten it"
        )
    columns = {
        column: _without_errors(body[column], column, names[column], place, notes)
        for column in body
    }
    full = pd.DataFrame(columns, index=body.index)
    keep = full.notna().any(axis=1)
    if not keep.all():
        notes.add(
            "read.blank_rows",
            f"blank rows left out: {int((~keep).sum()):,}; the others keep their numbers",
        )
        full = full[keep]
    if full.empty:
        notes.add("read.no_rows", "no row below the header", severity="problem")
    empty = [column for column in full if not names[column] and not full[column].notna().any()]
    if empty:
        notes.add("read.blank_columns", f"blank columns without a name left out: {len(empty):,}")
        full = full.drop(columns=empty)
    named = _unique({column: names[column] for column in full}, notes, rows)
    return Sheet(
        grid.file,
        grid.sheet,
        rows,
        full.set_axis([named[column] for column in full], axis=1),
        notes.frame(named | dict.fromkeys(empty, "")),
    )


def _without_errors(
    cells: pd.Series, column: int, name: str, place: str, notes: Notes
) -> pd.Series:
    """The cells of a column with spaces alone and error values blank. Raises DataError for a cell of absurd length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pa.array(cells.array, pa.large_string())
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest > MAX_CELL and (long := cells.str.len() > MAX_CELL).any():
        row = int(cells.index[long.fillna(False).astype(bool)][0])
        raise DataError(
            f"{place} row {row}, column {name or column + 1} holds a cell of more than {MAX_CELL:,} characters: shorten it"
        )
    if pc.any(pc.or_(pc.utf8_is_space(array), pc.equal(array, ""))).as_py():
        cells = cells.mask(cells.str.strip().eq("").fillna(False).astype(bool))
    if pc.any(pc.starts_with(array, "#")).as_py():
        wrong = cells.isin(ERRORS)
        notes.add_rows(
            "read.error",
            "left blank: a formula that failed",
            cells[wrong].items(),
            column=column,
            severity="guess",
        )
        cells = cells.mask(wrong)
    return cells


def _unique(names: dict[int, str], notes: Notes, rows: tuple[int, ...]) -> dict[int, str]:
    """Names by column number: blank ones "column 3", one that occurs again "host (2)"."""
    given, named, again = set(names.values()), {}, Counter()
    used: set[str] = set()
    for column, name in names.items():
        own = base = name or f"column {column + 1}"
        while own in used or (own != name and own in given):
            again[base] += 1
            own = f"{base} ({again[base] + 1})"
        if own != name:
            rule, why = (
                ("read.twice", "the name stands in the header more than once")
                if name
                else ("read.unnamed", "the column has no name")
            )
            notes.add(
                rule,
                f"named {own}: {why}",
                row=rows[-1] if rows else None,
                column=own,
                value=name or None,
                severity="guess",
            )
        used.add(own)
        named[column] = own
    return named


def text_frame(columns: dict[int, Any], rows: Any) -> pd.DataFrame:
    """A frame of text cells from columns of texts (arrow arrays or lists with None); letters that are none become U+FFFD."""
    import pyarrow as pa

    def array(values: Any) -> Any:
        if isinstance(values, pa.Array | pa.ChunkedArray):
            return values
        try:
            return pa.array(values, pa.large_string())
        except UnicodeEncodeError:
            return pa.array(
                [value and value.encode("utf-8", "replace").decode() for value in values],
                pa.large_string(),
            )

    table = pa.table({str(number): array(values) for number, values in columns.items()})
    return table.to_pandas().set_axis(list(columns), axis=1).set_axis(rows, axis=0)
