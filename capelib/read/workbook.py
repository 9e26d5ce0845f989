"""xlsx and ods workbooks: cells read within bounds, what is hidden noted, one table chosen.

pandas.read_excel gives neither merged nor hidden cells.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

import pandas as pd

from capelib.errors import DataError
from capelib.read.header import tabulate
from capelib.read.sheet import Grid, LayoutOf, Notes, Sheet, text_rows
from capelib.read.workbook_dates import dates_as_typed
from capelib.read.workbook_scan import SAVE_AGAIN, Refused, Scan, scan_workbook

# cells of the area that a sheet covers: a full sheet of 19 columns; 32 bytes each while it is read
MAX_AREA = 20_000_000
# cells of an ods file that only repeat the one before: of any file, and for each packed byte
MAX_REPEATED, REPEATED_A_BYTE = 200_000, 10
SECONDS = 180  # for reading the cells of a workbook
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, NotImplementedError),
    *(RuntimeError, OSError, ValueError, KeyError),
)


def read_workbook(
    path: Path,
    file: str,
    kind: str,
    sheet: str = "",
    header: int = 0,
    layout_of: LayoutOf | None = None,
) -> list[Sheet]:
    """Which table stands in an xlsx or ods file?

    Parameters
    ----------
    path
        The file.
    file
        Its name in messages.
    kind
        "xlsx", "ods" or "xls".
    sheet, header, layout_of
        As in `capelib.read.files.read`.

    Returns
    -------
    list of Sheet
        The named sheet; else the fullest one that a layout understands and the others of this
        layout; else the one that looks most like a table and those with the same columns.

    Raises
    ------
    DataError
        Where the workbook is broken, too large, not safe to read, or has no table.
    """
    try:
        if kind == "xls":
            return _read_old(path, file, sheet, header, layout_of)
        scans = scan_workbook(path, kind)
        sheet = _sheet_name(sheet, scans)
        wanted = {sheet: scans[sheet]} if sheet else scans
        _require_small(wanted)
        _require_few_repeated(wanted, path.stat().st_size)
        grids = _grids(path, file, scans, sheet)
    except Refused as error:
        raise DataError(" ".join(f"{file} {error}".split())) from None
    except MemoryError:
        raise DataError(f"{file} needs more memory than there is: save the sheet as CSV") from None
    except _BROKEN as error:
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(f"{file} is broken or not a spreadsheet ({why}): {SAVE_AGAIN}") from None
    if not grids:
        place = f"{file} sheet {sheet!r}" if sheet else file
        raise DataError(f"{place} is empty: expected a header row and at least one row")
    return [tabulate(grids[0], header)] if sheet else _tables(grids, file, header, layout_of)


def _read_old(
    path: Path, file: str, sheet: str, header: int, layout_of: LayoutOf | None
) -> list[Sheet]:
    """The tables of a workbook of the old format, of which only the cells are looked at.

    Its sheets have 65,536 rows of 256 columns at most, which the reading process can hold.
    """
    grids = _grids(path, file, {}, "")
    for grid in grids:
        made = "the old format .xls: hidden rows and columns, and merged cells, are not looked at"
        grid.notes.add("read.old_format", made, severity="guess", certainty=0.8)
    if sheet and grids:
        name = _sheet_name(sheet, {grid.sheet: Scan() for grid in grids})
        return [tabulate(grid, header) for grid in grids if grid.sheet == name]
    if not grids:
        raise DataError(f"{file} is empty: expected a header row and at least one row")
    return _tables(grids, file, header, layout_of)


def _sheet_name(sheet: str, scans: dict[str, Scan]) -> str:
    """The name of the sheet that is wanted, as the workbook spells it; "" for any."""
    if not sheet or sheet in scans:
        return sheet
    for name in scans:
        if name.strip().casefold() == sheet.strip().casefold():
            return name
    raise Refused(f"has no sheet {sheet!r}: it has {', '.join(list(scans)[:20])}")


def _require_small(scans: dict[str, Scan]) -> None:
    """Refuses sheets that cover too much together; rows above the first one are read as well."""
    total = 0
    for name, scan in scans.items():
        if not scan.area:
            continue
        _, left, bottom, right = scan.area
        width = right - left + 1
        total += bottom * width
        if total > MAX_AREA:
            raise Refused(
                f"sheet {name} reaches down to row {bottom:,} and over {width:,} columns, "
                f"with the sheets before it more than {MAX_AREA:,} cells: "
                "delete what stands far outside the table, name one sheet, or save it as CSV"
            )


def _require_few_repeated(scans: dict[str, Scan], packed: int) -> None:
    """Refuses a small ods file that becomes a huge table; blank rows below a table are none."""
    repeated = sum(scan.repeated for scan in scans.values())
    if repeated > max(MAX_REPEATED, REPEATED_A_BYTE * packed):
        raise Refused(
            f"repeats cells {repeated:,} times, far more than a table in a file of this size: "
            "delete rows that are equal, or save it as CSV"
        )


def _tables(
    grids: list[Grid], file: str, header: int, layout_of: LayoutOf | None = None
) -> list[Sheet]:
    """The sheets that one layout understands; else the fullest, and those with the same columns.

    What is not read is noted.
    """
    tables: list[Sheet] = []
    for grid in [grid for grid in grids if grid.visible] or grids:
        try:
            tables.append(tabulate(grid, header))
        except DataError:
            if len(grids) == 1:
                raise
    if not tables:
        raise DataError(
            f"{file} has no sheet that is a table: expected a header row and at least one row"
        )
    fits = [layout_of(list(map(str, table.frame.columns))) if layout_of else "" for table in tables]
    likely = [table for table, fit in zip(tables, fits, strict=True) if fit and len(table.frame)]
    best = max(likely or tables, key=_likeness_to_a_table)
    columns, layout = list(best.frame.columns), fits[tables.index(best)]
    same = []
    for table, fit in zip(tables, fits, strict=True):
        equal = list(table.frame.columns) == columns or (fit != "" and fit == layout)
        if table is best or (equal and len(table.frame)):
            same.append(table)
    alike = all(list(table.frame.columns) == columns for table in same)
    names = [table.sheet for table in same]
    others = [
        grid.sheet + ("" if grid.visible else " (hidden)")
        for grid in grids
        if grid.sheet not in names
    ]
    notes = Notes()
    if len(same) > 1:
        of_what = "of the same columns" if alike else "that the same layout understands"
        made = f"read together with the other sheets {of_what}: {', '.join(names[:20])}"
        notes.add("read.same_sheets", made, severity="guess", certainty=0.9)
    if others:
        made = f"not read: {', '.join(others[:20])}; name a sheet to read it instead"
        notes.add("read.other_sheets", made, severity="guess", certainty=0.9)
    return [notes.before(table) if table is best else table for table in same]


def _likeness_to_a_table(table: Sheet) -> tuple[int, int, int]:
    """At least three columns, at least a row, then the more cells the better."""
    frame = table.frame
    return min(frame.shape[1], 3), min(len(frame), 1), frame.notna().to_numpy().sum()


def _grids(path: Path, file: str, scans: dict[str, Scan], sheet: str) -> list[Grid]:
    """The cells of the sheets, read by a process that gets no more memory or time than it needs."""
    command = [sys.executable, "-m", "capelib.read.workbook_guard", str(path.resolve())]
    with tempfile.TemporaryFile() as out:
        try:
            done = subprocess.run(
                [*command, sheet] if sheet else command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                cwd=Path(__file__).parents[2],
            )
        except subprocess.TimeoutExpired:
            raise Refused(
                f"takes more than {SECONDS} seconds to read: save the sheet as CSV"
            ) from None
        if done.returncode:
            raise Refused(
                "cannot be read: it is broken, or needs more memory than a workbook should; "
                "save the sheet as CSV"
            )
        out.seek(0)
        return list(_grids_from(out, file, scans))


def _grids_from(out: IO[bytes], file: str, scans: dict[str, Scan]) -> Iterator[Grid]:
    """The grids that `workbook_guard` wrote: a sheet's name and place, then its rows."""
    about: dict[str, Any] = {}
    batches: list[pd.DataFrame] = []
    for line in out:
        content = json.loads(line)
        if isinstance(content, list):
            if content:
                batches.append(text_rows(content, range(len(content))))
            continue
        if "error" in content:
            raise Refused(f"{content['error']}: {SAVE_AGAIN}, or as CSV")
        if "dated" in content:
            about |= content
            continue
        if batches:
            scan = scans.get(about["sheet"], Scan())
            yield _grid(about, pd.concat(batches, ignore_index=True), file, scan)
        about, batches = content, []


def _grid(about: dict[str, Any], cells: pd.DataFrame, file: str, scan: Scan) -> Grid:
    """A grid with its rows and columns numbered as in the sheet; what the scan says is noted."""
    left, last = about["left"], about["last"]
    cells.index = pd.RangeIndex(last + 1 - len(cells), last + 1)
    cells.columns = range(left, left + len(cells.columns))
    cells = cells.reindex(columns=range(left + len(cells.columns)))
    notes = Notes()
    _note_hidden(scan, cells, notes)
    cells = dates_as_typed(cells, about.get("dated", []), scan.shown, scan.days_from_1904, notes)
    for row, column, value in scan.failed:
        notes.add(
            "read.error",
            "left blank: a formula that failed",
            row=row,
            column=column,
            value=value,
            severity="guess",
        )
    made = "left blank: a formula without its value; save the file in a spreadsheet program"
    for row, column in scan.unknown:
        notes.add("read.formula", made, row=row, column=column, severity="guess")
    if not about["visible"]:
        notes.add("read.hidden_sheet", "the sheet is hidden", severity="guess")
    cells = cells.astype("str")
    grid = Grid(file, about["sheet"], cells, scan.merged, notes, about["visible"])
    grid.days_from_1904 = scan.days_from_1904
    return grid


def _note_hidden(scan: Scan, cells: pd.DataFrame, notes: Notes) -> None:
    why = "hidden by a filter" if scan.filtered else "hidden"
    for hidden_first, hidden_last in scan.hidden_rows:
        first = max(hidden_first, cells.index[0])
        last = min(hidden_last, cells.index[-1])
        if first > last:
            continue
        rows = f"row {first} is" if first == last else f"rows {first} to {last} are"
        made = f"{rows} {why} in the sheet: read like the others"
        notes.add("read.hidden_row", made, row=first, severity="guess")
    made = "hidden in the sheet: read like the others"
    for column in sorted(scan.hidden_columns & set(cells.columns)):
        if cells[column].notna().any():
            notes.add("read.hidden_column", made, column=column, severity="guess")
