"""The reference tables: right answers, honest gaps, each shipped number equal to its source.

The comparison needs the full tables: a folder named in CAPELIB_REFERENCE, or ../shared/reference
beside the repository.
"""

import os
from pathlib import Path

import pandas as pd
import pytest

import capelib as cape

REPOSITORY = Path(__file__).resolve().parents[1]
YEARS = range(1990, 2025)


def test_kyrgyzstan_was_not_free_in_these_years_and_partly_free_in_the_others():
    not_free = {*range(2000, 2005), 2009, *range(2020, 2025)}
    assert {year: cape.regimes.of("KGZ", year) for year in range(1991, 2025)} == {
        year: "NF" if year in not_free else "PF" for year in range(1991, 2025)
    }


def test_a_state_has_one_value_a_year_and_none_where_it_is_not_rated():
    rated = cape.regimes.by_year()
    assert not rated.duplicated(["iso3", "year", "measure"]).any()
    assert set(rated["year"]) == set(YEARS)
    assert all(
        set(rows["value"]) <= set(cape.regimes.scale(measure))
        for measure, rows in rated.groupby("measure")
    )
    assert cape.regimes.of("TJK", 1990) is None  # part of the USSR
    assert cape.regimes.of("ABW", 2015) is None  # nobody rates it
    assert cape.regimes.of("TJK", 2025) is None  # not yet rated


def test_every_state_of_the_incidents_is_rated_on_every_scale():
    incidents = cape.load().incidents
    occurring = set(incidents["host"].dropna()) | set(incidents["origin"])
    for measure, rows in cape.regimes.by_year().groupby("measure"):
        assert occurring <= set(rows["iso3"]), measure
        assert rows["iso3"].nunique() > 170  # every rated state, whether or not it occurs


@pytest.mark.parametrize(
    ("measure", "cutoff", "counted"),
    [
        ("fiw", "NF", ["NF"]),
        ("fiw", "PF", ["NF", "PF"]),
        ("row", 0, ["0"]),
        ("row", "2", ["0", "1", "2"]),
        ("lied", 3, ["0", "1", "2", "3"]),
    ],
)
def test_authoritarian_is_the_cutoff_and_everything_less_free(measure, cutoff, counted):
    assert cape.regimes.at_or_below(measure, cutoff) == counted


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cape.regimes.of("TAJ", 2015), "did you mean TJK, Tajikistan?"),
        (lambda: cape.regimes.of("TJK", 2015, "fwi"), "did you mean fiw"),
        (lambda: cape.regimes.at_or_below("fiw", "F"), "unknown cut-off of fiw 'F'"),
        (lambda: cape.regimes.at_or_below("row", 3), "unknown cut-off of row '3'"),
        (
            lambda: cape.add_regime(cape.load().incidents, of="exile"),
            "unknown state column 'exile'",
        ),
        (lambda: cape.regimes.unmatched(cape.load().incidents), "call add_regime"),
        (lambda: cape.memberships.of("TAJ", 2015), "did you mean TJK"),
        (lambda: cape.memberships.members("CISS", 2015), "did you mean CIS"),
        (lambda: cape.displaced.of("TJK", 1980), "the table runs 1992-2025"),
        (lambda: cape.displaced.series("RUS"), "allowed are KAZ, KGZ, TJK, TKM, UZB"),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line(call, message):
    with pytest.raises(cape.ParameterError) as caught:
        call()
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("measure", ["fiw", "row", "lied"])
def test_add_regime_gives_each_state_and_year_what_is_looked_up_alone(measure):
    states, years = ["RUS", "KGZ", "SWE", "XXX", None], [1890, 1990, 2013, 2021, 2099, None]
    rows = pd.DataFrame([(state, year) for state in states for year in years])
    rows = rows.set_axis(["host", "year"], axis=1).astype({"host": "str", "year": "Int64"})
    rated = cape.add_regime(rows, measure)[f"host_{measure}"]
    for host, year, value in zip(rows["host"], rows["year"], rated, strict=True):
        known = pd.notna(year) and host in ("RUS", "KGZ", "SWE")
        alone = cape.regimes.of(host, year, measure) if known else None
        assert (value if pd.notna(value) else None) == alone, (host, year)


def test_add_regime_says_of_each_row_what_it_found_or_why_not():
    hosts = pd.DataFrame(
        {
            "host": ["KGZ", "KGZ", "ABW", None, "RUS", None],
            "year": pd.array([2019, 2020, 2015, 2015, None, None], "Int64"),
        }
    )
    rated = cape.add_regime(hosts)
    assert rated["host_fiw"].astype("object").where(rated["host_fiw"].notna(), None).tolist() == [
        "PF",
        "NF",
        None,
        None,
        None,
        None,
    ]
    assert rated["host_fiw_note"].tolist() == [
        "matched",
        "matched",
        "not rated",
        "no state",
        "no year",
        "no state",
    ]
    assert (rated["host_fiw"].cat.ordered, list(rated["host_fiw"].cat.categories)) == (
        True,
        ["NF", "PF", "F"],
    )
    assert list(hosts.columns) == ["host", "year"]  # the frame that was given stays as it was


def test_unmatched_accounts_for_every_row_without_a_regime():
    rated = cape.add_regime(cape.load().incidents, "row", of="origin")
    lost = cape.regimes.unmatched(rated, "row", of="origin")
    assert lost["incidents"].sum() + rated["origin_row"].notna().sum() == len(rated)
    assert set(lost["reason"]) <= {"no state", "no year", "not rated"}


def test_is_authoritarian_keeps_missing_apart_from_no():
    values = pd.Series(["NF", "PF", "F", None])
    assert cape.regimes.is_authoritarian(values, "fiw", "PF").tolist() == [True, True, False, pd.NA]


def test_a_new_regime_measure_needs_only_its_entry_in_the_codebook(monkeypatch):
    measures = cape.codebook()["codes"]["regime_measure"]
    before = cape.regimes.definitions()
    entry = {
        "label": "Boix, Miller and Rosato",
        "scale": ["0", "1"],
        "phrase": "BMR: no democracy",
        "definitions": ["0"],
        "split": {"0": "not free: no democracy by BMR"},
    }
    monkeypatch.setitem(measures, "bmr", entry)
    assert cape.regimes.definitions() == [*before, ("bmr", "0")]
    assert cape.regimes.sentence("bmr", 0) == "BMR: no democracy"
    assert cape.regimes.splits()["bmr", "0"] == "not free: no democracy by BMR"
    monkeypatch.delitem(entry, "phrase")
    with pytest.raises(cape.DataError, match=r"codebook.toml: \[codes.regime_measure.bmr\]"):
        cape.regimes.sentence("bmr", 0)


def test_every_definition_of_the_codebook_is_on_the_scale_of_its_measure():
    for measure, cutoff in [*cape.regimes.definitions(), *cape.regimes.splits()]:
        assert cutoff in cape.regimes.at_or_below(measure, cutoff)


@pytest.mark.parametrize("measure", ["row", "lied"])
def test_a_definition_by_a_number_says_in_words_what_it_counts(measure):
    scale = cape.regimes.scale(measure)
    words = [cape.regimes.sentence(measure, value) for value in scale[:-1]]
    assert len(set(words)) == len(scale) - 1
    for value, text in zip(scale, words, strict=False):
        assert text.endswith(f" (<= {value})")
        counted = text.split(": ")[1].removesuffix(f" (<= {value})")
        assert len(counted.split()) >= 1 and not any(sign.isdigit() for sign in counted)


def test_memberships_count_first_and_last_year():
    assert [cape.memberships.of("UZB", year) for year in (1993, 1994, 1999, 2000, 2012, 2013)] == [
        ["CIS"],
        ["CIS", "CSTO"],
        ["CIS", "CSTO"],
        ["CIS"],
        ["CIS", "CSTO", "SCO"],
        ["CIS", "SCO"],
    ]
    assert "RUS" in cape.memberships.members("CoE", 2022) and "RUS" not in cape.memberships.members(
        "CoE", 2023
    )
    assert "KGZ" in cape.memberships.members("CIS", 2010)


def test_displaced_is_refugees_and_asylum_seekers():
    series = cape.displaced.series("UZB")
    assert (series["displaced"] == series["refugees"] + series["asylum_seekers"]).all()
    assert cape.displaced.of("UZB", 2016) == series.set_index("year")["displaced"][2016]


# ------------------------------------------------ every shipped number against the full tables

# Names that a full table spells otherwise than `cape.states()`. Other spellings are matched
# exactly or not at all.
OTHER_SPELLINGS = {"Turkey": "TUR", "Czech Republic": "CZE", "Swaziland": "SWZ"}
ULFELDER_SPELLINGS = {
    "Bosnia-Herzegovina": "BIH",
    "Czech Republic": "CZE",
    "German Federal Republic": "DEU",
    "Italy/Sardinia": "ITA",
    "Macedonia (Former Yugoslav Republic of)": "MKD",
    "Russia (Soviet Union)": "RUS",
    "Turkey (Ottoman Empire)": "TUR",
    # to 2005; Serbia continued its seat in the Council of Europe: ours begins in 2003
    "Yugoslavia": "SRB",
}
TOO_SMALL_FOR_ULFELDER = {"AND", "ISL", "LIE", "LUX", "MCO", "MLT", "SMR"}


@pytest.fixture(scope="module")
def full():
    """Reads a table of the full reference folder, all cells text."""
    folder = Path(os.environ.get("CAPELIB_REFERENCE") or REPOSITORY.parent / "shared" / "reference")
    if not folder.is_dir():
        pytest.skip(
            f"shipped numbers NOT compared with the full tables: no folder {folder}; "
            "name it in CAPELIB_REFERENCE"
        )
    return lambda name: pd.read_csv(folder / name, dtype="str", keep_default_na=False)


def iso3(names: pd.Series, spellings: dict[str, str]) -> pd.Series:
    return names.map({name: code for code, name in cape.states().items()} | spellings)


@pytest.mark.parametrize(
    ("measure", "file", "state", "value"),
    [
        ("fiw", "freedom_house_ratings_1972_2024.csv", "fh_country", "status"),
        ("row", "vdem_ert_v15_1900_2024.csv", "country_text_id", "v2x_regime"),
        ("lied", "lexical_index_1980_2024.csv", "lied_country", "lexical_index"),
    ],
)
def test_every_state_year_of_a_regime_measure_equals_the_full_table(
    full, measure, file, state, value
):
    table = full(file)
    table["iso3"] = table[state] if measure == "row" else iso3(table[state], OTHER_SPELLINGS)
    shipped = cape.regimes.by_year().query("measure == @measure")
    if measure != "row":  # whose names of states are matched where we spell them so
        shipped = shipped[shipped["iso3"].isin(set(table["iso3"]))]
    table = table[
        table["iso3"].isin(shipped["iso3"])
        & table["year"].astype(int).isin(YEARS)
        & (table[value] != "")
    ]
    assert not table.duplicated(["iso3", "year"]).any()
    theirs = {
        (code, int(year)): rated
        for code, year, rated in zip(table["iso3"], table["year"], table[value], strict=True)
    }
    ours = {
        (code, year): rated
        for code, year, rated in zip(
            shipped["iso3"], shipped["year"], shipped["value"], strict=True
        )
    }
    assert ours == theirs
    assert len(ours) > 5000 and len({code for code, _ in ours}) > 150


def test_every_count_of_displaced_people_is_the_sum_over_host_states(full):
    table = full("unhcr_population_central_asia_origins.csv").astype(
        {"year": int, "refugees": int, "asylum_seekers": int}
    )
    sums = table.groupby(["coo_iso", "year"], as_index=False)[["refugees", "asylum_seekers"]].sum()
    shipped = cape.table("displaced").astype({"year": int, "refugees": int, "asylum_seekers": int})
    assert shipped.to_numpy().tolist() == sums.to_numpy().tolist()


def test_memberships_are_those_entered_by_hand(full):
    table = full("memberships_by_year_hand_entered.csv")
    shipped = pd.read_csv(
        REPOSITORY / "data" / "reference" / "memberships.csv", dtype="str", keep_default_na=False
    )
    pd.testing.assert_frame_equal(shipped, table)


@pytest.mark.parametrize(
    ("organisation", "column", "member"), [("EU", "rgjeu", "2"), ("CoE", "rgjcoe", "1")]
)  # rgjeu 1: candidate
def test_memberships_1990_to_2010_agree_with_a_second_source(full, organisation, column, member):
    table = full("memberships_ulfelder_1990_2010.csv")
    table["iso3"] = iso3(table["extended_country_name"], ULFELDER_SPELLINGS)
    table = table[table[column] != ""]
    assert set(table.loc[table[column] == member, "iso3"].isna()) == {
        False
    }  # each member was matched to a state
    seen = set()
    for year, rows in table.groupby(table["year"].astype(int)):
        theirs = set(rows.loc[rows[column] == member, "iso3"])
        ours = set(cape.memberships.members(organisation, year))
        assert theirs == ours & set(rows["iso3"]), year
        seen |= ours - set(rows["iso3"])
    assert seen <= TOO_SMALL_FOR_ULFELDER


def test_words_for_states_and_measures_are_understood():
    assert cape.regimes.of("Russia", 2021, "vdem") == cape.regimes.of("RUS", 2021, "row")
    assert cape.regimes.at_or_below("V-Dem", 1) == ["0", "1"]
    assert cape.memberships.of("uz", 2005) == cape.memberships.of("UZB", 2005)
    assert cape.pursuers("Uzbekistan") == cape.pursuers("UZB")
