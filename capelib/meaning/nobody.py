"""Words that stand where a name should, and name nobody: unnamed man, three soldiers, N.N."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from capelib.meaning.state_lexicon import folded, lexicon
from capelib.paths import project_folder
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.text import bare, bare_cells

_MOST_WORDS = 25  # a longer text tells a story, and may name somebody
# "Person A", "Victim 3": a name that the source made up, which tells persons apart
_LABEL = r"\pL[\s_-]+[#№]?\s*([0-9]{1,6}|\pL)[.)]?\s*$"
_AGE = {"aged", "age", "old", "year", "years", "yo", "лет", "летний", "летняя", "год", "года"}
_FROM = {"from", "of", "in", "из", "в", "aus", "de"}
_AND = {"and", "и", "ва", "va", "ve", "und", "et", "y", "e", "та", "و"}


@dataclass(frozen=True)
class Nobody:
    """Which of some texts name nobody, and which of these mean several persons?

    Attributes
    ----------
    nameless : array of bool
        For each text: does it name nobody?
    several : array of bool
        For each text: does it name nobody, and mean more persons than one?
    """

    nameless: np.ndarray
    several: np.ndarray


def _folded(text: str) -> str:
    return bare(text).replace("ı", "i")  # bare keeps the Turkish letter


@cache
def _kinds() -> dict[str, str]:
    """The kind of each word, and "whole" for texts that count only as a whole cell."""
    table = read_text(project_folder("data") / "words" / "nobody.csv")
    kinds: dict[str, str] = {}
    for written, kind in zip(table["written"], table["kind"], strict=True):
        if kind != "whole":
            kinds[_folded(written)] = kind
    return kinds


@cache
def _whole() -> frozenset[str]:
    table = read_text(project_folder("data") / "words" / "nobody.csv")
    return frozenset(_folded(text) for text in table.loc[table["kind"] == "whole", "written"])


def nobody(texts: pd.Series) -> Nobody:
    """Which of these distinct cells name nobody?

    Parameters
    ----------
    texts
        The cells, missing where blank.

    Returns
    -------
    Nobody

    Notes
    -----
    Every word of such a cell is in data/words/nobody.csv, so that no name can be among them. One
    of them must stand for a person (man, activist), say that the name is not given (unnamed), or
    be a number or an article beside a nationality (two Uzbeks).

    Examples
    --------
    >>> cells = pd.Series(["unnamed man", "three men", "N.N.", "Person A", "Zorvan Quxley"])
    >>> nobody(cells).nameless.tolist()
    [True, True, True, False, False]
    >>> nobody(cells).several.tolist()
    [False, True, False, False, False]
    """
    plain = bare_cells(texts).str.replace("ı", "i")
    nameless = plain.isin(_whole()).to_numpy(dtype=bool, copy=True)
    several = np.zeros(len(texts), dtype=bool)
    places = np.flatnonzero(nameless | _may_name_nobody(plain, texts))
    for place, text in zip(places, plain.iloc[places].tolist(), strict=True):
        words = text.split()
        nameless[place] |= _names_nobody(words)
        several[place] = nameless[place] and _means_several(words)
    return Nobody(nameless, several)


def _may_name_nobody(plain: pd.Series, texts: pd.Series) -> np.ndarray:
    """Which texts begin with one of the words and are no label, such as "Person A"?

    All at once, since there may be a million names.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    first = pc.extract_regex(pa.array(plain, pa.large_string()), r"^(?P<word>\S+)")
    first = pc.struct_field(first, "word")
    words = [*_kinds(), *(text.partition(" ")[0] for text in _whole())]
    known = pc.is_in(first, value_set=pa.array(words, pa.large_string()))
    number = pc.match_substring_regex(first, "^[0-9]{1,4}$")
    label = pc.match_substring_regex(pa.array(texts, pa.large_string()), _LABEL)
    likely = pc.and_(pc.or_(known, number), pc.invert(label))
    return pc.fill_null(likely, False).to_numpy(zero_copy_only=False)


def _names_nobody(words: list[str]) -> bool:
    if len(words) > _MOST_WORDS:
        return False
    kinds = {_kind(word, before) for before, word in zip(["", *words], words, strict=False)}
    label = len(words) > 1 and _kinds().get(words[-1]) in ("one", "several")  # Person Two
    if "" in kinds or label:
        return False
    if kinds & {"person", "people", "withheld"}:
        return True
    counted = words[0].isdigit() or _kinds()[words[0]] in ("one", "several")
    return "origin" in kinds and counted


def _kind(word: str, before: str) -> str:
    """The kind of a word; "" where it may be a name. Behind "from" a state is none."""
    if word.isdigit():
        return "number"
    known = _kinds().get(word, "")
    return "origin" if not known and before in _FROM and folded(word) in lexicon() else known


def _means_several(words: list[str]) -> bool:
    kinds = [_kinds().get(word, "") for word in words]
    if "people" in kinds or ("several" in kinds and not _AGE.intersection(words)):
        return True
    number = words[0].isdigit() and int(words[0]) > 1 and not _AGE.intersection(words)
    return number or (kinds.count("person") > 1 and not _AND.isdisjoint(words[1:-1]))
