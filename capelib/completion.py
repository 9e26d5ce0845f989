"""Completion of codes, names and keys in IPython and JupyterLab: `ds.where(origin="T` and Tab.

IPython completes the names of arguments by itself, not the texts that they take: `typing.Literal`
offers nothing there. A matcher does, in 2 to 5 ms.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

_STATES = ("origin", "host", "exclude_origin", "exclude_host", "state")
_CODES = {
    "measure": "measure",
    "category": "category",
    "stage": "stage",
    "source_kind": "kind",
    "unit": "unit",
    "quantity": "quantity",
    "regime_measure": "regime_measure",
    "edition": "edition",
    "vintage": "vintage",
    "model": "model",
}
# What the first text in the brackets of a function names.
_FIRST = {
    "regimes.of": "state",
    "describe": "word",
    "learn.check": "exercise",
    "findings.check": "finding",
    "findings.published": "finding",
    "findings.cite": "publication",
}
_KEYS = {
    "exercise": ("capelib.learn.exercises", "EXERCISES"),
    "finding": ("capelib.findings.ledger", "ledger"),
    "publication": ("capelib.findings.bibliography", "publications"),
}
_BEFORE = r"""[\[({]?\s*(?:["'][^"']*["']\s*,\s*)*["'](?P<start>[^"']*)$"""
# name = "start, also inside a list, and after other values of it
_OPEN = re.compile(rf"(?P<name>\w+?)(?:_not)?\s*=\s*{_BEFORE}")
# function("start, function(ds, "start, function(ds, ["start
_CALL = re.compile(rf"\b(?P<call>{'|'.join(map(re.escape, _FIRST))})\(\s*(?:\w+\s*,\s*)?{_BEFORE}")
_OURS = re.compile(r"\bcape\.|\.where\(|\bcapelib\b")


@cache
def offered(name: str) -> tuple[str, ...]:
    """Which texts may an argument of this name take? Of states, those that occur in the data.

    Examples
    --------
    >>> offered("unit"), "TJK" in offered("origin"), offered("nothing of ours")
    (('incident', 'exile', 'episode'), True, ())
    """
    from capelib.vocabulary.codebook import codebook, codes, named

    if name in _STATES:
        return tuple(_states(name))
    if name == "word":
        columns = [column for _, column, _ in named()]
        values = [code for group in codebook()["codes"] for code in codes(group)]
        return tuple(sorted({*columns, *values}))
    if name in _KEYS:
        module, keys = _KEYS[name]
        every = getattr(import_module(module), keys)
        return tuple(every() if callable(every) else every)
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
        The codes, else the names, and the letters of them that are typed already.

    Examples
    --------
    >>> completions('ds.where(measure="re')[0]
    ['relatives_targeted', 'red_notice', 'rendition']
    >>> completions('cape.regimes.of("Kyr')[0]
    ['Kyrgyzstan']
    """
    opened, called = _OPEN.search(text), _CALL.search(text)
    if called:
        name, start = _FIRST[called["call"]], called["start"]
    elif opened and _OURS.search(text):
        name, start = opened["name"], opened["start"]
    else:
        return [], ""
    texts = _beginning(start, offered(name))
    if not texts and name in _STATES:
        texts = _beginning(start, _states(name).values())
    return texts, start


def _beginning(start: str, texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text.lower().startswith(start.lower())]


def _states(name: str) -> dict[str, str]:
    """The states that occur in the data, or all: names by code."""
    from capelib.loading import load
    from capelib.vocabulary.tables import states

    if name == "state":
        return states()
    codes = load().incidents[name.removeprefix("exclude_")].dropna().unique()
    return {code: states()[code] for code in sorted(codes)}


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
