"""The words of dates: a text becomes a shape such as "NMY" (5 March 2015) and its values."""

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache

from capelib.meaning.date_values import OPEN, Refused
from capelib.paths import project_folder
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.text import near

# The letter or sign of a shape for each kind of word in data/words/dates.csv.
_KINDS = {
    **{"month": "M", "season": "S", "part": "P", "months": "Q", "about": "~", "perhaps": "?"},
    **{"weekday": "", "filler": "", "to": ":", "until": "T", "or": "|", "and": "+"},
    **{"from": "F", "between": "B", "open": "O"},
}
_SIGNS = {
    **{"-": "-", "/": "/", ".": ".", ",": ",", ";": ",", "&": "+", "~": "~", "≈": "~", "?": "?"},
    **{"(": "", ")": "", "<": "O", ">": "O", "≤": "O", "≥": "O"},
}
_NO_DATE = "!"  # kind of a word that only occurs within phrases
_WITH_VALUE = "NYMSPQD"

# Endings of numbers, as in 5th, 1990s, 5-го; and unknown parts.
_ENDINGS = {
    *("st", "nd", "rd", "th", "s", "го", "ое", "ого", "й", "е", "ые", "х", "ых"),
    *("x", "xx", "хх"),
}
_LETTERS = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(
    r"(?P<decade>[0-9]{3}0(?:['’]?s|-?(?:е|ые|х|ых)))(?![^\W_])"
    r"|(?P<number>[0-9]+)(?:(?:st|nd|rd|th|-?(?:го|ое|ого|й|е))(?![^\W_]))?"
    r"|(?P<word>[^\W\d_]+)\.?|(?P<sign>\S)"
)
_PART = r"(?:xx?|хх|\?\?|__)"  # a single Cyrillic letter is an ending: 1990-х
_UNKNOWN_PART = re.compile(  # xx.03.2015
    rf"(?<![^\W_]){_PART}(?=[./-])|(?<=[./-]){_PART}(?![^\W_])"
)
_DASHED_DATE = re.compile(  # 2015–03–05
    r"^([0-9]{1,4})([\u2012-\u2015\u2212])([0-9]{1,2})\2(?=[0-9]{1,4}$)"
)
_DASH = re.compile(r"\s*(?:[\u2012-\u2015\u2212]|\.\.+)\s*|\s+-\s+")
_LAST_POINT = re.compile(r"\.(?=[-:/+|]|$)")  # 5.3.-7.3.2015
_NO_SHAPE = re.compile("[~?,]")


@dataclass
class Phrase:
    """What is a date in words made of?

    Attributes
    ----------
    orders
        For each of the signs . / - the order of day and month that the column shows: "day",
        "month" or "both".
    shape
        A letter for each thing that has a value: N number of one or two digits, Y year, M month,
        S season, P part (early, mid, late), Q quarter or half of a year, D decade. Signs between:
        . / - as written, : to, | or, + and.
    values
        Of these letters, in order, as text.
    mark
        EDTF's mark of the whole: "~" approximate, "?" uncertain, "%" both, or "".
    two_ends
        Is a range announced ("from", "between")?
    misspelt
        Was the name of a month mended?
    """

    orders: dict[str, str]
    shape: str = ""
    values: list[str] = field(default_factory=list)
    mark: str = ""
    two_ends: bool = False
    misspelt: bool = False


def phrase_of(text: str, orders: dict[str, str]) -> Phrase:
    """What is this `plain` text, which is not EDTF, made of?

    Raises
    ------
    Refused
        For a word or number that belongs to no date, and for an open interval.

    Examples
    --------
    >>> phrase = phrase_of("from 5 march to c. may 2015", {})
    >>> phrase.shape, phrase.values, phrase.mark
    ('NM:MY', ['5', '03', '05', '2015'], '~')
    """
    _refuse_strange_words(text)
    text = _UNKNOWN_PART.sub("00", text.replace("\u2010", "-"))
    text = _DASH.sub(" to ", _DASHED_DATE.sub(r"\1-\3-", text))
    phrase = Phrase(orders)
    _add_words(phrase, list(_TOKEN.finditer(text)))
    shape = _LAST_POINT.sub("", phrase.shape)
    marks = {sign for sign in shape if sign in "~?"}
    phrase.mark = "%" if len(marks) == 2 else "".join(marks)
    _join(phrase, _NO_SHAPE.sub("", shape))
    return phrase


def _refuse_strange_words(text: str) -> None:
    """One unknown word may be a month with a typing error."""
    words, _ = _vocabulary()
    strange = [
        word for word in _LETTERS.findall(text) if word not in words and word not in _ENDINGS
    ]
    if len(strange) > 1 or (strange and not _misspelt_month(strange[0])):
        raise Refused


def _add_words(phrase: Phrase, tokens: list[re.Match[str]]) -> None:
    """Adds letters and values of all words to the phrase; of phrases the longest."""
    words, first_words = _vocabulary()
    place = 0
    while place < len(tokens):
        token, size = tokens[place], 1
        name = token[0].rstrip(".") or token[0]
        if name in first_words:
            for longer in (4, 3, 2):
                several = " ".join(each[0].rstrip(".") for each in tokens[place : place + longer])
                if several in words and place + longer <= len(tokens):
                    name, size = several, longer
                    break
        if name in words:
            kind, value = words[name]
        else:
            kind, value = _kind_of_token(phrase, token, name)
        phrase.shape += kind
        if kind and kind in _WITH_VALUE:
            phrase.values.append(value)
        place += size


def _kind_of_token(phrase: Phrase, token: re.Match[str], name: str) -> tuple[str, str]:
    """Kind and value of a token that is no known word."""
    if token["decade"]:
        return "D", token["decade"][:3]
    if number := token["number"]:
        if len(number) not in (1, 2, 4):
            raise Refused
        return "Y" if len(number) == 4 else "N", number
    if token["word"]:
        month = _misspelt_month(name)
        if month is None:
            raise Refused
        phrase.misspelt = True
        return "M", month
    if token["sign"] == "+" and token.end() == len(token.string):  # 2015+
        return "O", ""
    if token["sign"] not in _SIGNS:
        raise Refused
    return _SIGNS[token["sign"]], ""


def _join(phrase: Phrase, shape: str) -> None:
    """Makes "from ... to", "between ... and" and "until" ranges; open intervals are refused."""
    phrase.two_ends = "F" in shape or "B" in shape  # "from 2015" alone is open
    if "B" in shape:
        shape = shape.replace("B", "").replace("+", ":", 1)
    shape = re.sub(f"(?<=[{_WITH_VALUE}.])T", ":", shape.replace("F", "", 1))
    shape = shape.removeprefix("|")
    signs = (":", "-", "/")
    is_open = set("OTF") & set(shape) or shape.startswith(signs) or shape.endswith(signs)
    if is_open and re.search("[YD]", shape):
        raise Refused(*OPEN)
    phrase.shape = shape


@cache
def _vocabulary() -> tuple[dict[str, tuple[str, str]], set[str]]:
    """Words and phrases with kind and value, and the words that begin a phrase."""
    table = read_text(project_folder("data") / "words" / "dates.csv").fillna("")
    words = {}
    for written, kind, value in zip(table["written"], table["kind"], table["value"], strict=True):
        spaced = re.sub("(?<=[a-z])(?=[0-9])", " ", written)  # q1 is a word and a number
        words[spaced] = (_KINDS[kind], value)
    parts = {part for word in words for part in word.split() if part.isalpha()}
    first_words = {word.split()[0] for word in words if " " in word}
    return dict.fromkeys(parts, (_NO_DATE, "")) | words, first_words


@lru_cache(maxsize=4096)
def _misspelt_month(word: str) -> str | None:
    """The number of the month whose name differs by one letter (two in long names).

    It must begin with the same letter, and be the only month that is as near.
    """
    if not 5 <= len(word) <= 12:
        return None
    months = {}
    for name, (kind, value) in _vocabulary()[0].items():
        if kind == "M" and len(name) >= 5 and name[0] == word[0]:
            months[name] = value
    matches = near(word, months, "edits", 2 if len(word) >= 8 else 1)
    numbers = {months[name] for name, _ in matches}
    return numbers.pop() if len(numbers) == 1 else None
