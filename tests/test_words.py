"""What users rely on for coded words, yes and no, several values in a cell, formulas, headers."""

import csv
import io
import time
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shared import examples, outcome, slow

from capelib.errors import ParameterError
from capelib.meaning import cells as cells_module
from capelib.meaning import codes as codes_module
from capelib.meaning import yes_no
from capelib.meaning.codes import coded, several_values, synonyms
from capelib.meaning.csv_safety import defused
from capelib.meaning.persons import is_name_column
from capelib.meaning.yes_no import yes
from capelib.paths import project_folder
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.text import plain

with (Path(__file__).parent / "golden" / "words.csv").open(encoding="utf-8", newline="") as file:
    GOLDEN = [(row["column"], row["written"], row["value"]) for row in csv.DictReader(file)]

CODED = ["measure", "category", "kind", "attribution"]
RULES = {*cells_module.RULES, *yes_no.RULES, *codes_module.RULES}


def read(column: str, *cells: str | None) -> pd.DataFrame:
    series = pd.Series(cells, dtype="str")
    return yes(series) if column == "yes" else coded(series, column)


@cache
def reading(column: str, cell: str) -> pd.Series:
    return read(column, cell).iloc[0]


# ---------------------------------------------------------------- the golden file


@pytest.mark.parametrize("first", [0, *map(slow, (1, 2, 3))])
def test_golden_words_are_read_as_reviewed(first):
    golden = GOLDEN[first::4]
    read_as = [
        (column, written, outcome(reading(column, written))) for column, written, _ in golden
    ]
    assert read_as == golden


@pytest.mark.slow
def test_the_golden_file_shows_every_rule_and_every_code():
    assert {reading(column, written)["rule"] for column, written, _ in GOLDEN} == {*RULES, ""}
    for column in CODED:
        assert {value for name, _, value in GOLDEN if name == column} >= set(codes(column)) - {
            "interested_party",
            "cape",
        }


# ---------------------------------------------------------------- the tables of words


@pytest.mark.parametrize("column", CODED)
def test_each_word_of_a_table_names_codes_that_exist(column):
    table = synonyms(column)
    for written, code, certainty in zip(
        table["written"], table["code"], table["certainty"], strict=True
    ):
        assert code in ("", "blank") or set(code.split(";")) <= set(codes(column)), written
        assert 0 <= float(certainty) <= 1, written
        assert (float(certainty) == 0) == (code == "" or ";" in code), written


@pytest.mark.parametrize("column", CODED)
def test_each_word_of_a_table_is_used_and_means_what_the_table_says(column):
    table = synonyms(column)
    frame = coded(table["written"], column)
    one_code = table["certainty"].astype(float) > 0
    wanted = table["code"].where(one_code & (table["code"] != "blank"))
    assert frame["value"].fillna("").tolist() == wanted.fillna("").tolist()
    assert frame["certainty"].tolist() == table["certainty"].astype(float).tolist()
    assert set(frame["rule"]) <= {"code.word", "code.blank", ""}, table["written"][
        ~frame["rule"].isin(["code.word", "code.blank", ""])
    ].tolist()


@pytest.mark.parametrize("column", CODED)
def test_a_word_that_is_wider_than_its_code_says_so_in_a_note_and_below_nine_tenths(column):
    table = synonyms(column)
    guesses = table["certainty"].astype(float).between(0.01, 0.89)
    assert (table.loc[guesses, "note"] != "").all()
    assert (table.loc[table["code"].str.contains(";"), "note"] != "").all()


@pytest.mark.parametrize("column", CODED)
def test_other_forms_of_two_words_never_fall_together(column):
    table, meaning = synonyms(column), {}
    for written, code in [
        *zip(table["written"], table["code"], strict=True),
        *((code, code) for code in codes(column)),
    ]:
        stem = codes_module.stem(codes_module._signless(plain(written)))
        assert meaning.setdefault(stem, code) == code, f"{written}: {code} or {meaning[stem]}"


# ---------------------------------------------------------------- codes


@pytest.mark.parametrize("column", CODED)
def test_codes_stay_as_they_are_and_what_was_cleaned_too(column):
    frame = read(column, *codes(column))
    assert frame["value"].tolist() == list(codes(column))
    assert (frame["rule"] == "").all() and (frame["certainty"] == 1).all()


def test_the_public_record_passes_untouched():
    for file, columns in (
        ("incidents", ["measure", "attribution"]),
        ("exiles", ["category"]),
        ("sources", ["kind"]),
    ):
        shipped = read_text(project_folder("data") / f"{file}.csv")
        for column in columns:
            frame = coded(shipped[column], column)
            assert frame["value"].equals(shipped[column].rename("value")), column
            assert (frame["rule"] == "").all() and frame["problem"].isna().all()


@pytest.mark.parametrize("column", CODED)
def test_labels_are_read_in_any_letters(column):
    for code, label in codes(column).items():
        for written in (
            label,
            label.upper(),
            f"  {label.lower()}. ",
            label.replace(" ", "\u00a0"),
            label.replace(" ", "_"),
        ):
            assert outcome(reading(column, written)) == code, written


def test_a_stage_or_a_family_of_methods_is_refused_with_the_choices():
    assert reading("measure", "Stage 2")[["problem", "remedy"]].tolist() == [
        "may be more than one measure: a stage, not a measure",
        "write detention or conviction_abroad",
    ]
    for words in (
        "on notice",
        "direct attacks",
        "mobility controls",
        "threats from a distance",
        "returned to home country",
    ):
        assert outcome(reading("measure", words)) == "-", words


def test_what_did_not_happen_is_not_coded_as_if_it_had():
    for words in (
        *("not arrested", "not detained", "avoided deportation", "extradition pending"),
        *("failed deportation", "failed extradition"),
    ):
        assert outcome(reading("measure", words)) == "-", words
    assert outcome(reading("measure", "extradition refused")) == "extradition_request"
    assert outcome(reading("measure", "attempted murder")) == "assassination_attempt"


def test_an_attempted_abduction_is_an_attempted_rendition_only_as_a_guess():
    assert reading("measure", "attempted rendition")["certainty"] == 1
    for words in ("attempted abduction", "Foiled kidnapping", "попытка похищения"):
        row = reading("measure", words)
        assert (outcome(row), row["certainty"] < 1) == ("attempted_rendition", True), words


def test_an_abduction_is_a_rendition_only_as_a_guess():
    for words in ("kidnapped", "Abduction", "похищение"):
        assert reading("measure", words)[["value", "certainty"]].tolist() == ["rendition", 0.7]
    assert reading("measure", "abducted and returned")["certainty"] == 1


def test_typing_errors_are_mended_only_where_one_code_is_near_and_are_called_guesses():
    for written, code in [
        ("assasination", "assassination"),
        ("dissapeared", "disappearance"),
        ("surveilance", "surveillance"),
        ("extraditoin", "extradition"),
    ]:
        assert reading("measure", written)[["value", "rule", "certainty"]].tolist() == [
            code,
            "code.misspelt",
            0.75,
        ]


def test_real_words_are_not_taken_for_typing_errors():
    for written in (
        *("reported", "treat", "sedition", "retention", "convention", "connection", "extraction"),
        *("attach", "thread", "exposed", "notice"),
    ):
        assert outcome(reading("measure", written)) == "-", written


def test_an_unknown_code_list_is_refused_with_the_nearest():
    with pytest.raises(ParameterError, match="did you mean measure"):
        coded(pd.Series(["x"]), "mesure")


def test_no_message_repeats_the_cell_since_it_may_hold_a_name():
    for column in [*CODED, "yes"]:
        row = reading(column, "brother Jan Testperson detained")
        assert "Testperson" not in row["problem"] + row["remedy"]


# ---------------------------------------------------------------- yes and no


def test_a_no_is_left_blank_but_never_in_silence():
    frame = read("yes", "no", "Нет", "0", "FALSE")
    assert frame["value"].isna().all() and frame["problem"].isna().all()
    assert set(frame["rule"]) == {"yes.no"}


def test_numbers_that_may_be_codes_of_a_questionnaire_are_refused():
    assert [outcome(row) for _, row in read("yes", "1", "0", "2", "9").iterrows()] == [
        "yes",
        "",
        "-",
        "-",
    ]


def test_what_is_only_alleged_is_a_guess():
    assert reading("yes", "alleged")[["value", "certainty"]].tolist() == ["yes", 0.7]


# ---------------------------------------------------------------- several values in a cell


@pytest.mark.parametrize(
    ("cell", "parts"),
    [
        ("arrested, then extradited", ["arrested", "extradited"]),
        ("1) red notice 2) arrest", ["red notice", "arrest"]),
        ("(1) arrest; (2) deportation", ["arrest", "deportation"]),
        ("- arrest\n- deportation", ["arrest", "deportation"]),
        ("red notice → detention → extradition", ["red notice", "detention", "extradition"]),
        ("detention/deportation", ["detention", "deportation"]),
        ("threatened, arrested and deported", ["threatened", "arrested", "deported"]),
        ("задержание и экстрадиция", ["задержание", "экстрадиция"]),
        ("arrested; something odd", ["arrested", "something odd"]),
        ("assassination attempt", ["assassination attempt"]),
        ("arrest/detention", ["arrest/detention"]),
        ("threats and intimidation", ["threats and intimidation"]),
        ("deportation or extradition", ["deportation or extradition"]),
        ("threat, something odd", ["threat, something odd"]),
        ("kidnapped and returned", ["kidnapped and returned"]),
        ("", [""]),
    ],
)
def test_cells_are_split_where_they_hold_several_measures(cell, parts):
    assert several_values(cell) == parts


def test_categories_stay_whole_where_the_codebook_has_one_for_both():
    assert several_values("Journalist or civil society", "category") == [
        "Journalist or civil society"
    ]
    assert several_values("journalist, lawyer", "category") == ["journalist, lawyer"]
    assert several_values("journalist and opposition politician", "category") == [
        "journalist",
        "opposition politician",
    ]


# ---------------------------------------------------------------- formulas

FORMULAS = [
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "' =1"),
    '"=1"',
    "\u00a0=1",
    "\ufeff=1",
    "＝1+1",
    "=cmd|' /C calc'!A0",
    "-5+cmd",
]


@pytest.mark.parametrize("cell", FORMULAS, ids=ascii)
def test_no_formula_is_left_at_the_start_of_a_cell(cell):
    assert defused(pd.Series([cell])).tolist() == [f"'{cell}"]


def test_numbers_dates_and_words_are_left_alone():
    cells = [
        *("-5", "+5", "-5,3", "-1.5e-3", "12%", "2015", "TJK", "it's", "'quoted'", "a=b", ""),
        *("5-7 March",),
    ]
    assert defused(pd.Series(cells)).tolist() == cells


@given(st.lists(st.text() | st.sampled_from(FORMULAS) | st.text("='\"+-@ 5"), max_size=8))
@example(["'=1", "''=1", "'", "'-5", "-5"])
def test_a_cell_is_only_changed_by_an_apostrophe_and_no_formula_is_left(cells):
    text = pd.Series(cells, dtype="str", index=range(10, 10 + len(cells)))
    safe = defused(text)
    assert (safe.eq(text) | safe.eq("'" + text)).all()
    assert not any(cell.lstrip().startswith(("=", "@")) for cell in safe)


def test_a_written_table_is_read_back_cell_by_cell():
    text = pd.Series([*FORMULAS, "TJK", None], dtype="str", name="note")
    file = io.StringIO(newline="")
    defused(text).to_frame().to_csv(file, index=False, quoting=csv.QUOTE_ALL, lineterminator="\n")
    file.seek(0)
    again = pd.read_csv(file, dtype="str", keep_default_na=False, na_values=[""])["note"]
    assert again.fillna("").str.removeprefix("'").tolist() == text.fillna("").tolist()


# ---------------------------------------------------------------- names of persons


with (Path(__file__).parent / "golden" / "headers.csv").open(encoding="utf-8", newline="") as file:
    HEADERS = [(row["header"], row["name"] == "yes") for row in csv.DictReader(file)]


@pytest.mark.parametrize(("header", "name"), HEADERS, ids=[header for header, _ in HEADERS])
def test_columns_that_may_hold_names_of_persons_are_found_and_those_of_states_and_keys_kept(
    header, name
):
    assert is_name_column(header) == name


# ---------------------------------------------------------------- anything at all

odd_words = st.lists(
    st.sampled_from(
        [
            *("arrest", "ed", "s", "/", ", ", " and ", "; ", "→", "threat", "deport", "не", "1) "),
            *("extradition", "?", "yes", "no", "=", "\n", "да"),
        ]
    ),
    max_size=6,
).map("".join)


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(odd_words | st.text() | st.none(), max_size=6), st.sampled_from([*CODED, "yes"]))
@example(
    ["\x00", "a" * 100_000, "detention " * 30, "ﷺ" * 300, ";" * 5000, "1) " * 2000, ", " * 3000],
    "measure",
)
def test_any_text_at_all_gets_one_end(cells, column):
    frame = read(column, *cells)
    value, problem, remedy = (frame[name].notna() for name in ("value", "problem", "remedy"))
    assert len(frame) == len(cells) and not (value & problem).any() and (problem == remedy).all()
    assert frame["certainty"].between(0, 1).all()
    assert (
        read(column, *frame["value"].dropna())["value"].tolist() == frame["value"].dropna().tolist()
    )
    for cell in filter(None, cells):
        assert several_values(cell, "measure")
        assert is_name_column(cell) in (True, False)


def test_a_million_rows_cost_little_more_than_their_distinct_values():
    distinct = [
        *synonyms("measure")["written"],
        *(f"something odd {number}" for number in range(4300)),
    ]
    cells = pd.Series(distinct * 200, dtype="str")
    start = time.process_time()
    coded(cells, "measure")
    assert time.process_time() - start < 4  # under 2 s on a machine that does nothing else
