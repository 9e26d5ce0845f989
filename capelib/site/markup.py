"""Pages as Sphinx reads them: Markdown with blocks of HTML from `templates/`."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_FENCE = "`" * 10
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~^])")
WIDE = {"html_theme.sidebar_secondary.remove": True}
FRAME = "frame"  # the page that `filled` fills in, in the folder of the pages


@dataclass(frozen=True)
class Page:
    """A page of the site as a source file for Sphinx.

    Attributes
    ----------
    path : str
        Below the folder of sources, such as "ledger/index.md".
    text : str
        Markdown, reStructuredText (`.rst`), a notebook (`.ipynb`), or the HTML below the title
        (`.html`), which Sphinx does not read: see `filled`.
    files : dict
        What is put onto the site beside the page as it is: by its path below the site's folder, the
        content or the file.
    title : str
        Of a page in HTML; the others begin with theirs.
    """

    path: str
    text: str
    files: dict[str, bytes | Path] = field(default_factory=dict)
    title: str = ""


def render(template: str, **values: Any) -> Markup:
    """Fill in a template of `capelib/site/templates`; values are escaped.

    Parameters
    ----------
    template
        Name of the file without `.html.j2`.
    values
        What the template names.
    """
    return Markup(TEMPLATES.get_template(f"{template}.html.j2").render(values))


def html(body: str) -> str:
    """HTML as a block of a Markdown page."""
    return f"\n{_FENCE}{{raw}} html\n{body.strip()}\n{_FENCE}\n"


def plain(text: str) -> str:
    """A text in Markdown that stays as it is.

    Examples
    --------
    >>> print(plain("5 * 3 [a_b]"))
    5 \\* 3 \\[a\\_b\\]
    """
    return _SPECIAL.sub(r"\\\1", text)


def contents(*entries: str, hidden: bool = True) -> str:
    """The pages below a page, for Sphinx's navigation.

    Parameters
    ----------
    entries
        Paths without ending, as seen from the page; "Words <path>" gives the words to show.
    hidden
        Do not show them in the page itself.
    """
    options = ":hidden:\n" if hidden else ":maxdepth: 1\n"
    return "\n```{toctree}\n" + options + "\n" + "\n".join(entries) + "\n```\n"


def front_matter(**values: Any) -> str:
    """What Sphinx must know of a page: `orphan=True` for one that no list of pages names."""
    lines = [f"{name}: {str(value).lower()}" for name, value in values.items()]
    return "---\n" + "\n".join(lines) + "\n---\n"
