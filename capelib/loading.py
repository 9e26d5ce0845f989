"""`cape.load()`: the built-in data, a folder in our form, or a table of yours, as a Dataset."""

import hashlib
import os
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from capelib.clean.changes import SET_ASIDE, WITHDRAWN, ChangeLog
from capelib.dataset import Dataset, Info
from capelib.errors import DataError, ParameterError
from capelib.meaning.arguments import codes_meant
from capelib.paths import project_folder
from capelib.vocabulary import editions, edtf
from capelib.vocabulary.codebook import PUBLIC_RECORD, codebook, nearest, stage_of
from capelib.vocabulary.tables import typed
from capelib.vocabulary.withdrawal import (
    built_in_keys,
    id_columns,
    is_withdrawn,
    with_what_goes,
    withdrawn_keys,
)

TABLES = ("exiles", "sources", "incidents")


def load(
    source: str | Path | pd.DataFrame = PUBLIC_RECORD,
    vintage: str = "",
    *,
    layout: str = "",
    sheet: str = "",
    keep_names: bool = False,
    edition: str = "",
) -> Dataset:
    """Incidents, exiles and sources, clean and checked, in one line.

    Parameters
    ----------
    source
        "public-record" (the built-in data); a table of yours (CSV, xlsx, ods, Parquet, JSON, an
        http(s) address or a DataFrame), whose columns are found by a layout; or a folder that
        holds incidents.csv and, if there, exiles.csv and sources.csv in our own form.
    vintage
        The published release that the table is, such as "cape-1.0" or "fh-2022" (a vintage of the
        ledger): its published numbers are then recomputed by `cape.findings.check`. "" for none.
    layout
        "incidents", "events", "exiles-wide" or a layout file of yours; "" finds it by the columns.
    sheet
        Of a workbook, by name.
    keep_names
        Keep the names of persons in `.names`, in memory only: they never reach an output.
    edition
        Of the public record: "2026-11" gives the first edition again, row for row, without what
        was withdrawn since. "" is the current one. A table of yours has no edition.

    Returns
    -------
    Dataset
        Every change and guess is in `.changes`; rows that could not be used are in `.set_aside`,
        with why; columns that are not the codebook's (names of persons first of all) are dropped
        and listed.

    Raises
    ------
    DataError
        The file is missing, is no table, lacks a needed column or has no usable row.
    ParameterError
        An argument is not one of the allowed ones.

    Examples
    --------
    >>> import capelib as cape
    >>> cape.load().info.rows
    {'incidents': 1815, 'exiles': 1096, 'sources': 1042}
    >>> cape.load(edition="2026-11").info.rows
    {'incidents': 1074, 'exiles': 694, 'sources': 609}
    """
    edition = editions.meant(edition)
    if vintage:
        vintage = codes_meant("vintage", vintage, "vintage")[0]
    if not isinstance(source, str | Path | pd.DataFrame):
        allowed = f'"{PUBLIC_RECORD}", a path, an address or a DataFrame'
        raise ParameterError(f"source must be {allowed}, not {type(source).__name__}")
    if isinstance(source, str | Path) and str(source) == PUBLIC_RECORD:
        if vintage:
            raise ParameterError(
                "the built-in public record is not a published release: "
                "give a vintage with a file of yours"
            )
        files = sorted(project_folder("data").glob("*.csv"))
        return _built_in(edition, *((path, path.stat().st_mtime_ns) for path in files))._copied()
    if edition != editions.current():
        raise ParameterError(editions.of_public_record(edition))
    _refuse_missing(source)
    ds = read_dataset(source, vintage, layout, sheet, keep_names)
    if ds.incidents.empty:
        raise DataError(_no_usable_row(ds))
    return ds


def _refuse_missing(source: str | Path | pd.DataFrame) -> None:
    if isinstance(source, pd.DataFrame) or "://" in str(source):
        return
    path = Path(source).expanduser()
    if path.exists():
        return
    hint = f'give "{PUBLIC_RECORD}", a table or a folder with incidents.csv'
    one_word = len(path.parts) == 1 and not path.suffix
    if one_word and nearest(str(source), {PUBLIC_RECORD: PUBLIC_RECORD}):
        hint = f'did you mean "{PUBLIC_RECORD}"?'
    raise DataError(f"no file or folder {path}: {hint}")


def _no_usable_row(ds: Dataset) -> str:
    """The message for a table without a usable row, with its first problem."""
    changes, message = ds.log.summary(), f"{ds.info.name} has no usable row"
    aside = changes[changes["severity"] == SET_ASIDE].sort_values("first", kind="stable")
    if len(aside):
        problem = aside.iloc[0]
        place = f"row {problem['first']}, column {problem['column']}"
        cause = f"{problem['rule']}, {problem['remedy']}"
        message += f"; the first problem is in {place}: {cause}"
    return " ".join(message.split())


def read_dataset(
    source: str | Path | pd.DataFrame,
    vintage: str = "",
    layout: str = "",
    sheet: str = "",
    keep_names: bool = False,
    show_cells: bool = False,
) -> Dataset:
    """A user's table or folder as a Dataset, also without a usable row. Arguments as in `load`.

    show_cells: `set_aside` has all cells of its rows, also those that may hold a name.
    """
    from capelib.clean.folder import clean_folder, files_of
    from capelib.clean.matching import layout_of
    from capelib.clean.shown import Shown, columns_of_names
    from capelib.clean.table import clean
    from capelib.clean.withdrawn import without_key
    from capelib.read.files import read

    synthetic = False
    if isinstance(source, pd.DataFrame):
        name = "DataFrame"
    elif "://" in str(source):
        address = urlsplit(str(source))
        name = address.path.rpartition("/")[2] or address.hostname or "table"
    else:
        source = Path(source).expanduser()
        _require_utf8(source)
        name = source.name
    if isinstance(source, Path) and source.is_dir():
        files = files_of(source)
        synthetic = (source / "SYNTHETIC").exists()
        present = {table: path for table, path in files.items() if os.access(path, os.R_OK)}
        before = _checksum(present)
        cleaned = clean_folder(files, keep_names, show_cells)
        _require_same(before, _checksum(present), cleaned.shown.text(name))
        digest = _checksum(files)
    else:
        is_file = isinstance(source, Path) and source.is_file() and os.access(source, os.R_OK)
        before = _checksum_of_table(source, []) if is_file else ""
        sheets = read(source, sheet, layout_of=lambda headers: layout_of(headers, layout))
        digest = _checksum_of_table(source, [each.frame for each in sheets])
        if before and before != digest:
            _require_same(before, digest, Shown(columns_of_names(sheets)).text(name))
        cleaned = clean(sheets, layout, keep_names, show_cells=show_cells)
    if cleaned.changes.holds(WITHDRAWN):
        keys = " ".join([digest, *sorted(withdrawn_keys())])
        digest = hashlib.sha256(keys.encode()).hexdigest()
    frames = {table: getattr(cleaned, table) for table in TABLES}
    shown_name = cleaned.shown.text(without_key(name, withdrawn_keys()))
    is_frame = isinstance(source, pd.DataFrame)
    label = "your table" if is_frame else f"your file {shown_name}"
    return Dataset(
        **tidy(frames),
        info=Info(
            shown_name,
            "SYNTHETIC" if synthetic else label,
            shown_name,
            "",
            "as its owner says",
            digest,
            {table: len(frames[table]) for table in ("incidents", "exiles", "sources")},
            synthetic,
            vintage=vintage,
        ),
        set_aside=cleaned.set_aside,
        rows=cleaned.rows,
        names=cleaned.names,
        tables=cleaned.tables,
        log=cleaned.changes,
    )


def _require_utf8(path: Path) -> None:
    """Refuses a name that no output could hold, as unpacked archives of old programs have them."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = path.name.encode("utf-8", "replace").decode()
        raise DataError(f"the name of {shown} is not UTF-8: rename the file") from None


def _require_same(before: str, after: str, name: str) -> None:
    """Refuses a table of which one half may be older than the other."""
    if before != after:
        raise DataError(f"{name} changed while it was read: read it again when it is complete")


@lru_cache(maxsize=4)
def _built_in(edition: str, *_files: tuple[Path, int]) -> Dataset:
    """The public record as of these files: read once, since a notebook asks for it several times.

    Its cells are already the codebook's (the tests hold that `clean` changes none of them), so they
    only get their types: that takes a third of the time.
    """
    files = {table: project_folder("data") / f"{table}.csv" for table in TABLES}
    raw, keys, log = editions.record(edition), built_in_keys(), ChangeLog()
    if edition == editions.current():
        content = {table: path.read_bytes() for table, path in files.items()}
    else:  # the checksum that this edition's figures bear
        content = {table: editions.as_csv(frame) for table, frame in raw.items()}
        ids = {name: name for name in id_columns("incidents")}
        keys = with_what_goes(raw["incidents"], keys, ids)
    for table, frame in raw.items():
        gone = is_withdrawn(frame, keys, id_columns(table))
        log.withdrawn(files[table].name, "", frame.index[gone] + 2)
        raw[table] = frame[~gone].reset_index(drop=True)
    about = codebook()["dataset"]
    synthetic = "synthetic" in about or (project_folder("data") / "SYNTHETIC").exists()
    info = Info(
        about["name"],
        "SYNTHETIC" if synthetic else "public record",
        about["title"],
        edition,
        about["licence"],
        _digest(content, keys),
        {table: len(raw[table]) for table in ("incidents", "exiles", "sources")},
        synthetic,
    )
    return Dataset(**tidy(raw), info=info, log=log)


def tidy(text: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The three tables with types, and the columns that follow from others."""
    frames = {table: typed(frame, table) for table, frame in text.items()}
    exiles, incidents = frames["exiles"], frames["incidents"]
    exiles["is_group"] = exiles["is_group"].fillna(False).astype(bool)
    days = edtf.bounds(incidents["date"])
    measure = incidents["measure"].cat
    stage = np.array([stage_of()[code] - 1 for code in measure.categories])
    frames["incidents"] = incidents.assign(
        doubtful=incidents["doubtful"].fillna(False).astype(bool),
        date_start=days["date_start"],
        date_end=days["date_end"],
        precision=days["precision"],
        year=edtf.year(days["date_start"], days["date_end"]),
        stage=pd.Categorical.from_codes(stage[measure.codes], [1, 2, 3], ordered=True),
    )
    return frames


def _checksum(files: dict[str, Path], gone: Collection[str] = ()) -> str:
    """Of the files, and of the keys withdrawn from them: a withdrawal changes results."""
    return _digest({name: path.read_bytes() for name, path in files.items()}, gone)


def _digest(content: dict[str, bytes], gone: Collection[str]) -> str:
    digest = hashlib.sha256(" ".join(sorted(gone)).encode())
    for name in sorted(content):
        digest.update(name.encode() + b"\0" + content[name])
    return digest.hexdigest()


def _checksum_of_table(source: object, frames: list[pd.DataFrame]) -> str:
    """Of the file; of the cells where there is none (an address is read once only)."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for frame in frames:
        digest.update("\0".join(frame.columns).encode())
        digest.update(pd.util.hash_pandas_object(frame.fillna("")).to_numpy().tobytes())
    return digest.hexdigest()
