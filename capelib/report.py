"""What the command shows: tables when a person reads, plain lines when output is piped."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from capelib.check import Checked
    from capelib.check_summary import Section
    from capelib.dataset import Dataset, Info
    from capelib.findings.verdicts import Verdicts
    from capelib.runs.runner import Outcome, Run


def _console(error: bool = False) -> Console:
    console = Console(stderr=error, highlight=False, markup=False)  # what is shown comes from files
    if not console.is_terminal:
        console.width = 160  # a pipe has no width of its own
    return console


class Progress:
    """What runs, what is done, what is left and when it will end; a line for each failure at once. No bar when output is piped."""

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
        known = [seconds for seconds in self._left.values() if seconds < 1e5]
        mean = sum(known) / len(known) if known else 0.0
        left = (
            sum(seconds if seconds < 1e5 else mean for seconds in self._left.values()) / self._jobs
        )
        end = f", about {left:.0f} s left" if left else ""
        self._bar.update(self._task, description=f"running {', '.join(self._running) or '-'}{end}")


def table(outcomes: list["Outcome"], pages: list[Path]) -> None:
    """What ran, where each figure is, what was found, what the published numbers come to, and where runs stand side by side."""
    console = _console()
    ran = Table(title="What ran", title_justify="left", show_lines=True)
    for name in ("notebook", "status", "figures and tables", "found"):
        ran.add_column(name, overflow="fold")
    for outcome in outcomes:
        status = (
            outcome.status
            if outcome.status == "unchanged"
            else f"{outcome.status}\n{outcome.seconds:.1f} s"
        )
        figures = (
            "\n".join(path.name for path in sorted(outcome.folder.glob("*.svg")))
            if outcome.status != "failed"
            else ""
        )
        ran.add_row(
            outcome.run.name,
            status,
            f"{outcome.folder}/\n{figures}",
            outcome.answer or outcome.error,
        )
    console.print(ran)
    verdicts = [(outcome.run.name, row) for outcome in outcomes for row in outcome.verdicts]
    defaults = {
        outcome.run.notebook.stem for outcome in outcomes
    }  # runs with other parameters stand side by side on their pages
    shown = [(run, row) for run, row in verdicts if run in defaults] or verdicts
    spoken = [
        (run, row)
        for run, row in shown
        if row["value"] is not None and row["verdict"] != "too few cases"
    ]
    if spoken:
        whose = ", ".join(sorted({row["label"] for _, row in spoken}))
        judged = Table(
            title=f"Which published numbers hold? (data: {whose})",
            title_justify="left",
            show_lines=True,
        )
        for name in ("published", "statement", "here, 95 % interval", "verdict", "reason", "runs"):
            judged.add_column(name, overflow="fold")
        runs_of: dict[tuple[str, ...], list[str]] = {}
        for run, row in spoken:
            said = (
                f"{row['statement']} Read as: {row['reading']}."
                if row["reading"]
                else row["statement"]
            )
            runs_of.setdefault(
                (row["published"], said, row["here"], row["verdict"], row["reason"]), []
            ).append(run)
        for cells, runs in runs_of.items():
            judged.add_row(*cells, "\n".join(runs))
        console.print(judged)
        console.print(
            "Numbers for which there are too few cases, or which need other data, are not shown: see `cape findings`."
        )
    check_summary = list(dict.fromkeys(note for outcome in outcomes for note in outcome.notes))
    if check_summary:
        console.print("Published numbers that contradict each other:")
        for note in check_summary:
            console.print(f"  {note}")
    for page in pages:
        console.print(f"side by side: {page}")
    for outcome in outcomes:
        if outcome.status == "failed":
            console.print(f"failed: {outcome.run.name}: {outcome.error}")
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    same = sum(outcome.status == "unchanged" for outcome in outcomes)
    console.print(
        f"{len(outcomes)} runs: {len(outcomes) - failed - same} done, {same} unchanged, {failed} failed."
    )


def checked(found: "Checked") -> None:
    """The page of notes on a table of one's own."""
    from capelib import check_summary

    _sections(_console(), check_summary.page(found))


def problems(found: "Checked") -> None:
    """Before something rests on a user's table: what had to be set aside of it, in a few lines on the error stream."""
    from capelib import check_summary

    unsure = check_summary.unsure(found)
    if len(found.clean.set_aside) or unsure:
        console = _console(error=True)
        more = f" With {unsure}; see `cape check`." if unsure and found.matches else ""
        console.print(
            f"{check_summary.plain_cell(found.name)}: {check_summary.counted(found)}{more}"
        )
        _sections(console, check_summary.short(found))


def _sections(console: Console, sections: "Iterable[Section]") -> None:
    for section in sections:
        if section.lines:
            console.print(f"\n{section.title}", style="bold")
            grid = Table.grid(padding=(0, 2))
            grid.add_column(no_wrap=True, min_width=10)
            grid.add_column(overflow="fold")
            for label, said in section.lines:
                grid.add_row(f"  {label}", said)
            console.print(grid)


def findings(found: "Verdicts", info: "Info") -> None:
    """Every published number with its verdict, grouped by publication; contradictions first."""
    from capelib.findings import MEANING, Verdict, address, by_finding, reference, relations

    console = _console()
    against = [relation for relation in relations() if relation.verdict == "contradiction"]
    split = Table(
        title="Published numbers that contradict each other", title_justify="left", show_lines=True
    )
    for name in ("what would have to hold", "in numbers", "what to make of it"):
        split.add_column(name, overflow="fold")
    for relation in against:
        split.add_row(relation.statement, relation.sides, relation.why)
    console.print(split)
    for key, rows in found.frame.groupby("publication", sort=False):
        console.print(f"\n{reference(key)}", style="bold")
        console.print(address(key))
        grid = Table(show_edge=False, pad_edge=False)
        for name, width in (
            ("published", 14),
            ("statement", 60),
            ("here", 26),
            ("verdict", 15),
            ("reason", None),
        ):
            grid.add_column(name, overflow="fold", max_width=width)
        for row in rows.itertuples(index=False):
            mark = "\n(contradiction)" if row.arithmetic == "contradiction" else ""
            grid.add_row(
                row.published,
                Verdict(**row._asdict()).said,
                row.here or "-",
                row.verdict + mark,
                row.reason,
            )
        console.print(grid)
    console.print(f"\nData at hand: {info.source_line}.")
    for name, n in by_finding(found).value_counts().items():
        console.print(f"  {n:>4} {name}: {MEANING[str(name)]}")


def relations_table(rows: "pd.DataFrame") -> None:
    """The relations between published numbers for people: what cannot hold first."""
    console = _console()
    grid = Table(title="Relations between published numbers", title_justify="left", show_lines=True)
    for name in ("verdict", "what would have to hold", "in numbers", "what to make of it"):
        grid.add_column(name, overflow="fold")
    for row in rows.sort_values("verdict", ascending=False, kind="stable").itertuples():
        grid.add_row(row.verdict, row.statement, row.sides, row.why)
    console.print(grid)
    between = rows[~rows["derived"]]
    held = int((between["verdict"] == "consistent").sum())
    console.print(
        f"{len(between)} relations between published numbers: {held} consistent, {len(between) - held} contradictions."
    )
    console.print(
        f"{int(rows['derived'].sum())} more only say what follows from the numbers; no publication can contradict them."
    )


def frame(rows: "pd.DataFrame", form: str) -> None:
    """A table for machines on standard output. form: "csv" or "json"."""
    if form == "csv":
        sys.stdout.write(rows.to_csv(index=False, lineterminator="\n"))
    else:
        print(rows.to_json(orient="records", indent=1, force_ascii=False, double_precision=12))


def describe(ds: "Dataset") -> None:
    """A dataset on one screen."""
    console = _console()
    grid = Table(show_header=False, box=None)
    years = ds.incidents["year"].dropna()
    rows = {
        "dataset": f"{ds.info.title}",
        "whose": ds.info.label,
        "edition": ds.info.edition or "not stated",
        "licence": ds.info.licence,
        "sha256": ds.info.sha256,
        "rows": ", ".join(f"{count:,} {name}" for name, count in ds.info.rows.items()),
        "years": f"{years.min()}-{years.max()}; {ds.incidents['year'].isna().sum()} incidents without a year"
        if len(years)
        else "no years",
        "origins": _top(ds, "origin"),
        "hosts": f"{_top(ds, 'host')}; {ds.incidents['host'].isna().sum()} incidents without a host",
        "set aside": f"{len(ds.set_aside)} rows",
    }
    for name, value in rows.items():
        grid.add_row(name, value)
    console.print(grid)


def _top(ds: "Dataset", column: str) -> str:
    counts = ds.incidents[column].value_counts()
    listed = ", ".join(f"{state} {count}" for state, count in counts.head(8).items())
    return f"{len(counts)} states: {listed}{' ...' if len(counts) > 8 else ''}"


def meanings(rows: list[tuple[str, str, str]]) -> None:
    """Rows of the codebook as a table."""
    grid = Table("in", "name", "meaning")
    for row in rows:
        grid.add_row(*row)
    _console().print(grid)
