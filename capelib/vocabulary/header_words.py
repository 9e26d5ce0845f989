"""Headers that a table of this field may have: those that the shipped layouts name."""

import tomllib
from collections.abc import Iterable
from functools import cache
from typing import Any

from capelib.paths import project_folder
from capelib.vocabulary.text import bare


@cache
def header_words() -> frozenset[str]:
    """Every header that a shipped layout names, as `bare` gives it."""
    words = set()
    for path in sorted((project_folder("data") / "layouts").glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        for columns in (content.get("columns", {}), *content.get("events", [])):
            for column, headers in columns.items():
                if column != "yes":
                    words |= {bare(column), *map(bare, _listed(headers))}
    return frozenset(words)


def known_headers(cells: Iterable[str | None]) -> int:
    """How many different cells of a row are headers that a shipped layout names?

    Examples
    --------
    >>> known_headers(["Country of origin", "host", "Zorvan", None])
    2
    """
    return len(header_words() & {bare(cell) for cell in cells if cell and len(cell) < 100})


def _listed(headers: Any) -> list[str]:
    return [str(header) for header in headers] if isinstance(headers, list) else [str(headers)]
