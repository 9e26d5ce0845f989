"""Shares of many groups, partially pooled: by hand, by another way, and against a known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from shared import slow

from capelib.errors import TooFewCases
from capelib.estimators.pooled_shares import pooled_shares


def test_equal_groups_stay_and_a_small_one_is_drawn_to_the_others():
    table = pooled_shares(pd.Series([50, 50, 50, 0]), pd.Series([100, 100, 100, 2]))
    assert table["share"].iloc[:3].to_numpy() == pytest.approx(0.5, abs=0.02)
    assert 0.3 < table["share"].iloc[3] < 0.5
    assert table["weight"].iloc[3] < 0.2 < table["weight"].iloc[0]
    assert (table["low"] < table["share"]).all()
    assert (table["share"] < table["high"]).all()


def test_the_mean_is_that_of_scipys_beta_binomial():
    """The same posterior mean by sums over scipy's beta-binomial distribution."""
    k, n = np.array([2, 9, 14]), np.array([10, 20, 20])

    def likelihood(alike: float, mean: float) -> float:
        size = 1 / alike - 1
        return float(np.prod(stats.betabinom.pmf(k, n, mean * size, (1 - mean) * size)))

    def times_share(alike: float, mean: float) -> float:
        size = 1 / alike - 1
        return likelihood(alike, mean) * (mean * size + k[0]) / (size + n[0])

    grid = (np.arange(32) + 0.5) / 32
    bottom = sum(likelihood(r, m) for r in grid for m in grid)
    top = sum(times_share(r, m) for r in grid for m in grid)
    table = pooled_shares(pd.Series(k), pd.Series(n))
    assert table["share"].iloc[0] == pytest.approx(top / bottom, abs=0.01)


def test_without_pooling_one_large_group_is_its_own_beta_distribution():
    """By hand: where all else is known, 900 of 1,000 has (a + 900) / (a + b + 1,000)."""
    table = pooled_shares(pd.Series([900, 100, 500]), pd.Series([1000, 1000, 1000]))
    assert table["share"].to_numpy() == pytest.approx([0.9, 0.1, 0.5], abs=0.01)
    exact = stats.beta.ppf([0.025, 0.975], 901, 101)
    assert table.loc[0, ["low", "high"]].to_numpy(float) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("rounds", [6, slow(400)])
def test_the_intervals_hold_the_truth_and_the_error_is_smaller_than_without(rounds):
    rng = np.random.default_rng(7)
    n = np.array([3, 4, 5, 8, 10, 12, 17, 25, 40, 60, 100, 200])
    held, error, own_error = [], 0.0, 0.0
    for _ in range(rounds):
        truth = rng.beta(6, 3, len(n))
        k = rng.binomial(n, truth)
        table = pooled_shares(pd.Series(k), pd.Series(n))
        held.append(((table["low"] <= truth) & (truth <= table["high"])).mean())
        error += ((table["share"] - truth) ** 2).sum()
        own_error += ((k / n - truth) ** 2).sum()
    assert np.mean(held) == pytest.approx(0.95, abs=0.06 if rounds < 100 else 0.015)
    assert error < (1.0 if rounds < 100 else 0.8) * own_error


def test_two_groups_cannot_be_pooled():
    with pytest.raises(TooFewCases, match="3 or more groups can be pooled, not 2"):
        pooled_shares(pd.Series([1, 2]), pd.Series([3, 3]))
