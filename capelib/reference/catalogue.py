"""Full tables of others, fetched where they are published, with licence and checksum on record.

The cache folder is pooch's; downloading itself is `capelib.download`,
which has bounds.
"""

import csv
import hashlib
import io
import os
import time
import tomllib
import zipfile
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from capelib.download import DownloadFailed, TooLarge, TooSlow, download
from capelib.errors import CapeError
from capelib.files import write_files
from capelib.paths import project_folder
from capelib.vocabulary.codebook import require

REGISTRY = "downloads.csv"  # in the folder of the files: what was fetched, from where, when
SILENCE = 30.0  # seconds that a server may stay silent
# seconds for all attempts together: a server that sends a byte now and then is never silent
LONGEST = 900.0
ATTEMPTS = 3
PAUSE = 1.0  # seconds after the first failure, twice as long after each further one


@dataclass(frozen=True)
class Download:
    """A table that can be fetched, as `data/reference/downloads.toml` describes it."""

    name: str
    title: str
    producer: str
    licence: str
    citation: str
    address: str
    page: str
    checked: str
    file: str
    kind: str
    largest_mb: float
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """A line of the registry: a file that was fetched.

    `contents` is sha256 again; of a zip file the checksum of its members' names and checksums.
    """

    file: str
    name: str
    sha256: str
    contents: str
    address: str
    date: str
    bytes: str


@dataclass(frozen=True)
class Fetched:
    """What did `fetch` do?

    Attributes
    ----------
    path : Path
        Where the file lies that the source gives.
    status : str
        "new", "unchanged", "changed" (the new file is kept apart, the old one stays) or
        "accepted".
    message : str
        The same in a sentence.
    """

    path: Path
    status: str
    message: str


@cache
def catalogue() -> dict[str, Download]:
    """Which tables can be fetched? By name.

    Examples
    --------
    >>> list(catalogue())
    ['fiw', 'vdem', 'unhcr', 'aaad']
    """
    text = (project_folder("data") / "reference" / "downloads.toml").read_text(encoding="utf-8")
    return {
        name: Download(name, **(entry | {"columns": tuple(entry.get("columns", ()))}))
        for name, entry in tomllib.loads(text).items()
    }


def about(name: str) -> str:
    """What is this table, whose is it, under which licence, from which address?

    Returns
    -------
    str
        Lines to read before fetching.

    Raises
    ------
    ParameterError
        For a name that is not in `catalogue()`, naming the nearest.

    Examples
    --------
    >>> print(about("unhcr").splitlines()[2])
    licence   CC BY 4.0, with UNHCR's Terms of Use for Datasets
    """
    entry = _entry(name)
    lines = {
        "title": entry.title,
        "producer": entry.producer,
        "licence": entry.licence,
        "cite as": entry.citation,
        "address": entry.address,
        "page": entry.page,
        "checked": entry.checked,
    }
    return "\n".join(f"{label:<9} {text}" for label, text in lines.items())


def folder() -> Path:
    """Where are full tables kept? In the folder CAPELIB_REFERENCE, else in the user's cache."""
    named = os.environ.get("CAPELIB_REFERENCE")
    if named:
        return Path(named).expanduser()
    import pooch

    return Path(pooch.os_cache("capelib"))


def path_of(name: str, where: Path | None = None) -> Path:
    """Where is the file of a full table, as it was on the day it was fetched?

    Nothing is downloaded.

    Parameters
    ----------
    name
        One of `catalogue()`.
    where
        The folder; by default `folder()`.

    Returns
    -------
    Path
        A file that was put there by hand has no checksum on record and is given as it is.

    Raises
    ------
    CapeError
        Where the file is missing or no longer the one that was fetched.

    Examples
    --------
    >>> path_of("vdem", Path("no-such-folder"))
    Traceback (most recent call last):
    ...
    capelib.errors.CapeError: no-such-folder has no vdem_ert_v15_1900_2024.csv: get it with `cape fetch vdem`
    """  # noqa: E501 - the message stands on one line
    entry = _entry(name)
    where = where or folder()
    path = where / entry.file
    record = _registry(where).get(entry.file)
    if not path.is_file():
        raise CapeError(f"{where} has no {entry.file}: get it with `cape fetch {name}`")
    if record and _sha256(path) != record.sha256:
        raise CapeError(
            f"{path} is no longer the file that was fetched on {record.date} "
            f"(sha256 {record.sha256[:12]}...): it was changed here; "
            f"move it away and run `cape fetch {name}`"
        )
    return path


def fetch(
    name: str, out: Path | None = None, accept: bool = False, timeout: float = SILENCE
) -> Fetched:
    """What does the source of a full table give today?

    Downloads the table, checks it, then puts it in its place with its checksum on record.

    Parameters
    ----------
    name
        One of `catalogue()`.
    out
        The folder; by default `folder()`.
    accept
        Where the source gives another file than the one on record: take it and keep the old one
        beside it. Without `accept` the old one stays and the new one is kept beside it.
    timeout
        Seconds that the server may stay silent.

    Raises
    ------
    CapeError
        Where the source does not give the file, the file on disk is not the one on record, or the
        folder cannot be written. Then nothing was changed.

    Notes
    -----
    Zip files with the same members are the same file: some servers pack anew at each request.

    Examples
    --------
    >>> fetch("unchr")
    Traceback (most recent call last):
    ...
    capelib.errors.ParameterError: unknown table to fetch 'unchr': did you mean unhcr, Refugee Population Statistics Database: ...
    """  # noqa: E501 - the message stands on one line
    entry = _entry(name)
    where = out or folder()
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(where, error) from None
    path = where / entry.file
    registry = _registry(where)
    if path.exists() and entry.file not in registry:
        raise CapeError(
            f"{path} is already there and was not fetched: it is used as it is; "
            "to fetch it, move it away or give --out DIR"
        )
    if path.exists():
        path_of(name, where)
    arrived = _arrive(entry, where, timeout)
    try:
        return _settle(entry, arrived, where, registry, accept)
    except OSError as error:
        raise _cannot_write(where, error) from None
    finally:
        arrived.unlink(missing_ok=True)


def _settle(
    entry: Download, arrived: Path, where: Path, registry: dict[str, Record], accept: bool
) -> Fetched:
    """Moves a file that arrived whole to its place, or beside the one on record."""
    path = where / entry.file
    old = registry.get(entry.file)
    new = _record(entry, arrived)
    if old and new.contents == old.contents:
        if not path.exists():
            _write(where, registry | {new.file: new})
            arrived.replace(path)
        message = f"{path} is what the source gives today and gave on {old.date}"
        return Fetched(path, "unchanged", message)
    if old and not accept:
        apart = replace(new, file=_name_apart(new))
        _write(where, registry | {apart.file: apart})
        arrived.replace(where / apart.file)
        message = (
            f"CHANGED AT THE SOURCE: it gives another file than on {old.date} "
            f"(sha256 then {old.sha256}, now {new.sha256}). {path} stays as it was; "
            f"the new file is kept apart as {where / apart.file}. "
            f"To take it: cape fetch {entry.name} --accept"
        )
        return Fetched(where / apart.file, "changed", message)
    kept = ""
    if old and path.exists():
        before = replace(old, file=_name_apart(old))
        path.replace(where / before.file)
        registry = registry | {before.file: before}
        kept = f"; the file of {old.date} is kept as {where / before.file}"
    # the record first: the next fetch mends a record without its file, not a file without record
    _write(where, registry | {new.file: new})
    arrived.replace(path)
    message = (
        f"{path}: {int(new.bytes):,} bytes, sha256 {new.sha256}, on record in {REGISTRY}{kept}"
    )
    return Fetched(path, "accepted" if old else "new", message)


def _record(entry: Download, path: Path) -> Record:
    digest = _sha256(path)
    members = _members(path)
    contents = hashlib.sha256(repr(members).encode()).hexdigest() if members else digest
    return Record(
        entry.file,
        entry.name,
        digest,
        contents,
        entry.address,
        f"{datetime.now(UTC):%Y-%m-%d}",
        str(path.stat().st_size),
    )


def _arrive(entry: Download, where: Path, silence: float) -> Path:
    """The file under a passing name in its folder, whole and checked."""
    arrived = where / f".{entry.name}.{os.getpid()}.arriving"
    end = time.monotonic() + LONGEST
    failure = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        try:
            _download(entry, arrived, end, silence)
            return arrived
        except DownloadFailed as error:
            arrived.unlink(missing_ok=True)
            failure = str(error)
            if not error.passing:
                raise CapeError(
                    f"{entry.name}: {failure}. Nothing was stored. Try later, "
                    f"or {_by_hand(entry, where)}"
                ) from None
        except OSError as error:
            raise _cannot_write(where, error) from None
    raise CapeError(
        f"{entry.name}: {urlsplit(entry.address).netloc} failed {ATTEMPTS} times, "
        f"at last: {failure}. Nothing was stored. Check the connection and try later, "
        f"or {_by_hand(entry, where)}"
    )


def _by_hand(entry: Download, where: Path) -> str:
    return f"get it by hand from {entry.page} and put it in {where} as {entry.file}"


def _download(entry: Download, to: Path, end: float, silence: float) -> None:
    """Stores the file of a table and checks it. Bounds are given in the catalogue's words."""
    try:
        download(
            entry.address,
            to,
            largest=int(entry.largest_mb * 1_000_000),
            seconds=end - time.monotonic(),
            silence=silence,
        )
    except TooLarge:
        raise DownloadFailed(
            f"the answer is larger than the {entry.largest_mb:g} MB that this table may have"
        ) from None
    except TooSlow:
        raise DownloadFailed(f"the download was not finished in {LONGEST:g} seconds") from None
    _check(to, entry)


def _check(path: Path, entry: Download) -> None:
    """Raises DownloadFailed where a file is not of the expected kind, or was cut short.

    A CSV file that was cut between two lines, by a server that announced that length, looks whole.
    """
    with path.open("rb") as file:
        head = file.read(100_000)
        file.seek(max(0, path.stat().st_size - 1))
        last = file.read(1)
    if not head:
        raise DownloadFailed("the answer is empty")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise DownloadFailed(
            "the address gave a web page (to log in, or an error) "
            f"where a {entry.kind} file was expected"
        )
    if entry.kind == "csv":
        first = head.decode("utf-8-sig", errors="replace").partition("\n")[0].rstrip("\r")
        missing = set(entry.columns) - set(next(csv.reader([first]), []))
        if missing:
            raise DownloadFailed(
                "the answer is not the expected CSV file: "
                f"its first line lacks {', '.join(sorted(missing))}"
            )
        if last != b"\n":
            raise DownloadFailed("the CSV file ends in the middle of a line: it was cut short")
        return
    if not head.startswith(b"PK\x03\x04"):
        raise DownloadFailed(f"the answer is not a {entry.kind} file")
    members = _members(path)
    if members is None:
        raise DownloadFailed(f"the {entry.kind} file is broken or was cut short")
    if entry.kind == "xlsx" and "xl/workbook.xml" not in {member for member, _, _ in members}:
        raise DownloadFailed("the answer is a zip file, but no xlsx workbook")


def _members(path: Path) -> list[tuple[str, int, int]] | None:
    """Name, checksum and size of what a zip file holds; None where it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(
                (member.filename, member.CRC, member.file_size) for member in archive.infolist()
            )
    except Exception:  # zipfile answers a broken file with errors of many kinds
        return None


def _registry(where: Path) -> dict[str, Record]:
    """What the folder's registry says, by file."""
    path = where / REGISTRY
    names = list(Record.__dataclass_fields__)
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, csv.Error) as error:
        raise CapeError(
            f"{path} cannot be read ({error}): move it away; "
            "then its files count as put there by hand"
        ) from None
    for number, cells in enumerate(lines, 1):
        if len(cells) != len(names) or (number == 1 and cells != names):
            raise CapeError(
                f"{path}, line {number}: expected the {len(names)} columns {', '.join(names)}; "
                "mend or delete the line"
            )
    return {cells[0]: Record(*cells) for cells in lines[1:]}


def _write(where: Path, registry: dict[str, Record]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Record.__dataclass_fields__)
    writer.writerows(astuple(record) for record in registry.values())
    write_files(where, {REGISTRY: text.getvalue().encode()})


def _entry(name: str) -> Download:
    entries = catalogue()
    require("table to fetch", name, {key: entry.title for key, entry in entries.items()})
    return entries[name]


def _name_apart(record: Record) -> str:
    return f"{Path(record.file).stem}.{record.sha256[:12]}{Path(record.file).suffix}"


def _cannot_write(where: Path, error: OSError) -> CapeError:
    return CapeError(
        f"cannot write to {where}: {error.strerror or error}; choose another folder with --out DIR"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
