"""A table of one's own made into the codebook's: every cell by its own rule, every row clean or set aside, every change told."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from capelib.clean import ids
from capelib.clean.changes import GUESS, HIDDEN, INFO, WITHDRAWN, Changes
from capelib.clean.distinct import Column, once
from capelib.clean.duplicates import look, refuse_repeats
from capelib.clean.headers import Gathered, gathered
from capelib.clean.layouts import find
from capelib.clean.rows import Rows
from capelib.clean.several import Lines, split
from capelib.clean.values import readers, tidied
from capelib.read.header import Sheet, where
from capelib.vocabulary.codebook import columns
from capelib.vocabulary.tables import withdrawn_keys

NOT_SHOWN = (
    "url",
    "outcome",
    "kind",
)  # texts, which may name a person: not among the cells of rows set aside


@dataclass
class Clean:
    """What became of a table.

    incidents, exiles, sources: as text, in the codebook's columns. rows: for each incident (by its place) the file, sheet and row
    that it comes from; incidents of one row are linked by it. names: names of persons by exile_id, only where they were asked for.
    """

    incidents: pd.DataFrame
    exiles: pd.DataFrame
    sources: pd.DataFrame
    rows: pd.DataFrame
    set_aside: pd.DataFrame
    changes: Changes
    layouts: tuple[str, ...]
    names: pd.Series = field(repr=False)


def clean(sheets: list[Sheet], layout: str = "", keep_names: bool = False) -> Clean:
    """What are the incidents of a table, by the rules of the codebook, and what was done to each of its cells?

    sheets: as `capelib.read.files.read` gives them. layout: a shipped one by name, or a file; "" finds it by the columns.
    keep_names: keep the names of persons in memory. Every row read becomes one incident, or several linked ones, or is set aside
    (or, with a withdrawn key, is removed). Raises DataError where no layout fits, or a correction does not find what it corrects.
    """
    matches = [
        find([str(name) for name in sheet.frame.columns], where(sheet.file, sheet.sheet), layout)
        for sheet in sheets
    ]
    rows = Rows(sheets, Changes())
    found = gathered(sheets, matches, rows)
    reading = readers(
        matches[0].layout
    )  # sheets that are read together have the same columns, and so the same layout
    withdrawn = pd.Series(sorted(withdrawn_keys()), dtype="str")
    found = _without_withdrawn(found, rows, withdrawn)
    whole = found.lines
    lines = split(whole, rows, reading)
    tidy, days = tidied(lines.cells, lines.of, rows, reading)
    refuse_repeats(found.frames, whole, found.persons, rows)
    kept = np.flatnonzero(~rows.bad[lines.of])
    _account(rows, lines.of[kept])
    tidy, days = (
        {name: column.take(kept) for name, column in tidy.items()},
        days.iloc[kept].reset_index(drop=True),
    )
    exiles = ids.exiles(lines, kept, found.persons, tidy["origin"], rows, withdrawn)
    incidents, sources = _incidents(lines, kept, tidy, exiles, rows, withdrawn)
    look(
        lines,
        kept,
        tidy,
        days,
        exiles,
        rows,
        bool(found.persons.filled.any()) or "exile_id" in lines.cells,
    )
    people = _people(exiles, tidy, rows, lines.of[kept])
    names = _names(found.persons, lines, kept, exiles) if keep_names else pd.Series(dtype="str")
    return Clean(
        *(
            incidents,
            people,
            sources,
            rows.where(lines.of[kept]),
            _set_aside(whole, rows),
            rows.changes,
        ),
        *(tuple(dict.fromkeys(match.layout.name for match in matches)), names),
    )


def _without_withdrawn(found: Gathered, rows: Rows, withdrawn: pd.Series) -> Gathered:
    """Takes rows with a withdrawn key out before anything is read or told of them."""
    if withdrawn.empty:
        return found
    gone = np.zeros(len(found.lines.of), dtype=bool)
    for name in ("exile_id", "incident_id", "source_id"):
        if name in found.lines.cells:
            column = found.lines.cells[name]
            gone |= column.flags(column.words.isin(withdrawn).to_numpy())
    rows.withdrawn[found.lines.of[gone]] = True
    places = np.flatnonzero(rows.withdrawn)
    rows.say("", places, "withdrawn on request", "removed", WITHDRAWN, "see data/withdrawn.csv")
    left = np.flatnonzero(~rows.withdrawn[found.lines.of])
    return Gathered(found.lines.take(left), found.persons.without(rows.withdrawn), found.frames)


def _account(rows: Rows, kept: np.ndarray) -> None:
    """Every row read is clean, set aside or withdrawn, and none is two of these."""
    clean_rows = np.zeros(rows.total, dtype=int)
    clean_rows[kept] = 1
    if (clean_rows + rows.bad + (rows.withdrawn & ~rows.bad) != 1).any():
        said = f"{rows.total} rows read, {clean_rows.sum()} clean, {rows.bad.sum()} set aside, {rows.withdrawn.sum()} withdrawn"
        raise AssertionError(f"{said}: please report this file's shape")


def _incidents(
    lines: Lines,
    kept: np.ndarray,
    tidy: dict[str, Column],
    exiles: ids.Exiles,
    rows: Rows,
    withdrawn: pd.Series,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    source, sources = ids.sources(lines, kept, tidy.get("kind"), rows, withdrawn)
    made = {name: column.cells() for name, column in tidy.items()}
    made |= {"incident_id": ids.incident_keys(lines, kept, withdrawn), "source_id": source}
    made["exile_id"] = pd.Series(pd.array(exiles.keys, dtype="str").take(exiles.of), dtype="str")
    if "outcome" in lines.cells:
        made["outcome"] = lines.cells["outcome"].take(kept).cells()
    if "episode_id" in lines.cells:
        made["episode_id"] = (
            ids.own_keys(lines.cells["episode_id"], "episode_id", 3, withdrawn).take(kept).cells()
        )
    for name in ("incident_id", "episode_id"):
        if name in lines.cells:
            given = lines.cells[name]
            strange = given.flags(~ids.ours(given.words, name))[kept]
            rows.say(
                name,
                once(lines.of[kept[strange]]),
                f"{name.removesuffix('_id')}.key",
                "a key of its own",
                INFO,
            )
    return pd.DataFrame(
        {name: made[name] for name in columns("incidents") if name in made}
    ), sources


def _people(
    exiles: ids.Exiles, tidy: dict[str, Column], rows: Rows, row: np.ndarray
) -> pd.DataFrame:
    """The exiles: the origin of the first line, the first category that is known, and whether any line says that it is a group."""
    people = pd.DataFrame(
        {
            "exile_id": exiles.keys,
            "origin": tidy["origin"].take(exiles.first).cells(),
            "category": "unknown",
        }
    )
    if "category" in tidy:
        category = tidy["category"]
        known = np.flatnonzero(category.flags((category.words != "unknown").to_numpy(dtype=bool)))
        of, first = np.unique(exiles.of[known], return_index=True)
        people.loc[of, "category"] = category.take(known[first]).cells().to_numpy(dtype=object)
        counts = np.full(len(people), -1)
        counts[of] = category.places[known[first]]
        other = known[category.places[known] != counts[exiles.of[known]]]
        remedy = "give one category to each exile"
        rows.say(
            "category",
            once(row[other]),
            "category.other",
            "the category of the exile's first row is used",
            GUESS,
            remedy,
            0.5,
        )
    if "is_group" in tidy:
        said = np.unique(exiles.of[tidy["is_group"].filled])
        people["is_group"] = pd.Series("yes", index=said, dtype="str").reindex(people.index)
    return people


def _set_aside(lines: Lines, rows: Rows) -> pd.DataFrame:
    """The rows that could not be used, as they stood, without what may hold a name, and why."""
    places = np.flatnonzero(rows.bad & ~rows.withdrawn)
    first = np.full(rows.total, len(lines.of))
    first[lines.of[::-1]] = np.arange(len(lines.of))[::-1]
    at = first[places]
    frame = rows.where(places).astype({"file": "str", "sheet": "str"}).assign(why=rows.why(places))
    for name, column in lines.cells.items():
        if name not in NOT_SHOWN:
            words = (
                column.words.where(ids.ours(column.words, name), HIDDEN)
                if name in ids.KEYS
                else column.words
            )
            frame[name] = Column.at(np.append(column.places, -1)[at], words).cells()
    return frame


def _names(persons: Column, lines: Lines, kept: np.ndarray, exiles: ids.Exiles) -> pd.Series:
    """The name, or the text that stood for a key, of each exile."""
    names = persons.take(lines.of[kept]).take(exiles.first).cells()
    if "exile_id" in lines.cells:
        given = lines.cells["exile_id"]
        other = (
            given.made(given.words.mask(ids.ours(given.words, "exile_id")))
            .take(kept[exiles.first])
            .cells()
        )
        names = names.fillna(other)
    return names.set_axis(exiles.keys).dropna()
