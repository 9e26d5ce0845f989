"""Dates of workbooks as they were typed, and dates that stand in several columns."""

from datetime import date, datetime, timedelta
from pathlib import Path

import odf.opendocument
import odf.table
import odf.text
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from shared import slow, spread

import capelib as cape
from capelib.clean.layouts import read_layout
from capelib.errors import DataError
from capelib.read.workbook_dates import MONTH, NO_YEAR, YEAR, part_shown, part_shown_by_format

HEADER = ["Country of origin", "Host country", "Date of incident", "What happened"]
WHOLE = "dd/mm/yyyy"


def workbook(path: Path, *cells: tuple[object, str], from_1904: bool = False) -> cape.Dataset:
    """The incidents of a workbook with these dates, each with its number format."""
    book = openpyxl.Workbook()
    if from_1904:
        book.epoch = CALENDAR_MAC_1904
    book.active.append(HEADER)
    for row, (value, form) in enumerate(cells, 2):
        book.active.append(["Tajikistan", "Russia", None, "arrested"])
        book.active.cell(row, 3, value).number_format = form
    book.save(path)
    return cape.load(path)


def table(columns: str, *rows: str, layout: str = "") -> cape.Dataset:
    """The incidents of a table with these columns of dates beside origin, host and measure."""
    names = ["origin", "host", "what happened", *columns.split(",")]
    content = [["Tajikistan", "Russia", "arrested", *row.split(",")] for row in rows]
    frame = pd.DataFrame(content, columns=names, dtype="str").replace("", None)
    return cape.load(frame, layout=layout)


def dates(ds: cape.Dataset) -> list[str | None]:
    return [None if pd.isna(value) else value for value in ds.incidents["date"]]


def doubted(ds: cape.Dataset) -> dict[int, str]:
    """The rule of the guess at the date of each row."""
    changes = ds.changes[(ds.changes["severity"] == "guess") & (ds.changes["column"] != "exile_id")]
    return dict(zip(changes["row"].astype(int), changes["rule"], strict=True))


# ---------------------------------------------------------------- workbooks


@pytest.mark.slow
def test_a_date_is_as_exact_as_the_sheet_shows_it(tmp_path):
    ds = workbook(
        tmp_path / "mine.xlsx",
        (date(2015, 3, 1), "mmm-yy"),
        (date(2016, 11, 1), "[$-409]mmmm\\ yyyy;@"),
        (date(2012, 6, 14), "d-mmm-yy"),
        (date(2019, 1, 1), "yyyy"),
        (date(2019, 3, 17), "mm/yyyy"),
        (date(2024, 3, 5), "d-mmm"),
    )
    assert dates(ds) == ["2015-03", "2016-11", "2012-06-14", "2019", "2019-03", "2024-03-05"]
    assert doubted(ds) == {6: "read.shown_date", 7: "read.hidden_year"}


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("mmm-yy", MONTH),
        ('yyyy"年"m"月"', MONTH),
        ("yyyy", YEAR),
        ("mmmm", NO_YEAR),
        ("d. mmm", NO_YEAR),
        ("dd/mm/yyyy", ""),
        ("yyyy-mm-dd hh:mm", ""),
        ("h:mm", ""),
        ("General", ""),
        ("0.00", ""),
        ("@", ""),
        ('"day" 0', ""),
    ],
)
def test_a_number_format_shows_a_part_of_a_date(code, part):
    assert part_shown_by_format("165", code) == part


@pytest.mark.parametrize(
    ("day", "text", "part"),
    [
        ("2015-03-01", "Mar 15", MONTH),
        ("2015-03-01", "марта 2015", MONTH),
        ("2015-03-01", "03/15", MONTH),
        ("2015-01-01", "2015", YEAR),
        ("2015-03-05", "5 Mar", NO_YEAR),
        ("2015-03-15", "15 Mar", ""),  # its day or its year
        ("2015-03-05", "05/03/15", ""),
        ("2015-03-05", "5 March 2015", ""),
        ("2015-03-05T10:00:00", "10:00", ""),
        ("2015-03-05", "", ""),
    ],
)
def test_the_text_of_a_date_shows_a_part_of_it(day, text, part):
    assert part_shown(day, text) == part


@pytest.mark.slow
def test_an_ods_workbook_says_how_exact_its_dates_are_by_what_it_shows(tmp_path):
    def cell(shown: str, **how: str) -> odf.table.TableCell:
        cell = odf.table.TableCell(**how or {"valuetype": "string"})
        cell.addElement(odf.text.P(text=shown))
        return cell

    shown = {"2015-03-01": "Mar 15", "1905-07-08": "08/07/05", "2012-06-14": "14/06/12"}
    rows = [[cell(name) for name in HEADER]]
    for day, text in shown.items():
        of_day = cell(text, valuetype="date", datevalue=day)
        rows.append([cell("Tajikistan"), cell("Russia"), of_day, cell("arrested")])
    book = odf.opendocument.OpenDocumentSpreadsheet()
    sheet = odf.table.Table(name="Data")
    for cells in rows:
        line = odf.table.TableRow()
        for each in cells:
            line.addElement(each)
        sheet.addElement(line)
    book.spreadsheet.addElement(sheet)
    book.save(str(tmp_path / "mine.ods"))
    ds = cape.load(tmp_path / "mine.ods")
    assert dates(ds) == ["2015-03", "2016", "2012-06-14"]
    assert doubted(ds) == {3: "date.typed-year"}


@pytest.mark.parametrize("from_1904", [False, True])
@pytest.mark.slow
def test_a_year_typed_into_a_date_cell_is_that_year_as_a_guess(tmp_path, from_1904):
    cells = [(2015, WHOLE), (2016, "yyyy"), (date(2012, 6, 14), WHOLE)]
    ds = workbook(tmp_path / "mine.xlsx", *cells, from_1904=from_1904)
    assert dates(ds) == ["2015", "2016", "2012-06-14"]
    assert set(doubted(ds)) == {2, 3}


@pytest.mark.slow
def test_numbers_of_days_count_from_where_the_workbook_counts(tmp_path):
    days = (date(2015, 3, 5) - date(1904, 1, 1)).days
    cells = [(days, "General"), (date(2016, 1, 20), WHOLE)]
    ds = workbook(tmp_path / "mine.xlsx", *cells, from_1904=True)
    assert dates(ds) == ["2015-03-05", "2016-01-20"]
    assert doubted(ds) == {2: "date.serial-1904"}
    days = (date(2015, 3, 5) - date(1899, 12, 30)).days
    ds = workbook(tmp_path / "mine.xlsx", (days, "General"))
    assert dates(ds) == ["2015-03-05"] and doubted(ds) == {2: "date.serial"}


@pytest.mark.slow
def test_the_marks_of_empty_date_cells_are_no_dates(tmp_path):
    cells = [(number, WHOLE) for number in (0, 1, 60)]
    ds = workbook(tmp_path / "mine.xlsx", *cells, (datetime(2015, 3, 5, 19), WHOLE))
    assert dates(ds) == [None, None, None, "2015-03-05"]
    assert doubted(ds) == dict.fromkeys((2, 3, 4), "read.zero_date")


@pytest.mark.slow
def test_dates_of_another_country_are_turned_back_where_the_texts_show_it(tmp_path):
    # 3/5/2015 became 3 May on a machine that writes the day first; 3/15/2015 stayed a text
    american = [(date(2015, 5, 3), WHOLE), ("3/15/2015", "@"), (date(2016, 2, 11), WHOLE)]
    ds = workbook(tmp_path / "mine.xlsx", *american)
    assert dates(ds) == ["2015-03-05", "2015-03-15", "2016-11-02"]
    assert doubted(ds) == dict.fromkeys((2, 4), "read.turned_date")
    european = [(date(2015, 3, 5), WHOLE), ("15/3/2015", "@")]
    assert dates(workbook(tmp_path / "mine.xlsx", *european)) == ["2015-05-03", "2015-03-15"]


@pytest.mark.parametrize(
    "others",
    [
        [("3/15/2015", "@"), ("15/3/2015", "@")],  # texts of both orders
        slow([("3/15/2015", "@"), (date(2015, 3, 25), WHOLE)]),  # no machine of one order
    ],
)
@pytest.mark.slow
def test_dates_that_may_be_turned_round_are_guesses_where_the_column_shows_no_one_order(
    tmp_path, others
):
    ds = workbook(
        tmp_path / "mine.xlsx", (date(2015, 5, 3), WHOLE), *others, (date(2015, 5, 5), WHOLE)
    )
    assert dates(ds)[0] == "2015-05-03" and doubted(ds) == {2: "read.turned_date"}


@pytest.mark.parametrize("text", spread(["15/13/2015", "3/5/2015", "spring 2015", "2015-05-03"], 1))
@pytest.mark.slow
def test_dates_stand_where_the_texts_of_the_column_show_nothing(tmp_path, text):
    ds = workbook(tmp_path / "mine.xlsx", (date(2015, 5, 3), WHOLE), (text, "@"))
    assert dates(ds)[0] == "2015-05-03"
    whole = [(date(2015, 5, 3), WHOLE), ("3/15/2015", "@"), (date(2015, 5, 23), WHOLE)]
    assert dates(workbook(tmp_path / "mine.xlsx", *whole))[0] == "2015-05-03"


# ---------------------------------------------------------------- year, month and day


@pytest.mark.parametrize(
    "names", spread(["Year,Month,Day", "iyear,imonth,iday", "Год,Месяц,День"], 1)
)
@pytest.mark.slow
def test_year_month_and_day_are_one_date(names):
    rows = ["2015,3,5", "2016,1,", "2017,,", "2018,0,0", "2019,March,5", "2020,-9,99"]
    ds = table(names, *rows)
    assert dates(ds) == ["2015-03-05", "2016-01", "2017", "2018", "2019-03-05", "2020"]
    assert not doubted(ds)


@pytest.mark.slow
def test_parts_that_make_no_date_set_their_row_aside_or_are_told():
    ds = table("Year,Month,Day", "2015,16,3", "2015,16,", "2015,2,30", "2015,,5", ",3,5", "15,3,5")
    assert dates(ds) == ["2015"]
    assert list(doubted(ds).values()) == ["date.columns.no-month"]
    assert ds.set_aside["why"].str.startswith("date: ").all() and len(ds.set_aside) == 5


@pytest.mark.slow
def test_a_day_without_its_year_takes_the_year_beside_it():
    rows = ["5 March,2015", "January,2016", ",2017", "14/06,2012", "05.03.15,2015", "unknown,2014"]
    ds = table("Date,Year", *rows)
    assert dates(ds) == ["2015-03-05", "2016-01", "2017", "2012-06-14", "2015-03-05", "2014"]


@pytest.mark.parametrize("names", ["Date,Year", "Year,Date"])
@pytest.mark.slow
def test_a_whole_date_is_kept_beside_its_year_and_another_year_is_told(names):
    rows = ["2015-03-05,2015", "November 2017,2017", "2016-01-20,2015"]
    if names == "Year,Date":
        rows = [",".join(reversed(row.split(","))) for row in rows]
    ds = table(names, *rows)
    assert dates(ds) == ["2015-03-05", "2017-11", "2016-01-20"]
    assert list(doubted(ds).values()) == ["date.columns.other-year"]


# ---------------------------------------------------------------- start and end


@pytest.mark.parametrize(
    "names", spread(["Start date,End date", "Date / from,Date / to", "Date,End date"], 1)
)
@pytest.mark.slow
def test_start_and_end_are_one_interval_and_a_blank_end_is_none(names):
    rows = ["2015-03-05,2015-03-09", "2016-01-20,", "2016-01-20,2016-01-20", "2017,n/a"]
    ds = table(names, *rows)
    assert dates(ds) == ["2015-03-05/2015-03-09", "2016-01-20", "2016-01-20", "2017"]
    assert not doubted(ds)


@pytest.mark.slow
def test_a_start_or_end_that_is_a_guess_stays_one():
    ds = table("Start date,End date", "3/5/2015,4/5/2015", "2015,ongoing", ",2016-02")
    assert dates(ds) == ["2015-05-03/2015-05-04", "2015", "2016-02"]
    assert len(doubted(ds)) == 3


def test_a_year_that_is_yet_to_come_sets_the_row_aside():
    this = date.today().year
    ds = table("date", f"{this}-12-31", f"{this + 1}-01-01", "2051-03-05", f"{this}/{this + 2}")
    assert list(ds.incidents["date"]) == [f"{this}-12-31", f"{this}/{this + 2}"]
    assert (ds.set_aside["why"] == "date: a year that is yet to come").all()


@pytest.mark.slow
def test_an_end_before_its_start_sets_the_row_aside():
    ds = table("Start date,End date", "2015-03-09,2015-03-05", "2015,2016")
    assert dates(ds) == ["2015/2016"]
    assert list(ds.set_aside["why"]) == ["date: ends before it begins"]


# ---------------------------------------------------------------- layouts


@pytest.mark.slow
def test_a_layout_says_which_columns_make_a_date(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[columns]\norigin = []\nmeasure = "what happened"\nyear = "J"\nmonth = "M"\nend = "E"\n'
    )
    ds = table("J,M,E", "2015,3,2015-04", "2016,,", layout=str(path))
    assert dates(ds) == ["2015-03/2015-04", "2016"]
    path.write_text('[columns]\norigin = []\nmeasure = []\n[values.year]\n"x" = "2015"\n')
    with pytest.raises(DataError, match="year"):
        read_layout(path)


@pytest.mark.slow
def test_many_dates_in_three_columns_come_back_in_their_rows():
    days = [date(2000, 1, 1) + timedelta(number % 5000) for number in range(50_000)]
    frame = pd.DataFrame({"origin": "TJK", "what happened": "detention"}, index=range(len(days)))
    frame["year"] = [str(day.year) for day in days]
    frame["month"] = [str(day.month) for day in days]
    frame["day"] = [str(day.day) for day in days]
    assert dates(cape.load(frame)) == [day.isoformat() for day in days]
