"""Runs of a notebook side by side: estimates and answers, for each notebook with several runs."""

from capelib.runs.comparison import COMPARISONS
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
    chart = folder / "estimates.svg"
    has_chart = collection.is_current and chart.exists()
    body = render(
        "comparison",
        runs=runs,
        notebook=notebook,
        chart=has_chart,
        names=list(dict.fromkeys(name for run in runs for name in run.figures)),
        alternative=alternative,
    )
    files = {}
    if has_chart:
        files = {
            f"figures/{COMPARISONS}/{notebook}/{name}": folder / name
            for name in ("estimates.svg", "estimates.csv", "provenance.json")
        }
    title = f"# {plain(runs[0].heading)} The runs side by side\n"
    entries = [f"{run.differs} </notebooks/{run.name}>" for run in runs[1:]]
    return Page(
        f"comparisons/{notebook}.md",
        front_matter(**WIDE) + title + html(body) + contents(*entries),
        files,
    )
