"""Does a long sweep stay as fast and as small as it began? Memory and seconds for each fifth.

`python benchmarks/sweep.py [--notebook 01] [--runs 500] [--workers 8]`. The sweep varies origin,
first year and last year. With workers the runs go to as many Dask workers on this machine. What a
row shows is what is held when its runs have ended.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path

import psutil

from capelib.runs import cluster, runner

SWEEP = {
    "origin": ["KAZ", "KGZ", "TJK", "TKM", "UZB"],
    "first_year": [str(year) for year in range(1992, 2012)],
    "last_year": [str(year) for year in range(2015, 2025)],
}


def megabytes(*pids: int) -> float:
    """Memory that processes and those below them hold; what several share counts once."""
    held = 0
    for pid in pids:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):  # it has just ended
                held += each.memory_full_info().pss
    return held / 1e6


def files_below(folder: Path) -> int:
    """How many files lie below a folder?"""
    return sum(len(names) for _, _, names in os.walk(folder))


@contextlib.contextmanager
def started(workers: int, folder: Path) -> Iterator[tuple[str, list[int]]]:
    """A scheduler on this machine with so many workers: its address, and all their processes."""
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    quiet["env"] = os.environ | {"TMPDIR": str(folder)}
    place = folder / "scheduler.json"
    to_scheduler = ["--scheduler-file", str(place)]
    words = [*dask, "scheduler", *to_scheduler, "--host", "127.0.0.1", "--port", "0"]
    processes = [subprocess.Popen([*words, "--no-dashboard"], **quiet)]
    words = [*dask, "worker", *to_scheduler, "--host", "127.0.0.1", "--nworkers", str(workers)]
    processes.append(subprocess.Popen([*words, "--nthreads", "1", "--no-dashboard"], **quiet))
    try:
        from distributed import Client

        while not place.exists():
            time.sleep(0.1)
        with Client(scheduler_file=str(place)) as client:
            client.wait_for_workers(workers)
            address = client.scheduler.address
        yield address, [process.pid for process in processes]
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def measure(
    runs: list[runner.Run],
    folder: Path,
    jobs: int,
    others: list[int],
    machines: "cluster.Cluster | None" = None,
) -> None:
    """Make the runs, and print a row for each fifth of them."""
    heads = ["runs", "seconds a run", "open files of this process", "its MB"]
    if others:
        heads += ["scheduler, MB", "workers with their runs, MB", "temporary files"]
    else:
        heads += ["process that forks the runs, MB"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    begun, step = time.perf_counter(), max(len(runs) // 5, 1)
    made = runner.reproduce(
        runs, folder / "figures", folder / "build", True, jobs, cluster=machines
    )
    for number, outcome in enumerate(made, 1):
        if outcome.status != "done":
            raise SystemExit(f"{outcome.run.name}: {outcome.error}")
        if number % step == 0:
            now = time.perf_counter()
            own = psutil.Process()
            row = [f"{number:,}", f"{(now - begun) / step:.2f}", own.num_fds()]
            server = others or [forkserver._forkserver._forkserver_pid]
            held = [own.memory_full_info().pss / 1e6, *(megabytes(pid) for pid in server)]
            row += [round(each) for each in held]
            if others:
                row += [files_below(folder / "tmp")]
            print(f"| {' | '.join(map(str, row))} |", flush=True)
            begun = time.perf_counter()


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--notebook", default="01")
    asked.add_argument("--runs", type=int, default=500)
    asked.add_argument("--workers", type=int, default=0)
    options = asked.parse_args()
    runs = runner.plan([options.notebook], {}, SWEEP)[: options.runs]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        if not options.workers:
            measure(runs, folder, os.cpu_count() or 1, [])
            return
        with (
            started(options.workers, folder / "tmp") as (address, processes),
            cluster.connected(address) as machines,
        ):
            measure(runs, folder, options.workers, processes, machines)


if __name__ == "__main__":
    main()
