"""Columns that may hold names of persons: these are dropped at reading."""

import re
from functools import cache

from capelib.paths import project_folder
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.text import LONGEST, plain

_ONE_WORD = {"ф.и.о": "фио", "a.k.a": "aka", "also known as": "aka"}


@cache
def words_of_headers() -> dict[str, set[str]]:
    """Words of headers by kind: always (aliases), name, person, thing, filler."""
    table = read_text(project_folder("data") / "words" / "headers.csv")
    return {kind: set(words) for kind, words in table.groupby("kind")["written"]}


def is_name_column(header: str) -> bool:
    """May a column with this header hold names of persons, or what stands for a name?

    Parameters
    ----------
    header
        As it stands in the table.

    Returns
    -------
    bool
        In doubt True, because such a column is dropped at reading: for "name", "ФИО", "victim",
        "alias" and "e-mail", but not for "state name", "exile id" and "name of publisher".

    Examples
    --------
    >>> [is_name_column(header) for header in ("Full name", "ФИО", "State name", "Exile ID")]
    [True, True, False, False]
    >>> is_name_column("Name of victim's lawyer")
    True
    """
    kinds = words_of_headers()
    known = set().union(*kinds.values())
    spaced = re.sub(r"(?<=[a-zа-я])(?=[A-ZА-Я])", " ", header[: 2 * LONGEST])
    text = plain(spaced)
    for written, word in _ONE_WORD.items():
        text = text.replace(written, word)
    words = re.findall(r"[^\W\d_]+", text)
    singular = {word if word in known else word.removesuffix("s") for word in words} - {""}
    if singular & kinds["always"]:
        return True
    if singular & kinds["name"]:
        return not singular & kinds["thing"] or bool(singular & kinds["person"])
    return bool(singular & kinds["person"]) and singular <= kinds["person"] | kinds["filler"]
