"""The headlines of 05, 06, 08 and 09, each computed again in another way.

Those of 03, 04 and 07 are in test_targeting.py, test_hosts.py and test_host_acts.py.

pandas, scipy and statsmodels alone: none of what capelib counts with is used for the second number.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.duration.survfunc import SurvfuncRight

import capelib as cape
from capelib.estimators.clusters import linked
from capelib.paths import project_folder
from capelib.questions import journeys, stage_bounds
from capelib.questions.relatives import NOT_FREE
from capelib.vocabulary.groups import group


@pytest.fixture(scope="module")
def ds():
    return cape.load().where(origin=cape.CENTRAL_ASIA)


@pytest.fixture(scope="module")
def rows(ds):
    """Incidents with the exile's category, joined here."""
    table = ds.incidents.merge(ds.exiles[["exile_id", "category", "is_group"]], on="exile_id")
    return table.assign(stage=table["stage"].astype(int))


def to_2024(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["date_start"].isna() | (rows["date_end"] <= pd.Timestamp("2024-12-31"))]


@pytest.fixture(scope="module")
def result(ds):
    return cape.stages.stages(ds.joined(), 1990, 2024, 2024)


def test_05_the_shares_and_the_test_of_being_held(rows, result):
    persons = to_2024(rows[~rows["is_group"]]).groupby("exile_id")
    exiles = persons.agg(
        stage=("stage", "max"), origin=("origin", "first"), category=("category", "first")
    )
    assert result.share(3).share == pytest.approx((exiles["stage"] == 3).mean())
    assert result.share(2).share == pytest.approx((exiles["stage"] == 2).mean())
    x = pd.get_dummies(exiles[["origin", "category"]].astype(str), dtype=float)
    x = x.drop(columns=["origin_UZB", "category_opposition"])
    held = sm.Logit((exiles["stage"] >= 2).astype(float), sm.add_constant(x)).fit(disp=0)
    terms = result.fit.terms.set_index("level")
    for level in ("religious", "journalist_civil_society", "unknown"):
        ratio = np.exp(held.params[f"category_{level}"])
        assert terms.loc[level, "held"] == pytest.approx(ratio, rel=1e-4)
    # clusters as statsmodels knows them (CR1): another error, the same verdict
    cluster = result.exiles.set_index("exile_id").loc[exiles.index, "cluster"]
    robust = sm.Logit((exiles["stage"] >= 2).astype(float), sm.add_constant(x)).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": cluster.to_numpy()}
    )
    names = [name for name in x.columns if name.startswith("category")]
    by_category = robust.wald_test(np.eye(len(x.columns) + 1)[
        [list(x.columns).index(name) + 1 for name in names]], scalar=True)  # fmt: skip
    shown = result.tests.tests.set_index(["step", "factor"])["holm"]
    assert by_category.pvalue * 4 < 0.05
    assert shown["being held or worse", "category"] < 0.05


@pytest.mark.slow
def test_05_the_ends_of_the_range_within_five_years(rows, result):
    """Each exile's times again, one by one, and Kaplan and Meier's estimate by statsmodels."""
    end, shares, kinds = pd.Timestamp("2024-12-31"), {}, []
    for _, mine in to_2024(rows[~rows["is_group"]]).groupby("exile_id"):
        lower, third = mine[mine["stage"] < 3], mine[mine["stage"] == 3]
        dated = lower["date_start"].notna().any()
        first, last = lower["date_start"].min(), lower["date_end"].min()
        reached, by = third["date_start"].min(), third["date_end"].min()
        if not dated or (len(third) and by < first):
            if pd.notna(reached):
                kinds.append((True, False, 0.0, 0.0, 0.0, 0.0))
            continue
        unclear = bool(len(third)) and not reached > last
        stop, until = (reached, by) if pd.notna(reached) else (end, end)
        times = [max((stop - last).days, 0), max((until - first).days, 0)]
        if len(third) and pd.isna(reached):
            times[0] = 0
        seen = [
            max((mine["date_start"].max() - last).days, 0),
            max((min(mine["date_end"].max(), end) - first).days, 0),
        ]
        kinds.append((bool(len(third)), unclear, *times, *(times if len(third) else seen)))
    table = pd.DataFrame(
        kinds, columns=["event", "unclear", "short", "long", "seen_short", "seen_long"]
    )
    at_zero = table["event"] & ~table["unclear"] & (table["long"] == 0)
    for name, part in {"least": table[~at_zero & ~table["unclear"]], "most": table}.items():
        for days in ("short", "long") if name == "least" else ("seen_short", "seen_long"):
            fit = SurvfuncRight(part[days].to_numpy(float), part["event"].astype(int).to_numpy())
            past = fit.surv_times <= 5 * 365.25
            shares[name, days] = 1 - fit.surv_prob[past][-1]
    soon = result.reach()
    assert soon.least == pytest.approx(min(shares["least", "short"], shares["least", "long"]))
    assert soon.most == pytest.approx(
        max(shares["most", "seen_short"], shares["most", "seen_long"])
    )
    five = 5 * 365.25
    own = table[~at_zero]
    assert soon.n == len(own)
    assert soon.lower == pytest.approx((own["event"] & (own["long"] <= five)).mean())
    later = np.where(own["event"], own["short"], own["seen_short"]) > five
    assert soon.upper == pytest.approx(1 - later.mean())


@pytest.mark.slow
def test_06_the_gap_and_both_ends_of_what_unknown_hosts_can_do(ds, rows):
    spells = cape.table("regimes").query("measure == 'fiw'")
    ratings = {
        (row.iso3, year): row.value
        for row in spells.itertuples()
        for year in range(int(row.first_year), int(row.last_year) + 1)
    }

    marked = (rows["measure"] == "relatives_targeted") | rows["relatives_targeted"].fillna(False)
    counts = {"free": [0, 0], "other": [0, 0], "unknown": [0, 0]}
    ordered = rows.assign(hit=marked).sort_values(
        ["date_start", "date_end", "incident_id"], kind="stable"
    )
    for _, mine in ordered.groupby("exile_id"):
        places = zip(mine["host"], mine["year"], strict=True)
        dated = [(host, int(year)) for host, year in places if pd.notna(year)]
        known = [ratings[place] for place in dated if place in ratings]
        side = "unknown" if not known else "free" if known[0] == "F" else "other"
        counts[side][0] += bool(mine["hit"].any())
        counts[side][1] += 1
    result = cape.relatives.relatives(ds.joined())
    assert [result.free.k, result.free.n] == counts["free"]
    assert [result.other.k, result.other.n] == counts["other"]
    gaps = result.comparisons.set_index("comparison")["difference"]
    (free, n_free), (other, n_other), (hits, unknown) = counts.values()
    smallest = free / (n_free + unknown - hits) - (other + hits) / (n_other + hits)
    largest = (free + hits) / (n_free + hits) - other / (n_other + unknown - hits)
    assert gaps["unknown hosts placed against the gap"] == pytest.approx(smallest)
    assert gaps["unknown hosts placed for the gap"] == pytest.approx(largest)
    assert NOT_FREE in set(result.exiles["side"].dropna())
    hosts = cape.relatives.hosts_missing(ds.joined()).set_index("what")
    alone = rows["measure"] == "relatives_targeted"
    assert hosts.loc["relatives targeted", "k"] == rows.loc[alone, "host"].isna().sum()
    assert hosts.loc["stage 3", "k"] == rows.loc[rows["stage"] == 3, "host"].isna().sum()


@pytest.mark.slow
def test_08_who_is_known_because_of_the_arrest_and_who_was_held_after(ds, rows):
    """Days compared one by one; the difference within states by hand from counts."""
    published = ds.sources.set_index("source_id")["published"].dropna()
    last = {
        key: pd.Period(text, {4: "Y", 7: "M", 10: "D"}[len(text)]).end_time.normalize()
        for key, text in published.items()
    }
    never, ever = pd.Timestamp.min, pd.Timestamp.max
    step = (rows["measure"] == "red_notice") | rows["interpol"].fillna(False)
    tally = {"first": 0, "not first": 0, "unknown": 0, "same": 0, "after": 0, "maybe": 0}
    exiles = []
    for _, mine in rows.assign(step=step).groupby("exile_id"):
        first, second = mine["origin"].iloc[0], mine["stage"].eq(3).any()
        exiles.append((first, bool(mine["step"].any()), bool(second)))
        if not mine["step"].any():
            continue
        days = []
        for row in mine.itertuples():
            start = row.date_start if pd.notna(row.date_start) else never
            end = row.date_end if pd.notna(row.date_end) else ever
            report = last.get(row.source_id)
            if report is not None and report >= start:
                end = min(end, report)
            days.append((start, end, row.step, row.stage))
        steps = [day for day in days if day[2]]
        others = [day for day in days if not day[2]]
        early, late = min(day[0] for day in steps), min(day[1] for day in steps)
        if not others or late < min(day[0] for day in others):
            tally["first"] += 1
        elif min(day[1] for day in others) < early:
            tally["not first"] += 1
        else:
            tally["unknown"] += 1
        held = [day for day in others if day[3] == 2]
        if any(day[3] == 2 for day in steps):
            tally["same"] += 1
        elif held and max(day[0] for day in held) > late:
            tally["after"] += 1
        elif held and not max(day[1] for day in held) < early:
            tally["maybe"] += 1
    result = cape.interpol.interpol(ds.joined(), ds.sources)
    assert (result.first.k, result.first.unknown) == (tally["first"], tally["unknown"])
    held = result.follows.set_index("kind").loc["held"]
    assert held[["same incident", "after", "cannot be told"]].tolist() == [
        tally["same"], tally["after"], tally["maybe"],
    ]  # fmt: skip
    table = pd.DataFrame(exiles, columns=["origin", "marked", "ended"])
    shares = table.pivot_table("ended", "origin", "marked", aggfunc=["mean", "size"])
    weight = shares["size"] / shares["size"].sum()
    gap = shares["mean"][True] - shares["mean"][False]
    within = (weight.mean(axis=1) * gap).sum()
    row = result.compared.set_index(["kind", "group"]).loc[
        ("ended or attacked", "Interpol reported")
    ]
    assert row["within"] == pytest.approx(within)
    raw = table.groupby("marked")["ended"].mean()
    assert row["difference"] == pytest.approx(raw[True] - raw[False])


def test_09_the_shares_and_the_gap_within_states(ds, rows):
    here = to_2024(rows)
    here = here[here["host"].notna() & (here["host"] != here["origin"])]
    pairs = here.groupby(["exile_id", "host"]).agg(
        stage=("stage", "max"), origin=("origin", "first")
    )
    pairs = pairs.reset_index()
    pairs["inside"] = pairs["host"].isin(group("former_soviet"))
    persons = pairs.groupby("exile_id").agg(inside=("inside", "any"), stage=("stage", "max"))
    result = journeys.journeys(ds.incidents, 1990, 2024)
    values = result.estimates.set_index("estimate")["value"]
    assert values[journeys.INSIDE] == pytest.approx(persons["inside"].mean())
    assert values[journeys.CAUGHT] == pytest.approx((persons["stage"] >= 2).mean())
    ended = (pairs["stage"] == 3).astype(float)
    line = sm.OLS(ended, sm.add_constant(pairs["inside"].astype(float))).fit()
    assert values[journeys.GAP] == pytest.approx(line.params["inside"])
    # within states: a linear model with the states, and Kitagawa's by hand
    states = pd.get_dummies(pairs["origin"], dtype=float)
    model = sm.OLS(ended, states.assign(inside=pairs["inside"].astype(float))).fit()
    assert values[journeys.GAP_WITHIN] == pytest.approx(model.params["inside"], abs=0.03)
    cells = pairs.assign(ended=ended).pivot_table(
        "ended", "origin", "inside", aggfunc=["mean", "size"]
    )
    weight = (cells["size"] / cells["size"].sum()).mean(axis=1)
    within = (weight * (cells["mean"][True] - cells["mean"][False])).sum()
    assert values[journeys.GAP_WITHIN] == pytest.approx(within)


def test_the_readings_are_named_and_all_there():
    names = [stage_bounds.words_of(reading) for reading in stage_bounds.ALL]
    assert len(set(names)) == 8
    assert names[0] == "watched to the end"


def reported_together(rows: pd.DataFrame) -> dict[str, int]:
    """The groups of exiles who share a source or an episode, by merging sets until none changes."""
    group = {exile: number for number, exile in enumerate(rows["exile_id"].unique())}
    for key in ("source_id", "episode_id"):
        for exiles in rows.dropna(subset=[key]).groupby(key)["exile_id"].unique():
            merged = {group[exile] for exile in exiles}
            group = {exile: min(merged) if number in merged else number
                     for exile, number in group.items()}  # fmt: skip
    return group


def ends_of_gap(hits, side, groups) -> tuple[float, float]:
    """A linear model by statsmodels, with errors clustered (CR1)."""
    x = sm.add_constant(np.asarray(side, dtype=float))
    fit = sm.OLS(np.asarray(hits, dtype=float), x).fit(
        cov_type="cluster", cov_kwds={"groups": np.asarray(groups)}, use_t=True
    )
    low, high = fit.conf_int()[1]
    return low, high


def test_the_clusters_are_those_of_the_csv(rows):
    """From incidents.csv as it lies there: no cluster comes from elsewhere."""
    table = pd.read_csv(project_folder("data") / "incidents.csv", dtype=str)
    table = table[table["origin"].isin(cape.CENTRAL_ASIA)]
    assert table["incident_id"].tolist() == rows.sort_values("incident_id")["incident_id"].tolist()
    mine = pd.Series(reported_together(table))
    theirs = linked(rows)
    pairs = pd.DataFrame({"mine": mine, "theirs": theirs})
    assert pairs.groupby("mine")["theirs"].nunique().eq(1).all()
    assert pairs.groupby("theirs")["mine"].nunique().eq(1).all()


@pytest.mark.slow
def test_06_the_interval_of_the_gap_by_another_error(ds, rows):
    result = cape.relatives.relatives(ds.joined())
    exiles = result.exiles.dropna(subset=["side"])
    groups = pd.Series(reported_together(rows))[exiles["exile_id"].to_numpy()]
    ends = ends_of_gap(exiles["relatives"], exiles["side"] != NOT_FREE, groups)
    shown = result.estimates().set_index("estimate").loc["free hosts minus others"]
    assert (shown["low"], shown["high"]) == pytest.approx(ends, abs=0.03)


def test_08_the_interval_of_the_difference_by_another_error(ds, rows):
    by_exile = rows.assign(
        step=(rows["measure"] == "red_notice") | rows["interpol"].fillna(False),
        third=rows["stage"] == 3,
    ).groupby("exile_id")[["step", "third"]].any()  # fmt: skip
    groups = pd.Series(reported_together(rows))[by_exile.index]
    ends = ends_of_gap(by_exile["third"], by_exile["step"], groups)
    table = cape.interpol.interpol(ds.joined(), ds.sources).compared
    row = table.set_index(["kind", "group"]).loc[("ended or attacked", "Interpol reported")]
    names = ["difference_low", "difference_high"]
    assert tuple(row[names]) == pytest.approx(ends, abs=0.05)


def test_09_the_interval_of_the_gap_by_another_error(ds, rows):
    here = to_2024(rows)
    here = here[here["host"].notna() & (here["host"] != here["origin"])]
    pairs = here.groupby(["exile_id", "host"], as_index=False).agg(
        stage=("stage", "max"), origin=("origin", "first")
    )
    inside = pairs["host"].isin(group("former_soviet"))
    corridor = pairs["origin"] + pairs.groupby("exile_id")["host"].transform("first")
    together = pd.Series(reported_together(here))[pairs["exile_id"].to_numpy()]
    table = journeys.journeys(ds.incidents, 1990, 2024).estimates.set_index("estimate")
    choices = journeys.variants(ds.joined(), 1990, 2024).set_index("choice")
    shown = {
        "corridor": (table.loc[journeys.GAP, ["low", "high"]], corridor),
        "reported together": (choices.loc[journeys.TOGETHER, ["gap_low", "gap_high"]], together),
    }
    for words, (interval, groups) in shown.items():
        ends = ends_of_gap(pairs["stage"] == 3, inside, groups)
        assert tuple(interval) == pytest.approx(ends, abs=0.04), words
    # by host, whose trait it is, the difference is less sure still
    low, high = ends_of_gap(pairs["stage"] == 3, inside, pairs["host"])
    assert low < 0 < high
