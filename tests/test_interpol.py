"""Interpol: the order of its step counted by hand, bounds that hold the truth, and what the
comparison cannot say.
"""

import numpy as np
import pandas as pd
import pytest

import capelib as cape
from capelib.estimators.clusters import clustered, clustered_difference
from capelib.estimators.event_order import bounds, clustered_bounds
from capelib.estimators.shares import difference, wilson
from capelib.questions import interpol
from capelib.questions.interpol import GROUPS
from capelib.vocabulary.codebook import stage_of
from capelib.vocabulary.edtf import bounds as days_of
from capelib.vocabulary.edtf import year

TEXT = ["exile_id", "host", "date", "measure"]


def joined(rows: list[tuple]) -> pd.DataFrame:
    """Incidents as `Dataset.joined` gives them: exile, host, date, measure and, where given, the
    mark for Interpol.
    """
    frame = pd.DataFrame([(*row, None)[:5] for row in rows], columns=[*TEXT, "interpol"])
    frame = frame.astype(dict.fromkeys(TEXT, "str") | {"interpol": "boolean"})
    when = days_of(frame["date"])
    return frame.assign(
        origin=frame["exile_id"].str[:3],
        relatives_targeted=pd.array([pd.NA] * len(frame), dtype="boolean"),
        attribution=pd.Series(None, index=frame.index, dtype="str"),
        episode_id=pd.Series(None, index=frame.index, dtype="str"),
        source_id=[f"S{place:04d}" for place in range(1, len(frame) + 1)],
        source_kind="news_media",
        category="unknown",
        is_group=False,
        doubtful=False,
        date_start=when["date_start"],
        date_end=when["date_end"],
        year=year(when["date_start"], when["date_end"]),
        stage=frame["measure"].map(stage_of()),
    )


ROWS = joined(
    [
        ("TJK-0001", "RUS", "2015-02", "red_notice"),  # first; then held, Interpol not named in it
        ("TJK-0001", "RUS", "2016", "detention"),
        (
            "TJK-0002",
            "GRC",
            "2015",
            "detention",
            True,
        ),  # not first: charged before; Interpol named in the arrest
        ("TJK-0002", None, "2014", "other"),
        ("TJK-0003", None, None, "red_notice"),  # cannot be told
        ("TJK-0003", "DEU", "2015-03-01", "extradition_request"),
        ("TJK-0004", "ITA", "2013", "rendition", True),  # every incident names Interpol
        ("TJK-0005", "RUS", "2010", "detention"),  # held before the notice, sent back later
        ("TJK-0005", None, "2012", "red_notice"),
        ("TJK-0005", "RUS", "2014", "extradition"),
        ("TJK-0006", "RUS", "2014", "detention"),  # no Interpol
        ("TJK-0007", "KGZ", "2014", "threat"),
    ]
)


def test_the_order_of_each_exile_by_hand():
    exiles = interpol.of_exiles(ROWS).set_index("exile_id")
    assert exiles["interpol"].tolist() == [True, True, True, True, True, False, False]
    assert exiles["order"].astype("str").tolist()[:5] == [
        "first",
        "not first",
        "cannot be told",
        "first",
        "not first",
    ]
    assert exiles["order"].isna().tolist()[5:] == [True, True]
    assert exiles["alone"].tolist()[:5] == [False, False, False, True, False]
    assert exiles["apart"].tolist() == [True, False, True, False, True, False, False]
    assert exiles["notice"].tolist() == [True, False, True, False, True, False, False]


def test_bounds_table_and_sentence_say_the_same():
    result = interpol.interpol(ROWS)
    assert result.first[:5] == bounds(2, 1, 5)[:5]
    table = interpol.order_table(result)
    assert table["all"].to_dict() == {"first": 2, "not first": 2, "cannot be told": 1}
    assert table["notice by itself"].tolist() == [1, 1, 1]
    assert table["every incident names Interpol"].tolist() == [1, 0, 0]
    sentence = result.sentence("exiles")
    assert (
        "the Interpol step is first for 2, not first for 2, and for 1 it cannot be told" in sentence
    )
    assert "a share of 40 to 60 %" in sentence
    assert (
        "for 1 of the first no incident without Interpol is on record; "
        "among the other 4 the share is 25 to 50 %" in sentence
    )
    assert sentence.startswith(
        "Of the 5 exiles with Interpol named, 1 were held in an incident whose report itself names "
        "Interpol, so that the arrest may be why it is known; certainly held after the step: 1. By"
    )


def test_what_follows_by_hand():
    table = interpol.follows(ROWS).set_index("kind")
    assert (table["n"] == 5).all()
    assert table.loc[
        "held", ["same incident", "after", "cannot be told", "before only", "not recorded"]
    ].tolist() == [1, 1, 0, 1, 2]
    assert table.loc["ended or attacked", ["same incident", "after", "not recorded"]].tolist() == [
        1,
        1,
        3,
    ]


def test_no_incident_lies_after_its_report_and_that_decides_orders():
    rows = ROWS.assign(source_id=[f"S{n}" for n in range(len(ROWS))])
    three = rows.index[rows["exile_id"] == "TJK-0003"].tolist()  # a notice without any date
    reports = pd.DataFrame(
        {
            "source_id": rows.loc[three, "source_id"].to_numpy(),
            "published": ["2014-06", "2014"],  # the second lies before its incident of 2015
        }
    )
    dated = interpol.dated_by_reports(rows, reports)
    assert dated.loc[three[0], "date_end"] == pd.Timestamp("2014-06-30")
    assert pd.isna(dated.loc[three[0], "date_start"])
    assert dated.loc[three[1], "date_end"] == rows.loc[three[1], "date_end"]
    result = interpol.interpol(rows, reports)
    assert (result.first.k, result.first.unknown, result.narrowed) == (3, 0, 1)
    table = result.choices.set_index("choice")
    as_dated = table.loc["without the dates of reports", ["k", "unknown"]]
    assert as_dated.tolist() == [2, 1]
    assert interpol.dated_by_reports(rows, reports[["source_id"]]) is rows


def test_the_difference_within_states_is_what_is_left_of_one_that_states_make():
    """Stage 3 in 3 of 4 of one state and 1 of 4 of another; Interpol mostly in the second."""
    rows = []
    for state, marked, ended in (("UZB", 4, 3), ("KAZ", 20, 1)):
        for n in range(24):
            key = f"{state}-{n:04d}"
            rows.append((key, "RUS", "2014", "threat", n < marked))
            if n % 4 < ended:
                rows.append((key, "RUS", "2015", "rendition"))
    table = interpol.compare(joined(rows)).set_index(["kind", "group"])
    row = table.loc[("ended or attacked", GROUPS[0])]
    assert row["difference"] == pytest.approx((3 + 5) / 24 - (15 + 1) / 24)
    assert row["within"] == pytest.approx(0)
    assert row["within_low"] < 0 < row["within_high"]


def test_the_comparison_by_hand():
    table = interpol.compare(ROWS).set_index(["kind", "group"])
    assert {key: (int(row["k"]), int(row["n"])) for key, row in table.iterrows()} == {
        ("held", GROUPS[0]): (3, 5),
        ("held", GROUPS[1]): (2, 3),
        ("held", GROUPS[2]): (1, 2),
        ("ended or attacked", GROUPS[0]): (2, 5),
        ("ended or attacked", GROUPS[1]): (1, 3),
        ("ended or attacked", GROUPS[2]): (0, 2),
    }
    gap = table.loc[("held", GROUPS[0]), ["difference", "difference_low", "difference_high"]]
    assert gap["difference"] == pytest.approx(3 / 5 - 1 / 2)
    # two exiles, each of a report of its own, are no basis for an interval
    assert gap["difference_low":].isna().all()
    naive = table.loc[("held", GROUPS[0]), ["naive_low", "naive_high"]]
    assert tuple(naive) == pytest.approx(difference(wilson(3, 5), wilson(1, 2))[1:])
    assert table.loc[("held", GROUPS[2]), "difference":].isna().all()


def test_choices_by_hand():
    table = interpol.choices(ROWS).set_index("choice")
    counts = table[["k", "unknown", "n"]].astype(int).apply(tuple, axis=1)
    assert counts["as chosen"] == (2, 1, 5)
    assert counts["only notices recorded by themselves"] == (1, 1, 3)
    assert counts["something else recorded as well"] == (1, 1, 4)
    assert counts["dated incidents only"] == (2, 0, 4)
    order = pd.Series(["first"] * 2 + ["cannot be told"] + ["not first"] * 2)
    expected = list(clustered_bounds(order, pd.Series(range(5)))[3:])
    assert table.loc["as chosen", "lower":].tolist() == pytest.approx(expected)


def test_the_limits_are_those_of_the_clusters():
    order = pd.Series(["first"] * 9 + ["cannot be told"] * 4 + ["not first"] * 7)
    cluster = pd.Series([0] * 3 + list(range(1, 18)))
    share = clustered_bounds(order, cluster)
    assert share[:5] == bounds(9, 4, 20)[:5]
    assert share.low == clustered(order == "first", cluster).low < bounds(9, 4, 20).low
    assert share.high == clustered(order != "not first", cluster).high > bounds(9, 4, 20).high


def test_exiles_reported_together_are_nowhere_taken_as_independent():
    """Every share and difference is recomputed from who was reported together."""
    rows = cape.load().where(origin=cape.CENTRAL_ASIA).joined()
    result = interpol.interpol(rows)
    exiles = result.exiles.set_index("exile_id")
    assert exiles["cluster"].nunique() < len(exiles)
    held = exiles.index.isin(rows.loc[rows["stage"].astype(int) == 2, "exile_id"])
    held = pd.Series(held, exiles.index)
    gap = clustered_difference(held, exiles["interpol"], exiles["cluster"])
    shown = result.compared.set_index(["kind", "group"]).loc[("held", GROUPS[0])]
    assert tuple(shown["difference":"difference_high"]) == pytest.approx(gap[:3])
    assert (shown["low"], shown["high"]) == pytest.approx((gap.group.low, gap.group.high))
    estimate = result.estimates().set_index("estimate").loc["held, with Interpol minus without"]
    assert tuple(estimate["value":"high"]) == pytest.approx(gap[:3])


def test_hosts_with_fewer_than_three_persons_are_not_named():
    rows = [(f"TJK-000{i}", "UKR", "2015", "detention", True) for i in range(3)]
    rows += [
        ("TJK-0000", "UKR", "2015-06", "detention"),
        ("TJK-0007", "DEU", "2015", "detention", True),
        ("TJK-0008", "UKR", "2015", "detention"),
    ]
    rows += [("TJK-0009", None, "2015", "detention", True)]
    held = interpol.held_where(joined(rows)).set_index("host")
    assert held.loc["Ukraine"].tolist() == [
        "PF",
        3,
        3,
    ]  # the one without Interpol is not among them, and nobody counts twice
    assert held.loc["others"].tolist() == ["all", 2, 2]
    assert "Germany" not in held.index


def test_the_first_arrest_decides_the_kind_of_host():
    rows = [
        ("TJK-0001", "RUS", "2014", "detention", True),
        ("TJK-0001", "DEU", "2012", "detention"),
        ("TJK-0002", "RUS", "2014", "detention"),
    ]
    by_regime = interpol.held_by_regime(
        joined([*rows, ("TJK-0003", None, "2014", "detention")])
    ).set_index(["group", "rating"])
    assert by_regime["k"].to_dict() == {
        **{(GROUPS[0], "NF"): 0, (GROUPS[0], "PF"): 0, (GROUPS[0], "F"): 1},
        **{(GROUPS[2], "NF"): 1, (GROUPS[2], "PF"): 0, (GROUPS[2], "F"): 0},
    }
    assert (by_regime["n"] == 1).all()


def collection(rng, n: int, first: float) -> tuple[pd.DataFrame, int]:
    """Exiles whose notice comes before or after the charges; days are then coarsened or lost, more
    often for late notices.
    """
    rows, truth = [], 0
    for place in range(n):
        ahead = rng.random() < first
        notice, charge = np.sort(rng.choice(1500, 2, replace=False))[:: 1 if ahead else -1]
        truth += ahead
        for day, measure in ((notice, "red_notice"), (charge, "other")):
            form = rng.choice(
                ["%Y-%m-%d", "%Y-%m", "%Y", ""],
                p=[0.5, 0.2, 0.2, 0.1] if ahead else [0.2, 0.2, 0.4, 0.2],
            )
            text = (
                (pd.Timestamp("2010-01-01") + pd.Timedelta(days=int(day))).strftime(form)
                if form
                else None
            )
            rows.append((f"TJK-{place:04d}", "RUS", text, measure))
    return joined(rows), truth


@pytest.mark.slow
def test_the_bounds_hold_the_true_share_of_each_collection_and_the_limits_that_of_the_population():
    """60 collections in which dates go missing by what they hide: the bounds hold each time, the
    limits in at least 95 of 100.
    """
    rng, hits = np.random.default_rng(8), 0
    for _ in range(60):
        rows, truth = collection(rng, 29, 0.6)
        orders = interpol.of_exiles(rows)["order"]
        share = bounds(
            int((orders == "first").sum()), int((orders == "cannot be told").sum()), len(orders)
        )
        assert share.k <= truth <= share.k + share.unknown
        hits += share.low <= 0.6 <= share.high
    assert hits / 60 >= 0.95


def test_marks_that_arrests_make_known_look_like_an_effect_and_the_second_group_does_not():
    """In truth nobody is arrested because of a notice. An arrest makes the notice known in half of
    the cases, else one in ten is known.
    """
    rng, rows = np.random.default_rng(9), []
    for place in range(1500):
        exile, held = f"TJK-{place:04d}", rng.random() < 0.4
        if held:
            rows.append((exile, "RUS", "2015", "detention", True if rng.random() < 0.5 else None))
        rows.append((exile, "RUS", "2014", "other", True if rng.random() < 0.1 else None))
    table = interpol.compare(joined(rows)).set_index(["kind", "group"])
    assert table.loc[("held", GROUPS[0]), "difference_low"] > 0.2
    assert (
        table.loc[("held", GROUPS[1]), "difference"]
        < table.loc[("held", GROUPS[0]), "difference"] - 0.2
    )


def test_without_any_mark_the_question_is_not_answered():
    some = interpol.interpol(ROWS[ROWS["exile_id"] == "TJK-0003"].reset_index(drop=True))
    assert some.sentence("exiles").endswith(
        "first for 0, not first for 0, and for 1 it cannot be told: too few for a share."
    )
    result = interpol.interpol(
        ROWS[ROWS["exile_id"].isin(["TJK-0006", "TJK-0007"])].reset_index(drop=True)
    )
    assert result.first is None
    assert result.sentence("exiles").startswith("No report on exiles names Interpol")
    assert result.estimates()["value"].isna().all()
    assert interpol.order_table(result).to_numpy().sum() == 0
    nobody = interpol.interpol(ROWS[:0])
    assert nobody.first is None
    assert (nobody.compared["n"] == 0).all()


@pytest.mark.parametrize("origin", [cape.CENTRAL_ASIA, "TUR", "VEN"])
def test_the_figures_of_08_are_drawn_for_many_cases_and_for_too_few(origin):
    ds = cape.load().where(origin=origin)
    rows = ds.joined()
    result = interpol.interpol(rows)
    for chart in (
        cape.figures.interpol_first(result, ds.info, "exiles"),
        cape.figures.interpol_follows(result, ds.info),
        cape.figures.interpol_compared(result, ds.info),
        cape.figures.interpol_held(interpol.held_by_regime(rows), ds.info, "fiw"),
    ):
        assert chart.picture("png")


@pytest.mark.parametrize("measure", ["row", "lied"])
def test_hosts_can_be_rated_by_each_measure(measure):
    ds = cape.load().where(origin=cape.CENTRAL_ASIA)
    table = interpol.held_by_regime(ds.joined(), measure)
    assert (
        table.groupby("group")["k"].sum().tolist() == table.groupby("group")["n"].first().tolist()
    )
    assert cape.figures.interpol_held(table, ds.info, measure).picture("png")
