"""What the command shows: tables when a person reads, plain lines when output is piped."""

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from capelib.check.summary import Section
    from capelib.dataset import Dataset, Info
    from capelib.findings.verdicts import Verdicts
    from capelib.runs.execute import Run
    from capelib.runs.runner import Outcome

UNKNOWN = 1e5  # seconds: as many or more stand for "never run before"


def _console(error: bool = False) -> Console:
    console = Console(stderr=error, highlight=False, markup=False)  # what is shown comes from files
    if not console.is_terminal:
        console.width = 160  # a pipe has no width of its own
    return console


def _grid(names: Sequence[str], title: str | None = None) -> Table:
    """A table with a line between its rows, and cells that are folded where they are too long."""
    grid = Table(title=title, title_justify="left", show_lines=True)
    for name in names:
        grid.add_column(name, overflow="fold")
    return grid


class Progress:
    """What runs, what is done, and when it will end; a line for each failure at once.

    No bar when output is piped.
    """

    def __init__(self, seconds: dict[str, float], jobs: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        console = _console(error=True)
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        self._bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._left, self._jobs = dict(seconds), max(jobs, 1)
        self._running: dict[str, float] = {}
        self._task = self._bar.add_task("", total=len(seconds))

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def started(self, run: "Run") -> None:
        """A run has begun."""
        self._running[run.name] = time.monotonic()
        self._show()

    def ended(self, outcome: "Outcome") -> None:
        """A run has ended."""
        self._running.pop(outcome.run.name, None)
        self._left.pop(outcome.run.name, None)
        self._bar.advance(self._task)
        if outcome.status == "failed":
            self._bar.console.print(f"failed: {outcome.run.name}: {outcome.error}")
        self._show()

    def _show(self) -> None:
        known = [seconds for seconds in self._left.values() if seconds < UNKNOWN]
        mean = sum(known) / len(known) if known else 0.0
        seconds = [each if each < UNKNOWN else mean for each in self._left.values()]
        left = sum(seconds) / self._jobs
        end = f", about {left:.0f} s left" if left else ""
        self._bar.update(self._task, description=f"running {', '.join(self._running) or '-'}{end}")


# ------------------------------------------------------------ runs


def table(outcomes: list["Outcome"], pages: list[Path]) -> None:
    """What ran, figures, answers, verdicts, and the pages where runs stand side by side."""
    console = _console()
    console.print(_runs(outcomes))
    _verdicts(console, outcomes)
    contradictions = list(dict.fromkeys(note for outcome in outcomes for note in outcome.notes))
    if contradictions:
        console.print("Published numbers that contradict each other:")
        for note in contradictions:
            console.print(f"  {note}")
    for page in pages:
        console.print(f"side by side: {page}")
    for outcome in outcomes:
        if outcome.status == "failed":
            console.print(f"failed: {outcome.run.name}: {outcome.error}")
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    same = sum(outcome.status == "unchanged" for outcome in outcomes)
    done = len(outcomes) - failed - same
    console.print(f"{len(outcomes)} runs: {done} done, {same} unchanged, {failed} failed.")


def _runs(outcomes: list["Outcome"]) -> Table:
    grid = _grid(("notebook", "status", "figures and tables", "found"), "What ran")
    for outcome in outcomes:
        status, figures = outcome.status, ""
        if status != "unchanged":
            status += f"\n{outcome.seconds:.1f} s"
        if outcome.status != "failed":
            figures = "\n".join(path.name for path in sorted(outcome.folder.glob("*.svg")))
        answer = outcome.answer or outcome.error
        grid.add_row(outcome.run.name, status, f"{outcome.folder}/\n{figures}", answer)
    return grid


def _verdicts(console: Console, outcomes: list["Outcome"]) -> None:
    """The verdicts of the runs with default parameters; the others have pages of their own."""
    verdicts = [(outcome.run.name, row) for outcome in outcomes for row in outcome.verdicts]
    defaults = {outcome.run.notebook.stem for outcome in outcomes}
    chosen = [(run, row) for run, row in verdicts if run in defaults] or verdicts
    labels: set[str] = set()
    runs_of: dict[tuple[str, ...], list[str]] = {}
    for run, row in chosen:
        if row["value"] is None or row["verdict"] == "too few cases":
            continue
        labels.add(row["label"])
        statement = row["statement"]
        if row["reading"]:
            statement += f" Read as: {row['reading']}."
        cells = (row["published"], statement, row["here"], row["verdict"], row["reason"])
        runs_of.setdefault(cells, []).append(run)
    if not runs_of:
        return
    title = f"Which published numbers hold? (data: {', '.join(sorted(labels))})"
    names = ("published", "statement", "here, 95 % interval", "verdict", "reason", "runs")
    grid = _grid(names, title)
    for cells, runs in runs_of.items():
        grid.add_row(*cells, "\n".join(runs))
    console.print(grid)
    console.print(
        "Numbers for which there are too few cases, or which need other data, are not shown: "
        "see `cape findings`."
    )


# ------------------------------------------------------------ a user's table


def checked(ds: "Dataset") -> None:
    """What was made of a user's table, on one page."""
    from capelib.check import summary

    console = _console()
    _sections(console, summary.page(ds))
    console.print(f"\n{summary.PROMISE}")
    if cells := summary.cells(ds):
        console.print(cells)


def problems(ds: "Dataset") -> None:
    """What had to be set aside of a user's table, before something rests on it.

    A few lines on the error stream.
    """
    from capelib.check import summary

    unsure = summary.unsure(ds)
    if len(ds.set_aside) or unsure:
        console = _console(error=True)
        more = f" With {unsure}; see `cape check`." if unsure else ""
        console.print(f"{summary.plain_cell(ds.info.name)}: {summary.counted(ds)}{more}")
        _sections(console, summary.short(ds))


def _sections(console: Console, sections: "Iterable[Section]") -> None:
    for section in sections:
        if section.lines:
            console.print(f"\n{section.title}", style="bold")
            grid = Table.grid(padding=(0, 2))
            grid.add_column(no_wrap=True, min_width=10)
            grid.add_column(overflow="fold")
            for label, text in section.lines:
                grid.add_row(f"  {label}", text)
            console.print(grid)


# ------------------------------------------------------------ published numbers


def findings(verdicts: "Verdicts", info: "Info") -> None:
    """Every published number with its verdict, grouped by publication; contradictions first."""
    from capelib.findings import MEANING, Verdict, address, by_finding, reference, relations

    console = _console()
    names = ("what would have to hold", "in numbers", "what to make of it")
    contradictions = _grid(names, "Published numbers that contradict each other")
    for relation in relations():
        if relation.verdict == "contradiction":
            contradictions.add_row(relation.statement, relation.sides, relation.why)
    console.print(contradictions)
    widths = {"published": 14, "statement": 60, "here": 26, "verdict": 15, "reason": None}
    for key, rows in verdicts.frame.groupby("publication", sort=False):
        console.print(f"\n{reference(key)}", style="bold")
        console.print(address(key))
        grid = Table(show_edge=False, pad_edge=False)
        for name, width in widths.items():
            grid.add_column(name, overflow="fold", max_width=width)
        for row in rows.itertuples(index=False):
            mark = "\n(contradiction)" if row.arithmetic == "contradiction" else ""
            statement = Verdict(**row._asdict()).said
            verdict = row.verdict + mark
            grid.add_row(row.published, statement, row.here or "-", verdict, row.reason)
        console.print(grid)
    console.print(f"\nData at hand: {info.source_line}.")
    for name, n in by_finding(verdicts).value_counts().items():
        console.print(f"  {n:>4} {name}: {MEANING[str(name)]}")


def relations_table(rows: "pd.DataFrame") -> None:
    """The relations between published numbers for people: what cannot hold first."""
    console = _console()
    names = ("verdict", "what would have to hold", "in numbers", "what to make of it")
    grid = _grid(names, "Relations between published numbers")
    for row in rows.sort_values("verdict", ascending=False, kind="stable").itertuples():
        grid.add_row(row.verdict, row.statement, row.sides, row.why)
    console.print(grid)
    between = rows[~rows["derived"]]
    held = int((between["verdict"] == "consistent").sum())
    console.print(
        f"{len(between)} relations between published numbers: {held} consistent, "
        f"{len(between) - held} contradictions."
    )
    console.print(
        f"{int(rows['derived'].sum())} more only say what follows from the numbers; "
        "no publication can contradict them."
    )


# ------------------------------------------------------------ frames, a dataset, the codebook


def frame(rows: "pd.DataFrame", form: str) -> None:
    """A table for machines on standard output. form: "csv" or "json"."""
    if form == "csv":
        sys.stdout.write(rows.to_csv(index=False, lineterminator="\n"))
    else:
        print(rows.to_json(orient="records", indent=1, force_ascii=False, double_precision=12))


def describe(ds: "Dataset") -> None:
    """A dataset on one screen."""
    years, hosts = ds.incidents["year"], ds.incidents["host"]
    span = "no years"
    if years.notna().any():
        span = f"{years.min()}-{years.max()}; {years.isna().sum()} incidents without a year"
    rows = {
        "dataset": ds.info.title,
        "whose": ds.info.label,
        "edition": ds.info.edition or "not stated",
        "licence": ds.info.licence,
        "sha256": ds.info.sha256,
        "rows": ", ".join(f"{count:,} {name}" for name, count in ds.info.rows.items()),
        "years": span,
        "origins": _most_frequent(ds.incidents["origin"]),
        "hosts": f"{_most_frequent(hosts)}; {hosts.isna().sum()} incidents without a host",
        "set aside": f"{len(ds.set_aside)} rows",
    }
    grid = Table(show_header=False, box=None)
    for name, value in rows.items():
        grid.add_row(name, value)
    _console().print(grid)


def _most_frequent(states: "pd.Series") -> str:
    counts = states.value_counts()
    listed = ", ".join(f"{state} {count}" for state, count in counts.head(8).items())
    return f"{len(counts)} states: {listed}{' ...' if len(counts) > 8 else ''}"


def meanings(rows: list[tuple[str, str, str]]) -> None:
    """Rows of the codebook as a table."""
    grid = Table("in", "name", "meaning")
    for row in rows:
        grid.add_row(*row)
    _console().print(grid)
