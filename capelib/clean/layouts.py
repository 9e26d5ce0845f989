"""Layouts: small files that say which columns and words of somebody's table stand for which of the codebook."""

import re
import tomllib
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from capelib.errors import DataError, ParameterError
from capelib.meaning.codes import is_name_column
from capelib.paths import room
from capelib.vocabulary.codebook import codes, columns, unknown

LIKELY = 90  # of 100: how alike a misspelt header must be to one that is known
MAX_BYTES = 1 << 20  # of a layout file
_PARTS = {
    "name": str,
    "title": str,
    "needs": list,
    "columns": dict,
    "events": list,
    "values": dict,
    "fixed": dict,
    "corrections": list,
}
_CALLED = {str: "a text", list: "a list", dict: "a table"}
# Columns of exiles and sources that may stand beside those of the incidents.
BESIDE = ("category", "is_group", "url", "kind", "publisher")


@dataclass(frozen=True)
class Layout:
    """Which headers stand for which column, which words for which value, and what is known to be wrong in the table.

    needs: columns that a table of this layout has, beside origin and measure, which every table needs.
    columns: our columns with the headers that stand for them. events: where a row holds several incidents, the columns of each;
    `yes` is the measure that a mere "yes" in its measure column stands for. words: of this table, with their values, by column.
    fixed: values that every row has. corrections: errors of the source, each with what it must still say.
    """

    name: str
    title: str = ""
    needs: tuple[str, ...] = ()
    columns: dict[str, list[str]] = field(default_factory=dict)
    events: tuple[dict[str, Any], ...] = ()
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)
    corrections: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Match:
    """How the headers of a table were understood by a layout.

    columns: our column by header. events: the same for each of the layout's events. certainty: by header, below 1 where guessed.
    missing: needed columns that no header stands for.
    """

    layout: Layout
    columns: dict[str, str]
    events: tuple[dict[str, str], ...]
    certainty: dict[str, float]
    missing: tuple[str, ...]

    @property
    def every_column(self) -> list[tuple[str, str]]:
        """Each header that was understood, with our column, those of the events last."""
        return [item for group in (self.columns, *self.events) for item in group.items()]


def plain(header: str) -> str:
    """A header as it is compared: without case, accents, punctuation and doubled spaces.

    >>> plain("  Country_of  Origin (ISO) / ")
    'country of origin iso'
    """
    text = unicodedata.normalize("NFKD", str(header)).casefold()
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return re.sub(r"[\W_]+", " ", text).strip()


@cache
def layouts() -> dict[str, Layout]:
    """The layouts that are shipped, by name.

    >>> sorted(layouts())
    ['events', 'exiles-wide', 'incidents']
    """
    return {
        layout.name: layout
        for layout in map(read_layout, sorted((room("data") / "layouts").glob("*.toml")))
    }


def layout(name: str) -> Layout:
    """A layout by its name, or from a file of one's own. Raises ParameterError naming the nearest, DataError for a bad file."""
    if name in layouts():
        return layouts()[name]
    if str(name).endswith(".toml"):
        return read_layout(Path(name))
    raise ParameterError(unknown("layout", name, [*layouts(), "FILE.toml"]))


def read_layout(path: Path) -> Layout:
    """A layout from its file. Raises DataError in one line that names the file and what is wrong in it."""
    place = "".join(letter if letter.isprintable() else " " for letter in str(path))
    try:
        path = path.expanduser()
        if not path.is_file():
            raise DataError(f"no layout {place}: check the path")
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise DataError(
                f"{place} is not a layout: it has more than {MAX_BYTES:,} bytes; see the layouts in data/layouts"
            )
        content = tomllib.loads(text.decode("utf-8-sig"))
    except DataError:
        raise
    except RecursionError:
        raise DataError(
            f"{place} is not a layout: it is nested too deeply; see the layouts in data/layouts"
        ) from None
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"no layout {place}: {' '.join(str(error).split())[:100]}; check the path"
        ) from None
    except ValueError as error:  # of TOML or of UTF-8
        raise DataError(
            f"{place} is not a layout: {' '.join(str(error).split())[:100]}; see the layouts in data/layouts"
        ) from None
    try:
        return _layout(content, path.stem)
    except _Wrong as wrong:
        raise DataError(f"{place}: {wrong}") from None


class _Wrong(Exception):
    """What is wrong in a layout."""


def _layout(content: dict[str, Any], name: str) -> Layout:
    for part, value in content.items():
        if part not in _PARTS:
            raise _Wrong(unknown("part", part, list(_PARTS)))
        if not isinstance(value, _PARTS[part]):
            raise _Wrong(f"{part} must be {_CALLED[_PARTS[part]]}, not {_short(value)}")
    own, fixed, events = (
        content.get("columns", {}),
        content.get("fixed", {}),
        content.get("events", []),
    )
    known = [*columns("incidents"), *BESIDE]
    for column in [*own, *content.get("values", {}), *fixed, *content.get("needs", [])]:
        if column not in known:
            raise _Wrong(unknown("column", column, known))
    for column, value in fixed.items():
        if column in own:
            raise _Wrong(
                f"{column} stands under [columns] and under [fixed]: take it out of one of them"
            )
        if isinstance(value, list | dict):
            raise _Wrong(f"{column} under [fixed] must be one value, not {_short(value)}")
    if "origin" not in own and "origin" not in fixed:
        raise _Wrong(
            "it says nothing of origin: name its column under [columns], or its value under [fixed]"
        )
    if not events and "measure" not in own and "measure" not in fixed:
        raise _Wrong(
            "it says nothing of measure: name its column under [columns], its value under [fixed], or give [[events]]"
        )
    return Layout(
        name=" ".join(content.get("name", name).split()),
        title=" ".join(content.get("title", "").split()),
        needs=tuple(
            dict.fromkeys(column for column in content.get("needs", ()) if column not in fixed)
        ),
        columns={column: [column, *_headers(headers, column)] for column, headers in own.items()},
        events=tuple(_event(event) for event in events),
        words={
            column: _words(words, column) for column, words in content.get("values", {}).items()
        },
        fixed={column: _cell(value) for column, value in fixed.items()},
        corrections=tuple(_correction(correction) for correction in content.get("corrections", [])),
    )


def _headers(headers: Any, of: str) -> list[str]:
    several = headers if isinstance(headers, list) else [headers]
    if any(isinstance(header, list | dict) for header in several):
        raise _Wrong(f"{of} must be a header or a list of headers, not {_short(headers)}")
    return [_cell(header) for header in several]


def _event(event: Any) -> dict[str, Any]:
    if (
        not isinstance(event, dict)
        or "measure" not in event
        or not set(event) <= {"measure", "date", "host", "yes"}
    ):
        raise _Wrong(
            f"an [[events]] has a measure and may have a date, a host and a yes, not {_short(event)}"
        )
    usual = event.get("yes", "other")
    if usual not in codes("measure"):
        raise _Wrong(unknown("measure", usual, codes("measure")))
    return {
        part: value if part == "yes" else _headers(value, part) for part, value in event.items()
    }


def _words(words: Any, column: str) -> dict[str, str]:
    if not isinstance(words, dict) or any(
        isinstance(value, list | dict) for value in words.values()
    ):
        raise _Wrong(
            f'values of {column} must be lines such as "found word" = "value", not {_short(words)}'
        )
    return {plain(found): _cell(value) for found, value in words.items()}


def _correction(correction: Any) -> dict[str, Any]:
    parts = {"where": dict, "column": str, "expect": object, "value": object, "reason": str}
    if not isinstance(correction, dict) or not parts.keys() <= set(correction):
        raise _Wrong(
            f"a [[corrections]] needs where, column, expect, value and reason, not {_short(correction)}"
        )
    for part, kind in parts.items():
        if not isinstance(correction[part], kind):
            raise _Wrong(
                f"{part} of a correction must be {_CALLED[kind]}, not {_short(correction[part])}"
            )
    row = correction["where"].get("row", 1)
    if not correction["where"] or not isinstance(row, int) or isinstance(row, bool):
        raise _Wrong(
            f"where of a correction must say which rows, such as {{ row = 17 }}, not {_short(correction['where'])}"
        )
    return correction


def _cell(value: Any) -> str:
    """A value of a layout as it stands in a cell."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def match(headers: list[str], layout: Layout) -> Match:
    """Which of a table's headers stand for which column of a layout?

    Exact first (case, accents and punctuation aside), the first of two headers for the same column; what is left is compared for
    typing errors, and a match of that kind has a certainty below 1.
    """
    from rapidfuzz import fuzz, process

    wanted: dict[
        str, tuple[int, str]
    ] = {}  # plain header -> number of the event (-1: the row itself) and our column
    for number, group in [(-1, layout.columns), *enumerate(layout.events)]:
        for column, names in group.items():
            if column != "yes":
                wanted |= {
                    name: (number, column) for name in map(plain, names) if name not in wanted
                }
    found: dict[str, tuple[int, str]] = {}
    certainty: dict[str, float] = {}
    for whole in (
        True,
        False,
    ):  # under a merged header, "Who / Country of origin", the last part alone may be what is known
        for header in headers:
            place = wanted.get(plain(header if whole else header.rpartition(" / ")[2]))
            if place and header not in found and place not in found.values():
                found[header], certainty[header] = place, 1.0
    for header in headers:
        if header not in found and len(plain(header)) >= 4 and not is_name_column(header):
            near = process.extractOne(
                plain(header), list(wanted), scorer=fuzz.ratio, score_cutoff=LIKELY
            )
            if near and wanted[near[0]] not in found.values():
                found[header], certainty[header] = wanted[near[0]], round(near[1] / 100 - 0.1, 2)
    found = {header: found[header] for header in headers if header in found}
    of_row = {header: column for header, (number, column) in found.items() if number == -1}
    events = tuple(
        {header: column for header, (event, column) in found.items() if event == number}
        for number in range(len(layout.events))
    )
    wanted = dict.fromkeys((*layout.needs, "origin", *(() if layout.events else ("measure",))))
    missing = [
        column for column in wanted if column not in of_row.values() and column not in layout.fixed
    ]
    if layout.events and not any("measure" in event.values() for event in events):
        missing.append("measure")
    return Match(layout, of_row, events, certainty, tuple(missing))


def shown_header(header: str) -> str:
    """A header as it may be shown: of two rows of names put together, the upper one alone where no layout knows the lower.

    What was taken for a second row of names may be the first row of the table, with the name of a person in it.

    >>> shown_header("What / Host"), shown_header("Remarks / Person One"), shown_header("Remarks")
    ('What / Host', 'Remarks', 'Remarks')
    """
    upper, both, lower = str(header).partition(" / ")
    return str(header) if not both or plain(lower.rpartition(" / ")[2]) in _known() else upper


@cache
def _known() -> frozenset[str]:
    groups = [group for each in layouts().values() for group in (each.columns, *each.events)]
    return frozenset(
        plain(header)
        for group in groups
        for column, names in group.items()
        if column != "yes"
        for header in names
    )


def find(headers: list[str], place: str, chosen: str = "") -> Match:
    """The layout that a table has: the chosen one, else that of the shipped ones which understands most of its headers.

    Of two that understand as many, the one that needs more columns.

    Raises DataError that names what is missing and which headers there are.
    """
    options = [layout(chosen)] if chosen else list(layouts().values())
    matches = sorted(
        (match(headers, option) for option in options),
        key=lambda each: (len(each.missing), -len(each.every_column), -len(each.layout.needs)),
    )
    best = matches[0]
    if best.missing:
        lacks = f"{place} lacks the column(s) {', '.join(best.missing)}"
        if (
            max(len(each.every_column) for each in matches) < 2
        ):  # then it may be no header but a row of the table, with names in it
            raise DataError(
                f"{lacks}: does a row name its columns? name them as in `cape codebook incidents`, or give a --layout"
            )
        there = ", ".join(shown_header(header)[:40] for header in headers[:12]) + (
            ", ..." if len(headers) > 12 else ""
        )
        raise DataError(
            f"{lacks} (it has: {' '.join(there.split())}): rename them as in `cape codebook incidents`, "
            "or describe the table in a layout of your own and give it with --layout"
        )
    return best
