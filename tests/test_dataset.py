"""What users rely on from cape.load().

All rows, right types, right dates, honest blanks, and parts of it.
"""

import re

import edtf as edtf_library
import manifest
import pandas as pd
import pytest

import capelib as cape
from capelib.paths import project_folder
from capelib.vocabulary import edtf
from capelib.vocabulary.codebook import stage_of
from capelib.vocabulary.tables import read_text

HEADER = "exile_id,origin,host,date,measure"
GOOD = "TJK-0001,TJK,RUS,2015-03,detention"
TABLE = pd.DataFrame([GOOD.split(",")], columns=HEADER.split(","))
YEARS = pd.DataFrame({"year": range(2001, 2011), "n": [1, 0, 2, 1, 3, 2, 5, 4, 9, 2]})


# ---------------------------------------------------------------- the public record


def test_the_public_record_is_whole_and_clean():
    ds = cape.load()
    assert ds.info.rows == {name: manifest.rows()[name] for name in ds.info.rows}
    assert list(map(len, (ds.incidents, ds.exiles, ds.sources))) == list(ds.info.rows.values())
    assert ds.problems.empty and ds.set_aside.empty
    assert (ds.info.label, ds.info.synthetic, ds.info.licence) == (
        "public record",
        False,
        "CC-BY-4.0",
    )
    assert ds.info.source_line.endswith(ds.info.sha256[:12])
    assert ds.info.sha256 == cape.load().info.sha256


def test_a_period_is_cut_to_the_years_that_the_data_looks_at():
    ds = cape.load()
    assert ds.covered("TJK", 1900, 2100) == (1990, 2024)
    assert ds.covered(["TJK", "TUR"], 2001, 2021) == (2014, 2021)
    assert ds.covered("TUR", 2001, 2010) == (2014, 2014)  # nothing of it: the nearest year
    assert ds.incidents["year"].max() > ds.covered_until(cape.CENTRAL_ASIA)  # single news items
    mine = cape.load(pd.DataFrame({"origin": "TJK", "measure": "threat", "date": ["2009", "2016"]}))
    assert mine.covered("TJK", 2001, 2024) == (2009, 2016)
    undated = cape.load(pd.DataFrame({"origin": ["TJK"], "measure": ["threat"]}))
    assert undated.covered("TJK", 2001, 2024) == (2001, 2024)


def test_columns_have_the_promised_types():
    ds = cape.load()
    text, code, day, yes = "str", "category", "datetime64[s]", "boolean"
    assert ds.incidents.dtypes.astype(str).to_dict() == {
        **{
            "incident_id": text,
            "exile_id": text,
            "origin": text,
            "host": text,
            "date": text,
            "measure": code,
        },
        **{
            "relatives_targeted": yes,
            "interpol": yes,
            "attribution": code,
            "doubtful": "bool",
            "episode_id": text,
        },
        **{
            "source_id": text,
            "outcome": text,
            "added": code,
            "date_start": day,
            "date_end": day,
            "precision": text,
            "year": "Int64",
            "stage": code,
        },
    }
    assert ds.exiles.dtypes.astype(str).to_dict() == {
        "exile_id": text,
        "origin": text,
        "category": code,
        "is_group": "bool",
        "added": code,
    }
    assert ds.sources.dtypes.astype(str).to_dict() == {
        "source_id": text,
        "kind": code,
        "publisher": text,
        "url": text,
        "published": text,
        "name_in_address": yes,
        "added": code,
    }


def test_the_stage_follows_from_the_measure_and_has_an_order():
    incidents = cape.load().incidents
    assert incidents["stage"].astype(int).tolist() == [
        stage_of()[measure] for measure in incidents["measure"]
    ]
    assert (incidents["stage"] >= 2).sum() == incidents["stage"].isin([2, 3]).sum() > 0


def test_a_blank_is_missing_and_never_no():
    incidents = cape.load().incidents
    raw = read_text(project_folder("data") / "incidents.csv")
    for column in ("relatives_targeted", "interpol"):
        assert incidents[column].isna().tolist() == raw[column].isna().tolist()
        assert incidents[column].dropna().all() and not (incidents[column] == False).any()  # noqa: E712
    assert incidents["attribution"].dropna().unique().tolist() == ["alleged"]
    assert incidents["host"].isna().sum() == raw["host"].isna().sum() > 0


@pytest.mark.slow
def test_every_shipped_date_is_read_as_the_edtf_library_reads_it():
    frames = [cape.load().incidents["date"], cape.table("double_coding")["date"]]
    frames += [cape.table("findings")[column] for column in ("period_start", "period_end")]
    distinct = pd.Series(sorted(set(pd.concat(frames).dropna())))
    for value, read in zip(distinct, edtf.bounds(distinct).to_dict("records"), strict=True):
        parsed = edtf_library.parse_edtf(value)
        first, last = (
            pd.Timestamp(*day[:3]) for day in (parsed.lower_strict(), parsed.upper_strict())
        )
        precision = (
            {4: "year", 7: "month", 10: "day"}[len(value)]
            if re.fullmatch(r"[\d-]+", value)
            else "other"
        )  # 2014~ is "about 2014"; an interval is no day
        assert read == {
            "date_start": first,
            "date_end": last,
            "precision": precision,
            "valid": True,
        }, value


@pytest.mark.parametrize(
    ("date", "first", "last", "year"),
    [
        ("2016", "2016-01-01", "2016-12-31", 2016),
        ("2016-02", "2016-02-01", "2016-02-29", 2016),
        ("2015-02-28", "2015-02-28", "2015-02-28", 2015),
        ("2015~", "2015-01-01", "2015-12-31", 2015),
        ("2015-21", "2015-03-01", "2015-05-31", 2015),  # spring
        ("2014-11/2014-12-05", "2014-11-01", "2014-12-05", 2014),
        ("2014/2016", "2014-01-01", "2016-12-31", None),
        ("201X", "2010-01-01", "2019-12-31", None),
    ],
)
def test_a_date_says_its_first_and_last_day_and_a_year_only_if_it_is_one(
    table, date, first, last, year
):
    row = cape.load(table(HEADER, f"TJK-0001,TJK,RUS,{date},detention")).incidents.iloc[0]
    assert (str(row["date_start"].date()), str(row["date_end"].date())) == (first, last)
    assert row["date"] == date
    assert (None if pd.isna(row["year"]) else row["year"]) == year


@pytest.mark.parametrize(
    "date", ["2015-13", "2015-02-30", "soon", "2016/2014", "/2014", "2014/..", "0215", "y170000002"]
)
def test_what_is_no_date_is_set_aside(table, date):
    ds = cape.load(table(HEADER, GOOD, f"TJK-0001,TJK,RUS,{date},detention"))
    assert ds.set_aside["row"].tolist() == [3]
    shown = "(not shown)" if any(map(str.isalpha, date)) else date  # a word may be a name
    assert (
        ds.problems[["column", "value"]].to_numpy().tolist() == [["date", shown]]
        and ds.problems["remedy"].notna().all()
    )


# ---------------------------------------------------------------- where


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"origin": "TJK"}, "origin == 'TJK'"),
        ({"origin": ["TJK", "UZB"]}, "origin in ['TJK', 'UZB']"),
        ({"host": {"RUS", "TUR"}}, "host in ['RUS', 'TUR']"),
        ({"years": (2014, 2016)}, "2014 <= year <= 2016"),
        ({"measure": ("rendition", "assassination")}, "measure in ['rendition', 'assassination']"),
        ({"stage": 3}, "stage == 3"),
        ({"stage": [1, "2"]}, "stage in [1, 2]"),
        ({"category": "religious"}, "category == 'religious'"),
        ({"source_kind": ["court", "cape"]}, "source_kind in ['court', 'cape']"),
        ({"doubtful": False}, "not doubtful"),
        ({"doubtful": True}, "doubtful"),
        (
            {
                "origin": "UZB",
                "host": "RUS",
                "years": (2005, 2015),
                "stage": (2, 3),
                "category": "religious",
                "doubtful": False,
            },
            "origin == 'UZB' and host == 'RUS' and 2005 <= year <= 2015 and stage in [2, 3] "
            "and category == 'religious' and not doubtful",
        ),
    ],
)
def test_where_keeps_the_rows_for_which_every_condition_holds(arguments, rule):
    ds, part = cape.load(), cape.load().where(**arguments)
    expected = ds.joined().query(rule, engine="python")["incident_id"].tolist()
    assert part.incidents["incident_id"].tolist() == expected != []
    assert set(part.exiles["exile_id"]) == set(part.incidents["exile_id"])
    assert set(part.sources["source_id"]) == set(part.incidents["source_id"])
    assert part.info.rows == {
        "incidents": len(part.incidents),
        "exiles": len(part.exiles),
        "sources": len(part.sources),
    }
    assert len(part.info.filters) == len(arguments)


def test_where_after_where_is_where_with_both_and_leaves_the_first_untouched():
    ds = cape.load()
    twice, once = (
        ds.where(origin="TJK").where(years=(2010, 2018)),
        ds.where(origin="TJK", years=(2010, 2018)),
    )
    pd.testing.assert_frame_equal(twice.incidents, once.incidents)
    assert twice.info == once.info
    assert len(ds.incidents) == manifest.rows()["incidents"] and ds.info.filters == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"origin": "TAJ"}, "did you mean TJK, Tajikistan?"),
        ({"host": ["RUS", "Turky"]}, "unknown state for host 'Turky': did you mean TUR"),
        ({"host": "EU"}, "unknown state for host 'EU': write one of its member states"),
        ({"host": "Moscow"}, "did you mean RUS, Russia?"),
        ({"origin": "all"}, "unknown state for origin 'all': allowed are the codes of"),
        ({"years": []}, "years must be a year, a range or list of years"),
        ({"origin": 762}, "cape.states()"),
        ({"measure": "rendtion"}, "did you mean rendition?"),
        ({"category": "oposition"}, "did you mean opposition?"),
        ({"source_kind": "curt"}, "did you mean court"),
        ({"stage": 4}, "allowed are 1, 2, 3"),
        ({"years": "2015"}, "two whole numbers such as (2001, 2018)"),
        ({"years": (2001.5, 2018)}, "two whole numbers"),
        ({"years": (2018, 2001)}, "from an earlier to a later year"),
        ({"doubtful": "no"}, "True, False or None"),
    ],
)
def test_a_wrong_argument_is_refused_with_the_nearest_allowed_value(arguments, message):
    with pytest.raises(cape.ParameterError) as caught:
        cape.load().where(**arguments)
    assert message in str(caught.value) and "\n" not in str(caught.value)


# ------------------------------------------- words for codes, and what is left out


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ({"origin": "Uzbekistan"}, {"origin": "UZB"}),
        ({"origin": "uz", "host": "Россия"}, {"origin": "UZB", "host": "RUS"}),
        ({"measure": "kidnapping"}, {"measure": "rendition"}),
        ({"measure": ["killed", "Detention"]}, {"measure": ["assassination", "detention"]}),
        ({"category": "Religious"}, {"category": "religious"}),
        ({"stage": "Held"}, {"stage": 2}),
    ],
)
def test_where_understands_what_tables_are_read_by(word, code):
    ds = cape.load()
    assert ds.where(**word).info == ds.where(**code).info


@pytest.mark.parametrize(
    ("function", "word", "code"),
    [
        (lambda unit: cape.counts.per_year(cape.load(), 2014, 2016, unit=unit), "Exiles", "exile"),
        (lambda unit: cape.corridors.matrix(cape.load().incidents, unit), "Incidents", "incident"),
        (lambda unit: cape.targeting.around_month(cape.load(), 2015, 9, unit), "Exile", "exile"),
        (lambda model: cape.trends.trend(YEARS, model), "Negative binomial", "negative_binomial"),
        (lambda cutoff: cape.regimes.at_or_below("fiw", cutoff), "Not Free", "NF"),
        (lambda organisation: cape.memberships.members(organisation, 2015), "cis", "CIS"),
        (lambda origin: cape.displaced.of(origin, 2015), "Tajikistan", "TJK"),
        (lambda edition: cape.load(edition=edition).info, "First edition", "2026-11"),
        (lambda release: cape.load(TABLE, vintage=release).info, "FH 2022", "fh-2022"),
    ],
)
def test_functions_understand_words_for_codes(function, word, code):
    assert str(function(word)) == str(function(code))


@pytest.mark.parametrize(
    ("years", "meant", "words"),
    [
        (2015, [2015], "years 2015-2015"),
        ((2014, 2016), [2014, 2015, 2016], "years 2014-2016"),
        ([2014, 2016], [2014, 2015, 2016], "years 2014-2016"),
        (range(2014, 2016), [2014, 2015], "years 2014-2015"),
        ([2012, 2014, 2016], [2012, 2014, 2016], "years 2012, 2014, 2016"),
    ],
)
def test_years_are_one_a_span_a_range_or_a_list(years, meant, words):
    ds = cape.load().where(years=years)
    assert ds.info.filters == (words,)
    assert sorted(ds.incidents["year"].unique()) == meant


def test_what_is_left_out_is_said_and_what_is_not_known_stays():
    whole = cape.load()
    ds = whole.where(host_not="Russia", measure_not=["killed"], origin_not="TUR+China")
    assert ds.info.left_out == "Left out: origin TUR/CHN; host RUS; measure assassination."
    left = whole.incidents
    out = left["host"].eq("RUS") | left["measure"].eq("assassination")
    out |= left["origin"].isin(["TUR", "CHN"])
    assert len(ds.incidents) == (~out.fillna(False).astype(bool)).sum()
    assert ds.incidents["host"].isna().sum() > 0
    answer = cape.answer("It rose.", ds.info)
    assert repr(answer).startswith("It rose. Left out: origin TUR/CHN; host RUS;")
    assert whole.where(host_not="", origin_not="").info == whole.info
    assert whole.where(doubtful=False).info.left_out == ""
    assert len(whole.where(category_not="religious").exiles) < len(whole.exiles)


@pytest.mark.slow
def test_a_question_takes_a_dataset_in_place_of_its_frame():
    ds = cape.load().where(stage=[2, 3])
    periods = (2014, 2020), (2021, 2021)
    of_frame = cape.hosts.host_shares(ds.joined(), *periods)
    assert cape.hosts.host_shares(ds, *periods).sentence() == of_frame.sentence()
    assert cape.counts.per_year(ds, 2001, 2018).equals(
        cape.counts.per_year(ds.incidents, 2001, 2018)
    )
    with pytest.raises(cape.ParameterError, match="no column source_kind: give"):
        cape.hosts.host_shares(ds.incidents, *periods)
    with pytest.raises(cape.ParameterError, match=r"give the Dataset \(ds, not ds.incidents\)"):
        cape.figures.by_measure(ds.incidents)


def test_the_codebook_is_searched_by_words():
    assert [row[:2] for row in cape.describe("killed")] == [("measure", "assassination")]
    assert ("measure", "red_notice") in [row[:2] for row in cape.describe("Interpol notice")]
    with pytest.raises(cape.ParameterError, match="did you mean rendition"):
        cape.describe("rendtion")
