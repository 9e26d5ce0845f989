"""Words for a code of the codebook, alone or several in a cell."""

import re
from functools import cache

import pandas as pd

from capelib.meaning.cells import (
    Cell,
    by_distinct,
    doubted,
    refused,
    single_blanks,
    without_doubt,
)
from capelib.meaning.yes_no import is_unknown
from capelib.paths import project_folder
from capelib.vocabulary.codebook import codebook, codes, require
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.text import LONGEST, near, plain, plain_cells
from capelib.vocabulary.text import words as without_signs

# Distinct unknown words that are compared for typing errors: a column with more holds other things.
COMPARED = 2000

RULES = {
    "code.spelling": "the code itself in other letters",
    "code.label": "the label of a code",
    "code.word": "a word of the literature for this code",
    "code.form": "another form (plural, past) of a known word",
    "code.words": "several words for the same code",
    "code.misspelt": "a known word with a typing error",
    "code.hedged": "written with doubt: the code that is named",
    "code.unknown": "a word for not known: the code for it, or left blank where there is none",
    "code.blank": "a word for which the codebook leaves the cell blank",
}
_TABLES = {
    "measure": "measures.csv",
    "category": "categories.csv",
    "kind": "kinds.csv",
    "attribution": "attributions.csv",
    "regime_measure": "regime_measures.csv",
}
_COLUMNS = ["written", "code", "certainty", "used_by", "note"]


@cache
def synonyms(column: str) -> pd.DataFrame:
    """Which words of the literature stand for the codes of a column (data/words)?

    Parameters
    ----------
    column
        A coded column; only "measure", "category", "kind", "attribution" and "regime_measure"
        have such words.

    Returns
    -------
    DataFrame
        `written`: the word. `code`: its code; several separated by semicolons where the word may
        mean any of them, blank where it means none (both are refused, with the note), "blank" where
        the codebook leaves the cell blank. `certainty`: below 0.9 where the word is wider than the
        code; the `note` says how. `used_by`: by whom.

    Examples
    --------
    >>> synonyms("measure").set_index("written").loc["abduction", ["code", "certainty"]].tolist()
    ['rendition', '0.7']
    """
    if column not in _TABLES:
        return pd.DataFrame(columns=_COLUMNS, dtype="str")
    return read_text(project_folder("data") / "words" / _TABLES[column]).fillna("")


def coded(cells: pd.Series, column: str) -> pd.DataFrame:
    """Which code of the codebook does each cell of a coded column mean?

    Parameters
    ----------
    cells
        Text, missing where blank; one value a cell (see `several_values`).
    column
        A coded column such as "measure", "category", "kind", "attribution".

    Returns
    -------
    DataFrame
        On the same index, with the columns of `capelib.meaning.cells.Cell`; value is a code.

    Raises
    ------
    ParameterError
        When the codebook holds no such coded column.

    Notes
    -----
    Tried in turn: the code, its label, the words of the literature in data/words (English and
    Russian; with the words of Freedom House, AAAD and CAPE), other forms of these (plural, past),
    and the same with a typing error, where only one code is near. A word that may mean several
    codes is refused with the choices; so is what is not known. Nothing is guessed from a part of a
    sentence: "extradition refused" is no extradition.

    Examples
    --------
    >>> cells = pd.Series(["physical attack", "arrested", "assasination", "returned home"])
    >>> coded(cells, "measure")["value"].tolist()
    ['assault', 'detention', 'assassination', nan]
    >>> coded(cells, "measure")["rule"].tolist()
    ['code.word', 'code.form', 'code.misspelt', '']
    """
    require("coded column", column, {name: name for name in codebook()["codes"]})
    return by_distinct(cells, lambda forms: read_codes(forms, column), plain_cells)


def read_codes(forms: list[str], column: str) -> list[Cell]:
    """Which code does each of a column's distinct `plain` texts mean?"""
    compared = 0
    readings = []
    for form in forms:
        cell = _read_known(form, column)
        if cell is None and compared < COMPARED and len(form) <= LONGEST:
            cell = _read_misspelt(_signless(form), column)
            compared += 1
        if cell is None:
            problem = f"not one of the allowed values of {column}"
            cell = refused(problem, f"see `cape codebook {column}`")
        exact = cell.value == form and form in codes(column)
        readings.append(cell._replace(rule="") if exact else cell)
    return readings


def _read_known(text: str, column: str) -> Cell | None:
    """A known word, also with doubt (detention?), or several that all mean the same code."""
    sure = without_doubt(text)
    if sure is not None and ("?" in text or _read_word(text, column) is None):
        return doubted(_read_known(sure, column), "code.hedged")
    if cell := _read_word(text, column):
        return cell
    parts = _parts(_WEAK_SEPARATOR, text)
    if not 2 <= len(parts) <= 4:
        return None
    readings = [_read_word(part, column) for part in parts]
    meant = {reading.value if reading else None for reading in readings}
    if len(meant) > 1 or None in meant:
        return None
    certainties = [reading.certainty for reading in readings if reading]
    return Cell(meant.pop(), "code.words", min(0.9, *certainties))


def _read_word(text: str, column: str) -> Cell | None:
    by_word, by_stem = _known_words(column)
    form = _signless(text)
    cell = by_word.get(form) or by_stem.get(stem(form))
    if cell is None and is_unknown(text):
        return Cell("unknown" if "unknown" in codes(column) else None, "code.unknown")
    return cell


@cache
def _known_words(column: str) -> tuple[dict[str, Cell], dict[str, Cell]]:
    """What each word of a column means, by the word and by its stem."""
    by_word: dict[str, Cell] = {}
    table = synonyms(column)
    for written, code, certainty, note in table[
        ["written", "code", "certainty", "note"]
    ].itertuples(index=False):
        if code == "blank":
            cell = Cell(None, "code.blank", float(certainty))
        elif code and ";" not in code:
            cell = Cell(code, "code.word", float(certainty))
        else:
            cell = _refused_word(code.split(";"), column, note)
        by_word[_signless(plain(written))] = cell
    for code, label in codes(column).items():
        by_word[_signless(plain(label))] = Cell(code, "code.label")
    for code in codes(column):
        by_word[_signless(plain(code))] = Cell(code, "code.spelling")
    by_stem: dict[str, Cell] = {}
    for word, cell in by_word.items():
        if cell.value:
            certainty = min(cell.certainty, 0.95)
            by_stem[stem(word)] = cell._replace(rule="code.form", certainty=certainty)
    for word, cell in by_word.items():
        if not cell.value:  # a word that is refused stands before one that is read
            by_stem[stem(word)] = cell
    return by_word, by_stem


def _refused_word(choices: list[str], column: str, note: str = "") -> Cell:
    """The refusal of a word that means one of several codes, or none ([""])."""
    reason = f": {note}" if note else ""
    if not choices[0]:
        remedy = f"write a code that `cape codebook {column}` lists, or take the row out"
        return refused(f"no {column} of the codebook{reason}", remedy)
    remedy = f"write {', '.join(choices[:-1])} or {choices[-1]}"
    return refused(f"may be more than one {column}{reason}", remedy)


def _signless(text: str) -> str:
    """Plain text without signs; a text of signs alone stays."""
    return without_signs(text) or text


def stem(text: str) -> str:
    """The words of a text without plural, past and -ing.

    >>> stem("arrested prisoners")
    'arrest prisoner'
    """
    return " ".join(_stem_of_word(word) for word in text.split())


def _stem_of_word(word: str) -> str:
    """An English word without plural, past and -ing: arrests and arrested are arrest."""
    if not word.isascii() or len(word) < 5 or word.endswith("ss"):
        return word
    stem = re.sub(r"(?:ings?|ed|es|s|e)$", "", word)
    doubled = len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls"
    return stem[:-1] if doubled else stem  # kidnapped, kidnap


def _read_misspelt(text: str, column: str) -> Cell | None:
    """The code whose word differs by one letter (two in long words), if no other code is as near.

    The first letter must agree and the number of words too: "reported" is not "deported", "not
    detained" is not "detained". With these limits, one random error in each of the known words
    never led to another code, and of 27,000 English words that mean no measure 1 in 1,000 was
    taken for one.
    """
    by_word, _ = _known_words(column)
    if not 7 <= len(text) <= 60:
        return None
    edits = 1 if len(text) < 11 else 2  # with two in a short word, "convention" is "conviction"
    matches = near(text, by_word, "edits", edits)
    alike = [(word, distance) for word, distance in matches if _same_words(text, word)]
    if not alike:
        return None
    closest = min(distance for _, distance in alike)
    cells = {by_word[word] for word, distance in alike if distance == closest}
    meant = {cell.value for cell in cells}
    if len(meant) > 1 or None in meant:
        choices = sorted(code for code in meant if code)
        return _refused_word(choices, column) if len(choices) > 1 else None
    return Cell(meant.pop(), "code.misspelt", min([0.75, *(cell.certainty for cell in cells)]))


def _same_words(text: str, other: str) -> bool:
    """As many words, with the same first letters; words of up to four letters must be equal."""
    words, others = text.split(), other.split()
    if len(words) != len(others):
        return False
    pairs = zip(words, others, strict=True)
    return all(a[0] == b[0] and (len(a) > 4 or a == b) for a, b in pairs)


# ---------------------------------------------------------------- several values in a cell

_ITEM_NUMBER = re.compile(r"(?:^|(?<=[\s;,.]))\(?(?:[1-9]|1[0-9])[.)]\s+|(?:^|(?<=\s))[•·▪*-]\s+")
_STRONG_SEPARATOR = re.compile(
    r"\s*(?:;|\r?\n|\r|→|⇒|->|=>|\||\s+then\s+|\s+followed by\s+|\s+затем\s+)\s*", re.IGNORECASE
)
_WEAK_SEPARATOR = re.compile(
    r"\s*(?:,|/|&|\+|\s+and\s+|\s+и\s+)\s*(?:and\s+|then\s+|и\s+|затем\s+)?", re.IGNORECASE
)
_SIGN_OF_SEVERAL = re.compile(
    r"[;,/&+|\r\n→⇒>)]|\b[0-9]\.|\s(?:and|then|followed by|и|затем|[-*•·▪])\s", re.IGNORECASE
)


def several_values(cell: str, column: str = "measure") -> list[str]:
    """Which values does a cell of a coded column hold?

    Parameters
    ----------
    cell
        As it stands in the table.
    column
        A coded column.

    Returns
    -------
    list of str
        The values in the cell's order; the cell itself where it holds one.

    Notes
    -----
    A cell is always split at semicolons, line ends, arrows, "then" and numbers such as "1)", and at
    commas, "/", "&" and "and" only where each part is a known word and they mean different codes,
    so that "threats and intimidation" stays whole. For dates see
    `capelib.meaning.free_text_dates.several_dates`, for states
    `capelib.meaning.state_names.several_states`.

    Examples
    --------
    >>> several_values("arrested, then extradited"), several_values("1) red notice 2) arrest")
    (['arrested', 'extradited'], ['red notice', 'arrest'])
    >>> several_values("assassination attempt")
    ['assassination attempt']
    """
    if len(cell) > 10 * LONGEST or not _SIGN_OF_SEVERAL.search(cell):
        return [cell]
    if _read_known(plain(cell), column):
        return [cell]
    text = single_blanks(cell)
    if len(_ITEM_NUMBER.findall(text)) > 1:
        text = _ITEM_NUMBER.sub(";", text)
    values: list[str] = []
    for part in _parts(_STRONG_SEPARATOR, text):
        pieces = _parts(_WEAK_SEPARATOR, part)
        whole = len(pieces) == 1 or _read_known(plain(part), column)
        all_known = all(_read_word(plain(piece), column) for piece in pieces)
        values += [part] if whole or not all_known else pieces
    return values if len(values) > 1 else [cell]


def _parts(separator: re.Pattern[str], text: str) -> list[str]:
    parts = (part.strip(" ,.") for part in separator.split(text))
    return [part for part in parts if part]
