"""What is shown fits the screen: no word is cut, and what most needs a look comes first."""

import re
import sys

import pytest

import capelib as cape
from capelib import cli, report
from capelib.check.files import examine
from capelib.check.summary import first_look, page

CAREFUL = "exile_id,origin,host,date,measure,remark\n"
ROWS = (
    "TJK-0001,TJK,Russia,5/3/2015,detention,made up\nTJK-0002,TJK,Atlantis,2016,threat,\n"
    "TJK-0003,TJK,RUS,2016-13,threat,\nTJK-0004,TJK,Turkey?,2016,threat,\n"
)
LONG_PATH = "build/figures/" + "04_authoritarian_hosts-origin=TJK/" * 4


@pytest.fixture(params=["40", "80", "160"])
def columns(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", request.param)
    return int(request.param)


def words(text: str) -> list[str]:
    return re.findall(r"[\w./=-]{2,}", text)


def test_no_word_of_a_table_is_cut_at_any_width(columns, capsys):
    names = ("notebook", "status", "figures and tables", "found")
    rows = [
        ("04_authoritarian_hosts", "done\n2.1 s", f"{LONG_PATH}\nhosts.svg", "74 % of incidents"),
        ("03_tajik_targeting", "unchanged", "figures/tajik/", "a b c d e f g " * 30),
    ]
    report._rows(report._console(), names, rows, "What ran")
    shown = capsys.readouterr().out
    assert set(words(" ".join(map(" ".join, rows)))) <= set(words(shown))
    lines = shown.splitlines()
    assert all(len(line) <= columns or LONG_PATH in line for line in lines)


@pytest.mark.usefixtures("capsys")
def test_a_pipe_is_as_wide_as_columns_says_else_160(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert report._console().width == 80
    for other in ("", "wide"):
        monkeypatch.setenv("COLUMNS", other)
        assert report._console().width == 160
    monkeypatch.setenv("COLUMNS", "3")
    assert report._console().width == report.NARROWEST


def test_the_pages_of_a_table_fit_the_screen(columns, capsys, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(CAREFUL + ROWS, encoding="utf-8")
    ds = examine(path)
    report.checked(ds)
    report.problems(ds)
    shown = capsys.readouterr()
    every = " ".join(text for section in page(ds) for _, text in section.lines)
    assert set(words(every)) <= set(words(shown.out))
    longest = max(map(len, words(shown.out)))
    margin = 24  # of a line that begins with a column's name
    limit = max(columns, longest + margin)
    assert all(len(line) <= limit for line in (shown.out + shown.err).splitlines())


def test_what_most_needs_a_look_comes_first(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(CAREFUL + ROWS, encoding="utf-8")
    ds = examine(path)
    looks = dict(first_look(ds).lines)
    assert list(looks) == ["rows", "set aside", "guessed", "not read"]
    assert looks["rows"] == "2 of 4 rows can be used, 2 set aside: 2 incidents against 2 exiles."
    assert looks["set aside"].startswith("date: there is no month 13 (1), host: ")
    assert looks["guessed"] == "values of date (1), host (1)"
    assert looks["not read"] == "1 column: remark (1 cell)"
    assert [section.title for section in page(ds)][:3] == [
        "What most needs a look",
        "Set aside, and what to do",
        "Look at these guesses first",
    ]


def test_a_row_that_would_be_tall_makes_a_list_and_tables_that_follow_have_the_same_columns(capsys):
    console, names = report._console(), ("key", "statement")
    console.width = 40
    low, tall = ("a", "few words"), ("b", "words " * 80)
    report._rows(console, names, [low], lines=False)
    assert "┃" in capsys.readouterr().out
    report._rows(console, names, [low, tall], lines=False)
    assert "┃" not in capsys.readouterr().out
    report._rows(console, names, [low], lines=False, beside=[low, tall])
    assert "┃" not in capsys.readouterr().out
    long = ("a key of some length", "words")
    for row in (low, long):
        report._rows(console, names, [row], lines=False, beside=[low, long])
    heads = [line for line in capsys.readouterr().out.splitlines() if "key" in line and "┃" in line]
    assert len(heads) == 2 and heads[0] == heads[1]


def too_wide(text: str, columns: int) -> list[str]:
    """Lines that leave the screen though they could be broken between two words."""
    wide = [line for line in text.splitlines() if len(line) > columns]
    return [line for line in wide if len(line.split()) > 2]  # a name, and an address or a checksum


def shown_by(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cape", *arguments])
    with pytest.raises(SystemExit):
        cli.main()
    return capsys.readouterr().out


SCREENS = {
    "info": ["info"],
    "info of an edition": ["info", "--edition", "2026-11"],
    "changes": ["info", "--changes"],
    "codebook": ["codebook"],
    "codebook of a code": ["codebook", "rendition"],
    "params": ["params", "04"],
    "notebooks": ["notebooks", "a folder/of mine with a long name"],
    "export": ["export", "--out", "mine.csv"],
}


@pytest.mark.parametrize("name", SCREENS)
def test_what_a_command_shows_fits_the_screen(name, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for columns in ("60", "80", "140"):
        monkeypatch.setenv("COLUMNS", columns)
        if name in ("notebooks", "export") and any(tmp_path.iterdir()):
            break  # they overwrite nothing
        text = shown_by(SCREENS[name], monkeypatch, capsys)
        assert text.strip()
        assert not too_wide(
            text.replace("a folder/of mine with", "a_folder/of_mine_with"), int(columns)
        )


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["findings"], ["findings", "--relations"]])
@pytest.mark.parametrize("columns", ["60", "80", "140"])
def test_the_ledger_fits_the_screen(arguments, columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    assert not too_wide(shown_by(arguments, monkeypatch, capsys), int(columns))


def test_numbers_that_need_other_data_are_listed_by_that_data(monkeypatch, capsys):
    verdicts = cape.findings.check(cape.load(), ["fa2022-autoc-share-2021", "fa2022-blr-rus-2021"])
    monkeypatch.setenv("COLUMNS", "80")
    report.findings(verdicts, cape.load().info)
    _, _, needs = capsys.readouterr().out.partition("Numbers that need other data")
    assert "released in 2022 (1):\n    fa2022-blr-rus-2021\n" in needs
    assert "fa2022-autoc-share-2021" not in needs


def test_an_error_is_one_line_in_a_pipe_and_broken_between_words_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "50")
    pipe = "cape: " + "unknown verdict 'made up': allowed are " + "adds up, " * 9
    cli._complain(pipe)
    assert capsys.readouterr().err == f"{pipe}\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    cli._complain(pipe)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= 50
    assert " ".join(lines).split() == pipe.split()


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], ["check", "-h"]])
def test_help_is_shown_without_arguments_and_by_its_short_name(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["cape", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    shown = capsys.readouterr()
    assert ended.value.code == 0 and not shown.err
    assert shown.out.startswith("Usage: ") and "--help" in shown.out


@pytest.mark.slow
def test_the_folder_of_the_files_can_be_copied(monkeypatch, capsys, tmp_path):
    folder = tmp_path / ("a long name of a folder, " * 4).strip(", ") / "out"
    path = tmp_path / "mine.csv"
    path.write_text(CAREFUL + ROWS.splitlines()[0] + "\n", encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["cape", "check", str(path), "--out", str(folder)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0 and cape.load(folder / "clean.csv").info.rows["incidents"] == 1
    assert str(folder) in capsys.readouterr().out.splitlines()


@pytest.mark.slow
def test_an_event_left_out_a_date_lacking_and_rows_of_another_table_are_named_first(
    tmp_path, monkeypatch, capsys
):
    path = tmp_path / "mine.csv"
    path.write_text(
        "ID,Country of origin,Host country,Stage 1,Stage 2,Stage 3,Seen first,No.\n"
        "a,Tajikistan,Russia,threat,detention,yes,2015,7\n"
        "b,Tajikistan,Russia,threat,,,2016,3\n",
        encoding="utf-8",
    )
    looks = dict(first_look(examine(path)).lines)
    assert looks["left out"] == "events of which the measure is not known: Stage 3 (1)"
    assert looks["lacking"].startswith("date is blank in every row, and not read is: ")
    assert looks["not read"].endswith("No. (2 cells)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["cape", "check", str(path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1 and "left out" in capsys.readouterr().out


def test_of_the_guesses_that_each_row_is_one_person_comes_last(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "origin,host,date,measure\nTajikistan,Russia,2015,detention?\n", encoding="utf-8"
    )
    (guesses,) = [part for part in page(examine(path)) if part.title.startswith("Look at")]
    assert [column for column, _ in guesses.lines] == ["measure", "exile_id"]
