"""What users rely on when they load a table of their own.

Bad rows are set aside and explained, names never enter.
"""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from shared import all_text, examples

import capelib as cape
from capelib.paths import project_folder
from capelib.vocabulary.codebook import columns

HEADER = "exile_id,origin,host,date,measure"
GOOD = "TJK-0001,TJK,RUS,2015-03,detention"


def problem_rows(ds: cape.Dataset) -> list[tuple]:
    return list(ds.problems[["file", "row", "column", "remedy"]].itertuples(index=False, name=None))


def test_five_columns_are_enough(table):
    ds = cape.load(table(HEADER, GOOD, "TJK-0001,TJK,,,threat"))
    assert ds.problems.empty and ds.set_aside.empty
    assert ds.incidents["incident_id"].tolist() == ["I0001", "I0002"]
    assert ds.exiles.to_dict("records") == [
        {"exile_id": "TJK-0001", "origin": "TJK", "category": "unknown", "is_group": False}
    ]
    assert (ds.info.label, ds.info.licence) == ("your file mine.csv", "as its owner says")


def guesses(ds: cape.Dataset) -> list[tuple]:
    found = ds.changes.query("severity == 'guess'")
    return list(found[["row", "column", "value", "made"]].itertuples(index=False, name=None))


def test_a_bad_row_is_set_aside_with_file_row_column_and_remedy(table):
    ds = cape.load(
        table(
            HEADER,
            GOOD,
            "TJK-0001,TAJ,RUS,2015,detention",
            "",
            "TJK-0001,TJK,RUS,soon,had some trouble",
        )
    )
    assert problem_rows(ds) == [
        ("mine.csv", 3, "origin", "did you mean TJK, Tajikistan?"),
        ("mine.csv", 5, "date", "write 2015, 2015-03 or 2015-03-05 (EDTF)"),
        ("mine.csv", 5, "measure", "see `cape codebook measure`"),
    ]
    assert ds.set_aside[["row", "origin", "date"]].to_dict("records") == [
        {"row": 3, "origin": "(not shown)", "date": "2015"},
        {"row": 5, "origin": "TJK", "date": "(not shown)"},
    ]
    assert ds.set_aside["why"].tolist() == [
        "origin: unknown state",
        "date: not a date; measure: not one of the allowed values of measure",
    ]


@pytest.mark.slow
def test_what_is_surely_only_misspelt_or_written_otherwise_is_read_and_said_to_be_a_guess(table):
    ds = cape.load(table(HEADER, GOOD, "TJK-0001,TJK,Uzbekstan,12/05/2015,rendtion"))
    assert ds.set_aside.empty and ds.problems.empty
    assert ds.incidents[["host", "date", "measure"]].iloc[1].tolist() == [
        "UZB",
        "2015-05-12",
        "rendition",
    ]
    assert guesses(ds) == [
        (3, "date", "12/05/2015", "2015-05-12"),
        (3, "host", "Uzbekstan", "UZB"),
        (3, "measure", "rendtion", "rendition"),
    ]


def test_a_bad_row_does_not_take_the_other_rows_of_its_exile_with_it(table):
    ds = cape.load(table(HEADER, "TJK-0001,TAJ,RUS,2015,detention", GOOD))
    assert (len(ds.incidents), len(ds.exiles), len(ds.set_aside)) == (1, 1, 1)


@pytest.mark.slow
def test_a_row_with_a_comma_too_many_is_set_aside_and_none_of_its_cells_is_trusted(table):
    ds = cape.load(
        table(
            f"{HEADER},name", f"{GOOD},Example", "TJK-0002,TJK,RUS,2015,detention,Person, Example"
        )
    )
    assert ds.set_aside["row"].tolist() == [3]
    assert "put a cell that holds a comma between quotation marks" in ds.problems["remedy"].tolist()
    assert "Person" not in all_text(ds)


def test_the_category_may_stand_beside_the_incident(table):
    lines = [
        "TJK-0001,TJK,RUS,2015,detention,",
        "TJK-0001,TJK,RUS,2016,extradition,religious",
        "TJK-0001,TJK,RUS,2017,threat,opposition",
    ]
    ds = cape.load(table(f"{HEADER},category", *lines, "TJK-0002,TJK,RUS,2017,threat,tailor"))
    assert ds.exiles[["exile_id", "category"]].to_numpy().tolist() == [["TJK-0001", "religious"]]
    assert ds.problems[["row", "column", "action"]].to_numpy().tolist() == [
        [5, "category", "set aside"]
    ]
    assert guesses(ds) == [
        (4, "category", "(not shown)", "the category of the exile's first row is used")
    ]


def test_the_text_na_is_text_and_only_an_empty_cell_is_missing(table, tmp_path):
    layout = tmp_path / "mine.toml"
    lines = [f'{column} = "{column}"' for column in f"{HEADER},outcome".split(",")]
    layout.write_text("\n".join(['name = "mine"', "[columns]", *lines]))
    ds = cape.load(
        table(
            f"{HEADER},outcome",
            f"{GOOD},NA",
            f"{GOOD},null",
            f"{GOOD},",
            "NAM-0001,NAM,ZAF,2015,threat,None",
        ),
        layout=str(layout),
    )
    assert ds.incidents["outcome"].fillna("(missing)").tolist() == [
        "NA",
        "null",
        "(missing)",
        "None",
    ]
    assert ds.incidents["origin"].tolist()[-1] == "NAM"


@pytest.mark.slow
def test_a_column_of_names_is_dropped_and_never_anywhere_in_the_dataset(table):
    lines = [
        "TJK-0001,TJK,RUS,2015,detention,Example Person",
        "Example Person,TJK,RUS,2016,detention,Example Person",
    ]
    ds = cape.load(table(f"{HEADER},name", *lines))
    assert ("mine.csv", 1, "name", "names of persons never enter") in problem_rows(ds)
    assert "Example" not in all_text(ds) and len(ds.incidents) == 2


def test_a_key_that_occurs_twice_counts_once(table):
    ds = cape.load(
        table(f"incident_id,{HEADER}", f"I0001,{GOOD}", f"I0001,{GOOD.replace('2015', '2016')}")
    )
    assert ds.incidents["date"].tolist() == ["2015-03"]
    assert problem_rows(ds) == [("mine.csv", 3, "incident_id", "each row needs its own key")]


SHIPPED = ("incidents", "exiles", "sources")


@pytest.fixture
def folder(table):
    """Writes the lines of incidents, exiles and sources into a folder and returns it."""

    def write(incidents: list[str], exiles: list[str] = (), sources: list[str] = ()) -> Path:
        for name, lines in (("exiles", exiles), ("sources", sources)):
            if lines:
                table(*lines, name=f"mine/{name}.csv")
        return table(*incidents, name="mine/incidents.csv").parent

    return write


EXILES = ["exile_id,origin,category", "TJK-0001,TJK,religious"]
SOURCES = [
    "source_id,kind,publisher,url",
    "S0001,court,Example Court,https://example.org/a",
]


@pytest.mark.slow
def test_a_folder_may_bring_its_exiles_and_sources(folder):
    rows = [f"{GOOD},S0001", f"{GOOD.replace('0001', '0002')},S0001", f"{GOOD},S0009"]
    ds = cape.load(
        folder([f"{HEADER},source_id", *rows], [*EXILES, "TJK-0002,TJK,tailor"], SOURCES)
    )
    assert ds.joined()[["category", "source_kind"]].to_numpy().tolist() == [["religious", "court"]]
    assert ds.sources["publisher"].tolist() == ["Example Court"]
    assert problem_rows(ds) == [
        ("exiles.csv", 3, "category", "see `cape codebook category`"),
        ("incidents.csv", 3, "exile_id", "add or mend that row"),
        ("incidents.csv", 4, "source_id", "add or mend that row"),
    ]
    assert ds.set_aside[["file", "row"]].to_numpy().tolist() == [
        ["exiles.csv", 3],
        ["incidents.csv", 3],
        ["incidents.csv", 4],
    ]


@pytest.mark.slow
def test_the_built_in_data_and_the_same_files_as_a_folder_are_equal_in_every_column(tmp_path):
    for name in SHIPPED:
        shutil.copy(project_folder("data") / f"{name}.csv", tmp_path)
    built_in, ds = cape.load(), cape.load(tmp_path)
    built_in.incidents["outcome"] = None  # free text of a table that somebody brings is not taken
    built_in.sources["url"] = built_in.sources["url"].str.replace(r"[?#].*", "", regex=True)
    for name in SHIPPED:
        frame = getattr(ds, name)
        shipped = getattr(built_in, name)
        assert set(shipped) - set(frame) == {
            column for column, spec in columns(name).items() if "since" in spec
        }
        pd.testing.assert_frame_equal(shipped[list(frame)].astype(frame.dtypes), frame)
    assert set(ds.problems["column"]) == {"outcome", "added", "published", "name_in_address"}
    assert ds.set_aside.empty
    assert (ds.info.sha256, ds.info.rows) == (built_in.info.sha256, built_in.info.rows)
    assert set(ds.changes["severity"]) <= {"info", "guess", "dropped"}


@pytest.mark.slow
def test_a_folder_is_read_as_any_table_and_gives_its_changes(folder):
    rows = ["TJK-0001,Tajikistan,Россия,March 2015,detained,S0001", f"{GOOD},S0001"]
    exiles = ["exile_id,origin,category,name", "TJK-0001,Tadschikistan,imam,Example Person"]
    sources = ["source_id,kind,url", "S0001,court,see the file", "S0002,,https://example.org/b"]
    ds = cape.load(
        folder([f"{HEADER},source_id,category", *(f"{row},x" for row in rows)], exiles, sources)
    )
    assert ds.incidents[["origin", "host", "date", "measure"]].iloc[0].tolist() == [
        "TJK",
        "RUS",
        "2015-03",
        "detention",
    ]
    assert ds.exiles[["origin", "category"]].to_numpy().tolist() == [["TJK", "religious"]]
    assert ds.sources["url"].fillna("").tolist() == ["", "https://example.org/b"]
    changes = set(zip(ds.changes["file"], ds.changes["column"], ds.changes["made"], strict=True))
    assert changes >= {
        ("exiles.csv", "origin", "TJK"),
        ("exiles.csv", "category", "religious"),
        ("exiles.csv", "name", "dropped: 1 filled cell"),
        ("sources.csv", "url", "left blank"),
        ("incidents.csv", "host", "RUS"),
        ("incidents.csv", "category", "dropped"),
    }
    assert "Example" not in all_text(ds) and ds.set_aside.empty


@pytest.mark.parametrize(
    ("exile", "column", "remedy"),
    [
        ("TJK-0001,TJK,opposition", "exile_id", "each row needs its own key"),
        (",TJK,opposition", "exile_id", "a value is required"),
        ("Person,TJK,opposition", "exile_id", "expected the form [A-Z]{3}-[0-9]{4,}"),
        ("TJK-0002,,opposition", "origin", "a value is required"),
        ("TJK-0002,TJK,opposition,x", "(extra cells)", "put a cell that holds a comma"),
    ],
)
@pytest.mark.slow
def test_a_row_of_a_list_that_cannot_be_used_is_set_aside(folder, exile, column, remedy):
    ds = cape.load(folder([HEADER, GOOD], [*EXILES, exile]))
    assert ds.set_aside[["file", "row"]].to_numpy().tolist() == [["exiles.csv", 3]]
    (problem,) = ds.problems.query("action == 'set aside'").to_dict("records")
    assert problem["column"] == column and remedy in problem["remedy"]
    assert "Person" not in all_text(ds) and len(ds.exiles) == 1


def test_a_folder_whose_list_lacks_a_column_is_refused(folder):
    with pytest.raises(cape.DataError, match=r"exiles.csv lacks the column.s. category: see"):
        cape.load(folder([HEADER, GOOD], ["exile_id,origin", "TJK-0001,TJK"]))


def test_a_publisher_may_be_named_and_else_is_the_site_of_the_address(table):
    lines = ["https://www.example.org./a,Example Court", "https://example.com/b,"]
    ds = cape.load(table(f"{HEADER},url,publisher", *(f"{GOOD},{line}" for line in lines)))
    assert ds.sources["publisher"].tolist() == ["Example Court", "example.com"]


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{GOOD}\n".encode("utf-16"),
        f"{HEADER}\n{GOOD}\n".encode("utf-8-sig"),
        f"{HEADER}\n{GOOD}\n".replace(",", ";").encode(),
        f"{HEADER}\n{GOOD}\n".replace(",", "\t").encode(),
        # The first of two columns with one name is the one that counts.
        f"{HEADER},host\n{GOOD},TUR\n".encode(),
    ],
)
@pytest.mark.slow
def test_other_encodings_and_signs_between_cells_are_found_out(tmp_path, content):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    ds = cape.load(path)
    assert ds.incidents[["exile_id", "host", "date"]].to_numpy().tolist() == [
        ["TJK-0001", "RUS", "2015-03"]
    ]
    if content.startswith(b"exile_id,origin,host,date,measure,host"):
        assert (
            "mine.csv",
            1,
            "host (2)",
            "name it in a layout if it is one of the codebook's",
        ) in problem_rows(ds)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "is a picture, not a table that can be read"),
        (
            b"exile_id,origin,host,date\nTJK-0001,TJK,RUS,2015\n",
            "lacks the column(s) measure (it has: exile_id, origin, host, date)",
        ),
        (
            f'{HEADER}\nTJK-0001,TJK,RUS,2015,"detention\n{GOOD}\n'.encode(),
            "row 2: a quotation mark opens there and is never closed",
        ),
        (f"{HEADER}\n".encode(), "has no usable row"),
        (
            f"{HEADER},name\n{GOOD.replace('RUS', 'Ruzzia')},Example Person\n".encode(),
            "row 2, column host: unknown state, did you mean RUS, Russia",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_line(tmp_path, content, said):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    with pytest.raises(cape.DataError) as caught:
        cape.load(path)
    assert (
        said in str(caught.value)
        and "mine.csv" in str(caught.value)
        and "\n" not in str(caught.value)
    )


def test_a_first_row_that_may_be_a_person_is_not_repeated_in_the_message(table):
    with pytest.raises(cape.DataError) as caught:
        cape.load(
            table("Example Person,TJK,RUS,2015,detention", "Other Person,TJK,RUS,2016,threat")
        )
    assert "does a row name its columns?" in str(caught.value) and "Person" not in str(caught.value)


def test_a_path_that_leads_nowhere_is_refused_in_one_line(tmp_path):
    for source, said in (
        (tmp_path / "absent.csv", "absent.csv: give"),
        (tmp_path, "incidents.csv: check the path"),
        ("public-recrod", 'did you mean "public-record"?'),
        (pd.DataFrame(), "is empty"),
    ):
        with pytest.raises(cape.DataError) as caught:
            cape.load(source)
        assert said in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(cape.ParameterError, match="not list"):
        cape.load([GOOD])


@pytest.mark.slow
def test_a_dataframe_is_a_table_too():
    frame = pd.DataFrame([GOOD.split(",")], columns=HEADER.split(","))
    ds = cape.load(frame)
    assert ds.incidents["date"].tolist() == ["2015-03"] and ds.info.label == "your table"
    assert frame.columns.tolist() == HEADER.split(",")
    assert (
        ds.info.sha256
        == cape.load(frame.copy()).info.sha256
        != cape.load(frame.assign(date="2016")).info.sha256
    )


COLUMNS = [
    "incident_id",
    "exile_id",
    "origin",
    "host",
    "date",
    "measure",
    "interpol",
    "doubtful",
    "category",
    "outcome",
    "name",
]
ROWS = [
    [
        f"I{number:04d}",
        f"TJK-{number % 3:04d}",
        "TJK",
        "RUS",
        "2015-03-05",
        "detention",
        "yes",
        "",
        "religious",
        "NA",
        "Example Person",
    ]
    for number in range(1, 7)
]
CELL = st.text(max_size=8) | st.sampled_from(
    [
        "",
        "TJK",
        "NAM",
        "NA",
        "2015",
        "2015~",
        "2016/2014",
        "I0001",
        "TJK-0001",
        "yes",
        "no",
        "threat",
    ]
)
DAMAGE = st.lists(st.tuples(st.integers(1, 5), st.integers(0, len(COLUMNS) - 2), CELL), max_size=12)


WITHOUT_SHRINKING = (
    Phase.explicit,
    Phase.reuse,
    Phase.generate,
)  # each example reads a file: shrinking would take minutes


@settings(
    max_examples=examples(40),
    deadline=None,
    phases=WITHOUT_SHRINKING,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(damage=DAMAGE, longer=st.sets(st.integers(1, 5), max_size=2))
def test_whatever_is_in_its_cells_every_row_ends_up_clean_or_set_aside(tmp_path, damage, longer):
    rows = [list(row) for row in ROWS]
    for row, column, cell in damage:
        rows[row][column] = cell
    for row in longer:
        rows[row].append("surplus")
    path = tmp_path / "mine.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    ds = cape.load(path)
    assert set(ds.rows["row"]) | set(ds.set_aside["row"]) == set(range(2, len(rows) + 2))
    assert not set(ds.rows["row"]) & set(ds.set_aside["row"]) and len(ds.rows) == len(ds.incidents)
    assert set(ds.set_aside["row"]) == set(ds.problems.query("action == 'set aside'")["row"])
    assert ds.set_aside["why"].notna().all() and ds.problems["remedy"].notna().all()
    assert set(ds.incidents["exile_id"]) <= set(ds.exiles["exile_id"])
    assert "Example Person" not in all_text(ds)


@pytest.mark.slow
def test_loading_stays_light():
    heavy = "{'statsmodels', 'seaborn', 'matplotlib', 'papermill', 'edtf', 'scipy'}"
    bare = "import sys, capelib; assert 'pandas' not in sys.modules; "
    code = f"{bare} capelib.load(); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
