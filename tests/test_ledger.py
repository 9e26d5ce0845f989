"""The ledger: numbers typed, relations evaluated, verdicts computed, a release recomputed."""

import tomllib
from dataclasses import replace
from fractions import Fraction
from math import inf, isinf

import manifest
import numpy as np
import pandas as pd
import pytest
from bibtexparser.library import Library
from shared import slow, spread
from twins import cape_1, fh_2022, written

import capelib as cape
from capelib.errors import DataError, ParameterError, TooFewCases
from capelib.estimators.clusters import clustered, clustered_difference, linked
from capelib.findings import bibliography, checks, ledger
from capelib.findings.bibliography import publications
from capelib.findings.checks import _function
from capelib.findings.relations import (
    CONSISTENT,
    CONTRADICTION,
    DIFFERENT_EDITIONS,
    Span,
    between,
    computed,
    evaluate,
    relations,
)
from capelib.findings.verdicts import (
    ADDS_UP,
    DEPENDS,
    DOES_NOT_ADD_UP,
    NEEDS_DATA,
    NOT_JUDGED,
    SET_BY_SEARCH,
    judge,
    judge_sum,
)
from capelib.paths import project_folder
from capelib.questions import ledger_numbers
from capelib.questions.ledger_numbers import Tally

KNOWN = ledger()
NINE = "272 + 157 + 92 + 86 + 57 + 55 + 53 + 47 + 47"
CONTRADICTIONS = {  # both sides, worked by hand
    "top10-share-2025": f"({NINE} + 42) / 1,219 = 74.5 % < 79.5 %",
    "top10-share-2025-ep": f"({NINE} + 42) / 1,219 = 74.5 % < 79.5 %",
    "interpol-2021-art2-art3": "150 + 353 = 503 ≠ 483",
    "ccf-2023-two-totals": "2,793 ≠ 2,743",
    "ccf-growth-2002": "2,743 / 120 - 1 = 21.9 ≥ 21.3",
    "ccf-growth-2024-rounds": "2,586 / 2,470 - 1 = 0.047 ≥ 0.045",
    "pol-2021-share": "1,270 / 23,716 = 5.36 % ≥ 5.35 %",
    "pol-2021-five-percent-notices": "1,270 / 10,776 = 11.8 % ≥ 5.5 %",
    "rnlj-public-share": "(6,500 to 7,500) / (57,500 to 58,500) = 11.1 % to 13 % ≥ 10 %",
}
EDITIONS = {  # both sides can be true as printed
    "new-origins-2021": "31 + 4 = 35 ≠ 36",
    "wiki-quarter": "24.5 % > 21.9 % = 7 / 32",
    "wiki-third": "32.5 % > 26.9 % = 7 / 26",
    "lemon2023-levels": "5,532 + 1,150 + 424 = 7,106 ≠ 7,108",
    "upi-against-ennahar": "25,500 > 7,678",
    "ccf-2023-types": "1,101 + 1,021 + 557 = 2,679 ≠ 2,793",
    "ccf-2023-types-rnm": "1,101 + 1,021 + 557 = 2,679 ≠ 2,743",
    "ccf-growth-2021-admissible": "2,470 / 1,300 - 1 = 0.9 ≥ 0.705",
    "ccf-access-late-agree": "69.5 % to 70.5 % ≠ 29.5 % to 30.5 %",
    "ccf-2021-noncompliant-split": "239 + 50 = 289 ≠ 296",
    "ccf-2019-2020-noncompliant-split": "415 + 109 = 524 ≠ 594",
    "ccf-rise-2016-2017": "975 ≤ 1,047",
}


# ---------------------------------------------------------------- the numbers


def test_every_number_lies_within_its_own_interval():
    for claim in KNOWN.values():
        if claim.exact:
            assert claim.low <= claim.value <= claim.high, claim.finding_id


def test_every_number_has_a_publication_that_can_be_cited():
    assert {claim.publication for claim in KNOWN.values()} <= set(publications())
    for key in publications():
        assert cape.findings.cite(key).startswith("@"), key
        assert cape.findings.address(key).startswith("http"), key
        assert cape.findings.reference(key), key
    assert "doi = {10.1093/isq/sqae108}" in cape.findings.cite(
        "cordell2024-cases"
    )  # a finding's key leads to its publication
    with pytest.raises(ParameterError, match="did you mean fa2022longarm"):
        cape.findings.cite("fa2022-longarm")


def test_a_publication_without_title_or_year_says_so_in_its_note():
    """Nothing is guessed; and what is known is not called unknown."""
    for key, publication in publications().items():
        fields = publication.fields_dict
        note = fields["note"].value if "note" in fields else ""
        missing = [name for name in ("title", "year") if name not in fields]
        said = f"{' and '.join(missing)} not known" if missing else ""
        if note == "a method: no number is taken from it":
            assert not missing, key
            continue
        assert note.removeprefix("secondary source").removeprefix("; ") == said, key


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("cape1-uzb-tjk-share", "over 75 %"),
        ("jchr2025-rus-share", "up to 50 %"),
        ("heritage-deleted-2011", "up to 32"),
        ("heritage-deleted-2016", "about 170"),
        ("kn2022-refused-share-2021", "5.3 %"),
        ("rnm2025-refused-growth", "+54 %"),
        ("progres2025-tkm-rank", "place 7"),
        ("lemon2019-notice-growth", "10 times"),
        ("interpol2016-tkm-requests", "0"),
        ("lemon2018-tjk-population-share", "0.12 %"),
        ("fh2025-top10-share", "close to 80 %"),
    ],
)
def test_numbers_are_written_as_a_reader_expects_them(key, text):
    assert KNOWN[key].text == text


def test_a_blank_end_is_open_and_about_has_no_interval():
    assert (KNOWN["cape1-uzb-tjk-share"].low, KNOWN["cape1-uzb-tjk-share"].high) == (0.75, inf)
    assert (KNOWN["jchr2025-rus-share"].low, KNOWN["jchr2025-rus-share"].high) == (0.0, 0.5)
    assert not KNOWN["aaad-events"].exact


@pytest.mark.parametrize(
    ("key", "value", "holds"),
    [
        ("fa2022-autoc-share-2021", 0.735, True),
        ("fa2022-autoc-share-2021", 0.745, False),  # rounds to 75 % as often as to 74 %
        ("cape1-uzb-tjk-share", 0.75, False),  # "over three quarters"
        ("cape1-uzb-tjk-share", 94 / 125, True),
        ("cape1-total-diplomat", 100, True),
        ("fh2025-rank-2024-uga", 5, True),
        ("fh2022-total", 735, True),
    ],
)
def test_which_numbers_can_stand_behind_a_published_one(key, value, holds):
    assert KNOWN[key].holds(value) is holds


# ---------------------------------------------------------------- relations


def test_every_relation_comes_out_as_it_was_written_down():
    expected = cape.table("relations").set_index("relation_id")["expected"].astype("str").to_dict()
    checked = relations()
    meant = {
        "holds": CONSISTENT,
        "fails": CONTRADICTION,
        "different_editions": DIFFERENT_EDITIONS,
    }
    assert {relation.relation_id: relation.verdict for relation in checked} == {
        key: meant[value] for key, value in expected.items()
    }
    assert all(
        relation.at_face_value == (expected[relation.relation_id] == "holds")
        for relation in checked
    )


@pytest.mark.parametrize(
    ("verdict", "sides"), [(CONTRADICTION, CONTRADICTIONS), (DIFFERENT_EDITIONS, EDITIONS)]
)
def test_relations_that_fail_show_both_sides(verdict, sides):
    assert {
        relation.relation_id: relation.sides
        for relation in relations()
        if relation.verdict == verdict
    } == sides


def test_fields_that_are_not_decoded_would_come_out_as_they_stand():
    """Only fields with signs of LaTeX are decoded; the decoder leaves the others as they are."""
    left, decoder = 0, bibliography._decoder()
    for key, publication in publications().items():
        [decoded] = decoder.transform(Library([publication])).entries
        assert bibliography._fields(key) == {each.key: each.value for each in decoded.fields}
        left += sum(not bibliography._LATEX.search(each.value) for each in publication.fields)
    assert left > 500


def test_a_sentence_that_two_publications_print_counts_once():
    """Freedom House's "close to 80 %", which the European Parliament repeats."""
    repeated = [relation for relation in relations() if relation.same_as]
    assert [(each.relation_id, each.same_as) for each in repeated] == [
        ("top10-share-2025-ep", "top10-share-2025")
    ]
    assert {relation.relation_id for relation in relations()} >= {each.same_as for each in repeated}
    assert not set(between(relations())) & set(repeated)
    verdicts = [relation.verdict for relation in between(relations())]
    assert verdicts.count(CONTRADICTION) == len(CONTRADICTIONS) - 1
    assert verdicts.count(DIFFERENT_EDITIONS) == len(EDITIONS)


def test_different_editions_put_no_number_in_doubt():
    for relation in relations():
        assert bool(relation.in_doubt) == (relation.verdict == CONTRADICTION), relation.relation_id


def test_every_relation_shows_something_true():
    """As numbers: the two sides of an equality are the same, what is smaller is smaller."""
    for relation in relations():
        for part in relation.sides.split("; "):
            for sign, holds in (
                (" = ", lambda a, b: a == b),
                (" < ", lambda a, b: a < b),
                (" > ", lambda a, b: a > b),
            ):
                sides = part.split(sign)
                plain = [side.replace(",", "").removesuffix(" %") for side in sides]
                if len(sides) == 2 and all(side.replace(".", "").isdigit() for side in plain):
                    assert holds(*(float(side) for side in plain)), relation.relation_id


def test_what_only_follows_from_the_numbers_is_told_from_what_can_contradict_them():
    derived = {relation.relation_id for relation in relations() if relation.derived}
    assert {"fh-backcoding-2022", "top10-sum", "cordell-unbalanced"} <= derived
    assert not derived & {"top10-share-2025", "autoc-share-diff", "crosscheck-tkm", *CONTRADICTIONS}


def test_a_second_evaluator_agrees_at_face_value():
    """Python's own arithmetic, in floating point."""
    values = {"F": {}, "L": {}, "H": {}}
    for key, claim in KNOWN.items():
        values["F"][key], values["L"][key], values["H"][key] = claim.value, claim.low, claim.high
    for relation, text in zip(relations(), cape.table("relations")["expression"], strict=True):
        assert (
            eval(text, {"__builtins__": {"round": round, "min": min, "max": max}}, values)
            == relation.at_face_value
        )


@pytest.mark.parametrize("draws", [2, slow(20)])
def test_no_numbers_within_the_intervals_can_escape_a_verdict(draws):
    """Numbers are drawn within the intervals: what is certain holds for each of them."""
    rng = np.random.default_rng(8)
    texts = cape.table("relations").set_index("relation_id")["expression"]
    for relation in relations():
        truth, _ = evaluate(texts[relation.relation_id], KNOWN)
        for _ in range(draws):
            drawn = dict(KNOWN)
            for key in relation.finding_ids:
                claim = KNOWN[key]
                high = claim.high if not isinf(claim.high) else claim.low * 2
                whole = claim.quantity in ("count", "minimum_count", "rank")
                value = rng.uniform(claim.low, high)
                drawn[key] = replace(
                    claim,
                    value=float(
                        np.clip(round(value), claim.low, high) if whole else round(value, 6)
                    ),
                )
            holds, _ = evaluate(texts[relation.relation_id], drawn, at_face_value=True)
            assert truth is None or holds == truth, relation.relation_id


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("F['fa2022-autoc-share-2021'] > 0.73", True),
        ("F['fa2022-autoc-share-2021'] > 0.74", None),
        ("F['fa2022-autoc-share-2021'] > 0.745", False),
        ("F['fa2022-autoc-share-2021'] == 0.74", None),
        ("F['fa2022-autoc-share-2021'] != 0.8", True),
        ("F['fa2022-autoc-share-2021'] - F['fa2022-autoc-share-2014-2020'] >= 0.15", True),
        ("round(100 * F['fa2022-autoc-share-2021']) == 74", True),
        ("F['cape1-uzb-tjk-share'] > 0.7", True),
        ("F['cape1-uzb-tjk-share'] < 0.7", False),
        ("1 / 3 * 3 == 1", True),
        ("0.1 + 0.2 == 0.3", True),
        ("7 % 4 == 3 and -2 < -1", True),
        ("max(1, 2, 3) == 3 and min(2, 1) == 1", True),
        ("2 ** 0.5 > 1.41 and 2 ** 0.5 < 1.42", True),
        ("1 + (2 > 1) + (1 > 2) == 2", True),
        ("1 < 2 < 3 <= 3", True),
        ("F['fa2022-autoc-share-2021'] > 0.74 and 1 > 2", False),
        ("F['fa2022-autoc-share-2021'] > 0.74 and 2 > 1", None),
    ],
)
def test_truth_over_intervals(text, truth):
    assert evaluate(text, KNOWN)[0] is truth


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true') == 0",
        "F['fh2021-total'].__class__ == 1",
        "(lambda: 1)() == 1",
        "[x for x in (1,)] == 1",
        "1 if 2 > 1 else 3",
        "F[0] == 1",
        "X['fh2021-total'] == 1",
        "F['no-such-finding'] == 1",
        "F['aaad-events'] == 1205",
        "open('x') == 1",
        "round() == 1",
        "round(number=1) == 1",
        "9 ** 9 ** 9 > 1",
        "(-1) ** 0.5 > 1",
        "1 / 0 > 1",
        "1 / (F['fa2022-autoc-share-2021'] - 0.74) > 1",
        "F['fa2022-autoc-share-2021'] % 2 == 1",
        "'a' == 'a'",
        "True == 1",
        "1j == 1",
        "(y := 1) == 1",
        "1 in (1, 2)",
        "1 is 1",
        "not 1 > 2",
        "1 > 2 or 2 > 1",
        "1 +",
        "1 == 1; 2 == 2",
        "1e999 > 1",
        "round(1, 2, 3) == 1",
        "round(1, 999999999) == 1",
        "round(1, F['fa2022-autoc-share-2021']) == 1",
        "",
        "1",
        "(" * 300 + "1" + ")" * 300 + " == 1",
        "1 == " + "1 + " * 2000 + "1",
    ],
)
def test_nothing_but_arithmetic_is_evaluated(text):
    with pytest.raises(DataError, match=r"^relation: "):
        evaluate(text, KNOWN)


def test_a_span_of_infinite_width_is_carried_through():
    assert evaluate("F['lemon2016-tjk-cases'] * 2 > 97", KNOWN)[0] is True
    assert evaluate("F['lemon2016-tjk-citizens'] - F['lemon2016-tjk-cases'] == 2", KNOWN)[0] is None
    assert evaluate("F['cape1-uzb-tjk-share'] <= 1", KNOWN)[0] is True  # a share ends at 1
    assert Span(Fraction(1), inf).exact is False


def test_the_table_of_relations_names_just_the_findings_of_each_expression():
    for row in cape.table("relations").itertuples():
        assert sorted(set(row.finding_ids.split(";"))) == sorted(
            {key for key in KNOWN if f"['{key}']" in row.expression}
        ), row.relation_id
        doubted = [] if pd.isna(row.in_doubt) else row.in_doubt.split(";")
        assert set(doubted) <= set(row.finding_ids.split(";"))
        assert bool(doubted) == (row.expected == "fails"), row.relation_id


# ---------------------------------------------------------------- checks


@pytest.mark.slow
def test_every_finding_has_a_check_or_says_which_data_it_needs():
    content = tomllib.loads(
        (project_folder("data") / "published" / "checks.toml").read_text(encoding="utf-8")
    )
    assert set(content["check"]) | set(content["needs_for"]) <= set(KNOWN)
    assert set(content["needs_of"]) <= {claim.publication for claim in KNOWN.values()}
    for key in set(content["check"]) & set(content["needs_for"]):  # of the very release only
        [entry] = checks.checks()[key]
        assert entry.function and not entry.pattern and not entry.expression, key
    for key, entries in checks.checks().items():
        assert all(entry.needs for entry in entries), key
        for entry in entries:
            if entry.function:
                assert callable(_function(entry.function)), key
                cape.load().where(**dict(entry.where or {}))  # conditions that exist
    assert set(content["needs"]) == {claim.vintage or claim.dataset for claim in KNOWN.values()}


UNITS = {
    "incidents": "incident",
    "cases": "incident",
    "persons": "exile",
    "countries": "host",
    "states": "origin",
    "dyads": "corridor",
}
OTHERWISE = {  # where a check departs from the columns of its finding, and why
    "fh2021-rus-hosts-nonlethal": "measure",  # "short of killing": every other measure
    "fh2022-new-origins-2021": "years",  # the year is an argument
    "fh2023-new-origins-2022": "origin years",  # named states: the number is checked
    "fh2024-new-origins-2023": "origin years",
    "fh2019-tur-returned": "measure",  # "brought back": the three ways of return
    "isc2025-irn-gbr": "years",  # until July 2025: whole years only
    "rferl2022-tjk-disappeared-rus": "years",  # until January 2022: whole years only
    "thai-campaign-disappeared": "host",  # "in South-East Asian countries"
    "lemon2016-tjk-cases": "of",  # "occasions": each action once
    "oxus2021-phase1": "of",  # persons that are cases: two readings
    "oxus2021-phase2": "of",
    "oxus2022-phase1": "of",
    "oxus2022-phase2": "of",
    "oxus2022-phase3": "of",
    "fh2021-tur-hosts": "years",  # from July 2016
    "fa2022-autoc-share-diff": "years",  # two periods
}
WHOLE = {  # releases that hold nothing but what the column says: no condition is needed
    "cape": {"origin": set(cape.CENTRAL_ASIA)},
    "oxus-uyghur": {"origin": {"CHN"}},
}


def as_set(value):
    return {value} if isinstance(value, str) else set(value or ())


@pytest.mark.parametrize(
    "key", [key for key, entries in checks.checks().items() if entries[0].function]
)
def test_each_check_asks_for_what_its_finding_states(key):
    row = cape.table("findings").set_index("finding_id").loc[key].fillna("")
    for entry in checks.checks()[key]:
        where, arguments = dict(entry.where), dict(entry.arguments)
        asked = {
            "origin": as_set(where.get("origin")) | as_set(arguments.get("origin")),
            "host": as_set(where.get("host")) | as_set(arguments.get("host")),
            "measure": as_set(where.get("measure")),
        }
        stated = {
            "origin": as_set(row["origin_iso3"].split(";")) - {""},
            "host": as_set(row["host_iso3"].split(";")) - {""},
            "measure": as_set(row["tactic"].split(";")) - {""},
        }
        for name in asked:
            if name not in OTHERWISE.get(key, "").split():
                allowed = [
                    stated[name],
                    *(
                        [set()]
                        if WHOLE.get(KNOWN[key].dataset, {}).get(name) == stated[name]
                        else []
                    ),
                ]
                assert asked[name] in allowed or stated[name] == WHOLE.get(
                    KNOWN[key].dataset, {}
                ).get(name), (key, name)
        if entry.function == "tallies.number" and "of" not in OTHERWISE.get(key, ""):
            assert arguments["of"] == UNITS[row["unit"]], key
        years = where.get("years") or arguments.get("years")
        if years and "years" not in OTHERWISE.get(key, ""):
            assert [str(year) for year in years] == [
                row["period_start"][:4],
                row["period_end"][:4],
            ], key


def test_only_numbers_that_another_collection_can_meet_are_judged_by_it():
    for key, entries in checks.checks().items():
        if any(entry.pattern for entry in entries):
            assert KNOWN[key].quantity in ("share", "difference", "minimum_count"), key


SUMS = {
    key: entry for key, entries in checks.checks().items() for entry in entries if entry.expression
}


def test_sums_take_numbers_of_one_state_of_the_data_only():
    """A sum over two releases that fits would mean as little as one that does not."""
    for key, entry in SUMS.items():
        _, _, _, _, _, used = computed(entry.expression, KNOWN)
        assert used and key not in used, key
        releases = {KNOWN[name].vintage or KNOWN[name].dataset for name in (*used, key)}
        apart = {("cape-1.0", "cape")} if key == "cape1-total-diplomat" else set()
        assert len(releases) == 1 or tuple(sorted(releases, reverse=True)) in apart, key


def test_sums_come_out_as_in_a_pocket_calculator():
    """Each sum again in floating point, from the numbers as printed."""
    verdicts = cape.findings.check(cape.load(), list(SUMS)).frame
    values = {key: claim.value for key, claim in KNOWN.items()}
    rated = cape.regimes.by_year()
    lied = rated[rated["measure"] == "lied"].groupby("year")["iso3"].nunique()
    for row in verdicts.itertuples():
        by_hand = eval(row.made_by, {"F": values, "states": lied.to_dict().get})
        claim = KNOWN[row.finding_id]
        if row.verdict == DOES_NOT_ADD_UP:
            assert not claim.holds(by_hand), row.finding_id
        else:
            assert claim.holds(by_hand), row.finding_id  # none needs the rounding to come out


@pytest.mark.parametrize(
    ("key", "verdict", "reason"),
    [
        ("fh2025-chn-share", ADDS_UP, "272 / 1,219 = 22.31 %"),
        ("fh2025-top10-share", DOES_NOT_ADD_UP, "= 74.49 %"),
        ("fh2025-rank-tur", ADDS_UP, "by the counts as printed: place 2"),
        ("fh2025-origin-gov-share", ADDS_UP, "48 / 195 states = 24.62 %; which governments"),
        ("ep2025-total-min", ADDS_UP, "the other number as printed: 1,219"),
        (
            "upi-alerts-2011",
            ADDS_UP,
            "26,000 + 49,000 = 75,000; "
            "over the rounding 74,000 to 76,000, any of which would add up",
        ),
        (
            "rnlj2019-public-share",
            DOES_NOT_ADD_UP,
            "7,000 / 58,000 = 12.07 %; over the rounding 11.11 % to 13.04 %",
        ),
        ("ccf-growth-2002-2023", DOES_NOT_ADD_UP, "2,743 / 120 - 1 = +2,186 %"),
    ],
)
def test_a_sum_is_shown_with_what_would_also_add_up(key, verdict, reason):
    [found] = cape.findings.check(cape.load(), key)
    assert found.verdict == verdict
    assert reason in found.reason


def test_a_sum_with_another_number_does_not_add_up():
    ds = cape.load()
    for key in ("fh2025-chn-share", "oxus2021-total", "rnm2025-refused-growth"):
        claim = KNOWN[key]
        step = 1 if claim.quantity == "count" else 0.05
        wrong = replace(
            claim, value=claim.value + step, low=claim.low + step, high=claim.high + step
        )
        [verdict] = cape.findings.check(ds, key, known=KNOWN | {key: wrong})
        assert verdict.verdict == DOES_NOT_ADD_UP, key


def test_the_sum_of_a_release_gives_way_to_the_release_itself(freedom_house):
    info = replace(freedom_house.info, vintage="fh-2025")
    [verdict] = cape.findings.check(replace(freedom_house, info=info), "fh2025-chn-share")
    assert verdict.verdict in ("reproduced", "not reproduced")


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [(0.735, 0.735, True), (0.745, 0.745, False), (0.70, 0.735, True), (0.70, 0.734, False)],
)
def test_a_sum_keeps_to_the_ends_of_the_published_interval(low, high, holds):
    claim = KNOWN["fa2022-autoc-share-2021"]  # 73.5 to 74.5 %, the upper end left out
    exact = computed("63 / 85", KNOWN)
    result = exact._replace(low=low, high=high, exact=low == high)
    assert (judge_sum(claim, cape.load().info, result).verdict == ADDS_UP) is holds


@pytest.mark.parametrize("text", ["states(1700)", "states('2024')", "states(2024, 1)", "states()"])
def test_only_years_with_known_states_can_be_asked_for(text):
    with pytest.raises(DataError, match=r"^relation: "):
        computed(text, KNOWN)


def test_a_share_that_the_search_has_set_is_shown_but_not_judged():
    verdicts = cape.findings.check(cape.load()).frame
    searched = verdicts[verdicts["verdict"] == SET_BY_SEARCH]
    assert set(searched["finding_id"]) == {
        "cape1-uzb-tjk-share",
        "fa2022-autoc-share-2021",
        "fa2022-autoc-share-2014-2020",
    }
    assert searched["value"].notna().all()
    assert searched["reason"].str.contains("neither for nor against").all()
    agreeing = verdicts[verdicts["verdict"] == "pattern agrees"]
    assert set(agreeing["quantity"]) <= {"minimum_count", "difference"}


def test_what_agrees_says_what_it_would_also_agree_with():
    claim, info = KNOWN["fa2022-autoc-share-2021"], cape.load().info
    agreed = judge(claim, info, "by hand", Tally(0.60, 0.46, 0.74, 115))
    assert (agreed.verdict, agreed.reason.split("; ")[1]) == (
        "pattern agrees",
        "it would also agree with 46 to 74 %",
    )
    wide = judge(claim, info, "by hand", Tally(0.59, 0.43, 0.74, 115))
    assert wide.verdict == "too few cases"
    assert wide.reason == ("the interval is too wide to tell: it would also agree with 43 to 74 %")
    apart = judge(claim, info, "by hand", Tally(0.30, 0.10, 0.55, 40))
    assert apart.verdict == "pattern differs"  # wide, but it can tell
    gap = KNOWN["fa2022-autoc-share-diff"]
    double = judge(gap, info, "by hand", Tally(0.20, 0.02, 0.38, 300))
    assert double.verdict == "too few cases"
    assert "+2 to +38 points" in double.reason
    minimum = judge(KNOWN["lemon2016-tjk-cases"], info, "by hand", Tally(73, None, None, 73))
    assert minimum.reason == "as many are on record here; it would agree with any minimum up to 73"


def test_the_verdicts_on_the_public_record():
    verdicts = cape.findings.check(cape.load())
    assert list(dict.fromkeys(verdicts.frame["finding_id"])) == list(KNOWN)
    assert set(verdicts.frame["verdict"]) <= set(cape.findings.MEANING)
    assert not set(verdicts.frame["verdict"]) & {"reproduced", "not reproduced"}
    assert (verdicts.frame["verdict"] != NEEDS_DATA).sum() > len(SUMS)
    shares = verdicts.frame[
        (verdicts.frame["value"].notna()) & (verdicts.frame["quantity"] != "minimum_count")
    ]
    assert shares[["low", "high", "n"]].notna().all(axis=None)
    assert (shares["low"] <= shares["value"]).all() and (shares["value"] <= shares["high"]).all()
    lines = verdicts.frame.set_index("finding_id")["arithmetic"]
    assert lines["fh2025-top10-share"] == CONTRADICTION
    assert lines["fh2025-chn"] == CONSISTENT
    assert lines["oxus2022-detailed"] == ""
    assert lines["upi-notices-2011"] == DIFFERENT_EDITIONS


def test_cape_cannot_be_tested_by_its_own_pages():
    ds = cape.load()
    verdict = cape.findings.check(ds, ["cape1-uzb-tjk-share"])[0]
    own = ds.where(source_kind="cape", origin=cape.CENTRAL_ASIA, years=(1990, 2016))
    every = ds.where(origin=cape.CENTRAL_ASIA, years=(1990, 2016)).incidents
    others = every[~every["incident_id"].isin(own.incidents["incident_id"])]
    assert len(own.incidents)
    assert verdict.n == others["exile_id"].nunique()


def test_a_publication_cannot_be_tested_by_incidents_coded_from_it():
    ds = cape.load()
    pages = set(ds.sources["url"])
    circular = [
        key
        for key, entries in checks.checks().items()
        if entries[0].pattern and KNOWN[key].url in pages
    ]
    assert "azatlyk2023-tkm-tur-deported" in circular
    for key in circular:
        own = ds.sources.loc[ds.sources["url"] == KNOWN[key].url, "source_id"]
        without = replace(ds, incidents=ds.incidents[~ds.incidents["source_id"].isin(own)])
        assert [verdict.value for verdict in cape.findings.check(ds, key)] == [
            verdict.value for verdict in cape.findings.check(without, key)
        ]


def test_a_table_without_sources_can_speak(tmp_path):
    rows = [f"TJK-{n:04d},TJK,RUS,{2002 + n % 15},rendition" for n in range(1, 80)]
    (tmp_path / "mine.csv").write_text(
        "\n".join(["exile_id,origin,host,date,measure", *rows]), encoding="utf-8"
    )
    assert {
        verdict.value
        for verdict in cape.findings.check(cape.load(tmp_path / "mine.csv"), "lemon2016-tjk-cases")
    } == {79}


def test_no_case_is_no_number(tmp_path):
    (tmp_path / "mine.csv").write_text(
        "exile_id,origin,host,date,measure\nVEN-0001,VEN,COL,2010,threat\n", encoding="utf-8"
    )
    verdicts = cape.findings.check(
        cape.load(tmp_path / "mine.csv"), ["fa2022-autoc-share-2021", "cape1-uzb-tjk-share"]
    )
    assert {(verdict.verdict, verdict.value, verdict.here) for verdict in verdicts} == {
        ("too few cases", None, "")
    }
    assert "no incident" in verdicts[0].reason


def test_a_part_of_a_release_is_not_the_release(freedom_house):
    part = freedom_house.where(years=(2014, 2020))
    assert set(cape.findings.check(part).frame["verdict"]) <= {
        "needs data",
        "pattern agrees",
        "pattern differs",
        "too few cases",
        "set by the search",
        "adds up",
        "does not add up",
    }


def test_another_definition_is_passed_on_to_the_functions_that_take_one():
    ds = cape.load()
    strict, loose = (
        cape.findings.check(ds, ["fa2022-autoc-share-2021"], measure="fiw", cutoff=cut)[0]
        for cut in ("NF", "PF")
    )
    assert strict.value < loose.value
    assert "cutoff='PF'" in loose.made_by
    shares = cape.findings.check(ds, measure="row", cutoff=1).frame.set_index("finding_id")["value"]
    assert (
        shares["cape1-uzb-tjk-share"] == cape.findings.check(ds, "cape1-uzb-tjk-share")[0].value
    )  # not about regimes
    with pytest.raises(ParameterError, match="did you mean"):
        cape.findings.check(ds, ["fa2022-autoc-share-2022"])
    with pytest.raises(ParameterError, match="unknown override 'mesure': did you mean measure"):
        cape.findings.check(ds, mesure="row")


# ---------------------------------------------------------------- a release and its twin


@pytest.fixture(scope="module")
def freedom_house(tmp_path_factory):
    return cape.load(written(fh_2022(), tmp_path_factory.mktemp("fh")), vintage="fh-2022")


@pytest.fixture(scope="module")
def first_cape(tmp_path_factory):
    return cape.load(written(cape_1(), tmp_path_factory.mktemp("cape")), vintage="cape-1.0")


def falsified(claim):
    """The same finding with another number, beyond its rounding."""
    if claim.quantity == "minimum_count":
        return replace(claim, value=claim.value * 10, low=claim.low * 10)
    step = {"share": 0.15, "difference": 5}.get(claim.quantity, 1)
    return replace(claim, value=claim.value + step, low=claim.low + step, high=claim.high + step)


@pytest.mark.parametrize("which", ["freedom_house", "first_cape"])
def test_every_number_of_a_release_comes_back_from_its_twin(which, request):
    ds = request.getfixturevalue(which)
    verdicts = cape.findings.check(ds).frame
    own = verdicts[verdicts["finding_id"].map(lambda key: KNOWN[key].vintage) == ds.info.vintage]
    assert len(own) == {"fh-2022": 11, "cape-1.0": 4}[ds.info.vintage]
    assert own.set_index("finding_id")["verdict"].to_dict() == dict.fromkeys(
        own["finding_id"], "reproduced"
    )
    assert set(own["label"]) == {"SYNTHETIC"}
    others = verdicts[~verdicts["finding_id"].isin(own["finding_id"])]
    assert not set(others["verdict"]) & {"reproduced", "not reproduced"}


RELEASED = [key for key, claim in KNOWN.items() if claim.vintage in ("fh-2022", "cape-1.0")]


@pytest.mark.parametrize("key", spread(RELEASED, 5))
def test_with_one_number_falsified_exactly_that_one_does_not_come_back(
    key, freedom_house, first_cape
):
    ds = freedom_house if KNOWN[key].vintage == "fh-2022" else first_cape
    own = [name for name, claim in KNOWN.items() if claim.vintage == ds.info.vintage]
    verdicts = cape.findings.check(ds, own, known=KNOWN | {key: falsified(KNOWN[key])})
    assert [verdict.finding_id for verdict in verdicts if verdict.verdict != "reproduced"] == [key]
    assert [verdict.verdict for verdict in verdicts if verdict.finding_id == key] == [
        "not reproduced"
    ]


@pytest.mark.parametrize("before", [374, 380])
@pytest.mark.slow
def test_the_published_58_percent_allows_374_to_380_of_650(before, tmp_path):
    for number, expected in (
        (before, "reproduced"),
        (before + (-1 if before == 374 else 1), "not reproduced"),
    ):
        ds = cape.load(written(fh_2022(number), tmp_path / str(number)), vintage="fh-2022")
        verdicts = cape.findings.check(
            ds, ["fa2022-autoc-share-2014-2020", "fa2022-autoc-share-2021"]
        )
        pooled = ledger_numbers.authoritarian_share(ds.incidents, (2014, 2020))
        assert round(pooled.value * 650) == number
        assert (0.575 <= pooled.value < 0.585) is (expected == "reproduced")
        assert [verdict.verdict for verdict in verdicts] == [expected, "reproduced"]


def test_a_missing_row_shows(tmp_path):
    ds = cape.load(written(fh_2022().iloc[1:], tmp_path), vintage="fh-2022")
    verdict = cape.findings.check(ds, ["fh2022-total"])[0]
    assert (verdict.verdict, verdict.value) == ("not reproduced", 734)
    assert verdict.reason == "computed from SYNTHETIC, declared to be fh-2022: 734"


@pytest.mark.parametrize("vintage", sorted({claim.vintage for claim in KNOWN.values()} - {""}))
def test_every_release_can_be_declared_and_all_its_numbers_are_judged(vintage, freedom_house):
    """The table is not that release: each check runs, and what needs more data says so."""
    ds = replace(freedom_house, info=replace(freedom_house.info, vintage=vintage))
    own = [key for key, claim in KNOWN.items() if claim.vintage == vintage]
    for verdict in cape.findings.check(ds, own):
        how = checks.checks()[verdict.finding_id][0]
        if how.function:
            assert verdict.verdict in ("reproduced", "not reproduced", "too few cases"), verdict
        elif how.expression:
            assert verdict.verdict in (ADDS_UP, DOES_NOT_ADD_UP), verdict
        else:
            assert verdict.reason.endswith("(a table of incidents as read here does not hold it)")


def test_a_release_that_is_none_is_refused(tmp_path):
    folder = written(cape_1(), tmp_path)
    with pytest.raises(ParameterError, match=r"unknown vintage 'cape-1': did you mean cape-1\.0"):
        cape.load(folder, vintage="cape-1")
    with pytest.raises(ParameterError, match="not a published release"):
        cape.load(vintage="cape-1.0")


# ---------------------------------------------------------------- verdicts by hand, and tallies


@pytest.mark.parametrize(
    ("key", "tally", "verdict"),
    [
        ("fh2022-total", Tally(735, None, None, 735), "reproduced"),
        ("fh2022-total", Tally(736, None, None, 736), "not reproduced"),
        ("fa2022-autoc-share-2021", Tally(63 / 85, 0.64, 0.82, 85), "reproduced"),
        ("fa2022-autoc-share-2021", Tally(62 / 85, 0.63, 0.81, 85), "not reproduced"),
        ("fa2022-autoc-share-2021", Tally(64 / 85, 0.65, 0.83, 85), "not reproduced"),
        ("fa2022-autoc-share-diff", Tally(0.155, 0.05, 0.25, 735), "reproduced"),
        ("fa2022-autoc-share-diff", Tally(0.166, 0.05, 0.25, 735), "not reproduced"),
    ],
)
def test_a_release_is_judged_by_the_published_interval(key, tally, verdict, freedom_house):
    judged = judge(KNOWN[key], freedom_house.info, "by hand", tally)
    assert judged.verdict == verdict


TABLE = pd.DataFrame(
    [
        ("AAA-0001", "RUS", "DEU", 2019, "detention"),
        ("AAA-0001", "RUS", "FRA", 2020, "deportation"),
        ("AAA-0002", "RUS", "DEU", 2020, "detention"),
        ("AAA-0003", "CHN", "THA", 2020, "deportation"),
        ("AAA-0004", "CHN", None, 2021, "threat"),
        ("AAA-0005", "IRN", "DEU", 2021, "assassination"),
    ],
    columns=["exile_id", "origin", "host", "year", "measure"],
).assign(
    episode_id=pd.Series([None, None, None, "E1", "E1", None], dtype="str"),
    source_id=[f"S{number:04d}" for number in range(6)],
)


@pytest.mark.parametrize(
    ("function", "arguments", "value"),
    [
        ("number", {}, 6),
        ("number", {"of": "episode"}, 5),
        ("number", {"of": "exile"}, 5),
        ("number", {"of": "origin"}, 3),
        ("number", {"of": "host"}, 3),
        ("number", {"of": "corridor"}, 4),
        ("newcomers", {"year": 2020}, 1),
        ("newcomers", {"year": 2018}, 0),
        ("rank", {"origin": "CHN"}, 2),
        ("rank", {"origin": "IRN"}, 3),
        ("share", {"origin": ["RUS"]}, 3 / 6),
        ("share", {"host": ["DEU"]}, 3 / 5),
        ("share", {"origin": ["RUS"], "host": ["DEU"]}, 2 / 5),
        ("share", {"of": "exile", "host": ["FRA"]}, 1 / 4),
    ],
)
def test_tallies_by_hand(function, arguments, value):
    assert getattr(ledger_numbers, function)(TABLE, **arguments).value == pytest.approx(value)


def test_a_share_allows_for_cases_reported_together():
    """Two groups of one source each, and four alone: 3 of 10 incidents have the host."""
    table = pd.DataFrame(
        {
            "exile_id": [f"AAA-{number:04d}" for number in range(10)],
            "origin": "RUS",
            "host": ["DEU"] * 3 + ["FRA"] * 7,
            "source_id": ["S0001"] * 3 + ["S0002"] * 3 + ["S0003", "S0004", "S0005", "S0006"],
            "episode_id": pd.Series([None] * 10, dtype="str"),
        }
    )
    cluster = pd.Series([0] * 3 + [1] * 3 + [2, 3, 4, 5])
    expected = clustered(table["host"] == "DEU", cluster)
    for of in ("incident", "exile"):
        tally = ledger_numbers.share(table, of=of, host=["DEU"])
        assert tally[:4] == pytest.approx((expected.share, expected.low, expected.high, 10))
    few = ledger_numbers.share(table[:6], host=["DEU"])
    assert few == Tally(
        0.5, None, None, 6, "3 of 6 cases belong together: too few clusters for an interval"
    )


def test_a_number_that_rests_on_one_action_is_not_judged_but_reproduced_where_it_is_the_vintage(
    freedom_house,
):
    claim = KNOWN["fa2022-autoc-share-2021"]
    why = "60 of 85 cases belong together: too few clusters for an interval"
    tally = Tally(63 / 85, None, None, 85, why)
    other = judge(claim, cape.load().info, "by hand", tally)
    assert (other.verdict, other.reason) == ("too few cases", why)
    assert judge(claim, freedom_house.info, "by hand", tally).verdict == "reproduced"


def test_the_shares_of_authoritarian_soil_again_from_the_rows():
    """Shares, their mean and change by another way: who was reported together, year by year."""
    rows = cape.load().where(stage=(2, 3)).incidents
    marked = cape.shares.authoritarian_hosts(rows)
    everyone = marked["exile_id"].map(linked(marked))  # who is linked by undated rows is linked too
    marked = marked.dropna(subset=["year", "on_authoritarian_soil"])
    everyone = everyone[marked.index]
    hits = marked["on_authoritarian_soil"].astype(bool)
    early, late = marked["year"].between(2014, 2020), marked["year"] == 2021
    both = early | late
    change = ledger_numbers.authoritarian_change(rows, (2014, 2020), (2021, 2021))
    gap = clustered_difference(hits[both], late[both], everyone[both])
    assert change[:4] == pytest.approx((gap.value, gap.low, gap.high, both.sum()))
    share = clustered(hits[early], everyone[early])
    pooled = ledger_numbers.authoritarian_share(rows, (2014, 2020))
    assert pooled[:4] == pytest.approx((share.share, share.low, share.high, early.sum()))
    mean = ledger_numbers.authoritarian_mean(rows, (2014, 2020))
    yearly = hits[early].groupby(marked.loc[early, "year"]).mean()
    assert mean.value == pytest.approx(yearly.mean())
    by_year = hits[early].groupby(marked.loc[early, "year"])
    naive = cape.shares.mean_of_shares(
        [cape.shares.wilson(int(each.sum()), len(each)) for _, each in by_year]
    )
    assert mean.low < naive.low < naive.high < mean.high


def test_equal_counts_share_places(freedom_house):
    """Both states can be given either place: a press release lists one of them first."""
    table = pd.concat(
        [TABLE, TABLE[TABLE["origin"] == "IRN"].assign(exile_id="AAA-0009")]
    )  # two for China, two for Iran
    assert ledger_numbers.rank(table, "IRN") == Tally(2, 2, 3, 2)
    info = replace(freedom_house.info, vintage="fh-2025")
    third = replace(KNOWN["fh2025-rank-tjk"], value=3, low=3, high=3)
    assert judge(third, info, "by hand", ledger_numbers.rank(table, "IRN")).verdict == "reproduced"
    assert (
        judge(third, info, "by hand", ledger_numbers.rank(table, "RUS")).verdict == "not reproduced"
    )


def test_tallies_refuse_what_has_no_answer():
    with pytest.raises(TooFewCases):
        ledger_numbers.rank(TABLE, "TJK")
    with pytest.raises(TooFewCases):
        ledger_numbers.share(TABLE[TABLE["host"].isna()], host=["DEU"])
    with pytest.raises(ParameterError, match="condition"):
        ledger_numbers.share(TABLE)
    with pytest.raises(ParameterError, match="unknown unit"):
        ledger_numbers.number(TABLE, of="persons")


# ---------------------------------------------------------------- the command and the page


@pytest.mark.slow
def test_the_page_shows_every_number_and_escapes_what_it_shows():
    ds = cape.load()
    verdicts = cape.findings.check(ds)
    page = cape.figures.ledger_page(verdicts, relations(), ds.info).document()
    page = page.replace("\u00a0", " ")
    assert page.count("<svg") == 2 * verdicts.frame["value"].notna().sum()
    for text in [*CONTRADICTIONS.values(), *EDITIONS.values()]:
        assert text.replace("<", "&lt;").replace(">", "&gt;") in page
    needed = verdicts.frame[verdicts.frame["verdict"] == NEEDS_DATA]
    assert f"{len(KNOWN) - len(needed)} can be looked at with what ships" in page
    assert f"{len(needed)}\nneed other data" in page
    assert sum(n for _, n in cape.figures.published_findings.by_need(verdicts)) == len(needed)
    evil = replace(verdicts[0], statement="<script>alert(1)</script>")
    assert (
        "<script>"
        not in cape.figures.ledger_page(cape.findings.Verdicts([evil]), [], ds.info).document()
    )


def test_the_chart_does_not_draw_what_needs_other_data():
    ds = cape.load()
    chart = cape.figures.verdicts(cape.findings.check(ds), ds.info)
    [axis] = chart.figure.axes
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert NEEDS_DATA not in labels and ADDS_UP in labels
    drawn = sum(bar.get_width() for bar in axis.patches)
    data = chart.data
    assert drawn == data.loc[data["verdict"] != NEEDS_DATA, "n"].sum()
    assert data["n"].sum() == len(KNOWN)


def test_the_summary_counts_each_number_once():
    """Counted again from the rows of the table, without `by_finding`."""
    checked, among = cape.findings.check(cape.load()), relations()
    summary = cape.findings.summary(checked, among)
    counted = [each for each in among if not each.derived and not each.same_as]
    assert summary.startswith(
        f"Of {len(counted)} relations between published numbers {len(CONTRADICTIONS) - 1} cannot "
        f"hold as printed, and {len(EDITIONS)} fail because they compare different editions. "
        f"Of {manifest.rows()['findings']} published numbers "
    )
    verdicts = checked.frame.groupby("finding_id")["verdict"].agg(set)
    sums = verdicts[verdicts.map(lambda each: bool(each & {ADDS_UP, DOES_NOT_ADD_UP}))]
    adds_up = int((sums == {ADDS_UP}).sum())
    fails = int((sums == {DOES_NOT_ADD_UP}).sum())
    assert (
        f"{len(sums)} by arithmetic with other published numbers "
        f"({ADDS_UP}: {adds_up}; {DOES_NOT_ADD_UP}: {fails}; "
        f"{DEPENDS}: {len(sums) - adds_up - fails})"
    ) in summary
    left = [sum(each == {name} for each in verdicts) for name in NOT_JUDGED]
    assert (
        f"For {left[0]} the data at hand holds too few cases, {left[1]} are set by the search, "
        f"{left[2]} need data that does not ship."
    ) in summary
    assert f"{len(verdicts) - sum(left)} can be judged" in summary
