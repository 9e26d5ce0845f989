"""A page a notebook that ran more than once: a table of all estimates, then each run's figures."""

import csv
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capelib.files import ANSWER, PROVENANCE, outputs_of, part, read_json, read_provenance, sha256
from capelib.runs import kernels
from capelib.runs.folders import put_in_place, staging
from capelib.runs.parameters import in_words
from capelib.runs.provenance import files_made, package_sha256, remember, state, unchanged
from capelib.runs.runner import folder_name
from capelib.vocabulary.codebook import PUBLIC_RECORD

if TYPE_CHECKING:
    from capelib.dataset import Info
    from capelib.runs.runner import Outcome

COMPARISONS = "comparisons"  # the folder of the pages, among those of the runs
NUMBERS = ["value", "low", "high", "n"]
COLUMNS = ["run", "estimate", *NUMBERS, "unit", "folder"]
ESTIMATES = "estimates.csv"
MOST_LINES = 60  # of one chart, about 1,400 pixels: a run has one, a heading two
_here = threading.Lock()  # pages that this process draws itself: one at a time


def compare(
    outcomes: Sequence["Outcome"], out: Path, build: Path, own: bool = False, plain: bool = False
) -> list[Path]:
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
    plain
        Draw in this process. Otherwise each page has one of its own where processes can be forked:
        this one then needs none of the libraries that draw.

    Returns
    -------
    list of Path
        The pages, one a notebook. A page whose runs did not change is left as it is.

    Raises
    ------
    CapeError
        Where a page cannot be drawn or its folder not be written.
    """
    runs_of: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.status != "failed":
            runs_of.setdefault(folder_name(outcome.run.notebook), []).append(outcome)
    pages = []
    for notebook, runs in runs_of.items():
        if len(runs) < 2:
            continue
        names = varied([outcome.run.parameters for outcome in runs])
        folder = out / COMPARISONS / (f"{notebook}--{'+'.join(names)}" if own else notebook)
        stated = {"runs": {run.run.name: sha256(run.folder / PROVENANCE) for run in runs}}
        expected = stated | {"capelib_sha256": package_sha256()}
        record = build / COMPARISONS / f"{folder.name}.json"
        if not unchanged(folder, expected, record):
            with staging(out) as made:
                if kernels.available() and not plain:
                    kernels.call_apart(_write, made, runs, names)
                else:
                    with _here:
                        _write(made, runs, names)
                state(made, stated)
                put_in_place(made, folder, files_made(folder, record))
            remember(folder, expected, record)
        pages.append(folder / "index.html")
    return pages


def varied(values: Sequence[dict[str, Any]]) -> list[str]:
    """Which parameters differ from run to run?

    Parameters
    ----------
    values
        The parameters of each run.
    """
    names = dict.fromkeys(name for each in values for name in each)
    return [name for name in names if len({str(each.get(name)) for each in values}) > 1]


def _write(folder: Path, runs: Sequence["Outcome"], names: Sequence[str]) -> None:
    """Write the page run by run: its memory does not grow with their number."""
    from capelib.figures.pages import write

    question = _question(runs[0].run.notebook)
    title = f"Notebook {question[:2]}: {len(runs)} runs side by side"
    differ = " and ".join(name.replace("_", " ") for name in names)
    spans: dict[str, Span] = {}
    data = _write_estimates(folder, runs, names, spans)
    charts = _charts(folder, runs, title, differ, spans)
    numbers = {name: number for number, name in enumerate(spans)}
    write(
        "comparison",
        folder / "index.html",
        title=title,
        question=question,
        about=f"{len(runs)} runs that differ in {differ}. Data: {'; '.join(sorted(data))}.",
        count=sum(span.rows for span in spans.values()),
        charts=charts,
        rows=_rows(folder, numbers),
        runs=(_as_shown(run, names, numbers) for run in runs),
    )


class Span:
    """From where to where does an estimate go, over all runs?

    Attributes
    ----------
    rows : int
        How many runs give it.
    ends : list
        The smallest and the largest value, each in words, with its run.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.ends: list[tuple[float, str, str]] = []

    def add(self, run: str, row: dict[str, Any]) -> None:
        """Take one more run into account."""
        from capelib.vocabulary.numbers import value_and_interval

        self.rows += 1
        if row["value"] is None:
            return
        words, _ = value_and_interval(row["value"], None, None, row["unit"])
        values = [*self.ends, (row["value"], words, run)]
        self.ends = [min(values), max(values)]

    def __str__(self) -> str:
        if not self.ends:
            return "too few cases in every run"
        return " to ".join(dict.fromkeys(f"{words} ({run})" for _, words, run in self.ends))


def _write_estimates(
    folder: Path, runs: Sequence["Outcome"], names: Sequence[str], spans: dict[str, Span]
) -> set[str]:
    """Write the table of all estimates, and fill in how far they go: on which data do they rest?"""
    data = set()
    with (folder / ESTIMATES).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for outcome in runs:
            answer = read_json(outcome.folder / ANSWER)
            data.add(part(answer, "data", str))
            run = in_words(outcome.run.parameters, names)
            for row in part(answer, "estimates", list):
                spans.setdefault(row["estimate"], Span()).add(run, row)
                values = [run, row["estimate"], *(_digits(row[name]) for name in NUMBERS)]
                table.writerow([*values, row["unit"], outcome.folder.name])
    if not spans:
        (folder / ESTIMATES).unlink()
    return data


def _digits(number: float | None) -> str | float | None:
    return f"{number:.6g}" if isinstance(number, float) else number


def _charts(
    folder: Path, runs: Sequence["Outcome"], title: str, differ: str, spans: dict[str, Span]
) -> dict[str, str]:
    """Draw the estimates in one chart, or one each, or in none where it would have too many rows.

    Returns
    -------
    dict
        What each chart says, by its name.
    """
    import pandas as pd

    from capelib.figures import save, side_by_side

    parts = charts_of(spans)
    if not parts:
        return {}
    missing = {name: [""] for name in NUMBERS}
    table = pd.read_csv(folder / ESTIMATES, keep_default_na=False, na_values=missing)
    info = _info(runs)
    for chart, names in parts.items():
        shown = table[table["estimate"].isin(names)]
        save(side_by_side(shown, info, title, differ), chart, folder)
    return {chart: in_sentences(title, names, spans) for chart, names in parts.items()}


def charts_of(spans: dict[str, Span]) -> dict[str, list[str]]:
    """Which charts can be read? By name, the estimates in each: all in one, or one in each."""
    together = {"estimates": list(spans)}
    alone = {f"estimates_{number}": [name] for number, name in enumerate(spans, 1)}
    lines = {name: span.rows + 2 for name, span in spans.items()}
    parts = together if sum(lines.values()) <= MOST_LINES else alone
    return {
        chart: names
        for chart, names in parts.items()
        if names and sum(lines[name] for name in names) <= MOST_LINES
    }


def in_sentences(title: str, names: Iterable[str], spans: dict[str, Span]) -> str:
    """What does a chart say, for those who cannot see it?"""
    return f"{title}. " + "; ".join(f"{name}: {spans[name]}" for name in names)


def _rows(folder: Path, numbers: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows of the page's table, estimate by estimate, so that runs stand below each other."""
    for number, name in enumerate(numbers):
        with (folder / ESTIMATES).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row["estimate"] == name:
                    values = {each: float(row[each]) if row[each] else None for each in NUMBERS}
                    place = row["folder"]
                    yield in_cells(row | values, row["run"], f"{place}.{number}", f"#{place}")


def in_cells(row: dict[str, Any], run: str, anchor: str, href: str) -> dict[str, Any]:
    """What does the page's table show of an estimate?

    Parameters
    ----------
    row
        As answer.json holds it.
    run
        What differs in its run.
    anchor
        Of the row.
    href
        Where the run stands.

    Returns
    -------
    dict
        What the template `estimates_table` names.
    """
    from capelib.vocabulary.numbers import value_and_interval

    words, interval = value_and_interval(row["value"], row["low"], row["high"], row["unit"])
    n = "" if row["n"] is None else f"{row['n']:,.0f}"
    return {
        **row,
        "run": run,
        "id": anchor,
        "href": href,
        "words": words,
        "interval": interval,
        "n_words": n,
    }


def _as_shown(outcome: "Outcome", names: Sequence[str], numbers: dict[str, int]) -> dict[str, Any]:
    """What the page shows of a run."""
    answer = read_json(outcome.folder / ANSWER)
    titles = part(read_provenance(outcome.folder), "figures", dict)
    estimates = part(answer, "estimates", list)
    return {
        "label": in_words(outcome.run.parameters, names),
        "folder": outcome.folder.name,
        "row": f"{outcome.folder.name}.{numbers[estimates[0]['estimate']]}" if estimates else "",
        "answer": part(answer, "answer", str),
        "figures": {
            name: part(part(titles, name, dict), "title", str) or name.replace("_", " ")
            for name in figures_of(outcome.folder)
        },
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
