"""The publications behind the published numbers: `data/published/publications.bib`, read by bibtexparser."""

from functools import cache
from typing import TYPE_CHECKING

from capelib.errors import ParameterError
from capelib.paths import room
from capelib.vocabulary.codebook import unknown

if TYPE_CHECKING:
    from bibtexparser.middlewares import LatexDecodingMiddleware
    from bibtexparser.model import Entry

_WHERE = ("journal", "howpublished", "institution", "school")


@cache
def publications() -> dict[str, "Entry"]:
    """Every publication of the ledger by key, as it stands in the file.

    >>> publications()["fa2022longarm"].entry_type
    'article'
    """
    from bibtexparser.entrypoint import parse_file

    return parse_file(str(room("data") / "published" / "publications.bib")).entries_dict


def entry(key: str) -> str:
    """The BibTeX entry of a publication. Raises ParameterError naming the nearest key.

    >>> print(entry("cordell2024").splitlines()[0])
    @article{cordell2024,
    """
    _fields(key)
    return publications()[key].raw


def reference(key: str) -> str:
    """A publication of the ledger in one line: author, title, where, year.

    >>> reference("fa2022longarm")
    'Gorokhovskaia and Linzer: The Long Arm of Authoritarianism, Foreign Affairs, 2022'
    """
    fields = _fields(key)
    where = next((fields[name] for name in _WHERE if name in fields), "")
    rest = ", ".join(
        part for part in (fields.get("title", ""), where, fields.get("year", "")) if part
    )
    author = _authors(fields.get("author", ""))
    return ": ".join(part for part in (author, rest) if part)


def address(key: str) -> str:
    """Where a publication stands: its DOI as a link, else the address where it was seen.

    >>> address("cordell2024")
    'https://doi.org/10.1093/isq/sqae108'
    """
    fields = _fields(key)
    return f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url", "")


def _authors(names: str) -> str:
    """Family names; a name in braces (an institution) stays whole: "Lemon, Ed and Hall, Jo" is Lemon and Hall."""
    people = [part.strip() for part in names.split(" and ") if part.strip()]
    short = [name.strip("{}") if name.startswith("{") else name.split(",")[0] for name in people]
    return (
        short[0]
        if len(short) == 1
        else ", ".join(short[:-1]) + " and " + short[-1]
        if short
        else ""
    )


@cache
def _fields(key: str) -> dict[str, str]:
    """The fields of a publication as plain text; only of one that is asked for, since LaTeX is slow to read."""
    from bibtexparser.library import Library

    known = publications()
    if key not in known:
        raise ParameterError(unknown("publication", key, {name: reference(name) for name in known}))
    [entry] = _decoder().transform(Library([known[key]])).entries
    return {field.key: str(field.value) for field in entry.fields}


@cache
def _decoder() -> "LatexDecodingMiddleware":
    from bibtexparser.middlewares import LatexDecodingMiddleware

    return LatexDecodingMiddleware(allow_inplace_modification=False)
