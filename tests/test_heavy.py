"""What a file or a server may cost is bounded by its size, and low memory is called so."""

import socket
import struct
import threading
import time
import zipfile
from pathlib import Path

import pytest

from capelib.download import TooSlow, download
from capelib.errors import DataError
from capelib.read.csv_text import read_delimited
from capelib.read.files import read

NAMES = ("office", "table", "text")
SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in NAMES
)

MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
)


def ods(path: Path, *rows: str) -> Path:
    body = (
        f'<?xml version="1.0"?><office:document-content {SPACES}><office:body>'
        f'<office:spreadsheet><table:table table:name="A">{"".join(rows)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr("META-INF/manifest.xml", MANIFEST)
        book.writestr("content.xml", body)
    return path


def row(*cells: str, times: int = 1) -> str:
    texts = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        if cell
        else "<table:table-cell/>"
        for cell in cells
    )
    return f'<table:table-row table:number-rows-repeated="{times}">{texts}</table:table-row>'


def test_a_tiny_workbook_does_not_become_millions_of_rows(tmp_path):
    path = ods(tmp_path / "m.ods", row("origin", "measure"), row("TJK", "threat", times=4_900_000))
    start = time.process_time()
    with pytest.raises(DataError, match="repeats cells") as refused:
        read(path)
    assert "\n" not in str(refused.value)
    assert time.process_time() - start < 5


def test_blank_rows_below_a_table_and_a_few_equal_rows_cost_nothing(tmp_path):
    rows = [row("origin", "measure"), row("TJK", "threat", times=3), row("", "", times=1_048_000)]
    (sheet,) = read(ods(tmp_path / "m.ods", *rows))
    assert len(sheet.frame) == 3


def test_a_zip_file_with_a_huge_list_of_parts_is_not_opened(tmp_path, monkeypatch):
    path = tmp_path / "m.xlsx"
    parts = b"\0" * (5 << 20)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65_535, 65_535, len(parts), 4, 0)
    path.write_bytes(b"PK\x03\x04" + parts + end)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(DataError, match="lists far more parts than a workbook has"):
        read(path)


def test_low_memory_is_called_low_memory(monkeypatch):
    import pyarrow as pa
    from pyarrow import csv

    for error in (MemoryError, pa.ArrowMemoryError):

        def no_memory(*_: object, error=error, **__: object) -> object:
            raise error("none left")

        monkeypatch.setattr(csv, "read_csv", no_memory)
        with pytest.raises(DataError, match=r"names\.csv needs more memory than there is"):
            read_delimited(b"origin,measure\nTJK,threat\n", "names.csv")


def test_header_lines_that_never_end_count_in_the_time_of_a_download(tmp_path):
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                number = 0
                while not stop.wait(0.1):
                    number += 1
                    connection.sendall(f"X-{number}: 1\r\n".encode())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/t.csv"
        start = time.monotonic()
        with pytest.raises(TooSlow):
            download(address, tmp_path / "t.csv", 1 << 20, seconds=1.0, silence=30)
        assert time.monotonic() - start < 5  # the server would go on for ever
        stop.set()
        thread.join()
    assert list(tmp_path.iterdir()) == []


RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def shared_texts(path: Path, length: int, cells: int) -> Path:
    """A workbook of which one text of this length stands in so many cells."""
    texts = ["origin", "host", "measure", "TJK", "x" * length, "threat"]
    shared = "".join(f"<si><t>{text}</t></si>" for text in texts)
    numbers = [(0, 1, 2), *[(3, 4, 5)] * cells]
    rows = ""
    for each in numbers:
        rows += "<row>" + "".join(f'<c t="s"><v>{number}</v></c>' for number in each) + "</row>"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    targets = {
        "1": ("worksheet", "worksheets/sheet1.xml"),
        "2": ("sharedStrings", "sharedStrings.xml"),
    }
    relations = "".join(
        f'<Relationship Id="r{key}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    main = f'<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{types}"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}">{main}</Relationships>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{relations}'
        "</Relationships>",
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets><sheet name="A" '
        'sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/sharedStrings.xml": f"<sst {MAIN}>{shared}</sst>",
        "xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return path


def test_a_long_text_in_many_cells_does_not_fill_the_memory(tmp_path):
    path = shared_texts(tmp_path / "m.xlsx", 32_000, 5_000)
    start = time.process_time()
    with pytest.raises(DataError, match="repeats long texts in many cells") as refused:
        read(path)
    assert "\n" not in str(refused.value) and time.process_time() - start < 5
    (sheet,) = read(shared_texts(tmp_path / "few.xlsx", 32_000, 50))
    assert len(sheet.frame) == 50
