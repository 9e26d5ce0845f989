"""xlsx and ods workbooks: bounds first, then cells, with hidden rows, merged cells and formulas without a value noted."""

import json
import posixpath
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

import pandas as pd

from capelib.errors import DataError
from capelib.read.header import MAX_COLUMNS, Area, Grid, Notes, Sheet, tabulate, text_frame

MAX_PACKED = 256 << 20  # bytes of the file: a full sheet of 1,048,576 rows has about 100 MB
MAX_UNPACKED = 2 << 30  # bytes of its parts together
MAX_RATIO = 200  # parts to file, once they are over 64 MiB; sheets of the field have about 12, one of equal rows 60
MAX_PARTS = 5_000
MAX_AREA = 20_000_000  # cells of the area that a sheet covers: a full sheet of 19 columns; 32 bytes each while it is read
MAX_MARKS = 1_000_000  # hidden rows, merged cells, failed formulas
SECONDS = 180
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    KeyError,
)


class _Refused(Exception):
    """What is wrong with a workbook, to be said with its name before it."""


@dataclass
class Scan:
    """What a sheet's XML says that the cells do not. Rows from 1, columns from 0."""

    hidden_rows: list[tuple[int, int]] = field(default_factory=list)  # first and last of each run
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[Area] = field(default_factory=list)
    failed: list[tuple[int, int, str]] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)  # formulas without a value
    filtered: bool = False
    area: list[int] = field(default_factory=list)  # first row, first column, last row, last column

    def hide(self, first: int, last: int) -> None:
        """Rows that are hidden; a sheet may hide all that follow its table in one stroke."""
        if self.hidden_rows and self.hidden_rows[-1][1] == first - 1:
            first = self.hidden_rows.pop()[0]
        self.hidden_rows.append((first, last))

    def cover(self, row: int, column: int, rows: int = 1, columns: int = 1) -> None:
        """A cell that holds something, in so many rows and columns."""
        if not self.area:
            self.area = [row, column, row + rows - 1, column + columns - 1]
            return
        top, left, bottom, right = self.area
        if row < top:
            self.area[0] = row
        if column < left:
            self.area[1] = column
        if row + rows - 1 > bottom:
            self.area[2] = row + rows - 1
        if column + columns - 1 > right:
            self.area[3] = column + columns - 1

    def check(self) -> None:
        if (
            len(self.hidden_rows) + len(self.merged) + len(self.failed) + len(self.unknown)
            > MAX_MARKS
        ):
            raise _Refused(
                f"has more than {MAX_MARKS:,} hidden rows, merged cells and formulas without a value: save its values as CSV"
            )


def read_workbook(
    path: Path, file: str, kind: str, sheet: str = "", header: int = 0
) -> list[Sheet]:
    """The table of an xlsx or ods file, and further sheets with the same header; see `capelib.read.files.read`."""
    try:
        scans = _scanned(path, kind)
        if sheet and sheet not in scans:
            near = next(
                (name for name in scans if name.strip().casefold() == sheet.strip().casefold()), ""
            )
            if not near:
                raise _Refused(f"has no sheet {sheet!r}: it has {', '.join(list(scans)[:20])}")
            sheet = near
        _check_areas({name: scan for name, scan in scans.items() if not sheet or name == sheet})
        grids = _grids(path, file, scans, sheet)
    except _Refused as error:
        raise DataError(" ".join(f"{file} {error}".split())) from None
    except MemoryError:
        raise DataError(f"{file} needs more memory than there is: save the sheet as CSV") from None
    except BROKEN as error:
        raise DataError(
            f"{file} is broken or not a spreadsheet ({_one_line(error)}): open it in a spreadsheet program and save it again"
        ) from None
    return _chosen(grids, file, sheet, header)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__


def _check_areas(scans: dict[str, Scan]) -> None:
    """Refuses sheets that together cover more than can be read: the rows above the first one are read as well."""
    total = 0
    for name, scan in scans.items():
        if not scan.area:
            continue
        _, left, bottom, right = scan.area
        total += bottom * (right - left + 1)
        if total > MAX_AREA:
            raise _Refused(
                f"sheet {name} reaches down to row {bottom:,} and over {right - left + 1:,} columns, with the sheets before it more than "
                f"{MAX_AREA:,} cells: delete what stands far outside the table, name one sheet, or save it as CSV"
            )


def _chosen(grids: list[Grid], file: str, sheet: str, header: int) -> list[Sheet]:
    """The sheet that looks most like a table, and those with the same columns; what is not read is noted."""
    if not grids:
        raise DataError(
            f"{file} {f'sheet {sheet!r} ' if sheet else ''}is empty: expected a header row and at least one row"
        )
    if sheet:
        return [tabulate(grids[0], header)]
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
    best = max(
        tables,
        key=lambda one: (
            min(one.frame.shape[1], 3),
            min(len(one.frame), 1),
            one.frame.notna().to_numpy().sum(),
        ),
    )
    same = [
        one
        for one in tables
        if one is best or (len(one.frame) and list(one.frame.columns) == list(best.frame.columns))
    ]
    left = [
        grid.sheet + ("" if grid.visible else " (hidden)")
        for grid in grids
        if grid.sheet not in {one.sheet for one in same}
    ]
    more = Notes()
    if len(same) > 1:
        made = f"read together with the other sheets of the same columns: {', '.join(one.sheet for one in same[:20])}"
        more.add("read.same_sheets", made, severity="guess", certainty=0.9)
    if left:
        made = f"not read: {', '.join(left[:20])}; name a sheet to read it instead"
        more.add("read.other_sheets", made, severity="guess", certainty=0.9)
    return [more.before(one) if one is best else one for one in same]


def _members(book: zipfile.ZipFile, packed: int) -> dict[str, zipfile.ZipInfo]:
    """The parts of a workbook by name; refused where they would fill the memory or cannot be read safely."""
    parts = book.infolist()
    total = sum(part.file_size for part in parts)
    if (
        len(parts) > MAX_PARTS
        or total > MAX_UNPACKED
        or (total > 64 << 20 and total > MAX_RATIO * packed)
    ):
        raise _Refused(
            f"would unpack to {total >> 20:,} MiB in {len(parts):,} parts, more than a workbook of its size needs: it is not read"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise _Refused("is locked with a password: remove the password and save it again")
    named = {part.filename.lower().lstrip("/"): part for part in parts}
    if len(named) < len(parts):
        raise _Refused(
            "holds two parts of the same name: open it in a spreadsheet program and save it again"
        )
    return named


class _Parts:
    """Reads the XML parts of a workbook one after another, and counts the bytes that really come out of them."""

    def __init__(self, path: Path) -> None:
        self._book = zipfile.ZipFile(path)
        self.parts = _members(self._book, path.stat().st_size)
        self._left = min(MAX_UNPACKED, max(64 << 20, MAX_RATIO * path.stat().st_size))

    def __enter__(self) -> "_Parts":
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def walk(
        self,
        name: str,
        start: Callable[[str, dict[str, str]], None] | None = None,
        text: "_Text | None" = None,
    ) -> None:
        """Calls start(tag, attributes) for each element of a part, tags without their prefix. Refuses entities."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_doctype
        if start:
            parser.StartElementHandler = lambda tag, found: start(
                tag.rpartition(":")[2] if ":" in tag else tag, found
            )
        if text:
            text.listen = lambda to: setattr(parser, "CharacterDataHandler", to)
        part = self.parts[name.lower()]
        part.file_size = (
            MAX_UNPACKED  # what the directory says may be a lie: read on to the real end
        )
        with self._book.open(part) as file:
            while block := file.read(1 << 18):
                self._left -= len(block)
                if self._left < 0:
                    raise _Refused(
                        "unpacks to far more than a workbook of its size needs: it is not read"
                    )
                parser.Parse(block, False)
        parser.Parse(b"", True)


def _no_doctype(*_: object) -> None:
    raise _Refused("declares XML entities, as no spreadsheet program does: it is not read")


class _Text:
    """Switches listening to the text of an element on and off; most text of a sheet is never looked at."""

    listen: Callable[[Callable[[str], None] | None], None]


def _scanned(path: Path, kind: str) -> dict[str, Scan]:
    """What the XML of each sheet says, by the sheet's name; every part that holds XML was read to its end."""
    with _Parts(path) as parts:
        if kind == "ods":
            return _scan_ods(parts)
        sheets = _sheets_of(parts)
        scans: dict[str, Scan] = {}
        for name, part in sheets.items():
            if part not in parts.parts:
                raise _Refused(
                    f"lacks the part of its sheet {name}: open it in a spreadsheet program and save it again"
                )
            scans[name] = _Worksheet().scan(parts, part)
        for part in parts.parts:
            if part.endswith((".xml", ".rels")) and part not in sheets.values():
                parts.walk(part)
        return scans


def _sheets_of(parts: _Parts) -> dict[str, str]:
    """The part that holds each sheet of an xlsx file, in the order of the workbook."""
    targets: dict[str, str] = {}
    found: dict[str, str] = {}

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            target = attributes.get("Target", "")
            targets[attributes.get("Id", "")] = (
                posixpath.normpath(posixpath.join("xl", target)).lstrip("/").lower()
            )

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        if tag == "sheet":
            key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            if key in targets:
                found[attributes.get("name", "")] = targets[key]

    parts.walk("xl/_rels/workbook.xml.rels", relation)
    parts.walk("xl/workbook.xml", sheet)
    return found


class _Worksheet(_Text):
    """Scans one sheet of an xlsx file."""

    def __init__(self) -> None:
        self.found = Scan()
        self.row = 0
        self.column = -1
        self.type = ""
        self.formula = False  # in a cell with a formula whose value has not come yet
        self.listening = False
        self.letters: dict[str, int] = {}

    def scan(self, parts: _Parts, part: str) -> Scan:
        parts.walk(part, self.start, self)
        self._no_value()
        self.found.check()
        return self.found

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            if self.listening:
                self._stop()
            if self.formula:
                self._no_value()
            self._at(attributes.get("r", ""))
            self.type = attributes.get("t", "")
        elif tag == "v" or tag == "is":
            self.found.cover(self.row, self.column)
            if self.formula or self.type == "e":
                self.listening = True
                self.listen(self._value)
        elif tag == "f":
            self.formula = self.type != "str"  # a text that is "" is a value
        elif tag == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = -1
            if attributes.get("hidden") in ("1", "true"):
                self.found.hide(self.row, self.row)
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes.get("min", 1)), int(attributes.get("max", 1))
            self.found.hidden_columns.update(range(max(0, first - 1), min(last, MAX_COLUMNS)))
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif tag == "autoFilter":
            self.found.filtered = True

    def _at(self, ref: str) -> None:
        """Moves to a cell such as "B12"; without a reference to the next one."""
        if not ref:
            self.column += 1
            return
        letters = ref.rstrip("0123456789")
        if letters not in self.letters:
            if (
                not letters.isascii()
                or not letters.isalpha()
                or len(letters) > 3
                or len(self.letters) > MAX_COLUMNS
            ):
                raise _Refused(
                    f"has a cell {ref[:20]!r}, which is no place in a sheet: open it in a spreadsheet program and save it again"
                )
            number = 0
            for letter in letters.upper():
                number = number * 26 + ord(letter) - 64
            self.letters[letters] = number - 1
        self.column = self.letters[letters]
        self.row = int(ref[len(letters) :] or self.row)

    def _merge(self, ref: str) -> None:
        place = (self.row, self.column)
        first, _, last = ref.partition(":")
        self._at(first)
        top, left = self.row, self.column
        self._at(last or first)
        self.found.merged.append((top, left, self.row, self.column))
        self.row, self.column = place
        if len(self.found.merged) > MAX_MARKS:
            self.found.check()

    def _value(self, text: str) -> None:
        if self.type == "e":
            self.found.failed.append((self.row, self.column, text))
            self.type = ""
        self.formula = False

    def _stop(self) -> None:
        """Not from within the handler itself: taking it away there calls it once more."""
        self.listening = False
        self.listen(None)

    def _no_value(self) -> None:
        if self.formula:
            self.found.unknown.append((self.row, self.column))
        self.formula = False


def _scan_ods(parts: _Parts) -> dict[str, Scan]:
    encrypted: list[str] = []
    if "meta-inf/manifest.xml" in parts.parts:
        parts.walk(
            "meta-inf/manifest.xml",
            lambda tag, _: encrypted.append(tag) if tag == "encryption-data" else None,
        )
    if encrypted:
        raise _Refused("is locked with a password: remove the password and save it again")
    book = _OdsContent()
    parts.walk("content.xml", book.start)
    for scan in book.found.values():
        scan.check()
    return book.found


class _OdsContent:
    """Scans the sheets of an ods file, which all stand in one part. Rows and cells that repeat are counted, not written out."""

    def __init__(self) -> None:
        self.found: dict[str, Scan] = {}
        self.scan = Scan()
        self.row, self.rows = 1, 0
        self.column, self.columns = 0, 0
        self.head = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not tag.startswith("table") and tag != "covered-table-cell":
            return
        found = {name.rpartition(":")[2]: value for name, value in attributes.items()}
        if tag in ("table-cell", "covered-table-cell"):
            self._cell(found)
        elif tag == "table-row":
            self.row += self.rows
            self.rows = int(found.get("number-rows-repeated", 1))
            self.column, self.columns = 0, 0
            if found.get("visibility", "visible") != "visible":
                self.scan.filtered |= found["visibility"] == "filter"
                self.scan.hide(self.row, self.row + self.rows - 1)
        elif tag == "table-column":
            times = int(found.get("number-columns-repeated", 1))
            if found.get("visibility", "visible") != "visible":
                self.scan.hidden_columns.update(
                    range(self.head, min(self.head + times, MAX_COLUMNS))
                )
            self.head += times
        elif tag == "table":
            self.scan = self.found.setdefault(found.get("name", ""), Scan())
            self.row, self.rows, self.head = 1, 0, 0

    def _cell(self, found: dict[str, str]) -> None:
        self.column += self.columns
        self.columns = int(found.get("number-columns-repeated", 1))
        row, column = self.row, self.column
        if "value-type" in found:
            self.scan.cover(row, column, self.rows, self.columns)
        if (
            found.get("value-type") == "string"
            and found.get("string-value") == ""
            and "formula" in found
        ):
            self.scan.failed.append((row, column, "#N/A"))
        elif "formula" in found and "value-type" not in found:
            self.scan.unknown.append((row, column))
        down, right = (
            int(found.get("number-rows-spanned", 1)),
            int(found.get("number-columns-spanned", 1)),
        )
        if down > 1 or right > 1:
            self.scan.merged.append((row, column, row + down - 1, column + right - 1))
        if len(self.scan.merged) + len(self.scan.failed) + len(self.scan.unknown) > MAX_MARKS:
            self.scan.check()


def _grids(path: Path, file: str, scans: dict[str, Scan], sheet: str) -> list[Grid]:
    """The cells of the sheets, read by a process of its own that may not take more memory or time than a workbook needs."""
    with tempfile.TemporaryFile() as out:
        command = [
            sys.executable,
            "-m",
            "capelib.read.workbook_guard",
            str(path.resolve()),
            *([sheet] if sheet else []),
        ]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                cwd=Path(__file__).parents[2],
            )
        except subprocess.TimeoutExpired:
            raise _Refused(
                f"takes more than {SECONDS} seconds to read: save the sheet as CSV"
            ) from None
        if done.returncode:
            raise _Refused(
                "cannot be read: it is broken, or needs more memory than a workbook should; save the sheet as CSV"
            )
        out.seek(0)
        return list(_grids_from(out, file, scans))


def _grids_from(out: IO[bytes], file: str, scans: dict[str, Scan]) -> Iterator[Grid]:
    about: dict[str, Any] = {}
    batches: list[pd.DataFrame] = []
    for line in out:
        content = json.loads(line)
        if isinstance(content, list):
            if content:
                batches.append(
                    text_frame(dict(enumerate(zip(*content, strict=True))), range(len(content)))
                )
            continue
        if "error" in content:
            raise _Refused(
                content["error"] + ": open it in a spreadsheet program and save it again, or as CSV"
            )
        if batches:
            yield _grid(about, pd.concat(batches, ignore_index=True), file, scans)
        about, batches = content, []


def _grid(about: dict[str, Any], cells: pd.DataFrame, file: str, scans: dict[str, Scan]) -> Grid:
    """A grid with its rows and columns where they stand in the sheet, and what the scan knows of them noted."""
    left, last = about["left"], about["last"]
    cells = cells.set_axis(pd.RangeIndex(last + 1 - len(cells), last + 1), axis=0)
    cells = cells.set_axis(range(left, left + len(cells.columns)), axis=1).reindex(
        columns=range(left + len(cells.columns))
    )
    scan, notes = scans.get(about["sheet"], Scan()), Notes()
    why = "hidden by a filter" if scan.filtered else "hidden"
    for first, last in scan.hidden_rows:
        first, last = max(first, cells.index[0]), min(last, cells.index[-1])
        if first > last:
            continue
        rows = f"row {first} is" if first == last else f"rows {first} to {last} are"
        notes.add(
            "read.hidden_row",
            f"{rows} {why} in the sheet: read like the others",
            row=first,
            severity="guess",
        )
    for column in sorted(scan.hidden_columns & set(cells.columns)):
        if cells[column].notna().any():
            notes.add(
                "read.hidden_column",
                "hidden in the sheet: read like the others",
                column=column,
                severity="guess",
            )
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
    return Grid(file, about["sheet"], cells.astype("str"), scan.merged, notes, about["visible"])
