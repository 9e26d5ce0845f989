"""A table of one's own, checked: what was read, what became of it, and the three files that say so."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit

import pandas as pd

from capelib.clean import Clean, clean
from capelib.clean.changes import CHANGE_COLUMNS, Changes
from capelib.clean.layouts import Match, find
from capelib.dataset import load
from capelib.files import write_files
from capelib.meaning.codes import defused
from capelib.read.files import read
from capelib.read.header import Sheet, where
from capelib.vocabulary.codebook import columns

CLEAN, ASIDE, CHANGES = "clean.csv", "set_aside.csv", "changes.csv"
ORIGIN = ("file", "sheet", "row")  # where an incident comes from
AT_ONCE = 100_000  # lines of a file that stand in memory as text

Writer = Callable[[Path], None]


@dataclass(frozen=True)
class Checked:
    """What became of a table.

    name: of the file or folder. sheets: as they were read, without their cells. matches: how the headers of each were understood;
    none for a folder. rows: how many were read. clean: the result, with what was set aside and changed.
    """

    name: str
    sheets: tuple[Sheet, ...]
    matches: tuple[Match, ...]
    rows: int
    clean: Clean


def check(source: str | Path, layout: str = "", sheet: str = "") -> Checked:
    """What is in a table of one's own, and what has to be done to use it?

    source: a file or an address of one; layout, sheet: as `cape.load` takes them. A table without a usable row is no error here.
    Raises DataError where the file cannot be read as a table, or no layout fits.
    """
    path = Path(source).expanduser()
    if "://" in str(source) or not path.is_file():
        return _check(source, layout, sheet)
    stat = path.stat()
    return _known(path, layout, sheet, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1)
def _known(path: Path, layout: str, sheet: str, _changed: int, _size: int) -> Checked:
    """The table as of this time: every run rests on the same one."""
    return _check(path, layout, sheet)


def _check(source: str | Path, layout: str, sheet: str) -> Checked:
    sheets = read(source, sheet)
    matches = tuple(
        find([str(name) for name in each.frame.columns], where(each.file, each.sheet), layout)
        for each in sheets
    )
    rows = sum(len(each.frame) for each in sheets)
    cleaned = clean(sheets, layout)
    return Checked(
        name_of(source),
        tuple(replace(each, frame=each.frame.head(0).copy()) for each in sheets),
        matches,
        rows,
        cleaned,
    )


def check_any(source: str | Path, layout: str = "", sheet: str = "") -> Checked:
    """The same, also for a folder with tables in our own form, as a run takes it."""
    return (
        _folder(Path(source).expanduser())
        if Path(source).expanduser().is_dir()
        else check(source, layout, sheet)
    )


def name_of(source: str | Path) -> str:
    """What a file is called, also one at an address.

    >>> name_of("data/my table.xlsx"), name_of("https://example.org/a/table.csv?x=1")
    ('my table.xlsx', 'table.csv')
    """
    return (
        PurePath(unquote(urlsplit(str(source)).path) if "://" in str(source) else source).name
        or "table"
    )


def _folder(folder: Path) -> Checked:
    ds, changes = load(folder), Changes()
    for line in ds.problems.itertuples(index=False):
        also = {"value": line.value, "severity": line.action, "remedy": line.remedy}
        changes.add(line.file, "", line.row, line.column, line.problem, line.action, **also)
    found = Clean(ds.incidents, ds.exiles, ds.sources, ds.rows, ds.set_aside, changes, (), ds.names)
    return Checked(folder.name, (), (), len(ds.incidents) + len(ds.set_aside), found)


def clean_table(found: Clean) -> pd.DataFrame:
    """The incidents, a row each, in the columns of the codebook, with what is known of exile and source and where they come from.

    Returns text: the columns of incidents; category and is_group of the exile; url and kind of the source; file, sheet, row.
    """
    people = found.exiles.reindex(columns=["exile_id", "category", "is_group"]).set_index(
        "exile_id"
    )
    pages = found.sources.reindex(columns=["source_id", "url", "kind"]).set_index("source_id")
    table = (
        found.incidents.reindex(columns=columns("incidents"))
        .join(people, on="exile_id")
        .join(pages, on="source_id")
    )
    return pd.concat([table, found.rows.reset_index(drop=True)[list(ORIGIN)]], axis=1)


def write(checked: Checked, folder: Path) -> None:
    """clean.csv, set_aside.csv and changes.csv, whole or not at all. Raises CapeError where the folder cannot be written."""
    found = checked.clean
    write_files(
        folder,
        {
            CLEAN: _table(clean_table(found)),
            ASIDE: _table(found.set_aside),
            CHANGES: _changes(found.changes),
        },
    )


def write_account(checked: Checked, folder: Path) -> None:
    """What had to be set aside and changed, beside results that rest on the rest; no file where there was nothing."""
    found = checked.clean
    files = {
        ASIDE: (_table(found.set_aside), len(found.set_aside)),
        CHANGES: (_changes(found.changes), len(found.changes)),
    }
    write_files(folder, {name: writer for name, (writer, lines) in files.items() if lines})


def _table(table: pd.DataFrame) -> Writer:
    return lambda path: _write(
        path,
        (table.iloc[start : start + AT_ONCE] for start in range(0, max(len(table), 1), AT_ONCE)),
    )


def _changes(changes: Changes) -> Writer:
    """Part by part: of a large table they would not fit into memory together."""

    def lines() -> Iterable[pd.DataFrame]:
        yield pd.DataFrame(columns=CHANGE_COLUMNS)
        yield from changes.frames()

    return lambda path: _write(path, lines())


def _write(path: Path, frames: Iterable[pd.DataFrame]) -> None:
    """All cells quoted, and none that a spreadsheet program would run; it also needs the mark at the start to see UTF-8."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        for number, frame in enumerate(frames):
            numbers = set(frame.select_dtypes("number"))
            text = pd.DataFrame(
                {
                    name: frame[name] if name in numbers else defused(frame[name].astype("str"))
                    for name in frame
                }
            )
            text.to_csv(
                file, index=False, header=not number, quoting=csv.QUOTE_ALL, lineterminator="\n"
            )
