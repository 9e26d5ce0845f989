"""Counts per year: what is counted, what is left out, and that the three units never contradict
each other.
"""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import examples

from capelib.errors import ParameterError
from capelib.estimators import counts
from capelib.vocabulary.codebook import codes


def frame(rows: list[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["year", "exile_id", "episode_id", "origin"])
    return table.astype({"year": "Int64", "exile_id": "str", "episode_id": "str", "origin": "str"})


# 2010: six incidents against five exiles; E1 is one action against three of them. 2011: none. 2012:
# two against one exile.
# 2013: E2 is one action against three, and one incident more. The last incident has no year.
ROWS = [
    (2010, "a", "E1", "TJK"),
    (2010, "b", "E1", "TJK"),
    (2010, "c", "E1", "TJK"),
    (2010, "a", None, "TJK"),
    (2010, "d", None, "UZB"),
    (2010, "e", None, "UZB"),
    (2012, "a", None, "TJK"),
    (2012, "a", None, "TJK"),
    (2013, "f", "E2", "UZB"),
    (2013, "g", "E2", "UZB"),
    (2013, "h", "E2", "UZB"),
    (2013, "d", None, "UZB"),
    (None, "i", None, "TJK"),
]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("incident", [0, 6, 0, 2, 4]), ("exile", [0, 5, 0, 1, 4]), ("episode", [0, 4, 0, 2, 2])],
)
def test_each_unit_counts_what_it_says_and_empty_years_stay_as_zero(unit, expected):
    yearly = counts.per_year(frame(ROWS), 2009, 2013, unit)
    assert yearly.to_dict("list") == {"year": [2009, 2010, 2011, 2012, 2013], "n": expected}
    assert yearly.dtypes.astype(str).to_dict() == {"year": "int64", "n": "int64"}


def test_the_unit_is_the_incident_unless_said_otherwise():
    pd.testing.assert_frame_equal(
        counts.per_year(frame(ROWS), 2009, 2013),
        counts.per_year(frame(ROWS), 2009, 2013, "incident"),
    )


def test_incidents_without_a_year_and_outside_the_period_are_left_out():
    assert counts.per_year(frame(ROWS), 2000, 2020)["n"].sum() == len(ROWS) - 1
    assert counts.per_year(frame(ROWS), 2011, 2012)["n"].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("unit", "tjk", "uzb"),
    [
        ("incident", [4, 0, 2, 0], [2, 0, 0, 4]),
        ("exile", [3, 0, 1, 0], [2, 0, 0, 4]),
        ("episode", [2, 0, 2, 0], [2, 0, 0, 2]),
    ],
)
def test_counting_within_a_column_gives_each_of_its_values_every_year(unit, tjk, uzb):
    yearly = counts.per_year(frame(ROWS), 2010, 2013, unit, by="origin")
    assert list(yearly.columns) == ["year", "origin", "n"]
    wide = yearly.pivot_table(index="year", columns="origin", values="n")
    assert wide["TJK"].tolist() == tjk
    assert wide["UZB"].tolist() == uzb


def test_a_value_that_occurs_only_outside_the_period_still_gets_its_zeros():
    yearly = counts.per_year(frame(ROWS), 2012, 2012, by="origin")
    assert yearly.to_dict("list") == {"year": [2012, 2012], "origin": ["TJK", "UZB"], "n": [2, 0]}


def test_stages_keep_their_order_when_counted_within():
    stages = pd.Series([3, 1, 3], dtype=pd.CategoricalDtype([1, 2, 3], ordered=True))
    yearly = counts.per_year(frame(ROWS[:3]).assign(stage=stages), 2010, 2010, by="stage")
    assert yearly[["stage", "n"]].to_numpy().tolist() == [[1, 1], [3, 2]]


def test_an_episode_is_kept_by_its_first_row_and_single_incidents_all_stay():
    kept = counts.collapse(frame(ROWS))
    assert kept["exile_id"].tolist() == ["a", "a", "d", "e", "a", "a", "f", "d", "i"]
    assert kept.index.tolist() == list(range(9))


def test_counting_leaves_the_frame_as_it_was():
    given_rows = frame(ROWS)
    counts.per_year(given_rows, 2010, 2013, "episode", by="origin")
    pd.testing.assert_frame_equal(given_rows, frame(ROWS))


def test_an_unknown_unit_is_refused_with_the_nearest_one():
    with pytest.raises(ParameterError, match=r"unknown unit 'incidint': did you mean incident"):
        counts.per_year(frame(ROWS), 2010, 2013, "incidint")


INCIDENT = st.tuples(
    st.one_of(st.none(), st.integers(2008, 2014)),
    st.sampled_from("abcde"),
    st.sampled_from([None, "E1", "E2"]),
    st.sampled_from(["TJK", "UZB", "KAZ"]),
)


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(st.lists(INCIDENT, min_size=1, max_size=25))
def test_no_unit_exceeds_the_incidents_and_the_groups_add_up_to_the_whole(rows):
    incidents = frame(rows)
    whole = {
        unit: counts.per_year(incidents, 2009, 2013, unit).set_index("year")["n"]
        for unit in codes("unit")
    }
    assert whole["incident"].sum() == sum(
        year is not None and 2009 <= year <= 2013 for year, *_ in rows
    )
    for unit in ("exile", "episode"):
        assert (whole[unit] <= whole["incident"]).all()
        assert (whole["exile"].gt(0) == whole["incident"].gt(0)).all()
    for unit in ("incident", "episode"):
        groups = (
            counts.per_year(incidents, 2009, 2013, unit, by="origin").groupby("year")["n"].sum()
        )
        assert groups.tolist() == whole[unit].tolist()


@settings(max_examples=examples(20), deadline=None, derandomize=True)
@given(st.lists(INCIDENT, min_size=1, max_size=25), st.randoms())
def test_the_order_of_the_rows_does_not_change_incidents_and_exiles(rows, random):
    shuffled = random.sample(rows, len(rows))
    for unit in ("incident", "exile"):
        assert counts.per_year(frame(rows), 2009, 2013, unit).equals(
            counts.per_year(frame(shuffled), 2009, 2013, unit)
        )
