"""JSON, Parquet and DataFrames: tables whose columns are named already, turned into cells of text."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from capelib.errors import DataError
from capelib.read.cell_text import text_of
from capelib.read.header import finish, tabulate
from capelib.read.sheet import MAX_CELL, Grid, Notes, Sheet, bounded, text_frame

MAX_JSON = 256 << 20  # bytes: as objects they take ten times that
MAX_JSON_CELLS = 20_000_000  # 8 bytes each even where a record lacks the field
MAX_TEXT = (
    4 << 30
)  # bytes of text of a Parquet table, where a value that is stored once may stand in many rows
DEPTH = 4  # levels at which a list of records is looked for


def read_frame(frame: pd.DataFrame, file: str = "DataFrame") -> Sheet:
    """A DataFrame as a sheet; rows are numbered from 1, a named index becomes a column."""
    notes = Notes()
    if any(name is not None for name in frame.index.names):
        notes.add(
            "read.index",
            f"the index became the column(s) {', '.join(str(name) for name in frame.index.names)}",
        )
        frame = frame.rename_axis(
            index=[
                f"index {n}" if name is None else name
                for n, name in enumerate(frame.index.names, 1)
            ]
        )
        both = frame.index.to_frame(index=False)
        names = [*both.columns, *frame.columns]
        columns = [both.iloc[:, n] for n in range(both.shape[1])] + [
            frame.iloc[:, n] for n in range(frame.shape[1])
        ]
    else:
        names, columns = list(frame.columns), [frame.iloc[:, n] for n in range(frame.shape[1])]
    bounded(len(frame), len(names), file)
    cells = text_frame(
        {n: _texts(column) for n, column in enumerate(columns)}, pd.RangeIndex(1, len(frame) + 1)
    )
    return _named(cells, [_name(name) for name in names], file, notes)


def _name(name: Any) -> str:
    parts = (
        [text_of(part) or "" for part in name] if isinstance(name, tuple) else [text_of(name) or ""]
    )
    return (
        " / ".join(" ".join(part.split()) for part in parts if part)
        .encode("utf-8", "replace")
        .decode()
    )


def _named(cells: pd.DataFrame, names: list[str], file: str, notes: Notes) -> Sheet:
    if not names:
        raise DataError(f"{file} is empty: expected named columns and at least one row")
    return finish(Grid(file, "", cells, notes=notes), cells, names, ())


def _texts(column: pd.Series) -> Any:
    """A column of any type as an arrow array of texts, each distinct value turned into text once."""
    import pyarrow as pa

    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        array = None
    if array is None or isinstance(array.type, pa.ExtensionType):
        return [None if value is pd.NaT or value is pd.NA else text_of(value) for value in column]
    return arrow_texts(array)


def arrow_texts(array: Any) -> Any:
    """An arrow array of any type as texts. Raises DataError where single values or all of them together are too long."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    done: list[Any] = []
    for chunk in chunks:
        try:
            coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        except pa.ArrowNotImplementedError:  # lists and structures
            done.append(
                pa.array([text_of(value) for value in chunk.to_pylist()], pa.large_string())
            )
            continue
        texts = [text_of(value) for value in coded.dictionary.to_pylist()]
        longest = max((len(text) for text in texts if text), default=0)
        if longest > MAX_CELL:
            raise DataError(f"a cell of {longest:,} characters, more than {MAX_CELL:,}")
        labels = pa.array(
            [text and text.encode("utf-8", "replace").decode() for text in texts], pa.large_string()
        )
        total = pc.sum(pc.take(pc.binary_length(labels), coded.indices)).as_py() or 0
        if total > MAX_TEXT:
            raise DataError(f"{total:,} bytes of text in one column, more than {MAX_TEXT:,}")
        done.append(labels.take(coded.indices))
    return pa.chunked_array(done, pa.large_string())


def read_parquet(path: Path, file: str) -> Sheet:
    """A Parquet file as a sheet, read in batches; rows are numbered from 1."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path, memory_map=True) as table:
            bounded(table.metadata.num_rows, len(table.schema_arrow.names), file)
            names = table.schema_arrow.names
            kept = [
                name
                for name, kind in zip(names, table.schema_arrow.types, strict=True)
                if pa.types.is_string(kind) or pa.types.is_binary(kind)
            ]
        with parquet.ParquetFile(path, memory_map=True, read_dictionary=kept) as table:
            parts: dict[int, list[Any]] = {number: [] for number in range(len(names))}
            rows = size = 0
            for batch in table.iter_batches(batch_size=100_000, use_threads=False):
                rows += len(batch)
                bounded(rows, len(names), file)
                for number, column in enumerate(batch.columns):
                    texts = arrow_texts(column)
                    size += texts.nbytes
                    parts[number].extend(texts.chunks)
                if size > MAX_TEXT:
                    raise DataError(f"more than {MAX_TEXT:,} bytes of text")
    except DataError as error:
        raise (
            DataError(f"{file}: {error}; keep only the columns and rows you need")
            if file not in str(error)
            else error
        ) from None
    except (pa.ArrowException, OSError, ValueError, MemoryError, KeyError, OverflowError) as error:
        raise DataError(
            f"{file} is a broken Parquet file ({' '.join(str(error).split())[:100]}): export it again"
        ) from None
    cells = text_frame(
        {n: pa.chunked_array(part, pa.large_string()) for n, part in parts.items()},
        pd.RangeIndex(1, rows + 1),
    )
    return _named(cells, [_name(name) for name in names], file, Notes())


def read_json(text: str, file: str, notes: Notes, header: int = 0) -> Sheet:
    """JSON as a sheet: a list of records (also one a line, or inside an object), columns with their values, or rows of cells."""
    if len(text) > MAX_JSON:
        raise DataError(
            f"{file} holds more than {MAX_JSON >> 20} MiB of JSON: save it as CSV or Parquet"
        )
    try:
        found, path = _table_in(_parsed(text, file, notes))
        if path:
            notes.add(
                "read.json_table", f"the table was taken from {' / '.join(path)}", certainty=0.95
            )
        if isinstance(found, list) and found and all(isinstance(row, list) for row in found):
            width = max(len(row) for row in found)
            _small(len(found), width, file)
            rows = [[text_of(cell) for cell in row] + [None] * (width - len(row)) for row in found]
            return tabulate(
                Grid(
                    file,
                    "",
                    text_frame(
                        dict(enumerate(zip(*rows, strict=True))), pd.RangeIndex(1, len(rows) + 1)
                    ),
                    notes=notes,
                ),
                header,
            )
        columns, count = _columns(found, file, notes)
        cells = text_frame(dict(enumerate(columns.values())), pd.RangeIndex(1, count + 1))
    except RecursionError:
        raise DataError(
            f"{file} is nested too deeply for a table: expected a list of records"
        ) from None
    except MemoryError:
        raise DataError(
            f"{file} needs more memory than there is: save it as CSV or Parquet"
        ) from None
    return _named(cells, [_name(name) for name in columns], file, notes)


def _parsed(text: str, file: str, notes: Notes) -> Any:
    twice: dict[str, int] = {}

    def record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs = [
            (name.encode("utf-8", "replace").decode(), value) for name, value in pairs
        ]  # half letters: "\\ud800"
        found = dict(pairs)
        if len(found) < len(pairs):
            found = {}
            for name, value in pairs:
                own, number = name, 2
                while own in found:
                    own, number = f"{name} ({number})", number + 1
                twice[name] = twice.get(name, 0) + (own != name)
                found[own] = value
        return found

    read = json.JSONDecoder(
        parse_float=_number, parse_int=str, parse_constant=lambda _: None, object_pairs_hook=record
    )
    try:
        found = read.decode(text.strip())
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            if "Extra data" not in str(error):
                raise
            found = [read.decode(line.strip()) for line in lines]
            notes.add("read.json_lines", "one record a line")
        except ValueError:
            raise DataError(
                f"{file} is not JSON: {' '.join(str(error).split())[:100]}; export it again"
            ) from None
    for name, times in list(twice.items())[:100]:
        notes.add(
            "read.twice",
            f"{times:,} records give it more than once: kept as {name} (2)",
            column=name,
            severity="guess",
        )
    return found


def _number(text: str) -> str | None:
    """A number as it is written, 2015.0 as 2015."""
    return text_of(float(text)) if len(text) <= 15 else text


def _table_in(found: Any, depth: int = DEPTH) -> tuple[Any, list[str]]:
    """The part of a document that is its table, and where it stands: the longest list inside objects that hold no other columns."""
    if not isinstance(found, dict) or _is_columns(found):
        return found, []
    if isinstance(found.get("columns"), list) and isinstance(
        found.get("data"), list
    ):  # as pandas writes orient="split"
        return [[str(name) for name in found["columns"]], *found["data"]], []
    lists = {
        key: value
        for key, value in found.items()
        if isinstance(value, list) and value and isinstance(value[0], dict | list)
    }
    if lists:
        key = max(lists, key=lambda name: len(lists[name]))
        return lists[key], [key]
    for key, value in found.items():
        if depth and isinstance(value, dict) and not _is_columns(found):
            inner, path = _table_in(value, depth - 1)
            if path:
                return inner, [key, *path]
    return found, []


def _is_columns(found: dict[str, Any]) -> bool:
    """Is it columns with their values, each a list of the same length or numbered as pandas writes it?"""
    values = list(found.values())
    if values and all(isinstance(value, list) for value in values):
        plain = not any(isinstance(cell, dict | list) for value in values for cell in value[:3])
        return plain and len({len(value) for value in values}) == 1
    return bool(values) and all(
        isinstance(value, dict) and value and all(key.isdigit() for key in value)
        for value in values
    )


def _columns(found: Any, file: str, notes: Notes) -> tuple[dict[str, list[str | None]], int]:
    """Columns of texts by name, all of the same length."""
    if isinstance(found, dict) and _is_columns(found):
        if isinstance(next(iter(found.values())), list):
            return {name: [text_of(cell) for cell in cells] for name, cells in found.items()}, len(
                next(iter(found.values()))
            )
        keys = list(dict.fromkeys(key for cells in found.values() for key in cells))
        _small(len(keys), len(found), file)
        return {
            name: [text_of(cells.get(key)) for key in keys] for name, cells in found.items()
        }, len(keys)
    if (
        isinstance(found, dict)
        and found
        and all(isinstance(value, dict) for value in found.values())
    ):
        notes.add(
            "read.json_keys", "the keys of the records became the column (key)", column="(key)"
        )
        found = [{"(key)": key, **record} for key, record in found.items()]
    records = found if isinstance(found, list) else [found]
    if not records:
        raise DataError(f"{file} is empty: expected a list of records")
    rows = [row if isinstance(row, dict) else {"(value)": row} for row in records]
    bare = sum(not isinstance(row, dict) for row in records)
    if bare:
        notes.add(
            "read.json_values",
            f"{bare:,} entries are no records: kept in the column (value)",
            column="(value)",
            severity="guess",
        )
    names = list(dict.fromkeys(name for row in rows for name in row))
    _small(len(rows), len(names), file)
    columns = {name: [text_of(row.get(name)) for row in rows] for name in names}
    for name in names:
        nested = sum(isinstance(row.get(name), dict | list) for row in rows)
        if nested:
            notes.add(
                "read.nested",
                f"{nested:,} cells hold lists or records: kept as JSON text",
                column=name,
                severity="guess",
            )
    return columns, len(rows)


def _small(rows: int, columns: int, file: str) -> None:
    bounded(rows, columns, file)
    if rows * columns > MAX_JSON_CELLS:
        raise DataError(
            f"{file} has {rows:,} records with {columns:,} fields, more than {MAX_JSON_CELLS:,} cells: save it as CSV or Parquet"
        )
