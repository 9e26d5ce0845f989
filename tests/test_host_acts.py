"""Notebook 07's lead: acts that need the host beside acts that do not; counts beside exposure."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, special

import capelib as cape
from capelib.errors import TooFewCases
from capelib.estimators.clustered_logit import odds_ratios
from capelib.questions import corridor_exposure as exposure
from capelib.questions import direct_acts, host_acts
from capelib.questions.corridor_words import _ratio, counts_sentence, odds_sentence
from capelib.questions.membership_shares import ANY, without_member
from capelib.vocabulary.groups import group

YEARS = (2001, 2024)


@pytest.fixture(scope="module")
def joined():
    return cape.load().where(origin=cape.CENTRAL_ASIA).joined()


@pytest.fixture(scope="module")
def acts(joined):
    return host_acts.acts_of_both_kinds(joined, YEARS)


@pytest.fixture(scope="module")
def panels(joined):
    hosts = cape.corridors.possible_hosts(cape.load().incidents, *YEARS)
    needs = joined["stage"].isin([2, 3])
    return [cape.corridors.panel(joined[side], hosts, *YEARS) for side in (needs, ~needs)]


@pytest.fixture(scope="module")
def exposures(panels):
    return exposure.exposure_ratios(*panels)


# Endometrial cancer, 239 women (Heinze and Schemper 2002): age oc vic vicl vis dia, controls, cases
SEX2 = """000010 1 1;001000 2 14;001010 1 3;001100 8 10;001110 18 12;001111 0 1;010000 42 44
010001 0 3;010010 1 0;011000 1 15;011001 0 1;011010 0 2;011100 5 7;011110 6 3;101000 0 2
101010 0 1;101011 0 1;101100 2 1;101110 4 0;101111 0 1;110000 14 5;110010 1 0;111000 1 3
111110 2 0"""


def sex2():
    """The printed table as one row a woman."""
    rows = []
    for cell in SEX2.replace("\n", ";").split(";"):
        flags, controls, cases = cell.split()
        for case, number in ((False, controls), (True, cases)):
            rows += [(case, *map(int, flags))] * int(number)
    return pd.DataFrame(rows, columns=["case", "age", "oc", "vic", "vicl", "vis", "dia"])


class TestOddsRatios:
    def test_firths_estimates_are_those_published(self):
        women = sex2()
        fit = odds_ratios(
            women["case"], women.drop(columns="case"), pd.Series(women.index), firth=True
        )
        published = [-1.105981, -0.068817, 2.268875, -2.111408, -0.788317, 3.096012]
        assert np.log(fit.terms["ratio"]).tolist() == pytest.approx(published, abs=1e-5)

    def test_without_the_penalty_a_separated_term_is_refused(self):
        women = sex2()
        with pytest.raises(TooFewCases, match="no finite odds ratio fits"):
            odds_ratios(women["case"], women.drop(columns="case"), pd.Series(women.index))

    def test_estimates_are_those_of_statsmodels_and_errors_near_a_jackknife(self):
        rng = np.random.default_rng(1)
        group = np.repeat(np.arange(30), 12)
        x = pd.DataFrame({"a": rng.integers(0, 2, 360), "b": rng.normal(size=360)})
        effect = rng.normal(0, 0.7, 30)[group]
        y = pd.Series(rng.random(360) < special.expit(0.5 * x["a"] - x["b"] + effect))
        fit = odds_ratios(y, x, pd.Series(group))
        theirs = sm.Logit(y.astype(float), sm.add_constant(x)).fit(disp=0)
        logs = np.log(fit.terms["ratio"].to_numpy())
        assert logs == pytest.approx(theirs.params[["a", "b"]].to_numpy(), abs=1e-7)
        again = np.array(
            [
                np.log(odds_ratios(y[group != g], x[group != g], pd.Series(group)[group != g])
                       .terms["ratio"])
                for g in range(30)
            ]
        )  # fmt: skip
        jackknife = np.sqrt(29 / 30 * ((again - logs) ** 2).sum(axis=0))
        terms = fit.terms
        error = np.log(terms["high"] / terms["low"]) / 2 / special.stdtrit(terms["df"], 0.975)
        assert error.to_numpy() == pytest.approx(jackknife, rel=0.08)

    def test_levels_without_both_answers_are_named_and_change_nothing(self):
        y = pd.Series([True, False, False, False] * 9 + [True, True, True, False] * 9 + [True] * 5)
        x = pd.DataFrame({"member": [False] * 36 + [True] * 36 + [True, False] * 2 + [True]})
        levels = pd.Series(["A"] * 72 + ["B"] * 5)
        fit = odds_ratios(y, x, pd.Series(range(77)), levels)
        assert fit.left_out == ("B",)
        assert (fit.n, round(fit.row("member")["ratio"], 6)) == (72, 9.0)

    def test_too_few_cases_are_refused(self):
        few = pd.Series([True] * 4 + [False] * 20)
        with pytest.raises(TooFewCases, match="5 cases of each answer"):
            odds_ratios(few, pd.DataFrame({"a": range(24)}), pd.Series(range(24)))
        with pytest.raises(TooFewCases, match="a does not vary"):
            odds_ratios(
                pd.Series([True, False] * 9), pd.DataFrame({"a": [1] * 18}), pd.Series(range(18))
            )


class TestTheLead:
    def test_the_headline_again_from_plain_rows_and_statsmodels(self, joined):
        """Memberships, regime and units by pandas from the shipped tables; the logit of GLM."""
        rows = joined[
            joined["year"].between(*YEARS).fillna(False).astype(bool)
            & joined["host"].notna()
            & (joined["host"] != joined["origin"])
        ].copy()
        rows["needs"] = rows["stage"].isin([2, 3]).astype(float)
        once = rows["episode_id"].isna() | ~rows.duplicated(["episode_id", "needs"])
        rows = rows[once]
        spells = cape.table("memberships").query("organisation in ['CIS', 'CSTO', 'SCO']")
        last = spells["last_year"].astype("float64").fillna(9999)
        first = spells["first_year"].astype("int64")
        spells = list(zip(spells["organisation"], spells["iso3"], first, last, strict=True))
        keys = rows[["origin", "host", "year"]].drop_duplicates()
        found = []
        for origin, host, year in keys.itertuples(index=False):
            of = {
                state: {name for name, iso3, start, end in spells
                        if iso3 == state and start <= year <= end}
                for state in (origin, host)
            }  # fmt: skip
            harsh = cape.regimes.of(host, int(year)) == "NF"
            found.append((float(bool(of[origin] & of[host])), float(harsh)))
        keys[["fellow", "harsh"]] = found
        rows = rows.merge(keys)
        x = rows[["fellow", "harsh"]].assign(year=rows["year"].astype(float) - 2010)
        x = pd.concat([x, pd.get_dummies(rows["origin"], dtype=float)], axis=1)
        fit = sm.GLM(rows["needs"], x, family=sm.families.Binomial()).fit(
            cov_type="cluster", cov_kwds={"groups": pd.factorize(rows["host"])[0]}
        )
        shown = cape.corridors.host_acts(joined, YEARS)
        assert len(rows) == shown.fit.n
        assert shown.ratio["ratio"] == pytest.approx(np.exp(fit.params["fellow"]), rel=1e-5)
        low, high = np.exp(fit.conf_int().loc["fellow"])
        # clustered by host, but without the small-sample correction: narrower, and inside
        assert shown.ratio["low"] < low < shown.ratio["ratio"] < high < shown.ratio["high"]
        table = pd.crosstab(rows["fellow"], rows["needs"])
        crude = table.loc[1, 1] * table.loc[0, 0] / table.loc[1, 0] / table.loc[0, 1]
        choices = shown.choices.set_index("choice")
        assert choices.loc["nothing held equal", "ratio"] == pytest.approx(crude)
        assert choices.loc["as chosen", "ratio"] == shown.ratio["ratio"]

    def test_exiles_cancel_in_the_odds_and_not_in_the_counts(self, acts):
        """Eight times as many exiles, so eight times as many acts of both kinds: the same odds."""
        once = host_acts.fellow_odds(acts, (ANY,), by_origin=False)
        many = acts[ANY].map({True: 8, False: 1})
        more = acts.loc[acts.index.repeat(many)].reset_index(drop=True)
        again = host_acts.fellow_odds(more, (ANY,), by_origin=False)
        assert again.row(ANY)["ratio"] == pytest.approx(once.row(ANY)["ratio"])

    def test_every_fellow_member_on_record_is_one_of_cis(self, acts):
        assert acts.loc[acts[ANY], "CIS"].all()
        assert "(all are of CIS)" in odds_sentence(
            host_acts.HostActs(acts, host_acts.fellow_odds(acts), "", pd.DataFrame(
                columns=["choice", "ratio", "low", "high"])), "stages 2, 3"
        )  # fmt: skip

    def test_a_state_that_is_no_member_is_a_fellow_of_nobody(self, acts):
        without = without_member(acts, "CIS", "UKR")
        assert not without.loc[without["host"] == "UKR", ANY].any()
        others = acts["host"] != "UKR"
        assert without.loc[others, ANY].equals(acts.loc[others, ANY])

    @pytest.mark.parametrize("stages", [(1, 2, 3), (4,)])
    def test_without_a_second_kind_the_sentence_says_so(self, joined, stages):
        result = host_acts.host_acts(joined, YEARS, stages)
        assert result.fit is None
        assert "cannot be compared" in odds_sentence(result, "these stages")

    @pytest.mark.slow
    @pytest.mark.parametrize(("host", "corridor"), [(0.0, 0.0), (0.5, 0.5), (1.0, 0.5)])
    def test_the_interval_by_host_holds_where_that_by_source_does_not(self, acts, host, corridor):
        rng, held = np.random.default_rng(3), []
        given = acts[[ANY, "authoritarian", "year"]].fillna({"authoritarian": False}).astype(float)
        codes = [pd.factorize(acts["host"])[0], pd.factorize(acts["origin"] + acts["host"])[0]]
        for _ in range(80):
            effect = sum(
                rng.normal(0, sd, code.max() + 1)[code]
                for sd, code in zip((host, corridor), codes, strict=True)
            )
            chance = special.expit(-0.3 + np.log(2) * given[ANY] + effect)
            y = pd.Series(rng.random(len(acts)) < chance, index=acts.index)
            row = odds_ratios(y, given, acts["host"], acts["origin"]).row(ANY)
            held.append(row["low"] <= 2 <= row["high"])
        assert np.mean(held) >= 0.9


class TestExposure:
    def test_people_in_the_host_are_those_of_the_table_and_zero_where_none_is_listed(self):
        counts = cape.table("displaced_by_host")
        row = counts[(counts["origin"] == "UZB") & (counts["host"] == "RUS")].iloc[0]
        cells = pd.DataFrame({"origin": ["UZB", "UZB", "IRN"], "host": ["RUS", "JAM", "DEU"],
                              "year": [row["year"]] * 3}).astype({"year": "int64"})  # fmt: skip
        people = exposure.add_people_in_host(cells)["people_in_host"]
        assert people.iloc[0] == row["refugees"] + row["asylum_seekers"]
        assert people.iloc[1] == 0
        assert pd.isna(people.iloc[2])

    def test_the_first_row_is_the_old_ratio_and_no_incident_is_lost_in_silence(
        self, panels, exposures
    ):
        table = exposures
        old = [cape.corridors.membership_ratios(part, (ANY,)).row(ANY)["ratio"] for part in panels]
        assert table.iloc[0][["ratio", "beside"]].tolist() == pytest.approx(old)
        assert (table["n"] + table["left_out"] == panels[0]["n"].sum()).all()
        listed = exposure.add_people_in_host(panels[0])
        nobody = listed.loc[listed["people_in_host"] == 0, "n"].sum()
        assert set(table.loc[table["exposure"] == "offset", "left_out"]) == {nobody}
        assert table.loc[table["exposure"] != "offset", "left_out"].eq(0).all()

    def test_the_ratio_per_displaced_person_again_by_another_likelihood(self, panels, exposures):
        """PPML with the offset and the former Soviet term, by statsmodels on the plain columns."""
        cells = exposure.add_people_in_host(panels[0])
        cells = cells[cells["people_in_host"] > 0]
        x = pd.DataFrame(
            {
                "fellow": cells[ANY].astype(float),
                "soviet": cells["host"].isin(group("former_soviet")).astype(float),
                "harsh": cells["authoritarian"].astype("float64"),
                "year": cells["year"] - 2012.0,
            }
        )
        x = pd.concat([x, pd.get_dummies(cells["origin"], dtype=float)], axis=1)
        rated = x["harsh"].notna()
        people = np.log(cells.loc[rated, "people_in_host"].astype(float))
        family = sm.families.Poisson()
        fit = sm.GLM(cells.loc[rated, "n"], x[rated], family=family, offset=people).fit()
        row = exposures[(exposures["exposure"] == "offset") & exposures["soviet"]].iloc[0]
        assert row["ratio"] == pytest.approx(np.exp(fit.params["fellow"]), rel=1e-4)
        assert row["soviet_ratio"] == pytest.approx(np.exp(fit.params["soviet"]), rel=1e-4)

    def test_the_ratio_without_exposure_shows_exiles_where_there_is_no_cooperation(self, panels):
        """A true ratio of 1, eight times as many exiles in former Soviet hosts: some 4 to 6."""
        self._shows_exiles(panels, 4)

    @pytest.mark.slow
    def test_the_ratio_without_exposure_shows_exiles_in_many_draws(self, panels):
        self._shows_exiles(panels, 60)

    def _shows_exiles(self, panels, number):
        draws = exposure.without_exposure_counted(panels[0], draws=number)
        assert len(draws) == number
        assert 3.5 < draws["ratio"].median() < 7
        assert (draws["low"] > 1).mean() > 0.8
        sentence = exposure.simulated_sentence(draws)
        assert f"would show {draws['ratio'].median():.2g} times" in sentence

    @pytest.mark.slow
    @pytest.mark.parametrize("giant", [False, True])
    def test_one_giant_host_gets_no_interval_and_ordinary_hosts_do(self, panels, giant):
        """As the docstring of expected_counts says. With a giant the ratio is far too large."""
        rng, cells = np.random.default_rng(4), panels[0]
        host = pd.factorize(cells["host"])[0]
        rows = []
        for _ in range(100):
            level = rng.normal(0, 0.7, host.max() + 1)[host] + 3 * giant * (cells["host"] == "RUS")
            mean = np.exp(np.log(4) * cells[ANY] + level)
            drawn = cells.assign(n=rng.poisson(cells["n"].sum() * mean / mean.sum()))
            rows.append(cape.corridors.membership_ratios(drawn, (ANY,)).row(ANY))
        table = pd.DataFrame(rows)
        given = table.dropna()
        if giant:
            assert len(given) <= 40
            assert table["ratio"].median() > 6
        else:
            assert len(given) >= 95
            assert ((given["low"] <= 4) & (given["high"] >= 4)).mean() >= 0.9

    def test_an_interval_that_tells_nothing_is_called_so(self, exposures):
        table = exposures
        assert "which tells nothing" not in counts_sentence(table)  # there is no interval
        assert "No interval: Russia alone holds" in counts_sentence(table)
        ratio, sure = table["ratio"], {"host": "", "host_share": np.nan}
        vague = table.assign(low=ratio / 20, high=ratio * 20, **sure)
        assert "which tells nothing" in counts_sentence(vague)
        assert "No interval" not in counts_sentence(vague)
        narrow = table.assign(low=ratio / 2, high=ratio * 2, **sure)
        assert "which tells nothing" not in counts_sentence(narrow)
        assert counts_sentence(table.assign(ratio=np.nan)) == "Counts: too few cases for a model."
        assert _ratio({"ratio": 3.24, "low": 1.02, "high": 10.26}) == "3.2 times [1.02, 10]"


class TestDirectAttacks:
    def test_kinds_of_act_are_the_codebooks_and_renditions_move(self, joined):
        usual = direct_acts.direct_or_cooperative(joined, YEARS, "incident")
        assert set(usual.loc[usual["direct"], "measure"]) <= {
            *("attempted_rendition", "disappearance", "assault"),
            *("assassination_attempt", "assassination"),
        }
        moved = direct_acts.direct_or_cooperative(joined, YEARS, "incident", rendition="direct")
        left = direct_acts.direct_or_cooperative(joined, YEARS, "incident", rendition="left out")
        renditions = (usual["measure"] == "rendition").sum()
        assert moved["direct"].sum() - usual["direct"].sum() == renditions
        assert len(usual) - len(left) == renditions

    def test_firths_odds_again_by_maximising_the_penalised_likelihood(self, joined):
        rows = direct_acts.direct_or_cooperative(joined, YEARS)
        rows = rows[rows["authoritarian"].notna()]
        x = np.column_stack(
            [
                rows["authoritarian"].astype(float),
                (rows["year"].astype(float) - 2012) / 10,
                pd.get_dummies(rows["origin"], dtype=float),
            ]
        )
        y = rows["direct"].to_numpy(float)

        def minus(b):
            share = special.expit(x @ b)
            information = (x * (share * (1 - share))[:, None]).T @ x
            fit = y @ np.log(share) + (1 - y) @ np.log1p(-share)
            return -fit - np.linalg.slogdet(information)[1] / 2

        best = optimize.minimize(minus, np.zeros(x.shape[1]), method="BFGS").x
        ratio = direct_acts.direct_odds(rows).row("authoritarian")["ratio"]
        assert np.log(ratio) == pytest.approx(best[0], abs=1e-3)

    def test_the_sentence_and_the_first_choice_are_the_same_estimate(self, joined):
        rows = direct_acts.direct_or_cooperative(joined, YEARS)
        table = direct_acts.direct_choices(joined, YEARS).set_index("choice")
        sentence = direct_acts.direct_sentence(rows, "the five")
        assert f"{table.loc['as chosen', 'ratio']:.2g} times [" in sentence
        few = direct_acts.direct_sentence(rows[~rows["direct"]], "the five")
        assert few.startswith("Too few acts of the five")
