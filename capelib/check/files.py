"""A user's table, read once for all that rests on it, and the three files about it."""

import contextlib
import csv
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path, PurePath

import pandas as pd

from capelib.clean.changes import CHANGE_COLUMNS, ChangeLog
from capelib.clean.shown import MASK
from capelib.clean.withdrawn import without_key
from capelib.dataset import PLACE, Dataset
from capelib.errors import CapeError
from capelib.files import SOURCE, mark_of, source_mark, write_files
from capelib.loading import read_dataset
from capelib.meaning.csv_safety import defused
from capelib.vocabulary.codebook import columns
from capelib.vocabulary.withdrawal import withdrawn_keys

CLEAN_FILE, SET_ASIDE_FILE, CHANGES_FILE = "clean.csv", "set_aside.csv", "changes.csv"
CELLS_FILE = "set_aside_cells.csv"
FILES = (CLEAN_FILE, SET_ASIDE_FILE, CHANGES_FILE, CELLS_FILE)
AT_ONCE = 100_000  # lines of a file that stand in memory as text

Writer = Callable[[Path], None]


def examine(
    source: str | Path,
    layout: str = "",
    sheet: str = "",
    vintage: str = "",
    show_cells: bool = False,
) -> Dataset:
    """What is in a user's table, and what has to be done to use it?

    A table without a usable row is no error here. A file is read again only when it has changed,
    so that all runs rest on the same Dataset: do not change its frames.

    Parameters
    ----------
    source
        A file, a folder of tables in our form, or an address.
    layout, sheet, vintage
        As `cape.load` takes them.
    show_cells
        Give all cells of the rows set aside, also those that may hold a name of a person.

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
        return read_dataset(source, vintage, layout, sheet, show_cells=show_cells)
    stat = path.stat()
    return _read_once(path, layout, sheet, vintage, show_cells, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _read_once(
    path: Path,
    layout: str,
    sheet: str,
    vintage: str,
    show_cells: bool,
    _changed: int,
    _size: int,
) -> Dataset:
    return read_dataset(path, vintage, layout, sheet, show_cells=show_cells)


def shown_name(source: str | Path) -> str:
    """What a file is called, with the words of names masked that its table holds."""
    path = Path(source).expanduser()
    if not path.is_file():
        return path.name
    stat = path.stat()
    return _shown_name_once(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _shown_name_once(path: Path, _changed: int, _size: int) -> str:
    try:
        return examine(path).info.name
    except CapeError:  # the run itself says what is wrong with the table
        return path.name


def masking(source: str | Path) -> Callable[[str], str]:
    """What takes words of the names that a table holds out of a text, such as a part of its path.

    The table is read once for all texts.
    """
    try:
        shown, keys = examine(source).log.shown, withdrawn_keys()
    except CapeError:  # the run itself says what is wrong with the table
        return str
    return lambda text: without_key(shown.text(text) if shown else text, keys)


def folder_of(source: str | Path, ds: Dataset, out: Path | None = None) -> Path:
    """Where do the files about a table go, so that they replace nothing but their own last ones?

    Parameters
    ----------
    source
        The table.
    ds
        What was read of it: a folder of its own is called so, without words of names.
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
    stem = PurePath(ds.info.name).stem.strip(". ").replace(MASK, "_")
    folder = Path("build/check") / (stem or "table")
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
        if column not in frame:  # only later editions of the public record have it
            continue
        cells = frame[column]
        if spec["type"] == "yes":
            reported = cells.fillna(False).astype(bool)
            cells = pd.Series("yes", index=frame.index, dtype="str").where(reported)
        text[column] = cells.astype("str")
    return pd.DataFrame(text, index=frame.index)


def write(ds: Dataset, folder: Path, source: str | Path, show_cells: bool = False) -> list[str]:
    """Writes clean.csv, set_aside.csv and changes.csv, all or none, and from which table they are.

    Gives the names of the files.

    show_cells: also the cells of the rows set aside, in a file that is not to be passed on.
    Raises CapeError where the folder cannot be written.
    """
    writers = {
        CLEAN_FILE: _frame_writer(clean_table(ds)),
        SET_ASIDE_FILE: _frame_writer(_places(ds)),
        CHANGES_FILE: _changes_writer(ds.log),
    }
    if show_cells:
        writers[CELLS_FILE] = _frame_writer(ds.set_aside)
    write_files(folder, writers)
    with contextlib.suppress(OSError):  # the folder alone may be ours to write
        _record(folder).write_text(source_mark(folder, source), encoding="ascii")
    return list(writers)


def _places(ds: Dataset) -> pd.DataFrame:
    """Where the rows set aside stand, and why they are, without their cells."""
    return ds.set_aside.reindex(columns=[*PLACE, "why"])


def write_account(ds: Dataset, folder: Path) -> None:
    """Writes what was set aside and changed, beside results; no file where there was nothing."""
    writers = {}
    if len(ds.set_aside):
        writers[SET_ASIDE_FILE] = _frame_writer(_places(ds))
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
