"""The front page, and the navigation of the whole site."""

from capelib.findings.verdicts import NEEDS_DATA
from capelib.site.collection import Collection
from capelib.site.markup import WIDE, Page, contents, front_matter, html, render

SECTIONS = (
    "Explorer <explorer/index>",
    "Published numbers <ledger/index>",
    "Notebooks <notebooks/index>",
    "Figures <figures/index>",
    "Methods <methods/index>",
    "Data <data/index>",
    "About <about/index>",
)


def pages(collection: Collection) -> list[Page]:
    """The front page."""
    judged = {each.finding_id for each in collection.verdicts if each.verdict != NEEDS_DATA}
    body = render(
        "front",
        groups=collection.by_notebook.values(),
        total=len({each.finding_id for each in collection.verdicts}),
        judged=len(judged),
        edition=collection.edition,
    )
    title = "# How states reach their critics abroad\n"
    sections = [each for each in SECTIONS if collection.verdicts or "ledger/" not in each]
    return [Page("index.md", front_matter(**WIDE) + title + html(body) + contents(*sections))]
