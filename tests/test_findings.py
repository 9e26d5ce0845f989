"""Verdicts follow from intervals; the answers' sentences say what the numbers say."""

import numpy as np
import pandas as pd
import pytest

import capelib as cape
from capelib.errors import ParameterError
from capelib.questions.ledger_numbers import Tally

SHARE, GAP = (
    "fa2022-autoc-share-2021",
    "fa2022-autoc-share-diff",
)  # 74 % [73.5, 74.5]; 16 points [15.5, 16.5]


@pytest.mark.parametrize(
    ("finding", "estimate", "n", "verdict"),
    [
        (SHARE, (0.78, 0.66, 0.86), 63, "pattern agrees"),
        (SHARE, (0.70, 0.66, 0.735), 63, "pattern agrees"),
        (SHARE, (0.70, 0.66, 0.734), 63, "pattern differs"),
        (SHARE, (0.80, 0.746, 0.86), 63, "pattern differs"),
        (SHARE, (0.78, 0.66, 0.86), 9, "too few cases"),
        (SHARE, (0.60, 0.30, 0.85), 12, "too few cases"),
        (GAP, (0.27, 0.14, 0.38), 318, "pattern agrees"),
        (GAP, (0.10, -0.01, 0.19), 318, "too few cases"),
        (GAP, (-0.05, -0.12, 0.03), 318, "pattern differs"),
        ("lemon2016-tjk-cases", (49, None, None), 49, "pattern agrees"),
        ("lemon2016-tjk-cases", (48, None, None), 48, "too few cases"),
        ("fa2022-blr-rus-2021", (8, None, None), 8, "needs data"),
        (SHARE, (None, None, None), None, "needs data"),
    ],
)
def test_a_verdict_follows_from_the_interval(finding, estimate, n, verdict):
    info = cape.load().info
    tally = None if estimate[0] is None else Tally(*estimate, n)
    assert (
        cape.findings.judge(cape.findings.published(finding), info, "by hand", tally).verdict
        == verdict
    )


def test_a_share_without_an_interval_is_not_judged():
    with pytest.raises(ParameterError, match="interval"):
        cape.findings.judge(
            cape.findings.published(SHARE), cape.load().info, "by hand", Tally(0.7, None, None, 100)
        )


def test_published_numbers_are_read_from_the_ledger():
    assert [cape.findings.published(key).text for key in (SHARE, GAP, "lemon2016-tjk-cases")] == [
        "74 %",
        "+16 points",
        "at least 49",
    ]
    with pytest.raises(ParameterError, match="did you mean"):
        cape.findings.published("fa2022-autoc-share-2022")


def test_the_sentence_of_03_turns_with_the_interval():
    ds = cape.load()
    tajik = cape.targeting.targeting(ds.where(origin="TJK").incidents, 2001, 2024, 2015)
    assert " rose: +8 % a year [+5, +12] in 2001-2024, n = 214" in tajik.sentence("them", "episode")
    uzbek = cape.targeting.targeting(ds.where(origin="UZB").incidents, 2001, 2024, 2015)
    assert "neither clearly rose nor fell" in uzbek.sentence("them", "episode")
    none = cape.targeting.targeting(ds.where(origin="VEN").incidents, 2014, 2024, 2018)
    assert "too few cases for a trend" in none.sentence("them", "episode")
    assert none.estimates().isna().all(axis=None)


def test_no_sentence_says_minus_zero():
    years = [year for year in range(2001, 2011) for _ in range(5)][:-1]
    nearly_flat = pd.DataFrame({"year": years, "exile_id": "TJK-0001", "episode_id": None})
    series = cape.targeting.targeting(nearly_flat, 2001, 2010, 2005, "incident")
    assert series.rise.term("per year")["ratio"] < 1
    assert "-0" not in series.sentence("them", "incident")


def test_every_origin_gets_an_answer():
    ds = cape.load()
    for origin in ds.incidents["origin"].unique():
        part = ds.where(origin=origin)
        assert cape.targeting.targeting(
            part.incidents, max(2001, ds.covered_from(origin)), 2024, 2018
        ).sentence("them", "exile")


def test_the_first_row_of_each_table_of_choices_is_the_chosen_answer():
    ds = cape.load().where(origin="TJK")
    result = cape.targeting.targeting(ds.incidents, 2001, 2024, 2015)
    first = cape.targeting.variants(ds.joined(), 2001, 2024, 2015, "episode", "poisson").iloc[0]
    assert np.isclose(first["per_year"], result.rise.term("per year")["ratio"])
    everyone = cape.load().where(stage=(2, 3))
    hosts = cape.hosts.host_shares(everyone.joined(), (2014, 2020), (2021, 2021))
    assert np.isclose(hosts.selections.iloc[0]["difference"], hosts.numbers["difference"])
    assert np.isclose(hosts.definitions.iloc[0]["difference"], hosts.numbers["difference"])
    assert np.isclose(hosts.corridors.iloc[0]["difference"], hosts.numbers["difference"])


def test_both_readings_of_an_average_are_given():
    hosts = cape.hosts.host_shares(
        cape.load().where(stage=(2, 3)).joined(), (2014, 2020), (2021, 2021)
    )
    rows = hosts.averages()["share"]
    yearly = hosts.years[hosts.years["year"] <= 2020]
    assert np.isclose(rows["2014-2020, pooled"], yearly["k"].sum() / yearly["n"].sum())
    assert np.isclose(rows["2014-2020, mean of yearly shares"], yearly["share"].mean())
