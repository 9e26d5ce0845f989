"""Reasons for own code where a library exists: where one of these fails, the library can take over.

Not tested: lifelines has Turnbull's estimate, but its release 0.30 requires pandas < 3.
"""

import subprocess
import sys
from timeit import repeat

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.stats.proportion import proportion_confint

from capelib.estimators import ordered_logit, panel_counts, shares, yearly_counts

COUNTS = np.array([3, 7, 2, 9, 4, 12, 5, 6, 14, 8, 4, 21, 11, 33, 17, 9, 28, 19, 8, 24])


def sandwich(bread: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Standard errors from the scores of independent parts."""
    return np.sqrt(np.diag(bread @ scores.T @ scores @ bread))


def test_statsmodels_count_models_take_hc3_and_give_hc0():
    year = np.arange(20) - 9.5
    x = np.column_stack([np.ones(20), year])

    def reported(kind: str) -> np.ndarray:
        return sm.GLM(COUNTS, x, family=sm.families.Poisson()).fit(tol=1e-13, cov_type=kind).bse

    ours = yearly_counts.trend(pd.DataFrame({"year": year, "n": COUNTS}))
    mean = ours.fitted["fitted"].to_numpy()
    bread = np.linalg.inv(x.T @ (x * mean[:, None]))
    leverage = mean * np.einsum("ij,jk,ik->i", x, bread, x)
    scores = x * (COUNTS - mean)[:, None]
    true = sandwich(bread, scores / (1 - leverage)[:, None])
    width = np.log(ours.term("per year")["high"] / ours.term("per year")["low"]) / 2
    assert width == pytest.approx(2.1009220402 * true[1])  # Student's t, 18 degrees of freedom
    for kind in ("HC0", "HC1", "HC3"):
        assert reported(kind) == pytest.approx(sandwich(bread, scores), rel=1e-5)
    assert (reported("HC3") < 0.95 * true).all()


def test_statsmodels_cluster_errors_of_count_models_are_corrected_by_one_factor_only():
    """12 clusters, 3 of them with the term: leaving each out says how little is known."""
    rng, group = np.random.default_rng(1), np.repeat(np.arange(12), 10)
    x = np.column_stack([np.ones(120), group < 3]).astype(float)
    y = rng.poisson(np.exp(1 + 0.5 * x[:, 1] + rng.normal(0, 0.7, 12)[group]))
    fit = sm.GLM(y, x, family=sm.families.Poisson()).fit(
        tol=1e-12, cov_type="cluster", cov_kwds={"groups": group}
    )
    residual = y - fit.mu
    bread = np.linalg.inv(x.T @ (x * fit.mu[:, None]))
    scores = np.array([x[group == cluster].T @ residual[group == cluster] for cluster in range(12)])
    factor = np.sqrt(12 / 11 * 119 / 118)
    assert fit.bse == pytest.approx(factor * sandwich(bread, scores), rel=1e-5)
    covariance, df = panel_counts.cluster_covariance(x, fit.mu, residual, group)
    assert fit.bse[1] < 0.95 * np.sqrt(covariance[1, 1])
    assert df[1] < 6  # statsmodels takes a normal distribution


@pytest.mark.slow
def test_ordered_model_is_slow_and_its_cluster_errors_are_smaller_than_the_jackknifes():
    rng, cluster = np.random.default_rng(1), np.arange(240) // 8
    x = np.column_stack([cluster % 2, cluster % 3 == 0]).astype(float)
    hidden = x @ [0.8, -0.5] + rng.normal(size=30)[cluster] + rng.logistic(size=240)
    y = np.digitize(hidden, [-0.5, 1.0])

    def theirs():
        kinds = {"cov_type": "cluster", "cov_kwds": {"groups": cluster}}
        return OrderedModel(y, x, distr="logit").fit(method="newton", disp=0, **kinds)

    slopes, shifts = ordered_logit.ordered_logit(y, x, cluster)
    assert np.asarray(theirs().params)[:2] == pytest.approx(slopes, abs=1e-6)
    jackknife = np.sqrt(np.square(shifts).sum(axis=0))
    assert (np.asarray(theirs().bse)[:2] < 0.97 * jackknife).all()
    seconds = min(repeat(lambda: ordered_logit.ordered_logit(y, x, cluster), number=1, repeat=3))
    assert min(repeat(theirs, number=1, repeat=3)) > 5 * seconds


@pytest.mark.parametrize(("k", "n"), [(0, 20), (81, 263), (40.5, 131.5), (148, 148)])
def test_wilsons_interval_is_that_of_statsmodels_which_takes_longer(k, n):
    bounds = shares.score_interval(k, n)
    assert bounds == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    seconds = min(repeat(lambda: shares.score_interval(k, n), number=50, repeat=3))
    slow = min(repeat(lambda: proportion_confint(k, n, method="wilson"), number=50, repeat=3))
    assert slow > 10 * seconds


@pytest.mark.slow
def test_jsonschema_still_builds_grammars_that_a_run_can_do_without():
    """Else `capelib.runs.execute.grammars_left_out` can go."""
    loaded = "import sys, {}; print('rfc3987_syntax' in sys.modules)"
    plain = [sys.executable, "-c", loaded.format("papermill")]
    assert subprocess.run(plain, capture_output=True, text=True).stdout == "True\n"
    code = (
        "from capelib.runs.execute import grammars_left_out as out\nwith out(): import papermill\n"
    )
    ours = [sys.executable, "-c", code + loaded.format("os")]
    assert subprocess.run(ours, capture_output=True, text=True).stdout == "False\n"
