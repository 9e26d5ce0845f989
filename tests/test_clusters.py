"""Clusters: who was reported together, and intervals that cover when cases are not independent."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from capelib.dataset import NO_SOURCE
from capelib.errors import TooFewCases
from capelib.estimators.clusters import clustered, difference_of, linked
from capelib.estimators.shares import difference, wilson


def rows(cells: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(cells, columns=["exile_id", "source_id", "episode_id"])


def test_exiles_are_linked_by_source_by_episode_and_through_each_other():
    components = linked(
        rows(
            [
                ("A", "S1", None),
                ("B", "S1", None),
                ("B", "S2", "E1"),
                ("C", "S3", "E1"),
                ("D", "S4", None),
                ("D", "S5", None),
            ]
        )
    )
    assert components["A"] == components["B"] == components["C"] != components["D"]
    assert components.nunique() == 2


def test_no_source_links_nobody():
    components = linked(rows([("A", NO_SOURCE, None), ("B", NO_SOURCE, None), ("C", None, None)]))
    assert components.nunique() == 3


def test_the_same_name_as_source_and_episode_is_not_one_thing():
    assert linked(rows([("A", "X", None), ("B", "Y", "X")])).nunique() == 2


@pytest.mark.parametrize("seed", range(5))
def test_the_design_effect_agrees_with_a_cluster_robust_regression(seed):
    rng = np.random.default_rng(seed)
    cluster = pd.Series(np.repeat(range(30), rng.integers(1, 12, 30)))
    hits = pd.Series(rng.random(len(cluster)) < rng.beta(1, 2, 30)[cluster])
    share, n = clustered(hits, cluster), len(hits)
    robust = (
        sm.OLS(hits.astype(float), np.ones(n))
        .fit(cov_type="cluster", cov_kwds={"groups": cluster})
        .bse.iloc[0]
        ** 2
    )
    assert share.design_effect == pytest.approx(
        max(1, robust / (share.share * (1 - share.share) / n))
    )
    few = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 29)) ** 2
    z, effective = stats.norm.ppf(0.975), n / share.design_effect * few
    middle = (share.share + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half = (
        z
        / (1 + z**2 / effective)
        * np.sqrt(share.share * (1 - share.share) / effective + z**2 / (4 * effective**2))
    )
    assert (share.low, share.high) == pytest.approx((middle - half, middle + half))


def covered(size: int, together: float, draws: int = 400) -> tuple[float, float]:
    """How often do the clustered interval and Wilson's hold a true share of 0.25? together:
    correlation within a cluster.
    """
    rng, p, clusters, hits = np.random.default_rng(7), 0.25, 60, np.zeros(2)
    cluster = pd.Series(np.repeat(range(clusters), size))
    for _ in range(draws):
        level = (
            rng.beta(p * (1 / together - 1), (1 - p) * (1 / together - 1), clusters)
            if together
            else np.full(clusters, p)
        )
        drawn = pd.Series(rng.random(len(cluster)) < level[cluster])
        for place, share in enumerate(
            (clustered(drawn, cluster), wilson(int(drawn.sum()), len(drawn)))
        ):
            hits[place] += share.low <= p <= share.high
    return hits[0] / draws, hits[1] / draws


def test_the_interval_holds_the_truth_where_wilsons_does_not():
    """400 draws: the Monte Carlo error of 95 % is 1.1 points, three of them are allowed."""
    good, naive = covered(size=6, together=0.5)
    assert 0.95 - 0.033 <= good <= 0.95 + 0.033
    assert naive < 0.8


def test_without_correlation_the_interval_is_about_wilsons():
    good, naive = covered(size=3, together=0.0)
    assert good >= 0.95 - 0.033
    assert naive >= 0.95 - 0.033


def test_each_case_a_cluster_of_its_own_gives_nearly_wilsons_interval():
    hits = pd.Series([True] * 30 + [False] * 170)
    share, plain = clustered(hits, pd.Series(range(200))), wilson(30, 200)
    assert (share.low, share.high) == pytest.approx((plain.low, plain.high), abs=0.002)
    assert share.design_effect == pytest.approx(200 / 199)


def test_all_or_none_show_no_design_effect_and_one_cluster_is_too_few():
    assert clustered(pd.Series([True] * 6), pd.Series([1, 1, 2, 2, 3, 3])).design_effect == 1
    with pytest.raises(TooFewCases, match="needs two of them, here are 1"):
        clustered(pd.Series([True, False]), pd.Series([1, 1]))


@pytest.mark.parametrize(("a", "b"), [((9, 10), (3, 10)), ((0, 7), (4, 30)), ((56, 70), (48, 80))])
def test_the_difference_of_two_wilson_shares_is_newcombes(a, b):
    first, second = wilson(*a), wilson(*b)
    assert difference_of(first, second) == pytest.approx(difference(first, second), abs=1e-9)
