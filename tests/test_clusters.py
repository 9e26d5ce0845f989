"""Clusters: who was reported together, and intervals that cover when cases are not independent."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special, stats

from capelib.dataset import NO_SOURCE
from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.clusters import (
    cluster_of,
    clustered,
    clustered_difference,
    clustered_mean,
    linked,
)
from capelib.estimators.shares import difference, mean_of_shares, score_interval, wilson


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


def test_incidents_cluster_by_source_corridor_or_origin():
    table = rows([("A", "S1", None), ("B", "S1", None), ("C", "S2", None)])
    table = table.assign(origin=["TJK", "TJK", "UZB"], host=["RUS", None, "RUS"])
    assert cluster_of(table).tolist() == [0, 0, 1]
    assert cluster_of(table, "corridor").tolist() == ["TJK to RUS", "TJK to unknown", "UZB to RUS"]
    assert cluster_of(table, "origin").tolist() == ["TJK", "TJK", "UZB"]
    with pytest.raises(ParameterError, match="source"):
        cluster_of(table, "sources")


def test_a_share_by_hand():
    """Clusters of 4, 2, 1, 1 cases with 3, 1, 0, 0 hits: n = 8, p = 1/2, w = 1/2, 1/4, 1/8, 1/8.

    Residual sums are 3 - 2 = 1, 1 - 1 = 0, -1/2, -1/2. CR0 = (1 + 0 + 1/4 + 1/4) / 64, CR1 = 4/3
    of it, and CR2 = (1 / (1/2) + 0 + 2 (1/4) / (7/8)) / 64 = (2 + 4/7) / 64.
    Degrees of freedom: sum of w^2 is 22/64; q = w^2 / (1 - w) is 1/2, 1/12, 1/56, 1/56.
    """
    cluster = pd.Series([0, 0, 0, 0, 1, 1, 2, 3, 4, 5])[:8]
    hits = pd.Series([1, 1, 1, 0, 1, 0, 0, 0]).astype(bool)
    share = clustered(hits, cluster)
    assert share.design_effect == pytest.approx((2 + 4 / 7) / 64 / (1 / 4 / 8))
    q = np.array([1 / 2, 1 / 12, 1 / 56, 1 / 56])
    pairs = sum(q[i] * q[j] for i in range(4) for j in range(4) if i != j)
    assert share.df == pytest.approx(1 / (22 / 64 + pairs))
    assert share.why == "4 of 8 cases belong together: too few clusters for an interval"


def dense(hits: pd.Series, design: np.ndarray, cluster: pd.Series) -> tuple[np.ndarray, list]:
    """CR2 and Satterthwaite's df of each column by matrices of all cases (Bell and McCaffrey)."""
    y, codes = hits.to_numpy(float), pd.factorize(cluster)[0]
    bread = np.linalg.inv(design.T @ design)
    remainder = np.eye(len(y)) - design @ bread @ design.T
    meat, columns = np.zeros_like(bread), []
    for code in range(codes.max() + 1):
        own = codes == code
        values, vectors = np.linalg.eigh(remainder[np.ix_(own, own)])
        inverse = np.where(values > 1e-9, 1 / np.sqrt(np.where(values > 1e-9, values, 1)), 0)
        adjusted = vectors @ np.diag(inverse) @ vectors.T
        score = design[own].T @ adjusted @ (remainder @ y)[own]
        meat += np.outer(score, score)
        columns.append(remainder[:, own] @ adjusted @ design[own] @ bread)
    dfs = []
    for column in range(design.shape[1]):
        spread = np.array([part[:, column] for part in columns])
        gram = spread @ spread.T
        dfs.append(np.trace(gram) ** 2 / (gram**2).sum())
    return bread @ meat @ bread, dfs


def sample(seed: int) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Hits, a group and unequal clusters of which some have cases of both groups."""
    rng = np.random.default_rng(seed)
    cluster = pd.Series(np.repeat(range(25), rng.integers(1, 10, 25)))
    hits = pd.Series(rng.random(len(cluster)) < rng.beta(1, 2, 25)[cluster])
    together = (cluster % 3 > 0).to_numpy()
    group = np.where(together, cluster % 2 == 0, rng.random(len(cluster)) < 0.5)
    return hits, pd.Series(group), cluster


@pytest.mark.parametrize("seed", range(3))
def test_a_share_agrees_with_matrices_of_all_cases_and_with_statsmodels(seed):
    hits, _, cluster = sample(seed)
    share, n, sizes = clustered(hits, cluster), len(hits), cluster.value_counts()
    covariance, (df,) = dense(hits, np.ones((n, 1)), cluster)
    independent = share.share * (1 - share.share) / n
    assert share.design_effect == pytest.approx(max(1, covariance[0, 0] / independent))
    assert share.df == pytest.approx(df)
    # statsmodels has CR1: the same sums without 1 / (1 - w), times G / (G - 1)
    options = {"cov_type": "cluster", "cov_kwds": {"groups": cluster}}
    robust = sm.OLS(hits.astype(float), np.ones(n)).fit(**options).bse.iloc[0] ** 2
    weight = sizes / n
    parts = weight**2 * (hits.groupby(cluster).mean() - share.share) ** 2
    assert robust == pytest.approx(25 / 24 * parts.sum())
    assert share.design_effect == pytest.approx((parts / (1 - weight)).sum() / independent)
    few = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, df)) ** 2
    assert (share.low, share.high) == pytest.approx(
        score_interval(share.share * n / share.design_effect * few, n / share.design_effect * few)
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_difference_agrees_with_matrices_of_all_cases(seed):
    hits, group, cluster = sample(seed)
    gap = clustered_difference(hits, group, cluster)
    assert gap.value == pytest.approx(hits[group].mean() - hits[~group].mean())
    covariance, dfs = dense(hits, np.column_stack([np.ones(len(hits)), group]), cluster)
    assert gap.error == pytest.approx(np.sqrt(covariance[1, 1]))
    assert gap.df == pytest.approx(dfs[1])
    assert gap.clusters == 25
    for side, members in ((gap.group, group), (gap.others, ~group)):
        alone = clustered(hits[members], cluster[members])
        assert side[:-1] == pytest.approx(alone[:-1])


def test_groups_of_clusters_of_their_own_are_put_together_as_by_mover():
    hits, _, cluster = sample(0)
    group = cluster % 2 == 0
    gap = clustered_difference(hits, group, cluster)
    below = np.hypot(gap.group.share - gap.group.low, gap.others.high - gap.others.share)
    above = np.hypot(gap.group.high - gap.group.share, gap.others.share - gap.others.low)
    assert (gap.low, gap.high) == pytest.approx((gap.value - below, gap.value + above))


def test_what_sides_have_in_common_makes_their_difference_surer():
    """Each of 30 clusters has six cases on both sides, and its cases are alike."""
    rng = np.random.default_rng(1)
    cluster = pd.Series(np.repeat(range(30), 12))
    group = pd.Series(np.tile([True, False], 180))
    hits = pd.Series(rng.random(360) < rng.beta(0.5, 0.5, 30)[cluster])
    shared = clustered_difference(hits, group, cluster)
    apart = clustered_difference(hits, group, cluster * 2 + group)
    assert shared.value == apart.value
    assert shared.high - shared.low < 0.7 * (apart.high - apart.low)


def test_cases_without_a_group_are_left_out_and_both_sides_are_needed():
    hits, group, cluster = sample(0)
    some = group.astype("boolean").mask(cluster == 0)
    kept = cluster != 0
    expected = clustered_difference(hits[kept], group[kept], cluster[kept])
    assert clustered_difference(hits, some, cluster).value == expected.value
    with pytest.raises(TooFewCases, match="both sides"):
        clustered_difference(hits, pd.Series(True, index=hits.index), cluster)


def test_each_case_a_cluster_of_its_own_gives_nearly_the_intervals_of_independent_cases():
    hits, cluster = pd.Series([True] * 30 + [False] * 170), pd.Series(range(200))
    share, plain = clustered(hits, cluster), wilson(30, 200)
    assert (share.low, share.high) == pytest.approx((plain.low, plain.high), abs=0.002)
    assert share.design_effect == pytest.approx(200 / 199)
    group = pd.Series(np.arange(200) % 2 == 0)
    gap, newcombe = clustered_difference(hits, group, cluster), difference(*[wilson(15, 100)] * 2)
    assert (gap.low, gap.high) == pytest.approx(newcombe[1:], abs=0.004)
    years = pd.Series(np.arange(200) % 4)
    mean = clustered_mean(hits, years, cluster)
    yearly = [wilson(int(hits[years == year].sum()), 50) for year in range(4)]
    assert mean == pytest.approx(mean_of_shares(yearly), abs=0.002)


def test_the_mean_of_equal_strata_is_as_sure_as_the_share():
    """Each cluster has a case in each of two years: mean and pooled share are the same number."""
    rng = np.random.default_rng(3)
    cluster, years = pd.Series(np.repeat(range(40), 4)), pd.Series(np.tile([0, 0, 1, 1], 40))
    hits = pd.Series(rng.random(160) < rng.beta(1, 1, 40)[cluster])
    mean, share = clustered_mean(hits, years, cluster), clustered(hits, cluster)
    assert mean.value == share.share
    assert (mean.low, mean.high) == pytest.approx((share.low, share.high), abs=0.01)


def test_all_or_none_count_each_cluster_as_one_case():
    cluster = pd.Series(np.repeat(range(10), 6))
    share = clustered(pd.Series([False] * 60), cluster)
    few = (special.ndtri(0.975) / special.stdtrit(9, 0.975)) ** 2
    assert (share.low, share.high) == pytest.approx(score_interval(0, 10 * few))
    all_of_them = clustered(pd.Series([True] * 60), cluster)
    assert (all_of_them.low, all_of_them.high) == pytest.approx((1 - share.high, 1))
    gap = clustered_difference(pd.Series([False] * 60), cluster < 5, cluster)
    assert gap.value == 0
    assert -1 <= gap.low < -0.2 < 0.2 < gap.high <= 1


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        ([1], "one case: no interval"),
        ([7], "all 7 cases belong together: no interval"),
        ([5, 5], "5 of 10 cases belong together: too few clusters for an interval"),
        ([11, *[1] * 7], "11 of 18 cases belong together: too few clusters for an interval"),
    ],
)
def test_too_few_clusters_give_no_interval_and_the_reason(sizes, why):
    cluster = pd.Series(np.repeat(range(len(sizes)), sizes))
    hits = pd.Series(np.arange(len(cluster)) % 2 == 0)
    share = clustered(hits, cluster)
    assert share.why == why
    assert np.isnan([share.low, share.high]).all()
    assert share.share == hits.mean()
    other = pd.Series(np.arange(100, 140))
    both = pd.concat([cluster, other], ignore_index=True)
    gap = clustered_difference(both % 2 == 0, both < 100, both)
    assert gap.why == why
    assert np.isnan([gap.low, gap.high]).all()
    assert not np.isnan(gap.value)


def test_no_case_is_an_error():
    nothing = pd.Series([], dtype=bool)
    with pytest.raises(TooFewCases, match="needs at least one"):
        clustered(nothing, nothing)


LIKE_THE_RECORD = [15, 13, 11, 8, *[6] * 4, *[5] * 2, *[4] * 3, *[3] * 12, *[2] * 33, *[1] * 194]
DESIGNS = {
    "as in the record": LIKE_THE_RECORD,
    "60 of 6": [6] * 60,
    "eight of 12 to 1": [12, 9, 7, 5, 4, 3, 2, 1],
    "60 of 120 in one": [60, *[1] * 60],
    "60 of 120 in one, threes": [60, *[3] * 20],
    "a quarter in one": [30, *[3] * 30],
}
ALIKE = [0.0, 0.2, 0.5, 0.8]


def drawn(rng, sizes: list[int], p: float, alike: float) -> np.ndarray:
    """Cases whose clusters have shares of their own around p (beta); alike: their correlation."""
    levels = np.full(len(sizes), p)
    if alike:
        levels = rng.beta(p * (1 / alike - 1), (1 - p) * (1 / alike - 1), len(sizes))
    return rng.random(sum(sizes)) < np.repeat(levels, sizes)


def held(sizes: list[int], p: float, alike: float, draws: int) -> tuple[float, float]:
    """How often do the clustered interval and Wilson's hold the true share?"""
    rng = np.random.default_rng(7)
    cluster, hits = pd.Series(np.repeat(range(len(sizes)), sizes)), np.zeros(2)
    for _ in range(draws):
        cases = pd.Series(drawn(rng, sizes, p, alike))
        for place, share in enumerate((clustered(cases, cluster), wilson(cases.sum(), len(cases)))):
            hits[place] += share.low <= p <= share.high
    return hits[0] / draws, hits[1] / draws


@pytest.mark.parametrize("design", list(DESIGNS))
def test_the_interval_holds_the_true_share(design):
    """150 draws of a share of 1/4 with clusters much alike; 1.8 points is their standard error."""
    good, naive = held(DESIGNS[design], 0.25, 0.5, 150)
    assert good >= 0.92 - 2 * 0.018
    assert naive < good


@pytest.mark.slow
@pytest.mark.parametrize("alike", ALIKE)
@pytest.mark.parametrize("design", list(DESIGNS))
def test_the_interval_holds_every_true_share(design, alike):
    """500 draws: the standard error of 92 % is 1.2 points."""
    for p in (0.1, 0.25, 0.5):
        assert held(DESIGNS[design], p, alike, 500)[0] >= 0.92 - 0.024


def gap_held(first: list[int], second: list[int], p: tuple, alike: float, draws: int) -> float:
    """How often does the interval hold the true difference? Sizes of the same clusters on both
    sides; 0 where a cluster has no case there.
    """
    rng, hits = np.random.default_rng(7), 0
    codes = np.arange(len(first))
    cluster = pd.Series(np.concatenate([np.repeat(codes, first), np.repeat(codes, second)]))
    group = pd.Series(np.arange(len(cluster)) < sum(first))
    for _ in range(draws):
        rank = rng.random(len(first))
        levels = np.repeat(np.array(p)[:, None], len(first), axis=1)
        if alike:
            odds = 1 / alike - 1
            levels = np.array([special.betaincinv(q * odds, (1 - q) * odds, rank) for q in p])
        chance = np.concatenate([np.repeat(levels[0], first), np.repeat(levels[1], second)])
        cases = pd.Series(rng.random(len(cluster)) < chance)
        gap = clustered_difference(cases, group, cluster)
        hits += gap.low <= p[0] - p[1] <= gap.high
    return hits / draws


FREE_HOSTS, OTHER_HOSTS = [11, 3, *[2] * 6, *[1] * 30], [15, 8, *[6] * 4, *[3] * 15, *[2] * 60]
PAIRS = {
    "06": (FREE_HOSTS + [0] * len(OTHER_HOSTS), [0] * len(FREE_HOSTS) + OTHER_HOSTS),
    "the same 30": ([3] * 30, [3] * 30),
    "half of them the same": ([4] * 10 + [3] * 10 + [0] * 10, [0] * 10 + [3] * 10 + [4] * 10),
    "the same eight": (DESIGNS["eight of 12 to 1"], DESIGNS["eight of 12 to 1"]),
    "one huge": ([60, *[1] * 60, *[0] * 40], [0] * 61 + [3] * 40),
    "one huge on both": ([60, *[1] * 60, *[0] * 60], [30, *[0] * 60, *[1] * 60]),
}


@pytest.mark.parametrize("pair", list(PAIRS))
def test_the_interval_holds_the_true_difference(pair):
    """150 draws of 60 % against 20 %, clusters much alike; 1.8 points is their standard error."""
    assert gap_held(*PAIRS[pair], (0.6, 0.2), 0.5, 150) >= 0.92 - 2 * 0.018


@pytest.mark.slow
@pytest.mark.parametrize("alike", ALIKE)
@pytest.mark.parametrize("pair", list(PAIRS))
def test_the_interval_holds_every_true_difference(pair, alike):
    """500 draws: the standard error of 92 % is 1.2 points."""
    for p in ((0.1, 0.1), (0.5, 0.5), (0.6, 0.2), (0.25, 0.05)):
        assert gap_held(*PAIRS[pair], p, alike, 500) >= 0.92 - 0.024


def test_the_value_plus_and_minus_t_errors_would_not_hold():
    """Why own code puts the interval together: eight clusters against forty, much alike."""
    sizes, rng, plain = [12, 9, 7, 5, 4, 3, 2, 1, *[2] * 40], np.random.default_rng(7), 0
    cluster = pd.Series(np.repeat(range(48), sizes))
    for _ in range(200):
        cases = pd.Series(np.r_[drawn(rng, sizes[:8], 0.1, 0.8), drawn(rng, sizes[8:], 0.1, 0.8)])
        gap = clustered_difference(cases, cluster < 8, cluster)
        plain += abs(gap.value) <= stats.t.ppf(0.975, gap.df) * gap.error
    assert plain / 200 < 0.9
