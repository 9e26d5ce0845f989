"""Yes, no and not known, in the words that people use."""

import re
from functools import cache

import pandas as pd

from capelib.meaning.cells import Cell, by_distinct, doubted, refused, without_doubt
from capelib.paths import project_folder
from capelib.vocabulary.tables import read_text
from capelib.vocabulary.text import plain, plain_cells, words

RULES = {
    "yes.word": "a word for yes",
    "yes.likely": "the source holds it likely or alleges it: taken as reported",
    "yes.hedged": "written with doubt: the answer that is given",
    "yes.no": "an explicit no: left blank, since these columns hold only what is reported",
    "yes.unknown": "a word for not known: left blank",
}
_NO_ANSWER = (
    "neither yes nor no",
    "write yes where the report says so, and leave the cell blank otherwise",
)
_NO_WORD = re.compile(r"[?¿.\-\u2010-\u2015_/\\ ()]+")


@cache
def answers() -> dict[str, tuple[str, float]]:
    """Which words stand for yes, likely, no and unknown (data/words/answers.csv)?

    Returns
    -------
    dict
        By word: the answer, and the certainty (0 to 1) that the word means it.

    Examples
    --------
    >>> answers()["да"], answers()["n.d."]
    (('yes', 1.0), ('unknown', 1.0))
    """
    table = read_text(project_folder("data") / "words" / "answers.csv")
    rows = zip(table["written"], table["answer"], table["certainty"], strict=True)
    return {plain(word): (answer, float(certainty)) for word, answer, certainty in rows}


def is_unknown(text: str) -> bool:
    """Does this `plain` text only say that something is not known (n/a, ?, -, неизвестно)?

    Examples
    --------
    >>> is_unknown("n.d."), is_unknown("2015")
    (True, False)
    """
    answer, _ = answers().get(text) or answers().get(text.strip("()[]. ")) or ("", 0)
    return answer == "unknown" or _NO_WORD.fullmatch(text) is not None


def yes(cells: pd.Series) -> pd.DataFrame:
    """Which cells of a yes column (relatives_targeted, interpol, doubtful, is_group) say yes?

    Parameters
    ----------
    cells
        Text, missing where blank.

    Returns
    -------
    DataFrame
        On the same index, with the columns of `capelib.meaning.cells.Cell`; value is "yes" or
        missing.

    Notes
    -----
    These columns hold "yes" or blank, and blank is "not reported". An explicit no is left blank by
    the rule "yes.no", because the codebook has no place for it: whoever needs it finds it in the
    list of changes. "Alleged" and "likely" are yes with a certainty of 0.7, since the report says
    it. Numbers other than 0 and 1 are refused: they may be codes of a questionnaire.

    Examples
    --------
    >>> yes(pd.Series(["y", "нет", "alleged"]))[["value", "rule", "certainty"]].values.tolist()
    [['yes', 'yes.word', 1.0], [nan, 'yes.no', 1.0], ['yes', 'yes.likely', 0.7]]
    """
    return by_distinct(cells, lambda forms: [read_answer(form) for form in forms], plain_cells)


def read_answer(text: str) -> Cell:
    """What does one `plain` text answer?"""
    sure = without_doubt(text) if "?" in text and text not in answers() else None
    if sure is not None:
        return doubted(read_answer(sure), "yes.hedged") or refused(*_NO_ANSWER)
    for form in (text, text.strip("()[]. "), words(text) or text):
        if form in answers():
            answer, certainty = answers()[form]
            break
    else:
        if is_unknown(text):
            return Cell(None, "yes.unknown")
        return refused(*_NO_ANSWER)
    if text == "yes":
        return Cell("yes", "", certainty)
    rule = "yes.word" if answer == "yes" else f"yes.{answer}"
    return Cell("yes" if answer in ("yes", "likely") else None, rule, certainty)
