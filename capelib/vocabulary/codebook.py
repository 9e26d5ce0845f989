"""The codebook: what each table, column and code means, read from the one file `data/codebook.toml`."""

import difflib
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from capelib.errors import ParameterError
from capelib.paths import room

PUBLIC_RECORD = (
    "public-record"  # stands for the built-in data where a file of the reader's could be named
)


@cache
def codebook() -> dict[str, Any]:
    """The whole codebook as nested dictionaries: `dataset`, `table`, `codes`.

    Raises DataError when the file is missing.

    >>> codebook()["codes"]["measure"]["rendition"]["stage"]
    3
    """
    from capelib.errors import DataError

    path = room("data") / "codebook.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing: this copy of capelib is incomplete; clone or install it again"
        ) from None


def break_margin() -> int:
    """How many years a break needs on each side.

    >>> break_margin()
    4
    """
    return codebook()["analysis"]["break_margin"]


def columns(table: str) -> dict[str, dict[str, Any]]:
    """The columns of a table, in order, each with its type and description.

    >>> list(columns("displaced"))
    ['origin', 'year', 'refugees', 'asylum_seekers']
    """
    return codebook()["table"][table]["column"]


def codes(name: str) -> dict[str, str]:
    """Allowed values of a coded column and their labels, in the codebook's order.

    >>> codes("stage")["2"]
    'Held'
    """
    return {code: entry["label"] for code, entry in codebook()["codes"][name].items()}


def stage_of() -> dict[str, int]:
    """The stage (1 on notice, 2 held, 3 ended or attacked) that follows from each measure.

    CAPE's own words for the stages are known; which measure belongs to which stage is our reading of them.

    >>> stage_of()["detention"]
    2
    """
    return {measure: entry["stage"] for measure, entry in codebook()["codes"]["measure"].items()}


def describe(name: str = "") -> list[tuple[str, str, str]]:
    """What does a column or code mean? Rows of (place, name, meaning), for every table, column and code called `name`.

    Without a name: every table and column. Raises ParameterError, with the nearest name, when nothing is called so.

    >>> describe("red_notice")
    [('measure', 'red_notice', 'Red notice, stage 1. An Interpol red notice or diffusion is published.')]
    """
    book = codebook()
    rows: list[tuple[str, str, str]] = []
    known: dict[str, str] = {}
    for table, entry in book["table"].items():
        known[table] = entry["title"]
        if name in ("", table):
            rows.append(("table", table, f"{entry['title']}. {entry['description']}"))
        for column, spec in entry["column"].items():
            known[column] = column
            if name in ("", table, column):
                rows.append((table, column, _meaning(spec)))
    for group, entries in book["codes"].items():
        known[group] = group
        for code, spec in entries.items():
            known[code] = spec["label"]
            if name and name in (group, code):
                stage = f", stage {spec['stage']}" if "stage" in spec else ""
                rows.append(
                    (group, code, f"{spec['label']}{stage}. {spec.get('description', '')}".strip())
                )
    if not rows:
        raise ParameterError(unknown("column or code", name, known))
    return rows


def _meaning(spec: Mapping[str, Any]) -> str:
    allowed = f" One of: {', '.join(codes(spec['codes']))}." if "codes" in spec else ""
    return f"{spec['description']}{allowed}"


def nearest(value: str, allowed: Mapping[str, str]) -> str | None:
    """The allowed code that a mistyped value most likely means, by its code or its label; None when nothing is near.

    >>> nearest("TAJ", {"TJK": "Tajikistan", "TZA": "Tanzania"})
    'TJK'
    """
    wanted = _plain(value)
    if not wanted:
        return None
    by_name = {_plain(label): code for code, label in allowed.items()} | {
        _plain(code): code for code in allowed
    }
    if wanted in by_name:
        return by_name[wanted]
    spelt = difflib.get_close_matches(
        wanted, [code.casefold() for code in allowed], n=1, cutoff=0.8
    )
    if spelt:
        return by_name[spelt[0]]
    starts = [
        code for label, code in by_name.items() if len(wanted) >= 3 and label.startswith(wanted)
    ]
    if starts:
        return starts[0]
    long = [
        name for name in by_name if 2 * abs(len(name) - len(wanted)) < max(len(name), len(wanted))
    ]  # "Turkey" is not URY
    close = difflib.get_close_matches(wanted, long, n=1, cutoff=0.6)
    return by_name[close[0]] if close else None


def _plain(name: str) -> str:
    """A name without capitals, accents and outer blanks: Türkiye and turkiye are the same."""
    letters = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def unknown(what: str, value: object, allowed: Mapping[str, str] | Iterable[str]) -> str:
    """The one-line message for a value that is not allowed: names the nearest allowed one, or lists a short choice.

    >>> unknown("measure", "rendtion", {"rendition": "Rendition"})
    "unknown measure 'rendtion': did you mean rendition?"
    """
    choice = dict(allowed) if isinstance(allowed, Mapping) else {item: item for item in allowed}
    guess = nearest(str(value), choice)
    if guess is not None:
        label = choice[guess]
        named = (
            guess if label.casefold().replace(" ", "_") == guess.casefold() else f"{guess}, {label}"
        )
        return f"unknown {what} {value!r}: did you mean {named}?"
    lists = {
        "finding": "those that `cape findings` lists",
        "publication": "those that `cape findings` lists",
    }
    many = (
        "the codes of cape.states()"
        if what.startswith("state")
        else lists.get(what, "those that `cape codebook` lists")
    )
    listed = ", ".join(choice) if len(choice) <= 20 else many
    return f"unknown {what} {value!r}: allowed are {listed}"


def require(what: str, values: object, allowed: Mapping[str, str] | Iterable[str]) -> list[str]:
    """`values` (one or several) as a list of codes, each of them allowed; a set is put in order.

    Raises ParameterError that names the nearest allowed value.

    >>> require("stage", "2", codes("stage"))
    ['2']
    """
    choice = dict(allowed) if isinstance(allowed, Mapping) else {item: item for item in allowed}
    wanted = (
        [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    )
    if isinstance(values, set | frozenset):
        wanted.sort(
            key=str
        )  # the order of a set changes from run to run, and filters are printed on figures
    for value in wanted:
        if not isinstance(value, str) or value not in choice:
            raise ParameterError(unknown(what, value, choice))
    return wanted
