"""Run notebooks with papermill; results appear only when a run has succeeded."""

import logging
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from capelib.dataset.codebook import unknown
from capelib.dataset.dataset import load
from capelib.errors import CapeError, ParameterError
from capelib.figures.saving import ANSWER, PROVENANCE, as_json, read_json, read_provenance
from capelib.paths import room
from capelib.runs import provenance
from capelib.runs.parameters import declared, fill, label


@dataclass(frozen=True)
class Run:
    """A notebook with the values of all its parameters."""

    notebook: Path
    parameters: dict[str, Any]
    name: str


@dataclass
class Outcome:
    """What became of a run. status: "done", "unchanged" or "failed"."""

    run: Run
    status: str
    folder: Path
    seconds: float = 0.0
    answer: str = ""
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""


def notebooks() -> dict[str, Path]:
    """The notebooks of the collection by name, in order."""
    return {path.stem: path for path in sorted(room("notebooks").glob("[0-9][0-9]_*.ipynb"))}


def find(name: str) -> Path:
    """One notebook by its name, its number ("03") or its path. Raises ParameterError naming the nearest."""
    known = notebooks()
    matches = [path for stem, path in known.items() if name in (stem, stem[:2], path.name)]
    if matches:
        return matches[0]
    if Path(name).suffix == ".ipynb" and Path(name).exists():
        return Path(name)
    raise ParameterError(unknown("notebook", name, list(known)))


def plan(names: list[str], given: dict[str, str], sweep: dict[str, list[str]] | None = None) -> list[Run]:
    """The runs to make: for the named notebooks (all, when none is named) the sets of `runs.toml`, or those that are asked for.

    given: one value for a parameter, as text. sweep: several values; every combination is a run. With either, the sets of
    `runs.toml` are not run. A run that comes up twice is made once. Every parameter of every run is checked here, before the
    first kernel starts.
    """
    chosen = list(dict.fromkeys(find(name) for name in names)) or list(notebooks().values())
    asked = {name: [value] for name, value in given.items()} | (sweep or {})
    if both := sorted(set(given) & set(sweep or {})):
        raise ParameterError(f"parameter {both[0]} is both set and swept: give all its values to --sweep")
    runs: dict[str, Run] = {}
    for notebook in chosen:
        known = declared(notebook)
        accepted = asked if len(chosen) == 1 else {name: values for name, values in asked.items() if name in known}
        for values in _combinations(accepted) if accepted else _sets(notebook):
            parameters = fill(notebook, values)
            name = notebook.stem + label(parameters, known)
            run = runs.setdefault(name, Run(notebook, parameters, name))
            if run.parameters != parameters:
                raise ParameterError(f"two runs would share the name {name}: give their files different names")
    declared_somewhere = {name for run in runs.values() for name in run.parameters}
    if unused := set(asked) - declared_somewhere:
        raise ParameterError(unknown("parameter", sorted(unused)[0], sorted(declared_somewhere - {"out"})))
    return list(runs.values())


def _sets(notebook: Path) -> list[dict[str, str]]:
    """The parameter sets of a notebook in `runs.toml`: its `parameters`, and every combination of its `sweep`."""
    import tomllib

    entries = tomllib.loads((room("notebooks") / "runs.toml").read_text(encoding="utf-8")).get("run", [])
    found = []
    for entry in [entry for entry in entries if entry["notebook"] == notebook.stem]:
        fixed = {name: _as_text(value) for name, value in entry.get("parameters", {}).items()}
        swept = {name: [_as_text(value) for value in values] for name, values in entry.get("sweep", {}).items()}
        found += [fixed | values for values in _combinations(swept)]
    return found or [{}]


def _combinations(values: dict[str, list[str]]) -> list[dict[str, str]]:
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


def _as_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def reproduce(runs: list[Run], out: Path, build: Path, force: bool = False) -> Iterator[Outcome]:
    """Make the runs one after another; each gives an Outcome.

    out: folder for figures, one folder a run. build: folder for executed notebooks and what differs from run to run.
    A run whose inputs and outputs still match its provenance is "unchanged" and not repeated, unless `force`.
    """
    for run in runs:
        folder = out / run.name
        expected = provenance.inputs(run.notebook, run.parameters)
        if not force and provenance.unchanged(folder, expected):
            yield _finished(Outcome(run, "unchanged", folder))
            continue
        started = time.perf_counter()
        with _staging(out) as staging:
            error = _execute(run, staging, build)
            if error:
                yield Outcome(run, "failed", folder, time.perf_counter() - started, error=error)
                continue
            own = run.parameters.get("dataset", "public-record")
            if own != "public-record":
                _set_aside(own, staging)
            content = read_provenance(staging) | {"inputs": expected, "outputs": provenance.outputs(staging)}
            (staging / PROVENANCE).write_bytes(as_json(content))
            _move(staging, folder)
        outcome = _finished(Outcome(run, "done", folder, time.perf_counter() - started))
        log = {"run": run.name, "seconds": round(outcome.seconds, 2), "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
        (build / f"{run.name}.json").write_bytes(as_json(log))
        yield outcome


def _finished(outcome: Outcome) -> Outcome:
    found = read_json(outcome.folder / ANSWER)
    outcome.answer, outcome.verdicts = found.get("answer", ""), found.get("verdicts", [])
    return outcome


def _set_aside(source: str, folder: Path) -> None:
    """The rows of a user's file that could not be used, and why, beside the figures that do without them."""
    ds = load(source)
    if len(ds.problems):
        ds.problems.to_csv(folder / "problems.csv", index=False, lineterminator="\n")
    if len(ds.set_aside):
        ds.set_aside.to_csv(folder / "set_aside.csv", index=False, lineterminator="\n")


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".run-", dir=out))
    except OSError as error:
        raise CapeError(f"cannot write to {out}: {error.strerror}; choose another folder with --out") from None
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move(staging: Path, folder: Path) -> None:
    """Put the files of a succeeded run in place, provenance last: until then the run counts as not made."""
    folder.mkdir(exist_ok=True)
    made = sorted(staging.iterdir(), key=lambda path: (path.name == PROVENANCE, path.name))
    for old in folder.iterdir():
        if old.name not in {path.name for path in made}:
            old.unlink()
    for path in made:
        path.replace(folder / path.name)


def _execute(run: Run, staging: Path, build: Path) -> str:
    """Run one notebook with papermill. Returns what went wrong in one line, or nothing."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    logging.getLogger("papermill").setLevel(logging.ERROR)
    executed = build / f"{run.name}.ipynb"
    parameters = dict(run.parameters) | ({"out": str(staging.resolve())} if "out" in run.parameters else {})
    if parameters.get("dataset", "public-record") != "public-record":
        parameters["dataset"] = str(Path(parameters["dataset"]).expanduser().resolve())
    try:
        build.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="cape-") as sockets:
            ways: dict[str, Any] = {"shutdown_kernel": "immediate"}
            if hasattr(socket, "AF_UNIX"):  # over TCP each kernel would warn, and anyone on the machine could listen
                ways["config"] = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/k"}})
            papermill.execute_notebook(
                run.notebook, executed, parameters, kernel_name="python3", progress_bar=False, log_output=False, **ways
            )
    except PapermillExecutionError as error:
        failed = build / "failed" / executed.name
        failed.parent.mkdir(exist_ok=True)
        executed.replace(failed)
        said = error.evalue.splitlines()[0] if error.evalue else ""
        return f"In [{error.exec_count}]: {error.ename}: {said} (see {failed})"
    except DeadKernelError:
        return "the kernel died"
    except OSError as error:
        raise CapeError(f"cannot write to {error.filename or build}: {error.strerror}") from None
    return ""
