"""`read()`: any reasonable table as cells of text, nothing lost silently."""

import codecs
import hashlib
import re
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pandas as pd

from capelib.download import DownloadFailed, TooLarge, TooSlow, download, without_secrets
from capelib.errors import DataError, ParameterError
from capelib.read.sheet import LayoutOf, Notes, Sheet

MAX_BYTES = 2 << 30  # of a file; ten million rows of the field's width are about 1 GiB
# of a zip file: a full sheet of 1,048,576 rows has about 100 MB
MAX_PACKED = 256 << 20
MAX_DIRECTORY = 4 << 20  # bytes of its list of parts; one takes about a hundred
MAX_DOWNLOAD = 512 << 20
MAX_SECONDS = 600  # of a whole download: a server may send one byte every 29 seconds
SILENCE = 30  # seconds without any answer
_EXPORT = "export its table as CSV or xlsx"
_UNPACK = "unpack it first"
_R = ("a file of R", 'write the table with write.csv(table, "table.csv", row.names = FALSE)')
_PICTURE = ("a picture", "name the table it shows")
# first bytes of a file: what it is, and what to do where it is no table
_SIGNATURES: dict[bytes, tuple[str, str]] = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("xls", ""),
    b"PAR1": ("parquet", ""),
    b"PK\x03\x04": ("zip", ""),
    b"PK\x05\x06": ("zip", ""),
    b"%PDF": ("a PDF document", _EXPORT),
    b"{\\rtf": ("a text document (RTF)", _EXPORT),
    b"\x1f\x8b": ("gzip", ""),
    b"BZh": ("a packed file (bzip2)", _UNPACK),
    b"\xfd7zXZ": ("a packed file (xz)", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a packed file (7z)", _UNPACK),
    b"Rar!": ("a packed file (rar)", _UNPACK),
    b"SQLite format 3": ("a database (SQLite)", _EXPORT),
    b"$FL2": ("spss", ""),
    b"$FL3": ("spss", ""),
    b"<stata_dta>": ("stata", ""),
    b"RDX": _R,
    b"RDA": _R,
    b"X\n\x00\x00\x00": _R,
    b"\x89PNG": _PICTURE,
    b"\xff\xd8\xff": _PICTURE,
    b"GIF8": _PICTURE,
}
# by the end of a name: files whose bytes say no more than that they are packed
_BY_NAME = {
    ".numbers": ("a file of Apple Numbers", "export it as CSV or xlsx (File, Export To)"),
    ".rds": _R,
    ".rda": _R,
    ".rdata": _R,
    ".pages": ("a file of Apple Pages", _EXPORT),
}
# Stata's formats before 117 begin with their number, the order of bytes, 1 and 0
_OLD_STATA = re.compile(rb"[\x68-\x73][\x01\x02]\x01\x00")
_OLD_OFFICE = "an old Office file without a workbook in it"
_HTML = (b"<!doctype html", b"<html", b"<table", b"<head", b"<body")


def read(
    source: str | Path | pd.DataFrame,
    sheet: str = "",
    header: int = 0,
    sha256: str = "",
    layout_of: LayoutOf | None = None,
) -> list[Sheet]:
    """What stands in a table of any reasonable form, as text?

    Parameters
    ----------
    source
        A CSV, TSV or other text file (delimiter and encoding are found out), an xlsx, xls or ods
        workbook, a Parquet, JSON, GeoJSON, Stata or SPSS file - recognised by content, not by
        name -, one of these packed in a .gz or .zip file, an http(s) address of one, or a
        DataFrame.
    sheet
        Name of a workbook's sheet; "" for the one that looks most like a table.
    header
        Number of the row that names the columns, as seen in the file (1 is the first); 0 to find
        it.
    sha256
        Checksum that the file must have; "" for any.
    layout_of
        The name of the layout that understands some headers, "" for none: of a workbook's sheets
        those are read that one layout understands. None to look only at how full they are.

    Returns
    -------
    list of Sheet
        One, or several where sheets of a workbook have the same columns, or one layout. Each row
        of the file below the header is in `frame` under its number, blank rows excepted; footers
        and totals are kept and noted as problems, and so is all that reading had to decide.

    Raises
    ------
    DataError
        Where there is no table to be read, or one that is too large or not safe to read.

    Examples
    --------
    >>> sheet = read(pd.DataFrame({"origin": ["TJK", None], "year": [2015.0, 2016.0]}))[0]
    >>> sheet.frame.to_dict("index")
    {1: {'origin': 'TJK', 'year': '2015'}, 2: {'origin': nan, 'year': '2016'}}
    """
    if not isinstance(header, int) or isinstance(header, bool) or header < 0:
        raise ParameterError(f"header must be the number of a row, 0 to find it, not {header!r}")
    if isinstance(source, pd.DataFrame):
        from capelib.read.json_parquet import read_frame

        return [read_frame(source)]
    if not isinstance(source, str | Path):
        raise ParameterError(
            f"source must be a path, an address or a DataFrame, not {type(source).__name__}"
        )
    scheme = urlsplit(source).scheme.lower() if isinstance(source, str) and "://" in source else ""
    if not scheme:
        return _read_path(Path(source).expanduser(), sheet, header, sha256, layout_of)
    if scheme not in ("http", "https"):
        address = without_secrets(str(source))
        raise DataError(f"{address} is not an http(s) address: download the file and name its path")
    return _read_address(str(source), sheet, header, sha256, layout_of)


def _read_address(
    address: str, sheet: str, header: int, sha256: str, layout_of: LayoutOf | None
) -> list[Sheet]:
    with tempfile.TemporaryDirectory() as folder:
        path, checksum = _downloaded(address, Path(folder))
        _verify(checksum, sha256, without_secrets(address))
        first, *others = _read_path(path, sheet, header, "", layout_of)
    notes = Notes()
    notes.add("read.checksum", f"SHA-256 {checksum}", value=without_secrets(address))
    return [notes.before(first), *others]


def _read_path(
    path: Path, sheet: str, header: int, sha256: str, layout_of: LayoutOf | None = None
) -> list[Sheet]:
    try:
        _require_file(path)
        with path.open("rb") as file:
            if sha256:
                _verify(hashlib.file_digest(file, "sha256").hexdigest(), sha256, path.name)
                file.seek(0)
            start = file.read(4096)
        return _read_kind(path, _kind(start, path), sheet, header, layout_of)
    except DataError:
        raise
    except PermissionError:
        raise DataError(f"{path} cannot be read: check its permissions") from None
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split())[:100]
        raise DataError(f"{str(path)[:200]!r} cannot be read ({why}): check the path") from None


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"{path} is a folder, not a table: name a file in it")
    if not path.exists():
        raise DataError(f"no file {path}: check the path")
    if not path.is_file():
        raise DataError(f"{path} is not a regular file: copy its content to one")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(
            f"{path.name} has {size >> 20:,} MiB, more than {MAX_BYTES >> 20:,}: "
            "split it into smaller files"
        )


def _verify(checksum: str, expected: str, name: str) -> None:
    if expected and checksum != expected.strip().lower().removeprefix("sha256:"):
        raise DataError(
            f"{name} is not the expected file: its SHA-256 is {checksum}, "
            f"expected {expected[:80]!r}"
        )


def _read_kind(
    path: Path, kind: str, sheet: str, header: int, layout_of: LayoutOf | None = None
) -> list[Sheet]:
    """Reads a file by what it holds."""
    name = " ".join(path.name.split())
    if kind in ("gzip", "zip"):
        return _read_packed(path, name, kind, sheet, header)
    if kind in ("xlsx", "ods", "xls"):
        from capelib.read.workbook import read_workbook

        return read_workbook(path, name, kind, sheet, header, layout_of)
    if sheet:
        raise DataError(f"{name} has no sheets: leave out the sheet {sheet!r}")
    if kind == "parquet":
        from capelib.read.json_parquet import read_parquet

        return [read_parquet(path, name)]
    if kind in ("stata", "spss"):
        from capelib.read.stata_spss import read_spss, read_stata

        return [read_stata(path, name) if kind == "stata" else read_spss(path, name)]
    try:
        return [_read_text(path.read_bytes(), name, header)]
    except MemoryError:
        raise DataError(
            f"{name} needs more memory than there is: split it into smaller files"
        ) from None


def _read_packed(path: Path, name: str, kind: str, sheet: str, header: int) -> list[Sheet]:
    """Reads the table that a file packs; one that is packed again is not unpacked."""
    from capelib.read.packed import unpacked

    with tempfile.TemporaryDirectory() as folder:
        table = unpacked(path, kind, Path(folder))
        with table.open("rb") as file:
            start = file.read(4096)
        inner = _kind(start, table)
        if inner in ("gzip", "zip"):
            raise _no_table(path, "a packed file in which another one is packed", _UNPACK)
        first, *others = _read_kind(table, inner, sheet, header)
    notes = Notes()
    notes.add("read.unpacked", f"unpacked from {name}")
    return [notes.before(first), *others]


def _read_text(content: bytes, name: str, header: int) -> Sheet:
    from capelib.read.csv_text import read_delimited
    from capelib.read.encoding import as_utf8
    from capelib.read.json_parquet import read_json

    named_json = name.lower().endswith((".json", ".jsonl", ".ndjson", ".geojson"))
    marks = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE + codecs.BOM_UTF16_BE + b"\0"
    start = content[:400].lstrip(marks).replace(b"\0", b"").lstrip()
    if named_json or start.startswith((b"{", b"[")):
        notes = Notes()
        try:
            return read_json(as_utf8(content, name, notes).decode(), name, notes, header)
        except DataError:
            if named_json:
                raise
    return read_delimited(content, name, header)


def _kind(start: bytes, path: Path) -> str:
    """xlsx, ods, xls, parquet, stata, spss, gzip, zip or text, by the first bytes."""
    kind, advice = next(
        (known for mark, known in _SIGNATURES.items() if start.startswith(mark)), ("text", "")
    )
    if kind not in ("text", "xlsx", "ods", "parquet") and path.suffix.lower() in _BY_NAME:
        raise _no_table(path, *_BY_NAME[path.suffix.lower()])
    if kind == "zip":
        return _zip_kind(path)
    if kind == "xls":
        if "EncryptedPackage".encode("utf-16-le") in _ends(path):
            raise DataError(
                f"{path.name} is locked with a password: remove the password and save it again"
            )
        if not any(name.encode("utf-16-le") in _ends(path) for name in ("Workbook", "Book")):
            raise _no_table(path, _OLD_OFFICE, "save it as .xlsx, or export its table as CSV")
    text = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if _OLD_STATA.match(start):
        return "stata"
    if text.startswith(_HTML):
        kind = "a web page, whatever its name says"
        advice = "download the table itself, or save it as .xlsx"
    elif text.startswith(b"<?xml") or (text.startswith(b"<") and b"xmlns" in text):
        kind, advice = "an XML file", "open it in a spreadsheet program and save it as .xlsx"
    if advice:
        raise _no_table(path, kind, advice)
    return kind


def _no_table(path: Path, kind: str, advice: str) -> DataError:
    return DataError(f"{path.name} is {kind}, not a table that can be read: {advice}")


def _ends(path: Path) -> bytes:
    """First and last 256 KiB: the directory of an old Office file stands in one of them mostly."""
    with path.open("rb") as file:
        start = file.read(1 << 18)
        file.seek(max(0, path.stat().st_size - (1 << 18)))
        return start + file.read(1 << 18)


def _zip_kind(path: Path) -> str:
    size = path.stat().st_size
    if size > MAX_PACKED:
        raise DataError(
            f"{path.name} has {size >> 20:,} MiB packed, more than the {MAX_PACKED >> 20:,} of a "
            "workbook: save its sheet as CSV, or unpack it first"
        )
    _require_small_directory(path)
    try:
        with zipfile.ZipFile(path) as packed:
            names = {name.lower().lstrip("/") for name in packed.namelist()[:10_000]}
            mimetype = packed.open("mimetype").read(200) if "mimetype" in names else b""
    except (
        *(zipfile.BadZipFile, OSError, KeyError, ValueError),
        *(RuntimeError, NotImplementedError, EOFError),
    ) as error:
        why = " ".join(str(error).split())[:100]
        raise DataError(
            f"{path.name} is a broken xlsx, ods or zip file ({why}): copy or download it again"
        ) from None
    if "xl/workbook.xml" in names:
        return "xlsx"
    if b"opendocument.spreadsheet" in mimetype:
        return "ods"
    if "xl/workbook.bin" in names:
        raise _no_table(path, "a binary workbook (.xlsb)", "save it as .xlsx")
    if "word/document.xml" in names or b"opendocument.text" in mimetype:
        raise _no_table(path, "a text document", _EXPORT)
    if any(name.endswith(".iwa") for name in names):
        raise _no_table(path, *_BY_NAME[".numbers"])
    return "zip"


def _require_small_directory(path: Path) -> None:
    """Refuses a zip file whose list of parts would fill the memory: zipfile reads all of it.

    The list's size stands in the record at the end of the file, of which there are two kinds.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - (1 << 17)))
        end = file.read()
    for signature, offset, size in ((b"PK\x05\x06", 12, 4), (b"PK\x06\x06", 40, 8)):
        place = end.find(signature)
        while place >= 0:
            directory = int.from_bytes(end[place + offset : place + offset + size], "little")
            if MAX_DIRECTORY < directory < (1 << 8 * size) - 1:
                raise DataError(
                    f"{path.name} lists far more parts than a workbook has: save its sheet as CSV, "
                    "or unpack it first"
                )
            place = end.find(signature, place + 1)


def _downloaded(address: str, folder: Path) -> tuple[Path, str]:
    """The file at an address, in a folder that goes away afterwards, and its SHA-256."""
    name = unquote(PurePosixPath(urlsplit(address).path).name)
    name = "".join(letter for letter in name if letter.isalnum() or letter in "._- ")
    path, shown = folder / (name[-100:].strip(". ") or "download"), without_secrets(address)
    try:
        return path, download(address, path, MAX_DOWNLOAD, MAX_SECONDS, SILENCE)
    except TooLarge:
        raise DataError(
            f"{shown} sends more than {MAX_DOWNLOAD >> 20} MiB: "
            "download it and keep only what you need"
        ) from None
    except TooSlow:
        raise DataError(
            f"{shown} takes more than {MAX_SECONDS} seconds: download it and name its path"
        ) from None
    except (DownloadFailed, OSError) as error:
        why = error.short if isinstance(error, DownloadFailed) else type(error).__name__
        raise DataError(
            f"{shown} cannot be downloaded ({why}): "
            "check the address, or download it and name its path"
        ) from None
