"""What users rely on when a table of their own is cleaned.

Every row is kept or set aside, every change is reported, names stay out.
"""

import careless
import numpy as np
import pandas as pd
import pytest
from shared import all_text, changes_by, spread

import capelib as cape
from capelib.clean.distinct import DistinctColumn
from capelib.clean.duplicates import repeated
from capelib.clean.table import clean
from capelib.read.files import read

HEADER = ["name", "origin", "host", "date", "measure"]


def loaded(*rows: tuple, columns: list[str] = HEADER, **also) -> cape.Dataset:
    return cape.load(pd.DataFrame(list(rows), columns=columns, dtype="str"), **also)


# ---------------------------------------------------------------- the careless colleague's table


@pytest.fixture(scope="module", params=spread(["xlsx", "ods", "csv"], 1))
def from_a_colleague(request, tmp_path_factory):
    form = request.param
    path = careless.write(tmp_path_factory.mktemp("from a colleague"))[form]
    return cape.load(path), careless.truth(form).set_axis(
        careless.FIRST_ROW[form] + np.arange(careless.ROWS), axis=0
    )


def test_each_row_of_the_careless_table_ends_as_a_good_assistant_would_have_it(from_a_colleague):
    ds, truth = from_a_colleague
    kept = ds.joined().groupby(ds.rows["row"].to_numpy())
    aside = ds.set_aside.set_index("row")["why"]
    checked = 0
    for row, meant in truth.iterrows():
        if meant["kind"] == "blank":
            assert row not in aside and row not in kept.groups, row
        elif meant["set_aside"] or meant["same_as"] >= 0:
            assert row in aside or meant["leeway"], row
        elif row in aside:
            assert meant["leeway"], (row, aside[row])
        else:
            found = kept.get_group(row)
            exact = {
                name: list(dict.fromkeys(found[name].dropna()))
                for name in ("origin", "host", "measure", "date")
            }
            assert exact["origin"] == [meant["origin"]], row
            assert exact["host"] == list(meant["hosts"]), row
            assert exact["measure"] == list(meant["measures"]), row
            assert not meant["date_exact"] or exact["date"] == [meant["date"]] * bool(
                meant["date"]
            ), row
            assert meant["date_exact"] or found["year"].eq(int(meant["date"][:4])).all(), row
            for column, answer in (("relatives_targeted", "relatives"), ("interpol", "interpol")):
                assert found[column].fillna(False).eq(meant[answer] == "yes").all(), row
            checked += 1
    assert checked > 120 and len(aside) < 60


def test_the_careless_table_is_told_as_it_is(from_a_colleague):
    ds, truth = from_a_colleague
    near = set(truth.index[truth["near"] >= 0])
    assert {row for row, *_ in changes_by(ds, "duplicate.near")} & near
    exact = {row for row, *_ in changes_by(ds, "says the same as an earlier row")}
    repeats = truth.index[(truth["same_as"] >= 0) & (truth["set_aside"] == "")]
    assert exact == set(repeats)
    assert set(ds.rows["row"]) | set(ds.set_aside["row"]) == set(
        truth.index[truth["kind"] != "blank"]
    )
    assert not set(ds.rows["row"]) & set(ds.set_aside["row"])
    assert ds.problems["remedy"].notna().all() and ds.set_aside["why"].ne("").all()
    shown = all_text(ds)
    assert "Person" not in shown and "men (not named)" not in shown
    names = set(truth.loc[truth["person"] != "", "person"])
    assert not any(name in shown for name in names)


def test_the_same_exile_has_one_key_whatever_the_spelling_of_the_name():
    ds = loaded(
        ("Person Ninety-Two", "TJK", "RUS", "2014", "threat"),
        ("PERSON  ninety two ", "TJK", "RUS", "2015", "detention"),
        ("Pérson Ninety-Two", "TJK", "RUS", "2016", "assault"),
        ("Person Ninety-Three", "UZB", "RUS", "2016", "assault"),
        ("Person Ninety-Four", "TJK", "RUS", "2017", "assault"),
    )
    assert ds.incidents["exile_id"].tolist() == ["TJK-0001"] * 3 + ["UZB-0001", "TJK-0002"]
    assert ds.exiles["exile_id"].tolist() == ["TJK-0001", "UZB-0001", "TJK-0002"]
    assert {value for _, _, value, *_ in changes_by(ds, "exile.by_name")} == {"(not shown)"}


# ---------------------------------------------------------------- several values in a cell


@pytest.mark.slow
def test_a_cell_with_several_values_becomes_linked_rows():
    ds = loaded(
        ("Person One", "TJK", "Russia / Turkey", "2015", "threats"),
        ("Person Two", "UZB", "KAZ", "2016", "arrested; extradited"),
    )
    assert ds.incidents[["host", "measure"]].to_numpy().tolist() == [
        ["RUS", "threat"],
        ["TUR", "threat"],
        ["KAZ", "detention"],
        ["KAZ", "extradition"],
    ]
    assert ds.rows["row"].tolist() == [1, 1, 2, 2]
    assert ds.incidents["incident_id"].is_unique and ds.incidents["exile_id"].nunique() == 2
    assert changes_by(ds, "cell.several") == [
        (1, "host", "Russia / Turkey", "Russia; Turkey", "info"),
        (2, "measure", "arrested; extradited", "arrested; extradited", "info"),
    ]


@pytest.mark.slow
def test_as_many_values_in_two_cells_are_paired_as_a_guess():
    ds = loaded(("Person One", "TJK", "Russia / Turkey", "2015", "detained, then deported"))
    assert ds.incidents[["host", "measure"]].to_numpy().tolist() == [
        ["RUS", "detention"],
        ["TUR", "deportation"],
    ]
    assert {
        (column, severity) for _, column, _, _, severity in changes_by(ds, "cell.several_paired")
    } == {
        ("host", "guess"),
        ("measure", "guess"),
    }


def test_different_numbers_of_values_are_no_guess_but_set_aside():
    ds = loaded(
        ("Person One", "TJK", "Russia, Turkey, Ukraine", "2015", "detained, then deported"),
        ("P", "TJK", "RUS", "2015", "threat"),
    )
    assert ds.set_aside[["row", "host", "why"]].to_numpy().tolist() == [
        [1, "Russia, Turkey, Ukraine", "measure: cells hold different numbers of values"]
    ]
    assert ds.rows["row"].tolist() == [2]


def test_only_the_values_of_one_bad_part_set_the_whole_row_aside():
    ds = loaded(
        ("Person One", "TJK", "RUS", "2015", "arrested; had some trouble"),
        ("Person Two", "TJK", "RUS", "2015", "threat"),
    )
    assert ds.set_aside["row"].tolist() == [1] and ds.rows["row"].tolist() == [2]


def test_an_interval_that_ends_before_it_begins_is_not_taken_for_two_dates():
    ds = loaded(
        ("Person One", "TJK", "RUS", "2016/2014", "threat"),
        ("Person Two", "TJK", "RUS", "2014, 2016", "threat"),
    )
    assert ds.set_aside["why"].tolist() == ["date: ends before it begins"]
    assert ds.incidents["date"].tolist() == ["2014", "2016"] and ds.rows["row"].tolist() == [2, 2]


# ---------------------------------------------------------------- duplicates


def test_a_row_that_says_the_same_again_is_set_aside_and_one_that_says_nearly_the_same_only_told():
    row = ("Person One", "TJK", "RUS", "2015-03-05", "detention")
    ds = loaded(
        row,
        row,
        (*row[:3], "2015-03-09", row[4]),
        (*row[:3], "2015-06-09", row[4]),
        ("Person Two", *row[1:]),
    )
    assert ds.set_aside[["row", "why"]].to_numpy().tolist() == [
        [2, "row: says the same as an earlier row"]
    ]
    assert [row for row, *_ in changes_by(ds, "duplicate.near")] == [3]
    assert ds.rows["row"].tolist() == [1, 3, 4, 5]


def test_unnamed_persons_are_never_taken_for_each_other():
    row = (None, "TJK", "RUS", "2015-03-05", "detention")
    ds = loaded(row, row, row)
    assert len(ds.incidents) == len(ds.exiles) == 3 and ds.set_aside.empty
    assert len(changes_by(ds, "exile.unnamed")) == 3


def test_words_for_not_known_are_no_name_and_no_key():
    rows = [
        (word, "TJK", "RUS", f"201{number}", "threat")
        for number, word in enumerate(["unknown", "n/a", "?", "неизвестно"])
    ]
    assert len(loaded(*rows).exiles) == 4
    assert len(loaded(*rows, columns=["exile_id", *HEADER[1:]]).exiles) == 4


def test_near_repeats_of_a_long_event_are_found_behind_shorter_ones():
    about = ("Person One", "TJK", "RUS")
    ds = loaded(
        (*about, "2015", "threat"),
        (*about, "2015-02-01", "threat"),
        (*about, "2015-11-01", "threat"),
    )
    assert [row for row, *_ in changes_by(ds, "duplicate.near")] == [2, 3]


def test_rows_that_repeat_another_are_found_as_pandas_finds_them():
    chance = np.random.default_rng(1)
    frame = pd.DataFrame(
        chance.integers(0, 3, (300, 4)).astype(str), columns=list("abcd"), dtype="str"
    )
    frame = frame.mask(chance.random(frame.shape) < 0.2)
    expected = np.flatnonzero(frame.duplicated()).tolist()
    assert (
        sorted(repeated([frame[name] for name in frame], np.arange(len(frame)))) == expected != []
    )


# ---------------------------------------------------------------- names


@pytest.mark.slow
def test_names_are_kept_only_when_asked_for_and_only_in_memory():
    rows = [
        ("Person One", "TJK", "RUS", "2015", "threat"),
        ("Person Two", "UZB", "RUS", "soon", "threat"),
        ("Person One", "TJK", "TUR", "2016", "tickled"),
    ]
    ds, kept = loaded(*rows), loaded(*rows, keep_names=True)
    assert ds.names.empty and kept.names.to_dict() == {"TJK-0001": "Person One"}
    for each in (ds, kept):
        assert "Person One" not in all_text(each) and "Person Two" not in all_text(each)
        assert "Person" not in repr(each)
    assert kept.where(measure="threat").names.to_dict() == {"TJK-0001": "Person One"}


def test_a_name_that_stands_where_a_key_should_be_becomes_a_key_and_is_not_shown():
    columns = ["exile_id", *HEADER[1:]]
    rows = [
        ("Person One", "TJK", "RUS", "2015", "threat"),
        ("TJK-0007", "TJK", "RUS", "2015", "threat"),
        ("Person One", "TJK", "XX", "2016", "threat"),
    ]
    ds = loaded(*rows, columns=columns, keep_names=True)
    assert ds.incidents["exile_id"].tolist() == ["TJK-0008", "TJK-0007"]
    assert ds.names.to_dict() == {"TJK-0008": "Person One"}
    assert ds.set_aside["exile_id"].tolist() == ["(not shown)"] and "Person" not in all_text(ds)


def test_first_name_and_surname_tell_persons_apart_only_together():
    columns = ["Surname", "First name", *HEADER[1:]]
    rows = [
        ("Example", "One", "TJK", "RUS", "2015", "threat"),
        ("Example", "Two", "TJK", "RUS", "2015", "threat"),
    ]
    assert loaded(*rows, columns=columns).exiles["exile_id"].tolist() == ["TJK-0001", "TJK-0002"]


def test_a_row_whose_cells_may_stand_in_the_wrong_columns_is_set_aside_and_shows_none_of_them(
    tmp_path,
):
    path = tmp_path / "mine.csv"
    path.write_text(
        "origin,host,date,measure\nTJK,RUS,2015,threat\nPerson, Example,TJK,RUS,2015,threat\n"
    )
    ds = cape.load(path)
    assert ds.set_aside["row"].tolist() == [3] and ds.set_aside[
        ["origin", "host", "date", "measure"]
    ].isna().all(axis=None)
    aside = ds.problems.query("action == 'set aside'")
    assert aside[["value", "remedy"]].to_numpy().tolist() == [
        ["(not shown)", "put a cell that holds a comma between quotation marks"]
    ]
    assert "Person" not in all_text(ds)


# ------------------------------------------------------------ what a table may lack, or say besides


def test_a_table_needs_neither_hosts_nor_dates():
    ds = loaded(
        ("Person One", "TJK", "detention"),
        ("Person One", "TJK", "threat"),
        columns=["name", "origin", "measure"],
    )
    assert (
        ds.incidents[["host", "date"]].isna().all(axis=None) and ds.incidents["year"].isna().all()
    )
    assert len(ds.incidents) == 2 and ds.set_aside.empty
    assert ds.incidents.dtypes.equals(cape.load().incidents.drop(columns="added").dtypes)


def test_a_host_that_is_the_origin_is_kept_and_told():
    ds = loaded(
        ("Person One", "TJK", "Tajikistan", "2015", "threat"),
        ("Person Two", "TJK", None, "2015", "threat"),
    )
    assert len(ds.incidents) == 2 and changes_by(ds, "host.is_origin") == [
        (1, "host", "(not shown)", "kept", "guess")
    ]


def test_a_former_state_is_told_by_the_year_of_its_row():
    ds = loaded(
        ("Person One", "Kirghizia", "Yugoslavia", "1999", "threat"),
        ("Person Two", "TJK", "Yugoslavia", "2015", "threat"),
    )
    assert ds.incidents[["origin", "host"]].to_numpy().tolist() == [["KGZ", "SRB"]]
    assert ds.set_aside[["row", "why"]].to_numpy().tolist() == [
        [2, "host: no state had this name in 2015"]
    ]


def test_two_sheets_are_read_as_one_table_and_each_row_knows_its_sheet(tmp_path):
    path = tmp_path / "mine.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame([("Person One", "TJK", "RUS", "2015", "threat")], columns=HEADER).to_excel(
            book, sheet_name="until 2015", index=False
        )
        later = [
            ("Person One", "TJK", "TUR", "2016", "detention"),
            ("Person Two", "TJK", "Atlantis", "2016", "threat"),
        ]
        pd.DataFrame(later, columns=HEADER).to_excel(book, sheet_name="from 2016", index=False)
    ds = cape.load(path)
    assert ds.rows.astype(str).to_numpy().tolist() == [
        ["mine.xlsx", "until 2015", "2"],
        ["mine.xlsx", "from 2016", "2"],
    ]
    assert ds.exiles["exile_id"].tolist() == ["TJK-0001"]
    assert ds.set_aside[["sheet", "row"]].to_numpy().tolist() == [["from 2016", 3]]
    assert ds.problems.query("action == 'set aside'")[["row", "value"]].to_numpy().tolist() == [
        [3, "(not shown)"]
    ]


def test_what_reading_noted_is_among_the_changes(from_a_colleague):
    ds, _ = from_a_colleague
    rules = set(ds.changes["rule"])
    assert {"read.footer", "read.total", "read.blank_rows"} <= rules
    if ds.info.name.endswith("csv"):
        assert {"read.encoding", "read.delimiter"} <= rules
    else:
        hidden = ds.changes[ds.changes["rule"].str.startswith("read.hidden")]
        assert {"read.header", "read.merged"} <= rules and len(hidden) == 3


def test_cells_that_a_spreadsheet_would_run_do_no_harm_here():
    ds = loaded(
        ("=1+1", "TJK", '=HYPERLINK("https://example.org","x")', "2015", "threat"),
        ("@name", "TJK", "RUS", "2015", "threat"),
    )
    assert ds.set_aside["row"].tolist() == [1] and ds.rows["row"].tolist() == [2]


# ---------------------------------------------------------------- keys and sources


def test_keys_of_our_form_stay_and_new_ones_meet_none_of_them():
    columns = ["incident_id", "exile_id", "origin", "host", "measure", "source_id"]
    rows = [
        ("I0007", "TJK-0005", "TJK", "RUS", "threat; detention", "S0003"),
        ("case 12", "TJK-0009", "TJK", "nowhere", "threat", "S0003"),
        ("case 12", None, "TJK", "RUS", "threat", "see above"),
        ("I" + "9" * 40, "TJK-" + "9" * 40, "TJK", "RUS", "threat", "S" + "9" * 40),
    ]
    ds = loaded(*rows, columns=columns)
    assert ds.incidents["incident_id"].tolist() == ["I0007", "I0008", "I0009", "I" + "9" * 40]
    assert ds.incidents["exile_id"].tolist() == [
        "TJK-0005",
        "TJK-0005",
        "TJK-0010",
        "TJK-" + "9" * 40,
    ]
    assert ds.incidents["source_id"].tolist() == ["S0003", "S0003", "S0004", "S" + "9" * 40]
    assert ds.set_aside["row"].tolist() == [2]


def test_addresses_become_sources_with_a_publisher_and_anything_else_a_source_without():
    columns = ["name", "origin", "measure", "url"]
    links = [
        "https://www.example.org/a",
        "https://www.example.org/a",
        "http://user@Example.com:80/b?c",
        "see above",
        "-",
        None,
        "https://[::1",
    ]
    ds = loaded(
        *((f"Person {number}", "TJK", "threat", link) for number, link in enumerate(links)),
        columns=columns,
    )
    assert ds.incidents["source_id"].tolist() == [
        "S0001",
        "S0001",
        "S0002",
        "S0003",
        "S0000",
        "S0000",
        "S0004",
    ]
    assert ds.sources["publisher"].fillna("").tolist() == ["example.org", "example.com", "", ""]
    assert ds.sources["url"].fillna("").tolist()[2] == "" and "see above" not in all_text(ds)
    assert changes_by(ds, "source.text") == [
        (4, "url", "(not shown)", "counted as a source without an address", "info")
    ]


# ---------------------------------------------------------------- the accounts


def test_a_row_that_was_lost_or_counted_twice_is_an_error_here_not_a_smaller_table(monkeypatch):
    from capelib.clean import table

    monkeypatch.setattr(table, "split", lambda lines, *_: lines.take(np.arange(1, len(lines.row))))
    with pytest.raises(AssertionError, match="2 rows read, 1 clean, 0 set aside"):
        clean(
            read(
                pd.DataFrame([("TJK", "threat"), ("UZB", "threat")], columns=["origin", "measure"])
            )
        )


def test_what_is_kept_and_why_not_does_not_depend_on_the_rows_around_it(from_a_colleague):
    ds, _ = from_a_colleague
    assert len(ds.rows) == len(ds.incidents) and ds.incidents["incident_id"].is_unique
    assert (
        set(ds.incidents["exile_id"]) == set(ds.exiles["exile_id"])
        and ds.exiles["exile_id"].is_unique
    )
    assert set(ds.incidents["source_id"]) - {"S0000"} == set(ds.sources["source_id"])


def test_a_part_of_a_dataset_keeps_the_rows_that_it_comes_from():
    rows = [
        ("Person One", "TJK", "RUS", "2015", "threat"),
        ("Person Two", "UZB", "RUS", "2015", "threat"),
    ]
    assert loaded(*rows).where(origin="UZB").rows["row"].tolist() == [2]


def test_a_column_is_its_distinct_cells():
    cells = pd.Series(["RUS", None, "TUR", "RUS"], dtype="str")
    column = DistinctColumn.from_cells(cells)
    assert column.words.tolist() == ["RUS", "TUR"] and column.filled.tolist() == [
        True,
        False,
        True,
        True,
    ]
    pd.testing.assert_series_equal(column.cells(), cells)
    assert column.map(pd.Series(["X", None], dtype="str")).cells().fillna("-").tolist() == [
        "X",
        "-",
        "-",
        "X",
    ]
    both = DistinctColumn.stacked(
        [
            column,
            DistinctColumn.blank(1),
            DistinctColumn.from_cells(pd.Series(["TUR"], dtype="str")),
        ]
    )
    assert (
        both.cells().fillna("-").tolist() == ["RUS", "-", "TUR", "RUS", "-", "TUR"]
        and len(both.words) == 2
    )
    assert column.without(column.flags(np.array([True, False]))).cells().fillna("-").tolist() == [
        "-",
        "-",
        "TUR",
        "-",
    ]


@pytest.mark.slow
def test_what_a_cell_costs_is_paid_once_for_all_rows_that_hold_it(monkeypatch):
    from capelib.clean import values

    asked = []
    for name in ("states", "written_dates", "coded", "yes"):
        rule = getattr(values, name)
        monkeypatch.setattr(
            values,
            name,
            lambda cells, *also, rule=rule, **more: (
                asked.append(len(cells)) or rule(cells, *also, **more)
            ),
        )
    rows = [
        (
            f"Person {number}",
            "Tajikistan",
            "Россия; Турция" if number % 2 else "РФ",
            "summer 2015",
            "killed",
        )
        for number in range(20_000)
    ]
    ds = loaded(*rows)
    assert len(ds.incidents) == 30_000 and len(ds.exiles) == 20_000 and len(ds.changes) > 120_000
    assert sum(asked) < 30, "the rules were asked for more than the distinct cells"
