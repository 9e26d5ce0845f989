"""Runs in forked processes: what a real kernel gives, and nothing of one run reaches the next."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from shared import slow

from capelib.paths import PACKAGE
from capelib.runs import engine, execute, kernels, runner
from capelib.runs.parameters import read

pytestmark = pytest.mark.skipif(not kernels.available(), reason="runs are forked on Linux only")
# What a notebook may hold, by name; its cells.
ODD = {
    "values": ["1", "x = 2", "x;", "print(x), x", "None", "_", "Out[2], In[2]"],
    "streams": [
        "import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c', end='')",
        "from IPython.display import display\nprint('a'); display('b'); print('c'); 'd'",
        "import sys; sys.stdout.write('no end'), sys.stdout.isatty(), sys.stdout.encoding",
    ],
    "programs": [
        "import subprocess, os\nsubprocess.run(['echo', 'a']); os.system('echo b >&2'); 3",
        "!echo c\nx = !echo d\nx",
        "print('é ‰ 漢'); !printf 'é 漢'",
        "import os; os.write(1, b'raw'); None",
    ],
    "bash": ["%%bash\necho a\necho b >&2", "%%bash\nexit 3"],
    "magics": [
        "%matplotlib inline\n%config InlineBackend.figure_formats = ['svg']\n%alias_magic t time",
        "%%writefile made.txt\nhello",
        "%cat made.txt",
        "%%capture kept\nprint('kept')",
        "kept.stdout, %who_ls",
        "kept.stdout",
        "%env HOME",
        "%pwd",
    ],
    "no_magic": ["%nosuchmagic"],
    "threads": [
        "import threading\nt = threading.Thread(target=lambda: print('in a thread'))\n"
        "t.start(); t.join()",
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool: print(list(pool.map(abs, [-1, -2])))",
    ],
    "async": [
        "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')",
        "async def f():\n    await asyncio.sleep(0); return 5\ntask = asyncio.create_task(f())",
        "await task",
        "[await f() for _ in range(2)]",
        "asyncio.get_running_loop().is_running()",
    ],
    "no_run_in_a_loop": ["import asyncio\nasync def f(): pass\nc = f()\nasyncio.run(c)"],
    "clear": [
        "from IPython.display import clear_output, display\n"
        "print('gone'); clear_output(); print('kept')",
        "print('gone'); clear_output(wait=True); display('kept')",
        "display('stays'); clear_output(wait=True)",
    ],
    "display_id": [
        "from IPython.display import display, HTML, Markdown\nh = display('first', display_id='x')",
        "h.update(HTML('<b>second</b>'))",
        "display(Markdown('*m*'), metadata={'text/markdown': {'a': 1}})\n"
        "display('again', display_id='x')",
        "class Both:\n    def _repr_html_(self): return '<i>'\n    def __repr__(self): return 'i'\n"
        "Both()",
    ],
    "wide": [
        "import pandas as pd\nprint(pd.DataFrame({f'column {n}': [n] * 3 for n in range(30)}))",
        "pd.DataFrame({n: range(100) for n in range(40)})",
        "pd.reset_option('all'); pd.get_option('display.max_columns')",
    ],
    "long": ["print('x' * 3_000_000)", "for n in range(20_000): print(n)"],
    "zero_division": ["def f():\n    return 1 / 0", "f()", "print('never')"],
    "syntax": ["1 +"],
    "undefined": ["nothing_here"],
    "chained": ["try:\n    1 / 0\nexcept Exception as error:\n    raise KeyError('no') from error"],
    "own_error": [
        "class Own(Exception):\n    def __str__(self): return 'two\\nlines \\x1b[31mred'\nraise Own"
    ],
    "empty_error": ["raise ValueError"],
    "group": ["raise ExceptionGroup('many', [ValueError(1), TypeError(2)])"],
    "interrupted": [
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport time; time.sleep(9)"
    ],
    "bad_repr": ["class Bad:\n    def __repr__(self): raise ValueError('bad repr')\nBad()"],
    "assertion": ["assert 1 == 2, 'one is not two'"],
    "exit_0": ["import sys\nprint('before'); sys.exit()", "print('never')"],
    "exit_3": ["import sys; sys.exit(3)"],
    "asks": ["input('name? ')"],
    "local_module": ["import beside_us\nbeside_us.VALUE", "%run beside_us.py\nVALUE"],
    "argparse": ["import argparse\np = argparse.ArgumentParser()\np.parse_known_args(['-x'])"],
    "arguments": [
        "import sys\n[word.rpartition('/')[2] for word in sys.argv[:2]], len(sys.path[0])"
    ],
    "warnings": [
        "import warnings\nwarnings.warn('mine')\nwarnings.warn('old', DeprecationWarning)",
        "warnings.warn('later', FutureWarning); warnings.warn('hidden', ImportWarning)",
        "import numpy as np; np.array([1.0]) / 0",
        "warnings.simplefilter('error')\nwarnings.warn('an error')",
    ],
    "processes": [
        "import multiprocessing as m\n"
        "m.current_process().name, m.parent_process(), m.get_start_method(), __name__",
        "def twice(x):\n    print('in a process'); return 2 * x\n"
        "p = m.get_context('fork').Process(target=twice, args=(2,)); p.start(); p.join()\n"
        "p.exitcode",
        "with m.get_context('fork').Pool(2) as pool: print(pool.map(abs, [-1, -2]))",
        "with m.get_context('spawn').Pool(1) as pool: print(pool.map(abs, [-3]))",
    ],
    "logging": [
        "import logging\nlogging.warning('a warning'); logging.info('hidden')",
        "logging.basicConfig(level='INFO', force=True); logging.info('shown')",
    ],
    "plots": [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "import seaborn as sns\nax = sns.barplot(x=[1, 2], y=[3, 4])",
        "plt.get_backend(), plt.isinteractive()",
    ],
    "rich_types": [
        "from IPython.display import Image, JSON, Latex, SVG, Javascript\n"
        "Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + bytes(20))",
        "display(JSON({'a': 1}), Latex('$x$'), SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'))",
        "display({'application/vnd.plotly.v1+json': {'data': []}}, raw=True)",
    ],
    "shell": [
        "get_ipython().__class__.__name__, type(get_ipython().display_pub).__name__",
        "get_ipython().run_cell('print(7)').success",
        "help(len)",
        "len?",
        "from IPython import get_ipython as g; g() is get_ipython()",
    ],
    "state": [
        "import sys, random, builtins, os, signal, threading\n"
        "sys.modules['__main__'].__dict__ is globals(), threading.current_thread().name",
        "sys.getrecursionlimit(), sys.getswitchinterval(), sys.flags.optimize, sys.stdin.isatty()",
        "sorted(name for name in dir() if not name.startswith('_'))",
        "signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)",
        "ours = {'JPY_PARENT_PID', 'PYDEVD_USE_FRAME_EVAL'}; sorted(set(os.environ) - ours)",
        "sys.stdin.read()",
    ],
    "tagged": ["#raises\n1 / 0", "print('after')"],
}
QUICK = {"streams", "programs", "async", "display_id", "wide", "zero_division", "processes"}


def notebook(folder: Path, name: str, *cells: str) -> runner.Run:
    first = new_code_cell('out: str = ""  # folder', metadata={"tags": ["parameters"]})
    path = folder / f"{name}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    nb = new_notebook(
        cells=[first, *(new_code_cell(cell) for cell in cells)],
        metadata={"language_info": {"name": "python"}},
    )
    for cell in nb.cells:
        if cell.source.startswith("#raises"):
            cell.metadata["tags"] = ["raises-exception"]
    nbformat.write(nb, path)
    return runner.Run(path, read(path, {}), name)


def outcomes(folder: Path, runs: list[runner.Run], **how) -> dict[str, runner.Outcome]:
    return {
        outcome.run.name: outcome
        for outcome in runner.reproduce(runs, folder / "figures", folder / "build", **how)
    }


def executed(folder: Path, name: str) -> list[dict]:
    path = folder / "build" / f"{name}.ipynb"
    if not path.exists():
        path = folder / "build" / "failed" / f"{name}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def outputs(folder: Path, name: str) -> list[dict]:
    return [output for cell in executed(folder, name) for output in cell.get("outputs", [])]


def text(folder: Path, name: str) -> str:
    return "".join("".join(output.get("text", "")) for output in outputs(folder, name))


def but_for_times(cells: list[dict], folder: Path) -> list:
    """Cells without what differs from one kernel to the next: times, numbers of processes."""
    kept = []
    for cell in cells:
        streams: dict[str, str] = {}
        others = []
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":  # a kernel sends them in pieces, by the clock
                streams.setdefault(output["name"], "")
                streams[output["name"]] += "".join(output["text"])
            else:
                others.append(output)
        kept.append([cell.get("execution_count"), cell["source"], streams, others])
    words = json.dumps(kept).replace(str(folder), "FOLDER")
    words = re.sub(r"\.run-\w+", ".run", words)
    words = re.sub(r"ipykernel_\d+/\d+\.py", "CELL", words)
    return json.loads(re.sub(r"0x[0-9a-f]{6,}", "0x", words))


@pytest.mark.parametrize("name", [key if key in QUICK else slow(key) for key in ODD])
def test_an_odd_notebook_gives_what_it_gives_in_a_plain_kernel(tmp_path, monkeypatch, name):
    assert not engine.NEEDS_A_KERNEL.search("\n".join(ODD[name]))
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # by which ipykernel does without some output
    made, ended = {}, {}
    for plain in (False, True):
        folder = tmp_path / f"plain_{plain}"
        run = notebook(folder, f"90_{name}", *ODD[name])
        (folder / "beside_us.py").write_text("VALUE = 5\n")
        monkeypatch.chdir(folder)
        outcome = outcomes(folder, [run], plain=plain)[run.name]
        made[plain] = but_for_times(executed(folder, run.name), folder)
        ended[plain] = (outcome.status, outcome.error.replace(str(folder), ""))
    assert made[False] == made[True]
    assert ended[False] == ended[True]


def test_a_notebook_that_needs_a_kernel_is_known():
    for cell in (
        "import ipywidgets as w",
        "from tqdm.auto import tqdm",
        "import os; os.environ['OMP_NUM_THREADS'] = '1'",
        "get_ipython().kernel.session",
        "%matplotlib widget",
        "breakpoint()",
    ):
        assert engine.NEEDS_A_KERNEL.search(cell), cell
    assert not engine.NEEDS_A_KERNEL.search(
        "import capelib as cape\n%matplotlib inline\ncape.load()"
    )


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
def test_forked_and_plain_runs_give_the_same_bytes(tmp_path):
    run = runner.plan(["04"], {"first_year": "2015"})[0]
    made = {}
    for plain in (False, True):
        folder = tmp_path / str(plain)
        assert outcomes(folder, [run], plain=plain)[run.name].status == "done"
        files = sorted((folder / "figures" / run.name).iterdir())
        made[plain] = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert made[False] == made[True]
    drawn = {"definitions.svg", "left_out.svg", "shares.svg", "years.svg"}
    assert drawn < set(made[False])


PARENT = "import os\nprint(open(f'/proc/{os.getppid()}/cmdline').read().replace(chr(0), ' '))"


@pytest.mark.slow
def test_anyones_papermill_runs_cells_so_with_one_option(tmp_path):
    notebook(tmp_path, "90_parent", PARENT)
    (tmp_path / "build").mkdir()
    words = ["--engine", "cape", "90_parent.ipynb", "build/90_parent.ipynb", "-k", "python3"]
    installed = tmp_path / "site" / "made_up-0.dist-info"  # as capelib is, wherever this runs
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 0\n")
    point = f"{engine.NAME} = {execute.__name__}:ENGINE"
    (installed / "entry_points.txt").write_text(f"[papermill.engine]\n{point}\n")
    paths = os.pathsep.join([str(PACKAGE.parent), str(installed.parent)])
    done = subprocess.run(
        [sys.executable, "-m", "papermill", *words],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "multiprocessing.forkserver" in text(tmp_path, "90_parent")
    assert "WARNING" not in done.stderr


def test_the_engine_is_papermills_plug_in():
    import tomllib

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    names = project["project"]["entry-points"]["papermill.engine"]
    assert names == {engine.NAME: f"{execute.__name__}:ENGINE"}


@pytest.mark.slow
def test_plain_kernels_are_processes_of_their_own(tmp_path):
    outcomes(tmp_path, [notebook(tmp_path, "90_parent", PARENT)], plain=True)
    assert "multiprocessing.forkserver" not in text(tmp_path, "90_parent")


@pytest.mark.slow
def test_nothing_is_left_when_the_owner_is_killed(tmp_path):
    notebook(tmp_path, "90_long", "import time; time.sleep(60)")
    code = (
        "from pathlib import Path; from capelib.runs import parameters, runner\n"
        "path = Path('90_long.ipynb'); run = runner.Run(path, parameters.read(path, {}), 'x')\n"
        "list(runner.reproduce([run], Path('f'), Path('b')))"
    )
    owner = psutil.Popen([sys.executable, "-c", code], cwd=tmp_path)
    until, started = time.monotonic() + 60, []
    while len(started) < 3 and time.monotonic() < until:  # the fork server, its tracker, the run
        time.sleep(0.1)
        started = owner.children(recursive=True)
    assert len(started) >= 3
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
        "run = runner.Run(path, parameters.read(path, {}), '90_slow')\n"
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
