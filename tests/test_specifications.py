"""The joint test of many specifications, against an example enumerated by hand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from capelib.errors import ParameterError
from capelib.estimators.decomposition import kitagawa
from capelib.estimators.specifications import gaps, joint_test

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
