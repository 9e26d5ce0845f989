"""Journeys: orders worked by hand and by trying every order, shares counted a second way, maps that
name nobody.
"""

import re
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from shared import slow, spread

import capelib as cape
from capelib.errors import ParameterError
from capelib.estimators.clusters import clustered, clustered_difference, linked
from capelib.estimators.decomposition import kitagawa
from capelib.estimators.shares import difference, wilson
from capelib.figures import journeys as figures
from capelib.figures import map_parts
from capelib.questions import journeys
from capelib.reference import places
from capelib.vocabulary import edtf


@pytest.fixture(scope="module")
def ds():
    return cape.load().where(origin=cape.CENTRAL_ASIA)


def to_2024(rows: pd.DataFrame) -> pd.DataFrame:
    """Without those of 2025, which the period of the notebook leaves out; the undated stay."""
    return rows[rows["year"].isna() | (rows["year"] <= 2024)]


def incidents(*rows: tuple[str, str | None, str | None, int], origin: str = "TJK") -> pd.DataFrame:
    """Incidents from (exile, host, date, stage)."""
    frame = pd.DataFrame(rows, columns=["exile_id", "host", "date", "stage"]).astype(
        {"exile_id": "str", "host": "str", "date": "str"}
    )
    when = edtf.bounds(frame["date"])
    return frame.assign(
        incident_id=[f"I{number:04d}" for number in range(len(frame))],
        source_id=[f"S{number:04d}" for number in range(len(frame))],
        episode_id=pd.Series(None, index=frame.index, dtype="str"),
        origin=origin,
        date_start=when["date_start"],
        date_end=when["date_end"],
        year=edtf.year(when["date_start"], when["date_end"]),
        stage=frame["stage"].astype(pd.CategoricalDtype([1, 2, 3], ordered=True)),
    )


def ordered_hosts(*rows) -> list[tuple]:
    """(step, host, certain) of one exile; None for missing."""
    stays = journeys.stays(incidents(*[("A", *row) for row in rows]))
    return [
        tuple(None if pd.isna(cell) else cell for cell in row)
        for row in stays[["step", "host", "certain"]].to_numpy()
    ]


class TestTheOrderOfHosts:
    def test_dates_apart_give_a_certain_order(self):
        assert ordered_hosts(("RUS", "2015-03-05", 1), ("TUR", "2014", 1)) == [
            (1, "TUR", None),
            (2, "RUS", True),
        ]

    def test_consecutive_incidents_in_one_host_are_one_stay_and_a_return_is_another(self):
        stays = journeys.stays(
            incidents(
                ("A", "RUS", "2010", 1),
                ("A", "RUS", "2011", 3),
                ("A", "DEU", "2012-02", 1),
                ("A", "RUS", "2013-05-01", 2),
            )
        )
        assert stays["host"].tolist() == ["RUS", "DEU", "RUS"]
        assert stays["incidents"].tolist() == [2, 1, 1]
        assert stays["stage"].tolist() == [3, 1, 2]
        assert stays["came_from"].tolist()[1:] == ["RUS", "DEU"]
        assert stays["year"].tolist() == [2010, 2012, 2013]
        assert stays["last"].iloc[0] == pd.Timestamp("2011-12-31")
        assert stays["certain"].tolist()[1:] == [True, True]

    @pytest.mark.parametrize(
        ("first", "other"),
        [("2013", "2013"), ("2013", "2013-03"), ("2013-03", "2013-03-31"), ("2012/2014", "2013")],
    )
    def test_equal_and_overlapping_dates_give_no_order(self, first, other):
        assert [row[2] for row in ordered_hosts(("RUS", first, 1), ("GEO", other, 1))] == [
            None,
            False,
        ]

    def test_the_day_after_is_after(self):
        assert ordered_hosts(("RUS", "2013-03", 1), ("GEO", "2013-04-01", 1))[1] == (2, "GEO", True)

    def test_only_the_move_in_doubt_is_in_doubt(self):
        hosts = ordered_hosts(
            ("UKR", "2014", 1), ("RUS", "2014-05", 1), ("RUS", "2016", 1), ("DEU", "2018", 1)
        )
        assert hosts == [(1, "UKR", None), (2, "RUS", False), (3, "DEU", True)]

    def test_a_move_is_in_doubt_where_the_host_left_is(self):
        """Poland may have come last before Germany, though both lie before it."""
        hosts = ordered_hosts(("RUS", "2014", 1), ("POL", "2014", 1), ("DEU", "2018", 1))
        assert hosts[2] == (3, "DEU", False)

    def test_a_host_without_a_date_has_no_step_and_may_lie_between(self):
        assert ordered_hosts(("RUS", "2010", 1), ("ITA", "2012", 1), ("GBR", None, 2)) == [
            (1, "RUS", None),
            (2, "ITA", False),
            (None, "GBR", False),
        ]

    def test_an_undated_incident_in_a_dated_host_joins_its_stay(self):
        stays = journeys.stays(
            incidents(("A", "RUS", None, 3), ("A", "RUS", "2010", 1), ("A", "ITA", "2012", 1))
        )
        assert stays[["host", "incidents"]].to_numpy().tolist() == [["RUS", 2], ["ITA", 1]]
        assert stays["stage"].tolist() == [3, 1]
        assert stays["certain"].tolist()[1]

    def test_a_single_host_is_the_first_step_with_or_without_a_date(self):
        assert (
            ordered_hosts(("RUS", None, 1))
            == ordered_hosts(("RUS", "2010", 1))
            == [(1, "RUS", None)]
        )

    def test_rows_without_a_host_and_in_the_pursuing_state_are_no_stay(self):
        assert ordered_hosts((None, "2010", 1), ("TJK", "2011", 3), ("RUS", "2012", 1)) == [
            (1, "RUS", None)
        ]

    def test_no_host_at_all_is_an_empty_frame_with_the_same_columns(self):
        stays = journeys.stays(incidents(("A", None, "2010", 1)))
        assert stays.empty
        assert list(stays.columns) == list(
            journeys.stays(incidents(("A", "RUS", "2010", 1))).columns
        )


@pytest.mark.parametrize("seed", spread(range(40), 8))
def test_a_move_is_certain_exactly_where_every_order_that_the_dates_allow_has_it(seed):
    """Brute force: all orders in which nothing comes after what begins later than it ends."""
    rng = np.random.default_rng(seed)
    texts = [
        "2012",
        "2013",
        "2013-02",
        "2013-03",
        "2013-03-10",
        "2014",
        "2014-07",
        "2015-01-01",
        "2016",
    ]
    hosts = ["RUS", "TUR", "POL"]
    rows = [
        ("A", str(rng.choice(hosts)), str(rng.choice(texts)), 1) for _ in range(rng.integers(2, 7))
    ]
    frame = incidents(*rows)
    stays = journeys.stays(frame)
    ordered = frame.sort_values(["date_start", "date_end", "incident_id"])
    count = (
        ordered["host"] != ordered["host"].shift()
    ).cumsum()  # how many incidents lie before each move
    start, end, host = (frame[name].to_numpy() for name in ("date_start", "date_end", "host"))
    allowed = [
        order
        for order in permutations(range(len(frame)))
        if all(
            not end[later] < start[sooner]
            for place, sooner in enumerate(order)
            for later in order[place + 1 :]
        )
    ]
    assert allowed
    for row in stays.itertuples():
        if row.step == 1:
            continue
        before = int((count < row.step).sum())
        group = set(ordered.index[:before])
        everywhere = all(
            set(order[:before]) == group
            and host[order[before - 1]] == row.came_from
            and host[order[before]] == row.host
            for order in allowed
        )
        assert row.certain == everywhere


class TestCounts:
    def test_of_period_keeps_what_may_lie_in_it_and_what_has_no_date(self):
        frame = incidents(
            *[
                ("A", "RUS", date, 1)
                for date in ("1999-12-31", "2000", "1999/2001", "2005-12", "2006", None)
            ]
        )
        assert journeys.of_period(frame, 2000, 2005)["date"].fillna("none").tolist() == [
            "2000",
            "1999/2001",
            "2005-12",
            "none",
        ]

    def test_hosts_on_record_counts_different_hosts(self, ds):
        hosts = journeys.hosts_on_record(journeys.stays(ds.incidents), linked(ds.incidents))
        rows = ds.incidents[
            ds.incidents["host"].notna() & (ds.incidents["host"] != ds.incidents["origin"])
        ]
        number = rows.groupby("exile_id")["host"].nunique()
        assert hosts["exiles"].tolist() == [
            (number == 1).sum(),
            (number == 2).sum(),
            (number > 2).sum(),
        ]
        assert hosts["share"].sum() == pytest.approx(1)
        share = clustered(number == 2, linked(ds.incidents)[number.index])
        assert hosts.loc[1, ["low", "high"]].tolist() == pytest.approx(share[3:5])
        back = incidents(("A", "RUS", "2010", 1), ("A", "DEU", "2012", 1), ("A", "RUS", "2014", 1))
        record = journeys.hosts_on_record(journeys.stays(back), linked(back))
        assert record["exiles"].tolist() == [0, 1, 0]

    def test_moves_by_fewer_than_three_are_pooled_and_never_named(self):
        rows = [
            (f"A{n}", host, date, 1)
            for n in range(3)
            for host, date in (("RUS", "2010"), ("TUR", "2012"))
        ]
        rows += [
            (f"B{n}", host, date, 1)
            for n in range(2)
            for host, date in (("RUS", "2010"), ("DEU", "2012"), ("USA", "2014"))
        ]
        rows += [("C0", "POL", "2013", 1), ("C0", "FRA", "2013", 1)]  # no order
        moves = journeys.moves(journeys.stays(incidents(*rows)))
        assert moves.to_numpy().tolist() == [["RUS", "TUR", 3, 1], ["other", "other", 2, 2]]
        every = journeys.moves(journeys.stays(incidents(*rows)), least=1, certain=False)
        assert every["exiles"].tolist() == [3, 2, 2, 1]
        assert {*every.loc[3, ["from", "to"]]} == {"POL", "FRA"}
        with pytest.raises(ParameterError, match="least must be 1 or more"):
            journeys.moves(moves, least=0)

    def test_the_public_record_has_no_move_that_three_share(self, ds):
        moves = journeys.moves(journeys.stays(ds.incidents))
        assert moves["exiles"].min() >= 3
        assert moves["from"].tolist().count("other") == 1

    def test_directions_by_the_ratings_of_the_year_of_arrival(self):
        rows = [
            ("A", "RUS", "2010", 1),
            ("A", "DEU", "2012", 1),
            ("B", "DEU", "2010", 1),
            ("B", "FRA", "2012", 1),
            ("C", "POL", "2010", 1),
        ]
        rows += [
            ("C", "KGZ", "2019", 1),
            ("D", "KGZ", "2018", 1),
            ("D", "RUS", "2021", 1),
            ("E", "POL", "2013", 1),
            ("E", "FRA", "2013", 1),
        ]
        frame = incidents(*rows)
        directions = journeys.directions(journeys.stays(frame), linked(frame))
        # NF to F; F to F; F to PF; NF (in 2021) to NF; no order
        assert directions[["direction", "moves", "n"]].to_numpy().tolist() == [
            ["to a freer state", 1, 4],
            ["to one rated alike", 2, 4],
            ["to a less free state", 1, 4],
        ]
        frame = incidents(("A", "RUS", "2010", 1))
        nobody = journeys.directions(journeys.stays(frame), linked(frame))
        assert nobody["n"].tolist() == [0, 0, 0]
        assert nobody["share"].isna().all()

    def test_by_host_by_hand(self):
        rows = [
            ("A", "RUS", "2010", 1),
            ("A", "RUS", None, 3),
            ("B", "RUS", "2010", 1),
            ("C", "RUS", "2010", 2),
            ("A", "DEU", "2012", 1),
        ]
        hosts = journeys.by_host(incidents(*rows), least=2)
        assert hosts[
            ["host", "hosts", "exiles", "stage_1", "stage_2", "stage_3", "caught"]
        ].to_numpy().tolist() == [
            ["RUS", 1, 3, 1, 1, 1, 2],
            ["other", 1, 1, 1, 0, 0, 0],
        ]

    def test_by_host_again_by_a_cross_table(self, ds):
        rows = ds.incidents[ds.incidents["host"].notna()]
        pairs = rows.groupby(["exile_id", "host"])["stage"].max().reset_index()
        table = pd.crosstab(pairs["host"], pairs["stage"]).rename(
            columns=lambda stage: f"stage_{stage}"
        )
        hosts = journeys.by_host(ds.incidents, least=1).set_index("host")
        assert hosts[["stage_1", "stage_2", "stage_3"]].astype("int64").to_dict() == table.to_dict()
        pooled = journeys.by_host(ds.incidents)
        clusters = linked(ds.incidents).rename_axis(None)
        assert pooled["exiles"].sum() == len(pairs)
        assert (pooled["exiles"] >= journeys.LEAST_EXILES).all()
        assert pooled["hosts"].sum() == pairs["host"].nunique()
        for row in pooled.itertuples():
            if row.host == journeys.OTHER:
                continue
            part = pairs[pairs["host"] == row.host]
            share = clustered(part["stage"].astype(int) >= 2, clusters[part["exile_id"]])
            assert (row.low, row.high, row.why) == pytest.approx(
                (share.low, share.high, share.why), nan_ok=True
            )


class TestTheResult:
    def test_the_estimates_are_those_counted_by_hand(self, ds):
        result = journeys.journeys(ds.incidents, 1990, 2024)
        rows = journeys.abroad(to_2024(ds.incidents))
        persons = rows.groupby("exile_id").agg(hosts=("host", set), stage=("stage", "max"))
        inside = persons["hosts"].map(lambda hosts: bool(hosts & set(journeys.FORMER_SOVIET)))
        values = result.estimates.set_index("estimate")["value"]
        assert values[journeys.INSIDE] == pytest.approx(inside.mean())
        assert values[journeys.CAUGHT] == pytest.approx((persons["stage"].astype(int) >= 2).mean())
        assert values[journeys.SEVERAL] == pytest.approx((persons["hosts"].map(len) > 1).mean())
        assert (
            result.located + result.missing
            == result.exiles
            == to_2024(ds.incidents)["exile_id"].nunique()
        )
        assert list(result.estimates.columns) == ["estimate", "value", "low", "high", "n", "unit"]

    @pytest.mark.slow
    def test_the_gap_takes_exiles_of_one_corridor_as_one_group(self, ds):
        until = to_2024(ds.incidents)
        rows = journeys.abroad(until)
        rows = rows.assign(
            stage=rows["stage"].astype(int), cluster=rows["exile_id"].map(linked(rows))
        )
        pairs = rows.groupby(["exile_id", "host"])[["stage", "cluster"]].max().reset_index()
        first_host = pairs.groupby("exile_id")["host"].transform("first")
        origin = rows.groupby(["exile_id", "host"])["origin"].first().to_numpy()
        corridor = (origin + " to " + first_host).rename("corridor")
        inside = pairs["host"].isin(journeys.FORMER_SOVIET)
        expected = clustered_difference(pairs["stage"] == 3, inside, corridor)
        gap = journeys.journeys(ds.incidents, 1990, 2024).estimates.iloc[3]
        assert tuple(gap["value":"high"]) == pytest.approx(expected[:3])
        spaces = journeys.by_space(until).set_index("space")["ended"]
        assert gap["value"] == pytest.approx(spaces["inside"] - spaces["beyond"])
        variants = journeys.variants(ds.joined(), 1990, 2024).set_index("choice")
        together = clustered_difference(pairs["stage"] == 3, inside, pairs["cluster"])
        row = variants.loc[journeys.TOGETHER, "gap":"gap_high"]
        assert tuple(row) == pytest.approx(together[:3])
        naive = variants.loc[journeys.INDEPENDENT]
        sides = [
            wilson(int((pairs["stage"][side] == 3).sum()), int(side.sum()))
            for side in (inside, ~inside)
        ]
        assert tuple(naive["gap":"gap_high"]) == pytest.approx(difference(*sides))
        assert gap["high"] - gap["low"] > naive["gap_high"] - naive["gap_low"]
        persons = int(variants.loc["as chosen", "exiles"])
        share = wilson(round(naive["caught"] * persons), persons)
        assert tuple(naive["caught":"caught_high"]) == pytest.approx(share[2:])
        assert variants.loc["as chosen", "gap_low"] == gap["low"]
        within = kitagawa(
            pairs["stage"] == 3,
            inside,
            pairs["exile_id"].str[:3].rename("origin"),
            corridor,
        ).within
        estimates = journeys.journeys(ds.incidents, 1990, 2024).estimates.set_index("estimate")
        shown = estimates.loc[journeys.GAP_WITHIN, ["value", "low", "high"]]
        assert tuple(shown) == pytest.approx(within, abs=0.01)
        assert variants.loc["without the measure other", "exiles"] < persons
        assert variants.loc["from 2001 on", "exiles"] < persons
        sentence = journeys.journeys(ds.incidents, 1990, 2024).sentence("exiles")
        assert gap["low"] < 0 < gap["high"]
        assert sentence.endswith("which may be no difference at all.")

    def test_hosts_that_differ_by_themselves_give_no_sure_difference(self):
        """Each host has one outcome: who was reported together says nothing of that."""
        ends = {"RUS": 3, "KAZ": 3, "KGZ": 1, "UKR": 3, "TUR": 1, "DEU": 1, "POL": 3, "AUT": 1}
        rows = [
            (f"{host}{n}", host, "2010", stage) for host, stage in ends.items() for n in range(12)
        ]
        frame = incidents(*rows)
        estimates = journeys.journeys(frame, 1990, 2024).estimates.set_index("estimate")
        gap = estimates.loc[journeys.GAP]
        assert gap["value"] == pytest.approx(0.5)
        assert gap["low"] < 0 < gap["high"]
        table = frame.assign(
            doubtful=False, attribution=None, source_kind="news_media", measure="detention"
        )
        choices = journeys.variants(table, 1990, 2024).set_index("choice")
        assert choices.loc[journeys.TOGETHER, "gap_low"] > 0

    @pytest.mark.slow
    def test_the_interval_of_the_gap_is_too_narrow_where_hosts_differ_as_its_notes_say(self, ds):
        """Drawn without a difference, on the hosts and exiles of the record."""
        pairs = journeys.reached(journeys.abroad(to_2024(ds.incidents)))
        inside = pairs["host"].isin(journeys.FORMER_SOVIET)
        draw, holds = np.random.default_rng(5), {"corridor": [], "cluster": []}
        for _ in range(120):
            level = sum(
                pairs[key].map({name: draw.normal(0, sd) for name in pairs[key].unique()})
                for key, sd in (("host", 0.7), ("cluster", 0.8))
            )
            ended = draw.random(len(pairs)) < 1 / (1 + np.exp(0.5 - level))
            for key, held in holds.items():
                _, low, high, *_ = clustered_difference(
                    pd.Series(ended, pairs.index), inside, pairs[key]
                )
                held.append(low <= 0 <= high)
        coverage = {key: np.mean(held) for key, held in holds.items()}
        assert coverage["cluster"] < coverage["corridor"] - 0.05
        assert 0.65 < coverage["corridor"] < 0.87
        assert 0.5 < coverage["cluster"] < 0.72

    def test_what_one_host_decides_has_no_interval_and_says_so(self):
        rows = [(f"A{n}", "RUS", "2010", 3) for n in range(12)]
        rows += [(f"B{n}", host, "2010", 1) for n, host in enumerate(["TUR", "DEU", "POL", "AUT"])]
        sentence = journeys.journeys(incidents(*rows), 1990, 2024).sentence("exiles")
        assert sentence.endswith("+100 points (no interval), since too few hosts decide it.")

    def test_other_choices_that_hold_none_are_counted(self):
        choices = pd.DataFrame({
            "choice": ["as chosen", "without alleged cases", journeys.HOST, journeys.TOGETHER],
            "gap": [0.2, 0.05, 0.2, 0.2],
            "gap_low": [0.1, -0.1, 0.1, 0.1],
            "gap_high": [0.3, 0.2, 0.3, 0.3],
        })  # fmt: skip
        counted = (
            "; it may be none under 1 of 2 other choices "
            "(without alleged cases: +5 points [-10, +20])"
        )
        assert journeys._under_choices(choices) == counted
        no_interval = choices.mask(choices["choice"] == journeys.HOST, np.nan)
        no_interval["choice"] = choices["choice"]
        assert journeys._under_choices(no_interval) == (
            "; by host no interval can be given" + counted.replace("of 2", "of 1")
        )

    def test_a_host_known_from_one_report_has_no_interval_and_is_no_extreme(self):
        rows = [(f"A{n}", "RUS", "2010", 3) for n in range(12)]
        rows += [(f"B{n}", "POL", "2010", 1) for n in range(12)]
        rows += [(f"C{n}", "TUR", "2010", 1 + n % 2) for n in range(12)]
        frame = incidents(*rows)
        frame.loc[frame["host"] == "POL", "source_id"] = "S9999"
        result = journeys.journeys(frame, 2000, 2020)
        hosts = result.hosts.set_index("host")
        assert hosts.loc["POL", "why"] == "all 12 cases belong together: no interval"
        assert hosts.loc[["POL"], ["low", "high"]].isna().all(axis=None)
        assert hosts.loc["POL", "share"] == 0
        sentence = result.sentence("exiles")
        assert "Poland" not in sentence
        pooled = hosts.loc["TUR", "pooled"]
        assert pooled == pytest.approx(0.5, abs=0.05)
        assert f"from Türkiye {100 * pooled:.0f} % [" in sentence

    @pytest.mark.slow
    def test_known_shares_come_back_and_their_intervals_hold_them(self):
        """Simulated exiles: 70 % inside, stage 3 for half of those inside and a quarter of those
        beyond. Two hosts are too few for an interval of the difference.
        """
        rng, hits, values = np.random.default_rng(3), 0, []
        frame = incidents(*[(f"A{n}", "RUS", "2010", 1) for n in range(120)])
        for _ in range(60):
            inside = rng.random(120) < 0.7
            ended = rng.random(120) < np.where(inside, 0.5, 0.25)
            drawn = frame.assign(host=np.where(inside, "RUS", "DEU"), stage=np.where(ended, 3, 1))
            share, gap = journeys.journeys(drawn, 2000, 2020).estimates.iloc[[0, 3]].itertuples()
            hits += share.low <= 0.7 <= share.high
            assert pd.isna(gap.low) and pd.isna(gap.high)
            values.append((share.value, gap.value))
        assert np.mean(values, axis=0) == pytest.approx([0.7, 0.25], abs=0.03)
        assert abs(hits / 60 - 0.95) < 0.02 + 2 * np.sqrt(0.95 * 0.05 / 60)

    def test_the_order_is_counted_openly(self, ds):
        counts = journeys.journeys(ds.incidents, 1990, 2024).order()["n"].tolist()
        assert counts[2] == counts[3] + counts[4]
        assert min(counts) > 0

    @pytest.mark.parametrize(
        "rows", [[("A", None, "2010", 1)], [("A", "RUS", "2010", 1)], [("A", "TJK", "2010", 3)]]
    )
    def test_few_cases_give_a_sentence_and_empty_tables(self, rows):
        result = journeys.journeys(incidents(*rows), 2000, 2020)
        sentence = result.sentence("exiles pursued by Tajikistan")
        assert sentence.startswith(
            (
                "No host is on record for exiles",
                "Of the exiles pursued by Tajikistan with a host on record in 2000-2020 (n = 1)",
            )
        )
        assert len(result.estimates) == 5
        assert result.order()["n"].sum() == 0

    @pytest.mark.slow
    def test_variants_leave_out_what_they_say(self, ds):
        rows = journeys.variants(ds.joined(), 1990, 2024).set_index("choice")
        assert rows.loc["as chosen", "exiles"] == 493
        sure = ds.where(doubtful=False)
        assert (
            rows.loc["without doubtful cases", "caught"]
            == journeys.journeys(sure.incidents, 1990, 2024).estimates.loc[1, "value"]
        )
        assert (
            rows.loc["Baltic states count as beyond", "inside"] <= rows.loc["as chosen", "inside"]
        )
        assert rows.loc["dated incidents only", "exiles"] < 493


class TestTheMap:
    def draw(self, part, origins):
        return figures.journey_map(
            journeys.journeys(part.incidents, 1990, 2024), part.info, origins
        )

    @pytest.mark.slow
    def test_it_is_the_same_bytes_each_time_and_not_too_large(self, ds):
        first, second = (self.draw(ds, cape.CENTRAL_ASIA).picture("svg") for _ in range(2))
        assert first == second
        assert len(first) < 600_000

    @pytest.mark.parametrize("origin", ["TJK", "BLR", *map(slow, ("TUR", "VEN", "CHN"))])
    @pytest.mark.slow
    def test_it_is_drawn_for_many_cases_and_for_few(self, origin):
        part = cape.load().where(origin=origin)
        chart = self.draw(part, (origin,))
        assert chart.picture("png")
        hosts = chart.data[chart.data["what"] == "host"]
        assert set(hosts["to"]) == set(journeys.abroad(part.incidents)["host"])
        assert figures.caught_by_host(
            journeys.journeys(part.incidents, 1990, 2024), part.info
        ).picture("png")

    @pytest.mark.slow
    def test_it_is_drawn_without_any_host(self, ds):
        nobody = journeys.journeys(
            ds.incidents.assign(host=pd.Series(None, index=ds.incidents.index, dtype="str")),
            1990,
            2024,
        )
        chart = figures.journey_map(nobody, ds.info, cape.CENTRAL_ASIA)
        assert "no host on record" in [
            text.get_text() for axis in chart.figure.axes for text in axis.texts
        ]
        assert chart.picture("png")
        assert chart.data.empty
        assert figures.caught_by_host(nobody, ds.info).picture("png")

    @pytest.mark.slow
    def test_counts_below_three_are_not_split_and_no_such_line_is_drawn(self, ds):
        data = self.draw(ds, cape.CENTRAL_ASIA).data
        hosts, lines = data[data["what"] == "host"], data[data["what"] != "host"]
        few = hosts[hosts["exiles"] < 3]
        assert len(few) and few[["stage_1", "stage_2", "stage_3"]].isna().all(axis=None)
        assert (
            hosts.loc[hosts["exiles"] >= 3, ["stage_1", "stage_2", "stage_3"]].sum(axis=1)
            == hosts.loc[hosts["exiles"] >= 3, "exiles"]
        ).all()
        assert (lines["exiles"] >= 3).all()

    @pytest.mark.slow
    def test_what_lies_outside_the_frame_is_named_on_it(self, ds):
        chart = self.draw(ds, cape.CENTRAL_ASIA)
        outside = chart.data[
            (chart.data["shown"] == "outside the frame") & (chart.data["what"] == "host")
        ]
        assert (
            0
            < outside["exiles"].sum()
            <= map_parts.SPARE * chart.data.loc[chart.data["what"] == "host", "exiles"].sum()
        )
        labels = " ".join(text.get_text() for axis in chart.figure.axes for text in axis.texts)
        for state in outside["to"]:
            assert re.search(rf"Outside the frame: .*{cape.states()[state]}", labels)

    @pytest.mark.slow
    def test_labels_cover_no_circle_and_no_other_label(self, ds):
        chart = self.draw(ds, cape.CENTRAL_ASIA)
        chart.picture("png")
        axis = chart.figure.axes[0]
        boxes = [text.get_window_extent() for text in axis.texts]
        assert len(boxes) > 8
        for number, box in enumerate(boxes):
            assert not any(
                box.padded(-1).overlaps(other.padded(-1)) for other in boxes[number + 1 :]
            )
        assert axis.get_window_extent().x1 > max(box.x1 for box in boxes)

    @pytest.mark.slow
    def test_a_move_that_three_made_is_an_arrow(self, ds):
        rows = [
            (f"A{n}", host, date, 1)
            for n in range(3)
            for host, date in (("RUS", "2010"), ("TUR", "2012"))
        ]
        result = journeys.journeys(incidents(*rows), 2000, 2020)
        data = figures.journey_map(result, ds.info, ("TJK",)).data
        assert data[data["what"] == "move"][["from", "to", "exiles"]].to_numpy().tolist() == [
            ["RUS", "TUR", 3]
        ]

    @pytest.mark.slow
    def test_no_line_of_the_background_crosses_the_map(self):
        """Every edge of every shape in the frame is short: a ring that jumped over the antimeridian
        would show as a long one.
        """
        for origins in (cape.CENTRAL_ASIA, ("CHN",)):
            axis = self.draw(cape.load().where(origin=origins), origins).figure.axes[0]
            for patch in axis.patches:
                path = patch.get_path()
                if path.codes is not None and (path.codes == path.CLOSEPOLY).any():
                    for points in path.to_polygons(closed_only=False):
                        assert np.abs(np.diff(points[:, 0])).max() < 15


def test_equal_earth_keeps_areas_and_the_published_extent():
    """x at the antimeridian and y at the pole as in Savric, Patterson and Jenny 2019; areas against
    the sphere's.
    """
    edge = map_parts.equal_earth(np.array([180.0, 0.0]), np.array([0.0, 90.0]))
    assert np.radians(edge[[0, 1], [0, 1]]) == pytest.approx([2.7066299837, 1.3173627592])
    ratios = []
    for south in (-60, 0, 35, 70):
        line = np.linspace(0, 10, 200)
        corner = [
            np.column_stack([line, np.full(200, south)]),
            np.column_stack([np.full(200, 10), south + line]),
        ]
        corner += [
            np.column_stack([line[::-1], np.full(200, south + 10)]),
            np.column_stack([np.full(200, 0), south + line[::-1]]),
        ]
        x, y = np.radians(map_parts.equal_earth(*np.vstack(corner).T)).T
        flat = abs(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
        ratios.append(
            flat / (np.radians(10) * (np.sin(np.radians(south + 10)) - np.sin(np.radians(south))))
        )
    assert ratios == pytest.approx([1.0] * 4, rel=1e-3)


def test_the_world_is_seen_from_any_meridian():
    """Fiji lies across the antimeridian: from there its rings stand together."""
    fiji = next(shape for shape in places.shapes() if shape.iso3 == "FJI")
    middles = [
        map_parts.equal_earth(
            ring[:, 0] - 360 * np.round((ring[:, 0].mean() - 178) / 360), ring[:, 1], 178
        )
        for ring in fiji.rings
    ]
    assert np.ptp([points[:, 0].mean() for points in middles]) < 5
