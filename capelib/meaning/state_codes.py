"""By which system of codes does a column name states: ISO 3166, FIPS 10-4, Correlates of War?"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from capelib.meaning.cells import Cell, refused
from capelib.meaning.state_lexicon import folded, lexicon, two_letter_codes
from capelib.meaning.state_subdivisions import RULE as SUBDIVISION
from capelib.meaning.state_subdivisions import city_in_subdivision
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import path_of, read_text
from capelib.vocabulary.tables import states as codes_of_states
from capelib.vocabulary.text import LONGEST, visible

RULES = {
    "state.system": "the codes of this column fit a system other than ISO 3166, or none",
    "state.fips": "a FIPS 10-4 code: the system that the column shows",
    "state.cow": "a Correlates of War code: the system that the column shows",
    "state.cow_number": "a Correlates of War number: the system that the column shows",
    "state.gw_number": "a Gleditsch-Ward number: the system that the column shows",
    "state.m49": "a number of UN M49 or ISO 3166: the system that the column shows",
    "state.code_shared": "a code with another meaning in another system: read by ISO 3166",
    "state.code_unsure": "a code of a column that fits no one system: read by ISO 3166",
    "state.not_available": 'NA among names and other codes: "not available", left blank',
}
BY_SYSTEM, SHARED, UNSURE, NOT_AVAILABLE = 0.7, 0.6, 0.6, 0.7  # certainty

_ISO = "iso"
_FORMS = {
    "two letters": (re.compile(r"[A-Z]{2}"), (_ISO, "fips")),
    "three letters": (re.compile(r"[A-Z]{3}"), (_ISO, "cow")),
    "numbers": (re.compile(r"[0-9]{1,3}"), ("m49", "cow_number", "gw_number")),
}
_SHOWN = 6  # codes that a message lists
_ENOUGH = 4  # different codes, of which one may be mistyped
_ONE_IN = 10  # of many codes, this share may be mistyped


class Codes(NamedTuple):
    """How the codes of a table's columns of states are read.

    Attributes
    ----------
    cells
        By cell as it stands in the table: what it means. Cells that are read as usual are not
        among them.
    messages
        What to say of the whole table: the finding and the remedy.
    """

    cells: dict[str, Cell]
    messages: list[tuple[str, str]]


@cache
def system(name: str) -> dict[str, str]:
    """Which state does each code of a system stand for?

    Parameters
    ----------
    name
        "fips", "cow", "cow_number", "gw_number" or "m49".

    Examples
    --------
    >>> system("fips")["TI"], system("cow")["AUS"], system("m49")["762"]
    ('TJK', 'AUT', 'TJK')
    """
    table = read_text(path_of("state_codes"))
    table = table[table["system"] == name]
    return dict(zip(table["code"], table["iso3"], strict=True))


def codes_of_columns(columns: Sequence[Iterable[str]]) -> Codes:
    """What do the codes in a table's columns of states mean, by the system that they show?

    Parameters
    ----------
    columns
        The distinct cells of each column. The columns of one table most likely share the system.

    Returns
    -------
    Codes

    Notes
    -----
    For two letters, three letters and numbers apart, the system is taken that lacks the fewest of
    the codes. ISO 3166 is preferred; a code that has another meaning in a system that fits as well
    is a guess. Where no system fits, no code is certain.

    Examples
    --------
    >>> codes_of_columns([["TI", "TX"], ["AU"]]).cells["AU"].value
    'AUT'
    >>> codes_of_columns([["TJ", "TM"], ["AU"]]).cells
    {}
    """
    cells: dict[str, Cell] = {}
    messages: list[tuple[str, str]] = []
    columns = [list(column) for column in columns]
    for form, (pattern, systems) in _FORMS.items():
        written = {
            cell: cell.strip()
            for column in columns
            for cell in column
            if pattern.fullmatch(cell.strip()) and cell.strip() != "NA"
        }
        if not written:
            continue
        read, message = _read(form, sorted(set(written.values())), systems)
        cells |= {cell: read[code] for cell, code in written.items() if code in read}
        messages += [message] if message else []
    for column in columns:
        cells |= _not_available(column)
        cells |= _among_names(column, cells)
        cells |= _cities(column)
    return Codes(cells, messages)


def _known(name: str, form: str) -> Mapping[str, str]:
    if name != _ISO:
        return system(name)
    return (
        two_letter_codes() if form == "two letters" else {code: code for code in codes_of_states()}
    )


def _named(name: str) -> str:
    return "ISO 3166" if name == _ISO else codes("code_system")[name]


def _read(
    form: str, written: list[str], systems: tuple[str, ...]
) -> tuple[dict[str, Cell], tuple[str, str] | None]:
    """What each code means, and what to say of the whole, if anything."""
    tables = {name: _as_written(written, _known(name, form)) for name in systems}
    counted = [code for code in written if folded(code) not in lexicon() or form == "numbers"]
    lacking = {
        name: [code for code in counted if code not in table] for name, table in tables.items()
    }
    fewest = min(len(lacks) for lacks in lacking.values())
    best = [name for name in systems if len(lacking[name]) == fewest]
    if fewest > max(int(len(counted) >= _ENOUGH), len(counted) // _ONE_IN):
        return _without_system(form, written, tables)
    if _ISO in best:
        others = [tables[name] for name in best if name != _ISO]
        return _shared(written, tables[_ISO], others, best), None
    return _by_system(form, written, tables, best, lacking)


def _as_written(written: list[str], table: Mapping[str, str]) -> dict[str, str]:
    """The codes that a system knows; its numbers also without their zeros in front."""
    plain = {code.lstrip("0") if code.isdigit() else code: state for code, state in table.items()}
    known = {}
    for code in written:
        key = code.lstrip("0") if code.isdigit() else code
        if key in plain:
            known[code] = plain[key]
    return known


def _shared(
    written: list[str], iso: dict[str, str], others: list[dict[str, str]], best: list[str]
) -> dict[str, Cell]:
    """The codes of ISO 3166 that mean something else in a system that fits as well."""
    cells = {}
    for code in written:
        for name, other in zip(best[1:], others, strict=True):
            if code in iso and other.get(code, iso[code]) != iso[code]:
                remedy = f"write {iso[code]}, or {other[code]} if this is a code of {_named(name)}"
                cells[code] = Cell(iso[code], "state.code_shared", SHARED, None, remedy)
    return cells


def _by_system(
    form: str,
    written: list[str],
    tables: dict[str, dict[str, str]],
    best: list[str],
    lacking: dict[str, list[str]],
) -> tuple[dict[str, Cell], tuple[str, str]]:
    """The codes by the one system that fits best; where several do, only what they agree on."""
    chosen, label = tables[best[0]], _named(best[0])
    cells = {}
    for code in written:
        meanings = {tables[name][code] for name in best if code in tables[name]}
        if len(meanings) > 1:
            by_meaning = {
                tables[name][code]: _named(name) for name in reversed(best) if code in tables[name]
            }
            named = " or ".join(f"{state} ({by_meaning[state]})" for state in sorted(meanings))
            cells[code] = refused("a code that systems read differently", f"write {named}")
        elif meanings:
            # A code that means the same by ISO 3166, or as an abbreviation, is read as usual.
            usual = tables.get(_ISO, {}).get(code) or _abbreviation(code)
            if usual not in meanings:
                cells[code] = Cell(meanings.pop(), f"state.{best[0]}", BY_SYSTEM)
        elif code not in chosen and code in tables.get(_ISO, {}):
            remedy = f"write the name of the state: the other codes are those of {label}"
            cells[code] = refused(f"no code of {label}", remedy)
    if len(best) > 1:
        label = " or ".join(_named(name) for name in best)
    shown = [code for code in lacking.get(_ISO, []) if code in chosen][:_SHOWN]
    reason = f", since ISO 3166 lacks {', '.join(shown)}" if shown else ""
    remedy = "if they are not, write the names of the states, or ISO 3166 codes"
    return cells, (f"codes of {form} read as {label}{reason}", remedy)


def _abbreviation(code: str) -> str | None:
    """The state of an abbreviation such as UAE."""
    entries = lexicon().get(folded(code), [])
    return entries[0].iso3 if len(entries) == 1 else None


def _without_system(
    form: str, written: list[str], tables: dict[str, dict[str, str]]
) -> tuple[dict[str, Cell], tuple[str, str]]:
    """No system has all the codes: those of ISO 3166 are guesses, numbers are not read."""
    iso = tables.get(_ISO, {})
    remedy = "write the names of the states, or ISO 3166 codes throughout"
    cells = {code: Cell(iso[code], "state.code_unsure", UNSURE, None, remedy) for code in iso}
    if _ISO not in tables:
        problem = "a number that fits no system of codes"
        cells = {code: refused(problem, remedy) for code in written}
    return cells, (f"codes of {form} fit no one system of codes", remedy)


def _not_available(column: list[str]) -> dict[str, Cell]:
    """NA in a column of names or of other codes is no code of Namibia."""
    others = [cell for cell in column if folded(cell) and cell.strip().upper() != "NA"]
    if not others or any(cell.strip() in two_letter_codes() for cell in others):
        return {}
    blank = Cell(None, "state.not_available", NOT_AVAILABLE, None, "write NAM if it is Namibia")
    return {cell: blank for cell in column if cell.strip() == "NA"}


def _among_names(column: list[str], cells: dict[str, Cell]) -> dict[str, Cell]:
    """Codes of two letters in a column of names: doubtful where another system reads them else."""
    filled = [cell for cell in column if folded(cell)]
    short = [cell for cell in filled if cell.strip() in two_letter_codes()]
    if 2 * len(short) >= len(filled):
        return {}
    read = _shared(
        [cell.strip() for cell in short], two_letter_codes(), [system("fips")], [_ISO, "fips"]
    )
    return {
        cell: read[cell.strip()] for cell in short if cell.strip() in read and cell not in cells
    }


def _cities(column: list[str]) -> dict[str, Cell]:
    """Cities whose state may be another one (Denver, CO) in a column that names such states."""
    unclear, among_such = [], set()
    for cell in column:
        reading = city_in_subdivision(visible(cell)) if "," in cell[:LONGEST] else None
        if reading and reading.value and reading.rule == SUBDIVISION:
            among_such.add(reading.value)
        elif reading:
            unclear.append(cell)
    if not among_such:
        return {}
    read = {cell: city_in_subdivision(visible(cell), frozenset(among_such)) for cell in unclear}
    return {cell: reading for cell, reading in read.items() if reading and reading.value}
