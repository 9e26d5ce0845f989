"""What users rely on when a sheet holds more than one table, and a workbook more than one sheet.

Each row is read by its own header or set aside unseen; nothing beside or below vanishes.
"""

import openpyxl
import pytest
from shared import all_text, changes_by, slow, spread

import capelib as cape
from capelib.check.files import examine

COLUMNS = ["Country of origin", "Host country", "Date of incident", "What happened"]
ROWS = [
    ["Tajikistan", "Russia", "2015-03-05", "arrested"],
    ["Uzbekistan", "Turkey", "2016-01-20", "extradited"],
    ["Turkmenistan", "Turkey", "2017-11-02", "deported"],
]
READ = [
    ("TJK", "RUS", "2015-03-05", "detention"),
    ("UZB", "TUR", "2016-01-20", "extradition"),
    ("TKM", "TUR", "2017-11-02", "deportation"),
]


@pytest.fixture
def of_text(tmp_path):
    """What is made of a text table."""

    def read(text: str) -> cape.dataset.Dataset:
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        return examine(path)

    return read


@pytest.fixture
def of_sheets(tmp_path):
    """What is made of a workbook: its sheets by name, each a list of rows."""

    def read(sheets: dict[str, list[list]], merged: str = "", **how) -> cape.dataset.Dataset:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
            if merged:
                sheet.merge_cells(merged)
        path = tmp_path / "mine.xlsx"
        book.save(path)
        return examine(path, **how)

    return read


def incidents(ds) -> list[tuple]:
    frame = ds.incidents[["origin", "host", "date", "measure"]].astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def turned(row: list[str]) -> list[str]:
    return [row[1], row[0], *row[2:]]


# ---------------------------------------------------------------- below each other


@pytest.mark.parametrize("between", spread(["\n", "\n,,,\n"], 1))
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["origin", "host", "date", "measure"], ["host", "origin", "date", "measure"]),
        (COLUMNS, turned(COLUMNS)),
        slow(COLUMNS, ["Where", "Nationality", "When", "Action"]),
        slow(COLUMNS, [name.upper() for name in turned(COLUMNS)]),
    ],
)
def test_rows_below_a_second_header_are_read_by_that_one(of_text, first, second, between):
    upper = "\n".join(",".join(row) for row in [first, *ROWS])
    lower = "\n".join(",".join(row) for row in [second, *map(turned, ROWS)])
    ds = of_text(f"{upper}{between}{lower}\n")
    assert incidents(ds) == READ + READ
    assert ds.set_aside["why"].tolist() == ["row: the names of columns again"]
    told = ds.changes.query("rule == 'read.header_below'")
    assert told["severity"].tolist() == ["guess"]


@pytest.mark.slow
def test_rows_below_a_second_header_that_is_not_understood_are_set_aside_unseen(of_text):
    ds = of_text(
        "Name,Country of origin,Host country,Date,What happened\n"
        "Madeup Oneson,Tajikistan,Russia,2015,arrested\n"
        "Country of origin,Name,Host country,Date,Remarks\n"
        "Tajikistan,Zorvan Quxley,Russia,2017,seen by Zorvan Quxley\n"
    )
    assert incidents(ds) == [("TJK", "RUS", "2015", "detention")]
    assert ds.set_aside["row"].tolist() == [3, 4]
    assert "no layout understands" in ds.set_aside["why"].iloc[1]
    assert "Quxley" not in all_text(ds) and "Madeup" not in all_text(ds)


def test_names_below_a_second_header_are_not_taken_for_states_and_not_shown(of_text):
    ds = of_text(
        "Name,Country of origin,Host country,Date,What happened\n"
        "Madeup Oneson,Tajikistan,Russia,2015,arrested\n"
        "Country of origin,Name,Host country,Date,What happened\n"
        "Tajikistan,Madeup Threeson,Russia,2017,arrested\n"
        "Uzbekistan,Madeup Fourson,Turkey,2018,deported\n"
    )
    assert [origin for origin, *_ in incidents(ds)] == ["TJK", "TJK", "UZB"]
    assert ds.info.rows["exiles"] == 3 and "son" not in ds.set_aside.to_csv()
    assert "Madeup" not in all_text(ds)


def test_a_row_of_data_is_no_header_though_some_of_its_words_are_headers(of_text):
    rows = "Tajikistan,Russia,2015,detention,activist\nTajikistan,Russia,2016,threat,role\n"
    ds = of_text(f"origin,host,date,measure,category\n{rows}")
    assert not len(ds.changes.query("rule == 'read.header_below'")) and len(ds.incidents) >= 1


# ---------------------------------------------------------------- beside each other


@pytest.mark.parametrize(
    "second",
    [COLUMNS, slow(["Nationality", "Country of residence", "When", "Action"])],
)
def test_a_table_beside_the_first_is_told_and_set_aside(of_sheets, second):
    beside = [[*left, None, *right] for left, right in zip(ROWS, ROWS[::-1], strict=True)]
    ds = of_sheets({"Sheet": [[*COLUMNS, None, *second], *beside]})
    assert incidents(ds) == READ
    assert set(ds.set_aside["sheet"]) == {"Sheet (second table)"} and len(ds.set_aside) == 3
    assert ds.set_aside["why"].str.contains("a second table beside the first").all()


# ---------------------------------------------------------------- sheets


def test_all_sheets_that_one_layout_understands_are_read_each_row_with_its_sheet(of_sheets):
    other_order = [[row[2], *row[:2], row[3]] for row in [COLUMNS, *ROWS]]
    one_more = [[*COLUMNS, "Remarks"], *([*row, "made up"] for row in ROWS)]
    ds = of_sheets({"2015": [COLUMNS, *ROWS], "2016": one_more, "2017": other_order})
    assert incidents(ds) == READ * 3
    assert ds.rows["sheet"].tolist() == ["2015"] * 3 + ["2016"] * 3 + ["2017"] * 3
    assert ds.rows["row"].tolist() == [2, 3, 4] * 3
    (told,) = ds.changes.query("rule == 'read.same_sheets'")["made"]
    assert told.endswith("that the same layout understands: 2015, 2016, 2017")


def test_the_sheet_that_a_layout_understands_comes_before_the_fullest(of_sheets):
    codes = [["Variable", "Label", "Values", "Source"]]
    codes += [[f"v{n}", f"Question {n}", "0 no; 1 yes", "handbook"] for n in range(20)]
    ds = of_sheets({"Codebook": codes, "Data": [COLUMNS, *ROWS]})
    assert incidents(ds) == READ and set(ds.rows["sheet"]) == {"Data"}
    (told,) = ds.changes.query("rule == 'read.other_sheets'")["made"]
    assert told == "not read: Codebook; name a sheet to read it instead"


@pytest.mark.slow
def test_a_title_merged_over_most_columns_is_a_title(of_sheets):
    wide = [[*row, None] for row in [COLUMNS, *ROWS]]
    ds = of_sheets({"Data": [["Made up exiles, state of May"], *wide]}, merged="A1:C1")
    assert incidents(ds) == READ and ds.tables[0].header_rows == (2,)
    assert set(ds.tables[0].match.columns) == set(COLUMNS)


# ---------------------------------------------------------------- headers of text files


def test_rs_header_without_the_column_of_row_names_is_moved_by_one_as_a_guess(of_text):
    ds = of_text(
        '"name","origin","host","date","measure"\n'
        '"1","Madeup Oneson","Tajikistan","Russia","2015-03-05","arrested"\n'
        '"2","Madeup Twoson","Uzbekistan","Turkey","2016-01-20","extradited"\n'
        '"3","Madeup Threeson","Turkmenistan","Turkey","2017-11-02","deported"\n'
    )
    assert incidents(ds) == READ and "Madeup" not in all_text(ds)
    (told,) = ds.changes.query("rule == 'read.short_header'").to_dict("records")
    assert told["severity"] == "guess" and told["made"].startswith("column names moved by one")


@pytest.mark.parametrize("names", [("a", "b", "c"), ("row1", "row2", "row9"), ("3", "17", "21")])
@pytest.mark.parametrize("sign", [",", " "])
def test_rs_names_of_rows_may_be_letters_or_what_is_left_of_the_numbers(of_text, names, sign):
    cells = [COLUMNS, *([name, *row] for name, row in zip(names, ROWS, strict=True))]
    lines = [sign.join(f'"{cell}"' for cell in row) for row in cells]
    ds = of_text("\n".join(lines) + "\n")
    assert incidents(ds) == READ
    assert len(ds.changes.query("rule == 'read.short_header' and severity == 'guess'")) == 1


@pytest.mark.parametrize("first", ["id", "No.", "case number"])
def test_a_header_of_numbers_is_not_moved_where_the_last_name_is_lacking(of_text, first):
    text = f"{first},origin,host,measure\n"
    text += "3,Tajikistan,Russia,arrested,x\n17,Uzbekistan,Turkey,extradited,y\n"
    assert list(of_text(text).incidents["origin"]) == ["TJK", "UZB"]


@pytest.mark.parametrize(
    "comments",
    [
        "# Exile incidents, version 3, by hand, do not cite\n# origin = state that pursues",
        "# compiled by hand",
        "# a, b, c, d\n#\n# one more, of two",
    ],
)
def test_comments_above_the_header_are_no_header(of_text, comments):
    ds = of_text(f"{comments}\norigin,host,date,measure\nTajikistan,Russia,2015,detention\n")
    assert incidents(ds) == [("TJK", "RUS", "2015", "detention")] and ds.set_aside.empty


def test_a_number_sign_as_the_name_of_a_column_is_no_comment(of_text):
    ds = of_text("#,origin,host,date,measure\n1,Tajikistan,Russia,2015,detention\n")
    assert incidents(ds) == [("TJK", "RUS", "2015", "detention")]
    ds = of_text("# case,origin,host,measure\nA,Tajikistan,Russia,detention\n")
    assert ds.incidents["host"].tolist() == ["RUS"] and changes_by(ds, "column.unknown")
