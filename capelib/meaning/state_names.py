"""Names of states as people write them in, codes of states out; what does not name one state is said, never guessed."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import NamedTuple

import pandas as pd

from capelib.paths import room
from capelib.vocabulary.codebook import codebook, nearest
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.tables import states as codes_of_states

LONGEST = 200  # letters; no state has a name as long as that
MOST_UNKNOWN = 1_000  # different unknown names that are looked at for misspellings: a column with more holds no states
MOST_PARTS = 20

# CLDR's languages, in the order in which a name that several share is explained. Names of the others rank below our own tables.
_LANGUAGES = {
    "en": "english", "ru": "russian", "kk": "kazakh", "ky": "kyrgyz", "tg": "tajik", "tk": "turkmen", "uz": "uzbek", "uz_Cyrl": "uzbek",
}  # fmt: skip
_OTHER_LANGUAGES = (
    "tr",
    "az",
    "de",
    "fr",
    "es",
    "it",
    "nl",
    "sv",
    "pl",
    "uk",
    "hy",
    "ka",
    "fa",
    "ar",
    "he",
    "zh",
)

_APOSTROPHES = re.compile("['`´ʹʻʼʽʾʿˈ‘’‛′]")
_LETTERS = str.maketrans(
    "қғҳһҷңөүұіәıłøđ", "кгххчноууиаilod"
)  # keyboards lack them; no two states are told apart by them
_DOTTED = re.compile(r"(?<=\b\w)\.(?=\w\b)")
_SHORTENED = {
    "rep": "republic",
    "dem": "democratic",
    "fed": "federal",
    "st": "saint",
    "isl": "islands",
}
_QUALITY = "democratic|peoples|federal|federative|islamic|socialist|arab|united|bolivarian|plurinational|hashemite|oriental|independent|sovereign"
_BODY = "republic|kingdom|states?|sultanate|principality|grand duchy|commonwealth|union|emirate|federation"
_OFFICIAL = [
    re.compile(rf"(?:(?:(?:{_QUALITY}) )*(?:{_BODY}) of )+(?P<name>.+)"),
    re.compile(rf"(?P<name>.+?)(?: (?:{_QUALITY}))* (?:republic|kingdom|states)(?: of)?"),
    re.compile(
        r"(?:\w+(?:ская|ная|вная) )*(?:республика|королевство|государство|султанат|княжество) (?P<name>.+)"
    ),
    re.compile(r"чумхурии (?:исломии )?(?P<name>.+)"),
    re.compile(r"(?P<name>.+) (?:республикасы|республикаси|respublikasi|respublikasy)"),
]
_HEDGE = re.compile(
    r"\?|\b(?:probably|possibly|presumably|perhaps|maybe|likely|allegedly|reportedly|вероятно|возможно|предположительно|видимо)\b",
    re.I,
)
_WAY = re.compile(
    r"(?:via|through|from|to|towards|en route to|on the way to|transit (?:in|via|through)|через) +(?P<place>.+)",
    re.I,
)
_AT = re.compile(r"(?:in|near|at|inside) +(?P<place>.+)", re.I)
_REMARK = re.compile(r"[^()\[\],:;/|\n\r→>]+[(\[][^()\[\]]*[)\]]")
_BETWEEN = re.compile(r"[()\[\],:;/|\n\r→>]| (?:[-–—]|or|или) ")
_ALSO_ELSEWHERE = {
    "GEO",
    "JOR",
    "TCD",
}  # after a comma the last word may be the state of the USA, or a person's name

_STRONG = re.compile(r"\([^)]*\)|(?P<between>\s*(?:[;|/\n\r→>]|->|=>)\s*)")
_ANY = re.compile(
    r"\([^)]*\)|(?P<between>\s*(?:[;|/\n\r→>,&+]|->|=>| [-–—] |\b(?:and|и|және|жана|va|ва|we|und)\b)\s*)",
    re.I,
)

SHORTEST = 6  # letters of a misspelt name that is accepted
MARGIN = 2  # edits by which every other state must be further away
HEDGED, REMARK = 0.6, 0.8
# Taken one for another in practice, or told apart by a letter or two: a misspelt name of these is always asked about.
_CONFUSED = {
    *(
        "NER",
        "NGA",
        "GIN",
        "GNB",
        "GNQ",
        "PNG",
        "COG",
        "COD",
        "KOR",
        "PRK",
        "DMA",
        "DOM",
        "AUT",
        "AUS",
        "IRN",
        "IRQ",
        "SVK",
        "SVN",
    ),
    *(
        "SDN",
        "SSD",
        "WSM",
        "ASM",
        "IRL",
        "ISL",
        "GMB",
        "ZMB",
        "MLI",
        "MWI",
        "OMN",
        "YEM",
        "GHA",
        "GUY",
        "GUF",
        "LVA",
        "LTU",
        "MRT",
    ),
    *("MUS", "CHN", "TWN", "HKG", "MAC"),
}
_SPELT = {f"state.{rule}" for rule in _LANGUAGES.values()}

NOT_ONE = "does not name one state"
SEVERAL = "more than one state in a cell"
UNKNOWN = "unknown state"
ON_THE_WAY = "a way through a state, not a place in one"


class _Entry(NamedTuple):
    """What a name stands for, in some years: a state, nothing stated (no iso3, no remedy), or no state (a remedy)."""

    iso3: str | None
    rule: str
    certainty: float
    first_year: int | None = None
    last_year: int | None = None
    remedy: str | None = None


class _Reading(NamedTuple):
    value: str | None
    rule: str
    certainty: float
    problem: str | None = None
    remedy: str | None = None


_BLANK = _Reading(None, "", 1.0)
_NOT_STATED = _Reading(None, "state.not_stated", 1.0)
_NAMIBIA = _Reading(
    None,
    "state.code2",
    0.0,
    NOT_ONE,
    'NA can be Namibia\'s two-letter code or "not available": write NAM, or leave the cell blank',
)


def states(cells: pd.Series, years: pd.Series | None = None) -> pd.DataFrame:
    """Which state does each cell of a column name?

    cells: as found, text or missing. Read are ISO 3166-1 codes of two or three letters (never those of the Correlates of War
        or FIPS, where AUS is Austria), and names in English, Russian, Kazakh, Kyrgyz, Tajik, Turkmen, Uzbek and
        sixteen further languages, short or official, with or without accents, of today or former; cities and regions.
    years: the year of each row, whole numbers or missing, on the same index, for names that changed what they stand for.
    Returns a frame on the same index: `value` (str, a code of `cape.states()`; missing where blank, not stated or not
    usable), `rule` (str: "" where the cell held the code itself; "state.english", "state.city", "state.spelling" ...),
    `certainty` (float, 0 to 1; below 0.9 is a guess to look at, 0 where there is a problem), `problem` and `remedy` (str,
    missing where none). "unknown", "n/a" and "?" are not stated, which is no problem. "NA" is one: it may be Namibia.
    Source of names: Unicode CLDR, by babel; the tables of data/names/ beside it.

    >>> cells = pd.Series(["TJK", "Өзбекстан", "Tukrey", "Istanbul", "EU", "Nigera"])
    >>> states(cells)[["value", "rule", "certainty"]].fillna("-").values.tolist()[:4]
    [['TJK', '', 1.0], ['UZB', 'state.kazakh', 1.0], ['TUR', 'state.spelling', 0.8], ['TUR', 'state.city', 0.9]]
    >>> states(cells)["remedy"].tolist()[4:]
    ['write one of its member states', 'did you mean NER, Niger, or NGA, Nigeria?']
    """
    when = (
        pd.to_numeric(years, errors="coerce").astype("float64").array
        if years is not None
        else float("nan")
    )
    asked = pd.DataFrame({"cell": cells.astype("str").array, "year": when})
    dated = {
        cell
        for cell in asked["cell"].dropna().unique()
        if any(name in _folded(cell) for name in _dated())
    }
    asked["year"] = asked["year"].where(
        asked["year"].between(1000, 3000) & asked["cell"].isin(dated)
    )
    distinct = asked.drop_duplicates()
    questions = [
        (cell, None if pd.isna(year) else int(year))
        for cell, year in distinct.itertuples(index=False)
    ]
    said = pd.DataFrame(_all(questions), columns=list(_Reading._fields))
    said = said.astype(
        {"value": "str", "rule": "str", "certainty": "float64", "problem": "str", "remedy": "str"}
    )
    place = asked.groupby(
        ["cell", "year"], dropna=False, sort=False
    ).ngroup()  # in the order of `distinct`
    return said.take(place.to_numpy()).set_axis(cells.index)


def several_states(cell: str) -> list[str]:
    """Which parts of a cell name a state each? The cell itself, alone, where it is not clearly several.

    Parts stand between commas, semicolons, slashes, arrows, new lines, "and", "&" or their like. A name that holds one of
    these stays whole, and so does a city with its state. A cell with a part that is not known, or misspelt, is left whole.

    >>> several_states("Russia, Turkey and Bosnia and Herzegovina")
    ['Russia', 'Turkey', 'Bosnia and Herzegovina']
    >>> several_states("Congo, Democratic Republic of"), several_states("Moscow, Russia")
    (['Congo, Democratic Republic of'], ['Moscow, Russia'])
    """
    if len(cell) > LONGEST * 10 or _one(cell, None, False) is not None:
        return [cell]
    for between in (_ANY, _STRONG):
        parts = _parts(cell, between)
        if len(parts) > 1:
            return parts
    return [cell]


def _parts(cell: str, between: re.Pattern[str]) -> list[str]:
    """The parts of a cell that are states, each as long as a known name allows; none where one is not known."""
    cuts = [found.span("between") for found in between.finditer(cell) if found["between"]]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(cell)]
    pieces = [
        (start, end) for start, end in zip(starts, ends, strict=True) if cell[start:end].strip()
    ]
    if not 1 < len(pieces) <= MOST_PARTS:
        return []
    parts: list[tuple[int, int, _Reading | None]] = []
    while pieces:
        for size in range(min(len(pieces), 4), 0, -1):
            start, end = pieces[0][0], pieces[size - 1][1]
            said = _named(cell[start:end], None) or (_part(cell[start:end]) if size == 1 else None)
            if said is not None or size == 1:
                break
        pieces = pieces[size:]
        parts.append((start, end, said))
    merged: list[tuple[int, int, _Reading]] = []
    for start, end, said in parts:
        if said is None or said == _NOT_STATED or said.problem in (UNKNOWN, ON_THE_WAY, SEVERAL):
            return []
        if merged and said.value and merged[-1][2].value == said.value:  # Moscow, Russia
            start = merged.pop()[0]
        merged.append((start, end, said))
    return [cell[start:end].strip() for start, end, _ in merged]


def _part(text: str) -> _Reading | None:
    return _one(text, None, False) or _composed(text, None, False)


def _all(questions: list[tuple[str | float, int | None]]) -> list[_Reading]:
    """The reading of each cell in its year; cells that nothing names are looked at for misspellings, if they are few."""
    said = [_said(cell, year) if isinstance(cell, str) else _BLANK for cell, year in questions]
    unread = {cell for (cell, _), reading in zip(questions, said, strict=True) if reading is None}
    if len(unread) > MOST_UNKNOWN:
        remedy = f"more than {MOST_UNKNOWN:,} different cells of this column are no states: is it the right column?"
        lost = _Reading(None, "state.unknown", 0.0, UNKNOWN, remedy)
        return [reading or lost for reading in said]
    return [
        reading or _guess(str(cell), year)
        for (cell, year), reading in zip(questions, said, strict=True)
    ]


def _said(cell: str, year: int | None) -> _Reading | None:
    """What the tables say of a cell; None where it needs a guess."""
    if not cell.strip():
        return _BLANK
    text = _clean(cell)
    if len(text) > LONGEST:
        return _Reading(
            None,
            "state.unknown",
            0.0,
            "too long for the name of a state",
            f"write a name or code of at most {LONGEST} letters",
        )
    if not _folded(text):
        return _NOT_STATED
    if cell in codes_of_states():
        return _Reading(cell, "", 1.0)
    found = _one(text, year, False)
    if found is None and len(parts := several_states(text)) > 1:
        return _several([_one(part, year, False) or _composed(part, year, False) for part in parts])
    return found or _composed(text, year, False)


def _guess(cell: str, year: int | None) -> _Reading:
    text = _clean(cell)
    return _composed(text, year, True) or _one(text, year, True) or _near(text)


def _one(text: str, year: int | None, guess: bool) -> _Reading | None:
    """A single name, also one that is hedged, on the way or misspelt."""
    sure = _HEDGE.sub(" ", text).strip()
    if sure != text.strip() and _folded(sure):
        said = _one(sure, year, guess) or _composed(sure, year, guess)
        return (
            said._replace(rule="state.hedged", certainty=min(said.certainty, HEDGED))
            if said and said.value
            else said
        )
    said = _named(text, year)
    if said is not None:
        return said
    for pattern in (_WAY, _AT):
        found = pattern.fullmatch(text.strip())
        said = _named(found["place"], year) if found else None
        if said and said.value and pattern is _WAY:
            remedy = f"write {said.value} if it happened there, else the state where it did, or leave the cell blank"
            return _Reading(None, "state.way", 0.0, ON_THE_WAY, remedy)
        if said:
            return (
                said._replace(rule="state.remark", certainty=min(said.certainty, REMARK))
                if said.value
                else said
            )
    return _near(text) if guess else None


def _named(text: str, year: int | None) -> _Reading | None:
    """A code or a name that a table holds, or the official form of one."""
    bare, key = text.strip(), _folded(text)
    upper = bare.upper()
    if upper == "NA":
        return _NAMIBIA
    if upper in codes_of_states():
        return _Reading(upper, "state.code3", 1.0 if bare == upper else 0.95)
    if bare == upper and upper in _two_letters():
        return _Reading(_two_letters()[upper], "state.code2", 0.95)
    if key in _lexicon():
        return _in_year(key, year)
    if upper in _two_letters():
        return _Reading(_two_letters()[upper], "state.code2", 0.8)  # "in" and "it" are words, too
    for pattern in _OFFICIAL:
        found = pattern.fullmatch(key)
        if found and found["name"] in _lexicon():
            said = _in_year(found["name"], year)
            return (
                said._replace(rule="state.official", certainty=min(said.certainty, 0.95))
                if said.value
                else said
            )
    return None


def _in_year(key: str, year: int | None) -> _Reading:
    """What a known name stands for in a year; without a year, what it stands for if that never changed."""
    entries = _lexicon()[key]
    fitting = [
        entry
        for entry in entries
        if year is None or (entry.first_year or year) <= year <= (entry.last_year or year)
    ]
    if len(fitting) == 1:
        (entry,) = fitting
        if entry.iso3:
            return _Reading(entry.iso3, entry.rule, entry.certainty)
        return (
            _Reading(None, entry.rule, 0.0, NOT_ONE, entry.remedy) if entry.remedy else _NOT_STATED
        )
    spans = "; ".join(f"{_span(entry)}: {entry.iso3 or entry.remedy}" for entry in entries)
    if year is None:
        return _Reading(
            None,
            entries[0].rule,
            0.0,
            "what this name stands for depends on the year",
            f"give the year ({spans})",
        )
    return _Reading(
        None,
        entries[0].rule,
        0.0,
        f"no state had this name in {year}",
        f"check the year, or write the code ({spans})",
    )


def _span(entry: _Entry) -> str:
    if entry.first_year is None:
        return f"to {entry.last_year}"
    return (
        f"{entry.first_year} to {entry.last_year}"
        if entry.last_year
        else f"from {entry.first_year}"
    )


def _composed(text: str, year: int | None, guess: bool) -> _Reading | None:
    """A state with a remark: Russia (Moscow); Antalya, Turkey. Two states in one cell are a problem."""
    parts = [part for part in _BETWEEN.split(text) if _folded(part)]
    if not 1 < len(parts) <= MOST_PARTS:
        return None
    said = [_one(part, year, False) for part in parts]
    wrong = next((reading for reading in said if reading and reading.problem), None)
    if wrong:
        return wrong
    named = [reading for reading in said if reading and reading.value]
    unread = [part for part, reading in zip(parts, said, strict=True) if reading is None]
    aside = bool(unread) and not _REMARK.fullmatch(
        text
    )  # beside a comma what is not known may be a state, misspelt
    if not named or (aside and not guess):
        return None
    misspelt = [_near(part) for part in unread if aside and _nearby(_folded(part))]
    named += [reading for part in unread for reading in _within(part, year)] + [
        reading for reading in misspelt if reading.value
    ]
    if len({reading.value for reading in named}) > 1:
        return _several(named)
    if any(reading.problem for reading in misspelt):
        return next(reading for reading in misspelt if reading.problem)
    if said[0] is None and named[0].value in _ALSO_ELSEWHERE:
        return None
    partly = unread or _NOT_STATED in said
    return _Reading(
        named[0].value,
        "state.remark",
        min(REMARK if partly else 0.95, *(reading.certainty for reading in named)),
    )


def _within(remark: str, year: int | None) -> list[_Reading]:
    """The states that the words of a remark name: "deported to Tajikistan"."""
    words = _folded(remark).split()[:MOST_PARTS]
    runs = (
        " ".join(words[at : at + size]) for size in (1, 2, 3) for at in range(len(words) - size + 1)
    )
    said = [_in_year(run, year) for run in runs if len(run) > 3 and run in _lexicon()]
    return [reading for reading in said if reading.value and reading.rule != "state.adjective"]


def _several(said: Iterable[_Reading | None]) -> _Reading:
    found = dict.fromkeys(reading.value for reading in said if reading and reading.value)
    listed = f" ({', '.join(found)})" if found else ""
    return _Reading(None, "state.several", 0.0, SEVERAL, f"write one state a cell{listed}")


def _near(text: str) -> _Reading:
    """The state that a misspelt name means, where only one is near; else the nearest states as a remedy.

    Measured on 6,756 names of states in seven languages with one or two letters wrong: 56 in 100 are read (66 with one letter
    wrong), none as another state; the rest is asked about. Of 7,478 names of languages, cities and currencies 86 are taken for
    a state, 11 of them for one that they have nothing to do with; all at a certainty that is shown as a guess.
    """
    key, near = _folded(text), _nearby(_folded(text))
    if near and len(key) >= SHORTEST:
        (meant, distance, rule), others = near[0], near[1:]
        if (
            distance <= _edits(key)
            and rule in _SPELT
            and meant not in _CONFUSED
            and all(other >= distance + MARGIN for _, other, _ in others)
        ):
            return _Reading(meant, "state.spelling", 0.8)
    close = [
        code for code, distance, _ in near if distance == near[0][1] and code in codes_of_states()
    ][:3]
    close = close or [code for code in [nearest(text, codes_of_states())] if code]
    named = ", or ".join(f"{code}, {codes_of_states()[code]}" for code in close)
    remedy = f"did you mean {named}?" if close else "write an ISO 3166-1 alpha-3 code such as TJK"
    return _Reading(None, "state.unknown", 0.0, UNKNOWN, remedy)


def _edits(key: str) -> int:
    return 1 if len(key) < 8 else 2


@lru_cache(maxsize=4 * MOST_UNKNOWN)
def _nearby(key: str) -> list[tuple[str, int, str]]:
    """What the names near to a word stand for (a code, or the name where it is no state), nearest first, with the edits between."""
    if len(key) < SHORTEST - 1:
        return []
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    near: dict[str, tuple[int, bool, str]] = {}
    for name, distance, _ in extract(
        key, _spelt(), scorer=OSA.distance, score_cutoff=_edits(key) + MARGIN - 1, limit=None
    ):
        for entry in _lexicon()[name]:
            found, meant = (int(distance), entry.rule not in _SPELT, entry.rule), entry.iso3 or name
            near[meant] = min(near.get(meant, found), found)
    return [
        (meant, distance, rule)
        for meant, (distance, _, rule) in sorted(near.items(), key=lambda item: item[1])
    ]


def _clean(cell: str) -> str:
    """One form of each letter, no invisible ones, single blanks; new lines stay, since they part states."""
    text = "".join(
        letter
        for letter in unicodedata.normalize("NFKC", cell)
        if unicodedata.category(letter) != "Cf"
    )
    return re.sub(r"[^\S\n]+", " ", text).strip()


@lru_cache(maxsize=1 << 16)
def _folded(name: str) -> str:
    """A name as it is compared: without capitals, accents, apostrophes, stops, "the", and the letters that keyboards lack."""
    letters = unicodedata.normalize("NFKD", _clean(name[: 2 * LONGEST]).casefold())
    text = "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(
        _LETTERS
    )
    text = _DOTTED.sub("", _APOSTROPHES.sub("", text)).replace("&", " and ").replace("_", " ")
    words = [word for word in re.findall(r"\w+", text) if word != "the"]
    return " ".join(
        _SHORTENED.get(word, word) if len(words) > 1 else word for word in words
    ).removesuffix(" of")


@cache
def _lexicon() -> dict[str, list[_Entry]]:
    """All known names, folded. What our own tables decide stands before what CLDR says."""
    known: dict[str, list[_Entry]] = {}
    for table in ("historical", "not_states", "names"):
        for key, entry in _own(table):
            known.setdefault(key, []).append(entry)
    for later in (
        _cldr(_LANGUAGES),
        _own("cities"),
        _capitals(),
        _cldr(dict.fromkeys(_OTHER_LANGUAGES, "other_language")),
    ):
        for key, entry in later:
            known.setdefault(key, [entry])
    return known


@cache
def _dated() -> list[str]:
    """The names that stand for something in some years only."""
    return [
        name
        for name, entries in _lexicon().items()
        if any(entry.first_year or entry.last_year for entry in entries)
    ]


def _own(table: str) -> list[tuple[str, _Entry]]:
    """One of the tables of data/names/."""
    found = []
    for row in read_text(room("data") / "names" / f"{table}.csv").fillna("").to_dict("records"):
        iso3, remedy = row["iso3"] or None, row.get("remedy") or None
        rule = {
            "cities": "city",
            "historical": "historical",
            "not_states": "region" if iso3 else "not_a_state",
        }.get(table) or row["rule"]
        usual = {"city": 0.9, "adjective": 0.7}.get(rule, 1.0)
        first, last = (
            int(row[year]) if row.get(year) else None for year in ("first_year", "last_year")
        )
        found.append(
            (
                _folded(row["name"]),
                _Entry(
                    iso3, f"state.{rule}", float(row.get("certainty") or usual), first, last, remedy
                ),
            )
        )
    return found


def _capitals() -> list[tuple[str, _Entry]]:
    frame = read_text(room("data") / codebook()["table"]["capitals"]["path"])
    return [
        (_folded(name), _Entry(iso3, "state.city", 0.9))
        for iso3, name in zip(frame["iso3"], frame["capital"], strict=True)
    ]


def _cldr(languages: dict[str, str]) -> list[tuple[str, _Entry]]:
    from babel import Locale

    known = _two_letters()
    return [
        (
            _folded(name),
            _Entry(known[code], f"state.{rule}", 0.95 if rule == "other_language" else 1.0),
        )
        for language, rule in languages.items()
        for code, name in Locale.parse(language).territories.items()
        if code in known
    ]


@cache
def _two_letters() -> dict[str, str]:
    """ISO 3166-1 alpha-2 codes and the codes of ours that they stand for."""
    from babel.core import get_global

    aliases = get_global("territory_aliases")
    return {aliases[code][0]: code for code in codes_of_states() if code in aliases} | {"XK": "XKX"}


@cache
def _spelt() -> list[str]:
    """Names long enough to be recognised when misspelt."""
    return [name for name in _lexicon() if len(name) >= SHORTEST - 1]
