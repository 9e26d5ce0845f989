"""The project's own documents as pages: their links lead to pages of the site."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from capelib.errors import CapeError
from capelib.paths import PACKAGE
from capelib.site.markup import Page

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
# Where a document of the project stands on the site.
PLACES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "about/contributing.md",
    "CHANGELOG.md": "about/changes.md",
    "CITATION.cff": "about/cite.md",
    "SECURITY.md": "about/contributing.md",
    "data/README.md": "data/record.md",
    "data/codebook.toml": "data/codebook.md",
    "docs/editions.md": "data/editions.md",
    "docs/many-machines.md": "about/many-machines.md",
    "docs/power.md": "methods/power.md",
    "docs/referee.md": "methods/referee.md",
    "docs/teaching.md": "lessons/teaching.md",
    "docs/validation.md": "methods/validation.md",
    "docs/your-own-table.md": "data/your-own-table.md",
    "data/published": "ledger/index.md",
    "notebooks": "notebooks/index.md",
    "notebooks/lessons": "lessons/index.md",
    "figures": "figures/index.md",
    "figures/comparisons": "comparisons/index.md",
}


def read(path: str) -> str:
    """The text of a document of the project.

    Raises
    ------
    CapeError
        It is missing: an installed package has none, the site is made from the project's folder.
    """
    try:
        return (PACKAGE.parent / path).read_text(encoding="utf-8")
    except OSError:
        raise CapeError(
            f"{path} is missing: the site is made in a copy of the project, not from an installed "
            "package"
        ) from None


def on_site(path: str, place: str) -> str:
    """A document of the project as a page.

    Parameters
    ----------
    path
        Of the document, such as "docs/editions.md".
    place
        Of the page.

    Returns
    -------
    str
        Markdown.
    """
    return linked(read(path), path, place)


def linked(text: str, path: str, place: str) -> str:
    """A text of the project with links that lead to pages of the site.

    Parameters
    ----------
    text
        Markdown.
    path
        Where it stands in the project, such as "docs/editions.md".
    place
        Of the page.

    Returns
    -------
    str
        A link to a file of the project that the site does not have becomes the file's name.

    Examples
    --------
    >>> linked("see [editions](../docs/editions.md)", "data/README.md", "data/record.md")
    'see [editions](editions.md)'
    >>> linked("see [the log](changes.csv)", "data/README.md", "data/record.md")
    'see the log (`data/changes.csv`)'
    """

    def rewritten(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if "://" in target or target.startswith(("#", "mailto:")):
            return link[0]
        file, _, anchor = target.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(path), file))
        page = PLACES.get(file) or _notebook(file)
        if picture or page is None:
            return words if words.strip("`") == file else f"{words} (`{file}`)"
        way = posixpath.relpath(page, posixpath.dirname(place) or ".")
        return f"[{words}]({way}{'#' * bool(anchor)}{anchor})"

    return _LINK.sub(rewritten, text.replace("```csv", "```text"))  # Pygments knows no CSV


def settled(page: Page, places: Mapping[str, str]) -> Page:
    """A page whose links lead to pages that this site has.

    An earlier edition has no lessons, and its runs have other names.

    Parameters
    ----------
    page
    places
        By the path that a link names, the path of the page.

    Returns
    -------
    Page
        A link to a page that the site does not have becomes its words.

    Examples
    --------
    >>> places = {"data/record.md": "data/record.md", "notebooks/01.ipynb": "notebooks/01-a.ipynb"}
    >>> text = "[a](record.md) [b](../lessons/index.md) [c](../notebooks/01.ipynb#x)"
    >>> settled(Page("data/index.md", text), places).text
    '[a](record.md) b [c](../notebooks/01-a.ipynb#x)'
    """
    folder = posixpath.dirname(page.path)

    def rewritten(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        file, _, anchor = target.partition("#")
        if picture or "://" in target or not file.endswith((".md", ".ipynb")):
            return link[0]
        place = posixpath.normpath(posixpath.join(folder, file))
        if place not in places:
            return words
        way = posixpath.relpath(places[place], folder or ".")
        return f"[{words}]({way}{'#' * bool(anchor)}{anchor})"

    return replace(page, text=_LINK.sub(rewritten, page.text))


def _notebook(file: str) -> str | None:
    """The page of a notebook or a lesson of the collection."""
    path = Path(file)
    if path.suffix != ".ipynb" or path.parts[0] != "notebooks":
        return None
    is_lesson = path.parts[1] == "lessons"
    return path.relative_to("notebooks").as_posix() if is_lesson else f"notebooks/{path.name}"
