"""The text of single cells, and all cells of a workbook written to standard output: the part of reading that runs on its own.

`python -m capelib.read.workbook_guard FILE [SHEET]` is started by `capelib.read.workbook`: the library that reads workbooks
reserves memory for the whole area of a sheet and ends the program when there is none, so a hostile file must not meet it
inside a notebook.
"""

import json
import math
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY = 2 << 30  # bytes for the program that reads a workbook
TEXT = (
    512 << 20
)  # characters that it may write: few long texts used in many cells would otherwise fill the disk
BATCH = 5_000  # rows a line


def text_of(value: Any) -> str | None:
    """A cell's value as text: dates in ISO form, whole numbers without .0, yes and no; None where it is blank.

    >>> from datetime import datetime
    >>> [text_of(value) for value in (2015.0, 0.1 + 0.2, True, datetime(2015, 3, 5), " ", float("nan"))]
    ['2015', '0.3', 'yes', '2015-03-05', None, None]
    """
    match value:
        case None:
            return None
        case str():
            return value if value and not value.isspace() else None
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            if math.isnan(value):
                return None
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
        case datetime():
            if value != value:  # pandas' NaT
                return None
            return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case bytes():
            return value.decode("utf-8", "replace")
        case list() | tuple() | dict():
            return json.dumps(value, ensure_ascii=False, default=text_of) if value else None
    return str(value)


def main(path: str, only: str = "") -> None:
    """Writes each sheet as lines of JSON: first its name and place, then lists of rows."""
    from python_calamine import CalamineError, SheetTypeEnum, SheetVisibleEnum, load_workbook

    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (
        ImportError,
        ValueError,
        OSError,
    ):  # not on Windows: there only the scan before bounds it
        pass
    written = 0
    try:
        book = load_workbook(path)
        for about in book.sheets_metadata:
            if about.typ != SheetTypeEnum.WorkSheet or (only and about.name != only):
                continue
            sheet = book.get_sheet_by_name(about.name)
            if sheet.start is None or sheet.end is None:
                continue
            _write(
                {
                    "sheet": about.name,
                    "visible": about.visible == SheetVisibleEnum.Visible,
                    "left": sheet.start[1],
                    "last": sheet.end[0] + 1,
                    "merged": sheet.merged_cell_ranges or [],
                }
            )
            batch: list[list[str | None]] = []
            for row in sheet.iter_rows():
                batch.append([text_of(cell) for cell in row])
                written += sum(len(cell) for cell in batch[-1] if cell)
                if written > TEXT:
                    _write({"error": f"holds more than {TEXT:,} characters"})
                    return
                if len(batch) == BATCH:
                    _write(batch)
                    batch = []
            _write(batch)
    except CalamineError as error:
        _write({"error": f"cannot be read as a workbook ({error})"})
    _write({"end": True})


def _write(content: Any) -> None:
    sys.stdout.write(json.dumps(content) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
