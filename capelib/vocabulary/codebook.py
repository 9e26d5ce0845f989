"""The codebook: what each table, column and code means, from the one file `data/codebook.toml`."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from capelib.errors import DataError, ParameterError
from capelib.paths import project_folder
from capelib.vocabulary.text import bare, nearest

# Stands for the built-in data where a file of the reader's could be named.
PUBLIC_RECORD = "public-record"
_SHORT = 20  # allowed values that a message lists; of more it says where they are listed
_LISTED_BY_FINDINGS = ("finding", "publication")


@cache
def codebook() -> dict[str, Any]:
    """What does the whole codebook hold? Nested dictionaries: `dataset`, `table`, `codes` ...

    Raises
    ------
    DataError
        When the file is missing.

    Examples
    --------
    >>> codebook()["codes"]["measure"]["rendition"]["stage"]
    3
    """
    path = project_folder("data") / "codebook.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing: this copy of capelib is incomplete; clone or install it again"
        ) from None


def break_margin() -> int:
    """How many years does a break need on each side?

    Examples
    --------
    >>> break_margin()
    4
    """
    return codebook()["analysis"]["break_margin"]


def columns(table: str) -> dict[str, dict[str, Any]]:
    """Which columns has a table? In order, each with its type and description.

    Examples
    --------
    >>> list(columns("displaced"))
    ['origin', 'year', 'refugees', 'asylum_seekers']
    """
    return codebook()["table"][table]["column"]


def codes(name: str) -> dict[str, str]:
    """Which values may a coded column hold? Codes with their labels, in the codebook's order.

    Examples
    --------
    >>> codes("stage")["2"]
    'Held'
    """
    return {code: entry["label"] for code, entry in codebook()["codes"][name].items()}


def licences() -> dict[str, str]:
    """Which tables have terms of their own? Path below data/, and licence.

    What is made of such a table names the licence too: figures do so in provenance.json.

    Examples
    --------
    >>> licences()["reference/regimes_row.csv"]
    'CC-BY-SA-4.0'
    """
    book = codebook()
    tables = [entry for entry in book["table"].values() if "licence" in entry]
    others = [entry for entry in tables if entry["licence"] != book["dataset"]["licence"]]
    return {entry["path"]: entry["licence"] for entry in others}


def stage_of() -> dict[str, int]:
    """Which stage (1 on notice, 2 held, 3 ended or attacked) follows from each measure?

    Notes
    -----
    CAPE's own words for the stages are known; which measure belongs to which stage is our reading
    of them.

    Examples
    --------
    >>> stage_of()["detention"]
    2
    """
    return {measure: entry["stage"] for measure, entry in codebook()["codes"]["measure"].items()}


def named(name: str = "") -> list[tuple[str, str, str]]:
    """What has this name: a table, a column, a coded column or a code?

    Parameters
    ----------
    name
        Without one, every table and column.

    Returns
    -------
    list of (str, str, str)
        Place, name and meaning; none where nothing has the name.

    Examples
    --------
    >>> named("red_notice")[0][2]
    'Red notice, stage 1. An Interpol red notice or diffusion is published.'
    """
    rows = []
    for place, entry, meaning in _entries():
        of_codes = place in codebook()["codes"]
        if name in (place, entry) or (not name and not of_codes):
            rows.append((place, entry, meaning))
    return rows


def containing(words: str) -> list[tuple[str, str, str]]:
    """Where do all these words occur, in a name, a label or a meaning?

    Parameters
    ----------
    words
        In any order and case, also parts of words.

    Returns
    -------
    list of (str, str, str)
        Place, name and meaning.

    Examples
    --------
    >>> [name for _, name, _ in containing("interpol diffusion")]
    ['red_notice']
    """
    wanted = bare(words).split()
    rows = []
    for row in _entries():
        text = bare(" ".join(row))
        if wanted and all(word in text for word in wanted):
            rows.append(row)
    return rows


def names() -> dict[str, str]:
    """The name of everything that the codebook describes, with its label."""
    known: dict[str, str] = {}
    book = codebook()
    for table, entry in book["table"].items():
        known[table] = entry["title"]
        known |= {column: column for column in entry["column"]}
    for group, entries in book["codes"].items():
        known[group] = group
        known |= {code: spec["label"] for code, spec in entries.items()}
    return known


@cache
def _entries() -> list[tuple[str, str, str]]:
    """Place, name and meaning of every table, column and code."""
    book = codebook()
    rows = []
    for table, entry in book["table"].items():
        rows.append(("table", table, f"{entry['title']}. {entry['description']}"))
        for column, spec in entry["column"].items():
            rows.append((table, column, _meaning_of_column(spec)))
    for group, entries in book["codes"].items():
        rows += [(group, code, _meaning_of_code(spec)) for code, spec in entries.items()]
    return rows


def _meaning_of_column(spec: Mapping[str, Any]) -> str:
    allowed = f" One of: {', '.join(codes(spec['codes']))}." if "codes" in spec else ""
    return f"{spec['description']}{allowed}"


def _meaning_of_code(spec: Mapping[str, Any]) -> str:
    stage = f", stage {spec['stage']}" if "stage" in spec else ""
    return f"{spec['label']}{stage}. {spec.get('description', '')}".strip()


def unknown(what: str, value: object, allowed: Mapping[str, str] | Iterable[str]) -> str:
    """What does a user read whose value is not allowed? One line.

    Parameters
    ----------
    what
        The thing that the value should name, in words.
    value
        As it was typed.
    allowed
        Codes with their labels, or codes alone.

    Returns
    -------
    str
        The nearest allowed value, else a short list of all, else where they are listed.

    Examples
    --------
    >>> unknown("measure", "rendtion", {"rendition": "Rendition"})
    "unknown measure 'rendtion': did you mean rendition?"
    """
    choice = _labelled(allowed)
    guess = nearest(str(value), choice)
    if guess is not None:
        label = choice[guess]
        same = label.casefold().replace(" ", "_") == guess.casefold().replace(" ", "_")
        named = guess if same else f"{guess}, {label}"
        return f"unknown {what} {value!r}: did you mean {named}?"
    if len(choice) <= _SHORT:
        listed = ", ".join(choice)
    elif what.startswith("state"):
        listed = "the codes of cape.states()"
    elif what in _LISTED_BY_FINDINGS:
        listed = "those that `cape findings` lists"
    else:
        listed = "those that `cape codebook` lists"
    return f"unknown {what} {value!r}: allowed are {listed}"


def require(what: str, values: object, allowed: Mapping[str, str] | Iterable[str]) -> list[str]:
    """Is each of these values allowed? Then they come back as a list.

    Parameters
    ----------
    what
        The thing that a value should name, in words.
    values
        One code, or several.
    allowed
        Codes with their labels, or codes alone.

    Returns
    -------
    list of str
        The values in their order, those of a set in alphabetical order.

    Raises
    ------
    ParameterError
        For the first value that is not allowed, with the nearest allowed one.

    Examples
    --------
    >>> require("stage", "2", codes("stage"))
    ['2']
    """
    choice = _labelled(allowed)
    single = isinstance(values, str) or not isinstance(values, Iterable)
    wanted = [values] if single else list(values)
    if isinstance(values, set | frozenset):
        # The order of a set changes from run to run, and filters are printed on figures.
        wanted.sort(key=str)
    for value in wanted:
        if not isinstance(value, str) or value not in choice:
            raise ParameterError(unknown(what, value, choice))
    return wanted


def spelt(value: str, allowed: Mapping[str, str]) -> str:
    """Which code is a value, or is it the label of, but for case, signs and a plural s?

    Parameters
    ----------
    value
        As typed.
    allowed
        Codes with their labels.

    Returns
    -------
    str
        The code; the value itself where it is none.

    Examples
    --------
    >>> spelt("Exiles", codes("unit")), spelt("FH 2022", codes("vintage")), spelt("persons", {})
    ('exile', 'fh-2022', 'persons')
    """
    written = {_letters(label): code for code, label in allowed.items()}
    written |= {_letters(code): code for code in allowed}
    return value if value in allowed else written.get(_letters(value), value)


def _letters(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.casefold()).removesuffix("s")


def _labelled(allowed: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """Codes with their labels; a code without one is its own label."""
    return dict(allowed) if isinstance(allowed, Mapping) else {code: code for code in allowed}
