"""What importing capelib and loading the built-in data cost, beside importing pandas alone. Fresh
processes, interleaved.

Prints medians and ratios: `python benchmarks/loading.py [repeats]`.
"""

import statistics
import subprocess
import sys

CODE = {
    "import pandas": "import pandas",
    "import pandas, capelib": "import pandas; import capelib",
    "import pandas, capelib, everything that load() needs": (
        "import pandas; import capelib; capelib.load"
    ),
}
LOAD = (
    "import time, capelib; capelib.load; start = time.perf_counter(); {what}; "
    "print(time.perf_counter() - start)"
)
PLAIN = (
    "[pandas.read_csv(project_folder('data') / f'{name}.csv')"
    " for name in ('incidents', 'exiles', 'sources')]"
)
TIMED = {
    "capelib.load()": LOAD.format(what="capelib.load()"),
    "pandas.read_csv of the same three files, nothing checked": (
        f"import pandas; from capelib.paths import project_folder; {LOAD.format(what=PLAIN)}"
    ),
}


def seconds(code: str, timed: bool) -> float:
    """Seconds of a fresh process: its own measurement, or of the import statement."""
    if not timed:
        code = (
            f"import time; start = time.perf_counter(); {code}; print(time.perf_counter() - start)"
        )
    return float(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
    )


def main() -> None:
    """Run all, interleaved, and print a table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    found: dict[str, list[float]] = {name: [] for name in [*CODE, *TIMED]}
    for _ in range(repeats):
        for name, code in CODE.items():
            found[name].append(seconds(code, timed=False))
        for name, code in TIMED.items():
            found[name].append(seconds(code, timed=True))
    middle = {name: statistics.median(values) for name, values in found.items()}
    for name, value in middle.items():
        base = middle["import pandas"] if name in CODE else middle[next(reversed(TIMED))]
        print(f"{1000 * value:7.1f} ms  {value / base:5.2f} x  {name}")


if __name__ == "__main__":
    main()
