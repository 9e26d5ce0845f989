"""Where figures come from, and whether their run must be repeated.

`provenance.json` lies beside the figures and is committed: data, parameters, versions, outputs.
What only decides whether a run must be repeated (checksums of code) stands in the run's record in
`build/`, so that a commit to capelib's code does not touch the committed figures.
"""

import hashlib
import math
import os
import sys
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from capelib.errors import CapeError
from capelib.files import (
    FORMATS,
    PROVENANCE,
    as_json,
    cells,
    outputs_of,
    part,
    pictures_beside,
    read_json,
    read_provenance,
    sha256,
    write_files,
)
from capelib.paths import PACKAGE, project_folder
from capelib.runs import opened, reach
from capelib.runs.folders import note
from capelib.vocabulary.codebook import PUBLIC_RECORD, licences

PACKAGES = ("matplotlib", "numpy", "pandas", "papermill", "scipy", "seaborn", "statsmodels")
# A table of the reader's is read by these packages, and by what these folders of data/ hold.
READERS = ("babel", "pyarrow", "python-calamine", "rapidfuzz")
READING = ("layouts", "names", "words")


def facts(
    notebook: Path, parameters: dict[str, Any], before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What do the results of a run come from?

    Parameters
    ----------
    notebook
        The notebook's file.
    parameters
        The values of all its parameters.
    before
        What `inputs` gave before the run: a table of the reader's may have changed since.

    Returns
    -------
    dict
        `notebook` (name), `parameters` (without `out`), `python` and `packages` (versions), and
        `tables_sha256`: by path below `data/`, the checksum of each table that the run rests on;
        `licences` of those among them with terms of their own. For a table or folder of the
        reader's also `dataset_sha256`, by path.
    """
    tables = _built_in(notebook, parameters)
    if parameters.get("dataset", PUBLIC_RECORD) == PUBLIC_RECORD:
        tables = [file for file in tables if file.parent.name not in READING]
    tables_sha256 = _checksums(tables, project_folder("data"))
    known = before["facts"] if before else _without_tables(notebook, parameters)
    return known | {
        "tables_sha256": tables_sha256,
        "licences": {path: terms for path, terms in licences().items() if path in tables_sha256},
    }


def _without_tables(notebook: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """The facts but for the tables of `data/`, which take a fifth of a second to find."""
    shown = {name: value for name, value in parameters.items() if name != "out"}
    source = shown.get("dataset", PUBLIC_RECORD)
    packages = PACKAGES
    stated: dict[str, Any] = {}
    if source != PUBLIC_RECORD:
        packages += READERS
        path = Path(source).expanduser()
        from capelib.check.files import shown_name  # pandas: only where there is a table

        name = shown_name(path)
        shown["dataset"] = name
        sums = _checksums(_files_of(path), path.parent)
        stated["dataset_sha256"] = {
            name if file == path.name else file: sha for file, sha in sums.items()
        }
    return stated | {
        "notebook": notebook.stem,
        "parameters": {name: _as_json_has_it(value) for name, value in shown.items()},
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "packages": {name: _version(name) for name in sorted(packages)},
    }


def inputs(notebook: Path, parameters: dict[str, Any], capelib_sha256: str = "") -> dict[str, Any]:
    """What can the results of a run depend on? Its facts, and all of capelib with its data.

    Text cells and outputs of the notebook do not change what it computes.

    Parameters
    ----------
    notebook
        The notebook's file.
    parameters
        The values of all its parameters.
    capelib_sha256
        What `package_sha256` has just given, for many runs at once.

    Returns
    -------
    dict
        The same for the same inputs; the run's record in `build/` holds it.
    """
    code = _code(notebook)
    return {
        "facts": _without_tables(notebook, parameters),
        "code_sha256": hashlib.sha256("\0".join(code).encode()).hexdigest(),
        "capelib_sha256": capelib_sha256 or package_sha256(),
        "formats": os.environ.get(FORMATS, ""),
    }


def package_sha256() -> str:
    """The checksum of capelib: its sources, its templates and its data, with their names."""
    digest = hashlib.sha256()
    for folder in (PACKAGE, project_folder("data")):
        for base, folders, names in os.walk(folder):  # ten times as fast as Path.glob
            folders.sort()
            of_package = folder == PACKAGE and not base.endswith("templates")
            for name in sorted(names):
                if name.endswith(".py") or not of_package:
                    path = os.path.join(base, name)  # noqa: PTH118 (as fast)
                    stat = os.stat(path)  # noqa: PTH116
                    sha = _sha256_as_of(path, stat.st_mtime_ns, stat.st_size)
                    digest.update(f"{path[len(str(folder)) :]}\0{sha}\0".encode())
    return digest.hexdigest()


def is_as_expected(notebook: Path, parameters: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Are the files that a run rests on still those of its `inputs`, capelib's code among them?"""
    try:
        return inputs(notebook, parameters) == expected
    except (OSError, CapeError):  # one is gone
        return False


def state(folder: Path, stated: dict[str, Any]) -> None:
    """Write provenance.json of a folder: what is stated, its figures and its outputs.

    Parameters
    ----------
    folder
        Where the outputs lie, and nothing else.
    stated
        What they come from, such as `facts` gives. `save` has noted the figures there already.
    """
    figures = part(read_provenance(folder), "figures", dict)
    described = {
        name: {key: value for key, value in figure.items() if key != "files"}  # they are outputs
        for name, figure in figures.items()
    }
    made = checksums(folder)
    not_committed = pictures_beside(made)  # by .gitignore
    outputs = {
        name: sha for name, sha in made.items() if name not in not_committed and name != PROVENANCE
    }
    content = stated | {"figures": described, "outputs": outputs}
    write_files(folder, {PROVENANCE: as_json(content)})


def remember(
    folder: Path,
    expected: dict[str, Any],
    record: Path,
    files_opened: dict[str, Any] | None = None,
    **log: Any,
) -> None:
    """Note that the files of a folder came from these inputs.

    Parameters
    ----------
    folder
        The folder of figures.
    expected
        What its files depend on, such as `inputs` gives.
    record
        The JSON file for it in `build/`. It keeps one entry for each folder of figures, since
        runs into several folders may share one `build/`.
    files_opened
        What `opened.of_run` gives.
    **log
        What else the record shall hold, such as seconds.
    """
    made = part(read_json(record), "made", dict)
    kept = {name: entry for name, entry in made.items() if Path(name).is_dir()}
    kept[str(folder.resolve())] = {
        "inputs": expected,
        "files": checksums(folder, outputs_of(folder)),
        "opened": files_opened or {},
    }
    note(record, made=kept, **log)


def files_made(folder: Path, record: Path) -> dict[str, str]:
    """Which checksums had the files of a folder when its last run had made them?

    Parameters
    ----------
    folder
        The folder of figures.
    record
        Of its runs, in `build/`.

    Returns
    -------
    dict
        By name; empty where it is not known.
    """
    return part(_last(folder, record), "files", dict)


def _last(folder: Path, record: Path) -> dict[str, Any]:
    """What a record says of the last run into a folder."""
    return part(part(read_json(record), "made", dict), str(folder.resolve()), dict)


def unchanged(folder: Path, expected: dict[str, Any], record: Path, ours: bool = True) -> bool:
    """Does the folder hold all results of just these inputs, so that its run need not be repeated?

    Parameters
    ----------
    folder
        The folder of figures.
    expected
        What its files depend on, such as `inputs` gives.
    record
        The JSON file for it in `build/`; without one (a fresh clone) the answer is no.
    ours
        Is it a notebook of the collection? Those open nothing but what `expected` knows; where it
        is not known what another one has opened, the answer is no.
    """
    made = _last(folder, record)
    files_opened = part(made, "opened", dict)
    return (
        made.get("inputs") == expected
        and made.get("files") == checksums(folder, outputs_of(folder))
        and (opened.is_still(files_opened) if files_opened else ours)
    )


def checksums(folder: Path, names: Iterable[str] | None = None) -> dict[str, str]:
    """The sha256 of files by their path below a folder.

    Parameters
    ----------
    folder
        There may be none.
    names
        The files, of which some may not be there; all that lie below it where none is named.
    """
    files = folder.rglob("*") if names is None else (folder / name for name in names)
    return {
        file.relative_to(folder).as_posix(): sha256(file)
        for file in sorted(files)
        if file.is_file()
    }


def _code(notebook: Path) -> list[str]:
    """The code cells of a notebook."""
    return ["".join(cell["source"]) for cell in cells(notebook) if cell["cell_type"] == "code"]


def _built_in(notebook: Path, parameters: dict[str, Any]) -> list[Path]:
    """The files of data/ that a run reaches."""
    values = [value for name, value in parameters.items() if name != "out"]
    tables = set(reach.tables("\n".join(_code(notebook)), values))
    if parameters.get("dataset", PUBLIC_RECORD) != PUBLIC_RECORD:
        # A layout is chosen by the columns of the table; no code names it.
        tables |= set((project_folder("data") / "layouts").glob("*.toml"))
    return sorted(tables)


def _files_of(path: Path) -> list[Path]:
    """A table, or the tables of a folder. One that is missing is named by the run itself."""
    tables = sorted(path.rglob("*.csv")) if path.is_dir() else [path]
    return [file for file in tables if file.exists()]


def _checksums(files: Iterable[Path], folder: Path) -> dict[str, str]:
    """The sha256 of files by their path below a folder."""
    sums = {}
    for file in files:
        stat = file.stat()
        name = file.relative_to(folder).as_posix()
        sums[name] = _sha256_as_of(str(file), stat.st_mtime_ns, stat.st_size)
    return sums


@lru_cache(maxsize=1024)
def _sha256_as_of(file: str, _changed: int, _size: int) -> str:
    """The checksum as of this time: all runs rest on the same tables."""
    return sha256(Path(file))


def _as_json_has_it(value: Any) -> Any:
    """A value of a parameter; JSON has no infinite number, and none that is no number."""
    if isinstance(value, dict):
        return {str(key): _as_json_has_it(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_json_has_it(each) for each in value]
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)


@cache
def _version(package: str) -> str:
    return metadata.version(package)
