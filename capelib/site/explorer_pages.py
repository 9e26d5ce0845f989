"""The explorer: choose incidents, see them by year, on a map and one by one, take them along."""

from capelib.dataset import Dataset
from capelib.loading import PUBLIC_RECORD, load
from capelib.site.collection import Collection
from capelib.site.data_pages import flat_file
from capelib.site.explorer_data import ACTS, host_share_tables, record, script, world
from capelib.site.markup import WIDE, Page, front_matter, html, render
from capelib.vocabulary.codebook import codes

NOTEBOOK = "04_authoritarian_hosts"
LEFT_OUT = 2  # hosts with the most incidents, of which each is left out in turn
SCRIPTS = ("explorer_selection", "explorer_charts", "workbook", "explorer_files", "explorer")


def pages(collection: Collection) -> list[Page]:
    """The page of the explorer, with its data as scripts beside it."""
    ds = load(PUBLIC_RECORD, edition=collection.edition)
    content = record(ds)
    shown = sorted({*ds.incidents["origin"], *ds.incidents["host"].dropna()})
    largest = ds.where(stage=ACTS).incidents["host"].value_counts().index[:LEFT_OUT]
    files = {
        "explorer/data.js": script("CAPE_DATA", content),
        "explorer/world.js": script("CAPE_WORLD", world(shown)),
        "explorer/shares.js": script("CAPE_SHARES", host_share_tables(ds, list(largest))),
    }
    body = render(
        "explorer",
        info=ds.info,
        flat=flat_file(ds),
        searched=_searched(ds),
        stages=codes("stage"),
        notebook=NOTEBOOK if NOTEBOOK in collection.by_notebook else "",
        scripts=[
            *(name.removeprefix("explorer/") for name in files),
            *(f"../_static/{name}.js" for name in SCRIPTS),
        ],
    )
    text = front_matter(**WIDE) + "# Explorer\n" + html(body)
    return [Page("explorer/index.md", text, files)]


def _searched(ds: Dataset) -> str:
    """Which years were searched in full, in words."""
    spans: dict[tuple[int, int], list[str]] = {}
    for state in sorted(ds.incidents["origin"].unique()):
        span = (ds.covered_from(state), ds.covered_until(state))
        spans.setdefault(span, []).append(state)
    *few, most = sorted(spans.items(), key=lambda item: len(item[1]))
    words = [f"{first} to {last} for {', '.join(group)}" for (first, last), group in few]
    first, last = most[0]
    return ", ".join([*words, f"{first} to {last} for the others"])
