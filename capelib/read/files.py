"""`read()`: any reasonable table - CSV, xlsx, ods, Parquet, JSON, an address or a DataFrame - as cells of text, nothing lost silently."""

import codecs
import hashlib
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pandas as pd

from capelib.download import DownloadFailed, TooLarge, TooSlow, download
from capelib.errors import DataError, ParameterError
from capelib.read.sheet import Notes, Sheet

MAX_BYTES = 2 << 30  # of a file; ten million rows of the field's width are about 1 GiB
MAX_DOWNLOAD = 512 << 20
SILENCE = 30  # seconds without any answer
MAX_SECONDS = 600  # of a whole download: a server may send one byte every 29 seconds
_EXPORT = "export its table as CSV or xlsx"
_SIGNATURES: dict[bytes, tuple[str, str]] = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("xls", ""),
    b"PAR1": ("parquet", ""),
    b"PK\x03\x04": ("zip", ""),
    b"PK\x05\x06": ("zip", ""),
    b"%PDF": ("a PDF document", _EXPORT),
    b"{\\rtf": ("a text document (RTF)", _EXPORT),
    b"\x1f\x8b": ("a packed file (gzip)", "unpack it first"),
    b"BZh": ("a packed file (bzip2)", "unpack it first"),
    b"\xfd7zXZ": ("a packed file (xz)", "unpack it first"),
    b"7z\xbc\xaf\x27\x1c": ("a packed file (7z)", "unpack it first"),
    b"Rar!": ("a packed file (rar)", "unpack it first"),
    b"SQLite format 3": ("a database (SQLite)", _EXPORT),
    b"$FL2": ("an SPSS file", _EXPORT),
    b"<stata_dta>": ("a Stata file", _EXPORT),
    b"RDX": ("an R file", _EXPORT),
    b"\x89PNG": ("a picture", "name the table it shows"),
    b"\xff\xd8\xff": ("a picture", "name the table it shows"),
    b"GIF8": ("a picture", "name the table it shows"),
}


def read(
    source: str | Path | pd.DataFrame, sheet: str = "", header: int = 0, sha256: str = ""
) -> list[Sheet]:
    """What stands in a table of any reasonable form, as text, with everything that reading had to decide noted?

    source: a CSV, TSV or other text file (delimiter and encoding are found out), an xlsx or ods workbook, a Parquet or JSON
        file - recognised by content, not by name -, an http(s) address of one, or a DataFrame.
    sheet: the name of a workbook's sheet; "" for the one that looks most like a table.
    header: number of the row that names the columns, as seen in the file (1 is the first); 0 to find it.
    sha256: checksum that the file must have; "" for any.
    Returns Sheets: one, or several where sheets of a workbook have the same columns. Each row of the file below the header
    is in `frame` under its number, blank rows excepted; footers and totals are kept and noted as problems.
    Raises DataError in one line when there is no table to be read, or one that is too large or not safe to read.

    >>> one = read(pd.DataFrame({"origin": ["TJK", None], "year": [2015.0, 2016.0]}))[0]
    >>> one.frame.to_dict("index")
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
        return _read_path(Path(source).expanduser(), sheet, header, sha256)
    if scheme not in ("http", "https"):
        raise DataError(f"{source} is not an http(s) address: download the file and name its path")
    with tempfile.TemporaryDirectory() as folder:
        path, found = _downloaded(str(source), Path(folder))
        if sha256:
            _verify(found, sha256, str(source))
        notes = Notes()
        notes.add("read.checksum", f"SHA-256 {found}", value=str(source))
        first, *others = _read_path(path, sheet, header, "")
        return [notes.before(first), *others]


def _read_path(path: Path, sheet: str, header: int, sha256: str) -> list[Sheet]:
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder, not a table: name a file in it")
        if not path.exists():
            raise DataError(f"no file {path}: check the path")
        if not path.is_file():
            raise DataError(f"{path} is not a regular file: copy its content to one")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DataError(
                f"{path.name} has {size >> 20:,} MiB, more than {MAX_BYTES >> 20:,}: split it into smaller files"
            )
        with path.open("rb") as file:
            if sha256:
                _verify(hashlib.file_digest(file, "sha256").hexdigest(), sha256, path.name)
                file.seek(0)
            start = file.read(4096)
        return _read_kind(path, _kind(start, path), sheet, header)
    except PermissionError:
        raise DataError(f"{path} cannot be read: check its permissions") from None
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{str(path)[:200]!r} cannot be read ({' '.join(str(error).split())[:100]}): check the path"
        ) from None


def _verify(found: str, sha256: str, name: str) -> None:
    if found != sha256.strip().lower().removeprefix("sha256:"):
        raise DataError(
            f"{name} is not the expected file: its SHA-256 is {found}, expected {sha256[:80]!r}"
        )


def _read_kind(path: Path, kind: str, sheet: str, header: int) -> list[Sheet]:
    """Reads a file by what it holds."""
    name = " ".join(path.name.split())
    if kind in ("xlsx", "ods"):
        from capelib.read.workbook import read_workbook

        return read_workbook(path, name, kind, sheet, header)
    if sheet:
        raise DataError(f"{name} has no sheets: leave out the sheet {sheet!r}")
    if kind == "parquet":
        from capelib.read.json_parquet import read_parquet

        return [read_parquet(path, name)]
    try:
        return [_read_text(path.read_bytes(), name, header)]
    except MemoryError:
        raise DataError(
            f"{name} needs more memory than there is: split it into smaller files"
        ) from None


def _read_text(content: bytes, name: str, header: int) -> Sheet:
    from capelib.read.csv_text import as_utf8, read_delimited
    from capelib.read.json_parquet import read_json

    named = name.lower().endswith((".json", ".jsonl", ".ndjson", ".geojson"))
    start = (
        content[:400]
        .lstrip(codecs.BOM_UTF8 + codecs.BOM_UTF16 + b"\xfe\xff\0")
        .replace(b"\0", b"")
        .lstrip()
    )
    if named or start.startswith((b"{", b"[")):
        notes = Notes()
        try:
            return read_json(as_utf8(content, name, notes).decode(), name, notes, header)
        except DataError:
            if named:
                raise
    return read_delimited(content, name, header)


def _kind(start: bytes, path: Path) -> str:
    """xlsx, ods, parquet or text, by content. Raises DataError in one line for what is none of them."""
    found, advice = next(
        (known for mark, known in _SIGNATURES.items() if start.startswith(mark)), ("text", "")
    )
    if found == "zip":
        return _zip_kind(path)
    if found == "xls":
        if "EncryptedPackage".encode("utf-16-le") in _tail(path):
            raise DataError(
                f"{path.name} is locked with a password: remove the password and save it again"
            )
        found, advice = (
            "an Excel file of the old format (.xls), or another old Office file",
            "save it as .xlsx",
        )
    text = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<body")):
        found, advice = (
            "a web page, whatever its name says",
            "download the table itself, or save it as .xlsx",
        )
    elif text.startswith(b"<?xml") or (text.startswith(b"<") and b"xmlns" in text):
        found, advice = "an XML file", "open it in a spreadsheet program and save it as .xlsx"
    if advice:
        raise DataError(f"{path.name} is {found}, not a table that can be read: {advice}")
    return found


def _tail(path: Path) -> bytes:
    """The directory of an old Office file stands anywhere: its first and last 256 KiB are looked at."""
    with path.open("rb") as file:
        start = file.read(1 << 18)
        file.seek(max(0, path.stat().st_size - (1 << 18)))
        return start + file.read(1 << 18)


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as packed:
            names = {name.lower().lstrip("/") for name in packed.namelist()[:10_000]}
            kind = packed.open("mimetype").read(200) if "mimetype" in names else b""
    except (
        zipfile.BadZipFile,
        OSError,
        KeyError,
        ValueError,
        RuntimeError,
        NotImplementedError,
        EOFError,
    ) as error:
        why = " ".join(str(error).split())[:100]
        raise DataError(
            f"{path.name} is a broken xlsx, ods or zip file ({why}): copy or download it again"
        ) from None
    if "xl/workbook.xml" in names:
        return "xlsx"
    if b"opendocument.spreadsheet" in kind:
        return "ods"
    if "xl/workbook.bin" in names:
        raise DataError(
            f"{path.name} is a binary workbook (.xlsb), not a table that can be read: save it as .xlsx"
        )
    if "word/document.xml" in names or b"opendocument.text" in kind:
        raise DataError(f"{path.name} is a text document, not a table that can be read: {_EXPORT}")
    raise DataError(
        f"{path.name} is a packed file (zip), not a table that can be read: unpack it first"
    )


def _downloaded(address: str, folder: Path) -> tuple[Path, str]:
    """The file at an address, in a folder that goes away afterwards, and its SHA-256."""
    name = unquote(PurePosixPath(urlsplit(address).path).name)
    name = "".join(letter for letter in name if letter.isalnum() or letter in "._- ")
    path = folder / (name[-100:].strip(". ") or "download")
    try:
        return path, download(address, path, MAX_DOWNLOAD, MAX_SECONDS, SILENCE)
    except TooLarge:
        raise DataError(
            f"{address} sends more than {MAX_DOWNLOAD >> 20} MiB: "
            "download it and keep only what you need"
        ) from None
    except TooSlow:
        raise DataError(
            f"{address} takes more than {MAX_SECONDS} seconds: download it and name its path"
        ) from None
    except (DownloadFailed, OSError) as error:
        why = error.short if isinstance(error, DownloadFailed) else type(error).__name__
        raise DataError(
            f"{address} cannot be downloaded ({why}): "
            "check the address, or download it and name its path"
        ) from None
