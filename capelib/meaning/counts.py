"""Headers of columns that hold counts: of incidents, or of persons."""

import re
from functools import cache

from capelib.meaning.codes import stem, synonyms
from capelib.paths import project_folder
from capelib.vocabulary.codebook import codes
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.text import bare

# R writes X2015 for a column called by a year.
_YEAR = re.compile(r"[XxYy]?(19|20)[0-9]{2}|(19|20)[0-9]0s")


@cache
def _words() -> dict[str, set[str]]:
    """By kind: alone, of (before what is counted), behind it, incident, persons."""
    table = read_text(project_folder("data") / "words" / "counts.csv")
    words = table["written"].map(bare)
    return {kind: set(words[rows]) for kind, rows in table.groupby("kind").groups.items()}


@cache
def _measures() -> frozenset[str]:
    written = [*codes("measure"), *codes("measure").values(), *synonyms("measure")["written"]]
    return frozenset(stem(bare(text)) for text in written)


def is_year(header: str) -> bool:
    """Is a column called by a year, or by ten of them?

    Examples
    --------
    >>> is_year("2015"), is_year("X2015"), is_year("2010s"), is_year("Year")
    (True, True, True, False)
    """
    return _YEAR.fullmatch(header.strip()) is not None


def counts_incidents(header: str) -> bool:
    """Would a column of numbers with this header hold numbers of incidents?

    Examples
    --------
    >>> [counts_incidents(name) for name in ("n", "Freq", "Number of cases", "# extraditions")]
    [True, True, True, True]
    >>> [counts_incidents(name) for name in ("Number of sources", "Number of victims", "Case ID")]
    [False, False, False]
    """
    name = _plain_header(header)
    if name in _words()["alone"]:
        return True
    counted = _counted(name)
    if counted in _words()["incident"]:
        return True
    return counted != name and stem(counted) in _measures()


def counts_persons(header: str) -> bool:
    """Would a column of numbers with this header hold numbers of persons?

    Examples
    --------
    >>> [counts_persons(name) for name in ("Victims", "Number of persons", "Victim", "Sources")]
    [True, True, False, False]
    """
    return _counted(_plain_header(header)) in _words()["persons"]


def _plain_header(header: str) -> str:
    """The last part of a header; the sign # stands for "number of"."""
    return re.sub("^(of )+", "of ", bare(header.rpartition(" / ")[2].replace("#", " of ")))


def _counted(name: str) -> str:
    """What a header counts: of "number of cases" cases, of "case count" case with an s."""
    for words in sorted(_words()["of"], key=len, reverse=True):
        if name.startswith(words + " "):
            return name.removeprefix(words + " ")
    for word in _words()["behind"]:
        if name.endswith(" " + word):
            what = name.removesuffix(" " + word)
            plural = what + "s"
            known = _words()["incident"] | _words()["persons"]
            return plural if what not in known and plural in known else what
    return name
