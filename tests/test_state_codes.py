"""What users rely on for codes of states: they are read by the system that the column shows."""

import pandas as pd
import pytest
from shared import spread

import capelib as cape
from capelib.meaning.state_codes import codes_of_columns, system
from capelib.meaning.state_lexicon import two_letter_codes
from capelib.vocabulary.tables import states

KNOWN = {
    "fips": "TI TJK,TX TKM,UP UKR,RS RUS,TU TUR,AU AUT,AS AUS,GM DEU,SZ CHE,CH CHN,SW SWE,UK GBR,"
    "EZ CZE,LO SVK,LG LVA,LH LTU,EN EST,JA JPN,KS KOR,KN PRK,IZ IRQ,AJ AZE,BO BLR,PO PRT,SP ESP",
    "cow": "TAJ TJK,KYR KGZ,KZK KAZ,UZB UZB,TKM TKM,AUS AUT,AUL AUS,SWZ CHE,SWA SWZ,SLV SVN,"
    "SLO SVK,SAL SLV,MNG MNE,MON MNG,MAC MKD,GMY DEU,UKG GBR,FRN FRA,SWD SWE,GRG GEO,MLD MDA",
    "cow_number": "2 USA,200 GBR,255 DEU,365 RUS,640 TUR,700 AFG,701 TKM,702 TJK,703 KGZ,704 UZB,"
    "705 KAZ,710 CHN,679 YEM,345 SRB",
    "gw_number": "2 USA,260 DEU,365 RUS,640 TUR,702 TJK,703 KGZ,678 YEM,340 SRB",
    "m49": "762 TJK,860 UZB,398 KAZ,417 KGZ,795 TKM,643 RUS,792 TUR,840 USA,276 DEU,004 AFG",
}
MANY = {"fips": 240, "cow": 195, "cow_number": 195, "gw_number": 195, "m49": 249}


@pytest.mark.parametrize("name", KNOWN)
def test_the_codes_of_a_system_are_the_known_ones(name):
    assert {pair: system(name).get(pair.split()[0]) for pair in KNOWN[name].split(",")} == {
        pair: pair.split()[1] for pair in KNOWN[name].split(",")
    }
    assert len(set(system(name).values())) >= MANY[name]
    assert set(system(name).values()) <= set(states())


def read(tmp_path, origins: str, hosts: str, measure: str = "detention") -> cape.Dataset:
    """A table with these origins and hosts, in pairs, read as a user's."""
    rows = {"origin": origins.split(), "host": [host or None for host in hosts.split()]}
    frame = pd.DataFrame(rows).assign(date=range(2001, 2001 + len(rows["host"])), measure=measure)
    frame.to_csv(tmp_path / "t.csv", index=False)
    return cape.load(tmp_path / "t.csv")


def told(ds: cape.Dataset, column: str) -> dict[str, tuple[str, str]]:
    """What each cell of a column was made into, and the severity."""
    rows = ds.changes[(ds.changes["column"] == column) & ds.changes["row"].notna()]
    return {
        row.value: (row.made, row.severity) for row in rows.itertuples() if row.value != row.made
    }


def test_codes_that_iso_lacks_show_that_a_column_is_fips(tmp_path):
    ds = read(tmp_path, "TI UZ TX KZ KG TI TI", "RS TU UP AU GM SZ CH")
    assert list(ds.incidents["host"]) == ["RUS", "TUR", "UKR", "AUT", "DEU", "CHE", "CHN"]
    assert list(ds.exiles["origin"]) == ["TJK", "UZB", "TKM", "KAZ", "KGZ", "TJK", "TJK"]
    hosts = told(ds, "host")
    assert hosts["AU"] == ("AUT", "guess") and hosts["GM"] == ("DEU", "guess")
    whole = ds.changes[ds.changes["rule"] == "state.system"]
    assert len(whole) == 1 and whole["severity"].item() == "guess"
    assert "FIPS 10-4, since ISO 3166 lacks TI, TU, TX, UP" in whole["made"].item()


def test_codes_of_the_correlates_of_war_are_known_by_what_iso_lacks(tmp_path):
    ds = read(tmp_path, "TAJ UZB KYR KZK TKM TAJ TAJ", "RUS TUR AUS SWZ SLV GMY MAC")
    assert list(ds.incidents["host"]) == ["RUS", "TUR", "AUT", "CHE", "SVN", "DEU", "MKD"]
    assert {made[1] for cell, made in told(ds, "host").items() if cell != made[0]} == {"guess"}


@pytest.mark.parametrize(
    ("origins", "hosts", "meant"),
    [
        ("702 704 703", "365 640 305", "RUS TUR AUT"),  # 762 is no number of the Correlates of War
        ("762 860 417", "643 792 40", "RUS TUR AUT"),
        ("762 860 417", "643 792 040", "RUS TUR AUT"),
    ],
)
def test_numbers_are_read_by_the_system_that_has_them_all(tmp_path, origins, hosts, meant):
    ds = read(tmp_path, origins, hosts)
    assert list(ds.incidents["host"]) == meant.split()
    changes = ds.changes[ds.changes["column"].isin(["origin", "host"])]
    assert set(changes["severity"]) == {"guess"}


def test_numbers_that_systems_read_differently_are_set_aside():
    lone = codes_of_columns([["702"]]).cells["702"]
    assert lone.problem == "a code that systems read differently"
    assert "TJK" in lone.remedy and "SGP" in lone.remedy


def test_columns_of_iso_codes_are_read_as_before():
    for known in (states(), two_letter_codes()):
        columns = [code for code in known if code != "NA"]
        assert codes_of_columns([columns]).cells == {}
        assert codes_of_columns([columns, ["UAE", "UK", "DRC", "EU", "TJX"]]).cells == {}
    assert codes_of_columns([["Tajikistan", "TJ", "UK"], ["Russia", "RU", "AU"]]).cells == {}


def test_a_code_that_two_systems_that_fit_read_differently_is_a_guess():
    cells = codes_of_columns([["UZB", "TKM"], ["TUR", "AUS"]]).cells
    assert list(cells) == ["AUS"] and cells["AUS"].certainty < 0.9
    assert cells["AUS"].value == "AUS" and "AUT" in cells["AUS"].remedy


def test_a_column_that_fits_no_system_is_told_and_none_of_its_codes_is_certain(tmp_path):
    # The letters of the Olympic Committee: SUI, GER, NED, DEN are codes of no system here.
    ds = read(tmp_path, "TJK UZB KAZ KGZ", "SUI GER NED RUS")
    assert len(ds.set_aside) == 3 and list(ds.incidents["host"]) == ["RUS"]
    told_of = ds.changes[ds.changes["column"].isin(["origin", "host"])]
    assert set(told_of["severity"]) <= {"guess", "set aside"}
    assert told_of["made"].str.contains("fit no one system").any()


def test_a_code_among_names_that_another_system_reads_differently_is_doubtful(tmp_path):
    ds = read(tmp_path, "Tajikistan Uzbekistan TJ UZ", "Russia TK Turkey Ukraine")
    assert told(ds, "host")["TK"] == ("TKL", "guess")
    assert told(ds, "origin")["TJ"][1] == "info"


def test_na_among_names_is_not_available_and_no_row_is_lost(tmp_path):
    ds = read(tmp_path, "Tajikistan Uzbekistan Kazakhstan", "Russia NA TUR")
    assert list(ds.incidents["host"].isna()) == [False, True, False] and ds.set_aside.empty
    assert told(ds, "host")["NA"] == ("left blank", "guess")


def test_na_among_codes_of_two_letters_is_asked_about(tmp_path):
    ds = read(tmp_path, "TJ UZ KZ", "RU NA TR")
    assert len(ds.set_aside) == 1
    assert codes_of_columns([["NA"]]).cells == {}


# ---------------------------------------------------------------- one place, one state


def hosts_of(tmp_path, *hosts: str) -> cape.Dataset:
    frame = pd.DataFrame({"origin": "TJK", "host": hosts, "measure": "extradition"})
    frame.assign(date=range(2001, 2001 + len(hosts))).to_csv(tmp_path / "t.csv", index=False)
    return cape.load(tmp_path / "t.csv")


def test_a_city_with_its_state_of_the_usa_is_one_place_there_and_a_guess(tmp_path):
    american = [
        *("Brooklyn, NY", "Los Angeles, CA", "Chicago, IL", "Indianapolis, IN", "Denver, CO"),
        *("Boston, MA", "Wilmington, DE", "Atlanta, GA", "Arlington, VA", "Columbus, OH 43004"),
        *("St. Petersburg, Florida", "Vienna, Virginia, USA", "Seattle, Washington"),
    ]
    ds = hosts_of(tmp_path, *american, "Toronto, ON", "London, Ontario, Canada")
    assert list(ds.incidents["host"]) == ["USA"] * len(american) + ["CAN"] * 2
    guesses = ds.changes[(ds.changes["column"] == "host") & (ds.changes["severity"] == "guess")]
    assert len(guesses) == len(ds.incidents)


def test_a_code_that_may_be_of_the_usa_or_of_another_state_is_asked_about(tmp_path):
    ds = hosts_of(tmp_path, "Wuppertal, DE", "Denver, CO", "Berlin, DE", "Tbilisi, Georgia")
    assert list(ds.incidents["host"]) == ["DEU", "GEO"] and len(ds.set_aside) == 2
    assert "USA or DEU" in " ".join(ds.problems["remedy"])


def test_cities_of_several_states_stay_several(tmp_path):
    ds = hosts_of(tmp_path, "Brooklyn, NY; Toronto, ON", "Moscow, Russia; Istanbul, Turkey")
    assert list(ds.incidents["host"]) == ["USA", "CAN", "RUS", "TUR"]


@pytest.mark.parametrize(
    "way", spread(["Russia→Tajikistan", "Russia -> Tajikistan", "Russia => TJK"], 1)
)
def test_a_way_from_a_state_to_another_is_not_two_incidents(tmp_path, way):
    ds = hosts_of(tmp_path, way, "Turkey")
    assert list(ds.incidents["host"]) == ["TUR"] and len(ds.set_aside) == 1


def test_words_for_a_nationality_are_states_as_guesses(tmp_path):
    words = {
        "Tajik national": "TJK", "Uzbek citizen": "UZB", "Citizen of Kyrgyzstan": "KGZ",
        "Tajiks": "TJK", "Tadjik": "TJK", "Kirghiz": "KGZ", "UZB citizen": "UZB",
        "nationals of Kazakhstan": "KAZ",
    }  # fmt: skip
    frame = pd.DataFrame({"Nationality": list(words), "Country": "Russia", "Event": "arrested"})
    frame.assign(Date=range(2001, 2001 + len(words))).to_csv(tmp_path / "t.csv", index=False)
    ds = cape.load(tmp_path / "t.csv")
    assert list(ds.exiles["origin"]) == list(words.values())
    origins = ds.changes[(ds.changes["rule"] == "state.adjective")]
    assert len(origins) == len(words) and set(origins["severity"]) == {"guess"}


def test_what_is_doubted_is_kept_as_a_guess_in_every_column(tmp_path):
    row = {"origin": "Tajikistan?", "host": "Russia (?)", "measure": "detention?"}
    row |= {"category": "religious?", "interpol": "?yes"}
    frame = pd.DataFrame([row]).assign(date="2015")
    frame.to_csv(tmp_path / "t.csv", index=False)
    ds = cape.load(tmp_path / "t.csv")
    incident = ds.incidents.iloc[0]
    assert (incident["host"], incident["measure"]) == ("RUS", "detention")
    guessed = set(ds.changes.loc[ds.changes["severity"] == "guess", "column"])
    assert set(row) <= guessed and incident["interpol"]
