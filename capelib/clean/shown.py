"""What may be shown of a table: cells that are understood as a whole, and no name of a person."""

import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from capelib.clean.changes import HIDDEN
from capelib.clean.layouts import known_headers
from capelib.download import without_secrets
from capelib.meaning.nobody import nobody
from capelib.meaning.persons import is_name_column
from capelib.meaning.understood import is_known_word, understood
from capelib.meaning.yes_no import answers
from capelib.read.sheet import EXTRA, Sheet
from capelib.vocabulary.text import LONGEST, bare, bare_cells

MASK = "***"  # stands for a word of a name within a text that is shown
# Rules by which a whole cell was read as another form of one known word.
_ONE_WORD = (
    *("state.spelling", "code.misspelt", "code.form", "date.misspelt", "text.form"),
    *("state.fips", "state.cow", "state.cow_number", "state.gw_number", "state.m49"),
)
# Rules whose `made` holds words of the table, and those whose value is a header that was looked at.
_MADE_OF_CELLS = ("cell.several", "cell.several_paired", "correction", "layout.fixed")
_HEADERS = ("column.name", "column.lacking")
_LONGEST_PHRASE = 8  # words
_SHORTEST_PART = 4  # letters of a name that is looked for within a longer word
_LETTERS = re.compile(r"[^\W\d_]+")
_OUR_COLUMN = re.compile(r"\((?:extra cells|key|value)\)|column [0-9]+")


class Shown:
    """What may be shown of one table.

    Parameters
    ----------
    names
        The cells of its columns of names. Their words are not shown anywhere, except those that
        the reader knows as something else.
    """

    def __init__(self, names: Sequence[pd.Series] = ()) -> None:
        self._words: frozenset[str] = frozenset()
        self._whole: frozenset[str] = frozenset()  # names all of whose words are known ones
        self._first: set[str] = set()  # the first words of these
        cells = [pd.Series(column.dropna().unique(), dtype="str") for column in names]
        if any(len(column) for column in cells):
            every = pd.concat(cells, ignore_index=True)
            whole = bare_cells(every[~nobody(every).nameless]).drop_duplicates()
            whole = whole[~whole.isin(list(known_headers()))]  # a header that stands there again
            words = _distinct_words(whole)
            unknown = {word for word in words if len(word) > 1 and not is_known_word(word)}
            not_known = {word for word, (answer, _) in answers().items() if answer == "unknown"}
            several = whole[whole.str.contains(" ", regex=False) & ~whole.isin(not_known)]
            self._words = frozenset(unknown)
            begin_known = several[~_first_words(several).isin(unknown).to_numpy()]
            of_known_words = begin_known
            if unknown:
                of_known_words = begin_known[~_holding(begin_known, unknown.__contains__)]
            self._whole = frozenset(of_known_words.tolist())
            self._first = set(_first_letters(of_known_words))

    def cell(self, text: str, rule: str = "") -> bool:
        """May a cell be shown? rule: by which it was read, "" where it was not."""
        if self._names_somebody(text):
            return False
        return rule in _ONE_WORD or understood(text)

    def cells(self, words: pd.Series, rules: pd.Series | None = None) -> pd.Series:
        """The distinct cells of a column, `HIDDEN` for those that may not be shown."""
        texts = words.astype(object).to_numpy()
        read = [""] * len(texts) if rules is None else rules.fillna("").to_numpy()
        shown = [
            text if not isinstance(text, str) or text == HIDDEN or self.cell(text, rule) else HIDDEN
            for text, rule in zip(texts, read, strict=True)
        ]
        return pd.Series(shown, index=words.index, dtype="str")

    def lines(self, cells: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Lines of the log (value, made, rule ...) with what may be shown of them.

        On arrays: `Series.mask` for each kind of line took a third of the time of a small table.
        """
        rule = cells["rule"]
        value, made, remedy = (cells[name].copy() for name in ("value", "made", "remedy"))
        header, address = np.isin(rule, _HEADERS), rule == "read.checksum"
        of_cells = np.isin(rule, _MADE_OF_CELLS)
        of_reading = np.array([text.startswith("read.") for text in rule], dtype=bool)
        plain = ~header & ~address
        rules = pd.Series(rule[plain], dtype="str")
        _replace(value, plain, lambda words: self.cells(words, rules))
        _replace(value, header, self.texts)
        _replace(value, address, self.addresses)
        _replace(made, of_cells, self.cells)
        _replace(made, of_reading, self.texts)
        of_keys = rule == "read.json_table"  # names keys of the document
        _replace(made, of_keys, lambda words: words.map(self._with_known_keys))
        _replace(remedy, of_cells, self.texts)
        return cells | {"value": value, "made": made, "remedy": remedy}

    def _with_known_keys(self, made: str) -> str:
        keys = made.rpartition(" from ")[2]
        return made if self.cell(keys) else made.replace(keys, HIDDEN)

    def text(self, text: str) -> str:
        """A name of a file or sheet, or a note, with `MASK` for each word of a known name."""
        if not self._words and not self._whole:
            return text
        if self._holds_whole(bare(text).split()):
            return MASK
        if not self._names_somebody(text):
            return text
        return _LETTERS.sub(
            lambda word: MASK if self._of_a_name(bare(word[0])) else word[0],
            unicodedata.normalize("NFC", text),
        )

    def texts(self, words: pd.Series) -> pd.Series:
        """Each of the distinct texts of a column as `text` gives it."""
        if not self._words and not self._whole:
            return words
        holding = _holding(
            bare_cells(words), lambda word: word in self._first or self._of_a_name(word)
        )
        if not holding.any():
            return words
        masked = words[holding].map(self.text, na_action="ignore").astype("str")
        return words.where(~holding, masked)

    def addresses(self, words: pd.Series) -> pd.Series:
        """The distinct addresses of a column, without secrets and without words of known names."""
        return self.texts(words.map(without_secrets, na_action="ignore").astype("str"))

    def header(self, header: str, number: int, taken: bool = False) -> str:
        """A header as it may be shown: by its place, where it may be the name of a person.

        number: of the column, from 1; 0 where it is not known. taken: does it stand for one of our
        columns? Then its last part is known.
        """
        header, place = str(header), f"(column {number})" if number else "(a column)"
        if _OUR_COLUMN.fullmatch(header):
            return header
        first_parts, both, last = header.rpartition(" / ")
        if taken:
            return self.text(header if self._knows(first_parts) else f"... / {last}")
        if self._knows(re.sub(r" \([0-9]+\)$", "", header)):  # of several with the same name
            return header
        # What was taken for a second row of names may be the first row of the table.
        upper = header.partition(" / ")[0]
        return f"{upper} {place}" if both and upper and self._knows(upper) else place

    def _knows(self, header: str) -> bool:
        known = understood(header) or bare(header) in known_headers()
        return known and not self._names_somebody(header)

    def headers(self, sheet: Sheet, taken: Sequence[str]) -> dict[str, str]:
        """Each header of a table, as it may be shown."""
        names = [str(name) for name in sheet.frame.columns]
        return {
            name: self.header(name, number, name in taken) for number, name in enumerate(names, 1)
        }

    def _names_somebody(self, text: str) -> bool:
        if not self._words and not self._whole:
            return False
        words = bare(text[: 10 * LONGEST]).split()
        pieces = _LETTERS.findall(" ".join(words))
        return self._holds_whole(words) or any(self._of_a_name(piece) for piece in pieces)

    def _holds_whole(self, words: list[str]) -> bool:
        if not self._whole:
            return False
        most = min(len(words), _LONGEST_PHRASE) + 1
        return any(
            " ".join(words[start : start + size]) in self._whole
            for size in range(2, most)
            for start in range(len(words) - size + 1)
        )

    def _of_a_name(self, word: str) -> bool:
        """Is it a word of a known name, or does it begin or end with one (zorvanquxley)?"""
        if word in self._words:
            return True
        if len(word) <= _SHORTEST_PART or not self._words or is_known_word(word):
            return False
        sizes = range(_SHORTEST_PART, min(len(word), LONGEST))
        return any(word[:size] in self._words or word[-size:] in self._words for size in sizes)


def _replace(texts: np.ndarray, where: np.ndarray, shown: Callable[[pd.Series], pd.Series]) -> None:
    """Puts in place of some texts what may be shown of them."""
    if where.any():
        texts[where] = shown(pd.Series(texts[where], dtype="str")).to_numpy(dtype=object)


def _first_words(texts: pd.Series) -> pd.Series:
    """The first word of each of some texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = pc.split_pattern(pa.array(texts, pa.large_string()), " ", max_splits=1)
    return pd.Series(pc.list_element(parts, 0).to_pandas(), dtype="str")


def _first_letters(texts: pd.Series) -> list[str]:
    """The first words of letters in `bare` texts, each once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = pc.extract_regex(pa.array(texts, pa.large_string()), r"(?P<word>\p{L}+)")
    return pc.unique(pc.struct_field(parts, "word")).drop_null().to_pylist()


def _holding(texts: pd.Series, wanted: Callable[[str], bool]) -> np.ndarray:
    """Which of some `bare` texts hold a word of letters that is wanted?"""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = pc.split_pattern_regex(pa.array(texts, pa.large_string()), r"[^\p{L}]+")
    words = pc.list_flatten(parts)
    of_interest = [word for word in pc.unique(words).to_pylist() if wanted(word)]
    wanted_words = pc.is_in(words, pa.array(of_interest, words.type))
    texts_with_one = pc.filter(pc.list_parent_indices(parts), wanted_words)
    holding = np.zeros(len(texts), dtype=bool)
    holding[texts_with_one.to_numpy()] = True
    return holding


def _distinct_words(texts: pd.Series) -> list[str]:
    """All words of letters in `bare` texts, each once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = pc.split_pattern_regex(pa.array(texts, pa.large_string()), r"[^\p{L}]+")
    return pc.unique(pc.list_flatten(parts)).to_pylist()


def columns_of_names(sheets: Sequence[Sheet]) -> list[pd.Series]:
    """The cells of all columns that may hold names of persons, by their headers."""
    return [
        sheet.frame.iloc[:, place]
        for sheet in sheets
        for place, header in enumerate(sheet.frame.columns)
        if is_name_column(str(header)) and header != EXTRA
    ]
