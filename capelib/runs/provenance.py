"""What a run rests on: only facts that the same inputs always give, so that they can be committed and compared."""

import hashlib
import json
import platform
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from capelib.figures.saving import PROVENANCE, read_provenance
from capelib.paths import PACKAGE, room

PACKAGES = ("matplotlib", "numpy", "pandas", "papermill", "scipy", "seaborn", "statsmodels")


def sha256(path: Path) -> str:
    """Checksum of a file, or of the tables, codebook and references below a folder with their names."""
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(item for item in path.rglob("*") if item.suffix in (".csv", ".toml", ".bib")):
            digest.update(file.relative_to(path).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    else:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def code_sha256(notebook: Path) -> str:
    """Checksum of a notebook's code cells; text cells and outputs do not change what it computes."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()


@cache
def capelib_sha256() -> str:
    """Checksum of every source file of the package."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def inputs(notebook: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """Everything that a run's results depend on: code, parameters, data, capelib, package versions."""
    shown = {name: value for name, value in parameters.items() if name != "out"}
    own = shown.get("dataset", "public-record")
    data = {"built_in": sha256(room("data"))}
    if own != "public-record":
        data["dataset"] = sha256(Path(own).expanduser())
        shown["dataset"] = Path(own).name
    return {
        "notebook": notebook.stem,
        "code_sha256": code_sha256(notebook),
        "parameters": shown,
        "data_sha256": data,
        "capelib_sha256": capelib_sha256(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


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
    return bool(found) and found.get("inputs") == expected and found.get("outputs") == outputs(folder)
