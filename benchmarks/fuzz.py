"""Broken tables by the thousand, through every reader and the whole of `load`: no traceback, no row
lost, bounded time and memory.

`python benchmarks/fuzz.py [--tables 10000] [--seed 1] [--first 0]`: table number n of a seed is
always the same one, so that what is found can be looked at again. A table is drawn from the
careless colleague's cells, written as CSV, TSV, xlsx, ods, JSON or Parquet or kept as a DataFrame,
and damaged: cells, headers, encodings, single bytes, whole parts of the file. What may happen to
it: a Dataset in which each row that was read is either clean or set aside, with a remedy for each;
or an error of ours in one line.

With `--mutate` the files are whole, and then bytes of them are changed.
"""

import argparse
import io
import json
import os
import random
import resource
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parent.parent
MOST_SECONDS, MOST_BYTES = 10.0, 1 << 30  # of one table
FORMS = ("csv", "csv", "csv", "tsv", "xlsx", "ods", "json", "jsonl", "parquet", "frame")
MUTATED = ("xlsx", "ods", "parquet", "json", "csv")
_SECRET = "Zzyzx Qwertson"  # stands in a column of names: must come out nowhere
HOSTILE = [
    *(
        "=1+1",
        "@SUM(A1)",
        "-2+3",
        "\x00",
        "\ufeff",
        "\u202eabc",
        "\ud800",
        "a" * 5000,
        "9" * 400,
        "1e999",
        "NaN",
        "None",
        "null",
        "#REF!",
    ),
    *(
        "2015-13",
        "0000",
        "31.02.2015",
        "99999",
        "2015/",
        "/2015",
        "..",
        "2016/2014",
        "2014, 2015 and 2017",
        "05.03.15",
        "٢٠١٥",
        "soon",
    ),
    *(
        "I0001",
        "I" + "9" * 40,
        "TJK-0001",
        "TJK-" + "9" * 30,
        "S0001",
        "S0000",
        "E001",
        "tjk-0001",
        "I٠٠٠١",
        "y170000002",
        "2015-03-05T99",
    ),
    *(
        "detained, then deported",
        "; ; ;",
        ";" * 300,
        ", ".join(["Russia"] * 60),
        "Russia\nTurkey",
        "Moscow, Russia",
        "?" * 40,
        "💥",
        "ﬁ",
    ),
    *(
        "Russia / Turkey / Ukraine / Poland",
        "İstanbul",
        "via Turkey",
        "Rusia",
        "Tadjikstan",
        "Yugoslavia",
        "USSR",
        "Georgia",
        "Niger",
    ),
    *(
        "yes",
        "no",
        "1",
        "0",
        "2",
        "x",
        " ",
        "\t",
        "\r\n",
        '"',
        "'",
        "''",
        "{}",
        "[]",
        "<b>",
        "http://[::1",
        "https://example.org/a b",
    ),
    *("NA", "Congo", "EU", "unknown", "n/a", "-", "—", "https://"),
]
HEADERS = [
    [
        "name",
        "exile_id",
        "origin",
        "host",
        "date",
        "measure",
        "interpol",
        "category",
        "url",
        "notes",
    ],
    [
        "incident_id",
        "exile_id",
        "origin",
        "host",
        "date",
        "measure",
        "doubtful",
        "episode_id",
        "source_id",
        "outcome",
    ],
    [
        "Name",
        "Type of person",
        "Country of origin",
        "Where?",
        "When",
        "What happened",
        "Family?",
        "Interpol?",
        "Source link",
        "Notes",
    ],
    [
        "ID",
        "Name",
        "Country of origin",
        "Host countries",
        "Stage 1",
        "Stage 1 date",
        "Stage 2",
        "Stage 2 year",
        "Stage 3",
        "Source",
    ],
    [
        "ФИО",
        "Страна происхождения",
        "Страна",
        "Год",
        "Что случилось",
        "Семья",
        "Интерпол",
        "Категория",
        "Источник",
        "x",
    ],
    ["Surname", "First name", "origin", "measure"],
]


@dataclass
class Outcome:
    """What happened to a table: "loaded", "refused" or "FAILED", with what was said."""

    number: int
    form: str
    what: str
    said: str
    seconds: float


def rows_of(chance: random.Random) -> tuple[list[str], list[list[str]]]:
    """A header and rows of the careless colleague's cells, some of them hostile."""
    import careless

    header = list(chance.choice(HEADERS))
    words = (careless.ORIGINS, careless.HOSTS, careless.MEASURES, careless.TYPES)
    pools = [[word for words in table.values() for word in words] for table in words]
    pools += [
        [
            "2015",
            "2015-03",
            "5 March 2015",
            "05.03.2015",
            "summer 2015",
            "2014-2016",
            "42068",
            "c. 2015",
        ],
        ["yes", "нет", "", "x"],
    ]
    usual = [_pool(name, pools) for name in header]
    wild, blank = (
        chance.choice([0, 0.02, 0.05, 0.1, 0.3, 1]),
        chance.choice([0, 0, 0, 0.05, 0.1, 0.5]),
    )
    rows = []
    for _ in range(chance.choice([0, 1, 3, 10, 30, 30, 60])):
        if rows and chance.random() < 0.1:
            rows.append(list(chance.choice(rows)))
            continue
        row = [
            chance.choice(HOSTILE) if chance.random() < wild else chance.choice(pool)
            for pool in usual
        ]
        rows.append(["" if chance.random() < blank else str(cell) for cell in row])
    if chance.random() < 0.3:
        _damage(header, rows, chance)
    return header, rows


def _pool(name: str, pools: list[list[str]]) -> list[str]:
    plain = name.casefold()
    origins, hosts, measures, types, dates, answers = pools
    if "name" in plain or plain == "фио":
        return [f"{_SECRET} {number}" for number in range(5)]
    of = {
        ("origin", "country of origin", "страна происхождения"): origins,
        ("host", "where?", "host countries", "страна"): hosts,
        ("date", "when", "год", "stage 1 date", "stage 2 year"): dates,
        ("measure", "what happened", "что случилось", "stage 1", "stage 2", "stage 3"): measures,
        ("category", "type of person", "категория"): types,
        ("incident_id", "exile_id", "episode_id", "source_id", "id"): [
            "I0001",
            "TJK-0001",
            "TJK-0002",
            "E001",
            "S0001",
            "",
            "17",
        ],
    }
    kinds = {each: words for names, words in of.items() for each in names}
    return kinds.get(plain, answers)


def _damage(header: list[str], rows: list[list[str]], chance: random.Random) -> None:
    """Headers twice, blank or hostile; rows too long, too short, blank, or the header again."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(header))
        header[at] = chance.choice(
            [
                "",
                header[0],
                chance.choice(HOSTILE)[:200],
                header[at].upper(),
                f" {header[at]}?",
                header[at][:-1],
            ]
        )
    for _ in range(chance.randint(0, 4)):
        if rows:
            row = chance.choice(rows)
            row[:] = chance.choice(
                [[*row, "surplus"], row[: len(row) // 2], [""] * len(row), list(header)]
            )


# ---------------------------------------------------------------- the forms


def _text(header: list[str], rows: list[list[str]], chance: random.Random, delimiter: str) -> bytes:
    import csv

    text = io.StringIO(newline="")
    quoting = chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    ends = chance.choice(["\n", "\r\n", "\r"])
    try:
        csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=ends).writerows(
            [header, *rows]
        )
    except csv.Error:
        text.write(delimiter.join(header))
    encoding = chance.choice(
        ["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1251", "koi8-r", "latin-1", "utf-16-le"]
    )
    return text.getvalue().encode(encoding, "replace")


def _square(header: list[str], rows: list[list[str]]) -> pd.DataFrame:
    width = max(len(header), *(len(row) for row in rows), 1) if rows else len(header)
    names = [*header, *(f"extra {number}" for number in range(width - len(header)))]
    return pd.DataFrame(
        [row + [""] * (width - len(row)) for row in rows],
        columns=pd.Index(names, dtype="object"),
        dtype="object",
    )


def _typed(frame: pd.DataFrame, chance: random.Random) -> pd.DataFrame:
    """Some cells as numbers, dates, answers and blanks, as other programs keep them."""

    def cell(text: str) -> object:
        kind = chance.random()
        if kind < 0.1:
            return None
        if kind < 0.15:
            return chance.choice(
                [
                    2015,
                    2015.5,
                    float("inf"),
                    True,
                    pd.Timestamp("2015-03-05"),
                    b"bytes",
                    ["a", "b"],
                    {"a": 1},
                ]
            )
        return text

    return _changed(frame, cell)


def _changed(frame: pd.DataFrame, cell: Callable[[str], object]) -> pd.DataFrame:
    cells = [[cell(text) for text in row] for row in frame.to_numpy().tolist()]
    return pd.DataFrame(cells, columns=frame.columns, dtype="object")


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts that a workbook or a Parquet file can hold at all."""

    def cell(value: object) -> str:
        text = str(value).encode("utf-8", "replace").decode()
        return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")[:3000]

    return _changed(frame, cell).set_axis(
        pd.Index([cell(name) for name in frame.columns], dtype="object"), axis=1
    )


def _xlsx(frame: pd.DataFrame, chance: random.Random) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for _ in range(chance.choice([0, 0, 1, 2])):
        sheet.append(["a title"])
    for row in [list(frame.columns), *frame.to_numpy().tolist()]:
        sheet.append(row)
    for _ in range(chance.choice([0, 0, 1, 3])):
        top, left = chance.randint(1, 8), chance.randint(1, 6)
        sheet.merge_cells(
            start_row=top,
            end_row=top + chance.randint(0, 4),
            start_column=left,
            end_column=left + chance.randint(0, 2),
        )
    sheet.row_dimensions[chance.randint(1, 9)].hidden = chance.random() < 0.3
    if chance.random() < 0.3:
        other = book.create_sheet("more")
        for row in [list(frame.columns), *frame.to_numpy().tolist()[:3]]:
            other.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _ods(frame: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    with pd.ExcelWriter(content, engine="odf") as book:
        frame.to_excel(book, index=False)
    return content.getvalue()


def table(
    number: int, seed: int, folder: Path, mutate: bool = False
) -> tuple[str, Path | pd.DataFrame]:
    """Table `number` of a seed: its form, and where it was written."""
    if mutate:
        return _mutated_file(number, seed, folder)
    chance = random.Random(f"{seed} {number}")
    form = chance.choice(FORMS)
    header, rows = rows_of(chance)
    if form == "frame":
        return form, _typed(_square(header, rows), chance)
    path = folder / f"table {number}.{form}"
    content = _bytes(form, header, rows, chance)
    path.write_bytes(_broken(content, form, chance) if chance.random() < 0.25 else content)
    return form, path


def _mutated_file(number: int, seed: int, folder: Path) -> tuple[str, Path]:
    """A valid file with some of its bytes changed, in a packed file also within its parts."""
    chance = random.Random(f"mutated {seed} {number}")
    form = MUTATED[number % len(MUTATED)]
    content = _bytes(form, *rows_of(chance), chance)
    if form in ("xlsx", "ods") and chance.random() < 0.6:
        content = _with_mutated_part(content, chance)
    else:
        content = _mutated(content, chance)
    path = folder / f"table {number}.{form}"
    path.write_bytes(content)
    return form, path


def _mutated(content: bytes, chance: random.Random) -> bytes:
    """The bytes with single bits turned, or stretches doubled, left out or replaced."""
    changed = bytearray(content)
    for _ in range(chance.choice([1, 2, 8, 40])):
        if not changed:
            break
        place = chance.randrange(len(changed))
        end = place + chance.choice([1, 1, 4, 64])
        match chance.choice(["bit", "bit", "byte", "double", "drop", "number"]):
            case "bit":
                changed[place] ^= 1 << chance.randrange(8)
            case "byte":
                changed[place] = chance.randrange(256)
            case "double":
                changed[place:place] = changed[place:end]
            case "drop":
                del changed[place:end]
            case _:
                changed[place:end] = chance.choice([b"0", b"-1", b"4294967295", b"\xff" * 8])
    return bytes(changed)


def _with_mutated_part(content: bytes, chance: random.Random) -> bytes:
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        chosen = chance.choice(old.namelist())
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, _mutated(part, chance) if name == chosen else part)
    return made.getvalue()


def _bytes(form: str, header: list[str], rows: list[list[str]], chance: random.Random) -> bytes:
    frame = _square(header, rows)
    match form:
        case "csv" | "tsv":
            content = _text(header, rows, chance, "\t" if form == "tsv" else chance.choice(",,;|"))
        case "json":
            records = [dict(zip(header, row, strict=False)) for row in rows]
            content = json.dumps(
                chance.choice([records, {"data": records}, [header, *rows], records[:1]]),
                ensure_ascii=True,
            ).encode()
        case "jsonl":
            content = "\n".join(
                json.dumps(dict(zip(header, row, strict=False))) for row in rows
            ).encode()
        case "parquet":
            safe = _safe(frame)
            safe.columns = [
                f"{name}{'' if place == list(safe.columns).index(name) else place}"
                for place, name in enumerate(safe.columns)
            ]
            file = io.BytesIO()
            safe.to_parquet(file)
            content = file.getvalue()
        case "xlsx":
            content = _xlsx(_safe(frame), chance)
        case _:
            content = _ods(_safe(frame))
    return content


def _broken(content: bytes, form: str, chance: random.Random) -> bytes:
    """The file cut off, with bytes changed, or with a part of its package changed."""
    kind = chance.choice(["cut", "bytes", "part", "other"])
    if kind == "part" and form in ("xlsx", "ods"):
        return _other_part(content, chance)
    if kind == "cut" and content:
        return content[: chance.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(chance.choice([1, 3, 30])):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return (
        bytes(changed)
        if kind != "other"
        else bytes(changed) + bytes(chance.randrange(256) for _ in range(50))
    )


def _other_part(content: bytes, chance: random.Random) -> bytes:
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        names = old.namelist()
        hit = chance.choice(names)
        for name in names:
            part = old.read(name)
            if name == hit:
                spoilt = [
                    b"",
                    part[: len(part) // 2],
                    part.replace(b"row", b"rov"),
                    b"<a>" * 1000,
                    part.replace(b'r="', b'r="9'),
                ]
                part = chance.choice(spoilt)
            new.writestr(name, part)
    return made.getvalue()


# ---------------------------------------------------------------- what must hold


def tried(number: int, seed: int, folder: Path, mutate: bool = False) -> Outcome:
    """Loads one table and looks whether all promises hold."""
    import capelib as cape

    form, source = table(number, seed, folder, mutate)
    start = _seconds()
    try:
        said = _kept(source)
        what = "loaded"
    except cape.CapeError as error:
        what, said = "refused", str(error)
        if "\n" in said or len(said) > 1500 or _SECRET in said:
            what, said = (
                "FAILED",
                f"a message that is long, has several lines or a name: {said[:300]!r}",
            )
    except Exception as error:
        what, said = "FAILED", f"{type(error).__name__}: {error}"
    finally:
        if isinstance(source, Path):
            source.unlink(missing_ok=True)
    seconds = _seconds() - start
    if seconds > MOST_SECONDS:
        what, said = "FAILED", f"{seconds:.0f} seconds ({said[:100]})"
    return Outcome(number, form, what, said, seconds)


def _seconds() -> float:
    """Processor seconds of this process and of those that it started to read workbooks: a busy
    machine does not count.
    """
    return sum(os.times()[:4])


def _kept(source: Path | pd.DataFrame) -> str:
    """Loads a table and raises where a promise does not hold."""
    import capelib as cape
    from capelib.clean.changes import CHANGE_COLUMNS
    from capelib.clean.table import clean

    with _heard() as sheets:
        try:
            ds = cape.load(source)
        except cape.DataError as error:
            if "has no usable row" in str(error):
                _must(
                    len(clean(sheets).set_aside) == sum(len(sheet.frame) for sheet in sheets),
                    "a row was lost where none can be used",
                )
            raise
    every = [(sheet.sheet, int(row)) for sheet in sheets for row in sheet.frame.index]
    clean = set(zip(ds.rows["sheet"].astype("str"), ds.rows["row"], strict=True))
    aside = list(
        zip(ds.set_aside["sheet"].fillna("").astype("str"), ds.set_aside["row"], strict=True)
    )
    _must(
        len(clean) + len(aside) == len(every)
        and clean | set(aside) == set(every)
        and not clean & set(aside),
        "a row was lost or counted twice",
    )
    _must(len(ds.rows) == len(ds.incidents), "rows and incidents differ")
    _must(
        set(ds.problems.query("action == 'set aside'")["row"]) == {row for _, row in aside},
        "a row set aside without its problem",
    )
    _must(
        ds.problems["remedy"].notna().all() and ds.set_aside["why"].ne("").all(),
        "a problem without a remedy, or a row without a reason",
    )
    _must(
        ds.incidents["incident_id"].is_unique
        and ds.exiles["exile_id"].is_unique
        and ds.sources["source_id"].is_unique,
        "a key twice",
    )
    _must(
        set(ds.incidents["exile_id"]) == set(ds.exiles["exile_id"]), "an incident without its exile"
    )
    _must(
        ds.incidents[["origin", "measure", "incident_id", "exile_id", "source_id"]]
        .notna()
        .all(axis=None),
        "a required cell is blank",
    )
    _must(
        ds.incidents["date"].notna().eq(ds.incidents["date_start"].notna()).all(),
        "a date that cannot be read",
    )
    _must(
        set(ds.incidents["origin"]) | set(ds.incidents["host"].dropna()) <= set(cape.states()),
        "no state",
    )
    _must(
        list(ds.changes) == CHANGE_COLUMNS and len(ds.changes) == len(ds.log),
        "changes do not add up",
    )
    shown = [
        ds.incidents.drop(columns="outcome"),
        ds.exiles,
        ds.sources,
        ds.problems,
        ds.set_aside,
        ds.changes,
    ]
    named = any(
        name_like in frame.to_csv() for frame in shown for name_like in (_SECRET,)
    ) or _SECRET in repr(ds)
    _must(not named or _misplaced(sheets), "a name came out")
    return f"{len(ds.incidents)} incidents, {len(aside)} rows set aside"


@contextmanager
def _heard() -> Iterator[list]:
    """The sheets that `load` reads: reading a workbook a second time would take as long again."""
    import capelib.clean.folder  # noqa: F401 (imported later, it would keep `also` for good)
    from capelib.read import files

    sheets: list = []
    read = files.read

    def also(*asked: object, **how: object) -> list:
        sheets.extend(read(*asked, **how))
        return list(sheets)

    files.read = also
    try:
        yield sheets
    finally:
        files.read = read


def _misplaced(sheets: list) -> bool:
    """Does a name stand in a column that is not one of names? Then no rule could know it."""
    from capelib.meaning.persons import is_name_column

    return any(
        not is_name_column(str(name))
        and sheet.frame[name].fillna("").str.contains(_SECRET, regex=False).any()
        for sheet in sheets
        for name in sheet.frame
    )


def _must(holds: bool, said: str) -> None:
    if not holds:
        raise AssertionError(said)


def run(
    tables: int,
    seed: int,
    first: int = 0,
    each: Callable[[Outcome], None] = lambda _: None,
    mutate: bool = False,
) -> list[Outcome]:
    """What happened to each table."""
    found = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(first, first + tables):
            found.append(tried(number, seed, Path(folder), mutate))
            each(found[-1])
    return found


def main() -> None:
    """Run them and print what was found."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--tables", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--mutate", action="store_true", help="valid files with bytes changed")
    asked = options.parse_args()
    sys.path.insert(0, str(ROOT / "tests"))

    def say(outcome: Outcome) -> None:
        if outcome.what == "FAILED":
            print(f"table {outcome.number} ({outcome.form}): {outcome.said}", flush=True)
        elif (outcome.number + 1) % 1000 == 0:
            print(f"... {outcome.number + 1:,}", flush=True)

    found = run(asked.tables, asked.seed, asked.first, say, asked.mutate)
    for (form, what), count in sorted(
        Counter((outcome.form, outcome.what) for outcome in found).items()
    ):
        print(f"{count:>7,} {form:8} {what}")
    slow = max(found, key=lambda outcome: outcome.seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )
    print(
        f"slowest: table {slow.number} ({slow.form}), {slow.seconds:.1f} s; "
        f"largest memory {peak / 2**20:,.0f} MiB"
    )
    sys.exit(any(outcome.what == "FAILED" for outcome in found) or peak > MOST_BYTES)


if __name__ == "__main__":
    main()
