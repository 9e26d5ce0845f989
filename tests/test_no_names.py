"""No committed table has a column that may hold names of persons: by its header, not its cells."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from capelib.meaning.persons import is_name_column

ROOT = Path(__file__).parent.parent
NAMES_OF_STATES = {
    "data/names/cities.csv",
    "data/names/historical.csv",
    "data/names/names.csv",
    "data/names/not_states.csv",
    "data/names/subdivisions.csv",
    "data/reference/states.csv",
}
COUNTS = {"exiles", "interpol_named", "persons", "refugees"}  # how many there are, not who
TABLES = sorted(path for folder in ("data", "figures") for path in (ROOT / folder).rglob("*.csv"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TABLES, ids=place)
def test_no_column_of_a_table_may_hold_names(path):
    if not path.read_text(encoding="utf-8").strip():
        return  # too few cases: a table without rows and columns
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    suspects = {column for column in table if is_name_column(column)}
    counts = {
        column for column in suspects & COUNTS if pd.api.types.is_numeric_dtype(table[column])
    }
    flags = {column for column in suspects if set(table[column].dropna()) == {"yes"}}
    states = {"name"} if place(path) in NAMES_OF_STATES else set()
    assert suspects - counts - flags <= states


@pytest.mark.parametrize("path", NOTEBOOKS, ids=place)
def test_no_table_that_a_notebook_shows_has_a_column_of_names(path):
    outputs = [
        output
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
    ]
    shown = "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)
    headers = re.findall(r"<th[^>]*>([^<]*)</th>", shown)
    assert {header for header in headers if is_name_column(header)} <= COUNTS


def test_a_column_of_names_is_seen():
    assert is_name_column("Full name") and not is_name_column("origin")
