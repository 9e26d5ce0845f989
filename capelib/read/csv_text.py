"""CSV, TSV and other text tables: encoding and delimiter found out, broken rows kept and noted."""

import codecs
import csv
import io
import re
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from capelib.errors import DataError
from capelib.read.header import header_rows, tabulate
from capelib.read.sheet import (
    EXTRA,
    MAX_CELLS,
    MAX_ROWS,
    Grid,
    Notes,
    Sheet,
    bounded,
    text_frame,
)

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_ROW = 16 << 20  # bytes of one row: the block in which the reader holds it
SAMPLE = 200_000  # bytes from which encoding and delimiter are judged
_LOST = "\ufffd".encode()
_END = "\x1e\x1eend of file\x1e\x1e"  # last row added while reading: an open quotation mark swallows it
# how frequent the letters of Russian are, in three steps; the five other Cyrillic alphabets of the region share them
_FREQUENT = (
    dict.fromkeys("оеаинтсрв", 3)
    | dict.fromkeys("лкмдпуяы", 2)
    | dict.fromkeys("ьгзбчйхжшюцщэфъё", 1)
)


def as_utf8(content: bytes, file: str, notes: Notes) -> bytes:
    """A text as UTF-8 without NUL characters, its encoding found out and noted. Raises DataError where it is no text."""
    encoding, certainty = encoding_of(content)
    if encoding not in ("ascii", "utf-8") or certainty < 0.9:
        content = content.decode(encoding, errors="replace").encode("utf-8", "replace")
    content = content.removeprefix(codecs.BOM_UTF8)
    lost, nul = content.count(_LOST), content.count(b"\0")
    head = content[:SAMPLE].replace(_LOST, b"\x01")
    odd = len(re.findall(rb"[\0-\x08\x0e-\x1b\x7f]", head))
    if odd > 2 + len(head) / 20:
        raise DataError(
            f"{file} is not text (most likely a file of another program): export it as CSV or xlsx"
        )
    if lost:
        certainty = min(certainty, 0.7)
        notes.add(
            "read.letters",
            f"letters that could not be read and stand as \ufffd: {lost:,}",
            severity="guess",
            certainty=certainty,
        )
    if nul:
        content = content.replace(b"\0", b"")
        notes.add("read.nul", f"NUL characters left out: {nul:,}", severity="guess")
    if encoding != "ascii":
        notes.add(
            "read.encoding",
            f"read as {encoding}",
            severity="info" if certainty >= 0.9 else "guess",
            certainty=certainty,
        )
    return content


def encoding_of(content: bytes) -> tuple[str, float]:
    """In which encoding is a text, and how certain is that (0 to 1)?

    Byte order marks first, then UTF-16 by its regular zero bytes, UTF-8 where it is valid, else one of the encodings of old
    Windows and Unix programs: windows-1252 unless most letters beyond ASCII form words of their own, as Cyrillic ones do;
    then windows-1251 or koi8-r by the frequency of letters.

    >>> encoding_of("имя;страна".encode("cp1251"))[0], encoding_of("Müller;Türkei".encode("cp1252"))[0]
    ('cp1251', 'cp1252')
    """
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if content.startswith(mark):
            return encoding, 1.0
    if content.isascii() and b"\0" not in content:
        return "ascii", 1.0
    wide = _utf_16(content[:4096])
    if wide:
        return wide, 0.95
    try:
        content.decode("utf-8")
        return "utf-8", 1.0
    except UnicodeDecodeError as error:
        # a few broken letters, or one cut off at the end of the file, leave it UTF-8
        good = sum(
            map(
                len,
                re.findall(
                    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}",
                    content[:SAMPLE],
                ),
            )
        )
        high = len(re.findall(rb"[\x80-\xff]", content[:SAMPLE]))
        if error.start > 0 and good and good > 0.9 * high:
            return "utf-8", 0.8
    return _eight_bit(content)


def _utf_16(sample: bytes) -> str:
    """UTF-16 without a mark: every other byte is 0 (Latin) or 4 (Cyrillic)."""
    even, odd = sample[0::2], sample[1::2]
    for high, low, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if (
            len(high) > 2
            and high.count(0)
            and high.count(0) + high.count(4) >= 0.9 * len(high)
            and low.count(0) < 0.1 * len(low)
        ):
            return encoding
    return ""


def _eight_bit(content: bytes) -> tuple[str, float]:
    words = re.findall(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*", content[: SAMPLE * 5])
    high = b" ".join(words)
    beyond = sum(byte > 0x7F for byte in high)
    whole = sum(len(word) for word in words if re.fullmatch(rb"[\xa3\xb3\xa8\xb8\xc0-\xff]+", word))
    if whole < 0.6 * beyond:
        return "cp1252", 0.85 if whole < 0.2 * beyond else 0.6
    scores = {
        encoding: _russian(high.decode(encoding, errors="replace"))
        for encoding in ("cp1251", "koi8-r")
    }
    best = max(scores, key=scores.__getitem__)
    other = min(scores.values())
    return best, 0.95 if scores[best] > 1.2 and scores[best] - other > 0.5 else 0.6


def _russian(text: str) -> float:
    """How much do letters look like Russian? About 2 where they do; capitals inside words count against it."""
    letters = [_FREQUENT.get(letter, -1) for letter in text.lower() if letter > "\x7f"]
    inside = len(re.findall("[а-яё][А-ЯЁ]", text))
    return (sum(letters) - 3 * inside) / max(1, len(letters))


def delimiter_of(text: str) -> tuple[str, float]:
    """Which of comma, semicolon, tab and bar separates the cells, and how certain is that?

    The one that cuts most rows of the beginning into the same number of cells; of equal ones the one with more cells.

    >>> delimiter_of("name;share\\nA;1,5\\nB;2,5\\n")[0]
    ';'
    """
    hint = re.match(r"sep=([,;\t|])\r?\n", text)
    if hint:
        return hint[1], 1.0
    fits: dict[str, tuple[float, int]] = {}
    for delimiter in DELIMITERS:
        widths = [len(row) for row in _sample(text, delimiter) if any(row)]
        width, rows = (
            Counter(wide for wide in widths if wide > 1).most_common(1)[0]
            if any(wide > 1 for wide in widths)
            else (1, 0)
        )
        fits[delimiter] = (round(rows / max(1, len(widths)), 1), width)
    order = sorted(fits, key=lambda each: fits[each], reverse=True)
    best, second = fits[order[0]], fits[order[1]]
    if not best[0]:
        return ",", 1.0
    return order[0], 1.0 if second[0] <= best[0] / 2 else 0.8


def _sample(text: str, delimiter: str) -> list[list[str]]:
    """The first rows, cut by a delimiter; the last one only where the sample holds it whole."""
    sample = io.StringIO(text, newline="")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(sample, delimiter=delimiter):
            rows.append(row)
            if len(rows) == 300:
                return rows
    except csv.Error:  # a cell longer than the module reads: judged by the rows before it
        return rows
    return rows[:-1] if len(text.encode()) > SAMPLE - 4 and len(rows) > 1 else rows


def read_delimited(content: bytes, file: str, header: int = 0) -> Sheet:
    """A text table as a sheet; see `capelib.read.files.read`."""
    notes = Notes()
    content = as_utf8(content, file, notes)
    text = content[:SAMPLE].decode("utf-8", "ignore")
    if not text.strip(" \r\n\t,;|") and not content.strip(b" \r\n\t,;|"):
        raise DataError(f"{file} is empty: expected a header row and at least one row")
    delimiter, certainty = delimiter_of(text)
    if delimiter != "," or certainty < 0.9:
        severity = "info" if certainty >= 0.9 else "guess"
        notes.add(
            "read.delimiter",
            f"cells are separated by {DELIMITERS[delimiter]}",
            severity=severity,
            certainty=certainty,
        )
    width, names_end = _width(text, delimiter, header, file)
    lines = max(content.count(b"\n"), content.count(b"\r"))
    if lines > MAX_ROWS or lines * width > MAX_CELLS:
        bounded(lines, width, file)
    cells, broken = _parsed(content, delimiter, width, file)
    numbers = (
        np.setdiff1d(np.arange(1, len(cells) + len(broken) + 1), list(broken))
        if broken
        else pd.RangeIndex(1, len(cells) + 1)
    )
    cells = cells.set_axis(numbers, axis=0)
    if broken:
        cells = _with_broken(cells, broken, delimiter, file)
        _note_broken(cells, broken, delimiter, width, names_end, notes)
    if lines > len(cells):
        _note_lost_rows(cells, delimiter, notes)
    return tabulate(Grid(file, "", cells, notes=notes, extra=width), header)


def _width(text: str, delimiter: str, header: int, file: str) -> tuple[int, int]:
    """How many columns has the table, and in which row end their names? As many as its header, or as most rows where they have more."""
    sample = [[cell if cell.strip() else None for cell in row] for row in _sample(text, delimiter)]
    widest = max((len(row) for row in sample), default=1)
    bounded(1, widest, file)
    frame = pd.DataFrame([row + [None] * (widest - len(row)) for row in sample], dtype="object")
    frame.index += 1
    head = frame.dropna(how="all").iloc[:60]
    if head.empty:
        return 1, 1
    rows = header_rows(head, [], header)
    named = [
        int(np.flatnonzero(head.loc[row].notna())[-1]) + 1 for row in rows if row in head.index
    ]
    usual = Counter(
        len(row) - next((n for n, cell in enumerate(reversed(row)) if cell), len(row))
        for row in sample[rows[-1] :]
        if any(row)
    )
    return max(*named, 1, usual.most_common(1)[0][0] if usual else 1), rows[-1]


def _parsed(
    content: bytes, delimiter: str, width: int, file: str
) -> tuple[pd.DataFrame, dict[int, str]]:
    """The rows that have `width` cells as a frame, and the others as text by their number (from 1)."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    broken: dict[int, str] = {}

    def keep(row: Any) -> str:
        broken[row.number] = row.text
        return "skip"

    names = [str(column) for column in range(width)]
    body = content + (b"" if content.endswith((b"\n", b"\r")) else b"\n") + _END.encode() + b"\n"
    try:
        table = arrow.read_csv(
            pa.BufferReader(body),
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
    except (pa.ArrowException, MemoryError):
        raise DataError(
            f"{file} has a row longer than {MAX_ROW >> 20} MiB: look for a quotation mark that is not closed, or another kind of file"
        ) from None
    frame = table.to_pandas().set_axis(range(width), axis=1)
    last = (
        broken.pop(max(broken), "")
        if width > 1 and broken and _is_end(broken[max(broken)])
        else None
    )
    if last == _END:
        return frame, broken
    if width == 1 and len(frame) and frame[0].iloc[-1] == _END:
        return frame.iloc[:-1], broken
    raise DataError(
        f"{file} row {_opened(frame, broken, last)}: a quotation mark opens there and is never closed: close it, or delete it"
    )


def _is_end(text: str) -> bool:
    return text.rstrip("\n").endswith(_END)


def _opened(frame: pd.DataFrame, broken: dict[int, str], last: str | None) -> int:
    """The row in which the quotation mark opens that swallowed the end: always the last one."""
    return len(frame) + len(broken) + (last is not None)


def _with_broken(
    cells: pd.DataFrame, broken: dict[int, str], delimiter: str, file: str
) -> pd.DataFrame:
    """The cells with the rows that have too few or too many at their places; what is beyond the width in one more column."""
    width = len(cells.columns)
    rows: list[list[str | None]] = []
    for number, text in broken.items():
        try:
            row = next(csv.reader([text], delimiter=delimiter), [])
        except csv.Error:
            raise DataError(
                f"{file} row {number} cannot be cut into cells: look for a cell that is too long"
            ) from None
        extra = delimiter.join(row[width:]) if any(cell.strip() for cell in row[width:]) else None
        rows.append([*(cell or None for cell in row[:width]), *[None] * (width - len(row)), extra])
    odd = text_frame(dict(enumerate(zip(*rows, strict=True))), list(broken))
    if odd[width].isna().all():
        odd = odd.drop(columns=width)
    whole = pd.concat([cells.reindex(columns=odd.columns), odd]).sort_index()
    return whole.astype("str")  # a column without any cell would be of numbers


def _note_broken(
    cells: pd.DataFrame,
    broken: dict[int, str],
    delimiter: str,
    width: int,
    names_end: int,
    notes: Notes,
) -> None:
    """Notes each row below the header that has too few or too many cells."""
    if names_end in broken:
        made = f"it names fewer than {width} columns: names taken from the left; if the first column is the one without (as R writes), name it"
        notes.add("read.short_header", made, row=names_end, severity="guess", certainty=0.5)
    body = cells.loc[[number for number in broken if number > names_end]]
    long = body[width].notna() if width in body else pd.Series(False, index=body.index)
    made = f"more cells than the {width} of the header: the last ones stand in the column {EXTRA}"
    beyond = body.loc[long, width] if long.any() else []
    notes.add_rows(
        "read.long_row",
        made,
        zip(body.index[long], beyond, strict=True),
        column=EXTRA,
        severity="problem",
        certainty=0.5,
    )
    short = [
        row
        for row in body.index[~long & body.notna().any(axis=1)]
        if broken[row].count(delimiter) < width - 1
    ]
    made = f"fewer cells than the {width} of the header: the last ones taken as blank"
    notes.add_rows(
        "read.short_row", made, ((row, None) for row in short), severity="guess", certainty=0.8
    )


def _note_lost_rows(cells: pd.DataFrame, delimiter: str, notes: Notes) -> None:
    """Notes cells that hold whole rows: a quotation mark that is missing swallowed them."""
    width = len(cells.columns)
    if width < 3:
        return
    for column in cells:
        text = cells[column]
        several = (
            (text.str.contains("\n", regex=False) & text.str.contains(delimiter, regex=False))
            .fillna(False)
            .astype(bool)
        )
        for row, value in text[several].items():
            inside = [line for line in value.splitlines()[1:] if line.count(delimiter) == width - 1]
            if inside:
                made = f"kept, but it holds {len(inside):,} lines that look like rows: look for a quotation mark that is not closed"
                notes.add(
                    "read.rows_in_cell",
                    made,
                    row=row,
                    column=column,
                    value=value[:200],
                    severity="problem",
                    certainty=0.8,
                )
