"""The `cape` command: thin, over the rest."""

import errno
import gc
import io
import os
import shutil
import signal
import sys
import textwrap
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capelib import __version__, notebook_commands
from capelib.errors import CapeError, ParameterError
from capelib.files import FORMATS, Form

if TYPE_CHECKING:
    from capelib.dataset import Dataset
    from capelib.runs.cluster import Cluster

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataFile = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="FILE",
        help="A table of yours (CSV, xlsx, ods ...), in place of the built-in public record.",
    ),
]
LayoutName = Annotated[
    str,
    typer.Option(
        "--layout",
        metavar="NAME|FILE",
        help="incidents, events, exiles-wide or a layout file; found by the columns if not given.",
    ),
]
SheetName = Annotated[
    str,
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="Which sheet of a workbook; the one that looks most like a table.",
    ),
]
EditionName = Annotated[
    str,
    typer.Option(
        "--edition",
        metavar="YEAR-MONTH",
        help="Of the built-in public record, such as 2026-11; the current one if not given.",
    ),
]

QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only what failed, and where the files are.")
]


@app.callback(invoke_without_command=True)
def top(
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    """Reproducible research on transnational repression.

    Run the notebooks, look at the data, read the codebook, check published numbers and tables of
    yours. `cape COMMAND -h` explains a command.

    Exit codes: 0 all well; 1 finished, but rows were set aside, an event lacks its measure, or runs
    failed; 2 could not start; 130 interrupted.
    """
    if version:
        typer.echo(f"cape {__version__}")
        raise typer.Exit


@app.command()
def reproduce(
    notebooks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NOTEBOOK",
            help="Names, numbers such as 03, or paths of notebooks of yours; default: all.",
            autocompletion=notebook_commands.names,
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter", "-p", metavar="NAME=VALUE", help="Set a parameter; may be repeated."
        ),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="NAME=A,B",
            help="Run each of several values; may be repeated. "
            "In a list value write + for the comma.",
        ),
    ] = None,
    data: DataFile = "",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where figures go. Default: figures, or build/figures with --data."
        ),
    ] = None,
    build: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where executed notebooks and records go. Default: build, or build below --out.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="How many at once. Default: the cores, or the threads of the cluster.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run also what has not changed.")] = False,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain-kernels", help="Start a kernel for each run instead of forking a process."
        ),
    ] = False,
    formats: Annotated[
        list[Form] | None,
        typer.Option(
            "--format",
            metavar="png|pdf",
            help="Write each figure in this format too, besides SVG; may be repeated.",
        ),
    ] = None,
    cluster: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Run on the workers of a Dask scheduler, such as tcp://10.0.0.1:8786.",
        ),
    ] = "",
    quiet: QuietOption = False,
) -> None:
    """Run notebooks and draw their figures.

    Says what came out, and which published numbers hold. `cape params NOTEBOOK` lists what -p can
    set.
    """
    from capelib import report
    from capelib.runs import comparison, runner
    from capelib.vocabulary.codebook import PUBLIC_RECORD

    given = _pairs(parameter or [], "-p")
    if formats and cluster:
        raise ParameterError("--format is for runs on this machine, not for those of --cluster")
    if formats:
        os.environ[FORMATS] = ",".join(sorted(set(formats)))  # every run inherits it
    if data:
        given["dataset"] = data
    swept = {name: values.split(",") for name, values in _pairs(sweep or [], "--sweep").items()}
    runs = runner.plan(notebooks or [], given, swept)
    sources = {run.parameters.get("dataset", PUBLIC_RECORD) for run in runs} - {PUBLIC_RECORD}
    gaps_in_tables = [_problems(source) for source in sorted(sources)]
    folder = out or Path("build/figures" if sources else "figures")
    build = build or (out / "build" if out else Path("build"))
    ended: dict[str, runner.Outcome] = {}
    pages: list[Path] = []
    trouble: list[str] = []
    drawn: dict[str, Future[list[Path]]] = {}
    with _connected(cluster, plain) as workers:
        at_once = jobs or (workers.threads if workers else os.cpu_count()) or 1
        seconds = {run.name: runner.seconds_of(run, build) for run in runs}
        with report.Progress(seconds, at_once) as progress, ThreadPoolExecutor(at_once) as pool:
            for outcome in runner.reproduce(
                runs, folder, build, force, at_once, plain, progress.started, workers
            ):
                ended[outcome.run.name] = outcome
                progress.ended(outcome)
                same = [run for run in runs if run.notebook == outcome.run.notebook]
                if all(run.name in ended for run in same):  # while other notebooks still run
                    drawn[str(outcome.run.notebook)] = pool.submit(
                        comparison.compare,
                        [ended[run.name] for run in same],
                        folder,
                        build,
                        bool(given or swept),
                        plain,
                    )
                if len(ended) == len(runs):  # the folder is still ours
                    wait(drawn.values())
    for notebook, page in drawn.items():
        try:
            pages += page.result()
        except Exception as error:  # the runs are there all the same
            trouble.append(f"{Path(notebook).stem} side by side: {error}")
    outcomes = [ended[run.name] for run in runs]
    report.table(outcomes, sorted(pages), trouble, quiet)
    failed = trouble or any(outcome.status == "failed" for outcome in outcomes)
    if failed or any(gaps_in_tables):
        raise typer.Exit(1)


@app.command()
def check(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="CSV, xlsx, xls, ods, Parquet, JSON, Stata or SPSS, also packed (.gz, .zip), "
            "or an http(s) address of one.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where clean.csv, set_aside.csv and changes.csv go. "
            "Default: build/check/<name of FILE>.",
        ),
    ] = None,
    layout: LayoutName = "",
    sheet: SheetName = "",
    show_cells: Annotated[
        bool,
        typer.Option(
            "--show-cells",
            help="Write also the cells of the rows set aside, which may name persons, "
            "to set_aside_cells.csv.",
        ),
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Read a table of yours, and say how.

    What stands for what, what was changed or guessed, which rows cannot be used and what to do
    about it.
    """
    from capelib import report
    from capelib.check import files
    from capelib.check.summary import incomplete

    ds = files.examine(file, layout, sheet, show_cells=show_cells)
    folder = files.folder_of(file, ds, out)
    if not quiet:
        report.checked(ds)
    *names, last = files.write(ds, folder, file, show_cells)
    report.line(f"\nWritten: {', '.join(names)} and {last}, in the folder")
    typer.echo(folder)
    if show_cells:
        report.line(f"{last} may hold names of persons: do not pass it on.")
    if incomplete(ds):
        raise typer.Exit(1)


@app.command()
def info(
    data: DataFile = "",
    layout: LayoutName = "",
    sheet: SheetName = "",
    edition: EditionName = "",
    changes: Annotated[
        bool,
        typer.Option(
            "--changes",
            help="What changed in the public record since its first edition, or since --edition.",
        ),
    ] = False,
) -> None:
    """Say what is in the data.

    Rows, years, states, checksum, and what was set aside.
    """
    from capelib import report
    from capelib.check.summary import incomplete

    if changes:
        _changes(data, edition)
        return
    ds = _loaded(data, layout=layout, sheet=sheet, edition=edition)
    report.describe(ds)
    if incomplete(ds):
        raise typer.Exit(1)


@app.command()
def codebook(
    name: Annotated[
        str,
        typer.Argument(
            metavar="COLUMN", help="A table, column or code, such as measure or rendition."
        ),
    ] = "",
) -> None:
    """Say what a table, column or code means."""
    from capelib import report
    from capelib.meaning.arguments import describe

    report.meanings(describe(name))


@app.command()
def findings(
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY", help="Findings, such as fa2022-autoc-share-2021."),
    ] = None,
    data: DataFile = "",
    vintage: Annotated[
        str,
        typer.Option(
            "--vintage",
            metavar="RELEASE",
            help="The published release that the file is, such as fh-2022 or cape-1.0.",
        ),
    ] = "",
    form: Annotated[
        str,
        typer.Option("--format", metavar="table|md|csv|json", help="csv, json: for machines."),
    ] = "table",
    verdict: Annotated[
        str, typer.Option(metavar="VERDICT", help='Only these, such as "adds up".')
    ] = "",
    publication: Annotated[
        str, typer.Option(metavar="KEY", help="Only its numbers, such as fa2022longarm.")
    ] = "",
    relations: Annotated[
        bool,
        typer.Option(
            "--relations", help="The relations between published numbers, in place of the numbers."
        ),
    ] = False,
    layout: LayoutName = "",
    sheet: SheetName = "",
    edition: EditionName = "",
) -> None:
    """Say which published numbers hold.

    A verdict on every number of the ledger, grouped by publication; those that can be judged come
    first.
    """
    from capelib import report
    from capelib.check.summary import incomplete
    from capelib.findings import Verdicts, check, chosen, relations_frame
    from capelib.vocabulary.codebook import require

    require("format", form, ("table", "md", "csv", "json"))
    if relations and (keys or verdict or publication):
        raise ParameterError("--relations takes no KEY, --verdict and --publication")
    if relations and (data or vintage or edition):
        raise ParameterError(
            "--relations compares published numbers with each other: "
            "leave --data, --vintage and --edition out"
        )
    if relations and form == "table":
        report.relations_table(relations_frame())
        return
    if relations:
        report.frame(relations_frame(), form)
        return
    chosen(Verdicts([]), verdict, publication)  # a wrong word is refused before the work
    ds = _loaded(data, vintage, layout=layout, sheet=sheet, edition=edition)
    verdicts = chosen(check(ds, keys or None), verdict, publication)
    if form == "table" and (keys or verdict or publication):
        report.some_findings(verdicts, ds.info)
    elif form == "table":
        report.findings(verdicts, ds.info)
    else:
        report.frame(verdicts.frame, form)
    if incomplete(ds):
        raise typer.Exit(1)


@app.command()
def export(
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Ends in .xlsx or .csv; must not exist. Default: public_record_EDITION.xlsx, "
            "or the name of your table with _flat.xlsx.",
        ),
    ] = None,
    data: DataFile = "",
    layout: LayoutName = "",
    sheet: SheetName = "",
    edition: EditionName = "",
) -> None:
    """Write the data for spreadsheets.

    One row an incident, words in place of codes, with its source; the codebook as second sheet.
    """
    from capelib import report
    from capelib.check.summary import incomplete
    from capelib.export import export as written

    ds = _loaded(data, layout=layout, sheet=sheet, edition=edition)
    name = f"{Path(data).stem}_flat.xlsx" if data else f"public_record_{ds.info.edition}.xlsx"
    file = written(ds, out or Path(name))
    report.line(f"{len(ds.incidents):,} incidents in {file}: {ds.info.source_line}")
    if incomplete(ds):
        raise typer.Exit(1)


@app.command()
def cite(
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help="A publication or finding of the ledger, such as fa2022longarm; "
            "default: capelib itself.",
            show_default=False,
        ),
    ] = "capelib",
) -> None:
    """Print the BibTeX entry of a publication."""
    from capelib.findings.ledger import cite as entry

    typer.echo(entry(key))


def _connected(address: str, plain: bool) -> AbstractContextManager["Cluster | None"]:
    """The cluster at an address; none without one."""
    if not address:
        return nullcontext()
    from capelib.runs.cluster import connected

    return connected(address, plain)


@app.command()
def site(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the pages go.", show_default=True)
    ] = Path("build/site"),
    edition: EditionName = "",
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of `cape reproduce --out`. Default: figures."),
    ] = None,
) -> None:
    """Make the site from finished runs.

    Explorer, ledger, notebooks, figures, methods, data and reference as pages that ask no other
    host. The runs are those of the last `cape reproduce`: nothing is executed.
    """
    from capelib import report
    from capelib.site.build import build

    executed = figures / "build" if figures else Path("build")  # as `cape reproduce` leaves them
    made = build(out, figures or Path("figures"), executed, edition)
    report.line(f"{made['pages']} pages, {made['links']} links checked. Open")
    typer.echo(out / "index.html")


@app.command()
def fetch(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="fiw (Freedom House), vdem, unhcr or aaad (Dukalskis)."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the file goes. "
            "Default: the folder named in CAPELIB_REFERENCE, or your cache.",
        ),
    ] = None,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Take a file that has changed at its source; the old one is kept."
        ),
    ] = False,
) -> None:
    """Download a table from its producer.

    Shows the licence, records the checksum, says when the source has changed.
    """
    from capelib import report
    from capelib.reference import catalogue

    report.line(catalogue.about(name) + "\n")
    fetched = catalogue.fetch(name, out, accept)
    report.line(fetched.message)
    if fetched.status == "changed":
        raise typer.Exit(1)


app.command()(notebook_commands.params)
app.command()(notebook_commands.notebooks)
app.command()(notebook_commands.lab)


def _changes(data: str, edition: str) -> None:
    """What changed in the public record since an edition."""
    from capelib import report
    from capelib.vocabulary import editions

    if data:
        raise ParameterError("--changes is about the built-in public record: leave --data out")
    since = editions.meant(edition or editions.first())
    report.changed(editions.changed(since), since, editions.current())


def _loaded(
    data: str, vintage: str = "", *, layout: str, sheet: str, edition: str = ""
) -> "Dataset":
    """The built-in data, or a table of the user's with what had to be set aside of it said."""
    from capelib import report
    from capelib.loading import PUBLIC_RECORD, load

    ds = load(data or PUBLIC_RECORD, vintage, layout=layout, sheet=sheet, edition=edition)
    if data:
        report.problems(ds)
    return ds


def _problems(source: str) -> bool:
    """Say what had to be set aside of a user's table. Is something missing in it?"""
    from capelib import report
    from capelib.check.files import examine
    from capelib.check.summary import incomplete

    ds = examine(source)
    report.problems(ds)
    return incomplete(ds)


def _pairs(items: list[str], option: str) -> dict[str, str]:
    """What `-p name=value` gives, by name."""
    pairs = {}
    for item in items:
        name, equals, value = item.partition("=")
        name = name.strip()
        if not equals or not name or not value:
            raise ParameterError(f"{option} takes NAME=VALUE, not {item!r}")
        if name in pairs:
            raise ParameterError(f"{option} names {name} twice: give all its values at once")
        pairs[name] = value
    return pairs


def _called() -> str:
    """By which name was the command called?"""
    name = Path(sys.argv[0]).name
    return "python -m capelib" if name == "__main__.py" else name


def _complain(text: str) -> None:
    """One line on the error stream, which a terminal shows broken between words."""
    if sys.stderr.isatty():
        width = max(shutil.get_terminal_size().columns, 40)
        text = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
    typer.echo(text, err=True)


class _Ended(BaseException):
    """The system asks the command to end: a batch system, or a terminal that is closed."""

    def __init__(self, number: int) -> None:
        self.number = number


def _end_tidily() -> None:
    """Clean up as after Ctrl-C when a signal asks the command to end."""

    def end(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough
        raise _Ended(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) == signal.SIG_DFL:  # `nohup` ignores SIGHUP
            signal.signal(number, end)


def main() -> None:
    """Run the command.

    An error that capelib raises on purpose ends in one line and exit code 2, Ctrl-C in one line and
    exit code 130, SIGTERM with 143 and SIGHUP with 129.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Published numbers are written with signs that a terminal may not have.
            stream.reconfigure(errors="replace")
    _end_tidily()
    try:
        # typer.Exit comes back as its code here, Ctrl-C as 130.
        arguments = sys.argv[1:] or ["--help"]
        code = app(arguments, standalone_mode=False, prog_name=_called()) or 0
        sys.stdout.flush()
    except CapeError as error:
        _complain(f"cape: {' '.join(str(error).splitlines())}")
        sys.exit(2)
    except _Ended as error:
        code = 128 + error.number
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:  # the reader has seen enough: `cape findings | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except MemoryError:
        _complain("cape: there is not enough memory: end other programs and try again")
        sys.exit(2)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _complain("cape: no space is left where this should be written")
        sys.exit(2)
    except Exception as error:
        if hasattr(error, "format_message"):  # a wrong option or argument, in typer's words
            context = getattr(error, "ctx", None)
            called = context.command_path if context else "cape"
            _complain(f"{called}: {error.format_message()} (see {called} --help)")
            sys.exit(2)
        raise
    if code >= 128:
        _complain("cape: interrupted; what was finished is in place, nothing else was changed")
    gc.freeze()  # else Python looks through all libraries at its end: half a second
    sys.exit(code)


if __name__ == "__main__":
    main()
