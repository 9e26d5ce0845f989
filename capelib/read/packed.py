"""A table packed by itself in a .gz or .zip file: unpacked within bounds, once."""

import gzip
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from capelib.errors import DataError

# bytes that any packed table may unpack to, as of a workbook (workbook_scan)
SMALL = 64 << 20
# unpacked to packed bytes, beyond SMALL: tables of the field have 5 to 20, one of equal rows 200
MAX_RATIO = 200
MAX_UNPACKED = 2 << 30
_BLOCK = 1 << 20
_BROKEN = (
    *(zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError),
    *(OSError, ValueError, RuntimeError, KeyError),
)
# what a program puts beside the table that somebody packs
_BESIDE = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")


def table_in_zip(path: Path) -> str:
    """The name of the only file in a zip archive.

    Raises
    ------
    DataError
        Where it holds none or several, or is locked.
    """
    with zipfile.ZipFile(path) as archive:
        parts = [part for part in archive.infolist() if not _is_beside(part)]
    if not parts:
        raise DataError(f"{path.name} is a packed file without a table in it: name another file")
    if len(parts) > 1:
        raise DataError(
            f"{path.name} packs {len(parts):,} files, of which one should be read: "
            "unpack it first, and name the table"
        )
    if parts[0].flag_bits & 1:
        raise DataError(f"{path.name} is locked with a password: unpack it first")
    return parts[0].filename


def _is_beside(part: zipfile.ZipInfo) -> bool:
    name = part.filename.lower().lstrip("/")
    folder = not name or name.endswith("/")  # a damaged archive has parts without a name
    return folder or name.startswith(_BESIDE) or PurePosixPath(name).name in _BESIDE


def unpacked(path: Path, kind: str, folder: Path) -> Path:
    """The table of a packed file, in a folder that goes away afterwards.

    Parameters
    ----------
    path
        The packed file.
    kind
        "gzip", or "zip" for an archive of one file.
    folder
        Where the table is put.

    Raises
    ------
    DataError
        Where it is broken, or unpacks to far more than a table of its size.
    """
    try:
        inner = path.stem if kind == "gzip" else table_in_zip(path)
        target = folder / _plain_name(inner)
        with target.open("wb") as out:
            if kind == "gzip":
                with gzip.open(path) as packed:
                    _copy(packed, out, path)
            else:
                with zipfile.ZipFile(path) as archive, archive.open(inner) as packed:
                    _copy(packed, out, path)
    except DataError:  # says itself what is wrong
        raise
    except _BROKEN as error:
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(
            f"{path.name} is a broken packed file ({why}): copy or download it again"
        ) from None
    return target


def _copy(packed: IO[bytes], out: IO[bytes], path: Path) -> None:
    """Copies no more than a table of this size can unpack to."""
    most = min(MAX_UNPACKED, max(SMALL, MAX_RATIO * path.stat().st_size))
    written = 0
    while block := packed.read(_BLOCK):
        written += len(block)
        if written > most:
            raise DataError(
                f"{path.name} unpacks to more than {most >> 20:,} MiB, far more than a table in a "
                "file of its size: it is not read; unpack it yourself if you trust it"
            )
        out.write(block)


def _plain_name(name: str) -> str:
    """The last part of a name, with letters that any file system takes."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(letter for letter in last if letter.isalnum() or letter in "._- ()")
    return kept.encode("utf-8", "ignore").decode()[-100:].strip(". ") or "table"
