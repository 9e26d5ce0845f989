"""Whoever is withdrawn on request is in no table and no output, however a key is spelled."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shared import spread

import capelib as cape
from capelib.paths import project_folder
from capelib.vocabulary.codebook import codebook
from capelib.vocabulary.withdrawal import is_withdrawn, names_key, withdrawn_keys

HEADER = "exile_id,origin,host,date,measure"
GOOD = "TJK-0012,TJK,RUS,2015-03,detention"
KEY, OTHER = "TJK-0012", "KGZ-0003"  # of exiles in the built-in data
SPELLINGS = [
    "TJK-0012",
    "TJK-0012 ",
    " TJK-0012",
    "tjk-0012",
    "Tjk-12",
    "TJK-12",
    "TJK_0012",
    "TJK0012",
    "TJK 0012",
    "TJK\u20130012",
    "TJK \u2212 0012",
    "TJK/0012",
    "TJK.0012",
    "TJK\u200b-0012",
    "T\u200dJ\u2060K-00\ufeff12",
    "TJK-\u00ad0012",
    "\u0422JK-0012",  # Cyrillic capital te
    "\u0442\u0458\u043a-0012",  # Cyrillic small te, je, ka
    "\u03a4J\u039a-0012",  # Greek capital tau, kappa
    "\uff34\uff2a\uff2b\uff0d\uff10\uff10\uff11\uff12",  # full width
    "\u1d1b\u1d0a\u1d0b-0012",  # small capitals
    "T\u0301JK-0012",
    "TJK-\u0660\u0660\u0661\u0662",  # Arabic digits
    "TJK-OO12",
    "TJK-00l2",
    "T J K - 0 0 1 2",
    "TJK-00012",
    "TJK-0012; TJK-0013",
    "TJK-0013, tjk_12",
    "TJK-0013 / TJK-0012",
    "TJK-0013\nTJK-0012",
    "TJK-0013TJK-0012",
    "(TJK-0012)",
    "'TJK-0012'",
    "TJK-0012b",
    "exile TJK-0012",
]
OTHERS = ["TJK-0013", "TJK-0120", "TJK-1012", "TJK-00121", "KGZ-0012", "TJK-II", "I0012", "12"]


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A copy of data/ that is read in place of it; a function writes its withdrawn.csv."""
    folder = shutil.copytree(project_folder("data"), tmp_path / "data")
    for module in ("loading", "vocabulary.tables"):
        monkeypatch.setattr(f"capelib.{module}.project_folder", lambda _: folder)

    def withdraw(*keys: str, content: str | bytes = "") -> None:
        content = content or "id,date,reason\n" + "".join(f'"{key}",2026-11-24,\n' for key in keys)
        content = content.encode() if isinstance(content, str) else content
        (folder / "withdrawn.csv").write_bytes(content)

    withdraw.folder = folder
    return withdraw


def everything(ds: cape.Dataset) -> str:
    """All that a Dataset holds or says, as text."""
    frames = (ds.incidents, ds.exiles, ds.sources, ds.problems, ds.set_aside, ds.rows, ds.changes)
    return repr(ds.info) + repr(ds) + repr(ds.tables) + "".join(frame.to_csv() for frame in frames)


def loaded(*rows: tuple, columns: str = HEADER) -> cape.Dataset:
    return cape.load(pd.DataFrame(list(rows), columns=columns.split(","), dtype="str"))


def removed(ds: cape.Dataset) -> list[tuple]:
    lines = ds.changes.query("severity == 'withdrawn'")
    assert set(lines["value"]) <= {"(not shown)"} and set(lines["rule"]) <= {"withdrawn on request"}
    return list(lines[["file", "row"]].itertuples(index=False, name=None))


# ---------------------------------------------------------------- data/withdrawn.csv


@pytest.mark.parametrize("entry", spread([each for each in SPELLINGS if "13" not in each][:-2], 6))
def test_an_entry_of_the_list_may_be_spelled_like_any_key(data, entry):
    data(entry)
    assert withdrawn_keys() == {KEY}


def test_the_list_may_have_a_mark_of_its_encoding_and_the_same_key_twice(data):
    data(
        content="\ufeffid,date,reason\r\nTJK-0012,2026,\r\ntjk-12,2026-01,asked again\r\n".encode()
    )
    assert withdrawn_keys() == {KEY}
    data()
    assert withdrawn_keys() == set()


@pytest.mark.parametrize(
    ("content", "message"),
    spread(
        [
            ("id;date;reason\nTJK-0012;2026;\n", r"row 1: not the header .* write id,date,reason"),
            ("TJK-0012,2026,\n", r"row 1: not the header"),
            ("TJK-0012,2026,Zorvan Quxley\nTJK-0013,2026,\n", r"row 1: not the header"),
            ("key,date,reason\nTJK-0012,2026,\n", r"row 1: not the header"),
            ("id,date\nTJK-0012,2026\n", r"row 1: not the header"),
            ("id,date,reason,name\nTJK-0012,2026,,Zorvan Quxley\n", r"row 1: not the header"),
            ("", r"is empty: expected a header row"),
            ("id,date,reason\nTJK-0012,2026,\nTJK-99999,2026,\n", r"row 3, column id: no exile"),
            ("id,date,reason\nE999,2026,\n", r"row 2, .* has this key; correct it"),
            (
                "id,date,reason\nS0000,2026,\n",
                r"row 2, column id: no exile, incident, source or epis",
            ),
            ("id,date,reason\nTJK-0901,2026,\n", r"keys of other tables do not belong here"),
            (
                "id,date,reason\nZorvan Quxley,2026,\n",
                r"row 2, column id: not one key; write one in",
            ),
            ("id,date,reason\nTJK-0012; TJK-0013,2026,\n", r"row 2, column id: not one key"),
            ("id,date,reason\n,2026,\n", r"row 2, column id: not one key"),
            ("id,date,reason\nTJK-0012,,\n", r"row 2, column date: blank; a value is required"),
            ("id,date,reason\nTJK-0012,soon,\n", r"row 2, column date: not a date; write 2015"),
            ("id,date,reason\nTJK-0012,2026,a,b\n", r"row 2, column \(cells\): 4 cells"),
            ('id,date,reason\n"TJK-0012,2026,\n', r"look for a quotation mark"),
            ("id,date,reason\nTJK-0012,2026,\n".encode("utf-16"), r"is not UTF-8 text"),
        ],
        5,
    ),
)
def test_a_list_that_cannot_be_followed_ends_every_load_in_one_line(data, content, message):
    data(content=content or b"\n")
    for load in (cape.load, lambda: cape.table("audit"), lambda: loaded(GOOD.split(","))):
        with pytest.raises(cape.DataError, match=message) as caught:
            load()
        assert "withdrawn.csv" in str(caught.value) and "\n" not in str(caught.value)
        assert "Quxley" not in str(caught.value)


def test_a_list_that_is_missing_is_named(data):
    (data.folder / "withdrawn.csv").unlink()
    with pytest.raises(cape.DataError, match=r"^no file .*withdrawn\.csv: check the path$"):
        cape.load()


# ---------------------------------------------------------------- the built-in data


def first_incident_with(before: cape.Dataset, column: str) -> str:
    audited = before.incidents[before.incidents["incident_id"].isin(cape.table("audit").iloc[:, 0])]
    return audited[column].dropna().iloc[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "column", spread(["exile_id", "incident_id", "source_id", "episode_id"], 1)
)
def test_any_key_takes_its_incidents_with_it_out_of_every_table(data, column):
    before = cape.load()
    keys = {first_incident_with(before, column)}
    if column == "exile_id":
        keys.add(cape.table("double_coding")["exile_id"].iloc[0])
    data(*(key.lower() for key in sorted(keys)))
    ds = cape.load()
    theirs = before.incidents[column].isin(keys)
    left = before.incidents[~theirs]
    assert ds.incidents["incident_id"].tolist() == left["incident_id"].tolist()
    ids = keys | set(before.incidents.loc[theirs, "incident_id"])
    for name in ("exile_id", "source_id", "episode_id"):
        ids |= set(before.incidents.loc[theirs, name].dropna()) - set(left[name])
    assert set(ds.sources["source_id"]) == set(left["source_id"])
    assert set(ds.exiles["exile_id"]) == set(left["exile_id"])
    for name in codebook()["table"]:
        assert not cape.table(name).isin(ids).any(axis=None), name
    assert len(cape.table("audit")) < 60
    assert not re.search(rf"\b({'|'.join(ids)})\b", everything(ds))
    assert set(ds.problems["action"]) == {"withdrawn"} and ds.set_aside.empty
    assert ds.info.sha256 != before.info.sha256


def test_a_table_that_is_new_in_the_codebook_is_reached_by_what_it_references(data, monkeypatch):
    column = {"type": "id", "references": "exiles.exile_id", "description": ""}
    text = {"type": "text", "description": ""}
    table = {"path": "new.csv", "column": {"person": column, "note": text}}
    monkeypatch.setitem(codebook()["table"], "new", table)
    rows = "person,note\nTJK-0012,a\nKGZ-0003,b\nKGZ-0003,see TJK-0012\n"
    (data.folder / "new.csv").write_text(rows, encoding="utf-8")
    assert len(cape.table("new")) == 3
    data(KEY)
    assert cape.table("new").to_numpy().tolist() == [["KGZ-0003", "b"]]


# ---------------------------------------------------------------- a table of a user


@pytest.mark.parametrize("spelling", spread(SPELLINGS, 2))
def test_every_spelling_of_a_withdrawn_key_is_honoured(data, spelling):
    data(KEY)
    bad = (spelling, "TJK", "Zorvanland", "soon", "quxleyed")
    ds = loaded(bad, (OTHER, "KGZ", "RUS", "2015", "threat"), bad)
    assert removed(ds) == [("DataFrame", 1), ("DataFrame", 3)]
    assert ds.incidents["exile_id"].tolist() == [OTHER] and ds.set_aside.empty
    shown = everything(ds)
    assert not {"Zorvan", "soon", "quxley"} & set(re.findall(r"Zorvan|soon|quxley", shown))
    assert not names_key(pd.Series(shown.splitlines(), dtype="str"), {KEY}, True).any()


@pytest.mark.parametrize("spelling", spread(OTHERS, 3))
@pytest.mark.slow
def test_a_key_that_is_not_withdrawn_stays(data, spelling):
    data(KEY)
    ds = loaded((spelling, "TJK", "RUS", "2015", "threat"))
    assert len(ds.incidents) == 1 and not removed(ds)
    assert KEY not in set(ds.incidents["exile_id"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("column", "key", "cell"),
    [
        ("incident_id", "I0003", "i 3"),
        ("incident_id", "I0003", "l0003"),
        ("source_id", "S0045", "s_45; S0046"),
        ("source_id", "S0045", "\u0405\uff10045"),
        ("episode_id", "E001", "e-1"),
        ("episode_id", "E001", "\u0415001"),
        ("name", KEY, "tjk 12"),
        ("name", KEY, "Zorvan Quxley (TJK-0012)"),
        ("notes", KEY, "brother of TJK 0012"),
        ("who it was", KEY, "TJK-12"),
        ("reference", "S0045", "S0045"),
        ("url", KEY, "https://example.org/TJK-0012"),
        ("outcome", KEY, "see TJK-0012"),
    ],
)
def test_a_key_is_seen_in_every_column(data, column, key, cell):
    data(key)
    columns = f"{HEADER.removeprefix('exile_id,')},{column}"
    ds = loaded(
        ("TJK", "RUS", "2015", "threat", cell),
        ("TJK", "RUS", "2015", "detention", "Orsolya Testperson"),
        columns=columns,
    )
    assert removed(ds) == [("DataFrame", 1)] and ds.rows["row"].tolist() == [2]
    assert cell not in everything(ds)


@pytest.mark.parametrize(
    ("column", "cell"), [("notes", "Table S 45, E 1"), ("notes", "45 persons"), ("name", "S. 45")]
)
@pytest.mark.slow
def test_a_remark_that_is_no_key_removes_nothing(data, column, cell):
    data("S0045", "E001")
    ds = loaded(("TJK-0001", "TJK", "RUS", "2015", "threat", cell), columns=f"{HEADER},{column}")
    assert len(ds.incidents) == 1 and not removed(ds)


@pytest.mark.slow
def test_a_row_that_is_shifted_or_that_reading_doubts_is_removed_with_its_notes(data, table):
    data(KEY)
    shifted = "Zorvan Quxley,tjk_12,TJK,RUS,2015"
    too_long = "TJK-0012,TJK,RUS,2015,threat,quxleyed"
    ds = cape.load(table(HEADER, GOOD.replace("TJK-0012", "TJK-0013"), shifted, too_long))
    assert removed(ds) == [("mine.csv", 3), ("mine.csv", 4)]
    assert ds.set_aside.empty and not re.search("(?i)quxley|tjk.?0*12", everything(ds))


@pytest.mark.slow
def test_a_header_that_names_a_withdrawn_key_is_called_by_its_number(data, table):
    data(KEY)
    ds = cape.load(table(f"{HEADER},TJK-0012", f"{GOOD.replace('TJK-0012', OTHER)},x"))
    assert "column 6" in set(ds.changes["column"]) and KEY not in everything(ds)
    with pytest.raises(cape.DataError) as caught:
        cape.load(table("origin,date,TJK_0012", "TJK,2015,x"))
    assert "0012" not in str(caught.value)


def with_correction_of_row_2(folder: Path, column: str, expect: str, value: str) -> str:
    """The shipped layout of incidents with a correction: the path of its file."""
    layout = folder / "mine.toml"
    shipped = (project_folder("data") / "layouts" / "incidents.toml").read_text(encoding="utf-8")
    layout.write_text(
        f'{shipped}\n[[corrections]]\nwhere = {{ row = 2 }}\ncolumn = "{column}"\n'
        f'expect = "{expect}"\nvalue = "{value}"\nreason = "an error of the source"\n',
        encoding="utf-8",
    )
    return str(layout)


@pytest.mark.slow
def test_a_withdrawn_key_that_only_a_correction_gives_is_honoured(data, table, tmp_path):
    data(KEY)
    layout = with_correction_of_row_2(tmp_path, "exile_id", "X", "tjk-12")
    ds = cape.load(table(HEADER, GOOD.replace(KEY, "X"), GOOD.replace(KEY, OTHER)), layout=layout)
    assert removed(ds) == [("mine.csv", 2)]
    assert ds.incidents["exile_id"].tolist() == [OTHER]


@pytest.mark.slow
def test_a_correction_of_a_row_that_is_withdrawn_finds_nothing_and_stops_nothing(
    data, table, tmp_path
):
    data(KEY)
    layout = with_correction_of_row_2(tmp_path, "host", "RUS", "TUR")
    ds = cape.load(table(HEADER, GOOD, GOOD.replace(KEY, OTHER)), layout=layout)
    assert removed(ds) == [("mine.csv", 2)]
    assert ds.incidents["host"].tolist() == ["RUS"]


@pytest.mark.slow
def test_a_file_or_sheet_that_is_named_for_a_withdrawn_key_is_not_called_so(data, tmp_path):
    data(KEY)
    path = tmp_path / "tjk_12.xlsx"
    rows = pd.DataFrame([GOOD.replace(KEY, OTHER).split(",")], columns=HEADER.split(","))
    with pd.ExcelWriter(path) as book:
        rows.to_excel(book, sheet_name="TJK-0012", index=False)
        pd.DataFrame({"a": ["b"]}).to_excel(book, sheet_name="TJK 12", index=False)
    ds = cape.load(path)
    assert ds.incidents["exile_id"].tolist() == [OTHER]
    assert not names_key(pd.Series(everything(ds).splitlines(), dtype="str"), {KEY}, False).any()


def test_a_withdrawn_key_is_given_to_nobody(data):
    data("TJK-0001", "I0001")
    ds = loaded(
        ("TJK-0001", "TJK", "RUS", "2015", "threat"),
        (None, "TJK", "RUS", "2015", "threat"),
    )
    assert ds.rows["row"].tolist() == [2] and ds.set_aside.empty
    assert ds.incidents[["incident_id", "exile_id"]].to_numpy().tolist() == [["I0002", "TJK-0002"]]


def test_a_table_whose_every_row_is_withdrawn_has_no_usable_row(data):
    data(KEY)
    with pytest.raises(cape.DataError, match="has no usable row"):
        loaded(GOOD.split(","))


@pytest.mark.slow
def test_a_withdrawal_changes_the_checksum_of_a_table_that_it_reaches_and_of_no_other(data, table):
    path = table(HEADER, GOOD, GOOD.replace(KEY, OTHER))
    elsewhere = table(HEADER, GOOD.replace(KEY, OTHER), name="other.csv")
    before, before_elsewhere = cape.load(path).info.sha256, cape.load(elsewhere).info.sha256
    data(KEY)
    assert cape.load(path).info.sha256 != before
    assert cape.load(elsewhere).info.sha256 == before_elsewhere


@pytest.mark.slow
def test_a_withdrawn_key_disappears_from_all_tables_of_a_folder(data, table):
    data(KEY)
    rows = [f"{GOOD.replace(KEY, 'tjk_12')},S0001", f"{GOOD.replace(KEY, 'TJK-0013')},S0002"]
    path = table(f"{HEADER},source_id", *rows, name="folder/incidents.csv")
    table(
        "exile_id,origin,category",
        "TJK 12,TJK,religious",
        "TJK-0013,TJK,religious",
        name="folder/exiles.csv",
    )
    table("source_id,kind,publisher,url", "S0001,,Zorvan,", "S0002,,,", name="folder/sources.csv")
    ds = cape.load(path.parent)
    assert removed(ds) == [("exiles.csv", 2), ("sources.csv", 2), ("incidents.csv", 2)]
    assert ds.exiles["exile_id"].tolist() == ["TJK-0013"]
    assert not re.search("(?i)tjk.?0*12|S0001|Zorvan", everything(ds))


@pytest.mark.slow
def test_a_million_rows_cost_little_more_while_something_is_withdrawn():
    """The cells are folded once each, and only where one of the numbers stands in them."""
    from time import process_time

    keys = pd.Series(np.arange(200_000), dtype="int64").astype("str").str.zfill(7)
    frame = pd.DataFrame({"incident_id": "I" + keys, "host": "Россия", "notes": "row " + keys})
    start = process_time()
    gone = is_withdrawn(frame, {KEY, "I0003"}, ["incident_id"])
    assert np.flatnonzero(gone).tolist() == [3] and process_time() - start < 5


# ---------------------------------------------------------------- all that is written


def files_naming(folder: Path, ids: set[str]) -> list[str]:
    """The files under a folder that hold one of these keys, in their text or their name."""
    naming = []
    for path in sorted(folder.rglob("*")):
        text = path.name
        if path.is_file():
            text += "\n" + path.read_bytes().decode("utf-8", "replace")
        if re.search(rf"\b(?:{'|'.join(sorted(ids))})\b", text):
            naming.append(path.relative_to(folder).as_posix())
    return naming


@pytest.mark.slow  # makes six runs twice
def test_after_a_withdrawal_all_is_made_again_without_it(tmp_path):
    for name in ("capelib", "data", "notebooks"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(project_folder(name).parent / name, tmp_path / name, ignore=ignored)
    shutil.copy(project_folder("data").parent / "pyproject.toml", tmp_path)
    ds = cape.load()
    key = ds.incidents["exile_id"].iloc[0]  # its rows are shown by the first notebook
    theirs = ds.incidents["exile_id"] == key
    sources = set(ds.incidents.loc[theirs, "source_id"])
    ids = {key, *ds.incidents.loc[theirs, "incident_id"]}
    ids |= sources - set(ds.incidents.loc[~theirs, "source_id"])
    spelled = key.lower().replace("-0", "_")
    (tmp_path / "mine.csv").write_text(
        f"{HEADER},notes\n{spelled},TJK,RUS,2015,detention,quxleyed\n"
        f"{GOOD.replace(KEY, OTHER)},x\n{GOOD.replace('2015', '2016')},x\n",
        encoding="utf-8",
    )

    def capelib(*words: str) -> str:
        command = [sys.executable, "-c", "from capelib.cli import main; main()", *words]
        env = os.environ | {"PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    runs = ("reproduce", "01", "09", "12", "--out", "figs")
    own = ("reproduce", "08", "--data", "mine.csv", "--out", "own")
    swept = ("reproduce", "01", "--sweep", f"origin=all,{key[:3]}", "--out", "swept")
    for words in (runs, own, swept):
        capelib(*words)
    written = [tmp_path / name for name in ("figs", "own", "swept", "build")]
    assert list((tmp_path / "swept" / "comparisons").rglob("*.html"))
    assert any(files_naming(folder, {key}) for folder in written)
    assert "3 unchanged" in capelib(*runs)

    withdrawn = tmp_path / "data" / "withdrawn.csv"
    withdrawn.write_text(f"id,date,reason\n{spelled},2026-11-24,\n", encoding="utf-8")
    shown = "".join(capelib(*words) for words in (runs, own, swept))
    shown += capelib("check", "mine.csv", "--out", "checked")
    assert "3 done, 0 unchanged, 0 failed" in shown and "1 done, 0 unchanged" in shown
    for folder in (*written, tmp_path / "checked"):
        assert files_naming(folder, ids | {spelled, "quxleyed"}) == [], folder
    assert not re.search("|".join(ids | {spelled, "quxleyed"}), shown)
