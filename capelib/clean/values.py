"""What each cell means: every column by its own rule, the words of the layout before it, and all that was made of it told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from capelib.clean.changes import ASIDE, GUESS, INFO, LOOK
from capelib.clean.distinct import Column, once
from capelib.clean.layouts import Layout, plain
from capelib.clean.rows import Rows
from capelib.meaning.codes import coded, yes
from capelib.meaning.free_text_dates import written_dates
from capelib.meaning.state_names import states
from capelib.vocabulary import edtf

YES = ("relatives_targeted", "interpol", "doubtful", "is_group")
CODED = ("measure", "category", "attribution", "kind")
ELSE_BLANK = (
    *YES,
    "attribution",
    "kind",
)  # unreadable cells of these are left blank, those of the others set their row aside
AT_ONCE = 100_000  # distinct cells that are read together: a column of a million different ones would otherwise fill the memory
NEEDED = ("origin", "measure")


@dataclass(frozen=True)
class Reader:
    """How the cells of a column are read. words: what a layout says of some of them. by_year: does the year of the row matter?"""

    rule: Callable[..., pd.DataFrame]
    words: dict[str, str] = field(default_factory=dict)
    by_year: bool = False

    def read(self, cells: pd.Series, years: pd.Series | None = None) -> pd.DataFrame:
        """value, rule, certainty, problem and remedy of each cell."""
        if (
            len(cells) > AT_ONCE and self.rule is not written_dates
        ):  # (the order of day and month shows in the whole column)
            parts = [slice(start, start + AT_ONCE) for start in range(0, len(cells), AT_ONCE)]
            found = [
                self.read(cells.iloc[part], None if years is None else years.iloc[part])
                for part in parts
            ]
            return pd.concat(found, ignore_index=True)
        own = cells.map(lambda cell: self.words.get(plain(cell))) if self.words else None
        asked = cells if own is None else own.fillna(cells).astype("str")
        found = (
            self.rule(asked, years) if self.by_year and years is not None else self.rule(asked)
        ).reset_index(drop=True)
        if own is not None:
            found.loc[
                own.notna().to_numpy() & found["problem"].isna().to_numpy(), ["rule", "certainty"]
            ] = ["layout.value", 1.0]
        return found


def readers(layout: Layout) -> dict[str, Reader]:
    """The reader of each of our columns that is not just a key or a text, with the words of the layout."""
    rules = {"date": written_dates, "origin": states, "host": states} | dict.fromkeys(YES, yes)
    rules |= {column: partial(coded, column=column) for column in CODED}
    return {
        column: Reader(rule, layout.words.get(column, {}), rule is states)
        for column, rule in rules.items()
    }


def tidied(
    cells: dict[str, Column], of: np.ndarray, rows: Rows, reading: dict[str, Reader]
) -> tuple[dict[str, Column], pd.DataFrame]:
    """Each column in the codebook's words, and the first and last day of each line. of: the row of each line.

    Dates are read first: a state that was another one is told by the year. Rows with a cell that cannot be read are set aside, and
    those that lack what each incident needs.
    """
    tidy: dict[str, Column] = {}
    wrong: dict[str, np.ndarray] = {}
    years = None
    order = ["date", *(column for column in reading if column != "date")]
    when = Column.blank(len(of))
    for column in order:
        if column in cells:
            tidy[column], wrong[column] = _tidied(
                column, cells[column], of, rows, reading[column], years
            )
        if column == "date":
            when = tidy.get("date", when)
            spans = edtf.bounds(when.words)
            years = Column(
                when.places, edtf.year(spans["date_start"], spans["date_end"]).astype("Int64")
            )
    for column in NEEDED:
        blank = once(of[~tidy[column].filled & ~wrong[column]])
        rows.refuse(blank[~rows.untrusted[blank]], column, "blank", "a value is required")
    days = {
        side: pd.Series([*spans[side], pd.NaT], dtype="datetime64[s]").to_numpy()[when.places]
        for side in ("date_start", "date_end")
    }
    return tidy, pd.DataFrame(days)


def _tidied(
    column: str, cells: Column, of: np.ndarray, rows: Rows, reader: Reader, years: Column | None
) -> tuple[Column, np.ndarray]:
    """The column in the codebook's words, and the lines whose cell is a problem."""
    if reader.by_year and years is not None:
        pairs, places = _pairs(cells, years)
        found = reader.read(pairs["cell"], pairs["year"])
        found.insert(0, "cell", pairs["cell"].to_numpy())
    else:
        found, places = reader.read(cells.words), cells.places
        found.insert(0, "cell", cells.words.to_numpy())
    wrong = found["problem"].notna().to_numpy()
    made = Column.at(places, found["value"].mask(wrong))
    _tell(column, places, of, rows, found, wrong)
    if column in ELSE_BLANK:
        return made, np.zeros(len(of), dtype=bool)
    bad = np.append(wrong, False)[places]
    rows.set_aside(of[bad], *_reasons(column, found["problem"], places[bad]))
    return made, bad


def _reasons(column: str, problems: pd.Series, places: np.ndarray) -> tuple[np.ndarray, list[str]]:
    which, words = pd.factorize(problems.array)
    return which[places], [f"{column}: {problem}" for problem in words]


def _pairs(cells: Column, years: Column) -> tuple[pd.DataFrame, np.ndarray]:
    """The distinct pairs of a cell and the year of its row, and for each line the place of its pair."""
    of_year, known = pd.factorize(years.words)
    year = np.append(of_year, -1)[years.places].astype("int64") + 1
    both = np.where(cells.filled, cells.places * np.int64(len(known) + 1) + year, -1)
    places, distinct = pd.factorize(both, use_na_sentinel=False)
    blank = np.flatnonzero(distinct < 0)
    places = np.where(
        both < 0, -1, places - (places > (blank[0] if len(blank) else len(distinct)))
    ).astype("int32")
    distinct = distinct[distinct >= 0]
    words, numbers = distinct // (len(known) + 1), distinct % (len(known) + 1) - 1
    year_of = pd.Series([*known, pd.NA], dtype="Int64").iloc[numbers].reset_index(drop=True)
    return pd.DataFrame(
        {"cell": cells.words.iloc[words].reset_index(drop=True), "year": year_of}
    ), places


def _tell(
    column: str,
    places: np.ndarray,
    of: np.ndarray,
    rows: Rows,
    found: pd.DataFrame,
    wrong: np.ndarray,
) -> None:
    told = wrong | (found["rule"].fillna("") != "").to_numpy()
    lines = np.flatnonzero(np.append(told, False)[places])
    if not len(lines):
        return
    blank = column in ELSE_BLANK
    table = pd.DataFrame(
        {
            "value": found["cell"],
            "made": np.where(
                wrong, "left blank" if blank else "set aside", found["value"].fillna("left blank")
            ),
            "rule": np.where(wrong, found["problem"].fillna(""), found["rule"]),
            "severity": np.where(
                wrong, GUESS if blank else ASIDE, np.where(found["certainty"] < LOOK, GUESS, INFO)
            ),
            "certainty": found["certainty"],
            "remedy": found["remedy"],
        }
    )
    table, which = table[told], np.cumsum(told) - 1
    if (
        table["value"].duplicated().any()
    ):  # a cell is told once where it means the same in several years
        which = table.groupby(list(table), dropna=False, sort=False).ngroup().to_numpy()[which]
        table = table.drop_duplicates()
    rows.tell(column, of[lines], which[places[lines]], table)
