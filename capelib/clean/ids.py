"""Keys: one for each exile, incident and source. A name only tells persons apart."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capelib.clean.changes import GUESS, INFO
from capelib.clean.distinct import DistinctColumn, at_places, once
from capelib.clean.rows import RowLog
from capelib.clean.several import IncidentRows
from capelib.meaning.yes_no import answers
from capelib.vocabulary.tables import NO_SOURCE
from capelib.vocabulary.text import bare_cells

RULES = {
    "episode.key": "keys of another form: new ones, one for each",
    "exile.by_name": "keys made from the names: the same name is one exile",
    "exile.key": "keys of another form: new ones, one for each",
    "exile.unnamed": "no key and no name: each row counts as one person",
    "incident.key": "keys of another form: new ones, one for each",
    "source.key": "keys of another form: new ones, one for each",
    "source.text": "no address: a source of its own, without one",
}
KEYS = {
    "incident_id": r"I[0-9]{4,}",
    "exile_id": r"[A-Z]{3}-[0-9]{4,}",
    "episode_id": r"E[0-9]{3,}",
    "source_id": r"S[0-9]{4,}",
}
# Digits of a number that fits into 64 bits; longer ones are kept, and no key made here meets them.
_DIGITS = 18


def has_our_form(words: pd.Series, column: str) -> np.ndarray:
    """Which of these are keys of our form?"""
    return words.str.fullmatch(KEYS[column]).fillna(False).to_numpy(dtype=bool)


def _highest(keys: pd.Series) -> int:
    """The highest number of these keys, 0 where there is none."""
    digits = keys.str.extract(r"([0-9]+)$", expand=False)
    digits = digits[digits.str.len() <= _DIGITS]
    return int(digits.astype("int64").max()) if len(digits) else 0


def _numbered(letters: object, numbers: np.ndarray, width: int) -> pd.Series:
    """Letters (one text, or one for each) and a number of at least so many digits: I0001."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.large_string()
    digits = pc.utf8_lpad(pc.cast(pa.array(np.asarray(numbers)), text), width, "0")
    one = isinstance(letters, str)
    start = pa.scalar(letters, text) if one else pa.array(letters, text)
    keys = pc.binary_join_element_wise(start, digits, pa.scalar("", text))
    return pd.Series(keys.to_pandas(), dtype="str")


def our_keys(cells: DistinctColumn, column: str, width: int, taken: pd.Series) -> DistinctColumn:
    """Keys of our form as they are, all other texts numbered behind them; blank stays blank.

    taken: keys that no other may get.
    """
    good = has_our_form(cells.words, column)
    start = max(_highest(cells.words[good]), _highest(taken))
    keys = cells.words.astype(object).to_numpy(copy=True)
    fresh = np.arange(start + 1, start + 1 + (~good).sum())
    keys[~good] = _numbered(column[0].upper(), fresh, width).to_numpy(dtype=object)
    return cells.map(pd.Series(keys, dtype="str"))


def incident_keys(lines: IncidentRows, kept: np.ndarray, taken: pd.Series) -> pd.Series:
    """The key of each kept line: the given one if of our form, else the next free number.

    A given key counts on the first line of its row alone.
    """
    column = lines.column("incident_id")
    good = has_our_form(column.words, "incident_id")
    start = max(_highest(column.words[good]), _highest(taken))
    given = column.take(kept)
    usable = given.flags(good) & (lines.part[kept] == 0)
    made = _numbered("I", start + np.cumsum(~usable), 4)
    return given.cells().where(usable, made) if usable.any() else made


@dataclass(frozen=True)
class Exiles:
    """The exiles of a table, in the order in which they occur.

    Attributes
    ----------
    number
        For each kept line, the number of its exile, from 0.
    keys
        The key of each exile.
    first
        The first line of each exile, among the kept ones.
    """

    number: np.ndarray
    keys: pd.Series
    first: np.ndarray


def exiles(
    lines: IncidentRows,
    kept: np.ndarray,
    persons: DistinctColumn,
    origin: DistinctColumn,
    rows: RowLog,
    taken: pd.Series,
) -> Exiles:
    """Who is meant in each kept line: by a given key, else by the name, else one person a row.

    origin: of the kept lines; the key of an exile begins with the one of its first line.
    """
    row = lines.row[kept]
    key = lines.column("exile_id").take(kept)
    name = persons.map(_comparable(persons.words)).take(row)
    by_key = key.flags(_stated(key.words))
    by_name = ~by_key & name.filled
    by_row = ~by_key & ~by_name
    ways = [by_key, by_name, by_row]
    same = pd.DataFrame({"way": np.select(ways, [0, 1, 2])})
    same["place"] = np.select(ways, [key.places, name.places, row])
    number = same.groupby(["way", "place"], sort=False).ngroup().to_numpy()
    first = np.flatnonzero(~pd.Series(number).duplicated().to_numpy())

    good = has_our_form(key.words, "exile_id")
    good_key = key.flags(good)[first]
    fresh = _by_state(origin.take(first[~good_key]), pd.concat([key.words[good], taken]))
    keys = key.take(first).cells().astype(object).to_numpy(copy=True)
    keys[~good_key] = fresh.to_numpy(dtype=object)

    made = ~good_key[number]
    _log_exiles(rows, row, made & by_key, made & by_name, by_row)
    return Exiles(number, pd.Series(keys, dtype="str"), first)


def _log_exiles(
    rows: RowLog, row: np.ndarray, by_key: np.ndarray, by_name: np.ndarray, by_row: np.ndarray
) -> None:
    new = "a key of its own"
    rows.log("exile_id", once(row[by_key]), "exile.key", new, INFO)
    remedy = "give each exile a key (exile_id) if two share a name"
    rows.log("exile_id", once(row[by_name]), "exile.by_name", new, GUESS, remedy, 0.8)
    remedy, counted = "give each exile a key of its own (exile_id)", "counted as one person"
    rows.log("exile_id", once(row[by_row]), "exile.unnamed", counted, GUESS, remedy, 0.5)


def _by_state(origin: DistinctColumn, taken: pd.Series) -> pd.Series:
    """A key for each exile: the state, and the next free number of that state."""
    highest = []
    for state in origin.words:
        of_state = taken.str.startswith(f"{state}-").fillna(False).astype(bool)
        highest.append(_highest(taken[of_state]))
    turn = pd.Series(origin.places).groupby(origin.places).cumcount().to_numpy() + 1
    start = at_places(np.array(highest, dtype="int64"), origin.places, 0)
    return _numbered(origin.cells() + "-", turn + start, 4)


def _stated(words: pd.Series) -> np.ndarray:
    """Which of these texts are more than a word for not known?"""
    return _comparable(words).notna().to_numpy()


def _comparable(names: pd.Series) -> pd.Series:
    """Names as they are compared: without capitals, accents, spaces and signs.

    Words for not known are missing.
    """
    bare = bare_cells(names)
    nobody = {word for word, (answer, _) in answers().items() if answer == "unknown"}
    return bare.mask((bare == "") | bare.isin(nobody))


def sources(
    lines: IncidentRows,
    kept: np.ndarray,
    kind: DistinctColumn | None,
    rows: RowLog,
    taken: pd.Series,
) -> tuple[pd.Series, pd.DataFrame]:
    """The key of the source of each kept line, and the sources: source_id, kind, publisher, url.

    kind: of the kept lines. A source is told from others by its key, else by its address or other
    text. Its publisher is the given one, else the site of its address.
    """
    page, key = (_stated_cells(lines.column(name)) for name in ("url", "source_id"))
    address = page.words.str.fullmatch(r"https?://\S+").fillna(False).to_numpy(dtype=bool)
    row = lines.row[kept]
    no_address = page.flags(~address)[kept]
    counted = "counted as a source without an address"
    rows.log("url", once(row[no_address]), "source.text", counted, INFO)
    strange = key.flags(~has_our_form(key.words, "source_id"))[kept]
    rows.log("source_id", once(row[strange]), "source.key", "a key of its own", INFO)

    both = DistinctColumn.stacked([key, page])
    key_places, page_places = np.split(both.places, [len(lines.row)])
    text = DistinctColumn(np.where(key.filled, key_places, page_places), both.words)
    keys = our_keys(text, "source_id", 4, taken).take(kept)
    about = pd.DataFrame({"source_id": keys.words})
    about["kind"] = _first(keys, kind) if kind else None
    url = page.map(rows.shown.addresses(page.words.where(address)))
    publisher = lines.column("publisher")
    publisher = publisher.map(rows.shown.texts(publisher.words))
    about["url"] = _first(keys, url.take(kept))
    about["publisher"] = _first(keys, publisher.take(kept)).fillna(_site(about["url"]))
    used = np.isin(np.arange(len(about)), keys.places)
    about = about[used & (about["source_id"] != NO_SOURCE).to_numpy(dtype=bool)]
    columns = ["source_id", "kind", "publisher", "url"]
    return keys.cells().fillna(NO_SOURCE), about[columns].reset_index(drop=True).astype("str")


def _stated_cells(column: DistinctColumn) -> DistinctColumn:
    return column.map(column.words.where(_stated(column.words)).str.strip())


def _site(address: pd.Series) -> pd.Series:
    """The site of an address, such as example.org; it may be written with a point at its end."""
    site = r"^https?://(?:[^/?#]*@)?(?:www\.)?([^/?#:\[\]]+)"
    return address.str.extract(site, expand=False).str.lower().str.rstrip(".")


def _first(keys: DistinctColumn, about: DistinctColumn) -> pd.Series:
    """What the first line that says anything says about each key."""
    filled = np.flatnonzero(keys.filled & about.filled)
    first = filled[~pd.Series(keys.places[filled]).duplicated().to_numpy()]
    places = np.full(len(keys.words), -1)
    places[keys.places[first]] = about.places[first]
    return DistinctColumn(places, about.words).cells()
