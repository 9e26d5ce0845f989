"""Counts are not incidents, numbers are not names, and words for nobody are not one person."""

import pandas as pd
import pytest
from shared import changes_by

import capelib as cape
from capelib.clean.count_tables import _holds_counts
from capelib.errors import DataError
from capelib.meaning.counts import counts_incidents, counts_persons
from capelib.meaning.nobody import nobody

HOSTS = ("Russia", "Turkey", "Russia", "Kazakhstan")
LAYOUT = """
drop = ["{}"]
[columns]
host = "host"
origin = "origin"
measure = "measure"
"""


def table(**more: list) -> pd.DataFrame:
    columns = {
        "origin": ["Tajikistan", "Tajikistan", "Uzbekistan", "Uzbekistan"],
        "host": list(HOSTS),
        "measure": ["extradition", "detention", "extradition", "deportation"],
    }
    return pd.DataFrame(columns | more, dtype="str")


# ---------------------------------------------------------------- tables of counts


@pytest.mark.parametrize(
    "header", ["n", "N", "Freq", "Total", "count", "Number of cases", "# of incidents", "Всего"]
)
def test_a_table_of_counts_is_refused_in_one_line_with_a_way_out(header):
    with pytest.raises(DataError) as caught:
        cape.load(table(**{header: ["14", "3", "22", "1"]}))
    message = str(caught.value)
    assert f"the column {header} holds whole numbers" in message and "\n" not in message
    assert f'drop = ["{header}"]' in message and "Give each incident a row of its own" in message


def test_a_column_a_year_is_refused_likewise():
    years = {"2014": ["3", "22", "5", None], "2015": ["14", "18", None, None], "2016": list("9721")}
    with pytest.raises(DataError, match="the columns 2014, 2015, 2016 hold whole numbers"):
        cape.load(table(**years))


@pytest.mark.parametrize("years", [("X2014", "X2015"), ("2000s", "2010s")])
def test_years_as_r_names_columns_and_tens_of_years_are_years_too(years):
    counts = {years[0]: ["3", "22", "5", None], years[1]: ["14", "18", None, None]}
    with pytest.raises(DataError, match=f"the columns {', '.join(years)} hold whole numbers"):
        cape.load(table(**counts))


@pytest.mark.parametrize("crossed", [("Russia", "Turkey"), ("deportation", "Extraditions")])
def test_a_cross_table_by_states_or_measures_is_refused_likewise(crossed):
    counts = {crossed[0]: ["3", "2", None, "1"], crossed[1]: ["0", "1", "1", "0"]}
    whole = table(**counts)
    with pytest.raises(DataError, match=f"the columns {', '.join(crossed)} hold whole numbers"):
        cape.load(whole.drop(columns="measure") if "deportation" in crossed else whole)


def test_a_layout_says_that_each_row_is_one_incident(tmp_path):
    layout = tmp_path / "mine.toml"
    layout.write_text(LAYOUT.format("n"), encoding="utf-8")
    ds = cape.load(table(n=["14", "3", "22", "1"]), layout=str(layout))
    assert len(ds.incidents) == 4


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("n", ["1", "2", "3", "4"]),  # the numbers of the rows
        ("N", ["1", "1", "1", "1"]),  # each row is one
        ("Number of sources", ["3", "2", "5", "1"]),
        ("Number of children", ["3", "2", "5", "1"]),
        ("Total", ["yes", "no", "no", "yes"]),
        ("2015", ["14", "3", "22", "1"]),  # one year alone may be anything
    ],
)
def test_other_numbers_are_no_counts(header, cells):
    assert len(cape.load(table(**{header: cells})).incidents) == 4


@pytest.mark.parametrize(
    ("numbers", "counts"),
    [
        ([14, 3, 22, 1], True),
        (["1,204", "3", "22", "1"], True),
        ([1, 2, 2, 1], True),
        ([1, 2, 3, 4], False),
        ([101, 105, 203, 204, 300], False),  # of cases
        ([1, 1, 2, 3, 3, 4], False),  # of persons with several rows
        ([1, 2, 3, 1, 2, 3, 4], False),  # of the rows of each group
        ([3, 1, 2, 1, 5, 1], True),
    ],
)
def test_numbers_that_number_the_rows_are_no_counts(numbers, counts):
    assert _holds_counts(pd.Series(numbers).astype("str")) == counts


def test_a_count_beside_named_persons_is_about_their_cases():
    names = ["Qalandar Zorvan", "Mirzo Quxley", "Anvar Test", "Bek Sample"]
    assert len(cape.load(table(name=names, cases=["2", "3", "2", "1"])).incidents) == 4


def test_headers_of_counts():
    assert all(
        map(counts_incidents, ("n_incidents", "case count", "Число случаев", "Anzahl Fälle"))
    )
    assert not any(map(counts_incidents, ("case", "event", "source count", "number of days")))
    assert all(map(counts_persons, ("Persons", "number of victims", "victim count", "Жертвы")))
    assert not any(map(counts_persons, ("Person", "Name", "victims' names")))


# ---------------------------------------------------------------- numbers are no names


@pytest.mark.parametrize("header", ["Victims", "Persons", "Number of victims"])
def test_numbers_of_persons_are_told_and_tell_no_persons_apart(header):
    data = table(**{header: ["1", "1", "3", "3"]})
    data.loc[1] = data.loc[0]  # the same cells, and no name: not said to be the same incident
    ds = cape.load(data)
    assert ds.set_aside.empty and ds.incidents["exile_id"].nunique() == 4
    assert ds.incidents["exile_id"].str[:3].tolist() == ds.incidents["origin"].tolist()
    assert ds.exiles["is_group"].tolist() == [False, False, True, True]
    told = changes_by(ds, "group.number")
    assert sorted(row for row, *_ in told) == [1, 2, 3, 4]
    assert {line[-1] for line in told} == {"guess"}


def test_numbers_in_a_column_of_names_name_nobody():
    ds = cape.load(table(Name=["17", "17", "18", "18"]))
    assert ds.incidents["exile_id"].nunique() == 4 and not ds.exiles["is_group"].any()
    assert len(changes_by(ds, "persons.number")) == 4


# ---------------------------------------------------------------- words for nobody


@pytest.mark.parametrize(
    "words",
    [
        *("unnamed man", "a Tajik labour migrant", "N.N.", "[name withheld]", "anonymous"),
        *("activist", "an Uzbek", "wife of an activist", "35-year-old man", "Name not disclosed"),
        *("неизвестный мужчина", "трудовой мигрант", "имя не разглашается"),
        *("гражданин Таджикистана", "a man from Tajikistan"),
        *("ein usbekischer Journalist", "un militant ouzbek", "isimsiz kadın", "مجهول"),
        *("номаълум", "noma'lum", "unbekannt", "anónimo", "н.н."),
    ],
)
def test_words_for_nobody(words):
    read = nobody(pd.Series([words]))
    assert read.nameless.all() and not read.several.any()


def test_words_for_nobody_make_no_common_exile():
    ds = cape.load(table(name=["unnamed man", "unnamed man", "---", "---"]))
    assert ds.incidents["exile_id"].nunique() == 4
    assert len(changes_by(ds, "exile.unnamed")) == 4 and not ds.exiles["is_group"].any()


@pytest.mark.parametrize(
    "words",
    [
        *("three men", "two suspects", "five soldiers and an officer", "activists", "3 men"),
        *("an activist and his wife", "трое мужчин", "several Uzbeks"),
        *("zwei Männer", "группа граждан", "deux militants", "family of an activist"),
    ],
)
def test_words_for_several_persons(words):
    read = nobody(pd.Series([words]))
    assert read.nameless.all() and read.several.all()


def test_words_for_several_persons_are_a_group():
    ds = cape.load(table(name=["three men"] * 4))
    assert ds.incidents["exile_id"].nunique() == 4 and ds.exiles["is_group"].all()
    assert {line[-1] for line in changes_by(ds, "group.words")} == {"guess"}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Person A",
            "Victim 3",
            "Unknown #1",
            "Person Two",
            "RUS-0003",
            "activist Quxley",
            "A. Q.",
        ),
        *("Азамат", "Nino", "Adam", "Uzbek", "Q.", "Ann Zorvan"),
    ],
)
def test_names_and_labels(name):
    assert not nobody(pd.Series([name])).nameless.any()


def test_names_and_labels_still_tell_persons_apart():
    name = "Person A"
    ds = cape.load(table(name=[name, name, "Bek Sample", "Bek Sample"]))
    assert ds.incidents["exile_id"].nunique() == 2


def test_words_for_nobody_are_no_keys_either():
    ds = cape.load(table(exile_id=["unnamed man", "unnamed man", "three men", "17"]))
    assert ds.incidents["exile_id"].nunique() == 4
    assert ds.exiles["is_group"].tolist() == [False, False, True, False]
