"""Text as it is compared: one folding in named strengths, and one "did you mean".

=============  =====================================================  ==========================
strength       what no longer tells two texts apart                    used for
=============  =====================================================  ==========================
`visible`      forms of a letter, signs that do not show, blanks       cells that name states
`plain`        these, and capitals, line ends, ё for е                 codes, yes and no, dates
`unaccented`   capitals and accents (signs and blanks stay)            "did you mean"
`words`        signs: only letters and numbers stay                    after one of the others
`bare`         capitals, accents and signs (`unaccented`, `words`)     headers, names of persons
=============  =====================================================  ==========================

Accents stay in `plain`, since й and и begin different Russian words. Names of states are folded
further, by letters that keyboards lack, in `capelib.meaning.state_lexicon`.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pandas takes longer to import than `cape --help` may take
    import pandas as pd

LONGEST = 200  # characters of a cell that are compared; no name, date or word of a code is longer
# Characters of a text that are normalized, which costs the square of the number of accents on one
# letter. A letter is made of four at most, so that more than LONGEST remain.
NORMALIZED = 5 * LONGEST
_INVISIBLE = re.compile(  # Unicode's category Cf, the grapheme joiner and the variation selectors
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe0e\ufe0f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
_BLANKS = re.compile(r"[^\S\n]+")
_CONTROL = re.compile(r"[\x00-\x20\x7f]+")


def visible(text: str) -> str:
    r"""How does a text look, whatever it is made of?

    One form of each letter (NFKC), no signs that do not show, single blanks; line ends stay. The
    beginning of a long text: enough to see that it has more than `LONGEST` characters.

    Examples
    --------
    >>> visible(" Ｋyrgyz\u200bstan\u00a0 (Osh)")
    'Kyrgyzstan (Osh)'
    """
    shown = _BLANKS.sub(" ", _INVISIBLE.sub("", text)).strip()
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", shown[:NORMALIZED])).strip()


def plain(text: str) -> str:
    r"""How are a word, an answer and a date compared?

    `visible` in small letters on one line, with е for ё. At most `LONGEST` + 1 characters are
    kept: enough to see that a cell is too long.

    Examples
    --------
    >>> plain("  RED\u00a0notice\n(Приём) ")
    'red notice (прием)'
    """
    shown = " ".join(_CONTROL.sub(" ", _INVISIBLE.sub("", text)).split())
    shown = unicodedata.normalize("NFKC", shown[:NORMALIZED])
    small = _CONTROL.sub(" ", shown.casefold().replace("ё", "е"))
    return " ".join(small.split())[: LONGEST + 1]


def plain_cells(cells: "pd.Series") -> "pd.Series":
    r"""`plain` for a column: text in, text out, on the same index; missing stays missing.

    Examples
    --------
    >>> import pandas as pd
    >>> plain_cells(pd.Series(["  RED\u00a0notice ", "Арест"])).tolist()
    ['red notice', 'арест']
    """
    text = cells.astype("str").str.slice(0, LONGEST + 1)
    other = ~text.str.isascii().fillna(True).astype(bool)
    folded = text.str.replace(_CONTROL, " ", regex=True).str.strip().str.lower()
    if other.any():
        folded[other] = [plain(value) for value in text[other]]
    return folded


def unaccented(text: str) -> str:
    """How are codes and labels compared? Without capitals, accents and outer blanks.

    Examples
    --------
    >>> unaccented("Türkiye "), unaccented("red_notice")
    ('turkiye', 'red_notice')
    """
    text = text.strip()
    if text.isascii():
        return text.casefold()
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if unicodedata.category(letter)[0] != "M")


def words(text: str) -> str:
    """The letters and numbers of a text, with one blank between words.

    Examples
    --------
    >>> words("red-notice (interpol)")
    'red notice interpol'
    """
    return re.sub(r"[\W_]+", " ", text).strip()


def bare(text: str) -> str:
    """How are headers of tables compared? Without capitals, accents and signs.

    Examples
    --------
    >>> bare("  Country_of  Origin (ISO) / ")
    'country of origin iso'
    """
    return words(unaccented(text))


def bare_cells(cells: "pd.Series") -> "pd.Series":
    """`bare` for a column, fast enough for a million names; missing stays missing.

    Two differences from `bare`: ß stays ß, and marks between letters, as in Hindi, part no word.

    Examples
    --------
    >>> import pandas as pd
    >>> bare_cells(pd.Series(["Jiří  Příklad", "jiri-priklad"])).unique().tolist()
    ['jiri priklad']
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    letters = pc.utf8_lower(pc.utf8_normalize(pa.array(cells, pa.large_string()), "NFKD"))
    unmarked = pc.replace_substring_regex(letters, r"\p{M}+", "")
    spaced = pc.replace_substring_regex(unmarked, r"[^\p{L}\p{N}]+", " ")
    return pd.Series(pc.utf8_trim_whitespace(spaced).to_pandas(), dtype="str").set_axis(cells.index)


def near(word: str, known: Iterable[str], metric: str, limit: float) -> list[tuple[str, float]]:
    """Which known words is a mistyped word near to?

    Parameters
    ----------
    word, known
        Texts folded in the same strength.
    metric
        "edits": letters to change, add, drop or swap (optimal string alignment). For cells, where
        a wrong answer is worse than none.
        "ratio": letters in common, in percent (rapidfuzz's ratio). For headers.
        "blocks": the share of letters in common blocks, from 0 to 1 (difflib's ratio). For what a
        person typed at the prompt, where some answer is better than none.
    limit
        The most edits, the least percent or the least share.

    Returns
    -------
    list of (str, float)
        The near words, each with its edits, percent or share, nearest first.

    Examples
    --------
    >>> near("detenton", ["detention", "deportation"], "edits", 2)
    [('detention', 1)]
    """
    if metric == "blocks":
        return _near_by_blocks(word, known, limit)
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    scorer = {"edits": OSA.distance, "ratio": fuzz.ratio}[metric]
    matches = process.extract(word, list(known), scorer=scorer, score_cutoff=limit, limit=None)
    return [(name, score) for name, score, _ in matches]


def _near_by_blocks(word: str, known: Iterable[str], limit: float) -> list[tuple[str, float]]:
    matcher = difflib.SequenceMatcher(b=word)
    shares = []
    for name in known:
        matcher.set_seq1(name)
        bounds = (matcher.real_quick_ratio, matcher.quick_ratio)  # never below the ratio, and fast
        if all(bound() >= limit for bound in bounds) and matcher.ratio() >= limit:
            shares.append((name, matcher.ratio()))
    return sorted(shares, key=lambda share: (share[1], share[0]), reverse=True)


def nearest(value: str, allowed: Mapping[str, str]) -> str | None:
    """Which allowed code does a mistyped value most likely mean?

    Parameters
    ----------
    value
        As it was typed.
    allowed
        Codes with their labels; the value may be near to either.

    Returns
    -------
    str or None
        A code; None when nothing is near.

    Examples
    --------
    >>> nearest("TAJ", {"TJK": "Tajikistan", "TZA": "Tanzania"})
    'TJK'
    """
    typed = unaccented(value)
    if not typed:
        return None
    code_of = {unaccented(label): code for code, label in allowed.items()}
    folded_codes = {unaccented(code): code for code in allowed}
    code_of |= folded_codes
    if typed in code_of:
        return code_of[typed]
    if len(typed) < 3:  # EU is not near to REU
        return None
    for name, _ in near(typed, folded_codes, "blocks", 0.8):
        return code_of[name]
    for name, code in code_of.items():
        if name.startswith(typed):
            return code
    similar = []  # in length: "Turkey" is not URY
    for name in code_of:
        if 2 * abs(len(name) - len(typed)) < max(len(name), len(typed)):
            similar.append(name)
    # Of three or four letters few are left where one differs: all is not ALB, but fwi is fiw. And
    # killed is not alleged, with which it shares eight of thirteen letters.
    least = 0.75 if len(typed) < 5 else 0.65
    for name, share in near(typed, similar, "blocks", 0.6):
        if share >= least or sorted(name) == sorted(typed):
            return code_of[name]
    return None
