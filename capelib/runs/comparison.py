"""A page a notebook that ran more than once: estimates side by side, then every figure."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capelib.files import ANSWER, PROVENANCE, outputs_of, part, read_json, sha256
from capelib.runs.folders import put_in_place, staging
from capelib.runs.provenance import files_made, package_sha256, remember, state, unchanged
from capelib.runs.runner import folder_name
from capelib.vocabulary.codebook import PUBLIC_RECORD

if TYPE_CHECKING:
    from capelib.dataset import Info
    from capelib.runs.runner import Outcome

COMPARISONS = "comparisons"  # the folder of the pages, among those of the runs
COLUMNS = ["run", "estimate", "value", "low", "high", "n", "unit"]


def compare(outcomes: Sequence["Outcome"], out: Path, build: Path, own: bool = False) -> list[Path]:
    """How do the runs of each notebook that was run more than once differ?

    Parameters
    ----------
    outcomes
        As the runs ended; failed ones do not count.
    out
        The folder of the runs' folders.
    build
        The folder of records, as for `runner.reproduce`.
    own
        True where the runs are the reader's choice, not the default ones: the page says by its
        name which parameters differ, and does not stand in for the default page.

    Returns
    -------
    list of Path
        The pages, one a notebook. A page whose runs did not change is left as it is.
    """
    runs_of: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.status != "failed":
            runs_of.setdefault(folder_name(outcome.run.notebook), []).append(outcome)
    pages = []
    for notebook, runs in runs_of.items():
        if len(runs) < 2:
            continue
        varied = _varied(runs)
        folder = out / COMPARISONS / (f"{notebook}--{'+'.join(varied)}" if own else notebook)
        stated = {"runs": {run.run.name: sha256(run.folder / PROVENANCE) for run in runs}}
        expected = stated | {"capelib_sha256": package_sha256()}
        record = build / COMPARISONS / f"{folder.name}.json"
        if not unchanged(folder, expected, record):
            with staging(out) as made:
                _write(made, runs, varied)
                state(made, stated)
                put_in_place(made, folder, files_made(folder, record))
            remember(folder, expected, record)
        pages.append(folder / "index.html")
    return pages


def _varied(runs: Sequence["Outcome"]) -> list[str]:
    """The parameters that differ from run to run."""
    values = [outcome.run.parameters for outcome in runs]
    names = dict.fromkeys(name for each in values for name in each)
    return [name for name in names if len({str(each.get(name)) for each in values}) > 1]


def _write(folder: Path, runs: Sequence["Outcome"], varied: Sequence[str]) -> None:
    """Write the page and the chart on it."""
    import pandas as pd

    from capelib.figures import Page, save, save_page, side_by_side
    from capelib.figures.pages import render

    question = _question(runs[0].run.notebook)
    title = f"Notebook {question[:2]}: the runs side by side"
    shown = [_as_shown(outcome, varied) for outcome in runs]
    estimates = [row | {"run": run["label"]} for run in shown for row in run["estimates"]]
    if estimates:
        table = pd.DataFrame(estimates)[COLUMNS]
        chart = side_by_side(table, _info(runs), title, " and ".join(varied))
        save(chart, "estimates", folder)
    data = "; ".join(sorted({run["data"] for run in shown}))
    body = render(
        "comparison",
        title=title,
        question=question,
        about=f"{len(runs)} runs that differ in {' and '.join(varied)}. Data: {data}.",
        runs=shown,
        has_estimates=bool(estimates),
        figures=list(dict.fromkeys(figure for run in shown for figure in run["figures"])),
    )
    save_page(Page(title, body), "index", folder)


def _as_shown(outcome: "Outcome", varied: Sequence[str]) -> dict[str, Any]:
    """What the page shows of a run."""
    values = outcome.run.parameters
    answer = read_json(outcome.folder / ANSWER)
    return {
        "label": ", ".join(f"{name} {_text(values.get(name))}" for name in varied),
        "folder": outcome.folder.name,
        "answer": part(answer, "answer", str),
        "data": part(answer, "data", str),
        "estimates": part(answer, "estimates", list),
        "figures": figures_of(outcome.folder),
    }


def figures_of(folder: Path) -> list[str]:
    """Which figures did a run draw into a folder?"""
    return sorted(name[:-4] for name in outputs_of(folder) if name.endswith(".svg"))


def _info(runs: Sequence["Outcome"]) -> "Info":
    """What the runs rest on; several datasets in one line, SYNTHETIC where any of them is."""
    from capelib.loading import load

    named = [run.run.parameters for run in runs]
    sources = dict.fromkeys(
        (values.get("dataset", PUBLIC_RECORD), values.get("edition", "")) for values in named
    )
    infos = [load(source, edition=edition).info for source, edition in sources]
    if len(infos) == 1:
        return infos[0]
    synthetic = any(info.synthetic for info in infos)
    labels = dict.fromkeys(info.label for info in infos)
    return replace(
        infos[0],
        label="SYNTHETIC" if synthetic else " and ".join(labels),
        name=" and ".join(dict.fromkeys(info.name for info in infos)),
        edition=" and ".join(dict.fromkeys(info.edition for info in infos if info.edition)),
        sha256=" ".join(info.sha256 for info in infos),
        synthetic=synthetic,
    )


def _question(notebook: Path) -> str:
    """The first line of a notebook: its number and question."""
    for cell in read_json(notebook).get("cells", []):
        if cell["cell_type"] == "markdown":
            return "".join(cell["source"]).splitlines()[0].lstrip("# ")
    return notebook.stem


def _text(value: Any) -> str:
    """The value of a parameter in a label; of a path, the last part."""
    if isinstance(value, list):
        return "+".join(map(str, value))
    return Path(value).name if isinstance(value, str) and "/" in value else str(value)
