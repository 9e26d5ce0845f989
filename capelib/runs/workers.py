"""The worker's half of a run on a cluster: sources and data, and the process that runs notebooks.

Nothing of this needs capelib on the worker: these functions travel as they stand, and bring the
sources with them. Each worker has one host process, `python -m capelib.runs.workers FD`, on the
sources that came; each run has one connection to it. The end of its standard input ends it with all
its kernels and removes its folder: nothing is left on a machine whose worker was killed.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

Files = dict[str, bytes]  # by their path below a folder


def put(folder: Path, files: Files) -> None:
    """Write files below a folder, by their path there."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def take(folder: Path) -> Files:
    """Which files lie below a folder?"""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Host:
    """Which process runs notebooks on this worker, with one client's sources and data?

    The first run starts it.
    """

    def __init__(self, files: Files, plain: bool) -> None:
        self._files = files
        self._plain = plain
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._address = ""
        self._closed = False

    def connection(self) -> Connection:
        """Connect to the process, for one run.

        Raises
        ------
        OSError
            Where it cannot be reached.
        """
        with self._lock:
            if not self._closed and (self._process is None or self._process.poll() is not None):
                self._start()
            if self._closed:  # perhaps while the process started
                self.close()
                raise ConnectionAbortedError
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self._address)
            return Connection(connection.detach())

    def _start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)  # of a process that was killed
        self._folder = tempfile.mkdtemp(prefix="cape-")
        put(Path(self._folder), self._files)
        self._address = f"{self._folder}/host"
        paths = os.pathsep.join([self._folder, *filter(None, [os.environ.get("PYTHONPATH")])])
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._address)
            listener.listen(64)
            command = [
                sys.executable,
                "-m",
                "capelib.runs.workers",
                str(listener.fileno()),
                *(["plain"] if self._plain else []),
            ]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                pass_fds=[listener.fileno()],
                cwd=self._folder,
                env=os.environ | {"PYTHONPATH": paths, "TMPDIR": self._folder},
                start_new_session=True,
            )

    def close(self) -> None:
        """End the process, its kernels and their files."""
        self._closed = True
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)


def plugins(name: str, owner: str, files: Files, plain: bool) -> tuple[Any, Any]:
    """Dask's plug-ins of one client, for its workers and for its scheduler.

    Not a result that runs depend on: Dask copies those and drops them as it likes, and each copy
    would be a process (measured with 8 workers: most runs started one).

    Parameters
    ----------
    name
        Of both.
    owner
        The client's id.
    files
        Sources and data.
    plain
        Start a kernel for each run, in place of forking a process.

    Returns
    -------
    tuple
        The first gives each worker, also one that comes later, a `Host`. The second takes it away
        when the client is gone, whatever has ended it.
    """
    from distributed import SchedulerPlugin, WorkerPlugin

    class OfWorkers(WorkerPlugin):
        def setup(self, worker: Any) -> None:  # noqa: ARG002 (Dask's name)
            self.host = Host(files, plain)

        def teardown(self, worker: Any) -> None:  # noqa: ARG002
            self.host.close()

    class OfScheduler(SchedulerPlugin):
        def remove_client(self, scheduler: Any, client: str) -> None:
            if client == owner:
                scheduler.remove_plugin(name)
                if name in scheduler.worker_plugins:
                    scheduler.loop.add_callback(scheduler.unregister_worker_plugin, None, name)

    return OfWorkers(), OfScheduler()


def carry_out(plugin: str, notebook: Files, tables: Files, run: dict[str, Any]) -> dict[str, Any]:
    """Make one run on this worker: what came of it?

    Parameters
    ----------
    plugin
        The name of the plug-in with the process that runs it.
    notebook
        One file.
    tables
        The user's table or folder of tables.
    run
        What `_execute` takes besides.

    Returns
    -------
    dict
        `error` in one line or "", `files` that it made, the `executed` notebook, and the `worker`.
    """
    from distributed import get_worker

    worker = get_worker()
    try:
        with worker.plugins[plugin].host.connection() as connection:
            connection.send(run | {"notebook": notebook, "tables": tables})
            return connection.recv() | {"worker": worker.address}
    except (EOFError, KeyError, OSError) as error:
        why = f": {error}" if str(error) else ""
        return {
            "error": f"the process that runs notebooks on the worker {worker.address} ended{why}",
            "files": {},
            "executed": {},
            "worker": worker.address,
        }


def _serve(listener: socket.socket, plain: bool) -> None:
    threading.Thread(target=_end_with_owner, daemon=True).start()
    while True:
        accepted, _ = listener.accept()
        connection = Connection(accepted.detach())
        threading.Thread(target=_answer, args=(connection, plain), daemon=True).start()


def _end_with_owner() -> None:
    from capelib.runs.kernels import end_all

    sys.stdin.buffer.read()
    end_all()
    shutil.rmtree(Path.cwd(), ignore_errors=True)
    os._exit(0)  # the fork server ends with it


def _answer(connection: Connection, plain: bool) -> None:
    from capelib.errors import CapeError

    with connection, contextlib.suppress(OSError):
        try:
            answer = _execute(plain, **connection.recv())
        except CapeError as error:
            answer = {"error": str(error)}
        except Exception as error:  # whatever it is, it is this run's
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        connection.send({"files": {}, "executed": {}} | answer)


def _execute(
    plain: bool,
    name: str,
    notebook: Files,
    parameters: dict[str, Any],
    tables: Files,
    out: str,
    build: str,
    source: str,
) -> dict[str, Any]:
    """A run as on the client's machine, in a folder of its own.

    `out`, `build` and `source` are the client's folders and notebook, for messages and notebooks.
    """
    from capelib.runs.execute import Run, execute

    with tempfile.TemporaryDirectory(prefix="run-") as temporary:
        folder = Path(temporary)
        [file] = notebook
        put(folder, notebook)
        put(folder / "tables", tables)
        places = {"made": out, "build": build, file: source}
        final = {str((folder / name).resolve()): path for name, path in places.items()}
        if tables:
            table = next(iter(tables)).split("/")[0]
            client = parameters["dataset"]
            parameters["dataset"] = str(folder / "tables" / table)
            final[parameters["dataset"]] = client
        made = folder / "made"
        made.mkdir()
        run = Run(folder / file, parameters, name)
        error = execute(run, made, folder / "build", plain=plain, final=final)
        return {
            "error": error.replace(str(folder / "build"), build),
            "files": {} if error else take(made),
            "executed": take(folder / "build"),
        }


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listening:
        _serve(listening, plain="plain" in sys.argv[2:])
