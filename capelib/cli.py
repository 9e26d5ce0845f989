"""The `cape` command: thin, over the rest."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from capelib import __version__
from capelib.errors import CapeError

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)

DataFile = Annotated[
    str, typer.Option("--data", metavar="FILE", help="A CSV file or folder of yours, in place of the built-in public record.")
]


@app.callback(invoke_without_command=True)
def top(version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False) -> None:
    """Reproducible research on transnational repression: run the notebooks, look at the data, read the codebook.

    Exit codes: 0 all well; 1 finished, but rows were set aside or runs failed; 2 could not start; 130 interrupted.
    """
    if version:
        typer.echo(f"cape {__version__}")
        raise typer.Exit


@app.command()
def reproduce(
    notebooks: Annotated[
        list[str] | None, typer.Argument(metavar="[NOTEBOOK]...", help="Names or numbers, such as 03; all when none is given.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="Set a parameter; may be repeated.")
    ] = None,
    data: DataFile = "",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where figures go. Default: figures, or build/figures with --data.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run also what has not changed.")] = False,
) -> None:
    """Run notebooks and regenerate their figures; say what was found and which published numbers hold."""
    from capelib.runs import report, runner

    given = _pairs(parameter or []) | ({"dataset": data} if data else {})
    own = given.get("dataset", "public-record") != "public-record"
    runs = runner.plan(notebooks or [], given)
    if own:
        report.problems(given["dataset"])
    target = out or Path("build/figures" if own else "figures")
    outcomes = []
    with report.progress(len(runs)) as step:
        for outcome in runner.reproduce(runs, target, Path("build"), force):
            outcomes.append(outcome)
            step(outcome)
    report.table(outcomes)
    if any(outcome.status == "failed" or (outcome.folder / "set_aside.csv").exists() for outcome in outcomes):
        raise typer.Exit(1)


@app.command()
def info(data: DataFile = "") -> None:
    """What is in the data: rows, years, states, checksum, and what was set aside."""
    from capelib.dataset.dataset import PUBLIC_RECORD, load
    from capelib.runs import report

    ds = load(data or PUBLIC_RECORD)
    report.describe(ds)
    if len(ds.set_aside):
        raise typer.Exit(1)


@app.command()
def codebook(
    name: Annotated[str, typer.Argument(metavar="[COLUMN]", help="A table, column or code, such as measure or rendition.")] = "",
) -> None:
    """What a table, a column or a code means."""
    from capelib.dataset.codebook import describe
    from capelib.runs import report

    report.meanings(describe(name))


def _pairs(items: list[str]) -> dict[str, str]:
    from capelib.errors import ParameterError

    pairs = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise ParameterError(f"-p takes NAME=VALUE, not {item!r}")
        pairs[name.strip()] = value
    return pairs


def main() -> None:
    """Run the command; an error that capelib raises on purpose ends in one line and exit code 2, Ctrl-C in one line and 130."""
    try:
        code = app(standalone_mode=False) or 0  # typer.Exit comes back as its code here, Ctrl-C as 130
    except CapeError as error:
        typer.echo(f"cape: {error}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as error:
        if hasattr(error, "format_message"):  # a wrong option or argument, in typer's words
            typer.echo(f"cape: {error.format_message()} (see cape --help)", err=True)
            sys.exit(2)
        raise
    if code == 130:
        typer.echo("cape: interrupted; what was finished is in place, nothing else was changed", err=True)
    sys.exit(code)
