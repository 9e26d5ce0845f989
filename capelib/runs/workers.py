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
from collections.abc import Callable
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

    The first run starts it; it ends when Dask no longer needs it.
    """

    def __init__(self, files: Files, plain: bool) -> None:
        self._files = files
        self._plain = plain
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._address = ""
        self._closed = False

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(self), (self._files, self._plain)  # another worker starts a process of its own

    def __del__(self) -> None:
        self.close()

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


def carry_out(host: Host, tables: Files, run: dict[str, Any]) -> dict[str, Any]:
    """Make one run on this worker: what came of it?

    Parameters
    ----------
    host
        The process that runs it.
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

    worker = get_worker().address
    try:
        with host.connection() as connection:
            connection.send(run | {"tables": tables})
            return connection.recv() | {"worker": worker}
    except (EOFError, OSError) as error:
        why = f": {error}" if str(error) else ""
        return {
            "error": f"the process that runs notebooks on the worker {worker} ended{why}",
            "files": {},
            "executed": {},
            "worker": worker,
        }


def close(key: str, dask_worker: Any) -> None:
    """End what runs in a host process on this worker.

    Parameters
    ----------
    key
        Of the host, for Dask.
    dask_worker
        Given by Dask.
    """
    if key in dask_worker.data:
        dask_worker.data[key].close()


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
    notebook: tuple[str, bytes],
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
        file, content = notebook
        put(folder, {file: content})
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
