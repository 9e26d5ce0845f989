"""What users rely on when their columns are called otherwise.

They are recognised, or described in ten lines; every guess is noted, nothing is assumed.
"""

from pathlib import Path

import pandas as pd
import pytest
from shared import all_text, changes_by

import capelib as cape
from capelib.clean.layouts import BESIDE, DATE_PARTS, layout, layouts, read_layout
from capelib.clean.matching import LIKELY, find, match
from capelib.meaning.persons import is_name_column
from capelib.vocabulary.codebook import codes, columns
from capelib.vocabulary.text import bare

TEN_LINES = """
title = "my list of cases"

[columns]
host = ["Aufenthalt"]
date = "Jahr"
measure = ["Vorfall"]
category = "Gruppe"

[fixed]
origin = "Tajikistan"

[values.measure]
verhaftet = "detention"
"Drohung (mündlich)" = "threat"

[[corrections]]
where = { row = 2 }
column = "Jahr"
expect = "2105"
value = 2015
reason = "year mistyped in the source"
"""


@pytest.fixture
def own(tmp_path):
    """Writes a layout file and returns its path as text."""

    def write(text: str, name: str = "mine.toml") -> str:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def frame(*rows: tuple, columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns, dtype="str")


# ---------------------------------------------------------------- the shipped ones


@pytest.mark.parametrize("header", ["Who", "Profile", "Role", "Кто"])
def test_who_over_no_kinds_of_persons_may_name_them_and_is_dropped_unseen(header):
    ds = cape.load(
        frame(
            ("Madeup Oneson", "arrested", "Moscow, Russia", "March 2015", "Tajikistan"),
            ("Madeup Twoson", "deported", "Istanbul", "2016", "Uzbekistan"),
            columns=[header, "What happened", "Where", "When", "Perpetrator"],
        )
    )
    assert list(ds.incidents["measure"]) == ["detention", "deportation"]
    assert list(ds.incidents["host"]) == ["RUS", "TUR"] and ds.set_aside.empty
    assert len(changes_by(ds, "column.person")) == 1 and "Madeup" not in all_text(ds)


def test_who_over_kinds_of_persons_is_their_category():
    ds = cape.load(
        frame(
            ("journalist", "arrested", "Russia", "2015", "Tajikistan"),
            ("Madeup Twoson", "deported", "Turkey", "2016", "Uzbekistan"),
            columns=["Who", "What happened", "Where", "When", "Perpetrator"],
        )
    )
    assert list(ds.exiles["category"]) == ["journalist_civil_society"]
    assert len(ds.set_aside) == 1 and "Madeup" not in all_text(ds)


def test_dates_and_hosts_that_no_column_stands_for_are_asked_for():
    ds = cape.load(
        frame(
            ("2016-03-01", "Iran", "detention", "Turkey"),
            ("2016-03-05", "Iran", "threat", "Iraq"),
            columns=["Publication date", "origin", "measure", "Seen in"],
        )
    )
    assert ds.incidents["date"].isna().all()
    (told,) = ds.changes.query("rule == 'column.lacking' and column == 'date'").to_dict("records")
    assert (told["value"], told["severity"]) == ("Publication date", "guess")
    assert len(changes_by(ds, "column.lacking")) == 2


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (["exile_id", "origin", "host", "date", "measure"], "incidents"),
        (["Exile ID", "ORIGIN", " Host", "Date", "Measure"], "incidents"),
        (["Country of origin", "Where?", "When", "What happened"], "events"),
        (
            ["Who / Country of origin", "What / Where?", "What / When", "What / What happened"],
            "events",
        ),
        (["origin_country", "target_country", "year", "tactic"], "events"),
        (["Страна происхождения", "Страна", "Год", "Что случилось"], "events"),
        (
            ["ID", "Country of origin", "Host countries", "Stage 1", "Stage 2", "Stage 3"],
            "exiles-wide",
        ),
        (
            ["Nationality", "On notice", "Arrest and/or detention", "Rendition or attack"],
            "exiles-wide",
        ),
    ],
)
def test_a_layout_is_found_by_the_names_of_the_columns(headers, name):
    found = find(headers, "mine.csv")
    assert found.layout.name == name and not found.missing
    assert set(found.certainty) == set(headers) and set(found.certainty.values()) == {1.0}


@pytest.mark.parametrize("name", ["incidents", "events", "exiles-wide"])
def test_a_shipped_layout_speaks_of_columns_that_are_there_and_of_each_header_once(name):
    shipped = layouts()[name]
    known = {*columns("incidents"), *BESIDE, *DATE_PARTS}
    assert set(shipped.columns) <= known and shipped.title
    for group in [shipped.columns, *shipped.events]:
        headers = [
            bare(header)
            for column, names in group.items()
            if column != "yes"
            for header in dict.fromkeys(map(bare, names))
        ]
        assert len(headers) == len(set(headers)), [
            header for header in headers if headers.count(header) > 1
        ]
    assert {event["yes"] for event in shipped.events if "yes" in event} <= set(codes("measure"))


def test_a_column_that_may_hold_names_is_not_taken_for_one_of_ours_by_a_typing_error():
    for header in ("Name", "ФИО", "victim", "exiled person", "Person"):
        assert is_name_column(header)
        assert header not in match([header, "origin", "measure"], layouts()["events"]).certainty


def test_a_misspelt_header_is_a_guess_with_its_certainty():
    found = match(["Contry of origin", "Where", "measure"], layouts()["events"])
    assert (
        found.columns["Contry of origin"] == "origin"
        and LIKELY / 100 - 0.1 <= found.certainty["Contry of origin"] < 0.9
    )
    ds = cape.load(
        frame(("TJK", "RUS", "threat"), columns=["Contry of origin", "Where", "measure"])
    )
    assert changes_by(ds, "column.name")[0][1:] == ("origin", "Contry of origin", "origin", "guess")
    assert ds.changes.query("rule == 'column.name'")["certainty"].tolist()[0] < 0.9


def test_the_first_of_two_columns_for_the_same_thing_counts_and_the_other_is_named():
    ds = cape.load(
        frame(("TJK", "RUS", "TUR", "threat"), columns=["origin", "where", "location", "measure"])
    )
    assert ds.incidents["host"].tolist() == ["RUS"]
    made = "dropped: 1 filled cell; also a host, but where is used"
    assert changes_by(ds, "column.other") == [("", "location", "(not shown)", made, "dropped")]


def test_a_table_without_what_every_incident_needs_is_refused_with_what_is_missing_and_there():
    with pytest.raises(cape.DataError) as caught:
        find(["Country of origin", "Where", "When", "Remarks"], "mine.xlsx, sheet Exiles")
    said = str(caught.value)
    assert said.startswith(
        "mine.xlsx, sheet Exiles lacks the column(s) measure "
        "(it has: Country of origin, Where, When, Remarks)"
    )
    assert "--layout" in said and "\n" not in said


# ---------------------------------------------------------------- one row an exile


WIDE = [
    "ID",
    "Country of origin",
    "Host countries",
    "Stage 1",
    "Stage 1 date",
    "Stage 2",
    "Stage 2 year",
    "Stage 3",
]


def wide(*rows: tuple) -> cape.Dataset:
    return cape.load(frame(*rows, columns=WIDE))


def events(ds: cape.Dataset) -> list[tuple]:
    found = ds.incidents.assign(row=ds.rows["row"])[["row", "host", "date", "measure"]]
    return list(found.astype(object).where(found.notna(), None).itertuples(index=False, name=None))


@pytest.mark.slow
def test_each_stage_of_an_exile_is_an_incident_linked_by_the_row():
    ds = wide(
        ("TJK-0001", "TJK", "Russia", "red notice", "2010", "arrested", "2011", "extradited"),
        ("TJK-0002", "TJK", "TUR", None, None, "yes", "2015", "no"),
    )
    assert events(ds) == [
        (1, "RUS", "2010", "red_notice"),
        (1, "RUS", "2011", "detention"),
        (1, "RUS", None, "extradition"),
        (2, "TUR", "2015", "detention"),
    ]
    assert ds.incidents["exile_id"].tolist() == ["TJK-0001"] * 3 + ["TJK-0002"]
    assert changes_by(ds, "layout.yes") == [(2, "measure", "yes", "detention", "guess")]
    assert changes_by(ds, "yes.no") == [(2, "measure", "no", "no incident", "info")]


def test_as_many_hosts_as_incidents_are_paired_in_their_order_as_a_guess():
    ds = wide(("TJK-0001", "TJK", "Russia; Turkey", None, None, "arrested", "2011", "extradited"))
    assert events(ds) == [(1, "RUS", "2011", "detention"), (1, "TUR", None, "extradition")]
    assert changes_by(ds, "cell.several_paired") == [
        (1, "host", "Russia; Turkey", "Russia; Turkey", "guess")
    ]


@pytest.mark.parametrize(
    "stages", [("red notice", "arrested", "extradited"), (None, "arrested", None)]
)
def test_hosts_of_which_nobody_said_which_are_left_blank_and_told(stages):
    ds = wide(("TJK-0001", "TJK", "Russia; Turkey", stages[0], None, stages[1], "2011", stages[2]))
    assert ds.incidents["host"].isna().all() and len(ds.incidents) == sum(
        stage is not None for stage in stages
    )
    assert set(changes_by(ds, "several hosts, not said which")) == {
        (1, "host", "Russia; Turkey", "left blank", "guess")
    }
    assert ds.set_aside.empty


def test_hosts_are_dealt_out_after_a_stage_with_several_measures_was_split():
    ds = wide(
        (
            "TJK-0001",
            "TJK",
            "Russia; Turkey",
            None,
            None,
            "arrested; convicted abroad",
            "2011",
            None,
        )
    )
    assert events(ds) == [(1, "RUS", "2011", "detention"), (1, "TUR", "2011", "conviction_abroad")]


def test_an_exile_without_any_incident_is_set_aside_not_lost():
    ds = wide(
        ("TJK-0001", "TJK", "Russia", "threats", None, None, None, None),
        ("TJK-0002", "TJK", "Russia", None, None, "no", None, "?"),
    )
    assert ds.set_aside[["row", "why"]].to_numpy().tolist() == [
        [2, "measure: no incident in this row"]
    ]
    assert ds.problems["remedy"].notna().all()


def test_a_stage_with_a_host_of_its_own_uses_that_one():
    headers = ["ID", "Country of origin", "Host", "Stage 1", "Stage 2", "Stage 2 country"]
    ds = cape.load(
        frame(("TJK-0001", "TJK", "Russia", "threats", "arrested", "Turkey"), columns=headers)
    )
    assert ds.incidents["host"].tolist() == ["RUS", "TUR"]


# ---------------------------------------------------------------- one's own


def test_a_layout_of_ones_own_is_ten_lines_in_a_file(own):
    rows = [
        ("Russland", "2105", "verhaftet", "imam"),
        ("Turkey", "2016", "Drohung (Mündlich)", "journalist"),
    ]
    table = frame(*rows, columns=["Aufenthalt", "Jahr", "Vorfall", "Gruppe"])
    with pytest.raises(cape.DataError, match="holds '2016', not '2105'"):
        cape.load(table, layout=own(TEN_LINES))
    ds = cape.load(table, layout=own(TEN_LINES.replace("row = 2", "row = 1")))
    assert ds.incidents[["origin", "host", "date", "measure"]].to_numpy().tolist() == [
        ["TJK", "RUS", "2015", "detention"],
        ["TJK", "TUR", "2016", "threat"],
    ]
    assert changes_by(ds, "correction") == [(1, "date", "2105", "2015", "info")]
    assert ds.changes.query("rule == 'correction'")["remedy"].tolist() == [
        "year mistyped in the source"
    ]
    assert changes_by(ds, "layout.fixed") == [("", "origin", "", "Tajikistan", "info")]
    assert {made for *_, made, _ in changes_by(ds, "layout.value")} == {"detention", "threat"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("expect = 2015", "expect = 2014"),
            "row 1 holds '2015', not 2014; was the source mended? then remove the correction",
        ),
        (("row = 1", "row = 9"), "no such row; was the source mended? then remove the correction"),
        (('column = "Jahr"', 'column = "Year"'), "has no column Year"),
        (("row = 1", 'Ort = "Wien"'), "has no column Ort"),
    ],
)
def test_a_correction_that_does_not_find_what_it_corrects_stops_the_run(own, change, said):
    correction = (
        '[[corrections]]\nwhere = { row = 1 }\ncolumn = "Jahr"\n'
        'expect = 2015\nvalue = 2016\nreason = "typing error"\n'
    )
    text = '[columns]\norigin = "from"\nmeasure = "what"\ndate = "Jahr"\n' + correction
    table = frame(("TJK", "threat", "2015"), columns=["from", "what", "Jahr"])
    assert cape.load(table, layout=own(text)).incidents["date"].tolist() == ["2016"]
    with pytest.raises(cape.DataError) as caught:
        cape.load(table, layout=own(text.replace(*change)))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_correction_in_a_column_of_names_shows_none_of_them(own):
    text = (
        '[columns]\norigin = "from"\nmeasure = "what"\n'
        '[[corrections]]\nwhere = { row = 1 }\ncolumn = "Name"\n'
    )
    table = frame(
        ("TJK", "threat", "Person One"),
        ("TJK", "threat", "Person Two"),
        columns=["from", "what", "Name"],
    )
    with pytest.raises(cape.DataError) as caught:
        cape.load(
            table,
            layout=own(text + 'expect = "Person Two"\nvalue = "Person Two"\nreason = "mistaken"\n'),
        )
    assert "row 1 holds something else" in str(caught.value) and "Person One" not in str(
        caught.value
    )
    ds = cape.load(
        table,
        layout=own(
            text + 'expect = "Person One"\nvalue = "Person Two"\nreason = "the same person"\n'
        ),
    )
    assert ds.exiles["exile_id"].tolist() == ["TJK-0001"] and "Person" not in ds.changes.to_csv()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "says nothing of origin"),
        ('[columns]\norigin = "from"', "says nothing of measure"),
        (
            '[columns]\norigin = "from"\nmesure = "what"',
            "unknown column 'mesure': did you mean measure?",
        ),
        ("[colums]\norigin = 1", "unknown part 'colums': did you mean columns?"),
        (
            "[columns]\norigin = { a = 1 }\nmeasure = 'x'",
            "origin must be a header or a list of headers, not {'a': 1}",
        ),
        ("columns = 5", "columns must be a table, not 5"),
        ("events = [5]\n[columns]\norigin = 'x'", "an [[events]] has a measure"),
        (
            "[columns]\norigin = 'x'\n[[events]]\nmeasure = 'a'\nyes = 'arest'",
            "unknown measure 'arest'",
        ),
        (
            "[columns]\norigin = 'x'\nmeasure = 'y'\n[fixed]\norigin = 'TJK'",
            "origin stands under [columns] and under [fixed]",
        ),
        (
            "[columns]\nmeasure = 'y'\n[fixed]\norigin = ['TJK']",
            "origin under [fixed] must be one value",
        ),
        (
            "[columns]\norigin = 'x'\nmeasure = 'y'\n[values]\nhost = 'x'",
            "values of host must be lines such as",
        ),
        (
            "[columns]\norigin = 'x'\nmeasure = 'y'\n[[corrections]]\ncolumn = 'x'",
            "a [[corrections]] needs where, column, expect, value and reason",
        ),
        (
            "[columns]\norigin = 'x'\nmeasure = 'y'\n[[corrections]]\nwhere = 3\n"
            "column = 'x'\nexpect = 1\nvalue = 2\nreason = ''",
            "where of a correction must be a table, not 3",
        ),
        (
            "[columns]\norigin = 'x'\nmeasure = ''\n[[corrections]]\nwhere = { row = '' }\n"
            "column = ''\nexpect = 1\nvalue = 2\nreason = ''",
            "where of a correction must say which rows",
        ),
        ("[columns\norigin", "is not a layout"),
        ("a = " + "[" * 5000, "is not a layout"),
        ("# " + "x" * (1 << 20), "is not a layout: it has more than"),
    ],
)
def test_a_bad_layout_file_is_refused_in_one_clear_line(own, text, said):
    path = own(text)
    with pytest.raises(cape.DataError) as caught:
        read_layout(Path(path))
    assert (
        said in str(caught.value)
        and "mine.toml" in str(caught.value)
        and "\n" not in str(caught.value)
    )
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("event", "unknown layout 'event': did you mean events?"),
        ("absent.toml", "no layout absent.toml: check the path"),
        ("~nobody-of-that-name/x.toml", "no layout ~nobody-of-that-name/x.toml"),
        ("a\0b.toml", "no layout a b.toml: check the path"),
    ],
)
def test_a_layout_that_is_not_there_is_refused_in_one_clear_line(name, said):
    with pytest.raises(cape.CapeError) as caught:
        layout(name)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_no_layout(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(cape.DataError, match="is not a layout"):
        layout(str(tmp_path / "mine.toml"))
    with pytest.raises(cape.DataError, match="no layout"):
        layout(str(tmp_path / ".." / tmp_path.name) + "/nothing.toml")


@pytest.mark.parametrize("header", ["Country of asylum", "Receiving state", "Country of refuge"])
@pytest.mark.parametrize("measure", ["What was done", "Stage 3"], ids=["events", "wide"])
def test_the_state_that_received_an_exile_is_the_host_before_any_country(header, measure, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(
        f"Country,Country of citizenship,{header},{measure}\n"
        "Turkey,Tajikistan,Russia,detention\n"
        "Turkey,Uzbekistan,Kazakhstan,rendition\n"
    )
    incidents = cape.load(table).incidents
    assert list(incidents["origin"]) == ["TJK", "UZB"]
    assert list(incidents["host"]) == ["RUS", "KAZ"]
