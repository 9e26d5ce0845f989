"""Dates as people write them: EDTF with its uncertainty, guesses named, the rest refused."""

import csv
import re
import time
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import edtf as edtf_library
import pandas as pd
import pytest
from dateutil import parser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shared import examples, outcome, slow

from capelib.meaning.free_text_dates import RULES, several_dates, written_dates
from capelib.paths import project_folder
from capelib.vocabulary import edtf
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.text import LONGEST

with (Path(__file__).parent / "golden" / "dates.csv").open(encoding="utf-8", newline="") as file:
    GOLDEN = [(row["written"], row["edtf"]) for row in csv.DictReader(file)]

MONTHS = [
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
]
GENITIVE = [
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
]
NOMINATIVE = [
    *("январь", "февраль", "март", "апрель", "май", "июнь"),
    *("июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"),
]


def read(*cells: str | None) -> pd.DataFrame:
    return written_dates(pd.Series(cells, dtype="str"))


@cache
def reading(cell: str) -> pd.Series:
    return read(cell).iloc[0]


def each_cell_has_one_end(frame: pd.DataFrame) -> bool:
    """A value, a problem with a remedy, or blank: never two of them."""
    value, problem, remedy = (frame[name].notna() for name in ("value", "problem", "remedy"))
    return bool(
        (~(value & problem)).all()
        and (problem == remedy).all()
        and frame["certainty"].between(0, 1).all()
    )


# ---------------------------------------------------------------- the golden file


@pytest.mark.parametrize("first", [0, *map(slow, (1, 2, 3))])
def test_golden_dates_are_read_as_reviewed(first):
    golden = GOLDEN[first::4]
    assert [(written, outcome(reading(written))) for written, _ in golden] == golden


@pytest.mark.slow
def test_the_golden_file_is_large_and_shows_every_rule():
    assert len(GOLDEN) >= 250
    assert sum(edtf == "-" for _, edtf in GOLDEN) >= 80
    shown = {reading(written)["rule"] for written, _ in GOLDEN}
    of_a_column = {
        "date.day-first.column",
        "date.month-first.column",
        "date.either-order",
    }  # tested below
    assert set(RULES) - of_a_column <= shown
    assert shown <= set(RULES) | {"", "text.form"}


def test_the_library_reads_every_value_that_is_made():
    values = pd.Series(sorted({edtf for _, edtf in GOLDEN if edtf not in ("", "-")}))
    when = edtf.bounds(values)
    assert values[~when["valid"]].tolist() == []
    assert when["date_start"].dt.year.min() >= 1900 and when["date_end"].dt.year.max() <= 2100


@pytest.mark.slow
def test_the_edtf_library_reads_each_form_that_is_made_alike():
    forms = {re.sub("[0-9]", "0", edtf): edtf for _, edtf in GOLDEN if edtf not in ("", "-")}
    assert len(forms) >= 30
    ours = edtf.bounds(pd.Series(forms))
    for form, value in forms.items():
        date = edtf_library.parse_edtf(value)
        days = [pd.Timestamp(*day[:3]) for day in (date.lower_strict(), date.upper_strict())]
        assert ours.loc[form, ["date_start", "date_end"]].tolist() == days, value


@pytest.mark.parametrize("written", ["05.03.15", "15-03-05", "5 March"])
def test_own_grammar_stands_since_the_library_invents_years(written):
    assert parser.parse(written).year not in (5, 3, 15)  # a century or this year, without a word
    assert outcome(reading(written)) == "-"


def test_what_was_cleaned_stays_as_it_is():
    values = pd.Series(sorted({edtf for _, edtf in GOLDEN if edtf not in ("", "-")}), dtype="str")
    again = written_dates(values)
    assert again["value"].tolist() == values.tolist()
    assert set(again["rule"]) == {"", "date.season"}


def test_dates_of_the_public_record_pass_untouched():
    shipped = read_text(project_folder("data") / "incidents.csv")["date"]
    clean = written_dates(shipped)
    assert clean["value"].fillna("").tolist() == shipped.fillna("").tolist()
    assert (
        (clean["rule"] == "").all()
        and (clean["certainty"] == 1).all()
        and clean["problem"].isna().all()
    )


# ---------------------------------------------------------------- order of day and month


def test_day_comes_first_where_nothing_else_is_known_and_that_is_called_a_guess():
    assert reading("05/03/2015")[["value", "rule", "certainty"]].tolist() == [
        "2015-03-05",
        "date.day-first.assumed",
        0.7,
    ]
    assert reading("05.03.2015")[["value", "certainty"]].tolist() == ["2015-03-05", 0.85]
    assert reading("25/03/2015")[["value", "certainty"]].tolist() == ["2015-03-25", 1.0]


def test_a_column_that_shows_months_first_is_read_so():
    frame = read("05/03/2015", "03/25/2015", "12/31/2014")
    assert frame["value"].tolist() == ["2015-05-03", "2015-03-25", "2014-12-31"]
    assert frame["rule"].tolist() == [
        "date.month-first.column",
        "date.month-first",
        "date.month-first",
    ]
    assert frame["certainty"].tolist() == [0.85, 1.0, 1.0]


def test_a_column_that_shows_days_first_is_read_so():
    frame = read("05/03/2015", "25/03/2015")
    assert frame["value"].tolist() == ["2015-03-05", "2015-03-25"]
    assert frame["rule"].tolist() == ["date.day-first.column", "date.day-first"]


def test_in_a_column_with_both_orders_an_ambiguous_date_is_one_of_two():
    frame = read("05/03/2015", "25/03/2015", "03/26/2015", "4/4/2015", "c. 01/02/2015")
    assert frame["value"].tolist() == [
        "[2015-03-05,2015-05-03]",
        "2015-03-25",
        "2015-03-26",
        "2015-04-04",
        "[2015-01-02~,2015-02-01~]",
    ]
    assert frame.loc[0, ["rule", "certainty"]].tolist() == ["date.either-order", 0.8]
    assert edtf.bounds(frame["value"])["valid"].all()


def test_one_slip_among_many_dates_does_not_turn_the_column():
    days = [f"{day}/03/2015" for day in range(13, 32)] * 3
    frame = read(
        "05/03/2015",
        "03/25/2015",
        *(cell.replace("2015", str(year)) for year in (2014, 2015) for cell in days),
    )
    assert frame.loc[0, ["value", "rule"]].tolist() == ["2015-03-05", "date.day-first.column"]


def test_each_sign_between_the_numbers_has_its_own_order():
    assert read("05.03.2015", "05/03/2015", "03/25/2015")["value"].tolist() == [
        "2015-03-05",
        "2015-05-03",
        "2015-03-25",
    ]


def test_ambiguous_dates_stay_below_nine_tenths():
    for column in (
        ["05/03/2015"],
        ["05.03.2015"],
        ["05/03/2015", "25/03/2015"],
        ["05/03/2015", "03/25/2015"],
    ):
        assert read(*column)["certainty"].iloc[0] < 0.9


# ---------------------------------------------------------------- choices that users can rely on


def test_guesses_are_below_nine_tenths_and_plain_dates_are_certain():
    for cell in (
        *("42068", "2014-16", "2014-21", "winter 2015", "2000s", "early 2015", "Febuary 2015"),
        *("2015.03", "March/April 2015"),
    ):
        assert reading(cell)["certainty"] < 0.9, cell
    for cell in ("5 March 2015", "summer 2015", "1990s", "2015?", "март 2015"):
        assert reading(cell)["certainty"] == 1, cell


def test_a_winter_is_never_made_more_exact_than_it_is():
    when = edtf.bounds(read("winter 2015", "winter 2014-15")["value"])
    assert when["date_start"].dt.strftime("%Y-%m-%d").tolist() == ["2015-01-01", "2014-12-01"]
    assert when["date_end"].dt.strftime("%Y-%m-%d").tolist() == ["2015-12-31", "2015-02-28"]


def test_a_range_of_years_and_a_month_are_not_taken_for_each_other():
    assert read("2014-16", "2014-12", "2010–12", "2014–16")["value"].fillna("-").tolist() == [
        "2014/2016",
        "2014-12",
        "-",
        "2014/2016",
    ]
    assert "2010-12 for the month, 2010/2012 for the years" in reading("2010–12")["remedy"]


def test_two_digit_years_are_refused_and_never_completed():
    for cell in (
        *("05.03.15", "5/3/15", "15-03-05", "Mar-15", "5-Mar-15", "5 марта 15 г.", "March 5"),
    ):
        assert reading(cell)[["problem", "remedy"]].tolist() == [
            "no year with four digits",
            "write the year with four digits, such as 5 March 2015",
        ], cell


def test_open_intervals_are_refused_with_what_to_write():
    for cell in (
        *("before 2015", "после 2015", "2015-", "2015/..", "since May 2015", "2015–present"),
        *("/2015",),
    ):
        assert reading(cell)[["problem", "remedy"]].tolist() == [
            "an interval with an open end",
            "give both ends, such as 2013/2015, or leave the cell blank",
        ], cell


def test_an_impossible_day_says_how_long_the_month_is():
    assert (
        reading("31.02.2015")["remedy"]
        == "February 2015 has 28 days; correct the day, or write 2015-02"
    )


def test_no_message_repeats_the_cell_since_it_may_hold_a_name():
    for cell in ("Jane Testperson 2015", "reported by J. Testperson", "5 March Testperson"):
        row = reading(cell)
        assert "estperson" not in row["problem"] + row["remedy"]


def test_only_a_cell_as_the_codebook_has_it_is_without_a_rule():
    assert read(
        *("2015-03-05", " 2015-03-05", "2015-03-05\u00a0", "2015-03-05 00:00:00", "2015\u200b"),
        *("５",),
        None,
        "",
    )["rule"].tolist() == [*("", "text.form", "text.form", "date.time", "text.form", "", "", "")]


def test_the_index_and_the_blanks_of_the_column_are_kept():
    cells = pd.Series(["2015", None, "  ", "soon", "2015"], index=[7, 7, 3, 9, 1], dtype="str")
    frame = written_dates(cells)
    assert frame.index.tolist() == [7, 7, 3, 9, 1]
    assert [outcome(row) for _, row in frame.iterrows()] == ["2015", "", "", "-", "2015"]
    assert frame.dtypes.astype(str).to_dict() == {
        "value": "str",
        "rule": "str",
        "certainty": "float64",
        "problem": "str",
        "remedy": "str",
    }
    assert written_dates(cells.head(0)).empty


# ---------------------------------------------------------------- several dates in a cell


def test_several_dates_are_told_apart_from_ranges():
    assert several_dates("2014-2016") == ["2014-2016"]
    assert several_dates("2015 or 2016") == ["2015 or 2016"]
    assert several_dates("2014, 2015 and 2017") == ["2014", "2015", "2017"]
    assert several_dates("March 5, 2015, April 7, 2015") == ["March 5, 2015", "April 7, 2015"]
    assert several_dates("с 2014 по 2016; 2018") == ["с 2014 по 2016", "2018"]
    assert several_dates("1) 2014 2) 2015") == ["2014", "2015"]
    assert several_dates("2015\n2016") == ["2015", "2016"]
    assert several_dates("2014; soon") == ["2014", "soon"]
    assert several_dates("2014, soon") == ["2014, soon"]


@given(st.text())
def test_splitting_never_raises_and_never_loses_letters_or_numbers(text):
    parts = several_dates(text)
    assert parts
    if len(parts) > 1:
        kept = sum(character.isalpha() for part in parts for character in part)
        assert kept <= sum(character.isalpha() for character in text)


# ---------------------------------------------------------------- anything at all

pieces = st.sampled_from(
    [
        *(
            *("2015", "2014", "5", "13", "31", "1990s", "15", "00", "xx", "42068", "2015-03-05"),
            *("2015-21", "201X", "..", "~", "?", "%", "/", "-"),
        ),
        *(
            *("–", ",", ";", "[", "]", "{", "or", "and", "to", "from", "between", "before", "c."),
            *("early", "mid", "late", "summer", "winter", "Q1"),
        ),
        *(
            *("March", "марта", "May", "Febuary", "по", "с", "до", "г.", "th", "of", " ", " "),
            *(" ", ".", "00:00", "T00:00:00Z", "first half", "+", "\n"),
        ),
    ]
)
words = st.lists(pieces, max_size=7).map("".join) | st.lists(pieces, max_size=6).map(" ".join)


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(words | st.text() | st.none(), max_size=8))
@example(
    [
        *("summer1990s", "early summer 1990s", "1990s 2015", "Q1 1990s", "2100s", "1890s"),
        *("March 1990s-2015", "or or 2015", "1990s or 1995"),
    ]
)
@example(
    [
        "\x00",
        "²015",
        "٢٠١٥",
        "1" * 5000,
        "2015" + " " * 300,
        "\u202e2015",
        "ﷺ" * 200,
        "[,]",
        "{}",
        "/",
        "0000-13",
        "9999999999999999.9",
    ]
)
def test_any_text_at_all_gets_one_end_and_a_value_that_can_be_read(cells):
    frame = read(*cells)
    assert len(frame) == len(cells) and each_cell_has_one_end(frame)
    values = frame["value"].dropna()
    assert edtf.bounds(values)["valid"].all(), values.tolist()
    again = written_dates(values)
    assert again["value"].tolist() == values.tolist()


def spelled(day: date, way: int) -> str:
    """A day in one of the accepted ways, each clear; the first RANGED also stand in ranges."""
    d, m, y = day.day, day.month, day.year
    name, genitive = MONTHS[m - 1], GENITIVE[m - 1]
    ways = [
        *(
            f"{y}-{m:02d}-{d:02d}",
            f"{y}-{m}-{d}",
            f"{y}/{m:02d}/{d:02d}",
            f"{y}.{m:02d}.{d:02d}",
            f"{d}.{m}.{y}",
            f"{d:02d}.{m:02d}.{y}",
        ),
        *(
            f"{d:02d}/{m:02d}/{y}",
            f"{d}-{m}-{y}",
            f"{d:02d}.{m:02d}.{y} г.",
            f"{d} {name} {y}",
            f"{d} {name[:3]} {y}",
            f"{name} {d}, {y}",
        ),
        *(
            f"{name[:3]}. {d}, {y}",
            f"{name.upper()} {d} {y}",
            f"{d}-{name[:3]}-{y}",
            f"{d}th of {name}, {y}",
            f"{y} {name} {d}",
        ),
        *(
            f"{d} {genitive} {y}",
            f"{d} {genitive} {y} г.",
            f"{d} {genitive.upper()} {y} года",
            f"{d}-го {genitive} {y} года",
        ),
        *(f" {d} {genitive}\u00a0{y}", f"{day:%A}, {d} {name} {y}", f"{d} {name} {y} ({day:%A})"),
        *(
            f"{y}{m:02d}{d:02d}",
            f"{y}–{m:02d}–{d:02d}",
            f"{y}-{m:02d}-{d:02d} 00:00:00",
            f"{y}-{m:02d}-{d:02d}T13:45:00Z",
        ),
        *(
            f"{d:02d}.{m:02d}.{y} 13:45",
            f"{d} {name} {y}, 13:45",
            f"{d} {genitive} {y} года в 13:45",
        ),
    ]
    assert len(ways) == WAYS
    return ways[way]


WAYS, RANGED = 31, 24
# Days of 1900 and 1905 are what spreadsheets make of empty cells and of years.
days = st.dates(date(1906, 1, 1), date(2100, 12, 31))


@settings(max_examples=examples(400))
@given(days, st.integers(0, WAYS - 1))
def test_a_day_written_in_any_accepted_way_comes_back(day, way):
    assert reading(spelled(day, way))["value"] == day.isoformat()


@given(st.dates(date(1957, 7, 1), date(2064, 4, 8)))  # numbers before are years with a note
def test_a_spreadsheets_number_of_a_day_comes_back(day):
    serial = (day - date(1899, 12, 30)).days
    assert reading(str(serial))["value"] == reading(f"{serial}.0")["value"] == day.isoformat()


@given(
    days,
    st.sampled_from(["~", "?", "%"]),
    st.sampled_from(["{month} {year}", "{russian} {year} г.", "{number:02d}.{year}", "{year}"]),
)
def test_months_and_years_come_back_with_their_uncertainty(day, mark, form):
    text = form.format(
        month=MONTHS[day.month - 1],
        russian=NOMINATIVE[day.month - 1],
        number=day.month,
        year=day.year,
    )
    edtf = f"{day.year}" if form == "{year}" else f"{day.year}-{day.month:02d}"
    assert reading(text)["value"] == edtf
    marked = {"~": f"c. {text}", "?": f"probably {text}", "%": f"около {text}?"}[mark]
    assert reading(marked)["value"] == edtf + mark


between = st.sampled_from(
    [
        *("{} - {}", "{} – {}", "from {} to {}", "с {} по {}", "between {} and {}", "{} until {}"),
        *("{} through {}",),
    ]
)


@settings(max_examples=examples(400))
@given(days, st.integers(1, 3000), between, st.integers(0, RANGED - 1), st.integers(0, RANGED - 1))
def test_a_range_of_days_comes_back(day, length, form, way, other):
    last = min(day + timedelta(length), date(2100, 12, 31))
    edtf = f"{day}/{last}" if day < last else f"{day}"
    assert outcome(reading(form.format(spelled(day, way), spelled(last, other)))) == edtf


# ---------------------------------------------------------------- what is no date


@given(st.integers(1900, 2100))
def test_a_year_typed_into_a_date_cell_is_a_guess(year):
    day = (date(1899, 12, 30) + timedelta(year)).isoformat()
    found = reading(day)
    assert (found["value"], found["rule"]) == (str(year), "date.typed-year")
    assert found["certainty"] < 0.9


def test_a_column_of_those_years_keeps_its_days():
    assert read("1905-07-07", "1912-03-01")["value"].tolist() == ["1905-07-07", "1912-03-01"]


def test_what_is_read_without_a_remark_is_a_guess():
    remarks = [
        "2017¹",
        "20123",
        "2016*",
        "Unknown in 2013",
        "week of 5 March 2013",
        "5 & 6 May 2013",
    ]
    assert (read(*remarks)["certainty"] < 0.9).all()


# ---------------------------------------------------------------- cost


def seconds(cells: pd.Series) -> float:
    start = time.process_time()
    frame = written_dates(cells)
    assert len(frame) == len(cells)
    return time.process_time() - start


@pytest.mark.slow
def test_a_million_rows_cost_little_more_than_their_distinct_values():
    written = [
        spelled(date(1990, 1, 1) + timedelta(number), number % WAYS) for number in range(5000)
    ]
    cells = pd.Series(written * 200, dtype="str")
    assert seconds(cells) < 4  # under 2 s on a machine that does nothing else


def test_the_cost_of_distinct_text_grows_with_its_length_only_up_to_a_bound():
    long = pd.Series([f"{number} March 2015 " * 100_000 for number in range(3)], dtype="str")
    assert seconds(long) < 1
    assert written_dates(long)["problem"].unique().tolist() == ["too long to be a date"]
    assert len("5 March 2015 ") * 100_000 > LONGEST
    assert (
        seconds(
            pd.Series(
                ["1-" * 50, "from " * 20, "(" * 100, "2015-" * 20, "to 2015 " * 12, "a" * 100],
                dtype="str",
            )
        )
        < 1
    )
