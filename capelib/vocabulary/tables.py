"""Tables as text in, tables with types and a list of problems out, by the rules of the codebook."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from capelib.errors import DataError
from capelib.paths import project_folder
from capelib.vocabulary import edtf
from capelib.vocabulary.codebook import codebook, codes, columns, nearest

NO_SOURCE = "S0000"  # stands where no source is given
PROBLEM_COLUMNS = ["file", "row", "column", "value", "problem", "remedy", "action"]
_FORMS = {"year": r"[12]\d{3}", "integer": r"-?\d+", "number": r"-?\d+(\.\d+)?"}
_ADDRESS = r"https?://\S+"
_NOT_SHOWN = "(not shown)"
CELLS = "(cells)"  # column of read_text for rows with more cells than the header: how many


def read_text(path: Path) -> pd.DataFrame:
    """What stands in a shipped CSV file? Every cell text, blank cells missing, `NA` (Namibia) kept.

    Blank rows are left out, and the others keep their numbers. In a row with more cells than the
    header no cell can be trusted to stand in its own column: all are left blank, and the column
    "(cells)" says how many there were.

    Parameters
    ----------
    path
        The file, UTF-8, cells separated by commas.

    Returns
    -------
    DataFrame
        Index 0 is row 2 of the file.

    Raises
    ------
    DataError
        The file is missing, empty, not UTF-8 or not a table.
    """
    header, rows = _cells(path)
    if not header and not rows:
        raise DataError(f"{path} is empty: expected a header row and at least one row")
    names = [name or f"column {number}" for number, name in enumerate(header, 1)]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        listed = ", ".join(repeated)
        raise DataError(f"{path} has more than one column {listed}: rename or remove one")
    width, square, surplus = len(names), [], {}
    for number, cells in enumerate(rows):
        if any(cells[width:]):
            surplus[number] = f"{len(cells)} cells, the header has {width}"
            cells = []
        square.append((cells + [""] * width)[:width])
    frame = pd.DataFrame(square, columns=names, dtype="str")
    frame = frame.where(frame != "")
    if surplus:
        frame[CELLS] = pd.Series(surplus, dtype="str")
    return frame.dropna(how="all")


def _cells(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a CSV file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = list(csv.reader(file, strict=True)) or [[]]
            return header, rows
    except FileNotFoundError:
        raise DataError(f"no file {path}: check the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a table: name a CSV file") from None
    except PermissionError:
        raise DataError(f"{path} cannot be read: check its permissions") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text: save it as CSV (UTF-8)") from None
    except csv.Error as error:
        remedy = "look for a quotation mark that is not closed"
        raise DataError(f"{path} is not a table: {error}; {remedy}") from None


def path_of(name: str) -> Path:
    """Where does a shipped table lie? By its name in the codebook."""
    return project_folder("data") / codebook()["table"][name]["path"]


@cache
def states() -> dict[str, str]:
    """Which states are there? English short names by ISO 3166-1 alpha-3 code (and XKX, Kosovo).

    Examples
    --------
    >>> states()["TJK"]
    'Tajikistan'
    """
    frame = read_text(path_of("states"))
    return dict(zip(frame["iso3"], frame["name"], strict=True))


def allowed(spec: dict[str, Any]) -> dict[str, str] | None:
    """The values that a column allows, with labels; None where it is not a list."""
    if spec["type"] == "state":
        return states()
    if spec["type"] == "yes":
        return {"yes": "yes"}
    if spec["type"] == "code":
        return codes(spec["codes"]) | {extra: extra for extra in spec.get("also", [])}
    return None


class _Problem(NamedTuple):
    """A problem of some cells: which rows, what is wrong, and what to do, for all or by cell.

    shown: may the cell be repeated? A key or an address may hold a name.
    """

    rows: pd.Series
    problem: str
    remedy: str | dict[str, str]
    shown: bool = True


def problems_of(raw: pd.DataFrame, table: str, file: str) -> pd.DataFrame:
    """Which cells of a shipped table does the codebook not allow?

    Parameters
    ----------
    raw
        All cells text, as `read_text` gives them.
    table
        Its name in the codebook.
    file
        Its name for the report.

    Returns
    -------
    DataFrame
        `file`, `row` (line of the file, header = 1), `column`, `value`, `problem`, `remedy`,
        `action`.

    Examples
    --------
    >>> cells = {"origin": ["TAJ"], "year": ["1994"], "refugees": ["5"], "asylum_seekers": ["0"]}
    >>> problems = problems_of(pd.DataFrame(cells), "displaced", "mine.csv")
    >>> problems[["row", "column", "problem", "remedy"]].values.tolist()
    [[2, 'origin', 'unknown state', 'did you mean TJK?']]
    """
    frames = []
    if CELLS in raw:
        surplus = raw.loc[raw[CELLS].notna(), CELLS]
        remedy = "put a cell that holds a comma between quotation marks"
        place = {"row": surplus.index + 2, "column": CELLS, "value": _NOT_SHOWN}
        frames.append(pd.DataFrame(place | {"problem": surplus, "remedy": remedy}))
        raw = raw[raw[CELLS].isna()]
    for column, spec in columns(table).items():
        if column in raw:
            for problem in _problems_of_column(raw[column], column, spec):
                frames.append(_lines(raw[column], column, problem))
    key = codebook()["table"][table].get("key", [])
    if key and set(key) <= set(raw):
        repeated = raw.duplicated(key) & raw[key].notna().all(axis=1)
        problem = _Problem(repeated, "the key occurs twice", "each row needs its own key", False)
        frames.append(_lines(raw[key[0]], key[0], problem))
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=PROBLEM_COLUMNS)
    problems = pd.concat(frames).assign(file=file, action="set aside")
    return problems.sort_values(["row", "column"]).reset_index(drop=True)[PROBLEM_COLUMNS]


def _lines(cells: pd.Series, column: str, problem: _Problem) -> pd.DataFrame:
    """A line for each cell with a problem."""
    cells = cells[problem.rows]
    remedy = cells.map(problem.remedy) if isinstance(problem.remedy, dict) else problem.remedy
    value = cells if problem.shown else _NOT_SHOWN
    place = {"row": cells.index + 2, "column": column, "value": value}
    return pd.DataFrame(place | {"problem": problem.problem, "remedy": remedy}, index=cells.index)


def _problems_of_column(cells: pd.Series, column: str, spec: dict[str, Any]) -> Iterator[_Problem]:
    """What is wrong in the cells of a column, by its type."""
    filled, kind = cells.notna(), spec["type"]
    choice = allowed(spec)
    if spec.get("required"):
        yield _Problem(~filled, "blank", "a value is required")
    if choice is not None:
        wrong = filled & ~cells.isin(list(choice))
        problem = f"not one of the allowed values of {column}"
        if kind == "state":
            problem = "unknown state"
        remedies = {value: _remedy(value, choice, column) for value in cells[wrong].unique()}
        yield _Problem(wrong, problem, remedies)
    elif kind in ("id", "url"):
        form = spec.get("pattern", _ADDRESS)
        wrong = filled & ~cells.fillna("").str.fullmatch(form)
        yield _Problem(wrong, "not of the expected form", f"expected the form {form}", False)
    elif kind == "edtf":
        days = edtf.bounds(cells)
        remedy = "write 2015, 2015-03 or 2015-03-05 (EDTF)"
        yield _Problem(filled & ~days["valid"], "not a date", remedy)
        far = (days["date_start"].dt.year < 1900) | (days["date_end"].dt.year > 2100)
        remedy = "write the year with four digits"
        yield _Problem(far, "a year before 1900 or after 2100", remedy)
    elif kind in _FORMS:
        wrong = filled & ~cells.fillna("").str.fullmatch(_FORMS[kind])
        yield _Problem(wrong, f"not a {kind}", f"write a {kind}")


def _remedy(value: str, choice: dict[str, str], column: str) -> str:
    guess = nearest(value, choice)
    if guess:
        return f"did you mean {guess}?"
    if choice is states():
        return "write an ISO 3166-1 alpha-3 code such as TJK"
    return f"see `cape codebook {column}`"


def typed(raw: pd.DataFrame, table: str) -> pd.DataFrame:
    """A table of allowed text as a tidy frame: the columns of the codebook, in its order.

    A column that a later edition brought (`since`) only where the text has it.

    Types: id, text, url, state: str; code: categorical in the codebook's order; year, integer:
    Int64; number: float64; edtf: str as written; yes: nullable boolean, True or missing (a blank
    is "not reported", never False).
    """
    blank = pd.Series(None, index=raw.index, dtype="str")
    clean = {
        name: _typed(raw.get(name, blank), spec)
        for name, spec in columns(table).items()
        if name in raw or "since" not in spec
    }
    return pd.DataFrame(clean, index=raw.index)


def _typed(cells: pd.Series, spec: dict[str, Any]) -> pd.Series:
    match spec["type"]:
        case "code":
            return cells.astype(pd.CategoricalDtype(list(allowed(spec) or {})))
        case "yes":
            return cells.eq("yes").astype("boolean").where(cells.eq("yes"))
        case "year" | "integer":
            return pd.to_numeric(cells).astype("Int64")
        case "number":
            return pd.to_numeric(cells).astype("float64")
        case _:
            return cells.astype("str")
