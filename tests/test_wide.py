"""What users rely on when stages, hosts and dates stand side by side, or two columns compete.

An event of which anything is filled is read, asked for, or set aside; every filled cell is counted.
"""

from dataclasses import replace

import pandas as pd
import pytest
from shared import changes_by, slow, spread

import capelib as cape
from capelib.check import summary
from capelib.clean import table as cleaning
from capelib.loading import read_dataset


def ds_of(columns: list[str], *rows: tuple, layout: str = "") -> cape.dataset.Dataset:
    frame = pd.DataFrame(list(rows), columns=columns, dtype="str")
    return read_dataset(frame, layout=layout)


def events(ds) -> list[tuple]:
    frame = ds.incidents.assign(row=ds.rows["row"].to_numpy())[["row", "host", "date", "measure"]]
    frame = frame.astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def counts(ds) -> tuple[int, int, int, int]:
    (count,) = (each.cells for each in ds.tables)
    assert count.filled == count.read + count.not_read + count.set_aside
    return count.filled, count.read, count.not_read, count.set_aside


# ---------------------------------------------------------------- stages


ARREST = ["ID", "Country of origin", "Host country", "Stage 1", "Stage 1 date", "Date of arrest"]


def test_a_date_of_arrest_is_a_detention_also_without_a_column_for_the_measure():
    ds = ds_of(
        ARREST,
        ("1", "TJK", "RUS", "threat", "2010", None),
        ("2", "TJK", "RUS", "threat", "2011", "2012"),
        ("3", "TJK", "RUS", None, None, "2013"),
    )
    assert events(ds) == [
        (1, "RUS", "2010", "threat"),
        (2, "RUS", "2011", "threat"),
        (2, "RUS", "2012", "detention"),
        (3, "RUS", "2013", "detention"),
    ]
    assert changes_by(ds, "layout.date") == [
        (2, "measure", "(not shown)", "detention", "guess"),
        (3, "measure", "(not shown)", "detention", "guess"),
    ]


@pytest.mark.parametrize("nothing", spread(["no", "-", "n/a", None], 1))
def test_a_date_that_only_says_no_or_not_known_is_no_event(nothing):
    ds = ds_of(ARREST, ("1", "TJK", "RUS", "threat", "2010", nothing))
    assert events(ds) == [(1, "RUS", "2010", "threat")]


def test_an_event_denied_beside_its_date_is_told():
    columns = ["ID", "Country of origin", "Stage 1", "Stage 2", "Stage 2 date"]
    ds = ds_of(columns, ("1", "TJK", "threat", "no", "2012"))
    assert ds.incidents["measure"].tolist() == ["threat"]
    assert len(changes_by(ds, "event.denied")) == 1


def test_a_yes_for_stage_3_keeps_the_other_stages_and_asks_for_its_measure():
    columns = ["Country of origin", "Host country", "Stage 1", "Stage 2", "Stage 3", "Year"]
    ds = ds_of(
        columns,
        ("TJK", "RUS", "yes", "yes", "yes", "2013"),
        ("TJK", "RUS", "no", "no", "yes", "2014"),
    )
    assert events(ds) == [(1, "RUS", "2013", "other"), (1, "RUS", "2013", "detention")]
    ((row, column, _, made, severity),) = changes_by(ds, "event.unnamed")
    assert (row, column, made, severity) == (1, "Stage 3", "no incident", "guess")
    assert ds.set_aside[["row", "why"]].to_numpy().tolist() == [
        [2, "measure: an incident without its measure"]
    ]
    page = "".join(text for part in summary.page(ds) for line in part.lines for text in line)
    assert "which measure does it stand for?" in page and "yes = ..." in page
    assert counts(ds) == (12, 5, 1, 6)


@pytest.mark.parametrize("detail", spread(["Stage 3 date", "Stage 3 host", "Year of stage 3"], 1))
def test_a_date_or_host_of_stage_3_without_its_measure_is_asked_for(detail):
    columns = ["ID", "Country of origin", "Stage 1", "Stage 3", detail]
    cell = "Turkey" if "host" in detail else "2015"
    ds = ds_of(columns, ("1", "TJK", "threat", None, cell))
    assert ds.incidents["measure"].tolist() == ["threat"]
    assert len(changes_by(ds, "event.unnamed")) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("yes", "no"), ("да", "нет"), ("x", None)])
def test_a_column_a_measure_with_yes_and_no_is_an_event_each(yes, no):
    frame = pd.DataFrame(
        {
            "ID": ["a", "b", "c"],
            "Country of origin": ["Iran", "Iran", "Rwanda"],
            "Host country": ["Turkey", "Iraq", "Uganda"],
            "Detained": [yes, no, no],
            "Deported": [no, yes, no],
            "Extradited": [no, yes, no],
            "Killed": [no, no, yes],
        },
        dtype="str",
    )
    ds = cape.load(frame)
    assert list(ds.incidents["measure"]) == [
        "detention", "deportation", "extradition", "assassination",
    ]  # fmt: skip
    assert set(changes_by(ds, "layout.yes")) and ds.set_aside.empty


def test_an_answer_and_a_year_of_one_measure_are_one_event():
    frame = pd.DataFrame(
        {
            "ID": ["1", "2", "3"],
            "Nationality": ["Iran", "Iran", "Iran"],
            "Host country": ["Turkey", "Iraq", "Iraq"],
            "Threatened": ["yes", "no", "no"],
            "Year of threat": ["2014", None, None],
            "Detained": ["yes", "yes", "no"],
            "Year of detention": ["2015", None, None],
            "Renditioned": ["no", "yes", "no"],
        },
        dtype="str",
    )
    ds = cape.load(frame)
    made = ds.incidents.set_index("measure")["date"]
    assert list(made.index) == ["detention", "threat", "detention", "rendition"]
    assert list(made.fillna("")) == ["2015", "2014", "", ""]
    assert len(ds.set_aside) == 1


def test_dates_below_the_name_of_a_measure_are_its_dates():
    frame = pd.DataFrame(
        {
            "ID": ["a", "b"],
            "Nationality": ["Iran", "Rwanda"],
            "Current country": ["Turkey", "Uganda"],
            "Arrest date": ["2015", None],
            "Killed": [None, "2017-05"],
        },
        dtype="str",
    )
    ds = cape.load(frame)
    assert list(ds.incidents["measure"]) == ["detention", "assassination"]
    assert list(ds.incidents["date"]) == ["2015", "2017-05"]
    assert list(ds.incidents["host"]) == ["TUR", "UGA"]


def test_answers_beside_a_column_of_measures_are_no_further_events():
    frame = pd.DataFrame(
        {
            "Country of origin": ["Iran", "Rwanda"],
            "Host country": ["Turkey", "Uganda"],
            "Year": ["2015", "2016"],
            "What happened": ["arrested", "threatened"],
            "Deported": ["yes", "no"],
            "Extradited": ["no", "yes"],
        },
        dtype="str",
    )
    ds = cape.load(frame)
    assert list(ds.incidents["measure"]) == ["detention", "threat"]


def test_dates_in_the_columns_of_the_stages_are_their_dates():
    ds = ds_of(
        [
            *("ID", "Country of origin", "Host country", "Stage 1", "Stage 1 measure"),
            *("Stage 2", "Stage 3", "Stage 3 measure"),
        ],
        ("1", "UZB", "RUS", "spring 2011", "Interpol notice", "2012", None, None),
        ("2", "UZB", "RUS", None, None, "11.06.2017", "2018", "extradited"),
    )
    assert events(ds) == [
        (1, "RUS", "2011-21", "red_notice"),
        (1, "RUS", "2012", "detention"),
        (2, "RUS", "2017-06-11", "detention"),
        (2, "RUS", "2018", "extradition"),
    ]
    assert {
        made for *_, made, severity in changes_by(ds, "column.name") if severity == "guess"
    } == {"date"}


def test_stages_as_what_and_date_are_understood():
    ds = ds_of(
        [
            *("ID", "Country of origin", "First host country", "Second host", "Stage 1 (date)"),
            *("Stage 1: what", "Stage 2 (date)", "Stage 3 (date)", "Stage 3: what"),
        ],
        ("1", "UZB", "Russia", "Turkey", "2009", "threatened", "2010", "2011", "killed"),
        ("2", "UZB", "Russia", None, None, None, "2012", None, None),
        ("3", "UZB", None, "Turkey", None, None, "2013", None, None),
    )
    assert events(ds) == [
        (1, "RUS", "2009", "threat"),
        (1, "RUS", "2010", "detention"),
        (1, "RUS", "2011", "assassination"),
        (2, "RUS", "2012", "detention"),
        (3, "TUR", "2013", "detention"),
    ]
    assert [row for row, *_ in changes_by(ds, "host.further")] == [1]
    assert [row for row, *_ in changes_by(ds, "host.only")] == [3]


def test_a_year_of_a_measure_is_an_event_and_the_highest_stage_is_compared():
    columns = ["ID", "Country of origin", "Highest stage", "Year of arrest", "Year of rendition"]
    ds = ds_of(
        columns,
        ("1", "UZB", "3", "2012", "2014"),
        ("2", "UZB", "2", "2012", "2014"),
        ("3", "UZB", "3", "2012", None),
        ("4", "UZB", "2", "2012", None),
    )
    assert [event[::2] for event in events(ds)] == [
        *((1, "2012"), (1, "2014"), (2, "2012"), (2, "2014"), (3, "2012"), (4, "2012"))
    ]
    assert ds.incidents["measure"].tolist() == [
        *("detention", "rendition", "detention", "rendition", "detention", "detention")
    ]
    assert [row for row, *_ in changes_by(ds, "stage.less")] == [2]
    assert [row for row, *_ in changes_by(ds, "stage.more")] == [3]


def test_a_table_with_the_highest_stage_alone_is_refused_with_what_it_lacks():
    with pytest.raises(cape.DataError) as caught:
        ds_of(["ID", "Country of origin", "Highest stage"], ("1", "UZB", "3"))
    message = str(caught.value)
    assert "the nearest layout is exiles-wide" in message and "\n" not in message
    assert "Highest stage says how far it went, not what was done" in message


# ---------------------------------------------------------------- a layout of one's own


MINE = """
[columns]
exile_id = "ID"
origin = "Country of origin"
host = ["First host country", "Second host"]

[[events]]
measure = "Stage 1: what"
date = "Stage 1 (date)"

[[events]]
yes = "detention"
date = "Stage 2 (date)"
"""
MINE_COLUMNS = [
    *("ID", "Country of origin", "First host country", "Second host"),
    *("Stage 1: what", "Stage 1 (date)", "Stage 2 (date)"),
]


@pytest.fixture
def mine(tmp_path):
    def write(text: str = MINE) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_both_host_columns_of_a_layout_are_read_and_a_date_alone_can_be_an_event(mine):
    row = ("1", "UZB", "Russia", "Turkey", "threatened", "2009", "2010")
    ds = ds_of(MINE_COLUMNS, row, layout=mine())
    assert events(ds) == [(1, "RUS", "2009", "threat"), (1, "TUR", "2010", "detention")]
    assert len(changes_by(ds, "cell.several_paired")) == 1


def test_a_column_that_a_layout_names_and_the_table_lacks_is_an_error(mine):
    row = ("1", "UZB", "Russia", "Turkey", "threatened", "2009", "2010")
    with pytest.raises(cape.DataError) as caught:
        text = MINE.replace('yes = "detention"', 'yes = "detention"\nmeasure = "Stage 2"')
        ds_of(MINE_COLUMNS, row, layout=mine(text))
    message = str(caught.value)
    assert "measure = Stage 2" in message and "mine" in message and "\n" not in message


# ---------------------------------------------------------------- two headers for one column


@pytest.mark.parametrize(
    ("columns", "rows", "wanted"),
    [
        (
            ["Date", "When it happened", "Country of origin", "Host country", "Event"],
            [
                ("2021-06-01", "2015-03-05", "TJK", "RUS", "threat"),
                ("2021-06-01", "2016", "TJK", "TUR", "threat"),
            ],
            [(1, "RUS", "2015-03-05", "threat"), (2, "TUR", "2016", "threat")],
        ),
        (
            ["Country", "Host country", "Nationality", "Date", "Event"],
            [
                ("Tajikistan", "Russia", "Tajik", "2015", "threat"),
                ("Uzbekistan", "Turkey", "Uzbek", "2016", "threat"),
            ],
            [(1, "RUS", "2015", "threat"), (2, "TUR", "2016", "threat")],
        ),
        (
            ["Date", "Location", "Country", "Nationality", "Type of incident"],
            [
                ("2015", "Domodedovo airport", "Russia", "Tajikistan", "threat"),
                ("2016", "at the consulate", "Turkey", "Tajikistan", "threat"),
            ],
            [(1, "RUS", "2015", "threat"), (2, "TUR", "2016", "threat")],
        ),
        (
            ["origin", "Location", "Country", "date", "measure"],
            [("TJK", None, "Russia", "2015", "threat")],
            [(1, "RUS", "2015", "threat")],
        ),
    ],
)
@pytest.mark.parametrize("turn", [False, slow(True)])
def test_of_two_headers_for_a_column_cells_and_words_decide(columns, rows, wanted, turn):
    if turn:
        columns, rows = columns[::-1], [row[::-1] for row in rows]
    ds = ds_of(columns, *rows)
    assert events(ds) == wanted and ds.set_aside.empty
    ((_, _, _, made, severity),) = changes_by(ds, "column.other")
    assert severity == "dropped" and "; also a " in made and made.endswith(" is used")


def test_a_year_beside_a_date_leaves_the_date_as_exact_as_it_is():
    ds = ds_of(
        ["Year", "Date", "Origin", "Host", "Measure"],
        ("2015", "2015-03-05", "TJK", "RUS", "threat"),
        ("2017", "November 2017", "TJK", "TUR", "threat"),
    )
    assert ds.incidents["date"].tolist() == ["2015-03-05", "2017-11"]
    assert not changes_by(ds, "column.other") and not changes_by(ds, "column.unknown")


def test_two_columns_that_contradict_each_other_are_a_guess():
    columns = ["Country", "Host country", "Nationality", "Date", "Event"]
    ds = ds_of(columns, ("Tajikistan", "Russia", "Tajik", "2015", "threat"))
    assert [line[1:] for line in changes_by(ds, "column.name") if line[-1] == "guess"] == [
        ("host", "Host country", "host", "guess")
    ]
    text = [line for part in summary.page(ds) for line in part.lines]
    assert ("dropped", "Country (1 cell): also a host, but Host country is used") in text


# ---------------------------------------------------------------- every filled cell


def test_every_filled_cell_is_read_or_told_or_set_aside_and_the_report_says_how_many():
    ds = ds_of(
        ["Name", "origin", "host", "date", "measure", "Second host", "Remarks"],
        ("Madeup Oneson", "TJK", "RUS", "2015", "threat", "Turkey", "seen"),
        ("Madeup Twoson", "TJK", "nowhere at all", "2015", "threat", None, None),
    )
    assert counts(ds) == (12, 4, 3, 5)
    assert summary.cells(ds) == "12 filled cells: 4 read, 3 told as not read, 5 in rows set aside."
    text = [line for part in summary.page(ds) for line in part.lines]
    assert any("Name (2 cells)" in words for _, words in text)


def test_a_column_that_is_neither_read_nor_told_stops_the_run(monkeypatch):
    honest = cleaning.gathered

    def forgetful(*args: object) -> object:
        made = honest(*args)
        return replace(made, not_read=[{} for _ in made.not_read])

    monkeypatch.setattr(cleaning, "gathered", forgetful)
    columns = ["origin", "host", "date", "measure", "Remarks"]
    with pytest.raises(AssertionError, match="1 filled cells is neither read nor told"):
        ds_of(columns, ("TJK", "RUS", "2015", "threat", "seen"))


# ---------------------------------------------------------------- which column is meant


def test_host_1_is_the_host_beside_second_and_third_ones():
    columns = ["Origin", "Host 1", "Host 2", "Host 3", "Measure", "Date"]
    ds = ds_of(
        columns,
        ("TJK", "RUS", "TUR", None, "detention", "2015"),
        ("UZB", "TUR", None, None, "extradition", "2016"),
    )
    assert ds.incidents["host"].tolist() == ["RUS", "TUR"]
    assert [row for row, *_ in changes_by(ds, "host.further")] == [1]


def test_a_column_for_the_measure_is_not_passed_over_for_a_date_of_arrest():
    columns = ["Origin", "Country of arrest", "Date of arrest", "Measure"]
    ds = ds_of(columns, ("TJK", "RUS", "2015-02-03", "extradition"))
    assert ds.incidents["measure"].tolist() == ["extradition"]
    assert ds.incidents["host"].tolist() == ["RUS"]
    ((_, column, header, *_),) = changes_by(ds, "column.lacking")
    assert (column, header) == ("date", "Date of arrest")


def test_a_column_that_a_measure_names_may_hold_the_measures_themselves():
    columns = ["Origin", "Host", "On notice", "Detained", "Rendered", "Year"]
    ds = ds_of(
        columns,
        ("TJK", "RUS", "threat", "arrested", None, "2015"),
        ("UZB", "TUR", None, "detained", "extradited", "2016"),
        ("UZB", "RUS", None, None, "killed", "2017"),
    )
    assert events(ds) == [
        (1, "RUS", "2015", "threat"),
        (1, "RUS", "2015", "detention"),
        (2, "TUR", "2016", "detention"),
        (2, "TUR", "2016", "extradition"),
        (3, "RUS", "2017", "assassination"),
    ]
