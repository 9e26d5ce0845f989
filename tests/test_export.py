"""The flat table: words in place of codes, the record row by row, and what is not in it."""

import io
import shutil
import zipfile
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

import capelib as cape
from capelib.errors import CapeError
from capelib.export import COLUMNS, as_csv, as_workbook, export, flat, meanings, workbook
from capelib.paths import project_folder
from capelib.site.explorer_data import record, script
from capelib.vocabulary.shipped import table


@pytest.fixture(scope="module")
def ds():
    return cape.load().where(origin="TJK")


def test_each_row_is_an_incident_in_words(ds):
    rows = flat(ds)
    assert rows["incident"].tolist() == ds.incidents["incident_id"].tolist()
    states, measures = cape.states(), cape.codes("measure")
    assert rows["pursuing state"].unique().tolist() == [states["TJK"]]
    assert rows["measure"].tolist() == [measures[code] for code in ds.incidents["measure"]]
    hosts = ds.incidents["host"]
    assert rows["host state"].tolist() == [states.get(code, "") for code in hosts.fillna("")]
    assert (rows["doubtful"] == "yes").tolist() == ds.incidents["doubtful"].tolist()
    assert set(rows["Interpol used"]) == {"", "yes"}  # blank is "not reported", never no


def test_edition_and_checksum_stand_in_each_row(ds):
    assert flat(ds)["dataset"].unique().tolist() == [ds.info.source_line]
    assert ds.info.edition in ds.info.source_line


def test_no_address_that_holds_a_name_is_in_it():
    sources = table("sources")
    named = sources.loc[sources["name_in_address"].fillna(False), ["source_id", "url"]]
    assert len(named) > 100
    rows = flat(cape.load())
    assert set(rows.loc[rows["source"].isin(named["source_id"]), "address"]) == {""}
    assert not set(named["url"].dropna()) & set(rows["address"])
    assert (rows["address"] != "").sum() > len(rows) / 2


def test_an_edition_that_does_not_mark_names_shows_no_address():
    assert set(flat(cape.load(edition="2026-11"))["address"]) == {""}


def test_the_workbook_is_the_table_with_its_codebook(ds):
    book = openpyxl.load_workbook(io.BytesIO(as_workbook(ds)))
    assert book.sheetnames == ["incidents", "codebook"]
    lines = list(book["incidents"].iter_rows(values_only=True))
    rows = flat(ds)
    assert list(lines[0]) == list(rows.columns)
    assert [[cell or "" for cell in line] for line in lines[1:]] == rows.to_numpy().tolist()
    links = {
        cell.coordinate: cell.hyperlink.target
        for cell in book["incidents"]["T"][1:]
        if cell.hyperlink
    }
    assert len(links) == (rows["address"] != "").sum()
    assert set(links.values()) == set(rows["address"]) - {""}


def test_the_csv_is_the_table(ds):
    read = pd.read_csv(io.BytesIO(as_csv(ds)), dtype=str, keep_default_na=False)
    assert read.to_dict("list") == flat(ds).to_dict("list")


def test_the_codebook_explains_each_column_and_word(ds):
    known = meanings()
    assert list(dict.fromkeys(known["column"])) == [*(name for name, _, _ in COLUMNS), "dataset"]
    assert (known["meaning"] != "").mean() > 0.8
    measures = known.loc[(known["column"] == "measure") & (known["value"] != ""), "value"]
    assert set(flat(ds)["measure"]) <= set(measures)


def test_equal_tables_give_equal_bytes(ds):
    assert as_workbook(ds) == as_workbook(ds)


def test_text_stays_text():
    """No formula is run, and no sign breaks the file."""
    cells = ['=HYPERLINK("x")', "a & b < c", "\x07bell", "two\nlines", " spaces ", "𝒳"]
    content = workbook({"a & b": pd.DataFrame({"<x>": cells})})
    sheet = openpyxl.load_workbook(io.BytesIO(content))["a & b"]
    read = [cell.value for cell in sheet["A"]]
    assert read == ["<x>", *cells[:2], "bell", *cells[3:]]
    assert all(cell.data_type == "s" or cell.data_type == "inlineStr" for cell in sheet["A"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None


def test_a_formula_is_defused_in_csv(ds):
    changed = replace(ds, incidents=ds.incidents.head(1).assign(outcome="=1+1"))
    assert '"\'=1+1"' in as_csv(changed).decode("utf-8-sig")


def test_a_file_that_exists_is_not_overwritten(ds, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("mine")
    with pytest.raises(CapeError, match="exists: choose another name"):
        export(ds, file)
    assert file.read_text() == "mine"
    with pytest.raises(CapeError, match=r"must end in \.xlsx or \.csv"):
        export(ds, tmp_path / "table.txt")


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_both_endings_are_written(ds, tmp_path, ending):
    assert export(ds, tmp_path / f"table.{ending}").stat().st_size > 1000


@pytest.mark.slow
def test_what_was_withdrawn_is_in_none_of_it(tmp_path, monkeypatch):
    """Not in the flat table, not in what the explorer draws from."""
    key = cape.load().incidents["exile_id"].iloc[0]
    before = flat(cape.load())
    gone = set(before.loc[before["exile"] == key, "incident"])
    folder = shutil.copytree(project_folder("data"), tmp_path / "data")
    for module in ("loading", "vocabulary.tables"):
        monkeypatch.setattr(f"capelib.{module}.project_folder", lambda _: folder)
    with (folder / "withdrawn.csv").open("a", encoding="utf-8") as file:
        file.write(f"{key},2026-12-01,\n")
    ds = cape.load()
    rows = flat(ds)
    assert len(rows) == len(before) - len(gone)
    assert gone and not gone & set(rows["incident"])
    text = script("CAPE_DATA", record(ds)).decode()
    assert not [each for each in [key, *gone] if f'"{each}"' in text]
