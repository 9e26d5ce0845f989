"""What each cell means: each column by its own rule, the words of the layout first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS, INFO, LOOK, SET_ASIDE
from capelib.clean.distinct import DistinctColumn, at_places, once
from capelib.clean.layouts import Layout
from capelib.clean.rows import RowLog
from capelib.meaning.codes import coded
from capelib.meaning.free_text_dates import written_dates
from capelib.meaning.state_codes import codes_of_columns
from capelib.meaning.state_names import states
from capelib.meaning.yes_no import yes
from capelib.vocabulary import edtf
from capelib.vocabulary.text import bare

YES = ("relatives_targeted", "interpol", "doubtful", "is_group")
CODED = ("measure", "category", "attribution", "kind")
# An unreadable cell of these is left blank; one of the other columns sets its row aside.
ELSE_BLANK = (*YES, "attribution", "kind")
AT_ONCE = 100_000  # distinct cells read together: a million different ones would fill the memory
NEEDED = ("origin", "measure")
STATES = ("origin", "host")


@dataclass(frozen=True)
class Reader:
    """How the cells of a column are read.

    Attributes
    ----------
    rule
        Takes cells (and years), gives value, rule, certainty, problem and remedy of each.
    words
        What a layout says of some cells.
    by_year
        Does the meaning depend on the year of the row? States were others once.
    """

    rule: Callable[..., pd.DataFrame]
    words: dict[str, str] = field(default_factory=dict)
    by_year: bool = False

    def read(self, cells: pd.Series, years: pd.Series | None = None) -> pd.DataFrame:
        """value, rule, certainty, problem and remedy of each cell. years: missing where unknown."""
        if len(cells) > AT_ONCE and self.rule is not written_dates:
            # (the order of day and month shows only in the whole column of dates)
            parts = [slice(start, start + AT_ONCE) for start in range(0, len(cells), AT_ONCE)]
            meanings = [
                self.read(cells.iloc[part], None if years is None else years.iloc[part])
                for part in parts
            ]
            return pd.concat(meanings, ignore_index=True)
        if not self.words:
            return self._by_rule(cells, years)
        by_layout = cells.map(lambda cell: self.words.get(bare(cell)))
        meanings = self._by_rule(by_layout.fillna(cells).astype("str"), years)
        explained = by_layout.notna().to_numpy() & meanings["problem"].isna().to_numpy()
        meanings.loc[explained, ["rule", "certainty"]] = ["layout.value", 1.0]
        return meanings

    def _by_rule(self, cells: pd.Series, years: pd.Series | None) -> pd.DataFrame:
        meanings = self.rule(cells) if years is None else self.rule(cells, years)
        return meanings.reset_index(drop=True)

    def read_column(
        self, cells: DistinctColumn, years: np.ndarray
    ) -> tuple[np.ndarray, pd.DataFrame]:
        """Each distinct cell read once, or once for each year of its rows where the year matters.

        years: of each line, 0 where it is not known. Returns for each line the place of its
        meaning, -1 where it is blank, and the meanings: those of `read`, and `cell`.
        """
        if not self.by_year:
            return cells.places, self.read(cells.words).assign(cell=cells.words.to_numpy())
        pairs = pd.DataFrame({"place": cells.places, "year": years})[cells.filled]
        places = np.full(len(cells.places), -1, dtype="int32")
        places[cells.filled] = pairs.groupby(["place", "year"], sort=False).ngroup().to_numpy()
        pairs = pairs.drop_duplicates(ignore_index=True)
        words = cells.words.iloc[pairs["place"]].reset_index(drop=True)
        year = pairs["year"].astype("Int64").where(pairs["year"] > 0)
        return places, self.read(words, year).assign(cell=words)


def readers(layout: Layout) -> dict[str, Reader]:
    """The reader of each of our columns that is not just a key or a text.

    Dates come first: a state that was another one once is known by the year.
    """
    rules = {"date": written_dates, "origin": states, "host": states} | dict.fromkeys(YES, yes)
    rules |= {column: partial(coded, column=column) for column in CODED}
    return {
        column: Reader(rule, layout.words.get(column, {}), rule is states)
        for column, rule in rules.items()
    }


def tidied(
    cells: dict[str, DistinctColumn],
    row: np.ndarray,
    rows: RowLog,
    readers: dict[str, Reader],
    needed: Sequence[str] = NEEDED,
) -> tuple[dict[str, DistinctColumn], pd.DataFrame]:
    """Each column in the codebook's words, and each line's date_start and date_end.

    row: the row of each line. needed: columns that may not be blank. A row with a cell that cannot
    be read, or without a needed one, is set aside.
    """
    tidy: dict[str, DistinctColumn] = {}
    unreadable: dict[str, np.ndarray] = {}
    days, years = _days(DistinctColumn.blank(len(row)))
    readers = _by_system_of_codes(readers, cells, rows)
    for column, reader in readers.items():
        if column not in cells:
            continue
        places, meanings = reader.read_column(cells[column], years)
        problem = meanings["problem"].notna().to_numpy()
        tidy[column] = DistinctColumn.from_words(places, meanings["value"].mask(problem))
        unreadable[column] = at_places(problem, places, False)
        _log(column, places, row, rows, meanings)
        if column not in ELSE_BLANK:
            _set_aside(column, places, row, rows, meanings["problem"])
        if column == "date":
            days, years = _days(tidy["date"])
            next_year = np.datetime64(f"{date.today().year + 1}-01-01")
            coming = once(row[(days["date_start"] >= next_year).to_numpy()])
            problem, remedy = "a year that is yet to come", "mend the year"
            rows.refuse(coming[~rows.untrusted[coming]], column, problem, remedy)
    for column in needed:
        blank = once(row[~tidy[column].filled & ~unreadable[column]])
        rows.refuse(blank[~rows.untrusted[blank]], column, "blank", "a value is required")
    return tidy, days


def _by_system_of_codes(
    readers: dict[str, Reader], cells: dict[str, DistinctColumn], rows: RowLog
) -> dict[str, Reader]:
    """The readers of states, with the codes of the system that the columns show together."""
    named = [column for column in STATES if column in cells]
    words = []
    for column in named:
        column_cells = cells[column]
        used = np.unique(column_cells.places[column_cells.filled])
        explained = readers[column].words
        distinct = column_cells.words.iloc[used]
        words.append([cell for cell in distinct if bare(cell) not in explained])
    codes = codes_of_columns(words)
    for message, remedy in codes.messages:
        for file, sheet in rows.sheets:
            also = {"severity": GUESS, "certainty": 0.5, "remedy": remedy}
            rows.changes.add(file, sheet, 0, named[0], "state.system", message, **also)
    rule = partial(states, codes=codes.cells)
    return readers | {column: replace(readers[column], rule=rule) for column in named}


def _days(dates: DistinctColumn) -> tuple[pd.DataFrame, np.ndarray]:
    """The first and last day of each line, and its year, 0 where it is not one year."""
    spans = edtf.bounds(dates.words)
    year = edtf.year(spans["date_start"], spans["date_end"])
    years = at_places(year.fillna(0).to_numpy(dtype="int64"), dates.places, 0)
    days = {}
    for side in ("date_start", "date_end"):
        words = pd.Series([*spans[side], pd.NaT], dtype="datetime64[s]")
        days[side] = words.to_numpy()[dates.places]  # place -1, a blank, is the NaT at the end
    return pd.DataFrame(days), years


def _set_aside(
    column: str, places: np.ndarray, row: np.ndarray, rows: RowLog, problems: pd.Series
) -> None:
    """Sets the rows aside whose cell has a problem."""
    reason_of_place, problem = pd.factorize(problems.array)  # -1 where there is none
    reason = at_places(reason_of_place, places, -1)
    bad = reason >= 0
    rows.set_aside(row[bad], reason[bad], [f"{column}: {text}" for text in problem])


def _log(
    column: str, places: np.ndarray, row: np.ndarray, rows: RowLog, meanings: pd.DataFrame
) -> None:
    """Logs each cell that is a problem, or was not just a word of the codebook."""
    problem = meanings["problem"].notna().to_numpy()
    changed = problem | (meanings["rule"].fillna("") != "").to_numpy()
    lines = np.flatnonzero(at_places(changed, places, False))
    if not len(lines):
        return
    unused, severity = ("left blank", GUESS) if column in ELSE_BLANK else ("set aside", SET_ASIDE)
    sure = np.where(meanings["certainty"] < LOOK, GUESS, INFO)
    logged = pd.DataFrame(
        {
            "value": meanings["cell"],
            "made": np.where(problem, unused, meanings["value"].fillna("left blank")),
            "rule": np.where(problem, meanings["problem"].fillna(""), meanings["rule"]),
            "severity": np.where(problem, severity, sure),
            "certainty": meanings["certainty"],
            "remedy": meanings["remedy"],
        }
    )[changed]
    place_logged = np.cumsum(changed) - 1
    if logged["value"].duplicated().any():  # the same in several years: one line of the log
        group = logged.groupby(list(logged), dropna=False, sort=False).ngroup().to_numpy()
        place_logged = group[place_logged]
        logged = logged.drop_duplicates()
    rows.log_cells(column, row[lines], place_logged[places[lines]], logged)
