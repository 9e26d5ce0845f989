"""Corridors: memberships, shares, exposures and count models against second methods."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, special, stats
from shared import slow
from statsmodels.stats.rates import confint_poisson

import capelib as cape
from capelib.errors import ParameterError, TooFewCases
from capelib.estimators import panel_counts
from capelib.estimators.clusters import clustered, clustered_difference, linked
from capelib.figures import cooperation as drawn
from capelib.questions import corridors, displaced_ratios, membership_shares
from capelib.questions.membership_shares import ANY, ORGANISATIONS
from capelib.questions.wording import two_digits


@pytest.fixture(scope="module")
def ds():
    return cape.load()


@pytest.fixture(scope="module")
def hosts(ds):
    return corridors.possible_hosts(ds.incidents, 2001, 2024)


@pytest.fixture(scope="module")
def result(ds, hosts):
    return corridors.cooperation(
        ds.where(origin=cape.CENTRAL_ASIA).joined(), hosts, 2001, 2013, 2024
    )


def incidents(*rows):
    """Incidents from (origin, host, year); each of its own person, at stage 3, in no episode."""
    frame = pd.DataFrame(rows, columns=["origin", "host", "year"]).astype({"year": "Int64"})
    names = range(len(frame))
    return frame.assign(
        exile_id=[f"P{n}" for n in names],
        source_id=[f"S{n}" for n in names],
        episode_id=None,
        stage=3,
    )


class TestFellowMembers:
    @pytest.mark.parametrize(
        ("origin", "host", "year", "expected"),
        [
            ("UZB", "KAZ", 1999, ["CIS", "CSTO"]),
            ("UZB", "KAZ", 2000, ["CIS"]),
            ("UZB", "KAZ", 2005, ["CIS", "SCO"]),
            ("UZB", "KAZ", 2006, ["CIS", "CSTO", "SCO"]),
            ("UZB", "KAZ", 2012, ["CIS", "CSTO", "SCO"]),
            ("UZB", "KAZ", 2013, ["CIS", "SCO"]),
            ("TJK", "RUS", 2000, ["CIS", "CSTO"]),
            ("TJK", "UKR", 2018, ["CIS"]),
            ("TJK", "UKR", 2019, []),
            ("TKM", "RUS", 2005, ["CIS"]),
            ("TKM", "RUS", 2006, []),
            ("KAZ", "CHN", 2001, ["SCO"]),
            ("KGZ", "TUR", 2015, []),
            ("TJK", "TJK", 2015, []),
            ("TJK", None, 2015, []),
            ("TJK", "RUS", None, []),
        ],
    )
    def test_memberships_are_those_of_the_year(self, origin, host, year, expected):
        row = corridors.fellow(incidents((origin, host, year))).iloc[0]
        assert [name for name in ORGANISATIONS if row[name]] == expected
        assert row[ANY] == bool(expected)

    def test_turkmenistan_shares_the_csto_with_nobody_ever(self, hosts):
        every = pd.MultiIndex.from_product(
            [["TKM"], hosts, range(1990, 2025)], names=["origin", "host", "year"]
        ).to_frame(index=False)
        assert not corridors.fellow(every)[["CSTO", "SCO"]].any(axis=None)

    def test_a_persons_year_an_episode_and_a_landing_at_home_are_counted_each_in_its_way(self):
        rows = incidents(
            ("UZB", "RUS", 2010),
            ("UZB", "RUS", 2010),
            ("UZB", "RUS", 2010),
            ("UZB", "UZB", 2010),
            ("UZB", None, 2010),
        )
        rows["exile_id"], rows["episode_id"] = (
            ["A", "A", "B", "C", "D"],
            [None, "E1", "E1", None, None],
        )
        assert [
            len(membership_shares.counted(rows, unit)) for unit in ("incident", "exile", "episode")
        ] == [3, 2, 2]
        with pytest.raises(ParameterError, match="unknown unit 'epizode': did you mean episode"):
            membership_shares.counted(rows, "epizode")

    def test_the_matrix_orders_hosts_by_total_and_loses_nobody(self, ds):
        rows = ds.where(origin=cape.CENTRAL_ASIA, stage=[2, 3]).incidents
        table = membership_shares.matrix(rows, most=5)
        named = table.sum().iloc[:-1]
        assert table.columns[-1] == "other hosts"
        assert named.is_monotonic_decreasing
        assert table.to_numpy().sum() == len(membership_shares.counted(rows))
        singles = rows[
            (rows["origin"] == "UZB")
            & (rows["host"] == "KAZ")
            & rows["year"].notna()
            & rows["episode_id"].isna()
        ]
        episodes = rows.loc[
            (rows["origin"] == "UZB") & (rows["host"] == "KAZ") & rows["year"].notna(), "episode_id"
        ].nunique()
        assert membership_shares.matrix(rows).loc["UZB", "KAZ"] == len(singles) + episodes

    def test_shares_and_their_yardstick_by_hand(self):
        rows = incidents(
            ("UZB", "KAZ", 2010), ("UZB", "RUS", 2011), ("UZB", "TUR", 2011), ("UZB", "KAZ", 2013)
        )
        result = membership_shares.fellow_shares(
            rows, [(2010, 2012), (2013, 2014)], ["KAZ", "RUS", "TUR", "AUT", "UZB"]
        ).set_index(["organisation", "period"])
        early, late = result.loc[("CSTO", "2010-2012")], result.loc[("CSTO", "2013-2014")]
        share = clustered(pd.Series([True, True, False]), pd.Series(range(3)))
        assert tuple(early[["k", "n", "share", "low", "high"]]) == pytest.approx(share[:5])
        assert early["if_equal"] == 0.5  # Kazakhstan and Russia of four possible hosts
        assert tuple(late[["k", "n", "if_equal"]]) == (0, 1, 0.0)
        assert early["hosts"] == "2 of 3"

    def test_stages_are_compared_by_the_shares_of_their_own_incidents(self):
        rows = incidents(
            *[("TJK", "RUS", 2015)] * 8,
            *[("TJK", "AUT", 2015)] * 2,
            *[("TJK", "RUS", 2015)] * 5,
            *[("TJK", "AUT", 2015)] * 5,
        )
        rows["stage"] = [3] * 10 + [1] * 10
        result = corridors.by_stage(rows)
        assert result["k"].tolist()[:2] == [8, 5]
        hits, acts = rows["host"] == "RUS", rows["stage"] == 3
        gap = clustered_difference(hits, acts, rows["exile_id"])
        shown = result.loc["difference", ["share", "low", "high"]]
        assert tuple(shown) == pytest.approx(gap[:3])
        # one source reports all acts in Austria and Russia alike: that side decides nothing
        rows.loc[acts, "source_id"] = "S9999"
        result = corridors.by_stage(rows)
        assert result["share"].tolist() == pytest.approx([0.8, 0.5, 0.3])
        assert result["low"].isna().tolist() == [True, False, True]
        assert result["clusters"].tolist() == [1, 10, 11]

    def test_shares_and_their_difference_again_from_the_rows(self, ds, result):
        """The share and its difference to other stages, from who was reported together."""
        rows = ds.where(origin=cape.CENTRAL_ASIA, years=(2001, 2024)).joined()
        parts = [
            corridors.fellow(corridors.counted(rows[acts])).assign(acts=flag)
            for flag, acts in ((True, rows["stage"] != 1), (False, rows["stage"] == 1))
        ]
        both = pd.concat(parts, ignore_index=True)
        cluster = both["exile_id"].map(linked(both))
        gap = clustered_difference(both[ANY], both["acts"], cluster)
        assert tuple(result.stages.loc["difference", ["share", "low", "high"]]) == gap[:3]
        estimates = result.estimates().set_index("estimate")
        share = clustered(parts[0][ANY], parts[0]["exile_id"].map(linked(parts[0])))
        shown = estimates.loc["share in states that are fellow members"]
        assert tuple(shown["value":"high"]) == pytest.approx(share[2:5])


class TestPerDisplaced:
    @pytest.mark.parametrize(
        ("n", "low", "high"),
        [
            (0, 0, 3.69),
            (1, 0.0253, 5.57),
            (2, 0.242, 7.22),
            (5, 1.62, 11.67),
            (10, 4.80, 18.39),
            (20, 12.22, 30.89),
            (50, 37.11, 65.92),
        ],
    )
    def test_the_exact_interval_is_that_of_the_printed_table(self, n, low, high):
        """Pearson and Hartley, Biometrika Tables for Statisticians, volume 1, table 40 (95 %)."""
        assert displaced_ratios.poisson(n)[1:] == pytest.approx((low, high), rel=0.004)

    @pytest.mark.parametrize("n", [1, 3, 17, 240])
    def test_the_exact_interval_is_that_of_statsmodels(self, n):
        assert displaced_ratios.poisson(n)[1:] == pytest.approx(
            confint_poisson(n, 1, method="exact-c"), rel=1e-9
        )

    def test_the_exact_interval_covers_and_waves_widen_it(self):
        for mean in (2.0, 8.3, 40.0):
            n = np.arange(200)
            inside = [
                low <= mean <= high
                for _, low, high in (displaced_ratios.poisson(int(k)) for k in n)
            ]
            assert stats.poisson.pmf(n, mean)[inside].sum() >= 0.95
        plain, in_waves = displaced_ratios.poisson(40), displaced_ratios.poisson(40, 4.0)
        assert in_waves.low < plain.low < plain.high < in_waves.high
        with pytest.raises(ParameterError, match="spread 1 or more"):
            displaced_ratios.poisson(4, 0.5)

    def test_incidents_per_displaced_people_by_hand(self):
        people = displaced_ratios.people_of("TJK")
        rows = incidents(
            ("TJK", "RUS", 2015),
            ("TJK", None, 2015),
            ("TJK", "TJK", 2015),
            ("TJK", "TUR", 2015),
            ("TJK", "RUS", None),
        )
        row = displaced_ratios.per_displaced(rows, [(2015, 2015)]).iloc[0]
        assert (row["n"], row["person_years"], row["spread"]) == (3, people[2015], 1)
        assert row["per_1000"] == pytest.approx(3000 / people[2015])
        exact = np.array(displaced_ratios.poisson(3)) * 1000 / row["person_years"]
        assert list(row[["per_1000", "low", "high"]]) == pytest.approx(list(exact))

    def test_none_on_record_still_has_an_upper_bound_and_no_counts_no_row(self):
        row = displaced_ratios.per_displaced(
            incidents(("TJK", "RUS", 2010), ("RUS", "UKR", 2015)), [(2015, 2016)]
        )
        assert row["origin"].tolist() == ["TJK"]
        assert (row["n"].item(), row["low"].item()) == (0, 0)
        assert row["high"].item() == pytest.approx(
            1000 * 3.689 / row["person_years"].item(), rel=1e-3
        )

    @pytest.mark.slow
    @pytest.mark.parametrize(("origin", "waves"), [("UZB", 0.0), ("UZB", 1.0), ("TJK", 1.0)])
    def test_the_interval_holds_when_incidents_come_in_waves(self, origin, waves):
        rng, people = np.random.default_rng(5), displaced_ratios.people_of(origin).loc[2001:2024]
        expected, covered, exact = 50 * people / people.sum(), [], []
        for _ in range(150):
            level = rng.gamma(1 / waves, waves, len(people)) if waves else 1.0
            n = rng.poisson(expected * level)
            rows = incidents(*[(origin, "RUS", year) for year in np.repeat(people.index, n)])
            row = displaced_ratios.per_displaced(rows, [(2001, 2024)]).iloc[0]
            covered.append(row["low"] <= 50_000 / people.sum() <= row["high"])
            exact.append(
                np.diff(confint_poisson(row["n"], 1, method="exact-c"))[0] * 1000 / people.sum()
                <= row["high"] - row["low"] + 1e-12
            )
        assert np.mean(covered) >= 0.91
        assert all(exact)  # never narrower than for independent events


ORIGINS, STATES, SPAN = ["KAZ", "KGZ", "TJK", "TKM", "UZB"], 30, (2005, 2014)
TRUTH = {"CIS": 3.0, "CSTO": 2.5, "SCO": 2.0}


@pytest.fixture(scope="module")
def empty(hosts):
    """A smaller panel without incidents: 30 hosts, 10 years."""
    members = {
        *("RUS", "KAZ", "KGZ", "TJK", "UZB", "ARM", "BLR"),
        *("AZE", "MDA", "UKR", "GEO", "CHN", "TKM"),
    }
    some = sorted(
        members | set(sorted(set(hosts) - members - {"SRB", "SSD"})[: STATES - len(members)])
    )
    return corridors.panel(incidents(*[(origin, None, 2010) for origin in ORIGINS]), some, *SPAN)


def simulated(empty, rng, corridor, host, n=300):
    """A panel with known ratios, and levels of corridors and hosts that vary at random.

    corridor, host: standard deviations of the logarithm of the level.
    """
    truth = np.exp(
        sum(empty[name] * np.log(ratio) for name, ratio in TRUTH.items())
        + 0.4 * empty["authoritarian"].astype(float)
    )
    level = np.ones(len(empty))
    for column, deviation in (("corridor", corridor), ("host", host)):
        code = pd.factorize(empty[column])[0]
        level *= np.exp(rng.normal(0, deviation, code.max() + 1) - deviation**2 / 2)[code]
    return empty.assign(n=rng.poisson(n * truth * level / truth.sum()))


class TestTheModel:
    def test_the_panel_holds_every_incident_once_and_no_state_as_its_own_host(self, hosts, result):
        cells = result.cells
        assert len(cells) == 5 * len(hosts) * 24 - 5 * 24
        assert cells["n"].sum() == len(result.rows) == result.table.to_numpy().sum()
        assert (cells["origin"] != cells["host"]).all()
        row = cells.set_index(["origin", "host", "year"]).loc[("UZB", "KAZ", 2006)]
        assert row["displaced"] == pytest.approx(np.log2(cape.displaced.of("UZB", 2006)))
        assert row["authoritarian"] == (cape.regimes.of("KAZ", 2006) == "NF")
        assert corridors.overlap(cells)["incidents"].sum() == cells["n"].sum()

    def test_estimates_are_those_of_maximum_likelihood_found_another_way(self, empty):
        cells = simulated(empty, np.random.default_rng(1), 0.5, 0.5)
        fit = corridors.membership_ratios(cells)
        x = np.column_stack(
            [
                cells[list(ORGANISATIONS)],
                cells["authoritarian"],
                cells["year"] - 2010,
                cells["displaced"] - 12,
                pd.get_dummies(cells["origin"]),
            ]
        ).astype(float)
        y = cells["n"].to_numpy(float)

        def minus(b):
            mean = np.exp(x @ b)
            return float((mean - y * (x @ b)).sum()), x.T @ (mean - y)

        best = optimize.minimize(
            minus,
            np.zeros(x.shape[1]),
            jac=True,
            method="BFGS",
            options={"gtol": 1e-5, "maxiter": 2000},
        ).x
        assert np.log(fit.terms["ratio"].to_numpy()) == pytest.approx(best[:6], abs=2e-4)

    def test_the_negative_binomial_is_the_best_by_its_own_likelihood(self, empty):
        cells = simulated(empty, np.random.default_rng(2), 0.8, 0.3)
        fit = corridors.membership_ratios(cells, model="negative_binomial")
        x = np.column_stack(
            [
                cells[list(ORGANISATIONS)],
                cells["authoritarian"],
                cells["year"] - 2010,
                cells["displaced"] - 12,
            ]
        )
        x = np.column_stack([x, pd.get_dummies(cells["origin"])]).astype(float)

        def minus(b):
            size, mean = np.exp(-b[-1]), np.exp(x @ b[:-1])
            return -stats.nbinom.logpmf(cells["n"], size, size / (size + mean)).sum()

        start = np.r_[np.log(fit.terms["ratio"]), np.full(5, -3.0), np.log(fit.alpha)]
        best = optimize.minimize(minus, start, method="BFGS", options={"gtol": 1e-3}).x
        assert np.log(fit.terms["ratio"].to_numpy()) == pytest.approx(best[:6], abs=0.01)
        assert fit.alpha == pytest.approx(np.exp(best[-1]), rel=0.02)

    @pytest.mark.slow
    def test_a_corridor_with_itself_is_the_poisson_model_with_a_dummy_for_each_corridor(
        self, empty
    ):
        cells = simulated(empty, np.random.default_rng(3), 0.8, 0.8)
        fit = corridors.membership_ratios(cells, effects="corridor")
        kept = [
            term
            for term in [*ORGANISATIONS, "authoritarian", "year", "displaced"]
            if term not in fit.dropped
        ]
        used = cells[cells["corridor"].isin(cells.loc[cells["n"] > 0, "corridor"])]
        x = used[kept].astype(float) - used[kept].astype(float).mean()
        dummies = pd.get_dummies(used["corridor"]).astype(float)
        full = sm.GLM(
            used["n"].astype(float), pd.concat([x, dummies], axis=1), family=sm.families.Poisson()
        ).fit()
        assert "CSTO" in kept
        assert np.log(fit.terms["ratio"].to_numpy()) == pytest.approx(
            full.params[kept].to_numpy(), abs=1e-4
        )
        assert fit.n_cells == len(used)

    def test_the_covariance_and_its_degrees_of_freedom_are_those_of_the_whole_hat_matrix(self):
        rng = np.random.default_rng(4)
        x = np.column_stack([rng.normal(size=60), rng.integers(0, 2, 60), np.ones(60)])
        group, weight, residual = (
            rng.integers(0, 9, 60),
            rng.uniform(0.2, 3, 60),
            rng.normal(size=60),
        )
        covariance, df = panel_counts.cluster_covariance(x, weight, residual, group)
        root = np.sqrt(weight)
        scaled, error = x * root[:, None], residual / root
        bread = np.linalg.inv(scaled.T @ scaled)
        hat = scaled @ bread @ scaled.T
        rows = np.zeros(
            (9, 3, 60)
        )  # for each cluster, what turns the errors into its share of the estimates
        for cluster in range(9):
            inside = group == cluster
            adjusted = (
                bread
                @ scaled[inside].T
                @ np.linalg.inv(np.eye(inside.sum()) - hat[np.ix_(inside, inside)])
            )
            rows[cluster][:, inside] = adjusted
        step = np.array([row @ error for row in rows])
        assert covariance == pytest.approx(8 / 9 * step.T @ step)
        for term in range(3):
            spread = rows[:, term] @ (np.eye(60) - hat) @ rows[:, term].T
            assert df[term] == pytest.approx(np.trace(spread) ** 2 / np.trace(spread @ spread))

    def test_the_errors_are_near_those_of_leaving_each_host_out_and_fitting_again(self, empty):
        cells = simulated(empty, np.random.default_rng(6), 0.3, 0.0, n=3000)
        terms = [*ORGANISATIONS, "authoritarian"]
        fit = panel_counts.expected_counts(cells, terms, "origin", "host")
        again = []
        for host in cells["host"].unique():
            left = panel_counts.expected_counts(
                cells[cells["host"] != host], terms, "origin", "host"
            )
            again.append(np.log(left.terms["ratio"].to_numpy()))
        n = len(again)
        jackknife = np.sqrt(
            (n - 1)
            / n
            * ((np.array(again) - np.log(fit.terms["ratio"].to_numpy())) ** 2).sum(axis=0)
        )
        shown = (
            np.log(fit.terms["high"] / fit.terms["low"]) / 2 / stats.t.ppf(0.975, fit.terms["df"])
        )
        assert shown.to_numpy() == pytest.approx(jackknife, rel=0.25)

    @pytest.mark.slow
    def test_known_ratios_come_back_and_clustered_intervals_hold_where_the_models_own_do_not(
        self, empty
    ):
        rng, names = np.random.default_rng(7), list(TRUTH)
        truth, logs, covered, naive = np.log(list(TRUTH.values())), [], [], []
        for _ in range(60):
            cells = simulated(empty, rng, 0.7, 0.7)
            fit = panel_counts.expected_counts(cells, [*names, "authoritarian"], "origin", "host")
            rows = fit.terms.set_index("term").loc[names]
            logs.append(np.log(rows["ratio"]))
            held = (np.log(rows["low"]) <= truth) & (truth <= np.log(rows["high"]))
            covered.append(held.astype(float).where(rows["low"].notna()))
            if len(naive) == 20:
                continue
            x = np.column_stack(
                [cells[names], cells["authoritarian"], pd.get_dummies(cells["origin"])]
            ).astype(float)
            plain = sm.GLM(cells["n"].to_numpy(float), x, family=sm.families.Poisson()).fit()
            naive.append(
                np.abs(np.asarray(plain.params)[:3] - truth) < 1.96 * np.asarray(plain.bse)[:3]
            )
        assert np.median(logs, axis=0) == pytest.approx(truth, abs=0.3)
        given = pd.DataFrame(covered)
        assert (given.notna().mean() >= 0.8).all()  # others have most of their counts in one host
        assert (given.mean() >= 0.9).all()
        assert np.mean(naive) < 0.75

    def test_without_waves_the_ratios_come_back_without_bias(self, empty):
        rng = np.random.default_rng(8)
        logs = [
            np.log(
                corridors.membership_ratios(simulated(empty, rng, 0, 0, 1000)).terms["ratio"][:3]
            )
            for _ in range(30)
        ]
        assert np.mean(logs, axis=0) == pytest.approx(np.log(list(TRUTH.values())), abs=0.06)

    def test_a_corridor_with_itself_gives_the_known_ratio_whatever_the_corridors_levels(
        self, empty
    ):
        rng, logs, covered = np.random.default_rng(11), [], []
        for _ in range(25):
            row = corridors.membership_ratios(
                simulated(empty, rng, 1.0, 1.0, 3000), effects="corridor"
            ).row("CSTO")
            logs.append(np.log(row["ratio"]))
            covered.append(row["low"] <= TRUTH["CSTO"] <= row["high"])
        assert np.nanmean(logs) == pytest.approx(np.log(TRUTH["CSTO"]), abs=0.1)
        assert np.mean(covered) >= 0.9

    def test_an_offset_holds_incidents_proportional_to_displaced_people(self, empty):
        rng = np.random.default_rng(9)
        level = np.exp2(empty["displaced"].astype(float))
        cells = empty.assign(n=rng.poisson(2000 * level / level.sum()))
        assert corridors.membership_ratios(cells).row("displaced")["ratio"] == pytest.approx(
            2, rel=0.15
        )
        fit = corridors.membership_ratios(cells, people="offset")
        assert "displaced" not in set(fit.terms["term"])
        assert fit.row("CSTO")["ratio"] == pytest.approx(1, abs=0.25)

    def test_what_one_host_alone_would_decide_is_dropped_with_the_reason(self, empty):
        cells = simulated(empty, np.random.default_rng(10), 0, 0)
        cells["n"] = cells["n"].where(~cells["CSTO"] | (cells["host"] == "RUS"), 0)
        fit = corridors.membership_ratios(cells)
        assert fit.dropped == {"CSTO": "fewer than two clusters with counts on one side"}
        assert np.isnan(fit.row("CSTO")["ratio"])
        with pytest.raises(
            TooFewCases, match="no membership can be compared: CSTO: fewer than two clusters"
        ):
            corridors.membership_ratios(cells, ("CSTO",))

    @pytest.mark.parametrize(("russia", "refused"), [(6, True), (4, False)])
    def test_where_one_host_holds_most_there_is_no_interval(self, empty, russia, refused):
        """Ten incidents in members: 6 of them in Russia are more than half, 4 are not."""
        cells = empty.assign(n=0)
        members = empty[(empty["origin"] == "UZB") & empty[ANY] & (empty["year"] == 2010)]
        others = empty[(empty["origin"] == "UZB") & ~empty[ANY] & (empty["year"] == 2010)]
        rest = members.index[members["host"] != "RUS"]
        cells.loc[members.index[members["host"] == "RUS"], "n"] = russia
        cells.loc[rest[: 10 - russia], "n"] = 1
        cells.loc[others.index[:10], "n"] = 1
        fit = corridors.membership_ratios(cells, (ANY,))
        row = fit.row(ANY)
        assert np.isfinite(row["ratio"])
        assert np.isnan(row["low"]) == np.isnan(row["high"]) == refused
        assert (ANY in fit.no_interval) == refused
        if refused:
            assert str(fit.no_interval[ANY]) == "RUS alone holds 60 % of the counts with it"
        year = fit.row("year")
        assert year["low"] < year["ratio"] < year["high"]

    def test_too_few_cases_and_unknown_choices_are_refused_in_one_line(self, empty):
        with pytest.raises(TooFewCases, match="here are none"):
            corridors.membership_ratios(empty)
        few = empty.assign(n=0)
        few.loc[few.sample(12, random_state=1).index, "n"] = 1
        with pytest.raises(TooFewCases):
            corridors.membership_ratios(few)
        with pytest.raises(
            ParameterError, match="unknown effects 'corridors': did you mean corridor"
        ):
            corridors.membership_ratios(empty, effects="corridors")
        with pytest.raises(ParameterError, match="unknown people"):
            corridors.membership_ratios(empty, people="x")
        with pytest.raises(ParameterError, match="choose model poisson"):
            corridors.membership_ratios(
                simulated(empty, np.random.default_rng(1), 0, 0),
                effects="corridor",
                model="negative_binomial",
            )


class TestSwitches:
    def test_the_odds_ratio_is_that_of_fishers_tea(self):
        """Fisher's tea-tasting table, 3, 1, 1, 3.

        The conditional estimate printed in R's help of fisher.test is 6.408309.
        """
        rows = (
            [("UZB", "KAZ", 2010)] * 3
            + [("UZB", "KAZ", 2015)]
            + [("UZB", "TUR", 2012)]
            + [("UZB", "TUR", 2014)] * 3
        )
        cells = corridors.panel(incidents(*rows), ["KAZ", "TUR", "RUS"], 2004, 2015)
        result = corridors.switches(cells).set_index("organisation").loc["CSTO"]
        about = result[["shared", "hosts", "years_with", "years_without"]]
        assert about.tolist() == ["2006-2012", "KAZ", 7, 5]
        counts = result[["n_with", "n_without", "other_with", "other_without"]]
        assert counts.tolist() == [3, 1, 1, 3]
        assert result["ratio"] == pytest.approx(6.408309, rel=1e-5)
        lower = optimize.brentq(lambda odds: _noncentral(odds)[3:].sum() - 0.025, 1e-3, 6)
        assert result["low"] == pytest.approx(lower, rel=1e-4)

    def test_all_changes_of_the_public_record_are_counted(self, result):
        rows = result.switches.set_index(["organisation", "origin"])
        assert rows.loc[("CSTO", "UZB"), "shared"] == "2006-2012"
        assert rows.loc[("CIS", "TKM"), "shared"] == "2001-2005"
        assert (rows.loc[[("CIS", "KAZ"), ("CIS", "TJK"), ("CIS", "UZB")], "hosts"] == "UKR").all()
        for (_, origin), row in rows.iterrows():
            total = result.cells.loc[result.cells["origin"] == origin, "n"].sum()
            assert row[["n_with", "n_without", "other_with", "other_without"]].sum() <= total

    def test_years_in_words(self):
        assert corridors.spans([2006]) == "2006"
        assert corridors.spans([2012, 2001, 2002, 2003, 2010, 2011]) == "2001-2003, 2010-2012"


def _noncentral(odds):
    k = np.arange(5)
    weight = special.comb(4, k) * special.comb(4, 4 - k) * odds**k
    return weight / weight.sum()


class TestTheWhole:
    def test_the_answer_leads_with_the_odds_and_sets_both_kinds_of_act_beside_the_counts(
        self, result
    ):
        sentence = result.sentence("the five Central Asian states")
        odds, counts = result.acts.ratio, result.exposures.iloc[0]
        start = "The odds that an act on record is of stages 2, 3 rather than another stage are "
        assert sentence.startswith(f"{start}{two_digits(odds['ratio'])} times [")
        assert f"{100 * result.share.share:.0f} %" in sentence
        assert f"{two_digits(counts['ratio'])} times as many in fellow-member states" in sentence
        assert f"(other stages: {two_digits(counts['beside'])} times)" in sentence
        assert "No interval: Russia alone holds 68 % of the acts in fellow-member" in sentence
        assert "(all are of CIS)" in sentence
        assert "every possible host" not in sentence
        assert "rate" not in sentence.split()
        out = corridors.leave_one_host_out(result.cells, 2).set_index(["host", "term"])
        assert out.loc[("none", ANY), "ratio"] == result.together.row(ANY)["ratio"]

    def test_the_estimates_are_those_shown(self, result):
        table = result.estimates()
        assert table["unit"].tolist() == ["ratio", "share", "difference", "ratio"]
        assert (table["low"] <= table["value"]).all()
        assert (table["value"] <= table["high"]).all()

    @pytest.mark.slow
    def test_the_first_row_of_the_variants_is_the_answer(self, ds, hosts, result):
        table = corridors.variants(
            ds.where(origin=cape.CENTRAL_ASIA).joined(),
            hosts,
            2001,
            2024,
            [2, 3],
            "episode",
            "fiw",
            "NF",
        )
        first = table.iloc[0]
        assert (first["n"], first["ratio"]) == (
            result.together.n,
            result.together.row(ANY)["ratio"],
        )
        assert first["CSTO"] == result.separate.row("CSTO")["ratio"]
        assert table["choice"].is_unique
        rows = table.set_index("choice")
        assert (
            rows.loc["without host Russia", "n"]
            == first["n"] - (result.rows["host"] == "RUS").sum()
        )
        shorter = "hosts: those of these incidents, and members"
        assert rows.loc[shorter, "ratio"] < first["ratio"]
        both = rows.loc[f"without host Russia; {shorter}"]
        assert both["n"] == rows.loc["without host Russia", "n"]
        assert both["ratio"] < rows.loc["without host Russia", "ratio"]
        no_member = rows.loc["Ukraine no member of CIS"]
        there = result.rows[(result.rows["host"] == "UKR") & result.rows["CIS"]]
        assert no_member["share"] == pytest.approx((result.share.k - len(there)) / result.share.n)

    @pytest.mark.parametrize("origin", ["TKM", "SRB", *map(slow, ("KGZ", "TUR"))])
    @pytest.mark.slow
    def test_few_cases_or_none_give_a_sentence_tables_and_figures(self, ds, hosts, origin):
        part = ds.where(origin=origin)
        result = corridors.cooperation(part.joined(), hosts, 2014, 2013, 2024)
        assert origin in result.sentence(origin)
        assert result.estimates()["value"].notna().all()
        assert set(result.models().columns) >= {"term", "ratio", "note"}
        for draw in (
            drawn.corridor_matrix,
            drawn.fellow_members,
            drawn.per_displaced,
            drawn.host_act_odds,
            drawn.counts_beside,
            drawn.membership_models,
            drawn.hosts_left_out,
        ):
            assert draw(result, part.info).picture("png")

    def test_the_frame_behind_the_matrix_says_who_were_fellow_members(self, ds, result):
        data = drawn.corridor_matrix(result, ds.info).data.set_index(["origin", "host"])
        assert data["n"].sum() == len(result.rows)
        assert data.loc[("TJK", "RUS"), ["years_shared", "years"]].tolist() == [24, 24]
        assert data.loc[("TKM", "RUS"), "years_shared"] == 5
        assert data.loc[("TJK", "TUR"), "years_shared"] == 0


def test_the_negative_binomial_estimate_is_where_its_likelihood_is_highest():
    rng = np.random.default_rng(5)
    level = np.repeat(np.arange(4), 60)
    x = rng.integers(0, 2, (240, 2)).astype(float)
    mean = np.exp(x @ [0.8, -0.4] + np.array([0.2, 1.0, -0.3, 0.6])[level])
    y = rng.negative_binomial(2, 2 / (2 + mean)).astype(float)
    design = np.column_stack([x, np.eye(4)[level]])
    estimate, _, alpha = panel_counts._negative_binomial(y, design, np.zeros(240), np.zeros(2))
    best = sm.GLM(y, design, family=sm.families.NegativeBinomial(alpha=alpha)).fit(
        tol=1e-12
    )  # another algorithm, at the same alpha
    assert estimate == pytest.approx(best.params[:2], abs=1e-4)
