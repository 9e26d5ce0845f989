"""HTML that notebooks show, made readable: tables left-aligned and each in a box that scrolls."""

import re

from markupsafe import Markup

_STYLE = re.compile(r"<style\b.*?</style>", re.DOTALL)
_ALIGNED = re.compile(r'<tr style="text-align: \w+;">')
_BORDER = re.compile(r' border="\d"')
_NO_NAME = re.compile(r"<th>\s*</th>")
_HEADING = re.compile(r"<(/?)h([1-4])\b")
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_HEADER = re.compile(r"<th>([^<]*)</th>")
_DEEPER = {"1": "3", "2": "3", "3": "4", "4": "5"}


def readable(html: str) -> Markup:
    """How does a site show the HTML of an output?

    Parameters
    ----------
    html
        As a notebook's output holds it: a frame of pandas, or a page of `cape.figures`.

    Returns
    -------
    markupsafe.Markup
        Without styles; headings are below those of the notebook; a head cell without words is no
        head cell; each table stands in a box of its own that the keyboard reaches.

    Examples
    --------
    >>> shown = readable('<table border="1"><tr style="text-align: right;"><th></th></tr></table>')
    >>> print(shown.removeprefix('<div class="scroll" tabindex="0" role="group" '))
    aria-label="Table"><table><tr><td></td></tr></table></div>
    """
    html = _STYLE.sub("", html)
    html = _ALIGNED.sub("<tr>", html)
    html = _BORDER.sub("", html)
    html = _NO_NAME.sub("<td></td>", html)
    html = _HEADING.sub(lambda tag: f"<{tag[1]}h{_DEEPER[tag[2]]}", html)
    return Markup(_TABLE.sub(lambda table: boxed(table[0]), html))


def boxed(table: str) -> str:
    """A table in a box that scrolls sideways, named by its first columns."""
    names = [name.strip() for name in _HEADER.findall(table)[:3] if name.strip()]
    words = "Table" + (f": {', '.join(names)}" if names else "")
    label = words.replace('"', "")
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{label}">{table}</div>'
