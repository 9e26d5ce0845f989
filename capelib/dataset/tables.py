"""Tables as text in, tables with types and a list of problems out, by the rules of the codebook."""

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from capelib.dataset import dates
from capelib.dataset.codebook import codebook, codes, columns, nearest
from capelib.errors import DataError
from capelib.paths import room

PROBLEM_COLUMNS = ["file", "row", "column", "value", "problem", "remedy", "action"]
_SHOWN = {"state", "code", "edtf", "yes", "year", "integer"}  # values of other types may name a person: not repeated


def read_text(path: Path) -> pd.DataFrame:
    """A CSV file as it stands: every cell text, blank cells missing, `NA` (Namibia) kept. Row 0 is line 2 of the file.

    Raises DataError in one line when the file is missing, empty, not UTF-8 or not a table.
    """
    try:
        return pd.read_csv(path, dtype="str", keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"no file {path}: check the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a table: name a CSV file") from None
    except PermissionError:
        raise DataError(f"{path} cannot be read: check its permissions") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text: save it as CSV (UTF-8)") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path} is empty: expected a header row and at least one row") from None
    except pd.errors.ParserError as error:
        raise DataError(f"{path} is not a table: {str(error).strip().splitlines()[-1]}") from None


@cache
def states() -> dict[str, str]:
    """English short names of states by ISO 3166-1 alpha-3 code (and XKX, Kosovo).

    >>> states()["TJK"]
    'Tajikistan'
    """
    frame = read_text(room("data") / codebook()["table"]["states"]["path"])
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


def problems_of(raw: pd.DataFrame, table: str, file: str) -> pd.DataFrame:
    """Every cell of a table of text that the codebook does not allow.

    raw: all cells text, as `read_text` gives them. file: its name for the report.
    Returns a frame with `file`, `row` (line of the file, header = 1), `column`, `value`, `problem`, `remedy`, `action`.

    >>> bad = pd.DataFrame({"origin": ["TAJ"], "year": ["1994"], "refugees": ["5"], "asylum_seekers": ["0"]})
    >>> problems_of(bad, "displaced", "mine.csv")[["row", "column", "problem", "remedy"]].values.tolist()
    [[2, 'origin', 'unknown state', 'did you mean TJK?']]
    """
    found: list[pd.DataFrame] = []

    def note(rows: pd.Series, column: str, problem: str, remedy: str | dict[str, str], shown: bool = True) -> None:
        if rows.any():
            value = raw.loc[rows, column] if shown else "(not shown)"
            text = value.map(remedy) if isinstance(remedy, dict) and isinstance(value, pd.Series) else remedy
            found.append(
                pd.DataFrame(
                    {"file": file, "row": raw.index[rows] + 2, "column": column, "value": value, "problem": problem, "remedy": text}
                )
            )

    for column, spec in columns(table).items():
        if column not in raw:
            continue
        cells, shown = raw[column], spec["type"] in _SHOWN
        blank = cells.isna()
        if spec.get("required"):
            note(blank, column, "blank", "a value is required")
        choice = allowed(spec)
        if choice is not None:
            wrong = ~blank & ~cells.isin(list(choice))
            what = "unknown state" if spec["type"] == "state" else f"not one of the allowed values of {column}"
            note(wrong, column, what, {value: _remedy(value, choice, column) for value in cells[wrong].unique()})
        elif spec["type"] in ("id", "url"):
            pattern = spec.get("pattern", r"https?://\S+")
            note(
                ~blank & ~cells.fillna("").str.fullmatch(pattern), column, "not of the expected form", f"expected the form {pattern}", shown
            )
        elif spec["type"] == "edtf":
            note(~blank & ~dates.bounds(cells)["valid"], column, "not a date", "write 2015, 2015-03 or 2015-03-05 (EDTF)")
        elif spec["type"] in ("year", "integer", "number"):
            pattern = {"year": r"[12]\d{3}", "integer": r"-?\d+", "number": r"-?\d+(\.\d+)?"}[spec["type"]]
            note(~blank & ~cells.fillna("").str.fullmatch(pattern), column, f"not a {spec['type']}", f"write a {spec['type']}")
    key = codebook()["table"][table].get("key", [])
    if key and set(key) <= set(raw):
        note(raw.duplicated(key) & raw[key].notna().all(axis=1), key[0], "the key occurs twice", "each row needs its own key", False)
    if not found:
        return pd.DataFrame(columns=PROBLEM_COLUMNS)
    return pd.concat(found).assign(action="set aside").sort_values(["row", "column"]).reset_index(drop=True)[PROBLEM_COLUMNS]


def _remedy(value: str, choice: dict[str, str], column: str) -> str:
    guess = nearest(value, choice)
    return f"did you mean {guess}?" if guess else f"see `cape codebook {column}`"


def typed(raw: pd.DataFrame, table: str) -> pd.DataFrame:
    """A table of allowed text as a tidy frame: one cleaned column a line of the codebook, in its order.

    Types: id, text, url, state: str; code: categorical in the codebook's order; year, integer: Int64; number: float64;
    edtf: str as written; yes: nullable boolean, True or missing (a blank is "not reported", never False).
    """
    clean = {
        name: _typed(raw[name] if name in raw else pd.Series(None, index=raw.index, dtype="str"), spec)
        for name, spec in columns(table).items()
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


def table(name: str) -> pd.DataFrame:
    """One of the shipped tables with the codebook's types, for example "regimes", "memberships", "audit".

    Raises ParameterError for a name that the codebook does not hold.

    >>> table("displaced").dtypes.astype(str).to_dict()
    {'origin': 'str', 'year': 'Int64', 'refugees': 'Int64', 'asylum_seekers': 'Int64'}
    """
    from capelib.dataset.codebook import unknown
    from capelib.errors import ParameterError

    known = codebook()["table"]
    if name not in known:
        raise ParameterError(unknown("table", name, list(known)))
    return typed(read_text(room("data") / known[name]["path"]), name)
