"""Keys that were withdrawn on request: data/withdrawn.csv, and all spellings of such a key.

The file is about the keys of the built-in data alone. Whoever keeps a table of their own takes
rows out of it there.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.errors import DataError
from capelib.vocabulary.codebook import codebook, columns
from capelib.vocabulary.tables import CELLS, path_of, problems_of, read_text
from capelib.vocabulary.text import visible

RULE, REMEDY = "withdrawn on request", "see data/withdrawn.csv"
_KNOWN_FROM = ("incidents", "exiles", "sources")
_OTHER_IDS = (
    "incidents.episode_id",
    "withdrawn.id",
    "changes.id",
    "audit_2.incident_id",
)  # ids that no column of the codebook references

# Look-alikes of capital letters: Cyrillic, Greek, small capitals. A few small Greek letters look
# like other letters than their capitals do.
_SMALL = str.maketrans("νυηωᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "VUNWABCDEFGHIJKLMNOPRSTUVWYZ")
_CAPITAL = str.maketrans(
    "АВЕЅІЈКМНОРСТУХҮԌԚԜӀҺԀΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ABESIJKMHOPCTYXYGQWIHDABEZHIKMNOPTYX",
)
_LETTERS = r"([A-Z]{3}|[EISL])"  # L: a small l is written for I
_NUMBER = r"([0-9OIL]*[0-9])([OIL]*)"
_KEY = re.compile(rf"(?<![A-Z]){_LETTERS}[^A-Z0-9]*{_NUMBER}")
_ONE_KEY = re.compile(_LETTERS + _NUMBER)
_DIGITS = str.maketrans("OIL", "011")
_ANY_OF = {"0": "[0Oo]", "1": "[1ILil]"}


class _Spelled(NamedTuple):
    """A key as a cell spells it.

    readings: of the key, without leading zeros; an O behind the number can be a zero or not.
    in_full: with as many digits as our keys have.
    """

    readings: frozenset[str]
    is_exile: bool
    in_full: bool


def id_columns(table: str) -> list[str]:
    """Which columns of a shipped table hold keys that can be withdrawn?

    Examples
    --------
    >>> id_columns("audit"), id_columns("memberships")
    (['incident_id'], [])
    """
    every = [spec for entry in codebook()["table"].values() for spec in entry["column"].values()]
    ids = {spec["references"] for spec in every if "references" in spec} | set(_OTHER_IDS)
    return [
        name
        for name, spec in columns(table).items()
        if f"{table}.{name}" in ids or spec.get("references") in ids
    ]


def withdrawn_keys() -> set[str]:
    """Which keys of the built-in data does data/withdrawn.csv name?

    Capitals, blanks and leading zeros do not count: `tjk-67` is TJK-0067.

    Raises
    ------
    DataError
        The file is no table with the header id,date,reason, or an entry is no key or names
        nothing in the built-in data.
    """
    path = path_of("withdrawn")
    entries = read_text(path)
    expected = list(columns("withdrawn"))
    if [name for name in entries if name != CELLS] != expected:
        header = ",".join(expected)
        raise DataError(
            f"{path}, row 1: not the header of this table; write {header}, with commas between"
        )
    if entries.empty:
        return set()
    problems = problems_of(entries.drop(columns="id"), "withdrawn", path.name)
    if len(problems):
        problem = problems.iloc[0]
        place = f"{path}, row {problem['row']}, column {problem['column']}"
        raise DataError(f"{place}: {problem['problem']}; {problem['remedy']}")
    known = _known()
    keys = set()
    for number, entry in entries["id"].fillna("").items():
        place = f"{path}, row {int(str(number)) + 2}, column id"
        readings = _only_key(entry)
        if not readings:
            example = "TJK-0012, I0123, S0045 or E001"
            raise DataError(f"{place}: not one key; write one in each row, such as {example}")
        named = {known[reading] for reading in readings if reading in known}
        if not named:
            raise DataError(
                f"{place}: no exile, incident, source or episode of the built-in data has this "
                "key; correct it, or take the row out (keys of other tables do not belong here)"
            )
        keys |= named
    return keys


def _known() -> dict[str, str]:
    """The keys of the built-in data by their reading."""
    keys = {}
    for table in _KNOWN_FROM:
        cells = read_text(path_of(table))[id_columns(table)].to_numpy().ravel()
        for key in pd.unique(cells):
            if isinstance(key, str):
                keys |= dict.fromkeys(_only_key(key), key)
    return keys


def built_in_keys() -> set[str]:
    """Which keys may not appear in the built-in data? Those withdrawn, and all that goes with them.

    See `with_what_goes`.
    """
    keys = withdrawn_keys()
    if not keys:
        return set()
    incidents = read_text(path_of("incidents"))
    ids = {name: name for name in id_columns("incidents")}
    return with_what_goes(incidents, keys, ids)


def with_what_goes(incidents: pd.DataFrame, keys: set[str], ids: dict[str, str]) -> set[str]:
    """Which keys go with those that are withdrawn?

    Parameters
    ----------
    incidents
        Text.
    keys
        The withdrawn ones.
    ids
        Our column by header, for the columns that hold keys.

    Returns
    -------
    set of str
        The withdrawn keys, those of their incidents, and those of exiles, sources and episodes
        that only these incidents had. As the cells spell them.
    """
    if not keys:
        return set()
    gone = is_withdrawn(incidents, keys, list(ids))
    every = set(keys)
    for header, column in ids.items():
        going = set(incidents.loc[gone, header].dropna())
        if column != "incident_id":
            going -= set(incidents.loc[~gone, header])
        every |= going
    return every


def is_withdrawn(frame: pd.DataFrame, keys: Collection[str], ids: Collection[str]) -> np.ndarray:
    """For each row of text: does a cell name one of these keys, in whatever spelling?

    Parameters
    ----------
    frame
        Text, blanks missing.
    keys
        Those that may not appear.
    ids
        The columns that hold keys. In any other column a key counts where the cell holds keys
        alone, and that of an exile also within a text, if it has all its digits: "S 1" in a
        remark is no source.
    """
    gone = np.zeros(len(frame), dtype=bool)
    if not keys:
        return gone
    for place, name in enumerate(frame.columns):
        places, words = pd.factorize(frame.iloc[:, place].astype("str").array)
        named = names_key(pd.Series(words, dtype="str"), keys, name in ids)
        gone |= np.append(named, False)[places]  # place -1, a blank cell, is the last
    return gone


def names_key(words: pd.Series, keys: Collection[str], of_keys: bool) -> np.ndarray:
    """Which of these texts name one of these keys? of_keys: they stand in a column of keys."""
    readings = {reading for key in keys for reading in _only_key(key)}
    named = words.isin(list(keys)).to_numpy(dtype=bool) & of_keys
    for place in np.flatnonzero(_likely(words, readings)):
        named[place] |= any(key in readings for key in _keys_in(words.iloc[place], of_keys))
    return named


def _likely(words: pd.Series, readings: Collection[str]) -> np.ndarray:
    """Which texts hold one of these numbers, or digits among letters that are not ASCII?

    Only these are looked at one by one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = {reading.partition("-")[2] for reading in readings}
    if not numbers or words.empty:
        return np.zeros(len(words), dtype=bool)
    spelled = [
        "[^0-9A-Za-z]*".join(_ANY_OF.get(digit, digit) for digit in number)
        for number in sorted(numbers)
    ]
    text = pa.array(words, pa.large_string())
    ascii_ = pc.match_substring_regex(text, f"(?:{'|'.join(spelled)})(?:[^0-9]|$)")
    other = pc.and_(pc.invert(pc.string_is_ascii(text)), pc.match_substring_regex(text, r"\pN"))
    return pc.fill_null(pc.or_(ascii_, other), False).to_numpy(zero_copy_only=False)


def _keys_in(text: str, of_keys: bool) -> Iterator[str]:
    """The keys that a text names; see `is_withdrawn`. of_keys: it stands in a column of keys."""
    folded = _folded(text)
    if of_keys:
        yield from _only_key_in(folded)
    alone = not re.search("[A-Z0-9]", _KEY.sub("", folded))
    for match in _KEY.finditer(folded):
        key = _spelled(match)
        in_text = key.is_exile and (key.in_full or alone)
        if of_keys or in_text or (alone and key.in_full):
            yield from key.readings


def _only_key(text: str) -> frozenset[str]:
    """The readings of a text that is one key and nothing else, whatever signs stand between.

    >>> sorted(_only_key(" tjk_67")), sorted(_only_key("TJK-0067; TJK-0068"))
    (['TJK-67'], [])
    """
    return _only_key_in(_folded(text))


def _only_key_in(folded: str) -> frozenset[str]:
    match = _ONE_KEY.fullmatch(re.sub("[^A-Z0-9]", "", folded))
    return _spelled(match).readings if match else frozenset()


def _spelled(match: re.Match[str]) -> _Spelled:
    letters, number, behind = match.groups()
    start = letters.replace("L", "I")
    readings = {
        f"{start}-{digits.translate(_DIGITS).lstrip('0')}" for digits in (number, number + behind)
    }
    most = 3 if letters == "E" else 4
    return _Spelled(frozenset(readings), len(letters) == 3, len(number + behind) >= most)


def _folded(text: str) -> str:
    """Capital letters and digits as a reader sees them, all other signs as they are."""
    if text.isascii():
        return text.upper()
    shown = unicodedata.normalize("NFKD", visible(text))
    letters = []
    for letter in shown:
        if unicodedata.category(letter)[0] != "M":
            digit = unicodedata.decimal(letter, None)
            letters.append(letter if digit is None else str(digit))
    return "".join(letters).translate(_SMALL).upper().translate(_CAPITAL)
