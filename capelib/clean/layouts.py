"""Layouts: files that say which columns and words of a table stand for which of the codebook."""

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from capelib.errors import DataError, ParameterError
from capelib.paths import project_folder
from capelib.vocabulary.codebook import codes, columns, unknown
from capelib.vocabulary.text import bare

MAX_BYTES = 1 << 20  # of a layout file
_PARTS = {
    "name": str,
    "title": str,
    "needs": list,
    "columns": dict,
    "general": list,
    "further": dict,
    "highest": list,
    "events": list,
    "values": dict,
    "fixed": dict,
    "corrections": list,
    "drop": list,
}
_CALLED = {str: "a text", list: "a list", dict: "a table"}
# Free text may name anybody: it is taken only where a layout of the user's says so, and where the
# header is just the one that it names.
FREE_TEXT = "outcome"
# A date may stand in several columns, which `capelib.clean.date_columns` puts together.
DATE_PARTS = ("year", "month", "day", "start", "end")
# Columns of exiles and sources that may stand beside those of the incidents.
BESIDE = ("category", "is_group", "url", "kind", "publisher")


@dataclass(frozen=True)
class Layout:
    """Which headers stand for which column, which words for which value, and which cells are wrong?

    Attributes
    ----------
    name, title
        What it is called.
    needs
        Columns that a table of this layout has, beside origin and measure, which each needs.
    columns
        Our columns with the headers that stand for them.
    general
        Those headers that say less than the others: "year", "country". They give way.
    further
        Our columns with the headers of a second or third value, such as "second host".
    highest
        Headers of the highest stage that a person reached: its number is compared with the stages
        of the incidents.
    events
        Where a row holds several incidents, the columns of each; `yes` is the measure that a mere
        "yes" in its measure column stands for, or a date without a measure.
    words
        By column: words of this table, with their values.
    fixed
        Values that every row has.
    corrections
        Errors of the source, each with what it must still say.
    drop
        Headers of columns of numbers that are no counts of incidents: each row is one incident.
    shipped
        Is it one of the project's? Such a layout takes no free text from a table.
    """

    name: str
    title: str = ""
    needs: tuple[str, ...] = ()
    columns: dict[str, list[str]] = field(default_factory=dict)
    general: frozenset[str] = frozenset()
    further: dict[str, list[str]] = field(default_factory=dict)
    highest: tuple[str, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)
    corrections: tuple[dict[str, Any], ...] = ()
    drop: tuple[str, ...] = ()
    shipped: bool = False


@cache
def layouts() -> dict[str, Layout]:
    """The layouts that are shipped, by name.

    >>> sorted(layouts())
    ['events', 'exiles-wide', 'incidents']
    """
    paths = sorted((project_folder("data") / "layouts").glob("*.toml"))
    shipped = [replace(read_layout(path), shipped=True) for path in paths]
    return {layout.name: layout for layout in shipped}


def layout(name: str) -> Layout:
    """A layout by its name, or from a file.

    Raises ParameterError that names the nearest, or DataError for a bad file.
    """
    if name in layouts():
        return layouts()[name]
    if str(name).endswith(".toml"):
        return read_layout(Path(name))
    raise ParameterError(unknown("layout", name, [*layouts(), "FILE.toml"]))


def read_layout(path: Path) -> Layout:
    """A layout from its file.

    Raises DataError in one line that names the file and what is wrong in it.
    """
    place = "".join(letter if letter.isprintable() else " " for letter in str(path))
    not_one, see = f"{place} is not a layout", "see the layouts in data/layouts"
    try:
        path = path.expanduser()
        if not path.is_file():
            raise DataError(f"no layout {place}: check the path")
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise DataError(f"{not_one}: it has more than {MAX_BYTES:,} bytes; {see}")
        content = tomllib.loads(text.decode("utf-8-sig"))
    except DataError:
        raise
    except RecursionError:
        raise DataError(f"{not_one}: it is nested too deeply; {see}") from None
    except (OSError, RuntimeError) as error:
        raise DataError(f"no layout {place}: {_one_line(error)}; check the path") from None
    except ValueError as error:  # of TOML or of UTF-8
        raise DataError(f"{not_one}: {_one_line(error)}; {see}") from None
    try:
        return _layout(content, path.stem)
    except _Wrong as wrong:
        raise DataError(f"{place}: {wrong}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:100]


class _Wrong(Exception):
    """What is wrong in a layout."""


def _layout(content: dict[str, Any], name: str) -> Layout:
    _require_parts(content)
    headers, fixed = content.get("columns", {}), content.get("fixed", {})
    words, needs = content.get("values", {}), content.get("needs", [])
    return Layout(
        name=" ".join(content.get("name", name).split()),
        title=" ".join(content.get("title", "").split()),
        needs=tuple(dict.fromkeys(column for column in needs if column not in fixed)),
        columns={column: [column, *_headers(names, column)] for column, names in headers.items()},
        general=frozenset(bare(_cell(header)) for header in content.get("general", [])),
        further={
            column: _headers(names, column) for column, names in content.get("further", {}).items()
        },
        highest=tuple(_cell(header) for header in content.get("highest", [])),
        events=tuple(_event(event) for event in content.get("events", [])),
        words={column: _words(values, column) for column, values in words.items()},
        fixed={column: _cell(value) for column, value in fixed.items()},
        corrections=tuple(_correction(correction) for correction in content.get("corrections", [])),
        drop=tuple(_headers(content.get("drop", []), "drop")),
    )


def _require_parts(content: dict[str, Any]) -> None:
    """Raises _Wrong where a part is unknown, of another kind, or contradicts another."""
    for part, value in content.items():
        if part not in _PARTS:
            raise _Wrong(unknown("part", part, list(_PARTS)))
        if not isinstance(value, _PARTS[part]):
            raise _Wrong(f"{part} must be {_CALLED[_PARTS[part]]}, not {_short(value)}")
    headers, fixed = content.get("columns", {}), content.get("fixed", {})
    known = [*columns("incidents"), *BESIDE]
    for column in content.get("values", {}):
        if column not in known:
            raise _Wrong(unknown("column", column, known))
    known += DATE_PARTS
    for column in [*headers, *fixed, *content.get("needs", []), *content.get("further", {})]:
        if column not in known:
            raise _Wrong(unknown("column", column, known))
    for column, value in fixed.items():
        if column in headers:
            places = "under [columns] and under [fixed]"
            raise _Wrong(f"{column} stands {places}: take it out of one of them")
        if isinstance(value, list | dict):
            raise _Wrong(f"{column} under [fixed] must be one value, not {_short(value)}")
    advice = "name its column under [columns], "
    if "origin" not in headers and "origin" not in fixed:
        raise _Wrong(f"it says nothing of origin: {advice}or its value under [fixed]")
    if not content.get("events") and "measure" not in headers and "measure" not in fixed:
        advice += "its value under [fixed], or give [[events]]"
        raise _Wrong(f"it says nothing of measure: {advice}")


def _headers(headers: Any, column: str) -> list[str]:
    several = headers if isinstance(headers, list) else [headers]
    if any(isinstance(header, list | dict) for header in several):
        raise _Wrong(f"{column} must be a header or a list of headers, not {_short(headers)}")
    return [_cell(header) for header in several]


def _event(event: Any) -> dict[str, Any]:
    parts = {"measure", "date", "host", "yes"}
    says_what = isinstance(event, dict) and ("measure" in event or "yes" in event)
    if not says_what or not set(event) <= parts or set(event) == {"yes"}:
        form = "has a measure (or a yes and a date) and may have a date, a host and a yes"
        raise _Wrong(f"an [[events]] {form}, not {_short(event)}")
    usual = event.get("yes", "other")
    if usual not in codes("measure"):
        raise _Wrong(unknown("measure", usual, codes("measure")))
    return {
        part: value if part == "yes" else _headers(value, part) for part, value in event.items()
    }


def _words(words: Any, column: str) -> dict[str, str]:
    table = isinstance(words, dict)
    if not table or any(isinstance(value, list | dict) for value in words.values()):
        form = 'lines such as "found word" = "value"'
        raise _Wrong(f"values of {column} must be {form}, not {_short(words)}")
    return {bare(word): _cell(value) for word, value in words.items()}


def _correction(correction: Any) -> dict[str, Any]:
    parts = {"where": dict, "column": str, "expect": object, "value": object, "reason": str}
    if not isinstance(correction, dict) or not parts.keys() <= set(correction):
        needs = "needs where, column, expect, value and reason"
        raise _Wrong(f"a [[corrections]] {needs}, not {_short(correction)}")
    for part, kind in parts.items():
        if not isinstance(correction[part], kind):
            value = _short(correction[part])
            raise _Wrong(f"{part} of a correction must be {_CALLED[kind]}, not {value}")
    rows = correction["where"]
    row = rows.get("row", 1)
    if not rows or not isinstance(row, int) or isinstance(row, bool):
        form = "say which rows, such as { row = 17 }"
        raise _Wrong(f"where of a correction must {form}, not {_short(rows)}")
    return correction


def _cell(value: Any) -> str:
    """A value of a layout as it stands in a cell."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def written_headers(layout: Layout) -> set[str]:
    """All headers that a layout knows, as it writes them and as `bare` gives them."""
    groups = (layout.columns, layout.further, *layout.events)
    written = {
        header
        for names in groups
        for column, headers in names.items()
        if column != "yes"
        for header in headers
    }
    written |= set(layout.highest)
    return written | {bare(header) for header in written}


@cache
def known_headers() -> frozenset[str]:
    """The headers that the shipped layouts know, as `bare` gives them."""
    known = [header for layout in layouts().values() for header in written_headers(layout)]
    return frozenset(map(bare, known))
