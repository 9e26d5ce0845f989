"""The data: what it is, the codebook, editions, downloads, and a table of one's own."""

import io

from capelib.dataset import Dataset
from capelib.export import as_csv, as_workbook, open_addresses
from capelib.loading import PUBLIC_RECORD, load
from capelib.site import documents
from capelib.site.collection import Collection
from capelib.site.markup import Page, contents, html, plain, render
from capelib.site.worked_example import example
from capelib.vocabulary.codebook import codebook

TABLES = ("incidents", "exiles", "sources")


def pages(collection: Collection) -> list[Page]:
    """The pages about the data, with the tables of the edition to download."""
    ds = load(PUBLIC_RECORD, edition=collection.edition)
    entries = (
        "What is in it <record>",
        "Codebook <codebook>",
        "Editions <editions>",
        "Bring your own table <your-own-table>",
    )
    body = render(
        "data", info=ds.info, tables=TABLES, flat=flat_file(ds), missing=hidden_addresses(ds)
    )
    index = "# Data\n" + html(body) + contents(*entries)
    own = documents.on_site("docs/your-own-table.md", "data/your-own-table.md")
    title, rest = own.split("\n", 1)
    return [
        Page("data/index.md", index, downloads(ds)),
        Page("data/record.md", documents.on_site("data/README.md", "data/record.md")),
        Page("data/editions.md", documents.on_site("docs/editions.md", "data/editions.md")),
        Page("data/your-own-table.md", f"{title}\n\n{example()}\n{rest}"),
        _codebook(),
    ]


def hidden_addresses(ds: Dataset) -> int:
    """How many sources have an address that holds a name?"""
    marked = ds.sources.get("name_in_address")
    return int(marked.fillna(False).astype(bool).sum()) if marked is not None else 0


def downloads(ds: Dataset) -> dict[str, bytes]:
    """The tables of an edition as they are loaded, so without what was withdrawn.

    Beside them the flat table in words, as a workbook and as CSV.

    Parameters
    ----------
    ds
        The public record. Addresses of sources that hold a name are left blank; earlier editions
        do not mark them, so that none of theirs is handed on.
    """
    files = {}
    for name in TABLES:
        frame = getattr(ds, name)
        known = codebook()["table"][name]["column"]
        frame = frame[[column for column in frame if column in known]]
        if name == "sources":
            frame = frame.assign(url=open_addresses(frame))
        text = io.StringIO()
        frame.to_csv(text, index=False, lineterminator="\n")
        files[f"downloads/{name}.csv"] = text.getvalue().encode()
    for ending, write in (("xlsx", as_workbook), ("csv", as_csv)):
        files[f"downloads/{flat_file(ds)}.{ending}"] = write(ds)
    return files


def flat_file(ds: Dataset) -> str:
    """The name of the flat table's files, without ending."""
    return f"public_record_{ds.info.edition}"


def _codebook() -> Page:
    """The codebook: tables with their columns, lists of codes, what is not safe to rest on."""
    book = codebook()
    text = [
        "# Codebook\n\nWhat each table, column and code means. Validation, error messages and "
        "`cape codebook` are made from the same file.\n",
        "## Tables\n",
    ]
    for name, table in book["table"].items():
        text.append(f"### {plain(table['title'])}\n")
        text.append(html(render("codebook_table", name=name, table=table)))
    text.append("## Codes\n")
    for name, entries in book["codes"].items():
        text.append(f"### {plain(name.replace('_', ' '))}\n")
        text.append(html(render("codebook_codes", name=name, entries=entries)))
    text.append("## What is not safe to rest a claim on\n")
    text.append(html(render("codebook_not_safe", entries=book["not_safe"].values())))
    return Page("data/codebook.md", "\n".join(text))
