"""What a run rests on: only facts that the same inputs always give, so that they can be committed and compared."""

import hashlib
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from capelib.files import PROVENANCE, cells, read_provenance
from capelib.paths import room
from capelib.runs import reach
from capelib.vocabulary.codebook import PUBLIC_RECORD

READERS = (
    "babel",
    "pyarrow",
    "python-calamine",
    "rapidfuzz",
)  # what a table of one's own comes to depends on these too
PACKAGES = ("matplotlib", "numpy", "pandas", "papermill", "scipy", "seaborn", "statsmodels")


def inputs(notebook: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """Everything that a run's results depend on: code, parameters, package versions, and the data and capelib that the code reaches.

    Text cells and outputs of the notebook do not change what it computes.
    """
    code = ["".join(cell["source"]) for cell in cells(notebook) if cell["cell_type"] == "code"]
    reached = "\n".join(code)
    shown = {name: value for name, value in parameters.items() if name != "out"}
    own = shown.get("dataset", PUBLIC_RECORD)
    built_in = set(reach.tables(reached, shown.values()))
    if own != PUBLIC_RECORD:
        built_in |= set(
            (room("data") / "layouts").glob("*.toml")
        )  # found by their columns, not called by name
    data = {"built_in": _checksum(sorted(built_in), room("data"))}
    if own != PUBLIC_RECORD:
        path = Path(own).expanduser()
        tables = sorted(path.rglob("*.csv")) if path.is_dir() else [path]
        data["dataset"] = _checksum(
            [file for file in tables if file.exists()], path.parent
        )  # what is missing is said by the run
        shown["dataset"] = path.name
    return {
        "notebook": notebook.stem,
        "code_sha256": hashlib.sha256("\0".join(code).encode()).hexdigest(),
        "parameters": shown,
        "data_sha256": data,
        "capelib_sha256": reach.sha256(reached),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "packages": {
            name: _version(name)
            for name in sorted(PACKAGES if own == PUBLIC_RECORD else PACKAGES + READERS)
        },
    }


def _checksum(files: Iterable[Path], folder: Path) -> str:
    """One checksum of several files with their names below a folder."""
    digest = hashlib.sha256()
    for file in files:
        stat = file.stat()
        digest.update(
            f"{file.relative_to(folder).as_posix()}\0{_known(file, stat.st_mtime_ns, stat.st_size)}\0".encode()
        )
    return digest.hexdigest()


@lru_cache(maxsize=1024)
def _known(file: Path, _changed: int, _size: int) -> str:
    """The checksum as of this time: all runs rest on the same tables."""
    return sha256(file)


def sha256(file: Path) -> str:
    """Checksum of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


@cache
def _version(package: str) -> str:
    return metadata.version(package)


def outputs(folder: Path) -> dict[str, str]:
    """Checksum of each file that a run left in its folder."""
    return {
        file.name: sha256(file)
        for file in sorted(folder.iterdir())
        if file.is_file() and file.name != PROVENANCE and not file.name.startswith(".")
    }


def unchanged(folder: Path, expected: dict[str, Any]) -> bool:
    """Does the folder hold the whole results of just these inputs? Then the run need not be repeated."""
    found = read_provenance(folder)
    return (
        bool(found) and found.get("inputs") == expected and found.get("outputs") == outputs(folder)
    )
