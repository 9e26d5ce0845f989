"""`cape check`: notes that a person can act on, and three files that hold everything.

Nothing in these tables is real.
"""

import re
import subprocess
import sys
from pathlib import Path

import careless
import pandas as pd
import pytest
from shared import spread

import capelib as cape
from capelib import cli
from capelib.check.files import clean_table, examine
from capelib.check.summary import meaning
from capelib.clean.changes import ChangeLog
from capelib.clean.layouts import read_layout

ROOT = Path(__file__).parents[1]
HEADER = "exile_id,origin,host,date,measure"
GOOD = "TJK-0001,TJK,RUS,2015-03,detention"


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """The command in this process, in an empty folder. Returns exit code, output and errors."""

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["cape", "check", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, ended.value.code or 0, said.out, said.err)

    return call


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    return careless.write(tmp_path_factory.mktemp("careless"))


def table(folder: Path, *lines: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def written(folder: Path) -> dict[str, pd.DataFrame]:
    return {
        path.name: pd.read_csv(path, dtype="str", keep_default_na=False)
        for path in sorted(folder.iterdir())
    }


@pytest.mark.parametrize("form", spread(["xlsx", "ods", "csv"], 1))
@pytest.mark.slow
def test_the_notes_on_a_careless_table_fill_one_screen_and_name_no_one(
    files, check, form, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "160")
    done = check(files[form], "--out", "out")
    assert done.returncode == 1 and not done.stderr
    for said in (
        "layout events",
        "of 196 rows can be used",
        "Look at these guesses first",
        "What was changed",
        "Set aside, and what to do",
        "Duplicates",
        "measure: What",
        "; a value is required",
        "(row ",
    ):
        assert said in " ".join(done.stdout.split()).replace("What / What", "What"), said
    assert len(done.stdout.splitlines()) <= 60
    everything = done.stdout + "".join(
        path.read_text(encoding="utf-8") for path in Path("out").iterdir()
    )
    assert not [name for name in careless.truth(form)["person"] if name and name in everything]


def test_every_kind_of_change_in_the_careless_table_has_words(files):
    rules = examine(files["xlsx"]).log.summary()["rule"].unique()
    coded = [
        rule
        for rule in rules
        if " " not in rule and not rule.startswith(("read.", "column.")) and rule != "blank"
    ]
    assert len(coded) > 25
    assert [rule for rule in coded if " " not in meaning(rule)] == []


@pytest.mark.slow
def test_every_row_is_clean_or_set_aside_and_changes_are_complete(files, check):
    check(files["xlsx"])
    found = written(Path("build/check") / files["xlsx"].stem)
    assert list(found) == ["changes.csv", "clean.csv", "set_aside.csv"]
    clean, aside = set(found["clean.csv"]["row"]), set(found["set_aside.csv"]["row"])
    assert len(clean | aside) == 196 and not clean & aside
    told = found["changes.csv"].query("severity == 'set aside'")
    assert aside <= set(told["row"]) and (found["set_aside.csv"]["why"] != "").all()
    assert len(found["changes.csv"]) == len(examine(files["xlsx"]).log)


@pytest.mark.slow
def test_what_is_clean_loads_again_without_any_change(files, check):
    check(files["ods"], "--out", "out")
    first, again = cape.load(files["ods"]), cape.load("out/clean.csv")
    for name in ("incidents", "exiles", "sources"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(again, name))
    changed = again.changes[
        again.changes["row"].notna() & (again.changes["value"] != again.changes["made"])
    ]
    assert set(changed["rule"]) <= {
        "column.unknown",
        "duplicate.near",
    }  # file, sheet and row; told again, changed in nothing
    assert check("out/clean.csv", "--out", "again").returncode == 0
    one, two = (
        written(Path(folder))["clean.csv"].drop(columns=["file", "sheet", "row"])
        for folder in ("out", "again")
    )
    pd.testing.assert_frame_equal(one, two)


def test_rows_of_several_incidents_stay_linked_by_their_row(tmp_path):
    path = table(tmp_path, HEADER, "TJK-0001,TJK,Russia / Turkey,2015,detention", GOOD)
    clean = clean_table(examine(path))
    assert clean[["host", "row"]].to_numpy().tolist() == [["RUS", 2], ["TUR", 2], ["RUS", 3]]


def test_exit_codes_say_how_it_went(tmp_path, check):
    assert check(table(tmp_path, HEADER, GOOD)).returncode == 0
    assert (
        check(table(tmp_path, HEADER, GOOD, "TJK-0001,Atlantis,RUS,2015,detention")).returncode == 1
    )
    missing = check("missing.csv")
    assert (
        missing.returncode == 2
        and missing.stderr.startswith("cape: no file missing.csv")
        and missing.stderr.count("\n") == 1
    )
    foreign = check(table(tmp_path, "a,b", "1,2"))
    assert (
        foreign.returncode == 2 and "--layout" in foreign.stderr and foreign.stderr.count("\n") == 1
    )
    assert check(tmp_path).returncode == 2
    assert check("mine.csv", "--layout", "evnts").stderr.count("did you mean events") == 1


@pytest.mark.slow
def test_a_table_without_a_usable_row_is_reported_and_its_rows_are_kept(tmp_path, check):
    done = check(table(tmp_path, HEADER, "TJK-0001,Atlantis,RUS,2015,detention"))
    assert done.returncode == 1 and "0 of 1 row can be used" in done.stdout
    found = written(tmp_path / "build/check/mine")
    assert (
        len(found["clean.csv"]) == 0
        and "incident_id" in found["clean.csv"]
        and len(found["set_aside.csv"]) == 1
    )


def test_no_cell_that_is_written_runs_as_a_formula(tmp_path, check):
    evil = "=cmd|' /C calc'!A0"
    rows = [
        f'"{evil}",TJK,RUS,2015,detention,"@SUM(A1)"',
        f'TJK-0002,"{evil}",RUS,2015,detention,"+1+1"',
    ]
    check(table(tmp_path, f"{HEADER},publisher", *rows), "--show-cells")
    cells = [
        cell
        for frame in written(tmp_path / "build/check/mine").values()
        for cell in frame.to_numpy().ravel()
    ]
    assert f"'{evil}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]


@pytest.mark.slow
def test_a_cell_cannot_steer_the_screen(tmp_path, check):
    done = check(
        table(tmp_path, HEADER, "TJK-0001,\x1b[2J\u202eAtlantis [red],RUS,2015,detention", GOOD)
    )
    assert "(row 2)" in done.stdout
    assert not any(sign in done.stdout for sign in ("\x1b", "\u202e", "Atlantis"))


@pytest.mark.slow
def test_files_are_written_whole_or_not_at_all(tmp_path, check, monkeypatch):
    path = table(tmp_path, HEADER, GOOD)
    check(path)
    before = {
        name: frame.to_csv() for name, frame in written(tmp_path / "build/check/mine").items()
    }

    def broken(_self: ChangeLog):
        yield pd.DataFrame()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ChangeLog, "frames", broken)
    done = check(table(tmp_path, HEADER, GOOD, GOOD.replace("2015", "2016")))
    assert done.returncode == 2 and "No space left" in done.stderr
    assert {
        name: frame.to_csv() for name, frame in written(tmp_path / "build/check/mine").items()
    } == before


def example(kind: str) -> str:
    found = re.search(
        rf"```{kind}\n(.*?)```",
        (ROOT / "docs" / "your-own-table.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert found
    return found[1]


@pytest.mark.slow
def test_the_layout_of_the_manual_does_what_the_manual_says(tmp_path, check):
    layout = table(tmp_path, example("toml").strip(), name="mine.toml")
    assert len(layout.read_text().splitlines()) == 10
    done = check(table(tmp_path, example("csv").strip()), "--layout", layout, "--show-cells")
    assert done.returncode == 1
    found = written(tmp_path / "build/check/mine")
    assert found["clean.csv"][["origin", "host", "date", "measure", "row"]].to_numpy().tolist() == [
        ["TJK", "RUS", "2015-22", "detention", "2"],
        ["TJK", "TUR", "2016-03-05", "extradition", "3"],
        ["UZB", "RUS", "2017", "threat", "4"],
        ["UZB", "TUR", "2017", "threat", "4"],
    ]
    assert found["set_aside.csv"].to_numpy().tolist()[0][2:] == [
        "5",
        "host: does not name one state",
    ]
    assert found["set_aside_cells.csv"]["host"].tolist() == ["Europe"]


def test_the_layout_in_the_readme_is_that_of_the_manual(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "".join(f"    {line}\n" for line in example("toml").splitlines()) in readme
    assert read_layout(table(tmp_path, example("toml"), name="mine.toml")).name == "mine"


@pytest.mark.slow
def test_info_and_findings_take_a_layout_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "160")
    layout, path = (
        table(tmp_path, example("toml"), name="mine.toml"),
        table(tmp_path, example("csv")),
    )
    for command, said in (("info", "TJK 2, UZB 2"), ("findings", "your file mine.csv")):
        monkeypatch.setattr(
            sys, "argv", ["cape", command, "--data", str(path), "--layout", str(layout)]
        )
        with pytest.raises(SystemExit) as ended:
            cli.main()
        shown = capsys.readouterr()
        assert (
            ended.value.code == 1 and said in shown.out and "write one of its states" in shown.err
        )
