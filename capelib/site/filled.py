"""Pages that are a title and a block of HTML: Sphinx sets a frame for each folder of them.

The frame holds words that stand for a title and a block; each page is the frame with its own.
Sphinx takes 7 of 50 seconds of processor time for the 210 pages of states and publications
(measured), since it reads, transforms and writes each.
"""

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import escape

from capelib.site.markup import FRAME, WIDE, Page, front_matter, html

# docutils makes the anchor of a heading in small letters, so that the two are told apart.
_TITLE, _ANCHOR, _BLOCK = "TitleOfThePage", "titleofthepage", "BlockOfThePage"


def frames(pages: Sequence[Page]) -> list[Page]:
    """The frame of each folder that has filled pages, as Sphinx reads it."""
    text = front_matter(**WIDE, nosearch=True) + f"# {_TITLE}\n" + html(_BLOCK)
    return [Page(f"{folder}/{FRAME}.md", text) for folder in _folders(pages)]


def fill(pages: Sequence[Page], made: Path) -> None:
    """Write the filled pages of a site that Sphinx has made, and remove the frames."""
    from docutils.nodes import make_id

    for folder in _folders(pages):
        frame = made / folder / f"{FRAME}.html"
        text = frame.read_text(encoding="utf-8")
        frame.unlink()
        for page in pages:
            if posixpath.dirname(page.path) == folder:
                filled = (
                    text.replace(f"{folder}/{FRAME}", page.path.removesuffix(".html"))
                    .replace(_TITLE, escape(_set(page.title)))
                    .replace(_ANCHOR, make_id(page.title))
                    .replace(_BLOCK, page.text.strip())
                )
                (made / page.path).write_text(filled, encoding="utf-8")


def add_to_search(pages: Sequence[Page], app: Any) -> list[Any]:
    """Tell Sphinx of the filled pages in place of the frames, so that its search knows their words.

    For its event `html-collect-pages`, which wants a list of further pages to write: none.
    """
    from docutils import nodes
    from sphinx.util.docutils import new_document

    for folder in _folders(pages):
        app.env.clear_doc(f"{folder}/{FRAME}")
    for page in pages:
        name, shown = page.path.removesuffix(".html"), _set(page.title)
        title = nodes.title(page.title, shown)
        document = new_document(page.path)
        document += nodes.section("", title, nodes.raw("", page.text, format="html"))
        app.env.all_docs[name] = 0  # the time of reading; a page without one is left out
        app.env.titles[name] = title
        app.builder.indexer.feed(name, f"{name}.md", shown, document)
    return []


def _set(title: str) -> str:
    """A title as Sphinx sets it: with typographic quotes."""
    from docutils.utils.smartquotes import smartyPants

    return smartyPants(title, "qDe")


def _folders(pages: Sequence[Page]) -> list[str]:
    return sorted({posixpath.dirname(page.path) for page in pages})
