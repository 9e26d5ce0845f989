"""A user's table made into the codebook's: every row clean or set aside, every change logged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from capelib.clean import ids
from capelib.clean.changes import GUESS, HIDDEN, INFO, WITHDRAWN, ChangeLog
from capelib.clean.count_tables import refuse_counts
from capelib.clean.distinct import DistinctColumn, at_places, once
from capelib.clean.duplicates import log_doubtful, refuse_repeats
from capelib.clean.headers import Gathered, gathered
from capelib.clean.highest import log_highest
from capelib.clean.matching import Match, find
from capelib.clean.matching import match as matched
from capelib.clean.rows import RowLog
from capelib.clean.several import IncidentRows, split
from capelib.clean.shown import Shown, columns_of_names
from capelib.clean.stacked import ANOTHER, tables_of
from capelib.clean.values import readers, tidied
from capelib.clean.withdrawn import key_columns, with_plain_names, without_withdrawn
from capelib.read.sheet import Sheet, where
from capelib.vocabulary.codebook import columns
from capelib.vocabulary.withdrawal import REMEDY, RULE, names_key, withdrawn_keys

RULES = {"category.other": "not the category of the exile's first row, which is used"}
# Texts, which may name a person: not among the cells of rows set aside.
NOT_SHOWN = ("url", "outcome", "kind", "publisher")


@dataclass(frozen=True)
class CellCount:
    """What became of the filled cells of a table.

    Attributes
    ----------
    filled
        How many there are.
    read
        Those that the incidents rest on.
    not_read
        Those of columns that are dropped, and others that are told as not read.
    set_aside
        Those of rows that are set aside.
    dropped
        The filled cells of each column that is dropped, by its header as it may be shown.
    """

    filled: int
    read: int
    not_read: int
    set_aside: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class TableRead:
    """A table as it was read and understood, without its cells.

    Attributes
    ----------
    file, sheet
        Where it stands, as it may be shown.
    header_rows
        The rows that name its columns.
    rows
        How many rows were read.
    match
        How its headers were understood, each as it may be shown.
    cells
        What became of its filled cells; None for a list beside the incidents.
    """

    file: str
    sheet: str
    header_rows: tuple[int, ...]
    rows: int
    match: Match
    cells: CellCount | None = None


@dataclass(frozen=True)
class Clean:
    """What became of a table.

    Attributes
    ----------
    incidents, exiles, sources
        As text, in the codebook's columns.
    rows
        For each incident (by its place) the file, sheet and row that it comes from; incidents of
        one row are linked by it.
    set_aside
        The rows that could not be used, with file, sheet, row and why, and those of their cells
        that may be shown.
    changes
        All that was made of cells.
    tables
        What was read.
    names
        Names of persons by exile_id, only where they were asked for.
    shown
        What of the table may be shown.
    """

    incidents: pd.DataFrame
    exiles: pd.DataFrame
    sources: pd.DataFrame
    rows: pd.DataFrame
    set_aside: pd.DataFrame
    changes: ChangeLog
    tables: tuple[TableRead, ...]
    names: pd.Series
    shown: Shown


def clean(
    sheets: list[Sheet],
    layout: str = "",
    keep_names: bool = False,
    listed: dict[str, pd.Series] | None = None,
    show_cells: bool = False,
) -> Clean:
    """What are the incidents of a table by the codebook, and what was done to each cell?

    Every row read becomes one incident, or several linked ones, or is set aside; a row with a
    withdrawn key is removed.

    Parameters
    ----------
    sheets
        As `capelib.read.files.read` gives them.
    layout
        A shipped layout by name, or a file; "" finds it by the columns.
    keep_names
        Keep the names of persons in memory.
    listed
        The keys that may occur in exile_id or source_id, where other tables list them.
    show_cells
        Give all cells of the rows set aside, also those that may hold a name.

    Returns
    -------
    Clean

    Raises
    ------
    DataError
        No layout fits, a row stands for several incidents, or a correction does not find what it
        corrects.
    """
    keys = withdrawn_keys()
    sheets = [part for sheet in sheets for part in tables_of(sheet, layout)]
    sheets = [with_plain_names(sheet, keys) for sheet in sheets]
    shown = Shown(columns_of_names(sheets))
    matches = _matches(sheets, layout, shown)
    if texts := _texts_that_name(sheets, matches):
        shown = Shown([*columns_of_names(sheets), *texts])
    withdrawn = pd.Series(sorted(keys), dtype="str")
    log, left = ChangeLog(shown=shown), []
    for sheet, match in zip(sheets, matches, strict=True):
        left.append(without_withdrawn(sheet, key_columns(sheet, match), keys, log))
    rows = RowLog(left, shown, len(log) > 0)
    table = _without_withdrawn(gathered(left, matches, rows), rows, withdrawn)
    for column, keys in (listed or {}).items():
        _refuse_unlisted(table.lines, rows, column, keys)
    # Sheets that are read together have the same layout.
    reading = readers(matches[0].layout)
    lines = split(table.lines, rows, reading)
    tidy, days = tidied(lines.cells, lines.row, rows, reading)
    refuse_repeats(table.frames, table.lines, table.persons, rows)

    kept = np.flatnonzero(~rows.bad[lines.row])
    _account(rows, lines.row[kept])
    cells = _account_for_cells(left, matches, table, rows)
    tidy = {name: column.take(kept) for name, column in tidy.items()}
    days = days.iloc[kept].reset_index(drop=True)
    log_highest(table.frames, matches, rows, lines.row[kept], tidy["measure"])
    exiles = ids.exiles(lines, kept, table.persons, tidy["origin"], rows, withdrawn)
    incidents, sources = _incidents(lines, kept, tidy, exiles, rows, withdrawn)
    persons_known = bool(table.persons.filled.any()) or "exile_id" in lines.cells
    log_doubtful(lines, kept, tidy, days, exiles, rows, persons_known)
    people = _people(exiles, tidy, rows, lines.row[kept])
    names = pd.Series(dtype="str")
    if keep_names:
        names = _names(table.persons, lines, kept, exiles)
    return Clean(
        incidents,
        people,
        sources,
        rows.where(lines.row[kept]),
        set_aside_rows(table.lines, rows, show_cells),
        ChangeLog([log, rows.changes], shown=rows.shown),
        tables_read(sheets, matches, rows.shown, cells),
        names,
        rows.shown,
    )


def _matches(sheets: list[Sheet], layout: str, shown: Shown) -> list[Match]:
    """How the headers of each sheet are understood: by one layout, that of the first sheet.

    Of a table that is set aside as a whole only what is known.
    """
    matches: list[Match] = []
    for sheet in sheets:
        headers, place = [str(name) for name in sheet.frame.columns], where(sheet.file, sheet.sheet)
        if matches and (sheet.notes["rule"] == ANOTHER).any():
            matches.append(matched(headers, matches[0].layout))
            continue
        chosen = layout or (matches[0].layout.name if matches else "")
        assumed = shown.text(_assumed(sheet))
        matches.append(find(headers, shown.text(place), chosen, sheet.frame, assumed))
        refuse_counts(sheet, matches[-1], shown.text(place))
    return matches


def _assumed(sheet: Sheet) -> str:
    """What reading took for granted of a table, for the message that no column is understood."""
    numbers = " and ".join(map(str, sheet.header_rows))
    rows = f"the names in row{'s' * (len(sheet.header_rows) > 1)} {numbers}" if numbers else ""
    others = sheet.notes.loc[sheet.notes["rule"] == "read.other_sheets", "made"]
    sheets = f"its other sheets {others.iloc[0].partition(';')[0]}" if len(others) else ""
    return ", ".join(part for part in (rows, sheet.assumed, sheets) if part)


def _texts_that_name(sheets: list[Sheet], matches: list[Match]) -> list[pd.Series]:
    """Texts that are names, mostly, by their cells and not by their header.

    Those of several words where the key of an exile should be, and those below "who".
    """
    texts = []
    for sheet, match in zip(sheets, matches, strict=True):
        texts += [sheet.frame[header] for header in match.persons]
        for header, column in match.columns.items():
            if column == "exile_id":
                cells = sheet.frame[header].drop_duplicates()
                several = cells.str.contains(r"[^\W\d_]\W+[^\W\d_]").fillna(False).astype(bool)
                if several.any():
                    texts.append(cells[several])
    return texts


def tables_read(
    sheets: list[Sheet],
    matches: list[Match],
    shown: Shown,
    counts: Sequence[CellCount | None] = (),
) -> tuple[TableRead, ...]:
    """The tables without their cells, with the counts of these where they are known."""
    tables = []
    counts = counts or [None] * len(sheets)
    for sheet, match, count in zip(sheets, matches, counts, strict=True):
        names = shown.headers(sheet, list(match.certainty))
        match = replace(
            match,
            columns={names[header]: column for header, column in match.columns.items()},
            events=tuple(
                {names[header]: column for header, column in event.items()}
                for event in match.events
            ),
            certainty={names[header]: sure for header, sure in match.certainty.items()},
            others={
                names[header]: (column, names[used])
                for header, (column, used) in match.others.items()
            },
            highest=names.get(match.highest, ""),
            persons=tuple(names[header] for header in match.persons),
            further={names[header]: column for header, column in match.further.items()},
        )
        file, name = shown.text(sheet.file), shown.text(sheet.sheet)
        tables.append(TableRead(file, name, sheet.header_rows, len(sheet.frame), match, count))
    return tuple(tables)


def _without_withdrawn(table: Gathered, rows: RowLog, withdrawn: pd.Series) -> Gathered:
    """Takes rows out that have a withdrawn key only by what the layout says (corrections)."""
    if withdrawn.empty:
        return table
    lines = table.lines
    gone = np.zeros(len(lines.row), dtype=bool)
    for name in ids.KEYS:
        column = lines.column(name)
        gone |= column.flags(names_key(column.words, withdrawn, True))
    rows.withdrawn[lines.row[gone]] = True
    rows.log("", np.flatnonzero(rows.withdrawn), RULE, "removed", WITHDRAWN, REMEDY)
    left = np.flatnonzero(~rows.withdrawn[lines.row])
    persons = table.persons.without(rows.withdrawn)
    return replace(table, lines=lines.take(left), persons=persons)


def _refuse_unlisted(lines: IncidentRows, rows: RowLog, column: str, keys: pd.Series) -> None:
    """Sets aside rows whose key another table should list and does not."""
    cells = lines.column(column)
    unlisted = ~cells.flags(cells.words.isin(keys).to_numpy())
    places = once(lines.row[unlisted])
    problem = f"points to no usable row of the table with {column}"
    rows.refuse(places[~rows.untrusted[places]], column, problem, "add or mend that row")


def _account(rows: RowLog, kept: np.ndarray) -> None:
    """Every row read is clean, set aside or withdrawn, and none is two of these.

    kept: the clean rows.
    """
    clean_rows = np.zeros(rows.total, dtype=int)
    clean_rows[kept] = 1
    ends = clean_rows + rows.bad + (rows.withdrawn & ~rows.bad)
    if (ends != 1).any():
        raise AssertionError(
            f"{rows.total} rows read, {clean_rows.sum()} clean, {rows.bad.sum()} set aside, "
            f"{rows.withdrawn.sum()} withdrawn: please report this file's shape"
        )


def _account_for_cells(
    sheets: list[Sheet], matches: list[Match], table: Gathered, rows: RowLog
) -> list[CellCount]:
    """Every filled cell is read, told as not read, or set aside with its row: how many are which?

    A column is read or told, and none is both.
    """
    counts = []
    gone = rows.bad | rows.withdrawn
    for number, (sheet, match) in enumerate(zip(sheets, matches, strict=True)):
        places = slice(int(rows.starts[number]), int(rows.starts[number + 1]))
        used, not_read = {*match.certainty, *match.further, match.highest}, table.not_read[number]
        aside = gone[places]
        filled, unread, of_rows_aside = 0, 0, 0
        dropped = {}
        for place, name in enumerate(map(str, sheet.frame.columns), 1):
            cells = sheet.frame[name].notna().to_numpy()
            in_column = int(cells.sum())
            if in_column and (name in used) == (name in not_read):
                shown = rows.shown.header(name, place)
                raise AssertionError(
                    f"column {shown} with {in_column} filled cells is neither read nor told, "
                    "or both: please report the names of this table's columns"
                )
            filled += in_column
            of_rows_aside += int((cells & aside).sum())
            if name in not_read:
                unread += int((cells & ~aside).sum())
                dropped[not_read[name]] = in_column
        unread += int(rows.unread[places][~aside].sum())
        read = filled - unread - of_rows_aside
        if read < 0:
            raise AssertionError(f"{filled} filled cells, {unread} not read: please report this")
        counts.append(CellCount(filled, read, unread, of_rows_aside, dropped))
    return counts


def _incidents(
    lines: IncidentRows,
    kept: np.ndarray,
    tidy: dict[str, DistinctColumn],
    exiles: ids.Exiles,
    rows: RowLog,
    withdrawn: pd.Series,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The incidents, and their sources."""
    made = {name: column.cells() for name, column in tidy.items()}
    made["source_id"], sources = ids.sources(lines, kept, tidy.get("kind"), rows, withdrawn)
    made["incident_id"] = ids.incident_keys(lines, kept, withdrawn)
    keys = pd.array(exiles.keys, dtype="str").take(exiles.number)
    made["exile_id"] = pd.Series(keys, dtype="str")
    if "outcome" in lines.cells:
        outcome = lines.cells["outcome"]
        made["outcome"] = outcome.map(rows.shown.texts(outcome.words)).take(kept).cells()
    if "episode_id" in lines.cells:
        episodes = ids.our_keys(lines.cells["episode_id"], "episode_id", 3, withdrawn)
        made["episode_id"] = episodes.take(kept).cells()
    for name in ("incident_id", "episode_id"):
        given = lines.column(name)
        strange = given.flags(~ids.has_our_form(given.words, name))[kept]
        rule = f"{name.removesuffix('_id')}.key"
        rows.log(name, once(lines.row[kept[strange]]), rule, "a key of its own", INFO)
    frame = pd.DataFrame({name: made[name] for name in columns("incidents") if name in made})
    return frame, sources


def _people(
    exiles: ids.Exiles, tidy: dict[str, DistinctColumn], rows: RowLog, row: np.ndarray
) -> pd.DataFrame:
    """The exiles: origin of the first line, first known category, is_group if any line says it.

    tidy, row: of the kept lines.
    """
    people = pd.DataFrame({"exile_id": exiles.keys})
    people["origin"] = tidy["origin"].take(exiles.first).cells()
    people["category"] = "unknown"
    if "category" in tidy:
        category = tidy["category"]
        known = np.flatnonzero(category.flags((category.words != "unknown").to_numpy(dtype=bool)))
        exile, first = np.unique(exiles.number[known], return_index=True)
        people.loc[exile, "category"] = category.take(known[first]).cells().to_numpy(dtype=object)
        first_place = np.full(len(people), -1)
        first_place[exile] = category.places[known[first]]
        other = known[category.places[known] != first_place[exiles.number[known]]]
        made = "the category of the exile's first row is used"
        remedy = "give one category to each exile"
        rows.log("category", once(row[other]), "category.other", made, GUESS, remedy, 0.5)
    if "is_group" in tidy:
        groups = np.unique(exiles.number[tidy["is_group"].filled])
        people["is_group"] = pd.Series("yes", index=groups, dtype="str").reindex(people.index)
    return people


def set_aside_rows(lines: IncidentRows, rows: RowLog, show_cells: bool) -> pd.DataFrame:
    """The rows that could not be used, why, and those of their cells that may be shown.

    show_cells: all cells of columns that are no free text.
    """
    places = np.flatnonzero(rows.bad & ~rows.withdrawn)
    first = pd.Series(lines.row).drop_duplicates()
    line_of_row = np.full(rows.total, -1)
    line_of_row[first] = first.index
    line = line_of_row[places]
    frame = rows.where(places).astype({"file": "str", "sheet": "str"}).assign(why=rows.why(places))
    for name, column in lines.cells.items():
        if name in NOT_SHOWN:
            continue
        used = DistinctColumn(at_places(column.places, line, -1), column.words)
        frame[name] = used.cells()
        if not show_cells:
            cells = DistinctColumn.from_cells(frame[name])
            words = rows.shown.cells(cells.words)
            if name in ids.KEYS:
                words = words.where(ids.has_our_form(words, name), HIDDEN)
            frame[name] = cells.map(words).cells()
    return frame


def _names(
    persons: DistinctColumn, lines: IncidentRows, kept: np.ndarray, exiles: ids.Exiles
) -> pd.Series:
    """The name, or the text that stood for a key, of each exile."""
    first = kept[exiles.first]
    names = persons.take(lines.row[first]).cells()
    key = lines.column("exile_id")
    text = key.map(key.words.mask(ids.has_our_form(key.words, "exile_id")))
    return names.fillna(text.take(first).cells()).set_axis(exiles.keys).dropna()
