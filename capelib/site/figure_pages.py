"""The gallery: a page for each figure of a notebook, with every run that drew it."""

from capelib import __version__
from capelib.site.collection import Collection, FinishedRun
from capelib.site.markup import WIDE, Page, contents, front_matter, html, plain, render
from capelib.site.notebook_pages import alternative, short


def pages(collection: Collection) -> list[Page]:
    """Which pages show the figures? A gallery, and one a figure of a notebook."""
    drawn = figures_of(collection)
    made = [_page(name, runs) for figures in drawn.values() for name, runs in figures.items()]
    groups = [
        (runs[0], drawn[notebook], short(runs[0]))
        for notebook, runs in collection.by_notebook.items()
    ]
    body = render("gallery", groups=groups, alternative=alternative)
    text = front_matter(**WIDE) + (
        "# Figures\n\nEach leads to its notebook, the data behind it (CSV), its parameters, where "
        "it comes from, how to cite it, and the same figure for other states or definitions.\n"
    )
    entries = [page.path.removeprefix("figures/").removesuffix(".md") for page in made]
    return [Page("figures/index.md", text + html(body) + contents(*entries)), *made]


def figures_of(collection: Collection) -> dict[str, dict[str, list[FinishedRun]]]:
    """By notebook and figure, the runs that drew it, that with the defaults first."""
    drawn: dict[str, dict[str, list[FinishedRun]]] = {}
    for notebook, runs in collection.by_notebook.items():
        figures = drawn.setdefault(notebook, {})
        for run in runs:
            for name in run.figures:
                figures.setdefault(name, []).append(run)
    return drawn


def citation(run: FinishedRun, name: str) -> str:
    """How is a figure of a run cited?"""
    edition = run.answer.get("edition", "")
    which = f"figure {name} of {run.notebook}" + (f" ({run.differs})" if run.differs else "")
    return (
        f"capelib contributors ({edition[:4]}). “{run.figures[name]}”, {which}. "
        f"capelib {__version__}, public record, edition {edition}."
    )


def _page(name: str, runs: list[FinishedRun]) -> Page:
    """The page of a figure."""
    first = runs[0]
    helpers = {"alternative": alternative, "citation": citation}
    body = render("figure_page", runs=runs, name=name, **helpers)
    title = f"# {plain(first.figures[name])}\n"
    return Page(f"figures/{first.notebook}/{name}.md", front_matter(**WIDE) + title + html(body))
