"""Is a text understood as a whole? Only then can it hold no name that nobody knows."""

import re
from functools import cache

from capelib.meaning.codes import stem, synonyms
from capelib.meaning.persons import words_of_headers
from capelib.meaning.state_lexicon import folded, lexicon, two_letter_codes
from capelib.meaning.yes_no import answers
from capelib.paths import project_folder
from capelib.vocabulary.codebook import codes, columns
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.tables import states as codes_of_states
from capelib.vocabulary.text import LONGEST, visible

_MOST_TOKENS = 60  # of a text that is looked at word by word
_LONGEST_PHRASE = 8  # words
_LONGEST_NUMBER = 8  # digits: a longer one may be the number of a passport or a telephone
_CODED = ("measure", "category", "attribution", "kind")
_TOKEN = re.compile(r"[^\W\d_]+|[0-9]+")
_CODE = re.compile(r"\b[A-Z]{2,3}\b")
_KEY = re.compile(r"\b[EIS][0-9]{3,}\b")


@cache
def known_phrases() -> frozenset[str]:
    """All words and phrases that the reader of cells and headers knows, as `_tokens` joins them."""
    written: list[str] = [*lexicon(), *answers()]
    of_codes: list[str] = []  # known in other forms too: arrested, arrests
    for column in _CODED:
        of_codes += [*codes(column), *codes(column).values(), *synonyms(column)["written"]]
    written += of_codes
    for table in ("incidents", "exiles", "sources"):
        written += columns(table)
    written += [word for words in words_of_headers().values() for word in words]
    for table in ("dates", "ordinary"):
        written += list(read_text(project_folder("data") / "words" / f"{table}.csv")["written"])
    phrases = frozenset(" ".join(_tokens(text)) for text in written)
    stems = frozenset(stem(" ".join(_tokens(text))) for text in of_codes)
    return (phrases | stems) - {""}


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(folded(text))


def understood(text: str) -> bool:
    """Does every word of a text belong to what the reader knows?

    Examples
    --------
    >>> [understood(text) for text in ("Russia (Moscow)", "5 March 2015", "detained; TJK-0012")]
    [True, True, True]
    >>> understood("Turkey (Zorvan Quxley)")
    False
    """
    if len(text) > 2 * LONGEST:
        return False
    shown = visible(text)
    if shown.upper() in codes_of_states():
        return True
    shown = _KEY.sub("1", _CODE.sub(_one_for_a_code, shown))
    tokens = _tokens(shown)
    if len(tokens) > _MOST_TOKENS:
        return False
    phrases = known_phrases()
    reached = [True] + [False] * len(tokens)
    for start, token in enumerate(tokens):
        if not reached[start]:
            continue
        if token.isdigit() and len(token) <= _LONGEST_NUMBER:
            reached[start + 1] = True
        for end in range(start + 1, min(start + _LONGEST_PHRASE, len(tokens)) + 1):
            if not reached[end]:
                phrase = " ".join(tokens[start:end])
                reached[end] = phrase in phrases or stem(phrase) in phrases
    return reached[-1]


def _one_for_a_code(letters: re.Match[str]) -> str:
    known = letters[0] in codes_of_states() or letters[0] in two_letter_codes()
    return "1" if known else letters[0]


def is_known_word(word: str) -> bool:
    """Is a single word one that the reader knows?

    >>> is_known_word("Moscow"), is_known_word("Quxley")
    (True, False)
    """
    return folded(word) in known_phrases()
