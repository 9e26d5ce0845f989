"""Warm kernels: nothing that a run does reaches the next; a dead kernel fails its run only."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from capelib.paths import project_folder
from capelib.runs import runner, warm
from capelib.runs.parameters import fill

HOSTS = project_folder("notebooks") / "04_authoritarian_hosts.ipynb"
pytestmark = pytest.mark.skipif(not warm.available(), reason="kernels are forked on Linux only")


def notebook(folder: Path, name: str, *cells: str) -> runner.Run:
    first = new_code_cell('out: str = ""  # folder', metadata={"tags": ["parameters"]})
    path = folder / f"{name}.ipynb"
    nb = new_notebook(
        cells=[first, *(new_code_cell(cell) for cell in cells)],
        metadata={"language_info": {"name": "python"}},
    )
    nbformat.write(nb, path)
    return runner.Run(path, fill(path, {}), name)


def outcomes(folder: Path, runs: list[runner.Run], **how) -> dict[str, runner.Outcome]:
    return {
        outcome.run.name: outcome
        for outcome in runner.reproduce(runs, folder / "figures", folder / "build", **how)
    }


def outputs(folder: Path, name: str) -> list[dict]:
    cells = json.loads((folder / "build" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def text(folder: Path, name: str) -> str:
    return "".join("".join(output.get("text", "")) for output in outputs(folder, name))


DISTURB = """
import os, random, numpy as np, pandas as pd, matplotlib as mpl
pd.DataFrame.sum = lambda *a, **k: "patched"
pd.set_option("display.max_rows", 3)
mpl.rcParams["font.size"] = 99
random.seed(1), np.random.seed(1)
os.chdir("/")
os.environ["DISTURBED"] = "yes"
memory = np.ones(30_000_000)
import capelib
capelib.shares.wilson = None
"""
ASK = """
import os, random, numpy as np, pandas as pd, matplotlib as mpl, capelib
sums = pd.DataFrame({"a": [1, 2]}).sum().tolist()
rows, size = pd.get_option("display.max_rows"), mpl.rcParams["font.size"]
n = capelib.shares.wilson(1, 2).n
print([sums, rows, size, os.environ.get("DISTURBED"), os.getcwd(), n, "memory" in globals()])
"""
DRAW = "import random, numpy as np; print(random.random(), np.random.rand())"


@pytest.mark.slow
def test_nothing_that_a_run_does_reaches_the_next(tmp_path):
    cells = {"90_ask": ASK, "91_disturb": DISTURB, "92_again": ASK}
    runs = [notebook(tmp_path, name, cell) for name, cell in cells.items()]
    for run in runs:
        assert outcomes(tmp_path, [run])[run.name].status == "done"
    assert (
        text(tmp_path, "90_ask")
        == text(tmp_path, "92_again")
        == f"[[3], 60, 10.0, None, {str(Path.cwd())!r}, 2, False]\n"
    )


def test_each_run_has_random_numbers_of_its_own(tmp_path):
    runs = [notebook(tmp_path, f"9{n}_draw", DRAW) for n in range(2)]
    outcomes(tmp_path, runs)
    assert text(tmp_path, "90_draw") != text(tmp_path, "91_draw")


@pytest.mark.parametrize(
    ("fatal", "cell"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "import os, signal"),
        ("import ctypes\nctypes.string_at(0)", "import ctypes"),
        (
            "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
            "import resource",
        ),
    ],
)
def test_a_kernel_that_dies_fails_its_run_only_and_is_named_with_its_last_cell(
    tmp_path, fatal, cell
):
    dying, living = (
        notebook(tmp_path, "90_dying", "x = 1", fatal, "y = 2"),
        notebook(tmp_path, "91_living", "print('alive')"),
    )
    results = outcomes(tmp_path, [dying, living], jobs=2)
    assert (results["90_dying"].status, results["90_dying"].error) == (
        "failed",
        f"the kernel died in its code cell 4: {cell}",
    )
    assert results["91_living"].status == "done"


@pytest.mark.slow
def test_warm_and_plain_kernels_give_the_same_bytes(tmp_path):
    run = runner.plan(["04"], {"first_year": "2015"})[0]
    made = {}
    for plain in (False, True):
        folder = tmp_path / str(plain)
        assert outcomes(folder, [run], plain=plain)[run.name].status == "done"
        files = sorted((folder / "figures" / run.name).iterdir())
        made[plain] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert made[False] == made[True]
    assert len(made[False]) == 14


@pytest.mark.slow
def test_pyplot_shows_its_figures_as_in_a_plain_kernel(tmp_path):
    cells = [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "import seaborn as sns\nax = sns.barplot(x=[1, 2], y=[3, 4])",
        "plt.get_backend()",
    ]
    kinds = {}
    for plain in (False, True):
        folder = tmp_path / str(plain)
        folder.mkdir()
        outcomes(folder, [notebook(folder, "90_plot", *cells)], plain=plain)
        kinds[plain] = [
            (output["output_type"], sorted(output["data"].items()))
            for output in outputs(folder, "90_plot")
        ]
    assert kinds[False] == kinds[True]
    assert [kind for kind, _ in kinds[False]] == ["display_data", "display_data", "execute_result"]


PARENT = "import os\nprint(open(f'/proc/{os.getppid()}/cmdline').read().replace(chr(0), ' '))"


@pytest.mark.slow
def test_anyones_papermill_uses_warm_kernels_with_one_environment_variable(tmp_path):
    notebook(tmp_path, "90_parent", PARENT)
    (tmp_path / "build").mkdir()
    words = [
        sys.executable,
        "-m",
        "papermill",
        "90_parent.ipynb",
        "build/90_parent.ipynb",
        "-k",
        "python3",
    ]
    environment = os.environ | {"JUPYTER_DEFAULT_PROVISIONER_NAME": "cape-warm"}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "capelib.runs.forks" in text(tmp_path, "90_parent")
    assert (
        "WARNING" not in done.stderr and "NOTE" not in done.stdout
    )  # no banner, nothing in the clear over TCP


def test_plain_kernels_are_processes_of_their_own(tmp_path):
    outcomes(tmp_path, [notebook(tmp_path, "90_parent", PARENT)], plain=True)
    assert "capelib.runs.forks" not in text(tmp_path, "90_parent")


def test_only_kernels_of_this_python_are_forked():
    assert warm._arguments(
        [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "x.json"]
    ) == ["-f", "x.json"]
    for other in (
        ["R", "--slave", "-e", "IRkernel::main()"],
        ["/usr/bin/env", "-m", "ipykernel_launcher", "-f", "x"],
        [sys.executable, "-m", "xeus"],
    ):
        assert warm._arguments(other) is None


@pytest.mark.slow
def test_nothing_is_left_when_the_owner_is_killed(tmp_path):
    notebook(tmp_path, "90_long", "import time; time.sleep(60)")
    code = (
        "from pathlib import Path; from capelib.runs import parameters, runner\n"
        "path = Path('90_long.ipynb'); run = runner.Run(path, parameters.fill(path, {}), 'x')\n"
        "list(runner.reproduce([run], Path('f'), Path('b')))"
    )
    owner = psutil.Popen([sys.executable, "-c", code], cwd=tmp_path)
    until, started = time.monotonic() + 60, []
    while len(started) < 2 and time.monotonic() < until:  # the warm process and its kernel
        time.sleep(0.1)
        started = owner.children(recursive=True)
    assert len(started) >= 2
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    _, left = psutil.wait_procs(started, timeout=30)
    assert not left


@pytest.mark.slow
def test_a_second_reproduce_on_one_folder_waits_for_the_first(tmp_path, capfd):
    slow, quick = (
        notebook(tmp_path, "90_slow", "import time; time.sleep(3)"),
        notebook(tmp_path, "91_quick", "pass"),
    )
    code = (
        "from pathlib import Path; from capelib.runs import parameters, runner\n"
        "path = Path('90_slow.ipynb')\n"
        "run = runner.Run(path, parameters.fill(path, {}), '90_slow')\n"
        "list(runner.reproduce([run], Path('figures'), Path('build')))"
    )
    first = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    until = time.monotonic() + 60
    while not list(tmp_path.glob("figures/.run-*")) and time.monotonic() < until:
        time.sleep(0.05)
    outcomes(tmp_path, [quick])
    assert (tmp_path / "figures" / "90_slow" / "provenance.json").exists()  # the first had ended
    assert "another `cape reproduce` is at work on" in capfd.readouterr().err
    assert first.wait() == 0
    assert slow.name == "90_slow"


def test_what_a_killed_run_left_half_made_is_removed(tmp_path):
    (tmp_path / "figures" / ".run-left").mkdir(parents=True)
    outcomes(tmp_path, [notebook(tmp_path, "90_any", "pass")])
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["90_any"]
