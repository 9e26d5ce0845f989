"""Does a long sweep stay as fast and as small as it began? 500 runs of notebook 03, memory and
seconds for each hundred.

`python benchmarks/sweep.py [--runs 500]`. The sweep varies origin, first year and last year.
"""

import argparse
import os
import tempfile
import time
from multiprocessing import forkserver
from pathlib import Path

from capelib.runs import runner

ORIGINS = ["KAZ", "KGZ", "TJK", "TKM", "UZB"]


def megabytes(pid: int) -> float:
    """Memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--runs", type=int, default=500)
    options = asked.parse_args()
    years = {
        "first_year": [str(year) for year in range(1992, 2007)],
        "last_year": [str(year) for year in range(2018, 2025)],
    }
    runs = runner.plan(["03"], {}, {"origin": ORIGINS} | years)[: options.runs]
    print("| runs | seconds a run | this process, MB | fork server, MB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        begun, step = time.perf_counter(), max(len(runs) // 5, 1)
        made = runner.reproduce(
            runs,
            Path(folder) / "figures",
            Path(folder) / "build",
            force=True,
            jobs=os.cpu_count() or 1,
        )
        for number, outcome in enumerate(made, 1):
            if outcome.status != "done":
                raise SystemExit(f"{outcome.run.name}: {outcome.error}")
            if number % step == 0:
                now = time.perf_counter()
                held = megabytes(os.getpid()), megabytes(forkserver._forkserver._forkserver_pid)
                print(
                    f"| {number} | {(now - begun) / step:.2f} | {held[0]:.0f} | {held[1]:.0f} |",
                    flush=True,
                )
                begun = now


if __name__ == "__main__":
    main()
