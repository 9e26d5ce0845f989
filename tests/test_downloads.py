"""`cape fetch` gives the whole file, its licence and checksum on record, or one line and no file.

A real server on this machine plays the source, well and badly.
"""

import contextlib
import dataclasses
import gzip
import io
import re
import socket
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from capelib import CapeError, ParameterError, cli
from capelib.reference import catalogue

GOOD = b"country_text_id,year,v2x_regime\n" + b"TJK,2015,0\n" * 5000
CHANGED = GOOD.replace(b"TJK,2015,0", b"TJK,2015,1", 1)
BOMB = gzip.compress(b"0" * 30_000_000, 1)
PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"


def zipped(year=2026, **members: str) -> bytes:
    """A zip file as a server packs it at this time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in members.items():
            archive.writestr(
                zipfile.ZipInfo(name.replace("_", "/", 1) + ".xml", (year, 1, 2, 3, 4, 6)), text
            )
    return packed.getvalue()


class Source(BaseHTTPRequestHandler):
    """Each path behaves in its own way; `asked` counts the requests."""

    protocol_version = "HTTP/1.1"
    asked: list[str] = []  # noqa: RUF012 - emptied before each test
    body = GOOD

    def log_message(self, *_):
        pass

    def head(self, status=200, length: int | None = None, **headers: str):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.close_connection = True
        self.send_header("Connection", "close")
        self.end_headers()

    def give(self, body: bytes):
        self.head(length=len(body))
        self.wfile.write(body)

    def do_GET(self):
        self.asked.append(self.path)
        with contextlib.suppress(OSError):  # the reader has closed the connection
            getattr(self, "at_" + self.path.strip("/").replace("-", "_"))()

    def at_good(self):
        self.give(self.body)

    def at_silent_after_the_head(self):
        self.head(length=len(GOOD))
        time.sleep(1.5)

    def at_silent_in_the_middle(self):
        self.head(length=len(GOOD))
        self.wfile.write(GOOD[:1000])
        self.wfile.flush()
        time.sleep(1.5)

    def at_silent_from_the_start(self):
        time.sleep(1.5)

    def at_a_byte_now_and_then(self):
        self.head(length=len(GOOD))
        for number in range(200):
            self.wfile.write(GOOD[number : number + 1])
            self.wfile.flush()
            time.sleep(0.05)

    def at_closed_in_the_middle(self):
        self.head(length=len(GOOD))
        self.wfile.write(GOOD[: len(GOOD) // 2])

    def at_reset_in_the_middle(self):
        self.head(length=len(GOOD))
        self.wfile.write(GOOD[:1000])
        self.wfile.flush()
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        self.connection.close()

    def at_closed_before_any_answer(self):
        self.connection.close()

    def at_not_http(self):
        self.wfile.write(b"\x00\x01\x02 hello\r\n\r\n")
        self.close_connection = True

    def at_length_too_small(self):
        self.head(length=1005)  # in the middle of a line
        self.wfile.write(GOOD)

    def at_length_not_a_number(self):
        self.head(Content_Length="many")
        self.wfile.write(GOOD)

    def at_no_length(self):
        self.head()
        self.wfile.write(GOOD)

    def chunks(self, body: bytes, last=b"0\r\n\r\n"):
        self.head(Transfer_Encoding="chunked")
        for start in range(0, len(body), 7000):
            part = body[start : start + 7000]
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        self.wfile.write(last)

    def at_chunked(self):
        self.chunks(GOOD)

    def at_chunked_without_end(self):
        self.chunks(GOOD, last=b"")

    def at_chunked_with_nonsense(self):
        self.chunks(GOOD, last=b"zz\r\n")

    def at_endless(self):
        self.head()
        while True:
            self.wfile.write(GOOD)

    def at_too_long_by_its_own_word(self):
        self.head(length=10**12)
        self.wfile.write(GOOD)

    def at_bomb(self):
        self.head(length=len(BOMB), Content_Encoding="gzip")
        self.wfile.write(BOMB)

    def at_page(self):
        self.give(PAGE)

    def at_empty(self):
        self.give(b"")

    def at_mark_alone(self):
        self.give(b"\xef\xbb\xbf")

    def at_other_table(self):
        self.give(b"a,b,c\n1,2,3\n")

    def at_404(self):
        self.head(404, 0)

    def at_403(self):
        self.head(403, len(PAGE))
        self.wfile.write(PAGE)

    def at_500(self):
        self.head(500, 0)

    def at_503_then_good(self):
        if self.asked.count(self.path) < 2:
            self.head(503, 0)
        else:
            self.give(GOOD)

    def at_closed_then_good(self):
        if self.asked.count(self.path) < 3:
            self.at_closed_in_the_middle()
        else:
            self.give(GOOD)

    def to(self, target: str, status=302):
        self.head(status, 0, Location=target)

    def at_redirect(self):
        self.to("/good")

    def at_redirect_to_another_host(self):
        self.to(f"http://localhost:{self.server.server_address[1]}/good", 307)

    def at_redirect_loop(self):
        self.to("/redirect-loop")

    def at_redirect_to_a_file(self):
        self.to("file:///etc/hostname", 301)

    def at_redirect_to_nowhere(self):
        self.to("http://[::1")

    def at_redirect_with_endless_body(self):
        self.head(302, Location="/good")
        while True:
            self.wfile.write(GOOD)

    def at_zip_broken(self):
        self.give(zipped(population="Year", footnotes="none")[:-30])

    def at_workbook(self):
        self.give(zipped(xl_workbook="<workbook/>"))

    def at_zip(self):
        self.give(zipped(population="Year"))

    def at_zip_packed_anew(self):
        self.give(zipped(2000 + len(self.asked), population="Year", footnotes="none"))


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Source) as served:
        served.daemon_threads = True
        threading.Thread(
            target=served.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        yield f"http://127.0.0.1:{served.server_address[1]}/"
        served.shutdown()


@pytest.fixture
def source(server, monkeypatch):
    """Points a table of the list at a path of the server."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(catalogue, "PAUSE", 0.01)
    monkeypatch.setattr(Source, "asked", [])
    monkeypatch.setattr(Source, "body", GOOD)
    entries = catalogue.catalogue()

    def points(path: str, name="vdem", **other):
        entry = dataclasses.replace(
            entries[name], address=path if "://" in path else server + path, **other
        )
        monkeypatch.setattr(catalogue, "catalogue", lambda: {**entries, name: entry})

    return points


def stored(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refused(name, folder, **arguments) -> str:
    """The one line with which a fetch fails; nothing stays behind."""
    with pytest.raises(CapeError) as caught:
        catalogue.fetch(name, folder, **arguments)
    assert "\n" not in str(caught.value) and stored(folder) == []
    return str(caught.value)


# ---------------------------------------------------------------- what arrives well


@pytest.mark.parametrize(
    "path",
    [
        "good",
        "no-length",
        "length-not-a-number",
        "chunked",
        "redirect",
        "redirect-to-another-host",
        "redirect-with-endless-body",
    ],
)
def test_a_file_that_arrives_whole_is_stored_with_its_checksum_on_record(
    source, server, tmp_path, path
):
    source(path)
    fetched = catalogue.fetch("vdem", tmp_path / "new" / "folder")
    assert fetched.path.read_bytes() == GOOD and fetched.status == "new"
    assert stored(fetched.path.parent) == ["downloads.csv", "vdem_ert_v15_1900_2024.csv"]
    header, line = (fetched.path.parent / "downloads.csv").read_text().splitlines()
    assert header == "file,name,sha256,contents,address,date,bytes"
    assert re.fullmatch(
        rf"vdem_ert_v15_1900_2024.csv,vdem,({catalogue._sha256(fetched.path)}),\1,"
        rf"{server}{path},20\d\d-\d\d-\d\d,{len(GOOD)}",
        line,
    )
    assert catalogue.path_of("vdem", fetched.path.parent) == fetched.path
    assert fetched.path.stat().st_mode & 0o444 == 0o444  # the others of a shared folder may read it


@pytest.mark.parametrize(("path", "asked"), [("503-then-good", 2), ("closed-then-good", 3)])
def test_a_passing_failure_is_tried_again(source, tmp_path, path, asked):
    source(path)
    assert catalogue.fetch("vdem", tmp_path).path.read_bytes() == GOOD
    assert len(Source.asked) == asked


def test_the_folder_is_the_one_that_capelib_reference_names(source, tmp_path, monkeypatch):
    monkeypatch.setenv("CAPELIB_REFERENCE", str(tmp_path))
    source("good")
    assert (
        catalogue.fetch("vdem").path
        == catalogue.path_of("vdem")
        == tmp_path / "vdem_ert_v15_1900_2024.csv"
    )


def test_without_capelib_reference_it_is_the_users_cache(monkeypatch):
    monkeypatch.delenv("CAPELIB_REFERENCE", raising=False)
    assert catalogue.folder().name == "capelib"


@pytest.mark.parametrize(("name", "path"), [("fiw", "workbook"), ("unhcr", "zip"), ("aaad", "zip")])
def test_workbooks_and_zip_files_arrive_too(source, tmp_path, name, path):
    source(path, name)
    assert zipfile.is_zipfile(catalogue.fetch(name, tmp_path).path)


# ---------------------------------------------------------------- what does not


@pytest.mark.parametrize(
    ("path", "message", "asked"),
    [
        ("silent-after-the-head", "the server was silent for 0.2 seconds", 3),
        ("silent-in-the-middle", "the server was silent for 0.2 seconds", 3),
        ("silent-from-the-start", "the server was silent for 0.2 seconds", 3),
        (
            "closed-in-the-middle",
            "failed 3 times, at last: the answer broke off or was not HTTP",
            3,
        ),
        ("reset-in-the-middle", "Connection reset by peer", 3),
        ("closed-before-any-answer", "failed 3 times", 3),
        ("not-http", "the answer broke off or was not HTTP", 3),
        ("chunked-without-end", "failed 3 times, at last: the answer broke off or was not HTTP", 3),
        ("chunked-with-nonsense", "the answer broke off or was not HTTP", 3),
        ("500", "failed 3 times, at last: the server answered 500 Internal Server Error", 3),
        ("404", "the server answered 404 Not Found: the address may have moved", 1),
        ("403", "the server answered 403 Forbidden", 1),
        ("length-too-small", "the CSV file ends in the middle of a line: it was cut short", 1),
        ("endless", "larger than the 1 MB", 1),
        ("bomb", "larger than the 1 MB", 1),
        ("too-long-by-its-own-word", "larger than the 1 MB", 1),
        ("page", "a web page (to log in, or an error) where a csv file was expected", 1),
        ("empty", "the answer is empty", 1),
        ("mark-alone", "its first line lacks country_text_id", 1),
        ("other-table", "its first line lacks country_text_id, v2x_regime, year", 1),
        ("redirect-loop", "redirects more than 5 times", 6),
        ("redirect-to-a-file", "redirects to file:, which is not the web", 1),
        ("redirect-to-nowhere", "the server's answer cannot be read", 1),
    ],
)
def test_what_goes_wrong_is_one_clear_line_and_nothing_is_stored(
    source, tmp_path, path, message, asked
):
    source(path, largest_mb=1)
    line = refused("vdem", tmp_path, timeout=0.2)
    assert message in line and line.startswith("vdem: ")
    assert (
        "get it by hand from https://github.com/vdeminstitute/ERT "
        f"and put it in {tmp_path} as vdem_ert_v15_1900_2024.csv" in line
    )
    assert len(Source.asked) == asked


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        ("unhcr", "zip-broken", "the zip file is broken or was cut short"),
        ("unhcr", "good", "the answer is not a zip file"),
        ("unhcr", "page", "a web page (to log in, or an error) where a zip file was expected"),
        ("fiw", "zip", "a zip file, but no xlsx workbook"),
    ],
)
def test_what_arrives_must_be_of_the_kind_that_the_list_says(source, tmp_path, name, path, message):
    source(path, name)
    assert message in refused(name, tmp_path)


def test_a_server_that_sends_a_byte_now_and_then_does_not_hold_the_command_for_ever(
    source, tmp_path, monkeypatch
):
    monkeypatch.setattr(catalogue, "LONGEST", 0.3)
    source("a-byte-now-and-then")
    started = time.monotonic()
    assert "was not finished in 0.3 seconds" in refused("vdem", tmp_path)
    assert time.monotonic() - started < 2


def test_a_host_that_is_not_there_is_one_line(source, tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        source(f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    assert "Connection refused" in refused("vdem", tmp_path)


def test_a_name_that_is_not_on_the_list_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(
        ParameterError,
        match="unknown table to fetch 'fwi': did you mean fiw, Country and Territory Ratings",
    ):
        catalogue.fetch("fwi", tmp_path)
    assert stored(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_one_line(source, tmp_path):
    source("good")
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(
            CapeError, match=r"cannot write to .*file.*; choose another folder with --out DIR"
        ):
            catalogue.fetch("vdem", place)
    assert Source.asked == []


# ---------------------------------------------------------------- the second time


def test_the_same_file_again_is_said_and_nothing_changes(source, tmp_path):
    source("good")
    catalogue.fetch("vdem", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = catalogue.fetch("vdem", tmp_path)
    assert again.status == "unchanged" and "is what the source gives today" in again.message
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_file_that_changed_at_the_source_is_kept_apart_until_it_is_accepted(
    source, tmp_path, monkeypatch
):
    source("good")
    first = catalogue.fetch("vdem", tmp_path).path
    monkeypatch.setattr(Source, "body", CHANGED)
    for _ in range(2):  # asking twice keeps one copy
        changed = catalogue.fetch("vdem", tmp_path)
        assert changed.status == "changed" and changed.message.startswith(
            "CHANGED AT THE SOURCE: it gives another file than on 20"
        )
        assert (first.read_bytes(), changed.path.read_bytes()) == (GOOD, CHANGED)
        assert catalogue.path_of("vdem", tmp_path) == first
        assert len(stored(tmp_path)) == 3
        assert len(catalogue._registry(tmp_path)) == 2
    accepted = catalogue.fetch("vdem", tmp_path, accept=True)
    assert accepted.status == "accepted" and "is kept as" in accepted.message
    assert (accepted.path, first.read_bytes()) == (first, CHANGED)
    assert GOOD in [path.read_bytes() for path in tmp_path.glob("vdem*.csv")]
    assert catalogue.fetch("vdem", tmp_path).status == "unchanged"


def test_a_file_that_is_gone_comes_back_only_as_what_it_was(source, tmp_path, monkeypatch):
    source("good")
    path = catalogue.fetch("vdem", tmp_path).path
    path.unlink()
    monkeypatch.setattr(Source, "body", CHANGED)
    assert catalogue.fetch("vdem", tmp_path).status == "changed" and not path.exists()
    monkeypatch.setattr(Source, "body", GOOD)
    assert catalogue.fetch("vdem", tmp_path).status == "unchanged" and path.read_bytes() == GOOD


def test_a_zip_file_that_is_packed_anew_at_each_request_has_not_changed(source, tmp_path):
    source("zip-packed-anew", "unhcr")
    path = catalogue.fetch("unhcr", tmp_path).path
    whole = path.read_bytes()
    assert catalogue.fetch("unhcr", tmp_path).status == "unchanged" and path.read_bytes() == whole
    path.unlink()
    assert catalogue.fetch("unhcr", tmp_path).status == "unchanged" and path.read_bytes() != whole
    assert (
        catalogue.path_of("unhcr", tmp_path) == path
    )  # the record follows the bytes that are there
    source("zip", "unhcr")
    assert catalogue.fetch("unhcr", tmp_path).status == "changed"


def test_a_file_that_was_changed_here_is_neither_used_nor_replaced(source, tmp_path):
    source("good")
    path = catalogue.fetch("vdem", tmp_path).path
    path.write_bytes(b"mine")
    for call in (catalogue.path_of, catalogue.fetch):
        with pytest.raises(
            CapeError,
            match=r"no longer the file that was fetched on 20.* move it away and run `cape fetch",
        ):
            call("vdem", tmp_path)
    assert path.read_bytes() == b"mine" and len(Source.asked) == 1


def test_a_file_that_was_put_there_by_hand_is_used_and_never_replaced(source, tmp_path):
    source("good")
    path = tmp_path / "vdem_ert_v15_1900_2024.csv"
    path.write_bytes(b"mine")
    assert catalogue.path_of("vdem", tmp_path) == path
    with pytest.raises(
        CapeError, match="is already there and was not fetched: it is used as it is"
    ):
        catalogue.fetch("vdem", tmp_path)
    assert stored(tmp_path) == [path.name] and path.read_bytes() == b"mine" and Source.asked == []


def test_a_failed_second_fetch_leaves_the_first_file_and_its_record(source, tmp_path):
    source("good")
    path = catalogue.fetch("vdem", tmp_path).path
    before = (tmp_path / "downloads.csv").read_bytes()
    source("closed-in-the-middle")
    with pytest.raises(CapeError, match="failed 3 times"):
        catalogue.fetch("vdem", tmp_path, accept=True)
    assert (
        path.read_bytes() == GOOD
        and (tmp_path / "downloads.csv").read_bytes() == before
        and len(stored(tmp_path)) == 2
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [("nonsense\n", 1), ("file,name,sha256,contents,address,date,bytes\na,b\n", 2)],
)
def test_a_registry_that_cannot_be_read_names_the_line(source, tmp_path, text, line):
    source("good")
    (tmp_path / "downloads.csv").write_text(text)
    with pytest.raises(
        CapeError,
        match=rf"downloads.csv, line {line}: expected the 7 columns file, name, .*; mend or delete",
    ):
        catalogue.fetch("vdem", tmp_path)


# ---------------------------------------------------------------- the list and the command


def test_every_table_of_the_list_says_whose_it_is_and_what_is_known_of_its_address():
    for name, entry in catalogue.catalogue().items():
        assert re.match("https://", entry.address) and re.match("https://", entry.page), name
        assert all((entry.title, entry.producer, entry.licence, entry.citation, entry.checked)), (
            name
        )
        assert (
            entry.kind in ("csv", "xlsx", "zip")
            and entry.file.endswith("." + entry.kind)
            and 0 < entry.largest_mb <= 100
        ), name
        assert bool(entry.columns) == (entry.kind == "csv"), name
    assert len({entry.file for entry in catalogue.catalogue().values()}) == 4


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["cape", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    output = capsys.readouterr()
    return ended.value.code, output.out, output.err


def test_the_command_shows_licence_and_address_first_and_ends_in_1_where_the_source_has_changed(
    source, server, tmp_path, monkeypatch, capsys
):
    source("good")
    code, out, _ = run(monkeypatch, capsys, "fetch", "vdem", "--out", str(tmp_path))
    assert code == 0
    for message in (
        "licence   CC BY-SA 4.0",
        "producer  V-Dem Institute",
        f"address   {server}good",
        "cite as   Maerz",
        "not fetched when this list",
    ):
        assert message in out and out.index(message) < out.index("sha256")
    monkeypatch.setattr(Source, "body", CHANGED)
    code, out, _ = run(monkeypatch, capsys, "fetch", "vdem", "--out", str(tmp_path))
    assert code == 1 and "CHANGED AT THE SOURCE" in out
    assert run(monkeypatch, capsys, "fetch", "vdem", "--out", str(tmp_path), "--accept")[0] == 0


def test_the_command_says_that_the_address_of_aaad_is_unconfirmed(
    source, tmp_path, monkeypatch, capsys
):
    source("404", "aaad")
    code, out, err = run(monkeypatch, capsys, "fetch", "aaad", "--out", str(tmp_path))
    stated = "UNCONFIRMED: the identifier doi:10.7910/DVN/WIXVLJ is given by a third party"
    assert code == 2 and stated in " ".join(out.split())
    assert err.startswith("cape: aaad: the server answered 404") and err.count("\n") == 1
