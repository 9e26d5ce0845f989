"""What the command shows: tables when a person reads, plain lines when output is piped."""

import os
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from capelib.files import outputs_of

if TYPE_CHECKING:
    import pandas as pd

    from capelib.check.summary import Section
    from capelib.dataset import Dataset, Info
    from capelib.findings.verdicts import Verdicts
    from capelib.runs.execute import Run
    from capelib.runs.runner import Outcome

UNKNOWN = 1e5  # seconds: as many or more stand for "never run before"


WIDE = 160  # columns of a pipe, which has no width of its own
NARROWEST = 40  # columns
IN_MARKDOWN = ("finding_id", "published", "statement", "reading", "here", "verdict", "reason")
TALLEST = 8  # lines of a row: a list reads better than columns of a few letters
HEADLINES = 12  # published numbers at the end of `cape reproduce`: one screen of 24 lines


def _console(error: bool = False) -> Console:
    """The console; a pipe is as wide as COLUMNS says."""
    console = Console(stderr=error, highlight=False, markup=False)  # what is shown comes from files
    if not console.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        console.width = WIDE
    if console.width < NARROWEST:
        console.width = NARROWEST
    return console


def _plain(console: Console, text: str, first: str = "", then: str = "") -> None:
    """A text in lines of the console's width; words, and so paths, are never cut.

    first, then: what stands before its first line, and before the others.
    """
    before, lines = first, []
    for line in text.split("\n"):
        wrapped = textwrap.wrap(
            line,
            max(console.width, len(then) + NARROWEST // 2),
            initial_indent=before,
            subsequent_indent=then,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += wrapped or [before.rstrip()]
        before = then
    console.print("\n".join(lines), soft_wrap=True)  # at once: rich takes 0.2 ms for each


def _rows(
    console: Console,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    title: str = "",
    *,
    lines: bool = True,
    beside: Sequence[Sequence[str]] = (),
) -> None:
    """Rows as a table where every word fits into its column, else one below the other.

    lines: is there a line between the rows of a table?
    beside: all rows of tables that are shown one after the other, which get the same columns.
    """
    widths = _widths(names, beside or rows, console.width)
    if widths:
        grid = Table(title=title or None, title_justify="left", show_lines=lines, show_edge=lines)
        for name, width in zip(names, widths, strict=True):
            grid.add_column(name, width=width, overflow="fold")
        for row in rows:
            grid.add_row(*row)
        console.print(grid)
        return
    if title:
        _plain(console, f"\n{title}")
    for row in rows:
        console.print("")
        for name, cell in zip(names, row, strict=True):
            if cell:
                _plain(console, cell.strip("\n"), f"{name}: ", "    ")


def _widths(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The width of each column, at least that of its longest word; [] where they do not fit.

    What is left is dealt out by what the columns lack for their longest line.
    """
    longest, needed = [], []
    for place, name in enumerate(names):
        cells = [name, *(row[place] for row in rows)]
        longest.append(max(cell_len(word) for cell in cells for word in cell.split() or [""]))
        needed.append(max(cell_len(line) for cell in cells for line in cell.split("\n")))
    left = width - sum(longest) - 3 * len(names) - 1  # two blanks and a line each
    if left < 0:
        return []
    lacks = [most - least for most, least in zip(needed, longest, strict=True)]
    share = min(1.0, left / sum(lacks)) if sum(lacks) else 0.0
    widths = [least + int(lack * share) for least, lack in zip(longest, lacks, strict=True)]
    return widths if all(_lines(row, widths) <= TALLEST for row in rows) else []


def _lines(row: Sequence[str], widths: Sequence[int]) -> int:
    """How many lines does a row take? What stands on lines of its own counts as one."""
    wrapped = (
        len(textwrap.wrap(" ".join(cell.split()), width)) - cell.count("\n")
        for cell, width in zip(row, widths, strict=True)
    )
    return max(wrapped, default=0)


def line(text: str) -> None:
    """A sentence on standard output, in lines of the screen's width."""
    _plain(_console(), text)


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


def table(
    outcomes: list["Outcome"],
    pages: list[Path],
    trouble: Sequence[str] = (),
    quiet: bool = False,
) -> None:
    """What ran, figures, answers, verdicts; last, on one screen, what matters.

    Parameters
    ----------
    outcomes, pages
        Of the runs, and where those of one notebook stand side by side.
    trouble
        Lines on pages that could not be drawn.
    quiet
        Only the last part.
    """
    console = _console()
    if not quiet:
        _details(console, outcomes, pages)
        _headlines(console, outcomes)
    for each in trouble:
        _plain(console, f"failed: {each}")
    for outcome in outcomes:
        for path in outcome.kept:
            _plain(console, f"kept, since it was edited: {path}")
        if outcome.status == "failed":
            _plain(console, f"failed: {outcome.run.name}: {outcome.error}")
    folders = sorted({str(outcome.folder.parent) for outcome in outcomes})
    _plain(console, f"Figures and tables: {', '.join(folders)}/")
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    same = sum(outcome.status == "unchanged" for outcome in outcomes)
    done = len(outcomes) - failed - same
    count = f"{len(outcomes)} run{'' if len(outcomes) == 1 else 's'}"
    console.print(f"{count}: {done} done, {same} unchanged, {failed} failed.")


def _details(console: Console, outcomes: list["Outcome"], pages: list[Path]) -> None:
    """What ran, the verdicts with their reasons, what contradicts, and the pages."""
    _runs(console, outcomes)
    _verdicts(console, outcomes)
    contradictions = list(dict.fromkeys(note for outcome in outcomes for note in outcome.notes))
    if contradictions:
        console.print("Published numbers that contradict each other:")
        for note in contradictions:
            _plain(console, note, "  ", "  ")
    for page in pages:
        _plain(console, f"side by side: {page}")


def _headlines(console: Console, outcomes: list["Outcome"]) -> None:
    """The published numbers that the data speaks to, a line each."""
    rows = _judged(outcomes)
    lines = []
    for row in rows:
        label = f"  {row['published']} published; here {row['here']}: {row['verdict']}"
        lines.append(f"{label} ({row['finding_id']})")
    lines = list(dict.fromkeys(lines))
    if not lines:
        return
    console.print("")
    console.print("In short", style="bold")
    for line in lines[:HEADLINES]:
        _plain(console, line, "", "    ")
    left = len(lines) - HEADLINES
    more = f"{left} more, and the reasons: " if left > 0 else "The reasons: "
    _plain(console, f"  {more}above, and `cape findings`.")


def _judged(outcomes: list["Outcome"]) -> list[dict]:
    """The verdicts that rest on cases here, of runs with default parameters where there are any."""
    verdicts = [(outcome.run.name, row) for outcome in outcomes for row in outcome.verdicts]
    defaults = {outcome.run.notebook.stem for outcome in outcomes}
    chosen = [(run, row) for run, row in verdicts if run in defaults] or verdicts
    return [
        row | {"run": run}
        for run, row in chosen
        if row["value"] is not None and row["verdict"] != "too few cases"
    ]


def _runs(console: Console, outcomes: list["Outcome"]) -> None:
    rows = []
    for outcome in outcomes:
        status, figures = outcome.status, ""
        if status != "unchanged":
            status += f"\n{outcome.seconds:.1f} s"
        if outcome.status != "failed":
            names = sorted(name for name in outputs_of(outcome.folder) if name.endswith(".svg"))
            figures = "\n".join(names)
        answer = outcome.answer or outcome.error
        rows.append((outcome.run.name, status, f"{outcome.folder}/\n{figures}", answer))
    _rows(console, ("notebook", "status", "figures and tables", "found"), rows, "What ran")


def _verdicts(console: Console, outcomes: list["Outcome"]) -> None:
    """The verdicts of the runs with default parameters; the others have pages of their own."""
    labels: set[str] = set()
    runs_of: dict[tuple[str, ...], list[str]] = {}
    for row in _judged(outcomes):
        labels.add(row["label"])
        statement = row["statement"]
        if row["reading"]:
            statement += f" Read as: {row['reading']}."
        cells = (row["published"], statement, row["here"], row["verdict"], row["reason"])
        runs_of.setdefault(cells, []).append(row["run"])
    if not runs_of:
        return
    title = f"Which published numbers hold? (data: {', '.join(sorted(labels))})"
    names = ("published", "statement", "here, 95 % interval", "verdict", "reason", "runs")
    rows = [(*cells, "\n".join(runs)) for cells, runs in runs_of.items()]
    _rows(console, names, rows, title)
    console.print("")
    _plain(
        console,
        "Numbers for which there are too few cases, or which need other data, are not shown: "
        "see `cape findings`.",
    )


# ------------------------------------------------------------ a user's table


def checked(ds: "Dataset") -> None:
    """What was made of a user's table, on one page."""
    from capelib.check import summary

    console = _console()
    _sections(console, summary.page(ds))
    console.print("")
    _plain(console, summary.PROMISE)
    if cells := summary.cells(ds):
        _plain(console, cells)


def problems(ds: "Dataset") -> None:
    """What had to be set aside of a user's table, before something rests on it.

    A few lines on the error stream.
    """
    from capelib.check import summary

    unsure = summary.unsure(ds)
    if len(ds.set_aside) or unsure:
        console = _console(error=True)
        more = f" With {unsure}; see `cape check`." if unsure else ""
        events = summary.without_measure(ds)
        left_out = f" Left out: {events}." if events else ""
        line = f"{summary.plain_cell(ds.info.name)}: {summary.counted(ds)}{left_out}{more}"
        _plain(console, line)
        _sections(console, summary.short(ds))


def _sections(console: Console, sections: "Iterable[Section]") -> None:
    for section in sections:
        if section.lines:
            console.print(f"\n{section.title}", style="bold")
            margin = 4 + max(8, *(len(label) for label, _ in section.lines))
            for label, text in section.lines:
                _plain(console, text, f"  {label}".ljust(margin), " " * margin)


# ------------------------------------------------------------ published numbers


def findings(verdicts: "Verdicts", info: "Info") -> None:
    """Every published number with its verdict, grouped by publication: first what can be judged,
    then what contradicts, then what needs other data, by the data that it needs.
    """
    from capelib.findings import MEANING, between, by_finding, relations, summary
    from capelib.findings.verdicts import NEEDS_DATA

    console = _console()
    rows = verdicts.frame
    needs = rows["verdict"] == NEEDS_DATA
    _by_publication(console, rows[~needs])
    names = ("what would have to hold", "in numbers", "what to make of it")
    for verdict, title in (
        ("contradiction", "Published numbers that contradict each other"),
        ("different editions", "Numbers of different editions: both sides can be true as printed"),
    ):
        failed = [
            (relation.statement, relation.sides, relation.why)
            for relation in between(relations())
            if relation.verdict == verdict
        ]
        _rows(console, names, failed, title)
    _by_needs(console, rows[needs])
    console.print("")
    _plain(console, f"Data at hand: {info.source_line}.")
    counts = by_finding(verdicts).value_counts()
    for name in [name for name in MEANING if name in counts]:
        _plain(console, f"{name}: {MEANING[name]}", f"  {counts[name]:>4} ", " " * 7)
    _plain(console, summary(verdicts, relations()))


def some_findings(verdicts: "Verdicts", info: "Info") -> None:
    """Chosen published numbers with their verdicts."""
    console = _console()
    _by_publication(console, verdicts.frame)
    console.print("")
    count = f"{len(verdicts)} verdict{'' if len(verdicts) == 1 else 's'}"
    _plain(console, f"{count}. Data at hand: {info.source_line}.")


def _by_publication(console: Console, frame: "pd.DataFrame") -> None:
    """Verdicts with the keys of their findings, under the publications that they are about."""
    from capelib.findings import Verdict, address, reference

    columns = ("key", "published", "statement", "here", "verdict", "reason")
    cells: dict[str, list[tuple[str, ...]]] = {}
    for row in frame.itertuples(index=False):
        failed = row.arithmetic in ("contradiction", "different editions")
        mark = f"\n({row.arithmetic})" if failed else ""
        statement = Verdict(**row._asdict()).statement_as_read
        verdict = row.verdict + mark
        here, reason = row.here or "-", row.reason or ""
        cells.setdefault(row.publication, []).append(
            (row.finding_id, row.published, statement, here, verdict, reason)
        )
    every = [row for rows in cells.values() for row in rows]
    for key, rows in cells.items():
        console.print("")
        _plain(console, reference(key))
        _plain(console, address(key))
        _rows(console, columns, rows, lines=False, beside=every)


def _by_needs(console: Console, frame: "pd.DataFrame") -> None:
    """The keys of the numbers that nothing at hand can speak to, by the data that could."""
    if frame.empty:
        return
    keys = frame.groupby("reason")["finding_id"].unique()
    keys = keys.sort_values(key=lambda each: each.map(len), ascending=False, kind="stable")
    console.print("")
    _plain(console, "Numbers that need other data, by the data that could speak to them")
    for reason, each in keys.items():
        console.print("")
        _plain(console, f"{reason} ({len(each)}):")
        _plain(console, ", ".join(each), "    ", "    ")
    console.print("")
    _plain(console, "What they state: cape findings --verdict 'needs data', or cape findings KEY")


def relations_table(rows: "pd.DataFrame") -> None:
    """The relations between published numbers for people: what cannot hold first."""
    console = _console()
    names = ("verdict", "what would have to hold", "in numbers", "what to make of it")
    order = ["contradiction", "different editions", "consistent"]
    ordered = rows.sort_values(
        "verdict", key=lambda verdicts: verdicts.map(order.index), kind="stable"
    )
    cells = [(row.verdict, row.statement, row.sides, row.why) for row in ordered.itertuples()]
    _rows(console, names, cells, "Relations between published numbers")
    console.print("")
    counted = rows[~rows["derived"] & (rows["same_as"] == "")]
    times = counted["verdict"].value_counts().reindex(order, fill_value=0)
    _plain(
        console,
        f"{len(counted)} relations between published numbers: {times['consistent']} consistent, "
        f"{times['contradiction']} contradictions, {times['different editions']} of different "
        "editions (both sides can be true as printed).",
    )
    repeated = int((rows["same_as"] != "").sum())
    _plain(
        console,
        f"{int(rows['derived'].sum())} more only say what follows from the numbers; "
        "no publication can contradict them. "
        f"{repeated} repeats a sentence of another publication.",
    )


# ------------------------------------------------------------ frames, a dataset, the codebook


def frame(rows: "pd.DataFrame", form: str) -> None:
    """A table on standard output. form: "csv" or "json" for machines, "md" for a page."""
    if form == "csv":
        sys.stdout.write(rows.to_csv(index=False, lineterminator="\n"))
    elif form == "md":
        # pandas' own `to_markdown` needs one more package (tabulate) for these five lines
        names = [name for name in IN_MARKDOWN if name in rows] or list(rows)
        print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
        for row in rows[names].astype(object).fillna("").itertuples(index=False):
            cells = [str(cell).replace("|", "\\|") for cell in row]
            print(f"| {' | '.join(cells)} |")
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
    console = _console()
    for name, value in rows.items():
        _plain(console, value, name.ljust(11), " " * 11)


def _most_frequent(states: "pd.Series") -> str:
    counts = states.value_counts()
    listed = ", ".join(f"{state} {count}" for state, count in counts.head(8).items())
    return f"{len(counts)} states: {listed}{' ...' if len(counts) > 8 else ''}"


def changed(rows: "pd.DataFrame", since: str, current: str) -> None:
    """What changed in the public record from one edition to another, by table and column."""
    console = _console()
    if since == current:
        console.print(f"{current} is the current edition: nothing has changed since.")
        return
    sizes = rows[rows["column"] == "(rows)"]
    names = ("table", f"edition {since}", "added", "removed", f"edition {current}")
    columns = ["table", "before", "added", "removed", "now"]
    cells = [[str(value) for value in row] for row in sizes[columns].itertuples(index=False)]
    _rows(console, names, cells, "Rows", lines=False)
    console.print("")
    columns = ["table", "column", "corrected", "found_by"]
    corrected = rows[rows["column"] != "(rows)"]
    cells = [[str(value) for value in row] for row in corrected[columns].itertuples(index=False)]
    _rows(console, (*columns[:3], "by"), cells, "Cells corrected", lines=False)
    console.print("")
    _plain(console, "Each correction stands with its reason in data/changes.csv.")
    _plain(console, "Which answers and verdicts moved by it: docs/editions.md.")
    _plain(console, f'The earlier edition: cape.load(edition="{since}"), or -p edition={since}.')


def meanings(rows: list[tuple[str, str, str]]) -> None:
    """Rows of the codebook as a table."""
    _rows(_console(), ("in", "name", "meaning"), rows)


def parameters(notebook: str, rows: Sequence[Sequence[str]]) -> None:
    """The parameters of a notebook as a table."""
    console = _console()
    _rows(console, ("parameter", "type", "default", "meaning"), rows, notebook, lines=False)
    console.print("")
    _plain(console, f"To set one: cape reproduce {notebook[:2]} -p NAME=VALUE")
