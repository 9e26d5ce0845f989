"""A user's table, read once for all that rests on it, and the three files about it."""

import contextlib
import csv
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit

import pandas as pd

from capelib.clean.changes import CHANGE_COLUMNS, ChangeLog
from capelib.dataset import PLACE, Dataset
from capelib.errors import CapeError
from capelib.files import SOURCE, mark_of, source_mark, write_files
from capelib.loading import read_dataset
from capelib.meaning.csv_safety import defused
from capelib.vocabulary.codebook import columns

CLEAN_FILE, SET_ASIDE_FILE, CHANGES_FILE = "clean.csv", "set_aside.csv", "changes.csv"
FILES = (CLEAN_FILE, SET_ASIDE_FILE, CHANGES_FILE)
AT_ONCE = 100_000  # lines of a file that stand in memory as text

Writer = Callable[[Path], None]


def examine(source: str | Path, layout: str = "", sheet: str = "", vintage: str = "") -> Dataset:
    """What is in a user's table, and what has to be done to use it?

    A table without a usable row is no error here. A file is read again only when it has changed,
    so that all runs rest on the same Dataset: do not change its frames.

    Parameters
    ----------
    source
        A file, a folder of tables in our form, or an address.
    layout, sheet, vintage
        As `cape.load` takes them.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        The file cannot be read as a table, or no layout fits.
    """
    path = Path(source).expanduser()
    if "://" in str(source) or not path.is_file():
        return read_dataset(source, vintage, layout, sheet)
    stat = path.stat()
    return _read_once(path, layout, sheet, vintage, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _read_once(
    path: Path, layout: str, sheet: str, vintage: str, _changed: int, _size: int
) -> Dataset:
    return read_dataset(path, vintage, layout, sheet)


def name_of(source: str | Path) -> str:
    """What a file is called, also one at an address.

    >>> name_of("data/my table.xlsx"), name_of("https://example.org/a/table.csv?x=1")
    ('my table.xlsx', 'table.csv')
    """
    path = unquote(urlsplit(str(source)).path) if "://" in str(source) else source
    name = PurePath(path).name
    return name if name.strip(" .") else "table"


def folder_of(source: str | Path, out: Path | None = None) -> Path:
    """Where do the files about a table go, so that they replace nothing but their own last ones?

    Parameters
    ----------
    source
        The table.
    out
        The folder that was asked for; None for one below build/check that is named for the table,
        with a checksum where another table of this name has it.

    Raises
    ------
    CapeError
        Where files would be lost: the table itself, those of another table, or a user's.
    """
    if out is not None:
        _require_free(out, source)
        return out
    folder = Path("build/check") / PurePath(name_of(source)).stem
    if _is_taken(folder, source):
        folder = folder.with_name(f"{folder.name}-{source_mark(folder, source)[:8]}")
    _require_free(folder, source)
    return folder


def _require_free(folder: Path, source: str | Path) -> None:
    if "://" not in str(source):
        path = Path(source).expanduser().resolve()
        if any((folder / name).resolve() == path for name in FILES):
            raise CapeError(
                f"{folder / path.name} is the table that is checked, and would be written over: "
                "choose another folder with --out"
            )
    if _is_taken(folder, source):
        raise CapeError(
            f"{folder} holds {', '.join(name for name in FILES if (folder / name).exists())} that "
            "were not made from this table: choose another folder with --out, or move them"
        )


def _is_taken(folder: Path, source: str | Path) -> bool:
    """Whether the folder holds files of these names that were not made from this table."""
    if not any((folder / name).exists() for name in FILES):
        return False
    return mark_of(_record(folder)) != source_mark(folder, source)


def _record(folder: Path) -> Path:
    """The file that holds from which table a folder was made; beside it, for it holds three."""
    return folder.parent / f".{folder.resolve().name}{SOURCE}"


def clean_table(ds: Dataset) -> pd.DataFrame:
    """The incidents as text, with what is known of exile and source, and where they come from.

    Columns: those of incidents in the codebook; category and is_group of the exile; url and kind
    of the source, and its publisher where the table names it; file, sheet, row.
    """
    named = {column for table in ds.tables for column in table.match.columns.values()}
    about_source = ["url", "kind", *(["publisher"] if "publisher" in named else [])]
    people = _as_text(ds.exiles, "exiles").set_index("exile_id")[["category", "is_group"]]
    sources = _as_text(ds.sources, "sources").set_index("source_id")[about_source]
    incidents = _as_text(ds.incidents, "incidents")
    table = incidents.join(people, on="exile_id").join(sources, on="source_id")
    return pd.concat([table, ds.rows.reset_index(drop=True)[list(PLACE)]], axis=1)


def _as_text(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """The columns of the codebook as they are written in a file."""
    text = {}
    for column, spec in columns(table).items():
        cells = frame[column]
        if spec["type"] == "yes":
            reported = cells.fillna(False).astype(bool)
            cells = pd.Series("yes", index=frame.index, dtype="str").where(reported)
        text[column] = cells.astype("str")
    return pd.DataFrame(text, index=frame.index)


def write(ds: Dataset, folder: Path, source: str | Path) -> None:
    """Writes clean.csv, set_aside.csv and changes.csv, all or none, and from which table they are.

    Raises CapeError where the folder cannot be written.
    """
    writers = {
        CLEAN_FILE: _frame_writer(clean_table(ds)),
        SET_ASIDE_FILE: _frame_writer(ds.set_aside),
        CHANGES_FILE: _changes_writer(ds.log),
    }
    write_files(folder, writers)
    with contextlib.suppress(OSError):  # the folder alone may be ours to write
        _record(folder).write_text(source_mark(folder, source), encoding="ascii")


def write_account(ds: Dataset, folder: Path) -> None:
    """Writes what was set aside and changed, beside results; no file where there was nothing."""
    writers = {}
    if len(ds.set_aside):
        writers[SET_ASIDE_FILE] = _frame_writer(ds.set_aside)
    if len(ds.log):
        writers[CHANGES_FILE] = _changes_writer(ds.log)
    write_files(folder, writers)


def _frame_writer(table: pd.DataFrame) -> Writer:
    starts = range(0, max(len(table), 1), AT_ONCE)
    return lambda path: _write(path, (table.iloc[start : start + AT_ONCE] for start in starts))


def _changes_writer(log: ChangeLog) -> Writer:
    """Part by part: of a large table they would not fit into memory together."""

    def frames() -> Iterable[pd.DataFrame]:
        yield pd.DataFrame(columns=CHANGE_COLUMNS)
        yield from log.frames()

    return lambda path: _write(path, frames())


def _write(path: Path, frames: Iterable[pd.DataFrame]) -> None:
    """All cells quoted, and none that a spreadsheet program would run.

    Such a program needs the mark at the start to see UTF-8.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        for number, frame in enumerate(frames):
            numbers = set(frame.select_dtypes("number"))
            text = {
                name: frame[name] if name in numbers else defused(frame[name].astype("str"))
                for name in frame
            }
            how = {"quoting": csv.QUOTE_ALL, "lineterminator": "\n", "header": not number}
            pd.DataFrame(text).to_csv(file, index=False, **how)
