"""Trends: known truths come back, intervals cover as often as they say, and a second implementation
agrees.
"""

from math import log, sqrt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, stats

from capelib.errors import ParameterError, TooFewCases
from capelib.estimators import yearly_counts
from capelib.vocabulary.codebook import codes

POISSON, NEGATIVE_BINOMIAL = "poisson", "negative_binomial"


def series(n, first: int = 2001) -> pd.DataFrame:
    return pd.DataFrame({"year": range(first, first + len(n)), "n": n})


def draw(rng: np.random.Generator, mean: np.ndarray, alpha: float) -> np.ndarray:
    """Counts with variance mean + alpha * mean^2."""
    return rng.poisson(rng.gamma(1 / alpha, alpha * mean) if alpha else mean)


def near_nominal(hits: np.ndarray | float, draws: int) -> bool:
    """93 to 97 %, widened by two Monte Carlo standard errors."""
    slack = 0.02 + 2 * sqrt(0.95 * 0.05 / draws)
    return bool((np.abs(np.asarray(hits) / draws - 0.95) <= slack).all())


def log_ratios(fit: yearly_counts.Fit) -> np.ndarray:
    return np.log(fit.terms["ratio"].to_numpy())


def standard_errors(fit: yearly_counts.Fit) -> np.ndarray:
    """Read back from the width of the published intervals."""
    free = fit.n_years - len(fit.terms) - 1
    return np.log(fit.terms["high"] / fit.terms["low"]).to_numpy() / 2 / stats.t.ppf(0.975, free)


def design(years: int, at: int) -> np.ndarray:
    t = np.arange(2001, 2001 + years) - at
    return np.column_stack([np.ones(years), t, t >= 0, (t >= 0) * t])


CELLS = [(POISSON, 0.0, 24, 500), (POISSON, 0.3, 18, 500), (NEGATIVE_BINOMIAL, 0.3, 24, 300)]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "alpha", "years", "draws"), CELLS)
def test_a_known_trend_comes_back_and_its_interval_holds_it_in_95_of_100_cases(
    model, alpha, years, draws
):
    rng, t = np.random.default_rng(1), np.arange(years)
    mean = 7 * np.exp(0.05 * (t - t.mean()))
    estimates, hits, line = [], 0, np.zeros(years)
    for _ in range(draws):
        fit = yearly_counts.trend(series(draw(rng, mean, alpha)), model)
        term = fit.term("per year")
        estimates.append(log(term["ratio"]))
        hits += term["low"] <= np.exp(0.05) <= term["high"]
        line += (fit.fitted["low"] <= mean) & (mean <= fit.fitted["high"])
    assert np.mean(estimates) == pytest.approx(0.05, abs=4 * np.std(estimates) / sqrt(draws))
    assert near_nominal(hits, draws)
    assert near_nominal(
        line.mean(), draws
    )  # the band of the expected counts, on average over the years


@pytest.mark.slow
@pytest.mark.parametrize(("model", "alpha", "years", "draws"), CELLS)
def test_a_known_break_comes_back_and_its_intervals_hold_it_in_95_of_100_cases(
    model, alpha, years, draws
):
    rng, t = np.random.default_rng(2), np.arange(years) - years // 2
    truth = np.array([0.03, 0.7, -0.02])
    mean = 8 * np.exp(truth[0] * t + (t >= 0) * (truth[1] + truth[2] * t))
    estimates, hits = [], np.zeros(3)
    for _ in range(draws):
        fit = yearly_counts.interrupted(series(draw(rng, mean, alpha)), 2001 + years // 2, model)
        estimates.append(log_ratios(fit))
        hits += (fit.terms["low"] <= np.exp(truth)) & (np.exp(truth) <= fit.terms["high"])
    assert (
        np.abs(np.mean(estimates, axis=0) - truth) < 4 * np.std(estimates, axis=0) / sqrt(draws)
    ).all()
    assert near_nominal(hits, draws)


# New cases of AIDS in Belgium, 1981-1993, with the log-linear Poisson fit printed in Wood 2017,
# Generalized Additive Models, section 3.3.2: intercept 3.140590, slope 0.202121, residual deviance
# 80.686.
BELGIUM = series([12, 14, 33, 50, 67, 74, 123, 141, 165, 204, 253, 246, 240], 1981)


def test_the_trend_agrees_with_a_published_fit():
    fit = yearly_counts.trend(BELGIUM)
    n, fitted = fit.fitted["n"], fit.fitted["fitted"]
    assert log_ratios(fit)[0] == pytest.approx(0.202121, abs=1e-6)
    assert log(fitted[0]) - log_ratios(fit)[0] == pytest.approx(3.140590, abs=1e-5)
    assert 2 * (n * np.log(n / fitted) - n + fitted).sum() == pytest.approx(80.686, abs=5e-4)


# One series with a break at 2012 that both models fit, for the second implementations.
COUNTS = np.array([3, 7, 2, 9, 4, 12, 5, 6, 14, 8, 4, 21, 11, 33, 17, 9, 28, 19, 8, 24])
X = design(20, 2012)
FITS = {model: yearly_counts.interrupted(series(COUNTS), 2012, model) for model in codes("model")}


@pytest.mark.parametrize("model", codes("model"))
def test_the_estimates_are_those_of_maximum_likelihood(model):
    alpha = FITS[model].alpha

    def minus_likelihood(beta: np.ndarray) -> float:
        mean = np.exp(X @ beta)
        law = stats.nbinom(1 / alpha, 1 / (1 + alpha * mean)) if alpha else stats.poisson(mean)
        return -law.logpmf(COUNTS).sum()

    fit = optimize.minimize(
        minus_likelihood,
        [2.0, 0, 0, 0],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 10_000},
    )
    assert fit.success
    assert log_ratios(FITS[model]) == pytest.approx(fit.x[1:], abs=1e-5)
    assert FITS[model].fitted["fitted"].to_numpy() == pytest.approx(np.exp(X @ fit.x), rel=1e-5)


@pytest.mark.parametrize("model", codes("model"))
def test_the_estimates_are_those_of_statsmodels_also_where_most_years_are_empty(model):
    rng = np.random.default_rng(7)
    for mean in [
        np.full(18, 0.6),
        np.exp(0.35 * np.arange(18) - 2),
        np.exp(4 - 0.3 * np.arange(18)),
        np.full(18, 200.0),
    ]:
        n = rng.poisson(mean * rng.gamma(1, 1, 18))
        fit = yearly_counts.interrupted(series(n), 2010, model)
        law = sm.families.NegativeBinomial(alpha=fit.alpha) if fit.alpha else sm.families.Poisson()
        second = sm.GLM(n, design(18, 2010), family=law).fit(tol=1e-13, maxiter=1000)
        assert fit.fitted["fitted"].to_numpy() == pytest.approx(second.mu, rel=1e-6)
        assert log_ratios(fit) == pytest.approx(second.params[1:], rel=1e-6, abs=1e-8)


def last_step(fit: yearly_counts.Fit):
    """The last weighted regression of the fit, given to statsmodels, whose HC3 for linear models is
    MacKinnon and White's.
    """
    mean = fit.fitted["fitted"].to_numpy()
    return sm.WLS(
        np.log(mean) + (COUNTS - mean) / mean, X, weights=mean / (1 + fit.alpha * mean)
    ).fit(cov_type="HC3", use_t=True)


@pytest.mark.parametrize("model", codes("model"))
def test_the_standard_errors_are_the_hc3_of_the_linear_model_at_the_last_step(model):
    last = last_step(FITS[model])
    assert standard_errors(FITS[model]) == pytest.approx(last.bse[1:], rel=1e-6)
    assert FITS[model].terms["p"].to_numpy() == pytest.approx(last.pvalues[1:], rel=1e-5)


def test_the_line_without_the_break_is_the_earlier_line_carried_on():
    fit = FITS[POISSON]
    fitted, before = fit.fitted, fit.fitted["year"] < 2012
    assert np.allclose(fitted.loc[before, "without_break"], fitted.loc[before, "fitted"])
    assert np.allclose(np.diff(np.log(fitted["without_break"])), log_ratios(fit)[0])
    gap = fitted.loc[~before, "fitted"] / fitted.loc[~before, "without_break"]
    level, slope = fit.term("level at the break")["ratio"], fit.term("slope change")["ratio"]
    assert np.allclose(gap, level * slope ** np.arange(9))


def test_the_autocorrelation_is_that_of_neighbouring_pearson_residuals():
    fit = yearly_counts.trend(BELGIUM)
    residual = ((fit.fitted["n"] - fit.fitted["fitted"]) / np.sqrt(fit.fitted["fitted"])).to_numpy()
    assert fit.autocorrelation == pytest.approx(stats.pearsonr(residual[1:], residual[:-1])[0])
    assert yearly_counts.trend(series([2, 9] * 8)).autocorrelation < -0.8


def test_the_dispersion_is_the_one_at_which_pearsons_chi_squared_equals_its_degrees_of_freedom():
    fit = FITS[NEGATIVE_BINOMIAL]
    mean = fit.fitted["fitted"]
    assert fit.alpha > 0
    assert ((COUNTS - mean) ** 2 / (mean + fit.alpha * mean**2)).sum() == pytest.approx(
        16, abs=1e-5
    )


def test_the_dispersion_comes_back_from_a_long_series_and_is_zero_without_any():
    rng, mean = np.random.default_rng(4), np.full(3000, 10.0)
    assert yearly_counts.trend(
        series(draw(rng, mean, 0.3), 1), NEGATIVE_BINOMIAL
    ).alpha == pytest.approx(0.3, abs=0.04)
    even = yearly_counts.trend(series([4, 5] * 6), NEGATIVE_BINOMIAL)
    assert even.alpha == 0
    pd.testing.assert_frame_equal(even.terms, yearly_counts.trend(series([4, 5] * 6)).terms)


def test_the_test_of_overdispersion_is_deans():
    y, mean = COUNTS, FITS[POISSON].fitted["fitted"].to_numpy()
    statistic = ((y - mean) ** 2 - y).sum() / sqrt(2 * (mean**2).sum())
    expected = {
        "pearson": ((y - mean) ** 2 / mean).sum() / 16,
        "statistic": statistic,
        "p": 1 - stats.norm.cdf(statistic),
    }
    for model in codes("model"):  # it tests Poisson, whichever model was fitted
        assert FITS[model].dispersion == pytest.approx(expected)


@pytest.mark.slow
def test_the_test_of_overdispersion_rarely_alarms_under_poisson_and_finds_what_is_there():
    rng, t = np.random.default_rng(3), np.arange(24)
    mean = 6 * np.exp(0.03 * (t - t.mean()))

    def alarms(alpha: float) -> float:
        return float(
            np.mean(
                [
                    yearly_counts.trend(series(draw(rng, mean, alpha))).dispersion["p"] < 0.05
                    for _ in range(250)
                ]
            )
        )

    assert alarms(0) <= 0.05 + 2 * sqrt(0.05 * 0.95 / 250)
    assert alarms(0.3) > 0.6


EXACT = [
    ([4, 4, 4, 4, 1, 9, 2, 14, 3, 11], 2005),
    ([5, 8, 3, 6, 9, 4, 7, 6, 1, 1, 1, 1], 2009),
    ([4] * 5 + [9] * 5, 2006),
]


@pytest.mark.filterwarnings(
    "ignore:Perfect"
)  # statsmodels says of the second implementation what the test is about
@pytest.mark.parametrize(("n", "at"), EXACT)
def test_a_side_that_fits_exactly_is_no_proof_of_a_certain_slope(n, at):
    """HC3 alone sees no residual there; the errors are those of the model, enlarged where it is
    overdispersed.
    """
    fit = yearly_counts.interrupted(series(n), at)
    model = sm.GLM(n, design(len(n), at), family=sm.families.Poisson())
    scale = max(1, model.fit(scale="X2").scale)
    assert standard_errors(fit) == pytest.approx(model.fit(scale=scale).bse[1:], rel=1e-5)
    assert (fit.terms["high"] > 1.3 * fit.terms["low"]).all()


@pytest.mark.parametrize(
    "years",
    [
        [2001, 2002, 2004, 2005, 2006],
        [2001, 2002, 2002, 2003, 2004],
        [2005, 2004, 2003, 2002, 2001],
    ],
)
def test_years_must_follow_each_other(years):
    with pytest.raises(ParameterError, match="each year once, in order, without gaps"):
        yearly_counts.trend(pd.DataFrame({"year": years, "n": [1, 2, 3, 4, 5]}))


def test_too_little_is_refused_with_what_is_needed_and_what_is_there():
    with pytest.raises(
        TooFewCases, match="5 years or more, 3 of them with cases; here are 4 and 4"
    ):
        yearly_counts.trend(series([1, 2, 3, 4]))
    with pytest.raises(TooFewCases, match="here are 6 and 2"):
        yearly_counts.trend(series([0, 2, 0, 0, 3, 0]))
    with pytest.raises(
        TooFewCases,
        match="a break at 2004 needs 4 years, 2 of them with cases, before 2004; here are 3 and 3",
    ):
        yearly_counts.interrupted(series([1, 2, 3, 4, 5, 6, 7, 8]), 2004)
    with pytest.raises(TooFewCases, match="from 2005; here are 4 and 1"):
        yearly_counts.interrupted(series([1, 2, 3, 4, 0, 6, 0, 0]), 2005)


def test_an_unknown_model_is_refused_with_the_nearest_one():
    with pytest.raises(
        ParameterError, match="unknown model 'negative_binomal': did you mean negative_binomial"
    ):
        yearly_counts.trend(series(COUNTS), "negative_binomal")
