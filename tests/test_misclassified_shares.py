"""Shares and coefficients without the errors of coders: published numbers, and made-up truths."""

import numpy as np
import pandas as pd
import pytest

from capelib.errors import ParameterError, TooFewCases
from capelib.estimators.misclassified import confusion
from capelib.estimators.misclassified_shares import corrected_shares, matrix_method, rogan_gladen
from capelib.estimators.simex import extrapolated, mc_simex, power

BINARY = np.array([[0.90, 0.10], [0.15, 0.85]])  # rows: true no, true yes
THREE = np.array([[0.85, 0.10, 0.05], [0.08, 0.84, 0.08], [0.02, 0.08, 0.90]])
ADDED = (0, 0.5, 1, 1.5, 2)


def test_rogan_and_gladens_share_and_its_standard_error():
    result = rogan_gladen(65, 200, 0.85, 0.90)
    assert result.share == pytest.approx(0.300)
    assert result.error == pytest.approx(0.04416, abs=1e-5)
    assert result.apparent_error == pytest.approx(0.03312, abs=1e-5)


def test_a_code_that_says_nothing_cannot_be_corrected():
    with pytest.raises(ParameterError, match="above 1"):
        rogan_gladen(10, 20, 0.5, 0.5)
    with pytest.raises(ParameterError, match="two rows are alike"):
        matrix_method(pd.Series([0.5, 0.5]), pd.DataFrame([[0.5, 0.5], [0.5, 0.5]]))
    with pytest.raises(TooFewCases):
        rogan_gladen(0, 0, 0.9, 0.9)


def test_the_matrix_method_gives_three_true_shares_back():
    true = np.array([0.5, 0.3, 0.2])
    apparent = true @ THREE
    assert apparent == pytest.approx([0.453, 0.318, 0.229])
    assert matrix_method(pd.Series(apparent), pd.DataFrame(THREE)).to_numpy() == pytest.approx(true)


def test_simex_is_an_approximation_where_the_matrix_method_is_exact():
    true = np.array([0.7, 0.3])
    path = [float((true @ BINARY @ power(BINARY, added))[1]) for added in ADDED]
    assert path == pytest.approx([0.325, 0.335048, 0.343750, 0.351286, 0.357813], abs=1e-6)
    assert extrapolated(ADDED, path) == pytest.approx(0.301625, abs=1e-6)


def test_errors_without_a_power_are_refused():
    with pytest.raises(ParameterError, match="agree too little"):
        power(np.array([[0.3, 0.7], [0.7, 0.3]]), 0.5)
    circle = np.array([[0.8, 0.2, 0.0], [0.0, 0.8, 0.2], [0.2, 0.0, 0.8]])
    with pytest.raises(ParameterError, match="power"):
        power(circle, 0.5)
    with pytest.raises(ParameterError, match="no chances of errors for the code"):
        mc_simex(lambda _: (0.0, np.nan), pd.Series(["x"]), pd.DataFrame([[1.0]], ["a"], ["a"]))


def coded(true: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(len(true)) < np.where(true == 1, 0.85, 0.10), 1, 0)


def test_simex_moves_an_attenuated_difference_back():
    rng = np.random.default_rng(5)
    true = (rng.random(20_000) < 0.4).astype(int)
    outcome = pd.Series(rng.random(len(true)) < 0.2 + 0.3 * true)
    codes = pd.Series(coded(true, rng))

    def gap(codes: pd.Series) -> tuple[float, float]:
        shares, n = outcome.groupby(codes).mean(), codes.value_counts()
        return shares[1] - shares[0], float((shares * (1 - shares) / n).sum())

    result = mc_simex(gap, codes, pd.DataFrame(BINARY), draws=10)
    assert result.naive < 0.25  # 0.30 is true
    assert abs(result.corrected - 0.30) < abs(result.naive - 0.30) / 3
    assert result.error > 0


@pytest.mark.slow
@pytest.mark.parametrize("symmetric", [False, True])
def test_corrected_shares_hold_the_truth_where_the_assumption_does(symmetric):
    hit, shares = 0, []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        true = (rng.random(400) < 0.3).astype(int)
        first = pd.Series(coded(true, rng))
        if symmetric:  # both err, and as often as leaves the shares as they are
            swap = np.where(true == 1, 0.14, 0.06)
            first, second = (pd.Series(true ^ (rng.random(400) < swap)) for _ in range(2))
        else:
            second = pd.Series(true)
        both = confusion(first[:150], second[:150], [0, 1])
        row = corrected_shares(first, both, symmetric, draws=200).loc[1]
        hit += row["low"] <= 0.3 <= row["high"]
        shares.append(row["share"])
    assert hit >= 34  # of 40; 95 % is 38
    assert np.mean(shares) == pytest.approx(0.3, abs=0.02)


def test_without_a_case_there_is_no_share():
    both = confusion(pd.Series(["a"]), pd.Series(["a"]), ["a"])
    with pytest.raises(TooFewCases):
        corrected_shares(pd.Series(["b"]), both)
