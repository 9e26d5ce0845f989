"""Where the project's own files lie: in a checkout beside the package, in an installed wheel inside it."""

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


@cache
def room(name: str) -> Path:
    """Folder `data` or `notebooks` of this copy of the project."""
    checkout = PACKAGE.parent / name
    return (
        checkout
        if (PACKAGE.parent / "pyproject.toml").exists() and checkout.is_dir()
        else PACKAGE / name
    )
