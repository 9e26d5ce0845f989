"""The small columns of a table of one's own: yes or no, coded words, several values in a cell, formulas, names of persons."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from capelib.paths import room
from capelib.vocabulary.codebook import codebook, codes, require
from capelib.vocabulary.tables import read_text

LONGEST = 200  # characters of a cell that are compared: no date and no word of a code is longer, and a hostile cell costs no more
COMPARED = 2000  # distinct unknown words that are compared for typing errors: a column with more of them holds something else
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe0e\ufe0f\ufeff]"
)  # soft hyphens, zero width

RULES = {
    "text.form": "the same but for capitals, spaces or signs that do not show",
    "yes.word": "a word for yes",
    "yes.likely": "the source holds it likely or alleges it: taken as reported",
    "yes.no": "an explicit no: left blank, since these columns hold only what is reported",
    "yes.unknown": "a word for not known: left blank",
    "code.spelling": "the code itself in other letters",
    "code.label": "the label of a code",
    "code.word": "a word of the literature for this code",
    "code.form": "another form (plural, past) of a known word",
    "code.words": "several words for the same code",
    "code.misspelt": "a known word with a typing error",
    "code.unknown": "a word for not known: the code for it, or left blank where there is none",
    "code.blank": "a word for which the codebook leaves the cell blank",
}


class Cell(NamedTuple):
    """What a cell was made into: the codebook's value by a rule, with a certainty; or a problem with a remedy."""

    value: str | None = None
    rule: str = ""
    certainty: float = 1.0
    problem: str | None = None
    remedy: str | None = None


def by_distinct(
    cells: pd.Series,
    read: Callable[[list[str]], Iterable[Cell]],
    form: Callable[[pd.Series], pd.Series],
) -> pd.DataFrame:
    """Reads a column by its distinct values, so that a million rows cost little more than what differs in them.

    cells: text, missing where blank. form: the form in which values are compared. read: a Cell for each distinct form that is not
    blank, in order; it sees the whole column at once. Returns a frame on the same index with the columns of Cell.
    """
    places, distinct = pd.factorize(cells.astype("str"))
    raw = pd.Series(distinct, dtype="str")
    inner, forms = pd.factorize(form(raw))
    blank = [Cell()]
    found = pd.DataFrame(
        [*(read(list(forms[forms != ""])) if len(forms) else ()), *blank],
        columns=list(Cell._fields),
    )
    found = found.astype(
        {"value": "str", "rule": "str", "certainty": "float64", "problem": "str", "remedy": "str"}
    )
    order = np.full(
        len(forms), len(found) - 1
    )  # "" is read as blank, whatever spaces it was made of
    order[np.asarray(forms != "", dtype=bool)] = np.arange(len(found) - 1)
    of_raw = found.take(order[inner]).reset_index(drop=True)
    same = of_raw["value"].fillna("") == raw
    of_raw.loc[same & (of_raw["certainty"] == 1), "rule"] = ""
    of_raw.loc[~same & of_raw["problem"].isna() & (of_raw["rule"] == ""), "rule"] = "text.form"
    frame = pd.concat([of_raw, found.tail(1)], ignore_index=True).take(
        places
    )  # -1, the place of a missing cell, is the last row
    return frame.set_axis(cells.index)


def plain(cells: pd.Series) -> pd.Series:
    """Text as it is compared: NFKC, small letters, no invisible signs, one space between words, at most LONGEST + 1 characters.

    >>> plain(pd.Series(["  RED\\u00a0notice ", "\\u0410\\u0440\\u0435\\u0441\\u0442"])).tolist()
    ['red notice', 'арест']
    """
    text = cells.astype("str").str.slice(0, LONGEST + 1)
    other = ~text.str.isascii().fillna(True).astype(bool)
    text = text.str.replace(r"[\x00-\x20\x7f]+", " ", regex=True).str.strip().str.lower()
    if other.any():
        text[other] = [plain_text(value) for value in cells[other].str.slice(0, LONGEST + 1)]
    return text


def plain_text(value: str) -> str:
    """One text as it is compared, see `plain`."""
    letters = (
        unicodedata.normalize("NFKC", _INVISIBLE.sub("", value))
        .casefold()
        .replace("ё", "е")
        .replace("\x00", " ")
    )
    return " ".join(letters.split())[: LONGEST + 1]


def _words(text: str) -> str:
    """Plain text without signs: "Red-notice (INTERPOL)" is "red notice interpol"; a text of signs alone stays."""
    return " ".join(re.findall(r"[^\W_]+", text)) or text


# ---------------------------------------------------------------- yes, no, not known


@cache
def answers() -> dict[str, tuple[str, float]]:
    """Words for yes, likely, no and unknown, with the certainty that they mean it (data/words/answers.csv).

    >>> answers()["да"], answers()["n.d."]
    (('yes', 1.0), ('unknown', 1.0))
    """
    frame = read_text(room("data") / "words" / "answers.csv")
    rows = zip(frame["written"], frame["answer"], frame["certainty"], strict=True)
    return {plain_text(word): (answer, float(sure)) for word, answer, sure in rows}


def is_unknown(text: str) -> bool:
    """Does this plain text only say that something is not known (unknown, n/a, ?, -, неизвестно)?

    >>> is_unknown("n.d."), is_unknown("2015")
    (True, False)
    """
    answer, _ = answers().get(text) or answers().get(text.strip("()[]. ")) or ("", 0)
    return answer == "unknown" or _NO_WORD.fullmatch(text) is not None


_NO_WORD = re.compile(r"[?¿.\-\u2010-\u2015_/\\ ()]+")


def yes(cells: pd.Series) -> pd.DataFrame:
    """Which cells of a yes column (relatives_targeted, interpol, doubtful, is_group) say yes?

    These columns hold "yes" or blank, and blank is "not reported". An explicit no is left blank by the rule "yes.no", because the
    codebook has no place for it: whoever needs it finds it in the list of changes. Words for not known are left blank. "Alleged",
    "likely" and the like are yes with a certainty of 0.7, since the report says it. Numbers other than 0 and 1 are refused: they may
    be codes of a questionnaire.

    cells: text, missing where blank. Returns a frame on the same index: value ("yes" or missing), rule (see RULES), certainty (0 to
    1, below 0.9 a guess), problem, remedy.

    >>> yes(pd.Series(["y", "нет", "?", "alleged"]))[["value", "rule", "certainty"]].values.tolist()
    [['yes', 'yes.word', 1.0], [nan, 'yes.no', 1.0], [nan, 'yes.unknown', 1.0], ['yes', 'yes.likely', 0.7]]
    """
    return by_distinct(cells, lambda forms: [_yes(form) for form in forms], plain)


def _yes(text: str) -> Cell:
    answer, sure = (
        answers().get(text)
        or answers().get(text.strip("()[]. "))
        or answers().get(_words(text))
        or ("", 0)
    )
    if answer in ("yes", "likely"):
        return Cell(
            "yes", "" if text == "yes" else f"yes.{'word' if answer == 'yes' else answer}", sure
        )
    if answer:
        return Cell(None, f"yes.{answer}", sure)
    if is_unknown(text):
        return Cell(None, "yes.unknown")
    return Cell(
        None,
        "",
        0.0,
        "neither yes nor no",
        "write yes where the report says so, and leave the cell blank otherwise",
    )


# ---------------------------------------------------------------- codes

_TABLES = {
    "measure": "measures.csv",
    "category": "categories.csv",
    "kind": "kinds.csv",
    "attribution": "attributions.csv",
}


@cache
def synonyms(column: str) -> pd.DataFrame:
    """Words of the literature for the codes of a column: written, code, certainty, used_by, note (data/words).

    code: a code; several separated by semicolons where the word may mean any of them, or blank where it means none (both are
    refused, with the note); "blank" where the codebook leaves the cell blank.
    certainty: below 0.9 where the word is wider than the code; the note says how.

    >>> synonyms("measure").set_index("written").loc["abduction", ["code", "certainty"]].tolist()
    ['rendition', '0.7']
    """
    if column not in _TABLES:
        return pd.DataFrame(
            columns=["written", "code", "certainty", "used_by", "note"], dtype="str"
        )
    return read_text(room("data") / "words" / _TABLES[column]).fillna("")


@cache
def _known(column: str) -> tuple[dict[str, Cell], dict[str, Cell]]:
    """What each word of a column means, and the same by the stem of the word."""
    by_code = {_words(plain_text(code)): Cell(code, "code.spelling") for code in codes(column)}
    by_label = {
        _words(plain_text(label)): Cell(code, "code.label") for code, label in codes(column).items()
    }
    table = synonyms(column)
    by_word = {}
    for written, code, sure, note in zip(
        table["written"], table["code"], table["certainty"], table["note"], strict=True
    ):
        cell = (
            Cell(code, "code.word", float(sure))
            if code and ";" not in code
            else _choices(code.split(";"), column, note)
        )
        by_word[_words(plain_text(written))] = (
            Cell(None, "code.blank", float(sure)) if code == "blank" else cell
        )
    known = by_word | by_label | by_code
    forms = {
        _stem(word): cell._replace(rule="code.form", certainty=min(cell.certainty, 0.95))
        for word, cell in known.items()
        if cell.value
    }
    return known, forms | {_stem(word): cell for word, cell in known.items() if not cell.value}


def _choices(choices: list[str], column: str, note: str = "") -> Cell:
    said = f": {note}" if note else ""
    if not choices[0]:
        return Cell(
            None,
            "",
            0.0,
            f"no {column} of the codebook{said}",
            f"write a code that `cape codebook {column}` lists, or take the row out",
        )
    return Cell(
        None,
        "",
        0.0,
        f"may be more than one {column}{said}",
        f"write {', '.join(choices[:-1])} or {choices[-1]}",
    )


def _stem(words: str) -> str:
    return " ".join(_shortened(word) for word in words.split())


def _shortened(word: str) -> str:
    """An English word without the endings of plural, past and -ing: arrests, arrested and arresting are arrest."""
    if not word.isascii() or len(word) < 5 or word.endswith("ss"):
        return word
    short = re.sub(r"(?:ings?|ed|es|s|e)$", "", word)
    return (
        short[:-1] if len(short) > 3 and short[-1] == short[-2] and short[-1] not in "ls" else short
    )  # kidnapped, kidnap


def coded(cells: pd.Series, column: str) -> pd.DataFrame:
    """Which code of the codebook does each cell of a coded column mean?

    Tried in turn: the code, its label, the words of the literature in data/words (English and Russian; with the words of Freedom
    House, AAAD and CAPE), other forms of these (plural, past), and the same with a typing error, where only one code is near. A word
    that may mean several codes is refused with the choices; so is what is not known. Nothing is guessed from a part of a sentence:
    "extradition refused" is no extradition.

    cells: text, missing where blank; one value a cell (see `several_values`). column: a coded column such as "measure", "category",
    "kind", "attribution". Returns a frame on the same index: value (a code or missing), rule (see RULES), certainty (0 to 1, below
    0.9 a guess), problem, remedy. Raises ParameterError when the codebook holds no such coded column.

    >>> coded(pd.Series(["physical attack", "arrested", "assasination", "returned home"]), "measure")[["value", "rule"]].values.tolist()
    [['assault', 'code.word'], ['detention', 'code.form'], ['assassination', 'code.misspelt'], [nan, '']]
    """
    require("coded column", column, {name: name for name in codebook()["codes"]})
    return by_distinct(cells, lambda forms: _coded(forms, column), plain)


def _coded(forms: list[str], column: str) -> list[Cell]:
    exact, compared = codes(column), 0
    found = []
    for form in forms:
        cell = _meaning(form, column)
        if cell is None and compared < COMPARED and len(form) <= LONGEST:
            cell, compared = _misspelt(_words(form), column), compared + 1
        if cell is None:
            cell = Cell(
                None,
                "",
                0.0,
                f"not one of the allowed values of {column}",
                f"see `cape codebook {column}`",
            )
        found.append(cell._replace(rule="") if cell.value == form and form in exact else cell)
    return found


def _meaning(text: str, column: str) -> Cell | None:
    """What plain text means by the words that are known: one of them, or several that all mean the same code."""
    cell = _word(text, column)
    if cell is None and len(parts := _parts(_SOFT, text)) in (2, 3, 4):
        cells = [_word(part, column) for part in parts]
        values = {each.value if each else None for each in cells}
        if len(values) == 1 and None not in values:
            cell = Cell(
                values.pop(), "code.words", min(0.9, *(each.certainty for each in cells if each))
            )
    return cell


def _word(text: str, column: str) -> Cell | None:
    known, forms = _known(column)
    words = _words(text)
    if cell := known.get(words) or forms.get(_stem(words)):
        return cell
    return (
        Cell("unknown" if "unknown" in codes(column) else None, "code.unknown")
        if is_unknown(text)
        else None
    )


def _misspelt(words: str, column: str) -> Cell | None:
    """The code whose word differs by one letter (two in long words), where no word of another code is as near.

    The first letter must agree and the number of words too: "reported" is not "deported", "not detained" is not "detained". With
    these limits, one random error in each of the known words never led to another code, and of 27,000 English words that mean no
    measure 1 in 1,000 was taken for one.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    known, _ = _known(column)
    if not 7 <= len(words) <= 60:
        return None
    allowed = 1 if len(words) < 11 else 2  # shorter, and "convention" would be "conviction"
    near = process.extract(
        words, list(known), scorer=OSA.distance, score_cutoff=allowed, processor=None, limit=20
    )
    near = [(word, distance) for word, distance, _ in near if _alike(words, word)]
    if not near:
        return None
    closest = min(distance for _, distance in near)
    cells = {known[word] for word, distance in near if distance == closest}
    values = {cell.value for cell in cells}
    if len(values) > 1 or None in values:
        named = sorted(value for value in values if value)
        return _choices(named, column) if len(named) > 1 else None
    return Cell(values.pop(), "code.misspelt", min([0.75, *(cell.certainty for cell in cells)]))


def _alike(one: str, other: str) -> bool:
    ours, theirs = one.split(), other.split()
    return len(ours) == len(theirs) and all(
        a[0] == b[0] and (len(a) > 4 or a == b) for a, b in zip(ours, theirs, strict=True)
    )


# ---------------------------------------------------------------- several values in a cell

_NUMBERED = re.compile(r"(?:^|(?<=[\s;,.]))\(?(?:[1-9]|1[0-9])[.)]\s+|(?:^|(?<=\s))[•·▪*-]\s+")
_HARD = re.compile(
    r"\s*(?:;|\r?\n|\r|→|⇒|->|=>|\||\s+then\s+|\s+followed by\s+|\s+затем\s+)\s*", re.IGNORECASE
)
_BETWEEN = re.compile(
    r"[;,/&+|\r\n→⇒>)]|\b[0-9]\.|\s(?:and|then|followed by|и|затем|[-*•·▪])\s", re.IGNORECASE
)  # a sign of more than one
_SOFT = re.compile(
    r"\s*(?:,|/|&|\+|\s+and\s+|\s+и\s+)\s*(?:and\s+|then\s+|и\s+|затем\s+)?", re.IGNORECASE
)


def several_values(cell: str, column: str = "measure") -> list[str]:
    """The values that a cell of a coded column holds, in its order; one where it holds one.

    A cell is always split at semicolons, line ends, arrows, "then" and numbers such as "1)", and at commas, "/", "&" and "and" only
    where each part is a known word and they mean different codes, so that "threats and intimidation" stays whole.
    For dates see `written_dates.several_dates`, for states `names.several_states`.

    >>> several_values("arrested, then extradited"), several_values("1) red notice 2) arrest"), several_values("assassination attempt")
    (['arrested', 'extradited'], ['red notice', 'arrest'], ['assassination attempt'])
    """
    if len(cell) > 10 * LONGEST or not _BETWEEN.search(cell) or _meaning(plain_text(cell), column):
        return [cell]
    found = []
    for part in _parts(
        _HARD, _NUMBERED.sub(";", cell) if len(_NUMBERED.findall(cell)) > 1 else cell
    ):
        soft = _parts(_SOFT, part)
        apart = (
            len(soft) > 1
            and not _meaning(plain_text(part), column)
            and all(_word(plain_text(each), column) for each in soft)
        )
        found += soft if apart else [part]
    return found if len(found) > 1 else [cell]


def _parts(pattern: re.Pattern[str], text: str) -> list[str]:
    return [part for part in (part.strip(" ,.") for part in pattern.split(text)) if part]


def several(cells: pd.Series, column: str = "measure") -> dict[str, list[str]]:
    """The distinct cells of a coded column that hold more than one value, each with its values.

    >>> several(pd.Series(["threat", "threat; detention", "threat; detention"]))
    {'threat; detention': ['threat', 'detention']}
    """
    split = {cell: several_values(cell, column) for cell in cells.dropna().unique()}
    return {cell: parts for cell, parts in split.items() if len(parts) > 1}


# ---------------------------------------------------------------- formulas

_BEFORE = r"[\s\x00-\x20'\"`\u00a0\u2018-\u201f\u200b-\u200f\u2060\ufeff]*"  # what a program may pass over before it sees a formula
_FORMULA = re.compile(rf"[\t\r\n]|{_BEFORE}[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?%?")


def defused(cells: pd.Series) -> pd.Series:
    """Text that a spreadsheet program would run as a formula, with an apostrophe in front, so that it is only shown.

    Changed are cells whose first sign is = + - @ (also full-width, also after spaces and quotation marks) or a tab or line end;
    numbers such as -5 are not. `restored` gives the text back exactly. Everything that we write from a user's cells passes through
    this, its column names too; write it with all cells quoted, or a cell "a;=1+1" is split by programs that expect semicolons.
    Source: OWASP, CSV injection.

    >>> defused(pd.Series(["=1+1", "-5", "@SUM(A1)", "TJK"])).tolist()
    ["'=1+1", '-5', "'@SUM(A1)", 'TJK']
    """
    return _each(cells, lambda text: f"'{text}" if _is_formula(text) else text)


def restored(cells: pd.Series) -> pd.Series:
    """The text that `defused` was given.

    >>> restored(defused(pd.Series(["=1+1", "'=1+1", "-5"]))).tolist()
    ['=1+1', "'=1+1", '-5']
    """
    return _each(
        cells, lambda text: text[1:] if text[:1] == "'" and _is_formula(text[1:]) else text
    )


def _each(cells: pd.Series, change: Callable[[str], str]) -> pd.Series:
    places, distinct = pd.factorize(cells.astype("str"))
    changed = pd.Series([*(change(text) for text in distinct), None], dtype="str")
    return changed.take(places).set_axis(cells.index).rename(cells.name)


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None


# ---------------------------------------------------------------- names of persons


@cache
def _header_words() -> dict[str, set[str]]:
    frame = read_text(room("data") / "words" / "headers.csv")
    return {kind: set(words) for kind, words in frame.groupby("kind")["written"]}


def is_name_column(header: str) -> bool:
    """May a column with this header hold names of persons, or what stands for a name (aliases, user names, e-mail addresses)?

    In doubt yes, because such a column is dropped at reading: "name", "ФИО", "victim" and "exile" are, "state name", "exile id" and
    "name of publisher" are not.

    >>> [is_name_column(header) for header in ("Full name", "ФИО", "State name", "Exile ID", "Name of victim's lawyer")]
    [True, True, False, False, True]
    """
    kinds = _header_words()
    known = set().union(*kinds.values())
    spaced = re.sub(r"(?<=[a-zа-я])(?=[A-ZА-Я])", " ", header[: 2 * LONGEST])
    words = re.findall(
        r"[^\W\d_]+",
        plain_text(spaced)
        .replace("ф.и.о", "фио")
        .replace("a.k.a", "aka")
        .replace("also known as", "aka"),
    )
    held = {word if word in known else word.removesuffix("s") for word in words} - {""}
    if held & kinds["always"]:
        return True
    if held & kinds["name"]:
        return not held & kinds["thing"] or bool(held & kinds["person"])
    return bool(held & kinds["person"]) and held <= kinds["person"] | kinds["filler"]
