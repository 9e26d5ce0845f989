"""CSV, TSV and other text tables: delimiter found out, broken rows kept and noted."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from capelib.errors import DataError
from capelib.read.encoding import SAMPLE, as_utf8
from capelib.read.header import header_rows, tabulate
from capelib.read.sheet import (
    EXTRA,
    HEAD,
    MAX_CELLS,
    MAX_ROWS,
    Grid,
    Notes,
    Sheet,
    bounded,
    text_rows,
)
from capelib.vocabulary.header_words import known_headers

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SEPARATORS = DELIMITERS | {" ": "blank"}
MAX_ROW = 16 << 20  # bytes of one row: the block in which the reader holds it
_ROW_NAME = r"[A-Za-z]|(?:[Rr]ow|[Oo]bs)?[ _.]?[0-9]{1,7}"
# A first header that itself names the numbers of rows.
_NUMBERED = re.compile(r"(?i)\b(?:id|no|nr|num|number|case|key|code|row|index|year|date)\b|[#№]")
# last row added while reading: an open quotation mark swallows it
_END = "\x1e\x1eend of file\x1e\x1e"


def delimiter_of(text: str) -> tuple[str, float]:
    """Which of comma, semicolon, tab and bar separates the cells, and how certain is that?

    Returns
    -------
    (str, float)
        The one with which a row of the beginning holds most headers that a layout names, if at
        least two; else the one that cuts most rows into the same number of cells, of equal ones
        the one with more cells; and the certainty, 0 to 1.

    Notes
    -----
    clevercsv finds the same on all 128 test tables, and takes hundreds of times as long on 200 kB;
    csv.Sniffer is right on 95.

    Examples
    --------
    >>> delimiter_of("name;share\\nA;1,5\\nB;2,5\\n")[0]
    ';'
    """
    hint = re.match(r"sep=([,;\t|])\r?\n", text)
    if hint:
        return hint[1], 1.0
    if re.match(r'"[^"\n]*"(?: "[^"\n]*")+\r?\n', text):  # as R's write.table writes
        return " ", 1.0
    headers = {delimiter: _headers(text, delimiter) for delimiter in DELIMITERS}
    understood = max(headers, key=headers.__getitem__)
    others = [number for delimiter, number in headers.items() if delimiter != understood]
    if headers[understood] >= 2 and headers[understood] > max(others):
        return understood, 1.0
    fits = {delimiter: _fit(text, delimiter) for delimiter in DELIMITERS}
    best, second = sorted(fits, key=fits.__getitem__, reverse=True)[:2]
    share, second_share = fits[best][0], fits[second][0]
    if not share:
        return ",", 1.0
    return best, 1.0 if second_share <= share / 2 else 0.8


def _headers(text: str, delimiter: str) -> int:
    """The most headers that a layout names in one of the first rows, cut by a delimiter."""
    return max((known_headers(row) for row in _sample(text, delimiter)[:HEAD]), default=0)


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """The share of rows that a delimiter cuts into the same number of cells, and that number."""
    widths = [len(row) for row in _sample(text, delimiter) if any(row)]
    several = Counter(width for width in widths if width > 1)
    if not several:
        return 0.0, 1
    [(width, rows)] = several.most_common(1)
    return round(rows / len(widths), 1), width


def _sample(text: str, delimiter: str) -> list[list[str]]:
    """The first rows, cut by a delimiter; the last one only where the sample holds it whole."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) == 300:
                return rows
    except csv.Error:  # a cell longer than the module reads: judged by the rows before it
        return rows
    return rows[:-1] if len(text.encode()) > SAMPLE - 4 and len(rows) > 1 else rows


def read_delimited(content: bytes, file: str, header: int = 0) -> Sheet:
    """Which table stands in a text?

    Parameters
    ----------
    content
        The bytes of the file.
    file
        Its name in messages.
    header
        Number of the row that names the columns; 0 to find it.

    Returns
    -------
    Sheet
        Encoding, delimiter and rows of another width than the header are noted.

    Raises
    ------
    DataError
        Where it is no text, is empty, is too large, or a quotation mark is not closed.
    """
    notes = Notes()
    content = as_utf8(content, file, notes)
    letters = f"letters {notes.made('read.encoding') or 'read as UTF-8'}"
    text = content[:SAMPLE].decode("utf-8", "ignore")
    if not text.strip(" \r\n\t,;|") and not content.strip(b" \r\n\t,;|"):
        raise DataError(f"{file} is empty: expected a header row and at least one row")
    delimiter, certainty = delimiter_of(text)
    content = _without_blanks_before_quotes(content, text, delimiter, notes)
    text = content[:SAMPLE].decode("utf-8", "ignore")
    if delimiter != "," or certainty < 0.9:
        made = f"cells are separated by {_SEPARATORS[delimiter]}"
        severity = "info" if certainty >= 0.9 else "guess"
        notes.add("read.delimiter", made, severity=severity, certainty=certainty)
    width, header_end = _width(text, delimiter, header, file)
    lines = max(content.count(b"\n"), content.count(b"\r"))
    if lines > MAX_ROWS or lines * width > MAX_CELLS:
        bounded(lines, width, file)
    cells, broken = _parsed(content, delimiter, width, file)
    numbers: Any = pd.RangeIndex(1, len(cells) + 1)
    if broken:
        numbers = np.setdiff1d(np.arange(1, len(cells) + len(broken) + 1), list(broken))
    cells = cells.set_axis(numbers, axis=0)
    if broken:
        cells = _with_broken(cells, broken, delimiter, file)
        _note_broken(cells, broken, delimiter, width, header_end, notes)
    if lines > len(cells):
        _note_rows_in_cells(cells, delimiter, notes)
    sheet = tabulate(Grid(file, "", cells, notes=notes, extra=width), header)
    return replace(sheet, assumed=f"cells separated by {_SEPARATORS[delimiter]}, {letters}")


def _without_blanks_before_quotes(content: bytes, text: str, delimiter: str, notes: Notes) -> bytes:
    """The text without the blanks between delimiter and quotation mark (a, "b, c").

    Only where more rows are then as wide as the header: the blanks keep the mark from counting.
    """
    blanks = re.compile(rf'((?:^|{re.escape(delimiter)})) +"(?!")'.encode(), re.MULTILINE)
    mended_text = blanks.sub(rb'\1"', text.encode()).decode("utf-8", "ignore")
    if mended_text == text:
        return content
    before, after = (_as_wide_as_header(each, delimiter) for each in (text, mended_text))
    if after <= before:
        return content
    made = "blanks between the delimiter and a quotation mark left out"
    notes.add("read.blank_before_quote", made, severity="guess", certainty=0.9)
    return blanks.sub(rb'\1"', content)


def _as_wide_as_header(text: str, delimiter: str) -> int:
    """How many rows have as many cells as the first one that has more than one?"""
    widths = [len(row) for row in _sample(text, delimiter)]
    return widths.count(next((width for width in widths if width > 1), 0))


def _width(text: str, delimiter: str, header: int, file: str) -> tuple[int, int]:
    """The number of columns, and the last row that names them.

    As many columns as the header has, or as most rows have where they have more.
    """
    sample = [[cell if cell.strip() else None for cell in row] for row in _sample(text, delimiter)]
    widest = max((len(row) for row in sample), default=1)
    bounded(1, widest, file)
    padded = [row + [None] * (widest - len(row)) for row in sample]
    frame = pd.DataFrame(padded, index=range(1, len(padded) + 1), dtype="object")
    head = frame.dropna(how="all").iloc[:HEAD]
    if head.empty:
        return 1, 1
    rows = header_rows(head, [], header)
    widths = [1]
    for row in rows:
        if row in head.index:
            widths.append(int(np.flatnonzero(head.loc[row].notna())[-1]) + 1)
    usual = Counter(_filled_width(row) for row in sample[rows[-1] :] if any(row))
    if usual:
        widths.append(usual.most_common(1)[0][0])
    return max(widths), rows[-1]


def _filled_width(row: list[str | None]) -> int:
    """The number of cells up to the last one that is filled; all of them where none is."""
    for width in range(len(row), 0, -1):
        if row[width - 1]:
            return width
    return 0


def _parsed(
    content: bytes, delimiter: str, width: int, file: str
) -> tuple[pd.DataFrame, dict[int, str]]:
    """The rows that have `width` cells as a frame, and the others as text by number (from 1)."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    broken: dict[int, str] = {}

    def keep(row: Any) -> str:
        broken[row.number] = row.text
        return "skip"

    names = [str(column) for column in range(width)]
    line_end = b"" if content.endswith((b"\n", b"\r")) else b"\n"
    try:
        table = arrow.read_csv(
            pa.BufferReader(content + line_end + _END.encode() + b"\n"),
            read_options=arrow.ReadOptions(
                use_threads=False, column_names=names, block_size=MAX_ROW
            ),
            parse_options=arrow.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except MemoryError:
        raise DataError(
            f"{file} needs more memory than there is: end other programs, or split the file"
        ) from None
    except pa.ArrowException:
        raise DataError(
            f"{file} has a row longer than {MAX_ROW >> 20} MiB: "
            "look for a quotation mark that is not closed, or another kind of file"
        ) from None
    return _without_end(table.to_pandas().set_axis(range(width), axis=1), broken, file)


def _without_end(
    frame: pd.DataFrame, broken: dict[int, str], file: str
) -> tuple[pd.DataFrame, dict[int, str]]:
    """The rows without the one that was added as the last.

    Where a quotation mark swallowed that one, the mark opens in the last row.
    """
    rows = len(frame) + len(broken)
    if len(frame.columns) == 1:
        if len(frame) and frame[0].iloc[-1] == _END:
            return frame.iloc[:-1], broken
    elif broken and broken[max(broken)] == _END:
        del broken[max(broken)]
        return frame, broken
    raise DataError(
        f"{file} row {rows}: a quotation mark opens there and is never closed: "
        "close it, or delete it"
    )


def _with_broken(
    cells: pd.DataFrame, broken: dict[int, str], delimiter: str, file: str
) -> pd.DataFrame:
    """The cells, with the rows that have too few or too many at their places.

    What stands beyond the width comes in one column more.
    """
    width = len(cells.columns)
    rows: list[list[str | None]] = []
    for number, text in broken.items():
        try:
            row = next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error:
            raise DataError(
                f"{file} row {number} cannot be cut into cells: look for a cell that is too long"
            ) from None
        blank = [None] * (width - len(row))
        beyond = row[width:]
        extra = delimiter.join(beyond) if any(cell.strip() for cell in beyond) else None
        rows.append([*(cell or None for cell in row[:width]), *blank, extra])
    mended = text_rows(rows, list(broken))
    if mended[width].isna().all():
        mended = mended.drop(columns=width)
    whole = pd.concat([cells.reindex(columns=mended.columns), mended]).sort_index()
    return whole.astype("str")  # a column without any cell would be of numbers


def _note_broken(
    cells: pd.DataFrame,
    broken: dict[int, str],
    delimiter: str,
    width: int,
    header_end: int,
    notes: Notes,
) -> None:
    """Notes each row from the header on that has too few or too many cells."""
    if header_end in broken and _moved(cells, header_end, width):
        made = "column names moved by one: the first column holds the names of rows, as R writes"
        notes.add("read.short_header", made, row=header_end, severity="guess", certainty=0.8)
    elif header_end in broken:
        made = (
            f"it names fewer than {width} columns: names taken from the left; "
            "if the first column is the one without (as R writes), name it"
        )
        notes.add("read.short_header", made, row=header_end, severity="guess", certainty=0.5)
    body = cells.loc[[number for number in broken if number > header_end]]
    beyond = body[width].dropna() if width in body else pd.Series(dtype="str")
    made = f"more cells than the {width} of the header: the last ones stand in the column {EXTRA}"
    notes.add_rows(
        "read.long_row", made, beyond.items(), column=EXTRA, severity="problem", certainty=0.5
    )
    filled = body.index[body.notna().any(axis=1)].difference(beyond.index, sort=False)
    short = [(row, None) for row in filled if broken[row].count(delimiter) < width - 1]
    made = f"fewer cells than the {width} of the header: the last ones taken as blank"
    notes.add_rows("read.short_row", made, short, severity="guess", certainty=0.8)


def _moved(cells: pd.DataFrame, header: int, width: int) -> bool:
    """Moves the names of a header that lacks one to the right, where the first column names rows.

    R's write.table leaves the name of the column with the names of rows out: 1, 2, 3, the numbers
    that are left of these, a, b, c, or row1, row2.
    """
    names = cells.loc[header].iloc[:width]
    one_short = pd.isna(names.iloc[-1]) and names.iloc[:-1].notna().all()
    first = cells[0].loc[header + 1 :].dropna()
    counts = [str(number) for number in range(1, len(first) + 1)]
    if not one_short or not len(first):
        return False
    if first.tolist() != counts:
        named = first.is_unique and len(first) > 1 and first.str.fullmatch(_ROW_NAME).all()
        years = first.str.fullmatch(r"(?:19|20)[0-9]{2}").all()
        if not named or years or _NUMBERED.search(names.iloc[0]):
            return False
    cells.loc[header, range(width)] = [None, *names.iloc[:-1]]
    return True


def _note_rows_in_cells(cells: pd.DataFrame, delimiter: str, notes: Notes) -> None:
    """Notes cells that hold whole rows: a quotation mark that is missing swallowed them."""
    width = len(cells.columns)
    if width < 3:
        return
    for column in cells:
        for row, value in _texts_with(cells[column], "\n", delimiter):
            lines = [line for line in value.splitlines()[1:] if line.count(delimiter) == width - 1]
            if not lines:
                continue
            made = (
                f"kept, but it holds {len(lines):,} lines that look like rows: "
                "look for a quotation mark that is not closed"
            )
            notes.add(
                "read.rows_in_cell",
                made,
                row=row,
                column=column,
                value=value[:200],
                severity="problem",
                certainty=0.8,
            )


def _texts_with(cells: pd.Series, *parts: str) -> Iterator[tuple[int, str]]:
    """Row and text of the cells that hold all of the parts."""
    for part in parts:
        cells = cells[cells.str.contains(part, regex=False).fillna(False).astype(bool)]
    return cells.items()
