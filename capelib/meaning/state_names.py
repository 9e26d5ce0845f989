"""Names of states as people write them; what does not name one state is reported, not guessed."""

# Own tables over CLDR's names, and none of the libraries for country names. On our golden files
# (597 names that must match, 147 that must not) ours reads all 597 right and takes none of the 147
# for a state. countrynames 1.17: 384 right, 21 wrong, 40 of the 147 taken for a state. rigour 2.6:
# 413 right, 20 taken, North and South Korea exchanged in Kazakh. hdx-python-country 4.2: 193 right,
# 8 taken. country_converter 1.3 does not start under pandas 3.1.

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from capelib.meaning.cells import Cell, frame_of, refused, single_blanks
from capelib.meaning.state_lexicon import Entry, dated_names, folded, lexicon, two_letter_codes
from capelib.meaning.state_misspellings import MOST_UNKNOWN, UNKNOWN, near_names, read_misspelt
from capelib.meaning.state_subdivisions import city_in_subdivision
from capelib.vocabulary.tables import states as codes_of_states
from capelib.vocabulary.text import LONGEST, visible

MOST_PARTS = 20  # of a cell

_QUALITY = (
    "democratic|peoples|federal|federative|islamic|socialist|arab|united|bolivarian|plurinational"
    "|hashemite|oriental|independent|sovereign"
)
_BODY = (
    "republic|kingdom|states?|sultanate|principality|grand duchy|commonwealth|union|emirate"
    "|federation"
)
_RUSSIAN_BODY = "республика|королевство|государство|султанат|княжество"
_OFFICIAL = [
    re.compile(rf"(?:(?:(?:{_QUALITY}) )*(?:{_BODY}) of )+(?P<name>.+)"),
    re.compile(rf"(?P<name>.+?)(?: (?:{_QUALITY}))* (?:republic|kingdom|states)(?: of)?"),
    re.compile(rf"(?:\w+(?:ская|ная|вная) )*(?:{_RUSSIAN_BODY}) (?P<name>.+)"),
    re.compile(r"чумхурии (?:исломии )?(?P<name>.+)"),
    re.compile(r"(?P<name>.+) (?:республикасы|республикаси|respublikasi|respublikasy)"),
]
_HEDGE = re.compile(
    r"\?|\b(?:probably|possibly|presumably|perhaps|maybe|likely|allegedly|reportedly"
    r"|вероятно|возможно|предположительно|видимо)\b",
    re.I,
)
_WAY = re.compile(
    r"(?:via|through|from|to|towards|en route to|on the way to|transit (?:in|via|through)|через)"
    r" +(?P<place>.+)",
    re.I,
)
_PLACE = re.compile(r"(?:in|near|at|inside) +(?P<place>.+)", re.I)
_NATIONALITY = re.compile(
    r"(?:citizens?|nationals?) of (?P<state>.+)|(?P<people>.+) (?:citizens?|nationals?)"
)
_WITH_REMARK = re.compile(r"[^()\[\],:;/|\n\r→>]+[(\[][^()\[\]]*[)\]]")
_BESIDE_REMARK = re.compile(r"[()\[\],:;/|\n\r→>]| (?:[-–—]|or|или) ")
# After a comma these may be a state of the USA, or a person's name.
_ALSO_ELSEWHERE = {"GEO", "JOR", "TCD"}

_STRONG_SEPARATOR = re.compile(r"\([^()]*\)|(?P<separator>\s*(?:[;|/\n\r→>]|->|=>)\s*)")
_ANY_SEPARATOR = re.compile(
    r"\([^()]*\)|(?P<separator>\s*(?:[;|/\n\r→>,&+]|->|=>| [-–—] "
    r"|\b(?:and|и|және|жана|va|ва|we|und)\b)\s*)",
    re.I,
)
_LONGEST_NAME = 4  # separators and all: "Saint Helena, Ascension and Tristan da Cunha"

HEDGED, REMARK, PEOPLE = 0.6, 0.8, 0.7  # certainty
ADJECTIVE = "state.adjective"

NOT_ONE = "does not name one state"
SEVERAL = "more than one state in a cell"
ON_THE_WAY = "a way through a state, not a place in one"

_NOT_STATED = Cell(None, "state.not_stated")
_NAMIBIA = refused(
    NOT_ONE,
    'NA can be Namibia\'s two-letter code or "not available": write NAM, or leave the cell blank',
    "state.code2",
)


def states(
    cells: pd.Series,
    years: pd.Series | None = None,
    codes: Mapping[str, Cell] | None = None,
) -> pd.DataFrame:
    """Which state does each cell of a column name?

    Parameters
    ----------
    cells
        Text or missing. Read are ISO 3166-1 codes of two or three letters, and names in English,
        Russian, Kazakh, Kyrgyz, Tajik, Turkmen, Uzbek and sixteen further languages, short or
        official, with or without accents, of today or former; cities and regions.
    years
        The year of each row, whole numbers or missing, on the same index, for names that changed
        what they stand for.
    codes
        What some cells mean by the system of codes that the table shows, where that is not ISO
        3166: see `capelib.meaning.state_codes.codes_of_columns`.

    Returns
    -------
    DataFrame
        On the same index, with the columns of `capelib.meaning.cells.Cell`. `value`: a code of
        `cape.states()`, missing where blank, not stated or not usable. `rule`: "" where the cell
        held the code itself, "state.english", "state.city", "state.spelling" ...

    Notes
    -----
    "unknown", "n/a" and "?" are not stated, which is no problem. "NA" is one: it may be Namibia.
    Source of names: Unicode CLDR, by babel; the tables of data/names beside it.

    Examples
    --------
    >>> cells = pd.Series(["TJK", "Өзбекстан", "Tukrey", "Istanbul", "EU", "Nigera"])
    >>> states(cells)[["value", "rule", "certainty"]].values.tolist()[:3]
    [['TJK', '', 1.0], ['UZB', 'state.kazakh', 1.0], ['TUR', 'state.spelling', 0.8]]
    >>> states(cells)["remedy"].tolist()[4:]
    ['write one of its member states', 'did you mean NER, Niger, or NGA, Nigeria?']
    """
    texts = cells.astype("str").array
    asked = pd.DataFrame({"cell": texts, "year": float("nan")})
    if years is not None:
        asked["year"] = pd.to_numeric(years, errors="coerce").astype("float64").array
    dated = {cell for cell in asked["cell"].dropna().unique() if _depends_on_year(cell)}
    usable = asked["year"].between(1000, 3000) & asked["cell"].isin(dated)
    asked["year"] = asked["year"].where(usable)
    distinct = asked.drop_duplicates()
    questions = [
        (cell, None if pd.isna(year) else int(year))
        for cell, year in distinct.itertuples(index=False)
    ]
    meanings = read_all(questions)
    if codes:
        pairs = zip(questions, meanings, strict=True)
        meanings = [codes.get(str(cell), meaning) for (cell, _), meaning in pairs]
    readings = frame_of(meanings)
    # Groups are numbered in the order of `distinct`.
    row = asked.groupby(["cell", "year"], dropna=False, sort=False).ngroup()
    return readings.take(row.to_numpy()).set_axis(cells.index)


def _depends_on_year(cell: str) -> bool:
    text = folded(cell)
    return any(name in text for name in dated_names())


def several_states(cell: str) -> list[str]:
    """Which parts of a cell name a state each?

    Parameters
    ----------
    cell
        As it stands in the table.

    Returns
    -------
    list of str
        The parts; the cell itself, alone, where it is not clearly several.

    Notes
    -----
    Parts stand between commas, semicolons, slashes, arrows, new lines, "and", "&" or their like. A
    name that holds one of these stays whole, and so does a city with its state. A cell with a part
    that is not known, or misspelt, is left whole.

    Examples
    --------
    >>> several_states("Russia, Turkey and Bosnia and Herzegovina")
    ['Russia', 'Turkey', 'Bosnia and Herzegovina']
    >>> several_states("Congo, Democratic Republic of"), several_states("Moscow, Russia")
    (['Congo, Democratic Republic of'], ['Moscow, Russia'])
    """
    if len(cell) > LONGEST * 10 or _read_single(cell, None) is not None:
        return [cell]
    if city_in_subdivision(visible(cell)):
        return [cell]
    text = single_blanks(cell)
    for separator in (_ANY_SEPARATOR, _STRONG_SEPARATOR):
        parts = _parts(text, separator)
        if len(parts) > 1:
            return parts
    return [cell]


def _parts(cell: str, separator: re.Pattern[str]) -> list[str]:
    """The parts of a cell that are states, each as long as a known name; none if one is unknown."""
    pieces = _pieces(cell, separator)
    if not 1 < len(pieces) <= MOST_PARTS:
        return []
    parts: list[tuple[int, int, str | None]] = []
    while pieces:
        start, end, size, reading = _longest_name(cell, pieces)
        pieces = pieces[size:]
        if reading is None or reading == _NOT_STATED:
            return []
        if reading.problem in (UNKNOWN, ON_THE_WAY, SEVERAL):
            return []
        if parts and reading.value and parts[-1][2] == reading.value:  # Moscow, Russia
            start = parts.pop()[0]
        parts.append((start, end, reading.value))
    return [cell[start:end].strip() for start, end, _ in parts]


def _pieces(cell: str, separator: re.Pattern[str]) -> list[tuple[int, int]]:
    """Start and end of what stands between separators and is not blank."""
    pieces, start = [], 0
    cuts = [match.span("separator") for match in separator.finditer(cell) if match["separator"]]
    for end, next_start in [*cuts, (len(cell), len(cell))]:
        if cell[start:end].strip():
            pieces.append((start, end))
        start = next_start
    return pieces


def _longest_name(cell: str, pieces: list[tuple[int, int]]) -> tuple[int, int, int, Cell | None]:
    """The longest known name that begins with the first piece: start, end, pieces, reading."""
    start, end = pieces[0]
    for size in range(min(len(pieces), _LONGEST_NAME), 0, -1):
        last = pieces[size - 1][1]
        name = cell[start:last]
        if reading := _read_name(name, None) or city_in_subdivision(visible(name)):
            return start, last, size, reading
    return start, end, 1, _read_part(cell[start:end], None)


def read_all(questions: list[tuple[str | float, int | None]]) -> list[Cell]:
    """Which state does each cell name in its year? Misspellings are looked for if they are few."""
    readings = [
        _read_known(cell, year) if isinstance(cell, str) else Cell() for cell, year in questions
    ]
    unread = {
        cell for (cell, _), reading in zip(questions, readings, strict=True) if reading is None
    }
    if len(unread) > MOST_UNKNOWN:
        remedy = (
            f"more than {MOST_UNKNOWN:,} different cells of this column are no states: "
            "is it the right column?"
        )
        return [reading or refused(UNKNOWN, remedy, "state.unknown") for reading in readings]
    return [
        reading or _read_misspelt_cell(str(cell), year)
        for (cell, year), reading in zip(questions, readings, strict=True)
    ]


def _read_known(cell: str, year: int | None) -> Cell | None:
    """What the tables say of a cell; None where it needs a guess."""
    if not cell.strip():
        return Cell()
    text = visible(cell)
    if len(text) > LONGEST:
        remedy = f"write a name or code of at most {LONGEST} letters"
        return refused("too long for the name of a state", remedy, "state.unknown")
    if not folded(text):
        return _NOT_STATED
    if cell in codes_of_states():
        return Cell(cell)
    if reading := _read_single(text, year) or city_in_subdivision(text):
        return reading
    parts = several_states(text)
    if len(parts) > 1:
        return _refused_several(_read_part(part, year) for part in parts)
    return _read_composed(text, year)


def _read_misspelt_cell(cell: str, year: int | None) -> Cell:
    text = visible(cell)
    return (
        _read_composed(text, year, guess=True)
        or _read_single(text, year, guess=True)
        or read_misspelt(text)
    )


def _read_part(text: str, year: int | None, guess: bool = False) -> Cell | None:
    return _read_single(text, year, guess) or _read_composed(text, year, guess)


def _read_single(text: str, year: int | None, guess: bool = False) -> Cell | None:
    """A single name, also one that is hedged or on the way, and as a guess one that is misspelt."""
    sure = _HEDGE.sub(" ", text).strip()
    if sure != text.strip() and folded(sure):
        return _limited(_read_part(sure, year, guess), "state.hedged", HEDGED)
    if reading := _read_name(text, year):
        return reading
    way = _WAY.fullmatch(text.strip())
    reading = _read_name(way["place"], year) if way else None
    if reading and reading.value:
        remedy = (
            f"write {reading.value} if it happened there, else the state where it did, "
            "or leave the cell blank"
        )
        return refused(ON_THE_WAY, remedy, "state.way")
    place = _PLACE.fullmatch(text.strip())
    if reading is None and place:
        reading = _read_name(place["place"], year)
    if reading:
        return _limited(reading, "state.remark", REMARK)
    return read_misspelt(text) if guess else None


def _limited(reading: Cell | None, rule: str, certainty: float) -> Cell | None:
    """The same state by another rule, with at most this certainty; what is no state stays."""
    if reading is None or not reading.value:
        return reading
    return reading._replace(rule=rule, certainty=min(reading.certainty, certainty))


def _read_name(text: str, year: int | None) -> Cell | None:
    """A code or a name that a table holds, or the official form of one."""
    name, key = text.strip(), folded(text)
    upper = name.upper()
    if upper == "NA":
        return _NAMIBIA
    if upper in codes_of_states():
        return Cell(upper, "state.code3", 1.0 if name == upper else 0.95)
    if name == upper and upper in two_letter_codes():
        return Cell(two_letter_codes()[upper], "state.code2", 0.95)
    if key in lexicon():
        return _read_in_year(key, year)
    if upper in two_letter_codes():  # "in" and "it" are words, too
        return Cell(two_letter_codes()[upper], "state.code2", 0.8)
    for pattern in _OFFICIAL:
        match = pattern.fullmatch(key)
        if match and match["name"] in lexicon():
            return _limited(_read_in_year(match["name"], year), "state.official", 0.95)
    return _read_people(key, year)


def _read_people(key: str, year: int | None) -> Cell | None:
    """The state of a people or of its citizens: Tajiks, Uzbek citizen, national of Kazakhstan."""
    entries = lexicon().get(key.removesuffix("s"), [])
    if len(entries) == 1 and entries[0].rule == ADJECTIVE:
        return _read_in_year(key.removesuffix("s"), year)
    match = _NATIONALITY.fullmatch(key)
    if match is None:
        return None
    return _limited(_read_name(match["state"] or match["people"], year), ADJECTIVE, PEOPLE)


def _read_in_year(key: str, year: int | None) -> Cell:
    """What a known name stands for in a year; without a year, if that never changed."""
    entries = lexicon()[key]
    valid = [entry for entry in entries if year is None or _covers(entry, year)]
    if len(valid) == 1:
        entry = valid[0]
        if entry.iso3:
            return Cell(entry.iso3, entry.rule, entry.certainty)
        return refused(NOT_ONE, entry.remedy, entry.rule) if entry.remedy else _NOT_STATED
    spans = "; ".join(f"{_span(entry)}: {entry.iso3 or entry.remedy}" for entry in entries)
    if year is None:
        problem, remedy = (
            "what this name stands for depends on the year",
            f"give the year ({spans})",
        )
    else:
        problem = f"no state had this name in {year}"
        remedy = f"check the year, or write the code ({spans})"
    return refused(problem, remedy, entries[0].rule)


def _covers(entry: Entry, year: int) -> bool:
    return (entry.first_year or year) <= year <= (entry.last_year or year)


def _span(entry: Entry) -> str:
    if entry.first_year is None:
        return f"to {entry.last_year}"
    if entry.last_year is None:
        return f"from {entry.first_year}"
    return f"{entry.first_year} to {entry.last_year}"


def _read_composed(text: str, year: int | None, guess: bool = False) -> Cell | None:
    """A state with a remark: Russia (Moscow); Antalya, Turkey. Two states are a problem."""
    parts = [part for part in _BESIDE_REMARK.split(text) if folded(part)]
    if not 1 < len(parts) <= MOST_PARTS:
        return None
    readings = [_read_single(part, year) for part in parts]
    for reading in readings:
        if reading and reading.problem:
            return reading
    named = [reading for reading in readings if reading and reading.value]
    unread = [part for part, reading in zip(parts, readings, strict=True) if reading is None]
    # Beside a comma, not in brackets, what is not known may be a state, misspelt.
    may_be_state = bool(unread) and not _WITH_REMARK.fullmatch(text)
    if not named or (may_be_state and not guess):
        return None
    misspelt = []
    if may_be_state:
        misspelt = [read_misspelt(part) for part in unread if near_names(folded(part))]
    for part in unread:
        named += _states_within(part, year)
    named += [reading for reading in misspelt if reading.value]
    if len({reading.value for reading in named}) > 1:
        return _refused_several(named)
    for reading in misspelt:
        if reading.problem:
            return reading
    if readings[0] is None and named[0].value in _ALSO_ELSEWHERE:
        return None
    most = REMARK if unread or _NOT_STATED in readings else 0.95
    certainty = min(most, *(reading.certainty for reading in named))
    return Cell(named[0].value, "state.remark", certainty)


def _states_within(remark: str, year: int | None) -> list[Cell]:
    """The states that the words of a remark name: "deported to Tajikistan"."""
    words = folded(remark).split()[:MOST_PARTS]
    readings = []
    for size in (1, 2, 3):
        for start in range(len(words) - size + 1):
            name = " ".join(words[start : start + size])
            if len(name) > 3 and name in lexicon():
                readings.append(_read_in_year(name, year))
    return [reading for reading in readings if reading.value and reading.rule != "state.adjective"]


def _refused_several(readings: Iterable[Cell | None]) -> Cell:
    codes = dict.fromkeys(reading.value for reading in readings if reading and reading.value)
    listed = f" ({', '.join(codes)})" if codes else ""
    return refused(SEVERAL, f"write one state a cell{listed}", "state.several")
