"""How fast is the whole collection run? Eight ways in one session, in turn; medians and ratios
(`make bench`).

(a) papermill's command, one notebook after another; (b) papermill's API, one after another; (c) the
same in a pool of threads; (d) `cape reproduce --force`; (e) `cape reproduce` with nothing to do;
(f) the limit: the code cells run by `exec` in forks of a process that has imported everything,
without Jupyter; (g) one notebook from the shell to its figures; (h) `cape --help`.
`python benchmarks/collection.py [NOTEBOOK...] [--rounds N]`; without a NOTEBOOK the table in docs/
is written.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from capelib.runs import preload, runner

CORES = os.cpu_count() or 1
ONE = "06"  # a notebook of middling length
TABLE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks" / "collection.md"
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = (
    "1"  # else the debugger that kernels import warns in (f)
)
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def by_command(runs: list[runner.Run], folder: Path) -> None:
    for run in runs:
        words = [
            sys.executable,
            "-m",
            "papermill",
            str(run.notebook),
            str(folder / f"{run.name}.ipynb"),
            "-k",
            "python3",
        ]
        values = run.parameters | {"out": str(folder / run.name)}
        yaml = json.dumps(values)  # JSON is YAML
        subprocess.run([*words, "-y", yaml], check=True, **QUIET)


def by_api(runs: list[runner.Run], folder: Path, jobs: int = 1) -> None:
    code = (
        "import json, sys, logging, papermill; "
        "from concurrent.futures import ThreadPoolExecutor; logging.disable()\n"
        "todo = json.loads(sys.argv[1])\n"
        "def make(one):\n"
        "    papermill.execute_notebook(one[0], one[1], one[2], kernel_name='python3', "
        "progress_bar=False, log_output=False)\n"
        "with ThreadPoolExecutor(int(sys.argv[2])) as pool: list(pool.map(make, todo))"
    )
    todo = [
        (
            str(run.notebook),
            str(folder / f"{run.name}.ipynb"),
            run.parameters | {"out": str(folder / run.name)},
        )
        for run in runs
    ]
    subprocess.run([sys.executable, "-c", code, json.dumps(todo), str(jobs)], check=True, **QUIET)


def by_cape(names: list[str], folder: Path, *words: str) -> None:
    cape("reproduce", *names, "--out", str(folder / "figures"), *words)


def cape(*words: str) -> None:
    command = [sys.executable, "-c", "from capelib.cli import main; main()"]
    subprocess.run([*command, *words], check=True, **QUIET)


def by_exec(runs: list[runner.Run], folder: Path) -> None:
    """In a process of its own, whose imports count, as they do for the others."""
    pid = os.fork()
    if pid == 0:
        with contextlib.redirect_stdout(open(os.devnull, "w")):  # noqa: PTH123
            preload.preload()
            with ThreadPoolExecutor(CORES) as pool:
                list(pool.map(lambda run: _exec(run, folder), runs))
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("the limit could not be measured")


def _exec(run: runner.Run, folder: Path) -> None:
    pid = os.fork()
    if pid == 0:
        space: dict[str, object] = {"display": lambda *_: None}
        for cell in json.loads(run.notebook.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), run.name, "exec"), space)
                if "parameters" in cell["metadata"].get("tags", []):
                    space |= run.parameters | {"out": str(folder / run.name)}
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"{run.name} failed")


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("notebooks", nargs="*")
    asked.add_argument("--rounds", type=int, default=5)
    options = asked.parse_args()
    runs = runner.plan(options.notebooks, {})
    ways: dict[str, Callable[[Path], None]] = {
        "a: papermill's command": lambda folder: by_command(runs, folder),
        "b: papermill's API": lambda folder: by_api(runs, folder),
        "c: papermill's API in threads": lambda folder: by_api(runs, folder, CORES),
        "d: cape reproduce --force": lambda folder: by_cape(options.notebooks, folder, "--force"),
        "e: cape reproduce, nothing to do": lambda folder: by_cape(options.notebooks, folder),
        "f: exec in forks": lambda folder: by_exec(runs, folder),
        f"g: cape reproduce {ONE}": lambda folder: by_cape([ONE], folder, "-p", "origin=TJK"),
        "h: cape --help": lambda _: cape("--help"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        kept = Path(tempfile.mkdtemp())
        for name, way in ways.items():
            folder = kept if name[0] in "de" else Path(tempfile.mkdtemp())
            begun = time.perf_counter()
            way(folder)
            seconds[name].append(time.perf_counter() - begun)
            if folder != kept:
                shutil.rmtree(folder)
        shutil.rmtree(kept)
    additions = min(
        timeit.repeat("for i in range(10_000_000): n += i", "n = 0", repeat=3, number=1)
    )
    median = {name: statistics.median(found) for name, found in seconds.items()}
    mine = next(value for name, value in median.items() if name.startswith("d"))
    lines = [
        f"{len(runs)} runs on {CORES} cores, Python {platform.python_version()}, "
        f"{options.rounds} round(s) in turn; medians. Ten million additions take {additions:.1f} s "
        "here.",
        "",
        "| way | seconds | seconds a run | (d) is faster by |",
        "|---|---|---|---|",
        *(
            f"| {name} | {value:.2f} | {value / len(runs):.2f} | {value / mine:.2f} |"
            if name[0] < "g"
            else f"| {name} | {value:.2f} | | |"
            for name, value in median.items()
        ),
    ]
    print("\n".join(lines))
    if not options.notebooks:
        _, heading, below = TABLE.read_text(encoding="utf-8").partition("\n## ")  # by hand
        text = "# How fast is the collection run?\n\n" + "\n".join(lines) + "\n"
        TABLE.write_text(text + heading + below, encoding="utf-8")


if __name__ == "__main__":
    main()
