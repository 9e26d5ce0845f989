"""Fields of a class that share a line ("low, high : float") as lines of their own.

A Sphinx extension, run before napoleon, which would show the last one only.
"""

import re
from typing import Any

_SHARED = re.compile(r"^(\s*)(\w+(?:, \w+)+) : (.+)$")


def _split(_app: Any, what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    if what != "class":
        return
    apart: list[str] = []
    for line in lines:
        if shared := _SHARED.match(line):
            indent, names, kind = shared.groups()
            apart += [f"{indent}{name} : {kind}" for name in names.split(", ")]
        else:
            apart.append(line)
    lines[:] = apart


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.connect("autodoc-process-docstring", _split, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
