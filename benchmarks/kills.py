"""Is a run whole or not at all? `cape reproduce` is killed at random moments (seeded); then it is
run to its end.

`python benchmarks/kills.py [--kills 100] [--seed 1] [NOTEBOOK...]`. Prints how often it was killed,
and fails where a file is half written, where the last run does not complete, or where its checksums
are not those of an undisturbed run.
"""

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def cape(folder: Path, names: list[str], *words: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        "from capelib.cli import main; main()",
        "reproduce",
        *names,
        *words,
    ]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def checksums(folder: Path) -> dict[str, str]:
    files = [
        path
        for path in sorted((folder / "figures").rglob("*"))
        if path.is_file() and ".run-" not in str(path)
    ]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def half_written(folder: Path) -> list[str]:
    """Files in place that are not what some whole run wrote: JSON that cannot be read, SVG
    without an end, names of files in the making.
    """
    bad = []
    for path in (folder / "figures").rglob("*"):
        if not path.is_file() or ".run-" in str(path):
            continue
        content = path.read_bytes()
        if path.suffix == ".json":
            try:
                json.loads(content)
            except ValueError:
                bad.append(path.name)
        elif (
            path.suffix == ".svg" and not content.rstrip().endswith(b"</svg>")
        ) or path.suffix == ".tmp":
            bad.append(path.name)
    return bad


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("notebooks", nargs="*", default=["04"])
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        undisturbed, disturbed = Path(first), Path(second)
        begun = time.perf_counter()
        if cape(undisturbed, options.notebooks).wait():
            sys.exit("the undisturbed run failed")
        whole, expected = time.perf_counter() - begun, checksums(undisturbed)
        killed = 0
        for _ in range(options.kills):
            process = cape(disturbed, options.notebooks, "--force")
            try:
                process.wait(rng.uniform(0, 1.05 * whole))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
            if bad := half_written(disturbed):
                sys.exit(f"half written: {', '.join(bad)}")
        if cape(disturbed, options.notebooks).wait():
            sys.exit("the run after the kills failed")
        if found := {name for name, _ in checksums(disturbed).items() ^ expected.items()}:
            sys.exit(
                "the run after the kills left other files than the undisturbed one: "
                f"{', '.join(sorted(found))}"
            )
    print(
        f"killed {killed} of {options.kills} runs of {whole:.1f} s: nothing half written, "
        "the last run completed, the same checksums"
    )


if __name__ == "__main__":
    main()
