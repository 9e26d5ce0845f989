"""A table of one's own, read step by step: what the page shows is what the program did."""

import csv
import io
import tempfile
from pathlib import Path

from capelib.loading import load
from capelib.site.markup import html, render

# A table as somebody may keep it. It is made up: the keys are those of nobody.
ROWS = (
    ("Case", "Sender country", "Found in", "Day", "What happened"),
    ("X-1", "Uzbekistan", "Russia", "spring 2015", "arrested"),
    ("X-1", "Uzbekistan", "Russia", "2015-09", "sent back by extradition"),
    ("X-2", "Tadjikistan", "Türkiye", "03.04.2016", "kidnapped"),
    ("X-3", "Kazakhstan", "Atlantis", "2017", "threatened"),
)
LAYOUT = """\
name = "mine"
[columns]
exile_id = "Case"
origin = "Sender country"
host = "Found in"
date = "Day"
measure = "What happened"
[values.measure]
"arrested" = "detention"
"sent back by extradition" = "extradition"
"""
SHOWN = ["exile_id", "origin", "host", "date", "measure"]


def example() -> str:
    """The example as part of a page: the table, the layout, and what capelib makes of them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        table, layout = Path(folder, "mine.csv"), Path(folder, "mine.toml")
        table.write_text(text.getvalue(), encoding="utf-8")
        layout.write_text(LAYOUT, encoding="utf-8")
        ds = load(table, layout=str(layout))
    body = render(
        "worked_example",
        table=text.getvalue(),
        layout=LAYOUT,
        incidents=ds.incidents[SHOWN].astype(object).fillna("").to_dict("split"),
        changes=ds.changes[["row", "column", "value", "made", "rule", "severity"]]
        .astype(object)
        .fillna("")
        .to_dict("split"),
        set_aside=ds.set_aside[["row", "why"]].astype(object).to_dict("split"),
    )
    return "## A worked example\n" + html(body)
