"""Completion of codes in IPython and JupyterLab: `ds.where(origin="T` and the Tab key.

IPython completes the names of arguments by itself, not the texts that they take: `typing.Literal`
offers nothing there. A matcher of 20 lines does, in 2 to 5 ms.
"""

import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

_STATES = ("origin", "host", "exclude_origin", "exclude_host")
_CODES = {
    "measure": "measure",
    "category": "category",
    "stage": "stage",
    "source_kind": "kind",
    "unit": "unit",
    "quantity": "quantity",
}
# name = "start, also inside a list, and after other values of it
_OPEN = re.compile(
    r"""(?P<name>\w+?)(?:_not)?\s*=\s*[\[({]?\s*(?:["'][^"']*["']\s*,\s*)*["'](?P<start>[^"']*)$"""
)
_OURS = re.compile(r"\bcape\.|\.where\(|\bcapelib\b")


@cache
def offered(name: str) -> tuple[str, ...]:
    """Which texts may an argument of this name take? Of states, those that occur in the data.

    Examples
    --------
    >>> offered("unit"), "TJK" in offered("origin"), offered("nothing of ours")
    (('incident', 'exile', 'episode'), True, ())
    """
    from capelib.loading import load
    from capelib.vocabulary.codebook import codes

    if name in _STATES:
        column = load().incidents[name.removeprefix("exclude_")]
        return tuple(sorted(column.dropna().unique()))
    return tuple(codes(_CODES[name])) if name in _CODES else ()


def completions(text: str) -> tuple[Sequence[str], str]:
    """What can follow a text that ends at the cursor?

    Parameters
    ----------
    text
        The cell up to the cursor.

    Returns
    -------
    tuple
        The codes, and the letters of them that are typed already.

    Examples
    --------
    >>> completions('ds.where(measure="re')[0]
    ['relatives_targeted', 'red_notice', 'rendition']
    """
    opened = _OPEN.search(text)
    if not opened or not _OURS.search(text):
        return [], ""
    start = opened["start"]
    codes = offered(opened["name"])
    return [code for code in codes if code.lower().startswith(start.lower())], start


def register() -> None:
    """Complete codes in the IPython that runs, if one does; once."""
    try:
        shell = sys.modules["IPython"].get_ipython()  # absent where IPython is not imported
        matchers = shell.Completer.custom_matchers
        if not any(getattr(each, "matcher_identifier", "") == "capelib" for each in matchers):
            matchers.append(_matcher())
    except (KeyError, AttributeError, ImportError):
        return


def _matcher() -> Any:
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier="capelib")
    def capelib_codes(context: Any) -> Any:
        lines = context.full_text.split("\n")[: context.cursor_line + 1]
        before = "\n".join([*lines[:-1], lines[-1][: context.cursor_position]])
        texts, start = completions(before)
        return {
            "completions": [SimpleCompletion(text=text, type="value") for text in texts],
            "matched_fragment": start,
            "suppress": bool(texts),
        }

    return capelib_codes
