"""Where do the project's own files lie? In a checkout beside the package, in a wheel inside it."""

from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


@cache
def project_folder(name: str) -> Path:
    """Where is the folder `data` or `notebooks` of this copy of the project?"""
    checkout = PACKAGE.parent / name
    is_checkout = (PACKAGE.parent / "pyproject.toml").exists() and checkout.is_dir()
    return checkout if is_checkout else PACKAGE / name
