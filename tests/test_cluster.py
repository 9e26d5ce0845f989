"""Runs on many machines, with a real Dask scheduler and workers: the same bytes as on one."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from capelib.errors import CapeError
from capelib.runs import cluster, kernels, runner
from capelib.runs.parameters import read

pytestmark = pytest.mark.skipif(
    not kernels.available(), reason="what a worker leaves is looked up in /proc"
)


class Machines:
    """A scheduler and workers on loopback.

    Each worker is in an empty folder, with temporary files of its own and another capelib.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, {}
        (folder / "other" / "capelib").mkdir(parents=True)
        (folder / "other" / "capelib" / "__init__.py").write_text(
            "raise ImportError('the capelib of the worker')"
        )
        self._start(
            "scheduler",
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--scheduler-file",
            str(folder / "address.json"),
        )
        until(
            lambda: (
                (folder / "address.json").exists()
                and (folder / "address.json").read_text().endswith("}")
            )
        )
        self.address = json.loads((folder / "address.json").read_text())["address"]

    def worker(self, name: str, *paths: Path) -> None:
        self._start(
            name,
            "worker",
            self.address,
            "--nthreads",
            "1",
            "--name",
            name,
            "--host",
            "127.0.0.1",
            paths=paths,
        )

    def workers(self) -> None:
        """There are two of them, whatever the test before has done."""
        for name in ("worker-a", "worker-b"):
            if name not in self.processes:
                self.worker(name)

    def _start(self, name: str, *words: str, paths: tuple[Path, ...] = ()) -> None:
        folder = self.folder / name
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (*paths, self.folder / "other"))),
            "TMPDIR": str(folder / "tmp"),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
            "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "critical",
        }
        command = [sys.executable, "-P", "-m", "dask", *words, "--no-dashboard"]
        with (folder / "log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """The machine is lost: the nanny and its worker at once."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def left(self) -> list[str]:
        """What is left of hosts' folders, and of processes that work in one."""
        hosts = [str(path) for path in self.folder.glob("*/tmp/cape-*")]
        folders = [
            process.info["environ"].get("TMPDIR", "")
            for process in psutil.process_iter(["environ"])
            if process.info["environ"]
        ]
        return hosts + [
            folder for folder in folders if fnmatch(folder, f"{self.folder}/*/tmp/cape-*")
        ]


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    here = Machines(tmp_path_factory.mktemp("machines"))
    yield here
    for name in list(here.processes):
        here.kill(name)


def notebook(folder: Path, name: str, *cells: str) -> runner.Run:
    first = new_code_cell(
        'note: str = ""  # a file\nout: str = ""  # folder', metadata={"tags": ["parameters"]}
    )
    path = folder / f"{name}.ipynb"
    nb = new_notebook(
        cells=[first, *(new_code_cell(cell) for cell in cells)],
        metadata={"language_info": {"name": "python"}},
    )
    nbformat.write(nb, path)
    return runner.Run(path, read(path, {"note": str(folder / "note.txt")}), name)


def begun(folder: Path) -> list[tuple[str, str]]:
    """The runs that began, each with the worker that it was on."""
    note = folder / "note.txt"
    return [tuple(line.split()) for line in note.read_text().splitlines()] if note.exists() else []


def noting(name: str) -> str:
    return (
        "from pathlib import Path\n"
        f"with open(note, 'a') as file: print('{name}', Path.cwd().parts[-3], file=file)"
    )


WRITE = "Path(out, 'made.txt').write_text('made')"
SLEEP = "import time; time.sleep(60)"


def reproduce(
    machines: Machines, folder: Path, runs: list[runner.Run], plain: bool = True
) -> dict[str, runner.Outcome]:
    with cluster.connected(machines.address, plain) as far:
        outcomes = runner.reproduce(
            runs, folder / "figures", folder / "build", jobs=far.threads, cluster=far
        )
        return {outcome.run.name: outcome for outcome in outcomes}


@contextmanager
def meanwhile(action: Callable[[], None]):
    """Something happens beside what the test does; it has happened when the test goes on."""
    thread = threading.Thread(target=action)
    thread.start()
    yield
    thread.join()


def cape(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from capelib.cli import main; main()", *words]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_run_on_a_cluster_gives_the_same_bytes_as_at_home_with_the_users_table(
    machines, tmp_path
):
    machines.workers()
    rows = "".join(
        f"TJK-{n:04d},TJK,RUS,{2003 + n % 20},{'detention' if n % 3 else 'rendition'}\n"
        for n in range(90)
    )
    (tmp_path / "mine.csv").write_text(
        f"exile_id,origin,host,date,measure\n{rows}TJK-0099,TAJ,RUS,2015,detention\n"
    )
    words = (
        "reproduce",
        "04",
        "--data",
        "mine.csv",
        "-p",
        "regime_measure=row",
        "-p",
        "cutoff=1",
        "--out",
        "far",
    )
    far = cape(tmp_path, *words, "--cluster", machines.address)
    output = far.communicate()
    assert far.returncode == 1, output  # a row is set aside
    (run,) = runner.plan(
        ["04"], {"dataset": str(tmp_path / "mine.csv"), "regime_measure": "row", "cutoff": "1"}
    )
    (near,) = runner.reproduce([run], tmp_path / "near", tmp_path / "build", plain=True)
    here, there = near.folder, tmp_path / "far" / near.folder.name
    assert contents(there) == contents(here)
    assert {"provenance.json", "answer.json", "set_aside.csv"} < set(contents(there))
    assert "your file mine.csv" in (there / "answer.json").read_text()
    assert (tmp_path / "build" / f"{there.name}.ipynb").exists()
    until(lambda: not machines.left())


@pytest.mark.slow
def test_no_planted_name_is_shown_or_left_where_a_worker_makes_the_run(machines, tmp_path):
    """Of a table that holds forty names in all places, under a file and folder named for one."""
    from test_planted_names import NAMES, all_written, csv_table, names_in, workbook

    machines.workers()
    here = tmp_path / "here"
    here.mkdir()
    folder = tmp_path / NAMES[1]
    folder.mkdir()
    for source in (csv_table(folder), workbook(folder)):
        done = cape(
            *(here, "reproduce", "01", "03", "--data", str(source), "--out", "far"),
            *("--cluster", machines.address),
        )
        output = "".join(done.communicate())
        assert done.returncode == 1, output  # rows are set aside
        assert "2 done" in output and not names_in(output)
        until(lambda: not machines.left())
        assert not names_in(all_written(machines.folder))
    written = all_written(here)
    assert "provenance.json" in written and ".ipynb" in written and not names_in(written)


@pytest.mark.slow
def test_no_planted_name_is_in_the_error_of_a_worker(machines, tmp_path):
    from test_planted_names import NAMES, all_written, csv_table, names_in

    machines.workers()
    failing = notebook(tmp_path, "90_failing", "raise ValueError(dataset)")
    first = new_code_cell(
        'dataset: str = "public-record"  # data\nout: str = ""  # folder',
        metadata={"tags": ["parameters"]},
    )
    nb = nbformat.read(failing.notebook, 4)
    nb.cells[0] = first
    nbformat.write(nb, failing.notebook)
    source = csv_table(tmp_path).rename(tmp_path / f"{NAMES[2]}.csv")
    (run,) = runner.plan([str(failing.notebook)], {"dataset": str(source)})
    (ended,) = reproduce(machines, tmp_path, [run]).values()
    assert ended.status == "failed" and not names_in(ended.error), ended.error
    assert not names_in(all_written(tmp_path / "build"))


@pytest.mark.slow
def test_a_worker_that_is_lost_costs_only_its_run_which_is_made_elsewhere(machines, tmp_path):
    machines.workers()
    runs = [
        notebook(tmp_path, f"9{n}_run", noting(f"9{n}_run"), "import time; time.sleep(0.5)", WRITE)
        for n in range(4)
    ]
    lost = []

    def lose():
        until(lambda: {worker for _, worker in begun(tmp_path)} == {"worker-a", "worker-b"})
        run, worker = begun(tmp_path)[-1]
        lost.append(run)
        machines.kill(worker)

    with meanwhile(lose):
        outcomes = reproduce(machines, tmp_path, runs)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    assert sorted(run for run, _ in begun(tmp_path)) == sorted([run.name for run in runs] + lost)
    again = next(run for run in runs if run.name in lost)
    (near,) = runner.reproduce([again], tmp_path / "near", tmp_path / "build", plain=True)
    assert contents(outcomes[again.name].folder) == contents(near.folder)
    until(lambda: not machines.left())


@pytest.mark.slow
def test_a_run_that_costs_every_worker_fails_and_the_others_do_not(machines, tmp_path):
    machines.workers()
    up = "Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[1]"
    fatal = (
        f"import os, signal\npid = os.getppid()  # the host\npid = int({up})\n"
        "os.kill(pid, signal.SIGKILL)\nimport time; time.sleep(9)"
    )
    runs = [
        notebook(tmp_path, "90_fatal", noting("90_fatal"), fatal),
        notebook(tmp_path, "91_good", noting("91_good"), WRITE),
    ]
    outcomes = reproduce(machines, tmp_path, runs)
    assert outcomes["91_good"].status == "done", outcomes["91_good"].error
    assert outcomes["90_fatal"].status == "failed"
    assert re.match(
        r"2 workers were lost while they ran it, the last at tcp://127.0.0.1:\d+: does it need"
        r"|no worker could run it: AssertionError",  # Dask's own, seen once on a busy machine
        outcomes["90_fatal"].error,
    )


@pytest.mark.slow
def test_a_notebook_that_fails_is_named_as_at_home_and_kept_and_the_other_is_made(
    machines, tmp_path
):
    machines.workers()
    wrong = notebook(tmp_path, "90_wrong", "x = 1", "1 / 0")
    good = notebook(tmp_path, "91_good", "from pathlib import Path", WRITE)
    outcomes = reproduce(machines, tmp_path, [wrong, good])
    assert outcomes["91_good"].status == "done", outcomes["91_good"].error
    assert (outcomes["91_good"].folder / "made.txt").read_text() == "made"
    far = outcomes["90_wrong"]
    kept = tmp_path / "build" / "failed" / "90_wrong.ipynb"
    assert (far.status, far.error) == (
        "failed",
        f"In [4]: ZeroDivisionError: division by zero (see {kept})",
    )
    assert "ZeroDivisionError" in kept.read_text()
    assert not far.folder.exists()


@pytest.mark.slow
def test_a_worker_with_other_packages_is_refused(machines, tmp_path):
    machines.workers()
    other = tmp_path / "pandas-0.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: pandas\nVersion: 0.0\n")
    run = notebook(tmp_path, "90_run", noting("90_run"), SLEEP)

    def join():
        until(lambda: begun(tmp_path))
        machines.worker("worker-c", tmp_path)

    refused = (
        r"^the worker tcp://127.0.0.1:\d+ has pandas 0.0 \(here [\d.]+\): "
        r"its figures could be others than ours; install requirements.lock"
    )
    with meanwhile(join), pytest.raises(CapeError, match=refused):  # one that comes later
        reproduce(machines, tmp_path, [run])
    with pytest.raises(CapeError, match=refused):  # and one that is there
        reproduce(machines, tmp_path, [run])
    assert len(begun(tmp_path)) == 1
    machines.kill("worker-c")
    until(lambda: not machines.left())  # the run was ended


@pytest.mark.slow
def test_ctrl_c_ends_what_runs_out_there(machines, tmp_path):
    machines.workers()
    run = notebook(tmp_path, "90_long", noting("90_long"), SLEEP)
    far = cape(
        tmp_path,
        "reproduce",
        run.notebook.name,
        "-p",
        "note=note.txt",
        "--cluster",
        machines.address,
    )
    until(machines.left)
    far.send_signal(signal.SIGINT)
    _, message = far.communicate(timeout=30)
    assert (far.returncode, message) == (
        130,
        "cape: interrupted; what was finished is in place, nothing else was changed\n",
    )
    until(lambda: not machines.left(), 10)


@pytest.mark.slow
def test_a_worker_makes_all_its_runs_in_one_process(machines, tmp_path):
    machines.workers()
    parent = "import os; print(os.getppid(), 'of', Path.cwd().parts[-3], file=open(note, 'a'))"
    cells = ("from pathlib import Path; import time; time.sleep(1)", parent)
    runs = [notebook(tmp_path, f"{number}_short", *cells) for number in range(8)]
    ended = reproduce(machines, tmp_path, runs)
    assert {outcome.status for outcome in ended.values()} == {"done"}
    lines = (tmp_path / "note.txt").read_text().splitlines()
    assert len(lines) == 8 and len(set(lines)) == 2


@pytest.mark.slow
def test_answers_are_fetched_together_however_often_one_looks_for_workers(
    machines, tmp_path, monkeypatch
):
    """What one thread no longer waited for was lost to the others: `no worker could run it`."""
    machines.workers()
    monkeypatch.setattr(cluster, "LOOK", 0.001)
    large = "from pathlib import Path; Path(out, 'made.bin').write_bytes(bytes(20_000_000))"
    runs = [notebook(tmp_path, f"{number}_large", large) for number in range(6)]
    ended = reproduce(machines, tmp_path, runs)
    assert [outcome.error for outcome in ended.values()] == [""] * 6


@pytest.mark.slow
def test_a_client_that_is_killed_leaves_nothing_on_the_workers(machines, tmp_path):
    machines.workers()
    run = notebook(tmp_path, "1_endless", noting("endless"), SLEEP)
    words = ("--cluster", machines.address, "-p", f"note={tmp_path / 'note.txt'}")
    client = cape(tmp_path, "reproduce", str(run.notebook), *words, "--plain-kernels")
    until(lambda: begun(tmp_path))
    client.kill()
    until(lambda: not machines.left())


@pytest.mark.slow
def test_when_all_workers_are_lost_it_ends_in_one_line(machines, tmp_path, monkeypatch):
    machines.workers()
    run = notebook(tmp_path, "90_run", noting("90_run"), SLEEP)

    def lose():
        until(lambda: begun(tmp_path))
        monkeypatch.setattr(cluster, "PATIENCE", 2)
        for name in ("worker-a", "worker-b"):
            machines.kill(name)

    with (
        meanwhile(lose),
        pytest.raises(
            CapeError,
            match=r"^no worker is left at tcp://127.0.0.1:\d+; what was finished is in place$",
        ),
    ):
        reproduce(machines, tmp_path, [run])
    with pytest.raises(
        CapeError, match=r"has no worker: start some with `dask worker tcp://127.0.0.1:\d+`$"
    ):
        reproduce(machines, tmp_path, [run])


@pytest.mark.slow
def test_when_the_scheduler_is_lost_it_ends_in_one_line(machines, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 3)
    machines.worker("worker-a")
    run = notebook(tmp_path, "90_run", noting("90_run"), SLEEP)

    def lose():
        until(lambda: begun(tmp_path))
        machines.kill("scheduler")

    with (
        meanwhile(lose),
        pytest.raises(CapeError, match=r"^the scheduler at tcp://127.0.0.1:\d+ is gone"),
    ):
        reproduce(machines, tmp_path, [run])


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "127.0.0.1:8786", "tcp://127.0.0.1", "a word"]
)
@pytest.mark.slow
def test_a_wrong_address_is_refused_in_one_line_at_once(address):
    with pytest.raises(
        CapeError,
        match=rf"^no Dask scheduler answers at '{address}': give what `dask scheduler` shows",
    ):
        cluster.connected(address).__enter__()


def test_a_server_of_another_kind_is_refused(monkeypatch):
    import socket

    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(CapeError, match="no Dask scheduler answers at"),
    ):
        cluster.connected(f"tcp://127.0.0.1:{silent.getsockname()[1]}").__enter__()


@pytest.mark.slow
def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        CapeError, match=r"^--cluster needs Dask: pip install 'capelib\[cluster\]'$"
    ):
        cluster.connected("tcp://127.0.0.1:1").__enter__()
