"""A table is read whatever its form; each decision is noted, no row and no cell gets lost."""

import csv
import datetime
import hashlib
import io
import json
import random
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import odf.opendocument
import odf.table
import odf.text
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared import examples, slow

import capelib as cape
from capelib.read import files
from capelib.read.files import read
from capelib.read.sheet import EXTRA, Sheet

HEADER = ["exile_id", "origin", "host", "date", "measure"]
ROWS = [
    ["E1", "TJK", "RUS", "2015-03", "detention"],
    ["E2", "UZB", "TUR", "summer 2015", "threat"],
    ["E3", "KAZ", "AUT", "2016", "killing"],
]
RUSSIAN = "id;страна;мера\nE1;Таджикистан;задержание в Москве\nE2;Узбекистан, Ташкент;похищение\n"


@pytest.fixture
def sheet_of(tmp_path):
    """Writes content to a file and reads it as one sheet."""

    def sheet_of(content: str | bytes, name: str = "mine.csv", **how) -> Sheet:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (sheet,) = read(path, **how)
        return sheet

    return sheet_of


def cells(sheet: Sheet) -> list[list[str | None]]:
    return [
        list(row) for row in sheet.frame.astype(object).where(sheet.frame.notna(), None).to_numpy()
    ]


def noted(sheet: Sheet, rule: str) -> list[tuple]:
    """Row, column and value of the notes of a rule."""
    notes = sheet.notes[sheet.notes["rule"] == rule]
    return [
        tuple(None if pd.isna(item) else item for item in line)
        for line in notes[["row", "column", "value"]].to_numpy()
    ]


def workbook(path: Path, *rows: list, sheet: str = "Data") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(path)
    return book


# Workbooks written part by part, for what no spreadsheet program writes

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "xl/worksheets/sheet1.xml"
NAMES = '<row r="1"><c r="A1" t="str"><v>id</v></c><c r="B1" t="str"><v>host</v></c></row>'
ODS = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "manifest")
)


def parts_of_xlsx(rows: str, after: str = "", top: str = "", strings: str = "") -> dict[str, str]:
    """The parts of a workbook with one sheet.

    after: behind the rows; top: before the root, where entities are declared.
    """
    return {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELS}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELS}">'
        '<sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{RELS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{RELS}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
        SHEET: f"{top}<worksheet {MAIN}><sheetData>{rows}</sheetData>{after}</worksheet>",
        "xl/sharedStrings.xml": f"<sst {MAIN}>{strings}</sst>",
    }


def parts_of_ods(rows: str, top: str = "", manifest: str = "") -> dict[str, str]:
    """The parts of an ods workbook with one sheet."""
    table = f'<table:table table:name="Data">{rows}</table:table>'
    body = f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>"
    return {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": f"<manifest:manifest {ODS}>{manifest}</manifest:manifest>",
        "content.xml": f"{top}<office:document-content {ODS}>{body}</office:document-content>",
    }


def ods_row(text: str) -> str:
    cell = (
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    )
    return f"<table:table-row>{cell}</table:table-row>"


def packed(path: Path, parts: dict[str, str] | list[tuple[str, str]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            file.writestr(name, content)
    return path


def xlsx(path: Path, rows: str, **how: str) -> Path:
    return packed(path, parts_of_xlsx(rows, **how))


# Text tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_cells_may_be_separated_and_rows_end_in_any_usual_way(sheet_of, delimiter, ending):
    lines = [delimiter.join(row) for row in [HEADER, *ROWS]]
    for text in (ending.join(lines), ending.join(lines) + ending):
        sheet = sheet_of(text)
        assert list(sheet.frame.columns) == HEADER and cells(sheet) == ROWS
        assert list(sheet.frame.index) == [2, 3, 4] and sheet.header_rows == (1,)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "koi8-r"]
)
def test_russian_is_read_in_any_encoding_of_the_region_and_the_encoding_is_noted(
    sheet_of, encoding
):
    sheet = sheet_of(RUSSIAN.encode(encoding))
    assert cells(sheet) == [
        ["E1", "Таджикистан", "задержание в Москве"],
        ["E2", "Узбекистан, Ташкент", "похищение"],
    ]
    made = sheet.notes.query("rule == 'read.encoding'")[["made", "severity"]].to_numpy().tolist()
    expected = "utf-16-le" if encoding == "utf-16" else encoding
    assert made == [[f"read as {expected}", "info"]]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a;b\nш;я\n", "cp1251"),
        ("a;b\nРОССИЯ;2015\n", "koi8-r"),
        ("a;b\nMüller;Türkei\n", "cp1252"),
    ],
)
def test_a_short_file_in_an_old_encoding_is_read_right_and_its_doubt_noted(
    sheet_of, text, encoding
):
    sheet = sheet_of(text.encode(encoding))
    assert cells(sheet) == [text.splitlines()[1].split(";")]
    assert sheet.notes.query("rule == 'read.encoding'")["certainty"].item() < 1


def test_one_broken_letter_does_not_make_a_utf8_file_another_encoding(sheet_of):
    sheet = sheet_of(RUSSIAN.encode().replace("похищение".encode(), "похищени".encode() + b"\xd0"))
    assert sheet.frame.loc[3, "мера"] == "похищени\ufffd"
    assert sheet.notes.query("rule == 'read.letters'")["severity"].tolist() == ["guess"]


def test_a_quoted_cell_holds_delimiters_quotes_and_line_breaks_and_counts_as_one_row(
    sheet_of,
):
    sheet = sheet_of('a,b\n"one, ""two""",x\n"first\nsecond",y\n3" pipe,z\n')
    assert cells(sheet) == [['one, "two"', "x"], ["first\nsecond", "y"], ['3" pipe', "z"]]
    assert list(sheet.frame.index) == [2, 3, 4]


def test_rows_with_too_few_or_too_many_cells_are_kept_at_their_place_and_noted(sheet_of):
    sheet = sheet_of("a,b,c\n1,2,3\n4,5\n6,7,8,Person, Example\n9,9,9,,\n")
    assert sheet.frame.loc[3].tolist()[:2] == ["4", "5"] and pd.isna(sheet.frame.loc[3, "c"])
    assert sheet.frame.loc[4].tolist() == ["6", "7", "8", "Person, Example"]
    assert list(sheet.frame.columns) == ["a", "b", "c", EXTRA] and list(sheet.frame.index) == [
        2,
        3,
        4,
        5,
    ]
    assert noted(sheet, "read.short_row") == [(3, "", None)]
    assert noted(sheet, "read.long_row") == [(4, EXTRA, "Person, Example")]
    assert sheet.notes.query("rule == 'read.long_row'")["severity"].tolist() == ["problem"]


def test_blank_rows_are_left_out_but_counted_and_the_others_keep_their_numbers(sheet_of):
    sheet = sheet_of("a,b\n\n1,2\n , \n,\n3,4\n\n")
    assert list(sheet.frame.index) == [3, 6]
    assert (
        sheet.notes.query("rule == 'read.blank_rows'")["made"]
        .item()
        .startswith("blank rows left out: 4;")
    )


def test_column_names_that_are_blank_or_occur_twice_are_made_unique_and_noted(sheet_of):
    sheet = sheet_of("host,host,,host (2),,n\n1,2,3,4,,5\n5,6,7,8,,9\n")
    assert list(sheet.frame.columns) == ["host", "host (3)", "column 3", "host (2)", "n"]
    assert noted(sheet, "read.twice") == [(1, "host (3)", "host")] and noted(
        sheet, "read.unnamed"
    ) == [(1, "column 3", None)]
    assert len(noted(sheet, "read.blank_columns")) == 1


def test_title_rows_footers_and_totals_are_not_mistaken_for_the_table(sheet_of):
    lines = [
        "Incidents 2015",
        "Version 3,,,",
        "",
        "id,host,n,m",
        "E1,RUS,1,2",
        "E2,TUR,3,4",
        "Total,,4,6",
        "",
        "Source: Example Archive",
    ]
    sheet = sheet_of("\n".join(lines))
    assert sheet.header_rows == (4,) and list(sheet.frame.index) == [5, 6, 7, 9]
    assert noted(sheet, "read.title") == [(1, "", "Incidents 2015"), (2, "", "Version 3")]
    assert noted(sheet, "read.total") == [(7, "id", "Total")] and noted(sheet, "read.footer") == [
        (9, "id", "Source: Example Archive")
    ]
    assert set(sheet.notes.query("row > 4 and rule != 'read.short_row'")["severity"]) == {"problem"}


def test_two_rows_of_names_become_one_name(sheet_of):
    sheet = sheet_of("Exile,,,Incident,\nid,name,born,host,date\nE1,x,1990,RUS,2015\n")
    assert list(sheet.frame.columns) == [
        "Exile / id",
        "Exile / name",
        "Exile / born",
        "Incident / host",
        "Incident / date",
    ]
    sheet = sheet_of("id,place,date,\n,,from,to\n1,RUS,2015,2016\n")
    assert list(sheet.frame.columns) == [
        "id",
        "place",
        "date / from",
        "date / to",
    ] and sheet.header_rows == (1, 2)


def test_the_header_can_be_named(sheet_of):
    text = "id,host,n\nx,y,z\nE1,RUS,1\n"
    assert list(sheet_of(text).frame.columns) == ["id", "host", "n"]
    sheet = sheet_of(text, header=2)
    assert list(sheet.frame.columns) == ["x", "y", "z"] and noted(sheet, "read.title") == [
        (1, "", "id | host | n")
    ]
    with pytest.raises(cape.DataError, match="has no row 9"):
        sheet_of(text, header=9)


def test_names_that_look_like_values_are_doubted(sheet_of):
    assert sheet_of("E1,2015,7\nE2,2016,8\n").notes.query("rule == 'read.header'")[
        "certainty"
    ].tolist() == [0.5]


def test_only_blank_cells_are_missing_and_error_values_are_noted(sheet_of):
    sheet = sheet_of("a,b,c\nNA,null,None\n#REF!, ,x\n")
    assert cells(sheet) == [["NA", "null", "None"], [None, None, "x"]]
    assert noted(sheet, "read.error") == [(3, "a", "#REF!")]


def test_nul_characters_are_left_out_and_counted(sheet_of):
    sheet = sheet_of(b"a,b\nx\0y,2\n")
    assert cells(sheet) == [["xy", "2"]] and len(noted(sheet, "read.nul")) == 1


def test_rows_swallowed_by_a_stray_quotation_mark_are_found(sheet_of):
    sheet = sheet_of('a,b,c\n1,"x,2\n3,4,5\n6,"y,7\n8,9,1\n')
    assert noted(sheet, "read.rows_in_cell")[0][:2] == (2, "b")
    with pytest.raises(
        cape.DataError, match=r"mine\.csv row 3: a quotation mark opens there and is never closed"
    ):
        sheet_of('a,b\n1,2\n3,"x\n4,5\n6,7\n')


def test_a_header_alone_is_a_table_without_rows(sheet_of):
    sheet = sheet_of("a,b,c\n")
    assert sheet.frame.empty and list(sheet.frame.columns) == ["a", "b", "c"]
    assert sheet.notes.query("rule == 'read.no_rows'")["severity"].tolist() == ["problem"]


CELL = st.text(st.sampled_from('ab12 "\n§éЖяю-/'), max_size=8)


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-16"]),
)
def test_no_row_and_no_cell_of_a_text_table_gets_lost_or_changed(
    sheet_of, rows, delimiter, encoding
):
    out = io.StringIO(newline="")
    rows = [tuple(cell.replace("§", delimiter) for cell in row) for row in rows]
    csv.writer(out, delimiter=delimiter).writerows([("id", "host", "date"), *rows])
    sheet = sheet_of(out.getvalue().encode(encoding))
    wanted = {
        n: [cell if cell.strip() else None for cell in row]
        for n, row in enumerate(rows, 2)
        if any(cell.strip() for cell in row)
    }
    assert dict(zip(sheet.frame.index, cells(sheet), strict=True)) == wanted


def test_excels_hint_of_the_delimiter_is_followed(sheet_of):
    assert cells(sheet_of("sep=;\r\na;b\r\n1,5;2,5\r\n")) == [["1,5", "2,5"]]


def test_decimal_commas_do_not_make_a_table_comma_separated(sheet_of):
    assert cells(sheet_of("a;b;c\n1,5;2,5;3,5\n1,5;2,5;3,5\n")) == [["1,5", "2,5", "3,5"]] * 2


# Workbooks


@pytest.fixture
def careless(tmp_path):
    """A workbook as people keep them: title, two rows of names, merged and hidden parts, notes."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    sheet["B2"] = "Incidents of 2015"
    sheet["B4"], sheet["D4"] = "Exile", "Incident"
    for area in ("B2:G2", "B4:C4", "D4:G4", "B6:B7", "C6:C7"):
        sheet.merge_cells(area)
    rows = [
        ["id", "name", "host", "date", "n", "grave"],
        ["E1", "Person One", "RUS", datetime.date(2015, 3, 5), 2015.0, True],
        [None, None, "TUR", datetime.datetime(2015, 3, 5, 12, 0), "=1+1", False],
        ["E2", "Person Two", "#REF!", "summer 2015", 0.1 + 0.2, None],
        [],
        ["E3", "Person Three", "KAZ", datetime.time(3, 4), 12345678901, "x"],
        ["Source: Example Archive"],
    ]
    for number, row in enumerate(rows, 5):
        for column, value in enumerate(row, 2):
            if not (number == 7 and column < 4):
                sheet.cell(number, column, value)
    sheet["D8"].data_type = "e"
    sheet.row_dimensions[7].hidden = True
    sheet.column_dimensions["G"].hidden = True
    book.create_sheet("Read me")["A1"] = "kept by Person Four"
    secret = book.create_sheet("Old")
    secret.append(["id", "host"])
    secret.append([1, "RUS"])
    secret.sheet_state = "hidden"
    book.save(tmp_path / "mine.xlsx")
    return tmp_path / "mine.xlsx"


def test_a_careless_workbook_is_read_as_a_person_reads_it(careless):
    (sheet,) = read(careless)
    assert (sheet.file, sheet.sheet, sheet.header_rows) == ("mine.xlsx", "Data", (4, 5))
    assert list(sheet.frame.columns) == [
        "Exile / id", "Exile / name", "Incident / host",
        "Incident / date", "Incident / n", "Incident / grave",
    ]  # fmt: skip
    assert sheet.frame.index.tolist() == [6, 7, 8, 10, 11]
    assert cells(sheet)[:4] == [
        ["E1", "Person One", "RUS", "2015-03-05", "2015", "yes"],
        ["E1", "Person One", "TUR", "2015-03-05 12:00:00", None, "no"],
        ["E2", "Person Two", None, "summer 2015", "0.3", None],
        ["E3", "Person Three", "KAZ", "03:04:00", "12345678901", "x"],
    ]


def test_what_a_workbook_hides_merges_or_leaves_open_is_noted(careless):
    (sheet,) = read(careless)
    assert noted(sheet, "read.title") == [(2, "", "Incidents of 2015")]
    assert noted(sheet, "read.merged") == [
        (6, "Exile / id", "E1"),
        (6, "Exile / name", "Person One"),
    ]
    assert noted(sheet, "read.hidden_row") == [(7, "", None)] and noted(
        sheet, "read.hidden_column"
    ) == [(None, "Incident / grave", None)]
    assert noted(sheet, "read.formula") == [(7, "Incident / n", None)] and noted(
        sheet, "read.error"
    ) == [(8, "Incident / host", "#REF!")]
    assert noted(sheet, "read.footer") == [(11, "Exile / id", "Source: Example Archive")]
    assert (
        "Read me, Old (hidden)" in sheet.notes.query("rule == 'read.other_sheets'")["made"].item()
    )


def test_a_sheet_can_be_named_in_any_case_also_a_hidden_one(careless):
    (sheet,) = read(careless, sheet="old")
    assert cells(sheet) == [["1", "RUS"]] and len(noted(sheet, "read.hidden_sheet")) == 1
    with pytest.raises(cape.DataError, match="has no sheet 'Nowhere': it has Data, Read me, Old"):
        read(careless, sheet="Nowhere")


def test_sheets_with_the_same_columns_are_read_together(tmp_path):
    book = workbook(tmp_path / "years.xlsx", HEADER, *ROWS, sheet="2015")
    for year in ("2016", "Notes"):
        book.create_sheet(year).append(HEADER if year == "2016" else ["nothing"])
    book["2016"].append(ROWS[0])
    book.save(tmp_path / "years.xlsx")
    sheets = read(tmp_path / "years.xlsx")
    assert [(sheet.sheet, len(sheet.frame)) for sheet in sheets] == [("2015", 3), ("2016", 1)]
    assert len(noted(sheets[0], "read.same_sheets")) == 1


def test_rows_hidden_by_a_filter_are_said_to_be(tmp_path):
    book = workbook(tmp_path / "mine.xlsx", HEADER, *ROWS)
    book.active.auto_filter.ref = "A1:E4"
    for row in (3, 4):
        book.active.row_dimensions[row].hidden = True
    book.save(tmp_path / "mine.xlsx")
    (sheet,) = read(tmp_path / "mine.xlsx")
    assert sheet.notes.query("rule == 'read.hidden_row'")["made"].tolist() == [
        "rows 3 to 4 are hidden by a filter in the sheet: read like the others"
    ]


def test_formulas_are_read_as_the_values_that_the_spreadsheet_program_stored(tmp_path):
    sheet = (
        '<row r="1"><c r="A1" t="str"><v>n</v></c><c r="B1" t="str"><v>m</v></c></row>'
        '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c>'
        '<c r="B2" t="str"><f>IF(1,"","")</f><v></v></c></row>'
        '<row r="3"><c r="A3"><f>2+2</f><v/></c><c r="B3"><f>3</f></c></row>'
    )
    (table,) = read(xlsx(tmp_path / "mine.xlsx", sheet))
    assert table.frame.loc[2, "n"] == "2" and noted(table, "read.formula") == [
        (3, "n", None),
        (3, "m", None),
    ]


def ods_rows(path: Path, rows: list[list], hidden: tuple[int, ...] = ()) -> Path:
    book = odf.opendocument.OpenDocumentSpreadsheet()
    table = odf.table.Table(name="Data")
    for number, row in enumerate(rows, 1):
        line = (
            odf.table.TableRow(visibility="collapse") if number in hidden else odf.table.TableRow()
        )
        for value in row:
            cell = value if not isinstance(value, str) else odf.table.TableCell(valuetype="string")
            if isinstance(value, str) and value:
                cell.addElement(odf.text.P(text=value))
            line.addElement(cell if value != "" else odf.table.TableCell())
        table.addElement(line)
    book.spreadsheet.addElement(table)
    book.save(str(path))
    return path


def test_an_ods_workbook_is_read_like_an_xlsx_one(tmp_path):
    def value(text: str, **how) -> odf.table.TableCell:
        cell = odf.table.TableCell(**how)
        cell.addElement(odf.text.P(text=text))
        return cell

    wide = [
        value("Exile", valuetype="string", numbercolumnsspanned=2),
        odf.table.CoveredTableCell(),
    ]
    wide += [
        value("Incident", valuetype="string", numbercolumnsspanned=3),
        odf.table.CoveredTableCell(),
        odf.table.CoveredTableCell(),
    ]
    tall = value("E1", valuetype="string", numberrowsspanned=2)
    date = value("5 March 2015", valuetype="date", datevalue="2015-03-05")
    rows = [
        wide,
        ["id", "name", "host", "date", "n"],
        [tall, "x", "RUS", date, value("2015", valuetype="float", value="2015")],
    ]
    rows += [
        [odf.table.CoveredTableCell(), "y", "TUR", "2016", odf.table.TableCell(formula="of:=1+1")],
        [""],
        ["E2", "z", "KAZ", "", ""],
    ]
    (sheet,) = read(ods_rows(tmp_path / "mine.ods", rows, hidden=(4,)))
    assert sheet.header_rows == (1, 2) and list(sheet.frame.columns)[:3] == [
        "Exile / id",
        "Exile / name",
        "Incident / host",
    ]
    assert cells(sheet) == [
        ["E1", "x", "RUS", "2015-03-05", "2015"],
        ["E1", "y", "TUR", "2016", None],
        ["E2", "z", "KAZ", None, None],
    ]
    assert list(sheet.frame.index) == [3, 4, 6]
    assert noted(sheet, "read.hidden_row") == [(4, "", None)] and noted(sheet, "read.formula") == [
        (4, "Incident / n", None)
    ]
    assert noted(sheet, "read.merged") == [(3, "Exile / id", "E1")]


# JSON, Parquet, DataFrames


@pytest.mark.parametrize(
    "document",
    [
        [{"a": "x", "b": 1}, {"a": None, "b": 2.50}],
        {"title": "t", "data": [{"a": "x", "b": 1}, {"a": "", "b": 2.5}]},
        {"result": {"records": [{"a": "x", "b": 1}, {"b": 2.5}]}},
        {"a": ["x", None], "b": [1, 2.5]},
        {"a": {"0": "x", "1": None}, "b": {"0": 1.0, "1": 2.5}},
        {"columns": ["a", "b"], "index": [0, 1], "data": [["x", 1], [None, 2.5]]},
    ],
)
def test_json_is_read_in_any_of_its_usual_forms(sheet_of, document):
    sheet = sheet_of(json.dumps(document), "mine.json")
    assert cells(sheet) == [["x", "1"], [None, "2.5"]]


def test_json_lines_nested_values_and_keys_given_twice_are_kept_and_noted(sheet_of):
    sheet = sheet_of(
        '{"a": "x", "b": [1, "é"], "c": true}\n{"a": "y", "a": "z", "b": NaN}\n', "mine.jsonl"
    )
    assert cells(sheet) == [["x", '["1", "é"]', "yes", None], ["y", None, None, "z"]]
    assert list(sheet.frame.columns) == ["a", "b", "c", "a (2)"]
    assert {"read.nested", "read.twice", "read.json_lines"} <= set(sheet.notes["rule"])


def test_a_dataframe_of_any_types_becomes_text_without_losing_a_digit(tmp_path):
    frame = pd.DataFrame(
        {
            "text": ["x", None],
            "day": pd.to_datetime(["2015-03-05", None]),
            "kind": pd.Categorical(["a", None]),
            "yes": [True, False],
            "big": [2**60 + 1, 3],
            "share": [1.5, float("nan")],
            "year": pd.array([2015, None], "Int64"),
            "mixed": [1, "1"],
            "list": [[1], {"k": 2}],
        },
        index=[10, 20],
    )
    (sheet,) = read(frame)
    assert cells(sheet) == [
        ["x", "2015-03-05", "a", "yes", str(2**60 + 1), "1.5", "2015", "1", "[1]"],
        [None, None, None, "no", "3", None, None, "1", '{"k": 2}'],
    ]
    assert list(sheet.frame.index) == [1, 2] and sheet.header_rows == ()
    plain = frame.drop(columns=["mixed", "list"])
    plain.to_parquet(tmp_path / "mine.parquet")
    (again,) = read(tmp_path / "mine.parquet")
    assert [row[:7] for row in cells(again)] == [row[:7] for row in cells(sheet)]
    (named,) = read(frame.rename_axis("key"))
    assert named.frame["key"].tolist() == ["10", "20"] and len(noted(named, "read.index")) == 1


# What the content is decides, not the name


def test_a_renamed_file_is_read_by_its_content(tmp_path, careless):
    renamed = careless.rename(tmp_path / "mine.csv")
    assert read(renamed)[0].sheet == "Data"
    (tmp_path / "mine.xlsx").write_text("a,b\n1,2\n")
    assert cells(read(tmp_path / "mine.xlsx")[0]) == [["1", "2"]]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n , \n", "is empty"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"<!DOCTYPE html><html><body>log in</body></html>", "a web page"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "an XML file"),
        (OLE, "without a workbook in it"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "remove the password"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
        (b"\x1f\x8b\x08\x00", "broken packed file"),
        (b"PK\x03\x04 and nothing more", "broken xlsx, ods or zip"),
        (random.Random(1).randbytes(5000), "is not text"),
        (bytes(100_000), "is not text"),
        (b"PAR1" + bytes(100), "broken Parquet file"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line_that_says_what_it_is_and_what_to_do(
    tmp_path, content, message
):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(cape.DataError) as caught:
        read(path)
    assert (
        message in str(caught.value)
        and "mine.csv" in str(caught.value)
        and "\n" not in str(caught.value)
    )


def test_a_source_that_leads_nowhere_is_refused_in_one_line(tmp_path):
    for source, message in (
        (tmp_path / "absent.csv", "check the path"),
        (tmp_path, "is a folder"),
        ("a\0b", "check the path"),
        ("x" * 5000, "check the path"),
        (Path("/dev/null"), "not a regular file"),
        ("file:///etc/passwd", "not an http"),
        ("ftp://example.org/a.csv", "not an http"),
    ):
        with pytest.raises(cape.DataError, match=message) as caught:
            read(source)
        assert "\n" not in str(caught.value)
    for wrong in (3, None):
        with pytest.raises(cape.ParameterError):
            read(wrong)
    with pytest.raises(cape.ParameterError):
        read(tmp_path / "absent.csv", header=-1)


# Hostile files: each is refused in one line, or read, within bounded memory and time


def far_cell(path: Path) -> None:
    xlsx(path, NAMES + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


def cell_far_from_its_row(path: Path) -> None:
    xlsx(path, NAMES + '<row r="2"><c r="XFD1048576"><v>1</v></c></row>')


def dimension_that_lies(path: Path) -> None:
    rows = NAMES + '<row r="2"><c r="A2"><v>1</v></c></row>'
    parts = parts_of_xlsx(rows)
    packed(
        path,
        parts
        | {
            SHEET: parts[SHEET].replace(
                "<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>'
            )
        },
    )


def zip_bomb(path: Path) -> None:
    xlsx(path, NAMES + " " * (100 << 20))


def zip_bomb_with_a_directory_that_lies(path: Path) -> None:
    parts = parts_of_xlsx(NAMES + " " * (100 << 20))
    packed(path, parts)
    size, small = (len(parts[SHEET])).to_bytes(4, "little"), (4096).to_bytes(4, "little")
    content = path.read_bytes()
    assert content.count(size) == 2
    path.write_bytes(content.replace(size, small))


def zip_of_too_many_parts(path: Path) -> None:
    packed(
        path, parts_of_xlsx(NAMES) | {f"xl/media/{number}.xml": "<a/>" for number in range(6000)}
    )


def zip_with_two_parts_of_one_name(path: Path) -> None:
    packed(path, [*parts_of_xlsx(NAMES).items(), (SHEET.upper(), "<worksheet/>")])


def zip_in_a_zip(path: Path) -> None:
    zip_bomb(path)
    packed(path, [("inner.xlsx", path.read_bytes().decode("latin-1"))])


def billion_laughs(path: Path) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    xlsx(
        path,
        NAMES + '<row r="2"><c r="A2" t="str"><v>&a9;</v></c></row>',
        top=f'<!DOCTYPE x [<!ENTITY a0 "ha">{entities}]>',
    )


def external_entity(path: Path) -> None:
    entity = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    rows = ods_row("&a;")
    packed(path, parts_of_ods(rows, top=entity))


def entities_in_shared_strings(path: Path) -> None:
    parts = parts_of_xlsx(NAMES)
    packed(
        path,
        parts
        | {
            "xl/sharedStrings.xml": '<!DOCTYPE x [<!ENTITY a "b">]>' + parts["xl/sharedStrings.xml"]
        },
    )


def one_long_text_in_many_cells(path: Path) -> None:
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>' for row in range(2, 150_000)
    )
    xlsx(path, NAMES + rows, strings=f"<si><t>{'x' * 32_000}</t></si>")


def merged_cells_over_everything(path: Path) -> None:
    merged = "".join(f'<mergeCell ref="A2:B{1048576 - n}"/>' for n in range(20_000))
    rows = (
        NAMES
        + '<row r="2"><c r="A2"><v>1</v></c></row><row r="300000"><c r="A300000"><v>1</v></c></row>'
    )
    xlsx(path, rows, after=f"<mergeCells>{merged}</mergeCells>")


def hidden_rows_by_the_million(path: Path) -> None:
    xlsx(
        path, NAMES + "".join(f'<row r="{row}" hidden="1"/>' for row in range(2, 1_048_577, 2)) * 3
    )


def sheet_name_of_several_lines(path: Path) -> None:
    parts = parts_of_xlsx(NAMES + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    packed(
        path,
        {
            name: content.replace('name="Data"', 'name="Da&#10;ta"')
            for name, content in parts.items()
        },
    )


def cells_at_no_place(path: Path) -> None:
    xlsx(path, NAMES + '<row r="2"><c r="ABCDEF99999999"><v>1</v></c><c r="1"><v>1</v></c></row>')


def sheet_without_its_part(path: Path) -> None:
    packed(path, {name: content for name, content in parts_of_xlsx(NAMES).items() if name != SHEET})


def ods_cell_repeated_over_everything(path: Path) -> None:
    number = 'office:value-type="float" office:value="1"'
    cell = f'<table:table-cell {number} table:number-columns-repeated="16384"/>'
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row>'
    packed(path, parts_of_ods(row))


def ods_blank_rows_repeated_without_end(path: Path) -> None:
    hidden = 'table:visibility="collapse" table:number-rows-repeated="999999999"'
    blank = f"<table:table-row {hidden}><table:table-cell/></table:table-row>"
    packed(path, parts_of_ods(ods_row("id") * 2 + blank * 3))


def ods_numbers_that_are_none(path: Path) -> None:
    times = 'table:number-rows-repeated="-5e9"'
    packed(path, parts_of_ods(f"<table:table-row {times}><table:table-cell/></table:table-row>"))


def ods_locked(path: Path) -> None:
    packed(
        path,
        parts_of_ods(
            "", manifest="<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"
        ),
    )


def text_of_one_endless_cell(path: Path) -> None:
    path.write_bytes(b"id,host\n1," + b"x" * (70 << 20) + b"\n")


def text_of_one_long_cell(path: Path) -> None:
    path.write_bytes(b"id,host\n1," + b"x" * 120_000 + b"\n")


def text_of_one_endless_name(path: Path) -> None:
    path.write_bytes(b"id," + b"x" * 90_000 + b"\n1,2\n")


def text_of_commas_alone(path: Path) -> None:
    path.write_bytes(b"id,host\n" + b"," * (10 << 20) + b"\n1,2\n")


def text_of_blank_lines(path: Path) -> None:
    path.write_bytes(b"id,host\n" + b"\n" * (40 << 20))


def text_of_quotation_marks(path: Path) -> None:
    path.write_bytes(b"id,host\n" + b'"' * ((4 << 20) + 1))


def text_in_which_every_row_is_broken(path: Path) -> None:
    path.write_bytes(b"id,host\n" + b"1\n2,3,4\n" * 100_000)


def text_of_zeros(path: Path) -> None:
    path.write_bytes(bytes(10 << 20))


def header_of_a_hundred_thousand_columns(path: Path) -> None:
    path.write_bytes(b",".join(b"c%d" % n for n in range(100_000)) + b"\n1\n")


def json_nested_without_end(path: Path) -> None:
    path.write_text("[" * 1_000_000)


def json_objects_nested_without_end(path: Path) -> None:
    path.write_text('{"data":' * 100_000 + "1" + "}" * 100_000)


def json_number_of_a_million_digits(path: Path) -> None:
    path.write_text('[{"a": ' + "9" * 1_000_000 + "}]")


def json_records_that_share_no_field(path: Path) -> None:
    path.write_text(json.dumps([{f"a{n}": n} for n in range(15_000)]))


def json_with_half_letters(path: Path) -> None:
    path.write_text('[{"a": "\\ud800", "\\udfff": "x"}]')


def parquet_that_stores_one_long_text_once(path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    texts = pa.array(["x" * 90_000])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 500_000, pa.int32()), texts)
    parquet.write_table(pa.table({"a": column}), path)


HOSTILE = {
    far_cell: "reaches down to row 1,048,576",
    cell_far_from_its_row: "reaches down to row 1,048,576",
    dimension_that_lies: "1 row",
    zip_bomb: "would unpack to",
    zip_bomb_with_a_directory_that_lies: "unpacks to far more",
    zip_of_too_many_parts: "parts",
    zip_with_two_parts_of_one_name: "two parts of the same name",
    zip_in_a_zip: "is a broken xlsx, ods or zip file",
    billion_laughs: "XML entities",
    external_entity: "XML entities",
    entities_in_shared_strings: "XML entities",
    one_long_text_in_many_cells: "repeats long texts in many cells",
    merged_cells_over_everything: "merged cells",
    hidden_rows_by_the_million: "hidden rows",
    sheet_name_of_several_lines: "sheet Da ta reaches down",
    cells_at_no_place: "no place in a sheet",
    sheet_without_its_part: "lacks the part of its sheet Data",
    ods_cell_repeated_over_everything: "reaches down to row 1,048,576",
    ods_blank_rows_repeated_without_end: "1 row",
    ods_numbers_that_are_none: "broken",
    ods_locked: "remove the password",
    text_of_one_endless_cell: "longer than 16 MiB",
    text_of_one_long_cell: "row 2, column host holds a cell of more than 100,000 characters",
    text_of_one_endless_name: "column name of more than 1,000 characters",
    text_of_commas_alone: "1 row",
    text_of_blank_lines: "rows, more than 20,000,000",
    text_of_quotation_marks: "never closed",
    text_in_which_every_row_is_broken: "200000 rows",
    text_of_zeros: "is not text",
    header_of_a_hundred_thousand_columns: "columns, more than 16,384",
    json_nested_without_end: "nested too deeply",
    json_objects_nested_without_end: "nested too deeply",
    json_number_of_a_million_digits: "more than 100,000 characters",
    json_records_that_share_no_field: "fields, more than",
    json_with_half_letters: "1 row",
    parquet_that_stores_one_long_text_once: "bytes of text",
}

BOUND = 3 << 30  # bytes of address space, of which the libraries alone take one
IN_BOUNDS = """
import json, resource, sys, time
import pyarrow.csv, pyarrow.parquet, pandas
from capelib.read.files import read
from capelib.errors import DataError
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
for path in sys.argv[2:]:
    start = time.monotonic()
    try:
        rows = sum(len(sheet.frame) for sheet in read(path))
        message = f"{rows} row{'s' * (rows != 1)}"
    except DataError as error:
        message = str(error)
    print(json.dumps([message, time.monotonic() - start]))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, tuple[str, float]]:
    """What became of each hostile file, and after how many seconds, in a process with BOUND."""
    folder = tmp_path_factory.mktemp("hostile")
    endings = {
        "text": ".csv",
        "header": ".csv",
        "json": ".json",
        "parquet": ".parquet",
        "ods": ".ods",
        "external": ".ods",
    }
    paths = [
        folder / (make.__name__ + endings.get(make.__name__.split("_")[0], ".xlsx"))
        for make in HOSTILE
    ]
    for make, path in zip(HOSTILE, paths, strict=True):
        make(path)
    done = subprocess.run(
        [sys.executable, "-c", IN_BOUNDS, str(BOUND), *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return {
        make.__name__: tuple(json.loads(line))
        for make, line in zip(HOSTILE, done.stdout.splitlines(), strict=True)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "message"), HOSTILE.items(), ids=lambda item: getattr(item, "__name__", "")
)
def test_a_hostile_file_ends_in_one_line_or_is_read_within_bounds(outcomes, make, message):
    outcome, seconds = outcomes[make.__name__]
    assert message in outcome and "\n" not in outcome and len(outcome) < 500
    assert seconds < 120  # processor-bound: a loaded machine takes several times as long


# Files broken at random


def broken(content: bytes, chance: random.Random) -> bytes:
    """A file with some bytes changed, cut out, put in, or with its end lost."""
    for _ in range(chance.choice([1, 1, 2, 8])):
        at = chance.randrange(len(content) + 1)
        match chance.randrange(4):
            case 0:
                content = content[:at] + chance.randbytes(1) + content[at + 1 :]
            case 1:
                content = content[:at] + content[at + chance.randrange(1, 60) :]
            case 2:
                content = (
                    content[:at]
                    + chance.choice([b'"', b"\0", b"\n", b",", b"9" * 9, b"<", chance.randbytes(9)])
                    + content[at:]
                )
            case _:
                content = content[:at] if chance.random() < 0.2 else content
        content = content or b"x"
    return content


def whole_files(folder: Path) -> dict[str, bytes]:
    frame = pd.DataFrame(ROWS * 5, columns=HEADER)
    workbook(folder / "a.xlsx", HEADER, *ROWS * 5)
    ods_rows(folder / "a.ods", [HEADER, *ROWS * 5])
    frame.to_parquet(folder / "a.parquet")
    (folder / "a.csv").write_text(frame.to_csv(index=False), encoding="utf-8")
    (folder / "b.csv").write_bytes(
        frame.replace({"RUS": "Россия, Москва"}).to_csv(index=False).encode("utf-16")
    )
    (folder / "a.json").write_text(frame.to_json(orient="records"), encoding="utf-8")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def broken_parts(content: bytes, chance: random.Random) -> bytes:
    """A workbook of which one part of XML is broken, and that is packed as if it were whole."""
    with zipfile.ZipFile(io.BytesIO(content)) as whole:
        parts = {part: whole.read(part) for part in whole.namelist()}
    name = chance.choice(
        [part for part in parts if part.endswith((".xml", ".rels"))]
        + [part for part in parts if "sheet1" in part] * 3
    )
    parts[name] = broken(parts[name], chance)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for part, text in parts.items():
            file.writestr(part, text)
    return out.getvalue()


@pytest.mark.parametrize("times", [30, slow(300)])
@pytest.mark.parametrize("name", ["a.csv", "b.csv", "a.json", "a.parquet", "a.xlsx", "a.ods"])
def test_a_file_broken_at_random_is_read_or_refused_in_one_line(tmp_path, name, times):
    (tmp_path / "whole").mkdir()
    whole, chance = whole_files(tmp_path / "whole")[name], random.Random(name)
    files = [tmp_path / f"{number}{name}" for number in range(times)]
    for number, file in enumerate(files):
        in_parts = name in ("a.xlsx", "a.ods") and number % 2
        file.write_bytes(broken_parts(whole, chance) if in_parts else broken(whole, chance))

    def outcome(file: Path) -> str:
        try:
            sheets = read(file)
        except cape.DataError as error:
            assert "\n" not in str(error) and len(str(error)) < 600
            return "refused"
        assert all(
            isinstance(sheet.frame, pd.DataFrame) and sheet.frame.index.is_unique
            for sheet in sheets
        )
        return "read"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, files))
    assert set(outcomes) == {"read", "refused"} or name in ("a.csv", "b.csv")


# Addresses


class Server(BaseHTTPRequestHandler):
    """Serves tables well and badly, by the path that is asked for."""

    def do_GET(self) -> None:
        body = "id,страна\n1,Россия\n".encode()
        match self.path:
            case "/good.csv" | "/a%20table":
                self.answer(200, body)
            case "/gone.csv":
                self.answer(404, b"gone")
            case "/login.csv":
                self.answer(200, b"<html><body>log in</body></html>")
            case "/short.csv":
                self.answer(200, body, length=1000)
            case "/endless.csv":
                self.answer(200, body, length=1 << 40)
                for _ in range(100):
                    self.wfile.write(bytes(1 << 16))
            case "/slow.csv":
                self.answer(200, body, length=1000)
                for _ in range(100):
                    self.wfile.write(b"1,x\n")
                    time.sleep(0.05)
            case "/stalled.csv":
                self.answer(200, b"", length=1000)
                time.sleep(2)
            case "/loop.csv":
                self.moved("/loop.csv")
            case "/moved.csv":
                self.moved("/good.csv")
            case "/file.csv":
                self.moved("file:///etc/passwd")

    def answer(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def moved(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    """Prints nothing about clients that hang up, as they should."""

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address():
    server = Quiet(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/good.csv", "/a%20table", "/moved.csv"])
def test_an_address_is_read_and_its_checksum_noted(address, path):
    checksum = hashlib.sha256("id,страна\n1,Россия\n".encode()).hexdigest()
    (sheet,) = read(address + path, sha256=checksum)
    assert (
        cells(sheet) == [["1", "Россия"]]
        and checksum in sheet.notes.query("rule == 'read.checksum'")["made"].item()
    )
    with pytest.raises(cape.DataError, match="is not the expected file"):
        read(address + path, sha256="0" * 64)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/gone.csv", "answer 404"),
        ("/login.csv", "a web page"),
        ("/short.csv", "cannot be downloaded"),
        ("/endless.csv", "sends more than 1 MiB"),
        ("/slow.csv", "takes more than 1 seconds"),
        ("/stalled.csv", "cannot be downloaded"),
        ("/loop.csv", "TooManyRedirects"),
        ("/file.csv", "InvalidSchema"),
    ],
)
def test_an_address_that_serves_badly_is_refused_in_one_line(address, monkeypatch, path, message):
    monkeypatch.setattr(files, "MAX_DOWNLOAD", 1 << 20)
    monkeypatch.setattr(files, "MAX_SECONDS", 1)
    monkeypatch.setattr(files, "SILENCE", 0.5)
    with pytest.raises(cape.DataError, match=message) as caught:
        read(address + path)
    assert "\n" not in str(caught.value)


def test_a_local_file_can_be_checked_against_its_checksum(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("a,b\n1,2\n")
    assert len(read(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())) == 1
    with pytest.raises(cape.DataError, match="is not the expected file"):
        read(path, sha256="0" * 64)


def test_a_packed_file_of_more_than_a_workbook_needs_is_not_even_opened(tmp_path, monkeypatch):
    path = tmp_path / "mine.xlsx"
    workbook(path, ["id", "host"], [1, "RUS"])
    monkeypatch.setattr(files, "MAX_PACKED", path.stat().st_size)
    assert len(read(path)) == 1
    monkeypatch.setattr(files, "MAX_PACKED", path.stat().st_size - 1)
    with pytest.raises(cape.DataError, match="MiB packed, more than the 0 of a workbook"):
        read(path)


def test_only_the_names_that_records_repeat_are_noted(sheet_of):
    sheet = sheet_of('[{"a": 1, "a": 2, "b": 3}]', "mine.json")
    assert noted(sheet, "read.twice") == [(None, "a", None)]


def test_a_column_without_any_cell_is_text_too(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("h0,h1\n,,,1\n,x\n,1\n", encoding="utf-8")
    [sheet] = read(path)
    assert set(sheet.frame.dtypes.astype(str)) == {"str"}


def test_a_column_name_that_is_no_text_does_not_stop_reading():
    [sheet] = read(
        pd.DataFrame([["a", "TJK"]], columns=pd.Index(["\ud800", "origin"], dtype=object))
    )
    assert list(sheet.frame.columns)[1] == "origin"
