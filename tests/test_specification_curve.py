"""Notebook 10: every listed choice has a reason and a rule, equal rows are one specification."""

import numpy as np
import pandas as pd
import pytest

import capelib as cape
from capelib.errors import DataError
from capelib.estimators.counts import collapse, per_year
from capelib.estimators.shares import MARK
from capelib.estimators.yearly_counts import trend
from capelib.questions import specification_rules as rules
from capelib.questions.specification_curve import curve_of
from capelib.questions.specifications import hosts_curve, series_curve
from capelib.twin import Truth, simulate


@pytest.fixture(scope="module")
def ds():
    return cape.load()


@pytest.fixture(scope="module")
def hosts(ds):
    return hosts_curve(ds)


@pytest.mark.parametrize("notebook", ["03_tajik_targeting", "04_authoritarian_hosts"])
def test_every_option_has_a_reason_and_every_combination_is_listed(notebook):
    options = rules.choices(notebook)
    assert options["reason"].str.len().gt(10).all()
    count = options.groupby("choice").size()
    listed = rules.specifications(notebook)
    assert len(listed) == count.prod()
    assert not listed.duplicated().any()


def test_an_option_without_a_rule_is_an_error_that_names_it(tmp_path, monkeypatch):
    (tmp_path / "specifications.toml").write_text(
        '[[choice]]\nnotebook = "x"\nname = "stages"\noption = [{ name = "4", reason = "new" }]\n'
    )
    monkeypatch.setattr(rules, "project_folder", lambda _: tmp_path)
    rules._file.cache_clear()
    try:
        with pytest.raises(DataError, match="no rule for the option '4' of 'stages'"):
            rules.choices("x")
    finally:
        rules._file.cache_clear()


@pytest.mark.slow
def test_the_first_specification_is_the_notebook_with_its_defaults(ds, hosts):
    shares = cape.hosts.host_shares(ds.where(stage=(2, 3)), (2014, 2020), (2021, 2021))
    assert hosts.table["value"].iloc[hosts.default] == pytest.approx(shares.change.value)
    within = hosts.table[
        (hosts.table.drop(columns=["alike", "value", "p"]).iloc[:, :-1]
         == hosts.table.iloc[hosts.default, :-4].to_numpy()).all(axis=1)
    ]  # fmt: skip
    row = within[within["estimate"] == "within states"]
    assert row["value"].item() == pytest.approx(shares.parts.within.value)


def test_a_specification_worked_the_long_way(ds, hosts):
    """Stage 3, without doubtful ones, episodes once, V-Dem's autocracies, other states."""
    rows = ds.where(stage=3, doubtful=False, years=(2014, 2021)).joined()
    rows = collapse(rows[~rows["origin"].isin(cape.CENTRAL_ASIA)])
    marked = cape.shares.authoritarian_hosts(rows, "row", 1).dropna(subset=[MARK])
    share = marked[MARK].astype(float).groupby(marked["year"] == 2021).mean()
    chosen = hosts.table[
        (hosts.table["authoritarian"] == "row 1") & (hosts.table["rated"] == "each year")
        & (hosts.table["stages"] == "3 only") & (hosts.table["doubtful"] == "out")
        & (hosts.table["alleged"] == "in") & (hosts.table["interested sources"] == "in")
        & (hosts.table["counted"] == "episodes") & (hosts.table["pursuing states"] == "others")
        & (hosts.table["estimate"] == "as recorded")
    ]  # fmt: skip
    assert chosen["value"].item() == pytest.approx(share[True] - share[False])


def test_equal_rows_are_one_specification_and_the_rest_are_all_there(hosts):
    assert hosts.table["alike"].sum() + hosts.without >= hosts.listed
    assert len(hosts.table) < hosts.listed - hosts.without


def test_copies_count_once():
    listed = pd.DataFrame({"choice": ["a", "b", "c"]})
    estimates = np.array([[1.0, 1.0, 3.0], [0.0, 0.0, 1.0]])
    keys = [b"same", b"same", b"other"]
    enough = np.array([True] * 3)
    curve = curve_of("x", "difference", listed, keys, estimates, enough, "Moved", "years")
    assert curve.table["alike"].tolist() == [2, 1]
    assert curve.test.median == 2.0


@pytest.mark.slow
def test_the_series_is_that_of_the_trend(ds):
    curve = series_curve(ds)
    counts = per_year(ds.where(origin="TJK").incidents, 2001, 2024, "episode")
    slope = np.exp(curve.estimates[0, curve.default])
    assert slope == pytest.approx(trend(counts).with_correlation.loc["per year"].iloc[0], rel=1e-4)
    assert curve.test.labelings == 15


@pytest.mark.slow
def test_a_special_year_is_seen_and_a_usual_one_is_not():
    """1/8 is the least p that eight years can give; a true change of this size gets it."""
    special = Truth(first_year=2014, last_year=2021, cases=30, unfree=0.4, unfree_from=2021,
                    unfree_odds=6.0)  # fmt: skip
    curve = hosts_curve(simulate(special, seed=1))
    assert curve.test.p_median == 1 / 8
    usual = Truth(first_year=2014, last_year=2021, cases=30, unfree=0.4)
    p = [hosts_curve(simulate(usual, seed=seed)).test.p_median for seed in (1, 2)]
    assert max(p) > 1 / 8


@pytest.mark.slow
def test_too_few_cases_give_no_curve_but_a_figure_and_a_sentence():
    small = simulate(Truth(cases=0.05), seed=1)
    assert hosts_curve(small) is None
    assert series_curve(small) is None
    chart = cape.figures.all_specifications(None, "What?", small.info)
    assert "SYNTHETIC" in [text.get_text() for text in chart.figure.texts]
    assert "too few cases" in cape.specifications.answer(None, None, None)
    assert cape.specifications.estimates(None, None, None)["value"].isna().all()
