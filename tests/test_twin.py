"""The made-up record has the truth that it was given, and can be taken for no real one."""

import numpy as np
import pandas as pd
import pytest

import capelib as cape
from capelib.errors import ParameterError
from capelib.twin import Truth, drawn, hosts, lists, simulate

MANY = 200.0  # episodes a year of each state: chance is small beside the truth


def first_state(truth: Truth, seed: int = 1) -> pd.Series:
    """Episodes a year of the first state."""
    rows = drawn(truth, seed).drop_duplicates("source_id")
    return rows[rows["origin"] == truth.origins[0]].groupby("year").size()


def test_the_same_seed_gives_the_same_record_and_another_seed_another():
    truth = Truth(cases=1.0, persons=2.0)
    once, again, other = (cape.simulate(truth, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(once.incidents, again.incidents)
    assert once.info.sha256 == again.info.sha256 != other.info.sha256
    assert not once.incidents.equals(other.incidents)


def test_both_forms_are_the_same_record():
    truth = Truth(cases=1.0, persons=2.0, removal=0.2, coarse=0.3, undated=0.2)
    ds, rows = cape.simulate(truth, 3), drawn(truth, 3)
    assert ds.incidents["year"].astype("float").tolist() == pytest.approx(
        rows["year"].tolist(), nan_ok=True
    )
    assert ds.incidents["stage"].astype(int).tolist() == rows["stage"].tolist()
    assert ds.incidents["date_end"].equals(rows["date_end"].rename("date_end"))
    assert ds.incidents["host"].tolist() == rows["host"].tolist()
    together = ds.incidents.groupby("episode_id")["source_id"].nunique()
    assert together.max() == 1


def test_every_picture_of_it_is_stamped():
    ds = cape.simulate(Truth(cases=1.0), seed=1)
    assert ds.info.synthetic
    for chart in (cape.figures.by_measure(ds), cape.figures.by_origin_and_year(ds, 2001, 2024)):
        texts = [text.get_text() for text in chart.figure.texts]
        assert "SYNTHETIC" in texts
        assert any(text.startswith("Source: SYNTHETIC: a made-up record") for text in texts)


def test_a_page_of_a_table_made_from_it_is_stamped_too(tmp_path):
    ds = cape.simulate(Truth(cases=1.0), seed=1).where(stage=2)
    assert ds.info.synthetic
    cape.figures.save(cape.figures.by_measure(ds), "measures", tmp_path)
    assert '"label": "SYNTHETIC"' in (tmp_path / "provenance.json").read_text()


def test_growth_ends_where_it_should_and_a_step_lasts():
    n = first_state(Truth(cases=MANY, growth=1.1, plateau=2010))
    assert n[2010] / n[2001] == pytest.approx(1.1**9, rel=0.15)
    assert n.loc[2017:].mean() / n.loc[2010:2016].mean() == pytest.approx(1, abs=0.05)
    n = first_state(Truth(cases=MANY, break_year=2013, step=2.0))
    assert n.loc[2013:].mean() / n.loc[:2012].mean() == pytest.approx(2, rel=0.05)


def test_reporting_raises_all_states_and_growth_only_the_first():
    table = Truth(growth=1.1, reporting=1.05).expected()
    ratio = table.loc[2024] / table.loc[2001]
    assert ratio.to_numpy() == pytest.approx([1.155**23, *[1.05**23] * 4])
    assert Truth(reporting_of_first=1.1).expected().loc[2024].nunique() == 2


@pytest.mark.slow
def test_counts_scatter_and_lean_on_the_year_before_as_told():
    truth = Truth(cases=MANY, scatter=0.25, correlation=0.6)
    levels = np.array([first_state(truth, seed) for seed in range(60)]) / MANY
    assert levels.var() == pytest.approx(0.25 + 1 / MANY, abs=0.06)
    logs = np.log(levels)
    pairs = np.corrcoef(logs[:, :-1].ravel(), logs[:, 1:].ravel())[0, 1]
    assert pairs == pytest.approx(0.6, abs=0.08)


def test_hosts_are_rated_as_meant():
    unfree, free = hosts()
    assert all(cape.regimes.of(state, 2010) == "NF" for state in unfree)
    assert all(cape.regimes.of(state, 2010) == "F" for state in free)
    truth = Truth(cases=MANY, unfree=0.6, unfree_from=2020, unfree_odds=2.0, spread=0.8, shift=2.0)
    rows = drawn(truth, 5).assign(unfree=lambda rows: rows["host"].isin(unfree))
    for span in ((2001, 2019), (2020, 2024)):
        share = rows.loc[rows["year"].between(*span), "unfree"].mean()
        assert share == pytest.approx(truth.unfree_share(*span), abs=0.015)


def test_a_giant_takes_more_than_each_other_host():
    n = drawn(Truth(cases=MANY, giant=10.0), 1)["host"].value_counts()
    assert n[hosts()[0][0]] / n[hosts()[0][1]] == pytest.approx(10, rel=0.2)


def test_persons_come_together_and_fare_alike():
    truth = Truth(cases=MANY / 4, persons=3.0, together=1.0, held=0.4, held_odds=1.0)
    rows = drawn(truth, 1)
    size = rows.groupby("source_id").size()
    assert size.mean() == pytest.approx(3, rel=0.05)
    assert rows.groupby("source_id")["stage"].nunique().max() == 1
    assert (rows["stage"] == 2).mean() == pytest.approx(0.4, abs=0.02)


def test_odds_and_errors_of_coders_are_as_told():
    rows = drawn(Truth(cases=MANY, held=0.3, held_odds=2.0, religious=0.4, coder=0.1), 1)
    held = (rows["stage"] == 2).groupby(rows["true_category"], observed=True).mean()
    odds = held / (1 - held)
    assert odds["religious"] / odds["opposition"] == pytest.approx(2, rel=0.05)
    assert (rows["category"] != rows["true_category"]).mean() == pytest.approx(0.1, abs=0.01)


def test_who_is_taken_home_is_recorded_until_attention_ends():
    watched = drawn(Truth(cases=MANY, first_year=1995, removal=0.1), 1)
    forgotten = drawn(Truth(cases=MANY, first_year=1995, removal=0.1, attention=3.0), 1)
    for rows, share in ((watched, 0.1), (forgotten, 0.1)):
        early = rows[rows["year"] == 1995]
        taken = rows[rows["exile_id"].isin(early["exile_id"]) & (rows["stage"] == 3)]
        expected = 1 - np.exp(-share * 29.5)
        if rows is forgotten:
            expected = share / (share + 1 / 3)  # the earlier of two exponential times
        assert len(taken) / early["exile_id"].nunique() == pytest.approx(expected, abs=0.05)


def test_dates_are_as_exact_as_told():
    ds = cape.simulate(Truth(cases=MANY / 4, coarse=0.3, undated=0.2), 1)
    shares = ds.incidents["precision"].value_counts(normalize=True, dropna=False)
    assert shares["year"] == pytest.approx(0.3, abs=0.02)
    assert ds.incidents["date_start"].isna().mean() == pytest.approx(0.2, abs=0.02)


def test_lists_overlap_by_chance_or_more():
    chances = {"news_media": 0.3, "court": 0.3}

    def overlap(dependence: float) -> float:
        table = lists(Truth(cases=MANY / 4), chances, dependence, seed=1)
        both = table["news_media"] & table["court"]
        return both.mean() / (table["news_media"].mean() * table["court"].mean())

    assert overlap(0.0) == pytest.approx(1, abs=0.06)
    assert overlap(1.5) > 1.3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"origins": ("XXX",)}, "XXX"),
        ({"coder": 1.5}, "coder must be between 0 and 1, not 1.5"),
        ({"growth": 0.0}, "growth must be above 0"),
        ({"persons": 0.5}, "persons must be 1 or more"),
        ({"correlation": 1.0}, "correlation must be 0 to below 1"),
        ({"first_year": 2020, "last_year": 2010}, "the earlier one"),
        ({"last_year": 2030}, "last_year must be 1990 to 2024"),
        ({"first_year": 2001.5}, "first_year must be a whole number"),
        ({"break_year": 1990, "step": 2.0}, "break_year must be 2001 to 2024, or None, not 1990"),
        ({"unfree_from": 2025}, "unfree_from must be 2001 to 2024"),
        ({"growth": float("inf")}, "growth must be a finite number"),
        ({"cases": "7"}, "cases must be a number, not '7'"),
        ({"cases": True}, "cases must be a number"),
        ({"cases": 0}, "cases must be above 0"),
        ({"coarse": 0.7, "undated": 0.7}, "coarse . undated must be 1 at most"),
        ({"origins": ()}, "one state or more"),
        ({"origins": ("TJK", "Tajikistan")}, "each state once"),
        ({"origins": (hosts()[0][0],)}, "no hosts of made-up records"),
        ({"cases": 1e6}, "500,000 persons at most"),
        ({"growth": 100.0}, "500,000 persons at most"),
        ({"persons": 1e9}, "500,000 persons at most"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_truth_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(ParameterError, match=message):
        Truth(**wrong)


@pytest.mark.parametrize("seed", [-1, 1.5, "x", None, True], ids=str)
def test_a_seed_is_a_whole_number_from_0_on(seed):
    with pytest.raises(ParameterError, match="seed must be"):
        simulate(seed=seed)


def test_what_is_no_truth_is_refused_and_states_go_by_name():
    with pytest.raises(ParameterError, match="truth must be a cape"):
        simulate({"growth": 1.1})
    assert Truth(origins="Tajikistan").origins == ("TJK",)


def test_a_record_without_a_case_is_one():
    empty = simulate(Truth(cases=1e-12))
    assert (len(empty.incidents), empty.info.synthetic) == (0, True)
