"""Growth that ends, odds against the others, and intervals that allow for correlated years."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from capelib.errors import TooFewCases
from capelib.estimators import correlated_years, trend_shapes, yearly_counts, yearly_odds
from capelib.estimators.change_points import line
from capelib.estimators.many_counts import draw, fit_many

YEARS = np.arange(24)


def series(n, first: int = 2001) -> pd.DataFrame:
    return pd.DataFrame({"year": range(first, first + len(n)), "n": np.asarray(n, dtype=int)})


def scaled(log_mean: np.ndarray, total: float = 160.0) -> np.ndarray:
    return np.exp(log_mean) * total / np.exp(log_mean).sum()


SHAPES = {
    "plateau": np.minimum(0.16 * (YEARS - 13), 0),
    "turn": 0.16 * np.minimum(YEARS - 13, 0) - 0.1 * np.maximum(YEARS - 13, 0),
    "step": np.where(YEARS >= 12, 1.2, 0.0),
}


def since_holds(shape: str, correlation: float, draws: int) -> float:
    """How often does the interval hold the trend of the expected counts since the turn shown?"""
    mean = scaled(SHAPES[shape])
    hits = []
    for n in draw(mean, 0.15, correlation, draws, np.random.default_rng(4)):
        try:
            result = trend_shapes.course(series(n))
        except TooFewCases:  # a draw with no cases up to the turn gets no interval
            continue
        k = result.turn - 2001
        true = np.exp(fit_many(mean[None, k:], line(24 - k))[0][0, 1])
        row = result.terms.loc["since the turn"]
        hits.append(row["low"] <= true <= row["high"])
    return float(np.mean(hits))


@pytest.mark.slow
def test_the_trend_since_is_held_as_often_as_it_says():
    assert since_holds("plateau", 0.3, 30) >= 0.95 - 2 * sqrt(0.95 * 0.05 / 30)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("correlation", "least"), [(0.0, 0.95), (0.3, 0.94), (0.6, 0.90)])
def test_the_trend_since_is_held_for_each_shape(shape, correlation, least):
    assert since_holds(shape, correlation, 300) >= least - 2 * sqrt(least * (1 - least) / 300)


def trend_holds(correlation: float, draws: int) -> tuple[float, float]:
    """Coverage of a straight trend: allowing for correlated years, and by HC3."""
    mean = scaled(0.08 * YEARS)
    hits = []
    for n in draw(mean, 0.2, correlation, draws, np.random.default_rng(5)):
        fit = yearly_counts.trend(series(n))
        rows = (fit.with_correlation.loc["per year"], fit.term("per year"))
        hits.append([row["low"] <= np.exp(0.08) <= row["high"] for row in rows])
    allowing, independent = np.mean(hits, axis=0)
    return float(allowing), float(independent)


def test_intervals_hold_where_years_are_correlated_and_those_of_hc3_do_not():
    allowing, independent = trend_holds(0.6, 60)
    assert allowing >= 0.93 - 2 * sqrt(0.93 * 0.07 / 60)
    assert independent < 0.93


@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
def test_a_straight_trend_is_held(correlation):
    assert trend_holds(correlation, 400)[0] >= 0.93


def test_the_corrected_correlation_is_right_on_average_where_the_raw_one_is_too_low():
    rng, terms, weight = np.random.default_rng(6), line(24), np.ones(24)
    for true in (0.0, 0.3):
        noise = rng.standard_normal((200, 24))
        for year in range(1, 24):
            noise[:, year] = true * noise[:, year - 1] + sqrt(1 - true**2) * noise[:, year]
        residual = noise - noise @ terms @ np.linalg.inv(terms.T @ terms) @ terms.T
        results = [correlated_years.correlated(row, terms, weight) for row in residual]
        assert np.mean([r.raw for r in results]) < true - 0.05
        assert np.mean([r.corrected for r in results]) == pytest.approx(true, abs=0.06)


def test_the_covariance_is_that_of_generalised_least_squares_by_hand():
    """Three years, weights 1, rho 1/2: the slope's variance is (1 + 1 - 2 / 4) / 4 = 3/8."""
    scatter = correlated_years.Correlated(0.0, 0.0, 0.5, 2.0, 2, 24)
    terms = np.column_stack([np.ones(3), [-1.0, 0.0, 1.0]])
    assert scatter.covariance(terms, np.ones(3))[1, 1] == pytest.approx(2 * 3 / 8)


def test_growth_that_ends_comes_back_and_its_year_lies_in_the_interval():
    rng, mean = np.random.default_rng(7), scaled(SHAPES["plateau"], 600)
    results = [trend_shapes.course(series(rng.poisson(mean))) for _ in range(10)]
    assert abs(np.median([r.turn for r in results]) - 2014) <= 2
    assert np.mean([r.years[0] <= 2014 <= r.years[1] for r in results]) >= 0.8
    assert np.mean([r.shapes.iloc[-1]["shape"] == trend_shapes.STRAIGHT for r in results]) >= 0.7


@pytest.mark.parametrize("model", ["poisson", "negative_binomial"])
def test_the_factors_are_the_trends_of_the_years_alone(model):
    n = np.random.default_rng(8).poisson(scaled(SHAPES["turn"]))
    result = trend_shapes.course(series(n), model)
    after = series(n)[series(n)["year"] >= result.turn].reset_index(drop=True)
    alone = yearly_counts.trend(after, model).term("per year")["ratio"]
    assert result.terms.loc["since the turn", "ratio"] == pytest.approx(alone, rel=1e-6)


@pytest.mark.slow
def test_flat_series_rarely_show_growth():
    drawn = draw(np.full(24, 7.0), 0.2, 0.3, 60, np.random.default_rng(9))
    grew = [trend_shapes.course(series(n)).terms.loc["to the turn", "low"] > 1 for n in drawn]
    assert np.mean(grew) <= 0.025 + 2 * sqrt(0.025 * 0.975 / 60)


def test_too_short_a_series_is_refused():
    with pytest.raises(TooFewCases, match="needs 8 years or more; here are 7"):
        trend_shapes.course(series([1, 2, 3, 4, 5, 6, 7]))


def parts(part, rest) -> pd.DataFrame:
    return pd.DataFrame({"year": 2001 + np.arange(len(part)), "part": part, "rest": rest})


def test_the_odds_are_those_of_statsmodels():
    rng = np.random.default_rng(10)
    part, rest = rng.poisson(scaled(0.08 * YEARS)), rng.poisson(15, 24)
    second = sm.GLM(np.column_stack([part, rest]), line(24), family=sm.families.Binomial()).fit(
        tol=1e-12
    )
    result = yearly_odds.odds_trend(parts(part, rest))
    assert np.log(result.ratio) == pytest.approx(second.params[1], abs=1e-8)
    assert result.fitted["fitted"].to_numpy() == pytest.approx(second.fittedvalues, abs=1e-8)


def test_the_odds_hold_the_truth_and_more_reporting_of_both_sides_does_not_move_them():
    rng, hits = np.random.default_rng(11), []
    reporting = np.exp(0.1 * (YEARS - 12))
    first = draw(scaled(0.05 * YEARS) * reporting, 0.15, 0.3, 60, rng)
    others = draw(10 * reporting, 0.2, 0.3, 60, rng)
    for part, rest in zip(first, others, strict=True):
        result = yearly_odds.odds_trend(parts(part, rest))
        hits.append(result.low <= np.exp(0.05) <= result.high)
    assert np.mean(hits) >= 0.95 - 2 * sqrt(0.95 * 0.05 / 30)


def test_odds_need_cases_on_both_sides():
    with pytest.raises(TooFewCases, match="here are 6, 6 and 0"):
        yearly_odds.odds_trend(parts([1, 2, 3, 4, 5, 6], [0] * 6))
