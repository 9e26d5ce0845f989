"""The names of states that are known: those of Unicode CLDR and of the tables in data/names."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from capelib.paths import project_folder
from capelib.vocabulary.codebook import codebook
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.tables import states as codes_of_states
from capelib.vocabulary.text import LONGEST, unaccented, visible

# CLDR's languages, in the order in which a name that several share is explained.
LANGUAGES = {
    "en": "english", "ru": "russian", "kk": "kazakh", "ky": "kyrgyz", "tg": "tajik",
    "tk": "turkmen", "uz": "uzbek", "uz_Cyrl": "uzbek",
}  # fmt: skip
# Names in these rank below our own tables.
OTHER_LANGUAGES = (
    *("tr", "az", "de", "fr", "es", "it", "nl", "sv"),
    *("pl", "uk", "hy", "ka", "fa", "ar", "he", "zh"),
)

_APOSTROPHES = re.compile("['`´ʹʻʼʽʾʿˈ‘’‛′]")
# Keyboards lack the letters on the left; no two states are told apart by them.
_LETTERS = str.maketrans("қғҳһҷңөүұіәıłøđ", "кгххчноууиаilod")
_DOTTED = re.compile(r"(?<=\b\w)\.(?=\w\b)")  # U.S.A.
_SHORTENED = {
    "rep": "republic",
    "dem": "democratic",
    "fed": "federal",
    "st": "saint",
    "isl": "islands",
}


class Entry(NamedTuple):
    """What does a name stand for, in some years?

    Attributes
    ----------
    iso3
        A state; None where the name says that nothing is known, or names no state.
    rule
        The rule that a cell with this name is read by, such as "state.russian".
    certainty
        From 0 to 1.
    first_year, last_year
        Of the years in which the name stands for this; None where it always did or still does.
    remedy
        What to do where the name is no state's.
    """

    iso3: str | None
    rule: str
    certainty: float
    first_year: int | None = None
    last_year: int | None = None
    remedy: str | None = None


@lru_cache(maxsize=1 << 16)
def folded(name: str) -> str:
    """How are names of states compared?

    The strongest folding: without capitals, accents, apostrophes, stops, "the" and a last "of",
    with usual abbreviations written out, and with the nearest letter for one that keyboards lack.

    Examples
    --------
    >>> folded("The U.S. Virgin Isl."), folded("Өзбекстан Rep.")
    ('us virgin islands', 'озбекстан republic')
    """
    text = unaccented(visible(name)[: 2 * LONGEST]).translate(_LETTERS)
    text = _DOTTED.sub("", _APOSTROPHES.sub("", text)).replace("&", " and ").replace("_", " ")
    words = [word for word in re.findall(r"\w+", text) if word != "the"]
    if len(words) > 1:
        words = [_SHORTENED.get(word, word) for word in words]
    return " ".join(words).removesuffix(" of")


@cache
def lexicon() -> dict[str, list[Entry]]:
    """What does each known name stand for?

    Returns
    -------
    dict
        By `folded` name: one entry, or several for different years. What our own tables decide
        stands before what CLDR says, and that before names in further languages.

    Examples
    --------
    >>> lexicon()["казакстан"][0].iso3
    'KAZ'
    """
    known: dict[str, list[Entry]] = {}
    for table in ("historical", "not_states", "names"):
        for name, entry in own_names(table):
            known.setdefault(name, []).append(entry)
    further = dict.fromkeys(OTHER_LANGUAGES, "other_language")
    for names in (cldr(LANGUAGES), own_names("cities"), capitals(), cldr(further)):
        for name, entry in names:
            known.setdefault(name, [entry])
    return known


@cache
def dated_names() -> list[str]:
    """Which folded names stand for something in some years only?

    Examples
    --------
    >>> "gdr" in dated_names()
    True
    """
    return [
        name
        for name, entries in lexicon().items()
        if any(entry.first_year or entry.last_year for entry in entries)
    ]


def own_names(table: str) -> Iterator[tuple[str, Entry]]:
    """Which names does a table of data/names hold ("historical", "not_states", "names", "cities")?

    Yields
    ------
    (str, Entry)
        The folded name and what it stands for.
    """
    rows = read_text(project_folder("data") / "names" / f"{table}.csv").fillna("")
    for row in rows.to_dict("records"):
        iso3 = row["iso3"] or None
        rule = {
            "cities": "city",
            "historical": "historical",
            "not_states": "region" if iso3 else "not_a_state",
            "names": row.get("rule", ""),
        }[table]
        usual = {"city": 0.9, "adjective": 0.7}.get(rule, 1.0)
        certainty = float(row.get("certainty") or usual)
        first_year, last_year = (
            int(row[column]) if row.get(column) else None for column in ("first_year", "last_year")
        )
        remedy = row.get("remedy") or None
        entry = Entry(iso3, f"state.{rule}", certainty, first_year, last_year, remedy)
        yield folded(row["name"]), entry


def capitals() -> Iterator[tuple[str, Entry]]:
    """Which capital lies in which state?

    Yields
    ------
    (str, Entry)
        The folded name of the city and its state.
    """
    table = read_text(project_folder("data") / codebook()["table"]["capitals"]["path"])
    for iso3, name in zip(table["iso3"], table["capital"], strict=True):
        yield folded(name), Entry(iso3, "state.city", 0.9)


def cldr(languages: dict[str, str]) -> Iterator[tuple[str, Entry]]:
    """How does Unicode CLDR name the states in these languages?

    Parameters
    ----------
    languages
        By CLDR's code of a language, the last word of the rule.

    Yields
    ------
    (str, Entry)
        The folded name and its state.
    """
    from babel import Locale

    known = two_letter_codes()
    for language, rule in languages.items():
        certainty = 0.95 if rule == "other_language" else 1.0
        for code, name in Locale.parse(language).territories.items():
            if code in known:
                yield folded(name), Entry(known[code], f"state.{rule}", certainty)


@cache
def two_letter_codes() -> dict[str, str]:
    """Which state does each ISO 3166-1 alpha-2 code stand for?

    Examples
    --------
    >>> two_letter_codes()["TJ"]
    'TJK'
    """
    from babel.core import get_global

    aliases = get_global("territory_aliases")
    return {aliases[code][0]: code for code in codes_of_states() if code in aliases} | {"XK": "XKX"}
