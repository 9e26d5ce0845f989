"""The publications behind the published numbers: `data/published/publications.bib`."""

import re
from functools import cache
from typing import TYPE_CHECKING

from capelib.errors import ParameterError
from capelib.paths import project_folder
from capelib.vocabulary.codebook import unknown

if TYPE_CHECKING:
    from bibtexparser.middlewares import LatexDecodingMiddleware
    from bibtexparser.model import Entry, Field

_WHERE = ("journal", "howpublished", "institution", "school")
# What LaTeX shows otherwise than it is written. Only fields with it are decoded: a tenth of them,
# in a tenth of the time.
_LATEX = re.compile(r"""[\\{}$~%&#^_`"]|--|''""")


@cache
def publications() -> dict[str, "Entry"]:
    """Which publications does the ledger know? By key, as they stand in the file.

    Examples
    --------
    >>> publications()["fa2022longarm"].entry_type
    'article'
    """
    from bibtexparser.entrypoint import parse_file

    return parse_file(str(project_folder("data") / "published" / "publications.bib")).entries_dict


def entry(key: str) -> str:
    """What is the BibTeX entry of a publication?

    Raises
    ------
    ParameterError
        For an unknown key, naming the nearest.

    Examples
    --------
    >>> print(entry("cordell2024").splitlines()[0])
    @article{cordell2024,
    """
    _fields(key)
    return publications()[key].raw


def reference(key: str) -> str:
    """How is a publication cited in one line? Authors, title, where, year.

    Raises
    ------
    ParameterError
        As for `entry`.

    Examples
    --------
    >>> reference("fa2022longarm")
    'Gorokhovskaia and Linzer: The Long Arm of Authoritarianism, Foreign Affairs, 2022'
    """
    fields = _fields(key)
    where = next((fields[name] for name in _WHERE if name in fields), "")
    parts = (fields.get("title", ""), where, fields.get("year", ""))
    work = ", ".join(part for part in parts if part)
    authors = _authors(fields.get("author", ""))
    return ": ".join(part for part in (authors, work) if part)


def address(key: str) -> str:
    """Where does a publication stand? Its DOI as a link, or the address where it was seen.

    Raises
    ------
    ParameterError
        As for `entry`.

    Examples
    --------
    >>> address("cordell2024")
    'https://doi.org/10.1093/isq/sqae108'
    """
    fields = _fields(key)
    return f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url", "")


def publisher_address(key: str) -> str:
    """Where does its publisher have it? "" where no other address than `address` is known.

    Raises
    ------
    ParameterError
        As for `entry`.

    Examples
    --------
    >>> publisher_address("fh2023stillnotsafe")
    'https://freedomhouse.org/article/more-governments-finding-new-ways-silence-exiled-voices'
    """
    return _fields(key).get("publisherurl", "")


def _authors(names: str) -> str:
    """The family names: "Lemon, Ed and Hall, Jo" is Lemon and Hall.

    A name in braces (an institution) stays whole.
    """
    families = []
    for name in names.split(" and "):
        name = name.strip()
        if name:
            families.append(name.strip("{}") if name.startswith("{") else name.split(",")[0])
    if len(families) < 2:
        return "".join(families)
    return ", ".join(families[:-1]) + " and " + families[-1]


@cache
def _fields(key: str) -> dict[str, str]:
    """The fields of a publication as plain text; only of one asked for: LaTeX is slow to read."""
    known = publications()
    if key not in known:
        raise ParameterError(unknown("publication", key, {name: reference(name) for name in known}))
    fields = known[key].fields
    latex = [field for field in fields if _LATEX.search(str(field.value))]
    return {field.key: str(field.value) for field in [*fields, *_decoded(latex)]}


def _decoded(fields: list["Field"]) -> list["Field"]:
    """Fields of LaTeX as plain text."""
    if not fields:
        return []
    from bibtexparser.library import Library
    from bibtexparser.model import Entry

    [entry] = _decoder().transform(Library([Entry("misc", "one", fields)])).entries
    return entry.fields


@cache
def _decoder() -> "LatexDecodingMiddleware":
    from bibtexparser.middlewares import LatexDecodingMiddleware

    return LatexDecodingMiddleware(allow_inplace_modification=False)
