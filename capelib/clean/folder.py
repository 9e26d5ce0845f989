"""A folder of tables in our own form: incidents.csv, with exiles.csv and sources.csv if there."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from capelib.clean.changes import DROPPED, GUESS, HIDDEN, ChangeLog
from capelib.clean.distinct import DistinctColumn
from capelib.clean.duplicates import REPEATED_KEY
from capelib.clean.headers import log_headers, log_reading
from capelib.clean.ids import KEYS, has_our_form
from capelib.clean.layouts import Layout
from capelib.clean.matching import Match, match
from capelib.clean.rows import RowLog
from capelib.clean.several import IncidentRows
from capelib.clean.shown import Shown, columns_of_names
from capelib.clean.table import Clean, TableRead, clean, set_aside_rows, tables_read
from capelib.clean.values import readers, tidied
from capelib.clean.withdrawn import key_columns, with_plain_names, without_withdrawn
from capelib.errors import DataError
from capelib.read.files import read
from capelib.read.sheet import Sheet
from capelib.vocabulary.codebook import columns
from capelib.vocabulary.withdrawal import with_what_goes, withdrawn_keys

# The tables beside incidents.csv: the key that links each, and the columns that it must have too.
LISTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "exiles": ("exile_id", ("origin", "category")),
    "sources": ("source_id", ()),
}


@dataclass(frozen=True)
class _List:
    """The usable rows of exiles.csv or sources.csv as text, and what became of the others."""

    rows: pd.DataFrame
    set_aside: pd.DataFrame
    changes: ChangeLog
    tables: tuple[TableRead, ...]


def files_of(folder: Path) -> dict[str, Path]:
    """The files of a folder by the names of their tables; incidents.csv must be there."""
    lists = {name: folder / f"{name}.csv" for name in LISTS if (folder / f"{name}.csv").exists()}
    return {"incidents": folder / "incidents.csv"} | lists


def clean_folder(
    files: dict[str, Path], keep_names: bool = False, show_cells: bool = False
) -> Clean:
    """What are the incidents, exiles and sources of a folder, and what was done to each cell?

    Exiles and sources are read by the same rules as any table; the incidents go through `clean`.
    An incident that names no listed exile or source is set aside.

    Parameters
    ----------
    files
        As `files_of` gives them.
    keep_names
        Keep the names of persons in memory.
    show_cells
        Give all cells of the rows set aside, also those that may hold a name.

    Returns
    -------
    Clean
        What became of the tables.

    Raises
    ------
    DataError
        A file is missing, is no table, or lacks a needed column.
    """
    keys = withdrawn_keys()
    sheets = {name: with_plain_names(read(path)[0], keys) for name, path in files.items()}
    shown = Shown(columns_of_names(list(sheets.values())))
    log, incidents, lists = ChangeLog(shown=shown), sheets["incidents"], {}
    ids = key_columns(incidents, _match(incidents, "incidents"))
    gone = with_what_goes(incidents.frame, keys, ids)
    for name in LISTS:
        if name in sheets:
            lists[name] = _list(sheets[name], files[name], name, gone, shown, show_cells)
            incidents = _without_columns_of(name, incidents, log)
    listed_keys = {LISTS[name][0]: listed.rows[LISTS[name][0]] for name, listed in lists.items()}
    cleaned = clean([incidents], keep_names=keep_names, listed=listed_keys, show_cells=show_cells)
    every = [*lists.values(), cleaned]
    changes = [each.changes for each in every]
    return replace(
        cleaned,
        set_aside=pd.concat([each.set_aside for each in every], ignore_index=True),
        changes=ChangeLog([*changes[:-1], log, changes[-1]], shown=shown),
        tables=tuple(table for each in every for table in each.tables),
        **{name: listed.rows for name, listed in lists.items()},
    )


def _without_columns_of(name: str, incidents: Sheet, log: ChangeLog) -> Sheet:
    """The incidents without columns that the list says better."""
    key, _ = LISTS[name]
    twice = [
        column
        for column in columns(name)
        if column in incidents.frame and column != key and column not in columns("incidents")
    ]
    also = {"value": HIDDEN, "severity": DROPPED, "remedy": f"{name}.csv says it"}
    for column in twice:
        log.add(incidents.file, "", 1, column, "column.unknown", "dropped", **also)
    return replace(incidents, frame=incidents.frame.drop(columns=twice))


def _match(sheet: Sheet, name: str) -> Match:
    """How the headers of a table in our own form are understood.

    Columns that later editions of the public record brought (`since`) are not taken from a reader.
    """
    known = [column for column, spec in columns(name).items() if "since" not in spec]
    layout = Layout(name, "our own form", columns={column: [column] for column in known})
    return match([str(header) for header in sheet.frame.columns], layout)


def _list(
    sheet: Sheet, path: Path, name: str, gone: set[str], shown: Shown, show_cells: bool
) -> _List:
    key, needed = LISTS[name]
    headers = _match(sheet, name)
    missing = [each for each in (key, *needed) if each not in headers.columns.values()]
    if missing:
        lacks = f"{path} lacks the column(s) {', '.join(missing)}"
        raise DataError(f"{lacks}: see `cape codebook {name}`")
    log = ChangeLog(shown=shown)
    read_rows = sheet
    sheet = without_withdrawn(sheet, key_columns(sheet, headers), gone, log)
    rows = RowLog([sheet], shown)
    log_headers(sheet, headers, rows)
    log_reading(sheet, headers, rows, 0)
    cells = {
        column: DistinctColumn.from_cells(sheet.frame[header]).without(rows.untrusted)
        for header, column in headers.columns.items()
    }
    row = np.arange(rows.total)
    tidy, _ = tidied(
        cells, row, rows, readers(headers.layout), [each for each in needed if each == "origin"]
    )
    tidy = cells | tidy
    _refuse_keys(key, cells[key], rows)
    if "url" in cells:
        tidy["url"] = _addresses(cells["url"], rows)
    kept = np.flatnonzero(~rows.bad)
    table = pd.DataFrame({column: tidy[column].take(kept).cells() for column in tidy})
    if "category" in table:
        table["category"] = table["category"].fillna("unknown")
    lines = IncidentRows(row, np.zeros(rows.total, dtype="int32"), cells)
    aside = set_aside_rows(lines, rows, show_cells)
    tables = tables_read([read_rows], [headers], shown)
    return _List(table, aside, ChangeLog([log, rows.changes]), tables)


def _refuse_keys(name: str, key: DistinctColumn, rows: RowLog) -> None:
    """Sets aside rows without a key, with one of another form, or with one that occurs twice."""
    good = key.flags(has_our_form(key.words, name))
    keyed = np.flatnonzero(good)
    again = keyed[pd.Series(key.places[keyed]).duplicated().to_numpy()]
    problems = {
        ("blank", "a value is required"): np.flatnonzero(~key.filled & ~rows.untrusted),
        ("not of the expected form", f"expected the form {KEYS[name]}"): np.flatnonzero(
            key.filled & ~good
        ),
        (REPEATED_KEY, "each row needs its own key"): again,
    }
    for (problem, remedy), places in problems.items():
        rows.refuse(places, name, problem, remedy)


def _addresses(url: DistinctColumn, rows: RowLog) -> DistinctColumn:
    """The addresses of sources; any other text is left blank."""
    address = url.words.str.fullmatch(r"https?://\S+").fillna(False).to_numpy(dtype=bool)
    text = np.flatnonzero(url.flags(~address))
    remedy = "write an address that begins with http:// or https://"
    rows.log("url", text, "source.text", "left blank", GUESS, remedy, 0.5)
    return url.map(rows.shown.addresses(url.words.where(address)))
