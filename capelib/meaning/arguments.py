"""What a value typed at the prompt means: a code, or a word by which tables are read.

`require` of the codebook takes codes alone; these take Uzbekistan, uzb and UZ for UZB as well, and
kidnapping for the measure that it is read as in a table.
"""

from collections.abc import Callable, Iterable
from typing import Any

from capelib.errors import ParameterError
from capelib.meaning.codes import read_codes
from capelib.meaning.state_names import read_all
from capelib.vocabulary import codebook
from capelib.vocabulary.codebook import codes, require, spelt
from capelib.vocabulary.tables import states
from capelib.vocabulary.text import LONGEST, plain

# Rules by which a cell of a table is read, but which say too little at the prompt: where="Moscow".
_NOT_TYPED = {
    *("state.city", "state.region", "state.remark", "state.hedged", "state.spelling"),
    *("state.subdivision", "state.historical"),
}
_WORDS = {"code.spelling", "code.label", "code.word", "code.form", "text.form", ""}
_SEARCHED = ("measure", "category", "attribution", "kind", "regime_measure")


def states_meant(what: str, values: object) -> list[str]:
    """Which states do these values name?

    Parameters
    ----------
    what
        The thing that a value should name, in words.
    values
        One or several: codes of two or three letters, or names in any language that is read.

    Returns
    -------
    list of str
        Codes, in the order of the values; those of a set in alphabetical order.

    Raises
    ------
    ParameterError
        For the first value that names no state, with the nearest one.

    Examples
    --------
    >>> states_meant("state", ["Uzbekistan", "uz", "TJK"])
    ['UZB', 'UZB', 'TJK']
    """
    return require(what, _each(values, lambda value: _state(what, value)), states())


def codes_meant(what: str, values: object, column: str) -> list[str]:
    """Which codes of a coded column do these values name?

    Parameters
    ----------
    what
        The thing that a value should name, in words.
    values
        One or several: codes, their labels, or words of the literature.
    column
        The coded column.

    Returns
    -------
    list of str
        Codes, in the order of the values; those of a set in alphabetical order.

    Raises
    ------
    ParameterError
        For the first value that names no code, or may name several.

    Examples
    --------
    >>> codes_meant("measure", ["kidnapping", "Rendition"], "measure")
    ['rendition', 'rendition']
    >>> codes_meant("regime measure", "vdem", "regime_measure")
    ['row']
    >>> codes_meant("vintage", "FH 2022", "vintage")
    ['fh-2022']
    """
    return require(what, _each(values, lambda value: _code(what, value, column)), codes(column))


def _each(values: Any, meant: Callable[[Any], Any]) -> Any:
    """The values in the form in which `require` takes them, each as a code where it means one."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return meant(values)
    wanted = sorted(values, key=str) if isinstance(values, set | frozenset) else values
    return [meant(value) for value in wanted]


def _state(what: str, value: Any) -> Any:
    if not isinstance(value, str) or value in states() or len(value) > LONGEST:
        return value
    reading = read_all([(value, None)])[0]
    if reading.value and reading.rule not in _NOT_TYPED:
        return reading.value
    if reading.value:
        named = f"{reading.value}, {states()[reading.value]}"
        raise ParameterError(f"unknown {what} {value!r}: did you mean {named}?")
    if reading.rule == "state.not_a_state" and reading.remedy:
        raise ParameterError(f"unknown {what} {value!r}: {reading.remedy}")
    return value


def _code(what: str, value: Any, column: str) -> Any:
    if not isinstance(value, str) or len(value) > LONGEST:
        return value
    value = spelt(value, codes(column))
    if value in codes(column):
        return value
    reading = read_codes([plain(value)], column)[0]
    if reading.value and reading.rule in _WORDS:
        return reading.value
    if reading.problem and "more than one" in reading.problem:
        raise ParameterError(f"unknown {what} {value!r}: it {reading.problem}; {reading.remedy}")
    return value


def describe(name: str = "") -> list[tuple[str, str, str]]:
    """What does a table, a column, a code or a word mean?

    Parameters
    ----------
    name
        Of a table, a column or a code; or a word by which tables are read, such as kidnapping; or
        words to look for in all names, labels and meanings. Without one, every table and column is
        described.

    Returns
    -------
    list of (str, str, str)
        Place, name and meaning of what has this name; else of the codes that the word stands for,
        and of everything in which the words occur.

    Raises
    ------
    ParameterError
        When nothing is found, with the nearest name.

    Examples
    --------
    >>> describe("red_notice")[0][:2]
    ('measure', 'red_notice')
    >>> describe("kidnapping")[0][:2]
    ('measure', 'rendition')
    >>> ("measure", "red_notice") in [row[:2] for row in describe("interpol notice")]
    True
    """
    exact = codebook.named(name)
    if exact:
        return exact
    rows = []
    for column in _SEARCHED:
        reading = read_codes([plain(name)], column)[0]
        if reading.value and reading.rule in _WORDS:
            named = codebook.named(reading.value)
            rows += [row for row in named if row[0] == column]
    rows += [row for row in codebook.containing(name) if row not in rows]
    if not rows:
        raise ParameterError(codebook.unknown("column or code", name, codebook.names()))
    return rows
