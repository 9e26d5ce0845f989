"""What was made of a table, told in one page: counts, a few examples, what to look at and what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from capelib.check import Checked
from capelib.clean.changes import ASIDE, DROPPED, GUESS, HIDDEN, INFO
from capelib.meaning import cells, codes, free_text_dates, yes_no
from capelib.read.header import where

MOST = {"read": 5, "guesses": 7, "changed": 9, "aside": 8}  # lines: all together fill one screen
EXAMPLES, ROWS, LONGEST = (
    2,
    6,
    36,
)  # examples of a change, row numbers of a problem, signs of a cell
_TWICE = ("says the same as an earlier row", "the key occurs twice", "duplicate.near")
_NAME = "the name of a state, in English or another language"
_SAID = {
    "cell.several": "several in one cell: made one row each",
    "cell.several_paired": "as many as another cell of the row: taken in pairs",
    "category.other": "not the category of the exile's first row, which is used",
    "correction": "an error of the source, corrected by the layout",
    "duplicate.near": "nearly the same incident as another row (person, measure, host, within a week): kept",
    "exile.by_name": "keys made from the names: the same name is one exile",
    "exile.key": "keys of another form: new ones, one for each",
    "exile.unnamed": "no key and no name: each row counts as one person",
    "host.is_origin": "the host is the pursuing state itself: kept",
    "layout.fixed": "what the layout says of every row",
    "layout.value": "a word that the layout explains",
    "layout.yes": "a mere yes: the measure that the layout names for it",
    "read.footer": "looks like a note under the table",
    "read.total": "looks like a total",
    "source.key": "keys of another form: new ones, one for each",
    "source.text": "no address: a source of its own, without one",
    "state.abbreviation": "an abbreviation",
    "state.adjective": "an adjective or a people",
    "state.city": "a city: its state of today",
    "state.code2": "a code of two letters",
    "state.code3": "the code in other letters",
    "state.hedged": "written with doubt: the state that is named",
    "state.historical": "a former name",
    "state.not_stated": "a word for not known: left blank",
    "state.official": "the official name of a state",
    "state.region": "a region: its state",
    "state.remark": "a state with a remark",
    "state.spelling": "the name of a state with a typing error",
} | {
    f"state.{language}": _NAME
    for language in (
        "english",
        "russian",
        "kazakh",
        "kyrgyz",
        "tajik",
        "turkmen",
        "uzbek",
        "other_language",
    )
}


@dataclass(frozen=True)
class Section:
    """A part of the page. lines: each a short label (a column, or nothing) and what is said of it."""

    title: str
    lines: list[tuple[str, str]]


def meaning(rule: str) -> str:
    """A rule in words; a problem stands for itself.

    >>> meaning("date.range"), meaning("state.russian"), meaning("unknown state")
    ('from one date to another', 'the name of a state, in English or another language', 'unknown state')
    """
    dated = free_text_dates.RULES.get(rule, (0, ""))[1]
    return (
        dated
        or (cells.RULES | yes_no.RULES | codes.RULES).get(rule)
        or _SAID.get(rule)
        or (rule if " " in rule else rule.rpartition(".")[2].replace("_", " "))
    )


def page(checked: Checked) -> Iterator[Section]:
    """Everything that somebody should know who wants to use the table; what is longer stands in the files."""
    lines = checked.clean.changes.summary()
    lines = lines.assign(
        said=lines["rule"].map(meaning), row_note=lines["rule"].str.startswith("read.")
    )
    twice = lines["rule"].isin(_TWICE)
    yield Section("What was read", [*_read(checked), *_reading(lines)])
    if checked.matches:
        yield Section("Which column stands for what", list(_columns(checked, lines)))
    yield _section(
        "Look at these guesses first",
        lines[(lines["severity"] == GUESS) & ~twice & ~lines["row_note"]],
        "guesses",
    )
    cells = lines[
        (lines["severity"] == INFO) & ~lines["row_note"] & (lines["rule"] != "column.name")
    ]
    yield _section("What was changed", cells, "changed")
    yield from short(checked)
    yield Section(
        "Duplicates", [(line.column, _kept(line, checked)) for line in _grouped(lines[twice])]
    )


def short(checked: Checked) -> Iterator[Section]:
    """Only what was set aside, why, and what to do about it."""
    lines = checked.clean.changes.summary()
    lines = lines[(lines["severity"] == ASIDE) & ~lines["rule"].isin(_TWICE)].assign(
        said=lambda those: those["rule"].map(meaning)
    )
    groups = _grouped(lines)
    shown = [(group.column, _aside(group, checked)) for group in groups[: MOST["aside"]]]
    yield Section(
        "Set aside, and what to do",
        shown + _more(len(groups) - len(shown), "problem", "set_aside.csv"),
    )


def counted(checked: Checked) -> str:
    """The sum of it in one sentence."""
    found = checked.clean
    aside = len(found.set_aside)
    fine = f"{checked.rows - aside:,} of {_many(checked.rows, 'row')} can be used" + (
        f", {aside:,} set aside" if aside else ""
    )
    return f"{fine}: {_many(len(found.incidents), 'incident')} against {_many(len(found.exiles), 'exile')}."


def unsure(checked: Checked) -> str:
    """How much was guessed or dropped, in a few words; "" where nothing was."""
    lines = checked.clean.changes.summary()
    guessed, dropped = (
        int(lines.loc[lines["severity"] == severity, "rows"].sum()) for severity in (GUESS, DROPPED)
    )
    return " and ".join(
        [_many(guessed, "guess", "guesses")] * (guessed > 0)
        + [f"{_many(dropped, 'column')} dropped"] * (dropped > 0)
    )


# ------------------------------------------------------------ what was read


def _read(checked: Checked) -> Iterator[tuple[str, str]]:
    for sheet, match in zip(checked.sheets, checked.matches, strict=True):
        names = (
            f"column names in row{'s' * (len(sheet.header_rows) > 1)} {' and '.join(map(str, sheet.header_rows))}; "
            if sheet.header_rows
            else ""
        )
        yield (
            "table",
            f"{where(sheet.file, sheet.sheet)}: {names}layout {match.layout.name} ({match.layout.title or 'of your own'})",
        )
    yield "rows", counted(checked)


def _reading(lines: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """What reading had to decide, the doubtful first; what concerns single cells is added up."""
    notes = lines[
        lines["row_note"] & (lines["severity"] != ASIDE) & (lines["rule"] != "read.header")
    ]
    said = []
    for (rule, severity), these in notes.groupby(["rule", "severity"], sort=False):
        first, count, what = (
            these.iloc[0],
            int(these["rows"].sum()),
            rule.partition(".")[2].replace("_", " "),
        )
        column = f"column {plain_cell(first['column'])}, " if first["column"] and count == 1 else ""
        times = (
            f"{what}, {count:,} times, such as: "
            if count > 1
            else ""
            if what in first["made"]
            else f"{what}: "
        )
        said.append(
            (
                "look" if severity == GUESS else "",
                f"{column}{times}{' '.join(first['made'].split())}",
            )
        )
    said.sort(key=lambda line: line[0] != "look")
    yield from said[: MOST["read"]]
    yield from _more(len(said) - MOST["read"], "note", "changes.csv")


def _columns(checked: Checked, lines: pd.DataFrame) -> Iterator[tuple[str, str]]:
    sure, guessed = {}, {}
    for match in checked.matches:
        for header, column in [
            *match.columns.items(),
            *(item for event in match.events for item in event.items()),
        ]:
            told = sure if match.certainty[header] == 1 else guessed
            told[f"{column}: {plain_cell(header)}"] = match.certainty[header]
        sure |= {
            f"{column}: always {plain_cell(value)}, says the layout": 1.0
            for column, value in match.layout.fixed.items()
        }
    yield "", "; ".join(sure)
    yield from (
        ("look", f"{said} (a guess, {certainty:.0%} sure)") for said, certainty in guessed.items()
    )
    gone = lines[lines["severity"] == DROPPED].drop_duplicates("column")
    persons = [plain_cell(name) for name in gone.loc[gone["rule"] == "column.person", "column"]]
    others = [plain_cell(name) for name in gone.loc[gone["rule"] != "column.person", "column"]]
    if persons:
        yield "dropped", f"{_list(persons)}: may hold names of persons, which never enter"
    if others:
        yield (
            "dropped",
            f"{_list(others)}: not in the codebook; if it is, under another name, say so in a layout",
        )
    if withdrawn := int(lines.loc[lines["severity"] == "withdrawn", "rows"].sum()):
        yield "dropped", f"{_many(withdrawn, 'incident')} withdrawn on request (data/withdrawn.csv)"


# ------------------------------------------------------------ cells


@dataclass(frozen=True)
class _Group:
    """The same kind of change in one column."""

    column: str
    said: str
    rule: str
    cells: int
    certainty: float
    kinds: pd.DataFrame

    @property
    def examples(self) -> str:
        shown = (
            self.kinds[self.kinds["value"].notna() & (self.kinds["value"] != HIDDEN)]
            .drop_duplicates("value")
            .head(EXAMPLES)
        )
        return ", ".join(
            f"{plain_cell(line.value)} -> {plain_cell(line.made)} (row {line.first})"
            for line in shown.itertuples()
        )


def _grouped(lines: pd.DataFrame) -> list[_Group]:
    """The most frequent first, and in each the most frequent cells first."""
    groups = [
        _Group(
            column,
            said,
            str(these["rule"].iloc[0]),
            int(these["rows"].sum()),
            float(these["certainty"].min()),
            these,
        )
        for (column, said), these in lines.sort_values(
            "rows", ascending=False, kind="stable"
        ).groupby(["column", "said"], sort=False)
    ]
    return sorted(groups, key=lambda group: -group.cells)


def _section(title: str, lines: pd.DataFrame, kind: str) -> Section:
    groups = _grouped(lines)
    if kind == "guesses":
        groups.sort(key=lambda group: group.certainty)
    shown = groups[: MOST[kind]]
    told = (
        sorted(shown, key=lambda group: [each.column for each in shown].index(group.column))
        if kind == "changed"
        else shown
    )
    said = []
    for group in told:
        sure = f", {group.certainty:.0%} sure" if kind == "guesses" and group.certainty else ""
        examples = f": {group.examples}" if group.examples else ""
        said.append((group.column, f"{_many(group.cells, 'cell')}{sure}; {group.said}{examples}"))
    return Section(title, said + _more(len(groups) - len(shown), "kind", "changes.csv"))


def _aside(group: _Group, checked: Checked) -> str:
    values = [
        plain_cell(value) for value in group.kinds["value"].dropna().unique() if value != HIDDEN
    ]
    remedies = list(dict.fromkeys(group.kinds["remedy"].dropna()))
    remedy = (
        f"; {remedies[0]}" + (" (other cells: see the file)" if len(remedies) > 1 else "")
        if remedies
        else ""
    )
    return (
        f"{_many(group.cells, 'row')} ({_numbers(group, checked)}): {group.said}"
        + (f": {_list(values, 3)}" if values else "")
        + remedy
    )


def _kept(group: _Group, checked: Checked) -> str:
    remedy = next(iter(group.kinds["remedy"].dropna()), "")
    done = " set aside" if group.kinds["severity"].iloc[0] == ASIDE else ""
    rows = _numbers(group, checked) if done else f"the first is {group.kinds['first'].min()}"
    return f"{_many(group.cells, 'row')}{done} ({rows}): {group.said}; {remedy}"


def _numbers(group: _Group, checked: Checked) -> str:
    """The rows of a problem, as the file numbers them."""
    aside = checked.clean.set_aside
    rule = group.rule
    told = (
        aside["why"].str.contains(f"{group.column}: {rule}", regex=False)
        if len(aside)
        else pd.Series(dtype=bool)
    )
    rows = aside.loc[told, "row"].tolist() or [int(group.kinds["first"].min())]
    return f"row{'s' * (len(rows) > 1)} {_list([str(row) for row in rows], ROWS)}"


def plain_cell(cell: str) -> str:
    """A cell as it can be shown on a screen: one line, not long, without signs that would steer the screen.

    >>> plain_cell("Poland\\nAustria"), plain_cell("\\x1b[2Jx")
    ('Poland Austria', '[2Jx')
    """
    text = " ".join(
        "".join(letter if letter.isprintable() else " " for letter in str(cell)).split()
    )
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


# ------------------------------------------------------------ words


def _more(count: int, what: str, file: str) -> list[tuple[str, str]]:
    return [("", f"and {_many(count, f'more {what}')}, see {file}")] if count > 0 else []


def _many(count: int, what: str, several: str = "") -> str:
    return f"{count:,} {what if count == 1 else several or what + 's'}"


def _list(items: Sequence[str], most: int = 8) -> str:
    return ", ".join(items[:most]) + (
        f" and {len(items) - most:,} more" if len(items) > most else ""
    )
