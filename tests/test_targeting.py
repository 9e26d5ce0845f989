"""Notebook 03: its headline in a second, independent way, its months, choices and words."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import capelib as cape
from capelib.estimators.counts import actions
from capelib.paths import project_folder
from capelib.questions import targeting_series

PERIOD = (2001, 2024)


@pytest.fixture(scope="module")
def ds() -> cape.Dataset:
    return cape.load()


@pytest.fixture(scope="module")
def series(ds) -> cape.targeting.Targeting:
    return cape.targeting.targeting(ds.where(origin="TJK").incidents, *PERIOD, 2015)


def counted_by_hand(states: list[str]) -> pd.Series:
    """From the CSV alone: a year that the whole date lies in, each episode once."""
    table = pd.read_csv(project_folder("data") / "incidents.csv", dtype=str)
    gone = pd.read_csv(project_folder("data") / "withdrawn.csv", dtype=str)
    assert not set(table["incident_id"]) & set(gone.iloc[:, 0])
    table = table[table["origin"].isin(states) & table["date"].notna()]
    first, last = table["date"].str[:4], table["date"].str.split("/").str[-1].str[:4]
    table = table.assign(year=pd.to_numeric(first.where(first == last), errors="coerce"))
    table = table[table["year"].between(*PERIOD)].sort_index()
    once = table[table["episode_id"].isna() | ~table.duplicated("episode_id")]
    years = range(PERIOD[0], PERIOD[1] + 1)
    return once.groupby("year").size().reindex(years, fill_value=0).astype(float)


def poisson(n: np.ndarray, *terms: np.ndarray):
    x = np.column_stack([np.ones(len(n)), *terms])
    return x, sm.GLM(n, x, family=sm.families.Poisson()).fit(tol=1e-12, maxiter=200)


def allowing(x, mean, residual, part, mean_of_part) -> float:
    """Half the width of the interval of a slope, every step written out again with loops."""
    years, width = x.shape
    w = np.sqrt(mean)[:, None] * x
    keep = np.eye(years) - w @ np.linalg.solve(w.T @ w, w.T)

    def related(rho: float, size: int) -> np.ndarray:
        return np.array([[rho ** abs(i - j) for j in range(size)] for i in range(size)])

    def expected(rho: float) -> float:
        scatter = keep @ related(rho, years) @ keep
        return np.trace(scatter, offset=1) / np.trace(scatter)

    raw = residual[1:] @ residual[:-1] / (residual @ residual)
    tried = np.linspace(-0.45, 0.9, 200)
    rho = tried[np.argmin([abs(expected(r) - raw) for r in tried])]
    rho = min(max(rho, 0.3), 0.8)
    dispersion = max(1, residual @ residual / np.trace(keep @ related(rho, years) @ keep))
    v = np.sqrt(mean_of_part)[:, None] * part
    bread = np.linalg.inv(v.T @ v)
    covariance = dispersion * bread @ v.T @ related(rho, len(part)) @ v @ bread
    free = max((years - width) * (1 - rho) / (1 + rho), 2)
    return stats.t.ppf(0.975, free) * np.sqrt(covariance[1, 1])


def test_the_headline_comes_out_again_from_the_csv_with_pandas_and_statsmodels(series):
    n = counted_by_hand(["TJK"]).to_numpy()
    assert series.counts["n"].tolist() == n.tolist()
    t = np.arange(len(n), dtype=float)
    places = range(4, len(n) - 4)
    deviance = {k: poisson(n, np.minimum(t - k, 0))[1].deviance for k in places}
    turn = min(deviance, key=deviance.__getitem__)
    assert series.course.turn == PERIOD[0] + turn
    x, meeting = poisson(n, np.minimum(t - turn, 0), np.maximum(t - turn, 0))
    residual = (n - meeting.mu) / np.sqrt(meeting.mu)
    for name, part in (("to the turn", t <= turn), ("since the turn", t >= turn)):
        z, alone = poisson(n[part], t[part] - t[part].mean())
        half = allowing(x, meeting.mu, residual, z, alone.mu)
        row = np.log(series.course.terms.loc[name])
        assert row["ratio"] == pytest.approx(alone.params[1], abs=1e-6)
        assert row["high"] - row["ratio"] == pytest.approx(half, rel=0.02)
    f = {}
    straight = poisson(n, t)[1].deviance
    for k in range(4, len(n) - 3):
        broken = poisson(n, t, t >= k, (t >= k) * (t - k))[1].deviance
        f[PERIOD[0] + k] = (straight - broken) / 2 / (broken / (len(n) - 4))
    assert series.breaks.scan.set_index("break_year")["statistic"].to_dict() == pytest.approx(
        f, rel=1e-4
    )


def test_the_odds_come_out_again(ds):
    part = counted_by_hand(["TJK"]).to_numpy()
    rest = counted_by_hand(["KAZ", "KGZ", "TKM", "UZB"]).to_numpy()
    t = np.arange(len(part), dtype=float)
    x = np.column_stack([np.ones(len(t)), t])
    both = np.column_stack([part, rest])
    second = sm.GLM(both, x, family=sm.families.Binomial()).fit(tol=1e-12)
    share = second.fittedvalues
    weight = both.sum(axis=1) * share * (1 - share)
    residual = (part - both.sum(axis=1) * share) / np.sqrt(weight)
    half = allowing(x, weight, residual, x, weight)
    odds = cape.targeting.against_others(ds.incidents, ("TJK",), *PERIOD).odds
    assert np.log(odds.ratio) == pytest.approx(second.params[1], abs=1e-7)
    assert np.log(odds.high / odds.ratio) == pytest.approx(half, rel=0.02)


@pytest.mark.slow
def test_the_sentence_turns_with_the_intervals(ds, series):
    others = cape.targeting.against_others(ds.incidents, ("TJK",), *PERIOD)
    text = cape.targeting.sentence(series, "them", "episode", others)
    assert len(re.findall(r"\. |\.$", text)) == 2
    since = series.course.terms.loc["since the turn"]
    told = since["low"] > 1 or since["high"] < 1
    unsettled = "whether the growth ended is not settled" in text
    assert unsettled == (not told and not series.course.ended)
    assert ("more reporting of the whole region would not do" in text) == (others.odds.low > 1)
    if "not established" in text:
        assert re.search(r"would be seen in (only )?\d+ of 100 such series", text)
    none = cape.targeting.targeting(ds.where(origin="VEN").incidents, 2014, 2024, 2018)
    assert "too few cases for a trend" in cape.targeting.sentence(none, "them", "episode")
    assert none.estimates().isna().all(axis=None)


def test_growth_that_may_go_on_is_not_told_to_have_ended():
    """A steady rise: the search stops four years before the last, so its last year is no limit."""
    rising = [round(2 * 1.1**year) for year in range(24)]
    counts = pd.DataFrame({"year": range(2001, 2025), "n": rising})
    course = targeting_series.of_counts(counts, 2015).course
    assert not course.ended
    assert course.years[1] == 2020 and course.years_in_words.endswith("2020 or later")
    flat = counts.assign(n=[1, 2, 3, 5, 8, 12, 18, 27, *[38, 43] * 8])
    course = targeting_series.of_counts(flat, 2015).course
    assert course.ended and "or later" not in course.years_in_words


@pytest.mark.slow
def test_one_number_has_one_interval_and_one_p_in_the_whole_notebook(ds, series):
    others = cape.targeting.against_others(ds.incidents, ("TJK",), *PERIOD)
    since = others.table(series.course).loc[(f"since {series.course.turn}", "the state")]
    expected = series.estimates().loc["yearly factor since the turn"]
    assert since[["ratio", "low", "high"]].tolist() == expected.tolist()
    drawn = series.course.fitted.set_index("year")["fitted"]
    later = drawn[drawn.index > series.course.turn]
    yearly = (later.iloc[-1] / later.iloc[0]) ** (1 / (len(later) - 1))
    assert yearly == pytest.approx(expected["ratio"])  # the line goes as its label says
    joined = ds.where(origin="TJK").joined()
    first = cape.targeting.variants(joined, *PERIOD, 2015, "episode", "poisson").iloc[0]
    assert first[["p_break", "p_any"]].tolist() == [series.chosen_p, series.breaks.p]


@pytest.mark.parametrize(
    ("n", "words"),
    [
        ([7, 8] * 12, "neither clearly rose nor fell"),
        ([1, 1, 2, 3, 4, 6, 8, 12, 16, 20, *[21, 20] * 7], "neither a further rise nor a fall"),
        ([40, 36, 33, 30, 27, 24, 22, 20, 18, 16, 14, 13, 12, 11, 10, 9], "fell (2001-2016, n = "),
    ],
)
@pytest.mark.slow
def test_each_course_has_its_words(n, words):
    counts = pd.DataFrame({"year": range(2001, 2001 + len(n)), "n": n})
    assert words in cape.targeting.sentence(
        targeting_series.of_counts(counts, 2009), "them", "exile"
    )


@pytest.mark.slow
def test_no_sentence_says_minus_zero():
    n = [5] * 9 + [4]
    counts = pd.DataFrame({"year": range(2001, 2011), "n": n})
    text = cape.targeting.sentence(targeting_series.of_counts(counts, 2005), "them", "incident")
    assert not re.search(r"[-+]0(\.0)?[ ,\]]", text)


def test_the_months_add_up_and_the_month_itself_is_on_neither_side():
    dates = ["2014-01-05", "2015-03-01", "2015-08-31", "2015-09-01", "2015-10-02", "2016-01-01"]
    rows = pd.DataFrame(
        {
            "date_start": pd.to_datetime([*dates, "2015-01-01"]),
            "precision": ["day"] * 6 + ["year"],
            "year": pd.array([2014, 2015, 2015, 2015, 2015, 2016, 2015], dtype="Int64"),
            "episode_id": None,
            "exile_id": [f"TJK-{n:04}" for n in range(7)],
        }
    )
    result = cape.targeting.around_month(rows, 2015, 9)
    columns = ["before", "in", "after", "undated"]
    assert result.counts.loc["in the year", columns].tolist() == [2, 1, 1, 1]
    assert result.counts.loc["24 months", columns].tolist() == [3, 1, 2, 1]
    # 2 of 5 after: Clopper and Pearson's 0.0527 to 0.8534, as odds
    assert (result.ratio, result.low, result.high) == pytest.approx((2 / 3, 0.0557, 5.82), rel=0.01)
    assert "Of 4 of 2015 dated to a month 2 lie before September 2015" in result.sentence


def test_an_action_counts_once_whatever_the_source():
    rows = pd.DataFrame(
        {
            "origin": "TJK",
            "host": ["RUS", "RUS", "TUR", "RUS", "RUS"],
            "measure": "detention",
            "date": ["2015-03-01", "2015-03-01", "2015-03-01", None, None],
            "episode_id": None,
            "source_id": ["S1", "S2", "S1", "S1", "S2"],
        }
    )
    assert actions(rows)["host"].tolist() == ["RUS", "TUR", "RUS", "RUS"]


@pytest.mark.slow
def test_the_choices_begin_with_the_answer_and_put_the_undated_on_both_sides(ds, series):
    table = cape.targeting.variants(
        ds.where(origin="TJK").joined(), *PERIOD, 2015, "episode", "poisson"
    )
    first = table.iloc[0]
    estimates = series.estimates()
    assert first["per_year"] == estimates.loc["yearly factor, whole period", "ratio"]
    assert first["since"] == estimates.loc["yearly factor since the turn", "ratio"]
    assert first["turn"] == series.course.turn
    rows = table.set_index("choice")
    undated = [
        rows.loc[f"undated ones put {where}", "n"] for where in ("before 2015", "from 2015 on")
    ]
    assert undated[0] == undated[1] > first["n"]
    assert rows.loc["each action once", "n"] < first["n"]
    assert rows.loc["without court sources", "n"] < first["n"]


@pytest.mark.parametrize(("last", "side"), [(2016, "right"), (2024, "left")])
def test_the_label_of_the_event_stays_inside_the_picture(ds, last, side):
    incidents = ds.where(origin="TJK").incidents
    result = cape.targeting.targeting(incidents, 2001, last, 2015)
    chart = cape.figures.targeting(result, ds.info, "TJK", "episode", "An event", 2015.7)
    (label,) = [text for text in chart.figure.axes[0].texts if text.get_text() == "An event"]
    assert label.get_ha() == side
