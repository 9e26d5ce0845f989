"""Several tables in one sheet, one below or beside the other: each with its own header."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from capelib.clean.layouts import Layout, layout, layouts, written_headers
from capelib.clean.matching import layout_of, match
from capelib.errors import DataError
from capelib.read.sheet import EXTRA, Notes, Sheet, where
from capelib.vocabulary.text import bare

AGAIN = "read.header_again"
ANOTHER = "read.another_table"
LEAST = 3  # headers that a row must name to be a header, or all of its cells
SHARE = 0.6  # of its filled cells
MOST_TABLES = 200  # below each other in one sheet
_PROBLEM = {"severity": "problem", "certainty": 0.5}


def tables_of(sheet: Sheet, chosen: str = "") -> list[Sheet]:
    """Which tables stand in a sheet?

    Parameters
    ----------
    sheet
        As it was read: all rows under the first header.
    chosen
        The layout that the user named, "" to find it by the first header.

    Returns
    -------
    list of Sheet
        The sheet alone, mostly. Else the rows below a second header under the names that it gives,
        and the columns of a table beside the first as a table of its own. A part that no layout
        understands is noted as a problem: its rows are set aside and not shown.
    """
    headers = [str(name) for name in sheet.frame.columns]
    name = layout_of(headers, chosen)
    if not name:
        return [sheet]
    used = layout(chosen or name)
    parts = []
    for beside in _beside(sheet, used):
        parts.extend(_below(beside, used))
    return parts


def _understood(headers: list[str], used: Layout) -> bool:
    return not match(headers, used).missing


# ---------------------------------------------------------------- beside each other


def _beside(sheet: Sheet, used: Layout) -> list[Sheet]:
    """The sheet, and the columns whose names repeat the others as tables of their own."""
    parts: list[Sheet] = []
    taken: set[str] = set()
    for columns, plain in [*_repeated(sheet), *_competing(sheet, used)]:
        if taken & set(columns) or not _understood(plain, used):
            continue
        taken.update(columns)
        frame = sheet.frame[columns].set_axis(plain, axis=1)
        frame = frame[frame.notna().any(axis=1)]
        made = (
            "a second table beside the first: its rows are set aside; "
            "put it below the first one, or into a sheet of its own"
        )
        about = f"{sheet.sheet} (second table)".strip()
        part = replace(sheet, sheet=about, frame=frame, notes=sheet.notes.iloc[:0])
        parts.append(_with_problem(part, frame.index, ANOTHER, made))
    if not parts:
        return [sheet]
    notes = sheet.notes[~sheet.notes["column"].isin(taken)]
    return [replace(sheet, frame=sheet.frame.drop(columns=list(taken)), notes=notes), *parts]


def _repeated(sheet: Sheet) -> list[tuple[list[str], list[str]]]:
    """Columns whose names stand in the header before, with these names: a list for each time."""
    twice = sheet.notes[sheet.notes["rule"] == "read.twice"]
    given = dict(zip(twice["column"], twice["value"], strict=True))
    if len(given) < 2:
        return []
    groups: dict[int, list[str]] = {}
    times = dict.fromkeys(given.values(), 0)
    for name in map(str, sheet.frame.columns):
        if name in given:
            times[given[name]] += 1
            groups.setdefault(times[given[name]], []).append(name)
    return [(columns, [str(given[name]) for name in columns]) for columns in groups.values()]


def _competing(sheet: Sheet, used: Layout) -> list[tuple[list[str], list[str]]]:
    """Neighbouring columns that stand for the same as others, with all that a table needs."""
    names = [str(name) for name in sheet.frame.columns]
    by_header = match(names, used)
    places = [place for place, name in enumerate(names) if name in by_header.others]
    if len(places) < 2:
        return []
    columns = names[places[0] : places[-1] + 1]
    apart = not any(name in by_header.certainty for name in columns)
    apart &= len(match(columns, used).every_column) >= LEAST
    return [(columns, columns)] if apart else []


# ---------------------------------------------------------------- below each other


def _below(sheet: Sheet, used: Layout) -> list[Sheet]:
    """The rows down to a header of another order, and those below it under its names.

    A header stands as the last row of the part above it, and is set aside with that.
    """
    places = _header_places(sheet, used)
    if not len(places):
        return [sheet]
    frame, old = sheet.frame, [str(name) for name in sheet.frame.columns]
    parts: list[_Part] = []
    part = _Part(old, 0, 0)
    for place in places.tolist():
        names = _names(frame.iloc[place], old)
        part.again.append(place)
        if list(map(bare, names)) != list(map(bare, part.names)):
            parts.append(replace(part, end=place + 1))
            part = _Part(names, int(frame.index[place]), place + 1)
    parts.append(replace(part, end=len(frame)))
    if len(parts) > MOST_TABLES:
        raise DataError(
            f"{where(sheet.file, sheet.sheet)} names its columns anew more than {MOST_TABLES} "
            "times, each time otherwise: make one table of it"
        )
    return [_sheet_of(part, sheet, used) for part in parts if part.end > part.start]


@dataclass(frozen=True)
class _Part:
    """Rows under one header, which stands in row `header`; 0 for the header of the sheet.

    start, end: the places of the first row, and behind the last. again: places of headers in it.
    """

    names: list[str]
    header: int
    start: int
    end: int = 0
    again: list[int] = field(default_factory=list)


def _sheet_of(part: _Part, sheet: Sheet, used: Layout) -> Sheet:
    rows = sheet.frame.index
    made = _rows_under(sheet, sheet.frame.iloc[part.start : part.end], part.names)
    made = _with_problem(made, rows[part.again], AGAIN, "the names of columns again")
    if not part.header:
        return made
    if _understood(part.names, used):
        return _noted_below(replace(made, header_rows=(part.header,)), part.header)
    others = [place for place in range(part.start, part.end) if place not in set(part.again)]
    why = (
        f"below a second header in row {part.header} that no layout understands: "
        "not read; make it a table of its own"
    )
    return _with_problem(made, rows[others], ANOTHER, why)


def _noted_below(part: Sheet, row: int) -> Sheet:
    made = f"column names taken from row {row}: the rows below it are read by these"
    notes = Notes()
    notes.add("read.header_below", made, severity="guess", certainty=0.8)
    return notes.before(part)


def _rows_under(sheet: Sheet, frame: pd.DataFrame, names: list[str]) -> Sheet:
    """Some rows of a sheet under these names, with the notes on them.

    The notes on the whole sheet stay with its first part.
    """
    called = dict(zip(map(str, sheet.frame.columns), names, strict=True))
    notes = sheet.notes
    inside = notes["row"].isin(frame.index)
    if frame.index[0] == sheet.frame.index[0]:
        inside |= notes["row"].isna() | ~notes["row"].isin(sheet.frame.index)
    notes = notes[inside].reset_index(drop=True)
    notes = notes.assign(column=notes["column"].map(lambda name: called.get(name, name)))
    return replace(sheet, frame=frame.set_axis(names, axis=1), notes=notes)


def _names(header: pd.Series, old: list[str]) -> list[str]:
    """The names that a header gives its columns, each once."""
    names: dict[str, None] = {}
    for number, (cell, before) in enumerate(zip(header, old, strict=True), 1):
        name = " ".join(str(cell).split()) if isinstance(cell, str) else f"column {number}"
        if before == EXTRA:
            name = EXTRA
        again, unique = 1, name
        while unique in names:
            again += 1
            unique = f"{name} ({again})"
        names[unique] = None
    return list(names)


def _header_places(sheet: Sheet, used: Layout) -> np.ndarray:
    """The places of rows that name columns, but otherwise than the header of the sheet does.

    A row that repeats the header as it is, is known by that and set aside later.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    frame = sheet.frame
    if len(frame.columns) < 2 or not len(frame):
        return np.array([], dtype=int)
    names = [str(name) for name in frame.columns]
    words = {*names, *(name.rpartition(" / ")[2] for name in names)}
    options = list({each.name: each for each in (used, *layouts().values())}.values())
    for option in options:
        words |= written_headers(option)
    variants = {form for word in words for form in (word, word.title(), word.capitalize())}
    variants |= {word.upper() for word in variants} | {word.lower() for word in variants}
    known_words = pa.array(sorted(variants), pa.large_string())
    filled = np.zeros(len(frame), dtype="int16")
    known = np.zeros(len(frame), dtype="int16")
    repeats = np.ones(len(frame), dtype=bool)
    for place, name in enumerate(names):
        cells = pa.array(frame.iloc[:, place].array, pa.large_string())
        filled += pc.is_valid(cells).to_numpy(zero_copy_only=False)
        is_known = pc.is_in(cells, known_words).to_numpy(zero_copy_only=False)
        known += is_known
        if is_known.any():
            ends = pa.array([name, name.rpartition(" / ")[2]], pa.large_string())
            as_before = pc.or_(pc.is_null(cells), pc.is_in(cells, ends))
            repeats &= as_before.to_numpy(zero_copy_only=False)
    width = max(2, len(names) // 2)
    likely = (known >= 2) & ((known == filled) | (known >= LEAST))
    likely &= (known >= SHARE * filled) & (filled >= width) & ~repeats
    places = np.flatnonzero(likely)
    judged: dict[tuple[str, ...], bool] = {}
    headers = []
    for place in places:
        cells = frame.iloc[place]
        row = tuple(dict.fromkeys(cell for cell in cells if isinstance(cell, str)))
        if row not in judged:
            judged[row] = _names_columns(row, options)
        headers.append(judged[row])
    return places[np.array(headers, dtype=bool)]


def _names_columns(headers: tuple[str, ...], options: list[Layout]) -> bool:
    """Does a row name at least two of our columns, and origin among them?"""
    for option in options:
        named = {column for _, column in match(list(headers), option).every_column}
        if len(named) > 1 and "origin" in named:
            return True
    return False


def _with_problem(sheet: Sheet, rows: pd.Index, rule: str, made: str) -> Sheet:
    """The sheet with the same problem noted of some rows: they are set aside, and not shown."""
    lines = pd.DataFrame({"row": rows, "column": "", "value": None, "made": made, "rule": rule})
    lines = lines.assign(**_PROBLEM).astype(sheet.notes.dtypes.to_dict())
    return replace(sheet, notes=pd.concat([sheet.notes, lines], ignore_index=True))
