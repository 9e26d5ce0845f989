"""Notebook 10: every listed choice has a reason and a rule, equal rows are one specification."""

import numpy as np
import pandas as pd
import pytest

import capelib as cape
from capelib.errors import DataError
from capelib.estimators.counts import collapse, per_year
from capelib.estimators.shares import MARK
from capelib.estimators.yearly_counts import trend
from capelib.questions import host_acts, specifications
from capelib.questions import specification_rules as rules
from capelib.questions.corridor_specifications import corridors_curve
from capelib.questions.regimes_moved import changes_with_moved_regimes
from capelib.questions.specification_curve import curve_of
from capelib.questions.specifications import hosts_curve, series_curve
from capelib.twin import Truth, simulate


@pytest.fixture(scope="module")
def ds():
    return cape.load()


@pytest.fixture(scope="module")
def hosts(ds):
    return hosts_curve(ds, labelings=2)


@pytest.mark.parametrize(
    "notebook", ["03_tajik_targeting", "04_authoritarian_hosts", "07_corridors"]
)
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


@pytest.mark.slow
def test_regimes_where_they_are_give_the_curve_itself(monkeypatch):
    """Weights of cases, and the change of a share by years: two ways to the same numbers."""
    kept = {}

    def remembered(*given):
        kept["moved"] = changes_with_moved_regimes(*given)
        return kept["moved"]

    monkeypatch.setattr(specifications, "changes_with_moved_regimes", remembered)
    curve = hosts_curve(cape.load(), labelings=3)
    listed = rules.specifications("04_authoritarian_hosts").reset_index()
    place = curve.table.merge(listed, how="left")["index"].to_numpy()
    assert kept["moved"][0, place] == pytest.approx(curve.estimates[0])
    assert (abs(kept["moved"][1:, place] - curve.estimates[0]) > 1e-6).any()


@pytest.mark.slow
def test_the_first_specification_of_corridors_is_near_the_logit_of_the_notebook(ds):
    curve = corridors_curve(ds, labelings=3)
    fit = host_acts.host_acts(ds.where(origin=cape.CENTRAL_ASIA), (2001, 2024))
    shown = curve.table["value"].iloc[curve.default]
    assert shown == pytest.approx(fit.ratio["ratio"], rel=0.02)
    assert curve.table.iloc[curve.default]["counted"] == "episodes"


@pytest.mark.slow
def test_a_specification_of_corridors_worked_the_long_way(ds):
    """Incidents, stage 3 with 1, without requests, members of CSTO, nothing held equal."""
    curve = corridors_curve(ds, labelings=2)
    rows = ds.where(origin=cape.CENTRAL_ASIA, years=(2001, 2024)).joined()
    rows = rows[(rows["host"] != rows["origin"]) & rows["host"].notna() & (rows["stage"] != 2)]
    rows = rows[rows["measure"] != "extradition_request"]
    member = np.array([
        {origin, host} <= set(cape.memberships.members("CSTO", int(year)))
        for origin, host, year in rows[["origin", "host", "year"]].to_numpy()
    ])  # fmt: skip
    event = (rows["stage"] == 3).to_numpy(bool)
    n, marked, yes = len(rows), member.sum(), event.sum()
    variance = marked * (n - marked) * yes * (n - yes) / n**3
    expected = np.exp(((member & event).sum() - marked * yes / n) / variance)
    table = curve.table
    chosen = table[
        (table["members of"] == "CSTO") & (table["acts compared"] == "3 with 1")
        & (table["requests"] == "out") & (table["relatives"] == "in")
        & (table["doubtful"] == "in") & (table["alleged"] == "in")
        & (table["interested sources"] == "in") & (table["counted"] == "incidents")
        & (table["held equal"] == "nothing")
    ]  # fmt: skip
    assert chosen["value"].item() == pytest.approx(expected, rel=1e-3)


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
def test_where_nothing_goes_with_memberships_the_curve_is_within_chance():
    """A made-up record: measures are drawn without a look at hosts."""
    ds = simulate(Truth(cases=8.0, unfree=0.7), seed=1)
    curve = corridors_curve(ds, labelings=100)
    assert len(curve.table) > 2  # who is doubtful, alleged, interested: nobody
    assert curve.test.p_median > 0.05


@pytest.mark.slow
def test_too_few_cases_give_no_curve_but_a_figure_and_a_sentence():
    small = simulate(Truth(cases=0.05), seed=1)
    assert hosts_curve(small) is None
    assert series_curve(small) is None
    assert corridors_curve(small) is None
    chart = cape.figures.all_specifications(None, "What?", small.info)
    assert "SYNTHETIC" in [text.get_text() for text in chart.figure.texts]
    assert "too few cases" in cape.specifications.answer(None, None, None)
    assert cape.specifications.estimates(None, None, None)["value"].isna().all()
