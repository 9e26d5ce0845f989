"""Tables as text in, tables with types and a list of problems out, by the rules of the codebook."""

import csv
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from capelib.errors import DataError
from capelib.paths import room
from capelib.vocabulary import edtf
from capelib.vocabulary.codebook import codebook, codes, columns, nearest

NO_SOURCE = "S0000"  # stands where no source is given
LINKS = ("exile_id", "incident_id", "source_id")  # the keys by which tables are linked
PROBLEM_COLUMNS = ["file", "row", "column", "value", "problem", "remedy", "action"]
_SHOWN = {
    "state",
    "code",
    "edtf",
    "yes",
    "year",
    "integer",
}  # values of other types may name a person: not repeated
CELLS = "(cells)"  # column that read_text adds where a row has more cells than the header: how many


def read_text(path: Path) -> pd.DataFrame:
    """A CSV file as it stands: every cell text, blank cells missing, `NA` (Namibia) kept. Row 0 is row 2 of the file.

    Blank rows are left out, and the others keep their numbers. In a row with more cells than the header no cell can be
    trusted to stand in its own column: all its cells are left blank, and the column "(cells)" says how many there were.
    Raises DataError in one line when the file is missing, empty, not UTF-8 or not a table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = list(csv.reader(file, strict=True)) or [[]]
    except FileNotFoundError:
        raise DataError(f"no file {path}: check the path") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, not a table: name a CSV file") from None
    except PermissionError:
        raise DataError(f"{path} cannot be read: check its permissions") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text: save it as CSV (UTF-8)") from None
    except csv.Error as error:
        raise DataError(
            f"{path} is not a table: {error}; look for a quotation mark that is not closed"
        ) from None
    if not header and not rows:
        raise DataError(f"{path} is empty: expected a header row and at least one row")
    names = [name or f"column {number}" for number, name in enumerate(header, 1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"{path} has more than one column {', '.join(twice)}: rename or remove one")
    width = len(names)
    long = [
        f"{len(cells)} cells, the header has {width}" if any(cells[width:]) else ""
        for cells in rows
    ]
    square = [
        [""] * width if said else (cells + [""] * width)[:width]
        for cells, said in zip(rows, long, strict=True)
    ]
    frame = pd.DataFrame(square, columns=names, dtype="str")
    frame = frame.where(frame != "")
    if any(long):
        frame[CELLS] = pd.Series([said or None for said in long], dtype="str")
    return frame.dropna(how="all")


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
    if CELLS in raw:
        long = raw[raw[CELLS].notna()]
        cells = {
            "file": file,
            "row": long.index + 2,
            "column": CELLS,
            "value": "(not shown)",
            "problem": long[CELLS],
        }
        found.append(
            pd.DataFrame(
                cells | {"remedy": "put a cell that holds a comma between quotation marks"}
            )
        )
        raw = raw[raw[CELLS].isna()]

    def note(
        rows: pd.Series, column: str, problem: str, remedy: str | dict[str, str], shown: bool = True
    ) -> None:
        if rows.any():
            value = raw.loc[rows, column] if shown else "(not shown)"
            text = (
                value.map(remedy)
                if isinstance(remedy, dict) and isinstance(value, pd.Series)
                else remedy
            )
            found.append(
                pd.DataFrame(
                    {
                        "file": file,
                        "row": raw.index[rows] + 2,
                        "column": column,
                        "value": value,
                        "problem": problem,
                        "remedy": text,
                    }
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
            what = (
                "unknown state"
                if spec["type"] == "state"
                else f"not one of the allowed values of {column}"
            )
            note(
                wrong,
                column,
                what,
                {value: _remedy(value, choice, column) for value in cells[wrong].unique()},
            )
        elif spec["type"] in ("id", "url"):
            pattern = spec.get("pattern", r"https?://\S+")
            note(
                ~blank & ~cells.fillna("").str.fullmatch(pattern),
                column,
                "not of the expected form",
                f"expected the form {pattern}",
                shown,
            )
        elif spec["type"] == "edtf":
            when = edtf.bounds(cells)
            note(
                ~blank & ~when["valid"],
                column,
                "not a date",
                "write 2015, 2015-03 or 2015-03-05 (EDTF)",
            )
            far = (when["date_start"].dt.year < 1900) | (when["date_end"].dt.year > 2100)
            note(far, column, "a year before 1900 or after 2100", "write the year with four digits")
        elif spec["type"] in ("year", "integer", "number"):
            pattern = {"year": r"[12]\d{3}", "integer": r"-?\d+", "number": r"-?\d+(\.\d+)?"}[
                spec["type"]
            ]
            note(
                ~blank & ~cells.fillna("").str.fullmatch(pattern),
                column,
                f"not a {spec['type']}",
                f"write a {spec['type']}",
            )
    key = codebook()["table"][table].get("key", [])
    if key and set(key) <= set(raw):
        note(
            raw.duplicated(key) & raw[key].notna().all(axis=1),
            key[0],
            "the key occurs twice",
            "each row needs its own key",
            False,
        )
    if not found:
        return pd.DataFrame(columns=PROBLEM_COLUMNS)
    return (
        pd.concat(found)
        .assign(action="set aside")
        .sort_values(["row", "column"])
        .reset_index(drop=True)[PROBLEM_COLUMNS]
    )


def _remedy(value: str, choice: dict[str, str], column: str) -> str:
    guess = nearest(value, choice)
    if guess:
        return f"did you mean {guess}?"
    return (
        "write an ISO 3166-1 alpha-3 code such as TJK"
        if choice is states()
        else f"see `cape codebook {column}`"
    )


def typed(raw: pd.DataFrame, table: str) -> pd.DataFrame:
    """A table of allowed text as a tidy frame: one cleaned column a line of the codebook, in its order.

    Types: id, text, url, state: str; code: categorical in the codebook's order; year, integer: Int64; number: float64;
    edtf: str as written; yes: nullable boolean, True or missing (a blank is "not reported", never False).
    """
    clean = {
        name: _typed(
            raw[name] if name in raw else pd.Series(None, index=raw.index, dtype="str"), spec
        )
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


def withdrawn_keys() -> set[str]:
    """The keys of data/withdrawn.csv."""
    return set(read_text(room("data") / codebook()["table"]["withdrawn"]["path"])["id"].dropna())


def withdrawn(incidents: pd.DataFrame) -> set[str]:
    """Keys that may not appear: those of data/withdrawn.csv, their incidents, and the sources that only these incidents had."""
    keys = withdrawn_keys()
    if not keys:
        return keys
    linked = incidents.reindex(columns=["incident_id", "exile_id", "source_id"])
    gone = linked.isin(keys).any(axis=1)
    sources = set(linked.loc[gone, "source_id"].dropna()) - set(linked.loc[~gone, "source_id"])
    return keys | sources | set(linked.loc[gone, "incident_id"].dropna())


def is_withdrawn(raw: pd.DataFrame, keys: set[str]) -> pd.Series:
    """Does a row hold one of these keys, as its own or as the key of its exile, incident or source?"""
    return (
        raw[[name for name in LINKS if name in raw]]
        .isin(keys)
        .any(axis=1)
    )


def table(name: str) -> pd.DataFrame:
    """One of the shipped tables with the codebook's types, for example "regimes", "memberships", "audit".

    Rows with a withdrawn key are left out. Raises ParameterError for a name that the codebook does not hold.

    >>> table("displaced").dtypes.astype(str).to_dict()
    {'origin': 'str', 'year': 'Int64', 'refugees': 'Int64', 'asylum_seekers': 'Int64'}
    """
    from capelib.errors import ParameterError
    from capelib.vocabulary.codebook import unknown

    known = codebook()["table"]
    if name not in known:
        raise ParameterError(unknown("table", name, list(known)))
    read = [room("data") / known[each]["path"] for each in (name, "incidents", "withdrawn")]
    return _table(
        name, *((path, path.stat().st_mtime_ns if path.exists() else 0) for path in read)
    ).copy()


@lru_cache(maxsize=32)
def _table(
    name: str, own: tuple[Path, int], incidents: tuple[Path, int], _withdrawn: tuple[Path, int]
) -> pd.DataFrame:
    """The table as of these files: read once, since models ask for memberships of every year."""
    raw = read_text(own[0])
    gone = is_withdrawn(raw, withdrawn(read_text(incidents[0])))
    return typed(raw[~gone].reset_index(drop=True), name)
