"""How to cite, what changed, how to contribute."""

from capelib import __version__
from capelib.site import documents
from capelib.site.collection import Collection
from capelib.site.figure_pages import citation, figures_of
from capelib.site.markup import Page, contents, html, render


def pages(collection: Collection) -> list[Page]:
    """The pages about the project."""
    cite = render(
        "cite",
        edition=collection.edition,
        year=collection.edition[:4],
        version=__version__,
        example=_example(collection),
        citation=documents.read("CITATION.cff"),
        has_ledger=bool(collection.verdicts),
    )
    entries = ("cite", "changes", "contributing", "many-machines")
    text = (
        "# About\n\nMade by [capelib](../index.md), a collection of notebooks and a Python "
        "package. Each number here comes from a run that anyone can repeat with "
        "`make reproduce`.\n"
    )
    return [
        Page("about/index.md", text + contents(*entries, hidden=False)),
        Page("about/cite.md", "# How to cite\n" + html(cite)),
        *(
            Page(place, documents.on_site(path, place))
            for path, place in (
                ("CHANGELOG.md", "about/changes.md"),
                ("CONTRIBUTING.md", "about/contributing.md"),
                ("docs/many-machines.md", "about/many-machines.md"),
            )
        ),
    ]


def _example(collection: Collection) -> str:
    """The citation of the first figure of the site."""
    for figures in figures_of(collection).values():
        for name, runs in figures.items():
            return citation(runs[0], name)
    return ""
