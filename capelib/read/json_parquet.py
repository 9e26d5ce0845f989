"""JSON, Parquet and DataFrames: tables whose columns have names, turned into cells of text."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from capelib.errors import DataError
from capelib.read.cell_text import text_of
from capelib.read.header import finish, tabulate
from capelib.read.sheet import MAX_CELL, Grid, Notes, Sheet, bounded, text_frame, text_rows

MAX_JSON = 256 << 20  # bytes: as objects they take ten times that
MAX_JSON_CELLS = 20_000_000  # 8 bytes each even where a record lacks the field
# bytes of text of a Parquet table, where a value that is stored once may stand in many rows
MAX_TEXT = 4 << 30
DEPTH = 4  # levels at which a list of records is looked for


def read_frame(frame: pd.DataFrame, file: str = "DataFrame") -> Sheet:
    """Which texts does a DataFrame hold? Rows are numbered from 1; a named index is a column."""
    notes = Notes()
    columns = [frame.iloc[:, number] for number in range(frame.shape[1])]
    names = list(frame.columns)
    if any(name is not None for name in frame.index.names):
        made = f"the index became the column(s) {', '.join(map(str, frame.index.names))}"
        notes.add("read.index", made)
        for level in reversed(range(frame.index.nlevels)):
            columns.insert(0, frame.index.get_level_values(level).to_series())
            name = frame.index.names[level]
            names.insert(0, f"index {level + 1}" if name is None else name)
    bounded(len(frame), len(names), file)
    texts = {number: _texts(column) for number, column in enumerate(columns)}
    cells = text_frame(texts, pd.RangeIndex(1, len(frame) + 1))
    return _named(cells, names, file, notes)


def _named(cells: pd.DataFrame, names: list[Any], file: str, notes: Notes) -> Sheet:
    if not names:
        raise DataError(f"{file} is empty: expected named columns and at least one row")
    return finish(Grid(file, "", cells, notes=notes), cells, [_name(name) for name in names], ())


def _name(name: Any) -> str:
    """The name of a column as text; of several levels "upper / lower"."""
    levels = name if isinstance(name, tuple) else (name,)
    texts = [" ".join((text_of(level) or "").split()) for level in levels]
    joined = " / ".join(text for text in texts if text)
    return joined.encode("utf-8", "replace").decode()


def _texts(column: pd.Series) -> Any:
    """A column of any type as texts."""
    import pyarrow as pa

    try:
        array = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        array = None
    if array is None or isinstance(array.type, pa.ExtensionType):
        return [None if value is pd.NaT or value is pd.NA else text_of(value) for value in column]
    return arrow_texts(array)


def arrow_texts(array: Any) -> Any:
    """Which texts does an arrow array of any type hold?

    Each distinct value is turned into text once.

    Raises
    ------
    DataError
        Where a single value, or all of them together, are too long.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.large_string()
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    done: list[Any] = []
    for chunk in chunks:
        try:
            coded = chunk if pa.types.is_dictionary(chunk.type) else chunk.dictionary_encode()
        except pa.ArrowNotImplementedError:  # lists and structures
            done.append(pa.array([text_of(value) for value in chunk.to_pylist()], text))
            continue
        values = [text_of(value) for value in coded.dictionary.to_pylist()]
        longest = max((len(value) for value in values if value), default=0)
        if longest > MAX_CELL:
            raise DataError(f"a cell of {longest:,} characters, more than {MAX_CELL:,}")
        whole = [value and value.encode("utf-8", "replace").decode() for value in values]
        distinct = pa.array(whole, text)
        total = pc.sum(pc.take(pc.binary_length(distinct), coded.indices)).as_py() or 0
        if total > MAX_TEXT:
            raise DataError(f"{total:,} bytes of text in one column, more than {MAX_TEXT:,}")
        done.append(distinct.take(coded.indices))
    return pa.chunked_array(done, text)


def read_parquet(path: Path, file: str) -> Sheet:
    """Which texts does a Parquet file hold? Rows are numbered from 1.

    Raises
    ------
    DataError
        Where the file is broken or too large; `file` is its name in the message.
    """
    import pyarrow as pa

    try:
        names, columns, rows = _parquet_columns(path, file)
    except DataError as error:
        if file in str(error):
            raise
        raise DataError(f"{file}: {error}; keep only the columns and rows you need") from None
    except (pa.ArrowException, OSError, ValueError, MemoryError, KeyError, OverflowError) as error:
        why = " ".join(str(error).split())[:100]
        raise DataError(f"{file} is a broken Parquet file ({why}): export it again") from None
    cells = text_frame(dict(enumerate(columns)), pd.RangeIndex(1, rows + 1))
    return _named(cells, names, file, Notes())


def _parquet_columns(path: Path, file: str) -> tuple[list[str], list[Any], int]:
    """Names and texts of the columns, and the number of rows; read in batches."""
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(path, memory_map=True) as table:
        schema = table.schema_arrow
        bounded(table.metadata.num_rows, len(schema.names), file)
    repeating = [  # kept as a dictionary: a value that is stored once is turned into text once
        name
        for name, kind in zip(schema.names, schema.types, strict=True)
        if pa.types.is_string(kind) or pa.types.is_binary(kind)
    ]
    columns: list[list[Any]] = [[] for _ in schema.names]
    rows = size = 0
    with parquet.ParquetFile(path, memory_map=True, read_dictionary=repeating) as table:
        for batch in table.iter_batches(batch_size=100_000, use_threads=False):
            rows += len(batch)
            bounded(rows, len(schema.names), file)
            for chunks, column in zip(columns, batch.columns, strict=True):
                texts = arrow_texts(column)
                size += texts.nbytes
                chunks.extend(texts.chunks)
            if size > MAX_TEXT:
                raise DataError(f"more than {MAX_TEXT:,} bytes of text")
    text = pa.large_string()
    return schema.names, [pa.chunked_array(chunks, text) for chunks in columns], rows


def read_json(text: str, file: str, notes: Notes, header: int = 0) -> Sheet:
    """Which table stands in JSON?

    Parameters
    ----------
    text
        A list of records (also one a line, or inside an object), columns with their values, or
        rows of cells.
    file
        Its name in messages.
    notes
        Takes what reading decides.
    header
        For rows of cells, the number of the one that names the columns; 0 to find it.

    Raises
    ------
    DataError
        Where it is no JSON, holds no table, or is too large.
    """
    if len(text) > MAX_JSON:
        raise DataError(
            f"{file} holds more than {MAX_JSON >> 20} MiB of JSON: save it as CSV or Parquet"
        )
    try:
        return _json_sheet(_parsed(text, file, notes), file, notes, header)
    except RecursionError:
        raise DataError(
            f"{file} is nested too deeply for a table: expected a list of records"
        ) from None
    except MemoryError:
        raise DataError(
            f"{file} needs more memory than there is: save it as CSV or Parquet"
        ) from None


def _json_sheet(document: Any, file: str, notes: Notes, header: int) -> Sheet:
    content, path = _table_in(_without_places(document, notes))
    if path:
        made = f"the table was taken from {' / '.join(path)}"
        notes.add("read.json_table", made, certainty=0.95)
    if isinstance(content, list) and content and all(isinstance(row, list) for row in content):
        width = max(len(row) for row in content)
        _require_small(len(content), width, file)
        rows = [[text_of(cell) for cell in row] + [None] * (width - len(row)) for row in content]
        cells = text_rows(rows, pd.RangeIndex(1, len(rows) + 1))
        return tabulate(Grid(file, "", cells, notes=notes), header)
    columns, length = _columns(content, file, notes)
    cells = text_frame(dict(enumerate(columns.values())), pd.RangeIndex(1, length + 1))
    return _named(cells, list(columns), file, notes)


def _without_places(document: Any, notes: Notes) -> Any:
    """Of GeoJSON the properties of its features: where each lies on the map is left out."""
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        return document
    features = document.get("features")
    if not isinstance(features, list) or not _all_records(features):
        return document
    made = "GeoJSON: the properties of its features are read, their places on the map are not"
    notes.add("read.geojson", made)
    properties = [feature.get("properties") for feature in features]
    return [record if isinstance(record, dict) else {} for record in properties]


def _parsed(text: str, file: str, notes: Notes) -> Any:
    """The document, numbers as text; a name that a record gives twice is kept as "name (2)"."""
    repeats: dict[str, int] = {}

    def record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # half letters ("\\ud800") are no text
        pairs = [(name.encode("utf-8", "replace").decode(), value) for name, value in pairs]
        fields = dict(pairs)
        if len(fields) == len(pairs):
            return fields
        fields = {}
        for name, value in pairs:
            new, number = name, 2
            while new in fields:
                new, number = f"{name} ({number})", number + 1
            if new != name:
                repeats[name] = repeats.get(name, 0) + 1
            fields[new] = value
        return fields

    decoder = json.JSONDecoder(
        parse_float=_number, parse_int=str, parse_constant=lambda _: None, object_pairs_hook=record
    )
    try:
        document = decoder.decode(text.strip())
    except ValueError as error:
        try:
            if "Extra data" not in str(error):
                raise
            lines = [line.strip() for line in text.splitlines()]
            document = [decoder.decode(line) for line in lines if line]
            notes.add("read.json_lines", "one record a line")
        except ValueError:
            why = " ".join(str(error).split())[:100]
            raise DataError(f"{file} is not JSON: {why}; export it again") from None
    for name, times in list(repeats.items())[:100]:
        made = f"{times:,} records give it more than once: kept as {name} (2)"
        notes.add("read.twice", made, column=name, severity="guess")
    return document


def _number(text: str) -> str | None:
    """A number as it is written, 2015.0 as 2015."""
    return text_of(float(text)) if len(text) <= 15 else text


def _table_in(document: Any, depth: int = DEPTH) -> tuple[Any, list[str]]:
    """The part of a document that is its table, and the names that lead to it.

    The longest list inside objects that hold no other columns.
    """
    if not isinstance(document, dict) or _is_columns(document):
        return document, []
    names, rows = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(rows, list):  # as pandas writes orient="split"
        return [[str(name) for name in names], *rows], []
    lists = {
        key: value
        for key, value in document.items()
        if isinstance(value, list) and value and isinstance(value[0], dict | list)
    }
    if lists:
        key = max(lists, key=lambda name: len(lists[name]))
        return lists[key], [key]
    for key, value in document.items():
        if depth and isinstance(value, dict):
            inner, path = _table_in(value, depth - 1)
            if path:
                return inner, [key, *path]
    return document, []


def _is_columns(record: dict[str, Any]) -> bool:
    """Is it columns with their values?

    Each a list of the same length, or numbered as pandas writes it.
    """
    values = list(record.values())
    if not values:
        return False
    if all(isinstance(value, list) for value in values):
        nested = any(isinstance(cell, dict | list) for value in values for cell in value[:3])
        return not nested and len({len(value) for value in values}) == 1
    return all(
        isinstance(value, dict) and value and all(key.isdigit() for key in value)
        for value in values
    )


def _columns(content: Any, file: str, notes: Notes) -> tuple[dict[str, list[str | None]], int]:
    """Columns of texts by name, and their length."""
    if isinstance(content, dict) and _is_columns(content):
        return _given_columns(content, file)
    if isinstance(content, dict) and content and _all_records(content.values()):
        made = "the keys of the records became the column (key)"
        notes.add("read.json_keys", made, column="(key)")
        content = [{"(key)": key, **record} for key, record in content.items()]
    entries = content if isinstance(content, list) else [content]
    if not entries:
        raise DataError(f"{file} is empty: expected a list of records")
    if not _all_records(entries):
        bare = sum(not isinstance(entry, dict) for entry in entries)
        made = f"{bare:,} entries are no records: kept in the column (value)"
        notes.add("read.json_values", made, column="(value)", severity="guess")
    records = [entry if isinstance(entry, dict) else {"(value)": entry} for entry in entries]
    names = dict.fromkeys(name for record in records for name in record)
    _require_small(len(records), len(names), file)
    columns = {name: [text_of(record.get(name)) for record in records] for name in names}
    for name in names:
        nested = sum(isinstance(record.get(name), dict | list) for record in records)
        if nested:
            made = f"{nested:,} cells hold lists or records: kept as JSON text"
            notes.add("read.nested", made, column=name, severity="guess")
    return columns, len(records)


def _all_records(values: Iterable[Any]) -> bool:
    return all(isinstance(value, dict) for value in values)


def _given_columns(content: dict[str, Any], file: str) -> tuple[dict[str, list[str | None]], int]:
    """Columns that a document gives as such, see `_is_columns`."""
    first = next(iter(content.values()))
    if isinstance(first, list):
        columns = {name: [text_of(cell) for cell in cells] for name, cells in content.items()}
        return columns, len(first)
    keys = dict.fromkeys(key for cells in content.values() for key in cells)
    _require_small(len(keys), len(content), file)
    columns = {name: [text_of(cells.get(key)) for key in keys] for name, cells in content.items()}
    return columns, len(keys)


def _require_small(rows: int, columns: int, file: str) -> None:
    bounded(rows, columns, file)
    if rows * columns > MAX_JSON_CELLS:
        raise DataError(
            f"{file} has {rows:,} records with {columns:,} fields, more than "
            f"{MAX_JSON_CELLS:,} cells: save it as CSV or Parquet"
        )
