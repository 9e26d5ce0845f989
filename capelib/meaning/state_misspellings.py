"""Misspelt names of states: read where only one state is near, else asked about."""

from functools import cache, lru_cache

from capelib.meaning.cells import Cell, refused
from capelib.meaning.state_lexicon import LANGUAGES, folded, lexicon
from capelib.vocabulary.tables import states as codes_of_states
from capelib.vocabulary.text import near, nearest

# Different unknown names that are compared for misspellings: a column with more holds no states.
MOST_UNKNOWN = 1_000
SHORTEST = 6  # letters of a misspelt name that is accepted
MARGIN = 2  # edits by which every other state must be further away
# Taken one for another in practice, or told apart by a letter or two: a misspelt name of these is
# always asked about.
_CONFUSED = {
    *("NER", "NGA", "GIN", "GNB", "GNQ", "PNG", "COG", "COD", "KOR", "PRK", "DMA", "DOM"),
    *("AUT", "AUS", "IRN", "IRQ", "SVK", "SVN", "SDN", "SSD", "WSM", "ASM", "IRL", "ISL"),
    *("GMB", "ZMB", "MLI", "MWI", "OMN", "YEM", "GHA", "GUY", "GUF", "LVA", "LTU", "MRT"),
    *("MUS", "CHN", "TWN", "HKG", "MAC"),
}
_SPELT = {f"state.{rule}" for rule in LANGUAGES.values()}
UNKNOWN = "unknown state"


def read_misspelt(text: str) -> Cell:
    """Which state does a misspelt name mean?

    Returns
    -------
    Cell
        The state, where only one is near; else a problem with the nearest as a remedy.

    Notes
    -----
    Measured on 6,756 names of states in seven languages with one or two letters wrong: 56 in 100
    are read (66 with one letter wrong), none as another state; the rest is asked about. Of 7,478
    names of languages, cities and currencies 86 are taken for a state, 11 of them for one that they
    have nothing to do with; all at a certainty that is shown as a guess.

    Examples
    --------
    >>> read_misspelt("Tukrey").value, read_misspelt("Nigera").remedy
    ('TUR', 'did you mean NER, Niger, or NGA, Nigeria?')
    """
    key = folded(text)
    matches = near_names(key)
    if matches and len(key) >= SHORTEST:
        meaning, distance, rule = matches[0]
        alone = all(other >= distance + MARGIN for _, other, _ in matches[1:])
        clear = rule in _SPELT and meaning not in _CONFUSED
        if distance <= _edits(key) and clear and alone:
            return Cell(meaning, "state.spelling", 0.8)
    known = codes_of_states()
    close = [code for code, edits, _ in matches if edits == matches[0][1] and code in known][:3]
    if not close and (guess := nearest(text, known)):
        close = [guess]
    named = ", or ".join(f"{code}, {known[code]}" for code in close)
    remedy = f"did you mean {named}?" if close else "write an ISO 3166-1 alpha-3 code such as TJK"
    return refused(UNKNOWN, remedy, "state.unknown")


def _edits(key: str) -> int:
    return 1 if len(key) < 8 else 2


@lru_cache(maxsize=4 * MOST_UNKNOWN)
def near_names(key: str) -> list[tuple[str, int, str]]:
    """What do the names near to a `folded` word stand for?

    Returns
    -------
    list of (str, int, str)
        A state's code, or the name itself where it is no state's; the edits between; the rule.
        Nearest first.
    """
    if len(key) < SHORTEST - 1:
        return []
    closest: dict[str, tuple[int, bool, str]] = {}
    for name, distance in near(key, _long_names(), "edits", _edits(key) + MARGIN - 1):
        for entry in lexicon()[name]:
            meaning = entry.iso3 or name
            rank = (int(distance), entry.rule not in _SPELT, entry.rule)
            closest[meaning] = min(closest.get(meaning, rank), rank)
    ranked = sorted(closest.items(), key=lambda item: item[1])
    return [(meaning, distance, rule) for meaning, (distance, _, rule) in ranked]


@cache
def _long_names() -> list[str]:
    """Names long enough to be recognised when misspelt."""
    return [name for name in lexicon() if len(name) >= SHORTEST - 1]
