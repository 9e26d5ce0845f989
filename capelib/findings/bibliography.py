"""The publications behind the published numbers: `data/published/publications.bib`, read by bibtexparser."""

from functools import cache

from capelib.dataset.codebook import unknown
from capelib.errors import ParameterError
from capelib.paths import room

_WHERE = ("journal", "howpublished", "institution", "school")


@cache
def publications() -> dict[str, dict[str, str]]:
    """Every publication of the ledger by key: its fields as plain text, and `bibtex`, the entry as it stands in the file.

    >>> publications()["fa2022longarm"]["journal"]
    'Foreign Affairs'
    """
    from bibtexparser.entrypoint import parse_file
    from bibtexparser.middlewares import LatexDecodingMiddleware

    path = str(room("data") / "published" / "publications.bib")
    plain = parse_file(path, append_middleware=[LatexDecodingMiddleware()])
    return {entry.key: {field.key: str(field.value) for field in entry.fields} | {"bibtex": entry.raw} for entry in plain.entries}


def cite(key: str) -> str:
    """The BibTeX entry of a publication, or of the publication behind a finding.

    key: of a publication or of a finding of the ledger. Raises ParameterError naming the nearest key.

    >>> print(cite("cordell2024").splitlines()[0])
    @article{cordell2024,
    """
    from capelib.findings.ledger import ledger

    rows = ledger()
    key = rows[key].publication if key in rows else key
    return _entry(key)["bibtex"]


def reference(key: str) -> str:
    """A publication of the ledger in one line: author, title, where, year.

    >>> reference("fa2022longarm")
    'Gorokhovskaia and Linzer: The Long Arm of Authoritarianism, Foreign Affairs, 2022'
    """
    fields = _entry(key)
    where = next((fields[name] for name in _WHERE if name in fields), "")
    rest = ", ".join(part for part in (fields.get("title", ""), where, fields.get("year", "")) if part)
    author = _authors(fields.get("author", ""))
    return ": ".join(part for part in (author, rest) if part)


def address(key: str) -> str:
    """Where a publication stands: its DOI as a link, else the address where it was seen.

    >>> address("cordell2024")
    'https://doi.org/10.1093/isq/sqae108'
    """
    fields = _entry(key)
    return f"https://doi.org/{fields['doi']}" if "doi" in fields else fields.get("url", "")


def _authors(names: str) -> str:
    """Family names; a name in braces (an institution) stays whole: "Lemon, Ed and Hall, Jo" is Lemon and Hall."""
    people = [part.strip() for part in names.split(" and ") if part.strip()]
    short = [name.strip("{}") if name.startswith("{") else name.split(",")[0] for name in people]
    return short[0] if len(short) == 1 else ", ".join(short[:-1]) + " and " + short[-1] if short else ""


def _entry(key: str) -> dict[str, str]:
    known = publications()
    if key not in known:
        raise ParameterError(unknown("publication", key, {name: reference(name) for name in known}))
    return known[key]
