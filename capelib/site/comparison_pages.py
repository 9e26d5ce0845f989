"""Runs of a notebook side by side: estimates and answers, for each notebook with several runs."""

from typing import Any

from markupsafe import Markup

from capelib.figures.pages import render as render_figures
from capelib.files import part
from capelib.runs.comparison import COMPARISONS, in_cells
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
    charts = sorted(folder.glob("estimates*.svg")) if collection.is_current else []
    body = render(
        "comparison",
        runs=runs,
        notebook=notebook,
        charts=[chart.stem for chart in charts],
        table=_table(runs),
        names=list(dict.fromkeys(name for run in runs for name in run.figures)),
        alternative=alternative,
    )
    shown = [*charts, *folder.glob("estimates*.csv"), folder / "provenance.json"] if charts else []
    files = {f"figures/{COMPARISONS}/{notebook}/{path.name}": path for path in shown}
    title = f"# {plain(runs[0].heading)} The runs side by side\n"
    entries = [f"{run.differs} </notebooks/{run.name}>" for run in runs[1:]]
    return Page(
        f"comparisons/{notebook}.md",
        front_matter(**WIDE) + title + html(body) + contents(*entries),
        files,
    )


def _table(runs: list[FinishedRun]) -> Markup | str:
    """The estimates of all runs, those of one name below each other; "" where there are none."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        for row in part(run.answer, "estimates", list):
            same = rows.setdefault(row["estimate"], [])
            anchor = f"{run.anchor}.{list(rows).index(row['estimate'])}"
            shown = run.differs or "defaults"
            same.append(in_cells(row, shown, anchor, f"../notebooks/{run.name}.html"))
    every = [row for same in rows.values() for row in same]
    return render_figures("estimates_table", rows=every) if every else ""
