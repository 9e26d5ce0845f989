"""Verdicts follow from intervals; the answers' sentences say what the numbers say."""

import numpy as np
import pytest
from shared import spread

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
        (SHARE, (0.60, 0.44, 0.75), 40, "too few cases"),
        (SHARE, (0.60, 0.46, 0.75), 40, "pattern agrees"),
        (SHARE, (0.30, 0.10, 0.55), 40, "pattern differs"),
        (GAP, (0.27, 0.14, 0.38), 318, "pattern agrees"),
        (GAP, (0.10, -0.01, 0.19), 318, "too few cases"),
        (GAP, (0.20, 0.02, 0.38), 318, "too few cases"),
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


@pytest.mark.parametrize("origin", spread(sorted(cape.load().incidents["origin"].unique()), 3))
def test_every_origin_gets_an_answer(origin):
    ds = cape.load()
    start = max(2001, ds.covered_from(origin))
    series = cape.targeting.targeting(ds.where(origin=origin).incidents, start, 2024, 2018)
    assert cape.targeting.sentence(series, "them", "exile")


@pytest.mark.slow
def test_the_first_row_of_each_table_of_choices_is_the_chosen_answer():
    everyone = cape.load().where(stage=(2, 3))
    hosts = cape.hosts.host_shares(everyone.joined(), (2014, 2020), (2021, 2021))
    assert np.isclose(hosts.selections.iloc[0]["difference"], hosts.change.value)
    assert np.isclose(hosts.definitions.iloc[0]["difference"], hosts.change.value)
    assert np.isclose(hosts.left_out.iloc[0]["difference"], hosts.change.value)


@pytest.mark.slow
def test_both_readings_of_an_average_are_given():
    hosts = cape.hosts.host_shares(
        cape.load().where(stage=(2, 3)).joined(), (2014, 2020), (2021, 2021)
    )
    rows = hosts.averages()["share"]
    yearly = hosts.years[hosts.years["year"] <= 2020]
    assert np.isclose(rows["2014-2020, pooled"], yearly["k"].sum() / yearly["n"].sum())
    assert np.isclose(rows["2014-2020, mean of yearly shares"], yearly["share"].mean())
