"""What the XML of a workbook says beside its cells, and bounds on what it may unpack to.

python-calamine gives cells and merged areas, but not hidden rows and columns or formulas without
a value; and it ends the program where a sheet covers more than the memory holds, so the area of
each sheet is known before it is asked.
"""

import posixpath
import zipfile
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from capelib.read.sheet import MAX_COLUMNS, Area
from capelib.read.workbook_dates import part_shown, part_shown_by_format

MAX_UNPACKED = 2 << 30  # bytes of its parts together
SMALL = 64 << 20  # bytes that any workbook may unpack to
# unpacked to packed bytes, beyond SMALL; sheets of the field have about 12, one of equal rows 60
MAX_RATIO = 200
MAX_PARTS = 5_000
_SHARED, _STYLES = "xl/sharedstrings.xml", "xl/styles.xml"
MAX_MARKS = 1_000_000  # hidden rows, merged cells, failed formulas
SAVE_AGAIN = "open it in a spreadsheet program and save it again"


class Refused(Exception):
    """What is wrong with a workbook; the message is put behind its name."""


@dataclass
class Scan:
    """What a sheet's XML says that its cells do not. Rows from 1, columns from 0.

    Attributes
    ----------
    hidden_rows : list of (int, int)
        First and last row of each run.
    hidden_columns : set of int
        Their numbers.
    merged : list of Area
        Merged cells.
    failed : list of (int, int, str)
        Row, column and error value of formulas that failed.
    unknown : list of (int, int)
        Row and column of formulas without a value.
    filtered : bool
        Whether a filter hides rows.
    area : list of int
        First row, first column, last row, last column that hold something; empty without any.
    repeated : int
        Cells that hold something and are not written out: an ods file says how often one repeats.
    texts : int
        Cells of an xlsx file that name one of its shared texts.
    shown : dict
        The rows of the cells whose dates are shown in part, by column and by what is shown (see
        `capelib.read.workbook_dates`).
    days_from_1904 : bool
        Whether the workbook counts days from 1904.
    """

    hidden_rows: list[tuple[int, int]] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[Area] = field(default_factory=list)
    failed: list[tuple[int, int, str]] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    filtered: bool = False
    area: list[int] = field(default_factory=list)
    repeated: int = 0
    texts: int = 0
    shown: dict[tuple[int, str], "array[int]"] = field(default_factory=dict)
    days_from_1904: bool = False

    def show(self, part: str, rows: range, columns: range) -> None:
        """Notes cells of which only this part of the date is shown."""
        for column in columns:
            self.shown.setdefault((column, part), array("l")).extend(rows)

    def hide_rows(self, first: int, last: int) -> None:
        """Notes hidden rows; a sheet may hide all rows below its table at once."""
        if self.hidden_rows and self.hidden_rows[-1][1] == first - 1:
            first = self.hidden_rows.pop()[0]
        self.hidden_rows.append((first, last))

    def hide_columns(self, first: int, after: int) -> None:
        """Notes hidden columns, from the first to the one before `after`."""
        self.hidden_columns.update(range(max(0, first), min(after, MAX_COLUMNS)))

    def cover(self, row: int, column: int, rows: int = 1, columns: int = 1) -> None:
        """Notes a cell that holds something, in so many rows and columns."""
        if not self.area:
            self.area = [row, column, row + rows - 1, column + columns - 1]
            return
        # comparing is faster than min and max, and this is called for each cell
        top, left, bottom, right = self.area
        if row < top:
            self.area[0] = row
        if column < left:
            self.area[1] = column
        if row + rows - 1 > bottom:
            self.area[2] = row + rows - 1
        if column + columns - 1 > right:
            self.area[3] = column + columns - 1

    def require_few_marks(self) -> None:
        """Refuses a sheet whose marks would fill the memory."""
        marks = [self.hidden_rows, self.merged, self.failed, self.unknown]
        if sum(map(len, marks)) > MAX_MARKS:
            raise Refused(
                f"has more than {MAX_MARKS:,} hidden rows, merged cells and formulas without "
                "a value: save its values as CSV"
            )


def scan_workbook(path: Path, kind: str) -> dict[str, Scan]:
    """What does the XML of each sheet say? By the sheet's name, in the workbook's order.

    Parameters
    ----------
    path
        The file.
    kind
        "xlsx" or "ods".

    Raises
    ------
    Refused
        Where the workbook is locked, incomplete, or larger than a workbook needs to be. Every
        part of an xlsx file that holds XML is read to its end.
    """
    with _Parts(path) as parts:
        return _scan_ods(parts) if kind == "ods" else _scan_xlsx(parts)


class _Parts:
    """The parts of a workbook, read one by one; counts the bytes that really come out of them."""

    def __init__(self, path: Path) -> None:
        packed = path.stat().st_size
        self._book = zipfile.ZipFile(path)
        self.by_name = _parts_by_name(self._book, packed)
        self.most = min(MAX_UNPACKED, max(SMALL, MAX_RATIO * packed))
        self._left = self.most

    def __enter__(self) -> "_Parts":
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def walk(
        self,
        name: str,
        start: Callable[[str, dict[str, str]], None] | None = None,
        connect: Callable[[expat.XMLParserType], None] | None = None,
    ) -> None:
        """Reads a part: calls start(tag without prefix, attributes) for each element.

        `connect` is given the parser, for a reader that switches listening to text on and off.
        """
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _no_doctype
        if start:
            parser.StartElementHandler = lambda tag, attributes: start(
                tag.rpartition(":")[2] if ":" in tag else tag, attributes
            )
        if connect:
            connect(parser)
        part = self.by_name[name.lower()]
        # the size that the directory gives may be false: read on to the real end
        part.file_size = MAX_UNPACKED
        with self._book.open(part) as file:
            while block := file.read(1 << 18):
                self._left -= len(block)
                if self._left < 0:
                    raise Refused(
                        "unpacks to far more than a workbook of its size needs: it is not read"
                    )
                parser.Parse(block, False)
        parser.Parse(b"", True)

    def again(self, name: str, start: Callable, connect: Callable) -> None:
        """Reads a part a second time."""
        left = self._left
        self._left = self.most
        self.walk(name, start, connect)
        self._left = left


def _parts_by_name(book: zipfile.ZipFile, packed: int) -> dict[str, zipfile.ZipInfo]:
    """The parts of a workbook by name in small letters.

    Refused where they would fill the memory or cannot be read safely.
    """
    parts = book.infolist()
    total = sum(part.file_size for part in parts)
    if (
        len(parts) > MAX_PARTS
        or total > MAX_UNPACKED
        or (total > SMALL and total > MAX_RATIO * packed)
    ):
        raise Refused(
            f"would unpack to {total >> 20:,} MiB in {len(parts):,} parts, more than a workbook "
            "of its size needs: it is not read"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("is locked with a password: remove the password and save it again")
    by_name = {part.filename.lower().lstrip("/"): part for part in parts}
    if len(by_name) < len(parts):
        raise Refused(f"holds two parts of the same name: {SAVE_AGAIN}")
    return by_name


def _no_doctype(*_: object) -> None:
    raise Refused("declares XML entities, as no spreadsheet program does: it is not read")


def _scan_xlsx(parts: _Parts) -> dict[str, Scan]:
    sheets, days_from_1904 = _sheet_parts(parts)
    styles = _Styles().read(parts)
    scans: dict[str, Scan] = {}
    for name, part in sheets.items():
        if part not in parts.by_name:
            raise Refused(f"lacks the part of its sheet {name}: {SAVE_AGAIN}")
        scans[name] = _XlsxSheet(styles).read(parts, part)
        scans[name].days_from_1904 = days_from_1904
    shared = _SharedTexts()
    for part in parts.by_name:
        if part == _SHARED:
            parts.walk(part, shared.start, shared.connect)
        elif part.endswith((".xml", ".rels")) and part not in (*sheets.values(), _STYLES):
            parts.walk(part)
    if sum(scan.texts for scan in scans.values()) * max(shared.lengths, default=0) > parts.most:
        shared.require_little_text(parts, list(sheets.values()))
    return scans


class _SharedTexts:
    """How long are the texts that the cells of an xlsx file share, and all those cells together?

    One text may stand in a million cells, and be written a million times when they are read.
    """

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.left = 0
        self.type = ""

    def connect(self, parser: expat.XMLParserType) -> None:
        parser.CharacterDataHandler = self._text

    def start(self, tag: str, _: dict[str, str]) -> None:
        if tag == "si":
            self.lengths.append(0)

    def _text(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)

    def require_little_text(self, parts: _Parts, sheets: list[str]) -> None:
        """Refuses a workbook whose cells together hold more text than its size lets one expect."""
        self.left = parts.most
        for sheet in sheets:
            parts.again(sheet, self._cell, self._count)

    def _count(self, parser: expat.XMLParserType) -> None:
        parser.CharacterDataHandler = self._index

    def _cell(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self.type = attributes.get("t", "")

    def _index(self, text: str) -> None:
        number = int(text) if self.type == "s" and text.isdecimal() else -1
        if 0 <= number < len(self.lengths):
            self.left -= self.lengths[number]
        if self.left < 0:
            raise Refused(
                "repeats long texts in many cells, more than a workbook of its size needs: it is "
                "not read"
            )


def _sheet_parts(parts: _Parts) -> tuple[dict[str, str], bool]:
    """The part that holds each sheet of an xlsx file, in the order of the workbook.

    And whether the workbook counts days from 1904.
    """
    targets: dict[str, str] = {}
    sheets: dict[str, str] = {}
    from_1904 = False

    def relation(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            target = posixpath.normpath(posixpath.join("xl", attributes.get("Target", "")))
            targets[attributes.get("Id", "")] = target.lstrip("/").lower()

    def sheet(tag: str, attributes: dict[str, str]) -> None:
        nonlocal from_1904
        if tag == "workbookPr":
            from_1904 = attributes.get("date1904") in ("1", "true", "on")
        elif tag == "sheet":
            key = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            if key in targets:
                sheets[attributes.get("name", "")] = targets[key]

    parts.walk("xl/_rels/workbook.xml.rels", relation)
    parts.walk("xl/workbook.xml", sheet)
    return sheets, from_1904


class _Styles:
    """The styles of an xlsx file that show a part of a date."""

    def __init__(self) -> None:
        self.formats: dict[str, str] = {}  # codes by the workbook's own numbers of formats
        self.in_cells = False
        self.number = 0
        self.parts: dict[str, str] = {}

    def read(self, parts: _Parts) -> dict[str, str]:
        """What is shown of a date, by the number of a style as cells name it."""
        if _STYLES in parts.by_name:
            parts.walk(_STYLES, self.start)
        return self.parts

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            self.formats[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            self.in_cells = tag == "cellXfs"
        elif tag == "xf" and self.in_cells:
            form = attributes.get("numFmtId", "")
            if shown := part_shown_by_format(form, self.formats.get(form)):
                self.parts[str(self.number)] = shown
            self.number += 1


class _XlsxSheet:
    """Scans one sheet of an xlsx file. styles: those that show a part of a date."""

    def __init__(self, styles: dict[str, str]) -> None:
        self.styles = styles
        self.style = ""
        self.scan = Scan()
        self.row = 0
        self.column = -1
        self.type = ""
        self.formula = False  # in a cell with a formula whose value has not come yet
        self.listening = False
        self.columns: dict[str, int] = {}  # numbers of columns by their letters

    def read(self, parts: _Parts, part: str) -> Scan:
        parts.walk(part, self.start, self.connect)
        self._end_formula()
        self.scan.require_few_marks()
        return self.scan

    def connect(self, parser: expat.XMLParserType) -> None:
        self.parser = parser

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            if self.listening:
                self._end_listening()
            if self.formula:
                self._end_formula()
            self._go_to(attributes.get("r", ""))
            self.type = attributes.get("t", "")
            self.style = attributes.get("s", "")
        elif tag == "v" or tag == "is":
            self.scan.cover(self.row, self.column)
            if self.style in self.styles:
                rows, columns = range(self.row, self.row + 1), range(self.column, self.column + 1)
                self.scan.show(self.styles[self.style], rows, columns)
            self.scan.texts += self.type == "s"
            if self.formula or self.type == "e":
                self.listening = True
                self.parser.CharacterDataHandler = self._value
        elif tag == "f":
            self.formula = self.type != "str"  # a text that is "" is a value
        elif tag == "row":
            self.row = int(attributes.get("r", self.row + 1))
            self.column = -1
            if attributes.get("hidden") in ("1", "true"):
                self.scan.hide_rows(self.row, self.row)
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            first = int(attributes.get("min", 1))
            self.scan.hide_columns(first - 1, int(attributes.get("max", 1)))
        elif tag == "mergeCell":
            self._merge(attributes.get("ref", ""))
        elif tag == "autoFilter":
            self.scan.filtered = True

    def _go_to(self, reference: str) -> None:
        """Goes to a cell such as "B12"; without a reference to the next one."""
        if not reference:
            self.column += 1
            return
        letters = reference.rstrip("0123456789")
        if letters not in self.columns:
            is_place = letters.isascii() and letters.isalpha() and len(letters) <= 3
            if not is_place or len(self.columns) > MAX_COLUMNS:
                raise Refused(
                    f"has a cell {reference[:20]!r}, which is no place in a sheet: {SAVE_AGAIN}"
                )
            number = 0
            for letter in letters.upper():
                number = number * 26 + ord(letter) - ord("A") + 1
            self.columns[letters] = number - 1
        self.column = self.columns[letters]
        self.row = int(reference[len(letters) :] or self.row)

    def _merge(self, reference: str) -> None:
        place = (self.row, self.column)
        first, _, last = reference.partition(":")
        self._go_to(first)
        top, left = self.row, self.column
        self._go_to(last or first)
        self.scan.merged.append((top, left, self.row, self.column))
        self.row, self.column = place
        if len(self.scan.merged) > MAX_MARKS:
            self.scan.require_few_marks()

    def _value(self, text: str) -> None:
        if self.type == "e":
            self.scan.failed.append((self.row, self.column, text))
            self.type = ""
        self.formula = False

    def _end_listening(self) -> None:
        # not from within the handler itself: taking it away there calls it once more
        self.listening = False
        self.parser.CharacterDataHandler = None

    def _end_formula(self) -> None:
        if self.formula:
            self.scan.unknown.append((self.row, self.column))
        self.formula = False


def _scan_ods(parts: _Parts) -> dict[str, Scan]:
    manifest = "meta-inf/manifest.xml"
    tags: set[str] = set()
    if manifest in parts.by_name:
        parts.walk(manifest, lambda tag, _: tags.add(tag))
    if "encryption-data" in tags:
        raise Refused("is locked with a password: remove the password and save it again")
    book = _OdsContent()
    parts.walk("content.xml", book.start, book.connect)
    book.end_date()
    for scan in book.scans.values():
        scan.require_few_marks()
    return book.scans


class _OdsContent:
    """Scans the sheets of an ods file, which all stand in one part.

    Rows and cells that repeat are counted, not written out.
    """

    def __init__(self) -> None:
        self.scans: dict[str, Scan] = {}
        self.scan = Scan()
        self.row, self.rows = 1, 0  # the row, and how often it is repeated
        self.column, self.columns = 0, 0  # the cell, and how often it is repeated
        self.declared = 0  # columns declared so far
        self.date = ""  # of the cell whose text is listened to
        self.texts: list[str] = []

    def connect(self, parser: expat.XMLParserType) -> None:
        self.parser = parser

    def end_date(self) -> None:
        """Ends a cell with a date: its text is what the sheet shows."""
        if not self.date:
            return
        self.parser.CharacterDataHandler = None
        shown = part_shown(self.date, " ".join(self.texts))
        self.date, self.texts = "", []
        # an ods file may say that a cell repeats without end; such a file is refused later
        if shown and self.scan.repeated < MAX_MARKS:
            rows = range(self.row, self.row + self.rows)
            self.scan.show(shown, rows, range(self.column, self.column + self.columns))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if not tag.startswith("table") and tag != "covered-table-cell":
            return
        if self.date:
            self.end_date()
        plain = {name.rpartition(":")[2]: value for name, value in attributes.items()}
        if tag in ("table-cell", "covered-table-cell"):
            self._cell(plain)
        elif tag == "table-row":
            self._table_row(plain)
        elif tag == "table-column":
            first = self.declared
            self.declared += int(plain.get("number-columns-repeated", 1))
            if plain.get("visibility", "visible") != "visible":
                self.scan.hide_columns(first, self.declared)
        elif tag == "table":
            self.scan = self.scans.setdefault(plain.get("name", ""), Scan())
            self.row, self.rows = 1, 0
            self.declared = 0

    def _table_row(self, attributes: dict[str, str]) -> None:
        self.row += self.rows
        self.rows = int(attributes.get("number-rows-repeated", 1))
        self.column, self.columns = 0, 0
        visibility = attributes.get("visibility", "visible")
        if visibility != "visible":
            self.scan.filtered |= visibility == "filter"
            self.scan.hide_rows(self.row, self.row + self.rows - 1)

    def _cell(self, attributes: dict[str, str]) -> None:
        self.column += self.columns
        self.columns = int(attributes.get("number-columns-repeated", 1))
        scan, row, column = self.scan, self.row, self.column
        kind = attributes.get("value-type")
        if kind is not None:
            scan.cover(row, column, self.rows, self.columns)
            scan.repeated += self.rows * self.columns - 1
        if kind == "date":
            self.date = attributes.get("date-value", "")
            self.parser.CharacterDataHandler = self.texts.append
        if "formula" in attributes:
            if kind == "string" and attributes.get("string-value") == "":
                scan.failed.append((row, column, "#N/A"))
            elif kind is None:
                scan.unknown.append((row, column))
        down = int(attributes.get("number-rows-spanned", 1))
        right = int(attributes.get("number-columns-spanned", 1))
        if down > 1 or right > 1:
            scan.merged.append((row, column, row + down - 1, column + right - 1))
        if len(scan.merged) + len(scan.failed) + len(scan.unknown) > MAX_MARKS:
            scan.require_few_marks()
