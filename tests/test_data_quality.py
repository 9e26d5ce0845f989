"""Notebook 02: what the record holds, how coders agree, and which answers hang on a part of it."""

import numpy as np
import pandas as pd
import pytest

import capelib as cape
from capelib.estimators.misclassified import confusion
from capelib.questions import headlines as headlines_module
from capelib.questions.data_quality import (
    AS_IT_STANDS,
    FIELDS,
    blanks,
    by_category,
    by_kind,
    by_state,
    by_year,
    coding_rounds,
    headlines,
    held_odds,
    marks,
    quality,
    search_effort,
)
from capelib.twin import Truth, simulate


@pytest.fixture(scope="module")
def ds():
    return cape.load()


@pytest.fixture(scope="module")
def rounds():
    return coding_rounds()


@pytest.fixture(scope="module")
def table(ds):
    return headlines(ds, cape.CENTRAL_ASIA)


def test_both_rounds_are_counted_as_the_adjudication_has_them(rounds):
    counts = rounds.seen[["exiles", "reports", "both", "first_only", "second_only"]]
    assert counts.loc["1"].tolist() == [80, 109, 136, 7, 46]
    assert counts.loc["2"].tolist() == [48, 48, 60, 2, 22]
    assert counts.loc["both"].tolist() == [128, 157, 196, 9, 68]
    judged = cape.table("adjudication")["verdict"].value_counts()
    assert rounds.seen.loc["both", "lacked"] == judged["accepted"] + judged["in_new_rows"]


def test_agreement_is_that_of_the_readme(rounds):
    """data/README.md has been checked by another way of counting (tests/test_editions.py)."""
    for field, round_, kappa in (
        ("category", "1", 0.76),
        ("category", "2", 0.77),
        ("host", "1", 0.93),
        ("host", "2", 0.86),
        ("year", "1", 0.88),
        ("year", "2", 0.91),
    ):
        row = rounds.row(FIELDS[field], round_)
        assert row["kappa"] == pytest.approx(kappa, abs=0.005)
        assert row["kappa_low"] < row["kappa"] < row["kappa_high"]


def test_one_cell_holds_most_of_the_differences(rounds):
    counts = rounds.categories.counts
    apart = counts.to_numpy().sum() - np.trace(counts)
    assert counts.loc["religious", "unknown"] > 0.7 * apart


@pytest.mark.slow
def test_the_numbers_as_they_stand_are_those_of_the_notebooks(ds, table):
    stand = table[table["choice"] == AS_IT_STANDS].set_index("notebook")
    region = ds.where(origin=cape.CENTRAL_ASIA).joined()
    tajik = ds.where(origin="TJK").incidents
    hosts = cape.hosts.host_shares(
        ds.where(stage=(2, 3)).joined(), (2014, 2020), (2021, 2021)
    ).compared()
    relatives = cape.relatives.relatives(region)
    others = {
        "03 Targeting of Tajik exiles": cape.targeting.targeting(
            tajik, 2001, 2024, 2015, "episode", "poisson"
        ).compared().iloc[2],
        "04 Authoritarian hosts": hosts.iloc[2],
        "06 Relatives": pd.Series(relatives.gap[:3], ["value", "low", "high"]),
        "09 Journeys": cape.journeys.journeys(region, 1990, 2024).estimates.iloc[3],
    }  # fmt: skip
    for notebook, row in others.items():
        expected = row[["value", "low", "high"]].astype(float).tolist()
        assert stand.loc[notebook, ["value", "low", "high"]].tolist() == pytest.approx(expected)
    stages = cape.stages.stages(region, 1990, 2024).share()
    assert stand.loc["05 Stages", ["value", "low", "high"]].tolist() == pytest.approx(stages[2:5])


def test_an_exclusion_turns_a_number_where_its_interval_says_so():
    rows = pd.DataFrame(
        [
            ("a", "ratio", AS_IT_STANDS, 1.1, 2.0),
            ("a", "ratio", "still above", 1.3, 3.0),
            ("a", "ratio", "no longer", 0.9, 2.0),
            ("a", "ratio", "below", 0.2, 0.8),
            ("a", "ratio", "too few", np.nan, np.nan),
            ("b", "difference", AS_IT_STANDS, -0.1, 0.1),
            ("b", "difference", "now above", 0.01, 0.2),
            ("c", "share", AS_IT_STANDS, 0.3, 0.5),
            ("c", "share", "meets", 0.45, 0.6),
            ("c", "share", "apart", 0.55, 0.7),
        ],
        columns=["notebook", "unit", "choice", "low", "high"],
    )
    turned = headlines_module._turned(rows)
    assert rows.loc[turned, "choice"].tolist() == ["no longer", "below", "now above", "apart"]


@pytest.mark.slow
def test_what_too_few_cases_have_is_missing_and_not_turned():
    small = simulate(Truth(cases=0.2), seed=1)
    table = headlines(small, cape.CENTRAL_ASIA)
    assert table["value"].isna().any()
    assert not table.loc[table["low"].isna(), "turned"].any()


def test_tables_of_coverage_count_every_incident_once(ds):
    n = len(ds.incidents)
    assert by_state(ds)["incidents"].sum() == by_kind(ds)["incidents"].sum() == n
    assert by_kind(ds)["share"].sum() == pytest.approx(1)
    years = by_year(ds, 1900, 2100)
    assert years.drop(columns="year").to_numpy().sum() == ds.incidents["year"].notna().sum()


def test_a_blank_is_counted_by_stage():
    rows = pd.DataFrame(
        {
            "host": [None, None, "RUS", "RUS"] * 6,
            "date_start": pd.to_datetime(["2015-01-01"] * 24),
            "attribution": [None] * 24,
            "relatives_targeted": [pd.NA] * 24,
            "interpol": [pd.NA] * 24,
            "stage": [1, 1, 2, 3] * 6,
            "exile_id": [f"TJK-{number:04d}" for number in range(24)],
            "source_id": [f"S{number:04d}" for number in range(1, 25)],
            "episode_id": [None] * 24,
            "origin": "TJK",
        }
    )
    table = blanks(rows)
    assert table.loc["host", ["blank", "stage 1", "stage 2", "gap"]].tolist() == [0.5, 1, 0, 1]
    assert table.loc["date", "blank"] == 0


def test_marks_and_effort_add_up(ds):
    table = marks(ds)
    assert table.loc["doubtful", "incidents"] == ds.incidents["doubtful"].sum()
    effort = search_effort()
    raw = cape.table("search_effort")
    assert effort["new"].sum() == raw["new_all"].sum()
    assert (effort["per_100"] == 100 * effort["new"] / effort["results"]).all()


@pytest.mark.slow
def test_errors_that_cannot_be_taken_back_are_refused_and_others_are(ds, rounds):
    rows = held_odds(ds.where(origin=cape.CENTRAL_ASIA), rounds.categories)
    table = rows.set_index(["contrast", "reading"])
    refused = table.loc[("religious against opposition", "SIMEX, errors symmetric")]
    assert np.isnan(refused["ratio"])
    assert "agree too little" in refused["why"]
    assert table.loc[("opposition against all others", "SIMEX, errors symmetric"), "ratio"] > 0


def test_without_errors_nothing_is_corrected():
    codes = pd.Series(["opposition", "religious"] * 50)
    same = confusion(codes, codes, ["opposition", "religious"])
    table = by_category(pd.DataFrame({"category": codes}), same)
    assert table["second"].tolist() == table["naive"].tolist() == [0.5, 0.5]
    assert table["symmetric"].tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.slow
def test_other_data_than_the_record_has_no_second_coder():
    ds = simulate(Truth(cases=1.0), seed=1)
    result = quality(ds, cape.CENTRAL_ASIA)
    assert result.rounds is None
    assert "No second coder has read this data" in result.sentence()
    for chart in (
        cape.figures.coder_agreement(None, ds.info),
        cape.figures.robustness(result.headlines, ds.info),
        cape.figures.date_precision(by_year(ds, 2001, 2024), ds.info, 0),
    ):
        assert "SYNTHETIC" in [text.get_text() for text in chart.figure.texts]
