"""What users rely on in the list of changes: all of them, in the order of the file.

Small however many they are, and added up without loss.
"""

import numpy as np
import pandas as pd

import capelib as cape
from capelib.clean.changes import CHANGE_COLUMNS, GUESS, SET_ASIDE, ChangeLog
from capelib.clean.layouts import layouts


def some() -> ChangeLog:
    changes = ChangeLog()
    table = {
        "value": ["Россия", "EU"],
        "made": ["RUS", "set aside"],
        "rule": ["state.russian", "does not name one state"],
    }
    table |= {
        "severity": ["info", SET_ASIDE],
        "certainty": [1.0, 0.0],
        "remedy": [None, "write one of its member states"],
    }
    changes.cells(
        "a.xlsx", "one", "host", np.array([9, 3, 5]), np.array([0, 1, 0]), pd.DataFrame(table)
    )
    changes.add(
        "a.xlsx",
        "two",
        [2, 4],
        "date",
        "date.part",
        "2015",
        value="early 2015",
        severity=GUESS,
        certainty=0.8,
    )
    changes.add("a.xlsx", "one", 0, "", "read.encoding", "read as cp1251")
    return changes


def test_every_change_is_listed_in_the_order_of_the_file_what_concerns_the_whole_table_first():
    frame = some().frame()
    assert list(frame) == CHANGE_COLUMNS and len(frame) == len(some()) == 6
    assert frame[["sheet", "row"]].fillna(0).to_numpy().tolist() == [
        ["one", 0],
        ["one", 3],
        ["one", 5],
        ["one", 9],
        ["two", 2],
        ["two", 4],
    ]
    assert frame["value"].fillna("").tolist() == [
        "",
        "EU",
        "Россия",
        "Россия",
        "early 2015",
        "early 2015",
    ]
    assert frame["row"].isna().tolist() == [True] + [False] * 5


def test_the_parts_hold_what_the_whole_list_holds():
    changes = some()
    assert sum(map(len, changes.frames())) == len(changes)
    only = changes.frame(only=(SET_ASIDE, GUESS))
    assert only["rule"].tolist() == ["does not name one state", "date.part", "date.part"]
    pd.testing.assert_frame_equal(
        only, changes.frame().query("severity != 'info'").reset_index(drop=True)
    )


def test_added_up_they_are_as_many_with_the_first_row_of_each():
    summary = some().summary()
    assert summary["rows"].sum() == len(some())
    assert summary[["value", "rows", "first"]].fillna("").to_numpy().tolist() == [
        ["Россия", 2, 5],
        ["EU", 1, 3],
        ["early 2015", 2, 2],
        ["", 1, 0],
    ]


def test_no_change_is_an_empty_list_with_the_same_columns():
    assert list(ChangeLog().frame()) == CHANGE_COLUMNS and len(ChangeLog()) == 0
    assert {"value", "made", "rows", "first"} <= set(
        ChangeLog().summary()
    ) and ChangeLog().summary().empty
    assert list(cape.load().changes) == CHANGE_COLUMNS and cape.load().changes.empty


def test_a_table_in_the_words_of_the_codebook_is_not_changed_at_all():
    incidents = cape.load().incidents.query("precision == 'day' and host.notna()").head(50)
    frame = incidents[
        ["incident_id", "exile_id", "origin", "host", "date", "measure", "source_id"]
    ].astype("str")
    ds = cape.load(frame)
    assert set(ds.changes["rule"]) <= {"duplicate.near", "host.is_origin"} and ds.set_aside.empty
    assert ds.incidents[list(frame)].astype("str").equals(frame.reset_index(drop=True))


def test_what_is_not_exactly_a_word_of_the_codebook_always_leaves_a_change():
    ds = cape.load(
        pd.DataFrame([["Russia ", "THREAT", "Yes"]], columns=["origin", "measure", "interpol"]),
        layout="events",
    )
    made = ds.changes.set_index("column")["made"].to_dict()
    assert {"origin": "RUS", "measure": "threat", "interpol": "yes"}.items() <= made.items()
    assert "events" in layouts()
