"""What was made of a user's table, on one page: what to look at and what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import pandas as pd

import capelib.clean
import capelib.meaning
from capelib.check.files import CHANGES_FILE, SET_ASIDE_FILE
from capelib.clean.changes import DROPPED, GUESS, HIDDEN, INFO, SET_ASIDE, WITHDRAWN
from capelib.clean.duplicates import REPEATED_KEY, REPEATED_ROW
from capelib.dataset import PLACE, Dataset
from capelib.read.sheet import where

# Lines of each section: all together fill one screen.
MOST = {"read": 4, "guesses": 6, "changed": 3, "aside": 6}
EXAMPLES = 2  # of a change
ROWS = 6  # row numbers of a problem
FIRST = 3  # kinds of problems named at the top
# Columns on whose values most results rest, in the order in which an error harms.
_RESTS_ON = ("origin", "measure", "date", "host", "exile_id")
LONGEST = 36  # letters of a cell
# The same sentences stand in README.md, data/README.md and docs/your-own-table.md.
PROMISE = (
    "Columns that may hold names are dropped at reading. A cell is shown only if every word of it "
    "is known, or if it was read as one known word misspelt; else it is (not shown), with its row "
    "and column. Words of the names that were dropped are masked wherever else they occur. A name "
    "that is also a known word, such as Georgia or May, cannot be known as a name. Kept in "
    "clean.csv are addresses and publishers of sources, without user, password and query."
)
LEFT_OUT, LACKING = "event.unnamed", "column.lacking"
_DUPLICATES = (REPEATED_ROW, REPEATED_KEY, "duplicate.near")


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes
    ----------
    title
        Its heading.
    lines
        Each a short label (a column, or nothing) and a text.
    """

    title: str
    lines: list[tuple[str, str]]


@cache
def rules() -> dict[str, str]:
    """The words of every rule, from the RULES of the module that has the rule."""
    words = {}
    for package in (capelib.meaning, capelib.clean):
        for module in iter_modules(package.__path__, f"{package.__name__}."):
            for rule, text in getattr(import_module(module.name), "RULES", {}).items():
                words[rule] = text if isinstance(text, str) else text[1]  # certainty and text
    return words


def meaning(rule: str) -> str:
    """A rule in words; a problem stands for itself.

    >>> meaning("date.range"), meaning("state.city"), meaning("unknown state")
    ('from one date to another', 'a city: its state of today', 'unknown state')
    """
    if rule in rules():
        return rules()[rule]
    return rule if " " in rule else rule.rpartition(".")[2].replace("_", " ")


def page(ds: Dataset) -> Iterator[Section]:
    """Everything that somebody should know who wants to use the table; the files hold the rest.

    What harms a result most comes first.
    """
    lines = _lines(ds)
    of_reading = lines["rule"].str.startswith("read.")
    duplicate = lines["rule"].isin(_DUPLICATES)
    yield first_look(ds)
    yield from short(ds)
    guesses = lines[(lines["severity"] == GUESS) & ~duplicate & ~of_reading]
    yield _section("Look at these guesses first", guesses, "guesses")
    groups = _grouped(lines[duplicate])
    yield Section("Duplicates", [(group.column, _duplicate(group, ds)) for group in groups])
    if ds.tables:
        yield Section("Which column stands for what", list(_columns(ds, lines)))
    yield Section("What was read", [*_tables(ds), *_notes_of_reading(lines[of_reading])])
    changed = (lines["severity"] == INFO) & ~of_reading & (lines["rule"] != "column.name")
    yield _section("What was changed", lines[changed], "changed")


def first_look(ds: Dataset) -> Section:
    """What most needs a look, in the order of harm to a result; each line has its section below."""
    lines = _lines(ds)
    of_reading = lines["rule"].str.startswith("read.")
    left_out, lacking = (lines["rule"] == rule for rule in (LEFT_OUT, LACKING))
    guess = (lines["severity"] == GUESS) & ~left_out & ~lacking
    duplicate = lines["rule"].isin(_DUPLICATES)
    aside = lines[(lines["severity"] == SET_ASIDE) & ~duplicate]
    dropped = lines[(lines["severity"] == DROPPED) & (lines["rule"] != "column.person")]
    looks = [("rows", counted(ds))]
    if len(aside):
        problems = [
            f"{group.column or 'row'}: {group.words} ({group.cells:,})" for group in _grouped(aside)
        ]
        looks.append(("set aside", _list(problems, FIRST)))
    if events := without_measure(ds):
        looks.append(("left out", events))
    for column, fitting in lines[lacking].groupby("column", sort=False)["value"]:
        names = _list([plain_cell(name) for name in fitting.unique()], FIRST)
        looks.append(("lacking", f"{column} is blank in every row, and not read is: {names}"))
    kinds = [f"{name} ({rows:,})" for name, rows in _guessed_values(lines[guess & ~of_reading])]
    if kinds:
        looks.append(("guessed", f"values of {_list(kinds, 8)}"))
    doubtful = lines[of_reading & guess & (lines["rule"] != "read.unnamed")]
    doubts = doubtful.groupby("made", sort=False)["rows"].sum().items()
    if len(doubtful):
        made = [
            plain_cell(str(text), 90) + (f" ({rows:,} cells)" if rows > 1 else "")
            for text, rows in doubts
        ]
        looks.append(("reading", _list(made, 2)))
    if len(dropped):
        filled = _filled(ds)
        names = [_with_count(name, filled) for name in dropped["column"].unique()]
        looks.append(("not read", f"{_many(len(names), 'column')}: {_list(names, 6)}"))
    if repeats := int(lines.loc[duplicate, "rows"].sum()):
        looks.append(("twice", f"{_many(repeats, 'row')} may be the same as another one"))
    return Section("What most needs a look", looks)


def incomplete(ds: Dataset) -> bool:
    """Does something of a table that may be an incident stand in no incident?

    Rows that are set aside, or events of which the measure is not known.
    """
    return bool(len(ds.set_aside)) or bool(without_measure(ds))


def without_measure(ds: Dataset) -> str:
    """The columns with events of which no incident was made, and how many; "" without any."""
    lines = _lines(ds)
    columns = lines[lines["rule"] == LEFT_OUT].groupby("column", sort=False)["rows"].sum().items()
    which = [f"{plain_cell(str(name))} ({rows:,})" for name, rows in columns]
    return f"events of which the measure is not known: {_list(which)}" if which else ""


def _guessed_values(guesses: pd.DataFrame) -> list[tuple[str, int]]:
    """The columns with guessed cells, those on which most results rest first, and how many."""
    cells = guesses[~guesses["rule"].isin(_DUPLICATES)]
    rows = dict(cells.groupby("column", sort=False)["rows"].sum().items())
    order = sorted(map(str, rows), key=_rank)
    return [(plain_cell(column), int(rows[column])) for column in order if column]


def cells(ds: Dataset) -> str:
    """What became of every filled cell, in one line; "" where they were not counted."""
    counts = [table.cells for table in ds.tables if table.cells]
    if not counts:
        return ""
    filled, read, not_read, aside = (
        sum(getattr(count, part) for count in counts)
        for part in ("filled", "read", "not_read", "set_aside")
    )
    return (
        f"{_many(filled, 'filled cell')}: {read:,} read, {not_read:,} told as not read, "
        f"{aside:,} in rows set aside."
    )


def short(ds: Dataset) -> Iterator[Section]:
    """Only what was set aside, why, and what to do about it."""
    lines = _lines(ds)
    aside = (lines["severity"] == SET_ASIDE) & ~lines["rule"].isin(_DUPLICATES)
    groups = _grouped(lines[aside])
    shown = [(group.column or "row", _problem(group, ds)) for group in groups[: MOST["aside"]]]
    more = _more(len(groups) - len(shown), "problem", SET_ASIDE_FILE)
    yield Section("Set aside, and what to do", shown + more)


def counted(ds: Dataset) -> str:
    """How many rows can be used, in one sentence."""
    aside, lines = len(ds.set_aside), ds.log.summary()
    withdrawn = int(lines.loc[lines["severity"] == WITHDRAWN, "rows"].sum())
    rows = len(ds.rows[list(PLACE)].drop_duplicates()) + aside + withdrawn
    usable = f"{rows - aside:,} of {_many(rows, 'row')} can be used"
    if aside:
        usable += f", {aside:,} set aside"
    incidents, exiles = _many(len(ds.incidents), "incident"), _many(len(ds.exiles), "exile")
    return f"{usable}: {incidents} against {exiles}."


def unsure(ds: Dataset) -> str:
    """How much was guessed or dropped, in a few words; "" where nothing was."""
    rows = ds.log.summary().groupby("severity")["rows"].sum()
    guessed, dropped = int(rows.get(GUESS, 0)), int(rows.get(DROPPED, 0))
    parts = []
    if guessed:
        parts.append(_many(guessed, "guess", "guesses"))
    if dropped:
        parts.append(f"{_many(dropped, 'column')} dropped")
    return " and ".join(parts)


def _lines(ds: Dataset) -> pd.DataFrame:
    """The changes added up, with the words of their rules."""
    lines = ds.log.summary()
    return lines.assign(words=lines["rule"].map(meaning))


# ------------------------------------------------------------ what was read


def _tables(ds: Dataset) -> Iterator[tuple[str, str]]:
    for table in ds.tables:
        names = ""
        if table.header_rows:
            numbers = " and ".join(map(str, table.header_rows))
            names = f"column names in row{'s' * (len(table.header_rows) > 1)} {numbers}; "
        layout = table.match.layout
        described = f"layout {layout.name} ({layout.title or 'of your own'})"
        yield "table", f"{where(table.file, table.sheet)}: {names}{described}"


def _notes_of_reading(notes: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """What reading had to decide, the doubtful first; what concerns single cells is added up."""
    notes = notes[(notes["severity"] != SET_ASIDE) & (notes["rule"] != "read.header")]
    lines = []
    for (rule, severity), same in notes.groupby(["rule", "severity"], sort=False):
        first, count = same.iloc[0], int(same["rows"].sum())
        what = rule.partition(".")[2].replace("_", " ")
        column = ""
        if first["column"] and count == 1:
            column = f"column {plain_cell(first['column'])}, "
        label = f"{what}: "
        if count > 1:
            label = f"{what}, {count:,} times, such as: "
        elif what in first["made"]:
            label = ""
        made = " ".join(first["made"].split())
        lines.append(("look" if severity == GUESS else "", f"{column}{label}{made}"))
    lines.sort(key=lambda line: line[0] != "look")
    yield from lines[: MOST["read"]]
    yield from _more(len(lines) - MOST["read"], "note", CHANGES_FILE)


def _columns(ds: Dataset, lines: pd.DataFrame) -> Iterator[tuple[str, str]]:
    sure: dict[str, float] = {}
    guessed: dict[str, float] = {}
    for table in ds.tables:
        match = table.match
        for header, column in match.every_column:
            certainty = match.certainty[header]
            group = sure if certainty == 1 else guessed
            group[f"{column}: {plain_cell(header)}"] = certainty
        for header, column in match.further.items():
            sure[f"second {column}: {plain_cell(header)}"] = 1.0
        if match.highest:
            sure[f"highest stage, only compared: {plain_cell(match.highest)}"] = 1.0
        for column, value in match.layout.fixed.items():
            sure[f"{column}: always {plain_cell(value)}, says the layout"] = 1.0
    yield "", "; ".join(sure)
    for text, certainty in guessed.items():
        yield "look", f"{text} (a guess, {certainty:.0%} sure)"
    dropped = lines[lines["severity"] == DROPPED].drop_duplicates("column")
    filled = _filled(ds)
    of_person, competing = (dropped["rule"] == rule for rule in ("column.person", "column.other"))
    persons, others = (
        [_with_count(name, filled) for name in dropped.loc[which, "column"]]
        for which in (of_person, ~of_person & ~competing)
    )
    for line in dropped[competing].itertuples():
        why = line.made.partition("; ")[2]
        yield "dropped", f"{_with_count(line.column, filled)}: {why}"
    if persons:
        yield "dropped", f"{_list(persons)}: may hold names of persons, which never enter"
    if others:
        advice = "not in the codebook; if it is, under another name, say so in a layout"
        yield "dropped", f"{_list(others)}: {advice}"
    if withdrawn := int(lines.loc[lines["severity"] == WITHDRAWN, "rows"].sum()):
        yield "dropped", f"{_many(withdrawn, 'incident')} withdrawn on request (data/withdrawn.csv)"


def _filled(ds: Dataset) -> dict[str, int]:
    """How many cells of each column that is dropped are filled, by its header."""
    filled: dict[str, int] = {}
    for table in ds.tables:
        for name, count in (table.cells.dropped if table.cells else {}).items():
            filled[name] = filled.get(name, 0) + count
    return filled


def _with_count(header: str, filled: dict[str, int]) -> str:
    """A header with the number of filled cells below it, where that is known."""
    name = plain_cell(header)
    return f"{name} ({_many(filled[header], 'cell')})" if filled.get(header) else name


# ------------------------------------------------------------ cells


@dataclass(frozen=True)
class _Group:
    """The same kind of change in one column. lines: of the changes added up."""

    column: str
    words: str
    lines: pd.DataFrame

    @property
    def cells(self) -> int:
        return int(self.lines["rows"].sum())

    @property
    def certainty(self) -> float:
        return float(self.lines["certainty"].min())

    @property
    def shown(self) -> pd.DataFrame:
        """The lines whose cell may be shown, each cell once."""
        value = self.lines["value"]
        return self.lines[value.notna() & (value != HIDDEN)].drop_duplicates("value")

    @property
    def remedies(self) -> list[str]:
        return list(self.lines["remedy"].dropna().unique())

    @property
    def examples(self) -> str:
        return ", ".join(
            f"{plain_cell(line.value)} -> {plain_cell(line.made)} (row {line.first})"
            for line in self.shown.head(EXAMPLES).itertuples()
        )


def _grouped(lines: pd.DataFrame) -> list[_Group]:
    """The most frequent first, and in each the most frequent cells first."""
    frequent = lines.sort_values("rows", ascending=False, kind="stable")
    groups = [
        _Group(column, words, same)
        for (column, words), same in frequent.groupby(["column", "words"], sort=False)
    ]
    return sorted(groups, key=lambda group: -group.cells)


def _of_persons(group: _Group) -> bool:
    return bool(group.lines["rule"].str.startswith("exile.").all())


def _rank(column: str) -> int:
    """The place of a column in the order in which an error harms."""
    return _RESTS_ON.index(column) if column in _RESTS_ON else len(_RESTS_ON)


def _section(title: str, lines: pd.DataFrame, kind: str) -> Section:
    """kind: "guesses" (the least certain first) or "changed" (columns together)."""
    groups = _grouped(lines)
    if kind == "guesses":  # that each row is one person is said of most tables, and harms least
        groups.sort(key=lambda group: (_of_persons(group), group.certainty, _rank(group.column)))
    shown = groups[: MOST[kind]]
    if kind == "changed":
        order = [group.column for group in shown]
        shown = sorted(shown, key=lambda group: order.index(group.column))
    texts = []
    for group in shown:
        sure = f", {group.certainty:.0%} sure" if kind == "guesses" and group.certainty else ""
        examples = f": {group.examples}" if group.examples else ""
        texts.append((group.column, f"{_many(group.cells, 'cell')}{sure}; {group.words}{examples}"))
    return Section(title, texts + _more(len(groups) - len(shown), "kind", CHANGES_FILE))


def _problem(group: _Group, ds: Dataset) -> str:
    text = f"{_many(group.cells, 'row')} ({_numbers(group, ds)}): {group.words}"
    values = [plain_cell(value) for value in group.shown["value"]]
    if values:
        text += f": {_list(values, 3)}"
    if group.remedies:
        text += f"; {group.remedies[0]}"
    if len(group.remedies) > 1:
        text += " (other cells: see the file)"
    return text


def _duplicate(group: _Group, ds: Dataset) -> str:
    remedy = next(iter(group.remedies), "")
    if group.lines["severity"].iloc[0] == SET_ASIDE:
        done, rows = " set aside", _numbers(group, ds)
    else:
        done, rows = "", f"the first is {group.lines['first'].min()}"
    return f"{_many(group.cells, 'row')}{done} ({rows}): {group.words}; {remedy}"


def _numbers(group: _Group, ds: Dataset) -> str:
    """The rows of a problem, as the file numbers them."""
    rows = [int(group.lines["first"].min())]
    if len(ds.set_aside):
        why, column = ds.set_aside["why"], group.column or "row"
        first = group.lines.iloc[0]
        for reason in (first["rule"], first["made"]):  # reading says in words of its own why
            for_this = why.str.contains(f"{column}: {reason}", regex=False)
            if for_this.any():
                rows = ds.set_aside.loc[for_this, "row"].tolist()
                break
    return f"row{'s' * (len(rows) > 1)} {_list([str(row) for row in rows], ROWS)}"


def plain_cell(cell: str, longest: int = LONGEST) -> str:
    """A cell as a screen can show it: one line, not long, no signs that would steer the screen.

    >>> plain_cell("Poland\\nAustria"), plain_cell("\\x1b[2Jx")
    ('Poland Austria', '[2Jx')
    """
    letters = [letter if letter.isprintable() else " " for letter in str(cell)]
    text = " ".join("".join(letters).split())
    return text if len(text) <= longest else text[: longest - 3] + "..."


# ------------------------------------------------------------ words


def _more(count: int, what: str, file: str) -> list[tuple[str, str]]:
    return [("", f"and {_many(count, f'more {what}')}, see {file}")] if count > 0 else []


def _many(count: int, what: str, several: str = "") -> str:
    return f"{count:,} {what if count == 1 else several or what + 's'}"


def _list(items: Sequence[str], most: int = 8) -> str:
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
