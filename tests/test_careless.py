"""The careless colleague's table is what later tests take it for.

The same 200 rows in three files, with every trap in it.
"""

import csv
import datetime
import re
import zipfile

import careless
import pandas as pd
import pytest
import python_calamine

import capelib as cape
from capelib.vocabulary import edtf


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return careless.write(tmp_path_factory.mktemp("from a colleague"))


def opened(path) -> list[list[object]]:
    """All cells of the table's sheet, as a reader sees them."""
    if path.suffix == ".csv":
        with path.open(encoding="cp1251", newline="") as file:
            return list(csv.reader(file, delimiter=";"))
    return (
        python_calamine.CalamineWorkbook.from_path(str(path))
        .get_sheet_by_name(careless.SHEET)
        .to_python()
    )


def shown(cell: object) -> object:
    """What a cell of the table shows once it is saved; an empty text is an empty cell."""
    cell = cell.shows if isinstance(cell, careless.Formula) else cell
    return "" if cell is None else cell


@pytest.mark.parametrize("form", ["xlsx", "ods"])
def test_both_spreadsheets_open_and_hold_the_200_rows_below_two_header_rows_and_a_title(
    paths, form
):
    title, groups, names, *rows = opened(paths[form])
    assert title == [careless.TITLE] + [""] * 9
    assert groups == ["Who", "", "", "What", "", "", "Also", "", "Source link", "Notes"]
    assert names == [*careless.COLUMNS[:8], "", ""]
    assert len(rows) == careless.ROWS == 200
    assert rows == [
        [shown(cell) for cell in row] for row in careless.careless().to_numpy().tolist()
    ]


def test_the_csv_file_opens_as_cp1251_with_semicolons_and_holds_the_200_rows(paths):
    header, *rows = opened(paths["csv"])
    assert header == careless.COLUMNS and len(rows) == 200
    assert {len(row) for row in rows} == {10}
    with pytest.raises(UnicodeDecodeError):
        paths["csv"].read_text(encoding="utf-8")
    assert ["Таджикистан" in row for row in rows].count(True) >= 3
    assert "То?икистон" in {row[2] for row in rows}  # Tajik letters do not survive cp1251


def test_it_is_the_same_table_each_time():
    pd.testing.assert_frame_equal(careless.careless(), careless.careless())
    pd.testing.assert_frame_equal(careless.truth(), careless.truth())


def test_hidden_rows_merged_cells_and_results_of_formulas_are_in_the_spreadsheets(paths):
    with zipfile.ZipFile(paths["xlsx"]) as book:
        sheet = book.read("xl/worksheets/sheet2.xml").decode()
    hidden = [
        int(number) - careless.FIRST_ROW["xlsx"]
        for number in re.findall(r'<row r="(\d+)"[^>]*hidden="1"', sheet)
    ]
    assert hidden == careless.truth().query("hidden").index.tolist() and len(hidden) == 3
    assert (
        len(re.findall(r"<mergeCell ", sheet)) == 12
    )  # the title, five in the header, two groups of rows in three columns
    formulas = re.findall(r"<f>[^<]*</f><v>([^<]+)</v>", sheet)
    assert len(formulas) == sheet.count("<f>") > 20 and "188" in formulas
    with zipfile.ZipFile(paths["ods"]) as book:
        content = book.read("content.xml").decode()
    assert content.count('table:visibility="collapse"') == 3 and content.count(
        "table:formula="
    ) == len(formulas)
    assert (
        content.count("table:number-rows-spanned=") == 8
    )  # two column names and two groups of rows in three columns


def test_every_habit_is_in_it():
    table, truth = careless.careless(), careless.truth()
    when = table["When"]
    for kind in (datetime.date, int, str):
        assert when.map(lambda cell, kind=kind: isinstance(cell, kind)).sum() >= 5, kind
    assert table.isin([True]).to_numpy().sum() > 10
    written = {str(cell) for column in table for cell in table[column]}
    for habit in (
        "EU",
        "USSR",
        "05.03.15",
        "31.02.2015",
        "Poland\nAustria",
        "detained, then deported",
        "=1+1",
        "-",
        "@home",
        "да",
        "x",
    ):
        assert habit in written, habit
    for habit in (
        "summer",
        "осень",
        "early",
        "c. ",
        r"\?$",
        r"^\d{4}-\d{4}$",
        " г.",
        "март|май|июль",
        r"^\d\d\.\d\d\.\d{4}$",
    ):
        assert when.astype(str).str.contains(habit).any(), habit
    assert all(len(set(spellings) & written) >= 3 for spellings in careless.ORIGINS.values())
    assert truth["kind"].value_counts().to_dict() == {
        "incident": 192,
        "blank": 4,
        "heading": 1,
        "header": 1,
        "total": 1,
        "footer": 1,
    }
    assert (truth["same_as"] >= 0).sum() == 4 and (truth["near"] >= 0).sum() == 3
    assert (truth["hosts"].str.len() > 1).sum() == 5 and (
        truth["measures"].str.len() > 1
    ).sum() == 5
    assert set().union(*truth["measures"]) == set(cape.codes("measure"))


@pytest.mark.parametrize("form", ["xlsx", "ods", "csv"])
def test_what_the_rows_mean_is_in_the_codebooks_words(form):
    truth = careless.truth(form)
    kept = truth[(truth["set_aside"] == "") & (truth["kind"] == "incident")]
    assert len(truth) == 200 and len(kept) + (truth["set_aside"] != "").sum() + 4 == 200
    assert set(kept["origin"]) == set(cape.CENTRAL_ASIA)
    assert set().union(*kept["hosts"]) <= set(cape.states())
    assert set(kept["category"]) == set(cape.codes("category"))
    assert set(kept["relatives"]) == set(kept["interpol"]) == {"yes", ""}
    assert (kept["measures"].str.len() >= 1).all()
    written = kept.loc[kept["date"] != "", "date"]
    assert edtf.bounds(written)["valid"].all() and len(written) > 150
    aside = truth[truth["set_aside"] != ""]
    assert not aside[["origin", "date"]].to_numpy().any()


def test_a_repeated_row_has_the_cells_of_the_row_that_it_repeats():
    table, truth = careless.careless(), careless.truth()
    for place, other in truth.loc[truth["same_as"] >= 0, "same_as"].items():
        assert other < place and table.loc[place].tolist() == table.loc[other].tolist()
    for place, other in truth.loc[truth["near"] >= 0, "near"].items():
        assert other < place and table.loc[place].tolist() != table.loc[other].tolist()


def test_merged_cells_are_known_in_the_spreadsheets_and_gone_in_csv():
    table = careless.careless()
    under = table.index[table["Country of origin"].isna() & table["Where?"].notna()]
    assert len(under) == 3
    assert careless.truth("ods").loc[under, "origin"].tolist() == ["TJK", "TJK", "UZB"]
    assert set(careless.truth("csv").loc[under, "set_aside"]) == {"Country of origin: blank"}


def test_nobody_in_it_exists():
    persons = careless.truth()["person"]
    assert set(persons[~persons.str.fullmatch(r"Person +[A-Za-z]+(?:[- ][A-Za-z]+)?")]) == {
        "",
        "3 men (not named)",
    }
