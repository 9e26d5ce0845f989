"""A table from cells: which row names the columns, and which rows are titles, footers or totals?"""

import re
from collections import Counter
from itertools import pairwise

import pandas as pd

from capelib.errors import DataError
from capelib.read.sheet import EXTRA, HEAD, MAX_CELL, Area, Grid, Notes, Sheet, bounded, where

MAX_NAME = 1_000  # characters; longer is a text that stands where the names were looked for
# cells that merged cells fill down: a few merges over whole columns would otherwise cost hours
MAX_FILLED = 2_000_000
ERRORS = (
    *("#N/A", "#N/A!", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"),
    *("#SPILL!", "#CALC!", "#GETTING_DATA"),
)
_FOOTER = re.compile(
    r"\s*(\*|©|(sources?|notes?|n\.?b|data|updated|last updated|compiled|"
    r"источники?|примечани[ея]|данные|обновлено|составлено|дереккөз|булак|манбаъ?|manba|çeşme)\b)",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"\s*((grand )?total|sum|итого|всего|барлығы|бардыгы|ҳамагӣ|жами|jami|jemi)\b[\s:.]*",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\s*(#|//|%)\s*[^\W\d_]+[\s=:]+[^\s=:]")
_NUMBER = re.compile(r"\s*[-+]?\d[\d\s.,%']*")


def tabulate(grid: Grid, header: int = 0) -> Sheet:
    """Which table stands in a grid?

    Parameters
    ----------
    grid
        The cells.
    header
        Number of the row that names the columns; 0 to find it.

    Returns
    -------
    Sheet
        Title rows above the header are left out and noted; footers, totals and merged cells are
        noted.

    Raises
    ------
    DataError
        Where the grid is empty or has no such row.
    """
    place = where(grid.file, grid.sheet)
    if grid.head.empty:
        raise DataError(f"{place} is empty: expected a header row and at least one row")
    rows = header_rows(grid.head, grid.merged, header)
    if header and header not in grid.cells.index:
        raise DataError(
            f"{place} has no row {header}: give the number of the row that names the columns"
        )
    names = _names(grid, rows)
    _note_titles(grid, rows[0])
    _note_header(names, rows, grid.notes)
    first_below = int(grid.cells.index.searchsorted(rows[-1], "right"))
    body = _filled_down(grid.cells.iloc[first_below:], grid)
    _note_last_rows(body, grid.notes)
    return finish(grid, body, names, rows)


def _note_titles(grid: Grid, header: int) -> None:
    above = grid.cells.iloc[: int(grid.cells.index.searchsorted(header, "left"))]
    for row, cells in above.dropna(how="all").iterrows():
        title = " | ".join(str(cell) for cell in cells.dropna())
        made = "kept out: it stands above the header"
        grid.notes.add("read.title", made, row=row, value=title[:MAX_CELL])


def _note_header(names: list[str], rows: tuple[int, ...], notes: Notes) -> None:
    if rows != (1,):
        made = f"column names taken from row {' and '.join(map(str, rows))}"
        notes.add("read.header", made, row=rows[0], certainty=0.95)
    given = [name for name in names if name]
    numbers = sum(bool(_NUMBER.fullmatch(name)) for name in given)
    if given and numbers > len(given) / 2:
        made = (
            "taken as column names although they look like values: "
            "if they are, add a row of names above"
        )
        notes.add("read.header", made, row=rows[0], severity="guess", certainty=0.5)


def header_rows(head: pd.DataFrame, merged: list[Area], given: int = 0) -> tuple[int, ...]:
    """Which rows name the columns?

    Parameters
    ----------
    head
        The first rows that are not blank, columns numbered from 0.
    merged
        Merged cells; [] where the format has none.
    given
        A row that is known to name the columns; 0 to find it.

    Returns
    -------
    tuple of int
        The first row that fills most of the table's width, together with a row of groups above it
        or of parts below it, where there is one.
    """
    filled = head.notna().sum(axis=1)
    usual = [cells for cells, rows in Counter(filled.tolist()).items() if rows > 1]
    row = given or _first_wide(head, filled, 0.6 * max(usual or filled))
    if row not in head.index:
        return (row,)
    columns = head.columns[head.notna().any()]
    used = (int(columns[0]), int(columns[-1]))
    if row - 1 in head.index and _names_groups(head, row - 1, row, merged, used):
        return (row - 1, row)
    if row + 1 in head.index and _names_parts(head, row, row + 1, merged, used):
        return (row, row + 1)
    return (row,)


def _first_wide(head: pd.DataFrame, filled: pd.Series, least: float) -> int:
    """The first row with more than `least` cells, without comments ("# compiled by hand, ...")."""
    wide = [int(row) for row in filled.index[filled > least]]
    for row, following in pairwise(wide):
        if not (_is_comment(head, row) and _is_text(head.loc[following])):
            return row
    return wide[-1]


def _is_comment(head: pd.DataFrame, row: int) -> bool:
    """Does a row begin with the sign # and a sentence, or with # as a row beside it does?

    "#" and "# case" may be names of columns.
    """
    first = {
        number: str(head.loc[number].dropna().iloc[0]).lstrip()
        for number in (row - 1, row, row + 1)
        if number in head.index
    }
    signs = sum(cell.startswith("#") for cell in first.values())
    return _COMMENT.match(first[row]) is not None or (first[row].startswith("#") and signs > 1)


def _merged_sideways(merged: list[Area], row: int, used: tuple[int, int]) -> bool:
    """Are cells of this row merged sideways, and not just one title over the whole table?"""
    return any(
        top == row and right > left and not (left <= used[0] and right >= used[1])
        for top, left, _, right in merged
    )


def _spans_most(merged: list[Area], row: int, used: tuple[int, int]) -> bool:
    """Is a cell of this row merged over more than half of the table's width?"""
    width = used[1] - used[0] + 1
    return any(top == row and 2 * (right - left + 1) > width for top, left, _, right in merged)


def _is_text(cells: pd.Series) -> bool:
    return not any(_NUMBER.match(str(cell)) for cell in cells.dropna())


def _names_groups(
    head: pd.DataFrame, above: int, row: int, merged: list[Area], used: tuple[int, int]
) -> bool:
    """Does the row above the header name groups of columns?"""
    groups = head.loc[above]
    if groups.notna().sum() == 1 and _spans_most(merged, above, used):
        return False  # a title
    if _merged_sideways(merged, above, used):
        return True
    names = head.loc[row]
    starts = 0  # groups that reach over the column to their right
    for column in groups.index[:-1]:
        blank_beside = pd.isna(groups[column + 1]) and pd.notna(names[column + 1])
        starts += pd.notna(groups[column]) and blank_beside
    return starts > 1 and bool(groups.notna().sum() < names.notna().sum()) and _is_text(groups)


def _names_parts(
    head: pd.DataFrame, row: int, below: int, merged: list[Area], used: tuple[int, int]
) -> bool:
    """Does the row below the header name parts of some of its columns ("date": "from", "to")?"""
    names = head.loc[row]
    parts = head.loc[below]
    if not _is_text(parts):
        return False
    if _merged_sideways(merged, row, used):
        return True
    inside = names.loc[used[0] : used[1]]
    nameless = inside.index[inside.isna()]
    without_parts = (names.notna() & parts.isna()).any()
    fills_the_gaps = len(nameless) and without_parts and parts[nameless].notna().all()
    return bool(fills_the_gaps) and head.index[-1] > below


def _names(grid: Grid, rows: tuple[int, ...]) -> list[str]:
    """The column names, "" where a column has none."""
    lines = [grid.cells.loc[row] if row in grid.cells.index else grid.cells.iloc[0] for row in rows]
    if len(lines) == 2:
        lines[0] = _groups_spread(grid, *lines, rows[0])
        made = "two rows of names put together as group / column"
        grid.notes.add("read.groups", made, row=rows[0], certainty=0.95 if grid.merged else 0.7)
    names = []
    for column in grid.cells.columns:
        parts = [" ".join(str(line[column]).split()) for line in lines if pd.notna(line[column])]
        names.append(" / ".join(dict.fromkeys(parts)))
    return [EXTRA if column == grid.extra else name for column, name in enumerate(names)]


def _groups_spread(grid: Grid, groups: pd.Series, names: pd.Series, row: int) -> pd.Series:
    """The row of groups, each reaching over the blank cells to its right (as far as merged)."""
    reach = {(top, left): right for top, left, _, right in grid.merged}
    spread = groups.copy()
    group, last = None, -1
    for column in groups.index:
        if pd.notna(groups[column]):
            group = groups[column]
            last = reach.get((row, column), column) if grid.merged else groups.index[-1]
        elif column <= last and pd.notna(names[column]):
            spread[column] = group
    return spread


def _filled_down(body: pd.DataFrame, grid: Grid) -> pd.DataFrame:
    """The body with the value of cells merged downwards in each of their rows.

    Cells merged sideways keep one value.
    """
    if body.empty:
        return body
    filled: dict[int, dict[int, str]] = {}
    count = 0
    for top, left, bottom, right in sorted(grid.merged):
        if top not in body.index or left >= len(body.columns) or pd.isna(body[left][top]):
            continue
        value = str(body[left][top])
        last = min(bottom, int(body.index[-1]))
        if right > left:
            _note_sideways(grid.notes, top, left, right, len(body.columns), value)
        if last <= top:
            continue
        count += last - top
        if count > MAX_FILLED:
            raise DataError(
                f"{where(grid.file, grid.sheet)} has more than {MAX_FILLED:,} merged cells: "
                "undo the merging of its cells"
            )
        filled.setdefault(left, {}).update(dict.fromkeys(range(top + 1, last + 1), value))
        made = f"filled down to row {last}"
        grid.notes.add("read.merged", made, row=top, column=left, value=value, certainty=0.95)
    if not filled:
        return body
    columns = {column: body[column] for column in body}
    for column, values in filled.items():
        columns[column] = body[column].fillna(pd.Series(values, dtype="str"))
    return pd.DataFrame(columns, index=body.index)


def _note_sideways(notes: Notes, row: int, left: int, right: int, width: int, value: str) -> None:
    made, severity = "kept in its first column only", "guess"
    if right - left + 1 > max(2, width // 2):
        made, severity = "kept as a row: it looks like a heading inside the table", "problem"
    notes.add(
        "read.merged_sideways",
        made,
        row=row,
        column=left,
        value=value,
        severity=severity,
        certainty=0.8,
    )


def _note_last_rows(body: pd.DataFrame, notes: Notes) -> None:
    """Notes footers ("Source: ...") and totals among the last rows: they stay, but are no cases."""
    tail = body.iloc[-HEAD:].dropna(how="all").iloc[-15:]
    if len(body.columns) < 3 or tail.empty:
        return
    cells: dict[int, list[tuple[int, str]]] = {}
    for row, line in tail.iterrows():
        cells[row] = [(column, str(cell)) for column, cell in line.dropna().items()]
    footers = _footers(cells)
    for row, [(column, value), *others] in cells.items():
        numbers = bool(others) and all(_NUMBER.fullmatch(cell) for _, cell in others)
        rule = ""
        if row in footers:
            rule, made = "read.footer", "kept as a row: it looks like a footer"
        elif numbers and _TOTAL.fullmatch(value):
            rule, made = "read.total", "kept as a row: it looks like a total"
        if rule:
            notes.add(
                rule,
                made,
                row=row,
                column=column,
                value=value,
                severity="problem",
                certainty=0.9,
            )


def _footers(cells: dict[int, list[tuple[int, str]]]) -> list[int]:
    """The last rows of one text each, from the first one that reads like a footer or follows a gap.

    `cells`: the numbers and texts of the filled columns, by row.
    """
    alone: list[int] = []
    for row in reversed(cells):
        if len(cells[row]) > 1 or _NUMBER.fullmatch(cells[row][0][1]):
            break
        alone.insert(0, row)
    for position, row in enumerate(alone):
        after_gap = row - 1 not in cells and row != next(iter(cells))
        if after_gap or _FOOTER.match(cells[row][0][1]):
            return alone[position:]
    return []


def finish(grid: Grid, body: pd.DataFrame, names: list[str], rows: tuple[int, ...]) -> Sheet:
    """Which sheet do the rows below the header give?

    Parameters
    ----------
    grid
        Where the rows come from; takes the notes.
    body
        The rows, columns numbered as in the grid.
    names
        Names of the columns, "" where there is none.
    rows
        Rows of the file that name the columns.

    Returns
    -------
    Sheet
        Blank rows and nameless blank columns are left out, error values are blank.

    Raises
    ------
    DataError
        Where the table, a name or a cell is too large.
    """
    place = where(grid.file, grid.sheet)
    notes = grid.notes
    bounded(len(body), len(names), place)
    if any(len(name) > MAX_NAME for name in names):
        raise DataError(
            f"{place} has a column name of more than {MAX_NAME:,} characters: "
            "name the row with the names (header), or shorten it"
        )
    columns = {
        column: _without_errors(body[column], column, names[column], place, notes)
        for column in body
    }
    frame = pd.DataFrame(columns, index=body.index)
    filled = frame.notna().any(axis=1)
    if not filled.all():
        made = f"blank rows left out: {int((~filled).sum()):,}; the others keep their numbers"
        notes.add("read.blank_rows", made)
        frame = frame[filled]
    if frame.empty:
        notes.add("read.no_rows", "no row below the header", severity="problem")
    blank = [column for column in frame if not names[column] and not frame[column].notna().any()]
    if blank:
        notes.add("read.blank_columns", f"blank columns without a name left out: {len(blank):,}")
        frame = frame.drop(columns=blank)
    unique = _unique({column: names[column] for column in frame}, notes, rows)
    return Sheet(
        grid.file,
        grid.sheet,
        rows,
        frame.set_axis([unique[column] for column in frame], axis=1),
        notes.frame(unique | dict.fromkeys(blank, "")),
        grid.days_from_1904,
    )


def _without_errors(
    cells: pd.Series, column: int, name: str, place: str, notes: Notes
) -> pd.Series:
    """The cells of a column with spaces alone and error values blank."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pa.array(cells.array, pa.large_string())
    longest = pc.max(pc.binary_length(array)).as_py() or 0  # bytes: at least as many as characters
    if longest > MAX_CELL and (long := cells.str.len() > MAX_CELL).any():
        row = int(cells.index[long.fillna(False).astype(bool)][0])
        raise DataError(
            f"{place} row {row}, column {name or column + 1} holds a cell of more than "
            f"{MAX_CELL:,} characters: shorten it"
        )
    if pc.any(pc.or_(pc.utf8_is_space(array), pc.equal(array, ""))).as_py():
        cells = cells.mask(cells.str.strip().eq("").fillna(False).astype(bool))
    if pc.any(pc.starts_with(array, "#")).as_py():
        errors = cells.isin(ERRORS)
        made = "left blank: a formula that failed"
        notes.add_rows("read.error", made, cells[errors].items(), column=column, severity="guess")
        cells = cells.mask(errors)
    return cells


def _unique(names: dict[int, str], notes: Notes, rows: tuple[int, ...]) -> dict[int, str]:
    """Names by column number: blank ones "column 3", one that occurs again "host (2)"."""
    given = set(names.values())
    unique: dict[int, str] = {}
    repeats: Counter[str] = Counter()
    used: set[str] = set()
    for column, name in names.items():
        base = name or f"column {column + 1}"
        new = base
        while new in used or (new != name and new in given):
            repeats[base] += 1
            new = f"{base} ({repeats[base] + 1})"
        if new != name:
            rule, why = "read.unnamed", "the column has no name"
            if name:
                rule, why = "read.twice", "the name stands in the header more than once"
            notes.add(
                rule,
                f"named {new}: {why}",
                row=rows[-1] if rows else None,
                column=new,
                value=name or None,
                severity="guess",
            )
        used.add(new)
        unique[column] = new
    return unique
