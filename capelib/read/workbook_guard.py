"""All cells of a workbook, written to standard output by a process with little memory.

`python -m capelib.read.workbook_guard FILE [SHEET]` is started by `capelib.read.workbook`:
python-calamine reserves memory for the whole area of a sheet and ends the program when there is
none, so a hostile file must not meet it inside a notebook.
"""

import gc
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from capelib.read.cell_text import text_of

MEMORY = 2 << 30  # bytes for this process
# characters that it may write: few long texts used in many cells would otherwise fill the disk
TEXT = 512 << 20
# cells of all sheets, blank ones counted: of an old workbook nobody has looked at the areas before
CELLS = 20_000_000
BATCH = 5_000  # rows a line
_DATES = {date, datetime}  # what cells are that hold a date, and not its text


def main(path: str, only: str = "") -> None:
    """Writes each sheet (or `only` this) as lines of JSON: its name and place, then its rows.

    Last come the numbers of the columns in which a cell is a date, and not the text of one.
    """
    from python_calamine import CalamineError

    _limit_memory()
    # nothing here refers to itself, and looking for it among all cells costs a third more
    gc.disable()
    try:
        for line in _lines(path, only):
            _write(line)
    except CalamineError as error:
        _write({"error": f"cannot be read as a workbook ({error})"})
    _write({"end": True})


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # not on Windows: there only the scan before bounds it


def _lines(path: str, only: str) -> Iterator[Any]:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum, load_workbook

    written = cells = 0
    book = load_workbook(path)
    for about in book.sheets_metadata:
        if about.typ != SheetTypeEnum.WorkSheet or (only and about.name != only):
            continue
        sheet = book.get_sheet_by_name(about.name)
        if sheet.start is None or sheet.end is None:
            continue
        cells += (sheet.end[0] + 1) * (sheet.end[1] - sheet.start[1] + 1)
        if cells > CELLS:
            yield {"error": f"has sheets that cover more than {CELLS:,} cells"}
            return
        yield {
            "sheet": about.name,
            "visible": about.visible == SheetVisibleEnum.Visible,
            "left": sheet.start[1],
            "last": sheet.end[0] + 1,
            "merged": sheet.merged_cell_ranges or [],
        }
        batch: list[list[str | None]] = []
        dated: set[int] = set()
        values = []
        for row in sheet.iter_rows():
            values.append(row)
            # most cells are texts: not to ask `text_of` for these saves more than dates cost
            batch.append(
                [
                    cell if type(cell) is str and cell and not cell.isspace() else text_of(cell)
                    for cell in row
                ]
            )
            written += sum(len(cell) for cell in batch[-1] if cell)
            if written > TEXT:
                yield {"error": f"holds more than {TEXT:,} characters"}
                return
            if len(batch) == BATCH:
                yield batch
                dated |= _columns_with_dates(values, dated)
                batch, values = [], []
        yield batch
        dated |= _columns_with_dates(values, dated)
        yield {"dated": sorted(sheet.start[1] + place for place in dated)}


def _columns_with_dates(rows: list[list[Any]], known: set[int]) -> set[int]:
    """The places of the columns that hold a date, beside those that are known."""
    columns = enumerate(zip(*rows, strict=True))
    return {
        place
        for place, cells in columns
        if place not in known and not _DATES.isdisjoint(map(type, cells))
    }


def _write(content: Any) -> None:
    sys.stdout.write(json.dumps(content) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
