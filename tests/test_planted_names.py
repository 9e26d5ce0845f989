"""Made-up names planted wherever careless tables have them: none is ever shown or written."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from shared import spread
from typer.testing import CliRunner

import capelib as cape
from capelib.check.files import examine
from capelib.check.summary import PROMISE
from capelib.clean.shown import Shown
from capelib.cli import app
from capelib.download import without_secrets
from capelib.meaning.understood import understood

FIRST = ("Zorvan", "Quxley", "Brandox", "Ulmirek", "Vexandra", "Tromvik", "Pelzhan", "Oddwick")
SECOND = ("Jexhov", "Mirquat", "Dwopzen", "Sklarvey", "Hubrixov")
NAMES = [f"{first} {second}" for first in FIRST for second in SECOND]
PARTS = re.compile("|".join([*FIRST, *SECOND]), re.IGNORECASE)
HEADER = ["Full name", "origin", "host", "date", "measure", "category", "interpol", "kind", "url"]
GOOD = ["", "TJK", "RUS", "2015", "detention", "opposition", "yes", "court", ""]


def rows() -> list[list[str]]:
    """Forty rows, each with its name in the column of names and in another place."""
    remarks = ("{}", "{} (Moscow)", "Turkey ({})", "2016 ({})", "detention of {}", "TUR; {}")
    remarks += ("extradited, then {}", "{}?", "probably {}")
    lines = []
    for number, name in enumerate(NAMES):
        line = [name, *GOOD[1:]]
        slug = name.lower().replace(" ", "-")
        line[8] = f"https://{name.replace(' ', '.')}:pw@news.test/{slug}?who={slug}#{slug}"
        column = 1 + number % 7
        line[column] = remarks[number % len(remarks)].format(name)
        if number % 10 == 9:
            line = ["", *line[:-1]]  # shifted by one cell
        lines.append(line)
    return [*lines, *([f"Person {letter}", *GOOD[1:]] for letter in "abcdef")]


def as_csv(path: Path, header: list[str], lines: list[list[str]]) -> Path:
    text = [",".join(f'"{cell}"' for cell in line) for line in [header, *lines]]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def csv_table(folder: Path) -> Path:
    header = [*HEADER, "outcome", NAMES[0], "Remarks"]
    lines = [[*line, f"{line[0]} fled", "1", NAMES[3]] for line in rows()]
    lines[4].append(NAMES[4])  # a cell too many
    lines += [["Source: interview with " + NAMES[5]], ["Total", "", NAMES[6]]]
    return as_csv(folder / "cases.csv", header, lines)


def wrong_header(folder: Path) -> Path:
    """Names stand under "Profile", which is read as a category, and under keys and states."""
    header = [
        "origin",
        "host",
        "Profile",
        "date",
        "measure",
        "incident_id",
        "source_id",
        "outcomes",
    ]
    lines = [["TJK", "RUS", name, "2015", "threat", name, name, name] for name in NAMES]
    lines += [[name, "TJK", "", "2015", "threat", "", "", ""] for name in NAMES[:5]]
    lines += [["TJK", "RUS", "", "2015", "threat", "", "", ""]] * 3
    return as_csv(folder / "profiles.csv", header, lines)


def short_header(folder: Path) -> Path:
    """As R writes it: the header is a cell short, and all cells stand one to the left."""
    lines = [
        [str(number), name, "TJK", "RUS", "2015", "threat"] for number, name in enumerate(NAMES)
    ]
    return as_csv(folder / "r.csv", ["name", "origin", "host", "date", "measure"], lines)


def workbook(folder: Path) -> Path:
    path = folder / f"{NAMES[7]} list.xlsx"
    title = [[f"Cases collected by {NAMES[8]}"] + [""] * 8, [""] * 9]
    end = [[""] * 9, [f"Collected by {NAMES[9]}"] + [""] * 8]
    with pd.ExcelWriter(path) as book:
        frame = pd.DataFrame([*title, HEADER, *rows(), *end])
        frame.to_excel(book, sheet_name=NAMES[10], index=False, header=False)
        second = pd.DataFrame({NAMES[11]: [NAMES[12]], "b": [NAMES[13]]})
        second.to_excel(book, sheet_name=NAMES[14], index=False)
    return path


def nested_json(folder: Path) -> Path:
    records = [dict(zip(HEADER, line, strict=True)) for line in rows()]
    records[0] |= {NAMES[15]: 1, "notes": {"by": NAMES[16], NAMES[17]: [NAMES[18]]}}
    path = folder / "nested.json"
    path.write_text(json.dumps({NAMES[19]: {NAMES[20]: records}}), encoding="utf-8")
    return path


def keyed_json(folder: Path) -> Path:
    records = {name: dict(zip(HEADER[1:], GOOD[1:], strict=True)) for name in NAMES}
    path = folder / "keyed.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def pivoted(folder: Path) -> Path:
    """A column for each person, and none that a layout needs."""
    return as_csv(folder / "wide.csv", ["origin", "host", *NAMES], [["TJK", "RUS", *"1" * 40]])


TABLES = (csv_table, wrong_header, short_header, workbook, nested_json, keyed_json, pivoted)


def names_in(text: str) -> list[str]:
    return sorted(set(PARTS.findall(text)))


def all_written(folder: Path) -> str:
    """The names and the content of all files."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    text = "\n".join(path.relative_to(folder).as_posix() for path in paths)
    return text + "".join(path.read_bytes().decode("utf-8", "replace") for path in paths)


@pytest.mark.parametrize("table", spread(TABLES, 3))
def test_no_planted_name_is_shown_or_written_by_check(table, tmp_path, monkeypatch):
    source = table(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    done = CliRunner().invoke(app, ["check", str(source)])
    error = "" if isinstance(done.exception, SystemExit | None) else str(done.exception)
    assert not names_in(done.output + error) and not names_in(all_written(Path()))


@pytest.mark.parametrize("table", spread(TABLES, 3))
def test_no_planted_name_is_in_a_dataset_or_in_an_error(table, tmp_path):
    try:
        ds = cape.load(table(tmp_path))
    except cape.DataError as error:
        assert not names_in(str(error))
        return
    frames = (ds.incidents, ds.exiles, ds.sources, ds.set_aside, ds.changes, ds.problems, ds.rows)
    shown = "".join(frame.to_csv() for frame in frames) + repr(ds) + repr(ds.info) + repr(ds.tables)
    assert not names_in(shown)


@pytest.mark.slow
def test_rows_and_columns_of_what_is_not_shown_are_named(tmp_path):
    ds = examine(csv_table(tmp_path))
    aside = ds.problems[ds.problems["action"] == "set aside"]
    assert len(aside) > 20 and aside["row"].gt(1).all() and aside["remedy"].notna().all()
    assert "(not shown)" in set(aside["value"])
    assert "(column 11)" in set(ds.changes["column"])


@pytest.mark.slow
def test_cells_are_written_only_when_asked_for_and_beside_no_figures(tmp_path, monkeypatch):
    source = wrong_header(tmp_path)
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["check", str(source)])
    folder = tmp_path / "build/check/profiles"
    assert sorted(path.name for path in folder.iterdir()) == [
        "changes.csv",
        "clean.csv",
        "set_aside.csv",
    ]
    header = (folder / "set_aside.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == '"file","sheet","row","why"'
    done = CliRunner().invoke(app, ["check", str(source), "--show-cells"])
    assert "do not pass it on" in done.output and not names_in(done.output)
    assert names_in((folder / "set_aside_cells.csv").read_text(encoding="utf-8"))
    assert not names_in((folder / "set_aside.csv").read_text(encoding="utf-8"))


def test_a_text_is_shown_only_where_every_word_of_it_is_known():
    known = ("Russia (Moscow)", "5 марта 2015 г.", "arrested; extradited", "TJK-0012", "Туркия?")
    assert [text for text in known if not understood(text)] == []
    unknown = ("Turkey (Jexhov)", "Zorvan", "123456789", "detention of Quxley", "Moscow Jexhov")
    assert [text for text in unknown if understood(text)] == []


def test_words_of_known_names_are_masked_in_other_texts():
    shown = Shown([pd.Series(["Zorvan Quxley", "May Jordan", "unknown"])])
    assert shown.text("ZorvanQuxley 2016.xlsx") == "*** 2016.xlsx"
    assert shown.text("incidents may 2016.csv") == "incidents may 2016.csv"
    assert shown.text("may jordan.csv") == "***" and not shown.cell("May Jordan")
    assert shown.cell("Jordan") and shown.cell("unknown")


def test_an_address_loses_user_password_query_and_fragment():
    assert without_secrets("http://user:pass@host.test/x.csv?token=S#f") == "http://host.test/x.csv"


def test_an_error_about_an_address_shows_none_of_its_secrets():
    for address in (
        "ftp://me:secret@host.test/x?t=secret",
        "http://me:secret@127.0.0.1:1/?t=secret",
    ):
        with pytest.raises(cape.DataError) as caught:
            cape.load(address)
        assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_no_planted_name_comes_out_of_a_run(tmp_path, monkeypatch):
    csv_table(tmp_path)
    source = workbook(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for path in (tmp_path / "cases.csv", source):
        done = CliRunner().invoke(app, ["reproduce", "01", "--data", str(path), "--out", "out"])
        assert "1 done" in done.output and not names_in(done.output)
    written = all_written(Path())
    assert "provenance.json" in written and ".ipynb" in written and not names_in(written)


def test_the_documents_and_the_command_promise_the_same():
    for name in ("README.md", "data/README.md", "docs/your-own-table.md"):
        text = (Path(__file__).parent.parent / name).read_text(encoding="utf-8")
        assert PROMISE in " ".join(text.replace("\n- ", "\n").split()), name


def test_outcome_is_taken_only_where_a_layout_of_the_user_names_it(tmp_path):
    header = ["Full name", "origin", "measure", "outcome"]
    source = as_csv(tmp_path / "t.csv", header, [[NAMES[0], "TJK", "threat", f"{NAMES[0]} fled"]])
    ds = cape.load(source)
    assert ds.incidents["outcome"].isna().all()
    assert ds.problems["column"].tolist() == ["Full name", "outcome"]
    layout = tmp_path / "mine.toml"
    lines = [f'{column} = "{column}"' for column in header[1:]]
    layout.write_text("\n".join(['name = "mine"', "[columns]", *lines]), encoding="utf-8")
    ds = cape.load(source, layout=str(layout))
    assert ds.incidents["outcome"].tolist() == ["*** *** fled"]


@pytest.mark.slow
def test_no_planted_name_is_left_by_a_run_of_a_table_in_a_folder_named_for_one(
    tmp_path, monkeypatch
):
    folder = tmp_path / f'{NAMES[1]} "files"'
    folder.mkdir()
    source = csv_table(folder).rename(folder / f"{NAMES[2]} é.csv")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    CliRunner().invoke(app, ["reproduce", "01", "--data", str(source), "--out", "out"])
    written = all_written(Path())
    assert "provenance.json" in written and ".ipynb" in written and not names_in(written)
