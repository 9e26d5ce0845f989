"""Excel's old format, Stata, GeoJSON, packed files, and texts of other programs."""

import gzip
import io
import json
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from old_workbook import old_workbook
from shared import changes_by, spread

import capelib as cape
from capelib.errors import DataError
from capelib.read import packed
from capelib.read.csv_text import delimiter_of
from capelib.read.encoding import encoding_of
from capelib.read.files import read

CSV = (
    "origin,host,date,measure\n"
    "Tajikistan,Russia,2015-03-05,detention\nUzbekistan,Turkey,2016,threat\n"
)
RUSSIAN = (
    "Страна происхождения;Страна пребывания;Дата;Что произошло\n"
    "Таджикистан;Россия;5 марта 2015 г.;задержан\nУзбекистан;Турция;2016;экстрадирован\n"
)
COLUMNS = ["origin", "host", "date", "measure"]


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def incidents(source: Path | cape.Dataset) -> list[tuple]:
    ds = source if isinstance(source, cape.Dataset) else cape.load(source)
    frame = ds.incidents[COLUMNS].astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(path)
    message = str(caught.value)
    assert path.name in message and "\n" not in message and len(message) < 300
    return message


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


TWO = [("TJK", "RUS", "2015-03-05", "detention"), ("UZB", "TUR", "2016", "threat")]

# ---------------------------------------------------------------- text


def test_the_delimiter_is_the_one_with_which_a_layout_understands_the_header(tmp_path):
    sources = "; ".join(f"https://{letter}.example" for letter in "abcdef")
    rows = "".join(f"Tajikistan,Russia,{2005 + n},detention,{sources}\n" for n in range(15))
    path = written(tmp_path / "mine.csv", "origin,host,date,measure,source\n" + rows)
    assert len(incidents(path)) == 15
    assert delimiter_of("Country of origin|Type of incident\na;b;c;d|e\na;b;c;d|e\n")[0] == "|"


@pytest.mark.parametrize(
    "encoding", spread(["cp866", "mac_cyrillic", "iso8859-5", "cp1251", "koi8-r"], 2)
)
def test_russian_texts_of_old_programs_are_read(tmp_path, encoding):
    ds = cape.load(written(tmp_path / "mine.csv", RUSSIAN.encode(encoding)))
    assert incidents(ds) == [
        ("TJK", "RUS", "2015-03-05", "detention"),
        ("UZB", "TUR", "2016", "extradition"),
    ]
    [(*_, made, severity)] = changes_by(ds, "read.encoding")
    assert made == f"read as {encoding}"
    assert severity == ("info" if encoding in ("cp1251", "koi8-r") else "guess")


@pytest.mark.parametrize("text", ["Müller;Türkei", "“Zürich” – Köln; « été »", "naïve façade"])
def test_western_texts_are_not_taken_for_russian(text):
    assert encoding_of(text.encode("cp1252"))[0] == "cp1252"


def test_what_was_assumed_is_named_where_no_column_is_understood(tmp_path):
    path = written(tmp_path / "mine.csv", "A;B;C\né;à;x\nй;q;x\n".encode())
    with pytest.raises(DataError) as caught:
        cape.load(path)
    message = str(caught.value)
    assert "does a row name its columns? It was read with the names in row 1" in message
    assert "cells separated by semicolon, letters read as utf-8: is that right?" in message
    assert "neither English nor Russian" in message and "give it with --layout" in message


@pytest.mark.slow
def test_a_blank_before_a_quotation_mark_shifts_no_cells(tmp_path):
    text = (
        "origin, host, date, measure\n"
        'Tajikistan, "Moscow, Russia", 2015-03-05, detention\n'
        'Uzbekistan, "Istanbul, Turkey", 2016, threat\nKazakhstan, Austria, 2012, detention\n'
    )
    path = written(tmp_path / "mine.csv", text)
    assert incidents(path) == [*TWO, ("KAZ", "AUT", "2012", "detention")]
    assert [line[-1] for line in changes_by(cape.load(path), "read.blank_before_quote")] == [
        "guess"
    ]


def test_quotation_marks_inside_cells_stay_as_they_are(tmp_path):
    text = 'origin,measure,what\nTJK,detention,"he said, ""no"", and left"\nUZB,threat,a "b" c\n'
    frame = read(written(tmp_path / "mine.csv", text))[0].frame
    assert frame["what"].tolist() == ['he said, "no", and left', 'a "b" c']


# ---------------------------------------------------------------- packed files


@pytest.mark.slow
def test_one_table_in_a_packed_file_is_read_as_if_it_were_not_packed(tmp_path):
    for name, content in (
        ("mine.csv.gz", gzip.compress(CSV.encode())),
        ("mine.zip", zipped(**{"folder/mine.csv": CSV.encode(), "__MACOSX/._mine.csv": b"\0"})),
        ("mine.csv", gzip.compress(CSV.encode())),
    ):
        ds = cape.load(written(tmp_path / name, content))
        assert incidents(ds) == TWO, name
        assert changes_by(ds, "read.unpacked")[0][3] == f"unpacked from {name}"


def test_a_packed_file_of_several_tables_or_of_packed_files_is_not_unpacked(tmp_path):
    two = zipped(**{"a.csv": CSV.encode(), "b.csv": CSV.encode()})
    message = refused(written(tmp_path / "mine.zip", two))
    assert "packs 2 files" in message and "broken" not in message
    assert "another one is packed" in refused(written(tmp_path / "mine.gz", gzip.compress(two)))
    assert "without a table" in refused(written(tmp_path / "none.zip", zipped(**{"folder/": b""})))
    damaged = bytearray(zipped(a=b"x"))  # its directory says: no letter of a name, one of a remark
    entry = damaged.index(b"PK\1\2")
    damaged[entry + 28], damaged[entry + 32] = 0, 1
    assert "without a table" in refused(written(tmp_path / "unnamed.zip", bytes(damaged)))


@pytest.mark.parametrize("packing", [gzip.compress, lambda content: zipped(**{"a.csv": content})])
def test_a_packed_file_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch, packing):
    monkeypatch.setattr(packed, "SMALL", 1 << 16)
    path = written(tmp_path / "mine.zip", packing(b"0" * (8 << 20)))
    assert "far more than a table in a file of its size" in refused(path)
    assert not list(tmp_path.glob("*.csv"))


def test_broken_packed_files_are_refused(tmp_path):
    whole = gzip.compress(CSV.encode() * 100)
    for content in (whole[:60], whole[:-20] + bytes(20), b"\x1f\x8b" + bytes(40)):
        assert "broken packed file" in refused(written(tmp_path / "mine.gz", content))


def test_the_bounds_are_those_of_workbooks():
    from capelib.read import workbook_scan

    for name in ("SMALL", "MAX_RATIO", "MAX_UNPACKED"):
        assert getattr(packed, name) == getattr(workbook_scan, name)


# ---------------------------------------------------------------- other programs


def test_a_workbook_of_the_old_format_is_read(tmp_path):
    rows = [COLUMNS, ["Tajikistan", "Россия", date(2015, 3, 5), "detention"]]
    book = {"Notes": [["made up"]], "Data": [*rows, ["Uzbekistan", "Turkey", 2016.0, "threat"]]}
    path = written(tmp_path / "mine.xls", old_workbook(book))
    ds = cape.load(path)
    assert incidents(ds) == TWO and read(path, sheet="data")[0].sheet == "Data"
    assert changes_by(ds, "read.old_format")[0][-1] == "guess"
    with pytest.raises(DataError, match="has no sheet 'x': it has Notes, Data"):
        read(path, sheet="x")


def test_a_broken_workbook_of_the_old_format_is_refused(tmp_path):
    whole = old_workbook({"Data": [COLUMNS, ["Tajikistan", "Russia", "2015", "detention"]]})
    for content in (whole[:1536], whole[:700] + bytes(800) + whole[1500:]):
        assert "mine.xls" in refused(written(tmp_path / "mine.xls", content))


@pytest.mark.parametrize(
    ("form", "day"), [("td", "2015-03-05"), ("tc", "2015-03-05"), ("tm", "2015-03"), ("ty", "2015")]
)
@pytest.mark.parametrize("version", spread([114, 118], 1))
def test_a_stata_file_is_read_with_its_labels_and_dates_as_exact_as_they_are(
    tmp_path, form, day, version
):
    columns = {
        "origin": pd.Categorical(["Tajikistan", "Uzbekistan"]),
        "host": ["Russia", ""],
        "date": pd.to_datetime(["2015-03-05", None]),
        "measure": ["detention", "threat"],
    }
    path = tmp_path / "mine.dta"
    pd.DataFrame(columns).to_stata(
        path, write_index=False, convert_dates={"date": form}, version=version
    )
    assert incidents(path) == [("TJK", "RUS", day, "detention"), ("UZB", None, None, "threat")]
    broken = written(tmp_path / "broken.dta", path.read_bytes()[:300])
    assert "broken Stata file" in refused(broken)


def test_spss_is_read_where_pyreadstat_is_there_else_a_line_says_what_to_do(tmp_path, monkeypatch):
    path = written(tmp_path / "mine.sav", b"$FL2@(#) SPSS DATA FILE" + bytes(200))

    def absent(*_):
        raise ImportError

    monkeypatch.setattr(pd, "read_spss", absent)
    assert "export its table as CSV or xlsx, or install pyreadstat" in refused(path)
    frame = pd.read_csv(io.StringIO(CSV))
    monkeypatch.setattr(pd, "read_spss", lambda _: frame)
    assert incidents(path) == TWO

    def broken(*_):
        raise RuntimeError("Invalid file, or file has unsupported features")

    monkeypatch.setattr(pd, "read_spss", broken)
    assert "broken SPSS file" in refused(path)


def test_the_properties_of_geojson_are_read(tmp_path):
    features = [
        {
            "type": "Feature",
            "properties": dict(zip(COLUMNS, line.split(","), strict=True)),
            "geometry": {"type": "Point", "coordinates": [37.6, 55.7]},
        }
        for line in CSV.splitlines()[1:]
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    path = written(tmp_path / "mine.geojson", text)
    assert incidents(path) == TWO and len(changes_by(cape.load(path), "read.geojson")) == 1


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("mine.numbers", zipped(**{"Index/Document.iwa": b"x"}), "Apple Numbers"),
        ("mine.zip", zipped(**{"Index/Document.iwa": b"x", "a": b"x"}), "export it as CSV or xlsx"),
        ("mine.rds", gzip.compress(b"x"), "write.csv"),
        ("mine.RData", b"RDX3\nX\n", "write.csv"),
        ("mine", gzip.compress(b"RDX3\nX\n"), "write.csv"),
        ("mine.rds", gzip.compress(b"X\n\0\0\0\3"), "write.csv"),
    ],
    # archives hold the time at which they were packed: the ids would differ between two workers
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_what_other_programs_keep_is_named_with_what_to_do(tmp_path, name, content, advice):
    with pytest.raises(DataError) as caught:
        read(written(tmp_path / name, content))
    assert advice in str(caught.value) and "unpack" not in str(caught.value)
