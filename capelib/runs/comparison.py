"""A page a swept notebook: its runs side by side, estimates first, then every figure."""

from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capelib.files import ANSWER, PROVENANCE, read_json
from capelib.runs import reach
from capelib.runs.provenance import remember, sha256, state, unchanged
from capelib.vocabulary.codebook import PUBLIC_RECORD

if TYPE_CHECKING:
    from capelib.dataset import Info
    from capelib.runs.runner import Outcome

ROOM = "comparisons"


def compare(outcomes: list["Outcome"], out: Path, build: Path, own: bool = False) -> list[Path]:
    """Put the runs of each notebook that was run more than once side by side. Returns the pages, one a notebook.

    out: the folder of the runs' folders. build: the folder of records, as for `runner.reproduce`. own: the runs are the reader's choice, not the default ones: the page says by its name
    which parameters differ, and does not stand in for the default page. A page whose runs did not change is left as it is.
    """
    pages = []
    for stem in dict.fromkeys(outcome.run.notebook.stem for outcome in outcomes):
        runs = [
            outcome
            for outcome in outcomes
            if outcome.run.notebook.stem == stem and outcome.status != "failed"
        ]
        if len(runs) < 2:
            continue
        varied = [
            name
            for name in runs[0].run.parameters
            if len({str(each.run.parameters[name]) for each in runs}) > 1
        ]
        folder = out / ROOM / (f"{stem}--{'+'.join(varied)}" if own else stem)
        stated = {"runs": {each.run.name: sha256(each.folder / PROVENANCE) for each in runs}}
        expected = stated | {"capelib_sha256": reach.sha256(f"import {__name__}")}
        record = build / ROOM / f"{folder.name}.json"
        if not unchanged(folder, expected, record):
            _write(folder, runs, varied, stated)
            remember(folder, expected, record)
        pages.append(folder / "index.html")
    return pages


def _write(folder: Path, runs: list["Outcome"], varied: list[str], stated: dict[str, Any]) -> None:
    import pandas as pd

    from capelib.figures import Page, save, save_page, side_by_side

    question = _title(runs[0].run.notebook)
    title = f"Notebook {question[:2]}: the runs side by side"
    labels = [
        ", ".join(f"{name} {_text(each.run.parameters[name])}" for name in varied) for each in runs
    ]
    found = [read_json(each.folder / ANSWER) for each in runs]
    data = sorted({answer.get("data", "") for answer in found})
    about = f"{len(runs)} runs that differ in {' and '.join(varied)}. Data: {'; '.join(data)}."
    rows = [
        row | {"run": label}
        for label, answer in zip(labels, found, strict=True)
        for row in answer.get("estimates", [])
    ]
    body = [
        f"<h1>{escape(title)}</h1><p>{escape(question)}<br>{escape(about)}</p>",
        _answers(runs, labels, found),
    ]
    if rows:
        estimates = pd.DataFrame(rows)[["run", "estimate", "value", "low", "high", "n", "unit"]]
        save(side_by_side(estimates, _info(runs), title, " and ".join(varied)), "estimates", folder)
        body.append(
            '<img src="estimates.svg" alt="The main estimates of each run, with 95 % intervals">'
        )
    for name in dict.fromkeys(
        path.stem for each in runs for path in sorted(each.folder.glob("*.svg"))
    ):
        body.append(_gallery(name, runs, labels))
    save_page(Page(title, "\n".join(body)), "index", folder)
    there = {
        "index.html",
        PROVENANCE,
        *(f"estimates.{form}" for form in ("svg", "png", "csv") if rows),
    }
    for old in folder.iterdir():
        if old.name not in there:
            old.unlink()
    state(folder, stated)


def _info(runs: list["Outcome"]) -> "Info":
    """What the runs rest on: one dataset, or several in one line; SYNTHETIC where any of them is."""
    from capelib.dataset import load

    found = [
        load(source).info
        for source in dict.fromkeys(
            each.run.parameters.get("dataset", PUBLIC_RECORD) for each in runs
        )
    ]
    if len(found) == 1:
        return found[0]
    label = (
        "SYNTHETIC"
        if any(info.synthetic for info in found)
        else " and ".join(dict.fromkeys(info.label for info in found))
    )
    name, digest = (
        " and ".join(info.name for info in found),
        " ".join(info.sha256 for info in found),
    )
    return replace(
        found[0],
        label=label,
        name=name,
        edition="",
        sha256=digest,
        synthetic=any(info.synthetic for info in found),
    )


def _answers(runs: list["Outcome"], labels: list[str], found: list[dict[str, Any]]) -> str:
    rows = [
        f'<tr><th><a href="../../{escape(each.folder.name)}/">{escape(label)}</a></th><td>{escape(answer.get("answer", ""))}</td></tr>'
        for each, label, answer in zip(runs, labels, found, strict=True)
    ]
    return f"<table>{''.join(rows)}</table>"


def _gallery(name: str, runs: list["Outcome"], labels: list[str]) -> str:
    """One figure of every run, two beside each other."""
    pictures = [
        f'<figure><figcaption>{escape(label)}</figcaption><img src="../../{escape(each.folder.name)}/{name}.svg" alt="{name}"></figure>'
        for each, label in zip(runs, labels, strict=True)
        if (each.folder / f"{name}.svg").exists()
    ]
    return f'<h2>{name.replace("_", " ")}</h2><div class="beside">{"".join(pictures)}</div>'


def _title(notebook: Path) -> str:
    """The first line of a notebook: its number and question."""
    for cell in read_json(notebook).get("cells", []):
        if cell["cell_type"] == "markdown":
            return "".join(cell["source"]).splitlines()[0].lstrip("# ")
    return notebook.stem


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    return Path(value).name if isinstance(value, str) and "/" in value else str(value)
