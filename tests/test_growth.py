"""A cell four times as long takes about four times as long to read, whatever stands in it.

Each reader is given cells that are padded in the ways that cost most where a pattern looks at the
same signs again and again. No seconds are asserted, only how they grow.
"""

import contextlib
import time
from collections.abc import Callable

import pandas as pd
import pytest

from capelib.clean.matching import find
from capelib.errors import DataError
from capelib.meaning.codes import coded, several_values
from capelib.meaning.csv_safety import defused
from capelib.meaning.free_text_dates import several_dates, written_dates
from capelib.meaning.persons import is_name_column
from capelib.meaning.state_names import several_states, states
from capelib.meaning.yes_no import yes
from capelib.read.csv_text import read_delimited
from capelib.read.encoding import encoding_of
from capelib.read.files import read

PADDING = {
    "blanks": " ",
    "tabs": "\t",
    "no-break blanks": "\u00a0",
    "line ends": "\r\n",
    "blanks and line ends": " \n",
    "brackets": "(",
    "brackets with a letter": "(a",
    "closing brackets": ")",
    "pairs": "()",
    "square brackets": "[",
    "commas": ",",
    "commas and blanks": " ,  ",
    "and": " and ",
    "and, comma": ", and ",
    "dashes": " – - ",
    "stops": ". ",
    "numbers": "1) ",
    "years": "2015-",
    "digits": "1",
    "official": "federal republic of ",
    "question marks": "?",
    "accents": "\u0315\u0316",
    "ligatures": "\ufdfa",
    "no letters": "\u200b",
    "high bytes": "é",
    "mixed": " ( and ,; 1) - ",
}
SHAPES = ("detained{}and deported 1", "{}Turkey 2015", "Turkey 2015{}")


def _read_as(column: str) -> Callable[[str], object]:
    return lambda cell: coded(pd.Series([cell]), column)


def _header(cell: str) -> object:
    return read(pd.DataFrame({cell: ["1", "2"], "measure": ["a", "b"]}))


READERS: dict[str, tuple[Callable[[str], object], int]] = {
    # the second number: the longer cell; several values are looked for in 2,000 letters, and a
    # header has 1,000 at most
    "several values": (several_values, 1_900),
    "several states": (several_states, 1_900),
    "several dates": (several_dates, 1_900),
    "measure": (_read_as("measure"), 10_000),
    "states": (lambda cell: states(pd.Series([cell])), 10_000),
    "dates": (lambda cell: written_dates(pd.Series([cell])), 10_000),
    "yes": (lambda cell: yes(pd.Series([cell])), 10_000),
    "formulas": (lambda cell: defused(pd.Series([cell], dtype="str")), 10_000),
    "columns of names": (is_name_column, 10_000),
    "layouts": (lambda cell: find([cell, "origin", "measure"], "mine.csv"), 1_000),
    "headers": (_header, 10_000),
    "encoding": (lambda cell: encoding_of(cell.encode("utf-8") + b"\xe9 a"), 10_000),
    "csv": (lambda cell: read_delimited(f'a;b\n1;"{cell}"\n'.encode(), "mine.csv"), 10_000),
}


def _seconds(reader: Callable[[str], object], cell: str) -> float:
    start = time.process_time()
    with contextlib.suppress(DataError):  # refused, at whatever length
        reader(cell)
    return time.process_time() - start


def _grows_slowly(reader: Callable[[str], object], cells: tuple[str, str]) -> bool:
    """Whether the longer cell takes less than eight times as long, once in three attempts."""
    for _ in range(3):
        short, long = (_seconds(reader, cell) for cell in cells)
        if long < 8 * max(short, 0.01):
            return True
    return False


SLOW = {"csv", "dates", "states", "yes", "measure"}  # several seconds, most of it pandas


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in READERS],
)
def test_the_time_for_a_cell_grows_no_faster_than_its_length(name):
    reader, long = READERS[name]
    reader("detained and deported")  # tables of words are read once
    for kind, padding in PADDING.items():
        for shape in SHAPES:
            cells = [shape.format((padding * size)[:size]) for size in (long // 4, long)]
            assert _grows_slowly(reader, (cells[0], cells[1])), (kind, shape)


def test_runs_of_blanks_do_not_change_which_values_a_cell_holds():
    for blanks in (" ", "   ", "\t \u00a0", " " * 700):
        assert several_values(f"arrested,{blanks}then{blanks}extradited") == [
            "arrested",
            "extradited",
        ]
        assert several_states(f"Turkey{blanks}and{blanks}Russia") == ["Turkey", "Russia"]


def test_a_word_of_a_million_letters_in_an_old_encoding_is_looked_at_once():
    times = []
    for letters in (100_000, 400_000):
        content = b"\xe9t\xe9 " + b"a" * letters + b"\n"
        start = time.process_time()
        encoding_of(content)
        times.append(time.process_time() - start)
    assert times[1] < 8 * max(times[0], 0.05)
