"""The joint test of many specifications, against an example enumerated by hand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, rankdata

from capelib.errors import ParameterError
from capelib.estimators.clustered_logit import odds_ratios
from capelib.estimators.decomposition import kitagawa
from capelib.estimators.specifications import gaps, joint_test, moved_within, odds_of_marks

Y1 = np.array([9, 7, 8, 6, 10, 5, 7, 4, 6, 3], float)
Y2 = np.array([3, 4, 2, 5, 4, 2, 3, 1, 3, 2], float)


def enumerated() -> np.ndarray:
    """Eight specifications under all 252 labelings of five in ten rows; the true one first."""
    columns = []
    labels = np.array([np.isin(range(10), chosen) for chosen in combinations(range(10), 5)])
    for y in (Y1, Y2):
        for rows in (slice(None), slice(0, 9)):
            for scale in (np.asarray, rankdata):
                value = scale(y[rows])
                value = value / value.std()
                one = labels[:, rows]
                high = (one * value).sum(axis=1) / one.sum(axis=1)
                low = (~one * value).sum(axis=1) / (~one).sum(axis=1)
                columns.append(high - low)
    return np.column_stack(columns)


def test_the_enumerated_example_comes_out_exactly():
    result = joint_test(enumerated())
    assert result.labelings == 252
    assert result.median == pytest.approx(1.314011, abs=1e-6)
    assert result.p_median == 4 / 252
    assert result.passing == 2
    assert result.p_passing == 26 / 252
    assert result.p_each == pytest.approx(
        [0.039683, 0.039683, 0.055556, 0.063492, 0.111111, 0.111111, 0.174603, 0.174603], abs=1e-6
    )


def test_its_estimates_are_those_worked_by_hand():
    assert enumerated()[0] == pytest.approx(
        [1.455214, 1.471196, 1.395391, 1.406040, 1.232631, 1.217395, 1.169134, 1.162277], abs=1e-6
    )


def test_without_an_effect_it_passes_as_rarely_as_it_says():
    """Eight years with a level of their own, none special: p is uniform on 1/8, 2/8 ..."""
    rng = np.random.default_rng(3)
    late = np.eye(8, dtype=bool)
    first = 0
    for _ in range(400):
        share = 1 / (1 + np.exp(-0.7 * rng.standard_normal(8)))
        cases = np.full((2, 1, 8), 30)
        result = joint_test(gaps(rng.binomial(cases, share), cases, late)[..., 0])
        first += result.p_median <= 1 / 8
    assert 30 <= first <= 70  # of 400; 1/8 is 50


def test_moving_rows_instead_of_years_passes_too_often():
    """What the docstring warns of: years have levels, rows within a year are alike."""
    rng = np.random.default_rng(4)
    passed = 0
    for _ in range(100):
        share = 1 / (1 + np.exp(-0.7 * rng.standard_normal(8)))
        hits = rng.binomial(30, share)
        pooled = np.concatenate([np.repeat([1, 0], [k, 30 - k]) for k in hits])
        moved = np.array([rng.permutation(pooled)[:30].mean() for _ in range(99)])
        true = hits[0] / 30
        rest = (pooled.sum() - hits[0]) / 210
        placebo = moved - (pooled.sum() - 30 * moved) / 210
        passed += (1 + (np.abs(placebo) >= abs(true - rest)).sum()) / 100 <= 0.05
    assert passed > 15  # of 100; 5 are claimed


def test_the_gaps_are_kitagawas():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"year": rng.integers(0, 4, 200), "group": rng.integers(0, 3, 200)})
    rows["hit"] = rng.random(200) < 0.3 + 0.1 * rows["group"]
    hits, cases = np.zeros((1, 3, 4)), np.zeros((1, 3, 4))
    np.add.at(hits[0], (rows["group"], rows["year"]), rows["hit"])
    np.add.at(cases[0], (rows["group"], rows["year"]), 1)
    total, within = gaps(hits, cases, np.array([[False, False, True, True]]))[0, 0]
    number = pd.Series(range(200))
    parts = kitagawa(rows["hit"], rows["year"] >= 2, rows["group"], number)
    assert total == pytest.approx(parts.total.value)
    assert within == pytest.approx(parts.within.value)


def test_an_estimate_that_is_missing_is_refused():
    with pytest.raises(ParameterError, match="every estimate"):
        joint_test(np.array([[1.0, np.nan], [0.0, 0.0]]))


def test_marks_never_leave_their_kind_and_the_first_labeling_is_the_true_one():
    kinds = np.array([0, 1, 0, 2, 1, 0])
    lender = moved_within(kinds, 200)
    assert lender[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert (kinds[lender] == kinds).all()
    assert len(np.unique(lender, axis=0)) == 12  # 3! times 2! ways, all of them
    assert (np.sort(lender, axis=1) == np.arange(6)).all()


def test_all_labelings_at_once_are_petos_estimate_one_by_one():
    """(a - n1 m1 / n) / (n1 n0 m1 m0 / n^3): with the variance of a binomial, n for n - 1."""
    rng = np.random.default_rng(5)
    marks = rng.integers(0, 2, (6, 40)).astype(float)
    event = rng.integers(0, 2, 40).astype(float)
    counts = rng.random(40) < 0.8
    estimates = odds_of_marks(marks, np.where(counts, event, np.nan), [np.ones((40, 1))])[:, 0]
    for mark, estimate in zip(marks, estimates, strict=True):
        marked, yes, n = mark[counts].sum(), event[counts].sum(), counts.sum()
        score = (mark * event)[counts].sum() - marked * yes / n
        variance = marked * (n - marked) * yes * (n - yes) / n**3
        assert estimate == pytest.approx(score / variance, rel=1e-3)


def test_one_step_is_near_the_logit_with_the_same_terms():
    rng = np.random.default_rng(6)
    group, year = rng.integers(0, 4, 900), rng.integers(0, 20, 900)
    mark = rng.random(900) < 0.3 + 0.1 * group
    chance = 1 / (1 + np.exp(-(0.6 * mark + 0.3 * group - 0.03 * year)))
    event = rng.random(900) < chance
    levels = (group[:, None] == np.arange(4)).astype(float)
    terms = np.column_stack([levels, (year - 10) / 10])
    step = odds_of_marks(mark[None].astype(float), event.astype(float), [terms])[0, 0]
    given = pd.DataFrame({"mark": mark, "year": year})
    fit = odds_ratios(pd.Series(event), given, pd.Series(range(900)), pd.Series(group))
    assert np.exp(step) == pytest.approx(fit.row("mark")["ratio"], rel=0.02)


def test_a_labeling_that_shows_nothing_counts_as_far():
    marks = np.array([[1.0, 1, 0, 0], [1, 1, 1, 1]])
    event = np.array([1.0, 0, 1, 0])
    assert odds_of_marks(marks, event, [np.ones((4, 1))])[:, 0].tolist() == [0.0, np.inf]


def host_level_p(ratio: float, seed: int) -> float:
    """p of two specifications together: 30 hosts with levels of their own, ten of them members."""
    rng = np.random.default_rng(seed)
    host = np.repeat(np.arange(30), rng.geometric(0.05, 30))
    member = np.arange(30) < 10
    level = 0.7 * rng.standard_normal(30) + np.log(ratio) * member
    event = (rng.random(len(host)) < 1 / (1 + np.exp(-level[host]))).astype(float)
    half = np.where(rng.random(len(host)) < 0.5, np.nan, event)
    marks = member[moved_within(np.zeros(30, int), 100, seed)][:, host].astype(float)
    level_only = [np.ones((len(host), 1))]
    estimates = np.hstack([odds_of_marks(marks, part, level_only) for part in (event, half)])
    return joint_test(estimates).p_median


@pytest.mark.slow
def test_with_hosts_moved_p_is_uniform_without_an_effect():
    p = np.array([host_level_p(1.0, seed) for seed in range(300)])
    assert kstest(p - 0.005, "uniform").pvalue > 0.01  # p is a hundredth, two ... or one
    assert (p <= 0.05).mean() < 0.09


def test_with_hosts_moved_a_true_effect_is_seen():
    p = np.array([host_level_p(6.0, seed) for seed in range(40)])
    assert (p <= 0.05).mean() > 0.8


def test_acts_moved_one_by_one_pass_too_often():
    """What hosts are moved for: acts in one host are alike."""
    passed = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        host = np.repeat(np.arange(30), rng.geometric(0.05, 30))
        level = 0.7 * rng.standard_normal(30)
        event = (rng.random(len(host)) < 1 / (1 + np.exp(-level[host]))).astype(float)
        mark = (host < 10).astype(float)
        rows = np.array([mark, *(rng.permutation(mark) for _ in range(99))])
        passed += joint_test(odds_of_marks(rows, event, [np.ones((len(host), 1))])).p_median <= 0.05
    assert passed > 12  # of 60; 3 are claimed
