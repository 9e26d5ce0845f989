"""Relatives: shares counted by hand, the host of an exile with several, the gap between hosts."""

import numpy as np
import pandas as pd
import pytest

import capelib as cape
from capelib.errors import DataError, ParameterError
from capelib.estimators.clusters import clustered, linked
from capelib.estimators.shares import difference, wilson
from capelib.questions import relatives
from capelib.questions.relatives import FREE, NOT_FREE
from capelib.vocabulary.codebook import codebook, stage_of
from capelib.vocabulary.edtf import bounds as days_of
from capelib.vocabulary.edtf import year

COLUMNS = [
    *("exile_id", "origin", "host", "date", "measure"),
    *("mark", "category", "episode_id", "source_id"),
]


def joined(rows: list[tuple]) -> pd.DataFrame:
    """Incidents as `Dataset.joined` gives them, from rows that may stop early.

    Every incident has a source of its own unless one is given.
    """
    filled = [(*row, *([None] * (len(COLUMNS) - len(row)))) for row in rows]
    frame = pd.DataFrame(filled, columns=COLUMNS)
    frame = frame.astype(
        dict.fromkeys(("exile_id", "origin", "host", "date", "measure", "episode_id"), "str")
    )
    frame["source_id"] = [
        given or f"S{place:04d}" for place, given in enumerate(frame["source_id"], 1)
    ]
    when = days_of(frame["date"])
    return frame.assign(
        relatives_targeted=frame.pop("mark").astype("boolean"),
        interpol=pd.array([pd.NA] * len(frame), dtype="boolean"),
        attribution=pd.Series(None, index=frame.index, dtype="str"),
        category=frame["category"].fillna("unknown"),
        is_group=False,
        doubtful=False,
        source_kind="news_media",
        date_start=when["date_start"],
        date_end=when["date_end"],
        year=year(when["date_start"], when["date_end"]),
        stage=frame["measure"].map(stage_of()),
    )


# 2015: Germany is Free, Kyrgyzstan Partly Free, Russia Not Free
ROWS = joined(
    [
        ("TJK-0001", "TJK", "DEU", "2015", "relatives_targeted", True, "opposition"),
        ("TJK-0001", "TJK", "DEU", "2016", "threat", None, "opposition"),
        ("TJK-0002", "TJK", "RUS", "2009-05", "detention", True, "opposition"),
        ("TJK-0003", "TJK", "RUS", "2015", "extradition", None, "religious"),
        ("UZB-0004", "UZB", "KGZ", "2015", "rendition", None, "religious"),
        # the measure alone is enough
        ("UZB-0005", "UZB", None, None, "relatives_targeted", None, "religious"),
        ("UZB-0006", "UZB", "DEU", "2011", "threat", None, "opposition"),
    ]
)


def test_the_shares_of_a_small_frame_counted_by_hand():
    result = relatives.relatives(ROWS)
    everyone = pd.Series([True] * 3 + [False] * 3)
    assert result.overall == clustered(everyone, pd.Series(range(6)))
    shares = result.shares.set_index(["kind", "group"])
    assert {key: (int(row["k"]), int(row["n"])) for key, row in shares.iterrows()} == {
        ("origin", "Tajikistan"): (2, 3),
        ("origin", "Uzbekistan"): (1, 3),
        ("category", "Opposition"): (2, 3),
        ("category", "Religious"): (1, 3),
        ("first report", "until 2010"): (1, 1),
        ("first report", "2011-2015"): (1, 4),
        ("first report", "year not known"): (1, 1),
        ("host", "free hosts"): (1, 2),
        ("host", "other hosts"): (1, 3),
        ("host", "host not known"): (1, 1),
    }
    assert tuple(shares.loc[("origin", "Tajikistan"), ["share", "low", "high"]]) == pytest.approx(
        clustered(everyone[1:4], pd.Series(range(1, 4)))[2:5]
    )
    assert (result.free[:3], result.other[:3]) == ((1, 2, 1 / 2), (1, 3, 1 / 3))
    assert result.gap is None
    assert result.why == "2 in free hosts and 3 in other hosts; each side needs 5 exiles"


def test_what_counts_as_relatives_and_of_which_kind_everything_else_is():
    assert relatives.targeted(ROWS).tolist() == [True, False, True, False, False, True, False]
    kinds = relatives.kind_of(ROWS).astype("str").tolist()
    assert kinds[1:5] == [
        "put on notice otherwise",
        "held",
        "sent or taken back",
        "sent or taken back",
    ]


def test_every_measure_has_a_kind_and_one_without_is_an_error_that_names_the_file(monkeypatch):
    every = pd.DataFrame({"measure": list(stage_of())})
    missing = every.loc[relatives.kind_of(every).isna(), "measure"].tolist()
    assert missing == ["relatives_targeted"]
    monkeypatch.delitem(codebook()["codes"]["measure"]["rendition"], "kind")
    message = r"data/codebook.toml: \[codes.measure.rendition\] needs a kind: one of notice, held, "
    with pytest.raises(DataError, match=message):
        relatives.kind_of(every)


def test_the_host_of_an_exile_with_several_is_decided_by_the_rule():
    rows = joined(
        [
            ("TJK-0001", "TJK", "DEU", "2016", "threat"),
            ("TJK-0001", "TJK", "RUS", "2014-03", "detention"),
            ("TJK-0001", "TJK", None, "2010", "other"),  # no host
            ("TJK-0001", "TJK", "POL", None, "threat"),  # no year, so no rating
            ("TJK-0002", "TJK", "DEU", "2014", "threat"),
            ("TJK-0002", "TJK", "AUT", "2015", "threat"),
        ]
    )
    sides = {
        rule: relatives.of_exiles(rows, rule=rule).set_index("exile_id")[["host", "side"]]
        for rule in relatives.HOST_RULES
    }
    assert sides["first"].loc["TJK-0001"].tolist() == ["RUS", NOT_FREE]
    assert sides["last"].loc["TJK-0001"].tolist() == ["DEU", FREE]
    assert sides["one only"].loc["TJK-0001"].isna().all()
    assert sides["one only"].loc["TJK-0002"].tolist() == ["DEU", FREE]
    with pytest.raises(ParameterError, match="unknown host rule 'frist': did you mean first"):
        relatives.of_exiles(rows, rule="frist")


def test_the_host_does_not_depend_on_whether_relatives_are_reported():
    with_mark, without = (
        ROWS,
        ROWS.assign(relatives_targeted=pd.NA).astype({"relatives_targeted": "boolean"}),
    )
    for rule in relatives.HOST_RULES:
        assert relatives.of_exiles(with_mark, rule=rule)["host"].equals(
            relatives.of_exiles(without, rule=rule)["host"]
        )


def test_free_is_what_the_reader_says_and_the_rating_is_that_of_the_year():
    rows = joined(
        [("TJK-0001", "TJK", "KGZ", "2015", "threat"), ("TJK-0002", "TJK", "KGZ", "2009", "threat")]
    )
    assert relatives.of_exiles(rows, cutoff="PF")["side"].tolist() == [NOT_FREE, NOT_FREE]
    assert relatives.of_exiles(rows, cutoff="NF")["side"].tolist() == [FREE, NOT_FREE]


def test_periods_are_cut_where_the_reader_says():
    years = pd.Series([1999, 2010, 2011, 2015, 2016, None], dtype="Int64")
    words = relatives.period_of(years, [2011, 2016]).astype("str").tolist()
    assert words[:5] == ["until 2010", "until 2010", "2011-2015", "2011-2015", "2016 on"]
    assert pd.isna(words[5])
    assert relatives.period_of(pd.Series([2011]), [2011, 2012]).tolist() == ["2011"]
    for wrong in ([], [2016, 2011], [2011, 2011]):
        with pytest.raises(ParameterError, match="years that rise"):
            relatives.period_of(years, wrong)


def collection(rng, n: int, truth: dict[str, float], seen: float) -> pd.DataFrame:
    """Exiles in two hosts, each with one dated incident; relatives are targeted by chance.

    They are reported in a part of the cases, `seen`.
    """
    rows = []
    for place in range(n):
        host = ("DEU", "RUS")[place % 2]
        mark = True if rng.random() < truth[host] and rng.random() < seen else None
        rows.append((f"TJK-{place:04d}", "TJK", host, "2015", "threat", mark))
    return joined(rows)


@pytest.mark.slow
def test_a_known_gap_comes_back_and_its_interval_holds_it():
    """80 collections; the Monte Carlo error of 95 % is 2.4 points, three of them are allowed."""
    rng, truth, gaps = np.random.default_rng(3), {"DEU": 0.6, "RUS": 0.2}, []
    for _ in range(80):
        gap = relatives.host_gap(relatives.of_exiles(collection(rng, 80, truth, 1.0)))[2]
        gaps.append((gap.value, gap.low <= 0.4 <= gap.high))
    values, hits = np.array(gaps).T
    assert values.mean() == pytest.approx(0.4, abs=4 * values.std() / np.sqrt(80))
    assert hits.mean() >= 0.95 - 0.072


@pytest.mark.slow
def test_shares_are_lower_bounds_of_what_happened():
    rng, truth = np.random.default_rng(4), {"DEU": 0.6, "RUS": 0.6}
    shares = [
        relatives.of_exiles(collection(rng, 80, truth, 0.5))["relatives"].mean() for _ in range(40)
    ]
    assert np.mean(shares) == pytest.approx(0.3, abs=0.04)
    assert max(shares) < 0.6


def test_who_is_known_only_through_relatives_makes_a_gap_and_leaving_them_out_removes_it():
    """No gap in truth: relatives are targeted in half of the cases everywhere.

    In free hosts little else brings an exile into the data.
    """
    rng, rows = np.random.default_rng(5), []
    for place in range(600):
        exile, host, hit = f"TJK-{place:04d}", ("DEU", "RUS")[place % 2], rng.random() < 0.5
        seen_otherwise = rng.random() < (0.3 if host == "DEU" else 1.0)
        if seen_otherwise:
            rows.append((exile, "TJK", host, "2015", "threat"))
        if hit:
            rows.append((exile, "TJK", host, "2016", "relatives_targeted", True))
    table = relatives.comparisons(joined(rows)).set_index("comparison")
    assert table.loc["all exiles with a rated host", "difference_low"] > 0.15  # the artefact
    fair = table.loc["known for something else as well"]
    assert fair["difference_low"] < 0 < fair["difference_high"]


def test_the_worst_case_for_unknown_hosts_holds_every_way_to_place_them():
    rows = [
        ("TJK-0001", "TJK", "DEU", "2015", "threat", True),
        ("TJK-0002", "TJK", "DEU", "2015", "threat", True),
    ]
    rows += [(f"TJK-001{i}", "TJK", "DEU", "2015", "threat", True) for i in range(3)]
    rows += [
        (f"TJK-002{i}", "TJK", "RUS", "2015", "threat", True if i == 0 else None) for i in range(5)
    ]
    unknown = [
        ("TJK-0031", "TJK", None, "2015", "threat", True),
        ("TJK-0032", "TJK", None, "2015", "threat"),
        ("TJK-0033", "TJK", None, "2015", "threat", True),
    ]
    result = relatives.comparisons(joined(rows + unknown)).set_index("comparison")
    worst, best = result.loc[
        ["unknown hosts placed against the gap", "unknown hosts placed for the gap"], "difference"
    ]
    gaps = []
    for choice in range(8):
        placed = [
            (*row[:2], "DEU" if choice >> place & 1 else "RUS", *row[3:])
            for place, row in enumerate(unknown)
        ]
        gaps.append(relatives.host_gap(relatives.of_exiles(joined(rows + placed)))[2].value)
    assert (worst, best) == pytest.approx((min(gaps), max(gaps)))
    assert set(result.index[result["descriptive"]]) == {
        relatives.OTHERWISE,
        "never held, sent back or attacked",
        "held, sent back or attacked",
    }
    missing = relatives.hosts_missing(joined(rows + unknown)).set_index("what")
    assert missing[["k", "n"]].to_numpy().tolist() == [[3, 13]]
    assert result.loc["all exiles with a rated host", "difference"] == pytest.approx(1 - 1 / 5)


def test_exiles_of_one_episode_count_once_but_nobody_loses_what_else_is_known():
    together = ("TJK", "POL", "2016-09", "relatives_targeted", True, None, "E001", "S0001")
    rows = joined(
        [
            *[(f"TJK-000{i}", *together) for i in range(1, 5)],
            ("TJK-0002", "TJK", "POL", "2017", "detention"),
            ("TJK-0009", "TJK", "POL", "2017", "detention"),
        ]
    )
    kept = relatives.once(rows)
    assert sorted(kept["exile_id"].unique()) == ["TJK-0001", "TJK-0002", "TJK-0009"]
    table = relatives.choices(rows).set_index("choice")
    assert table.loc["as chosen", ["k", "n"]].tolist() == [4, 5]
    assert table.loc["exiles of one episode once", ["k", "n"]].tolist() == [2, 3]
    assert table.loc["one exile of each cluster", ["k", "n"]].tolist() == [1, 2]
    assert relatives.of_exiles(rows)["cluster"].nunique() == 2


def test_only_the_measure_leaves_marks_beside_other_measures_out():
    table = relatives.choices(ROWS).set_index("choice")
    assert table.loc["only relatives as the measure, marks left out", ["k", "n"]].tolist() == [2, 6]


def test_what_else_was_done_adds_up_to_all_exiles_with_relatives_reported():
    table = relatives.what_else(ROWS).set_index("kind")
    assert (table["n"] == 3).all()
    assert table.loc["put on notice otherwise", ["after", "not recorded"]].tolist() == [1, 2]
    assert table.loc["held", ["same incident", "not recorded"]].tolist() == [1, 2]


def test_composition_counts_each_exile_once_a_kind():
    table = relatives.composition(pd.concat([ROWS, ROWS], ignore_index=True)).set_index(
        ["kind", "side"]
    )
    assert table.loc[("sent or taken back", NOT_FREE), ["k", "n"]].tolist() == [2, 3]
    assert table.loc[("put on notice otherwise", FREE), ["k", "n"]].tolist() == [2, 2]
    assert table.loc[("relatives targeted", FREE), ["k", "n"]].tolist() == [1, 2]


def test_a_month_is_certain_or_possible():
    rows = joined(
        [
            ("TJK-0001", "TJK", None, "2017-07-07", "relatives_targeted"),
            ("TJK-0001", "TJK", None, "2017-07-09", "relatives_targeted"),
            ("TJK-0002", "TJK", None, "2017", "relatives_targeted"),
            ("TJK-0003", "TJK", None, "2017-08", "relatives_targeted"),
            ("TJK-0004", "TJK", None, None, "relatives_targeted"),
            ("TJK-0005", "TJK", None, "2017-07", "threat"),
        ]
    )
    assert relatives.within(rows, "2017-07-01", "2017-07-31") == (1, 2)


def test_the_sentence_says_at_least_and_says_so_when_it_cannot_be_told():
    few = relatives.relatives(ROWS).sentence("exiles")
    assert few.startswith(
        "Relatives are reported as targeted for at least 50 % [12, 88] of the exiles (n = 6)"
    )
    assert few.endswith(
        "cannot be told (2 in free hosts and 3 in other hosts; each side needs 5 exiles)."
    )
    nobody = relatives.relatives(ROWS[:0])
    assert (
        nobody.sentence("exiles")
        == "No exiles are on record here: nothing can be said about their relatives."
    )
    assert nobody.estimates()["value"].isna().all()
    result = relatives.relatives(cape.load().where(origin=cape.CENTRAL_ASIA).joined())
    rows = result.estimates().set_index("estimate")
    assert tuple(rows.loc["free hosts minus others", ["value", "low", "high"]]) == pytest.approx(
        result.gap[:3]
    )
    assert "at least" in result.sentence("exiles")


def test_exiles_reported_together_are_nowhere_taken_as_independent():
    """Ten exiles of one report have relatives targeted: the gap is less sure than of ten reports.

    All that is shown is computed again from the rows, from what each exile is linked to.
    """
    alone = [(f"TJK-01{i:02}", "TJK", "DEU", "2015", "threat", i < 10 or None) for i in range(30)]
    alone += [(f"TJK-02{i:02}", "TJK", "RUS", "2015", "threat", i < 6 or None) for i in range(60)]
    together = [(*row, None, None, "S9999") if row[5] and row[2] == "DEU" else row for row in alone]
    apart, one = relatives.relatives(joined(alone)), relatives.relatives(joined(together))
    assert (one.gap.value, one.overall.share) == (apart.gap.value, apart.overall.share)
    for wide, narrow in ((one.gap, apart.gap), (one.overall, apart.overall)):
        assert wide.high - wide.low > 1.2 * (narrow.high - narrow.low)
    rows = joined(together)
    exiles = relatives.of_exiles(rows).set_index("exile_id")
    share = clustered(exiles["relatives"], linked(rows)[exiles.index])
    assert one.overall == share
    shown = one.comparisons.set_index("comparison").loc["all exiles with a rated host"]
    assert tuple(shown["difference":"difference_high"]) == one.gap[:3]
    placed = one.comparisons.set_index("comparison")["difference_low"].filter(like="placed")
    shares = [side.low for side in (share, one.free, one.other)]
    assert one.estimates()["low"].tolist() == [*shares, one.gap.low, *placed]
    table = one.choices.set_index("choice")
    naive = table.loc[relatives.INDEPENDENT]
    assert tuple(naive["low":"high"]) == wilson(16, 90)[3:]
    bounds = difference(wilson(10, 30), wilson(6, 60))[1:]
    assert tuple(naive["difference_low":]) == pytest.approx(bounds)
    assert table.loc["as chosen", "difference_low"] == one.gap.low < naive["difference_low"]
    # all are of one pursuing state
    assert table.filter(like="pursuing state", axis=0)["low"].isna().all()


def test_a_gap_that_one_report_decides_has_no_interval_and_the_answer_says_why():
    rows = [(f"TJK-01{i:02}", "TJK", "DEU", "2015", "threat", True) for i in range(9)]
    rows = [(*row, None, None, "S9999") for row in rows]
    rows += [(f"TJK-02{i:02}", "TJK", "RUS", "2015", "threat", None) for i in range(20)]
    result = relatives.relatives(joined(rows))
    assert result.gap.value == 1
    assert np.isnan(result.gap.low)
    assert result.sentence("exiles").endswith(
        "cannot be told (all 9 cases belong together: no interval)."
    )


@pytest.mark.parametrize("origin", [cape.CENTRAL_ASIA, "KGZ", "VEN"])
def test_the_figures_of_06_are_drawn_for_many_cases_and_for_too_few(origin):
    ds = cape.load().where(origin=origin)
    rows = ds.joined()
    result = relatives.relatives(rows)
    assert cape.figures.relatives_shares(result, ds.info, "exiles").picture("png")
    assert cape.figures.relatives_gap(result, ds.info).picture("png")
    assert cape.figures.relatives_sequence(relatives.what_else(rows), ds.info).picture("png")
