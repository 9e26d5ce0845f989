"""Keys: one for each exile, incident and source. A name only tells persons apart; it goes into no key and no table."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS, INFO
from capelib.clean.distinct import Column, once
from capelib.clean.rows import Rows
from capelib.clean.several import Lines
from capelib.meaning.codes import answers

KEYS = {
    "incident_id": r"I[0-9]{4,}",
    "exile_id": r"[A-Z]{3}-[0-9]{4,}",
    "episode_id": r"E[0-9]{3,}",
    "source_id": r"S[0-9]{4,}",
}
NO_SOURCE = "S0000"  # stands where no source is given
_LETTERS = 18  # of a number that fits into 64 bits: longer ones are kept, and no key made here can meet them


def ours(words: pd.Series, column: str) -> np.ndarray:
    """Which of these are keys of our form?"""
    return words.str.fullmatch(KEYS[column]).fillna(False).to_numpy(dtype=bool)


def _highest(keys: pd.Series) -> int:
    """The highest number of these keys, 0 where there is none."""
    digits = keys.str.extract(r"([0-9]+)$", expand=False)
    digits = digits[digits.str.len() <= _LETTERS]
    return int(digits.astype("int64").max()) if len(digits) else 0


def _text(letters: object, numbers: np.ndarray, width: int) -> pd.Series:
    """Letters and a number of at least so many digits, such as I0001."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = pc.utf8_lpad(pc.cast(pa.array(np.asarray(numbers)), pa.large_string()), width, "0")
    first = (
        pa.scalar(letters, pa.large_string())
        if isinstance(letters, str)
        else pa.array(letters, pa.large_string())
    )
    return pd.Series(
        pc.binary_join_element_wise(first, digits, pa.scalar("", pa.large_string())).to_pandas(),
        dtype="str",
    )


def own_keys(cells: Column, column: str, width: int, taken: pd.Series) -> Column:
    """Keys of our form as they are, all other texts numbered behind them; blank stays blank. taken: keys that no other may get."""
    good = ours(cells.words, column)
    start = max(_highest(cells.words[good]), _highest(taken))
    keys = cells.words.astype(object).to_numpy(copy=True)
    fresh = np.arange(start + 1, start + 1 + (~good).sum())
    keys[~good] = _text(column[0].upper(), fresh, width).to_numpy(dtype=object)
    return cells.made(pd.Series(keys, dtype="str"))


def incident_keys(lines: Lines, kept: np.ndarray, taken: pd.Series) -> pd.Series:
    """The key of each kept line: the given one on the first line of a row where it is of our form, else the next free number."""
    given = lines.cells.get("incident_id", Column.blank(len(lines.of)))
    good = ours(given.words, "incident_id")
    start = max(_highest(given.words[good]), _highest(taken))
    here = given.take(kept)
    own = here.flags(good) & (lines.part[kept] == 0)
    made = _text("I", start + np.cumsum(~own), 4)
    return here.cells().where(own, made) if own.any() else made


@dataclass(frozen=True)
class Exiles:
    """of: the number of the exile of each line, in the order in which they occur. keys: of each exile. first: its first line."""

    of: np.ndarray
    keys: pd.Series
    first: np.ndarray


def exiles(
    lines: Lines, kept: np.ndarray, persons: Column, origin: Column, rows: Rows, taken: pd.Series
) -> Exiles:
    """Who is meant in each kept line: by a given key, else by the name, else each row is one person.

    origin: of the kept lines; the key of an exile begins with the one of its first line.
    """
    every = lines.cells.get("exile_id", Column.blank(len(lines.of)))
    good = ours(every.words, "exile_id")
    known = _stated(every.words)
    given = every.take(kept)
    row = lines.of[kept]
    person = persons.made(_as_one(persons.words)).take(row)
    has_key = given.flags(known)
    number = np.where(
        has_key, given.places, np.where(person.filled, person.places + len(every.words), 0)
    ).astype("int64")
    alone = ~has_key & ~person.filled
    number[alone] = len(every.words) + len(person.words) + row[alone]
    of, distinct = pd.factorize(number)
    first = np.full(len(distinct), len(of), dtype="int64")
    np.minimum.at(first, of, np.arange(len(of)))
    keep = given.flags(good)[first]
    made = _numbered(origin.take(first[~keep]), pd.concat([every.words[good], taken]))
    keys = given.take(first).cells()
    keys[~keep] = made.to_numpy(dtype=object)
    keys = pd.Series(keys, dtype="str")
    fresh = ~keep[of]
    where = np.flatnonzero(fresh & has_key)
    rows.say("exile_id", once(row[where]), "exile.key", "a key of its own", INFO)
    where = np.flatnonzero(fresh & ~has_key & ~alone)
    rows.say(
        "exile_id",
        once(row[where]),
        "exile.by_name",
        "a key of its own",
        GUESS,
        "give each exile a key (exile_id) if two share a name",
        0.8,
    )
    rows.say(
        "exile_id",
        once(row[alone]),
        "exile.unnamed",
        "counted as one person",
        GUESS,
        "give each exile a key of its own (exile_id)",
        0.5,
    )
    return Exiles(of, keys, first)


def _numbered(origin: Column, taken: pd.Series) -> pd.Series:
    """A key for each exile: the state, and the next free number of that state."""
    states = origin.words.to_numpy(dtype=object)
    highest = np.array(
        [
            _highest(taken[taken.str.startswith(f"{state}-").fillna(False).astype(bool)])
            for state in states
        ],
        dtype="int64",
    )
    turn = pd.Series(origin.places).groupby(origin.places).cumcount().to_numpy() + 1
    return _text(origin.cells() + "-", turn + highest[origin.places] if len(states) else turn, 4)


def _stated(words: pd.Series) -> np.ndarray:
    """Which of these texts are more than a word for not known?"""
    return _as_one(words).notna().to_numpy()


def _as_one(names: pd.Series) -> pd.Series:
    """Names as they are compared: two that differ in capitals, accents, spaces or signs are one; words for not known are missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    letters = pc.utf8_lower(pc.utf8_normalize(pa.array(names, pa.large_string()), "NFKD"))
    words = pc.replace_substring_regex(
        pc.replace_substring_regex(letters, r"\p{M}+", ""), r"[^\p{L}\p{N}]+", " "
    )
    plain = pd.Series(pc.utf8_trim_whitespace(words).to_pandas(), dtype="str").set_axis(names.index)
    nobody = {word for word, (answer, _) in answers().items() if answer == "unknown"}
    return plain.mask((plain == "") | plain.isin(nobody))


def sources(
    lines: Lines, kept: np.ndarray, kind: Column | None, rows: Rows, taken: pd.Series
) -> tuple[pd.Series, pd.DataFrame]:
    """The key of the source of each kept line, and the sources: an address, and whose page it is. kind: of the kept lines."""
    blank = Column.blank(len(lines.of))
    page, given = (lines.cells.get(name, blank) for name in ("url", "source_id"))
    page, given = (
        column.made(column.words.where(_stated(column.words)).str.strip())
        for column in (page, given)
    )
    address = page.words.str.fullmatch(r"https?://\S+").fillna(False).to_numpy(dtype=bool)
    rows.say(
        "url",
        once(lines.of[kept[page.flags(~address)[kept]]]),
        "source.text",
        "counted as a source without an address",
        INFO,
    )
    strange = given.flags(~ours(given.words, "source_id"))[kept]
    rows.say("source_id", once(lines.of[kept[strange]]), "source.key", "a key of its own", INFO)
    both = Column.together([given, page])
    text = Column(
        np.where(given.filled, both.places[: len(lines.of)], both.places[len(lines.of) :]),
        both.words,
    )
    own = own_keys(text, "source_id", 4, taken).take(kept)
    page = page.made(page.words.where(address)).take(kept)
    about = pd.DataFrame({"source_id": own.words})
    about["kind"] = _first(own, kind) if kind else None
    about["url"] = _first(own, page)
    site = about["url"].str.extract(
        r"^https?://(?:[^/?#]*@)?(?:www\.)?([^/?#:\[\]]+)", expand=False
    )
    about["publisher"] = site.str.lower()
    used = np.zeros(len(about) + 1, dtype=bool)
    used[own.places] = True
    about = about[used[:-1] & (about["source_id"] != NO_SOURCE).to_numpy(dtype=bool)].reset_index(
        drop=True
    )
    return own.cells().fillna(NO_SOURCE), about[["source_id", "kind", "publisher", "url"]].astype(
        "str"
    )


def _first(keys: Column, about: Column) -> pd.Series:
    """What the first line that says anything says about each key."""
    said = np.flatnonzero(keys.filled & about.filled)[::-1]
    line = np.full(len(keys.words), -1)
    line[keys.places[said]] = said
    return Column(np.append(about.places, -1)[line], about.words).cells()
