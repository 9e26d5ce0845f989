"""How a result shows itself: one sentence as text, a small table in a notebook.

JupyterLab takes style sheets and scripts out of what a notebook shows: only styles of single cells
stay. All text is escaped, since a file of a reader may hold anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from html import escape
from typing import Any

import pandas as pd

from capelib.vocabulary.numbers import times

__all__ = ["CITE", "Result", "as_html", "card", "in_words", "terms_in_words"]

_LEFT = 'style="text-align: left; vertical-align: top; white-space: normal; max-width: 48em"'
_MOST = 6  # parts of a result that its line names
_TERMS = 3  # terms of a model that its line names
CITE = "`cape cite capelib`; name the edition of the data, and the publication that is followed"


class Result:
    """A result with a sentence: what it shows at a prompt and in a notebook.

    A class says its sentence in `summary()`, and in `CAVEAT` what the number does not allow for.
    """

    CAVEAT = ""

    def __repr__(self) -> str:
        return in_words(self)

    def _repr_html_(self) -> str:
        return as_html(self)


def in_words(result: Any) -> str:
    """A result in one line: its own sentence, else its parts.

    Parameters
    ----------
    result
        A named tuple or data class; where it has `summary()`, that sentence is the line.

    Examples
    --------
    >>> from capelib.estimators.shares import wilson
    >>> print(in_words(wilson(49, 63)))
    78 % [66, 86], 49 of 63
    """
    if hasattr(result, "summary"):
        return result.summary()
    parts = [f"{name} {_short(value)}" for name, value in _parts(result) if _is_short(value)]
    longer = [name for name, value in _parts(result) if not _is_short(value) and value is not None]
    line = f"{type(result).__name__}: {', '.join(parts[:_MOST]) or '-'}"
    return f"{line}; holds {', '.join(longer)}" if longer else line


def terms_in_words(terms: pd.DataFrame, name: str = "term") -> str:
    """The ratios of a fitted model, with their intervals: the first three terms.

    Parameters
    ----------
    terms
        `ratio`, `low`, `high`, and the column `name`.
    name
        What a term is called by.

    Examples
    --------
    >>> terms_in_words(pd.DataFrame({"term": ["year"], "ratio": 1.1, "low": 1.0, "high": 1.2}))
    'year 1.1 times [1, 1.2]'
    """
    rows = [
        f"{row[name]} {times(row['ratio'], row['low'], row['high'])}"
        for row in terms.dropna(subset=["ratio"]).head(_TERMS).to_dict("records")
    ]
    left = len(terms) - len(rows)
    return ", ".join(rows) + (f", {left} more in terms" if left else "")


def as_html(result: Any) -> str:
    """A result as a small table: what it is, the answer, n, the caveat, how to cite."""
    what = (type(result).__doc__ or "").strip().split("\n")[0]
    rows = {"what": what, "answer": in_words(result), "n": _cases(result)}
    rows |= {"caveat": getattr(result, "CAVEAT", ""), "cite": CITE}
    return card(rows)


def card(rows: Mapping[str, str], more: str = "", title: str = "") -> str:
    """Rows of name and text as an HTML table, with further HTML below it.

    Parameters
    ----------
    rows
        Names and texts; blank ones are left out.
    more
        HTML.
    title
        Its first line.

    Examples
    --------
    >>> "&lt;b&gt;" in card({"name": "<b>"}) and "<style" not in card({"name": "<b>"})
    True
    """
    lines = [
        f'<tr><th scope="row" {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(text)}</td></tr>'
        for name, text in rows.items()
        if text
    ]
    heading = f"<strong>{escape(title)}</strong>" if title else ""
    return f"<div>{heading}<table>{''.join(lines)}</table>{more}</div>"


def _parts(result: Any) -> Iterable[tuple[str, Any]]:
    names = list(result.__dataclass_fields__) if is_dataclass(result) else list(result._fields)
    return [(name, getattr(result, name)) for name in names if not name.startswith("_")]


def _is_short(value: Any) -> bool:
    return isinstance(value, str | int | float) and value != ""


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _cases(result: Any) -> str:
    cases = getattr(result, "n", None)
    if not isinstance(cases, int):
        return ""
    clusters = getattr(result, "clusters", None)
    return f"{cases:,} in {clusters:,} clusters" if isinstance(clusters, int) else f"{cases:,}"
