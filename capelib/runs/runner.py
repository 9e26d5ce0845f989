"""Run notebooks with papermill; results appear only when a run has succeeded."""

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capelib.errors import CapeError, ParameterError
from capelib.files import ANSWER, PROVENANCE, as_json, read_json, read_provenance, write_files
from capelib.notebook import check_parameters
from capelib.paths import room
from capelib.runs import provenance
from capelib.runs.execute import Run, execute
from capelib.runs.parameters import declared, fill, label, read
from capelib.vocabulary.codebook import unknown

if TYPE_CHECKING:
    from capelib.runs.cluster import Cluster

_one_table = threading.Lock()  # runs that end together would each read the same table


@dataclass
class Outcome:
    """What became of a run. status: "done", "unchanged" or "failed"."""

    run: Run
    status: str
    folder: Path
    seconds: float = 0.0
    answer: str = ""
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""


def notebooks() -> dict[str, Path]:
    """The notebooks of the collection by name, in order."""
    return {path.stem: path for path in sorted(room("notebooks").glob("[0-9][0-9]_*.ipynb"))}


def find(name: str) -> Path:
    """One notebook by its name, its number ("03") or its path. Raises ParameterError naming the nearest."""
    known = notebooks()
    matches = [
        path
        for stem, path in known.items()
        if name in (stem, stem[:2], stem[:2].lstrip("0"), path.name)
    ]
    if matches:
        return matches[0]
    if Path(name).suffix == ".ipynb" and Path(name).exists():
        return Path(name)
    raise ParameterError(unknown("notebook", name, list(known)))


def plan(
    names: list[str], given: dict[str, str], sweep: dict[str, list[str]] | None = None
) -> list[Run]:
    """The runs to make: for the named notebooks (all, when none is named) the sets of `runs.toml`, or those that are asked for.

    given: one value for a parameter, as text. sweep: several values; every combination is a run. With either, the sets of
    `runs.toml` are not run. A run that comes up twice is made once. What is asked for is checked here, before the first kernel
    starts; the sets of `runs.toml` are checked when they are to be run.
    """
    chosen = list(dict.fromkeys(find(name) for name in names)) or list(notebooks().values())
    asked = {name: [value] for name, value in given.items()} | (sweep or {})
    if both := sorted(set(given) & set(sweep or {})):
        raise ParameterError(
            f"parameter {both[0]} is both set and swept: give all its values to --sweep"
        )
    runs: dict[str, Run] = {}
    for notebook in chosen:
        known = declared(notebook)
        accepted = (
            asked
            if len(chosen) == 1
            else {name: values for name, values in asked.items() if name in known}
        )
        for values in _combinations(accepted) if accepted else _sets(notebook):
            parameters = fill(notebook, values) if accepted else read(notebook, values)
            name = notebook.stem + label(parameters, known)
            run = runs.setdefault(name, Run(notebook, parameters, name))
            if run.parameters != parameters:
                raise ParameterError(
                    f"two runs would share the name {name}: give their files different names"
                )
    declared_somewhere = {name for run in runs.values() for name in run.parameters}
    if unused := set(asked) - declared_somewhere:
        raise ParameterError(
            unknown("parameter", sorted(unused)[0], sorted(declared_somewhere - {"out"}))
        )
    return list(runs.values())


def _sets(notebook: Path) -> list[dict[str, str]]:
    """The parameter sets of a notebook in `runs.toml`: its `parameters`, and every combination of its `sweep`."""
    import tomllib

    entries = tomllib.loads((room("notebooks") / "runs.toml").read_text(encoding="utf-8")).get(
        "run", []
    )
    found = []
    for entry in [entry for entry in entries if entry["notebook"] == notebook.stem]:
        fixed = {name: _as_text(value) for name, value in entry.get("parameters", {}).items()}
        swept = {
            name: [_as_text(value) for value in values]
            for name, values in entry.get("sweep", {}).items()
        }
        found += [fixed | values for values in _combinations(swept)]
    return found or [{}]


def _combinations(values: dict[str, list[str]]) -> list[dict[str, str]]:
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


def _as_text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def reproduce(
    runs: list[Run],
    out: Path,
    build: Path,
    force: bool = False,
    jobs: int = 1,
    plain: bool = False,
    started: Callable[[Run], None] | None = None,
    cluster: "Cluster | None" = None,
) -> Iterator[Outcome]:
    """Make the runs, several at once; each gives an Outcome as it ends, those that need not be repeated first.

    out: folder for figures, one folder a run. build: folder for executed notebooks and what differs from run to run.
    force: repeat also what has not changed; else a run whose inputs and outputs still match its provenance is "unchanged".
    jobs: how many at once. plain: start each kernel by itself, in place of forking it. started: told of each run that begins.
    cluster: where notebooks are executed, in place of here (`capelib.runs.cluster.connected`).
    The parameters of every run that is to be made are checked first. The longest come first, by their seconds of the last time.
    A second `reproduce` on the same folder waits for the first. Raises CapeError where a folder cannot be written.
    """
    expected = {run.name: provenance.inputs(run.notebook, run.parameters) for run in runs}
    same = [
        run
        for run in runs
        if not force and provenance.unchanged(out / run.name, expected[run.name])
    ]
    for run in same:
        yield _finished(Outcome(run, "unchanged", out / run.name))
    todo = sorted((run for run in runs if run not in same), key=lambda run: -seconds_of(run, build))
    if not todo:
        return
    for run in todo:
        check(run)
    from capelib.runs.warm import available, end_all, provisioned, warm_process

    if available() and not plain and cluster is None:
        warm_process()  # it imports what kernels need while this process imports papermill
    with _alone(out), provisioned(plain), ThreadPoolExecutor(max_workers=jobs) as pool:
        stop = threading.Event()
        waiting = {
            pool.submit(_make, run, expected[run.name], out, build, stop, started, cluster)
            for run in todo
        }
        try:
            while waiting:
                ended, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield future.result()
        except BaseException:  # Ctrl-C, a folder that cannot be written, a reader who has seen enough: nothing more is put in place
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            (cluster.end if cluster else end_all)()
            raise


def check(run: Run) -> None:
    """Are the parameters of this run allowed? Raises ParameterError that names the notebook."""
    try:
        check_parameters(**run.parameters)
    except ParameterError as error:
        raise ParameterError(f"{run.notebook.stem}: {error}") from None


def seconds_of(run: Run, build: Path) -> float:
    """How long the run took the last time; unknown ones count as long."""
    return float(read_json(build / f"{run.name}.json").get("seconds", 1e6))


def _make(
    run: Run,
    expected: dict[str, Any],
    out: Path,
    build: Path,
    stop: threading.Event,
    started: Callable[[Run], None] | None,
    cluster: "Cluster | None",
) -> Outcome:
    folder, begun = out / run.name, time.perf_counter()
    if started and not stop.is_set():
        started(run)
    with _staging(out) as staging:
        error = (cluster.execute if cluster else execute)(run, staging, build)
        if stop.is_set():
            return Outcome(run, "failed", folder, error="stopped")
        if error:
            return Outcome(run, "failed", folder, time.perf_counter() - begun, error=error)
        own = run.parameters.get("dataset", "public-record")
        if own != "public-record":
            _set_aside(own, staging)
        content = read_provenance(staging) | {
            "inputs": expected,
            "outputs": provenance.outputs(staging),
        }
        (staging / PROVENANCE).write_bytes(as_json(content))
        _move(staging, folder)
    outcome = _finished(Outcome(run, "done", folder, time.perf_counter() - begun))
    log = {
        "run": run.name,
        "seconds": round(outcome.seconds, 2),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
    write_files(build, {f"{run.name}.json": as_json(log)})
    return outcome


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """One `cape reproduce` at a time on a folder; what a killed one left half made is removed."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = os.open(out, os.O_RDONLY)
    except OSError as error:
        raise CapeError(
            f"cannot write to {out}: {error.strerror}; choose another folder with --out"
        ) from None
    try:
        try:
            import fcntl
        except ImportError:  # no such lock on this system
            yield
            return
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(
                f"cape: another `cape reproduce` is at work on {out}; waiting for it",
                file=sys.stderr,
            )
            fcntl.flock(folder, fcntl.LOCK_EX)
        for left in out.glob(".run-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(folder)


def _finished(outcome: Outcome) -> Outcome:
    found = read_json(outcome.folder / ANSWER)
    outcome.answer, outcome.verdicts, outcome.notes = (
        found.get("answer", ""),
        found.get("verdicts", []),
        found.get("notes", []),
    )
    return outcome


def _set_aside(source: str, folder: Path) -> None:
    """The rows of a user's table that could not be used, and what was changed in it, beside the figures."""
    from capelib.check.files import examine, write_account

    with _one_table:
        write_account(examine(source), folder)


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    try:
        staging = Path(tempfile.mkdtemp(prefix=".run-", dir=out))
    except OSError as error:
        raise CapeError(
            f"cannot write to {out}: {error.strerror}; choose another folder with --out"
        ) from None
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
