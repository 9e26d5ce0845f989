"""Runs of a notebook side by side: estimates and answers, for each notebook with several runs."""

from typing import Any

from capelib.figures.pages import render as render_figures
from capelib.files import part
from capelib.runs.comparison import COMPARISONS, Span, charts_of, in_cells, in_sentences, varied
from capelib.runs.parameters import in_words
from capelib.site.collection import Collection, FinishedRun
from capelib.site.markup import WIDE, Page, contents, front_matter, html, plain, render
from capelib.site.notebook_pages import alternative, short


def pages(collection: Collection) -> list[Page]:
    """Which pages compare runs? One a notebook with several runs, and a list of them."""
    groups = {name: runs for name, runs in collection.by_notebook.items() if len(runs) > 1}
    if not groups:
        return []
    entries = [f"{runs[0].heading[:2]} {short(runs[0])} <{name}>" for name, runs in groups.items()]
    text = (
        "# The same question, asked in several ways\n\nOther states, other definitions of "
        "authoritarian, doubtful cases left out: what changes?\n"
    )
    index = Page("comparisons/index.md", text + contents(*entries, hidden=False))
    return [index, *(_page(name, runs, collection) for name, runs in groups.items())]


def _page(notebook: str, runs: list[FinishedRun], collection: Collection) -> Page:
    """The page of a notebook."""
    folder = collection.figures / COMPARISONS / notebook
    names = varied([run.parameters for run in runs])
    labels = {run.name: in_words(run.parameters, names) for run in runs}
    spans: dict[str, Span] = {}
    rows = _rows(runs, labels, spans)
    charts = {
        chart: in_sentences(f"{len(runs)} runs side by side", shown, spans)
        for chart, shown in charts_of(spans).items()
        if collection.is_current and (folder / f"{chart}.svg").exists()
    }
    body = render(
        "comparison",
        runs=runs,
        notebook=notebook,
        labels=labels,
        charts=charts,
        table=render_figures("estimates_table", rows=rows) if rows else "",
        names=list(dict.fromkeys(name for run in runs for name in run.figures)),
        alternative=alternative,
    )
    files = {
        f"figures/{COMPARISONS}/{notebook}/{name}": folder / name
        for name in [f"{chart}.{kind}" for chart in charts for kind in ("svg", "csv")]
    }
    if charts:
        files[f"figures/{COMPARISONS}/{notebook}/provenance.json"] = folder / "provenance.json"
    title = f"# {plain(runs[0].heading)} The runs side by side\n"
    entries = [f"{run.differs} </notebooks/{run.name}>" for run in runs[1:]]
    return Page(
        f"comparisons/{notebook}.md",
        front_matter(**WIDE) + title + html(body) + contents(*entries),
        files,
    )


def _rows(
    runs: list[FinishedRun], labels: dict[str, str], spans: dict[str, Span]
) -> list[dict[str, Any]]:
    """The estimates of all runs, those of one name below each other, and how far each goes."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        label = labels[run.name]
        for row in part(run.answer, "estimates", list):
            name = row["estimate"]
            same = rows.setdefault(name, [])
            spans.setdefault(name, Span()).add(label, row)
            anchor = f"{run.anchor}.{list(rows).index(name)}"
            same.append(in_cells(row, label, anchor, f"../notebooks/{run.name}.html"))
    return [row for same in rows.values() for row in same]
