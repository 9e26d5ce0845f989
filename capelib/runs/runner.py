"""Run notebooks with papermill; results are put in place only when a run has succeeded."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capelib.errors import CapeError, ParameterError
from capelib.files import ANSWER, SOURCE, cells, language, part, read_json, source_mark
from capelib.paths import project_folder
from capelib.runs import kernels, opened, provenance
from capelib.runs.execute import LONGEST, Run, execute
from capelib.runs.folders import InTheWayError, alone, put_in_place, staging
from capelib.runs.guard import changed_meanwhile, one_table, require_free, sources_of
from capelib.runs.parameters import check, declared, label, read
from capelib.vocabulary.codebook import PUBLIC_RECORD, unknown

if TYPE_CHECKING:
    from capelib.runs.cluster import Cluster

UNKNOWN_SECONDS = 1e6  # of a run that was never made: it is started first
TAKEN = ("build", "comparisons")  # folders among those of the runs


@dataclass
class Outcome:
    """What became of a run?

    Attributes
    ----------
    run : Run
    status : str
        "done", "unchanged" or "failed".
    folder : Path
        Where its figures lie.
    seconds : float
        How long it took.
    answer : str
        The notebook's answer in one sentence.
    verdicts : list of dict
        On published numbers, as `Verdict.row` gives them.
    notes : list of str
        Sentences for the end of `cape reproduce`.
    error : str
        What went wrong, in one line.
    kept : list of Path
        Copies of files of the last run that were edited since.
    """

    run: Run
    status: str
    folder: Path
    seconds: float = 0.0
    answer: str = ""
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    kept: list[Path] = field(default_factory=list)


def notebooks() -> dict[str, Path]:
    """Which notebooks does the collection hold? By name, in order."""
    return {
        path.stem: path for path in sorted(project_folder("notebooks").glob("[0-9][0-9]_*.ipynb"))
    }


def find(name: str) -> Path:
    """Which notebook is meant?

    Parameters
    ----------
    name
        Its path, its number ("03"), or its name where no file of that name is there.

    Raises
    ------
    ParameterError
        Where there is none, naming the nearest; where it is not one of Python.
    """
    known = notebooks()
    if name.endswith(".ipynb") and Path(name).is_file():
        if (spoken := language(Path(name))) != "python":
            raise ParameterError(f"{name} is a notebook of {spoken}: only those of Python are run")
        return Path(name)
    for stem, path in known.items():
        if name in (stem, stem[:2], stem[:2].lstrip("0"), path.name):
            return path
    if Path(name).name != name:
        raise ParameterError(f"there is no notebook {name}")
    raise ParameterError(unknown("notebook", name, list(known)))


def folder_name(notebook: Path) -> str:
    """How is the folder of a notebook's default run called? Another one than of the collection's.

    Parameters
    ----------
    notebook
        Its file.

    Examples
    --------
    >>> folder_name(find("03")), folder_name(Path("03_tajik_targeting.ipynb"))
    ('03_tajik_targeting', 'my_03_tajik_targeting')
    """
    ours = notebooks().get(notebook.stem)
    if ours and ours.resolve() == notebook.resolve():
        return notebook.stem
    return f"my_{notebook.stem}" if ours or notebook.stem in TAKEN else notebook.stem


def plan(
    names: list[str], given: dict[str, str], sweep: dict[str, list[str]] | None = None
) -> list[Run]:
    """Which runs are to be made?

    With a parameter or a sweep only those runs are planned, not the sets of `runs.toml`.

    Parameters
    ----------
    names
        The notebooks; all where none is named.
    given
        One value for a parameter, as text.
    sweep
        Several values for a parameter, as text; every combination is a run.

    Returns
    -------
    list of Run
        Each run once, in the order of the notebooks.

    Raises
    ------
    ParameterError
        For an unknown name, and for a text that is not of its type: see `parameters.read`.
    """
    chosen = list(dict.fromkeys(find(name) for name in names)) or list(notebooks().values())
    sweep = sweep or {}
    if both := sorted(set(given) & set(sweep)):
        raise ParameterError(
            f"parameter {both[0]} is both set and swept: give all its values to --sweep"
        )
    asked = {name: [value] for name, value in given.items()} | sweep
    runs: dict[str, Run] = {}
    sets = _sets()
    for notebook in chosen:
        for run in _runs_of(notebook, asked, len(chosen) > 1, sets):
            first = runs.setdefault(run.name, run)
            same_notebook = first.notebook.resolve() == run.notebook.resolve()
            if first.parameters != run.parameters or not same_notebook:
                raise ParameterError(
                    f"two runs would share the name {run.name}: give their files different names"
                )
    known = {name for run in runs.values() for name in run.parameters}
    if unused := set(asked) - known:
        raise ParameterError(unknown("parameter", sorted(unused)[0], sorted(known - {"out"})))
    return list(runs.values())


def _runs_of(
    notebook: Path,
    asked: dict[str, list[str]],
    among_others: bool,
    sets: dict[str, list[dict[str, str]]],
) -> Iterator[Run]:
    """The runs of a notebook; among others, parameters that it does not have are left out."""
    known = declared(notebook)
    if among_others:
        asked = {name: values for name, values in asked.items() if name in known}
    name = folder_name(notebook)
    for values in _combinations(asked) if asked else sets.get(name, [{}]):
        parameters = read(notebook, values)
        yield Run(notebook, parameters, name + label(parameters, known))


def _sets() -> dict[str, list[dict[str, str]]]:
    """The parameter sets of `runs.toml` by notebook, with every combination of a `sweep`."""
    import tomllib

    content = tomllib.loads((project_folder("notebooks") / "runs.toml").read_text(encoding="utf-8"))
    sets: dict[str, list[dict[str, str]]] = {}
    for entry in content.get("run", []):
        fixed = {name: _as_text(value) for name, value in entry.get("parameters", {}).items()}
        swept = {
            name: [_as_text(value) for value in values]
            for name, values in entry.get("sweep", {}).items()
        }
        combined = [fixed | values for values in _combinations(swept)]
        sets.setdefault(entry["notebook"], []).extend(combined)
    return sets


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
    """Make the runs, several at once, the longest first.

    The parameters of every run that is to be made are checked first. A second `reproduce` on the
    same folder waits for the first.

    Parameters
    ----------
    runs
        What `plan` gives.
    out
        The folder for figures, one folder a run.
    build
        The folder for executed notebooks and for each run's record: what it rested on, its seconds.
    force
        Repeat also what has not changed. Otherwise a run whose record shows the same inputs and the
        files that lie in its folder is "unchanged".
    jobs
        How many at once.
    plain
        Start a kernel for each run, in place of forking a process.
    started
        Called with each run that begins.
    cluster
        Where notebooks are executed, in place of here: see `capelib.runs.cluster.connected`.

    Yields
    ------
    Outcome
        As each run ends; those that need not be repeated first.

    Raises
    ------
    ParameterError
        For values that are not allowed.
    CapeError
        Where a folder cannot be written.
    """
    for run in runs:
        require_free(run, out / run.name, build)
    package = provenance.package_sha256()
    inputs = {run.name: provenance.inputs(run.notebook, run.parameters, package) for run in runs}
    todo, unchanged = [], []
    for run in runs:
        record, ours = _record(run, build), run.notebook not in sources_of(run)
        same = provenance.unchanged(out / run.name, inputs[run.name], record, ours)
        (unchanged if same and not force else todo).append(run)
    if todo and kernels.available() and not plain and cluster is None:
        with suppress(OSError):  # without it each kernel starts by itself
            kernels.warm_up()  # it imports what runs need while this process imports its own
    for run in todo:
        check(run.notebook, run.parameters)
    for run in unchanged:
        yield _with_answer(Outcome(run, "unchanged", out / run.name))
    if not todo:
        return
    todo.sort(key=lambda run: -seconds_of(run, build))
    carry_out = cluster.execute if cluster else partial(execute, plain=plain)
    with alone(out), ThreadPoolExecutor(max_workers=jobs) as pool:
        stop = threading.Event()
        waiting = {
            pool.submit(_make, run, inputs[run.name], out, build, stop, started, carry_out)
            for run in todo
        }
        try:
            while waiting:
                ended, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield future.result()
        except BaseException:
            # Ctrl-C, a folder that cannot be written, or a caller that wants no more outcomes:
            # nothing more is put in place.
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            (cluster.end if cluster else kernels.end_all)()
            raise


def seconds_of(run: Run, build: Path) -> float:
    """How long did the run take the last time? `UNKNOWN_SECONDS` where it was never made."""
    seconds = read_json(_record(run, build)).get("seconds")
    return float(seconds) if isinstance(seconds, int | float) else UNKNOWN_SECONDS


def _record(run: Run, build: Path) -> Path:
    return build / f"{run.name}.json"


def _make(
    run: Run,
    inputs: dict[str, Any],
    out: Path,
    build: Path,
    stop: threading.Event,
    started: Callable[[Run], None] | None,
    carry_out: Callable[[Run, Path, Path, dict[str, Any]], str],
) -> Outcome:
    """Make one run; whatever goes wrong in it is its own failure, and the others go on."""
    begun = time.perf_counter()
    if started and not stop.is_set():
        started(run)
    try:
        return _made(run, inputs, out, build, stop, begun, carry_out)
    except CapeError:  # a folder that cannot be written, a cluster that is gone: it ends all
        raise
    except InTheWayError as error:
        return _failed(run, out, begun, str(error))
    except Exception as error:
        message = f"{type(error).__name__}: {error}".splitlines()[0][:LONGEST]
        return _failed(run, out, begun, message)


def _failed(run: Run, out: Path, begun: float, message: str) -> Outcome:
    return Outcome(run, "failed", out / run.name, time.perf_counter() - begun, error=message)


def _made(
    run: Run,
    inputs: dict[str, Any],
    out: Path,
    build: Path,
    stop: threading.Event,
    begun: float,
    carry_out: Callable[[Run, Path, Path, dict[str, Any]], str],
) -> Outcome:
    """Make one run. Its files are put in place unless it failed or all shall stop."""
    folder = out / run.name
    record = _record(run, build)
    with staging(out) as made:
        files_opened: dict[str, Any] = {}
        error = carry_out(run, made, build, files_opened)
        if stop.is_set():
            return Outcome(run, "failed", folder, error="stopped")
        if error:
            return _failed(run, out, begun, error)
        if error := changed_meanwhile(run, inputs, made):
            return _failed(run, out, begun, error)
        source = run.parameters.get("dataset", PUBLIC_RECORD)
        if source != PUBLIC_RECORD:
            _set_aside(source, made)
        provenance.state(made, provenance.facts(run.notebook, run.parameters, inputs))
        if sources := sources_of(run):
            (made / SOURCE).write_text(source_mark(folder, *sources), encoding="ascii")
        kept = put_in_place(made, folder, provenance.files_made(folder, record))
    outcome = Outcome(run, "done", folder, time.perf_counter() - begun, kept=kept)
    provenance.remember(
        folder,
        inputs,
        record,
        _opened(run, files_opened, made),
        run=run.name,
        seconds=round(outcome.seconds, 2),
        finished=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    )
    return _with_answer(outcome)


def _opened(run: Run, files_opened: dict[str, Any], made: Path) -> dict[str, Any]:
    """What a run opened besides its table; a notebook of ours opens nothing else."""
    sources = sources_of(run)
    if run.notebook not in sources:
        return {}
    code = ("".join(cell["source"]) for cell in cells(run.notebook) if cell["cell_type"] == "code")
    apart = [made, *(Path(source).expanduser() for source in sources)]
    return opened.of_run(files_opened, code, apart)


def _with_answer(outcome: Outcome) -> Outcome:
    """The outcome with what answer.json in its folder says."""
    answer = read_json(outcome.folder / ANSWER)
    outcome.answer = part(answer, "answer", str)
    outcome.verdicts = [row for row in part(answer, "verdicts", list) if _is_verdict(row)]
    outcome.notes = [note for note in part(answer, "notes", list) if isinstance(note, str)]
    return outcome


def _is_verdict(row: Any) -> bool:
    """Has it all that is shown of a verdict? A notebook may write what it likes."""
    texts = ("published", "statement", "here", "verdict", "reason", "reading", "label")
    is_row = isinstance(row, dict) and "value" in row
    return is_row and all(isinstance(row.get(name), str) for name in texts)


def _set_aside(source: str, folder: Path) -> None:
    """Write which rows of a user's table could not be used, and what was changed in it."""
    from capelib.check.files import examine, write_account

    with one_table:
        write_account(examine(source), folder)
