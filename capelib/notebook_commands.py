"""The commands about notebooks: `cape params`, `cape notebooks`, `cape lab`."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from capelib.errors import CapeError, ParameterError
from capelib.paths import project_folder

_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
# JupyterLab asks at its first start whether it may fetch news from another host: it may not.
_NO_NEWS = "--LabApp.news_url=None"


def names(incomplete: str) -> list[str]:
    """The notebooks whose names begin with what is typed, for completion at the prompt."""
    from capelib.runs.runner import notebooks

    return [name for name in notebooks() if name.startswith(incomplete)]


def params(
    notebook: Annotated[
        str,
        typer.Argument(
            metavar="NOTEBOOK", help="Name, number or path, such as 04.", autocompletion=names
        ),
    ],
) -> None:
    """List what a notebook lets you set.

    Each parameter with its type, default and meaning, for `cape reproduce NOTEBOOK -p NAME=VALUE`.
    """
    from capelib import report
    from capelib.runs import parameters, runner

    path = runner.find(notebook)
    rows = [
        (name, each.kind, repr(each.default), each.comment)
        for name, each in parameters.declared(path).items()
    ]
    report.parameters(path.stem, rows)


def notebooks(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new or empty folder; nothing is overwritten.")
    ],
) -> None:
    """Copy notebooks and lessons to a folder.

    They find the data of the package by themselves.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ParameterError(f"{folder} is not empty: name a new folder, nothing is overwritten")
    shutil.copytree(project_folder("notebooks"), folder, ignore=_NOT_COPIED, dirs_exist_ok=True)
    count = len(list(folder.rglob("*.ipynb")))
    typer.echo(f"Copied {count} notebooks to\n{folder}\nOpen them: cape lab {folder}")


def lab(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", help="Default: the checkout, or notebooks/ here, or this folder."
        ),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="OPTION", help="For JupyterLab, after `--`."),
    ] = None,
) -> None:
    """Open JupyterLab.

    In a checkout with notebooks, figures and data beside each other.
    """
    if find_spec("jupyterlab") is None:
        raise CapeError("JupyterLab is not installed: pip install 'capelib[lab]'")
    if folder and str(folder).startswith("-"):  # an option, and no folder before it
        folder, more = None, [str(folder), *(more or [])]
    root = folder or lab_root()
    if not root.is_dir():
        raise ParameterError(f"{root} is no folder: `cape notebooks {root}` makes one")
    typer.echo(f"Starting JupyterLab; the first start can take a minute. Ctrl-C ends it.\n{root}")
    ended = subprocess.run([sys.executable, "-m", "jupyterlab", *lab_options(root), *(more or [])])
    raise typer.Exit(ended.returncode)


def lab_root() -> Path:
    """Which folder does JupyterLab show? That of a checkout, with notebooks, figures and data."""
    checkout = project_folder("notebooks").parent
    if (checkout / "pyproject.toml").exists():
        return checkout
    copied = Path("notebooks")
    return copied if copied.is_dir() else Path()


def lab_options(root: Path) -> list[str]:
    """What JupyterLab is started with: its folder, and as root what it asks for there."""
    options = [f"--ServerApp.root_dir={root.resolve()}", _NO_NEWS]
    first = root / "notebooks" / "01_learn_the_dataset.ipynb"
    if first.exists():
        options.append("--LabApp.default_url=/lab/tree/notebooks/01_learn_the_dataset.ipynb")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # containers
        options.append("--allow-root")
    return options
