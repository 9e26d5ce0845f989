"""A break in an unknown year: a published example, sizes and intervals by simulation, and power."""

from math import sqrt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from capelib.errors import ParameterError, TooFewCases
from capelib.estimators import break_power, change_points, many_counts

YEARS = np.arange(24)


def series(n, first: int = 2001) -> pd.DataFrame:
    return pd.DataFrame({"year": range(first, first + len(n)), "n": np.asarray(n, dtype=int)})


def rising(total: float = 160.0) -> np.ndarray:
    mean = np.exp(0.08 * YEARS)
    return mean * total / mean.sum()


# Flow of the Nile, 1871-1970 (R's `datasets`; here as statsmodels ships it).
NILE = sm.datasets.nile.load_pandas().data["volume"].to_numpy()


@pytest.mark.slow
def test_the_largest_f_of_the_nile_is_the_published_one():
    """Zeileis and others 2003: F = 75.93 after observation 28 (1898), least squares, 15 % trimmed.

    Bai and Perron's 95 % interval there is 1895-1902.
    """
    assert (NILE[0], NILE[-1], len(NILE)) == (1120, 740, 100)

    def squares(*levels: np.ndarray) -> float:
        return sum(((part - part.mean()) ** 2).sum() for part in levels)

    places = np.arange(15, 86)
    within = np.array([squares(NILE[:k], NILE[k:]) for k in places])
    f = change_points.f_statistic(np.array(squares(NILE)), within, 1, 98)
    assert f.max() == pytest.approx(75.9298, abs=1e-4)
    assert places[f.argmax()] == 28
    result = change_points.change_point(series(NILE, 1871), slopes=False, draws=99)
    assert result.break_year == 1899  # the first year after
    assert result.statistic > 4 * result.line / 2
    assert result.p == 0.01  # the smallest that 99 series can give
    assert 1896 - 3 <= result.years[0] <= 1899 <= result.years[1] <= 1903 + 3


# Explosions in British coal mines with 10 deaths or more, by year, 1851-1962, summed up from
# Jarrett 1979, Biometrika 66, 191-193.
# Carlin, Gelfand and Smith 1992 (Applied Statistics 41, 389-405) date the change after 1891, from
# 3.1 a year to 0.9.
COAL = (
    "45410434063340263354531441553425223421322111130010110031032201110101000210001102331121111233"
    "00014000100000100101"
)


@pytest.mark.slow
def test_the_coal_mining_series_breaks_where_it_was_published_to_break():
    mines = series([int(digit) for digit in COAL], 1851)
    assert (len(mines), mines["n"].sum()) == (112, 191)
    result = change_points.change_point(mines, slopes=False, draws=99)
    assert abs(result.break_year - 1892) <= 5  # 95 % of the published dates are 1887 to 1897
    assert result.p == 0.01
    assert result.years[0] <= 1892 <= result.years[1]


def test_the_fits_are_those_of_statsmodels_and_a_side_without_cases_has_none():
    rng = np.random.default_rng(3)
    n = rng.poisson(np.exp(0.1 * YEARS), (3, 24)).astype(float)
    n[2, 15:] = 0
    terms = change_points.two_lines(24, 15)
    estimates, expected = many_counts.fit_many(n, terms)
    deviance = many_counts.deviances(n, expected)
    for row in range(2):
        second = sm.GLM(n[row], terms, family=sm.families.Poisson()).fit(tol=1e-12)
        assert estimates[row] == pytest.approx(second.params, abs=1e-6)
        assert deviance[row] == pytest.approx(second.deviance, rel=1e-7)
    alone = sm.GLM(n[2, :15], terms[:15, :2], family=sm.families.Poisson()).fit()
    assert deviance[2] == pytest.approx(alone.deviance, abs=1e-3)


def test_models_of_one_series_at_once_are_those_one_by_one():
    n = np.random.default_rng(5).poisson(np.exp(0.1 * YEARS), (1, 24)).astype(float)
    models = [change_points.two_lines(24, k) for k in (6, 12, 18)]
    at_once = many_counts.fit_many(np.repeat(n, 3, axis=0), np.stack(models))
    for row, terms in enumerate(models):
        for part, alone in zip(at_once, many_counts.fit_many(n, terms), strict=True):
            assert part[row] == pytest.approx(alone[0], abs=1e-6)


def test_drawn_counts_have_the_mean_variance_and_correlation_asked_for():
    mean, alpha, correlation = np.full(24, 20.0), 0.3, 0.6
    drawn = many_counts.draw(mean, alpha, correlation, 20_000, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(20, rel=0.02)
    assert drawn[:, 5].var() == pytest.approx(20 + 0.3 * 400, rel=0.06)
    covariance = np.cov(drawn[:, 5], drawn[:, 6])[0, 1]
    assert covariance == pytest.approx(400 * (1.3**0.6 - 1), rel=0.1)  # of a lognormal level


def alarms(correlation: float, draws: int, given: float | None) -> float:
    rng = np.random.default_rng(2)
    drawn = many_counts.draw(rising(), 0.2, correlation, draws, rng)
    results = [change_points.change_point(series(n), given, draws=99) for n in drawn]
    return float(np.mean([result.p <= 0.05 for result in results]))


@pytest.mark.slow
def test_without_a_break_the_search_passes_in_no_more_than_5_of_100_series():
    assert alarms(0.0, 30, 0.0) <= 0.05 + 2 * sqrt(0.05 * 0.95 / 30)


@pytest.mark.slow
@pytest.mark.parametrize(("correlation", "given"), [(0.0, 0.0), (0.0, None), (0.3, None)])
def test_the_size_of_the_search(correlation, given):
    size = alarms(correlation, 400, given)
    assert size <= 0.05 + 2 * sqrt(0.05 * 0.95 / 400)
    if given is not None:
        assert size >= 0.05 - 2 * sqrt(0.05 * 0.95 / 400)


def test_a_planted_break_is_seen_and_dated():
    rng = np.random.default_rng(6)
    mean = np.where(YEARS < 12, 4.0, 24.0)
    results = [
        change_points.change_point(series(rng.poisson(mean)), 0.0, slopes=False, draws=99)
        for _ in range(10)
    ]
    assert np.mean([result.p <= 0.05 for result in results]) >= 0.9
    assert np.mean([abs(result.break_year - 2013) <= 1 for result in results]) >= 0.8
    assert np.mean([r.years[0] <= 2013 <= r.years[1] for r in results]) >= 0.85


def test_each_year_with_four_on_both_sides_is_tried_and_the_same_series_gives_the_same_answer():
    n = np.random.default_rng(8).poisson(rising())
    first, second = (change_points.change_point(series(n), draws=49) for _ in range(2))
    assert first.scan["break_year"].tolist() == list(range(2005, 2022))
    pd.testing.assert_frame_equal(first.scan, second.scan)
    assert first.p == second.p >= first.scan["p"].min() - 1e-12
    assert np.isnan(first.p_of(2001))


def test_too_little_is_refused():
    with pytest.raises(TooFewCases, match="needs 8 years, 5 of them with cases; here are 7 and 7"):
        change_points.change_point(series([1, 2, 3, 4, 5, 6, 7]))
    with pytest.raises(ParameterError, match="each year once"):
        change_points.change_point(pd.DataFrame({"year": [2001, 2003], "n": [1, 2]}))


@pytest.mark.slow
def test_larger_steps_are_seen_more_often_and_no_step_in_5_of_100_or_fewer():
    table = break_power.power(series(np.full(24, 7)), 2015).set_index("step")
    assert table.index.tolist() == [1.0, *break_power.STEPS]
    assert (table.loc[1.0] <= 0.08).all()  # 0.05 and two standard errors of 200 series
    assert (np.diff(table["this_year"]) >= -0.07).all()
    assert table.loc[6.0, "this_year"] > 0.5 > table.loc[1.5, "this_year"]
    assert (table["this_year"] >= table["any_year"] - 0.03).all()
    with pytest.raises(ParameterError, match="too few years"):
        break_power.power(series(np.full(24, 7)), 2003)


@pytest.mark.slow
@pytest.mark.parametrize("step", [1.0, 3.0])
def test_the_power_is_that_of_the_test_itself(step):
    """The lines between the grid's give what the test finds that draws its own for each series."""
    rng = np.random.default_rng(21)
    level = np.where(np.arange(24) >= 14, step, 1.0)
    expected = level * 214 / level.sum()
    alpha, correlation, many = 0.25, 0.3, 120
    drawn = many_counts.draw(expected, alpha, correlation, many, rng)
    searches = [change_points.change_point(series(each), draws=199) for each in drawn]
    alone = np.mean([each.p_of(2015) < 0.05 for each in searches])
    anywhere = np.mean([each.p < 0.05 for each in searches])
    tables = [break_power.power(series(each), 2015, correlation) for each in drawn[:6]]
    table = pd.concat(tables).groupby("step").mean()
    assert table.loc[step].tolist() == pytest.approx([alone, anywhere], abs=0.15)
