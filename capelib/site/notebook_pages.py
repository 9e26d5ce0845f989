"""Executed notebooks as pages: prose and figures first, code folded, tables in their own box."""

import json
import re
from pathlib import Path
from typing import Any

from markupsafe import Markup

from capelib.files import cells, read_json
from capelib.site.collection import Collection, FinishedRun, is_injected
from capelib.site.documents import linked
from capelib.site.markup import Page, contents, html, plain, render
from capelib.site.tables import readable

_TITLE_OF_CHART = re.compile(r"^<Chart: (.*)>$", re.DOTALL)


def pages(collection: Collection) -> list[Page]:
    """Which pages show the notebooks? One a run, and a list of them.

    Parameters
    ----------
    collection
        From `collect`.
    """
    made = [_index(collection)]
    for runs in collection.by_notebook.values():
        made += [_page(run, runs, collection) for run in runs]
    return made


def _index(collection: Collection) -> Page:
    """The list of notebooks with their answers."""
    groups = collection.by_notebook
    entries = [
        f"{runs[0].heading[:2]} {short(runs[0])} <{runs[0].name}>" for runs in groups.values()
    ]
    compared = ["The runs side by side </comparisons/index>"]
    taught = ["Lessons </lessons/index>"] if collection.is_current else []
    several = any(len(runs) > 1 for runs in groups.values())
    body = render("notebooks", groups=groups.values())
    text = (
        "# Notebooks\n\nEach asks one question, follows a publication, and says where it departs "
        "from it. The answer is computed when the notebook runs.\n"
    )
    if taught:
        text += (
            "To learn how such a notebook is read and made: [four lessons](../lessons/index.md).\n"
        )
    shown = contents(*entries, *(compared if several else []), *taught)
    return Page("notebooks/index.md", text + html(body) + shown)


def short(run: FinishedRun) -> str:
    """The question of a notebook without its number and its second sentence."""
    question = run.heading.partition(" ")[2]
    return re.split(r"(?<=[?.])\s", question)[0].replace("<", "").replace(">", "")


def _page(run: FinishedRun, siblings: list[FinishedRun], collection: Collection) -> Page:
    """The page of a run: prose of the notebook, outputs of the executed one."""
    outputs = iter(
        [
            cell.get("outputs", [])
            for cell in cells(run.executed)
            if cell["cell_type"] == "code" and not is_injected(cell)
        ]
    )
    place = f"notebooks/{run.name}.ipynb"
    shown = []
    for cell in cells(run.run.notebook):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            shown.append(prose(linked(source, f"notebooks/{run.run.notebook.name}", place)))
        elif cell["cell_type"] == "code":
            shown.append(_code(source, [_output(each, run) for each in next(outputs)]))
    if run.differs:
        note = f"This run differs from the notebook's defaults: **{plain(run.differs)}**."
        first, rest = shown[0]["source"].split("\n", 1)
        shown[0]["source"] = f"{first}: {plain(run.differs)}\n\n{note}\n{rest}"
    about = render("about_run", run=run, siblings=siblings, edition=collection.edition)
    shown.append(prose("## This run: parameters, files, citation\n" + html(about)))
    hidden = {"nosearch": True} if run.differs else {}  # it says almost the same as the first run
    files = {
        f"figures/{run.name}/{path.name}": path
        for path in sorted(run.folder.iterdir())
        if path.name in run.provenance["outputs"] and path.suffix != ".html"
    }
    files[f"figures/{run.name}/provenance.json"] = run.folder / "provenance.json"
    if not run.differs:
        files[f"downloads/{run.run.notebook.name}"] = without_outputs(run.run.notebook)
    return Page(place, as_document(shown, **hidden), files)


def without_outputs(notebook: Path) -> bytes:
    """A notebook to run, without what it gave on the data of another day: the page shows that."""
    document = read_json(notebook)
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def as_document(shown: list[dict[str, Any]], **metadata: Any) -> str:
    """Cells as a notebook that Sphinx reads; metadata such as `nosearch=True` is of the page."""
    kernel = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    document = {
        "cells": shown,
        "metadata": kernel | metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document)


def prose(source: str) -> dict[str, Any]:
    """A cell of Markdown."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": ["hide-input"]},
        "outputs": outputs,
        "source": source,
    }


def _output(output: dict[str, Any], run: FinishedRun) -> dict[str, Any]:
    """An output of a run: a figure as its committed SVG, everything else as `shown_output`."""
    title = _TITLE_OF_CHART.match("".join(output.get("data", {}).get("text/plain", [])))
    if title and title[1] in run.figures.values():
        name = next(name for name, text in run.figures.items() if text == title[1])
        return _display({"text/html": figure(run, name, "../")})
    return shown_output(output)


def shown_output(output: dict[str, Any]) -> dict[str, Any]:
    """An output as the site shows it: HTML with tables in boxes, else as it is."""
    data = output.get("data", {})
    if "text/html" in data:
        return _display({"text/html": readable("".join(data["text/html"]))})
    count = {"execution_count": None} if output["output_type"] == "execute_result" else {}
    return {key: value for key, value in output.items() if key != "execution_count"} | count


def _display(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": data}


def figure(run: FinishedRun, name: str, root: str) -> Markup:
    """A figure of a run with its text for those who cannot see it.

    Parameters
    ----------
    run
    name
        Of the figure.
    root
        The way from the page to the site's folder, such as "../".
    """
    return render("figure", run=run, name=name, root=root, alt=alternative(run, name))


def alternative(run: FinishedRun, name: str) -> str:
    """What does the picture say? Its title, and the notebook's computed answer."""
    return f"{run.figures[name]} {run.answer.get('answer', '')}".strip()
